"""Units that people put in brackets behind a column's name, and what they make of its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from schema import Kind
from schema.core import Field

_SPELLINGS: tuple[tuple[str, float, str], ...] = (
    ("h", 1.0, "h hr hrs hour hours 小时 时 工时"),
    ("h", 1 / 60, "min mins minute minutes 分钟 分"),
    ("d", 1.0, "d day days 天 日"),
    ("d", 7.0, "week weeks 周"),
    ("km", 1.0, "km 公里 千米 kilometers kilometres"),
    ("km", 10_000.0, "万公里 万km"),
    ("months", 1.0, "months month 个月 月"),
    ("cycles", 1.0, "cycles cycle 次 次数"),
    ("cycles", 10_000.0, "万次"),
    ("1", 0.01, "% 百分比"),
    ("1", 0.001, "‰"),
    ("pieces", 1.0, "件 台 套 个 只 支 根 片 台套 pcs ea"),
    ("money", 1.0, "元 rmb cny ¥ 人民币"),
    ("money", 10_000.0, "万元"),
    ("°", 1.0, "° 度 deg"),
)
KNOWN = {spelling: (unit, factor) for unit, factor, spellings in _SPELLINGS for spelling in spellings.split()}
"""Unit and factor by spelling: `万公里` is 10,000 of `km`."""
_AGE = frozenset({"h", "km", "cycles", "months"})
_CONVERSIONS = {("h", "d"): 1 / 24, ("d", "h"): 24.0}


@dataclass(frozen=True, slots=True)
class Scale:
    """What a unit in a heading does: numbers are multiplied by `factor`; `unit` goes to the row's unit field."""

    factor: float = 1.0
    unit: str | None = None


def scale(spelling: str | None, kind: Kind, field: Field) -> Scale | None:
    """What the unit in a heading does to the column of `field`; None when it does not go with that field."""
    if spelling is None:
        return Scale()
    unit, factor = KNOWN[spelling]
    declared = field.meta.unit
    if declared is not None:
        if declared == unit:
            return Scale(factor)
        conversion = _CONVERSIONS.get((unit, declared))
        return None if conversion is None else Scale(factor * conversion)
    if unit in _AGE and field.python_type is float and "unit" in kind.fields:
        return Scale(factor, unit)
    if unit == "1":
        return Scale(factor) if field.python_type is float else None
    return Scale(factor) if unit in {"pieces", "money"} and field.python_type in {int, float} else None


def spellings(unit: str | None) -> tuple[str, ...]:
    """Every way to write a unit behind a number, the longest first; nothing for no unit."""
    return tuple(sorted((s for s, (u, factor) in KNOWN.items() if u == unit and factor == 1), key=len, reverse=True))
