"""Many cumulative hazards at once, as columns: what every number about failures is computed from."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

LEVEL = 0.9
WORST = 1e100
"""No cumulative hazard is more than this: reliability has long been 0, and sums and squares of it stay finite."""


class Kind(IntEnum):
    """Where a hazard comes from, best evidence first."""

    FITTED = 0
    """Maximum likelihood on at least three failures at two ages or more."""
    FEW = 1
    """One or two failures: the shape is borrowed, the rate has chi-square bounds."""
    DECLARED = 2
    """No failure of its own; what somebody declares."""
    BOUNDED = 3
    """No failure and no declaration: zero, with an upper bound from the exposure."""


@dataclass(frozen=True, slots=True)
class Hazards:
    """Weibull cumulative hazards, one a row: H(x) = (x / eta)^beta, with x and eta in the part's own age unit.

    An infinite `eta` gives 0 everywhere. All arrays have the shape (rows,).

    A row's interval comes from one of three places:

    * the covariance of (ln eta, ln beta), where `low_factor` is nan: ln H(x) = beta (ln x - ln eta) has by the delta
      method the variance beta^2 [z^2 var(ln beta) + var(ln eta) - 2 z cov] with z = ln x - ln eta
      (Meeker and Escobar, Statistical Methods for Reliability Data, 1998, appendix B.2 and section 8.4);
    * factors on H, `low_factor` and `high_factor`, the same at every age;
    * `bound_rate` for bounded rows, where H is 0: low = 0 and high = bound_rate x^beta.

    `level` is the two-sided confidence of all of them.
    """

    beta: Floats
    eta: Floats
    var_log_eta: Floats
    var_log_beta: Floats
    cov_log: Floats
    low_factor: Floats
    high_factor: Floats
    bound_rate: Floats
    kind: Codes
    level: float = LEVEL

    def __len__(self) -> int:
        return len(self.beta)

    @classmethod
    def empty(cls, level: float = LEVEL) -> "Hazards":
        """No rows."""
        none = np.zeros(0)
        return cls(none, none, none, none, none, none, none, none, np.zeros(0, np.int8), level)

    @classmethod
    def of(
        cls,
        beta: ArrayLike,
        eta: ArrayLike,
        kind: ArrayLike = Kind.FITTED,
        *,
        var_log_eta: ArrayLike = 0.0,
        var_log_beta: ArrayLike = 0.0,
        cov_log: ArrayLike = 0.0,
        low_factor: ArrayLike = np.nan,
        high_factor: ArrayLike = np.nan,
        bound_rate: ArrayLike = 0.0,
        level: float = LEVEL,
    ) -> "Hazards":
        """Rows from values that broadcast to one shape."""
        columns = (beta, eta, var_log_eta, var_log_beta, cov_log, low_factor, high_factor, bound_rate)
        *floats, codes = np.broadcast_arrays(*(np.asarray(c, np.float64) for c in columns), np.asarray(kind, np.int8))
        values = {name: np.atleast_1d(column).copy() for name, column in zip(COLUMNS, (*floats, codes), strict=True)}
        return cls(**values, level=level)

    def at(self, index: ArrayLike, x: ArrayLike) -> Floats:
        """H of the rows `index` at the ages `x`; the two broadcast against each other."""
        i = np.asarray(index)
        with np.errstate(over="ignore"):
            h: Floats = np.minimum((np.asarray(x, np.float64) / self.eta[i]) ** self.beta[i], WORST)
        return h

    def interval(self, index: ArrayLike, x: ArrayLike) -> tuple[Floats, Floats]:
        """Low and high ends of H at `level`, shaped like `at`; both are 0 at age 0."""
        i, age = np.broadcast_arrays(np.asarray(index), np.asarray(x, np.float64))
        h = self.at(i, age)
        positive = h > 0
        z = np.log(np.where(positive, h, 1.0)) / self.beta[i]
        variance = self.beta[i] ** 2 * (z**2 * self.var_log_beta[i] + self.var_log_eta[i] - 2 * z * self.cov_log[i])
        by_factor = ~np.isnan(self.low_factor[i])
        with np.errstate(over="ignore", divide="ignore"):
            spread = np.exp(norm.ppf((1 + self.level) / 2) * np.sqrt(np.maximum(variance, 0.0)))
            low = h * np.where(by_factor, self.low_factor[i], 1 / spread)
            high = np.where(positive, h, 1.0) * np.where(by_factor, self.high_factor[i], spread)
            bound = np.exp(np.minimum(np.log(self.bound_rate[i]) + self.beta[i] * np.log(age), np.log(WORST)))
        bounded = self.kind[i] == Kind.BOUNDED
        return (
            np.where(bounded | ~positive, 0.0, low),
            np.where(bounded, bound, np.where(positive, np.minimum(high, WORST), 0.0)),
        )

    def take(self, index: ArrayLike) -> "Hazards":
        """The rows `index`, in that order."""
        i = np.asarray(index)
        return replace(self, **{name: getattr(self, name)[i] for name in COLUMNS})

    def scaled(self, factor: ArrayLike) -> "Hazards":
        """Every scale times `factor` (a number, or one a row): a factor below 1 makes parts fail earlier."""
        f = np.broadcast_to(np.asarray(factor, np.float64), self.eta.shape)
        return replace(self, eta=self.eta * f, bound_rate=self.bound_rate * f**-self.beta)

    @classmethod
    def concat(cls, parts: Sequence["Hazards"]) -> "Hazards":
        """All rows of `parts`, in order. Raises ValueError when their levels differ."""
        levels = {part.level for part in parts}
        if len(levels) > 1:
            raise ValueError(f"hazards of different confidence levels cannot be joined: {sorted(levels)}")
        if not parts:
            return cls.empty()
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}, level=parts[0].level
        )


COLUMNS = tuple(field.name for field in fields(Hazards) if field.name != "level")
