"""However facts came in, whatever was taken back: both stores hold the same, and Neo4j draws the facts as they are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import fixtures
import ingest
from chaingraph import Workspace
from chaingraph.changes import ChangeSet
from chaingraph.store import Store, cypher
from ingest.retract import undo
from schema import KINDS
from tests.conformance.stores import graph
from tests.moment import loading_at
from tests.neo4j.server import Server

FOLDER = Path(fixtures.__file__).parent
RECORDS = 200
"""Life records and rows of lots of the demo that are taken: enough to be in every commit."""
INTERNAL = {statement.split(":")[1].split(")")[0] for statement in cypher.JOURNAL}


def drawn(server: Server) -> list[str]:
    """The graph that people see: every node and relationship with all that it has, sorted."""
    nodes = "MATCH (n) WHERE NOT any(l IN labels(n) WHERE l IN $internal) RETURN labels(n), properties(n)"
    edges = "MATCH (a)-[r]->(b) RETURN type(r), labels(a), a.key, labels(b), b.key, properties(r)"
    found: list[Any] = []
    for text in (nodes, edges):
        records = server.driver.execute_query(text, internal=sorted(INTERNAL)).records
        found += [[plain(value) for value in record.values()] for record in records]
    return sorted(map(repr, found))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((name, plain(each)) for name, each in value.items())
    return sorted(value) if isinstance(value, list) else str(value)


def same(one: Store, other: Store) -> None:
    """Both hold the same rows."""
    left, right = graph(one), graph(other)
    assert left.keys() == right.keys()
    assert [name for name in left if not left[name].equals(right[name])] == []


@pytest.fixture
def both(neo4j_server: Server, tmp_path: Path) -> Iterator[tuple[Workspace, Workspace]]:
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as one, Workspace.open(neo4j_server.url) as other:
        yield one, other


@pytest.fixture(scope="module")
def facts(demo_workspace: Workspace) -> dict[str, pl.DataFrame]:
    """The demo with some of its lots and records, and those that say something else of them."""
    found = {name: demo_workspace.snapshot().table(name).head(RECORDS) for name in KINDS if name != "upload"}
    again = found["lot"].head(40).with_columns(owner=pl.lit("S05"), produced_on=pl.lit(None, pl.Date))
    found["lot"] = pl.concat([found["lot"], again.with_columns(key=KINDS["lot"].stored_key())]).unique("key")
    again = found["mode"].with_columns(
        owner=pl.lit("A00"), name_zh=pl.lit("另一名称"), mechanism=pl.lit(None, pl.String)
    )
    found["mode"] = pl.concat([found["mode"], again.with_columns(key=KINDS["mode"].stored_key())]).unique("key")
    return {name: rows.sort("key") for name, rows in found.items() if rows.height}


def shuffled(facts: dict[str, pl.DataFrame], rng: random.Random, commits: int) -> Iterator[ChangeSet]:
    """The facts, each in some commit; before that in some as they are not: another row's values, or gone again."""
    last = {name: [rng.randrange(1, commits) for _ in range(rows.height)] for name, rows in facts.items()}
    for number in range(commits):
        put, delete = {}, {}
        for name, rows in facts.items():
            when = pl.Series(last[name])
            before = rows.filter((when > number) & pl.Series([rng.random() < 0.2 for _ in range(rows.height)]))
            others = [column for column in rows.columns if column not in {"key", "owner", *KINDS[name].key}]
            wrong = before.with_columns(before.select(pl.col(others).shuffle(seed=number)))
            put[name] = pl.concat([rows.filter(when == number), wrong]).sort("key")
            if not any(KINDS[name].name in each.refs.values() for each in KINDS.values()):
                gone = rows.filter((when > number) & pl.Series([rng.random() < 0.1 for _ in range(rows.height)]))
                delete[name] = gone.join(put[name], on="key", how="anti")["key"]
        yield ChangeSet(put, delete, by="L01")


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_commits_leaves_no_trace(
    both: tuple[Workspace, Workspace], neo4j_server: Server, facts: dict[str, pl.DataFrame], seed: int
) -> None:
    one, other = (workspace.store for workspace in both)
    for changes in shuffled(facts, random.Random(seed), commits=6):
        for store in (one, other):
            store.commit(changes)
    same(one, other)
    assert {name: rows.height for name, rows in graph(other).items()} == {n: r.height for n, r in facts.items()}
    found = drawn(neo4j_server)
    neo4j_server.wipe()
    with Workspace.open(neo4j_server.url) as anew:
        anew.store.commit(ChangeSet(facts, by="L01"))
    assert found == drawn(neo4j_server)


def test_what_is_taken_back_leaves_both_stores_alike(both: tuple[Workspace, Workspace], neo4j_server: Server) -> None:
    one, other = both
    loads = []
    for workspace in both:
        workspace.store.secret("personal", b"p" * 32)  # what hashes personal data is each store's own
        with loading_at():
            reports = [ingest.load(workspace, [FOLDER / name]) for name in ("demo", "uploads", "audit")]
        loads.append([report.load for report in reports])
    assert loads[0] == loads[1]
    same(one.store, other.store)
    for load in reversed(loads[0][1:]):
        assert load is not None
        for workspace in both:
            undo(workspace, load)
        same(one.store, other.store)
    found, facts = drawn(neo4j_server), {name: one.snapshot().table(name) for name in KINDS}
    assert set(facts["upload"]["state"]) == {"loaded", "undone"}
    neo4j_server.wipe()
    with Workspace.open(neo4j_server.url) as anew:
        anew.store.commit(ChangeSet(facts, by="L01"))
    assert found == drawn(neo4j_server)
