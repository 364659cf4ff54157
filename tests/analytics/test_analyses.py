"""The registered analyses on small views: their answers, their fixed JSON, what they refuse."""

import datetime as dt
from math import exp
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from analytics import ANALYSES, run
from analytics.model import model
from chaingraph import ChaingraphError, NotFound, View
from chaingraph.snapshot import Snapshot
from fixtures.worlds import small
from tests.analytics.worlds import World
from tests.chaingraph.world import line, machine, part, rows

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
KINDS = {
    "organisations": "organisation",
    "parts": "part",
    "contains": "contains",
    "supplies": "supplies",
    "modes": "mode",
    "declared_values": "declared_value",
}


def seen(tables: dict[str, pl.DataFrame]) -> View:
    return View(Snapshot(1, tables), at=NOW)


def declared(number: str, maker: str, value: float, **more: object) -> dict[str, object]:
    return {"part": f"L01/{number}", "maker": maker, "metric": "mtbf", "value": value, "unit": "h", **more}


def known_machine(**more: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The machine, with an MTBF of each supplier's B."""
    return {
        **machine(),
        "declared_value": rows("declared_value", declared("B", "S1", 1000.0), declared("B", "S2", 500.0)),
        **more,
    }


def test_propagate_has_its_fixed_shape() -> None:
    found = run("propagate", seen(known_machine()), {"product": "M", "hours": (0.0, 100.0)}).payload("en")
    assert list(found) == ["product", "hours", "reliability", "low", "high", "level", "unknown", "bound"]
    per_unit = 0.6 * exp(-0.1) + 0.4 * exp(-0.2)
    assert found["reliability"] == pytest.approx([1.0, per_unit**5], rel=1e-11)
    assert found["low"][1] < found["reliability"][1] < found["high"][1]
    assert (found["product"], found["hours"], found["level"]) == ("L01/M", [0.0, 100.0], 0.9)
    assert (found["unknown"], found["bound"]) == ([], None)


def test_an_assembly_without_supply_rows_is_made_by_its_issuer_who_buys_its_parts() -> None:
    tables = known_machine()
    elsewhere = {"part": "L01/B", "supplier": "S2", "customer": "S1", "share": 1.0}
    tables["supplies"] = pl.concat([tables["supplies"], rows("supplies", elsewhere)]).sort("key")
    units = model(seen(tables)).units(2)
    assert units.rows() == [
        ("L01/A", "L01", 1.0, 2.0),
        ("L01/B", "S1", 1.0, 3.0),
        ("L01/B", "S2", 1.0, 2.0),
        ("L01/M", "L01", 1.0, 1.0),
    ]


def test_a_maker_may_be_chosen_and_must_make_it() -> None:
    view = seen(known_machine())
    mine = run("propagate", view, {"product": "M", "hours": (100.0,), "maker": "L01"})
    assert mine.reliability[0].value == run("propagate", view, {"product": "M", "hours": (100.0,)}).reliability[0].value
    with pytest.raises(ChaingraphError) as refused:
        run("propagate", view, {"product": "M", "hours": (100.0,), "maker": "S1"})
    assert refused.value.code == "maker_unknown"
    with pytest.raises(NotFound) as missing:
        run("propagate", view, {"product": "M", "hours": (100.0,), "maker": "S9"})
    assert missing.value.code == "organisation.unknown"


def test_ages_begin_at_zero() -> None:
    with pytest.raises(ValidationError, match="ages begin at 0"):
        run("propagate", seen(machine()), {"product": "M", "hours": (-1.0,)})


def test_what_nobody_knows_is_listed_and_bounds_the_answer() -> None:
    found = run("propagate", seen(machine()), {"product": "M", "hours": (100.0,)})
    assert (found.unknown, found.bound) == (("L01/B",), "upper")
    headings, table = found.rows("zh")
    assert headings[-1] == "说明"
    assert "L01/B" in table[0][-1]


def test_contributions_add_up_and_are_named() -> None:
    view = seen(known_machine())
    found = run("contributions", view, {"product": "M", "mission": 100.0})
    total = -np.log(run("propagate", view, {"product": "M", "hours": (100.0,)}).reliability[0].value)
    assert sum(c.failures.value for c in found.contributions) == pytest.approx(total, rel=1e-9)
    first = found.payload("zh")["contributions"][0]
    assert (first["rank"], first["part"], first["maker"], first["evidence"]) == (1, "L01/B", "S2", "declared")
    assert first["label"] == "B 轴承: 各模式合计"
    assert "declared_interval_assumed" in first["codes"]
    assert sum(c.share for c in found.contributions) == pytest.approx(1)


def test_contributions_say_what_was_left_out_and_what_goes_beyond_the_ages_observed() -> None:
    lives = rows(
        "life_record",
        *(
            {"id": str(age), "part": "L01/A", "maker": "L01", "event": "failure", "entry": 0.0, "age": age, "count": 1}
            for age in (300.0, 500.0, 900.0)
        ),
    )
    view = seen({**machine(), "life_record": lives})
    within = run("contributions", view, {"product": "M", "mission": 900.0})
    assert [note.code for note in within.notes] == ["bound_lower"]
    assert "extrapolated" not in within.contributions[0].codes
    beyond = run("contributions", view, {"product": "M", "mission": 901.0})
    assert [note.code for note in beyond.notes] == ["bound_lower", "extrapolated"]
    assert beyond.contributions[0].codes[-1] == "extrapolated"
    curve = run("propagate", view, {"product": "M", "hours": (100.0, 950.0, 2000.0)})
    assert curve.notes[-1].code == "extrapolated"
    assert "From age 950 on" in curve.notes[-1].text.en
    assert curve.notes[-1].text.en.endswith("1 of 1 at 2000.")
    assert "extrapolated" not in {n.code for n in run("propagate", view, {"product": "M", "hours": (900.0,)}).notes}
    headings, table = beyond.rows("en")
    assert headings[-1] == "Note"
    assert "L01/B" in table[0][-1]
    assert "extrapolated: 1, the first of them rank 1" in table[0][-1]


def test_contributions_of_which_nothing_is_known_say_so_in_their_table() -> None:
    headings, table = run("contributions", seen(machine()), {"product": "M", "mission": 9.0}).rows("zh")
    assert len(table) == 1
    assert len(headings) == len(table[0])
    assert "下界" in table[0][-1]


def test_lines_and_supplies_hold_from_and_to_their_dates() -> None:
    then, later = dt.date(2026, 1, 1), dt.date(2027, 1, 1)
    tables = known_machine(
        contains=rows(
            "contains",
            line("M", "B", 3, valid_to=then),
            line("M", "B", 4, valid_from=then),
            line("M", "B", 9, valid_from=later),
        ),
        supplies=rows(
            "supplies",
            {"part": "L01/B", "supplier": "S1", "customer": "L01", "share": 0.9},
            {"part": "L01/B", "supplier": "S1", "customer": "L01", "share": 0.5, "valid_from": then},
            {"part": "L01/B", "supplier": "S2", "customer": "L01", "share": 0.5},
            {"part": "L01/B", "supplier": "S2", "customer": "L01", "share": 0.1, "valid_from": later},
        ),
    )
    units = model(seen(tables)).units(2).filter(pl.col("part") == "L01/B")
    assert units["units"].to_list() == [2.0, 2.0]
    assert [u.quantity for u in run("where_used", seen(tables), {"part": "B"}).uses] == [4.0]


def test_ages_in_different_units_need_a_duty() -> None:
    tables = known_machine(part=rows("part", part("M"), part("A"), part("B", age_unit="cycles")))
    with pytest.raises(ChaingraphError) as refused:
        run("propagate", seen(tables), {"product": "M", "hours": (1.0,)})
    assert refused.value.code == "duty_missing"
    assert "L01/B" in refused.value.text.en
    duties = rows("contains", line("M", "A", 2), line("M", "B", 3, duty=60.0), line("A", "B", duty=30.0))
    cycles = rows("declared_value", declared("B", "S1", 3e5, unit="cycles"), declared("B", "S2", 3e5, unit="cycles"))
    found = run(
        "propagate", seen({**tables, "contains": duties, "declared_value": cycles}), {"product": "M", "hours": (100.0,)}
    )
    assert found.reliability[0].value == pytest.approx(exp(-(3 * 60 + 2 * 30) * 100 / 3e5), rel=1e-12)


def test_a_cycle_is_refused_by_name() -> None:
    looped = rows("contains", line("M", "A"), line("A", "B"), line("B", "A"))
    for name, asked in (
        ("propagate", {"product": "M", "hours": (1.0,)}),
        ("contributions", {"product": "M", "mission": 1.0}),
        ("where_used", {"part": "A"}),
    ):
        with pytest.raises(ChaingraphError) as refused:
            run(name, seen({**machine(), "contains": looped}), asked)
        assert refused.value.code == "cycle"
        assert "L01/A" in refused.value.text.en


def test_standby_that_cannot_be_computed_keeps_its_code() -> None:
    spares = rows("contains", line("M", "B", 3, group="g", k=2, redundancy="standby"))
    worn = rows("declared_value", declared("B", "S1", 1000.0, metric="weibull", shape=2.0))
    with pytest.raises(ChaingraphError) as refused:
        run("propagate", seen(known_machine(contains=spares, declared_value=worn)), {"product": "M", "hours": (1.0,)})
    assert refused.value.code == "standby_unsupported"


def test_single_points_have_their_fixed_shape() -> None:
    tables = machine()
    alone = {"part": "L01/A", "supplier": "S1", "customer": "L01", "share": 1.0, "site": "S1-P"}
    tables["supplies"] = pl.concat([tables["supplies"], rows("supplies", alone)]).sort("key")
    tables["site"] = rows("site", {"id": "S1-P", "organisation": "S1"})
    found = run("single_points", seen(tables), {"product": "M"}).payload("en")
    assert found == [
        {"kind": "organisation", "id": "L01", "loses": ["L01/M"]},
        {"kind": "organisation", "id": "S1", "loses": ["L01/B", "L01/A", "L01/M"]},  # of B, what it puts into its A
        {"kind": "site", "id": "S1-P", "loses": ["L01/A", "L01/M"]},
    ]


def test_other_products_of_consortia_are_among_what_is_lost() -> None:
    tables = machine()
    tables["part"] = rows("part", part("M"), part("N"), part("A"), part("B"))
    tables["contains"] = rows("contains", line("M", "B"), line("N", "B"))
    tables["supplies"] = rows("supplies", {"part": "L01/B", "supplier": "S1", "customer": "L01", "share": 1.0})
    tables["consortium"] = rows("consortium", {"id": "C", "leader": "L01", "products": "M; N; Q"})
    found = run("single_points", seen(tables), {"product": "M"})
    assert [p.loses for p in found.points] == [("L01/M", "L01/N"), ("L01/B", "L01/M", "L01/N")]


def test_where_used_gives_levels_and_quantities() -> None:
    found = run("where_used", seen(machine()), {"part": "B"})
    assert found.payload("en") == [
        {"part": "L01/A", "level": 1, "longest": 1, "quantity": 1.0, "top": False},
        {"part": "L01/M", "level": 1, "longest": 2, "quantity": 5.0, "top": True},
    ]
    assert found.rows("zh")[0] == ["层级", "零部件", "总用量"]


def test_neighbourhood_names_things_and_relations() -> None:
    found = run("neighbourhood", seen(machine()), {"thing": "S1"}).payload("zh")
    assert found == {
        "center": "organisation:S1",
        "nodes": [
            {"id": "organisation:S1", "kind": "organisation", "key": "S1", "label": "S1"},
            {"id": "part:L01/B", "kind": "part", "key": "L01/B", "label": "B 轴承"},
        ],
        "edges": [{"start": "organisation:S1", "end": "part:L01/B", "relation": "SUPPLIES"}],
        "cut": False,
    }
    assert run("neighbourhood", seen(machine()), {"thing": "B", "limit": 2}).cut


@pytest.mark.parametrize("name", sorted(ANALYSES))
def test_nothing_and_a_thing_alone(name: str) -> None:
    more: dict[str, dict[str, Any]] = {
        "propagate": {"hours": (1.0,)}, "contributions": {"mission": 1.0}, "test_gains": {"mission": 1.0},
    }  # fmt: skip
    asked = {**more.get(name, {}), ANALYSES[name].subject: "M"}
    with pytest.raises(NotFound):
        run(name, seen({}), asked)
    alone = {"part": rows("part", part("M")), "organisation": rows("organisation", {"id": "M"})}
    subject = "organisation" if ANALYSES[name].subject == "organisation" else "part"
    found = run(name, seen({subject: alone[subject]}), asked)
    for locale in ("zh", "en"):
        found.payload(locale)
        headings, table = found.rows(locale)
        assert all(len(row) == len(headings) for row in table)


@pytest.mark.parametrize("seed", range(12))
def test_propagation_of_a_generated_world_equals_recursion(seed: int) -> None:
    sheets = small(seed)
    tables = {
        KINDS[s]: rows(KINDS[s], *frame.drop("owner").to_dicts(), owner="W0")
        for s, frame in sheets.items()
        if s in KINDS
    }
    numbers = {f"W0/{n}": i for i, n in enumerate(sheets["parts"]["number"])}
    firms = {f: i for i, f in enumerate(sheets["organisations"]["id"])}
    world = World(len(numbers), len(firms))
    groups: dict[str, int] = {}
    for x in sheets["contains"].to_dicts():
        group = -1 if x["group"] is None else groups.setdefault(x["group"], len(groups))
        world.line(
            numbers[x["parent"]],
            numbers[x["child"]],
            x["quantity"],
            group=group,
            k=-1 if x["k"] is None else x["k"],
            duty=1.0 if x["duty"] is None else x["duty"],
        )
    world.sources = [
        (numbers[x["part"]], firms[x["supplier"]], firms[x["customer"]], x["share"])
        for x in sheets["supplies"].to_dicts()
    ]
    world.modes = [
        (numbers[x["part"]], firms[x["maker"]], x["shape"], x["value"]) for x in sheets["declared_values"].to_dicts()
    ]
    ages = (200.0, 2000.0)
    found = run("propagate", seen(tables), {"product": "P0000000", "hours": ages})
    assert [r.value for r in found.reliability] == pytest.approx([world.mixed(0, -1, t) for t in ages], rel=1e-9)
