"""The embedded store: one SQLite file, several processes at once."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import secrets
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, Literal

import apsw
import polars as pl

from chaingraph.changes import ChangeSet, Payload, chained, increasing
from chaingraph.errors import Busy, StoreError
from chaingraph.store import migration, sqlite_migration, statements
from chaingraph.store.base import Commit, Head, Named, Redaction
from chaingraph.store.lock import FairLock
from chaingraph.store.refusals import NAMED, differs, referred, refuse, reused
from chaingraph.store.sqlite_errors import told
from chaingraph.store.sqlite_session import SqliteSession, physical, pick
from schema import kind
from schema.text import Text

PAGE = 256
"""How many journal entries are read at a time."""
CHECKPOINT_PAGES = 16_384
"""Pages in the write-ahead log (64 MiB) at which it is written back: a load changes the same pages again and again."""


class SqliteStore:
    """A store in one file (with its write-ahead log, its lock's queues and its snapshots in folders beside it).

    An acknowledged commit is on the disk. Readers are never blocked. A load holds `writing` from first commit to last;
    single transactions queue for `_turn`, so that an audit leaf waits for one commit of a load and not for all.
    """

    remote = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.snapshots = path.with_name(f"{path.name}.snapshots")
        real = path.resolve()
        self._writing = FairLock(real.with_name(f"{real.name}.lock") / "load")
        self._turn = FairLock(real.with_name(f"{real.name}.lock") / "turn")
        self._closed = False
        self._idle: deque[apsw.Connection] = deque()
        self._process = os.getpid()
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._connection() as run:
                if sqlite_migration.version(run, path) is None:
                    with self._turn():
                        self._make(run)
                self._migrate(run)
                if not sqlite_migration.is_todays(run):
                    raise migration.other(path)

    def _make(self, run: apsw.Connection) -> None:
        """Make the tables, in turn, unless another process was quicker."""
        if sqlite_migration.version(run, self.path) is not None:
            return
        if run.execute("SELECT count(*) FROM sqlite_schema").get:
            raise StoreError(
                "store.foreign",
                Text(f"{self.path} 是其他程序的数据库。", f"{self.path} is another program's database."),
                Text("请换一个路径。", "Choose another path."),
            )
        run.execute("PRAGMA journal_mode = wal")
        with run:
            run.execute(statements.tables())
            sqlite_migration.note(run, migration.VERSION)

    def _migrate(self, run: apsw.Connection) -> None:
        """Bring the tables to today's version, when nobody writes: each step in a transaction of its own."""
        if self._version(run) == migration.VERSION:
            return
        with self._writing():
            for step in migration.pending(self._version(run)):
                with self._transaction() as own:
                    if self._version(own) < step.version:
                        LOG.info("%s becomes version %d: %s", self.path, step.version, step.text.en)
                        sqlite_migration.take(own, step)

    def _version(self, run: apsw.Connection) -> int:
        """The store's version; raises StoreError if this program does not know it."""
        found = sqlite_migration.version(run, self.path) or 0
        if found > migration.VERSION:
            raise migration.newer(self.path, found)
        return found

    @contextlib.contextmanager
    def _connection(self) -> Iterator[apsw.Connection]:
        """A connection that nobody else uses meanwhile."""
        if self._process != os.getpid():  # the child of a fork must neither use nor close its parent's connections
            _ABANDONED.append(self._idle)
            self._idle, self._process = deque(), os.getpid()
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = apsw.Connection(str(self.path))
            connection.set_busy_timeout(60_000)
            connection.execute(
                "PRAGMA synchronous = full; PRAGMA foreign_keys = off; PRAGMA cache_size = -65536;"
                f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
            )
            connection.execute(statements.SCRATCH)
        try:
            yield connection
        finally:
            if connection.in_transaction or self._closed:
                connection.close()
            else:
                self._idle.append(connection)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        """A write transaction, in turn."""
        with told(self.path), self._turn(), self._connection() as run:
            run.execute("BEGIN IMMEDIATE")
            try:
                yield run
                run.execute("COMMIT")
            except BaseException:
                if run.in_transaction:
                    run.execute("ROLLBACK")
                raise

    def writing(
        self, timeout: float = 300.0, waiting: Callable[[], None] | None = None
    ) -> contextlib.AbstractContextManager[None]:
        """The write lock; see `Store.writing`."""
        return self._writing(timeout, waiting)

    def commit(self, changes: ChangeSet, *, expect: int | None = None, leaves: Sequence[bytes] = ()) -> int:
        """Apply atomically and append to the journal; see `Store.commit`."""
        if not changes.last and changes.load is None:
            raise ValueError("A commit that is not the last of its load must name the load.")
        payload = changes.payload()
        put = {name: physical(_in_order(name, rows)) for name, rows in changes.put.items() if len(rows)}
        content = changes.content
        with self._writing(), self._transaction() as run:
            known = run.execute("SELECT revision, content FROM journal WHERE id = ?", (changes.id.bytes,)).fetchone()
            if known is not None:
                if known[1] != content:
                    raise reused(changes)
                return int(known[0])
            head = self._head(run)
            refuse(head, changes, expect)
            _append(run, "audit", leaves)
            if not changes.size and not (head.open_load and changes.last):
                return head.revision
            _apply(run, changes, put)
            revision = head.revision + 1
            digest = chained(head.digest, revision, changes.id, content)
            now = time.time_ns() // 1000
            _enter(
                run, payload, revision, changes.id.bytes, changes.load, changes.part, changes.last, changes.by, now,
                content, digest, changes.size, migration.VERSION,
            )  # fmt: skip
            return revision

    def restore(self, commit: Commit, leaves: Sequence[bytes] = ()) -> None:
        """Append a commit of another store as it was; see `Store.restore`."""
        payload = commit.payload()
        changes = replace(commit, payload=lambda: payload).changes(None)
        put = {name: physical(_in_order(name, rows)) for name, rows in changes.put.items() if len(rows)}
        with self._writing(), self._transaction() as run:
            head = self._head(run)
            if commit.revision <= head.revision:
                known: bytes = run.execute("SELECT digest FROM journal WHERE revision = ?", (commit.revision,)).get
                if known != commit.digest:
                    raise differs(commit.revision)
                return
            expected = chained(head.digest, commit.revision, commit.id, commit.content)
            if commit.revision != head.revision + 1 or commit.digest != expected:
                raise differs(commit.revision)
            _append(run, "audit", leaves)
            _apply(run, changes, put, anew=False)
            _enter(
                run, payload, commit.revision, commit.id.bytes, commit.load, commit.part, commit.last, commit.by,
                _micros(commit.at), commit.content, commit.digest, commit.rows, commit.version,
            )  # fmt: skip
            _note(run, commit.redactions)

    def redactions(self) -> list[Redaction]:
        """All that was taken out of the journal, in the order in which it was."""
        return [_redaction(*each) for each in self._all(f"{_REDACTION} ORDER BY number")]

    def redact(self, changed: Sequence[tuple[Redaction, bytes]], leaves: Sequence[bytes]) -> None:
        """Put other payloads in the place of those that the redactions name; see `Store.redact`."""
        with self._writing(), self._transaction() as run:
            run.execute("PRAGMA secure_delete = on")
            if not run.execute(
                "SELECT EXISTS (SELECT 1 FROM redaction WHERE erasure = ?)", (changed[0][0].erasure,)
            ).get:
                put = "UPDATE payload SET data = ? WHERE revision = ? AND op = ? AND kind = ?"
                run.executemany(put, ((data, each.revision, each.op, each.kind) for each, data in changed))
                _note(run, [each for each, _ in changed if each.rows])
                _append(run, "audit", leaves)

    def scrub(self) -> None:
        """Write the file anew without what is gone, and empty the write-ahead log; see `Store.scrub`."""
        with told(self.path), self._writing(), self._turn(), self._connection() as run:
            run.execute("PRAGMA secure_delete = on; VACUUM").fetchall()
            if run.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]:  # waited as long as for any lock
                raise Busy(
                    "erase.readers",
                    Text(
                        "其他进程正在读取，旧数据还不能覆盖。", "Old data cannot be overwritten while others read it."
                    ),
                    Text("请稍后重新执行。", "Run it again later."),
                )

    def head(self) -> Head:
        """How far the journal is."""
        with told(self.path), self._connection() as run:
            return self._head(run)

    def _head(self, run: apsw.Connection) -> Head:
        """How far the journal is. Raises StoreError if another process has made a newer version of the store."""
        found: list[Any] = run.execute(_HEAD).fetchall()  # one statement: one moment
        ((version, revision, digest, load, last, visible, erased),) = found
        if int(version) != migration.VERSION:
            raise migration.newer(self.path, int(version))
        if revision is None:
            return Head(0, 0, b"", None)
        return Head(revision, visible, digest, None if last else load, erased or 0)

    @contextlib.contextmanager
    def read(self) -> Iterator[SqliteSession]:
        """A session pinned to the newest revision."""
        with self._connection() as run:
            with told(self.path):
                run.execute("BEGIN")
                session = SqliteSession(self.path, run, self._head(run).revision)
            try:
                yield session
            finally:
                session.close()
                run.execute("ROLLBACK")

    def journal(self, since: int = 0, until: int | None = None) -> Iterator[Commit]:
        """Commits after `since` (up to `until`, included), oldest first."""
        select = "SELECT * FROM journal WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?"
        until = self.head().revision if until is None else until
        while True:
            found = self._all(select, since, until, PAGE)
            for row in found:
                yield self._entry(*row)
            if len(found) < PAGE:
                return
            since = found[-1][0]

    def _entry(
        self, revision: int, id_: bytes, load: str | None, part: int, last: int, by: str, at: int,
        content: bytes, digest: bytes, rows: int, version: int, redacted: int,
    ) -> Commit:  # fmt: skip
        number = uuid.UUID(bytes=id_)
        when = _EPOCH + dt.timedelta(microseconds=at)

        def payload() -> list[Payload]:
            return [Payload(*each) for each in self._all(_PAYLOAD, revision)]

        out = self._all(f"{_REDACTION} WHERE revision = ? ORDER BY number", revision) if redacted else []
        return Commit(
            revision, number, load, part, bool(last), by, when, content, digest, rows, version, payload,
            tuple(_redaction(*each) for each in out),
        )  # fmt: skip

    def _all(self, select: str, *values: apsw.SQLiteValue) -> list[Any]:
        with told(self.path), self._connection() as run:
            return run.execute(select, values).fetchall()

    def append(self, log: str, leaves: Sequence[bytes]) -> int:
        """Append leaves to a log; returns the log's new length."""
        with self._transaction() as run:
            return _append(run, log, leaves)

    def leaves(self, log: str, since: int = 0) -> Iterator[bytes]:
        """The leaves of a log from number `since`."""
        select = "SELECT leaf FROM log WHERE name = ? AND number >= ? ORDER BY number LIMIT ?"
        while found := self._all(select, log, since, PAGE):
            yield from (leaf for (leaf,) in found)
            since += len(found)

    def blob(self, name: str) -> bytes | None:
        """A stored blob, None when there is none of that name."""
        return self._named("blob", name)

    def put_blob(self, name: str, data: bytes) -> None:
        """Store a blob under a name, in place of an older one."""
        with self._transaction() as run:
            run.execute("INSERT OR REPLACE INTO blob VALUES (?, ?)", (name, data))

    def secret(self, name: str, value: bytes | None = None) -> bytes:
        """32 random bytes made at first use and kept with the store; see `Store.secret`."""
        found = self._named("secret", name)
        if found is None:
            with self._transaction() as run:
                run.execute("INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, value or secrets.token_bytes(32)))
            found = self._named("secret", name)
            assert found is not None
        return found

    def names(self, of: Named) -> list[str]:
        """The names of all logs, blobs or secrets, sorted."""
        return [name for (name,) in self._all(f"SELECT DISTINCT name FROM {of} ORDER BY name")]

    def _named(self, table: Literal["blob", "secret"], name: str) -> bytes | None:
        found = self._all(f"SELECT data FROM {table} WHERE name = ?", name)
        return found[0][0] if found else None

    def close(self) -> None:
        """Close the connections that nobody uses; those in use are closed when they are given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HEAD = (
    "SELECT m.value, j.revision, j.digest, j.load, j.last, "
    "(SELECT coalesce(max(revision), 0) FROM journal WHERE last), (SELECT max(number) FROM redaction) "
    "FROM meta AS m LEFT JOIN (SELECT * FROM journal ORDER BY revision DESC LIMIT 1) AS j WHERE m.name = 'version'"
)
_PAYLOAD = "SELECT op, kind, data FROM payload WHERE revision = ? ORDER BY rowid"
_REDACTION = 'SELECT erasure, revision, op, kind, "rows", before, after, as_of, at, reason FROM redaction'
LOG = logging.getLogger(__name__)
_ABANDONED: list[deque[apsw.Connection]] = []


def _enter(run: apsw.Connection, payload: Sequence[Payload], revision: int, *entry: apsw.SQLiteValue) -> None:
    """The entry of the journal, with what it did."""
    run.execute(f"INSERT INTO journal VALUES (?{', ?' * len(entry)}, 0)", (revision, *entry))
    run.executemany("INSERT INTO payload VALUES (?, ?, ?, ?)", ((revision, *each) for each in payload))


def _note(run: apsw.Connection, redactions: Sequence[Redaction]) -> None:
    """Write down what was taken out of commits that are there."""
    insert = "INSERT INTO redaction VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    run.executemany(insert, ((*astuple(each)[:-2], _micros(each.at), each.reason) for each in redactions))
    mark = "UPDATE journal SET redacted = 1 WHERE revision = ?"
    run.executemany(mark, ((each.revision,) for each in redactions))


def _redaction(*columns: Any) -> Redaction:
    found = Redaction(*columns)
    return replace(found, at=_EPOCH + dt.timedelta(microseconds=columns[8]))


def _micros(at: dt.datetime) -> int:
    return (at - _EPOCH) // dt.timedelta(microseconds=1)


def _append(run: apsw.Connection, log: str, leaves: Sequence[bytes]) -> int:
    length: int = run.execute("SELECT coalesce(max(number) + 1, 0) FROM log WHERE name = ?", (log,)).get
    run.executemany("INSERT INTO log VALUES (?, ?, ?)", ((log, n, leaf) for n, leaf in enumerate(leaves, length)))
    return length + len(leaves)


def _in_order(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in key order, as the table has them; raises ValueError if two have one key."""
    in_order = rows if increasing(rows["key"]) else rows.sort("key")
    if rows["key"].null_count() or not increasing(in_order["key"]):
        raise ValueError(f"Rows of {name} without a key, or two with the same.")
    return in_order


def _apply(run: apsw.Connection, changes: ChangeSet, put: dict[str, pl.DataFrame], *, anew: bool = True) -> None:
    """Deletes, then puts; then, of a change that comes `anew`, look whether anything refers to what is gone."""
    for name, keys in changes.delete.items():
        run.executemany(statements.delete(kind(name)), ((key,) for key in keys.cast(pl.String).sort()))
    for name, rows in put.items():
        run.executemany(statements.put(kind(name)), rows.iter_rows())
    found: dict[str, list[str]] = {}
    count = 0
    for name, keys in changes.delete.items() if anew else ():
        of = kind(name)
        conditions = statements.referrers(of)
        if not len(keys) or not conditions:
            continue
        pick(run, pl.DataFrame({"key": keys.cast(pl.String)}).select(of.natural_of()).to_series())
        run.execute(statements.still_there(of))
        if not run.execute("SELECT EXISTS (SELECT 1 FROM temp.picked)").get:
            continue
        for other, where in conditions.items():
            here: int = run.execute(f'SELECT count(*) FROM "{other}" WHERE {where}').get
            if here:
                select = f'SELECT key FROM "{other}" WHERE {where} ORDER BY key LIMIT {NAMED}'
                found.setdefault(other, []).extend(key for (key,) in run.execute(select))
                count += here
    if count:
        raise referred(found, count)
