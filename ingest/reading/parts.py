"""Tables as the child process leaves them for its parent: Arrow files of text, within the limits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from .limits import MIB, Limits, Unreadable

Cells = Sequence[str | None]
_ROWS_HELD = 20_000


class Parts:
    """The Arrow files of one job. Cells and bytes are counted over all its tables; raises Unreadable beyond a limit."""

    def __init__(self, out: Path, limits: Limits) -> None:
        self._out = out
        self._limits = limits
        self._count = self._cells = self._bytes = 0

    def asked(self, rows: int, columns: int) -> None:
        """Count a table before it is made; raises Unreadable `file.too_wide` or `file.too_large`."""
        if columns > self._limits.columns:
            raise Unreadable("file.too_wide", columns=columns, limit=self._limits.columns)
        self._cells += rows * columns
        if self._cells > self._limits.cells:
            raise Unreadable("file.too_large", limit=f"{self._limits.cells} cells")

    def write(self, frame: pl.DataFrame, first: int = 1) -> str:
        """Write columns of text, in order, with the numbers of their rows from `first`; the name of the Arrow file."""
        self._bytes += int(frame.estimated_size())
        if self._bytes > self._limits.written_bytes:
            raise Unreadable("file.too_large", limit=f"{self._limits.written_bytes // MIB} MiB of cells")
        frame = frame.rename(dict(zip(frame.columns, map(str, range(frame.width)), strict=True)))
        frame = frame.with_columns(row=pl.int_range(first, first + frame.height, dtype=pl.Int64))
        part = self._out / f"part{self._count:05}.arrow"
        self._count += 1
        frame.write_ipc(part, compression="uncompressed")
        return part.name


class Rows:
    """Rows of cells that come one by one and may have different lengths, to Arrow files of one table."""

    def __init__(self, parts: Parts, limits: Limits) -> None:
        self._parts = parts
        self._limits = limits
        self._held: list[Cells] = []
        self._frames: list[pl.DataFrame] = []
        self.count = self.width = self._size = 0

    def add(self, row: Cells) -> None:
        """The next row; raises Unreadable where there are too many cells or too much text."""
        self.count += 1
        self._held.append(row)
        self.width = max(self.width, len(row))
        if self.width > self._limits.columns:
            raise Unreadable("file.too_wide", columns=self.width, limit=self._limits.columns)
        if self.count * max(1, self.width) > self._limits.cells:
            raise Unreadable("file.too_large", limit=f"{self._limits.cells} cells")
        if len(self._held) == _ROWS_HELD:
            self._flush()

    def _flush(self) -> None:
        width = max(map(len, self._held), default=0)
        columns = {
            str(i): pl.Series([row[i] if i < len(row) else None for row in self._held], dtype=pl.String)
            for i in range(width)
        }
        frame = pl.DataFrame(columns) if width else pl.DataFrame(height=len(self._held))
        self._held = []
        self._size += int(frame.estimated_size())
        if self._size > self._limits.written_bytes:
            raise Unreadable("file.too_large", limit=f"{self._limits.written_bytes // MIB} MiB of cells")
        self._frames.append(frame)

    def written(self) -> list[str]:
        """The names of the Arrow files; none where there was no cell."""
        self._flush()
        if not self.width:
            return []
        self._parts.asked(self.count, self.width)
        names, first = [], 1
        for frame in self._frames:
            if frame.height:
                lacking = [pl.lit(None, pl.String).alias(str(i)) for i in range(frame.width, self.width)]
                names.append(self._parts.write(frame.with_columns(lacking), first))
                first += frame.height
        return names
