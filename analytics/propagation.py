"""What the parts' hazards say about a product: reliability, its interval, and every mode's contribution to it.

Forward, level by level: H of a series is its modes' H plus units times its lines' H; of a mixture
-ln sum of share exp(-H) (per unit: every unit of a line comes from a source by its share); of groups see
`redundancy`. Backward, once: g = dH(product)/dH(node), from which importance, interval and contributions follow for all
modes together (reverse accumulation; for single units it is Birnbaum's importance times R_unit / R, Birnbaum 1969).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analytics.arrays import Floats, Ints, pointers, product_rows, row_sums
from analytics.diagram import Diagram
from analytics.hazard import Hazards
from analytics.layout import Kind
from analytics.redundancy import Standby, different_units, equal_units, tabulate_standby
from analytics.sourcing import StructureError

GRID = 4097
"""Ages at which the curve of a standby group is tabulated."""
WORN = 40.0
"""A standby unit with so much cumulative hazard is gone: its curve is tabulated up to there."""
PANELS = ((1, 24), (8, 16), (16, 32))
"""Panels over the mission, each half as long as the next, and Gauss-Legendre points in each: more where fewer fail."""
EXACT = 1e-10
"""Relative difference between the sum of contributions and -ln R(mission) that ends the search."""

GONE = 700.0
"""Above it a reliability is 0 in float64, and contributions are not refined further."""
ENDLESS = 1e200
"""Hazards and units end here, far from overflow."""

Switch = Callable[[int, Floats], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Curve:
    """Reliability of a product at the ages `hours`, with its interval at `level`; arrays of the shape (hours,).

    `bound` is "upper" where parts are `unknown`: they are left out, so the figures are an upper bound, and the low end
    is no bound either.
    """

    hours: Floats
    reliability: Floats
    low: Floats
    high: Floats
    level: float
    unknown: tuple[int, ...]
    bound: str | None
    warnings: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Contributions:
    """What each fit adds to -ln R(mission), largest first: arrays of the shape (fits,); the values add up to `total`.

    `total` is the expected number of failures of a repairable product under minimal repair; for another,
    1 - exp(-total) is the probability of failure and value / total the share. `low`, `high` are the ends of each value
    alone at `level`.
    """

    mission: float
    fit: Ints
    value: Floats
    low: Floats
    high: Floats
    total: float
    level: float
    unknown: tuple[int, ...]
    bound: str | None


@dataclass(frozen=True)
class Units:
    """Units of each part in one product, by maker (-1 unknown) and age for each unit of the product's age (`factor`).

    A measured line counts once. Arrays of the shape (rows,), by part, maker, factor; the share of a maker in a part's
    units is its units over the part's sum.
    """

    part: Ints
    maker: Ints
    factor: Floats
    units: Floats


def curve(diagram: Diagram, hazards: Hazards, hours: Floats) -> Curve:
    """Reliability and interval at `hours` of the product's age.

    The interval is MOVER on the cumulative hazard (Zou and Donner, Statistics in Medicine 27, 2008): sum g over all
    occurrences of one fit first, for they are wrong together; then H_low = H - sqrt(sum (g_i (H_i - low_i))^2), and
    H_high alike.
    """
    ages = np.atleast_1d(np.asarray(hours, np.float64))
    total, g = slopes(diagram, hazards, ages)
    _, down, up = margins(diagram, hazards, ages, g)
    below, above = _together(down), _together(up)
    return Curve(
        hours=ages,
        reliability=np.exp(-total),
        low=np.exp(-(total + above)),
        high=np.exp(-np.maximum(total - below, 0.0)),
        level=hazards.level,
        unknown=diagram.unknown,
        bound="upper" if diagram.unknown else None,
        warnings=diagram.warnings,
    )


def slopes(diagram: Diagram, hazards: Hazards, ages: Floats) -> tuple[Floats, Floats]:
    """-ln R of the product at its ages (T,), and g = d(-ln R)/dH of every occurrence of a mode (occurrences, T)."""
    switch = _switch(diagram, hazards, float(ages.max(initial=0.0)))
    h = _forward(diagram, _lives(diagram, hazards, ages), switch)
    return h[diagram.root], _backward(diagram, h, switch)[diagram.mode_node]


def margins(diagram: Diagram, hazards: Hazards, ages: Floats, g: Floats) -> tuple[Ints, Floats, Floats]:
    """(fits, down, up): g (H - low) and g (high - H) of each fit over all its occurrences, (fits, T)."""
    at = _lives(diagram, hazards, ages)
    low, high = hazards.interval(diagram.mode_fit[:, None], diagram.mode_scale[:, None] * ages)
    fits, down = _by_fit(diagram, g * (at - low))
    return fits, down, _by_fit(diagram, g * (high - at))[1]


def contributions(diagram: Diagram, hazards: Hazards, mission: float) -> Contributions:
    """C_i = int over 0..mission of g_i dH_i, for every fit that acts on the product; they add up to -ln R(mission).

    Where all is in series g is constant and C_i = g_i H_i(mission). Elsewhere Gauss-Legendre in u, t = mission u^p,
    with p so large that the integrand is smooth at 0 for shapes below 1. A standby group's hazard rate is shared among
    the modes of its units in proportion to theirs at the same time: the sum stays exact; for units with one mode it is
    also the derivative with respect to their scale. The interval scales the value by low/H and high/H at the mission; a
    fit with H = 0 has g(mission) times its bound as high end.
    """
    ages = np.array([float(mission)])
    fit = diagram.mode_fit[:, None]
    if diagram.linear:
        g = _units(diagram)[diagram.mode_node][:, None]
        each = g * hazards.at(fit, diagram.mode_scale[:, None] * ages)
        total = float(each.sum())
    else:
        each, g, total = _integrated(diagram, hazards, float(mission))
    x = diagram.mode_scale[:, None] * ages
    at = hazards.at(fit, x)
    low, high = hazards.interval(fit, x)
    alive = at > 0
    ratio = np.where(alive, each / np.where(alive, at, 1.0), g)
    fits, values = _by_fit(diagram, np.concatenate([each, ratio * low, ratio * high], axis=1))
    order = np.lexsort((fits, -values[:, 0]))
    return Contributions(
        mission=float(mission),
        fit=fits[order],
        value=values[order, 0],
        low=values[order, 1],
        high=values[order, 2],
        total=total,
        level=hazards.level,
        unknown=diagram.unknown,
        bound="upper" if diagram.unknown else None,
    )


def units(diagram: Diagram) -> Units:
    """Units of each part, maker and age in one product: the sum over all ways down of quantities times shares."""
    rows = np.flatnonzero(diagram.kind == Kind.SERIES)
    order = rows[np.lexsort((diagram.factor[rows], diagram.maker[rows], diagram.part[rows]))]
    return Units(diagram.part[order], diagram.maker[order], diagram.factor[order], _units(diagram)[order])


def _integrated(diagram: Diagram, hazards: Hazards, mission: float) -> tuple[Floats, Floats, float]:
    """Every occurrence's int g dH over the mission and its g at the end, (occurrences, 1), and -ln R(mission).

    The sum is known, it is -ln R: panels that halve towards 0 are added until it comes out.
    """
    power = max(1.0, np.ceil(3.0 / float(hazards.beta[diagram.mode_fit].min(initial=3.0))))
    switch = _switch(diagram, hazards, mission)
    each, g, total = np.zeros((0, 1)), np.zeros((0, 1)), 0.0
    for panels, points in PANELS:
        node, weight = np.polynomial.legendre.leggauss(points)
        ends = np.append(0.0, 0.5 ** np.arange(panels - 1, -1, -1))
        u = (ends[:-1, None] + np.diff(ends)[:, None] * (node + 1) / 2).ravel()
        weight = (np.diff(ends)[:, None] * weight / 2).ravel()
        t = np.append(mission * u**power, mission)
        at = _lives(diagram, hazards, t)
        h = _forward(diagram, at, switch)
        slope = _backward(diagram, h, switch)[diagram.mode_node]
        # dH = beta H / t dt for a Weibull hazard, and dt / t = power du / u
        each = ((slope * at)[:, :-1] @ (weight * power / u) * hazards.beta[diagram.mode_fit])[:, None]
        g, total = slope[:, -1:], float(h[diagram.root, -1])
        if abs(each.sum() - total) <= EXACT * total or total > GONE:
            break
    together = float(each.sum())  # far beyond the end of life the integrand is too steep: then only the shares are near
    return each * (total / together if 0 < together < np.inf else 1.0), g, total


def upstream_scale(
    mode_part: Ints,
    mode_mechanism: Ints,
    upstream: Ints,
    mechanism: Ints,
    downstream: Ints,
    sensitivity: Floats,
    quality: Floats,
) -> Floats:
    """Factor on each mode's scale: the product of quality[u]^sensitivity over the rows of its part and mechanism.

    `quality` (parts,) is 1 for ordinary material; nan (unknown) counts as 1. Rows of `propagation` are `upstream`,
    `mechanism`, `downstream`, `sensitivity`. 1 where nothing acts.
    """
    known = np.nan_to_num(quality[upstream], nan=1.0)
    width = int(max(mode_mechanism.max(initial=0), mechanism.max(initial=0))) + 2
    table = downstream * width + mechanism + 1
    wanted = mode_part * width + mode_mechanism + 1
    keys, number = np.unique(np.concatenate([table, wanted]), return_inverse=True)
    logs = np.bincount(number[: len(table)], sensitivity * np.log(known), minlength=len(keys))
    result: Floats = np.exp(logs[number[len(table) :]])
    return result


def _by_fit(diagram: Diagram, values: Floats) -> tuple[Ints, Floats]:
    """Occurrence values (occurrences, T) summed per fit: (fits, sums)."""
    order = np.argsort(diagram.mode_fit, kind="stable")
    fits, start = np.unique(diagram.mode_fit[order], return_index=True)
    return fits, row_sums(np.append(start, len(order)), 0, len(fits), values[order])


def _together(away: Floats) -> Floats:
    """Root of the sum of squares down the columns of (fits, T), without overflow."""
    largest = np.abs(away).max(axis=0, initial=0.0)
    largest = np.where(largest > 0, largest, 1.0)
    return np.asarray(largest * np.sqrt(((away / largest) ** 2).sum(axis=0)))


def _lives(diagram: Diagram, hazards: Hazards, ages: Floats) -> Floats:
    """H of the modes (occurrences, T) at the product's ages."""
    return hazards.at(diagram.mode_fit[:, None], diagram.mode_scale[:, None] * ages)


def _forward(diagram: Diagram, lives: Floats, switch: Switch) -> Floats:
    """H of every node (N, T), children first, from those of the modes (occurrences, T)."""
    ptr = diagram.ptr
    h = row_sums(pointers(diagram.mode_node, len(diagram)), 0, len(diagram), lives)
    for kind, a, b in diagram.segments:
        first, last = int(ptr[a]), int(ptr[b])
        if first == last:
            continue
        if kind == Kind.SERIES:
            h[a:b] += product_rows(ptr, diagram.child, diagram.weight, a, b, h)
            np.minimum(h[a:b], ENDLESS, out=h[a:b])
            continue
        below = h[diagram.child[first:last]]
        if kind == Kind.MIXTURE:
            least = np.minimum.reduceat(below, ptr[a:b] - first, axis=0)
            gone = np.expm1(np.repeat(least, np.diff(ptr[a : b + 1]), axis=0) - below)
            h[a:b] = least - np.log1p(row_sums(ptr, a, b, diagram.weight[first:last, None] * gone))
        elif kind == Kind.ACTIVE:
            h[a:b] = _active(diagram, a, b, below)[0]
        else:
            for node in range(a, b):
                h[node] = switch(node, h[diagram.child[ptr[node]]])[0]
    return h


def _slopes(diagram: Diagram, kind: Kind, a: int, b: int, h: Floats, switch: Switch) -> Floats:
    """dH(parent)/dH(child) of the edges of the nodes a:b (edges, T)."""
    ptr = diagram.ptr
    first, last = int(ptr[a]), int(ptr[b])
    below = h[diagram.child[first:last]]
    if kind == Kind.MIXTURE:
        above = np.repeat(h[a:b], np.diff(ptr[a : b + 1]), axis=0)
        return diagram.weight[first:last, None] * np.exp(above - below)
    if kind == Kind.ACTIVE:
        return _active(diagram, a, b, below)[1]
    return np.stack([switch(node, h[diagram.child[ptr[node]]])[1] for node in range(a, b)])


def _backward(diagram: Diagram, h: Floats, switch: Switch) -> Floats:
    """Slopes dH(product)/dH(node) of every node (N, T), parents first."""
    up_ptr, up_edge, up_parent = diagram.up
    ptr = diagram.ptr
    series = diagram.kind == Kind.SERIES
    weight = np.where(series[up_parent], diagram.weight[up_edge], 0.0)
    bent = np.flatnonzero(~series[up_parent])  # entries whose parent is no series: their slopes depend on age
    bent_ptr = np.searchsorted(bent, up_ptr)
    position = np.full(len(diagram.child), -1)
    position[up_edge[bent]] = np.arange(len(bent))
    flow = np.zeros((len(bent), h.shape[1]))
    g = np.zeros_like(h)
    g[diagram.root] = 1.0
    for kind, a, b in reversed(diagram.segments):
        g[a:b] += product_rows(up_ptr, up_parent, weight, a, b, g)
        g[a:b] += row_sums(bent_ptr, a, b, flow[bent_ptr[a] : bent_ptr[b]])
        np.minimum(g[a:b], ENDLESS, out=g[a:b])
        if kind != Kind.SERIES:
            down = np.repeat(g[a:b], np.diff(ptr[a : b + 1]), axis=0)
            flow[position[ptr[a] : ptr[b]]] = down * _slopes(diagram, kind, a, b, h, switch)
    return g


def _units(diagram: Diagram) -> Floats:
    """Units of every node in one product (N,): quantities, shares and group units multiplied along all ways."""
    up_ptr, up_edge, up_parent = diagram.up
    weight = diagram.weight[up_edge]
    n = np.zeros((len(diagram), 1))
    n[diagram.root] = 1.0
    for _, a, b in reversed(diagram.segments):
        n[a:b] += product_rows(up_ptr, up_parent, weight, a, b, n)
        np.minimum(n[a:b], ENDLESS, out=n[a:b])
    return n[:, 0]


def _active(diagram: Diagram, a: int, b: int, below: Floats) -> tuple[Floats, Floats]:
    """H of the active groups a:b and the slopes of their edges; groups of one shape are computed together."""
    ptr = diagram.ptr
    first = int(ptr[a])
    children = np.diff(ptr[a : b + 1])
    n = diagram.weight[first : ptr[b]].astype(np.int64)
    total = np.add.reduceat(n, ptr[a:b] - first)
    k = diagram.k[a:b]
    H, slopes = np.empty((b - a, below.shape[1])), np.empty_like(below)
    one = np.flatnonzero(children == 1)
    if len(one):
        edge = ptr[a:b][one] - first
        H[one], slopes[edge] = equal_units(below[edge], n[edge][:, None], k[one][:, None])
    many = np.flatnonzero(children > 1)
    shapes = np.unique(np.stack([total[many], k[many]]), axis=1).T if len(many) else ()
    for units_all, needed in shapes:
        groups = many[(total[many] == units_all) & (k[many] == needed)]
        edge = np.concatenate([np.arange(ptr[a + i], ptr[a + i + 1]) for i in groups]) - first
        unit = np.repeat(edge, n[edge])  # group by group, units_all each
        h, slope = different_units(below[unit].reshape(len(groups), units_all, -1).swapaxes(0, 1), int(needed))
        H[groups] = h
        starts = np.cumsum(n[edge]) - n[edge]
        slopes[edge] = np.add.reduceat(slope.swapaxes(0, 1).reshape(len(unit), -1), starts, axis=0)
    return H, slopes


def _switch(diagram: Diagram, hazards: Hazards, horizon: float) -> Switch:
    """H and slope of the standby groups, as functions of one unit's hazard along the product's time up to `horizon`.

    Units with a constant rate have a closed form; else one spare after the other is convolved (k = 1), else
    StructureError `standby_unsupported`.
    """
    functions: dict[int, Standby] = {}

    def switch(node: int, h: Floats) -> tuple[Floats, Floats]:
        return functions[node].at(h)

    for node in np.flatnonzero(diagram.kind == Kind.STANDBY).tolist():
        edge = int(diagram.ptr[node])
        n, k, child = int(diagram.weight[edge]), int(diagram.k[node]), int(diagram.child[edge])
        unit, here = diagram.under(child)

        def inner(number: int, h: Floats, here: Ints = here) -> tuple[Floats, Floats]:
            return functions[int(here[number])].at(h)

        def hazard(ages: Floats, unit: Diagram = unit, inner: Switch = inner) -> Floats:
            return np.asarray(_forward(unit, _lives(unit, hazards, ages), inner)[unit.root])

        probe = horizon * np.geomspace(1e-6, 1.0, 64)
        h = hazard(probe)
        rate = h / np.where(probe > 0, probe, 1.0)
        if np.ptp(rate) <= 1e-9 * rate.max() or n == k:
            functions[node] = Standby(n, k)
        elif k > 1:
            raise StructureError(
                "standby_unsupported",
                "more than one of several units in cold standby, not exponential",
                _parts(diagram, child),
            )
        else:
            end = float(np.interp(WORN, h, probe)) if h[-1] > WORN else horizon
            functions[node] = Standby(n, k, tabulate_standby(hazard(np.linspace(0.0, end, GRID)), n))
    return switch


def _parts(diagram: Diagram, node: int) -> tuple[int, ...]:
    return tuple(np.unique(diagram.part[node]).tolist())
