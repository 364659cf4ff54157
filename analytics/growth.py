"""Does a part become more reliable? Growth of a fleet by its operating time, by the calendar and by production."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from pydantic import Field, field_validator

from analytics import growth_fleet as fleet
from analytics.core import Estimate, Parameters, Piece, Reason, Result, analysis, digits
from analytics.growth_changes import GrowthComparison, beside_others, days, looked_for, versions
from analytics.hazard import LEVEL
from analytics.labels import called
from analytics.life.growth_report import HEADINGS, GrowthTrack, estimate, three, tracked
from analytics.life.repairable import Figure, Repairable, repairable
from analytics.life_model import mode_of
from analytics.names import filled
from chaingraph import naming
from chaingraph.view import View
from schema import Text

NOTES = {
    "growth.renewing_fleet": Text(
        "机群由不断更新的单元组成：平均年龄增长，故障随之增多或减少，与设计无关。累计工作时间轴上的 β 混有老化；"
        "请看相同寿命下的两条轴和前后对比。",
        "The fleet is made of units that are renewed: as it grows older it fails more (or less) often, whatever its "
        "design. Beta on its operating time mixes ageing with growth: judge by what is compared at equal ages.",
    ),
    "growth.no_dates": Text(
        "{count} 条记录缺少投用或观察日期，未计入日历轴。",
        "Records without a day of going into use or of observation, left out of the calendar: {count}.",
    ),
    "growth.no_records": Text("没有可用的寿命数据。", "There are no usable life records."),
    "growth.unit_mismatch": Text(
        "部分数据的单位与零部件的寿命单位不一致，未采用。",
        "Some data are not in the part's age unit and were left out.",
    ),
    "growth.shape_assumed": Text(
        "失效太少，不能确定寿命的形状：期望失效数按恒定失效率（β = 1）计。",
        "Too few failures to tell the shape of life: expected failures are those of a constant rate (beta 1).",
    ),
    "growth.makers_mixed": Text(
        "各厂家合并：厂家份额变化会像增长；请指定厂家。",
        "Makers are taken together: a change of their shares would look like growth; name a maker.",
    ),
    "growth.no_versions": Text(
        "记录中没有两个版本可比。", "The records name no two versions of one maker to be compared."
    ),
}


class GrowthParameters(Parameters):
    """Which part, of whom, failing how; and a change to look at."""

    part: str = Field(description="Number of the part, or ISSUER/NUMBER.")
    maker: str | None = Field(None, description="Made by this organisation; all makers together where not given.")
    mode: str | None = Field(None, description="Failing in this mode, others being suspensions; any where not given.")
    change: str | None = Field(
        None, description='A day from which something was changed (YYYY-MM-DD), or "version" for versions alone.'
    )
    level: float = Field(LEVEL, gt=0, lt=1, description="Two-sided confidence of the intervals.")

    @field_validator("change")
    @classmethod
    def _day(cls, value: str | None) -> str | None:
        if value not in {None, "version"}:
            try:
                dt.date.fromisoformat(str(value))
            except ValueError:
                raise ValueError('a day (YYYY-MM-DD) or "version" is expected') from None
        return value


class Repairs(Piece):
    """Relevant and other failures, time between them, repairs and availability."""

    failures: int
    """Relevant failures."""
    other_failures: int
    """Failures that are not relevant (非关联故障)."""
    operated: float
    """Operating time of all units together."""
    mtbf: Estimate
    """Mean time between relevant failures."""
    mtbf_all: Estimate
    """Mean time between failures of either kind."""
    mttr: Estimate
    """Mean time to repair a relevant failure, the plain mean."""
    mttr_lognormal: Estimate
    """The mean of a lognormal distribution of the same times."""
    repair_median: Estimate
    repair_p95: Estimate
    """Time within which 95 % are repaired, lognormal."""
    downtime: Estimate
    """Mean down time of a failure of either kind, waiting included."""
    availability_inherent: Estimate
    """MTBF / (MTBF + MTTR), of relevant failures."""
    availability_operational: Estimate
    """Of all failures and their down times."""

    def payload(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            name: three(value) if isinstance(value, Estimate) else digits(value) if isinstance(value, float) else value
            for name in type(self).model_fields
            for value in (getattr(self, name),)
        }


class Growth(Result):
    """Growth of a part: tracks on three clocks, comparisons at equal ages, and repairs."""

    part: str
    maker: str | None
    mode: str | None
    """Key of the failure mode; null for all of them together."""
    label: Text
    unit: str
    level: float
    shape: float | None
    """The Weibull shape by which expected failures were computed; null where it is assumed to be 1."""
    repairs: Repairs
    tracks: tuple[GrowthTrack, ...]
    """By the fleet's operating time, by the calendar at equal ages, in the order of production at equal ages."""
    comparisons: tuple[GrowthComparison, ...]
    notes: tuple[Reason, ...]

    def payload(self, locale: str) -> dict[str, Any]:
        """The figures of the fleet's operating time first, under the names that the command has for a file."""
        first = (
            {name: value for name, value in self.tracks[0].payload(locale).items() if name != "axis"}
            if self.tracks
            else {}
        )
        return {
            "part": self.part,
            "maker": self.maker,
            "mode": self.mode,
            "unit": self.unit,
            "level": self.level,
            "shape": digits(self.shape),
            **first,
            "repairs": self.repairs.payload(),
            "tracks": [each.payload(locale) for each in self.tracks],
            "comparisons": [each.payload(locale) for each in self.comparisons],
            "notes": [each.payload(locale) for each in self.notes],
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """Comparisons first, then the figures of repairs and of every track; notes last."""

        def row(text: Text, of: Estimate | float | None) -> list[Any]:
            ends = [digits(of.value), digits(of.low), digits(of.high)] if isinstance(of, Estimate) else [of, None, None]
            return [text.say(locale), *ends]

        unit, of = self.unit, self.repairs
        rows = [[each.text.say(locale), *row(each.text, each.ratio)[1:]] for each in self.comparisons]
        rows += [
            row(Text("关联失效数", "Relevant failures"), of.failures),
            row(Text("非关联失效数", "Failures that are not relevant"), of.other_failures),
            row(Text(f"累计工作时间，{unit}", f"Operating time, {unit}"), digits(of.operated)),
            row(Text(f"MTBF，{unit}", f"MTBF, {unit}"), of.mtbf),
            row(Text("MTTR，h", "MTTR, h"), of.mttr),
            row(Text("平均停机时间，h", "Mean down time, h"), of.downtime),
            row(Text("固有可用度", "Inherent availability"), of.availability_inherent),
            row(Text("使用可用度", "Operational availability"), of.availability_operational),
        ]
        for track in self.tracks:
            title = AXES[track.axis].say(locale)
            rows += [[f"{title}: {name}", *cells] for name, *cells in track.rows(locale)]
        said = [*self.notes, *(each for track in self.tracks for each in track.warnings)]
        rows += [[text, None, None, None] for text in dict.fromkeys(each.text.say(locale) for each in said)]
        return [each.say(locale) for each in HEADINGS], rows


AXES = {
    "time": Text("时间", "Time"),
    "fleet_time": Text("累计工作时间", "Operating time"),
    "equal_ages": Text("日历（相同寿命）", "Calendar, equal ages"),
    "production": Text("生产月份（相同寿命）", "Production, equal ages"),
}


@analysis(
    "growth",
    zh="可靠性增长",
    en="Growth",
    subject="part",
    parameters=GrowthParameters,
    result=Growth,
)
def grow(view: View, asked: GrowthParameters) -> Growth:
    """Whether a part becomes more reliable: Crow-AMSAA on the fleet's time, and changes of design at equal ages.

    Three clocks. The fleet's cumulative operating time at a day is the sum over units of their ages on that day, linear
    between going into use and observation; a power law is fitted to the failures on it (`analytics.life.growth`). A
    fleet of units that are renewed is not one process in that time: it ages. So the same is done on clocks on which a
    fleet that only ages has a constant rate, sum H(age) with H(x) = x^beta, the shape being that within units of one
    month of production (`analytics.growth_fleet`): by the calendar, where a change shows that reached all units on a
    day, and in the order of production, where a change of design or process shows. Versions, and units made before and
    after a day, are compared by failures over expected failures, with exact bounds of the ratio of two Poisson rates
    given the shape. MTBF, MTTR and availability (`analytics.life.repairable`) keep relevant failures apart.
    """
    known = view.table("part")
    at = naming.part(view, asked.part)
    part, unit = str(known["key"][at]), known["age_unit"][at] or "h"
    maker = (
        None if asked.maker is None else str(view.table("organisation")["key"][naming.organisation(view, asked.maker)])
    )
    mode = None if asked.mode is None else mode_of(view, part, asked.mode)
    records = view.table("life_record").filter(pl.col("part") == part)
    mine = pl.lit(value=True) if maker is None else (pl.col("maker") == maker).fill_null(value=False)
    right = records.filter(pl.col("unit").is_null() | (pl.col("unit").cast(pl.String) == unit))
    everyone = fleet.prepared(right, view.table("lot"), mode)
    beta = fleet.common_shape(everyone.filter(mine))
    lives = fleet.with_expected(everyone.filter(mine), beta or 1.0)
    label = _label(view, part, maker, mode)
    clock = fleet.clock(lives)
    tracks, found = _tracks(lives, clock, beta or 1.0, label, unit, asked.level)
    compared = versions(lives, asked.level) if asked.change in {None, "version"} else []
    if asked.change in {None, "version"} and maker is not None:
        compared += beside_others(fleet.with_expected(everyone, beta or 1.0), maker, asked.level)
    if asked.change not in {None, "version"}:
        compared = days(lives, clock, beta or 1.0, dt.date.fromisoformat(str(asked.change)), maker, asked.level)
    comparisons = [*compared, *found]
    codes: dict[str, str] = {"growth.renewing_fleet": ""} if lives.height else {"growth.no_records": ""}
    codes |= {"growth.unit_mismatch": ""} if right.filter(mine).height < records.filter(mine).height else {}
    undated = lives.filter(pl.col("started_on").is_null() | pl.col("observed_on").is_null()).height
    codes |= {"growth.no_dates": str(undated)} if undated else {}
    codes |= {"growth.shape_assumed": ""} if beta is None and lives["seen"].sum() else {}
    codes |= {"growth.makers_mixed": ""} if lives["maker"].n_unique() > 1 else {}
    codes |= {"growth.no_versions": ""} if asked.change == "version" and not compared else {}
    return Growth(
        part=part, maker=maker, mode=mode, label=label, unit=unit, level=asked.level, shape=beta,
        repairs=_repairs(repairable(lives, asked.level, in_hours=unit == "h"), unit, asked.level),
        tracks=tracks, comparisons=tuple(comparisons),
        notes=tuple(Reason(code=code, text=filled(NOTES[code], count=count)) for code, count in codes.items()),
    )  # fmt: skip


def _label(view: View, part: str, maker: str | None, mode: str | None) -> Text:
    label = called(view, "part", part)
    for kind, key in (("organisation", maker), ("mode", mode)):
        if key is not None:
            more = called(view, kind, key)
            label = Text(f"{label.zh} · {more.zh}", f"{label.en} · {more.en}")
    return label


def _repairs(of: Repairable, unit: str, level: float) -> Repairs:
    def shown(figure: Figure, unit: str | None = "h") -> Estimate:
        return estimate(figure, level, unit)

    return Repairs(
        failures=round(of.failures), other_failures=round(of.others), operated=of.hours,
        mtbf=shown(of.mtbf, unit), mtbf_all=shown(of.mtbf_all, unit), mttr=shown(of.repair.mean),
        mttr_lognormal=shown(of.repair.lognormal_mean), repair_median=shown(of.repair.median),
        repair_p95=shown(of.repair.p95), downtime=shown(of.down.mean),
        availability_inherent=shown(of.inherent, None), availability_operational=shown(of.operational, None),
    )  # fmt: skip


def _tracks(
    lives: pl.DataFrame, clock: fleet.Clock | None, beta: float, of: Text, unit: str, level: float
) -> tuple[tuple[GrowthTrack, ...], list[GrowthComparison]]:
    """The tracks that the lives have, and the change of rate that is most likely in the order of production."""
    tracks: list[GrowthTrack] = []
    found: list[GrowthComparison] = []
    expected = Text("期望失效数", "expected failures")
    if clock is not None:
        tracks.append(tracked(fleet.by_operation(clock), of, "fleet_time", Text(unit, unit), level))
        equal = fleet.by_calendar(clock, beta)
        if equal is not None:
            tracks.append(tracked(equal, of, "equal_ages", expected, level))
    months, counts = fleet.by_production(lives)
    if counts is not None:
        tracks.append(tracked(counts, of, "production", expected, level))
        found = looked_for(months, level)
    return tuple(tracks), found
