"""What life models may be in truth, given the data they were fitted to: draws of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm

from analytics.life.distribution import Fits, inward, outward
from analytics.life.rows import Floats, Ints

Hazard = Callable[[Floats, Ints], Floats]
"""Cumulative hazard at ages (rows, k) of units of the groups (rows, 1): (rows, k), nan where nothing is known."""

DRAWS = 200
_TRIED, _FREEDOM, _WIDER = 8, 4, 1.5
"""For each draw so many are tried, from a t distribution of so many degrees of freedom, so much wider than normal."""


@dataclass(frozen=True, slots=True)
class Lives:
    """The life models of the groups: the estimates, and draws of what they may be in truth (none: they are known)."""

    best: Hazard
    draws: tuple[Hazard, ...] = ()


def scores(size: int, dimensions: int, rng: np.random.Generator) -> Floats:
    """Standard normal draws (dimensions, size), each dimension spread evenly: a Latin hypercube.

    (McKay, Beckman and Conover, Technometrics 21, 1979.) Fewer are needed than of independent draws.
    """
    even: Floats = np.asarray(norm.ppf((np.arange(size) + 0.5) / size))
    return rng.permuted(np.tile(even, (dimensions, 1)), axis=1)


def drawn(
    centre: Floats,
    covariance: Floats,
    likelihood: Callable[[Floats], Floats] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Floats:
    """Draws of parameters on their scales, (parameters, groups, draws), all equally likely.

    `centre` are the estimates (parameters, groups), `covariance` (parameters, parameters, groups). Without `likelihood`
    they are from the normal distribution of the estimates. With few failures that is skewed the wrong way: upper ends
    of a forecast are several times too far away. With `likelihood`, which gives the log likelihood (groups,) of
    parameters (parameters, groups) on their scales, they are in proportion to it, by sampling and resampling (Rubin
    1988; Smith and Gelfand, American Statistician 46, 1992). A flat density of location and log scale is the one by
    which the predictive distribution of a location-scale law has its nominal coverage where the data end with a
    failure (Lawless, Statistical Models and Methods for Lifetime Data, 2003, appendix E; Tian, Nordman and Meeker,
    Statistical Science 37, 2022).
    """
    size, groups = centre.shape
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(np.moveaxis(covariance, 2, 0))
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    tried = draws if likelihood is None else draws * _TRIED
    z = scores(tried, size * groups, rng).reshape(size, groups, tried)
    if likelihood is None:
        return np.asarray(centre[:, :, None] + np.einsum("gij,jgd->igd", root, z))
    even = np.tile((np.arange(tried) + 0.5) / tried, (groups, 1))
    z *= np.sqrt(_FREEDOM / np.asarray(chi2.ppf(rng.permuted(even, axis=1), _FREEDOM)))
    at = np.asarray(centre[:, :, None] + _WIDER * np.einsum("gij,jgd->igd", root, z))
    density = -(_FREEDOM + size) / 2 * np.log1p((z**2).sum(axis=0) / _FREEDOM)
    weight = np.stack([likelihood(at[:, :, d]) for d in range(tried)], axis=1) - density
    weight = np.where(np.isfinite(weight), weight, -np.inf)
    top = weight.max(axis=1, keepdims=True)
    weight = np.exp(weight - np.where(np.isfinite(top), top, 0.0))
    upto = np.cumsum(weight, axis=1)
    marks = (np.arange(draws) + 0.5) / draws * upto[:, -1:]
    chosen = np.stack([np.searchsorted(u, m) for u, m in zip(upto, marks, strict=True)])
    chosen = rng.permuted(np.minimum(chosen, tried - 1), axis=1)
    return np.asarray(np.take_along_axis(at, chosen[None], axis=2))


def lives(
    fits: Fits,
    of: ArrayLike | None = None,
    likelihood: Callable[[Floats], Floats] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Lives:
    """Life models from fits, with draws as in `drawn`; group i has the fit `of[i]`, its own number where not given.

    `likelihood` gives the log likelihood (fits,) of parameters (parameters, fits), as `fitting.log_likelihood` does of
    the data. Groups without an estimate are nan.
    """
    to_fit = np.arange(len(fits.n)) if of is None else np.asarray(of, np.int64)
    scales = [each.scale for each in fits.distribution.parameters]
    known = fits.fitted

    def natural(at: Floats) -> Floats:
        return np.stack([outward(s, p) for s, p in zip(scales, at, strict=True)])

    def weight(at: Floats) -> Floats:
        assert likelihood is not None
        with np.errstate(all="ignore"):
            return likelihood(natural(at))

    def model(p: Floats) -> Hazard:
        def hazard(x: Floats, group: Ints) -> Floats:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                return fits.distribution.hazard(x, p[:, to_fit[group]])

        return hazard

    centre = np.stack([inward(s, np.where(known, p, 1.0)) for s, p in zip(scales, fits.parameters, strict=True)])
    covariance = np.where(known, fits.covariance, 0.0)
    at = drawn(centre, covariance, None if likelihood is None else weight, draws, seed)
    each = (model(np.where(known, natural(at[:, :, d]), np.nan)) for d in range(draws))
    return Lives(model(fits.parameters), tuple(each))
