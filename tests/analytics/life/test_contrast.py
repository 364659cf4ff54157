"""Tests between samples against printed statistics, another program, and the chance of a false alarm."""

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import CensoredData, logrank

from analytics.life.contrast import Weight, holm, likelihood_ratio, log_rank, shape_ratio
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit, log_likelihood
from analytics.life.rows import Event, Ints, LifeRows, ready
from tests.analytics.published import examples

OTHERS = examples("others")


def two(name: str, age: str = "age", by: str = "group") -> tuple[LifeRows, Ints]:
    """The lives of an example as one comparison, and their samples in the order of their names."""
    data: dict[str, Any] = OTHERS[name]["data"]
    sample = np.unique(data[by], return_inverse=True)[1].astype(np.int64)
    event = [Event[e.upper()] if isinstance(e, str) else Event(int(e)) for e in data["event"]]
    rows = ready(data[age], event)
    assert len(rows.age) == len(sample)
    return rows, sample


def printed(name: str, quantity: str) -> dict[str, Any]:
    """What an example prints."""
    found: dict[str, Any] = next(e for e in OTHERS[name]["expected"] if e["quantity"] == quantity)
    return found


def test_millers_leukaemia() -> None:
    found = log_rank(*two("compare-aml-miller"))
    wanted = printed("compare-aml-miller", "log-rank chi-square")
    assert found.statistic[0] == pytest.approx(wanted["value"], abs=0.05)
    assert found.p[0] == pytest.approx(wanted["p"], abs=5e-3)
    np.testing.assert_array_equal(found.observed[0], wanted["observed"])
    np.testing.assert_allclose(found.expected[0], wanted["expected"], atol=5.01e-3)


def test_ovarian() -> None:
    found = log_rank(*two("compare-ovarian-logrank", by="rx"))
    np.testing.assert_allclose(found.expected[0], [5.23, 6.77], atol=5.01e-3)
    o_e = (found.observed - found.expected)[0] ** 2 / found.expected[0]
    np.testing.assert_allclose(o_e, [0.596, 0.461], atol=5.01e-4)
    assert (found.statistic[0], found.p[0]) == pytest.approx((1.063, 0.303), abs=5.01e-4)


def test_lymphoma() -> None:
    found = log_rank(*two("compare-lymphoma-logrank", age="time"))
    assert found.statistic[0] == pytest.approx(6.70971, abs=5.01e-6)
    assert found.p[0] == pytest.approx(0.0096, abs=5e-5)


def test_glioma() -> None:
    wanted = printed("km-g3-loglog-bands", "log-rank p")["value"]
    assert log_rank(*two("km-g3-loglog-bands")).p[0] == pytest.approx(wanted, abs=5e-5)


@pytest.mark.parametrize(
    ("weight", "quantity", "half"),
    [
        ("log-rank", "log-rank chi-square", 5e-2),
        ("gehan", "Wilcoxon (Breslow-Gehan) chi-square", 5.01e-7),
        ("tarone-ware", "Tarone-Ware chi-square", 5.01e-7),
        ("peto", "Peto (Peto-Prentice weights) chi-square", 1e-6),  # cut, not rounded, in print
    ],
)
def test_freireichs_remissions_by_every_weight(weight: str, quantity: str, half: float) -> None:
    name = "compare-freireich-weighted-logrank"
    found = log_rank(*two(name), weight=cast(Weight, weight))
    wanted = printed(name, quantity)
    assert found.statistic[0] == pytest.approx(wanted["value"], abs=half)
    if "p" in wanted:
        assert found.p[0] == pytest.approx(wanted["p"], rel=2e-3)


def test_fleming_harrington_with_powers_of_nothing_is_the_log_rank() -> None:
    rows, sample = two("compare-freireich-weighted-logrank")
    plain = log_rank(rows, sample)
    same = log_rank(rows, sample, weight="fleming-harrington", power=(0, 0))
    assert same.statistic[0] == pytest.approx(plain.statistic[0], rel=1e-12)
    late = log_rank(rows, sample, weight="fleming-harrington", power=(0, 1))
    early = log_rank(rows, sample, weight="fleming-harrington", power=(1, 0))
    assert late.statistic[0] != pytest.approx(early.statistic[0], rel=1e-3)


def test_scipy_has_the_same_statistic() -> None:
    rng = np.random.default_rng(4)
    age, failed, sample = rng.integers(1, 30, 200).astype(float), rng.random(200) < 0.6, rng.integers(0, 2, 200)
    found = log_rank(ready(age, failed.astype(int)), sample)
    x, y = (CensoredData(uncensored=age[m & failed], right=age[m & ~failed]) for m in (sample == 0, sample == 1))
    assert np.sqrt(found.statistic[0]) == pytest.approx(abs(logrank(x, y).statistic), rel=1e-10)
    assert found.p[0] == pytest.approx(logrank(x, y).pvalue, rel=1e-9)


SMALL = st.integers(0, 1)
UNITS = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 8), st.booleans(), st.integers(0, 2), SMALL, SMALL), max_size=40
)


@given(UNITS)
def test_strata_entries_and_samples_are_counted_as_one_would(units: list[tuple[int, int, bool, int, int, int]]) -> None:
    units = [u for u in units if u[1] < u[0]]
    columns = [np.array([u[i] for u in units], int) for i in range(6)]
    age, entry, failed, sample, stratum, group = columns
    found = log_rank(ready(age, failed, entry, group=group, groups=2), sample, stratum)
    k = int(sample.max(initial=-1)) + 1
    for g in range(2):
        score, variance = np.zeros(k), np.zeros((k, k))
        for s in range(2):
            here = (group == g) & (stratum == s)
            for t in np.unique(age[here & (failed == 1)]):
                at_risk = here & (entry < t) & (t <= age)
                n_j = np.bincount(sample[at_risk], minlength=k)
                d_j = np.bincount(sample[at_risk & (age == t) & (failed == 1)], minlength=k)
                n, d = n_j.sum(), d_j.sum()
                score += d_j - d * n_j / n
                if n > 1:
                    variance += d * (n - d) / (n - 1) * (np.diag(n_j / n) - np.outer(n_j, n_j) / n**2)
        np.testing.assert_allclose(found.score[g], score, atol=1e-10)
        np.testing.assert_allclose(found.variance[g], variance, atol=1e-10)
        if found.df[g]:
            assert found.statistic[g] == pytest.approx(score @ np.linalg.pinv(variance, 1e-9) @ score, abs=1e-6)


def test_samples_that_never_meet_have_no_test() -> None:
    found = log_rank(ready([1, 2, 9], [1, 0, 1], [0, 0, 5]), np.array([0, 0, 1]))
    assert (found.df[0], np.isnan(found.statistic[0]), np.isnan(found.p[0])) == (0, True, True)
    nothing = log_rank(ready([], Event.FAILURE, groups=1), np.zeros(0, int))
    assert nothing.df[0] == 0


def test_likelihood_ratios_hold_their_level_and_see_a_difference() -> None:
    """400 comparisons of two samples of 60 that live alike: 10 % have p < 0.1; a shape of 1 for 2 is seen."""
    rng = np.random.default_rng(6)
    runs, n = 400, 60
    group, sample = np.repeat(np.arange(runs), 2 * n), np.tile(np.repeat([0, 1], n), runs)
    life, end = rng.weibull(1.7, len(group)), rng.uniform(0.5, 3, len(group))
    rows = ready(np.minimum(life, end), (life <= end).astype(int), group=group)
    for found, df in ((likelihood_ratio(DISTRIBUTIONS["weibull"], rows, sample), 2), (shape_ratio(rows, sample), 1)):
        assert (found.df == df).all()
        assert 0.065 < (found.p < 0.1).mean() < 0.145
    assert 0.065 < (log_rank(rows, sample).p < 0.1).mean() < 0.135
    life[sample == 1] = rng.weibull(1.0, runs * n)
    other = ready(np.minimum(life, end), (life <= end).astype(int), group=group)
    assert (shape_ratio(other, sample).p < 0.1).mean() > 0.8


def test_a_common_shape_is_the_maximum_that_a_general_optimiser_finds() -> None:
    rng = np.random.default_rng(8)
    sample = rng.integers(0, 3, 120)
    life = rng.weibull(2, 120) * np.array([50.0, 80, 120])[sample]
    event = np.where(rng.random(120) < 0.3, Event.INTERVAL, np.where(life > 100, Event.SUSPENSION, Event.FAILURE))
    low, entry = np.where(event == Event.INTERVAL, np.floor(life / 20) * 20, np.minimum(life, 100)), life * 0.1
    low = np.maximum(low, entry)
    rows = ready(low, event, entry, np.where(event == Event.INTERVAL, np.floor(life / 20) * 20 + 20, np.nan))
    weibull = DISTRIBUTIONS["weibull"]
    own = sum(float(fit(weibull, rows.take(sample == s)).log_likelihood[0]) for s in range(3))

    def common(u: Any) -> float:
        parts = [log_likelihood(weibull, rows.take(sample == s), np.exp([[u[s]], [u[3]]]))[0] for s in range(3)]
        return -float(sum(parts))

    best = minimize(
        common, [4, 4, 4, 0.5], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000}
    )
    found = shape_ratio(rows, sample)
    assert found.df[0] == 2
    assert found.statistic[0] == pytest.approx(2 * (own + best.fun), abs=1e-5)


def test_a_sample_without_failures_is_compared_and_one_with_a_single_failure_has_no_shape() -> None:
    age, event = [3.0, 4, 6, 9, 9, 9, 9], [1, 1, 1, 0, 0, 0, 0]
    none = likelihood_ratio(DISTRIBUTIONS["exponential"], ready(age, event), np.array([0, 0, 0, 0, 1, 1, 1]))
    r, v0, v = 3, 22.0, 49.0
    assert none.statistic[0] == pytest.approx(2 * ((r * np.log(r / v0) - r) - (r * np.log(r / v) - r)), rel=1e-9)
    single = likelihood_ratio(DISTRIBUTIONS["weibull"], ready(age, event), np.array([0, 0, 1, 0, 1, 1, 1]))
    assert np.isnan(single.p[0])


def test_holms_adjustment() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, np.nan, 0.04, 0.03])), [0.03, np.nan, 0.06, 0.06])
