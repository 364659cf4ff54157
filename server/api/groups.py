"""Grouped counts: any connection by the values of its columns, with counts, sums, means and quantiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import strawberry

from schema import Kind, kind
from server.api.aspects import declare, of_field, reveals
from server.api.inputs import argument, columns_of, describe, leaf_type, maybe, members, several
from server.api.naming import type_name
from server.api.paging import Listing
from server.api.rows import KindRows
from server.api.sources import Grouped, Indices, Picked, Source, Values, batched, offsets

MOST_GROUPS = 1000
UNCOUNTED = {"key", "row", "data", "extra"}
"""Columns that differ from row to row: nothing to group by."""


def grouped_by(of: Kind) -> dict[str, str]:
    """The columns that rows can be grouped by, as shown and as in the table."""
    several_codes = {name for name, field in of.fields.items() if field.meta.codes is not None}
    left_out = UNCOUNTED | several_codes | set(of.key[-1:])
    return {shown: field for shown, field in columns_of(of).items() if field not in left_out}


def numbers_of(of: Kind) -> dict[str, str]:
    """The columns that can be added up."""
    numeric = (pl.Int64(), pl.Float64())
    return {shown: field for shown, field in columns_of(of).items() if of.schema[field] in numeric and field != "row"}


class Groups(Source):
    """Groups of rows: one row for each, with the columns grouped by (the others are null) and `count`."""

    def __init__(self, listing: Listing, by: list[str], labels: pl.DataFrame, places: Indices | None = None) -> None:
        super().__init__(len(labels) if places is None else len(places))
        self.type_name = f"{type_name(listing.kind)}Group"
        self.listing = listing
        self.by = by
        self.labels = labels
        self.places = np.arange(len(labels)) if places is None else places

    def take(self, indices: Indices) -> Source:
        """Some of the groups."""
        return Groups(self.listing, self.by, self.labels, self.places[indices])

    def make(self, name: str) -> Values:
        """A column grouped by, or the count."""
        if name == "count":
            return self.labels["_rows"][self.places].to_list()
        of = self.listing.kind
        field = columns_of(of)[name]
        if field not in self.by:
            return [None] * len(self)
        values = self.labels[field][self.places]
        if field not in of.refs:
            return values.to_list()
        target = kind(of.refs[field])
        found = self.listing.view.locate(target.name, values.fill_null(""))
        return Picked(KindRows(self.listing.view, target), found)

    def aggregate(self, field: str, expression: pl.Expr) -> list[Any]:
        """One number for each group: `expression` over its rows' values of `field`, named `value`."""
        rows = self.listing.frame.select("_g", "_at")
        table = self.listing.view.table(self.listing.kind.name)
        by = {f"_by{i}": pl.col(name) for i, name in enumerate(self.by)}
        values = table[rows["_at"]].select(value=pl.col(field).cast(pl.Float64), **by).with_columns(rows["_g"])
        keys = ["_g", *by]
        found = values.group_by(keys).agg(expression.alias("value"))
        labels = self.labels.select("_g", **by)
        joined = labels.join(found, on=keys, how="left", nulls_equal=True, maintain_order="left")
        return joined["value"][self.places].to_list()


def group(listing: Listing, by: list[str], first: int) -> pl.DataFrame:
    """The largest `first` groups of each list of a listing: list number `_g`, the columns grouped by, `_rows`."""
    listing.note()
    rows = listing.frame.select("_g", "_at")
    values = rows.select("_g")
    if by:
        values = values.hstack(listing.view.table(listing.kind.name).select(by)[rows["_at"]])
    counted = values.group_by(["_g", *by]).agg(pl.len().alias("_rows"))
    ordered = counted.sort(["_g", "_rows", *by], descending=[False, True, *[False] * len(by)], nulls_last=True)
    return ordered.filter(pl.int_range(pl.len()).over("_g") < first)


def group_type(of: Kind) -> Any:
    """The GraphQL type of a group of a kind."""
    name = f"{type_name(of)}Group"
    annotations: dict[str, Any] = {"count": int}
    fields: dict[str, Any] = {"count": strawberry.field(description="How many rows.")}
    for shown, field in grouped_by(of).items():
        refers = field in of.refs
        annotations[shown] = f"{type_name(kind(of.refs[field]))} | None" if refers else maybe(leaf_type(of, field))
        fields[shown] = strawberry.field(description=f"{describe(of, field)} Null where not grouped by.")
    if numbers_of(of):
        choices: Any = members(f"{type_name(of)}Number", of, numbers_of(of), f"Numbers of {of.plural.en} to add up.")
        chosen = argument(choices, "Of which number; unknown ones are left out.")
        share = argument(float, "Share of the rows below it, 0 to 1.")

        def total(root: Any, of: Any) -> Values:
            return root.aggregate(of.value, pl.when(pl.col("value").count() > 0).then(pl.col("value").sum()))  # type: ignore[no-any-return]

        def mean(root: Any, of: Any) -> Values:
            return root.aggregate(of.value, pl.col("value").mean())  # type: ignore[no-any-return]

        def quantile(root: Any, of: Any, at: float) -> Values:
            return root.aggregate(of.value, pl.col("value").quantile(min(max(at, 0.0), 1.0), "linear"))  # type: ignore[no-any-return]

        said: dict[str, tuple[Callable[..., Values], str]] = {
            "sum": (total, "Sum."),
            "mean": (mean, "Mean."),
            "quantile": (quantile, "Quantile, between neighbours linearly."),
        }
        for shown, (function, text) in said.items():
            function.__annotations__ = {"root": Any, "of": chosen, "return": maybe(float)}
            if shown == "quantile":
                function.__annotations__["at"] = share
            annotations[shown] = maybe(float)
            fields[shown] = batched(function, description=text)
    from server.api import types

    made = type(name, (), {**fields, "__annotations__": annotations, "__module__": types.__name__})
    declared = {shown: of_field(of, field) for shown, field in grouped_by(of).items()}
    added = reveals(of.aspect, *(of.aspect_of(field) for field in numbers_of(of).values()))
    declared |= {"count": reveals(of.aspect), **dict.fromkeys(("sum", "mean", "quantile"), added)}
    group = strawberry.type(made, description=f"{of.plural.en} that agree in what they are grouped by.")
    return declare(group, declared)


def group_field(of: Kind) -> Any:
    """The field of a connection that groups its whole list."""
    choices = members(f"{type_name(of)}GroupBy", of, grouped_by(of), f"What {of.plural.en} can be grouped by.")

    def groups(root: Any, by: Any, first: Any = 100) -> Any:
        listing: Listing = root.plain("listing")[0]
        names = list(dict.fromkeys(each.value for each in by))
        labels = group(listing, names, max(0, min(first, MOST_GROUPS)))
        numbers = np.array(root.plain("list_number"))
        sizes = np.bincount(labels["_g"].to_numpy(), minlength=listing.groups)
        bounds = offsets(sizes)
        everything = Groups(listing, names, labels)
        if len(numbers) == listing.groups:
            return Grouped(everything, bounds)
        chosen = np.concatenate([np.arange(bounds[n], bounds[n + 1]) for n in numbers])
        return Grouped(everything.take(chosen), offsets(sizes[numbers]))

    groups.__annotations__ = {
        "root": Any,
        "by": argument(several(choices), "By what."),
        "first": argument(int, "How many groups at most, the largest first: 1 to 1,000."),
        "return": f"list[{type_name(of)}Group]",
    }
    said = "The whole list (not only the page) in groups, the largest first; by nothing, it is one group."
    return batched(groups, description=said, metadata={"most": MOST_GROUPS, "cost": 20})
