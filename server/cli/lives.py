"""A file of lives in any shape as life records: what `ingest` understands, put through the arithmetic of `analytics`.

`read` is what a command that takes a FILE of lives calls. The two packages know nothing of each other, so this is the
place where they meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from analytics.life import acceleration, returns, totals
from analytics.records import UNIT, latest
from ingest.lives import Lives
from ingest.report import Finding, Report
from ingest.shape_sheets import BY, STRESSES
from ingest.shapes import Shape, Shaped, month_name
from ingest.shapes import read as read_shaped
from schema import KINDS
from schema.text import Text

LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class How:
    """What to make of months and of tests.

    `ages` is how months in service are ages (`analytics.life.returns.Ages`); `usage` is what a unit gathers in a
    month, in `unit`: without it ages are months. `factor` takes the acceleration factor as estimated, or the low end of
    its interval at LEVEL.
    """

    ages: returns.Ages = "interval"
    usage: float | None = None
    unit: str | None = None
    factor: Literal["value", "low"] = "value"


def read(
    path: Path,
    *,
    shape: Shape | None = None,
    population: Path | None = None,
    until: int | None = None,
    how: How | None = None,
) -> Lives:
    """The life records of a file, whatever its shape; as `ingest.lives.read`, with the arithmetic of the other shapes.

    The arguments but `how` are those of `ingest.shapes.read`. Raises ChaingraphError where there is nothing to read.
    """
    found = read_shaped(path, shape=shape, population=population, until=until)
    convert: dict[str, Callable[[Shaped, str, How], Lives]] = {
        "returns": _cohorts, "claims": _cohorts, "totals": _totals, "test": _tests,
    }  # fmt: skip
    made = convert.get(found.shape, _records)(found, path.name, how or How())
    order = [name for name in ("row", *KINDS["life_record"].fields) if name in made.frame.columns]
    rest = [name for name in made.frame.columns if name not in order]
    return replace(made, frame=made.frame.select(*order, *rest))


def _records(found: Shaped, file: str, how: How) -> Lives:  # noqa: ARG001  # one signature for all shapes
    """Life records, counted as those in the graph are: each unit once, failures that count."""
    frame, findings = found.frame, list(found.findings)
    if "relevant" in frame.columns:
        apart = (~pl.col("relevant") & (pl.col("event") != "suspension")).fill_null(value=False)
        if number := frame.filter(apart).height:
            frame = frame.with_columns(
                event=pl.when(apart).then(pl.lit("suspension")).otherwise("event"),
                age_to=pl.when(~apart).then("age_to"),
            )
            findings.append(_info("lives.not_relevant", file, f"{number} 行非关联失效按在用计。",
                                  f"{number} failures that do not count are taken as alive."))  # fmt: skip
    if "serial" in frame.columns:
        missing = [pl.lit(None, KINDS["life_record"].fields[name].dtype).alias(name)
                   for name in (*UNIT, "observed_on") if name not in frame.columns]  # fmt: skip
        once = latest(frame.with_columns(missing)).select(frame.columns)
        if number := frame.height - once.height:
            findings.append(_info("lives.superseded", file, f"{number} 行为同一个体较早的读数，未计入。",
                                  f"{number} rows are earlier readings of units seen later."))  # fmt: skip
            frame = once
    return Lives(frame, tuple(findings), found.shape)


def _cohorts(found: Shaped, file: str, how: How) -> Lives:
    """Returns and claims, the delay of reports estimated where they tell of it."""
    assert found.end is not None
    sold, by = _population(found)
    findings, share, late = list(found.findings), None, found.frame.clear()
    if lost := [name for name in BY if name in found.frame.columns and name not in by]:
        names = ", ".join(lost)
        findings.append(Finding(
            "warning", "lives.not_split",
            Text(f"售出数量没有按 {names} 划分，寿命数据也不划分。",
                 f"What was sold is not told by {names}: the life records are not, either."),
            Text("请在发货数据中补充该列。", "Add the column to what was shipped."), file,
        ))  # fmt: skip
    if "delay" in found.frame.columns:
        late = found.frame.filter(pl.col("delay").is_not_null())
    if late.height:
        delay, available, count = (late[name].to_numpy() for name in ("delay", "available", "count"))
        share = returns.delays(delay, available, count).share[0]
        within = [f"{share[min(d, len(share) - 1)]:.0%}" for d in (0, 1, 3)]
        findings.append(_info(
            "lives.delays", file,
            f"失效当月报告的占 {within[0]}，一个月内 {within[1]}，三个月内 {within[2]}；未报告的已计入。",
            f"Reported in the month of failure {within[0]}, within one month {within[1]}, within three {within[2]}; "
            "what is not reported yet is allowed for.",
        ))  # fmt: skip
    also = [name for name in ("mode",) if name in found.frame.columns]
    made = returns.life_records(sold, found.frame, found.end, by, also=also, share=share, ages=how.ages)
    rows = sold.group_by(*by, "month").agg(pl.col("row").min())
    if made.unseen:
        number = f"{made.unseen:.0f}"
        findings.append(_info("lives.unseen", file, f"{number} 台售出太晚，尚看不到失效。",
                              f"{number} units were sold too late for a failure to be known by now."))  # fmt: skip
    findings += _oversold(made.refused, rows, file, by)
    unit = (how.unit or "h") if how.usage else "months"
    scale = how.usage or 1.0
    frame = made.records.join(rows, on=[*by, "month"], how="left", nulls_equal=True, maintain_order="left")
    first = pl.date(pl.col("month") // 12, pl.col("month") % 12 + 1, 1)
    return Lives(
        frame.select(
            "row", *by, *also, "event", pl.col("age", "age_to") * scale, pl.col("count").cast(pl.Int64),
            entry=pl.lit(0.0), unit=pl.lit(unit), started_on=first,
        ),
        tuple(findings),
        found.shape,
    )  # fmt: skip


def _population(found: Shaped) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """What was sold, and the columns by which it and the failures are told apart.

    Where the parts sold are none of those that failed, they are the products that these are in. Where what was sold
    names no part, every part that failed had one in each unit sold.
    """
    sold, frame = found.sold, found.frame
    assert sold is not None
    if {"part"} <= set(sold.columns) & set(frame.columns) and sold.join(frame, on="part", how="semi").is_empty():
        sold = sold.drop("product", strict=False).rename({"part": "product"})
    by = [name for name in BY if name in frame.columns and name in sold.columns]
    if "part" in frame.columns and "part" not in by and frame.height:
        sold, by = sold.join(frame.select("part").unique().sort("part"), how="cross"), ["part", *by]
    return sold, tuple(by)


def _oversold(refused: pl.DataFrame, rows: pl.DataFrame, file: str, by: tuple[str, ...]) -> list[Finding]:
    """A finding for each month of which more came back than had been sold."""
    at = refused.join(rows, on=[*by, "month"], how="left", nulls_equal=True, maintain_order="left")
    report = Report()
    months = at["month"].to_list()
    for (sold, failed), group in at.group_by("quantity", "count", maintain_order=True):
        report.add_worded(
            "lives.more_than_sold",
            "error",
            Text(f"售出 {sold} 台，却有 {failed} 台失效；该月未采用。",
                 f"{sold} were sold and {failed} failed: that month was left out."),
            Text("请更正数量，或补充发货数据。", "Correct the numbers, or add what was shipped."),
            group.select("row", value=pl.col("month").replace_strict(months, list(map(month_name, months)))),
            file=file,
            column="quantity",
        )  # fmt: skip
    return report.findings


def _totals(found: Shaped, file: str, how: How) -> Lives:  # noqa: ARG001
    """Totals of periods as records of an exponential life, and what speaks against a constant rate."""
    frame = found.frame.with_columns(
        pl.lit(None, dtype).alias(name)
        for name, dtype in (("units", pl.Int64), ("age", pl.Float64), ("exposure", pl.Float64))
        if name not in found.frame.columns
    )
    whole = pl.col("exposure").is_not_null()
    known = frame.with_columns(
        each=pl.when(whole & (pl.col("units") > 0)).then(pl.col("exposure") / pl.col("units")).otherwise("age")
    )
    rows = known.with_columns(
        units=pl.when(whole & ~(pl.col("units") > 0).fill_null(value=False)).then(None).otherwise("units"),
        age=pl.coalesce("each", "exposure"),
    )
    vast = rows["age"] * rows["units"].fill_null(1)
    by = [name for name in BY if name in frame.columns]
    group = rows.select(_group(by)).to_series().to_numpy().astype(np.int64)
    of = totals.evidence(rows["failures"].to_numpy(), vast.to_numpy(), rows["period"].to_numpy(), group)
    findings = list(found.findings)
    for code, text in totals.CODES.items():
        if number := sum(code in of.codes(g) for g in range(len(of.failures))):
            told = Text(f"{text.zh}（{number} 组）", f"{text.en} (groups: {number})")
            findings.append(Finding("warning", f"lives.{code}", told, Text("", ""), file))
    made = totals.life_rows(rows.drop("each", "exposure", "period"))
    return Lives(made.with_columns(_plain(made)), tuple(findings), found.shape)


def _group(by: Sequence[str]) -> pl.Expr:
    """The number of the group that a row is in."""
    if not by:
        return pl.int_range(pl.len()) * 0
    return pl.concat_str([pl.col(name).fill_null("\0") for name in by], separator="\1").rank("dense") - 1


def _plain(made: pl.DataFrame) -> list[pl.Expr]:
    """The columns that every record has, where they are missing."""
    always = (("entry", pl.lit(0.0)), ("age_to", pl.lit(None, pl.Float64)))
    return [value.alias(name) for name, value in always if name not in made.columns]


def _tests(found: Shaped, file: str, how: How) -> Lives:
    """Tests at stress as records of lives in use."""
    names = [name for stress, (power, _, _) in STRESSES.items() for name in (f"use_{stress}", f"test_{stress}", power)]
    spreads = [f"{power}_se" for power, _, _ in STRESSES.values()]
    frame = found.frame.with_columns(
        pl.lit(None, pl.Float64).alias(name)
        for name in (*names, *spreads, "acceleration_factor")
        if name not in found.frame.columns
    )
    report = Report(findings=list(found.findings))
    terms, good = [], np.ones(frame.height, np.bool_)
    for name, (power, text, _) in STRESSES.items():
        columns = pl.col(f"use_{name}", f"test_{name}", power)
        said, whole = pl.any_horizontal(columns.is_not_null()), pl.all_horizontal(columns.is_not_null())
        wrong = frame.select((pl.col("acceleration_factor").is_null() & said & ~whole).alias("wrong"))["wrong"]
        good &= ~wrong.to_numpy()
        report.add_worded(
            "lives.stress", "error",
            Text(f"{text.zh}的加速需要使用值、试验值和指数。",
                 f"{text.en}: acceleration needs its value in use, in the test, and the exponent."),
            Text("请补齐，或填写加速系数。", "Complete them, or give acceleration_factor."),
            frame.filter(wrong).select("row"), file=file, column=power,
        )  # fmt: skip
        same = {
            f"use_{name}": 1.0,
            f"test_{name}": 1.0,
            power: 0.0,
            f"{power}_se": 0.0,
        }  # what is not said does nothing
        use, test, exponent, se = (frame[column].fill_null(value).to_numpy() for column, value in same.items())
        make = acceleration.arrhenius if name == "temperature" else acceleration.inverse_power
        terms.append(make(use, test, exponent, se))
    found_factor, stated = acceleration.factor(terms, LEVEL), frame["acceleration_factor"].to_numpy()
    value, low, high = (
        np.where(np.isnan(stated), each, stated)[good]
        for each in (found_factor.value, found_factor.low, found_factor.high)
    )
    if good.any():
        zh, en = (f"{value.min():.4g} {to} {value.max():.4g}" for to in ("至", "to"))
        report.add(_info(
            "lives.acceleration", file,
            f"加速系数 {zh}（{LEVEL:.0%} 区间 {low.min():.4g} 至 {high.max():.4g}）。",
            f"Acceleration factors {en} ({LEVEL:.0%} interval {low.min():.4g} to {high.max():.4g}).",
        ))  # fmt: skip
    kept = [name for name in ("row", *BY, "unit") if name in frame.columns]
    tests = frame.filter(pl.Series(good)).select(*kept, "units", "age", "failures")
    made = acceleration.at_use(tests, low if how.factor == "low" else value)
    return Lives(made.with_columns(_plain(made), origin=pl.lit("test")), tuple(report.findings), found.shape)


def _info(code: str, file: str, zh: str, en: str) -> Finding:
    return Finding("info", code, Text(zh, en), Text("", ""), file)
