"""Distributions that are one standard form of z = (y - mu) / sigma, y being the age or its logarithm.

A member is its standard form, whether ages are taken in logarithms, and how its parameters follow from mu and ln sigma.
(Meeker and Escobar, Statistical Methods for Reliability Data, 1998, sections 4.1 to 4.7.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, logit, ndtri

from analytics.life.distribution import Distribution, inward, outward
from analytics.life.rows import Event, Floats, LifeRows, exits

EULER = float(np.euler_gamma)


@dataclass(frozen=True, slots=True)
class Standard:
    """A density f on the real line whose logarithm is concave, as functions of z; S is the share above z.

    `slope` and `bend` are the first and second derivatives of ln f. Each is good in both tails.
    """

    log_survival: Callable[[Floats], Floats]
    log_rate: Callable[[Floats], Floats]
    """Ln f - ln S, the log hazard rate of z."""
    slope: Callable[[Floats], Floats]
    bend: Callable[[Floats], Floats]
    quantile: Callable[[Floats], Floats]
    middle: float
    spread: float
    """Mean and standard deviation."""


def _minus_exp(z: Floats) -> Floats:
    return -np.exp(z)


def _normal_log_rate(z: Floats) -> Floats:
    """Beyond z = 1000 by the first terms of Mills' ratio, since two squares would cancel."""
    near = np.minimum(z, 1e3)
    return np.where(z > 1e3, np.log(np.maximum(z, 1.0)), -0.5 * (near * near + np.log(2 * np.pi)) - log_ndtr(-near))


SMALLEST_EXTREME = Standard(
    log_survival=_minus_exp,
    log_rate=lambda z: z,
    slope=lambda z: 1 - np.exp(z),
    bend=_minus_exp,
    quantile=lambda share: np.log(-np.log1p(-share)),
    middle=-EULER,
    spread=float(np.pi / np.sqrt(6)),
)
NORMAL = Standard(
    log_survival=lambda z: np.asarray(log_ndtr(-z)),
    log_rate=_normal_log_rate,
    slope=lambda z: -z,
    bend=lambda z: np.full_like(z, -1.0),
    quantile=lambda share: np.asarray(ndtri(share)),
    middle=0.0,
    spread=1.0,
)
LOGISTIC = Standard(
    log_survival=lambda z: np.asarray(log_expit(-z)),
    log_rate=lambda z: np.asarray(log_expit(z)),
    slope=lambda z: -np.tanh(z / 2),
    bend=lambda z: -2 * np.asarray(expit(z) * expit(-z)),
    quantile=lambda share: np.asarray(logit(share)),
    middle=0.0,
    spread=float(np.pi / np.sqrt(3)),
)


class LocationScale(Distribution):
    """A location-scale distribution. On its scale, parameter i is `signs[i]` times mu (0) or ln sigma (1)."""

    standard: ClassVar[Standard]
    signs: ClassVar[tuple[int, ...]] = (1, 1)
    """One sign alone where sigma is 1."""

    def located(self, p: Floats) -> tuple[Floats, Floats]:
        """(mu, sigma) of the parameters."""
        mu = self.signs[0] * inward(self.parameters[0].scale, np.asarray(p[0], np.float64))
        if len(self.signs) == 1:
            return mu, np.ones_like(mu)
        sigma = np.asarray(p[1], np.float64)
        with np.errstate(divide="ignore"):
            return mu, sigma if self.signs[1] > 0 else 1 / sigma

    def placed(self, mu: Floats, sigma: Floats) -> Floats:
        """The parameters with this mu and sigma."""
        with np.errstate(divide="ignore"):
            scale = (sigma if self.signs[-1] > 0 else 1 / sigma,) if len(self.signs) > 1 else ()
        return np.stack([outward(self.parameters[0].scale, self.signs[0] * mu), *scale])

    def line(self, x: Floats) -> Floats:
        """Ages on the line where mu is: themselves, or their logarithms, minus infinity for those not above 0."""
        if self.real:
            return np.asarray(x, np.float64)
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(x, 0.0))

    def hazard(self, x: Floats, p: Floats) -> Floats:
        """-ln S(z)."""
        mu, sigma = self.located(p)
        with np.errstate(over="ignore"):
            return 0.0 - self.standard.log_survival((self.line(x) - mu) / sigma)

    def log_rate(self, x: Floats, p: Floats) -> Floats:
        """The log rate of z - ln sigma, and - ln x where ages are in logarithms."""
        mu, sigma = self.located(p)
        y = self.line(x)
        z = (y - mu) / sigma
        with np.errstate(over="ignore", invalid="ignore"):
            rate = self.standard.log_rate(z) - np.log(sigma)
        return rate if self.real else rate - y

    def quantile(self, share: Floats, p: Floats) -> Floats:
        """The age with this share of S below."""
        mu, sigma = self.located(p)
        with np.errstate(divide="ignore", over="ignore"):
            y = mu + sigma * self.standard.quantile(np.asarray(share, np.float64))
            return y if self.real else np.exp(y)

    def start(self, data: LifeRows) -> Floats:
        """By the mean and the standard deviation of the failures."""
        failed = data.event != Event.SUSPENSION
        y = self.line(exits(data))
        weight = data.count * (failed & np.isfinite(y))
        y = np.where(weight > 0, y, 0.0)
        n = np.maximum(data.sums(weight), 1.0)
        mean = data.sums(weight * y) / n
        spread = np.sqrt(data.sums(weight * (y - mean[data.group]) ** 2) / n)
        sigma = np.where(spread > 0, spread, 1.0) / self.standard.spread
        return self.placed(mean - self.standard.middle * sigma, sigma)
