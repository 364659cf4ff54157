"""`upload`: what a supplier does on the page, in a terminal."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schema import KINDS
from schema.text import Text
from schema.vocabularies import DraftState
from server.cli import output, previewing
from server.cli.command import argument, command, option
from server.cli.loading import FINDINGS, outcome, teller
from server.cli.progress import steps
from server.cli.session import Session, program

if TYPE_CHECKING:
    from chaingraph import Actor, Workspace
    from ingest import Desk, Draft, Preview

_PIECE = 1 << 20
NUMBER = re.compile(r"D-[0-9a-f]{12}")
AS = option("--as", "by", zh="以该组织的名义。", en="As this organisation.", metavar="ORG")
_NOT_CONFIRMED = Text("尚未入库。查看与确认：", "Nothing is taken yet. To look at it again, and to confirm it:")
_CONFIRM = Text("以上内容入库？", "Have all of this taken?")
SHEETS = (
    Text("文件", "File"), Text("种类", "Kind"), Text("上传号", "Upload"), Text("行", "Rows"), Text("收下", "Taken"),
    Text("拒收", "Refused"),
)  # fmt: skip


@contextmanager
def desk_of(session: Session, by: str | None, *, existing: bool = False) -> Iterator[tuple[Workspace, Desk, Actor]]:
    """The desk of the store, and who stands before it."""
    from chaingraph import Actor
    from ingest.desk import Desk, spool_folder

    with session.workspace(existing=existing) as workspace:
        yield workspace, Desk(workspace, spool_folder(workspace)), Actor(by or "")


@command(
    "upload",
    zh=(
        "分步上传：说明各表各列被当作什么、会有哪些更改，确认后才入库。\n\n"
        "FILE 是文件，或此前留下的编号（D-…），以继续处理。不加 --yes 时在终端里询问，否则只保留，等待确认。"
    ),
    en=(
        "Upload step by step: see what sheets and columns are taken for and what would change, then confirm.\n\n"
        "FILE is a file, or the number (D-…) of an upload begun before, to go on with it. Without --yes you are asked, "
        "if this is a terminal; else the upload waits to be confirmed."
    ),
    params=[
        argument("files", metavar="FILE…", nargs=-1, required=True),
        AS,
        option(
            "--kind", "kinds", multiple=True, metavar="SHEET=KIND", zh="指明某表的种类。",
            en="Say of which kind a sheet is.",
        ),
        option(
            "--column", "columns", multiple=True, metavar="SHEET:COLUMN=FIELD",
            zh="指明某列（列号 A、B… 或表头）是哪个字段；= 后为空则原样保存。",
            en="Say which field a column (A, B… or its heading) is; with nothing behind = it is kept as it is.",
        ),
        option(
            "--answer", "answers", multiple=True, metavar="SHEET:QUESTION=ANSWER", zh="回答某表的问题。",
            en="Answer a question about a sheet.",
        ),
        option("--leave", "leave", multiple=True, metavar="SHEET", zh="不收某表。", en="Leave a sheet out."),
        option("--strict", is_flag=True, zh="有任何错误就全部不收。", en="Take nothing if there is any error."),
        option(
            "--replace", zh="替换这次上传：它带来而本次没有的行移除。", metavar="UPLOAD",
            en="Replace this upload: rows that it brought and these files do not bring go.",
        ),
        option("--yes", is_flag=True, zh="确认，不再询问。", en="Confirm it, without being asked."),
    ],
)  # fmt: skip
def upload(
    session: Session,
    files: tuple[str, ...],
    by: str | None,
    kinds: tuple[str, ...],
    columns: tuple[str, ...],
    answers: tuple[str, ...],
    leave: tuple[str, ...],
    strict: bool,
    replace: str | None,
    yes: bool,
) -> None:
    """Status 1 when something was refused, or when it cannot be confirmed as it is."""
    with desk_of(session, by) as (_, desk, actor):
        desk.sweep()
        draft = _begun(desk, actor, files, replace)
        if draft.state is not DraftState.OPEN:  # confirmed, and nobody lived to take it
            with steps(session.locale) as shown:
                done = desk.work(actor, draft.id, teller(shown))
            _taken(session, by, done, None)
            return
        for read, words in (
            (previewing.kinds_of, kinds), (previewing.left_out, leave), (previewing.columns_of, columns),
            (previewing.answers_of, answers),
        ):  # fmt: skip
            if words:
                desk.decide(actor, draft.id, read(words, desk.preview(actor, draft.id).sheets))
        with steps(session.locale) as shown:
            seen = desk.preview(actor, draft.id, teller(shown))
        asked = not yes and session.format == "table" and sys.stdin.isatty() and sys.stderr.isatty()
        if session.format == "table":
            previewing.tell(session, seen)
            output.flush()
        if asked:
            seen = _answered(session, desk, actor, draft, seen)
            yes = seen.ready and click.confirm(session.say(_CONFIRM), err=True)
        if not yes:
            _kept(session, by, draft, seen)
            return
        try:
            desk.confirm(actor, draft.id, seen.digest, strict=strict)
        except Exception:
            _how_to_go_on(session, by, draft)
            raise
        with steps(session.locale) as shown:
            done = desk.work(actor, draft.id, teller(shown))
    _taken(session, by, done, seen)


def _begun(desk: Desk, actor: Actor, files: tuple[str, ...], replace: str | None) -> Draft:
    """The upload that is meant, with all its bytes."""
    from ingest import reading

    if len(files) == 1 and NUMBER.fullmatch(files[0]) and not Path(files[0]).exists():
        return desk.get(actor, files[0])
    paths: list[Path] = []
    for each in map(Path, files):
        inside = sorted(each.iterdir()) if each.is_dir() else [each]
        named = not each.is_dir()
        paths += [path for path in inside if named or (path.suffix.lower() in reading.SUFFIXES and path.is_file())]
    sizes = [(path.name, path.stat().st_size) for path in paths]
    draft = desk.create(actor, sizes, replace)
    for index, path in enumerate(paths):
        with path.open("rb") as file:
            desk.append(actor, draft.id, index, 0, iter(lambda: file.read(_PIECE), b""))
    return draft


def _answered(session: Session, desk: Desk, actor: Actor, draft: Draft, seen: Preview) -> Preview:
    """The preview after all that is open was asked, and answered."""
    from ingest import SheetDecisions

    changed = False
    for sheet in seen.sheets:
        given = {}
        for question in sheet.questions:
            if question.required and question.answer is None:
                options = [option.value for option in question.options]
                prompt = f"{sheet.name}: {session.say(question.text)}"
                given[question.id] = click.prompt(prompt, type=click.Choice(options), err=True)
        if given:
            desk.decide(actor, draft.id, {sheet.name: SheetDecisions(answers=given)})
            changed = True
    if not changed:
        return seen
    seen = desk.preview(actor, draft.id)
    previewing.tell(session, seen)
    output.flush()
    return seen


def _kept(session: Session, by: str | None, draft: Draft, seen: Preview) -> None:
    """The upload waits to be confirmed."""
    from chaingraph import ChaingraphError

    if session.format == "table":
        _how_to_go_on(session, by, draft)
    else:
        found = seen.report.to_rows(session.locale)
        payload = {"number": draft.id, "state": draft.state.value, **previewing.as_json(session, seen)}
        rows = [[each[name] for name in FINDINGS] for each in found]
        session.answer(payload, [session.say(each) for each in FINDINGS.values()], rows)
    if not seen.ready:
        raise ChaingraphError(
            "upload.not_ready",
            Text(
                f"{draft.id} 还不能确认：没有可收下的内容，或有问题未回答。",
                f"{draft.id} cannot be confirmed: nothing would be taken, or a question is open.",
            ),
            Text(
                "请用 --kind、--column、--answer 或 --leave 说明，或更正文件。",
                "Say more with --kind, --column, --answer or --leave, or correct the files.",
            ),
        )


def _how_to_go_on(session: Session, by: str | None, draft: Draft) -> None:
    who = f" --as {shlex.quote(by)}" if by else ""
    for line in (session.say(_NOT_CONFIRMED), f"  {program()} upload {draft.id}{who}{session.store_option}",
                 f"  {program()} upload {draft.id}{who}{session.store_option} --yes"):  # fmt: skip
        click.echo(line, err=True)


def _taken(session: Session, by: str | None, draft: Draft, seen: Preview | None) -> None:
    """The receipt, or why there is none."""
    from chaingraph import ChaingraphError

    if session.format == "table":
        show_receipt(session, by, draft)
    else:
        payload = {**json(session, draft), "preview": None if seen is None else previewing.as_json(session, seen)}
        found = seen.report.to_rows(session.locale) if seen else []
        rows = [[each[name] for name in FINDINGS] for each in found]
        session.answer(payload, [session.say(each) for each in FINDINGS.values()], rows)
    if draft.problem is not None:
        code, zh, en = draft.problem
        raise ChaingraphError(code, Text(zh, en))
    if draft.state is DraftState.CONFIRMED:
        session.note(Text("已确认，将由服务器入库。", "It is confirmed; the server will take it."))
    elif seen is not None and seen.report.refused:
        seen.report.dry_run = False
        if draft.state is DraftState.REFUSED:
            seen.report.take_nothing()
        raise ChaingraphError(
            "load.refused",
            outcome(seen.report),
            Text("请更正后重新上传。", "Correct what is listed and upload it again."),
        )


def show_receipt(session: Session, by: str | None, draft: Draft) -> None:
    """The receipt of an upload, if it has one, and how to take it back."""
    if draft.receipt is None:
        return
    rows = [
        [each.file, session.say(KINDS[each.kind].text) if each.kind else "–", each.upload or "–", each.rows,
         each.taken, each.refused]
        for each in draft.receipt.sheets
    ]  # fmt: skip
    title = session.say(Text(f"回执 {draft.receipt.number}", f"Receipt {draft.receipt.number}"))
    output.table([session.say(each) for each in SHEETS], rows, title)
    who = f" --as {shlex.quote(by)}" if by else ""
    output.line()
    output.line(session.say(Text("撤回：", "To take it back:")))
    output.line(f"  {program()} withdraw {draft.receipt.number}{who}{session.store_option}")


def json(session: Session, draft: Draft) -> dict[str, Any]:
    """An upload for programs."""
    problem = None
    if draft.problem is not None:
        code, zh, en = draft.problem
        problem = {"code": code, "text": session.say(Text(zh, en))}
    return {
        "number": draft.id,
        "state": draft.state.value,
        "at": draft.at.isoformat(),
        "files": [each.model_dump() for each in draft.files],
        "receipt": None if draft.receipt is None else draft.receipt.model_dump(mode="json"),
        "problem": problem,
    }
