"""Reads: pinned to one revision, in key order, typed; walks against networkx."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import networkx as nx
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chaingraph.changes import ChangeSet
from chaingraph.store import Store
from chaingraph.store.base import DIRECTIONS, Direction
from schema import KINDS, kind
from tests.chaingraph.world import line, machine, part, rows
from tests.conformance.stores import STORES, Kept, graph, parts
from tests.conformance.test_journal import every_type


def test_scan_gives_all_rows_in_key_order_in_batches(store: Store) -> None:
    numbers = [*map(str, range(101)), "a", "A", "é", "中", "😀", "a b", "\x00"]
    store.commit(parts(*numbers))
    with store.read() as session:
        batches = list(session.scan("part", batch=25))
        assert [len(b) for b in batches] == [25, 25, 25, 25, 8]
        assert all(dict(b.schema) == kind("part").schema for b in batches)
        found = pl.concat(batches)["key"].to_list()
        assert found == sorted((f"L01/{n}" for n in numbers), key=str.encode)
        assert list(session.scan("lot")) == []


def test_every_type_comes_back_as_it_was(store: Store) -> None:
    changes = every_type()
    store.commit(changes)
    found = graph(store)
    for name, frame in changes.put.items():
        assert found[name].equals(frame, null_equal=True)
        assert found[name].schema == frame.schema


def test_rows_by_key_in_key_order_without_the_unknown(store: Store) -> None:
    store.commit(ChangeSet(machine()))
    with store.read() as session:
        found = session.rows("part", ["L01/M", "L01/none", "L01/A", "L01/M"])
        assert found["key"].to_list() == ["L01/A", "L01/M"]
        assert dict(found.schema) == kind("part").schema
        assert len(session.rows("part", [])) == 0
        assert dict(session.rows("lot", ["x"]).schema) == kind("lot").schema
        many = session.rows("part", [f"L01/{n}" for n in range(50_000)] + ["L01/B"])
        assert many["key"].to_list() == ["L01/B"]


def test_a_session_sees_one_revision_while_others_write(store: Store) -> None:
    store.commit(parts("A", "B", "C"))
    with store.read() as session:
        assert session.revision == 1
        half = session.scan("part", batch=2)
        first = next(half)
        store.commit(parts("D"))
        store.commit(ChangeSet(delete={"part": pl.Series(["L01/C"])}))
        store.append("audit", [b"written meanwhile"])
        assert pl.concat([first, *half])["key"].to_list() == ["L01/A", "L01/B", "L01/C"]
        assert session.rows("part", ["L01/C", "L01/D"])["key"].to_list() == ["L01/C"]
        assert session.revision == 1
        with store.read() as newer:
            assert newer.revision == 3
            assert newer.rows("part", ["L01/C", "L01/D"])["key"].to_list() == ["L01/D"]


def test_a_scan_left_in_the_middle_does_not_hold_the_past(kept: Kept, store: Store, tmp_path: Path) -> None:
    store.commit(parts(*range(100)))
    with store.read() as session:
        left = session.scan("part", batch=10)
        next(left)
    other = kept.open(tmp_path)
    other.commit(parts("new"))
    other.close()
    assert store.head().revision == 2
    with store.read() as session:
        assert session.revision == 2
        assert len(session.rows("part", ["L01/new"])) == 1


def test_an_error_in_the_readers_own_work_stays_what_it_is(store: Store) -> None:
    with pytest.raises(FileNotFoundError), store.read():
        raise FileNotFoundError
    with pytest.raises(FileNotFoundError), store.writing():
        raise FileNotFoundError


NAMES = ["1", "10", "100", "1@0", "1/0", "a%", "a", "中"]
KEYS = {name: rows("part", part(name))["key"][0] for name in NAMES}
ENDS_NEED: dict[str, dict[str, str]] = {
    "contains": {},
    "lot_genealogy": {"from_part": "L01/1", "into_part": "L01/1"},
}
ends = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])


@pytest.mark.parametrize("any_kept", STORES, ids=lambda kept: kept.name)
@settings(max_examples=30)
@given(
    drawn=st.lists(ends, max_size=20),
    starts=st.lists(st.sampled_from([*KEYS.values(), "L01/unknown"]), max_size=3),
    depth=st.none() | st.integers(0, 4),
    direction=st.sampled_from(DIRECTIONS),
)
@example(
    drawn=[("1", "a"), ("10", "中"), ("100", "a%"), ("1@0", "100"), ("1/0", "10")],
    starts=[KEYS["1"]],
    depth=None,
    direction="out",
)
def test_walks_are_those_of_networkx(
    any_kept: Kept, drawn: list[tuple[str, str]], starts: list[str], depth: int | None, direction: Direction
) -> None:
    """Random graphs with cycles, loops of two and parallel lines; keys that are beginnings of others."""
    lines = [{"parent": KEYS[a], "child": KEYS[b], "find_no": str(n)} for n, (a, b) in enumerate(drawn)]
    graph_of = nx.DiGraph([(KEYS[a], KEYS[b]) if direction == "out" else (KEYS[b], KEYS[a]) for a, b in drawn])
    graph_of.add_nodes_from(starts)
    expected: dict[str, int] = {}
    for start in starts:
        for key, steps in nx.single_source_shortest_path_length(graph_of, start, depth).items():
            expected[key] = min(steps, expected.get(key, steps))
    with tempfile.TemporaryDirectory() as folder:
        store = any_kept.open(Path(folder))
        store.commit(ChangeSet({"contains": rows("contains", *lines)} if lines else {}))
        with store.read() as session:
            found = [session.trace(starts, "contains", direction, depth) for _ in range(2)]
        store.close()
    assert found[0].rows() == sorted(expected.items(), key=lambda r: (r[1], r[0].encode()))
    assert found[0].schema == {"key": pl.String(), "depth": pl.Int64()}
    assert found[1].equals(found[0])


@pytest.mark.parametrize("any_kept", STORES, ids=lambda kept: kept.name)
@settings(max_examples=30)
@given(
    drawn=st.lists(st.tuples(ends, st.booleans()), max_size=30),
    starts=st.lists(st.sampled_from([*KEYS.values(), "L01/unknown"]), max_size=3),
    depth=st.none() | st.integers(0, 4),
    direction=st.sampled_from(DIRECTIONS),
    along=st.sampled_from(["contains", "lot_genealogy"]),
)
def test_walks_go_where_they_are_allowed(
    any_kept: Kept,
    drawn: list[tuple[tuple[str, str], bool]],
    starts: list[str],
    depth: int | None,
    direction: Direction,
    along: str,
) -> None:
    """Some lines are hidden; two parallel ones may differ. Each line is asked about once at most."""
    relation = KINDS[along].relation
    assert relation is not None
    lines = [
        {relation.start: KEYS[a], relation.end: KEYS[b], "owner": f"S{n}", **ENDS_NEED[along]}
        for n, ((a, b), _) in enumerate(drawn)
    ]
    table = rows(along, *lines) if lines else kind(along).empty()
    by_owner = dict(zip(table["owner"], table["key"], strict=True))
    hidden = {by_owner[f"S{n}"] for n, (_, open_) in enumerate(drawn) if not open_}
    turn = slice(None) if direction == "out" else slice(None, None, -1)
    graph_of = nx.DiGraph([(KEYS[pair[turn][0]], KEYS[pair[turn][1]]) for pair, open_ in drawn if open_])
    graph_of.add_nodes_from(starts)
    expected: dict[str, int] = {}
    for start in starts:
        for key, steps in nx.single_source_shortest_path_length(graph_of, start, depth).items():
            expected[key] = min(steps, expected.get(key, steps))
    asked: list[str] = []

    def allowed(edges: pl.Series) -> pl.Series:
        asked.extend(edges)
        return ~edges.is_in(sorted(hidden))

    with tempfile.TemporaryDirectory() as folder:
        store = any_kept.open(Path(folder))
        store.commit(ChangeSet({along: table}))
        with store.read() as session:
            found = session.trace(starts, along, direction, depth, allowed)
            nowhere = session.trace(starts, along, direction, depth, lambda edges: edges.is_null())
            unknown = session.trace(starts, along, direction, depth, lambda edges: pl.Series([None] * len(edges)))
        store.close()
    assert found.rows() == sorted(expected.items(), key=lambda r: (r[1], r[0].encode()))
    assert found.schema == {"key": pl.String(), "depth": pl.Int64()}
    assert sorted(asked) == sorted(set(asked))
    assert set(asked) <= set(by_owner.values())
    assert nowhere.rows() == [(key, 0) for key in sorted(set(starts), key=str.encode)]
    assert unknown.equals(nowhere)


def test_an_error_of_whoever_is_asked_stays_what_it_is(store: Store) -> None:
    store.commit(ChangeSet(machine()))

    def asked(edges: pl.Series) -> pl.Series:
        raise FileNotFoundError(str(edges[0]))

    with store.read() as session, pytest.raises(FileNotFoundError, match="L01/M"):
        session.trace(["L01/M"], "contains", "out", None, asked)


@pytest.mark.parametrize("name", [k.name for k in KINDS.values() if k.relation])
def test_every_relation_can_be_walked(store: Store, name: str) -> None:
    relation = KINDS[name].relation
    assert relation is not None
    needed = {n: "x" for n, field in KINDS[name].fields.items() if field.required and field.dtype == pl.String}
    frame = rows(name, {**needed, relation.start: "a/b", relation.end: "c/d"})
    store.commit(ChangeSet({name: frame}))
    with store.read() as session:
        assert session.trace(["a/b"], name, "out").rows() == [("a/b", 0), ("c/d", 1)]
        assert session.trace(["c/d"], name, "in").rows() == [("c/d", 0), ("a/b", 1)]
        assert session.trace(["c/d"], name, "out").rows() == [("c/d", 0)]
    with pytest.raises(ValueError, match="part"), store.read() as session:
        session.trace([], "part", "out")


def test_a_depth_of_ten_thousand_is_walked(store: Store) -> None:
    chain = [line(f"{n:05}", f"{m:05}") for n, m in itertools.pairwise(range(10_001))]
    store.commit(ChangeSet({"contains": rows("contains", *chain)}))
    with store.read() as session:
        down = session.trace(["L01/00000"], "contains", "out")
        up = session.trace(["L01/10000"], "contains", "in")
        asked = session.trace(["L01/00000"], "contains", "out", 500, lambda edges: edges.is_not_null())
    assert asked.equals(down.head(501))
    assert down["depth"].to_list() == up["depth"].to_list() == list(range(10_001))
    assert down["key"].reverse().to_list() == up["key"].to_list()
