"""The stores under test. A new store joins with one entry in STORES and passes all that is here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import polars as pl

from chaingraph.changes import ChangeSet
from chaingraph.store import Store, open_store
from schema import KINDS
from tests.chaingraph.world import part, rows


@dataclass(frozen=True)
class Kept:
    """A kind of store: where one lives in a test's own folder, and how somebody could change its past."""

    name: str
    url: Callable[[Path], str]
    forge: Callable[[Path, int], None]
    """Rewrites, behind the store's back, what the commit of a revision put, to the payload of the revision before."""
    drop: Callable[[Path, int], None]
    """Removes a revision from the journal behind the store's back."""

    def open(self, folder: Path) -> Store:
        """The store of that folder, new or as it was left."""
        return open_store(self.url(folder))


def _sqlite(statement: str) -> Callable[[Path, int], None]:
    def change(folder: Path, revision: int) -> None:
        connection = apsw.Connection(str(folder / "graph.db"))
        connection.execute(statement, {"revision": revision})
        assert connection.changes()
        connection.close()

    return change


_seen: set[Path] = set()


def _neo4j_url(folder: Path) -> str:
    """The run's server; wiped for a folder that comes for the first time, so that each folder has its own store."""
    from tests.neo4j.server import running

    server = running()
    if folder not in _seen:
        _seen.add(folder)
        server.wipe()
    return server.url


def _neo4j(statement: str) -> Callable[[Path, int], None]:
    def change(_folder: Path, revision: int) -> None:
        from tests.neo4j.server import running

        done = running().driver.execute_query(statement, revision=revision)
        assert done.summary.counters.contains_updates

    return change


STORES = [
    Kept(
        "sqlite",
        lambda folder: f"sqlite:///{folder / 'graph.db'}",
        forge=_sqlite(
            "UPDATE payload SET data = (SELECT data FROM payload WHERE revision = :revision - 1) "
            "WHERE revision = :revision"
        ),
        drop=_sqlite("DELETE FROM journal WHERE revision = :revision"),
    ),
    Kept(
        "neo4j",
        _neo4j_url,
        forge=_neo4j(
            "MATCH (p:JournalPayload {revision: $revision}), (before:JournalPayload {revision: $revision - 1}) "
            "SET p.data = before.data"
        ),
        drop=_neo4j("MATCH (c:JournalCommit {revision: $revision}) DELETE c"),
    ),
]


def parts(*numbers: object, **more: Any) -> ChangeSet:
    """A change set that puts parts of L01."""
    return ChangeSet({"part": rows("part", *(part(str(n), **more) for n in numbers))}, by="L01")


def graph(store: Store) -> dict[str, pl.DataFrame]:
    """All rows of all kinds that has any."""
    with store.read() as session:
        found = {name: pl.concat([KINDS[name].empty(), *session.scan(name)]) for name in KINDS}
    return {name: frame for name, frame in found.items() if len(frame)}


def keys(store: Store, kind: str) -> list[str]:
    """The stored keys of a kind."""
    found = graph(store)
    return found[kind]["key"].to_list() if kind in found else []


def replayed(store: Store) -> dict[str, pl.DataFrame]:
    """The graph by the journal alone."""
    now: dict[str, dict[str, tuple[Any, ...]]] = {name: {} for name in KINDS}
    for commit in store.journal():
        changes = commit.changes(None)
        for name, gone in changes.delete.items():
            for key in gone:
                now[name].pop(key, None)
        for name, put in changes.put.items():
            now[name] |= {row[0]: row for row in put.iter_rows()}
    return {
        name: pl.DataFrame([found[k] for k in sorted(found, key=str.encode)], schema=KINDS[name].schema, orient="row")
        for name, found in now.items()
        if found
    }
