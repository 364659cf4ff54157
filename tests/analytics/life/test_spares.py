"""Spare parts: closed forms, and simulations of shelves, depots and bases."""

import heapq
from math import exp

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from analytics.life import counts
from analytics.life.draws import Lives
from analytics.life.forecast import Fleet, forecast
from analytics.life.spares import metric, needed, shelf, spares, turnaround


@pytest.mark.parametrize("mean", [0.01, 0.7, 3.0, 42.0, 9000.0])
@pytest.mark.parametrize("p", [0.5, 0.9, 0.95, 0.999])
def test_a_stock_for_poisson_and_negative_binomial_needs_is_their_quantile(mean: float, p: float) -> None:
    assert float(spares(p, mean)) == poisson.ppf(p, mean)
    variance = mean + (0.5 * mean) ** 2
    assert float(spares(p, mean, variance)) == nbinom.ppf(p, mean**2 / (variance - mean), mean / variance)


def test_no_need_needs_nothing_and_what_is_unknown_stays_so() -> None:
    assert spares(0.95, [0.0, np.nan, 1.0]).tolist() == pytest.approx([0.0, np.nan, 3.0], nan_ok=True)
    with pytest.raises(ValueError, match="between 0 and 1"):
        spares(1.0, 3.0)


@pytest.mark.parametrize(("mean", "variance"), [(0.3, 0.3), (4.0, 4.0), (4.0, 9.0), (30.0, 30.0)])
def test_a_shelf_by_the_sums_that_define_it(mean: float, variance: float) -> None:
    of = poisson(mean) if mean == variance else nbinom(mean**2 / (variance - mean), mean / variance)
    y = np.arange(2000)
    found = shelf(mean, variance, most=12)
    for s in range(13):
        assert found.backorders[s] == pytest.approx((np.maximum(y - s, 0) * of.pmf(y)).sum(), abs=1e-9)
        assert found.fill_rate[s] == pytest.approx(of.cdf(s - 1), abs=1e-12)
        assert found.short[s] == pytest.approx(of.sf(s), abs=1e-12)
    assert np.all(np.diff(found.backorders) <= 0)
    assert shelf(mean, variance).fill_rate[-1] >= 0.999


def test_a_shelf_for_nothing_in_repair() -> None:
    found = shelf(0.0)
    assert (found.backorders[0], found.short[0], found.fill_rate[1]) == (0.0, 0.0, 1.0)


def test_a_shelf_as_simulated_whatever_the_distribution_of_the_turnaround() -> None:
    rng = np.random.default_rng(3)
    rate, turn, stock, n = 2.0, 1.5, 4, 200_000
    arrivals = np.cumsum(rng.exponential(1 / rate, n))
    out: list[float] = []
    met = 0
    for at, back in zip(arrivals, arrivals + turn * rng.gamma(0.5, 2.0, n), strict=True):
        while out and out[0] <= at:
            heapq.heappop(out)
        met += len(out) < stock
        heapq.heappush(out, back)
    assert met / n == pytest.approx(shelf(rate * turn, most=stock).fill_rate[-1], abs=0.01)


def test_metric_as_simulated() -> None:
    rng = np.random.default_rng(5)
    rates, stock, depot_stock, depot_repair, order = np.array([0.6, 1.1]), [2, 3], 3, 2.0, 0.5
    found = metric(rates, stock, depot_stock, depot_repair, order=order)
    assert found.depot_backorders == pytest.approx(shelf(3.4, most=3).backorders[-1])
    n = 120_000
    at = np.cumsum(rng.exponential(1 / rates.sum(), n))
    base = (rng.random(n) < rates[1] / rates.sum()).astype(int)
    repaired = at + rng.exponential(depot_repair, n)
    ready = np.concatenate([np.zeros(depot_stock), np.sort(repaired)])[:n]  # first come, first served
    arrive = np.maximum(at, ready) + order
    for b in (0, 1):
        mine, back = at[base == b], arrive[base == b]
        under_way = np.arange(1, len(mine) + 1) - np.searchsorted(np.sort(back), mine, side="right")
        assert np.mean(under_way - 1) == pytest.approx(found.pipeline[b], rel=0.03)
        assert np.mean(under_way - 1 < stock[b]) == pytest.approx(found.fill_rate[b], abs=0.03)


def test_a_depot_that_always_has_one_leaves_the_way_and_own_repair() -> None:
    found = metric([2.0, 0.0], 1, 200, 1.0, order=0.25, repair=0.5, repaired_here=0.4)
    assert found.pipeline == pytest.approx([2.0 * (0.4 * 0.5 + 0.6 * 0.25), 0.0])
    assert found.fill_rate == pytest.approx([exp(-found.pipeline[0]), 1.0])


def test_spares_of_a_forecast_are_its_predictive_quantile() -> None:
    rates = np.linspace(5e-4, 3e-3, 50)
    drawn = tuple((lambda x, g, r=r: r * x + 0 * g) for r in rates)
    found = forecast(Fleet.of(0.0, 400, 10.0), Lives(lambda x, g: 1.5e-3 * x, drawn), 6, renewed=True)
    s = needed(found, 0.95)
    mixed = [np.mean([poisson.cdf(y, 400 * r * 60) for r in rates]) for y in (s - 1, s)]
    assert mixed[0] < 0.95 + 0.003
    assert mixed[1] >= 0.95 - 0.003
    assert s > spares(0.95, float(found.all_cumulative.expected[-1]))
    mean, variance = turnaround(found, 2.0)
    assert mean == pytest.approx(400 * rates.mean() * 20, rel=1e-4)
    assert variance == pytest.approx(mean + (400 * 20) ** 2 * rates.var(), rel=1e-2)


def test_exact_counts_are_those_of_all_outcomes() -> None:
    p = np.array([0.1, 0.5, 0.9])
    q = 1 - p
    assert counts.exactly(p) == pytest.approx(
        [
            q.prod(),
            p[0] * q[1] * q[2] + q[0] * p[1] * q[2] + q[0] * q[1] * p[2],
            p[0] * p[1] * q[2] + p[0] * q[1] * p[2] + q[0] * p[1] * p[2],
            p.prod(),
        ]
    )


@pytest.mark.parametrize(
    ("units", "most", "out"), [(3, 0.3, 0.003), (20, 0.3, 0.003), (32, 1.0, 0.04), (300, 1.0, 0.04)]
)
def test_two_moments_are_as_good_as_said(units: int, most: float, out: float) -> None:
    rng = np.random.default_rng(units)
    for _ in range(40):
        p = rng.beta(rng.uniform(0.2, 3), rng.uniform(0.2, 3), units) * most
        exact = counts.exactly(p).cumsum()[:-1]
        found = counts.chance(np.arange(units), p.sum(), (p * (1 - p)).sum())
        assert np.abs(found - exact).max() < out
