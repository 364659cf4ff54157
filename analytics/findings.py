"""A weak link as it leaves: where, how much, why, the evidence behind it, and what to do next."""

from typing import Any

from analytics.core import Estimate, Piece, Reason, digits
from schema import Text


class Counted(Piece):
    """Failures of one group behind a finding, beside those to be expected at the rest's rate and equal ages."""

    kind: str
    """Sort of group: series (a lot of it), maker, lot, sibling (another lot of the make), twin (the same units)."""
    label: Text
    observed: float
    expected: float

    def payload(self, locale: str) -> dict[str, Any]:
        """The group as JSON values."""
        return {
            "kind": self.kind,
            "label": self.label.say(locale),
            "observed": digits(self.observed),
            "expected": digits(self.expected),
        }


class Explanation(Piece):
    """The evidence behind a weak link. Fields that do not apply to its kind are None or empty."""

    part: str | None = None
    """The part that fails (or is lost, or of which nothing is known)."""
    mode: str | None = None
    observed: float | None = None
    expected: float | None = None
    rest_observed: float | None = None
    rest_expected: float | None = None
    ratio: Estimate | None = None
    p: float | None = None
    q: float | None = None
    counts: tuple[Counted, ...] = ()
    places: tuple[tuple[str, ...], ...] = ()
    """Ways from the product down to the part, each a list of part keys; at most a few of them."""
    next_steps: tuple[Reason, ...] = ()

    def payload(self, locale: str) -> dict[str, Any]:
        """The evidence as JSON values."""
        return {
            "part": self.part,
            "mode": self.mode,
            "observed": digits(self.observed),
            "expected": digits(self.expected),
            "rest_observed": digits(self.rest_observed),
            "rest_expected": digits(self.rest_expected),
            "ratio": self.ratio.payload() if self.ratio else None,
            "p": digits(self.p),
            "q": digits(self.q),
            "counts": [count.payload(locale) for count in self.counts],
            "places": [list(place) for place in self.places],
            "next_steps": [step.payload(locale) for step in self.next_steps],
        }


class WeakLink(Piece):
    """One row of the list. `kind` is reliability, supply or evidence; `group` says what sort of thing it is."""

    rank: int
    kind: str
    group: str
    part: str | None = None
    """Key of the part."""
    maker: str | None = None
    lot: str | None = None
    """The maker's code of the lot; of a series of lots the worst."""
    lots: tuple[str, ...] = ()
    """The codes of all lots of the group."""
    region: str | None = None
    version: str | None = None
    label: Text
    loss: Estimate
    reasons: tuple[Reason, ...]
    explanation: Explanation

    def payload(self, locale: str) -> dict[str, Any]:
        """The row as JSON values."""
        return {
            "rank": self.rank,
            "kind": self.kind,
            "part": self.part,
            "maker": self.maker,
            "lot": self.lot,
            "loss": self.loss.payload(),
            "reasons": [reason.payload(locale) for reason in self.reasons],
        }

    def at(self, rank: int) -> "WeakLink":
        """The same at another rank."""
        return self.model_copy(update={"rank": rank})


def number(value: float | None) -> str:
    """A number as it is read in a sentence: three significant digits, without an exponent where it is not needed."""
    if value is None:
        return "?"
    if value == float("inf"):
        return "∞"
    if value == round(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return (
        f"{value:.3g}"
        if 1e-3 <= abs(value) < 1e3 or value == 0
        else f"{value:,.0f}"
        if 1e3 <= abs(value) < 1e9
        else f"{value:.1e}"
    )
