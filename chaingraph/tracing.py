"""What is reached from some things along one relation: lots downstream of a lot, parts below a part, its suppliers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import polars as pl
from pydantic import BaseModel, ConfigDict

from chaingraph import naming
from chaingraph.errors import ChaingraphError
from chaingraph.store.base import Direction
from schema import KINDS, Text, kind

if TYPE_CHECKING:
    from chaingraph.view import View
    from chaingraph.workspace import Workspace

RELATIONS = tuple(name for name, each in KINDS.items() if each.relation)
"""The kinds of edges, each of which can be walked."""
USUAL: dict[str, tuple[str, Direction]] = {
    "lot": ("lot_genealogy", "out"),
    "part": ("contains", "out"),
    "organisation": ("supplies", "out"),
}
"""Along what, and which way, things of a kind are traced where nobody says: a lot to the lots that it went into, a part
to what it is made of, an organisation to what it supplies."""


class Reached(BaseModel):
    """A thing on the way, at the least number of relations from where the walk starts."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    depth: int
    """How many relations from a start; the starts have 0."""
    kind: str
    """What it is."""
    key: str
    """Its key."""
    label: Text
    """What to show for it."""


class Trace(BaseModel):
    """What is reached from some things along one relation, nearest first."""

    model_config = ConfigDict(frozen=True)

    along: str
    """The relation."""
    direction: Direction
    """From its start to its end, or back."""
    things: tuple[Reached, ...]
    """The starts, then what is reached, nearest first."""
    cut: bool
    """There was more than the limit."""


def trace(
    workspace: Workspace,
    view: View,
    things: Sequence[str],
    along: str | None = None,
    direction: str | None = None,
    depth: int | None = None,
    limit: int | None = None,
) -> Trace:
    """Walk from things that people name (see `naming.thing`), all of one kind, along a relation as far as it goes.

    Without `along` and `direction`, along what is usual for the kind. At most `depth` relations and the first `limit`
    things. Only what the view has is walked. Raises NotFound, and ChaingraphError (`trace.kinds`, `trace.relation`)
    where the things are of several kinds, or the relation has no end of theirs.
    """
    found = [naming.thing(view, each) for each in things]
    kinds = sorted({name for name, _ in found})
    if len(kinds) != 1:
        raise ChaingraphError(
            "trace.kinds",
            Text(
                f"起点须为同一种类，而非 {'、'.join(kinds)}。", f"The starts are of several kinds: {', '.join(kinds)}."
            ),
            Text("请分别追溯。", "Trace those of each kind by themselves."),
        )
    start = kinds[0]
    relation, way = _chosen(start, along, direction)
    keys = view.table(start)["key"]
    walked = workspace.trace(view, [keys[at] for _, at in found], relation, way, depth)
    shown = walked.head(len(walked) if limit is None else limit)
    end = _ends(relation)[1 if way == "out" else 0]
    reached = tuple(_reached(view, start, end, shown))
    return Trace(along=relation, direction=way, things=reached, cut=len(shown) < len(walked))


def _chosen(start: str, along: str | None, direction: str | None) -> tuple[str, Direction]:
    """The relation, and the way to walk it from things of a kind; raises ChaingraphError where there is none."""
    possible: list[tuple[str, Direction]] = []
    for name in RELATIONS:
        near, far = _ends(name)
        possible += [(name, "out")] if near == start else []
        possible += [(name, "in")] if far == start else []
    usual = USUAL.get(start)
    wanted = along or (usual[0] if usual else None)
    asked = [each for each in possible if each[0] == wanted and direction in {None, each[1]}]
    if asked:
        return usual if usual in asked else asked[0]
    others = ", ".join(dict.fromkeys(name for name, _ in possible))
    said, text = " ".join(filter(None, (wanted, direction))), kind(start).text
    raise ChaingraphError(
        "trace.relation",
        Text(f"{text.zh}不能沿“{said}”追溯。", f"{text.en}: cannot be traced along {said!r}."),
        Text(f"可沿：{others or '无'}。", f"It can be traced along: {others or 'nothing'}."),
    )


def _ends(along: str) -> tuple[str, str]:
    """The kinds at the two ends of a relation."""
    of = kind(along)
    assert of.relation is not None
    return of.refs[of.relation.start], of.refs[of.relation.end]


def _reached(view: View, start: str, end: str, found: pl.DataFrame) -> Iterator[Reached]:
    """Things by their keys and depths: the starts are of one kind, all that is reached of the other."""
    for name, rows in ((start, found.filter(pl.col("depth") == 0)), (end, found.filter(pl.col("depth") > 0))):
        for (key, depth), label in zip(rows.iter_rows(), naming.labels(view, name, rows["key"]), strict=True):
            yield Reached(depth=depth, kind=name, key=key, label=label)
