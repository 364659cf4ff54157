"""The weak-link tests: exact p-values, bounds, forward selection, and false alarms in simulated worlds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from analytics import comparison
from analytics.comparison import Candidates, compare, deny, false_discovery, select
from analytics.life import rows as lives

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def test_p_and_bounds_are_those_of_scipys_binomial_test() -> None:
    cases = [(12, 3.1, 40, 60.0), (3, 0.2, 5, 9.0), (7, 7.0, 70, 70.0), (0, 1.0, 4, 5.0), (5, 2.0, 0, 4.0)]
    for o, e, o2, e2 in cases:
        found = compare(o, e, o2, e2)
        reference = stats.binomtest(o, o + o2, e / (e + e2), alternative="greater")
        assert found.p == pytest.approx(reference.pvalue, rel=1e-12)
        bounds = stats.binomtest(o, o + o2, e / (e + e2)).proportion_ci(0.9, method="exact")
        for found_ratio, pi in ((found.ratio_low, bounds.low), (found.ratio_high, bounds.high)):
            expected = pi / (1 - pi) * e2 / e if pi < 1 else np.inf
            assert found_ratio == pytest.approx(expected, rel=1e-9)


def test_the_excess_is_the_rests_rate_times_the_ratio_less_one() -> None:
    found = compare(12, 3.0, 40, 50.0)
    assert found.ratio == pytest.approx((12 / 3) / (40 / 50))
    assert found.excess == pytest.approx(40 / 50 * (found.ratio - 1))
    assert found.excess_low < found.excess < found.excess_high


@pytest.mark.parametrize(
    ("e", "rate", "e2", "rest"), [(3.0, 4.0, 3.0, 0.2), (5.0, 4.0, 50.0, 0.05), (20.0, 4.4, 10.0, 1.0)]
)
def test_the_ends_of_the_excess_hold_what_they_promise_also_where_the_rest_has_few_failures(
    e: float, rate: float, e2: float, rest: float
) -> None:
    rng = np.random.default_rng(3)
    found = compare(rng.poisson(e * rate, 20_000), e, rng.poisson(e2 * rest, 20_000), e2)
    assert (found.excess_low > rate - rest).mean() <= 0.055
    assert (found.excess_high < rate - rest).mean() <= 0.055


def test_a_rest_without_failures_leaves_the_excess_uncertain_above() -> None:
    found = compare(6, 0.5, 0, 20.0)
    assert found.excess == pytest.approx(12)
    assert found.excess_high == pytest.approx(stats.gamma.ppf(0.95, 7) / 0.5)


def test_groups_that_cannot_be_compared_are_not_weak() -> None:
    found = compare([3, 3, 0], [0.0, 2.0, 0.0], [3, 0, 0], [2.0, 0.0, 0.0])
    assert found.p.tolist() == [1, 1, 1]
    assert found.excess.tolist() == [0, 0, 0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_is_that_of_scipy(p: list[float]) -> None:
    np.testing.assert_allclose(false_discovery(np.array(p)), stats.false_discovery_control(p), rtol=1e-12)


@given(st.integers(0, 40), st.floats(0.01, 30), st.integers(0, 100), st.floats(0.01, 100))
def test_one_more_failure_never_makes_a_group_look_better(o: int, e: float, o2: int, e2: float) -> None:
    few, more = compare(o, e, o2, e2), compare(o + 1, e, o2, e2)
    assert more.p <= few.p
    assert more.ratio_low >= few.ratio_low
    assert more.excess >= few.excess


def test_a_declared_value_is_denied_by_the_poisson_tail() -> None:
    found = deny([9, 2, 0], [3.0, 1.5, 4.0])
    np.testing.assert_allclose(found.p, [1 - stats.poisson.cdf(8, 3), 1 - stats.poisson.cdf(1, 1.5), 1.0])
    np.testing.assert_allclose(found.ratio, [3, 4 / 3, 0])
    np.testing.assert_allclose(found.ratio_low[0], stats.gamma.ppf(0.05, 9) / 3)
    np.testing.assert_allclose(found.ratio_high[0], stats.gamma.ppf(0.95, 10) / 3)
    assert found.ratio_low[2] == 0


def grouped(observed: Sequence[float], expected: Sequence[float], *groups: list[int]) -> Candidates:
    """One stratum whose candidates are lists of cells."""
    return Candidates(
        np.array(observed, np.float64),
        np.array(expected),
        np.zeros(len(observed), np.int64),
        np.concatenate([np.array(g) for g in groups]),
        np.repeat(np.arange(len(groups)), [len(g) for g in groups]),
        np.zeros(len(groups), np.int64),
        np.arange(len(groups)),
    )


def test_a_bad_lot_explains_the_maker_who_made_it() -> None:
    """Cells: maker 1's bad and good lot, maker 2's two lots."""
    found = select(grouped([30, 10, 10, 10], [5, 20, 20, 20], [0, 1], [0], [1], [2, 3]))
    assert found.chosen.tolist() == [1]
    assert found.alone.p[0] < 0.05
    assert found.at.observed.tolist() == [30]


def test_a_cause_that_two_makers_share_is_found_above_both() -> None:
    """Cells: each maker's lots with and without the shared upstream lot; candidates: makers, lots, the upstream lot."""
    observed, expected = [9, 11, 10, 12], [2.5, 20, 2.5, 20]
    found = select(grouped(observed, expected, [0, 1], [2, 3], [0], [2], [0, 2]))
    assert found.chosen.tolist() == [4]


def test_what_cannot_be_told_apart_is_said() -> None:
    found = select(grouped([30, 10, 10], [5, 20, 20], [0], [0], [1]))
    assert found.chosen.tolist() == [0]
    assert found.twin.tolist() == [-1, 0, -1]


def test_many_groups_that_overlap_one_bad_lot_are_one_discovery() -> None:
    """Fifty such groups would count as fifty in a plain Benjamini-Hochberg list and let a chance one elsewhere in."""
    groups = [[0, other] for other in range(1, 51)]
    observed, expected = [60.0, *[2.0] * 50, 9.0, 81.0], [10.0, *[2.0] * 50, 3.0, 87.0]
    cell = np.concatenate([np.array([0]), *(np.array(g) for g in groups), np.array([51])])
    given = Candidates(
        np.array(observed),
        np.array(expected),
        np.repeat([0, 1], [51, 2]),
        cell,
        np.repeat(np.arange(52), [1, *[2] * 50, 1]),
        np.repeat([0, 1], [51, 1]),
        np.zeros(52, np.int64),
    )
    found = select(given)
    assert found.alone.p[51] * 52 / 2 > 0.05 > false_discovery(found.alone.p)[51]
    assert found.chosen.tolist() == [0]
    assert found.q == pytest.approx(found.at.p * 52)


def test_fewer_than_three_failures_are_never_listed() -> None:
    assert len(select(grouped([2, 0], [0.001, 50], [0])).chosen) == 0
    assert len(select(grouped([3, 0], [0.001, 50], [0])).chosen) == 1


def test_a_group_that_is_everything_has_no_rest() -> None:
    found = select(grouped([30, 10], [5.0, 20.1], [0, 1]))
    assert len(found.chosen) == 0
    assert found.alone.p.tolist() == [1]


@pytest.mark.filterwarnings("error")
def test_failures_without_exposure_have_no_expectation() -> None:
    rows = lives.ready([100.0, 200.0], 1, [100.0, 200.0], count=[10, 1])
    h0 = comparison.pool(rows)
    assert comparison.expected(rows, h0.beta, h0.eta).sum() == 0


def test_no_candidates_give_nothing() -> None:
    none = np.zeros(0, np.int64)
    found = select(Candidates(np.zeros(0), np.zeros(0), none, none, none, none, none))
    assert len(found.chosen) == 0


LOTS, REGIONS = 8, 4


@dataclass(frozen=True)
class World:
    """A fleet: every stratum has 240 units of 8 lots (two makers, later lots younger) in four regions."""

    rows: lives.LifeRows
    candidates: Candidates

    @classmethod
    def simulated(cls, rng: np.random.Generator, strata: int, bad: int, ratio: float) -> "World":
        """The first `bad` strata have a last lot that fails `ratio` times as often at equal ages."""
        size = 240
        stratum = np.repeat(np.arange(strata), size)
        lot = np.tile(np.arange(size) % LOTS, strata)
        region = rng.integers(0, REGIONS, len(stratum))
        shape = rng.uniform(0.8, 3, strata)[stratum]
        weak = (stratum < bad) & (lot == LOTS - 1)
        life = rng.weibull(shape) * np.where(weak, ratio, 1.0) ** (-1 / shape)
        end = rng.uniform(0.3, 0.6, len(stratum)) * (1.5 - lot / LOTS)
        rows = lives.ready(np.minimum(life, end), (life <= end).astype(np.int8), group=stratum, groups=strata)
        h0 = comparison.pool(rows)
        cell = (stratum * LOTS + lot) * REGIONS + region
        cells = strata * LOTS * REGIONS
        observed = np.bincount(cell, comparison.failures(rows), cells).astype(np.float64)
        expected = np.bincount(cell, comparison.expected(rows, h0.beta, h0.eta), cells).astype(np.float64)
        index = np.arange(cells)
        of_stratum, of_lot, of_region = index // (LOTS * REGIONS), index // REGIONS % LOTS, index % REGIONS
        groups = LOTS + REGIONS + 2
        member = [of_lot, LOTS + of_region, LOTS + REGIONS + of_lot // (LOTS // 2)]
        candidates = Candidates(
            observed,
            expected,
            of_stratum,
            np.tile(index, len(member)),
            np.concatenate([of_stratum * groups + m for m in member]),
            np.repeat(np.arange(strata), groups),
            np.tile(np.arange(groups), strata),
        )
        return cls(rows, candidates)


def test_where_nothing_is_wrong_a_list_is_empty_at_least_as_often_as_q_says() -> None:
    rng = np.random.default_rng(20250101)
    worlds = 150
    alarms = sum(len(select(World.simulated(rng, 10, 0, 1.0).candidates).chosen) > 0 for _ in range(worlds))
    assert alarms / worlds <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / worlds)


def test_among_what_is_listed_the_share_of_false_alarms_is_at_most_q_and_the_bad_lots_are_found() -> None:
    rng = np.random.default_rng(7)
    shares, found, planted = [], 0, 0
    for _ in range(60):
        bad = 4
        world = World.simulated(rng, 12, bad, 5.0)
        chosen = select(world.candidates).chosen
        stratum, group = world.candidates.of[chosen], chosen % (LOTS + REGIONS + 2)
        true = (stratum < bad) & (group == LOTS - 1)
        shares.append(1 - true.mean() if len(chosen) else 0.0)
        found, planted = found + true.sum(), planted + bad
    assert np.mean(shares) <= 0.05 + 2 * np.std(shares) / np.sqrt(len(shares))
    assert found / planted > 0.5
