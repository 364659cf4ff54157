"""AICc and BIC against published tables, the choice, and the goodness of fit."""

import numpy as np
import pytest
from scipy.stats import anderson, gumbel_l, norm

from analytics.life.choice import aicc, anderson_darling, bic, choose, goodness, plot_r_squared
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit
from analytics.life.ranks import regress
from analytics.life.rows import LifeRows, ready
from tests.analytics.life.records import FITS, expected, published, weibull_samples

WEIBULL, NORMAL, GUMBEL = (DISTRIBUTIONS[name] for name in ("weibull", "normal", "gumbel"))
FIFTY = "all-distributions-50-aicc"
NAMES = {"gumbel (minimum)": "gumbel"}


def test_criteria_of_fifty_ages_under_every_distribution() -> None:
    """The documentation of the `reliability` package, a table of results."""
    data, checked = published(FIFTY), 0
    for said in FITS[FIFTY]["expected"]:
        name = NAMES.get(said["distribution"], said["distribution"])
        if said["quantity"] in {"AICc", "BIC"} and name in DISTRIBUTIONS:
            fits = fit(DISTRIBUTIONS[name], data)
            found = {"AICc": aicc, "BIC": bic}[said["quantity"]](fits)[0]
            assert found == pytest.approx(said["value"], abs=1.1e-3), said
            checked += 1
    assert checked == 14


def test_criteria_of_thirty_ages() -> None:
    fits = fit(WEIBULL, published("weibull-complete-30-aicc"))
    assert aicc(fits)[0] == pytest.approx(expected("weibull-complete-30-aicc", quantity="AICc")["value"], abs=5e-3)
    assert bic(fits)[0] == pytest.approx(expected("weibull-complete-30-aicc", quantity="BIC")["value"], abs=5e-4)


def test_censored_units_count() -> None:
    """NIST's twenty units: AIC 154.27; and few units leave no AICc."""
    found = fit(WEIBULL, published("weibull-nist-type1"))
    assert aicc(found)[0] == pytest.approx(154.27 + 12 / 17, abs=5e-3)
    assert np.isnan(aicc(fit(WEIBULL, ready([1.0, 2, 4], 1)))[0])


def test_the_best_of_fifty_ages_is_the_weibull_and_of_four_the_simplest() -> None:
    data = published(FIFTY)
    few = ready([3.0, 8, 21, 40], 1)
    both = ready(np.r_[data.age, few.age], 1, group=np.r_[data.group, few.group + 1], groups=3)
    found = choose(both, [name for name, of in DISTRIBUTIONS.items() if len(of.parameters) <= 2])
    names = [each.distribution.name for each in found.fits]
    assert [names[at] for at in found.best[:2]] == ["weibull", "exponential"]
    assert found.best[2] == -1
    assert found.scores[found.best[0], 0] == np.nanmin(found.scores[:, 0])


def test_three_parameters_want_thirty_failures() -> None:
    found = choose(ready(np.r_[np.arange(1.0, 30), np.arange(1.0, 32)], 1, group=np.repeat([0, 1], [29, 31])))
    for each, scores in zip(found.fits, found.scores, strict=True):
        if len(each.distribution.parameters) == 3:
            assert np.isnan(scores[0])
    assert {len(each.distribution.parameters) for each in found.fits} == {1, 2, 3}


@pytest.mark.filterwarnings("ignore:As of SciPy")
def test_statistic_of_complete_samples_is_the_classical_one() -> None:
    """SciPy's, whose normal has the sample's standard deviation, and whose Gumbel the maximum of the likelihood."""
    ages = np.random.default_rng(1).normal(100, 10, 25)
    data = ready(ages, 1)
    p = np.array([[ages.mean()], [ages.std(ddof=1)]])
    assert anderson_darling(NORMAL, data, p)[0] == pytest.approx(anderson(ages, "norm").statistic)
    fits = fit(GUMBEL, data)
    assert anderson_darling(GUMBEL, data, fits.parameters)[0] == pytest.approx(
        anderson(ages, "gumbel_l").statistic, rel=1e-5
    )


def test_statistic_of_a_censored_sample_by_quadrature() -> None:
    """The integral of n (S - F)^2 / (F (1 - F)) dF with the product-limit S, up to the oldest age."""
    age, event = [1.0, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 0]
    mu, sigma = 3.5, 2.0
    share = {1: 1 / 6, 2: 2 / 6, 4: 1 - 4 / 6 * 2 / 3, 5: 1 - 4 / 6 * 1 / 3}
    x = np.linspace(-20, 6, 2_000_001)
    middle = (x[1:] + x[:-1]) / 2
    s = np.zeros(len(middle))
    for start, value in share.items():
        s[middle >= start] = value
    f = norm.cdf(middle, mu, sigma)
    want = 6 * np.sum((s - f) ** 2 / (f * (1 - f)) * np.diff(norm.cdf(x, mu, sigma)))
    found = anderson_darling(NORMAL, ready(age, event), np.array([[mu], [sigma]]))
    assert found[0] == pytest.approx(want, rel=1e-5)


def test_counts_order_and_unit_change_no_statistic() -> None:
    p = np.array([[50.0], [1.5]])
    once = anderson_darling(WEIBULL, ready([70.0, 10, 30], [0, 1, 1], count=[4, 2, 1]), p)
    spelt = ready([10.0, 10, 30, 70, 70, 70, 70], [1, 1, 1, 0, 0, 0, 0])
    hours = LifeRows(spelt.age * 60, spelt.event, spelt.entry, spelt.age_to, spelt.count, spelt.group, 1)
    assert once[0] == pytest.approx(anderson_darling(WEIBULL, spelt, p)[0])
    assert once[0] == pytest.approx(anderson_darling(WEIBULL, hours, p * [[60], [1]])[0])


def test_probability_plots_have_the_r_squared_of_rank_regression() -> None:
    data = weibull_samples(5, 15, 8, seed=1)
    for name in ("weibull", "lognormal", "normal", "gumbel", "loglogistic"):
        of, line = DISTRIBUTIONS[name], regress(name, data)
        np.testing.assert_allclose(plot_r_squared(of, data, line.parameters), line.r_squared, rtol=1e-9)


def test_p_values_of_true_fits_are_spread_evenly() -> None:
    rng = np.random.default_rng(3)
    life, end = 100 * rng.weibull(1.5, (200, 20)), rng.uniform(40, 250, (200, 20))
    data = ready(np.minimum(life, end).ravel(), (life <= end).ravel(), group=np.repeat(np.arange(200), 20))
    p = goodness(WEIBULL, data, fit(WEIBULL, data).parameters, 39).p_value
    assert 0.45 < p.mean() < 0.55
    assert 0.04 < (p <= 0.1).mean() < 0.17


def test_a_p_value_is_the_same_whatever_else_is_in_the_batch() -> None:
    rng = np.random.default_rng(4)
    group = rng.permutation(np.repeat([0, 1, 2], [12, 30, 7]))
    data = ready(rng.weibull(1.5, 49), rng.uniform(size=49) < 0.8, group=group)
    p = goodness(WEIBULL, data, fit(WEIBULL, data).parameters, 39).p_value
    for at in range(3):
        mine = group == at
        alone = ready(data.age[mine], data.event[mine])
        assert goodness(WEIBULL, alone, fit(WEIBULL, alone).parameters, 39).p_value[0] == p[at]


def test_two_populations_in_one_sample_fit_badly() -> None:
    ages = np.r_[gumbel_l.rvs(10, 1, 40, random_state=1), gumbel_l.rvs(1000, 50, 40, random_state=2)]
    data = ready(np.r_[ages, ages], 1, group=np.repeat([0, 1], 80))
    found = goodness(WEIBULL, data.take(data.group == 0), fit(WEIBULL, data).parameters)
    assert found.p_value[0] == pytest.approx(1 / 200)
    assert np.isnan(found.p_value[1])


def test_intervals_and_late_entries_have_no_statistic() -> None:
    data = ready(
        [1.0, 2, 5, 1, 2, 5], [2, 1, 1, 1, 1, 1], [0, 0, 0, 0, 1, 0], [2, np.nan, np.nan] * 2, group=[0, 0, 0, 1, 1, 1]
    )
    fits = fit(WEIBULL, data)
    assert fits.fitted.all()
    assert np.isnan(anderson_darling(WEIBULL, data, fits.parameters)).all()
    assert np.isnan(goodness(WEIBULL, data, fits.parameters, 5).p_value).all()
    assert np.isnan(plot_r_squared(WEIBULL, data, fits.parameters)).all()
