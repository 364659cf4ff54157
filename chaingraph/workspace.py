"""The one door to the graph: what a viewer sees, and changes."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import polars as pl

from chaingraph.actor import EVERYBODY
from chaingraph.audit.entries import LOG as AUDIT
from chaingraph.audit.entries import Entry
from chaingraph.changes import COMMIT_ROWS, ChangeSet
from chaingraph.checkpoint import Keeper
from chaingraph.errors import ChaingraphError
from chaingraph.following import EVERY, Follower, digest_at
from chaingraph.register import Register
from chaingraph.snapshot import Snapshot
from chaingraph.store import Store, open_store
from chaingraph.store.base import Direction
from chaingraph.view import View
from schema import KINDS, kind

LOG = logging.getLogger(__name__)


KEPT, WARMED = 64, 8
"""Views kept of one snapshot, and how many of those asked last are made of the next before it is shown."""


@dataclass(frozen=True, slots=True)
class Views:
    """The views of one snapshot, by viewer and purpose."""

    of: Snapshot
    made: OrderedDict[tuple[str, str], View]
    """Those asked last stand last; there are at most `KEPT`."""


class Workspace:
    """A consortium's graph, open for reading and changing. Threads may share one; `close` it at the end."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.register = Register(store)
        self._graph = Follower(store)
        self._checkpoints = Keeper(store, lambda revision: digest_at(store, revision))
        self._lock = threading.Lock()
        self._views = Views(Snapshot.empty(), OrderedDict())
        self._next = self._views
        self._pseudonyms: bytes | None = None

    @classmethod
    def open(cls, url: str, *, lazy: bool = False) -> Workspace:
        """The workspace on the store at `url`, made if it is not there; `lazy` reaches a remote one at first use.

        Raises StoreError.
        """
        return cls(open_store(url, lazy=lazy))

    def close(self) -> None:
        """Let go of the store; what follows it in the background ends."""
        self._graph.stop()
        self.store.close()
        self._graph.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._graph.keep()
        self.close()

    def start_following(self, every: float = EVERY) -> None:
        """Follow the store in the background from now on: then no view waits for the network, and what others commit is
        seen within a second. For a store on this machine there is no need of it.
        """
        self._graph.start(every, self._prepare)

    def wait(self, seconds: float) -> bool:
        """Whether the graph has been read, or is within so many seconds. Raises StoreError for a store that answers and
        cannot be used.
        """
        return self._graph.wait(seconds)

    def snapshot(self) -> Snapshot:
        """The graph as last followed."""
        return self._graph.last()

    def follow(self) -> bool:
        """Take in what has been committed since; true when there was anything. Whole loads only."""
        return self._graph.follow()

    def view(self, viewer: str = EVERYBODY, purpose: str = "quality", at: dt.datetime | None = None) -> View:
        """What `viewer` (an organisation's id) may see for a purpose at a time, of the newest revision.

        Raises StoreError; Unavailable when a store that is followed in the background has not answered for a while.
        """
        snapshot = self._graph.now()
        if at is not None:
            return View(snapshot, viewer, purpose, at, secret=self._secret())
        slot = (viewer, purpose)
        with self._lock:
            if snapshot is not self._views.of:
                self._views = self._next if snapshot is self._next.of else Views(snapshot, OrderedDict())
            made = self._views.made.get(slot)
            if made is None or (made.until is not None and made.until <= dt.datetime.now(dt.UTC)):
                made = self._views.made[slot] = View(snapshot, viewer, purpose, secret=self._secret())
            self._views.made.move_to_end(slot)
            while len(self._views.made) > KEPT:
                self._views.made.popitem(last=False)
            return made

    def _secret(self) -> bytes:
        """What keys the pseudonyms, asked of the store once."""
        if self._pseudonyms is None:
            self._pseudonyms = self.store.secret("pseudonyms")
        return self._pseudonyms

    def _prepare(self, snapshot: Snapshot) -> None:
        """Make the views of a snapshot before it is shown, as far as those of the one before were asked."""
        with self._lock:
            asked = dict(list(self._views.made.items())[-WARMED:])
        views = OrderedDict((slot, View(snapshot, *slot, secret=self._secret())) for slot in asked)
        for slot, view in views.items():
            view.warm(asked[slot])
        self._next = Views(snapshot, views)

    def trace(
        self, view: View, start: Sequence[str], along: str, direction: Direction = "out", depth: int | None = None
    ) -> pl.DataFrame:
        """Walk an edge kind in the store from natural keys `start`, over edges that the view has; see `Session.trace`.

        The store is walked for who sees everything. Other viewers walk their view, in which firms may have pseudonyms;
        so does everybody where the store has moved on and edges of the kind may have gone meanwhile. Raises StoreError.
        """
        if view.viewer == EVERYBODY:
            with self.store.read() as session:
                if not self._lost(view, along, session.revision):
                    return session.trace(start, along, direction, depth, lambda keys: view.has(along, keys))
        return view.walk(start, along, direction, depth)

    def _lost(self, view: View, kind: str, revision: int) -> bool:
        """Whether rows that the view has may be gone, or changed, at a later revision.

        More commits than a load's first are not read for it: what they hold counts as changed.
        """
        rows = 0
        for commit in self.store.journal(view.revision, revision):
            rows += commit.rows
            changes = commit.changes([kind]) if rows <= COMMIT_ROWS else None
            if changes is None or kind in changes.delete:
                return True
            if kind in changes.put and view.has(kind, changes.put[kind]["key"]).any():
                return True
        return revision < view.revision

    @contextmanager
    def writing(self, timeout: float = 300.0, waiting: Callable[[], None] | None = None) -> Iterator[Snapshot]:
        """Hold the write lock and work on the newest snapshot; what an interrupted load left behind is taken back
        first.

        If the block fails in the middle of a load, its commits so far are taken back too: a load is taken whole or
        not at all. Where that fails as well, the next to write takes them back. Raises Busy when somebody else writes
        for longer than `timeout` seconds.
        """
        with self.store.writing(timeout, waiting):
            self._graph.follow()
            self._take_back()
            try:
                yield self._graph.last()
            except BaseException:
                try:
                    self._take_back()
                except ChaingraphError as error:
                    LOG.warning("an unfinished load could not be taken back yet: %s", error)
                raise
            finally:
                self._graph.written()
            if self.store.remote:
                self._checkpoints.keep(self._graph.last())

    def submit(
        self,
        changes: ChangeSet | Iterable[ChangeSet],
        committed: Callable[[int], None] | None = None,
        entries: Sequence[Entry] = (),
    ) -> int:
        """Commit a change set, or the change sets of one load one after another; returns the newest revision.

        `committed` is told the number of rows after each; `entries` go to the audit log in the transaction that makes
        the change visible. Raises Conflict as `Store.commit` does; a load that fails is taken back.
        """
        with self.writing():
            revision = self.store.head().revision
            for each in [changes] if isinstance(changes, ChangeSet) else changes:
                revision = self.store.commit(each, leaves=[entry.leaf() for entry in entries] if each.last else ())
                if committed is not None:
                    committed(each.size)
            return revision

    def record(self, entries: Sequence[Entry]) -> None:
        """Write entries to the audit log: what was read, before the answer leaves. Raises StoreError."""
        if entries:
            self.store.append(AUDIT, [entry.leaf() for entry in entries])

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
