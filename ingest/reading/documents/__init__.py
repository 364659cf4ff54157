"""Documents of interchange standards to tables, whose headings are the names of fields. Runs in the child process.

A format is a module with `read(document)`: what the document says, or None where it is not of that format. Documents
are taken leniently: what cannot be used is noted, the rest is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..limits import Limits, Unreadable

Row = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know about a document: a code of `ingest.codes`, where, and what fills in its text."""

    code: str
    place: str | None = None
    """Where in the document: a JSON pointer, or a file inside an archive."""
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass
class Document:
    """What a document says: rows by the name of their sheet (`parts`, `contains`), with fields as names, and notes."""

    format: str
    rows: dict[str, list[Row]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def add(self, sheet: str, **values: str | float | bool | None) -> None:
        """A row of a sheet."""
        self.rows.setdefault(sheet, []).append(values)

    def note(self, code: str, place: str | None = None, **values: str | int) -> None:
        """Note something."""
        self.notes.append(Note(code, place, values))


Reader = Callable[[Any], Document | None]


def readers() -> list[Reader]:
    """The formats, the most telling first."""
    return []


def parse(path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> dict[str, Any] | None:
    """Tables and notes of a JSON document of a known format; None for JSON of another.

    Raises Unreadable `file.damaged` for what is no JSON.
    """
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Unreadable("file.damaged", reason=type(error).__name__) from error
    for read in readers():
        found = read(document)
        if found is not None:
            return written(found, out, limits, tell)
    return None


def written(found: Document, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> dict[str, Any]:
    """A document's rows as Arrow files of text, one for each sheet, the names of its fields in the first row."""
    tables = []
    for number, (sheet, rows) in enumerate(found.rows.items()):
        names = list(dict.fromkeys(name for row in rows for name in row))
        if len(rows) * len(names) > limits.cells:
            raise Unreadable("file.too_large", limit=f"{limits.cells} cells")
        columns: dict[str, list[str | None]] = {
            str(i): [name, *(_text(row.get(name)) for row in rows)] for i, name in enumerate(names)
        }
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))
        frame = frame.with_columns(row=pl.int_range(1, frame.height + 1, dtype=pl.Int64))
        part = out / f"{number:05}.arrow"
        frame.write_ipc(part, compression="uncompressed")
        tables.append({"sheet": sheet, "parts": [part.name]})
        tell(number + 1, len(found.rows))
    notes = [{"code": n.code, "place": n.place, "values": dict(n.values)} for n in found.notes]
    return {"tables": tables, "notes": notes, "format": found.format}


def _text(value: str | float | bool | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else repr(value)
