"""Why a store refuses a commit, in the same words whichever store it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chaingraph.changes import ChangeSet
from chaingraph.errors import Conflict
from chaingraph.store.base import Head
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
        raise Conflict(
            "load.unfinished",
            Text(f"入库 {head.open_load} 尚未完成。", f"The load {head.open_load} is unfinished."),
            Text("请重新执行该入库，或将其撤回。", "Run that load again, or take it back."),
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
