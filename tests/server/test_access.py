"""Tokens and invitations over GraphQL: shown once, no more than one's own rights, taken back at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaingraph import Actor, Workspace
from schema.vocabularies import AccessRole
from server.api.app import Settings, create_app
from server.auth.accounts import Accounts
from server.auth.tokens import Tokens
from tests.server import world
from tests.server.client import Client
from tests.server.test_sharing import act, send

ISSUE = """mutation($i: TokenIssueInput!) { tokenIssue(input: $i) {
  issued { text token { name organisation role purpose readOnly note made expires by revoked } }
  userErrors { reason code path message remedy } } }"""
REVOKE = """mutation($n: String!) { tokenRevoke(input: {name: $n}) {
  token { name revoked } userErrors { reason path } } }"""
INVITE = """mutation($i: InvitationCreateInput!) { invitationCreate(input: $i) {
  invitation { code organisation role expires } userErrors { reason path } } }"""


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    with world.workspace(tmp_path) as made:
        yield made


def test_a_token_is_issued_listed_and_revoked(space: Workspace) -> None:
    firm, other = act(space, "L01", AccessRole.QUALITY), act(space, "S01", AccessRole.SUPPLIER)
    asked = {"role": "ANALYST", "purpose": "PLANNING", "readOnly": True, "days": 3, "note": "dashboard"}
    made = send(firm, ISSUE, i=asked)["tokenIssue"]
    assert made["userErrors"] == []
    token, text = made["issued"]["token"], made["issued"]["text"]
    assert (token["organisation"], token["role"], token["purpose"], token["readOnly"], token["note"]) == (
        "L01",
        "ANALYST",
        "PLANNING",
        True,
        "dashboard",
    )
    found = Tokens(space).find(text)
    assert found is not None
    assert found.name == token["name"]
    listed = "{ tokens { name revoked } }"
    assert send(firm, listed)["tokens"] == [{"name": token["name"], "revoked": None}]
    assert send(other, listed)["tokens"] == []
    unknown = [{"reason": "UNKNOWN", "path": ["input", "name"]}]
    for name in (token["name"], "none"):
        assert send(other, REVOKE, n=name)["tokenRevoke"] == {"token": None, "userErrors": unknown}
    assert send(firm, REVOKE, n=token["name"])["tokenRevoke"]["token"]["revoked"] is not None
    assert Tokens(space).find(text) is None
    assert text not in str(list(space.register.all("token")))


def test_nobody_gives_more_than_they_have(space: Workspace) -> None:
    firm = act(space, "S01", AccessRole.SUPPLIER)

    def wrong(query: str, name: str, **asked: Any) -> tuple[str, list[str]]:
        (error,) = send(firm, query, i=asked)[name]["userErrors"]
        return error["reason"], error["path"]

    for query, name in ((ISSUE, "tokenIssue"), (INVITE, "invitationCreate")):
        assert wrong(query, name, role="ADMINISTRATOR") == ("FORBIDDEN", ["input", "role"])
        assert wrong(query, name, role="SUPPLIER", organisation="L01") == ("FORBIDDEN", ["input", "role"])
        assert wrong(query, name, role="SUPPLIER", organisation=" ") == ("ORGANISATION", ["input", "organisation"])
        assert wrong(query, name, role="SUPPLIER", days=0) == ("DAYS", ["input", "days"])
    assert wrong(ISSUE, "tokenIssue", role="SUPPLIER", note="\n") == ("NOTE", ["input", "note"])
    for role in (AccessRole.ANALYST, AccessRole.AUDITOR, AccessRole.EXPERT, AccessRole.AUTHORITY):
        client = act(space, "S01", role)
        for asked in ({"query": ISSUE, "variables": {"i": {"role": "ANALYST"}}}, {"query": "{ tokens { name } }"}):
            assert client.post("/graphql", json=asked).status_code == 403


def test_an_invitation_lets_one_person_in(space: Workspace) -> None:
    admin = act(space, "")
    made = send(admin, INVITE, i={"organisation": "S07", "role": "SUPPLIER"})["invitationCreate"]["invitation"]
    assert (made["organisation"], made["role"]) == ("S07", "SUPPLIER")
    joined = Accounts(space).join(made["code"], "quality office", "a long enough passphrase")
    assert (joined.account.organisation, joined.account.role) == ("S07", AccessRole.SUPPLIER)
    none = send(admin, INVITE, i={"role": "SUPPLIER"})["invitationCreate"]
    assert none["userErrors"] == [{"reason": "ORGANISATION", "path": ["input", "organisation"]}]


def test_what_a_page_of_tokens_may_be(space: Workspace) -> None:
    tokens = Tokens(space)
    names = [tokens.issue(Actor("L01"), "L01", AccessRole.ANALYST)[0].name for _ in range(3)]
    client = Client(create_app(space, Settings()))
    assert [each["name"] for each in send(client, "{ tokens(first: 2) { name } }")["tokens"]] == names[:0:-1]
    body = client.post("/graphql", json={"query": "{ tokens(first: 101) { name } }"}).json()
    assert body["errors"][0]["extensions"]["code"] == "OUT_OF_RANGE"
