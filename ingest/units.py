"""Units that people put in brackets behind a column's name, and what they make of its numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
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
    ("months", 12.0, "years year yr 年 年限"),
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


def in_cells(kind: Kind, field: Field, taken: Scale, said: str | None = None) -> dict[str, float]:
    """The units that cells of a column may have behind their digits, and what each multiplies by.

    Those that go with the field: of an age only spellings of the unit that the heading (`taken`), or else somebody
    (`said`), says the column is in.
    """
    age = taken.unit or said
    found = {}
    for spelling, (unit, _) in KNOWN.items():
        if unit == "1" or (fits := scale(spelling, kind, field)) is None:
            continue
        if fits.unit is None or fits.unit == age:
            found[spelling] = fits.factor
    return found


def of_cells(written: Iterable[str]) -> set[str | None]:
    """The units behind the digits of cells; None among them for a cell that says none, or one that is not known."""
    found: set[str | None] = set()
    for each in written:
        plain = unicodedata.normalize("NFKC", each).strip().casefold()
        unit = plain.lstrip("+-0123456789., ")
        unit = unit if unit in KNOWN else unit.lstrip("千万百亿 ")
        found.add(KNOWN[unit][0] if unit in KNOWN else None)
    return found
