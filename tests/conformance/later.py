"""A registry of later versions, for tests of migration: what the two after today's might be.

The next counts a lot's units in place of its quantity and notes the year. The last counts them in thousands, gives
parts an origin and a mass, organisations no region any more, looks bills up by the child, has tools, and no aliases.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from chaingraph.store import migration
from chaingraph.store.migration import Change, Step
from schema import KINDS
from schema.core import Field, Kind
from schema.text import Text

TODAY = dict(KINDS)
LOT = TODAY["lot"].declared_schema


def _next(rows: pl.DataFrame) -> pl.DataFrame:
    units = pl.col("quantity").round(0).cast(pl.Int64).alias("units")
    return rows.with_columns(units, year=pl.col("produced_on").dt.year().cast(pl.Int64)).drop("quantity")


def _last(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(thousands=pl.col("units") / 1000).drop("units")


TODAYS = migration.VERSION
NEXT = Step(TODAYS + 1, Text("批次以件计。", "Lots are counted in units."), {"lot": Change(LOT, _next)})
LAST = Step(
    TODAYS + 2,
    Text("批次以千件计。", "Lots are counted in thousands."),
    {
        "lot": Change(
            {**{n: t for n, t in LOT.items() if n != "quantity"}, "units": pl.Int64(), "year": pl.Int64()}, _last
        )
    },
)


def _field(like: Field, name: str, of: type, default: object = None) -> Field:
    return replace(like, name=name, python_type=of, required=False, default=default, bounds={})


def _kinds() -> dict[str, Kind]:
    lot, part, organisation, contains = (TODAY[n] for n in ("lot", "part", "organisation", "contains"))
    quantity = lot.fields["quantity"]
    others = {n: f for n, f in lot.fields.items() if n != "quantity"}
    child = contains.fields["child"]
    found = {
        **TODAY,
        "lot": replace(
            lot,
            fields={"year": _field(quantity, "year", int), **others, "thousands": _field(quantity, "thousands", float)},
        ),
        "part": replace(
            part,
            fields={
                "mass_kg": _field(quantity, "mass_kg", float),
                "origin": _field(part.fields["name_zh"], "origin", str, "unknown"),
                **part.fields,
            },
        ),
        "organisation": replace(organisation, fields={n: f for n, f in organisation.fields.items() if n != "region"}),
        "contains": replace(
            contains, fields={**contains.fields, "child": replace(child, meta=replace(child.meta, indexed=True))}
        ),
        "tool": replace(part, name="tool", sheet="tools"),
    }
    del found["part_alias"]
    return found


def live(patch: pytest.MonkeyPatch) -> None:
    """Make it the last version, until `patch` is undone."""
    steps = (*migration.STEPS, NEXT, LAST)
    patch.setattr(migration, "STEPS", steps)
    patch.setattr(migration, "VERSION", steps[-1].version)
    for name in reversed(TODAY):  # all of them, so that they come back in their order
        patch.delitem(KINDS, name)
    for name, each in _kinds().items():
        patch.setitem(KINDS, name, each)
