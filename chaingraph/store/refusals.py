"""Why a store refuses a commit, in the same words whichever store it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chaingraph.changes import ChangeSet
from chaingraph.errors import Conflict, StoreError
from chaingraph.store.base import Head, Redaction
from schema import KINDS
from schema.text import Text

NAMED = 20
"""How many referrers an error names."""


def refuse(head: Head, changes: ChangeSet, expect: int | None) -> None:
    """Raises Conflict when the graph has moved on, or another load is unfinished."""
    if expect is not None and expect != head.revision:
        raise Conflict(
            "commit.expected",
            Text(
                f"数据已更新到版本 {head.revision}，而非 {expect}。", f"The graph is at {head.revision}, not {expect}."
            ),
            Text("请读取最新版本后重试。", "Read the newest revision and try again."),
        )
    if head.open_load is not None and head.open_load != changes.load:
        raise unfinished(head.open_load)


def unfinished(load: str) -> Conflict:
    """Somebody's load is under way, or was broken off."""
    return Conflict(
        "load.unfinished",
        Text(f"入库 {load} 尚未完成。", f"The load {load} is unfinished."),
        Text("请重新执行该入库，或将其撤回。", "Run that load again, or take it back."),
    )


def known(redactions: Iterable[Redaction], revision: int) -> bool:
    """Whether the journal still tells what the graph was at a revision."""
    return not any(each.revision <= revision < each.as_of for each in redactions)


def redacted(redactions: Iterable[Redaction], revision: int) -> StoreError:
    """The journal does not tell any more what the graph was at a revision."""
    around = [each for each in redactions if each.revision <= revision < each.as_of]
    first, until = min(each.revision for each in around), max(each.as_of for each in around)
    names = sorted({each.kind for each in around})
    zh = "、".join(KINDS[name].text.zh if name in KINDS else name for name in names)
    en = ", ".join(KINDS[name].text.en if name in KINDS else name for name in names)
    return StoreError(
        "journal.redacted",
        Text(
            f"无法重现第 {revision} 号变更时的图：自第 {first} 号变更起的部分数据（{zh}）已被擦除。",
            f"The graph as of commit {revision} is not known any more: of what was committed from {first} on, rows "
            f"({en}) have been erased.",
        ),
        Text(
            f"请使用第 {first} 号之前，或第 {until} 号及以后的变更。",
            f"Ask for a commit before {first}, or for {until} or a later one.",
        ),
    )


def reused(changes: ChangeSet) -> Conflict:
    """An id comes again with other content."""
    return Conflict(
        "commit.id_reused",
        Text(f"变更号 {changes.id} 已用于其他内容。", f"The id {changes.id} had other content."),
        Text("请使用新的变更号。", "Use a new id."),
    )


def differs(revision: int) -> Conflict:
    """A commit of another store does not continue this one's journal."""
    return Conflict(
        "restore.differs",
        Text(
            f"第 {revision} 号变更与本存储的日志不衔接。", f"Commit {revision} does not continue this store's journal."
        ),
        Text("请复制到空存储。", "Copy into an empty store."),
    )


def referred(keys: Mapping[str, Sequence[str]], count: int | None = None) -> Conflict:
    """What is to be deleted is still referred to by rows with these stored keys, kind by kind; `count` of them in all
    where not all are given.
    """
    found = [(name, key) for name, each in keys.items() for key in each][:NAMED]
    count = count or sum(map(len, keys.values()))
    zh = "、".join(f"{KINDS[name].text.zh} {key}" for name, key in found)
    en = ", ".join(f"{KINDS[name].text.en} {key}" for name, key in found)
    zh += f" 等 {count} 处" if count > len(found) else ""
    en += f" and {count - len(found)} more" if count > len(found) else ""
    return Conflict(
        "delete.referred",
        Text(f"要删除的内容仍被引用：{zh}。", f"What is to be deleted is still referred to by {en}."),
        Text("请先删除或更改引用者。", "Delete or change those first."),
    )
