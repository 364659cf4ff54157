"""The forecast of returns: a backtest on the demo, and small fleets of every kind of evidence."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics import at_risk, run
from analytics.model import MONTH_DAYS
from chaingraph import ChaingraphError, NotFound, View, Workspace
from tests.analytics.test_analyses import declared, seen
from tests.chaingraph.world import machine, rows

END, DAY = dt.date(2026, 6, 30), dt.date(2025, 6, 30)
PLANTED = ("A12", "A45", "B21", "X02")
"""Parts of the demo with planted failures that only show after DAY."""


def life(number: int, event: str, age: float, maker: str | None = "S1", **more: Any) -> dict[str, Any]:
    return {"id": str(number), "part": "L01/B", "maker": maker, "event": event, "age": age, **more}


def asked(*lives: dict[str, Any], tables: dict[str, pl.DataFrame] | None = None, **more: Any) -> Any:
    known = {**machine(), **({"life_record": rows("life_record", *lives)} if lives else {}), **(tables or {})}
    return run("returns_forecast", seen(known), {"part": "B", **more})


def codes(of: Any) -> list[str]:
    return [warning.code for warning in of.warnings]


@pytest.fixture(scope="module")
def demo(demo_workspace: Workspace) -> View:
    return demo_workspace.view()


def test_forecasts_made_a_year_before_the_end_of_the_demo_hold_what_came(demo: View) -> None:
    came = (
        demo.table("life_record")
        .filter((pl.col("event") != "suspension") & (pl.col("started_on") < DAY) & (pl.col("observed_on") > DAY))
        .group_by("part")
        .agg(pl.col("count").sum())
    )
    numbers = dict(came.iter_rows())
    recorded = demo.table("life_record")["part"].unique().sort().to_list()
    parts = [part for part in recorded if part.split("/")[1] not in PLANTED][::8]
    held = 0
    for part in parts:
        found = run("returns_forecast", demo, {"part": part, "as_of": str(DAY)})
        held += found.total.low <= numbers.get(part, 0) <= found.total.high
        assert sum(month.returns.value for month in found.months) == pytest.approx(found.total.value)
    assert len(parts) == 11
    assert held >= 9  # of all 82, 74


def test_what_is_planted_in_the_last_year_cannot_be_foreseen(demo: View) -> None:
    assert DAY < END
    software = run("returns_forecast", demo, {"part": "A45", "as_of": str(DAY)})  # version V2.1.3 came after it
    assert software.total.high is not None
    assert software.total.high < 279


def test_the_demo_now(demo: View) -> None:
    found = run("returns_forecast", demo, {"part": "A31", "months": 6})
    assert found.as_of == str(END)
    assert found.use_per_month == pytest.approx(375, rel=0.01)
    assert found.units == 2000
    assert {share.maker for share in found.split} == {"S04", "S12"}
    assert sum(share.returns.value for share in found.split) == pytest.approx(found.total.value)
    assert found.spares.stock > found.total.value
    assert [model.kind for model in found.models] == ["fitted", "fitted"]
    by_lot = run("returns_forecast", demo, {"part": "A31", "months": 6, "by": "lot"})
    assert by_lot.total.value == pytest.approx(found.total.value)
    assert len(by_lot.split) > 20
    warranty = run("returns_forecast", demo, {"part": "A31", "months": 6, "warranty_months": 12})
    assert 0 < warranty.total.value < found.total.value
    one = run("returns_forecast", demo, {"part": "A31", "months": 6, "maker": "S12"})
    assert one.total.value == pytest.approx(next(s.returns.value for s in found.split if s.maker == "S12"))


def test_records_as_they_were_on_a_day() -> None:
    day, began = dt.date(2025, 7, 1), dt.date(2025, 1, 1)
    later = began + 2 * (day - began)
    records = rows(
        "life_record",
        life(1, "failure", 300.0, observed_on=dt.date(2025, 6, 1), started_on=began),
        life(2, "failure", 800.0, observed_on=later, started_on=began, mode="L01/B/FM1"),
        life(3, "suspension", 600.0, observed_on=later, started_on=began, entry=350.0),
        life(4, "suspension", 90.0, observed_on=later, started_on=dt.date(2025, 8, 1)),
        life(5, "suspension", 90.0, observed_on=later, count=7),
        life(6, "suspension", 90.0),
    )
    then, undated = at_risk.as_known(records, day)
    told = then.sort("id").select("id", "event", "age", "mode", "observed_on").rows()
    assert told == [
        ("1", "failure", 300.0, None, dt.date(2025, 6, 1)),
        ("2", "suspension", 400.0, None, day),
        ("6", "suspension", 90.0, None, None),
    ]
    assert undated == 7


def test_use_is_given_else_that_of_shipments_else_of_dated_records() -> None:
    began = dt.date(2025, 1, 1)
    dated: dict[str, Any] = {"started_on": began, "observed_on": began + dt.timedelta(days=365)}
    records = rows(
        "life_record",
        life(1, "suspension", 1200.0, product="L01/M", count=3, **dated),
        life(2, "suspension", 2400.0, maker="S2", **dated),
        life(3, "suspension", 9.0),
    )
    none = rows("shipment")
    assert at_risk.uses(records, none, "h", 50.0).rows() == [(None, None, 50.0)]
    months = 365 / MONTH_DAYS
    found = {row[:2]: row[2] for row in at_risk.uses(records, none, "h", None).rows()}
    assert found[("S1", "L01/M")] == pytest.approx(1200 / months)
    assert found[("S2", None)] == pytest.approx(2400 / months)
    assert found[(None, None)] == pytest.approx((3 * 1200 + 2400) / (4 * months))
    assert at_risk.uses(records, none, "months", None).rows() == [(None, None, 1.0)]
    shipped = rows(
        "shipment",
        {"part": "L01/B", "maker": "S1", "shipped_on": began, "quantity": 3, "usage_per_month": 40.0},
        {"part": "L01/B", "maker": "S2", "shipped_on": began, "quantity": 1, "usage_per_month": 80.0},
    )
    found = {row[:2]: row[2] for row in at_risk.uses(records, shipped, "h", None).rows()}
    assert found == {("S1", None): 40.0, ("S2", None): 80.0, (None, None): 50.0}


def test_a_fleet_ages_since_its_last_reading_and_shipments_come_new() -> None:
    day = dt.date(2025, 7, 1)
    half = day - dt.timedelta(days=round(MONTH_DAYS * 6))
    records = rows(
        "life_record",
        life(1, "suspension", 600.0, observed_on=half, count=4),
        life(2, "suspension", 300.0, observed_on=day, serial="U1"),
        life(3, "suspension", 200.0, observed_on=half, serial="U1"),
        life(4, "suspension", 300.0, observed_on=half, serial="U2"),
        life(5, "failure", 500.0, observed_on=day, serial="U2"),
        life(6, "suspension", 900.0, observed_on=day, origin="test"),
        life(7, "suspension", 900.0, observed_on=day, unit="km"),
    )
    shipments = rows(
        "shipment",
        {"part": "L01/B", "maker": "S1", "shipped_on": day + dt.timedelta(days=61), "quantity": 9},
        {"part": "L01/B", "maker": "S1", "shipped_on": day + dt.timedelta(days=900), "quantity": 9},
        {"part": "L01/B", "maker": "S1", "shipped_on": half, "quantity": 9},
    )
    use = at_risk.uses(records, shipments, "h", 100.0)
    found = at_risk.fleet(records, shipments, "h", day, 12, use).sort("count")
    assert found["count"].to_list() == [1, 4, 9]
    assert found["age"].to_list() == pytest.approx([300, 1200, 0], abs=3)
    assert found["start"].to_list() == pytest.approx([0, 0, 2.0], abs=0.01)
    assert found["served"].to_list() == pytest.approx([3, 12, 0], abs=0.03)


def test_every_kind_of_evidence_has_a_forecast_that_says_which() -> None:
    fleet = [life(100 + i, "suspension", 100.0 + i, count=50) for i in range(4)]
    few = asked(*fleet, life(1, "failure", 80.0), use_per_month=20.0)
    assert [model.kind for model in few.models] == ["few"]
    assert few.total.low is not None
    assert few.total.low <= few.total.value <= few.total.high
    assert "few_failures" in codes(few)
    bound = asked(*fleet, use_per_month=20.0)
    assert [model.kind for model in bound.models] == ["bounded"]
    assert (bound.total.value, bound.total.low) == (0.0, 0.0)
    assert bound.total.high > 3
    assert codes(bound)[0] == "bound_only"
    said = rows("declared_value", declared("B", "S1", 5000.0, mode="L01/B/FM1"))
    promised = asked(*fleet, tables={"declared_value": said}, use_per_month=20.0)
    assert [model.kind for model in promised.models] == ["declared"]
    assert promised.total.value == pytest.approx(200 * -np.expm1(-240 / 5000))
    assert "declared" in codes(promised)
    rng = np.random.default_rng(1)
    ages = 300 * rng.weibull(2.0, 30)
    known = asked(*fleet, *(life(i, "failure", float(a)) for i, a in enumerate(ages)), use_per_month=20.0)
    assert [model.kind for model in known.models] == ["fitted"]
    assert known.total.low < known.total.value < known.total.high
    for found in (few, bound, promised, known):
        for locale in ("zh", "en"):
            said_so = json.loads(json.dumps(found.payload(locale), allow_nan=False))
            assert list(said_so["months"][0]) == ["month", "until", "at_risk", "expected", "low", "high", "cumulative"]
            assert len(found.rows(locale)[1]) == 12
        assert len(found.plot.layers) == 3


def test_no_failure_in_the_future_of_a_bound_is_what_the_bound_says() -> None:
    found = asked(life(1, "suspension", 1000.0, count=10_000), use_per_month=1e-3, months=1)
    assert found.total.high == 0
    same = asked(life(1, "suspension", 1000.0, count=10_000), use_per_month=1000.0, months=1)
    # as many hours again as were seen without a failure: a rate that is exponential, P(N <= n) = 1 - 2^-(n + 1)
    assert same.total.high == 4


def test_makers_without_any_evidence_are_left_out_and_said_so() -> None:
    shipped = rows("shipment", {"part": "L01/B", "maker": "S2", "shipped_on": dt.date(2026, 7, 1), "quantity": 30})
    found = asked(life(1, "suspension", 10.0, count=5), tables={"shipment": shipped}, use_per_month=10.0)
    assert "no_model" in codes(found)
    assert found.units == 5
    alone = asked(tables={"shipment": shipped}, use_per_month=10.0)
    assert (alone.months, alone.total.value, codes(alone)) == ((), None, ["no_model"])
    nothing = asked()
    assert (nothing.months, nothing.spares, codes(nothing)) == ((), None, ["no_fleet"])


def test_planned_shipments_are_covered_from_their_day() -> None:
    said = rows("declared_value", declared("B", "S1", 1000.0))
    plan = rows("shipment", {"part": "L01/B", "maker": "S1", "shipped_on": dt.date(2026, 7, 1), "quantity": 1000})
    common: dict[str, Any] = {
        "tables": {"declared_value": said, "shipment": plan},
        "use_per_month": 10.0,
        "as_of": "2026-06-01",
    }
    free, limited = asked(**common, months=6), asked(**common, months=6, warranty_months=2.0)
    start = 30 / MONTH_DAYS
    assert free.total.value == pytest.approx(1000 * -np.expm1(-10 * (6 - start) / 1000))
    assert limited.total.value == pytest.approx(1000 * -np.expm1(-20 / 1000))
    assert limited.months[0].until == "2026-07-01"


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ChaingraphError) as refused:
        asked(life(1, "suspension", 10.0))
    assert refused.value.code == "forecast.use_unknown"
    with pytest.raises(NotFound):
        asked(life(1, "suspension", 10.0), mode="FM9", use_per_month=1.0)
    with pytest.raises(ValueError, match="as_of"):
        asked(as_of="2026-02-30")


def test_a_mode_alone_is_a_part_of_all() -> None:
    modes = rows("mode", *({"part": "L01/B", "mode": each} for each in ("FM1", "FM2")))
    lives = [life(i, "failure", 20.0 + 7 * i, mode=f"L01/B/FM{1 + i % 2}") for i in range(12)]
    lives.append(life(99, "suspension", 100.0, count=200))
    both, one, other = (
        asked(*lives, tables={"mode": modes}, mode=mode, months=2, use_per_month=5.0) for mode in (None, "FM1", "FM2")
    )
    assert [model.mode for model in one.models] == ["L01/B/FM1"]
    assert len(both.models) == 2
    assert both.total.value == pytest.approx(one.total.value + other.total.value, rel=0.02)


def test_where_only_failures_are_recorded_the_fleet_is_what_was_shipped() -> None:
    began = dt.date(2025, 1, 1)
    dated: dict[str, Any] = {"started_on": began, "observed_on": dt.date(2025, 12, 31)}
    failed = [life(i, "failure", 1000.0 + i, owner="L01", **dated) for i in range(5)]
    shipped = rows("shipment", {"part": "L01/B", "maker": "S1", "shipped_on": began, "quantity": 400}, owner="L01")
    found = asked(*failed, tables={"shipment": shipped})
    assert found.units == 395
    assert found.use_per_month == pytest.approx(1002 / (364 / MONTH_DAYS))
    assert "population_from_shipments" in [code.code for code in found.models[0].codes]
    assert 3 < found.total.value < 6
