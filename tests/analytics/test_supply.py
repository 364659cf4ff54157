"""The AND/OR rule against brute-force removal, and supply risks on networks small enough to read."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.andor import Network, has, lost
from analytics.supply import Risk, SinglePoint, Terms, risks, single_points
from tests.analytics.worlds import World, random_world

NONE = np.zeros(0, np.int64)


def network(
    world: World,
    sites: list[int] | None = None,
    site_region: list[int] | None = None,
    maker_region: list[int] | None = None,
    products: tuple[int, ...] = (0,),
) -> Network:
    sourcing = world.sourcing()
    return Network.of(
        sourcing,
        [sourcing.root(p) for p in products],
        np.array(sites if sites is not None else [-1] * len(world.sources), np.int64),
        np.array(site_region if site_region is not None else [], np.int64),
        np.array(maker_region if maker_region is not None else [-1] * world.organisations, np.int64),
    )


def terms(rows: int, **known: object) -> Terms:
    nan = np.full(rows, np.nan)
    usual = {
        "alternative": np.full(rows, -1),
        "recovery_days": nan,
        "lead_time_days": nan,
        "lead_time_sd_days": nan,
        "stock_days": nan,
        "site_recovery_days": np.zeros(0),
    }
    return Terms(
        **(usual | {k: np.asarray(v, np.int64 if k == "alternative" else np.float64) for k, v in known.items()})
    )


def works(world: World, sites: list[int], gone: tuple[str, int], part: int, customer: int) -> bool:
    """By plain recursion: can this customer get this part?"""
    rows = [(r, s) for r, s in zip(world.sources, sites, strict=True) if r[0] == part]
    own = [(r[1], s) for r, s in rows if customer >= 0 and r[2] == customer]
    makes = {m for p, m, _, _ in [*world.sources, *world.modes] if p == part and m >= 0}
    if own:
        options = own
    elif customer >= 0 and customer in makes:
        options = [(customer, -1)]
    elif rows:
        options = [(r[1], s) for r, s in rows]
    else:
        known = {m for p, m, _, _ in world.modes if p == part and m >= 0}
        options = [(m, -1) for m in known] or [(-1, -1)]
    return any(
        gone not in (("organisation", m), ("site", s))
        and all(works(world, sites, gone, line["child"], m) for line in world.lines if line["parent"] == part)
        for m, s in options
    )


@given(seed=st.integers(0, 10**9))
@settings(max_examples=80, deadline=None)
def test_single_points_equal_removal_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = random_world(rng, parts=8, groups=False)
    sites = [int(s) if s < 3 else -1 for s in rng.integers(0, 5, len(world.sources))]
    net = network(world, sites, [-1] * 3)
    candidates = [("organisation", m) for m in range(world.organisations)] + [("site", s) for s in range(3)]
    expected = {c for c in candidates if not works(world, sites, c, 0, -1)}
    assert {(x.kind, x.index) for x in single_points(net) if x.kind != "part"} == expected
    gone = lost(net, np.arange(world.organisations), np.arange(3), NONE)
    assert [bool(has(gone.needs[net.roots], bit)[0]) for bit in range(len(candidates))] == [
        c in expected for c in candidates
    ]


def test_a_lone_chain_of_choices_agrees_with_dominators() -> None:
    """Where everything is OR (one input each), single points are the dominators of the raw material's flow."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        world = World(4, 12)
        graph: nx.DiGraph[object] = nx.DiGraph()
        for a, b in pairwise(range(4)):
            world.line(a, b)
        tier = [[0], [1, 2, 3], [4, 5, 6], [7, 8, 9]]
        world.sources.append((0, 0, 0, 1.0))
        for part, (above, makers) in enumerate(pairwise(tier), start=1):
            for customer in above:
                for maker in rng.choice(makers, size=int(rng.integers(1, 3)), replace=False).tolist():
                    world.sources.append((part, maker, customer, 0.5))
                    graph.add_edge(maker, customer)
        graph.add_edges_from(("source", maker) for maker in tier[3])
        above_all = nx.immediate_dominators(graph, "source")
        expected, at = {0}, 0
        while above_all[at] not in ("source", None):
            at = above_all[at]
            expected.add(at)
        assert {x.index for x in single_points(network(world))} == expected


def test_more_than_sixty_four_candidates() -> None:
    world = World(151, 151)
    world.sources = [(0, 0, 0, 1.0)]
    for part in range(1, 151):
        world.line(0, part)
        world.sources.append((part, part, 0, 1.0))
    found = single_points(network(world))
    assert [x.index for x in found] == list(range(151))
    assert found[70] == SinglePoint("organisation", 70, (70, 0))


def test_firms_that_supply_each_other() -> None:
    """Firm 1 makes part 1 with part 3 of firm 2, which makes it with part 4 of firm 1."""
    world = World(5, 4).line(0, 1).line(0, 2).line(1, 3).line(3, 4)
    world.sources = [(0, 0, 0, 1), (1, 1, 0, 1), (2, 3, 0, 1), (2, 1, 0, 1), (3, 2, 1, 1), (4, 1, 2, 1)]
    found = {x.index: x.loses for x in single_points(network(world))}
    assert found == {0: (0,), 1: (4, 3, 1, 0), 2: (3, 1, 0)}


def test_a_circle_in_the_data_works_until_something_on_it_fails() -> None:
    """The greatest fixpoint: parts that need each other are there as long as nothing takes them away."""
    world = World(4, 3).line(0, 1).line(1, 2).line(2, 1).line(2, 3)
    world.sources = [(0, 0, 0, 1), (1, 1, -1, 1), (2, 1, -1, 1), (3, 2, -1, 1)]
    net = network(world)
    assert net.circular
    gone = lost(net, np.array([2]), NONE, NONE)
    assert has(gone.needs[net.roots], 0)[0]
    assert not lost(net, np.array([9]), NONE, NONE).needs.any()
    assert {x.index for x in single_points(net)} == {0, 1, 2}


def test_raw_parts_of_unknown_makers_are_single_points() -> None:
    world = World(3, 1).line(0, 1).line(1, 2)
    world.sources = [(0, 0, 0, 1)]
    assert single_points(network(world)) == (SinglePoint("organisation", 0, (0,)), SinglePoint("part", 2, (0,)))


def ceramics() -> World:
    """Two products (0 and 5) of firms 0 and 1. Product 0 buys modules (1) of 2 and 3, who both buy substrates (2) of 4;
    product 5 buys its module (6) of 7, who buys substrates (7) of 4. Part 3 has two real sources, part 4 one.
    """
    world = World(8, 9).line(0, 1).line(1, 2, 3).line(0, 3).line(0, 4).line(5, 6).line(6, 7)
    world.sources = [
        (0, 0, 0, 1.0), (5, 1, 1, 1.0), (1, 2, 0, 0.5), (1, 3, 0, 0.5), (2, 4, 2, 1.0), (2, 4, 3, 1.0),
        (3, 5, 0, 0.6), (3, 6, 0, 0.4), (4, 8, 0, 1.0), (6, 7, 1, 1.0), (7, 4, 7, 1.0),
    ]  # fmt: skip
    return world


def by_index(found: tuple[Risk, ...], kind: str = "organisation") -> dict[int, Risk]:
    return {r.index: r for r in found if r.kind == kind}


def test_a_hidden_sole_source_behind_two_suppliers_is_one_row_for_both_products() -> None:
    world = ceramics()
    days = [np.nan, np.nan, np.nan, np.nan, 170, 180, np.nan, np.nan, 60, np.nan, 160]
    said = terms(11, lead_time_days=days, alternative=[-1, -1, -1, -1, 0, 0, -1, -1, 1, -1, 0])
    found = risks(network(world, products=(0, 5)), said)
    hidden = found[0]
    assert (hidden.kind, hidden.index) == ("organisation", 4)
    assert hidden.codes == (
        "product_lost", "sole_source", "common_ancestor", "hidden", "other_products", "recovery_from_lead_time",
        "stock_unknown",
    )  # fmt: skip
    assert (hidden.direct, hidden.sole, hidden.shared) == ((2, 7), (2, 7), (1,))
    assert (hidden.lost, hidden.products, hidden.options) == ((2, 7, 1, 6, 0, 5), (0, 5), 3)
    assert (hidden.days, hidden.path) == (180, ((0, 0), (1, 2), (2, 4)))
    other = by_index(found)
    assert other[8].codes[:2] == ("product_lost", "single_source")
    assert "hidden" not in other[8].codes
    assert other[7].products == (5,)
    assert set(other) == {4, 7, 8, 1}  # the product's own maker 0 is none; 2, 3, 5 and 6 have somebody beside them


def test_recovery_comes_before_lead_time_and_stock_covers_days() -> None:
    world = World(2, 2).line(0, 1)
    world.sources = [(0, 0, 0, 1), (1, 1, 0, 1)]
    said = {"lead_time_days": [np.nan, 100], "lead_time_sd_days": [np.nan, 10]}
    plain = risks(network(world), terms(2, **said))[0]
    assert (plain.days, plain.days_low, plain.days_high) == pytest.approx((100, 100 - 16.4485, 100 + 16.4485), abs=1e-3)
    covered = risks(network(world), terms(2, **said, recovery_days=[np.nan, 40], stock_days=[np.nan, 15]))[0]
    assert (covered.days, covered.days_low, covered.days_high) == (25, 25, 25)
    assert covered.codes == ("product_lost", "single_source")
    plenty = risks(network(world), terms(2, recovery_days=[np.nan, 40], stock_days=[np.nan, 90]))[0]
    assert plenty.days == 0
    at_site = risks(network(world, [-1, 0], [-1]), terms(2, **said, site_recovery_days=[33]))[0]
    assert at_site.days == 33
    nothing = risks(network(world), terms(2))[0]
    assert np.isnan(nothing.days)
    assert "recovery_unknown" in nothing.codes


def test_a_maker_known_without_supply_rows_is_not_called_the_only_qualified_one() -> None:
    world = World(2, 2).line(0, 1)
    world.sources, world.modes = [(0, 0, 0, 1)], [(1, 1, 2.0, 1000.0)]
    (risk,) = risks(network(world), terms(1))
    assert (risk.index, risk.options) == (1, 0)
    assert risk.codes[:2] == ("product_lost", "supply_unknown")
    assert "hidden" not in risk.codes


def test_two_suppliers_in_one_region_or_at_one_site_are_one() -> None:
    world = World(3, 6).line(0, 1).line(0, 2)
    world.sources = [(0, 0, 0, 1), (1, 1, 0, 0.5), (1, 2, 0, 0.5), (2, 3, 0, 0.5), (2, 4, 0, 0.5)]
    found = risks(network(world, [-1, -1, -1, 0, 0], [9], [7, 5, 5, 1, 2, 3]), terms(5, site_recovery_days=[np.nan]))
    assert {(r.kind, r.index): (r.direct, r.shared) for r in found} == {
        ("site", 0): ((2,), (2,)),
        ("region", 5): ((1,), (1,)),
        ("region", 9): ((2,), (2,)),
    }
    assert all(r.codes[:2] == ("product_lost", "common_ancestor") for r in found)
    assert {x.index for x in single_points(network(world, [-1, -1, -1, 0, 0], [9])) if x.kind == "site"} == {0}


def test_two_of_three_sources_on_one_sub_tier() -> None:
    world = World(3, 6).line(0, 1).line(1, 2)
    world.sources = [(0, 0, 0, 1), (1, 1, 0, 0.4), (1, 2, 0, 0.3), (1, 3, 0, 0.3),
        (2, 4, 1, 1), (2, 4, 2, 1), (2, 5, 3, 1)]  # fmt: skip
    found = by_index(risks(network(world), terms(7)))
    assert found[4].codes[:2] == ("single_source", "common_ancestor")
    assert (found[4].shared, found[4].products) == ((1,), ())
    assert found[4].path == ((2, 4),)
    assert "common_ancestor" not in found[5].codes


def test_names_do_not_matter() -> None:
    world = ceramics()
    order = np.random.default_rng(0).permutation(9)
    other = World(world.parts, world.organisations, world.lines[::-1])
    other.sources = [(p, int(order[m]), int(order[c]), s) for p, m, c, s in world.sources]
    plain = {r.index: (r.direct, r.shared, set(r.lost)) for r in risks(network(world, products=(0, 5)), terms(11))}
    moved = {r.index: (r.direct, r.shared, set(r.lost)) for r in risks(network(other, products=(0, 5)), terms(11))}
    assert moved == {int(order[i]): row for i, row in plain.items()}


def test_nothing_but_a_product() -> None:
    net = network(World(1, 0))
    assert single_points(net) == ()
    assert risks(net, terms(0)) == ()
