"""Systems that are repaired and fail again: the mean cumulative number (or cost) of recurrences by age, by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from analytics.hazard import LEVEL
from analytics.life.distribution import Intervals
from analytics.life.rows import Floats, Ints
from analytics.life.survival import RiskSets, failure_ages, running

Variance = Literal["robust", "naive"]


@dataclass(frozen=True, slots=True)
class Systems:
    """Systems and what happened to them.

    `group`, `start` and `end` have the shape (systems,): a system was observed over the ages after `start` up to `end`.
    `system` (a row of those), `age` and `cost` (1 counts recurrences) have the shape (events,). Events outside of their
    system's ages are not counted.
    """

    group: Ints
    start: Floats
    end: Floats
    system: Ints
    age: Floats
    cost: Floats
    groups: int


@dataclass(frozen=True, slots=True)
class MeanCurves:
    """Steps of mean cumulative functions, arrays of the shape (steps,) in the order of group and age.

    `at_risk` are the systems under observation, `events` the cost of what happened at the age, `estimate` the mean
    cumulative cost of a system up to it. `low` and `high` are at `level`, nan where the variance is 0 for want of
    systems. `end` (groups,) is the age up to which systems were observed, nan for a group without any. A group without
    events has no step.
    """

    group: Ints
    age: Floats
    at_risk: Floats
    events: Floats
    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    level: float
    end: Floats


def systems(
    group: ArrayLike,
    end: ArrayLike,
    system: ArrayLike,
    age: ArrayLike,
    start: ArrayLike = 0.0,
    cost: ArrayLike = 1.0,
    groups: int | None = None,
) -> Systems:
    """Systems as they come; what is one number is that of all."""
    g, first, last = np.broadcast_arrays(
        np.asarray(group, np.int64), *(np.asarray(c, np.float64) for c in (start, end))
    )
    which, at, worth = np.broadcast_arrays(
        np.asarray(system, np.int64), *(np.asarray(c, np.float64) for c in (age, cost))
    )
    seen = (first[which] < at) & (at <= last[which])
    size = int(g.max(initial=-1)) + 1 if groups is None else groups
    return Systems(g, first, last, which[seen], at[seen], worth[seen], size)


def mean_cumulative(
    of: Systems, level: float = LEVEL, variance: Variance = "robust", band: Literal["plain", "log"] = "log"
) -> MeanCurves:
    """The mean cumulative function of every group: M(t) = sum over ages up to t of what happened / systems at risk.

    (Nelson, Journal of Quality Technology 20, 1988, 24-35; Recurrent Events Data Analysis, 2003.) The `robust` variance
    needs no Poisson process: sum over systems of (sum over ages s up to t at which the system is at risk of
    (dN_i(s) - dM(s)) / n(s))^2 (Lawless and Nadeau, Technometrics 37, 1995, 158-168, equation 2.6). `naive` is the sum
    over events of ((1 - 1/r)^2 + (r - 1) / r^2) / r^2 that ReliaSoft prints, which takes every event as one of another
    system; for counts only. The band is M exp(+-z se / M), or `plain` M +- z se, cut at 0.
    """
    group, age, events = failure_ages(of.group[of.system], of.age, of.cost)
    n = RiskSets.of(of.group, of.start, of.end, np.ones(len(of.group))).at(group, age)
    estimate = running(events / n, group)
    if variance == "naive":
        spread = running(events * ((1 - 1 / n) ** 2 + (n - 1) / n**2) / n**2, group)
    else:
        spread = _robust(of, group, age, n, events / n)
    se, z = np.sqrt(spread), norm.ppf((1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if band == "log":
            low, high = estimate * np.exp(-z * se / estimate), estimate * np.exp(z * se / estimate)
        else:
            low, high = np.maximum(estimate - z * se, 0.0), estimate + z * se
    known = se > 0
    end = np.full(of.groups, -np.inf)
    np.maximum.at(end, of.group, of.end)
    return MeanCurves(
        group, age, n, events, estimate, se, np.where(known, low, np.nan), np.where(known, high, np.nan), level,
        np.where(np.isfinite(end), end, np.nan),
    )  # fmt: skip


def difference(of: MeanCurves, one: int, other: int) -> tuple[Floats, Intervals]:
    """M of the group `one` less that of `other`: (ages, with the band at each).

    At all ages at which either steps, up to where both were observed; the groups' systems are independent, so the
    variances add up, and the band is symmetric (Nelson 2003, section 5.2; Lawless and Nadeau 1995, section 2.3).
    Without an age in common, or a step, there are no rows.
    """
    until = np.fmin(of.end[one], of.end[other])
    if np.isnan(of.end[[one, other]]).any():
        until = -np.inf
    ages = np.unique(of.age[((of.group == one) | (of.group == other)) & (of.age <= until)])

    def at(group: int) -> tuple[Floats, Floats]:
        mine = of.group == group
        place = np.searchsorted(of.age[mine], ages, side="right")
        return np.r_[0.0, of.estimate[mine]][place], np.r_[0.0, of.se[mine]][place]

    (m1, se1), (m2, se2) = at(one), at(other)
    se, z = np.hypot(se1, se2), norm.ppf((1 + of.level) / 2)
    known = np.where(se > 0, se, np.nan)
    return ages, Intervals(m1 - m2, se, m1 - m2 - z * known, m1 - m2 + z * known, of.level)


def _robust(of: Systems, group: Ints, age: Floats, n: Floats, step: Floats) -> Floats:
    """Lawless and Nadeau's variance at every step, in one pass over the ages of all groups.

    With A(t) = sum of dM / n, a system's sum is U = B - A(t) + A(start), B being its own sum of cost / n, as long as it
    is under observation, and stays what it was at its end. So sum U^2 = sum c^2 - 2 A sum c + A^2 (systems) over those
    under observation, c = B + A(start), plus what those that have left ended with; each of these sums changes only
    where a system enters, leaves or has an event.
    """
    drift = running(step / n, group)
    ages = np.unique(np.concatenate([age, of.start, of.end]))

    def rank(groups: Ints, at: Floats) -> Ints:
        return np.asarray(groups * len(ages) + np.searchsorted(ages, at), np.int64)

    steps = rank(group, age)

    def drifted(groups: Ints, at: Floats) -> Floats:
        """A of a group at an age, steps at that age included."""
        place = np.searchsorted(steps, rank(groups, at), side="right")
        mine = (place > 0) & (group[np.maximum(place - 1, 0)] == groups) if len(age) else np.zeros(len(at), np.bool_)
        return np.where(mine, np.append(drift, 0.0)[place - 1], 0.0)

    began = drifted(of.group, of.start)
    whose = of.group[of.system]
    worth = of.cost / n[np.searchsorted(steps, rank(whose, of.age))] if len(age) else of.cost
    order = np.lexsort((of.age, of.system))
    system, at, worth = of.system[order], of.age[order], worth[order]
    after = running(worth, system) + began[system]
    before = after - worth
    final = began.copy()
    np.add.at(final, system, worth)
    left = (final - drifted(of.group, of.end)) ** 2
    # per change: (group and age, 0 event 1 exit 2 entry, sum c, sum c^2, systems, ended)
    zero, one = np.zeros(len(of.group)), np.ones(len(of.group))
    where = np.concatenate([rank(whose[order], at), rank(of.group, of.end), rank(of.group, of.start)])
    kind = np.concatenate([np.zeros(len(at)), one, 2 * one])
    changes = [
        np.concatenate(each)
        for each in (
            (worth, -final, began),
            (after**2 - before**2, -(final**2), began**2),
            (np.zeros(len(at)), -one, one),
            (np.zeros(len(at)), left, zero),
        )
    ]
    ordered = np.lexsort((kind, where))
    segment = np.concatenate([whose[order], of.group, of.group])[ordered]
    sums = [running(each[ordered], segment) for each in changes]
    # the state after the events at a step, before anybody leaves or enters there
    place = np.searchsorted(where[ordered] * 3 + kind[ordered].astype(np.int64), steps * 3, side="right") - 1
    c, c2, count, ended = (each[place] for each in sums)
    return np.maximum(c2 - 2 * drift * c + drift**2 * count + ended, 0.0)
