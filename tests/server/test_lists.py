"""Lists of every kind: filters, orders and pages against polars, groups, relations both ways, columns."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from graphql import ExecutionResult, execute_sync, parse, validate

from chaingraph import Actor, View, Workspace
from schema import KINDS
from server.api import paging
from server.api.context import Context
from server.api.executor import BatchExecutor
from server.api.naming import list_name
from server.api.schema import SCHEMA
from tests.chaingraph.world import change, rows, upload
from tests.server import world
from tests.server.client import sealed

CORE = SCHEMA._schema


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with world.workspace(tmp_path_factory.mktemp("graph")) as made:
        yield made


@pytest.fixture(scope="module")
def view(space: Workspace) -> View:
    return space.view()


def run(space: Workspace, query: str, locale: str = "en", **variables: Any) -> ExecutionResult:
    document = parse(query)
    assert not validate(CORE, document)
    context = Context(space, locale, Actor())
    return execute_sync(CORE, document, context_value=context, variable_values=variables, executor_class=BatchExecutor)


def ask(space: Workspace, query: str, locale: str = "en", **variables: Any) -> Any:
    result = run(space, query, locale, **variables)
    assert result.errors is None, result.errors
    return result.data


def keys(connection: Any) -> list[str]:
    return [node["key"] for node in connection["nodes"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{}", pl.lit(True)),
        ('{number: {eq: "A07"}}', pl.col("number") == "A07"),
        ('{number: {in: ["A07", "A09", "zz"]}}', pl.col("number").is_in(["A07", "A09"])),
        ("{number: {in: []}}", pl.lit(False)),
        ('{nameEn: {contains: "BEARING"}}', pl.col("name_en").str.contains("Bearing")),
        (
            '{nameEn: {contains: "x"}, nameZh: {isNull: true}}',
            (pl.col("name_en") == "x\ny") & pl.col("name_zh").is_null(),
        ),
        ("{chainLevel: {eq: MATERIAL}}", pl.col("chain_level") == "material"),
        ("{chainLevel: {in: [MATERIAL, SYSTEM]}}", pl.col("chain_level").is_in(["material", "system"])),
        ("{chainLevel: {eq: null}}", pl.col("chain_level").is_null()),
        ("{not: {chainLevel: {eq: MATERIAL}}}", pl.col("chain_level").ne_missing("material")),
        (
            '{or: [{number: {eq: "A01"}}, {and: [{partClass: {eq: "grease"}}, {chainLevel: {isNull: false}}]}]}',
            (pl.col("number") == "A01") | ((pl.col("part_class") == "grease") & pl.col("chain_level").is_not_null()),
        ),
        ("{or: []}", pl.lit(False)),
        ("{and: []}", pl.lit(True)),
        ('{issuer: {key: {eq: "L01"}}}', pl.lit(True)),
        ("{issuer: {isNull: true}}", pl.lit(False)),
    ],
)
def test_filters_take_what_polars_takes(space: Workspace, view: View, condition: str, expected: pl.Expr) -> None:
    wanted = world.oracle(view, "part").filter(expected)["key"].to_list()
    found = ask(space, f"{{ parts(first: 100, filter: {condition}) {{ totalCount nodes {{ key }} }} }}")["parts"]
    assert (found["totalCount"], keys(found)) == (len(wanted), wanted)


def test_numbers_dates_and_references_are_filtered(space: Workspace, view: View) -> None:
    firm = ask(space, '{ organisations(filter: {code: {eq: "S03"}}) { nodes { id key } } }')["organisations"]["nodes"][
        0
    ]
    query = """query($firm: ID!) {
      supplies(first: 100, filter: {supplier: {eq: $firm}, share: {gte: 0.2, lte: 0.5}}) { nodes { key } }
      contains(first: 100, filter: {validFrom: {gte: "2025-01-01"}, quantity: {in: [2, 3]}}) { totalCount }
      lifeRecords(first: 1, filter: {count: {gte: 3}}) { totalCount }
    }"""
    data = ask(space, query, firm=firm["id"])
    wanted = (pl.col("supplier") == "S03") & pl.col("share").is_between(0.2, 0.5)
    assert keys(data["supplies"]) == world.oracle(view, "supplies").filter(wanted)["key"].to_list()
    lines = view.table("contains")
    dated = lines.filter((pl.col("valid_from") >= pl.date(2025, 1, 1)) & pl.col("quantity").is_in([2.0, 3.0]))
    assert data["contains"]["totalCount"] == len(dated)
    assert data["lifeRecords"]["totalCount"] == len(view.table("life_record").filter(pl.col("count") >= 3))


STATUS_TIME = "[{field: STATUS}, {field: LEAD_TIME_DAYS, direction: DESC}]"
OTHER_FIRM = "[{field: ALTERNATIVE_EXISTS}, {field: SUPPLIER, direction: DESC}]"
DAY_AGE = "[{field: OBSERVED_ON, direction: DESC}, {field: AGE}]"
ORDERS = [
    ("supplies", "supplies", "[]", [], []),
    ("supplies", "supplies", "[{field: SHARE}]", ["share"], [False]),
    ("supplies", "supplies", "[{field: SHARE, direction: DESC}]", ["share"], [True]),
    ("supplies", "supplies", STATUS_TIME, ["status", "lead_time_days"], [False, True]),
    ("supplies", "supplies", OTHER_FIRM, ["alternative_exists", "supplier"], [False, True]),
    ("lifeRecords", "life_record", DAY_AGE, ["observed_on", "age"], [True, False]),
    ("parts", "part", "[{field: NAME_ZH}]", ["name_zh"], [False]),
    ("parts", "part", "[{field: NAME_ZH}, {field: NAME_ZH, direction: DESC}]", ["name_zh"], [False]),
]


@pytest.mark.parametrize(("field", "name", "order", "columns", "descending"), ORDERS)
@pytest.mark.parametrize("size", [7, 100])
def test_pages_forwards_and_backwards_are_the_whole_list_once(
    space: Workspace,
    view: View,
    field: str,
    name: str,
    order: str,
    columns: list[str],
    descending: list[bool],
    size: int,
) -> None:
    table = view.table(name).sort([*columns, "key"], descending=[*descending, False], nulls_last=True)
    wanted = table["key"].to_list()
    page = "nodes { key } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount"
    ahead = f"query($c: String) {{ {field}(first: {size}, after: $c, orderBy: {order}) {{ {page} }} }}"
    back = f"query($c: String) {{ {field}(last: {size}, before: $c, orderBy: {order}) {{ {page} }} }}"
    found: list[str] = []
    cursor = None
    while True:
        connection = ask(space, ahead, c=cursor)[field]
        assert connection["totalCount"] == len(wanted)
        assert connection["pageInfo"]["hasPreviousPage"] is (cursor is not None)
        found += keys(connection)
        cursor = connection["pageInfo"]["endCursor"]
        if not connection["pageInfo"]["hasNextPage"]:
            break
    assert found == wanted
    found, cursor = [], None
    while True:
        connection = ask(space, back, c=cursor)[field]
        assert connection["pageInfo"]["hasNextPage"] is (cursor is not None)
        found = keys(connection) + found
        cursor = connection["pageInfo"]["startCursor"]
        if not connection["pageInfo"]["hasPreviousPage"]:
            break
    assert found == wanted


def test_an_order_by_key_ends_there(space: Workspace, view: View) -> None:
    wanted = view.table("part")["key"].sort(descending=True)[:3].to_list()
    for order in ("[{field: KEY, direction: DESC}]", "[{field: KEY, direction: DESC}, {field: NUMBER}]"):
        first = ask(space, f"{{ parts(first: 2, orderBy: {order}) {{ nodes {{ key }} pageInfo {{ endCursor }} }} }}")[
            "parts"
        ]
        query = f"query($c: String) {{ parts(first: 1, after: $c, orderBy: {order}) {{ nodes {{ key }} }} }}"
        assert keys(first) + keys(ask(space, query, c=first["pageInfo"]["endCursor"])["parts"]) == wanted


def test_edges_carry_the_cursor_of_their_node(space: Workspace) -> None:
    edges = ask(space, "{ parts(first: 5) { edges { cursor node { key } } } }")["parts"]["edges"]
    after = ask(space, "query($c: String) { parts(first: 2, after: $c) { nodes { key } } }", c=edges[1]["cursor"])[
        "parts"
    ]
    assert keys(after) == [edges[2]["node"]["key"], edges[3]["node"]["key"]]


def test_cursors_of_other_lists_and_altered_ones_are_refused(space: Workspace) -> None:
    cursor = ask(space, "{ parts(first: 1) { pageInfo { endCursor } } }")["parts"]["pageInfo"]["endCursor"]
    rng = random.Random(0)
    place = rng.randrange(len(cursor))
    altered = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
    for field, order, text in [
        ("parts", "[{field: NUMBER}]", cursor),
        ("organisations", "[]", cursor),
        ("parts", "[]", altered),
        ("parts", "[]", "7"),
        ("parts", "[]", "é"),
    ]:
        result = run(space, f"query($c: String) {{ {field}(after: $c, orderBy: {order}) {{ totalCount }} }}", c=text)
        assert result.errors is not None
        assert result.errors[0].extensions == {"code": "BAD_CURSOR"}
    both = run(space, "{ parts(first: 1, last: 1) { totalCount } }")
    assert both.errors is not None
    assert both.errors[0].extensions == {"code": "OUT_OF_RANGE"}


def test_relations_lead_both_ways(space: Workspace, view: View) -> None:
    data = ask(
        space,
        """{ parts(first: 100) { nodes { key issuer { key parts(first: 1) { totalCount } }
               containsAsChild(first: 100, orderBy: [{field: QUANTITY, direction: DESC}]) {
                 totalCount nodes { quantity parent { key } } }
               supplies(first: 1, filter: {share: {isNull: false}}) {
                 totalCount nodes { supplier { name(locale: ZH) } } } } } }""",
    )["parts"]["nodes"]
    lines = view.table("contains").sort(["quantity", "key"], descending=[True, False])
    supplies = view.table("supplies").filter(pl.col("share").is_not_null()).sort("key")
    for part in data:
        assert part["issuer"] == {"key": "L01", "parts": {"totalCount": 60}}
        mine = lines.filter(pl.col("child") == part["key"])
        used = part["containsAsChild"]
        assert used["totalCount"] == len(mine)
        assert [n["parent"]["key"] for n in used["nodes"]] == mine["parent"].to_list()
        theirs = supplies.filter(pl.col("part") == part["key"])
        assert part["supplies"]["totalCount"] == len(theirs)
        assert [n["supplier"]["name"] for n in part["supplies"]["nodes"]] == [
            f"企业{s}" for s in theirs["supplier"][:1]
        ]


def test_pages_of_a_level_go_on_with_one_cursor(space: Workspace) -> None:
    query = """query($c: String) { parts(first: 100) { nodes { key
        containsAsParent(first: 2, after: $c, orderBy: [{field: FIND_NO}]) {
          nodes { findNo } pageInfo { endCursor hasNextPage } } } } }"""
    first = ask(space, query)["parts"]["nodes"]
    part = next(p for p in first if p["containsAsParent"]["pageInfo"]["hasNextPage"])
    cursor = part["containsAsParent"]["pageInfo"]["endCursor"]
    after = next(p for p in ask(space, query, c=cursor)["parts"]["nodes"] if p["key"] == part["key"])
    seen = [n["findNo"] for n in part["containsAsParent"]["nodes"]]
    assert all(n["findNo"] > seen[-1] for n in after["containsAsParent"]["nodes"])


@pytest.mark.parametrize("size", [3, 50])
def test_calls_do_not_grow_with_rows(space: Workspace, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    made: list[str] = []
    real = paging.Listing.__init__

    def counted(self: Any, view: Any, of: Any, *rest: Any) -> None:
        made.append(of.name)
        real(self, view, of, *rest)

    monkeypatch.setattr(paging.Listing, "__init__", counted)
    query = f"""{{ parts(first: {size}) {{ nodes {{ key supplies {{ nodes {{ supplier {{ lifeRecords(first: 3) {{
        nodes {{ part {{ containsAsParent {{ nodes {{ child {{ key }} }} }} }} }} }} }} }} }} }} }} }}"""
    ask(space, query)
    assert made == ["part", "supplies", "life_record", "contains"]


def test_groups_count_and_add_up(space: Workspace, view: View) -> None:
    query = """{
      supplies { groups(by: [STATUS, SUPPLIER]) { status supplier { key } part { key } count
        sum(of: LEAD_TIME_DAYS) mean(of: SHARE) quantile(of: LEAD_TIME_DAYS, at: 0.5) } }
      few: supplies(filter: {status: {isNull: true}}) { groups(by: [STATUS], first: 1) { status count } }
      parts(first: 3) { nodes { key supplies { groups(by: [CUSTOMER]) { customer { key } count } } } }
    }"""
    data = ask(space, query)
    table = view.table("supplies")
    wanted = table.group_by("status", "supplier").agg(
        pl.len().alias("count"),
        sum=pl.when(pl.col("lead_time_days").count() > 0).then(pl.col("lead_time_days").sum()),
        mean=pl.col("share").mean(),
        quantile=pl.col("lead_time_days").quantile(0.5, "linear"),
    )
    found = {
        (g["status"] and g["status"].lower(), g["supplier"]["key"]): (g["count"], g["sum"], g["mean"], g["quantile"])
        for g in data["supplies"]["groups"]
    }
    assert found == {(s, f): tuple(rest) for s, f, *rest in wanted.rows()}
    counts = [g["count"] for g in data["supplies"]["groups"]]
    assert counts == sorted(counts, reverse=True)
    assert all(g["part"] is None for g in data["supplies"]["groups"])
    assert data["few"]["groups"] == [{"status": None, "count": len(table.filter(pl.col("status").is_null()))}]
    for part in data["parts"]["nodes"]:
        assert part["supplies"]["groups"] == [{"customer": {"key": "L01"}, "count": 2}]


def test_columns_are_the_list_turned(space: Workspace) -> None:
    data = ask(
        space,
        """{ suppliesColumns(first: 50, orderBy: [{field: SHARE}]) {
               id key part share status totalCount hasNextPage endCursor }
             supplies(first: 50, orderBy: [{field: SHARE}]) {
               nodes { id key part { key } share status } totalCount pageInfo { endCursor } } }""",
    )
    columns, listed = data["suppliesColumns"], data["supplies"]
    for name in ("id", "key", "share", "status"):
        assert columns[name] == [n[name] for n in listed["nodes"]]
    assert columns["part"] == [n["part"]["key"] for n in listed["nodes"]]
    assert columns["totalCount"] == listed["totalCount"]
    assert columns["hasNextPage"] is True
    assert columns["endCursor"] == listed["pageInfo"]["endCursor"]


def test_nodes_come_by_id_in_order(space: Workspace) -> None:
    listed = ask(space, "{ parts(first: 3) { nodes { id key } } organisations(first: 1) { nodes { id } } }")
    part, _, other = listed["parts"]["nodes"]
    firm = listed["organisations"]["nodes"][0]
    ids = [other["id"], firm["id"], part["id"], sealed(space).id_of("part", "L01/none"), part["id"]]
    query = """query($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { __typename id ... on Part { key } }
               node(id: $id) { ... on Part { key supplies(first: 1) { nodes { part { key } } } } } }"""
    data = ask(space, query, ids=ids, id=part["id"])
    assert [n and (n["__typename"], n["id"]) for n in data["nodes"]] == [
        ("Part", other["id"]), ("Organisation", firm["id"]), ("Part", part["id"]), None, ("Part", part["id"]),
    ]  # fmt: skip
    assert data["node"]["supplies"]["nodes"] == [{"part": {"key": part["key"]}}]
    assert ask(space, '{ node(id: "cGFydDox") { id } nodes(ids: ["", "é", "7"]) { id } }') == {
        "node": None,
        "nodes": [None, None, None],
    }


def test_texts_come_in_both_languages(space: Workspace, view: View) -> None:
    query = """{ parts(first: 60) { nodes {
        key nameZh nameEn chainLevel name label zh: chainLevelLabel(locale: ZH) chainLevelLabel } } }"""
    for node in ask(space, query, locale="en")["parts"]["nodes"]:
        assert node["name"] == (node["nameEn"] or node["nameZh"])
        assert node["label"] == (node["name"] or node["key"])
        assert (node["zh"] is None) == (node["chainLevel"] is None)
    material = ask(
        space, "{ parts(first: 1, filter: {chainLevel: {eq: MATERIAL}}) { nodes { chainLevelLabel } } }", locale="zh"
    )
    assert material["parts"]["nodes"] == [{"chainLevelLabel": "原材料"}]


def test_every_kind_has_its_list_its_columns_and_relations(space: Workspace) -> None:
    for of in KINDS.values():
        name, columns = camel(list_name(of)), camel(f"{of.name}_columns")
        upload = "" if of.name == "upload" else "upload { id }"
        data = ask(
            space, f"{{ {name}(first: 2) {{ totalCount nodes {{ id key label {upload} }} }} {columns} {{ key }} }}"
        )
        assert len(data[columns]["key"]) == data[name]["totalCount"]


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def test_rows_that_no_upload_brought_have_none(tmp_path: Path) -> None:
    """Placeholders that stay when an upload is taken back, for one."""
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as space:
        parts = rows("part", *({"number": n, "issuer": "L01", "upload": u} for n, u in (("A", "U-1"), ("B", None))))
        space.submit(change(part=parts, upload=rows("upload", upload("U-1", "L-1"))))
        found = ask(space, "{ parts(first: 5) { nodes { number upload { file } } } }")["parts"]["nodes"]
    assert found == [{"number": "A", "upload": {"file": "f.csv"}}, {"number": "B", "upload": None}]
