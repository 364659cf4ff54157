"""What both stores are asked: lists, relations and analyses over GraphQL, tables, and what the command line says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from chaingraph import Workspace
from schema import Kind
from server.api.app import create_app
from server.api.naming import lists, type_name
from server.api.schema import SCHEMA
from tests.server.cli import Call
from tests.server.client import Client

LANGUAGES = ("zh", "en")
HEADERS = {"x-request-id": "same-answers"}
"""An answer that says why it was refused names its request."""
PAGE = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
ESTIMATE = "{ value low high level }"

QUERIES = {
    "parts by name, a page": f"""{{ parts(first: 7, orderBy: [{{field: NAME_ZH, direction: DESC}}]) {{
        {PAGE} edges {{ cursor node {{ id key label name issuer {{ key label }} }} }} }} }}""",
    "parts from the end": f"""{{ parts(last: 9, orderBy: [{{field: PART_CLASS}}]) {{
        {PAGE} nodes {{ key partClass }} }} }}""",
    "parts by a condition of conditions": """{ parts(first: 100, filter: {or: [{criticality: {eq: A}},
        {and: [{nameEn: {contains: "bearing"}}, {not: {partClass: {eq: "product"}}}]}]}) {
        totalCount nodes { key } } }""",
    "sole sources": """{ supplies(first: 100, filter: {status: {eq: SOLE}, leadTimeDays: {gte: 90}},
        orderBy: [{field: LEAD_TIME_DAYS, direction: DESC}]) { totalCount nodes { key statusLabel share leadTimeDays
        price alternativeExists owner supplier { label } customer { label } part { label } } } }""",
    "what is in what, three levels": """{ parts(first: 60) { nodes { key containsAsParent(first: 5) { totalCount nodes {
        quantity duty child { key containsAsParent(first: 5) { nodes { quantity child { label } } } } } } } } }""",
    "who supplies what to whom": """{ organisations(first: 60) { nodes { code uscc tier role region
        suppliesAsSupplier(first: 3, orderBy: [{field: SHARE}]) { totalCount nodes { share part { key } } }
        suppliesAsCustomer(first: 3) { totalCount nodes { supplier { code } } } members(first: 5) {
        nodes { tier since } } sites { nodes { latitude longitude } } } } }""",
    "lots and what went into them": """{ lots(first: 40, orderBy: [{field: PRODUCED_ON}, {field: CODE}]) { nodes { key
        producedOn quantity maker { code } lotGenealogyAsIntoLot(first: 3) { totalCount nodes { fromLot { key } } }
        lifeRecords(first: 2) { totalCount nodes { age event } } } } }""",
    "failures of one make": """{ lifeRecords(first: 50, filter: {maker: {key: {eq: "S05"}}, event: {eq: FAILURE}},
        orderBy: [{field: AGE, direction: DESC}]) { totalCount nodes { key age unit count symptom observedOn region
        mode { label mechanism { label } } lot { code } upload { file } } } }""",
    "days and numbers between bounds": """{ lifeRecords(first: 20, filter: {observedOn: {gte: "2025-03-01",
        lte: "2025-03-31"}, age: {gte: 1000, lte: 4000}}, orderBy: [{field: OBSERVED_ON}]) { totalCount nodes {
        observedOn age downtimeHours cost } } }""",
    "mechanisms as a tree": """{ mechanisms(first: 100) { nodes { code label(locale: ZH) parent { code }
        mechanisms { totalCount } modes(first: 3) { nodes { mode part { key } } } } } }""",
    "columns": """{ suppliesColumns(first: 1000, orderBy: [{field: LEAD_TIME_DAYS, direction: DESC}]) {
        key part supplier customer share status leadTimeDays endCursor hasNextPage } }""",
    "life by column": """{ lifeRecordColumns(first: 1000, filter: {part: {key: {eq: "L01/A86"}}}) {
        key age event count entry endCursor hasNextPage } }""",
    "where used": '{ whereUsed(part: "M04") { part { key } uses { part { label } level longest quantity top } } }',
    "the neighbourhood of a firm": """{ neighbourhood(thing: "S31", depth: 2, limit: 60) { center cut
        nodes { id kind key label } edges { start end relation } } }""",
    "lots downstream": """{ trace(things: ["LZ2503"]) { along direction cut things { key depth label } } }""",
    "who supplies a part": """{ trace(things: ["part:L01/A12"], along: SUPPLIES, direction: IN,
        depth: 1) { along direction things { key depth } } }""",
    "reliability": f"""{{ product(number: "VMC850") {{ part {{ label }} reliability(hours: [100, 1000, 8760]) {{
        hours level bound reliability {ESTIMATE} unknown {{ key }} notes {{ code text }} }} }} }}""",
    "contributions": f"""{{ product(number: "EDU150", issuer: "L02") {{ contributions(mission: 5000) {{ total bound
        contributions {{ rank share failures {ESTIMATE} part {{ key }} maker {{ key }} partLabel }} }} }} }}""",
    "weak links": f"""{{ product(number: "VMC850") {{ weakLinks(top: 8, explain: 1) {{ mission links {{ rank kind group
        label lot lots version region part {{ key }} maker {{ key }} loss {ESTIMATE} reasons {{ code text }} }}
        explained {{ explanation {{ nextSteps {{ text }} places }} }} }} }} }}""",
    "single points": """{ product(number: "EDU150") { singlePoints { points { kind id node { __typename id }
        loses { key } } } } }""",
    "refused": '{ whereUsed(part: "NONSENSE") { part { key } } }',
}  # fmt: skip
"""Queries for the demo; on another graph they find less, and say so alike."""


def every_column(name: str, of: Kind) -> str:
    """The first page of a kind with all that a row has, in the order of the keys."""
    type_ = SCHEMA._schema.type_map[type_name(of)]
    assert isinstance(type_, GraphQLObjectType)
    plain = [field for field, each in type_.fields.items() if is_leaf_type(get_named_type(each.type))]
    things = [f"{field} {{ key }}" for field, each in type_.fields.items() if not each.args and field not in plain]
    first, *rest = name.split("_")
    field = first + "".join(map(str.capitalize, rest))
    return f"{{ {field}(first: 100) {{ {PAGE} nodes {{ {' '.join([*plain, *things])} }} }} }}"


def over_http(workspace: Workspace, queries: dict[str, str], tables: str = "csv") -> Iterator[tuple[str, int, bytes]]:
    """(what, status, answer) of every query in both languages, of the first page and the table of every kind."""
    client = Client(create_app(workspace))
    asked = [(what, query, language) for what, query in queries.items() for language in LANGUAGES]
    asked += [(name, every_column(name, of), "zh") for name, of in lists().items()]
    for what, query, language in asked:
        response = client.post("/graphql", json={"query": query}, headers=HEADERS | {"accept-language": language})
        yield f"{what} in {language}", response.status_code, response.content
    for name in lists():
        response = client.get(f"/tables/{name}.{tables}")
        yield f"{name}.{tables}", response.status_code, response.content


def by_command(store: str, commands: list[tuple[str, ...]]) -> Iterator[tuple[str, int, bytes]]:
    """(what, exit code, answer) of commands, in both languages, as JSON."""
    call = Call(store)
    for words in commands:
        for language in LANGUAGES:
            result = call(*words, "--lang", language, "--format", "json")
            yield f"{' '.join(words)} in {language}", result.exit_code, result.stdout_bytes


def exported(store: str, folder: Path) -> dict[str, bytes]:
    """The files that `export` writes."""
    assert Call(store)("export", str(folder)).exit_code == 0
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
