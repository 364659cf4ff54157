"""What a store is: a journal and a graph. One suite of tests (tests/conformance) is run against every one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import polars as pl

from chaingraph.changes import ChangeSet, Payload, decoded

Direction = Literal["out", "in"]
Allowed = Callable[[pl.Series], pl.Series]
Named = Literal["log", "blob", "secret"]
DIRECTIONS: tuple[Direction, Direction] = ("out", "in")
"""Ways to walk a relation: from its start to its end, and back."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the journal is. Readers see `visible`, which trails `revision` while a load is under way.

    `erased` is the number of redactions so far: when it grows, rows have been taken out of the past.
    """

    revision: int
    visible: int
    digest: bytes
    open_load: str | None
    erased: int = 0


@dataclass(frozen=True, slots=True)
class Redaction:
    """Rows that were taken out of what a commit put into a kind, or keys out of what it deleted. None of them is here.

    `before` and `after` are the digests of the payload's rows (see `ChangeSet.digests`) with them and without. All of
    one `erasure` were taken out in one transaction, with a leaf in the audit log. `as_of` was the newest revision then:
    what the graph was after a commit from this one on, up to before that, cannot be told any more.
    """

    erasure: str
    revision: int
    op: str
    kind: str
    rows: int
    before: str
    after: str
    as_of: int
    at: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Commit:
    """An entry of the journal. `digest` is chained to the entry before; `content` stands for what it did."""

    revision: int
    id: uuid.UUID
    load: str | None
    part: int
    last: bool
    by: str
    at: dt.datetime
    content: bytes
    digest: bytes
    rows: int
    version: int
    """The version of the schema that the payload was written by."""
    payload: Callable[[], list[Payload]]
    """What was put and deleted, as it was written, but for what was taken out."""
    redactions: tuple[Redaction, ...] = ()
    """What was taken out, oldest first."""

    def changes(self, kinds: Sequence[str] | None = None) -> ChangeSet:
        """The payload decoded, of the kinds named or of all, in the columns of today."""
        return decoded(self.payload(), kinds, self.version, self.by, self.id, self.load, self.part, self.last)


class Session(Protocol):
    """A read pinned to one revision of the graph."""

    revision: int

    def scan(self, kind: str, batch: int = 50_000) -> Iterator[pl.DataFrame]:
        """All rows of a kind in key order, in batches of columns."""

    def rows(self, kind: str, keys: Sequence[str]) -> pl.DataFrame:
        """The rows with these stored keys, in key order; keys that are not there are left out."""

    def trace(
        self,
        start: Sequence[str],
        along: str,
        direction: Direction,
        depth: int | None = None,
        allowed: Allowed | None = None,
    ) -> pl.DataFrame:
        """Walk an edge kind from natural keys `start`; gives `key` (a natural key reached) and `depth` (at first).

        The starts have depth 0. "out" goes from the relation's start field to its end field, "in" the other way. In
        order of depth, then key. `allowed` says at every hop which edges may be walked: it is given their stored keys
        and answers with as many booleans.
        """


class Store(Protocol):
    """Where the graph is kept.

    Loads of many commits run under `writing`, so that they never interleave: an unfinished load is always the tail of
    the journal, and `Head.visible` is simply the newest revision whose commit was the last of its load. Logs, blobs and
    secrets need no `writing`: they wait for one commit of a load at most.
    """

    url: str
    snapshots: Path
    """Folder for the memory-mapped snapshots of this store, on this machine."""
    remote: bool
    """Whether it is reached over a network: then it is followed in the background, and checkpoints are kept in it."""

    def writing(
        self, timeout: float = 300.0, waiting: Callable[[], None] | None = None
    ) -> AbstractContextManager[None]:
        """The write lock, first come first served across processes; re-entrant in a thread.

        `waiting` is called once if somebody else has it. Raises Busy after `timeout` seconds. A dead holder's lock is
        free at once.
        """

    def commit(self, changes: ChangeSet, *, expect: int | None = None, leaves: Sequence[bytes] = ()) -> int:
        """Apply atomically (deletes, then puts) and append to the journal; returns the revision.

        The same id with the same content returns the first revision; with other content it raises Conflict
        (`commit.id_reused`). Raises Conflict when `expect` is not the newest revision (`commit.expected`), when another
        load is unfinished (`load.unfinished`), and when rows to be deleted are still referred to
        (`delete.referred`, the referrers listed). An empty change set makes no revision, unless it is the last of an
        unfinished load, and returns the newest. `leaves` go to the log "audit" in the same transaction. Raises
        ValueError when two rows put have one key, and when a commit that is not the last of its load names no load.
        """

    def head(self) -> Head:
        """How far the journal is."""

    def read(self) -> AbstractContextManager[Session]:
        """A session pinned to the newest revision."""

    def journal(self, since: int = 0, until: int | None = None) -> Iterator[Commit]:
        """Commits after `since` (up to `until`, included), oldest first."""

    def restore(self, commit: Commit, leaves: Sequence[bytes] = ()) -> None:
        """Append a commit of another store as it was (number, time, digest, payload, redactions), and do what it does.

        Nothing happens when it is there already. Raises Conflict (`restore.differs`) when it does not continue this
        store's journal. Whether others refer to what it deletes was looked at when it was committed; where rows were
        taken out of the past, it cannot be told again.
        """

    def redactions(self) -> list[Redaction]:
        """All that was taken out of the journal, in the order in which it was."""

    def redact(self, changed: Sequence[tuple[Redaction, bytes]], leaves: Sequence[bytes]) -> None:
        """Put other payloads in the place of those that the redactions name, and note them, atomically.

        All are of one erasure; one that was done already is not done again. Those of no rows are not noted: such a
        payload is only written otherwise. `leaves` go to the log "audit". The caller
        holds the write lock; `chaingraph.store.erasing` is who calls this.
        """

    def scrub(self) -> None:
        """Overwrite what is left, in the store's files, of rows that are gone, as far as the store can.

        Raises Busy when others who read keep it from that.
        """

    def append(self, log: str, leaves: Sequence[bytes]) -> int:
        """Append leaves to a log; returns the log's new length."""

    def leaves(self, log: str, since: int = 0) -> Iterator[bytes]:
        """The leaves of a log from number `since`."""

    def blob(self, name: str) -> bytes | None:
        """A stored blob, None when there is none of that name."""

    def put_blob(self, name: str, data: bytes) -> None:
        """Store a blob under a name, in place of an older one."""

    def secret(self, name: str, value: bytes | None = None) -> bytes:
        """32 random bytes made at first use and kept with the store: keys for hashing personal data, ties, cursors.

        `value`, of another store that is copied, is kept in their place where there are none yet.
        """

    def names(self, of: Named) -> list[str]:
        """The names of all logs, blobs or secrets, sorted."""

    def close(self) -> None:
        """Let go of everything."""
