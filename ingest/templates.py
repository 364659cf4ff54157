"""An empty sheet of a kind, for people to fill in: its heading row, which reads back as what it was made from."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from xml.sax.saxutils import escape

import polars as pl

from chaingraph import NotFound
from ingest.headers import fold, sheet_kinds
from schema import Kind, Text

REQUIRED = "*"
"""Behind the heading of a column that must be there."""

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (  # style 0 is general, 1 text (format 49), so that 0012 stays 0012
        f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="2">'
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>'
    ),
}  # fmt: skip
"""What a workbook of one sheet needs besides the sheet (ECMA-376)."""


def sheet_kind(name: str) -> Kind:
    """The kind of sheet that somebody means by the name of the kind or of its file. Raises NotFound, naming them
    all.
    """
    for kind in sheet_kinds():
        if fold(name) in {fold(kind.name), fold(kind.sheet or ""), fold(kind.text.zh), fold(kind.text.en)}:
            return kind
    known = ", ".join(kind.sheet or "" for kind in sheet_kinds())
    raise NotFound(
        "kind.unknown",
        Text(f"没有 {name} 这种表。", f"There is no kind of sheet {name}."),
        Text(f"可选：{known}。", f"There are: {known}."),
    )


def headings(kind: Kind, locale: str) -> list[str]:
    """The headings of a sheet of that kind, in one language."""
    fields = [f for f in kind.fields.values() if f.name != "stub"]
    return [f.label.say(locale) + (REQUIRED if f.required else "") for f in fields]


def template(name: str, locale: str = "zh") -> bytes:
    """The template of a kind of sheet as CSV in UTF-8 with a byte order mark, which spreadsheets need to show
    Chinese.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(headings(sheet_kind(name), locale))
    return codecs.BOM_UTF8 + text.getvalue().encode()


def workbook(name: str, locale: str = "zh") -> bytes:
    """The template of a kind of sheet as XLSX; columns of texts are formatted so, that codes keep their zeros."""
    kind = sheet_kind(name)
    shown = headings(kind, locale)
    fields = [f for f in kind.fields.values() if f.name != "stub"]
    columns = "".join(
        f'<col min="{i}" max="{i}" width="{max(10, 2 * len(heading))}" style="{int(field.dtype == pl.String())}"/>'
        for i, (field, heading) in enumerate(zip(fields, shown, strict=True), 1)
    )
    cells = "".join(f'<c s="1" t="inlineStr"><is><t>{escape(heading)}</t></is></c>' for heading in shown)
    parts = _PARTS | {
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{kind.sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/worksheets/sheet1.xml": (
            f'<worksheet xmlns="{_MAIN}"><cols>{columns}</cols>'
            f'<sheetData><row r="1">{cells}</row></sheetData></worksheet>'
        ),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts.items():
            archive.writestr(zipfile.ZipInfo(path), _XML + text)
    return file.getvalue()
