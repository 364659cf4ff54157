"""Analyses over GraphQL: every registered one has its field, and says what `analytics.run` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fixtures
import ingest
from analytics import ANALYSES, run
from chaingraph import View, Workspace
from schema import KINDS
from server.api import answers
from server.api.app import create_app
from server.api.http import IN_THREAD
from server.api.naming import type_name
from server.api.schema import SCHEMA
from tests.server.client import Client, sealed

DEMO = Path(fixtures.__file__).parent / "demo"
PRODUCT = "L01/VMC850"
IdOf = Callable[[str, str], str]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace.open(f"sqlite:///{tmp_path_factory.mktemp('graph') / 'graph.db'}") as made:
        assert not ingest.load(made, [DEMO]).refused
        yield made


@pytest.fixture(scope="module")
def view(space: Workspace) -> View:
    return space.view()


@pytest.fixture(scope="module")
def id_of(space: Workspace) -> IdOf:
    return sealed(space).id_of


@pytest.fixture(scope="module")
def client(space: Workspace) -> Client:
    return Client(create_app(space))


def ask(client: Client, query: str, locale: str = "en", **variables: Any) -> Any:
    asked = {"query": query, "variables": variables}
    body = client.post("/graphql", json=asked, headers={"accept-language": locale}).json()
    assert "errors" not in body, body["errors"]
    return body["data"]


def refused(client: Client, query: str) -> tuple[str, str]:
    error = client.post("/graphql", json={"query": query}).json()["errors"][0]
    return error["extensions"]["code"], error["message"]


def test_every_analysis_has_its_field() -> None:
    types = SCHEMA._schema.type_map
    product, root = types["Product"].fields, types["Query"].fields  # type: ignore[attr-defined]
    for name, of in ANALYSES.items():
        first, *rest = answers.SHOWN.get(name, name).split("_")
        shown = first + "".join(word.capitalize() for word in rest)
        assert shown in (product if of.subject == "product" else root)


def test_reliability_is_what_propagation_says(client: Client, view: View) -> None:
    data = ask(
        client,
        """{ product(number: "VMC850", issuer: "L01") { part { number issuer { key } }
             reliability(hours: [100, 2000]) { hours level unknown { key } bound product { key }
               reliability { value low high level } notes { code text } } } }""",
    )["product"]
    answer = run("propagate", view, {"product": PRODUCT, "hours": (100.0, 2000.0)})
    said = answer.payload("en")
    assert data["part"] == {"number": "VMC850", "issuer": {"key": "L01"}}
    found = data["reliability"]
    for name in ("value", "low", "high"):
        wanted = said["reliability" if name == "value" else name]
        assert [e[name] for e in found["reliability"]] == wanted
    assert [u["key"] for u in found["unknown"]] == [key if "/" in key else f"L01/{key}" for key in answer.unknown]
    assert (found["hours"], found["bound"]) == (said["hours"], said["bound"])
    assert [n["code"] for n in found["notes"]] == [n.code for n in answer.notes]


def test_contributions_add_up_and_name_things(client: Client) -> None:
    data = ask(
        client,
        """{ product(number: "VMC850") { contributions(mission: 4000) { total
             contributions { rank share failures { value } part { key } maker { key } partLabel(locale: ZH) } } } }""",
    )["product"]["contributions"]
    rows = data["contributions"]
    assert sum(row["failures"]["value"] for row in rows) == pytest.approx(data["total"])
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert all(row["part"] and row["part"]["key"].startswith("L01/") for row in rows)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_weak_links_come_with_reasons_in_the_language(client: Client, view: View, locale: str) -> None:
    query = """{ product(number: "VMC850") { weakLinks(kind: SUPPLY, top: 3) { links {
        rank kind label part { key } maker { key } loss { value low high unit } reasons { code text }
        explanation { nextSteps { text } places } } } } }"""
    links = ask(client, query, locale)["product"]["weakLinks"]["links"]
    wanted = run("weak_links", view, {"product": PRODUCT, "kind": "supply", "top": 3}).payload(locale)
    assert 0 < len(links) <= 3
    assert [(r["rank"], r["loss"]["value"], r["reasons"]) for r in links] == [
        (w["rank"], w["loss"]["value"], w["reasons"]) for w in wanted
    ]


def test_single_points_name_what_is_lost(client: Client, view: View) -> None:
    query = """{ product(number: "VMC850") { singlePoints { points {
        kind id node { __typename id } loses { key } } } } }"""
    points = ask(client, query)["product"]["singlePoints"]["points"]
    wanted = run("single_points", view, {"product": PRODUCT}).points
    assert [(p["kind"], p["id"], len(p["loses"])) for p in points] == [(w.kind, w.id, len(w.loses)) for w in wanted]
    assert all(p["node"]["__typename"] == p["kind"].capitalize() for p in points)
    assert all(None not in p["loses"] for p in points)


def test_where_used_takes_numbers_and_ids(client: Client, id_of: IdOf) -> None:
    query = "query($p: String!) { whereUsed(part: $p) { part { key } uses { part { key } level quantity top } } }"
    by_number = ask(client, query, p="A12")
    assert by_number == ask(client, query, p=id_of("part", "L01/A12")) == ask(client, query, p="L01/A12")
    assert {use["part"]["key"] for use in by_number["whereUsed"]["uses"]} >= {"L01/A11", PRODUCT}


def test_the_neighbourhood_is_made_of_things(client: Client, id_of: IdOf) -> None:
    query = """query($t: String!) { neighbourhood(thing: $t, limit: 9) { center cut
        nodes { id kind key label(locale: ZH) node { __typename id } } edges { start end relation } } }"""
    found = ask(client, query, t=id_of("part", "L01/A12"))["neighbourhood"]
    assert found["center"] == "part:L01/A12"
    assert len(found["nodes"]) == 9
    ids = {node["id"] for node in found["nodes"]}
    assert all({edge["start"], edge["end"]} <= ids for edge in found["edges"])
    assert all(node["node"]["id"] == id_of(node["kind"], node["key"]) for node in found["nodes"])


TRACE = """query($t: [String!]!, $a: TraceRelation, $d: TraceDirection, $n: Int, $l: Int! = 200) {
    trace(things: $t, along: $a, direction: $d, depth: $n, limit: $l) {
        along direction cut things { depth kind key label(locale: ZH) node { __typename id } } } }"""


def test_a_trace_is_made_of_things_nearest_first(client: Client, space: Workspace, view: View, id_of: IdOf) -> None:
    line = view.table("contains").row(0, named=True)
    start, into = line["parent"], line["child"]
    found = ask(client, TRACE, t=[f"part:{start}"])["trace"]
    assert (found["along"], found["direction"], found["cut"]) == ("CONTAINS", "OUT", False)
    reached = [(each["key"], each["depth"]) for each in found["things"]]
    assert (into, 1) in reached
    assert reached == space.trace(view, [start], "contains").rows()
    assert all(each["node"] == {"__typename": "Part", "id": id_of("part", each["key"])} for each in found["things"])
    assert found == ask(client, TRACE, t=[id_of("part", start)])["trace"]
    back = ask(client, TRACE, t=[f"part:{into}"], d="IN", n=1)["trace"]
    assert {each["depth"] for each in back["things"]} == {0, 1}
    assert start in [each["key"] for each in back["things"]]
    makers = ask(client, TRACE, t=["A12"], a="SUPPLIES")["trace"]
    assert {each["kind"] for each in makers["things"]} == {"part", "organisation"}
    assert {each["node"]["__typename"] for each in makers["things"]} == {"Part", "Organisation"}
    short = ask(client, TRACE, t=[PRODUCT], l=5)["trace"]
    assert (len(short["things"]), short["cut"]) == (5, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('things: ["A12"], limit: 2001', "OUT_OF_RANGE"),
        ('things: ["A12"], limit: 0', "OUT_OF_RANGE"),
        ('things: ["A12"], depth: 0', "OUT_OF_RANGE"),
        ("things: []", "OUT_OF_RANGE"),
        ('things: ["A12", "S31"]', "REFUSED"),
        ('things: ["A12"], along: LOT_GENEALOGY', "REFUSED"),
        ('things: ["none"]', "NOT_FOUND"),
    ],
)
def test_a_trace_has_bounds_and_says_what_cannot_be_traced(client: Client, arguments: str, code: str) -> None:
    assert refused(client, f"{{ trace({arguments}) {{ cut }} }}")[0] == code


def test_a_trace_is_costly_so_that_it_never_runs_where_others_wait(client: Client) -> None:
    answer = client.post("/graphql", json={"query": '{ trace(things: ["A12"]) { cut } }'}).json()
    assert answer["extensions"]["cost"]["requested"] >= max(answers.COST, IN_THREAD)


def test_a_product_is_found_by_id_or_number(client: Client, id_of: IdOf) -> None:
    query = "query($id: ID, $number: String) { product(id: $id, number: $number) { part { key } } }"
    assert ask(client, query, id=id_of("part", PRODUCT)) == ask(client, query, number="VMC850")
    assert ask(client, query, id=id_of("part", "L01/none")) == ask(client, query, number="none") == {"product": None}
    assert ask(client, query, id=id_of("organisation", "L01")) == {"product": None}
    assert refused(client, "{ product { part { key } } }")[0] == "BAD_REQUEST"


def test_what_an_analysis_refuses_is_said(client: Client) -> None:
    code, message = refused(client, '{ whereUsed(part: "none") { part { key } } }')
    assert code == "NOT_FOUND"
    assert "none" in message
    code, message = refused(client, '{ product(number: "VMC850") { reliability(hours: [-5]) { level } } }')
    assert code == "OUT_OF_RANGE"
    assert message == "hours: ages begin at 0"


def test_answers_have_names_of_their_own() -> None:
    names = [of.result.__name__ for of in ANALYSES.values()]
    kinds = {type_name(of) for of in KINDS.values()}
    assert len(set(names)) == len(names)
    assert SCHEMA._schema.type_map.keys() >= {n if n not in kinds else f"{n}Result" for n in names}
