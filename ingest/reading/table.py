"""A sheet as read: text cells, where its header is, and the row numbers that a spreadsheet shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

ROW = "row"


@dataclass(frozen=True)
class Note:
    """Something that was done in reading a table: a code of `ingest.codes`, and the rows that it is about.

    `rows` has `row` and `value`; `values` fill in the text.
    """

    code: str
    rows: pl.DataFrame
    column: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table whose header was found: a sheet, or one of several on it.

    `cells` has a text column for each column of the sheet, named by its position (`"0"`, `"1"`, ...), and `row`, the
    record's number in the file from 1; blank rows, what stands above the header, totals and footers are left out.
    `header` has the names by position. `encoding` is None for what is no text; in `excel` numbers may be days.
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
    part: int = 1
    """Which of the tables of its sheet it is."""
    notes: tuple[Note, ...] = ()
    """What was left out or joined."""
    facet: str = ""
    """What of the table it is, where several were made of one."""

    @property
    def name(self) -> str:
        """The file, with the sheet for a workbook, the number of the table where it is not the first, and the facet."""
        place = (self.sheet or "") + (f"#{self.part}" if self.part > 1 else "")
        place = "·".join(piece for piece in (place, self.facet) if piece)
        return f"{self.file}[{place}]" if place else self.file

    @property
    def place(self) -> str:
        """The sheet, the part and the facet, as one text that no other table of the file has."""
        part = f"\n{self.part}" if self.part > 1 else ""
        return (self.sheet or "") + part + (f"\n{self.facet}" if self.facet else "")


def letter(position: int) -> str:
    """The letters of a column, from 0."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
