"""The answer about growth as people get it: a fitted power law with its tests, in JSON, as a table and as a picture."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from analytics.core import Estimate, Piece, Reason, digits
from analytics.life import growth_bounds as bounds
from analytics.life import plots, trend
from analytics.life.distribution import Status
from analytics.life.growth import Grouped, Growth, Observed, fit
from analytics.life.plots import Picture
from analytics.life.recurrence import Systems, mean_cumulative
from analytics.life.repairable import LEVEL, NOTHING, Figure, Termination
from analytics.life.rows import Floats
from schema import Text

Axis = Literal["time", "fleet_time", "equal_ages", "production"]

TIMES = ("time", "fleet_time")
"""Axes that are times: on the others an MTBF means little to people."""
DOUBT = 0.05
"""A p below this is worth a warning."""
FEW = 3
"""With fewer failures there is no test of the law, and little else."""
AHEAD = 0.25
"""Failures to come are given over so much of the time watched."""
PLACES = 80

WARNINGS = {
    "growth.no_failure": Text(
        "没有失效：没有趋势可言，只有平均故障间隔时间的下限。",
        "No failure: nothing is known of a trend; there is a low end of the mean time between failures.",
    ),
    "growth.too_few": Text(
        "定数截尾时一次失效不能确定增长。", "Up to a failure, one failure alone tells nothing of growth."
    ),
    "growth.no_maximum": Text(
        "似然没有极大值（失效都在两端之一）。", "The likelihood has no maximum: all failures are at one end."
    ),
    "growth.few": Text(
        "失效不足三次：区间很宽，无法检验拟合优度。",
        "Fewer than three failures: wide intervals, and no test of the power law.",
    ),
    "growth.poor_fit": Text(
        "数据不符合幂律（{test}，p = {p}）：不要外推。",
        "The data speak against a power law ({test}, p = {p}): do not extrapolate.",
    ),
    "growth.approximate": Text(
        "瞬时 MTBF 的区间为近似（费希尔信息）。",
        "The interval of the instantaneous MTBF is approximate, by the information.",
    ),
    "growth.change": Text(
        "故障强度在 {at} 前后有变化（p = {p}）：其后为其前的 {ratio} 倍。",
        "The rate of failures changed about {at} (p = {p}): after it {ratio} times that before.",
    ),
    "growth.begin": Text(
        "{at} 之前没有失效（p = {p}）：失效从那时开始。",
        "There was no failure before about {at} (p = {p}): they began then.",
    ),
}
TESTS = {
    "laplace": Text("拉普拉斯趋势检验", "Laplace's test of trend"),
    "military": Text("MIL-HDBK-189 趋势检验", "MIL-HDBK-189 test of trend"),
    "anderson_darling": Text("Anderson-Darling 趋势检验", "Anderson-Darling test of trend"),
    "lewis_robinson": Text("Lewis-Robinson 趋势检验", "Lewis-Robinson test of trend"),
    "mann": Text("Mann 趋势检验", "Mann's test of trend"),
    "wald": Text("β = 1 检验（费希尔信息）", "test of beta = 1 by the information"),
    "cramer_von_mises": Text("Cramér-von Mises 拟合优度", "Cramer-von Mises, goodness of fit"),
    "chi_square": Text("卡方拟合优度", "chi-square, goodness of fit"),
}
HEADINGS = (Text("指标", "Quantity"), Text("值", "Value"), Text("下限", "Low"), Text("上限", "High"))


def number(value: float) -> str:
    """A number in a sentence."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def warning(code: str, **values: Text | str) -> Reason:
    """The warning with this code, its marks filled in."""
    zh, en = ({n: getattr(v, of) if isinstance(v, Text) else v for n, v in values.items()} for of in ("zh", "en"))
    return Reason(code=code, text=Text(WARNINGS[code].zh.format(**zh), WARNINGS[code].en.format(**en)))


def estimate(of: Figure, level: float, unit: str | None = None) -> Estimate:
    """A figure as it is answered."""
    value, low, high = (float(each) if np.isfinite(each) else None for each in of)
    return Estimate(value=value, low=low, high=high, level=level, unit=unit)


def three(of: Estimate) -> dict[str, float | None]:
    """An estimate as its three numbers."""
    return {"value": digits(of.value), "low": digits(of.low), "high": digits(of.high)}


class GrowthTest(Piece):
    """A test: of a trend, or of the power law."""

    name: str
    """laplace, military (MIL-HDBK-189), anderson_darling, lewis_robinson, mann; cramer_von_mises, chi_square."""
    text: Text
    statistic: float
    p: float
    """Two-sided for a trend; below 0.05 speaks for a trend, or against the power law."""
    n: int
    """How many failures, times between them or intervals count."""

    def payload(self) -> dict[str, Any]:
        """The test as JSON values."""
        return {"name": self.name, "statistic": digits(self.statistic), "p": digits(self.p), "n": self.n}


class GrowthPoint(Piece):
    """One change of the rate of failures, looked for at all places."""

    at: Estimate
    """The most likely place, with the interval of its posterior."""
    before: int
    """Failures before it."""
    after: int
    """Failures after it."""
    ratio: float | None
    """The mean rate after over that before; no interval: the place was chosen for it."""
    p: float
    """How often chance alone brings as clear a change somewhere."""

    def payload(self) -> dict[str, Any]:
        """The change as JSON values."""
        plain = {"before": self.before, "after": self.after, "ratio": digits(self.ratio), "p": digits(self.p)}
        return {"at": three(self.at), **plain}


class GrowthTrack(Piece):
    """A power law fitted to failures along one axis."""

    axis: Axis
    """What time is: that of the file; the fleet's cumulative operating time; failures expected at equal ages, by the
    calendar or in the order of production."""
    unit: Text
    """Unit of the axis; empty where nobody said it."""
    failures: int
    systems: int
    end: float
    """Where observation ended."""
    termination: Termination
    level: float
    beta: Estimate
    """The shape: below 1 failures become rarer, above 1 more frequent."""
    beta_unbiased: float | None
    scale: Estimate
    """Lambda: lambda t^beta failures are expected up to t."""
    mtbf_instantaneous: Estimate
    """Mean time between failures at the end."""
    mtbf_cumulative: Estimate
    """Mean time between failures over all of it."""
    intensity: Estimate
    """Failures per unit of time at the end."""
    to_come: Estimate
    """Failures that will be counted over a further quarter of the time: a prediction interval."""
    goodness: GrowthTest | None
    """Does the power law hold?"""
    trend: tuple[GrowthTest, ...]
    """Does the rate change at all?"""
    change: GrowthPoint | None
    """Where a constant rate would most likely have changed."""
    steady: GrowthPoint | None
    """Where the power law itself would most likely have changed, on a scale from 0 to 1 on which it is a constant
    rate.
    """
    warnings: tuple[Reason, ...]
    plot: Picture

    def payload(self, locale: str) -> dict[str, Any]:
        """The track as JSON values."""
        return {
            "axis": self.axis,
            "unit": self.unit.say(locale),
            "failures": self.failures,
            "systems": self.systems,
            "end": digits(self.end),
            "termination": self.termination,
            "level": self.level,
            "beta": three(self.beta),
            "beta_unbiased": digits(self.beta_unbiased),
            "lambda": three(self.scale),
            "mtbf_instantaneous": three(self.mtbf_instantaneous),
            "mtbf_cumulative": three(self.mtbf_cumulative),
            "intensity": three(self.intensity),
            "to_come": {"time": digits(AHEAD * self.end), **three(self.to_come)},
            "goodness_of_fit": self.goodness.payload() if self.goodness else None,
            "trend": [each.payload() for each in self.trend],
            "change_point": self.change.payload() if self.change else None,
            "change_of_law": self.steady.payload() if self.steady else None,
            "warnings": [each.payload(locale) for each in self.warnings],
        }

    def rows(self, locale: str) -> list[list[Any]]:
        """The track as rows under `HEADINGS`."""
        zh, en = (f"，{self.unit.zh}", f", {self.unit.en}") if self.unit.en else ("", "")
        further = f"{number(AHEAD * self.end)} {self.unit.say(locale)}".strip()
        rows: list[list[Any]] = [
            [Text("失效数", "Failures").say(locale), self.failures, None, None],
            [Text(f"观察终点{zh}", f"End{en}").say(locale), digits(self.end), None, None],
        ]
        figures = [(Text("β（<1 增长）", "beta (<1: growth)"), self.beta)]
        if self.axis in TIMES:
            figures += [
                (Text("λ", "lambda"), self.scale),
                (Text(f"瞬时 MTBF{zh}", f"Instantaneous MTBF{en}"), self.mtbf_instantaneous),
                (Text(f"累计 MTBF{zh}", f"Cumulative MTBF{en}"), self.mtbf_cumulative),
                (Text(f"再过 {further} 的失效数", f"Failures in a further {further}"), self.to_come),
            ]
        for text, of in figures:
            rows.append([text.say(locale), digits(of.value), digits(of.low), digits(of.high)])
        tests = [*([self.goodness] if self.goodness else []), *self.trend]
        rows += [[f"{each.text.say(locale)}, p", digits(each.p), None, None] for each in tests]
        if self.change:
            at, p = self.change.at, number(self.change.p)
            name = Text(f"变点（p = {p}）{zh}", f"Change (p = {p}){en}")
            rows.append([name.say(locale), digits(at.value), digits(at.low), digits(at.high)])
        return rows


def tracked(
    data: Observed | Grouped,
    of: Text,
    axis: Axis = "time",
    unit: Text | None = None,
    level: float = LEVEL,
) -> GrowthTrack:
    """All that the data say of growth. `of` is what they are about, `unit` that of the time."""
    found = fit(data)
    time = unit or Text("", "")
    plain = time.en or None if axis in TIMES else None
    tests, goodness, change, steady = _tested(data, found, level)
    unbiased = found.unbiased
    return GrowthTrack(
        axis=axis, unit=time, failures=round(found.failures), systems=found.systems, end=found.end,
        termination=found.termination, level=level,
        beta=estimate(bounds.shape(found, level), level),
        beta_unbiased=float(unbiased) if np.isfinite(unbiased) else None,
        scale=estimate(bounds.scale(found, level), level),
        mtbf_instantaneous=estimate(bounds.mtbf(found, None, level) if _fitted(found) else NOTHING, level, plain),
        mtbf_cumulative=estimate(bounds.mtbf_cumulative(found, level), level, plain),
        intensity=estimate(bounds.intensity(found, None, level) if _fitted(found) else NOTHING, level),
        to_come=estimate(bounds.to_come(found, AHEAD * found.end, level)[1], level),
        goodness=goodness, trend=tests, change=change, steady=steady,
        warnings=_warnings(found, goodness, change, time, axis), plot=picture(data, found, of, time, level, change),
    )  # fmt: skip


def _fitted(found: Growth) -> bool:
    return found.status == Status.FITTED


def _tested(
    data: Observed | Grouped, found: Growth, level: float
) -> tuple[tuple[GrowthTest, ...], GrowthTest | None, GrowthPoint | None, GrowthPoint | None]:
    """Tests of trend and of the law, and changes of a constant rate and of the law."""

    def shown(of: trend.Trend | bounds.GoodnessOfFit) -> GrowthTest:
        return GrowthTest(name=of.name, text=TESTS[of.name], statistic=of.statistic, p=of.p, n=of.n)

    if isinstance(data, Grouped):
        goodness = bounds.chi_square(data, found)
        tests: tuple[GrowthTest, ...] = ()
        if _fitted(found):
            z = float(np.log(found.beta) / np.sqrt(found.covariance[1, 1]))
            wald = trend.Trend("wald", z, trend.normal(z), len(data.failures))
            tests = (shown(wald),)
        change = trend.change_in_counts(data.failures, data.high - data.low, level)
        lower = float(data.low.min())
        return tests, shown(goodness) if goodness else None, _point(change, level, lower), None
    goodness = bounds.cramer_von_mises(data)
    tests = tuple(shown(each) for each in trend.tests(data))
    change = steady = None
    if data.together:
        inside = data.time[data.time < data.end[data.system]] if data.termination == "failure" else data.time
        change = trend.change_point(inside, float(data.end[0]), level)
        straight = trend.without_growth(data)
        steady = trend.change_point(straight, 1.0, level) if straight is not None else None
    return tests, shown(goodness) if goodness else None, _point(change, level), _point(steady, level)


def _point(of: trend.Change | None, level: float, start: float = 0.0) -> GrowthPoint | None:
    if of is None:
        return None
    ratio = of.after / of.exposure_after / (of.before / of.exposure_before) if of.before else None
    at = estimate(Figure(*(each + start for each in of.at)), level)
    return GrowthPoint(at=at, before=of.before, after=of.after, ratio=ratio, p=of.p)


def _warnings(
    found: Growth, goodness: GrowthTest | None, change: GrowthPoint | None, unit: Text, axis: Axis
) -> tuple[Reason, ...]:
    said = []
    status = {
        Status.NO_FAILURE: "growth.no_failure",
        Status.TOO_FEW: "growth.too_few",
        Status.NO_MAXIMUM: "growth.no_maximum",
    }.get(found.status)
    if status:
        said.append(warning(status))
    elif found.failures < FEW:
        said.append(warning("growth.few"))
    if _fitted(found) and not found.exact and axis in TIMES:
        said.append(warning("growth.approximate"))
    if goodness and goodness.p < DOUBT:
        said.append(warning("growth.poor_fit", test=goodness.text, p=number(goodness.p)))
    if change and change.p < DOUBT and change.at.value is not None:
        place = number(change.at.value)
        at = Text(f"{place} {unit.zh}".strip(), f"{place} {unit.en}".strip())
        p = number(change.p)
        if change.ratio is None:
            said.append(warning("growth.begin", at=at, p=p))
        else:
            said.append(warning("growth.change", at=at, p=p, ratio=number(change.ratio)))
    return tuple(said)


def steps(data: Observed | Grouped) -> tuple[Floats, Floats]:
    """Failures of one system so far, by time: a failure counts one over the systems watched at that time (Nelson
    1988).
    """
    if isinstance(data, Grouped):
        return np.append(data.low[:1], data.high), np.append(0.0, np.cumsum(data.failures))
    time = np.sort(data.time)
    begun = np.searchsorted(np.sort(data.start), time, side="left")
    watched = begun - np.searchsorted(np.sort(data.end), time, side="left")
    return time, np.cumsum(1 / np.maximum(watched, 1))


def picture(
    data: Observed | Grouped, found: Growth, of: Text, unit: Text, level: float, change: GrowthPoint | None = None
) -> Picture:
    """Failures so far over time, the fitted power law with its band, and where the rate most likely changed.

    Of several systems the points are the mean cumulative function, with the band that needs no law.
    """
    when, count = steps(data)
    seen = Text("失效", "Failures seen")
    layers = [plots.points(seen, when, count)]
    if isinstance(data, Observed) and len(data.start) > 1 and len(data.time):
        one = np.zeros(len(data.start), np.int64)
        every = Systems(one, data.start, data.end, data.system, data.time, np.ones(len(data.time)), 1)
        curve = mean_cumulative(every, level)
        mean = Text("平均累积函数的区间", "Mean cumulative function, interval")
        layers.append(plots.band(mean, curve.age, curve.low, curve.high))
    time = Text(f"累计时间（{unit.zh}）", f"Time ({unit.en})") if unit.en else Text("累计时间", "Time")
    tops = [0.0, *count.tolist()]
    subtitle = None
    if _fitted(found):
        at = np.linspace(0, found.end, PLACES + 1)[1:]
        value, low, high = bounds.expected(found, at, level)
        origin = bounds.expected(found, found.start.min(), level)[0] if isinstance(data, Grouped) else 0.0
        low, value, high = low - origin, value - origin, high - origin
        law = Text("幂律（Crow-AMSAA）", "Power law (Crow-AMSAA)")
        layers += [plots.line(law, at, value), plots.band(law, at, low, high)]
        tops += high[np.isfinite(high)].tolist()[-1:]
        beta, instant = bounds.shape(found, level), bounds.mtbf(found, None, level)
        words = [
            f"{name} = {number(each.value)}" + _ends(each)
            for name, each in (("β", beta), ("MTBF", instant))
            if np.isfinite(each.value)
        ]
        subtitle = Text("，".join(words), ", ".join(words))
    if change and change.p < DOUBT and change.at.value is not None:
        layers.append(plots.rug(Text("变点", "Change of the rate"), [change.at.value]))
    return Picture(
        title=plots.titled(Text("可靠性增长", "Growth"), of),
        subtitle=subtitle,
        x=plots.linear_axis(time, [0, found.end], zero=True),
        y=plots.linear_axis(Text("累计失效数", "Failures so far"), tops, zero=True),
        layers=tuple(layers),
    )


def _ends(of: Figure) -> str:
    return f" ({number(of.low)} – {number(of.high)})" if np.isfinite(of.low) and np.isfinite(of.high) else ""
