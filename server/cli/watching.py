"""`watch`: a folder from which files are taken as they are dropped in."""

from __future__ import annotations

import logging
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema.text import Text
from server.cli.command import argument, command, option
from server.cli.session import Session
from server.cli.uploading import AS, desk_of

if TYPE_CHECKING:
    from ingest.desk import Desk
    from ingest.desk.inbox import Handled, Inbox

LOG = logging.getLogger(__name__)
SWEEPS = 3600.0
"""Seconds between looks for uploads that nobody has gone on with."""

_BECAME = {"done": Text("已入库", "Taken"), "attention": Text("需处理", "Needs attention")}
_HEADINGS = (Text("文件", "File"), Text("结果", "What became of it"), Text("编号", "Number"))


@command(
    "watch",
    zh=(
        "监视文件夹 DIR：放入的文件不再变化后，若没有疑问和错误即入库，并连同回执移到 DIR/done。\n\n"
        "有疑问或错误的连同说明移到 DIR/attention。子文件夹（如 2025-03）中的全部文件算一次入库。"
        "写到一半的文件请先命名为 .part 或 .tmp。中断后再运行即可。"
    ),
    en=(
        "Watch the folder DIR: files dropped in are taken, if nothing is in doubt, and moved to DIR/done.\n\nThere a "
        "receipt lies beside them. What has errors, or needs an answer, goes to DIR/attention with a report. All files "
        "of a folder in DIR (as 2025-03) are one load. Files are taken when they do not change any more; while they "
        "are written, call them .part or .tmp. After a break, run it again."
    ),
    params=[
        argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)),
        AS,
        option("--once", is_flag=True, zh="处理已有的文件后结束。", en="Handle what is there, and end."),
        option(
            "--every", type=click.FloatRange(0.01, 3600), default=2.0, show_default=True, metavar="SECONDS",
            zh="两次查看之间的秒数。", en="Seconds between looks.",
        ),
    ],
)  # fmt: skip
def watch(session: Session, folder: Path, by: str | None, once: bool, every: float) -> None:
    """Status 1 when, with --once, something needs attention."""
    from ingest.desk.inbox import Inbox

    with desk_of(session, by) as (_, desk, actor):
        inbox = Inbox(desk, actor, folder, session.locale)
        if once:
            _once(session, inbox, every)
        else:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            try:
                _always(session, inbox, desk, every)
            except KeyboardInterrupt:
                return


def _once(session: Session, inbox: Inbox, every: float) -> None:
    from chaingraph import ChaingraphError

    handled: list[Handled] = []
    inbox.look(handled.append)
    time.sleep(every)
    inbox.look(handled.append)
    payload = [{"file": each.name, "became": each.became, "number": each.number} for each in handled]
    rows = [[each.name, session.say(_BECAME[each.became]), each.number or ""] for each in handled]
    session.answer(payload, [session.say(each) for each in _HEADINGS], rows)
    if (aside := sum(each.became == "attention" for each in handled)) > 0:
        raise ChaingraphError(
            "watch.attention",
            Text(f"{aside} 项需处理。", f"{aside} need attention."),
            Text("请看 attention 文件夹中的说明。", "Look at the reports in the folder attention."),
        )


def _always(session: Session, inbox: Inbox, desk: Desk, every: float) -> None:
    from chaingraph import ChaingraphError

    def tell(handled: Handled) -> None:
        became, number = _BECAME[handled.became], handled.number or ""
        session.note(Text(f"{handled.name}：{became.zh} {number}", f"{handled.name}: {became.en} {number}"))

    swept = time.monotonic()
    while True:
        try:
            inbox.look(tell)
            if time.monotonic() - swept > SWEEPS:
                desk.sweep()
                swept = time.monotonic()
        except (ChaingraphError, OSError) as error:
            LOG.warning("the folder waits: %s", error)
        except Exception:
            LOG.exception("the folder waits")
        time.sleep(every)
