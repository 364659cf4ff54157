"""Parts without evidence: what each would contribute if it failed like the known parts of its class."""

import numpy as np
import polars as pl

from analytics.core import Estimate, Reason
from analytics.evidence import Evidence
from analytics.findings import Explanation, WeakLink, number
from analytics.names import Names, filled
from analytics.weak_field import FAILURES
from schema import Text

NOTHING = Text(
    "没有寿命数据，也没有供方声明值：产品的可靠性只是上界。",
    "No life data and no declared value: the product's reliability is an upper bound only.",
)
CLASS = Text(
    "损失按同类已知件的中位数计：类别“{name}”{known} 种，任务 {mission} 内每件 {median} 次（{low}～{high}）；"
    "每台 {units} 件。",
    "Loss at the median of its class: {known} known parts of class {name} fail {median} times a unit over {mission} "
    "({low} to {high}); {units} units in one product.",
)
ALL = Text(
    "同类没有已知件，按全部已知件的中位数计：{known} 种，任务 {mission} 内每件 {median} 次（{low}～{high}）；"
    "每台 {units} 件。",
    "No part of its class is known. Loss at the median of all {known} known parts: {median} times a unit over "
    "{mission} ({low} to {high}); {units} units in one product.",
)
STEPS = (
    ("ask_data", Text("请 {maker} 提供寿命数据或声明值。", "Ask {maker} for life data or a declared value.")),
    (
        "test",
        Text("安排寿命试验，或从现场记录中补报该件。", "Plan a life test, or report the part from field records."),
    ),
)


def unknown_links(
    evidence: Evidence,
    parts: pl.DataFrame,
    units: pl.DataFrame,
    unknown: set[str],
    names: Names,
    product: str,
    mission: float,
    mission_text: str,
) -> list[WeakLink]:
    """Rows for the units of `unknown` parts of whose make nothing is known, largest loss first.

    `parts` has key, part_class and age_unit; `units` part, maker, factor, units (of one product). The class's rate is
    the median over its known parts of H(factor x mission) of one unit, each part's makers averaged; the interval goes
    from the 5 % to the 95 % point. Parts in another age unit are not compared; a class of which nothing is known takes
    all parts.
    """
    classes = parts.select(part="key", name="part_class", unit=pl.col("age_unit").fill_null("h"))
    numbered = evidence.fits.select("part", "maker").with_row_index("row")
    known = numbered.join(classes, on="part", how="left", maintain_order="left")
    states = evidence.fits.select("part", "maker").unique()
    general = states.filter(pl.col("maker").is_null()).select("part")
    bare = (
        units.filter(pl.col("part").is_in(sorted(unknown)))
        .join(states, on=["part", "maker"], how="anti", nulls_equal=True)
        .join(general, on="part", how="anti")
        .join(
            parts.select(part="key", name="part_class", unit=pl.col("age_unit").fill_null("h")), on="part", how="left"
        )
        .sort("part", "maker", "factor")
    )
    links: list[WeakLink] = []
    for (part,), rows in bare.group_by("part", maintain_order=True):
        first = rows.row(0, named=True)
        alike = known.filter(pl.col("unit") == first["unit"])
        of_class = alike.filter(pl.col("name") == pl.lit(first["name"], pl.String))
        used = alike if of_class.is_empty() else of_class
        ages = rows["factor"].to_numpy() * mission
        count = rows["units"].to_numpy()
        h = (evidence.hazards.at(used["row"].to_numpy()[:, None], ages) * count).sum(axis=1)
        each = (
            used.with_columns(h=pl.Series(h))
            .group_by("part", "maker")
            .agg(pl.col("h").sum())
            .group_by("part")
            .agg(pl.col("h").mean())["h"]
            .to_numpy()
        )
        total, reasons = float(count.sum()), [Reason(code="no_evidence", text=NOTHING)]
        loss = Estimate(value=None, low=None, high=None, unit=FAILURES)
        if len(each):
            low, median, high = np.quantile(each, [0.05, 0.5, 0.95]).tolist()
            loss = Estimate(value=median, low=low, high=high, unit=FAILURES)
            text = filled(
                ALL if of_class.is_empty() else CLASS,
                name=first["name"] or "",
                known=str(len(each)),
                mission=mission_text,
                units=number(total),
                median=number(median / total),
                low=number(low / total),
                high=number(high / total),
            )
            reasons.append(Reason(code="rate_of_all" if of_class.is_empty() else "rate_of_class", text=text))
        maker = rows["maker"][0] if rows["maker"].n_unique() == 1 else None
        steps = tuple(Reason(code=code, text=filled(text, maker=names.maker(maker))) for code, text in STEPS)
        links.append(
            WeakLink(
                rank=0,
                kind="evidence",
                group="unknown",
                part=str(part),
                maker=maker,
                label=names.part(str(part)),
                loss=loss,
                reasons=tuple(reasons),
                explanation=Explanation(part=str(part), places=names.places(product, str(part)), next_steps=steps),
            )
        )
    return sorted(links, key=lambda link: (-(link.loss.value or 0.0), link.part or ""))
