"""Two-parameter Weibull distributions fitted by maximum likelihood to thousands of ragged groups at once.

A group is any set of records that shares one life distribution: here a (part, maker, mode). Each group is solved on its
own terms, so that what else is in the batch never changes its answer.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows, exits, ready

SHAPE_RANGE = (0.01, 1000.0)
"""A shape outside of this is no maximum but a likelihood that keeps rising towards 0 or infinity."""
WIDEST = 690.0
"""A scale of exp(690) or exp(-690) is none: it would soon be no number."""
_STEPS = 100
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class WeibullFits:
    """One row a group, arrays of shape (groups,).

    `eta` is in the unit of the ages. The (co)variances are those of (ln eta, ln beta), from the inverse of the observed
    information. They and the parameters are nan where not `converged`: too few failures, all of them at one age with
    nothing older, or a likelihood without a maximum. `failures` counts units, exact and interval; `distinct_ages`
    counts different failure ages or intervals. `log_likelihood` is that of the ages as given.
    """

    eta: Floats
    beta: Floats
    var_log_eta: Floats
    var_log_beta: Floats
    cov_log: Floats
    failures: Floats
    distinct_ages: Ints
    converged: Bools
    log_likelihood: Floats


def fit(
    age: ArrayLike,
    event: ArrayLike,
    entry: ArrayLike = 0.0,
    age_to: ArrayLike = np.nan,
    count: ArrayLike = 1.0,
    group: ArrayLike = 0,
    groups: int | None = None,
) -> WeibullFits:
    """Maximum likelihood of (eta, beta) for every group.

    With H(x) = (x / eta)^beta, a record that entered observation at `entry` contributes, `count` times:
    a failure ln h(x) - H(x) + H(entry), a suspension -H(x) + H(entry), an interval
    ln(exp -H(age) - exp -H(age_to)) + H(entry). (Meeker and Escobar 1998, sections 2.4 and 11.6; Lawless, Statistical
    Models and Methods for Lifetime Data, 2003, section 2.4.)

    `age`, `entry`, `age_to` in one unit a group; `event` as `Event`; `group` codes in 0 ... groups - 1 in any order.
    All broadcast. Groups without rows come back not converged, with 0 failures.
    """
    return fit_rows(ready(age, event, entry, age_to, count, group, groups))


def fit_rows(data: LifeRows) -> WeibullFits:
    """As `fit`, of records made ready by `ready`; failures at age 0 without a positive age beside tell of no scale."""
    endless = np.isinf(data.age_to)
    if endless.any():
        data = data.take(~endless)
    failed = data.event != Event.SUSPENSION
    failures = data.sums(data.count * failed)
    log_eta, beta, (aa, ab, bb), likelihood, converged = maximum(data, failures)
    determinant = aa * bb - ab**2

    def known(values: Floats) -> Floats:
        answer: Floats = np.where(converged, values, np.nan)
        return answer

    with np.errstate(divide="ignore", invalid="ignore"):
        return WeibullFits(
            np.exp(known(log_eta)),
            known(beta),
            known(-bb / determinant),
            known(-aa / determinant),
            known(ab / determinant),
            failures,
            distinct(data.take(failed)),
            converged,
            known(likelihood),
        )


def maximum(data: LifeRows, failures: Floats) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats], Floats, Bools]:
    """(ln eta, beta, second derivatives by (ln eta, ln beta), log likelihood, whether there is one) of each group.

    `failures` are the groups' counts of them. What has no maximum has any numbers.
    """
    top = np.zeros(data.groups)
    np.maximum.at(top, data.group, np.fmax(data.age, data.age_to))
    top = np.where(top > 0, top, 1.0)
    inexact = (data.event == Event.INTERVAL) | (data.entry > 0)
    log_eta, beta, (aa, ab, bb), likelihood = _profile(data, failures, top)
    converged = np.isfinite(beta)
    if inexact.any():
        general = data.sums(inexact) > 0
        hard = data.take(general[data.group])
        scale = top[hard.group]
        hard = replace(hard, age=hard.age / scale, entry=hard.entry / scale, age_to=hard.age_to / scale)
        start_shape = np.log(np.where(converged, np.clip(beta, 0.2, 20.0), 1.0))
        start = np.where(np.isfinite(log_eta), log_eta, 0.0)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a step that leads nowhere is not taken
            solved_eta, solved_shape, solved = _newton(hard, start, start_shape, general & (failures > 0))
        converged = np.where(general, solved, converged)
        log_eta, beta = np.where(general, solved_eta, log_eta), np.where(general, np.exp(solved_shape), beta)
        fine = hard.take(solved[hard.group])
        at = _likelihood(fine, np.where(solved, solved_eta, 0.0), np.where(solved, solved_shape, 0.0))
        likelihood = np.where(general, at[0], likelihood)
        aa, ab, bb = (np.where(general, mine, other) for mine, other in zip(at[2], (aa, ab, bb), strict=True))
    log_top = np.log(top)
    exact = failures if not inexact.any() else data.sums(data.count * (data.event == Event.FAILURE))
    with np.errstate(invalid="ignore", over="ignore"):
        converged &= (aa * bb - ab**2 > 0) & (aa < 0) & (np.abs(log_eta + log_top) < WIDEST)
        return log_eta + log_top, beta, (aa, ab, bb), likelihood - exact * log_top, converged


def distinct(failed: LifeRows) -> Ints:
    """Different failure ages (or intervals) of each group."""
    to = np.nan_to_num(failed.age_to, nan=-1.0)
    order = np.lexsort((to, failed.age, failed.group))
    columns = [c[order] for c in (failed.group, failed.age, to)]
    new = np.ones(len(order), np.bool_)
    if len(order) > 1:
        new[1:] = np.any([c[1:] != c[:-1] for c in columns], axis=0)
    found: Ints = np.bincount(columns[0][new], minlength=failed.groups).astype(np.int64)
    return found


def _profile(
    data: LifeRows, failures: Floats, top: Floats
) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats], Floats]:
    """(ln eta, beta, second derivatives, log likelihood) from exact failures and suspensions alone, ages in tops.

    Intervals count by their middle, entries not at all: exact where a group has neither, a start for `_newton`
    elsewhere. With eta profiled out, beta is the root of sum(w x^b ln x) / sum(w x^b) - 1/b - mean of ln x over
    failures, which rises with b (Lawless 2003, equation 5.2.6): Newton inside a bracket. Ages are in units of the
    group's oldest, so that powers never overflow. nan where there is no root: no failure, or all failures at the oldest
    age. The rest follows from the sums of x^b (ln x)^j, since sum w (x / eta)^b is the number of failures.
    """
    order = None if (data.group[1:] >= data.group[:-1]).all() else np.argsort(data.group, kind="stable")
    leaving = exits(data) if (data.event == Event.INTERVAL).any() else data.age
    columns = (data.group, leaving, data.count, data.event != Event.SUSPENSION)
    group, x, w, failed = columns if order is None else (c[order] for c in columns)
    y = np.log(x / top[group])
    size = np.bincount(group, minlength=data.groups)
    here = np.flatnonzero(size)
    mean, spread = np.full(data.groups, np.nan), np.ones(data.groups)
    weight = w * failed
    if here.size:
        first = np.cumsum(size[here]) - size[here]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean[here] = np.add.reduceat(weight * y, first) / failures[here]
            off = y - mean[group]
            spread[here] = np.add.reduceat(weight * off * off, first) / failures[here]
    solvable = np.isfinite(mean) & (mean < 0)
    beta = np.where(solvable, np.clip(1.2825 / np.sqrt(np.maximum(np.nan_to_num(spread), 1e-6)), 0.1, 50.0), np.nan)
    low, high = np.full(data.groups, SHAPE_RANGE[0] / 10), np.full(data.groups, np.inf)
    sums = np.full((3, data.groups), np.nan)
    live = here[solvable[here]]
    rows = solvable[group]
    if not rows.all():
        y, w, group = y[rows], w[rows], group[rows]
    plain = bool((w == 1).all())
    for _ in range(_STEPS):
        if not live.size:
            break
        first = np.cumsum(size[live]) - size[live]
        b = beta[live]
        e = np.repeat(b, size[live])
        e *= y
        np.exp(e, out=e)
        if not plain:
            e *= w
        s0 = np.add.reduceat(e, first)
        e *= y
        m = np.add.reduceat(e, first) / s0
        e *= y
        v = np.maximum(np.add.reduceat(e, first) / s0 - m * m, 0.0)
        f = m - 1 / b - mean[live]
        step = b - f / (v + 1 / b**2)
        low[live], high[live] = np.where(f < 0, b, low[live]), np.where(f >= 0, b, high[live])
        outside = ((step <= low[live]) | (step >= high[live])) & (np.abs(step - b) > _CLOSE * b)
        wide = np.where(np.isfinite(high[live]), np.sqrt(low[live] * np.minimum(high[live], 1e9)), 4 * low[live])
        step = np.where(outside, wide, step)
        more = step - b
        done = (np.abs(more) <= _CLOSE * b) | ~(step < SHAPE_RANGE[1])
        beta[live] = step
        sums[:, live] = np.log(s0) + more * m + more**2 * v / 2, m + more * v, v
        if done.any():
            keep = np.repeat(~done, size[live])
            y, w = y[keep], w[keep]
            live = live[~done]
    beta[live] = np.nan
    beta = np.where((beta > SHAPE_RANGE[0]) & (beta < SHAPE_RANGE[1]), beta, np.nan)
    power, m, v = sums
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_eta = (power - np.log(failures)) / beta
        u = beta * (m - log_eta)
        second = -failures * beta**2, failures * beta * u, -failures * (1 + beta**2 * v + u * u)
        likelihood = failures * (np.log(beta) - beta * log_eta + (beta - 1) * mean - 1)
    return log_eta, beta, second, likelihood


def _hazard_terms(x: Floats, log_eta: Floats, beta: Floats) -> NDArray[np.float64]:
    """H at `x` with its derivatives by a = ln eta and b = ln beta, rows (H, a, b, aa, ab, bb), 0 where x is not > 0."""
    there = x > 0
    u = np.where(there, beta * (np.log(np.where(there, x, 1.0)) - log_eta), 0.0)
    h = np.where(there, np.exp(np.minimum(u, 500.0)), 0.0)
    return np.stack([h, -beta * h, u * h, beta**2 * h, -beta * (1 + u) * h, u * (1 + u) * h])


def _likelihood(
    data: LifeRows, log_eta: Floats, log_beta: Floats
) -> tuple[Floats, tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
    """Log likelihood of each group, its gradient by (ln eta, ln beta), and its second derivatives (aa, ab, bb)."""
    g = data.group
    a, b = log_eta[g], log_beta[g]
    beta = np.exp(b)
    at = _hazard_terms(data.age, a, beta)
    terms = -at
    truncated = data.entry > 0
    if truncated.any():
        terms[:, truncated] += _hazard_terms(data.entry[truncated], a[truncated], beta[truncated])
    exact = data.event == Event.FAILURE
    log_age = np.log(data.age[exact])
    u = beta[exact] * (log_age - a[exact])
    zero = np.zeros(len(u))
    terms[:, exact] += np.stack([b[exact] + u - log_age, -beta[exact], 1 + u, zero, -beta[exact], u])
    between = data.event == Event.INTERVAL
    if between.any():
        d = _hazard_terms(data.age_to[between], a[between], beta[between]) - at[:, between]
        width = np.maximum(d[0], 1e-300)
        with np.errstate(over="ignore"):
            first = 1 / np.expm1(width)
        second = -first * (1 + first)
        terms[:, between] += np.stack(
            [
                np.log(-np.expm1(-width)),
                first * d[1],
                first * d[2],
                first * d[3] + second * d[1] ** 2,
                first * d[4] + second * d[1] * d[2],
                first * d[5] + second * d[2] ** 2,
            ]
        )
    ll, ga, gb, aa, ab, bb = (np.bincount(g, data.count * row, data.groups).astype(np.float64) for row in terms)
    return ll, (ga, gb), (aa, ab, bb)


def _newton(data: LifeRows, a: Floats, b: Floats, wanted: Bools) -> tuple[Floats, Floats, Bools]:
    """Safeguarded Newton ascent in (ln eta, ln beta) for the groups `wanted`, from (a, b): (a, b, solved).

    The Hessian is shifted until it is negative definite, a step is at most 2 long, and one that does not raise the
    likelihood is cut to a quarter (Nocedal and Wright, Numerical Optimization, 2006, sections 3.1 and 3.4).
    """
    a, b = a.copy(), b.copy()
    best = np.full(data.groups, -np.inf)
    step_a, step_b = np.zeros(data.groups), np.zeros(data.groups)
    open_, solved = wanted.copy(), np.zeros(data.groups, np.bool_)
    live = data
    for _ in range(_STEPS):
        live = live.take(open_[live.group])
        ll, (ga, gb), (aa, ab, bb) = _likelihood(live, a + step_a, b + step_b)
        better = open_ & (ll >= best - 1e-11 * (1 + np.abs(best)))
        a, b = np.where(better, a + step_a, a), np.where(better, b + step_b, b)
        best = np.where(better, ll, best)
        half, mean = (aa - bb) / 2, (aa + bb) / 2
        top = mean + np.hypot(half, ab)
        shift = np.where(top < 0, 0.0, top + 1e-3 * (1 + np.abs(mean)))
        caa, cbb = aa - shift, bb - shift
        with np.errstate(divide="ignore", invalid="ignore"):
            determinant = caa * cbb - ab**2
            na, nb = -(cbb * ga - ab * gb) / determinant, -(caa * gb - ab * ga) / determinant
            longest = np.hypot(na, nb)
            shrink = np.where(longest > 2, 2 / longest, 1.0)
        step_a, step_b = np.where(better, na * shrink, step_a / 4), np.where(better, nb * shrink, step_b / 4)
        tiny = np.hypot(step_a, step_b) < 1e-9
        solved |= open_ & better & tiny & (shift == 0)
        a, b = np.where(solved & open_, a + step_a, a), np.where(solved & open_, b + step_b, b)
        lost = ~np.isfinite(step_a + step_b) | (b < np.log(SHAPE_RANGE[0])) | (b > np.log(SHAPE_RANGE[1])) | tiny
        open_ &= ~solved & ~lost
        step_a, step_b = np.where(open_, step_a, 0.0), np.where(open_, step_b, 0.0)
        if not open_.any():
            break
    return a, b, solved
