"""The encoding and delimiter of a CSV file, and what its first block must not be. Runs in the child process."""

from __future__ import annotations

import codecs
import csv
import mmap
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .limits import MIB, Limits, Unreadable

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = ",;\t"
_LINES_TRIED = 20
_NULLS = 4
_BETWEEN = "\n,;\t"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_UTF8_RUN = re.compile(rb"(?<![\x80-\xff])(?:[\xe4-\xe9][\x80-\xbf]{2}){4,}(?![\x80-\xff])")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written; `columns` is the widest of its first lines, in cells."""

    encoding: str
    delimiter: str
    columns: int
    old_mac: bool
    """Lines end in a carriage return alone."""


def sniff(path: Path, limits: Limits) -> Dialect:
    """Read the first block and settle how the file is written; raises Unreadable for what is not a table of text."""
    with path.open("rb") as file:
        block = file.read(limits.line_bytes)
    encoding = encoding_of(path)
    text = codecs.getincrementaldecoder(encoding)().decode(block)
    if not text.strip():
        raise Unreadable("file.empty")
    old_mac = "\n" not in text and "\r" in text
    lines = text.replace("\r", "\n").split("\n") if old_mac else text.split("\n")
    if len(lines) == 1 and len(block) == limits.line_bytes:
        raise Unreadable("file.line_too_long", limit=f"{limits.line_bytes // MIB} MiB")
    lines = [line for line in lines if line.strip()][:_LINES_TRIED]
    delimiter, columns = _delimiter(lines)
    if columns > limits.columns:
        raise Unreadable("file.too_wide", columns=columns, limit=limits.columns)
    return Dialect(encoding, delimiter, columns, old_mac)


def encoding_of(path: Path) -> str:
    """A byte order mark, else strict UTF-8, else strict GB18030, over the whole file. Never a guess by statistics.

    Text with null bytes is UTF-16 without a mark where they are on one side of the units only. Raises Unreadable
    `file.not_text`, and `file.encoding` for what cannot be decoded and for a file that is in UTF-8 here and in another
    encoding there.
    """
    with path.open("rb") as file:
        block = file.read(MIB)
    bom = next((name for mark, name in _BOMS if block.startswith(mark)), None)
    if bom != "utf-16" and b"\x00" in block:
        bom = _wide(block)
        if bom is None:
            raise Unreadable("file.not_text")
    position = 0
    for encoding in (bom,) if bom else ("utf-8", "gb18030"):
        try:
            for _ in decoded(path, encoding, MIB):
                pass
        except UnicodeDecodeError as error:
            position = max(position, error.start)
        else:
            if encoding == "gb18030" and (place := _utf8_within(path)) is not None:
                raise Unreadable("file.encoding", tried="UTF-8 + GB18030", byte=max(place, position))
            return encoding
    raise Unreadable("file.encoding", tried=bom or "UTF-8, GB18030", byte=position)


def _wide(block: bytes) -> str | None:
    """UTF-16 by its null bytes: ASCII has them in every unit on the same side, and Chinese nearly never has any.

    What stands between cells and lines must be whole units then: half of one is chance.
    """
    even, odd = block[::2].count(0), block[1::2].count(0)
    enough = max(_NULLS, len(block) // 2 // 10)
    encoding = "utf-16-le" if odd >= enough and not even else "utf-16-be" if even >= enough and not odd else None
    if encoding is None:
        return None
    text = codecs.getincrementaldecoder(encoding)("replace").decode(block)
    between = sum(text.count(each) for each in _BETWEEN)
    anywhere = sum(block.count(each.encode()) for each in _BETWEEN)
    return None if _CONTROLS.search(text) or 2 * between < anywhere or not between else encoding


def _utf8_within(path: Path) -> int | None:
    """Where a GB18030 file has a run of Chinese characters in UTF-8, between ASCII on both sides; None for nowhere.

    Read as GB18030 such a run is rare characters in a regular order, which no text has.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        found = _UTF8_RUN.search(whole)
    return found.start() if found else None


def decoded(path: Path, encoding: str, size: int) -> Iterator[str]:
    """The file as text in pieces of about `size` bytes. A UnicodeDecodeError has the position in the file."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done = 0
    with path.open("rb") as file:
        while True:
            block = file.read(size)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                error.start += done - pending
                raise
            done += len(block)
            if text:
                yield text
            if not block:
                return


def _delimiter(lines: list[str]) -> tuple[str, int]:
    """The delimiter under which most lines have one same number of cells (at least two), and the widest line's cells.

    A comma where nothing speaks for another: a file of one column has none.
    """
    best, best_score, widest = ",", (0, 0), 1
    for delimiter in _DELIMITERS:
        try:
            cells = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:  # a quote that is never closed, or a cell beyond csv.field_size_limit
            cells = [line.count(delimiter) + 1 for line in lines]
        count, times = max(
            ((n, t) for n, t in Counter(cells).items() if n > 1), key=lambda p: (p[1], p[0]), default=(0, 0)
        )
        if (times, count) > best_score or delimiter == ",":
            best, best_score, widest = delimiter, (times, count), max(cells, default=1)
    return best, widest
