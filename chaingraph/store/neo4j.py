"""The consortium's store: a Neo4j database, reached over Bolt, that people read with Cypher as well."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from chaingraph.changes import ChangeSet, Payload, chained
from chaingraph.errors import StoreError
from chaingraph.settings import Settings, settings
from chaingraph.store import migration, neo4j_migration
from chaingraph.store.base import Commit, Head, Named, Redaction
from chaingraph.store.lock import FairLock
from chaingraph.store.neo4j_lease import Lease
from chaingraph.store.neo4j_link import LOOK, Address, Link, records
from chaingraph.store.neo4j_rows import Transaction, apply, handed, run
from chaingraph.store.neo4j_session import LOCKED, Neo4jSession
from chaingraph.store.refusals import differs, refuse, reused
from schema.text import Text

MARKS = 64
"""How many appends a log remembers, to know one that is tried again."""
PAGE = 256
"""How many journal entries are read at a time."""
MIGRATION = 3600.0
"""Seconds to wait for somebody else's migration."""
PIECE = 4 << 20
"""Bytes in one piece of a blob: 0.14 s to write, 0.04 s to read."""

_HEAD = "h.version, h.revision, h.visible, h.digest, h.openLoad, coalesce(h.erased, 0)"


class Neo4jStore:
    """A store in one database of a Neo4j server; nothing goes to the network before `prepare` or the first call.

    A commit locks the head's node, so commits follow one another; a load holds the lock node besides (see `Lease`), for
    which the processes of a machine queue in a file. Every call ends within a time: Unavailable where the server does
    not answer.
    """

    remote = True

    def __init__(self, url: str, chosen: Settings | None = None) -> None:
        self.url = url
        chosen = chosen or settings()
        self.link = Link(Address.of(url), chosen)
        folder = chosen.cache / hashlib.sha256(url.encode()).hexdigest()[:16]
        self.snapshots = folder / "snapshots"
        self._queue = FairLock(folder / "lock")
        self._lease = Lease(folder, self.link)
        self._prepared = False
        self._preparing = threading.RLock()
        self._migrating = False

    def prepare(self) -> None:
        """Connect; make the store where there is none, bring an older one to today's version. Raises StoreError."""
        with self._preparing:
            if self._prepared or self._migrating:
                return
            with self._queue():
                found = neo4j_migration.state(self.link)
                if found is None:
                    self._refuse_foreign()
                    neo4j_migration.make(self.link)
                elif found != (migration.VERSION, migration.layout()):
                    self._migrate()
            self._prepared = True

    def _refuse_foreign(self) -> None:
        ours = "NOT n:JournalHead AND NOT n:WriteLock"
        if self.link.query(f"MATCH (n) WHERE {ours} RETURN 1 LIMIT 1"):
            raise StoreError(
                "store.foreign",
                Text(f"{self.url} 中已有其他程序的数据。", f"{self.url} holds another program's data."),
                Text("请使用空数据库。", "Use an empty database."),
            )

    def _migrate(self) -> None:
        """Whoever comes first does it; the others wait."""
        self._migrating = True
        try:
            with self._lease.held(MIGRATION, lambda: None):
                found = neo4j_migration.state(self.link)
                assert found is not None
                version, layout = found
                self._check(version)
                if version < migration.VERSION:
                    neo4j_migration.migrate(self, self.link, version)
                elif layout != migration.layout():
                    raise migration.other(self.url)
        finally:
            self._migrating = False

    def _check(self, version: int) -> None:
        """Raises StoreError when a newer program has been here, also while this one had the store open."""
        if version > migration.VERSION:
            raise migration.newer(self.url, version)

    def _ready(self) -> Link:
        if not self._prepared:
            self.prepare()
        return self.link

    @contextlib.contextmanager
    def writing(self, timeout: float = 300.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """The write lock; see `Store.writing`. First come, first served on one machine; between machines, one of those
        at the head of their queues. A dead holder's lock is free when the server sees its connection go.
        """
        self._ready()
        started = time.monotonic()
        told = [waiting]

        def once() -> None:
            if (tell := told.pop() if told else None) is not None:
                tell()

        with self._queue(timeout, once), self._lease.held(timeout - (time.monotonic() - started), once):
            yield

    def commit(self, changes: ChangeSet, *, expect: int | None = None, leaves: Sequence[bytes] = ()) -> int:
        """Apply atomically and append to the journal; see `Store.commit`."""
        if not changes.last and changes.load is None:
            raise ValueError("A commit that is not the last of its load must name the load.")
        put = {name: handed(name, rows) for name, rows in changes.put.items() if len(rows)}
        payload, content, link = changes.payload(), changes.content, self._ready()

        async def work(tx: Transaction) -> int:
            head = await self._turn(tx)
            known = await records(
                tx, "MATCH (c:JournalCommit {id: $id}) RETURN c.revision, c.content", {"id": str(changes.id)}
            )
            if known:
                if known[0][1] != content:
                    raise reused(changes)
                return int(known[0][0])
            refuse(head, changes, expect)
            await _append(tx, "audit", leaves, changes.id.hex)
            if not changes.size and not (head.open_load and changes.last):
                return head.revision
            await apply(tx, changes, put)
            revision = head.revision + 1
            digest = chained(head.digest, revision, changes.id, content)
            entry = {
                "revision": revision, "id": str(changes.id), "load": changes.load, "part": changes.part,
                "last": changes.last, "by": changes.by, "at": time.time_ns() // 1000, "content": content,
                "digest": digest, "rows": changes.size, "version": migration.VERSION,
            }  # fmt: skip
            await _enter(tx, entry, payload)
            return revision

        with self._queue():
            return link.write(work)

    def restore(self, commit: Commit, leaves: Sequence[bytes] = ()) -> None:
        """Append a commit of another store as it was; see `Store.restore`."""
        changes, payload, link = commit.changes(None), commit.payload(), self._ready()
        put = {name: handed(name, rows) for name, rows in changes.put.items() if len(rows)}

        async def work(tx: Transaction) -> None:
            head = await self._turn(tx)
            if commit.revision <= head.revision:
                text = "MATCH (c:JournalCommit {revision: $revision}) RETURN c.digest"
                if await records(tx, text, {"revision": commit.revision}) != [(commit.digest,)]:
                    raise differs(commit.revision)
                return
            expected = chained(head.digest, commit.revision, commit.id, commit.content)
            if commit.revision != head.revision + 1 or commit.digest != expected:
                raise differs(commit.revision)
            await _append(tx, "audit", leaves, commit.id.hex)
            await apply(tx, changes, put, anew=False)
            entry = {
                "revision": commit.revision, "id": str(commit.id), "load": commit.load, "part": commit.part,
                "last": commit.last, "by": commit.by, "at": (commit.at - _EPOCH) // _MICRO,
                "content": commit.content, "digest": commit.digest, "rows": commit.rows, "version": commit.version,
            }  # fmt: skip
            await _enter(tx, entry, payload)
            await _note(tx, commit.redactions)

        with self._queue():
            link.write(work)

    def redactions(self) -> list[Redaction]:
        """All that was taken out of the journal, in the order in which it was."""
        found = self._ready().query(f"MATCH (r:JournalRedaction) {_REDACTION}")
        return [_redaction(*each) for each in found]

    def redact(self, changed: Sequence[tuple[Redaction, bytes]], leaves: Sequence[bytes]) -> None:
        """Put other payloads in the place of those that the redactions name; see `Store.redact`."""
        link, erasure = self._ready(), changed[0][0].erasure

        async def work(tx: Transaction) -> None:
            await self._turn(tx)
            if await records(
                tx, "MATCH (r:JournalRedaction {erasure: $erasure}) RETURN 1 LIMIT 1", {"erasure": erasure}
            ):
                return
            put = (
                "MATCH (p:JournalPayload {revision: $revision}) WHERE p.op = $op AND p.kind = $kind SET p.data = $data"
            )
            for each, data in changed:
                await run(tx, put, revision=each.revision, op=each.op, kind=each.kind, data=data)
            await _note(tx, [each for each, _ in changed if each.rows])
            await _append(tx, "audit", leaves, erasure)

        with self._queue():
            link.write(work)

    def scrub(self) -> None:
        """Nothing: files, freed records and transaction logs are the database's own, and no statement of the Community
        Edition overwrites them. docs/operate.md says what keeps them short, and how to be rid of them; see
        `Store.scrub`.
        """

    async def _turn(self, tx: Transaction) -> Head:
        """Wait for the turn to commit, which lasts until the transaction ends; the head as it is now."""
        await self._lease.turn(tx)
        ((version, revision, visible, digest, load, erased, fence),) = await records(
            tx, f"{LOCKED} RETURN {_HEAD}, h.fence", {}
        )
        self._check(version)
        self._lease.check(fence)
        return Head(revision, visible, digest or b"", load, erased)

    def head(self) -> Head:
        """How far the journal is."""
        ((version, revision, visible, digest, load, erased),) = self._ready().query(
            f"MATCH (h:JournalHead) RETURN {_HEAD}", LOOK
        )
        self._check(version)
        return Head(revision, visible, digest or b"", load, erased)

    @contextlib.contextmanager
    def read(self) -> Iterator[Neo4jSession]:
        """A session pinned to the newest revision."""
        yield Neo4jSession(self, self._ready(), self.head().revision)

    def journal(self, since: int = 0, until: int | None = None) -> Iterator[Commit]:
        """Commits after `since` (up to `until`, included), oldest first."""
        until = self.head().revision if until is None else until
        while True:
            found = self._ready().query(_ENTRIES, since=since, until=until, page=PAGE)
            for row in found:
                yield self._entry(*row)
            if len(found) < PAGE:
                return
            since = found[-1][0]

    def _entry(
        self, revision: int, number: str, load: str | None, part: int, last: bool, by: str, at: int, content: bytes,
        digest: bytes, rows: int, version: int, redacted: bool,
    ) -> Commit:  # fmt: skip
        when = _EPOCH + at * _MICRO

        def payload() -> list[Payload]:
            return [Payload(*each) for each in self.link.query(_PAYLOAD, revision=revision)]

        text = f"MATCH (r:JournalRedaction {{revision: $revision}}) {_REDACTION}"
        out = self.link.query(text, revision=revision) if redacted else []
        return Commit(
            revision, uuid.UUID(number), load, part, last, by, when, content, digest, rows, version, payload,
            tuple(_redaction(*each) for each in out),
        )  # fmt: skip

    def append(self, log: str, leaves: Sequence[bytes]) -> int:
        """Append leaves to a log; returns the log's new length."""
        mark = secrets.token_hex(16)
        return self._ready().write(lambda tx: _append(tx, log, leaves, mark))

    def leaves(self, log: str, since: int = 0) -> Iterator[bytes]:
        """The leaves of a log from number `since`."""
        while found := self._ready().query(_LEAVES, log=log, since=since, page=PAGE):
            yield from (leaf for (leaf,) in found)
            since += len(found)

    def blob(self, name: str) -> bytes | None:
        """A stored blob, None when there is none of that name."""
        found = self._ready().query(
            "MATCH (b:StoredBlob {name: $name}) OPTIONAL MATCH (p:StoredBlobPiece {name: $name}) "
            "WITH b, p ORDER BY p.number RETURN p.data", name=name,
        )  # fmt: skip
        return b"".join(data for (data,) in found if data is not None) if found else None

    def put_blob(self, name: str, data: bytes) -> None:
        """Store a blob under a name, in place of an older one."""
        pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]

        async def work(tx: Transaction) -> None:
            await run(tx, "MERGE (b:StoredBlob {name: $name}) SET b.size = $size", name=name, size=len(data))
            await run(tx, "MATCH (p:StoredBlobPiece {name: $name}) DELETE p", name=name)
            text = "CREATE (:StoredBlobPiece {name: $name, number: $number, data: $data})"
            for number, piece in enumerate(pieces):
                await run(tx, text, name=name, number=number, data=piece)

        self._ready().write(work)

    def secret(self, name: str, value: bytes | None = None) -> bytes:
        """32 random bytes made at first use and kept with the store; see `Store.secret`."""
        found = self._ready().query("MATCH (s:StoredSecret {name: $name}) RETURN s.data", name=name)
        if found:
            return bytes(found[0][0])
        text = "MERGE (s:StoredSecret {name: $name}) ON CREATE SET s.data = $data RETURN s.data"
        parameters = {"name": name, "data": value or secrets.token_bytes(32)}
        ((data,),) = self.link.write(lambda tx: records(tx, text, parameters))
        return bytes(data)

    def names(self, of: Named) -> list[str]:
        """The names of all logs, blobs or secrets, sorted."""
        label = {"log": "Log", "blob": "StoredBlob", "secret": "StoredSecret"}[of]
        return sorted(name for (name,) in self._ready().query(f"MATCH (n:{label}) RETURN n.name"))

    def close(self) -> None:
        """Close the connections."""
        self.link.close()


_EPOCH, _MICRO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(microseconds=1)
_ENTRIES = (
    "MATCH (c:JournalCommit) WHERE c.revision > $since AND c.revision <= $until "
    "RETURN c.revision, c.id, c.load, c.part, c.last, c.by, c.at, c.content, c.digest, c.rows, c.version, "
    "c.redacted IS NOT NULL ORDER BY c.revision LIMIT $page"
)
_PAYLOAD = "MATCH (p:JournalPayload {revision: $revision}) RETURN p.op, p.kind, p.data ORDER BY p.number"
_REDACTION = (
    "RETURN r.erasure, r.revision, r.op, r.kind, r.rows, r.before, r.after, r.as_of, r.at, r.reason ORDER BY r.number"
)
_LEAVES = "MATCH (l:LogLeaf {log: $log}) WHERE l.number >= $since RETURN l.leaf ORDER BY l.number LIMIT $page"


async def _append(tx: Transaction, log: str, leaves: Sequence[bytes], mark: str) -> int:
    """Append leaves unless that was done already, which the log's last marks tell; the log's length."""
    if not leaves:
        found = await records(tx, "MATCH (l:Log {name: $log}) RETURN l.length", {"log": log})
        return int(found[0][0]) if found else 0
    text = (
        "MERGE (l:Log {name: $log}) ON CREATE SET l.length = 0, l.marks = [] SET l.turn = $mark "
        "WITH l, l.length AS first, CASE WHEN $mark IN l.marks THEN [] ELSE $leaves END AS new "
        "FOREACH (n IN range(0, size(new) - 1) | CREATE (:LogLeaf {log: $log, number: first + n, leaf: new[n]})) "
        f"SET l.length = first + size(new), l.marks = (l.marks + $mark)[-{MARKS}..] RETURN l.length"
    )
    ((length,),) = await records(tx, text, {"log": log, "leaves": list(leaves), "mark": mark})
    return int(length)


async def _enter(tx: Transaction, entry: dict[str, Any], payload: Sequence[Payload]) -> None:
    """The entry of the journal, and the head moved to it."""
    await run(
        tx,
        "MATCH (h:JournalHead) SET h.revision = $entry.revision, h.digest = $entry.digest, "
        "h.visible = CASE WHEN $entry.last THEN $entry.revision ELSE h.visible END, "
        "h.openLoad = CASE WHEN $entry.last THEN null ELSE $entry.load END CREATE (c:JournalCommit) SET c = $entry",
        entry=entry,
    )
    text = "CREATE (:JournalPayload {revision: $revision, number: $number, op: $op, kind: $kind, data: $data})"
    for number, (op, name, data) in enumerate(payload):
        await run(tx, text, revision=entry["revision"], number=number, op=op, kind=name, data=data)


async def _note(tx: Transaction, redactions: Sequence[Redaction]) -> None:
    """Write down what was taken out of commits that are there."""
    if redactions:
        text = (
            "MATCH (h:JournalHead) WITH h, coalesce(h.erased, 0) AS first SET h.erased = first + size($rows) "
            "WITH first UNWIND range(0, size($rows) - 1) AS n CREATE (r:JournalRedaction) "
            "SET r = $rows[n], r.number = first + n + 1 WITH r MATCH (c:JournalCommit {revision: r.revision}) "
            "SET c.redacted = true"
        )
        await run(tx, text, rows=[{**asdict(each), "at": (each.at - _EPOCH) // _MICRO} for each in redactions])


def _redaction(*columns: Any) -> Redaction:
    found = Redaction(*columns)
    return replace(found, at=_EPOCH + columns[8] * _MICRO)
