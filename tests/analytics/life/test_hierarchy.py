"""Groups that learn from their class: the pumps, another search for the maximum, simulations of known truth, laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import chi2, gamma, nbinom

from analytics.life.distribution import Intervals
from analytics.life.hierarchy import Pooling, gamma_poisson
from analytics.life.rows import Event, Floats, LifeRows, ready
from analytics.life.shared_shape import lives, shared_shape
from tests.analytics.published import examples

PUMPS = examples("others")["eb-gaver-pumps"]
GROUPS = st.lists(st.tuples(st.integers(0, 30), st.floats(0.1, 50)), min_size=2, max_size=7)


def marginal(y: np.ndarray, t: np.ndarray, a: float, b: float) -> float:
    return float(np.sum(nbinom.logpmf(y, a, b / (b + t))))


def test_the_pumps() -> None:
    y, t = (np.array(PUMPS["data"][name], float) for name in ("failures", "exposure"))
    found = gamma_poisson(y, t)
    assert found.status[0] == Pooling.POOLED
    a, b = found.shape[0], found.rate[0]
    assert (a, b) == pytest.approx((0.822965, 1.261653), abs=1e-6)
    printed = {e["quantity"]: e for e in PUMPS["expected"]}
    for name, ours in (("alpha (MCEM)", a), ("beta (MCEM)", b)):
        assert ours == pytest.approx(printed[name]["value"], abs=printed[name]["tolerance"])
    for at in range(10):
        assert round(found.own.value[at], 3) == printed[f"crude rate pump {at + 1}"]["value"]
    assert found.log_likelihood[0] == pytest.approx(marginal(y, t, a, b), abs=1e-9)

    def negative(logs: Floats) -> float:
        return -marginal(y, t, float(np.exp(logs[0])), float(np.exp(logs[1])))

    other = minimize(negative, np.zeros(2), method="Nelder-Mead")
    assert np.exp(other.x) == pytest.approx([a, b], rel=1e-3)
    assert found.shrunk.value == pytest.approx((a + y) / (b + t))
    assert found.weight == pytest.approx(t / (b + t))
    plain = [gamma.ppf(q, a + y, scale=1 / (b + t)) for q in (0.05, 0.95)]
    assert found.plain_low == pytest.approx(plain[0], rel=1e-6)
    assert found.plain_high == pytest.approx(plain[1], rel=1e-6)
    assert (found.shrunk.se > np.sqrt(a + y) / (b + t)).all()  # what is not known of the class is counted in
    assert (found.shrunk.high > plain[1] * 0.99).all()


def test_intervals_hold_the_truth_where_the_plain_ones_do_not() -> None:
    rng = np.random.default_rng(1)
    for phi, least in ((0.0, 0.95), (0.3, 0.88), (1.0, 0.87)):
        classes, k = 600, 8
        time = rng.uniform(0.5, 8, (classes, k))
        rate = rng.gamma(1 / phi, phi, (classes, k)) if phi else np.ones((classes, k))
        found = gamma_poisson(rng.poisson(rate * time).ravel(), time.ravel(), np.repeat(np.arange(classes), k))
        truth, known = rate.ravel(), np.isfinite(found.shrunk.value)
        held = ((found.shrunk.low <= truth) & (truth <= found.shrunk.high))[known].mean()
        plain = ((found.plain_low <= truth) & (truth <= found.plain_high))[known].mean()
        assert held > least
        assert held > plain + 0.04
        assert np.mean((found.shrunk.value - truth)[known] ** 2) < np.mean((found.own.value - truth)[known] ** 2)
        assert np.mean((found.shrunk.high - found.shrunk.low)[known]) < np.mean((found.own.high - found.own.low)[known])
        if phi:
            assert np.nanmean(found.mean.value) == pytest.approx(1.0, abs=0.05)


def test_what_a_class_does_not_tell_is_said() -> None:
    found = gamma_poisson(
        [0, 0, 7, 2, 2, 2, np.nan, 5, 6, 0], [10.0, 20.0, 10.0, 10.0, 10.0, 10.0, 1.0, 4.0, 90.0, 0.0],
        [0, 0, 1, 2, 2, 2, 2, 3, 3, 3], 5,
    )  # fmt: skip
    assert found.status.tolist() == [
        Pooling.NO_FAILURE, Pooling.ONE_GROUP, Pooling.NO_SPREAD, Pooling.POOLED, Pooling.NO_ROWS
    ]  # fmt: skip
    assert np.isnan(found.shrunk.value[:2]).all()
    assert found.shrunk.high[0] == pytest.approx(chi2.ppf(0.95, 2) / 20)
    assert (found.shrunk.value[2], found.weight[2]) == (0.7, 1.0)
    assert found.shrunk.value[3:6] == pytest.approx([0.2] * 3)
    assert (found.spread[2], found.weight[3]) == (0.0, 0.0)
    assert found.shrunk.low[3] < chi2.ppf(0.05, 12) / 60  # wider than if they were known to be alike
    assert np.isnan(found.shrunk.value[6])
    assert found.shrunk.value[9] == pytest.approx(found.mean.value[3])  # nothing of its own: its class's mean
    assert found.weight[9] == 0.0
    assert found.shrunk.high[9] > found.shrunk.high[8]


@settings(max_examples=30)
@given(GROUPS, st.floats(1e-4, 1e4))
def test_rates_scale_with_time_and_keep_between_own_and_class(groups: list[tuple[int, float]], scale: float) -> None:
    y, t = (np.array(each, float) for each in zip(*groups, strict=True))
    one, other = gamma_poisson(y, t), gamma_poisson(y, t * scale)
    assert other.shrunk.value * scale == pytest.approx(one.shrunk.value, rel=1e-5, nan_ok=True)
    assert other.shrunk.high * scale == pytest.approx(one.shrunk.high, rel=1e-4, nan_ok=True)
    if one.status[0] in {Pooling.POOLED, Pooling.NO_SPREAD}:
        mixed = one.weight * one.own.value + (1 - one.weight) * one.mean.value[0]
        assert one.shrunk.value == pytest.approx(mixed, rel=1e-9)
        assert (one.shrunk.low <= one.shrunk.value).all()
        assert (one.shrunk.value <= one.shrunk.high).all()
        near = one.log_likelihood[0] + 1e-6
        for a in np.geomspace(1e-3, 1e3, 13):
            for m in np.geomspace(0.2, 5, 9) * one.mean.value[0]:
                assert marginal(y, t, a, a / m) <= near


@settings(max_examples=30)
@given(st.lists(GROUPS, min_size=1, max_size=4), st.randoms())
def test_classes_together_are_classes_alone_in_any_order(
    classes: list[list[tuple[int, float]]], shuffle: object
) -> None:
    rows = [(n, t, at, place) for at, each in enumerate(classes) for place, (n, t) in enumerate(each)]
    shuffle.shuffle(rows)  # type: ignore[attr-defined]
    n, t, of, place = (np.array(each) for each in zip(*rows, strict=True))
    together = gamma_poisson(n, t, of)
    for at, each in enumerate(classes):
        alone = gamma_poisson([n for n, _ in each], [t for _, t in each])
        mine = np.flatnonzero(of == at)
        mine = mine[np.argsort(place[mine])]
        assert together.shrunk.value[mine] == pytest.approx(alone.shrunk.value, rel=1e-6, nan_ok=True)
        assert together.shrunk.low[mine] == pytest.approx(alone.shrunk.low, rel=1e-5, nan_ok=True)


# Weibull with a shared shape


def weibull_world(
    rng: np.random.Generator, classes: int, k: int, n: int, spread: float
) -> tuple[LifeRows, np.ndarray, np.ndarray]:
    """Censored records of classes of groups, shapes about 2: (rows, shape and scale of each group)."""
    beta = 2 * np.exp(spread * rng.standard_normal((classes, k)))
    eta = 10 ** rng.uniform(2, 4, (classes, k))
    life = eta[..., None] * rng.weibull(1, (classes, k, n)) ** (1 / beta[..., None])
    end = eta[..., None] * rng.uniform(0.3, 1.5, (classes, k, n))
    group = np.repeat(np.arange(classes * k), n)
    rows = ready(np.minimum(life, end).ravel(), (life <= end).ravel(), group=group, groups=classes * k)
    return rows, beta.ravel(), eta.ravel()


def held(found: Intervals, truth: np.ndarray) -> float:
    """Share of intervals that hold the truth; an end that is not there holds."""
    there = np.isfinite(found.low) | np.isfinite(found.high)
    above, below = np.nan_to_num(found.low, nan=0.0), np.nan_to_num(found.high, nan=np.inf)
    return float(np.mean((above <= truth)[there] & (truth <= below)[there]))


def test_two_failures_each_tell_the_shape_without_bias() -> None:
    rng = np.random.default_rng(2)
    groups = 600
    age = (rng.weibull(2.0, (groups, 2)) * 10 ** rng.uniform(1, 4, (groups, 1))).ravel()
    found = shared_shape(ready(age, 1, group=np.repeat(np.arange(groups), 2)), np.zeros(groups, np.int64))
    assert found.shared.value[0] == pytest.approx(
        2.0, rel=0.1
    )  # the likelihood maximal in the scales goes to twice that
    assert found.shared.se[0] == pytest.approx(0.07, abs=0.01)  # 0.035 on the log scale in repeated samples
    assert found.mean.low[0] < 2.0 < found.mean.high[0]
    assert np.nanmean(np.log(found.own.value)) == pytest.approx(np.log(2.0), abs=0.1)


def test_the_shared_shape_is_where_the_adjusted_scores_sum_to_nothing() -> None:
    rng = np.random.default_rng(9)
    rows, _, _ = weibull_world(rng, 1, 4, 7, 0.3)
    found = shared_shape(rows, np.zeros(4, np.int64))

    def score(beta: float) -> float:
        total = 0.0
        for g in range(4):
            x, failed = rows.age[rows.group == g], rows.event[rows.group == g] == Event.FAILURE
            r, v, logs = failed.sum(), (x**beta).sum(), np.log(x)
            mean = (x**beta * logs).sum() / v
            total += r + beta * (logs[failed].sum() - r * mean)
            total -= (x[failed] ** beta / v * (1 + beta * (logs[failed] - mean))).sum()
        return total

    at, step = float(found.shared.value[0]), 1e-4
    assert score(at) == pytest.approx(0.0, abs=1e-5)
    slope = (score(at * np.exp(step)) - score(at * np.exp(-step))) / (2 * step)
    assert found.shared.se[0] / at == pytest.approx((-slope) ** -0.5, rel=1e-4)


@pytest.mark.parametrize("beta", [0.8, 1.6, 3.0])
def test_few_failures_before_a_calendar_ends_tell_the_shape_without_bias(beta: float) -> None:
    """Groups of 20 to 200 units with 0 to about 6 failures, all units of a group censored at one age."""
    rng = np.random.default_rng(31)
    classes, k = 60, 40
    n = rng.integers(20, 201, classes * k)
    group = np.repeat(np.arange(classes * k), n)
    life, end = rng.exponential(size=len(group)), rng.uniform(0.002, 0.03, classes * k)[group]
    age = np.minimum(life, end) ** (1 / beta) * rng.uniform(1, 100, classes * k)[group]
    rows = ready(age, life <= end, group=group, groups=classes * k)
    shared = shared_shape(rows, np.repeat(np.arange(classes), k)).shared
    assert np.exp(np.log(shared.value / beta).mean()) == pytest.approx(1.0, abs=0.05)
    assert 0.83 < held(shared, np.full(classes, beta)) < 0.97


def test_groups_that_stop_at_a_failure_tell_the_exact_marginal_likelihood() -> None:
    x = np.array([3.0, 5.0, 8.0, 8.0, 8.0, 8.0])
    found = float(shared_shape(ready(x, [1, 1, 1, 0, 0, 0]), np.zeros(1, np.int64)).shared.value[0])
    mean = (x**found * np.log(x)).sum() / (x**found).sum()
    assert 2 / found + np.log(x[:3]).sum() - 3 * mean == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("spread", [0.0, 0.4])
def test_shapes_and_lives_hold_the_truth(spread: float) -> None:
    rows, beta, eta = weibull_world(np.random.default_rng(2), 150, 6, 8, spread)
    found = shared_shape(rows, np.repeat(np.arange(150), 6))
    assert 0.87 < held(found.own, beta) < 0.94
    assert held(found.shrunk, beta) > 0.89
    known = np.isfinite(found.own.value)
    own, shrunk = (np.mean(np.log(each.value / beta)[known] ** 2) for each in (found.own, found.shrunk))
    assert shrunk < 0.6 * own
    assert held(lives(rows, found.shrunk), eta) > 0.89
    b10 = lives(rows, found.shrunk, 0.1)
    truth = eta * (-np.log(0.9)) ** (1 / beta)
    assert held(b10, truth) > 0.87
    two = rows.sums(rows.event == Event.FAILURE) == 2
    few = ((b10.low <= truth) & (truth <= b10.high))[two].mean()
    assert few > 0.7  # picked for having half the failures expected: they lived long by luck


def test_a_group_with_two_failures_gets_a_scale_with_an_interval_and_one_without_a_bound() -> None:
    many = np.array([210, 340, 450, 520, 610, 700, 830, 990.0])
    age = np.concatenate([many, many * 1.1, [300.0, 800.0, 900.0], [500.0, 600.0]])
    event = [1] * 16 + [1, 1, 0] + [0, 0]
    rows = ready(age, event, group=np.repeat(np.arange(4), [8, 8, 3, 2]))
    found = shared_shape(rows, np.zeros(4, np.int64))
    assert found.status[0] == Pooling.NO_SPREAD
    assert found.shrunk.value == pytest.approx([found.shared.value[0]] * 4)
    eta = lives(rows, found.shrunk)
    assert eta.low[2] < eta.value[2] < eta.high[2]
    assert eta.high[2] / eta.low[2] > 2 * eta.high[0] / eta.low[0] / 2
    assert np.isnan(eta.value[3])
    assert np.isnan(eta.high[3])
    assert eta.low[3] > 0


def test_shapes_that_nothing_tells_are_said() -> None:
    rows = ready([5.0, 6.0, 7.0, 8.0, 9.0, 9.0], [0, 0, 1, 1, 1, 0], group=[0, 0, 1, 1, 2, 2], groups=4)
    found = shared_shape(rows, np.array([0, 1, 2, 3]))
    assert found.status.tolist() == [Pooling.NO_FAILURE, Pooling.ONE_GROUP, Pooling.NO_FAILURE, Pooling.NO_ROWS]
    assert np.isnan(found.shared.value[[0, 3]]).all()
    assert found.weight[1] == 1.0


def test_fine_intervals_say_what_exact_ages_say_and_units_do_not_matter() -> None:
    rng = np.random.default_rng(4)
    rows, _, _ = weibull_world(rng, 3, 4, 9, 0.3)
    of = np.repeat(np.arange(3), 4)
    exact = shared_shape(rows, of)
    failed = rows.event == Event.FAILURE
    narrow = ready(
        rows.age * np.where(failed, 0.999, 1.0), np.where(failed, 2, 0), 0.0,
        np.where(failed, rows.age * 1.001, np.nan), 1.0, rows.group, rows.groups,
    )  # fmt: skip
    about = shared_shape(narrow, of)
    assert about.shared.value == pytest.approx(exact.shared.value, rel=2e-3)
    assert about.own.value == pytest.approx(exact.own.value, rel=5e-3, nan_ok=True)
    scaled = shared_shape(ready(rows.age * 1e7, rows.event, group=rows.group, groups=rows.groups), of)
    assert scaled.shrunk.value == pytest.approx(exact.shrunk.value, rel=1e-7)
    twice = ready(rows.age, rows.event, 0.0, np.nan, 0.5, rows.group, rows.groups)
    both = [np.concatenate([each, each]) for each in (twice.age, twice.event, twice.group)]
    doubled = ready(both[0], both[1], 0.0, np.nan, 0.5, both[2], twice.groups)
    assert shared_shape(doubled, of).shrunk.value == pytest.approx(exact.shrunk.value, rel=1e-7)
