"""The view: one row for each natural key, references that point where they should, names that people type."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaingraph import ChaingraphError, NotFound, View
from chaingraph.graph import neighbourhood, to_networkx, write_graphml
from chaingraph.naming import label, part, thing
from chaingraph.snapshot import Csr, Snapshot
from schema import KINDS, kind
from tests.chaingraph import world
from tests.chaingraph.world import line, machine, rows


def seen(tables: dict[str, pl.DataFrame]) -> View:
    return View(Snapshot(1, tables))


def test_references_point_to_the_rows_they_name() -> None:
    view = seen(machine())
    for name, each in KINDS.items():
        for field, target in each.refs.items():
            pointed = view.ref(name, field)
            keys = view.table(target)["key"].to_list()
            wanted = view.table(name)[field].to_list()
            assert [keys[p] if p >= 0 else None for p in pointed] == [w if w in keys else None for w in wanted]
    lines, counts = view.inverse("contains", "child").take(view.locate("part", ["L01/B", "L01/M"]))
    assert counts.tolist() == [2, 0]
    assert view.table("contains")[lines]["parent"].to_list() == ["L01/A", "L01/M"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1, 6), max_size=40), st.lists(st.integers(0, 6), max_size=10))
def test_grouping_rows_by_target_equals_a_search(targets: list[int], asked: list[int]) -> None:
    csr = Csr.of(np.array(targets, np.int32), 7)
    found, counts = csr.take(np.array(asked, np.int32))
    expected = [[i for i, t in enumerate(targets) if t == a] for a in asked]
    assert counts.tolist() == [len(e) for e in expected]
    assert found.tolist() == [i for e in expected for i in e]


def test_one_thing_stated_by_two_owners_is_one_row_and_the_disagreement_is_told() -> None:
    tables = machine()
    of_customer = {
        "part": "L01/B",
        "supplier": "S1",
        "customer": "L01",
        "share": 0.6,
        "lead_time_days": 10.0,
        "owner": "L01",
    }
    of_supplier = {**of_customer, "share": 0.9, "lead_time_days": 20.0, "owner": "S1"}
    tables["supplies"] = rows(
        "supplies", of_customer, of_supplier, {"part": "L01/B", "supplier": "S2", "customer": "L01", "share": 0.4}
    )
    view = seen(tables)
    stated = view.table("supplies").filter(pl.col("supplier") == "S1")
    assert stated.select("share", "lead_time_days", "owner").rows() == [(0.6, 20.0, "S1")], (
        "share: customer; the rest: supplier"
    )
    assert view.count("supplies") == 2
    assert view.ref("supplies", "supplier").tolist() == view.locate("organisation", ["S1", "S2"]).tolist()
    assert sorted(view.disagreements("supplies")["owner"].to_list()) == ["L01", "S1"]
    assert not len(view.disagreements("contains"))


def test_references_to_a_thing_stated_twice_meet_in_one_row() -> None:
    tables = machine()
    lot = {"part": "L01/B", "maker": "S1", "code": "X1"}
    tables["lot"] = rows("lot", {**lot, "owner": "L01", "stub": True}, {**lot, "owner": "S1", "quantity": 5.0})
    tables["life_record"] = rows(
        "life_record",
        {"id": "r1", "part": "L01/B", "maker": "S1", "lot": "L01/B/S1/X1", "age": 5.0, "event": "failure"},
    )
    view = seen(tables)
    assert view.table("lot").select("key", "owner", "quantity").rows() == [("L01/B/S1/X1", "S1", 5.0)]
    assert view.ref("life_record", "lot").tolist() == [0]
    assert view.inverse("life_record", "lot").take(np.array([0], np.int32))[0].tolist() == [0]
    assert view.locate("lot", ["L01/B/S1/X1", "L01/B/S1/X2"]).tolist() == [0, -1]


def test_records_of_two_owners_with_one_number_are_two() -> None:
    record = {"id": "SP1", "part": "L01/B", "age": 5.0, "event": "failure"}
    view = seen(
        {**machine(), "life_record": rows("life_record", {**record, "owner": "L01"}, {**record, "owner": "S1"})}
    )
    assert view.table("life_record")["key"].to_list() == ["SP1@L01", "SP1@S1"]


def test_locating_few_and_many_agree() -> None:
    view = seen(machine())
    few = ["L01/B", "nothing", "L01/A"]
    many = few * 40
    assert view.locate("part", many).tolist() == view.locate("part", few).tolist() * 40


def test_parts_are_found_by_number_key_and_alias() -> None:
    tables = machine()
    tables["part"] = rows(
        "part", *[world.part(n) for n in "MAB"], world.part("B", issuer="L02"), world.part("Q", issuer="L02")
    )
    tables["part_alias"] = rows("part_alias", {"organisation": "L01", "drawing_no": "HY-Q-00", "part": "L02/Q"})
    view = seen(tables)
    numbers = view.table("part")["key"].to_list()
    assert numbers[part(view, "Q")] == "L02/Q"
    assert numbers[part(view, "L02/B")] == "L02/B"
    assert numbers[part(view, "HY-Q-00")] == "L02/Q"
    with pytest.raises(ChaingraphError) as unclear:
        part(view, "B")
    assert unclear.value.code == "part.ambiguous"
    assert "L01/B, L02/B" in unclear.value.text.en
    with pytest.raises(NotFound):
        part(view, "nothing")
    assert thing(view, "S1")[0] == "organisation"
    assert thing(view, "part:L02/B") == ("part", numbers.index("L02/B"))
    assert label(view, "part", 0, "en") == "A"


def test_the_neighbourhood_is_what_networkx_finds_within_the_same_distance() -> None:
    view = seen(machine())
    whole = to_networkx(view, ("organisation", "part"))
    at = int(view.locate("part", ["L01/A"])[0])
    relations: nx.Graph[str] = nx.Graph()
    for start, end, key in whole.edges(keys=True):
        if str(key).split(":")[0] in KINDS:
            relations.add_edge(start, end)
    for depth in (1, 2):
        near = neighbourhood(view, "part", at, depth=depth)
        assert set(near.nodes) == set(nx.single_source_shortest_path_length(relations, "part:L01/A", depth))
        assert not near.graph["cut"]
    assert neighbourhood(view, "part", at, depth=2, limit=2).graph["cut"]


def test_graphml_keeps_nodes_edges_and_chinese_names(tmp_path: Path) -> None:
    view = seen(machine())
    write_graphml(view, tmp_path / "g.graphml")
    back = nx.read_graphml(tmp_path / "g.graphml")
    assert back.nodes["part:L01/B"]["name_zh"] == "轴承"
    labels = [d["label"] for _, _, d in back.edges(data=True)]
    assert labels.count("CONTAINS") == 3
    assert labels.count("SUPPLIES") == 2


def test_lines_with_keys_of_every_sign_keep_their_parts() -> None:
    of = kind("contains")
    odd = rows("part", world.part("a/b@c%"), world.part("x"))
    key = odd["key"].to_list()[0]
    assert key == "L01/a%2Fb%40c%25"
    lines = rows("contains", {**line("x", "x"), "child": key, "find_no": "1/2@"})
    assert lines["key"].to_list() == [f"L01/x/{key}/1%2F2%40//@L01"]
    assert lines.select(of.natural_of()).item() == lines["key"].item().removesuffix("@L01")
    view = seen({"part": odd, "contains": lines})
    assert view.ref("contains", "child").tolist() == [0]
