"""Totals of periods as evidence for a rate: sums, a trend, scatter, and rows that an exponential life reads rightly."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest, norm

from analytics.life.frames import grouped
from analytics.life.rows import exposed
from analytics.life.totals import CODES, evidence, life_rows


def test_sums_by_group_and_no_verdict_on_a_single_period() -> None:
    found = evidence([3, 4, 0, 5], [100, 100, 50, 0], [0, 1, 0, 1], [0, 0, 2, 2], 3)
    assert found.failures.tolist() == [7, 0, 0]
    assert found.exposure.tolist() == [200, 0, 50]
    assert found.periods.tolist() == [2, 0, 1]
    assert np.isnan(found.trend[1:]).all()
    assert np.isnan(found.dispersion_p[1:]).all()
    assert found.codes(0) == found.codes(1) == ["exponential_only"]


def test_scatter_is_pearsons() -> None:
    failures, exposure = np.array([3.0, 9, 4, 1, 8]), np.array([10.0, 20, 15, 8, 12])
    found = evidence(failures, exposure, np.arange(5))
    expected = chisquare(failures, failures.sum() * exposure / exposure.sum())
    np.testing.assert_allclose(found.dispersion, expected.statistic / 4)
    np.testing.assert_allclose(found.dispersion_p, expected.pvalue)


def test_trend_is_the_score_of_the_likelihood() -> None:
    n, v, t = np.array([3.0, 9, 4, 1, 8]), np.array([10.0, 20, 15, 8, 12]), np.array([0.0, 1, 2, 4, 5])

    def log_likelihood(b: float) -> float:
        """Of the counts given their sum, at a rate that goes with exp(b t)."""
        weight = v * np.exp(b * t)
        return float(np.sum(n * np.log(weight / weight.sum())))

    step = 1e-4
    score = (log_likelihood(step) - log_likelihood(-step)) / (2 * step)
    curved = -(log_likelihood(step) - 2 * log_likelihood(0) + log_likelihood(-step)) / step**2
    found = evidence(n, v, t)
    np.testing.assert_allclose(found.trend, score / np.sqrt(curved), rtol=1e-5)
    np.testing.assert_allclose(found.trend_p, 2 * norm.sf(abs(found.trend)))


def test_under_a_constant_rate_the_verdicts_are_right_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    groups, periods = 4000, 12
    exposure = np.tile(rng.uniform(50, 150, periods), groups)
    group, time = np.repeat(np.arange(groups), periods), np.tile(np.arange(periods), groups)
    found = evidence(rng.poisson(0.1 * exposure), exposure, time, group)
    assert kstest(found.trend, "norm").pvalue > 0.01
    assert abs((found.trend_p < 0.05).mean() - 0.05) < 0.01
    assert abs((found.dispersion_p < 0.05).mean() - 0.05) < 0.012
    rising = evidence(rng.poisson(0.1 * exposure * (1 + time / 6)), exposure, time, group)
    assert (rising.trend > 0).mean() > 0.99
    assert "rate_not_constant" in rising.codes(0)
    scattered = evidence(rng.poisson(0.1 * exposure * rng.gamma(2, 0.5, len(exposure))), exposure, time, group)
    assert np.median(scattered.dispersion) > 2
    assert set(scattered.codes(0)) | set(rising.codes(0)) <= CODES.keys()


@given(
    st.lists(st.tuples(st.none() | st.integers(1, 50), st.floats(1, 1e6), st.integers(0, 80)), min_size=1, max_size=20)
)
def test_rows_have_the_exposure_and_the_failures_of_the_totals(totals: list[tuple[int | None, float, int]]) -> None:
    frame = pl.DataFrame(
        totals, schema={"units": pl.Int64, "age": pl.Float64, "failures": pl.Int64}, orient="row"
    ).with_columns(group=pl.lit("A"))
    rows = life_rows(frame)
    data, _ = grouped(rows, ["group"])
    exposure, oldest = exposed(data, np.ones(1))
    expected = frame["units"].fill_null(1).to_numpy() @ frame["age"].to_numpy()
    np.testing.assert_allclose(exposure * oldest, [expected])
    assert data.sums(data.count * (data.event == 1)).sum() == frame["failures"].sum()
