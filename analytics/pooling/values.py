"""What every firm puts into a pool: sums of its rows by part class, mechanism and year."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from analytics.life.rows import Event
from analytics.records import usable
from chaingraph.ownership import ultimate
from chaingraph.rights import Rights, within
from chaingraph.snapshot import Snapshot
from schema import Aspect, Text, kind
from schema.vocabularies import Disclosure

FIGURES = {
    "by": pl.String(), "owner": pl.String(), "part_class": pl.String(), "unit": pl.String(), "mechanism": pl.String(),
    "year": pl.Int32(), "y": pl.Float64(), "t": pl.Float64(), "log": pl.Float64(), "square": pl.Float64(),
}  # fmt: skip
"""Columns of figures: who states them, whose that is in the end, what of, and sums: `y` over `t` is a rate or a mean;
`log` and `square` are those of logarithms where a spread within a firm is needed.
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """A pooled figure: from the figures of which `family`, by which `model`, and whether it can be asked by mechanism.

    `per` is what stands below the fraction of its unit.
    """

    name: str
    text: Text
    family: str
    model: str
    mechanisms: bool

    def unit(self, of: str) -> str | None:
        """The unit of its values, for figures in a unit."""
        if self.model == "shape" or of == "1":
            return None
        return f"1/{of}" if self.model == "rate" else of


METRICS = {
    each.name: each
    for each in (
        Metric("failure_rate", Text("失效率", "Failure rate"), "life", "rate", mechanisms=True),
        Metric("weibull_shape", Text("威布尔形状参数", "Weibull shape"), "life", "shape", mechanisms=True),
        Metric("weibull_scale", Text("威布尔特征寿命", "Weibull scale"), "life", "scale", mechanisms=True),
        Metric("defect_rate", Text("检验不良率", "Defect rate at inspection"), "inspection", "rate", mechanisms=True),
        Metric("lead_time", Text("交期", "Lead time"), "supply", "mean", mechanisms=False),
    )
}
"""What can be asked. Rates are failures over exposure, defects over pieces inspected; a lead time is a mean of days."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Figures by family (columns `FIGURES`), and the life records behind those of the family "life" (by, owner,
    part_class, unit, mechanism, event, entry, age, age_to, count).
    """

    figures: dict[str, pl.DataFrame]
    lives: pl.DataFrame

    def stated_by(self, firms: Sequence[str]) -> Pool:
        """What some firms put in."""
        theirs = pl.col("by").is_in(firms)
        figures = {name: each.filter(theirs) for name, each in self.figures.items()}
        return Pool(figures, self.lives.filter(theirs))


def pool(snapshot: Snapshot, rights: Sequence[Rights]) -> Pool:
    """What every one of these may have pooled: rows of its own, and rows whose owners agreed to it.

    With the rights of all members of a consortium that is what was shared with all of them.
    """
    return gathered(snapshot, lambda name, aspect: poolable(snapshot, name, aspect, rights))


def own(snapshot: Snapshot, viewer: str) -> Pool:
    """What a firm states itself."""
    return gathered(snapshot, lambda name, _: snapshot.table(name).filter(pl.col("owner") == viewer))


def poolable(snapshot: Snapshot, name: str, aspect: Aspect, rights: Sequence[Rights]) -> pl.DataFrame:
    """The rows of a kind that all of these may have pooled in an aspect."""
    of, rows = kind(name), snapshot.table(name)
    for each in rights:
        whole, scoped = each.granted(frozenset([aspect]), Disclosure.POOL)
        keep = rows["owner"].is_in([*whole, each.viewer]).fill_null(value=False)
        rows = rows.filter(keep.scatter(within(of, rows, scoped), values=True))
    return rows


def gathered(snapshot: Snapshot, rows: Callable[[str, Aspect], pl.DataFrame]) -> Pool:
    """Figures of the rows that `rows` gives of a kind."""
    parts = snapshot.table("part").select(
        "issuer", part="key", part_class="part_class", unit=pl.col("age_unit").cast(pl.String).fill_null("h")
    )
    owners = ultimate(snapshot.table("organisation").select("key", "parent"))
    records = _with_mechanism(snapshot, rows("life_record", Aspect.FAILURES), parts)
    inspected = pl.col("origin").cast(pl.String) == "inspection"
    tested = pl.col("origin").cast(pl.String) == "test"
    lives = _lives(records.filter(~(inspected | tested).fill_null(value=False)), rows("shipment", Aspect.SUPPLY), parts)
    lives = _placed(lives, parts, owners)
    leaving = pl.when(pl.col("age_to").is_not_null()).then((pl.col("age") + pl.col("age_to")) / 2).otherwise("age")
    count = pl.col("count").cast(pl.Float64)
    failed = (pl.col("event").cast(pl.String) != "suspension") & pl.col("relevant").fill_null(value=True)
    pieces = pl.col("count").fill_null(1).cast(pl.Float64)
    year = pl.col("observed_on").dt.year()
    inspections = records.filter(inspected).select(
        "part", "mechanism", by="owner", year=year, y=failed.cast(pl.Float64) * pieces, t=pieces
    )
    days = pl.col("lead_time_days")
    supplies = rows("supplies", Aspect.SUPPLY).filter(days > 0)
    lead = supplies.select(
        "part", by="owner", year=pl.col("valid_from").dt.year(), y=days, t=pl.lit(1.0), log=days.log(),
        square=days.log() ** 2,
    )  # fmt: skip
    return Pool(
        {
            "life": _summed(
                lives.with_columns(
                    y=count * (pl.col("event") != int(Event.SUSPENSION)), t=count * (leaving - pl.col("entry"))
                )
            ),
            "inspection": _summed(_placed(inspections, parts, owners).with_columns(unit=pl.lit("1"))),
            "supply": _summed(_placed(lead, parts, owners).with_columns(unit=pl.lit("d"))),
        },
        lives,
    )


def _with_mechanism(snapshot: Snapshot, records: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Life records with the mechanism of their mode where they name none: by their owner, else by the part's issuer."""
    modes = snapshot.table("mode").filter(pl.col("mechanism").is_not_null())
    modes = modes.select("owner", mode=kind("mode").natural_of(), _of="mechanism")
    issued = modes.rename({"owner": "issuer", "_of": "_issuer"})
    return (
        records.join(modes, on=["owner", "mode"], how="left", maintain_order="left")
        .join(parts.select("part", "issuer"), on="part", how="left", maintain_order="left")
        .join(issued, on=["issuer", "mode"], how="left", maintain_order="left")
        .with_columns(mechanism=pl.coalesce("mechanism", "_of", "_issuer"))
        .drop("_of", "_issuer", "issuer")
    )


def _lives(records: pl.DataFrame, shipments: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Records that count, each firm's by itself: in the place of the maker stands who states them, of the version the
    year.
    """
    known = parts.select(key="part", age_unit="unit")
    year = pl.col("observed_on").dt.year().cast(pl.String)
    found = usable(
        records.with_columns(maker="owner", version=year), known, shipments.with_columns(maker=pl.col("owner"))
    )
    return found.rows.with_columns(by="maker", year=pl.col("version").cast(pl.Int32)).drop("maker", "version")


def _placed(rows: pl.DataFrame, parts: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Rows with the class and unit of their part and the ultimate owner; those of parts without a class are left
    out.
    """
    return (
        rows.join(parts.select("part", "part_class", "unit"), on="part", how="left", maintain_order="left")
        .filter(pl.col("part_class").is_not_null() & pl.col("by").is_not_null())
        .join(owners, on="by", how="left", maintain_order="left")
        .with_columns(owner=pl.coalesce("owner", "by"))
    )


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    """Sums by firm, class, unit, mechanism and year, sorted."""
    missing = {name: pl.lit(None, dtype).alias(name) for name, dtype in FIGURES.items() if name not in rows.columns}
    by = list(FIGURES)[:6]
    sums = [pl.col(name).cast(pl.Float64).sum() for name in ("y", "t", "log", "square")]
    return (
        rows.with_columns(**missing)
        .select(pl.col(name).cast(dtype) for name, dtype in FIGURES.items())
        .group_by(by)
        .agg(sums)
        .sort(by, nulls_last=True)
    )
