"""Acceleration factors, and tests at stress as evidence of lives in use.

Every model here is ln AF = sum of exponent * x: the exponent (an activation energy, a power) is what is known of the
mechanism, with an uncertainty, and x what the two conditions make of it. So factors multiply, terms of several models
can stand together, and the uncertainty of the exponents goes to the factor by one rule. AF is life in use over life in
test: above 1 where the test is the harder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import norm

from analytics.life.distribution import Intervals
from analytics.life.rows import Floats

BOLTZMANN_EV = 1.380649e-23 / 1.602176634e-19
"""Boltzmann constant in eV/K, 8.617333262e-5: both constants are exact in the SI (CODATA 2022)."""
ABSOLUTE_ZERO = -273.15
NORRIS_LANDZBERG = (1.9, 1 / 3, 1414 * BOLTZMANN_EV)
"""Exponents of range and frequency, and the energy in eV (1414 K), for tin-lead solder (Norris and Landzberg, IBM
Journal of Research and Development 13, 1969, 266-271). Lead-free solders have others."""
PECK = (2.66, 0.79)
"""Exponent of humidity and energy in eV for aluminium corrosion in plastic packages (Peck, IEEE International
Reliability Physics Symposium 24, 1986, 44-50)."""


@dataclass(frozen=True, slots=True)
class Term:
    """One factor exp(exponent * x) of an acceleration factor; `se` is the standard error of the exponent, 0 if known.

    All broadcast.
    """

    x: Floats
    exponent: Floats
    se: Floats


def _term(x: ArrayLike, exponent: ArrayLike, se: ArrayLike) -> Term:
    return Term(*(np.asarray(each, np.float64) for each in (x, exponent, se)))


def arrhenius(
    use_c: ArrayLike, test_c: ArrayLike, energy_ev: ArrayLike, se: ArrayLike = 0.0, k: float = BOLTZMANN_EV
) -> Term:
    """AF = exp(Ea/k (1/Tu - 1/Tt)), temperatures in degrees Celsius (Nelson, Accelerated Testing, 1990, chapter 2).

    Temperatures at or below absolute zero give nan.
    """
    return _term((_inverse(use_c) - _inverse(test_c)) / k, energy_ev, se)


def inverse_power(use: ArrayLike, test: ArrayLike, n: ArrayLike, se: ArrayLike = 0.0) -> Term:
    """AF = (test / use)^n for voltage, load, speed (Nelson 1990, chapter 2). Stresses that are not positive: nan."""
    return _term(_log(test) - _log(use), n, se)


def coffin_manson(use_range: ArrayLike, test_range: ArrayLike, exponent: ArrayLike, se: ArrayLike = 0.0) -> Term:
    """AF = (dTt / dTu)^q in cycles, by the ranges of temperature that a cycle goes through (Nelson 1990, chapter 2).

    About 2 for ductile metals and solder, 4 for intermetallics, 6 to 9 for brittle dielectrics (JEDEC JEP122).
    """
    return inverse_power(use_range, test_range, exponent, se)


def norris_landzberg(
    use_range: ArrayLike,
    test_range: ArrayLike,
    use_per_day: ArrayLike,
    test_per_day: ArrayLike,
    use_max_c: ArrayLike,
    test_max_c: ArrayLike,
    exponents: tuple[float, float, float] = NORRIS_LANDZBERG,
) -> tuple[Term, Term, Term]:
    """AF = (dTt/dTu)^n (fu/ft)^m exp(E/k (1/Tu - 1/Tt)) in cycles, by ranges, frequencies and highest temperatures.

    Norris and Landzberg 1969, with `NORRIS_LANDZBERG` for n, m and E.
    """
    n, m, energy = exponents
    return (
        coffin_manson(use_range, test_range, n),
        inverse_power(test_per_day, use_per_day, m),
        arrhenius(use_max_c, test_max_c, energy),
    )


def peck(
    use_rh: ArrayLike,
    test_rh: ArrayLike,
    use_c: ArrayLike,
    test_c: ArrayLike,
    exponents: tuple[float, float] = PECK,
    se: tuple[float, float] = (0.0, 0.0),
) -> tuple[Term, Term]:
    """AF = (RHt/RHu)^n exp(Ea/k (1/Tu - 1/Tt)), relative humidities in per cent, degrees Celsius (Peck 1986)."""
    return inverse_power(use_rh, test_rh, exponents[0], se[0]), arrhenius(use_c, test_c, exponents[1], se[1])


def factor(terms: Sequence[Term], level: float = 0.9) -> Intervals:
    """The acceleration factor of `terms` together, with its two-sided interval; without any it is 1.

    The exponents are taken as independent: var ln AF = sum of x^2 se^2, the interval is symmetric in ln AF, and `se` is
    that of AF itself, AF times that of its logarithm (Meeker and Escobar, Statistical Methods for Reliability Data,
    1998, chapter 18 and appendix B.2).
    """
    zero = np.zeros(())
    log = sum((each.exponent * each.x for each in terms), zero)
    spread = np.sqrt(sum((np.square(each.x * each.se) for each in terms), zero))
    z = norm.ppf((1 + level) / 2)
    with np.errstate(over="ignore"):
        value = np.exp(log)
        return Intervals(value, value * spread, np.exp(log - z * spread), np.exp(log + z * spread), level)


def exposure(units: ArrayLike, age: ArrayLike, af: ArrayLike) -> Floats:
    """Age in use that `units` tested to `age` stand for, together: evidence for an exponential life."""
    return np.asarray(units, np.float64) * np.asarray(age, np.float64) * np.asarray(af, np.float64)


def at_use(tests: pl.DataFrame, af: ArrayLike) -> pl.DataFrame:
    """Tests as life records in use: so many units tested to an age, of which so many failed.

    `tests` has units, age (at stress), failures, and any others, which are kept; `af` has one factor for each. A unit
    that failed did so at an unknown age in the test: an interval from 0. Gives those columns but for units and
    failures, and event, age, age_to, count, survivors first; ages are times the factor. A test without failures gives
    suspensions alone. Zero failures are a bound, no estimate: `analytics.life.exact`.
    """
    scaled = tests.with_columns(age=pl.col("age") * pl.Series(np.broadcast_to(np.asarray(af, np.float64), len(tests))))
    rest = [name for name in tests.columns if name not in {"units", "failures", "age"}]
    alive = scaled.select(
        *rest,
        event=pl.lit("suspension"),
        age="age",
        age_to=pl.lit(None, pl.Float64),
        count=pl.col("units") - pl.col("failures"),
    )
    failed = scaled.select(*rest, event=pl.lit("interval"), age=pl.lit(0.0), age_to="age", count="failures")
    return pl.concat([alive, failed]).filter(pl.col("count") > 0)


def _inverse(celsius: ArrayLike) -> Floats:
    kelvin = np.asarray(celsius, np.float64) - ABSOLUTE_ZERO
    return np.asarray(1 / np.where(kelvin > 0, kelvin, np.nan))


def _log(stress: ArrayLike) -> Floats:
    values = np.asarray(stress, np.float64)
    return np.asarray(np.log(np.where(values > 0, values, np.nan)))
