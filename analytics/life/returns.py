"""Returns and claims counted by month, with the population that they come from, as life records.

Months are whole numbers (year * 12 + month - 1, or any others). Units sold in month s and failed in month s + k are k
months in service. Recent failures are not all reported yet: the share of claims that is reported within d months is
estimated from those seen, and the units that nobody complained of count as seen only up to an age that the delay
allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from analytics.life.rows import Floats, Ints

Ages = Literal["interval", "middle", "whole"]
"""What k months between sale and failure are as an age.

Both happened some time in their months, so the age is k on average, and what is alive at the end of month s + k is k +
1/2 old. `interval`: failed between k - 1/2 and k + 1/2 (0 and 1/2 for k = 0), alive at k + 1/2. `middle`: the same,
failed at the middle of the interval. `whole`: failed at k, alive at k, as Nevada charts are read as a rule.
"""
_STEPS, _CLOSE = 500, 1e-10
_GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Delays:
    """How soon failures are reported, by group.

    `share` (groups, longest + 1) is G(d), the share reported within d months of those that are within the `longest`
    delay that could have been seen: of later ones the data say nothing. `se_log` is the standard error of its
    logarithm, 0 at the end. Groups without claims have nan.
    """

    share: Floats
    se_log: Floats
    claims: Floats


def delays(
    delay: ArrayLike, available: ArrayLike, count: ArrayLike = 1.0, group: ArrayLike = 0, groups: int | None = None
) -> Delays:
    """The distribution of reporting delays from claims that were seen because they had been reported in time.

    `delay` is months from failure to report and `available` those from failure to the end of data, so that delay <=
    available: truncated on the right. Back in time, h(d) = n(d) / N(d) with n(d) claims of delay d out of the N(d) with
    a delay up to d and at least d months available, and G(d) is the product of 1 - h(j) over j > d: the non-parametric
    maximum likelihood (Lagakos, Barraj and De Gruttola, Biometrika 75, 1988, 515-523; Kalbfleisch, Lawless and
    Robinson, Technometrics 33, 1991, 273-285; Lawless, Biometrika 85, 1998). var ln G(d) = sum over j > d of n / (N (N
    - n)). Claims with a delay below 0 or beyond what was available cannot be and raise ValueError. All broadcast.
    """
    columns = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(c, np.int64)) for c in (delay, available, group)), np.asarray(count, np.float64)
    )
    d, end, g, weight = columns
    if (d < 0).any() or (d > end).any():
        raise ValueError("a delay is below 0, or longer than there was time to see it")
    size = int(g.max(initial=-1)) + 1 if groups is None else groups
    longest = int(end.max(initial=0))

    def table(at: Ints) -> Floats:
        flat = np.bincount(g * (longest + 1) + at, weight, size * (longest + 1))
        return flat.astype(np.float64).reshape(size, longest + 1)

    n, ends = table(d), np.cumsum(table(end), axis=1)
    # of those with a delay up to d, all whose time was up before d are not at risk
    at_risk = np.cumsum(n, axis=1) - np.concatenate([np.zeros((size, 1)), ends[:, :-1]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        stay = np.where(at_risk > 0, 1 - n / at_risk, 1.0)
        term = np.where(n > 0, n / (at_risk * (at_risk - n)), 0.0)
    share, variance = (np.ones((size, longest + 1)), np.zeros((size, longest + 1)))
    share[:, :-1] = np.cumprod(stay[:, :0:-1], axis=1)[:, ::-1]
    variance[:, :-1] = np.cumsum(term[:, :0:-1], axis=1)[:, ::-1]
    claims = n.sum(axis=1)
    none = claims == 0
    share[none], variance[none] = np.nan, np.nan
    return Delays(share, np.sqrt(variance), claims)


@dataclass(frozen=True, slots=True)
class ChainLadder:
    """A development triangle completed: `factors` (delays - 1,), `ultimate` and `se` (origins,), and of all `total_se`.

    `se` is that of what is still to come, `ultimate` less the latest value.
    """

    factors: Floats
    latest: Floats
    ultimate: Floats
    se: Floats
    total_se: float

    @property
    def share(self) -> Floats:
        """The share seen after each delay: G(d) of `delays`, from the same counts."""
        return np.concatenate([1 / np.cumprod(self.factors[::-1])[::-1], [1.0]])


def chain_ladder(triangle: ArrayLike) -> ChainLadder:
    """A triangle of cumulative counts, origins (months of failure) by delay, the later ones nan, by chain ladder.

    Factors are weighted by volume. Mack, ASTIN Bulletin 23 (1993), 213-225: sigma^2 by his equation (5), its last value
    min(s8^4 / s7^2, s7^2, s8^2), the standard error of an origin by theorem 3 and of all by its corollary. Squares of
    side n; raises ValueError for another shape, or a row that is nan before its diagonal.
    """
    cells = np.asarray(triangle, np.float64)
    n = len(cells)
    expected = np.add.outer(np.arange(n), np.arange(n)) < n
    if cells.shape != (n, n) or n < 2 or not np.array_equal(np.isfinite(cells), expected):
        raise ValueError("a triangle has as many delays as origins, each seen one delay less than the one before")
    full = np.where(expected, cells, 0.0)
    both = expected[:, 1:]
    before, after = np.where(both, full[:, :-1], 0.0), np.where(both, full[:, 1:], 0.0)
    volume = before.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = after.sum(axis=0) / volume
        residuals = np.where(before > 0, before * np.square(after / before - factors), 0.0).sum(axis=0)
        sigma2 = residuals / (n - 2 - np.arange(n - 1))
        sigma2[-1] = min(sigma2[-2] ** 2 / sigma2[-3], sigma2[-3], sigma2[-2]) if n > 3 else np.nan
        for k in range(n - 1):  # the unseen cells, a delay at a time
            full[n - 1 - k :, k + 1] = full[n - 1 - k :, k] * factors[k]
        relative = np.where(both, 0.0, sigma2 / np.square(factors))
        ultimate = full[:, -1]
        own = np.where(both, 0.0, relative / np.where(both, 1.0, full[:, :-1])).sum(axis=1)
        shared = (relative / volume).sum(axis=1)
        mse = np.square(ultimate) * (own + shared)
        younger = np.cumsum(ultimate[::-1])[::-1] - ultimate
        total = float(np.sum(mse + 2 * ultimate * younger * shared))
    return ChainLadder(
        factors, cells[np.arange(n), n - 1 - np.arange(n)], ultimate, np.sqrt(mse), float(np.sqrt(total))
    )


@dataclass(frozen=True, slots=True)
class Returned:
    """Life records of returns, and the cohorts (units sold in one month) that were refused.

    `records` has the columns `by`, `also`, month (of sale), event, age, age_to (in months) and count; `refused` has
    `by`, month, quantity and count of cohorts of which more came back than had been sold. `unseen` units were sold so
    late that by now no report of a failure would be in.
    """

    records: pl.DataFrame
    refused: pl.DataFrame
    unseen: float


def life_records(
    sold: pl.DataFrame,
    failed: pl.DataFrame,
    end: int,
    by: Sequence[str] = (),
    *,
    also: Sequence[str] = (),
    share: Floats | None = None,
    ages: Ages = "interval",
    whole_counts: bool = True,
) -> Returned:
    """Life records of all cohorts: what failed in month s + k is k months old, the rest is alive at the `end`.

    `sold` has `by`, month and quantity; `failed` has `by`, month (of sale), age (k) and count; rows of one cohort are
    added up, but for those that differ in a column of `also`, such as the mode. `share` is G(d), the share of failures
    reported within d months (`delays`); None: all are reported at once.

    With delays, a unit of which nothing was heard is not known to be alive at the end: had it failed d months before,
    that would be known with probability G(d) only. It is alive at its age d months ago, with the probability that this
    is what its silence means, g(d) R(age d months ago) over the sum of these; R is the product of 1 - failures / at
    risk under these weights, and the two are found in turn until they agree (self-consistency as of Efron 1967 and
    Turnbull, JASA 69, 1974, with the adjusted numbers at risk of Kalbfleisch, Lawless and Robinson, Technometrics 33,
    1991). Counts of such rows are fractions; `whole_counts` draws whole ones so that each cohort's sum stays.

    Raises ValueError where a failure is before the sale or after the `end`.
    """
    keys = [*by, "month"]
    outside = (pl.col("age") < 0) | (pl.col("month") + pl.col("age") > end)
    if failed.select(outside.any()).item():
        raise ValueError("a failure is before the sale or after the end")
    n = failed.group_by(*keys, *also, "age").agg(pl.col("count").sum()).sort(*keys, *also, "age", nulls_last=True)
    came = n.group_by(keys).agg(pl.col("count").sum())
    cohorts = (
        sold.group_by(keys)
        .agg(pl.col("quantity").sum())
        .join(came, on=keys, how="full", coalesce=True, nulls_equal=True)
        .with_columns(pl.col("quantity").fill_null(0), pl.col("count").fill_null(0))
        .sort(keys, nulls_last=True)
    )
    late = pl.col("month") > end
    refused = cohorts.filter(pl.col("count") > pl.col("quantity"))
    later = float(cohorts.filter(late)["quantity"].to_numpy().sum())
    cohorts = cohorts.filter((pl.col("count") <= pl.col("quantity")) & ~late)
    n = n.join(refused, on=keys, how="anti", nulls_equal=True)
    silent = (cohorts["quantity"] - cohorts["count"]).to_numpy().astype(np.float64)
    seen = end - cohorts["month"].to_numpy().astype(np.int64)
    delay = np.array([1.0]) if share is None else np.diff(np.nan_to_num(share, nan=1.0), prepend=0.0)
    age = seen[:, None] - np.arange(len(delay))
    counts = _spread(silent, age, delay, *_deaths(cohorts, n, by))
    if whole_counts:
        counts = _whole(counts, cohorts["month"].to_numpy().astype(np.int64))
    at, of = np.nonzero((counts > 0) & (age >= 0))
    half = 0.0 if ages == "whole" else 0.5
    alive = cohorts[at].select(
        *keys,
        *(pl.lit(None, n.schema[name]).alias(name) for name in also),
        event=pl.lit("suspension"),
        age=pl.Series(age[at, of] + half, dtype=pl.Float64),
        age_to=pl.lit(None, pl.Float64),
        count=pl.Series(counts[at, of], dtype=pl.Float64),
    )
    k = pl.col("age").cast(pl.Float64)
    low, high = pl.max_horizontal(k - 0.5, 0.0), k + 0.5
    event, start, stop = {
        "interval": ("interval", low, high),
        "middle": ("failure", (low + high) / 2, None),
        "whole": ("failure", k, None),
    }[ages]
    dead = n.select(
        *keys,
        *also,
        event=pl.lit(event),
        age=start,
        age_to=pl.lit(None, pl.Float64) if stop is None else stop,
        count=pl.col("count").cast(pl.Float64),
    )
    records = pl.concat([dead.filter(pl.col("count") > 0), alive]).sort(*keys, "event", "age", *also, nulls_last=True)
    return Returned(records, refused, later + float(counts[age < 0].sum()))


def _deaths(cohorts: pl.DataFrame, failed: pl.DataFrame, by: Sequence[str]) -> tuple[Ints, Floats]:
    """The group of each cohort, and failures by group and months in service, (groups, oldest + 1)."""
    if not by:
        cohorts, failed, by = (*(each.with_columns(_all=0) for each in (cohorts, failed)), ["_all"])
    groups = cohorts.select(by).unique(maintain_order=True).with_row_index("_group")
    of, at = (
        each.join(groups, on=list(by), how="left", nulls_equal=True, maintain_order="left")["_group"].to_numpy()
        for each in (cohorts, failed)
    )
    age = failed["age"].to_numpy().astype(np.int64)
    table = np.zeros((groups.height, int(age.max(initial=0)) + 1))
    np.add.at(table, (at.astype(np.int64), age), failed["count"].to_numpy().astype(np.float64))
    return of.astype(np.int64), table


def _spread(silent: Floats, age: Ints, delay: Floats, group: Ints, deaths: Floats) -> Floats:
    """How many of each cohort's silent units were alive at each of the ages (cohorts, delays) that a delay leaves.

    `age` is months in service at the time of which reports are in, below 0 where that was before the sale.
    """
    if len(delay) == 1:
        return silent[:, None].copy()
    bins = max(deaths.shape[1], int(age.max(initial=0)) + 1)
    died = np.zeros((len(deaths), bins))
    died[:, : deaths.shape[1]] = deaths
    place = group[:, None] * bins + np.maximum(age, 0)
    counts = silent[:, None] * delay
    for _ in range(_STEPS):
        alive = np.bincount(place[age >= 0], counts[age >= 0], died.size).reshape(died.shape)
        at_risk = np.cumsum((died + alive)[:, ::-1], axis=1)[:, ::-1]
        survival = np.cumprod(1 - died / np.maximum(at_risk, 1e-300), axis=1)
        weight = delay * np.where(age >= 0, survival.ravel()[place], 1.0)
        before, total = counts, weight.sum(axis=1, keepdims=True)
        counts = silent[:, None] * np.divide(weight, total, out=np.tile(delay, (len(silent), 1)), where=total > 0)
        if np.abs(counts - before).max(initial=0.0) <= _CLOSE * max(1.0, float(silent.max(initial=0.0))):
            break
    return counts


def _whole(counts: Floats, month: Ints) -> Floats:
    """`counts` as whole numbers with the same sum of each row: systematic sampling, from a start that goes with the
    month.

    Rounding each row by itself would send all single units to the likeliest delay; starts that are spread evenly over
    the months (multiples of the golden ratio) keep the shares right over all of them.
    """
    start = np.minimum(month * _GOLDEN % 1.0, 1 - 1e-6)[:, None]
    return np.diff(np.floor(np.cumsum(counts, axis=1) + start + 1e-9), axis=1, prepend=0.0)
