"""Documents of interchange standards to tables, whose headings are the names of fields. Runs in the child process.

A format is a module with `read(document)`: what the document says, or None where it is not of that format. Documents
are taken leniently: what cannot be used is noted, the rest is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..limits import Limits, Unreadable

Value = str | int | float | bool | None
Row = dict[str, Value]
_NOTES_OF_A_CODE = 50
_SAID = 200
"""Characters of a text of the document that a note shows."""


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
    _merged: dict[tuple[Value, ...], Row] = field(default_factory=dict)

    def add(self, sheet: str, **values: Value) -> None:
        """A row of a sheet."""
        self.rows.setdefault(sheet, []).append(values)

    def merge(self, sheet: str, by: Sequence[str], place: str | None = None, **values: Value) -> None:
        """A row of a sheet that may be described at several places: one row for each of what the fields `by` say.

        What was said first stays; what says something else is noted.
        """
        key = (sheet, *(values.get(name) for name in by))
        known = self._merged.get(key)
        if known is None:
            self._merged[key] = values
            self.rows.setdefault(sheet, []).append(values)
            return
        for name, value in values.items():
            if known.get(name) is None:
                known[name] = value
            elif value is not None and value != known[name]:
                self.note("document.contradiction", place, what=name, said=str(value), first=str(known[name]))

    def note(self, code: str, place: str | None = None, **values: str | int) -> None:
        """Note something."""
        self.notes.append(Note(code, place, values))


Reader = Callable[[Any], Document | None]


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list; nothing for what is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: object) -> str | None:
    """A text or number as text without blanks around it; None for anything else, and for nothing but blanks."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return (value if isinstance(value, str) else repr(value)).strip() or None


def child(value: object, *names: str) -> Any:
    """What stands below an object under these names, one within the other; None where there is no such thing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def readers() -> list[Reader]:
    """The formats, the most telling first."""
    from .aas import read as aas
    from .catena_x import read as catena_x
    from .cyclonedx import read as cyclonedx
    from .omts import read as omts

    return [aas, cyclonedx, omts, catena_x]


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
        names = list(dict.fromkeys(name for row in rows for name, value in row.items() if value is not None))
        if not names:
            continue
        if len(rows) * len(names) > limits.cells:
            raise Unreadable("file.too_large", limit=f"{limits.cells} cells")
        columns: dict[str, list[str | None]] = {
            str(i): [name, *(_text(row.get(name)) for row in rows)] for i, name in enumerate(names)
        }
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))
        frame = frame.with_columns(row=pl.int_range(1, frame.height + 1, dtype=pl.Int64))
        part = out / f"{number:05}.arrow"
        frame.write_ipc(part, compression="uncompressed")
        tables.append({"sheet": sheet, "excel": False, "headed": True, "parts": [part.name]})
        tell(number + 1, len(found.rows))
    return {"tables": tables, "notes": list(_said(found.notes)), "format": found.format}


def _said(notes: Sequence[Note]) -> Iterator[dict[str, Any]]:
    """Notes as told: the first ones of each code, in short, and how many more there are."""
    counts: Counter[str] = Counter()
    for note in notes:
        counts[note.code] += 1
        if counts[note.code] <= _NOTES_OF_A_CODE:
            values = {name: _short(v) if isinstance(v, str) else v for name, v in note.values.items()}
            yield {"code": note.code, "place": _short(note.place) if note.place else None, "values": values}
    for code, count in counts.items():
        if count > _NOTES_OF_A_CODE:
            yield {"code": "document.more", "place": None, "values": {"which": code, "count": count - _NOTES_OF_A_CODE}}


def _short(said: str) -> str:
    return _clean(said if len(said) <= _SAID else said[: _SAID - 1] + "…")


def _clean(said: str) -> str:
    """Without halves of surrogate pairs, which JSON can escape and UTF-8 cannot write."""
    return said.encode("utf-8", "replace").decode("utf-8")


def _text(value: str | float | bool | None) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None else _clean(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)
