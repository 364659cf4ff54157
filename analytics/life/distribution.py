"""What a life distribution, a fit of it to thousands of groups, and a figure that follows from it are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import ClassVar, Literal

import numpy as np
from scipy.special import expit, logit

from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows
from schema import Text

Scale = Literal["log", "logit", "identity", "log-log"]
"""On which scale a figure is estimated and its interval symmetric: log for what is positive, logit for a share,
log-log, ln(-ln R), for a reliability, identity for the rest."""


def inward(scale: Scale, value: Floats) -> Floats:
    """A figure on its scale."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "log":
            return np.log(value)
        if scale == "logit":
            return np.asarray(logit(value))
        return np.log(-np.log(value)) if scale == "log-log" else np.asarray(value)


def outward(scale: Scale, value: Floats) -> Floats:
    """The figure that is at `value` on its scale; log-log turns the order round."""
    with np.errstate(over="ignore"):
        if scale == "log":
            return np.exp(value)
        if scale == "logit":
            return np.asarray(expit(value))
        return np.exp(-np.exp(value)) if scale == "log-log" else np.asarray(value)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a distribution. `unit` says how it goes with the unit of the ages: an age, one over an age, the
    logarithm of an age, or none.
    """

    name: str
    text: Text
    scale: Scale = "log"
    unit: Literal["age", "rate", "log age", "none"] = "none"


class Distribution(ABC):
    """A life distribution: its cumulative hazard, its log hazard rate, and where a fit starts. All else is inherited.

    Parameters are arrays whose first axis is the parameter, in the order of `parameters`: `eta, beta = p`. Ages and
    parameters broadcast against each other.
    """

    name: ClassVar[str]
    text: ClassVar[Text]
    parameters: ClassVar[tuple[Parameter, ...]]
    real: ClassVar[bool] = False
    """Whether ages below 0 have probability, so that an interval from age 0 is one from minus infinity."""

    @abstractmethod
    def hazard(self, x: Floats, p: Floats) -> Floats:
        """The cumulative hazard H(x) = -ln R(x); 0 before the support begins."""

    @abstractmethod
    def log_rate(self, x: Floats, p: Floats) -> Floats:
        """Ln dH/dx at `x` inside the support."""

    @abstractmethod
    def start(self, data: LifeRows) -> Floats:
        """Where a fit starts: (parameters, groups), finite everywhere; ages come in units of their group's oldest."""

    def contributions(self, data: LifeRows, p: Floats) -> Floats:
        """Ln of what each record contributes to the likelihood, once; p (parameters, records) is that of its group."""
        data, log_width = pointed(data)
        with np.errstate(all="ignore"):
            terms = log_width - self.hazard(data.age, p)
            late = data.entry > 0
            entered = np.zeros(len(terms))
            if late.any():
                entered[late] = self.hazard(data.entry[late], p[:, late])
            exact = data.event == Event.FAILURE
            terms[exact] += self.log_rate(data.age[exact], p[:, exact])
            between = data.event == Event.INTERVAL
            if between.any():
                of = p[:, between]
                before = np.where(data.age[between] == 0, 0.0, self.hazard(data.age[between], of))
                width = self.hazard(data.age_to[between], of) - before
                terms[between] = np.log(-np.expm1(-width)) - before
            return np.asarray(terms + entered)

    def starts(self, data: LifeRows) -> Sequence[Floats]:
        """All points that a fit starts from; the best end counts."""
        return [self.start(data)]

    def sound(self, data: LifeRows, p: Floats) -> Bools:
        """Which groups' maxima at `p` are ones that a fit may give: (groups,)."""
        return np.asarray(np.isfinite(p).all(0) & (data.groups > 0))

    def tidy(self, p: Floats, covariance: Floats) -> tuple[Floats, Floats]:
        """Parameters and the covariance of them on their scales, of several equal answers the one to be given."""
        return p, covariance

    def reliability(self, x: Floats, p: Floats) -> Floats:
        """R(x): the share that survives age x."""
        return np.exp(-self.hazard(x, p))

    def conditional(self, x: Floats, further: Floats, p: Floats) -> Floats:
        """The share of those alive at age x that survives so much further."""
        return np.exp(self.hazard(x, p) - self.hazard(x + further, p))

    def quantile(self, share: Floats, p: Floats) -> Floats:
        """The age by which `share` has failed, the B10 life for 0.1; infinite where so many never fail.

        Without a formula by bisection of the floating-point numbers themselves, whose bits are in their order: exact to
        the last digit after 64 steps, at any scale.
        """
        share, *_ = np.broadcast_arrays(np.asarray(share, np.float64), *p)
        with np.errstate(all="ignore"):
            wanted = -np.log1p(-share)
            last = np.full(share.shape, np.finfo(np.float64).max)
            never = ~(self.hazard(last, p) >= wanted)
            low, high = _order(-last if self.real else np.zeros(share.shape)), _order(last)
            for _ in range(64):
                middle = (low >> 1) + (high >> 1) + (low & high & 1)
                reached = self.hazard(_float(middle), p) >= wanted
                low, high = np.where(reached, low, middle), np.where(reached, middle, high)
            answer = np.where(never, np.inf, _float(high))
        return np.where(np.isnan(share) | np.isnan(p).any(0), np.nan, answer)

    def mean(self, p: Floats) -> Floats:
        """Mean life; infinite where the integral of R has no end.

        Without a formula by double-exponential quadrature (Takahasi and Mori, Publ. RIMS 9, 1974, 721-741), centred at
        the median and as wide as the middle half: of R over ages above 0, ages being m exp(w sinh t); of
        R(m + y) - F(m - y) over y above 0 where ages are any number.
        """
        q25, m, q75 = (self.quantile(np.asarray(share), p)[..., None] for share in (0.25, 0.5, 0.75))
        per = p[..., None]
        with np.errstate(all="ignore"):
            width = np.ones_like(m) if self.real else np.clip(np.log(q75 / q25), 1e-12, 10.0)
            unit = q75 - q25 if self.real else m
            last = np.arcsinh(600.0 / width)
            t = np.linspace(-1.0, 1.0, _NODES) * last
            x = unit * np.exp(width * np.sinh(t))
            height = self.reliability(m + x, per) + np.expm1(-self.hazard(m - x, per)) if self.real else (
                self.reliability(x, per)
            )  # fmt: skip
            parts = height * x * width * np.cosh(t)
            total = np.nansum(parts, axis=-1) * (2 * last[..., 0] / (_NODES - 1))
            ends = np.isfinite(total) & (np.abs(parts[..., -1]) <= 1e-8 * np.abs(parts).max(-1))
        middle = m[..., 0] if self.real else 0.0
        return np.where(np.isnan(p).any(0), np.nan, np.where(ends, middle + total, np.inf))


_NODES = 801
NARROW = 2e-6
"""Intervals narrower than that share of their age are points: the error is of the order of its square."""


def _order(x: Floats) -> Ints:
    """Whole numbers in the order of the floating-point numbers."""
    bits = x.view(np.int64)
    return np.where(bits >= 0, bits, np.int64(-(2**63)) - bits)


def _float(order: Ints) -> Floats:
    """The floating-point numbers with this `_order`."""
    bits = np.where(order >= 0, order, np.int64(-(2**63)) - order)
    return bits.view(np.float64)


def pointed(data: LifeRows) -> tuple[LifeRows, Floats]:
    """Records of which intervals too narrow for a difference of R are failures at their middle, and ln of their widths.

    The widths' logarithms are 0 for all other records: a density times a width is what such an interval contributes.
    """
    none = np.zeros(len(data.age))
    narrow = (data.event == Event.INTERVAL) & (data.age > 0) & (data.age_to - data.age < NARROW * data.age_to)
    if not narrow.any():
        return data, none
    with np.errstate(divide="ignore", invalid="ignore"):
        log_width = np.where(narrow, np.log(data.age_to - data.age), none)
    event = np.where(narrow, Event.FAILURE, data.event).astype(np.int8)
    middle = np.where(narrow, data.age + (data.age_to - data.age) / 2, data.age)
    return replace(data, age=middle, event=event, age_to=np.where(narrow, np.nan, data.age_to)), log_width


class Status(IntEnum):
    """How a fit of one group ended."""

    FITTED = 0
    """A maximum, with negative definite second derivatives."""
    NO_ROWS = 1
    """The group has no record that says anything."""
    NO_FAILURE = 2
    """All censored: there is a bound, but no estimate (`analytics.life.exact`)."""
    TOO_FEW = 3
    """Fewer distinct failures than the distribution has parameters: one failure tells no shape."""
    NO_MAXIMUM = 4
    """The likelihood keeps rising towards an end of the parameters' range, or is flat."""


@dataclass(frozen=True, slots=True)
class Fits:
    """A distribution fitted to groups, one column a group.

    `parameters` has the shape (parameters, groups), nan where the status is not FITTED; `covariance`
    (parameters, parameters, groups) is that of the parameters on their scales, from the observed information.
    `log_likelihood` is that of the ages as given; `n` and `failures` count units, `distinct` different failure ages or
    intervals.
    """

    distribution: Distribution
    parameters: Floats
    covariance: Floats
    log_likelihood: Floats
    n: Floats
    failures: Floats
    distinct: Ints
    status: Ints

    @property
    def fitted(self) -> Bools:
        """Which groups have an estimate."""
        return np.asarray(self.status == Status.FITTED)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure that follows from the parameters: a mean, a B-life, a reliability. `function(distribution, p)` with p of
    the shape (parameters, groups) gives (groups,).
    """

    name: str
    text: Text
    scale: Scale
    function: Callable[[Distribution, Floats], Floats]
    unit: Literal["age", "rate", "log age", "none"] = "age"


@dataclass(frozen=True, slots=True)
class Intervals:
    """A figure of every group with its two-sided interval at `level`, arrays of the shape (groups,).

    `se` is the standard error of the figure itself. An end is nan where the data give none, or where there is no
    estimate.
    """

    value: Floats
    se: Floats
    low: Floats
    high: Floats
    level: float
