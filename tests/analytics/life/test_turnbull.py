"""Turnbull's estimate against printed masses, Kaplan-Meier, another program and a general optimiser."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from analytics.life.contrast import Scores, interval_log_rank
from analytics.life.rows import Event, Ints, LifeRows, ready
from analytics.life.survival import kaplan_meier
from analytics.life.turnbull import TIGHT, turnbull
from tests.analytics.published import examples

OTHERS = examples("others")
COSMESIS: dict[str, Any] = OTHERS["turnbull-breast-cosmesis"]


def cosmesis(*, grouped: bool) -> tuple[LifeRows, Ints]:
    """The cosmesis data, and the treatment of each row."""
    data = COSMESIS["data"]
    right = np.array([np.nan if r is None else r for r in data["right"]], float)
    sample = np.unique(data["treatment"], return_inverse=True)[1].astype(np.int64)
    event = np.where(np.isnan(right), Event.SUSPENSION, Event.INTERVAL)
    return ready(data["left"], event, age_to=right, group=sample if grouped else 0), sample


def test_cosmesis_has_the_published_masses() -> None:
    found = turnbull(cosmesis(grouped=True)[0])
    for g, arm in enumerate(("Rad", "RadChem")):
        table = next(e["table"] for e in COSMESIS["expected"] if e["quantity"] == f"NPMLE masses {arm}")
        mine = found.group == g
        ours = [f"({a:g},{b:g}]" for a, b in zip(found.age[mine], found.age_to[mine], strict=True)]
        assert ours == [name for name, _ in table]
        np.testing.assert_allclose(found.mass[mine], [mass for _, mass in table], atol=5.01e-5)
    assert (found.residual <= TIGHT).all()


@pytest.mark.parametrize(
    ("scores", "quantity"),
    [
        ("sun", "log-rank Sun scores: Z"),
        ("finkelstein", "log-rank Finkelstein scores: Z"),
        ("wilcoxon", "Wilcoxon scores: Z"),
    ],
)
def test_cosmesis_arms_differ_as_published(scores: Scores, quantity: str) -> None:
    wanted = next(e for e in COSMESIS["expected"] if e["quantity"] == quantity)
    found = interval_log_rank(*cosmesis(grouped=False), scores)
    assert np.sqrt(found.statistic[0]) == pytest.approx(-wanted["value"], abs=5.01e-5)
    assert found.p[0] == pytest.approx(wanted["p"], rel=2e-4)


def test_turnbulls_own_example_of_1974() -> None:
    example = OTHERS["turnbull-1974-double-censored"]
    age, said = np.array(example["data"]["age"], float), np.array(example["data"]["event"])
    left = said == "left"
    event = np.select([left, said == "failure"], [Event.INTERVAL, Event.FAILURE], Event.SUSPENSION)
    data = ready(np.where(left, 0, age), event, age_to=np.where(left, age, np.nan), count=example["data"]["count"])
    found = turnbull(data)
    np.testing.assert_allclose(found.survival[:4], example["expected"][0]["values"], atol=5.01e-4)


UNITS = st.lists(
    st.tuples(st.integers(1, 10), st.integers(0, 9), st.booleans(), st.integers(1, 3), st.integers(0, 2)), max_size=25
)


@given(UNITS)
def test_of_exact_failures_with_late_entries_it_is_kaplan_and_meiers(
    units: list[tuple[int, int, bool, int, int]],
) -> None:
    units = [u for u in units if u[1] < u[0]]
    age, entry, failed, count, group = (np.array([u[i] for u in units], int) for i in range(5))
    data = ready(age, failed, entry, count=count, group=group, groups=3)
    found, other = turnbull(data), kaplan_meier(data)
    exact = found.age == found.age_to
    np.testing.assert_array_equal(found.group[exact], other.group)
    np.testing.assert_array_equal(found.age[exact], other.age)
    np.testing.assert_allclose(found.survival[exact], other.estimate, atol=1e-7)


LIVES = st.lists(
    st.tuples(st.integers(0, 8), st.integers(1, 6), st.sampled_from(list(Event)), st.integers(0, 3)),
    min_size=2,
    max_size=12,
)


def log_likelihood(data: LifeRows, grid: Ints, mass: Any) -> float:
    """The likelihood of masses on half ages, unit by unit: the exact ages and the gaps between them."""
    last = np.where(data.event == Event.INTERVAL, data.age_to, np.where(data.event == Event.FAILURE, data.age, np.inf))
    total = 0.0
    for i in range(len(data.age)):
        low = data.age[i] if data.event[i] == Event.FAILURE else max(data.age[i], data.entry[i]) + 0.5
        inside = mass[(grid >= low) & (grid <= last[i])].sum()
        total += data.count[i] * np.log(inside / mass[grid > data.entry[i]].sum())
    return float(total)


@settings(max_examples=12)
@given(LIVES)
def test_no_other_curve_is_more_likely(lives: list[tuple[int, int, Event, int]]) -> None:
    age, over, event, entry = (np.array([u[i] for u in lives], int) for i in range(4))
    age = np.where(event == Event.INTERVAL, age, age + over)
    entry = np.minimum(entry, np.where(event == Event.INTERVAL, age, age - 1))
    data = ready(age, event, entry, np.where(event == Event.INTERVAL, age + over, np.nan))
    found = turnbull(data)
    if "collapses" in found.codes[0] or "interrupted" in found.codes[0] or not len(found.group):
        return
    assert "not_converged" not in found.codes[0]
    grid = np.arange(1, 32) / 2
    grid = grid[grid > data.entry.min()]

    def worse(u: Any) -> float:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = log_likelihood(data, grid, np.exp(u - u.max()))
        return -value if np.isfinite(value) else 1e9

    best = -minimize(worse, np.zeros(len(grid)), method="BFGS").fun
    assert found.log_likelihood[0] >= best - 1e-6
    spread = np.zeros(len(grid))
    for left, right, mass in zip(found.age, found.age_to, found.mass, strict=True):
        at = right if left == right else left + 0.5
        spread[np.argmin(np.abs(grid - at))] += mass
    assert log_likelihood(data, grid, spread) == pytest.approx(found.log_likelihood[0], abs=1e-6)


def test_bands_by_drawing_again_hold_what_they_should() -> None:
    """Exponential lives inspected at 1, 2, 3: 120 groups of 60, S(2) inside about 90 % of the 90 % bands."""
    rng = np.random.default_rng(9)
    runs, n = 120, 60
    life = rng.exponential(2.0, (runs, n))
    seen = np.minimum(np.floor(life), 3.0)
    event = np.where(seen == 3, Event.SUSPENSION, Event.INTERVAL)
    data = ready(seen.ravel(), event.ravel(), age_to=seen.ravel() + 1, group=np.repeat(np.arange(runs), n))
    found = turnbull(data, draws=60)
    at = found.age_to == 2
    assert at.sum() == runs
    held = (found.low[at] <= np.exp(-1)) & (np.exp(-1) <= found.high[at])
    assert 0.81 < held.mean() < 0.97
    again = turnbull(data, draws=60)
    np.testing.assert_array_equal(found.low, again.low)


def test_a_curve_that_early_units_bring_to_nothing_is_said() -> None:
    found = turnbull(ready([0.0, 10, 12], [2, 1, 1], [0.0, 3, 3], [5.0, np.nan, np.nan]))
    assert "collapses" in found.codes[0]
    apart = turnbull(ready([0.0, 10, 12], [2, 1, 1], [0.0, 6, 6], [5.0, np.nan, np.nan]))
    assert apart.codes == (("interrupted",),)
    np.testing.assert_array_equal(apart.origin, [0, 6, 6])


def test_nothing_gives_nothing_and_many_groups_their_own() -> None:
    nothing = turnbull(ready([], Event.FAILURE, groups=2), draws=10)
    assert len(nothing.group) == 0
    assert np.isnan(nothing.log_likelihood).all()
    rng = np.random.default_rng(10)
    group = np.repeat(np.arange(3000), 20)
    low = np.floor(rng.weibull(2, len(group)) * 5)
    event = np.where(rng.random(len(group)) < 0.3, Event.SUSPENSION, Event.INTERVAL)
    to = low + rng.integers(1, 4, len(group))
    found = turnbull(ready(low, event, age_to=to, group=group))
    assert np.nanmax(found.residual) <= TIGHT
    one = group == 1234
    alone = turnbull(ready(low[one], event[one], age_to=to[one]))
    np.testing.assert_allclose(found.survival[found.group == 1234], alone.survival, atol=1e-7)


def test_one_large_group_with_more_ages_than_a_matrix_takes() -> None:
    rng = np.random.default_rng(11)
    n = 4000
    life = rng.weibull(2, n) * 100
    between = rng.random(n) < 0.2
    low = np.where(between, np.maximum(life - rng.uniform(0, 5, n), 0), life)
    event = np.select([between, rng.random(n) < 0.5], [Event.INTERVAL, Event.FAILURE], Event.SUSPENSION)
    found = turnbull(ready(low, event, age_to=np.where(between, low + 5, np.nan)))
    assert found.residual[0] <= TIGHT
    assert len(found.age) > 512
