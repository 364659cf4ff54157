"""What a product loses with a firm, a site or a region: single points of failure, and supply risks with their days."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.andor import Lost, Network, has, lost
from analytics.arrays import Bools, Floats, Ints, distinct

NORMAL_90 = 1.6448536269514722
"""Two-sided 90 % of a normal distribution, for lead times with a spread."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What supply rows say of themselves, aligned with `Sources`; nan (or -1) where unknown."""

    alternative: Ints
    """1: somebody else could make it, 0: nobody else can, -1: not known."""
    recovery_days: Floats
    lead_time_days: Floats
    lead_time_sd_days: Floats
    stock_days: Floats
    """How long the stock for this customer lasts."""
    site_recovery_days: Floats
    """(sites,)"""


@dataclass(frozen=True, slots=True)
class SinglePoint:
    """One loss that stops the product: `kind` is organisation, site or part, `index` its code.

    `loses` are the parts that some customer on the way can no longer get, lowest first, the products last. For a raw
    part whose makers nobody knows these are the products alone: everything above it goes with it.
    """

    kind: str
    index: int
    loses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Risk:
    """Everything that hangs on one firm, site or region, as one row.

    `kind` is organisation, site or region, `index` its code. `codes`, strongest first:

    * `product_lost`: nothing of the product can be made without it;
    * `sole_source`: nobody else can make some part of it (`alternative_exists` is false on all rows);
    * `single_source`: nobody else is qualified for some part of it;
    * `common_ancestor`: several sources of one part depend on it;
    * `supply_unknown`: no supply row is its own, other records show that it makes the part: instead of the one above;
    * `hidden`: the product's makers do not buy from it themselves;
    * `other_products`: other products are lost with it;
    * `recovery_from_lead_time`, `recovery_unknown`, `stock_unknown`: what the days are based on.

    `direct` are the parts of which it holds all options itself, `sole` those of them that nobody else can make,
    `shared` the parts of which options of two or more makers depend on it, `lost` all parts that some customer can no
    longer get (lowest first), `products` the products lost, `options` how many supply rows are its own. `days` are
    those until supply flows again that stock does not cover, the worst of its own parts (nan where not known), with 90
    % ends where a lead time has a spread. `path` goes from the product to it: (part, maker), maker -1 where unknown.
    """

    kind: str
    index: int
    codes: tuple[str, ...]
    direct: tuple[int, ...]
    sole: tuple[int, ...]
    shared: tuple[int, ...]
    lost: tuple[int, ...]
    products: tuple[int, ...]
    options: int
    days: float
    days_low: float
    days_high: float
    path: tuple[tuple[int, int], ...]


def single_points(network: Network) -> tuple[SinglePoint, ...]:
    """Every organisation, site and raw part of unknown makers whose loss alone fails the first product.

    A candidate must hold all options of some need: the lowest need that it fails has only options that it holds itself.
    For those that do, the fixpoint decides (AND/OR graphs; dominators would be right only if everything were OR).
    Sorted by kind (organisation, site, part) and index; empty when there is none.
    """
    found = [
        SinglePoint(kind, index, _order(network, has(gone.needs, bit)))
        for kind, index, gone, bit in _losses(
            network, _alone(network.option_maker, network), _alone(network.option_site, network)
        )
        if has(gone.needs[network.roots[:1]], bit)[0]
    ]
    raw = network.state_part[(np.diff(network.state_ptr) == 0) & (network.state_maker < 0)]
    products = tuple(network.need_part[network.roots].tolist())
    found += [SinglePoint("part", part, products[:1]) for part in np.setdiff1d(raw, products).tolist()]
    return tuple(found)


def risks(network: Network, terms: Terms) -> tuple[Risk, ...]:
    """What hangs on each firm, site and region that some part depends on alone, worst first.

    The first product's own makers are left out. Listed is whoever holds all options of a need, and whoever stands
    behind options of two or more makers (two suppliers on one sub-tier, site or region are one). Order: products lost
    before others, then uncovered days (unknown last), then the number of parts lost, then kind and index.
    """
    makers = np.unique(network.option_maker[np.isin(network.option_need, network.roots[:1])])
    own = np.isin(network.state_maker, makers[makers >= 0])
    near = np.zeros(len(network.need_part), np.bool_)
    near[network.state_need[np.repeat(own, np.diff(network.state_ptr))]] = True
    days = _days(network, terms)
    found: list[Risk] = []
    joined: dict[int, Bools] = {}
    for kind, index, gone, bit in _losses(
        network,
        _alone(network.option_maker, network),
        _alone(network.option_site, network),
        _alone(network.option_region, network),
    ):
        needs, options, hit = has(gone.needs, bit), has(gone.options, bit), has(gone.hit, bit)
        direct = _all_of(network, hit)
        together = _several(network, options)
        if kind == "organisation":
            joined[index] = together
            if index in makers:
                continue
        else:  # news only where it joins firms that no single firm in it joins already
            for maker in joined.keys() & set(network.option_maker[hit].tolist()):
                together &= ~joined[maker]
            if not together.any():
                continue
        hard = direct & days.sole
        worst = days.of(direct)
        products = has(gone.needs[network.roots], bit)
        rows = len(np.unique(network.option_row[hit & (network.option_row >= 0)]))
        single = (direct & ~hard).any() and kind == "organisation"
        codes = {
            "product_lost": products[0],
            "sole_source": hard.any() and kind == "organisation",
            "single_source": single and rows > 0,
            "supply_unknown": single and rows == 0,
            "common_ancestor": together.any(),
            "hidden": products[0] and not (direct & near).any() and kind == "organisation" and rows > 0,
            "other_products": products[1:].any(),
            "recovery_from_lead_time": worst.from_lead_time,
            "recovery_unknown": np.isnan(worst.days),
            "stock_unknown": worst.stock_unknown,
        }
        found.append(
            Risk(
                kind=kind,
                index=index,
                codes=tuple(code for code, holds in codes.items() if holds),
                direct=_order(network, direct),
                sole=_order(network, hard),
                shared=_order(network, together),
                lost=_order(network, needs),
                products=tuple(network.need_part[network.roots[products]].tolist()),
                options=rows,
                days=worst.days,
                days_low=worst.low,
                days_high=worst.high,
                path=_path(network, gone, bit),
            )
        )
    return tuple(sorted(found, key=_rank))


def _rank(risk: Risk) -> tuple[bool, bool, float, int, int, int]:
    unknown = bool(np.isnan(risk.days))
    place = ("organisation", "site", "region").index(risk.kind)
    return (
        "product_lost" not in risk.codes,
        unknown,
        0.0 if unknown else -risk.days,
        -len(risk.lost),
        place,
        risk.index,
    )


def _losses(
    network: Network, makers: Ints, sites: Ints, regions: Ints | None = None
) -> Iterator[tuple[str, int, Lost, int]]:
    """(kind, index, fixpoint, bit) of every candidate that fails some need, a sweep's worth at a time."""
    kinds = ("organisation", "site", "region")
    groups = (makers, sites, np.zeros(0, np.int64) if regions is None else regions)
    names = [(kind, index) for kind, group in zip(kinds, groups, strict=True) for index in group.tolist()]
    which = np.repeat(np.arange(3), [len(group) for group in groups])
    codes = np.concatenate(groups)
    turn = network.turns(len(names))
    for first in range(0, len(names), turn):
        chunk = slice(first, first + turn)
        gone = lost(network, *(codes[chunk][which[chunk] == kind] for kind in range(3)))
        any_need = np.bitwise_or.reduce(gone.needs, axis=0)
        for bit, (kind, index) in enumerate(names[chunk]):
            if has(any_need[None, :], bit)[0]:
                yield kind, index, gone, bit


def _alone(code: Ints, network: Network) -> Ints:
    """Codes (makers, sites or regions of options) that hold all options of some need."""
    start = network.need_ptr[:-1]
    if not len(start):
        return np.zeros(0, np.int64)
    least, most = np.minimum.reduceat(code, start), np.maximum.reduceat(code, start)
    return np.unique(least[(least == most) & (least >= 0)])


def _all_of(network: Network, options: Bools) -> Bools:
    """Needs all of whose options are marked."""
    return np.asarray(np.logical_and.reduceat(options, network.need_ptr[:-1]))


def _several(network: Network, options: Bools) -> Bools:
    """Needs of which the options of two or more known makers are marked."""
    marked = np.flatnonzero(options & (network.option_maker >= 0))
    need = network.option_need[marked]
    pair = distinct(need, network.option_maker[marked])[0]
    return np.asarray(np.bincount(need[pair], minlength=len(network.need_part)) >= 2)


@dataclass(frozen=True, slots=True)
class _Worst:
    days: float
    low: float
    high: float
    from_lead_time: bool
    stock_unknown: bool


@dataclass(frozen=True, slots=True)
class _Days:
    """Per need: days until its first option flows again beyond stock, with ends; what they rest on."""

    days: Floats
    low: Floats
    high: Floats
    from_lead_time: Bools
    stock_unknown: Bools
    sole: Bools
    """Nobody else can make it."""

    def of(self, needs: Bools) -> _Worst:
        """The worst of some needs."""
        rows = np.flatnonzero(needs & ~np.isnan(self.days))
        if not len(rows):
            return _Worst(np.nan, np.nan, np.nan, from_lead_time=False, stock_unknown=False)
        worst = rows[np.argmax(self.days[rows])]
        return _Worst(
            float(self.days[worst]),
            float(self.low[worst]),
            float(self.high[worst]),
            bool(self.from_lead_time[worst]),
            bool(self.stock_unknown[worst]),
        )


def _days(network: Network, terms: Terms) -> _Days:
    """Recovery of a row: its own, else its site's, else the lead time; a need waits for the first of its options.

    Stock of all its options together covers it; unknown stock counts as none.
    """
    row, start = network.option_row, network.need_ptr[:-1]

    def of(column: Floats) -> Floats:
        return np.append(column, np.nan)[row]

    site = np.append(terms.site_recovery_days, np.nan)[network.option_site]
    said = np.where(np.isnan(of(terms.recovery_days)), site, of(terms.recovery_days))
    lead = np.isnan(said)
    recovery = np.where(lead, of(terms.lead_time_days), said)
    spread = np.where(lead, np.nan_to_num(of(terms.lead_time_sd_days)), 0.0) * NORMAL_90
    stock = of(terms.stock_days)
    cover = np.add.reduceat(np.nan_to_num(stock), start)
    never = np.where(np.isnan(recovery), np.inf, recovery)
    first = np.minimum.reduceat(never, start)
    known = np.isfinite(first)

    def beyond(moved: NDArray[np.float64]) -> Floats:
        end = np.minimum.reduceat(never + moved, start)
        return np.where(known, np.maximum(end - cover, 0.0), np.nan)

    alternative = np.append(terms.alternative, -1)[row]
    return _Days(
        days=beyond(np.zeros(len(row))),
        low=beyond(-spread),
        high=beyond(spread),
        from_lead_time=np.logical_or.reduceat(lead & (never == first[network.option_need]), start),
        stock_unknown=np.logical_and.reduceat(np.isnan(stock), start),
        sole=np.logical_and.reduceat(alternative == 0, start),
    )


def _order(network: Network, needs: Bools) -> tuple[int, ...]:
    """Parts of some needs, each once, lowest in the product first."""
    rows = np.flatnonzero(needs)
    part, height = network.need_part[rows], network.height[len(network.state_part) + rows]
    order = np.lexsort((part, height))
    unique, first = np.unique(part[order], return_index=True)
    return tuple(unique[np.argsort(first, kind="stable")].tolist())


def _path(network: Network, gone: Lost, bit: int) -> tuple[tuple[int, int], ...]:
    """From the product (or the highest need lost) down to an option that is lost itself: what fails, step by step."""
    states, needs, options, hit = (has(words, bit) for words in (gone.states, gone.needs, gone.options, gone.hit))
    failing = np.flatnonzero(needs)
    heights = network.height[len(network.state_part) + failing]
    roots = network.roots[needs[network.roots]]
    need = int(roots[0]) if len(roots) else int(failing[np.argmax(heights)])
    steps: list[tuple[int, int]] = []
    while len(steps) < len(network.need_part):
        a, b = int(network.need_ptr[need]), int(network.need_ptr[need + 1])
        own = a + np.flatnonzero(hit[a:b])
        option = int(own[0]) if len(own) else a + int(np.flatnonzero(options[a:b])[0])
        state = int(network.option_state[option])
        steps.append((int(network.state_part[state]), int(network.state_maker[state])))
        if len(own):
            break
        below = network.state_need[network.state_ptr[state] : network.state_ptr[state + 1]]
        assert states[state]
        need = int(below[np.flatnonzero(needs[below])[0]])
    return tuple(steps)
