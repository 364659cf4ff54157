"""Checkpoints: the tables of a snapshot, kept in a remote store as blobs, so that a new reader starts in seconds.

A table is cut into pieces of rows, each a compressed Arrow file. There are two slots, written in turn, and the manifest
`checkpoint`, written last, says which slot holds what: nobody ever reads a checkpoint that is half written. A reader
believes one only if every piece has its digest, and the journal and the tables of today fit its mark.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from chaingraph.snapshot import Snapshot, mark
from chaingraph.store.base import Store
from schema import KINDS, kind

LOG = logging.getLogger(__name__)

MANIFEST = "checkpoint"
Slot = Literal["a", "b"]
PIECE = 4 << 20
"""The most bytes in a piece: a property of that size is read from Neo4j in 0.04 s."""
FIRST_ROWS = 65_536
"""Rows of a table's first piece; it shows how many fill the next ones."""

LEAST, SHARE = 100_000, 4
"""A checkpoint is due when the rows committed since the last one exceed LEAST, and one in SHARE of the graph's.

Replaying 100,000 rows takes a new reader 0.1 s, so that fewer are not worth one. Writing a checkpoint takes as long as
reading one, a quarter of a second for a million rows, and every row that is committed pays for SHARE rows of it: less
than a fiftieth of the time that committing it took. A new reader never replays more than a quarter of what it reads.
"""
COMMIT = 100
"""A commit counts for at least so many rows: fetching one from the store takes as long as replaying them."""


class Manifest(BaseModel):
    """What a checkpoint holds: the digests of the pieces of each kind, numbered through, in the slot."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Literal[1] = 1
    mark: str
    revision: int
    rows: int
    slot: Slot
    pieces: dict[str, list[str]]

    @property
    def count(self) -> int:
        """How many pieces there are."""
        return sum(map(len, self.pieces.values()))


def manifest(store: Store, digest: Callable[[int], bytes | None]) -> Manifest | None:
    """What the store's checkpoint holds; None where there is none, or one of another journal or other tables, or from
    before rows were erased.

    `digest(revision)` is the journal's there, None where it does not reach.
    """
    text = store.blob(MANIFEST)
    try:
        found = Manifest.model_validate_json(text or b"")
    except ValidationError:
        return None
    held = digest(found.revision)
    return found if held and found.mark == mark(found.revision, held, store.head().erased) else None


def read(store: Store, found: Manifest, digest: bytes) -> Snapshot | None:
    """The checkpoint as a snapshot; None where a piece is not what the manifest says."""
    wanted = [(name, wish) for name, wishes in found.pieces.items() for wish in wishes]

    def piece(number: int) -> pl.DataFrame | None:
        data = store.blob(_name(found.slot, number))
        if data is None or hashlib.sha256(data).hexdigest() != wanted[number][1]:
            return None
        return pl.read_ipc(data)

    parts: dict[str, list[pl.DataFrame]] = {}
    threads = ThreadPoolExecutor(2, "checkpoint")
    try:
        for (name, _), part in zip(wanted, threads.map(piece, range(len(wanted))), strict=True):
            if part is None or name not in KINDS or dict(part.schema) != kind(name).schema:
                return None
            parts.setdefault(name, []).append(part)
    finally:
        threads.shutdown(cancel_futures=True)
    tables = {name: pl.concat(parts.get(name, [of.empty()]), rechunk=True) for name, of in KINDS.items()}
    snapshot = Snapshot(found.revision, tables, None, digest)
    return snapshot if snapshot.size == found.rows else None


def write(store: Store, snapshot: Snapshot, before: Manifest | None) -> Manifest:
    """Write a checkpoint into the slot that `before` does not use. The caller holds the write lock."""
    slot: Slot = "b" if before is not None and before.slot == "a" else "a"
    pieces: dict[str, list[str]] = {}
    number = 0
    for name in KINDS:
        for data in _cut(snapshot.table(name)):
            store.put_blob(_name(slot, number), data)
            pieces.setdefault(name, []).append(hashlib.sha256(data).hexdigest())
            number += 1
    made = Manifest(
        mark=mark(snapshot.revision, snapshot.digest, store.head().erased),
        revision=snapshot.revision,
        rows=snapshot.size,
        slot=slot,
        pieces=pieces,
    )
    store.put_blob(MANIFEST, made.model_dump_json().encode())
    for name in store.names("blob"):  # what a larger graph left in the slot
        if name.startswith(_name(slot)) and name >= _name(slot, number):
            store.put_blob(name, b"")
    return made


def renew(store: Store, snapshot: Snapshot, digest: Callable[[int], bytes | None]) -> None:
    """A checkpoint of this snapshot in the place of all older ones, if there are any, of which nothing stays.

    The caller holds the write lock.
    """
    if not any(name.startswith(f"{MANIFEST}.") for name in store.names("blob")):
        return
    made = write(store, snapshot, manifest(store, digest))
    for name in store.names("blob"):
        if name.startswith(f"{MANIFEST}.") and not name.startswith(_name(made.slot)) and store.blob(name):
            store.put_blob(name, b"")


def _name(slot: str, number: int | None = None) -> str:
    return f"{MANIFEST}.{slot}." + ("" if number is None else f"{number:06}")


def _cut(table: pl.DataFrame) -> Iterator[bytes]:
    """A table as pieces of at most PIECE bytes (of one row at least)."""
    at, rows = 0, FIRST_ROWS
    while at < len(table):
        out = io.BytesIO()
        table.slice(at, rows).write_ipc(out, compression="zstd")
        data = out.getvalue()
        if len(data) > PIECE and rows > 1:
            rows = max(1, rows // 2)
            continue
        yield data
        at += rows
        rows = max(1, min(4 * rows, int(rows * PIECE / len(data) * 0.8)))


class Keeper:
    """Keeps the checkpoint of a store near its head: told of every write, it writes one when it is due."""

    def __init__(self, store: Store, digest: Callable[[int], bytes | None]) -> None:
        self._store = store
        self._digest = digest
        self._last: Manifest | None = None
        self._counted = -1
        self._weight = 0

    def keep(self, snapshot: Snapshot) -> None:
        """Write a checkpoint of the newest snapshot if one is due. The caller holds the write lock.

        A checkpoint saves time and nothing else: what goes wrong with one is told to the log.
        """
        try:
            if not 0 <= self._counted <= snapshot.revision:
                self._look()
            if self._due(snapshot):
                self._look()  # another process may have written one meanwhile
                if self._due(snapshot):
                    self._last = write(self._store, snapshot, self._last)
                    self._counted, self._weight = snapshot.revision, 0
        except Exception as error:  # noqa: BLE001 - the write itself was done
            LOG.warning("no checkpoint could be written: %s", error)
            self._counted = -1

    def _look(self) -> None:
        self._last = manifest(self._store, self._digest)
        self._counted, self._weight = self._last.revision if self._last else 0, 0

    def _due(self, snapshot: Snapshot) -> bool:
        for commit in self._store.journal(self._counted, snapshot.revision):
            self._weight += max(commit.rows, COMMIT)
        self._counted = max(self._counted, snapshot.revision)
        return self._weight > max(LEAST, snapshot.size // SHARE)
