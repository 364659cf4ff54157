"""Stores of older versions become today's, step by step; those of newer ones are refused."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import apsw
import polars as pl
import pytest

from chaingraph import Workspace
from chaingraph.changes import ChangeSet, Payload, decoded
from chaingraph.errors import StoreError
from chaingraph.store import Store, migration, open_store
from chaingraph.store.migration import Change, Step
from chaingraph.store.sqlite import SqliteStore
from chaingraph.store.verify import verify
from schema import KINDS, kind
from schema.text import Text
from tests.chaingraph.world import machine, part, rows
from tests.conformance import later
from tests.conformance.migrating import traced
from tests.conformance.stores import graph, keys, parts, replayed

ROOT = Path(__file__).parents[2]
FIRST = Path(__file__).with_name("golden") / "version-1.sql"

LAYOUTS = {
    2: "a3a92805d093919c1ab4de3ab57ff418be6f3b0ec19fa69937920860ac3b1dcd",
    3: "12fd668be50eb26b05e09e421b3d313b63dc716e12258a97e1cf12e53133a89e",
    4: "f31ca4e3d80985c139863d61c8d18f2fbb691728bf647167ce69c3717fce7bf6",
    5: "d96927a07e0bcf985505960b9d0a8fcb62ee4e8ddc0c14837f19211fbc9b30a7",
}
"""`migration.layout()` of every version."""


def test_every_layout_has_its_version() -> None:
    """What stores keep of the registry has changed: add a Step to STEPS in chaingraph/store/migration.py, and the new
    version's digest to LAYOUTS here. Stores out there have the old one: never change the digest of a version that was
    released.
    """
    assert LAYOUTS.get(migration.VERSION) == migration.layout(), test_every_layout_has_its_version.__doc__
    assert [step.version for step in migration.STEPS] == list(range(2, migration.VERSION + 1))
    assert all(step.text.zh and step.text.en for step in migration.STEPS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of version 1, as its program left it."""
    found = tmp_path / "graph.db"
    run = apsw.Connection(str(found))
    run.execute(FIRST.read_text(encoding="utf-8")).fetchall()
    run.close()
    return found


def tables(path: Path) -> dict[str, Any]:
    """Columns of every table and indexes of a database, however it came by them."""
    run = apsw.Connection(str(path))
    made: list[Any] = run.execute("SELECT name, sql, type FROM sqlite_schema").fetchall()
    found: dict[str, Any] = {name: sql for name, sql, what in made if what == "index"}
    for name in [name for name, _, what in made if what == "table"]:
        found[name] = sorted(run.execute('SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)', (name,)))
    found["meta rows"] = sorted(run.execute("SELECT * FROM meta"))
    run.close()
    return found


def is_as_new(path: Path) -> bool:
    """Whether a store has the tables of one that is made today."""
    new = path.with_name("new.db")
    new.unlink(missing_ok=True)
    SqliteStore(new).close()
    return tables(path) == tables(new)


def holds(store: Store) -> bool:
    """Whether the graph is what the journal says, and the journal what was written."""
    found, expected = graph(store), replayed(store)
    return (
        verify(store) is None
        and found.keys() == expected.keys()
        and all(found[name].equals(expected[name]) for name in found)
    )


def test_a_store_of_the_first_version_becomes_todays(path: Path) -> None:
    with open_store(f"sqlite:///{path}").read() as session:
        assert session.revision == 5
    assert is_as_new(path)
    store = open_store(f"sqlite:///{path}")
    assert [(c.revision, c.load, c.last, c.by, c.version) for c in store.journal()] == [
        (1, None, True, "L01", 1), (2, "load-1", False, "S1", 1), (3, "load-1", True, "S1", 1),
        (4, None, True, "L01", 1), (5, "load-2", False, "S1", 1),
    ]  # fmt: skip
    assert (store.head().visible, store.head().open_load) == (4, "load-2")
    assert holds(store)
    assert keys(store, "part") == ["L01/A", "L01/B", "L01/C", "L01/D", "L01/M"]
    assert graph(store)["lot"]["produced_on"].to_list() == [dt.date(2025, 3, 1), dt.date(2025, 3, 2)]
    assert list(store.leaves("audit")) == [b"first", b"second", b""]
    assert list(store.leaves("other")) == [b"\x00\xff"]
    assert store.blob("file") == "一".encode()
    assert store.secret("ties").hex().startswith("b6a8c92b")
    with store.read() as session:
        assert session.trace(["L01/M/L01/M1"], "lot_genealogy", "in")["depth"].to_list() == [0, 1, 2]
    store.close()
    with Workspace.open(f"sqlite:///{path}") as workspace:
        workspace.submit(parts("E"))
        assert workspace.view().table("part")["number"].to_list() == ["A", "B", "C", "E", "M"]
        assert [c.version for c in workspace.store.journal()] == [1] * 5 + [migration.VERSION] * 2


def test_a_store_of_today_is_not_migrated(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "graph.db").close()
    said: list[str] = []
    with traced(said):
        SqliteStore(tmp_path / "graph.db").close()
    assert said
    assert [s for s in said if not s.startswith(("SELECT", "PRAGMA", "CREATE TEMP", "CREATE INDEX temp"))] == []


def full() -> dict[str, pl.DataFrame]:
    """A world with rows of all kinds that the last version changes."""
    lot = {"part": "L01/B", "maker": "S1", "produced_on": dt.date(2024, 12, 31)}
    return machine() | {
        "organisation": rows("organisation", {"id": "L01", "region": "110000"}, {"id": "S1"}, {"id": "S2"}),
        "part_alias": rows("part_alias", {"organisation": "S1", "part": "L01/B", "number": "77"}),
        "lot": rows(
            "lot",
            {**lot, "code": "B1", "quantity": 1499.6},
            {**lot, "code": "B2", "produced_on": None},
            {"part": "L01/A", "code": "A1", "quantity": 7.0, "owner": "S2"},
        ),
    }


def older(path: Path) -> None:
    """A store of today with puts, deletions and rows put again."""
    store = SqliteStore(path)
    world = full()
    store.commit(ChangeSet(world, by="L01"))
    store.commit(ChangeSet({"part": rows("part", part("B", name_zh="轴承"))}, {"lot": world["lot"]["key"].tail(1)}))
    store.commit(ChangeSet({"lot": world["lot"].tail(1)}, {"part_alias": world["part_alias"]["key"]}))
    assert store.head().revision == 3
    store.close()


def test_rows_change_as_the_steps_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older(tmp_path / "graph.db")
    later.live(monkeypatch)
    store = open_store(f"sqlite:///{tmp_path / 'graph.db'}")
    assert is_as_new(tmp_path / "graph.db")
    assert holds(store)
    found = graph(store)
    assert found["lot"].select("code", "produced_on", "thousands", "year", "owner").rows() == [
        ("A1", None, 0.007, None, "S2"),
        ("B1", dt.date(2024, 12, 31), 1.5, 2024, "L01"),
        ("B2", None, None, None, "L01"),
    ]
    assert found["part"].select("number", "name_zh", "mass_kg", "origin").rows() == [
        ("A", None, None, "unknown"), ("B", "轴承", None, "unknown"), ("M", None, None, "unknown"),
    ]  # fmt: skip
    assert "region" not in found["organisation"].columns
    store.commit(ChangeSet({"tool": rows("tool", part("T")), "part": rows("part", part("N", origin="here"))}))
    store.commit(ChangeSet(delete={"lot": found["lot"]["key"].head(1)}))
    assert [c.version for c in store.journal()] == [later.TODAYS] * 3 + [later.LAST.version] * 2
    assert holds(store)
    with store.read() as session:
        assert session.trace(["L01/B"], "contains", "in")["key"].to_list() == ["L01/B", "L01/A", "L01/M"]
    store.close()


def test_two_versions_are_bridged_from_the_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later.live(monkeypatch)
    store = open_store(f"sqlite:///{path}")
    assert is_as_new(path)
    assert holds(store)
    assert graph(store)["lot"].select("code", "year", "thousands").rows() == [("B1", 2025, 0.1), ("B2", 2025, 0.1)]
    store.close()


def test_a_snapshot_of_an_older_version_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where its columns are those of today."""
    url = f"sqlite:///{tmp_path / 'graph.db'}"
    with Workspace.open(url) as workspace:
        workspace.submit(ChangeSet(full()))
        workspace.snapshot().write(workspace.store.snapshots)

    def doubled(before: pl.DataFrame) -> pl.DataFrame:
        return before.with_columns(pl.col("quantity") * 2)

    step = Step(later.TODAYS + 1, Text("加倍。", "Doubled."), {"lot": Change(kind("lot").declared_schema, doubled)})
    monkeypatch.setattr(migration, "STEPS", (*migration.STEPS, step))
    monkeypatch.setattr(migration, "VERSION", step.version)
    with Workspace.open(url) as workspace:
        assert workspace.view().table("lot")["quantity"].to_list() == [14.0, 2999.2, None]


def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "graph.db"
    open_before = SqliteStore(path)
    with monkeypatch.context() as patch:
        later.live(patch)
        SqliteStore(path).close()
    before = tables(path)
    with pytest.raises(StoreError) as refused:
        SqliteStore(path)
    assert refused.value.code == "store.version"
    assert all(
        number in refused.value.say(locale)
        for locale in ("zh", "en")
        for number in map(str, (later.LAST.version, later.TODAYS))
    )
    assert "Update chaingraph" in refused.value.say("en")
    assert tables(path) == before
    for use in (open_before.head, lambda: open_before.commit(parts("A")), lambda: keys(open_before, "part")):
        with pytest.raises(StoreError) as refused:
            use()
        assert refused.value.code == "store.version"
    open_before.close()


def test_a_store_of_an_unreleased_program_is_refused(path: Path, tmp_path: Path) -> None:
    SqliteStore(tmp_path / "other.db").close()
    for each in (path, tmp_path / "other.db"):
        run = apsw.Connection(str(each))
        run.execute("UPDATE meta SET value = 'other' WHERE name = 'tables'")
        run.close()
        before = tables(each)
        with pytest.raises(StoreError) as refused:
            SqliteStore(each)
        assert refused.value.code == "store.version"
        assert refused.value.remedy is not None
        assert tables(each) == before


def test_a_step_that_fails_leaves_the_step_before(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later.live(monkeypatch)
    broken = {"lot": Change(later.LOT, lambda before: before.with_columns(key=pl.lit("x")))}
    with monkeypatch.context() as patch:
        patch.setattr(migration, "STEPS", (*migration.STEPS[:-1], replace(later.LAST, changes=broken)))
        with pytest.raises(ValueError, match=f"Step {later.LAST.version} changes the keys of lot"):
            SqliteStore(path)
    found = tables(path)
    assert ("version", str(later.NEXT.version)) in found["meta rows"]
    assert {"units", "year"} <= {column for column, *_ in found["lot"]}
    store = SqliteStore(path)
    assert is_as_new(path)
    assert holds(store)
    store.close()


def test_what_comes_later_is_gone_after_it() -> None:
    with pytest.MonkeyPatch.context() as patch:
        later.live(patch)
        assert "tool" in KINDS
    assert list(KINDS.items()) == list(later.TODAY.items())
    assert migration.VERSION in LAYOUTS


def test_a_column_of_another_type_needs_a_change(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later.live(monkeypatch)
    monkeypatch.setattr(migration, "STEPS", (*migration.STEPS[:-2], replace(later.NEXT, changes={}), later.LAST))
    lot = KINDS["lot"]
    whole = later._field(lot.fields["code"], "code", int)
    monkeypatch.setitem(KINDS, "lot", replace(lot, fields={**lot.fields, "code": whole}))
    before = tables(path)
    with pytest.raises(ValueError, match=r"lot.*code"):
        SqliteStore(path)
    assert tables(path).keys() == before.keys()


def started(*words: object) -> subprocess.Popen[str]:
    """`tests.conformance.migrating`, ready to open a store."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    return subprocess.Popen([sys.executable, "-m", "tests.conformance.migrating", *map(str, words)], **pipes)


def ended(process: subprocess.Popen[str]) -> str:
    """What it says, once it was told to go on."""
    said, _ = process.communicate("go\n", timeout=60)
    return said.removeprefix("ready\n").strip()


def test_a_migration_killed_at_any_point_is_taken_up_again(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the first statement that writes, right before and after a COMMIT, and in the middle of a step."""
    said: list[str] = []
    shutil.copy(path, tmp_path / "once.db")
    with traced(said), monkeypatch.context() as patch:
        later.live(patch)
        SqliteStore(tmp_path / "once.db").close()
    commits = [n for n, sql in enumerate(said, 1) if sql == "COMMIT"]
    assert len(commits) == later.LAST.version - 1
    renamed = next(n for n, sql in enumerate(said, 1) if "RENAME" in sql)
    points = [said.index("BEGIN IMMEDIATE") + 2, commits[0] + 1, renamed, commits[-2], commits[-1]]
    folders = [tmp_path / str(point) for point in points]
    for folder in folders:
        folder.mkdir()
        shutil.copy(path, folder / "graph.db")
    running = [started(f"sqlite:///{f / 'graph.db'}", n) for f, n in zip(folders, points, strict=True)]
    versions = []
    for folder, process in zip(folders, running, strict=True):
        assert ended(process) == ""
        assert process.returncode == -9
        run = apsw.Connection(str(folder / "graph.db"))
        versions.append(run.execute("SELECT max(value) FROM meta WHERE name = 'version'").get)
        run.close()
    today = str(later.TODAYS)
    assert versions == [None, "2", today, today, str(later.NEXT.version)]
    later.live(monkeypatch)
    for folder in folders:
        store = SqliteStore(folder / "graph.db")
        assert is_as_new(folder / "graph.db")
        assert holds(store)
        store.close()


def test_processes_that_open_at_once_migrate_once(path: Path) -> None:
    running = [started(f"sqlite:///{path}") for _ in range(2)]
    for process in running:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    taken = [process.communicate(timeout=60)[0].split() for process in running]
    assert sorted(chain.from_iterable(taken)) == [str(n) for n in range(2, later.LAST.version + 1)]
    assert all(process.returncode == 0 for process in running)


def test_a_migration_waits_for_a_load(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loading = SqliteStore(path)
    later.live(monkeypatch)
    opened: list[Store] = []
    with loading.writing():
        waiting = threading.Thread(target=lambda: opened.append(SqliteStore(path)))
        waiting.start()
        waiting.join(0.3)
        assert opened == []
        assert ("version", str(later.TODAYS)) in tables(path)["meta rows"]
    waiting.join(60)
    assert ("version", str(later.LAST.version)) in tables(path)["meta rows"]
    loading.close()
    opened[0].close()


def test_payloads_of_older_versions_are_read_in_the_columns_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    world = full()
    changes = ChangeSet(world, {"part_alias": pl.Series(["x"]), "lot": pl.Series(["y@z"])})
    payload = changes.payload()
    later.live(monkeypatch)
    about: Any = ("L01", changes.id, None, 0, True)
    found = decoded(payload, None, later.TODAYS, *about)
    assert "part_alias" not in found.put.keys() | found.delete.keys()
    assert found.delete["lot"].to_list() == ["y@z"]
    assert all(dict(found.put[name].schema) == kind(name).schema for name in found.put)
    assert found.put["lot"]["thousands"].to_list() == [0.007, 1.5, None]
    assert decoded(payload, ["part"], later.TODAYS, *about).put.keys() == {"part"}
    lots = [Payload("put", "lot", each.data) for each in payload if each[:2] == ("put", "lot")]
    with pytest.raises(ValueError, match="lot"):
        decoded(lots, None, later.LAST.version, *about)
