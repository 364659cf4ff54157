"""Who did not fail: where only failures are recorded, what was shipped tells how many units lived, and how long.

Failures alone say nothing of a rate. A firm that reports failures and shipments, but no units still alive, has said all
that is needed: what was shipped and is not among the failures was alive on the day up to which it reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

DAYS_PER_MONTH = 365.25 / 12
GROUP = ["part", "maker"]
_LOW = "population_too_small"
_NO_USE = "population_without_use"


@dataclass(frozen=True, slots=True)
class Population:
    """The units that shipments add: `alive` has part, maker, lot, region, age and count, one row a shipment.

    `told` lists every (part, maker) with failures, shipments and no suspension, with a code:
    `population_from_shipments` where units were added, `population_too_small` where more failed than were shipped,
    `population_without_use` where nobody says how much a unit is used in a month.
    """

    alive: pl.DataFrame
    told: pl.DataFrame


def from_shipments(records: pl.DataFrame, shipments: pl.DataFrame) -> Population:
    """The units alive that `shipments` tell of, for every (part, maker) with failures and without any suspension.

    `records` has the columns of the kind life_record, in the part's unit, and age_unit; `shipments` those of the kind
    shipment. The day up to which a group is known is the latest observed_on of those who report its failures. A unit
    shipped on a day is then as old as the months since, of 365.25 / 12 days, times usage_per_month; where that is
    empty, times what the failed units gathered, the sum of their ages over that of their months from started_on to
    observed_on; where ages are months, as old as these. Failed units are taken off the shipments of their lot and month
    (by started_on), and where that does not tell off all shipments of the group in proportion. Failures are counted as
    units: a unit that failed twice, or that was made and never shipped, makes the population one too small.
    """
    alive = pl.col("event") == "suspension"
    groups = (
        records.group_by(GROUP)
        .agg(
            failed=pl.col("count").fill_null(1).filter(~alive).sum(),
            alive=alive.any(),
        )
        .filter((pl.col("failed") > 0) & ~pl.col("alive"))
        .join(shipments.select(GROUP).unique(), on=GROUP, how="semi", nulls_equal=True)
        .select(*GROUP, "failed")
    )
    if groups.is_empty():
        return Population(_nothing(), groups.select(*GROUP, code=pl.lit("")))
    failures = records.join(groups.select(GROUP), on=GROUP, how="semi", nulls_equal=True, maintain_order="left")
    known = _until(failures, records).join(_use(failures), on=GROUP, how="left", nulls_equal=True)
    cohorts = (
        shipments.join(groups, on=GROUP, nulls_equal=True, maintain_order="left")
        .join(known, on=GROUP, how="left", nulls_equal=True, maintain_order="left")
        .filter(pl.col("shipped_on") < pl.col("until"))
        .with_columns(
            age=(pl.col("until") - pl.col("shipped_on")).dt.total_days()
            / DAYS_PER_MONTH
            * pl.coalesce("usage_per_month", "use")
        )
    )
    judged = groups.join(
        cohorts.group_by(GROUP).agg(pl.col("quantity").sum(), usable=pl.col("age").is_not_null().all()),
        on=GROUP,
        how="left",
        nulls_equal=True,
    ).select(
        *GROUP,
        code=pl.when(pl.col("quantity").fill_null(0) < pl.col("failed"))
        .then(pl.lit(_LOW))
        .when(pl.col("usable"))
        .then(pl.lit("population_from_shipments"))
        .otherwise(pl.lit(_NO_USE)),
    )
    good = judged.filter(pl.col("code") == "population_from_shipments").select(GROUP)
    cohorts = cohorts.join(good, on=GROUP, how="semi", nulls_equal=True, maintain_order="left")
    left = _without_failed(cohorts, failures)
    return Population(left.select(_nothing().columns), judged.sort(GROUP, nulls_last=True))


def _nothing() -> pl.DataFrame:
    text = pl.String()
    return pl.DataFrame(
        schema={"part": text, "maker": text, "lot": text, "region": text, "age": pl.Float64(), "count": pl.Int64()}
    )


def _until(failures: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """The day up to which each group is known: the latest of all records of the owners that report it."""
    last = records.group_by("owner").agg(until=pl.col("observed_on").max())
    reported = failures.select(*GROUP, "owner").unique().join(last, on="owner", how="left", nulls_equal=True)
    return reported.group_by(GROUP).agg(pl.col("until").max())


def _use(failures: pl.DataFrame) -> pl.DataFrame:
    """What a unit of each group gathers in a month, by its failures; 1 where ages are months."""
    months = (pl.col("observed_on") - pl.col("started_on")).dt.total_days() / DAYS_PER_MONTH
    dated = pl.col("months") > 0
    weight = pl.col("count").fill_null(1)
    rate = (pl.col("age") * weight).filter(dated).sum() / (pl.col("months") * weight).filter(dated).sum()
    return (
        failures.with_columns(months=months)
        .group_by(GROUP)
        .agg(
            use=pl.when((pl.col("age_unit") == "months").all()).then(1.0).when(dated.any()).then(rate),
        )
        .with_columns(use=pl.when(pl.col("use") > 0).then("use"))
    )


def _without_failed(cohorts: pl.DataFrame, failures: pl.DataFrame) -> pl.DataFrame:
    """The cohorts with `count`, the quantity that is left when the failed units are taken off."""
    place = [*GROUP, "lot", "month"]
    counted = failures.with_columns(month=pl.col("started_on").dt.truncate("1mo"), n=pl.col("count").fill_null(1))
    of = cohorts.with_row_index("_at").with_columns(month=pl.col("shipped_on").dt.truncate("1mo"))
    named = counted.group_by(place).agg(pl.col("n").sum())
    of = of.join(named, on=place, how="left", nulls_equal=True, maintain_order="left").with_columns(
        pl.col("n").fill_null(0), there=pl.col("quantity").sum().over(place)
    )
    own = _shared(of, pl.min_horizontal("n", "there"), place)
    of = of.with_columns(left=pl.col("quantity") - own)
    total = counted.group_by(GROUP).agg(total=pl.col("n").sum())
    of = of.join(total, on=GROUP, how="left", nulls_equal=True, maintain_order="left")
    taken = (pl.col("quantity") - pl.col("left")).sum().over(GROUP)
    of = of.with_columns(rest=pl.col("total") - taken, quantity="left")
    return of.with_columns(count=pl.col("quantity") - _shared(of, pl.col("rest"), GROUP)).filter(pl.col("count") > 0)


def _shared(of: pl.DataFrame, number: pl.Expr, place: list[str]) -> pl.Series:
    """`number` units taken off the quantities of a place in proportion, in whole units: by the running sum, rounded."""
    running = pl.col("quantity").cum_sum().over(place)
    whole = pl.col("quantity").sum().over(place)
    upto = (number * running / pl.max_horizontal(whole, 1)).round(0)
    before = (number * (running - pl.col("quantity")) / pl.max_horizontal(whole, 1)).round(0)
    return of.select((upto - before).cast(pl.Int64).alias("taken"))["taken"]
