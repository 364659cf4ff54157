"""What an ODS sheet says beyond its cells: merged cells, hidden columns and rows. Runs in the child process.

OpenDocument 1.3 part 3, 9.1: spans are attributes of cells, `visibility` of rows and columns. The XML is looked through
piece by piece and never held; not at all where it has none of these.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from .limits import MIB, Limits, Unreadable
from .xlsx_marks import Layout
from .xml_guard import Guarded

_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_MARKED = (b"-spanned=", b"visibility=")
_OVERLAP = 32
_CONTENT = "content.xml"


class Marks:
    """The layouts of the sheets of a workbook."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._layouts: dict[str, Layout] = {}
        with zipfile.ZipFile(path) as archive:
            if _CONTENT not in archive.namelist() or not _marked(archive):
                return
            content = _Content(self._layouts, limits)
            with archive.open(_CONTENT) as file:
                while piece := file.read(MIB):
                    content.feed(piece)
            content.feed(b"", last=True)

    def of(self, sheet: str) -> Layout:
        """The layout of a sheet; an empty one where it has nothing to say."""
        return self._layouts.get(sheet, Layout())


def _marked(archive: zipfile.ZipFile) -> bool:
    rest = b""
    with archive.open(_CONTENT) as file:
        while piece := file.read(MIB):
            text = rest + piece
            if any(mark in text for mark in _MARKED):
                return True
            rest = text[-_OVERLAP:]
    return False


class _Content(Guarded):
    def __init__(self, layouts: dict[str, Layout], limits: Limits) -> None:
        super().__init__()
        self._layouts = layouts
        self._limits = limits
        self._layout = Layout()
        self._row = self._column = self._rows = self._definition = 0
        self._hidden = self._filled = False

    def start(self, name: str, values: dict[str, str]) -> None:
        if name == _TABLE + "table":
            self._layout = self._layouts.setdefault(values.get(_TABLE + "name", ""), Layout())
            self._row, self._rows, self._definition = 1, 0, 0
        elif name == _TABLE + "table-column":
            repeated = _number(values, "number-columns-repeated")
            if values.get(_TABLE + "visibility") in {"collapse", "filter"}:
                last = min(self._definition + repeated, self._limits.columns)
                self._layout.hidden_columns += range(self._definition, last)
            self._definition += repeated
        elif name == _TABLE + "table-row":
            self._column, self._filled = 0, False
            self._rows = _number(values, "number-rows-repeated")
            self._hidden = values.get(_TABLE + "visibility") in {"collapse", "filter"}
        elif name in {_TABLE + "table-cell", _TABLE + "covered-table-cell"}:
            down, across = _number(values, "number-rows-spanned"), _number(values, "number-columns-spanned")
            if down > 1 or across > 1:
                if len(self._layout.merges) >= self._limits.marks:
                    raise Unreadable("file.too_large", limit=f"{self._limits.marks} merged cells")
                merge = self._row, self._column, self._row + down - 1, self._column + across - 1
                self._layout.merges.append(merge)
            if values.get(_OFFICE + "value-type"):
                self._filled = True
                if self._layout.first is None:
                    self._layout.first = self._column
            self._column += _number(values, "number-columns-repeated")

    def end(self, name: str) -> None:
        if name == _TABLE + "table-row":
            if self._hidden and self._filled:
                self._layout.hidden_rows += self._rows
                self._layout.hidden_row = self._layout.hidden_row or self._row
            self._row += self._rows


def _number(values: dict[str, str], name: str) -> int:
    said = values.get(_TABLE + name, "1")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 8 else 1
