"""Has the past been changed, or the graph behind the journal's back? Both are computed anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace

import polars as pl

from chaingraph.audit.entries import LOG
from chaingraph.changes import Payload, chained, content_of, digests_of
from chaingraph.errors import StoreError
from chaingraph.snapshot import Snapshot
from chaingraph.store.base import Commit, Redaction, Store
from chaingraph.store.erasing import held, unfit
from schema import KINDS
from schema.text import Text

ROWS = 500_000
"""Rows of the journal that are replayed at a time."""

Progress = Callable[[int, int], None]
"""Told how many commits of how many are done."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first commit that does not hold, and what is the matter; where the graph differs, of which kind and key.

    `code` is stable. The revision is 0 where no commit ever touched the key.
    """

    revision: int
    code: str
    what: Text
    kind: str | None = None
    key: str | None = None


class Unlike(StoreError):
    """The journal is not what was committed."""

    def __init__(self, broken: Broken) -> None:
        super().__init__(broken.code, broken.what, Text("请从备份恢复。", "Restore it from a backup."))
        self.broken = broken


def verify(store: Store, progress: Progress | None = None) -> Broken | None:
    """What does not hold, None if all does.

    The payloads, as they were written, must give the contents' digests, and the contents must chain, without a gap, to
    the head's digest; what they do, one after another, must give the graph. Where rows were taken out, the redactions
    must say so, lead from what is left to what was committed, and be those of the audit log. Nobody writes to a remote
    store meanwhile.
    """
    while True:
        erased = store.head().erased
        try:
            found = _broken(store, progress)
        except StoreError:
            if store.head().erased == erased:
                raise
        else:
            if store.head().erased == erased:  # else rows were taken out meanwhile: what was read does not fit together
                return found


def _broken(store: Store, progress: Progress | None) -> Broken | None:
    with store.writing() if store.remote else nullcontext(), store.read() as session:
        try:
            expected = _replayed(store, session.revision, progress)
        except Unlike as error:
            return error.broken
        for name, of in KINDS.items():
            found = pl.concat([of.empty(), *session.scan(name)])
            if not found.equals(expected.table(name)):
                return _difference(store, session.revision, name, expected.table(name), found)
    return None


def checked(store: Store, since: int, until: int, digest: bytes) -> Iterator[Commit]:
    """Commits with their payloads at hand, each held against its digest; `digest` is that of commit `since`.

    Raises Unlike at the first that does not hold.
    """
    expected = since + 1
    for commit in store.journal(since, until):
        if commit.revision != expected:
            break
        payload, content = _content(commit)
        if content != commit.content:  # rows may have been taken out since the entry was read
            commit = next(iter(store.journal(expected - 1, expected)), commit)  # noqa: PLW2901
            payload, content = _content(commit)
        if content != commit.content:
            raise _unlike(expected, "content", "的内容与提交时不同", "does not do what was committed")
        digest = chained(digest, commit.revision, commit.id, content)
        if digest != commit.digest:
            raise _unlike(expected, "digest", "的摘要与前一变更不衔接", "does not follow from the one before")
        yield replace(commit, payload=_at_hand(payload))
        expected += 1
    if expected <= until:
        raise _unlike(expected, "missing", "缺失", "is missing")


def _content(commit: Commit) -> tuple[list[Payload], bytes]:
    """What a commit does, and the digest of what it did when it was committed: none where the redactions do not fit."""
    try:
        payload = commit.payload()
        digests = held(digests_of(payload), commit.redactions)
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        raise _unlike(commit.revision, "unreadable", "的内容无法读取", "cannot be read") from error
    of = (commit.load, commit.part, commit.last, commit.by)
    return payload, b"" if digests is None else content_of(*of, digests)


def _unlike(revision: int, code: str, zh: str, en: str) -> Unlike:
    return Unlike(Broken(revision, f"journal.{code}", Text(f"第 {revision} 号变更{zh}。", f"Commit {revision} {en}.")))


def _at_hand(payload: list[Payload]) -> Callable[[], list[Payload]]:
    return lambda: payload


def _replayed(store: Store, revision: int, progress: Progress | None) -> Snapshot:
    """The graph by the journal alone."""
    head = store.head()
    graph, waiting, rows = Snapshot.empty(), list[Commit](), 0
    redactions = list[Redaction]()
    for commit in checked(store, 0, revision, b""):
        waiting.append(commit)
        redactions += commit.redactions
        rows += commit.rows
        if rows >= ROWS:
            graph, waiting, rows = graph.apply(waiting, passing=True), [], 0
        if progress is not None:
            progress(commit.revision, revision)
    graph = graph.apply(waiting)
    _check_redactions(store, redactions, revision)
    if head.revision == revision and head.digest != graph.digest:
        raise _unlike(revision, "digest", "的摘要与存储所记不同", "has another digest than the store says")
    return graph


def _check_redactions(store: Store, found: list[Redaction], revision: int) -> None:
    """Raises Unlike for a redaction of nothing, and where the audit log has others than the journal."""
    listed = store.redactions()
    loose = next((each for each in listed if each not in found), None)
    if loose is not None:
        raise _unlike(loose.revision, "redaction", "没有所记的擦除", "has not lost what a redaction says of it")
    wrong = unfit(listed, store.leaves(LOG), revision)
    if isinstance(wrong, str):
        what = Text(
            f"审计日志中的擦除 {wrong} 没有记录。", f"The audit log has the erasure {wrong}, and the store has not."
        )
        raise Unlike(Broken(0, "journal.redaction", what))
    if wrong is not None:
        raise _unlike(wrong.revision, "redaction", "的擦除与审计日志不符", "has a redaction that the audit log has not")


def _difference(store: Store, revision: int, name: str, expected: pl.DataFrame, found: pl.DataFrame) -> Broken | None:
    """What is said of the first key whose row is not what the journal says; None if it was only the order."""
    there = pl.lit(value=True).alias("_there")
    both = expected.with_columns(there).join(
        found.with_columns(there), on="key", how="full", coalesce=True, suffix=" found"
    )
    columns = ["_there", *(c for c in expected.columns if c != "key")]
    unlike = both.filter(pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c} found")) for c in columns))
    if not len(unlike):
        return None
    first = unlike.sort("key").row(0, named=True)
    kind, key = KINDS[name].text, first["key"]
    zh, en = f"{kind.zh} {key} ", f"The row {key} of {kind.en} "
    if first["_there found"] is None:
        code, what = "missing", Text(f"{zh}不在图中。", f"{en}is not in the graph.")
    elif first["_there"] is None:
        code, what = "added", Text(f"{zh}在图中，但日志中没有。", f"{en}is in the graph and not in the journal.")
    else:
        code, what = "changed", Text(f"{zh}与日志不同。", f"{en}is not what the journal says.")
    return Broken(_last_touch(store, revision, name, key), f"graph.{code}", what, name, key)


def _last_touch(store: Store, until: int, name: str, key: str) -> int:
    """The last commit that put or deleted a key, 0 if none did."""
    last = 0
    for commit in store.journal(0, until):
        changes = commit.changes([name])
        touched = [*(rows["key"] for rows in changes.put.values()), *changes.delete.values()]
        if any((keys == key).any() for keys in touched):
            last = commit.revision
    return last
