"""Requests that ask for too much: each refused before it costs anything, and never a fault of ours.

CPU time is that of the process, and the least of several tries counts: other processes of the machine take their share.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message

from chaingraph import Workspace
from server.api.app import Settings, create_app
from server.api.http import MODERN, PREFLIGHT, Endpoint
from server.api.limits import Limits
from tests.attacks.queries import HARMLESS, REFUSED, body
from tests.server import world
from tests.server.client import Client, acting

CPU = 0.05
TRIES = 6
PIECE = 65_536
FORM = {"content-type": "multipart/form-data; boundary=x", PREFLIGHT: "1"}
INSIDE = re.compile(r"Traceback|site-packages|File \"|Did you mean")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with world.workspace(tmp_path_factory.mktemp("graph")) as made:
        yield made


@pytest.fixture(scope="module")
def app(space: Workspace) -> Starlette:
    made = create_app(space, Settings(development=False, authenticate=acting("L01")))
    for warm in (body("{ parts { totalCount } }"), body("{ nothing }"), *HARMLESS.values()):
        send(made, warm)
    return made


class Answer:
    """What came back: the status, the headers and the body."""

    def __init__(self, messages: list[Message], taken: int) -> None:
        start, *rest = messages
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.text = b"".join(m.get("body", b"") for m in rest).decode()
        self.taken = taken
        """How many pieces of the request were read."""

    @property
    def code(self) -> str:
        """The code of the first error."""
        return str(json.loads(self.text)["errors"][0]["extensions"]["code"])


def send(
    app: Starlette,
    content: bytes | AsyncIterator[bytes],
    path: str = "/graphql",
    method: str = "POST",
    query: bytes = b"",
    headers: dict[str, str] | None = None,
) -> Answer:
    """One request, handed to the application piece by piece as a server does."""

    async def exchange() -> Answer:
        sent: list[Message] = []
        taken = 0
        pieces = content if isinstance(content, AsyncIterator) else cut(content)

        async def receive() -> Message:
            nonlocal taken
            taken += 1
            piece = await anext(pieces, None)
            return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

        async def answer(message: Message) -> None:
            sent.append(message)

        given = {"host": "chain.test", "content-type": "application/json"} | (headers or {})
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": method,
            "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "",
            "server": ("chain.test", 80), "client": ("192.0.2.1", 1),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }  # fmt: skip
        await app(scope, receive, answer)
        return Answer(sent, taken)

    return asyncio.run(exchange())


async def cut(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), PIECE):
        yield content[at : at + PIECE]


def endpoint_of(app: Starlette) -> Endpoint:
    """The GraphQL endpoint of an application."""
    (handler,) = (r.app for r in app.routes if isinstance(r, Route) and r.path == "/graphql")
    found = getattr(handler, "endpoint", handler)
    assert isinstance(found, Endpoint)
    return found


def measured(app: Starlette, ask: Callable[[], Answer]) -> tuple[Answer, float]:
    """The answer, and the least CPU time of several tries; nothing is kept between them."""
    endpoint = endpoint_of(app)
    best, found = float("inf"), None
    for _ in range(TRIES):
        endpoint.documents._kept.clear()
        start = time.process_time()
        found = ask()
        best = min(best, time.process_time() - start)
        if best < CPU / 2:
            break
    assert found is not None
    return found, best


@pytest.mark.parametrize("name", REFUSED)
def test_what_asks_for_too_much_is_refused_at_once(app: Starlette, name: str) -> None:
    found, seconds = measured(app, lambda: send(app, REFUSED[name], headers={"accept": MODERN}))
    assert found.status in {200, 400, 413}, found.text
    assert "errors" in json.loads(found.text)
    assert not any((json.loads(found.text).get("data") or {}).values())
    assert not INSIDE.search(found.text)
    assert len(found.text) < 8000
    assert seconds <= CPU


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_looks_like_it_is_answered(app: Starlette, name: str) -> None:
    found, seconds = measured(app, lambda: send(app, HARMLESS[name]))
    assert (found.status, "errors" in json.loads(found.text)) == (200, False), found.text[:300]
    assert seconds <= CPU


def test_a_body_is_read_no_further_than_its_limit(app: Starlette) -> None:
    found = send(app, REFUSED["50 MB of blanks"])
    assert (found.status, found.code) == (413, "TOO_LARGE")
    assert found.taken <= Limits().body // PIECE + 2


def test_a_body_without_an_end_is_given_up(space: Workspace) -> None:
    async def drops(first: bytes = b" ") -> AsyncIterator[bytes]:
        yield first
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    slow = create_app(space, Settings(authenticate=acting("L01"), limits=Limits(body_seconds=0.1, upload_seconds=0.1)))
    assert send(slow, drops()).code == "TOO_SLOW"

    part = b'--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n'
    assert send(slow, drops(part), headers=FORM).status == 408


def test_compressed_bodies_are_not_unpacked(app: Starlette) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    for coding in ("gzip", "GZIP", "deflate", "br", "gzip, identity"):
        found = send(app, bomb, headers={"content-encoding": coding})
        assert (found.status, found.code) == (400, "BAD_REQUEST")
    assert send(app, body("{ __typename }"), headers={"content-encoding": "identity"}).status == 200


def test_long_addresses_are_refused(app: Starlette) -> None:
    found = send(app, b"", method="GET", query=b"query={__typename}&x=" + b"a" * 100_000)
    assert (found.status, found.code) == (413, "TOO_LARGE")
    nested = send(app, b"", method="GET", query=b"query={__typename}&variables=" + b"[" * 50_000)
    assert (nested.status, nested.code) == (400, "BAD_REQUEST")


TABLES = [
    ("parts.csv", [("nothing", "1")]),
    ("parts.csv", [("limit", "9" * 5000)]),
    ("parts.csv", [("limit", "-1")]),
    ("parts.csv", [("chain_level", "\ud800".encode("utf-8", "surrogatepass"))]),
    ("parts.csv", [("key.regex", "(a+)+$")]),
    ("parts.xlsx", []),
    ("..%2Fparts.csv", []),
    ("parts\x00.csv", []),
    ("supplies.json", [("share", "9" * 5000 + "x")]),
    ("supplies.json", [("share.gte", "1_0_")]),
    ("supplies.parquet", [("order", ",".join(["key"] * 1000 + ["none"]))]),
    ("life_records.csv", [("observed_on", "2025-13-45")]),
    ("life_records.csv", [("count", "9" * 4000)]),
]


@pytest.mark.parametrize(("table", "asked"), TABLES)
def test_tables_refuse_what_they_do_not_have(app: Starlette, table: str, asked: list[tuple[str, Any]]) -> None:
    found, seconds = measured(
        app, lambda: send(app, b"", f"/tables/{table}", method="GET", query=urlencode(asked).encode())
    )
    assert 400 <= found.status < 500, found.text[:200]
    assert not INSIDE.search(found.text)
    assert seconds <= CPU


def upload(app: Starlette, operations: bytes, where: bytes, *parts: bytes) -> Answer:
    """A multipart request."""
    fields = [("operations", operations), ("map", where)]
    made = b"".join(
        b'--x\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), v) for n, v in fields
    )
    made += b"".join(parts) + b"--x--\r\n"
    return send(app, made, headers=FORM)


def file(name: str, content: bytes = b"a") -> bytes:
    """A file of a multipart request."""
    said = f'--x\r\ncontent-disposition: form-data; name="{name}"; filename="{name}.csv"\r\n\r\n'
    return said.encode() + content + b"\r\n"


LOAD = "mutation($i: UploadLoadInput!) { uploadLoad(input: $i) { report { taken } } }"
ASK = body(LOAD, {"i": {"file": None}})
UPLOADS: dict[str, tuple[bytes, bytes, bytes]] = {
    "a map of 100,000 places": (ASK, json.dumps({"0": ["variables.i.file"] * 100_000}).encode(), file("0")),
    "a map of 100 places": (ASK, json.dumps({"0": ["variables.i.file"] * 100}).encode(), file("0")),
    "a path of 300,000 steps": (ASK, json.dumps({"0": ["variables" + ".a" * 150_000]}).encode(), file("0")),
    "an index of 5,000 digits": (ASK, json.dumps({"0": ["variables.i." + "9" * 5000]}).encode(), file("0")),
    "a place outside the variables": (ASK, b'{"0": ["query"]}', file("0")),
    "a place in a dunder": (ASK, b'{"0": ["variables.__class__.x"]}', file("0")),
    "a map 100,000 deep": (ASK, b"[" * 100_000, file("0")),
    "operations 100,000 deep": (b"[" * 100_000, b"{}", b""),
    "operations of two queries": (b'{"query": "{x}", "query": "{y}"}', b"{}", b""),
    "a hundred files": (ASK, b"{}", b"".join(file(str(i)) for i in range(100))),
    "a hundred fields": (ASK, b"{}", b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n' * 100),
    "a header without an end": (ASK, b"{}", b"--x\r\n" + b"a" * 300_000),
    "a lone surrogate": (body(LOAD, {"i": {"file": None, "replace": "\ud800"}}), b"{}", b""),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_uploads_that_are_none_are_refused(app: Starlette, name: str) -> None:
    found, seconds = measured(app, lambda: upload(app, *UPLOADS[name]))
    assert found.status in {400, 413}, found.text[:300]
    assert not INSIDE.search(found.text)
    assert seconds <= CPU


def test_nothing_of_the_inside_is_said_when_something_breaks(
    space: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    made = create_app(space, Settings(development=False, authenticate=acting("L01")))

    def broken(_context: Any, _mutation: bool) -> None:
        raise LookupError("the secret of the house")

    endpoint_of(made).begin = broken
    found = send(made, body("{ parts { totalCount } }"))
    assert (found.status, found.code) == (500, "INTERNAL")
    assert "secret" not in found.text
    assert "the secret of the house" in caplog.text


def test_the_client_of_the_other_tests_meets_the_same_limits(app: Starlette) -> None:
    found = Client(app).post(
        "/graphql", content=REFUSED["objects 100,000 deep"], headers={"content-type": "application/json"}
    )
    assert found.status_code == 400
