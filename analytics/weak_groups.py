"""Weak links in the field: groups that fail more often than the rest, and declared values that the field denies.

Rows here are keys and numbers; `analytics.weak_links` gives them words and an order.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics import comparison
from analytics.candidates import Groups, find
from analytics.comparison import FALSE_SHARE, Candidates, Selection, select
from analytics.hazard import LEVEL
from analytics.records import life_rows, of_mode

Floats = NDArray[np.float64]

DENIED = 0.05
"""A declared value is denied where the field is less probable than this."""


@dataclass(frozen=True, slots=True)
class WeakGroups:
    """What is weaker than it should be: frames of one row a finding, losses in expected failures per product.

    `listed`: stratum, group, mode, of (the part that fails), kind, part, maker, lot, last, region, version, place (the
    group, as in `Groups`), observed, expected (if it failed like the rest), rest_observed, rest_expected, ratio,
    ratio_low, ratio_high, p, q, units (of the group in one product), loss, loss_low, loss_high, twins (group numbers
    that hold the same units); best evidence of a loss first. `denied`: part, maker, mode, beta, eta, observed,
    expected, ratio, ratio_low, ratio_high, p, loss, loss_low, loss_high. `groups` and `selection` are what the list was
    made from.
    """

    listed: pl.DataFrame
    denied: pl.DataFrame
    groups: Groups
    selection: Selection


def weak_groups(
    rows: pl.DataFrame,
    lots: pl.DataFrame,
    genealogy: pl.DataFrame,
    figures: pl.DataFrame,
    units: pl.DataFrame,
    mission: float,
    product: str | None = None,
    level: float = LEVEL,
) -> WeakGroups:
    """Weak groups and denied values among the parts of a product.

    `rows` are usable records, `figures` declared distributions (`analytics.declared`), `units` the units of each part
    in one product by maker and by age for each unit of the product's age (part, maker, factor, units). The loss of a
    group is, over its cells, (share of the maker's units) x (the maker's units per product) x H0(factor x mission) x
    excess, H0 raised by what was chosen before it; that of a denied value is the declared hazard times (ratio - 1).
    """
    inside = rows.join(units.select("part").unique(), on="part", how="semi")
    groups = find(inside, lots, genealogy, product)
    selection = select(groups.candidates, level=level)
    return WeakGroups(
        _listed(groups, selection, units, mission),
        _denied(inside, figures, units, mission, level),
        groups,
        selection,
    )


def _listed(groups: Groups, selection: Selection, units: pl.DataFrame, mission: float) -> pl.DataFrame:
    chosen, at = selection.chosen, selection.at
    per_unit = (pl.col("factor") * mission / pl.col("eta")) ** pl.col("beta")
    each = _in_groups(groups.candidates, selection, _shared(groups, units, per_unit), raised=True)
    many = _in_groups(groups.candidates, selection, _shared(groups, units, pl.lit(1.0)), raised=False)
    twins = (
        pl.DataFrame({"chosen": selection.twin, "twin": groups.table["group"]})
        .filter(pl.col("chosen") >= 0)
        .group_by("chosen", maintain_order=True)
        .agg("twin")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        like_rest = at.expected * at.rest_observed / at.rest_expected
    return (
        groups.table[chosen]
        .with_columns(chosen=pl.Series(chosen))
        .join(groups.groups, on="group", how="left", maintain_order="left")
        .join(groups.strata.select("stratum", "mode"), on="stratum", how="left", maintain_order="left")
        .join(twins, on="chosen", how="left", maintain_order="left")
        .select(
            "stratum", "group", "mode", "of", "kind", "part", "maker", "lot", "last", "region", "version", "place",
            observed=pl.Series(at.observed),
            expected=pl.Series(like_rest),
            rest_observed=pl.Series(at.rest_observed),
            rest_expected=pl.Series(at.rest_expected),
            ratio=pl.Series(at.ratio),
            ratio_low=pl.Series(at.ratio_low),
            ratio_high=pl.Series(at.ratio_high),
            p=pl.Series(at.p),
            q=pl.Series(selection.q),
            units=pl.Series(many),
            loss=pl.Series(each * at.excess),
            loss_low=pl.Series(each * at.excess_low),
            loss_high=pl.Series(each * at.excess_high),
            twins=pl.col("twin").fill_null([]),
        )
        .filter(pl.col("loss") > 0)
        .sort("loss_low", "p", "group", descending=[True, False, False])
    )  # fmt: skip


def _in_groups(candidates: Candidates, selection: Selection, worth: Floats, *, raised: bool) -> Floats:
    """Sums of `worth` (cells,) over the cells of each chosen group; `raised`: by what was chosen before, as E is."""
    order = np.argsort(candidates.candidate, kind="stable")
    cell = candidates.cell[order]
    ends = np.searchsorted(candidates.candidate[order], np.stack([selection.chosen, selection.chosen + 1]))
    worth, sums = worth.copy(), np.zeros(len(selection.chosen))
    for i, (a, b) in enumerate(ends.T.tolist()):
        sums[i] = worth[cell[a:b]].sum()
        if raised:
            worth[cell[a:b]] *= selection.factor[i]
    return sums


def _shared(groups: Groups, units: pl.DataFrame, value: pl.Expr) -> Floats:
    """For every cell: its units in one product, each worth `value` of (factor, beta, eta), shape (cells,).

    A maker's units per product are shared over its cells as the units in the field are. What supply gives to makers
    that are in no record is shared over cells without a maker; cells of makers who do not supply now weigh nothing.
    """
    beta, eta = pl.Series(groups.h0.beta), pl.Series(groups.h0.eta)
    strata = groups.strata.with_columns(beta=beta, eta=eta)
    per_state = strata.join(units, on="part").group_by("stratum", "maker").agg(worth=(pl.col("units") * value).sum())
    field = groups.cells.group_by("stratum", "maker").agg(fleet=pl.col("units").sum())
    states = field.join(per_state.filter(pl.col("maker").is_not_null()), on=["stratum", "maker"], how="left")
    known = states.group_by("stratum").agg(known=pl.col("worth").sum())
    rest = (
        per_state.group_by("stratum")
        .agg(total=pl.col("worth").sum())
        .join(known, on="stratum", how="left")
        .select("stratum", rest=pl.col("total") - pl.col("known").fill_null(0.0))
    )
    unsaid = pl.col("worth").is_null() & (pl.col("maker").is_null() | pl.col("worth").is_null().all().over("stratum"))
    states = states.join(rest, on="stratum", how="left").with_columns(
        fleet=pl.when(unsaid).then(pl.col("fleet").filter(unsaid).sum().over("stratum")).otherwise("fleet"),
        worth=pl.when(unsaid).then("rest").otherwise(pl.col("worth").fill_null(0.0)),
    )
    cells = groups.cells.select("stratum", "maker", "units").join(
        states, on=["stratum", "maker"], how="left", nulls_equal=True, maintain_order="left"
    )
    weight = cells.select(
        pl.when(pl.col("fleet") > 0).then(pl.col("worth") * pl.col("units") / pl.col("fleet")).otherwise(0.0)
    )
    return weight.to_series().fill_null(0.0).to_numpy()


def against_field(rows: pl.DataFrame, figures: pl.DataFrame, level: float = LEVEL) -> pl.DataFrame:
    """Declared distributions (`analytics.declared`) against usable records: one row for each that has an eta.

    part, mode, beta, eta, claimant (null: stands for every maker), observed, expected (by the declared hazard over the
    ages observed), ratio, ratio_low, ratio_high, p (of so many or more: `comparison.deny`).
    """
    stated = (
        figures.filter(pl.col("eta").is_not_null())
        .select("part", "mode", "beta", "eta", claimant="maker")
        .with_row_index("figure")
        .with_columns(pl.col("figure").cast(pl.Int64))
    )
    lives = (
        stated.select("figure", "part", "claimant", wanted="mode")
        .join(rows, on="part")
        .filter(pl.col("claimant").is_null() | (pl.col("claimant") == pl.col("maker")))
        .select("figure", "entry", "age", "count", **of_mode("wanted"))
        .sort("figure", "event", "entry", "age", "age_to")
    )
    data = life_rows(lives, "figure", len(stated))
    expected = data.sums(comparison.expected(data, stated["beta"].to_numpy(), stated["eta"].to_numpy()))
    found = comparison.deny(data.sums(comparison.failures(data)), expected, level)
    figures_of = ("observed", "expected", "ratio", "ratio_low", "ratio_high", "p")
    return stated.with_columns(pl.Series(name, getattr(found, name)) for name in figures_of)


def _denied(
    rows: pl.DataFrame, figures: pl.DataFrame, units: pl.DataFrame, mission: float, level: float
) -> pl.DataFrame:
    """Declared distributions that the field denies, with what they lose."""
    stated = against_field(rows, figures.join(units.select("part").unique(), on="part", how="semi"), level)
    per_product = (
        stated.join(units, on="part")
        .filter(pl.col("claimant").is_null() | (pl.col("claimant") == pl.col("maker")))
        .group_by("figure")
        .agg(hazard=(pl.col("units") * (pl.col("factor") * mission / pl.col("eta")) ** pl.col("beta")).sum())
    )
    hazard = pl.col("hazard").fill_null(0.0)
    return (
        stated.join(per_product, on="figure", how="left", maintain_order="left")
        .filter((pl.col("p") < DENIED) & (pl.col("expected") > 0) & (hazard > 0))
        .select(
            "part",
            "mode",
            "beta",
            "eta",
            "observed",
            "expected",
            "ratio",
            "ratio_low",
            "ratio_high",
            "p",
            maker="claimant",
            loss=hazard * (pl.col("ratio") - 1),
            loss_low=hazard * (pl.col("ratio_low") - 1).clip(lower_bound=0.0),
            loss_high=hazard * (pl.col("ratio_high") - 1),
        )
        .sort("loss_low", "p", "part", "maker", descending=[True, False, False, False])
    )


__all__ = ["DENIED", "FALSE_SHARE", "WeakGroups", "against_field", "weak_groups"]
