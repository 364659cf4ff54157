"""Declared values as distributions."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics.declared import distributions
from tests.analytics.frames import Row, declared

HOURS = pl.DataFrame({"part": ["p"], "age_unit": ["h"]})


def one(**row: object) -> dict[str, Any]:
    table = distributions(declared(row), HOURS, 0.9)
    assert len(table) == 1
    return table.row(0, named=True)


def test_the_metrics() -> None:
    assert one(metric="mtbf", value=5000.0, shape=2.0)["eta"] == 5000
    assert one(metric="mtbf", value=5000.0, shape=2.0)["beta"] == 1
    assert one(metric="weibull", value=5000.0, shape=2.0)["beta"] == 2
    assert one(metric="exponential", value=5000.0)["eta"] == 5000
    assert one(metric="exponential", value=200.0, unit="FIT")["eta"] == pytest.approx(5e6)
    b10 = one(metric="b10", value=100.0, shape=1.5)
    assert 1 - np.exp(-((100 / b10["eta"]) ** 1.5)) == pytest.approx(0.1)


@pytest.mark.parametrize(("unit", "per_hour"), [("FIT", 1e-9), ("1/h", 1.0), ("fpmh", 1e-6), ("%/1000h", 1e-5)])
def test_rates_are_read_in_their_unit(unit: str, per_hour: float) -> None:
    assert one(metric="failure_rate", value=4.0, unit=unit)["eta"] == pytest.approx(1 / (4 * per_hour))


@pytest.mark.parametrize(
    "row",
    [
        {"metric": "mtbf", "unit": "km"},
        {"metric": "failure_rate", "unit": "h"},
        {"metric": "failure_rate", "unit": "1/km"},
    ],
)
def test_a_figure_in_a_unit_that_is_not_the_parts_is_not_used(row: Row) -> None:
    found = one(value=3.0, **row)
    assert found["eta"] is None
    assert found["codes"] == ["unit_mismatch"]


def test_without_an_interval_the_error_factor_is_three() -> None:
    found = one(value=5000.0)
    assert (found["low_factor"], found["high_factor"]) == (pytest.approx(1 / 3), pytest.approx(3))
    assert found["codes"] == ["declared_interval_assumed"]


def test_a_declared_interval_of_a_life_turns_round_to_one_of_the_hazard() -> None:
    found = one(metric="weibull", value=100.0, shape=2.0, low=50.0, high=200.0)
    assert (found["low_factor"], found["high_factor"]) == (pytest.approx(0.25), pytest.approx(4))
    assert found["codes"] == []
    rate = one(metric="failure_rate", value=10.0, unit="FIT", low=5.0, high=40.0)
    assert (rate["low_factor"], rate["high_factor"]) == (pytest.approx(0.5), pytest.approx(4))


def test_an_interval_at_another_confidence_is_carried_over_on_the_log_scale() -> None:
    found = one(value=100.0, low=50.0, high=200.0, confidence=0.6)
    assert found["high_factor"] == pytest.approx(2 ** (1.6448536 / 0.8416212), rel=1e-6)


def test_one_end_alone_leaves_the_other_assumed() -> None:
    found = one(value=100.0, low=50.0)
    assert (found["low_factor"], found["high_factor"]) == (pytest.approx(1 / 3), pytest.approx(2))
    assert found["codes"] == ["declared_interval_assumed"]


def test_what_lacks_a_shape_is_exponential_and_says_so() -> None:
    assert one(metric="b10", value=10.0, low=1.0, high=20.0)["codes"] == ["b10_without_shape"]
    assert one(metric="weibull", value=10.0, low=1.0, high=20.0)["codes"] == ["shape_assumed"]


def test_of_several_figures_the_unconditional_then_the_one_with_an_interval_then_the_lowest_promise() -> None:
    table = distributions(
        declared(
            {"value": 1.0, "condition": "25 °C"},
            {"value": 9.0},
            {"value": 7.0, "low": 5.0, "high": 8.0},
            {"value": 2.0, "mode": "p/a"},
            {"value": 3.0, "mode": "p/a"},
        ),
        HOURS,
        0.9,
    )
    assert table.select("mode", "eta").rows() == [(None, 7.0), ("p/a", 2.0)]
