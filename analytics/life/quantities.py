"""Figures that follow from a fit (parameters, mean, B-lives, reliabilities) with Wald intervals, all groups at once.

A quantity is made for a distribution, as its scale may depend on it: ages are positive for most, any number for the
normal and the Gumbel distribution. An age that a quantity is about is one number, or one a group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, xlogy

from analytics.life.distribution import Distribution, Fits, Intervals, Quantity, Scale, inward, outward
from analytics.life.rows import Floats
from schema import Text

STEP = 1e-4
"""Derivatives are central differences this many standard errors wide: their error is of the order of its square."""


def parameter(of: Distribution, name: str) -> Quantity:
    """A parameter of a distribution by its name, on the parameter's own scale; raises ValueError for another name."""
    names = [each.name for each in of.parameters]
    if name not in names:
        raise ValueError(f"{of.name} has no parameter {name}: it has {', '.join(names)}.")
    at = names.index(name)
    declared = of.parameters[at]
    return Quantity(name, declared.text, declared.scale, lambda _, p: p[at], declared.unit)


def mean(of: Distribution) -> Quantity:
    """Mean life."""
    return Quantity("mean", Text("平均寿命", "Mean life"), _ages(of), lambda d, p: d.mean(p))


def b_life(of: Distribution, share: float = 0.1) -> Quantity:
    """The age by which `share` (0 to 1, both left out) has failed: the B10 life for 0.1."""
    if not 0 < share < 1:
        raise ValueError(f"The share of a B-life lies between 0 and 1; {share} does not.")
    name = f"B{100 * share:.12g}"
    text = Text("中位寿命", "Median life") if share == 0.5 else Text(f"{name} 寿命", f"{name} life")
    return Quantity(name.lower(), text, _ages(of), lambda d, p: d.quantile(np.full(p.shape[1], share), p))


def median(of: Distribution) -> Quantity:
    """The age by which half has failed."""
    return b_life(of, 0.5)


@dataclass(frozen=True, slots=True)
class Survival(Quantity):
    """A share that survives a cumulative hazard, which stays a number where the share is all but 0 or 1."""

    hazard: Callable[[Distribution, Floats], Floats] = lambda _, p: p[0]


def reliability(_of: Distribution, age: ArrayLike) -> Quantity:
    """The share that survives `age`."""
    x = np.asarray(age, np.float64)
    text = Text("可靠度", "Reliability")
    return Survival(
        "reliability",
        text,
        "log-log",
        lambda d, p: d.reliability(_each(x, p), p),
        "none",
        lambda d, p: d.hazard(_each(x, p), p),
    )


def conditional(_of: Distribution, age: ArrayLike, further: ArrayLike) -> Quantity:
    """The share of those alive at `age` that survives `further` beyond it."""
    x, more = np.asarray(age, np.float64), np.asarray(further, np.float64)
    text = Text("条件可靠度", "Conditional reliability")
    return Survival(
        "conditional_reliability",
        text,
        "log-log",
        lambda d, p: d.conditional(_each(x, p), _each(more, p), p),
        "none",
        lambda d, p: d.hazard(_each(x + more, p), p) - d.hazard(_each(x, p), p),
    )


def hazard_rate(_of: Distribution, age: ArrayLike) -> Quantity:
    """Failures per unit of age among those alive at `age`."""
    x = np.asarray(age, np.float64)
    text = Text("失效率", "Hazard rate")
    return Quantity("hazard_rate", text, "log", lambda d, p: np.exp(d.log_rate(_each(x, p), p)), "rate")


def _ages(of: Distribution) -> Scale:
    return "identity" if of.real else "log"


def _each(x: Floats, p: Floats) -> Floats:
    return np.broadcast_to(x, p.shape[1:])


def scaled(of: Distribution, p: Floats) -> Floats:
    """Parameters (parameters, groups) on their scales."""
    return np.stack([inward(each.scale, row) for each, row in zip(of.parameters, p, strict=True)])


def natural(of: Distribution, on_scale: Floats) -> Floats:
    """Parameters that are `on_scale` (parameters, groups) on their scales."""
    return np.stack([outward(each.scale, row) for each, row in zip(of.parameters, on_scale, strict=True)])


def value_of(fits: Fits, quantity: Quantity) -> Floats:
    """The quantity of each group (groups,); nan where there is no fit."""
    with np.errstate(all="ignore"):
        found = quantity.function(fits.distribution, _filled(fits))
    return np.where(fits.fitted, found, np.nan)


def wald(fits: Fits, quantity: Quantity, level: float = 0.9) -> Intervals:
    """The quantity of each group with its Wald interval, symmetric on the quantity's scale.

    With g the quantity on its scale and V the covariance of the parameters on theirs, var g = (dg/dp)' V (dg/dp), the
    delta method (Meeker and Escobar, Statistical Methods for Reliability Data, 1998, sections 8.4.1 to 8.4.3 and
    appendix B.2). Groups that are not fitted have nan everywhere.
    """
    parameters = _filled(fits)
    on_scale = scaled(fits.distribution, parameters)
    with np.errstate(all="ignore"):
        slope = gradient(fits, quantity, on_scale)
        variance = np.einsum("ig,ijg,jg->g", slope, np.where(fits.fitted, fits.covariance, np.nan), slope)
        spread = np.sqrt(np.where(variance >= 0, variance, np.nan))
        value = np.where(fits.fitted, quantity.function(fits.distribution, parameters), np.nan)
        middle = np.where(fits.fitted, inside(quantity, fits.distribution, parameters), np.nan)
        z = ndtri((1 + level) / 2)
        ends = [outward(quantity.scale, middle + sign * z * spread) for sign in (-1.0, 1.0)]
        known = np.isfinite(middle) & np.isfinite(spread)
        low, high = (np.where(known, pick(*ends), np.nan) for pick in (np.minimum, np.maximum))
        se = np.where(known, spread * np.abs(_outward_slope(quantity.scale, value)), np.nan)
    return Intervals(value, se, low, high, level)


def gradient(fits: Fits, quantity: Quantity, on_scale: Floats) -> Floats:
    """Derivatives of the quantity on its scale by the parameters on theirs, at `on_scale`: (parameters, groups)."""
    rows = []
    for i in range(len(on_scale)):
        width = np.where(fits.fitted, STEP * np.sqrt(np.abs(fits.covariance[i, i])), STEP)
        ends = []
        for sign in (1.0, -1.0):
            moved = on_scale.copy()
            moved[i] += sign * width
            ends.append((moved[i], inside(quantity, fits.distribution, natural(fits.distribution, moved))))
        rows.append((ends[0][1] - ends[1][1]) / (ends[0][0] - ends[1][0]))
    return np.stack(rows)


def inside(quantity: Quantity, of: Distribution, p: Floats) -> Floats:
    """The quantity on its scale."""
    if isinstance(quantity, Survival):
        return inward("log", quantity.hazard(of, p))
    return inward(quantity.scale, quantity.function(of, p))


def _filled(fits: Fits) -> Floats:
    """The parameters, those of a fitted group in place of what is missing, so that any formula can be worked out."""
    if fits.fitted.all():
        return fits.parameters
    usable = np.flatnonzero(fits.fitted)
    stand_in = fits.parameters[:, usable[:1]] if usable.size else np.ones((len(fits.parameters), 1))
    return np.where(fits.fitted, fits.parameters, stand_in)


def _outward_slope(scale: Scale, value: Floats) -> Floats:
    """The derivative of the figure by itself on its scale."""
    if scale == "log":
        return value
    if scale == "logit":
        return value * (1 - value)
    return np.asarray(xlogy(value, value)) if scale == "log-log" else np.ones_like(value)
