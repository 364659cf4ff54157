"""The registry of analyses: one declaration gives a GraphQL field, a command, a page of the docs and a battery of
tests.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from chaingraph.basis import used_only
from chaingraph.view import View
from chaingraph.workspace import Workspace
from schema import Text

P = TypeVar("P", bound="Parameters")
R = TypeVar("R", bound="Result")


class Parameters(BaseModel):
    """What an analysis is asked. Frozen; every field is described and has bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Result(BaseModel, ABC):
    """What an analysis answers. Frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @abstractmethod
    def payload(self, locale: str) -> Any:
        """The answer as JSON values, its texts in one language; floats with 12 significant digits."""

    @abstractmethod
    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """The answer as a table: headings in one language, and rows."""


class Piece(BaseModel):
    """A part of an answer. Frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Estimate(Piece):
    """A number with its two-sided interval at `level`; `low` or `high` is None where there is no bound on that side."""

    value: float | None
    low: float | None
    high: float | None
    level: float = 0.9
    unit: str | None = None

    def payload(self) -> dict[str, Any]:
        """The estimate as JSON values."""
        found: dict[str, Any] = {"value": digits(self.value), "low": digits(self.low), "high": digits(self.high)}
        return {**found, "unit": self.unit} if self.unit else {**found, "level": self.level}


class Reason(Piece):
    """Why a row is in an answer: a stable code and a text in both languages."""

    code: str
    text: Text

    def payload(self, locale: str) -> dict[str, str]:
        """Code and text in one language."""
        return {"code": self.code, "text": self.text.say(locale)}


@dataclass(frozen=True)
class Released(Generic[R]):
    """What may leave of a result made with figures that its viewer may not see.

    `figures` are the numbers that leave. `visible(fuller, seen, said)` makes the answer: those numbers, and all else
    from the result on what the viewer sees; `seen` alone where `fuller` is None. `said` is to be told with it.
    """

    figures: Callable[[R], list[float]]
    visible: Callable[[R | None, R, Text], R]


@dataclass(frozen=True)
class Analysis(Generic[P, R]):
    """An analysis in the registry. `subject` is what it is about: "product", "part" or "thing"."""

    name: str
    text: Text
    subject: str
    parameters: type[P]
    result: type[R]
    function: Callable[[View, P], R]
    released: Released[R] | None = None
    """For an analysis that may run on figures which the viewer may use and not see: what of its result may leave."""

    @property
    def description(self) -> str:
        """Meaning, formula, units and source, from the function's docstring."""
        return self.function.__doc__ or ""


ANALYSES: dict[str, Analysis[Any, Any]] = {}


def analysis(
    name: str,
    *,
    zh: str,
    en: str,
    subject: str,
    parameters: type[P],
    result: type[R],
    released: Released[R] | None = None,
) -> Callable[[Callable[[View, P], R]], Callable[[View, P], R]]:
    """Register the decorated function `(view, parameters) -> result`."""

    def register(function: Callable[[View, P], R]) -> Callable[[View, P], R]:
        if not function.__doc__:
            raise TypeError(f"The analysis {name} says nothing of itself: write its docstring.")
        if name in ANALYSES:
            raise TypeError(f"The analysis {name} is declared twice.")
        ANALYSES[name] = Analysis(name, Text(zh, en), subject, parameters, result, function, released)
        return function

    return register


def run(name: str, view: View, parameters: Parameters | dict[str, Any], workspace: Workspace | None = None) -> Any:
    """The answer of the analysis `name` on a view; kept with the view for the next who asks the same.

    `parameters` is the analysis' frozen parameters or a dict of them (checked; raises pydantic's ValidationError).
    Where a `workspace` is given to note it in, figures that the viewer may use and not see go into the answer as far
    as none of them could be solved for. Raises NotFound when the view has no such product, part or thing.
    """
    found = ANALYSES[name]
    asked = parameters if isinstance(parameters, Parameters) else found.parameters.model_validate(parameters)
    slot = (name, asked.model_dump_json())
    seen = view.memo(slot, lambda: found.function(view, asked))
    if found.released is None or workspace is None or not used_only(view):
        return seen
    return _released(found, view, asked, seen, workspace)


def _released(of: Analysis[P, R], view: View, asked: P, seen: R, workspace: Workspace) -> R:
    """The answer with figures that may only be used, as far as it may leave.

    Not kept with the view: who waits for the store's lock to note an answer must not hold the view's.
    """
    from analytics.disclosure import released

    assert of.released is not None
    slot = (of.name, asked.model_dump_json())

    def make(opened: View) -> R:
        return opened.memo(slot, lambda: of.function(opened, asked))

    used = released(workspace, view, " ".join(slot), make, of.released.figures)
    return seen if used.said is None else of.released.visible(used.result, seen, used.said)


def digits(value: float | None) -> float | None:
    """A float as it leaves: 12 significant digits, None for what is not a finite number."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.12g}")
