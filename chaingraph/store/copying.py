"""Moving a whole graph to another store: the journal commit by commit as it was written, with logs, blobs, secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from chaingraph import checkpoint
from chaingraph.errors import Conflict, StoreError
from chaingraph.store.base import Head, Named, Store
from chaingraph.store.verify import checked
from schema.text import Text

LEAVES = 1000
"""Leaves of a log that are appended at a time."""

Progress = Callable[[int, int], None]
"""Told how many commits of how many are there."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied by this call, or would be; what an earlier one had copied is not counted.

    `revision` and `digest` are those of the copy. `unfinished` is the number of commits at the end of the journal that
    are left behind: a load that is under way or was broken off, which no reader sees.
    """

    revision: int
    digest: bytes
    commits: int
    rows: int
    leaves: int
    blobs: int
    secrets: int
    unfinished: int


def copy(
    source: Store, destination: Store | None, progress: Progress | None = None, *, dry_run: bool = False
) -> Copied:
    """Make `destination` a copy of `source` as it is now, whole loads only; with `dry_run` only say what would be done.

    The destination must be empty (None: not there yet, for a dry run) or hold a beginning of the same journal, as after
    a copy that was broken off: what is there is not copied again. The journal comes last, and its payloads are held
    against their digests on the way. Checkpoints are not copied, as every store makes its own. What was erased in the
    source is not there, nor in the copy, which notes the same redactions. Raises Conflict (`copy.differs`) for a
    destination with anything else in it and (`copy.redacted`) for one that still has what the source has erased since,
    Unlike where the source itself does not hold, and StoreError (`copy.unequal`) if the two do not agree in the end.
    """
    if dry_run or destination is None:
        return _Copy(source, destination).planned
    with destination.writing():
        found = _Copy(source, destination)
        found.secrets_and_logs_and_blobs(destination)
        found.journal(destination, progress)
        found.refuse_erased()
        after = destination.head()
        if (after.revision, after.digest) != (found.planned.revision, found.planned.digest):
            raise StoreError(
                "copy.unequal",
                Text(f"{destination.url} 与 {source.url} 不一致。", f"{destination.url} is not what {source.url} is."),
                Text("请复制到另一个空存储。", "Copy into another store, an empty one."),
            )
    return found.planned


class _Copy:
    """What there is to be copied. Raises Conflict where the destination is not a beginning of the source."""

    def __init__(self, source: Store, destination: Store | None) -> None:
        self._source, self._destination = source, destination
        self._here = destination.head() if destination else Head(0, 0, b"", None)
        self._secrets = [name for name in self._source.names("secret") if not self._has_secret(name)]
        self._logs = {name: self._leaves_there(name) for name in sorted({*source.names("log"), *self._names("log")})}
        self._blobs = [name for name in source.names("blob") if not self._has_blob(name)]
        self.planned = self._plan()
        self.refuse_erased()

    def _names(self, of: Named) -> list[str]:
        return self._destination.names(of) if self._destination else []

    def _has_secret(self, name: str) -> bool:
        if self._destination is None or name not in self._destination.names("secret"):
            return False
        if self._destination.secret(name) != self._source.secret(name):
            raise self._differs(f"密钥 {name}", f"the secret {name}")
        return True

    def _leaves_there(self, log: str) -> int:
        """How many leaves of a log are there already."""
        there = 0
        if self._destination is not None:
            wanted = self._source.leaves(log)
            for leaf in self._destination.leaves(log):
                if next(wanted, None) != leaf:
                    raise self._differs(f"日志 {log}", f"the log {log}")
                there += 1
        return there

    def _has_blob(self, name: str) -> bool:
        if name.partition(".")[0] == checkpoint.MANIFEST:
            return True
        return self._destination is not None and self._destination.blob(name) == self._source.blob(name)

    def _plan(self) -> Copied:
        head, since, digest = self._source.head(), self._here.revision, self._here.digest
        if since:
            same = next(iter(self._source.journal(since - 1, since)), None)
            if same is None or (same.revision, same.digest) != (since, digest):
                raise self._differs(f"第 {since} 号变更", f"commit {since}")
        until = max(head.visible, since)
        commits = rows = 0
        for commit in self._source.journal(since, until):
            commits, rows, digest = commits + 1, rows + commit.rows, commit.digest
        leaves = sum(sum(1 for _ in self._source.leaves(log, there)) for log, there in self._logs.items())
        unfinished = head.revision - until
        return Copied(until, digest, commits, rows, leaves, len(self._blobs), len(self._secrets), unfinished)

    def refuse_erased(self) -> None:
        """Raises Conflict where the destination has rows that were erased in the source since they were copied."""
        if self._destination is None:
            return
        here = self._destination.redactions()
        until = self._destination.head().revision
        if any(each.revision <= until and each not in here for each in self._source.redactions()):
            url = self._destination.url
            raise Conflict(
                "copy.redacted",
                Text(
                    f"{url} 中仍有 {self._source.url} 已擦除的数据。",
                    f"{url} still has rows that have been erased in {self._source.url}.",
                ),
                Text("请复制到空存储，并销毁这一份。", "Copy into an empty store, and destroy this copy."),
            )

    def _differs(self, zh: str, en: str) -> Conflict:
        url = self._destination.url if self._destination else ""
        return Conflict(
            "copy.differs",
            Text(
                f"{url} 不是 {self._source.url} 的副本或其开头：{zh}不同。",
                f"{url} is no copy of {self._source.url}, nor the beginning of one: {en} is another.",
            ),
            Text("请复制到空存储。", "Copy into an empty store."),
        )

    def secrets_and_logs_and_blobs(self, destination: Store) -> None:
        """All but the journal; secrets first, so that nobody makes others there."""
        for name in self._secrets:
            destination.secret(name, self._source.secret(name))
        for log, there in self._logs.items():
            leaves = self._source.leaves(log, there)
            while some := list(islice(leaves, LEAVES)):
                destination.append(log, some)
        for name in self._blobs:
            destination.put_blob(name, self._source.blob(name) or b"")

    def journal(self, destination: Store, progress: Progress | None) -> None:
        """The commits that are not there, in their order."""
        since, until = self._here.revision, self.planned.revision
        for commit in checked(self._source, since, until, self._here.digest):
            destination.restore(commit)
            if progress is not None:
                progress(commit.revision, until)
