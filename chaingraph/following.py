"""The graph of a store in memory: the snapshot of a revision, and one that is kept up to date.

A remote store is followed in the background: one thread looks at its head, another takes in what is new, and whoever
asks for the graph gets the newest snapshot at once or is told that the store does not answer.
"""

from __future__ import annotations

import contextlib
import logging
import math
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from chaingraph import checkpoint
from chaingraph.changes import chained
from chaingraph.errors import ChaingraphError, StoreError, Unavailable
from chaingraph.snapshot import Snapshot, erasures
from chaingraph.store.base import Commit, Head, Store
from chaingraph.store.refusals import known, redacted
from schema.text import Text

LOG = logging.getLogger(__name__)

REPLAY_ROWS = 20_000
"""When more rows than this had to be replayed, the snapshot is written to disk so that the next start need not."""
EVERY = 0.2
"""Seconds between looks at the head of a remote store: what others commit is seen within a second."""
REFUSED = 5.0
"""Seconds until the next look at a store that answers and refuses: a wrong password is not tried again and again."""
STALE = 1.5
"""After so many seconds without an answer of a remote store its graph is not shown any more."""


def snapshot_at(store: Store, revision: int) -> Snapshot:
    """The graph as it was at a revision, also in the middle of a load. Raises StoreError, with `journal.redacted` where
    rows that the graph may have had then were erased since.
    """
    while True:
        erased, redactions = store.head().erased, store.redactions()
        if not known(redactions, revision):
            raise redacted(redactions, revision)
        start = newest(store, revision)
        if start.revision == revision:
            return start
        with again(store, erased):
            found = start.apply(store.journal(start.revision, revision))
            if store.head().erased == erased:
                return found


@contextlib.contextmanager
def again(store: Store, erased: int) -> Iterator[None]:
    """What the journal refuses because rows are being erased just now is not raised: it is to be tried again."""
    try:
        yield
    except StoreError:
        if store.head().erased == erased:
            raise


def newest(store: Store, limit: int) -> Snapshot:
    """The newest snapshot that is kept of the store's graph, of at most revision `limit`; the empty one if none is.

    One in the store itself (see `checkpoint`) is taken where it is so much newer than the one on this machine that
    reading it is quicker than replaying the commits between the two. One that still has rows erased since is not.
    """
    redactions = store.redactions()

    def digest(revision: int) -> bytes | None:
        return digest_at(store, revision) if known(redactions, revision) else None

    local = Snapshot.newest(store.snapshots, limit, digest, len(redactions))
    tried = None
    while store.remote and local.revision < limit:
        found = checkpoint.manifest(store, digest)
        if found is None or found == tried or not local.revision < found.revision <= limit:
            break
        between = sum(commit.rows for commit in store.journal(local.revision, found.revision))
        if local.revision and between * checkpoint.SHARE < found.rows:
            break
        taken = checkpoint.read(store, found, digest(found.revision) or b"")
        if taken is not None:
            return taken
        tried = found  # it may have been written anew meanwhile
        LOG.warning("the checkpoint of %s at revision %s is not whole", store.url, found.revision)
    return local


def clear(store: Store) -> None:
    """Remove from this machine the snapshots from before the last erasure, and unfinished drafts."""
    erased = store.head().erased
    for folder in store.snapshots.iterdir() if erased and store.snapshots.is_dir() else ():
        if folder.name.startswith(".") or erasures(folder) < erased:
            shutil.rmtree(folder, ignore_errors=True)


def digest_at(store: Store, revision: int) -> bytes | None:
    """The journal's digest at a revision, None if it does not reach there."""
    found = next(iter(store.journal(revision - 1, revision)), None)
    return None if found is None else found.digest


class Moved(Exception):
    """The journal does not go on from the snapshot: the store was set back to another past, from a backup."""


class Follower:
    """The newest snapshot of a store's graph. Threads may share one.

    Whole loads only. `start` has the store followed in the background; then `now` never waits. A snapshot is made while
    the one before it is still answered from.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._prepare: Callable[[Snapshot], None] | None = None
        self._following = threading.Lock()
        """Held by whoever takes in what is new."""
        self._snapshot: Snapshot | None = None
        self._replayed = 0
        self._erased = 0
        """How many redactions have been seen."""
        self._owes = False
        """A write of this process has not been read back."""
        self._heard = -math.inf
        """When the store last answered and nothing kept the graph from being up to date."""
        self._behind: Exception | None = None
        self._told = ""
        self._refusal: ChaingraphError | None = None
        self._threads: list[threading.Thread] = []
        self._keeping: threading.Thread | None = None
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._first = threading.Event()
        """Set when there is a snapshot, or a refusal."""

    def now(self) -> Snapshot:
        """The newest snapshot. Where the store is followed in the background nobody waits for it; else it is followed.

        Raises StoreError; from the background Unavailable, when the store has not answered for STALE seconds, when its
        graph has not been read yet, and when this process's own last write has not been read back.
        """
        if not self._threads:
            self.follow()
        elif time.monotonic() - self._heard > STALE:
            raise Unavailable(
                "store.unreachable",
                Text("存储没有应答。", "The store does not answer."),
                Text("请稍后重试。", "Try again in a few seconds."),
            ) from self._behind
        elif self._snapshot is None or self._owes:
            raise Unavailable(
                "store.starting",
                Text("正在读取图谱。", "The graph is being read."),
                Text("请稍后重试。", "Try again in a few seconds."),
            )
        assert self._snapshot is not None
        return self._snapshot

    def last(self) -> Snapshot:
        """The snapshot as last followed."""
        return self.now() if self._snapshot is None else self._snapshot

    def follow(self) -> bool:
        """Take in what has been committed since; true when the snapshot is another one now. Raises StoreError."""
        with self._following:
            before = self._snapshot
            after = self._newest(before)
            if before is not None and after is not before:
                after.warm(before)
            self._show(after)
            self._heard, self._behind, self._owes = time.monotonic(), None, False
            self._first.set()
            if self._threads:
                self._write_later(after)
            elif not self._store.remote:
                self._write()
            return after is not before

    def written(self) -> None:
        """Follow after a write of this process. Should that fail, the write was done all the same: nothing is raised,
        but the background shows nothing until it succeeds.
        """
        try:
            self.follow()
        except ChaingraphError as error:
            self._owes = True
            LOG.warning("what was written could not be read back: %s", error)

    def start(self, every: float, prepare: Callable[[Snapshot], None]) -> None:
        """Follow in the background, with a look at the head every so many seconds, until `stop`.

        `prepare` is called with each new snapshot before it takes the place of the one before.
        """
        if not self._threads:
            self._prepare = prepare
            self._threads = [
                threading.Thread(target=self._poll, args=(every,), name="store-poll", daemon=True),
                threading.Thread(target=self._replay, name="store-replay", daemon=True),
            ]
            for thread in self._threads:
                thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until the graph has been read for the first time, for so many seconds at most; whether it has.

        Raises the StoreError of a store that answers and cannot be used: a wrong password, a newer schema.
        """
        self._first.wait(seconds)
        if self._snapshot is None and self._refusal is not None:
            raise self._refusal
        return self._snapshot is not None

    def stop(self) -> None:
        """Have the background end; `join` waits for it, and closing the store before that cuts its waiting short."""
        self._stopping.set()
        self._news.set()

    def join(self) -> None:
        """Wait until the background has ended."""
        for thread in (*self._threads, self._keeping):
            if thread is not None:
                thread.join()
        self._prepare = None

    def keep(self) -> None:
        """Write the snapshot to disk if the next start would have much to replay.

        Where a remote store is not followed in the background this is put off to the end, so that no answer waits for
        it.
        """
        if not self._threads:
            with self._following:
                self._write()

    def _write(self) -> None:
        snapshot = self._snapshot
        if snapshot is not None and self._replayed > REPLAY_ROWS:
            self._show(self._written(snapshot, self._erased))
            self._replayed = 0

    def _write_later(self, snapshot: Snapshot) -> None:
        """Write a snapshot to disk in a thread of its own: it takes seconds, and others' commits come meanwhile."""
        busy = self._keeping is not None and self._keeping.is_alive()
        if not busy and self._replayed > max(REPLAY_ROWS, snapshot.size // checkpoint.SHARE):
            self._replayed = 0
            given = (snapshot, self._erased)
            self._keeping = threading.Thread(target=self._write_now, args=given, name="store-keep", daemon=True)
            self._keeping.start()

    def _write_now(self, snapshot: Snapshot, erased: int) -> None:
        written = self._written(snapshot, erased)
        with self._following:
            if self._snapshot is snapshot and not self._stopping.is_set():
                self._show(written)

    def _written(self, snapshot: Snapshot, erased: int) -> Snapshot:
        """The snapshot, which has nothing of so many redactions, as mapped files, if it can be written."""
        try:
            written = snapshot.write(self._store.snapshots, erased)
            if self._store.head().erased != erased:
                clear(self._store)  # it may have rows that were erased meanwhile
            return written
        except (
            OSError,
            ChaingraphError,
        ) as error:  # a full or read-only disk: the next start is slower, no answer is wrong
            LOG.warning("the snapshot could not be written: %s", error)
            return snapshot

    def _show(self, snapshot: Snapshot) -> None:
        if self._prepare is not None:
            self._prepare(snapshot)
        self._snapshot = snapshot

    def _newest(self, before: Snapshot | None) -> Snapshot:
        """The snapshot at the head as it is now. Where rows were erased, what this machine keeps of them goes."""
        while True:
            head = self._store.head()
            if head.erased != self._erased:
                clear(self._store)
                if before is not None and not known(self._store.redactions(), before.revision):
                    before = None
            with again(self._store, head.erased):
                found = self._newer(before, head)
                if found is before or self._store.head().erased == head.erased:
                    if head.erased == self._erased:
                        return found
                    self._replayed += found.size if found.folder is None else 0  # so that it is written anew
                    self._erased = head.erased
                    return found if found.folder is not None and found is not before else found.own()

    def _newer(self, before: Snapshot | None, head: Head) -> Snapshot:
        """The snapshot at the head: the one before where nothing is new, else that and the commits since."""
        if before is not None and _continues(before, head):
            if before.revision == head.visible:
                return before
            commits = self._counted(self._store.journal(before.revision, head.visible))
            with contextlib.suppress(Moved):
                return before.apply(_chain(before.digest, commits))
        start = newest(self._store, head.visible)
        if start.folder is None:
            self._replayed += start.size
        if start.revision == head.visible:
            return start
        return start.apply(self._counted(self._store.journal(start.revision, head.visible)))

    def _counted(self, commits: Iterable[Commit]) -> Iterator[Commit]:
        for commit in commits:
            if self._stopping.is_set():
                raise Unavailable("store.closed", Text("存储正在关闭。", "The store is being closed."))
            self._replayed += commit.rows
            yield commit

    def _poll(self, every: float) -> None:
        """Look at the head; have what is new taken in."""
        while not self._stopping.is_set():
            pause = every
            try:
                head = self._store.head()
            except Exception as error:  # noqa: BLE001 - told, and tried again
                self._tell(error)
                if not isinstance(error, Unavailable):
                    pause = max(every, REFUSED)
            else:
                snapshot = self._snapshot
                if snapshot is None or self._owes or not self._is_at(snapshot, head):
                    self._news.set()
                else:
                    self._behind = None
                if self._behind is None:
                    self._heard = time.monotonic()
                    self._told = ""
            self._stopping.wait(pause)

    def _replay(self) -> None:
        """Take in what is new, whenever there is something."""
        while True:
            self._news.wait()
            if self._stopping.is_set():
                return
            self._news.clear()
            try:
                self.follow()
            except Exception as error:  # noqa: BLE001 - told, and tried again at the next look
                self._behind = error
                self._tell(error)

    def _is_at(self, snapshot: Snapshot, head: Head) -> bool:
        """Whether a snapshot is what there is to see at the head, and all that was erased is gone."""
        same = snapshot.revision == head.visible and head.erased == self._erased
        return same and _continues(snapshot, head)

    def _tell(self, error: Exception) -> None:
        """Say once what is the matter."""
        if isinstance(error, ChaingraphError) and not isinstance(error, Unavailable) and self._snapshot is None:
            self._refusal = error
            self._first.set()
        if not self._stopping.is_set() and self._told != str(error):
            self._told = str(error)
            known = isinstance(error, ChaingraphError)
            LOG.warning("the store cannot be followed: %s", error, exc_info=None if known else error)


def _continues(snapshot: Snapshot, head: Head) -> bool:
    """Whether the head may be later in the snapshot's own past, as far as the head itself shows."""
    return snapshot.revision <= head.visible and (snapshot.revision < head.revision or snapshot.digest == head.digest)


def _chain(digest: bytes, commits: Iterable[Commit]) -> Iterator[Commit]:
    """The commits, as long as each is chained to the one before; raises Moved."""
    for commit in commits:
        if commit.digest != chained(digest, commit.revision, commit.id, commit.content):
            raise Moved
        digest = commit.digest
        yield commit
