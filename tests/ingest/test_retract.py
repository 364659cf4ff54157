"""Taking back: uploads and whole loads, by number or its beginning; what they had changed or replaced comes back."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest

from chaingraph import ChaingraphError, NotFound, Workspace
from ingest.load import load
from ingest.retract import undo
from schema import KINDS
from tests.ingest.files import take, text

LIFE = "part,maker,event,age,unit,serial,id\n"


def state(workspace: Workspace) -> dict[str, pl.DataFrame]:
    """All rows but for uploads, and the states of these."""
    snapshot = workspace.snapshot()
    return {name: snapshot.table(name) for name in KINDS if name != "upload"} | {
        "upload": snapshot.table("upload").select("key", "state")
    }


def same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> list[str]:
    """The kinds in which they differ."""
    return [name for name in one if not one[name].equals(other[name])]


def states(workspace: Workspace) -> dict[str, str]:
    """The state of each upload by its file."""
    return dict(workspace.snapshot().table("upload").select("file", "state").iter_rows())


@pytest.fixture
def two(workspace: Workspace, tmp_path: Path) -> dict[str, str]:
    """One load of two files: the numbers of the uploads, and that of the load under "load"."""
    report = load(
        workspace,
        [
            text(tmp_path, "parts.csv", "number,name_zh\nA,轴\nB,承\n"),
            text(tmp_path, "contains.csv", "parent,child\nA,B\n"),
        ],
    )
    assert report.load is not None
    return report.uploads | {"load": report.load}


def test_a_load_is_taken_back_whole_in_one_load(workspace: Workspace, two: dict[str, str]) -> None:
    report = undo(workspace, two["load"])
    assert report.load == two["load"]
    assert report.uploads == {name: two[name] for name in ("parts.csv", "contains.csv")}
    assert report.total.removed == 2 + 1 + 1
    assert report.revision == workspace.store.head().revision
    assert all(not table.height for name, table in state(workspace).items() if name != "upload")
    assert set(states(workspace).values()) == {"undone"}


def test_the_beginning_of_a_number_is_enough(workspace: Workspace, two: dict[str, str]) -> None:
    assert undo(workspace, two["parts.csv"][:6]).uploads == {"parts.csv": two["parts.csv"]}
    assert undo(workspace, two["load"][:6]).uploads == {"contains.csv": two["contains.csv"]}


@pytest.mark.parametrize("number", ["", "U-", "U-z0", "L-", "U-3", "A" * 300])
def test_too_short_a_beginning_or_none_is_not_found(workspace: Workspace, two: dict[str, str], number: str) -> None:
    assert two
    with pytest.raises(NotFound, match=r"upload\.unknown: There is no upload"):
        undo(workspace, number)


def test_a_beginning_of_several_numbers_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    alike: list[str] = []
    for i in range(60):  # until two numbers begin with the same two digits
        take(workspace, tmp_path, "parts.csv", f"number\nA{i}\n")
        numbers = workspace.snapshot().table("upload")["key"].to_list()
        alike = [n for n in numbers if sum(other[:4] == n[:4] for other in numbers) > 1]
        if alike:
            break
    with pytest.raises(ChaingraphError, match=f"upload.ambiguous: Several numbers begin with {alike[0][:4]}: U-"):
        undo(workspace, alike[0][:4])


def test_taking_back_what_is_taken_back_changes_nothing_and_says_so(workspace: Workspace, two: dict[str, str]) -> None:
    undo(workspace, two["contains.csv"])
    at = workspace.store.head().revision
    report = undo(workspace, two["contains.csv"])
    assert [(f.code, f.file) for f in report.findings] == [("upload.undone", "contains.csv")]
    assert (report.revision, report.counts, workspace.store.head().revision) == (None, {}, at)
    rest = undo(workspace, two["load"])
    assert [(f.code, f.file) for f in rest.findings] == [("upload.undone", "contains.csv")]
    assert rest.uploads == {"parts.csv": two["parts.csv"]}


def test_a_dry_run_says_the_same_and_changes_nothing(workspace: Workspace, two: dict[str, str]) -> None:
    before = state(workspace)
    tried = undo(workspace, two["load"], dry_run=True)
    assert tried.dry_run
    assert same(before, state(workspace)) == []
    done = undo(workspace, two["load"])
    assert tried.counts == done.counts


def test_what_was_replaced_comes_back_when_what_replaced_it_goes(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,轴\n")
    first = take(workspace, tmp_path, "一月.csv", LIFE + "A,S1,failure,100,h,,R1\nB,S2,failure,200,h,,R2\n")
    take(workspace, tmp_path, "二月.csv", LIFE + "A,S1,failure,150,h,,R1\n")
    before = state(workspace)
    second = take(
        workspace, tmp_path, "三月.csv", LIFE + "A,S1,failure,7,h,,R1\nA,S1,failure,8,h,,R3\n",
        replace=first.uploads["一月.csv"],
    )  # fmt: skip
    assert states(workspace)["一月.csv"] == "replaced"
    assert workspace.view().table("life_record")["id"].to_list() == ["R1", "R3"]
    assert [f.code for f in undo(workspace, first.uploads["一月.csv"]).findings] == ["upload.replaced"]
    assert second.load is not None
    report = undo(workspace, second.load)
    assert [(f.code, f.file) for f in report.findings] == [("upload.back", "一月.csv")]
    after = state(workspace)
    assert same(before, after) == ["upload"]
    assert states(workspace) == {
        "parts.csv": "loaded",
        "一月.csv": "loaded",
        "二月.csv": "loaded",
        "三月.csv": "undone",
    }
    undo(workspace, first.uploads["一月.csv"])
    assert workspace.view().table("life_record").select("id", "age").rows() == [("R1", 150.0)]


def test_of_a_chain_of_replacements_only_the_last_link_opens(workspace: Workspace, tmp_path: Path) -> None:
    numbers = [""]
    for i in range(3):
        report = take(
            workspace, tmp_path, f"{i}.csv", LIFE + f"A,S1,failure,{i + 1},h,,R{i}\n", replace=numbers[-1] or None
        )
        numbers.append(report.uploads[f"{i}.csv"])
    undo(workspace, numbers[3])
    assert states(workspace) == {"0.csv": "replaced", "1.csv": "loaded", "2.csv": "undone"}
    assert workspace.view().table("life_record")["id"].to_list() == ["R1"]
    undo(workspace, numbers[2])
    assert states(workspace) == {"0.csv": "loaded", "1.csv": "undone", "2.csv": "undone"}
    assert workspace.view().table("life_record")["id"].to_list() == ["R0"]


def test_what_comes_back_gets_placeholders_for_what_has_gone_meanwhile(workspace: Workspace, tmp_path: Path) -> None:
    parts = take(workspace, tmp_path, "parts.csv", "number\nA\nB\n")
    first = take(workspace, tmp_path, "一月.csv", LIFE + "A,S1,failure,1,h,,R1\n")
    second = take(workspace, tmp_path, "二月.csv", LIFE + "B,S1,failure,1,h,,R2\n", replace=first.uploads["一月.csv"])
    undo(workspace, parts.uploads["parts.csv"])
    assert workspace.view().table("part").select("number", "stub").rows() == [("B", True)]
    undo(workspace, second.uploads["二月.csv"])
    assert ("A", True) in workspace.view().table("part").select("number", "stub").rows()
    assert workspace.view().table("life_record").select("id", "part").rows() == [("R1", "local/A")]


def test_an_upload_in_force_counts_also_when_another_restated_its_rows_in_between(
    workspace: Workspace, tmp_path: Path
) -> None:
    sheets = [take(workspace, tmp_path, f"parts{i}.csv", f"物料编码,名称\nA,{i}\n").uploads for i in (1, 2)]
    take(workspace, tmp_path, "parts1.csv", "物料编码,名称\nA,1\n")
    undo(workspace, sheets[0]["parts1.csv"])
    assert workspace.view().table("part")["name_zh"].to_list() == ["2"]


def test_a_replacing_file_without_rows_takes_nothing_away(workspace: Workspace, tmp_path: Path) -> None:
    first = take(workspace, tmp_path, "parts.csv", "number\nA\n")
    for content in ("number\n", "nothing\n1\n", ""):
        report = take(workspace, tmp_path, "parts.csv", content, replace=first.uploads["parts.csv"])
        assert report.revision is None
    assert workspace.view().count("part") == 1


@pytest.mark.parametrize("seed", range(3))
def test_any_course_of_uploads_and_undoings_leaves_what_the_uploads_in_force_say(
    workspace: Workspace, tmp_path: Path, seed: int
) -> None:
    """Against a plain model: for each key the last upload in force that stated it."""
    chance = random.Random(seed)
    said: list[tuple[str, dict[str, int]]] = []
    force: dict[str, str] = {}
    replacing: dict[str, str] = {}
    for step in range(14):
        loaded = [upload for upload, how in force.items() if how == "loaded"]
        if loaded and chance.random() < 0.4:
            gone = chance.choice(loaded)
            undo(workspace, gone)
            force[gone] = "undone"
            if gone in replacing:
                force[replacing.pop(gone)] = "loaded"
        else:
            rows = {f"R{k}": 100 * step + k for k in chance.sample(range(6), 3)}
            content = LIFE + "".join(f"A,S1,failure,{age + 1},h,,{key}\n" for key, age in rows.items())
            old = chance.choice(loaded) if loaded and chance.random() < 0.5 else None
            report = take(workspace, tmp_path, f"记录{step}.csv", content, replace=old)
            (upload,) = report.uploads.values()
            said.append((upload, rows))
            force[upload] = "loaded"
            if old is not None:
                force[old], replacing[upload] = "replaced", old
        expected = {
            key: (age + 1, upload) for upload, rows in said if force[upload] == "loaded" for key, age in rows.items()
        }
        table = workspace.view().table("life_record")
        assert {key: (age, by) for key, age, by in table.select("id", "age", "upload").iter_rows()} == expected
        assert dict(workspace.snapshot().table("upload").select("key", "state").iter_rows()) == force


def test_only_ones_own_upload_is_replaced_and_what_goes_is_counted(workspace: Workspace, tmp_path: Path) -> None:
    first = take(workspace, tmp_path, "一月.csv", LIFE + "A,S1,failure,1,h,,R1\nA,S1,failure,2,h,,R2\n", by="L01")
    upload, before = first.uploads["一月.csv"], state(workspace)
    news = LIFE + "A,S1,failure,1,h,,R1\n"
    with pytest.raises(ChaingraphError) as refused:
        take(workspace, tmp_path, "他人.csv", news, by="S05", replace=upload)
    assert refused.value.code == "upload.not_yours"
    assert same(before, state(workspace)) == []
    tried = take(workspace, tmp_path, "二月.csv", news, by="L01", replace=upload, dry_run=True)
    report = take(workspace, tmp_path, "二月.csv", news, by="L01", replace=upload)
    assert tried.count(upload, "life_record").removed == report.count(upload, "life_record").removed == 1
    assert workspace.view().table("life_record")["id"].to_list() == ["R1"]
    strict = take(
        workspace,
        tmp_path,
        "三月.csv",
        news + "A,S1,failure,x,h,,R9\n",
        by="L01",
        strict=True,
        replace=report.uploads["二月.csv"],
    )
    assert not strict.taken
    assert sum(each.removed for each in strict.counts.values()) == 0
    with pytest.raises(ChaingraphError, match="not_yours"):
        take(workspace, tmp_path, "他人.csv", LIFE + "A,S1,failure,x,h,,R9\n", by="S05", replace=upload)
