"""A workbook as one XML file (SpreadsheetML of Excel 2003) to Arrow files of text. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .grid import Grid
from .limits import MIB, Limits, Unreadable
from .parts import Parts
from .plain_text import decoded, encoding_of
from .xml_guard import Guarded

_SS = "urn:schemas-microsoft-com:office:spreadsheet "
_X = "urn:schemas-microsoft-com:office:excel "
_PIECE = MIB // 4


def parse(path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> list[dict[str, object]]:
    """Write the cells of each visible sheet to Arrow files in `out`; raises Unreadable `file.format` for other XML."""
    book = _Book(Parts(out, limits), limits)
    size, done = path.stat().st_size, 0
    for piece in decoded(path, encoding_of(path), _PIECE):
        book.feed(piece)
        done = min(size, done + len(piece.encode()))
        tell(done, size)
    book.feed("", last=True)
    return book.tables


class _Book(Guarded):
    def __init__(self, parts: Parts, limits: Limits) -> None:
        super().__init__()
        self.tables: list[dict[str, object]] = []
        self._parts = parts
        self._limits = limits
        self._begun = False
        self._name = ""
        self._grid: Grid | None = None
        self._hidden_columns: list[int] = []
        self._column = 0
        self._hidden = self._hidden_row = False
        self._data: list[str] | None = None
        self._type = ""
        self._cell: tuple[int | None, int, int, str | None] | None = None
        self._visible: list[str] | None = None

    def start(self, name: str, values: dict[str, str]) -> None:
        if not self._begun:
            self._begun = True
            if name != _SS + "Workbook":
                raise Unreadable("file.format", suffix="XML")
        if name == _SS + "Worksheet":
            if len(self.tables) >= self._limits.sheets:
                raise Unreadable("file.too_large", limit=f"{self._limits.sheets} sheets")
            self._name = values.get(_SS + "Name", "")
            self._grid, self._hidden_columns, self._column = Grid(self._parts, self._limits), [], 0
            self._hidden = False
        elif self._grid is None:
            return
        elif name == _SS + "Column":
            first = _number(values.get(_SS + "Index"), self._column + 1)
            last = min(first + _number(values.get(_SS + "Span"), 0), self._limits.columns)
            if values.get(_SS + "Hidden") == "1":
                self._hidden_columns += range(first - 1, last)
            self._column = last
        elif name == _SS + "Row":
            self._grid.skip_to(_number(values.get(_SS + "Index"), self._grid.row))
            self._hidden_row = values.get(_SS + "Hidden") == "1"
        elif name == _SS + "Cell":
            index = values.get(_SS + "Index")
            down, across = _number(values.get(_SS + "MergeDown"), 0), _number(values.get(_SS + "MergeAcross"), 0)
            self._cell = None if index is None else _number(index, 1) - 1, down + 1, across + 1, None
        elif name == _SS + "Data" and self._cell is not None:
            self._data, self._type = [], values.get(_SS + "Type", "")
        elif name == _X + "Visible":
            self._visible = []

    def text(self, piece: str) -> None:
        if self._data is not None:
            self._data.append(piece)
        elif self._visible is not None:
            self._visible.append(piece)

    def end(self, name: str) -> None:
        if self._grid is None:
            return
        if name == _SS + "Data" and self._data is not None and self._cell is not None:
            self._cell = *self._cell[:3], _typed("".join(self._data), self._type)
            self._data = None
        elif name == _SS + "Cell" and self._cell is not None:
            at, down, across, value = self._cell
            self._grid.cell(value, down, across, at)
            self._cell = None
        elif name == _SS + "Row":
            self._grid.end_row(hidden=self._hidden_row)
        elif name == _X + "Visible" and self._visible is not None:
            self._hidden = "".join(self._visible).strip() in {"SheetHidden", "SheetVeryHidden"}
            self._visible = None
        elif name == _SS + "Worksheet":
            if self._hidden:
                self.tables.append({"sheet": self._name, "hidden": True, "parts": []})
            else:
                self.tables.append(self._grid.said(self._name, self._hidden_columns))
            self._grid = None


def _number(said: str | None, otherwise: int) -> int:
    return int(said) if said and said.isascii() and said.isdigit() and len(said) < 8 else otherwise


def _typed(value: str, kind: str) -> str | None:
    """A cell as a workbook's reader writes it."""
    if kind == "DateTime":
        return value.replace("T", " ").removesuffix(".000")
    if kind == "Boolean":
        return {"1": "true", "0": "false"}.get(value, value)
    return None if kind == "Error" else value
