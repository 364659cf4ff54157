"""The multi-sample estimator against its formula in plain Python, simulated truth, and the gamma posterior."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, kstest

from analytics.life.hierarchy import gamma_poisson
from analytics.life.multisample import Spread, multi_sample
from tests.analytics.published import examples

PUMPS = examples("others")["eb-gaver-pumps"]["data"]
SAMPLES = st.lists(st.tuples(st.integers(0, 40), st.floats(0.1, 100)), min_size=2, max_size=8)


def by_hand(n: list[int], t: list[float]) -> tuple[float, float, float]:
    """(mean, spread, moment estimate of the variance) as the handbooks write it."""
    k, theta = len(n), sum(n) / sum(t)
    s1, s2 = sum(t), sum(x * x for x in t)
    v = sum((a - theta * b) ** 2 / b for a, b in zip(n, t, strict=True))
    assert v == pytest.approx(sum(a * a / b for a, b in zip(n, t, strict=True)) - theta**2 * s1)
    moment = (v - (k - 1) * theta) / (s1**2 - s2) * s1
    variance = moment if moment > 0 else sum((a / b - theta) ** 2 for a, b in zip(n, t, strict=True)) / (k - 1)
    w = [1 / (theta / b + variance) for b in t]
    mean = sum(x * a / b for x, a, b in zip(w, n, t, strict=True)) / sum(w)
    return mean, variance**0.5, moment


def test_the_formula_is_the_handbooks() -> None:
    n, t = PUMPS["failures"], PUMPS["exposure"]
    found = multi_sample(n, t)
    mean, spread, moment = by_hand(n, t)
    assert (found.mean.value[0], found.spread[0], found.moment[0]) == pytest.approx((mean, spread, moment), rel=1e-12)
    b = mean / spread**2
    ends = [chi2.ppf(q, 2 * b * mean) / (2 * b) for q in (0.05, 0.95)]
    assert [found.mean.low[0], found.mean.high[0]] == pytest.approx(ends, rel=1e-9)
    assert found.status[0] == Spread.FOUND
    assert found.p_value[0] < 1e-12


def test_moments_and_likelihood_agree_on_the_pumps() -> None:
    n, t = PUMPS["failures"], PUMPS["exposure"]
    moments, likelihood = multi_sample(n, t), gamma_poisson(n, t)
    assert moments.mean.value[0] == pytest.approx(likelihood.mean.value[0], rel=0.05)
    assert moments.spread[0] == pytest.approx(likelihood.spread[0], rel=0.5)


def test_alike_samples_are_one() -> None:
    found = multi_sample([3, 4, 2, 0], [30.0, 35.0, 25.0, 10.0])
    assert found.status[0] == Spread.NOT_FOUND
    assert found.moment[0] < 0
    assert found.p_value[0] > 0.5
    assert found.together.value[0] == pytest.approx(0.09)
    exact = [chi2.ppf(0.05, 18) / 200, chi2.ppf(0.95, 20) / 200]
    assert [found.together.low[0], found.together.high[0]] == pytest.approx(exact)
    assert found.mean.low[0] <= exact[0]
    assert found.mean.high[0] >= exact[1]


def test_what_a_class_does_not_tell_is_said() -> None:
    found = multi_sample([0, 0, 5, 2, 2, np.nan], [10.0, 20.0, 10.0, -1.0, 0.0, 3.0], [0, 0, 1, 2, 2, 2], 4)
    assert found.status.tolist() == [Spread.NO_FAILURE, Spread.ONE_SAMPLE, Spread.NO_ROWS, Spread.NO_ROWS]
    assert found.samples.tolist() == [2, 1, 0, 0]
    assert np.isnan(found.mean.value[[0, 2, 3]]).all()
    assert found.mean.high[0] == pytest.approx(chi2.ppf(0.95, 2) / 60)
    assert (found.mean.value[1], found.mean.high[1]) == pytest.approx((0.5, chi2.ppf(0.95, 12) / 20))
    assert np.isnan(found.spread).all()


def test_truth_is_found_again_in_simulations() -> None:
    rng = np.random.default_rng(3)
    classes, k, mean, spread = 3000, 12, 2.0, 1.2
    time = rng.uniform(1, 20, (classes, k))
    shape = (mean / spread) ** 2
    rate = rng.gamma(shape, mean / shape, (classes, k))
    found = multi_sample(rng.poisson(rate * time).ravel(), time.ravel(), np.repeat(np.arange(classes), k))
    assert np.mean(found.moment) == pytest.approx(spread**2, rel=0.04)  # unbiased
    assert np.mean(found.mean.value) == pytest.approx(mean, rel=0.02)
    new = rng.gamma(shape, mean / shape, classes)
    held = (found.mean.low <= new) & (new <= found.mean.high)
    assert 0.78 < held.mean() < 0.93  # of another sample's rate; theta and sigma being estimates, less than 0.9
    assert (found.p_value < 0.05).mean() > 0.99


def test_the_test_of_homogeneity_has_its_level() -> None:
    rng = np.random.default_rng(4)
    time = rng.uniform(5, 20, (4000, 6))
    found = multi_sample(rng.poisson(time).ravel(), time.ravel(), np.repeat(np.arange(4000), 6))
    assert (found.p_value < 0.05).mean() == pytest.approx(0.05, abs=0.012)
    assert kstest(found.p_value, "uniform").statistic < 0.03


@given(SAMPLES, st.floats(1e-6, 1e6))
def test_time_in_another_unit_scales_the_answer(samples: list[tuple[int, float]], scale: float) -> None:
    n, t = (np.array(each, float) for each in zip(*samples, strict=True))
    one, other = multi_sample(n, t), multi_sample(n, t * scale)
    assert one.status[0] == other.status[0]
    for a, b in (
        (one.mean.value, other.mean.value), (one.spread, other.spread), (one.mean.high, other.mean.high),
        (one.together.low, other.together.low),
    ):  # fmt: skip
        assert b * scale == pytest.approx(a, rel=1e-6, nan_ok=True)


@given(st.lists(SAMPLES, min_size=1, max_size=4), st.randoms())
def test_classes_together_are_classes_alone_in_any_order(
    classes: list[list[tuple[int, float]]], shuffle: object
) -> None:
    rows = [(n, t, at) for at, each in enumerate(classes) for n, t in each]
    shuffle.shuffle(rows)  # type: ignore[attr-defined]
    n, t, of = (np.array(each) for each in zip(*rows, strict=True))
    together = multi_sample(n, t, of)
    for at, each in enumerate(classes):
        mine, times = [n for n, _ in each], [t for _, t in each]
        alone = multi_sample(mine, times)
        assert together.status[at] == alone.status[0]
        assert together.mean.value[at] == pytest.approx(alone.mean.value[0], nan_ok=True)
        assert together.mean.high[at] == pytest.approx(alone.mean.high[0], nan_ok=True)
        if together.status[at] in {Spread.FOUND, Spread.NOT_FOUND}:
            assert together.spread[at] == pytest.approx(by_hand(mine, times)[1], abs=1e-9)
