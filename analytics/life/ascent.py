"""The highest point of thousands of smooth functions at once, each of a few coordinates: safeguarded Newton ascent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analytics.life.rows import Bools, Floats, LifeRows

STEPS = 60
SLACK = 1e-11
"""What a value may fall, relative to itself, before a step counts as a bad one: the noise of a sum of many terms."""
REACH = 0.02
"""Numerical derivatives reach so many standard errors far, and so far on the scale of a coordinate at most."""
_NARROWEST = 1e-7


class Objective(Protocol):
    """What is to be raised, for groups side by side."""

    def narrow(self, open_: Bools) -> None:
        """Only these groups are asked for from here on."""

    def at(self, x: Floats, basis: Floats) -> tuple[Floats, Floats, Floats]:
        """At x (k, groups): values (groups,), and slopes (k, groups) and second derivatives (k, k, groups) by steps
        along the columns of `basis` (k, k, groups). What is anything for groups that are not asked for.
        """


@dataclass(frozen=True, slots=True)
class Peak:
    """Where the functions are highest: x (k, groups), the inverse of minus the second derivatives there
    (k, k, groups), the values, and which groups have such a point.
    """

    x: Floats
    covariance: Floats
    value: Floats
    solved: Bools


def ascend(objective: Objective, start: Floats, wanted: Bools, *, longest: float, close: float) -> Peak:
    """Newton's method from `start` (k, groups) for the groups `wanted`.

    Where the function is not concave its second derivatives are taken as if they were (their eigenvalues' signs are
    changed); a step is at most `longest` long, and one that does not raise the function is cut to a quarter (Nocedal
    and Wright, Numerical Optimization, 2006, sections 3.1 and 3.4). It ends where what is left to go is below `close`
    standard errors, and that is gone too.
    """
    k, groups = start.shape
    x, trial, step = start.copy(), start.copy(), np.zeros((k, groups))
    best, unit = np.full(groups, -np.inf), np.broadcast_to(np.eye(k)[:, :, None], (k, k, groups))
    basis, covariance = REACH * unit, np.full((k, k, groups), np.nan)
    open_, solved = wanted.copy(), np.zeros(groups, np.bool_)
    for _ in range(STEPS):
        if not open_.any():
            break
        objective.narrow(open_)
        with np.errstate(all="ignore"):
            value, slope, bend = objective.at(trial, basis)
            sound = np.isfinite(slope).all(0) & np.isfinite(bend).all((0, 1))
            better = open_ & (value >= best - SLACK * (1 + np.abs(best)))
        edge = better & ~sound & (np.abs(basis).max((0, 1)) > _NARROWEST)
        basis[:, :, edge] /= 8  # the derivatives reached over the edge of where the function is a number
        better &= sound
        at = np.flatnonzero(better)
        x[:, at], best[at] = trial[:, at], value[at]
        newton, left, inverse, axes, concave = _newton(slope[:, at], bend[:, :, at], basis[:, :, at])
        done = at[concave & (left < close)]
        covariance[:, :, done] = inverse[:, :, concave & (left < close)]
        length = np.linalg.norm(newton, axis=0)
        step[:, at] = newton * np.minimum(1.0, longest / np.maximum(length, 1e-300))
        basis[:, :, at] = axes
        step[:, open_ & ~better & ~edge] /= 4
        x[:, done] += step[:, done]
        solved[done] = True
        stuck = ~edge & (np.linalg.norm(step, axis=0) < 1e-13 * (1 + np.linalg.norm(x, axis=0)))
        open_ &= ~solved & ~stuck & np.isfinite(step).all(0) & (edge | np.isfinite(best))
        trial = x + step
    return Peak(x, covariance, best, solved)


def _newton(slope: Floats, bend: Floats, basis: Floats) -> tuple[Floats, Floats, Floats, Floats, Bools]:
    """(step, its length in standard errors, minus the inverse of the second derivatives, the next basis, concave)."""
    values, vectors = np.linalg.eigh(np.moveaxis(bend, 2, 0))
    concave = np.asarray((values < 0).all(1))
    size = np.abs(values)
    size = np.maximum(size, 1e-12 * size.max(1, keepdims=True) + 1e-300)
    along = np.moveaxis(basis, 2, 0) @ vectors  # (groups, k, k): the axes of the function's curvature
    part = np.einsum("gij,ig->gj", vectors, slope)
    with np.errstate(over="ignore"):
        step = np.einsum("gij,gj->ig", along, part / size)
        left = np.sqrt((part**2 / size).sum(1))
        inverse = np.einsum("gij,gj,gkj->ikg", along, 1 / size, along)
        axes = along * (REACH / np.sqrt(size))[:, None, :]
    longest = np.linalg.norm(axes, axis=1, keepdims=True)
    axes = np.nan_to_num(axes * np.minimum(1.0, REACH / np.maximum(longest, 1e-300)))
    return step, left, inverse, np.moveaxis(axes, 0, 2), concave


class Numerical:
    """An objective of which only values are known: `value(data, x)` with x (k, groups) gives (groups,).

    Derivatives are central differences of the fourth order (Abramowitz and Stegun, 25.3.6, 25.3.24), mixed ones of the
    second.
    """

    def __init__(self, value: Callable[[LifeRows, Floats], Floats], data: LifeRows) -> None:
        self._value, self._data = value, data

    def narrow(self, open_: Bools) -> None:
        """Leave out the rows of other groups."""
        self._data = self._data.take(open_[self._data.group])

    def at(self, x: Floats, basis: Floats) -> tuple[Floats, Floats, Floats]:
        """Values and differences of values."""
        k = len(x)
        slope, bend = np.empty_like(x), np.empty((k, k, x.shape[1]))
        here = self._value(self._data, x)

        def moved(way: Floats) -> Floats:
            return self._value(self._data, x + way) - here

        near = [(moved(basis[:, i]), moved(-basis[:, i])) for i in range(k)]
        for i in range(k):
            (up, down), up2, down2 = near[i], moved(2 * basis[:, i]), moved(-2 * basis[:, i])
            slope[i] = (8 * (up - down) - (up2 - down2)) / 12
            bend[i, i] = (16 * (up + down) - (up2 + down2)) / 12
            for j in range(i):
                both = basis[:, i] + basis[:, j]
                mixed = (moved(both) + moved(-both) - up - down - sum(near[j])) / 2
                bend[i, j] = bend[j, i] = mixed
        return here, slope, bend
