"""Returns over the coming months, from life models and the ages of the units in use, with prediction intervals.

A group is a set of units whose returns are counted together: a part, a maker, a lot. Groups may share a life model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike

from analytics.life import counts
from analytics.life.draws import Hazard, Lives
from analytics.life.rows import Floats, Ints

EXACT, RARE = 32, 0.3
"""Fleets of at most EXACT units of which one fails with a probability above RARE are counted unit by unit."""
SAMPLE = 512
"""How the parameters' uncertainty acts on a group is computed on so many of its rows of units."""
BLOCKS = 50
"""So many blocks of draws make the predictive distribution of which intervals are quantiles."""
_CHUNK = 250


@dataclass(frozen=True, slots=True)
class Fleet:
    """Units at risk, one row for `count` of them that are alike: arrays of the shape (rows,).

    A unit of age `age` gathers `use` a month. It comes into use after `start` months (0: it is in use; 2.5: in the
    middle of the third month). What fails more than `cover_months` after the start (or, in use already, after now) or
    beyond the age `cover_age` is no return.
    """

    age: Floats
    count: Floats
    use: Floats
    group: Ints
    groups: int
    start: Floats
    cover_months: Floats
    cover_age: Floats

    @classmethod
    def of(
        cls,
        age: ArrayLike,
        count: ArrayLike,
        use: ArrayLike,
        group: ArrayLike = 0,
        groups: int | None = None,
        *,
        start: ArrayLike = 0.0,
        cover_months: ArrayLike = np.inf,
        cover_age: ArrayLike = np.inf,
    ) -> Fleet:
        """A fleet from columns that broadcast to one shape.

        Raises ValueError for ages, counts or starts that are negative or not numbers, and for a use that is not
        positive.
        """
        *columns, codes = np.broadcast_arrays(
            *(np.atleast_1d(np.asarray(c, np.float64)) for c in (age, count, use, start, cover_months, cover_age)),
            np.atleast_1d(np.asarray(group, np.int64)),
        )
        a, n, u, s, months, limit = columns
        if not (np.all(a >= 0) and np.all(n >= 0) and np.all(s >= 0) and np.all(np.isfinite(a + n + s))):
            raise ValueError("ages, counts and starts of a fleet are finite and not below 0")
        if not (np.all(u > 0) and np.all(np.isfinite(u))):
            raise ValueError("the use per month of a fleet is above 0")
        size = int(codes.max(initial=-1)) + 1 if groups is None else groups
        return cls(a, n, u, codes, size, s, months, limit)

    def take(self, rows: ArrayLike) -> Fleet:
        """The rows `rows`, in that order."""
        at = np.asarray(rows)
        return replace(self, **{f.name: getattr(self, f.name)[at] for f in fields(self) if f.name != "groups"})

    def sums(self, values: Floats) -> Floats:
        """Sums over the units of each group of `values` (rows, k): (groups, k)."""
        places = values.shape[1]
        place = self.group[:, None] * places + np.arange(places)
        found = np.bincount(place.ravel(), (self.count[:, None] * values).ravel(), self.groups * places)
        return found.astype(np.float64).reshape(self.groups, places)

    @property
    def end(self) -> Floats:
        """Months from now after which a failure is no return."""
        return self.start + np.maximum(np.minimum(self.cover_months, (self.cover_age - self.age) / self.use), 0.0)

    def ages(self, months: int) -> Floats:
        """Age of each row now and after 1 ... months, no further than covered: (rows, months + 1)."""
        clock = np.minimum(np.arange(months + 1), self.end[:, None])
        return self.age[:, None] + self.use[:, None] * np.maximum(clock - self.start[:, None], 0.0)


@dataclass(frozen=True, slots=True)
class Count:
    """Expected numbers with their prediction intervals, arrays of one shape; nan where nothing is known."""

    expected: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of the returns of each month, and from now to each month's end: (..., groups, months)."""

    mean: Floats
    variance: Floats
    to_mean: Floats
    to_variance: Floats


@dataclass(frozen=True, slots=True)
class Forecast:
    """Returns of each month and from now to its end, of each group (groups, months) and of all together (months,).

    `at_risk` are the units in use and under cover that are expected at the beginning of each month. `draws` are the
    moments of all together by draw (draws, 1, months), for `counts.quantile`.
    """

    month: Count
    cumulative: Count
    all_month: Count
    all_cumulative: Count
    at_risk: Floats
    draws: Moments
    level: float


def forecast(
    fleet: Fleet, known: Lives, months: int, level: float = 0.9, *, renewed: bool = False, most: int = SAMPLE
) -> Forecast:
    """Returns of the coming months.

    A unit that is alive at age a and gathers u a month fails in month k, given that it has survived to it, with
    probability 1 - R(a + k u) / R(a + (k - 1) u) (Meeker and Escobar 1998, section 12.7); ages stop where cover ends.
    The number of a group is a sum of independent units. Its distribution, given the parameters, is exact for small
    fleets and by two moments else (`analytics.life.counts`, where the error is said). Averaged over the draws of the
    parameters it is the predictive one, whose quantiles are the interval at `level` (Tian, Nordman and Meeker,
    Statistical Science 37, 2022). The naive interval, without draws, is too short: with few failures the parameters,
    not chance, are most of what is not known (Escobar and Meeker, Technometrics 41, 1999). Expected numbers are those
    of the estimates.

    With `renewed`, a unit that fails is replaced by a new one in its month, covered as long as the first was; else it
    is gone. Groups of more than `most` rows are computed whole for the estimates, and for the draws by `most` rows
    spread over their ages.

    Raises ValueError for a level that is not between 0 and 1 and for months below 1.
    """
    if not 0 < level < 1 or months < 1:
        raise ValueError("a forecast needs a level between 0 and 1 and at least one month")
    best = moments(fleet, known.best, months, renewed=renewed)
    bounds: list[tuple[Floats, Floats, Floats, Floats]] = []
    sums: list[tuple[Floats, ...]] = []
    of_group = np.argsort(fleet.group, kind="stable")
    pointer = np.searchsorted(fleet.group[of_group], np.arange(0, fleet.groups + _CHUNK, _CHUNK))
    for number, first in enumerate(range(0, fleet.groups, _CHUNK)):
        some = slice(first, min(first + _CHUNK, fleet.groups))
        part = fleet.take(of_group[pointer[number] : pointer[number + 1]])
        local = replace(part, group=part.group - first, groups=some.stop - first)
        drawn = _drawn(local, known, first, months, renewed, most, best, some)
        bounds.append(_bounds(local, drawn, known, first, level, renewed))
        sums.append(tuple(getattr(drawn, f.name).sum(axis=1, keepdims=True) for f in fields(Moments)))
    draws = Moments(*(np.sum(s, axis=0) for s in zip(*sums, strict=True))) if sums else best
    if sums:
        low, high, to_low, to_high = (np.concatenate(b) for b in zip(*bounds, strict=True))
    else:
        low = high = to_low = to_high = best.mean
    all_low, all_high = _ends(draws.mean[:, 0], draws.variance[:, 0], level) if sums else (np.zeros(months),) * 2
    all_to = _ends(draws.to_mean[:, 0], draws.to_variance[:, 0], level) if sums else (np.zeros(months),) * 2
    if fleet.groups == 1:
        all_low, all_high, all_to = low[0], high[0], (to_low[0], to_high[0])
    return Forecast(
        Count(best.mean, low, high),
        Count(best.to_mean, to_low, to_high),
        Count(best.mean.sum(axis=0), all_low, all_high),
        Count(best.to_mean.sum(axis=0), *all_to),
        _at_risk(fleet, known.best, months),
        draws,
        level,
    )


def moments(fleet: Fleet, hazard: Hazard, months: int, *, renewed: bool = False) -> Moments:
    """Mean and variance of the returns of every group and month under one life model."""
    gone = _gone(fleet, hazard, months)
    if renewed:
        return Moments(*(fleet.sums(each) for each in _renewals(fleet, hazard, gone)))
    month, to = np.diff(gone, axis=1), gone[:, 1:]
    return Moments(
        fleet.sums(month), fleet.sums(month * (1 - month)), fleet.sums(to), fleet.sums(to * (1 - to))
    )  # fmt: skip


def _gone(fleet: Fleet, hazard: Hazard, months: int) -> Floats:
    """Probability of each row's units to have failed by the end of month 0 ... months: (rows, months + 1)."""
    h = hazard(fleet.ages(months), fleet.group[:, None])
    return -np.expm1(h[:, :1] - h)


def _at_risk(fleet: Fleet, hazard: Hazard, months: int) -> Floats:
    """Units expected in use and under cover at the beginning of each month, (groups, months)."""
    clock = np.arange(months)
    there = (clock >= fleet.start[:, None]) & (clock < fleet.end[:, None])
    return fleet.sums(np.where(there, 1 - _gone(fleet, hazard, months)[:, :-1], 0.0))


def _renewals(fleet: Fleet, hazard: Hazard, gone: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Moments of the failures in each place when what fails is replaced by a new unit: four of (rows, months).

    The renewal equations month by month (Cox, Renewal Theory, 1962, sections 4.1 and 4.5), a new unit being put in
    in the middle of the month of its predecessor's failure: the mean is M(k) = F(k) + sum of f(j) M_j(k) with M_j
    that of a unit new in month j, and E N (N - 1) = 2 sum of m(j) M_j(k).
    """
    months = gone.shape[1] - 1
    first = np.diff(gone, axis=1)
    place = np.stack([fleet.group.astype(np.float64), fleet.use, np.minimum(fleet.end, months)], axis=1)
    _, one, of = np.unique(place, axis=0, return_index=True, return_inverse=True)
    use, group = fleet.use[one, None], fleet.group[one, None]
    clock = np.minimum(np.arange(1, months + 1), fleet.end[one, None])
    new = np.zeros((months, len(one), months))
    for j in reversed(range(months)):
        f = -np.expm1(-hazard(use * np.maximum(clock - (j + 0.5), 0.0), group))
        step = np.diff(f, axis=1, prepend=0.0)
        later = np.einsum("ri,irk->rk", step[:, j + 1 :], new[j + 1 :])
        new[j] = (f + later) / np.maximum(1 - step[:, j : j + 1], 1e-3)
    new = new[:, of.reshape(-1)]
    to = gone[:, 1:] + np.einsum("rj,jrk->rk", first, new)
    mean = np.diff(to, axis=1, prepend=0.0)
    pairs = 2 * np.einsum("rj,jrk->rk", mean, new)
    own = 2 * mean * np.einsum("krk->rk", new)
    return mean, np.maximum(mean + own - mean**2, 0.0), to, np.maximum(to + pairs - to**2, 0.0)


def _drawn(
    fleet: Fleet, known: Lives, first: int, months: int, renewed: bool, most: int, best: Moments, some: slice
) -> Moments:
    """Moments by draw, (draws, groups, months); `first` is the number of the fleet's group 0 among all."""
    whole = Moments(*(getattr(best, f.name)[None, some] for f in fields(Moments)))
    if not known.draws:
        return whole
    sample = _sampled(fleet, most)
    near = moments(sample, _shifted(known.best, first), months, renewed=renewed)
    drawn = [moments(sample, _shifted(each, first), months, renewed=renewed) for each in known.draws]
    if len(sample.age) == len(fleet.age):
        return Moments(*(np.stack([getattr(d, f.name) for d in drawn]) for f in fields(Moments)))
    found = []
    for f in fields(Moments):
        base, exact = getattr(near, f.name), getattr(whole, f.name)[0]
        factor = np.divide(exact, base, out=np.ones_like(base), where=base > 0)
        found.append(np.stack([getattr(d, f.name) for d in drawn]) * factor)
    return Moments(*found)


def _shifted(hazard: Hazard, first: int) -> Hazard:
    """The hazard of groups that are numbered from `first` on."""
    return lambda x, group: hazard(x, group + first)


def _sampled(fleet: Fleet, most: int) -> Fleet:
    """At most `most` rows a group that stand for all of it, spread evenly over its units in order of age."""
    sizes = np.bincount(fleet.group, minlength=fleet.groups)
    if np.all(sizes <= most):
        return fleet
    order = np.lexsort((fleet.start, fleet.age, fleet.group))
    of = fleet.group[order]
    total = np.bincount(fleet.group, fleet.count, fleet.groups)
    upto = np.cumsum(fleet.count[order])
    before = np.concatenate([[0.0], np.cumsum(total)])[:-1]
    kept = order[sizes[of] <= most]
    large = np.flatnonzero((sizes > most) & (total > 0))
    marks = before[large, None] + (np.arange(most) + 0.5) / most * total[large, None]
    picked = order[np.minimum(np.searchsorted(upto, marks.ravel()), len(order) - 1)]
    chosen = fleet.take(np.concatenate([kept, picked]))
    count = np.concatenate([fleet.count[kept], np.repeat(total[large] / most, most)])
    return replace(chosen, count=count)


def _bounds(
    fleet: Fleet, drawn: Moments, known: Lives, first: int, level: float, renewed: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """Interval ends of each group's months and of what comes up to them, four of (groups, months)."""
    draws, groups, months = drawn.mean.shape

    def of(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        low, high = _ends(mean.reshape(draws, -1), variance.reshape(draws, -1), level)
        return low.reshape(groups, months), high.reshape(groups, months)

    low, high = of(drawn.mean, drawn.variance)
    to_low, to_high = of(drawn.to_mean, drawn.to_variance)
    units = np.bincount(fleet.group, fleet.count, groups)
    whole = np.bincount(fleet.group, fleet.count % 1 != 0, groups) == 0
    likely = drawn.to_mean[:, :, -1].max(axis=0) > RARE  # no unit above RARE where fewer than that are expected
    for group in () if renewed else np.flatnonzero((units <= EXACT) & (units > 0) & whole & likely):
        mine = fleet.take(fleet.group == group)
        each = mine.take(np.repeat(np.arange(len(mine.age)), mine.count.astype(np.int64)))
        order = np.argsort(drawn.to_mean[:, group, -1])[(draws // BLOCKS or 1) // 2 :: draws // BLOCKS or 1]
        some = [known.draws[d] for d in order] if known.draws else [known.best]  # one draw for each block
        gone = np.stack([_gone(each, _shifted(d, first), months) for d in some])
        if np.isnan(gone).any() or gone.max() <= RARE:
            continue
        low[group], high[group] = _exact_ends(np.diff(gone, axis=2), level)
        to_low[group], to_high[group] = _exact_ends(gone[:, :, 1:], level)
    return low, high, to_low, to_high


def _exact_ends(p: Floats, level: float) -> tuple[Floats, Floats]:
    """Interval ends of each month from the probabilities (draws, units, months), unit by unit."""
    upto = counts.exactly(np.moveaxis(p, 1, 2)).mean(axis=0).cumsum(axis=1)
    low, high = (np.argmax(upto >= share - 1e-12, axis=1) for share in ((1 - level) / 2, (1 + level) / 2))
    return low.astype(np.float64), high.astype(np.float64)


def _ends(mean: Floats, variance: Floats, level: float) -> tuple[Floats, Floats]:
    """Interval ends of cells from moments (draws, cells); neighbouring draws are put together, their moments kept."""
    draws, cells = mean.shape
    if draws > BLOCKS and draws % BLOCKS == 0:
        order = np.argsort(mean, axis=0)
        m, v = (np.take_along_axis(c, order, axis=0).reshape(BLOCKS, -1, cells) for c in (mean, variance))
        mean, variance = m.mean(axis=1), v.mean(axis=1) + m.var(axis=1)
    return counts.quantile((1 - level) / 2, mean, variance), counts.quantile((1 + level) / 2, mean, variance)


def unreported(fleet: Fleet, known: Lives, reported: Sequence[float] | Floats, level: float = 0.9) -> Count:
    """Failures that have happened and are not reported yet, of each group (groups,).

    `reported` is the share of failures that are reported within 0, 1, 2 ... months, rising; after the last month all
    are. A unit that counts as alive at age a has failed in the j-th month back and is not reported with probability
    f_j (1 - G_j) / (R(a) + sum of f_i (1 - G_i)): f_j = R(a - j u) - R(a - (j - 1) u) and G_j the share reported in
    the middle of it (Kalbfleisch, Lawless and Robinson, Technometrics 33, 1991). The interval is as in `forecast`.

    Raises ValueError where the shares do not rise from 0 or more to at most 1.
    """
    share = np.asarray(reported, np.float64)
    if share.ndim != 1 or len(share) < 2 or share[0] < 0 or share[-1] > 1 or np.any(np.diff(share) < 0):
        raise ValueError("shares reported within 0, 1, 2 ... months rise from 0 to 1")
    waiting = 1 - (share[1:] + share[:-1]) / 2
    back = np.maximum(fleet.age[:, None] - fleet.use[:, None] * np.arange(len(share)), 0.0)
    used = (fleet.start <= 0)[:, None]

    def of(hazard: Hazard) -> tuple[Floats, Floats]:
        alive = np.exp(-hazard(back, fleet.group[:, None]))
        silent = (np.diff(alive, axis=1) * waiting).sum(axis=1, keepdims=True)
        p = np.where(used, silent / np.maximum(alive[:, :1] + silent, 1e-300), 0.0)
        return fleet.sums(p)[:, 0], fleet.sums(p * (1 - p))[:, 0]

    mean, variance = (np.stack(c) for c in zip(*(of(d) for d in known.draws or (known.best,)), strict=True))
    return Count(of(known.best)[0], *_ends(mean, variance, level))
