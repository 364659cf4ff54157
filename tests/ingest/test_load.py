"""Loading: files sent twice, growing sheets, dry and strict runs, uploads taken back or replaced, rights, samples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from chaingraph import NotFound, Workspace
from ingest.load import load
from ingest.opening import Step
from ingest.retract import undo
from schema import KINDS
from tests.ingest.files import codes, copied, shared, take, text, workbook

ROOT = Path(__file__).parents[2]
LIFE = "part,maker,event,age,unit,serial,id\n"


def state(workspace: Workspace) -> dict[str, list[tuple[object, ...]]]:
    """All rows but for the moments of uploads."""
    snapshot = workspace.snapshot()
    return {name: snapshot.table(name).drop("at", strict=False).rows() for name in KINDS}


def revision(workspace: Workspace) -> int:
    return workspace.store.head().revision


def test_rows_say_where_they_came_from(workspace: Workspace, tmp_path: Path) -> None:
    report = take(workspace, tmp_path, "parts.csv", "\nnumber,备注\nA,x\n\nB,\n", by="L01")
    rows = workspace.snapshot().table("part").select("key", "owner", "upload", "row", "extra", "stub").rows()
    upload = report.uploads["parts.csv"]
    assert rows == [("L01/A", "L01", upload, 3, '{"备注":"x"}', False), ("L01/B", "L01", upload, 5, None, False)]
    record = workspace.snapshot().table("upload").row(0, named=True)
    assert (
        record.items()
        >= {"id": upload, "file": "parts.csv", "kind": "part", "rows": 2, "taken": 2, "by": "L01"}.items()
    )
    assert len(record["sha256"]) == 64


def test_only_what_changed_goes_on(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,轴\nB,承\n")
    report = take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,轴\nB,轴承\nC,座\n")
    assert vars(report.total) | {} == {
        "read": 3, "new": 1, "changed": 1, "same": 1, "refused": 0, "raw": 0, "removed": 0, "contradicting": 0,
    }  # fmt: skip
    assert workspace.view().table("part")["name_zh"].to_list() == ["轴", "轴承", "座"]


def test_dry_run(workspace: Workspace, tmp_path: Path) -> None:
    report = take(workspace, tmp_path, "parts.csv", "number\nA\n", dry_run=True)
    assert report.dry_run
    assert report.total.new == 1
    assert revision(workspace) == 0


def test_strict_takes_nothing_on_any_error(workspace: Workspace, tmp_path: Path) -> None:
    content = "number,age_unit\nA,h\nB,光年\n"
    report = take(workspace, tmp_path, "parts.csv", content, strict=True)
    assert (report.taken, report.total.new, report.total.refused) == (False, 0, 2)
    assert revision(workspace) == 0
    assert take(workspace, tmp_path, "parts.csv", content).total.new == 1


def test_a_growing_sheet_counts_nothing_twice(workspace: Workspace, tmp_path: Path) -> None:
    january = LIFE + "A,S1,failure,100,h,,\nA,S1,failure,100,h,,\nA,S1,failure,120,h,M7,\nA,S1,failure,90,h,,SP1\n"
    take(workspace, tmp_path, "life_records.csv", january)
    assert workspace.view().count("life_record") == 4
    report = take(workspace, tmp_path, "life_records.csv", january + "A,S1,failure,100,h,,\nA,S1,failure,300,h,,\n")
    assert (report.total.new, report.total.same) == (2, 4)
    assert workspace.view().count("life_record") == 6
    assert codes(report) == [("life_record.repeated", 2, None, None)]
    (warned,) = [f for f in report.findings if f.code == "life_record.repeated"]
    assert warned.text.en.startswith("2 rows without number and serial equal rows of another file")


def test_columns_in_another_order_are_the_same_records(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "life_records.csv", "part,event,age,unit\nA,失效,100,h\n")
    report = take(
        workspace, tmp_path, "life_records.csv", "单位,累计工作时间,失效标识,物料编码\n小时,100.0,failure,A\n"
    )
    assert report.total.same == 1


def test_equal_rows_of_two_files_of_one_load(workspace: Workspace, tmp_path: Path) -> None:
    first = text(tmp_path, "维修一月.csv", "part,event,age,unit\nA,failure,100,h\n")
    second = text(tmp_path, "维修二月.csv", "part,event,age,unit\nA,failure,100,h\nA,failure,200,h\n")
    report = load(workspace, [first, second])
    assert workspace.view().count("life_record") == 2
    assert ("key.repeated", "维修二月.csv") in {(f.code, f.file) for f in report.findings}


def test_a_renumbered_bill_of_materials_is_the_same(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "contains.csv", "序号,父件编码,子件编码,用量\n1,A,B,2\n2,A,C,1\n")
    report = take(workspace, tmp_path, "contains.csv", "序号,父件编码,子件编码,用量\n1,A,X,1\n2,A,B,2\n3,A,C,1\n")
    assert (report.total.new, report.total.same, report.total.changed) == (1, 2, 0)
    assert workspace.snapshot().table("contains").select("find_no", "extra").unique().rows() == [(None, None)]


def test_rows_of_two_files_that_contradict_each_other(workspace: Workspace, tmp_path: Path) -> None:
    first = text(tmp_path, "a.csv", "物料编码,名称\nA,轴\n")
    report = load(workspace, [first, text(tmp_path, "b.csv", "物料编码,名称\nB,承\nA,承\n")])
    assert [(f.code, f.file, f.row, f.text.en) for f in report.findings] == [
        ("key.duplicate", "a.csv", 2, "It has the key of row b.csv:3 and says something else (local/A)."),
        ("key.duplicate", "b.csv", 3, "It has the key of row a.csv:2 and says something else (local/A)."),
    ]


def test_a_guessed_encoding_is_shown(workspace: Workspace, tmp_path: Path) -> None:
    report = load(workspace, [text(tmp_path, "parts.csv", "物料编码,名称,联系人\nA,轴承,张三\n", "gb18030")])
    (found,) = [f for f in report.findings if f.code == "file.decoded"]
    assert found.text.en == "Decoded as gb18030; the first rows read: 物料编码 | 名称 ⏎ A | 轴承"


def test_undo_gives_back_what_was_there(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,轴\n")
    take(workspace, tmp_path, "contains.csv", "parent,child\nA,B\n")
    before = state(workspace)
    report = take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,主轴\nB,承\nC,座\n")
    gone = undo(workspace, report.uploads["parts.csv"])
    assert (gone.total.removed, gone.total.changed) == (1, 2)
    after = state(workspace)
    assert [row[5:] for row in after["part"]] == [row[5:] for row in before["part"]]
    assert {name: rows for name, rows in after.items() if name not in {"part", "upload"}} == {
        name: rows for name, rows in before.items() if name not in {"part", "upload"}
    }
    states = dict(workspace.snapshot().table("upload").select("id", "state").rows())
    assert states[report.uploads["parts.csv"]] == "undone"
    again = take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,主轴\nB,承\nC,座\n")
    assert (again.total.new, again.total.changed) == (1, 2)


def test_a_thing_that_others_refer_to_stays_as_a_placeholder(workspace: Workspace, tmp_path: Path) -> None:
    report = take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,轴\nB,承\n")
    take(workspace, tmp_path, "contains.csv", "parent,child\nA,B\n")
    undo(workspace, report.uploads["parts.csv"])
    rows = workspace.view().table("part").select("key", "stub", "name_zh").rows()
    assert rows == [("local/A", True, None), ("local/B", True, None)]


def test_undo_of_what_is_not_there(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="There is no upload U-0"):
        undo(workspace, "U-0")


def test_replace_retracts_what_is_not_brought_again(workspace: Workspace, tmp_path: Path) -> None:
    report = take(workspace, tmp_path, "life_records.csv", LIFE + "A,S1,failure,100,h,,R1\nA,S1,failure,200,h,,R2\n")
    old = report.uploads["life_records.csv"]
    new = take(
        workspace, tmp_path, "life_records.csv", LIFE + "A,S1,failure,100,h,,R1\nA,S1,failure,300,h,,R3\n", replace=old
    )
    table = workspace.view().table("life_record")
    assert table.select("id", "upload").rows() == [
        ("R1", new.uploads["life_records.csv"]), ("R3", new.uploads["life_records.csv"]),
    ]  # fmt: skip
    assert dict(workspace.snapshot().table("upload").select("id", "state").rows())[old] == "replaced"
    with pytest.raises(NotFound):
        take(workspace, tmp_path, "parts.csv", "number\nA\n", replace="U-0")


def test_things_are_changed_by_their_owner_or_an_administrator(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "organisations.csv", "id,name_zh\nL01,链主\nS05,轴承厂\n")
    take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,轴\n", by="L01")
    shared(workspace, "local", "L01")
    report = take(workspace, tmp_path, "parts.csv", "number,issuer,name_zh\nA,L01,不是轴\n", by="S05")
    assert [(f.code, f.row, f.text.en) for f in report.findings] == [
        ("row.not_yours", 2, "L01/A belongs to L01 and is not yours to change.")
    ]
    assert take(workspace, tmp_path, "parts.csv", "number,issuer,name_zh\nA,L01,轴\n", by="S05").total.same == 1
    assert (
        take(workspace, tmp_path, "organisations.csv", "id,name_zh\nS05,轴承厂有限公司\n", by="S05").total.changed == 1
    )
    assert take(workspace, tmp_path, "parts.csv", "number,issuer,name_zh\nA,L01,主轴\n").total.changed == 1
    assert workspace.snapshot().table("part").select("name_zh", "owner").rows() == [("主轴", "L01")]


def test_no_answer_tells_whether_another_firm_has_described_something(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "organisations.csv", "id,name_zh\nL01,链主\nL02,另一链主\nS05,轴承厂\n")
    take(workspace, tmp_path, "consortia.csv", "id,leader\nC,L01\n")
    take(workspace, tmp_path, "members.csv", "consortium,organisation\nC,S05\nC,L02\n")
    take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,轴\n", by="L01")

    def told(file: str, header: str, there: str, absent: str) -> list[tuple[object, ...]]:
        """What S05 is told of two rows, names of the two aside."""
        reports = [
            take(workspace, tmp_path, file, f"{header}\n{row}\n", by="S05", dry_run=True) for row in (there, absent)
        ]
        names = re.compile(r"(L02|L09|(?<=/|F)[AZ])")
        return [
            ([(f.code, f.row, f.column, names.sub("?", f.text.en)) for f in report.findings], vars(report.total))
            for report in reports
        ]

    for file, header, there, absent in (
        ("parts.csv", "number,issuer,name_zh", "A,L01,轴", "Z,L01,轴"),
        ("parts.csv", "number,issuer,name_zh", "A,L01,不是轴", "Z,L01,不是轴"),
        ("organisations.csv", "id,name_zh", "L02,另一链主", "L09,另一链主"),
        ("members.csv", "organisation,consortium", "L02,C", "L09,C"),
        ("contains.csv", "child,parent", "L01/A,TOP", "L01/Z,TOP"),
    ):
        one, other = told(file, header, there, absent)
        assert one == other
        assert workspace.snapshot().table("part").select("number", "name_zh").rows() == [("A", "轴")]


def test_owners_state_one_thing_differently(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "parts.csv", "number\nA\nB\n", by="L01")
    for owner, quantity in (("L01", 2), ("S05", 3)):
        take(workspace, tmp_path, "contains.csv", f"parent,child,quantity\nL01/A,L01/B,{quantity}\n", by=owner)
    assert workspace.snapshot().table("contains").select("owner", "quantity").rows() == [("L01", 2.0), ("S05", 3.0)]


def test_a_workbook_is_a_dataset_in_one_file(workspace: Workspace, tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "数据.xlsx",
        {
            "contains": [["物料清单"], ["父件编码", "子件编码", "用量"], ["A", "B", 2]],
            "parts": [["物料编码", "名称"], ["A", "轴"], ["B", "承"]],
        },
    )
    report = load(workspace, [path], by="L01")
    assert not report.findings
    assert workspace.view().table("contains").select("parent", "child", "quantity").rows() == [("L01/A", "L01/B", 2.0)]
    assert set(report.uploads) == {"数据.xlsx[contains]", "数据.xlsx[parts]"}


def test_progress_is_told(workspace: Workspace, tmp_path: Path) -> None:
    steps: list[Step] = []
    take(workspace, tmp_path, "parts.csv", "number\nA\n", progress=steps.append)
    assert [step.stage for step in steps] == ["read", "check", "check", "write", "write"]
    assert all(step.done <= step.total for step in steps)


SAMPLES = {"故障维修记录_2025": "L01", "来料检验_月报": "L01", "索赔明细_含个人信息列": "L02"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with the demo consortium."""
    folder = tmp_path_factory.mktemp("demo") / "store"
    with Workspace.open(f"sqlite:///{folder}/graph.db") as workspace:
        load(workspace, [ROOT / "fixtures" / "demo"])
    return folder


@pytest.fixture
def demo(loaded: Path, tmp_path: Path) -> Iterator[Workspace]:
    with copied(loaded, tmp_path) as workspace:
        yield workspace


def test_a_dataset_folder_twice(demo: Workspace) -> None:
    folder = ROOT / "fixtures" / "demo"
    before, at = state(demo), revision(demo)
    assert set(demo.snapshot().table("upload")["file"]) == {path.name for path in folder.glob("*.csv")}
    again = load(demo, [folder])
    assert (again.revision, again.uploads) == (None, {})
    assert not again.findings
    assert again.total.same == again.total.read > 1000
    assert (state(demo), revision(demo)) == (before, at)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_uploads_are_taken_as_they_are(demo: Workspace, name: str) -> None:
    report = load(demo, [ROOT / "fixtures" / "uploads" / f"{name}.csv"], by=SAMPLES[name])
    assert not report.refused
    assert report.total.new + report.total.raw == report.total.read
    assert load(demo, [ROOT / "fixtures" / "uploads" / f"{name}.csv"], by=SAMPLES[name]).revision is None


def test_the_repair_sheet(demo: Workspace) -> None:
    load(demo, [ROOT / "fixtures" / "uploads" / "故障维修记录_2025.csv"], by="L01")
    rows = demo.view().table("life_record")
    first = rows.filter(serial="VMC1000").row(0, named=True)
    expected = {"part": "L01/A12", "maker": "S05", "lot": "L01/A12/S05/LZ2503", "age": 9000.0, "unit": "h", "row": 4}
    assert first.items() >= (expected | {"event": "suspension", "extra": '{"零件名称":"主轴轴承"}'}).items()
    assert len(rows) == 40


def test_the_claims_sheet(demo: Workspace) -> None:
    load(demo, [ROOT / "fixtures" / "uploads" / "索赔明细_含个人信息列.csv"], by="L02")
    row = demo.view().table("life_record").filter(id="SP20250000").row(0, named=True)
    expected = {
        "part": "L02/B13",
        "event": "failure",
        "origin": "warranty",
        "age": 6968.0,
        "unit": "km",
        "symptom": "电机异响",
    }
    assert row.items() >= expected.items()
    assert row["serial"].startswith("h:")
    assert row["extra"] == '{"故障编号":"P0A60","工时费":"194","材料费":"661"}'


def test_what_has_no_kind_yet_is_reported_and_not_lost(demo: Workspace, tmp_path: Path) -> None:
    report = load(demo, [text(tmp_path, "培训记录.csv", "课程,学时,满意度\nFMEA 基础,8,92\nSPC 入门,4,88\n")], by="L01")
    assert [(f.code, f.severity) for f in report.findings] == [("sheet.unknown", "warning")]
    rows = demo.snapshot().table("raw_row").sort("number")
    assert len(rows) == report.total.raw == 2
    assert rows["data"].str.json_path_match("$.课程").to_list() == ["FMEA 基础", "SPC 入门"]
    assert rows.select(pl.col("row").first(), pl.col("owner").first()).row(0) == (2, "L01")


def test_an_inspection_sheet_is_known_by_its_columns(demo: Workspace) -> None:
    report = load(demo, [ROOT / "fixtures" / "uploads" / "来料检验_月报.csv"], by="L01")
    assert not report.refused
    rows = demo.view("L01").table("inspection").sort("row")
    assert len(rows) == report.total.new == 24
    assert rows.select("maker", "received", "checked", "rejected", "ppm").row(1) == ("S24", 200, 80, 2, 25000.0)


def test_what_another_firm_states_otherwise_is_told_where_it_is_seen(workspace: Workspace, tmp_path: Path) -> None:
    heading = "part,supplier,customer,lead_time_days\n"
    take(workspace, tmp_path, "parts.csv", "number\nB\nC\n", by="L01", administrator=True)
    first = heading + "L01/B,S1,L01,30\nL01/C,S1,L01,20\n"
    take(workspace, tmp_path, "supplies.csv", first, by="L01", administrator=True)
    shared(workspace, "L01")
    report = take(workspace, tmp_path, "supplies.csv", heading + "L01/B,S1,L01,60\nL01/C,S1,L01,20\n", by="S1")
    told = [(f.code, f.row, f.column, f.value, f.text.en) for f in report.findings if f.code == "row.contradicts"]
    assert told == [("row.contradicts", 2, "lead_time_days", "60.0", "L01 states otherwise (30.0).")]
    assert report.total.contradicting == 1


def test_what_is_not_seen_contradicts_nothing(workspace: Workspace, tmp_path: Path) -> None:
    heading = "part,supplier,customer,lead_time_days\n"
    take(workspace, tmp_path, "parts.csv", "number\nB\nC\n", by="L01", administrator=True)
    take(workspace, tmp_path, "supplies.csv", heading + "L01/B,S1,L01,30\n", by="L01", administrator=True)
    report = take(workspace, tmp_path, "supplies.csv", heading + "L01/B,S1,L01,60\n", by="S1")
    assert report.total.contradicting == 0
    assert "row.contradicts" not in {f.code for f in report.findings}


def test_a_column_that_a_sheet_has_not_stays_as_it_was(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "parts.csv", "number,name_zh,part_class,颜色\nA,轴,shaft,红\nB,承,bearing,蓝\n", by="S1")
    report = take(workspace, tmp_path, "parts.csv", "number,name_en,part_class\nA,Shaft,\nB,Bearing,bearing\n", by="S1")
    assert report.total.changed == 2
    found = workspace.view().table("part").select("number", "name_zh", "name_en", "part_class", "extra").rows()
    assert found == [
        ("A", "轴", "Shaft", None, '{"颜色":"红"}'), ("B", "承", "Bearing", "bearing", '{"颜色":"蓝"}'),
    ]  # fmt: skip
    take(workspace, tmp_path, "parts.csv", "number,issuer,name_en\nA,S1,Axle\n")
    by_an_administrator = workspace.view().table("part").select("owner", "name_zh", "name_en").row(0)
    assert by_an_administrator == ("S1", "轴", "Axle"), "nor when an administrator mends one column"
    take(workspace, tmp_path, "parts.csv", "number,name_en\nA,Shaft\n", by="S1")
    again = take(workspace, tmp_path, "parts.csv", "number,name_en\nA,Shaft\n", by="S1")
    assert again.total.same == 1
