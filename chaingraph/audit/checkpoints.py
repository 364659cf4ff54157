"""Signed checkpoints of the audit log, which members keep, and what they say of a copy of the log.

A checkpoint is a note of the C2SP formats tlog-checkpoint and signed-note: the log's origin, its size, the root of its
Merkle tree in base64, then as extension lines the time and the public key, a blank line, and an Ed25519 signature. The
origin holds a digest of the key, so that a checkpoint signed by another key is of another log.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chaingraph.audit.entries import LOG, Entry
from chaingraph.audit.tree import Frontier
from chaingraph.errors import ChaingraphError
from chaingraph.store import Store
from schema.text import Text

SECRET = "audit checkpoints"  # noqa: S105 - the name of the store's secret, the seed of the key that signs
ED25519 = b"\x01"
"""The type of signature in signed-note."""
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_FORM = re.compile(
    r"[^\n]+\n(?P<size>[0-9]{1,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\ntime (?P<at>[^\n]+)\nkey (?P<key>[^\n]+)"
)


class Unproven(ChaingraphError):
    """A log, a checkpoint or a key that does not hold; `code` says in which way."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key with its name, as signed-note writes it: NAME+ID+BASE64."""

    name: str
    public: bytes

    @classmethod
    def read(cls, text: str) -> Self:
        """The key of a text. Raises Unproven (`audit.bad_key`)."""
        name, _, rest = text.strip().partition("+")
        coded = rest.partition("+")[2]
        try:
            raw = base64.b64decode(coded, validate=True)
        except binascii.Error:
            raw = b""
        found = cls(name, raw[1:])
        if raw[:1] != ED25519 or len(raw) != 33 or str(found) != text.strip():
            raise Unproven(
                "audit.bad_key",
                Text(f"这不是 Ed25519 公钥：{text[:80]!r}。", f"This is no Ed25519 public key: {text[:80]!r}."),
                Text("请用 chaingraph audit key 导出公钥。", "Get the key with chaingraph audit key."),
            )
        return found

    @property
    def id(self) -> bytes:
        """Four bytes by which signatures name the key."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


@dataclass(frozen=True)
class Signer:
    """Who signs for a store, by its secret."""

    seed: bytes

    @classmethod
    def of(cls, store: Store) -> Self:
        """The signer of a store."""
        return cls(store.secret(SECRET))

    @cached_property
    def key(self) -> Key:
        """The public key, named by the log's origin."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return Key(origin(public), public)

    def sign(self, text: str, name: str | None = None) -> str:
        """The note of a text, each line of which ends in a line feed."""
        key = Key(name or self.key.name, self.key.public)
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"{text}\n— {key.name} {base64.b64encode(key.id + signature).decode()}\n"


def origin(public: bytes) -> str:
    """The name of the log that a public key signs."""
    return f"chaingraph/{hashlib.sha256(public).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How long a log was at a time, and the root over its leaves."""

    key: Key
    size: int
    root: bytes
    at: dt.datetime

    def text(self) -> str:
        """What is signed."""
        coded = base64.b64encode(self.root).decode()
        return f"{self.key.name}\n{self.size}\n{coded}\ntime {self.at.astimezone(dt.UTC):{_TIME}}\nkey {self.key}\n"

    @classmethod
    def read(cls, note: str, key: Key | None = None) -> Self:
        """The checkpoint of a note, its signature checked: by the key it names, and that is `key` where one is given.

        Raises Unproven: `audit.bad_checkpoint` for a text that is none, `audit.bad_signature`, `audit.other_key`.
        """
        text, _, signatures = note.partition("\n\n")
        said = _FORM.fullmatch(text)
        if said is None:
            raise _no_checkpoint()
        try:
            at = dt.datetime.strptime(said["at"], _TIME).replace(tzinfo=dt.UTC)
            found = cls(Key.read(said["key"]), int(said["size"]), base64.b64decode(said["root"], validate=True), at)
        except (ValueError, Unproven):
            raise _no_checkpoint() from None
        if found.text() != f"{text}\n" or found.key.name != origin(found.key.public):
            raise _no_checkpoint()
        if key is not None and found.key != key:
            raise Unproven(
                "audit.other_key",
                Text(
                    f"检查点由另一把密钥签名：{found.key.name}，而非 {key.name}。",
                    f"The checkpoint is signed by another key: {found.key.name}, not {key.name}.",
                ),
                Text("这不是同一份日志的检查点。", "It is no checkpoint of the log that the key stands for."),
            )
        if not signed(f"{text}\n", signatures, found.key):
            raise Unproven(
                "audit.bad_signature",
                Text("检查点的签名不成立：内容已被改动。", "The checkpoint's signature does not hold: it was altered."),
                Text("请使用原来保存的检查点。", "Use the checkpoint as it was kept."),
            )
        return found


def _no_checkpoint() -> Unproven:
    return Unproven(
        "audit.bad_checkpoint",
        Text("文件不是审计日志的检查点，或已残缺。", "The file is no checkpoint of an audit log, or is damaged."),
        Text("请用 chaingraph audit checkpoint 生成。", "Make one with chaingraph audit checkpoint."),
    )


def signed(text: str, signatures: str, key: Key) -> bool:
    """Whether one of a note's signature lines is this key's for its text."""
    for line in signatures.split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, coded = rest.partition(" ")
        if (dash, name) != ("—", key.name):
            continue
        try:
            raw = base64.b64decode(coded, validate=True)
            if raw[:4] == key.id:
                Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], text.encode())
                return True
        except (binascii.Error, InvalidSignature, ValueError):
            continue
    return False


def checkpoint(store: Store) -> str:
    """A signed checkpoint of a store's audit log as it is now. All leaves are read. Raises StoreError."""
    frontier = Frontier()
    frontier.extend(store.leaves(LOG))
    return note(Signer.of(store), frontier)


def note(signer: Signer, frontier: Frontier) -> str:
    """A signed checkpoint of a tree, at this moment."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    return signer.sign(Checkpoint(signer.key, frontier.size, frontier.root(), now).text())


@dataclass(frozen=True, slots=True)
class Held:
    """What a log was found to be: as long as this, and as each of so many checkpoints says."""

    leaves: int
    root: bytes
    checkpoints: int


def verify(log: Path, checkpoints: Sequence[Checkpoint]) -> Held:
    """Hold an exported log against kept checkpoints, of which there is one at least.

    Raises Unproven: `audit.other_log` where the checkpoints are of several logs, `audit.forked` where two pasts were
    signed (checkpoints contradict each other, or the log fits a later one and not an earlier one), `audit.malformed`
    for a line that is no entry as the log writes it, `audit.differs` where leaves are others than those that were
    signed (edited, left out, put in, or another past), with the first and the last that they may be among, `audit.cut`
    for a log that is shorter than a checkpoint says. Raises OSError.
    """
    wanted = sorted(checkpoints, key=lambda each: (each.size, each.at))
    if len({each.key for each in wanted}) != 1:
        raise _other_log()
    for one, other in pairwise(wanted):
        if one.size == other.size and one.root != other.root:
            raise _forked(one, other)
    frontier, sizes = Frontier(), {each.size for each in wanted}
    tops = {0: frontier.root()}
    with log.open("rb") as file:
        for line in file:
            frontier.add(line.removesuffix(b"\n"))
            if frontier.size in sizes:
                tops[frontier.size] = frontier.root()
    told = [each for each in wanted if each.size <= frontier.size]
    good = [each for each in told if tops[each.size] == each.root]
    bad = next((each for each in told if tops[each.size] != each.root), None)
    if bad is not None and good and good[-1].size > bad.size:
        raise _forked(bad, good[-1])
    if bad is not None or len(told) < len(wanted):
        _refuse_malformed(log)
    if bad is not None:
        raise _differs(max((each.size for each in good), default=0), bad)
    if len(told) < len(wanted):
        raise _cut(frontier.size, wanted[-1])
    return Held(frontier.size, frontier.root(), len(wanted))


def _refuse_malformed(log: Path) -> None:
    """Raises Unproven for the first line that is no entry as the log writes it: it tells more than that a root is
    another.
    """
    with log.open("rb") as file:
        for number, line in enumerate(file):
            leaf = line.removesuffix(b"\n")
            try:
                whole = leaf != line and Entry.read(leaf).leaf() == leaf
            except (ValueError, TypeError, RecursionError):
                whole = False
            if not whole:
                raise Unproven(
                    "audit.malformed",
                    Text(
                        f"第 {number} 条不是审计日志写出的内容：被改动，或文件残缺。",
                        f"Leaf {number} is no entry as the audit log writes them: it was altered, or the file is "
                        "damaged.",
                    ),
                    _ASK,
                )


_ASK = Text(
    "请要求运营方重新导出日志；若结果相同，请出示检查点。",
    "Ask the operator for the log again; if it stays so, show the checkpoint.",
)


def _other_log() -> Unproven:
    return Unproven(
        "audit.other_log",
        Text(
            "这些检查点由不同的密钥签名，属于不同的日志。",
            "The checkpoints are signed by several keys: of several logs.",
        ),
        Text("请只给出同一份日志的检查点。", "Give checkpoints of one log."),
    )


def _forked(one: Checkpoint, other: Checkpoint) -> Unproven:
    return Unproven(
        "audit.forked",
        Text(
            f"日志有两个过去：{one.at:%Y-%m-%d %H:%M:%S} UTC（{one.size} 条）与 {other.at:%Y-%m-%d %H:%M:%S} UTC"
            f"（{other.size} 条）的检查点由同一密钥签名，却不能同属一份日志。",
            f"The log has two pasts: the checkpoints of {one.at:%Y-%m-%d %H:%M:%S} UTC ({one.size} leaves) and "
            f"{other.at:%Y-%m-%d %H:%M:%S} UTC ({other.size} leaves) are signed by one key and cannot be of one log.",
        ),
        Text(
            "请向其他成员出示这两个检查点：它们就是证据。",
            "Show both checkpoints to the other members: they are the proof.",
        ),
    )


def _differs(good: int, bad: Checkpoint) -> Unproven:
    last = bad.size - 1
    zh = f"第 {good} 条" if good == last else f"第 {good} 至 {last} 条之间的内容"
    en = f"Leaf {good} is" if good == last else f"Leaves among {good} to {last} are"
    return Unproven(
        "audit.differs",
        Text(
            f"{zh}与 {bad.at:%Y-%m-%d %H:%M:%S} UTC 的检查点不符：日志被改动，或是另一个分支。",
            f"{en} not what the checkpoint of {bad.at:%Y-%m-%d %H:%M:%S} UTC was made of: the log was edited, or is "
            "another branch.",
        ),
        _ASK,
    )


def _cut(leaves: int, longest: Checkpoint) -> Unproven:
    return Unproven(
        "audit.cut",
        Text(
            f"日志只有 {leaves} 条，而 {longest.at:%Y-%m-%d %H:%M:%S} UTC 时已有 {longest.size} 条：日志被截短。",
            f"The log has {leaves} leaves; at {longest.at:%Y-%m-%d %H:%M:%S} UTC it had {longest.size}: it was cut.",
        ),
        _ASK,
    )
