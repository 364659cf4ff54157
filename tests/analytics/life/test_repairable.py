"""MTBF, MTTR and availability against published examples and simulation."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, poisson, t

from analytics.life import repairable as rep
from tests.analytics.life.test_growth import printed
from tests.analytics.published import examples


def test_a_fixed_time_test_accepted_and_rejected() -> None:
    """The printed factors are chi-square quantiles at 0.1 and 0.9: each limit holds by itself at 90 %."""
    example = examples("others")["exact-gjb-fixed-time-mtbf-intervals"]
    accept, reject = example["data"]["accept"], example["data"]["reject"]
    found = rep.mtbf(accept["T"], accept["r"], "time", 0.8)
    assert tuple(found) == pytest.approx((131.4, 78.2, 236.2), abs=0.06)
    assert found.low / found.value == pytest.approx(0.5946, abs=1e-4)
    assert found.high / found.value == printed(1.797, 3)
    found = rep.mtbf(reject["T"], reject["r"], "failure", 0.8)
    assert tuple(found) == pytest.approx((117.1, 77.8, 210.5), abs=0.06)  # printed are products of rounded ones
    assert found.low / found.value == printed(0.6646, 4)


def test_no_failure_has_a_low_end_alone() -> None:
    found = rep.mtbf(1000, 0)
    assert math.isnan(found.value)
    assert math.isnan(found.high)
    assert found.low == pytest.approx(1000 / -math.log(0.05))
    assert all(map(math.isnan, rep.mtbf(0, 0)))


@given(st.integers(1, 300), st.floats(0.5, 0.99))
def test_bounds_of_a_count_are_where_the_tails_are(count: int, level: float) -> None:
    found = rep.count_mean(count, "time", level)
    assert poisson.sf(count - 1, found.low) == pytest.approx((1 - level) / 2, rel=1e-6)
    assert poisson.cdf(count, found.high) == pytest.approx((1 - level) / 2, rel=1e-6)


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_ratio_of_rates_is_the_exact_binomial_test(before: int, after: int, long: float, later: float) -> None:
    found, p = rep.rate_ratio(before, long, after, later)
    if before + after == 0:
        assert math.isnan(found.value)
        return
    share = later / (long + later)
    exact = binomtest(after, before + after, share)
    assert p == pytest.approx(
        min(1.0, 2 * min(binomtest(after, before + after, share, tail).pvalue for tail in ("less", "greater"))),
        rel=1e-6,
    )
    ends = exact.proportion_ci(0.9, "exact")
    assert found.low == pytest.approx(ends.low / (1 - ends.low) * long / later, rel=1e-6)
    if before:
        assert found.value == pytest.approx((after / later) / (before / long))
        assert found.high == pytest.approx(ends.high / (1 - ends.high) * long / later, rel=1e-6)
    else:
        assert math.isnan(found.high)


def test_availability_of_a_system_that_failed_once_and_ten_times() -> None:
    """Trivedi, Probability and Statistics with Reliability, Queuing and Computer Science Applications, 2002, example
    10.27: 999 h up and 1 h down once, and 9990 h and 10 h ten times: at 95 %, (0.9624, 1) and (0.9975, 0.9996).
    """
    once = rep.availability(999, 1, 1, 1, "failure", 0.95)
    assert once.value == pytest.approx(0.999)
    assert once.low == printed(0.9624, 4)
    assert once.high == pytest.approx(1, abs=5e-5)
    ten = rep.availability(9990, 10, 10, 10, "failure", 0.95)
    assert ten[1:] == (printed(0.9975, 4), printed(0.9996, 4))


def test_availability_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    true, runs = 100 / 104, 2000
    up = rng.exponential(100, (runs, 6)).sum(axis=1)
    down = rng.exponential(4, (runs, 6)).sum(axis=1)
    found = [rep.availability(u, 6, d, 6, "failure", 0.8) for u, d in zip(up, down, strict=True)]
    assert np.mean([f.low <= true <= f.high for f in found]) == pytest.approx(0.8, abs=0.03)
    fixed = []
    for _ in range(runs):
        failures = int(rng.poisson(600 / 100))
        repairs = rng.exponential(4, failures)
        answer = rep.availability(600, failures, repairs.sum(), failures, "time", 0.8)
        fixed.append(not failures or answer.low <= true)
    assert np.mean(fixed) > 0.88


def test_times_to_repair_of_an_airborne_transceiver() -> None:
    """The 46 repair times of MIL-HDBK-338B, section 5.6.2.1 (Von Alven 1964), with the estimates printed there:
    mean of the logarithms 0.65843, standard deviation 1.11435, median 1.932 h, mean 3.595 h.
    """
    times = {
        0.2: 1, 0.3: 1, 0.5: 4, 0.6: 2, 0.7: 3, 0.8: 2, 1.0: 4, 1.1: 1, 1.3: 1, 1.5: 4, 2.0: 2, 2.2: 1, 2.5: 1, 2.7: 1,
        3.0: 2, 3.3: 2, 4.0: 2, 4.5: 1, 4.7: 1, 5.0: 1, 5.4: 1, 5.5: 1, 7.0: 1, 7.5: 1, 8.8: 1, 9.0: 1, 10.3: 1,
        22.0: 1, 24.5: 1,
    }  # fmt: skip
    found = rep.durations(list(times), list(times.values()))
    assert found.count == 46
    assert found.median.value == printed(1.932, 3)
    assert found.lognormal_mean.value == pytest.approx(3.595, abs=0.002)
    assert found.mean.value == pytest.approx(found.total / 46)


def test_the_lognormal_mean_is_covered() -> None:
    rng = np.random.default_rng(3)
    true = math.exp(1 + 0.8**2 / 2)
    for size, within in ((8, 0.04), (30, 0.03)):
        draws = [rep.durations(rng.lognormal(1, 0.8, size)).lognormal_mean for _ in range(1500)]
        assert np.mean([f.low <= true <= f.high for f in draws]) == pytest.approx(0.9, abs=within)


def test_plain_mean_is_student_s() -> None:
    x = np.array([2.0, 3, 5, 9])
    found = rep.durations(x)
    half = t.ppf(0.95, 3) * x.std(ddof=1) / 2
    assert found.mean == pytest.approx((x.mean(), x.mean() - half, x.mean() + half))
    assert rep.durations([2, 3, 5], [1, 1, 2]).mean == pytest.approx(rep.durations([2, 3, 5, 5]).mean)
    assert rep.durations([math.nan, 0, -1]).count == 0
    alone = rep.durations([4.0])
    assert alone.mean.value == 4
    assert math.isnan(alone.mean.low)


def records(**more: list[object]) -> pl.DataFrame:
    columns: dict[str, list[object]] = {
        "entry": [0.0, 0.0, 0.0, 100.0],
        "age": [300.0, 500.0, 700.0, 1100.0],
        "count": [1, 1, 1, 5],
        "failed": [True, True, True, False],
        "relevant": [True, True, False, True],
        "repair_hours": [2.0, 4.0, 100.0, None],
        "downtime_hours": [20.0, None, 200.0, None],
    }
    return pl.DataFrame({**columns, **more})


def test_relevant_and_other_failures_are_kept_apart() -> None:
    found = rep.repairable(records())
    assert (found.failures, found.others, found.hours) == (2, 1, 6500)
    assert found.mtbf.value == 3250
    assert found.mtbf_all.value == pytest.approx(6500 / 3)
    assert found.repair.mean.value == 3
    assert found.down.mean.value == 110
    assert found.inherent.value == pytest.approx(3250 / 3253)
    assert found.operational.value == pytest.approx((6500 / 3) / (6500 / 3 + 110))
    assert found.operational.low < found.operational.value < found.operational.high < 1


def test_ages_that_are_no_hours_and_records_without_repairs_give_no_availability() -> None:
    assert all(map(math.isnan, rep.repairable(records(), in_hours=False).inherent))
    bare = rep.repairable(records(repair_hours=[None] * 4, downtime_hours=[None] * 4))
    assert all(map(math.isnan, (*bare.inherent, *bare.operational)))
    empty = rep.repairable(records().clear())
    assert (empty.failures, empty.hours) == (0, 0)
    assert math.isnan(empty.mtbf.low)
