"""Snapshots: what is taken over from the one before is what would be made anew."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from chaingraph import View, merging
from chaingraph.changes import ChangeSet
from chaingraph.snapshot import Snapshot
from chaingraph.store import Commit
from tests.chaingraph.world import line, part, rows

KINDS_USED = ("part", "contains", "lot")
PLACES = st.integers(0, 9)
OWNERS = st.sampled_from(["L01", "S1"])


@pytest.fixture(autouse=True, scope="module")
def short_stretches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "BLOCK", 4)
        yield


def stated(name: str, owner: str, at: int, value: int) -> dict[str, Any]:
    if name == "part":
        return part(f"P{at}", name_en=f"n{value}")
    if name == "contains":
        return {**line(f"P{at}", f"P{value % 10}"), "find_no": str(value % 3), "owner": owner}
    return {"part": f"L01/P{at}", "maker": "S1", "code": str(value % 4), "owner": owner}


@st.composite
def commits(draw: st.DrawFn) -> list[ChangeSet]:
    found = []
    for _ in range(draw(st.integers(1, 6))):
        put: dict[str, pl.DataFrame] = {}
        delete: dict[str, pl.Series] = {}
        for name in draw(st.sets(st.sampled_from(KINDS_USED), min_size=1)):
            some = draw(st.lists(st.tuples(OWNERS, PLACES, st.integers(0, 40)), max_size=6))
            frame = rows(name, *(stated(name, *each) for each in some)) if some else None
            if frame is not None:
                frame = frame.unique("key", keep="first").sort("key")
                cut = draw(st.integers(0, len(frame)))
                put[name], delete[name] = frame[cut:], frame[:cut]["key"]
        found.append(ChangeSet({n: f for n, f in put.items() if len(f)}, {n: k for n, k in delete.items() if len(k)}))
    return found


def entry(number: int, changes: ChangeSet) -> Commit:
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Commit(
        number, uuid.uuid4(), None, 0, True, "", when, b"", bytes([number]), changes.size, 1, changes.payload
    )  # fmt: skip


REFS = [("contains", "parent"), ("contains", "child"), ("lot", "part")]


@settings(max_examples=120)
@given(commits(), st.sets(st.sampled_from(REFS)), st.sets(st.sampled_from(KINDS_USED)))
def test_step_by_step_equals_at_once(changes: list[ChangeSet], asked: set[tuple[str, str]], named: set[str]) -> None:
    journal = [entry(number, each) for number, each in enumerate(changes, 1)]
    now = Snapshot.empty()
    for commit in journal:
        for slot in asked:
            now.ref(*slot)
            now.inverse(*slot)
        for name in named:
            now.natural(name)
        before, now = now, now.apply([commit])
        now.warm(before)
    anew = Snapshot.empty().apply(journal)
    assert (now.revision, now.digest) == (anew.revision, anew.digest)
    for name in KINDS_USED:
        assert_frame_equal(now.table(name), anew.table(name))
        assert_series_equal(now.natural(name), anew.natural(name))
        assert_frame_equal(View(now).table(name), View(anew).table(name))
    for slot in REFS:
        assert now.ref(*slot).tolist() == anew.ref(*slot).tolist()
        assert now.inverse(*slot).rows.tolist() == anew.inverse(*slot).rows.tolist()
        assert now.inverse(*slot).indptr.tolist() == anew.inverse(*slot).indptr.tolist()


@given(st.lists(st.tuples(OWNERS, PLACES, st.integers(0, 9)), max_size=20))
def test_a_view_has_one_row_for_each_thing_however_many_state_it(given_rows: list[tuple[str, int, int]]) -> None:
    lots = rows("lot", *(stated("lot", *each) for each in given_rows)) if given_rows else rows("lot").clear()
    lots = lots.unique("key").sort("key")
    view = View(Snapshot(1, {"lot": lots}))
    natural = lots["key"].str.split("@").list.first()
    assert view.table("lot")["key"].to_list() == natural.unique(maintain_order=True).to_list()
    assert view.disagreements("lot")["key"].to_list() == lots.filter(natural.is_duplicated())["key"].to_list()
