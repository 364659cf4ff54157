"""Maximum likelihood of any life distribution, thousands of ragged groups at once.

With H the cumulative hazard and h its rate, a record that entered observation at `entry` contributes, `count` times: a
failure ln h(x) - H(x) + H(entry), a suspension -H(x) + H(entry), an interval ln(R(age) - R(age_to)) + H(entry) (Meeker
and Escobar, Statistical Methods for Reliability Data, 1998, sections 2.4 and 11.6; Lawless, Statistical Models and
Methods for Lifetime Data, 2003, section 2.4). An interval from age 0 is a failure found at its end, of any age before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analytics.life import weibull
from analytics.life.ascent import Numerical, Peak, ascend
from analytics.life.concave import locate
from analytics.life.distribution import Distribution, Fits, Status, inward, outward, pointed
from analytics.life.families import Weibull
from analytics.life.location_scale import LocationScale
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows
from analytics.life.weibull import SHAPE_RANGE, WIDEST, distinct

CLOSE = 1e-5
LONGEST = 2.0
FLAT = 50.0
"""A standard error on a scale of logarithms beyond which the likelihood is flat."""


def log_likelihood(distribution: Distribution, data: LifeRows, p: Floats) -> Floats:
    """Log likelihood of each group (groups,) for its parameters p (parameters, groups); 0 for groups without rows."""
    p = np.asarray(p, np.float64)
    return data.sums(data.count * distribution.contributions(data, p[:, data.group]))


def fit(distribution: Distribution, data: LifeRows) -> Fits:
    """The distribution fitted to every group of `data`, each on its own terms."""
    endless = np.isinf(data.age_to)
    if endless.any():
        data = data.take(~endless)
    n, failures, different, status = _outlook(len(distribution.parameters), data)
    wanted = status == Status.FITTED
    given, likelihood = data, None
    data, log_width = pointed(data)
    if isinstance(distribution, Weibull):
        p, covariance, solved, likelihood = _profiled(data, failures)
        likelihood = likelihood + data.sums(data.count * log_width)
    elif isinstance(distribution, LocationScale):
        p, covariance, solved = _located(distribution, data, wanted)
    else:
        p, covariance, solved = _climbed(distribution, data, wanted)
    solved &= np.isfinite(p).all(0) & np.isfinite(covariance).all((0, 1))
    status[wanted & ~solved] = Status.NO_MAXIMUM
    fitted = status == Status.FITTED
    p, covariance = np.where(fitted, p, np.nan), np.where(fitted, covariance, np.nan)
    if likelihood is None:
        likelihood = log_likelihood(distribution, given.take(fitted[given.group]), p)
    return Fits(
        distribution, p, covariance, np.where(fitted, likelihood, np.nan), n, failures, different, status
    )  # fmt: skip


def _outlook(parameters: int, data: LifeRows) -> tuple[Floats, Floats, Ints, Ints]:
    """(units, failures, distinct failures, status) of each group before any fit.

    Units that all failed at one age have no spread to learn from: the likelihood rises without end.
    """
    failed = data.event != Event.SUSPENSION
    n, failures = data.sums(data.count), data.sums(data.count * failed)
    different = distinct(data.take(failed))
    inexact = data.sums(data.event != Event.FAILURE) > 0
    alike = (parameters > 1) & (different == 1) & ~inexact & (failures >= parameters)
    status = np.full(data.groups, Status.FITTED, np.int64)
    status[different < parameters] = Status.TOO_FEW
    status[alike] = Status.NO_MAXIMUM
    status[failures == 0] = Status.NO_FAILURE
    status[n == 0] = Status.NO_ROWS
    return n, failures, different, status


def _profiled(data: LifeRows, failures: Floats) -> tuple[Floats, Floats, Bools, Floats]:
    """(parameters, covariance on their scales, solved, log likelihood) of the Weibull distribution: the quick path."""
    log_eta, beta, (aa, ab, bb), likelihood, solved = weibull.maximum(data, failures)
    with np.errstate(all="ignore"):
        covariance = np.array([[-bb, ab], [ab, -aa]]) / (aa * bb - ab**2)
        return np.stack([np.exp(log_eta), beta]), covariance, solved, likelihood


def _located(family: LocationScale, data: LifeRows, wanted: Bools) -> tuple[Floats, Floats, Bools]:
    """(parameters, covariance on their scales, solved) of a location-scale distribution."""
    found = locate(family, data, wanted)
    signs = np.array(family.signs, np.float64)
    k = len(signs)
    with np.errstate(all="ignore"):
        p = family.placed(found.mu, found.sigma)
        solved = found.solved
        if not family.real:
            solved &= (
                (np.abs(found.mu) < WIDEST) & (found.sigma > 1 / SHAPE_RANGE[1]) & (found.sigma < 1 / SHAPE_RANGE[0])
            )
    return p, found.covariance[:k, :k] * signs[:, None, None] * signs[None, :, None], solved


def _climbed(distribution: Distribution, data: LifeRows, wanted: Bools) -> tuple[Floats, Floats, Bools]:
    """(parameters, covariance on their scales, solved) by numerical derivatives, from every start; the best counts."""
    data = data.take(wanted[data.group])
    top = np.zeros(data.groups)
    np.maximum.at(top, data.group, np.where(np.isfinite(data.age_to), data.age_to, data.age))
    unit = np.where(top > 0, top, 1.0)
    per = unit[data.group]
    scaled = replace(data, age=data.age / per, entry=data.entry / per, age_to=data.age_to / per)
    scales = [each.scale for each in distribution.parameters]

    def value(rows: LifeRows, x: Floats) -> Floats:
        p = np.stack([outward(scale, row) for scale, row in zip(scales, x, strict=True)])
        return log_likelihood(distribution, rows, p)

    best: Peak | None = None
    for start in distribution.starts(scaled):
        x = np.stack([inward(scale, row) for scale, row in zip(scales, start, strict=True)])
        able = wanted & np.isfinite(x).all(0)
        peak = ascend(Numerical(value, scaled), np.where(able, x, 0.0), able, longest=LONGEST, close=CLOSE)
        p = np.stack([outward(scale, row) for scale, row in zip(scales, peak.x, strict=True)])
        with np.errstate(invalid="ignore"):
            flat = (np.diagonal(peak.covariance, axis1=0, axis2=1).T > FLAT**2).any(0)
            peak = replace(peak, solved=peak.solved & ~flat & distribution.sound(scaled, p))
        best = peak if best is None else _better(best, peak)
    assert best is not None
    p, covariance = distribution.tidy(
        np.stack([outward(scale, row) for scale, row in zip(scales, best.x, strict=True)]), best.covariance
    )
    stretch = np.ones((len(scales), data.groups))
    for i, each in enumerate(distribution.parameters):
        if each.unit == "age":
            p[i] *= unit
            stretch[i] = unit if each.scale == "identity" else 1.0
        elif each.unit == "rate":
            p[i] /= unit
        elif each.unit == "log age":
            p[i] += np.log(unit)
    return p, covariance * stretch[:, None] * stretch[None, :], best.solved


def _better(one: Peak, other: Peak) -> Peak:
    """Of each group the higher of two peaks that are ones."""
    with np.errstate(invalid="ignore"):
        choose = other.solved & (~one.solved | (other.value > one.value))
    return Peak(
        np.where(choose, other.x, one.x),
        np.where(choose, other.covariance, one.covariance),
        np.where(choose, other.value, one.value),
        one.solved | other.solved,
    )
