"""`uploads`, `upload-show` and `withdraw`: what has become of uploads, in a terminal."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from schema import KINDS
from schema.text import Text
from schema.vocabularies import DraftState, UploadState
from server.cli import output, previewing
from server.cli.command import argument, command
from server.cli.loading import FINDINGS
from server.cli.session import Session
from server.cli.uploading import AS, NUMBER, SHEETS, desk_of, json, show_receipt

if TYPE_CHECKING:
    from chaingraph import Actor, Workspace
    from ingest import Desk, Draft

_UPLOADS = (
    Text("编号", "Number"), Text("状态", "State"), Text("时间", "When"), Text("回执号", "Receipt"),
    Text("文件", "Files"), Text("收下", "Taken"), Text("拒收", "Refused"),
)  # fmt: skip


@command(
    "uploads",
    zh="列出已开始和已入库的上传，及其状态和回执号。",
    en="List uploads, begun and taken, with their state and the number of the receipt.",
    params=[AS],
)
def uploads(session: Session, by: str | None) -> None:
    """The newest first."""
    with desk_of(session, by, existing=True) as (workspace, desk, actor):
        drafts, loads = desk.drafts(actor), _loads(workspace, by)
    listed = [_listed(draft, loads) for draft in drafts]
    mine = {draft.load for draft in drafts if draft.receipt is not None}
    listed += [
        {
            "number": number, "state": each[0]["state"], "at": each[0]["at"], "receipt": number,
            "files": [row["file"] for row in each], "taken": sum(row["taken"] or 0 for row in each),
            "refused": sum(row["refused"] or 0 for row in each),
        }
        for number, each in loads.items() if number not in mine
    ]  # fmt: skip
    listed.sort(key=lambda each: each["at"], reverse=True)
    rows = [
        [each["number"], session.say(_state(each["state"])), f"{each['at'].astimezone():%Y-%m-%d %H:%M}",
         each["receipt"] or "", each["files"], each["taken"], each["refused"]]
        for each in listed
    ]  # fmt: skip
    payload = [{**each, "at": each["at"].isoformat()} for each in listed]
    session.answer(payload, [session.say(each) for each in _UPLOADS], rows)


def _listed(draft: Draft, loads: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    states = {row["state"] for row in loads.get(draft.load or "", [])}
    state: str = draft.state.value
    if draft.state is DraftState.LOADED and states and UploadState.LOADED.value not in states:
        state = min(states)
    receipt = draft.receipt
    return {
        "number": draft.id, "state": state, "at": draft.at, "receipt": receipt.number if receipt else None,
        "files": [file.name for file in draft.files], "taken": receipt.taken if receipt else None,
        "refused": receipt.refused if receipt else None,
    }  # fmt: skip


def _loads(workspace: Workspace, by: str | None) -> dict[str, list[dict[str, Any]]]:
    """The uploads of an organisation (of all for an administrator) by the number of their load."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in workspace.view().table("upload").sort("file").iter_rows(named=True):
        if by is None or row["by"] == by:
            at = row["at"] if row["at"].tzinfo else row["at"].replace(tzinfo=dt.UTC)
            found.setdefault(row["load"] or row["key"], []).append({**row, "at": at})
    return found


def _state(code: str) -> Text:
    known = [*DraftState, *UploadState]
    texts: list[Text] = [each.text for each in known if each.value == code]
    return texts[0]


@command(
    "upload-show",
    zh="查看一次上传：状态、预览或回执、报告。\n\nNUMBER 是上传编号（D-…）或回执号（L-…）。",
    en=(
        "Show an upload: its state, what it would change or has changed, and what was found.\n\n"
        "NUMBER is that of the upload (D-…) or of its receipt (L-…)."
    ),
    params=[argument("number", metavar="NUMBER"), AS],
)
def upload_show(session: Session, number: str, by: str | None) -> None:
    """The preview of one that is not confirmed, else the receipt."""
    with desk_of(session, by, existing=True) as (workspace, desk, actor):
        draft = _meant(desk, actor, number)
        if draft is None:
            _show_load(session, workspace, number, by)
            return
        received = desk.received(actor, draft.id)
        seen = None
        whole = all(file.size is None or there >= file.size for file, there in zip(draft.files, received, strict=True))
        if draft.state is DraftState.OPEN and whole and any(received):
            seen = desk.preview(actor, draft.id)
    if session.format == "table":
        output.line(f"{draft.id}: {session.say(draft.state.text)}")
        for file, there in zip(draft.files, received, strict=True):
            size = f" / {file.size}" if file.size is not None else ""
            output.line(f"  {file.name}" + (f" ({there}{size})" if draft.state is DraftState.OPEN else ""))
        if draft.problem:
            output.line(session.say(Text(draft.problem[1], draft.problem[2])))
        output.line()
        if seen is not None:
            previewing.tell(session, seen)
        show_receipt(session, by, draft)
        return
    report = None if draft.report is None else draft.report.get(session.locale)
    payload = {
        **json(session, draft), "received": received, "report": report,
        "preview": None if seen is None else previewing.as_json(session, seen),
    }  # fmt: skip
    found = report["findings"] if isinstance(report, dict) else seen.report.to_rows(session.locale) if seen else []
    session.answer(
        payload,
        [session.say(each) for each in FINDINGS.values()],
        [[each[name] for name in FINDINGS] for each in found],
    )


def _show_load(session: Session, workspace: Workspace, number: str, by: str | None) -> None:
    """An upload that was brought without the desk."""
    rows = next((r for load, r in _loads(workspace, by).items() if number in {load, *(e["key"] for e in r)}), None)
    if rows is None:
        from ingest.desk import refusals

        raise refusals.unknown(number)
    payload = [
        {name: each[name] for name in ("key", "load", "file", "kind", "rows", "taken", "refused", "state")}
        for each in rows
    ]
    cells = [
        [each["file"], session.say(KINDS[each["kind"]].text) if each["kind"] else "–",
         *(each[name] for name in ("key", "rows", "taken", "refused"))]
        for each in rows
    ]  # fmt: skip
    title = f"{rows[0]['load'] or number}: {session.say(_state(rows[0]['state']))}"
    session.answer(payload, [session.say(each) for each in SHEETS], cells, title)


def _meant(desk: Desk, actor: Actor, number: str) -> Draft | None:
    """The upload of that number, or with that receipt."""
    if NUMBER.fullmatch(number):
        return desk.get(actor, number)
    return next((d for d in desk.drafts(actor) if d.receipt is not None and d.receipt.number == number), None)


@command(
    "withdraw",
    zh=(
        "撤回一次上传：未入库的不再入库，已入库的撤销。\n\n"
        "NUMBER 是上传编号（D-…）或回执号（L-…）。再撤回一次不改变任何内容。"
    ),
    en=(
        "Withdraw an upload: one that is not taken yet will not be, one that was is taken back.\n\n"
        "NUMBER is that of the upload (D-…) or of its receipt (L-…). To withdraw it again changes nothing."
    ),
    params=[argument("number", metavar="NUMBER"), AS],
)
def withdraw(session: Session, number: str, by: str | None) -> None:
    """What others brought stays."""
    from ingest.desk import refusals
    from ingest.retract import undo

    with desk_of(session, by, existing=True) as (workspace, desk, actor):
        draft = _meant(desk, actor, number)
        if draft is not None:
            desk.withdraw(actor, draft.id)
            done = draft.id
        else:
            mine = _loads(workspace, by)
            if number not in {*mine, *(row["key"] for rows in mine.values() for row in rows)}:
                raise refusals.unknown(number)
            undo(workspace, number, actor=actor)
            done = number
    payload = {"number": done, "state": DraftState.WITHDRAWN.value}
    headings = [session.say(_UPLOADS[0]), session.say(_UPLOADS[1])]
    session.answer(payload, headings, [[done, session.say(DraftState.WITHDRAWN.text)]])
