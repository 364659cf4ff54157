"""What follows from a fitted power law, with intervals: shape, intensity, MTBF, failures to come, goodness of fit."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import gammainc, gammaln, ive, logsumexp
from scipy.stats import chi2, gamma, nbinom, norm

from analytics.life.distribution import Status
from analytics.life.growth import Grouped, Growth, Observed
from analytics.life.repairable import LEVEL, NOTHING, Figure, Termination, count_mean
from analytics.life.rows import Floats

SEED = 20260101
DRAWS = 10_000
MANY = 100_000
MOST = 1e12
"""A count to come beyond this is none: the shape is hardly known."""
LARGEST = 200
"""Failures that critical values are simulated for at most: beyond 60 they hardly change (Crow 1975, table 2)."""


def shape(fit: Growth, level: float = LEVEL) -> Figure:
    """Beta: maximum likelihood, with exact bounds where times are exact and watched from 0.

    Given the failures of each system, 2 beta sum_log is chi-square (Crow 1975, 3.2): bounds chi2 / (2 sum_log). Else by
    the observed information on the log scale. Without a maximum there may still be bounds.
    """
    tail = (1 - level) / 2
    if fit.sum_log > 0 and fit.degrees > 0:
        low, high = (float(chi2.ppf(p, 2 * fit.degrees) / (2 * fit.sum_log)) for p in (tail, 1 - tail))
        return Figure(fit.beta, low, high)
    return _wald(np.log(fit.beta), fit.covariance[1, 1], level)


def scale(fit: Growth, level: float = LEVEL) -> Figure:
    """Lambda by maximum likelihood, its interval by the observed information on the log scale."""
    return _wald(fit.log_lambda, fit.covariance[0, 0], level)


def scale_given(fit: Growth, beta: float, level: float = LEVEL) -> Figure:
    """Lambda where beta is known, with exact bounds: those of a Poisson mean over E (Crow 1975, 3.22 and 3.23)."""
    exposure = float(np.sum(fit.until**beta - np.where(fit.start > 0, fit.start, 0.0) ** beta))
    return Figure(*(each / exposure for each in count_mean(fit.failures, fit.termination, level)))


def scale_jointly(fit: Growth, level: float = LEVEL) -> Figure:
    """Lambda with bounds that hold together with those of `shape` with at least level^2, on the safe side.

    The exact bounds of lambda at the ends of beta's (Crow 1975, 3.24): with both at 0.9, at least 0.81.
    """
    beta = shape(fit, level)
    ends = [scale_given(fit, each, level) for each in (beta.low, beta.high)]
    return Figure(fit.scale, min(e.low for e in ends), max(e.high for e in ends))


def intensity(fit: Growth, at: float | None = None, level: float = LEVEL) -> Figure:
    """Failures per unit of time of one system at a time (the end where none is said): one over `mtbf`."""
    return mtbf(fit, at, level).inverse()


def mtbf(fit: Growth, at: float | None = None, level: float = LEVEL) -> Figure:
    """Instantaneous mean time between failures, 1 / rho(t).

    At the end of observation Crow's exact bounds (`crow_factors`); elsewhere, and where systems were not watched
    together, by the observed information on the log scale.
    """
    t = fit.end if at is None else at
    log_rate = fit.log_lambda + np.log(fit.beta) + (fit.beta - 1) * np.log(t)
    if fit.exact and t == fit.end and np.isfinite(log_rate):
        value = float(np.exp(-log_rate))
        low, high = crow_factors(int(fit.failures), fit.termination, level)
        return Figure(value, value * low, value * high)
    slope = np.array([1.0, 1.0 + fit.beta * np.log(t)])
    return _wald(-log_rate, float(slope @ fit.covariance @ slope), level)


def mtbf_cumulative(fit: Growth, level: float = LEVEL) -> Figure:
    """Mean time between failures so far: all systems' time over all failures, with exact Poisson bounds.

    It holds whatever the law is: without a failure there is a low end. The bounds of failures from different ends up to
    a failure are those of a fixed time.
    """
    hours = float(np.sum(fit.until - fit.start))
    mean = count_mean(fit.failures, fit.termination if fit.exact else "time", level)
    return Figure(*(each / hours for each in mean)).inverse()


def reached(fit: Growth, target: float, *, cumulative: bool = False) -> float:
    """The time at which the instantaneous (or the cumulative) MTBF of one system is `target`; nan where beta is 1."""
    rate = fit.log_lambda + np.log(target) + (0.0 if cumulative else np.log(fit.beta))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        time = np.exp(rate / np.float64(1 - fit.beta))
    return float(time) if np.isfinite(time) else np.nan


def modified(fit: Growth) -> tuple[float, float, float]:
    """Beta without bias, and lambda = n / E and the MTBF at the end that go with it (NIST/SEMATECH e-Handbook,
    8.4.5.2).
    """
    beta = fit.unbiased
    exposure = float(np.sum(fit.until**beta - np.where(fit.start > 0, fit.start**beta, 0.0)))
    lam = fit.failures / exposure
    return beta, lam, float(1 / (lam * beta * fit.end ** (beta - 1)))


def _wald(center: float, variance: float, level: float) -> Figure:
    spread = norm.ppf((1 + level) / 2) * np.sqrt(variance)
    with np.errstate(over="ignore"):
        return Figure(*(float(np.exp(center + way * spread)) for way in (0, -1, 1)))


@functools.lru_cache(maxsize=4096)
def crow_factors(failures: int, termination: Termination = "time", level: float = LEVEL) -> tuple[float, float]:
    """Two-sided bounds of the instantaneous MTBF at the end as factors of its estimate, for n failures.

    Up to a time: given S = sum ln(T / t), P(N = n) is proportional to y^n / (n! (n - 1)!) with y = S T / MTBF, whatever
    beta is; the sum over all n is sqrt(y) I_1(2 sqrt y). The bounds are the MTBF for which P(N <= n) and P(N >= n) are
    half of what is outside; the factor is n^2 / y (Crow, Proceedings of the Annual Reliability and Maintainability
    Symposium, 1982; NASA TM-103511, 1990, has H(x | k) with y = x^2 / 4). Conservative, for N is whole.
    Up to a failure: n^2 estimate / MTBF is the product of two independent gamma variables of n and n - 1 (ibid.);
    exact. Of more than `MANY` failures, by the information: 2 / n is the
    variance of the logarithm. nan where there is no bound: one failure up to a time has no high end.
    """
    tail = (1 - level) / 2
    if failures < 1 or (termination == "failure" and failures < 2):
        return np.nan, np.nan
    if failures > MANY:
        spread = float(np.exp(norm.isf(tail) * np.sqrt(2 / failures)))
        return 1 / spread, spread
    n2 = float(failures) ** 2
    if termination == "failure":
        ends = (_product(p, failures) for p in (1 - tail, tail))
        low, high = (n2 / end for end in ends)
        return low, high
    low = n2 / _conditional(tail, failures)
    return low, n2 / _conditional(1 - tail, failures - 1) if failures > 1 else np.nan


def _conditional(p: float, k: int) -> float:
    """The y for which P(N <= k) = p."""
    j = np.arange(1, k + 1)
    weights = -gammaln(j + 1) - gammaln(j)

    def excess(log_y: float) -> float:
        root = np.exp(log_y / 2)
        whole = log_y / 2 + np.log(ive(1, 2 * root)) + 2 * root
        return float(np.exp(logsumexp(j * log_y + weights) - whole) - p)

    middle, reach = 2 * np.log(k + 0.5), 12.0 / np.sqrt(k)
    low, high = middle - reach, middle + reach
    while excess(low) < 0:
        low -= reach
    while excess(high) > 0:
        high += reach
    return float(np.exp(brentq(excess, low, high, xtol=1e-13)))


def _product(p: float, n: int) -> float:
    """The quantile of the product of gamma variables of n and n - 1."""
    node, weight = np.polynomial.legendre.leggauss(200)
    low, high = gamma.ppf(1e-13, n), gamma.isf(1e-13, n)
    g = low + (node + 1) / 2 * (high - low)
    mass = weight * (high - low) / 2 * gamma.pdf(g, n)

    def excess(log_z: float) -> float:
        return float(mass @ gammainc(n - 1, np.exp(log_z) / g)) - p

    middle, reach = np.log(n * (n - 0.5)), 12.0 / np.sqrt(n)
    low_z, high_z = middle - reach, middle + reach
    while excess(low_z) > 0:
        low_z -= reach
    while excess(high_z) < 0:
        high_z += reach
    return float(np.exp(brentq(excess, low_z, high_z, xtol=1e-13)))


def expected(fit: Growth, at: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats, Floats]:
    """Failures of one system up to the times `at`, with the ends of their interval by the information, log scale."""
    t = np.asarray(at, np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_t = np.log(t)
        center = fit.log_lambda + fit.beta * log_t
        slope = fit.beta * log_t
        c = fit.covariance
        spread = norm.ppf((1 + level) / 2) * np.sqrt(np.maximum(c[0, 0] + 2 * slope * c[0, 1] + slope**2 * c[1, 1], 0))
        found = (np.where(t > 0, np.exp(center + way * spread), 0.0) for way in (0, -1, 1))
        value, low, high = found
    return value, low, high


def to_come(fit: Growth, further: float, level: float = LEVEL) -> tuple[Figure, Figure]:
    """Failures of all systems over `further` time after their ends: (expected, counted).

    `expected` is lambda sum((T + x)^beta - T^beta); the interval of `counted` is to contain the count that will be
    seen: given beta the count is negative binomial, n failures at odds of the expected up to T to those after; beta is
    a gamma variable as its pivot says (Bar-Lev, Lavi and Reiser, Annals of the Institute of Statistical Mathematics 44,
    1992, with the prior 1 / (lambda beta); Calabria, Guida and Pulcini, IEEE Transactions on Reliability 39, 1990).
    Where there is no pivot the gamma variable has the variance of ln beta.
    """
    if fit.status != Status.FITTED:
        return NOTHING, NOTHING
    if fit.sum_log > 0 and fit.degrees > 0:
        power, rate = fit.degrees, fit.sum_log
    else:
        power = float(1 / fit.covariance[1, 1])
        rate = power / fit.beta
    ends = fit.until if len(fit.until) == fit.systems else np.array([fit.end])
    share = (np.arange(400) + 0.5) / 400
    beta = gamma.ppf(share, power) / rate

    def growth(b: Floats) -> Floats:
        start, until, last = fit.start / fit.end, fit.until / fit.end, ends / fit.end
        seen = (until[:, None] ** b - np.where(start > 0, start, 0.0)[:, None] ** b).sum(axis=0)
        with np.errstate(all="ignore"):  # a shape that is hardly known may be far out
            found: Floats = ((last + further / fit.end)[:, None] ** b - last[:, None] ** b).sum(axis=0) / seen
        return np.where(np.isfinite(found), found, np.inf)

    ratio = growth(beta)
    mean = fit.failures * float(growth(np.array([fit.beta]))[0])
    tail = (1 - level) / 2
    draws = gamma.ppf(share, fit.failures)
    with np.errstate(all="ignore"):
        means = np.quantile(np.outer(ratio, draws), [tail, 1 - tail])

    def below(count: float) -> float:
        share_below = nbinom.cdf(count, fit.failures, 1 / (1 + ratio))  # nan where so many come that none is as few
        return float(np.mean(np.nan_to_num(share_below)))

    def quantile(p: float) -> float:
        low, high = -1.0, 8.0
        while below(high) < p:
            low, high = high, 2 * high
            if high > MOST:
                return np.nan
        while high - low > 1:
            middle = np.floor((low + high) / 2)
            low, high = (low, middle) if below(middle) >= p else (middle, high)
        return float(high)

    return Figure(mean, float(means[0]), float(means[1])), Figure(mean, quantile(tail), quantile(1 - tail))


@dataclass(frozen=True, slots=True)
class GoodnessOfFit:
    """A test of the power law. `p` below 0.05 speaks against it; `n` are the failures or intervals it counts."""

    name: str
    statistic: float
    p: float
    n: int
    degrees: int | None = None


def cramer_von_mises(data: Observed, draws: int = DRAWS) -> GoodnessOfFit | None:
    """Are the failures a power law? C^2 = 1 / (12 M) + sum (Z_j^b - (2 j - 1) / (2 M))^2.

    Z are the ordered t / T of all systems, without the last of each up to a failure, b is beta without bias (Crow 1975,
    3.38; MIL-HDBK-189, C.7). Its distribution depends on M alone; p is by simulation with a fixed seed. None for fewer
    than three failures that count, or where a system was not watched from 0.
    """
    z = relative(data)
    if z is None or len(z) < 3:
        return None
    statistic = float(_cramer(z[None])[0])
    null = _null(min(len(z), LARGEST), draws)
    return GoodnessOfFit("cramer_von_mises", statistic, float((1 + (null >= statistic).sum()) / (1 + draws)), len(z))


def critical(failures: int, share: ArrayLike, draws: int = DRAWS) -> Floats:
    """The values that Cramer-von Mises' statistic of so many failures passes with the probability `share`."""
    found: Floats = np.quantile(_null(min(failures, LARGEST), draws), 1 - np.asarray(share, np.float64))
    return found


def _null(m: int, draws: int) -> Floats:
    return _cramer(np.sort(1 - np.random.default_rng([SEED, m]).random((draws, m)), axis=1))


def _cramer(z: Floats) -> Floats:
    """The statistic of each row of ordered z in (0, 1]; all of one value have none (nan)."""
    m = z.shape[1]
    log_z = np.log(z)
    total = -log_z.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.exp((m - 1) / total * log_z)
    found: Floats = 1 / (12 * m) + np.sum((power - (2 * np.arange(1, m + 1) - 1) / (2 * m)) ** 2, axis=1)
    return found


def relative(data: Observed) -> Floats | None:
    """The failure times over the ends of their systems, all sorted, without those that end a system's observation; None
    where one was not watched from 0.
    """
    if (data.start > 0).any():
        return None
    z = data.time / data.end[data.system]
    if data.termination == "failure":
        last = np.append(data.system[1:] != data.system[:-1], True)
        z = z[~last[: len(z)]]
    return np.asarray(np.sort(z))


def chi_square(data: Grouped, fit: Growth, least: float = 5.0) -> GoodnessOfFit | None:
    """Are the counts a power law's? sum (n - e)^2 / e over intervals, degrees of freedom two less (MIL-HDBK-189, C.7).

    Intervals are joined with the next until `least` failures are expected; None where fewer than three remain.
    """
    if fit.status != Status.FITTED:
        return None
    share = (data.high / fit.end) ** fit.beta - np.where(data.low > 0, data.low / fit.end, 0.0) ** fit.beta
    e = fit.failures * share / share.sum()
    cells: list[list[float]] = []
    for n, mean in zip(data.failures.tolist(), e.tolist(), strict=True):
        if cells and (cells[-1][1] < least):
            cells[-1][0] += n
            cells[-1][1] += mean
        else:
            cells.append([n, mean])
    if len(cells) > 1 and cells[-1][1] < least:
        n, mean = cells.pop()
        cells[-1][0] += n
        cells[-1][1] += mean
    if len(cells) < 3:
        return None
    statistic = sum((n - mean) ** 2 / mean for n, mean in cells)
    degrees = len(cells) - 2
    return GoodnessOfFit("chi_square", statistic, float(chi2.sf(statistic, degrees)), len(cells), degrees)
