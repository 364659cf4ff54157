"""Whose loss alone stops a product."""

from typing import Any

from pydantic import Field

from analytics.core import Parameters, Piece, Result, analysis
from analytics.labels import called
from analytics.model import explained, model
from analytics.supply import single_points
from chaingraph import naming
from chaingraph.view import View
from schema import Text

KINDS = {
    "organisation": Text("组织", "organisation"),
    "site": Text("场所", "site"),
    "part": Text("零部件", "part"),
}


class SinglePointsParameters(Parameters):
    """Which product."""

    product: str = Field(description="Number of the product, or ISSUER/NUMBER.")


class SinglePoint(Piece):
    """One loss that stops the product."""

    kind: str
    """organisation, site or part."""
    id: str
    label: Text
    loses: tuple[str, ...]
    """Parts that can no longer be had, lowest first, products last."""


class SinglePoints(Result):
    """All of them, by kind and id; empty when there is none."""

    product: str
    points: tuple[SinglePoint, ...]

    def payload(self, locale: str) -> list[dict[str, Any]]:  # noqa: ARG002  # the same in every language
        """A list of kind, id and what is lost."""
        return [{"kind": p.kind, "id": p.id, "loses": list(p.loses)} for p in self.points]

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """A row for each."""
        headings = [Text("种类", "Kind"), Text("单点", "Single point"), Text("失去的零部件", "Parts lost")]
        return [h.say(locale) for h in headings], [
            [KINDS[p.kind].say(locale), p.label.say(locale), ", ".join(p.loses)] for p in self.points
        ]


@analysis(
    "single_points",
    zh="单点失效",
    en="Single points of failure",
    subject="product",
    parameters=SinglePointsParameters,
    result=SinglePoints,
)
def points(view: View, asked: SinglePointsParameters) -> SinglePoints:
    """Organisations, sites and raw parts whose loss alone stops a product, with what is lost.

    A part can be made if all its inputs are there and any qualified source of each works; v is a single point when the
    greatest fixpoint of that AND/OR rule without v no longer makes the product. Raw parts are listed where nobody is
    known to make them; of the others their makers are. Also other products that consortia care for are among what is
    lost.
    """
    known = model(view)
    product = naming.part(view, asked.product)
    with explained(known):
        found = single_points(known.network(product))
    named = ((p.kind, known.subject(p.kind, p.index), known.parts(p.loses)) for p in found)
    return SinglePoints(
        product=known.parts([product])[0],
        points=tuple(
            SinglePoint(kind=kind, id=key, label=called(view, kind, key), loses=loses) for kind, key, loses in named
        ),
    )
