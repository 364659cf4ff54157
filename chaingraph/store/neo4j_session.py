"""Reading a Neo4j database as of one revision: rows as columns, walks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import neo4j
import polars as pl

from chaingraph.store import cypher, migration
from chaingraph.store.base import Allowed, Direction
from chaingraph.store.neo4j_link import READ, Link, records
from chaingraph.store.walking import STEP, walk
from schema import KINDS
from schema.core import Kind

if TYPE_CHECKING:
    from chaingraph.snapshot import Snapshot
    from chaingraph.store.base import Store

LOCKED = "MATCH (h:JournalHead) SET h.version = h.version WITH count(*) AS locked MATCH (h:JournalHead)"
"""Waits for the head's node, which every commit holds until it is done, and then looks at it."""


class Neo4jSession:
    """A read pinned to one revision.

    Neo4j itself shows every transaction what others have just committed. So a read holds the head's node, which every
    commit needs, and looks whether the head is still the session's: then the graph is what it should be. Once it has
    moved, the session answers from the journal.
    """

    def __init__(self, store: Store, link: Link, revision: int) -> None:
        self.revision = revision
        self._store = store
        self._link = link

    def scan(self, kind: str, batch: int = 50_000) -> Iterator[pl.DataFrame]:
        """All rows of a kind in key order, in batches of columns."""
        of, after = KINDS[kind], ""
        while True:
            found = self._live(cypher.scan(of), after=after, batch=batch)
            if found is None:
                yield from self._table(of).filter(pl.col("key") > after).iter_slices(batch)
                return
            if found:
                rows = frame(of, found)
                after = rows["key"][-1]
                yield rows
            if len(found) < batch:
                return

    def rows(self, kind: str, keys: Sequence[str]) -> pl.DataFrame:
        """The rows with these stored keys, in key order."""
        of = KINDS[kind]
        wanted = pl.Series("key", keys, dtype=pl.String).unique().sort()
        found = self._live(cypher.rows(of), keys=wanted.to_list())
        if found is None:
            return self._table(of).join(wanted.to_frame(), on="key", how="semi", maintain_order="left")
        return frame(of, found).sort("key")

    def trace(
        self,
        start: Sequence[str],
        along: str,
        direction: Direction,
        depth: int | None = None,
        allowed: Allowed | None = None,
    ) -> pl.DataFrame:
        """Walk an edge kind; see `Session.trace`. By the database alone, or hop by hop where `allowed` is asked."""
        of = KINDS[along]
        cypher.relation(of)
        if allowed is None:
            found = self._live(cypher.walk(of, direction, depth), start=list(start))
            if found is not None:
                columns = {"key": pl.String(), "depth": pl.Int64()}
                starts = pl.DataFrame({"key": pl.Series(start, dtype=pl.String), "depth": 0}, schema=columns)
                reached = pl.DataFrame(found, schema=columns, orient="row")
                every = pl.concat([starts, reached]).group_by("key").agg(pl.col("depth").min())
                return every.sort("depth", "key")
        return walk(lambda frontier: self._step(of, direction, frontier), start, depth, allowed)

    def _step(self, of: Kind, direction: Direction, frontier: pl.Series) -> pl.DataFrame:
        found = self._live(cypher.step(of, direction), keys=frontier.to_list())
        if found is not None:
            return pl.DataFrame(found, schema=STEP, orient="row")
        drawn = cypher.relation(of)
        here, there = (drawn.start, drawn.end) if direction == "out" else (drawn.end, drawn.start)
        edges = self._table(of).select("key", here=pl.col(here), there=pl.col(there))
        return edges.join(frontier.alias("here").to_frame(), on="here", how="semi")

    @cached_property
    def _past(self) -> Snapshot:
        from chaingraph.following import snapshot_at

        return snapshot_at(self._store, self.revision)

    def _table(self, of: Kind) -> pl.DataFrame:
        return self._past.table(of.name)

    def _live(self, text: str, **parameters: Any) -> list[list[Any]] | None:
        """The rows that a statement gives of the graph, None when that has moved on."""
        if "_past" in self.__dict__:
            return None

        async def work(tx: neo4j.AsyncManagedTransaction) -> list[list[Any]] | None:
            ((revision, version),) = await records(tx, f"{LOCKED} RETURN h.revision, h.version", {})
            if version > migration.VERSION:
                raise migration.newer(self._store.url, version)
            if revision != self.revision:
                return None
            return [row for (rows,) in await records(tx, text, parameters) for row in rows]

        return self._link.write(work, READ)


def frame(of: Kind, rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Rows of the database as columns of the kind: days came as text, moments as microseconds."""
    if not rows:
        return of.empty()
    columns = []
    for (name, dtype), values in zip(of.schema.items(), zip(*rows, strict=True), strict=True):
        if dtype == pl.Date:
            columns.append(pl.Series(name, values, pl.String).str.to_date("%Y-%m-%d"))
        else:
            stored = pl.Int64() if isinstance(dtype, pl.Datetime) else dtype
            columns.append(pl.Series(name, values, stored).cast(dtype))
    return pl.DataFrame(columns)
