"""The graph of a store in memory: the snapshot of a revision, from the nearest one that is kept and the journal."""

from __future__ import annotations

from chaingraph.snapshot import Snapshot
from chaingraph.store.base import Store


def snapshot_at(store: Store, revision: int) -> Snapshot:
    """The graph as it was at a revision, also in the middle of a load. Raises StoreError."""
    start = newest(store, revision)
    return start if start.revision == revision else start.apply(store.journal(start.revision, revision))


def newest(store: Store, limit: int) -> Snapshot:
    """The newest snapshot that is kept of the store's graph, of at most revision `limit`; the empty one if none is."""
    return Snapshot.newest(store.snapshots, limit, lambda revision: digest_at(store, revision))


def digest_at(store: Store, revision: int) -> bytes | None:
    """The journal's digest at a revision, None if it does not reach there."""
    found = next(iter(store.journal(revision - 1, revision)), None)
    return None if found is None else found.digest
