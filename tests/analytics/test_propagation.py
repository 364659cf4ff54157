"""Propagation against plain recursion with enumeration, against simulation and against figures computed by hand."""

from dataclasses import replace
from math import comb, exp, factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.diagram import Diagram, Modes, build
from analytics.hazard import Hazards
from analytics.propagation import contributions, curve, units, upstream_scale
from analytics.sourcing import Lines, Sources, Sourcing, StructureError
from tests.analytics.worlds import World, random_world

AGES = np.array([0.0, 0.05, 0.4, 1.0, 4.0])


def diagram_of(world: World, product: int = 0, maker: int | None = None) -> Diagram:
    return build(world.sourcing(), world.mode_rows(), product, maker)


def reliability(world: World, ages: np.ndarray = AGES) -> np.ndarray:
    return curve(diagram_of(world), world.hazards(), ages).reliability


@given(seed=st.integers(0, 10**9))
@settings(max_examples=30, deadline=None)
def test_equals_recursion_and_enumeration(seed: int) -> None:
    world = random_world(np.random.default_rng(seed))
    expected = [world.mixed(0, -1, t) for t in AGES]
    assert reliability(world) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(seed=st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_contributions_add_up(seed: int) -> None:
    world = random_world(np.random.default_rng(seed))
    found = contributions(diagram_of(world), world.hazards(), 2.0)
    assert exp(-found.total) == pytest.approx(reliability(world, np.array([2.0]))[0], rel=1e-9)
    assert found.value.sum() == pytest.approx(found.total, rel=1e-9)
    assert np.all(found.value >= 0)
    assert np.all(np.diff(found.value) <= 0)


@given(seed=st.integers(0, 10**9))
@settings(max_examples=30, deadline=None)
def test_worse_parts_never_make_a_better_product(seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = random_world(rng)
    before = reliability(world)
    worse = replace(world, modes=[(p, m, b, e * rng.uniform(0.3, 1)) for p, m, b, e in world.modes])
    assert np.all(reliability(worse) <= before * (1 + 1e-12))


@given(seed=st.integers(0, 10**9))
@settings(max_examples=30, deadline=None)
def test_names_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = random_world(rng)
    p, o = rng.permutation(world.parts), [*rng.permutation(world.organisations).tolist(), -1]
    other = World(world.parts, world.organisations)
    other.lines = [x | {"parent": p[x["parent"]], "child": p[x["child"]]} for x in world.lines]
    other.sources = [(p[a], o[b], o[c], s) for a, b, c, s in world.sources]
    other.modes = [(p[a], o[b], beta, eta) for a, b, beta, eta in world.modes]
    rng.shuffle(other.lines)
    rng.shuffle(other.sources)
    renamed = curve(build(other.sourcing(), other.mode_rows(), int(p[0])), other.hazards(), AGES)
    plain = curve(diagram_of(world), world.hazards(), AGES)
    assert renamed.reliability == pytest.approx(plain.reliability, rel=1e-12)
    assert sorted(renamed.unknown) == sorted(p[list(plain.unknown)].tolist())


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_simulated_machines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = random_world(rng, parts=7)
    n = 40_000
    lives = world.simulate(rng, 0, -1, n)
    ages = np.array([0.3, 1.0, 3.0])
    share = (lives[:, None] > ages).mean(axis=0)
    expected = reliability(world, ages)
    error = np.sqrt(np.maximum(expected * (1 - expected), 1e-6) / n)
    assert np.all(np.abs(share - expected) < 4.5 * error)


def test_two_of_three_by_hand() -> None:
    world = World(2, 0, modes=[(1, -1, 1.0, 10.0)]).line(0, 1, 3, k=2)
    p = np.exp(-AGES / 10)
    assert reliability(world) == pytest.approx(3 * p**2 - 2 * p**3, rel=1e-13)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (4, 4), (4, 1), (7, 3), (200, 190)])
def test_k_of_n_is_the_binomial_tail(n: int, k: int) -> None:
    world = World(2, 0, modes=[(1, -1, 1.5, 10.0)]).line(0, 1, n, group=0, k=k)
    p = np.exp(-((AGES / 10) ** 1.5))
    expected = sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))
    assert reliability(world) == pytest.approx(expected, rel=1e-10)


def test_different_children_in_one_group() -> None:
    world = World(3, 0, modes=[(1, -1, 1.0, 10.0), (2, -1, 2.0, 4.0)])
    world.line(0, 1, 1, group=3, k=2).line(0, 2, 2, group=3, k=2)
    a, b = np.exp(-AGES / 10), np.exp(-((AGES / 4) ** 2))
    assert reliability(world) == pytest.approx(a * (1 - (1 - b) ** 2) + (1 - a) * b**2, rel=1e-12)


def test_groups_keep_their_digits_when_very_reliable_and_when_worn_out() -> None:
    world = World(3, 0, modes=[(1, -1, 1.0, 1e7), (2, -1, 1.0, 1e7)])
    world.line(0, 1, 2, group=1, k=1).line(0, 2, 1, group=1, k=1)
    found = diagram_of(world)
    assert contributions(found, world.hazards(), 1.0).total == pytest.approx(1e-21, rel=1e-6)
    assert contributions(found, world.hazards(), 5e9).total == pytest.approx(500 - np.log(3), rel=1e-9)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (4, 1), (5, 3)])
def test_cold_standby_of_exponential_units_is_erlang(n: int, k: int) -> None:
    world = World(2, 0, modes=[(1, -1, 1.0, 2.0)]).line(0, 1, n, group=0, k=k, standby=True)
    x = k * AGES / 2
    assert reliability(world) == pytest.approx(sum(np.exp(-x) * x**j / factorial(j) for j in range(n - k + 1)))


def _survives(beta: float, x: Any) -> Any:
    return np.exp(-((x / 2) ** beta))


def _density(beta: float, x: Any) -> Any:
    return beta / 2 * (x / 2) ** (beta - 1) * _survives(beta, x)


@pytest.mark.parametrize("beta", [0.7, 2.0])
def test_cold_standby_of_weibull_units_is_the_convolution(beta: float) -> None:
    world = World(2, 0, modes=[(1, -1, beta, 2.0)]).line(0, 1, 2, standby=True, k=1)
    node, weight = np.polynomial.legendre.leggauss(200)
    expected = []
    for t in AGES[1:]:
        u = ((node + 1) / 2) ** 4  # smooth at both ends for the first and the second unit
        first = t * u / 2
        second = t - first
        jacobian = weight / 2 * 4 * ((node + 1) / 2) ** 3 * t / 2
        both = _density(beta, first) * _survives(beta, second) + _density(beta, second) * _survives(beta, first)
        expected.append(_survives(beta, t) + (both * jacobian).sum())
    tolerance = 1e-5 if beta < 1 else 1e-7
    assert reliability(world)[1:] == pytest.approx(expected, abs=tolerance)


def test_standby_contributions_add_up_and_nested_standby_works() -> None:
    world = World(4, 0, modes=[(1, -1, 1.0, 3.0), (2, -1, 2.5, 2.0), (3, -1, 0.8, 9.0)])
    world.line(0, 1, 2, standby=True, k=1).line(1, 2, 1).line(1, 3, 2, standby=True, k=1)
    found = contributions(diagram_of(world), world.hazards(), 4.0)
    assert found.value.sum() == pytest.approx(found.total, rel=1e-7)
    lives = world.simulate(np.random.default_rng(1), 0, -1, 200_000)
    assert exp(-found.total) == pytest.approx((lives > 4.0).mean(), abs=0.005)


def test_standby_that_cannot_be_computed_is_refused() -> None:
    several = World(2, 0, modes=[(1, -1, 2.0, 2.0)]).line(0, 1, 4, group=0, k=2, standby=True)
    with pytest.raises(StructureError) as refused:
        reliability(several)
    assert (refused.value.code, refused.value.parts) == ("standby_unsupported", (1,))
    different = World(3, 0).line(0, 1, 1, group=0, k=1, standby=True).line(0, 2, 1, group=0, k=1, standby=True)
    with pytest.raises(StructureError) as refused:
        diagram_of(different)
    assert refused.value.code == "standby_unsupported"


def test_a_group_needs_no_more_units_than_it_has() -> None:
    with pytest.raises(StructureError) as refused:
        diagram_of(World(2, 0).line(0, 1, 2, group=0, k=3))
    assert (refused.value.code, refused.value.parts) == ("group_k", (0,))


def test_a_group_without_k_is_taken_in_series_and_says_so() -> None:
    world = World(2, 0, modes=[(1, -1, 1.0, 1.0)]).line(0, 1, 2, group=0)
    found = curve(diagram_of(world), world.hazards(), np.array([1.0]))
    assert found.reliability == pytest.approx(exp(-2))
    assert found.warnings == (("group_k_missing", (0,)),)


def test_a_cycle_is_named() -> None:
    with pytest.raises(StructureError) as refused:
        diagram_of(World(4, 0).line(0, 1).line(1, 2).line(2, 1).line(2, 3))
    assert refused.value.code == "cycle"
    assert {1, 2} <= set(refused.value.parts)


def test_duty_multiplies_down_and_shared_parts_are_separate_units() -> None:
    world = World(4, 0, modes=[(3, -1, 2.0, 10.0)])
    world.line(0, 1, 2, duty=0.5).line(0, 2, 1, duty=4.0).line(1, 3, 3, duty=6.0).line(2, 3, 1)
    expected = np.exp(-(6 * (3 * AGES / 10) ** 2 + (4 * AGES / 10) ** 2))
    assert reliability(world) == pytest.approx(expected, rel=1e-12)
    found = units(diagram_of(world))
    rows = zip(found.part.tolist(), found.factor.tolist(), found.units.tolist(), strict=True)
    assert list(rows) == [(0, 1.0, 1.0), (1, 0.5, 2.0), (2, 4.0, 1.0), (3, 3.0, 6.0), (3, 4.0, 1.0)]


def test_measured_and_fractional_quantities_do_not_multiply() -> None:
    world = World(4, 0, modes=[(1, -1, 1.0, 10.0), (2, -1, 1.0, 10.0), (3, -1, 1.0, 10.0)])
    world.line(0, 1, 25, measured=True).line(0, 2, 0.002).line(0, 3, 2)
    assert reliability(world) == pytest.approx(np.exp(-0.4 * AGES))


def test_units_and_makers() -> None:
    world = World(2, 3).line(0, 1, 4)
    world.sources = [(0, 0, 0, 1.0), (1, 1, 0, 0.6), (1, 2, 0, 0.4), (1, 2, 2, 1.0)]
    world.modes = [(1, 1, 1.0, 5.0), (1, 2, 1.0, 10.0)]
    per_unit = 0.6 * np.exp(-AGES / 5) + 0.4 * np.exp(-AGES / 10)
    assert reliability(world) == pytest.approx(per_unit**4, rel=1e-12)
    found = units(diagram_of(world))
    assert list(zip(found.part.tolist(), found.maker.tolist(), strict=True)) == [(0, 0), (1, 1), (1, 2)]
    assert found.units == pytest.approx([1, 2.4, 1.6])


def test_a_customer_without_rows_gets_all_customers_shares_with_a_warning() -> None:
    world = World(2, 4).line(0, 1)
    world.sources = [(0, 0, 0, 1.0), (1, 1, 3, 0.5), (1, 2, 3, 0.5), (1, 2, -1, 1.0)]
    world.modes = [(1, 1, 1.0, 1.0)]
    found = curve(diagram_of(world), world.hazards(), np.array([1.0]))
    assert found.reliability == pytest.approx(0.25 * exp(-1) + 0.75)
    assert found.warnings == (("shares_pooled", (1,)),)


def test_unknown_shares_divide_what_is_left() -> None:
    world = World(2, 4).line(0, 1)
    world.sources = [(0, 0, 0, 1.0), (1, 1, 0, 0.5), (1, 2, 0, float("nan")), (1, 3, 0, float("nan"))]
    assert units(diagram_of(world)).units == pytest.approx([1, 0.5, 0.25, 0.25])


def test_shares_that_miss_one_are_normalised_with_a_warning() -> None:
    world = World(2, 3).line(0, 1)
    world.sources = [(0, 0, 0, 1.0), (1, 1, 0, 0.5), (1, 2, 0, 0.3)]
    found = diagram_of(world)
    assert units(found).units == pytest.approx([1, 0.625, 0.375])
    assert found.warnings == (("shares_normalised", (1,)),)


def test_a_chosen_maker_brings_its_own_suppliers() -> None:
    world = World(2, 4).line(0, 1)
    world.sources = [(0, 0, 0, 0.5), (0, 1, 0, 0.5), (1, 2, 0, 1.0), (1, 3, 1, 1.0)]
    world.modes = [(1, 2, 1.0, 1.0), (1, 3, 1.0, 2.0)]
    for maker, eta in ((0, 1.0), (1, 2.0)):
        found = curve(diagram_of(world, maker=maker), world.hazards(), np.array([1.0]))
        assert found.reliability == pytest.approx(exp(-1 / eta))
    both = curve(diagram_of(world), world.hazards(), np.array([1.0]))
    assert both.reliability == pytest.approx((exp(-1) + exp(-0.5)) / 2)
    with pytest.raises(StructureError) as refused:
        diagram_of(world, maker=3)
    assert refused.value.code == "maker_unknown"


def test_unknown_parts_are_left_out_listed_and_bound_the_answer() -> None:
    world = World(5, 0, modes=[(1, -1, 1.0, 10.0)]).line(0, 1).line(0, 2).line(2, 3).line(2, 4)
    indirect = np.arange(5) == 4
    found = curve(build(world.sourcing(), world.mode_rows(), 0, indirect=indirect), world.hazards(), AGES)
    assert (found.unknown, found.bound) == ((3,), "upper")
    assert found.reliability == pytest.approx(np.exp(-AGES / 10))
    whole = World(2, 0, modes=[(1, -1, 1.0, 1.0)]).line(0, 1)
    assert curve(diagram_of(whole), whole.hazards(), AGES).bound is None


def test_a_figure_of_the_whole_counts_only_where_nothing_below_is_known() -> None:
    world = World(5, 0, modes=[(1, -1, 1.0, 10.0), (2, -1, 1.0, 3.0), (4, -1, 1.0, 7.0)])
    world.line(0, 1).line(1, 3).line(0, 2).line(2, 4)
    total = np.array([True, True, False])
    modes = replace(world.mode_rows(), total=total)
    found = curve(build(world.sourcing(), modes, 0), world.hazards(), AGES)
    assert found.reliability == pytest.approx(np.exp(-AGES / 10 - AGES / 7))
    assert found.unknown == ()  # part 3 is inside the figure of part 1


def test_interval_sums_one_fit_first_and_different_fits_as_squares() -> None:
    world = (
        World(4, 0, modes=[(3, -1, 1.0, 10.0), (2, -1, 1.0, 20.0)]).line(0, 1, 2).line(1, 3, 2).line(0, 3).line(0, 2)
    )
    hazards = world.hazards(low_factor=[0.5, 0.2], high_factor=[2.0, 4.0])
    found = curve(diagram_of(world), hazards, np.array([3.0]))
    one, other = 5 * 0.3, 0.15
    h = one + other
    assert -np.log(found.reliability) == pytest.approx(h)
    assert -np.log(found.high) == pytest.approx(h - np.hypot(0.5 * one, 0.8 * other))
    assert -np.log(found.low) == pytest.approx(h + np.hypot(1.0 * one, 3.0 * other))


def test_bounded_modes_only_widen_the_interval() -> None:
    world = World(2, 0).line(0, 1, 2)
    hazards = Hazards.of([2.0], [np.inf], kind=3, bound_rate=[0.01])
    diagram = build(world.sourcing(), Modes.of([1], [-1]), 0)
    found = curve(diagram, hazards, np.array([2.0]))
    assert (found.reliability[0], found.high[0]) == (1.0, 1.0)
    assert -np.log(found.low[0]) == pytest.approx(2 * 0.01 * 4)
    assert contributions(diagram, hazards, 2.0).high == pytest.approx([0.08])


def test_upstream_quality_moves_the_scale() -> None:
    scale = upstream_scale(
        mode_part=np.array([4, 4, 5]),
        mode_mechanism=np.array([0, 1, -1]),
        upstream=np.array([1, 2, 1]),
        mechanism=np.array([0, 0, 1]),
        downstream=np.array([4, 4, 5]),
        sensitivity=np.array([0.6, 0.5, 1.0]),
        quality=np.array([1.0, 0.5, np.nan, 1, 1, 1]),
    )
    assert scale == pytest.approx([0.5**0.6, 1, 1])
    world = World(2, 0, modes=[(1, -1, 2.0, 10.0)]).line(0, 1)
    modes = replace(world.mode_rows(), scale=np.array([0.5]))
    assert curve(build(world.sourcing(), modes, 0), world.hazards(), AGES).reliability == pytest.approx(
        np.exp(-((AGES / 5) ** 2))
    )


def test_a_product_alone_and_one_with_nothing() -> None:
    alone = World(1, 0, modes=[(0, -1, 1.0, 2.0)])
    assert reliability(alone) == pytest.approx(np.exp(-AGES / 2))
    nothing = World(1, 0)
    found = curve(diagram_of(nothing), nothing.hazards(), AGES)
    assert found.reliability.tolist() == [1.0] * len(AGES)
    assert found.unknown == (0,)
    assert contributions(diagram_of(nothing), nothing.hazards(), 1.0).value.tolist() == []


def test_a_depth_of_ten_thousand() -> None:
    n = 10_001
    lines = Lines.of(np.arange(n - 1), np.arange(1, n), duty=np.where(np.arange(n - 1) % 5000 == 0, 0.5, 1.0))
    none = np.zeros(0)
    sourcing = Sourcing.of(n, 1, lines, Sources.of(none, none, none, none))
    found = build(sourcing, Modes.of([n - 1, 5]), 0)
    hazards = Hazards.of([1.0, 1.0], [1.0, 1.0])
    assert -np.log(curve(found, hazards, np.array([2.0])).reliability) == pytest.approx(2 * 0.25 + 2 * 0.5)


@pytest.mark.filterwarnings("error")
def test_far_beyond_the_end_of_life_everything_is_dead_and_nothing_is_undefined() -> None:
    world = World(3, 2).line(0, 1, 4).line(0, 2)
    world.sources += [(1, 0, -1, 0.3), (1, 1, -1, 0.7)]
    world.modes += [(1, 0, 3.0, 10.0), (1, 1, 0.8, 20.0), (2, -1, 2.0, 50.0)]
    spread = {"var_log_eta": 0.1, "var_log_beta": 0.2, "cov_log": 0.01}
    for hazards in (world.hazards(**spread), world.hazards(low_factor=0.3, high_factor=3.0)):
        found = curve(diagram_of(world), hazards, np.array([0.0, 1e9, 1e300]))
        for values in (found.reliability, found.low, found.high):
            assert values.tolist() == [1.0, 0.0, 0.0]
        shares = contributions(diagram_of(world), hazards, 1e300)
        assert shares.value.sum() == pytest.approx(shares.total, rel=1e-12)
        assert np.all(np.isfinite([shares.low, shares.value, shares.high]))
