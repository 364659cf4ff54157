"""A sheet as read: text cells, where its header is, and the row numbers that a spreadsheet shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

ROW = "row"
_HEADER_WITHIN = 20


@dataclass(frozen=True)
class Table:
    """A sheet whose header was found.

    `cells` has a text column for each column of the sheet, named by its position (`"0"`, `"1"`, ...), and `row`, the
    record's number in the file from 1; blank rows and what stands above the header are left out. `header` has the
    names by position. `encoding` is None and `excel` true for a workbook.
    """

    file: str
    sheet: str | None
    encoding: str | None
    excel: bool
    header: dict[str, str]
    cells: pl.DataFrame
    header_row: int
    overlong: pl.DataFrame
    """Rows with cells beyond the last column of the header: `row` and the first such `value`."""

    @property
    def name(self) -> str:
        """The file, with the sheet for a workbook."""
        return f"{self.file}[{self.sheet}]" if self.sheet else self.file


def headed(
    frame: pl.DataFrame,
    recognised: Callable[[str], bool],
    *,
    file: str,
    sheet: str | None = None,
    encoding: str | None = None,
) -> Table | None:
    """The table in `frame` (as the child process wrote it), or None when it has no cell that is not blank.

    The header is the first of those of the first 20 rows that have most recognised names; where no row has any, the
    first with two cells or more.
    """
    frame = _without_blank_rows(frame)
    if not frame.height:
        return None
    top = frame.head(_HEADER_WITHIN)
    at = _header_at(list(top.drop(ROW).iter_rows()), recognised)
    names, cells = top.drop(ROW).row(at), frame.slice(at + 1)
    columns = [c for c in frame.columns if c != ROW]
    header, beyond = {}, []
    last = max((i for i, name in enumerate(names) if name is not None and name.strip()), default=-1)
    for i, (column, name) in enumerate(zip(columns, names, strict=True)):
        if name is not None and name.strip():
            header[column] = name.strip()
        elif cells[column].null_count() < cells.height:
            if i < last:
                header[column] = f"#{i + 1}"
            else:
                beyond.append(column)
    value = pl.coalesce(beyond) if beyond else pl.lit(None, pl.String)
    overlong = cells.select(ROW, value=value).drop_nulls("value")
    kept = cells.select(ROW, *header)
    return Table(file, sheet, encoding, encoding is None, header, kept, int(top[ROW][at]), overlong)


def _header_at(rows: list[tuple[str | None, ...]], recognised: Callable[[str], bool]) -> int:
    known = [sum(cell is not None and recognised(cell) for cell in row) for row in rows]
    if max(known) > 0:
        return known.index(max(known))
    wide = (i for i, row in enumerate(rows) if sum(bool(cell and cell.strip()) for cell in row) > 1)
    return next(wide, 0)


def _blank(column: str) -> pl.Expr:
    return pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")


def _without_blank_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with at least one cell that is not blank. Most rows are settled by their first cell."""
    columns: Iterator[str] = (c for c in frame.columns if c != ROW)
    candidates = frame
    for column in columns:
        candidates = candidates.filter(_blank(column))
        if not candidates.height:
            return frame
    return frame.join(candidates.select(ROW), on=ROW, how="anti", maintain_order="left")
