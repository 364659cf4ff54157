"""`compare`: do makers, lots, regions or versions live alike; and what covariates do to life."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema.text import Text
from server.cli import output
from server.cli.command import command, option
from server.cli.demo import mark
from server.cli.records import TAKEN, level_option, of_file, of_part, one_source, refuse_unknown, source
from server.cli.session import Session

if TYPE_CHECKING:
    import polars as pl

    from analytics.compared import LifeComparison
    from analytics.life.regression import Regression

BY = ("maker", "lot", "region", "version", "product")
MODELS = ("weibull", "lognormal", "loglogistic", "exponential", "cox")


@command(
    "compare",
    zh=(
        "比较各组的寿命：按厂家、批次、地区、版本或产品（文件则可按任意列），检验差异是否超出偶然。\n\n"
        "给出对数秩检验、似然比检验，每组的失效数与期望失效数、中位寿命、威布尔参数，以及多重比较校正后的 p；"
        "对存储中的零部件另列声明值与现场数据的对照。给出 --covariates 时改为回归。"
    ),
    en=(
        "Compare the lives of groups: of makers, lots, regions, versions or products (of a file, by any column).\n\n"
        "Log-rank and likelihood-ratio tests; of each group its failures and those to be expected, its median life and "
        "Weibull parameters, and its p corrected for many groups. For a part in the store, declared values stand "
        "beside. With --covariates it is a regression instead."
    ),
    params=[
        *source(),
        option(
            "--mode", zh="只计该失效模式；其他模式按中止计。", metavar="MODE",
            en="Failures of this mode; others are suspensions.",
        ),
        option(
            "--by", zh="按什么分组：maker、lot、region、version、product，或文件中的列。", metavar="COLUMN",
            en="What makes the groups: maker, lot, region, version, product, or a column of the file.",
            default="maker", show_default=True,
        ),
        option(
            "--against", zh="每组与这一组比较；缺省与其余各组合计比较。", metavar="GROUP",
            en="Compare every group with this one, in place of with all others.",
        ),
        option(
            "--covariates", zh="改为回归：这些列对寿命的影响，以逗号分隔。", metavar="COLUMN[,COLUMN…]",
            en="A regression on these columns instead, separated by commas.",
        ),
        option(
            "--model", zh="回归模型：加速失效时间，或比例风险（cox，需可选依赖 regression）。",
            en="Model of the regression: accelerated failure time, or proportional hazards (cox, with the extra "
            "regression).",
            type=click.Choice(MODELS), default="weibull", show_default=True,
        ),
        level_option(),
    ],
    reads=True,
)  # fmt: skip
def compare(
    session: Session, file: Path | None, part: str | None, maker: str | None, mode: str | None, by: str,
    against: str | None, covariates: str | None, model: str, level: float,
) -> None:  # fmt: skip
    """Status 1 when rows of the file were refused, also though the rest is compared."""
    one_source(session, file, part)
    if covariates is not None:
        columns = [each.strip() for each in covariates.split(",") if each.strip()]
        found = of_file(session, file, maker, mode, columns) if file else of_part(session, part, maker, mode, columns)
        _regress(session, found.rows, columns, model, level)
        refused = found.refused
    elif file is not None:
        from analytics.compared import compared

        found = of_file(session, file, maker, mode, [by])
        _answer(session, compared(found.rows, by, against=against, level=level, unit=found.unit))
        refused = found.refused
    else:
        refuse_unknown(session, [by], BY)
        _compare_part(
            session, {"part": part, "by": by, "maker": maker, "mode": mode, "against": against, "level": level}
        )
        refused = 0
    if refused:
        from chaingraph import ChaingraphError

        raise ChaingraphError(
            "compare.refused",
            Text(f"拒收 {refused} 处；其余已比较。", f"Places refused: {refused}; all else was compared."),
            Text("请更正后重新运行。", "Correct them and run it again."),
        )


def _compare_part(session: Session, asked: dict[str, object]) -> None:
    from analytics import run

    with session.view() as view:
        found = run("life_comparison", view, {name: value for name, value in asked.items() if value is not None})
        mark(session, view)
        _answer(session, found)


def _answer(session: Session, found: LifeComparison) -> None:
    """The groups, and for people below them the tests and what was declared."""
    headings, table = found.rows(session.locale)
    if session.format == "table" and found.by in TAKEN:
        headings[0] = session.say(TAKEN[found.by])
    session.answer(found.payload(session.locale), headings, table)
    if session.format == "table":
        tests = [[session.say(each.text), each.statistic, each.df, each.p] for each in found.tests]
        names = [Text("检验", "Test"), Text("卡方", "Chi-square"), Text("自由度", "df"), Text("p", "p")]
        output.line()
        output.table([session.say(each) for each in names], tests)
        if found.declared:
            names = [
                Text("声明值", "Declared of"), Text("失效", "Failures"), Text("应为", "Promised"),
                Text("倍数", "Ratio"), Text("下限", "Low"), Text("上限", "High"), Text("p", "p"),
                Text("被否定", "Denied"),
            ]  # fmt: skip
            yes, no = session.say(Text("是", "yes")), session.say(Text("否", "no"))
            output.line()
            output.table(
                [session.say(each) for each in names],
                [
                    [
                        session.say(each.label), each.observed, each.expected, each.ratio.value, each.ratio.low,
                        each.ratio.high, each.p, yes if each.denied else no,
                    ]
                    for each in found.declared
                ],
            )  # fmt: skip
    for warning in found.warnings:
        session.note(warning.text)


def _regress(session: Session, rows: pl.DataFrame, columns: list[str], model: str, level: float) -> None:
    from analytics.life.regression import accelerated, proportional

    made: Regression = (
        proportional(rows, columns, level) if model == "cox" else accelerated(rows, columns, model, level)
    )
    headings, table = made.rows(session.locale)
    payload = made.payload(session.locale)
    session.answer(payload, headings, table)
    if session.format == "table" and (ratio := payload["likelihood_ratio"]) is not None:
        names = [Text("检验", "Test"), Text("卡方", "Chi-square"), Text("自由度", "df"), Text("p", "p")]
        whole = session.say(Text("全部协变量（似然比）", "all covariates (likelihood ratio)"))
        output.line()
        output.table(
            [session.say(each) for each in names],
            [
                [whole, ratio["statistic"], ratio["df"], ratio["p"]],
                *([each.name, each.statistic, each.df, each.p] for each in made.tests),
            ],
        )
    for warning in made.warnings:
        session.note(warning.text)
