"""What every field declares to reveal, and which roles may ask for what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import parse

import fixtures
import ingest
from analytics import ANALYSES, run
from chaingraph import Capability, View, Workspace
from schema import KINDS
from schema.core import Aspect
from schema.vocabularies import AccessRole
from server.api import aspects, sdl
from server.api.app import Settings, create_app
from server.api.naming import shown_name, type_name
from server.api.schema import SCHEMA
from tests.server import world
from tests.server.client import Client, acting
from tests.server.test_lists import camel

CORE = SCHEMA._schema
DEMO = Path(fixtures.__file__).parent / "demo"


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with world.workspace(tmp_path_factory.mktemp("graph")) as made:
        yield made


def declared() -> dict[str, tuple[list[str], str]]:
    """What the schema's text says of every field: the aspects and the reason where there are none."""
    found: dict[str, tuple[list[str], str]] = {}
    for each in parse(sdl.sdl()).definitions:
        for field in getattr(each, "fields", None) or ():
            for directive in getattr(field, "directives", None) or ():
                said: dict[str, Any] = {a.name.value: a.value for a in directive.arguments or ()}
                if directive.name.value == "reveals":
                    listed = [value.value for value in said["aspects"].values]
                    because = said["because"].value if "because" in said else ""
                    found[f"{each.name.value}.{field.name.value}"] = (listed, because)  # type: ignore[attr-defined]
    return found


def test_every_field_says_in_the_schemas_text_what_it_reveals() -> None:
    said = declared()
    assert said.keys() == {name for name, _ in aspects.fields_of(CORE)}
    assert all(bool(listed) != bool(because) for listed, because in said.values())


def test_fields_of_kinds_reveal_what_the_registry_says() -> None:
    said = declared()
    for of in KINDS.values():
        for field in of.fields:
            listed, _ = said[f"{type_name(of)}.{camel(shown_name(field))}"]
            assert listed == [of.aspect_of(field).name]
        for table in ("Connection.totalCount", "Columns.key"):
            assert said[f"{type_name(of)}{table}"][0] == [of.aspect.name]
    assert said["Supplies.price"][0] == ["COST"]
    assert said["SuppliesGroup.sum"][0] == ["SUPPLY", "COST"]
    assert said["Part.supplies"][0] == ["SUPPLY"]
    assert said["Site.label"][0] == ["IDENTITY"]


def test_a_schema_with_a_field_that_declares_nothing_is_refused() -> None:
    def schema(**options: Any) -> Any:
        fields = {"__annotations__": {"number": int}, "number": strawberry.field(resolver=lambda: 1, **options)}
        return strawberry.Schema(query=strawberry.type(type("Query", (), fields)))._schema

    both: dict[str, Any] = {"metadata": {"needs": Capability.READ}, "directives": [aspects.reveals(Aspect.COST)]}
    aspects.refuse_undeclared(schema(**both))
    for missing, wrong in (("metadata", "which capability"), ("directives", "which aspects")):
        with pytest.raises(TypeError, match=f"Query.number does not say {wrong}"):
            aspects.refuse_undeclared(schema(**{k: v for k, v in both.items() if k != missing}))
    empty = aspects.Reveals(aspects=[])
    with pytest.raises(TypeError, match="why none"):
        aspects.refuse_undeclared(schema(**{**both, "directives": [empty]}))


def test_analyses_rest_on_the_aspects_of_what_they_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    for name in ("table", "ref", "inverse"):
        real = getattr(View, name)

        def watched(self: View, kind: str, *rest: Any, real: Any = real) -> Any:
            read.add(kind)
            return real(self, kind, *rest)

        monkeypatch.setattr(View, name, watched)
    about: dict[str, dict[str, Any]] = {
        "product": {"product": "L01/VMC850"},
        "part": {"part": "L01/A12"},
        "thing": {"thing": "part:L01/A12"},
        "organisation": {"organisation": "L01"},
    }
    more: dict[str, dict[str, Any]] = {
        "propagate": {"hours": (100.0,)},
        "contributions": {"mission": 100.0},
        "test_gains": {"mission": 100.0},
    }
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as space:
        ingest.load(space, [DEMO])
        for name, of in ANALYSES.items():
            read.clear()
            subject = about[of.subject] if of.subject in of.parameters.model_fields else {}
            run(name, View(space.snapshot()), {**subject, **more.get(name, {})})
            assert read
            assert {KINDS[kind].aspect for kind in read} <= set(aspects.RESTS_ON[name])


def test_an_auditor_reads_no_graph_and_nothing_is_looked_up(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(create_app(space, Settings(authenticate=acting("L01", AccessRole.AUDITOR))))

    def never(*_: Any) -> Any:
        raise AssertionError("looked up")

    monkeypatch.setattr(Workspace, "view", never)
    hidden = "{ __typename ... on Query { ...more } } fragment more on Query { ...most } "
    for query in (
        "{ parts { totalCount } }",
        hidden + "fragment most on Query { p: partColumns { key } }",
        '{ node(id: "x") { id } }',
        '{ whereUsed(part: "none") { part { key } } }',
    ):
        answer = client.post("/graphql", json={"query": query})
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "data" not in answer.json()
    table = client.get("/tables/parts.csv")
    assert table.status_code == 403
    assert table.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_everybody_may_ask_what_the_schema_is(space: Workspace) -> None:
    client = Client(create_app(space, Settings(authenticate=acting("L01", AccessRole.AUDITOR))))
    answer = client.post("/graphql", json={"query": "{ __typename __schema { queryType { name } } }"})
    assert answer.json()["data"] == {"__typename": "Query", "__schema": {"queryType": {"name": "Query"}}}


def test_roles_upload_only_where_they_may(space: Workspace) -> None:
    undo = {"query": 'mutation { uploadUndo(input: {code: "U-none"}) { userErrors { code } } }'}
    for role in AccessRole:
        client = Client(create_app(space, Settings(authenticate=acting("L01", role))))
        code = client.post("/graphql", json=undo).json()["errors"][0]["extensions"]["code"]
        uploads = role in {AccessRole.ADMINISTRATOR, AccessRole.QUALITY, AccessRole.SUPPLIER, AccessRole.EXPERT}
        assert code == ("NOT_FOUND" if uploads else "FORBIDDEN")
    reading = Client(create_app(space, Settings(authenticate=acting("L01", read_only=True))))
    assert reading.post("/graphql", json=undo).status_code == 403
    assert reading.post("/graphql", json={"query": "{ parts { totalCount } }"}).status_code == 200


def test_several_codes_are_a_list(space: Workspace) -> None:
    fields = CORE.type_map["Agreement"].fields  # type: ignore[attr-defined]
    assert str(fields["purposes"].type) == "[Purpose!]!"
    assert str(fields["aspects"].type) == "[Aspects!]!"
    client = Client(create_app(space))
    query = "{ agreements(filter: {purposes: {contains: RECALL}}) { totalCount nodes { purposes aspects } } }"
    assert client.post("/graphql", json={"query": query}).json()["data"]["agreements"]["totalCount"] == 0
