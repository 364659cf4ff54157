"""What an XLS sheet says beyond its cells: merged cells, hidden columns and rows. Runs in the child process.

Sources: [MS-CFB] 2.1-2.6 for the compound file, [MS-XLS] 2.4 for the records BoundSheet8, Row, ColInfo and MergeCells.
"""

from __future__ import annotations

import struct
from pathlib import Path

from .limits import Limits, Unreadable
from .xlsx_marks import Layout

_END_OF_CHAIN = 0xFFFFFFFA
"""Numbers of sectors from here on mean something else."""
_HEAD, _ENTRY, _MINISTREAM_BELOW = 512, 128, 4096
_EOF, _ROW, _COLINFO, _MERGE, _BOUNDSHEET, _BOF = 0x000A, 0x0208, 0x007D, 0x00E5, 0x0085, 0x0809
_CELLS = frozenset({0x0006, 0x00BD, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E})
_HIDDEN_ROW = 0x20


class Marks:
    """The layouts of the sheets of a workbook; where its records are not understood there are none."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._limits = limits
        self._stream = b""
        self._places: dict[str, int] = {}
        try:
            self._stream = _workbook(path.read_bytes())
            self._list()
        except (struct.error, IndexError, UnicodeDecodeError):
            self._places = {}

    def _list(self) -> None:
        at = 0
        while at + 4 <= len(self._stream):
            number, size = struct.unpack_from("<HH", self._stream, at)
            if number == _BOUNDSHEET:
                place, _, length, wide = struct.unpack_from("<IHBB", self._stream, at + 4)
                name = self._stream[at + 12 : at + 12 + length * (1 + (wide & 1))]
                self._places[name.decode("utf-16-le" if wide & 1 else "latin-1")] = place
            elif number == _EOF:
                return
            at += 4 + size

    def of(self, sheet: str) -> Layout:
        """The layout of a sheet; an empty one where it is not found."""
        layout = Layout()
        if sheet in self._places:
            try:
                self._through(self._places[sheet], layout)
            except (struct.error, IndexError):
                return layout
        return layout

    def _through(self, at: int, layout: Layout) -> None:
        data, depth = self._stream, 0
        size_of = len(data)
        while at + 4 <= size_of:
            number = data[at] | data[at + 1] << 8
            size = data[at + 2] | data[at + 3] << 8
            if number in _CELLS:
                if layout.first is None and depth == 1:
                    layout.first = struct.unpack_from("<H", data, at + 6)[0]
            elif number == _BOF:
                depth += 1
            elif number == _EOF:
                depth -= 1
                if depth <= 0:
                    return
            elif number == _ROW:
                row, begin, end = struct.unpack_from("<HHH", data, at + 4)
                if data[at + 16] & _HIDDEN_ROW and end > begin:
                    layout.hidden_rows += 1
                    layout.hidden_row = layout.hidden_row or row + 1
            elif number == _COLINFO:
                first, last, _, _, flags = struct.unpack_from("<HHHHH", data, at + 4)
                if flags & 1:
                    layout.hidden_columns += range(first, min(last + 1, self._limits.columns))
            elif number == _MERGE:
                (count,) = struct.unpack_from("<H", data, at + 4)
                if len(layout.merges) + count > self._limits.marks:
                    raise Unreadable("file.too_large", limit=f"{self._limits.marks} merged cells")
                for i in range(count):
                    top, bottom, left, right = struct.unpack_from("<HHHH", data, at + 6 + 8 * i)
                    layout.merges.append((top + 1, left, bottom + 1, right))
            at += 4 + size


def _workbook(data: bytes) -> bytes:
    """The stream of the workbook in a compound file; nothing where it is small enough for the ministream."""
    (shift,) = struct.unpack_from("<H", data, 30)
    size = 1 << min(shift, 16)
    count, first_directory = struct.unpack_from("<II", data, 44)
    (more,) = struct.unpack_from("<I", data, 68)
    difat = list(struct.unpack_from("<109I", data, 76))
    most = len(data) // size + 1
    for _ in range(most):
        if more >= _END_OF_CHAIN:
            break
        *some, more = struct.unpack_from(f"<{size // 4}I", data, (more + 1) * size)
        difat += some
    fat: list[int] = []
    for sector in difat[: min(count, most)]:
        if sector < _END_OF_CHAIN:
            fat += struct.unpack_from(f"<{size // 4}I", data, (sector + 1) * size)

    def chain(start: int) -> bytes:
        pieces = []
        for _ in range(most):
            if start >= _END_OF_CHAIN:
                break
            pieces.append(data[(start + 1) * size : (start + 2) * size])
            start = fat[start]
        return b"".join(pieces)

    directory = chain(first_directory)
    for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        (length,) = struct.unpack_from("<H", directory, at + 64)
        name = directory[at : at + max(0, min(length, 64) - 2)]
        start, long = struct.unpack_from("<II", directory, at + 116)
        if name in ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le")) and long >= _MINISTREAM_BELOW:
            return chain(start)[:long]
    return b""
