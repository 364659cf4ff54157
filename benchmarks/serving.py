"""GraphQL: requests beside a bare ASGI application, pages and relations beside stock Strawberry."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import strawberry
from starlette.types import ASGIApp, Message, Scope

from benchmarks import stock
from benchmarks.measure import best, row
from chaingraph import Workspace
from ingest.load import load
from server.api.app import create_app

SMALL = 100
PART = "id number issuer { id } nameZh nameEn partClass criticality chainLevel"


def run(folder: Path, large: str) -> None:
    """All of it: at the size of the large store, then against peers on a small one."""
    with Workspace.open(large) as workspace:
        app = create_app(workspace)
        order = "[{ field: NUMBER, direction: DESC }]"
        page = f"{{ parts(first: 50, orderBy: {order}) {{ totalCount nodes {{ {PART} }} }} }}"
        first = best(lambda: asyncio.run(_post(app, page)), 7)
        row("page of 50 parts of 200,000, ordered", f"{first.wall * 1e3:.1f} ms", "aim < 20 ms")
    with Workspace.open(f"sqlite:///{folder / 'small.db'}") as workspace:
        load(workspace, [_square(folder)])
        app = create_app(workspace)
        _requests(app, workspace.store.url)
        _relations(app, workspace)


def _square(folder: Path) -> Path:
    """100 parts in each of 100 assemblies, and 10,000 parts more, as a dataset folder."""
    dataset = folder / "square"
    dataset.mkdir()
    numbers = (
        [f"A{i:03d}" for i in range(SMALL)] + [f"C{i:03d}" for i in range(SMALL)] + [f"Z{i:05d}" for i in range(9800)]
    )
    parts = {
        "number": numbers,
        "issuer": "L01",
        "name_zh": "零件",
        "name_en": "part",
        "part_class": "x",
        "criticality": "A",
    }
    pl.DataFrame(parts).with_columns(chain_level=pl.lit("part")).write_csv(dataset / "parts.csv")
    assemblies = pl.DataFrame({"parent": numbers[:SMALL]})
    lines = assemblies.join(pl.DataFrame({"child": numbers[SMALL : 2 * SMALL]}), how="cross")
    lines.with_columns(quantity=pl.lit(2.0)).write_csv(dataset / "contains.csv")
    return dataset


def _requests(app: ASGIApp, url: str) -> None:
    """Requests per CPU-second of the server process: one part by its id, beside an application that only answers."""
    found = asyncio.run(_post(app, "{ parts(first: 1) { nodes { id } } }"))
    number = found["data"]["parts"]["nodes"][0]["id"]
    query = f'{{ node(id: "{number}") {{ ... on Part {{ id number nameZh }} }} }}'
    ours, bare = _rate(url, query, 3_000), _rate("bare", query, 10_000)
    row("GraphQL node query over HTTP, requests per CPU-second", f"{ours:,.0f}")
    row("  a bare ASGI application", f"{bare:,.0f}", f"ratio {ours / bare:.2f}")


def _rate(what: str, query: str, times: int) -> float:
    """Requests per CPU-second of a server process of its own on the loopback, over one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, handle, body = listening.getsockname()[1], listening.fileno(), json.dumps({"query": query}).encode()
        command = [sys.executable, "-m", "benchmarks.peer", what, str(handle)]
        with subprocess.Popen(command, pass_fds=[handle]) as server:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for _ in range(200):
                        _ask(line, "/graphql", body)
                    start = float(_ask(line, "/cpu", body))
                    for _ in range(times):
                        _ask(line, "/graphql", body)
                    return times / (float(_ask(line, "/cpu", body)) - start)
            finally:
                server.terminate()


def _ask(line: socket.socket, path: str, body: bytes) -> bytes:
    """One POST over an open connection; the body of the answer."""
    head = ("Host: localhost", "Content-Type: application/json", f"Content-Length: {len(body)}", "", "")
    line.sendall(f"POST {path} HTTP/1.1\r\n".encode() + "\r\n".join(head).encode() + body)
    with line.makefile("rb") as answer:
        size = 0
        for header in iter(answer.readline, b"\r\n"):
            if not header:
                raise ConnectionError("the server closed the connection")
            name, _, value = header.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        return answer.read(size)


def _relations(app: ASGIApp, workspace: Workspace) -> None:
    """100 parts with 100 where-used each, and 10,000 rows of 8 fields by column, against stock Strawberry."""
    users = "containsAsChild(first: 100) { nodes { quantity parent { number } } }"
    nested = f'{{ parts(first: 100, filter: {{ number: {{ contains: "C" }} }}) {{ nodes {{ number {users} }} }} }}'
    ours = best(lambda: asyncio.run(_post(app, nested)), 5)
    assert sum(len(p["containsAsChild"]["nodes"]) for p in ours.result["data"]["parts"]["nodes"]) == SMALL * SMALL
    schema, context = stock.schema(workspace.view())
    stock_query = "{ parts { number usedIn { quantity parent { number } } } }"
    theirs = best(lambda: asyncio.run(_execute(schema, stock_query, context)), 3)
    assert sum(len(p["usedIn"]) for p in theirs.result["parts"]) == SMALL * SMALL
    row("100 parts x 100 where-used", f"{ours.wall * 1e3:.0f} ms")
    row(
        "  stock Strawberry with DataLoader",
        f"{theirs.wall * 1e3:.0f} ms",
        f"ratio {ours.wall / theirs.wall:.3f}, aim <= 0.1",
    )
    columns = "{ partColumns(first: 10000) { id number issuer nameZh nameEn partClass criticality chainLevel } }"
    ours = best(lambda: asyncio.run(_post(app, columns)), 5)
    assert len(ours.result["data"]["partColumns"]["number"]) == 10_000
    rows = "{ everyPart { id number issuer nameZh nameEn partClass criticality chainLevel } }"
    theirs = best(lambda: asyncio.run(_execute(schema, rows, context)), 3)
    assert len(theirs.result["everyPart"]) == 10_000
    row("columns of 10,000 rows x 8 fields", f"{ours.wall * 1e3:.1f} ms")
    row(
        "  stock Strawberry, list of objects",
        f"{theirs.wall * 1e3:.0f} ms",
        f"ratio {ours.wall / theirs.wall:.3f}, aim <= 0.05",
    )


async def _execute(schema: strawberry.Schema, query: str, context: Callable[[], dict[str, Any]]) -> Any:
    result = await schema.execute(query, context_value=context())
    assert not result.errors, result.errors
    json.dumps(result.data)
    return result.data


async def _post(app: ASGIApp, query: str) -> dict[str, Any]:
    status, body = await _call(app, query)
    answer: dict[str, Any] = json.loads(body)
    assert status == 200, answer
    assert "errors" not in answer, answer
    return answer


async def _call(app: ASGIApp, query: str) -> tuple[int, bytes]:
    """One POST, handed to the application as a server would."""
    body = json.dumps({"query": query}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"host", b"localhost"),
        (b"accept", b"application/graphql-response+json"),
    ]
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"]), b"".join(m.get("body", b"") for m in sent[1:])
