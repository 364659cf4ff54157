"""From a file to tables of text, by way of a child process with limits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl

from . import layout, magic
from .child import Child
from .limits import Limits, Unreadable
from .magic import SUFFIXES
from .table import ROW, Note, Table

__all__ = ["ROW", "SUFFIXES", "Child", "FileRead", "Limits", "Note", "Table", "Unreadable", "read"]


@dataclass
class FileRead:
    """What a file has: its tables as text, the names of hidden sheets, which are not read, and notes of the reader.

    A note has a `code` of `ingest.codes`, a `place` in the file, and `values` that fill in its text.
    """

    tables: list[Table] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


def _silent(done: int, total: int) -> None:
    """Nobody listens."""


def _parts(sheet: str | None, sheets: Sequence[str | None]) -> Iterator[int]:
    """Numbers of the tables of a sheet; none by which a table would be called as another sheet is."""
    return (part for part in count(1) if part == 1 or f"{sheet or ''}#{part}" not in sheets)


def read(
    path: Path,
    recognised: Callable[[str], bool],
    *,
    child: Child | None = None,
    tell: Callable[[int, int], None] = _silent,
) -> FileRead:
    """A file as text: the tables of each sheet that is not empty and not hidden.

    `recognised` says of a cell whether it is the name of a column, by which the header is found below title rows.
    `tell` is called with what is done and what there is (bytes of a CSV file, sheets of a workbook). Raises Unreadable,
    whatever the file does to `child`, the process that parses it (one of its own by default).
    """
    if child is None:
        with Child(Limits()) as own:
            return read(path, recognised, child=own, tell=tell)
    try:
        magic.check(path, child.limits)
    except OSError as error:
        raise Unreadable("file.damaged", reason=error.strerror) from error
    with tempfile.TemporaryDirectory(prefix="chaingraph-") as folder:
        out = Path(folder)
        result = child.parse(path, out, tell)
        found = FileRead(notes=result.get("notes", []))
        for said in result["tables"]:
            if said.get("hidden"):
                found.hidden.append(said["sheet"])
            if not said["parts"]:
                continue
            frame = pl.concat([pl.read_ipc(out / part) for part in said["parts"]])
            names = [each["sheet"] for each in result["tables"]]
            for part, table in zip(
                _parts(said["sheet"], names), layout.tables(frame, recognised, path.name, said), strict=False
            ):
                found.tables.append(replace(table, part=part))
    if not found.tables and not found.notes:
        raise Unreadable("file.empty")
    return found
