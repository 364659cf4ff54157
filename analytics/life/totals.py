"""Totals of a period, so many units for so many hours with so many failures, as evidence for a constant rate.

Who reports totals does not say how old the units were. They tell the rate of an exponential life, and no shape; what
can be asked is whether the rate was one: a trend over the periods, or more scatter than Poisson counts have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm

from analytics.life.rows import Floats, Ints
from schema.text import Text

ALPHA = 0.05
CODES = {
    "rate_not_constant": Text(
        "各期失效率有趋势，平均失效率不代表当前。",
        "The rate has a trend over the periods: their mean is not today's.",
    ),
    "overdispersed": Text(
        "各期失效数的波动大于泊松分布，区间会偏窄。",
        "The counts scatter more than Poisson ones: intervals would be too narrow.",
    ),
    "exponential_only": Text(
        "合计数据只能说明恒定失效率，不能说明形状参数。",
        "Totals tell a constant rate only, and no shape.",
    ),
}
"""What the codes of a group mean to people."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Evidence of each group, arrays of shape (groups,).

    `failures` in `exposure` (unit-hours, say) are all that a Poisson count tells: sufficient for the rate. `trend` is
    standard normal where the rate is constant and positive where it rises, `trend_p` two-sided; `dispersion` is the
    variance of the counts over that of Poisson ones, 1 where they are, `dispersion_p` the chance of so much or more.
    They are nan with fewer than two periods or no failures.
    """

    failures: Floats
    exposure: Floats
    periods: Ints
    trend: Floats
    trend_p: Floats
    dispersion: Floats
    dispersion_p: Floats

    def codes(self, group: int) -> list[str]:
        """The keys of `CODES` that hold of a group."""
        doubts = {
            "rate_not_constant": bool(self.trend_p[group] < ALPHA),
            "overdispersed": bool(self.dispersion_p[group] < ALPHA),
        }
        return [code for code, holds in doubts.items() if holds] + ["exponential_only"]


def evidence(
    failures: ArrayLike, exposure: ArrayLike, time: ArrayLike, group: ArrayLike = 0, groups: int | None = None
) -> Totals:
    """Totals of periods, one element each, summed up by group; `time` orders the periods. All broadcast.

    Given the sum N of failures, counts at one rate are multinomial with shares p = exposure / sum of exposure. Trend:
    the score test of a rate exp(a + b t), z = sum t (n - N p) / sqrt(N (sum p t^2 - (sum p t)^2)) (Cox and Lewis, The
    Statistical Analysis of Series of Events, 1966, section 3.3; with periods of equal exposure Laplace's test on
    grouped data). Scatter: Pearson's chi-square sum (n - N p)^2 / (N p) on periods - 1 degrees of freedom, over these
    (Cox and Lewis 1966, chapter 6, the index of dispersion). Periods without exposure are left out.
    """
    columns = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(c, np.float64)) for c in (failures, exposure, time)), np.asarray(group, np.int64)
    )
    size = int(columns[3].max(initial=-1)) + 1 if groups is None else groups
    seen = columns[1] > 0
    n, v, t, g = (column[seen] for column in columns)

    def total(values: Floats) -> Floats:
        return np.bincount(g, values, size).astype(np.float64)

    sums, exposed, periods = total(n), total(v), np.bincount(g, minlength=size).astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = v / exposed[g]
        expected = sums[g] * share
        middle = total(share * t)
        spread = total(share * np.square(t - middle[g]))
        z = total((t - middle[g]) * (n - expected)) / np.sqrt(sums * spread)
        squares = total(np.square(n - expected) / expected)
        known = (periods > 1) & (sums > 0)
        z = np.where(known & (spread > 0), z, np.nan)
        index = np.where(known, squares / (periods - 1), np.nan)
        scatter = np.where(known, chi2.sf(np.where(known, squares, 0.0), np.maximum(periods - 1, 1)), np.nan)
    return Totals(sums, exposed, periods, z, 2 * norm.sf(np.abs(z)), index, scatter)


def life_rows(totals: pl.DataFrame) -> pl.DataFrame:
    """Totals as life records that give an exponential life exactly their likelihood, and any other none worth having.

    `totals` has failures, units (null: not said), age (what each unit gathered, or all together where units are null),
    and any others, which are kept. Failed units and the rest have all the period's age, as if what failed had been
    replaced at its end; where more failed than there were units, or these are not said, the exposure is shared out
    among the failures. So the sum of ages is the exposure and the number of failures theirs. Gives those columns but
    for units and failures, and event, age, count.
    """
    n, r = pl.col("units").fill_null(1), pl.col("failures")
    rest = [name for name in totals.columns if name not in {"units", "failures", "age"}]
    many = r > n
    failed = totals.select(
        *rest, event=pl.lit("failure"), age=pl.when(many).then(n * pl.col("age") / r).otherwise("age"), count=r
    )
    alive = totals.select(*rest, event=pl.lit("suspension"), age="age", count=pl.when(many).then(0).otherwise(n - r))
    return pl.concat([failed, alive]).filter(pl.col("count") > 0)
