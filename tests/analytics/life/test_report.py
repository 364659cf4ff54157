"""What a fit says to people: the names of the answer, every group an answer, and what is said against it."""

import json
from typing import Any

import numpy as np
import pytest

from analytics.core import Result
from analytics.life import quantities
from analytics.life.bounds import bound
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit
from analytics.life.likelihood import likelihood_ratio
from analytics.life.report import CODES, LifeFit, assess, rows
from analytics.life.rows import LifeRows, ready
from schema import Aspect
from server.api.answers import result_type
from tests.analytics.life.records import FITS, published, rows_of, weibull_samples

NAN = float("nan")


def one(data: LifeRows, **asked: Any) -> LifeFit:
    (found,) = assess(data, [{}], **asked)
    return found


def codes(of: LifeFit) -> list[str]:
    return [each.code for each in of.warnings]


def test_the_names_are_fixed() -> None:
    found = one(published("weibull-nist-type1")).payload("en")
    wanted = (
        "group",
        "n",
        "failures",
        "distribution",
        "parameters",
        "log_likelihood",
        "aicc",
        "mean",
        "b10",
        "warnings",
    )
    assert set(wanted) <= found.keys()
    assert (found["group"], found["n"], found["failures"], found["distribution"]) == ({}, 20, 10, "weibull")
    assert list(found["parameters"]) == ["eta", "beta"]
    for each in (*found["parameters"].values(), found["mean"], found["b10"]):
        assert list(each) == ["value", "se", "low", "high"]
        assert each["low"] < each["value"] < each["high"]
    assert found["parameters"]["eta"]["value"] == pytest.approx(606.528, abs=1e-3)
    assert found["log_likelihood"] == pytest.approx(-75.135, abs=5e-4)
    assert found["warnings"] == []
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("name", list(DISTRIBUTIONS))
def test_every_distribution_can_be_told(name: str) -> None:
    found = one(weibull_samples(1, 60, 45, seed=4), distribution=name).payload("zh")
    assert list(found["parameters"]) == [each.name for each in DISTRIBUTIONS[name].parameters]
    json.dumps(found, allow_nan=False)


def test_likelihood_ratio_where_it_is_asked_for() -> None:
    of, data = DISTRIBUTIONS["weibull"], published("weibull-bearing-cage-lr-b10")
    found = one(data, interval="lr", level=0.95)
    assert found.b10.low == pytest.approx(2094.28, abs=5e-3)
    assert found.b10.high == pytest.approx(22144, abs=0.5)
    beta = likelihood_ratio(fit(of, data), data, quantities.parameter(of, "beta"), 0.95)
    assert found.parameters[1].low == pytest.approx(beta.low[0])
    assert codes(found) == ["few_failures", "extrapolated"]
    assert "1.9" in found.warnings[1].text.en


BAD = ready(
    [100.0, 200, 300, 5, 50, 50, 50, 10, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    group=[0, 0, 0, 1, 2, 2, 2, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5],
    groups=6,
)
LABELS = [{"maker": f"M{g}", "lot": None} for g in range(6)]


@pytest.mark.parametrize("asked", [{}, {"method": "rr"}, {"interval": "lr"}])
def test_every_group_gets_an_answer_and_nothing_comes_of_nothing(asked: dict[str, Any]) -> None:
    found = assess(BAD, LABELS, **asked)
    assert [codes(each)[0] for each in found[:5]] == [
        "no_failure", "too_few_failures", "one_age", "few_failures", "no_rows"
    ]  # fmt: skip
    assert codes(found[5]) == []
    for each in (*found[:3], found[4]):
        said = each.payload("en")
        figures = [*said["parameters"].values(), *(said[name] for name in ("mean", "b1", "b10", "b50"))]
        assert all(value is None for figure in figures for value in figure.values())
        assert said["log_likelihood"] is said["aicc"] is None
    assert [each.bound is None for each in found] == [False, False, False, False, True, True]
    assert found[5].payload("zh")["group"] == {"maker": "M5", "lot": None}


def test_without_a_failure_there_are_bounds_and_the_standards_figure_beside() -> None:
    found = assess(BAD, LABELS)[0].payload("zh")["bound"]
    assert found["rate"] == {"value": None, "se": None, "low": None, "high": pytest.approx(-np.log(0.05) / 600)}
    assert found["mtbf"]["low"] == pytest.approx(600 / -np.log(0.05))
    assert found["convention"] == 1800
    assert (found["age"], found["units"]) == (200, 2)
    assert found["reliability"]["low"] == pytest.approx(0.05**0.5)
    assert [each["code"] for each in found["notes"]] == ["constant_rate", "success_run", "zero_failure_convention"]
    assert "GB/T 23567" in found["notes"][2]["text"]


def test_one_or_two_failures_have_the_exact_interval_of_a_constant_rate() -> None:
    by_time = bound(ready([100.0, 300, 300], [1, 0, 0]))[0]
    by_failure = bound(ready([100.0, 300, 300], [1, 0, 1]))[0]
    assert by_time is not None
    assert by_failure is not None
    assert (by_time.rate.value, by_failure.rate.value) == pytest.approx((1 / 700, 2 / 700))
    assert by_time.rate.high == pytest.approx(4.743865 / 700)
    assert by_failure.rate.high == pytest.approx(4.743865 / 700)
    assert (by_time.notes[0].code, by_failure.notes[0].code) == ("constant_rate", "constant_rate_failure")
    assert by_time.reliability is None
    assert by_time.convention is None


def test_bounds_count_late_entries_and_intervals() -> None:
    found = bound(ready([100.0, 40, 90], [0, 2, 0], [60, 0, 0], [NAN, 60, NAN]))[0]
    assert found is not None
    assert found.total_age == 40 + 50 + 90
    assert found.notes[-1].code == "middle_of_intervals"


def test_the_best_is_named_with_what_was_tried() -> None:
    example = FITS["all-distributions-50-aicc"]["data"]
    both = rows_of(example, {"age": [3, 8], "event": ["failure", "suspension"]})
    found = assess(both, [{"lot": "a"}, {"lot": "b"}], distribution="best")
    assert found[0].distribution == found[0].alternatives[0].distribution
    tried = {each.distribution: each.aicc for each in found[0].alternatives}
    assert {"weibull", "gamma", "normal", "exponential"} <= tried.keys()
    assert tried["weibull"] == pytest.approx(460.932, abs=1e-3)
    differences = [each.difference for each in found[0].alternatives]
    assert differences[0] == 0
    assert differences == sorted(differences, key=lambda each: each or 0)
    assert (found[1].distribution, found[1].parameters, found[1].mean.value) == (None, (), None)
    assert codes(found[1]) == ["too_few_failures"]
    assert found[1].bound is not None


def test_rank_regression_says_what_it_cannot() -> None:
    late = ready(
        [5.0, 9, 14, 3, 8, 20],
        [1, 1, 1, 2, 1, 1],
        [1, 0, 0, 0, 0, 0],
        [NAN, NAN, NAN, 6, NAN, NAN],
        group=[0, 0, 0, 1, 1, 1],
    )
    found = assess(late, [{}, {}], method="rr", interval="lr")
    assert codes(found[0]) == ["entries_without_rank"]
    assert {"intervals_at_middle", "wald_after_ranks"} <= set(codes(found[1]))
    assert (found[1].interval, found[1].method, found[1].aicc) == ("wald", "rr", None)
    air = one(rows_of(FITS["weibull-airseal-rrx"]["data"]["censored"]), method="rr")
    assert [each.value for each in air.parameters] == pytest.approx([94.93, 2.033], abs=5e-3)
    assert air.goodness.r_squared == pytest.approx(0.9531, abs=5e-5)
    best = one(published("weibull-shock-absorber-rrx"), method="rr", distribution="best")
    assert len(best.alternatives) == 5
    few = one(ready([54.0, 187, 216, 240, 500], [1, 1, 1, 1, 0]), method="rr")
    assert few.goodness.p_value is not None
    assert few.goodness.p_value > 0.1


def test_mixed_populations_steep_shapes_and_endless_means_are_remarked_on() -> None:
    rng = np.random.default_rng(1)
    mixed = one(ready(np.r_[rng.weibull(3, 40), 100 * rng.weibull(3, 40)], 1))
    assert "poor_fit" in codes(mixed)
    assert mixed.goodness.p_value is not None
    assert mixed.goodness.p_value < 0.05
    steep = one(ready(1000 + 50 * rng.random(20), 1))
    assert "shape_extreme" in codes(steep)
    below = one(ready([1.0, 2, 4, 9, 30, 80, 3, 5, 2, 6], 1), distribution="normal")
    assert "below_zero" in codes(below)
    endless = one(ready(np.exp(3 * rng.logistic(size=30)), 1), distribution="loglogistic")
    assert "mean_infinite" in codes(endless)
    assert endless.mean.value is endless.mean.high is None
    assert endless.b10.value is not None


def test_a_table_has_one_row_a_group() -> None:
    headings, table = rows(assess(BAD, LABELS), "en")
    assert headings[:5] == ["maker", "lot", "Units", "Failures", "Distribution"]
    assert [len(row) for row in table] == [len(headings)] * 6
    assert table[0][4] is None
    assert table[5][4] == "weibull"
    assert "bound" in table[0][-1]
    assert rows([], "zh")[1] == []


def test_the_answer_is_a_type_of_graphql() -> None:
    class Told(Result):
        """Fits."""

        fits: tuple[LifeFit, ...]
        """One a group."""

        def payload(self, locale: str) -> Any:
            return [each.payload(locale) for each in self.fits]

        def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
            return rows(self.fits, locale)

    assert result_type(Told, (Aspect.FAILURES,)) == "Told"


def test_many_groups_at_once_are_as_each_alone() -> None:
    data = weibull_samples(300, 12, 6, seed=6)
    found = assess(data, [{"g": g} for g in range(300)], interval="lr")
    mine = data.take(data.group == 17)
    alone = one(LifeRows(mine.age, mine.event, mine.entry, mine.age_to, mine.count, mine.group * 0, 1), interval="lr")
    for name in ("mean", "b10"):
        figures = [getattr(each, name) for each in (found[17], alone)]
        assert figures[0].value == pytest.approx(figures[1].value, rel=1e-9)
        assert figures[0].high == pytest.approx(figures[1].high, rel=1e-7)


def test_what_cannot_be_asked_is_refused() -> None:
    data = ready([1.0, 2], 1)
    with pytest.raises(ValueError, match="No distribution weibul for this method: choose from best, "):
        one(data, distribution="weibul")
    with pytest.raises(ValueError, match="No distribution gamma for this method"):
        one(data, distribution="gamma", method="rr")
    with pytest.raises(ValueError, match="level lies between 0 and 1; 90 does not"):
        one(data, level=90)
    with pytest.raises(ValueError, match="2 labels for 1 groups"):
        assess(data, [{}, {}])


def test_every_code_speaks_both_languages() -> None:
    for text in CODES.values():
        assert text.zh
        assert text.en
        assert text.zh != text.en
