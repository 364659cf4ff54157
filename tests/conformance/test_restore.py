"""A journal of another store is taken over commit by commit, as it was written."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chaingraph.changes import ChangeSet
from chaingraph.errors import Conflict
from chaingraph.store import Commit, Store, open_store
from tests.chaingraph.world import machine, rows
from tests.conformance.stores import graph, parts
from tests.conformance.test_journal import every_type


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Store]:
    """A store with puts, a deletion, a load of two commits whose last is empty, and an unfinished load."""
    store = open_store(f"sqlite:///{tmp_path / 'source.db'}")
    world = machine()
    store.commit(ChangeSet(world, by="L01"))
    store.commit(
        ChangeSet({"part": rows("part", {"number": "B", "issuer": "L01"})}, {"supplies": world["supplies"]["key"]})
    )
    store.commit(every_type())
    store.commit(ChangeSet(load="load-1", part=1, by="L01"))
    store.commit(replace(parts("new"), load="load-2", part=0, last=False))
    yield store
    store.close()


def written(commit: Commit) -> tuple[Any, ...]:
    """All that a journal says of a commit."""
    return (*astuple(replace(commit, payload=list))[:-1], commit.payload())


def test_a_restored_journal_is_the_same_to_the_byte(store: Store, source: Store) -> None:
    for commit in source.journal():
        store.restore(commit, [f"restored {commit.revision}".encode()])
    assert [written(c) for c in store.journal()] == [written(c) for c in source.journal()]
    assert store.head() == source.head()
    found, expected = graph(store), graph(source)
    assert found.keys() == expected.keys()
    assert all(found[name].equals(expected[name]) for name in found)
    assert list(store.leaves("audit")) == [f"restored {n}".encode() for n in range(1, 6)]
    store.commit(ChangeSet(load="load-2", part=1))
    assert store.head().visible == 6


def test_a_commit_that_is_there_is_not_restored_again(store: Store, source: Store) -> None:
    first, second, *_ = source.journal()
    store.restore(first)
    store.restore(second)
    for again in (first, second):
        store.restore(again, [b"again"])
    assert [written(c) for c in store.journal()] == [written(first), written(second)]
    assert list(store.leaves("audit")) == []


def wrong(commits: list[Commit]) -> dict[str, Commit]:
    """Commits that do not come third after the first two."""
    first, second, third, fourth, _ = commits
    return {
        "a gap": fourth,
        "another beginning": replace(first, digest=third.digest),
        "another second": replace(second, digest=third.digest),
        "another id": replace(third, id=uuid.uuid4()),
        "another content": replace(third, content=second.content),
        "another digest": replace(third, digest=second.digest),
        "another number": replace(fourth, revision=3),
        "none": replace(first, revision=0),
    }


@pytest.mark.parametrize(
    "what",
    [
        "a gap", "another beginning", "another second", "another id", "another content", "another digest",
        "another number", "none",
    ],
)  # fmt: skip
def test_what_does_not_continue_the_journal_is_refused(store: Store, source: Store, what: str) -> None:
    commits = list(source.journal())
    for commit in commits[:2]:
        store.restore(commit)
    before = graph(store)
    with pytest.raises(Conflict) as refused:
        store.restore(wrong(commits)[what], [b"never"])
    assert refused.value.code == "restore.differs"
    assert store.head().digest == commits[1].digest
    assert list(store.leaves("audit")) == []
    after = graph(store)
    assert after.keys() == before.keys()
    assert all(after[name].equals(before[name]) for name in after)
    store.restore(commits[2])
    assert store.head().revision == 3


def test_what_was_committed_here_is_not_continued_by_another_journal(store: Store, source: Store) -> None:
    store.commit(parts("own"))
    first, second, *_ = source.journal()
    for commit in (first, second):
        with pytest.raises(Conflict) as refused:
            store.restore(commit)
        assert refused.value.code == "restore.differs"
    assert graph(store)["part"]["key"].to_list() == ["L01/own"]


def test_deletions_are_restored(store: Store, tmp_path: Path) -> None:
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    other.commit(ChangeSet(machine()))
    other.commit(ChangeSet(delete={"contains": machine()["contains"]["key"], "part": pl.Series(["L01/M"])}))
    for commit in other.journal():
        store.restore(commit)
    other.close()
    assert sorted(graph(store)) == ["organisation", "part", "supplies"]
    assert graph(store)["part"]["key"].to_list() == ["L01/A", "L01/B"]
