"""The life distributions by name, each one small declaration."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import gammaincinv, gammaln

from analytics.life import prentice
from analytics.life.concave import locate
from analytics.life.distribution import Distribution, Parameter
from analytics.life.location_scale import EULER, LOGISTIC, NORMAL, SMALLEST_EXTREME, LocationScale
from analytics.life.mixtures import LimitedFailurePopulation, WeibullMixture
from analytics.life.rows import Event, Floats, LifeRows
from analytics.life.threshold import Weibull3
from schema import Text

LOCATION, SCALE = Text("位置参数", "Location"), Text("尺度参数", "Scale")
SHAPE, LIFE = Text("形状参数", "Shape"), Text("特征寿命", "Characteristic life")


class Weibull(LocationScale):
    """H(x) = (x / eta)^beta."""

    name = "weibull"
    text = Text("威布尔分布", "Weibull")
    parameters = (Parameter("eta", LIFE, unit="age"), Parameter("beta", SHAPE))
    standard = SMALLEST_EXTREME
    signs = (1, -1)

    def mean(self, p: Floats) -> Floats:
        """Eta Gamma(1 + 1 / beta)."""
        eta, beta = p
        with np.errstate(over="ignore"):
            return np.asarray(eta * np.exp(gammaln(1 + 1 / beta)))


class Exponential(LocationScale):
    """H(x) = rate x."""

    name = "exponential"
    text = Text("指数分布", "Exponential")
    parameters = (Parameter("rate", Text("失效率", "Failure rate"), unit="rate"),)
    standard = SMALLEST_EXTREME
    signs = (-1,)

    def hazard(self, x: Floats, p: Floats) -> Floats:
        """Rate x."""
        return np.asarray(p[0] * np.maximum(x, 0.0))

    def log_rate(self, x: Floats, p: Floats) -> Floats:
        """Ln rate at every age."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(p[0]) + np.zeros(np.shape(x)))

    def mean(self, p: Floats) -> Floats:
        """1 / rate."""
        return np.asarray(1 / p[0])


class Lognormal(LocationScale):
    """(ln x - mu) / sigma is normal."""

    name = "lognormal"
    text = Text("对数正态分布", "Lognormal")
    parameters = (Parameter("mu", LOCATION, "identity", "log age"), Parameter("sigma", SCALE))
    standard = NORMAL

    def mean(self, p: Floats) -> Floats:
        """Exp(mu + sigma^2 / 2)."""
        mu, sigma = p
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(mu + sigma**2 / 2))


class Loglogistic(LocationScale):
    """R(x) = 1 / (1 + (x / alpha)^beta)."""

    name = "loglogistic"
    text = Text("对数逻辑斯谛分布", "Log-logistic")
    parameters = (Parameter("alpha", Text("中位寿命", "Median life"), unit="age"), Parameter("beta", SHAPE))
    standard = LOGISTIC
    signs = (1, -1)

    def mean(self, p: Floats) -> Floats:
        """Alpha (pi / beta) / sin(pi / beta), infinite where beta is not above 1."""
        alpha, beta = p
        with np.errstate(divide="ignore", invalid="ignore"):
            angle = np.pi / beta
            return np.where(beta > 1, alpha * angle / np.sin(angle), np.where(np.isnan(beta), np.nan, np.inf))


class Normal(LocationScale):
    """(x - mu) / sigma is normal: for ages that may be below 0, or far above it."""

    name = "normal"
    text = Text("正态分布", "Normal")
    parameters = (Parameter("mu", LOCATION, "identity", "age"), Parameter("sigma", SCALE, unit="age"))
    standard = NORMAL
    real = True

    def mean(self, p: Floats) -> Floats:
        """Mu."""
        return np.asarray(p[0] + 0.0)


class Gumbel(LocationScale):
    """H(x) = exp((x - mu) / sigma): the smallest of many."""

    name = "gumbel"
    text = Text("极小值（耿贝尔）分布", "Gumbel (smallest extreme value)")
    parameters = (Parameter("mu", LOCATION, "identity", "age"), Parameter("sigma", SCALE, unit="age"))
    standard = SMALLEST_EXTREME
    real = True

    def mean(self, p: Floats) -> Floats:
        """Mu - 0.5772 sigma."""
        mu, sigma = p
        return np.asarray(mu - EULER * sigma)


class Gamma(Distribution):
    """X / scale has the gamma distribution of this shape: the generalised gamma distribution with Q = sigma."""

    name = "gamma"
    text = Text("伽马分布", "Gamma")
    parameters = (Parameter("shape", SHAPE), Parameter("scale", SCALE, unit="age"))

    def hazard(self, x: Floats, p: Floats) -> Floats:
        """-ln of the upper incomplete gamma function."""
        return 0.0 - prentice.log_survival(*self._standard(x, p))

    def log_rate(self, x: Floats, p: Floats) -> Floats:
        """Ln f - ln R."""
        w, q = self._standard(x, p)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(prentice.log_density(w, q) - prentice.log_survival(w, q) - np.log(q) - np.log(x))

    def _standard(self, x: Floats, p: Floats) -> tuple[Floats, Floats]:
        with np.errstate(divide="ignore"):
            root = np.sqrt(p[0])
            return (np.log(np.maximum(x, 0.0)) - np.log(p[0]) - np.log(p[1])) * root, 1 / root

    def quantile(self, share: Floats, p: Floats) -> Floats:
        """The scale times the inverse of the lower incomplete gamma function."""
        return np.asarray(p[1] * gammaincinv(p[0], share))

    def mean(self, p: Floats) -> Floats:
        """Shape times scale."""
        return np.asarray(p[0] * p[1])

    def start(self, data: LifeRows) -> Floats:
        """By the lognormal distribution: Q = sigma."""
        mu, sigma = _steady(LOGNORMAL, data)
        sigma = np.clip(sigma, 0.005, 8.0)
        return np.stack([sigma**-2, np.exp(mu + sigma**2 / 2) * sigma**2])


class GeneralisedGamma(Distribution):
    """(ln x - mu) / sigma has Prentice's standard form with Q: 1 Weibull, 0 lognormal, sigma gamma."""

    name = "gengamma"
    text = Text("广义伽马分布", "Generalised gamma")
    parameters = (
        Parameter("mu", LOCATION, "identity", "log age"),
        Parameter("sigma", SCALE),
        Parameter("Q", SHAPE, "identity"),
    )

    def hazard(self, x: Floats, p: Floats) -> Floats:
        """-ln S(w)."""
        mu, sigma, q = p
        with np.errstate(divide="ignore"):
            return 0.0 - prentice.log_survival((np.log(np.maximum(x, 0.0)) - mu) / sigma, q)

    def log_rate(self, x: Floats, p: Floats) -> Floats:
        """Ln f(w) - ln S(w) - ln sigma - ln x."""
        mu, sigma, q = p
        with np.errstate(divide="ignore", invalid="ignore"):
            y = np.log(x)
            w = (y - mu) / sigma
            return np.asarray(prentice.log_density(w, q) - prentice.log_survival(w, q) - np.log(sigma) - y)

    def mean(self, p: Floats) -> Floats:
        """Exp(mu) k^(-sigma / Q) Gamma(k + sigma / Q) / Gamma(k), by Stirling's formula; infinite from sigma Q = -1."""
        mu, sigma, q = p
        e = sigma * q
        with np.errstate(all="ignore"):
            k = 1 / q**2
            small = np.abs(e) < 1e-3
            bent = np.where(small, 0.5 - e / 6 + e**2 / 12 - e**3 / 20, ((1 + e) * np.log1p(e) - e) / e**2)
            change = np.nan_to_num(prentice.stirling(k * (1 + e)) - prentice.stirling(k))
            log_mean = mu + sigma**2 * bent - np.log1p(e) / 2 + change
            return np.asarray(np.where(e > -1, np.exp(log_mean), np.where(np.isnan(e), np.nan, np.inf)))

    def start(self, data: LifeRows) -> Floats:
        """The lognormal distribution."""
        return self.starts(data)[0]

    def starts(self, data: LifeRows) -> list[Floats]:
        """The lognormal and the Weibull distribution, and what is as far on the other side."""
        lognormal, weibull = _steady(LOGNORMAL, data), _steady(WEIBULL, data)
        none = np.zeros(data.groups)
        return [
            np.stack([*lognormal, none]),
            np.stack([np.log(weibull[0]), 1 / weibull[1], none + 1.0]),
            np.stack([*lognormal, none - 1.0]),
        ]


def _steady(family: LocationScale, data: LifeRows) -> Floats:
    """The parameters of its fit, of its start where it has none."""
    found = locate(family, data, data.sums(data.event != Event.SUSPENSION) > 0)
    with np.errstate(all="ignore"):
        return np.where(found.solved, family.placed(found.mu, found.sigma), family.start(data))


EXPONENTIAL: Final = Exponential()
WEIBULL: Final = Weibull()
LOGNORMAL: Final = Lognormal()
NORMAL_LIFE: Final = Normal()
LOGLOGISTIC: Final = Loglogistic()
GUMBEL: Final = Gumbel()
GAMMA: Final = Gamma()
GENERALISED_GAMMA: Final = GeneralisedGamma()
WEIBULL3: Final = Weibull3()
WEIBULL_MIXTURE: Final = WeibullMixture()
WEIBULL_LFP: Final = LimitedFailurePopulation()

DISTRIBUTIONS: Final[dict[str, Distribution]] = {
    each.name: each
    for each in (
        EXPONENTIAL, WEIBULL, WEIBULL3, LOGNORMAL, NORMAL_LIFE, GAMMA, LOGLOGISTIC, GENERALISED_GAMMA, GUMBEL,
        WEIBULL_MIXTURE, WEIBULL_LFP,
    )
}  # fmt: skip
"""By name."""
