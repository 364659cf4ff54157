"""`settle`: what agreements that have ended want deleted is deleted and erased."""

from __future__ import annotations

from schema import KINDS
from schema.text import Text
from server.cli.command import command, option
from server.cli.session import Session


@command(
    "settle",
    zh=(
        "清算已到期或被撤销、并约定“到期删除”的共享协议：删除其数据，并从日志、检查点和快照中擦除。\n\n"
        "其他有效协议仍涉及的数据保留；他人仍引用的只留下编号。服务器会自行执行；中断后再运行一次即可。"
    ),
    en=(
        "Settle agreements that have ended, or were revoked, and say that data are deleted at the end.\n\nThe owner's "
        "rows that no other agreement covers are deleted, and erased from the journal, checkpoints and snapshots; of "
        "what others refer to, the key stays. A server does it by itself. After a break, run it again."
    ),
    params=[
        option("--dry-run", is_flag=True, zh="只说会删除什么，不写入。", en="Say what would go; write nothing."),
    ],
)
def settle(session: Session, dry_run: bool) -> None:
    """Counts by owner and kind."""
    from chaingraph import Actor
    from chaingraph.settling import settle as settle_agreements

    with session.workspace(existing=True) as workspace:
        done = settle_agreements(workspace, Actor(), dry_run=dry_run)
    rows = [
        {"owner": owner, "kind": name, "rows": count, "stubs": done.stubs.get((owner, name), 0)}
        for (owner, name), count in done.rows.items()
    ]
    payload = {
        "dry_run": dry_run, "agreements": list(done.agreements), "rows": rows, "erased": done.erased,
        "revision": done.revision,
    }  # fmt: skip
    headings = [Text("数据方", "Owner"), Text("类型", "Kind"), Text("行数", "Rows"), Text("仅留编号", "Key stays")]
    shown = [[row["owner"], session.say(KINDS[str(row["kind"])].text), row["rows"], row["stubs"]] for row in rows]
    if rows or session.format != "table":
        session.answer(payload, [session.say(each) for each in headings], shown)
    if session.format == "table":
        ended = ", ".join(done.agreements)
        said = _NOTHING if not ended else _WOULD if dry_run else _DONE
        session.note(said.format(agreements=ended, erased=done.erased))


_NOTHING = Text("没有需要清算的协议。", "No agreement is to be settled.")
_WOULD = Text("已结束的协议：{agreements}。未写入任何内容。", "Ended: {agreements}. Nothing was written.")
_DONE = Text(
    "已清算：{agreements}；从历史中擦除 {erased} 行。",
    "Settled: {agreements}. {erased} rows were taken out of the past.",
)
