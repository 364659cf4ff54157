"""What another test would tell, against fits of records to which the expected ones of the test were added."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad

from analytics import run
from analytics.hazard import Hazards, Kind
from analytics.life import weibull
from analytics.life.rows import Event
from analytics.model import model
from analytics.test_gains import after_test, information
from chaingraph import View
from chaingraph.snapshot import Snapshot
from tests.analytics.test_analyses import NOW, known_machine, seen
from tests.chaingraph.world import machine, rows


def lives(*given: tuple[str, str, float, str, int]) -> pl.DataFrame:
    """Life records of parts: part, maker, age, event, count."""
    return rows(
        "life_record",
        *(
            {"id": f"r{at}", "part": f"L01/{part}", "maker": maker, "age": age, "event": event, "count": count}
            for at, (part, maker, age, event, count) in enumerate(given)
        ),
    )


def gains(tables: dict[str, pl.DataFrame], **asked: Any) -> dict[str, Any]:
    view = View(Snapshot(1, tables), at=NOW)
    found: dict[str, Any] = run("test_gains", view, {"product": "M", "mission": 100.0, **asked}).payload("en")
    return found


def test_a_bounded_part_gains_what_its_bound_gains_when_the_test_is_done() -> None:
    past = [
        ("A", "L01", 400.0, "suspension", 30),
        ("B", "S1", 300.0, "suspension", 20),
        ("B", "S2", 500.0, "failure", 1),
    ]
    tables = {**machine(), "life_record": lives(*past)}
    promised = gains(tables, units=25, hours=800.0)
    first = next(each for each in promised["gains"] if each["maker"] == "S1")
    done = {**machine(), "life_record": lives(*past, ("B", "S1", 800.0, "suspension", 25))}
    after = gains(done, units=25, hours=800.0)
    assert after["reliability"] == pytest.approx(first["reliability"], rel=1e-9)
    assert next(e for e in after["gains"] if e["maker"] == "S1")["before"] == pytest.approx(first["after"], rel=1e-9)
    assert first["expected_failures"] == 0.0


def test_bounded_parts_with_little_behind_them_gain_most() -> None:
    failures = [("B", "S2", 60.0 + 7 * i, "failure", 3) for i in range(30)]
    for behind, order in ((("B", "S1", 30.0, "suspension", 2), ["S1", "S2"]), (("B", "S1", 1e5, "suspension", 10**9), ["S2", "S1"])):  # fmt: skip  # noqa: E501
        found = gains({**machine(), "life_record": lives(*failures, behind)}, units=20)
        assert [each["maker"] for each in found["gains"]] == order
        assert {each["maker"]: each["evidence"] for each in found["gains"]} == {"S1": ["bounded"], "S2": ["fitted"]}
        assert found["gains"][0]["hours"] == 100.0
        after = found["gains"][0]["reliability"]
        assert after["high"] - after["low"] < found["reliability"]["high"] - found["reliability"]["low"]


def settled(*given: tuple[str, str, float, str, int]) -> Hazards:
    return model(seen({**machine(), "life_record": lives(*given)})).hazards


def test_few_failures_become_more_in_more_exposure() -> None:
    past = [("B", "S1", 900.0, "failure", 1), ("B", "S1", 1000.0, "suspension", 20)]
    now = settled(*past)
    assert now.kind.tolist() == [Kind.FEW]
    assert now.beta.tolist() == [1.0]
    eta, units = now.eta[0], 5
    hours = float(-eta * np.log(1 - 1 / units))  # one failure is expected among them
    better, expected = after_test(now, np.array([1.0]), units, np.array([hours]))
    assert expected[0] == pytest.approx(1.0)
    each = eta / units  # in the exposure in which one is expected
    done = settled(*past, ("B", "S1", each, "failure", 1), ("B", "S1", each, "suspension", units - 1))
    assert done.eta[0] == pytest.approx(eta)
    assert better.low_factor[0] == pytest.approx(done.low_factor[0])
    assert better.high_factor[0] == pytest.approx(done.high_factor[0])


@pytest.mark.parametrize("hours", [300.0, 1500.0])
def test_a_fit_gains_what_a_refit_with_the_expected_records_gains(hours: float) -> None:
    rng = np.random.default_rng(8)
    life = 1000 * rng.weibull(1.8, 25)
    age, event = np.minimum(life, 1100), (life < 1100).astype(int)
    now = weibull.fit(age, event)
    eta, beta = now.eta[0], now.beta[0]
    held = Hazards.of(
        [beta], [eta], var_log_eta=now.var_log_eta, var_log_beta=now.var_log_beta, cov_log=now.cov_log
    )  # fmt: skip
    units = 40
    better, expected = after_test(held, np.array([np.nan]), units, np.array([hours]))
    end = (hours / eta) ** beta
    assert expected[0] == pytest.approx(units * (1 - np.exp(-end)))
    level = (np.arange(4000) + 0.5) / 4000 * (1 - np.exp(-end))  # failures as they are expected, in fractions
    failed = eta * (-np.log(1 - level)) ** (1 / beta)
    refit = weibull.fit(
        np.concatenate([age, failed, [hours]]),
        np.concatenate([event, np.full(4000, Event.FAILURE), [Event.SUSPENSION]]),
        count=np.concatenate([np.ones(25), np.full(4000, expected[0] / 4000), [units * np.exp(-end)]]),
    )
    assert (refit.eta[0], refit.beta[0]) == pytest.approx((eta, beta), rel=1e-3)
    for ours, theirs in (
        (better.var_log_eta, refit.var_log_eta), (better.var_log_beta, refit.var_log_beta),
        (better.cov_log, refit.cov_log),
    ):  # fmt: skip
        assert ours[0] == pytest.approx(theirs[0], rel=5e-3, abs=1e-6)


def test_the_information_is_its_integral() -> None:
    beta, hazard = np.array([0.7, 1.0, 3.0]), np.array([1e-6, 0.3, 50.0])
    found = information(beta, hazard)
    for at in range(3):
        both = quad(lambda s: (1 + np.log(s)) * np.exp(-s), 0, hazard[at], limit=200)[0]
        twice = quad(lambda s: (1 + np.log(s)) ** 2 * np.exp(-s), 0, hazard[at], limit=200)[0]
        assert found[at, 0, 0] == pytest.approx(beta[at] ** 2 * -np.expm1(-hazard[at]))
        assert found[at, 0, 1] == pytest.approx(-beta[at] * both, rel=1e-5)
        assert found[at, 1, 1] == pytest.approx(twice, rel=1e-5)


def test_a_declared_value_counts_as_much_as_failures() -> None:
    held = Hazards.of([1.0], [1000.0], Kind.DECLARED, low_factor=[0.5], high_factor=[2.0])
    better, expected = after_test(held, np.array([0.0]), 10**6, np.array([1e-3]))
    assert expected[0] == pytest.approx(1.0, rel=1e-5)
    sigma = np.log(2.0) / 1.6448536269514722
    assert np.log(better.high_factor[0]) / 1.6448536269514722 == pytest.approx((1 / sigma**2 + 1) ** -0.5, rel=1e-5)
    assert better.low_factor[0] == pytest.approx(1 / better.high_factor[0])


def test_more_units_never_tell_less_and_shares_are_of_one_whole() -> None:
    tables = {**known_machine(), "life_record": lives(("A", "L01", 300.0, "suspension", 5))}
    before: dict[tuple[str, str], float] = {}
    found = gains(tables)
    for units in (1, 10, 1000):
        found = gains(tables, units=units)
        assert sum(each["share"] for each in found["gains"]) == pytest.approx(1.0)
        now = {(each["part"], each["maker"]): each["gain"] for each in found["gains"]}
        assert all(gain >= 0 for gain in now.values())
        assert all(now[state] >= before.get(state, 0.0) for state in now)
        before = now
    plain = run("propagate", seen(tables), {"product": "M", "hours": (100.0,)}).reliability[0]
    assert found["reliability"] == pytest.approx(plain.payload(), rel=1e-9)


def test_parts_of_which_nothing_is_known_are_listed_apart() -> None:
    found = gains(machine())
    assert found["gains"] == []
    assert found["unknown"] == ["L01/B"]
    assert [note["code"] for note in found["notes"]] == ["unknown", "nothing"]
