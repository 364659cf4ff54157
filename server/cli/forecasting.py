"""`forecast`: returns over the coming months and spare parts, of a file of lives or of a part in the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schema.text import Text
from server.cli import output
from server.cli.command import command, option
from server.cli.demo import mark
from server.cli.fitting import DISTRIBUTIONS
from server.cli.records import level_option, of_file, one_source, picture_option, source
from server.cli.session import Session

if TYPE_CHECKING:
    import polars as pl

    from analytics.core import Reason
    from analytics.life.draws import Lives
    from analytics.life.forecast import Fleet
    from analytics.life.plots import Picture
    from analytics.life.rows import LifeRows
    from analytics.outlook import ForecastMonth

REGULAR = 2
"""Parameters are drawn by the likelihood of distributions with so many at most: with more it may have no end."""


@command(
    "forecast",
    zh=(
        "预测今后各月的返修（索赔）数及预测区间，以及需要多少备件：依据寿命数据文件 FILE，或存储中的零部件。\n\n"
        "文件中的在用件（删失）即为仍可能失效的产品，也可用 --fleet 另行给出。"
    ),
    en=(
        "Returns over the coming months with prediction intervals, and how many spare parts: from a FILE of lives, "
        "or for a part in the store.\n\n"
        "The units that FILE says are alive are those at risk, unless --fleet gives others."
    ),
    params=[
        *source(),
        option("--mode", zh="只计该失效模式。", en="Only failures of this mode.", metavar="MODE"),
        option(
            "--months", zh="预测几个月。", en="How many months to come.", type=click.IntRange(1, 120), default=12,
            show_default=True, metavar="N",
        ),
        option(
            "--use-per-month", zh="每月使用量，以寿命单位计；缺省取自发货记录，或由带日期的数据推算。", metavar="USE",
            en="Units of age gathered in a month; else as shipments or dated records say.",
            type=click.FloatRange(0, min_open=True),
        ),
        option(
            "--warranty-months", zh="只计投用后这些个月内的失效。", en="Only failures within so many months in use.",
            type=click.FloatRange(0, min_open=True), metavar="N",
        ),
        option(
            "--warranty-age", zh="只计到该寿命为止的失效。", en="Only failures up to this age.",
            type=click.FloatRange(0, min_open=True), metavar="AGE",
        ),
        option(
            "--as-of", zh="从该日算起；缺省为最后一条数据的日期。仅用于 --part。", metavar="DATE",
            en="Day from which on; else that of the last record. With --part.",
        ),
        option(
            "--fleet", zh="在用产品：列 age、count、use_per_month、start（几个月后投用）。", metavar="FLEET.csv",
            en="The units in use: columns age, count, use_per_month, start (months until they come into use).",
            type=click.Path(path_type=Path),
        ),
        option(
            "--distribution", zh="文件所拟合的分布；best 按 AICc 选取。", metavar="NAME", default="weibull",
            en="Distribution fitted to the file; the one of lowest AICc for best.", show_default=True,
            type=click.Choice(DISTRIBUTIONS),
        ),
        option("--renewed", zh="更换件的失效也计入。", en="Count the failures of replacements, too.", is_flag=True),
        option(
            "--stock-probability", zh="备件够用的概率。", en="Probability not to run short of spare parts.",
            type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95, show_default=True, metavar="P",
        ),
        option(
            "--repair-months", zh="失效件修复返库所需的月数：列出各库存量的满足率与缺货数。", metavar="N",
            en="Months until a failed unit is repaired and back on the shelf: tells what stocks do.",
            type=click.FloatRange(0, min_open=True),
        ),
        level_option(),
        picture_option(),
    ],
    reads=True,
)  # fmt: skip
def forecast(session: Session, file: Path | None, part: str | None, picture: Path | None, **given: Any) -> None:
    """Status 1 when rows of the file were refused, also though the rest is forecast."""
    one_source(session, file, part, picture)
    for name, with_part in (("as_of", True), ("fleet", False)):
        if given[name] is not None and with_part == (part is None):
            only = Text(
                *(("仅用于 --part。", "It goes with --part.") if with_part else ("仅用于 FILE。", "It goes with FILE."))
            )
            raise click.BadParameter(session.say(only), param_hint=f"--{name.replace('_', '-')}")
    if part is not None:
        _of_part(session, part, picture, given)
    elif file is not None:
        _of_file(session, file, picture, given)


def _of_part(session: Session, part: str, picture: Path | None, given: dict[str, Any]) -> None:
    """By the analysis of the same kind."""
    from pydantic import ValidationError

    from analytics import run
    from analytics.forecast import ReturnsForecastParameters

    asked = {k: v for k, v in given.items() if k not in {"fleet", "distribution"} and v is not None}
    try:
        parameters = ReturnsForecastParameters(part=part, **asked)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"--{str(first['loc'][0]).replace('_', '-')}"
        raise click.BadParameter(first["msg"].removeprefix("Value error, "), param_hint=where) from None
    with session.view() as view:
        found = run("returns_forecast", view, parameters)
        mark(session, view)
    _answer(session, found.payload(session.locale), found.rows(session.locale), found.warnings)
    _draw(session, picture, found.plot)


def _of_file(session: Session, file: Path, picture: Path | None, given: dict[str, Any]) -> None:
    """By the records of a file; the fleet is what it says is alive, or another file."""
    from analytics import outlook
    from analytics.life.forecast import forecast as forecasted
    from analytics.life.frames import grouped
    from analytics.life.rows import exits
    from chaingraph import ChaingraphError

    found = of_file(session, file, given["maker"], given["mode"], [])
    data, _ = grouped(found.rows)
    lives, model, warnings = _lives(data, given["distribution"])
    fleet, wrong = _fleet(session, found.rows, found.unit, given)
    refused = found.refused + wrong
    covered = _covered(fleet, given["warranty_months"], given["warranty_age"])
    warnings = [*found.warnings, *warnings]
    months: tuple[ForecastMonth, ...] = ()
    spares = drawing = None
    if len(fleet.age):
        made = forecasted(covered, lives, given["months"], given["level"], renewed=given["renewed"])
        again = forecasted(fleet, lives, given["months"], given["level"], renewed=True)
        months = outlook.months_of(made)
        spares = outlook.spare_parts(again, given["stock_probability"], given["repair_months"])
        drawing = outlook.picture(made, Text(file.name, file.name))
        oldest = float(exits(data).max(initial=0.0)) or float("inf")
        reached = float(covered.ages(given["months"]).max())
        warnings += outlook.doubts([model["kind"]], model["failures"], oldest, reached)
    else:
        warnings.append(outlook.reason("no_fleet"))
    payload = {
        "months": [month.payload() for month in months],
        "total": outlook.named(months[-1].cumulative) if months else dict.fromkeys(("expected", "low", "high")),
        "spares": spares.payload() if spares else None,
        "level": given["level"],
        "units": float(fleet.count.sum()),
        "model": model,
        "warnings": [each.payload(session.locale) for each in warnings],
    }
    _answer(session, payload, outlook.month_rows(months, session.locale), warnings)
    _draw(session, picture, drawing)
    if refused:
        raise ChaingraphError(
            "forecast.refused",
            Text(f"拒收 {refused} 处；其余已计入。", f"Places refused: {refused}; all else is in it."),
            Text("请更正后重新运行。", "Correct them and run it again."),
        )


def _lives(data: LifeRows, distribution: str) -> tuple[Lives, dict[str, Any], list[Reason]]:
    """The life model of the records, what it is, and what is to be said of it.

    Where they do not support the distribution: a Weibull one, else a constant rate with its exact bounds, or without a
    failure its bound.
    """
    import numpy as np
    from scipy.stats import chi2

    from analytics.core import Reason, digits
    from analytics.evidence import CODES, RULE_OF_THREE
    from analytics.hazard import LEVEL, Hazards, Kind
    from analytics.life.choice import choose
    from analytics.life.draws import lives
    from analytics.life.families import DISTRIBUTIONS
    from analytics.life.fitting import fit, log_likelihood
    from analytics.life.rows import exposed
    from analytics.uncertain import models

    if distribution == "best":
        choice = choose(data)
        found = choice.fits[max(int(choice.best[0]), 0)]
    else:
        found = fit(DISTRIBUTIONS[distribution], data)
    said = []
    if not found.fitted[0] and found.distribution.name != "weibull":
        found = fit(DISTRIBUTIONS["weibull"], data)
        said.append(Reason(code="no_maximum", text=CODES["no_maximum"]))
    of, failures = found.distribution, float(found.failures[0])
    if found.fitted[0]:
        p = {each.name: digits(float(v)) for each, v in zip(of.parameters, found.parameters[:, 0], strict=True)}
        told = {"distribution": of.name, "kind": "fitted", "failures": failures, "parameters": p}
        regular = len(of.parameters) <= REGULAR
        return lives(found, likelihood=(lambda at: log_likelihood(of, data, at)) if regular else None), told, said
    (exposure,), (oldest,) = exposed(data, np.ones(1))
    total, tail = float(exposure * oldest), (1 - LEVEL) / 2
    if failures and total > 0:
        hazards = Hazards.of(
            1.0, total / failures, Kind.FEW,
            low_factor=chi2.ppf(tail, 2 * failures) / (2 * failures),
            high_factor=chi2.ppf(1 - tail, 2 * failures + 2) / (2 * failures),
        )  # fmt: skip
    else:
        bound = RULE_OF_THREE / total if total > 0 else np.nan
        hazards = Hazards.of(1.0, np.inf if total > 0 else np.nan, Kind.BOUNDED, bound_rate=bound)
    kind = "few" if failures and total > 0 else "bounded"
    rate = {"rate": digits(failures / total) if total > 0 else None}
    told = {"distribution": "exponential", "kind": kind, "failures": failures, "parameters": rate}
    said.append(Reason(code="shape_assumed", text=CODES["shape_assumed"]))
    return models(hazards, [np.array([True])]), told, said


def _fleet(session: Session, rows: pl.DataFrame, unit: str | None, given: dict[str, Any]) -> tuple[Fleet, int]:
    """The units at risk: those of the file `--fleet`, else those that the records say are alive; and how many places
    of that file were refused.
    """
    import polars as pl

    from analytics import at_risk
    from analytics.life.forecast import Fleet
    from analytics.life.rows import Event

    extra, refused = {}, 0
    if given["fleet"] is not None:
        listed = of_file(session, given["fleet"], None, None, [])
        rows, refused = listed.rows, listed.refused
        there = [name for name in ("use_per_month", "start") if name in rows.columns]
        extra = {name: _numbers(rows[name], given["fleet"], above=name == "use_per_month") for name in there}
    else:
        rows = rows.filter(pl.col("event") == int(Event.SUSPENSION))
    dated = {"started_on", "observed_on"} <= set(rows.columns)
    use = extra.get("use_per_month", pl.Series([None], dtype=pl.Float64))
    general = given["use_per_month"] or (1.0 if unit == "months" else None)
    if general is None and dated:
        plain = rows.with_columns(maker=pl.lit(None, pl.String), product=pl.lit(None, pl.String))
        none = pl.DataFrame(schema={"usage_per_month": pl.Float64, "quantity": pl.Int64, "maker": pl.String})
        found = at_risk.uses(plain, none, unit or "h", None)
        general = float(found["use"][0]) if found.height else None
    use = use if general is None else use.fill_null(general)
    if rows.height and use.null_count():
        wrong = Text(
            "请用 --use-per-month 给出每月使用量。", "Give what a unit gathers in a month with --use-per-month."
        )
        raise click.UsageError(session.say(wrong))
    count = rows["count"].cast(pl.Float64).to_numpy()
    start = extra["start"].fill_null(0.0).to_numpy() if "start" in extra else 0.0
    return Fleet.of(rows["age"].to_numpy(), count, use.to_numpy(), 0, 1, start=start), refused


def _numbers(cells: pl.Series, file: Path, *, above: bool) -> pl.Series:
    """A column of a fleet as numbers above 0, or not below 0; empty ones stay so."""
    import polars as pl

    from chaingraph import ChaingraphError

    found = cells.cast(pl.String).str.strip_chars().replace("", None)
    numbers = found.cast(pl.Float64, strict=False)
    wrong = found.is_not_null() & ~((numbers > 0) if above else (numbers >= 0)).fill_null(value=False)
    wrong |= ~numbers.is_finite().fill_null(value=True)
    if wrong.any():
        cell, name = found.filter(wrong)[0], cells.name
        raise ChaingraphError(
            "forecast.fleet",
            Text(f"{file.name}：{name} 列中的 {cell} 不可用。", f"{file.name}: {cell} in the column {name} cannot be."),
            Text("请填写大于 0 的数。", "Give numbers above 0.")
            if above
            else Text("请填写不小于 0 的数。", "Give numbers that are not below 0."),
        )
    return numbers


def _covered(fleet: Fleet, months: float | None, age: float | None) -> Fleet:
    """The fleet under a warranty; a unit has been in use for its age over its use per month."""
    from dataclasses import replace

    import numpy as np

    left = np.inf if months is None else np.maximum(months - fleet.age / fleet.use, 0.0)
    return replace(
        fleet,
        cover_months=np.broadcast_to(left, fleet.age.shape),
        cover_age=np.full(fleet.age.shape, np.inf if age is None else age),
    )


def _answer(
    session: Session, payload: dict[str, Any], table: tuple[list[str], list[list[Any]]], warnings: Sequence[Reason]
) -> None:
    """The answer; as a table with the spare parts and warnings below it."""
    session.answer(payload, *table)
    if session.format != "table":
        return
    spares = payload["spares"]
    if spares and spares["stock"] is not None:
        chance = f"{100 * spares['probability']:g} %"
        output.line(
            session.say(
                Text(
                    f"备件：{spares['stock']:.0f} 件，够用的概率 {chance}（含更换件，预期 {spares['expected']:.1f}）。",
                    f"Spare parts: {spares['stock']:.0f} are enough with probability {chance} "
                    f"(expected need {spares['expected']:.1f}, failures of replacements included).",
                )
            )
        )
    for each in warnings:
        session.note(each.text)


def _draw(session: Session, to: Path | None, drawing: Picture | None) -> None:
    if to is None or drawing is None:
        return
    from server.cli.pictures import svg

    to.write_text(svg(drawing, session.locale), encoding="utf-8")
    session.note(Text(f"图：{to}", f"Picture: {to}"))
