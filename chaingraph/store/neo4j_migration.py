"""Making a Neo4j database a store, and bringing one from an older version of the schema to today's.

Neo4j takes no schema change and data in one transaction, and two million rows are too many for one. So everything here
may be done again: constraints are made if they are not there, rows are put in place of those with their keys, and the
version is written last. The rows are those of the journal, in the columns of today; kinds that no step touches stay.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from chaingraph.store import cypher, migration
from chaingraph.store.neo4j_link import Link, records
from chaingraph.store.neo4j_rows import UNWIND_ROWS, handed, run
from schema import KINDS
from schema.core import Kind

if TYPE_CHECKING:
    from chaingraph.store.base import Store

_FIRST = (
    "MERGE (h:JournalHead {one: 1}) ON CREATE SET h.revision = 0, h.visible = 0, h.fence = 0, h += $now "
    "MERGE (:WriteLock {one: 1})"
)
_NOW = "MATCH (h:JournalHead) SET h += $now"


def state(link: Link) -> tuple[int, str] | None:
    """Version and layout of the store, None where there is none yet."""
    found = link.query("MATCH (h:JournalHead) RETURN h.version, h.layout")
    return None if not found else (int(found[0][0]), str(found[0][1]))


def make(link: Link) -> None:
    """A new store. Others may do the same meanwhile."""
    _align(link, [])
    link.write(partial(run, text=_FIRST, now=_now(link)))


def migrate(store: Store, link: Link, version: int) -> None:
    """From an older version to today's, in the caller's turn."""
    from chaingraph.following import snapshot_at

    ((before, made, revision),) = link.query("MATCH (h:JournalHead) RETURN h.kinds, h.made, h.revision")
    was: dict[str, dict[str, Any]] = json.loads(before)
    changed = {name for step in migration.pending(version) for name in step.changes}
    changed |= {name for name, kind in KINDS.items() if was.get(name) != _described(kind)}
    _align(link, made)
    for name, old in was.items():
        new = _described(KINDS[name]) if name in KINDS else {}
        for text in _removals(old, new):
            while link.write(lambda tx, text=text: records(tx, text, {"most": UNWIND_ROWS})) != [(0,)]:  # type: ignore[misc]
                pass
    snapshot = snapshot_at(store, revision)
    for name in [name for name in KINDS if name in changed and name in was]:
        for batch in snapshot.table(name).iter_slices(UNWIND_ROWS):
            rows = handed(name, batch)
            for text in cypher.put(KINDS[name]):
                link.write(partial(run, text=text, rows=rows))
    link.write(partial(run, text=cypher.SWEEP))
    link.write(partial(run, text=_NOW, now=_now(link)))


def _align(link: Link, made: list[str]) -> None:
    """The constraints and indexes that the registry wants, and none of those that we made and it wants no longer."""
    wanted = cypher.schema(enterprise=_enterprise(link))
    for text in (each for each in made if each not in wanted):
        _, what, name, *_ = text.split()
        link.write(partial(run, text=f"DROP {what} {name} IF EXISTS"))
    there = {name for what in ("CONSTRAINTS", "INDEXES") for (name,) in link.query(f"SHOW {what} YIELD name")}
    if missing := [text for text in wanted if text.split()[2] not in there]:
        for text in missing:
            link.write(partial(run, text=text))
        link.query("CALL db.awaitIndexes()")


def _enterprise(link: Link) -> bool:
    edition = "CALL dbms.components() YIELD name, edition WHERE name = 'Neo4j Kernel' RETURN edition"
    return link.query(edition) == [("enterprise",)]


def _now(link: Link) -> dict[str, Any]:
    """What the head says of the version."""
    return {
        "version": migration.VERSION,
        "layout": migration.layout(),
        "made": cypher.schema(enterprise=_enterprise(link)),
        "kinds": json.dumps({name: _described(kind) for name, kind in KINDS.items()}, sort_keys=True),
    }


def _described(kind: Kind) -> dict[str, Any]:
    """How a kind looks in the database."""
    labels = sorted({kind.label, cypher.row_label(kind)}) if kind.is_node else []
    return {
        "labels": labels,
        "type": kind.relation and kind.relation.label,
        "drawn": sorted([label, kind.label, outward] for label, outward in kind.drawn.values()),
        "columns": {name: str(dtype) for name, dtype in kind.schema.items()},
        "key": list(kind.key),
        "defaults": {n: str(f.default) for n, f in kind.fields.items() if f.default is not None},
    }


def _removals(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Statements that remove at most $most of what a kind is no longer drawn as, and say how many that were."""
    found = []
    for label, start, outward in old["drawn"]:
        if [label, start, outward] not in new.get("drawn", []):
            way = f"-[x:{label}]->" if outward else f"<-[x:{label}]-"
            found.append(f"MATCH (:{start}){way}() WITH x LIMIT $most DELETE x RETURN count(*)")
    if old["type"] and old["type"] != new.get("type"):
        found.append(f"MATCH ()-[x:{old['type']}]->() WITH x LIMIT $most DELETE x RETURN count(*)")
    found += [
        f"MATCH (x:{label}) WITH x LIMIT $most DETACH DELETE x RETURN count(*)"
        for label in old["labels"]
        if label not in new.get("labels", [])
    ]
    return found
