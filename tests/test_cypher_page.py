"""The page on Cypher: its picture is the registry's, and every query on it runs on the demo and says what is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import networkx as nx
import polars as pl
import pytest
from neo4j import Driver

from chaingraph import Workspace
from ingest.load import load
from ingest.retract import undo
from schema import KINDS
from tests.neo4j.server import Server

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "cypher.md").read_text(encoding="utf-8")
QUERIES = {
    heading.partition(" · ")[0]: query
    for heading, query in re.findall(r"^### ([^\n]+)\n[^#]+?```cypher\n(.+?);?\n```", PAGE, re.MULTILINE | re.DOTALL)
}
GAPS = {h.partition(" · ")[0] for h in re.findall(r"^### (.+)$", PAGE.partition("## Gaps")[2], re.MULTILINE)}


def told(driver: Driver, query: str) -> list[dict[str, Any]]:
    """The answer of a query that reads, and of which the server has nothing to say."""
    records, summary, _ = driver.execute_query(query)
    assert summary.query_type == "r"
    assert [note.status_description for note in summary.gql_status_objects if note.is_notification] == []
    return [r.data() for r in records]


def asked(driver: Driver, query: str) -> pl.DataFrame:
    """The same as columns."""
    return pl.DataFrame(told(driver, query), infer_schema_length=None)


def test_the_picture_is_the_registrys() -> None:
    drawn = set(re.findall(r"^  (\w+) -->\|(\w+)\| (\w+)$", PAGE, re.MULTILINE))
    expected = set()
    for kind in KINDS.values():
        if kind.relation:
            start, end = (KINDS[kind.refs[f]].label for f in (kind.relation.start, kind.relation.end))
            expected.add((start, kind.relation.label, end))
        for field, (label, outward) in kind.drawn.items():
            there = KINDS[kind.refs[field]].label
            expected.add((kind.label, label, there) if outward else (there, label, kind.label))
    expected |= {(f"{label}Statement", "STATES", label) for label in ("Lot", "Mode")}
    assert drawn == expected
    nodes = set(re.findall(r"^  (\w+)\[", PAGE, re.MULTILINE))
    assert nodes == {kind.label for kind in KINDS.values() if kind.is_node} | {"LotStatement", "ModeStatement"}


def test_there_are_enough_and_each_has_a_chinese_title() -> None:
    headings = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    assert len(QUERIES) == len(headings) >= 12
    assert all(re.search(r" · .*[\u4e00-\u9fff]", heading) for heading in headings)


@pytest.mark.parametrize("title", sorted(QUERIES.keys() - GAPS))
def test_a_query_answers_on_the_demo(neo4j_demo: str, neo4j_server: Server, title: str) -> None:
    assert told(neo4j_server.driver, QUERIES[title])


def bill(workspace: Workspace) -> Any:
    """The bill of materials for networkx."""
    lines = workspace.snapshot().table("contains")
    return nx.DiGraph(lines.select("parent", "child").rows())


def names(workspace: Workspace, kind: str) -> dict[str, str]:
    """What the graph calls a thing: its code and its name."""
    table = workspace.snapshot().table(kind)
    code = "number" if kind == "part" else "id"
    name = pl.coalesce("name_zh", "name_en", pl.lit(""))
    return dict(table.select("key", (pl.col(code) + " " + name).str.strip_chars()).rows())


def test_where_used_is_what_networkx_finds(neo4j_demo: str, neo4j_server: Server, demo_workspace: Workspace) -> None:
    found = asked(neo4j_server.driver, QUERIES["Where is a part used?"])
    called, graph = names(demo_workspace, "part"), bill(demo_workspace).reverse()
    steps = nx.single_source_shortest_path_length(graph, "L01/A12")
    assert dict(found.select("part", "level").rows()) == {called[k]: n for k, n in steps.items() if n}


def test_suppliers_by_tier_are_those_of_the_parts_below(
    neo4j_demo: str, neo4j_server: Server, demo_workspace: Workspace
) -> None:
    found = asked(neo4j_server.driver, QUERIES["Who supplies what is in a product, by tier?"])
    below = {"L01/VMC850", *nx.descendants(bill(demo_workspace), "L01/VMC850")}
    snapshot = demo_workspace.snapshot()
    firms = snapshot.table("supplies").filter(pl.col("part").is_in(list(below)))["supplier"].unique()
    tiers = snapshot.table("organisation").filter(pl.col("key").is_in(firms.to_list()))
    expected = {tier: set(keys) for tier, keys in tiers.group_by("tier").agg("key").rows()}
    called = names(demo_workspace, "organisation")
    assert {r["tier"]: set(r["names"]) for r in found.iter_rows(named=True)} == {
        tier: {called[k] for k in keys} for tier, keys in expected.items()
    }


def test_lots_downstream_are_those_of_the_genealogy(
    neo4j_demo: str, neo4j_server: Server, demo_workspace: Workspace
) -> None:
    found = asked(neo4j_server.driver, QUERIES["Where did a lot go?"])
    flows = demo_workspace.snapshot().table("lot_genealogy").select("from_lot", "into_lot").rows()
    after: set[str] = nx.descendants(nx.DiGraph(flows), "L01/M04/S31/LZ2503")
    assert sorted(found["lots"].explode()) == sorted(key.rpartition("/")[2] for key in after)
    back = asked(neo4j_server.driver, QUERIES["What went into a lot?"])
    steps = nx.single_source_shortest_path_length(nx.DiGraph(flows).reverse(), "L01/VMC850/L01/VMC2503")
    assert sorted(back.select("lot", "steps").rows()) == sorted(
        (key.rpartition("/")[2], n) for key, n in steps.items() if n
    )


def test_failures_are_those_of_the_records(neo4j_demo: str, neo4j_server: Server, demo_workspace: Workspace) -> None:
    records = demo_workspace.snapshot().table("life_record").filter(pl.col("event") != "suspension")
    below = ["L01/VMC850", *nx.descendants(bill(demo_workspace), "L01/VMC850")]
    most = records.filter(pl.col("part").is_in(below)).group_by("part").agg(pl.col("count").sum())
    called = names(demo_workspace, "part")
    expected = sorted(((called[k], n) for k, n in most.rows()), key=lambda r: (-r[1], r[0]))[:10]
    assert asked(neo4j_server.driver, QUERIES["What fails most in a product?"]).rows() == expected
    lots = asked(neo4j_server.driver, QUERIES["How often did each lot fail?"])
    of = records.filter(pl.col("part") == "L01/A12")
    assert lots["failures"].sum() == of["count"].sum()


def test_single_sources_are_those_of_the_supplies(
    neo4j_demo: str, neo4j_server: Server, demo_workspace: Workspace
) -> None:
    below = ["L01/VMC850", *nx.descendants(bill(demo_workspace), "L01/VMC850")]
    supplies = demo_workspace.snapshot().table("supplies").filter(pl.col("part").is_in(below))
    single = (
        supplies.group_by("part")
        .agg(pl.col("supplier").unique(), pl.col("customer").unique())
        .filter(pl.col("supplier").list.len() == 1)
        .filter(~pl.col("customer").list.contains(pl.col("supplier").list.first()))
    )
    called = names(demo_workspace, "part")
    found = asked(neo4j_server.driver, QUERIES["What comes from one firm only?"])
    assert sorted(found["part"]) == sorted(called[key] for key in single["part"])


def test_gaps_and_disagreements_are_found_where_there_are_some(neo4j_demo: str, neo4j_server: Server) -> None:
    """Last of all: it adds to the demo and takes it back."""
    driver = neo4j_server.driver
    assert told(driver, QUERIES["Where do two firms say different things?"]) == []
    with Workspace.open(neo4j_demo) as workspace:
        report = load(workspace, [ROOT / "fixtures" / "audit"])
        assert report.refused == 0
        assert report.load is not None
        try:
            found = {title: told(driver, QUERIES[title]) for title in sorted(GAPS)}
        finally:
            undo(workspace, report.load)
    assert [title for title, rows in found.items() if not rows] == []
    assert told(driver, QUERIES["Where do two firms say different things?"]) == []
