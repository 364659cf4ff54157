"""A proxy before the run's Neo4j server, and the store reached through it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from chaingraph.store import neo4j, neo4j_link
from chaingraph.store.neo4j import Neo4jStore
from tests.faults.proxy import Proxy
from tests.neo4j.server import Server

LOOK = 1.0


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something holds; fails after so many seconds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.01)


def transactions(server: Server) -> int:
    """How many transactions the server has open, but for the one that asks."""
    records, _, _ = server.driver.execute_query("SHOW TRANSACTIONS YIELD currentQuery RETURN count(*) - 1 AS others")
    return int(records[0]["others"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests wait less than people for a look at the head and a sign of life."""
    monkeypatch.setattr(neo4j, "LOOK", LOOK)
    monkeypatch.setattr(neo4j_link, "HEARTBEAT", 0.5)


@pytest.fixture
def proxy(neo4j_server: Server) -> Iterator[Proxy]:
    """The way to the server. At the end, when what a test opened is closed, nothing of it may be left."""
    threads = set(threading.enumerate())
    with Proxy(neo4j_server.port) as made:
        yield made
        assert not made.broken
        made.heal()
        eventually(lambda: made.connections == 0)
    eventually(lambda: not set(threading.enumerate()) - threads)
    eventually(lambda: transactions(neo4j_server) == 0)


@pytest.fixture
def store(proxy: Proxy) -> Iterator[Neo4jStore]:
    """A new store behind the proxy."""
    with closing(Neo4jStore(proxy.url)) as made:
        made.prepare()
        yield made
