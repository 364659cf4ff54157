"""Do makers, lots, regions or versions of a part live alike? Tests between groups of its records."""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import Field

from analytics.compared import DeclaredCheck, LifeComparison, compared, estimate
from analytics.core import Parameters, analysis
from analytics.hazard import LEVEL
from analytics.labels import called
from analytics.life_model import mode_of, records
from analytics.model import model
from analytics.weak_groups import DENIED, against_field
from chaingraph import naming
from chaingraph.view import View
from schema import Text

By = Literal["maker", "lot", "region", "version", "product"]
KINDS = {"maker": "organisation", "lot": "lot", "product": "part"}
"""Columns whose values are keys of things."""


class ComparisonParameters(Parameters):
    """Which part, of whom, failing how; and what to compare."""

    part: str = Field(description="Number of the part, or ISSUER/NUMBER.")
    by: By = Field("maker", description="What makes the groups that are compared.")
    maker: str | None = Field(None, description="Made by this organisation; all makers where not given.")
    mode: str | None = Field(None, description="Failing in this mode, others being suspensions; any where not given.")
    against: str | None = Field(None, description="Compare every group with this one, in place of with all others.")
    level: float = Field(LEVEL, gt=0, lt=1, description="Two-sided confidence of the intervals.")


@analysis(
    "life_comparison",
    zh="比较零部件各组的寿命",
    en="Do makers, lots or regions of a part live alike",
    subject="part",
    parameters=ComparisonParameters,
    result=LifeComparison,
)
def life_comparison(view: View, asked: ComparisonParameters) -> LifeComparison:
    """Tests whether makers, lots, regions, versions or products of a part live alike, from the records one may see.

    The log-rank test compares failures seen with those to be expected at equal ages, whatever the distribution; so do
    likelihood ratios of Weibull distributions (all the same; the same shape) and of constant rates. Each group's own p
    is its log-rank test against all others, or against the one asked for, as it is and corrected for many groups by
    Holm and by Benjamini and Hochberg. Sources are in `analytics.life.contrast`. Declared values stand beside: the
    chance of so many failures if they are true.
    """
    known = model(view)
    part = known.parts([naming.part(view, asked.part)])[0]
    maker = None if asked.maker is None else known.maker(naming.organisation(view, asked.maker))
    mode = None if asked.mode is None else mode_of(view, part, asked.mode)
    rows, unit, warnings = records(known, part, maker, mode)

    def label(value: str) -> Text:
        kind = KINDS.get(asked.by)
        return Text(value, value) if kind is None else called(view, kind, value)

    found = compared(rows, asked.by, label, asked.against, asked.level, unit)
    figures = known.evidence.figures.filter(pl.col("part") == part)
    if maker is not None:
        figures = figures.filter(pl.col("maker").is_null() | (pl.col("maker") == maker))
    if mode is not None:
        figures = figures.filter(pl.col("mode").is_null() | (pl.col("mode") == mode))
    counted = known.evidence.records.rows
    if maker is not None:
        counted = counted.filter(pl.col("maker") == maker)
    checked = against_field(counted, figures, asked.level).sort("claimant", "mode", nulls_last=True)
    return found.model_copy(
        update={
            "declared": tuple(
                DeclaredCheck(
                    maker=row["claimant"],
                    mode=row["mode"],
                    label=called(view, "organisation", row["claimant"]),
                    observed=row["observed"],
                    expected=row["expected"],
                    ratio=estimate(row["ratio"], row["ratio_low"], row["ratio_high"], asked.level),
                    p=row["p"],
                    denied=row["p"] < DENIED,
                )
                for row in checked.iter_rows(named=True)
                if row["expected"] > 0
            ),
            "warnings": (*warnings, *found.warnings),
        }
    )
