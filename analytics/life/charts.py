"""Probability plots and hazard rates of fitted groups, as pictures (`analytics.life.plots`)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2

from analytics.life import plots
from analytics.life.distribution import Distribution, Fits, Intervals, Quantity
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit
from analytics.life.likelihood import likelihood_ratio
from analytics.life.pieces import Ends, LifeFit
from analytics.life.plots import Layer, Picture, Spacing
from analytics.life.quantities import hazard_rate, parameter, reliability, wald
from analytics.life.ranks import points as ranked
from analytics.life.ranks import rank_fits
from analytics.life.rows import Event, Floats, Ints, LifeRows, exits
from analytics.life.survival import kaplan_meier
from analytics.life.turnbull import turnbull
from schema import Text

PAPER: dict[str, tuple[Spacing, Spacing]] = {
    "exponential": ("linear", "exponential"),
    "lognormal": ("log", "normal"),
    "normal": ("linear", "normal"),
    "loglogistic": ("log", "logistic"),
    "gumbel": ("linear", "weibull"),
}
"""How the axes of ages and of shares are spaced, so that the distribution is a straight line (Meeker and Escobar,
Statistical Methods for Reliability Data, 1998, sections 6.2 and 6.3); Weibull paper for all others."""
WEIBULL_PAPER: tuple[Spacing, Spacing] = ("log", "weibull")

GREEK = {"eta": "η", "beta": "β", "gamma": "γ", "mu": "μ", "sigma": "σ", "alpha": "α", "rate": "λ", "lambda": "λ"}

AGES = 60
"""Ages at which a line and its band are computed."""
HEAVIEST = 2_000_000
"""Rows x ages beyond which a likelihood-ratio band takes too long, and differs from the Wald band by nothing."""
RANKED = 20_000
"""Failures up to which exact median ranks are worth their time."""
BINS, IN_BIN = 8, 3
"""A hazard is estimated in at most so many bins of ages, with at least about so many failures in each."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One group of a picture: its records (one group of rows), its fit (one group), and what it is called."""

    name: Text
    data: LifeRows
    fits: Fits

    @property
    def distribution(self) -> Distribution:
        """What was fitted."""
        return self.fits.distribution

    @property
    def fitted(self) -> bool:
        """Whether there is a curve to draw."""
        return bool(self.fits.fitted[0])

    def heavy(self, ages: int = AGES) -> bool:
        """Whether likelihood-ratio intervals at so many ages would take minutes: with so many rows they are Wald's."""
        return len(self.data.age) * ages > HEAVIEST

    def interval(self, quantity: Quantity, level: float, method: Ends, ages: int = 1) -> Intervals:
        """The quantity of `ages` ages with intervals, as if each age were a group of its own."""
        fits = taken(self.fits, np.zeros(ages, np.int64))
        rows = len(self.data.age)
        if method == "wald" or self.heavy(ages):
            return wald(fits, quantity, level)
        index, of = np.tile(np.arange(rows), ages), np.repeat(np.arange(ages), rows)
        one = self.data
        data = LifeRows(
            one.age[index], one.event[index], one.entry[index], one.age_to[index], one.count[index], of, ages
        )
        return likelihood_ratio(fits, data, quantity, level)


def alone(data: LifeRows, group: int) -> LifeRows:
    """The rows of one group by themselves."""
    rows = data.take(data.group == group)
    return replace(rows, group=np.zeros(len(rows.age), np.int64), groups=1)


def refitted(said: LifeFit, data: LifeRows) -> Fits:
    """The fit behind what was said of the group that `data` is, with what a picture needs of it."""
    of = DISTRIBUTIONS[said.distribution or "weibull"]
    return rank_fits(of, data) if said.method == "rr" else fit(of, data)


def taken(fits: Fits, groups: Ints) -> Fits:
    """The fits of `groups`, in that order."""
    return Fits(
        fits.distribution, fits.parameters[:, groups], fits.covariance[:, :, groups], fits.log_likelihood[groups],
        fits.n[groups], fits.failures[groups], fits.distinct[groups], fits.status[groups],
    )  # fmt: skip


def positions(data: LifeRows) -> tuple[Floats, Floats]:
    """Where the failures of one group are plotted: (ages, shares failed), sorted by age; empty without a failure.

    Exact median ranks, suspensions by Johnson's adjusted ranks (`analytics.life.ranks.points`), where every unit was
    seen from age 0 and every failure at its age. Else, and for more than `RANKED` failures, where they cannot be told
    apart, by the estimate that needs no distribution: the middle of the steps of Kaplan and Meier's, or Turnbull's at
    the upper ends of intervals (Meeker and Escobar 1998, sections 6.4.1 to 6.4.3). Of its first stretch, where
    observation was interrupted, and without the end, where it is 1.
    """
    if ranks_belong(data) and np.sum(data.count[data.event == Event.FAILURE]) <= RANKED:
        found = ranked(data)
        return found.age, found.rank
    if not np.any(data.event == Event.INTERVAL):
        curve = kaplan_meier(data)
        first = curve.curve == 0
        survival = curve.estimate[first]
        return curve.age[first], 1 - (np.r_[1.0, survival[:-1]][: len(survival)] + survival) / 2
    masses = turnbull(data)
    first = (masses.origin == masses.origin.min(initial=np.inf)) & np.isfinite(masses.age_to) & (masses.survival > 0)
    return masses.age_to[first], 1 - masses.survival[first]


def ranks_belong(data: LifeRows) -> bool:
    """Whether all units were seen from age 0 and all failures at their age, so that ranks belong to them."""
    return not np.any(data.entry > 0) and not np.any(data.event == Event.INTERVAL)


def life_table(data: LifeRows, level: float = 0.9) -> tuple[Floats, Intervals]:
    """The hazard rate of one group without a distribution: edges of bins of ages (bins + 1,), and a rate in each.

    Failures in the bin by the total age that units spent in it, which is the maximum likelihood estimate of a rate that
    is constant there (Aalen, Borgan and Gjessing, Survival and Event History Analysis, 2008, section 5.2), with exact
    Poisson limits (Garwood, Biometrika 28, 1936, 437-442). Edges are half-way between failures, so that bins have about
    equally many; an interval counts at its middle. No bin without a failure.
    """
    leaving, failed = exits(data), data.event != Event.SUSPENSION
    ages, which = np.unique(leaving[failed], return_inverse=True)
    count = np.bincount(which, data.count[failed], len(ages))
    total = count.sum()
    bins = int(np.clip(total // IN_BIN, 1, BINS))
    inner = np.unique(np.searchsorted(np.cumsum(count), total * np.arange(1, bins) / bins - 1e-9))
    inner = inner[inner + 1 < len(ages)]
    first, last = data.entry.min(initial=np.inf), leaving.max(initial=0)
    edges = np.unique(np.r_[min(first, last), (ages[inner] + ages[inner + 1]) / 2, last])
    if total == 0 or len(edges) < 2:
        none = np.zeros(0)
        return none, Intervals(none, none, none, none, level)
    failures = np.histogram(ages, edges, weights=count)[0]
    exposure = np.array([
        np.sum(data.count * np.maximum(np.minimum(leaving, high) - np.maximum(data.entry, low), 0.0))
        for low, high in itertools.pairwise(edges)
    ])  # fmt: skip
    tail = (1 - level) / 2
    rate = failures / exposure
    low, high = chi2.ppf(tail, 2 * failures) / (2 * exposure), chi2.ppf(1 - tail, 2 * failures + 2) / (2 * exposure)
    return edges, Intervals(rate, rate / np.sqrt(failures), low, high, level)


def probability_plot(
    groups: Sequence[Drawn], title: Text, *, unit: str | None = None, level: float = 0.9, interval: Ends = "wald"
) -> Picture:
    """The failures of some groups on the paper of the first one's distribution, with fitted lines and bands.

    A group without a fit has its points alone; suspensions are ticks along the axis.
    """
    spacing_x, spacing_y = PAPER.get(groups[0].distribution.name, WEIBULL_PAPER) if groups else WEIBULL_PAPER
    plotted = [positions(each.data) for each in groups]
    seen = np.concatenate([exits(each.data) for each in groups]) if groups else np.zeros(0)
    first = min((float(age.min()) for age, _ in plotted if age.size), default=0.0)
    x = _ages_axis(seen[seen >= first / 3], spacing_x, unit)
    ages = plots.spread(spacing_x, x.low, x.high, AGES)
    shares = [share for _, share in plotted]
    layers: list[Layer] = []
    for each, (age, share) in zip(groups, plotted, strict=True):
        if each.fitted:
            found = each.interval(reliability(each.distribution, ages), level, interval, AGES)
            layers += [plots.band(each.name, ages, 1 - found.high, 1 - found.low)]
            layers += [plots.line(each.name, ages, 1 - found.value)]
            within = (ages >= age.min(initial=np.inf)) & (ages <= exits(each.data).max())
            shares.append(np.clip(1 - found.value[within], share.min(initial=0.01) / 2, 0.999))
        layers.append(plots.points(each.name, age, share))
        layers.append(plots.rug(each.name, each.data.age[each.data.event == Event.SUSPENSION]))
    return Picture(
        title=title,
        subtitle=_said(groups, unit, level, interval),
        note=_reading(groups, level),
        x=x,
        y=plots.probability_axis(
            Text("累积失效概率", "Share failed"), spacing_y, np.concatenate(shares) if shares else np.zeros(0)
        ),
        layers=tuple(layer for layer in layers if layer.x),
    )


def hazard_plot(
    groups: Sequence[Drawn], title: Text, *, unit: str | None = None, level: float = 0.9, interval: Ends = "wald"
) -> Picture:
    """Fitted hazard rates with bands, and beside them those of a life table, which needs no distribution."""
    seen = np.concatenate([exits(each.data) for each in groups]) if groups else np.zeros(0)
    x = plots.linear_axis(_age_text(unit), np.r_[0.0, seen], zero=True)
    ages = np.linspace(0.0, seen.max(initial=1.0), AGES + 1)[1:]
    layers: list[Layer] = []
    heights: list[Floats] = []
    for each in groups:
        fitted, counted = _names(each, alone=len(groups) == 1, counted=Text("寿命表", "Life table"))
        edges, table = life_table(each.data, level)
        if each.fitted:
            found = each.interval(hazard_rate(each.distribution, ages), level, interval, AGES)
            layers += [plots.band(fitted, ages, found.low, found.high), plots.line(fitted, ages, found.value)]
            heights += [found.value[AGES // 20 :], 2 * np.atleast_1d(np.nanmedian(found.value))]
        if len(edges):
            layers.append(plots.points(counted, (edges[:-1] + edges[1:]) / 2, table.value, table.low, table.high))
            heights.append(table.high)
    tallest = np.concatenate(heights) if heights else np.ones(1)
    tallest = tallest[np.isfinite(tallest)]
    thousands = max(math.ceil(-math.log10(tallest.max(initial=0.0) or 1.0) / 3 - 1 / 3), 0)
    per = 1000**thousands
    layers = [
        each.model_copy(update={c: tuple(per * v for v in getattr(each, c)) for c in ("y", "low", "high")})
        for each in layers
    ]
    of = f"{f'{per:,} ' if per > 1 else ''}{unit or ''}".strip() or "1"
    return Picture(
        title=title,
        subtitle=_said(groups, unit, level, interval),
        note=Text(
            f"线与色带：拟合及 {100 * level:g} % 区间；点与竖线：寿命表，不假定分布。",
            f"Line and band: fit with {100 * level:g} % interval; points and bars: life table, without a distribution.",
        ),
        x=x,
        y=plots.linear_axis(Text(f"失效率（每 {of}）", f"Failures per {of}"), np.r_[0.0, per * tallest], zero=True),
        layers=tuple(layer for layer in layers if layer.x),
    )


def survival_plot(
    groups: Sequence[Drawn], title: Text, *, unit: str | None = None, level: float = 0.9, interval: Ends = "wald"
) -> Picture:
    """The share that survives each age: Kaplan-Meier curves with bands, and beside them the fitted distributions."""
    seen = np.concatenate([exits(each.data) for each in groups]) if groups else np.zeros(0)
    x = plots.linear_axis(_age_text(unit), np.r_[0.0, seen], zero=True)
    layers: list[Layer] = []
    for each in groups:
        fitted, counted = _names(each, alone=len(groups) == 1, counted=Text("Kaplan–Meier 曲线", "Kaplan-Meier"))
        curve = kaplan_meier(each.data, level)
        ends = exits(each.data)
        for stretch in range(len(curve.units)):
            at = curve.curve == stretch
            age = np.r_[
                curve.origin[at][:1], curve.age[at], ends.max(initial=0) if stretch + 1 == len(curve.units) else []
            ]
            estimate, low, high = (
                np.r_[1.0, column[at], column[at][-1:] if len(age) > at.sum() + 1 else []]
                for column in (curve.estimate, curve.low, curve.high)
            )
            stairs = np.repeat(np.arange(len(age)), 2)
            layers.append(plots.band(counted, age[stairs[1:]], low[stairs[:-1]], high[stairs[:-1]]))
            layers.append(plots.line(counted, age, estimate, steps=True))
        if each.fitted:
            ages = np.linspace(0.0, ends.max(initial=1.0), AGES + 1)[1:]
            found = each.interval(reliability(each.distribution, ages), level, "wald", AGES)
            layers.append(plots.line(fitted, ages, found.value))
        layers.append(plots.rug(counted, each.data.age[each.data.event == Event.SUSPENSION]))
    share = f"{100 * level:g} %"
    return Picture(
        title=title,
        subtitle=_said(groups, unit, level, interval),
        note=Text(
            f"阶梯与色带：Kaplan–Meier 曲线及 {share} 区间，不假定分布；曲线：拟合；底部短线：中止（尚未失效）。",
            f"Steps and band: Kaplan-Meier with {share} interval, without a distribution; curve: fit; ticks below: "
            "suspensions.",
        ),
        x=x,
        y=plots.linear_axis(Text("可靠度", "Share surviving"), [0.0, 1.0], zero=True),
        layers=tuple(layer for layer in layers if layer.x),
    )


def _names(of: Drawn, *, alone: bool, counted: Text) -> tuple[Text, Text]:
    """What the fitted and the counted are called: by their group where there are several."""
    return (of.distribution.text, counted) if alone else (of.name, of.name)


def _age_text(unit: str | None) -> Text:
    return Text(f"寿命（{unit}）", f"Age ({unit})") if unit else Text("寿命", "Age")


def _ages_axis(seen: Floats, spacing: Spacing, unit: str | None) -> plots.Axis:
    if spacing == "linear":
        return plots.linear_axis(_age_text(unit), seen)
    seen = seen[seen > 0]
    room = 1.2 if seen.size else 1.0
    return plots.log_axis(_age_text(unit), np.r_[seen / room, seen * room])


def _said(groups: Sequence[Drawn], unit: str | None, level: float, interval: Ends) -> Text | None:
    """Parameters with their intervals of one group; of several what is fitted."""
    if len(groups) != 1:
        names = list(dict.fromkeys(each.distribution.text for each in groups if each.fitted))
        if not names:
            return None
        return Text("、".join(n.zh for n in names), ", ".join(n.en for n in names))
    (one,) = groups
    failures, suspended = one.fits.failures[0], one.fits.n[0] - one.fits.failures[0]
    counts = Text(
        f"失效 {plots.number(failures)}，中止 {plots.number(suspended)}",
        f"{plots.number(failures)} failures, {plots.number(suspended)} suspensions",
    )
    if not one.fitted:
        return counts
    figures = []
    for each in one.distribution.parameters:
        found = one.interval(parameter(one.distribution, each.name), level, interval)
        value, low, high = (float(f"{end[0]:.4g}") for end in (found.value, found.low, found.high))
        unit_said = f" {unit}" if unit and each.unit == "age" else ""
        ends = f"{plots.number(low)} – {plots.number(high)}" if np.isfinite([low, high]).all() else "–"
        figures.append(f"{GREEK.get(each.name, each.name)} = {plots.number(value)}{unit_said} ({ends})")
    of = one.distribution.text
    share = f"{100 * level:g} %"
    return Text(
        f"{of.zh}：{'，'.join(figures)}，{share} 区间；{counts.zh}",
        f"{of.en}: {', '.join(figures)}, {share} interval; {counts.en}",
    )


def _reading(groups: Sequence[Drawn], level: float) -> Text:
    zh, en = "中位秩", "at median ranks"
    if any(np.any(each.data.event == Event.INTERVAL) for each in groups):
        zh, en = "Turnbull 估计，区间取上限", "by Turnbull's estimate, of intervals at their ends"
    elif not all(ranks_belong(each.data) for each in groups):
        zh, en = "Kaplan–Meier 估计", "by Kaplan and Meier's estimate"
    share = f"{100 * level:g} %"
    return Text(
        f"点：失效（{zh}）；线与色带：拟合及 {share} 区间；底部短线：中止（尚未失效）。",
        f"Points: failures {en}; line and band: fit with {share} interval; ticks below: suspensions.",
    )
