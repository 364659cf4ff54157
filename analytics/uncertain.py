"""What hazards may be in truth: life models with draws of them, for predictive distributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.stats import norm

from analytics.evidence import RULE_OF_THREE, Evidence
from analytics.hazard import Hazards, Kind
from analytics.life.draws import DRAWS, Hazard, Lives, drawn, scores
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import log_likelihood
from analytics.life.rows import Bools, Floats, Ints, LifeRows
from analytics.records import life_rows, of_mode


def lives(known: Evidence, fits: pl.DataFrame, makers: pl.Series, draws: int = DRAWS, seed: int = 0) -> Lives:
    """Life models of groups whose makers are `makers`: the hazards of each maker's modes, summed.

    `fits` are rows of `known.fits` with their number `at`.
    """
    fits = fits.with_row_index("_fit")
    hazards = known.hazards.take(fits["at"].to_numpy())
    data = life_rows(_rows(known, fits.filter(kind="fitted")), "_fit", len(hazards))
    own = [np.asarray(makers.eq_missing(maker).to_numpy()) for maker in fits["maker"].to_list()]
    return models(hazards, own, data, draws, seed)


def models(
    hazards: Hazards, own: Sequence[Bools], data: LifeRows | None = None, draws: int = DRAWS, seed: int = 0
) -> Lives:
    """Life models of groups, each the sum of hazards; `own` says of each hazard which groups have it.

    A fitted hazard's parameters are drawn in proportion to the likelihood of `data`, whose groups are the hazards. One
    of few failures, or declared, is multiplied by a factor that is lognormal on either side of 1 with the interval's
    ends as its quantiles. One of which no failure was seen is 0 as estimated; its rate is drawn from the exponential
    distribution that has the bound as its upper quantile of 95 %.
    """
    size = len(hazards)
    fitted, bounded = hazards.kind == Kind.FITTED, hazards.kind == Kind.BOUNDED
    eta, beta = (np.where(fitted, v, 1.0) for v in (hazards.eta, hazards.beta))
    matrix = np.array([[hazards.var_log_eta, hazards.cov_log], [hazards.cov_log, hazards.var_log_beta]])

    def likelihood(p: Floats) -> Floats:
        assert data is not None
        with np.errstate(all="ignore"):
            return log_likelihood(DISTRIBUTIONS["weibull"], data, np.exp(p))

    weighted = likelihood if fitted.any() and data is not None else None
    eta, beta = np.exp(drawn(np.log([eta, beta]), np.where(fitted, matrix, 0.0), weighted, draws, seed))
    z = scores(draws, size, np.random.default_rng([seed, 1]))
    ends = np.where(z > 0, hazards.high_factor[:, None], 1 / hazards.low_factor[:, None])
    side = float(norm.ppf((1 + hazards.level) / 2))
    with np.errstate(invalid="ignore"):
        factor = np.exp(z / side * np.log(ends))
    factor = np.where(bounded[:, None], -norm.logsf(z) / RULE_OF_THREE, np.where(fitted[:, None], 1.0, factor))

    def model(draw: int | None) -> Hazard:
        def hazard(x: Floats, group: Ints) -> Floats:
            total = np.zeros(np.broadcast_shapes(x.shape, group.shape))
            for at in range(size):
                mine = own[at][group[:, 0]]
                if mine.any():
                    total[mine] += one(at, x[mine])
            return total

        def one(at: int, x: Floats) -> Floats:
            if draw is None:
                return hazards.at(at, x)
            if fitted[at]:
                with np.errstate(over="ignore"):
                    return np.asarray((x / eta[at, draw]) ** beta[at, draw])
            size_of = hazards.bound_rate[at] * x ** hazards.beta[at] if bounded[at] else hazards.at(at, x)
            return np.asarray(factor[at, draw] * size_of)

        return hazard

    return Lives(model(None), tuple(model(d) for d in range(draws)))


def _rows(known: Evidence, fits: pl.DataFrame) -> pl.DataFrame:
    """The records that the rows of `fits` were fitted to, each with the row's number `_fit`; alike ones as one."""
    alike = ["_fit", "event", "entry", "age", "age_to"]
    return (
        fits.select("part", "maker", "_fit", wanted="mode")
        .join(known.records.rows, on=["part", "maker"], nulls_equal=True)
        .select("_fit", "entry", "age", "count", **of_mode("wanted"))
        .group_by(alike)
        .agg(pl.col("count").sum())
        .sort(alike)
    )
