"""Cumulative hazards as columns: values, intervals, scaling, joining."""

import numpy as np
import pytest

from analytics.hazard import Hazards, Kind


def test_a_row_is_a_weibull_cumulative_hazard_and_index_and_age_broadcast() -> None:
    hazards = Hazards.of([1.0, 2.0, 3.0], [100.0, 50.0, np.inf])
    ages = np.array([10.0, 100.0])
    h = hazards.at(np.array([[0], [1], [2]]), ages)
    assert h.shape == (3, 2)
    np.testing.assert_allclose(h, [[0.1, 1.0], [0.04, 4.0], [0.0, 0.0]])


def test_the_interval_of_a_fitted_row_is_the_delta_method_by_numerical_derivatives() -> None:
    beta, eta, x = 1.7, 300.0, 120.0
    cov = np.array([[0.04, 0.01], [0.01, 0.09]])
    hazards = Hazards.of(beta, eta, var_log_eta=cov[0, 0], var_log_beta=cov[1, 1], cov_log=cov[0, 1])

    def log_h(a: float, b: float) -> float:
        return float(np.exp(b) * (np.log(x) - a))

    a, b, d = np.log(eta), np.log(beta), 1e-6
    gradient = np.array([log_h(a + d, b) - log_h(a - d, b), log_h(a, b + d) - log_h(a, b - d)]) / (2 * d)
    spread = 1.6448536269514722 * np.sqrt(gradient @ cov @ gradient)
    low, high = hazards.interval([0], x)
    np.testing.assert_allclose([low[0], high[0]], np.exp(log_h(a, b) + spread * np.array([-1, 1])), rtol=1e-8)


def test_factors_hold_at_every_age_and_bounded_rows_rise_from_zero() -> None:
    hazards = Hazards.of(
        [1.5, 2.0],
        [100.0, np.inf],
        [Kind.FEW, Kind.BOUNDED],
        low_factor=[0.5, np.nan],
        high_factor=[3.0, np.nan],
        bound_rate=[0, 1e-4],
    )
    low, high = hazards.interval([[0], [1]], [10.0, 40.0])
    h = hazards.at([0], [10.0, 40.0])
    np.testing.assert_allclose(low, np.stack([0.5 * h, np.zeros(2)]))
    np.testing.assert_allclose(high, np.stack([3 * h, np.array([1e-2, 16e-2])]))


def test_nothing_has_failed_at_age_zero() -> None:
    hazards = Hazards.of(2.0, 100.0, var_log_eta=0.1, var_log_beta=0.1)
    assert hazards.at([0], 0.0) == 0
    low, high = hazards.interval([0], 0.0)
    assert (low[0], high[0]) == (0, 0)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_scaling_the_life_is_reading_at_another_age(factor: float) -> None:
    hazards = Hazards.of([1.5, 2.0], [100.0, np.inf], [Kind.FITTED, Kind.BOUNDED], bound_rate=[0, 1e-4])
    scaled = hazards.scaled(factor)
    np.testing.assert_allclose(scaled.at([0, 1], 30.0), hazards.at([0, 1], 30.0 / factor))
    np.testing.assert_allclose(scaled.interval([0, 1], 30.0), hazards.interval([0, 1], 30.0 / factor))


def test_joining_keeps_rows_in_order_and_refuses_other_levels() -> None:
    one, two = Hazards.of(1.0, [1.0, 2.0]), Hazards.of(2.0, 3.0)
    both = Hazards.concat([one, Hazards.empty(), two])
    assert len(both) == 3
    np.testing.assert_array_equal(both.eta, [1, 2, 3])
    np.testing.assert_array_equal(both.take([2, 0]).eta, [3, 1])
    assert len(Hazards.concat([])) == 0
    with pytest.raises(ValueError, match="levels"):
        Hazards.concat([one, Hazards.of(1.0, 1.0, level=0.95)])
