"""Life records made ready to be counted: in their part's unit, each unit once, failures that count."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.life import rows as lives
from analytics.life.rows import Event
from analytics.population import from_shipments

UNIT = ("part", "maker", "lot", "serial", "entry")
"""What makes two readings readings of one unit: a serial may be the machine's, with units of other lots in it."""

COLUMNS = (
    "part", "maker", "lot", "mode", "mechanism", "event", "entry", "age", "age_to", "count", "product", "region",
    "version", "origin", "stage",
)  # fmt: skip
POPULATION = {"part": pl.String(), "maker": pl.String(), "code": pl.String()}


@dataclass(frozen=True, slots=True)
class Usable:
    """Records that can be counted.

    `rows` has the `COLUMNS`; `event` there is an `analytics.life.rows.Event` code, with a failure that is not relevant
    as the suspension it is. `mismatched` lists the (part, maker) some of whose records were left out because their unit
    is not the part's. `units` gives each part's age unit (part, age_unit). `population` says of which (part, maker) the
    units alive come from shipments, or why they could not (`analytics.population`).
    """

    rows: pl.DataFrame
    mismatched: pl.DataFrame
    units: pl.DataFrame
    population: pl.DataFrame


def usable(records: pl.DataFrame, parts: pl.DataFrame, shipments: pl.DataFrame | None = None) -> Usable:
    """What of `records` can be counted.

    `records` has the columns of the kind life_record; `parts` has key and age_unit. A part without an age unit is
    counted in hours. Records in another unit than their part's are left out; those without a unit are in their part's.
    With `shipments` (columns of the kind shipment), a (part, maker) of which only failures are recorded has what was
    shipped and did not fail as suspensions.
    """
    stated = parts.select(part="key", age_unit=pl.col("age_unit").fill_null("h"))
    others = records.select("part").unique().join(stated, on="part", how="anti")
    units = pl.concat([stated, others.select("part", age_unit=pl.lit("h"))])
    joined = records.join(units, on="part", how="left", maintain_order="left")
    fits = pl.coalesce("unit", "age_unit") == pl.col("age_unit")
    failed = (pl.col("event") != "suspension") & pl.col("relevant").fill_null(value=True)
    code = (
        pl.when(failed & (pl.col("event") == "failure"))
        .then(int(Event.FAILURE))
        .when(failed & (pl.col("event") == "interval"))
        .then(int(Event.INTERVAL))
        .otherwise(int(Event.SUSPENSION))
    )
    counted = latest(joined.filter(fits))
    rows = counted.with_columns(
        event=code.cast(pl.Int8),
        entry=pl.col("entry").fill_null(0.0),
        age_to=pl.when(code == int(Event.INTERVAL)).then("age_to"),
        count=pl.col("count").fill_null(1),
    )
    rows, told = rows.select(COLUMNS), pl.DataFrame(schema=POPULATION)
    if shipments is not None and shipments.height:
        found = from_shipments(counted, shipments)
        told = found.told
        alive = found.alive.with_columns(event=pl.lit(int(Event.SUSPENSION), pl.Int8), entry=pl.lit(0.0))
        rows = pl.concat([rows, alive], how="diagonal") if alive.height else rows
    mismatched = joined.filter(~fits).select("part", "maker").unique().sort("part", "maker")
    return Usable(rows, mismatched, units, told)


def of_mode(wanted: str) -> dict[str, pl.Expr]:
    """`event` and `age_to` of rows when failures by another mode than the column `wanted` says are suspensions.

    A null there wants every mode.
    """
    mine = pl.col(wanted).is_null() | (pl.col(wanted) == pl.col("mode")).fill_null(value=False)
    return {
        "event": pl.when(mine).then("event").otherwise(int(Event.SUSPENSION)),
        "age_to": pl.when(mine).then("age_to"),
    }


def by_mode(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Rows to be grouped by `by`, which has "mode": each mode's group has all rows of its other columns, in which
    failures by other modes are suspensions.

    Where a failure has no mode, all modes of its group are one, of which the mode is null (`modes_pooled`).
    """
    others = [name for name in by if name != "mode"]
    if not others:
        return by_mode(rows.with_columns(_all=0), ["_all", "mode"]).drop("_all")
    every = rows.select(others).unique(maintain_order=True)
    modes = rows.filter(pl.col("event") != int(Event.SUSPENSION)).select(*others, wanted="mode").unique()
    unnamed = modes.filter(pl.col("wanted").is_null()).select(others)
    named = modes.join(unnamed, on=others, how="anti", nulls_equal=True)
    groups = every.join(named, on=others, how="left", nulls_equal=True)  # without a named mode: one group, of none
    return (
        rows.join(groups, on=others, nulls_equal=True, maintain_order="left")
        .with_columns(**of_mode("wanted"))
        .with_columns(mode="wanted")
        .drop("wanted")
    )


def life_rows(rows: pl.DataFrame, group: str, groups: int) -> lives.LifeRows:
    """Rows (age, event, entry, age_to, count and the column `group`) as arrays for fits and counts, in their order."""
    age, event, entry, to, count, code = (
        rows[name].to_numpy() for name in ("age", "event", "entry", "age_to", "count", group)
    )
    return lives.ready(age, event, entry, to.astype(np.float64), count, code, groups)


def latest(records: pl.DataFrame) -> pl.DataFrame:
    """`records` without the suspensions that a later reading of the same unit supersedes, in their order.

    A unit alive at 1,000 h in January and at 1,700 h in February is one unit. Later means at the same age or an older
    one, and not on an earlier day: a unit that was replaced starts from 0 again, on a later day.
    """
    numbered = records.with_row_index("_row")
    first, last = pl.date(1, 1, 1), pl.date(9999, 12, 31)
    superseded = (
        numbered.filter(pl.col("serial").is_not_null())
        .with_columns(
            _alive=pl.col("event") == "suspension",
            _day=pl.col("observed_on").fill_null(first),
            _until=pl.col("observed_on").fill_null(last),
        )
        .sort("age", "_alive", "_day", "_row", descending=[True, False, True, False])
        .with_columns(_newest=pl.col("_until").cum_max().shift(1).over(UNIT))
        .filter(pl.col("_alive") & (pl.col("_newest") >= pl.col("_day")))
        .select("_row")
    )
    return numbered.join(superseded, on="_row", how="anti", maintain_order="left").drop("_row")
