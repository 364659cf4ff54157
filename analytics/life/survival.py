"""Survival without a distribution: Kaplan-Meier and Nelson-Aalen curves of thousands of groups at once, with bands.

A unit is at risk at the ages after its entry up to its exit, both curves' risk sets. Where records enter late, a curve
says only what became of those alive at its origin; where nobody is left under observation before others enter, what
happened between is unknown, and a new curve of the same group starts there instead of the first one falling to 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import norm

from analytics.hazard import LEVEL
from analytics.life.distribution import inward, outward
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows, exits
from schema import Text

Band = Literal["plain", "log", "log-log"]
"""On which scale a band is symmetric: the survival itself, its logarithm, or ln(-ln S), which stays inside 0 to 1."""

CODES = {
    "enters_late": Text(
        "最早的记录也在寿命大于 0 时才开始观察：曲线只说明活到起点的单元。",
        "No record was observed from age 0: the curve is of those alive at its origin.",
    ),
    "interrupted": Text(
        "观察有中断（其间没有单元在观察中）：曲线分段，每段以活到其起点为条件。",
        "Nobody was under observation for a while: there are several curves, each of those alive at its origin.",
    ),
    "middle_of_intervals": Text(
        "区间失效按区间中点计；不作此假定请用 Turnbull 估计。",
        "Failures seen in intervals count at their middle; Turnbull's estimate does without that.",
    ),
    "no_failure": Text("没有失效：曲线没有台阶。", "No failure: the curve has no step."),
}
"""What the codes of a curve mean to people."""
_SAME = 1e-12
"""Two survivals as near as this are one: half of the units is half, however it was added up."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Steps of curves, arrays of the shape (steps,), in the order of group and age; a group without failures has none.

    `curve` counts the curves, several of a group where it was `interrupted`; `origin` is the age at which the units of
    the curve must be alive. `at_risk` and `failures` count units. `estimate` is the survival just after `age`
    (Kaplan-Meier) or the cumulative hazard up to it (Nelson-Aalen), `se` its standard error; `low` and `high` are at
    `level`, nan where there is no band: at a survival of 0, and outside of where a simultaneous band holds.
    `codes` has for each group the keys of `CODES` that fit it. `units` is how many lives each curve is made from, shape
    (curves,).
    """

    group: Ints
    curve: Ints
    origin: Floats
    age: Floats
    at_risk: Floats
    failures: Floats
    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    level: float
    codes: tuple[tuple[str, ...], ...]
    units: Floats


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Ages by which a share has failed, arrays of the shape (groups,), nan where the curve does not get so far.

    `origin` is that of the curve they are read from; an interval may have no high end (nan).
    """

    share: float
    value: Floats
    low: Floats
    high: Floats
    origin: Floats
    level: float


def kaplan_meier(data: LifeRows, level: float = LEVEL, band: Band = "log-log", *, simultaneous: bool = False) -> Curves:
    """The product-limit estimate of the survival of every group.

    S(t) = product over failure ages up to t of (1 - d / n), with the standard error S sqrt(sum of d / (n (n - d)))
    (Kaplan and Meier, JASA 53, 1958; Greenwood 1926; Klein and Moeschberger, Survival Analysis, 2nd ed. 2003, 4.2.1 and
    4.2.2, 4.6 for left truncation; bands 4.3.1, 4.3.2, and with the logarithm as R's survfit has it by default).
    `simultaneous` gives equal-precision bands for all ages from the first to the last failure with survivors at once
    (Nair, Technometrics 26, 1984; Klein and Moeschberger section 4.4): z is replaced by `equal_precision`. A band that
    leaves 0 to 1 is cut.
    """
    steps = _Steps.of(data)
    with np.errstate(divide="ignore", invalid="ignore"):
        last = steps.d >= steps.n
        log_survival = running(np.where(last, 0.0, np.log1p(-steps.d / steps.n)), steps.curve)
        variance = running(np.where(last, 0.0, steps.d / (steps.n * (steps.n - steps.d))), steps.curve)
    survival, spread = np.where(last, 0.0, np.exp(log_survival)), np.where(last, np.nan, np.sqrt(variance))
    z = np.full(len(survival), norm.ppf((1 + level) / 2))
    if simultaneous:
        z = _critical(np.where(last, np.nan, variance), steps.curve, level)
    low, high = _band(band, survival, spread, z)
    return steps.curves(survival, survival * spread, low, high, level)


def nelson_aalen(data: LifeRows, level: float = LEVEL, band: Literal["plain", "log"] = "log") -> Curves:
    """The cumulative hazard of every group: H(t) = sum of d / n, with the variance sum of d / n^2.

    (Nelson, Technometrics 14, 1972; Aalen, Annals of Statistics 6, 1978; Klein and Moeschberger 2003, 4.2.3 and 4.2.4.)
    The band is H exp(+-z se / H), or with `plain` H +- z se, cut at 0.
    """
    steps = _Steps.of(data)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard, variance = running(steps.d / steps.n, steps.curve), running(steps.d / steps.n**2, steps.curve)
        se, z = np.sqrt(variance), norm.ppf((1 + level) / 2)
        if band == "log":
            low, high = hazard * np.exp(-z * se / hazard), hazard * np.exp(z * se / hazard)
        else:
            low, high = np.maximum(hazard - z * se, 0.0), hazard + z * se
    return steps.curves(hazard, se, low, high, level)


def quantiles(of: Curves, share: float = 0.5) -> Quantiles:
    """The age by which `share` has failed in every group, from Kaplan-Meier curves.

    It is the first age with S <= 1 - share; the interval has the ages at which the band of S holds 1 - share
    (Brookmeyer and Crowley, Biometrics 38, 1982; Klein and Moeschberger 2003, section 4.5). A group with several curves
    is read from the one made from the most lives.
    """
    groups, alive = len(of.codes), 1 - share + _SAME
    found = {name: np.full(groups, np.nan) for name in ("value", "low", "high", "origin")}
    if len(of.curve):
        _, first = np.unique(of.curve, return_index=True)
        order = first[np.lexsort((-of.units[of.curve[first]], of.group[first]))]
        chosen = of.curve[order[np.unique(of.group[order], return_index=True)[1]]]
        kept = np.isin(of.curve, chosen)
        group, age = of.group[kept], of.age[kept]
        found["origin"][group] = of.origin[kept]
        ended = of.estimate[kept] <= 0
        for name, curve in (
            ("value", of.estimate[kept]),
            ("low", np.where(ended, 0.0, of.low[kept])),
            ("high", of.high[kept]),
        ):
            there = np.flatnonzero(curve <= alive)
            whose, at = np.unique(group[there], return_index=True)
            found[name][whose] = age[there[at]]
    return Quantiles(share=share, level=of.level, **found)


def equal_precision(ratio: ArrayLike, level: float = LEVEL) -> Floats:
    """What takes the place of z for a band that holds at all ages at once, between variances of ln S in this `ratio`.

    The c at which 4 f / c + f (c - 1/c) ln(ratio) = 1 - level, f being the normal density at c: the tail of the largest
    standardised value of a Brownian bridge (Miller and Siegmund, Biometrics 38, 1982, equation 8; `ratio` is
    a_U (1 - a_L) / (a_L (1 - a_U)) of Nair 1984). Never below z itself.
    """
    log = np.log(np.asarray(ratio, np.float64))
    low, high = np.full(log.shape, 1.0), np.full(log.shape, 20.0)
    for _ in range(60):
        c = (low + high) / 2
        above = norm.pdf(c) * (4 / c + (c - 1 / c) * log) > 1 - level
        low, high = np.where(above, c, low), np.where(above, high, c)
    return np.asarray(np.maximum((low + high) / 2, norm.ppf((1 + level) / 2)))


def running(values: Floats, segment: Ints) -> Floats:
    """Sums of `values` up to each place within its segment; what is in other segments changes no digit."""
    table = pl.DataFrame({"value": values, "segment": segment})
    return table.select(pl.col("value").cum_sum().over("segment")).to_series().to_numpy()


def stretches(entry: Floats, leaving: Floats, failed: Bools, group: Ints) -> tuple[Ints, Ints, Floats]:
    """Stretches of ages over which a group was under observation without a break: (of each row, group, origin).

    A new one starts where all that entered before have left; or where they left at the very age, the last of them all
    by failure, so that nobody is known to have lived through it. `origin` is its earliest entry. Groups without rows
    have no stretch.
    """
    values, rank = np.unique(np.concatenate([entry, leaving]), return_inverse=True)
    start, end = 2 * rank[: len(entry)] + 1, 2 * rank[len(entry) :] + ~failed
    order = np.lexsort((entry, group))
    width = 2 * len(values) + 2
    reached = np.maximum.accumulate(end[order] + group[order] * width)
    new = np.ones(len(order), np.bool_)
    new[1:] = (start[order] + group[order] * width)[1:] > reached[:-1]
    of = np.empty(len(order), np.int64)
    of[order] = np.cumsum(new) - 1
    return of, group[order][new], entry[order][new]


@dataclass(frozen=True, slots=True)
class RiskSets:
    """Units by segment and age, to be asked how many were at risk."""

    ages: Floats
    entries: tuple[Ints, Floats]
    exits: tuple[Ints, Floats]

    @classmethod
    def of(cls, segment: Ints, entry: Floats, leaving: Floats, count: Floats) -> RiskSets:
        """Of units in segments, `count` of each."""
        ages = np.unique(np.concatenate([entry, leaving]))

        def summed(at: Floats) -> tuple[Ints, Floats]:
            key = segment * len(ages) + np.searchsorted(ages, at)
            order = np.argsort(key, kind="stable")
            return key[order], np.concatenate([[0.0], np.cumsum(count[order])])

        return cls(ages, summed(entry), summed(leaving))

    def at(self, segment: Ints, age: Floats) -> Floats:
        """Units of a segment at risk at an age: entered before it, and not left before it."""
        start, key = segment * len(self.ages), segment * len(self.ages) + np.searchsorted(self.ages, age)

        def before(of: tuple[Ints, Floats]) -> Floats:
            keys, sums = of
            return np.asarray(sums[np.searchsorted(keys, key)] - sums[np.searchsorted(keys, start)])

        return before(self.entries) - before(self.exits)


def failure_ages(segment: Ints, age: Floats, count: Floats) -> tuple[Ints, Floats, Floats]:
    """The distinct failure ages of each segment, and how many failed: (segment, age, failures), sorted."""
    order = np.lexsort((age, segment))
    g, t = segment[order], age[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (g[1:] != g[:-1]) | (t[1:] != t[:-1])
    sums = np.add.reduceat(count[order], np.flatnonzero(new)) if len(order) else np.zeros(0)
    return g[new], t[new], sums


@dataclass(frozen=True, slots=True)
class _Steps:
    """Failure ages with their risk sets, before anything is estimated."""

    curve: Ints
    age: Floats
    n: Floats
    d: Floats
    group: Ints
    origin: Floats
    units: Floats
    codes: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, data: LifeRows) -> _Steps:
        leaving, failed = exits(data), data.event != Event.SUSPENSION
        kept = leaving > data.entry
        data, leaving, failed = data.take(kept), leaving[kept], failed[kept]
        curve, group, origin = stretches(data.entry, leaving, failed, data.group)
        of, age, d = failure_ages(curve[failed], leaving[failed], data.count[failed])
        n = RiskSets.of(curve, data.entry, leaving, data.count).at(of, age)
        late = np.full(data.groups, np.inf)
        np.minimum.at(late, group, origin)
        said = {
            "enters_late": (late > 0) & np.isfinite(late),
            "interrupted": np.bincount(group, minlength=data.groups) > 1,
            "middle_of_intervals": data.sums(data.event == Event.INTERVAL) > 0,
            "no_failure": data.sums(failed) == 0,
        }
        codes = codes_of(said, data.groups)
        units = np.bincount(curve, data.count, len(group)).astype(np.float64)
        return cls(of, age, n, d, group, origin, units, codes)

    def curves(self, estimate: Floats, se: Floats, low: Floats, high: Floats, level: float) -> Curves:
        """The steps with what was estimated."""
        return Curves(
            self.group[self.curve], self.curve, self.origin[self.curve], self.age, self.n, self.d, estimate, se, low,
            high, level, self.codes, self.units,
        )  # fmt: skip


def codes_of(said: dict[str, Bools], groups: int) -> tuple[tuple[str, ...], ...]:
    """The codes of each group, in the order of `said`, which has where each of them fits."""
    found: list[tuple[str, ...]] = [()] * groups
    for code, where in said.items():
        for g in np.flatnonzero(where).tolist():
            found[g] = (*found[g], code)
    return tuple(found)


def _band(band: Band, survival: Floats, spread: Floats, z: Floats) -> tuple[Floats, Floats]:
    """The band of a survival whose logarithm has the standard error `spread`."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if band == "plain":
            half = z * survival * spread
            ends = survival - half, survival + half
        elif band == "log":
            ends = survival * np.exp(-z * spread), survival * np.exp(z * spread)
        else:
            half = z * spread / -np.log(survival)
            at = inward("log-log", survival)
            ends = outward("log-log", at + half), outward("log-log", at - half)
        low, high = np.clip(ends[0], 0.0, 1.0), np.clip(ends[1], 0.0, 1.0)
    return np.where(survival > 0, low, np.nan), np.where(survival > 0, high, np.nan)


def _critical(variance: Floats, curve: Ints, level: float) -> Floats:
    """`equal_precision` of every step's curve: from its first to its last variance of ln S."""
    if not len(curve):
        return np.zeros(0)
    size = int(curve.max()) + 1
    low, high = np.full(size, np.inf), np.zeros(size)
    there = np.isfinite(variance)
    np.minimum.at(low, curve[there], variance[there])
    np.maximum.at(high, curve[there], variance[there])
    ratio = np.where(high > 0, high, 1.0) / np.where(np.isfinite(low), low, 1.0)
    return equal_precision(np.maximum(ratio, 1.0), level)[curve]
