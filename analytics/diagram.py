"""A product's reliability diagram: states and choices under it, laid out in levels for vectorised evaluation.

A node is a *series* (a state: its own modes and all its lines), a *mixture* (a choice of makers, by shares), an
*active* or a *standby* group. Nodes are numbered level by level, children first, and within a level by kind, so that a
stretch of equal nodes is one array operation; the same part at two ages (duty) is two nodes.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analytics.arrays import Bools, Floats, Ints, distinct, entries, pointers, reach
from analytics.layout import Kind, Network, aged, leveled, segments
from analytics.sourcing import UNKNOWN, Reached, Sourcing, StructureError


@dataclass(frozen=True, slots=True)
class Modes:
    """Ways to fail: a row says that the hazard `fit` acts on (part, maker); every array has the shape (rows,)."""

    part: Ints
    maker: Ints
    """-1: on every maker of the part that has no row of its own."""
    fit: Ints
    """Row of the `Hazards`; several rows may share one."""
    scale: Floats
    """Factor on the scale eta: how upstream quality lengthens or shortens this life."""
    total: Bools
    """The row describes the part as a whole; it counts only where nothing below the part is known."""

    @classmethod
    def of(
        cls, part: object, maker: object = UNKNOWN, fit: object = None, *, scale: object = 1.0, total: object = False
    ) -> "Modes":
        """Rows from values that broadcast to one shape; `fit` counts up where left out."""
        index = np.arange(np.size(np.asarray(part))) if fit is None else fit
        kinds = (np.int64, np.int64, np.int64, np.float64, np.bool_)
        values = (part, maker, index, scale, total)
        columns = np.broadcast_arrays(*(np.asarray(v, t) for v, t in zip(values, kinds, strict=True)))
        return cls(*(np.atleast_1d(column).copy() for column in columns))

    def take(self, index: Ints | Bools) -> "Modes":
        """The rows `index`."""
        return replace(self, **{name: getattr(self, name)[index] for name in self.__slots__})


@dataclass(frozen=True)
class Diagram:
    """Nodes (N,), their edges to children (E,), and the modes that act on them (occurrences, sorted by node).

    `weight` of an edge: units of a series' line, share of a mixture's source, units of a group's line. `factor` is the
    age of a node for each unit of the product's age. `unknown` lists the parts that nothing is known of (they are left
    out, so that the result is an upper bound of reliability), `warnings` pairs of a code and the parts it is about.
    """

    kind: Ints
    part: Ints
    """-1 for groups."""
    maker: Ints
    factor: Floats
    k: Ints
    """Units of a group that must work; 0 elsewhere."""
    ptr: Ints
    child: Ints
    weight: Floats
    segments: tuple[tuple[Kind, int, int], ...]
    root: int
    mode_node: Ints
    mode_fit: Ints
    mode_scale: Floats
    """Age of the mode over the product's age: the node's factor over the mode's scale."""
    unknown: tuple[int, ...] = ()
    warnings: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def __len__(self) -> int:
        return len(self.kind)

    @cached_property
    def up(self) -> tuple[Ints, Ints, Ints]:
        """Edges by child: pointers (N + 1,), and for each entry the edge and its parent."""
        edge = np.argsort(self.child, kind="stable")
        parent = np.repeat(np.arange(len(self)), np.diff(self.ptr))
        return pointers(self.child[edge], len(self)), edge, parent[edge]

    @cached_property
    def linear(self) -> bool:
        """Everything is in series: -ln R is a weighted sum of the modes' hazards."""
        return bool(np.all(self.kind == Kind.SERIES))

    def under(self, node: int) -> tuple["Diagram", Ints]:
        """The diagram of one node alone, and the numbers that its nodes have here."""
        keep = np.flatnonzero(reach(self.ptr, self.child, np.array([node])))
        number = np.full(len(self), -1)
        number[keep] = np.arange(len(keep))
        _, edge = entries(self.ptr, keep)
        counts = (self.ptr[1:] - self.ptr[:-1])[keep]
        modes = number[self.mode_node] >= 0
        bounds = np.searchsorted(keep, [(a, b) for _, a, b in self.segments])
        return (
            replace(
                self,
                kind=self.kind[keep],
                part=self.part[keep],
                maker=self.maker[keep],
                factor=self.factor[keep],
                k=self.k[keep],
                ptr=np.concatenate([[0], np.cumsum(counts)]),
                child=number[self.child[edge]],
                weight=self.weight[edge],
                segments=tuple(
                    (kind, int(a), int(b)) for (kind, _, _), (a, b) in zip(self.segments, bounds, strict=True) if a < b
                ),
                root=int(number[node]),
                mode_node=number[self.mode_node[modes]],
                mode_fit=self.mode_fit[modes],
                mode_scale=self.mode_scale[modes],
            ),
            keep,
        )


def build(
    sourcing: Sourcing, modes: Modes, product: int, maker: int | None = None, indirect: Bools | None = None
) -> Diagram:
    """Lay out the diagram of `product`, made by `maker` or as its own supply rows share it.

    `indirect` (parts,) marks materials that act through upstream quality: they have no modes and are not unknown.
    Modes of a state are those of (part, maker), else those of (part, -1). A state without modes and without lines is
    unknown.

    Raises StructureError `maker_unknown`, `cycle` (naming parts on or above it), `group_k` (k larger than the units of
    its group), `standby_unsupported` (a standby group of different children), `duty_missing` (a line whose duty is nan)
    or `duty_explosion`.
    """
    found = sourcing.walk(sourcing.root(product, maker))
    state_modes = _modes_of(sourcing, modes, found.states)
    if len(modes.total) and modes.total.any():
        found, state_modes = _with_totals(sourcing, modes, found, state_modes)
    net, warnings = _network(sourcing, found)
    net, factor = aged(leveled(net))

    by_state = np.argsort(net.state, kind="stable")
    copies = pointers(net.state[by_state], sourcing.states)
    owner, at = entries(copies, state_modes[0])
    node, row = by_state[at], state_modes[1][owner]
    by_node = np.argsort(node, kind="stable")
    node, row = node[by_node], row[by_node]

    known = np.zeros(sourcing.parts, np.bool_) if indirect is None else indirect.copy()
    bare = np.diff(pointers(net.source, len(net.kind))) == 0
    bare[node] = False
    bare &= net.kind == Kind.SERIES
    unknown = np.unique(net.part[bare])
    return Diagram(
        kind=net.kind,
        part=net.part,
        maker=net.maker,
        factor=factor,
        k=net.k,
        ptr=pointers(net.source, len(net.kind)),
        child=net.target,
        weight=net.weight,
        segments=segments(net),
        root=int(net.root),
        mode_node=node,
        mode_fit=modes.fit[row],
        mode_scale=factor[node] / modes.scale[row],
        unknown=tuple(unknown[~known[unknown]].tolist()),
        warnings=warnings,
    )


def _modes_of(sourcing: Sourcing, modes: Modes, states: Ints, *, total: bool = False) -> tuple[Ints, Ints]:
    """(state, mode row) pairs of the reached states: those of (part, maker), else of (part, -1)."""
    rows = np.flatnonzero(modes.total == total)
    state = sourcing.state(modes.part[rows], modes.maker[rows])
    rows, state = rows[state >= 0], state[state >= 0]
    order = np.argsort(state, kind="stable")
    rows, ptr = rows[order], pointers(state[order], sourcing.states)
    general = sourcing.state(sourcing.state_part[states], np.full(len(states), UNKNOWN))
    own = ptr[states + 1] > ptr[states]
    owner, entry = entries(ptr, np.where(own, states, general))
    return states[owner], rows[entry]


def _with_totals(
    sourcing: Sourcing, modes: Modes, found: Reached, state_modes: tuple[Ints, Ints]
) -> tuple[Reached, tuple[Ints, Ints]]:
    """Use figures of whole parts where nothing below is known, and leave out what is below them."""
    n = sourcing.states + len(sourcing.choice_part)
    owner, row = entries(sourcing.row_ptr, found.choices)
    above = np.concatenate([found.parent, found.choices[owner] + sourcing.states])
    below = np.concatenate([found.target, sourcing.row_state[row]])
    order = np.argsort(below, kind="stable")
    known = reach(pointers(below[order], n), above[order], np.unique(state_modes[0]))
    states = found.states[~known[found.states]]
    totals = _modes_of(sourcing, modes, states, total=True)
    covered = np.zeros(n, np.bool_)
    covered[totals[0]] = True
    lines = ~covered[found.parent]
    above = np.concatenate([found.parent[lines], found.choices[owner] + sourcing.states])
    below = np.concatenate([found.target[lines], sourcing.row_state[row]])
    order = np.argsort(above, kind="stable")
    kept = reach(pointers(above[order], n), below[order], np.array([found.root]))
    lines &= kept[found.parent]
    choices = found.choices[kept[found.choices + sourcing.states]]
    all_modes = tuple(np.concatenate(pair) for pair in zip(state_modes, totals, strict=True))
    use = kept[all_modes[0]]
    return (
        replace(
            found,
            states=found.states[kept[found.states]],
            choices=choices,
            parent=found.parent[lines],
            line=found.line[lines],
            target=found.target[lines],
        ),
        (all_modes[0][use], all_modes[1][use]),
    )


def _network(sourcing: Sourcing, found: Reached) -> tuple[Network, tuple[tuple[str, tuple[int, ...]], ...]]:
    """Series, mixture and group nodes with their edges."""
    lines, states = sourcing.lines, len(found.states)
    number = np.full(sourcing.states + len(sourcing.choice_part), -1)
    number[found.states] = np.arange(states)
    number[found.choices + sourcing.states] = states + np.arange(len(found.choices))
    source, target = number[found.parent], number[found.target]
    units, duty = lines.units[found.line], lines.duty[found.line]
    if np.any(np.isnan(duty)):
        children = np.unique(lines.child[found.line[np.isnan(duty)]])
        raise StructureError("duty_missing", "ages in different units need a duty", tuple(children.tolist()))

    grouped = np.flatnonzero(lines.gathered[found.line])
    line = found.line[grouped]
    name = np.where(lines.group[line] >= 0, lines.group[line], -1 - line)
    first, group = distinct(source[grouped], name)
    groups, base = len(first), states + len(found.choices)
    n = np.bincount(group, units[grouped], groups).astype(np.int64)
    k = np.zeros(groups, np.int64)
    np.maximum.at(k, group, lines.k[line])
    standby = np.bincount(group, lines.standby[line], groups) > 0
    parent_of_group = source[grouped][first]
    part_of_group = sourcing.state_part[found.states[parent_of_group]]
    if np.any(k > n):
        raise StructureError(
            "group_k", "a group needs more units than it has", tuple(np.unique(part_of_group[k > n]).tolist())
        )
    mixed = standby & (np.bincount(group, minlength=groups) > 1)
    if np.any(mixed):
        raise StructureError(
            "standby_unsupported",
            "a standby group must be one line of identical units",
            tuple(np.unique(part_of_group[mixed]).tolist()),
        )
    missing = k <= 0
    source[grouped] = base + group

    owner, row = entries(sourcing.row_ptr, found.choices)
    shared = sourcing.row_share[row] > 0
    owner, row = owner[shared], row[shared]
    one = np.ones(groups)
    edges = (
        np.concatenate([source, parent_of_group, states + owner]),
        np.concatenate([target, base + np.arange(groups), number[sourcing.row_state[row]]]),
        np.concatenate([units, one, sourcing.row_share[row]]),
        np.concatenate([duty, one, np.ones(len(row))]),
    )
    by_source = np.argsort(edges[0], kind="stable")
    nothing, unnamed = np.full(groups, -1), np.full(len(found.choices), -1)
    uneven = sourcing.choice_part[found.choices[sourcing.uneven[found.choices]]]
    warnings = (
        ("shares_pooled", found.pooled),
        ("shares_guessed", found.guessed),
        ("shares_normalised", np.unique(uneven)),
        ("group_k_missing", np.unique(part_of_group[missing])),
    )
    return (
        Network(
            kind=np.concatenate(
                [
                    np.full(states, Kind.SERIES),
                    np.full(len(found.choices), Kind.MIXTURE),
                    np.where(standby, Kind.STANDBY, Kind.ACTIVE),
                ]
            ).astype(np.int64),
            state=np.concatenate([found.states, unnamed, nothing]),
            part=np.concatenate([sourcing.state_part[found.states], sourcing.choice_part[found.choices], nothing]),
            maker=np.concatenate([sourcing.state_maker[found.states], unnamed, nothing]),
            k=np.concatenate([np.zeros(base, np.int64), np.where(missing, n, k)]),
            height=np.zeros(base + groups, np.int64),
            source=edges[0][by_source],
            target=edges[1][by_source],
            weight=edges[2][by_source],
            duty=edges[3][by_source],
            root=int(number[found.root]),
        ),
        tuple((code, tuple(parts.tolist())) for code, parts in warnings if len(parts)),
    )
