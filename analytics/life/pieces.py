"""The answer of a fit as people get it: one a group, in JSON, as a table and as types of GraphQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from analytics.core import Piece, Reason, digits
from analytics.life.bounds import LifeBound, LifeFigure
from schema import Text

Method = Literal["mle", "rr"]
Ends = Literal["wald", "lr"]


class GroupLabel(Piece):
    """What a group is, by one of the columns that make groups."""

    name: str
    """The column."""
    value: str | None
    """Its value; null where the records say none."""


class GoodnessOfFit(Piece):
    """How well a fit agrees with its data."""

    anderson_darling: float | None
    """Anderson and Darling's statistic, 0 for a perfect fit; null with intervals or late entries."""
    p_value: float | None
    """Share of samples from the fit itself that agree with theirs no better; null where not computed."""
    r_squared: float | None
    """Squared correlation of the probability plot."""

    def payload(self) -> dict[str, float | None]:
        """The three as JSON values."""
        return {name: digits(getattr(self, name)) for name in type(self).model_fields}


class Alternative(Piece):
    """A distribution that was tried."""

    distribution: str
    """Its name."""
    aicc: float | None
    """Akaike's corrected criterion; null where it does not fit."""
    difference: float | None
    """How much that is above the lowest."""

    def payload(self) -> dict[str, Any]:
        """The three as JSON values."""
        return {
            "distribution": self.distribution, "aicc": digits(self.aicc), "difference": digits(self.difference)
        }  # fmt: skip


class LifeFit(Piece):
    """A life distribution fitted to the records of one group, with what is to be said against it."""

    group: tuple[GroupLabel, ...]
    """What the group is."""
    n: float
    """Units."""
    failures: float
    """Failed units."""
    distribution: str | None
    """Name of the distribution; null where none of those tried fits."""
    parameters: tuple[LifeFigure, ...]
    """Its parameters."""
    log_likelihood: float | None
    """Log likelihood of the ages as given."""
    aicc: float | None
    """Akaike's corrected criterion; null for a fit by ranks."""
    bic: float | None
    """Schwarz's criterion; null for a fit by ranks."""
    mean: LifeFigure
    """Mean life."""
    b1: LifeFigure
    """The age by which 1 % has failed."""
    b10: LifeFigure
    """The age by which 10 % has failed."""
    b50: LifeFigure
    """The age by which half has failed."""
    method: Method
    """Maximum likelihood, or rank regression of ages on ranks."""
    interval: Ends
    """How intervals were made."""
    level: float
    """Two-sided confidence of all intervals."""
    unit: str | None
    """Unit of the ages."""
    goodness: GoodnessOfFit
    """How well the fit agrees with the data."""
    alternatives: tuple[Alternative, ...]
    """The distributions tried, best first; empty where one was asked for."""
    bound: LifeBound | None
    """What the data support without a shape: a constant rate with its exact interval; null where there is enough."""
    warnings: tuple[Reason, ...]
    """What is to be said against it."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The fit as JSON values, texts in one language; null where there is no number."""
        return {
            "group": {each.name: each.value for each in self.group},
            "n": whole(self.n),
            "failures": whole(self.failures),
            "distribution": self.distribution,
            "parameters": {each.name: each.payload() for each in self.parameters},
            "log_likelihood": digits(self.log_likelihood),
            "aicc": digits(self.aicc),
            "bic": digits(self.bic),
            **{each.name: each.payload() for each in (self.mean, self.b1, self.b10, self.b50)},
            "method": self.method,
            "interval": self.interval,
            "level": self.level,
            "unit": self.unit,
            "goodness": self.goodness.payload(),
            "alternatives": [each.payload() for each in self.alternatives],
            "bound": self.bound.payload(locale) if self.bound else None,
            "warnings": [each.payload(locale) for each in self.warnings],
        }

    @property
    def fitted(self) -> bool:
        """Whether there is an estimate."""
        return any(each.value is not None for each in self.parameters)


def rows(fits: Sequence[LifeFit], locale: str) -> tuple[list[str], list[list[Any]]]:
    """The fits as a table, one row a group: headings in one language, and rows."""
    labels = [each.name for each in fits[0].group] if fits else []
    headings = [
        Text("台数", "Units"), Text("失效", "Failures"), Text("分布", "Distribution"), Text("参数", "Parameters"),
        Text("平均寿命", "Mean life"), Text("下限", "Low"), Text("上限", "High"),
        Text("B10 寿命", "B10 life"), Text("下限", "Low"), Text("上限", "High"),
        Text("MTBF 下限", "MTBF at least"), Text("提示", "Remarks"),
    ]  # fmt: skip
    table = [
        [
            *(label.value for label in each.group),
            whole(each.n),
            whole(each.failures),
            each.distribution if each.fitted else None,
            ", ".join(f"{p.name} {p.value:.4g}" for p in each.parameters if p.value is not None) or None,
            *(digits(value) for f in (each.mean, each.b10) for value in (f.value, f.low, f.high)),
            digits(each.bound.mtbf.low) if each.bound else None,
            " ".join(warning.text.say(locale) for warning in each.warnings),
        ]
        for each in fits
    ]
    return [*labels, *(heading.say(locale) for heading in headings)], table


def whole(count: float) -> float | int:
    """A count without a decimal point where it has none."""
    return int(count) if float(count).is_integer() else count
