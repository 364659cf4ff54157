"""Which further test would tell most: what the interval of a product would gain by testing each maker's part."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field
from scipy.stats import chi2, norm

from analytics.arrays import Floats
from analytics.contributions import EVIDENCE
from analytics.core import Estimate, Parameters, Piece, Reason, Result, analysis, digits
from analytics.evidence import RULE_OF_THREE
from analytics.hazard import Hazards, Kind
from analytics.labels import called
from analytics.model import Model, explained, model
from analytics.propagation import margins, slopes
from chaingraph import naming
from chaingraph.view import View
from schema import Text

LONGEST = 60.0
"""A cumulative hazard at which all units have failed."""

NOTES = {
    "unknown": Text(
        "{parts} 没有任何数据，无区间可缩小：任何试验都会给出首个上限，宜先行安排。",
        "Nothing is known of {parts}, so that there is no interval to narrow: any test would give a first bound, and "
        "should come before.",
    ),
    "nothing": Text("没有可缩小的区间。", "There is no interval to narrow."),
}
"""What is to be known of the whole list."""


class TestGainsParameters(Parameters):
    """Which product, over which mission, and what a test would be."""

    product: str = Field(description="Number of the product, or ISSUER/NUMBER.")
    mission: float = Field(gt=0, description="Length of the mission, in the product's age unit.")
    units: int = Field(default=10, ge=1, le=10**9, description="Units of the part that would be tested.")
    hours: float | None = Field(
        default=None,
        gt=0,
        description="How long each, in the part's own age unit; the age that it reaches over the mission if empty.",
    )
    top: int = Field(default=50, ge=1, le=10_000, description="Rows at most.")


class Gain(Piece):
    """What testing one maker's part would tell."""

    rank: int
    part: str
    maker: str | None
    part_label: Text
    maker_label: Text
    evidence: tuple[str, ...]
    """What its modes rest on now: fitted, few, declared, bounded."""
    hours: float
    expected_failures: float
    """Failures to be expected in the test."""
    before: Estimate
    """What the part adds to -ln R of the product."""
    after: Estimate
    reliability: Estimate
    """Of the product, after the test."""
    gain: float
    """By how much the interval of -ln R would be narrower."""
    narrower: float
    """The same as a share of its width."""
    share: float
    """Share of the part in the square of the interval's width."""

    def payload(self) -> dict[str, Any]:
        """The row as JSON values."""
        return {
            "rank": self.rank,
            "part": self.part,
            "maker": self.maker,
            "evidence": list(self.evidence),
            "hours": digits(self.hours),
            "expected_failures": digits(self.expected_failures),
            "before": self.before.payload(),
            "after": self.after.payload(),
            "reliability": self.reliability.payload(),
            "gain": digits(self.gain),
            "narrower": digits(self.narrower),
            "share": digits(self.share),
        }


class TestGains(Result):
    """Makers' parts by what a test of each would narrow, most first."""

    product: str
    mission: float
    units: int
    level: float
    reliability: Estimate
    """Of the product at the end of the mission, now."""
    unknown: tuple[str, ...]
    notes: tuple[Reason, ...]
    gains: tuple[Gain, ...]

    def payload(self, locale: str) -> dict[str, Any]:
        """The product's interval and the list."""
        return {
            "product": self.product,
            "mission": digits(self.mission),
            "units": self.units,
            "level": self.level,
            "reliability": self.reliability.payload(),
            "unknown": list(self.unknown),
            "notes": [note.payload(locale) for note in self.notes],
            "gains": [each.payload() for each in self.gains],
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """A row for each maker's part; what is to be known of all of them stands beside the first."""
        headings = [
            Text("名次", "Rank"), Text("零部件", "Part"), Text("制造商", "Maker"), Text("依据", "Evidence"),
            Text("每件时长", "Hours each"), Text("预计失效", "Failures expected"), Text("上限，现", "High now"),
            Text("上限，后", "High after"), Text("整机区间缩小", "Product's interval narrower by"),
        ]  # fmt: skip
        rows: list[list[Any]] = [
            [
                each.rank, each.part_label.say(locale), each.maker_label.say(locale),
                ", ".join(EVIDENCE[kind].say(locale) for kind in each.evidence), digits(each.hours),
                digits(each.expected_failures), digits(each.before.high), digits(each.after.high),
                f"{each.narrower:.2%}",
            ]
            for each in self.gains
        ]  # fmt: skip
        if self.notes:
            headings.append(Text("说明", "Note"))
            rows = rows or [[None] * (len(headings) - 1)]
            said = [" ".join(note.text.say(locale) for note in self.notes), *[""] * (len(rows) - 1)]
            rows = [[*row, note] for row, note in zip(rows, said, strict=True)]
        return [heading.say(locale) for heading in headings], rows


@analysis(
    "test_gains",
    zh="试验收益",
    en="What another test would tell",
    subject="product",
    parameters=TestGainsParameters,
    result=TestGains,
)
def rank_tests(view: View, asked: TestGainsParameters) -> TestGains:
    """Makers' parts by how much the interval of the product would narrow if so many units more of each were tested.

    The interval of -ln R is MOVER (`propagate`): H - sqrt(sum down_i^2) to H + sqrt(sum up_i^2), down_i = g_i (H_i -
    low_i), up_i = g_i (high_i - H_i), over all fits i. A test of a (part, maker) leaves every estimate where it is, for
    it is expected to show what is believed now, and replaces the ends of its modes: without failures 3 / V becomes
    3 / (V + n t^beta); with r failures in V, m = n (1 - exp(-H(t))) more are expected in V m / r more, and chi-square
    gives the ends of r + m; a maximum likelihood fit gains n times the Fisher information of a unit that is tested up
    to t (Escobar and Meeker, Biometrics 50, 1994, 423-432: with s = H(x), the integral over 0 ... H(t) of v v' e^-s ds,
    v = (-beta, 1 + ln s) for ln eta and ln beta); a declared value with the standard error sigma of ln H counts as much
    as 1 / sigma^2 failures, to which m are added. Failed units are taken to be repaired where several modes compete.
    gain = width before less width after; all from one propagation. Parts of which nothing is known are listed apart.
    """
    known = model(view)
    product = naming.part(view, asked.product)
    ages = np.array([asked.mission])
    with explained(known):
        diagram = known.diagram(product)
        total, g = slopes(diagram, known.hazards, ages)
    reach = np.zeros(len(known.fits))
    np.maximum.at(reach, diagram.mode_fit, diagram.mode_scale * asked.mission)
    hours = np.full(len(reach), asked.hours) if asked.hours is not None else reach
    failures = known.fits["failures"].cast(pl.Float64).to_numpy()
    better, expected = after_test(known.hazards, failures, asked.units, np.where(hours > 0, hours, 1.0))
    fits, down, up = (each.reshape(len(each)) for each in margins(diagram, known.hazards, ages, g))
    _, less_down, less_up = (each.reshape(len(each)) for each in margins(diagram, better, ages, g))
    centre = g * known.hazards.at(diagram.mode_fit[:, None], diagram.mode_scale[:, None] * ages)
    value = np.bincount(diagram.mode_fit, centre[:, 0], len(known.fits))[fits]
    table = known.fits[fits].select(
        "part", "maker", "kind", value=pl.Series(value),
        hours=pl.Series(hours[fits]), expected=pl.Series(expected[fits]),
        down=pl.Series(down**2), up=pl.Series(up**2), less_down=pl.Series(less_down**2), less_up=pl.Series(less_up**2),
    )  # fmt: skip
    unknown = known.parts(diagram.unknown)
    level = known.hazards.level
    end, below, above = float(total[0]), float(table["down"].sum()), float(table["up"].sum())
    gains = _ranked(known, table, end, (below, above), level)[: asked.top]
    notes = []
    if unknown:
        more = "…" if len(unknown) > 8 else ""
        notes.append(Reason(code="unknown", text=NOTES["unknown"].format(parts=", ".join(unknown[:8]) + more)))
    if not gains:
        notes.append(Reason(code="nothing", text=NOTES["nothing"]))
    return TestGains(
        product=known.parts([product])[0],
        mission=asked.mission,
        units=asked.units,
        level=level,
        reliability=_survival(end, below, above, level),
        unknown=unknown,
        notes=tuple(notes),
        gains=tuple(gains),
    )


def after_test(hazards: Hazards, failures: Floats, units: int, hours: Floats) -> tuple[Hazards, Floats]:
    """The hazards as they are expected to be known after `units` of each row were tested for `hours` (rows,).

    Also the failures to be expected in the test. `failures` are those behind each row, in the past.
    """
    h = hazards
    at = np.minimum(h.at(np.arange(len(h)), hours), LONGEST)
    expected = units * -np.expm1(-at)
    tail = (1 - h.level) / 2
    z = float(norm.ppf(1 - tail))
    bounded, few, declared = (h.kind == kind for kind in (Kind.BOUNDED, Kind.FEW, Kind.DECLARED))
    r = np.where(few, np.maximum(failures, 1e-9), 1.0) + expected
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        rate = RULE_OF_THREE / (RULE_OF_THREE / h.bound_rate + units * hours**h.beta)

        def steadier(factor: Floats) -> Floats:
            log = np.log(factor)
            return np.asarray(np.exp(log / np.sqrt(1 + (log / z) ** 2 * expected)))

        low = np.select([few, declared], [chi2.ppf(tail, 2 * r) / (2 * r), steadier(h.low_factor)], h.low_factor)
        high = np.select(
            [few, declared], [chi2.ppf(1 - tail, 2 * r + 2) / (2 * r), steadier(h.high_factor)], h.high_factor
        )
    better = replace(h, low_factor=low, high_factor=high, bound_rate=np.where(bounded, rate, h.bound_rate))
    fitted = np.flatnonzero(h.kind == Kind.FITTED)
    told = units * information(h.beta[fitted], at[fitted])
    now = np.array([[h.var_log_eta, h.cov_log], [h.cov_log, h.var_log_beta]])[:, :, fitted].transpose(2, 0, 1)
    sure = np.linalg.det(now) > 0
    after = now.copy()
    after[sure] = np.linalg.inv(np.linalg.inv(now[sure]) + told[sure])
    columns = {name: getattr(h, name).copy() for name in ("var_log_eta", "var_log_beta", "cov_log")}
    for name, (i, j) in (("var_log_eta", (0, 0)), ("var_log_beta", (1, 1)), ("cov_log", (0, 1))):
        columns[name][fitted] = after[:, i, j]
    return replace(better, **columns), expected


def information(beta: Floats, hazard: Floats) -> Floats:
    """Fisher information on (ln eta, ln beta) of one unit tested until its cumulative hazard is `hazard`: (rows, 2, 2).

    The integral over 0 ... hazard of v v' e^-s ds with v = (-beta, 1 + ln s), by Gauss-Legendre in s = hazard q^4.
    """
    q, weight = np.polynomial.legendre.leggauss(64)
    q, weight = (q + 1) / 2, weight / 2
    s = hazard[:, None] * q**4
    mass = np.exp(-s) * 4 * hazard[:, None] * q**3 * weight
    log = 1 + np.log(np.where(s > 0, s, 1.0))
    aa, ab, bb = -np.expm1(-hazard) * beta**2, -beta * (mass * log).sum(axis=1), (mass * log**2).sum(axis=1)
    return np.stack([np.stack([aa, ab], axis=1), np.stack([ab, bb], axis=1)], axis=1)


def _ranked(known: Model, table: pl.DataFrame, total: float, squares: tuple[float, float], level: float) -> list[Gain]:
    """A row for each (part, maker), most gained first."""
    below, above = squares
    sums = [pl.col(name).sum() for name in ("value", "down", "up", "less_down", "less_up", "expected")]
    states = (
        table.group_by("part", "maker", maintain_order=True)
        .agg(*sums, pl.col("hours").max(), kinds=pl.col("kind").unique().sort())
        .with_columns(
            _down=(below - pl.col("down") + pl.col("less_down")).clip(lower_bound=0),
            _up=(above - pl.col("up") + pl.col("less_up")).clip(lower_bound=0),
        )
        .with_columns(gain=below**0.5 + above**0.5 - pl.col("_down").sqrt() - pl.col("_up").sqrt())
        .filter(pl.col("down") + pl.col("up") > 0)
        .sort("gain", "part", "maker", descending=[True, False, False])
    )
    return [
        Gain(
            rank=rank,
            part=row["part"],
            maker=row["maker"],
            part_label=called(known.view, "part", row["part"]),
            maker_label=called(known.view, "organisation", row["maker"]),
            evidence=tuple(row["kinds"]),
            hours=row["hours"],
            expected_failures=row["expected"],
            before=_added(row["value"], row["down"], row["up"], level),
            after=_added(row["value"], row["less_down"], row["less_up"], level),
            reliability=_survival(total, row["_down"], row["_up"], level),
            gain=row["gain"],
            narrower=row["gain"] / (below**0.5 + above**0.5),
            share=(row["down"] + row["up"]) / (below + above),
        )
        for rank, row in enumerate(states.iter_rows(named=True), start=1)
    ]


def _added(value: float, below: float, above: float, level: float) -> Estimate:
    """A hazard with its interval, from the squares of its distances."""
    return Estimate(value=value, low=max(value - below**0.5, 0.0), high=value + above**0.5, level=level)


def _survival(total: float, below: float, above: float, level: float) -> Estimate:
    """R with its interval, from -ln R and the squares of its distances."""
    ends = _added(total, below, above, level)
    high, low = (float(np.exp(-(each or 0.0))) for each in (ends.low, ends.high))
    return Estimate(value=float(np.exp(-total)), low=low, high=high, level=level)
