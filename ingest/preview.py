"""What people are shown before they say yes: each sheet as it was read, what it is taken for, and what would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from chaingraph import Seer
from ingest import headers
from ingest.decisions import Question, SheetDecisions
from ingest.load import Looked
from ingest.opening import Sheet
from ingest.personal import masked_text
from ingest.reading import ROW
from ingest.report import Report
from schema import Kind, Personal
from schema.core import Field

SAMPLE = 10
"""Rows of each sheet that are shown as they were read."""
_CELL = 80

How = Literal["exact", "chosen", "twice", "aside", "unknown", "personal", "hashed"]


@dataclass(frozen=True, slots=True)
class ColumnSeen:
    """A column: its position in the sheet, its heading, the field it is taken for and why.

    `how`: its name is exact; it was chosen; another column is that field already; it was put aside; it is not known
    (`suggestions` are the likeliest fields); it tells of persons and is dropped, or is hashed.
    """

    position: str
    heading: str
    field: Field | None
    how: How
    suggestions: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetSeen:
    """A sheet of an upload as people are shown it.

    `by` says what settled its kind: `choice`, `name`, `columns` or `nothing`. `candidates` are the kinds that it could
    be, the likeliest first. `sample` has the first rows as read: row number, and the cells in the order of `columns`,
    with what tells of persons masked. `taken` is false where it is left out, or cannot be taken yet.
    """

    name: str
    sheet: str | None
    encoding: str | None
    kind: Kind | None
    by: str
    candidates: tuple[Kind, ...]
    rows: int
    header_row: int
    columns: tuple[ColumnSeen, ...]
    sample: tuple[tuple[int, tuple[str | None, ...]], ...]
    questions: tuple[Question, ...]
    decided: SheetDecisions
    remembered: bool
    taken: bool

    @property
    def missing(self) -> tuple[Field, ...]:
        """Fields that the kind needs and that nothing says; none of a sheet that is taken."""
        if self.kind is None or self.taken:
            return ()
        return headers.reading({c.position: c.heading for c in self.columns}, self.kind, self.decided.columns).missing


@dataclass(frozen=True, slots=True)
class Preview:
    """What confirming an upload would do. `digest` names all of it; `ready` where something would be taken."""

    sheets: tuple[SheetSeen, ...]
    report: Report
    digest: str
    ready: bool
    seers: tuple[Seer, ...] = ()
    """Who will see rows of it once it is taken, by the agreements in force."""


def preview(looked: Looked, seers: Sequence[Seer] = ()) -> Preview:
    """What people are shown of what a load would do, and who will see it then."""
    seen = tuple(_seen(sheet) for sheet in looked.opened.sheets)
    return Preview(seen, looked.report, looked.digest, ready(looked), tuple(seers))


def ready(looked: Looked) -> bool:
    """Whether there is something to take, and no question open about what is not left out."""
    total = looked.report.total
    asked = (question for sheet in looked.opened.sheets if sheet.decided.take for question in sheet.questions)
    unanswered = any(each.required and each.answer is None for each in asked)
    return bool(total.new or total.changed or total.same or total.raw) and not unanswered


def _seen(sheet: Sheet) -> SheetSeen:
    table, read = sheet.table, sheet.detection.reading
    columns = tuple(_column(sheet, position, heading) for position, heading in table.header.items())
    near = sorted(
        (headers.reading(table.header, each) for each in headers.sheet_kinds()),
        key=lambda r: (len(r.missing) > 0, -len(r.columns)),
    )
    return SheetSeen(
        table.name, table.sheet, table.encoding, read.kind if read else None, sheet.detection.by,
        tuple(r.kind for r in near if r.columns), table.cells.height, table.header_row, columns,
        tuple(_sample(table.cells, columns)), sheet.questions, sheet.decided, sheet.remembered,
        sheet.source is not None,
    )  # fmt: skip


def _column(sheet: Sheet, position: str, heading: str) -> ColumnSeen:
    read = sheet.detection.reading
    personal = headers.personal(heading)
    if personal is Personal.DROP:
        return ColumnSeen(position, heading, None, "personal")
    if read is None:
        return ColumnSeen(position, heading, None, "unknown")
    taken = next((c for c in read.columns if c.position == position), None)
    if taken is not None:
        how: How = "hashed" if personal is Personal.HASH else "chosen" if position in read.chosen else "exact"
        return ColumnSeen(position, heading, taken.field, how)
    if other := next((c for p, _, c in read.twice if p == position), None):
        return ColumnSeen(position, heading, other.field, "twice")
    if position in read.chosen:
        return ColumnSeen(position, heading, None, "aside")
    return ColumnSeen(position, heading, None, "unknown", tuple(read.suggestions(heading)))


def _sample(cells: pl.DataFrame, columns: Sequence[ColumnSeen]) -> list[tuple[int, tuple[str | None, ...]]]:
    """The first rows; the cells of columns about persons as `***`."""
    shown = []
    for row in cells.head(SAMPLE).iter_rows(named=True):
        values = (
            None if row[c.position] is None
            else "***" if c.how in {"personal", "hashed"}
            else masked_text(row[c.position][:_CELL])
            for c in columns
        )  # fmt: skip
        shown.append((int(row[ROW]), tuple(values)))
    return shown
