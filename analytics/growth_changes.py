"""Failures after a change against those before it at equal ages: versions, days, and the month where the rate
changed.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import numpy as np
import polars as pl

from analytics import growth_fleet as fleet
from analytics.core import Estimate, Piece, digits
from analytics.life import trend
from analytics.life.growth_report import estimate, number, three
from analytics.life.repairable import Figure, rate_ratio
from analytics.names import filled
from schema import Text

COMPARED = Text(
    "{after} 对比 {before}（相同寿命下）：失效 {seen} 次，按后者的水平应为 {expected} 次，是其 {ratio} 倍"
    "（{level} % 区间 {low}～{high}）；p = {p}。",
    "{after} against {before}, at equal ages: {seen} failures where {expected} were expected at the latter's rate: "
    "{ratio} times ({level} % interval {low} to {high}); p = {p}.",
)
FOUND = Text(
    "逐月寻找的变点：{after}的单元失效 {seen} 次，按其前的水平应为 {expected} 次；p = {p}（已计入到处寻找）。",
    "Looked for at every month: of units {after}, {seen} failed where {expected} were expected at the former rate; "
    "p = {p}, the search accounted for.",
)
SIDES = {
    "version": Text("版本 {name}", "version {name}"),
    "others": Text("版本 {name}", "version {name}"),
    "others_before": Text("其他厂家", "the other makers"),
    "production": Text("{name} 起生产", "made from {name} on"),
    "production_before": Text("{name} 前生产", "made before {name}"),
    "calendar": Text("{name} 起", "from {name} on"),
    "calendar_before": Text("{name} 前", "before {name}"),
}


class GrowthComparison(Piece):
    """Failures after a change against those before it, at equal ages."""

    kind: Literal["version", "others", "production", "calendar", "found"]
    """One version against the one before; a version against all other makers' units; units made from a day on; failures
    from a day on; the month of production at which the rate most likely changed."""
    text: Text
    maker: str | None
    before: Text
    after: Text
    since: str | None
    """The first day after."""
    since_low: str | None = None
    """Of a change that was looked for, the earliest day of its interval."""
    since_high: str | None = None
    """The latest day of it."""
    failures_before: int
    expected_before: float
    """Failures to be expected if all units failed alike at equal ages."""
    failures_after: int
    expected_after: float
    ratio: Estimate
    """How many times as often it fails after: exact bounds, given the shape of life. Of a change that was looked for
    they hold for that place alone."""
    verdict: Literal["better", "worse", "unclear"]
    """Whether the interval of the ratio leaves out 1; for a change that was looked for, whether p is below 1 -
    level.
    """
    p: float
    """How often chance brings as much, two-sided; for a change that was looked for, anywhere."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The comparison as JSON values."""
        return {
            "kind": self.kind,
            "text": self.text.say(locale),
            "maker": self.maker,
            "before": self.before.say(locale),
            "after": self.after.say(locale),
            "since": self.since,
            "since_low": self.since_low,
            "since_high": self.since_high,
            "failures_before": self.failures_before,
            "expected_before": digits(self.expected_before),
            "failures_after": self.failures_after,
            "expected_after": digits(self.expected_after),
            "ratio": three(self.ratio),
            "p": digits(self.p),
            "verdict": self.verdict,
        }


def _by_version(lives: pl.DataFrame) -> pl.DataFrame:
    """Failures seen and expected of every version of every maker, in the order of production."""
    return (
        lives.filter(pl.col("version").is_not_null())
        .group_by("maker", "version")
        .agg(pl.col("seen").sum(), pl.col("expected").sum(), pl.col("made").min())
        .filter(pl.col("expected") > 0)
        .sort("maker", "made", "version")
    )


def versions(lives: pl.DataFrame, level: float) -> list[GrowthComparison]:
    """Every version of a maker against the one that it made before."""
    table = _by_version(lives)
    found = []
    for one, other in zip(table.iter_rows(named=True), table[1:].iter_rows(named=True), strict=False):
        if one["maker"] != other["maker"]:
            continue
        before, after = (one["seen"], one["expected"]), (other["seen"], other["expected"])
        ratio, p = rate_ratio(*before, *after, level)
        names, since = (one["version"], other["version"]), other["made"].isoformat() if other["made"] else None
        found.append(_comparison("version", other["maker"], names, before, after, ratio, p, level, (since,)))
    return found


def beside_others(lives: pl.DataFrame, maker: str, level: float) -> list[GrowthComparison]:
    """Every version of a maker against all units of the other makers; `lives` are those of all makers."""
    mine = pl.col("maker") == maker
    rest = lives.filter(~mine)
    others = (float(rest["seen"].sum()), float(rest["expected"].sum()))
    if not others[1] > 0:
        return []
    found = []
    for row in _by_version(lives.filter(mine)).iter_rows(named=True):
        after = (row["seen"], row["expected"])
        ratio, p = rate_ratio(*others, *after, level)
        since = row["made"].isoformat() if row["made"] else None
        found.append(_comparison("others", maker, ("", row["version"]), others, after, ratio, p, level, (since,)))
    return found


def days(
    lives: pl.DataFrame, clock: fleet.Clock | None, beta: float, day: dt.date, maker: str | None, level: float
) -> list[GrowthComparison]:
    """Units made before and after the day given, and failures before and after it."""
    sides = lives.filter(pl.col("made").is_not_null())
    later = sides.filter(pl.col("made") >= day)
    whole, part = ((float(each["seen"].sum()), float(each["expected"].sum())) for each in (sides, later))
    pairs = [("production", (whole[0] - part[0], whole[1] - part[1]), part)]
    if clock is not None and (equal := fleet.by_calendar(clock, beta)) is not None:
        at = float((day - fleet.EPOCH).days)
        end = float(equal.end[0])
        expected = float(clock.aged(np.array([at]), beta)[0] / clock.aged(np.array([clock.over]), beta)[0] * end)
        seen = float((clock.failures < at).sum())
        pairs.append(("calendar", (seen, expected), (len(clock.failures) - seen, end - expected)))
    found = []
    for kind, before, after in pairs:
        ratio, p = rate_ratio(*before, *after, level)
        names = (day.isoformat(), day.isoformat())
        found.append(_comparison(kind, maker, names, before, after, ratio, p, level, names[:1]))
    return found


def looked_for(months: pl.DataFrame, level: float) -> list[GrowthComparison]:
    """The month of production from which the rate at equal ages most likely changed; `months` as by
    `fleet.by_production`.
    """
    change = trend.change_in_counts(months["seen"], months["expected"], level)
    if change is None:
        return []
    edges = np.cumsum(months["expected"].to_numpy())
    places = np.minimum(np.searchsorted(edges, np.array(change.at) * (1 - 1e-9)) + 1, months.height - 1)
    since, low, high = (months["made"][int(place)].isoformat() for place in places)
    before, after = (change.before, change.exposure_before), (change.after, change.exposure_after)
    ratio, _ = rate_ratio(*before, *after, level)
    return [_comparison("found", None, (since, since), before, after, ratio, change.p, level, (since, low, high))]


def _comparison(
    kind: Any,
    maker: str | None,
    names: tuple[str, str],
    before: tuple[float, float],
    after: tuple[float, float],
    ratio: Figure,
    p: float,
    level: float,
    since: tuple[str | None, ...],
) -> GrowthComparison:
    """A comparison in figures and words; `before` and `after` are failures seen and expected."""
    words = "production" if kind == "found" else kind
    sides = [
        filled(SIDES.get(f"{words}{end}", SIDES[words]), name=n) for end, n in zip(("_before", ""), names, strict=True)
    ]
    expected = after[1] * before[0] / before[1] if before[1] > 0 else np.nan
    figures = {
        "seen": number(after[0]), "expected": number(expected), "ratio": number(ratio.value), "low": number(ratio.low),
        "high": "∞" if np.isnan(ratio.high) else number(ratio.high), "p": number(p), "level": number(100 * level),
    }  # fmt: skip
    said = filled(FOUND if kind == "found" else COMPARED, before=sides[0], after=sides[1], **figures)
    return GrowthComparison(
        kind=kind, text=said, maker=maker, before=sides[0], after=sides[1], since=since[0],
        since_low=since[1] if len(since) > 1 else None, since_high=since[2] if len(since) > 1 else None,
        failures_before=round(before[0]), expected_before=before[1], failures_after=round(after[0]),
        expected_after=after[1], ratio=estimate(ratio, level), p=p, verdict=_verdict(kind, ratio, p, level),
    )  # fmt: skip


def _verdict(kind: str, ratio: Figure, p: float, level: float) -> Literal["better", "worse", "unclear"]:
    if kind == "found":
        clear = p < 1 - level
        return "unclear" if not clear else "better" if ratio.value < 1 else "worse"
    return "better" if ratio.high < 1 else "worse" if ratio.low > 1 else "unclear"
