"""Whatever is committed, a store holds what a dict would."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaingraph.changes import ChangeSet
from chaingraph.errors import Conflict
from chaingraph.store.verify import verify
from schema import KINDS, kind
from schema.core import relations_to
from tests.chaingraph.world import rows
from tests.conformance.stores import STORES, Kept, graph, replayed

Graph = dict[str, dict[str, dict[str, Any]]]

codes = st.sampled_from(["A", "A@", "A/", "B", "中%"])
owners = st.sampled_from(["L01", "S@1"])
parts = st.sampled_from(["L01/A", "L01/A%40", "L01/A%2F", "L01/B", "L01/中%25"])
lots = st.sampled_from([f"{part}/S1/{lot}" for part in ("L01/A", "L01/B") for lot in ("A", "A%40")])
texts = st.none() | st.text(max_size=8)
GIVEN: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "organisation": st.fixed_dictionaries(
        {"id": st.sampled_from(["S1", "S2"]), "parent": st.sampled_from(["S1", None])}
    ),
    "part": st.fixed_dictionaries({"number": codes, "issuer": st.just("L01"), "name_zh": texts}),
    "contains": st.fixed_dictionaries(
        {
            "parent": parts,
            "child": parts,
            "quantity": st.floats(allow_nan=False),
            "valid_from": st.none() | st.dates(),
            "extra": texts,
            "owner": owners,
        }
    ),
    "lot": st.fixed_dictionaries({"part": parts, "maker": st.just("S1"), "code": codes, "owner": owners}),
    "life_record": st.fixed_dictionaries(
        {
            "id": codes,
            "part": parts,
            "lot": st.none() | lots,
            "age": st.floats(0, 1e300),
            "count": st.integers(-(2**63), 2**63 - 1),
            "relevant": st.none() | st.booleans(),
            "row": st.none() | st.integers(0, 2**40),
            "owner": owners,
        }
    ),
}


@st.composite
def change_sets(draw: st.DrawFn) -> ChangeSet:
    """Puts and deletes of some kinds, of keys that are few enough to meet again."""
    put = {}
    delete = {}
    for name, row in GIVEN.items():
        frame = rows(name, *(draw(row) for _ in range(draw(st.integers(0, 3)))))
        put[name] = frame.unique("key", keep="first", maintain_order=True)
        gone = rows(name, *(draw(row) for _ in range(draw(st.integers(0, 2)))))
        delete[name] = gone["key"]
    return ChangeSet(put, delete, by=draw(st.text(max_size=3)))


def applied(before: Graph, changes: ChangeSet) -> Graph | None:
    """The model: deletes, then puts; None if something deleted is referred to and nothing answers to it any more."""
    after = {name: dict(found) for name, found in before.items()}
    for name, gone in changes.delete.items():
        for key in gone:
            after[name].pop(key, None)
    for name, put in changes.put.items():
        for row in put.iter_rows(named=True):
            after[name][row["key"]] = row
    for name, gone in changes.delete.items():
        lost = {natural(name, key) for key in gone} - {natural(name, key) for key in after[name]}
        for other, field in relations_to(name):
            if lost & {row[field] for row in after.get(other.name, {}).values()}:
                return None
    return after


def natural(name: str, key: str) -> str:
    return key.rpartition("@")[0] if kind(name).by_owner else key


@pytest.mark.parametrize("kept", STORES, ids=lambda kept: kept.name)
@settings(max_examples=20)
@given(steps=st.lists(change_sets(), min_size=1, max_size=6))
def test_a_store_holds_what_a_dict_would(kept: Kept, steps: list[ChangeSet]) -> None:
    model: Graph = {name: {} for name in GIVEN}
    revision = 0
    with tempfile.TemporaryDirectory() as folder:
        store = kept.open(Path(folder))
        for changes in steps:
            after = applied(model, changes)
            if after is None:
                with pytest.raises(Conflict) as refused:
                    store.commit(changes)
                assert refused.value.code == "delete.referred"
            else:
                revision += changes.size > 0
                assert store.commit(changes) == revision
                model = after
        found, expected = graph(store), as_frames(model)
        assert found.keys() == expected.keys()
        assert all(found[name].equals(expected[name]) for name in found)
        again = replayed(store)
        assert again.keys() == found.keys()
        assert all(again[name].equals(found[name]) for name in found)
        assert verify(store) is None
        store.close()


def as_frames(model: Graph) -> dict[str, pl.DataFrame]:
    return {
        name: pl.DataFrame([found[key] for key in sorted(found, key=str.encode)], schema=KINDS[name].schema)
        for name, found in model.items()
        if found
    }
