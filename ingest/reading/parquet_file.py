"""A Parquet file to Arrow files of text, piece by piece. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from .limits import Limits, Unreadable
from .parts import Parts

_ROWS = 200_000


def parse(path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> list[dict[str, object]]:
    """Write all columns as text, their names in row 1 and the first record in row 2.

    Nested values become JSON. Raises Unreadable `file.damaged`, and beyond a limit by what the file says of itself
    before any of it is unpacked.
    """
    parts = Parts(out, limits)
    try:
        scanned = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        schema = scanned.collect_schema()
        rows = int(scanned.select(pl.len()).collect().item())
        parts.asked(rows, len(schema))
        if not schema:
            return []
        header = pl.DataFrame([list(schema)], schema=[str(i) for i in range(len(schema))], orient="row")
        names = [parts.write(header)]
        texts = [_text(name, kind) for name, kind in schema.items()]
        for first in range(0, rows, _ROWS):
            frame = scanned.slice(first, _ROWS).collect().select(texts)
            names.append(parts.write(frame, first + 2))
            tell(min(rows, first + _ROWS), rows)
    except pl.exceptions.PolarsError as error:
        raise Unreadable("file.damaged", reason=type(error).__name__) from error
    return [{"sheet": None, "excel": False, "headed": True, "parts": names}]


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if kind.is_nested():
        return pl.when(column.is_not_null()).then(
            pl.struct(column.alias("v")).struct.json_encode().str.slice(5).str.head(-1)
        )
    if kind == pl.Binary:
        return column.bin.encode("hex")
    if isinstance(kind, pl.Datetime):
        return column.dt.to_string("%Y-%m-%d %H:%M:%S")
    return column.cast(pl.String)
