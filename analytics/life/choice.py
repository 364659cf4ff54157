"""Which distribution suits the data: AICc and BIC, the choice of the best, and how well a fit agrees with its data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from analytics.life.distribution import Distribution, Fits
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit
from analytics.life.ranks import points
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows

FAILURES_A_PARAMETER = 10
"""Three parameters are tried from so many failures for each of them on: with fewer, the third mostly fits noise."""
REPLICATES, SEED = 199, 20250101
ROWS_AT_ONCE = 400_000


def aicc(fits: Fits) -> Floats:
    """Akaike's criterion corrected for few units n: -2 ln L + 2k + 2k(k + 1) / (n - k - 1); lower is better.

    N counts all units, censored ones too (Burnham and Anderson, Model Selection and Multimodel Inference, 2002, section
    2.4). Nan where there is no fit, or not more than k + 1 units.
    """
    k = len(fits.parameters)
    spare = np.where(fits.n > k + 1, fits.n - k - 1, np.nan)
    return np.asarray(-2 * fits.log_likelihood + 2 * k + 2 * k * (k + 1) / spare)


def bic(fits: Fits) -> Floats:
    """Schwarz's criterion k ln n - 2 ln L; lower is better."""
    with np.errstate(divide="ignore"):
        return np.asarray(len(fits.parameters) * np.log(fits.n) - 2 * fits.log_likelihood)


@dataclass(frozen=True, slots=True)
class Choice:
    """`fits` of each distribution tried, `scores` (distributions, groups) their AICc, nan where one was not tried or
    does not fit, `best` (groups,) the place of the lowest, -1 where none fits.
    """

    fits: tuple[Fits, ...]
    scores: Floats
    best: Ints


def choose(data: LifeRows, names: Sequence[str] = ()) -> Choice:
    """The distribution with the lowest AICc for each group.

    Without `names`: all distributions of one or two parameters, and those of three where a group has
    `FAILURES_A_PARAMETER` failures for each of them. Raises KeyError for a name that is none.
    """
    tried = [DISTRIBUTIONS[name] for name in names] or [d for d in DISTRIBUTIONS.values() if len(d.parameters) <= 3]
    failures = data.sums(data.count * (data.event != Event.SUSPENSION))
    fits, scores = [], []
    for of in tried:
        enough = np.full(data.groups, True)
        if not names and len(of.parameters) > 2:
            enough = failures >= FAILURES_A_PARAMETER * len(of.parameters)
        found = fit(of, data.take(enough[data.group]))
        fits.append(found)
        scores.append(np.where(enough & found.fitted, aicc(found), np.nan))
    table = np.stack(scores)
    lowest = np.argmin(np.where(np.isnan(table), np.inf, table), 0)
    return Choice(tuple(fits), table, np.where(np.isfinite(table).any(0), lowest, -1))


def plot_r_squared(of: Distribution, data: LifeRows, parameters: Floats) -> Floats:
    """Squared correlation of the failures' ages with the fitted quantiles at their median ranks, (groups,).

    Logarithms of both where a distribution has them for its paper; with location and scale this is the r squared of the
    probability plot. Nan with fewer than two failure ages, with units that entered late or were seen in intervals.
    """
    on = points(data)
    usable = _plain(data) & np.isfinite(parameters).all(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        line = of.quantile(on.rank, parameters[:, on.group])
        straight = of.real or len(of.parameters) == 1
        u, v = (on.age, line) if straight else (np.log(on.age), np.log(line))
        size = np.bincount(on.group, on.units, data.groups)
        du, dv = (c - (np.bincount(on.group, on.units * c, data.groups) / size)[on.group] for c in (u, v))
        uu, uv, vv = (np.bincount(on.group, on.units * c, data.groups) for c in (du * du, du * dv, dv * dv))
        return np.where(usable & (uu > 0) & (vv > 0), uv**2 / (uu * vv), np.nan)


def anderson_darling(of: Distribution, data: LifeRows, parameters: Floats) -> Floats:
    """How far the fitted distribution F is from the product-limit estimate S of the failures' shares, (groups,).

    N times the integral of (S - F)^2 / (F (1 - F)) dF up to the oldest age (to infinity where that is a failure). On a
    stretch where S is constant it has the closed form S^2 ln F - (1 - S)^2 ln(1 - F) - F. With no suspension this is
    the usual statistic (Anderson and Darling, Annals of Mathematical Statistics 23(2), 1952; D'Agostino and Stephens,
    Goodness-of-Fit Techniques, 1986, section 4.7 for censored samples). Nan for groups with intervals or late entries.
    """
    usable = _plain(data) & np.isfinite(parameters).all(0)
    rows = data.take(usable[data.group])
    order = np.lexsort((rows.event == Event.SUSPENSION, rows.age, rows.group))
    group, age, count, failed = (
        rows.group[order],
        rows.age[order],
        rows.count[order],
        rows.event[order] == Event.FAILURE,
    )
    if not len(group):
        return np.full(data.groups, np.nan)
    share = 1 - _product_limit(group, count, failed, data.groups)
    new, last = np.r_[True, group[1:] != group[:-1]], np.r_[group[1:] != group[:-1], True]
    hazard = of.hazard(age, parameters[:, group])
    at = np.where(new, 0.0, np.r_[0.0, share[:-1]])
    following = np.r_[hazard[1:], np.inf]
    final = np.where(share >= 1 - 1e-12, np.inf, hazard)
    with np.errstate(invalid="ignore"):
        pieces = _stretch(share, np.where(last, final, following)) - _stretch(share, hazard)
        pieces = pieces + np.where(new, _stretch(at, hazard), 0.0)
    total = np.bincount(group, count, data.groups)
    return np.where(usable, total * np.bincount(group, pieces, data.groups), np.nan)


@dataclass(frozen=True, slots=True)
class Goodness:
    """Anderson and Darling's statistic of each group, and the share of samples from the fit itself that are worse."""

    statistic: Floats
    p_value: Floats


def likeliest(of: Distribution, data: LifeRows) -> Floats:
    """The parameters of maximum likelihood."""
    return fit(of, data).parameters


def goodness(
    of: Distribution,
    data: LifeRows,
    parameters: Floats,
    replicates: int = REPLICATES,
    estimate: Callable[[Distribution, LifeRows], Floats] = likeliest,
) -> Goodness:
    """The fit of each group against samples of its own, fitted in the same way (parametric bootstrap, fixed seed).

    `estimate` is how `parameters` were found. Unit number i of every group draws by the same random numbers, so that
    what else is in the batch changes no answer.

    A sample has as many units as the group, with lives from the fitted distribution. A suspended unit is suspended at
    the same age again; a failed one at an age drawn from the product-limit estimate of suspensions beyond its own age
    (Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.5, algorithm 3.1). P is (1 + samples
    with a statistic as high) / (1 + samples that have a fit), their equation 4.11. Nan where the statistic is.
    """
    statistic = anderson_darling(of, data, parameters)
    units = data.take(np.isfinite(statistic)[data.group])
    worse, fitted = np.zeros(data.groups), np.zeros(data.groups)
    if replicates and len(units.age):
        each = np.repeat(np.arange(len(units.age)), np.rint(units.count).astype(np.int64))
        at_once = max(min(ROWS_AT_ONCE // len(each), replicates), 1)
        number = _number(units.group[each])
        lives, ends = np.random.default_rng(SEED).spawn(2)
        draws = [rng.uniform(size=(number.max() + 1, replicates)) for rng in (lives, ends)]
        for first in range(0, replicates, at_once):
            size = min(at_once, replicates - first)
            life, end = (drawn[number, first : first + size].T for drawn in draws)
            sample = _sample(of, units, each, parameters, life, end)
            found = anderson_darling(of, sample, estimate(of, sample)).reshape(size, data.groups)
            worse += (found >= statistic).sum(0)
            fitted += np.isfinite(found).sum(0)
    p = np.where(np.isfinite(statistic) & (fitted > 0), (1 + worse) / (1 + fitted), np.nan)
    return Goodness(statistic, p)


def _sample(
    of: Distribution, units: LifeRows, each: Ints, parameters: Floats, u_life: Floats, u_end: Floats
) -> LifeRows:
    """Samples as the groups of one batch: sample s of group g is the group s x groups + g.

    `u_life` and `u_end` (samples, units) are what the lives and the ages at suspension are drawn by.
    """
    group, age, failed = units.group[each], units.age[each], units.event[each] == Event.FAILURE
    size = len(u_life)
    with np.errstate(over="ignore"):
        life = of.quantile(u_life, parameters[:, None, group])
    order = np.lexsort((units.event == Event.SUSPENSION, units.age, units.group))
    g, x = units.group[order], units.age[order]
    beyond = _product_limit(g, units.count[order], units.event[order] == Event.SUSPENSION, units.groups)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    own = np.where(failed, beyond[place[each]], 0.0)
    key = np.r_[2.0 * g + 1 - beyond, np.inf]
    drawn = np.searchsorted(key, 2.0 * group + 1 - own * u_end)
    there = np.r_[g, -1][drawn] == group
    end = np.where(failed, np.where(there, np.r_[x, np.inf][drawn], np.inf), age)
    which = np.arange(size)[:, None] * units.groups + group
    flat = np.minimum(life, end).ravel()
    none, one = np.zeros(flat.size), np.ones(flat.size)
    event = (life <= end).ravel().astype(np.int8)
    return LifeRows(flat, event, none, np.full(flat.size, np.nan), one, which.ravel(), size * units.groups)


def _number(group: Ints) -> Ints:
    """The number of each unit within its group, from 0."""
    order = np.argsort(group, kind="stable")
    sorted_ = group[order]
    found = np.empty(len(group), np.int64)
    found[order] = np.arange(len(group)) - np.searchsorted(sorted_, sorted_)
    return found


def _plain(data: LifeRows) -> Bools:
    """Groups of exact failures and suspensions alone, all seen from age 0."""
    return np.asarray(data.sums((data.event == Event.INTERVAL) | (data.entry > 0)) == 0)


def _product_limit(group: Ints, count: Floats, left: Bools, groups: int) -> Floats:
    """The product-limit estimate after each row, of rows sorted by group and age: `left` says which rows count."""
    total = np.bincount(group, count, groups)
    gone = np.cumsum(count) - count
    start = np.r_[0.0, np.cumsum(total)][:-1]
    there = total[group] - (gone - start[group])
    kept = np.where(left, np.log(np.maximum(there - count, 1e-300) / there), 0.0)
    running = np.cumsum(kept)
    first = np.searchsorted(group, np.arange(groups))
    before = np.r_[0.0, running][first][group]
    found = np.exp(running - before)
    return np.where(found < 1e-100, 0.0, found)


def _stretch(share: Floats, hazard: Floats) -> Floats:
    """The integral's antiderivative at F = 1 - exp(-hazard)."""
    f = -np.expm1(-hazard)
    surviving = np.where(share >= 1 - 1e-12, 0.0, (1 - share) ** 2 * hazard)
    return np.asarray(xlogy(share**2, f) + surviving - f, np.float64)
