"""`store info`, `store verify` and `store copy`, as they are called."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import click
import pytest

from chaingraph.changes import ChangeSet
from chaingraph.store import open_store
from server.cli import main
from server.cli.reference import each_command
from tests.chaingraph.world import machine, part, rows
from tests.server.cli import Call
from tests.server.test_cli import told

FIXED = {"info": "--store", "verify": "--store", "copy": "FROM TO --dry-run"}
"""Arguments and options that scripts call by."""


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """A store of two commits, of which the second belongs to a load that is unfinished."""
    url = f"sqlite:///{tmp_path / 'graph.db'}"
    with closing(open_store(url)) as store:
        store.commit(ChangeSet(machine(), by="L01"), leaves=[b"seen"])
        more = ChangeSet({"part": rows("part", part("new"))}, by="L01")
        store.commit(replace(more, load="load-2", part=0, last=False))
        store.secret("ties")
    return Call(url)


@pytest.mark.parametrize("name", FIXED)
def test_names_that_scripts_call_by_are_there(name: str) -> None:
    group = main.commands["store"]
    assert isinstance(group, click.Group)
    assert group.commands.keys() == FIXED.keys()
    has = set(told(group.commands[name]).split())
    assert set(FIXED[name].split()) | {"--lang", "--format"} <= has
    assert ("--store" in has) == (name != "copy")
    assert f"store {name}" in dict(each_command())


def test_help_is_in_both_languages() -> None:
    group = main.commands["store"]
    assert isinstance(group, click.Group)
    group.commands["copy"].get_help_option(click.Context(group.commands["copy"]))  # by itself: it stays as it is then
    chinese = Call("sqlite:///none.db", {"LC_ALL": "zh_CN.UTF-8"})
    assert "查看、核对和复制存储" in chinese("store", "--help").stdout
    assert "接着复制" in chinese("store", "copy", "-h").stdout
    english = Call("sqlite:///none.db")
    assert "Look at a store" in english("store", "--help").stdout
    assert "after a break, run it again" in re.sub(r"\s+", " ", english("store", "copy", "-h").stdout)
    assert "接着复制" in english("store", "copy", "-h", "--lang", "zh").stdout


def test_info_says_how_far_a_store_is_and_what_it_holds(call: Call) -> None:
    found = json.loads(call("store", "info", "--format", "json").stdout)
    assert (found["store"], found["revision"], found["visible"], found["unfinished"]) == (call.store, 2, 1, "load-2")
    assert found["rows"] == {"organisation": 3, "part": 3, "contains": 3, "supplies": 2}
    with closing(open_store(call.store)) as store:
        assert found["digest"] == store.head().digest.hex()
        assert found["written"] == [c.at.isoformat() for c in store.journal()][-1]
    shown = call("store", "info", "--lang", "zh").stdout
    assert re.search(r"^未完成的入库 +load-2$", shown, re.MULTILINE)
    assert re.search(r"^零部件 +3$", shown, re.MULTILINE)
    assert found["digest"] in shown


def test_a_store_that_holds_is_said_to(call: Call) -> None:
    result = call("store", "verify", "--format", "json")
    assert result.exit_code == 0
    with closing(open_store(call.store)) as store:
        holds = {"holds": True, "revision": 2, "digest": store.head().digest.hex(), "redactions": []}
        assert json.loads(result.stdout) == holds
    assert re.search("Journal and graph +hold", call("store", "verify").stdout)


def test_a_store_that_does_not_hold_is_said_not_to(call: Call, tmp_path: Path) -> None:
    run = apsw.Connection(str(tmp_path / "graph.db"))
    run.execute("DELETE FROM part WHERE key = 'L01/new'")
    run.close()
    result = call("store", "verify", "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "holds": False, "revision": 2, "code": "graph.missing", "what": "The row L01/new of Part is not in the graph.",
        "kind": "part", "key": "L01/new",
    }  # fmt: skip
    table = call("store", "verify", "--lang", "zh")
    assert (table.exit_code, table.stdout) == (1, "")
    assert "graph.missing: 零部件 L01/new 不在图中。" in table.stderr


def test_a_store_is_copied_once(call: Call, tmp_path: Path) -> None:
    to = f"sqlite:///{tmp_path / 'folder' / 'copy.db'}"
    planned = call("store", "copy", call.store, to, "--dry-run", "--format", "json")
    assert planned.exit_code == 0
    assert not (tmp_path / "folder").exists()
    found = json.loads(planned.stdout)
    counts = {"commits": 1, "rows": 11, "leaves": 1, "blobs": 0, "secrets": 1}
    assert found == found | counts | {"from": call.store, "to": to, "dry_run": True, "revision": 1, "unfinished": 1}
    done = call("store", "copy", call.store, to)
    assert done.exit_code == 0
    assert "The digests of both stores agree." in done.stderr
    assert "The last 1 commits belong to a load that is unfinished, and are not copied." in done.stderr
    with closing(open_store(to)) as store:
        assert store.head().digest.hex() == found["digest"]
        assert found["digest"] in done.stdout
    again = json.loads(call("store", "copy", call.store, to, "--format", "json").stdout)
    assert again == found | dict.fromkeys(counts, 0) | {"dry_run": False}
    assert call("store", "verify", "--store", to).exit_code == 0


def test_what_cannot_be_copied_is_told(call: Call, tmp_path: Path) -> None:
    none, other = f"sqlite:///{tmp_path / 'none.db'}", f"sqlite:///{tmp_path / 'other.db'}"
    missing = call("store", "copy", none, other)
    assert (missing.exit_code, (tmp_path / "none.db").exists()) == (1, False)
    assert "store.missing" in missing.stderr
    with closing(open_store(other)) as store:
        store.commit(ChangeSet({"part": rows("part", part("other"))}))
    refused = call("store", "copy", call.store, other)
    assert refused.exit_code == 1
    assert "copy.differs" in refused.stderr
    assert "Copy into an empty store." in refused.stderr
    assert call("store", "verify", "--store", none).exit_code == 1
    assert call("store", "info", "--store", none).exit_code == 1
    assert not (tmp_path / "none.db").exists()
