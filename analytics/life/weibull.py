"""Two-parameter Weibull distributions fitted by maximum likelihood to thousands of ragged groups at once.

A group is any set of records that shares one life distribution: here a (part, maker, mode). Each group is solved on its
own terms, so that what else is in the batch never changes its answer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows, exits, ready

SHAPE_RANGE = (0.01, 1000.0)
"""A shape outside of this is no maximum but a likelihood that keeps rising towards 0 or infinity."""
WIDEST = 690.0
"""A scale of exp(690) or exp(-690) is none: it would soon be no number."""
_STEPS = 100


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
    data = data.take(~np.isinf(data.age_to))
    failed = data.event != Event.SUSPENSION
    failures = data.sums(data.count * failed)
    top = np.zeros(data.groups)
    np.maximum.at(top, data.group, np.where(np.isfinite(data.age_to), data.age_to, data.age))
    scale = np.where(top > 0, top, 1.0)[data.group]
    scaled = LifeRows(
        data.age / scale, data.event, data.entry / scale, data.age_to / scale, data.count, data.group, data.groups
    )
    beta, log_eta = _profile(scaled)
    general = data.sums((data.event == Event.INTERVAL) | (data.entry > 0)) > 0
    converged = np.isfinite(beta)
    if general.any():
        hard = scaled.take(general[data.group])
        start_shape = np.where(np.isfinite(beta), np.clip(beta, 0.2, 20.0), 1.0)
        start = np.where(np.isfinite(log_eta), log_eta, 0.0)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a step that leads nowhere is not taken
            solved_eta, solved_shape, solved = _newton(hard, start, np.log(start_shape), general & (failures > 0))
        beta = np.where(general, np.exp(solved_shape), beta)
        log_eta = np.where(general, solved_eta, log_eta)
        converged = np.where(general, solved, converged)
    beta, log_eta = np.where(converged, beta, np.nan), np.where(converged, log_eta, np.nan)
    fine = scaled.take(converged[data.group])
    likelihood, _, (aa, ab, bb) = _likelihood(fine, np.nan_to_num(log_eta), np.log(np.where(converged, beta, 1.0)))
    determinant = aa * bb - ab**2
    converged &= (determinant > 0) & (aa < 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        var_eta, var_beta, cov = -bb / determinant, -aa / determinant, ab / determinant
    exact = data.sums(data.count * (data.event == Event.FAILURE))
    log_top = np.log(np.where(top > 0, top, 1.0))
    converged &= np.abs(log_eta + log_top) < WIDEST

    def known(values: Floats) -> Floats:
        answer: Floats = np.where(converged, values, np.nan)
        return answer

    return WeibullFits(
        np.exp(known(log_eta + log_top)),
        known(beta),
        known(var_eta),
        known(var_beta),
        known(cov),
        failures,
        distinct(data.take(failed)),
        converged,
        known(likelihood - exact * log_top),
    )


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


def _profile(data: LifeRows) -> tuple[Floats, Floats]:
    """(beta, ln eta) of each group from exact failures and suspensions alone: intervals by their middle, no entries.

    Exact where a group has only those; a start for `_newton` elsewhere. With eta profiled out, beta is the root of
    sum(w x^b ln x) / sum(w x^b) - 1/b - mean of ln x over failures, which rises with b (Lawless 2003, equation
    5.2.6): Newton inside a bracket. Ages are in units of the group's oldest, so that powers never overflow. nan where
    there is no root: no failure, or all failures at the oldest age.
    """
    log_age = np.log(exits(data))
    failed = data.event != Event.SUSPENSION
    failures = data.sums(data.count * failed)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = data.sums(data.count * failed * log_age) / failures
        spread = data.sums(data.count * failed * (log_age - mean[data.group]) ** 2) / failures
    solvable = np.isfinite(mean) & (mean < 0)
    beta = np.where(solvable, np.clip(1.2825 / np.sqrt(np.maximum(np.nan_to_num(spread), 1e-6)), 0.1, 50.0), np.nan)
    low, high = np.full(data.groups, SHAPE_RANGE[0] / 10), np.full(data.groups, np.inf)
    open_ = solvable.copy()
    power = np.ones(data.groups)
    for _ in range(_STEPS):
        live = open_[data.group]
        if not live.any():
            break
        y, w, g = log_age[live], data.count[live], data.group[live]
        e = w * np.exp(np.where(open_, beta, 0.0)[g] * y)
        s0, s1, s2 = (np.bincount(g, v, data.groups) for v in (e, e * y, e * y * y))
        with np.errstate(divide="ignore", invalid="ignore"):
            m = s1 / s0
            f = m - 1 / beta - mean
            step = beta - f / (s2 / s0 - m * m + 1 / beta**2)
            low, high = np.where(open_ & (f < 0), beta, low), np.where(open_ & (f >= 0), beta, high)
            outside = (step <= low) | (step >= high)
            step = np.where(outside, np.where(np.isfinite(high), np.sqrt(low * high), 4 * low), step)
            done = open_ & ((np.abs(step - beta) <= 1e-12 * beta) | ~(step < SHAPE_RANGE[1]))
        power = np.where(open_, s0, power)
        beta = np.where(open_, step, beta)
        open_ &= ~done
    beta = np.where(solvable & ~open_ & (beta > SHAPE_RANGE[0]) & (beta < SHAPE_RANGE[1]), beta, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_eta: Floats = np.log(power / failures) / beta
    return beta, log_eta


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
