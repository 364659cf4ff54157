"""Tables of an HTML page, which many programs write under the name of a workbook. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from .grid import Grid
from .limits import MIB, Limits, Unreadable
from .parts import Parts
from .plain_text import decoded, encoding_of

_PIECE = MIB // 4
_CELL_CHARACTERS = MIB
_UNSHOWN = frozenset({"script", "style", "head", "title"})


def parse(path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> list[dict[str, object]]:
    """Write the cells of each table to Arrow files in `out`; a table within a table is part of its cell.

    Raises Unreadable `file.format` for a page without tables.
    """
    parser = _Tables(Parts(out, limits), limits)
    size, done = path.stat().st_size, 0
    for piece in decoded(path, encoding_of(path), _PIECE):
        parser.feed(piece)
        if len(parser.rawdata) > _CELL_CHARACTERS:
            raise Unreadable("file.damaged", reason="HTML")
        done = min(size, done + len(piece.encode()))
        tell(done, size)
    parser.close()
    parser.end_table()
    if not parser.grids:
        raise Unreadable("file.format", suffix="HTML")
    several = len(parser.grids) > 1
    return [grid.said(f"Table {i}" if several else None) for i, grid in enumerate(parser.grids, 1)]


class _Tables(HTMLParser):
    def __init__(self, parts: Parts, limits: Limits) -> None:
        super().__init__(convert_charrefs=True)
        self.grids: list[Grid] = []
        self._parts = parts
        self._limits = limits
        self._depth = self._unshown = self._characters = 0
        self._row = False
        self._hidden = False
        self._cell: list[str] | None = None
        self._span = (1, 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSHOWN:
            self._unshown += 1
        elif tag == "table":
            self._depth += 1
            if self._depth == 1:
                if len(self.grids) >= self._limits.sheets:
                    raise Unreadable("file.too_large", limit=f"{self._limits.sheets} tables")
                self.grids.append(Grid(self._parts, self._limits))
        elif self._depth > 1:
            return
        elif tag == "tr":
            self._end_row()
            if not self.grids:  # some programs leave the table out
                self.grids.append(Grid(self._parts, self._limits))
                self._depth = 1
            self._row = True
            self._hidden = "display:none" in (dict(attrs).get("style") or "").replace(" ", "").lower()
        elif tag in {"td", "th"} and self._row:
            self._end_cell()
            values = dict(attrs)
            self._cell, self._characters = [], 0
            self._span = _number(values.get("rowspan")), _number(values.get("colspan"))
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSHOWN:
            self._unshown = max(0, self._unshown - 1)
        elif tag == "table":
            if self._depth == 1:
                self.end_table()
            self._depth = max(0, self._depth - 1)
        elif self._depth == 1 and tag in {"td", "th"}:
            self._end_cell()
        elif self._depth == 1 and tag == "tr":
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._unshown:
            self._characters += len(data)
            if self._characters > _CELL_CHARACTERS:
                raise Unreadable("file.too_large", limit=f"{_CELL_CHARACTERS // MIB} MiB in a cell")
            self._cell.append(data)

    def end_table(self) -> None:
        """End the row that is open, as not every page says where it ends."""
        self._end_row()

    def _end_cell(self) -> None:
        if self._cell is not None:
            lines = ("".join(self._cell)).replace("\xa0", " ").split("\n")
            self.grids[-1].cell("\n".join(filter(None, (" ".join(line.split()) for line in lines))), *self._span)
            self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row:
            self.grids[-1].end_row(hidden=self._hidden)
            self._row = False


def _number(said: str | None) -> int:
    return int(said) if said and said.isascii() and said.isdigit() and len(said) < 7 else 1
