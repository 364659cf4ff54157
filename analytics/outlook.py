"""A forecast of returns as it leaves: months, spare parts, a picture, and what is to be said against it."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Sequence
from typing import Any

import numpy as np

from analytics.core import Estimate, Piece, Reason, digits
from analytics.life import plots
from analytics.life.forecast import Count, Forecast
from analytics.life.plots import Picture
from analytics.life.spares import needed, shelf, turnaround
from schema import Text

FEW = 10
MOST, HALF = 60, 0.5
"""So many stocks are told; where there are more, those that meet half of the needs at once."""

WARNINGS = {
    "no_fleet": Text(
        "没有在用产品的记录，也没有发货计划：无可预测。",
        "No unit is known to be in use or to be shipped: there is nothing to forecast.",
    ),
    "no_model": Text(
        "{makers} 的寿命没有任何数据，其 {units} 件未计入。",
        "Nothing is known of the lives of {makers}: their {units} units are left out.",
    ),
    "few_failures": Text(
        "仅有 {failures} 个失效：区间很宽，期望值不确定。",
        "Only {failures} failures: the interval is wide and the expected number uncertain.",
    ),
    "bound_only": Text(
        "尚无失效：期望值为 0，只有区间上限有意义。",
        "No failure yet: the expected number is 0, and only the upper end says something.",
    ),
    "declared": Text(
        "部分预测依据声明值，而非现场数据。", "A part of the forecast rests on declared values, not on the field."
    ),
    "extrapolated": Text(
        "外推：最老的产品将达到 {age}，而已观察到的寿命最大为 {oldest}。",
        "Extrapolated: the oldest units will reach {age}, and ages were observed up to {oldest}.",
    ),
    "undated": Text(
        "{count} 件没有投用日期，未计入。", "{count} units do not say when they went into use and are left out."
    ),
}
"""What the codes of a forecast's warnings mean to people."""


class ForecastMonth(Piece):
    """Returns of one month to come."""

    month: int
    """1 is the month that begins now."""
    until: str | None = None
    """Its last day."""
    at_risk: float | None
    """Units expected in use and under warranty at its beginning."""
    returns: Estimate
    """The expected number, with its prediction interval."""
    cumulative: Estimate
    """From now to the month's end."""

    def payload(self) -> dict[str, Any]:
        """The month as JSON values."""
        dated = {} if self.until is None else {"until": self.until}
        return {
            "month": self.month,
            **dated,
            "at_risk": digits(self.at_risk),
            **named(self.returns),
            "cumulative": named(self.cumulative),
        }


class Shelved(Piece):
    """What a stock does where each failed unit is repaired and comes back."""

    stock: int
    fill_rate: float
    """The share of needs that are met at once."""
    backorders: float
    """Needs that wait, on average over time."""

    def payload(self) -> dict[str, Any]:
        """The stock as JSON values."""
        return {
            "stock": self.stock,
            "fill_rate": digits(self.fill_rate),
            "backorders": digits(self.backorders),
        }


class SpareParts(Piece):
    """How many spare parts for all failures of the period, those of replacements among them."""

    stock: float | None
    probability: float
    """That they are enough."""
    expected: float | None
    """Expected need."""
    shelf: tuple[Shelved, ...] = ()
    """What each stock does with repair, where the time that a repair takes is given."""

    def payload(self) -> dict[str, Any]:
        """The need as JSON values."""
        return {
            "stock": digits(self.stock),
            "probability": self.probability,
            "expected": digits(self.expected),
            **({"shelf": [each.payload() for each in self.shelf]} if self.shelf else {}),
        }


def named(of: Estimate) -> dict[str, Any]:
    """An expected number and its interval under the names that forecasts have for them."""
    return {"expected": digits(of.value), "low": digits(of.low), "high": digits(of.high)}


def estimate(of: Count, at: int | tuple[int, int], level: float) -> Estimate:
    """One place of a count; None where nothing is known."""
    value, low, high = (float(column[at]) for column in (of.expected, of.low, of.high))
    if np.isnan(value) or np.isnan(low) or np.isnan(high):
        return Estimate(value=None, low=None, high=None, level=level)
    return Estimate(value=value, low=low, high=high, level=level)


def _later(day: dt.date, months: int) -> dt.date:
    """The same day so many months later, or the month's last where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_of(found: Forecast, day: dt.date | None = None) -> tuple[ForecastMonth, ...]:
    """The months of all groups together, from a day on where one is given."""
    return tuple(
        ForecastMonth(
            month=k + 1,
            until=None if day is None else str(_later(day, k + 1)),
            at_risk=float(found.at_risk[:, k].sum()),
            returns=estimate(found.all_month, k, found.level),
            cumulative=estimate(found.all_cumulative, k, found.level),
        )
        for k in range(found.all_month.expected.shape[-1])
    )


def month_rows(months: Sequence[ForecastMonth], locale: str) -> tuple[list[str], list[list[Any]]]:
    """Headings in one language, and a row for each month; its last day where it has one."""
    dated = all(month.until is not None for month in months)
    headings = (
        Text("月", "Month"), *([Text("至", "Until")] if dated else []), Text("在用", "At risk"),
        Text("预期", "Expected"), Text("下限", "Low"), Text("上限", "High"),
        Text("累计预期", "Cumulative"), Text("累计下限", "Low of it"), Text("累计上限", "High of it"),
    )  # fmt: skip
    return [h.say(locale) for h in headings], [
        [
            month.month, *([month.until] if dated else []), digits(month.at_risk),
            *named(month.returns).values(), *named(month.cumulative).values(),
        ]
        for month in months
    ]  # fmt: skip


def spare_parts(renewed: Forecast, probability: float, repair_months: float | None = None) -> SpareParts:
    """Spare parts for a forecast in which what fails is replaced; with the shelf where repair takes so long."""
    stock, expected = needed(renewed, probability), float(renewed.all_cumulative.expected[-1])
    known = np.isfinite(stock) and np.isfinite(expected)
    shelved: tuple[Shelved, ...] = ()
    if known and repair_months is not None:
        on = shelf(*turnaround(renewed, repair_months))
        first = int(np.argmax(on.fill_rate >= HALF)) if len(on.stock) > MOST else 0
        kept = np.unique(np.linspace(first, len(on.stock) - 1, min(len(on.stock) - first, MOST)).round().astype(int))
        shelved = tuple(
            Shelved(stock=int(on.stock[s]), fill_rate=float(on.fill_rate[s]), backorders=float(on.backorders[s]))
            for s in kept
        )
    return SpareParts(
        stock=stock if known else None,
        probability=probability,
        expected=expected if known else None,
        shelf=shelved,
    )


def doubts(kinds: Sequence[str], failures: float, oldest: float, reached: float) -> list[Reason]:
    """What is to be said against a forecast: by kinds of evidence, their failures, the oldest age they saw, and the
    age that units will reach.
    """
    found = []
    if kinds and all(kind == "bounded" for kind in kinds):
        found.append(reason("bound_only"))
    elif failures < FEW:
        found.append(reason("few_failures", failures=f"{failures:.0f}"))
    if "declared" in kinds:
        found.append(reason("declared"))
    if reached > oldest:
        found.append(reason("extrapolated", age=f"{reached:,.0f}", oldest=f"{oldest:,.0f}"))
    return found


def reason(code: str, **values: str) -> Reason:
    """A warning, with its values filled in."""
    text = WARNINGS[code]
    return Reason(code=code, text=Text(text.zh.format(**values), text.en.format(**values)))


def picture(found: Forecast, label: Text) -> Picture:
    """Cumulative returns with their band, and those of each month with bars."""
    month = np.arange(1, found.all_month.expected.shape[-1] + 1)
    upto, each = found.all_cumulative, found.all_month
    total, single = Text("累计", "Cumulative"), Text("每月", "Each month")
    share = f"{100 * found.level:g} %"
    zero = np.concatenate([[0], month])

    def from_zero(values: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
        return np.concatenate([[0.0], values])

    return Picture(
        title=Text(f"返修预测：{label.zh}", f"Forecast of returns: {label.en}"),
        note=Text(f"带与竖线为 {share} 预测区间。", f"Band and bars are {share} prediction intervals."),
        x=plots.linear_axis(Text("月", "Month"), zero, zero=True),
        y=plots.linear_axis(Text("件", "Returns"), from_zero(np.maximum(upto.high, upto.expected)), zero=True),
        layers=(
            plots.band(total, zero, from_zero(upto.low), from_zero(upto.high)),
            plots.line(total, zero, from_zero(upto.expected)),
            plots.points(single, month, each.expected, each.low, each.high),
        ),
    )
