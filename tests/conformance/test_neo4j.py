"""What only the Neo4j store has: its statements, the graph that people see in it, and which addresses it takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chaingraph.changes import ChangeSet
from chaingraph.errors import StoreError
from chaingraph.store import Store, cypher, open_store
from chaingraph.store.neo4j_link import Address
from schema import KINDS
from tests.chaingraph.world import line, machine, part, rows
from tests.conformance.stores import STORES, keys
from tests.neo4j.server import running

GOLDEN = Path(__file__).with_name("golden") / "neo4j.cypher"
NEO4J = [kept for kept in STORES if kept.name == "neo4j"]


@pytest.fixture(params=NEO4J, ids=["neo4j"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = request.param.open(tmp_path)
    yield made
    made.close()


def ask(text: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """What a person with a Cypher tool gets."""
    return [tuple(r.values()) for r in running().driver.execute_query(text, parameters).records]


def test_the_statements_are_those_of_the_golden_file() -> None:
    """After a change that is meant: `python -m tests.conformance.test_neo4j` writes the file anew."""
    assert cypher.golden() == GOLDEN.read_text(encoding="utf-8")


def statements() -> list[str]:
    body = cypher.golden().partition("// sweep\n")[2]
    return [text.removesuffix(";") for text in body.splitlines() if text and not text.startswith("//")]


def operators(plan: Any) -> list[tuple[str, str]]:
    found = [(plan["operatorType"].partition("@")[0], plan["args"].get("Details", ""))]
    return found + [each for child in plan.get("children", ()) for each in operators(child)]


def test_the_server_understands_every_statement_and_finds_rows_by_key(store: Store) -> None:
    """No statement that is meant to go by key reads all nodes, or all of a label or a type."""
    given = {"rows": [], "keys": [], "start": [], "after": "", "batch": 1}
    whole = {"AllNodesScan", "NodeByLabelScan", "DirectedRelationshipTypeScan", "UndirectedRelationshipTypeScan"}
    with running().driver.session(notifications_min_severity="OFF") as session:
        for text in statements():
            plan = session.run(f"EXPLAIN {text}", given).consume().plan
            used = operators(plan)
            if "IN $keys" in text:  # a reference that is not drawn is looked for in every row
                continue
            scans = [(name, details) for name, details in used if name in whole and cypher.MISSING not in details]
            assert not scans, (text, used)


def test_what_is_looked_for_by_key_is_told_to_be_found_by_the_index() -> None:
    """Left to itself the planner reads everything for each of 10,000 rows: after the first large commit of a kind its
    statistics still say that there is nothing to read.
    """
    for text in statements():
        clauses = re.split(r" (?=MATCH|MERGE)", text)
        by_key = [each for each in clauses if re.match(r"MATCH .*[(\[]\w*:\w+ \{key: ", each)]
        assert all(" USING INDEX SEEK " in each for each in by_key), text


def test_every_key_is_unique_and_every_declared_index_is_there(store: Store) -> None:
    unique = {
        tuple(r) for r in ask("SHOW CONSTRAINTS YIELD labelsOrTypes, properties RETURN labelsOrTypes[0], properties[0]")
    }
    indexed = {
        tuple(r)
        for r in ask(
            "SHOW INDEXES YIELD labelsOrTypes, properties WHERE size(properties) = 1 "
            "RETURN labelsOrTypes[0], properties[0]"
        )
    }
    for kind in KINDS.values():
        label = kind.relation.label if kind.relation else cypher.row_label(kind)
        assert (label, "key") in unique, kind.name
        for name, field in kind.fields.items():
            if field.meta.indexed and not (kind.relation and name in {kind.relation.start, kind.relation.end}):
                assert {(label, name), (kind.label, name)} & indexed, (kind.name, name)


def test_the_graph_is_drawn_as_the_schema_draws_it(store: Store) -> None:
    lot, other = {"part": "L01/A", "maker": "S1", "code": "B1"}, {"part": "L01/M", "code": "X"}
    mode = {"part": "L01/A", "mode": "FM1", "mechanism": "wear", "name_zh": "磨损"}
    record = {"id": "R1", "part": "L01/A", "age": 1.0, "event": "failure", "lot": "L01/A/S1/B1", "mode": "L01/A/FM1"}
    flow = {
        "from_part": "L01/A",
        "from_maker": "S1",
        "from_lot": "L01/A/S1/B1",
        "into_part": "L01/M",
        "into_lot": "L01/M//X",
    }
    put = machine() | {
        "mechanism": rows("mechanism", {"code": "wear", "name_zh": "磨损"}),
        "lot": pl.concat([rows("lot", lot, other), rows("lot", lot, owner="S1")]).sort("key"),
        "mode": pl.concat([rows("mode", mode), rows("mode", mode, owner="S1")]).sort("key"),
        "life_record": rows("life_record", record), "lot_genealogy": rows("lot_genealogy", flow),
    }  # fmt: skip
    store.commit(ChangeSet(put))
    assert ask("MATCH (:Part {number: 'M'})-[r:CONTAINS]->(p:Part) RETURN p.number, r.quantity ORDER BY p.number")
    assert ask("MATCH (o:Organisation)-[:ISSUES]->(p:Part) RETURN DISTINCT o.id") == [("L01",)]
    down = ask("MATCH (:Lot {code: 'B1'})-[:WENT_INTO*]->(l:Lot)-[:OF]->(p:Part) RETURN l.code, p.number, l.name")
    assert down == [("X", "M", "X")]
    assert ask("MATCH (o:Organisation)-[:MADE]->(l:Lot) RETURN o.id, l.code") == [("S1", "B1")]
    assert ask("MATCH (s:LotStatement)-[:STATES]->(:Lot {code: 'B1'}) RETURN s.owner ORDER BY s.owner") == [
        ("L01",),
        ("S1",),
    ]
    why = (
        "MATCH (p:Part)-[:FAILS_BY]->(m:Mode)-[r:THROUGH]->(c:Mechanism) "
        "RETURN p.number, m.name, c.name, r.owner ORDER BY r.owner"
    )
    assert ask(why) == [("A", "FM1 磨损", "wear 磨损", "L01"), ("A", "FM1 磨损", "wear 磨损", "S1")]
    assert ask("MATCH (r:LifeRecord)-[:FROM_LOT]->(l:Lot) RETURN r.id, l.code") == [("R1", "B1")]
    assert ask("MATCH (r:LifeRecord)-[:SHOWED]->(:Mode)<-[:FAILS_BY]-(p) RETURN p.number") == [("A",)]
    # one firm takes its statement back: the thing stays, with what the other says
    store.commit(ChangeSet(delete={"mode": put["mode"].filter(pl.col("owner") == "S1")["key"]}))
    assert ask(why) == [("A", "FM1 磨损", "wear 磨损", "L01")]
    store.commit(ChangeSet({"mode": rows("mode", mode | {"mechanism": None})}))
    assert ask(why) == []
    assert ask("MATCH (n:Missing) RETURN n.key") == []


def test_a_thing_is_called_what_its_first_owner_calls_it_whatever_came_last(store: Store) -> None:
    """The order in which firms load, and what one of them takes back, leave no trace in a caption."""
    mode = {"part": "L01/A", "mode": "FM1"}
    said = {"L01": "磨损", "S1": "磨蚀", "S2": None}
    stated = {owner: rows("mode", mode | {"name_zh": name}, owner=owner) for owner, name in said.items()}
    store.commit(ChangeSet({"part": rows("part", part("A")), "mode": stated["S2"]}))
    called = [ask("MATCH (m:Mode) RETURN m.name")]
    for owner in ("S1", "L01", "S2"):
        store.commit(ChangeSet({"mode": stated[owner]}))
        called.append(ask("MATCH (m:Mode) RETURN m.name"))
    store.commit(ChangeSet(delete={"mode": stated["L01"]["key"]}))
    called.append(ask("MATCH (m:Mode) RETURN m.name"))
    assert called == [[("FM1",)], [("FM1 磨蚀",)], [("FM1 磨损",)], [("FM1 磨损",)], [("FM1 磨蚀",)]]


def test_what_is_not_there_yet_is_a_placeholder_and_goes_when_nothing_refers_to_it(store: Store) -> None:
    lines = rows("contains", line("M", "A"))
    store.commit(ChangeSet({"contains": lines, "part": rows("part", part("M"))}))
    assert sorted(ask("MATCH (n:Missing) RETURN labels(n), n.key")) == [
        (["Organisation", "Missing"], "L01"), (["Part", "Missing"], "L01/A"),
    ]  # fmt: skip
    assert keys(store, "part") == ["L01/M"]
    store.commit(ChangeSet({"part": rows("part", part("A"))}))
    assert ask("MATCH (n:Missing) RETURN n.key") == [("L01",)]
    assert ask("MATCH (:Part {key: 'L01/M'})-[:CONTAINS]->(a:Part) RETURN a.number") == [("A",)]
    gone = rows("part", part("A"), part("M"))["key"]
    store.commit(ChangeSet(delete={"part": gone, "contains": lines["key"]}))
    assert ask("MATCH (n) WHERE n:Part OR n:Organisation RETURN n.key") == []


def test_an_edge_may_turn_to_another_end(store: Store) -> None:
    known = {"organisation": "S1", "number": "77", "drawing_no": None}
    for target in ("L01/A", "L01/B"):
        store.commit(ChangeSet({"part_alias": rows("part_alias", known | {"part": target})}))
    assert ask("MATCH (:Organisation)-[r:KNOWS_AS]->(p:Part) RETURN p.key, r.part") == [("L01/B", "L01/B")]
    assert ask("MATCH (p:Part) RETURN p.key") == [("L01/B",)]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("neo4j://user:pass-1@host:7687", "store.credentials"),
        ("bolt://host:7687/a/b", "store.address"),
        ("neo4j:///graph", "store.address"),
        ("neo4jx://host", "store.address"),
        ("http://host", "store.address"),
    ],
)
def test_addresses_that_cannot_be(url: str, code: str) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(url)
    assert refused.value.code == code
    assert "pass-1" not in refused.value.say("en") + refused.value.say("zh")


def test_an_address_names_server_and_database() -> None:
    assert Address.of("neo4j+s://graph.example:7687/chain?policy=eu") == Address(
        "neo4j+s://graph.example:7687/chain?policy=eu", "neo4j+s://graph.example:7687?policy=eu", "chain"
    )
    assert Address.of("bolt://[::1]:7687").database is None


def test_another_programs_database_is_told_and_left_alone(store: Store) -> None:
    running().wipe()
    ask("CREATE (:Movie {title: 'x'})")
    with pytest.raises(StoreError) as refused:
        open_store(store.url)
    assert refused.value.code == "store.foreign"
    assert ask("MATCH (n) RETURN labels(n)") == [(["Movie"],)]


def test_on_enterprise_keys_must_be_there() -> None:
    text = "\n".join(cypher.schema(enterprise=True))
    assert "FOR (x:Part) REQUIRE x.key IS NODE KEY" in text
    assert "FOR ()-[x:CONTAINS]-() REQUIRE x.key IS RELATIONSHIP KEY" in text


if __name__ == "__main__":
    GOLDEN.write_text(cypher.golden(), encoding="utf-8")
