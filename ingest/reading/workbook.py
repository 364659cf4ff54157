"""A workbook (XLSX, XLSB, XLS, ODS) to Arrow files of text, one for each visible sheet. Runs in the child process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import fastexcel
import polars as pl

from . import ods_marks, xls_marks, xlsx_marks
from .limits import Limits, Unreadable
from .parts import Parts

_Marks = xlsx_marks.Marks | xls_marks.Marks | ods_marks.Marks
_MARKS: dict[str, Callable[[Path, Limits], _Marks]] = {
    "XLSX": xlsx_marks.Marks,
    "XLS": xls_marks.Marks,
    "ODS": ods_marks.Marks,
}
_PASSWORD = ("password", "encrypted")


def parse(
    path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None], found: str = "XLSX"
) -> list[dict[str, object]]:
    """Write the cells of each visible sheet as text to an Arrow file in `out`; columns and rows as for CSV.

    Dates come as `2025-03-01 00:00:00`, numbers as short as they can be written, error cells (`#N/A`) as empty. `tell`
    is called after each sheet. Macros and formulas are never run: cells are what they were when the file was saved.
    """
    try:
        book = fastexcel.read_excel(str(_named(path, out, found)))
    except fastexcel.FastExcelError as error:
        raise _unreadable(error) from error
    if len(book.sheet_names) > limits.sheets:
        raise Unreadable("file.too_large", limit=f"{limits.sheets} sheets")
    parts = Parts(out, limits)
    tables: list[dict[str, object]] = []
    marks = _MARKS[found](path, limits) if found in _MARKS else None
    for number, name in enumerate(book.sheet_names):
        try:
            sheet = book.load_sheet(number, header_row=None, skip_rows=0, dtypes="string")
            if sheet.visible != "visible":
                tables.append({"sheet": name, "hidden": True, "parts": []})
                continue
            parts.asked(sheet.total_height, sheet.width)
            frame = sheet.to_polars()
        except fastexcel.FastExcelError as error:
            raise _unreadable(error) from error
        frame.columns = [str(i) for i in range(frame.width)]
        told: dict[str, object] = {"sheet": name, "hidden": False, "parts": []}
        if frame.height and frame.width:
            if marks is not None:
                frame, more = _placed(frame, marks, name, limits)
                told |= more
            told["parts"] = [parts.write(frame)]
        tables.append(told)
        tell(number + 1, len(book.sheet_names))
    return tables


def _named(path: Path, out: Path, found: str) -> Path:
    """The file under a name by which the library opens it for what it is."""
    suffix = "." + found.lower()
    if path.suffix.lower() in {suffix, ".xlsm"} and found in {suffix[1:].upper(), "XLSX"}:
        return path
    named = out / f"book{suffix}"
    try:
        named.symlink_to(path)
    except OSError:  # where links need a right
        shutil.copyfile(path, named)
    return named


def _unreadable(error: fastexcel.FastExcelError) -> Unreadable:
    said = str(error).splitlines()[0]
    if any(word in str(error).casefold() for word in _PASSWORD):
        return Unreadable("file.encrypted")
    if "limit exceeded" in str(error).casefold():  # repeated cells of ODS
        return Unreadable("file.too_large", limit=said)
    return Unreadable("file.damaged", reason=said)


def _placed(frame: pl.DataFrame, marks: _Marks, name: str, limits: Limits) -> tuple[pl.DataFrame, dict[str, object]]:
    """A sheet with the empty columns at its left, which the library leaves out, and what its XML says of the layout."""
    first = next((row for row in frame.head(limits.columns).iter_rows() if any(each is not None for each in row)), None)
    if first is None:
        return frame, {}
    said = marks.of(name)
    left = 0
    if said.first is not None:
        left = max(0, said.first - next(i for i, each in enumerate(first) if each is not None))
    if left:
        if left + frame.width > limits.columns:
            raise Unreadable("file.too_wide", columns=left + frame.width, limit=limits.columns)
        frame = frame.rename({str(i): str(i + left) for i in reversed(range(frame.width))})
        frame = frame.select(*(pl.lit(None, pl.String).alias(str(i)) for i in range(left)), pl.all())
    return frame, {
        "merges": said.merges,
        "hidden_columns": [column for column in said.hidden_columns if column < frame.width],
        "hidden_rows": said.hidden_rows,
        "hidden_row": said.hidden_row,
    }
