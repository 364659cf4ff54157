"""What an upload is taken for and would change, in a terminal; and what somebody decides about it there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from schema.text import Text
from server.cli import output
from server.cli.loading import FINDINGS, LISTED, count_table, gathered
from server.cli.session import Session

if TYPE_CHECKING:
    from ingest import ColumnSeen, Preview, SheetDecisions, SheetSeen
    from schema import Kind

HOW = {
    "exact": Text("列名相符", "Known name"),
    "chosen": Text("已选定", "Chosen"),
    "twice": Text("与另一列重复，原样保存", "Same as another; kept as it is"),
    "aside": Text("原样保存", "Kept as it is"),
    "unknown": Text("不认识，原样保存", "Not known; kept as it is"),
    "personal": Text("含个人信息，不保存", "Of persons; not stored"),
    "hashed": Text("替换为代号", "Replaced by hashes"),
}
_COLUMNS = (
    Text("列", "Column"), Text("表头", "Heading"), Text("字段", "Field"), Text("说明", "Why"),
    Text("首行", "First row"),
)  # fmt: skip
_QUESTIONS = (
    Text("问题编号", "Question"), Text("内容", "What"), Text("可选", "Answers"), Text("已答", "Given"),
)  # fmt: skip
_NO_KIND = Text("种类不明，原样保存", "no kind yet; kept as it is")
_REMEMBERED = Text("沿用上次的选择", "as decided last time")
_LEFT_OUT = Text("不收", "not taken")


def letter(position: str) -> str:
    """A column's place as spreadsheets say it: A for the first, AA after Z."""
    if not position.isdigit():
        return position
    number, letters = int(position) + 1, ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def tell(session: Session, seen: Preview) -> None:
    """Everything that one should have seen before saying yes."""
    for sheet in seen.sheets:
        _sheet(session, sheet)
    count_table(session, seen.report, ("read", "new", "changed", "same", "refused", "raw", "contradicting"))
    findings(session, seen.report)
    if seen.seers:
        output.line()
        output.line(session.say(Text("入库之后：", "After this:")))
        for each in seen.seers:
            output.line(f"  {session.say(each.text)}")
    output.line()


def findings(session: Session, report: Any) -> None:
    """What was found, those that say the same in one line."""
    if alike := gathered(report, session.locale):
        output.line()
        output.table([session.say(each) for name, each in FINDINGS.items() if name != "remedy"], alike[:LISTED])


def _sheet(session: Session, sheet: SheetSeen) -> None:
    kind = session.say(_NO_KIND if sheet.kind is None else sheet.kind.text)
    notes = [kind, session.say(Text(f"{sheet.rows} 行", f"{sheet.rows} rows"))]
    notes += [session.say(_REMEMBERED)] if sheet.remembered else []
    notes += [] if sheet.taken else [session.say(_LEFT_OUT)]
    first = sheet.sample[0][1] if sheet.sample else (None,) * len(sheet.columns)
    rows = [
        [letter(each.position), each.heading, each.field.name if each.field else "", _why(session, each), cell or ""]
        for each, cell in zip(sheet.columns, first, strict=True)
    ]
    output.table([session.say(each) for each in _COLUMNS], rows, f"{sheet.name} — {', '.join(notes)}")
    asked = [
        [
            each.id, session.say(each.text) + (f" ({', '.join(each.examples)})" if each.examples else ""),
            "; ".join(f"{option.value} ({session.say(option.text)})" for option in each.options), each.answer or "",
        ]
        for each in sheet.questions
    ]  # fmt: skip
    if asked:
        output.line()
        output.table([session.say(each) for each in _QUESTIONS], asked)
    output.line()


def _why(session: Session, column: ColumnSeen) -> str:
    said = session.say(HOW[column.how])
    if not column.suggestions:
        return said
    names = ", ".join(each.name for each in column.suggestions)
    return said + session.say(Text(f"（像 {names}）", f" (like {names})"))


def as_json(session: Session, seen: Preview) -> dict[str, Any]:
    """The same for programs."""
    return {
        "digest": seen.digest,
        "ready": seen.ready,
        "sheets": [_sheet_json(session, each) for each in seen.sheets],
        "report": seen.report.to_json(session.locale),
        "seers": [session.say(each.text) for each in seen.seers],
    }


def _sheet_json(session: Session, sheet: SheetSeen) -> dict[str, Any]:
    return {
        "name": sheet.name,
        "kind": sheet.kind.name if sheet.kind else None,
        "by": sheet.by,
        "candidates": [each.name for each in sheet.candidates],
        "rows": sheet.rows,
        "taken": sheet.taken,
        "remembered": sheet.remembered,
        "columns": [
            {
                "position": each.position, "letter": letter(each.position), "heading": each.heading,
                "field": each.field.name if each.field else None, "how": each.how,
                "suggestions": [field.name for field in each.suggestions],
            }
            for each in sheet.columns
        ],
        "missing": [each.name for each in sheet.missing],
        "sample": [{"row": row, "cells": list(cells)} for row, cells in sheet.sample],
        "questions": [
            {
                "id": each.id, "text": session.say(each.text), "required": each.required, "answer": each.answer,
                "options": [{"value": o.value, "text": session.say(o.text)} for o in each.options],
                "column": each.column, "examples": list(each.examples),
            }
            for each in sheet.questions
        ],
    }  # fmt: skip


# what somebody decides, as words of a command


def kinds_of(words: Iterable[str], sheets: Sequence[SheetSeen]) -> dict[str, SheetDecisions]:
    """`SHEET=KIND`. Raises ChaingraphError."""
    from ingest import SheetDecisions
    from ingest.templates import sheet_kind

    decided = {}
    for word in words:
        name, equals, kind = word.rpartition("=")
        if not equals:
            raise _unclear(word, Text("SHEET=KIND", "SHEET=KIND"))
        decided[_named(name, sheets, word).name] = SheetDecisions(kind=sheet_kind(kind).name)
    return decided


def columns_of(words: Iterable[str], sheets: Sequence[SheetSeen]) -> dict[str, SheetDecisions]:
    """`SHEET:COLUMN=FIELD`, the column by its letter or heading; no field keeps it as it is. Raises ChaingraphError."""
    from ingest import SheetDecisions
    from ingest.decisions import ASIDE
    from ingest.headers import fold, names_of

    decided: dict[str, dict[str, str]] = {}
    for word in words:
        left, equals, given = word.rpartition("=")
        sheet, column = _split(left, sheets, word)
        positions = [c.position for c in sheet.columns if fold(c.heading) == fold(column)]
        positions = positions or [c.position for c in sheet.columns if letter(c.position) == column.upper()]
        if not equals or len(positions) != 1:
            named = ", ".join(f"{letter(c.position)} ({c.heading})" for c in sheet.columns)
            raise _unclear(word, Text(f"列有：{named}", f"The columns are: {named}"))
        field = names_of(_kind_of(sheet, word)).get(fold(given)) if given else None
        if given and field is None:
            names = ", ".join(name for name in _kind_of(sheet, word).fields if name != "stub")
            raise _unclear(word, Text(f"字段有：{names}", f"The fields are: {names}"))
        decided.setdefault(sheet.name, {})[positions[0]] = field.name if field else ASIDE
    return {name: SheetDecisions(columns=columns) for name, columns in decided.items()}


def answers_of(words: Iterable[str], sheets: Sequence[SheetSeen]) -> dict[str, SheetDecisions]:
    """`SHEET:QUESTION=ANSWER`. Raises ChaingraphError."""
    from ingest import SheetDecisions

    decided: dict[str, dict[str, str]] = {}
    for word in words:
        sheet, rest = _split(word, sheets, word)
        question = next((q for q in sheet.questions if rest.startswith(f"{q.id}=")), None)
        if question is None:
            asked = ", ".join(each.id for each in sheet.questions) or "–"
            raise _unclear(word, Text(f"问题有：{asked}", f"The questions are: {asked}"))
        value = rest.removeprefix(f"{question.id}=")
        if value not in {option.value for option in question.options}:
            options = ", ".join(option.value for option in question.options)
            raise _unclear(word, Text(f"可选：{options}", f"The answers are: {options}"))
        decided.setdefault(sheet.name, {})[question.id] = value
    return {name: SheetDecisions(answers=answers) for name, answers in decided.items()}


def left_out(words: Iterable[str], sheets: Sequence[SheetSeen]) -> dict[str, SheetDecisions]:
    """`SHEET`, that is not to be taken. Raises ChaingraphError."""
    from ingest import SheetDecisions

    return {_named(word, sheets, word).name: SheetDecisions(take=False) for word in words}


def _split(text: str, sheets: Sequence[SheetSeen], word: str) -> tuple[SheetSeen, str]:
    """The sheet before the colon, and what is behind it; of a single sheet the name can be left out."""
    found = [(each, text[len(name) + 1 :]) for each in sheets for name in _names(each) if text.startswith(f"{name}:")]
    if found:
        return max(found, key=lambda each: len(each[0].name))
    if len(sheets) == 1:
        return sheets[0], text
    raise _no_sheet(sheets, word)


def _named(name: str, sheets: Sequence[SheetSeen], word: str) -> SheetSeen:
    found = [each for each in sheets if name in _names(each)]
    if len(found) != 1:
        raise _no_sheet(sheets, word)
    return found[0]


def _names(sheet: SheetSeen) -> list[str]:
    return [sheet.name, *([sheet.sheet] if sheet.sheet else [])]


def _kind_of(sheet: SheetSeen, word: str) -> Kind:
    if sheet.kind is None:
        raise _unclear(word, Text("请先用 --kind 指明种类", "Say the kind of the sheet first, with --kind"))
    return sheet.kind


def _no_sheet(sheets: Sequence[SheetSeen], word: str) -> Exception:
    names = ", ".join(each.name for each in sheets) or "–"
    return _unclear(word, Text(f"表有：{names}", f"The sheets are: {names}"))


def _unclear(word: str, remedy: Text) -> Exception:
    from chaingraph import ChaingraphError

    return ChaingraphError(
        "decisions.unclear",
        Text(f"不明白“{word}”。", f"What is meant by {word} is not clear."),
        Text(f"{remedy.zh}。", f"{remedy.en}."),
    )
