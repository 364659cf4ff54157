"""The three-parameter Weibull distribution: no unit fails before the threshold gamma.

Its likelihood has no highest point: with a shape below 1 it rises without end as the threshold comes up to the first
failure. What is called its maximum is the highest point in the interior, where it has one (Lawless, Statistical Models
and Methods for Lifetime Data, 2003, section 5.5.3; Smith, Biometrika 72, 1985, 67-90).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import gammaln

from analytics.life import weibull
from analytics.life.distribution import Distribution, Parameter
from analytics.life.rows import Bools, Event, Floats, LifeRows
from schema import Text

POINTS = 40
"""Thresholds that are tried before the climb."""


class Weibull3(Distribution):
    """H(x) = ((x - gamma) / eta)^beta beyond gamma, which is not below 0."""

    name = "weibull3"
    text = Text("三参数威布尔分布", "Weibull with a threshold")
    parameters = (
        Parameter("eta", Text("特征寿命", "Characteristic life"), unit="age"),
        Parameter("beta", Text("形状参数", "Shape")),
        Parameter("gamma", Text("门槛参数", "Threshold"), "identity", "age"),
    )

    def hazard(self, x: Floats, p: Floats) -> Floats:
        """((x - gamma) / eta)^beta."""
        eta, beta, gamma = p
        with np.errstate(over="ignore"):
            return np.asarray((np.maximum(x - gamma, 0.0) / eta) ** beta)

    def log_rate(self, x: Floats, p: Floats) -> Floats:
        """Ln beta - ln eta + (beta - 1) ln((x - gamma) / eta); minus infinity before gamma."""
        eta, beta, gamma = p
        inside = x > gamma
        with np.errstate(divide="ignore"):
            rate = np.log(beta / eta) + (beta - 1) * np.log(np.where(inside, x - gamma, eta) / eta)
            return np.where(inside, rate, -np.inf)

    def quantile(self, share: Floats, p: Floats) -> Floats:
        """Gamma + eta (-ln(1 - share))^(1 / beta)."""
        eta, beta, gamma = p
        with np.errstate(over="ignore", divide="ignore"):
            return np.asarray(gamma + eta * (-np.log1p(-np.asarray(share))) ** (1 / beta))

    def mean(self, p: Floats) -> Floats:
        """Gamma + eta Gamma(1 + 1 / beta)."""
        eta, beta, gamma = p
        with np.errstate(over="ignore"):
            return np.asarray(gamma + eta * np.exp(gammaln(1 + 1 / beta)))

    def start(self, data: LifeRows) -> Floats:
        """The highest of the interior points of the profile over thresholds; nan where it has none.

        The thresholds are in equal ratios of their distance to the first failure.
        """
        first, spread = _first(data), _spread(data)
        far = np.log(np.maximum(first, 1e-300))
        near = np.minimum(np.log(1e-4 * spread), far - 1)
        tried = [first - np.exp(far + (near - far) * step) for step in np.linspace(0.0, 1.0, POINTS)]
        found = [self._given(data, np.maximum(gamma, 0.0)) for gamma in tried]
        height = np.stack([value for value, _ in found])
        inner = np.zeros_like(height, np.bool_)
        inner[1:-1] = (height[1:-1] > height[:-2]) & (height[1:-1] > height[2:]) & np.isfinite(height[1:-1])
        best = np.argmax(np.where(inner, height, -np.inf), axis=0)
        start = np.stack([p for _, p in found])[best, :, np.arange(data.groups)].T
        return np.where(inner.any(0), start, np.nan)

    def _given(self, data: LifeRows, gamma: Floats) -> tuple[Floats, Floats]:
        """(log likelihood, parameters) with the thresholds `gamma` (groups,)."""
        shift = gamma[data.group]
        late = replace(
            data,
            age=np.maximum(data.age - shift, 0.0),
            entry=np.maximum(data.entry - shift, 0.0),
            age_to=data.age_to - shift,
        )
        fits = weibull.fit_rows(late.take((late.age > 0) | (late.event == Event.INTERVAL)))
        return np.nan_to_num(fits.log_likelihood, nan=-np.inf), np.stack([fits.eta, fits.beta, gamma])

    def sound(self, data: LifeRows, p: Floats) -> Bools:
        """Where the threshold is not below 0 and before the first failure."""
        return np.asarray(np.isfinite(p).all(0) & (p[2] >= 0) & (p[2] < _first(data)))


def _first(data: LifeRows) -> Floats:
    """The youngest age by which a unit of each group had failed."""
    first = np.full(data.groups, np.inf)
    failed = data.take(data.event != Event.SUSPENSION)
    np.minimum.at(first, failed.group, np.where(failed.event == Event.INTERVAL, failed.age_to, failed.age))
    return np.where(np.isfinite(first), first, 1.0)


def _spread(data: LifeRows) -> Floats:
    """From the first failure to the oldest age, never 0."""
    last = np.zeros(data.groups)
    np.maximum.at(last, data.group, np.where(np.isfinite(data.age_to), data.age_to, data.age))
    spread = last - _first(data)
    return np.where(spread > 0, spread, 1e-3)
