"""Where a part is used, and what is in it: all parts above or below, with their levels and exact quantities."""

from dataclasses import dataclass

import numpy as np

from analytics.arrays import Floats, Ints, entries, pointers, waves
from analytics.sourcing import StructureError


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
