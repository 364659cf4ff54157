"""A sheet whose cells come one by one and may span rows and columns. Runs in the child process."""

from __future__ import annotations

from .limits import Limits, Unreadable
from .parts import Parts, Rows

_MOST_ROWS = 1_048_576


class Grid:
    """Rows of cells that say how many rows and columns they span; the spans are kept as merged cells.

    A spanning cell stands in its first row and column, as in a workbook.
    """

    def __init__(self, parts: Parts, limits: Limits) -> None:
        self._rows = Rows(parts, limits)
        self._limits = limits
        self._cells: list[str | None] = []
        self._covered: dict[int, int] = {}
        self.merges: list[tuple[int, int, int, int]] = []
        self.hidden_rows = 0
        self.first_hidden: int | None = None

    @property
    def row(self) -> int:
        """The number of the row that is being filled, from 1."""
        return self._rows.count + 1

    def skip_to(self, row: int) -> None:
        """Blank rows before row number `row`."""
        if row - self._rows.count > _MOST_ROWS:
            raise Unreadable("file.too_large", limit=f"{_MOST_ROWS} rows")
        while self._rows.count + 1 < row:
            self.end_row()

    def cell(self, value: str | None, down: int = 1, across: int = 1, at: int | None = None) -> None:
        """The next cell, or the one of column `at` (from 0), spanning so many rows and columns."""
        column = len(self._cells) if at is None else at
        while self._covered.get(column, 0) >= self.row:
            column += 1
        across, down = max(1, across), max(1, min(down, _MOST_ROWS))
        if column + across > self._limits.columns:
            raise Unreadable("file.too_wide", columns=column + across, limit=self._limits.columns)
        self._cells += [None] * (column - len(self._cells))
        self._cells += [value or None, *[None] * (across - 1)]
        if down > 1 or across > 1:
            if len(self.merges) >= self._limits.marks:
                raise Unreadable("file.too_large", limit=f"{self._limits.marks} merged cells")
            self.merges.append((self.row, column, self.row + down - 1, column + across - 1))
            for each in range(column, column + across):
                self._covered[each] = self.row + down - 1

    def end_row(self, *, hidden: bool = False) -> None:
        """The row is complete."""
        if hidden and any(self._cells):
            self.hidden_rows += 1
            self.first_hidden = self.first_hidden or self.row
        self._rows.add(self._cells)
        self._cells = []

    def said(self, sheet: str | None, hidden_columns: list[int] | None = None) -> dict[str, object]:
        """What the parent is told of the sheet, its Arrow files written."""
        return {
            "sheet": sheet, "excel": False, "parts": self._rows.written(), "merges": self.merges,
            "hidden_columns": hidden_columns or [], "hidden_rows": self.hidden_rows, "hidden_row": self.first_hidden,
        }  # fmt: skip
