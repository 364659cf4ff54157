"""The application when Neo4j cannot be reached: it stays up, says so at once, and is well when the server is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from chaingraph import Unavailable, Workspace
from chaingraph.changes import ChangeSet
from chaingraph.store import open_store
from chaingraph.store.verify import verify
from server.api.app import Settings, create_app
from server.api.http import PREFLIGHT
from tests.conformance.stores import keys, parts
from tests.faults.conftest import eventually, transactions
from tests.faults.proxy import Proxy
from tests.neo4j.server import Server, free_port
from tests.server import world
from tests.server.client import Client, acting

ROOT = Path(__file__).parents[2]
PARTS = 20
SECONDS = 2.0
"""In which every read is answered, and by which it is a refusal when the server has gone."""
QUERY = "{ parts(first: 1) { totalCount } }"
UPLOAD = "mutation($i: UploadLoadInput!) { uploadLoad(input: $i) { report { taken } } }"


def timely(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """An answer that came in time."""
    started = time.monotonic()
    answer = ask()
    assert time.monotonic() - started < SECONDS
    return answer


def refused(answer: httpx.Response) -> bool:
    """Whether it is a 503, as it should be."""
    assert answer.status_code in {200, 503}, answer.text
    assert (answer.status_code == 503) == ("retry-after" in answer.headers)
    return answer.status_code == 503


def upload(number: str) -> dict[str, Any]:
    """A request that loads one part."""
    return {
        "files": {
            "operations": (None, json.dumps({"query": UPLOAD, "variables": {"i": {"file": None}}})),
            "map": (None, '{"f": ["variables.i.file"]}'),
            "f": ("parts.csv", f"number,issuer,name_en\n{number},L01,New\n".encode(), "text/csv"),
        },
        "headers": {PREFLIGHT: "1"},
    }


@pytest.fixture
def app(proxy: Proxy) -> Iterator[Starlette]:
    """The application behind the proxy, with a few parts."""
    with Workspace.open(proxy.url) as workspace:
        workspace.submit(ChangeSet(world.rows(parts=PARTS)))
        workspace.start_following()
        assert workspace.wait(20)
        yield create_app(workspace, Settings(authenticate=acting("L01")))


def reads(app: Starlette) -> dict[str, Callable[[], httpx.Response]]:
    client = Client(app)
    return {
        "GraphQL": lambda: client.post("/graphql", json={"query": QUERY}),
        "table": lambda: client.get("/tables/parts.csv"),
        "ready": lambda: client.get("/health/ready"),
    }


def count(app: Starlette) -> int:
    answer = timely(reads(app)["GraphQL"])
    return int(answer.json()["data"]["parts"]["totalCount"])


@pytest.mark.parametrize("fault", [Proxy.black_hole, Proxy.refuse])
def test_reads_are_refused_in_time_and_answered_again(
    app: Starlette, proxy: Proxy, neo4j_server: Server, fault: Callable[[Proxy], None]
) -> None:
    threads, before = threading.active_count(), {name: ask().content for name, ask in reads(app).items()}
    fault(proxy)
    eventually(lambda: refused(timely(reads(app)["GraphQL"])), SECONDS)
    assert all(refused(timely(ask)) for ask in reads(app).values())
    assert timely(lambda: Client(app).get("/health")).status_code == 200
    proxy.heal()
    eventually(lambda: not refused(timely(reads(app)["ready"])))
    assert {name: timely(ask).content for name, ask in reads(app).items()} == before
    assert Client(app).post("/graphql", **upload("NEW")).json()["data"]["uploadLoad"]["report"] == {"taken": True}
    assert count(app) == PARTS + 1
    eventually(lambda: threading.active_count() <= threads and proxy.connections <= 3)
    eventually(lambda: transactions(neo4j_server) == 0)


def test_readers_do_not_notice_a_cut_or_a_slow_network(app: Starlette, proxy: Proxy, neo4j_server: Server) -> None:
    proxy.cut()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        assert count(app) == PARTS
    proxy.late(0.05)
    with Workspace.open(neo4j_server.url) as other:
        other.submit(ChangeSet(world.rows(parts=PARTS + 1)))
    eventually(lambda: count(app) == PARTS + 1)


def test_a_killed_server_has_what_it_acknowledged_and_what_was_under_way_is_done_once(
    app: Starlette, neo4j_server: Server
) -> None:
    """Somebody commits all the time, and sends again what was not acknowledged."""
    store, stop = open_store(neo4j_server.url), threading.Event()
    sent: list[ChangeSet] = []

    def write() -> None:
        while not stop.is_set():
            changes = parts(f"W{len(sent)}")
            sent.append(changes)
            while True:
                with suppress(Unavailable):
                    store.commit(changes)
                    break

    writer = threading.Thread(target=write)
    writer.start()
    try:
        eventually(lambda: len(sent) > 3)
        neo4j_server.stop(kill=True)
        eventually(lambda: refused(timely(reads(app)["GraphQL"])), SECONDS)
        assert timely(lambda: Client(app).get("/health")).status_code == 200
        neo4j_server.start()
        eventually(lambda: not refused(timely(reads(app)["ready"])))
        after = len(sent)
        eventually(lambda: len(sent) > after, 20)
    finally:
        neo4j_server.start()
        stop.set()
        writer.join()
    eventually(lambda: count(app) == PARTS + len(sent))
    assert [commit.id for commit in store.journal(1)] == [changes.id for changes in sent]
    assert verify(store) is None
    store.close()


def test_the_application_comes_up_without_the_server_and_is_ready_when_it_comes(
    proxy: Proxy, neo4j_server: Server, tmp_path: Path
) -> None:
    """As it is deployed: a process of its own."""
    base = f"http://127.0.0.1:{free_port()}"
    neo4j_server.stop()
    command = [sys.executable, "-m", "server", "serve", "--open", "--store", proxy.url]
    command += ["--port", base.rpartition(":")[2]]
    with (tmp_path / "output").open("wb") as output, httpx.Client(base_url=base, timeout=30) as client:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        try:

            def live() -> bool:
                assert process.poll() is None, (tmp_path / "output").read_text()
                try:
                    return client.get("/health").status_code == 200
                except httpx.TransportError:
                    return False

            def ready() -> bool:
                return not refused(timely(lambda: client.get("/health/ready")))

            eventually(live, 60)
            assert not ready()
            assert refused(timely(lambda: client.post("/graphql", json={"query": QUERY})))
            neo4j_server.start()
            eventually(ready)
            assert client.post("/graphql", **upload("NEW")).json()["data"]["uploadLoad"]["report"] == {"taken": True}
            answer = timely(lambda: client.post("/graphql", json={"query": QUERY}))
            assert answer.json()["data"]["parts"]["totalCount"] == 1
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) in {0, -signal.SIGTERM}, (tmp_path / "output").read_text()
    store = open_store(neo4j_server.url)
    assert [key.rpartition("/")[2] for key in keys(store, "part")] == ["NEW"]
    store.close()
