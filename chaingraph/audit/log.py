"""The audit log of a store: entries of several at once go into one transaction; the newest are kept for reading."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import polars as pl

from chaingraph.audit.checkpoints import Signer, note
from chaingraph.audit.entries import LOG, Entry
from chaingraph.audit.tree import Frontier
from chaingraph.store import Store

MOST = 200_000
"""So many entries, the newest, are kept in memory for reading; all are in an exported log."""
PIECE = 20_000
"""Leaves that are taken in at a time."""
CHUNKS = 64
"""More pieces than this are put together, so that looking through them stays quick."""

_SAID = pl.Struct(
    {"action": pl.String(), "organisation": pl.String(), "at": pl.String(), "owners": pl.List(pl.String())}
)
_AT = "%Y-%m-%dT%H:%M:%S%.6fZ"
SCHEMA = {
    "number": pl.Int64(), "at": pl.Datetime("us", "UTC"), "action": pl.String(), "organisation": pl.String(),
    "owners": pl.List(pl.String()), "leaf": pl.String(),
}  # fmt: skip


@dataclass
class _Batch:
    """Entries that go into one transaction."""

    entries: list[Entry] = field(default_factory=list)
    done: bool = False
    error: Exception | None = None


class AuditLog:
    """A store's audit log. Threads may share one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._gathering = threading.Lock()
        self._turn = threading.Lock()
        self._open = _Batch()
        self._reading = threading.Lock()
        self._frontier = Frontier()
        self._newest = pl.DataFrame(schema=SCHEMA)

    def write(self, entries: Sequence[Entry]) -> None:
        """Append entries; they are on the disk when this returns. Raises StoreError.

        While one transaction is on its way, what others write gathers for the next: a disk that takes 5 ms for a
        transaction is no bound on how many requests a second are logged.
        """
        if not entries:
            return
        with self._gathering:
            batch = self._open
            batch.entries += entries
        with self._turn:
            if not batch.done:
                with self._gathering:
                    self._open = _Batch()
                try:
                    self._store.append(LOG, [entry.leaf() for entry in batch.entries])
                except Exception as error:  # noqa: BLE001 - told to each of those whose entries they are
                    batch.error = error
                batch.done = True
        if batch.error is not None:
            raise batch.error

    def newest(self) -> pl.DataFrame:
        """The newest entries with their numbers, oldest first: `SCHEMA`, `leaf` being the whole entry.

        What was appended since the last call is read; nothing else is. Raises StoreError.
        """
        with self._reading:
            self._follow()
            return self._newest

    def checkpoint(self) -> str:
        """A signed checkpoint of the log as it is now. Raises StoreError."""
        with self._reading:
            self._follow()
            return note(Signer.of(self._store), self._frontier)

    def _follow(self) -> None:
        leaves = self._store.leaves(LOG, self._frontier.size)
        while piece := list(islice(leaves, PIECE)):
            first = self._frontier.size
            self._frontier.extend(piece)
            rows = pl.DataFrame({"leaf": pl.Series(piece, dtype=pl.Binary).cast(pl.String)}).with_row_index("_at")
            said = rows.with_columns(pl.col("leaf").str.json_decode(_SAID).alias("said")).unnest("said")
            rows = said.with_columns(
                number=pl.col("_at").cast(pl.Int64) + first,
                at=pl.col("at").str.to_datetime(_AT, time_unit="us", time_zone="UTC"),
            )
            grown = pl.concat([self._newest, rows.select(SCHEMA.keys())], rechunk=False).tail(MOST)
            self._newest = grown.rechunk() if grown.n_chunks() > CHUNKS else grown
