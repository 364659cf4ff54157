"""Files of uploads over HTTP: PUT of the whole or the rest, the tus protocol, broken and hostile bodies."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
import uvicorn
from starlette.requests import HTTPConnection

from chaingraph import Actor, Workspace
from ingest import Desk
from schema.vocabularies import AccessRole, DraftState
from server.api import files
from server.api.app import Settings, create_app
from server.api.errors import ApiError, Code
from server.api.limits import Limits
from tests.server.client import Client, acting
from tests.server.test_app import Server

S1, S2 = Actor("S1"), Actor("S2")
PARTS = "物料编码,名称\nA1,轴承\nA2,箱体\n".encode()
SITE = {"x-chaingraph-upload": "1"}
TUS = {"tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as space:
        yield Desk(space, tmp_path / "spool")


@pytest.fixture
def client(desk: Desk) -> Client:
    return of(desk)


def of(desk: Desk, organisation: str = "S1", role: AccessRole = AccessRole.SUPPLIER, **more: Any) -> Client:
    limits = more.pop("limits", Limits())
    authenticate = acting(organisation, role, **more)
    return Client(create_app(desk.workspace, Settings(authenticate=authenticate, desk=desk, limits=limits)))


def begun(desk: Desk, content: bytes = PARTS, name: str = "parts.csv") -> str:
    """The address of the only file of a new upload."""
    return f"/uploads/{desk.create(S1, [(name, len(content))]).id}/0"


def code_of(url: str) -> str:
    return url.split("/")[2]


def put(client: Client | httpx.Client, url: str, content: Any = PARTS, **headers: str) -> httpx.Response:
    return client.request("PUT", url, content=content, headers=SITE | headers)


def patch(client: Client, url: str, content: Any, offset: object, **headers: str) -> httpx.Response:
    return client.request("PATCH", url, content=content, headers=TUS | {"upload-offset": str(offset)} | headers)


def said(response: httpx.Response) -> dict[str, Any]:
    """The `extensions` of the one error of an answer."""
    (error,) = response.json()["errors"]
    assert error["message"]
    found: dict[str, Any] = error["extensions"]
    return found


def path_of(desk: Desk, url: str) -> Path:
    """Where the file is."""
    number = code_of(url)
    return desk._path(desk.get(S1, number), 0)


def stored(desk: Desk, url: str) -> bytes:
    return path_of(desk, url).read_bytes()


# a file as a whole


def test_a_file_is_put_and_can_be_looked_at(desk: Desk, client: Client) -> None:
    url = begun(desk)
    answer = put(client, url, **{"content-type": "text/csv"})
    assert (answer.status_code, answer.headers["upload-offset"], answer.content) == (204, str(len(PARTS)), b"")
    assert stored(desk, url) == PARTS
    assert desk.preview(S1, code_of(url)).ready


def test_an_empty_file_is_a_file(desk: Desk, client: Client) -> None:
    url = begun(desk, b"")
    assert put(client, url, b"").status_code == 204
    assert [f.code for f in desk.preview(S1, code_of(url)).report.findings] == ["file.empty"]


def test_what_is_missing_is_put_after_what_is_there(desk: Desk, client: Client) -> None:
    url = begun(desk)
    desk.append(S1, code_of(url), 0, 0, [PARTS[:7]])
    again = put(client, url)
    assert (again.status_code, said(again)["reason"], said(again)["offset"]) == (409, "upload.offset", 7)
    assert put(client, url, PARTS[7:], **{"upload-offset": "7"}).status_code == 204
    assert stored(desk, url) == PARTS


def test_a_file_of_another_size_than_announced_is_refused_before_it_is_read(desk: Desk, client: Client) -> None:
    url = begun(desk)
    shorter, longer = put(client, url, PARTS[:-1]), put(client, url, PARTS + b"x")
    assert (shorter.status_code, said(shorter)["code"]) == (400, "BAD_REQUEST")
    assert (longer.status_code, said(longer)["code"]) == (413, "TOO_LARGE")
    assert desk.received(S1, code_of(url)) == [0]


def test_a_body_of_unsaid_length_is_cut_at_the_announced_size(desk: Desk, client: Client) -> None:
    async def pieces(content: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(content), 5):
            yield content[at : at + 5]

    url = begun(desk)
    assert put(client, url, pieces(PARTS)).status_code == 204
    short = begun(desk)
    answer = put(client, short, pieces(PARTS[:-6]))
    assert (answer.status_code, said(answer)["offset"]) == (400, len(PARTS) - 6)
    long = begun(desk)
    assert put(client, long, pieces(PARTS + b"more than was said")).status_code == 413
    assert len(stored(desk, long)) <= len(PARTS)


def test_files_of_a_page_need_a_header_that_no_form_can_send(desk: Desk, client: Client) -> None:
    url = begun(desk)
    for headers in ({}, {"authorization": "Basic eDp5"}, {"cookie": "session=1"}):
        answer = client.request("PUT", url, content=PARTS, headers=headers)
        assert (answer.status_code, said(answer)["code"]) == (403, "FORBIDDEN")
    assert client.request("PUT", url, content=PARTS, headers={"authorization": "Bearer t"}).status_code == 204


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_forms_are_no_files(desk: Desk, client: Client, kind: str) -> None:
    answer = put(client, begun(desk), **{"content-type": kind})
    assert (answer.status_code, said(answer)["code"]) == (415, "BAD_REQUEST")


def test_compressed_bodies_are_refused(desk: Desk, client: Client) -> None:
    assert put(client, begun(desk), **{"content-encoding": "gzip"}).status_code == 400


# tus: https://tus.io/protocols/resumable-upload


def test_the_server_says_which_protocol_it_speaks(desk: Desk, client: Client) -> None:
    answer = client.request("OPTIONS", begun(desk))
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(Limits().file)
    assert answer.headers["allow"] == "OPTIONS, HEAD, PUT, PATCH"
    assert "tus-extension" not in answer.headers


def test_a_file_goes_on_where_it_broke_off(desk: Desk, client: Client) -> None:
    url = begun(desk)
    first = patch(client, url, PARTS[:9], 0)
    assert (first.status_code, first.headers["upload-offset"], first.headers["tus-resumable"]) == (204, "9", "1.0.0")
    head = client.request("HEAD", url, headers={"tus-resumable": "1.0.0"})
    assert (head.status_code, head.headers["upload-offset"]) == (200, "9")
    assert (head.headers["upload-length"], head.headers["cache-control"]) == (str(len(PARTS)), "no-store")
    assert patch(client, url, PARTS[9:], 9).headers["upload-offset"] == str(len(PARTS))
    assert stored(desk, url) == PARTS
    assert patch(client, url, b"", len(PARTS)).status_code == 204


def test_the_method_may_stand_in_a_header(desk: Desk, client: Client) -> None:
    url = begun(desk)
    headers = TUS | {"upload-offset": "0", "x-http-method-override": "PATCH"}
    assert client.post(url, content=PARTS, headers=headers).status_code == 204
    assert stored(desk, url) == PARTS
    assert client.post(url, content=PARTS, headers=headers | {"x-http-method-override": "GET"}).status_code == 405
    assert client.get(url, headers=headers).status_code == 405


@pytest.mark.parametrize("offset", ["1", "8", "1000000", "999999999999999999"])
def test_another_offset_is_a_conflict_and_changes_nothing(desk: Desk, client: Client, offset: str) -> None:
    url = begun(desk)
    answer = patch(client, url, b"", offset)
    assert (answer.status_code, said(answer)["code"], said(answer)["offset"]) == (409, "CONFLICT", 0)
    assert desk.received(S1, code_of(url)) == [0]


@pytest.mark.parametrize("offset", ["-1", "", "1.5", "0x1", "٣", "1" * 5000])
def test_offsets_that_are_none_are_refused(desk: Desk, client: Client, offset: str) -> None:
    headers = [(k.encode(), v.encode()) for k, v in {**TUS, "upload-offset": offset}.items()]
    answer = client.request("PATCH", begun(desk), content=PARTS, headers=headers)
    assert (answer.status_code, said(answer)["code"]) == (400, "BAD_REQUEST")


def test_a_request_without_an_offset_is_refused(desk: Desk, client: Client) -> None:
    assert client.request("PATCH", begun(desk), content=PARTS, headers=TUS).status_code == 400


@pytest.mark.parametrize(
    ("length", "status"),
    [("9" * 18, 413), ("9" * 5000, 400), ("-5", 400), ("7", 400), (str((1 << 30) + 1), 413)],
    ids=["huge", "5,000 digits", "negative", "another", "beyond the limit"],
)
def test_another_length_than_announced_is_refused(desk: Desk, client: Client, length: str, status: int) -> None:
    assert patch(client, begun(desk), PARTS, 0, **{"upload-length": length}).status_code == status


def test_another_version_of_the_protocol_is_refused(desk: Desk, client: Client) -> None:
    url = begun(desk)
    for headers in ({"tus-resumable": "0.2.2"}, {"tus-resumable": ""}):
        answer = patch(client, url, PARTS, 0, **headers)
        assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")
    assert client.request("HEAD", url, headers={"tus-resumable": "2.0.0"}).status_code == 412
    assert desk.received(S1, code_of(url)) == [0]


def test_tus_takes_its_own_media_type_only(desk: Desk, client: Client) -> None:
    for kind in ("text/csv", "", "application/json"):
        assert patch(client, begun(desk), PARTS, 0, **{"content-type": kind}).status_code == 415


def test_other_methods_are_refused_and_reading_changes_nothing(desk: Desk, client: Client) -> None:
    url = begun(desk)
    before = (desk.get(S1, code_of(url)), desk.received(S1, code_of(url)))
    for method in ("GET", "POST", "DELETE", "TRACE"):
        answer = client.request(method, url, headers=SITE)
        assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, HEAD, PUT, PATCH")
        assert said(answer)["code"] == "METHOD_NOT_ALLOWED"
    client.request("HEAD", url)
    client.request("OPTIONS", url)
    client.get(f"/uploads/{code_of(url)}/marked.xlsx")
    assert (desk.get(S1, code_of(url)), desk.received(S1, code_of(url))) == before


# whose it is


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH"])
def test_somebody_elses_upload_is_none(desk: Desk, method: str) -> None:
    url, none = begun(desk), "/uploads/D-000000000000/0"
    theirs = of(desk, "S2")
    answers = [
        theirs.request(method, each, content=b"", headers=TUS | {"upload-offset": "0"} if method == "PATCH" else SITE)
        for each in (url, none, f"{none}0", url[:-1] + "9")
    ]
    codes = [code_of(url), "D-000000000000", "D-000000000000", code_of(url)]
    assert {answer.status_code for answer in answers} == {404}
    bodies = {answer.text.replace(code, "CODE") for answer, code in zip(answers, codes, strict=True)}
    assert len(bodies) == 1
    assert len({json.dumps({k: v for k, v in a.headers.items() if k != "content-length"}) for a in answers}) == 1
    assert desk.received(S1, code_of(url)) == [0]


@pytest.mark.parametrize(
    "path",
    ["/uploads/..%2f..%2fgraph/0", "/uploads/S1%2fD-1/0", "/uploads/%00/0", "/uploads/D-1/..", "/uploads/D-1/-1",
     "/uploads/D-1/" + "9" * 5000, "/uploads/D-1/٠", "/uploads/" + "D" * 5000 + "/0", "/uploads/*/0"],
    ids=["up", "another's", "null", "folder", "negative", "5,000 digits", "digits of others", "long", "star"],
)  # fmt: skip
def test_addresses_lead_nowhere(client: Client, path: str) -> None:
    answer = put(client, path)
    assert answer.status_code == 404
    assert "errno" not in answer.text.lower()


@pytest.mark.parametrize("name", ["../../x.csv", "..\\..\\x.csv", "/etc/cron.d/x.csv", "a\x00/../x.csv", "C:\\x.csv"])
def test_names_lead_nowhere(tmp_path: Path, desk: Desk, client: Client, name: str) -> None:
    url = begun(desk, name=name)
    assert put(client, url).status_code == 204
    found = path_of(desk, url)
    assert found.name == "x.csv"
    assert found.resolve().is_relative_to((tmp_path / "spool").resolve())
    assert found.read_bytes() == PARTS


def test_without_a_token_nothing_is_answered(desk: Desk) -> None:
    async def nobody(_connection: HTTPConnection) -> Actor:
        raise ApiError(Code.UNAUTHENTICATED, "There is no token.")

    url = begun(desk)
    client = Client(create_app(desk.workspace, Settings(authenticate=nobody, desk=desk, open=("/upload",))))
    for method in ("OPTIONS", "HEAD", "PUT", "PATCH", "GET"):
        assert client.request(method, url, content=b"", headers=SITE).status_code == 401
    assert client.get(f"/uploads/{code_of(url)}/marked.xlsx").status_code == 401
    assert desk.received(S1, code_of(url)) == [0]


def test_roles_send_files_only_where_they_may(desk: Desk) -> None:
    url = begun(desk)
    for role in AccessRole:
        may = role in {AccessRole.ADMINISTRATOR, AccessRole.QUALITY, AccessRole.SUPPLIER, AccessRole.EXPERT}
        for method in ("HEAD", "OPTIONS"):
            assert of(desk, role=role).request(method, url).is_success is may
        assert of(desk, role=role).get(f"/uploads/{code_of(url)}/marked.xlsx").status_code == (409 if may else 403)
        assert put(of(desk, role=role), begun(desk)).status_code == (204 if may else 403)
    reading = of(desk, read_only=True)
    assert put(reading, url).status_code == 403
    assert reading.request("HEAD", url).status_code == 403


def test_nothing_is_added_to_an_upload_that_is_confirmed_or_withdrawn(desk: Desk, client: Client) -> None:
    url = begun(desk)
    put(client, url)
    number = code_of(url)
    desk.confirm(S1, number, desk.preview(S1, number).digest)
    for state in (DraftState.CONFIRMED, DraftState.LOADED, DraftState.WITHDRAWN):
        answer = patch(client, url, b"", len(PARTS))
        assert (answer.status_code, said(answer)["reason"]) == (409, "upload.state")
        assert desk.get(S1, number).state is state
        if state is DraftState.CONFIRMED:
            desk.work_all()
        elif state is DraftState.LOADED:
            desk.withdraw(S1, number)


def test_without_a_desk_there_is_no_such_address(desk: Desk) -> None:
    plain = Client(create_app(desk.workspace, Settings(authenticate=acting("S1"))))
    assert put(plain, begun(desk)).status_code == 404


# bodies that break off or do not end


def test_a_body_that_does_not_come_is_given_up_and_what_came_is_kept(desk: Desk) -> None:
    async def drops() -> AsyncIterator[bytes]:
        yield PARTS[:11]
        await asyncio.Event().wait()

    slow = of(desk, limits=replace(Limits(), upload_seconds=0.2))
    url = begun(desk)
    answer = slow.request("PATCH", url, content=drops(), headers=TUS | {"upload-offset": "0"})
    assert (answer.status_code, said(answer)["code"]) == (408, "TOO_SLOW")
    assert stored(desk, url) == PARTS[:11]
    assert patch(slow, url, PARTS[11:], 11).status_code == 204


def test_a_client_goes_on_after_its_connection_broke(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a real connection that is cut off in the middle."""
    monkeypatch.setattr(files, "PIECE", 10_000)
    content = bytes(range(200)) * 500
    url = begun(desk, content)

    async def exchange() -> int:
        app = create_app(desk.workspace, Settings(authenticate=acting("S1"), desk=desk))
        server = Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
        task = asyncio.create_task(server.serve())
        await server.up.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        headers = {"host": "localhost", "content-length": "100000", "upload-offset": "0", **TUS}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"PATCH {url} HTTP/1.1\r\n{lines}\r\n".encode() + content[:30_000])
        await writer.drain()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            there = 0
            async with asyncio.timeout(10):
                while not there:
                    there = int((await client.head(url)).headers["upload-offset"])
            writer.close()
            status = 409
            while status == 409:  # what was under way when the connection broke may still be written
                there = int((await client.head(url)).headers["upload-offset"])
                rest = await client.patch(url, content=content[there:], headers=TUS | {"upload-offset": str(there)})
                status = rest.status_code
        server.should_exit = True
        await task
        return status

    assert asyncio.run(exchange()) == 204
    assert stored(desk, url) == content


def test_large_files_are_written_piece_by_piece(desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    append = desk.append

    def watched(actor: Actor, number: str, index: int, offset: int, pieces: Any) -> int:
        held = list(pieces)
        written.extend(map(len, held))
        return append(actor, number, index, offset, held)

    async def drops() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(100_000)

    monkeypatch.setattr(desk, "append", watched)
    url = begun(desk, bytes(10_000_000))
    assert put(client, url, drops()).status_code == 204
    assert max(written) < files.PIECE + 100_000
    assert sum(written) == 10_000_000


def test_a_body_without_an_end_is_cut_at_the_announced_size(desk: Desk, client: Client) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(100_000)

    url = begun(desk, bytes(1_000_000))
    answer = client.request("PATCH", url, content=endless(), headers=TUS | {"upload-offset": "0"})
    assert (answer.status_code, said(answer)["code"]) == (413, "TOO_LARGE")
    assert (taken, len(stored(desk, url))) == (11, 1_000_000)


def test_a_member_sends_only_so_many_files_at_once(desk: Desk) -> None:
    app = create_app(
        desk.workspace, Settings(authenticate=acting("S1"), desk=desk, limits=replace(Limits(), sending=1))
    )
    one, two = begun(desk), begun(desk)

    async def exchange() -> list[int]:
        started, go = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield PARTS[:5]
            started.set()
            await go.wait()
            yield PARTS[5:]

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://chain.test") as client:
            first = asyncio.create_task(client.put(one, content=slowly(), headers=SITE))
            await started.wait()
            second = await client.put(two, content=PARTS, headers=SITE)
            go.set()
            again = (await first, second, await client.put(two, content=PARTS, headers=SITE))
        return [answer.status_code for answer in again]

    assert asyncio.run(exchange()) == [204, 429, 204]


def test_two_who_send_the_same_file_make_one_file(desk: Desk, client: Client) -> None:
    url = begun(desk)
    answers: list[int] = []
    both = [threading.Thread(target=lambda: answers.append(put(client, url).status_code)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(answers) == [204, 409]
    assert stored(desk, url) == PARTS


# the file that goes back


def test_a_file_comes_back_with_what_is_wrong_marked(desk: Desk, client: Client) -> None:
    content = "number,name_zh,chain_level\nA1,轴承,part\nA2,箱体,nowhere\n".encode()
    url = begun(desk, content, "零部件.csv")
    early = client.get(f"/uploads/{code_of(url)}/marked.xlsx")
    assert (early.status_code, said(early)["reason"]) == (409, "upload.incomplete")
    put(client, url, content)
    answer = client.get(f"/uploads/{code_of(url)}/marked.xlsx", headers={"accept-language": "zh"})
    assert answer.status_code == 200
    assert "%E9%9B%B6%E9%83%A8%E4%BB%B6.xlsx" in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    commented = [cell.value for sheet in book for row in sheet for cell in row if cell.comment]
    assert "nowhere" in commented
    assert client.get(f"/uploads/{code_of(url)}/marked.xlsx?file=1").status_code == 404
    assert of(desk, "S2").get(f"/uploads/{code_of(url)}/marked.xlsx").status_code == 404
