"""Taking uploads back."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaingraph import Conflict, NotFound
from chaingraph.changes import ChangeSet
from chaingraph.undo import undo
from tests.chaingraph.test_workspace import same, state
from tests.chaingraph.world import change, line, machine, opened, part, rows, upload


def test_new_rows_go_and_changed_rows_return(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        workspace.submit(change(**machine()))
        before = state(workspace)
        put = {
            "upload": rows("upload", upload("U-1111", "load-1")),
            "part": rows("part", part("B", name_en="worse", upload="U-1111"), part("C", upload="U-1111")),
            "contains": rows("contains", line("A", "C", upload="U-1111")),
        }
        workspace.submit(ChangeSet(put=put, by="L01", load="load-1"))
        preview = undo(workspace, "U-1111", dry_run=True)
        assert preview.deleted == {"part": 1, "contains": 1}
        assert preview.restored == {"part": 1}
        assert state(workspace)["part"]["number"].to_list() == ["A", "B", "C", "M"]
        assert undo(workspace, "load-1") == preview
        after = state(workspace)
        assert after["upload"]["state"].to_list() == ["undone"]
        same({**after, "upload": before["upload"]}, before)
        with pytest.raises(Conflict) as twice:
            undo(workspace, "U-1111")
        assert twice.value.code == "upload.undone"


def test_a_row_that_somebody_changed_since_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        first = {
            "upload": rows("upload", upload("U-1", "l1")),
            "part": rows("part", part("A", upload="U-1"), part("B", upload="U-1")),
        }
        workspace.submit(ChangeSet(put=first, by="L01", load="l1"))
        workspace.submit(change(part=rows("part", part("A", name_en="mine", upload="U-2"))))
        assert undo(workspace, "U-1").deleted == {"part": 1}
        assert state(workspace)["part"]["name_en"].to_list() == ["mine"]


def test_an_upload_that_later_facts_need_is_not_taken_back(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        first = {
            "upload": rows("upload", upload("U-1", "l1")),
            "part": rows("part", part("A", upload="U-1"), part("B", upload="U-1")),
        }
        workspace.submit(ChangeSet(put=first, by="L01", load="l1"))
        workspace.submit(change(contains=rows("contains", line("A", "B"))))
        before = state(workspace)
        with pytest.raises(Conflict) as refused:
            undo(workspace, "U-1")
        assert refused.value.code == "delete.referred"
        assert "L01/A/L01/B" in str(refused.value)
        same(state(workspace), before)


def test_rows_that_a_replacing_upload_removed_return(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        first = {
            "upload": rows("upload", upload("U-1", "l1")),
            "part": rows("part", part("A", upload="U-1"), part("B", upload="U-1")),
        }
        workspace.submit(ChangeSet(put=first, by="L01", load="l1"))
        before = state(workspace)
        second = {
            "upload": rows("upload", upload("U-1", "l1", state="replaced"), upload("U-2", "l2")),
            "part": rows("part", part("A", name_en="new", upload="U-2")),
        }
        gone = {"part": rows("part", part("B"))["key"]}
        workspace.submit(ChangeSet(put=second, delete=gone, by="L01", load="l2"))
        undo(workspace, "U-2")
        after = state(workspace)
        assert dict(zip(after["upload"]["id"], after["upload"]["state"], strict=True)) == {
            "U-1": "loaded",
            "U-2": "undone",
        }
        same({**after, "upload": before["upload"]}, before)


def test_an_unknown_number_is_said_to_be_unknown(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace, pytest.raises(NotFound) as unknown:
        undo(workspace, "U-nothing")
    assert unknown.value.code == "upload.unknown"
