"""`fit`: life distributions of the groups of a file, or of a part in the store, with intervals and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schema.text import Text
from server.cli import output
from server.cli.command import command, option
from server.cli.progress import steps
from server.cli.records import TAKEN, TOLD, Records, level_option, of_file, of_part, one_source, picture_option, source
from server.cli.session import Session

if TYPE_CHECKING:
    from analytics.life.bounds import LifeFigure
    from analytics.life.pieces import LifeFit
    from analytics.life.rows import LifeRows

DISTRIBUTIONS = (
    "weibull", "weibull3", "exponential", "lognormal", "normal", "gamma", "loglogistic", "gengamma", "gumbel",
    "weibull_mixture", "weibull_lfp", "best",
)  # fmt: skip
BY_RANKS = ("exponential", "weibull", "lognormal", "normal", "loglogistic", "gumbel", "best")
DRAWN = 7
"""Groups that one picture shows: as many as there are colours to tell them apart."""


@command(
    "fit",
    zh=(
        "拟合寿命分布，给出参数、平均寿命、B10 寿命及区间：来自 CSV、XLSX 文件 FILE，或存储中的零部件。\n\n"
        "FILE 只需有 age（寿命）列；event 缺省为失效，count 缺省为 1。按失效模式分组时，其他模式的失效按中止计。"
    ),
    en=(
        "Fit life distributions to the records of FILE (CSV, XLSX), or of a part in the store: parameters, mean life "
        "and B10 life with intervals.\n\n"
        "FILE needs a column age; event is failure where missing, count 1. By mode, failures of other modes are "
        "suspensions."
    ),
    params=[
        *source(),
        option(
            "--mode", zh="只计该失效模式；其他模式按中止计。", metavar="MODE",
            en="Failures of this mode; others are suspensions.",
        ),
        option(
            "--by", zh="按这些列分组，以逗号分隔。", metavar="COLUMN[,COLUMN…]",
            en="Columns to group by, separated by commas, as in maker,lot,mode.",
        ),
        option(
            "--distribution", zh=f"分布：{'、'.join(DISTRIBUTIONS)}（按 AICc 选取）。",
            en=f"Distribution: {', '.join(DISTRIBUTIONS)} (by AICc).",
            type=click.Choice(DISTRIBUTIONS), default="weibull", show_default=True, metavar="NAME",
        ),
        option(
            "--method", zh="极大似然（mle）或秩回归（rr）。", en="Maximum likelihood (mle) or rank regression (rr).",
            type=click.Choice(["mle", "rr"]), default="mle", show_default=True,
        ),
        option(
            "--interval", zh="区间：Wald（wald）或似然比（lr）。", en="Intervals: Wald's or by the likelihood ratio.",
            type=click.Choice(["wald", "lr"]), default="wald", show_default=True,
        ),
        level_option(),
        picture_option(),
        option(
            "--plot", zh="图的种类：概率图、失效率或可靠度。",
            en="Which picture: a probability plot, the hazard rate, or the share surviving.",
            type=click.Choice(["probability", "hazard", "survival"]), default="probability", show_default=True,
        ),
    ],
    reads=True,
)  # fmt: skip
def fit(
    session: Session, file: Path | None, part: str | None, maker: str | None, mode: str | None, by: str | None,
    distribution: str, method: str, interval: str, level: float, picture: Path | None, plot: str,
) -> None:  # fmt: skip
    """Status 1 when rows of the file were refused, also though the rest is fitted."""
    one_source(session, file, part, picture)
    if method == "rr" and distribution not in BY_RANKS:
        wrong = Text(f"秩回归支持：{'、'.join(BY_RANKS)}。", f"Rank regression fits {', '.join(BY_RANKS)}.")
        raise click.BadParameter(session.say(wrong), param_hint="--distribution")
    columns = [each.strip() for each in (by or "").split(",") if each.strip()]
    with steps(session.locale) as shown:
        shown.step(Text("读取", "Reading"))
        found = of_file(session, file, maker, mode, columns) if file else of_part(session, part, maker, mode, columns)
        shown.step(Text("拟合", "Fitting"))
        data, fits = _fitted(found, columns, distribution, method, interval, level)
        if picture is not None:
            shown.step(Text("画图", "Drawing"))
            _draw(session, picture, plot, found, data, fits)
    _answer(session, found, fits)


def _answer(session: Session, found: Records, fits: list[LifeFit]) -> None:
    from analytics.life.report import rows
    from chaingraph import ChaingraphError

    if session.format == "table":
        _tables(session, found, fits)
    else:
        headings, table = rows(fits, session.locale)
        session.answer([each.payload(session.locale) for each in fits], headings, table)
    for warning in found.warnings:
        session.note(warning.text)
    if found.refused:
        raise ChaingraphError(
            "fit.refused",
            Text(f"拒收 {found.refused} 处；其余已拟合。", f"Places refused: {found.refused}; all else was fitted."),
            Text("请更正后重新运行。", "Correct them and run it again."),
        )


def _tables(session: Session, found: Records, fits: list[LifeFit]) -> None:
    """A narrow table: figures with their intervals, and what is to be said of each below it, by its number."""
    unit = f" ({found.unit})" if found.unit else ""
    headings = [
        Text("台数", "Units"), Text("失效", "Failures"), Text("分布", "Distribution"), Text("参数", "Parameters"),
        Text(f"平均寿命{unit}", f"Mean life{unit}"), Text(f"B10 寿命{unit}", f"B10 life{unit}"),
        Text("提示", "Note"),
    ]  # fmt: skip
    remarks: dict[str, int] = {}
    table = []
    for each in fits:
        said = [reason.text.say(session.locale) for reason in each.warnings]
        mean = _interval(each.mean)
        if not each.fitted and each.bound is not None and each.bound.mtbf.low is not None:
            mean = f"≥ {output.shown(each.bound.mtbf.low)}"
            said += [reason.text.say(session.locale) for reason in each.bound.notes]
        table.append(
            [
                *found.called(each, session.locale),
                each.n,
                each.failures,
                each.distribution if each.fitted else None,
                "\n".join(f"{p.name} {_interval(p)}" for p in each.parameters if p.value is not None),
                mean,
                _interval(each.b10),
                [str(remarks.setdefault(text, len(remarks) + 1)) for text in said],
            ]
        )
    labels = [TAKEN[each.name].say(session.locale) if each.name in TAKEN else each.name for each in fits[0].group]
    figures = [[int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in row] for row in table]
    output.table([*labels, *(session.say(each) for each in headings)], figures)
    for text, number in list(remarks.items())[:TOLD]:
        output.line(f"{number}  {text}")
    if (more := len(remarks) - TOLD) > 0:
        output.line(
            session.say(
                Text(f"另有 {more} 条提示；--format json 列出全部。", f"{more} remarks more; --format json has all.")
            )
        )


def _interval(of: LifeFigure) -> str | None:
    """A figure and its interval as people write them, with three significant digits."""

    def shown(value: float | None) -> str:
        return "–" if value is None else output.shown(float(f"{value:.3g}"))

    if of.value is None:
        return None
    if of.low is None and of.high is None:
        return shown(of.value)
    to = " – " if min(of.value, of.low or 0.0) < 0 else "–"
    return f"{shown(of.value)} ({shown(of.low)}{to}{shown(of.high)})"


def _fitted(
    found: Records, by: Sequence[str], distribution: str, method: Any, interval: Any, level: float
) -> tuple[LifeRows, list[LifeFit]]:
    """The groups' records, and a fit of each."""
    from analytics.core import Reason
    from analytics.evidence import CODES
    from analytics.life.frames import grouped
    from analytics.life.report import assess

    data, groups = grouped(found.rows, by)
    labels = groups.to_dicts() if by else [{}]
    fits = assess(
        data, labels, distribution=distribution, method=method, interval=interval, level=level, unit=found.unit
    )
    if "mode" in by:
        pooled = Reason(code="modes_pooled", text=CODES["modes_pooled"])
        fits = [
            each.model_copy(update={"warnings": (*each.warnings, pooled)})
            if each.failures and not label["mode"]
            else each
            for each, label in zip(fits, labels, strict=True)
        ]
    return data, fits


def _draw(session: Session, to: Path, plot: str, found: Records, data: LifeRows, fits: Sequence[LifeFit]) -> None:
    """The groups with most failures in one picture."""
    from analytics.life import charts, plots
    from server.cli.pictures import svg

    most = sorted(range(len(fits)), key=lambda at: -fits[at].failures)[:DRAWN]
    if len(fits) > DRAWN:
        session.note(Text(f"图中为失效最多的 {DRAWN} 组。", f"Drawn are the {DRAWN} groups with most failures."))
    drawn = []
    for at in sorted(most):
        said = Text(*(" · ".join(found.called(fits[at], locale)) for locale in ("zh", "en")))
        alone = charts.alone(data, at)
        drawn.append(charts.Drawn(said if said.zh else found.name, alone, charts.refitted(fits[at], alone)))
    make, what = {
        "probability": (charts.probability_plot, Text("概率图", "Probability plot")),
        "hazard": (charts.hazard_plot, Text("失效率", "Hazard rate")),
        "survival": (charts.survival_plot, Text("可靠度", "Survival")),
    }[plot]
    picture = make(
        drawn, plots.titled(what, found.name), unit=found.unit, level=fits[0].level, interval=fits[0].interval
    )
    to.write_text(svg(picture, session.locale), encoding="utf-8")
    session.note(Text(f"图：{to}", f"Picture: {to}"))
