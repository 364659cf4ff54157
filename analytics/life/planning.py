"""Tests that are to show a reliability: how many units, how long, how many failures allowed, and how likely to pass."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gamma as gamma_function
from scipy.special import gammainc, gammaincc, gammaincinv
from scipy.stats import beta as beta_law
from scipy.stats import binom

from analytics.life.rows import Floats, Ints

MOST = 2**50
"""Units beyond which a test is none."""
TIMES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
"""True hazards, as multiples of the target's, at which an operating characteristic is shown."""
_quiet = np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore")
"""Ages many powers of ten apart have hazards of 0 or infinity; a plan with such a number is none."""


def units_needed(reliability: ArrayLike, confidence: ArrayLike, failures: ArrayLike = 0) -> Floats:
    """Units to be tested so that at most `failures` among them show `reliability` with `confidence`.

    The smallest n with P(X <= f) <= 1 - C, X ~ Bin(n, 1 - R): without failures the success run n = ln(1 - C) / ln R,
    rounded up (Meeker and Escobar, Statistical Methods for Reliability Data, 1998, section 10.6; IEC 61123). All
    broadcast; infinite where R is 1.
    """
    r, c, f = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (reliability, confidence, failures)))
    enough = (1 - c) * (1 + 1e-12)
    low, high = f.copy(), f + 1
    for _ in range(60):
        short = (binom.cdf(f, high, 1 - r) > enough) & (high < MOST)
        if not short.any():
            break
        low, high = np.where(short, high, low), np.where(short, 2 * high, high)
    for _ in range(60):
        middle = np.floor((low + high) / 2)
        passes = binom.cdf(f, middle, 1 - r) <= enough
        low, high = np.where(passes, low, middle), np.where(passes, middle, high)
        if (high - low <= 1).all():
            break
    return np.where(high >= MOST, np.inf, high)


def demonstrated(units: ArrayLike, failures: ArrayLike, confidence: ArrayLike) -> Floats:
    """The reliability that f failures among n units show with confidence C: the lower bound of Clopper and Pearson.

    The quantile 1 - C of Beta(n - f, f + 1) (Biometrika 26, 1934). 0 where all units fail.
    """
    n, f, c = (np.asarray(each, np.float64) for each in (units, failures, confidence))
    return np.asarray(np.where(n > f, beta_law.ppf(1 - c, np.maximum(n - f, 1e-9), f + 1), 0.0))


@_quiet
def at_age(reliability: ArrayLike, age: ArrayLike, hours: ArrayLike, shape: ArrayLike = 1.0) -> Floats:
    """The reliability at `hours` of a Weibull life that has `reliability` at `age`: R^((hours / age)^beta)."""
    r, a, h, b = (np.asarray(each, np.float64) for each in (reliability, age, hours, shape))
    return np.asarray(r ** ((h / a) ** b))


@_quiet
def hours_needed(
    reliability: ArrayLike, age: ArrayLike, shape: ArrayLike, units: ArrayLike, confidence: ArrayLike,
    failures: ArrayLike = 0,
) -> Floats:  # fmt: skip
    """Hours on each of `units` that show `reliability` at `age`, the Weibull shape being known; nan for too few units.

    age (ln demonstrated / ln R)^(1 / beta) with the reliability demonstrated by n units and f failures (Meeker and
    Escobar 1998, section 10.6).
    """
    shown = demonstrated(units, failures, confidence)
    ratio = np.log(shown) / np.log(np.asarray(reliability, np.float64))
    return np.where(np.isfinite(ratio), np.asarray(age) * ratio ** (1 / np.asarray(shape, np.float64)), np.nan)


def needed(confidence: ArrayLike, failures: ArrayLike) -> Floats:
    """Expected failures that make `failures` or fewer as rare as 1 - C: chi2(C; 2 f + 2) / 2 (Epstein, 1960).

    A test of so many times the mean life shows it, failed units being repaired or replaced.
    """
    return np.asarray(gammaincinv(np.asarray(failures, np.float64) + 1, np.asarray(confidence, np.float64)))


@_quiet
def weibayes(exposure: ArrayLike, shape: ArrayLike, failures: ArrayLike, confidence: ArrayLike) -> Floats:
    """Lower bound of the Weibull scale from V = sum of hours^beta and f failures: (2 V / chi2(C; 2 f + 2))^(1 / beta).

    Nelson, Journal of Quality Technology 17, 1985, 140-146.
    """
    return np.asarray((np.asarray(exposure, np.float64) / needed(confidence, failures)) ** (1 / np.asarray(shape)))


def passes(reliability: ArrayLike, units: ArrayLike, failures: ArrayLike) -> Floats:
    """Chance that at most `failures` of `units` fail, each surviving with `reliability`."""
    f, n, r = (np.asarray(each, np.float64) for each in (failures, units, reliability))
    return np.asarray(binom.cdf(f, n, 1 - r))


@_quiet
def passes_total(mean: ArrayLike, total: ArrayLike, failures: ArrayLike) -> Floats:
    """Chance of at most `failures` in `total` hours at a constant rate, failed units being replaced."""
    return np.asarray(gammaincc(np.asarray(failures) + 1.0, np.asarray(total, np.float64) / np.asarray(mean)))


@_quiet
def expected_total(mean: ArrayLike, total: ArrayLike, failures: int) -> Floats:
    """Expected hours until a test of `total` hours ends, rejection included: at the first failure beyond `failures`.

    The integral over the test of P(N(t) <= c): mean times the sum over j <= c of P(j + 1 failures before the end).
    """
    m = np.asarray(mean, np.float64)
    order = np.arange(failures + 1.0).reshape(-1, *[1] * m.ndim)
    return np.asarray(m * gammainc(order + 1, np.asarray(total, np.float64) / m).sum(axis=0))


def two_risks(target: float, good: float, confidence: float, producer: float, most: int = 1000) -> tuple[int, int]:
    """(units, failures allowed) of the smallest test that keeps both risks.

    A lot at the reliability `target` passes with at most 1 - confidence, one at `good` fails with at most `producer`.
    Raises ValueError when more than `most` failures would have to be allowed, or `good` is no better.
    """
    _better(good, target)
    for first in range(0, most + 1, 100):
        f: Ints = np.arange(first, first + 100)
        n = units_needed(target, confidence, f)
        kept = 1 - passes(good, n, f) <= producer
        if kept.any():
            at = int(np.argmax(kept))
            return int(n[at]), int(f[at])
    raise ValueError(f"more than {most} failures would have to be allowed")


def fixed_length(lower: float, upper: float, consumer: float, producer: float, most: int = 5000) -> tuple[float, int]:
    """(total hours, failures allowed) of the shortest test of fixed length that keeps both risks, at a constant rate.

    A mean life `lower` passes with at most `consumer`, `upper` fails with at most `producer`: hours = lower
    chi2(1 - consumer; 2 c + 2) / 2 for the smallest c with P(more than c | hours / upper) <= producer. The plans of
    MIL-HDBK-781A, GJB 899A and IEC 61124 are of this kind, some of them with nominal risks a little exceeded. Raises
    ValueError as `two_risks`.
    """
    _better(upper, lower)
    c: Ints = np.arange(most + 1)
    hours = lower * needed(1 - consumer, c)
    kept = 1 - passes_total(upper, hours, c) <= producer
    if not kept.any():
        raise ValueError(f"more than {most} failures would have to be allowed")
    at = int(np.argmax(kept))
    return float(hours[at]), at


def _better(good: float, target: float) -> None:
    if not good > target:
        raise ValueError("what should pass has to be better than what is to be shown")


@dataclass(frozen=True, slots=True)
class Sequential:
    """Lines of a sequential test: with r failures accept from `accept` + r `slope` hours on, reject up to r `slope` -
    `reject` hours.
    """

    slope: float
    accept: float
    reject: float


def sequential(lower: float, upper: float, consumer: float, producer: float) -> Sequential:
    """Wald's sequential probability ratio test of a mean life, at a constant rate.

    slope = ln d / (1 / lower - 1 / upper), accept = ln((1 - producer) / consumer) / (1 / lower - 1 / upper), reject =
    ln((1 - consumer) / producer) / (same), d = upper / lower (Wald, Sequential Analysis, 1947; Epstein and Sobel,
    Annals of Mathematical Statistics 26, 1955, 82-93). Without truncation. Raises ValueError where upper <= lower.
    """
    _better(upper, lower)
    gap = 1 / lower - 1 / upper
    return Sequential(
        math.log(upper / lower) / gap,
        math.log((1 - producer) / consumer) / gap,
        math.log((1 - consumer) / producer) / gap,
    )


def beta_of(mean: float, variance: float) -> tuple[float, float]:
    """(a, b) of the beta distribution with this mean and variance. Raises ValueError when there is none."""
    size = mean * (1 - mean) / variance - 1 if variance > 0 else math.inf
    if not (0 < mean < 1 and 0 < size < math.inf):
        raise ValueError("no beta distribution has this mean and variance")
    return mean * size, (1 - mean) * size


def expert_prior(worst: float, likely: float, best: float) -> tuple[float, float]:
    """Prior of a reliability from three guesses: mean (a + 4 b + c) / 6, standard deviation (c - a) / 6."""
    return beta_of((worst + 4 * likely + best) / 6, ((best - worst) / 6) ** 2)


def subsystem_moments(units: ArrayLike, failures: ArrayLike) -> tuple[Floats, Floats]:
    """Mean s / (n + 1) and variance s (r + 1) / ((n + 1)^2 (n + 2)) of subsystems' reliabilities, s = n - r."""
    n, r = np.asarray(units, np.float64), np.asarray(failures, np.float64)
    return (n - r) / (n + 1), (n - r) * (r + 1) / ((n + 1) ** 2 * (n + 2))


def subsystem_prior(units: ArrayLike, failures: ArrayLike) -> tuple[float, float]:
    """Prior of the reliability of a series of subsystems that were tested by themselves: moments of the product."""
    mean, variance = subsystem_moments(units, failures)
    whole = float(np.prod(mean))
    return beta_of(whole, float(np.prod(variance + mean**2)) - whole**2)


def units_with_prior(prior: tuple[float, float], reliability: float, confidence: float, failures: int = 0) -> int:
    """Units needed where the reliability has a beta prior: the smallest n with P(R < target | n, f) <= 1 - C.

    The posterior is Beta(a + n - f, b + f) (Martz and Waller, Bayesian Reliability Analysis, 1982, section 7.2).
    """
    n = np.arange(failures, failures + 1)
    while True:
        below = np.asarray(beta_law.cdf(reliability, prior[0] + n - failures, prior[1] + failures))
        if (below <= 1 - confidence).any():
            return int(n[np.argmax(below <= 1 - confidence)])
        if n[-1] > MOST:
            raise ValueError("no number of units would do")
        n = np.arange(n[-1] + 1, 2 * n[-1] + 100)


@dataclass(frozen=True, slots=True)
class Target:
    """What a test is to show: a reliability at `age`, a mean life, or the age by which `share` fails.

    Without a `shape` a mean life is that of a constant rate, failed units being repaired or replaced; the others are
    shown by units that reach `age`, whatever their distribution.
    """

    quantity: Literal["reliability", "mtbf", "b_life"]
    value: float
    age: float
    share: float = 0.1
    shape: float | None = None

    @property
    def beta(self) -> float:
        """The shape; 1 where it does not matter."""
        return 1.0 if self.shape is None else self.shape

    @property
    def total(self) -> bool:
        """Whether only the sum of hours counts."""
        return self.quantity == "mtbf" and self.shape is None

    @_quiet
    def scale(self, value: ArrayLike) -> Floats:
        """The Weibull scale at which the quantity has a value."""
        v = np.asarray(value, np.float64)
        if self.quantity == "reliability":
            return np.asarray(self.age / (-np.log(v)) ** (1 / self.beta))
        return v / self._unit

    @_quiet
    def at(self, scale: ArrayLike) -> Floats:
        """The quantity at a Weibull scale."""
        eta = np.asarray(scale, np.float64)
        if self.quantity == "reliability":
            return np.asarray(np.exp(-((self.age / eta) ** self.beta)))
        return eta * self._unit

    @property
    @_quiet
    def _unit(self) -> float:
        """The quantity where the scale is 1."""
        if self.quantity == "mtbf":
            return float(gamma_function(1 + 1 / self.beta))
        return float(np.float64(-np.log1p(-self.share)) ** (1 / self.beta))


@dataclass(frozen=True, slots=True)
class Plan:
    """A test: at most `failures` among `units`, each `hours_each` on test; it shows the quantity `demonstrates`.

    `replaced`: units that fail are repaired or replaced, and only the sum of hours counts. Hours at the use conditions
    are `factor` times as many.
    """

    target: Target
    confidence: float
    failures: int
    units: int
    hours_each: float
    factor: float = 1.0

    @property
    def total_hours(self) -> float:
        """Hours on test over all units."""
        return self.units * self.hours_each

    @property
    @_quiet
    def demonstrates(self) -> float:
        """The value of the target's quantity that passing shows with the confidence."""
        if self.target.total:
            return float(self.factor * self.total_hours / needed(self.confidence, self.failures))
        shown = demonstrated(self.units, self.failures, self.confidence)
        return float(self.target.at(self.factor * self.hours_each / (-np.log(shown)) ** (1 / self.target.beta)))

    @_quiet
    def passes(self, value: ArrayLike) -> Floats:
        """Chance to pass by the true value of the target's quantity."""
        if self.target.total:
            return passes_total(value, self.factor * self.total_hours, self.failures)
        hazard = (self.factor * self.hours_each / self.target.scale(value)) ** self.target.beta
        return passes(np.exp(-hazard), self.units, self.failures)

    @_quiet
    def expected_hours(self, value: float) -> float | None:
        """Expected total hours by the true value, a test that fails ending early; None unless only the total counts."""
        if not self.target.total:
            return None
        return float(expected_total(value, self.factor * self.total_hours, self.failures) / self.factor)


@_quiet
def plans(
    target: Target,
    confidence: float,
    failures: Sequence[int] = (0, 1, 2, 3),
    units: int | None = None,
    hours: float | None = None,
    factor: float = 1.0,
) -> list[Plan]:
    """Plans that show `target` with `confidence`, for each number of failures allowed.

    With `units` the hours follow, with `hours` (on test, each) the units; with neither some of both, units tested once,
    twice and three times the age where the shape is known, and 1, 5, 10 and 20 units where only total hours count. More
    failures allowed than units can have make no plan. Raises ValueError where a shape would be needed.
    """
    if units is not None and hours is not None:
        raise ValueError("units or hours, the other follows")
    if target.shape is None and not target.total and (units is not None or hours not in (None, target.age / factor)):
        raise ValueError("a shape is needed to trade units for hours")
    blank = Plan(target, confidence, 0, 1, 0.0, factor)
    f = np.array(failures)
    made: list[Plan] = []

    def add(number: Floats | int, each: Floats | float) -> None:
        for allowed, n, h in zip(f, *np.broadcast_arrays(number, each, f)[:2], strict=True):
            if np.isfinite(n) and (n > allowed or target.total):
                plan = replace(blank, failures=int(allowed), units=int(n), hours_each=float(h))
                values = np.array([plan.hours_each, plan.total_hours, plan.demonstrates])
                if (np.isfinite(values) & (values > 0)).all():
                    made.append(plan)

    if target.total:
        total = target.value * needed(confidence, f) / factor
        if hours is not None:
            add(np.ceil(total / hours * (1 - 1e-12)), hours)
        for n in () if hours is not None else (1, 5, 10, 20) if units is None else (units,):
            add(n, total / n)
        return made
    age, survival = target.age, float(np.exp(-((target.age / target.scale(target.value)) ** target.beta)))
    if units is not None:
        add(units, hours_needed(survival, age, target.beta, units, confidence, f) / factor)
        return made
    several = (1.0,) if target.shape is None else (1.0, 2.0, 3.0)
    for h in (hours,) if hours is not None else [age * each / factor for each in several]:
        add(units_needed(at_age(survival, age, h * factor, target.beta), confidence, f), h)
    return made


@_quiet
def characteristic(plan: Plan, times: Sequence[float] = TIMES) -> tuple[Floats, Floats]:
    """(true values, chance to pass) of a plan, where the hazard is `times` the target's, best first."""
    target = plan.target
    value = target.at(target.scale(target.value) * np.asarray(times, np.float64) ** (-1 / target.beta))
    return value, plan.passes(value)
