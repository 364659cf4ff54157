"""Reading the SQLite store: rows as columns, walks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import apsw
import polars as pl

from chaingraph.store import statements
from chaingraph.store.base import Allowed, Direction
from chaingraph.store.sqlite_errors import told
from chaingraph.store.walking import STEP, walk
from schema import KINDS
from schema.core import Kind


class SqliteSession:
    """A read transaction: nothing that others write meanwhile is in it."""

    def __init__(self, path: Path, connection: apsw.Connection, revision: int) -> None:
        self._path = path
        self._connection = connection
        self._cursors: list[apsw.Cursor] = []
        self._ready: set[tuple[str, str]] = set()
        self.revision = revision

    def scan(self, kind: str, batch: int = 50_000) -> Iterator[pl.DataFrame]:
        """All rows of a kind in key order, in batches of columns."""
        of = KINDS[kind]
        with told(self._path):
            cursor = self._connection.execute(statements.scan(of))
            self._cursors.append(cursor)
            while found := list(islice(cursor, batch)):
                yield frame(of.schema, found)

    def close(self) -> None:
        """End the scans that nobody read to their end: each would hold the transaction open."""
        for cursor in self._cursors:
            cursor.close(force=True)

    def rows(self, kind: str, keys: Sequence[str]) -> pl.DataFrame:
        """The rows with these stored keys, in key order."""
        of = KINDS[kind]
        with told(self._path):
            pick(self._connection, keys)
            return frame(of.schema, self._connection.execute(statements.rows(of)).fetchall())

    def trace(
        self,
        start: Sequence[str],
        along: str,
        direction: Direction,
        depth: int | None = None,
        allowed: Allowed | None = None,
    ) -> pl.DataFrame:
        """Walk an edge kind level by level; what was seen once is not walked again, so cycles end."""
        of, run = KINDS[along], self._connection
        ready, next_level = statements.walk(of, direction)
        with told(self._path):
            if ready and (along, direction) not in self._ready:
                run.execute(ready)
                self._ready.add((along, direction))
        if allowed is not None:
            return walk(lambda frontier: self._step(of, direction, frontier), start, depth, allowed)
        with told(self._path):
            run.execute("DELETE FROM temp.seen")
            run.executemany("INSERT OR IGNORE INTO temp.seen (key, depth) VALUES (?, 0)", ((key,) for key in start))
            level = 0
            while depth is None or level < depth:
                run.execute(next_level, (level,))
                if not run.changes():
                    break
                level += 1
            found = run.execute("SELECT key, depth FROM temp.seen ORDER BY depth, key").fetchall()
        return pl.DataFrame(found, schema={"key": pl.String(), "depth": pl.Int64()}, orient="row")

    def _step(self, of: Kind, direction: Direction, frontier: pl.Series) -> pl.DataFrame:
        with told(self._path):
            pick(self._connection, frontier)
            found = self._connection.execute(statements.step(of, direction)).fetchall()
        return pl.DataFrame(found, schema=STEP, orient="row")


def frame(schema: Mapping[str, pl.DataType], rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    """SQLite's rows as columns."""
    if not rows:
        return pl.DataFrame(schema=schema)
    columns = []
    for (name, dtype), values in zip(schema.items(), zip(*rows, strict=True), strict=True):
        stored = pl.String() if dtype == pl.String else pl.Float64() if dtype == pl.Float64 else pl.Int64()
        columns.append(pl.Series(name, values, stored).cast(dtype))
    return pl.DataFrame(columns)


def physical(rows: pl.DataFrame) -> pl.DataFrame:
    """Columns as SQLite has them: days and microseconds for dates and times."""
    return rows.with_columns(pl.col(pl.Date).cast(pl.Int64), pl.col(pl.Datetime).cast(pl.Int64))


def pick(run: apsw.Connection, keys: Iterable[str]) -> None:
    """Make these the picked keys of a connection."""
    run.execute("DELETE FROM temp.picked")
    run.executemany("INSERT OR IGNORE INTO temp.picked VALUES (?)", ((key,) for key in keys))
