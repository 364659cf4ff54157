"""Regressions against printed coefficients, errors and likelihoods."""

import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from analytics.life.accelerated import Accelerated, fit_accelerated
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit
from analytics.life.regression import Regression, Ties, accelerated, proportional
from analytics.life.rows import Event, ready
from chaingraph import ChaingraphError
from tests.analytics.published import examples

OTHERS = examples("others")


def printed(name: str, quantity: str) -> dict[str, Any]:
    """What an example prints."""
    found: dict[str, Any] = next(e for e in OTHERS[name]["expected"] if e["quantity"].startswith(quantity))
    return found


def fitted(name: str, columns: list[str], model: str, by: str | None = None, keep: Any = None) -> Accelerated:
    """An accelerated-failure-time model of an example."""
    data = OTHERS[name]["data"]
    use = np.ones(len(data["age"]), bool) if keep is None else keep
    rows = ready(
        np.array(data["age"], float)[use], [Event[e.upper()] for e, k in zip(data["event"], use, strict=True) if k]
    )
    x = np.column_stack([np.array(data[c], float)[use] for c in columns]) if columns else np.zeros((use.sum(), 0))
    return fit_accelerated(rows, x, model, np.unique(data[by], return_inverse=True)[1] if by else None)


def ratio(one: Accelerated, null: Accelerated) -> float:
    """Twice the difference of two log likelihoods."""
    return 2 * (one.log_likelihood - null.log_likelihood)


def test_glass_capacitors() -> None:
    name = "aft-meeker-capacitor"
    found, null = fitted(name, ["temperature", "voltage"], "weibull"), fitted(name, [], "weibull")
    np.testing.assert_allclose(found.coefficients, [13.40701688, -0.02890466, -0.00591082], atol=5e-8)
    assert np.exp(found.log_scale[0]) == pytest.approx(0.3638092, abs=5e-8)
    assert (found.log_likelihood, null.log_likelihood) == pytest.approx((-244.2, -254.5), abs=0.05)
    assert ratio(found, null) == pytest.approx(20.57, abs=5e-3)


def test_ovarian_exponential() -> None:
    name = "aft-ovarian-exponential"
    found, null = fitted(name, ["ecog_ps", "rx"], "exponential"), fitted(name, [], "exponential")
    np.testing.assert_allclose(found.coefficients, [6.9618376, -0.4331347, 0.5815027], atol=5.1e-8)
    assert (found.log_likelihood, null.log_likelihood) == pytest.approx((-97.2, -98), abs=0.051)
    assert ratio(found, null) == pytest.approx(1.67, abs=5e-3)


def test_lung_with_one_scale_and_a_scale_for_each_sex() -> None:
    name = "aft-lung-weibull-strata"
    wanted = printed(name, "common shape")
    found, null = fitted(name, ["ph_ecog", "sex"], "weibull"), fitted(name, [], "weibull")
    np.testing.assert_allclose(found.coefficients, [wanted["value"], wanted["ph_ecog"], wanted["sex"]], atol=5.1e-8)
    assert np.exp(found.log_scale[0]) == pytest.approx(wanted["scale"], abs=5.1e-8)
    assert found.log_likelihood == pytest.approx(wanted["loglik"], abs=0.051)
    assert ratio(found, null) == pytest.approx(wanted["chisq"], abs=5.1e-3)
    wanted = printed(name, "scale per sex")
    found, null = (fitted(name, columns, "weibull", "sex") for columns in (["ph_ecog", "age_years"], []))
    np.testing.assert_allclose(found.coefficients, [wanted["value"], wanted["ph_ecog"], wanted["age"]], atol=5.1e-9)
    np.testing.assert_allclose(np.exp(found.log_scale), [wanted["scale_sex1"], wanted["scale_sex2"]], atol=5.1e-8)
    assert found.log_likelihood == pytest.approx(wanted["loglik"], abs=0.051)
    assert ratio(found, null) == pytest.approx(wanted["chisq"], abs=0.051)


def test_motorettes_at_use_temperature() -> None:
    name = "aft-motorettes-lognormal-arrhenius"
    data = OTHERS[name]["data"]
    celsius = np.array(data["temperature_C"], float)
    hot = celsius > 150
    rows = ready(
        np.array(data["age"], float)[hot], [Event[e.upper()] for e, h in zip(data["event"], hot, strict=True) if h]
    )
    found = fit_accelerated(rows, 1000 / (273.2 + celsius[hot])[:, None], "lognormal")
    np.testing.assert_allclose(found.coefficients, [-10.471, 8.322], atol=5.1e-4)
    np.testing.assert_allclose(found.se, [2.772, 1.284, 0.183], atol=5.1e-4)
    assert found.log_scale[0] == pytest.approx(-0.504, abs=5.1e-4)
    assert found.log_likelihood == pytest.approx(-145.9, abs=0.051)
    level = 2 * norm.cdf(1.64) - 1  # printed with z = 1.64
    for share in (0.1, 0.5, 0.9):
        wanted = printed(name, f"t_0.{int(share * 10)}0 at 130")
        ours = found.quantile(share, np.array([[1000 / (273.2 + 130)]]), level)
        assert ours.value[0] == pytest.approx(wanted["value"], rel=2e-6)
        assert ours.se[0] == pytest.approx(wanted["se"], rel=2e-5)
        assert (ours.low[0], ours.high[0]) == pytest.approx((wanted["low"], wanted["high"]), rel=1e-5)


def frame(name: str, age: str, event: str, columns: list[str]) -> pl.DataFrame:
    """An example as life records with covariates."""
    data = OTHERS[name]["data"]
    said = [("failure" if e else "suspension") if isinstance(e, int | float) else e for e in data[event]]
    return pl.DataFrame({"age": np.array(data[age], float), "event": said, **{f"x_{c}": data[c] for c in columns}})


def terms(of: Regression) -> dict[str, Any]:
    """The coefficients by name."""
    return {each.name.removeprefix("x_"): each for each in of.terms}


@pytest.mark.parametrize(
    ("name", "age", "event", "columns", "ties"),
    [
        ("cox-klein-kidney-transplant", "time", "death", ["black_male", "white_male", "black_female"], "breslow"),
        ("cox-klein-larynx", "time", "death", ["age", "Stage_II", "Stage_III", "Stage_IV"], "breslow"),
        ("cox-rossi-recidivism", "week", "arrest", ["fin", "age", "race", "wexp", "mar", "paro", "prio"], "efron"),
        ("cox-lung-age-sex", "age", "event", ["age_years", "sex"], "efron"),
        ("compare-aml-miller", "age", "event", ["group"], "breslow"),
    ],
)
def test_proportional_hazards_are_the_published_ones(
    name: str, age: str, event: str, columns: list[str], ties: Ties
) -> None:
    found = proportional(frame(name, age, event, columns), [f"x_{c}" for c in columns], 0.95, ties)
    by_name = {
        key.replace("age_years", "age").replace("Stage_", "stage "): value for key, value in terms(found).items()
    }
    likelihood = 2 * ((found.log_likelihood or 0) - (found.log_likelihood_null or 0))
    checked = 0
    for each in OTHERS[name]["expected"]:
        what, _, of = each["quantity"].partition(" ")
        half = 0.51 * 10.0 ** -int(each["digits"])
        term = by_name.get(of.replace("black male", "black_male").replace("white male", "white_male").replace(
            "black female", "black_female"))  # fmt: skip
        if each["quantity"].lower() in {"likelihood ratio", "likelihood ratio test", "cox likelihood ratio"}:
            assert likelihood == pytest.approx(each["value"], abs=half)
        elif each["quantity"].startswith("Cox coefficient"):
            only = found.terms[0]
            assert (abs(only.coefficient or 0), only.se) == pytest.approx((each["value"], each["se"]), abs=5.1e-5)
        elif term is not None and what in {"beta", "coef", "se", "z", "p"}:
            ours = {
                "beta": term.coefficient, "coef": term.coefficient, "se": term.se, "p": term.p,
                "z": term.coefficient / term.se,
            }  # fmt: skip
            assert ours[what] == pytest.approx(each["value"], abs=half), each["quantity"]
            if "low" in each:
                ends = term.payload()["factor"]
                assert (ends["low"], ends["high"]) == pytest.approx((each["low"], each["high"]), abs=6e-5)
        else:
            continue
        checked += 1
    assert checked >= min(2, len(columns))


def test_ovarian_in_strata_and_therneaus_six_units() -> None:
    rows = frame("cox-ovarian-stratified", "age", "event", ["age_years", "rx"])
    found = proportional(rows, ["x_age_years"], stratum="x_rx")
    wanted = printed("cox-ovarian-stratified", "coef age")
    assert (found.terms[0].coefficient, found.terms[0].se) == pytest.approx((wanted["value"], wanted["se"]), abs=5.1e-6)
    assert 2 * ((found.log_likelihood or 0) - (found.log_likelihood_null or 0)) == pytest.approx(12.69, abs=5.1e-3)
    six = frame("cox-therneau-hand-example", "time", "event", ["x"])
    assert proportional(six, ["x_x"], ties="breslow").terms[0].coefficient == pytest.approx(1.475285, abs=5.1e-7)
    assert proportional(six, ["x_x"], ties="efron").terms[0].coefficient == pytest.approx(1.676857, abs=5.1e-7)


@pytest.mark.parametrize("model", ["weibull", "lognormal", "loglogistic", "exponential"])
def test_without_covariates_every_kind_of_record_has_the_distribution_s_own_fit(model: str) -> None:
    rng = np.random.default_rng(3)
    life = rng.weibull(2, 300) * 100
    entry = np.where(rng.random(300) < 0.3, life * 0.2, 0.0)
    event = rng.choice([0, 1, 2], 300)
    low = np.where(event == 2, np.maximum(life - 10, entry), life)
    rows = ready(low, event, entry, np.where(event == 2, life + 5, np.nan), rng.integers(1, 4, 300))
    found = fit_accelerated(rows, np.zeros((len(rows.age), 0)), model)
    assert found.log_likelihood == pytest.approx(fit(DISTRIBUTIONS[model], rows).log_likelihood[0], abs=1e-7)


def test_text_columns_become_levels_against_the_commonest_and_what_cannot_be_told_is_said() -> None:
    rng = np.random.default_rng(4)
    maker = rng.choice(["S1", "S2", "S3"], 400, p=[0.5, 0.3, 0.2])
    life = rng.weibull(2, 400) * np.where(maker == "S2", 50, 100)
    rows = pl.DataFrame({"age": life, "maker": maker, "load": rng.random(400).astype(str), "site": "A"})
    rows = rows.with_columns(twice=pl.col("load").cast(float) * 2, maker=pl.when(pl.int_range(400) > 3).then("maker"))
    found = accelerated(rows, ["maker", "load", "site", "twice"])
    assert [each.name for each in found.terms] == ["(intercept)", "maker=S2", "maker=S3", "load", "(log scale)"]
    assert [each.code for each in found.warnings] == ["incomplete", "aliased"]
    assert [(each.name, each.baseline, each.df) for each in found.tests] == [("maker", "S1", 2), ("load", None, 1)]
    factor = found.terms[1].payload()["factor"]
    assert factor["low"] < 0.5 < factor["high"]
    assert found.payload("en")["likelihood_ratio"]["p"] < 1e-6
    regions = rows.with_columns(
        region=pl.when(pl.int_range(400) % 3 == 0).then(pl.lit("440000")).otherwise(pl.lit("310000"))
    )
    assert [each.name for each in accelerated(regions, ["region"]).terms][1] == "region=440000"
    headings, table = found.rows("zh")
    assert all(len(row) == len(headings) for row in table)


def test_what_supports_no_regression_says_so() -> None:
    alive = pl.DataFrame({"age": [1.0, 2.0], "event": ["suspension"] * 2, "x": [0.0, 1.0]})
    assert [each.code for each in accelerated(alive, ["x"]).warnings] == ["no_failures"]
    parted = pl.DataFrame(
        {"age": [1.0, 2, 3, 4, 5, 6], "event": ["failure"] * 3 + ["suspension"] * 3, "x": [1] * 3 + [0] * 3}
    )
    for found in (accelerated(parted, ["x"]), proportional(parted, ["x"])):
        assert not found.terms
        assert "no_maximum" in [each.code for each in found.warnings]
    assert [each.code for each in proportional(parted, []).warnings] == ["no_covariates"]


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "surpyval", None)
    with pytest.raises(ChaingraphError, match="optional package"):
        proportional(pl.DataFrame({"age": [1.0], "x": [1.0]}), ["x"])
