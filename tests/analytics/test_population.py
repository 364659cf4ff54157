"""Units alive from shipments, where only failures are recorded."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.evidence import CODES, gather
from analytics.life.rows import Event
from analytics.records import usable
from tests.analytics.frames import Row, declared, mechanisms, modes, parts, records, shipments

JANUARY, MARCH, JULY = dt.date(2024, 1, 1), dt.date(2024, 3, 1), dt.date(2024, 7, 1)
MONTHS = 365.25 / 12
SHIPPED: Row = {"shipped_on": JANUARY, "quantity": 50}


def failure(age: float, **more: object) -> Row:
    return {"age": age, "started_on": JANUARY, "observed_on": JULY, **more}


def alive(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("event") == int(Event.SUSPENSION))


def test_what_was_shipped_and_did_not_fail_is_alive_on_the_last_day() -> None:
    found = usable(records(failure(30.0, count=2)), parts("p"), shipments({**SHIPPED, "region": "R", "lot": "l"}))
    (row,) = alive(found.rows).rows(named=True)
    assert (row["part"], row["maker"], row["lot"], row["region"], row["entry"]) == ("p", "m", "l", "R", 0.0)
    assert (row["count"], row["age"]) == (48, pytest.approx(182 / MONTHS * 100))
    assert found.population.rows() == [("p", "m", "population_from_shipments")]


def test_failed_units_are_taken_off_their_own_lot_and_month_first() -> None:
    found = usable(
        records(
            failure(30.0, lot="a", count=3), failure(30.0, lot="b", started_on=MARCH, count=4), failure(9.0, count=5)
        ),
        parts("p"),
        shipments(
            {**SHIPPED, "lot": "a"}, {**SHIPPED, "lot": "b"}, {**SHIPPED, "lot": "b", "shipped_on": MARCH},
        ),
    ).rows  # fmt: skip
    # 5 failures of no lot are shared out over 47, 50 and 46 units: 2, 1 and 2, by the rounded running sum
    assert alive(found).select("lot", "count").rows() == [("a", 45), ("b", 49), ("b", 44)]


def test_a_single_suspension_says_that_they_are_recorded() -> None:
    lives = records(failure(30.0), {"event": "suspension", "age": 70.0})
    assert usable(lives, parts("p"), shipments(SHIPPED)).rows.equals(usable(lives, parts("p")).rows)


def test_a_failure_that_does_not_count_is_no_suspension_recorded() -> None:
    found = usable(records(failure(30.0, relevant=False)), parts("p"), shipments(SHIPPED))
    assert alive(found.rows)["count"].sum() == 50


def test_more_failed_than_were_shipped() -> None:
    found = usable(records(failure(30.0, count=51)), parts("p"), shipments(SHIPPED))
    assert found.population["code"].to_list() == ["population_too_small"]
    assert alive(found.rows).is_empty()


def test_use_is_what_failed_units_gathered_where_nobody_says() -> None:
    silent = shipments({**SHIPPED, "usage_per_month": None})
    found = usable(records(failure(182 / MONTHS * 40)), parts("p"), silent)
    assert alive(found.rows)["age"].to_list() == [pytest.approx(182 / MONTHS * 40)]
    undated = usable(records(failure(5.0, started_on=None)), parts("p"), silent)
    assert undated.population["code"].to_list() == ["population_without_use"]
    assert alive(undated.rows).is_empty()
    months = usable(records(failure(5.0, started_on=None, unit="months")), parts("p", unit="months"), silent)
    assert alive(months.rows)["age"].to_list() == [pytest.approx(182 / MONTHS)]


def test_the_last_day_is_that_of_those_who_report_the_failures() -> None:
    lives = records(
        failure(30.0, owner="m"),
        {"part": "q", "owner": "m", "event": "suspension", "age": 5.0, "observed_on": dt.date(2024, 8, 1)},
        {"part": "q", "owner": "n", "event": "suspension", "age": 5.0, "observed_on": dt.date(2025, 8, 1)},
    )
    found = usable(lives, parts("p", "q"), shipments(SHIPPED, {**SHIPPED, "shipped_on": dt.date(2024, 9, 1)}))
    mine = alive(found.rows).filter(pl.col("part") == "p")
    assert mine["age"].to_list() == [pytest.approx(213 / MONTHS * 100)]


def test_the_code_reaches_the_fits_and_the_fit_the_truth() -> None:
    rng = np.random.default_rng(8)
    days = [dt.date(2022, 1, 1) + dt.timedelta(days=30 * int(i)) for i in range(24)]
    end = dt.date(2024, 1, 1)
    lives: list[Row] = []
    for day in days:
        ages = 2000 * rng.weibull(2.0, 400)
        seen = (end - day).days / MONTHS * 100
        lives += [
            {"age": float(age), "started_on": day, "observed_on": day + dt.timedelta(days=round(age / 100 * MONTHS))}
            for age in ages[ages < seen]
        ]
    lives.append({"age": 1.0, "maker": "other", "observed_on": end})
    sent = shipments(*({"shipped_on": day, "quantity": 400} for day in days))
    found = gather(records(*lives), declared(), modes(), mechanisms(), parts("p"), shipments=sent)
    at = found.fits["maker"].to_list().index("m")
    assert "population_from_shipments" in found.fits["codes"][at]
    assert set(found.fits["codes"].explode().drop_nulls()) <= set(CODES)
    for value, truth, variance in (
        (found.hazards.eta, 2000, found.hazards.var_log_eta), (found.hazards.beta, 2.0, found.hazards.var_log_beta),
    ):  # fmt: skip
        assert abs(np.log(value[at] / truth)) < 3 * np.sqrt(variance[at])
    without = gather(records(*lives), declared(), modes(), mechanisms(), parts("p"))
    assert without.hazards.eta[at] < 1500


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.integers(1, 30)), min_size=1, max_size=8),
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=8),
)
def test_no_unit_is_lost_or_made(sent: list[tuple[str, int, int]], failed: list[tuple[str, int, int]]) -> None:
    month = [dt.date(2024, i + 1, 1) for i in range(6)]
    lives = [
        failure(10.0, lot=lot, started_on=month[i], observed_on=dt.date(2025, 1, 1), count=n) for lot, i, n in failed
    ]
    rows = [{"lot": lot, "shipped_on": month[i], "quantity": n} for lot, i, n in sent]
    found = usable(records(*lives), parts("p"), shipments(*rows))
    shipped, dead = sum(n for *_, n in sent), sum(n for *_, n in failed)
    left = alive(found.rows)
    if dead > shipped:
        assert found.population["code"].to_list() == ["population_too_small"]
        assert left.is_empty()
    else:
        assert left["count"].sum() == shipped - dead
        assert (left["count"] > 0).all()
