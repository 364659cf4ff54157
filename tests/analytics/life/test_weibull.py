"""Weibull fits against published examples, a general optimiser and a grid."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import fmin

from analytics.life import rows as lives
from analytics.life import weibull
from analytics.life.rows import Event
from analytics.life.weibull import WeibullFits, fit

NAN = float("nan")

# Deep-groove ball bearings, millions of revolutions: Lieblein and Zelen 1956, in Lawless 2003, section 5.2.
BALL_BEARINGS = [
    17.88, 28.92, 33.00, 41.52, 42.12, 45.60, 48.40, 51.84, 51.96, 54.12, 55.56, 67.80,
    68.64, 68.64, 68.88, 84.12, 93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.40,
]  # fmt: skip

# Vehicle shock absorbers, km, F = failed: O'Connor 1985, in Meeker and Escobar 1998, table C.2 and example 8.2.
SHOCK_ABSORBERS = """
    6700F 6950 7820 8790 9120F 9660 9820 11310 11690 11850 11880 12140 12200F 12870 13150F 13330 13470 14040 14300F
    17520F 17540 17890 18450 18960 18980 19410 20100F 20100 20150 20320 20900F 22700F 23490 26510F 27410 27490F
    27890 28100
"""


def test_nist_handbook_example_of_right_censored_units() -> None:
    """NIST/SEMATECH e-Handbook of Statistical Methods, section 8.4.1.3: 10 failures, 10 units removed at 500 h."""
    ages = [54, 187, 216, 240, 244, 335, 361, 373, 375, 386, 500]
    fitted = fit(ages, [Event.FAILURE] * 10 + [Event.SUSPENSION], count=[1] * 10 + [10])
    assert fitted.eta[0] == pytest.approx(606.5280, rel=2e-6)
    assert fitted.beta[0] == pytest.approx(1.7208, abs=5e-5)
    assert fitted.log_likelihood[0] == pytest.approx(-75.135, abs=5e-4)
    assert (fitted.failures[0], fitted.distinct_ages[0]) == (10, 10)


def test_ball_bearings_of_lieblein_and_zelen() -> None:
    """Lawless 2003, section 5.2: shape 2.10, scale 81.9, log likelihood -113.69."""
    fitted = fit(BALL_BEARINGS, Event.FAILURE)
    assert fitted.beta[0] == pytest.approx(2.10, abs=5e-3)
    assert fitted.eta[0] == pytest.approx(81.88, abs=1e-2)
    assert fitted.log_likelihood[0] == pytest.approx(-113.69, abs=5e-3)


def test_shock_absorbers_of_meeker_and_escobar() -> None:
    """Meeker and Escobar 1998, table 8.1: ln eta = 10.23, 1 / beta = 0.3164, eta = 27719, beta = 3.16.

    Section 8.3.2: variances 0.01208 of ln eta and 0.00535 of 1 / beta.
    """
    units = SHOCK_ABSORBERS.split()
    fitted = fit([float(unit.strip("F")) for unit in units], [unit.endswith("F") for unit in units])
    assert fitted.eta[0] == pytest.approx(27719, abs=1)
    assert 1 / fitted.beta[0] == pytest.approx(0.3164, abs=5e-5)
    assert fitted.var_log_eta[0] == pytest.approx(0.01208, abs=5e-6)
    assert fitted.var_log_beta[0] / fitted.beta[0] ** 2 == pytest.approx(0.00535, abs=5e-6)


def test_turbine_parts_found_cracked_at_inspections() -> None:
    """Nelson 1982, p. 415, interval data; estimates and standard errors of the SAS/QC documentation's example
    "Weibull Analysis of Interval Data with Common Inspection Schedule": 71.6904 (5.3335) and 1.4854 (0.1465).
    """
    edges = [0, 6.12, 19.92, 29.64, 35.40, 39.72, 45.24, 52.32, 63.48]
    counts = [5, 16, 12, 18, 18, 2, 6, 17, 73]
    fitted = fit(edges, Event.INTERVAL, age_to=[*edges[1:], NAN], count=counts)
    assert fitted.eta[0] == pytest.approx(71.6904, abs=5e-5)
    assert fitted.beta[0] == pytest.approx(1.4854, abs=5e-5)
    assert np.sqrt(fitted.var_log_eta[0]) * fitted.eta[0] == pytest.approx(5.3335, abs=5e-5)
    assert np.sqrt(fitted.var_log_beta[0]) * fitted.beta[0] == pytest.approx(0.1465, abs=5e-5)
    assert (fitted.failures[0], fitted.distinct_ages[0]) == (94, 8)


Rows = dict[str, NDArray[np.float64]]


def log_likelihood(rows: Rows, a: float, b: float) -> float:
    """Straight from the definition, one group."""
    beta, total = np.exp(b), 0.0
    for x, e, start, to, n in zip(*(rows[c] for c in ("age", "event", "entry", "age_to", "count")), strict=True):
        h, h0 = (x / np.exp(a)) ** beta, (start / np.exp(a)) ** beta
        if e == Event.FAILURE:
            total += n * (b - beta * a + (beta - 1) * np.log(x) - h + h0)
        elif e == Event.INTERVAL:
            total += n * (-h + h0 + np.log(-np.expm1(h - (to / np.exp(a)) ** beta)))
        else:
            total += n * (h0 - h)
    return float(total)


def optimum(rows: Rows, a: float, b: float) -> NDArray[np.float64]:
    """The best (ln eta, ln beta) by a simplex search that knows no derivative."""

    def loss(p: NDArray[np.float64]) -> float:
        return -log_likelihood(rows, p[0], p[1])

    best = fmin(loss, [a, b], xtol=1e-9, ftol=1e-12, maxiter=1000, disp=False)
    return np.asarray(best, np.float64)


def fit_of(rows: Rows) -> WeibullFits:
    """`fit` of the columns by name."""
    return fit(rows["age"], rows["event"], rows["entry"], rows["age_to"], rows["count"], rows["group"])


def world(seed: int, groups: int, *, entries: bool, intervals: bool) -> Rows:
    """Random groups with every shape of censoring asked for; each has its own shape and scale."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), rng.integers(25, 60, groups))
    size = len(group)
    shape, scale = rng.uniform(0.6, 4, groups)[group], 10 ** rng.uniform(1, 5, groups)[group]
    life = scale * rng.weibull(shape)
    entry = np.where(rng.random(size) < 0.5, scale * rng.uniform(0, 0.5, size), 0.0) if entries else np.zeros(size)
    life = np.where(life > entry, life, (life**shape + entry**shape) ** (1 / shape))
    end = entry + scale * rng.uniform(0.2, 2, size)
    failed = life <= end
    age, event, to = np.minimum(life, end), np.where(failed, 1, 0), np.full(size, NAN)
    if intervals:
        some = failed & (rng.random(size) < 0.5)
        step = scale / 5
        first = np.floor(life / step) * step
        age = np.where(some, np.maximum(first, entry), age)
        to = np.where(some, first + step, NAN)
        event = np.where(some, 2, event)
    order = rng.permutation(size)
    columns = {"age": age, "event": event, "entry": entry, "age_to": to, "count": rng.integers(1, 4, size)}
    return {name: np.asarray(c, np.float64)[order] for name, c in {**columns, "group": group}.items()}


@pytest.mark.parametrize(("entries", "intervals"), [(False, False), (True, False), (False, True), (True, True)])
def test_batches_agree_with_a_general_optimiser_group_by_group(entries: bool, intervals: bool) -> None:
    groups = 12
    rows = world(7 + entries + 2 * intervals, groups, entries=entries, intervals=intervals)
    fitted = fit_of(rows)
    assert fitted.converged.all()
    for g in range(groups):
        mine = {name: column[rows["group"] == g] for name, column in rows.items()}
        a, b = np.log(fitted.eta[g]), np.log(fitted.beta[g])
        best = optimum(mine, a + 0.1, b - 0.1)
        np.testing.assert_allclose([a, b], best, atol=1e-6, rtol=0)
        assert fitted.log_likelihood[g] == pytest.approx(log_likelihood(mine, *best), rel=1e-10)


@pytest.mark.parametrize(("entries", "intervals"), [(False, False), (True, True)])
def test_the_covariance_is_the_inverse_of_the_numerical_second_derivatives(entries: bool, intervals: bool) -> None:
    rows = world(3, 1, entries=entries, intervals=intervals)
    fitted = fit_of(rows)
    p, d = np.array([np.log(fitted.eta[0]), np.log(fitted.beta[0])]), 1e-4
    unit = np.eye(2) * d
    information = np.array(
        [
            [
                -sum(s * log_likelihood(rows, *(p + s1 * unit[i] + s2 * unit[j]))
                     for s, s1, s2 in ((1, 1, 1), (-1, 1, -1), (-1, -1, 1), (1, -1, -1))) / (4 * d * d)
                for j in (0, 1)
            ]
            for i in (0, 1)
        ]
    )  # fmt: skip
    cov = np.linalg.inv(information)
    found = [fitted.var_log_eta[0], fitted.cov_log[0], fitted.var_log_beta[0]]
    np.testing.assert_allclose(found, [cov[0, 0], cov[0, 1], cov[1, 1]], rtol=1e-4)


def test_no_point_of_a_grid_is_better() -> None:
    rows = world(5, 1, entries=True, intervals=True)
    fitted = fit_of(rows)
    grid = [
        log_likelihood(rows, np.log(fitted.eta[0]) + da, np.log(fitted.beta[0]) + db)
        for da in np.linspace(-1, 1, 21)
        for db in np.linspace(-1, 1, 21)
    ]
    assert max(grid) <= fitted.log_likelihood[0] + 1e-9


def test_other_groups_order_and_unit_never_change_an_answer() -> None:
    rows = world(11, 6, entries=True, intervals=True)
    together = fit_of(rows)
    for g in range(6):
        mine = {name: c[rows["group"] == g] for name, c in rows.items()}
        alone = fit_of(mine | {"group": np.zeros(1)})
        assert alone.eta[0] == together.eta[g]
        assert alone.beta[0] == together.beta[g]
    order = np.random.default_rng(0).permutation(len(rows["age"]))
    shuffled = fit_of({name: c[order] for name, c in rows.items()})
    np.testing.assert_allclose(shuffled.beta, together.beta, rtol=1e-9)
    seconds = fit_of({n: c * 3600 if n in ("age", "entry", "age_to") else c for n, c in rows.items()})
    np.testing.assert_allclose(seconds.eta, together.eta * 3600, rtol=1e-9)
    np.testing.assert_allclose(seconds.var_log_eta, together.var_log_eta, rtol=1e-7)


def test_counts_are_so_many_equal_rows() -> None:
    once = fit([10.0, 20, 30, 40], [1, 1, 1, 0], count=[2, 1, 3, 5])
    spelt = fit(np.repeat([10.0, 20, 30, 40], [2, 1, 3, 5]), np.repeat([1, 1, 1, 0], [2, 1, 3, 5]))
    assert once.beta[0] == pytest.approx(spelt.beta[0], rel=1e-12)
    assert once.failures[0] == 6
    assert once.distinct_ages[0] == 3


def test_groups_without_an_answer_do_not_stop_the_others() -> None:
    age = [5.0, 5, 5, 1, 2, 3, 9, 4, 7]
    event = [1, 1, 1, 1, 1, 1, 0, 0, 0]
    fitted = fit(age, event, group=[0, 0, 0, 1, 1, 1, 1, 2, 2], groups=4)
    assert fitted.converged.tolist() == [False, True, False, False]
    assert fitted.failures.tolist() == [3, 3, 0, 0]
    assert fitted.distinct_ages.tolist() == [1, 3, 0, 0]
    assert np.isnan(fitted.eta[[0, 2, 3]]).all()


def test_a_failure_at_age_zero_is_the_interval_up_to_the_first_positive_age() -> None:
    newborn = fit([0.0, 2, 5, 9, 12], [1, 1, 1, 1, 0])
    spelt = fit([0.0, 2, 5, 9, 12], [2, 1, 1, 1, 0], age_to=[2, NAN, NAN, NAN, NAN])
    assert newborn.converged[0]
    assert newborn.beta[0] == spelt.beta[0]


def test_with_the_shape_known_the_exposure_gives_the_rate() -> None:
    rows = lives.ready([10.0, 20, 30], [1, 0, 0], entry=[0, 5, 0], count=[1, 2, 1])
    v, oldest = lives.exposed(rows, np.array([2.0]))
    assert v[0] * oldest[0] ** 2 == pytest.approx(100 + 2 * (400 - 25) + 900)
    steep, _ = lives.exposed(rows, np.array([1000.0]))
    assert steep[0] == pytest.approx(1.0)


def test_nothing_gives_nothing() -> None:
    fitted = fit([], [], groups=0)
    assert len(fitted.eta) == 0


def test_truth_is_inside_its_interval_about_as_often_as_promised() -> None:
    groups, size = 400, 40
    rng = np.random.default_rng(1)
    life = 1000 * rng.weibull(1.8, (groups, size))
    end = rng.uniform(300, 1500, (groups, size))
    group = np.broadcast_to(np.arange(groups)[:, None], life.shape)
    fitted = fit(np.minimum(life, end).ravel(), (life <= end).ravel(), group=group.ravel())
    inside = np.abs(np.log(fitted.eta / 1000)) < 1.645 * np.sqrt(fitted.var_log_eta)
    assert 0.84 < inside.mean() < 0.94


@pytest.mark.filterwarnings("error")
def test_failures_at_age_zero_alone_determine_nothing() -> None:
    found = weibull.fit([0.0, 0.0, 5.0, 7.0, 9.0], 1, group=[0, 0, 1, 1, 1])
    assert found.converged.tolist() == [False, True]
    assert np.isnan(found.eta[0])
