"""From a file to tables of text, by way of a child process with limits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from . import magic
from .child import Child
from .limits import Limits, Unreadable
from .magic import SUFFIXES
from .table import ROW, Table, headed

__all__ = ["ROW", "SUFFIXES", "Child", "Limits", "Table", "Unreadable", "read"]


def _silent(done: int, total: int) -> None:
    """Nobody listens."""


def read(
    path: Path,
    recognised: Callable[[str], bool],
    *,
    child: Child | None = None,
    tell: Callable[[int, int], None] = _silent,
) -> tuple[list[Table], list[str]]:
    """The tables of a file as text, and the names of hidden sheets, which are not read.

    A CSV file has one table, a workbook one for each sheet that is not empty.

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
        tables, hidden = [], []
        for said in child.parse(path, out, tell):
            if said.get("hidden"):
                hidden.append(said["sheet"])
            if not said["parts"]:
                continue
            frame = pl.concat([pl.read_ipc(out / part) for part in said["parts"]])
            table = headed(frame, recognised, file=path.name, sheet=said["sheet"], encoding=said.get("encoding"))
            if table is not None:
                tables.append(table)
    if not tables:
        raise Unreadable("file.empty")
    return tables, hidden
