"""Test plans: the published ones to the printed digits, each against the exact distribution, and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom, poisson

from analytics.life import planning as p
from tests.analytics.published import examples

FITS, OTHERS = examples("fits"), examples("others")


def printed(example: dict[str, Any], quantity: str) -> float:
    """What an example prints."""
    return float(next(e["value"] for e in example["expected"] if e["quantity"] == quantity))


def test_success_runs_and_chi_square_plans_are_the_published_ones() -> None:
    values = [each["value"] for each in FITS["plan-success-run-chi2"]["expected"]]
    assert p.units_needed(0.8, 0.9) == values[0]
    assert round(float(p.demonstrated(11, 1, 0.9)), 4) == values[1]
    total = p.needed(0.9, 2) * 500 / -math.log(0.85)
    assert round(float(total)) == values[2]
    assert p.units_needed(0.999, 0.95) == values[3]
    assert p.units_needed(p.at_age(0.999, 1.0, 3.0), 0.95) == values[4]


def test_weibull_demonstration_tests_are_the_published_ones() -> None:
    expected = [each["value"] for each in FITS["plan-weibull-rdt"]["expected"]]
    hours = p.hours_needed(0.9, 1000, 2, np.array([5, 10, 20]), 0.8)
    assert np.round(hours, 2).tolist() == expected[:3]
    assert float(p.hours_needed(0.98, 40e6, 2, 62, 0.95)) == pytest.approx(expected[3], rel=1e-14)
    eta = p.weibayes(62 * 62e6**2, 2, 0, 0.95)
    assert float(eta * (-math.log(0.98)) ** 0.5) == pytest.approx(expected[4], rel=1e-14)
    units = p.units_needed(p.at_age(0.9, 100, np.array([100, 150, 150]), np.array([1, 2, 3])), 0.9)
    assert units.tolist() == expected[5:]


def test_demonstration_plans_and_their_characteristics_are_the_published_ones() -> None:
    example = OTHERS["plan-demonstration-operating-characteristic"]

    def holds(quantity: str, value: Any) -> None:
        digits = next(e["digits"] for e in example["expected"] if e["quantity"] == quantity)
        assert round(float(value), digits) == printed(example, quantity), quantity

    holds("n, 0 failures", p.units_needed(0.95, 0.95))
    holds("n, 1 failure", p.units_needed(0.95, 0.95, 1))
    holds("R demonstrated by 59", p.demonstrated(59, 0, 0.95))
    holds("n at 2 missions, beta 2", p.units_needed(p.at_age(0.95, 1, 2, 2), 0.95))
    holds("missions for 20 units", p.hours_needed(0.95, 1, 2, 20, 0.95))
    holds("test time, 0 failures", 1000 * p.needed(0.9, 0))
    holds("test time, 2 failures", 1000 * p.needed(0.9, 2))
    holds("pass prob R=.95 n=59", p.passes(0.95, 59, 0))
    holds("pass prob R=.99 n=59", p.passes(0.99, 59, 0))
    holds("pass prob R=.99 n=93 c=1", p.passes(0.99, 93, 1))
    holds("pass prob theta 3000, T 2302.6", p.passes_total(3000, 1000 * p.needed(0.9, 0), 0))
    units, allowed = p.two_risks(0.9, 0.95, 0.9, 0.2)
    holds("two-risk plan n", units)
    holds("two-risk plan c", allowed)
    holds("consumer risk", p.passes(0.9, units, allowed))
    holds("producer risk", 1 - p.passes(0.95, units, allowed))
    holds("pass prob R=.95 n=22", p.passes(0.95, 22, 0))
    hours, allowed = p.fixed_length(1000, 2000, 0.1, 0.2)
    holds("two-risk MTBF time", hours)
    holds("two-risk MTBF c", allowed)


def test_fixed_length_plans_of_the_handbook_are_computed() -> None:
    example = OTHERS["plan-milhdbk781-fixed-length"]
    for name, duration, allowed in (("XI-D", "duration in multiples of theta1", 17), ("XV-D", "duration", 5), ("XVII-D", "duration", 2)):  # fmt: skip  # noqa: E501
        at = example["data"]["plan"].index(name)
        consumer, ratio = example["data"]["beta"][at], example["data"]["discrimination_ratio"][at]
        hours = float(p.needed(1 - consumer, allowed))
        assert abs(hours - printed(example, f"{name} {duration}")) < 0.1
        assert printed(example, f"{name} accept at most") == allowed
        assert 1 - p.passes_total(ratio, hours, allowed) <= example["data"]["alpha"][at] + 0.02
        found, c = p.fixed_length(1.0, ratio, consumer, example["data"]["alpha"][at])
        assert abs(c - allowed) <= 1
        assert 1 - p.passes_total(ratio, found, c) <= example["data"]["alpha"][at]


def test_a_documented_duration_is_one_failure_short() -> None:
    example = OTHERS["plan-mtbf-test-duration"]
    documented = printed(example, "test duration")
    assert float(2500 * p.needed(0.8, 84)) == pytest.approx(documented, rel=1e-13)
    assert 1 - p.passes_total(3000, documented, 84) > 0.2
    hours, allowed = p.fixed_length(2500, 3000, 0.2, 0.2)
    assert (allowed, hours > documented) == (85, True)
    assert 1 - p.passes_total(3000, hours, allowed) <= 0.2


def test_bayesian_sample_sizes_are_the_published_ones() -> None:
    example = OTHERS["plan-reliasoft-weibull-and-bayes"]
    scale = p.Target("reliability", 0.9, 100, shape=1.5).scale(0.9)
    assert round(float(scale), 1) == printed(example, "eta from R(100)=0.9, beta 1.5")
    assert round(float(beta.ppf(0.5, 2, 3)), 6) == printed(example, "median rank, 2nd of 4")
    expert = p.expert_prior(0.8, 0.85, 0.97)
    assert p.units_with_prior(expert, 0.9, 0.8, 1) == printed(example, "sample size, expert prior")
    mean, variance = p.subsystem_moments([20, 30, 100], [0, 1, 4])
    for at, name in enumerate("ABC"):
        assert mean[at] == pytest.approx(printed(example, f"subsystem {name} mean"), abs=6e-10)
        assert round(float(variance[at]), 6) == printed(example, f"subsystem {name} variance")
    prior = p.subsystem_prior([20, 30, 100], [0, 1, 4])
    assert p.units_with_prior(prior, 0.9, 0.8, 1) == printed(example, "sample size, subsystem prior")


@given(st.floats(0.5, 0.9999), st.floats(0.5, 0.99), st.integers(0, 6))
def test_one_unit_less_would_not_do(reliability: float, confidence: float, failures: int) -> None:
    n = int(p.units_needed(reliability, confidence, failures))
    assert binom.cdf(failures, n, 1 - reliability) <= (1 - confidence) * (1 + 1e-9)
    assert n == failures + 1 or binom.cdf(failures, n - 1, 1 - reliability) > (1 - confidence) * (1 - 1e-9)
    assert p.demonstrated(n, failures, confidence) >= reliability - 1e-9


@given(st.floats(0.5, 0.99), st.floats(0.5, 0.99), st.floats(0.5, 5), st.integers(1, 60), st.integers(0, 3))
def test_hours_and_units_are_two_sides_of_one_plan(r: float, c: float, shape: float, n: int, f: int) -> None:
    if n <= f:
        return
    hours = float(p.hours_needed(r, 100, shape, n, c, f))
    assert p.units_needed(p.at_age(r, 100, hours * (1 + 1e-9), shape), c, f) <= n
    plan = p.Plan(p.Target("reliability", r, 100, shape=shape), c, f, n, hours)
    assert plan.demonstrates == pytest.approx(r, rel=1e-9)
    assert float(plan.passes(r)) == pytest.approx(1 - c, rel=1e-6)


def test_risks_are_simulated_ones() -> None:
    rng = np.random.default_rng(5)
    hours, allowed = p.fixed_length(1000, 3000, 0.1, 0.1)
    arrivals = np.cumsum(rng.exponential(1000.0, (40_000, allowed + 1)), axis=1)
    beyond = arrivals[:, allowed]
    assert (beyond > hours).mean() == pytest.approx(0.1, abs=0.006)
    assert np.minimum(beyond, hours).mean() == pytest.approx(float(p.expected_total(1000, hours, allowed)), rel=0.01)


def test_the_sequential_test_keeps_its_risks() -> None:
    lines = p.sequential(1000, 3000, 0.1, 0.1)
    rng = np.random.default_rng(6)
    for true, accepted in ((1000.0, 0.1), (3000.0, 0.9)):
        at = np.cumsum(rng.exponential(true, (20_000, 60)), axis=1)
        r = np.arange(60)
        accept = at > lines.accept + r * lines.slope  # alive with r failures at the line of acceptance
        reject = at <= (r + 1) * lines.slope - lines.reject
        first_accept = np.where(accept.any(axis=1), accept.argmax(axis=1), 99)
        first_reject = np.where(reject.any(axis=1), reject.argmax(axis=1), 99)
        share = (first_accept <= first_reject).mean()
        assert abs(share - accepted) < 0.03
        wrong = share if true == 1000 else 1 - share
        assert wrong <= 0.1 / 0.9 + 0.005  # Wald's bound


def test_targets_are_one_thing_said_in_three_ways() -> None:
    for shape in (0.7, 1.0, 2.5):
        b_life = p.Target("b_life", 500.0, 500.0, 0.1, shape)
        eta = float(b_life.scale(500.0))
        as_r = p.Target("reliability", math.exp(-((300 / eta) ** shape)), 300.0, shape=shape)
        mean = p.Target("mtbf", float(eta * math.gamma(1 + 1 / shape)), 300.0, shape=shape)
        for target in (as_r, mean):
            assert float(target.scale(target.value)) == pytest.approx(eta, rel=1e-12)
        made = [p.plans(t, 0.9, units=12) for t in (b_life, as_r, mean)]
        assert [[round(x.hours_each, 6) for x in each] for each in made] == [
            [round(x.hours_each, 6) for x in made[0]]
        ] * 3


def test_plans_show_at_least_the_target_and_an_acceleration_saves_hours() -> None:
    for target in (
        p.Target("reliability", 0.9, 1000.0),
        p.Target("reliability", 0.9, 1000.0, shape=2.0),
        p.Target("mtbf", 5000.0, 5000.0),
        p.Target("mtbf", 5000.0, 5000.0, shape=1.5),
        p.Target("b_life", 800.0, 800.0, 0.1, 2.0),
    ):
        plain, quick = p.plans(target, 0.9), p.plans(target, 0.9, factor=4.0)
        assert [x.failures for x in plain if x.units == plain[0].units]
        assert all(x.demonstrates >= target.value * (1 - 1e-9) for x in [*plain, *quick])
        assert [x.hours_each for x in quick] == pytest.approx([x.hours_each / 4 for x in plain])
        assert [x.units for x in quick] == [x.units for x in plain]
        value, chance = p.characteristic(plain[0])
        assert (np.diff(value) < 0).all()
        assert (np.diff(chance) < 0).all()
        assert p.characteristic(plain[0], (1.0,))[1][0] <= 0.1 + 1e-9


def test_what_cannot_be_planned_is_said() -> None:
    with pytest.raises(ValueError, match="shape"):
        p.plans(p.Target("reliability", 0.9, 100.0), 0.9, units=5)
    with pytest.raises(ValueError, match="the other follows"):
        p.plans(p.Target("mtbf", 100.0, 100.0), 0.9, units=5, hours=1.0)
    with pytest.raises(ValueError, match="better"):
        p.fixed_length(1000, 900, 0.1, 0.1)
    assert [x.failures for x in p.plans(p.Target("reliability", 0.9, 100.0, shape=2.0), 0.9, units=2)] == [0, 1]
    assert np.isinf(p.units_needed(1.0, 0.9))
    assert poisson.cdf(3, 2.0) == pytest.approx(float(p.passes_total(1.0, 2.0, 3)))
