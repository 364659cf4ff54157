"""Templates read back as what they were made from."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from openpyxl.utils import get_column_letter

from chaingraph import NotFound, Workspace
from ingest.cleaning import booleans
from ingest.headers import reading, sheet_kinds
from ingest.load import load, look
from ingest.opening import GUIDE
from ingest.templates import filled, template, workbook
from tests.ingest.files import take


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("of", [kind.name for kind in sheet_kinds()])
def test_every_column_of_a_template_is_its_field(of: str, locale: str) -> None:
    (kind,) = [k for k in sheet_kinds() if k.name == of]
    (header,) = csv.reader([template(of, locale).decode("utf-8-sig").strip()])
    read = reading({str(i): heading for i, heading in enumerate(header)}, kind)
    assert [column.field.name for column in read.columns] == [name for name in kind.fields if name != "stub"]
    assert all(column.scale.factor == 1 and column.scale.unit is None for column in read.columns)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("of", [kind.name for kind in sheet_kinds()])
def test_a_workbook_says_the_same_as_the_csv(of: str, locale: str) -> None:
    read = pl.read_excel(workbook(of, locale), sheet_id=0, engine="calamine", has_header=False)
    (header,) = csv.reader([template(of, locale).decode("utf-8-sig").strip()])
    (kind,) = [k for k in sheet_kinds() if k.name == of]
    assert list(read) == [kind.sheet, GUIDE]
    assert list(read[kind.sheet or ""].row(0)) == header
    assert read[GUIDE].get_columns()[0].to_list()[1 : len(header) + 1] == header


def test_headings_stay_in_view_and_say_what_they_mean() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(workbook("inspections")))["inspections"]
    at = {cell.value: cell for cell in sheet[1]}
    assert sheet.freeze_panes == "A2"
    assert all(cell.font.b and cell.comment for cell in sheet[1])
    assert at["物料编码*"].fill.fgColor.rgb != at["检验单号"].fill.fgColor.rgb
    assert "IQC单号" in str(at["检验单号"].comment)
    assert sheet.column_dimensions["A"].number_format == "@"


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_lists_offer_what_is_understood(locale: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook("lots", locale)))
    (offered,) = book["lots"].data_validations.dataValidation
    (column,) = [n for n, cell in enumerate(book["lots"][1], 1) if cell.value in {"单件", "Individual"}]
    assert str(offered.sqref).startswith(f"{get_column_letter(column)}2:")
    sheet, area = offered.formula1.rsplit("!", 1)
    assert sheet == f"'{GUIDE}'"
    listed = [cell.value for (cell,) in book[GUIDE][area.replace("$", "")]]
    assert booleans(pl.Series(listed)).values.to_list() == [True, False]


def test_a_workbook_loads_when_a_row_is_added(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "从某处下载.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(workbook("parts", "zh")))
    book["parts"]["A2"] = "0012"
    book.save(path)
    assert not load(workspace, [path]).refused
    assert workspace.view().table("part")["number"].to_list() == ["0012"]
    assert not workspace.view().table("raw_row").height


@pytest.fixture
def known(workspace: Workspace, tmp_path: Path) -> Workspace:
    """S1 has three parts, one of S9's numbering, one that looks like a formula; S2 has another."""
    assert not take(workspace, tmp_path, "organisations.csv", "组织代码,名称\nS9,阀厂\n", by="S1").refused
    content = "物料编码,编码方,名称,重要度\n0012,,轴承,关键\n'=A3,,箱体,\nX7,S9,阀,\n"
    assert not take(workspace, tmp_path, "parts.csv", content, by="S1").refused
    assert not take(workspace, tmp_path, "more_parts.csv", "物料编码,名称\nB1,泵\n", by="S2").refused
    return workspace


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_ones_own_parts_come_filled_in_and_go_back_unchanged(known: Workspace, tmp_path: Path, locale: str) -> None:
    path = tmp_path / "own.xlsx"
    path.write_bytes(filled(known.view("S1"), "parts", locale))
    looked = look(known, [path], by="S1")
    assert (looked.report.total.same, looked.report.total.new, looked.report.total.changed) == (3, 0, 0)
    assert looked.opened.sheets[0].table.cells["0"].to_list() == ["0012", "=A3", "X7"]


def test_a_row_for_each_own_part_waits_to_be_filled_in(known: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "shipments.xlsx"
    content = filled(known.view("S1"), "shipments")
    path.write_bytes(content)
    empty = look(known, [path], by="S1")
    assert "row.only_part" in {f.code for f in empty.report.findings}
    assert (empty.opened.sources, empty.report.refused) == ([], False)
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book["shipments"]
    at = {str(cell.value).rstrip("*"): number for number, cell in enumerate(sheet[1], 1)}
    assert [sheet.cell(row, at["物料编码"]).value for row in (2, 3, 4)] == ["0012", "=A3", "S1:S9/X7"]
    sheet.cell(4, at["发货日期"]).value = "2025-03-01"
    sheet.cell(4, at["数量"]).value = 70
    book.save(path)
    report = load(known, [path], by="S1")
    assert (report.total.new, report.refused) == (1, False)
    assert known.view("S1").table("shipment")["part"].to_list() == ["S1:S9/X7"]
    parts = [v for v in sheet.data_validations.dataValidation if str(v.sqref).startswith("A2")]
    assert len(parts) == 1


def test_a_kind_goes_by_its_names() -> None:
    assert template("life_records") == template("life_record") == template("寿命数据")
    with pytest.raises(NotFound, match="no kind of sheet x"):
        template("x")
