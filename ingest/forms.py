"""What headings say beyond naming fields: the unit of an age, where records come from, what yes and no mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from ingest import cleaning
from ingest.headers import Reading, fold, split_unit
from schema.core import Field

_AGE_UNITS = {
    "h": "累计工作时间;运行时间;累计运行时间;工作时间;使用时间;开机时间;累计开动时间;运行小时;故障前工作时间;"
    "operating hours;run hours;running time;time to failure;ttf;usage hours;hours",
    "km": "行驶里程;故障里程;里程;里程数;公里数;mileage;odometer;kilometers",
    "cycles": "动作次数;循环次数;换刀次数;通断次数;使用次数",
}
_AGE_UNIT = {fold(name): unit for unit, names in _AGE_UNITS.items() for name in names.split(";")}
_DURATION_UNITS = {"h": "test hours;hours per unit", "cycles": "试验循环数;循环次数;test cycles"}
_DURATION_UNIT = {fold(name): unit for unit, names in _DURATION_UNITS.items() for name in names.split(";")}
_MEASURED = {
    "life_record": ("age", _AGE_UNIT),
    "reliability_test": ("duration", _DURATION_UNIT),
    "declared_value": ("value", {}),
}
"""The field that a sheet's `unit` is of, and the headings that say it, by kind."""
_FIRST_OF_MONTH = "first day of the month"
_ORIGIN = {
    fold(name): origin
    for origin, names in {
        "warranty": "索赔单号;claim no",
        "field": "故障单号;维修单号;维修单编号;工单号;报修单号;work order;ticket no;failure id",
    }.items()
    for name in names.split(";")
}
_CENSORED = {fold(name) for name in ("是否截尾", "censored", "suspended")}
_TELL_OF_FAILURES = ("id", "mode", "symptom", "cause")

YES_NO: dict[tuple[str, str], tuple[str | None, str | None]] = {
    ("life_record", "event"): ("failure", "suspension"),
    ("supplies", "status"): ("sole", None),
}
"""Vocabularies that sheets also ask for as a question: the codes that yes and no stand for."""


def yes_no(kind: str, field: str, heading: str) -> tuple[str | None, str | None] | None:
    """The codes that 是 and 否 stand for in a column of that heading; None where they stand for nothing."""
    meant = YES_NO.get((kind, field))
    return (meant[1], meant[0]) if meant and fold(split_unit(heading)[0]) in _CENSORED else meant


def implied(reading: Reading) -> dict[str, str]:
    """Values of fields that the sheet has no column for, said by the headings of others."""
    found = {}
    field, names = _MEASURED.get(reading.kind.name, ("", {}))
    column, number = reading.column(field), reading.column("id")
    if column and (unit := column.scale.unit or names.get(fold(split_unit(column.heading)[0]))):
        found["unit"] = unit
    is_life = reading.kind.name == "life_record"
    if is_life and number and not reading.column("origin") and (origin := _ORIGIN.get(fold(number.heading))):
        found["origin"] = origin
    return found


def days(
    field: Field, cells: pl.Series, *, excel: bool, answers: Mapping[str, str] | None = None, position: str = ""
) -> cleaning.Cleaned:
    """A column of days or moments, with the answers (`dates:3`, `serials:3`) about its position.

    A month is its first day where the field says so.
    """
    said = answers or {}
    order = said.get(f"dates:{position}")
    order = order if order in cleaning.ORDERS else None
    excel = excel or said.get(f"serials:{position}") == "excel"
    if field.python_type is dt.datetime:
        return cleaning.times(cells, excel=excel, order=order)
    return cleaning.dates(cells, excel=excel, order=order, months=_FIRST_OF_MONTH in field.description)


def lacks_event(reading: Reading) -> bool:
    """Life records that do not say how each observation ended, and of which the sheet does not tell that all failed.

    A list of claims or repairs (with numbers, symptoms, modes or causes) is one of failures; a list of ages may be
    anything.
    """
    has = {column.field.name for column in reading.columns}
    return reading.kind.name == "life_record" and "event" not in has and not has.intersection(_TELL_OF_FAILURES)
