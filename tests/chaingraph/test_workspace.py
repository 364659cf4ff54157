"""The workspace: what is committed is seen, loads are seen whole, interrupted ones leave nothing."""

from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from chaingraph import Conflict, Workspace
from chaingraph.changes import COMMIT_ROWS, ChangeSet
from chaingraph.snapshot import Snapshot
from chaingraph.workspace import load_run
from schema import KINDS
from tests.chaingraph.world import change, line, machine, opened, part, rows


def state(workspace: Workspace) -> dict[str, pl.DataFrame]:
    workspace.follow()
    return {name: workspace.snapshot().table(name) for name in KINDS}


def same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    for name in KINDS:
        assert_frame_equal(one[name], other[name])


def test_a_commit_is_seen_by_the_next_view_and_by_another_workspace(tmp_path: Path) -> None:
    with opened(tmp_path) as first, opened(tmp_path) as second:
        assert second.view().count("part") == 0
        before = first.view()
        first.submit(ChangeSet(put=machine(), by="L01"))
        assert before.count("part") == 0, "a view stays at its revision"
        assert first.view().table("part")["number"].to_list() == ["A", "B", "M"]
        assert second.view().count("contains") == 3


def test_replaying_commits_one_by_one_equals_building_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        workspace.submit(change(**machine()))
        workspace.view()
        workspace.submit(change(part=rows("part", part("C"), part("A", name_en="changed"))))
        workspace.view()
        workspace.submit(change(contains=rows("contains", line("A", "C", 4))))
        gone = rows("contains", line("M", "B"))["key"]
        workspace.submit(ChangeSet(delete={"contains": gone}, by="L01"))
        step_by_step = workspace.view()
        assert step_by_step.count("contains") == 3
        fresh = Snapshot.empty().apply(workspace.store.journal())
        for name, each in KINDS.items():
            assert_frame_equal(workspace.snapshot().table(name), fresh.table(name))
            for field in each.refs:
                assert workspace.snapshot().ref(name, field).tolist() == fresh.ref(name, field).tolist()


def test_written_snapshots_are_mapped_back_equal_and_older_ones_go(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        workspace.submit(change(**machine()))
        first = workspace.snapshot()
        first.write(workspace.store.snapshots)
        workspace.submit(change(part=rows("part", part("Z"))))
        workspace.follow()
        written = workspace.snapshot().write(workspace.store.snapshots)
        assert list(workspace.store.snapshots.iterdir()) == [written.folder]
        for name, each in KINDS.items():
            assert_frame_equal(written.table(name), workspace.snapshot().table(name))
            for field in each.refs:
                assert np.array_equal(written.ref(name, field), workspace.snapshot().ref(name, field))
                assert np.array_equal(written.inverse(name, field).rows, workspace.snapshot().inverse(name, field).rows)
    with opened(tmp_path) as again:
        assert again.snapshot().folder is not None, "opened from the mapped files"
        assert again.view().count("part") == 4


def test_a_snapshot_left_by_another_store_is_not_believed(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        workspace.submit(change(**machine()))
        workspace.snapshot().write(workspace.store.snapshots)
    for file in tmp_path.glob("graph.db*"):
        if file.is_file():
            file.unlink()
    with opened(tmp_path) as other:
        other.submit(change(part=rows("part", part("ONLY"))))
        assert other.view().table("part")["number"].to_list() == ["ONLY"]


def test_a_half_written_snapshot_is_ignored_and_swept_up_later(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        workspace.submit(change(**machine()))
        half = workspace.store.snapshots / ".left"
        half.mkdir(parents=True)
        (half / "part.table").write_bytes(b"nothing whole")
        (workspace.store.snapshots / "r1-ofanotherstore").mkdir()
    with opened(tmp_path) as again:
        assert again.snapshot().folder is None
        assert again.view().count("part") == 3
        os.utime(half, (0, 0))
        written = again.snapshot().write(again.store.snapshots)
        assert list(again.store.snapshots.iterdir()) == [written.folder]


def test_a_snapshot_that_cannot_be_written_is_still_answered_from(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaingraph.following.REPLAY_ROWS", 0)
    with opened(tmp_path) as workspace:
        workspace.store.snapshots.write_text("a file where the folder should be")
        workspace.submit(change(**machine()))
        assert workspace.view().count("part") == 3
        assert "could not be written" in caplog.text


def test_a_load_is_invisible_until_its_last_commit(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace, opened(tmp_path) as reader:
        workspace.submit(change(**machine()))
        with workspace.writing():
            workspace.store.commit(
                ChangeSet(put={"part": rows("part", part("X"))}, by="L01", load="big", part=0, last=False)
            )
            assert reader.view().count("part") == 3
            workspace.store.commit(ChangeSet(put={"part": rows("part", part("Y"))}, by="L01", load="big", part=1))
        assert reader.view().count("part") == 5


def test_what_an_interrupted_load_left_is_taken_back_by_the_next_writer(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        workspace.submit(change(**machine()))
        before = state(workspace)
        half = {"part": rows("part", part("X"), part("B", name_zh="改"))}
        workspace.store.commit(ChangeSet(put=half, by="L01", load="big", part=0, last=False))
        gone = rows("contains", line("A", "B"))["key"]
        workspace.store.commit(ChangeSet(delete={"contains": gone}, by="L01", load="big", part=1, last=False))
    with opened(tmp_path) as next_one:
        same(state(next_one), before)
        next_one.submit(change(organisation=rows("organisation", {"id": "S9"})))
        after = state(next_one)
        assert after["organisation"]["id"].to_list() == ["L01", "S1", "S2", "S9"]
        same({**after, "organisation": before["organisation"]}, before)
        with next_one.store.read() as session:
            held = pl.concat(list(session.scan("part")))
        assert_frame_equal(held, before["part"])


def test_a_load_that_fails_in_the_middle_is_taken_back(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        workspace.submit(change(**machine()))
        before = state(workspace)
        run = [
            ChangeSet(put={"part": rows("part", part("X"))}, by="L01", load="l", part=0, last=False),
            ChangeSet(delete={"part": rows("part", part("B"))["key"]}, by="L01", load="l", part=1),
        ]
        with pytest.raises(Conflict) as refused:
            workspace.submit(run)
        assert refused.value.code == "delete.referred"
        same(state(workspace), before)


def test_a_load_is_cut_into_commits_of_bounded_size_things_first() -> None:
    many = pl.DataFrame({"number": [f"P{i:06d}" for i in range(COMMIT_ROWS + 10)], "issuer": "L01"})
    parts = rows("part", part("M")).clear()
    parts = pl.concat([parts, KINDS["part"].frame(many.with_columns(owner=pl.lit("L01"))).with_columns(key="number")])
    lines = rows("contains", line("M", "A"))
    run = list(load_run({"contains": lines, "part": parts}, {"contains": lines["key"]}, by="L01", load="l"))
    assert [each.size for each in run] == [COMMIT_ROWS, 12]
    assert [each.last for each in run] == [False, True]
    assert "contains" not in run[0].put
    empty = list(load_run({}, {}, by="", load="l"))
    assert [(each.size, each.last) for each in empty] == [(0, True)]


def test_a_closed_workspace_lets_go_of_its_graph_at_once(tmp_path: Path) -> None:
    workspace = opened(tmp_path)
    workspace.submit(change(**machine()))
    workspace.view().table("part")
    workspace.start_following()
    assert workspace.wait(20)
    graph = weakref.ref(workspace.snapshot())
    gc.disable()
    try:
        workspace.close()
        del workspace
        assert graph() is None
    finally:
        gc.enable()
