"""What fails: the share of every mode of every maker's part in a product's failures over a mission."""

from typing import Any

from pydantic import Field

from analytics.core import Estimate, Parameters, Piece, Reason, Result, analysis, digits
from analytics.labels import called
from analytics.model import explained, model
from analytics.names import filled
from analytics.propagation import contributions
from chaingraph import naming
from chaingraph.view import View
from schema import Text

EVIDENCE = {
    "fitted": Text("拟合", "fitted"),
    "few": Text("失效少", "few failures"),
    "declared": Text("声明值", "declared"),
    "bounded": Text("无失效", "no failure"),
}
"""What a hazard rests on, as people read it."""
NOTES = {
    "bound_lower": Text(
        "{parts} 没有任何数据，未计入：合计为下界。",
        "Nothing is known of {parts}, left out: the total is a lower bound.",
    ),
    "extrapolated": Text(
        "{count} 行超出已观察到的寿命，为外推值，最靠前的是第 {rank} 名。",
        "Rows that go beyond the ages observed, extrapolated: {count}, the first of them rank {rank}.",
    ),
}


class ContributionsParameters(Parameters):
    """Which product, over which mission."""

    product: str = Field(description="Number of the product, or ISSUER/NUMBER.")
    mission: float = Field(gt=0, description="Length of the mission, in the product's age unit.")


class Contribution(Piece):
    """What one mode of one maker's part adds."""

    rank: int
    part: str
    maker: str | None
    mode: str | None
    """None where all modes are fitted as one."""
    part_label: Text
    maker_label: Text
    mode_label: Text
    failures: Estimate
    """Expected failures of the product by it over the mission."""
    share: float
    evidence: str
    """fitted, few, declared or bounded."""
    codes: tuple[str, ...]

    def payload(self, locale: str) -> dict[str, Any]:
        """The row as JSON values."""
        return {
            "rank": self.rank,
            "part": self.part,
            "maker": self.maker,
            "mode": self.mode,
            "label": f"{self.part_label.say(locale)}: {self.mode_label.say(locale)}",
            "value": digits(self.failures.value),
            "low": digits(self.failures.low),
            "high": digits(self.failures.high),
            "share": digits(self.share),
            "evidence": self.evidence,
            "codes": list(self.codes),
        }


class Contributions(Result):
    """All contributions, largest first; they add up to `total`."""

    product: str
    mission: float
    total: float
    """-ln R(mission): expected failures of a repairable product under minimal repair."""
    level: float
    unknown: tuple[str, ...]
    bound: str | None
    """"lower" where parts are unknown: the total is at least this."""
    notes: tuple[Reason, ...]
    """What is to be known of the whole list."""
    contributions: tuple[Contribution, ...]

    def payload(self, locale: str) -> dict[str, Any]:
        """The total and its parts."""
        return {
            "product": self.product,
            "mission": digits(self.mission),
            "total": digits(self.total),
            "level": self.level,
            "unknown": list(self.unknown),
            "bound": self.bound,
            "contributions": [c.payload(locale) for c in self.contributions],
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """A row for each mode of each maker's part; what is to be known of all of them stands beside the first."""
        headings = [
            Text("名次", "Rank"),
            Text("零部件", "Part"),
            Text("制造商", "Maker"),
            Text("失效模式", "Mode"),
            Text("预计失效数", "Expected failures"),
            Text("下限", "Low"),
            Text("上限", "High"),
            Text("占比", "Share"),
            Text("依据", "Evidence"),
        ]
        rows: list[list[Any]] = [
            [
                c.rank,
                c.part_label.say(locale),
                c.maker_label.say(locale),
                c.mode_label.say(locale),
                digits(c.failures.value),
                digits(c.failures.low),
                digits(c.failures.high),
                digits(c.share),
                EVIDENCE[c.evidence].say(locale),
            ]
            for c in self.contributions
        ]
        if self.notes:
            headings.append(Text("说明", "Note"))
            rows = rows or [[None] * (len(headings) - 1)]
            said = [" ".join(note.text.say(locale) for note in self.notes), *[""] * (len(rows) - 1)]
            rows = [[*row, note] for row, note in zip(rows, said, strict=True)]
        return [h.say(locale) for h in headings], rows


@analysis(
    "contributions",
    zh="故障来源",
    en="What fails",
    subject="product",
    parameters=ContributionsParameters,
    result=Contributions,
)
def contribute(view: View, asked: ContributionsParameters) -> Contributions:
    """Expected failures of a product over a mission, by part, maker and failure mode, largest first.

    C_i = integral over the mission of g_i dH_i, with g_i = d(-ln R)/dH_i. The C_i add up to -ln R(mission): for a
    repairable product the expected number of failures under minimal repair; for another 1 - exp(-total) is the
    probability of failure and C_i / total the share. Parts of which nothing is known are listed; the total is then a
    lower bound.
    """
    known = model(view)
    product = naming.part(view, asked.product)
    with explained(known):
        diagram = known.diagram(product)
        found = contributions(diagram, known.hazards, asked.mission)
    fits = known.fits[found.fit] if len(found.fit) else known.fits.clear()
    beyond = (known.observed(diagram)[found.fit] < asked.mission).tolist()
    notes = _notes(known.parts(found.unknown), beyond)
    whole = Text("各模式合计", "all modes together")
    rows = zip(
        fits.select("part", "maker", "mode", "kind", "codes").iter_rows(),
        found.value.tolist(),
        found.low.tolist(),
        found.high.tolist(),
        beyond,
        strict=True,
    )
    return Contributions(
        product=known.parts([product])[0],
        mission=asked.mission,
        total=found.total,
        level=found.level,
        unknown=known.parts(found.unknown),
        bound="lower" if found.bound else None,
        notes=notes,
        contributions=tuple(
            Contribution(
                rank=rank,
                part=part,
                maker=maker,
                mode=mode,
                part_label=called(view, "part", part),
                maker_label=called(view, "organisation", maker),
                mode_label=called(view, "mode", mode) if mode else whole,
                failures=Estimate(value=value, low=low, high=high, level=found.level),
                share=value / found.total if found.total > 0 else 0.0,
                evidence=kind,
                codes=(*codes, "extrapolated") if far else tuple(codes),
            )
            for rank, ((part, maker, mode, kind, codes), value, low, high, far) in enumerate(rows, start=1)
        ),
    )


def _notes(unknown: tuple[str, ...], beyond: list[bool]) -> tuple[Reason, ...]:
    """What the reader has to know: parts left out, and rows that are extrapolated."""
    said: dict[str, dict[str, str]] = {}
    if unknown:
        said["bound_lower"] = {"parts": ", ".join(unknown)}
    if any(beyond):
        said["extrapolated"] = {"count": str(sum(beyond)), "rank": str(beyond.index(True) + 1)}
    return tuple(Reason(code=code, text=filled(NOTES[code], **values)) for code, values in said.items())
