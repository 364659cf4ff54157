"""What a life distribution, a fit of it to thousands of groups, and a figure that follows from it are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Literal

import numpy as np
from scipy.special import expit, logit

from analytics.life.rows import Bools, Floats, Ints, LifeRows
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

    def reliability(self, x: Floats, p: Floats) -> Floats:
        """R(x): the share that survives age x."""
        return np.exp(-self.hazard(x, p))

    def conditional(self, x: Floats, further: Floats, p: Floats) -> Floats:
        """The share of those alive at age x that survives so much further."""
        return np.exp(self.hazard(x, p) - self.hazard(x + further, p))

    def quantile(self, share: Floats, p: Floats) -> Floats:
        """The age by which `share` has failed, the B10 life for 0.1; by bisection where there is no formula."""
        raise NotImplementedError

    def mean(self, p: Floats) -> Floats:
        """Mean life, the integral of R; by quadrature where there is no formula, infinite where it has no end."""
        raise NotImplementedError


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
