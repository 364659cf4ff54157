"""The file that goes back: the same workbook, its bad cells coloured and commented, and a list of what was found."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest.decisions import Question
from ingest.load import Looked
from ingest.opening import FINDINGS, Sheet
from ingest.reading import Child, Limits, Unreadable, magic
from ingest.report import Finding
from schema.text import Text

MOST_CELLS = 200_000
"""A file of more cells comes back with its bad rows alone."""
MOST_FINDINGS = 50_000
"""So many findings are listed, the gravest first; how many more there are is said."""

_LEVELS = {
    "error": Text("错误", "Error"),
    "warning": Text("警告", "Warning"),
    "question": Text("待确认", "Question"),
    "info": Text("提示", "Note"),
}
_HEADINGS = (
    Text("级别", "Level"),
    Text("单元格", "Cell"),
    Text("工作表", "Sheet"),
    Text("行", "Row"),
    Text("列", "Column"),
    Text("值", "Value"),
    Text("问题", "What"),
    Text("处理", "Remedy"),
)
_REMEDY = Text("处理：", "What to do: ")
_OPTIONS = Text("可选：", "Answers: ")
_IN_PREVIEW = Text("请在预览页回答。", "Answer it in the preview.")


def marked(looked: Looked, path: Path, locale: str = "zh", limits: Limits | None = None) -> bytes:
    """The file at `path`, one of those that were looked at, as XLSX with what is wrong marked in it.

    A workbook stays what it is but for the marks (formulas become the values that they had); a file of another format
    becomes a workbook of the same rows at the same numbers. Errors are red, warnings yellow, questions blue; what is
    about a column is at its heading, what is about a row in its first cell. The sheet in front lists everything, with
    links; it is passed over when the file comes back. Of files beyond MOST_CELLS only the heading and the bad rows
    come, with their numbers. The file is opened in a child process. Raises Unreadable.
    """
    bounds = limits or Limits()
    magic.check(path, bounds)
    tables = [sheet for sheet in looked.opened.sheets if sheet.table.file == path.name]
    titles = {sheet.table.sheet or "": _title(sheet.table.sheet, path) for sheet in tables}
    layouts: dict[str, dict[str, Any]] = {}
    for sheet in tables:
        layout = layouts.setdefault(titles[sheet.table.sheet or ""], {"header": sheet.table.header, "header_rows": []})
        if sheet.table.header_row not in layout["header_rows"]:
            layout["header_rows"].append(sheet.table.header_row)
    marks = {
        "title": FINDINGS,
        "headings": [heading.say(locale) for heading in _HEADINGS],
        "findings": _findings(looked, path, tables, titles, locale),
        "sheets": layouts,
        "titles": titles,
        "big": sum(s.table.cells.height * s.table.cells.width for s in tables) > MOST_CELLS,
    }
    with Child(bounds, "painting") as child:
        try:
            return _made(child, path, marks)
        except Unreadable as refused:
            if marks["big"] or refused.code != "file.too_large":
                raise
            return _made(child, path, marks | {"big": True})


def _title(sheet: str | None, path: Path) -> str:
    """What a sheet is called in a workbook: its name, else that of the file, as far as a workbook takes it."""
    return re.sub(r"[\[\]:*?/\\]", " ", sheet or path.stem)[:31].strip("' ") or "Sheet"


def _made(child: Child, path: Path, marks: Mapping[str, Any]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="chaingraph-") as folder:
        out = Path(folder)
        (out / "marks.json").write_text(json.dumps(marks, ensure_ascii=False), encoding="utf-8")
        child.parse(path, out, _silent)
        return (out / "marked.xlsx").read_bytes()


def _silent(done: int, total: int) -> None:
    """Nobody listens."""


def _findings(
    looked: Looked, path: Path, tables: Sequence[Sheet], titles: Mapping[str, str], locale: str
) -> list[dict[str, Any]]:
    """What is listed, the gravest first, and the cell that each is about."""
    places = {sheet.table.name: (titles[sheet.table.sheet or ""], sheet) for sheet in tables}
    found = [_asked(place, question, locale) for place in places.values() for question in place[1].questions]
    entries = [each for each in found if each is not None]
    entries += [
        _found(each, places.get(each.file or ""), locale)
        for each in looked.report.findings
        if each.code != "question.open" and _within(each, path)
    ]
    entries.sort(key=lambda e: list(_LEVELS).index(e["level"]))
    more = len(entries) - MOST_FINDINGS
    if more > 0:
        said = Text(f"另有 {more} 条未列出。", f"{more} more are not listed.").say(locale)
        entries = [*entries[:MOST_FINDINGS], _entry("info", None, None, None, "", said, "", locale)]
    return entries


def _within(each: Finding, path: Path) -> bool:
    return each.file is not None and (each.file == path.name or each.file.startswith(path.name + "["))


def _found(each: Finding, place: tuple[str, Sheet] | None, locale: str) -> dict[str, Any]:
    worded = each.to_row(locale)
    text, remedy = str(worded["text"]), str(worded["remedy"])
    return _entry(each.severity, place, each.row, each.column, each.value, text, remedy, locale)


def _asked(place: tuple[str, Sheet], question: Question, locale: str) -> dict[str, Any] | None:
    """A question that has no answer yet."""
    if question.answer is not None:
        return None
    options = "；".join(option.text.say(locale) for option in question.options)
    text = question.text.say(locale) + (f" {_OPTIONS.say(locale)}{options}" if options else "")
    column, values = question.column, ", ".join(question.examples)
    return _entry("question", place, None, column, values, text, _IN_PREVIEW.say(locale), locale)


def _position(sheet: Sheet, column: str | None) -> int:
    """Where the column of a heading is; the first one where there is none of it."""
    header = sheet.table.header
    at = next((position for position, heading in header.items() if heading == column), None)
    at = at if at is not None else next(iter(header), "0")
    return int(at) if at.isdecimal() else 0


def _entry(
    level: str,
    place: tuple[str, Sheet] | None,
    row: int | None,
    column: str | None,
    value: str | None,
    text: str,
    remedy: str,
    locale: str,
) -> dict[str, Any]:
    """One line of the list, and the note at its cell: of a column that of its heading, of a row the first."""
    label = _LEVELS[level].say(locale)
    name, sheet = place or (None, None)
    return {
        "level": level, "sheet": name, "row": row or (sheet.table.header_row if sheet else None),
        "position": _position(sheet, column) if sheet else 0,
        "cells": [label, None, name, row, column, value, text, remedy],
        "note": f"{label}：{text}" + (f"\n{_REMEDY.say(locale)}{remedy}" if remedy else ""),
    }  # fmt: skip
