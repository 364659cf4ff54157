"""What an XLSX sheet says beyond its cells: merged cells, hidden columns and rows. Runs in the child process.

ECMA-376 part 1, 18.3.1: `cols` stands before the rows, `mergeCells` behind them. The XML is looked through piece by
piece and never held; only the row elements of pieces that hide anything are looked at.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .limits import MIB, Limits, Unreadable
from .xml_guard import Guarded

_PIECE = MIB
_OVERLAP = 4096
_BOOK = 8 * MIB
_COL = re.compile(rb"<(?:\w+:)?col\s([^>]*)>")
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\s([^>]*\bhidden=[\"'](?:1|true)[\"'][^>]*)>")
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?\bref=[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']")
_CELL = re.compile(rb"<(?:\w+:)?(row|c)(?:\s([^>]*?))?(/?)>")
_FILLED = re.compile(rb"<(?:\w+:)?(?:v|t)(?:\s[^>]*)?>[^<]")
_VALUE = re.compile(rb"\b(\w+)=[\"']([^\"']*)[\"']")
_TRUE = frozenset({b"1", b"true"})


@dataclass
class Layout:
    """Of one sheet: rows from 1, columns from 0, merged cells as first row and column, last row and column."""

    first: int | None = None
    """Column of the first cell that has a value."""
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_row: int | None = None
    """The first of the hidden rows that have cells."""


class Marks:
    """The layouts of the sheets of a workbook."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._places: dict[str, str] = {}
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            book, links = _Named("sheet"), _Named("Relationship")
            for place, parser in (("xl/workbook.xml", book), ("xl/_rels/workbook.xml.rels", links)):
                if place in names:
                    with archive.open(place) as file:
                        parser.feed(file.read(_BOOK), last=True)
        targets = {each.get("Id"): each.get("Target", "") for each in links.found}
        for each in book.found:
            link = next((value for name, value in each.items() if name.endswith("relationships id")), None)
            target = targets.get(link, "")
            place = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            if place in names:
                self._places[each.get("name", "")] = place

    def of(self, sheet: str) -> Layout:
        """The layout of a sheet; an empty one where its XML is not found."""
        layout = Layout()
        if sheet in self._places:
            with zipfile.ZipFile(self._path) as archive, archive.open(self._places[sheet]) as file:
                self._through(file, layout)
        return layout

    def _through(self, file: IO[bytes], layout: Layout) -> None:
        rest, head, merging = b"", b"", False
        looking = True
        while piece := file.read(_PIECE):
            text = rest + piece
            if looking:
                head += piece
                looking = not self._head(head, layout) and len(head) < 8 * _PIECE
            cut = max(len(text) - _OVERLAP, text.rfind(b"<", -_OVERLAP)) if len(piece) == _PIECE else len(text)
            whole, rest = text[:cut], text[cut:]
            if b"hidden=" in whole:
                self._rows(whole, layout)
            merging = merging or b"mergeCell" in whole
            if merging:
                self._merges(whole, layout)
        if rest:
            self._merges(rest, layout)

    def _head(self, head: bytes, layout: Layout) -> bool:
        """Columns, and the first cell with a value; false where that is still to come."""
        begin = head.find(b"sheetData")
        if begin < 0:
            return False
        column, place = 0, None
        for found in _CELL.finditer(head, begin):
            if found[1] == b"row":
                column = 0
                continue
            values = dict(_VALUE.findall(found[2] or b""))
            letters = values.get(b"r", b"").rstrip(b"0123456789")
            column = _number(letters) if letters else column
            end = found.end() if found[3] else head.find(b"c>", found.end())
            if end < 0:
                break
            if not found[3] and values.get(b"t") != b"e" and _FILLED.search(head, found.end(), end):
                place = column
                break
            column += 1
        if place is None:
            return False
        layout.first = place
        for found in _COL.finditer(head, 0, begin):
            values = dict(_VALUE.findall(found[1]))
            if values.get(b"hidden") in _TRUE:
                first, last = _count(values.get(b"min")), _count(values.get(b"max"))
                layout.hidden_columns += range(max(first, 1) - 1, min(last, self._limits.columns))
                if len(layout.hidden_columns) > self._limits.marks:
                    raise Unreadable("file.too_large", limit=f"{self._limits.marks} hidden columns")
        return True

    def _rows(self, text: bytes, layout: Layout) -> None:
        for found in _HIDDEN_ROW.finditer(text):
            if not found[1].endswith(b"/"):
                layout.hidden_rows += 1
                if layout.hidden_row is None:
                    layout.hidden_row = _count(dict(_VALUE.findall(found[1])).get(b"r")) or None

    def _merges(self, text: bytes, layout: Layout) -> None:
        for found in _MERGE.finditer(text):
            if len(layout.merges) >= self._limits.marks:
                raise Unreadable("file.too_large", limit=f"{self._limits.marks} merged cells")
            layout.merges.append((int(found[2]), _number(found[1]), int(found[4]), _number(found[3])))


def _number(letters: bytes) -> int:
    """The column of such letters, from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _count(said: bytes | None) -> int:
    return int(said) if said and said.isdigit() and len(said) < 8 else 0


class _Named(Guarded):
    """The attributes of all elements of a name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self._name = name

    def start(self, name: str, values: dict[str, str]) -> None:
        if name.rpartition(" ")[2] == self._name:
            self.found.append(values)
