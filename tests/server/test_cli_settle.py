"""`settle`, as it is called, and what `store verify` says after it."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from chaingraph import Workspace
from chaingraph.changes import ChangeSet
from chaingraph.store import open_store
from tests.chaingraph.test_settling import agree, agreement, world
from tests.server.cli import Call


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """A store in which an agreement of S1 has ended."""
    url = f"sqlite:///{tmp_path / 'graph.db'}"
    with Workspace.open(url) as workspace:
        workspace.submit(ChangeSet(world(), by="S1"))
        agree(workspace, agreement("AG", records="class:Z"))
    return Call(url)


ROWS = [
    {"owner": "S1", "kind": "life_record", "rows": 1, "stubs": 0},
    {"owner": "S1", "kind": "lot", "rows": 1, "stubs": 0},
    {"owner": "S1", "kind": "part", "rows": 1, "stubs": 0},
]


def test_what_would_go_is_told_and_stays(call: Call) -> None:
    result = call("settle", "--dry-run", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "dry_run": True, "agreements": ["AG/1"], "rows": ROWS, "erased": 0, "revision": 2,
    }  # fmt: skip
    with closing(open_store(call.store)) as store:
        assert store.head().revision == 2
        assert store.redactions() == []
    shown = call("settle", "--dry-run", "--lang", "zh")
    assert re.search(r"S1 +批次 +1 +0", shown.stdout)
    assert "已结束的协议：AG/1。未写入任何内容。" in shown.stderr


def test_what_went_is_listed_by_verify(call: Call) -> None:
    done = call("settle")
    assert done.exit_code == 0
    assert "Settled: AG/1. 6 rows were taken out of the past." in done.stderr
    found = json.loads(call("store", "verify", "--format", "json").stdout)
    (erased,) = found["redactions"]
    assert found["holds"]
    assert {name: value for name, value in erased.items() if name != "at"} == {
        "reason": "AG/1", "since": 1, "as_of": 3, "commits": 2, "rows": 6, "kinds": ["life_record", "lot", "part"],
    }  # fmt: skip
    assert re.search(r"Erased \(AG/1\) +6 rows, .* UTC, since commit 1", call("store", "verify").stdout)
    assert re.search(r"已擦除（AG/1） +6 行，.* UTC，自第 1 号变更", call("store", "verify", "--lang", "zh").stdout)
    again = call("settle", "--format", "json")
    assert json.loads(again.stdout)["agreements"] == []
    assert call("settle", "--lang", "zh").stderr == "没有需要清算的协议。\n"
