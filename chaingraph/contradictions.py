"""Where two firms state one thing differently: each is told what it says itself, and that another says otherwise.

What the other says is told only where the viewer sees it. Where the other's data may be used and not be seen, the
viewer learns that there is another statement and nothing of what it is; where there is no agreement at all, nothing.
"""

from __future__ import annotations

import polars as pl

from chaingraph.actor import EVERYBODY
from chaingraph.basis import basis
from chaingraph.view import View
from schema import KINDS, Kind

_DIGITS = 6
"""Numbers that agree to so many significant digits do not contradict each other."""
SCHEMA = {
    "kind": pl.String(), "natural": pl.String(), "field": pl.String(), "owner": pl.String(), "value": pl.String(),
    "other": pl.String(), "other_value": pl.String(),
}  # fmt: skip


def contradictions(view: View) -> pl.DataFrame:
    """Every cell that the viewer states (for EVERYBODY: that anybody states) and another owner states otherwise.

    Columns: `kind`, the `natural` key of what it is about, `field`, `owner` and `value` of the one statement, and of
    the other `other` and `other_value`, null where the viewer does not see them. No rows where nobody disagrees.
    """
    opened = basis(view)
    found = [_of(each, view, opened) for each in KINDS.values() if each.by_owner and each.merged]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *found])


def _of(of: Kind, view: View, opened: View) -> pl.DataFrame:
    several = opened.disagreements(of.name)
    mine = pl.lit(value=True) if view.viewer == EVERYBODY else pl.col("owner") == view.viewer
    several = several.join(several.filter(mine).select("natural").unique(), on="natural", how="semi")
    if not several.height:
        return pl.DataFrame(schema=SCHEMA)
    fields = [name for name in of.fields if name not in {*of.key, "stub"}]
    texts = [_text(of, name) for name in fields]
    cells = several.select("key", "natural", "owner", *texts).unpivot(
        fields, index=["key", "natural", "owner"], variable_name="field"
    )
    cells = cells.drop_nulls("value").filter(pl.col("value").n_unique().over("natural", "field") > 1)
    seen = view.stated(of.name)["key"]
    others = cells.select(
        "natural",
        "field",
        _said="value",
        _by="owner",
        other=pl.when(pl.col("key").is_in(seen.implode())).then("owner"),
        other_value=pl.when(pl.col("key").is_in(seen.implode())).then("value"),
    )
    both = cells.filter(mine).join(others, on=["natural", "field"], how="inner")
    both = both.filter((pl.col("_by") != pl.col("owner")) & (pl.col("_said") != pl.col("value")))
    return both.select(pl.lit(of.name).alias("kind"), *list(SCHEMA)[1:]).unique().sort(list(SCHEMA))


def _text(of: Kind, name: str) -> pl.Expr:
    column = pl.col(name)
    if of.fields[name].dtype == pl.Float64():
        column = column.round_sig_figs(_DIGITS)
    return column.cast(pl.String).alias(name)
