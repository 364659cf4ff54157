"""`audit`: the log of who did what with whose data: exported, signed, held against what members kept, replayed."""

from __future__ import annotations

import datetime as dt
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schema.text import Text
from server.cli.command import argument, command, group, option
from server.cli.session import Session
from server.cli.storing import answer, opened

if TYPE_CHECKING:
    from chaingraph import Entry

MOST = 100
"""Entries that are listed when nothing is said."""
_OUT = argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
_READ = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_LARGEST = 1 << 16
"""Bytes of a checkpoint or key at most: nobody reads a log as one."""


def _written(file: Path | None, pieces: Iterator[bytes]) -> None:
    """Bytes into a file, or to standard output."""
    if file is None:
        sys.stdout.flush()
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    with file.open("wb") as out:
        for piece in pieces:
            out.write(piece)


@command(
    "export",
    zh="导出审计日志：每行一条，逐字节照原样；写入 FILE，缺省写到标准输出。",
    en="Export the audit log: an entry a line, byte for byte as it is; to FILE, or to standard output.",
    params=[_OUT],
)
def export(session: Session, file: Path | None) -> None:
    """The leaves as they are hashed."""
    from chaingraph.audit.entries import LOG

    with opened(session.store) as store:
        _written(file, (leaf + b"\n" for leaf in store.leaves(LOG)))


@command(
    "checkpoint",
    zh=(
        "给出审计日志当前的签名检查点（C2SP tlog-checkpoint 格式）：条数、Merkle 树根和时间。\n\n"
        "成员保存它，以后凭它核对日志；写入 FILE，缺省写到标准输出。"
    ),
    en=(
        "Give a signed checkpoint of the audit log as it is now (C2SP tlog-checkpoint): its size, the root of its "
        "Merkle tree, the time.\n\nMembers keep it and hold the log against it later. To FILE, or to standard output."
    ),
    params=[_OUT],
)
def checkpoint(session: Session, file: Path | None) -> None:
    """The note."""
    from chaingraph.audit.checkpoints import checkpoint as signed

    with opened(session.store) as store:
        _written(file, iter([signed(store).encode()]))


@command(
    "key",
    zh="给出签署检查点的公钥；写入 FILE，缺省写到标准输出。",
    en="Give the public key that checkpoints are signed by; to FILE, or to standard output.",
    params=[_OUT],
)
def key(session: Session, file: Path | None) -> None:
    """As signed-note writes it."""
    from chaingraph.audit.checkpoints import Signer

    with opened(session.store) as store:
        _written(file, iter([f"{Signer.of(store).key}\n".encode()]))


@command(
    "verify",
    stores=True,
    zh=(
        "用保存的检查点核对导出的日志 LOG；不需要存储，也不需要网络。\n\n"
        "不符时说明缘由（被改动、被截短、分叉、签名不符、文件残缺），退出码为 1。"
        "多给几个检查点，可把被改动的条目定得更准。"
    ),
    en=(
        "Hold an exported LOG against kept checkpoints; it needs no store and no network.\n\nWhere it does not hold it "
        "says what is wrong (edited, cut, forked, a bad signature, a damaged file) and ends with status 1. More "
        "checkpoints tell more closely which entry was edited."
    ),
    params=[
        argument("log", type=_READ),
        option(
            "--checkpoint", "checkpoints", multiple=True, required=True, type=_READ, metavar="FILE",
            zh="保存的检查点；可多次给出。", en="A kept checkpoint; may be given several times.",
        ),
        option(
            "--key", type=_READ, metavar="FILE", zh="签署方的公钥（chaingraph audit key）；缺省用检查点自带的公钥。",
            en="The public key of who signs (chaingraph audit key); that in the checkpoints where not given.",
        ),
    ],
)  # fmt: skip
def verify(session: Session, log: Path, checkpoints: tuple[Path, ...], key: Path | None) -> None:
    """Status 1 where it does not hold."""
    from chaingraph.audit import checkpoints as checking

    known = None if key is None else checking.Key.read(_text(key))
    kept = [checking.Checkpoint.read(_text(file), known) for file in checkpoints]
    held = checking.verify(log, kept)
    payload = {
        "holds": True, "leaves": held.leaves, "root": held.root.hex(), "checkpoints": held.checkpoints,
        "signed_by": str(kept[0].key),
    }  # fmt: skip
    answer(
        session,
        payload,
        (Text("日志", "The log"), session.say(Text("相符", "holds"))),
        (Text("条目", "Entries"), held.leaves),
        (Text("检查点", "Checkpoints"), held.checkpoints),
        (Text("树根", "Root"), held.root.hex()),
        (Text("签署密钥", "Signed by"), str(kept[0].key)),
    )


def _text(file: Path) -> str:
    """A short text, with what is no text in it put as a mark that no checkpoint has."""
    with file.open("rb") as content:
        return content.read(_LARGEST).decode(errors="replace")


HEADINGS = (
    Text("编号", "Number"), Text("时间", "When"), Text("操作", "Action"), Text("企业", "Organisation"),
    Text("角色", "Role"), Text("账号", "Account"), Text("用途", "Purpose"), Text("数据所有方", "Owners"),
    Text("表", "Kinds"), Text("协议", "Agreements"), Text("说明", "What"),
)  # fmt: skip


@command(
    "list",
    zh="列出审计日志的条目，最新的在最后。",
    en="List entries of the audit log, the newest last.",
    params=[
        option("--organisation", zh="操作的企业。", en="Who did it."),
        option("--owner", zh="被涉及数据的企业。", en="Whose data it touched."),
        option("--action", zh="操作，如 read、denied、export。", en="What was done, such as read, denied or export."),
        option(
            "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), zh="自何时起（UTC）。",
            en="From when on (UTC).",
        ),
        option(
            "--limit", type=click.IntRange(1), default=MOST, show_default=True, zh="最多列出最新的若干条。",
            en="At most so many, the newest.",
        ),
    ],
)  # fmt: skip
def listing(
    session: Session,
    organisation: str | None,
    owner: str | None,
    action: str | None,
    since: dt.datetime | None,
    limit: int,
) -> None:
    """All of it: who reads a store's file may."""
    from collections import deque

    from chaingraph.audit.entries import LOG, Entry

    start = since.replace(tzinfo=dt.UTC) if since else None
    with opened(session.store) as store:
        numbered = ((number, Entry.read(leaf)) for number, leaf in enumerate(store.leaves(LOG)))
        found = deque(
            (
                (number, entry)
                for number, entry in numbered
                if (organisation is None or entry.organisation == organisation)
                and (owner is None or owner in entry.owners)
                and (action is None or entry.action.value == action)
                and (start is None or entry.at >= start)
            ),
            maxlen=limit,
        )
    rows = [_row(number, entry) for number, entry in found]
    payload = [{"number": number, **_payload(entry)} for number, entry in found]
    session.answer(payload, [session.say(each) for each in HEADINGS], rows)


def _payload(entry: Entry) -> dict[str, Any]:
    return {
        "action": entry.action.value, "organisation": entry.organisation, "role": entry.role, "account": entry.account,
        "purpose": entry.purpose, "at": entry.at.isoformat(), "owners": sorted(entry.owners),
        "kinds": sorted(entry.kinds), "agreements": sorted(entry.agreements), "revision": entry.revision,
        "what": dict(entry.what),
    }  # fmt: skip


def _row(number: int, entry: Entry) -> list[Any]:
    what = "; ".join(f"{name}: {said}" for name, said in sorted(entry.what.items()))
    return [
        number, f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.action.value, entry.organisation, entry.role, entry.account,
        entry.purpose, _several(entry.owners), _several(entry.kinds), _several(entry.agreements), what,
    ]  # fmt: skip


_AGREE, _DIFFER = Text("相符", "agree"), Text("不符", "do not agree")


def _several(names: tuple[str, ...], most: int = 6) -> str:
    shown = ", ".join(itertools.islice(sorted(names), most))
    return f"{shown} … ({len(names)})" if len(names) > most else shown


@command(
    "replay",
    zh=(
        "重算第 NUMBER 条日志当时的权限：按当时的图、用途和时间，哪些协议有效，可见哪些企业的哪些表；"
        "并与日志所记的协议核对。\n\n"
        "不符时退出码为 1。当时的数据若已被擦除，则无法重算。"
    ),
    en=(
        "Compute again the rights behind entry NUMBER, of the graph, for the purpose and at the time of then: which "
        "agreements were in force, which kinds of whose rows could be seen; and compare the agreements with those of "
        "the entry.\n\nEnds with status 1 where they are others. Where data of then were erased since, it cannot be "
        "done."
    ),
    params=[argument("number", type=click.IntRange(0))],
)  # fmt: skip
def replaying(session: Session, number: int) -> None:
    """Status 1 where the entry says otherwise."""
    from chaingraph.audit.replay import replay

    with session.workspace(existing=True) as workspace:
        found = replay(workspace, number)
    payload = {
        "entry": {"number": number, **_payload(found.entry)}, "agreements": list(found.agreements),
        "kinds": list(found.kinds), "owners": list(found.owners), "by": list(found.by), "agree": found.agree,
    }  # fmt: skip
    answer(
        session,
        payload,
        (Text("条目", "Entry"), number),
        (Text("操作", "Action"), found.entry.action.value),
        (Text("企业", "Organisation"), found.entry.organisation),
        (Text("用途", "Purpose"), found.entry.purpose),
        (Text("时间", "When"), f"{found.entry.at:%Y-%m-%d %H:%M:%S} UTC"),
        (Text("图的版本", "Revision"), found.entry.revision),
        (Text("当时有效的协议", "Agreements in force"), ", ".join(found.agreements)),
        (Text("可见的表", "Kinds that could be seen"), ", ".join(found.kinds)),
        (Text("可见其数据的企业", "Owners whose rows could be seen"), ", ".join(found.owners)),
        (Text("日志所记协议", "Agreements of the entry"), ", ".join(sorted(found.entry.agreements))),
        (Text("重算所得协议", "Agreements as computed"), ", ".join(found.by)),
        (Text("核对", "The two"), None if found.agree is None else session.say(_AGREE if found.agree else _DIFFER)),
    )
    if found.agree is False:
        raise SystemExit(1)


audit = group(
    "audit",
    [export, checkpoint, key, verify, listing, replaying],
    zh="审计日志：谁何时为何用途动了谁的数据；导出、签名、核对、重算。",
    en="The audit log, of who did what with whose data, when and for what: export, sign, verify, replay it.",
)
