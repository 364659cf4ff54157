"""Mutations: a file goes in over HTTP and its report comes back; an upload is taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaingraph import Workspace
from ingest.desk.spool import NAME_BYTES, file_name
from server.api.app import Settings, create_app
from server.api.http import PREFLIGHT
from tests.server.client import Client, acting

LOAD = """mutation($input: UploadLoadInput!) { uploadLoad(input: $input) {
  report { taken dryRun counts { file kind read new changed same refused }
           findings { severity code text remedy file row column value more } }
  uploads { id code file kind taken refused by }
  userErrors { __typename code message path ... on RowError { file row column value remedy } } } }"""
UNDO = """mutation($code: String!) { uploadUndo(input: {code: $code}) {
  report { counts { kind removed } } userErrors { code } } }"""
PARTS = "number,issuer,name_zh,chain_level\nB01,L01,轴,part\nB02,L01,油脂,nowhere\n"


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as made:
        yield made


@pytest.fixture
def client(space: Workspace) -> Client:
    return Client(create_app(space))


def send(client: Client, content: bytes | str, name: str = "parts.csv", **options: Any) -> Any:
    operations = {"query": LOAD, "variables": {"input": {"file": None, **options}}}
    response = client.post(
        "/graphql",
        data={"operations": json.dumps(operations), "map": json.dumps({"f": ["variables.input.file"]})},
        files={"f": (name, content if isinstance(content, bytes) else content.encode())},
        headers={PREFLIGHT: "1", "accept-language": "en"},
    )
    body = response.json()
    assert "errors" not in body, body
    return body["data"]["uploadLoad"]


def parts(client: Client) -> list[str]:
    query = {"query": "{ parts { nodes { number stub } } }"}
    nodes = client.post("/graphql", json=query).json()["data"]["parts"]["nodes"]
    return [node["number"] for node in nodes if not node["stub"]]


def test_a_file_goes_in_and_its_report_comes_back(client: Client) -> None:
    payload = send(client, PARTS)
    (count,) = payload["report"]["counts"]
    assert (count["kind"], count["read"], count["new"], count["refused"]) == ("part", 2, 1, 1)
    (error,) = payload["userErrors"]
    assert (error["__typename"], error["path"], error["row"], error["value"]) == (
        "RowError",
        ["input", "file"],
        3,
        "nowhere",
    )
    assert error["message"]
    assert error["remedy"]
    (upload,) = payload["uploads"]
    assert (upload["file"], upload["kind"], upload["taken"], upload["refused"]) == ("parts.csv", "part", 1, 1)
    assert parts(client) == ["B01"]


def test_the_same_file_again_changes_nothing(client: Client) -> None:
    send(client, PARTS)
    (count,) = send(client, PARTS)["report"]["counts"]
    assert (count["new"], count["changed"], count["same"]) == (0, 0, 1)


def test_dry_runs_and_strict_loads_take_nothing(client: Client) -> None:
    assert send(client, PARTS, dryRun=True)["report"]["dryRun"] is True
    assert send(client, PARTS, strict=True)["report"]["taken"] is False
    assert parts(client) == []


def test_an_upload_is_taken_back(client: Client) -> None:
    code = send(client, PARTS)["uploads"][0]["code"]
    undone = client.post("/graphql", json={"query": UNDO, "variables": {"code": code}}).json()["data"]["uploadUndo"]
    assert {c["kind"]: c["removed"] for c in undone["report"]["counts"]}["part"] == 1
    assert parts(client) == []
    again = client.post("/graphql", json={"query": UNDO, "variables": {"code": "U-none"}}).json()
    assert again["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert again["errors"][0]["extensions"]["reason"].startswith("upload.")


def test_rows_belong_to_the_servers_organisation(space: Workspace) -> None:
    client = Client(create_app(space, Settings(authenticate=acting("S05"))))
    assert send(client, "number,name_zh\nB01,轴\n")["uploads"][0]["by"] == "S05"
    assert space.view().table("part")["owner"].unique().to_list() == ["S05"]


def test_one_takes_back_and_replaces_ones_own_uploads_only(space: Workspace) -> None:
    mine, theirs = (Client(create_app(space, Settings(authenticate=acting(firm)))) for firm in ("S05", "S06"))
    send(mine, "number,name_zh\nB01,轴\n")
    upload = space.view().table("upload").row(0, named=True)

    def undo(client: Client, code: str) -> Any:
        return client.post("/graphql", json={"query": UNDO, "variables": {"code": code}}).json()

    def replace(client: Client, code: str) -> Any:
        operations = {"query": LOAD, "variables": {"input": {"file": None, "replace": code}}}
        data = {"operations": json.dumps(operations), "map": json.dumps({"f": ["variables.input.file"]})}
        return client.post(
            "/graphql", data=data, files={"f": ("parts.csv", b"number\nB07\n")}, headers={PREFLIGHT: "1"}
        ).json()

    def said(body: Any, code: str) -> Any:
        (error,) = body["errors"]
        assert error["extensions"].pop("requestId")
        return json.loads(json.dumps(error).replace(code, "CODE"))

    for change in (undo, replace):
        codes = (upload["key"], upload["load"], "U-none", upload["key"][:8])
        answers = [said(change(theirs, code), code) for code in codes]
        assert answers[0]["extensions"]["reason"] == "upload.unknown"
        assert answers[1:] == answers[:1] * 3
    assert space.view().table("part")["number"].to_list() == ["B01"]
    assert undo(mine, upload["key"])["data"]["uploadUndo"]["userErrors"] == []
    assert space.view().count("part") == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("parts.csv", b""),
        ("parts.xlsx", b"PK\x03\x04 not a workbook"),
        ("parts.csv", b"\xff\xfe\x00"),
        ("a.exe", b"MZ"),
    ],
)
def test_files_that_cannot_be_read_are_reported(client: Client, name: str, content: bytes) -> None:
    payload = send(client, content, name)
    assert payload["userErrors"]
    assert payload["uploads"] == []


def test_without_a_file_there_is_an_error(client: Client) -> None:
    body = client.post("/graphql", json={"query": LOAD, "variables": {"input": {"file": "parts.csv"}}}).json()
    assert body["errors"][0]["extensions"]["code"] == "INVALID"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("零部件.csv", "零部件.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\parts.csv", "parts.csv"),
        ("a\x00b\n.csv", "ab.csv"),
        ("", "upload"),
        (None, "upload"),
        ("..", "upload"),
        (".csv", "csv"),
        ("x" * 300 + ".xlsx", "x" * NAME_BYTES + ".xlsx"),
    ],
)
def test_file_names_lead_nowhere(given: str | None, kept: str) -> None:
    assert file_name(given) == kept
