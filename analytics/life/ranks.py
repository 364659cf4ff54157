"""Rank regression: a straight line through the failures on probability paper, for all groups at once.

What users of Weibull++ know as RRX (ages regressed on ranks; their default, and what `--method rr` is here) and RRY.
Maximum likelihood is the better estimate wherever it exists; this is for comparison with what others print.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import betaincinv, ndtri

from analytics.life.distribution import Distribution, Fits, Status
from analytics.life.fitting import log_likelihood
from analytics.life.quantities import natural, scaled
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows, exits

MOST = 1000
Axis = Literal["x", "y"]
"""Whose distances the line makes smallest: of the ages (x) or of the ranks on their scale (y)."""


@dataclass(frozen=True, slots=True)
class Paper:
    """Probability paper on which a distribution is a straight line: z(F) = (u - location) / scale.

    U is the age, or its logarithm. `parameters` makes (parameters, groups) of location and scale.
    """

    log: bool
    z: Callable[[Floats], Floats]
    parameters: Callable[[Floats, Floats], Floats]
    through_zero: bool = False
    """Whether the line has no location."""


def _extreme(f: Floats) -> Floats:
    return np.log(-np.log1p(-f))


def _logistic(f: Floats) -> Floats:
    return np.log(f) - np.log1p(-f)


def _as_is(location: Floats, scale: Floats) -> Floats:
    return np.stack([location, scale])


def _life_and_shape(location: Floats, scale: Floats) -> Floats:
    return np.stack([np.exp(location), 1 / scale])


PAPERS = {
    "exponential": Paper(False, lambda f: -np.log1p(-f), lambda _, scale: (1 / scale)[None], through_zero=True),
    "weibull": Paper(True, _extreme, _life_and_shape),
    "lognormal": Paper(True, ndtri, _as_is),
    "normal": Paper(False, ndtri, _as_is),
    "loglogistic": Paper(True, _logistic, _life_and_shape),
    "gumbel": Paper(False, _extreme, _as_is),
}
"""The distributions that rank regression can fit."""


@dataclass(frozen=True, slots=True)
class Points:
    """The failures on probability paper, one point a failed unit, sorted by group and age.

    A row of more than `MOST` units has `MOST` points, evenly among its ranks.
    """

    group: Ints
    age: Floats
    order: Floats
    """Adjusted order number, 1 to N where nothing is suspended."""
    rank: Floats
    """Median rank: the share failed by this age."""
    units: Floats
    """How many failed units a point stands for."""


@dataclass(frozen=True, slots=True)
class RankFits:
    """`parameters` (parameters, groups) and `r_squared` (groups,), nan where `fitted` is not: fewer than two different
    ages (one, for a line through zero), or units that entered observation late, to which no rank belongs.
    """

    parameters: Floats
    r_squared: Floats
    fitted: Bools


def points(data: LifeRows) -> Points:
    """Median ranks of the failures of each group, suspensions counted by Johnson's adjusted ranks.

    With n_i units still there (itself included, failures before suspensions of one age), N units in all, the adjusted
    order number j of a failure follows from N + 1 - j = (N + 1) times the product of n / (n + 1) over the failures up
    to it, which is Johnson's recursion (Johnson, Industrial Quality Control 20(11), 1964; Abernethy, The New Weibull
    Handbook, 2006, section 2.6). The median rank is exact, the median of a beta distribution with j and N + 1 - j.
    An interval counts at its middle. Fractions of a unit are left out.
    """
    leaving, failed = exits(data), data.event != Event.SUSPENSION
    order = np.lexsort((~failed, leaving, data.group))
    group, count = data.group[order], data.count[order]
    age, failed = leaving[order], failed[order]
    total = data.sums(data.count)
    gone = np.cumsum(count) - count
    first = np.r_[0.0, np.cumsum(total)][:-1]
    there = total[group] - (gone - first[group])
    # d failures of one row, n there before them: the product of n / (n + 1), (n - 1) / n ... is (n + 1 - d) / (n + 1)
    whole = np.floor(count)
    kept = np.where(failed, np.log(np.maximum(there + 1 - whole, 1e-300) / (there + 1)), 0.0)
    running = np.cumsum(kept) - kept
    start = np.searchsorted(group, np.arange(data.groups))
    before = np.exp(running - np.r_[running, 0.0][start][group])
    shown = np.minimum(whole[failed], MOST)
    rows = np.repeat(np.flatnonzero(failed), shown.astype(np.int64))
    units = np.repeat(whole[failed] / np.maximum(shown, 1), shown.astype(np.int64))
    nth = (np.arange(len(rows)) - np.searchsorted(rows, rows) + 0.5) * units + 0.5
    left = before[rows] * (there[rows] + 1 - nth) / (there[rows] + 1) * (total[group[rows]] + 1)
    adjusted = total[group[rows]] + 1 - left
    return Points(group[rows], age[rows], adjusted, betaincinv(adjusted, left, 0.5), units)


def regress(name: str, data: LifeRows, axis: Axis = "x") -> RankFits:
    """The distribution `name` of `PAPERS` fitted to each group by the line through its points.

    Axis "x" makes the squared distances of the ages (or their logarithms) smallest, "y" those of the ranks (Abernethy
    2006, chapter 2; Meeker and Escobar 1998, section 6.4, on why it is no more than a graph). R squared is the squared
    correlation of the two. Raises ValueError for another distribution.
    """
    if name not in PAPERS:
        raise ValueError(f"Rank regression does not fit {name}: it fits {', '.join(PAPERS)}.")
    paper, on = PAPERS[name], points(data)
    late = data.sums(data.entry > 0) > 0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        u, z = (np.log(on.age) if paper.log else on.age), paper.z(on.rank)
        size = np.bincount(on.group, on.units, data.groups)

        def means(values: Floats) -> Floats:
            return np.asarray(np.bincount(on.group, on.units * values, data.groups) / size)

        middle_u, middle_z = means(u), means(z)
        du, dz = u - middle_u[on.group], z - middle_z[on.group]
        uu, uz, zz = means(du * du), means(du * dz), means(dz * dz)
        r_squared = uz**2 / (uu * zz)
        if paper.through_zero:
            slope = means(u * z) / means(z * z) if axis == "x" else means(u * u) / means(u * z)
        else:
            slope = uz / zz if axis == "x" else uu / uz
        parameters = paper.parameters(middle_u - slope * middle_z, slope)
        apart = uu > 1e-24 * np.maximum(middle_u**2, 1e-300)
        spread = np.isfinite(slope) & (slope > 0) & (paper.through_zero | apart)
    fitted = np.asarray(spread & ~late & np.isfinite(parameters).all(0))
    return RankFits(np.where(fitted, parameters, np.nan), np.where(fitted, r_squared, np.nan), fitted)


def by_ranks(of: Distribution, data: LifeRows) -> Floats:
    """The parameters of `regress`."""
    return regress(of.name, data).parameters


def rank_fits(of: Distribution, data: LifeRows, axis: Axis = "x") -> Fits:
    """`regress` as a fit, so that figures and Wald intervals follow from it as from any other.

    The covariance is the inverse of the observed information at these parameters, which is what Weibull++ calls Fisher
    matrix bounds; nan where that is not positive definite. The log likelihood is that at these parameters.
    """
    found = regress(of.name, data, axis)
    safe = np.where(found.fitted, found.parameters, 1.0)
    usable = data.take(found.fitted[data.group])
    centre = scaled(of, safe)
    width = [1e-3 * (safe[1] if each.scale == "identity" else np.ones(data.groups)) for each in of.parameters]
    k = len(centre)

    def at(*moves: tuple[int, float]) -> Floats:
        moved = centre.copy()
        for i, sign in moves:
            moved[i] += sign * width[i]
        with np.errstate(all="ignore"):
            return np.asarray(log_likelihood(of, usable, natural(of, moved)))

    here = at()
    information = np.empty((data.groups, k, k))
    for i in range(k):
        for j in range(k):
            with np.errstate(invalid="ignore"):
                corners = at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))
                information[:, i, j] = -corners / (4 * width[i] * width[j])
    sound = found.fitted & np.isfinite(information).all((1, 2))
    information[~sound] = np.eye(k)
    sound &= np.linalg.eigvalsh(information)[:, 0] > 0
    information[~sound] = np.eye(k)
    covariance = np.where(sound, np.moveaxis(np.linalg.inv(information), 0, 2), np.nan)
    failed = data.event != Event.SUSPENSION
    n, failures = data.sums(data.count), data.sums(data.count * failed)
    order = np.lexsort((exits(data), data.group))
    order = order[failed[order]]
    ages = np.stack([data.group[order].astype(np.float64), exits(data)[order]])
    new = np.r_[True, (ages[:, 1:] != ages[:, :-1]).any(0)] if len(order) else np.zeros(0, np.bool_)
    distinct = np.bincount(data.group[order][new], minlength=data.groups)
    reasons = [found.fitted, n == 0, failures == 0, distinct < k]
    codes = [Status.FITTED, Status.NO_ROWS, Status.NO_FAILURE, Status.TOO_FEW]
    status = np.select(reasons, [np.int64(code) for code in codes], np.int64(Status.NO_MAXIMUM))
    likelihood = np.where(found.fitted, here, np.nan)
    return Fits(of, found.parameters, covariance, likelihood, n, failures, distinct.astype(np.int64), status)
