"""Profile-likelihood (likelihood-ratio) intervals of any figure that follows from a fit, for all groups at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from analytics.life.curvature import Bend, Likelihood, differences
from analytics.life.distribution import Distribution, Fits, Intervals, Quantity, outward
from analytics.life.quantities import inside, natural, scaled, wald
from analytics.life.rows import Bools, Floats, LifeRows

WIDTH = 1e-3
"""Differences are this wide, in standard errors. They only steer: the likelihood itself is met closely, and an error of
the slope moves the end by its square."""
CLOSE, NEAR = 1e-9, 1e-4
"""An end is where the likelihood is off by less than the root of CLOSE and the next step is shorter than NEAR standard
errors; that step is taken, and what is left is of the order of its square."""
SHORTEST = 1 / 128
"""A path that advances less than this share of the way at a time has come to an end: the profile is flat there."""
_STEPS, _TRIES = 120, 8
_FARTHEST = 1e4


def likelihood_ratio(fits: Fits, data: LifeRows, quantity: Quantity, level: float = 0.9) -> Intervals:
    """The quantity of each group with its likelihood-ratio interval: all values g for which the log likelihood, at its
    highest among the parameters that give g, is within half the chi-square quantile (1 degree of freedom) of its
    maximum (Meeker and Escobar, Statistical Methods for Reliability Data, 1998, sections 7.3, 8.3.2 and 8.3.3).

    `data` are the records that `fits` are of. An end is where the likelihood is down by that much and its slope is
    along the slope of g: Newton's method on these equations from the Wald end (Venzon and Moolgavkar, Applied
    Statistics 37(1), 1988, pp. 87-94, equation 2). Where it does not lead there, the end is followed from the maximum
    in steps of the fall along its tangent, halved until they hold. An end is nan where the profile never falls
    that far, or where there is no fit. `se` is that of `wald`.
    """
    from_wald = wald(fits, quantity, level)
    able = fits.fitted & np.isfinite(from_wald.se)
    low, high = np.full(data.groups, np.nan), np.full(data.groups, np.nan)
    if able.any():
        surface = _Surface.around(fits, able, quantity)
        ends = [_end(surface, data, able, sign, ndtri((1 + level) / 2)) for sign in (-1.0, 1.0)]
        found = [outward(quantity.scale, end) for end in ends]
        low, high = found[::-1] if quantity.scale == "log-log" else found
    return Intervals(from_wald.value, from_wald.se, low, high, level)


@dataclass(frozen=True, slots=True)
class _Surface:
    """Log likelihood and quantity of each group, as functions of standardised parameters u (parameters, groups).

    The parameters on their scales are centre + root u, with root root' their covariance: near the maximum the log
    likelihood falls by |u|^2 / 2 in every direction, whatever the units.
    """

    of: Distribution
    quantity: Quantity
    centre: Floats
    root: Floats
    """(parameters, parameters, groups)"""

    @classmethod
    def around(cls, fits: Fits, able: Bools, quantity: Quantity) -> _Surface:
        first = int(np.flatnonzero(able)[0])
        centre = scaled(fits.distribution, np.where(able, fits.parameters, fits.parameters[:, first, None]))
        spread = np.where(able, fits.covariance, fits.covariance[:, :, first, None])
        width = np.sqrt(np.diagonal(spread, axis1=0, axis2=1).T)
        values, vectors = np.linalg.eigh(np.moveaxis(spread / (width[:, None] * width[None, :]), 2, 0))
        # a correlation may be 1 to the last digit: there the differences steer badly, but nothing stops
        root = width[:, None] * np.moveaxis(vectors * np.sqrt(np.maximum(values, 1e-12))[:, None, :], 0, 2)
        return cls(fits.distribution, quantity, centre, root)

    def figure(self, u: Floats) -> Floats:
        """The quantity on its scale."""
        x = self.centre + np.einsum("ijg,jg->ig", self.root, u)
        with np.errstate(all="ignore"):
            return inside(self.quantity, self.of, natural(self.of, x))

    def height(self, rows: Likelihood, u: Floats) -> Bend:
        """The log likelihood, bent by u."""
        x = self.centre + np.einsum("ijg,jg->ig", self.root, u)
        value, slope, second = rows.at(x, WIDTH * np.sqrt(np.einsum("ijg,ijg->ig", self.root, self.root)))
        return (
            value,
            np.einsum("ijg,ig->jg", self.root, slope),
            np.einsum("ikg,ijg,jlg->klg", self.root, second, self.root),
        )


def _end(surface: _Surface, data: LifeRows, able: Bools, sign: float, z: float) -> Floats:
    """The lower (sign -1) or upper (1) end of each group on the quantity's scale; nan where there is none.

    `way` is how much of the way the path has come: the fall there is its square times that of the end.
    """
    k, groups = surface.centre.shape
    start, width = np.zeros((k, groups)), np.full((k, groups), WIDTH)
    rows = Likelihood(surface.of, data)
    rows.narrow(able)
    best, (middle, first, _) = surface.height(rows, start)[0], differences(surface.figure, start, width)
    steepness = np.linalg.norm(first, axis=0)
    open_ = able & np.isfinite(steepness) & (steepness > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        wald_u, wald_multiplier = sign * z * first / steepness, -sign * z / steepness
    fall, close = z**2 / 2, np.maximum(CLOSE, 1e-13 * np.abs(best))
    way, step = np.zeros(groups), np.ones(groups)
    reached_u, reached_multiplier, reached = start, np.zeros(groups), middle
    u, multiplier, tries = wald_u.copy(), wald_multiplier.copy(), np.zeros(groups)
    found, turn = np.full(groups, np.nan), np.zeros((k + 1, groups))
    for _ in range(_STEPS):
        if not open_.any():
            break
        rows.narrow(open_)
        u = np.where(open_, u, 0.0)
        goal = np.minimum(way + step, 1.0)
        height, figure = surface.height(rows, u), differences(surface.figure, u, width)
        with np.errstate(invalid="ignore"):
            down = height[0] - (best - fall * goal**2)
            du, dm, tangent, usable = _newton(down, height, figure, multiplier)
            length = np.linalg.norm(du, axis=0)
            settled = usable & (np.abs(down) <= np.sqrt(close)) & (length <= NEAR)
            right = settled & _highest(height, figure, multiplier, sign) & (sign * (figure[0] - reached) > 0)
        done = open_ & right & (goal >= 1)
        if done.any():
            found = np.where(done, surface.figure(u + du), found)
        ahead = open_ & right & ~done
        lost = open_ & ~right & (settled | ~usable | (tries >= _TRIES) | (np.linalg.norm(u, axis=0) > _FARTHEST))
        way, reached_u, reached = (
            np.where(ahead, goal, way),
            np.where(ahead, u, reached_u),
            np.where(ahead, figure[0], reached),
        )
        reached_multiplier = np.where(ahead, multiplier, reached_multiplier)
        turn = np.where(ahead, -2 * fall * goal * tangent, turn)
        step = np.where(ahead, 2 * step, np.where(lost, np.minimum(step, 1 - way) / 2, step))
        next_, on = np.minimum(way + step, 1.0), way > 0
        fresh_u = np.where(on, reached_u + turn[:k] * (next_ - way), wald_u * next_)
        fresh_multiplier = np.where(on, reached_multiplier + turn[k] * (next_ - way), wald_multiplier * next_)
        again, longest = ahead | lost, 1 + np.linalg.norm(u, axis=0) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            shrink = np.where(length > longest, longest / length, 1.0)
        u = np.where(again, fresh_u, u + du * shrink)
        multiplier = np.where(again, fresh_multiplier, multiplier + dm * shrink)
        tries = np.where(again, 0, tries + 1)
        open_ = open_ & ~done & (step >= SHORTEST)
    return found


def _newton(down: Floats, height: Bend, figure: Bend, multiplier: Floats) -> tuple[Floats, Floats, Floats, Bools]:
    """(du, dm, tangent, usable) of Newton's step towards down = 0 and likelihood's slope = multiplier x figure's slope.

    The tangent (parameters + 1, groups) is how u and the multiplier of the solution change with the likelihood there.
    """
    k, groups = height[1].shape
    matrix, residual = np.zeros((groups, k + 1, k + 1)), np.zeros((groups, k + 1, 2))
    residual[:, 0, 1] = 1.0
    matrix[:, 0, :k] = height[1].T
    matrix[:, 1:, :k] = np.moveaxis(height[2] - multiplier * figure[2], 2, 0)
    matrix[:, 1:, k] = -figure[1].T
    residual[:, 0, 0] = -down
    residual[:, 1:, 0] = -(height[1] - multiplier * figure[1]).T
    usable = np.isfinite(matrix).all((1, 2)) & np.isfinite(residual).all((1, 2))
    matrix[~usable], residual[~usable] = np.eye(k + 1), 0.0
    size = np.abs(matrix).max((1, 2), keepdims=True)
    usable &= np.abs(np.linalg.det(matrix / size)) > 1e-14
    matrix[~usable] = np.eye(k + 1)
    step = np.linalg.solve(matrix, residual)
    step[~usable] = 0.0
    return step[:, :k, 0].T, step[:, k, 0], step[:, :, 1].T, usable


def _highest(height: Bend, figure: Bend, multiplier: Floats, sign: float) -> Bools:
    """Whether the likelihood is a maximum among the parameters with this value of the quantity, and falls outwards.

    The Lagrangian's second derivatives are negative on the plane across the quantity's slope.
    """
    k = len(height[1])
    outwards = sign * multiplier < 0
    if k == 1:
        return np.asarray(outwards)
    with np.errstate(divide="ignore", invalid="ignore"):
        normal = figure[1] / np.linalg.norm(figure[1], axis=0)
    bend = np.nan_to_num(np.moveaxis(height[2] - multiplier * figure[2], 2, 0))
    across = np.eye(k) - np.nan_to_num(normal.T[:, :, None] * normal.T[:, None, :])
    plane = across @ bend @ across
    # along the slope itself the projection is 0: the largest of the other eigenvalues is what counts
    largest = np.linalg.eigvalsh(plane - 1e6 * (np.eye(k) - across))[:, -1]
    return np.asarray(outwards & (largest < 0))
