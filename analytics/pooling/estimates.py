"""What a pool comes to: the mean of firms by a hierarchical model, its interval, how firms differ, and one's place.

Models on firms' sums: "rate" is Gamma-Poisson, the others are normal on logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import gamma, norm, t
from scipy.stats.mstats import hdmedian

from analytics.hazard import LEVEL
from analytics.life.distribution import Intervals
from analytics.life.hierarchy import gamma_poisson, own_rates
from analytics.life.rows import Bools, Event, Floats
from analytics.life.shared_shape import lives, shared_shape
from analytics.pooling.values import Metric, Pool
from analytics.records import life_rows

DIGITS, ROUGH = 3, 2
"""Significant digits of a pooled mean, and of its bounds and the spread: what is counted can be guessed from more."""


@dataclass(frozen=True, slots=True)
class Firms:
    """Figures of ultimate owners, sorted by name: sums `y` over `t`, and own values with their interval.

    `se` is the standard error of the logarithm of a value, for the models on logarithms.
    """

    owners: tuple[str, ...]
    by: tuple[tuple[str, ...], ...]
    """Who states them, of each owner."""
    y: Floats
    t: Floats
    own: Intervals
    se: Floats
    marks: Floats
    """Another number for other data, for shapes and scales."""
    unit: str

    def only(self, keep: Bools) -> Firms:
        """Some of them."""
        own = Intervals(
            self.own.value[keep], self.own.se[keep], self.own.low[keep], self.own.high[keep], self.own.level
        )
        owners = tuple(each for each, kept in zip(self.owners, keep, strict=True) if kept)
        by = tuple(each for each, kept in zip(self.by, keep, strict=True) if kept)
        return Firms(owners, by, self.y[keep], self.t[keep], own, self.se[keep], self.marks[keep], self.unit)

    def among(self, owners: Sequence[str]) -> Firms:
        """Those of some owners."""
        return self.only(np.isin(self.owners, owners))


@dataclass(frozen=True, slots=True)
class Pooled:
    """The mean over firms with its interval, and the spread between them: the standard deviation of rates, or that of
    logarithms. `median` is None where it was not asked for.
    """

    value: float | None
    low: float | None
    high: float | None
    spread: float | None
    median: float | None


def classes(of: Metric, pool: Pool) -> list[str]:
    """The part classes that there are figures of, sorted."""
    return pool.figures[of.family]["part_class"].unique().sort().to_list()


def chosen(of: Metric, pool: Pool, part_class: str) -> pl.DataFrame:
    """The figures of a class, in the unit in which most firms count (the first by name of such)."""
    found = pool.figures[of.family].filter((pl.col("part_class") == part_class) & (pl.col("t") > 0))
    units = found.group_by("unit").agg(pl.col("owner").n_unique()).sort(["owner", "unit"], descending=[True, False])
    return found.filter(pl.col("unit") == units["unit"][0]) if len(units) else found


def firms(of: Metric, pool: Pool, figures: pl.DataFrame, mechanisms: Sequence[str] | None) -> Firms:
    """The figures of each ultimate owner among `figures`, failures by some mechanisms only where they are given.

    A firm without failures tells no shape and no scale, and is not among those who contribute to these.
    """
    counted = pl.col("y")
    if mechanisms is not None:
        counted = counted * pl.col("mechanism").is_in(mechanisms).fill_null(value=False)
    sums = figures.group_by("owner").agg(
        pl.col("by").unique().sort(), y=counted.sum(), t=pl.col("t").sum(), log=pl.col("log").sum(),
        square=pl.col("square").sum(),
    ).sort("owner")  # fmt: skip
    unit = figures["unit"][0] if len(figures) else ""
    y, exposure = sums["y"].to_numpy(), sums["t"].to_numpy()
    marks = y
    if of.model == "rate":
        own, se = own_rates(y, exposure, LEVEL), np.full(len(y), np.nan)
    elif of.model == "mean":
        own, se = _means(sums)
    else:
        own, se, marks = _weibull(of, pool, sums["owner"].to_list(), figures, mechanisms)
    by = tuple(tuple(each) for each in sums["by"].to_list())
    found = Firms(tuple(sums["owner"]), by, y, exposure, own, se, marks, unit)
    return found if of.model == "rate" else found.only(np.isfinite(own.value) & np.isfinite(se))


def pooled(of: Metric, among: Firms, *, median: bool) -> Pooled:
    """The hierarchical estimate over firms, rounded to `DIGITS` and `ROUGH`.

    The median is that of Harrell and Davis (Biometrika 69, 1982, 635-640), a mean of all values with weights: the usual
    one is the very value of some firm.
    """
    if of.model == "rate":
        found = gamma_poisson(among.y, among.t, 0, 1, LEVEL)
        if np.isfinite(found.mean.value[0]):
            value, low, high, spread = (
                float(each[0]) for each in (found.mean.value, found.mean.low, found.mean.high, found.spread)
            )
        else:  # no failure: the bound of all exposure together
            value, spread = 0.0, np.nan
            low, high = 0.0, float(own_rates(0.0, among.t.sum(), LEVEL).high)
    else:
        mean, half, tau = between(np.log(among.own.value), among.se**2, LEVEL)
        value, low, high, spread = (float(each) for each in (*np.exp([mean, mean - half, mean + half]), tau))
    middle = _rounded(float(hdmedian(among.own.value))) if median else None
    return Pooled(_rounded(value), _rounded(low, ROUGH), _rounded(high, ROUGH), _rounded(spread, ROUGH), middle)


def between(y: ArrayLike, variance: ArrayLike, level: float) -> tuple[float, float, float]:
    """Mean of values that differ between firms, half its interval, and the standard deviation between firms.

    y_i ~ N(mean, tau^2 + s_i^2): tau^2 by moments (DerSimonian and Laird, Controlled Clinical Trials 7, 1986, 177-188),
    the interval of Hartung and Knapp (Statistics in Medicine 20, 2001, 3875-3889) with k - 1 degrees of freedom, never
    narrower than the normal one.
    """
    values, s2 = np.asarray(y, np.float64), np.maximum(np.asarray(variance, np.float64), 1e-12)
    k = len(values)
    w = 1 / s2
    fixed = (w * values).sum() / w.sum()
    q = (w * (values - fixed) ** 2).sum()
    tau2 = max((q - (k - 1)) / (w.sum() - (w**2).sum() / w.sum()), 0.0) if k > 1 else 0.0
    w = 1 / (s2 + tau2)
    mean = (w * values).sum() / w.sum()
    scale = max((w * (values - mean) ** 2).sum() / (k - 1), 1.0) if k > 1 else 1.0
    quantile = t.ppf((1 + level) / 2, k - 1) if k > 1 else norm.ppf((1 + level) / 2)
    return float(mean), float(quantile * np.sqrt(scale / w.sum())), float(np.sqrt(tau2))


def place(of: Metric, found: Pooled, value: float | None) -> float | None:
    """Where a value stands in the model's distribution of firms: the share of firms that have a lower one.

    None where the model knows of no spread. It is computed of the pooled figures as they were given and the value: it
    tells whoever knows both nothing more.
    """
    if value is None or found.value is None or not found.value or not found.spread:
        return None
    if of.model == "rate":
        return float(gamma.cdf(value, (found.value / found.spread) ** 2, scale=found.spread**2 / found.value))
    return float(norm.cdf(np.log(value / found.value) / found.spread)) if value > 0 else 0.0


def _means(sums: pl.DataFrame) -> tuple[Intervals, Floats]:
    """Geometric means of firms; the variance within is that of all firms together, or of a tenth of the value where
    every firm has one row.
    """
    n, log, square = (sums[name].to_numpy() for name in ("t", "log", "square"))
    mean = log / n
    freedom = (n - 1).sum()
    within = max((square - n * mean**2).sum() / freedom, 1e-6) if freedom > 0 else 0.01
    se = np.sqrt(within / n)
    return _on_logs(mean, se), se


def _weibull(
    of: Metric, pool: Pool, owners: list[str], figures: pl.DataFrame, mechanisms: Sequence[str] | None
) -> tuple[Intervals, Floats, Floats]:
    """Own shapes, or scales by shapes drawn to the pool's, their errors and marks; nan for firms without failures."""
    at = pl.DataFrame({"owner": owners, "group": np.arange(len(owners))}, {"owner": pl.String(), "group": pl.Int64()})
    told = figures.select("part_class", "unit", "by").unique()
    rows = pool.lives.join(told, on=["part_class", "unit", "by"], how="semi").join(at, on="owner")
    if mechanisms is not None:
        mine = pl.col("mechanism").is_in(mechanisms).fill_null(value=False)
        rows = rows.with_columns(
            event=pl.when(mine).then("event").otherwise(int(Event.SUSPENSION)).cast(pl.Int8),
            age_to=pl.when(mine).then("age_to"),
        )
    alike = ["group", "event", "entry", "age", "age_to"]
    merged = rows.group_by(alike).agg(pl.col("count").sum()).sort(alike)
    data = life_rows(merged, "group", len(owners))
    shapes = shared_shape(data, np.zeros(len(owners), np.int64), 1, LEVEL)
    failing = data.sums(data.count * (data.event != Event.SUSPENSION)) > 0
    found = shapes.own if of.model == "shape" else lives(data, shapes.shrunk, None, LEVEL)
    z = float(norm.ppf((1 + LEVEL) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.where(failing, np.log(found.high / found.low) / (2 * z), np.nan)
        value = np.where(np.isfinite(se), found.value, np.nan)
    ends = np.where(np.isfinite(data.age_to), data.age_to, 0.0)
    weighed = np.sqrt(1 + data.age) * (1 + 2 * (data.event != Event.SUSPENSION)) + np.log1p(data.entry) + np.cbrt(ends)
    return Intervals(value, value * se, found.low, found.high, LEVEL), se, data.sums(data.count * weighed)


def _on_logs(mean: Floats, se: Floats) -> Intervals:
    z = float(norm.ppf((1 + LEVEL) / 2))
    value = np.exp(mean)
    return Intervals(value, value * se, value * np.exp(-z * se), value * np.exp(z * se), LEVEL)


def _rounded(value: float | None, digits: int = DIGITS) -> float | None:
    return None if value is None or not np.isfinite(value) else float(f"{value:.{digits}g}")
