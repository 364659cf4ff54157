"""Weak links (薄弱环节) of a product: what is weaker than it should be, as a loss against a reference, with reasons."""

from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Any, Literal

import polars as pl
from pydantic import Field

from analytics.core import Parameters, Result, analysis, digits
from analytics.findings import WeakLink, number
from analytics.model import explained as explained_errors
from analytics.model import model
from analytics.names import Names, listed
from analytics.weak_field import claim_key, denied_links, group_links
from analytics.weak_groups import WeakGroups, weak_groups
from analytics.weak_supply import risk_links
from analytics.weak_unknown import unknown_links
from chaingraph import naming
from chaingraph.errors import NotFound
from chaingraph.view import View
from schema import Text
from schema.vocabularies import Metric

KINDS = {
    "reliability": Text("可靠性", "reliability"),
    "supply": Text("供应", "supply"),
    "evidence": Text("证据不足", "evidence"),
}
UNITS = {"failures": Text("次失效/台", "failures a product"), "days": Text("天", "days")}


class WeakLinksParameters(Parameters):
    """What is asked of the weak links of a product."""

    product: str = Field(min_length=1, description="Number or key of the product.")
    kind: Literal["reliability", "supply", "evidence"] | None = Field(
        default=None, description="Only links of this kind; all kinds in turn where not given."
    )
    top: int = Field(default=20, ge=1, le=1000, description="Rows at most.")
    mission: float = Field(
        default=8760.0, gt=0, le=1e9, description="Mission, in the product's unit of age, to count failures over."
    )
    explain: int | None = Field(default=None, ge=1, description="Rank of the row whose evidence is asked for.")


class WeakLinks(Result):
    """The weak links of a product, kinds in turn, the surest large loss of each first; `explained` is one of them."""

    product: str
    mission: float
    links: tuple[WeakLink, ...]
    explained: WeakLink | None = None

    def payload(self, locale: str) -> Any:
        """The rows; or, where one is to be explained, that row with its `explanation`."""
        if self.explained is None:
            return [link.payload(locale) for link in self.links]
        return {**self.explained.payload(locale), "explanation": self.explained.explanation.payload(locale)}

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """The list as a table; or the evidence behind one row, a line each."""
        if self.explained is not None:
            headings = [Text("项目", "Item"), Text("内容", "Value"), Text("观察", "Observed"), Text("期望", "Expected")]
            return [h.say(locale) for h in headings], _evidence(self.explained, locale)
        headings = [
            Text("序号", "Rank"), Text("类别", "Kind"), Text("环节", "Weak link"), Text("损失", "Loss"),
            Text("下限", "Low"), Text("上限", "High"), Text("单位", "Unit"), Text("理由", "Reasons"),
        ]  # fmt: skip
        return [h.say(locale) for h in headings], [
            [
                link.rank,
                KINDS[link.kind].say(locale),
                link.label.say(locale),
                digits(link.loss.value),
                digits(link.loss.low),
                digits(link.loss.high),
                UNITS[link.loss.unit].say(locale) if link.loss.unit in UNITS else link.loss.unit,
                " ".join(reason.text.say(locale) for reason in link.reasons),
            ]
            for link in self.links
        ]


def _evidence(link: WeakLink, locale: str) -> list[list[Any]]:
    """The evidence behind a row, line by line."""
    found = link.explanation
    lines: list[list[Any]] = [[Text("环节", "Weak link").say(locale), link.label.say(locale), None, None]]
    lines += [[Text("理由", "Reason").say(locale), reason.text.say(locale), None, None] for reason in link.reasons]
    if found.observed is not None:
        group, rest = Text("该组", "The group"), Text("其余", "The rest")
        lines.append([group.say(locale), None, digits(found.observed), digits(found.expected)])
        if found.rest_observed is not None:
            lines.append([rest.say(locale), None, digits(found.rest_observed), None])
    kinds = {
        "series": Text("系列中的批次", "Lot of the series"),
        "maker": Text("厂家", "Maker"),
        "lot": Text("批次", "Lot"),
        "sibling": Text("同厂其他批次", "Other lot of the make"),
        "twin": Text("单元相同", "Same units"),
    }
    lines += [
        [kinds[count.kind].say(locale), count.label.say(locale), digits(count.observed), digits(count.expected)]
        for count in found.counts
    ]
    lines += [[Text("位置", "Where").say(locale), " > ".join(place), None, None] for place in found.places]
    lines += [[Text("下一步", "Next").say(locale), step.text.say(locale), None, None] for step in found.next_steps]
    return lines


def by_loss(links: Iterable[WeakLink]) -> list[WeakLink]:
    """Links of one unit, the surest large loss first: by the low end."""
    return sorted(links, key=lambda link: -(link.loss.low or 0.0))


def in_turn(*queues: Iterable[WeakLink]) -> list[WeakLink]:
    """The first of every queue, then the second of every queue, and so on."""
    return [link for link in chain.from_iterable(zip_longest(*queues)) if link is not None]


@analysis(
    "weak_links", zh="薄弱环节", en="Weak links", subject="product", parameters=WeakLinksParameters, result=WeakLinks
)
def weak_links(view: View, asked: WeakLinksParameters) -> WeakLinks:
    """What in a product is weaker than it should be: losses against a reference, with intervals and reasons.

    Never what fails most (that is `contributions`), but what fails more than it should, what the product cannot do
    without, and what nobody knows about:

    * groups (maker, lot, series of lots, upstream lot through the genealogy, region, version) that fail more often than
      the rest of the same part by the same mode at equal ages: exact binomial test, Benjamini-Hochberg q at most 0.05
      over all candidates of the product, three failures or more, forward selection among nested ones
      (`analytics.comparison`); the loss is in expected failures of one product over the mission;
    * declared values that the field denies: P(Poisson(E) >= O) < 0.05 over the ages observed; same loss;
    * firms, sites and regions without which parts cannot be made (`analytics.supply`); the loss is in days until supply
      flows again that stock does not cover;
    * parts without evidence, by what they would contribute if they failed like the known parts of their class.

    What fails and what supply loses take turns, each by the low end of its loss and in its own unit; parts without
    evidence come last. Raises NotFound for an unknown
    product and for a rank to explain that the list does not have.
    """
    at = naming.part(view, asked.product)
    key, names = str(view.table("part")["key"][at]), Names(view)
    queues = view.memo(("weak_links.queues", at, asked.mission), lambda: _queues(view, at, key, names, asked.mission))
    wanted = [asked.kind] if asked.kind else list(KINDS)
    first = in_turn(*(queue for kind in wanted if kind != "evidence" for queue in queues[kind]))
    last = in_turn(*(queue for kind in wanted if kind == "evidence" for queue in queues[kind]))
    ranked = tuple(link.at(rank) for rank, link in enumerate([*first, *last], start=1))
    explained = None
    if asked.explain is not None:
        if asked.explain > len(ranked):
            raise NotFound(
                "weak_link.rank",
                Text(
                    f"列表只有 {len(ranked)} 行，没有第 {asked.explain} 行。",
                    f"The list has {len(ranked)} rows, no row {asked.explain}.",
                ),
                Text("请从列表中选择序号，--kind 须与列表一致。", "Take a rank from the list, with the same kind."),
            )
        explained = _placed(ranked[asked.explain - 1], names, key)
    shown = tuple(_placed(link, names, key) for link in ranked[: asked.top])
    return WeakLinks(product=key, mission=asked.mission, links=shown, explained=explained)


def _placed(link: WeakLink, names: Names, product: str) -> WeakLink:
    """The row with the places of its part in the product, where it does not say them itself."""
    found = link.explanation
    if found.places or found.part is None:
        return link
    places = names.places(product, found.part)
    return link.model_copy(update={"explanation": found.model_copy(update={"places": places})})


def _queues(view: View, at: int, product: str, names: Names, mission: float) -> dict[str, list[list[WeakLink]]]:
    """All rows by kind, in queues: weaker groups and denied values, what supply loses, parts without evidence."""
    of = model(view)
    with explained_errors(of):
        units, risks, unknown = of.units(at), of.risks(at), of.parts(of.diagram(at).unknown)
    inside = set(view.locate("part", units["part"].unique()).tolist())
    evidence = of.evidence
    found = weak_groups(
        evidence.records.rows,
        view.table("lot"),
        view.table("lot_genealogy"),
        evidence.figures,
        units,
        mission,
        product,
    )
    text = f"{number(mission)} {view.table('part')['age_unit'][at] or 'h'}"
    modes = evidence.fits.filter(pl.col("mode").is_not_null() & pl.col("mechanism").is_not_null())
    mechanisms = dict(modes.select("mode", "mechanism").unique().sort("mode").rows())
    return {
        "reliability": [
            by_loss(
                [*group_links(found, names, text, mechanisms), *denied_links(found, names, text, _claims(view, found))]
            )
        ],
        "supply": [risk_links(risks, names, of, at, inside)],
        "evidence": [unknown_links(evidence, view.table("part"), units, set(unknown), names, mission, text)],
    }


def _claims(view: View, found: WeakGroups) -> dict[str, Text]:
    """What was declared, in words, of each denied value: the figures by (part, maker, mode)."""
    claims: dict[str, list[Text]] = {}
    metrics = {metric.value: metric.text for metric in Metric}
    stated = view.table("declared_value").join(found.denied.select("part").unique(), on="part", how="semi")
    for row in stated.sort("key").iter_rows(named=True):
        metric, more = metrics[row["metric"]], f", β = {number(row['shape'])}" if row["shape"] else ""
        text = f" {number(row['value'])} {row['unit']}{more}"
        condition = Text(f"（{row['condition']}）", f" ({row['condition']})") if row["condition"] else Text("", "")
        claim = Text(metric.zh + text + condition.zh, metric.en + text + condition.en)
        claims.setdefault(claim_key(row), []).append(claim)
    return {key: listed(texts) for key, texts in claims.items()}
