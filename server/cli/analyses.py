"""A command for every analysis: made from its registration, so that a new analysis needs nothing here."""

from __future__ import annotations

import enum
import types
import typing
from typing import Any

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from analytics import ANALYSES, Analysis, run
from server.cli.command import Command, argument, command, option
from server.cli.demo import mark
from server.cli.session import Session

SUBJECTS = {"product": "PRODUCT", "part": "PART", "thing": "ID", "organisation": "ORG"}
SPELLED = {("propagate", "hours"): "at"}
"""Options that are not called as the analysis' parameter is."""
METAVARS = {
    "organisation": "ORG",
    "mission": "HOURS",
    "maker": "ORG",
    "top": "N",
    "limit": "N",
    "depth": "N",
    "explain": "RANK",
}
CHINESE = {
    "hours": "寿命，以产品的寿命单位计，从 0 起，以逗号分隔。",
    "mission": "任务时长，以产品的寿命单位计。",
    "maker": "由该组织制造；缺省按产品的供货比例。",
    "kind": "只列这一类；缺省各类轮流。",
    "top": "最多几行。",
    "explain": "要看证据的那一行的序号。",
    "depth": "相隔几层关系。",
    "limit": "最多几个对象。",
    "mechanism": "只计该失效机理及其下级的失效。",
    "units": "试验件数。",
    "test_gains.hours": "每件试验时长，以各零部件的寿命单位计；缺省为其在任务内达到的寿命。",
    "data_quality.organisation": "看哪个组织的数据；缺省为能看到其数据的所有组织。",
    "growth.maker": "由该组织制造；缺省合计各制造商。",
    "growth.mode": "失效模式，其他模式的失效按中止计；缺省合计各模式。",
    "growth.change": "变更生效日（YYYY-MM-DD），或 version：只比较版本。",
    "growth.level": "区间的双侧置信水平。",
    "life_comparison.by": "按什么分组比较。",
    "life_comparison.maker": "由该组织制造；缺省包括各制造商。",
    "life_comparison.mode": "失效模式，其他模式的失效按中止计；缺省合计各模式。",
    "life_comparison.against": "每组与这一组比较；缺省与其余各组合计比较。",
    "life_comparison.level": "区间的双侧置信水平。",
    "life_model.maker": "由该组织制造；缺省合计各制造商。",
    "life_model.mode": "失效模式，其他模式的失效按中止计；缺省合计各模式。",
    "life_model.distribution": "拟合的分布；best 按 AICc 选取。",
    "life_model.method": "极大似然（mle）或秩回归（rr）。",
    "life_model.interval": "区间：Wald（wald）或似然比（lr）。",
    "life_model.level": "区间的双侧置信水平。",
    "returns_forecast.maker": "由该组织制造；缺省合计各制造商。",
    "returns_forecast.mode": "只计该失效模式；缺省合计各模式。",
    "returns_forecast.months": "预测几个月。",
    "returns_forecast.use_per_month": "每月使用量，以零部件的寿命单位计；缺省取自发货记录，或由带日期的数据推算。",
    "returns_forecast.warranty_months": "只计投用后这些个月内的失效。",
    "returns_forecast.warranty_age": "只计到该寿命为止的失效。",
    "returns_forecast.as_of": "从该日算起（YYYY-MM-DD）；缺省为最后一条数据的日期。",
    "returns_forecast.by": "按制造商或批次拆分。",
    "returns_forecast.renewed": "更换件的失效也计入。",
    "returns_forecast.stock_probability": "备件够用的概率。",
    "returns_forecast.repair_months": "失效件修复返库所需的月数：列出各库存量的满足率与缺货数。",
    "returns_forecast.level": "区间的双侧置信水平。",
}
"""What options mean, in Chinese, where need be by analysis; one that is not here is explained in English."""

ORDER = ("weak_links", "contributions", "propagate", "single_points", "where_used", "neighbourhood")


OWN = {
    "life_model": "fit",
    "life_comparison": "compare",
    "returns_forecast": "forecast",
    "growth": "growth",
    "test_gains": "plan-test",
}
"""Analyses whose command takes files, too, or more than the analysis, and is written by hand."""


def commands() -> list[Command]:
    """The commands of all analyses but those that have their own, what one needs first before the others."""
    place = {name: at for at, name in enumerate(ORDER)}
    of = sorted(ANALYSES.values(), key=lambda a: place.get(a.name, len(ORDER)))
    return [made(each) for each in of if each.name not in OWN]


def made(of: Analysis[Any, Any]) -> Command:
    """The command of one analysis."""
    params = [_parameter(of, name, info) for name, info in of.parameters.model_fields.items()]
    meaning = " ".join(of.description.split("\n\n")[0].split())

    @command(of.name.replace("_", "-"), zh=f"{of.text.zh}。", en=meaning, params=params, reads=True)
    def analyse(session: Session, **given: Any) -> None:
        answer(session, of, {name: value for name, value in given.items() if value is not None})

    return analyse


def answer(session: Session, of: Analysis[Any, Any], given: dict[str, Any]) -> None:
    """Run an analysis and give its answer; parameters that it does not take are wrong usage."""
    try:
        asked = of.parameters.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = SPELLED.get((of.name, str(first["loc"][0])), str(first["loc"][0]))
        raise click.BadParameter(
            first["msg"].removeprefix("Value error, "), click.get_current_context(), param_hint=f"--{where}"
        ) from None
    with session.workspace(existing=True) as workspace:
        view = session.seen(workspace)
        result = run(of.name, view, asked, workspace)
        mark(session, view)
        headings, rows = result.rows(session.locale)
        session.answer(result.payload(session.locale), headings, rows)


class Listed(click.ParamType[Any]):
    """Several values in one argument, separated by commas."""

    def __init__(self, of: click.ParamType[Any], name: str) -> None:
        self.of = of
        self.name = name

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002  # click's signature
        """`HOURS[,HOURS...]`."""
        return f"{self.name}[,{self.name}…]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The values as a tuple."""
        if not isinstance(value, str):
            return value
        return tuple(self.of.convert(each.strip(), param, ctx) for each in value.split(",") if each.strip())


def _parameter(of: Analysis[Any, Any], name: str, info: FieldInfo) -> click.Parameter:
    """A required text is what the analysis is about, an argument; all else is an option."""
    kind = _bare(info.annotation)
    if info.is_required() and kind is str:
        return argument(name, metavar=SUBJECTS[of.subject])
    spelled = SPELLED.get((of.name, name), name)
    attributes: dict[str, Any] = {"required": info.is_required()}
    if info.default is not None and not info.is_required():
        attributes |= {"default": info.default, "show_default": True}
    if kind is bool:
        attributes["is_flag"] = True
    else:
        attributes |= {"type": _type(kind, name.upper()), "metavar": METAVARS.get(name)}
    said = info.description or ""
    names = (f"--{spelled.replace('_', '-')}", name)
    return option(*names, zh=CHINESE.get(f"{of.name}.{name}", CHINESE.get(name, said)), en=said, **attributes)


def _bare(annotation: Any) -> Any:
    """A type without `| None`."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return next(each for each in typing.get_args(annotation) if each is not type(None))
    return annotation


def _type(kind: Any, name: str) -> click.ParamType[Any]:
    if typing.get_origin(kind) is tuple:
        return Listed(_type(typing.get_args(kind)[0], name), name)
    if typing.get_origin(kind) is typing.Literal:
        return click.Choice(typing.get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return click.Choice([each.value for each in kind])
    return click.INT if kind is int else click.FLOAT if kind is float else click.STRING
