"""Mean cumulative functions against printed tables and the variance's definition, system by system."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.life.recurrence import Systems, difference, mean_cumulative, systems
from analytics.life.rows import Floats
from tests.analytics.published import examples

OTHERS = examples("others")


def fleet(name: str) -> Systems:
    """The systems of an example."""
    data: dict[str, Any] = OTHERS[name]["data"]
    pairs = [(i, t) for i, ages in enumerate(data["event_ages"]) for t in ages]
    return systems(0 * np.arange(len(data["end_age"])), data["end_age"], [i for i, _ in pairs], [t for _, t in pairs])


def test_nelsons_valve_seats_have_the_robust_errors_of_r() -> None:
    """The limits that are printed beside them are of -log of a survival, another estimator: 0.0057 for 0.0067."""
    table = np.array(OTHERS["mcf-nelson-valve-seats"]["expected"][0]["table"])
    found = mean_cumulative(fleet("mcf-nelson-valve-seats"), 0.95)
    np.testing.assert_array_equal(found.age, table[:, 0])
    np.testing.assert_array_equal(found.at_risk, table[:, 1])
    for ours, theirs in zip((found.estimate, found.se), table.T[2:4], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=5.01e-4)


def test_five_systems_as_reliasoft_prints_them() -> None:
    """Its bounds are one-sided at 95 %: two-sided at 90 %. Of a tie the last row is printed for us."""
    table = {row["t"]: row for row in OTHERS["mcf-reliawiki-five-systems"]["expected"][0]["table"]}
    found = mean_cumulative(fleet("mcf-reliawiki-five-systems"), 0.9, "naive")
    np.testing.assert_array_equal(found.age, list(table))
    for name, ours in (("mcf", found.estimate), ("var", found.se**2), ("low", found.low), ("high", found.high)):
        np.testing.assert_allclose(ours, [row[name] for row in table.values()], rtol=5e-6)


def by_definition(of: Systems, group: int, t: float) -> tuple[float, float]:
    """(M, variance) of a group at t, summed over systems and ages."""
    mine = np.flatnonzero(of.group == group)
    ages = np.unique(of.age[np.isin(of.system, mine) & (of.age <= t)])
    mean, sums = 0.0, np.zeros(len(mine))
    for s in ages:
        at_risk = (of.start[mine] < s) & (s <= of.end[mine])
        own = np.array([of.cost[(of.system == i) & (of.age == s)].sum() for i in mine])
        step = own.sum() / at_risk.sum()
        mean += step
        sums += at_risk * (own - step) / at_risk.sum()
    return mean, float((sums**2).sum())


LIVES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 4),
        st.integers(1, 9),
        st.lists(st.tuples(st.integers(1, 13), st.integers(1, 3))),
    ),
    min_size=1,
    max_size=12,
)


@given(LIVES)
def test_the_one_pass_is_the_definition(lives: list[tuple[int, int, int, list[tuple[int, int]]]]) -> None:
    events = [(i, a, c) for i, life in enumerate(lives) for a, c in life[3]]
    start = np.array([life[1] for life in lives], float)
    of = systems(
        [life[0] for life in lives],
        start + [life[2] for life in lives],
        np.array([e[0] for e in events], int),
        [e[1] for e in events],
        start,
        [e[2] for e in events],
        groups=3,
    )
    found = mean_cumulative(of)
    for i, (g, t) in enumerate(zip(found.group, found.age, strict=True)):
        mean, variance = by_definition(of, int(g), float(t))
        assert found.estimate[i] == pytest.approx(mean, rel=1e-12)
        assert found.se[i] ** 2 == pytest.approx(variance, rel=1e-9, abs=1e-12)


def test_a_difference_has_a_band_that_holds_the_truth() -> None:
    """Poisson processes of rates 2 and 3, 30 systems each, 400 pairs: 90 % of the bands at age 1 hold -1."""
    rng = np.random.default_rng(3)
    pairs, each = 400, 30
    rate = np.repeat(np.tile([2.0, 3.0], pairs), each)
    counts = rng.poisson(rate)
    system = np.repeat(np.arange(len(rate)), counts)
    of = systems(np.repeat(np.arange(2 * pairs), each), 1.0, system, rng.random(counts.sum()))
    found = mean_cumulative(of)
    held = 0
    for pair in range(pairs):
        ages, between = difference(found, 2 * pair, 2 * pair + 1)
        assert ages[-1] <= 1
        held += bool(between.low[-1] <= -1 <= between.high[-1])
    assert 0.86 < held / pairs < 0.94


def test_a_group_without_events_or_systems_has_no_step() -> None:
    of = systems([0, 0, 2], [5.0, 6.0, 3.0], [0, 0], [2.0, 9.0], groups=4)
    found = mean_cumulative(of)
    np.testing.assert_array_equal(found.group, [0])
    np.testing.assert_array_equal(found.end, [6, np.nan, 3, np.nan])
    ages, between = difference(found, 0, 2)
    np.testing.assert_array_equal(ages, [2])
    assert between.value[0] == 0.5
    assert len(difference(found, 0, 1)[0]) == 0
    nothing: Floats = mean_cumulative(systems([], [], [], [])).age
    assert len(nothing) == 0
    alone = mean_cumulative(systems([0], [5.0], [0], [2.0]))
    assert np.isnan(alone.low[0])
