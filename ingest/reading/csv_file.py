"""A CSV file to Arrow files of text, slice by slice: memory does not grow with the file. Runs in the child process."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from .limits import Limits, Unreadable
from .plain_text import Dialect, decoded, sniff

_QUOTE, _NEWLINE = 34, 10


def parse(path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> list[dict[str, object]]:
    """Write the records of `path` to Arrow files in `out`; `tell(bytes done, bytes in all)` is called after each slice.

    Columns are `0`, `1`, ... as text, and `row`, the record's number from 1, blank ones counted. One column more than
    the first lines have is kept, so that a longer record shows.
    """
    dialect = sniff(path, limits)
    names = [str(i) for i in range(dialect.columns + 1)]
    size, done, rows = path.stat().st_size, 0, 0
    parts: list[str] = []
    for piece in slices(path, dialect, limits):
        frame = _records(piece, names, dialect.delimiter, rows)
        frame = frame.with_columns(row=pl.int_range(rows + 1, rows + 1 + frame.height, dtype=pl.Int64))
        rows += frame.height
        if rows * len(names) > limits.cells:
            raise Unreadable("file.too_large", limit=f"{limits.cells} cells")
        part = out / f"{len(parts):05}.arrow"
        frame.write_ipc(part, compression="uncompressed")
        parts.append(part.name)
        done = min(size, done + len(piece))
        tell(done, size)
    return [{"sheet": None, "encoding": dialect.encoding, "parts": parts}]


def slices(path: Path, dialect: Dialect, limits: Limits) -> Iterator[bytes]:
    """The file in UTF-8, cut where a record ends: after a line end outside quotes."""
    rest = b""
    for text in decoded(path, dialect.encoding, limits.slice_bytes):
        block = rest + (text.replace("\r", "\n") if dialect.old_mac else text).encode()
        cut = _last_record_end(block)
        if cut:
            yield block[:cut]
        rest = block[cut:]
        if len(rest) > 4 * limits.slice_bytes:
            raise Unreadable("file.quotes", row="?")
    if rest:
        yield rest


def _last_record_end(block: bytes) -> int:
    if b'"' not in block:
        return block.rfind(b"\n") + 1
    import numpy as np  # most files have no quotes, and the child starts sooner without it

    data = np.frombuffer(block, np.uint8)
    quotes = np.cumsum(data == _QUOTE, dtype=np.uint8)  # wraps at 256, which keeps odd and even
    ends = np.flatnonzero((data == _NEWLINE) & (quotes & 1 == 0))
    return int(ends[-1]) + 1 if len(ends) else 0


def _records(piece: bytes, names: list[str], delimiter: str, before: int) -> pl.DataFrame:
    if not piece.strip(b"\r\n"):  # blank lines only, which polars calls no data
        return pl.DataFrame({name: pl.Series([None] * piece.count(b"\n"), dtype=pl.String) for name in names})
    try:
        return pl.read_csv(
            piece,
            has_header=False,
            separator=delimiter,
            schema=dict.fromkeys(names, pl.String()),
            missing_columns="insert",
            extra_columns="ignore",
        )
    except pl.exceptions.ComputeError as error:
        raise Unreadable("file.quotes", row=_bad_record(piece, delimiter, before)) from error


def _bad_record(piece: bytes, delimiter: str, before: int) -> int:
    """The number of the first record that Python's strict reader refuses too, else of the slice's first."""
    reader = csv.reader(piece.decode().splitlines(keepends=True), delimiter=delimiter, strict=True)
    row = before
    try:
        for row, _ in enumerate(reader, before + 1):  # noqa: B007 - the count is what is wanted
            pass
    except csv.Error:
        return row + 1
    return before + 1
