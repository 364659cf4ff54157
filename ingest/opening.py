"""Files to sheets: read in child processes, then taken for what they are, as people decided."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, NamedTuple

import polars as pl

from ingest import bom, headers, reading
from ingest.beside import Beside
from ingest.blanks import without_blanks
from ingest.decisions import UNDECIDED, Decisions, Memory, Question, SheetDecisions
from ingest.forms import implied
from ingest.personal import masked_text
from ingest.questions import EVENT, VALUE, Asked, asked_about
from ingest.reading import Child, FileRead, Limits, Table, Unreadable
from ingest.report import Report, finding
from ingest.sheets import Source
from schema import KINDS, Text

FINDINGS, GUIDE = "问题清单 Findings", "填写说明 Guide"
"""Worksheets that go back to people with their files and templates, and say nothing when they come again."""
_READERS = 2
_KINDS_SHOWN = 3
_ROWS_SHOWN = 5


class Step(NamedTuple):
    """Progress: of what (bytes or sheets read of a file, checks, rows written) so much is done of so much."""

    stage: Literal["read", "check", "write"]
    file: str | None
    done: int
    total: int


def silent(step: Step) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Sheet:
    """A sheet that could be read: its cells, what was decided about it, what is asked, and what it is taken for.

    `source` is None where it is not taken: without rows, left out, with columns missing or questions open.
    """

    table: Table
    detection: headers.Detection
    decided: SheetDecisions
    remembered: bool
    questions: tuple[Question, ...]
    source: Source | None


@dataclass
class Opened:
    """The sheets of all files in the order of reading."""

    sheets: list[Sheet] = field(default_factory=list)

    @property
    def sources(self) -> list[Source]:
        """What is taken, things before what refers to them."""
        order = list(KINDS)
        found = [sheet.source for sheet in self.sheets if sheet.source is not None]
        return sorted(found, key=lambda s: order.index(s.kind.name) if s.kind else len(order))


def files(paths: Iterable[Path], report: Report) -> list[Path]:
    """The files meant by `paths`: of a folder those of a format that is read, by name."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = [p for p in sorted(path.iterdir()) if p.suffix.lower() in reading.SUFFIXES]
        inside = [p for p in inside if not p.name.startswith((".", "~$"))]
        found += inside
        if not inside:
            report.add(finding("file.none", file=path.name))
    return found


def opened(
    paths: Sequence[Path],
    report: Report,
    progress: Callable[[Step], None] = silent,
    limits: Limits | None = None,
    decisions: Decisions | None = None,
    memory: Memory | None = None,
    beside: Beside | None = None,
) -> Opened:
    """All sheets of all files, looked at `beside` the graph and each other; files that cannot be read are reported."""
    turn = threading.Lock()

    def one(path: Path) -> tuple[Path, str, FileRead, Unreadable | None]:
        def tell(done: int, total: int) -> None:
            with turn:
                progress(Step("read", path.name, done, total))

        child = children.get()
        try:
            found = reading.read(path, headers.recognised, child=child, tell=tell)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except Unreadable as unreadable:
            return path, "", FileRead(), unreadable
        finally:
            children.put(child)
        return path, digest, found, None

    looked: list[_Looked] = []
    children: SimpleQueue[Child] = SimpleQueue()
    with ExitStack() as ends, ThreadPoolExecutor(_READERS) as pool:
        for _ in range(_READERS):
            children.put(ends.enter_context(Child(limits or Limits())))
        for path, digest, read, unreadable in pool.map(one, paths):
            if unreadable is not None:
                report.add(finding(unreadable.code, file=path.name, **unreadable.values))
            for sheet in read.hidden:
                report.add(finding("sheet.hidden", file=f"{path.name}[{sheet}]"))
            for note in read.notes:
                report.add(finding(note["code"], file=path.name, value=note["place"], **note["values"]))
            tables = [table for table in read.tables if table.sheet not in {FINDINGS, GUIDE}]
            tables = [each for table in tables for each in bom.expanded(table, plain=table.name in (decisions or {}))]
            for table in tables:
                for told in table.notes:
                    report.add_rows(told.code, told.rows, file=table.name, column=told.column, **told.values)
                names = [table.sheet, path.stem] if len(tables) == 1 else [bom.SHEETS.get(table.facet, table.sheet)]
                decided = (decisions or {}).get(table.name, UNDECIDED)
                looked.append(_looked(table, digest, names, decided, memory, report))
    beside = beside or Beside()
    beside.bring((each.table, each.found.reading) for each in looked if each.decided.take)
    return Opened([_sheet(number, each, beside, report) for number, each in enumerate(looked)])


class _Looked(NamedTuple):
    """A sheet and its kind, before anything is asked about it."""

    table: Table
    digest: str
    found: headers.Detection
    decided: SheetDecisions
    remembered: bool


def _looked(
    table: Table,
    digest: str,
    names: Sequence[str | None],
    decided: SheetDecisions,
    memory: Memory | None,
    report: Report,
) -> _Looked:
    """A sheet with its kind, by what was decided now and before."""
    old = memory.recall(table.header) if memory else UNDECIDED
    if memory and (gone := memory.outdated(table.header)):
        report.add(finding("decisions.outdated", file=table.name, value=", ".join(gone)))
    both = decided.over(old)
    found = headers.detect(table.header, names, both.kind, both.columns)
    return _Looked(without_blanks(table, found.reading, report), digest, found, both, old != UNDECIDED)


def _sheet(number: int, looked: _Looked, beside: Beside, report: Report) -> Sheet:
    """A sheet with its questions, and whether it can be taken; what stands against that is reported."""
    table, found, decided = looked.table, looked.found, looked.decided
    if table.encoding not in {None, "utf-8", "utf-8-sig"}:
        report.add(finding("file.decoded", file=table.name, encoding=table.encoding, rows=_sample(table)))
    asked = asked_about(table, found, decided, beside)
    taken = decided.take and _takeable(table, found, asked, report)
    source = Source(number, table, looked.digest, found.reading, decided, asked.answers) if taken else None
    return Sheet(table, found, decided, looked.remembered, asked.questions, source)


def _takeable(table: Table, found: headers.Detection, asked: Asked, report: Report) -> bool:
    """Whether a sheet has rows, all columns that its kind needs, and no question open; what it has not is reported."""
    if not table.cells.height:
        report.add(finding("sheet.no_rows", file=table.name))
        return False
    read = found.reading
    if read is None:
        closest = ", ".join(
            f"{r.kind.sheet} {len(r.columns)}/{len(table.header)}" for r in found.closest[:_KINDS_SHOWN]
        )
        report.add(finding("sheet.unknown", file=table.name, rows=table.cells.height, closest=closest or "–"))
        return True
    report.add(*asked.findings)
    said = {*implied(read), *(name.removeprefix(VALUE) for name in asked.answers if name.startswith(VALUE))}
    said |= {"unit" for name in asked.answers if name.startswith("unit:")}
    missing = [each for each in read.missing if each.name not in said]
    unanswered = [each for each in asked.questions if each.required and each.answer is None]
    if any(each.id == EVENT for each in unanswered):
        missing.append(read.kind.fields["event"])
    for each in missing:
        label, names_known = each.label, "; ".join(each.spellings[:8])
        report.add(
            finding(
                "column.missing", file=table.name, column=each.name, label=label, field=each.name, names=names_known
            )
        )
    for question in unanswered:
        if question.id != EVENT and not question.id.startswith(VALUE):  # reported as columns that are missing
            report.add(finding("question.open", file=table.name, column=question.column, question=question.text))
    if missing or unanswered:
        counts = report.count(table.name, read.kind.name)
        counts.read = counts.refused = table.cells.height
        return False
    for heading, expected, unit in read.bad_units:
        wanted = expected.meta.unit or "–"
        report.add(finding("column.unit", file=table.name, column=heading, value=unit, unit=unit, expected=wanted))
    for _, heading, taken in read.twice:
        label = taken.field.label
        report.add(finding("column.twice", file=table.name, column=heading, first=taken.heading, field=label))
    for heading in read.unmapped.values():
        report.add(finding("column.unmapped", file=table.name, column=heading, closest=_suggested(read, heading)))
    return True


def _sample(table: Table) -> str:
    """The heading and the first rows, to see whether they were decoded well; without what tells of persons."""
    kept = {position: name for position, name in table.header.items() if headers.personal(name) is None}
    rows = table.cells.select(pl.col(list(kept)).fill_null("")).head(_ROWS_SHOWN).rows()
    return " ⏎ ".join(masked_text(" | ".join(cells)) for cells in (tuple(kept.values()), *rows))


def _suggested(read: headers.Reading, heading: str) -> Text:
    fields = read.suggestions(heading)
    if not fields:
        return Text("", "")
    return Text(
        f"可能是：{'、'.join(f'{f.label.zh}（{f.name}）' for f in fields)}。",
        f"It may be: {', '.join(f'{f.label.en} ({f.name})' for f in fields)}.",
    )
