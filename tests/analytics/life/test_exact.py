"""Exact intervals against standards, handbooks, and the distributions that they come from."""

import numpy as np
import pytest
from scipy.stats import binom, poisson

from analytics.life.exact import (
    ZERO_FAILURES,
    exponential_mean,
    exponential_rate,
    success_share,
    weibayes,
    zero_failure_figure,
)
from analytics.life.rows import ready
from tests.analytics.life.records import published
from tests.analytics.published import examples


def test_mtbf_after_a_fixed_time_test_accepted_and_rejected() -> None:
    """A practice page on GJB 899 plans. Its factors are those of 90 % at each end, which is 80 % for both; the last
    digit is cut off, not rounded.
    """
    accepted, rejected = exponential_mean(7, 920, 0.8), exponential_mean(7, 820, 0.8, "failure")
    assert [accepted.value[0], accepted.low[0], accepted.high[0]] == pytest.approx([131.4, 78.2, 236.2], abs=0.1)
    assert [rejected.value[0], rejected.low[0], rejected.high[0]] == pytest.approx([117.1, 77.8, 210.5], abs=0.1)
    assert accepted.low[0] / accepted.value[0] == pytest.approx(0.5946, abs=1e-4)
    assert accepted.high[0] / accepted.value[0] == pytest.approx(1.797, abs=5e-4)
    assert rejected.low[0] / rejected.value[0] == pytest.approx(0.6646, abs=1e-4)


def test_lower_bounds_of_an_mtbf() -> None:
    """The test planner of the `reliability` package, and Nelson 1982, p. 255."""
    assert exponential_mean(7, 19520, 0.8).low[0] == pytest.approx(1658.3248534993454, rel=1e-9)
    assert exponential_mean(6, 10000, 0.6).low[0] == pytest.approx(1101.8815940201118, rel=1e-9)
    assert np.exp(-60 / exponential_mean(10, 60973, 0.8, "failure").low[0]) == pytest.approx(0.98612, abs=5e-6)


def test_ends_are_where_so_many_failures_become_unlikely() -> None:
    failures = np.array([1, 2, 5, 40])
    found = exponential_rate(failures, 1000.0)
    assert poisson.sf(failures - 1, 1000 * found.low) == pytest.approx(0.05)
    assert poisson.cdf(failures, 1000 * found.high) == pytest.approx(0.05)


def test_no_failure_has_one_end_and_a_figure_that_is_a_convention() -> None:
    rate, mean = exponential_rate(0, 500), exponential_mean(0, 500)
    assert rate.high[0] == pytest.approx(-np.log(0.05) / 500)
    assert mean.low[0] == pytest.approx(500 / 2.9957, rel=1e-4)
    assert np.isnan([rate.low[0], rate.se[0], mean.value[0], mean.high[0]]).all()
    said = examples("others")["zero-failure-gb-machine-tools"]["expected"][0]["value"]
    assert zero_failure_figure(500) == said * 500
    assert "GB/T 23567" in ZERO_FAILURES.zh
    assert "not an estimate" in ZERO_FAILURES.en


def test_no_exposure_tells_nothing() -> None:
    found = exponential_rate([0, 3], [0.0, 0.0])
    assert np.isnan([found.value, found.low, found.high]).all()


def test_weibayes_of_the_air_seals() -> None:
    """Govan's companion guide, section 3.10.1: eta 88.84 with the shape 2."""
    found = weibayes(published("weibayes-airseal"), 2.0)
    assert found.value[0] == pytest.approx(88.84, abs=5e-3)
    assert found.low[0] < 88.84 < found.high[0]


def test_weibayes_without_a_failure() -> None:
    """The B2 life shown by 62 units that ran 62 million hours each, shape 2, at 95 %."""
    found = weibayes(ready([62e6], [0], count=62), 2.0, 0.9)
    assert found.low[0] * (-np.log(0.98)) ** 0.5 == pytest.approx(40090439.86038491, rel=1e-12)
    assert np.isnan([found.value[0], found.high[0]]).all()


def test_weibayes_of_shape_one_is_the_mean() -> None:
    data = ready([10.0, 20, 30, 5, 6], [1, 0, 1, 0, 0], group=[0, 0, 0, 1, 1], groups=3)
    found, mean = weibayes(data, 1.0), exponential_mean([2, 0, 0], [60, 11, 0])
    np.testing.assert_allclose(
        [found.value, found.se, found.low, found.high], [mean.value, mean.se, mean.low, mean.high]
    )


def test_success_runs_and_one_failure() -> None:
    """ReliaSoft's test design chapter (0.6898), and 59 units of RePyability's documentation (0.9505)."""
    assert success_share(11, 1, 0.8).low[0] == pytest.approx(0.6898, abs=5e-5)
    run = success_share(59)
    assert run.low[0] == pytest.approx(0.9505, abs=5e-5)
    assert run.value[0] == 1
    assert np.isnan(run.high[0])


def test_shares_are_bounded_where_so_many_survivors_become_unlikely() -> None:
    units, failures = np.array([5, 20, 300]), np.array([1, 7, 12])
    found = success_share(units, failures)
    assert binom.cdf(failures, units, 1 - found.low) == pytest.approx(0.05)
    assert binom.sf(failures - 1, units, 1 - found.high) == pytest.approx(0.05)
    lost = success_share([4, 0], [4, 0])
    assert np.isnan([lost.low[0], lost.low[1], lost.high[1], lost.value[1]]).all()
    assert lost.high[0] == pytest.approx(1 - 0.05**0.25)
