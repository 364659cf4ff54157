"""An empty sheet of a kind, for people to fill in: its heading row, which reads back as what it was made from."""

from __future__ import annotations

import codecs
import csv
import io

from chaingraph import NotFound
from ingest.headers import fold, sheet_kinds
from schema import Kind, Text

REQUIRED = "*"
"""Behind the heading of a column that must be there."""


def sheet_kind(name: str) -> Kind:
    """The kind of sheet that somebody means by the name of the kind or of its file. Raises NotFound, naming them
    all.
    """
    for kind in sheet_kinds():
        if fold(name) in {fold(kind.name), fold(kind.sheet or ""), fold(kind.text.zh), fold(kind.text.en)}:
            return kind
    known = ", ".join(kind.sheet or "" for kind in sheet_kinds())
    raise NotFound(
        "kind.unknown",
        Text(f"没有 {name} 这种表。", f"There is no kind of sheet {name}."),
        Text(f"可选：{known}。", f"There are: {known}."),
    )


def headings(kind: Kind, locale: str) -> list[str]:
    """The headings of a sheet of that kind, in one language."""
    fields = [f for f in kind.fields.values() if f.name != "stub"]
    return [f.label.say(locale) + (REQUIRED if f.required else "") for f in fields]


def template(name: str, locale: str = "zh") -> bytes:
    """The template of a kind of sheet as CSV in UTF-8 with a byte order mark, which spreadsheets need to show
    Chinese.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(headings(sheet_kind(name), locale))
    return codecs.BOM_UTF8 + text.getvalue().encode()
