"""Tracing: in the store, over what the view has and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaingraph import ChaingraphError, NotFound, View, Workspace, trace
from chaingraph.changes import ChangeSet
from chaingraph.snapshot import Snapshot
from tests.chaingraph.far import far
from tests.chaingraph.world import change, line, machine, opened, part, rows
from tests.conformance.stores import STORES


def lot(code: str, **more: Any) -> dict[str, Any]:
    return {"part": "L01/B", "maker": "S1", "code": code, **more}


def went(start: str, end: str) -> dict[str, Any]:
    ends = {"part": "L01/B", "maker": "S1"}
    return {
        **{f"from_{name}": value for name, value in ends.items()}, "from_lot": f"L01/B/S1/{start}",
        **{f"into_{name}": value for name, value in ends.items()}, "into_lot": f"L01/B/S1/{end}",
    }  # fmt: skip


def chain() -> dict[str, pl.DataFrame]:
    """Lots a to d, one into the next, d into a again, and e that nobody described."""
    return {
        **machine(),
        "lot": rows("lot", *(lot(c) for c in "abcd")),
        "lot_genealogy": rows("lot_genealogy", *(went(*pair) for pair in ("ab", "bc", "cd", "da", "de"))),
    }


@pytest.fixture(params=STORES, ids=lambda kept: kept.name)
def space(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    with Workspace(request.param.open(tmp_path)) as workspace:
        workspace.submit(change(**chain()))
        yield workspace


def found(workspace: Workspace, view: View, *starts: str, **more: Any) -> list[tuple[str, int]]:
    keys = [f"L01/B/S1/{each}" for each in starts]
    reached = workspace.trace(view, keys, "lot_genealogy", **more)
    return [(key.rpartition("/")[2], depth) for key, depth in reached.iter_rows()]


def test_lots_are_followed_forwards_and_back(space: Workspace) -> None:
    view = space.view()
    assert found(space, view, "a") == [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 4)]
    assert found(space, view, "a", depth=2) == [("a", 0), ("b", 1), ("c", 2)]
    assert found(space, view, "c", direction="in") == [("c", 0), ("b", 1), ("a", 2), ("d", 3)]
    assert found(space, view, "a", "c", depth=1) == [("a", 0), ("c", 0), ("b", 1), ("d", 1)]
    assert found(space, view, "nothing") == [("nothing", 0)]


def test_edges_of_an_unfinished_load_are_not_walked(space: Workspace) -> None:
    view = space.view()
    before = found(space, view, "b")
    loading = rows("lot_genealogy", went("b", "x"), went("x", "y"), went("a", "c"))
    with space.writing():
        store = space.store
        store.commit(ChangeSet({"lot_genealogy": loading}, by="L01", load="l", last=False))
        with store.read() as session:
            reached = session.trace(["L01/B/S1/b"], "lot_genealogy", "out")["key"].to_list()
        assert "L01/B/S1/y" in reached, "it is in the store"
        assert found(space, view, "b") == before
        assert found(space, space.view(), "b") == before
        store.commit(ChangeSet({"lot": rows("lot", lot("x"))}, by="L01", load="l", part=1))
        assert found(space, view, "b") == before, "a view stays at its revision"
        assert ("y", 2) in found(space, space.view(), "b")


@pytest.mark.parametrize("finished", [True, False])
def test_edges_that_went_since_are_walked_as_long_as_the_view_has_them(space: Workspace, finished: bool) -> None:
    view = space.view()
    before = found(space, view, "a")
    gone = rows("lot_genealogy", went("b", "c"))["key"]
    with space.writing():
        space.store.commit(ChangeSet(delete={"lot_genealogy": gone}, by="L01", load="l", last=finished))
        assert found(space, view, "a") == before
        now = found(space, space.view(), "a")
        assert now == ([("a", 0), ("b", 1)] if finished else before)


def test_an_edge_that_was_led_elsewhere_since_is_walked_as_the_view_has_it(tmp_path: Path) -> None:
    with opened(tmp_path) as workspace:
        alias = {"organisation": "S1", "number": "7", "drawing_no": "D"}
        workspace.submit(change(**machine(), part_alias=rows("part_alias", {**alias, "part": "L01/A"})))
        view = workspace.view()
        workspace.submit(change(part_alias=rows("part_alias", {**alias, "part": "L01/B"})))
        walked = workspace.trace(view, ["S1"], "part_alias")["key"].to_list()
        assert walked == ["S1", "L01/A"]
        assert workspace.trace(workspace.view(), ["S1"], "part_alias")["key"].to_list() == ["S1", "L01/B"]


def test_the_store_is_walked_where_nothing_went_and_long_loads_are_not_read_for_it(tmp_path: Path) -> None:
    workspace, _ = far(tmp_path)
    with workspace:
        workspace.submit(change(**chain()))
        view = workspace.view()
        for each, walks in ((machine()["part"], 1), (rows("part", *(part(f"P{i}") for i in range(50_001))), 0)):
            with workspace.writing():
                workspace.store.commit(ChangeSet({"part": each}, by="L01", load=f"l{walks}", last=False))
                asked: list[pl.Series] = []
                has = view.has

                def counted(name: str, keys: pl.Series, has: Any = has, asked: list[pl.Series] = asked) -> pl.Series:
                    asked.append(keys)
                    return has(name, keys)  # type: ignore[no-any-return]

                view.has = counted  # type: ignore[method-assign]
                assert len(found(workspace, view, "a")) == 5
                view.has = has  # type: ignore[method-assign]
                assert bool(asked) == bool(walks)


KEYS = st.integers(0, 9)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(KEYS, KEYS), max_size=25), st.sets(KEYS, min_size=1, max_size=3), st.sampled_from(["in", "out"])
)
def test_the_views_own_walk_is_the_stores(
    tmp_path: Path, pairs: list[tuple[int, int]], starts: set[int], direction: Any
) -> None:
    lines = rows("contains", *({**line(f"P{a}", f"P{b}"), "find_no": str(i)} for i, (a, b) in enumerate(pairs)))
    with opened(tmp_path) as workspace:
        workspace.view()
        stored = workspace.snapshot().table("contains")["key"]
        workspace.submit(ChangeSet({"contains": lines}, {"contains": stored}, by="L01"))
        view = workspace.view()
        keys = [f"L01/P{each}" for each in starts]
        for depth in (None, 1, 2):
            walked = workspace.trace(view, keys, "contains", direction, depth)
            assert walked.rows() == view.walk(keys, "contains", direction, depth).rows()


@given(st.lists(st.integers(0, 300), max_size=150))
def test_few_and_many_stored_rows_are_found_alike(asked: list[int]) -> None:
    lines = rows("contains", *(line("M", f"P{i:03}") for i in range(0, 300, 2)))
    view = View(Snapshot(1, {"contains": lines}))
    keys = pl.Series("key", [rows("contains", line("M", f"P{i:03}"))["key"][0] for i in asked], dtype=pl.String)
    assert view.has("contains", keys).to_list() == [i % 2 == 0 and i < 300 for i in asked]


def test_things_are_traced_by_what_people_call_them_along_what_is_usual(space: Workspace) -> None:
    view = space.view()
    lots = trace(space, view, ["a"])
    assert (lots.along, lots.direction, lots.cut) == ("lot_genealogy", "out", False)
    assert [(each.depth, each.kind, each.key) for each in lots.things][:2] == [
        (0, "lot", "L01/B/S1/a"),
        (1, "lot", "L01/B/S1/b"),
    ]
    assert lots.things[-1].label.en == lots.things[-1].key == "L01/B/S1/e", "nobody has described it"
    parts = trace(space, view, ["M"])
    assert (parts.along, parts.direction) == ("contains", "out")
    assert [each.label.zh for each in parts.things] == ["M", "A", "B 轴承"]
    used = trace(space, view, ["B"], direction="in")
    assert [(each.depth, each.key) for each in used.things] == [(0, "L01/B"), (1, "L01/A"), (1, "L01/M")]
    makers = trace(space, view, ["B"], along="supplies")
    assert (makers.direction, [each.kind for each in makers.things]) == ("in", ["part", "organisation", "organisation"])
    assert [each.key for each in trace(space, view, ["S1"]).things] == ["S1", "L01/B"]
    short = trace(space, view, ["a"], limit=2)
    assert (len(short.things), short.cut) == (2, True)
    assert not trace(space, view, ["a"], limit=5).cut
    assert len(trace(space, view, ["a"], depth=1).things) == 2


def test_what_cannot_be_traced_is_said_with_what_can(space: Workspace) -> None:
    view = space.view()
    for starts, along, direction, code in (
        (["M"], "lot_genealogy", None, "trace.relation"),
        (["S1"], "contains", None, "trace.relation"),
        (["S1"], None, "in", "trace.relation"),
        (["M", "S1"], None, None, "trace.kinds"),
    ):
        with pytest.raises(ChaingraphError) as refused:
            trace(space, view, starts, along, direction)
        assert refused.value.code == code
        assert refused.value.remedy is not None
    with pytest.raises(ChaingraphError) as refused:
        trace(space, view, ["M"], "lot_genealogy")
    assert refused.value.remedy is not None
    assert "contains, supplies" in refused.value.remedy.en
    with pytest.raises(NotFound):
        trace(space, view, ["none"])
