"""Repairable units: time between failures, time to repair, availability, each with its interval.

An up time is what passed in operation, a down time what passed out of it; a repair time is the active part of a down
time. Failures that are not relevant (非关联故障: an operator's error, a consequence of another failure) keep a unit
from work, but say nothing of it.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import beta as beta_distribution
from scipy.stats import chi2, f, norm, t

from analytics.life.rows import Floats

Termination = Literal["time", "failure"]
"""How observation ended: at a time set beforehand, or at a failure."""

LEVEL = 0.9


class Figure(NamedTuple):
    """A number with its two-sided interval; nan where there is no estimate, or no bound on that side."""

    value: float
    low: float
    high: float

    def inverse(self) -> "Figure":
        """One over it: a time of a rate, and the other way round."""
        with np.errstate(divide="ignore"):
            value, low, high = (float(np.float64(1) / v) for v in (self.value, self.high, self.low))
        return Figure(*(each if np.isfinite(each) else np.nan for each in (value, low, high)))


NOTHING = Figure(np.nan, np.nan, np.nan)


def count_mean(count: float, termination: Termination = "time", level: float = LEVEL) -> Figure:
    """The mean of a Poisson count with exact bounds: chi-square quantiles over 2.

    Over a fixed time 2 count degrees of freedom below and 2 count + 2 above (Garwood, Biometrika 28, 1936; with time
    between failures, Epstein and Sobel, Annals of Mathematical Statistics 25, 1954; IEC 60605-4; MIL-HDBK-338B, section
    8.3.2.5.2); up to a failure 2 count on both sides. No failure gives no low end.
    """
    tail = (1 - level) / 2
    above = 2 * count + (2 if termination == "time" else 0)
    low = chi2.ppf(tail, 2 * count) / 2 if count > 0 else np.nan
    return Figure(float(count), float(low), float(chi2.ppf(1 - tail, above) / 2) if above else np.nan)


def mtbf(hours: float, failures: float, termination: Termination = "time", level: float = LEVEL) -> Figure:
    """Mean time between failures of a constant rate: hours / failures, with exact bounds (see `count_mean`).

    Without a failure there is no estimate and no high end, but a low end: the level's half outside.
    """
    mean = count_mean(failures, termination, level)
    if not hours > 0:
        return NOTHING
    rate = Figure(*(each / hours for each in mean))
    return rate.inverse()


def rate_ratio(
    before: float, exposure_before: float, after: float, exposure_after: float, level: float = LEVEL
) -> tuple[Figure, float]:
    """How many times as often it fails after as before, with exact bounds, and the two-sided p that it is the same.

    Given the sum of both counts, the one after is binomial with pi = rho E / (rho E + E'): bounds of pi by Clopper and
    Pearson (Biometrika 26, 1934), the test by doubling the smaller tail (Przyborowski and Wilenski, Biometrika 31,
    1940). Without exposure on either side, or any failure, nothing is known: nan, p = 1.
    """
    if not (exposure_before > 0 and exposure_after > 0 and before + after > 0):
        return NOTHING, 1.0
    n, share = before + after, exposure_after / (exposure_before + exposure_after)
    tail = (1 - level) / 2
    low = beta_distribution.ppf(tail, after, before + 1) if after > 0 else 0.0
    high = beta_distribution.ppf(1 - tail, after + 1, before) if before > 0 else 1.0
    with np.errstate(divide="ignore"):
        value, low, high = (float(np.float64(pi) / (1 - pi)) for pi in (after / n, low, high))
    odds = exposure_before / exposure_after
    below = beta_distribution.sf(share, after + 1, before) if before > 0 else 1.0  # P(count after <= after)
    above = beta_distribution.cdf(share, after, before + 1) if after > 0 else 1.0
    ends = (each * odds if np.isfinite(each) else np.nan for each in (value, low, high))
    return Figure(*ends), float(min(1.0, 2 * min(below, above)))


@dataclass(frozen=True, slots=True)
class Durations:
    """Repair or down times: how many, their sum, and what follows.

    `mean` is the plain mean with Student's interval; `lognormal_mean`, `median` and `p95` are of a lognormal
    distribution. nan where there are too few: a mean needs one, an interval two that differ.
    """

    count: float
    total: float
    mean: Figure
    lognormal_mean: Figure
    median: Figure
    p95: Figure


def durations(hours: ArrayLike, count: ArrayLike = 1.0, level: float = LEVEL) -> Durations:
    """Mean time to repair (MTTR), of repair times in hours; those that are missing, 0 or negative are left out.

    Lognormal: with m and s^2 the mean and the unbiased variance of ln t, the median is e^m with Student's interval, the
    mean e^(m + s^2 / 2) with Cox' interval, Student's t in place of the normal, m + s^2/2 +- t sqrt(s^2/n +
    s^4 / (2 (n - 1))) (Olsson, Journal of Statistics Education 13, 2005), and the time within which 95 % are repaired
    e^(m + 1.645 s), its interval by the normal approximation of its logarithm (MIL-HDBK-338B, section 5.6.2.1, has the
    estimates).
    """
    x, n = (np.array(each, np.float64).ravel() for each in np.broadcast_arrays(hours, count))
    good = np.isfinite(x) & (x > 0) & (n > 0)
    x, n = x[good], n[good]
    total, size = float(np.sum(n * x)), float(n.sum())
    if not size:
        return Durations(0.0, 0.0, NOTHING, NOTHING, NOTHING, NOTHING)
    y = np.log(x)
    plain, log_mean = total / size, float(np.sum(n * y) / size)
    if size < 2:
        bare = Figure(plain, np.nan, np.nan)
        return Durations(size, total, bare, NOTHING, Figure(plain, np.nan, np.nan), NOTHING)
    deviation = float(np.sqrt(np.sum(n * (x - plain) ** 2) / (size - 1)))
    s2 = float(np.sum(n * (y - log_mean) ** 2) / (size - 1))
    by = float(t.ppf((1 + level) / 2, size - 1))
    z95 = 1.6448536269514722

    def log_scale(center: float, error: float) -> Figure:
        return Figure(*(float(np.exp(center + way * by * error)) for way in (0, -1, 1)))

    half = by * deviation / np.sqrt(size)
    return Durations(
        size, total, Figure(plain, max(plain - half, 0.0), plain + half),
        log_scale(log_mean + s2 / 2, np.sqrt(s2 / size + s2**2 / (2 * (size - 1)))),
        log_scale(log_mean, np.sqrt(s2 / size)),
        log_scale(log_mean + z95 * np.sqrt(s2), np.sqrt(s2 / size + z95**2 * s2 / (2 * (size - 1)))),
    )  # fmt: skip


def availability(
    up: float,
    failures: float,
    down: float,
    downs: float,
    termination: Termination = "time",
    level: float = LEVEL,
    log_variance: float | None = None,
) -> Figure:
    """Steady-state availability A = MTBF / (MTBF + mean down time), with its interval.

    `up` hours with so many `failures`, and `down` hours in `downs` of them that were recorded: some failures may lack
    their down time, so the mean down time is down / downs. Both exponential: MTTR' MTBF / (MTBF' MTTR) of estimates
    (') and true values is F with (2 downs, 2 failures) degrees of freedom, exact up to a failure; over a fixed time
    the low end takes 2 failures + 2, on the safe side (Thompson, Technometrics 8, 1966; Trivedi, Probability and
    Statistics, 2002, section 10.2.4; IEC 61070). With `log_variance`, that of the logarithm of the mean down time,
    such as a lognormal's, the interval is symmetric on the scale of ln(MTTR / MTBF) (Gray and Lewis, Technometrics 9,
    1967, with the normal approximation). nan where nothing was recorded.
    """
    if not (up > 0 and failures > 0 and downs > 0 and down > 0):
        return NOTHING
    ratio = (down / downs) / (up / failures)
    tail = (1 - level) / 2
    if log_variance is None:
        more = 2.0 if termination == "time" else 0.0
        most = (failures + more / 2) / failures * f.ppf(1 - tail, 2 * failures + more, 2 * downs)
        low, high = ratio * most, ratio / f.ppf(1 - tail, 2 * downs, 2 * failures)
    else:
        spread = np.exp(norm.ppf(1 - tail) * np.sqrt(1 / failures + log_variance))
        low, high = ratio * spread, ratio / spread
    return Figure(*(float(1 / (1 + each)) for each in (ratio, low, high)))


@dataclass(frozen=True, slots=True)
class Repairable:
    """What records of failures and repairs say of units that are repaired or replaced.

    `failures` are the relevant ones, `others` those that are not, `hours` the time in operation of all units together,
    in the unit of the ages. `mtbf` counts relevant failures alone, `mtbf_all` all of them. `repair` and `down` are the
    times of relevant failures and of all failures. `inherent` availability is of relevant failures and their
    repair times, `operational` of all failures and all of their down times, waiting included.
    """

    failures: float
    others: float
    hours: float
    mtbf: Figure
    mtbf_all: Figure
    repair: Durations
    down: Durations
    inherent: Figure
    operational: Figure


def repairable(records: pl.DataFrame, level: float = LEVEL, *, in_hours: bool = True) -> Repairable:
    """MTBF, MTTR and availability of records: one part's, one maker's, whatever was selected.

    `records` has age, entry, count, failed, relevant (false: 非关联故障), repair_hours and downtime_hours, without
    empty cells but in the last two. Observation ends by the calendar ("time"). Inherent availability takes the
    variance of the mean repair time as it was seen (repair times are not exponential), operational availability
    exponential down times, waiting for service being most of them. Ages that are no hours (`in_hours` false) give no
    availability.
    """
    failed = records.filter("failed")
    ours, others = failed.filter("relevant"), failed.filter(~pl.col("relevant"))
    hours = float(((records["age"] - records["entry"]) * records["count"]).sum())

    def times(of: pl.DataFrame, column: str) -> Durations:
        return durations(_values(of, column), _values(of, "count"), level)

    repair, down = times(ours, "repair_hours"), times(failed, "downtime_hours")
    n, m = float(ours["count"].sum()), float(others["count"].sum())
    plain = repair.mean
    half = (plain.high - plain.value) / plain.value if plain.value > 0 else np.nan
    variance = (half / t.ppf((1 + level) / 2, repair.count - 1)) ** 2 if repair.count > 1 else None
    known = in_hours and variance is not None and np.isfinite(variance)
    return Repairable(
        n, m, hours, mtbf(hours, n, "time", level), mtbf(hours, n + m, "time", level), repair, down,
        availability(hours, n, repair.total, repair.count, "time", level, variance) if known else NOTHING,
        availability(hours, n + m, down.total, down.count, "time", level) if in_hours else NOTHING,
    )  # fmt: skip


def _values(of: pl.DataFrame, column: str) -> Floats:
    found: Floats = of[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return found
