"""GraphQL over HTTP: media types, refusals, limits and uploads, on a small schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
import strawberry
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.routing import Route
from strawberry.file_uploads import Upload

from server.api.errors import ApiError, Code
from server.api.http import MODERN, PLAIN, PREFLIGHT, Endpoint, accepted
from server.api.limits import Limits
from tests.server.client import Client

SEEN: list[str] = []


@strawberry.type
class ThingConnection:
    nodes: list[Thing]
    total_count: int


@strawberry.type
class Thing:
    name: str

    @strawberry.field
    def things(self, first: int = 20) -> ThingConnection:
        return page(first)


def page(first: int) -> ThingConnection:
    return ThingConnection(nodes=[Thing(name=f"t{i}") for i in range(first)], total_count=first)


@strawberry.type
class Query:
    @strawberry.field
    def things(self, first: int = 20) -> ThingConnection:
        return page(first)

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def half(self, of: int) -> float | None:
        return 10 / of

    @strawberry.field
    def refused(self) -> str | None:
        raise ApiError(Code.NOT_FOUND, "There is no such thing.")

    @strawberry.field(metadata={"cost": 49_999})  # type: ignore[untyped-decorator]
    def dear(self) -> Thing:
        return Thing(name="dear")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def take(self, files: Annotated[list[Upload], strawberry.argument(name="files")]) -> list[str]:
        taken = []
        for file in files:
            assert isinstance(file, UploadFile)
            taken.append(f"{file.filename}:{len(file.file.read())}")
        SEEN.extend(taken)
        return taken


SCHEMA = strawberry.Schema(Query, Mutation)


def client_of(**options: Any) -> Client:
    endpoint = Endpoint(SCHEMA, lambda _request: None, **options)
    return Client(Starlette(routes=[Route("/graphql", endpoint)]))


CLIENT = client_of()


def post(query: str, client: Client = CLIENT, accept: str = MODERN, **variables: Any) -> Any:
    return client.post("/graphql", json={"query": query, "variables": variables}, headers={"accept": accept})


def code(response: Any) -> str:
    (error, *_) = response.json()["errors"]
    assert set(error) >= {"message", "extensions"}
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    return str(error["extensions"]["code"])


def test_a_query_is_answered_with_its_cost() -> None:
    response = post("{ things(first: 3) { nodes { name } totalCount } }")
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{MODERN}; charset=utf-8"
    assert response.json()["data"]["things"]["nodes"][2] == {"name": "t2"}
    assert response.json()["extensions"]["cost"]["requested"] == 1 + 3


def test_get_takes_queries_only() -> None:
    answered = CLIENT.get(
        "/graphql", params={"query": "query($t: String!) { echo(text: $t) }", "variables": '{"t": "链"}'}
    )
    assert answered.json()["data"] == {"echo": "链"}
    refused = CLIENT.get("/graphql", params={"query": "mutation { take(files: []) }"})
    assert (refused.status_code, code(refused), refused.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "GET, POST")
    assert SEEN == []


@pytest.mark.parametrize(
    ("header", "media"),
    [
        (None, PLAIN),
        ("*/*", PLAIN),
        (MODERN, MODERN),
        (f"{PLAIN}, {MODERN}", PLAIN),
        (f"{PLAIN};q=0.5, {MODERN}", MODERN),
        (f"{MODERN};q=x, {PLAIN}", PLAIN),
    ],
)
def test_the_media_type_is_the_clients_choice(header: str | None, media: str) -> None:
    assert accepted(header) == media


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ things(", "SYNTAX"),
        ("{ nothing }", "INVALID"),
        ("query($n: Int!) { things(first: $n) { totalCount } }", "INVALID"),
        ("query A { __typename } query B { __typename }", "INVALID"),
        ("{ things(first: 101) { totalCount } }", "OUT_OF_RANGE"),
        ("{ things(first: 0) { totalCount } }", "OUT_OF_RANGE"),
        ("{ things(first: -1) { nodes { things(first: 1) { totalCount } } } }", "OUT_OF_RANGE"),
        ("{ dear { name } again: dear { name } }", "TOO_COSTLY"),
        (
            "{ things(first: 100) { nodes { things(first: 100) { nodes { things(first: 9) { nodes { name } } } } } } }",
            "TOO_COSTLY",
        ),
        ("{ a: __typename " + " ".join(f"a{i}: __typename" for i in range(100)) + " }", "TOO_MANY"),
        ("{ __typename " + "@skip(if: false) " * 6 + "}", "TOO_MANY"),
        ("{ things {" + " nodes { things {" * 9 + " totalCount " + "} }" * 9 + "} }", "TOO_DEEP"),
        ("{" * 3000, "SYNTAX"),
        ("{ " + "__typename " * 3000 + "}", "SYNTAX"),
        ('{ echo(text: "\\ud800") }', "SYNTAX"),
    ],
)
def test_refusals_are_4xx_without_data(query: str, expected: str) -> None:
    response = post(query)
    assert (response.status_code, code(response)) == (400, expected)
    assert "data" not in response.json()


def test_clients_of_plain_json_get_200_for_documents_that_do_not_fit() -> None:
    response = post("{ nothing }", accept=PLAIN)
    assert (response.status_code, code(response)) == (200, "INVALID")


def test_page_sizes_in_variables_are_measured_before_anything_runs() -> None:
    query = "query($n: Int! = 5) { things(first: $n) { nodes { name } } }"
    assert code(post(query, n=101)) == "OUT_OF_RANGE"
    assert post(query).json()["extensions"]["cost"]["requested"] == 6
    assert post(query, n=7).json()["extensions"]["cost"]["requested"] == 8


def test_nested_fragments_are_measured_in_linear_time() -> None:
    chain = " ".join(f"fragment f{i} on Thing {{ ...f{i + 1} ...f{i + 1} }}" for i in range(60))
    response = post(f"{{ dear {{ ...f0 }} }} {chain} fragment f60 on Thing {{ name }}")
    assert response.json()["data"] == {"dear": {"name": "dear"}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"[{}]",
        b'{"query": 3}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "extensions": 1}',
        b'{"query": "{ __typename }", "variables": {"a": NaN}}',
        b'{"query": "{ __typename }", "operationName": {}}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"query": "\xff"}',
        b'{"query": "{ echo(text: \\"\\ud800\\") }"}',
        b'{"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": "\\ud800"}}',
        b'{"query": ' + b"9" * 5000 + b"}",
    ],
)
def test_bad_bodies_are_400(body: bytes) -> None:
    response = CLIENT.post("/graphql", content=body, headers={"content-type": PLAIN})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk", ""]
)
def test_other_media_types_are_refused(kind: str) -> None:
    response = CLIENT.post("/graphql", content=b'{"query": "{ __typename }"}', headers={"content-type": kind})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


def test_bodies_have_a_limit() -> None:
    response = CLIENT.post("/graphql", content=b" " * 1_000_001, headers={"content-type": PLAIN})
    assert (response.status_code, code(response)) == (413, "TOO_LARGE")


def test_faults_are_masked_and_refusals_are_not(caplog: pytest.LogCaptureFixture) -> None:
    response = post("{ half(of: 0) refused }")
    masked, told = sorted(response.json()["errors"], key=lambda e: str(e["path"]))
    assert response.json()["data"] == {"half": None, "refused": None}
    assert masked["extensions"]["code"] == "INTERNAL"
    assert "division" not in json.dumps(masked)
    assert "division by zero" in caplog.text
    assert masked["extensions"]["requestId"] in caplog.text
    assert (told["extensions"]["code"], told["message"]) == ("NOT_FOUND", "There is no such thing.")


def test_a_request_id_can_be_given() -> None:
    given = CLIENT.post("/graphql", json={"query": "{ x }"}, headers={"x-request-id": "trace-0001"})
    assert given.json()["errors"][0]["extensions"]["requestId"] == given.headers["x-request-id"] == "trace-0001"
    refused = CLIENT.post("/graphql", json={"query": "{ x }"}, headers={"x-request-id": "<script>alert(1)</script>"})
    assert "script" not in refused.text


def test_introspection_and_suggestions_are_for_development() -> None:
    closed, opened = client_of(), client_of(development=True)
    assert code(post("{ __schema { types { name } } }", closed)) == "INVALID"
    assert post("{ __schema { types { name } } }", opened).status_code == 200
    assert "Did you mean" not in post("{ thing { name } }", closed).text
    assert "Did you mean" in post("{ thing { name } }", opened).text


MUTATION = "mutation($f: [Upload!]!) { take(files: $f) }"


def upload(operations: object, where: object, *, header: bool = True, client: Client = CLIENT) -> Any:
    return client.post(
        "/graphql",
        data={"operations": json.dumps(operations), "map": json.dumps(where)},
        files={"0": ("a.csv", b"id\n1\n"), "1": ("二.csv", b"id\n")},
        headers={PREFLIGHT: "1"} if header else {},
    )


def test_files_are_taken_with_a_header_that_no_form_can_send() -> None:
    SEEN.clear()
    ask = {"query": MUTATION, "variables": {"f": [None, None]}}
    where = {"0": ["variables.f.0"], "1": ["variables.f.1"]}
    refused = upload(ask, where, header=False)
    assert (refused.status_code, code(refused), SEEN) == (403, "FORBIDDEN", [])
    taken = upload(ask, where)
    assert taken.json()["data"] == {"take": ["a.csv:5", "二.csv:3"]}


@pytest.mark.parametrize(
    "where",
    [
        {"0": ["variables.f.5"]},
        {"0": ["query"]},
        {"0": ["variables"]},
        {"0": "variables.f"},
        {"9": ["variables.f.0"]},
        [],
        3,
    ],
)
def test_maps_that_lead_nowhere_are_refused(where: object) -> None:
    response = upload({"query": MUTATION, "variables": {"f": [None, None]}}, where)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


def test_uploads_have_a_limit() -> None:
    response = upload({"query": MUTATION, "variables": {"f": [None]}}, {}, client=client_of(limits=Limits(upload=100)))
    assert (response.status_code, code(response)) == (413, "TOO_LARGE")


def test_a_broken_multipart_body_is_refused() -> None:
    headers = {PREFLIGHT: "1", "content-type": "multipart/form-data"}
    response = CLIENT.post("/graphql", content=b"--x", headers=headers)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


def test_the_cache_of_documents_is_bounded() -> None:
    endpoint = Endpoint(SCHEMA, lambda _request: None)
    make: Callable[[int], str] = lambda i: "{ " + " " * 9000 + f'echo(text: "{i}") }}'  # noqa: E731
    first = endpoint.documents.get(make(0))
    assert endpoint.documents.get(make(0)) is first
    for i in range(1, 40):
        endpoint.documents.get(make(i))
    assert endpoint.documents._size <= 200_000
    assert endpoint.documents.get(make(0)) is not first
