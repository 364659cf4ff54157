"""Where a part is used, and what is in it: all parts above or below, with their levels and exact quantities."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from analytics.arrays import Floats, Ints, entries, pointers, waves
from analytics.core import Parameters, Piece, Result, analysis, digits
from analytics.labels import called
from analytics.model import explained, model
from analytics.sourcing import StructureError
from chaingraph import naming
from chaingraph.view import View
from schema import Text


@dataclass(frozen=True, slots=True)
class Explosion:
    """Parts above or below one part, nearest first; arrays of the shape (parts,), empty when there is none.

    `level` and `longest` count the lines on the shortest and on the longest way. `quantity` is how much of the lower
    part one unit of the upper has: quantities multiplied along every way, summed over the ways.
    """

    part: Ints
    level: Ints
    longest: Ints
    quantity: Floats


def where_used(parts: int, parent: Ints, child: Ints, quantity: Floats, part: int) -> Explosion:
    """Every part that contains `part`, however deep. Raises StructureError `cycle`."""
    return _explode(parts, child, parent, quantity, part)


def explode(parts: int, parent: Ints, child: Ints, quantity: Floats, part: int) -> Explosion:
    """Every part that `part` contains, however deep. Raises StructureError `cycle`."""
    return _explode(parts, parent, child, quantity, part)


def _explode(parts: int, start: Ints, end: Ints, quantity: Floats, part: int) -> Explosion:
    order = np.argsort(start, kind="stable")
    ptr, end, quantity = pointers(start[order], parts), end[order], quantity[order]
    level = np.full(parts, -1)
    for now, wave in enumerate(waves(ptr, end, np.array([part]))):
        level[wave] = now
    reached = np.flatnonzero(level >= 0)
    missing = np.bincount(end[entries(ptr, reached)[1]], minlength=parts)
    amount, longest = np.zeros(parts), np.full(parts, -1)
    amount[part], now = 1.0, 0
    wave = reached[missing[reached] == 0]  # the part itself, unless it is in a cycle
    while len(wave):
        longest[wave] = now
        owner, line = entries(ptr, wave)
        target, inverse = np.unique(end[line], return_inverse=True)
        amount[target] += np.bincount(inverse, amount[wave][owner] * quantity[line], len(target))
        missing[target] -= np.bincount(inverse, minlength=len(target))
        wave, now = target[missing[target] == 0], now + 1
    if np.any(longest[reached] < 0):
        stuck = reached[longest[reached] < 0]
        raise StructureError("cycle", "the bill of materials contains a cycle", tuple(stuck.tolist()))
    found = reached[reached != part]
    found = found[np.lexsort((found, longest[found], level[found]))]
    return Explosion(found, level[found], longest[found], amount[found])


class WhereUsedParameters(Parameters):
    """Which part."""

    part: str = Field(description="Number of the part, or ISSUER/NUMBER.")


class Use(Piece):
    """A part that contains the part asked for."""

    part: str
    label: Text
    level: int
    """Lines between them on the shortest way."""
    longest: int
    """Lines between them on the longest way."""
    quantity: float
    """How much of the part is in one of it, over all ways."""
    top: bool
    """Nothing contains it."""


class WhereUsed(Result):
    """All parts that contain a part, nearest first; empty when none does."""

    part: str
    uses: tuple[Use, ...]

    def payload(self, locale: str) -> list[dict[str, Any]]:  # noqa: ARG002  # the same in every language
        """A list of parts with level and quantity."""
        return [
            {
                "part": use.part,
                "level": use.level,
                "longest": use.longest,
                "quantity": digits(use.quantity),
                "top": use.top,
            }
            for use in self.uses
        ]

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """A row for each part above."""
        headings = (Text("层级", "Level"), Text("零部件", "Part"), Text("总用量", "Quantity"))
        return [h.say(locale) for h in headings], [
            [use.level, use.label.say(locale), digits(use.quantity)] for use in self.uses
        ]


@analysis(
    "where_used",
    zh="反查用途",
    en="Where a part is used",
    subject="part",
    parameters=WhereUsedParameters,
    result=WhereUsed,
)
def find_uses(view: View, asked: WhereUsedParameters) -> WhereUsed:
    """All parts that contain a part, at any depth, with the quantity in one of each.

    Quantities are multiplied along every way through the bill of materials in effect and summed over the ways.
    """
    known = model(view)
    part = naming.part(view, asked.part)
    lines = known.sourcing.lines
    with explained(known):
        found = where_used(known.sourcing.parts, lines.parent, lines.child, lines.quantity, part)
    contained = np.zeros(known.sourcing.parts, np.bool_)
    contained[lines.child] = True
    columns = (found.part, found.level, found.longest, found.quantity, ~contained[found.part])
    return WhereUsed(
        part=known.parts([part])[0],
        uses=tuple(
            Use(part=key, label=called(view, "part", key), level=level, longest=longest, quantity=quantity, top=top)
            for key, (_, level, longest, quantity, top) in zip(
                known.parts(found.part), zip(*(c.tolist() for c in columns), strict=True), strict=True
            )
        ),
    )
