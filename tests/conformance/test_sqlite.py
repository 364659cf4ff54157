"""What only the SQLite store has: its statements, and what it says of files that it cannot use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from chaingraph.errors import Busy, StoreError
from chaingraph.store import open_store, statements
from chaingraph.store.base import DIRECTIONS
from chaingraph.store.sqlite import SqliteStore
from chaingraph.store.sqlite_errors import told
from schema import KINDS
from tests.conformance.stores import keys, parts

GOLDEN = Path(__file__).with_name("golden") / "sqlite.sql"


def test_the_statements_are_those_of_the_golden_file() -> None:
    """After a change that is meant: `python -m tests.conformance.test_sqlite` writes the file anew."""
    assert statements.golden() == GOLDEN.read_text(encoding="utf-8")


def test_sqlite_understands_every_statement() -> None:
    run = apsw.Connection(":memory:")
    run.execute(statements.tables())
    run.execute(statements.SCRATCH)
    rest = statements.golden().partition("-- organisation\n")[2]
    for line in rest.splitlines():
        if line and not line.startswith("--"):
            ready, _, insert = line.partition("; ")
            if insert:
                run.execute(ready)
            run.execute(f"EXPLAIN {insert or ready}", (None,) * (1 if "?1" in line else line.count("?")))


def test_walks_and_look_ups_use_keys() -> None:
    """No statement that is meant to go by key reads a whole table."""
    run = apsw.Connection(":memory:")
    run.execute(statements.tables())
    run.execute(statements.SCRATCH)
    for kind in KINDS.values():
        walks = [statements.walk(kind, d) for d in DIRECTIONS] if kind.relation else []
        for ready, _ in walks:
            run.execute(ready)
        for sql in (statements.rows(kind), statements.still_there(kind), *(step for _, step in walks)):
            plan = [row[3] for row in run.execute(f"EXPLAIN QUERY PLAN {sql}", (0,) * ("?1" in sql))]
            assert not [p for p in plan if p.startswith("SCAN") and p not in {"SCAN p", "SCAN s"}], (sql, plan)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "graph.db"


def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as found:
        SqliteStore(path)
    error = found.value
    assert error.remedy is not None
    assert error.text.zh
    assert error.text.en
    return error


def test_another_kind_of_file_is_told_and_left_alone(path: Path) -> None:
    text = "part,name\n" * 1000
    path.write_text(text)
    error = refused(path)
    assert error.code == "store.not_a_store"
    assert str(path) in error.say("zh")
    assert path.read_text() == text


def test_another_programs_database_is_told_and_left_alone(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
    assert refused(path).code == "store.foreign"
    assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    assert other.execute("PRAGMA journal_mode").get == "delete"
    other.close()


def test_a_store_of_another_registry_is_told(path: Path) -> None:
    SqliteStore(path).close()
    run = apsw.Connection(str(path))
    run.execute("UPDATE meta SET value = 'other' WHERE name = 'tables'")
    run.close()
    assert refused(path).code == "store.version"


def test_a_damaged_store_is_told(path: Path) -> None:
    store = SqliteStore(path)
    for number in range(20):
        store.commit(parts(number))
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    assert refused(path).code == "store.damaged"


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    assert refused(tmp_path).code == "store.path"
    (tmp_path / "file").write_text("")
    assert refused(tmp_path / "file" / "graph.db").code == "store.path"


def test_a_full_disk_is_told_and_nothing_is_lost(path: Path) -> None:
    """The file may not grow beyond its size of now, which SQLite reports as it does a full disk."""
    store = SqliteStore(path)
    store.commit(parts("A"))
    with store._connection() as run:
        run.execute(f"PRAGMA max_page_count = {run.execute('PRAGMA page_count').get}")
    with pytest.raises(StoreError) as found:
        store.commit(parts(*range(5000)))
    assert found.value.code == "store.full"
    assert store.head().revision == 1
    assert keys(store, "part") == ["L01/A"]
    store.close()


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("store.read_only", lambda path: apsw.Connection(path, apsw.SQLITE_OPEN_READONLY).execute("DELETE FROM meta")),
        ("store.read_only", lambda path: (_ for _ in ()).throw(PermissionError(13, "no", path))),
        ("store.full", lambda path: (_ for _ in ()).throw(OSError(28, "no", path))),
        ("store.failed", lambda path: apsw.Connection(path).execute("SELECT * FROM nothing")),
    ],
)
def test_errors_of_sqlite_and_of_the_disk_are_told(path: Path, code: str, wrong: Callable[[str], object]) -> None:
    SqliteStore(path).close()
    with pytest.raises(StoreError) as found, told(path):
        wrong(str(path))
    assert found.value.code == code
    assert str(path) in found.value.say("zh")


def test_a_database_locked_by_another_program_is_busy(path: Path) -> None:
    SqliteStore(path).close()
    other, run = apsw.Connection(str(path)), apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy), told(path):
        run.execute("BEGIN IMMEDIATE")


def test_the_address_is_the_one_it_was_opened_by(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'folder' / 'graph.db'}"
    store = open_store(url)
    assert store.url == url
    assert store.snapshots == tmp_path / "new" / "folder" / "graph.db.snapshots"
    store.close()


def test_a_forked_child_uses_connections_of_its_own(path: Path) -> None:
    """SQLite's own rule: a connection must not be carried over a fork."""
    script = """
import os, sys
from pathlib import Path
from chaingraph.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
store.append("log", [b"before"])
child = os.fork()
store.append("log", [b"child" if child == 0 else b"parent"])
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert sorted(store.leaves("log")) == [b"before", b"child", b"parent"]
"""
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, check=True, timeout=60)


if __name__ == "__main__":
    GOLDEN.write_text(statements.golden(), encoding="utf-8")
