"""What an upload's preview is over GraphQL: each sheet as it was read, what is asked about it, what would change."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from typing import Any, get_args

import strawberry

import ingest
from chaingraph import Seer
from ingest import How
from schema import Kind
from schema.core import Field
from schema.vocabularies import Disclosure, Purpose
from server.api.aspects import OWN
from server.api.inputs import codes_of, described_enum, maybe, several
from server.api.subscriptions import KIND, KindCode
from server.api.types import plain_type, publish
from server.api.uploads import LoadFinding, SheetCounts, counts_of, findings_of

HOW: Any = enum.Enum("UploadColumnHow", {name.upper(): name for name in get_args(How)})  # type: ignore[misc]
_HOW = {
    "exact": "Its heading is a name of the field.",
    "chosen": "Somebody chose it, now or for this layout before.",
    "twice": "Another column is that field already; this one is kept beside the rows.",
    "aside": "Somebody put it aside: it is kept beside the rows.",
    "unknown": "It is not known, and kept beside the rows.",
    "personal": "It tells of persons, and is not stored.",
    "hashed": "It has numbers of vehicles, which are stored as keyed hashes.",
}
ColumnHow = described_enum(HOW, "Why a column is taken for a field, or for none.", [_HOW[each.value] for each in HOW])
_BY = {
    "choice": "Somebody chose it, now or for this layout before.",
    "name": "The name of the file or worksheet.",
    "columns": "Its columns.",
    "nothing": "Nothing: it is of no kind yet.",
}
BY: Any = enum.Enum("UploadSheetBy", {name.upper(): name for name in _BY})  # type: ignore[misc]
SheetBy = described_enum(BY, "What settled the kind of a sheet.", _BY.values())

UploadField = publish("UploadField", plain_type("UploadField", "A field that a column can be. 字段。", {
    "name": (str, "Its name, for `uploadMap`.", None),
    "label": (str, "What people call it, with its unit.", None),
    "required": (bool, "Whether every row needs it.", None),
    "unit": (maybe(str), "The unit of its numbers.", None),
}, OWN))  # fmt: skip
UploadKind = publish("UploadKind", plain_type("UploadKind", "A kind that a sheet can be. 表的类型。", {
    "kind": (KindCode, "The kind, for `uploadMap`.", None),
    "label": (str, "What people call it.", None),
}, OWN))  # fmt: skip
UploadColumn = publish("UploadColumn", plain_type("UploadColumn", "A column of a sheet, as it was read. 列。", {
    "position": (str, "Which, for `uploadMap`.", None),
    "heading": (str, "Its heading.", None),
    "field": (maybe(UploadField), "The field that it is taken for; null for none.", None),
    "how": (ColumnHow, "Why.", None),
    "suggestions": (several(UploadField), "The likeliest fields of a column that is not known.", None),
}, OWN))  # fmt: skip
UploadOption = publish("UploadOption", plain_type("UploadOption", "One answer to a question. 选项。", {
    "value": (str, "What to answer, for `uploadMap`.", None),
    "text": (str, "What it means.", None),
}, OWN))  # fmt: skip
UploadQuestion = publish("UploadQuestion", plain_type("UploadQuestion", "What a sheet leaves open. 待确认的问题。", {
    "id": (str, "Which question of the sheet, for `uploadMap`.", None),
    "text": (str, "The question.", None),
    "options": (several(UploadOption), "The answers.", None),
    "column": (maybe(str), "The heading of the column that it is about.", None),
    "examples": (several(str), "Cells in doubt.", None),
    "required": (bool, "Whether the sheet is not taken without an answer.", None),
    "free": (bool, "Whether any text is an answer; the options are then proposals.", None),
    "answer": (maybe(str), "What was answered.", None),
}, OWN))  # fmt: skip
UploadCells = publish("UploadCells", plain_type("UploadCells", "A row as it was read. 一行。", {
    "row": (int, "Which row, as a spreadsheet counts.", None),
    "cells": (several(maybe(str)), "Its cells in the order of the columns; `***` for what tells of persons.", None),
}, OWN))  # fmt: skip
UploadSheet = publish("UploadSheet", plain_type("UploadSheet", "A sheet of an upload, as it was read. 数据表。", {
    "name": (str, "Which, for `uploadMap`: the file, with the worksheet where it has several.", None),
    "sheet": (maybe(str), "The name of the worksheet.", None),
    "encoding": (maybe(str), "How its text was decoded.", None),
    "kind": (maybe(KindCode), "The kind of its rows; null where none is certain.", None),
    "label": (maybe(str), "What people call that kind.", None),
    "by": (SheetBy, "What settled the kind.", None),
    "candidates": (several(UploadKind), "The kinds that it could be, the likeliest first.", None),
    "fields": (several(UploadField), "The fields that a column of that kind can be.", None),
    "rows": (int, "How many rows it has.", None),
    "header_row": (int, "The row of its headings, as a spreadsheet counts.", None),
    "columns": (several(UploadColumn), "Its columns.", None),
    "missing": (several(UploadField), "Fields that the kind needs, and no column is.", None),
    "sample": (several(UploadCells), "The first rows.", None),
    "questions": (several(UploadQuestion), "What is to be answered, with the answers so far.", None),
    "take": (bool, "False where somebody left it out.", None),
    "remembered": (bool, "Whether decisions about such a layout were remembered.", None),
    "taken": (bool, "Whether its rows would be taken as it is.", None),
}, OWN))  # fmt: skip
UploadSeer = publish("UploadSeer", plain_type("UploadSeer", "Who will see rows of an upload. 可见方。", {
    "grantee": (str, "Who: a code, `consortium:ID`, `group:ID/NAME` or `everyone`.", None),
    "name": (str, "What people call them.", None),
    "text": (str, "What they will see, as a sentence.", None),
    "mode": (codes_of(Disclosure), "Whether the rows are shown, used or pooled.", None),
    "purposes": (several(codes_of(Purpose)), "For which purposes.", None),
    "until": (maybe(dt.datetime), "Until when.", None),
    "agreement": (maybe(str), "The number of the agreement; null for a firm that the rows name as a party.", None),
    "named": (bool, "Whether names of other firms in the rows are shown.", None),
    "onward": (bool, "Whether it may be passed on.", None),
}, OWN))  # fmt: skip
UploadPreview = publish("UploadPreview", plain_type("UploadPreview", "What confirming an upload would do. 预览。", {
    "sheets": (several(UploadSheet), "", strawberry.field(description="Its sheets.", metadata={"size": 3})),
    "counts": (several(SheetCounts), "For each sheet, what would become of its rows.", None),
    "findings": (several(LoadFinding), "What to know and to correct, the gravest first.", None),
    "seers": (several(UploadSeer), "Who will see rows of it once it is taken, by the agreements in force.", None),
    "digest": (str, "Names all that is shown here; `uploadConfirm` takes it as `seen`.", None),
    "ready": (bool, "Whether it can be confirmed: something would be taken, and nothing is left open.", None),
}, OWN))  # fmt: skip


def shown(preview: ingest.Preview, locale: str) -> Any:
    """A preview in one language, as an `UploadPreview`."""
    return UploadPreview(
        sheets=[_sheet(each, locale) for each in preview.sheets],
        counts=counts_of(preview.report),
        findings=findings_of(preview.report, locale),
        seers=[_seer(each, locale) for each in preview.seers],
        digest=preview.digest,
        ready=preview.ready,
    )


def _sheet(seen: ingest.SheetSeen, locale: str) -> Any:
    return UploadSheet(
        name=seen.name,
        sheet=seen.sheet,
        encoding=seen.encoding,
        kind=KIND(seen.kind.name) if seen.kind else None,
        label=seen.kind.text.say(locale) if seen.kind else None,
        by=BY(seen.by),
        candidates=[UploadKind(kind=KIND(each.name), label=each.text.say(locale)) for each in seen.candidates],
        fields=_fields(_choices(seen.kind), locale),
        rows=seen.rows,
        header_row=seen.header_row,
        columns=[_column(each, locale) for each in seen.columns],
        missing=_fields(seen.missing, locale),
        sample=[UploadCells(row=row, cells=list(cells)) for row, cells in seen.sample],
        questions=[_question(each, locale) for each in seen.questions],
        take=seen.decided.take,
        remembered=seen.remembered,
        taken=seen.taken,
    )


def _choices(kind: Kind | None) -> Iterable[Field]:
    """The fields that a column of a sheet of this kind may be chosen to be."""
    return () if kind is None else (field for name, field in kind.fields.items() if name != "stub")


def _fields(fields: Iterable[Field], locale: str) -> list[Any]:
    return [
        UploadField(name=each.name, label=each.label.say(locale), required=each.required, unit=each.meta.unit)
        for each in fields
    ]


def _column(seen: ingest.ColumnSeen, locale: str) -> Any:
    return UploadColumn(
        position=seen.position,
        heading=seen.heading,
        field=next(iter(_fields([seen.field], locale))) if seen.field else None,
        how=HOW(seen.how),
        suggestions=_fields(seen.suggestions, locale),
    )


def _question(asked: ingest.Question, locale: str) -> Any:
    return UploadQuestion(
        id=asked.id,
        text=asked.text.say(locale),
        options=[UploadOption(value=each.value, text=each.text.say(locale)) for each in asked.options],
        column=asked.column,
        examples=list(asked.examples),
        required=asked.required,
        free=asked.free,
        answer=asked.answer,
    )


def _seer(seer: Seer, locale: str) -> Any:
    return UploadSeer(
        grantee=seer.grantee,
        name=seer.name.say(locale),
        text=seer.text.say(locale),
        mode=seer.mode,
        purposes=list(seer.purposes),
        until=seer.until,
        agreement=seer.agreement,
        named=seer.named,
        onward=seer.onward,
    )
