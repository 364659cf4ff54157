"""Likelihood-ratio intervals against published ones, a brute-force profile, and laws."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from analytics.life import quantities
from analytics.life.curvature import Likelihood, differences
from analytics.life.distribution import Distribution, Quantity
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit, log_likelihood
from analytics.life.likelihood import likelihood_ratio
from analytics.life.quantities import wald
from analytics.life.rows import Floats, LifeRows, ready
from tests.analytics.life.records import published, weibull_samples

WEIBULL, LOGNORMAL = DISTRIBUTIONS["weibull"], DISTRIBUTIONS["lognormal"]
NAN = float("nan")
FALL = 2.705543454095404 / 2
"""Half the 90 % quantile of chi-square with one degree of freedom."""


def mu(of: Distribution) -> Quantity:
    return quantities.parameter(of, "mu")


@pytest.mark.parametrize(
    ("name", "distribution", "quantity", "low", "high", "close"),
    [
        # Meeker and Escobar 1998, example 8.16 (lower end 2094.28 by other programs)
        ("weibull-bearing-cage-lr-b10", "weibull", quantities.b_life, 2094.28, 22144, 0.5),
        # Meeker and Escobar 1998, example 7.1
        ("exponential-berkson-interval-lr", "exponential", quantities.mean, 498, 662, 0.5),
        # EnvStats: egammaCensored, elnormCensored
        ("gamma-manganese-left-censored", "gamma", quantities.mean, 12.25151, 34.35332, 1e-5),
        ("lognormal-manganese-left-censored", "lognormal", quantities.mean, 12.37629, 69.87694, 1e-5),
        ("lognormal-manganese-left-censored", "lognormal", mu, 1.595062, 2.771197, 1e-6),
    ],
)
def test_published_ends(
    name: str, distribution: str, quantity: Callable[[Distribution], Quantity], low: float, high: float, close: float
) -> None:
    of, data = DISTRIBUTIONS[distribution], published(name)
    found = likelihood_ratio(fit(of, data), data, quantity(of), 0.95)
    assert [found.low[0], found.high[0]] == pytest.approx([low, high], abs=close)


def profile(data: LifeRows, best: float, b10: float) -> float:
    """How far the likelihood is above the end's, at its highest over the shape where the B10 life is so much."""

    def loss(log_beta: float) -> float:
        beta = np.exp(log_beta)
        eta = b10 / (-np.log(0.9)) ** (1 / beta)
        return -float(log_likelihood(WEIBULL, data, np.array([[eta], [beta]]))[0])

    top = minimize_scalar(loss, bounds=(-4, 4), method="bounded", options={"xatol": 1e-10})
    return float(FALL - top.fun - best)


def test_b10_lives_against_a_brute_force_profile() -> None:
    """From three failures among thirty units to twelve among fourteen, one batch."""
    for failures, units in ((3, 30), (5, 5), (12, 14)):
        data = weibull_samples(3, units, failures, seed=failures)
        fits = fit(WEIBULL, data)
        found = likelihood_ratio(fits, data, quantities.b_life(WEIBULL))
        for g in range(3):
            mine = data.take(data.group == g)
            mine = LifeRows(mine.age, mine.event, mine.entry, mine.age_to, mine.count, mine.group * 0, 1)
            best = float(fits.log_likelihood[g])
            for end, other in ((found.low[g], 1e-6), (found.high[g], 1e6)):
                there = brentq(lambda x, m=mine, b=best: profile(m, b, x), found.value[g], found.value[g] * other)
                assert end == pytest.approx(there, rel=1e-6)


def test_parameters_fall_by_so_much_and_no_more() -> None:
    """The mean of an exponential in closed form: r (x - 1 - ln x) = 1.353 with x = rate / estimate."""
    of = DISTRIBUTIONS["exponential"]
    data = ready([10.0, 20, 70, 100, 4], [1, 1, 1, 0, 1], group=[0, 0, 0, 0, 1])
    fits = fit(of, data)
    found = likelihood_ratio(fits, data, quantities.parameter(of, "rate"))
    for g, failures in ((0, 3), (1, 1)):
        for end in (found.low[g], found.high[g]):
            x = end / found.value[g]
            assert failures * (x - 1 - np.log(x)) == pytest.approx(FALL, abs=1e-8)
    assert (found.low < found.value).all()
    assert (found.value < found.high).all()


@pytest.mark.parametrize("name", ["weibull", "lognormal", "loglogistic", "normal", "gumbel", "gamma"])
def test_ends_lie_on_the_profile_for_every_distribution(name: str) -> None:
    """At an end the likelihood is down by 1.353, and along the contour the quantity goes no further."""
    of, data = DISTRIBUTIONS[name], weibull_samples(4, 15, 9, seed=5, beta=3)
    fits = fit(of, data)
    for quantity in (quantities.b_life(of), quantities.parameter(of, of.parameters[1].name)):
        found = likelihood_ratio(fits, data, quantity)
        ends = contour(of, fits.parameters, fits.covariance, data, quantity)
        np.testing.assert_allclose([found.low, found.high], ends, rtol=1e-3, atol=1e-3 * (found.high - found.low).max())


def contour(of: Distribution, p: Floats, covariance: Floats, data: LifeRows, quantity: Quantity) -> list[Floats]:
    """Least and greatest quantity on the contour of the likelihood, found ray by ray."""
    centre = quantities.scaled(of, p)
    best = log_likelihood(of, data, p)
    root = np.moveaxis(np.linalg.cholesky(np.moveaxis(covariance, 2, 0)), 0, 2)
    values = []
    for angle in np.linspace(0, 2 * np.pi, 91):
        ray = np.einsum("ijg,j->ig", root, [np.cos(angle), np.sin(angle)])
        near, far = np.zeros(data.groups), np.full(data.groups, 20.0)
        for _ in range(28):
            middle = (near + far) / 2
            inside = log_likelihood(of, data, quantities.natural(of, centre + middle * ray)) > best - FALL
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        values.append(quantity.function(of, quantities.natural(of, centre + near * ray)))
    return [np.min(values, 0), np.max(values, 0)]


def test_reliabilities_keep_their_order_and_limits() -> None:
    data = weibull_samples(30, 20, 4, seed=8)
    fits = fit(WEIBULL, data)
    found = likelihood_ratio(fits, data, quantities.reliability(WEIBULL, 60))
    assert ((found.low >= 0) & (found.low <= found.value) & (found.value < found.high) & (found.high < 1)).all()


def test_a_profile_that_never_falls_has_no_end() -> None:
    """All units of a limited failure population may yet fail: nothing bounds their share from above."""
    of = DISTRIBUTIONS["weibull_lfp"]
    rng = np.random.default_rng(12)
    life = np.where(rng.random(60) < 0.6, 100 * rng.weibull(2.0, 60), np.inf)
    data = ready(np.minimum(life, 130), life <= 130)
    fits = fit(of, data)
    assert fits.fitted.all()
    share = of.parameters[-1]
    found = likelihood_ratio(fits, data, quantities.parameter(of, share.name), 0.9999)
    assert np.isnan(found.high[0])
    assert 0 < found.low[0] < found.value[0]


def test_a_crooked_profile_is_followed_to_its_end() -> None:
    """Units that entered just before they failed tell next to nothing of ages before: low shapes are never excluded.

    With the shape known, eta = (V / r)^(1 / beta), which gives the profile.
    """
    data = ready([4.0, 5, 6], [1, 1, 1], [3.9, 4.9, 5.9])
    fits = fit(WEIBULL, data)
    found = likelihood_ratio(fits, data, quantities.parameter(WEIBULL, "beta"))
    assert np.isnan(found.low[0])

    def fallen(beta: float) -> float:
        v = float(np.sum(data.age**beta - data.entry**beta))
        p = np.array([[(v / 3) ** (1 / beta)], [beta]])
        return float(log_likelihood(WEIBULL, data, p)[0] - fits.log_likelihood[0] + FALL)

    assert found.high[0] == pytest.approx(brentq(fallen, 2, 30), rel=1e-6)


def test_large_samples_agree_with_wald() -> None:
    data = weibull_samples(2, 4000, 3000, seed=2)
    fits = fit(WEIBULL, data)
    for name in ("eta", "beta"):
        quantity = quantities.parameter(WEIBULL, name)
        ratio, wide = likelihood_ratio(fits, data, quantity), wald(fits, quantity)
        np.testing.assert_allclose([ratio.low, ratio.high], [wide.low, wide.high], rtol=1e-3)


def test_other_groups_units_and_counts_change_nothing() -> None:
    data = weibull_samples(6, 12, 4, seed=9)
    quantity = quantities.b_life(WEIBULL)
    together = likelihood_ratio(fit(WEIBULL, data), data, quantity)
    for g in (0, 5):
        mine = data.take(data.group == g)
        alone = likelihood_ratio(fit(WEIBULL, mine), mine, quantity)
        assert [alone.low[g], alone.high[g]] == pytest.approx([together.low[g], together.high[g]], rel=1e-8)
    thousand = LifeRows(
        data.age * 1000, data.event, data.entry, data.age_to, data.count, data.group, data.groups
    )  # fmt: skip
    found = likelihood_ratio(fit(WEIBULL, thousand), thousand, quantity)
    np.testing.assert_allclose([found.low, found.high], [together.low * 1000, together.high * 1000], rtol=1e-6)
    twice = ready(np.r_[data.age, data.age], np.r_[data.event, data.event], group=np.r_[data.group, data.group])
    counted = LifeRows(data.age, data.event, data.entry, data.age_to, 2 * data.count, data.group, data.groups)
    ends = [likelihood_ratio(fit(WEIBULL, each), each, quantity) for each in (twice, counted)]
    np.testing.assert_allclose(ends[0].high, ends[1].high, rtol=1e-8)


def test_groups_without_a_fit_have_no_ends() -> None:
    data = ready([5.0, 6, 9, 4, 4, 7], [1, 1, 1, 0, 0, 1], group=[0, 0, 0, 1, 1, 2], groups=4)
    found = likelihood_ratio(fit(WEIBULL, data), data, quantities.mean(WEIBULL))
    assert np.isfinite(found.low).tolist() == [True, False, False, False]
    nothing = data.take(data.group == 3)
    assert np.isnan(likelihood_ratio(fit(WEIBULL, nothing), nothing, quantities.mean(WEIBULL)).high).all()


def test_the_truth_is_inside_about_as_often_as_promised() -> None:
    """Ten failures, complete: simulated 0.86 to 0.89 for a level of 0.9, nearer to it than Wald's."""
    data = weibull_samples(1500, 10, 10, seed=11)
    fits = fit(WEIBULL, data)
    for quantity, truth in (
        (quantities.parameter(WEIBULL, "eta"), 100.0),
        (quantities.parameter(WEIBULL, "beta"), 1.5),
        (quantities.b_life(WEIBULL), 100 * (-np.log(0.9)) ** (1 / 1.5)),
    ):
        ratio, wide = likelihood_ratio(fits, data, quantity), wald(fits, quantity)
        inside = [((i.low <= truth) & (truth <= i.high)).mean() for i in (ratio, wide)]
        assert 0.85 < inside[0] < 0.90
        assert 0.82 < inside[1] < inside[0] + 0.01


@pytest.mark.parametrize("name", ["exponential", "weibull", "lognormal", "loglogistic", "normal", "gumbel"])
def test_closed_derivatives_are_those_of_the_likelihood(name: str) -> None:
    """Failures, suspensions, intervals (one from age 0) and late entries; constants may differ."""
    of = DISTRIBUTIONS[name]
    data = ready(
        [40.0, 55, 60, 0, 30, 70, 45, 52, 80, 20], [1, 1, 0, 2, 2, 2, 1, 1, 0, 2], [0, 0, 10, 0, 0, 25, 30, 0, 0, 0],
        [NAN, NAN, NAN, 35, 50, 90, NAN, NAN, NAN, 60], [1, 2, 3, 1, 2, 1, 1, 1, 4, 1], [0, 0, 0, 0, 0, 0, 0, 1, 1, 1],
    )  # fmt: skip
    middle = {"exponential": [0.02], "normal": [55.0, 14.0], "gumbel": [60.0, 12.0], "lognormal": [4.0, 0.3]}
    x = quantities.scaled(of, np.repeat(np.array(middle.get(name, [60.0, 4.0]))[:, None], 2, 1))
    width = np.full(x.shape, 1e-3)
    by_differences = differences(lambda v: log_likelihood(of, data, quantities.natural(of, v)), x, width)
    closed = Likelihood(of, data)
    value, slope, second = closed.at(x, width)
    np.testing.assert_allclose(slope, by_differences[1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(second, by_differences[2], rtol=1e-4, atol=1e-4)
    elsewhere = log_likelihood(of, data, quantities.natural(of, x + 0.1)) - by_differences[0]
    np.testing.assert_allclose(closed.at(x + 0.1, width)[0] - value, elsewhere, rtol=1e-10)
    closed.narrow(np.array([False, True]))
    np.testing.assert_allclose(closed.at(x, width)[1][:, 1], slope[:, 1])
