"""The sheets of lives in other shapes than one record a row: what their columns are, and what may not be in a row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from pydantic import create_model

from schema import KINDS, Kind, Text
from schema.core import Aspect, Entity, RowRule, about, fields_of
from schema.entities.names import HAPPENED_ON, SOLD_ON

BY = ("part", "maker", "lot", "product", "region", "version")
"""Columns that a population may be split by."""
_UNITS = "数量;台数;件数;投试数量;样本量;样品数;在用台数;在用数量;units;qty;quantity;sample size;fleet;on test"
_FAILURES = "失效数;失效数量;失效台数;故障数;故障次数;故障台数;failed;failure count;number of failures"
_COUNTED = Text("请更正数量。", "Correct the numbers.")
_DATED = Text("请更正日期。", "Correct the dates.")


class _Returns(Entity):
    sold_on: dt.date = about(
        "Month of sale or shipment.", zh="发货月份",
        names="发货日期;发运日期;出货日期;销售月份;月份;shipped_on;shipped on;ship month;sold month;month;" + SOLD_ON,
    )  # fmt: skip
    quantity: int = about(
        "How many were shipped.", zh="发货数量", ge=0,
        names="数量;出货数量;销量;销售数量;台数;shipped;sold;sales;units;qty;population",
    )  # fmt: skip


class _Claims(Entity):
    sold_on: dt.date = about(
        "Day or month of sale.", zh="销售日期", names="started_on;投用日期;销售月份;sold month;sold on;" + SOLD_ON
    )
    failed_on: dt.date | None = about(
        "Day or month of the failure.", zh="故障日期", names="observed_on;failed on;" + HAPPENED_ON, default=None
    )
    reported_on: dt.date | None = about(
        "Day or month in which it was reported.", zh="报告日期", default=None,
        names="索赔日期;受理日期;登记日期;提报日期;report date;reported on;claim date;received date",
    )  # fmt: skip
    months_in_service: int | None = about(
        "Months from sale to failure.",
        zh="使用月数",
        names="在用月数;服役月数;MIS;months in service",
        ge=0,
        le=1200,
        default=None,
    )
    count: int = about("How many claims.", zh="索赔数量", names="数量;索赔数;件数;台数;claims;qty", ge=1, default=1)
    sold: int | None = about(
        "How many were sold in that month.", zh="销量", names="销售数量;发货数量;shipped;units sold;population", ge=0,
        default=None,
    )  # fmt: skip
    mode: str | None = about("Failure mode.", zh="失效模式", names="故障模式;failure mode", default=None)

    ROW_RULES = (
        RowRule(
            "claim.before_sale",
            ("sold_on", "failed_on"),
            lambda: pl.coalesce("failed_on", "reported_on").dt.month_end() < pl.col("sold_on"),
            Text("故障早于销售。", "It failed before it was sold."),
            _DATED,
        ),
        RowRule(
            "claim.before_failure",
            ("failed_on", "reported_on"),
            lambda: pl.col("reported_on").dt.month_end() < pl.col("failed_on"),
            Text("报告早于故障。", "It was reported before it failed."),
            _DATED,
        ),
        RowRule(
            "claim.no_age",
            ("failed_on",),
            lambda: pl.all_horizontal(pl.col("failed_on", "reported_on", "months_in_service").is_null()),
            Text("没有故障日期，也没有使用月数。", "There is neither a day of the failure nor months in service."),
            Text("请补充其一。", "Give one of them."),
        ),
    )


class _Totals(Entity):
    period: dt.date = about("Month or its first day.", zh="月份", names="期间;统计月份;日期;month;date")
    units: int | None = about("How many units.", zh="在用数量", names=_UNITS, ge=0, default=None)
    age: float | None = about(
        "What each unit gathered in the period.", zh="单台工作时间", gt=0, default=None,
        names="月均工作时间;单台小时;平均工作时间;工作时间;运行时间;hours;hours per unit;operating hours",
    )  # fmt: skip
    exposure: float | None = about(
        "What all units gathered together.", zh="总工作时间", gt=0, default=None,
        names="累计工作时间;总工时;总时间;台时;total hours;unit hours;device hours;exposure",
    )  # fmt: skip
    failures: int = about("How many failures.", zh="失效数", names=_FAILURES + ";failures", ge=0)

    ROW_RULES = (
        RowRule(
            "totals.exposure",
            ("units", "age", "exposure"),
            lambda: pl.col("exposure").is_null() & (pl.col("units").is_null() | pl.col("age").is_null()),
            Text("没有总工作时间，也没有台数乘以单台时间。", "There is neither a total nor units times hours of each."),
            Text("请补充其一。", "Give one of them."),
        ),
        RowRule(
            "totals.no_units",
            ("units", "failures"),
            lambda: (pl.col("units") == 0) & (pl.col("failures") > 0) & pl.col("exposure").is_null(),
            Text("没有在用台数却有失效。", "There are failures and no units."),
            _COUNTED,
        ),
    )


class _TestRows(Entity):
    units: int = about("How many were tested.", zh="投试数量", names=_UNITS, ge=1)
    age: float = about(
        "How long each was tested.", zh="试验时间", gt=0,
        names="试验时长;试验小时;单台试验时间;试验循环数;hours;test hours;test time;duration;cycles",
    )  # fmt: skip
    failures: int = about("How many of them failed.", zh="失效数", names=_FAILURES + ";failures", ge=0)
    acceleration_factor: float | None = about(
        "Acceleration factor, where it is known.", zh="加速系数", names="加速因子;AF;acceleration", gt=0, default=None
    )

    ROW_RULES = (
        RowRule(
            "test.failures",
            ("units", "failures"),
            lambda: pl.col("failures") > pl.col("units"),
            Text("失效数大于投试数量。", "More failed than were tested."),
            _COUNTED,
        ),
    )


STRESSES: dict[str, tuple[str, Text, dict[str, Any]]] = {
    "temperature": ("activation_energy", Text("温度", "Temperature in Celsius"), {"gt": -273.15}),
    "humidity": ("humidity_exponent", Text("湿度", "Relative humidity in per cent"), {"gt": 0.0, "le": 100.0}),
    "stress": ("stress_exponent", Text("应力", "Voltage, load or another stress"), {"gt": 0.0}),
    "range": ("range_exponent", Text("温差", "Range of a temperature cycle"), {"gt": 0.0}),
}
"""What a test is harder by: columns use_NAME and test_NAME, and the exponent that goes with them (and EXPONENT_se)."""
_EXPONENTS = {
    "activation_energy": ("激活能", "Activation energy in eV", "活化能;Ea;Ea (eV);激活能(eV);activation energy (eV)"),
    "humidity_exponent": ("湿度指数", "Exponent of the humidity (Peck)", "n humidity"),
    "stress_exponent": ("应力指数", "Exponent of the stress (inverse power)", "幂指数"),
    "range_exponent": ("温差指数", "Exponent of the range (Coffin-Manson)", "疲劳指数"),
}


def _stresses() -> dict[str, Any]:
    """Fields of the stresses of a test, as pydantic takes them."""
    fields: dict[str, Any] = {}
    for name, (exponent, text, bounds) in STRESSES.items():
        for where, zh, other in (("use", "使用", "工作"), ("test", "试验", "应力")):
            about_it = about(
                f"{text.en}, in {where}.",
                zh=zh + text.zh,
                names=f"{other}{text.zh};{name} in {where}",
                default=None,
                **bounds,
            )
            fields[f"{where}_{name}"] = (float | None, about_it)
        zh, en, names = _EXPONENTS[exponent]
        fields[exponent] = (float | None, about(f"{en}.", zh=zh, names=names, default=None))
        fields[f"{exponent}_se"] = (
            float | None,
            about(f"{en}: its standard error.", zh=f"{zh}标准误", names=f"{exponent} se", ge=0, default=None),
        )
    return fields


_Tests = create_model("_Tests", __base__=_TestRows, **_stresses())
_Tests.__doc__ = "Units tested at stress for some time, of which some failed, and what the stress was."


def _sheet(name: str, zh: str, en: str, model: type[Entity], *more: str) -> Kind:
    """A sheet that is no kind of the graph: its own columns, and some of those of life records."""
    records = KINDS["life_record"].fields
    fields = {**{each: records[each] for each in (*BY, *more)}, **fields_of(model)}
    return Kind(name, model, None, Text(zh, en), Text(zh, en), (), False, False, None, Aspect.FAILURES, fields)


SHEETS: dict[str, Kind] = {
    "returns": _sheet("returns", "退货矩阵", "a return matrix", _Returns),
    "test": _sheet("test", "试验结果", "test results", _Tests, "unit"),
    "totals": _sheet("totals", "月度合计", "totals by month", _Totals, "unit"),
    "claims": _sheet("claims", "索赔记录", "claims", _Claims),
}
