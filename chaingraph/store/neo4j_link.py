"""The link to a Neo4j server: the driver in a thread of its own, so that every call has a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import neo4j
from neo4j.exceptions import IncompleteCommit

from chaingraph.errors import StoreError
from chaingraph.settings import Settings
from chaingraph.store.neo4j_errors import told
from schema.text import Text

logging.getLogger("neo4j").addHandler(logging.NullHandler())
"""Of every try that fails the driver would write to standard error, where nobody has set up logging."""

T = TypeVar("T")
Work = Callable[[neo4j.AsyncManagedTransaction], Awaitable[T]]

LOOK = 3.0
"""Seconds for a look at the head."""
READ = 300.0
"""Seconds for reading a batch of rows or a piece of the journal."""
WRITE = 600.0
"""Seconds for a commit of 50,000 rows, waiting for another's load and trying again included."""
WATCH, HEARTBEAT = 0.1, 4.0
"""Seconds between looks at long work, and between questions whether the server is still there; one that is busy may
take twice as long to answer."""
RETRY = 10.0
"""Seconds for which the driver tries again what failed for a passing reason."""
AGAIN = 0.1
"""Seconds until it tries for the first time (the driver's second would be as long as a reader may wait), and until a
transaction is run again of which nobody knows whether it was committed."""
SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is: `neo4j://host:port/database`; the server's default database where none is named."""

    url: str
    server: str
    database: str | None

    @classmethod
    def of(cls, url: str) -> Address:
        """Raises StoreError (`store.address`) for what cannot be one, and for passwords, which do not belong there."""
        parts = urlsplit(url)
        if parts.username or parts.password:
            raise StoreError(
                "store.credentials",
                Text("存储地址中不得含有用户名或密码。", "A store's address must not hold a user or a password."),
                Text(
                    "请用环境变量 CHAINGRAPH_NEO4J_USER、CHAINGRAPH_NEO4J_PASSWORD，或 .env、密钥文件。",
                    "Use the variables CHAINGRAPH_NEO4J_USER and CHAINGRAPH_NEO4J_PASSWORD, a file .env, or a secret.",
                ),
            )
        database = unquote(parts.path.strip("/"))
        if parts.scheme not in SCHEMES or not parts.hostname or "/" in database:
            raise StoreError(
                "store.address",
                Text(f"无法识别的存储地址：{url}", f"No store has the address {url}."),
                Text("请使用 neo4j://主机:端口/数据库。", "Use neo4j://host:port/database."),
            )
        query = f"?{parts.query}" if parts.query else ""
        return cls(url, f"{parts.scheme}://{parts.netloc}{query}", database or None)


@dataclass
class Link:
    """Runs work against the database from any thread; nothing goes to the network before the first call."""

    address: Address
    settings: Settings
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _driver: neo4j.AsyncDriver | None = None
    _bookmarks: neo4j.AsyncBookmarkManager = field(default_factory=neo4j.AsyncGraphDatabase.bookmark_manager)
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def run(self, work: Coroutine[Any, Any, T], seconds: float, patient: Callable[[], None] | None = None) -> T:
        """What the coroutine gives, from any thread; Unavailable when it takes longer than `seconds`.

        With `patient` it may take long: that is called now and then and may raise, and the server is asked whether it
        is still there.
        """

        async def bounded() -> T:
            async with asyncio.timeout(seconds):
                return await work

        with told(self.address.url):
            try:
                loop = self._started()
            except BaseException:
                work.close()
                raise
            future = asyncio.run_coroutine_threadsafe(bounded(), loop)
            try:
                if patient is None:
                    return future.result()
                return self._watched(future, loop, patient)
            except CancelledError:  # somebody closed the store meanwhile
                raise _closed() from None
            except BaseException:
                future.cancel()
                raise

    def _watched(self, future: Future[T], loop: asyncio.AbstractEventLoop, patient: Callable[[], None]) -> T:
        looked = time.monotonic()
        while True:
            done, _ = wait([future], timeout=WATCH)
            if done:
                return future.result()
            patient()
            if time.monotonic() - looked > HEARTBEAT:
                asyncio.run_coroutine_threadsafe(_within(self._alive(), 2 * HEARTBEAT), loop).result()
                looked = time.monotonic()

    async def _alive(self) -> None:
        async with self._opened(neo4j.READ_ACCESS) as session:
            await (await session.run("RETURN 1")).consume()

    def read(self, work: Work[T], seconds: float = READ) -> T:
        """What `work` reads in a transaction of its own; it may be run again."""
        return self.run(self.done(neo4j.READ_ACCESS, work), seconds, None if seconds <= LOOK else _patient)

    def write(self, work: Work[T], seconds: float = WRITE) -> T:
        """What `work` does in one transaction. It may be run again even after it was committed: it must notice."""
        return self.run(self.done(neo4j.WRITE_ACCESS, work), seconds, _patient)

    async def done(self, access: str, work: Work[T]) -> T:
        """What `work` gives, as often as it takes. To be used in the link's own thread."""
        while True:
            try:
                async with self._opened(access) as session:
                    run = session.execute_read if access == neo4j.READ_ACCESS else session.execute_write
                    return await run(work)
            except IncompleteCommit:  # nobody knows whether it was done, and the driver leaves it at that
                await asyncio.sleep(AGAIN)

    def query(self, text: str, seconds: float = READ, **parameters: Any) -> list[tuple[Any, ...]]:
        """The records of one reading statement."""
        return self.read(lambda tx: records(tx, text, parameters), seconds)

    def session(self, access: str) -> neo4j.AsyncSession:
        """A session that sees what this process has written. To be used in the link's own thread."""
        assert self._driver is not None
        return self._driver.session(
            database=self.address.database, default_access_mode=access, bookmark_manager=self._bookmarks
        )

    @contextlib.asynccontextmanager
    async def _opened(self, access: str) -> AsyncIterator[neo4j.AsyncSession]:
        session = self.session(access)
        try:
            async with session:
                yield session
        finally:
            await left(session)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._closed:
                raise _closed()
            if self._loop is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=loop.run_forever, name="neo4j-link", daemon=True)
                thread.start()
                try:
                    self._driver = asyncio.run_coroutine_threadsafe(self._connect(), loop).result()
                except BaseException:
                    _ended(loop, thread)
                    raise
                self._loop, self._thread = loop, thread
            return self._loop

    async def _connect(self) -> neo4j.AsyncDriver:
        chosen = self.settings
        auth: neo4j.Auth | None = None
        if chosen.neo4j_token is not None:
            auth = neo4j.bearer_auth(chosen.neo4j_token.get_secret_value())
        elif chosen.neo4j_password is not None:
            auth = neo4j.basic_auth(chosen.neo4j_user, chosen.neo4j_password.get_secret_value())
        return neo4j.AsyncGraphDatabase.driver(
            self.address.server,
            auth=auth,
            user_agent="chaingraph",
            connection_timeout=5.0,
            connection_acquisition_timeout=10.0,
            max_transaction_retry_time=RETRY,
            initial_retry_delay=AGAIN,
            liveness_check_timeout=30.0,
            keep_alive=True,
            notifications_min_severity="OFF",
            telemetry_disabled=True,
        )

    def close(self) -> None:
        """Close the connections and end the thread."""
        with self._starting:
            self._closed = True
            loop, thread, driver = self._loop, self._thread, self._driver
            self._loop = self._thread = self._driver = None
        if loop is None or thread is None:
            return
        if driver is not None:
            with contextlib.suppress(Exception):  # a server that does not answer is left all the same
                asyncio.run_coroutine_threadsafe(_within(driver.close(), LOOK), loop).result()
        _ended(loop, thread)


def _ended(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(_finish())
    loop.close()


def _closed() -> StoreError:
    return StoreError("store.closed", Text("存储已关闭。", "The store has been closed."))


def _patient() -> None:
    """Work may take long as long as the server is there."""


async def _within(work: Awaitable[None], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await work


async def left(session: neo4j.AsyncSession) -> None:
    """Close a session, and one that does not say goodbye, too: a close that is given up would leave it open."""
    try:
        await session.close()
    except BaseException:
        session.cancel()
        await session.close()
        raise


async def _finish() -> None:
    """Cancel what still runs, and wait for it."""
    await asyncio.sleep(0)  # what was asked for a moment ago begins
    while others := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()


async def records(
    tx: neo4j.AsyncManagedTransaction | neo4j.AsyncTransaction, text: str, parameters: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """The records of a statement, as tuples."""
    result = await tx.run(text, dict(parameters))
    return [tuple(record.values()) async for record in result]
