"""Failure rates over several samples that need not be alike: the multi-sample estimator of the offshore data handbooks.

A sample is the failures and the time in service of one installation, site or owner. Many classes of samples at once.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincc
from scipy.stats import gamma

from analytics.life.distribution import Intervals
from analytics.life.hierarchy import own_rates
from analytics.life.rows import Bools, Floats, Ints
from schema import Text


class Spread(IntEnum):
    """What the samples say of the variation between them."""

    FOUND = 0
    """The moment estimate of the between-sample variance is positive."""
    NO_ROWS = 1
    """No sample with time in service."""
    NO_FAILURE = 2
    """No failure in any sample: an upper bound, under the assumption that samples are alike."""
    ONE_SAMPLE = 3
    """One sample only: its own rate with exact bounds."""
    NOT_FOUND = 4
    """The samples vary by no more than chance: the variance of the crude rates stands in."""


CODES = {
    Spread.NO_ROWS: ("no_rows", Text("没有可用数据。", "There are no data to use.")),
    Spread.NO_FAILURE: ("no_failure", Text("没有失效：只有上限。", "No failure: there is an upper bound only.")),
    Spread.ONE_SAMPLE: (
        "one_sample",
        Text("只有一个样本：无法判断差异。", "One sample only: nothing tells of variation."),
    ),
    Spread.NOT_FOUND: (
        "spread_not_found",
        Text(
            "样本间差异不超过偶然波动：标准差按粗失效率的离散程度计，区间不窄于各样本相同时的区间。",
            "The samples vary by no more than chance: the standard deviation is that of the crude rates, the interval "
            "no narrower than that of samples alike.",
        ),
    ),
}
"""What is to be said where the spread is not simply found: a stable code and its text."""


@dataclass(frozen=True, slots=True)
class MultiSample:
    """Rates of classes of samples, arrays of the shape (classes,), in failures per unit of time.

    `mean` is the rate over all samples with the handbooks' interval, which is to hold the rates of a share `level` of
    samples (82 % instead of 90 % in simulations of 12 samples, for it takes the estimates for known). `spread` is the
    standard deviation between samples; `moment` the between-sample variance as estimated, also where it is negative.
    `together` is the rate as if samples were alike, with exact bounds of its own; `p_value` tells how probable so much
    variation is if they are (small: firms are not alike). `samples` counts those with time.
    """

    status: Ints
    mean: Intervals
    spread: Floats
    moment: Floats
    together: Intervals
    p_value: Floats
    samples: Ints


@np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore")  # times of any size
def multi_sample(
    failures: ArrayLike, time: ArrayLike, of: ArrayLike = 0, classes: int | None = None, level: float = 0.9
) -> MultiSample:
    """The multi-sample estimator for every class of samples.

    n_i failures in the time t_i at the rate lambda_i of sample i, the lambda_i having the mean theta and the variance
    sigma^2, and no stated distribution until the interval. With theta_1 = sum n / sum t, S1 = sum t, S2 = sum t^2 and
    V = sum (n_i - theta_1 t_i)^2 / t_i = sum n_i^2 / t_i - theta_1^2 S1:
    sigma^2 = (V - (k - 1) theta_1) S1 / (S1^2 - S2), which is unbiased, and where that is not positive
    sum (n_i / t_i - theta_1)^2 / (k - 1); theta = sum w_i n_i / t_i / sum w_i with w_i = 1 / (theta_1 / t_i + sigma^2);
    the interval is that of a gamma distribution with mean theta and standard deviation sigma: with
    b = theta / sigma^2, a = b theta, from z(alpha / 2; 2 a) / (2 b) to z(1 - alpha / 2; 2 a) / (2 b), z being
    chi-square quantiles (OREDA Offshore Reliability Data Handbook, 4th edition 2002, chapter on data formats and
    estimation, "multi-sample problems", after Spjoetvoll, Estimation of failure rate from reliability data bases,
    Society of Reliability Engineers' symposium, Trondheim 1985). One sample has the exact interval of a homogeneous
    one, chi2(alpha / 2; 2 n) / (2 t) to chi2(1 - alpha / 2; 2 n + 2) / (2 t). Where sigma^2 was not positive, the crude
    rates may by chance be all but equal: the interval is then widened to that of a homogeneous sample (not in the
    handbooks).

    The test of homogeneity is chi-square with k - 1 degrees of freedom on V / theta_1 (Potthoff and Whittinghill,
    Biometrika 53, 1966, 183-190); where few failures are expected a sample it is approximate.

    `failures` (counts) and `time` broadcast to (samples,); `of` says each sample's class. Samples with a negative or
    missing number or without time are left out.
    """
    n, t, c = (np.atleast_1d(np.asarray(each)) for each in np.broadcast_arrays(failures, time, of))
    size = int(c.astype(np.int64).max(initial=-1)) + 1 if classes is None else classes
    kept = (n >= 0) & (t > 0) & np.isfinite(n) & np.isfinite(t)
    n, t, c = n[kept].astype(np.float64), t[kept].astype(np.float64), c[kept].astype(np.int64)

    def sums(values: Floats) -> Floats:
        return np.bincount(c, values, size).astype(np.float64)

    k, total, s1 = sums(np.ones(len(n))), sums(n), sums(t)
    several, live = k > 1, total > 0
    status = np.select([k == 0, ~live, ~several], [Spread.NO_ROWS, Spread.NO_FAILURE, Spread.ONE_SAMPLE], Spread.FOUND)
    first = np.where(live, total, 1.0) / np.where(s1 > 0, s1, 1.0)
    scaled = t / np.where(s1 > 0, s1, 1.0)[c]  # times as shares of the class's, so that no square overflows
    expected = first[c] * t
    v = sums((n - expected) ** 2 / np.where(expected > 0, expected, 1.0))  # V / theta_1
    room = np.where(several, 1 - sums(scaled**2), 1.0)
    moment = np.where(several & live, first * (v - (k - 1)) / np.where(s1 > 0, s1, 1.0) / room, np.nan)
    crude = sums((n / t - first[c]) ** 2) / np.maximum(k - 1, 1)
    variance = np.where(moment > 0, moment, crude)
    status = np.where((status == Spread.FOUND) & ~(moment > 0), Spread.NOT_FOUND, status)

    w = 1 / (first[c] / t + variance[c])
    theta = sums(w * n / t) / np.where(k > 0, sums(w), 1.0)
    together = own_rates(total, s1, level)
    found = several & live
    shared: Bools = found & (variance > 0)
    tail = (1 - level) / 2
    shape = np.where(shared, theta**2 / np.where(shared, variance, 1.0), 1.0)
    ends = (np.where(shared, theta * gamma.ppf(p, shape) / shape, end) for p, end in (
        (tail, together.low), (1 - tail, together.high)
    ))  # fmt: skip
    low, high = ends
    doubtful = status == Spread.NOT_FOUND
    low = np.where(doubtful, np.minimum(low, together.low), low)
    high = np.where(doubtful, np.maximum(high, together.high), high)
    alone = live & ~several
    value = np.where(found, theta, np.where(alone, together.value, np.nan))
    with np.errstate(invalid="ignore"):
        se = np.where(found, 1 / np.sqrt(np.where(k > 0, sums(w), 1.0)), np.where(alone, together.se, np.nan))
    return MultiSample(
        status=status.astype(np.int64),
        mean=Intervals(value, se, low, high, level),
        spread=np.where(found, np.sqrt(variance), np.nan),
        moment=moment,
        together=together,
        p_value=np.where(found, gammaincc(np.maximum(k - 1, 1) / 2, v / 2), np.nan),
        samples=k.astype(np.int64),
    )
