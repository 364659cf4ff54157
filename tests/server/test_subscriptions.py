"""`graphChanged` over a real WebSocket: what a viewer is told, what it is not, and when it ends."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import uvicorn
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from chaingraph import Actor, Workspace
from chaingraph.changes import ChangeSet
from schema.vocabularies import AccessRole, Purpose
from server.api import sockets, subscriptions
from server.api.app import Settings, create_app
from server.api.errors import ApiError, Code
from server.api.subscriptions import compare
from server.auth.authenticator import Authenticator
from server.auth.tokens import Tokens
from tests.chaingraph.world import change, rows
from tests.server.client import Client, acting, sealed
from tests.server.test_app import Server

PROTOCOL = Subprotocol("graphql-transport-ws")
CHANGED = "subscription { graphChanged { kinds { kind new changed gone newIds changedIds goneIds } } }"
PARTS = "subscription { graphChanged(kinds: [PART]) { kinds { kind new changed gone newIds } } }"
SILENCE = 0.8
"""So long nothing is said where nothing is to be said."""


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as made:
        firms = rows("organisation", *({"id": f, "owner": f} for f in ("L01", "S01")))
        made.submit(change(organisation=firms, part=parts("A1", "A2")))
        yield made


def parts(*numbers: str, owner: str = "S01", **more: Any) -> pl.DataFrame:
    return rows("part", *({"number": n, "issuer": owner, "owner": owner, **more} for n in numbers))


def run(space: Workspace, settings: Settings, test: Callable[[str], Awaitable[None]]) -> None:
    """A test against a real server on the loopback."""

    async def serve() -> None:
        async with server(space, settings) as url:
            await test(url)

    asyncio.run(serve())


@asynccontextmanager
async def server(space: Workspace, settings: Settings, listening: socket.socket | None = None) -> AsyncIterator[str]:
    made = Server(
        uvicorn.Config(create_app(space, settings), host="127.0.0.1", port=0, log_level="error", lifespan="off")
    )
    task = asyncio.create_task(made.serve(sockets=[listening] if listening else None))
    await made.up.wait()
    try:
        yield f"ws://127.0.0.1:{made.servers[0].sockets[0].getsockname()[1]}/graphql"
    finally:
        made.should_exit = True
        await task


@asynccontextmanager
async def opened(url: str, payload: Any = None, **options: Any) -> AsyncIterator[ClientConnection]:
    """A connection that is acknowledged."""
    async with connect(url, subprotocols=[PROTOCOL], proxy=None, **options) as socket:
        await send(socket, type="connection_init", **({} if payload is None else {"payload": payload}))
        assert await take(socket) == {"type": "connection_ack"}
        yield socket


async def send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def take(socket: ClientConnection, within: float = 5.0) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), within))


async def listen(socket: ClientConnection, query: str = CHANGED, number: str = "1") -> None:
    """Subscribe, and wait until that is done: the protocol does not say, but messages are taken in turn."""
    await send(socket, type="subscribe", id=number, payload={"query": query})
    await asyncio.sleep(0.3)


async def told(socket: ClientConnection) -> list[Any]:
    message = await take(socket)
    assert message["type"] == "next", message
    return list(message["payload"]["data"]["graphChanged"]["kinds"])


async def silent(socket: ClientConnection) -> None:
    with pytest.raises(TimeoutError):
        await take(socket, SILENCE)


def do(space: Workspace, **tables: pl.DataFrame) -> Awaitable[int]:
    return asyncio.to_thread(space.submit, change(**tables))


async def closed(socket: ClientConnection, within: float = 5.0) -> tuple[int | None, str]:
    try:
        while True:
            await asyncio.wait_for(socket.recv(), within)
    except ConnectionClosed:
        pass
    return socket.close_code, socket.close_reason or ""


def test_a_viewer_is_told_what_changes_in_what_it_sees(space: Workspace) -> None:
    seal = sealed(space, "S01")

    async def test(url: str) -> None:
        async with opened(url) as socket:
            await listen(socket)
            await do(space, part=parts("A1", name_en="Shaft"))
            await told_part(socket, changed=["A1"])
            await do(space, part=parts("A3"))
            await told_part(socket, new=["A3"])
            await asyncio.to_thread(space.submit, ChangeSet(delete={"part": pl.Series(["S01/A2"])}))
            await told_part(socket, gone=["A2"])
            await send(socket, type="ping")
            assert await take(socket) == {"type": "pong"}
            await send(socket, type="complete", id="1")
            await do(space, part=parts("A4"))
            await silent(socket)

    async def told_part(socket: ClientConnection, **wanted: list[str]) -> None:
        (found,) = await told(socket)
        ids = {
            word: [seal.id_of("part", f"S01/{n}") for n in wanted.get(word, [])] for word in ("new", "changed", "gone")
        }
        assert found == {
            "kind": "PART",
            **{word: len(each) for word, each in ids.items()},
            **{f"{word}Ids": each for word, each in ids.items()},
        }

    run(space, Settings(authenticate=acting("S01")), test)


def test_nothing_is_said_of_what_is_hidden_or_was_not_asked(space: Workspace) -> None:
    async def test(url: str) -> None:
        async with opened(url) as other, opened(url) as socket:
            await listen(other)
            await listen(socket, PARTS)
            await do(
                space,
                part=parts("A1", name_en="Shaft"),
                site=rows("site", {"id": "X", "organisation": "S01", "owner": "S01"}),
            )
            await asyncio.gather(silent(socket), silent(other))
            await do(
                space, part=parts("B1", owner="L01"), organisation=rows("organisation", {"id": "Z1", "owner": "L01"})
            )
            assert [each["kind"] for each in await told(socket)] == ["PART"]
            assert {each["kind"] for each in await told(other)} >= {"PART", "ORGANISATION"}

    run(space, Settings(authenticate=acting("L01")), test)


def agreement(state: str, seconds: float = 1e5) -> pl.DataFrame:
    now = dt.datetime.now(dt.UTC)
    terms = {
        "id": "AG-1", "version": 1, "owner": "S01", "grantee": "L01", "records": "all", "aspects": "structure",
        "purposes": "quality", "start": now - dt.timedelta(days=1), "end": now + dt.timedelta(seconds=seconds),
        "state": state, "onward": False, "at_end": "keep", "mode": "show",
    }  # fmt: skip
    return rows("agreement", terms)


def test_when_an_agreement_ends_its_rows_are_gone_and_nothing_more_is_said_of_them(space: Workspace) -> None:
    space.submit(change(agreement=agreement("accepted")))

    async def test(url: str) -> None:
        async with opened(url) as socket:
            await listen(socket, PARTS)
            await do(space, part=parts("A3"))
            (found,) = await told(socket)
            assert (found["new"], found["newIds"]) == (1, [sealed(space, "L01").id_of("part", "S01/A3")])
            start = time.monotonic()
            await do(space, agreement=agreement("revoked"))
            (found,) = await told(socket)
            assert (found["new"], found["gone"]) == (0, 3)
            assert time.monotonic() - start < 1.0
            await do(space, part=parts("A4"))
            await silent(socket)

    run(space, Settings(authenticate=acting("L01")), test)
    (entry,) = [json.loads(leaf) for leaf in space.store.leaves("audit") if b'"read"' in leaf]
    assert (entry["organisation"], entry["owners"], entry["kinds"]) == ("L01", ["S01"], ["part"])
    assert entry["agreements"] == ["AG-1/1"]


def test_when_an_agreements_time_is_over_its_rows_are_gone_without_anybodys_doing(space: Workspace) -> None:
    async def test(url: str) -> None:
        async with opened(url) as socket:
            await listen(socket, PARTS)
            start = time.monotonic()
            await do(space, agreement=agreement("accepted", 1.5))
            assert (await told(socket))[0]["new"] == 2
            (found,) = await told(socket)
            assert (found["new"], found["gone"]) == (0, 2)
            assert 1.5 < time.monotonic() - start < 2.5
            await do(space, part=parts("A4"))
            await silent(socket)

    run(space, Settings(authenticate=acting("L01")), test)


def test_browsers_say_who_they_are_in_the_first_message_and_a_revoked_token_ends_it(space: Workspace) -> None:
    tokens = Tokens(space)
    made, text = tokens.issue(Actor("S01"), "S01", AccessRole.SUPPLIER)

    async def test(url: str) -> None:
        payload = {"Authorization": f"Bearer {text}", "X-Purpose": "recall"}
        headers = {"authorization": f"Bearer {text}"}
        async with opened(url, payload) as socket, opened(url, additional_headers=headers) as other:
            for each in (socket, other):
                await listen(each, PARTS)
            await do(space, part=parts("A3"))
            for each in (socket, other):
                assert (await told(each))[0]["new"] == 1
            start = time.monotonic()
            await asyncio.to_thread(tokens.revoke, Actor("S01"), made.name)
            assert [await closed(each) for each in (socket, other)] == [(4403, "Forbidden")] * 2
            assert time.monotonic() - start < 1.0
        wrong: list[Any] = [
            {"authorization": f"Bearer {text}"},
            {"authorization": "Bearer no"},
            None,
            {"x-purpose": "x"},
        ]
        for bad in wrong:
            async with connect(url, subprotocols=[PROTOCOL], proxy=None) as socket:
                await send(socket, type="connection_init", payload=bad)
                assert (await closed(socket))[0] == 4403

    run(space, Settings(authenticate=Authenticator(space)), test)


@pytest.mark.parametrize(
    "after",
    [
        Actor("L02"),
        Actor("L01", AccessRole.AUDITOR),
        Actor("L01", purpose=Purpose.RECALL),
        Actor("L01", expires=1.0),
        None,
    ],
)
def test_it_ends_when_who_it_is_changes_or_the_token_is_over(space: Workspace, after: Actor | None) -> None:
    found: list[Actor | None] = [Actor("L01")]

    async def authenticate(_connection: HTTPConnection) -> Actor:
        if found[0] is None:
            raise ApiError(Code.UNAUTHENTICATED, "no")
        return found[0]

    async def test(url: str) -> None:
        async with opened(url) as socket:
            await listen(socket)
            start = time.monotonic()
            found[0] = after
            assert await closed(socket) == (4403, "Forbidden")
            assert time.monotonic() - start < 1.0

    run(space, Settings(authenticate=authenticate), test)


def test_where_nobody_can_say_who_it_is_it_ends_for_now(space: Workspace) -> None:
    reachable = [True]

    async def authenticate(_connection: HTTPConnection) -> Actor:
        if not reachable[0]:
            raise ApiError(Code.UNAVAILABLE, "no answer")
        return Actor("L01")

    async def test(url: str) -> None:
        async with opened(url) as socket:
            await listen(socket)
            reachable[0] = False
            assert await closed(socket) == (1013, "Try again later")

    run(space, Settings(authenticate=authenticate), test)


def test_who_takes_no_messages_is_dropped(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "SLOW", 0.3)

    here: list[sockets.Sockets] = []
    real = sockets.Sockets.serve

    async def serve(self: sockets.Sockets, connection: WebSocket) -> None:
        here.append(self)
        await real(self, connection)

    monkeypatch.setattr(sockets.Sockets, "serve", serve)

    async def test() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        async with server(space, Settings(authenticate=acting("L01")), listening) as url:
            mine = socket.create_connection(listening.getsockname())
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf = await connect(
                url, sock=mine, subprotocols=[PROTOCOL], proxy=None, max_queue=1, compression=None, ping_interval=None
            )
            await send(deaf, type="connection_init")
            await listen(deaf)
            assert (here[0].connections, here[0].subscriptions) == (1, {"L01": 1})

            async def ask() -> None:
                while True:
                    await send(deaf, type="ping")

            asking = asyncio.create_task(ask())
            try:
                async with asyncio.timeout(20):
                    while here[0].connections:  # noqa: ASYNC110 - it is the server that ends it
                        await asyncio.sleep(0.1)
                assert not here[0].subscriptions
            finally:
                asking.cancel()
                deaf.transport.abort()

    asyncio.run(test())


def test_the_protocol_is_kept(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "INIT", 0.3)

    async def test(url: str) -> None:
        async with connect(url, proxy=None) as socket:
            assert (await closed(socket))[0] == 4406
        async with connect(url, subprotocols=[PROTOCOL], proxy=None) as socket:
            assert await closed(socket) == (4408, "Connection initialisation timeout")
        wrong: list[tuple[list[Any], int]] = [
            ([{"type": "subscribe", "id": "1", "payload": {"query": PARTS}}], 4401),
            ([{"type": "connection_init"}, {"type": "connection_init"}], 4429),
            ([{"type": "connection_init"}, {"type": "nothing"}], 4400),
            ([{"type": "connection_init", "payload": 7}], 4400),
            ([{"type": "connection_init"}, {"type": "subscribe", "id": 7, "payload": {"query": PARTS}}], 4400),
            (["{"], 4400),
            (["[" * 100_000], 4400),
            ([b"{}"], 4400),
            ([{"type": "connection_init"}, *[{"type": "subscribe", "id": "1", "payload": {"query": PARTS}}] * 2], 4409),
        ]
        for messages, code in wrong:
            async with connect(url, subprotocols=[PROTOCOL], proxy=None) as socket:
                for message in messages:
                    await socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
                assert (await closed(socket))[0] == code

    run(space, Settings(authenticate=acting("L01")), test)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ parts { totalCount } }", "BAD_REQUEST"),
        ("subscription { graphChanged { none } }", "INVALID"),
        ("subscription {", "SYNTAX"),
        ("subscription($k: [Kind!]!) { graphChanged(kinds: $k) { kinds { new } } }", "INVALID"),
    ],
)
def test_what_is_no_subscription_is_refused_alone(space: Workspace, query: str, code: str) -> None:
    async def test(url: str) -> None:
        async with opened(url) as socket:
            await send(socket, type="subscribe", id="x", payload={"query": query})
            message = await take(socket)
            assert (message["id"], message["type"]) == ("x", "error")
            assert message["payload"][0]["extensions"]["code"] == code
            await listen(socket, PARTS, "x")
            await do(space, part=parts("B1", owner="L01"))
            assert (await told(socket))[0]["new"] == 1

    run(space, Settings(authenticate=acting("L01")), test)


def test_it_has_bounds(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "MOST_OF_CONNECTION", 2)
    monkeypatch.setattr(sockets, "MOST_OF_MEMBER", 3)
    monkeypatch.setattr(sockets, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(subscriptions, "MOST_IDS", 2)

    async def refused(socket: ClientConnection, number: str) -> None:
        await send(socket, type="subscribe", id=number, payload={"query": PARTS})
        message = await take(socket)
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "TOO_MANY"

    async def test(url: str) -> None:
        async with opened(url) as first, opened(url) as second:
            await listen(first, PARTS, "a")
            await listen(first, PARTS, "b")
            await refused(first, "c")
            await listen(second, PARTS, "a")
            await refused(second, "b")
            await send(first, type="complete", id="a")
            await listen(second, PARTS, "b")
            async with opened(url):
                with pytest.raises(InvalidStatus):
                    await connect(url, subprotocols=[PROTOCOL], proxy=None)
            await do(space, part=parts("B1", "B2", "B3", owner="L01"))
            (found,) = await told(second)
            assert (found["new"], len(found["newIds"])) == (3, 2)

    run(space, Settings(authenticate=acting("L01")), test)


def test_no_other_sites_page_and_no_auditor_is_told_and_http_is_no_way(space: Workspace) -> None:
    async def test(url: str) -> None:
        for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
            with pytest.raises(InvalidStatus):
                await connect(url, subprotocols=[PROTOCOL], proxy=None, additional_headers=headers)
        own = url.replace("ws:", "http:").removesuffix("/graphql")
        async with opened(url, additional_headers={"origin": own}) as socket:
            await send(socket, type="subscribe", id="1", payload={"query": PARTS})
            message = await take(socket)
            assert message["payload"][0]["extensions"]["code"] == "FORBIDDEN"

    run(space, Settings(authenticate=acting("L01", AccessRole.AUDITOR)), test)
    (entry,) = [json.loads(leaf) for leaf in space.store.leaves("audit")]
    assert (entry["action"], entry["organisation"], entry["role"]) == ("denied", "L01", "auditor")
    answer = Client(create_app(space)).post("/graphql", json={"query": PARTS})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_who_is_slow_is_told_of_several_changes_at_once(space: Workspace) -> None:
    async def test(url: str) -> None:
        async with opened(url) as socket:
            await listen(socket, PARTS)
            for number in range(3):
                await do(space, part=parts(f"B{number}", owner="L01"))
            total = 0
            while total < 3:
                total += (await told(socket))[0]["new"]
            assert total == 3

    run(space, Settings(authenticate=acting("L01")), test)


def test_the_end_of_the_server_ends_it(space: Workspace) -> None:
    async def exchange() -> int | None:
        async with server(space, Settings(authenticate=acting("L01"))) as url:
            socket = await connect(url, subprotocols=[PROTOCOL], proxy=None)
            await send(socket, type="connection_init")
            await take(socket)
            await listen(socket, PARTS)
        return (await closed(socket))[0]

    assert asyncio.run(exchange()) in {1001, 1012}


def test_two_views_compare_by_what_they_show(space: Workspace) -> None:
    before = space.view("S01")
    space.submit(change(part=parts("A9", owner="L01")))
    assert compare(before, space.view("S01"), "part") is None


def test_who_can_open_no_web_socket_takes_server_sent_events(space: Workspace) -> None:
    tokens = Tokens(space)
    made, text = tokens.issue(Actor("S01"), "S01", AccessRole.SUPPLIER)
    headers = {"authorization": f"Bearer {text}", "accept": "text/event-stream"}

    async def test(url: str) -> None:
        place = url.replace("ws:", "http:")
        async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
            for query, code in (("{ parts { totalCount } }", "BAD_REQUEST"), ("subscription {", "SYNTAX")):
                refused = await client.post(place, json={"query": query})
                assert refused.status_code == 400
                assert refused.json()["errors"][0]["extensions"]["code"] == code
            async with client.stream("POST", place, json={"query": PARTS}) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                lines = answer.aiter_lines()
                await asyncio.sleep(0.5)
                await do(space, part=parts("A3"))
                assert await event(lines) == ("next", {"data": {"graphChanged": {"kinds": [{
                    "kind": "PART", "new": 1, "changed": 0, "gone": 0,
                    "newIds": [sealed(space, "S01").id_of("part", "S01/A3")],
                }]}}})  # fmt: skip
                start = time.monotonic()
                await asyncio.to_thread(tokens.revoke, Actor("S01"), made.name)
                name, body = await event(lines)
                assert (name, body["errors"][0]["extensions"]["code"]) == ("next", "UNAUTHENTICATED")
                assert await event(lines) == ("complete", None)
                assert time.monotonic() - start < 1.0

    async def event(lines: AsyncIterator[str]) -> tuple[str, Any]:
        name, data, blank = [await asyncio.wait_for(anext(lines), 5) for _ in range(3)]
        assert (name[:7], data[:6], blank) == ("event: ", "data: ", "")
        return name[7:], json.loads(data[6:]) if data[6:] else None

    run(space, Settings(authenticate=Authenticator(space)), test)
