"""Who may write to a Neo4j database: a lock that dies with its holder, and a number that shows when it was lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from chaingraph.errors import Busy, ChaingraphError, Conflict
from chaingraph.store.neo4j_link import Link, left, records
from schema.text import Text

PATIENCE = 0.2
"""Seconds after which a lock that is not given counts as held by somebody else."""
PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between tries to take the lock over a network that fails: a connection that idled may have been cut."""

_LOCK = "MATCH (l:WriteLock) SET l.holder = $holder RETURN l.holder"
_FENCE = "MATCH (h:JournalHead) SET h.fence = h.fence + 1 RETURN h.fence"


@dataclass
class _Held:
    depth: int
    fence: int


_held: dict[Path, _Held] = {}
"""Leases of this process by the folder of their queue, which only one thread at a time has passed."""


class Lease:
    """The lock of a database, held through many commits by a transaction that stays open.

    The transaction holds the node WriteLock. When its process dies, the server sees the connection go, rolls back,
    and the lock is free. Should the server end it instead (a restart), the fence tells: whoever gets the lock next
    raises the head's number, and commits under the old one are refused. A single commit takes the
    node in its own transaction.

    Re-entrant for all stores of a process with one address, as the queue before it is.
    """

    def __init__(self, folder: Path, link: Link) -> None:
        self._folder = folder
        self._link = link

    @contextlib.contextmanager
    def held(self, timeout: float, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the lock; the queue of this machine must have been passed. Raises Busy after `timeout` seconds."""
        mine = _held.get(self._folder)
        if mine is not None:
            mine.depth += 1
            try:
                yield
            finally:
                mine.depth -= 1
            return
        session, transaction, fence = self._taken(timeout, waiting)
        _held[self._folder] = _Held(1, fence)
        try:
            yield
        finally:
            del _held[self._folder]
            with contextlib.suppress(ChaingraphError):  # with the connection gone, so is the lock
                self._link.run(_released(session, transaction), 5.0)

    def _taken(
        self, timeout: float, waiting: Callable[[], None]
    ) -> tuple[neo4j.AsyncSession, neo4j.AsyncTransaction, int]:
        started = time.monotonic()

        def patient() -> None:
            if time.monotonic() - started > PATIENCE:
                waiting()
            if time.monotonic() - started > timeout:
                raise Busy(
                    "store.busy",
                    Text("存储正被其他进程写入。", "Somebody else is writing to the store."),
                    Text("请稍后重试。", "Try again later."),
                )

        return self._link.run(self._take(), timeout + 5.0, patient)

    async def _take(self) -> tuple[neo4j.AsyncSession, neo4j.AsyncTransaction, int]:
        for pause in PAUSES:
            try:
                return await self._tried()
            except (DriverError, Neo4jError) as error:
                if not error.is_retryable():
                    raise
            await asyncio.sleep(pause)
        return await self._tried()

    async def _tried(self) -> tuple[neo4j.AsyncSession, neo4j.AsyncTransaction, int]:
        session = self._link.session(neo4j.WRITE_ACCESS)
        try:
            transaction = await session.begin_transaction(timeout=0)
            await records(transaction, _LOCK, {"holder": _name()})
            ((fence,),) = await self._link.done(neo4j.WRITE_ACCESS, lambda tx: records(tx, _FENCE, {}))
        except BaseException:
            await left(session)
            raise
        return session, transaction, int(fence)

    async def turn(self, tx: neo4j.AsyncManagedTransaction) -> None:
        """In a commit's transaction: have the lock until it ends, unless this process holds it already."""
        if self._folder not in _held:
            await records(tx, _LOCK, {"holder": _name()})

    def check(self, fence: int) -> None:
        """Raises Conflict when the lock has been lost and somebody else has had it since."""
        mine = _held.get(self._folder)
        if mine is not None and mine.fence != fence:
            raise Conflict(
                "lock.lost",
                Text("写入锁已丢失，其他进程已写入。", "The write lock was lost, and somebody else has written since."),
                Text("请重新执行。", "Run it again."),
            )


async def _released(session: neo4j.AsyncSession, transaction: neo4j.AsyncTransaction) -> None:
    try:
        await transaction.rollback()
    finally:
        await left(session)


def _name() -> str:
    """Who holds the lock, for a person who wonders."""
    return f"{socket.gethostname()} {os.getpid()}"
