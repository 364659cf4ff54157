"""Every kind of bad input: its code, its message, the place; what was there stays, and good rows are taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import Workspace
from ingest.load import load
from ingest.reading import Limits
from ingest.report import Report
from tests.ingest.files import cell, codes, copied, take, text, workbook

LIFE = "part,maker,event,age,unit,serial,observed_on\n"


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store that has something to lose."""
    folder = tmp_path_factory.mktemp("stock")
    with Workspace.open(f"sqlite:///{folder}/store/graph.db") as workspace:
        take(workspace, folder, "parts.csv", "number,issuer\nA,L01\nB,L01\nC,L01\n")
        take(workspace, folder, "contains.csv", "parent,child,find_no\nL01/A,L01/B,1\nL01/B,L01/C,1\n")
    return folder / "store"


@pytest.fixture
def stocked(stock: Path, tmp_path: Path) -> Iterator[Workspace]:
    with copied(stock, tmp_path) as workspace:
        yield workspace


def only(report: Report, code: str) -> tuple[str, str, str]:
    """Text in both languages and the remedy of the one finding of a code."""
    (found,) = [f for f in report.findings if f.code == code]
    return found.text.zh, found.text.en, found.remedy.en


def lines(workspace: Workspace) -> list[tuple[str, str]]:
    return workspace.view().table("contains").select("parent", "child").rows()


KEPT = [("L01/A", "L01/B"), ("L01/B", "L01/C")]


def test_wrong_encoding(stocked: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "contains.csv"
    path.write_bytes("父件编码,子件编码\n".encode() + b"\xff\xff,\xfe\n")
    report = load(stocked, [path])
    assert codes(report) == [("file.encoding", None, None, None)]
    assert only(report, "file.encoding") == (
        "无法按 UTF-8, GB18030 解码（第 26 字节）。",
        "It cannot be decoded as UTF-8, GB18030 (byte 26).",
        "Save it from the spreadsheet as XLSX or as CSV in UTF-8 and send that.",
    )
    assert lines(stocked) == KEPT


def test_missing_column(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "contains.csv", "parent,quantity\nL01/A,2\n")
    assert codes(report) == [("column.missing", None, "child", None)]
    assert only(report, "column.missing")[:2] == (
        "缺少必需的列“子件编码”（child）。",
        "The required column Child (child) is missing.",
    )
    assert report.total.refused == 1
    assert lines(stocked) == KEPT


def test_a_list_of_ages_that_does_not_say_what_they_are(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "life_records.csv", "part,age\nL01/A,9000\n")
    assert codes(report) == [("column.missing", None, "event", None)]


def test_text_in_a_number(stocked: Workspace, tmp_path: Path) -> None:
    report = take(
        stocked, tmp_path, "contains.csv", "parent,child,find_no,quantity\nL01/A,L01/C,2,两个\nL01/A,L01/C,3,2\n"
    )
    assert codes(report) == [("value.number", 2, "quantity", "两个")]
    assert only(report, "value.number") == ("不是数字。", "It is not a number.", "Give a number.")
    assert lines(stocked) == [KEPT[0], ("L01/A", "L01/C"), KEPT[1]]
    assert (report.total.new, report.total.refused) == (1, 1)


@pytest.mark.parametrize(
    ("age", "code", "english"),
    [
        ("-3", "value.too_small", "Too small: it must be ≥ 0."),
        ("inf", "value.not_finite", "This is not a finite number."),
        ("-Infinity", "value.not_finite", "This is not a finite number."),
        ("NaN", "value.not_finite", "This is not a finite number."),
        ("1e999", "value.not_finite", "This is not a finite number."),
        ("", "value.missing", "A required value is missing."),
    ],
)
def test_ages_that_are_none(stocked: Workspace, tmp_path: Path, age: str, code: str, english: str) -> None:
    content = LIFE + f"L01/A,S1,failure,{age},h,,2025-01-01\nL01/A,S1,failure,5,h,,2025-01-01\n"
    report = take(stocked, tmp_path, "life_records.csv", content)
    assert [(f.code, f.row, f.column) for f in report.findings if f.severity == "error"] == [(code, 2, "age")]
    assert only(report, code)[1] == english
    assert stocked.view().table("life_record")["age"].to_list() == [5.0]


def test_date_in_the_future(stocked: Workspace, tmp_path: Path) -> None:
    year = dt.datetime.now(dt.UTC).year + 2
    report = take(
        stocked, tmp_path, "life_records.csv", LIFE + f"L01/A,,failure,1,h,,{year}-01-01\nL01/A,,failure,1,h,,x\n"
    )
    assert codes(report) == [
        ("value.date", 3, "observed_on", "x"),
        ("date.future", 2, "observed_on", f"{year}-01-01"),
    ]
    assert only(report, "date.future")[1] == f"The date {year}-01-01 is in the future."
    assert only(report, "value.date")[1:] == ("It is not a date.", "Write it as 2025-03-01.")
    assert stocked.view().count("life_record") == 0


def test_unknown_part(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "contains.csv", "parent,child,find_no\nL01/A,X99,9\n")
    (stub,) = [f for f in report.findings if f.code == "reference.stub"]
    assert (stub.severity, stub.row, stub.column, stub.value) == ("info", 2, "child", "local/X99")
    assert stub.text.en == "The part referred to is not described yet; a placeholder was made."
    assert codes(report) == [("contains.dangling_child", 2, "child", "local/X99")]
    assert ("L01/A", "local/X99") in lines(stocked)


def test_cycle(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "contains.csv", "parent,child,find_no\nL01/C,L01/A,1\nL01/A,L01/C,7\n")
    (found,) = [f for f in report.findings if f.row == 2]
    assert (found.code, found.severity) == ("contains.cycle", "error")
    assert found.text.en.startswith("The bill of materials runs in a circle: L01/")
    assert found.text.en.count("→") == 2
    assert set(KEPT) <= set(lines(stocked))
    assert ("L01/C", "L01/A") not in lines(stocked)


def test_self_part(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "contains.csv", "parent,child\nA,L01/A\n")
    assert [(f.code, f.row, f.column) for f in report.findings] == [("contains.self", 2, "child")]
    assert only(report, "contains.self")[:2] == ("零件不能包含自己。", "A part cannot contain itself.")
    assert lines(stocked) == KEPT


def test_duplicate_keys(stocked: Workspace, tmp_path: Path) -> None:
    content = "number,issuer,name_zh\nD,L01,轴\nE,L01,承\nD,L01,轴承\nE,L01,承\n"
    report = take(stocked, tmp_path, "parts.csv", content)
    assert [(f.code, f.row, f.text.en) for f in report.findings] == [
        ("key.duplicate", 2, "It has the key of row 4 and says something else (L01/D)."),
        ("key.duplicate", 4, "It has the key of row 2 and says something else (L01/D)."),
        ("key.repeated", 5, "It is equal to an earlier row and was taken once."),
    ]
    assert (report.total.new, report.total.same, report.total.refused) == (1, 1, 2)
    assert stocked.view().table("part")["key"].to_list() == ["L01/A", "L01/B", "L01/C", "L01/E"]


def test_empty_file(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "contains.csv", "")
    assert codes(report) == [("file.empty", None, None, None)]
    assert only(report, "file.empty")[:2] == ("文件是空的。", "The file is empty.")
    assert codes(take(stocked, tmp_path, "contains.csv", "parent,child\n")) == [("sheet.no_rows", None, None, None)]
    assert lines(stocked) == KEPT


def test_a_sparse_workbook_and_a_renamed_one(stocked: Workspace, tmp_path: Path) -> None:
    body = f'<row r="1">{cell("A1", 1)}</row><row r="1048576">{cell("XFD1048576", 1)}</row>'
    sparse = workbook(tmp_path / "contains.xlsx", {"S": body})
    renamed = tmp_path / "parts.csv"
    renamed.write_bytes(b"%PDF-1.7 and so on")
    report = load(stocked, [sparse, renamed, text(tmp_path, "contains.csv", "parent,child\nL01/A,L01/C\n")])
    assert codes(report) == [("file.too_large", None, None, None), ("file.not_what_it_says", None, None, None)]
    assert only(report, "file.too_large")[1] == "The file is beyond a limit (1536 MiB); reading was stopped."
    assert only(report, "file.not_what_it_says")[1] == "The name says CSV, the content is PDF."
    assert ("L01/A", "L01/C") in lines(stocked)


def test_a_file_beyond_the_limits(stocked: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "contains.csv", "parent,child\n" + "L01/A,L01/C\n" * 10)
    report = load(stocked, [path], limits=Limits(cells=20))
    assert only(report, "file.too_large")[1] == "The file is beyond a limit (20 cells); reading was stopped."
    assert lines(stocked) == KEPT


def test_a_depth_of_ten_thousand_is_taken_with_a_warning(workspace: Workspace, tmp_path: Path) -> None:
    content = "parent,child\n" + "".join(f"P{i},P{i + 1}\n" for i in range(10_000))
    report = take(workspace, tmp_path, "contains.csv", content)
    assert report.total.new == 10_000
    (deep,) = [f for f in report.findings if f.code == "contains.deep"]
    assert deep.text.en == "The bill of materials is 10000 levels deep."


def test_a_code_that_nobody_knows(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "life_records.csv", LIFE + "L01/A,,炸了,1,h,,\n")
    assert codes(report) == [("value.unknown_code", 2, "event", "炸了")]
    assert only(report, "value.unknown_code")[1] == "Not one of the values it may have: failure, suspension, interval."


def test_an_open_end_is_not_taken_for_a_failure(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "life_records.csv", LIFE + "L01/A,,,1,h,M1,\nL01/A,,failure,2,h,M2,\n")
    assert codes(report) == [("value.missing", 2, "event", None)]
    assert report.total.new == 1


@pytest.mark.parametrize(
    ("heading", "cell", "event"),
    [
        ("是否失效", "是", "failure"),
        ("是否失效", "0", "suspension"),
        ("是否截尾", "是", "suspension"),
        ("censored", "N", "failure"),
    ],
)
def test_events_asked_as_a_question(stocked: Workspace, tmp_path: Path, heading: str, cell: str, event: str) -> None:
    take(stocked, tmp_path, "life_records.csv", f"part,age,{heading}\nL01/A,5,{cell}\n")
    assert stocked.view().table("life_record")["event"].to_list() == [event]


def test_a_folder_without_files_and_a_path_that_leads_nowhere(stocked: Workspace, tmp_path: Path) -> None:
    (tmp_path / "空").mkdir()
    report = load(stocked, [tmp_path / "空", tmp_path / "nowhere"])
    assert [(f.code, f.file) for f in report.findings] == [("file.none", "空"), ("file.missing", "nowhere")]


def test_more_cells_than_the_header_has(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "contains.csv", "parent,child\nL01/A,L01/C,oops\n")
    assert codes(report) == [("row.too_long", 2, None, "oops")]
    assert lines(stocked) == KEPT


def test_a_unit_that_does_not_go_with_its_column(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "supplies.csv", "物料编码,供应商代码,交期(km)\nL01/A,S1,5\n")
    assert codes(report) == [("column.unit", None, "交期(km)", "km")]
    assert stocked.view().table("supplies")["lead_time_days"].to_list() == [None]


def test_an_owner_column_is_for_administrators(stocked: Workspace, tmp_path: Path) -> None:
    content = "owner,parent,child\nL02,L01/A,L01/C\nL01,L01/A,L01/C\n"
    report = take(stocked, tmp_path, "contains.csv", content, by="L01")
    assert codes(report) == [("row.owner", 2, "owner", "L02")]
    rows = stocked.snapshot().table("contains")
    assert rows.filter(owner="L02").is_empty()
    assert len(rows.filter(owner="L01")) == 1


def test_many_errors_are_counted_and_not_all_listed(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "contains.csv", "parent,child,quantity\n" + "L01/A,L01/C,x\n" * 250)
    assert len(report.findings) == 100
    assert report.findings[-1].more == 150
    assert report.severities == {"error": 250}
    assert report.to_rows("zh")[-1]["text"] == "不是数字。（另有 150 行）"
