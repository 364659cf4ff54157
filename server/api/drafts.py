"""Uploads step by step over GraphQL: `uploadCreate`, the files by PUT (server/api/files.py), `uploadDraft { preview }`,
`uploadMap`, `uploadConfirm`, `uploadWithdraw`.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import strawberry
from strawberry import UNSET

from chaingraph import Capability, ChaingraphError, NotFound
from ingest import ASIDE, Desk, Draft, SheetDecisions, Step
from schema import KINDS, Text
from schema.vocabularies import DraftState
from server.api import previews
from server.api.aspects import OWN
from server.api.context import Context, context_of
from server.api.inputs import argument, codes_of, described_enum, maybe, several
from server.api.mutations import Given, Reason, Returns, input_of, mutation
from server.api.previews import UploadPreview
from server.api.scalars import Long
from server.api.subscriptions import KIND, KindCode
from server.api.types import LOCALE, plain_type, publish, rows_of
from server.api.uploads import LoadFinding, LoadReport, SheetCounts, own

MOST = 100
CREATE_COST = 200
PREVIEW_COST = CONFIRM_COST = 1_000
CODE = re.compile(r"D-[0-9a-f]{12}")

STAGE: Any = enum.Enum("UploadStage", {"READ": "read", "CHECK": "check", "WRITE": "write"})  # type: ignore[misc]
Stage = described_enum(
    STAGE, "A stage of taking an upload.", ("Files are read.", "Rows are checked.", "Rows are written.")
)
State = codes_of(DraftState)

UploadFile = publish("UploadFile", plain_type("UploadFile", "A file of an upload. 文件。", {
    "name": (str, "Its name, made harmless.", None),
    "size": (maybe(Long), "How many bytes it has, as whoever began the upload said.", None),
    "received": (Long, "How many of them are here.", None),
    "url": (str, "Where its bytes are sent: by PUT as a whole, or by the tus protocol.", None),
    "marked": (str, "Where it comes back from, as a workbook with what is wrong in it marked.", None),
}, OWN))  # fmt: skip
UploadProblem = publish("UploadProblem", plain_type("UploadProblem", "Why an upload was not taken. 未收下的原因。", {
    "code": (str, "A stable code.", None),
    "message": (str, "What is wrong and what to do, in the request's language.", None),
}, OWN))  # fmt: skip
UploadReceiptSheet = publish("UploadReceiptSheet", plain_type("UploadReceiptSheet", "What became of a sheet.", {
    "file": (str, "The file, with the worksheet where it has several.", None),
    "kind": (maybe(KindCode), "The kind of its rows; null where they are of none yet.", None),
    "label": (maybe(str), "What people call that kind.", None),
    "rows": (int, "How many rows it has.", None),
    "taken": (int, "How many of them were new or changed.", None),
    "refused": (int, "How many were refused.", None),
    "upload": ("Upload | None", "The upload that it became; null where it brought nothing new.", None),
}, OWN))  # fmt: skip
UploadReceipt = publish("UploadReceipt", plain_type("UploadReceipt", "The receipt of an upload. 回执。", {
    "number": (str, "The number of the load, for `uploadUndo`.", None),
    "at": (dt.datetime, "When it was taken.", None),
    "taken": (int, "How many rows were new or changed.", None),
    "refused": (int, "How many rows were refused.", None),
    "sheets": (several(UploadReceiptSheet), "What became of each sheet.", None),
}, OWN))  # fmt: skip
UploadProgress = publish("UploadProgress", plain_type("UploadProgress", "How far an upload is. 进度。", {
    "code": (str, "Which.", None),
    "state": (State, "How far it has come.", None),
    "stage": (maybe(Stage), "What is done at the moment; null where nothing is known.", None),
    "file": (maybe(str), "With which file.", None),
    "done": (maybe(Long), "So much of it is done (bytes, sheets or rows)…", None),
    "total": (maybe(Long), "… of so much.", None),
}, OWN))  # fmt: skip


class Shown:
    """What an `UploadDraft` reads from."""

    def __init__(self, context: Context, desk: Desk, draft: Draft) -> None:
        self.context, self.desk, self.draft = context, desk, draft
        self.code, self.state, self.at, self.changed = draft.id, draft.state, draft.at, draft.changed

    @cached_property
    def files(self) -> list[Any]:
        """Its files, with how much of each is here."""
        there = self.desk.received(self.context.actor, self.code)
        return [
            UploadFile(
                name=file.name,
                size=file.size,
                received=received,
                url=f"/uploads/{self.code}/{index}",
                marked=f"/uploads/{self.code}/marked.xlsx?file={index}",
            )
            for index, (file, received) in enumerate(zip(self.draft.files, there, strict=True))
        ]

    @property
    def complete(self) -> bool:
        """Whether all bytes are here that were announced."""
        return all(file.size is None or file.received == file.size for file in self.files)

    @property
    def problem(self) -> Any:
        """Why it was not taken."""
        if self.draft.problem is None:
            return None
        code, zh, en = self.draft.problem
        return UploadProblem(code=code, message=Text(zh, en).say(self.context.locale))

    @property
    def progress(self) -> Any:
        """How far the work on it is."""
        return progress_of(self.draft, self.desk.progress(self.context.actor, self.code))

    @property
    def receipt(self) -> Any:
        """The receipt; None where nothing was taken."""
        given = self.draft.receipt
        if given is None:
            return None
        became = rows_of(self.context.look(), [("upload", each.upload or "") for each in given.sheets])
        sheets = [
            UploadReceiptSheet(
                file=each.file,
                kind=KIND(each.kind) if each.kind else None,
                label=KINDS[each.kind].text.say(self.context.locale) if each.kind else None,
                rows=each.rows,
                taken=each.taken,
                refused=each.refused,
                upload=upload,
            )
            for each, upload in zip(given.sheets, became, strict=True)
        ]
        return UploadReceipt(number=given.number, at=given.at, taken=given.taken, refused=given.refused, sheets=sheets)

    @property
    def report(self) -> Any:
        """What was found when it was taken, or refused."""
        return _reported(self.draft, self.context.locale)


def _reported(draft: Draft, locale: str) -> LoadReport | None:
    """The report that was kept of a load, in one language."""
    kept = (draft.report or {}).get(locale)
    if not isinstance(kept, Mapping):
        return None
    return LoadReport(
        taken=kept["taken"],
        dry_run=kept["dry_run"],
        counts=[SheetCounts(**each) for each in kept["counts"]],
        findings=[LoadFinding(**each, more=0) for each in kept["findings"]],
    )


def progress_of(draft: Draft, step: Step | None) -> Any:
    """How far an upload is, as an `UploadProgress`."""
    return UploadProgress(
        code=draft.id,
        state=draft.state,
        stage=None if step is None else STAGE(step.stage),
        file=None if step is None else step.file,
        done=None if step is None else step.done,
        total=None if step is None else step.total,
    )


def _preview(root: Any, info: strawberry.Info, locale: Any = UNSET) -> Any:
    if root.state is not DraftState.OPEN or not root.complete or not root.files:
        return None
    context = context_of(info)
    return previews.shown(root.desk.preview(context.actor, root.code), context.say(locale))


def _state_label(root: Any, info: strawberry.Info, locale: Any = UNSET) -> str:
    said: str = root.state.text.say(context_of(info).say(locale))
    return said


_preview.__annotations__ |= {"locale": LOCALE, "return": maybe(UploadPreview)}
_state_label.__annotations__ |= {"locale": LOCALE}
_PREVIEW = strawberry.field(
    resolver=_preview,
    description="What confirming it would do, by now; null until all files are here, and once it is confirmed.",
    metadata={"cost": PREVIEW_COST},
)
_LABEL = strawberry.field(resolver=_state_label, description="What people call its state.")

UploadDraft = publish("UploadDraft", plain_type("UploadDraft", "An upload that was begun. 上传。", {
    "code": (str, "Its number.", None),
    "state": (State, "How far it has come.", None),
    "state_label": (str, "", _LABEL),
    "at": (dt.datetime, "When it was begun.", None),
    "changed": (dt.datetime, "When it last changed.", None),
    "files": (several(UploadFile), "Its files.", None),
    "complete": (bool, "Whether all bytes are here that were announced.", None),
    "preview": (maybe(UploadPreview), "", _PREVIEW),
    "problem": (maybe(UploadProblem), "Why it was not taken.", None),
    "progress": (UploadProgress, "How far the work on it is.", None),
    "receipt": (maybe(UploadReceipt), "The receipt, once it is taken.", None),
    "report": (maybe(LoadReport), "What was found when it was taken, or refused as a whole.", None),
}, OWN))  # fmt: skip

UploadFileInput = input_of("UploadFileInput", "A file that is to come.", {
    "name": Given(str, "Its name.", required=True),
    "size": Given(Long, "How many bytes it has.", required=True),
})  # fmt: skip
UploadColumnInput = input_of("UploadColumnInput", "What a column is.", {
    "position": Given(str, "Which, as the preview names it.", required=True),
    "field": Given(str, "The name of the field; where nothing is said, it is put aside."),
})  # fmt: skip
UploadAnswerInput = input_of("UploadAnswerInput", "An answer to a question of the preview.", {
    "id": Given(str, "Which question.", required=True),
    "value": Given(str, "The value of the option.", required=True),
})  # fmt: skip
UploadSheetInput = input_of("UploadSheetInput", "What is decided about a sheet; what is not said stays.", {
    "name": Given(str, "Which, as the preview names it.", required=True),
    "take": Given(bool, "Whether it is taken at all."),
    "kind": Given(KindCode, "The kind of its rows."),
    "columns": Given(several(UploadColumnInput), "What columns are."),
    "answers": Given(several(UploadAnswerInput), "Answers to questions."),
})  # fmt: skip


def desk_of(context: Context) -> Desk:
    """The desk of the server. Raises ChaingraphError `upload.no_desk` where there is none."""
    if context.desk is None:
        raise ChaingraphError(
            "upload.no_desk",
            Text("此服务不接受分步上传。", "This server takes no uploads step by step."),
            Text("请用 uploadLoad 上传。", "Send the file with uploadLoad."),
        )
    return context.desk


def draft_of(context: Context, code: str) -> Shown:
    """A draft of the asking organisation. Raises NotFound, alike for none and somebody else's."""
    desk = desk_of(context)
    if not CODE.fullmatch(code):
        raise NotFound(
            "upload.unknown",
            Text(f"没有上传 {code}。", f"There is no upload {code}."),
            Text("请查看上传列表。", "Look at the list of uploads."),
        )
    return Shown(context, desk, desk.get(context.actor, code))


def _create(context: Context, asked: Any) -> Any:
    desk = desk_of(context)
    sizes = [each.size for each in asked.files]
    if not sizes or min(sizes) < 0:
        raise ChaingraphError(
            "upload.size",
            Text("没有文件，或文件大小小于 0。", "There is no file, or one is smaller than nothing."),
            Text("请给出每个文件的大小。", "Say the size of each file."),
        )
    if asked.replace:
        own(context, asked.replace)
    named = [(each.name, each.size) for each in asked.files]
    return Shown(context, desk, desk.create(context.actor, named, asked.replace or None))


def _map(context: Context, asked: Any) -> Any:
    shown = draft_of(context, asked.code)
    names = [each.name for each in asked.sheets]
    strange = [n for n in names if not n.startswith(tuple(file.name for file in shown.draft.files))]
    if strange or len(set(names)) < len(names) or len({*names, *shown.draft.decisions}) > context.limits.sheets:
        raise ChaingraphError(
            "upload.sheet",
            Text(
                "没有这个数据表，或重复，或过多。",
                "There is no such sheet, or it is there twice, or they are too many.",
            ),
            Text("请用预览中的名称。", "Take the names of the preview."),
        )
    decided = {each.name: _decisions(each, shown.draft.decisions.get(each.name)) for each in asked.sheets}
    return Shown(context, shown.desk, shown.desk.decide(context.actor, shown.code, decided))


def _decisions(asked: Any, older: SheetDecisions | None) -> SheetDecisions:
    take = older.take if older is not None and asked.take in (UNSET, None) else asked.take is not False
    return SheetDecisions(
        take=take,
        kind=asked.kind.value if asked.kind else None,
        columns={each.position: each.field or ASIDE for each in asked.columns or ()},
        answers={each.id: each.value for each in asked.answers or ()},
    )


def _confirm(context: Context, asked: Any) -> Any:
    shown = draft_of(context, asked.code)
    draft = shown.desk.confirm(context.actor, shown.code, asked.seen, strict=bool(asked.strict))
    return Shown(context, shown.desk, draft)


def _withdraw(context: Context, asked: Any) -> Any:
    shown = draft_of(context, asked.code)
    return Shown(context, shown.desk, shown.desk.withdraw(context.actor, shown.code))


def _draft(info: strawberry.Info, code: str) -> Any:
    context = context_of(info)
    try:
        return None if context.desk is None else draft_of(context, code)
    except NotFound:
        return None


def _drafts(info: strawberry.Info, first: int = 20) -> Any:
    context = context_of(info)
    desk = context.desk
    return [] if desk is None else [Shown(context, desk, each) for each in desk.drafts(context.actor)[:first]]


_draft.__annotations__ |= {"code": argument(str, "Its number."), "return": maybe(UploadDraft)}
_drafts.__annotations__ |= {
    "first": argument(int, f"How many at most, the newest first: 1 to {MOST}."),
    "return": several(UploadDraft),
}

RETURNS = Returns("draft", maybe(UploadDraft), "The upload; null where something was refused.")
WHICH = Given(str, "Its number.", required=True)
NONE = Reason("upload.unknown", "UNKNOWN", "The asking organisation has no such upload.", "code")
STATE = Reason("upload.state", "STATE", "It has been confirmed or withdrawn already, or is being taken.", "code")

MUTATIONS: dict[str, Any] = {
    "upload_create": mutation(
        "upload_create",
        "Begin an upload: say which files come, then send each to its address. Nothing is taken until it is confirmed.",
        {
            "files": Given(several(UploadFileInput), "The files.", required=True),
            "replace": Given(str, "The number of an upload or load whose rows go unless they come again."),
        },
        RETURNS,
        (
            Reason("upload.size", "SIZE", "There is no file, or its size cannot be.", "files"),
            Reason("upload.too_large", "TOO_LARGE", "A file is too large.", "files"),
            Reason("upload.too_many", "TOO_MANY", "There are too many files, or too many unfinished uploads.", "files"),
            Reason("upload.quota", "QUOTA", "Unfinished uploads of the organisation are too large together.", "files"),
            Reason("upload.unknown", "UNKNOWN", "There is no such upload of the organisation to replace.", "replace"),
        ),
        _create,
        Capability.UPLOAD,
        cost=CREATE_COST,
    ),
    "upload_map": mutation(
        "upload_map",
        "Decide about sheets: their kinds, their columns, answers to questions. The preview shows what follows.",
        {"code": WHICH, "sheets": Given(several(UploadSheetInput), "The decisions.", required=True)},
        RETURNS,
        (
            NONE,
            STATE,
            Reason("upload.sheet", "SHEET", "There is no such sheet, or there are too many.", "sheets"),
            Reason(
                "decisions.invalid", "DECISION", "There is no such kind of sheet, or no such field in it.", "sheets"
            ),
        ),
        _map,
        Capability.UPLOAD,
    ),
    "upload_confirm": mutation(
        "upload_confirm",
        "Have taken what the preview showed; `uploadProgress` tells of it. Nothing that was not seen is taken.",
        {
            "code": WHICH,
            "seen": Given(str, "The `digest` of the preview that was seen.", required=True),
            "strict": Given(bool, "Take nothing if anything is refused."),
        },
        RETURNS,
        (
            NONE,
            STATE,
            Reason("upload.changed", "CHANGED", "Something has changed since that preview: look again.", "seen"),
            Reason("upload.incomplete", "INCOMPLETE", "Not all of the files has come.", "code"),
            Reason("upload.not_ready", "NOT_READY", "Nothing would be taken, or a question is open.", "code"),
        ),
        _confirm,
        Capability.UPLOAD,
        cost=CONFIRM_COST,
    ),
    "upload_withdraw": mutation(
        "upload_withdraw",
        "Take an upload back: its rows go if it is loaded, and its files.",
        {"code": WHICH},
        RETURNS,
        (NONE, STATE),
        _withdraw,
        Capability.UPLOAD,
        cost=100,
    ),
}
QUERIES: dict[str, Any] = {
    "upload_draft": strawberry.field(
        resolver=_draft,
        description="An upload of the asking organisation by its number; null where it has none of that number.",
        metadata={"needs": Capability.UPLOAD},
        directives=[OWN],
    ),
    "upload_drafts": strawberry.field(
        resolver=_drafts,
        description="The uploads that the asking organisation has begun, the newest first. 上传列表。",
        metadata={"needs": Capability.UPLOAD, "cost": 200, "most": MOST},
        directives=[OWN],
    ),
}
