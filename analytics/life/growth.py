"""Growth of repairable systems: the power law (Crow-AMSAA, a non-homogeneous Poisson process) and its intervals.

Each system fails with the intensity rho(t) = lambda beta t^(beta - 1), so that lambda t^beta failures are expected up
to time t: beta below 1 is growth, beta above 1 wear. Crow, Reliability Analysis for Complex, Repairable Systems, AMSAA
Technical Report 138, 1975; MIL-HDBK-189, Reliability Growth Management, 1981, appendix C; MIL-HDBK-189C, 2011,
chapter 6; IEC 61164.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from analytics.life.distribution import Status
from analytics.life.repairable import Termination
from analytics.life.rows import Floats, Ints
from chaingraph.errors import ChaingraphError
from schema import Text

STEEPEST = 1e3
"""A shape beyond this, or below one over it, is no maximum."""

REFUSED = {
    "growth.not_a_time": Text("时间须为正的有限数：{value}。", "A time must be a positive number, not {value}."),
    "growth.beyond_end": Text(
        "故障时间 {value} 不在观察期 {start}～{end} 之内。",
        "The failure time {value} is outside of the observation, {start} to {end}.",
    ),
    "growth.end": Text("观察终点 {value} 须大于起点 {start}。", "The end {value} must be after the start {start}."),
    "growth.end_missing": Text("定时截尾需要给出观察终点。", "Termination by time needs the end of observation."),
    "growth.not_a_count": Text("故障数须为非负整数：{value}。", "Failures must be a whole number, not {value}."),
    "growth.change_outside": Text(
        "变更时间 {value} 不在观察期 {start}～{end} 之内。",
        "The change at {value} is outside of the observation, {start} to {end}.",
    ),
    "growth.overlap": Text(
        "区间重叠：{value} 之前已有区间到 {end}。", "Intervals overlap: one goes to {end}, the next begins at {value}."
    ),
}
"""What cannot be fitted at all."""


def refuse(code: str, **values: object) -> ChaingraphError:
    """The refusal with this code; numbers are shown short."""
    shown = {name: f"{v:.6g}" if isinstance(v, float) else str(v) for name, v in values.items()}
    return ChaingraphError(code, Text(REFUSED[code].zh.format(**shown), REFUSED[code].en.format(**shown)))


@dataclass(frozen=True, slots=True)
class Observed:
    """Failure times of systems that were watched from `start` to `end`.

    `time` and `system` have the shape (failures,), sorted by system and time; `start` and `end` (systems,). Systems
    have one law and each its own clock.
    """

    time: Floats
    system: Ints
    start: Floats
    end: Floats
    termination: Termination

    @property
    def counts(self) -> Floats:
        """Failures of each system."""
        return np.bincount(self.system, minlength=len(self.end)).astype(np.float64)

    def cut(self, at: float) -> tuple["Observed", "Observed"]:
        """What was seen up to a time of every system's clock, and after it. Raises ChaingraphError where it is no time
        of all systems' observation.
        """
        for start, end in zip(self.start.tolist(), self.end.tolist(), strict=True):
            if not start < at < end:
                raise refuse("growth.change_outside", value=at, start=start, end=end)
        first = self.time <= at
        same = np.full(len(self.end), at)
        return (
            Observed(self.time[first], self.system[first], self.start, same, "time"),
            Observed(self.time[~first], self.system[~first], same, self.end, self.termination),
        )

    @property
    def together(self) -> bool:
        """Whether all systems were watched from 0 to one time, as exact intervals ask for."""
        return bool((self.start == 0).all() and (self.end == self.end[0]).all()) and (
            self.termination == "time" or len(self.end) == 1
        )


def observed(
    times: ArrayLike,
    end: ArrayLike | None = None,
    termination: Termination = "time",
    system: ArrayLike = 0,
    start: ArrayLike = 0.0,
) -> Observed:
    """Failure times in any order, made ready.

    `end` and `start` are numbers, or one a system; `system` codes in 0 ... systems - 1. With termination "failure" each
    system was watched up to its last failure, and `end` need not be said. Raises ChaingraphError for times that are
    not positive numbers or outside of the observation.
    """
    time = np.asarray(times, np.float64).ravel()
    of = np.broadcast_to(np.asarray(system, np.int64), time.shape)
    order = np.lexsort((time, of))
    time, of = time[order], of[order]
    bad = ~(np.isfinite(time) & (time > 0))
    if bad.any():
        raise refuse("growth.not_a_time", value=float(time[bad][0]))
    systems = max(int(of.max(initial=-1)) + 1, np.size(end) if end is not None else 1)
    if end is None:
        if termination == "time" or not len(time):
            raise refuse("growth.end_missing")
        last = np.zeros(systems)
        np.maximum.at(last, of, time)
        end = last
    until = np.broadcast_to(np.asarray(end, np.float64), (systems,)).copy()
    since = np.broadcast_to(np.asarray(start, np.float64), (systems,)).copy()
    for e, s in zip(until.tolist(), since.tolist(), strict=True):
        if not (np.isfinite(e) and np.isfinite(s) and 0 <= s < e):
            raise refuse("growth.end", value=e, start=s)
    outside = (time > until[of]) | (time < since[of])
    if outside.any():
        where = of[outside][0]
        raise refuse(
            "growth.beyond_end", value=float(time[outside][0]), start=float(since[where]), end=float(until[where])
        )
    return Observed(time, of, since, until, termination)


@dataclass(frozen=True, slots=True)
class Grouped:
    """Failures counted in intervals that do not overlap, from the smallest `low` to the largest `high`; one system."""

    low: Floats
    high: Floats
    failures: Floats


def grouped(low: ArrayLike, high: ArrayLike, failures: ArrayLike) -> Grouped:
    """Counts by interval, in any order, made ready. Raises ChaingraphError for what are no intervals or no counts."""
    a, b, n = (np.asarray(each, np.float64).ravel() for each in (low, high, failures))
    order = np.argsort(a, kind="stable")
    a, b, n = a[order], b[order], n[order]
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        if not (np.isfinite(x) and np.isfinite(y) and 0 <= x < y):
            raise refuse("growth.end", value=y, start=x)
    bad = ~(np.isfinite(n) & (n >= 0) & (n == np.floor(n)))
    if bad.any():
        raise refuse("growth.not_a_count", value=float(n[bad][0]))
    over = a[1:] < b[:-1]
    if over.any():
        raise refuse("growth.overlap", value=float(a[1:][over][0]), end=float(b[:-1][over][0]))
    return Grouped(a, b, n)


@dataclass(frozen=True, slots=True)
class Growth:
    """A power law fitted to systems. All but the counts is nan where `status` is not FITTED.

    `end` is the time for which "instantaneous" holds: the latest end. `exposures` are (start, end) of what was watched:
    of systems, or of intervals. `covariance` is that of (ln lambda, ln beta) from the observed information. `sum_log`
    is the sum of ln(end / t), and `degrees` its chi-square degrees of freedom over 2, where times are exact and starts
    0 (else nan): given the failures of each system, 2 beta sum_log is chi-square with 2 degrees (Crow 1975, 3.2).
    `exact` says whether the systems were watched together, so that Crow's bounds of the intensity hold.
    """

    status: Status
    failures: float
    systems: int
    end: float
    termination: Termination
    beta: float
    log_lambda: float
    covariance: Floats
    log_likelihood: float
    start: Floats
    until: Floats
    sum_log: float
    degrees: float
    exact: bool

    @property
    def scale(self) -> float:
        """Lambda: failures of a system up to time 1."""
        with np.errstate(over="ignore"):
            return float(np.exp(self.log_lambda))

    @property
    def unbiased(self) -> float:
        """Beta without its bias, (degrees - 1) / sum_log; nan for counts by interval, starts above 0, and below 2.

        For one system (n - 1) / n of the maximum likelihood up to a time, (n - 2) / n up to a failure (MIL-HDBK-189,
        C.5).
        """
        return (self.degrees - 1) / self.sum_log if self.degrees > 1 and self.sum_log > 0 else np.nan


def fit(data: Observed | Grouped) -> Growth:
    """The power law by maximum likelihood.

    With E(beta) = sum over what was watched of end^beta - start^beta, lambda = n / E and beta solves
    n / beta + sum ln t = n E' / E for exact times (Crow 1975, 3.1; with all ends T and starts 0: beta = n / sum ln(T /
    t)), sum n_i e_i' / e_i = n E' / E for counts n_i in intervals, e_i = b_i^beta - a_i^beta (MIL-HDBK-189, appendix
    C.6). One failure up to a time has a maximum, up to a failure two are needed; failures all at the end have none.
    """
    exact = isinstance(data, Observed)
    start, until = (data.start, data.end) if isinstance(data, Observed) else (data.low, data.high)
    unit = float(until.max())
    n = float(len(data.time) if isinstance(data, Observed) else data.failures.sum())
    termination: Termination = data.termination if isinstance(data, Observed) else "time"
    systems = len(until) if exact else 1
    sum_log, degrees = np.nan, np.nan
    if isinstance(data, Observed) and (start == 0).all():
        sum_log = float(np.sum(np.log(data.end[data.system] / data.time)))
        degrees = float(np.sum(np.maximum(data.counts - (termination == "failure"), 0)))
    together = isinstance(data, Observed) and data.together

    def answer(status: Status, beta: float, log_lambda: float, covariance: Floats, likelihood: float) -> Growth:
        return Growth(
            status, n, systems, unit, termination, beta, log_lambda, covariance, likelihood, start, until, sum_log,
            degrees, together,
        )  # fmt: skip

    def none(status: Status) -> Growth:
        return answer(status, np.nan, np.nan, np.full((2, 2), np.nan), np.nan)

    if n == 0:
        return none(Status.NO_FAILURE)
    if exact and termination == "failure" and not degrees > 0:
        return none(Status.TOO_FEW)
    terms = _Terms(data, unit)
    beta = n / sum_log if together and sum_log > 0 else root(terms.score)
    if not 1 / STEEPEST < beta < STEEPEST:
        return none(Status.NO_MAXIMUM)
    e, d, d2, own, curvature = terms.at(beta)
    log_lambda = np.log(n / e)
    information = np.array([[n, n * beta * d / e], [n * beta * d / e, beta**2 * (n * d2 / e - curvature)]])
    if not np.linalg.det(information) > 0:
        return none(Status.NO_MAXIMUM)
    to_unit = np.array([[1.0, -beta * np.log(unit)], [0.0, 1.0]])
    likelihood = n * log_lambda - n + own - (n * np.log(unit) if exact else 0.0)
    return answer(
        Status.FITTED, beta, log_lambda - beta * np.log(unit), to_unit @ np.linalg.inv(information) @ to_unit.T,
        likelihood,
    )  # fmt: skip


class _Terms:
    """What the likelihood is made of, as functions of beta, times in units of the latest end."""

    def __init__(self, data: Observed | Grouped, unit: float) -> None:
        self.exact = isinstance(data, Observed)
        if isinstance(data, Observed):
            self.n = float(len(data.time))
            self.logs = float(np.sum(np.log(data.time / unit)))
            self.low, self.high = data.start / unit, data.end / unit
            self.each = np.zeros(0)
        else:
            self.n, self.logs = float(data.failures.sum()), 0.0
            self.low, self.high, self.each = data.low / unit, data.high / unit, data.failures

    def at(self, beta: float) -> tuple[float, float, float, float, float]:
        """E with its two derivatives by beta, the failures' own part of the log likelihood, and its curvature."""
        low = np.where(self.low > 0, self.low, 1.0)
        log_low, log_high = np.log(low), np.log(self.high)
        below, above = np.where(self.low > 0, low**beta, 0.0), self.high**beta
        e, d, d2 = (above * log_high**k - below * log_low**k for k in range(3))
        total = (float(e.sum()), float(d.sum()), float(d2.sum()))
        if self.exact:
            return *total, self.n * np.log(beta) + (beta - 1) * self.logs, -self.n / beta**2
        seen = self.each > 0
        r, r2 = d[seen] / e[seen], d2[seen] / e[seen]
        return *total, float(self.each[seen] @ np.log(e[seen])), float(self.each[seen] @ (r2 - r**2))

    def score(self, beta: float) -> float:
        """The derivative of the profile log likelihood by beta."""
        with np.errstate(all="ignore"):
            low = np.where(self.low > 0, self.low, 1.0)
            below, above = np.where(self.low > 0, low**beta, 0.0), self.high**beta
            e, d = above - below, above * np.log(self.high) - below * np.log(low)
            own = (
                self.n / beta + self.logs
                if self.exact
                else float(np.nansum(np.where(self.each > 0, self.each * d / e, 0)))
            )
            return float(own - self.n * d.sum() / e.sum())


def root(score: Callable[[float], float]) -> float:
    """Where `score` falls through 0; nan where it does not."""
    low, high = 1.0, 1.0
    while not score(low) > 0:
        low /= 2
        if low < 1 / STEEPEST:
            return np.nan
    while not score(high) < 0:
        high *= 2
        if high > STEEPEST:
            return np.nan
    return float(brentq(score, low, high, xtol=1e-15, rtol=4e-16 * 4, maxiter=300))
