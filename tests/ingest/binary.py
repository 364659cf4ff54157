"""Workbooks in formats that nothing else here writes: XLS (BIFF8 in a compound file) and ODS, as small as they can be.

Sources: [MS-XLS] 2.4 for the records, [MS-CFB] 2 for the compound file, OpenDocument 1.3 part 3 for ODS.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Rows = Sequence[Sequence[str | float | None]]
_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def _record(number: int, body: bytes) -> bytes:
    return struct.pack("<HH", number, len(body)) + body


def biff(
    rows: Rows,
    *,
    merges: Sequence[tuple[int, int, int, int]] = (),
    hidden: Sequence[int] = (),
    hidden_rows: Sequence[int] = (),
    password: bool = False,
) -> bytes:
    """The stream of a workbook of one sheet `S`; `merges` as first row, last row, first column, last column, from 0.

    `hidden` are columns, from 0 as well.
    """
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6))
    locked = _record(0x002F, struct.pack("<HHH", 1, 1, 1) + b"\0" * 48) if password else b""
    name = b"S"
    length = len(begin) + len(locked) + 4 + 8 + len(name) + 4
    listed = _record(0x0085, struct.pack("<IHBB", length, 0, len(name), 0) + name)
    cells = b""
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if isinstance(value, str):
                cells += _record(0x0204, struct.pack("<HHHHB", r, c, 0, len(value), 1) + value.encode("utf-16-le"))
            elif value is not None:
                cells += _record(0x0203, struct.pack("<HHHd", r, c, 0, value))
    shape = b"".join(_record(0x007D, struct.pack("<HHHHHH", c, c, 0x0900, 0, 1, 0)) for c in hidden)
    shape += b"".join(_record(0x0208, struct.pack("<HHHHHHI", r, 0, 9, 0x00FF, 0, 0, 0x20)) for r in hidden_rows)
    width = max((len(row) for row in rows), default=0)
    size = _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    joined = struct.pack("<H", len(merges)) + b"".join(struct.pack("<HHHH", *each) for each in merges)
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6)) + size + shape + cells
    sheet += (_record(0x00E5, joined) if merges else b"") + _record(0x000A, b"")
    return begin + locked + listed + _record(0x000A, b"") + sheet


def ole(name: str, stream: bytes) -> bytes:
    """A compound file with one stream, not so small that it would be kept in a ministream."""
    stream = stream.ljust(4096, b"\0")
    stream += b"\0" * (-len(stream) % _SECTOR)
    count = len(stream) // _SECTOR
    fat = [_FAT, _END, *range(3, count + 2), _END]
    assert len(fat) <= _SECTOR // 4
    table = struct.pack("<128I", *fat, *[_FREE] * (128 - len(fat)))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0) + struct.pack("<109I", 0, *[_FREE] * 108)
    entries = _entry("Root Entry", 5, 1, _END, 0) + _entry(name, 2, _FREE, 2, len(stream))
    return head + table + entries.ljust(_SECTOR, b"\0") + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    said = name.encode("utf-16-le") + b"\0\0"
    head = said.ljust(64, b"\0") + struct.pack("<HBBIII", len(said), kind, 1, _FREE, _FREE, child)
    return head + b"\0" * 36 + struct.pack("<IQ", start, size)


def ods(path: Path, sheets: Mapping[str, Rows | str], manifest: str = "<m/>") -> Path:
    """An OpenDocument spreadsheet: by sheet its rows, or their XML."""
    tables = ""
    for name, rows in sheets.items():
        body = rows if isinstance(rows, str) else "".join(map(_line, rows))
        tables += f'<table:table table:name="{name}">{body}</table:table>'
    spaces = " ".join(
        f'xmlns:{each}="urn:oasis:names:tc:opendocument:xmlns:{each}:1.0"' for each in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body><office:spreadsheet>'
            f"{tables}</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def _line(row: Sequence[str | float | None]) -> str:
    cells = ""
    for value in row:
        if value is None:
            cells += "<table:table-cell/>"
        elif isinstance(value, str):
            cells += f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'
        else:
            cells += f'<table:table-cell office:value-type="float" office:value="{value}"/>'
    return f"<table:table-row>{cells}</table:table-row>"
