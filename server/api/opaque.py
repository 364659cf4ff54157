"""Ids and cursors as clients see them: the only place that makes and reads them.

Both are sealed for the viewer's organisation by AES-SIV (RFC 5297) under a key of its own, drawn from the store's
secret: a thing has one id in every revision and after every restart, another organisation's id or an altered one is no
id, and neither says anything to a reader. What a seal is for (an id; a cursor of which list) is authenticated with it.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import functools
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chaingraph import View
from schema import KINDS
from server.api.errors import ApiError, Code

SECRET = "opaque"  # noqa: S105 - the name of the store's secret
ID = b"id 2"
CURSOR = b"cursor 2 "
BLOCK = 16
FEW = 100
"""Up to so many ids are made one by one: the columns take longer to set up."""
SLOT = ("sealed",)

Bytes = npt.NDArray[np.uint8]


class Sealed:
    """The ids and cursors of one organisation."""

    def __init__(self, secret: bytes, viewer: str) -> None:
        self._key = HKDF(SHA256(), 64, salt=None, info=b"ids and cursors of " + viewer.encode()).derive(secret)
        self._siv = AESSIV(self._key)

    def ids(self, kind: str, keys: pl.Series) -> list[str]:
        """The ids of rows of a kind, by their keys."""
        if len(keys) <= FEW:
            return [self.id_of(kind, key) for key in keys]
        return seal_all(self._key, f"{kind}:".encode(), keys.cast(pl.Binary), ID)

    def id_of(self, kind: str, key: str) -> str:
        """The id of one row."""
        return self._seal(f"{kind}:{key}".encode(), ID)

    def read_id(self, text: str) -> tuple[str, str] | None:
        """The kind and key behind an id; None for what is none of this viewer's, as for what there is not."""
        try:
            kind, _, key = self._open(text, ID).decode().partition(":")
        except ValueError:
            return None
        return (kind, key) if kind in KINDS else None

    def spelled(self, text: str, *, with_kind: bool) -> str:
        """The key (or KIND:KEY) behind an id; any other text, which a person may have written, as it is."""
        found = self.read_id(text)
        if found is None:
            return text
        return ":".join(found) if with_kind else found[1]

    def cursor(self, of: str, values: Sequence[Any]) -> str:
        """The cursor of a row in the list `of` (its kind and order), by its order values and key."""
        said = json.dumps([_plain(v) for v in values], ensure_ascii=False, separators=(",", ":"))
        return self._seal(said.encode(), CURSOR + of.encode())

    def read_cursor(self, of: str, text: str) -> list[Any]:
        """The order values and key behind a cursor of the list `of`; raises ApiError for any other text."""
        try:
            values: list[Any] = json.loads(self._open(text, CURSOR + of.encode()))
        except ValueError:
            raise ApiError(Code.BAD_CURSOR, "The cursor is not one of this list in this order.") from None
        return [_value(v) for v in values]

    def _seal(self, plain: bytes, purpose: bytes) -> str:
        return base64.urlsafe_b64encode(self._siv.encrypt(plain, [purpose])).decode().rstrip("=")

    def _open(self, text: str, purpose: bytes) -> bytes:
        """What was sealed; raises ValueError for what was not, not for this purpose, or not under this key."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            plain = self._siv.decrypt(raw, [purpose])
        except (binascii.Error, InvalidTag) as error:
            raise ValueError(text) from error
        if self._seal(plain, purpose) != text:  # loose bits at the end of base64
            raise ValueError(text)
        return plain


@functools.lru_cache(maxsize=1024)
def keyed(secret: bytes, viewer: str) -> Sealed:
    """The seal of an organisation, made once."""
    return Sealed(secret, viewer)


def of(view: View, secret: bytes | None = None) -> Sealed:
    """The seal of a view's organisation, by the store's secret, which is given once for each view."""

    def make() -> Sealed:
        if secret is None:
            raise LookupError("The view was not given the store's secret.")
        return keyed(secret, view.viewer)

    return view.memo(SLOT, make)


def seal_all(key: bytes, before: bytes, texts: pl.Series, purpose: bytes) -> list[str]:
    """What AESSIV seals one by one, in base64: `before` and each text (binary, none of it null), a block of every row
    at a time.

    S2V is CMAC of the text with the MAC of `purpose` in its last block; the result is the counter block of CTR.
    Texts of one length go together.
    """
    half = len(key) // 2
    mac, ctr = (_Blocks(each) for each in (key[:half], key[half:]))
    zero = np.zeros((1, BLOCK), np.uint8)
    first = _double(mac(zero))
    second = _double(first)

    def cmac(text: Bytes) -> Bytes:
        """CMAC (RFC 4493) of rows of one length."""
        rows, length = text.shape
        blocks = max(1, -(-length // BLOCK))
        padded = np.zeros((rows, blocks * BLOCK), np.uint8)
        padded[:, :length] = text
        whole = length == blocks * BLOCK
        if not whole:
            padded[:, length] = 0x80
        padded[:, -BLOCK:] ^= first if whole else second
        state = np.zeros((rows, BLOCK), np.uint8)
        for at in range(0, padded.shape[1], BLOCK):
            state = mac(state ^ padded[:, at : at + BLOCK])
        return state

    said = _double(cmac(zero)) ^ cmac(np.frombuffer(purpose, np.uint8)[None])
    lengths = texts.bin.size().to_numpy()
    out = np.empty(len(texts), object)
    for short in np.unique(lengths).tolist():
        at = np.flatnonzero(lengths == short)
        some = texts if len(at) == len(texts) else texts.gather(at)
        length = len(before) + short
        text = np.empty((len(at), length), np.uint8)
        text[:, : len(before)] = np.frombuffer(before, np.uint8)
        text[:, len(before) :] = np.frombuffer(b"".join(some.to_list()), np.uint8).reshape(len(at), short)
        if length >= BLOCK:
            mixed = text.copy()
            mixed[:, -BLOCK:] ^= said
        else:
            mixed = np.zeros((len(at), BLOCK), np.uint8)
            mixed[:, :length] = text
            mixed[:, length] = 0x80
            mixed ^= _double(said)
        size = BLOCK + length
        sealed = np.zeros((len(at), -(-size // 3) * 3), np.uint8)  # whole triples, so that one call encodes all rows
        sealed[:, :BLOCK] = tag = cmac(mixed)
        sealed[:, BLOCK:size] = text ^ _stream(ctr, tag, length)
        coded, width, shown = (
            base64.urlsafe_b64encode(sealed.tobytes()).decode(),
            sealed.shape[1] // 3 * 4,
            -(-size * 4 // 3),
        )
        out[at] = [coded[place : place + shown] for place in range(0, len(coded), width)]
    return out.tolist()


class _Blocks:
    """AES of many blocks at once: rows of 16 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, blocks: Bytes) -> Bytes:
        cipher = Cipher(algorithms.AES(self._key), modes.ECB())  # noqa: S305 - the block function under CMAC and CTR
        return np.frombuffer(cipher.encryptor().update(blocks.tobytes()), np.uint8).reshape(blocks.shape)


def _stream(ctr: _Blocks, tag: Bytes, length: int) -> Bytes:
    """The CTR key stream of every row; the counter is the tag without the top bit of its last two words."""
    count = -(-length // BLOCK)
    blocks = np.repeat(tag, count, axis=0)
    blocks[:, [8, 12]] &= 0x7F
    last = np.ascontiguousarray(blocks[:, 8:]).view(">u8")  # its top bit is clear: no carry beyond
    last += np.tile(np.arange(count, dtype=np.uint64), len(tag))[:, None]
    blocks[:, 8:] = last.view(np.uint8)
    return ctr(blocks).reshape(len(tag), count * BLOCK)[:, :length]


def _double(block: Bytes) -> Bytes:
    """Twice a block in GF(2^128)."""
    number = int.from_bytes(block.tobytes(), "big") << 1
    if number >> 128:
        number = (number & ((1 << 128) - 1)) ^ 0x87
    return np.frombuffer(number.to_bytes(BLOCK, "big"), np.uint8)[None]


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return {"t": value.isoformat()}
    return {"d": value.isoformat()} if isinstance(value, dt.date) else value


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        (form, text), *_ = value.items()
        return dt.datetime.fromisoformat(text) if form == "t" else dt.date.fromisoformat(text)
    return value
