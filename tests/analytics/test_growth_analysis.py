"""Growth of parts in the field: what was planted in the demo is found, what was not is not, and the clocks are
right.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from analytics import growth_fleet as fleet
from analytics import run
from analytics.growth import Growth
from analytics.life import growth_bounds as bounds
from analytics.life import trend
from analytics.life.growth import fit
from chaingraph import NotFound, Workspace
from server.api.app import create_app
from tests.analytics.test_analyses import known_machine, seen
from tests.chaingraph.world import rows
from tests.server.client import Client


def asked(workspace: Workspace, part: str, maker: str | None = None, **more: Any) -> Growth:
    found: Growth = run("growth", workspace.view(), {"part": part, "maker": maker, **more})
    return found


def test_the_cam_box_of_the_new_design_is_better_and_when_it_came_is_found(demo_workspace: Workspace) -> None:
    """T5: A31 of S12, scale x 0.55 before September 2025 (D1), x 1.5 from then on (D2); its mode has the shape 1.6.

    The old design fails more often than other makers' boxes, (1 / 0.55)^1.6 = 2.6 times by the truth. The new one has
    not failed yet, where about four failures were to be expected of the old one at these ages: enough to say that it is
    better, not enough to find the month with certainty if nobody had named it. It is the most likely month all the
    same.
    """
    found = asked(demo_workspace, "A31", "S12")
    version, old, new, looked_for = found.comparisons
    assert found.shape == pytest.approx(1.6, abs=0.25)
    assert (version.kind, version.before.en, version.after.en) == ("version", "version D1", "version D2")
    assert (version.failures_before, version.failures_after) == (86, 0)
    assert version.expected_before + version.expected_after == pytest.approx(86)
    assert (version.verdict, version.ratio.value) == ("better", 0)
    assert version.ratio.high is not None
    assert (0.55 / 1.5) ** 1.6 < version.ratio.high < 1
    assert (old.kind, old.after.en, old.verdict) == ("others", "version D1", "worse")
    assert old.p < 0.02
    assert old.ratio.low is not None
    assert old.ratio.high is not None
    assert old.ratio.low < 2.6 < old.ratio.high
    assert (new.after.en, new.verdict) == ("version D2", "unclear")
    assert (looked_for.kind, looked_for.since) == ("found", "2025-09-01")


def test_the_fleet_s_own_time_tells_its_ageing_and_says_so(demo_workspace: Workspace) -> None:
    found = asked(demo_workspace, "A31", "S12")
    raw, calendar, production = found.tracks
    assert [each.axis for each in found.tracks] == ["fleet_time", "equal_ages", "production"]
    assert {each.failures for each in found.tracks} == {86}
    assert raw.beta.value is not None
    assert raw.beta.value > 1  # though the design became better
    assert "growth.renewing_fleet" in [note.code for note in found.notes]
    assert next(t for t in calendar.trend if t.name == "laplace").p > 0.05
    assert production.change is not None
    assert raw.end == pytest.approx(found.repairs.operated)


def test_a_day_is_compared_by_production_and_by_the_calendar(demo_workspace: Workspace) -> None:
    made, calendar, _ = asked(demo_workspace, "A31", "S12", change="2025-09-01").comparisons
    assert (made.kind, made.failures_after) == ("production", 0)
    assert made.verdict == "better"
    assert (calendar.kind, calendar.failures_before + calendar.failures_after) == ("calendar", 86)
    assert calendar.p > 0.2  # old units went on failing as before
    assert made.since == calendar.since == "2025-09-01"


def test_the_screening_of_modules_and_the_bad_release_are_found(demo_workspace: Workspace) -> None:
    """T7: B21 of S29 before June 2025; T8: V2.1.3 of A45 hangs three times as often."""
    screened = asked(demo_workspace, "B21", "S29").comparisons
    assert (screened[0].after.en, screened[-1].since) == ("version P2", "2025-06-01")
    assert (screened[0].verdict, screened[-1].verdict) == ("better", "better")
    assert screened[0].ratio.high is not None
    assert screened[0].ratio.high < 0.5
    worse, better, *_, looked_for = asked(demo_workspace, "A45", "S09").comparisons
    assert worse.after.en == "version V2.1.3"
    assert worse.ratio.low is not None
    assert worse.ratio.high is not None
    assert worse.ratio.low < 3 < worse.ratio.high + 0.6
    assert better.ratio.value is not None
    assert better.ratio.value < 0.5
    assert looked_for.since == "2024-11-01"


def test_the_decoy_does_not_grow(demo_workspace: Workspace) -> None:
    """T9: the largest and oldest fleet, nothing wrong."""
    found = asked(demo_workspace, "A86")
    assert found.tracks[0].failures == 2186
    assert all(test.p > 0.01 for track in found.tracks for test in track.trend)
    assert all(each.p > 0.05 for each in found.comparisons)


def test_repairs_of_the_demo(demo_workspace: Workspace) -> None:
    found = asked(demo_workspace, "A31", "S12").repairs
    records = demo_workspace.view().table("life_record")
    mine = records.filter((pl.col("part") == "L01/A31") & (pl.col("maker") == "S12"))
    failed = mine.filter(pl.col("event") == "failure")
    assert found.operated == pytest.approx((mine["age"] * mine["count"]).sum())
    assert found.mtbf.value == pytest.approx(found.operated / 86)
    assert found.mttr.value == pytest.approx(failed["repair_hours"].mean())
    assert found.downtime.value == pytest.approx(failed["downtime_hours"].mean())
    inherent, operational = found.availability_inherent, found.availability_operational
    assert inherent.value is not None
    assert operational.value is not None
    assert 0.999 < operational.value < inherent.value < 1


DAY = dt.date(2025, 1, 1)


def life(at: int, begun: int, days: int, **more: object) -> dict[str, object]:
    """A life of 10 h a day, from a day on for so many."""
    return {
        "id": f"r{at}", "part": "L01/B", "maker": "S1", "event": "suspension", "age": 10.0 * days,
        "started_on": DAY + dt.timedelta(begun), "observed_on": DAY + dt.timedelta(begun + days), **more,
    }  # fmt: skip


def of_lives(*records: dict[str, object], **asked_for: object) -> Growth:
    view = seen(known_machine(life_record=rows("life_record", *records)))
    found: Growth = run("growth", view, {"part": "B", **asked_for})
    return found


def prepared(*records: dict[str, object]) -> pl.DataFrame:
    view = seen(known_machine(life_record=rows("life_record", *records)))
    return fleet.prepared(view.table("life_record"), view.table("lot"))


def test_the_fleet_s_time_is_the_sum_of_ages() -> None:
    clock = fleet.clock(prepared(life(1, 0, 100, count=2), life(2, 50, 20), life(3, 10, 30, entry=100.0)))
    assert clock is not None
    start = (DAY - fleet.EPOCH).days
    days = np.array([0.0, 30.0, 60.0, 200.0]) + start
    by_hand = [0, 2 * 300 + 100, 2 * 600 + 100 + 200, 2 * 1000 + 200 + 200]
    assert clock.operated(days) == pytest.approx(by_hand)
    aged = clock.aged(np.array([start + 200.0]), 2.0)[0]
    assert aged == pytest.approx((2 * 1000**2 + 200**2 + 300**2 - 100**2) / 1000**2)


def fleet_of(rng: np.random.Generator, beta: float, factor: float, units: int = 400) -> list[dict[str, object]]:
    """Units of a Weibull life (scale 3000 h) in use for up to 300 days, those of the second half times `factor`."""
    records = []
    for at in range(units):
        begun = int(600 * at / units)
        scale = 3000 * (factor if begun >= 300 else 1.0)
        age = scale * rng.weibull(beta)
        left = 10.0 * (600 - begun)
        days = max(1, round(min(age, left) / 10))
        failed = age < left
        records.append(life(at, begun, days, event="failure" if failed else "suspension"))
    return records


def test_an_ageing_fleet_is_steady_at_equal_ages_and_a_better_one_is_found() -> None:
    rng = np.random.default_rng(7)
    lives = prepared(*fleet_of(rng, 2.5, 1.0))
    beta = fleet.common_shape(lives)
    assert beta is not None
    assert 2 < beta < 3.2
    lives = fleet.with_expected(lives, beta)
    clock = fleet.clock(lives)
    assert clock is not None
    raw, equal = fit(fleet.by_operation(clock)), fleet.by_calendar(clock, beta)
    assert bounds.shape(raw).low > 1.1
    assert equal is not None
    low, high = bounds.shape(fit(equal))[1:]
    assert low < 1 < high
    laplace = trend.laplace(equal)
    assert laplace is not None
    assert laplace.p > 0.05

    better = of_lives(*fleet_of(rng, 2.5, 2.0), maker="S1", change=(DAY + dt.timedelta(300)).isoformat())
    made, calendar, looked_for = better.comparisons
    assert made.ratio.high is not None
    assert made.ratio.high < 0.6
    assert looked_for.p < 0.01
    assert looked_for.since in {"2025-10-01", "2025-11-01"}
    assert calendar.ratio.value is not None


def test_the_shape_within_months_is_that_of_the_life_whatever_the_months() -> None:
    """Months of production a few of whose units have failed, with scales of their own: no month takes from the
    shape.
    """
    rng = np.random.default_rng(3)
    found = []
    for _ in range(20):
        records = []
        for month in range(24):
            begun, left = 30 * month, 10.0 * (900 - 30 * month)
            records += [
                {"maker": "S1", "version": None, "made": DAY + dt.timedelta(begun), "entry": 0.0,
                 "age": min(age, left), "count": 1.0, "failed": bool(age < left), "relevant": True}
                for age in 30_000 * rng.choice([0.5, 1.5]) * rng.weibull(1.6, 40)
            ]  # fmt: skip
        found.append(fleet.common_shape(pl.DataFrame(records, schema_overrides={"version": pl.String})))
    assert np.mean([each for each in found if each is not None]) == pytest.approx(1.6, abs=0.08)


def test_failures_that_are_not_relevant_and_other_modes_are_none() -> None:
    records = [life(i, i, 40 + i, event="failure", repair_hours=2.0, downtime_hours=5.0) for i in range(6)]
    records += [life(10 + i, i, 30, event="failure", relevant=False) for i in range(3)]
    records += [life(20 + i, i, 30) for i in range(3)]
    found = of_lives(*records)
    assert (found.repairs.failures, found.repairs.other_failures) == (6, 3)
    assert {each.failures for each in found.tracks} == {6}
    with pytest.raises(NotFound):
        of_lives(*records, mode="none")


def test_records_without_days_make_the_counts_alone() -> None:
    records = [life(i, i, 40 + i, event="failure", started_on=None, observed_on=None) for i in range(4)]
    found = of_lives(*records)
    assert found.tracks == ()
    assert found.repairs.failures == 4
    assert {"growth.no_dates"} <= {note.code for note in found.notes}
    alone = of_lives(life(1, 0, 50))
    assert alone.repairs.mtbf.low == pytest.approx(500 / -np.log(0.05))
    assert [each.code for each in alone.tracks[0].warnings] == ["growth.no_failure"]


def test_one_unit_read_twice_is_one_unit_and_other_units_of_age_are_left_out() -> None:
    found = of_lives(
        life(1, 0, 50, serial="a"), life(2, 0, 90, serial="a"), life(3, 0, 100, unit="cycles"), life(4, 0, 10)
    )
    assert found.repairs.operated == 1000
    assert "growth.unit_mismatch" in {note.code for note in found.notes}


def test_what_cannot_be_compared_is_said() -> None:
    records = [life(i, i, 40 + 7 * i, event="failure") for i in range(5)]
    found = of_lives(*records, change="version")
    assert "growth.no_versions" in {note.code for note in found.notes}
    with pytest.raises(ValidationError, match="YYYY-MM-DD"):
        of_lives(*records, change="soon")
    mixed = of_lives(*records, life(9, 0, 50, maker="S2"))
    assert "growth.makers_mixed" in {note.code for note in mixed.notes}


def test_it_is_asked_over_graphql(demo_workspace: Workspace) -> None:
    query = """{ growth(part: "A31", maker: "S12") {
        part { number } maker { key } unit shape
        repairs { failures mtbf { value low high } availabilityOperational { value } }
        tracks { axis unit beta { value low high } trend { name p } plot { layers { kind x y } } }
        comparisons { kind since ratio { value high } p text } } }"""
    body = Client(create_app(demo_workspace)).post("/graphql", json={"query": query}).json()
    assert "errors" not in body, body["errors"]
    answer = body["data"]["growth"]
    assert answer["part"]["number"] == "A31"
    assert answer["repairs"]["failures"] == 86
    assert [each["axis"] for each in answer["tracks"]] == ["FLEET_TIME", "EQUAL_AGES", "PRODUCTION"]
    assert {layer["kind"] for layer in answer["tracks"][0]["plot"]["layers"]} >= {"POINTS", "LINE", "BAND"}
    assert answer["comparisons"][0]["kind"] == "VERSION"
