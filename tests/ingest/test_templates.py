"""Templates read back as what they were made from."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from chaingraph import NotFound, Workspace
from ingest.headers import reading, sheet_kinds
from ingest.load import load
from ingest.templates import template, workbook


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
    (sheet,) = pl.read_excel(workbook(of, locale), sheet_id=0, engine="calamine", has_header=False).items()
    (header,) = csv.reader([template(of, locale).decode("utf-8-sig").strip()])
    (kind,) = [k for k in sheet_kinds() if k.name == of]
    assert sheet[0] == kind.sheet
    assert list(sheet[1].row(0)) == header


def test_a_workbook_loads_when_a_row_is_added(workspace: Workspace, tmp_path: Path) -> None:
    """A row as a spreadsheet program would write it, after the heading row."""
    path = tmp_path / "从某处下载.xlsx"
    with zipfile.ZipFile(io.BytesIO(workbook("parts", "zh"))) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            row = b'<row r="2"><c r="A2" s="1" t="inlineStr"><is><t>0012</t></is></c></row></sheetData>'
            new.writestr(name, old.read(name).replace(b"</sheetData>", row))
    assert not load(workspace, [path]).refused
    assert workspace.view().table("part")["number"].to_list() == ["0012"]


def test_a_kind_goes_by_its_names() -> None:
    assert template("life_records") == template("life_record") == template("寿命数据")
    with pytest.raises(NotFound, match="no kind of sheet x"):
        template("x")
