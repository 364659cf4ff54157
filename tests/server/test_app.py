"""The application: health, pages, hosts, the schema's text, and a real server on the loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from graphql import (
    build_schema,
    get_introspection_query,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    is_specified_scalar_type,
)
from starlette.applications import Starlette

from chaingraph import Workspace
from server.api import graphiql, sdl
from server.api.answers import COST
from server.api.app import Settings, create_app
from server.api.errors import Code
from server.api.limits import MUTATION_COST, Limits
from server.health import trouble
from tests.server import world
from tests.server.client import Client


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with world.workspace(tmp_path_factory.mktemp("graph")) as made:
        yield made


@pytest.fixture(scope="module")
def app(space: Workspace) -> Starlette:
    return create_app(space)


def test_the_committed_schema_is_the_codes() -> None:
    assert sdl.FILE.read_text(encoding="utf-8") == sdl.sdl(), "Write it anew: python -m server.api.sdl"


def test_everything_in_the_schema_is_described() -> None:
    missing: list[str] = []
    for name, each in build_schema(sdl.sdl()).type_map.items():
        if name.startswith("__") or is_specified_scalar_type(each):
            continue
        found: list[tuple[str, Any]] = [(name, each)]
        if is_enum_type(each):
            found += [(f"{name}.{value}", of) for value, of in each.values.items()]
        if is_object_type(each) or is_interface_type(each) or is_input_object_type(each):
            found += [(f"{name}.{field}", of) for field, of in each.fields.items()]
            for field, of in each.fields.items():
                found += [(f"{name}.{field}({argument})", a) for argument, a in getattr(of, "args", {}).items()]
        missing += [where for where, of in found if not of.description]
    assert missing == []


def test_health_says_no_more_than_that(space: Workspace, app: Starlette) -> None:
    client = Client(app)
    assert client.get("/health").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {"status": "ready"}


def test_a_store_that_cannot_be_read_is_not_ready(tmp_path: Path) -> None:
    with world.workspace(tmp_path) as space:
        client = Client(create_app(space))
        space.view()
        for file in tmp_path.iterdir():
            if file.is_file():
                file.write_bytes(b"not a store" * 1000)
        assert client.get("/health").status_code == 200
        assert client.get("/health/ready").status_code == 503


def test_a_browser_gets_a_page_and_nothing_from_elsewhere(app: Starlette) -> None:
    page = Client(app).get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "http" not in page.text
    assert "GraphiQL" in page.text
    for name in ("start.js", "start.css"):
        assert Client(app).get(f"/graphql/assets/{name}").status_code == 200
    for name in ("package.json", "..%2Fapp.py", "none.js"):
        assert Client(app).get(f"/graphql/assets/{name}").status_code == 404


def test_the_page_can_read_the_schema(app: Starlette) -> None:
    answer = Client(app).post("/graphql", json={"query": get_introspection_query(input_value_deprecation=True)})
    assert answer.json()["data"]["__schema"]["queryType"]["name"] == "Query"


def test_the_page_says_how_to_get_graphiql_until_it_is_there(
    app: Starlette, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(graphiql.FILES, "graphiql.min.js", tmp_path / "none.js")
    page = Client(app).get("/graphql", headers={"accept": "text/html"})
    assert "make graphiql" in page.text
    assert Client(app).get("/graphql/assets/graphiql.min.js").status_code == 404


def test_scripts_are_pinned_by_hash_and_name_no_registry() -> None:
    lock = json.loads((graphiql.FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert all("integrity" in each and "resolved" not in each for each in packages.values())
    assert packages["node_modules/graphiql"]["version"].startswith("3.9")


def test_outside_development_there_is_no_page(space: Workspace) -> None:
    client = Client(create_app(space, Settings(development=False)))
    assert client.get("/graphql", headers={"accept": "text/html"}).status_code == 400
    assert client.get("/graphql/assets/start.js").status_code == 404


def test_the_language_is_the_requests(app: Starlette) -> None:
    query = {"query": '{ organisations(filter: {code: {eq: "S03"}}) { nodes { name } } }'}
    for header, name in (("zh-CN,zh;q=0.9", "企业S03"), ("fr, en;q=0.5", "企业S03"), ("en", "企业S03")):
        answer = Client(app).post("/graphql", json=query, headers={"accept-language": header})
        assert answer.json()["data"]["organisations"]["nodes"] == [{"name": name}]
    labels = {"query": "{ parts(first: 1, filter: {chainLevel: {eq: SYSTEM}}) { nodes { chainLevelLabel } } }"}
    for header, label in (
        ("zh-CN,zh;q=0.9", "整机与系统"),
        ("fr, en;q=0.5", "Whole machine or system"),
        ("", "Whole machine or system"),
    ):
        answer = Client(app).post("/graphql", json=labels, headers={"accept-language": header})
        assert answer.json()["data"]["parts"]["nodes"] == [{"chainLevelLabel": label}]


class Server(uvicorn.Server):
    """A server that says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.up.set()


def test_a_real_server_answers_on_the_loopback_under_its_own_names_only(app: Starlette) -> None:
    async def exchange() -> list[int]:
        server = Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
        task = asyncio.create_task(server.serve())
        await server.up.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(trust_env=False) as client:
            query = {"query": "{ parts(first: 1) { totalCount } }"}
            found = [
                await client.post(f"{url}/graphql", json=query),
                await client.post(f"http://localhost:{port}/graphql", json=query),
                await client.get(f"{url}/tables/parts.csv"),
                await client.post(f"{url}/graphql", json=query, headers={"host": "evil.example"}),
                await client.get(f"{url}/tables/parts.csv", headers={"host": f"evil.example:{port}"}),
            ]
        server.should_exit = True
        await task
        assert found[0].json()["data"] == {"parts": {"totalCount": 60}}
        return [response.status_code for response in found]

    assert asyncio.run(exchange()) == [200, 200, 200, 421, 421]


def test_where_names_are_given_requests_under_others_are_refused_from_anywhere(space: Workspace) -> None:
    under = {
        name: [
            Client(create_app(space, Settings(hosts=hosts))).get("/health", headers={"host": name}).status_code
            for hosts in ((), ("chaingraph.example",))
        ]
        for name in (
            "chaingraph.example:8000",
            "localhost:8000",
            "[::1]:8000",
            "evil.example",
            "chaingraph.example.evil",
        )
    }
    assert under == {
        "chaingraph.example:8000": [200, 200],
        "localhost:8000": [200, 200],
        "[::1]:8000": [200, 200],
        "evil.example": [200, 421],
        "chaingraph.example.evil": [200, 421],
    }


def test_health_is_asked_of_a_real_server(app: Starlette) -> None:
    async def exchange() -> list[str | None]:
        server = Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
        task = asyncio.create_task(server.serve())
        await server.up.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        paths = ("/health", "/health/ready", "/nothing")
        found = [await asyncio.to_thread(trouble, f"http://127.0.0.1:{port}{path}") for path in paths]
        server.should_exit = True
        await task
        return [*found, await asyncio.to_thread(trouble, f"http://127.0.0.1:{port}/health")]

    live, ready, nothing, gone = asyncio.run(exchange())
    assert live is None
    assert ready is None
    assert nothing is not None
    assert nothing.endswith("/nothing: 404")
    assert gone is not None
    assert "ConnectionRefusedError" in gone


def test_every_code_and_limit_is_documented() -> None:
    page = (Path(graphiql.FOLDER).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
    assert [code for code in Code if f"`{code}`" not in page] == []
    limits = Limits()
    for number in (limits.cost, limits.depth, limits.aliases, limits.directives, limits.tokens, COST, MUTATION_COST):
        assert f" {number}" in page
    assert f"1 to {limits.page} rows" in page
    assert f"{limits.body // 10**6} MB and an upload of {limits.upload // 10**6} MB" in page
