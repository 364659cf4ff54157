"""Nodes in levels, children first, and one node for each age at which a part works."""

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise

import numpy as np

from analytics.arrays import Floats, Ints, distinct, heights, pointers
from analytics.sourcing import StructureError

MOST_NODES = 5_000_000
"""Distinct duties multiply; beyond so many nodes the answer would not fit into memory."""


class Kind(IntEnum):
    """What a node's cumulative hazard is of its children's."""

    SERIES = 0
    MIXTURE = 1
    ACTIVE = 2
    STANDBY = 3


@dataclass(frozen=True, slots=True)
class Network:
    """Nodes and edges (sorted by source) on the way to a diagram; `state` is -1 for what is no state."""

    kind: Ints
    state: Ints
    part: Ints
    maker: Ints
    k: Ints
    height: Ints
    source: Ints
    target: Ints
    weight: Floats
    duty: Floats
    root: int

    def renumbered(self, order: Ints) -> "Network":
        """The same, with the node order[i] as node i."""
        number = np.empty(len(order), np.int64)
        number[order] = np.arange(len(order))
        source = number[self.source]
        edge = np.argsort(source, kind="stable")
        return replace(
            self.nodes(order),
            source=source[edge],
            target=number[self.target][edge],
            weight=self.weight[edge],
            duty=self.duty[edge],
            root=int(number[self.root]),
        )

    def nodes(self, index: Ints) -> "Network":
        """The same edges, with the properties of node index[i] at i."""
        names = ("kind", "state", "part", "maker", "k", "height")
        return replace(self, **{name: getattr(self, name)[index] for name in names})


def leveled(net: Network) -> Network:
    """Number nodes by height above the lowest, and by kind within a height.

    Raises StructureError `cycle`, with the parts that lie on a cycle or above one.
    """
    height = heights(len(net.kind), net.source, net.target)
    if np.any(height < 0):
        stuck = np.unique(net.part[(height < 0) & (net.part >= 0)])
        raise StructureError("cycle", "the bill of materials contains a cycle", tuple(stuck.tolist()))
    return replace(net, height=height).renumbered(np.lexsort((net.kind, height)))


def segments(net: Network) -> tuple[tuple[Kind, int, int], ...]:
    """Stretches of nodes of one height and kind: (kind, first, last + 1), lowest first."""
    new = np.flatnonzero((np.diff(net.height) != 0) | (np.diff(net.kind) != 0)) + 1
    bounds = [0, *new.tolist(), len(net.kind)]
    return tuple((Kind(int(net.kind[a])), a, b) for a, b in pairwise(bounds))


def aged(net: Network) -> tuple[Network, Floats]:
    """One node for each node and product of duties on a way to it, and those products.

    They are the age of the node for each unit of the product's age. Where every duty is 1 the nodes stay as they are.
    Raises StructureError `duty_explosion`.
    """
    if np.all(net.duty == 1):
        return net, np.ones(len(net.kind))
    by_target = np.argsort(net.target, kind="stable")
    ptr, parent, duty = pointers(net.target[by_target], len(net.kind)), net.source[by_target], net.duty[by_target]
    first, count = np.zeros(len(net.kind), np.int64), np.zeros(len(net.kind), np.int64)
    count[net.root], factors, total = 1, np.ones(1024), 1
    nodes = [np.array([net.root])]
    sources, targets, edges = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    bounds = pointers(net.height, int(net.height[-1]) + 1)
    for level in range(len(bounds) - 2, -1, -1):
        a, b = int(bounds[level]), int(bounds[level + 1])
        edge = np.arange(ptr[a], ptr[b])
        if not len(edge):
            continue
        times = count[parent[edge]]
        which = np.repeat(np.arange(len(edge)), times)
        source = np.arange(len(which)) + np.repeat(first[parent[edge]] - np.cumsum(times) + times, times)
        target = np.repeat(np.arange(a, b), np.diff(ptr[a : b + 1]))[which]
        factor = factors[source] * duty[edge][which]
        kept, number = distinct(target, _rounded(factor))
        if total + len(kept) > MOST_NODES:
            raise StructureError("duty_explosion", "too many different ages: duties multiply along too many ways")
        while total + len(kept) > len(factors):
            factors = np.concatenate([factors, np.empty_like(factors)])
        factors[total : total + len(kept)] = factor[kept]
        count[a:b] = np.bincount(target[kept] - a, minlength=b - a)
        first[a:b] = total + np.cumsum(count[a:b]) - count[a:b]
        nodes.append(target[kept])
        sources.append(source)
        targets.append(total + number)
        edges.append(by_target[edge[which]])
        total += len(kept)
    node, source, edge = np.concatenate(nodes), np.concatenate(sources), np.concatenate(edges)
    unfolded = replace(
        net.nodes(node),
        source=source,
        target=np.concatenate(targets),
        weight=net.weight[edge],
        duty=net.duty[edge],
        root=0,
    )
    order = np.lexsort((unfolded.kind, unfolded.height))
    return unfolded.renumbered(order), factors[:total][order]


def _rounded(x: Floats) -> Floats:
    """To 40 binary digits: ages that differ by rounding only are one age."""
    mantissa, exponent = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, 40)), exponent - 40))
