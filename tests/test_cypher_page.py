"""The page for people with Cypher: its picture is the registry's, and every query on it runs and says what is so."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import polars as pl
import pytest
from neo4j.graph import Path as Walk

import fixtures
import ingest
from analytics import run
from chaingraph import View, Workspace
from chaingraph.store import cypher
from schema import KINDS
from tests.neo4j.server import Server

PAGE = Path(__file__).parents[1] / "docs" / "cypher.md"
AUDIT = Path(fixtures.__file__).parent / "audit"
PRODUCT, BEARING, GREASE_LOT = "L01/VMC850", "L01/A12", "L01/M04/S31/LZ2503"
Rows = list[tuple[Any, ...]]


class Query(NamedTuple):
    """A query of the page, under the section that it is in."""

    section: str
    title: str
    text: str


def queries() -> list[Query]:
    found = []
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        for part in section.split("\n### ")[1:]:
            (text,) = re.findall(r"```cypher\n(.+?);\n```", part, flags=re.DOTALL)
            found.append(Query(section.partition("\n")[0], part.partition("\n")[0], text))
    return found


QUERIES = queries()
ON_DEMO = [each for each in QUERIES if each.section.startswith("Queries on the demo")]
ON_AUDIT = [each for each in QUERIES if each not in ON_DEMO]


# The picture


def registered() -> set[tuple[str, str, str]]:
    """(label, type, label) of every relationship that the registry draws."""
    found = set()
    for kind in KINDS.values():
        if kind.relation:
            start, end = (KINDS[kind.refs[field]].label for field in (kind.relation.start, kind.relation.end))
            found.add((start, kind.relation.label, end))
        elif cypher.stated(kind):
            found.add((cypher.row_label(kind), "STATES", kind.label))
        for field, (label, outward) in kind.drawn.items():
            there = KINDS[kind.refs[field]].label
            found.add((kind.label, label, there) if outward else (there, label, kind.label))
    return found


def picture() -> str:
    (found,) = re.findall(r"```mermaid\n(.+?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return str(found)


def test_the_picture_shows_what_the_registry_draws() -> None:
    assert {(a, label, b) for a, label, b in re.findall(r"(\w+) -->\|(\w+)\| (\w+)", picture())} == registered()
    named = dict(re.findall(r"^  (\w+)\[\"\1 (.+)\"\]$", picture(), flags=re.MULTILINE))
    kinds = [kind for kind in KINDS.values() if kind.is_node]
    stated = {cypher.row_label(kind): "各方所述" for kind in kinds if cypher.stated(kind)}
    assert named == {kind.label: kind.text.zh for kind in kinds} | stated


def test_what_is_the_stores_own_is_named() -> None:
    own = {label for text in cypher.JOURNAL for label in re.findall(r"\(\w:(\w+)\)", text)}
    (told,) = re.findall(r"not drawn here \(([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert set(re.findall(r"`(\w+)`", told)) == own
    assert f"`{cypher.MISSING}`" in PAGE.read_text(encoding="utf-8")


def test_queries_have_a_title_in_both_languages_and_use_what_is_drawn() -> None:
    known = {name for each in registered() for name in each}
    for each in QUERIES:
        assert re.fullmatch(r"[^·]+\? · [^·]*[\u4e00-\u9fff]+[^·]*", each.title), each.title
        used = set(re.findall(r"[(\[]\w*:(\w+)", each.text))
        assert used <= known, each.title
    assert len(ON_DEMO) >= 12
    assert {each.title for each in ON_DEMO} == SAYS.keys()
    assert {each.title for each in ON_AUDIT} == FINDS.keys()


# What the answers should be, from the tables of a view


class Facts:
    """The demo as networkx and polars see it."""

    def __init__(self, view: View) -> None:
        self.view = view

    def table(self, name: str) -> pl.DataFrame:
        return self.view.table(name)

    @cached_property
    def called(self) -> dict[str, str]:
        """Captions of parts, organisations, modes, mechanisms and consortia by their keys."""
        codes = {"part": "number", "organisation": "id", "mode": "mode", "mechanism": "code", "consortium": "id"}
        return {
            key: f"{code} {zh}"
            for kind, column in codes.items()
            for key, code, zh in self.table(kind).select("key", column, "name_zh").iter_rows()
        }

    def graph(self, kind: str, start: str, end: str) -> nx.DiGraph[str]:
        return nx.DiGraph(self.table(kind).select(start, end).drop_nulls().rows())

    @cached_property
    def bom(self) -> nx.DiGraph[str]:
        return self.graph("contains", "parent", "child")

    @cached_property
    def genealogy(self) -> nx.DiGraph[str]:
        return self.graph("lot_genealogy", "from_lot", "into_lot")

    def under(self, part: str) -> set[str]:
        return {part, *nx.descendants(self.bom, part)}

    @cached_property
    def supplies(self) -> list[dict[str, Any]]:
        return self.table("supplies").to_dicts()

    def lots(self, keys: set[str]) -> list[dict[str, Any]]:
        return self.table("lot").filter(pl.col("key").is_in(keys)).to_dicts()

    def records(self, condition: pl.Expr) -> list[dict[str, Any]]:
        return self.table("life_record").filter(condition).to_dicts()

    def behind(self, firm: str) -> dict[str, dict[str, int]]:
        """By firm: the parts that it delivers towards `firm`, and the least level of each; wave by wave."""
        makes, sellers = defaultdict(set), defaultdict(set)
        for supply in self.supplies:
            makes[supply["supplier"]].add(supply["part"])
            sellers[supply["part"], supply["customer"]].add(supply["supplier"])
        found: dict[str, dict[str, int]] = defaultdict(dict)
        wave, level, seen = {(firm, part) for part in makes[firm]}, 0, set()
        while wave:
            seen |= wave
            level += 1
            beyond = {
                (seller, part)
                for buyer, made in wave
                for part in (self.bom.successors(made) if made in self.bom else ())
                for seller in sellers[part, buyer]
            }
            for seller, part in beyond:
                found[seller].setdefault(part, level)
            wave = beyond - seen
        return dict(found)


def where_used(facts: Facts) -> Rows:
    uses = run("where_used", facts.view, {"part": BEARING}).payload("zh")
    return sorted(
        ((facts.called[u["part"]], u["level"], u["quantity"]) for u in uses), key=lambda row: (row[1], row[0])
    )


def in_assembly(facts: Facts) -> Rows:
    top = "L01/A10"
    return [(path,) for end in nx.descendants(facts.bom, top) for path in nx.all_simple_paths(facts.bom, top, end)]


def by_tier(facts: Facts) -> Rows:
    tiers = dict(facts.table("organisation").select("key", "tier").iter_rows())
    firms = {each["supplier"] for each in facts.supplies if each["part"] in facts.under(PRODUCT)}
    grouped: dict[int, list[str]] = defaultdict(list)
    for firm in firms:
        grouped[tiers[firm]].append(facts.called[firm])
    return [(tier, len(names), names) for tier, names in sorted(grouped.items())]


def behind_one(facts: Facts) -> Rows:
    found = [
        (facts.called[firm], min(parts.values()), [facts.called[part] for part in parts])
        for firm, parts in facts.behind("S05").items()
    ]
    return sorted(found, key=lambda row: (row[1], row[0]))


def behind_two(facts: Facts) -> Rows:
    one, other = facts.behind("S05"), facts.behind("S06")
    shared = one.keys() & other.keys()
    return sorted((facts.called[f], [facts.called[p] for p in one[f].keys() | other[f].keys()]) for f in shared)


def behind_many(facts: Facts) -> Rows:
    tiers = dict(facts.table("organisation").select("key", "tier").iter_rows())
    customers: dict[str, list[str]] = defaultdict(list)
    for first in (firm for firm, tier in tiers.items() if tier == 1):
        for firm in facts.behind(first).keys() - {first}:
            customers[firm].append(first)
    found = [(facts.called[f], tiers[f], len(c), c) for f, c in customers.items() if len(c) > 1]
    return sorted(found, key=lambda row: (-row[2], row[0]))


def sole(facts: Facts) -> Rows:
    found = []
    for part in facts.under(PRODUCT):
        rows = [each for each in facts.supplies if each["part"] == part]
        firms = {each["supplier"] for each in rows}
        if len(firms) != 1 or firms & {each["customer"] for each in rows}:
            continue
        lead = max((each["lead_time_days"] for each in rows if each["lead_time_days"] is not None), default=None)
        nobody = any(each["alternative_exists"] is False for each in rows)
        found.append((facts.called[part], facts.called[firms.pop()], list({r["status"] for r in rows}), lead, nobody))
    return sorted(found, key=lambda row: (not row[4], -(row[3] or 0), row[0]))


def downstream(facts: Facts) -> Rows:
    grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
    for lot in facts.lots(nx.descendants(facts.genealogy, GREASE_LOT)):
        grouped[facts.called[lot["part"]], facts.called[lot["maker"]]].append(lot["code"])
    return [(*key, codes) for key, codes in sorted(grouped.items())]


def touched(facts: Facts) -> Rows:
    holds = {lot["part"] for lot in facts.lots({GREASE_LOT, *nx.descendants(facts.genealogy, GREASE_LOT)})}
    tops = [part for part in facts.bom if not facts.bom.in_degree(part)]
    found = [(facts.called[top], [facts.called[part] for part in facts.under(top) & holds]) for top in tops]
    return sorted(row for row in found if row[1])


def upstream(facts: Facts) -> Rows:
    steps = nx.single_source_shortest_path_length(facts.genealogy.reverse(), "L01/VMC850/L01/VMC2503")
    found = [
        (facts.called[lot["part"]], lot["maker"], lot["code"], steps[lot["key"]])
        for lot in facts.lots({key for key in steps if steps[key]})
    ]
    return sorted(found, key=lambda row: (row[3], *row[:3]))


def per_lot(facts: Facts) -> Rows:
    codes = dict(facts.table("lot").select("key", "code").iter_rows())
    units: Counter[tuple[Any, ...]] = Counter()
    failures: Counter[tuple[Any, ...]] = Counter()
    for record in facts.records(pl.col("part") == BEARING):
        group = (record["maker"], codes.get(record["lot"]))
        units[group] += record["count"]
        failures[group] += record["count"] if record["event"] != "suspension" else 0
    found = [(*g, n, units[g], pytest.approx(100 * n / units[g], abs=0.051)) for g, n in failures.items() if n]
    return sorted(found, key=lambda row: (-row[2], row[0], row[1] is None, row[1] or ""))


def failed_downstream(facts: Facts) -> Rows:
    lots = {GREASE_LOT, *nx.descendants(facts.genealogy, GREASE_LOT)}
    parts = dict(facts.table("mode").select("key", "part").iter_rows())
    found: Counter[tuple[str, str]] = Counter()
    for record in facts.records(pl.col("lot").is_in(lots) & pl.col("mode").is_not_null()):
        found[facts.called[parts[record["mode"]]], facts.called[record["mode"]]] += record["count"]
    return sorted(((*names, n) for names, n in found.items()), key=lambda row: (-row[2], *row[:2]))


def most(facts: Facts) -> Rows:
    found: Counter[str] = Counter()
    for record in facts.records(pl.col("part").is_in(facts.under(PRODUCT)) & (pl.col("event") != "suspension")):
        found[facts.called[record["part"]]] += record["count"]
    return sorted(found.items(), key=lambda row: (-row[1], row[0]))[:10]


def by_mechanism(facts: Facts) -> Rows:
    kinds = facts.graph("mechanism", "key", "parent")
    wear = {"ME-WEA", *nx.ancestors(kinds, "ME-WEA")}
    modes = facts.table("mode").filter(pl.col("mechanism").is_in(wear)).select("mechanism", "part", "key")
    return sorted(tuple(facts.called[key] for key in row) for row in modes.iter_rows())


def influenced(facts: Facts) -> Rows:
    steel = facts.table("propagation").filter(pl.col("upstream_part") == "L01/M06")
    modes = facts.table("mode").join(
        steel, left_on=["part", "mechanism"], right_on=["downstream_part", "mechanism"]
    )  # the natural join of the two drawings
    rows = modes.select("part", "key", "mechanism", "sensitivity").iter_rows()
    return sorted((*(facts.called[key] for key in row[:3]), row[3]) for row in rows)


def in_both(facts: Facts) -> Rows:
    members = facts.table("member")
    one, other = (set(members.filter(pl.col("consortium") == c)["organisation"]) for c in ("C-EDU", "C-VMC"))
    return [(facts.called["C-EDU"], facts.called["C-VMC"], [facts.called[firm] for firm in one & other])]


SAYS: dict[str, Callable[[Facts], Rows]] = {
    "Where is a part used? · 反查用途": where_used,
    "What is in an assembly? · 部件的构成": in_assembly,
    "Who supplies what is in a product, by tier? · 产品各级供应商": by_tier,
    "Who stands behind a supplier? · 某供应商的上游企业": behind_one,
    "Which sub-suppliers do two suppliers share? · 两家供应商共同的上游": behind_two,
    "On whom do many first-tier suppliers depend? · 多家一级供应商共同依赖谁": behind_many,
    "What comes from one firm only? · 单一来源": sole,
    "Where did a lot go? · 批次的去向": downstream,
    "Which products are touched by a lot? · 批次涉及的产品": touched,
    "What went into a lot? · 批次的来源": upstream,
    "How often did each lot fail? · 各批次的失效数": per_lot,
    "What failed of all that holds a lot? · 批次下游的失效": failed_downstream,
    "What fails most in a product? · 产品中失效最多的零部件": most,
    "Which parts fail through one mechanism? · 同一机理涉及的零部件": by_mechanism,
    "Where does a material's quality matter? · 材料质量影响哪里": influenced,
    "Which firms work in two consortia? · 跨联合体的企业": in_both,
}

A11, A12 = "A11 电主轴单元", "A12 主轴角接触球轴承(混合陶瓷)"
H01, H02 = "H01 甲控股有限公司（示例）", "H02 乙控股有限公司（示例）"
FINDS: dict[str, Rows] = {
    "Where do two firms say different things? · 各方说法不一": [
        ("Mode", "L01/A12/FM003", "severity", "L01", 8, "S05", 6),
        ("Lot", GREASE_LOT, "produced_on", "S05", "2025-03-09", "S31", "2025-03-02"),
    ],
    "Which lines of a bill of materials are in dispute? · 有分歧的物料清单行": [(A11, A12, "L01", 2.0, "S01", 4.0)],
    "Which parts have no supplier? · 没有供应商的零部件": [("Q01 主轴防护罩", ["A10 主轴系统"])],
    "Who owns itself, by way of others? · 循环持股": [([H01, H02, H01],)],
    "Which firms supply each other? · 互为供应商的企业": [
        ("S05 瓦岭轴承有限公司（示例）", [A12], "S31 津润润滑材料有限公司（示例）", ["M04 高速润滑脂"]),
    ],
    "What is referred to and not described? · 尚无资料的引用": [("LotStatement", "L01/M04/S31/LZ9901@S05", "S05")],
}
"""What fixtures/audit brings to light."""


# The queries on the demo in Neo4j


@pytest.fixture(scope="module")
def facts(demo_workspace: Workspace) -> Facts:
    return Facts(demo_workspace.view())


@pytest.fixture(scope="module")
def audited(neo4j_demo: str) -> None:
    """The demo and what an audit brought."""
    with Workspace.open(neo4j_demo) as workspace:
        assert not ingest.load(workspace, [AUDIT]).refused


def asked(server: Server, text: str) -> Rows:
    """The rows of a query; it only reads, and the server has nothing to remark on it."""
    rows: Rows = []
    with server.driver.session(notifications_min_severity="INFORMATION") as session:
        for each in (f"EXPLAIN {text}", text):
            result = session.run(each)
            rows = [tuple(map(plain, record.values())) for record in result]
            summary = result.consume()
            assert summary.query_type == "r"
            assert [s.status_description for s in summary.gql_status_objects if s.is_notification] == []
    return rows


def plain(value: Any) -> Any:
    if isinstance(value, Walk):
        return [node["key"] for node in value.nodes]
    return value.iso_format() if hasattr(value, "iso_format") else value


def alike(rows: Rows) -> Rows:
    """Rows with what was collected, in no order, put into one."""
    return [tuple(sorted(each) if isinstance(each, list) else each for each in row) for row in rows]


@pytest.mark.parametrize("query", ON_DEMO, ids=lambda query: query.title.partition("?")[0])
def test_a_query_on_the_demo_says_what_is_so(query: Query, neo4j_demo: str, neo4j_server: Server, facts: Facts) -> None:
    found, expected = asked(neo4j_server, query.text), SAYS[query.title](facts)
    assert len(found) > 0
    if "ORDER BY" not in query.text:
        found, expected = sorted(found), sorted(expected)
    assert alike(found) == alike(expected)


def test_the_demo_is_free_of_gaps_and_disagreements(neo4j_demo: str, neo4j_server: Server) -> None:
    assert [each.title for each in ON_AUDIT if neo4j_server.driver.execute_query(each.text).records] == []


@pytest.mark.parametrize("query", ON_AUDIT, ids=lambda query: query.title.partition("?")[0])
def test_a_query_finds_what_an_audit_brought(query: Query, audited: None, neo4j_server: Server) -> None:
    assert asked(neo4j_server, query.text) == FINDS[query.title]
