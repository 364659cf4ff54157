"""Forecasts of returns: by enumeration, by simulation, on a published fleet, and by their coverage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.life import counts, weibull
from analytics.life.distribution import Fits, Status
from analytics.life.draws import Hazard, Lives, lives, scores
from analytics.life.families import DISTRIBUTIONS
from analytics.life.forecast import Fleet, forecast, moments, unreported
from analytics.life.rows import Floats, Ints, LifeRows, ready
from benchmarks import backtest
from tests.analytics.published import examples


def law(eta: float, beta: float) -> Hazard:
    return lambda x, group: (x / eta) ** beta + 0 * group


def known(eta: float = 1000.0, beta: float = 2.0) -> Lives:
    return Lives(law(eta, beta))


def fitted(found: weibull.WeibullFits) -> Fits:
    covariance = np.array([[found.var_log_eta, found.cov_log], [found.cov_log, found.var_log_beta]])
    enough = found.converged & (found.failures >= 3)
    return Fits(
        DISTRIBUTIONS["weibull"],
        np.stack([found.eta, found.beta]),
        covariance,
        found.log_likelihood,
        found.failures,
        found.failures,
        found.distinct_ages,
        np.where(enough, Status.FITTED, Status.TOO_FEW),
    )


def right_censored(data: LifeRows) -> Callable[[Floats], Floats]:
    """Log likelihood of failures and suspensions by (eta, beta), by hand."""

    def likelihood(p: Floats) -> Floats:
        eta, beta = p[:, data.group]
        z = np.log(data.age / eta)
        failed = data.event == 1
        return data.sums(data.count * (failed * (np.log(beta) + beta * z) - np.exp(beta * z)))

    return likelihood


def test_the_bearing_cage_fleet_in_its_next_300_hours() -> None:
    # Meeker and Escobar 1998, data of table C.5, the question of section 12.7: 1,697 units at 19 ages, 300 h a year
    data = examples("fits")["weibull-bearing-cage-lr-b10"]["data"]
    age, count = np.array(data["age"], float), np.array(data["count"], float)
    failed = np.array(data["event"]) == "failure"
    rows = ready(age, failed.astype(np.int8), count=count)
    fit = weibull.fit_rows(rows)
    fleet = Fleet.of(age[~failed], count[~failed], 25.0)
    found = forecast(fleet, lives(fitted(fit), likelihood=right_censored(rows)), 12)
    eta, beta = 11792.17817, 2.035319  # printed
    alive = np.exp(-((age / eta) ** beta))
    one = (1 - np.exp(-(((age + 300) / eta) ** beta)) / alive)[~failed]
    assert found.all_cumulative.expected[-1] == pytest.approx((count[~failed] * one).sum(), rel=1e-5)
    assert found.all_cumulative.expected[-1] == pytest.approx(5.058, abs=5e-4)
    naive = forecast(fleet, Lives(lives(fitted(fit)).best), 12)
    by_unit = counts.exactly(np.repeat(one, count[~failed].astype(int))).cumsum()
    assert naive.all_cumulative.low[-1] == np.argmax(by_unit >= 0.05)
    assert naive.all_cumulative.high[-1] == np.argmax(by_unit >= 0.95)
    assert found.all_cumulative.low[-1] <= naive.all_cumulative.low[-1]
    assert found.all_cumulative.high[-1] > naive.all_cumulative.high[-1]


@settings(max_examples=40)
@given(
    ages=st.lists(st.floats(0, 3000), min_size=1, max_size=5),
    use=st.floats(1, 400),
    beta=st.floats(0.4, 5),
    months=st.integers(1, 6),
)
def test_months_are_conditional_failures_given_survival(
    ages: list[float], use: float, beta: float, months: int
) -> None:
    found = forecast(Fleet.of(ages, 1, use), known(beta=beta), months)
    for k in range(1, months + 1):
        expected = 0.0
        for a in ages:
            r = [np.exp(-(((a + j * use) / 1000) ** beta) + (a / 1000) ** beta) for j in range(k + 1)]
            expected += r[k - 1] * (1 - r[k] / r[k - 1]) if r[k - 1] > 0 else 0.0
        assert found.all_month.expected[k - 1] == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert found.all_cumulative.expected[-1] == pytest.approx(found.all_month.expected.sum())


def test_small_fleets_are_counted_unit_by_unit() -> None:
    ages = np.array([100.0, 900.0, 2500.0, 0.0])
    found = forecast(Fleet.of(ages, [1, 2, 1, 3], 200.0), known(), 3)
    p = np.repeat(1 - np.exp((ages / 1000) ** 2 - ((ages + 600) / 1000) ** 2), [1, 2, 1, 3])
    outcomes = (np.arange(2 ** len(p))[:, None] >> np.arange(len(p))) & 1
    chance = np.where(outcomes == 1, p, 1 - p).prod(axis=1)
    upto = np.array([chance[outcomes.sum(axis=1) <= y].sum() for y in range(len(p) + 1)])
    assert found.all_cumulative.low[-1] == np.argmax(upto >= 0.05)
    assert found.all_cumulative.high[-1] == np.argmax(upto >= 0.95)


def test_cover_ends_by_months_and_by_age() -> None:
    free = forecast(Fleet.of(100.0, 50, 200.0), known(), 6).all_month.expected
    by_month = forecast(Fleet.of(100.0, 50, 200.0, cover_months=2.5), known(), 6)
    half = 50 * (np.exp(0.1**2 - 0.5**2) - np.exp(0.1**2 - 0.6**2))
    assert by_month.all_month.expected == pytest.approx([*free[:2], half, 0, 0, 0], abs=1e-12)
    assert by_month.at_risk[0] == pytest.approx([50, 50 - free[0], 50 - free[:2].sum(), 0, 0, 0])
    by_age = forecast(Fleet.of(100.0, 50, 200.0, cover_age=600.0), known(), 6).all_month.expected
    assert by_age == pytest.approx(by_month.all_month.expected)
    assert forecast(Fleet.of(700.0, 50, 200.0, cover_age=600.0), known(), 6).all_cumulative.high[-1] == 0


def test_shipments_to_come_begin_new_when_they_are_shipped() -> None:
    found = forecast(Fleet.of(0.0, 1000, 100.0, start=[1.5], cover_months=2.0), known(), 5)
    gone = 1000 * (1 - np.exp(-(np.array([0, 0, 0.05, 0.15, 0.2, 0.2]) ** 2)))
    assert found.all_month.expected == pytest.approx(np.diff(gone))
    assert found.at_risk[0] == pytest.approx([0, 0, 1000 - gone[2], 1000 - gone[3], 0])


def test_what_cannot_be_a_fleet_is_refused() -> None:
    for wrong in ({"age": -1.0}, {"count": np.nan}, {"use": 0.0}, {"start": -0.5}):
        columns: dict[str, Any] = {"age": 1.0, "count": 1.0, "use": 1.0, **wrong}
        with pytest.raises(ValueError, match="fleet"):
            Fleet.of(**columns)
    with pytest.raises(ValueError, match="level"):
        forecast(Fleet.of(1.0, 1, 1.0), known(), 0)


@pytest.mark.parametrize(("beta", "cover"), [(1.0, np.inf), (3.0, np.inf), (0.7, 7.0)])
def test_renewal_as_simulated(beta: float, cover: float) -> None:
    rng = np.random.default_rng(11)
    n, age, use, months, eta = 60_000, 300.0, 100.0, 10, 600.0
    numbers = np.zeros((n, months))
    unit, at = np.arange(n), np.zeros(n)
    ages = np.full(n, age)
    while len(unit):
        life = eta * ((ages / eta) ** beta + rng.exponential(size=len(unit))) ** (1 / beta)
        at = at + (life - ages) / use
        there = at <= min(months, cover)
        unit, at, ages = unit[there], at[there], np.zeros(there.sum())
        np.add.at(numbers, (unit, np.minimum(np.ceil(at).astype(int) - 1, months - 1)), 1)
    found = moments(Fleet.of(age, 1, use, cover_months=cover), law(eta, beta), months, renewed=True)
    to = numbers.cumsum(axis=1)
    assert found.to_mean[0] == pytest.approx(to.mean(axis=0), rel=0.03)
    assert found.to_variance[0] == pytest.approx(to.var(axis=0), rel=0.08)
    assert found.mean[0] == pytest.approx(numbers.mean(axis=0), rel=0.06, abs=1e-9)
    assert found.variance[0] == pytest.approx(numbers.var(axis=0), rel=0.08, abs=1e-9)


def test_constant_rates_renewed_are_a_poisson_process() -> None:
    found = forecast(Fleet.of([0.0, 500.0], 40, 100.0), known(2000.0, 1.0), 12, renewed=True)
    assert found.all_cumulative.expected[-1] == pytest.approx(80 * 1200 / 2000, rel=2e-3)
    gone = forecast(Fleet.of([0.0, 500.0], 40, 100.0), known(2000.0, 1.0), 12)
    assert gone.all_cumulative.expected[-1] == pytest.approx(80 * (1 - np.exp(-0.6)))


def test_groups_do_not_touch_each_other_and_what_is_unknown_stays_so() -> None:
    def hazard(x: Floats, group: Ints) -> Floats:
        return np.where(group == 1, np.nan, (x / np.array([800.0, 1.0, 1500.0])[group]) ** 2)

    together = forecast(Fleet.of([100.0, 200.0, 300.0], [400, 9, 70], 50.0, [2, 1, 0], 3), Lives(hazard, (hazard,)), 4)
    alone = forecast(Fleet.of(100.0, 400, 50.0), known(1500.0), 4)
    assert together.cumulative.high[2].tolist() == alone.cumulative.high[0].tolist()
    assert np.isnan(together.cumulative.expected[1]).all()
    assert np.isnan(together.cumulative.high[1]).all()
    assert np.isfinite(together.cumulative.high[[0, 2]]).all()
    assert np.isnan(together.all_cumulative.high).all()


def test_no_fleet_has_no_returns() -> None:
    none = np.zeros(0)
    found = forecast(Fleet.of(none, none, none, none, 0), known(), 3)
    assert found.all_cumulative.high.tolist() == [0, 0, 0]
    assert forecast(Fleet.of(none, none, none, none, 2), known(), 3).month.high.tolist() == [[0] * 3] * 2


def test_splitting_rows_and_scaling_ages_change_nothing_and_many_rows_stand_for_all() -> None:
    rng = np.random.default_rng(2)
    ages, fits = rng.uniform(0, 800, 3000), weibull.fit(rng.weibull(2, 40) * 1000, np.ones(40))
    model = lives(fitted(fits), draws=60)
    whole = forecast(Fleet.of(ages, 1, 50.0), model, 6, most=10_000)
    sampled = forecast(Fleet.of(ages, 1, 50.0), model, 6, most=128)
    assert sampled.all_cumulative.high == pytest.approx(whole.all_cumulative.high, abs=1.001)
    assert sampled.all_cumulative.expected == pytest.approx(whole.all_cumulative.expected)
    doubled = forecast(Fleet.of(np.tile(ages, 2), 0.5, 50.0), model, 6, most=10_000)
    assert doubled.all_cumulative.high.tolist() == whole.all_cumulative.high.tolist()
    in_seconds = Lives(law(3.6e6, 2.0)), Fleet.of(ages * 3600, 1, 50.0 * 3600)
    in_hours = Lives(law(1000.0, 2.0)), Fleet.of(ages, 1, 50.0)
    one, other = (forecast(fleet, life, 6, renewed=True) for life, fleet in (in_seconds, in_hours))
    assert one.all_month.expected == pytest.approx(other.all_month.expected)
    assert one.all_month.high.tolist() == other.all_month.high.tolist()


def test_a_group_without_an_estimate_has_no_forecast() -> None:
    nothing = fitted(weibull.fit([], [], groups=1))
    found = forecast(Fleet.of(1.0, 9, 1.0), lives(nothing, draws=3), 2)
    assert np.isnan([found.all_cumulative.expected, found.all_cumulative.low, found.all_cumulative.high]).all()


def test_draws_spread_evenly_and_have_the_covariance_of_the_estimates() -> None:
    z = scores(100, 3, np.random.default_rng(0))
    assert np.sort(z, axis=1)[0] == pytest.approx(np.sort(z, axis=1)[2])
    rows = ready(np.random.default_rng(4).weibull(2, 500) * 700, 1)
    fit = weibull.fit_rows(rows)
    for likelihood in (None, right_censored(rows)):
        model = lives(fitted(fit), likelihood=likelihood, draws=1000)
        x = np.array([[200.0, 700.0]])
        logs = np.log([draw(x, np.array([[0]]))[0] for draw in model.draws])
        z0 = np.log(x[0] / fit.eta[0])
        variance = fit.beta[0] ** 2 * (z0**2 * fit.var_log_beta + fit.var_log_eta - 2 * z0 * fit.cov_log)
        assert logs.mean(axis=0) == pytest.approx(np.log(model.best(x, np.array([[0]]))[0]), abs=0.02)
        assert logs.var(axis=0) == pytest.approx(variance, rel=0.15)


@pytest.mark.parametrize("failures", [5, 30])
def test_intervals_hold_what_comes_as_often_as_they_say(failures: int) -> None:
    fleets = backtest.simulated(failures, 100, units=200)
    fits = fleets.fits
    judged = fits.fitted & (fits.failures >= 3)
    inside, below, above = backtest.shares(fleets, lives(fits, likelihood=fleets.likelihood, draws=50), judged)
    assert inside == pytest.approx(0.90, abs=0.07)
    assert max(below, above) < 0.10
    assert backtest.shares(fleets, Lives(lives(fits, draws=1).best), judged)[0] < 0.80


def test_failures_not_yet_reported_as_simulated() -> None:
    rng = np.random.default_rng(8)
    n, use, eta, beta, age = 400_000, 100.0, 3000.0, 2.0, 1500.0
    life = eta * rng.exponential(size=n) ** (1 / beta)
    since = (age - life) / use
    delay = rng.choice([0.5, 1.5, 2.5], n, p=[0.3, 0.5, 0.2]) + rng.uniform(-0.5, 0.5, n)
    silent = (since > 0) & (delay > since)
    seen_alive = (since <= 0) | silent
    fleet = Fleet.of(age, seen_alive.sum(), use)
    found = unreported(fleet, known(eta, beta), [0.0, 0.3, 0.8, 1.0])
    assert found.expected[0] == pytest.approx(silent.sum(), rel=0.03)
    assert found.low[0] <= silent.sum() <= found.high[0]
    at_once = unreported(fleet, known(eta, beta), [1.0, 1.0])
    assert (at_once.expected[0], at_once.high[0]) == (0.0, 0.0)
    with pytest.raises(ValueError, match="rise"):
        unreported(fleet, known(), [0.5, 0.2])
