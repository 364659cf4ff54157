"""The precedence: which evidence settles the hazard of a (part, maker, mode)."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2

from analytics.evidence import CODES, Evidence, gather
from analytics.hazard import Kind
from analytics.life.weibull import fit
from tests.analytics.frames import Row, declared, mechanisms, modes, parts, records

NO_MODES, NO_MECHANISMS, NOTHING, ONE_PART = modes(), mechanisms(), declared(), parts("p")
ALIVE: Row = {"event": "suspension", "age": 100.0, "count": 20}


def gathered(
    lives: pl.DataFrame,
    figures: pl.DataFrame = NOTHING,
    modes: pl.DataFrame = NO_MODES,
    mechanisms: pl.DataFrame = NO_MECHANISMS,
    parts: pl.DataFrame = ONE_PART,
) -> Evidence:
    found = gather(lives, figures, modes, mechanisms, parts)
    assert len(found.fits) == len(found.hazards)
    assert len(found.totals) == len(found.total_hazards)
    assert set(found.fits["codes"].explode().drop_nulls()) <= set(CODES)
    return found


def failures(mode: str | None, *ages: float, **common: object) -> list[Row]:
    return [{"mode": mode, "age": age, **common} for age in ages]


def states(evidence: Evidence) -> list[tuple[object, ...]]:
    return evidence.fits.select("part", "maker", "mode", "kind").rows()


def test_three_failures_at_two_ages_are_fitted_with_all_else_as_suspensions() -> None:
    rows = [
        *failures("p/a", 30, 50, 60),
        *failures("p/b", 40, 45, 70, 80),
        {"age": 20.0, "mode": "p/a", "relevant": False},
    ]
    found = gathered(records(*rows, ALIVE))
    assert states(found) == [("p", "m", "p/a", "fitted"), ("p", "m", "p/b", "fitted")]
    alone = fit([30, 50, 60, 40, 45, 70, 80, 20, 100], [1, 1, 1, 0, 0, 0, 0, 0, 0], count=[1] * 8 + [20])
    np.testing.assert_allclose(found.hazards.beta[0], alone.beta[0], rtol=1e-9)
    np.testing.assert_allclose(found.hazards.eta[0], alone.eta[0], rtol=1e-9)
    np.testing.assert_allclose(found.hazards.var_log_eta[0], alone.var_log_eta[0], rtol=1e-9)
    assert found.fits["failures"].to_list() == [3, 4]
    assert found.fits["codes"].to_list() == [[], []]


def test_few_failures_borrow_the_shape_of_the_mode_over_all_makers() -> None:
    lives = records(
        *failures("p/a", 30, 50, 60), ALIVE, {"maker": "n", "mode": "p/a", "age": 20.0}, {**ALIVE, "maker": "n"}
    )
    found = gathered(lives)
    together = fit([30, 50, 60, 20, 100], [1, 1, 1, 1, 0], count=[1, 1, 1, 1, 40])
    few = found.fits.rows().index(found.fits.filter(maker="n").row(0))
    beta = together.beta[0]
    assert found.fits.row(few, named=True)["codes"] == ["shape_from_all_makers"]
    assert found.hazards.beta[few] == pytest.approx(beta, rel=1e-9)
    exposure = 20**beta + 20 * 100**beta
    assert found.hazards.at(few, 70.0) == pytest.approx(70**beta / exposure)
    low, high = found.hazards.interval(few, 70.0)
    assert low == pytest.approx(chi2.ppf(0.05, 2) / 2 * 70**beta / exposure)
    assert high == pytest.approx(chi2.ppf(0.95, 4) / 2 * 70**beta / exposure)


def test_few_failures_take_the_typical_shape_of_the_nearest_mechanism_that_has_one() -> None:
    tree = mechanisms({"code": "X-1", "parent": "X"}, {"code": "X", "parent": "T"}, {"code": "T", "typical_beta": 2.5})
    lives = records(*failures("p/a", 30, 50), ALIVE)
    found = gathered(
        lives, modes=modes({"key": "p/a@o", "part": "p", "mode": "a", "mechanism": "X-1"}), mechanisms=tree
    )
    assert found.hazards.beta.tolist() == [2.5]
    assert found.fits["codes"].to_list() == [["shape_typical"]]
    assert found.fits["mechanism"].to_list() == ["X-1"]
    by_record = gathered(records(*failures("p/a", 30, 50, mechanism="X"), ALIVE), mechanisms=tree)
    assert by_record.hazards.beta.tolist() == [2.5]
    assert gathered(lives).fits["codes"].to_list() == [["shape_assumed"]]


def test_three_failures_at_one_age_are_few() -> None:
    found = gathered(records(*failures("p/a", 30, 30, 30), ALIVE))
    assert found.fits["kind"].to_list() == ["few"]
    assert found.fits["codes"].to_list() == [["no_maximum", "shape_assumed"]]


def test_without_failures_a_declared_mode_counts_before_the_bound() -> None:
    lives = records(*failures("p/a", 30, 50, 60), *failures("p/b", 30, 50, 60), ALIVE, {**ALIVE, "maker": "n"})
    found = gathered(lives, declared({"maker": "n", "mode": "p/b", "value": 900.0}))
    assert states(found)[2:] == [("p", "n", "p/a", "bounded"), ("p", "n", "p/b", "declared")]
    beta = found.hazards.beta[2]
    assert found.hazards.at(2, 50.0) == 0
    assert found.hazards.interval(2, 50.0)[1] == pytest.approx(3.0 / (20 * 100**beta) * 50**beta)
    assert found.hazards.at(3, 90.0) == pytest.approx(0.1)
    assert found.fits["codes"][3].to_list() == ["declared_interval_assumed"]


def test_a_maker_whose_mode_failed_keeps_its_failures_whatever_is_declared() -> None:
    found = gathered(records(*failures("p/a", 30), ALIVE), declared({"mode": "p/a", "value": 1e6}))
    assert states(found) == [("p", "m", "p/a", "few")]


def test_a_declared_total_counts_only_where_there_are_no_records_at_all() -> None:
    figures = declared({"value": 1000.0}, {"maker": "n", "value": 2000.0})
    found = gathered(records(ALIVE), figures)
    assert states(found) == [("p", "m", None, "bounded"), ("p", "n", None, "declared")]
    assert found.hazards.eta[1] == 2000


def test_a_figure_declared_for_no_maker_stands_for_those_that_declare_none() -> None:
    lives = records(*failures("p/a", 30, 50, 60), ALIVE, {**ALIVE, "maker": "n"}, {**ALIVE, "maker": "k"})
    figures = declared({"maker": None, "mode": "p/a", "value": 1000.0}, {"maker": "k", "mode": "p/a", "value": 2000.0})
    found = gathered(lives, figures)
    by_maker = dict(zip(found.fits["maker"].to_list(), found.hazards.eta.tolist(), strict=True))
    assert by_maker["n"] == 1000
    assert by_maker["k"] == 2000
    assert found.fits.filter(pl.col("maker").is_null())["kind"].to_list() == ["declared"]


def test_one_failure_without_a_mode_pools_all_modes_of_its_maker_only() -> None:
    lives = records(
        *failures("p/a", 30, 50),
        *failures(None, 60, 70),
        ALIVE,
        *failures("p/a", 30, 50, 60, maker="n"),
        {**ALIVE, "maker": "n"},
    )
    found = gathered(lives)
    assert states(found) == [("p", "m", None, "fitted"), ("p", "n", "p/a", "fitted")]
    assert found.fits["codes"].to_list() == [["modes_pooled"], []]
    assert found.fits["failures"].to_list() == [4, 3]


def test_records_of_an_assembly_without_a_mode_describe_the_total_and_are_kept_apart() -> None:
    lives = records(*failures(None, 30, 50, 60), *failures("p/own", 20, 40, 70), ALIVE)
    found = gathered(lives, parts=parts("c", assemblies=("p",)))
    assert states(found) == [("p", "m", "p/own", "fitted")]
    assert found.fits["codes"].to_list() == [[]]
    assert found.totals.select("part", "maker", "mode", "kind", "failures").rows() == [("p", "m", None, "fitted", 6)]
    assert found.unknown == ("c",)


def test_a_declared_total_of_an_assembly_is_a_total() -> None:
    found = gathered(records(), declared({"value": 500.0}), parts=parts(assemblies=("p",)))
    assert found.fits.is_empty()
    assert found.totals["kind"].to_list() == ["declared"]
    assert found.total_hazards.eta.tolist() == [500]


def test_a_part_of_which_nothing_is_known_is_listed() -> None:
    found = gathered(records(ALIVE), parts=parts("p", "q", "r", assemblies=("s",)))
    assert found.unknown == ("q", "r")


def test_data_in_another_unit_leave_a_mark() -> None:
    found = gathered(records(*failures("p/a", 30, 50, 60), {"age": 1e6, "unit": "cycles"}, ALIVE))
    assert found.fits["codes"].to_list() == [["unit_mismatch"]]
    assert gathered(records(), declared({"value": 1.0, "unit": "km"})).unknown == ("p",)


def test_an_unknown_maker_is_a_state_of_its_own() -> None:
    found = gathered(
        records(*failures("p/a", 30, 50, 60, maker=None), {**ALIVE, "maker": None}, {**ALIVE, "maker": "n"})
    )
    assert states(found) == [("p", None, "p/a", "fitted"), ("p", "n", "p/a", "bounded")]


def test_order_of_rows_changes_nothing() -> None:
    lives = records(*failures("p/a", 30, 50, 60), *failures("p/b", 41), *failures("p/b", 35, 36, 80, maker="n"), ALIVE)
    one, other = gathered(lives), gathered(lives.reverse())
    assert one.fits.equals(other.fits)
    np.testing.assert_array_equal(one.hazards.eta, other.hazards.eta)


def test_nothing_gives_nothing() -> None:
    found = gathered(records(), parts=parts())
    assert found.fits.is_empty()
    assert found.unknown == ()
    assert found.hazards.kind.dtype == np.int8
    assert [k.name.lower() for k in Kind] == ["fitted", "few", "declared", "bounded"]
