"""The distributions against SciPy, their limits and each other, from the body to both tails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from analytics.life import prentice
from analytics.life.distribution import Distribution, outward
from analytics.life.families import DISTRIBUTIONS, GAMMA, GENERALISED_GAMMA, LOGNORMAL, WEIBULL
from analytics.life.rows import Floats

TYPICAL: dict[str, list[list[float]]] = {
    "exponential": [[1e-9], [0.02]],
    "weibull": [[1e6, 0.3], [50.0, 2.5], [3e-6, 40.0]],
    "weibull3": [[50.0, 2.5, 30.0], [4.0, 0.8, 0.0]],
    "lognormal": [[3.0, 0.7], [-12.0, 4.0]],
    "normal": [[10.0, 3.0], [-4.0, 1e5]],
    "gamma": [[0.2, 1e4], [3.0, 7.0], [400.0, 1e-3]],
    "loglogistic": [[40.0, 2.7], [1e5, 9.0]],
    "gengamma": [[3.0, 0.7, 0.5], [3.0, 0.7, -0.8], [3.0, 0.7, 1e-5], [3.0, 0.4, 3.0], [3.0, 0.7, 0.0]],
    "gumbel": [[58.0, 25.0], [-3.0, 0.1]],
    "weibull_mixture": [[8.0, 3.9, 38.0, 3.8, 0.39], [5.0, 0.7, 300.0, 4.0, 0.05]],
    "weibull_lfp": [[80.0, 1.5, 0.1], [80.0, 0.8, 0.9]],
}
CASES = [(name, p) for name, several in TYPICAL.items() for p in several]


SCIPY: dict[str, Any] = {
    "exponential": lambda p: scipy.stats.expon(scale=1 / p[0]),
    "weibull": lambda p: scipy.stats.weibull_min(p[1], scale=p[0]),
    "weibull3": lambda p: scipy.stats.weibull_min(p[1], scale=p[0], loc=p[2]),
    "lognormal": lambda p: scipy.stats.lognorm(p[1], scale=np.exp(p[0])),
    "normal": lambda p: scipy.stats.norm(p[0], p[1]),
    "gamma": lambda p: scipy.stats.gamma(p[0], scale=p[1]),
    "loglogistic": lambda p: scipy.stats.fisk(p[1], scale=p[0]),
    "gumbel": lambda p: scipy.stats.gumbel_l(p[0], p[1]),
}  # fmt: skip


def at(p: list[float]) -> Floats:
    """Parameters of one group."""
    return np.array(p)[:, None]


def ages(distribution: Distribution, p: list[float]) -> Floats:
    """From the first millionth to what one in a million outlives."""
    share = np.array([1e-6, 1e-3, 0.1, 0.4, 0.7, 0.95, 1 - 1e-6])
    top = p[2] if distribution.name == "weibull_lfp" else 1.0
    return distribution.quantile(share * top, at(p))


def test_all_are_registered_by_their_names() -> None:
    assert set(DISTRIBUTIONS) == set(TYPICAL)
    assert all(each.name == name for name, each in DISTRIBUTIONS.items())


@pytest.mark.parametrize(("name", "p"), CASES)
def test_a_quantile_is_the_inverse_and_the_general_one_agrees(name: str, p: list[float]) -> None:
    distribution = DISTRIBUTIONS[name]
    share = np.array([1e-9, 1e-3, 0.1, 0.5, 0.9, 0.999]) * (p[2] if name == "weibull_lfp" else 1.0)
    x = distribution.quantile(share, at(p))
    np.testing.assert_allclose(-np.expm1(-distribution.hazard(x, at(p))), share, rtol=1e-6 if p[0] == -4 else 1e-7)
    np.testing.assert_allclose(Distribution.quantile(distribution, share, at(p)), x, rtol=1e-8)


@pytest.mark.parametrize(("name", "p"), CASES)
def test_the_mean_is_the_integral_and_the_general_one_agrees(name: str, p: list[float]) -> None:
    distribution = DISTRIBUTIONS[name]
    mean = float(distribution.mean(at(p))[0])
    if np.isinf(mean):
        assert name == "weibull_lfp"
        return
    assert Distribution.mean(distribution, at(p))[0] == pytest.approx(mean, rel=1e-8, abs=1e-7)
    if distribution.real:
        assert mean == pytest.approx(SCIPY[name](p).mean(), rel=1e-12)
        return
    low, high = np.log(distribution.quantile(np.array([1e-9, 1 - 1e-9]), at(p)))
    line = np.linspace(low - 20, high + 45, 15_001)
    with np.errstate(over="ignore"):
        area = np.trapezoid(np.exp(line) * distribution.reliability(np.exp(line), at(p)), line)
    assert area + np.exp(line[0]) == pytest.approx(mean, rel=1e-5)


def test_means_without_an_end_are_infinite() -> None:
    assert DISTRIBUTIONS["loglogistic"].mean(at([5.0, 1.0]))[0] == np.inf
    assert DISTRIBUTIONS["gengamma"].mean(at([3.0, 1.3, -0.8]))[0] == np.inf
    assert Distribution.mean(DISTRIBUTIONS["loglogistic"], at([5.0, 0.9]))[0] == np.inf
    assert DISTRIBUTIONS["weibull_lfp"].quantile(np.array([0.2]), at([80.0, 1.5, 0.1]))[0] == np.inf


@pytest.mark.parametrize(("name", "p"), CASES)
def test_the_log_rate_is_the_logarithm_of_the_slope_of_the_hazard(name: str, p: list[float]) -> None:
    distribution = DISTRIBUTIONS[name]
    x = ages(distribution, p)
    start = p[2] if name == "weibull3" else 0.0
    step = (np.abs(p[1]) if distribution.real else (x - start)) * 1e-4
    four = [distribution.hazard(x + k * step, at(p)) for k in (-2, -1, 1, 2)]
    slope = (8 * (four[2] - four[1]) - (four[3] - four[0])) / (12 * step)
    np.testing.assert_allclose(np.exp(distribution.log_rate(x, at(p))), slope, rtol=1e-6)


@pytest.mark.parametrize(("name", "p"), [case for case in CASES if case[0] in SCIPY])
def test_density_and_reliability_are_those_of_scipy(name: str, p: list[float]) -> None:
    distribution, law = DISTRIBUTIONS[name], SCIPY[name](p)
    x = ages(distribution, p)
    np.testing.assert_allclose(np.exp(-distribution.hazard(x, at(p))), law.sf(x), rtol=1e-9)
    density = distribution.log_rate(x, at(p)) - distribution.hazard(x, at(p))
    np.testing.assert_allclose(density, law.logpdf(x), rtol=1e-9, atol=1e-9)


def test_tails_are_right_where_shares_are_no_longer_numbers() -> None:
    """Abramowitz and Stegun 26.2.12 for the normal distribution, 6.5.32 for the gamma distribution."""
    far = np.array([50.0, 1e3, 1e6])
    expected = far**2 / 2 + np.log(far * np.sqrt(2 * np.pi)) + far**-2
    np.testing.assert_allclose(LOGNORMAL.hazard(np.exp(far[:1]), at([0.0, 1.0])), expected[:1], rtol=1e-9)
    np.testing.assert_allclose(DISTRIBUTIONS["normal"].hazard(far, at([0.0, 1.0])), expected, rtol=1e-9)
    np.testing.assert_allclose(DISTRIBUTIONS["normal"].log_rate(far, at([0.0, 1.0])), np.log(far), atol=1e-3)
    x = np.array([2e3, 1e5])
    series = x - 1.5 * np.log(x) + np.log(1.329340388179137) - np.log1p(1.5 / x + 0.75 / x**2)
    np.testing.assert_allclose(GAMMA.hazard(x, at([2.5, 1.0])), series, rtol=1e-9)
    early = np.array([1e-12, 1e-100, 1e-300])
    np.testing.assert_allclose(np.log(GAMMA.hazard(early, at([0.5, 1.0]))), np.log(early) / 2 + np.log(1.1283791671))
    never = GENERALISED_GAMMA.hazard(np.array([1e200]), at([0.0, 1.0, -0.5]))  # 4 u^4 / 4!, u = 4 exp(-w / 2)
    assert never[0] == pytest.approx(-(np.log(4.0**4 / 24) - 2 * np.log(1e200)), rel=1e-9)


@pytest.mark.parametrize("q", [1e-3, 2e-3, 1e-2, 0.0999, 0.5])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_survival_of_the_standard_form_is_the_integral_of_its_density(q: float, sign: float) -> None:
    """Also just beside the k where the formula changes, and where the gamma functions are no longer numbers."""
    for w in (-3.0, 0.5, 4.0, 12.0):
        q_ = np.array([sign * q * 0.9999])

        def density(x: float, q_: Floats = q_, w: float = w) -> float:
            return float(np.exp(prentice.log_density(np.array([x]), q_) - prentice.log_density(np.array([w]), q_))[0])

        end = w + 12.0 if w < 4 else w + 8.0
        total = quad(density, w, end, epsabs=0, epsrel=1e-11, limit=200)[0]
        total += quad(density, end, end + 60.0, epsabs=1e-14, limit=200)[0]
        got = prentice.log_survival(np.array([w]), q_) - prentice.log_density(np.array([w]), q_)
        assert got[0] == pytest.approx(np.log(total), abs=1e-6 if sign < 0 and q > 0.3 else 2e-9)


@given(
    st.floats(-3, 3), st.floats(0.05, 3), st.floats(-8, 8),
)  # fmt: skip
@settings(max_examples=60)
def test_the_generalised_gamma_holds_weibull_lognormal_and_gamma(mu: float, sigma: float, z: float) -> None:
    x = np.exp(np.array([mu + sigma * z]))
    for q, other, p in (
        (1.0, WEIBULL, [np.exp(mu), 1 / sigma]),
        (0.0, LOGNORMAL, [mu, sigma]),
        (sigma, GAMMA, [sigma**-2, np.exp(mu) * sigma**2]),
    ):
        general = at([mu, sigma, q])
        np.testing.assert_allclose(GENERALISED_GAMMA.hazard(x, general), other.hazard(x, at(p)), rtol=1e-7, atol=1e-300)
        np.testing.assert_allclose(
            GENERALISED_GAMMA.log_rate(x, general), other.log_rate(x, at(p)), rtol=1e-7, atol=1e-7
        )
        np.testing.assert_allclose(GENERALISED_GAMMA.mean(general), other.mean(at(p)), rtol=1e-9)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@given(data=st.data())
@settings(max_examples=25)
def test_hazards_rise_and_are_numbers_over_twelve_decades(name: str, data: st.DataObject) -> None:
    distribution = DISTRIBUTIONS[name]
    unit = 10.0 ** data.draw(st.integers(-6, 6))
    p = at([
        float(outward(each.scale, np.array(data.draw(st.floats(-2, 2))))) * (unit if each.unit == "age" else 1.0)
        / (unit if each.unit == "rate" else 1.0) + (np.log(unit) if each.unit == "log age" else 0.0)
        for each in distribution.parameters
    ])  # fmt: skip
    if name == "weibull3":
        p[2] = np.abs(p[2])
    x = unit * np.logspace(-6, 6, 200)
    h = distribution.hazard(x, p)
    assert not np.isnan(h).any()
    assert (h >= 0).all()
    room = 1e-9 * np.where(np.isfinite(h[1:]), h[1:], 0) + 1e-15
    assert (h[1:] >= h[:-1] - room).all()
    assert not np.isnan(distribution.log_rate(x[h < 1e6], p)).any()
