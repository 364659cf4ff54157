"""Each consistency rule fires on a world that breaks it and is silent on one that does not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest

from schema import KINDS
from schema.rules import DEEP, RULES, changed
from tests.chaingraph.world import line, machine, part, rows

TOMORROW = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=5)


def supply(**more: Any) -> dict[str, Any]:
    return {"part": "L01/B", "supplier": "S1", "customer": "L01", **more}


def record(**more: Any) -> dict[str, Any]:
    return {"id": "r", "part": "L01/B", "age": 5.0, "event": "failure", **more}


def declared(**more: Any) -> dict[str, Any]:
    return {"part": "L01/B", "maker": "S1", "metric": "mtbf", "value": 1000.0, "unit": "h", **more}


def lot(code: str, made: dt.date | None = None) -> dict[str, Any]:
    return {"part": "L01/B", "maker": "S1", "code": code, "produced_on": made}


def went(start: str, end: str) -> dict[str, Any]:
    ends = {"from_part": "L01/B", "from_maker": "S1", "into_part": "L01/B", "into_maker": "S1"}
    return {**ends, "from_lot": f"L01/B/S1/{start}", "into_lot": f"L01/B/S1/{end}"}


BREAKS: dict[str, tuple[dict[str, pl.DataFrame], list[str], str]] = {
    "contains.cycle": (
        {"contains": rows("contains", line("M", "A"), line("A", "B"), line("B", "M"), line("M", "X"))},
        ["L01/A/L01/B///@L01", "L01/B/L01/M///@L01", "L01/M/L01/A///@L01"],
        "circle: L01/A → L01/B → L01/M → L01/A",
    ),
    "lot_genealogy.cycle": (
        {"lot_genealogy": rows("lot_genealogy", went("a", "b"), went("b", "a"), went("b", "c"))},
        ["L01/B/S1/a/L01/B/S1/b@L01", "L01/B/S1/b/L01/B/S1/a@L01"],
        "L01/B/S1/a → L01/B/S1/b → L01/B/S1/a",
    ),
    "contains.dangling_child": (
        {"part": rows("part", part("M"), part("A", stub=True)), "contains": rows("contains", line("M", "A"))},
        ["L01/M/L01/A///@L01"],
        "L01/A",
    ),
    "contains.k_too_large": (
        {"contains": rows("contains", line("M", "A", 2, group="g", k=5), line("M", "B", 2, group="g", k=5))},
        ["L01/M/L01/A//g/@L01", "L01/M/L01/B//g/@L01"],
        "k=5",
    ),
    "contains.k_differs": (
        {"contains": rows("contains", line("M", "A", 2, group="g", k=2), line("M", "B", 2, group="g", k=1))},
        ["L01/M/L01/A//g/@L01", "L01/M/L01/B//g/@L01"],
        "differ",
    ),
    "contains.duty_missing": (
        {
            "part": rows("part", part("M"), part("A", age_unit="cycles")),
            "contains": rows("contains", line("M", "A"), line("M", "A", find_no="2", duty=60.0)),
        },
        ["L01/M/L01/A///@L01"],
        "h / cycles",
    ),
    "contains.quantity_implausible": (
        {"contains": rows("contains", line("M", "A", 2e6))},
        ["L01/M/L01/A///@L01"],
        "2000000",
    ),
    "supplies.share_sum": (
        {"supplies": rows("supplies", supply(share=0.5), supply(supplier="S2", share=0.4))},
        ["S1/L01/B/L01//@L01", "S2/L01/B/L01//@L01"],
        "0.9",
    ),
    "supplies.sole_contradicted": (
        {"supplies": rows("supplies", supply(status="sole"), supply(supplier="S2"))},
        ["S1/L01/B/L01//@L01"],
        "sole",
    ),
    "supplies.lead_time_spread": (
        {"supplies": rows("supplies", supply(lead_time_days=5.0, lead_time_sd_days=8.0))},
        ["S1/L01/B/L01//@L01"],
        "itself",
    ),
    "organisation.uscc": (
        {
            "organisation": rows(
                "organisation", {"id": "L01", "uscc": "91110000600037341X"}, {"id": "S1", "uscc": "91110000600037341L"}
            )
        },
        ["L01"],
        "91110000600037341X",
    ),
    "organisation.own_parent": (
        {"organisation": rows("organisation", {"id": "L01", "parent": "L01"})},
        ["L01"],
        "itself",
    ),
    "declared_value.implausible": (
        {"declared_value": rows("declared_value", declared(metric="failure_rate", value=500.0, unit="1/h"))},
        ["L01/B/S1/failure_rate//@L01"],
        "500",
    ),
    "declared_value.unit": (
        {
            "declared_value": rows(
                "declared_value", declared(unit="FIT"), declared(maker="S2", metric="failure_rate", unit="FIT")
            )
        },
        ["L01/B/S1/mtbf//@L01"],
        "FIT",
    ),
    "life_record.unit_mismatch": (
        {
            "part": rows("part", part("B")),
            "life_record": rows("life_record", record(unit="km"), record(id="s", unit="h")),
        },
        ["r@L01"],
        "km",
    ),
    "life_record.age_implausible": (
        {
            "part": rows("part", part("B"), part("C", age_unit="cycles")),
            "life_record": rows("life_record", record(age=1e9), record(id="s", part="L01/C", age=1e9)),
        },
        ["r@L01"],
        "1000000000.0 h",
    ),
    "life_record.suspension_mode": (
        {
            "life_record": rows(
                "life_record", record(event="suspension", mode="L01/B/x"), record(id="s", mode="L01/B/x")
            )
        },
        ["r@L01"],
        "alive",
    ),
    "date.future": ({"life_record": rows("life_record", record(observed_on=TOMORROW))}, ["r@L01"], str(TOMORROW)),
    "lot.made_after": (
        {
            "lot": rows("lot", lot("a", dt.date(2025, 5, 1)), lot("b", dt.date(2025, 1, 1))),
            "lot_genealogy": rows("lot_genealogy", went("a", "b")),
        },
        ["L01/B/S1/a/L01/B/S1/b@L01"],
        "2025-05-01 > 2025-01-01",
    ),
    "member.dates": (
        {
            "member": rows(
                "member",
                {"consortium": "C", "organisation": "S1", "since": dt.date(2025, 1, 1), "until": dt.date(2024, 1, 1)},
            )
        },
        ["C/S1"],
        "ends before",
    ),
    "contains.deep": (
        {"contains": rows("contains", *[line(f"P{i:05d}", f"P{i + 1:05d}") for i in range(DEEP + 5)])},
        ["L01/P00000/L01/P00001///@L01"],
        str(DEEP + 5),
    ),
}


def test_every_rule_has_a_world_that_breaks_it() -> None:
    assert set(BREAKS) == set(RULES)


@pytest.mark.parametrize("code", list(RULES))
def test_a_rule_finds_what_breaks_it_and_says_so(code: str) -> None:
    tables, keys, said = BREAKS[code]
    rule = RULES[code]
    found = rule.check(tables)
    assert sorted(found["key"].to_list()) == sorted(keys)
    first = found.sort("key").row(0, named=True)
    assert first["column"] in KINDS[first["kind"]].fields
    assert said in rule.text.format(value=first["value"], detail=first["detail"]).en
    assert rule.text.zh
    assert rule.remedy.zh
    assert rule in changed({first["kind"]})


@pytest.mark.parametrize("code", list(RULES))
def test_a_rule_is_silent_on_a_sound_world_and_on_nothing(code: str) -> None:
    sound = {
        **machine(),
        "lot": rows("lot", lot("a", dt.date(2025, 1, 1)), lot("b", dt.date(2025, 2, 1))),
        "lot_genealogy": rows("lot_genealogy", went("a", "b")),
        "life_record": rows("life_record", record(observed_on=dt.date(2025, 1, 1))),
        "declared_value": rows("declared_value", declared()),
        "member": rows("member", {"consortium": "C", "organisation": "S1"}),
    }
    assert not len(RULES[code].check(sound))
    assert not len(RULES[code].check({}))


def test_cycles_are_those_that_networkx_finds() -> None:
    rng = np.random.default_rng(7)
    for _ in range(30):
        ends = rng.integers(0, 12, (rng.integers(1, 25), 2))
        graph: nx.DiGraph[int] = nx.DiGraph([tuple(e) for e in ends.tolist() if e[0] != e[1]])
        lines = rows("contains", *[line(f"P{a}", f"P{b}") for a, b in graph.edges])
        found = set(RULES["contains.cycle"].check({"contains": lines})["key"])
        inside = {
            f"L01/P{a}/L01/P{b}///@L01"
            for component in nx.strongly_connected_components(graph)
            if len(component) > 1
            for a, b in graph.subgraph(component).edges
        }
        assert found == inside
