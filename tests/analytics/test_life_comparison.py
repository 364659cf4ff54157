"""Makers and lots of a part compared: what the demo's bad lot does to its maker, and answers where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics import run
from analytics.compared import MOST, LifeComparison, _each, compared
from analytics.life import contrast
from analytics.life.frames import grouped
from analytics.life.rows import ready
from analytics.weak_groups import DENIED
from chaingraph import Workspace
from tests.analytics.published import examples


def codes(of: LifeComparison) -> list[str]:
    """The codes of its warnings."""
    return [each.code for each in of.warnings]


def miller() -> pl.DataFrame:
    """Miller's leukaemia data."""
    data: dict[str, Any] = examples("others")["compare-aml-miller"]["data"]
    return pl.DataFrame({name: data[name] for name in ("age", "event", "group")})


def test_two_groups_have_the_published_test_and_medians() -> None:
    found = compared(miller(), "group", level=0.95)
    (rank,) = (each for each in found.tests if each.test == "log_rank")
    assert rank.df == 1
    assert rank.p == pytest.approx(0.0653, abs=5e-5)
    assert [each.failures for each in found.groups] == [7, 11]
    assert [each.expected for each in found.groups] == [pytest.approx(10.69, abs=5e-3), pytest.approx(7.31, abs=5e-3)]
    assert [each.median.value for each in found.groups] == [31, 23]
    for each in found.groups:  # with two groups, either against the other is the same test
        assert each.p == pytest.approx(rank.p, rel=1e-12)
        assert each.p_holm == pytest.approx(2 * (rank.p or 0), rel=1e-12)
    assert {each.test for each in found.tests} == {"log_rank", "gehan", "weibull", "weibull_shape", "exponential"}


def test_a_group_against_all_others_is_the_test_of_two_samples() -> None:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "age": rng.integers(1, 30, 200).astype(float),
            "event": np.where(rng.random(200) < 0.5, "failure", "suspension"),
            "lot": rng.choice(["a", "b", "c"], 200),
        }
    )
    found, other = compared(frame, "lot"), compared(frame, "lot", against="b")
    age, event = frame["age"].to_numpy(), (frame["event"] == "failure").to_numpy().astype(int)
    for g, name in enumerate("abc"):
        mine = (frame["lot"] == name).to_numpy()
        assert found.groups[g].p == pytest.approx(contrast.log_rank(ready(age, event), mine.astype(np.int64)).p[0])
        both = mine | (frame["lot"] == "b").to_numpy()
        pair = contrast.log_rank(ready(age[both], event[both]), mine[both].astype(np.int64)).p[0]
        assert other.groups[g].p == (None if name == "b" else pytest.approx(pair))


def test_makers_are_compared_and_a_false_claim_is_denied(demo_workspace: Workspace) -> None:
    view = demo_workspace.view()
    parts = (
        view.table("life_record").filter(pl.col("maker").is_not_null()).group_by("part").agg(pl.col("maker").n_unique())
    )
    several = parts.filter(pl.col("maker") > 1).sort("part")["part"].to_list()[:3]
    assert several
    found = [run("life_comparison", view, {"part": each}) for each in several]
    for each in found:
        assert len(each.groups) > 1
        assert each.unit in {"h", "cycles", "km"}
        total = sum(group.failures for group in each.groups)
        assert sum(group.expected for group in each.groups) == pytest.approx(total)
    claims = {each.maker: each for each in run("life_comparison", view, {"part": "X20"}).declared}
    assert [maker for maker, each in claims.items() if each.denied] == ["S22"]
    claim = claims["S22"]
    assert claim.p < DENIED
    assert claim.ratio.low is not None
    assert claim.ratio.low > 1
    lots = run("life_comparison", view, {"part": several[0], "by": "lot"})
    assert lots.by == "lot"


def test_what_cannot_be_compared_is_said() -> None:
    nothing = pl.DataFrame({"age": [], "event": [], "lot": []}, schema={"age": float, "event": str, "lot": str})
    assert codes(compared(nothing, "lot")) == ["one_group"]
    one = pl.DataFrame({"age": [3.0, 5.0], "event": ["failure", "suspension"], "lot": ["a", None]})
    found = compared(one, "lot", against="z")
    assert codes(found) == ["unsaid", "against_unknown", "one_group"]
    assert found.groups[0].p is None
    alive = pl.DataFrame({"age": [3.0, 5.0], "event": ["suspension"] * 2, "lot": ["a", "b"]})
    found = compared(alive, "lot")
    assert codes(found) == ["no_failures"]
    assert [each.p for each in found.groups] == [None, None]
    assert [each.p for each in found.tests] == [None] * 5
    single = pl.DataFrame({"age": [3.0, 5.0, 6.0, 7.0], "entry": [0.0, 0, 0, 1], "lot": ["a", "a", "a", "b"]})
    assert "no_maximum" in codes(compared(single, "lot"))
    apart = pl.DataFrame({"age": [3.0, 9.0], "entry": [0.0, 5.0], "event": ["failure"] * 2, "lot": ["a", "b"]})
    assert codes(compared(apart, "lot")) == ["few_failures", "never_meet", "enters_late", "no_maximum"]


def test_intervals_have_a_test_of_their_own_and_too_many_groups_are_cut() -> None:
    frame = pl.DataFrame(
        {"age": [1.0, 2, 3, 4] * 3, "age_to": [2.0, 4, 5, 8] * 3, "event": ["interval"] * 12, "lot": ["a", "b"] * 6}
    )
    found = compared(frame, "lot")
    assert "middle_of_intervals" in codes(found)
    assert "interval_log_rank" in {each.test for each in found.tests}
    many = pl.DataFrame({"age": np.arange(1.0, 2 * MOST + 3), "lot": [f"L{i // 2}" for i in range(2 * MOST + 2)]})
    cut = compared(many, "lot")
    assert codes(cut) == ["most", "exact"]
    assert len(cut.groups) == MOST


def test_small_lots_that_are_like_the_others_are_seldom_called_different() -> None:
    """Forty lots of 30 with two failures each, alike: of 20 such families, 5 % or fewer of the lots have p < 0.05."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(20):
        life = rng.weibull(1.5, 1200) * 6
        frame = pl.DataFrame(
            {
                "age": np.minimum(life, 1.0),
                "event": np.where(life < 1, "failure", "suspension"),
                "lot": [f"L{i % 40}" for i in range(1200)],
            }
        )
        data, groups = grouped(frame, ["lot"])
        rank = contrast.log_rank(replace(data, group=0 * data.group, groups=1), data.group)
        p, exact = _each(data, rank, None)
        assert exact.all()
        assert len(groups) == 40
        found.append(p)
    assert 0.005 < (np.concatenate(found) < 0.05).mean() < 0.05
