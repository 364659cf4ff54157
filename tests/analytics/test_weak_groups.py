"""Weak groups and denied values in small invented fleets with a planted cause."""

import numpy as np
import polars as pl
import pytest

from analytics.candidates import ancestors, find
from analytics.declared import distributions
from analytics.records import usable
from analytics.weak_groups import weak_groups
from tests.analytics.frames import Row, declared, parts, records

LOT = {"key": pl.String, "part": pl.String, "maker": pl.String, "produced_on": pl.Date}
NO_GENEALOGY = pl.DataFrame(schema={"from_lot": pl.String, "into_lot": pl.String})
UNITS = pl.DataFrame({"part": ["p", "p"], "maker": ["m", "n"], "factor": [2.0, 2.0], "units": [3.0, 1.0]})
NOTHING_DECLARED = distributions(declared(), pl.DataFrame({"part": ["p"], "age_unit": ["h"]}), 0.9)
EIGHT = range(8)


def fleet(seed: int, *, bad: tuple[str, ...] = (), factor: float = 0.3, size: int = 60) -> pl.DataFrame:
    """Makers m and n with eight lots each (`p/m/0` ...), `size` units a lot; `bad` ones live `factor` as long."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for maker in "mn":
        for number in EIGHT:
            lot = f"p/{maker}/{number}"
            life = 1000 * rng.weibull(2, size) * (factor if lot in bad else 1.0)
            end = rng.uniform(100, 500, size)
            rows += [
                {"maker": maker, "lot": lot, "region": str(unit % 3), "age": float(min(a, b)),
                 "event": "failure" if a <= b else "suspension", "mode": "p/a" if a <= b else None}
                for unit, (a, b) in enumerate(zip(life, end, strict=True))
            ]  # fmt: skip
    return usable(records(*rows), parts("p")).rows


GREASE = pl.DataFrame(
    {
        "from_lot": [f"g/s/{number}" for number in EIGHT for _ in "mn"] + ["oil/t/0"],
        "into_lot": [f"p/{maker}/{number}" for number in EIGHT for maker in "mn"] + ["g/s/3"],
    }
)
LOTS = pl.DataFrame(
    [(f"g/s/{number}", "g", "s", None) for number in EIGHT] + [("oil/t/0", "oil", "t", None)], schema=LOT, orient="row"
)


def test_ancestors_are_found_through_all_stages_and_cycles_end() -> None:
    genealogy = pl.DataFrame({"from_lot": ["a", "b", "c", "c"], "into_lot": ["b", "c", "a", "d"]})
    found = ancestors(pl.Series(["d", "x"]), genealogy)
    assert found.rows() == [("d", "a"), ("d", "b"), ("d", "c")]


def test_a_bad_upstream_lot_is_named_behind_both_makers() -> None:
    found = weak_groups(
        fleet(1, bad=("p/m/5", "p/n/5")), LOTS, GREASE, NOTHING_DECLARED, UNITS, mission=100.0
    ).listed  # fmt: skip
    assert found.select("kind", "part", "maker", "lot", "of", "mode").rows() == [
        ("upstream_lot", "g", "s", "g/s/5", "p", "p/a")
    ]
    row = found.row(0, named=True)
    assert 3 < row["ratio_low"] < row["ratio"] < row["ratio_high"] < 0.3**-2 * 2
    assert row["q"] <= 0.05
    assert row["loss_low"] < row["loss"] < row["loss_high"]


def test_a_bad_lot_is_named_and_not_its_maker_nor_what_went_into_it() -> None:
    found = weak_groups(fleet(2, bad=("p/n/2",)), LOTS, GREASE, NOTHING_DECLARED, UNITS, mission=100.0).listed
    assert found.select("kind", "lot").rows() == [("lot", "p/n/2")]


def test_a_bad_maker_is_named_and_not_all_its_lots() -> None:
    everything = tuple(f"p/n/{number}" for number in EIGHT)
    found = weak_groups(
        fleet(3, bad=everything, factor=0.5), LOTS, GREASE, NOTHING_DECLARED, UNITS, mission=100.0
    ).listed
    assert found.select("kind", "maker").rows() == [("maker", "n")]


def test_a_cause_that_lasts_is_named_as_a_series_of_lots() -> None:
    bad = ("p/m/5", "p/n/5", "p/m/6", "p/n/6")
    found = weak_groups(fleet(1, bad=bad), LOTS, GREASE, NOTHING_DECLARED, UNITS, mission=100.0).listed
    assert found.select("kind", "maker", "lot", "last").rows() == [("upstream_lots", "s", "g/s/5", "g/s/6")]


def test_where_nothing_is_wrong_few_lists_have_an_entry_series_of_lots_included() -> None:
    worlds = 60
    given = [weak_groups(fleet(seed), LOTS, GREASE, NOTHING_DECLARED, UNITS, mission=1.0) for seed in range(worlds)]
    alarms = sum(len(found.listed) > 0 for found in given)
    assert alarms / worlds <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / worlds)


def test_groups_that_hold_the_same_units_are_named_as_such() -> None:
    genealogy = GREASE.vstack(pl.DataFrame({"from_lot": ["steel/u/9"] * 2, "into_lot": ["p/m/5", "p/n/5"]}))
    found = weak_groups(fleet(1, bad=("p/m/5", "p/n/5")), LOTS, genealogy, NOTHING_DECLARED, UNITS, mission=100.0)
    twins = found.groups.groups.filter(pl.col("group").is_in(found.listed["twins"][0].to_list()))
    assert found.listed["lot"].to_list() == ["g/s/5"]
    assert twins["lot"].to_list() == ["steel/u/9"]


def test_the_loss_counts_the_products_units_at_their_own_age() -> None:
    found = weak_groups(fleet(2, bad=("p/n/2",)), LOTS, GREASE, NOTHING_DECLARED, UNITS, mission=100.0)
    row = found.listed.row(0, named=True)
    beta, eta = found.groups.h0.beta[0], found.groups.h0.eta[0]
    excess = row["observed"] / row["observed"] * (row["ratio"] - 1) * row["rest_observed"] / row["rest_expected"]
    assert row["loss"] == pytest.approx(1.0 * 1 / 8 * (2 * 100.0 / eta) ** beta * excess)


def test_a_loss_is_beyond_what_is_to_be_expected_after_earlier_choices() -> None:
    """A worse lot of a bad maker: what the maker adds is a factor on what the lot is expected to lose already."""
    maker = tuple(f"p/n/{number}" for number in EIGHT)
    rows = fleet(0, bad=maker, factor=0.6)
    worse = fleet(0, bad=("p/n/2",), factor=0.2).filter(lot="p/n/2")
    found = weak_groups(
        pl.concat([rows.filter(pl.col("lot") != "p/n/2"), worse]), LOTS, NO_GENEALOGY, NOTHING_DECLARED, UNITS, 100.0
    )
    assert found.listed.select("kind", "lot").sort("kind").rows() == [("lot", "p/n/2"), ("maker", None)]
    candidates, (first, second) = found.groups.candidates, found.selection.chosen
    assert found.groups.table["group"][int(second)] == found.listed.filter(kind="maker")["group"][0]
    cells = candidates.cell[candidates.candidate == second]
    bad = np.isin(cells, candidates.cell[candidates.candidate == first])
    many = found.groups.cells["units"].to_numpy()[cells]
    raised = np.average(np.where(bad, found.selection.factor[0], 1.0), weights=many)
    beta, eta = found.groups.h0.beta[0], found.groups.h0.eta[0]
    row = found.listed.filter(kind="maker").row(0, named=True)
    assert raised > 1.2
    assert row["loss"] == pytest.approx((2 * 100.0 / eta) ** beta * raised * found.selection.at.excess[1], rel=1e-9)


def test_units_of_makers_that_no_record_names_are_shared_over_what_is_recorded() -> None:
    unsaid = UNITS.with_columns(maker=pl.lit(None, pl.String))
    rows = fleet(2, bad=("p/n/2",))
    named = weak_groups(rows, LOTS, GREASE, NOTHING_DECLARED, UNITS, mission=100.0).listed["loss"][0]
    shared = weak_groups(rows, LOTS, GREASE, NOTHING_DECLARED, unsaid, mission=100.0).listed["loss"][0]
    assert shared == pytest.approx(named / (1 / 8) * 4 / 16)
    gone = UNITS.filter(maker="m")
    assert weak_groups(rows, LOTS, GREASE, NOTHING_DECLARED, gone, mission=100.0).listed.is_empty()


def test_a_declared_value_is_denied_by_what_was_seen_at_the_ages_that_were_seen() -> None:
    rows = fleet(4)
    figures = distributions(
        declared(
            {"maker": "m", "metric": "weibull", "value": 1000.0, "shape": 2.0},
            {"maker": "n", "metric": "weibull", "value": 2000.0, "shape": 2.0},
            {"maker": None, "mode": "p/b", "value": 10.0},
        ),
        pl.DataFrame({"part": ["p"], "age_unit": ["h"]}),
        0.9,
    )
    denied = weak_groups(rows, LOTS, GREASE, figures, UNITS, mission=100.0).denied
    assert denied.select("part", "maker", "mode").rows() == [("p", "n", None)]
    row = denied.row(0, named=True)
    mine = rows.filter(maker="n")
    assert row["observed"] == mine.filter(pl.col("mode").is_not_null()).height
    assert row["expected"] == pytest.approx(((mine["age"] / 2000.0) ** 2).sum())
    assert row["loss"] == pytest.approx((2 * 100.0 / 2000) ** 2 * (row["observed"] / row["expected"] - 1))


def test_an_older_and_larger_fleet_is_no_weak_link() -> None:
    """The decoy: eight times the failures, at higher ages, of the same distribution."""
    old = fleet(5, size=60).with_columns(lot=pl.lit("p/m/old"), maker=pl.lit("m"), age=pl.col("age") * 1.0)
    rng = np.random.default_rng(6)
    life, end = 1000 * rng.weibull(2, 500), np.full(500, 1500.0)
    older: list[Row] = [
        {"maker": "o", "lot": "p/o/1", "age": float(min(a, b)), "event": "failure" if a <= b else "suspension",
         "mode": "p/a" if a <= b else None} for a, b in zip(life, end, strict=True)
    ]  # fmt: skip
    rows = pl.concat([old, usable(records(*older), parts("p")).rows])
    found = weak_groups(rows, LOTS, NO_GENEALOGY, NOTHING_DECLARED, UNITS, mission=100.0)
    assert found.listed.is_empty()


def test_records_in_the_product_say_which_share_of_its_units_a_group_is() -> None:
    rows = fleet(2, bad=("p/n/2",))
    elsewhere = rows.filter(lot="p/n/3").with_columns(product=pl.lit("other"))
    both = pl.concat([rows.with_columns(product=pl.lit("this")), elsewhere, elsewhere])
    cells = find(both, LOTS, NO_GENEALOGY, "this").cells
    assert cells.filter(lot="p/n/3")["units"].sum() == 60
    assert find(both, LOTS, NO_GENEALOGY, "nowhere").cells.filter(lot="p/n/3")["units"].sum() == 180


def test_parts_without_a_product_or_records_have_no_weak_links() -> None:
    empty = usable(records(), parts("p")).rows
    for rows in (empty, fleet(1).filter(pl.col("event") == 0)):
        found = weak_groups(rows, LOTS, GREASE, NOTHING_DECLARED, UNITS, mission=100.0)
        assert found.listed.is_empty()
        assert found.denied.is_empty()
