"""Uploads step by step over GraphQL: begun, looked at, decided about, confirmed, told of, taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import ingest
from chaingraph import Actor, Workspace
from ingest.desk import Desk, Worker
from schema.vocabularies import AccessRole, DraftState
from server.api.app import Settings, create_app
from server.api.drafts import CODE
from server.api.limits import Limits
from tests.server.client import Client, acting
from tests.server.test_files import PARTS, S1, code_of, put

EVERYONE = Actor()
NONE = "D-000000000000"
CREATE = """mutation($input: UploadCreateInput!) { uploadCreate(input: $input) {
  draft { code state complete files { name size received url marked } preview { ready } receipt { number } }
  userErrors { __typename code reason message path remedy } } }"""
MAP = """mutation($input: UploadMapInput!) { uploadMap(input: $input) {
  draft { code preview { digest ready sheets { kind by take taken columns { heading how field { name } }
    questions { id answer } } } } userErrors { reason path } } }"""
CONFIRM = """mutation($input: UploadConfirmInput!) { uploadConfirm(input: $input) {
  draft { state preview { digest } } userErrors { reason path message } } }"""
WITHDRAW = """mutation($code: String!) { uploadWithdraw(input: {code: $code}) {
  draft { state } userErrors { reason } } }"""
DRAFT = """query($code: String!, $locale: Locale) { uploadDraft(code: $code) {
  code state stateLabel(locale: $locale) complete problem { code message } progress { code state stage file done total }
  preview(locale: $locale) { digest ready counts { file kind read new } findings { severity code text }
    seers { grantee text }
    sheets { name sheet kind label by rows headerRow remembered taken take missing { name }
      candidates { kind label } fields { name label required unit }
      columns { position heading how field { name label } suggestions { name } }
      sample { row cells } questions { id text required answer column examples options { value text } } } }
  receipt { number taken refused sheets { file kind label rows taken refused upload { code file taken by } } }
  report { taken counts { kind new } findings { code text } } } }"""
STATES = "{ uploadDrafts(first: 100) { code state files { name } problem { code } receipt { number } } }"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as space:
        yield Desk(space, tmp_path / "spool")


@pytest.fixture
def client(desk: Desk) -> Client:
    return of(desk)


def of(desk: Desk, organisation: str = "S1", role: AccessRole = AccessRole.SUPPLIER, **more: Any) -> Client:
    return Client(create_app(desk.workspace, settings(desk, organisation, role, **more)))


def settings(
    desk: Desk | None, organisation: str = "S1", role: AccessRole = AccessRole.SUPPLIER, **more: Any
) -> Settings:
    return Settings(authenticate=acting(organisation, role, **more), desk=desk)


def asked(client: Client | httpx.Client, query: str, **variables: Any) -> Any:
    """The whole answer."""
    body = {"query": query, "variables": variables}
    return client.post("/graphql", json=body, headers={"accept-language": "en"}).json()


def got(client: Client | httpx.Client, query: str, **variables: Any) -> Any:
    """The only field of an answer without errors."""
    answer = asked(client, query, **variables)
    assert "errors" not in answer, answer["errors"]
    (found,) = answer["data"].values()
    return found


def begun(client: Client | httpx.Client, *files: tuple[str, bytes], **more: Any) -> Any:
    sizes = [{"name": name, "size": len(content)} for name, content in files]
    return got(client, CREATE, input={"files": sizes, **more})


def brought(client: Client | httpx.Client, content: bytes = PARTS, name: str = "parts.csv") -> str:
    """The number of a new upload whose file is there."""
    draft = begun(client, (name, content))["draft"]
    assert put(client, draft["files"][0]["url"], content).status_code == 204
    return str(draft["code"])


def seen(client: Client | httpx.Client, code: str) -> str:
    return str(got(client, DRAFT, code=code)["preview"]["digest"])


def confirmed(client: Client | httpx.Client, code: str) -> None:
    answer = got(client, CONFIRM, input={"code": code, "seen": seen(client, code)})
    assert (answer["draft"]["state"], answer["userErrors"]) == ("CONFIRMED", [])


# from the first step to the last


def test_an_upload_goes_from_its_files_to_its_receipt_and_back(desk: Desk, client: Client) -> None:
    made = begun(client, ("parts.csv", PARTS))
    draft = made["draft"]
    assert made["userErrors"] == []
    assert CODE.fullmatch(draft["code"])
    url = f"/uploads/{draft['code']}/0"
    marked = f"/uploads/{draft['code']}/marked.xlsx?file=0"
    assert draft["files"] == [{"name": "parts.csv", "size": len(PARTS), "received": 0, "url": url, "marked": marked}]
    assert (draft["state"], draft["complete"], draft["preview"], draft["receipt"]) == ("OPEN", False, None, None)
    put(client, url)
    found = got(client, DRAFT, code=draft["code"])
    assert (found["complete"], found["preview"]["ready"]) == (True, True)
    assert found["preview"]["counts"] == [{"file": "parts.csv", "kind": "part", "read": 2, "new": 2}]
    (sheet,) = found["preview"]["sheets"]
    assert (sheet["kind"], sheet["label"], sheet["by"], sheet["rows"], sheet["headerRow"]) == (
        "PART",
        "Part",
        "NAME",
        2,
        1,
    )
    assert sheet["sample"] == [{"row": 2, "cells": ["A1", "轴承"]}, {"row": 3, "cells": ["A2", "箱体"]}]
    assert [(c["how"], c["field"]["name"]) for c in sheet["columns"]] == [("EXACT", "number"), ("EXACT", "name_zh")]
    assert {"name": "number", "label": "Number", "required": True, "unit": None} in sheet["fields"]
    confirmed(client, draft["code"])
    assert desk.workspace.view("S1").count("part") == 0
    assert got(client, DRAFT, code=draft["code"])["preview"] is None
    desk.work_all()
    done = got(client, DRAFT, code=draft["code"])
    assert (done["state"], done["stateLabel"], done["problem"]) == ("LOADED", "Loaded", None)
    receipt = done["receipt"]
    assert (receipt["taken"], receipt["refused"]) == (2, 0)
    (became,) = receipt["sheets"]
    assert (became["kind"], became["label"], became["upload"]["file"]) == ("PART", "Part", "parts.csv")
    assert became["upload"]["by"] == "S1"
    assert done["report"]["counts"] == [{"kind": "part", "new": 2}]
    assert desk.workspace.view("S1").table("part")["key"].to_list() == ["S1/A1", "S1/A2"]
    assert got(client, WITHDRAW, code=draft["code"]) == {"draft": {"state": "WITHDRAWN"}, "userErrors": []}
    assert desk.workspace.view("S1").count("part") == 0


def test_what_was_confirmed_is_taken_by_the_worker_also_when_the_server_starts_anew(desk: Desk, client: Client) -> None:
    code = brought(client)
    confirmed(client, code)
    with Worker(desk):
        pass  # what is being taken is taken before it ends
    assert got(client, DRAFT, code=code)["state"] in {"CONFIRMED", "LOADED"}
    desk.work_all()
    assert got(client, DRAFT, code=code)["receipt"]["taken"] == 2


def test_everything_is_said_in_the_language_that_is_asked_for(client: Client) -> None:
    found = got(client, DRAFT, code=brought(client), locale="ZH")
    (sheet,) = found["preview"]["sheets"]
    assert (found["stateLabel"], sheet["label"], sheet["columns"][0]["field"]["label"]) == (
        "未确认",
        "零部件",
        "物料编码",
    )
    assert {"kind": "PART", "label": "零部件"} in sheet["candidates"]


def test_columns_and_kinds_are_decided_and_remembered(desk: Desk, client: Client) -> None:
    content = "件的号,叫法,库位\nA1,轴承,7\n".encode()
    code = brought(client, content, "x.csv")
    (sheet,) = got(client, DRAFT, code=code)["preview"]["sheets"]
    assert (sheet["kind"], sheet["by"], sheet["label"], sheet["fields"]) == (None, "NOTHING", None, [])
    columns = [{"position": "0", "field": "number"}, {"position": "1", "field": "name_zh"}, {"position": "2"}]
    answer = got(client, MAP, input={"code": code, "sheets": [{"name": "x.csv", "kind": "PART", "columns": columns}]})
    (sheet,) = answer["draft"]["preview"]["sheets"]
    assert [(c["how"], c["field"] and c["field"]["name"]) for c in sheet["columns"]] == [
        ("CHOSEN", "number"), ("CHOSEN", "name_zh"), ("ASIDE", None),
    ]  # fmt: skip
    assert (sheet["kind"], sheet["by"]) == ("PART", "CHOICE")
    confirmed(client, code)
    desk.work_all()
    (sheet,) = got(client, DRAFT, code=brought(client, content + b"A2,b,8\n", "y.csv"))["preview"]["sheets"]
    assert (sheet["remembered"], sheet["kind"]) == (True, "PART")


def test_questions_are_answered(client: Client) -> None:
    code = brought(client, b"part,age,age_unit\nA1,100,h\n", "life_records.csv")
    preview = got(client, DRAFT, code=code)["preview"]
    (question,) = preview["sheets"][0]["questions"]
    assert (preview["ready"], question["id"], question["required"], question["answer"]) == (False, "event", True, None)
    assert {each["value"] for each in question["options"]} == {"failure", "suspension"}
    early = got(client, CONFIRM, input={"code": code, "seen": preview["digest"]})
    assert [error["reason"] for error in early["userErrors"]] == ["NOT_READY"]
    answers = {"name": "life_records.csv", "answers": [{"id": "event", "value": "suspension"}]}
    preview = got(client, MAP, input={"code": code, "sheets": [answers]})["draft"]["preview"]
    assert (preview["ready"], preview["sheets"][0]["questions"]) == (True, [{"id": "event", "answer": "suspension"}])


def test_a_sheet_is_left_out_until_it_is_taken_in_again(client: Client) -> None:
    code = brought(client)

    def decided(**more: Any) -> tuple[bool, bool]:
        answer = got(client, MAP, input={"code": code, "sheets": [{"name": "parts.csv", **more}]})
        (sheet,) = answer["draft"]["preview"]["sheets"]
        return sheet["take"], sheet["taken"]

    assert decided(take=False) == (False, False)
    assert decided(columns=[{"position": "1"}]) == (False, False)
    assert decided(take=True) == (True, True)


# what is refused


def test_what_was_not_seen_is_not_taken(desk: Desk, client: Client) -> None:
    code = brought(client)
    other = got(client, CONFIRM, input={"code": code, "seen": "another"})
    assert [(e["reason"], e["path"]) for e in other["userErrors"]] == [("CHANGED", ["input", "seen"])]
    before = seen(client, code)
    ingest.load(desk.workspace, _file(desk, "parts.csv", "number,name_zh\nA1,别的\n"), by="S1")
    changed = got(client, CONFIRM, input={"code": code, "seen": before})
    assert [e["reason"] for e in changed["userErrors"]] == ["CHANGED"]
    confirmed(client, code)
    again = got(client, CONFIRM, input={"code": code, "seen": before})
    assert [e["reason"] for e in again["userErrors"]] == ["STATE"]
    for answer in (
        got(client, MAP, input={"code": code, "sheets": [{"name": "parts.csv", "take": False}]}),
        got(client, WITHDRAW, code=code),
    ):
        assert [e["reason"] for e in answer["userErrors"]] == ["STATE"]
    assert got(client, DRAFT, code=code)["state"] == "CONFIRMED"


def _file(desk: Desk, name: str, text: str) -> list[Path]:
    folder = Path(desk.workspace.store.url.removeprefix("sqlite:///")).parent
    (folder / name).write_text(text, encoding="utf-8")
    return [folder / name]


def test_half_a_file_is_not_confirmed(desk: Desk, client: Client) -> None:
    code = begun(client, ("a.csv", PARTS), ("b.csv", PARTS))["draft"]["code"]
    put(client, f"/uploads/{code}/0")
    desk.append(S1, code, 1, 0, [PARTS[:20]])
    found = got(client, DRAFT, code=code)
    assert (found["complete"], found["preview"]) == (False, None)
    answer = got(client, CONFIRM, input={"code": code, "seen": "any"})
    assert [e["reason"] for e in answer["userErrors"]] == ["INCOMPLETE"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([], "SIZE"),
        ([{"name": "a.csv", "size": -1}], "SIZE"),
        ([{"name": "a.csv", "size": 1 << 50}], "TOO_LARGE"),
        ([{"name": "a.csv", "size": 2**63 - 1}], "TOO_LARGE"),
        ([{"name": "a.csv", "size": 1}] * 51, "TOO_MANY"),
        ([{"name": "a.csv", "size": 1 << 30}] * 9, "QUOTA"),
    ],
    ids=["none", "negative", "a petabyte", "the largest number", "51", "more than a member may have"],
)
def test_files_that_cannot_be_are_refused(client: Client, files: list[Any], reason: str) -> None:
    answer = got(client, CREATE, input={"files": files})
    assert answer["draft"] is None
    (error,) = answer["userErrors"]
    assert (error["__typename"], error["reason"], error["path"]) == ("UploadCreateError", reason, ["input", "files"])
    assert error["message"]
    assert error["remedy"]
    assert got(client, STATES) == []


def test_a_member_begins_only_so_many_uploads(client: Client) -> None:
    for _ in range(50):
        assert begun(client, ("a.csv", PARTS))["draft"] is not None
    answer = begun(client, ("a.csv", PARTS))
    assert [e["reason"] for e in answer["userErrors"]] == ["TOO_MANY"]
    assert len(got(client, STATES)) == 50
    assert len(got(client, "{ uploadDrafts(first: 7) { code } }")) == 7
    refused = asked(client, "{ uploadDrafts(first: 101) { code } }")
    assert refused["errors"][0]["extensions"]["code"] == "OUT_OF_RANGE"


def test_whoever_begins_uploads_without_end_is_slowed_down(desk: Desk) -> None:
    limits = replace(Limits(), budget=4_000, budget_rate=1e-6)
    client, made = Client(create_app(desk.workspace, replace(settings(desk), limits=limits))), 0
    begin = 'mutation { uploadCreate(input: {files: [{name: "a.csv", size: 1}]}) { draft { code } } }'
    while (answer := client.post("/graphql", json={"query": begin})).status_code == 200:
        desk.withdraw(S1, answer.json()["data"]["uploadCreate"]["draft"]["code"])
        made += 1
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (429, "THROTTLED")
    assert 5 < made < 10


@pytest.mark.parametrize(
    "names", [["other.csv"], ["parts.csv", "parts.csv"], [f"parts.csv[{i}]" for i in range(240)]],
    ids=["of no file", "twice", "too many"],
)  # fmt: skip
def test_decisions_about_sheets_that_are_not_there_are_refused(desk: Desk, names: list[str]) -> None:
    client = Client(create_app(desk.workspace, settings(desk)))
    code = brought(client)
    first = {"code": code, "sheets": [{"name": f"parts.csv[x{i}]", "take": True} for i in range(240)]}
    if len(names) > 2:
        assert got(client, MAP.replace("preview", "p: preview"), input=first)["userErrors"] == []
        more = {"code": code, "sheets": [{"name": f"parts.csv[y{i}]", "take": True} for i in range(240)]}
        assert got(client, MAP, input=more)["userErrors"] == []
    answer = got(client, MAP, input={"code": code, "sheets": [{"name": name, "take": False} for name in names]})
    assert [(e["reason"], e["path"]) for e in answer["userErrors"]] == [("SHEET", ["input", "sheets"])]


@pytest.mark.parametrize(
    "sheet",
    [
        {"name": "parts.csv", "kind": "PART", "columns": [{"position": "99999", "field": "number"}]},
        {"name": "parts.csv", "columns": [{"position": "0", "field": "__class__"}]},
        {"name": "parts.csv", "kind": "UPLOAD"},
        {"name": "parts.csv", "answers": [{"id": "none:7", "value": "\u202e"}]},
        {"name": "parts.csv[../../x]", "take": True},
    ],
    ids=["no such column", "no such field", "no sheet's kind", "no such question", "a path"],
)
def test_decisions_that_mean_nothing_break_nothing(client: Client, sheet: Any) -> None:
    code = brought(client)
    answer = asked(client, MAP, input={"code": code, "sheets": [sheet]})
    assert "errors" not in answer
    assert got(client, DRAFT, code=code)["state"] == "OPEN"


def test_a_list_with_previews_is_too_costly(client: Client) -> None:
    answer = asked(client, "{ uploadDrafts(first: 100) { preview { ready } } }")
    assert answer["errors"][0]["extensions"]["code"] == "TOO_COSTLY"


def test_reading_over_get_changes_nothing_and_nothing_is_changed_over_get(desk: Desk, client: Client) -> None:
    code = brought(client)
    before = desk.get(S1, code)
    query = f'{{ uploadDraft(code: "{code}") {{ preview {{ digest }} }} }}'
    assert client.get("/graphql", params={"query": query}).json()["data"]["uploadDraft"]["preview"]["digest"]
    refused = client.get(
        "/graphql", params={"query": f'mutation {{ uploadWithdraw(input: {{code: "{code}"}}) {{ draft {{ code }} }} }}'}
    )
    assert refused.status_code == 405
    assert desk.get(S1, code) == before


def test_a_server_without_a_desk_has_no_uploads_step_by_step(desk: Desk) -> None:
    plain = Client(create_app(desk.workspace, settings(None)))
    assert got(plain, STATES) == []
    assert got(plain, DRAFT, code=NONE) is None
    answer = asked(plain, CREATE, input={"files": [{"name": "a.csv", "size": 1}]})
    assert answer["errors"][0]["extensions"]["reason"] == "upload.no_desk"


# whose it is


def test_somebody_elses_upload_is_none(desk: Desk, client: Client) -> None:
    code = brought(client)
    theirs = of(desk, "S2")
    inputs: list[tuple[str, dict[str, Any]]] = [
        (DRAFT, {"code": "CODE"}),
        (MAP, {"input": {"code": "CODE", "sheets": [{"name": "parts.csv", "take": False}]}}),
        (CONFIRM, {"input": {"code": "CODE", "seen": seen(client, code)}}),
        (WITHDRAW, {"code": "CODE"}),
    ]
    for query, variables in inputs:
        answers = set()
        for each in (code, NONE, "D-", "S1/" + code, "../S1/" + code, "D-" + "0" * 3000):
            answer = asked(theirs, query, **json.loads(json.dumps(variables).replace("CODE", each)))
            answer["extensions"].pop("cost")
            answers.add(json.dumps(answer, ensure_ascii=False).replace(each, "CODE"))
        assert len(answers) == 1
        assert "UNKNOWN" in answers.pop() or query is DRAFT
    assert got(theirs, STATES) == []
    assert desk.get(S1, code).state is DraftState.OPEN


def test_only_ones_own_upload_is_replaced(desk: Desk, client: Client) -> None:
    report = ingest.load(desk.workspace, _file(desk, "parts.csv", "number,name_zh\nB1,轴\n"), by="S1")
    theirs = of(desk, "S2")
    for number in (report.load, next(iter(report.uploads.values())), "L-none"):
        answer = begun(theirs, ("a.csv", PARTS), replace=number)
        assert [(e["reason"], e["path"][-1]) for e in answer["userErrors"]] == [("UNKNOWN", "replace")]
    assert begun(client, ("a.csv", PARTS), replace=report.load)["userErrors"] == []


def test_what_others_bring_changes_no_byte_of_an_answer(tmp_path: Path) -> None:
    """Two worlds that differ in another firm's rows and drafts, which nobody has agreed to share."""
    secret = "物料编码,名称\nA1,机密轴承\nZZ9,机密\n".encode()
    answers = []
    for name in ("one", "two"):
        with Workspace.open(f"sqlite:///{tmp_path / name}.db") as space:
            desk = Desk(space, tmp_path / f"{name} spool")
            if name == "two":
                theirs = of(desk, "S2")
                confirmed(theirs, brought(theirs, secret, "parts.csv"))
                desk.work_all()
                brought(theirs, secret, "机密.csv")
            mine = of(desk)
            code = brought(mine)
            found = [got(mine, DRAFT, code=code), got(mine, STATES)]
            confirmed(mine, code)
            desk.work_all()
            found += [got(mine, DRAFT, code=code), got(mine, STATES)]
            said = json.dumps(found, ensure_ascii=False)
            draft = desk.get(S1, code)
            assert draft.receipt is not None
            for number in (code, draft.load or "-", *(s.upload or "-" for s in draft.receipt.sheets), str(draft.seen)):
                said = said.replace(number, "NUMBER")
            answers.append(said)
    assert answers[0] == answers[1]
    assert "机密" not in answers[1]


def test_roles_upload_only_where_they_may(desk: Desk) -> None:
    for role in AccessRole:
        may = role in {AccessRole.ADMINISTRATOR, AccessRole.QUALITY, AccessRole.SUPPLIER, AccessRole.EXPERT}
        for query, variables in _everything():
            answer = asked(of(desk, role=role), query, **variables)
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            assert codes == ([] if may else ["FORBIDDEN"])
    reading = of(desk, read_only=True)
    for query, variables in _everything():
        assert asked(reading, query, **variables)["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def _everything() -> list[tuple[str, dict[str, Any]]]:
    return [
        (STATES, {}),
        (DRAFT, {"code": NONE}),
        (CREATE, {"input": {"files": []}}),
        (MAP, {"input": {"code": NONE, "sheets": []}}),
        (CONFIRM, {"input": {"code": NONE, "seen": ""}}),
        (WITHDRAW, {"code": NONE}),
    ]


def test_numbers_in_addresses_are_those_of_uploads(client: Client) -> None:
    draft = begun(client, ("a.csv", PARTS), ("b.csv", PARTS))["draft"]
    assert [code_of(each["url"]) for each in draft["files"]] == [draft["code"]] * 2
    assert [each["url"][-2:] for each in draft["files"]] == ["/0", "/1"]
