"""Survival curves against printed tables, another program, and by counting units one by one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from analytics.life.rows import Event, LifeRows, ready
from analytics.life.survival import Curves, equal_precision, kaplan_meier, nelson_aalen, quantiles
from tests.analytics.published import examples

OTHERS = examples("others")


def rows(data: dict[str, Any], by: str | None = None) -> LifeRows:
    """The lives of an example, grouped by the sorted values of a column."""
    group = np.unique(data[by], return_inverse=True)[1] if by else 0
    return ready(data["age"], [Event[each.upper()] for each in data["event"]], group=group)


def printed(name: str, quantity: str) -> dict[str, Any]:
    """What an example prints."""
    found: dict[str, Any] = next(e for e in OTHERS[name]["expected"] if e["quantity"] == quantity)
    return found


def check_table(of: Curves, group: int, table: list[list[float | None]], digits: list[float]) -> None:
    """A group's steps are the rows of a table: t, number at risk, S, se, low, high."""
    mine = of.group == group
    columns = (of.age, of.at_risk, of.estimate, of.se, of.low, of.high)
    for ours, theirs, half in zip(columns, zip(*table, strict=True), digits, strict=True):
        wanted = [np.nan if v is None else v for v in theirs]
        np.testing.assert_allclose(ours[mine], wanted, atol=half, rtol=0)


SURVFIT = [0, 0, 5.01e-4, 5.01e-5, 5.01e-4, 5.01e-4]


def test_ovarian_curves_have_greenwoods_errors_and_r_s_default_band() -> None:
    data = OTHERS["km-ovarian-greenwood-log"]["data"]
    check_table(kaplan_meier(rows(data), 0.95, "log"), 0, printed("km-ovarian-greenwood-log", "all")["table"], SURVFIT)
    by = kaplan_meier(rows(data, "rx"), 0.95, "log")
    for g in (0, 1):
        check_table(by, g, printed("km-ovarian-greenwood-log", f"rx={g + 1}")["table"], SURVFIT)


def test_millers_leukaemia_curves_and_medians() -> None:
    found = kaplan_meier(rows(OTHERS["compare-aml-miller"]["data"], "group"), 0.95, "log")
    for g, arm in enumerate(("maintained", "nonmaintained")):
        digits = [0, 0, 5.01e-4 if g == 0 else 5.01e-5, 5.01e-5, 5.01e-5, 5.01e-4]
        check_table(found, g, printed("compare-aml-miller", f"KM {arm}")["table"], digits)
    medians = quantiles(found)
    np.testing.assert_array_equal(medians.value, [31, 23])
    np.testing.assert_array_equal(medians.low, [18, 8])
    assert np.isnan(medians.high).all()


def test_log_log_bands_of_the_glioma_data() -> None:
    found = kaplan_meier(rows(OTHERS["km-g3-loglog-bands"]["data"], "group"), 0.95)
    mine = found.group == 0
    for column, quantity, half in (
        (found.estimate, "control S at 9,19,32,34", 5.01e-4),
        (found.low, "control lower log-log", 5.01e-5),
        (found.high, "control upper log-log", 5.01e-4),
    ):
        wanted = printed("km-g3-loglog-bands", quantity)["values"]
        np.testing.assert_allclose(column[mine][: len(wanted)], wanted, atol=half)
    np.testing.assert_allclose(found.estimate[~mine], [0.909, 0.779], atol=5.01e-4)


def test_small_published_curves() -> None:
    bewick = OTHERS["km-bewick-2004"]
    found = kaplan_meier(rows(bewick["data"]))
    np.testing.assert_allclose(found.estimate, [e["value"] for e in bewick["expected"]], atol=5.01e-4)
    arms = OTHERS["km-freireich-6mp"]["data"]
    treated, placebo = (kaplan_meier(rows(arms[arm])) for arm in ("arm_6mp", "arm_placebo"))
    assert [round(treated.estimate[treated.age == t][0], 4) for t in (6, 7, 10, 22)] == [0.8571, 0.8067, 0.7529, 0.5378]
    at = placebo.age == 8
    assert (placebo.estimate[at][0], placebo.se[at][0]) == pytest.approx((8 / 21, 0.106), abs=5e-4)


def test_values_below_detection_are_a_curve_on_the_scale_turned_round() -> None:
    example = OTHERS["km-left-censored-dixon"]
    values = np.array(example["data"]["value"], float)
    event = [Event.FAILURE if e == "failure" else Event.SUSPENSION for e in example["data"]["event"]]
    found = kaplan_meier(ready(20 - values, event))
    below = found.estimate[::-1]  # P(value < v) at each value seen, ascending
    np.testing.assert_allclose(below, [0, 0.4375, 0.5833333, 0.875], atol=5e-8)


def test_a_band_for_all_ages_at_once_has_klein_and_moeschbergers_constants() -> None:
    """Klein and Moeschberger 2003, section 4.4: c(a_L = 0.1, a_U = 0.6) = 2.8826 at 95 %."""
    assert equal_precision(0.6 * 0.9 / (0.1 * 0.4), 0.95) == pytest.approx(2.8826, abs=5e-5)
    data = rows(OTHERS["km-ovarian-greenwood-log"]["data"])
    point, whole = kaplan_meier(data), kaplan_meier(data, simultaneous=True)
    assert (whole.low < point.low).all()
    assert (whole.high > point.high).all()


def test_simultaneous_bands_hold_whole_curves() -> None:
    rng = np.random.default_rng(5)
    runs, n = 1000, 80
    life, end = rng.exponential(1, (runs, n)), rng.uniform(0.3, 2.5, (runs, n))
    found = kaplan_meier(
        ready(np.minimum(life, end).ravel(), (life <= end).ravel(), group=np.repeat(np.arange(runs), n)),
        simultaneous=True,
    )
    middle = (found.at_risk >= 8) & (found.estimate < 0.95)
    out = middle & ~((found.low <= np.exp(-found.age)) & (np.exp(-found.age) <= found.high))
    missed = np.bincount(found.group[out], minlength=runs) > 0
    assert 0.03 < missed.mean() < 0.13


def test_scipy_has_the_same_curve() -> None:
    rng = np.random.default_rng(1)
    age, event = rng.integers(1, 40, 300).astype(float), rng.random(300) < 0.4
    found = kaplan_meier(ready(age, event.astype(int)), 0.95, "log-log")
    other: Any = ecdf(CensoredData(uncensored=age[event], right=age[~event])).sf
    np.testing.assert_allclose(found.estimate, other.evaluate(found.age), rtol=1e-12)
    band = other.confidence_interval(0.95, method="log-log")
    np.testing.assert_allclose(found.low, band.low.evaluate(found.age), rtol=1e-9)
    np.testing.assert_allclose(found.high, band.high.evaluate(found.age), rtol=1e-9)


def counted(age: list[int], failed: list[bool], entry: list[int], t: int) -> tuple[int, int]:
    """Units at risk and failures at t, one by one."""
    at_risk = sum(e < t <= a for a, e in zip(age, entry, strict=True))
    return at_risk, sum(a == t and f for a, f in zip(age, failed, strict=True))


UNITS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 11), st.booleans(), st.integers(1, 3), st.integers(0, 3)),
    min_size=1,
    max_size=30,
)


@given(UNITS)
def test_risk_sets_are_those_counted_one_by_one(units: list[tuple[int, int, bool, int, int]]) -> None:
    units = [u for u in units if u[1] < u[0]]
    age, entry, failed, count, group = (np.array(c) for c in zip(*units, strict=True)) if units else [np.zeros(0)] * 5
    found = nelson_aalen(ready(age, np.asarray(failed, int), entry, count=count, group=group, groups=4))
    for g, t, n, d in zip(found.group, found.age, found.at_risk, found.failures, strict=True):
        mine = [u for u in units if u[4] == g]
        spread = [u for u in mine for _ in range(u[3])]
        assert (n, d) == counted([u[0] for u in spread], [u[2] for u in spread], [u[1] for u in spread], t)
    assert found.failures.sum() == sum(u[3] for u in units if u[2])
    whole = np.bincount(found.curve, found.failures / found.at_risk, minlength=len(found.units))
    last = np.zeros(len(found.units))
    last[found.curve] = found.estimate
    np.testing.assert_allclose(last, whole, rtol=1e-12)


@given(UNITS, st.integers(1, 11))
def test_a_life_told_in_two_pieces_is_one_life(units: list[tuple[int, int, bool, int, int]], cut: int) -> None:
    units = [u for u in units if u[1] < u[0]]
    pieces = [
        piece
        for u in units
        for piece in ([(cut, u[1], False, *u[3:]), (u[0], cut, *u[2:])] if u[1] < cut < u[0] else [u])
    ]

    def curves(of: list[tuple[int, int, bool, int, int]]) -> Curves:
        a, e, f, n, g = ([float(u[i]) for u in of] for i in range(5))
        return kaplan_meier(ready(a, np.array(f, int), e, count=n, group=np.array(g, int), groups=4))

    one, two = curves(units), curves(pieces)
    for name in ("group", "origin", "age", "at_risk", "estimate", "low", "high"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-9)


def test_an_early_empty_risk_set_starts_a_new_curve_and_is_said() -> None:
    """One unit fails alone at 5; twenty enter at 6. The curve must not stay at 0 for them."""
    age, entry = [5.0, *range(10, 30)], [0.0] + [6.0] * 20
    found = kaplan_meier(ready(age, Event.FAILURE, entry))
    assert found.codes == (("interrupted",),)
    assert found.estimate[0] == 0
    np.testing.assert_allclose(found.estimate[1:], 1 - np.arange(1, 21) / 20, atol=1e-12)
    np.testing.assert_array_equal(found.origin, [0.0] + [6.0] * 20)
    assert (quantiles(found).value[0], quantiles(found).origin[0]) == (19, 6)


def test_late_entry_is_said_and_nothing_gives_nothing() -> None:
    found = kaplan_meier(ready([9, 10, 3], [1, 0, 0], entry=[2, 3, 0], group=[0, 0, 2], groups=4))
    assert found.codes == (("enters_late",), ("no_failure",), ("no_failure",), ("no_failure",))
    assert found.origin[0] == 2
    np.testing.assert_array_equal(quantiles(found).value, [9, np.nan, np.nan, np.nan])
    nothing = kaplan_meier(ready([], Event.FAILURE, groups=0), simultaneous=True)
    assert len(nothing.age) == 0
    assert quantiles(nothing).value.shape == (0,)


def test_ten_thousand_groups_have_each_its_own_answer() -> None:
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(10_000), 20)
    age, event = rng.weibull(2, len(group)) * 1e3, rng.random(len(group)) < 0.5
    found = kaplan_meier(ready(age, event.astype(int), group=group))
    mine = group == 7_777
    alone = kaplan_meier(ready(age[mine], event[mine].astype(int)))
    for name in ("age", "estimate", "low", "high"):
        np.testing.assert_array_equal(getattr(found, name)[found.group == 7_777], getattr(alone, name))
