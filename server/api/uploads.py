"""Mutations that bring files in and take them back: what `chaingraph load` and `undo` do, over GraphQL."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import strawberry
from strawberry import UNSET

import ingest
from chaingraph import EVERYBODY, Capability, NotFound
from ingest import file_name
from schema import Text, kind
from server.api.aspects import CHANGES, OWN, declare
from server.api.context import Context, context_of
from server.api.inputs import argument, several
from server.api.rows import KindRows
from server.api.scalars import File
from server.api.types import plain_type


@strawberry.interface(description="Something wrong with what was sent; the rest of it may have been done.")
class UserError:
    """What a mutation refuses."""

    code: str = strawberry.field(description="A stable code, such as part.unknown.")
    message: str = strawberry.field(description="What is wrong, in the request's language.")
    path: list[str] = strawberry.field(description="Where in the input.")


@strawberry.type(description="Something wrong with a row of a file.")
class RowError(UserError):
    """A user error with its place in a file."""

    remedy: str = strawberry.field(description="What to do about it.")
    file: str | None = strawberry.field(description="In which file.")
    row: int | None = strawberry.field(description="In which row, as a spreadsheet counts.")
    column: str | None = strawberry.field(description="In which column.")
    value: str | None = strawberry.field(description="What it said.")


@strawberry.type(description="Something to know or to correct about a file.")
class LoadFinding:
    """A finding of a load."""

    severity: str = strawberry.field(description="How grave it is: error, warning or info.")
    code: str = strawberry.field(description="A stable code, such as part.unknown.")
    text: str = strawberry.field(description="What it is, in the request's language.")
    remedy: str = strawberry.field(description="What to do about it.")
    file: str | None = strawberry.field(description="In which file.")
    row: int | None = strawberry.field(description="In which row, as a spreadsheet counts.")
    column: str | None = strawberry.field(description="In which column.")
    value: str | None = strawberry.field(description="What it said.")
    more: int = strawberry.field(description="How many further rows of the column are like it.")


@strawberry.type(description="What became of the rows of a sheet.")
class SheetCounts:
    """Counts of a sheet."""

    file: str = strawberry.field(description="The file, with the sheet where it has several.")
    kind: str | None = strawberry.field(description="What its rows are; null where no kind fits.")
    read: int = strawberry.field(description="Rows read.")
    new: int = strawberry.field(description="Rows that were not known.")
    changed: int = strawberry.field(description="Rows that said something else before.")
    same: int = strawberry.field(description="Rows that were there already.")
    refused: int = strawberry.field(description="Rows not taken.")
    raw: int = strawberry.field(description="Rows kept as they are, of no kind yet.")
    removed: int = strawberry.field(description="Rows taken back.")
    contradicting: int = strawberry.field(
        description="Of the new and changed rows, those that say something else than another owner whom you see."
    )


@strawberry.type(description="What a load found and did.")
class LoadReport:
    """The report of a load."""

    taken: bool = strawberry.field(description="False when nothing was taken because something was refused (strict).")
    dry_run: bool = strawberry.field(description="True when it only says what would be done.")
    counts: list[SheetCounts] = strawberry.field(description="For each sheet, what became of its rows.")
    findings: list[LoadFinding] = strawberry.field(description="What to know and to correct, the gravest first.")


UploadPayload = plain_type(
    "UploadPayload",
    "What came of a load, or of taking one back.",
    {
        "report": (LoadReport, "The report.", None),
        "uploads": ("list[Upload]", "The uploads that the files became.", None),
        "user_errors": (several(UserError), "What was refused; empty when all is well.", None),
    },
    OWN,
)
for each in (UserError, RowError, LoadFinding, SheetCounts, LoadReport):
    declare(each, OWN)


@dataclass(frozen=True, slots=True)
class Payload:
    """What an `UploadPayload` reads from."""

    report: LoadReport
    uploads: KindRows
    user_errors: list[RowError]


@strawberry.input(description="A file to take in.")
class UploadLoadInput:
    """What `uploadLoad` takes."""

    file: File = strawberry.field(description="A CSV or XLSX file, by the multipart request specification.")
    dry_run: bool = strawberry.field(default=False, description="Only say what would be done.")
    strict: bool = strawberry.field(default=False, description="Take nothing if anything is refused.")
    replace: str | None = strawberry.field(
        default=UNSET, description="The code of an upload whose rows go unless they come again."
    )


@strawberry.input(description="An upload to take back.")
class UploadUndoInput:
    """What `uploadUndo` takes."""

    code: str = strawberry.field(description="The code of the upload.")


def counts_of(report: ingest.Report) -> list[SheetCounts]:
    """For each sheet of a report, what became of its rows."""
    return [SheetCounts(file=file, kind=of, **vars(count)) for (file, of), count in report.counts.items()]


def findings_of(report: ingest.Report, locale: str) -> list[LoadFinding]:
    """The findings of a report in one language, the gravest first."""
    ranked = sorted(report.findings, key=lambda f: ("error", "warning", "info").index(f.severity))
    return [
        LoadFinding(
            severity=f.severity, code=f.code, text=f.text.say(locale), remedy=f.remedy.say(locale),
            file=f.file, row=f.row, column=f.column, value=f.value, more=f.more,
        )
        for f in ranked
    ]  # fmt: skip


def _report(report: ingest.Report, context: Context) -> Payload:
    locale = context.locale
    view = context.look()
    places = view.locate("upload", list(report.uploads.values()))
    errors = [
        RowError(
            code=f.code, message=f.text, path=["input", "file"], remedy=f.remedy,
            file=f.file, row=f.row, column=f.column, value=f.value,
        )
        for f in findings_of(report, locale) if f.severity == "error"
    ]  # fmt: skip
    said = LoadReport(
        taken=report.taken, dry_run=report.dry_run, counts=counts_of(report), findings=findings_of(report, locale)
    )
    uploads = KindRows(view, kind("upload"), places[places >= 0])
    return Payload(said, uploads, errors)


def own(context: Context, number: str) -> None:
    """Raise NotFound where an upload or load is not the asking organisation's own, or there is none: alike."""
    by = context.actor.organisation
    uploads = context.look().table("upload").filter(pl.col("by") == by)
    if by != EVERYBODY and number not in {*uploads["key"], *uploads["load"]}:
        raise NotFound(
            "upload.unknown",
            Text(f"没有回执号 {number}。", f"There is no upload {number}."),
            Text("请写完整的回执号或入库批号。", "Give the whole number of an upload or a load of your own."),
        )


def _load(info: strawberry.Info, input: Any) -> Any:  # noqa: A002 - the argument's name
    context = context_of(info)
    if input.replace:
        own(context, input.replace)
    with tempfile.TemporaryDirectory(prefix="chaingraph-") as folder:
        path = Path(folder) / file_name(input.file.filename)
        with path.open("wb") as out:
            shutil.copyfileobj(input.file.file, out)
        report = ingest.load(
            context.workspace,
            [path],
            by=context.actor.organisation or None,
            dry_run=input.dry_run,
            strict=input.strict,
            replace=input.replace or None,
            actor=context.actor,
        )
    return _report(report, context)


def _undo(info: strawberry.Info, input: Any) -> Any:  # noqa: A002 - the argument's name
    context = context_of(info)
    own(context, input.code)
    return _report(ingest.undo(context.workspace, input.code, actor=context.actor), context)


_load.__annotations__ |= {"input": argument(UploadLoadInput, "The file."), "return": UploadPayload}
_undo.__annotations__ |= {"input": argument(UploadUndoInput, "Which."), "return": UploadPayload}

MUTATIONS: dict[str, Any] = {
    "upload_load": strawberry.mutation(
        resolver=_load,
        description="Take a file in: detect what it is, check each row, take the good ones, report the others.",
        metadata={"cost": 100, "needs": Capability.UPLOAD},
        directives=[CHANGES],
    ),
    "upload_undo": strawberry.mutation(
        resolver=_undo,
        description="Take an upload back: what it brought goes, what it had changed comes back.",
        metadata={"cost": 100, "needs": Capability.UPLOAD},
        directives=[CHANGES],
    ),
}
