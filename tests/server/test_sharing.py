"""Agreements and requests for names over GraphQL: what each side may do, and what it sees then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaingraph import PRESETS, Workspace
from schema.vocabularies import AccessRole, Purpose
from server.api.app import Settings, create_app
from tests.chaingraph.world import change, rows
from tests.server import world
from tests.server.client import Client, acting, sealed

PROPOSE = """mutation($i: AgreementProposeInput!) { agreementPropose(input: $i) {
  agreement { id key code version owner grantee records aspects purposes state mode atEnd onward proposedBy { key } }
  userErrors { code reason message remedy path } } }"""
ANSWER = """mutation($a: String!) { %s(input: {agreement: $a}) {
  agreement { key state } userErrors { code reason message path } } }"""
REVOKE = """mutation($i: AgreementRevokeInput!) { agreementRevoke(input: $i) {
  agreements { key state } userErrors { code reason path } } }"""
LATER = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    with world.workspace(tmp_path) as made:
        yield made


def act(space: Workspace, firm: str, role: AccessRole = AccessRole.ADMINISTRATOR, **more: Any) -> Client:
    return Client(create_app(space, Settings(authenticate=acting(firm, role, **more))))


def send(client: Client, query: str, **variables: Any) -> Any:
    body = client.post("/graphql", json={"query": query, "variables": variables}, headers={"accept-language": "en"})
    assert "errors" not in body.json(), body.json()["errors"]
    return body.json()["data"]


def propose(client: Client, **terms: Any) -> Any:
    return send(client, PROPOSE, i={"terms": terms})["agreementPropose"]


def answer(client: Client, verb: str, agreement: str) -> Any:
    return send(client, ANSWER % verb, a=agreement)[verb]


def seen(client: Client) -> tuple[int, list[str]]:
    """How many parts are known in full, and the agreements with their states."""
    data = send(client, "{ parts(first: 100) { nodes { stub } } agreements { nodes { key state } } }")
    return sum(not part["stub"] for part in data["parts"]["nodes"]), [
        f"{n['key']} {n['state']}" for n in data["agreements"]["nodes"]
    ]


def test_an_agreement_is_proposed_accepted_replaced_and_revoked(space: Workspace) -> None:
    owner, other, third = act(space, "L01"), act(space, "S01"), act(space, "S02")
    made = propose(owner, grantee="S01", preset="CUSTOMER", note="first")
    assert made["userErrors"] == []
    agreement = made["agreement"]
    assert (agreement["owner"], agreement["grantee"], agreement["state"]) == ("L01", "S01", "PROPOSED")
    assert agreement["aspects"] == ["STRUCTURE", "SUPPLY", "RELIABILITY", "FAILURES"]
    assert agreement["purposes"] == ["QUALITY", "RECALL"]
    key = agreement["key"]
    assert seen(other) == (0, [f"{key} PROPOSED"])
    assert seen(owner) == (60, [f"{key} PROPOSED"])
    assert seen(third) == (0, [])
    mine = sealed(space, "S01").id_of("agreement", key)
    assert answer(other, "agreementAccept", mine)["agreement"] == {"key": key, "state": "ACCEPTED"}
    assert seen(other) == (60, [f"{key} ACCEPTED"])
    assert answer(other, "agreementAccept", key)["userErrors"] == []
    again = send(
        owner,
        PROPOSE,
        i={"agreement": key, "terms": {"grantee": "S01", "preset": "CUSTOMER", "records": "part:L01/A01"}},
    )["agreementPropose"]["agreement"]
    assert (again["code"], again["version"], again["state"]) == (agreement["code"], 2, "PROPOSED")
    assert answer(other, "agreementAccept", again["key"])["agreement"]["state"] == "ACCEPTED"
    assert seen(other) == (1, [f"{key} REPLACED", f"{again['key']} ACCEPTED"])
    ended = send(other, REVOKE, i={"agreement": again["key"]})["agreementRevoke"]
    assert ended == {"agreements": [{"key": again["key"], "state": "REVOKED"}], "userErrors": []}
    assert seen(other)[0] == 0


def test_what_is_wrong_with_a_mutation_is_a_user_error(space: Workspace) -> None:
    owner, other, third = act(space, "L01"), act(space, "S01"), act(space, "S02")

    def wrong(**terms: Any) -> list[Any]:
        made = propose(owner, **terms)
        assert made["agreement"] is None
        (error,) = made["userErrors"]
        assert error["message"]
        assert error["remedy"]
        return [error["reason"], error["code"], error["path"]]

    full = {"grantee": "S01", "aspects": ["STRUCTURE"], "purposes": ["QUALITY"], "end": LATER}
    terms = ["TERMS", "agreement.terms", ["input", "terms"]]
    assert wrong(grantee="S01") == wrong(preset="PRIVATE") == wrong(preset="CUSTOMER") == terms
    assert wrong(**{**full, "records": "everything"}) == wrong(**{**full, "grantee": "L01"}) == terms
    assert wrong(**{**full, "end": "2020-01-01T00:00:00Z"}) == terms
    assert wrong(**{**full, "owner": "S02"})[0] == "NOT_A_SIDE"
    key = propose(owner, **full)["agreement"]["key"]
    assert answer(owner, "agreementAccept", key)["userErrors"][0]["reason"] == "OWN_PROPOSAL"
    unknown = answer(third, "agreementAccept", "AG-none/1")["userErrors"]
    assert (unknown[0]["reason"], unknown[0]["path"]) == ("UNKNOWN", ["input", "agreement"])
    for verb in ("agreementAccept", "agreementDecline"):
        for which in (key, sealed(space, "L01").id_of("agreement", key), "AG-none/1"):
            assert answer(third, verb, which) == {"agreement": None, "userErrors": unknown}
    assert answer(other, "agreementDecline", key)["agreement"]["state"] == "DECLINED"
    assert answer(other, "agreementAccept", key)["userErrors"][0]["reason"] == "STATE"
    assert send(third, REVOKE, i={"agreement": key})["agreementRevoke"]["userErrors"][0]["reason"] == "UNKNOWN"


@pytest.mark.parametrize("role", list(AccessRole))
def test_only_some_roles_make_agreements_and_nothing_is_looked_up_for_others(
    space: Workspace, role: AccessRole
) -> None:
    def refused(verb: str, query: str, **variables: Any) -> bool:
        body = act(space, "L01", role).post("/graphql", json={"query": query, "variables": variables})
        codes = [error["extensions"]["code"] for error in body.json().get("errors", [])]
        assert (body.status_code, codes) in ((403, ["FORBIDDEN"]), (200, []))
        return body.status_code == 403

    agrees = role in {AccessRole.ADMINISTRATOR, AccessRole.QUALITY, AccessRole.SUPPLIER}
    for verb in ("agreementAccept", "agreementDecline"):
        assert refused(verb, ANSWER % verb, a="AG-none/1") is not agrees
    assert refused("agreementRevoke", REVOKE, i={"agreement": "AG-none/1"}) is not agrees
    ask = 'mutation { identityRequest(input: {pseudonym: "P-none"}) { userErrors { reason } } }'
    assert refused("identityRequest", ask) is not (agrees or role is AccessRole.EXPERT)
    grant = 'mutation { identityGrant(input: {request: "IR-none"}) { userErrors { reason } } }'
    assert refused("identityGrant", grant) is not agrees


def test_a_token_that_only_reads_changes_nothing(space: Workspace) -> None:
    client = act(space, "L01", read_only=True)
    body = client.post("/graphql", json={"query": PROPOSE, "variables": {"i": {"terms": {"preset": "PRIVATE"}}}})
    assert body.status_code == 403
    assert seen(client) == (60, [])


def test_presets_and_previews_say_what_they_mean(space: Workspace) -> None:
    owner, other = act(space, "L01"), act(space, "S01")
    presets = send(owner, "{ agreementPresets { name label text aspects purposes mode grantee } }")["agreementPresets"]
    assert [each["name"] for each in presets] == [name.upper() for name in PRESETS]
    assert presets[0]["aspects"] == []
    assert presets[-1]["purposes"] == [each.name for each in Purpose]
    query = """query($t: AgreementTermsInput, $a: String, $l: Locale) { agreementPreview(terms: $t, agreement: $a,
        locale: $l) { sentences namesShown firms shared { kind label rows before hidden } } }"""
    terms = {"grantee": "S01", "preset": "CUSTOMER"}
    mine = send(owner, query, t=terms)["agreementPreview"]
    assert mine["sentences"][0].startswith("After this, S01")
    assert {each["kind"]: each["rows"] for each in mine["shared"]}["part"] == 60
    assert not mine["namesShown"]
    assert send(owner, query, t=terms, l="ZH")["agreementPreview"]["sentences"][0].startswith("此后")
    key = propose(owner, **terms)["agreement"]["key"]
    theirs = send(other, query, a=key)["agreementPreview"]
    assert {each["rows"] for each in theirs["shared"]} == {None}
    body = act(space, "S02").post("/graphql", json={"query": query, "variables": {"a": key}})
    assert body.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    both = owner.post("/graphql", json={"query": query, "variables": {"a": key, "t": terms}})
    assert both.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_name_is_asked_for_granted_and_taken_back(tmp_path: Path) -> None:
    """S01 says that S09 supplies it; L01 sees the supply, and S09 as a pseudonym."""
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as space:
        firms = rows("organisation", *({"id": f, "owner": f} for f in ("L01", "S01", "S09")))
        parts = rows("part", {"number": "B1", "issuer": "S01", "owner": "S01"})
        supplies = rows("supplies", {"part": "S01/B1", "supplier": "S09", "customer": "S01", "owner": "S01"})
        space.submit(change(organisation=firms, part=parts, supplies=supplies))
        leader, supplier = act(space, "L01"), act(space, "S01")
        key = propose(supplier, grantee="L01", preset="CUSTOMER")["agreement"]["key"]
        answer(leader, "agreementAccept", key)
        look = "{ supplies { nodes { supplier { key } } } }"

        def name() -> str:
            return str(send(leader, look)["supplies"]["nodes"][0]["supplier"]["key"])

        pseudonym = name()
        assert pseudonym.startswith("P-")
        ask = """mutation($p: String!) { identityRequest(input: {pseudonym: $p, reason: "recall"}) {
            requests { id key code asked { key } state subject reason } userErrors { reason path } } }"""
        assert send(supplier, ask, p=pseudonym)["identityRequest"] == {
            "requests": [],
            "userErrors": [{"reason": "UNKNOWN", "path": ["input", "pseudonym"]}],
        }
        (request,) = send(leader, ask, p=pseudonym)["identityRequest"]["requests"]
        assert (request["asked"], request["state"], request["subject"]) == ({"key": "S01"}, "REQUESTED", None)
        (theirs,) = send(supplier, "{ identityRequests { nodes { id code subject reason } } }")["identityRequests"][
            "nodes"
        ]
        assert (theirs["code"], theirs["subject"], theirs["reason"]) == (request["code"], "S09", "recall")
        answered = """mutation($r: String!) { identity%s(input: {request: $r}) {
            requests { state } userErrors { reason path } } }"""
        for which in (request["id"], "IR-none", request["code"] + "0"):
            refused = send(supplier, answered % "Grant", r=which)["identityGrant"]
            assert refused["userErrors"] == [{"reason": "UNKNOWN", "path": ["input", "request"]}]
        assert send(supplier, answered % "Grant", r=theirs["id"])["identityGrant"]["requests"] == [{"state": "GRANTED"}]
        assert name() == "S09"
        over = """mutation($r: String!) { identityGrant(input: {request: $r, until: "2020-01-01T00:00:00Z"}) {
            userErrors { reason path } } }"""
        assert send(supplier, over, r=request["code"])["identityGrant"]["userErrors"] == [
            {"reason": "OVER", "path": ["input", "until"]}
        ]
        denied = send(supplier, answered % "Decline", r=request["code"])["identityDecline"]
        assert denied["requests"] == [{"state": "DECLINED"}]
        assert name() == pseudonym
