"""What headings say beyond naming fields: the unit of an age, where records come from, what yes and no mean."""

from __future__ import annotations

from ingest.headers import Reading, fold, split_unit

_AGE_UNITS = {
    "h": "累计工作时间;运行时间;累计运行时间;工作时间;使用时间;开机时间;累计开动时间;运行小时;故障前工作时间;"
    "operating hours;run hours;running time;time to failure;ttf;usage hours;hours",
    "km": "行驶里程;故障里程;里程;里程数;公里数;mileage;odometer;kilometers",
    "cycles": "动作次数;循环次数;换刀次数;通断次数;使用次数",
}
_AGE_UNIT = {fold(name): unit for unit, names in _AGE_UNITS.items() for name in names.split(";")}
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
    """Values of fields that the sheet has no column for, said by the headings of others; of life records only."""
    if reading.kind.name != "life_record":
        return {}
    found = {}
    age, number = reading.column("age"), reading.column("id")
    if age and (unit := age.scale.unit or _AGE_UNIT.get(fold(split_unit(age.heading)[0]))):
        found["unit"] = unit
    if number and not reading.column("origin") and (origin := _ORIGIN.get(fold(number.heading))):
        found["origin"] = origin
    return found


def lacks_event(reading: Reading) -> bool:
    """Life records that do not say how each observation ended, and of which the sheet does not tell that all failed.

    A list of claims or repairs (with numbers, symptoms, modes or causes) is one of failures; a list of ages may be
    anything.
    """
    has = {column.field.name for column in reading.columns}
    return reading.kind.name == "life_record" and "event" not in has and not has.intersection(_TELL_OF_FAILURES)
