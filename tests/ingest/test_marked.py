"""Files go back as the workbooks that they were, with what is wrong marked in them, and come again as before."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from openpyxl.styles import PatternFill

import ingest.marked
from chaingraph import Workspace
from ingest.load import Looked, load, look
from ingest.marked import marked
from ingest.opening import FINDINGS
from ingest.reading import Limits, Unreadable
from server.api.tables import written
from tests.ingest.files import text

RED, YELLOW, BLUE = "FFFFC7CE", "FFFFEB9C", "FFBDD7EE"


def back(looked: Looked, path: Path, locale: str = "zh", **how: Limits) -> openpyxl.Workbook:
    content = marked(looked, path, locale, **how)
    return openpyxl.load_workbook(io.BytesIO(content))


def links(book: openpyxl.Workbook) -> list[str | None]:
    cells = [row[1] for row in book[FINDINGS].iter_rows(min_row=2)]
    return [cell.hyperlink.location for cell in cells if cell.hyperlink]


def factory(path: Path) -> Path:
    """A workbook as a factory has it: a merged title, an empty column at the left, what looks like a formula."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "lots"
    sheet["B1"] = "某厂供货清单"
    sheet.merge_cells("B1:E1")
    for at, heading in enumerate(["物料编码", "批次号", "数量", "备注"], 2):
        sheet.cell(3, at, heading)
    rows: list[tuple[str | float | None, ...]] = [
        ("A1", "S5", 1, "好"),
        ("A2", "S6", "六成", "=1+1"),
        ("A3", "S7", -3, None),
    ]
    for row, cells in enumerate(rows, 4):
        for at, value in enumerate(cells, 2):
            sheet.cell(row, at, value)
    sheet["E5"].data_type = "s"
    sheet["E5"].quotePrefix = True
    sheet["B4"].fill = PatternFill("solid", fgColor="FF00FF00")
    sheet.column_dimensions["C"].width = 33
    sheet["D4"].number_format = "0.00%"
    other = book.create_sheet("零部件")
    other.append(["物料编码", "名称"])
    other.append(["A1", "轴承"])
    book.save(path)
    return path


def test_bad_cells_are_coloured_and_commented_in_the_workbook_as_it_was(workspace: Workspace, tmp_path: Path) -> None:
    path = factory(tmp_path / "供货.xlsx")
    book = back(look(workspace, [path], by="S1"), path)
    assert book.sheetnames == [FINDINGS, "lots", "零部件"]
    sheet = book["lots"]
    assert [sheet[at].fill.fgColor.rgb for at in ("D5", "D6")] == [RED, RED]
    assert sheet["D5"].comment is not None
    assert "错误" in sheet["D5"].comment.text
    assert "处理" in sheet["D5"].comment.text
    assert sheet["D4"].comment is None
    assert (sheet["B4"].fill.fgColor.rgb, sheet["D4"].number_format) == ("FF00FF00", "0.00%")
    assert sheet.column_dimensions["C"].width == 33
    assert [str(merged) for merged in sheet.merged_cells.ranges] == ["B1:E1"]
    assert sheet.sheet_view.selection[0].activeCell == "D5"
    assert (sheet["E5"].value, sheet["E5"].data_type, sheet["E5"].quotePrefix) == ("=1+1", "s", True)
    assert [s.title for s in book.worksheets if s.sheet_view.tabSelected] == [FINDINGS]


def test_the_list_in_front_links_to_the_cells(workspace: Workspace, tmp_path: Path) -> None:
    path = factory(tmp_path / "供货.xlsx")
    book = back(look(workspace, [path], by="S1"), path, "en")
    sheet = book[FINDINGS]
    rows = list(sheet.iter_rows(min_row=2))
    at = {row[1].value: row for row in rows}
    assert "'lots'!D5" in links(book)
    assert [cell.value for cell in at["lots!D5"][2:6]] == ["lots", 5, "数量", "六成"]
    assert rows[0][0].value == "Error"
    assert rows[0][0].fill.fgColor.rgb == RED


def test_what_goes_back_says_the_same_when_it_comes_again(workspace: Workspace, tmp_path: Path) -> None:
    path = factory(tmp_path / "供货.xlsx")
    first = look(workspace, [path], by="S1")
    again = tmp_path / "again" / "供货.xlsx"
    again.parent.mkdir()
    again.write_bytes(marked(first, path))
    second = look(workspace, [again], by="S1")
    assert [s.table.name for s in second.opened.sheets] == [s.table.name for s in first.opened.sheets]
    for old, new in zip(first.opened.sheets, second.opened.sheets, strict=True):
        assert (new.table.header, new.table.header_row) == (old.table.header, old.table.header_row)
        assert new.table.cells.equals(old.table.cells)
    assert second.report.findings == first.report.findings
    book = openpyxl.load_workbook(again)
    book["lots"]["D5"] = 1
    book.save(again)
    third = back(look(workspace, [again], by="S1"), again)["lots"]
    assert (third["D5"].comment, third["D5"].fill.fill_type) == (None, None)
    assert third["D6"].fill.fgColor.rgb == RED


def test_a_csv_file_becomes_a_workbook_with_the_same_rows(workspace: Workspace, tmp_path: Path) -> None:
    content = "供货清单,,\n\n物料编码,批次号,数量\n0012,S5,1\n'=A2,S6,=1+1\n"
    path = text(tmp_path, "lots.csv", content)
    first = look(workspace, [path], by="S1")
    sheet = back(first, path)["lots"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)] == [
        ["物料编码", "批次号", "数量"], ["0012", "S5", "1"], ["'=A2", "S6", "=1+1"],
    ]  # fmt: skip
    assert (sheet["A1"].value, sheet["C5"].data_type, sheet["C5"].fill.fgColor.rgb) == ("供货清单", "s", RED)
    again = tmp_path / "lots.xlsx"
    again.write_bytes(marked(first, path))
    second = look(workspace, [again], by="S1")
    assert second.opened.sheets[0].table.cells.equals(first.opened.sheets[0].table.cells)
    assert second.put["lot"]["part"].to_list() == first.put["lot"]["part"].to_list()


def test_questions_are_blue_at_their_headings(workspace: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "寿命.csv", "物料编码,累计工作时间(h)\nA1,100\nA2,200\n")
    looked = look(workspace, [path], by="S1")
    asked = [q for s in looked.opened.sheets for q in s.questions if q.answer is None]
    assert asked
    book = back(looked, path)
    levels = [row[0].value for row in book[FINDINGS].iter_rows(min_row=2)]
    assert "待确认" in levels
    fills = {cell.fill.fgColor.rgb for cell in book["寿命"][1]}
    assert fills & {BLUE, RED}


def test_of_a_large_file_the_bad_rows_come_back_with_their_numbers(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.marked, "MOST_CELLS", 100)
    lines = [f"A{i},S5,{'很多' if i in (50, 90) else 1}" for i in range(100)]
    path = text(tmp_path, "lots.csv", "物料编码,批次号,数量\n" + "\n".join(lines) + "\n")
    book = back(look(workspace, [path], by="S1"), path)
    sheet = book["lots"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["行号 row no", "物料编码", "批次号", "数量"],
        [52, "A50", "S5", "很多"],
        [92, "A90", "S5", "很多"],
    ]
    assert sheet["D3"].fill.fgColor.rgb == RED
    assert links(book) == ["'lots'!D2", "'lots'!D3"]
    again = tmp_path / "again.xlsx"
    sheet["D2"], sheet["D3"] = 1, 1
    book.save(again)
    assert not load(workspace, [again], by="S1").refused
    assert workspace.view("S1").table("lot").height == 2


def test_tables_of_one_sheet_are_marked_each_where_it_is(workspace: Workspace, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["物料编码", "批次号", "生产日期"])
    sheet.append(["A1", "B1", "哪天"])
    for _ in range(3):
        sheet.append([])
    sheet.append(["物料编码", "发货日期", "发货数量"])
    sheet.append(["A1", "2025-03-01", "几个"])
    path = tmp_path / "月报.xlsx"
    book.save(path)
    looked = look(workspace, [path], by="S1")
    marks = back(looked, path).worksheets[1]
    bad = {(f.row, f.column) for f in looked.report.findings if f.severity == "error"}
    assert {(2, "生产日期"), (7, "发货数量")} <= bad
    assert (marks["C2"].fill.fgColor.rgb, marks["C7"].fill.fgColor.rgb) == (RED, RED)
    assert marks["C6"].fill.fgColor.rgb != RED


def test_a_table_of_another_format_becomes_a_workbook(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "lots.parquet"
    pl.DataFrame({"物料编码": ["A1", "A2"], "批次号": ["B1", "B2"], "数量": ["3", "多"]}).write_parquet(path)
    first = look(workspace, [path], by="S1")
    sheet = back(first, path)["lots"]
    (row,) = [f.row for f in first.report.findings if f.severity == "error"]
    assert (sheet.cell(row or 0, 3).value, sheet.cell(row or 0, 3).fill.fgColor.rgb) == ("多", RED)


def test_a_file_that_breaks_the_bounds_comes_back_as_no_workbook(workspace: Workspace, tmp_path: Path) -> None:
    path = factory(tmp_path / "供货.xlsx")
    looked = look(workspace, [path], by="S1")
    with pytest.raises(Unreadable, match=r"file\.too_large"):
        marked(looked, path, limits=Limits(seconds=0.01))


def test_texts_like_formulas_are_themselves_again_after_an_export() -> None:
    from ingest.formulas import defused, restored

    said = ["=1+1", "'=1+1", "''=1", "+CMD", "-a", "-5", "@x", "'quoted'", "＝1", "plain", "", None]
    frame = pl.DataFrame({"text": said})
    out = frame.select(defused(pl.col("text"))).to_series()
    assert out.to_list() == [
        "'=1+1",
        "''=1+1",
        "'''=1",
        "'+CMD",
        "'-a",
        "-5",
        "'@x",
        "'quoted'",
        "'＝1",
        "plain",
        "",
        None,
    ]
    assert restored(out).to_list() == said


def test_what_looks_like_a_formula_goes_out_harmless_and_comes_back_as_it_was(
    workspace: Workspace, tmp_path: Path
) -> None:
    content = '物料编码,名称\nA1,"=HYPERLINK(""http://x"")"\n-A2,@SUM(A1)\nA3,-5\nA4,\'quoted\'\n'
    assert not load(workspace, [text(tmp_path, "parts.csv", content)], by="S1").refused
    table = workspace.view("S1").table("part").select("number", "name_zh")
    assert '=HYPERLINK("http://x")' in table["name_zh"].to_list()
    out = tmp_path / "out" / "parts.csv"
    out.parent.mkdir()
    out.write_bytes(written(table, "csv"))
    lines = out.read_text(encoding="utf-8-sig").splitlines()[1:]
    cells = [cell for line in csv.reader(lines) for cell in line]
    assert not [cell for cell in cells if cell[:1] in set("=+@\t\r") or (cell[:1] == "-" and cell != "-5")]
    total = look(workspace, [out], by="S1").report.total
    assert (total.same, total.new, total.changed) == (4, 0, 0)
