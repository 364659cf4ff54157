"""Parts without evidence: what each would contribute if it failed like the known parts of its class."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

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
    "每台用量 {units}。",
    "Loss at the median of its class: {known} known parts of class {name} fail {median} times a unit over {mission} "
    "({low} to {high}); quantity in one product: {units}.",
)
ALL = Text(
    "同类没有已知件，按全部已知件的中位数计：{known} 种，任务 {mission} 内每件 {median} 次（{low}～{high}）；"
    "每台用量 {units}。",
    "No part of its class is known. Loss at the median of all {known} known parts: {median} times a unit over "
    "{mission} ({low} to {high}); quantity in one product: {units}.",
)
SOMEBODY = Text("制造商", "its makers")
"""Whom to ask where no single maker is known."""
STEPS = (
    ("ask_data", Text("请 {maker} 提供寿命数据或声明值。", "Ask {maker} for life data or a declared value.")),
    (
        "test",
        Text("安排寿命试验，或从现场记录中补报该件。", "Plan a life test, or report the part from field records."),
    ),
)


MOST = 1000
"""Rows at most: the rest would lose less than these."""


def unknown_links(
    evidence: Evidence,
    parts: pl.DataFrame,
    units: pl.DataFrame,
    unknown: set[str],
    names: Names,
    mission: float,
    mission_text: str,
) -> list[WeakLink]:
    """Rows for the units of `unknown` parts of whose make nothing is known, largest loss first, at most `MOST`.

    `parts` has key, part_class and age_unit; `units` part, maker, factor, units (of one product).
    """
    states = evidence.fits.select("part", "maker").unique()
    bare = (
        units.filter(pl.col("part").is_in(sorted(unknown)))
        .join(states, on=["part", "maker"], how="anti", nulls_equal=True)
        .join(states.filter(pl.col("maker").is_null()).select("part"), on="part", how="anti")
        .join(_classes(parts), on="part", how="left")
        .sort("part", "maker", "factor")
    )
    found = (
        class_rates(evidence, parts, bare, mission)
        .group_by("part", "name", "own", "known", maintain_order=True)
        .agg(
            pl.col("units").sum(),
            maker=pl.when(pl.col("maker").n_unique() == 1).then(pl.col("maker").first()),
            **{name: (pl.col(name) * pl.col("units")).sum() for name in ("low", "median", "high")},
        )
        .sort(pl.col("known") > 0, "median", "part", descending=[True, True, False])
        .head(MOST)
    )
    return [_link(row, names, mission_text) for row in found.iter_rows(named=True)]


def class_rates(evidence: Evidence, parts: pl.DataFrame, bare: pl.DataFrame, mission: float) -> pl.DataFrame:
    """`bare` (name, unit, factor, ...) with the rate of each row's class: low, median, high, known, own.

    The rate is the median over the known parts of the class of H(factor x mission) of one unit, each part's makers
    averaged; low and high are the 5 % and the 95 % point, and `known` counts those parts. Parts in another age unit are
    not compared; a class of which nothing is known takes all parts (`own` false), and rates are 0 where there are none.
    """
    numbered = evidence.fits.select("part", "maker").with_row_index("row")
    fits = numbered.join(_classes(parts), on="part", how="left", maintain_order="left")
    bare = bare.join(fits.select("name", "unit", own=pl.lit(value=True)).unique(), on=["name", "unit"], how="left")
    bare = bare.with_columns(pl.col("own").fill_null(value=False), of=pl.when("own").then("name"))
    rates = []
    for (unit, of), rows in bare.group_by("unit", "of"):
        used = fits.filter(pl.col("unit") == pl.lit(unit))
        used = used if of is None else used.filter(pl.col("name") == pl.lit(of))
        factor = rows["factor"].unique().sort()
        ends = np.zeros((3, len(factor)))
        if len(used):
            h = evidence.hazards.at(used["row"].to_numpy()[:, None], factor.to_numpy() * mission)
            ends = np.quantile(_by_part(used, h), [0.05, 0.5, 0.95], axis=0)
        columns = dict(zip(("low", "median", "high"), ends, strict=True))
        count = used["part"].n_unique()
        rates.append(
            pl.DataFrame({"factor": factor, **columns}).with_columns(
                unit=pl.lit(unit, pl.String), of=pl.lit(of, pl.String), known=pl.lit(count, pl.Int64)
            )
        )
    empty = dict.fromkeys(("factor", "low", "median", "high"), pl.Float64)
    table = pl.concat(rates) if rates else pl.DataFrame(
        schema={**empty, "unit": pl.String, "of": pl.String, "known": pl.Int64}
    )  # fmt: skip
    return bare.join(table, on=["unit", "of", "factor"], how="left", nulls_equal=True, maintain_order="left")


def _by_part(fits: pl.DataFrame, h: NDArray[np.float64]) -> NDArray[np.float64]:
    """H of each part (parts, ages), from that of its modes (fits, ages): modes added, makers averaged."""
    code = fits.select(
        state=pl.struct("part", "maker").rank("dense") - 1, part=pl.col("part").rank("dense").cast(pl.Int64) - 1
    )
    state, part = code["state"].cast(pl.Int64).to_numpy(), code["part"].to_numpy()
    of_state = np.zeros((int(state.max()) + 1, h.shape[1]))
    np.add.at(of_state, state, h)
    part_of = np.zeros(len(of_state), np.int64)
    part_of[state] = part
    of_part = np.zeros((int(part.max()) + 1, h.shape[1]))
    np.add.at(of_part, part_of, of_state)
    mean: NDArray[np.float64] = of_part / np.bincount(part_of)[:, None]
    return mean


def _classes(parts: pl.DataFrame) -> pl.DataFrame:
    """Class and age unit of each part: part, name, unit."""
    return parts.select(part="key", name="part_class", unit=pl.col("age_unit").fill_null("h"))


def _link(row: dict[str, Any], names: Names, mission_text: str) -> WeakLink:
    reasons = [Reason(code="no_evidence", text=NOTHING)]
    loss = Estimate(value=None, low=None, high=None, unit=FAILURES)
    if row["known"]:
        loss = Estimate(value=row["median"], low=row["low"], high=row["high"], unit=FAILURES)
        text = filled(
            CLASS if row["own"] else ALL,
            name=row["name"] or "",
            known=str(row["known"]),
            mission=mission_text,
            units=number(row["units"]),
            **{name: number(row[name] / row["units"]) for name in ("median", "low", "high")},
        )
        reasons.append(Reason(code="rate_of_class" if row["own"] else "rate_of_all", text=text))
    maker = SOMEBODY if row["maker"] is None else names.maker(row["maker"])
    steps = tuple(Reason(code=code, text=filled(text, maker=maker)) for code, text in STEPS)
    return WeakLink(
        rank=0,
        kind="evidence",
        group="unknown",
        part=row["part"],
        maker=row["maker"],
        label=names.part(row["part"]),
        loss=loss,
        reasons=tuple(reasons),
        explanation=Explanation(part=row["part"], next_steps=steps),
    )
