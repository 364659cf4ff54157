"""Figures that follow from a fit and their Wald intervals: published ones, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.life import quantities
from analytics.life.distribution import Intervals
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit
from analytics.life.quantities import wald
from analytics.life.rows import LifeRows, ready
from tests.analytics.life.records import FITS, expected, published, rows_of, weibull_samples

WEIBULL, LOGNORMAL, NORMAL = (DISTRIBUTIONS[name] for name in ("weibull", "lognormal", "normal"))
NAN = float("nan")


def ends(found: Intervals, g: int = 0) -> list[float]:
    return [float(found.low[g]), float(found.high[g])]


def test_weibull_parameters_of_thirty_complete_ages() -> None:
    """The documentation of the `reliability` package, complete ages."""
    fits = fit(WEIBULL, published("weibull-complete-30-aicc"))
    for name, digits in (("eta", 5e-5), ("beta", 5e-6)):
        said = expected("weibull-complete-30-aicc", quantity=name)
        found = wald(fits, quantities.parameter(WEIBULL, name), 0.95)
        assert found.se[0] == pytest.approx(said["se"], rel=2e-5)
        assert ends(found) == pytest.approx([said["low"], said["high"]], abs=2 * digits)


def test_insulating_fluid_in_one_go() -> None:
    """SAS PROC RELIABILITY on Nelson's insulating fluid, four voltages as four groups; z = 1.96 as printed."""
    example = FITS["weibull-insulating-fluid-groups"]
    names = list(example["data"]["groups"])
    fits = fit(WEIBULL, rows_of(*example["data"]["groups"].values()))
    level = 0.95000420970
    for said in example["expected"]:
        if said.get("interval") is None:
            continue
        found, g = wald(fits, quantities.parameter(WEIBULL, said["quantity"]), level), names.index(said["group"])
        printed = [said["se"], said["low"], said["high"]]
        assert [found.se[g], *ends(found, g)] == pytest.approx(printed, rel=5e-5)


@pytest.mark.parametrize("name", ["weibull-altair-complete", "weibull-ovarian"])
def test_published_intervals_of_weibull_parameters(name: str) -> None:
    fits = fit(WEIBULL, published(name))
    for which in ("eta", "beta"):
        said = expected(name, quantity=which)
        digits = 0.6 * 10.0 ** -int(said["digits"].split()[0])
        found = wald(fits, quantities.parameter(WEIBULL, which), 0.95)
        assert ends(found) == pytest.approx([said["low"], said["high"]], abs=digits)


def test_locomotive_controls_of_nelson() -> None:
    """Nelson 1982, p. 324, base-10 logarithms: mu on its own scale, sigma on the log scale (upper end 0.3969)."""
    fits = fit(LOGNORMAL, published("lognormal-locomotive-controls"))
    mu, sigma = (wald(fits, quantities.parameter(LOGNORMAL, name), 0.95) for name in ("mu", "sigma"))
    assert np.array(ends(mu)) / np.log(10) == pytest.approx([2.1336, 2.3109], abs=6e-5)
    assert np.array(ends(sigma)) / np.log(10) == pytest.approx([0.2365, 0.3969], abs=6e-5)


def test_share_failed_early_of_the_shock_absorbers() -> None:
    """Meeker and Escobar's z-procedure is the log-log scale of R where lives are Weibull."""
    fits = fit(WEIBULL, published("weibull-shock-absorber-mle"))
    for age, said in (
        (6700, (0.0112, 0.00186, 0.0655)),
        (7120, (0.0135, 0.00245, 0.0729)),
        (8590, (0.0244, 0.00568, 0.101)),
    ):
        found = wald(fits, quantities.reliability(WEIBULL, age), 0.95)
        shares = [1 - float(found.value[0]), 1 - float(found.high[0]), 1 - float(found.low[0])]
        assert shares == pytest.approx(said, rel=6e-3)


def test_mean_of_berksons_alpha_particles() -> None:
    """Meeker and Escobar 1998, example 7.1: 572.3, standard error 41.72, 496 to 660."""
    of = DISTRIBUTIONS["exponential"]
    found = wald(fit(of, published("exponential-berkson-interval-lr")), quantities.mean(of), 0.95)
    assert (found.value[0], found.se[0]) == (pytest.approx(572.3, abs=0.05), pytest.approx(41.72, abs=5e-3))
    assert ends(found) == pytest.approx([496, 660], abs=0.5)


def test_every_figure_against_its_formula() -> None:
    fits = fit(WEIBULL, published("weibull-nist-type1"))
    eta, beta = fits.parameters[:, 0]
    ages = {
        quantities.b_life(WEIBULL, 0.1): eta * (-np.log(0.9)) ** (1 / beta),
        quantities.median(WEIBULL): eta * np.log(2) ** (1 / beta),
        quantities.reliability(WEIBULL, 300): np.exp(-((300 / eta) ** beta)),
        quantities.conditional(WEIBULL, 200, 100): np.exp((200 / eta) ** beta - (300 / eta) ** beta),
        quantities.hazard_rate(WEIBULL, 300): beta / eta * (300 / eta) ** (beta - 1),
    }
    for quantity, value in ages.items():
        found = wald(fits, quantity)
        assert found.value[0] == pytest.approx(value, rel=1e-12)
        assert 0 < found.low[0] < value < found.high[0]
        assert quantities.value_of(fits, quantity)[0] == found.value[0]


def test_the_delta_method_of_a_b_life_by_hand() -> None:
    """With w = ln(-ln 0.9): var ln B10 = var ln eta + (w / beta)^2 var ln beta - 2 (w / beta) cov."""
    fits = fit(WEIBULL, published("weibull-shock-absorber-mle"))
    (aa, ab), (_, bb) = fits.covariance[:, :, 0]
    slope = -np.log(-np.log(0.9)) / fits.parameters[1, 0]
    found = wald(fits, quantities.b_life(WEIBULL))
    assert found.se[0] / found.value[0] == pytest.approx(np.sqrt(aa + slope**2 * bb + 2 * slope * ab), rel=1e-7)
    assert found.high[0] * found.low[0] == pytest.approx(found.value[0] ** 2)


def test_ages_of_any_sign_have_intervals_on_their_own_scale() -> None:
    data = ready([90.0, 100, 104, 98, 111, 120, 87], 1)
    found = wald(fit(NORMAL, data), quantities.mean(NORMAL))
    assert found.high[0] + found.low[0] == pytest.approx(2 * found.value[0])
    assert quantities.b_life(NORMAL).scale == "identity"


def test_an_age_for_each_group_and_groups_without_a_fit() -> None:
    data = weibull_samples(3, 20, 8, seed=1)
    data = LifeRows(data.age, data.event, data.entry, data.age_to, data.count, data.group, 4)
    found = wald(fit(WEIBULL, data), quantities.reliability(WEIBULL, [10.0, 20, 30, 40]))
    alone = wald(fit(WEIBULL, data), quantities.reliability(WEIBULL, 20))
    assert found.low[1] == alone.low[1]
    assert np.isnan([found.value[3], found.se[3], found.low[3], found.high[3]]).all()


def test_a_wider_level_is_a_wider_interval_inside_its_limits() -> None:
    fits = fit(WEIBULL, weibull_samples(20, 10, 4, seed=2))
    narrow, wide = (wald(fits, quantities.reliability(WEIBULL, 50), level) for level in (0.5, 0.99))
    assert ((wide.low > 0) & (wide.low < narrow.low) & (narrow.high < wide.high) & (wide.high < 1)).all()


@settings(max_examples=15, deadline=None)
@given(st.floats(-6, 6))
def test_another_unit_of_age_changes_nothing_else(power: float) -> None:
    data, factor = weibull_samples(4, 12, 6, seed=3), 10.0**power
    other = LifeRows(
        data.age * factor, data.event, data.entry, data.age_to, data.count, data.group, data.groups
    )  # fmt: skip
    here, there = (wald(fit(WEIBULL, each), quantities.mean(WEIBULL)) for each in (data, other))
    for name in ("value", "se", "low", "high"):
        np.testing.assert_allclose(getattr(there, name), factor * getattr(here, name), rtol=1e-6)


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(ValueError, match="weibull has no parameter mu: it has eta, beta"):
        quantities.parameter(WEIBULL, "mu")
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantities.b_life(WEIBULL, 10)
