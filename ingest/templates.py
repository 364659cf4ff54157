"""A sheet of a kind to fill in, empty or with what is known already; it reads back as what it was made from."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from chaingraph import NotFound, View
from ingest import formulas
from ingest.headers import fold, sheet_kinds
from ingest.opening import GUIDE
from schema import Kind, Text
from schema.core import Field

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

REQUIRED = "*"
"""Behind the heading of a column that must be there."""

_ROWS = 10_000
"""Rows down to which a sheet offers its lists."""
_NAMES = 8
_REQUIRED_FILL, _FILL = "FFFCE4D6", "FFDDEBF7"
_YES, _NO = Text("是", "yes"), Text("否", "no")
_GUIDE = (
    Text("列名", "Heading"),
    Text("必填", "Required"),
    Text("含义", "Meaning"),
    Text("填写", "What to write"),
    Text("也可写作", "Other names"),
)
_WRITE: Mapping[type, Text] = {
    int: Text("整数", "A whole number"),
    float: Text("数字", "A number"),
    bool: Text("是或否", "yes or no"),
    str: Text("文本", "Text"),
}
_DATE = Text("日期，如 2025-03-01", "A day, as in 2025-03-01")
_CHOICE = Text("从列表中选择", "One of the list")
_CHOICES = Text("可选一个或多个，用分号分隔", "One or more, separated by semicolons")
_PARTS = Text("本企业零部件", "Own parts")


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
    """The template of a kind of sheet as XLSX: headings that stay in view and say what they mean, lists to choose from,
    codes formatted as text so that they keep their zeros, and a second sheet that explains the columns.
    """
    return _written(_book(sheet_kind(name), locale, [], []))


def filled(view: View, name: str, locale: str = "zh") -> bytes:
    """The template with what the viewer's organisation has: of parts its own, of a sheet about parts a row for each.

    Rows to which nothing is added are passed over when the file comes back.
    """
    kind = sheet_kind(name)
    own = view.table("part").filter((pl.col("owner") == view.viewer) & ~pl.col("stub")).sort("key")
    mine = pl.col("issuer") == view.viewer
    number = pl.when(mine).then(pl.col("number")).otherwise(pl.concat_str("issuer", "number", separator="/"))
    numbers = own.select(number.alias("part")).to_series().to_list()
    if kind.name == "part":
        rows = own.select(f.name for f in _fields(kind)).to_dicts()
    else:
        about = "part" in kind.fields and kind.fields["part"].meta.ref == "part"
        rows = [{"part": each} for each in numbers] if about else []
    return _written(_book(kind, locale, rows, numbers))


def _fields(kind: Kind) -> list[Field]:
    return [f for f in kind.fields.values() if f.name != "stub"]


def _book(kind: Kind, locale: str, rows: Sequence[Mapping[str, object]], parts: Sequence[str]) -> Workbook:
    from openpyxl import Workbook as Book  # which takes a while, and only workbooks need it
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    book = Book()
    sheet = book.worksheets[0]
    sheet.title = kind.sheet or kind.name
    guide = book.create_sheet(GUIDE)
    fields, shown = _fields(kind), headings(kind, locale)
    for at, (field, heading) in enumerate(zip(fields, shown, strict=True), 1):
        cell = sheet.cell(1, at, heading)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor=_REQUIRED_FILL if field.required else _FILL)
        cell.number_format = "@"
        cell.comment = Comment("\n".join(_meaning(field, locale)), "template", width=320, height=120)
        column = sheet.column_dimensions[get_column_letter(at)]
        column.width = max(12, 2 * len(heading) + 2)
        if field.dtype == pl.String():
            column.number_format = "@"
    sheet.freeze_panes = "A2"
    for number, row in enumerate(rows, 2):
        for at, field in enumerate(fields, 1):
            value = row.get(field.name)
            if value is not None:
                _write(sheet, number, at, _said(field, value, locale))
    _explain(guide, fields, shown, locale)
    _offer(sheet, guide, fields, parts, locale)
    return book


def _write(sheet: Worksheet, row: int, column: int, value: str) -> None:
    """A text, never a formula; a reader takes one apostrophe away from what would be one."""
    kept = pl.select(formulas.defused(pl.lit(value))).item() if value.startswith("'") else value
    cell = sheet.cell(row, column, kept)
    cell.data_type, cell.number_format = "s", "@"
    cell.quotePrefix = kept[:1] in "=+-@"


def _said(field: Field, value: object, locale: str) -> str:
    if field.vocabulary is not None:
        return next(each.text.say(locale) for each in field.vocabulary if each.value == value)
    if isinstance(value, bool):
        return (_YES if value else _NO).say(locale)
    return str(value)


def _meaning(field: Field, locale: str) -> list[str]:
    """What a column means, what to write there, and how else it may be called."""
    how = _CHOICES if field.meta.codes else _CHOICE if field.vocabulary else _WRITE.get(field.python_type, _DATE)
    said = [field.label.say(locale), field.description, how.say(locale)]
    if names := field.meta.names[:_NAMES]:
        said.append(f"{_GUIDE[4].say(locale)}: {', '.join(names)}")
    return said


def _explain(guide: Worksheet, fields: Sequence[Field], shown: Sequence[str], locale: str) -> None:
    """The sheet that explains the columns."""
    from openpyxl.styles import Alignment, Font

    guide.append([heading.say(locale) for heading in _GUIDE])
    for field, heading in zip(fields, shown, strict=True):
        _, meaning, how, *_names = _meaning(field, locale)
        guide.append([heading, "✓" if field.required else None, meaning, how, ", ".join(field.meta.names) or None])
    for letter, width in zip("ABCDE", (24, 8, 60, 30, 60), strict=True):
        guide.column_dimensions[letter].width = width
    for row in guide.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=cell.row == 1)
    guide.freeze_panes = "A2"


def _offer(sheet: Worksheet, guide: Worksheet, fields: Sequence[Field], parts: Sequence[str], locale: str) -> None:
    """Lists to choose from, which stand beside the explanations; other spellings are taken too."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    at = len(_GUIDE) + 1
    for number, field in enumerate(fields, 1):
        values = _values(field, parts, locale)
        if not values:
            continue
        at += 1
        for row, value in enumerate([_PARTS.say(locale) if field.meta.ref else field.label.say(locale), *values], 1):
            _write(guide, row, at, value)
        letter, target = get_column_letter(at), get_column_letter(number)
        source = f"'{GUIDE}'!${letter}$2:${letter}${len(values) + 1}"
        offered = DataValidation("list", formula1=source, allow_blank=True, showErrorMessage=False)
        offered.add(f"{target}2:{target}{_ROWS}")
        sheet.add_data_validation(offered)


def _values(field: Field, parts: Sequence[str], locale: str) -> list[str]:
    if field.vocabulary is not None:
        return [each.text.say(locale) for each in field.vocabulary]
    if field.python_type is bool:
        return [_YES.say(locale), _NO.say(locale)]
    return list(parts) if field.meta.ref == "part" else []


def _written(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
