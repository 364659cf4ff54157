"""Ids and cursors as clients see them: the only place that makes and reads them.

Both are versioned and say nothing to a reader. A cursor carries a digest of what it says and of the list it belongs to,
so that one that was altered, or comes from another list or order, is refused.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from schema import KINDS
from server.api.errors import ApiError, Code

VERSION = "1"
DIGEST = 9
FEW = 100
"""Up to so many ids are made one by one: an expression takes longer to set up."""


def ids(kind: str, keys: pl.Series) -> list[str]:
    """The ids of rows of a kind, by their keys."""
    if len(keys) <= FEW:
        return [id_of(kind, key) for key in keys]
    text = pl.concat_str(pl.lit(f"{VERSION}{kind}:"), pl.col("key")).str.encode("base64")
    for sign, other in (("+", "-"), ("/", "_"), ("=", "")):
        text = text.str.replace_all(sign, other, literal=True)
    return keys.alias("key").to_frame().select(text).to_series().to_list()


def id_of(kind: str, key: str) -> str:
    """The id of one row."""
    return _encode(f"{VERSION}{kind}:{key}".encode())


def read_id(text: str) -> tuple[str, str]:
    """The kind and key behind an id; raises ApiError for what is none."""
    try:
        kind, _, key = _decode(text).decode().partition(":")
    except ValueError:
        kind, key = "", ""
    if kind[:1] != VERSION or kind[1:] not in KINDS:
        raise ApiError(Code.NOT_FOUND, f"{text[:80]!r} is no id.")
    return kind[1:], key


def spelled(text: str, *, with_kind: bool) -> str:
    """The key (or KIND:KEY) behind an id; any other text, which a person may have written, as it is."""
    try:
        kind, key = read_id(text)
    except ApiError:
        return text
    return f"{kind}:{key}" if with_kind else key


def cursor(of: str, values: Sequence[Any]) -> str:
    """The cursor of a row in the list `of` (its kind and order), by its order values and key."""
    said = json.dumps([_plain(v) for v in values], ensure_ascii=False, separators=(",", ":")).encode()
    return _encode(VERSION.encode() + _digest(of, said) + said)


def read_cursor(of: str, text: str) -> list[Any]:
    """The order values and key behind a cursor of the list `of`; raises ApiError for any other text."""
    try:
        raw = _decode(text)
        said = raw[1 + DIGEST :]
        if raw[:1] != VERSION.encode() or raw[1 : 1 + DIGEST] != _digest(of, said):
            raise ValueError(text)
        values: list[Any] = json.loads(said)
    except (ValueError, RecursionError):
        raise ApiError(Code.BAD_CURSOR, "The cursor is not one of this list in this order.") from None
    return [_value(v) for v in values]


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return {"t": value.isoformat()}
    return {"d": value.isoformat()} if isinstance(value, dt.date) else value


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        (form, text), *_ = value.items()
        return dt.datetime.fromisoformat(text) if form == "t" else dt.date.fromisoformat(text)
    return value


def _digest(of: str, said: bytes) -> bytes:
    return hashlib.blake2b(said, digest_size=DIGEST, salt=b"cursor", key=hashlib.sha256(of.encode()).digest()).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(text) from None
