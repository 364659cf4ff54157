"""When the store does not answer: 503 with Retry-After at once, everywhere, and well again as soon as it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from chaingraph import Unavailable, Workspace
from chaingraph.changes import ChangeSet
from schema import Text
from server.api.app import Settings, create_app
from server.api.http import MODERN, PREFLIGHT
from tests.chaingraph.far import Far, far, refused, until
from tests.chaingraph.world import part, rows
from tests.server import world
from tests.server.client import Client, acting

CHEAP = "{ parts(first: 1) { totalCount } }"
COSTLY = "{ parts(first: 100) { nodes { supplies(first: 10) { nodes { share } } } } }"
UPLOAD = "mutation($i: UploadLoadInput!) { uploadLoad(input: $i) { report { taken } } }"
CSV = "number,issuer,name_en\nX1,L01,New\n"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Workspace, Far, Starlette]]:
    """An application on a remote store that is followed, and the line to it."""
    monkeypatch.setattr("chaingraph.following.STALE", 0.4)
    world.workspace(tmp_path).close()
    workspace, line = far(tmp_path)
    with workspace:
        workspace.start_following(every=0.01)
        assert workspace.wait(20)
        yield workspace, line, create_app(workspace, Settings(authenticate=acting("L01")))


def ask(app: Starlette, query: str = CHEAP, **headers: str) -> httpx.Response:
    return Client(app).post("/graphql", json={"query": query}, headers=headers)


def client_of(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://chaingraph.test")


def upload_of() -> dict[str, Any]:
    files = {
        "operations": (None, f'{{"query": "{UPLOAD}", "variables": {{"i": {{"file": null}}}}}}'),
        "map": (None, '{"f": ["variables.i.file"]}'),
        "f": ("parts.csv", CSV.encode(), "text/csv"),
    }
    return {"files": files, "headers": {PREFLIGHT: "1"}}


def upload(app: Starlette) -> httpx.Response:
    return Client(app).post("/graphql", **upload_of())


def cut_off(answer: httpx.Response) -> bool:
    """Whether this is a refusal with 503, in the one shape of errors."""
    if answer.status_code != 503:
        return False
    body = answer.json()
    assert "data" not in body
    assert [e["extensions"]["code"] for e in body["errors"]] == ["UNAVAILABLE"]
    assert int(answer.headers["retry-after"]) > 0
    assert "sqlite" not in answer.text, "where the store is concerns nobody"
    return True


@pytest.mark.parametrize("fault", ["cut", "black hole"])
def test_everything_is_refused_within_two_seconds_and_answered_again_when_the_store_answers(
    served: tuple[Workspace, Far, Starlette], fault: str
) -> None:
    workspace, line, app = served
    assert ask(app).json()["data"] == {"parts": {"totalCount": 60}}
    if fault == "cut":
        line.cut = True
    else:
        line.blocked |= {"head", "journal", "commit", "writing", "secret", "blob"}
    assert until(lambda: cut_off(ask(app))) < 2.0
    requests: list[Callable[[], httpx.Response]] = [
        lambda: ask(app, accept=MODERN),
        lambda: ask(app, COSTLY),
        lambda: ask(app, '{ whereUsed(part: "A59") { uses { level } } }'),
        lambda: Client(app).get("/graphql", params={"query": CHEAP}),
        lambda: Client(app).get("/tables/parts.csv"),
        lambda: upload(app),
    ]
    for request in requests:
        started = time.monotonic()
        assert cut_off(request())
        assert time.monotonic() - started < 2.0
    assert Client(app).get("/health").json() == {"status": "live"}
    ready = Client(app).get("/health/ready")
    assert (ready.status_code, ready.json()) == (503, {"status": "unavailable"})
    assert "retry-after" in ready.headers
    line.cut = False
    line.blocked.clear()
    until(lambda: Client(app).get("/health/ready").status_code == 200)
    assert ask(app).json()["data"] == {"parts": {"totalCount": 60}}
    assert upload(app).json()["data"]["uploadLoad"]["report"] == {"taken": True}
    assert ask(app).json()["data"] == {"parts": {"totalCount": 61}}, "one's own write is seen at once"
    assert workspace.view().count("part") == 61


def test_a_walk_in_a_store_that_has_just_gone_is_refused_as_a_whole(
    served: tuple[Workspace, Far, Starlette], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only who sees everything has the store walked; others walk what they see."""
    monkeypatch.setattr("chaingraph.following.STALE", 3600)
    workspace, line, _ = served
    app = create_app(workspace)
    query = '{ parts(first: 1) { totalCount } trace(things: ["A59"]) { cut } }'
    assert ask(app, query).json()["data"]["trace"] == {"cut": False}
    line.cut = True
    assert ask(app).status_code == 200, "what is in memory is answered"
    assert cut_off(ask(app, query))


def test_what_is_no_request_is_still_told(served: tuple[Workspace, Far, Starlette]) -> None:
    _, line, app = served
    line.cut = True
    until(lambda: cut_off(ask(app)))
    assert ask(app, "{ parts(", accept=MODERN).status_code == 400
    assert Client(app).get("/tables/nothing.csv").status_code == 404


def test_the_refusal_is_in_the_language_of_the_request(served: tuple[Workspace, Far, Starlette]) -> None:
    _, line, app = served
    line.cut = True
    until(lambda: cut_off(ask(app)))
    for language, said in (("zh-CN", "暂时无法读取图谱"), ("en", "cannot be read at the moment")):
        headers = {"accept-language": language}
        for answer in (ask(app, CHEAP, **headers), Client(app).get("/tables/parts.json", headers=headers)):
            assert said in answer.json()["errors"][0]["message"]


def test_a_store_that_goes_in_the_middle_of_a_mutation_is_a_503_and_the_same_upload_completes_it(
    served: tuple[Workspace, Far, Starlette], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, line, app = served
    commit = line.inner.commit

    def lost(*given: Any, **named: Any) -> int:
        line.cut = True
        raise Unavailable("store.unreachable", Text("断了。", "The line is cut."))

    for before in (True, False):  # nothing was done; all was done, and nobody was told

        def fails(*given: Any, before: bool = before, **named: Any) -> int:
            if not before:
                commit(*given, **named)
            return lost()

        with monkeypatch.context() as broken:
            broken.setattr(line.inner, "commit", fails)
            assert cut_off(upload(app))
        line.cut = False
        until(lambda: refused(workspace) is None)
    assert upload(app).json()["data"]["uploadLoad"]["report"] == {"taken": True}
    assert workspace.view().count("part") == 61


def test_requests_are_answered_while_commits_are_being_taken_in(served: tuple[Workspace, Far, Starlette]) -> None:
    _, line, app = served
    line.blocked.add("journal")
    other = Workspace.open(line.url)
    with other:
        other.submit(ChangeSet({"part": rows("part", part("NEW"))}, by="L01"))
    until(lambda: "journal" in line.waiting)

    async def many() -> list[float]:
        took = []
        async with client_of(app) as client:
            for _ in range(20):
                started = time.monotonic()
                answer = await client.post("/graphql", json={"query": CHEAP})
                assert answer.json()["data"] == {"parts": {"totalCount": 60}}
                took.append(time.monotonic() - started)
        return took

    assert max(asyncio.run(many())) < 1.0
    line.blocked.clear()
    until(lambda: ask(app).json()["data"] == {"parts": {"totalCount": 61}})


def test_writers_that_wait_hold_up_no_reader(served: tuple[Workspace, Far, Starlette]) -> None:
    _, line, app = served
    line.blocked.add("writing")

    async def exchange() -> float:
        async with client_of(app) as client:
            uploads = [asyncio.create_task(client.post("/graphql", **upload_of())) for _ in range(6)]
            await asyncio.to_thread(until, lambda: line.waiting.count("writing") == 4)
            started = time.monotonic()
            assert (await client.post("/graphql", json={"query": COSTLY})).status_code == 200
            took = time.monotonic() - started
            line.blocked.clear()
            assert [answer.status_code for answer in await asyncio.gather(*uploads)] == [200] * 6
            return took

    assert asyncio.run(exchange()) < 2.0


def test_an_embedded_store_that_cannot_be_read_is_unavailable_too(tmp_path: Path) -> None:
    with world.workspace(tmp_path) as workspace:
        app = create_app(workspace)
        workspace.view()
        for file in tmp_path.iterdir():
            if file.is_file():
                file.write_bytes(b"not a store" * 1000)
        assert cut_off(ask(app))
        assert cut_off(Client(app).get("/tables/parts.csv"))
