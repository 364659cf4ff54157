"""What the fields of the preview's form decide: only what differs from what was shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest import Preview, SheetDecisions, SheetSeen
from ingest.decisions import ASIDE

NONE = "-"
"""The choice that a column is no field."""


def decisions_of(preview: Preview, given: Mapping[str, Any], *, accept: bool = False) -> dict[str, SheetDecisions]:
    """The decisions in a form by sheet, of sheets about which anything was decided anew.

    Fields are `kind:N`, `column:N:POSITION`, `answer:N:ID` (or `free:N:ID`, as written) and `leave:N` for the sheet
    number N. With `accept` the first suggestion for each column that is not known is taken, unless something else was
    chosen.
    """
    found = {}
    for number, sheet in enumerate(preview.sheets):
        made = _sheet(number, sheet, given, accept=accept)
        if made is not None:
            found[sheet.name] = made
    return found


def suggested(sheet: SheetSeen) -> dict[str, str]:
    """The first suggestion for each column that is not known, no field twice."""
    found: dict[str, str] = {}
    taken = {column.field.name for column in sheet.columns if column.field is not None}
    for column in sheet.columns:
        name = next((field.name for field in column.suggestions if field.name not in taken), None)
        if column.how == "unknown" and name is not None:
            found[column.position] = name
            taken.add(name)
    return found


def _sheet(number: int, sheet: SheetSeen, given: Mapping[str, Any], *, accept: bool) -> SheetDecisions | None:
    shown_kind = sheet.kind.name if sheet.kind else ""
    kind = _text(given, f"kind:{number}", shown_kind)
    columns = suggested(sheet) if accept and kind == shown_kind else {}
    for column in sheet.columns:
        before = column.field.name if column.field is not None else NONE if column.how == "aside" else ""
        chosen = _text(given, f"column:{number}:{column.position}", before)
        if chosen not in {before, ""}:
            columns[column.position] = ASIDE if chosen == NONE else chosen
    answers = {}
    for question in sheet.questions:
        answer = _text(given, f"answer:{number}:{question.id}", "")
        if question.free:
            answer = _text(given, f"free:{number}:{question.id}", "") or answer
        if answer != question.answer and question.takes(answer):
            answers[question.id] = answer
    take = sheet.decided.take if f"sheet:{number}" not in given else f"leave:{number}" not in given
    if kind != shown_kind:  # columns of another kind mean something else
        return SheetDecisions(take=take, kind=kind or None, answers=answers)
    if not columns and not answers and take == sheet.decided.take:
        return None
    return SheetDecisions(take=take, kind=kind or None, columns=columns, answers=answers)


def _text(given: Mapping[str, Any], name: str, default: str) -> str:
    value = given.get(name, default)
    return value.strip() if isinstance(value, str) else default
