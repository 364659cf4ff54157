"""Sheets as people lay them out: titles, headers of two rows, merged cells, totals, several tables on a sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from chaingraph import Workspace
from ingest.headers import recognised
from ingest.load import load
from ingest.reading import FileRead, Table, read
from tests.ingest.files import parser, text, workbook

Cells = Sequence[Sequence[object]]


def book(path: Path, rows: Cells, *changes: Callable[[Worksheet], object]) -> Path:
    """A workbook of one sheet as a spreadsheet writes it."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "S"
    for row in rows:
        sheet.append(list(row))
    for change in changes:
        change(sheet)
    made.save(path)
    return path


def merged(*ranges: str) -> Callable[[Worksheet], None]:
    def change(sheet: Worksheet) -> None:
        for each in ranges:
            sheet.merge_cells(each)

    return change


def seen(path: Path) -> FileRead:
    return read(path, recognised, child=parser())


def only(path: Path) -> Table:
    (table,) = seen(path).tables
    return table


def headings(table: Table) -> list[str]:
    return list(table.header.values())


def notes(table: Table) -> list[tuple[str, list[int | None], list[str | None]]]:
    return [(note.code, note.rows["row"].to_list(), note.rows["value"].to_list()) for note in table.notes]


def test_a_merged_title_above_the_header_is_no_header(tmp_path: Path) -> None:
    rows: Cells = [["某公司物料清单"], ["物料编码", "名称", "规格"], ["A12", "轴承", "6204"]]
    table = only(book(tmp_path / "a.xlsx", rows, merged("A1:C1")))
    assert (headings(table), table.header_row) == (["物料编码", "名称", "规格"], 2)
    assert table.cells.rows() == [(3, "A12", "轴承", "6204")]


def test_a_group_heading_gives_way_to_the_names_below_it(tmp_path: Path) -> None:
    rows: Cells = [
        ["来料检验月报"],
        ["物料编码", "批次号", "检验情况", None, None, "检验日期"],
        [None, None, "收货数量", "检验数量", "拒收数量", None],
        ["A12", "L1", 100, 20, 1, "2025-03-01"],
    ]
    table = only(book(tmp_path / "a.xlsx", rows, merged("A1:F1", "A2:A3", "B2:B3", "C2:E2", "F2:F3")))
    assert headings(table) == ["物料编码", "批次号", "收货数量", "检验数量", "拒收数量", "检验日期"]
    assert table.header_row == 3
    assert table.cells.rows() == [(4, "A12", "L1", "100", "20", "1", "2025-03-01")]


def test_names_that_stand_twice_below_groups_are_told_apart_by_them(tmp_path: Path) -> None:
    rows: Cells = [
        ["物料编码", "名称", "一厂", None, "二厂", None],
        [None, None, "产量", "返工", "产量", "返工"],
        ["A12", "轴承", 1, 2, 3, 4],
    ]
    table = only(book(tmp_path / "a.xlsx", rows, merged("A1:A2", "B1:B2", "C1:D1", "E1:F1")))
    assert headings(table) == ["物料编码", "名称", "一厂/产量", "一厂/返工", "二厂/产量", "二厂/返工"]
    assert table.cells.rows() == [(3, "A12", "轴承", "1", "2", "3", "4")]


def test_a_group_and_a_name_that_are_known_together(tmp_path: Path) -> None:
    rows: Cells = [["物料编码", "生产", None], [None, "日期", "数量"], ["A12", "2025-03-01", 5]]
    table = only(book(tmp_path / "a.xlsx", rows, merged("A1:A2", "B1:C1")))
    assert headings(table)[1] == "生产日期"
    assert all(map(recognised, headings(table)[:2]))


def test_two_header_rows_without_merged_cells_in_csv(tmp_path: Path) -> None:
    content = "物料编码,检验情况,,检验日期\n,检验数量,拒收数量,\nA12,20,1,2025-03-01\n"
    table = only(text(tmp_path, "a.csv", content))
    assert headings(table) == ["物料编码", "检验数量", "拒收数量", "检验日期"]
    assert table.cells.rows() == [(3, "A12", "20", "1", "2025-03-01")]


def test_a_second_header_row_in_english(tmp_path: Path) -> None:
    table = only(text(tmp_path, "a.csv", "物料编码,名称,我方代码\nPart No.,Name,Our code\nA12,轴承,7\n"))
    assert headings(table) == ["物料编码", "名称", "我方代码"]
    assert table.cells.rows() == [(3, "A12", "轴承", "7")]


def test_a_row_of_units_below_the_header(tmp_path: Path) -> None:
    table = only(text(tmp_path, "a.csv", "物料编码,运行时间,结局\n,(h),\nA12,1200,失效\n"))
    assert headings(table) == ["物料编码", "运行时间(h)", "结局"]
    assert table.cells.height == 1


def test_a_first_record_with_an_empty_cell_is_no_second_header(tmp_path: Path) -> None:
    table = only(text(tmp_path, "a.csv", "物料编码,名称,\n,轴承,甲\nA13,丝杠,乙\n"))
    assert table.cells["row"].to_list() == [2, 3]


def test_values_of_vertically_merged_cells_are_in_all_their_rows(tmp_path: Path) -> None:
    rows: Cells = [["供应商", "物料编码", "数量"], ["甲厂", "A1", 1], [None, "A2", 2], [None, "A3", 3], [None, "A4", 4]]
    table = only(book(tmp_path / "a.xlsx", rows, merged("A2:A4")))
    assert table.cells["0"].to_list() == ["甲厂", "甲厂", "甲厂", None]


def test_merged_cells_are_found_right_of_empty_columns(tmp_path: Path) -> None:
    rows: Cells = [[], [None, None, "物料编码", "名称"], [None, None, "A1", "轴承"], [None, None, None, "丝杠"]]
    table = only(book(tmp_path / "a.xlsx", rows, merged("C3:C4")))
    assert table.header == {"2": "物料编码", "3": "名称"}
    assert table.cells.rows() == [(3, "A1", "轴承"), (4, "A1", "丝杠")]


def test_hidden_columns_are_named_and_not_used(tmp_path: Path) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.column_dimensions["B"].hidden = True
        sheet.column_dimensions["Z"].hidden = True

    rows: Cells = [["物料编码", "成本", "名称"], ["A12", 9.5, "轴承"]]
    table = only(book(tmp_path / "a.xlsx", rows, hide))
    assert table.header == {"0": "物料编码", "2": "名称"}
    (note,) = table.notes
    assert (note.code, note.column, note.values) == ("column.hidden", "成本", {"letter": "B"})


def test_a_monthly_report_as_factories_write_it(tmp_path: Path) -> None:
    rows: Cells = [
        ["某精密机械有限公司 来料检验月报（2025年3月）"], ["编制部门：品质部", None, None, "日期：2025年3月31日"], [],
        ["序号", "供应商", "物料编码", "检验情况", None, "合格率", "检验员"],
        [None, None, None, "检验数量", "拒收数量", None, None],
        [1, "甲厂", "A-01", 20, 1, 0.95, "张三"], [2, None, "A-02", 20, 0, 1, "张三"], ["小计", None, None, 40, 1],
        [3, "乙厂", "B-01", 10, 0, 1, "李四"], ["合计", None, None, 50, 1], [],
        ["制表：王五", None, None, None, "审核：赵六"], ["说明：本表数据以系统为准"],
    ]  # fmt: skip

    def hide(sheet: Worksheet) -> None:
        sheet.column_dimensions["F"].hidden = True

    tall = (f"{each}4:{each}5" for each in "ABCFG")
    table = only(book(tmp_path / "a.xlsx", rows, merged("A1:G1", "D4:E4", "B6:B7", *tall), hide))
    assert headings(table) == ["序号", "供应商", "物料编码", "检验数量", "拒收数量", "检验员"]
    assert table.cells.select("row", "1", "2", "3").rows() == [
        (6, "甲厂", "A-01", "20"), (7, "甲厂", "A-02", "20"), (9, "乙厂", "B-01", "10"),
    ]  # fmt: skip
    assert [(n.code, n.column, n.rows["row"].to_list()) for n in table.notes] == [
        ("row.footer", None, [12, 13]), ("row.total", None, [8, 10]), ("column.hidden", "合格率", [5]),
    ]  # fmt: skip


def test_hidden_rows_are_read_and_counted(tmp_path: Path) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.row_dimensions[4].hidden = True

    rows: Cells = [["物料编码", "名称"], ["A1", "甲"], ["A2", "乙"], ["A3", "丙"]]
    table = only(book(tmp_path / "a.xlsx", rows, hide))
    assert table.cells.height == 3
    assert notes(table) == [("row.hidden", [3], [None])]
    assert table.notes[0].values == {"count": 2}


def test_totals_are_left_out_and_named(tmp_path: Path) -> None:
    content = (
        '供应商,物料编码,数量,比例\n甲,A1,5,10%\n甲,小计,5,\n乙,A2,"1,000",20%\n合 计,,"1,005",\n'
        "Total,,1005,-\n乙,合计器,7,1%\n"
    )
    table = only(text(tmp_path, "a.csv", content))
    assert table.cells["row"].to_list() == [2, 4, 7]
    assert notes(table) == [("row.total", [3, 5, 6], ["小计", "合 计", "Total"])]


def test_a_part_that_is_called_total_stays_where_the_rest_is_text(tmp_path: Path) -> None:
    table = only(text(tmp_path, "a.csv", "物料编码,名称,规格\n合计,轴承,特殊\n"))
    assert (table.cells.height, table.notes) == (1, ())


def test_footers_are_left_out_and_their_persons_not_told(tmp_path: Path) -> None:
    content = (
        "物料编码,名称,数量\nA1,甲,5\nA2,,\n合计,,5\n\n备注：,以上为三月数据,\n"
        "制表人：张三,,审核：李四\n以上数据未经核对，仅供参考之用途\n"
    )
    table = only(text(tmp_path, "a.csv", content))
    assert table.cells["row"].to_list() == [2, 3]
    assert notes(table) == [("row.footer", [6, 7, 8], [None, None, None]), ("row.total", [4], ["合计"])]


def test_the_header_of_each_printed_page_is_dropped(tmp_path: Path) -> None:
    content = "某公司清单,,\n物料编码,名称,数量\nA1,甲,1\n\n某公司清单,,\n物料编码,名称,数量\nA2,乙,2\n"
    table = only(text(tmp_path, "a.csv", content))
    assert table.cells.rows() == [(3, "A1", "甲", "1"), (7, "A2", "乙", "2")]
    assert notes(table) == [("row.header_again", [5, 6], [None, None])]


def test_tables_one_below_the_other(tmp_path: Path) -> None:
    rows: Cells = [
        ["表一 零件"], ["物料编码", "名称"], ["A1", "甲"], ["A2", "乙"], ["合计", 2], [],
        ["表二 批次"], ["批次号", "物料编码", "数量"], ["L1", "A1", 100],
    ]  # fmt: skip
    first, second = seen(book(tmp_path / "a.xlsx", rows)).tables
    assert (first.name, second.name) == ("a.xlsx[S]", "a.xlsx[S#2]")
    assert first.cells.rows() == [(3, "A1", "甲"), (4, "A2", "乙")]
    assert (headings(second), second.header_row) == (["批次号", "物料编码", "数量"], 8)
    assert second.cells.rows() == [(9, "L1", "A1", "100")]


def test_tables_of_a_csv_file_have_numbers(tmp_path: Path) -> None:
    found = seen(text(tmp_path, "a.csv", "物料编码,名称\nA1,甲\n\n批次号,物料编码,数量\nL1,A1,100\n"))
    assert [t.name for t in found.tables] == ["a.csv", "a.csv[#2]"]


def test_a_sheet_called_like_a_second_table_keeps_its_name(tmp_path: Path) -> None:
    one: list[list[str | float | None]] = [["物料编码", "名称"], ["A1", "甲"], [], ["批次号", "物料编码"], ["L1", "A1"]]
    found = seen(workbook(tmp_path / "a.xlsx", {"S": one, "S#2": [["物料编码", "名称"], ["A2", "乙"]]}))
    assert [t.name for t in found.tables] == ["a.xlsx[S]", "a.xlsx[S#3]", "a.xlsx[S#2]"]


def test_tables_side_by_side(tmp_path: Path) -> None:
    rows: Cells = [
        ["物料编码", "名称", None, "物料编码", "批次号"],
        ["A1", "甲", None, "A1", "L1"],
        ["A2", "乙", None, None, None],
    ]
    first, second = seen(book(tmp_path / "a.xlsx", rows)).tables
    assert first.cells.rows() == [(2, "A1", "甲"), (3, "A2", "乙")]
    assert second.header == {"3": "物料编码", "4": "批次号"}
    assert second.cells.rows() == [(2, "A1", "L1")]


def test_an_empty_column_within_a_table_is_none_between_two(tmp_path: Path) -> None:
    table = only(text(tmp_path, "a.csv", "物料编码,名称,,批次号,数量\nA1,甲,,L1,5\nA2,乙,,,\nA3,丙,,L3,7\n"))
    assert headings(table) == ["物料编码", "名称", "批次号", "数量"]
    assert table.cells.height == 3


def test_details_above_the_header_are_no_table(tmp_path: Path) -> None:
    content = "供应商,某公司\n日期,2025-03\n\n物料编码,名称,数量\nA1,甲,5\n\nA2,乙,6\n"
    table = only(text(tmp_path, "a.csv", content))
    assert (table.header_row, table.cells["row"].to_list()) == (4, [5, 7])


@pytest.mark.parametrize("sheet", [None, "S"])
def test_two_tables_of_a_sheet_are_two_uploads(workspace: Workspace, tmp_path: Path, sheet: str | None) -> None:
    rows: Cells = [
        ["物料编码", "名称"],
        ["A1", "甲"],
        ["合计", 1],
        [],
        ["批次号", "物料编码", "制造商", "生产日期"],
        ["L1", "A1", "M", "2025-03-01"],
    ]
    if sheet:
        path = book(tmp_path / "a.xlsx", rows)
    else:
        path = text(tmp_path, "a.csv", "\n".join(",".join(str(each) for each in row) for row in rows))
    report = load(workspace, [path], by="M")
    assert len(set(report.uploads.values())) == 2
    said = [(f.code, f.file, f.row, f.value) for f in report.findings if f.code == "row.total"]
    assert said == [("row.total", "a.xlsx[S]" if sheet else "a.csv", 3, "合计")]
    assert workspace.snapshot().table("lot")["code"].to_list() == ["L1"]


def test_a_last_record_that_looks_like_little_stays(tmp_path: Path) -> None:
    content = "物料编码,名称,说明\nA1,甲,x\n备注,备注件,日期：见图\nABC-0000-1234-5678,,\n"
    table = only(text(tmp_path, "a.csv", content))
    assert (table.cells["row"].to_list(), table.notes) == ([2, 3, 4], ())


def test_a_category_called_total_in_the_last_column_is_no_total(tmp_path: Path) -> None:
    table = only(text(tmp_path, "a.csv", "物料编码,名称,规格\nA1,甲,总计\nA2,乙,Total\n"))
    assert (table.cells.height, table.notes) == (2, ())
