"""Rank regression against what other programs print, and Johnson's ranks by his recursion."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta as beta_distribution

from analytics.life import quantities
from analytics.life.distribution import Status
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit, log_likelihood
from analytics.life.quantities import wald
from analytics.life.ranks import PAPERS, points, rank_fits, regress
from analytics.life.rows import LifeRows, ready
from tests.analytics.life.records import FITS, published, rows_of, weibull_samples


def test_air_seals() -> None:
    """Govan's companion guide (WeibullR), with and without the suspensions: one batch."""
    data = FITS["weibull-airseal-rrx"]["data"]
    rows = rows_of(data["censored"], data["complete"])
    found, log = regress("weibull", rows), regress("lognormal", rows)
    assert found.parameters[:, 0] == pytest.approx([94.93, 2.033], abs=5e-3)
    assert found.parameters[1, 0] == pytest.approx(2.033, abs=5e-4)
    assert found.parameters[:, 1] == pytest.approx([79.79, 2.168], abs=5e-3)
    assert found.r_squared == pytest.approx([0.9531, 0.931], abs=5e-5)
    assert log.parameters[:, 0] == pytest.approx([4.337, 0.6479], abs=5e-4)
    assert log.r_squared[0] == pytest.approx(0.9145, abs=5e-5)


def test_seven_and_fifteen_failures() -> None:
    groups = FITS["weibull-companion-guide-sets"]["data"]["groups"]
    rows = rows_of(groups["seven"], groups["fifteen"])
    found, log = regress("weibull", rows), regress("lognormal", rows)
    assert found.parameters[:, 0] == pytest.approx([79.72, 1.36], abs=5e-3)
    assert found.parameters[:, 1] == pytest.approx([8.342, 2.696], abs=5e-4)
    assert found.r_squared == pytest.approx([0.998, 0.9065], abs=5e-4)
    assert log.parameters[:, 1] == pytest.approx([1.922, 0.4618], abs=5e-4)
    assert log.r_squared[1] == pytest.approx(0.9276, abs=5e-5)


def test_eight_lognormal_lives_both_ways() -> None:
    """ReliaSoft: sigma 1.24 with the ages regressed, 1.36 with the ranks."""
    rows = published("lognormal-eight-mle-rrx-rry")
    for axis, sigma in (("x", 1.24), ("y", 1.36)):
        assert regress("lognormal", rows, axis).parameters[:, 0] == pytest.approx([2.83, sigma], abs=5e-3)  # type: ignore[arg-type]


def test_ten_failures_regressed_on_y() -> None:
    """ReliaSoft's benchmark: eta 146.2545, beta 1.1973, rho 0.9999."""
    found = regress("weibull", published("weibull-rry-ten-failures"), "y")
    assert found.parameters[:, 0] == pytest.approx([146.2545, 1.1973], abs=5e-5)
    assert np.sqrt(found.r_squared[0]) == pytest.approx(0.9999, abs=5e-5)


def test_shock_absorbers_with_benards_ranks() -> None:
    """The weibulltools vignette takes (i - 0.3) / (n + 0.4) for the median rank of the adjusted order i."""
    on = points(published("weibull-shock-absorber-rrx"))
    rank = (on.order - 0.3) / (38 + 0.4)
    sigma, mu = np.polyfit(np.log(-np.log1p(-rank)), np.log(on.age), 1)
    assert (mu, sigma) == (pytest.approx(10.2596, abs=5e-5), pytest.approx(0.3632, abs=5e-5))
    assert on.rank == pytest.approx(rank, abs=2e-3)


def test_adjusted_orders_by_johnsons_recursion() -> None:
    rng = np.random.default_rng(4)
    age, failed = rng.integers(1, 15, 40).astype(float), rng.random(40) < 0.5
    order = np.lexsort((~failed, age))
    expected, j = [], 0.0
    for at, unit in enumerate(order):
        if failed[unit]:
            j += (40 + 1 - j) / (1 + 40 - at)
            expected.append(j)
    found = points(ready(age, failed))
    assert found.order == pytest.approx(expected)
    assert found.rank == pytest.approx(beta_distribution.median(found.order, 41 - found.order))


def test_counts_and_other_groups_change_nothing() -> None:
    once = ready([1.0, 2, 5, 7, 3, 9], [1, 1, 0, 1, 1, 1], count=[1, 3, 2, 1, 1, 1], group=[1, 1, 1, 1, 0, 0])
    spelt = ready([1.0, 2, 2, 2, 5, 5, 7], [1, 1, 1, 1, 0, 0, 1])
    assert regress("weibull", once).parameters[:, 1] == pytest.approx(regress("weibull", spelt).parameters[:, 0])


def test_a_row_of_a_billion_units_has_a_thousand_points() -> None:
    many, some = (ready([10.0, 20, 40, 60], [1, 1, 1, 0], count=[n, 2 * n, n, n]) for n in (1e9, 1e3))
    assert len(points(many).age) == 3000
    assert points(many).units.sum() == 4e9
    found, like = regress("weibull", many), regress("weibull", some)
    assert found.parameters[:, 0] == pytest.approx(like.parameters[:, 0], rel=1e-2)
    assert found.r_squared == pytest.approx(like.r_squared, rel=1e-2)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(PAPERS)), st.floats(-8, 8), st.sampled_from(["x", "y"]))
def test_another_unit_of_age_changes_nothing_else(name: str, power: float, axis: Any) -> None:
    data, factor, of = weibull_samples(3, 10, 5, seed=7), 10.0**power, DISTRIBUTIONS[name]
    other = LifeRows(data.age * factor, data.event, data.entry, data.age_to, data.count, data.group, data.groups)
    here, there = regress(name, data, axis), regress(name, other, axis)
    share = np.full(3, 0.2)
    np.testing.assert_allclose(
        of.quantile(share, there.parameters), factor * of.quantile(share, here.parameters), rtol=1e-8
    )
    np.testing.assert_allclose(there.r_squared, here.r_squared, rtol=1e-9)


def test_a_straight_line_is_found_exactly() -> None:
    p = {"exponential": [0.01], "gumbel": [50.0, 4.0], "loglogistic": [90.0, 3.0], "normal": [100.0, 7.0]}
    rank = np.asarray(beta_distribution.median(np.arange(1, 11), np.arange(10, 0, -1)))
    for name, parameters in p.items():
        columns = np.array(parameters)[:, None]
        ages = DISTRIBUTIONS[name].quantile(rank, np.repeat(columns, 10, 1))
        found = regress(name, ready(ages, 1))
        assert found.parameters == pytest.approx(columns)
        assert found.r_squared[0] == pytest.approx(1)


def test_as_a_fit_it_has_the_local_information() -> None:
    """Near the likelihood's maximum the intervals are nearly those there; the likelihood itself is lower."""
    of, data = DISTRIBUTIONS["weibull"], weibull_samples(5, 400, 300, seed=3)
    found = rank_fits(of, data)
    assert found.fitted.all()
    np.testing.assert_allclose(found.log_likelihood, log_likelihood(of, data, found.parameters))
    best, beta = fit(of, data), quantities.parameter(of, "beta")
    assert (found.log_likelihood < best.log_likelihood).all()
    np.testing.assert_allclose(wald(found, beta).se, wald(best, beta).se, rtol=0.25)


def test_groups_without_a_line() -> None:
    data = ready(
        [5.0, 5, 5, 3, 4, 9, 1, 2, 3], [1, 1, 1, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0.5, 0, 0],
        group=[0, 0, 0, 1, 1, 2, 3, 3, 3], groups=5,
    )  # fmt: skip
    found = rank_fits(DISTRIBUTIONS["weibull"], data)
    assert not found.fitted.any()
    assert np.isnan(found.parameters).all()
    assert found.status.tolist() == [
        Status.TOO_FEW, Status.NO_FAILURE, Status.TOO_FEW, Status.NO_MAXIMUM, Status.NO_ROWS
    ]  # fmt: skip


def test_other_distributions_are_refused() -> None:
    with pytest.raises(ValueError, match="Rank regression does not fit gamma"):
        regress("gamma", ready([1.0, 2], 1))
