"""Acceleration factors: published values, the uncertainty they carry, and tests at stress as lives in use."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants
from scipy.stats import norm

from analytics.life.acceleration import (
    BOLTZMANN_EV,
    NORRIS_LANDZBERG,
    arrhenius,
    at_use,
    coffin_manson,
    exposure,
    factor,
    inverse_power,
    norris_landzberg,
    peck,
)
from tests.analytics.published import examples


def test_the_constant() -> None:
    assert constants.value("Boltzmann constant in eV/K") == pytest.approx(BOLTZMANN_EV, rel=1e-10)


@pytest.mark.parametrize("case", range(6))
def test_published_factors(case: int) -> None:
    example = examples("fits")["af-arrhenius-power"]
    asked, expected = example["data"]["cases"][case], example["expected"][case]
    assert expected["case"] == case + 1
    if asked["model"] == "inverse power":
        term = inverse_power(asked["use"], asked["acc"], asked["n"])
    else:
        use, test = (asked[f"{c}_C"] if f"{c}_C" in asked else asked[f"{c}_K"] - 273.15 for c in ("use", "acc"))
        term = arrhenius(use, test, asked["Ea_eV"], k=asked.get("k", BOLTZMANN_EV))
    printed = {1: 1e-10, 2: 0.05 / 69.3, 3: 0.05 / 14.3, 4: 1e-5, 5: 1e-5, 6: 1e-5}[case + 1]
    assert float(factor([term]).value) == pytest.approx(expected["value"], rel=printed)


def test_solder_joints() -> None:
    # -55/125 C every half hour against 25/75 C once a day: the range alone gives (180/50)^1.9 = 11.4
    assert round(float(factor([coffin_manson(50, 180, NORRIS_LANDZBERG[0])]).value), 1) == 11.4
    by_hand = (180 / 50) ** 1.9 * (1 / 48) ** (1 / 3) * np.exp(1414 * (1 / 348.15 - 1 / 398.15))
    assert float(factor(norris_landzberg(50, 180, 1, 48, 75, 125)).value) == pytest.approx(by_hand)


def test_humidity_and_temperature_multiply() -> None:
    both = factor(peck(30, 85, 40, 85, (3.0, 0.9)))
    by_hand = (85 / 30) ** 3 * np.exp(0.9 / BOLTZMANN_EV * (1 / 313.15 - 1 / 358.15))
    assert float(both.value) == pytest.approx(by_hand)
    one = factor([arrhenius(40, 85, 0.9)]).value * factor([inverse_power(30, 85, 3.0)]).value
    assert float(both.value) == pytest.approx(float(one))


def test_nothing_else_is_a_factor_of_one() -> None:
    found = factor([])
    assert (float(found.value), float(found.low), float(found.high)) == (1, 1, 1)


def test_the_uncertainty_of_the_energy_is_carried() -> None:
    found = factor([arrhenius(55, 125, 0.7, se=0.05)], level=0.9)
    z = norm.ppf(0.95)
    for end, energy in ((found.low, 0.7 - z * 0.05), (found.high, 0.7 + z * 0.05)):
        assert float(end) == pytest.approx(float(factor([arrhenius(55, 125, energy)]).value))
    rng = np.random.default_rng(2)
    drawn = factor([arrhenius(55, 125, rng.normal(0.7, 0.005, 40_000))]).value
    assert drawn.std() == pytest.approx(float(factor([arrhenius(55, 125, 0.7, se=0.005)]).se), rel=0.03)


@pytest.mark.parametrize(("use", "test"), [(-300, 85), (25, -273.15)])
def test_below_absolute_zero_there_is_no_factor(use: float, test: float) -> None:
    assert np.isnan(factor([arrhenius(use, test, 0.7)]).value)
    assert np.isnan(factor([inverse_power(0, 5, 2)]).value)


@given(st.floats(-40, 100), st.floats(-40, 150), st.floats(-40, 200), st.floats(0.1, 1.5))
def test_factors_go_on(use: float, between: float, test: float, energy: float) -> None:
    two = factor([arrhenius(use, between, energy)]).value * factor([arrhenius(between, test, energy)]).value
    assert float(two) == pytest.approx(float(factor([arrhenius(use, test, energy)]).value))
    assert float(factor([arrhenius(use, use, energy, se=0.1)]).high) == 1


def test_tests_at_stress_are_lives_in_use() -> None:
    tests = pl.DataFrame({"part": ["A", "B"], "units": [77, 20], "age": [1000.0, 500.0], "failures": [0, 2]})
    assert at_use(tests, [10.0, 4.0]).rows() == [
        ("A", "suspension", 10_000.0, None, 77),
        ("B", "suspension", 2000.0, None, 18),
        ("B", "interval", 0.0, 2000.0, 2),
    ]
    assert exposure([77, 20], [1000, 500], [10, 4]).tolist() == [770_000, 40_000]
