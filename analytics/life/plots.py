"""What a picture is before it is drawn: axes with ticks, and layers of points, lines and bands, as columns.

One declaration serves files (`server.cli.pictures`) and GraphQL. Values are in their own units; an axis says how they
are spaced, so that a probability stays a probability on every paper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit, ndtri

from analytics.core import Piece, digits
from analytics.life.rows import Floats
from schema import Text

Spacing = Literal["linear", "log", "weibull", "normal", "logistic", "exponential"]
"""How an axis spaces its values: by v, ln v, or for a probability by ln(-ln(1 - v)), the standard normal quantile,
ln(v / (1 - v)), -ln(1 - v). On the paper of its distribution a life is a straight line (Meeker and Escobar, Statistical
Methods for Reliability Data, 1998, section 6.2)."""

MOST = 1000
"""More points of one layer than this cannot be told apart: so many of them, evenly spaced, are kept."""

TICKS = 7
"""About so many ticks to an axis."""

MARKS = ((1.0, (1, 1.5, 2, 3, 4, 5, 6, 8)), (2.5, (1, 2, 5)), (4.5, (1, 3)), (math.inf, (1,)))
"""Ticks in a decade of a logarithmic axis that is up to so many decades long."""

PROBABILITIES = (
    1e-6, 1e-5, 1e-4, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.632, 0.8, 0.9, 0.95, 0.99, 0.999,
    0.9999,
)  # fmt: skip
"""Where a probability axis has its ticks: 63.2 % is where a Weibull life is at its scale."""


class Tick(Piece):
    """A mark on an axis."""

    at: float
    """Where it is, in the axis' unit."""
    label: str
    """What it says."""


class Axis(Piece):
    """An axis of a picture."""

    text: Text
    """What it shows, with its unit."""
    spacing: Spacing
    """How its values are spaced: a position is the value, its logarithm, or for a probability p ln(-ln(1 - p))
    (weibull), the standard normal quantile (normal), ln(p / (1 - p)) (logistic), -ln(1 - p) (exponential)."""
    low: float
    """Where it begins."""
    high: float
    """Where it ends."""
    ticks: tuple[Tick, ...]
    """Its marks, in order."""

    def place(self, values: ArrayLike) -> Floats:
        """Where values are along the axis, in the units of its spacing; infinite where a value has no place."""
        return placed(self.spacing, values)


class Layer(Piece):
    """One series of a picture. Layers of one name are of one colour and have one line in the legend."""

    kind: Literal["points", "line", "steps", "band", "rug"]
    """Points (with bars from low to high where these are given), a line, a step function that is constant from each x
    to the next, a band from low to high, or ticks along the x axis."""
    name: Text
    """What is shown: of points, line and band of one group, the group."""
    x: tuple[float, ...] = ()
    """Places along the x axis, in its unit."""
    y: tuple[float, ...] = ()
    """Values on the y axis, as many as x; none for a band or a rug."""
    low: tuple[float, ...] = ()
    """Lower ends, of a band or of the bars of points."""
    high: tuple[float, ...] = ()
    """Upper ends, of a band or of the bars of points."""


class Picture(Piece):
    """A picture as data: what it shows, its axes and its layers."""

    title: Text
    """What it shows, of what."""
    subtitle: Text | None = None
    """The figures that go with it, such as parameters with their intervals."""
    note: Text | None = None
    """How to read it."""
    x: Axis
    """The axis of ages or of time, to the right."""
    y: Axis
    """The axis upwards."""
    layers: tuple[Layer, ...]
    """What is drawn, one upon the other."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The picture as JSON values, its texts in one language."""
        return {
            "title": self.title.say(locale),
            "subtitle": self.subtitle.say(locale) if self.subtitle else None,
            "note": self.note.say(locale) if self.note else None,
            **{
                name: {**axis.model_dump(exclude={"text"}), "text": axis.text.say(locale)}
                for name, axis in (("x", self.x), ("y", self.y))
            },
            "layers": [
                {
                    "kind": layer.kind,
                    "name": layer.name.say(locale),
                    **{
                        column: [digits(value) for value in getattr(layer, column)]
                        for column in ("x", "y", "low", "high")
                    },
                }
                for layer in self.layers
            ],
        }


def titled(what: Text, of: Text) -> Text:
    """The title of a picture: what it is, of what."""
    return Text(f"{what.zh}：{of.zh}", f"{what.en}: {of.en}")


def placed(spacing: Spacing, values: ArrayLike) -> Floats:
    """Where values are on an axis of this spacing; infinite where they have no place."""
    v = np.asarray(values, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        if spacing == "linear":
            return v
        if spacing == "log":
            return np.log(v)
        if spacing == "normal":
            return np.asarray(ndtri(v))
        if spacing == "logistic":
            return np.asarray(logit(v))
        hazard = -np.log1p(-v)
        return hazard if spacing == "exponential" else np.log(hazard)


def spread(spacing: Spacing, low: float, high: float, count: int = 100) -> Floats:
    """`count` values from `low` to `high`, evenly spaced on an axis whose values are ages (linear or log)."""
    return np.geomspace(low, high, count) if spacing == "log" else np.linspace(low, high, count)


def points(name: Text, x: ArrayLike, y: ArrayLike, low: ArrayLike = (), high: ArrayLike = ()) -> Layer:
    """Points, `MOST` of them at most, with bars where there is `low` and `high`; what is not finite is left out."""
    return _layer("points", name, x, y, low, high)


def line(name: Text, x: ArrayLike, y: ArrayLike, *, steps: bool = False) -> Layer:
    """A line through points, or a step function; points that are not finite are left out."""
    return _layer("steps" if steps else "line", name, x, y)


def band(name: Text, x: ArrayLike, low: ArrayLike, high: ArrayLike) -> Layer:
    """A band from `low` to `high`; where an end is not finite there is none."""
    return _layer("band", name, x, (), low, high)


def rug(name: Text, x: ArrayLike) -> Layer:
    """Ticks along the x axis, each place once."""
    return _layer("rug", name, np.unique(np.asarray(x, np.float64)))


def _layer(
    kind: Literal["points", "line", "steps", "band", "rug"],
    name: Text,
    x: ArrayLike,
    y: ArrayLike = (),
    low: ArrayLike = (),
    high: ArrayLike = (),
) -> Layer:
    columns = [np.asarray(column, np.float64).ravel() for column in (x, y, low, high)]
    given = [column for column in columns if column.size]
    if len({column.size for column in given}) > 1:
        raise ValueError(f"{kind} of {name.en}: columns of different lengths")
    kept = np.flatnonzero(np.all([np.isfinite(column) for column in given], axis=0)) if given else np.zeros(0, int)
    if kept.size > MOST:
        kept = kept[np.unique(np.linspace(0, kept.size - 1, MOST).round().astype(np.int64))]
    cut = [tuple(column[kept].tolist()) if column.size else () for column in columns]
    return Layer(kind=kind, name=name, x=cut[0], y=cut[1], low=cut[2], high=cut[3])


def linear_axis(text: Text, values: ArrayLike, *, zero: bool = False) -> Axis:
    """An evenly spaced axis that holds all finite `values` (and 0 where `zero`), with round ticks."""
    low, high = _ends(values)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if not low < high:
        room = abs(low) / 2 or 1.0
        low, high = low - (0.0 if zero and low == 0 else room), high + room
    step = _round_step((high - low) / TICKS)
    low = math.floor(low / step + 1e-9) * step if zero or low else low
    ticks = [low_at * step for low_at in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return Axis(text=text, spacing="linear", low=low, high=high, ticks=tuple(_tick(at) for at in ticks))


def log_axis(text: Text, values: ArrayLike) -> Axis:
    """A logarithmic axis that holds all positive finite `values`: ticks at round numbers, or at decades."""
    column = np.asarray(values, np.float64)
    low, high = _ends(column[column > 0])
    if not 0 < low < high:
        low, high = (low / 2, low * 2) if low > 0 else (1.0, 10.0)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    length = math.log10(high / low)
    if length < 0.3:
        return linear_axis(text, values).model_copy(update={"spacing": "log", "low": low, "high": high})
    marks = next(marks for most, marks in MARKS if length <= most)
    every = math.ceil(length / (TICKS + 1))
    ticks = [mark * 10.0**decade for decade in decades if decade % every == 0 for mark in marks]
    kept = [at for at in ticks if low * (1 - 1e-9) <= at <= high * (1 + 1e-9)]
    return Axis(text=text, spacing="log", low=low, high=high, ticks=tuple(_tick(at) for at in kept))


def probability_axis(text: Text, spacing: Spacing, values: ArrayLike) -> Axis:
    """A probability axis that holds all `values` between 0 and 1, from tick to tick."""
    column = np.asarray(values, np.float64)
    low, high = _ends(column[(column > 0) & (column < 1)], 0.01, 0.99)
    below = [p for p in PROBABILITIES if p <= low]
    above = [p for p in PROBABILITIES if p >= high]
    low, high = (below[-1] if below else low), (above[0] if above else high)
    ticks = [p for p in PROBABILITIES if low <= p <= high]
    if spacing == "exponential":  # evenly spaced in the cumulative hazard: small ones would lie on top of each other
        far = float(placed(spacing, high))
        ticks = [p for p in ticks if float(placed(spacing, p)) >= far / 50]
        low = 0.0
    return Axis(
        text=text, spacing=spacing, low=low, high=high,
        ticks=tuple(Tick(at=p, label=f"{100 * p:.6g} %") for p in ticks),
    )  # fmt: skip


def number(value: float) -> str:
    """A number as a label: no exponent where it stays short, thousands apart, no zeros at the end."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:,.10g}"


def _tick(at: float) -> Tick:
    at = float(f"{at:.10g}")
    return Tick(at=at, label=number(at))


def _ends(values: ArrayLike, low: float = 0.0, high: float = 1.0) -> tuple[float, float]:
    """The smallest and largest finite value, or (`low`, `high`) where there is none."""
    column = np.asarray(values, np.float64)
    column = column[np.isfinite(column)]
    return (float(column.min()), float(column.max())) if column.size else (low, high)


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not less than `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    marks: Sequence[float] = (1.0, 2.0, 5.0, 10.0)
    return next(mark * power for mark in marks if mark * power >= rough * (1 - 1e-9))
