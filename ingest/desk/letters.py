"""What is laid beside a file that was taken, or could not be, in both languages and plain text."""

from __future__ import annotations

import datetime as dt

from ingest.desk.drafts import Draft, Receipt
from ingest.load import Looked
from schema import KINDS, Text

LISTED = 200
"""So many findings are listed."""
_ORDER = ("error", "warning", "info")


def receipt_letter(draft: Draft, receipt: Receipt, by: str) -> str:
    """The receipt of an upload."""
    lines = []
    for each in receipt.sheets:
        of = KINDS[each.kind].text if each.kind else Text("种类不明", "no kind yet")
        same = each.rows - each.taken - each.refused
        lines.append(
            Text(
                f"  {each.file}：{of.zh}，{each.rows} 行，收下 {each.taken}，已有 {same}，拒收 {each.refused}",
                f"  {each.file}: {of.en}, {each.rows} rows, {each.taken} taken, {same} known already, "
                f"{each.refused} refused",
            )
        )
    return _both(
        Text(f"回执 {receipt.number}", f"Receipt {receipt.number}"),
        Text(f"上传 {draft.id}，{_when(receipt.at)} 入库。", f"Upload {draft.id}, taken {_when(receipt.at)}."),
        *lines,
        Text("如需撤回，请运行：", "To take it back:"),
        _command("withdraw", receipt.number, by),
    )


def report_letter(draft: Draft, looked: Looked | None, by: str) -> str:
    """What stands against taking an upload, and how to go on."""
    lines = [Text(f"上传 {draft.id} 尚未入库。", f"Upload {draft.id} was not taken yet.")]
    if draft.problem is not None:
        lines.append(Text(f"  {draft.problem[1]}", f"  {draft.problem[2]}"))
    if looked is not None:
        lines += _sheets(looked)
        lines += _findings(looked)
        lines += [
            Text("请更正文件后再放入文件夹，或运行：", "Correct the files and drop them again, or go on with:"),
            _command("upload", draft.id, by),
        ]
    return _both(*lines)


def refusal_letter(text: Text) -> str:
    """Why not even an upload was begun."""
    return _both(text)


def _sheets(looked: Looked) -> list[Text]:
    lines = []
    for sheet in looked.opened.sheets:
        read = sheet.detection.reading
        of = read.kind.text if read else Text("种类不明", "no kind yet")
        rows = sheet.table.cells.height
        lines.append(Text(f"  {sheet.table.name}：{of.zh}，{rows} 行", f"  {sheet.table.name}: {of.en}, {rows} rows"))
        if read is not None and (unknown := list(read.unmapped.values())):
            names = ", ".join(unknown)
            lines.append(Text(f"    不认识的列：{names}", f"    Columns that are not known: {names}"))
        for question in sheet.questions:
            if question.answer is None:
                zh = "；".join(f"{each.value}（{each.text.zh}）" for each in question.options)
                en = "; ".join(f"{each.value} ({each.text.en})" for each in question.options)
                lines.append(
                    Text(
                        f"    ? {question.id}：{question.text.zh} {zh}", f"    ? {question.id}: {question.text.en} {en}"
                    )
                )
    return lines


def _findings(looked: Looked) -> list[Text]:
    found = sorted(looked.report.findings, key=lambda each: _ORDER.index(each.severity))
    lines = []
    for each in found[:LISTED]:
        row = Text("" if each.row is None else f" 第 {each.row} 行", "" if each.row is None else f" row {each.row}")
        column = Text(f" “{each.column}”" if each.column else "", f' "{each.column}"' if each.column else "")
        value = f" [{each.value}]" if each.value is not None else ""
        more = Text(f"（另有 {each.more} 行）", f" ({each.more} more rows)") if each.more else Text("", "")
        lines.append(
            Text(
                f"  {each.severity} {each.code} {each.file or ''}{row.zh}{column.zh}{value}：{each.text.zh}{more.zh}"
                f"{each.remedy.zh}",
                f"  {each.severity} {each.code} {each.file or ''}{row.en}{column.en}{value}: {each.text.en}{more.en} "
                f"{each.remedy.en}",
            )
        )
    if (more_found := len(found) - LISTED) > 0:
        lines.append(Text(f"  另有 {more_found} 条。", f"  {more_found} more."))
    return lines


def _command(name: str, number: str, by: str) -> Text:
    said = f"  chaingraph {name} {number}" + (f" --as {by}" if by else "")
    return Text(said, said)


def _when(at: dt.datetime) -> str:
    return f"{(at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def _both(*lines: Text) -> str:
    """All of it in Chinese, then all of it in English. With a byte order mark, for old editors."""
    return "\ufeff" + "\n".join([*(each.zh for each in lines), "", *(each.en for each in lines)]) + "\n"
