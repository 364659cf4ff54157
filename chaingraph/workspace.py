"""The one door to the graph: what a viewer sees, and changes."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

import polars as pl

from chaingraph.changes import COMMIT_ROWS, ChangeSet
from chaingraph.snapshot import Snapshot
from chaingraph.store import Store, open_store
from chaingraph.view import EVERYBODY, View
from schema import KINDS, kind

LOG = logging.getLogger(__name__)

REPLAY_ROWS = 20_000
"""When more rows than this had to be replayed, the snapshot is written to disk so that the next start need not."""


class Workspace:
    """A consortium's graph, open for reading and changing. Threads may share one; `close` it at the end."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._replayed = 0
        self._views: dict[tuple[str, str], View] = {}

    @classmethod
    def open(cls, url: str) -> Workspace:
        """The workspace on the store at `url`, made if it is not there. Raises StoreError."""
        return cls(open_store(url))

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def snapshot(self) -> Snapshot:
        """The graph as last followed."""
        with self._lock:
            if self._snapshot is None:
                self.follow()
            assert self._snapshot is not None
            return self._snapshot

    def follow(self) -> bool:
        """Take in what has been committed since; true when there was anything. Whole loads only."""
        with self._lock:
            head = self.store.head()
            if self._snapshot is None:
                self._snapshot = Snapshot.newest(self.store.snapshots, head.visible, self._digest)
            if self._snapshot.revision >= head.visible:
                return False
            commits = list(self.store.journal(self._snapshot.revision, head.visible))
            self._snapshot = self._snapshot.apply(commits)
            self._replayed += sum(c.rows for c in commits)
            self._views.clear()
            if self._replayed > REPLAY_ROWS:
                try:
                    self._snapshot = self._snapshot.write(self.store.snapshots)
                except OSError as error:  # a full or read-only disk: the next start is slower, no answer is wrong
                    LOG.warning("the snapshot could not be written: %s", error)
                self._replayed = 0
            return True

    def _digest(self, revision: int) -> bytes | None:
        found = next(iter(self.store.journal(revision - 1, revision)), None)
        return None if found is None else found.digest

    def view(self, viewer: str = EVERYBODY, purpose: str = "quality", at: dt.datetime | None = None) -> View:
        """What `viewer` (an organisation's id) may see for a purpose at a time, of the newest revision."""
        with self._lock:
            self.follow()
            snapshot = self.snapshot()
            if at is not None:
                return View(snapshot, viewer, purpose, at)
            slot = (viewer, purpose)
            if slot not in self._views:
                self._views[slot] = View(snapshot, viewer, purpose)
            return self._views[slot]

    @contextmanager
    def writing(self, timeout: float = 300.0, waiting: Callable[[], None] | None = None) -> Iterator[Snapshot]:
        """Hold the write lock and work on the newest snapshot; what an interrupted load left behind is taken back
        first.

        If the block fails in the middle of a load, its commits so far are taken back too: a load is taken whole or
        not at all. Raises Busy when somebody else writes for longer than `timeout` seconds.
        """
        with self.store.writing(timeout, waiting):
            self.follow()
            self._take_back()
            try:
                yield self.snapshot()
            except BaseException:
                self._take_back()
                raise
            finally:
                self.follow()

    def submit(self, changes: ChangeSet | Iterable[ChangeSet], committed: Callable[[int], None] | None = None) -> int:
        """Commit a change set, or the change sets of one load one after another; returns the newest revision.

        `committed` is told the number of rows after each. Raises Conflict as `Store.commit` does; a load that fails is
        taken back.
        """
        with self.writing():
            revision = self.store.head().revision
            for each in [changes] if isinstance(changes, ChangeSet) else changes:
                revision = self.store.commit(each)
                if committed is not None:
                    committed(each.size)
            return revision

    def _take_back(self) -> None:
        """Undo what an unfinished load has committed: the visible snapshot still has every row as it was before."""
        head = self.store.head()
        if head.open_load is None:
            return
        touched: dict[str, list[pl.Series]] = {}
        parts = 0
        for commit in self.store.journal(head.visible):
            changes = commit.changes(None)
            parts = commit.part + 1
            for name, rows in changes.put.items():
                touched.setdefault(name, []).append(rows["key"])
            for name, keys in changes.delete.items():
                touched.setdefault(name, []).append(keys)
        before = self.snapshot()
        put, delete = {}, {}
        for name, series in touched.items():
            every = pl.concat(series).unique()
            put[name] = before.table(name).join(every.to_frame("key"), on="key", how="semi", maintain_order="left")
            delete[name] = every.to_frame("key").join(put[name].select("key"), on="key", how="anti")["key"].sort()
        for each in load_run(put, delete, by="", load=head.open_load, part=parts):
            self.store.commit(each)


def load_run(
    put: Mapping[str, pl.DataFrame], delete: Mapping[str, pl.Series], *, by: str, load: str, part: int = 0
) -> Iterator[ChangeSet]:
    """A load as change sets of at most COMMIT_ROWS rows: things before what refers to them, deletions last and
    backwards.

    Gives at least one change set, the last of which makes the load visible.
    """
    pieces: list[tuple[str, bool, int, int]] = []
    for name in KINDS:
        pieces += [(name, True, at, COMMIT_ROWS) for at in range(0, len(put.get(name, ())), COMMIT_ROWS)]
    for name in reversed(KINDS):
        pieces += [(name, False, at, COMMIT_ROWS) for at in range(0, len(delete.get(name, ())), COMMIT_ROWS)]
    batches: list[tuple[dict[str, pl.DataFrame], dict[str, pl.Series]]] = [({}, {})]
    room = COMMIT_ROWS
    for name, is_put, at, length in pieces:
        rows = put[name].slice(at, length) if is_put else None
        keys = None if is_put else delete[name].slice(at, length)
        size = len(rows) if rows is not None else len(keys) if keys is not None else 0
        if size > room:
            batches.append(({}, {}))
            room = COMMIT_ROWS
        if rows is not None:
            batches[-1][0][name] = rows.select(kind(name).schema.keys())
        elif keys is not None:
            batches[-1][1][name] = keys
        room -= size
    for number, (puts, deletes) in enumerate(batches):
        last = number == len(batches) - 1
        yield ChangeSet(put=puts, delete=deletes, by=by, load=load, part=part + number, last=last)
