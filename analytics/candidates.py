"""Groups of units that may be weaker: makers, lots, upstream lots through the genealogy, regions, versions."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics import comparison
from analytics.comparison import FEWEST, Candidates, Pooled
from analytics.life.rows import Event
from analytics.records import life_rows, of_mode

CELL = ["part", "maker", "lot", "region", "version"]
"""What tells units apart: no group divides the units of a cell."""

KINDS = ("lot", "version", "maker", "upstream_lot", "lots", "upstream_lots", "region")
"""Kinds of groups; of two that hold the same units the earlier kind is named."""
SERIES = (2, 3, 4, 6)
"""Lengths of series of lots that one maker made one after the other: a cause often lasts longer than a lot."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Everything the tests of weak groups compute from.

    `strata` (part, mode; mode null: all of them) is aligned with `h0`; `groups` says what each group is (of: the part
    whose units it is a group of; kind; part, maker, lot, last, region, version, `last` being the last lot of a series;
    place: of the lot among those of its make); `table` (stratum, group) is aligned with `candidates.of`, and `cells`
    (stratum, the columns of CELL, observed, expected, units) with `candidates.observed`. `units` of a cell are all
    units of the part in it, whatever failed.
    """

    strata: pl.DataFrame
    h0: Pooled
    groups: pl.DataFrame
    table: pl.DataFrame
    cells: pl.DataFrame
    candidates: Candidates


def ancestors(lots: pl.Series, genealogy: pl.DataFrame) -> pl.DataFrame:
    """(lot, ancestor): all lots that went into each of `lots`, directly or through others; wave by wave, cycles end."""
    edges = genealogy.select(lot="into_lot", above="from_lot").drop_nulls().unique()
    known = wave = pl.DataFrame({"lot": lots, "ancestor": lots}, schema={"lot": pl.String, "ancestor": pl.String})
    while len(wave):
        found = wave.join(edges, left_on="ancestor", right_on="lot").select("lot", ancestor="above").unique()
        wave = found.join(known, on=["lot", "ancestor"], how="anti")
        known = pl.concat([known, wave])
    return known.filter(pl.col("lot") != pl.col("ancestor")).sort("lot", "ancestor")


def find(rows: pl.DataFrame, lots: pl.DataFrame, genealogy: pl.DataFrame, product: str | None = None) -> Groups:
    """All groups in `rows` (as `analytics.records.usable` gives them) that can be compared with their rest.

    `lots` (key, part, maker, produced_on) and `genealogy` (from_lot, into_lot) have the columns of their kinds. Units
    are counted where they were in `product`, or nothing says in which they were; where none was, all are. A stratum is
    (part, mode), or the whole part where any failure has no mode; those with fewer than three failures are left out,
    for no group of theirs could be listed.
    """
    failed = pl.col("event") != int(Event.SUSPENSION)
    unnamed = rows.filter(failed & pl.col("mode").is_null()).select("part").unique()
    strata = (
        rows.filter(failed)
        .join(unnamed.with_columns(_whole=True), on="part", how="left")
        .select("part", "count", mode=pl.when(pl.col("_whole").is_null()).then("mode"))
        .group_by("part", "mode")
        .agg(pl.col("count").sum())
        .filter(pl.col("count") >= FEWEST)
        .sort("part", "mode")
        .select("part", "mode")
        .with_row_index("stratum")
        .with_columns(pl.col("stratum").cast(pl.Int64))
    )
    seen = rows.join(strata.select("part").unique(), on="part", how="semi")
    inside = pl.col("product").is_null() | (pl.col("product") == pl.lit(product, pl.String))
    units, here = pl.col("count").sum(), pl.col("count").filter(inside).sum()
    parts_cells = (
        seen.group_by(CELL)
        .agg(units=units, here=here)
        .with_columns(units=pl.when(pl.col("here").sum().over("part") > 0).then("here").otherwise("units"))
        .sort(CELL)
        .with_row_index("at")
    )
    cells = (
        strata.select("stratum", "part", wanted="mode")
        .join(parts_cells, on="part", how="left", maintain_order="left")
        .with_row_index("cell")
        .with_columns(pl.col("cell").cast(pl.Int64))
    )
    h0, observed, expected = _counted(
        seen.join(parts_cells.select("at", *CELL), on=CELL, nulls_equal=True), cells, len(strata)
    )
    groups, members = _members(parts_cells, lots, genealogy)
    joined = cells.select("stratum", "cell", "at").join(members, on="at", maintain_order="left")
    table = joined.select("stratum", "group").unique().sort("stratum", "group").with_row_index("candidate")
    joined = joined.join(table, on=["stratum", "group"], maintain_order="left")
    preference = table.join(groups.select("group", "preference"), on="group", how="left", maintain_order="left")
    return Groups(
        strata,
        h0,
        groups,
        table.select("stratum", "group"),
        cells.drop("at", "cell", "here", "wanted").with_columns(
            observed=pl.Series(observed), expected=pl.Series(expected)
        ),
        Candidates(
            observed,
            expected,
            cells["stratum"].to_numpy(),
            joined["cell"].to_numpy(),
            joined["candidate"].cast(pl.Int64).to_numpy(),
            table["stratum"].to_numpy(),
            preference["preference"].cast(pl.Int64).to_numpy(),
        ),
    )


def _counted(
    seen: pl.DataFrame, cells: pl.DataFrame, strata: int
) -> tuple[Pooled, comparison.Floats, comparison.Floats]:
    """H0 of every stratum, and the observed and expected failures of every cell."""
    keys = ["cell", "stratum", "event", "entry", "age", "age_to"]
    lives = (
        cells.select("at", "cell", "stratum", "wanted")
        .join(seen.select("at", "mode", "event", "entry", "age", "age_to", "count"), on="at")
        .select("cell", "stratum", "entry", "age", "count", **of_mode("wanted"))
        .group_by(keys)
        .agg(pl.col("count").sum())
        .sort(keys)
    )
    data, by_cell = life_rows(lives, "stratum", strata), life_rows(lives, "cell", len(cells))
    h0 = comparison.pool(data)
    return (
        h0,
        by_cell.sums(comparison.failures(data)),
        by_cell.sums(comparison.expected(data, h0.beta, h0.eta)),
    )


WHAT = ["of", "kind", "part", "maker", "lot", "last", "region", "version", "place"]
MAKE = ["of", "kind", "part", "maker"]


def _members(cells: pl.DataFrame, lots: pl.DataFrame, genealogy: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The groups, numbered, and (at, group): which cells are in which."""
    above = ancestors(cells["lot"].drop_nulls().unique().sort(), genealogy)
    named = lots.select(ancestor="key", up_part="part", up_maker="maker")
    upstream = cells.select("at", "part", "lot").join(above, on="lot").join(named, on="ancestor", how="left")

    def said(column: str) -> pl.DataFrame:
        return cells.filter(pl.col(column).is_not_null())

    single, of_lots = _numbered(
        [
            _group("lot", said("lot"), maker="maker", lot="lot"),
            _group("upstream_lot", upstream, part="up_part", maker="up_maker", lot="ancestor"),
        ]
    )
    single = _placed(single, lots)
    series, of_series = _series(single, of_lots)
    others, of_others = _numbered(
        [
            _group("version", said("version"), maker="maker", version="version"),
            _group("maker", said("maker"), maker="maker"),
            _group("region", said("region"), region="region"),
        ]
    )
    tables, members, last = [], [], 0
    for table, pairs in ((single, of_lots), (series, of_series), (others, of_others)):
        tables.append(table.select("id", *WHAT).with_columns(pl.col("id") + last))
        members.append(pairs.with_columns(pl.col("id") + last))
        last += len(table)
    preference = pl.DataFrame({"kind": KINDS, "preference": np.arange(len(KINDS))})
    groups = (
        pl.concat(tables)
        .join(preference, on="kind")
        .sort("of", "preference", *WHAT[2:], nulls_last=True)
        .with_row_index("group")
        .with_columns(pl.col("group").cast(pl.Int64))
    )
    pairs = pl.concat(members).join(groups.select("id", "group"), on="id").select("at", "group")
    return groups.drop("id"), pairs.unique().sort("at", "group")


def _group(kind: str, table: pl.DataFrame, **what: str) -> pl.DataFrame:
    """`table` (rows of cells) as members: `of` their part, and what the group is."""
    text = dict.fromkeys(("maker", "lot", "last", "region", "version"), pl.lit(None, pl.String))
    columns: dict[str, pl.Expr | str] = {"kind": pl.lit(kind), "of": "part", "part": "part", **text, **what}
    return table.select("at", **columns, place=pl.lit(None, pl.Int64))


def _numbered(members: list[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The different groups of some members with an `id`, 0 and up, and the members as (at, id)."""
    every = pl.concat(members)
    table = every.select(WHAT).unique().sort(WHAT).with_row_index("id").with_columns(pl.col("id").cast(pl.Int64))
    return table, every.join(table, on=WHAT, nulls_equal=True).select("at", "id")


def _placed(single: pl.DataFrame, lots: pl.DataFrame) -> pl.DataFrame:
    """Single lots, sorted by id, with their `make` as a number and their place in it, by day of production and key."""
    days = lots.select(lot="key", day="produced_on")
    return (
        single.join(days, on="lot", how="left")
        .sort(*MAKE, "day", "lot")
        .with_columns(make=pl.struct(MAKE).rle_id().cast(pl.Int64), place=pl.int_range(pl.len()).over(MAKE))
        .drop("day")
        .sort("id")
    )


def _series(single: pl.DataFrame, members: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Series of lots of one maker, of each length that leaves a lot of the make outside, and their members (at, id)."""
    known = single.filter(pl.col("maker").is_not_null()).with_columns(size=pl.len().over("make").cast(pl.Int64))
    lengths = pl.DataFrame({"length": SERIES}, schema={"length": pl.Int64})
    ends = known.select("make", end="place", end_lot="lot")
    series = (
        known.join(lengths, how="cross")
        .filter((pl.col("size") > pl.col("length")) & (pl.col("place") + pl.col("length") <= pl.col("size")))
        .with_columns(end=pl.col("place") + pl.col("length") - 1)
        .join(ends, on=["make", "end"])
        .sort("length", "id")
        .with_columns(kind=pl.col("kind") + "s", last="end_lot", id=pl.int_range(pl.len()))
    )
    place = members.join(known.select("id", "make", "place"), on="id").select("at", "make", "place")
    found = [place.select("at", id="make").clear()]
    for length in SERIES:
        starts = series.filter(length=length).select("make", "place", "id")
        shifted = (place.with_columns(pl.col("place") - back) for back in range(length))
        found += [each.join(starts, on=["make", "place"]).select("at", "id") for each in shifted]
    return series, pl.concat(found)
