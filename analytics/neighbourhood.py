"""What is around a thing: its relations, and theirs."""

from typing import Any

from pydantic import Field

from analytics.core import Parameters, Piece, Result, analysis
from chaingraph import graph, naming
from chaingraph.view import View
from schema import Text


class NeighbourhoodParameters(Parameters):
    """Which thing, how far."""

    thing: str = Field(description="Id, number or code of the thing, or KIND:KEY.")
    depth: int = Field(default=1, ge=1, le=6, description="How many relations away.")
    limit: int = Field(default=200, ge=1, le=2000, description="At most so many things.")


class Near(Piece):
    """A thing of the neighbourhood."""

    id: str
    """kind:key."""
    kind: str
    key: str
    label: Text


class Tie(Piece):
    """A relation between two things of the neighbourhood, by their ids."""

    start: str
    end: str
    relation: str


class Neighbourhood(Result):
    """Things within reach of one, itself the first, and the relations among them."""

    center: str
    nodes: tuple[Near, ...]
    edges: tuple[Tie, ...]
    cut: bool
    """There was more than the limit."""

    def payload(self, locale: str) -> dict[str, Any]:
        """Nodes and edges."""
        return {
            "center": self.center,
            "nodes": [{"id": n.id, "kind": n.kind, "key": n.key, "label": n.label.say(locale)} for n in self.nodes],
            "edges": [{"start": e.start, "end": e.end, "relation": e.relation} for e in self.edges],
            "cut": self.cut,
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """A row for each relation."""
        headings = [Text("起点", "From"), Text("关系", "Relation"), Text("终点", "To")]
        label = {n.id: n.label.say(locale) for n in self.nodes}
        return [h.say(locale) for h in headings], [[label[e.start], e.relation, label[e.end]] for e in self.edges]


@analysis(
    "neighbourhood",
    zh="邻域",
    en="Neighbourhood of a thing",
    subject="thing",
    parameters=NeighbourhoodParameters,
    result=Neighbourhood,
)
def look_around(view: View, asked: NeighbourhoodParameters) -> Neighbourhood:
    """Things within some relations of one thing, nearest first, and the relations among them."""
    name, at = naming.thing(view, asked.thing)
    found = graph.neighbourhood(view, name, at, depth=asked.depth, limit=asked.limit)
    nodes = []
    for node in found.nodes:
        of, _, key = node.partition(":")
        row = int(view.locate(of, [key])[0])
        nodes.append(
            Near(
                id=node,
                kind=of,
                key=key,
                label=Text(naming.label(view, of, row, "zh"), naming.label(view, of, row, "en")),
            )
        )
    edges = sorted({(a, b, str(data["label"])) for a, b, data in found.edges(data=True)})
    return Neighbourhood(
        center=f"{name}:{view.table(name)['key'][at]}",
        nodes=tuple(nodes),
        edges=tuple(Tie(start=a, end=b, relation=relation) for a, b, relation in edges),
        cut=bool(found.graph["cut"]),
    )
