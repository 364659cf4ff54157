"""Accelerated failure time: ln life is a location that covariates move, and a scale times a standard law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from analytics.hazard import LEVEL
from analytics.life.distribution import Intervals
from analytics.life.rows import Event, Floats, Ints, LifeRows

_STEPS = 100


@dataclass(frozen=True, slots=True)
class Family:
    """The distribution of (ln T - x'b) / scale: ln S, ln f, the slope of ln f, quantiles; `fixed`: the scale is 1."""

    log_survival: Callable[[Floats], Floats]
    log_density: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    quantile: Callable[[float], float]
    fixed: bool = False

    def rate(self, z: Floats) -> Floats:
        """F / S."""
        return np.asarray(np.exp(self.log_density(z) - self.log_survival(z)))


_EXTREME = (
    lambda z: -np.exp(z),
    lambda z: z - np.exp(z),
    lambda z: 1 - np.exp(z),
    lambda share: float(np.log(-np.log1p(-share))),
)
FAMILIES: dict[str, Family] = {
    "weibull": Family(*_EXTREME),
    "exponential": Family(*_EXTREME, fixed=True),
    "lognormal": Family(
        lambda z: np.asarray(norm.logsf(z)),
        lambda z: np.asarray(norm.logpdf(z)),
        lambda z: -z,
        lambda share: float(norm.ppf(share)),
    ),
    "loglogistic": Family(
        lambda z: -np.logaddexp(0.0, z),
        lambda z: z - 2 * np.logaddexp(0.0, z),
        lambda z: np.asarray(1 - 2 * expit(z)),
        lambda share: float(logit(share)),
    ),
}


@dataclass(frozen=True, slots=True)
class Accelerated:
    """ln T = b0 + x'b + scale e: `coefficients` (intercept first), ln scale of each stratum, their covariance together.

    `converged` is false where the likelihood has no maximum; then all is nan. An exponential has a scale of 1,
    without a row in the covariance.
    """

    family: Family
    coefficients: Floats
    log_scale: Floats
    covariance: Floats
    log_likelihood: float
    converged: bool

    @property
    def se(self) -> Floats:
        """Standard errors of the coefficients and of ln scale."""
        return np.sqrt(np.diagonal(self.covariance))

    def quantile(self, share: float, x: Floats, level: float = LEVEL, stratum: int = 0) -> Intervals:
        """The age by which `share` has failed at the covariates x (rows, columns): Wald on the logarithm.

        (Meeker and Escobar, Statistical Methods for Reliability Data, 1998, section 17.4.)
        """
        at = self.family.quantile(share)
        design = np.column_stack([np.ones(len(x)), x])
        scale = np.exp(self.log_scale[stratum])
        gradient = np.zeros((len(x), len(self.covariance)))
        gradient[:, : design.shape[1]] = design
        if not self.family.fixed:
            gradient[:, design.shape[1] + stratum] = scale * at
        log = design @ self.coefficients + scale * at
        spread = np.sqrt(np.einsum("ij,jk,ik->i", gradient, self.covariance, gradient))
        z, value = norm.ppf((1 + level) / 2), np.exp(log)
        return Intervals(value, value * spread, np.exp(log - z * spread), np.exp(log + z * spread), level)


def fit_accelerated(data: LifeRows, x: Floats, model: str = "weibull", stratum: Ints | None = None) -> Accelerated:
    """Maximum likelihood of an accelerated-failure-time model of all rows of `data`, x (rows, columns) beside them.

    ln L is the sum of ln f - ln(scale t) of failures, ln S of suspensions, ln(S(a) - S(b)) of intervals, less ln S at
    entry (Meeker and Escobar 1998, section 17.2; Lawless, Statistical Models and Methods for Lifetime Data, 2003,
    section 6.3). Rows of different `stratum` have scales of their own.
    """
    family = FAMILIES[model]
    strata = np.zeros(len(data.age), np.int64) if stratum is None else np.asarray(stratum, np.int64)
    size = int(strata.max(initial=0)) + 1
    middle, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    likelihood = _Likelihood.of(data, np.column_stack([np.ones(len(x)), (x - middle) / spread]), family, strata, size)
    theta, value, second, converged = likelihood.climb()
    k = x.shape[1] + 1
    back = np.eye(len(theta))
    back[1:k, 1:k] = np.diag(1 / spread)
    back[0, 1:k] = -middle / spread
    theta, covariance = back @ theta, back @ np.linalg.pinv(-second) @ back.T
    if not converged:
        theta, covariance, value = theta * np.nan, covariance * np.nan, np.nan
    log_scale = np.zeros(size) if family.fixed else theta[k:]
    return Accelerated(family, theta[:k], log_scale, covariance, value, converged)


@dataclass(frozen=True, slots=True)
class _Likelihood:
    """Logarithms of ages (-inf for 0) and the design, to be climbed."""

    family: Family
    design: Floats
    strata: Ints
    size: int
    event: Ints
    count: Floats
    log_age: Floats
    log_to: Floats
    log_entry: Floats

    @classmethod
    def of(cls, data: LifeRows, design: Floats, family: Family, strata: Ints, size: int) -> _Likelihood:
        def log(ages: Floats) -> Floats:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(ages > 0, np.log(np.maximum(ages, 1e-300)), -np.inf)

        to = log(np.nan_to_num(data.age_to))
        kind = data.event.astype(np.int64)
        return cls(family, design, strata, size, kind, data.count, log(data.age), to, log(data.entry))

    def start(self) -> Floats:
        """Least squares on the logarithms of ages."""
        between = (self.event == Event.INTERVAL) & np.isfinite(self.log_age)
        at = np.where(self.event == Event.INTERVAL, self.log_to, self.log_age)
        at = np.where(between, (self.log_age + self.log_to) / 2, at)
        weight = np.sqrt(self.count)
        b = np.linalg.lstsq(self.design * weight[:, None], at * weight, rcond=None)[0]
        left = at - self.design @ b
        scale = np.sqrt(np.average(left**2, weights=self.count)) or 1.0
        more = np.zeros(0) if self.family.fixed else np.full(self.size, np.log(max(scale, 1e-3)))
        return np.concatenate([np.asarray(b, np.float64), more])

    def value(self, theta: Floats) -> tuple[float, Floats]:
        """Log likelihood and its gradient."""
        k = self.design.shape[1]
        scale = np.ones(self.size) if self.family.fixed else np.exp(theta[k:])
        s = scale[self.strata]
        middle = self.design @ theta[:k]
        total = np.zeros(len(s))
        by_z = np.zeros((3, len(s)))  # slopes in z at the age, at the end of the interval, at the entry
        places = [
            np.where(np.isfinite(each), (each - middle) / s, -np.inf)
            for each in (self.log_age, self.log_to, self.log_entry)
        ]
        z, z_to, z_entry = (np.where(np.isfinite(each), each, 0.0) for each in places)
        failed, between = self.event == Event.FAILURE, self.event == Event.INTERVAL
        alive, late, newborn = ~failed & ~between, np.isfinite(places[2]), ~np.isfinite(places[0])
        f = self.family
        total[failed] = f.log_density(z[failed]) - np.log(s[failed]) - self.log_age[failed]
        by_z[0, failed] = f.slope(z[failed])
        total[alive] = f.log_survival(z[alive])
        by_z[0, alive] = -f.rate(z[alive])
        if between.any():
            first = np.where(newborn[between], 0.0, f.log_survival(z[between]))
            last = f.log_survival(z_to[between])
            both = first + np.log(-np.expm1(last - first))
            total[between] = both
            by_z[0, between] = np.where(newborn[between], 0.0, -np.exp(f.log_density(z[between]) - both))
            by_z[1, between] = np.exp(f.log_density(z_to[between]) - both)
        total[late] -= f.log_survival(z_entry[late])
        by_z[2, late] = f.rate(z_entry[late])
        weighted = by_z * self.count
        by_middle = -weighted.sum(axis=0) / s
        gradient = self.design.T @ by_middle
        if not f.fixed:
            by_scale = -(weighted[0] * z + weighted[1] * z_to + weighted[2] * z_entry) - self.count * failed
            gradient = np.r_[gradient, np.bincount(self.strata, by_scale, self.size)]
        return float((self.count * total).sum()), gradient

    def second(self, theta: Floats) -> Floats:
        """Second derivatives, by central differences of the gradient."""
        step = 1e-5
        found = np.stack(
            [
                (self.value(theta + step * e)[1] - self.value(theta - step * e)[1]) / (2 * step)
                for e in np.eye(len(theta))
            ]
        )
        return np.asarray((found + found.T) / 2)

    def climb(self) -> tuple[Floats, float, Floats, bool]:
        """(theta, log likelihood, second derivatives, whether that is a maximum)."""
        with np.errstate(all="ignore"):
            theta, gain = self.start(), np.inf
            value, gradient = self.value(theta)
            second = self.second(theta)
            for _ in range(_STEPS):
                bend, axes = np.linalg.eigh(np.where(np.isfinite(second), second, 0.0))
                away = np.maximum(np.abs(bend), 1e-8 * np.abs(bend).max() + 1e-300)
                step = axes @ ((axes.T @ gradient) / away)
                step *= min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-300))
                gain, length = float(gradient @ step), 1.0
                tried = self.value(theta + step)
                while length > 1e-10:
                    if np.isfinite(tried[0]) and tried[0] >= value + 1e-4 * length * gain - 1e-12 * abs(value):
                        break
                    length /= 2
                    tried = self.value(theta + length * step)
                else:
                    break
                theta = theta + length * step
                value, gradient = tried
                second = self.second(theta)
                if gain < 1e-13 * max(1.0, abs(value)):
                    break
            bend = np.linalg.eigvalsh(np.where(np.isfinite(second), second, 0.0))
        maximum = bool(np.isfinite(value) and bend.max() < -1e-7 * abs(bend.min()) and gain < 1e-6)
        return theta, value, second, maximum and bool(np.abs(theta).max() < 300)
