"""`uploadProgress` over WebSockets and as events: what is told, to whom, until when."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import HTTPConnection
from websockets.asyncio.client import ClientConnection

from chaingraph import Actor, Workspace
from ingest.desk import Desk, Worker, spool_folder
from schema.vocabularies import AccessRole
from server.api.app import Settings
from server.api.errors import ApiError, Code
from tests.server.client import Client
from tests.server.test_drafts import EVERYONE, NONE, WITHDRAW, brought, client, confirmed, desk, got, settings
from tests.server.test_files import PARTS
from tests.server.test_subscriptions import closed, opened, send, server, take

__all__ = ["client", "desk"]
TOLD = "subscription($code: String!) { uploadProgress(code: $code) { code state stage done total } }"


def run(desk: Desk, chosen: Settings, test: Callable[[str], Awaitable[None]]) -> None:
    async def serve() -> None:
        async with server(desk.workspace, chosen) as url:
            await test(url)

    asyncio.run(serve())


async def subscribe(socket: ClientConnection, code: str) -> None:
    await send(socket, type="subscribe", id="1", payload={"query": TOLD, "variables": {"code": code}})


async def until_complete(socket: ClientConnection) -> list[Any]:
    """The states and stages that are told, to the end."""
    found = []
    while (message := await take(socket))["type"] == "next":
        assert "errors" not in message["payload"], message
        told = message["payload"]["data"]["uploadProgress"]
        found.append((told["state"], told["stage"]))
    assert message["type"] == "complete"
    return found


def test_progress_is_told_until_it_is_loaded(desk: Desk, client: Client) -> None:
    code = brought(client)

    async def test(url: str) -> None:
        async with opened(url) as socket:
            await subscribe(socket, code)
            first = await take(socket)
            assert first["payload"]["data"]["uploadProgress"]["state"] == "OPEN"
            await asyncio.to_thread(confirmed, client, code)
            with Worker(desk):
                told = await until_complete(socket)
            assert told[-1][0] == "LOADED"
            assert {state for state, _ in told} <= {"CONFIRMED", "LOADED"}
            await subscribe(socket, code)  # what is over is told once
            assert [state for state, _ in await until_complete(socket)] == ["LOADED"]

    run(desk, settings(desk), test)


def test_progress_ends_when_the_upload_is_withdrawn_or_is_none(desk: Desk, client: Client) -> None:
    code = brought(client)

    async def test(url: str) -> None:
        async with opened(url) as socket:
            await subscribe(socket, code)
            await take(socket)
            await asyncio.to_thread(got, client, WITHDRAW, code=code)
            assert [state for state, _ in await until_complete(socket)] == ["WITHDRAWN"]
            for wrong in (NONE, "S1/" + code):
                await subscribe(socket, wrong)
                message = await take(socket)
                assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "NOT_FOUND")

    run(desk, settings(desk), test)


def test_somebody_else_is_told_nothing(desk: Desk, client: Client) -> None:
    code = brought(client)

    async def test(url: str) -> None:
        async with opened(url) as socket:
            answers = set()
            for each in (code, NONE):
                await subscribe(socket, each)
                message = json.loads(json.dumps(await take(socket)).replace(each, "CODE"))
                assert message["payload"][0]["extensions"].pop("requestId")
                answers.add(json.dumps(message))
            assert len(answers) == 1

    run(desk, settings(desk, "S2"), test)


def events(desk: Desk, code: str) -> list[tuple[str, Any]]:
    """What is told as server-sent events."""
    found: list[tuple[str, Any]] = []

    async def test(url: str) -> None:
        body = {"query": TOLD, "variables": {"code": code}}
        async with httpx.AsyncClient(trust_env=False) as told:
            answer = await told.post(
                url.replace("ws:", "http:"), json=body, headers={"accept": "text/event-stream"}, timeout=10
            )
        for each in answer.text.strip().split("\n\n"):
            name, _, data = each.partition("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data:").strip() or "null")))

    run(desk, settings(desk), test)
    return found


def test_progress_is_told_by_events_too(desk: Desk, client: Client) -> None:
    code = brought(client)
    confirmed(client, code)
    desk.work_all()
    (name, told), end = events(desk, code)
    assert (name, told["data"]["uploadProgress"]["state"], end) == ("next", "LOADED", ("complete", None))
    (name, told), end = events(desk, NONE)
    assert (name, told["errors"][0]["extensions"]["code"], end) == ("next", "NOT_FOUND", ("complete", None))


def test_progress_ends_with_the_right_to_see_it(desk: Desk, client: Client) -> None:
    code = brought(client)
    role = [AccessRole.SUPPLIER]

    async def authenticate(_connection: HTTPConnection) -> Actor:
        if role[0] is AccessRole.AUDITOR:
            raise ApiError(Code.UNAUTHENTICATED, "The token is over.")
        return Actor("S1", role[0], expires=time.time() + 60)

    async def test(url: str) -> None:
        async with opened(url) as socket:
            await subscribe(socket, code)
            await take(socket)
            role[0] = AccessRole.ANALYST
            assert (await closed(socket))[0] == 4403
        async with opened(url) as socket:
            await subscribe(socket, code)
            assert (await take(socket))["type"] == "error"

    run(desk, Settings(authenticate=authenticate, desk=desk), test)


def test_a_server_takes_what_was_confirmed_before_it_started_and_what_is_confirmed_now(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with Workspace.open(url) as space:
        earlier = Desk(space, spool_folder(space))
        before = earlier.create(EVERYONE, [("parts.csv", len(PARTS))]).id
        earlier.append(EVERYONE, before, 0, 0, [PARTS])
        earlier.confirm(EVERYONE, before, earlier.preview(EVERYONE, before).digest)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["serve", "--open", "--port", str(port), "--store", url]
    with subprocess.Popen(
        [sys.executable, "-m", "server", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            process.stdout.readline()
            transport = httpx.HTTPTransport(retries=8)
            with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{port}", timeout=30) as real:
                assert ended(real, before) == "LOADED"
                now = brought(real, "物料编码,名称\nA3,轴\n".encode())
                confirmed(real, now)
                assert ended(real, now) == "LOADED"
                nodes = got(real, "{ parts { nodes { number } } }")["nodes"]
        finally:
            process.terminate()
    assert [node["number"] for node in nodes] == ["A1", "A2", "A3"]


def ended(client: httpx.Client, code: str) -> str:
    """The last state that is told of an upload."""
    body = {"query": TOLD, "variables": {"code": code}}
    told = client.post("/graphql", json=body, headers={"accept": "text/event-stream"}).text
    *_, last = (line for line in told.split("\n") if line.startswith("data: {"))
    state: str = json.loads(last.removeprefix("data: "))["data"]["uploadProgress"]["state"]
    return state
