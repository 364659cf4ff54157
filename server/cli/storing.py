"""`store`: what a store holds, whether its past is what it was, and how it is moved to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schema import KINDS
from schema.text import Text
from server.cli.command import argument, command, group, option
from server.cli.progress import steps
from server.cli.session import Session

if TYPE_CHECKING:
    from chaingraph.store import Redaction, Store


def file_of(url: str) -> Path | None:
    """The file of a store that is one."""
    path = url.removeprefix("sqlite:///")
    return Path(path) if path != url else None


@contextmanager
def opened(url: str, *, existing: bool = True) -> Iterator[Store]:
    """The store at an address, closed at the end; one in a file is made where there is none, unless it must be
    `existing`. Raises StoreError.
    """
    from chaingraph import StoreError
    from chaingraph.store import open_store

    file = file_of(url)
    if existing and file is not None and not file.exists():
        raise StoreError(
            "store.missing",
            Text(f"{url} 处没有存储。", f"There is no store at {url}."),
            Text("请检查地址。", "Check the address."),
        )
    with closing(open_store(url)) as store:
        yield store


def answer(session: Session, payload: dict[str, Any], *rows: tuple[Text, str | int | None]) -> None:
    """A table of names and values, without those that there are not; `payload` as JSON."""
    headings = [session.say(Text("项目", "What")), session.say(Text("值", "Value"))]
    session.answer(payload, headings, [[session.say(name), value] for name, value in rows if value not in {None, ""}])


@command(
    "info",
    zh="给出存储的地址、版本、摘要和各表行数。",
    en="Show a store's address, how far its journal is, its digest, and how many rows it has of what.",
)
def info(session: Session) -> None:
    """Of what readers see: whole loads."""
    from chaingraph.store import migration

    with session.workspace(existing=True) as workspace:
        snapshot, head = workspace.snapshot(), workspace.store.head()
        newest = next(iter(workspace.store.journal(head.revision - 1, head.revision)), None) if head.revision else None
    rows = {each.name: len(snapshot.table(each.name)) for each in KINDS.values()}
    payload = {
        "store": session.store,
        "version": migration.VERSION,
        "revision": head.revision,
        "visible": head.visible,
        "digest": head.digest.hex(),
        "written": newest.at.isoformat() if newest else None,
        "unfinished": head.open_load,
        "rows": {name: count for name, count in rows.items() if count},
    }
    answer(
        session,
        payload,
        (Text("地址", "Address"), session.store),
        (Text("数据结构版本", "Version of the schema"), migration.VERSION),
        (Text("变更数", "Commits"), head.revision),
        (Text("最近变更", "Last commit"), f"{newest.at:%Y-%m-%d %H:%M:%S} UTC" if newest else None),
        (Text("摘要", "Digest"), head.digest.hex()),
        (Text("未完成的入库", "Unfinished load"), head.open_load),
        *((KINDS[name].text, count) for name, count in rows.items() if count),
    )


@command(
    "verify",
    zh="检查日志的摘要链，并用日志重算整张图加以核对；不符时给出第一个不符的变更，退出码为 1。并列出依约擦除的内容。",
    en=(
        "Check the digests of the journal, and the graph against the journal.\n\nNames the first commit that does not "
        "hold, and then ends with status 1. Lists what was erased, which is no damage."
    ),
)
def verify(session: Session) -> None:
    """Status 1 where it does not hold."""
    from chaingraph.store.verify import Unlike
    from chaingraph.store.verify import verify as verify_store

    with opened(session.store) as store, steps(session.locale) as shown:
        shown.step(Text("核对日志和图", "Holding the graph against the journal"))
        head = store.head()
        broken = verify_store(store, shown.at)
        erased = redacted(store.redactions())
    if broken is not None:
        if session.format != "table":
            found = {
                "holds": False, "revision": broken.revision, "code": broken.code, "what": session.say(broken.what),
                "kind": broken.kind, "key": broken.key,
            }  # fmt: skip
            session.answer(found, list(found), [list(found.values())])
        raise Unlike(broken)
    answer(
        session,
        {"holds": True, "revision": head.revision, "digest": head.digest.hex(), "redactions": erased},
        (Text("日志与图", "Journal and graph"), session.say(Text("相符", "hold"))),
        (Text("变更数", "Commits"), head.revision),
        (Text("摘要", "Digest"), head.digest.hex()),
        *((_ERASED.format(**each), session.say(_TAKEN.format(**each))) for each in erased),
    )


def redacted(redactions: Sequence[Redaction]) -> list[dict[str, Any]]:
    """What was erased, for a person: rows taken out of how many commits, from which on, when, and why, by erasure."""
    groups: dict[tuple[int, str], list[Redaction]] = {}
    for each in redactions:
        groups.setdefault((each.as_of, each.reason), []).append(each)
    return [
        {
            "reason": reason, "at": f"{group[0].at:%Y-%m-%d %H:%M:%S} UTC", "since": min(e.revision for e in group),
            "as_of": as_of, "commits": len({e.revision for e in group}), "rows": sum(e.rows for e in group),
            "kinds": sorted({e.kind for e in group}),
        }
        for (as_of, reason), group in groups.items()
    ]  # fmt: skip


@command(
    "copy",
    stores=True,
    zh=(
        "把存储 FROM 的全部内容复制到 TO：日志逐次原样照搬，连同审计日志、文件和密钥；完成后核对摘要。\n\n"
        "TO 须为空，或是同一日志的开头：中断后再运行一次即可接着复制。未完成的入库不复制。"
    ),
    en=(
        "Copy all that the store FROM holds to the store TO: the journal commit by commit as it was written, logs, "
        "files, secrets; the digests are compared in the end.\n\nTO must be empty or hold a beginning of the same "
        "journal: after a break, run it again. A load that is unfinished is not copied."
    ),
    params=[
        argument("from_", metavar="FROM"),
        argument("to", metavar="TO"),
        option("--dry-run", is_flag=True, zh="只说会复制什么，不写入。", en="Say what would be copied; write nothing."),
    ],
)  # fmt: skip
def copy(session: Session, from_: str, to: str, dry_run: bool) -> None:
    """What was copied, and the digest that both have."""
    from chaingraph.store.copying import copy as copy_store

    file = file_of(to)
    with opened(from_) as source, steps(session.locale) as shown:
        shown.step(Text("查看两个存储", "Looking at both stores"))
        if dry_run and file is not None and not file.exists():
            copied = copy_store(source, None)
        else:
            with opened(to, existing=False) as destination:
                if not dry_run:
                    shown.step(Text("复制日志", "Copying the journal"))
                copied = copy_store(source, destination, shown.at, dry_run=dry_run)
    payload = {
        "from": from_, "to": to, "dry_run": dry_run, "revision": copied.revision, "digest": copied.digest.hex(),
        "commits": copied.commits, "rows": copied.rows, "leaves": copied.leaves, "blobs": copied.blobs,
        "secrets": copied.secrets, "unfinished": copied.unfinished,
    }  # fmt: skip
    answer(
        session,
        payload,
        (Text("变更", "Commits"), copied.commits),
        (Text("行", "Rows"), copied.rows),
        (Text("日志条目", "Log entries"), copied.leaves),
        (Text("文件", "Files"), copied.blobs),
        (Text("密钥", "Secrets"), copied.secrets),
        (Text("至变更", "Up to commit"), copied.revision),
        (Text("摘要", "Digest"), copied.digest.hex()),
    )
    if copied.unfinished:
        session.note(_UNFINISHED.format(commits=copied.unfinished))
    if session.format == "table":
        session.note(_WOULD if dry_run else _AGREE)


_ERASED = Text("已擦除（{reason}）", "Erased ({reason})")
_TAKEN = Text("{rows} 行，{at}，自第 {since} 号变更", "{rows} rows, {at}, since commit {since}")
_UNFINISHED = Text(
    "末尾 {commits} 次变更属于未完成的入库，不复制。",
    "The last {commits} commits belong to a load that is unfinished, and are not copied.",
)
_WOULD = Text("未写入任何内容。", "Nothing was written.")
_AGREE = Text("两个存储的摘要一致。", "The digests of both stores agree.")

store = group(
    "store",
    [info, verify, copy],
    zh="查看、核对和复制存储。",
    en="Look at a store, verify it, copy it to another.",
)
