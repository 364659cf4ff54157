"""The reliability of a product over time, from what is known of the lives of its parts."""

from typing import Any

import numpy as np
from pydantic import Field, field_validator

from analytics.core import Estimate, Parameters, Reason, Released, Result, analysis, digits
from analytics.findings import number
from analytics.model import explained, model
from analytics.propagation import curve
from chaingraph import naming
from chaingraph.view import View
from schema import Text

NOTES = {
    "shares_pooled": Text(
        "{parts}：客户没有自己的供货行，按全部客户的份额计。",
        "{parts}: the customer has no supply rows of its own; all customers' shares were taken.",
    ),
    "shares_guessed": Text(
        "{parts}：没有供货行，已知厂家按等份计。",
        "{parts}: without supply rows; its known makers were taken in equal shares.",
    ),
    "shares_normalised": Text(
        "{parts}：份额之和不为 1，已归一化。", "{parts}: shares do not add up to 1 and were normalised."
    ),
    "group_k_missing": Text(
        "{parts}：冗余组没有最少工作数，按串联计。", "{parts}: a redundancy group without k was taken in series."
    ),
}
"""What the warnings of a diagram mean to people."""

BOUND = Text(
    "{parts} 没有任何数据，未计入：可靠度为上界，区间下端不是下界。",
    "Nothing is known of {parts}, left out: reliability is an upper bound, and the low end is no bound.",
)
EXTRAPOLATED = Text(
    "寿命从 {first} 起超出部分失效模式已观察到的寿命，为外推值；到 {last} 时为 {all} 项中的 {count} 项。",
    "From age {first} on extrapolated, beyond the ages observed of some failure modes: {count} of {all} at {last}.",
)


class PropagateParameters(Parameters):
    """Which product, at which ages."""

    product: str = Field(description="Number of the product, or ISSUER/NUMBER.")
    hours: tuple[float, ...] = Field(
        min_length=1, max_length=1000, description="Ages in the product's age unit, from 0, separated by commas."
    )
    maker: str | None = Field(default=None, description="Made by this organisation; by the product's shares if empty.")

    @field_validator("hours")
    @classmethod
    def _from_zero(cls, hours: tuple[float, ...]) -> tuple[float, ...]:
        if any(h < 0 for h in hours):
            raise ValueError("ages begin at 0")
        return hours


class Propagated(Result):
    """Reliability of a product at some ages: `reliability` is made of estimates, one for each of `hours`."""

    product: str
    hours: tuple[float, ...]
    reliability: tuple[Estimate, ...]
    level: float
    unknown: tuple[str, ...]
    """Parts of which nothing is known."""
    bound: str | None
    """"upper" where parts are unknown."""
    notes: tuple[Reason, ...]

    def payload(self, locale: str) -> dict[str, Any]:  # noqa: ARG002  # the same in every language
        """The curve as parallel lists."""
        return {
            "product": self.product,
            "hours": [digits(h) for h in self.hours],
            "reliability": [digits(r.value) for r in self.reliability],
            "low": [digits(r.low) for r in self.reliability],
            "high": [digits(r.high) for r in self.reliability],
            "level": self.level,
            "unknown": list(self.unknown),
            "bound": self.bound,
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """A row for each age; what is to be known of all of them stands beside the first."""
        headings = [Text("寿命", "Age"), Text("可靠度", "Reliability"), Text("下限", "Low"), Text("上限", "High")]
        pairs = zip(self.hours, self.reliability, strict=True)
        rows: list[list[Any]] = [[digits(v) for v in (h, r.value, r.low, r.high)] for h, r in pairs]
        if self.notes:
            headings.append(Text("说明", "Note"))
            said = [" ".join(note.text.say(locale) for note in self.notes), *[""] * (len(rows) - 1)]
            rows = [[*row, note] for row, note in zip(rows, said, strict=True)]
        return [heading.say(locale) for heading in headings], rows


def _figures(found: Propagated) -> list[float]:
    """All numbers of the curve: each is a form in what is known of every part."""
    return [each for r in found.reliability for each in (r.value, r.low, r.high) if each is not None]


def _visible(fuller: Propagated | None, seen: Propagated, said: Text) -> Propagated:
    """The curve with used-only figures; parts, and what is to be known of them, as the viewer sees them."""
    note = Reason(code="used_only" if fuller else "used_only_refused", text=said)
    curve = {} if fuller is None else {"reliability": fuller.reliability, "bound": fuller.bound, "unknown": ()}
    notes = () if fuller else seen.notes
    return seen.model_copy(update={**curve, "notes": (*notes, note)})


@analysis(
    "propagate",
    zh="整机可靠度",
    en="Reliability of a product",
    subject="product",
    parameters=PropagateParameters,
    result=Propagated,
    released=Released(_figures, _visible),
)
def propagate(view: View, asked: PropagateParameters) -> Propagated:
    """Reliability of a product at some ages, with its interval, from the lives of everything in it.

    A state is (part, maker): ln R(p, m) = - sum over modes of H + sum over lines of ln phi(mean over sources of R),
    where phi is R^n for n counted units, the binomial tail for k of n, the convolution for cold standby; ages multiply
    down by duty. Two-sided intervals by MOVER on H (Zou and Donner 2008). Parts of which nothing is known are left out
    and listed: the answer is then an upper bound.
    """
    known = model(view)
    product = naming.part(view, asked.product)
    maker = None if asked.maker is None else naming.organisation(view, asked.maker)
    with explained(known):
        diagram = known.diagram(product, maker)
        found = curve(diagram, known.hazards, np.array(asked.hours))
    unknown = known.parts(found.unknown)
    notes = [Reason(code=c, text=NOTES[c].format(parts=", ".join(known.parts(p)))) for c, p in found.warnings]
    if unknown:
        notes.append(Reason(code="bound_upper", text=BOUND.format(parts=", ".join(unknown))))
    observed = known.observed(diagram)[np.unique(diagram.mode_fit)]
    if beyond := [hour for hour in asked.hours if (observed < hour).any()]:
        count, last = int((observed < max(beyond)).sum()), number(max(beyond))
        text = EXTRAPOLATED.format(first=number(min(beyond)), last=last, count=str(count), all=str(len(observed)))
        notes.append(Reason(code="extrapolated", text=text))
    return Propagated(
        product=known.parts([product])[0],
        hours=tuple(found.hours.tolist()),
        reliability=tuple(
            Estimate(value=r, low=low, high=high, level=found.level)
            for r, low, high in zip(found.reliability.tolist(), found.low.tolist(), found.high.tolist(), strict=True)
        ),
        level=found.level,
        unknown=unknown,
        bound=found.bound,
        notes=tuple(notes),
    )
