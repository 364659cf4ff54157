"""How often a part fails beside the others of its class: every firm's rate, drawn to the class's, and the spread."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field

from analytics.core import Estimate, Parameters, Piece, Reason, Result, analysis, digits
from analytics.findings import number
from analytics.hazard import LEVEL
from analytics.labels import called
from analytics.life import hierarchy, multisample
from analytics.life.distribution import Intervals
from analytics.life.hierarchy import Rates, gamma_poisson
from analytics.life.multisample import MultiSample, multi_sample
from analytics.life.rows import Event, Floats, LifeRows
from analytics.life.shared_shape import Shapes, lives, shared_shape
from analytics.model import model
from analytics.records import life_rows
from chaingraph import naming
from chaingraph.errors import NotFound
from chaingraph.view import View
from schema import Text

UNLIKE = 0.05
"""So improbable a variation between alike firms is said to be none."""

NOTES = {
    "no_class": Text(
        "该零部件没有类别：只与自身各厂家相比。", "The part has no class: it stands beside its own makers only."
    ),
    "alone": Text("该零部件没有可用的寿命数据。", "The part has no life data that can be used."),
    "firms_differ": Text(
        "各行的失效率并不相同（检验 p = {p}）：类别均值不能代表任何一家。",
        "The rows are not alike (p = {p}): the class's mean stands for none of them.",
    ),
    "other_units": Text(
        "同类中以其他寿命单位计的零部件未列入：{parts}。",
        "Parts of the class whose age is counted in another unit are left out: {parts}.",
    ),
    "shape_no_spread": Text(
        "各行的形状参数差异不超过偶然波动：均取类别的形状参数。",
        "The shapes differ by no more than chance: all get the class's.",
    ),
}
"""What may have to be said of a class, beside the codes of `hierarchy` and `multisample`."""


class ClassRatesParameters(Parameters):
    """Which part, and failures by what."""

    part: str = Field(description="Number of the part, or ISSUER/NUMBER.")
    mechanism: str | None = Field(
        default=None, description="Count failures by this mechanism or a narrower one only; all where empty."
    )


class ClassRate(Piece):
    """One maker's part of the class."""

    rank: int
    part: str
    maker: str | None
    part_label: Text
    maker_label: Text
    asked: bool
    failures: float
    exposure: float
    own: Estimate
    rate: Estimate
    """The own rate drawn towards the class's."""
    weight: float | None
    """Share of the own rate in it."""
    own_shape: Estimate
    shape: Estimate
    shape_weight: float | None
    b10: Estimate
    """By the shape drawn towards the class's."""

    def payload(self) -> dict[str, Any]:
        """The row as JSON values."""
        return {
            "rank": self.rank,
            "part": self.part,
            "maker": self.maker,
            "asked": self.asked,
            "failures": digits(self.failures),
            "exposure": digits(self.exposure),
            "own": self.own.payload(),
            "rate": self.rate.payload(),
            "weight": digits(self.weight),
            "own_shape": self.own_shape.payload(),
            "shape": self.shape.payload(),
            "shape_weight": digits(self.shape_weight),
            "b10": self.b10.payload(),
        }


class ClassRates(Result):
    """The class of a part, the row that fails most often first; rows without an estimate last."""

    part: str
    part_class: str | None
    mechanism: str | None
    age_unit: str
    level: float
    mean: Estimate
    """Mean rate between rows."""
    spread: float | None
    """Standard deviation of rates between rows."""
    multi_sample: Estimate
    """The handbooks' mean, with the interval that holds the rates of firms."""
    multi_sample_spread: float | None
    together: Estimate
    """The rate as if all were alike."""
    p_alike: float | None
    """Probability of so much variation if they were."""
    shape: Estimate
    shape_spread: float | None
    """Standard deviation of ln beta between rows."""
    notes: tuple[Reason, ...]
    rates: tuple[ClassRate, ...]

    def payload(self, locale: str) -> dict[str, Any]:
        """The class and its rows."""
        return {
            "part": self.part,
            "part_class": self.part_class,
            "mechanism": self.mechanism,
            "age_unit": self.age_unit,
            "level": self.level,
            "mean": self.mean.payload(),
            "spread": digits(self.spread),
            "multi_sample": {**self.multi_sample.payload(), "spread": digits(self.multi_sample_spread)},
            "together": {**self.together.payload(), "p_alike": digits(self.p_alike)},
            "shape": {**self.shape.payload(), "spread": digits(self.shape_spread)},
            "notes": [note.payload(locale) for note in self.notes],
            "rows": [each.payload() for each in self.rates],
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """A row for each maker's part; what is to be known of the class stands beside the first."""
        headings = [
            Text("名次", "Rank"), Text("零部件", "Part"), Text("制造商", "Maker"), Text("失效数", "Failures"),
            Text("累计寿命", "Exposure"), Text("自身失效率", "Own rate"), Text("借用后失效率", "Pooled rate"),
            Text("下限", "Low"), Text("上限", "High"), Text("自身权重", "Own weight"), Text("形状", "Shape"),
            Text("B10", "B10"), Text("说明", "Note"),
        ]  # fmt: skip
        said = [note.text.say(locale) for note in self.notes]
        mark = Text("本件", "this part").say(locale)
        rows: list[list[Any]] = [
            [
                each.rank, each.part_label.say(locale), each.maker_label.say(locale), digits(each.failures),
                digits(each.exposure), digits(each.own.value), digits(each.rate.value), digits(each.rate.low),
                digits(each.rate.high), digits(each.weight), digits(each.shape.value), digits(each.b10.value),
                " ".join([mark] * each.asked + (said if at == 0 else [])),
            ]
            for at, each in enumerate(self.rates)
        ]  # fmt: skip
        if not rows and said:
            rows = [[None] * (len(headings) - 1) + [" ".join(said)]]
        return [heading.say(locale) for heading in headings], rows


@analysis(
    "class_rates",
    zh="同类对比",
    en="A part beside its class",
    subject="part",
    parameters=ClassRatesParameters,
    result=ClassRates,
)
def compare(view: View, asked: ClassRatesParameters) -> ClassRates:
    """Failure rates of all makers' parts of a part's class, each drawn towards the class's by what it does not know.

    A row is a (part, maker) of the class with life records in the part's own age unit; its failures are those that
    count (of the mechanism, where one is asked for), its exposure the sum of exit less entry over its units. Rates are
    Gamma-Poisson by empirical Bayes: rate = weight x own + (1 - weight) x mean (`analytics.life.hierarchy`). The spread
    between rows is given by that and by the multi-sample estimator of the offshore handbooks
    (`analytics.life.multisample`), with a test of whether they are alike. Weibull shapes are drawn towards the class's
    in the same way, and B10 lives follow from them (`analytics.life.shared_shape`). Rates are means over the ages
    observed: rows of young and of old units differ by wear alone, which the shape tells.
    """
    known = model(view)
    at = naming.part(view, asked.part)
    key = known.parts([at])[0]
    parts = view.table("part").select(
        "key", "number", "part_class", unit=pl.col("age_unit").cast(pl.String).fill_null("h")
    )
    of, unit = parts["part_class"][at], str(parts["unit"][at])
    alike = parts.filter((pl.col("part_class") == of) if of is not None else (pl.col("key") == key))
    others = alike.filter(pl.col("unit") != unit)["key"].sort().to_list()
    records = known.evidence.records.rows.filter(
        pl.col("part").is_in(alike.filter(pl.col("unit") == unit)["key"].to_list())
    )
    rows, states = _rows(view, records, asked.mechanism)
    found = _pooled(rows)
    notes = _notes(found, others, known_class=of is not None, there=key in set(states["part"].to_list()))
    return ClassRates(
        part=key,
        part_class=of,
        mechanism=asked.mechanism,
        age_unit=unit,
        level=LEVEL,
        mean=_estimate(found.rates.mean, 0, f"1/{unit}"),
        spread=_number(found.rates.spread, 0),
        multi_sample=_estimate(found.samples.mean, 0, f"1/{unit}"),
        multi_sample_spread=_number(found.samples.spread, 0),
        together=_estimate(found.samples.together, 0, f"1/{unit}"),
        p_alike=_number(found.samples.p_value, 0),
        shape=_estimate(found.shapes.mean, 0),
        shape_spread=_number(found.shapes.spread, 0),
        notes=notes,
        rates=tuple(_listed(view, found, states, key, unit)),
    )


@dataclass(frozen=True, slots=True)
class _Pooled:
    """What the rows of a class, as groups of one class, come to."""

    failures: Floats
    exposure: Floats
    rates: Rates
    samples: MultiSample
    shapes: Shapes
    b10: Intervals


def _pooled(rows: LifeRows) -> _Pooled:
    leaving = np.where(np.isfinite(rows.age_to), (rows.age + rows.age_to) / 2, rows.age)
    failures = rows.sums(rows.count * (rows.event != Event.SUSPENSION))
    exposure = rows.sums(rows.count * (leaving - rows.entry))
    one = np.zeros(rows.groups, np.int64)
    shapes = shared_shape(rows, one, 1, LEVEL)
    return _Pooled(
        failures,
        exposure,
        gamma_poisson(failures, exposure, one, 1, LEVEL),
        multi_sample(failures, exposure, one, 1, LEVEL),
        shapes,
        lives(rows, shapes.shrunk, 0.1, LEVEL),
    )


def _rows(view: View, records: pl.DataFrame, mechanism: str | None) -> tuple[LifeRows, pl.DataFrame]:
    """The records as groups by (part, maker), and these; failures by other mechanisms are suspensions."""
    states = records.select("part", "maker").unique().sort("part", "maker").with_row_index("group")
    counted = records.join(states, on=["part", "maker"], nulls_equal=True, maintain_order="left")
    if mechanism is not None:
        natural = pl.col("key").str.split("@").list.first()
        by_mode = (
            view.table("mode")
            .filter(pl.col("mechanism").is_not_null())
            .select(mode=natural, _of="mechanism")
            .unique("mode", keep="first", maintain_order=True)
        )
        mine = pl.coalesce("mechanism", "_of").is_in(sorted(_narrower(view, mechanism))).fill_null(value=False)
        counted = counted.join(by_mode, on="mode", how="left", maintain_order="left").with_columns(
            event=pl.when(mine).then("event").otherwise(int(Event.SUSPENSION)).cast(pl.Int8),
            age_to=pl.when(mine).then("age_to"),
        )
    alike = ["group", "event", "entry", "age", "age_to"]
    merged = counted.group_by(alike).agg(pl.col("count").sum()).sort(alike)
    return life_rows(merged, "group", states.height), states


def _narrower(view: View, mechanism: str) -> set[str]:
    """A mechanism and all below it. Raises NotFound (`mechanism.unknown`)."""
    table = view.table("mechanism")
    if mechanism not in set(table["code"].to_list()):
        raise NotFound("mechanism.unknown", Text(f"没有失效机理 {mechanism}。", f"There is no mechanism {mechanism}."))
    below: dict[str, list[str]] = {}
    for code, parent in table.select("code", "parent").iter_rows():
        below.setdefault(parent, []).append(code)
    found, wave = {mechanism}, [mechanism]
    while wave:
        wave = [code for each in wave for code in below.get(each, ()) if code not in found]
        found.update(wave)
    return found


def _notes(found: _Pooled, others: list[str], *, known_class: bool, there: bool) -> tuple[Reason, ...]:
    notes = [] if known_class else [Reason(code="no_class", text=NOTES["no_class"])]
    if not there:
        notes.append(Reason(code="alone", text=NOTES["alone"]))
    for said in (
        hierarchy.CODES.get(hierarchy.Pooling(found.rates.status[0])),
        multisample.CODES.get(multisample.Spread(found.samples.status[0])),
    ):
        if said is not None and said[0] not in {note.code for note in notes}:
            notes.append(Reason(code=said[0], text=said[1]))
    if (p := _number(found.samples.p_value, 0)) is not None and p < UNLIKE:
        notes.append(Reason(code="firms_differ", text=NOTES["firms_differ"].format(p=number(p))))
    if found.shapes.status[0] == hierarchy.Pooling.NO_SPREAD:
        notes.append(Reason(code="shape_no_spread", text=NOTES["shape_no_spread"]))
    if others:
        shown = ", ".join(others[:8]) + ("…" if len(others) > 8 else "")
        notes.append(Reason(code="other_units", text=NOTES["other_units"].format(parts=shown)))
    return tuple(notes)


def _listed(view: View, found: _Pooled, states: pl.DataFrame, key: str, unit: str) -> list[ClassRate]:
    rate = found.rates.shrunk.value
    order = np.lexsort((np.arange(len(rate)), -np.nan_to_num(rate, nan=-1.0)))
    named = states.select("part", "maker").rows()
    return [
        ClassRate(
            rank=rank,
            part=named[i][0],
            maker=named[i][1],
            part_label=called(view, "part", named[i][0]),
            maker_label=called(view, "organisation", named[i][1]),
            asked=named[i][0] == key,
            failures=float(found.failures[i]),
            exposure=float(found.exposure[i]),
            own=_estimate(found.rates.own, i, f"1/{unit}"),
            rate=_estimate(found.rates.shrunk, i, f"1/{unit}"),
            weight=_number(found.rates.weight, i),
            own_shape=_estimate(found.shapes.own, i),
            shape=_estimate(found.shapes.shrunk, i),
            shape_weight=_number(found.shapes.weight, i),
            b10=_estimate(found.b10, i, unit),
        )
        for rank, i in enumerate(order.tolist(), start=1)
    ]


def _estimate(of: Intervals, at: int, unit: str | None = None) -> Estimate:
    value, low, high = (_number(each, at) for each in (of.value, of.low, of.high))
    return Estimate(value=value, low=low, high=high, level=of.level, unit=unit)


def _number(values: Floats, at: int) -> float | None:
    """A number, None where there is none."""
    return float(values[at]) if np.isfinite(values[at]) else None
