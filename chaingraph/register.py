"""Small records that are no part of the graph: tokens, accounts, invitations, released benchmarks.

They stand beside the journal, not in it: what is taken out of a record is gone.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

from chaingraph.store import Store

PREFIX = "register/"
FRESH = 1.0
"""For so many seconds a record of a remote store is believed without asking again."""


class Register:
    """Records (JSON objects) by collection and name, in a store. Threads may share one.

    Where a record depends on what it was, hold `Workspace.writing` while it is read and written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, Any] | None]] = {}

    def get(self, collection: str, name: str, *, fresh: bool = False) -> dict[str, Any] | None:
        """A record, None where there is none; of a remote store as it was within the last second, unless `fresh`."""
        slot = f"{PREFIX}{collection}/{name}"
        if fresh:
            return self._read(slot)
        with self._lock:
            when, kept = self._kept.get(slot, (0.0, None))
        if self._store.remote and time.monotonic() - when < FRESH:
            return kept
        return self._read(slot)

    def put(self, collection: str, name: str, record: dict[str, Any] | None) -> None:
        """Write a record in place of what is there; None takes it out."""
        slot = f"{PREFIX}{collection}/{name}"
        self._store.put_blob(slot, json.dumps(record, sort_keys=True, ensure_ascii=False).encode())
        with self._lock:
            self._kept.pop(slot, None)

    def all(self, collection: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The records of a collection by name, sorted."""
        start = f"{PREFIX}{collection}/"
        for slot in self._store.names("blob"):
            if slot.startswith(start) and (found := self._read(slot)) is not None:
                yield slot.removeprefix(start), found

    def _read(self, slot: str) -> dict[str, Any] | None:
        stored = self._store.blob(slot)
        found = None if stored is None else json.loads(stored)
        with self._lock:
            self._kept.pop(slot, None)
            if found is not None:  # nothing is remembered of names that somebody guessed
                self._kept[slot] = (time.monotonic(), found)
        return found
