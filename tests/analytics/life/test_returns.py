"""Returns by month as life records, delays of reporting, and development triangles: published numbers, truth, laws."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from analytics.life import weibull
from analytics.life.frames import grouped
from analytics.life.returns import Returned, chain_ladder, delays, life_records
from tests.analytics.published import examples

Floats = NDArray[np.float64]
PUBLISHED = examples("others")


def counted(rows: pl.DataFrame, event: str) -> dict[float, float]:
    return dict(rows.filter(pl.col("event") == event).group_by("age").agg(pl.col("count").sum()).sort("age").rows())


def total(of: Returned) -> float:
    return float(of.records["count"].to_numpy().sum()) + of.unseen


def nevada() -> tuple[pl.DataFrame, pl.DataFrame]:
    data = PUBLISHED["warranty-reliawiki-nevada"]["data"]
    sold = pl.DataFrame({"month": [6, 7, 8], "quantity": data["shipped"]})
    cells = [
        {"month": 6 + i, "age": 7 + j - 6 - i, "count": n}
        for i, row in enumerate(data["returns"])
        for j, n in enumerate(row)
        if n
    ]
    return sold, pl.DataFrame(cells)


def test_the_published_chart() -> None:
    found = life_records(*nevada(), end=9, ages="whole")
    expected = {each["quantity"]: each["value"] for each in PUBLISHED["warranty-reliawiki-nevada"]["expected"]}
    failures = counted(found.records, "failure")
    assert [failures[float(k)] for k in (1, 2, 3)] == [expected[f"failures at age {k}"] for k in (1, 2, 3)]
    alive = found.records.filter(pl.col("event") == "suspension").select("month", "age", "count").rows()
    months = {6: "June", 7: "July", 8: "August"}
    assert alive == [(m, 9.0 - m, expected[f"suspensions at age {9 - m} ({name})"]) for m, name in months.items()]
    assert found.refused.is_empty()
    assert found.unseen == 0


def test_months_as_intervals_and_their_middles() -> None:
    sold = pl.DataFrame({"month": [1], "quantity": [10]})
    failed = pl.DataFrame({"month": [1, 1], "age": [0, 3], "count": [1, 2]})
    rows = life_records(sold, failed, end=4).records.drop("month").rows()
    assert rows == [("interval", 0.0, 0.5, 1.0), ("interval", 2.5, 3.5, 2.0), ("suspension", 3.5, None, 7.0)]
    rows = life_records(sold, failed, end=4, ages="middle").records.drop("month").rows()
    assert rows == [("failure", 0.25, None, 1.0), ("failure", 3.0, None, 2.0), ("suspension", 3.5, None, 7.0)]


def test_more_returned_than_sold_is_refused_and_the_rest_is_taken() -> None:
    sold = pl.DataFrame({"part": ["A", "A", "B"], "month": [1, 2, 1], "quantity": [5, 5, 5]})
    failed = pl.DataFrame({"part": ["A", "B", "C"], "month": [1, 1, 1], "age": [1, 2, 0], "count": [6, 2, 1]})
    found = life_records(sold, failed, end=3, by=["part"])
    assert found.refused.rows() == [("A", 1, 5, 6), ("C", 1, 0, 1)]
    assert found.records.select("part", "month").unique(maintain_order=True).rows() == [("A", 2), ("B", 1)]
    assert found.records["count"].sum() == 10


@pytest.mark.parametrize("age", [-1, 3])
def test_a_failure_before_the_sale_or_after_the_end(age: int) -> None:
    sold = pl.DataFrame({"month": [1], "quantity": [10]})
    with pytest.raises(ValueError, match="before the sale"):
        life_records(sold, pl.DataFrame({"month": [1], "age": [age], "count": [1]}), end=3)


def brute(delay: Floats, available: Floats, longest: int) -> Floats:
    """Maximum of the likelihood prod g(d) / G(available), by a general optimiser."""

    def shares(free: Floats) -> Floats:
        weights = np.exp(np.concatenate([[0.0], free]))
        return np.cumsum(weights / weights.sum())

    def lost(free: Floats) -> float:
        total = shares(free)
        g = np.diff(total, prepend=0.0)
        return -float(np.sum(np.log(g[delay.astype(int)]) - np.log(total[available.astype(int)])))

    best = minimize(lost, np.zeros(longest), method="BFGS", options={"gtol": 1e-9})
    return shares(best.x)


def test_delays_are_the_maximum_of_the_truncated_likelihood() -> None:
    delay = np.array([0, 0, 1, 0, 1, 2, 0, 3, 1, 0, 2, 1], np.float64)
    available = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 2], np.float64)
    found = delays(delay, available)
    np.testing.assert_allclose(found.share[0], brute(delay, available, 3), rtol=1e-5)
    assert found.claims.tolist() == [12]
    assert found.se_log[0, -1] == 0


def test_their_standard_error_is_that_of_the_likelihood() -> None:
    # with all delays seen in full G is a binomial share, of which the logarithm has the variance (1 - G) / (n G)
    delay = np.repeat([0, 1, 2], [50, 30, 20])
    found = delays(delay, 2)
    np.testing.assert_allclose(found.share[0], [0.5, 0.8, 1.0])
    np.testing.assert_allclose(found.se_log[0], np.sqrt([0.5 / 50, 0.2 / 80, 0.0]))


def test_the_standard_error_is_the_spread_over_many_fields() -> None:
    rng, fields, failures = np.random.default_rng(17), 3000, 300
    failed = rng.integers(0, 12, fields * failures)
    delay = rng.geometric(0.4, fields * failures) - 1
    group = np.repeat(np.arange(fields), failures)
    seen = failed + delay <= 11
    found = delays(delay[seen], 11 - failed[seen], 1.0, group[seen], fields)
    for d in (0, 1, 2):
        log = np.log(found.share[:, d])
        assert log.std() == pytest.approx(found.se_log[:, d].mean(), rel=0.06)
        covered = np.abs(log - np.log((1 - 0.6 ** (d + 1)) / (1 - 0.6**12))) < 1.645 * found.se_log[:, d]
        assert covered.mean() == pytest.approx(0.9, abs=0.025)


def test_groups_of_delays_are_each_their_own_and_none_has_none() -> None:
    rng = np.random.default_rng(3)
    available = rng.integers(0, 6, 300)
    delay = rng.integers(0, available + 1)
    group = rng.choice([0, 2], 300)
    found = delays(delay, available, 1.0, group, 3)
    for g in (0, 2):
        alone = delays(delay[group == g], available[group == g])
        np.testing.assert_allclose(found.share[g], alone.share[0])
    assert np.isnan(found.share[1]).all()


@pytest.mark.parametrize(("delay", "available"), [(-1, 3), (4, 3)])
def test_a_delay_that_cannot_be(delay: int, available: int) -> None:
    with pytest.raises(ValueError, match="a delay is below 0"):
        delays(delay, available)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=30))
def test_a_count_of_three_is_three_claims(claims: list[tuple[int, int]]) -> None:
    available = np.array([max(a, d) for a, d in claims])
    delay = np.array([d for _, d in claims])
    once, thrice = delays(delay, available, 3), delays(np.repeat(delay, 3), np.repeat(available, 3))
    np.testing.assert_allclose(once.share, thrice.share)
    np.testing.assert_allclose(once.se_log, thrice.se_log)
    assert (np.diff(once.share) >= -1e-12).all()
    assert once.share[0, -1] == 1


def triangle() -> Floats:
    rows = PUBLISHED["reporting-delay-mack-taylor-ashe"]["data"]["cumulative_triangle"]
    return np.array([row + [np.nan] * (len(rows) - len(row)) for row in rows])


def test_the_published_triangle() -> None:
    found = chain_ladder(triangle())
    for each in PUBLISHED["reporting-delay-mack-taylor-ashe"]["expected"]:
        name, digits = each["quantity"], each["digits"]
        still = float((found.ultimate - found.latest).sum())
        value = {
            "total reserve": still,
            "total standard error": found.total_se,
            "coefficient of variation, %": 100 * found.total_se / still,
            "latest diagonal": float(found.latest.sum()),
            "ultimate": float(found.ultimate.sum()),
        }.get(name)
        if value is None:
            value = float(found.factors[int(name.split()[-1]) - 1])
        assert round(value, digits) == each["value"], name


def test_delays_and_chain_ladder_tell_the_same_of_the_same_counts() -> None:
    cells = triangle() // 10_000
    steps = np.diff(cells, axis=1, prepend=0.0)
    origin, delay = np.nonzero(np.isfinite(steps))
    found = delays(delay, 9 - origin, steps[origin, delay])
    np.testing.assert_allclose(found.share[0], chain_ladder(cells).share, rtol=1e-12)


@pytest.mark.parametrize("bad", [[[1.0]], [[1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]], [[np.nan, 2.0], [3.0, np.nan]]])
def test_what_is_no_triangle(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="triangle"):
        chain_ladder(bad)


def field(seed: int) -> tuple[pl.DataFrame, pl.DataFrame, int, Floats]:
    """Two years of sales with Weibull(40, 1.8) lives and geometric delays of 1.9 months on average."""
    rng, months, each = np.random.default_rng(seed), 24, 3000
    sold = np.repeat(np.arange(months), each)
    age = np.floor(sold + rng.random(len(sold)) + 40 * rng.weibull(1.8, len(sold))).astype(np.int64) - sold
    delay = rng.geometric(0.35, len(sold)) - 1
    seen = sold + age + delay < months
    claims = pl.DataFrame({"month": sold[seen], "age": age[seen], "count": 1})
    share = delays(delay[seen], months - 1 - (sold + age)[seen]).share[0]
    return pl.DataFrame({"month": np.arange(months), "quantity": each}), claims, months - 1, share


def test_recent_months_are_not_taken_for_good_ones() -> None:
    etas, naive = [], []
    for seed in range(8):
        sold, claims, end, share = field(seed)
        truth = 1 - 0.65 ** np.arange(1, 25)
        np.testing.assert_allclose(share[:12], truth[:12], atol=0.03)
        found = life_records(sold, claims, end, share=share)
        assert total(found) == 24 * 3000
        fitted = weibull.fit_rows(grouped(found.records)[0])
        assert abs(np.log(fitted.eta[0] / 40)) < 4 * np.sqrt(fitted.var_log_eta[0])
        assert abs(np.log(fitted.beta[0] / 1.8)) < 4 * np.sqrt(fitted.var_log_beta[0])
        etas.append(fitted.eta[0])
        naive.append(weibull.fit_rows(grouped(life_records(sold, claims, end).records)[0]).eta[0])
    assert abs(np.mean(etas) / 40 - 1) < 0.01
    assert np.min(naive) > 46


def test_what_is_sold_after_the_end_is_not_seen() -> None:
    failed = pl.DataFrame(schema={"month": pl.Int64, "age": pl.Int64, "count": pl.Int64})
    found = life_records(pl.DataFrame({"month": [1, 3], "quantity": [5, 7]}), failed, 2)
    assert (found.records["month"].to_list(), found.unseen) == ([1], 7)


def test_whole_counts_keep_the_shares_also_of_single_units() -> None:
    sold = pl.DataFrame({"month": range(200), "quantity": 1})
    failed = pl.DataFrame(schema={"month": pl.Int64, "age": pl.Int64, "count": pl.Int64})
    found = life_records(sold, failed, 220, share=np.array([0.5, 0.8, 1.0])).records
    assert found.height == 200
    delay = 220.5 - found["month"] - found["age"]
    assert [round(share, 2) for share in np.bincount(delay.to_numpy().astype(np.int64)) / 200] == [0.5, 0.3, 0.2]


def test_silence_is_weighed_by_the_life_it_would_mean() -> None:
    # two months, half of the failures heard of at once: by hand, with a share F failed in each month
    sold = pl.DataFrame({"month": [0], "quantity": [1000]})
    failed = pl.DataFrame({"month": [0, 0], "age": [0, 1], "count": [400, 100]})
    found = life_records(sold, failed, 1, share=np.array([0.5, 1.0]), whole_counts=False).records
    alive = counted(found, "suspension")
    first = 400 / 1000
    second = 100 / (100 + alive[1.5])
    weight = np.array([1 - first, (1 - first) * (1 - second)])
    np.testing.assert_allclose([alive[0.5], alive[1.5]], 500 * weight / weight.sum(), rtol=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_groups_and_the_order_of_rows_change_nothing(seed: int, months: int) -> None:
    rng = np.random.default_rng(seed)
    cells = list(itertools.product("ABC", range(months)))
    sold = pl.DataFrame(
        {"part": [p for p, _ in cells], "month": [m for _, m in cells], "quantity": rng.integers(20, 60, len(cells))}
    )
    many = [(p, m, int(k), int(rng.integers(1, 3))) for p, m in cells for k in range(months - m) if rng.random() < 0.5]
    failed = pl.DataFrame(
        many,
        schema={"part": pl.String, "month": pl.Int64, "age": pl.Int64, "count": pl.Int64},
        orient="row",
    )
    share = np.cumsum(rng.dirichlet(np.ones(3)))
    found = life_records(sold, failed, months - 1, ["part"], share=share)
    assert total(found) == sold["quantity"].sum()
    assert (found.records["count"] % 1 == 0).all()
    mixed = life_records(
        sold.sample(fraction=1, shuffle=True, seed=1), failed.sample(fraction=1, shuffle=True, seed=2), months - 1,
        ["part"], share=share,
    )  # fmt: skip
    assert mixed.records.equals(found.records)
    alone = life_records(
        sold.filter(pl.col("part") == "B").drop("part"), failed.filter(pl.col("part") == "B").drop("part"), months - 1,
        share=share,
    )  # fmt: skip
    assert alone.records.equals(found.records.filter(pl.col("part") == "B").drop("part"))
