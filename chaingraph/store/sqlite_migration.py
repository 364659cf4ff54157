"""Bringing a SQLite store's tables from one version of the schema to the next."""

from __future__ import annotations

from itertools import islice
from typing import Any, NamedTuple

import apsw
import polars as pl

from chaingraph.store import migration, statements
from chaingraph.store.migration import Step
from chaingraph.store.sqlite_session import frame, physical
from schema import KINDS
from schema.core import BASE

FIRST = "8469ea962483847ca9b8f89d14c4065a5238c731f10f0aea194b352fe734536e"
"""What stores of version 1 say of themselves instead of a number: the digest of their tables."""

ROWS = 50_000
"""Rows that are changed at a time."""


def version(run: apsw.Connection, path: object) -> int | None:
    """The version of a store, None where there is none yet. Raises StoreError for one from before there were any."""
    if not run.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'").get:
        return None
    found: list[Any] = run.execute("SELECT name, value FROM meta").fetchall()
    meta: dict[str, str] = dict(found)
    if "version" in meta:
        return int(meta["version"])
    if "tables" in meta and meta["tables"] != FIRST:
        raise migration.other(path)
    return 1 if "tables" in meta else None


def is_todays(run: apsw.Connection) -> bool:
    """Whether a store of today's version has today's kinds."""
    return bool(run.execute("SELECT value FROM meta WHERE name = 'tables'").get == migration.layout())


def note(run: apsw.Connection, version: int) -> None:
    """Write down that a store has a version; of today's, with what kinds."""
    put = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
    run.execute(put, ("version", str(version)))
    if version == migration.VERSION:
        run.execute(put, ("tables", migration.layout()))


def take(run: apsw.Connection, step: Step) -> None:
    """One step, in the transaction of the caller; after the last one the tables are those of the registry."""
    for name in step.changes:
        if name in _tables(run):
            _change(run, name, step)
    if step.version == migration.VERSION:
        _align(run)
    note(run, step.version)


def _change(run: apsw.Connection, name: str, step: Step) -> None:
    """A table with the rows as the step makes them, in place of the one there was."""
    before = {**BASE, **step.changes[name].before}
    there = [c for c in before if c in _columns(run, name)]
    after = step.rows(name, pl.DataFrame(schema=before)).schema
    draft = f"{name} after {step.version}"
    run.execute(statements.table(draft, after))
    insert = f"INSERT INTO {statements.name(draft)} VALUES ({', '.join('?' * len(after))})"
    found = run.execute(f"SELECT {', '.join(map(statements.name, there))} FROM {statements.name(name)} ORDER BY key")
    while rows := list(islice(found, ROWS)):
        new = step.rows(name, frame({c: before[c] for c in there}, rows))
        run.executemany(insert, physical(new.select(after.names())).iter_rows())
    run.execute(f"DROP TABLE {statements.name(name)}")
    run.execute(f"ALTER TABLE {statements.name(draft)} RENAME TO {statements.name(name)}")


class _Column(NamedTuple):
    type: str
    needed: int
    default: str | None
    key: int


def _align(run: apsw.Connection) -> None:
    """Add what the registry wants and is not there; what it has no longer goes."""
    wanted = apsw.Connection(":memory:")
    wanted.execute(statements.tables())
    for name, sql in _tables(wanted).items():
        if name not in _tables(run):
            run.execute(sql)
    for name in _tables(run).keys() - _tables(wanted).keys():
        if BASE.keys() <= _columns(run, name).keys():  # a kind's, and nobody else's
            run.execute(f"DROP TABLE {statements.name(name)}")
    for name, (sql, of) in _indexes(run).items():
        if of in KINDS and _indexes(wanted).get(name, ("", ""))[0] != sql:
            run.execute(f"DROP INDEX {statements.name(name)}")
    for name in _tables(wanted):
        _align_columns(run, name, _columns(wanted, name))
    for name, (sql, _) in _indexes(wanted).items():
        if name not in _indexes(run):
            run.execute(sql)
    wanted.close()


def _align_columns(run: apsw.Connection, name: str, wanted: dict[str, _Column]) -> None:
    there = _columns(run, name)
    table = statements.name(name)
    if odd := [c for c in wanted.keys() & there.keys() if there[c] != wanted[c]]:
        raise ValueError(f"Columns of {name} are others, and no step says how they changed: {sorted(odd)}")
    for column in [c for c in there if c not in wanted]:
        run.execute(f"ALTER TABLE {table} DROP COLUMN {statements.name(column)}")
    for column, made in wanted.items():
        if column in there:
            continue
        needed = " NOT NULL" if made.needed else ""
        default = "" if made.default is None else f" DEFAULT {made.default}"
        run.execute(f"ALTER TABLE {table} ADD COLUMN {statements.name(column)} {made.type}{needed}{default}")
        if name in KINDS and (field := KINDS[name].fields.get(column)) is not None and field.default is not None:
            value = physical(pl.DataFrame({column: [field.default]}, {column: field.dtype})).item()
            run.execute(f"UPDATE {table} SET {statements.name(column)} = ?", (value,))


def _tables(run: apsw.Connection) -> dict[str, str]:
    """The statement that makes each table."""
    return {name: sql for name, sql, _ in _made(run, "table")}


def _indexes(run: apsw.Connection) -> dict[str, tuple[str, str]]:
    """The statement that makes each index, and its table."""
    return {name: (sql, of) for name, sql, of in _made(run, "index") if sql}


def _made(run: apsw.Connection, what: str) -> list[Any]:
    select = "SELECT name, sql, tbl_name FROM sqlite_schema WHERE type = ? AND name NOT GLOB 'sqlite_*' ORDER BY rowid"
    return run.execute(select, (what,)).fetchall()


def _columns(run: apsw.Connection, table: str) -> dict[str, _Column]:
    select = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)'
    found: list[Any] = run.execute(select, (table,)).fetchall()
    return {name: _Column(*made) for name, *made in found}
