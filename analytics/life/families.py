"""The life distributions by name, each one small declaration."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import gammaln

from analytics.life.distribution import Distribution, Parameter
from analytics.life.location_scale import EULER, LOGISTIC, NORMAL, SMALLEST_EXTREME, LocationScale
from analytics.life.rows import Floats
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


EXPONENTIAL: Final = Exponential()
WEIBULL: Final = Weibull()
LOGNORMAL: Final = Lognormal()
NORMAL_LIFE: Final = Normal()
LOGLOGISTIC: Final = Loglogistic()
GUMBEL: Final = Gumbel()

DISTRIBUTIONS: Final[dict[str, Distribution]] = {
    each.name: each for each in (EXPONENTIAL, WEIBULL, LOGNORMAL, NORMAL_LIFE, LOGLOGISTIC, GUMBEL)
}
"""By name."""
