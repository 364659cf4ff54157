"""Crow-AMSAA against published examples, brute force and simulation, and the laws it owes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from analytics.life import growth_bounds as bounds
from analytics.life.distribution import Status
from analytics.life.growth import Grouped, Growth, Observed, fit, grouped, observed
from chaingraph.errors import ChaingraphError
from tests.analytics.published import examples

OTHERS = examples("others")


def data_of(name: str) -> dict[str, Any]:
    data: dict[str, Any] = OTHERS[name]["data"]
    return data


def three(name: str) -> Observed:
    data = data_of(name)
    systems = [data[f"system{i}"] for i in (1, 2, 3)]
    ends = list(data["observation_end"].values())
    return observed(
        np.concatenate(systems),
        ends,
        "time" if data["termination"] == "time" else "failure",
        np.repeat(np.arange(3), [len(s) for s in systems]),
    )


def single(name: str) -> Observed:
    data = data_of(name)
    return observed(data["times"], data["end"], data["termination"])


def intervals(name: str) -> Grouped:
    data = data_of(name)
    ends = [0, *data["interval_end"]]
    return grouped(ends[:-1], ends[1:], data["failures"])


def printed(value: float, digits: int) -> Any:
    return pytest.approx(value, abs=0.5001 * 10**-digits)


def test_three_systems_up_to_a_time() -> None:
    found = fit(three("growth-crow1975-three-systems-time"))
    assert found.exact
    assert found.scale == printed(0.4605471, 7)
    assert found.beta == printed(0.6153363, 7)
    assert found.unbiased == printed(0.598, 3)
    assert bounds.shape(found, 0.95)[1:] == (printed(0.4309739, 7), printed(0.832012, 6))
    low, high = bounds.shape(found, 0.9)[1:]
    assert high == printed(0.793, 3)
    assert low == pytest.approx(0.459, abs=0.0025)  # the report's own quantile of chi-square is off in its third digit
    given_shape = bounds.scale_given(found, 0.5, 0.95)
    assert given_shape.low == pytest.approx(0.592, abs=0.0025)
    assert given_shape.high == pytest.approx(1.17, abs=0.005)
    jointly = bounds.scale_jointly(found, 0.9)
    assert jointly.low == printed(0.133, 3)
    assert jointly.high == pytest.approx(1.39, abs=0.02)
    assert math.exp(-found.log_lambda / found.beta) == printed(3.5255156, 7)


def test_three_systems_each_up_to_its_last_failure() -> None:
    found = fit(three("growth-crow1975-three-systems-failure"))
    assert not found.exact
    assert (found.scale, found.beta) == (printed(0.443, 3), printed(0.626, 3))
    assert found.degrees == 33
    assert found.degrees / found.sum_log == printed(0.575, 3)
    assert found.unbiased == printed(0.557, 3)


def test_the_handbook_s_27_failures() -> None:
    data = single("growth-milhdbk189-appc-27-failures")
    found = fit(data)
    want = {each["quantity"]: each for each in OTHERS["growth-milhdbk189-appc-27-failures"]["expected"]}
    assert found.beta == pytest.approx(want["beta_mle"]["value_full"], rel=1e-9)
    assert found.unbiased == pytest.approx(want["beta_unbiased"]["value_full"], rel=1e-9)
    assert found.scale == pytest.approx(want["lambda_mle"]["value_full"], rel=1e-9)
    assert bounds.intensity(found).value == pytest.approx(want["intensity at 300"]["value_full"], rel=1e-9)
    assert bounds.mtbf(found).value == pytest.approx(want["mtbf_instantaneous"]["value_full"], rel=1e-9)
    test = bounds.cramer_von_mises(data)
    assert test is not None
    assert test.statistic == pytest.approx(want["cramer_von_mises C2"]["value_full"], rel=1e-9)
    assert test.p > 0.1
    assert bounds.crow_factors(27) == (printed(0.6361467, 7), printed(1.6817864, 7))


def test_nasa_s_interval_of_the_mtbf() -> None:
    found = fit(single("growth-nasa-tm103511-23-failures"))
    assert bounds.mtbf(found, level=0.8) == (printed(52.7, 1), printed(35.6, 1), printed(82.9, 1))
    assert bounds.crow_factors(23, "time", 0.8) == (printed(0.6762, 4), printed(1.5744, 4))


def test_the_modified_estimates_of_the_improvement_test() -> None:
    found = fit(single("growth-nist-improvement-test-modified-mle"))
    assert found.beta == pytest.approx(0.5372288660341876, rel=1e-9)
    assert bounds.modified(found) == (printed(0.4835, 4), printed(0.2913, 4), printed(310.234, 3))


def test_22_failures_up_to_the_last() -> None:
    data = single("growth-reliawiki-crowamsaa-22-failures")
    found = fit(data)
    assert np.log(data.time).sum() == printed(105.6355, 4)
    assert (found.beta, found.scale) == (printed(0.61421, 5), printed(0.42394, 5))
    assert 1 - found.beta == printed(0.38579, 5)
    assert bounds.intensity(found).value == printed(0.021795, 6)
    assert bounds.mtbf(found).value == printed(45.883, 3)
    assert bounds.mtbf_cumulative(found).value == printed(28.18182, 5)
    assert 1 / bounds.mtbf_cumulative(found).value == printed(0.035484, 6)
    assert bounds.reached(found, 35, cumulative=True) == printed(1087.18769, 5)
    assert bounds.shape(found)[1:] == (printed(0.3929, 4), printed(0.8114, 4))
    assert found.unbiased == pytest.approx(20 / 22 * found.beta)


def test_counts_by_interval() -> None:
    data = intervals("growth-milhdbk189-grouped")
    found = fit(data)
    assert (found.beta, found.scale) == (printed(0.752851, 6), printed(1.529306, 6))
    counts = np.diff(bounds.expected(found, [0, 20, 40, 60, 80, 100])[0])
    assert counts == pytest.approx([14.59, 9.99, 8.77, 8.07, 7.58], abs=0.00501)
    assert bounds.intensity(found).value == printed(0.3688969345, 10)
    assert bounds.mtbf(found).value == printed(2.71078425, 8)
    assert 20 / counts[-1] == printed(2.63942564, 8)
    assert bounds.crow_factors(49, "time", 0.95) == (
        printed(0.673653094473246, 11), printed(1.551392254753944, 11),
    )  # fmt: skip


def test_the_helicopter() -> None:
    data = intervals("growth-reliawiki-helicopter-grouped")
    found = fit(data)
    assert (found.scale, found.beta) == (printed(0.4458543, 7), printed(0.8136085, 7))
    assert pytest.approx(bounds.mtbf_cumulative(found).value) == 500 / 70
    assert bounds.mtbf(found).value == pytest.approx(8.7792208, abs=2e-5)  # printed with rounded parameters
    test = bounds.chi_square(data, found, least=0)
    assert test is not None
    assert test.statistic == pytest.approx(0.6879676, abs=2e-5)
    assert test.degrees == 4
    joined = bounds.chi_square(data, found)
    assert joined is not None
    assert joined.degrees == 3


def test_cramer_von_mises_and_its_critical_values() -> None:
    test = bounds.cramer_von_mises(three("gof-crow1975-cramer-von-mises"))
    assert test is not None
    assert test.statistic == pytest.approx(0.069, abs=0.001)
    table = next(e for e in OTHERS["gof-crow1975-cramer-von-mises"]["expected"] if "table" in e)["table"]
    for failures, values in table.items():
        found = bounds.critical(int(failures), [0.20, 0.15, 0.10, 0.05], draws=40_000)
        assert found == pytest.approx(values[:4], abs=0.004)  # both are simulated
    # The example's 0.213 for 36 is outside of its own table's rows of 30 and 40.
    assert 0.215 < bounds.critical(36, 0.05, draws=40_000) < 0.223


@pytest.mark.parametrize("termination", ["time", "failure"])
def test_bounds_of_the_mtbf_hold_as_often_as_they_say(termination: Any) -> None:
    rng = np.random.default_rng(5)
    beta, lam, draws = 0.6, 1.2, 3000
    inside = 0
    for _ in range(draws):
        n = int(rng.poisson(lam * 30**beta)) if termination == "time" else 9
        if n < 2:
            inside += 1
            continue
        arrivals = np.cumsum(rng.exponential(size=n))
        times = (arrivals / lam) ** (1 / beta) if termination == "failure" else 30 * rng.random(n) ** (1 / beta)
        end = float(times[-1]) if termination == "failure" else 30.0
        shape = n / np.log(end / times).sum()
        estimate, true = end / (n * shape), 1 / (lam * beta * end ** (beta - 1))
        low, high = bounds.crow_factors(n, termination, 0.8)
        inside += low <= true / estimate <= high
    share = inside / draws
    assert share > 0.8 - 0.02
    if termination == "failure":
        assert share < 0.82


def test_the_maximum_is_one_for_starts_ends_and_counts_of_every_kind() -> None:
    rng = np.random.default_rng(2)
    start, end = np.array([0.0, 5.0, 20.0]), np.array([40.0, 70.0, 60.0])
    times, system = [], []
    for s in range(3):
        n = 5 + s
        times += (start[s] + (end[s] - start[s]) * rng.random(n)).tolist()
        system += [s] * n
    data = observed(times, end, "time", system, start)
    found = fit(data)

    def minus(p: Any) -> float:
        lam, beta = np.exp(p)
        exposed = lam * np.sum(end**beta - start**beta)
        return float(exposed - np.sum(np.log(lam * beta * data.time ** (beta - 1))))

    best = minimize(minus, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000})
    assert [found.log_lambda, math.log(found.beta)] == pytest.approx(best.x, abs=1e-5)
    assert found.log_likelihood == pytest.approx(-best.fun, rel=1e-9)
    assert inverse_hessian(minus, best.x) == pytest.approx(found.covariance, rel=1e-4)

    counts = grouped([3, 10, 30], [10, 30, 33], [4, 6, 3])
    found = fit(counts)

    def minus_counts(p: Any) -> float:
        mean = np.exp(p[0]) * (counts.high ** np.exp(p[1]) - counts.low ** np.exp(p[1]))
        return float(np.sum(mean - counts.failures * np.log(mean)))

    best = minimize(minus_counts, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    assert [found.log_lambda, math.log(found.beta)] == pytest.approx(best.x, abs=1e-5)
    assert found.log_likelihood == pytest.approx(-best.fun, rel=1e-9)
    assert inverse_hessian(minus_counts, best.x) == pytest.approx(found.covariance, rel=1e-4)


def inverse_hessian(function: Any, at: Any) -> Any:
    h, n = 1e-4, len(at)
    unit = np.eye(n) * h
    second = [
        [(function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b)) / (4 * h * h)
         for b in unit] for a in unit
    ]  # fmt: skip
    return np.linalg.inv(np.array(second))


TIMES = st.lists(st.floats(0.001, 0.999), min_size=3, max_size=30, unique=True)


@given(TIMES, st.floats(1e-6, 1e6))
def test_another_unit_of_time_changes_nothing_but_units(times: list[float], unit: float) -> None:
    one, other = fit(observed(times, 1.0)), fit(observed(np.array(times) * unit, unit))
    assert other.beta == pytest.approx(one.beta, rel=1e-9)
    ours, theirs = bounds.mtbf(one), bounds.mtbf(other)
    assert np.array(theirs) == pytest.approx(np.array(ours) * unit, rel=1e-9)
    assert bounds.to_come(other, 0.3 * unit)[1] == pytest.approx(bounds.to_come(one, 0.3)[1])


@given(TIMES, st.integers(2, 4))
def test_a_system_more_without_a_clock_of_its_own_is_the_same_law(times: list[float], copies: int) -> None:
    together = fit(observed(np.tile(times, copies), 1.0, "time", np.repeat(np.arange(copies), len(times))))
    assert together.beta == pytest.approx(fit(observed(times, 1.0)).beta, rel=1e-9)
    assert bounds.mtbf(together).value == pytest.approx(bounds.mtbf(fit(observed(times, 1.0))).value, rel=1e-9)


@given(TIMES)
def test_finer_and_finer_counts_become_times(times: list[float]) -> None:
    cells = np.linspace(0, 1, 20001)
    counts = np.histogram(times, cells)[0]
    exact, by_cell = fit(observed(times, 1.0)), fit(grouped(cells[:-1], cells[1:], counts))
    if by_cell.status == Status.FITTED and min(times) > 0.01:
        assert by_cell.beta == pytest.approx(exact.beta, rel=0.02)


def test_what_the_data_do_not_support_is_not_said() -> None:
    def empty(found: Growth, status: Status) -> None:
        assert found.status == status
        assert math.isnan(found.beta)
        assert math.isnan(bounds.mtbf(found).value)
        assert all(math.isnan(v) for v in bounds.to_come(found, 10)[1])

    none = fit(observed([], 100))
    empty(none, Status.NO_FAILURE)
    assert bounds.mtbf_cumulative(none).low == pytest.approx(100 / -math.log(0.05))
    empty(fit(observed([50], None, "failure")), Status.TOO_FEW)
    empty(fit(observed([100, 100], 100)), Status.NO_MAXIMUM)
    empty(fit(grouped([0, 10], [10, 20], [5, 0])), Status.NO_MAXIMUM)
    one = fit(observed([50], 100))
    assert one.status == Status.FITTED
    assert math.isnan(one.unbiased)
    assert math.isnan(bounds.mtbf(one).high)
    assert bounds.cramer_von_mises(observed([50], 100)) is None


@pytest.mark.parametrize(
    ("code", "times", "end"),
    [
        ("growth.not_a_time", [0.0, 5], 10),
        ("growth.not_a_time", [-1.0], 10),
        ("growth.not_a_time", [math.nan], 10),
        ("growth.not_a_time", [math.inf], 10),
        ("growth.beyond_end", [11.0], 10),
        ("growth.end", [], 0),
        ("growth.end", [], math.nan),
        ("growth.end_missing", [1.0], None),
    ],
)
def test_times_that_are_none_are_refused(code: str, times: list[float], end: float | None) -> None:
    with pytest.raises(ChaingraphError) as refused:
        observed(times, end)
    assert refused.value.code == code


def test_counts_that_are_none_are_refused() -> None:
    for code, low, high, n in (
        ("growth.not_a_count", [0], [10], [1.5]),
        ("growth.not_a_count", [0], [10], [-1]),
        ("growth.end", [10], [10], [1]),
        ("growth.overlap", [0, 5], [10, 15], [1, 1]),
    ):
        with pytest.raises(ChaingraphError) as refused:
            grouped(low, high, n)
        assert refused.value.code == code


def test_a_sum_of_what_is_to_come_is_as_likely_as_it_says() -> None:
    rng = np.random.default_rng(8)
    beta, end, lam, runs = 0.7, 50.0, 0.8, 400
    inside = 0
    for _ in range(runs):
        n = int(rng.poisson(lam * end**beta))
        times = end * rng.random(n) ** (1 / beta)
        to_come = rng.poisson(lam * ((end + 25) ** beta - end**beta))
        found = bounds.to_come(fit(observed(times, end)), 25.0, 0.8)[1]
        inside += found.low <= to_come <= found.high
    assert 0.78 <= inside / runs <= 0.95  # a count is whole: more than said


def test_of_counts_what_is_to_come_follows_the_last_interval() -> None:
    found = fit(intervals("growth-milhdbk189-grouped"))
    expected = bounds.expected(found, [100, 125])[0]
    assert bounds.to_come(found, 25)[0].value == pytest.approx(expected[1] - expected[0])
    low, high = bounds.to_come(found, 25)[1][1:]
    assert 3 <= low < high <= 17


def test_hardly_any_failures_bound_hardly_anything_to_come() -> None:
    late = fit(observed([99.0, 99.9], 100))
    assert math.isnan(bounds.to_come(late, 400)[1].high)
    for n in (1, 2, 3):
        counted = bounds.to_come(fit(observed([10.0 * i for i in range(1, n + 1)], 100)), 25)[1]
        assert 0 <= counted.low <= counted.high


def test_twelve_decades_and_many_failures() -> None:
    found = fit(observed(np.logspace(-6, 6, 1000), 1e6))
    assert found.status == Status.FITTED
    assert all(np.isfinite(bounds.mtbf(found)))
    many = fit(observed(1e6 * np.random.default_rng(1).random(100_000), 1e6))
    near = bounds.crow_factors(bounds.MANY)
    assert bounds.crow_factors(bounds.MANY + 1) == pytest.approx(near, abs=5e-5)
    assert bounds.crow_factors(bounds.MANY + 1, "failure") == pytest.approx(
        bounds.crow_factors(bounds.MANY, "failure"), abs=5e-5
    )
    assert 0.99 < bounds.mtbf(many).low / bounds.mtbf(many).value < 1
