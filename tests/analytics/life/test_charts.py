"""Probability plots and hazards: points where others print them, lines where the fit is, laws."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson

from analytics.life import charts
from analytics.life.charts import Drawn, hazard_plot, life_table, positions, probability_plot
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit
from analytics.life.plots import Layer, Picture
from analytics.life.rows import Event, Floats, LifeRows, ready
from schema import Text
from tests.analytics.published import examples

FITS = examples("fits")
NAME, TITLE = Text("轴承", "Bearing"), Text("图", "Picture")


def lives(of: dict[str, list[object]]) -> LifeRows:
    return ready(np.array(of["age"], float), [Event[str(each).upper()] for each in of["event"]])


def drawn(data: LifeRows, distribution: str = "weibull") -> Drawn:
    return Drawn(NAME, data, fit(DISTRIBUTIONS[distribution], data))


def layer(of: Picture, kind: str) -> Layer:
    (found,) = (each for each in of.layers if each.kind == kind)
    return found


def line_through(data: LifeRows, spacing: str = "weibull") -> tuple[float, float, float]:
    """Intercept, slope and r squared of ln age on the paper's scale."""
    ages, shares = positions(data)
    z = norm.ppf(shares) if spacing == "normal" else np.log(-np.log1p(-shares))
    slope, intercept = np.polyfit(z, np.log(ages), 1)
    return float(intercept), float(slope), float(np.corrcoef(z, np.log(ages))[0, 1] ** 2)


def test_points_are_where_the_companion_guide_has_them() -> None:
    """Its regressions on ranks, to the printed digits: with suspensions, without, and on lognormal paper."""
    example = FITS["weibull-airseal-rrx"]
    printed = {each["quantity"]: each["value"] for each in example["expected"]}
    for name, data in (("censored", "censored"), ("5 failures only", "complete")):
        location, scale, straight = line_through(lives(example["data"][data]))
        assert round(1 / scale, 3) == printed[f"beta ({name})"]
        assert round(float(np.exp(location)), 2) == printed[f"eta ({name})"]
        assert round(straight, 4) == pytest.approx(printed[f"r2 ({name})"], abs=5e-5)
    location, scale, straight = line_through(lives(example["data"]["censored"]), "normal")
    assert (round(location, 3), round(scale, 4), round(straight, 4)) == (
        printed["lognormal mu (censored)"], printed["lognormal sigma (censored)"], printed["lognormal r2"]
    )  # fmt: skip


def test_points_are_where_reliasoft_has_them() -> None:
    """Ten failures, the line of ranks on ages."""
    example = FITS["weibull-rry-ten-failures"]
    printed = {each["quantity"]: each["value"] for each in example["expected"]}
    ages, shares = positions(ready(np.array(example["data"]["age"], float), 1))
    beta, intercept = np.polyfit(np.log(ages), np.log(-np.log1p(-shares)), 1)
    assert round(float(beta), 4) == printed["beta"]
    assert round(float(np.exp(-intercept / beta)), 4) == printed["eta"]


def test_units_that_came_late_are_at_risk_from_then_on() -> None:
    """Worked by hand: at 10 of {10, 15, 30, 60} one fails; at 15 of {15, 20, 30, 60}; at 30 of {30, 60}."""
    data = ready([10.0, 15.0, 20.0, 30.0, 60.0], [1, 1, 0, 1, 0], [0.0, 5.0, 12.0, 0.0, 0.0])
    ages, shares = positions(data)
    survival = np.cumprod([1, 3 / 4, 3 / 4, 1 / 2])
    assert ages.tolist() == [10.0, 15.0, 30.0]
    assert shares == pytest.approx(1 - (survival[:-1] + survival[1:]) / 2, rel=1e-6)


def test_inspected_units_are_plotted_at_the_ends_of_their_intervals() -> None:
    """Worked by hand: 3 and 5 of 20 fail by 10 and 20, one is taken out alive at 20, 1 of 11 fails by 30."""
    data = ready([0.0, 10.0, 20.0, 20.0, 30.0], [2, 2, 0, 2, 0], age_to=[10.0, 20.0, np.nan, 30.0, np.nan],
                 count=[3.0, 5.0, 1.0, 1.0, 10.0])  # fmt: skip
    ages, shares = positions(data)
    assert ages.tolist() == [10, 20, 30]
    assert shares == pytest.approx([3 / 20, 8 / 20, 1 - 12 / 20 * 10 / 11], rel=1e-6)
    assert "Turnbull" in (probability_plot([drawn(data)], TITLE).note or NAME).zh


def test_the_picture_has_every_failure_every_suspension_and_the_fitted_line() -> None:
    data = lives(FITS["weibull-shock-absorber-mle"]["data"])
    of = drawn(data)
    picture = probability_plot([of], TITLE, unit="km")
    points, rug, line, band = (layer(picture, kind) for kind in ("points", "rug", "line", "band"))
    assert len(points.x) == 11
    assert sorted(rug.x) == sorted(set(data.age[data.event == Event.SUSPENSION].tolist()))
    eta, beta = of.fits.parameters[:, 0]
    assert line.y == pytest.approx(-np.expm1(-((np.array(line.x) / eta) ** beta)), rel=1e-9)
    assert np.all(np.array(band.low) < line.y)
    assert np.all(np.array(line.y) < band.high)
    on_paper = picture.y.place(line.y), picture.x.place(line.x)
    assert np.corrcoef(*on_paper)[0, 1] == pytest.approx(1, abs=1e-12)
    assert picture.subtitle is not None
    assert "η = 27,720 km (23,140 – 33,210)" in picture.subtitle.zh
    assert "11 failures, 27 suspensions" in picture.subtitle.en
    assert picture.x.low < min(points.x)
    assert picture.y.low <= min(points.y)
    assert picture.y.high >= max(points.y)


@pytest.mark.parametrize("name", sorted(charts.PAPER))
def test_on_its_paper_a_distribution_is_a_straight_line(name: str) -> None:
    rng = np.random.default_rng(5)
    picture = probability_plot([drawn(ready(100 * rng.weibull(2.0, 40) + 20, 1), name)], TITLE)
    line = layer(picture, "line")
    shares = np.array(line.y)
    inside = (shares > 1e-6) & (shares < 1 - 1e-6)
    x, y = picture.x.place(line.x)[inside], picture.y.place(line.y)[inside]
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(1, abs=1e-9)


def test_the_likelihood_ratio_band_is_not_the_wald_band_and_holds_the_line() -> None:
    of = drawn(lives(FITS["weibull-airseal-rrx"]["data"]["censored"]))
    one, other = (layer(probability_plot([of], TITLE, interval=how), "band") for how in ("wald", "lr"))
    assert one.low != pytest.approx(other.low, rel=1e-3)
    x = np.array(other.x)
    eta, beta = of.fits.parameters[:, 0]
    share = -np.expm1(-((x / eta) ** beta))
    assert np.all((np.array(other.low) < share) & (share < other.high))


def test_without_a_fit_there_are_points_and_suspensions_alone() -> None:
    for age, event in (([5.0, 9.0], [0, 0]), ([5.0, 9.0], [1, 0]), ([], [])):
        picture = probability_plot([drawn(ready(age, np.array(event, np.int8), groups=1))], TITLE)
        assert {each.kind for each in picture.layers} <= {"points", "rug"}
        assert sum(len(each.x) for each in picture.layers) == len(age)
        hazard_plot([drawn(ready(age, np.array(event, np.int8), groups=1))], TITLE)
    assert probability_plot([], TITLE).layers == ()


def test_several_groups_keep_their_names() -> None:
    rng = np.random.default_rng(6)
    names = [Text("甲", "A"), Text("乙", "B")]
    groups = [replace(drawn(ready(rng.weibull(2.0, 9), 1)), name=name) for name in names]
    for make in (probability_plot, hazard_plot):
        picture = make(groups, TITLE)
        assert list(dict.fromkeys(each.name for each in picture.layers)) == names
    assert hazard_plot(groups[:1], TITLE).layers[-1].name == Text("寿命表", "Life table")


def table(data: LifeRows) -> tuple[Floats, Floats, Floats, Floats]:
    edges, of = life_table(data)
    return edges, of.value, of.low, of.high


def test_a_life_table_counts_failures_over_the_ages_spent_in_each_bin() -> None:
    """Worked by hand: failures at 1, 2, 3, 5, 6, 7 and two suspensions at 4 and 8; bins [0, 4) and [4, 8)."""
    edges, rate, low, high = table(ready([1.0, 2, 3, 5, 6, 7, 4, 8], [1, 1, 1, 1, 1, 1, 0, 0]))
    assert edges.tolist() == [0, 4, 8]
    exposure = np.array([1 + 2 + 3 + 4 * 5, 1 + 2 + 3 + 0 + 4])
    assert rate == pytest.approx(3 / exposure)
    assert poisson.sf(2, low * exposure) == pytest.approx(0.05)
    assert poisson.cdf(3, high * exposure) == pytest.approx(0.05)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.sampled_from([0, 1]), st.integers(1, 3)), min_size=1, max_size=25),
    st.floats(0.01, 1000),
)
def test_a_life_table_scales_and_counts_are_rows(records: list[tuple[int, int, int]], scale: float) -> None:
    age, event, count = (np.array(column, float) for column in zip(*records, strict=True))
    data = ready(age, event.astype(np.int8), count=count)
    edges, rate, *_ = table(data)
    n = count.astype(int)
    for same, factor in (
        (ready(np.repeat(age, n), np.repeat(event, n).astype(np.int8)), 1.0),
        (ready(age * scale, event.astype(np.int8), count=count), scale),
    ):
        again, rates, *_ = table(same)
        assert again == pytest.approx(edges * factor)
        assert rates == pytest.approx(rate / factor)
    if len(edges):
        inside = [np.clip(age, low, high) - low for low, high in itertools.pairwise(edges)]
        assert sum(r * np.sum(count * x) for r, x in zip(rate, inside, strict=True)) == pytest.approx(
            np.sum(count * event)
        )


def test_the_hazard_is_told_per_thousand_where_it_is_small() -> None:
    rng = np.random.default_rng(7)
    data = ready(20_000 * rng.weibull(1.5, 60), 1)
    picture = hazard_plot([drawn(data)], TITLE, unit="h")
    assert picture.y.text.en == "Failures per 1,000 h"
    rate = layer(picture, "line")
    eta, beta = fit(DISTRIBUTIONS["weibull"], data).parameters[:, 0]
    assert rate.y == pytest.approx(1000 * beta / eta * (np.array(rate.x) / eta) ** (beta - 1), rel=1e-9)
    assert picture.y.low == 0
    assert len(layer(picture, "points").x) == len(layer(picture, "points").low) == charts.BINS
