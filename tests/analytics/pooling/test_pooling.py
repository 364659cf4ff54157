"""Ultimate owners, rules, what goes into a pool, and what it comes to."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.life.hierarchy import gamma_poisson
from analytics.pooling.estimates import Pooled, between, chosen, firms, place, pooled
from analytics.pooling.private import private_mean
from analytics.pooling.rules import Rules
from analytics.pooling.values import METRICS, own, pool, poolable
from chaingraph import ChaingraphError
from chaingraph.basis import pooled as pooled_view
from chaingraph.ownership import ultimate
from chaingraph.rights import Rights
from chaingraph.snapshot import Snapshot
from schema import Aspect
from tests.analytics.pooling import world
from tests.chaingraph.world import change, rows

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def rights(snapshot: Snapshot, viewers: list[str], purpose: str = "quality") -> list[Rights]:
    return [Rights(snapshot, viewer, purpose, NOW) for viewer in viewers]


@given(st.lists(st.integers(0, 11) | st.none(), min_size=1, max_size=12))
def test_ultimate_owners_are_the_ends_of_chains_and_the_first_of_circles(parents: list[int | None]) -> None:
    names = [f"N{i:02}" for i in range(12)]
    table = pl.DataFrame(
        {"key": names[: len(parents)], "parent": [None if p is None else names[p] for p in parents]},
        {"key": pl.String(), "parent": pl.String()},
    )
    found = dict(ultimate(table).iter_rows())
    of = dict(table.drop_nulls().iter_rows())
    for name in names[: len(parents)]:
        path = [name]
        while path[-1] in of and of[path[-1]] not in path:
            path.append(of[path[-1]])
        circle = path[path.index(of[path[-1]]) :] if path[-1] in of else path[-1:]
        assert found[name] == min(circle)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([1, 1, 1, 1, 1], False),
        ([2.9, 1.6, 1.6, 1.6, 1.4], False),
        ([3.4, 1.6, 1.6, 1.6, 1.6], True),
        ([3, 3, 1, 1, 1.9], True),
        ([0, 0, 0], False),
    ],
)
def test_a_pool_is_dominated_by_one_or_by_two(shares: list[float], expected: bool) -> None:
    assert Rules().dominated(shares) is expected
    assert Rules().dominated([1, 1, 1, 1, 1], shares) is expected


def test_thresholds_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINGRAPH_BENCHMARK_CONTRIBUTORS", "7")
    assert Rules().contributors == 7


def test_a_pool_has_the_rows_that_all_members_may_have_pooled(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8, shared=world.names(8)[2:]) as workspace:
        snapshot = workspace.snapshot()
        members = pool(snapshot, rights(snapshot, world.names(8)))
        assert set(members.figures["life"]["by"]) == set(world.names(8)[2:])
        alone = pool(snapshot, rights(snapshot, ["F000"]))
        assert set(alone.figures["supply"]["by"]) == {"F000", *world.names(8)[2:]}
        assert pool(snapshot, rights(snapshot, world.names(8), "recall")).figures["life"].is_empty()
        assert set(own(snapshot, "F001").figures["inspection"]["by"]) == {"F001"}


TERMS: list[dict[str, Any]] = [
    {},
    {"records": "part:F000/B"},
    {"records": "class:other"},
    {"records": "class:bearing"},
    {"records": "product:F000/M"},
    {"records": "subtree:F000/M"},
    {"mode": "use"},
    {"mode": "show", "aspects": "failures;identity"},
    {"aspects": "supply"},
    {"state": "revoked"},
    {"end": NOW},
    {"start": NOW},
    {"grantee": "everyone", "purposes": "recall"},
]


def test_what_may_be_pooled_is_what_the_view_for_pooling_has(tmp_path: Path) -> None:
    """Two ways to the same rows: by rights alone here, by the masks of a view there."""
    n = len(TERMS) + 1
    with world.firms(tmp_path, n, shared=()) as workspace:
        agreed = [world.agreement(f"F{i + 1:03}", **terms) for i, terms in enumerate(TERMS)]
        machine = rows("part", {"issuer": "F000", "number": "M"}, owner="F000")
        line = rows("contains", {"parent": "F000/M", "child": "F000/B", "quantity": 1.0}, owner="F000")
        workspace.submit(change(agreement=rows("agreement", *agreed), part=machine, contains=line))
        for viewer in world.names(n):
            basis = pooled_view(workspace.view(viewer, "quality", NOW))
            alone = rights(workspace.snapshot(), [viewer])
            for name, aspect in (("life_record", Aspect.FAILURES), ("supplies", Aspect.SUPPLY)):
                mine = poolable(workspace.snapshot(), name, aspect, alone)
                theirs = basis.table(name)
                assert sorted(mine["owner"]) == sorted(theirs["owner"]), (viewer, name)
                assert 1 < mine["owner"].n_unique() < n


def test_figures_are_sums_of_what_counts(tmp_path: Path) -> None:
    with world.firms(tmp_path, 6) as workspace:
        snapshot = workspace.snapshot()
        among = pool(snapshot, rights(snapshot, world.names(6)))
        rate = METRICS["failure_rate"]
        figures = chosen(rate, among, "bearing")
        rows = snapshot.table("life_record").filter(pl.col("origin").is_null())
        failed = rows.filter(pl.col("event") == "failure")
        found = firms(rate, among, figures, None)
        for at, owner in enumerate(found.owners):
            mine = rows.filter(pl.col("owner") == owner)
            assert found.y[at] == failed.filter(pl.col("owner") == owner).height
            assert found.t[at] == pytest.approx((mine["age"] * mine["count"]).sum())
        one = firms(rate, among, figures, ["EL"])
        assert one.y.sum() == failed.filter(pl.col("mechanism") == "EL").height
        assert one.t.tolist() == found.t.tolist()
        inspected = METRICS["defect_rate"]
        defects = firms(inspected, among, chosen(inspected, among, "bearing"), None)
        assert (defects.t - defects.y).tolist() == [900.0] * 6


def test_the_pooled_rate_is_the_hierarchical_mean_and_shapes_are_near_the_truth(tmp_path: Path) -> None:
    with world.firms(tmp_path, 12) as workspace:
        among = pool(workspace.snapshot(), rights(workspace.snapshot(), world.names(12)))
        rate, shape, scale = (METRICS[name] for name in ("failure_rate", "weibull_shape", "weibull_scale"))
        figures = chosen(rate, among, "bearing")
        found = firms(rate, among, figures, None)
        expected = gamma_poisson(found.y, found.t)
        answer = pooled(rate, found, median=True)
        assert answer.value == pytest.approx(expected.mean.value[0], rel=0.006)
        assert answer.median is not None
        assert min(found.own.value) < answer.median < max(found.own.value)
        shapes = pooled(shape, firms(shape, among, figures, None), median=False)
        assert shapes.value == pytest.approx(1.8, rel=0.1)
        assert shapes.median is None
        assert pooled(scale, firms(scale, among, figures, None), median=False).value == pytest.approx(8000, rel=0.25)


def test_intervals_between_firms_hold_the_mean() -> None:
    rng = np.random.default_rng(3)
    for tau in (0.0, 0.3):
        held = 0
        for _ in range(400):
            s = rng.uniform(0.05, 0.4, 8)
            mean, half, _ = between(rng.normal(0, np.sqrt(tau**2 + s**2)), s**2, 0.9)
            held += abs(mean) <= half
        assert 0.85 <= held / 400 <= 0.99


def test_a_place_is_a_share_of_the_models_firms() -> None:
    rate, time = METRICS["failure_rate"], METRICS["lead_time"]
    assert place(rate, Pooled(1.0, 0.8, 1.2, 1.0, None), np.log(2)) == pytest.approx(0.5)
    assert place(time, Pooled(20.0, 18, 22, 0.2, None), 20.0) == pytest.approx(0.5)
    assert place(time, Pooled(20.0, 18, 22, 0.0, None), 20.0) is None
    assert place(rate, Pooled(1.0, 0.8, 1.2, 1.0, None), None) is None


def test_noise_has_the_scale_of_theory_and_its_privacy_loss_is_what_was_asked() -> None:
    values = [10.0 + i % 7 for i in range(200)]
    means, scales = zip(*(private_mean(values, 5.0, 25.0, 0.5) for _ in range(4000)), strict=True)
    assert set(scales) == {20.0 / 200 / 0.5}
    off = np.array(means) - np.mean(values)
    assert np.mean(np.abs(off)) == pytest.approx(scales[0], rel=0.1)  # the mean size of Laplace noise is its scale
    assert np.quantile(np.abs(off), 0.95) == pytest.approx(-np.log(0.05) * scales[0], rel=0.15)


def test_values_beyond_the_bounds_count_as_the_bounds() -> None:
    wild, _ = private_mean([1e9] * 100, 0.0, 1.0, 100.0)
    assert wild == pytest.approx(1.0, abs=0.01)
    with pytest.raises(ChaingraphError, match=r"benchmark\.noise"):
        private_mean([1.0], 2.0, 1.0, 1.0)
