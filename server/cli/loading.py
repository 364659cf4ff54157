"""`load`, `undo` and `template`: files in, files taken back, and what they should look like."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schema import KINDS
from schema.text import Text
from server.cli import output
from server.cli.command import argument, command, option
from server.cli.progress import Steps, steps
from server.cli.session import Session, program

if TYPE_CHECKING:
    from ingest.opening import Step
    from ingest.report import Report

LISTED, NAMED = 50, 3
"""Sorts of findings that a table shows, and rows of each; all of them are in JSON and CSV."""

STAGES = {
    "read": Text("读取文件", "Reading files"),
    "check": Text("检查", "Checking"),
    "write": Text("写入", "Writing"),
}
DRY_RUN = Text("试运行：什么也没有写入。", "Dry run: nothing was written.")
_COUNTS = {
    "file": Text("文件", "File"),
    "kind": Text("种类", "Kind"),
    "read": Text("读取", "Read"),
    "new": Text("新增", "New"),
    "changed": Text("更改", "Changed"),
    "same": Text("相同", "Same"),
    "refused": Text("拒收", "Refused"),
    "raw": Text("待归类", "No kind yet"),
    "removed": Text("移除", "Removed"),
}
FINDINGS = {
    "severity": Text("级别", "Severity"),
    "code": Text("代码", "Code"),
    "file": Text("文件", "File"),
    "row": Text("行", "Row"),
    "column": Text("列", "Column"),
    "value": Text("值", "Value"),
    "text": Text("说明", "What"),
    "remedy": Text("处理", "Remedy"),
}


@command(
    "load",
    zh="载入文件或数据集文件夹（CSV、XLSX），逐条报告问题。同一文件再载一次不改变任何内容。",
    en="Load files or dataset folders (CSV, XLSX) and report what was found.\n\nThe same file again changes nothing.",
    params=[
        argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path)),
        option("--as", "by", zh="以该组织的名义载入。", en="Load as this organisation.", metavar="ORG"),
        option("--dry-run", is_flag=True, zh="只说会有哪些更改，不写入。", en="Say what would change; write nothing."),
        option("--strict", is_flag=True, zh="有任何错误就全部不收。", en="Take nothing if there is any error."),
        option(
            "--replace", zh="替换这次上传：它带来而本次没有的行移除。", metavar="UPLOAD",
            en="Replace this upload: rows that it brought and these files do not bring go.",
        ),
    ],
)  # fmt: skip
def load(
    session: Session, paths: tuple[Path, ...], by: str | None, dry_run: bool, strict: bool, replace: str | None
) -> None:
    """Status 1 when a row, a sheet or a file was refused, also where the rest was taken."""
    from chaingraph import ChaingraphError
    from ingest.load import load as load_files

    with session.workspace() as workspace, steps(session.locale) as shown:
        report = load_files(
            workspace, paths, by=by, dry_run=dry_run, strict=strict, replace=replace, progress=teller(shown)
        )
    _tell(session, report)
    if report.refused:
        raise ChaingraphError(
            "load.refused",
            outcome(report),
            Text("请按报告更正后重新载入。", "Correct what the report lists and load it again."),
        )


def teller(shown: Steps) -> Callable[[Step], None]:
    """Show the progress of a load."""

    def tell(step: Step) -> None:
        shown.step(STAGES[step.stage])
        if step.stage == "write":
            shown.at(step.done, step.total)

    return tell


def outcome(report: Report) -> Text:
    """What was refused, and what became of the rest."""
    errors = [each for each in report.findings if each.severity == "error"]
    files = len({each.file for each in errors if each.code.startswith("file.")})
    columns = len({(each.file, each.column) for each in errors if each.code == "column.unit"})
    total = report.total
    counted = (("文件", "files", files), ("列", "columns", columns), ("行", "rows", total.refused))
    text = Text(
        f"拒收：{'，'.join(f'{zh} {n}' for zh, _, n in counted if n)}。",
        f"Refused: {', '.join(f'{en} {n}' for _, en, n in counted if n)}.",
    )
    if not (report.taken and (total.new or total.changed or total.same or total.raw)):
        rest = Text("没有收下任何内容。", "Nothing was taken.")
    elif report.dry_run:
        rest = Text("其余会收下。", "The rest would be taken.")
    else:
        rest = Text("其余已收下。", "The rest was taken.")
    return Text(text.zh + rest.zh, f"{text.en} {rest.en}")


def _tell(session: Session, report: Report) -> None:
    findings = report.to_rows(session.locale)
    if session.format != "table":
        rows = [[each[name] for name in FINDINGS] for each in findings]
        session.answer(report.to_json(session.locale), [session.say(each) for each in FINDINGS.values()], rows)
        return
    count_table(session, report, ("read", "new", "changed", "same", "refused", "raw", "removed"))
    if findings:
        alike = gathered(report, session.locale)
        output.line()
        output.table([session.say(each) for name, each in FINDINGS.items() if name != "remedy"], alike[:LISTED])
        if (more := len(alike) - LISTED) > 0:
            text = Text(
                f"另有 {more} 类；--format csv 列出各类（每类前 100 行）。",
                f"{more} sorts more; --format csv lists them, the first 100 rows of each.",
            )
            output.line(session.say(text))
    _say_uploads(session, report)


def count_table(session: Session, report: Report, columns: tuple[str, ...]) -> None:
    """The counts of each sheet; columns that are 0 everywhere are left out, but for what was read and what is new."""
    rows = report.count_rows()
    used = [c for c in columns if c in ("read", "new") or any(row[c] for row in rows)]
    kinds = {name: each.text.say(session.locale) for name, each in KINDS.items()}
    cells: list[list[Any]] = [
        [row["file"], kinds.get(str(row["kind"]), "–"), *(row[c] for c in used)] for row in rows
    ]  # fmt: skip
    output.table([session.say(_COUNTS[c]) for c in ("file", "kind", *used)], cells)


def gathered(report: Report, locale: str) -> list[list[Any]]:
    """Findings that say the same of one column, as one row: the first rows and values, and how many there are."""
    rows: list[list[Any]] = []
    for alike in report.gathered():
        each = alike.first
        at, values = ", ".join(map(str, alike.rows[:NAMED])), ", ".join(alike.values[:NAMED])
        lines = at + (f" … ({alike.count})" if alike.count > NAMED else "")
        said = f"{each.text.say(locale)} {each.remedy.say(locale)}"
        rows.append([each.severity, each.code, each.file, lines, each.column, values, said])
    return rows


def _say_uploads(session: Session, report: Report) -> None:
    output.line()
    if report.dry_run:
        output.line(session.say(DRY_RUN))
    elif report.load:
        output.line(session.say(Text("撤销整批或其中一次上传：", "To take back all of it, or one upload:")))
        numbers = {report.load: session.say(Text("整批", "all of it"))}
        for number, what in (numbers | {upload: file for file, upload in report.uploads.items()}).items():
            output.line(f"  {program()} undo {number}{session.store_option}    # {what}")
    elif report.taken:
        output.line(session.say(Text("没有新的内容。", "There was nothing new.")))


@command(
    "undo",
    zh=(
        "撤销一次上传或一整批：它带来的行移除，它改过或替换掉的行恢复。\n\n"
        "UPLOAD 是 load 给出的回执号或入库批号，或其开头（至少 4 个字符）。"
    ),
    en=(
        "Take an upload back, or a whole load: rows that it brought go, rows that it changed or replaced return.\n\n"
        "UPLOAD is a number that load printed, of an upload or of the load, or its beginning (4 characters or more)."
    ),
    params=[
        argument("upload", metavar="UPLOAD"),
        option("--dry-run", is_flag=True, zh="只说会有哪些更改，不写入。", en="Say what would change; write nothing."),
    ],
)
def undo(session: Session, upload: str, dry_run: bool) -> None:
    """Status 0 also where it had been taken back before: what is asked for is so."""
    from ingest.retract import undo as take_back

    with session.workspace(existing=True) as workspace:
        report = take_back(workspace, upload, dry_run=dry_run)
    rows = [
        [KINDS[str(each["kind"])].text.say(session.locale), each["removed"], each["changed"]]
        for each in report.count_rows()
    ]
    headings = [_COUNTS["kind"], _COUNTS["removed"], Text("恢复", "Restored")]
    payload = {
        "upload": upload,
        "uploads": list(report.uploads.values()),
        "dry_run": dry_run,
        "removed": {str(each["kind"]): each["removed"] for each in report.count_rows() if each["removed"]},
        "restored": {str(each["kind"]): each["changed"] for each in report.count_rows() if each["changed"]},
        "findings": report.to_rows(session.locale),
    }
    if rows or session.format != "table":
        session.answer(payload, [session.say(each) for each in headings], rows)
    for each in report.findings:
        session.note(
            Text(f"{each.file}：{each.text.zh}{each.remedy.zh}", f"{each.file}: {each.text.en} {each.remedy.en}")
        )
    if dry_run:
        session.note(DRY_RUN)


@command(
    "template",
    zh="输出某种表的模板（CSV 或 XLSX）。\n\nKIND 是种类或表名，如 part、parts、零部件；--format table 说明各列。",
    en=(
        "Print the template of a sheet as CSV, or write it to a file.\n\n"
        "KIND is a kind or the name of its sheet, as in part or parts; --format table explains the columns."
    ),
    default_format="csv",
    params=[
        argument("kind", metavar="KIND"),
        option(
            "--output", "output_file", zh="写到这个新文件：.csv 或 .xlsx。",
            en="Write it to this new file, .csv or .xlsx.", type=click.Path(path_type=Path), metavar="FILE",
        ),
        option(
            "--as", "by", zh="填好该组织自己的零部件（仅 .xlsx）。", metavar="ORG",
            en="Fill in the parts of this organisation; .xlsx only.",
        ),
    ],
)  # fmt: skip
def template(session: Session, kind: str, output_file: Path | None, by: str | None) -> None:
    """With a byte-order mark when it goes to a file, so that spreadsheet programs see the Chinese."""
    from ingest.templates import filled, headings, sheet_kind, workbook
    from ingest.templates import template as csv_template

    if by is not None:
        if output_file is None or output_file.suffix.lower() != ".xlsx":
            text = Text("--as 需要 --output FILE.xlsx。", "--as needs --output FILE.xlsx.")
            raise click.UsageError(session.say(text))
        with session.workspace(existing=True) as workspace:
            content = filled(workspace.view(by), kind, session.locale)
        with output_file.open("xb") as file:
            file.write(content)
        return
    if output_file is not None:
        made = {".csv": csv_template, ".xlsx": workbook}.get(output_file.suffix.lower())
        if made is None:
            raise click.BadParameter(session.say(Text("应为 .csv 或 .xlsx。", "It must be .csv or .xlsx.")))
        content = made(kind, session.locale)
        with output_file.open("xb") as file:  # what somebody has filled in stays
            file.write(content)
        return
    if session.format == "csv":
        encoding = "utf-8" if goes_to_a_file() else "utf-8-sig"
        output.line(csv_template(kind, session.locale).decode(encoding).replace("\r\n", "\n").rstrip("\n"))
        return
    of = sheet_kind(kind)
    fields = [each for name, each in of.fields.items() if name != "stub"]
    payload = [
        {
            "column": each.name, "heading": heading.rstrip("*"), "required": each.required,
            "meaning": each.description, "names": list(each.spellings),
        }
        for each, heading in zip(fields, headings(of, session.locale), strict=True)
    ]  # fmt: skip
    shown = [
        Text("列", "Column"), Text("列名", "Heading"), Text("必填", "Required"), Text("含义", "Meaning"),
        Text("也可写作", "Other names"),
    ]  # fmt: skip
    rows = [[p["column"], p["heading"], "✓" if p["required"] else "", p["meaning"], p["names"]] for p in payload]
    session.answer(payload, [session.say(each) for each in shown], rows)


def goes_to_a_file() -> bool:
    """Is standard output a file (`> parts.csv`), as against a terminal or a pipe?"""
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return False
