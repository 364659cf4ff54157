"""A fleet's failures on three clocks: its operating time, and what was to be expected at equal ages, by the calendar or
in the order of production.

Each record is one life: a unit that failed is followed by another, as good as new. Such a fleet is no single
repairable system. It fails more often as it grows older on average, whatever becomes of its design, so a
power law in its operating time mixes ageing with growth. With the hazard H of the part, the failures expected of
every unit at its age take ageing out: on the clock sum H(age) failures come at a constant rate as long as nothing
but age matters (time rescaling: Papangelou, Transactions of the AMS 165, 1972; Andersen, Borgan, Gill and Keiding,
Statistical Models Based on Counting Processes, 1993, section II.4; standardised ratios O / E, Breslow and Day 1987).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.life.growth import Grouped, Observed, grouped, observed, root
from analytics.life.rows import Floats
from analytics.records import latest

EPOCH = dt.date(1970, 1, 1)
INSTANTS = 240
"""Places by the calendar at which expected failures are summed; between them they are taken as evenly spread."""
FLATTEST, STEEPEST = 0.1, 20.0
MONTH = pl.col("made").dt.truncate("1mo")
COLUMNS = (
    "maker", "version", "made", "entry", "age", "count", "failed", "relevant", "repair_hours", "downtime_hours",
    "started_on", "observed_on",
)  # fmt: skip


def prepared(records: pl.DataFrame, lots: pl.DataFrame, mode: str | None = None) -> pl.DataFrame:
    """Life records of one part in its unit as lives: the `COLUMNS`.

    `failed` is true for a failure by `mode` (any where None); `relevant` tells whether it counts. A failure between two
    ages is one in the middle. `made` is the day of the lot's production, or else that of going into use. Superseded
    readings and ages of 0 are left out.
    """
    event = pl.col("event").cast(pl.String)
    failed = event != "suspension"
    if mode is not None:
        failed &= (pl.col("mode") == mode).fill_null(value=False)
    middle = pl.when(event == "interval").then((pl.col("age") + pl.col("age_to")) / 2).otherwise("age")
    found = latest(records).join(
        lots.select(lot="key", made="produced_on"), on="lot", how="left", maintain_order="left"
    )
    return found.with_columns(
        failed=failed,
        relevant=pl.col("relevant").fill_null(value=True),
        age=middle.cast(pl.Float64),
        entry=pl.col("entry").fill_null(0.0).cast(pl.Float64),
        count=pl.col("count").fill_null(1).cast(pl.Float64),
        made=pl.coalesce("made", "started_on"),
    ).filter(pl.col("age") > pl.col("entry"))[list(COLUMNS)]


@dataclass(frozen=True, slots=True)
class Clock:
    """Lives by the calendar, arrays of the shape (lives,): days since 1970, ages at a constant pace in between.

    `begin` is the day on which a life came under observation, `end` that of its last age, `pace` its age a day.
    """

    begin: Floats
    end: Floats
    pace: Floats
    entry: Floats
    age: Floats
    count: Floats
    failed: Floats

    @property
    def over(self) -> float:
        """The last day of all."""
        return float(self.end.max())

    @property
    def failures(self) -> Floats:
        """The days of the failures that count, at noon, in order, as many times as units failed."""
        there = self.failed > 0
        return np.sort(np.repeat(self.end[there] - 0.5, self.count[there].astype(np.int64)))

    def operated(self, day: Floats) -> Floats:
        """The fleet's cumulative operating time at days: the sum over lives of their ages, less those at entry."""

        def since(starts: Floats) -> Floats:
            order = np.argsort(starts)
            weight = (self.count * self.pace)[order]
            at = np.searchsorted(starts[order], day, side="right")
            sums = np.append(0.0, np.cumsum(weight)), np.append(0.0, np.cumsum(weight * starts[order]))
            found: Floats = day * sums[0][at] - sums[1][at]
            return found

        return since(self.begin) - since(self.end)

    def aged(self, day: Floats, beta: float) -> Floats:
        """Sum over lives of age^beta - entry^beta at days, ages in units of the oldest."""
        oldest = self.age.max()
        grid = np.linspace(self.begin.min(), self.over, INSTANTS + 1)
        first = (self.entry / oldest) ** beta
        total = np.zeros(len(grid))
        for at, instant in enumerate(grid):
            age = np.clip(self.entry + (instant - self.begin) * self.pace, self.entry, self.age)
            total[at] = np.sum(self.count * ((age / oldest) ** beta - first))
        return np.interp(day, grid, total)


def clock(lives: pl.DataFrame) -> Clock | None:
    """The lives that have both days, a failure that is not relevant being no failure; None where there is none.

    A life of one day began a day before its end.
    """
    dated = lives.filter(pl.col("started_on").is_not_null() & pl.col("observed_on").is_not_null())
    if dated.is_empty():
        return None

    def days(name: str) -> Floats:
        found: Floats = dated[name].cast(pl.Int32).cast(pl.Float64).to_numpy()
        return found

    entry, age, count = (dated[name].to_numpy() for name in ("entry", "age", "count"))
    used, end = days("started_on"), days("observed_on")
    used = np.minimum(used, end - 1)
    pace = age / (end - used)
    return Clock(
        used + entry / pace,
        end,
        pace,
        entry,
        age,
        count,
        (dated["failed"] & dated["relevant"]).to_numpy().astype(float),
    )


def common_shape(lives: pl.DataFrame) -> float | None:
    """The Weibull shape within units of one maker, version and month of production, each with a scale of its own.

    So a change of design, or a bad month, is not taken for a steeper or flatter life. The likelihood that is maximal in
    the scales: r / beta + sum ln x = sum over strata of r_s V_s' / V_s, V = sum (x^beta - entry^beta). Where few of a
    stratum's units have failed by a day set by the calendar, as in a fleet, this is the likelihood of Poisson processes
    given their counts, of which no stratum takes a degree of freedom (Crow 1975, section 3.2). None where failures tell
    no shape.
    """
    by = ["maker", "version", "made"]
    monthly = lives.with_columns(MONTH)
    strata = monthly.select(by).unique(maintain_order=True).with_row_index("stratum")
    table = monthly.join(strata, on=by, nulls_equal=True, maintain_order="left")
    failed = table.select(pl.col("failed") & pl.col("relevant")).to_series().to_numpy()
    age, entry, count, stratum = (table[name].to_numpy() for name in ("age", "entry", "count", "stratum"))
    if len(np.unique(age[failed])) < 2:
        return None
    oldest = age.max()
    x, start = age / oldest, np.where(entry > 0, entry, oldest) / oldest
    late, log_x, log_start = count * (entry > 0), np.log(x), np.log(start)
    weight = count * failed
    failures = np.bincount(stratum, weight, strata.height)
    told, logs = failures > 0, float(weight @ log_x)

    def score(beta: float) -> float:
        end, begin = count * x**beta, late * start**beta
        v = np.bincount(stratum, end - begin, strata.height)[told]
        slope = np.bincount(stratum, end * log_x - begin * log_start, strata.height)[told]
        with np.errstate(all="ignore"):
            return float(failures.sum() / beta + logs - np.sum(failures[told] * slope / v))

    shape = root(score)
    return float(np.clip(shape, FLATTEST, STEEPEST)) if np.isfinite(shape) else None


def with_expected(lives: pl.DataFrame, beta: float) -> pl.DataFrame:
    """`lives` with `expected` failures at their ages, which add up to those seen, and `seen` failures that count."""
    oldest = lives["age"].max() if lives.height else 1.0
    exposure = pl.col("count") * ((pl.col("age") / oldest) ** beta - (pl.col("entry") / oldest) ** beta)
    seen = pl.when(pl.col("failed") & pl.col("relevant")).then("count").otherwise(0.0)
    found = lives.with_columns(expected=exposure, seen=seen)
    total = float(found["expected"].sum())
    return found.with_columns(expected=pl.col("expected") * (float(found["seen"].sum()) / total if total > 0 else 0.0))


def by_operation(of: Clock) -> Observed:
    """Failures against the fleet's cumulative operating time."""
    end = float(of.operated(np.array([of.over]))[0])
    return observed(np.clip(of.operated(of.failures), end * 1e-12, end), end)


def by_calendar(of: Clock, beta: float) -> Observed | None:
    """Failures against those expected at equal ages, by the calendar; None without failures."""
    when = of.failures
    end = float(of.aged(np.array([of.over]), beta)[0])
    if not len(when) or not end > 0:
        return None
    scale = len(when) / end
    return observed(np.clip(of.aged(when, beta) * scale, len(when) * 1e-12, len(when)), float(len(when)))


def by_production(lives: pl.DataFrame) -> tuple[pl.DataFrame, Grouped | None]:
    """Months of production with failures seen and expected (made, seen, expected), and the counts as intervals.

    `lives` has `seen` and `expected`. None where there is no month or no failure.
    """
    months = (
        lives.filter(pl.col("made").is_not_null())
        .group_by(MONTH)
        .agg(pl.col("seen").sum(), pl.col("expected").sum())
        .filter(pl.col("expected") > 0)
        .sort("made")
    )
    edges = np.append(0.0, np.cumsum(months["expected"].to_numpy()))
    if not months["seen"].sum() or not (np.diff(edges) > 0).all():
        return months, None
    return months, grouped(edges[:-1], edges[1:], months["seen"].to_numpy())


def day_of(value: float) -> dt.date:
    """The date of a day since 1970."""
    return EPOCH + dt.timedelta(days=int(np.floor(value)))
