"""A changed past shows, and so does a graph that is not what the journal says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import polars as pl
import pytest

from chaingraph.changes import ChangeSet
from chaingraph.store import Store
from chaingraph.store import verify as verifying
from chaingraph.store.verify import Broken, verify
from tests.chaingraph.world import machine, part, rows
from tests.conformance.stores import Kept, parts
from tests.conformance.test_journal import every_type
from tests.neo4j.server import running


def broken(kept: Kept, folder: Path) -> Broken:
    """What does not hold of the store of that folder."""
    store = kept.open(folder)
    found = verify(store)
    store.close()
    assert found is not None
    assert found.what.zh
    return found


@pytest.mark.parametrize("revision", [2, 3, 5])
def test_a_changed_past_is_noticed(kept: Kept, tmp_path: Path, revision: int) -> None:
    store = kept.open(tmp_path)
    for number in range(5):
        store.commit(parts(number))
    store.close()
    kept.forge(tmp_path, revision)
    found = broken(kept, tmp_path)
    assert (found.revision, found.code) == (revision, "journal.content")
    assert found.what.en == f"Commit {revision} does not do what was committed."
    assert (found.kind, found.key) == (None, None)


@pytest.mark.parametrize("revision", [1, 3, 5])
def test_a_missing_commit_is_noticed(kept: Kept, tmp_path: Path, revision: int) -> None:
    store = kept.open(tmp_path)
    for number in range(6):
        store.commit(parts(number))
    store.close()
    kept.drop(tmp_path, revision)
    found = broken(kept, tmp_path)
    assert (found.revision, found.code) == (revision, "journal.missing")


def test_what_was_never_touched_holds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in stretches, with an unfinished load at the end; how far it is, is told."""
    monkeypatch.setattr(verifying, "ROWS", 10)
    store.commit(ChangeSet(machine(), by="L01"))
    store.commit(ChangeSet({"part": rows("part", part("B", name_zh="轴"))}, {"supplies": machine()["supplies"]["key"]}))
    store.commit(every_type())
    store.commit(ChangeSet(load="load-1", part=1))
    store.commit(ChangeSet({"part": rows("part", part("new"))}, load="load-2", part=0, last=False))
    told: list[tuple[int, int]] = []
    assert verify(store, lambda done, total: told.append((done, total))) is None
    assert told == [(n, 5) for n in range(1, 6)]


def test_an_empty_store_holds(store: Store) -> None:
    assert verify(store) is None
    assert store.head().revision == 0


def alike(store: Store) -> None:
    """Parts A, B and C by the first commit, B anew by the second, C gone by the third; a lot by the fourth."""
    store.commit(parts("A", "B", "C"))
    store.commit(parts("B", name_zh="轴承"))
    store.commit(ChangeSet(delete={"part": pl.Series(["L01/C"])}))
    store.commit(ChangeSet({"lot": rows("lot", {"part": "L01/A", "maker": "S1", "code": "1"})}))


def _sqlite(folder: Path, statement: str, key: str) -> None:
    run = apsw.Connection(str(folder / "graph.db"))
    run.execute(statement, {"key": key})
    assert run.changes()
    run.close()


def _neo4j(_folder: Path, statement: str, key: str) -> None:
    done = running().driver.execute_query(statement, key=key)
    assert done.summary.counters.contains_updates


BEHIND: dict[str, tuple[Callable[[Path, str, str], None], dict[str, str]]] = {
    "sqlite": (
        _sqlite,
        {
            "change": "UPDATE part SET name_zh = 'x' WHERE key = :key",
            "lose": "DELETE FROM part WHERE key = :key",
            "add": "INSERT INTO part (key, owner) VALUES (:key, 'L01')",
        },
    ),
    "neo4j": (
        _neo4j,
        {
            "change": "MATCH (p:Part {key: $key}) SET p.name_zh = 'x'",
            "lose": "MATCH (p:Part {key: $key}) DETACH DELETE p",
            "add": "CREATE (p:Part {key: $key, owner: 'L01'})",
        },
    ),
}
"""How somebody could change a store's graph: for every store in STORES, what runs a statement, and the statements."""


def meddle(kept: Kept, folder: Path, what: str, key: str) -> None:
    """Change the graph behind the store's back."""
    run, statements = BEHIND[kept.name]
    run(folder, statements[what], key)


@pytest.mark.parametrize(
    ("what", "key", "revision", "code", "said"),
    [
        ("change", "L01/B", 2, "graph.changed", "is not what the journal says"),
        ("lose", "L01/A", 1, "graph.missing", "is not in the graph"),
        ("add", "L01/C", 3, "graph.added", "is in the graph and not in the journal"),
        ("add", "L01/X", 0, "graph.added", "is in the graph and not in the journal"),
    ],
)
def test_a_graph_changed_behind_the_journals_back_is_noticed(
    kept: Kept, tmp_path: Path, what: str, key: str, revision: int, code: str, said: str
) -> None:
    store = kept.open(tmp_path)
    alike(store)
    assert verify(store) is None
    store.close()
    meddle(kept, tmp_path, what, key)
    found = broken(kept, tmp_path)
    assert (found.revision, found.code, found.kind, found.key) == (revision, code, "part", key)
    assert found.what.en == f"The row {key} of Part {said}."


def test_of_several_differences_the_first_key_is_named(kept: Kept, tmp_path: Path) -> None:
    store = kept.open(tmp_path)
    alike(store)
    store.close()
    meddle(kept, tmp_path, "lose", "L01/B")
    meddle(kept, tmp_path, "add", "L01/C")
    meddle(kept, tmp_path, "change", "L01/A")
    found = broken(kept, tmp_path)
    assert (found.revision, found.key) == (1, "L01/A")
