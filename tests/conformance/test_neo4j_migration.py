"""A Neo4j store of an older version becomes today's; one of a newer version is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaingraph.changes import ChangeSet
from chaingraph.errors import StoreError
from chaingraph.store import Store, migration, neo4j_migration, open_store
from chaingraph.store.neo4j import Neo4jStore
from chaingraph.store.verify import verify
from schema import KINDS
from tests.chaingraph.world import part, rows
from tests.conformance import later
from tests.conformance.stores import graph, keys, parts, replayed
from tests.conformance.test_migration import full
from tests.neo4j.server import Server


@pytest.fixture
def older(neo4j_server: Server) -> Iterator[Neo4jStore]:
    """A store of today, with puts, deletions and an unfinished load."""
    store = Neo4jStore(neo4j_server.url)
    world = full()
    store.commit(ChangeSet(world, by="L01"))
    store.commit(ChangeSet({"part": rows("part", part("B", name_zh="轴承"))}, {"lot": world["lot"]["key"].tail(1)}))
    store.commit(ChangeSet({"lot": world["lot"].tail(1)}, load="l", last=False))
    yield store
    store.close()


def store_names(server: Server, what: str) -> list[tuple[str]]:
    return [(r["name"],) for r in server.driver.execute_query(f"SHOW {what} YIELD name").records]


def holds(store: Store) -> bool:
    found, expected = graph(store), replayed(store)
    return found.keys() == expected.keys() and all(found[name].equals(expected[name]) for name in found)


def test_rows_kinds_and_constraints_become_todays(
    older: Neo4jStore, neo4j_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    later.live(monkeypatch)
    store = open_store(neo4j_server.url)
    assert holds(store)
    found = graph(store)
    assert found["lot"].select("code", "thousands", "year").rows() == [
        ("A1", 0.007, None), ("B1", 1.5, 2024), ("B2", None, None),
    ]  # fmt: skip
    assert found["part"]["origin"].to_list() == ["unknown"] * 3
    seen = neo4j_server.driver.execute_query(
        "MATCH (n:LotStatement {code: 'B1'}) RETURN n.thousands, n.quantity"
    ).records
    assert [tuple(r.values()) for r in seen] == [(1.5, None)]
    assert not neo4j_server.driver.execute_query("MATCH ()-[r:KNOWS_AS]->() RETURN r").records
    names = {name for (name,) in store_names(neo4j_server, "INDEXES")}
    assert "contains_child" not in names  # the ends of an edge are found by its nodes
    assert "Tool_key" in names
    assert "part_alias_key" not in names
    store.commit(ChangeSet({"tool": rows("tool", part("T"))}, load="l", part=1))
    assert [c.version for c in store.journal()] == [later.TODAYS] * 3 + [later.LAST.version]
    assert holds(store)
    # the program of before, which had it open, notices
    with monkeypatch.context() as back:
        back.setattr(migration, "VERSION", later.TODAYS)
        for use in (older.head, lambda: older.commit(parts("A")), lambda: keys(older, "part")):
            with pytest.raises(StoreError) as refused:
                use()
            assert refused.value.code == "store.version"
        with pytest.raises(StoreError, match=str(later.LAST.version)):
            open_store(neo4j_server.url)
    store.close()


def test_a_migration_that_stops_anywhere_is_taken_up_again(
    older: Neo4jStore, neo4j_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    later.live(monkeypatch)

    class Stopped(Exception):
        pass

    done = 0
    for stop in (1, 4, 9, 14):
        count = 0
        with monkeypatch.context() as patch:
            store = Neo4jStore(neo4j_server.url)
            write = store.link.write

            def stopping(work: object, seconds: float = 60.0, stop: int = stop, write: object = write) -> object:
                nonlocal count
                count += 1
                if count > stop:
                    raise Stopped
                return write(work, seconds)  # type: ignore[operator]

            patch.setattr(store.link, "write", stopping)
            try:
                store.prepare()
            except Stopped:
                done += 1
            store.close()
    assert done >= 3
    last = Neo4jStore(neo4j_server.url)
    assert holds(last)
    assert verify(last) is None
    assert neo4j_migration.state(last.link) == (later.LAST.version, migration.layout())
    last.close()


def test_the_same_version_with_other_kinds_is_refused(
    older: Neo4jStore, neo4j_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(KINDS, list(KINDS)[-1])  # the last: it comes back to where it was
    with pytest.raises(StoreError) as refused:
        open_store(neo4j_server.url)
    assert refused.value.code == "store.version"
