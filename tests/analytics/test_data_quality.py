"""How good data are: worked shares, what is due, what to mend first, and what others state otherwise."""

from __future__ import annotations

import datetime as dt

import pytest

from analytics import run
from analytics.data_quality import DataQuality, reminders, timeliness
from chaingraph import View
from chaingraph.snapshot import Snapshot
from tests.chaingraph.world import machine, rows

NOW = dt.datetime(2026, 3, 31, tzinfo=dt.UTC)


def found(organisation: str | None = None) -> DataQuality:
    part: dict[str, object] = {"part": "L01/A", "maker": "S1", "unit": "h"}
    lives = [
        {**part, "id": "1", "age": 100.0, "mode": None, "observed_on": dt.date(2026, 3, 1)},
        {**part, "id": "2", "age": 200.0, "observed_on": dt.date(2026, 1, 27)},
        {**part, "id": "3", "age": 150.0},
        {**part, "id": "4", "age": 8_000_000.0},
    ]
    supply = {"part": "L01/B", "supplier": "S1", "customer": "L01"}
    tables = machine() | {
        "life_record": rows("life_record", *({"event": "failure", **each} for each in lives), owner="S1"),
        "supplies": rows(
            "supplies",
            {**supply, "lead_time_days": 30.0, "owner": "L01"}, {**supply, "lead_time_days": 60.0, "owner": "S1"},
        ),
    }  # fmt: skip
    answer: DataQuality = run("data_quality", View(Snapshot(1, tables), at=NOW), {"organisation": organisation})
    return answer


def test_worked_shares() -> None:
    (lives,) = [each for each in found("S1").kinds if each.kind == "life_record"]
    assert lives.complete == pytest.approx((1 + 0 + 1 + 0 + 0 + 0 + 0.5) / 7)  # maker, unit, half of observed_on
    assert (lives.newest, lives.due, lives.timely) == (dt.date(2026, 3, 1), dt.date(2026, 4, 1), 1.0)
    assert lives.plausible == 0.75  # 8,000,000 h is beyond three powers of ten
    assert lives.consistent is None
    assert lives.score == pytest.approx(100 * (2.5 / 7 + 1.0 + 0.75) / 3)
    assert lives.mend is not None
    assert lives.mend.en.startswith("Fill in ")


@pytest.mark.parametrize(("days", "worth"), [(0, 1.0), (31, 1.0), (62, 0.5), (93, 0.0), (400, 0.0)])
def test_data_age(days: float, worth: float) -> None:
    assert timeliness(days, 31) == worth


def test_what_others_state_otherwise() -> None:
    answer = found()
    assert {(c.organisation, c.value, c.other, c.other_value) for c in answer.contradictions} == {
        ("L01", "30.0", "S1", "60.0"), ("S1", "60.0", "L01", "30.0"),
    }  # fmt: skip
    assert {each.organisation: each.consistent for each in answer.kinds if each.kind == "supplies"} == {
        "L01": 0.0, "S1": 0.0,
    }  # fmt: skip


def test_reminders_come_a_week_ahead_and_the_oldest_first() -> None:
    due = reminders(found(), NOW.date())
    assert [(each.organisation, each.kind) for each in due] == [("S1", "life_record")]
    assert reminders(found(), dt.date(2026, 3, 1)) == []


def test_another_firms_data_are_not_looked_at() -> None:
    assert {each.organisation for each in found("S1").kinds} == {"S1"}
