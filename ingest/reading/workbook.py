"""An XLSX workbook to Arrow files of text, one for each visible sheet. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fastexcel
import polars as pl

from .limits import Limits, Unreadable


def parse(path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> list[dict[str, object]]:
    """Write the cells of each visible sheet as text to an Arrow file in `out`; columns and rows as for CSV.

    Dates come as `2025-03-01 00:00:00`, numbers as short as they can be written, error cells (`#N/A`) as empty. `tell`
    is called after each sheet.
    """
    try:
        book = fastexcel.read_excel(str(path))
    except fastexcel.FastExcelError as error:
        raise Unreadable("file.damaged", reason=str(error).splitlines()[0]) from error
    tables: list[dict[str, object]] = []
    cells = 0
    for number, name in enumerate(book.sheet_names):
        try:
            sheet = book.load_sheet(number, header_row=None, skip_rows=0, dtypes="string")
            if sheet.visible != "visible":
                tables.append({"sheet": name, "hidden": True, "parts": []})
                continue
            if sheet.width > limits.columns:
                raise Unreadable("file.too_wide", columns=sheet.width, limit=limits.columns)
            cells += sheet.width * sheet.total_height
            if cells > limits.cells:
                raise Unreadable("file.too_large", limit=f"{limits.cells} cells")
            frame = sheet.to_polars()
        except fastexcel.FastExcelError as error:
            raise Unreadable("file.damaged", reason=str(error).splitlines()[0]) from error
        frame.columns = [str(i) for i in range(frame.width)]
        frame = frame.with_columns(row=pl.int_range(1, frame.height + 1, dtype=pl.Int64))
        part = out / f"{number:05}.arrow"
        frame.write_ipc(part, compression="uncompressed")
        tables.append({"sheet": name, "hidden": False, "parts": [part.name] if frame.height else []})
        tell(number + 1, len(book.sheet_names))
    return tables
