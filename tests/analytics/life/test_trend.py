"""Trend tests and changes against published examples, simulation and brute force."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, kstest

from analytics.life import trend
from analytics.life.growth import Observed, fit, observed
from chaingraph.errors import ChaingraphError
from tests.analytics.life.test_growth import TIMES, printed, three
from tests.analytics.published import examples

OTHERS = examples("others")
INSURANCE = OTHERS["trend-gustin2011-catastrophes"]["data"]
MINES = OTHERS["changepoint-coal-disasters"]["data"]["count"]


def by_name(data: Observed) -> dict[str, trend.Trend]:
    return {each.name: each for each in trend.tests(data)}


def test_three_pooled_systems() -> None:
    found = by_name(three("trend-crow1975-laplace-milhdbk"))
    assert found["laplace"].statistic == printed(-3.012036, 6)
    assert found["laplace"].p == printed(0.002595015, 9)
    assert (found["military"].statistic, found["military"].degrees) == (printed(117.0092, 4), 72)
    assert found["military"].p == printed(0.001269251, 9)
    assert found["anderson_darling"].statistic == printed(5.498379, 6)
    assert found["anderson_darling"].p == pytest.approx(0.001663774, abs=5e-6)  # printed by an approximation in R


def insurance(name: str, termination: Any) -> Observed:
    return observed(INSURANCE[name], INSURANCE["end"] if termination == "time" else None, termination)


@pytest.mark.parametrize(
    ("name", "termination", "laplace", "anderson", "digits", "lewis"),
    [
        ("costs", "time", 4.37, 11.5, 1, 3.16),
        ("costs", "failure", 4.16, 9.99, 2, 3.0),
        ("victims", "time", 0.18, 1.27, 2, None),
        ("victims", "failure", -0.06, 0.89, 2, None),
    ],
)
def test_catastrophes_by_costs_and_victims(
    name: str, termination: Any, laplace: float, anderson: float, digits: int, lewis: float | None
) -> None:
    found = by_name(insurance(name, termination))
    assert found["laplace"].statistic == printed(laplace, 2)
    assert found["anderson_darling"].statistic == printed(anderson, digits)
    if lewis is not None:
        assert found["lewis_robinson"].statistic == printed(lewis, 2)


def test_the_thesis_counts_equal_gaps_as_no_pair_in_mann_s_test() -> None:
    for name, value in (("costs", -2.91), ("victims", -0.26)):
        gaps = np.diff(INSURANCE[name], prepend=0) - 1e-9 * np.arange(len(INSURANCE[name]))
        found = trend.mann(observed(np.cumsum(gaps), None, "failure"))
        assert found is not None
        assert found.statistic == printed(value, 2)


def test_mann_s_is_kendall_s() -> None:
    gaps = np.random.default_rng(4).integers(1, 9, 30)
    found = trend.mann(observed(np.cumsum(gaps), None, "failure"))
    assert found is not None
    assert found.p == pytest.approx(kendalltau(np.arange(30), gaps, method="asymptotic").pvalue, rel=1e-9)


def test_30_times_between_failures() -> None:
    example = OTHERS["trend-modarres-example-5-11"]
    data = observed(np.cumsum(example["data"]["times_between_failures"]), None, "failure")
    want = {each["quantity"]: each["value_full"] for each in example["expected"]}
    found = trend.laplace(data)
    assert found is not None
    assert found.statistic == pytest.approx(want["Laplace U"], rel=1e-12)
    assert (fit(data).beta, fit(data).scale) == pytest.approx((want["beta"], want["lambda"]), rel=1e-9)


def test_critical_values_of_anderson_and_darling() -> None:
    """Lewis, Annals of Mathematical Statistics 32, 1961: 1.933, 2.492, 3.857 for 10, 5 and 1 %."""
    for value, share in ((1.933, 0.10), (2.492, 0.05), (3.857, 0.01)):
        assert 1 - trend._anderson(value) == pytest.approx(share, abs=3e-4)


def test_p_values_are_uniform_where_there_is_no_trend() -> None:
    rng = np.random.default_rng(6)
    p: dict[str, list[float]] = {}
    for _ in range(300):
        ends = np.array([50.0, 80.0])
        counts = rng.poisson(0.4 * ends)
        system = np.repeat([0, 1], counts)
        found = by_name(observed(ends[system] * rng.random(len(system)), ends, "time", system))
        for name, each in found.items():
            p.setdefault(name, []).append(each.p)
    assert set(p) == {"laplace", "military", "anderson_darling", "lewis_robinson", "mann"}
    for name, values in p.items():
        assert kstest(values, "uniform").pvalue > 0.005, name


@given(TIMES, st.floats(1e-6, 1e6), st.sampled_from(["time", "failure"]))
def test_the_unit_of_time_does_not_matter(times: list[float], unit: float, termination: Any) -> None:
    one = observed(times, 1.0 if termination == "time" else None, termination)
    other = observed(np.array(times) * unit, unit if termination == "time" else None, termination)
    ours, theirs = by_name(one), by_name(other)
    for name in ("laplace", "military", "anderson_darling"):
        assert theirs[name].statistic == pytest.approx(ours[name].statistic, rel=1e-6, abs=1e-8)


def test_nothing_is_said_of_nothing() -> None:
    assert trend.tests(observed([], 10)) == ()
    assert trend.tests(observed([4], None, "failure")) == ()
    assert [each.name for each in trend.tests(observed([4], 10))] == ["laplace", "military", "anderson_darling"]
    assert trend.change_point([1, 2, 3], 10) is None
    assert trend.change_in_counts([1, 1], [1, 1]) is None
    assert trend.change_in_counts([9], [1]) is None


def test_disasters_in_coal_mines() -> None:
    found = trend.change_in_counts(MINES, np.ones(len(MINES)))
    assert found is not None
    assert (found.at.value, found.before, found.after) == (41, 127, 64)
    assert found.before / found.exposure_before == pytest.approx(3.097561, abs=1e-6)
    assert found.p < 0.001
    weight = trend.posterior(MINES, np.ones(len(MINES)))
    # The source's own sampler counts years from 0, and has a prior of the rates' scale, too.
    assert weight @ np.arange(len(MINES) - 1) == pytest.approx(38.761, abs=0.3)


def test_the_scan_is_the_greatest_of_all_places() -> None:
    rng = np.random.default_rng(9)
    u = np.sort(rng.random(17))
    found = trend.change_point(u, 1.0, draws=500)
    assert found is not None
    place = np.linspace(trend.EDGE, 1 - trend.EDGE, 200_001)
    k, n = np.searchsorted(u, place, side="right"), len(u)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(k > 0, k * np.log(k / (n * place)), 0) + np.where(
            k < n, (n - k) * np.log((n - k) / (n * (1 - place))), 0
        )
    assert found.statistic == pytest.approx(2 * ratio.max(), abs=1e-3)
    assert found.at.value == pytest.approx(place[ratio.argmax()], abs=1e-4)
    assert found.before + found.after == n


def test_a_change_is_found_and_chance_is_not() -> None:
    rng = np.random.default_rng(11)
    times = np.concatenate([60 * rng.random(60), 60 + 40 * rng.random(10)])
    found = trend.change_point(times, 100.0)
    assert found is not None
    assert found.p < 0.01
    assert found.at.low <= 60 <= found.at.high
    assert found.before / found.exposure_before > 2 * found.after / found.exposure_after
    p = [change.p for _ in range(150) if (change := trend.change_point(rng.random(20), 1.0, draws=400)) is not None]
    assert kstest(p, "uniform").pvalue > 0.005
    cells = rng.exponential(size=12)
    p = [
        c.p
        for _ in range(150)
        if (c := trend.change_in_counts(rng.multinomial(40, cells / cells.sum()), cells, draws=400))
    ]
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.07)


def test_growth_alone_is_no_change_of_growth() -> None:
    rng = np.random.default_rng(12)
    data = observed(1000 * rng.random(80) ** (1 / 0.5), 1000)
    raw, level = trend.change_point(data.time, 1000.0), trend.without_growth(data)
    assert raw is not None
    assert raw.p < 0.01
    assert level is not None
    steady = trend.change_point(level, 1.0)
    assert steady is not None
    assert steady.p > 0.1


def test_a_known_change_has_its_step_and_the_rest_is_growth() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    found = trend.known_change(observed([1, 2], 3), 1.5)
    for _ in range(200):
        n = rng.poisson(1.5 * 200**0.7)
        times = 200 * rng.random(n) ** (1 / 0.7)
        times = times[(times <= 80) | (rng.random(n) < 0.5)]
        found = trend.known_change(observed(times, 200), 80)
        inside += found.step.low <= 0.5 <= found.step.high
    assert 0.85 <= inside / 200 <= 0.96
    assert found.before.end == 80
    assert (found.after.start[0], found.after.until[0]) == (80, 200)


def test_no_failure_after_a_change_still_has_a_bound() -> None:
    found = trend.known_change(observed([1, 5, 9, 14, 22, 30, 33, 41], 100), 50)
    assert (found.rates.value, found.step.value) == (0, 0)
    assert 0 < found.rates.high < 1
    assert found.step.high > 0
    nothing = trend.known_change(observed([], 100), 50)
    assert np.isnan(nothing.step.value)
    assert nothing.p == 1
    with pytest.raises(ChaingraphError) as refused:
        trend.known_change(observed([1, 2], 100), 100)
    assert refused.value.code == "growth.change_outside"
