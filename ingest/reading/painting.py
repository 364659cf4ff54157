"""A file given back with its bad cells coloured and commented. Runs in the child process, as the file is not trusted.

What to mark is `marks.json` in the folder of the job, which `ingest.marked` writes; `marked.xlsx` is made there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from . import magic, zips
from .limits import Limits
from .worker import main as work
from .worker import result as parsed

AUTHOR = "chaingraph"
"""Who commented: by it marks of last time are known, and go."""
_FILLS = {"error": "FFFFC7CE", "warning": "FFFFEB9C", "question": "FFBDD7EE"}
_GRAVITY = ("error", "warning", "question")
_LINKS = 60_000
"""Excel takes 65,530 links on a sheet."""
_WIDE, _SHORT = 60, 8
_ROW_HEADING = "行号 row no"
"""A heading that the reader passes over."""
_RUN = re.compile(r"^'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

Marks = Mapping[str, Any]
"""`findings`: title and rows of the list, each with `cells`, and `sheet`, `row`, `position` and `note` where it is
about a cell; `sheets`: by name `header` (headings by position) of the first table and `header_rows` of all; `titles`:
the names by what the reader calls a sheet; `big`: only bad rows come back.
"""


def main() -> None:
    """Mark files under the limits until there are no more."""
    work(painted)


def painted(path: Path, out: Path, limits: Limits) -> dict[str, object]:
    """Write `marked.xlsx` to `out`; raises Unreadable for a file that cannot be parsed."""
    marks: Marks = json.loads((out / "marks.json").read_text(encoding="utf-8"))
    if not marks["big"] and magic.container(path) == "zip" and zips.kind(path, limits)[0] == "XLSX":
        with path.open("rb") as file:  # by its name openpyxl would not take every one
            book = openpyxl.load_workbook(file, data_only=True, keep_links=False)
        _keep_as_text(book)
        offsets = {name: _offset(book[name], sheet) for name, sheet in marks["sheets"].items() if name in book}
        _paint(book, marks, offsets)
        book.save(out / "marked.xlsx")
    else:
        said = parsed(path, out, limits)
        tables: Any = said["tables"]
        titles = marks["titles"]
        read = [t for t in tables if t["parts"] and (t["sheet"] or "") in titles]
        frames = {titles[t["sheet"] or ""]: _frame(out, t["parts"]) for t in read}
        if marks["big"]:
            _bad_rows(frames, marks, out)
        else:
            book = openpyxl.Workbook()
            book.remove(book.worksheets[0])
            for title, frame in frames.items():
                _copied(book.create_sheet(title), frame)
            _paint(book, marks, dict.fromkeys(frames, 0))
            book.save(out / "marked.xlsx")
    return {"tables": []}


def _frame(out: Path, parts: Sequence[str]) -> pl.DataFrame:
    return pl.concat([pl.read_ipc(out / part) for part in parts])


def _clean(value: Any) -> Any:
    """A value that XML can say."""
    return _ILLEGAL.sub("�", value)[:32_767] if isinstance(value, str) else value


def _keep_as_text(book: openpyxl.Workbook) -> None:
    """Texts that look like formulas stay texts, also when somebody edits them."""
    for cell in _cells(book):
        if isinstance(cell, Cell) and isinstance(cell.value, str) and _RUN.match(cell.value):
            cell.data_type = "s"
            cell.quotePrefix = True


def _cells(book: openpyxl.Workbook) -> Iterator[Cell | MergedCell]:
    """The cells that there are: of a sheet with two cells far apart these, and not all between them."""
    for sheet in book.worksheets:
        yield from list(sheet._cells.values())  # noqa: SLF001 - what openpyxl offers makes the others


def _offset(sheet: Worksheet, layout: Mapping[str, Any]) -> int:
    """How many empty columns stand left of the first one that was read: where the headings are found."""
    header = {int(position): heading for position, heading in layout["header"].items()}
    cells = [_text(cell.value) for cell in sheet[layout["header_rows"][0]]]

    def found(offset: int) -> int:
        return sum(cells[at + offset] == text for at, text in header.items() if at + offset < len(cells))

    return max(range(len(cells) or 1), key=found, default=0)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _copied(sheet: Worksheet, frame: pl.DataFrame) -> None:
    """The rows of a file at their numbers, as the texts that they are."""
    written = 0
    for row, *cells in frame.select("row", pl.exclude("row")).iter_rows():
        while written < row - 1:
            sheet.append([])
            written += 1
        sheet.append([_texted(sheet, value) for value in cells])
        written += 1
    for at, column in enumerate(frame.columns[:-1], 1):
        longest = frame[column].head(100).str.len_chars().max()
        width = longest if isinstance(longest, int) else 0
        sheet.column_dimensions[get_column_letter(at)].width = min(_WIDE, max(_SHORT, 2 + width * 1.3))


def _texted(sheet: Any, value: str | None) -> Any:
    if value is None:
        return None
    cell = WriteOnlyCell(sheet, None)
    cell.value = _clean(value)
    cell.data_type = "s"
    cell.number_format = "@"
    if _RUN.match(value):
        cell.quotePrefix = True
    return cell


def _paint(book: openpyxl.Workbook, marks: Marks, offsets: Mapping[str, int]) -> None:
    """Colour and comment cells, stand on the first bad one of each sheet, and put the list of all in front."""
    if marks["title"] in book:
        book.remove(book[marks["title"]])
    _unpaint(book)
    places: list[tuple[str, str] | None] = []
    notes: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in marks["findings"]:
        sheet = book[each["sheet"]] if each["sheet"] in offsets else None
        if sheet is None:
            places.append(None)
            continue
        cell = _anchor(sheet, each["row"], 1 + each["position"] + offsets[each["sheet"]])
        places.append((sheet.title, cell.coordinate))
        if each["level"] in _GRAVITY:
            notes.setdefault((sheet.title, cell.coordinate), []).append(each)
    first: dict[str, Cell] = {}
    for (name, coordinate), found in notes.items():
        cell = book[name][coordinate]
        level = min((each["level"] for each in found), key=_GRAVITY.index)
        cell.fill = PatternFill("solid", fgColor=_FILLS[level], bgColor=_FILLS[level])
        said = "\n\n".join(dict.fromkeys(each["note"] for each in found))
        kept = f"{cell.comment.text}\n\n" if cell.comment else ""
        cell.comment = Comment(_clean(kept + said), AUTHOR, width=360, height=40 + 18 * (1 + len(said) // 24))
        if name not in first or (cell.row, cell.column) < (first[name].row, first[name].column):
            first[name] = cell
    for name, cell in first.items():
        _stand(book[name], cell)
    _listed(book.create_sheet(marks["title"], 0), marks, places)
    for each_sheet in book.worksheets:
        each_sheet.sheet_view.tabSelected = each_sheet.title == marks["title"]
    book.active = 0


def _unpaint(book: openpyxl.Workbook) -> None:
    """Take the marks of last time away."""
    for cell in _cells(book):
        if cell.comment is not None and cell.comment.author == AUTHOR:
            cell.comment = None
            cell.fill = PatternFill()


def _anchor(sheet: Worksheet, row: int, column: int) -> Cell:
    """The cell, or of merged cells the one that shows."""
    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell):
        for merged in sheet.merged_cells.ranges:
            if cell.coordinate in merged:
                cell = sheet.cell(merged.min_row, merged.min_col)
    assert isinstance(cell, Cell)
    return cell


def _stand(sheet: Any, cell: Cell) -> None:
    """Make a cell the one that the sheet opens at."""
    view = sheet.sheet_view
    top = f"{get_column_letter(max(1, cell.column - 5))}{max(1, cell.row - 5)}"
    if view.pane is None:
        view.topLeftCell = top
    for selection in view.selection:
        selection.activeCell = selection.sqref = cell.coordinate


def _listed(sheet: Any, marks: Marks, places: Iterable[tuple[str, str] | None]) -> None:
    """The list of all findings, each with a link to its cell."""
    for at, width in enumerate((10, 24, 24, 8, 20, 24, 60, 60), 1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    sheet.freeze_panes = "A2"
    sheet.append([_styled(sheet, heading, font=Font(bold=True)) for heading in marks["headings"]])
    for number, (each, place) in enumerate(zip(marks["findings"], places, strict=True), 2):
        cells = [_styled(sheet, value, alignment=Alignment(wrap_text=True, vertical="top")) for value in each["cells"]]
        if each["level"] in _FILLS:
            cells[0].fill = PatternFill("solid", fgColor=_FILLS[each["level"]])
        if place is not None:
            shown = cells[1]
            shown.value = _clean(f"{place[0]}!{place[1]}")
            shown.data_type = "s"
            if number <= _LINKS:
                target = "'" + place[0].replace("'", "''") + "'!" + place[1]
                shown.hyperlink = Hyperlink(ref="", location=target)
                shown.hyperlink.ref = f"B{number}"
                shown.font = Font(color="FF0563C1", underline="single")
        sheet.append(cells)


def _styled(sheet: Any, value: Any, **style: Any) -> Any:
    cell = WriteOnlyCell(sheet, None)
    cell.value = _clean(value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = bool(_RUN.match(value))
    for name, each in style.items():
        setattr(cell, name, each)
    return cell


def _bad_rows(frames: Mapping[str, pl.DataFrame], marks: Marks, out: Path) -> None:
    """A workbook of the headings and the bad rows alone, their numbers in the file in the first column; row by row."""
    book = openpyxl.Workbook(write_only=True)
    listed = book.create_sheet(marks["title"])
    places: list[tuple[str, str] | None] = [None] * len(marks["findings"])
    for name, layout in marks["sheets"].items():
        if name not in frames:
            continue
        found: dict[tuple[int, int], list[dict[str, Any]]] = {}
        about: dict[int, tuple[int, int]] = {}
        for number, each in enumerate(marks["findings"]):
            if each["sheet"] == name:
                about[number] = (each["row"], each["position"])
                if each["level"] in _GRAVITY:
                    found.setdefault(about[number], []).append(each)
        headers = set(layout["header_rows"])
        kept = frames[name].filter(pl.col("row").is_in(list(headers | {row for row, _ in found})))
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        now: dict[int, int] = {}
        at = 0
        for row, *cells in kept.select("row", pl.exclude("row")).iter_rows():
            if at and row in headers:  # another table
                sheet.append([])
                at += 1
            at += 1
            now[row] = at
            line: list[Any] = [_ROW_HEADING if row in headers else row]
            for position, value in enumerate(cells):
                cell = _texted(sheet, value)
                if (row, position) in found:
                    cell = _texted(sheet, value or "")
                    some = found[row, position]
                    level = min((each["level"] for each in some), key=_GRAVITY.index)
                    cell.fill = PatternFill("solid", fgColor=_FILLS[level])
                    cell.comment = Comment(_clean("\n\n".join(e["note"] for e in some)), AUTHOR, width=360, height=140)
                line.append(cell)
            sheet.append(line)
        for number, (row, position) in about.items():
            if row in now:
                places[number] = (name, f"{get_column_letter(position + 2)}{now[row]}")
    _listed(listed, marks, places)
    book.save(out / "marked.xlsx")
