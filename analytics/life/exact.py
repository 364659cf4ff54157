"""Exact intervals, where they exist: of an exponential rate, of a scale whose shape is known, of a share that survives.

All two-sided at `level`; each end is also a one-sided bound at (1 + level) / 2, so that a two-sided 0.9 holds the
one-sided 0.95 bounds. An end is nan where the data give none.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, chdtri

from analytics.life.distribution import Intervals
from analytics.life.rows import Event, Floats, LifeRows, exposed
from schema import Text

Termination = Literal["time", "failure"]
"""What ended the observation: an age or a date that was set before, or the failure that was the last."""

ZERO_FAILURES = Text(
    "零失效时 GB/T 23567 约定的点值：累计时间的 3 倍。这是标准的约定，不是估计值，应与旁边的下限一并引用。",
    "The figure that GB/T 23567 gives for zero failures: 3 times the total time. A convention of the standard, not an "
    "estimate: quote it with the lower bound beside it.",
)


def exponential_rate(
    failures: ArrayLike, exposure: ArrayLike, level: float = 0.9, termination: Termination = "time"
) -> Intervals:
    """Failures per unit of age where the rate is constant: r / T with exact chi-square ends.

    2 T rate is chi-square distributed; the low end has 2r degrees of freedom, the high end 2r + 2 where time ended the
    observation and 2r where the r-th failure did (MIL-HDBK-781A and GJB 899A, interval of the MTBF after a test;
    Nelson, Applied Life Data Analysis, 1982, section 6.2; Meeker and Escobar 1998, section 7.5).

    `failures` r and `exposure` T (unit-hours) broadcast. Without a failure the value is 0 and there is only a high end,
    -ln((1 - level) / 2) / T. Without exposure everything is nan.
    """
    r, total = np.broadcast_arrays(np.atleast_1d(np.asarray(failures, np.float64)), np.asarray(exposure, np.float64))
    observed = (total > 0) & np.isfinite(total)
    t = np.where(observed, total, np.nan)
    low, high = _chi_square_factors(r, level, termination)
    value = r / t
    with np.errstate(invalid="ignore"):
        se = np.where(r > 0, np.sqrt(r) / t, np.nan)
    return Intervals(value, se, low / t, high / t, level)


def exponential_mean(
    failures: ArrayLike, exposure: ArrayLike, level: float = 0.9, termination: Termination = "time"
) -> Intervals:
    """Mean life or MTBF, T / r with the ends of `exponential_rate` turned over: 2T / chi-square.

    Without a failure there is no value (nan), only the low end.
    """
    rate = exponential_rate(failures, exposure, level, termination)
    with np.errstate(all="ignore"):
        value = np.where(rate.value > 0, 1 / rate.value, np.nan)
        return Intervals(value, value * (rate.se / rate.value), 1 / rate.high, 1 / rate.low, level)


def zero_failure_figure(exposure: ArrayLike) -> Floats:
    """The MTBF that GB/T 23567 puts down for zero failures: 3 T. See `ZERO_FAILURES` for what it is and is not.

    The lower bound beside it is `exponential_mean(0, T).low`, T / 3.0 at a two-sided level of 0.9.
    """
    return 3.0 * np.asarray(exposure, np.float64)


def weibayes(data: LifeRows, beta: ArrayLike, level: float = 0.9, termination: Termination = "time") -> Intervals:
    """Weibull scale of each group whose shape `beta` is known: (sum of count (exit^beta - entry^beta) / r)^(1 / beta).

    Ages to the power beta are exponential, so the ends are those of `exponential_mean` to the power 1 / beta
    (Abernethy, The New Weibull Handbook, 2006, chapter 6; Meeker and Escobar 1998, section 8.5). An interval counts at
    its middle. Without a failure only the low end; without rows nothing.
    """
    shape = np.broadcast_to(np.asarray(beta, np.float64), (data.groups,))
    v, oldest = exposed(data, shape)
    failures = data.sums(data.count * (data.event != Event.SUSPENSION))
    powered = exponential_mean(failures, v, level, termination)

    def back(values: Floats) -> Floats:
        return np.asarray(oldest * values ** (1 / shape))

    value = back(powered.value)
    with np.errstate(invalid="ignore", divide="ignore"):
        se = value * powered.se / powered.value / shape
    return Intervals(value, se, back(powered.low), back(powered.high), level)


def success_share(units: ArrayLike, failures: ArrayLike = 0, level: float = 0.9) -> Intervals:
    """The share that survives a mission which `units` were put to and `failures` did not survive, with no age in it.

    Clopper and Pearson's ends, Biometrika 26(4), 1934, as quantiles of beta distributions. Zero failures are the
    success run: only a low end, ((1 - level) / 2)^(1 / n). All failed: only a high end. No units: nan.
    """
    n, f = np.broadcast_arrays(*(np.atleast_1d(np.asarray(each, np.float64)) for each in (units, failures)))
    tail = (1 - level) / 2
    survived = n - f
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(n > 0, survived / n, np.nan)
        se = np.where((f > 0) & (survived > 0), np.sqrt(value * (1 - value) / n), np.nan)
        low = np.where(survived > 0, betaincinv(np.maximum(survived, 1.0), f + 1, tail), np.nan)
        high = np.where(f > 0, betaincinv(survived + 1, np.maximum(f, 1.0), 1 - tail), np.nan)
    known = n > 0
    return Intervals(value, se, np.where(known, low, np.nan), np.where(known, high, np.nan), level)


def _chi_square_factors(r: Floats, level: float, termination: Termination) -> tuple[Floats, Floats]:
    """Ends of T x rate: halved chi-square quantiles; the low one is nan without a failure."""
    tail = (1 - level) / 2
    more = np.where((r > 0) & (termination == "failure"), 0.0, 2.0)
    low = np.where(r > 0, chdtri(np.maximum(2 * r, 1.0), 1 - tail) / 2, np.nan)
    return low, chdtri(2 * r + more, tail) / 2
