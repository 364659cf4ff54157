"""Which units of a part may still fail: what life records and shipments say of the fleet in use on a day."""

from __future__ import annotations

import datetime as dt

import polars as pl

from analytics.model import MONTH_DAYS
from analytics.population import from_shipments
from analytics.records import latest
from schema.vocabularies import AgeUnit

FLEET = {
    "maker": pl.String, "lot": pl.String, "age": pl.Float64, "use": pl.Float64, "count": pl.Float64,
    "start": pl.Float64, "served": pl.Float64,
}  # fmt: skip
"""Columns of a fleet: `start` and `served` are the months until it comes into use, and those since it did."""

USES = {"maker": pl.String, "product": pl.String, "use": pl.Float64}


def as_known(records: pl.DataFrame, day: dt.date) -> tuple[pl.DataFrame, int]:
    """`records` (columns of the kind life_record) as they would have been on a day, and how many units had no date.

    What was observed later is a suspension at the age it had then: its age, in proportion of the days since it went
    into use. What went into use later is left out, and so is what was observed later and does not say when it began.
    """
    later = (pl.col("observed_on") > day).fill_null(value=False)
    share = (pl.lit(day) - pl.col("started_on")).dt.total_days() / (
        pl.col("observed_on") - pl.col("started_on")
    ).dt.total_days()
    then = records.filter(later)
    undated = int(then.filter(pl.col("started_on").is_null())["count"].fill_null(1).sum())
    running = then.filter(pl.col("started_on") < day).with_columns(age=pl.col("age") * share)
    alive = running.filter(pl.col("age") > pl.col("entry").fill_null(0.0)).with_columns(
        pl.lit("suspension").cast(records.schema["event"]).alias("event"),
        pl.lit(day).alias("observed_on"),
        *(
            pl.lit(None, records.schema[name]).alias(name)
            for name in ("age_to", "mode", "mechanism", "relevant")
            if name in records.columns
        ),
    )
    return pl.concat([records.filter(~later), alive.select(records.columns)]), undated


def uses(records: pl.DataFrame, shipments: pl.DataFrame, unit: str, given: float | None) -> pl.DataFrame:
    """Age gathered in a month by maker and product (maker, product, use): `given`, 1 where ages are months, else what
    shipments say, else the ages of dated records over their months in use. Without any of them no rows; null stands
    for what is not named.
    """
    if given is None and unit == AgeUnit.MONTHS:
        given = 1.0
    every = {"maker": pl.lit(None, pl.String), "product": pl.lit(None, pl.String)}
    if given is not None:
        return pl.DataFrame({"maker": [None], "product": [None], "use": [given]}, USES)
    said = shipments.filter(pl.col("usage_per_month").is_not_null())
    if said.height:
        weight = pl.col("quantity")
        mean = (pl.col("usage_per_month") * weight).sum() / weight.sum()
        return pl.concat(
            [
                said.group_by("maker").agg(use=mean).select("maker", every["product"].alias("product"), "use"),
                said.select(**every, use=mean).head(1),
            ]
        ).unique(["maker", "product"], keep="first", maintain_order=True)
    months = (pl.col("observed_on") - pl.col("started_on")).dt.total_days() / MONTH_DAYS
    dated = records.with_columns(_months=months).filter((pl.col("_months") > 0) & (pl.col("age") > 0))
    if dated.is_empty():
        return pl.DataFrame(schema=USES)
    n = pl.col("count").fill_null(1)
    ratio = (pl.col("age") * n).sum() / (pl.col("_months") * n).sum()
    return pl.concat(
        [
            dated.group_by("maker", "product").agg(use=ratio).select("maker", "product", "use"),
            dated.group_by("maker").agg(use=ratio).select("maker", every["product"].alias("product"), "use"),
            dated.select(**every, use=ratio).head(1),
        ]
    ).unique(["maker", "product"], keep="first", maintain_order=True)


def fleet(
    records: pl.DataFrame, shipments: pl.DataFrame, unit: str, day: dt.date, months: int, use: pl.DataFrame
) -> pl.DataFrame:
    """The units of a part in use on a day, and those to be shipped within `months` after it: the columns `FLEET`.

    In use is what was last seen alive in the field (not on a test bench), in the part's unit; since then it has
    gathered its use. Where only failures are recorded it is what was shipped and did not fail
    (`analytics.population`). Shipments after the day come new, each on its day.
    """
    records = records.filter(pl.coalesce("unit", pl.lit(unit)) == unit)
    past = shipments.filter(pl.col("shipped_on") <= day)
    seen = latest(records).filter(
        (pl.col("event") == "suspension") & (pl.col("origin") != "test").fill_null(value=True)
    )
    since = ((pl.lit(day) - pl.col("observed_on")).dt.total_days() / MONTH_DAYS).fill_null(0.0).clip(0)
    in_use = _with_use(seen, use).select(
        "maker",
        "lot",
        age=pl.col("age") + since * pl.col("use"),
        use="use",
        count=pl.col("count").fill_null(1).cast(pl.Float64),
        start=pl.lit(0.0),
        served=pl.coalesce(
            (pl.lit(day) - pl.col("started_on")).dt.total_days() / MONTH_DAYS, pl.col("age") / pl.col("use") + since
        ),
    )
    unseen = from_shipments(records.with_columns(age_unit=pl.lit(unit)), past).alive
    implied = _with_use(unseen.with_columns(product=pl.lit(None, pl.String)), use).select(
        "maker",
        "lot",
        age="age",
        use="use",
        count=pl.col("count").cast(pl.Float64),
        start=pl.lit(0.0),
        served=pl.col("age") / pl.col("use"),
    )
    ahead = (pl.col("shipped_on") - pl.lit(day)).dt.total_days() / MONTH_DAYS
    planned = shipments.with_columns(_ahead=ahead).filter((pl.col("_ahead") > 0) & (pl.col("_ahead") < months))
    coming = _with_use(planned.with_columns(product=pl.lit(None, pl.String)), use).select(
        "maker",
        "lot",
        age=pl.lit(0.0),
        use=pl.coalesce("usage_per_month", "use"),
        count=pl.col("quantity").cast(pl.Float64),
        start="_ahead",
        served=pl.lit(0.0),
    )
    alike = [name for name in FLEET if name != "count"]
    return (
        pl.concat([in_use, implied, coming])
        .filter(pl.col("use") > 0)
        .group_by(alike, maintain_order=True)
        .agg(pl.col("count").sum())
        .select(list(FLEET))
        .sort(alike)
    )


def _with_use(rows: pl.DataFrame, use: pl.DataFrame) -> pl.DataFrame:
    """`rows` (maker, product) with the use of their maker and product, else of the maker, else of all."""
    exact = use.filter(pl.col("product").is_not_null()).select("maker", "product", _exact="use")
    maker = use.filter(pl.col("product").is_null() & pl.col("maker").is_not_null()).select("maker", _maker="use")
    rest = use.filter(pl.col("product").is_null() & pl.col("maker").is_null())["use"]
    return (
        rows.join(exact, on=["maker", "product"], how="left", nulls_equal=True, maintain_order="left")
        .join(maker, on="maker", how="left", maintain_order="left")
        .with_columns(use=pl.coalesce("_exact", "_maker", pl.lit(rest[0] if len(rest) else None, pl.Float64)))
    )
