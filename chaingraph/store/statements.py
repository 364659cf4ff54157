"""SQL for SQLite, compiled from the registry as plain text: tables, what changes rows, what finds them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from chaingraph.store.base import DIRECTIONS, Direction
from schema import KINDS, relations_to
from schema.core import Kind

_TYPES: dict[type[pl.DataType], str] = {
    pl.String: "TEXT",
    pl.Float64: "REAL",
    pl.Int64: "INTEGER",
    pl.Boolean: "INTEGER",
    pl.Date: "INTEGER",  # days since 1970-01-01
    pl.Datetime: "INTEGER",  # microseconds since 1970-01-01, UTC
}

JOURNAL = """\
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
  revision INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, load TEXT, part INTEGER NOT NULL, last INTEGER NOT NULL,
  "by" TEXT NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL, digest BLOB NOT NULL, "rows" INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1, redacted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX journal_visible ON journal (revision) WHERE last;
CREATE TABLE payload (
  revision INTEGER NOT NULL, op TEXT NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL, UNIQUE (revision, op, kind)
) STRICT;
CREATE TABLE redaction (
  number INTEGER PRIMARY KEY, erasure TEXT NOT NULL, revision INTEGER NOT NULL, op TEXT NOT NULL, kind TEXT NOT NULL,
  "rows" INTEGER NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, as_of INTEGER NOT NULL, at INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE TABLE log (
  name TEXT NOT NULL, number INTEGER NOT NULL, leaf BLOB NOT NULL, PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE blob (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE secret (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""
"""What every store has whatever the kinds are."""

SCRATCH = """\
CREATE TEMP TABLE picked (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE seen (key TEXT PRIMARY KEY, depth INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX temp.seen_depth ON seen (depth);
"""
"""A connection's own tables: keys asked for or deleted, and the keys that a walk has reached."""


def name(text: str) -> str:
    """An identifier, quoted: fields are called `group` and `end`."""
    return f'"{text}"'


def _columns(kind: Kind) -> str:
    return ", ".join(map(name, kind.schema))


def table(called: str, schema: Mapping[str, pl.DataType]) -> str:
    """A table of rows with these columns, in the order of their keys."""
    columns = [f"{name(n)} {_TYPES[t.base_type()]}" for n, t in schema.items() if n != "key"]
    return f"CREATE TABLE {name(called)} (key TEXT PRIMARY KEY, {', '.join(columns)}) STRICT, WITHOUT ROWID;"


def indexes(kind: Kind) -> list[str]:
    """An index for each end of a relation that is declared indexed; one that heads the key needs none.

    Lists and filters run on the snapshot, and an index doubles the time of a load.
    """
    return [
        f"CREATE INDEX {name(f'{kind.name}_{end}')} ON {name(kind.name)} ({name(end)});"
        for end in _ends(kind)
        if kind.fields[end].meta.indexed and end != kind.key[0]
    ]


def _ends(kind: Kind) -> tuple[str, ...]:
    return (kind.relation.start, kind.relation.end) if kind.relation else ()


def tables() -> str:
    """Everything that makes an empty store."""
    return JOURNAL + "".join(
        f"{s}\n" for kind in KINDS.values() for s in (table(kind.name, kind.schema), *indexes(kind))
    )


def put(kind: Kind) -> str:
    """A row in place of the one with its key, if any."""
    return f"INSERT OR REPLACE INTO {name(kind.name)} ({_columns(kind)}) VALUES ({', '.join('?' * len(kind.schema))})"


def delete(kind: Kind) -> str:
    """The row with a stored key goes."""
    return f"DELETE FROM {name(kind.name)} WHERE key = ?"


def scan(kind: Kind) -> str:
    """All rows in key order."""
    return f"SELECT {_columns(kind)} FROM {name(kind.name)} ORDER BY key"


def rows(kind: Kind) -> str:
    """The rows whose keys were picked, in key order."""
    columns = ", ".join(f"t.{name(n)}" for n in kind.schema)
    return f"SELECT {columns} FROM temp.picked AS p CROSS JOIN {name(kind.name)} AS t ON t.key = p.key ORDER BY p.key"


def still_there(kind: Kind) -> str:
    """Forget the picked natural keys that some row of the kind has yet: another owner's, or one put back at once."""
    # An owner follows `@`, and `A` is the next sign after it: the range holds one natural key's rows.
    found = "t.key >= p.key || '@' AND t.key < p.key || 'A'" if kind.by_owner else "t.key = p.key"
    return f"DELETE FROM temp.picked AS p WHERE EXISTS (SELECT 1 FROM {name(kind.name)} AS t WHERE {found})"


def referrers(kind: Kind) -> dict[str, str]:
    """For each kind that refers to `kind`: a condition true of those of its rows that refer to a picked natural key."""
    fields: dict[str, list[str]] = {}
    for each, field in relations_to(kind.name):
        fields.setdefault(each.name, []).append(field)
    return {k: " OR ".join(f"{name(f)} IN temp.picked" for f in found) for k, found in fields.items()}


def _way(kind: Kind, direction: Direction) -> tuple[str, str, str, str, str]:
    """How edges are found from where they lead from: what makes it ready, the table, the condition, the two ends.

    Where the table has neither key nor index for it, a copy of the edges in the order of the walk is made first, which
    lasts as long as the session.
    """
    if kind.relation is None:
        raise ValueError(f"{kind.name} is not a relation")
    here, there = _ends(kind) if direction == "out" else reversed(_ends(kind))
    ready, edges, found = "", name(kind.name), f"e.{name(here)} = s.key"
    if here == kind.key[0]:  # the head of a key is followed by `/`, and `0` is the next sign after it
        found = "e.key >= s.key || '/' AND e.key < s.key || '0'"
    elif not kind.fields[here].meta.indexed:
        edges, columns = f"temp.{name(f'{kind.name}_{direction}')}", f"{name(here)}, {name(there)}, key"
        ready = (
            f"CREATE TEMP TABLE {edges.removeprefix('temp.')} "
            f"({columns}, PRIMARY KEY ({columns})) WITHOUT ROWID; "
            f"INSERT OR IGNORE INTO {edges} SELECT {columns} FROM {name(kind.name)} "
            f"WHERE {name(here)} IS NOT NULL AND {name(there)} IS NOT NULL ORDER BY {columns}"
        )
    return ready, edges, found, name(here), name(there)


def walk(kind: Kind, direction: Direction) -> tuple[str, str]:
    """A walk along an edge kind: what makes it ready, and one level of it.

    A level goes from what was seen at one depth (?1) to what is new at the next. CROSS JOIN pins the order of the
    loops: after ANALYZE the planner would sooner read all edges at every level.
    """
    ready, edges, found, _, there = _way(kind, direction)
    level = (
        f"INSERT OR IGNORE INTO temp.seen (key, depth) SELECT e.{there}, ?1 + 1 FROM temp.seen AS s "
        f"CROSS JOIN {edges} AS e ON {found} WHERE s.depth = ?1 AND e.{there} IS NOT NULL"
    )
    return ready, level


def step(kind: Kind, direction: Direction) -> str:
    """The edges that lead from the picked natural keys: stored key, from where, to where. Made ready as `walk` is."""
    _, edges, found, here, there = _way(kind, direction)
    return (
        f"SELECT e.key, e.{here}, e.{there} FROM temp.picked AS s CROSS JOIN {edges} AS e ON {found} "
        f"WHERE e.{there} IS NOT NULL"
    )


def golden() -> str:
    """Every statement, as compared with the golden file."""
    parts = [tables(), SCRATCH]
    for kind in KINDS.values():
        lines = [f"-- {kind.name}", put(kind), delete(kind), scan(kind), rows(kind), still_there(kind)]
        lines += [f"SELECT key FROM {name(other)} WHERE {where}" for other, where in referrers(kind).items()]
        if kind.relation:
            lines += [s for d in DIRECTIONS for s in (*walk(kind, d), step(kind, d)) if s]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
