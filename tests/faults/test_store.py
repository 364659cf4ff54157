"""The store when the network fails: what was acknowledged is there, what was not is absent or done once by a retry."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from neo4j.exceptions import Neo4jError
from pydantic import SecretStr

from chaingraph.changes import ChangeSet
from chaingraph.errors import Busy, Conflict, StoreError, Unavailable
from chaingraph.settings import settings
from chaingraph.store.neo4j import Neo4jStore
from chaingraph.store.neo4j_errors import told
from chaingraph.store.sqlite import SqliteStore
from tests.chaingraph.world import line, part, rows
from tests.conformance.stores import graph, keys, parts, replayed
from tests.faults.conftest import LOOK
from tests.faults.proxy import COMMIT, Proxy
from tests.neo4j.server import Server

SECONDS = LOOK + 1.0
"""In which a look at the head must know that the server does not answer."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


def assembly(name: str) -> ChangeSet:
    """A part of two others, by two lines."""
    return ChangeSet(
        {
            "part": rows("part", *(part(f"{name}{end}") for end in ("", "1", "2"))),
            "contains": rows("contains", line(name, f"{name}1"), line(name, f"{name}2")),
        },
        by="L01",
    )


def assert_is(store: Neo4jStore, changes: list[ChangeSet], folder: Path) -> None:
    """The store's journal and graph are those of a store that nothing happened to."""
    clean = SqliteStore(folder / "clean.db")
    for each in changes:
        clean.commit(each)
    assert [c.digest for c in store.journal()] == [c.digest for c in clean.journal()]
    found, expected = graph(store), graph(clean)
    clean.close()
    assert found.keys() == expected.keys()
    assert all(found[name].equals(expected[name]) for name in expected)
    assert all(found[name].equals(rows) for name, rows in replayed(store).items())


def test_a_slow_network_changes_nothing(store: Neo4jStore, proxy: Proxy, tmp_path: Path) -> None:
    proxy.late(0.04)
    changes = assembly("A")
    assert store.commit(changes) == 1
    with within(SECONDS):
        assert store.head().revision == 1
    proxy.heal()
    assert_is(store, [changes], tmp_path)


def test_connections_that_were_cut_are_made_anew(store: Neo4jStore, proxy: Proxy, tmp_path: Path) -> None:
    first, second = assembly("A"), assembly("B")
    store.commit(first)
    proxy.cut()
    with within(SECONDS):
        assert store.head().revision == 1
    proxy.cut()
    assert store.commit(second) == 2
    proxy.cut()
    assert_is(store, [first, second], tmp_path)


def test_a_commit_that_is_cut_at_any_message_is_done_once(store: Neo4jStore, proxy: Proxy, tmp_path: Path) -> None:
    """All connections are cut: that of the lock as well, which nobody else takes meanwhile."""
    done: list[ChangeSet] = []
    for nth in itertools.count(1, 5):
        at, opened, changes = proxy.messages + nth, proxy.opened, assembly(f"A{nth}")
        proxy.on_message = lambda number, tag, at=at: proxy.cut() if number == at else None  # type: ignore[misc]
        with store.writing():
            assert store.commit(changes) == len(done) + 1
        with store.read() as session:
            assert len(session.rows("part", [f"L01/A{nth}"])) == 1
        done.append(changes)
        if proxy.messages < at:
            break
        assert proxy.opened > opened
    assert len(done) > 5
    assert_is(store, done, tmp_path)


def test_a_lock_that_was_lost_to_another_machine_is_noticed(
    store: Neo4jStore, proxy: Proxy, neo4j_server: Server, tmp_path: Path
) -> None:
    """The line of who holds the lock is cut, the server gives it to the next, and the first goes on where it was."""
    first = replace(assembly("A"), load="one", last=False)
    second = replace(assembly("B"), load="one", part=1)
    other = Neo4jStore(neo4j_server.url)
    with store.writing():
        store.commit(first)
        with pytest.raises(Busy), other.writing(timeout=0.3):
            pass
        proxy.cut()
        with other.writing():
            assert other.head().open_load == "one"
        with pytest.raises(Conflict) as found:
            store.commit(second)
        assert found.value.code == "lock.lost"
    with store.writing():
        assert store.commit(second) == 2
    other.close()
    assert_is(store, [first, second], tmp_path)


@pytest.mark.parametrize("lost", ["commit", "answer"])
def test_a_connection_lost_at_commit_leaves_one_commit(
    store: Neo4jStore, proxy: Proxy, lost: Literal["commit", "answer"], tmp_path: Path
) -> None:
    first, second = assembly("A"), assembly("B")
    store.commit(first, leaves=[b"first"])
    proxy.lose = lost
    assert store.commit(second, leaves=[b"second"]) == 2
    assert proxy.lost == 1
    assert store.commit(second, leaves=[b"again"]) == 2
    assert list(store.leaves("audit")) == [b"first", b"second"]
    assert_is(store, [first, second], tmp_path)


CHANGES: dict[str, Callable[[Neo4jStore], object]] = {
    "append": lambda store: store.append("log", [b"one", b"two"]),
    "leaves alone": lambda store: store.commit(ChangeSet(), leaves=[b"one"]),
    "blob": lambda store: store.put_blob("name", b"data"),
    "secret": lambda store: store.secret("name", b"s" * 32),
}


@pytest.mark.parametrize("lost", ["commit", "answer"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_commit_is_done_once_as_well(
    store: Neo4jStore, proxy: Proxy, lost: Literal["commit", "answer"], change: str
) -> None:
    proxy.lose = lost
    CHANGES[change](store)
    assert proxy.lost == 1
    held = {
        "append": list(store.leaves("log")) == [b"one", b"two"],
        "leaves alone": list(store.leaves("audit")) == [b"one"],
        "blob": store.blob("name") == b"data",
        "secret": store.secret("name") == b"s" * 32,
    }
    assert held == {name: name == change for name in held} | {"secret": change == "secret"}


def test_a_copied_commit_is_taken_over_once(store: Neo4jStore, proxy: Proxy, tmp_path: Path) -> None:
    source = SqliteStore(tmp_path / "source.db")
    changes = [assembly("A"), assembly("B")]
    for each in changes:
        source.commit(each)
    for commit, lost in zip(source.journal(), ("answer", "commit"), strict=True):
        proxy.lose = lost  # type: ignore[assignment]
        store.restore(commit)
    source.close()
    assert proxy.lost == 2
    assert_is(store, changes, tmp_path)


def test_readers_know_soon_that_nobody_answers_and_go_on_when_somebody_does(store: Neo4jStore, proxy: Proxy) -> None:
    store.commit(parts("A"))
    for fail in (proxy.black_hole, proxy.refuse):
        fail()
        with within(SECONDS), pytest.raises(Unavailable) as found:
            store.head()
        assert found.value.code == "store.unreachable"
        assert proxy.url in found.value.say("zh")
        proxy.heal()
        with within(SECONDS):
            assert store.head().revision == 1
        assert keys(store, "part") == ["L01/A"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_commit_into_a_black_hole_ends_and_is_completed_by_a_retry(
    store: Neo4jStore, proxy: Proxy, moment: str, tmp_path: Path
) -> None:
    """`after`: the server gets the COMMIT, and its answer is what is swallowed."""
    changes = assembly("A")

    def swallow(number: int, tag: int) -> None:
        if tag == COMMIT:
            proxy.black_hole()

    if moment == "before":
        proxy.black_hole()
    else:
        proxy.on_message = swallow
    with within(5.0), pytest.raises(Unavailable):
        store.commit(changes)
    proxy.on_message = lambda number, tag: None
    proxy.heal()
    assert store.commit(changes) == 1
    assert_is(store, [changes], tmp_path)


def test_a_wrong_password_is_told_and_not_tried_again(store: Neo4jStore, proxy: Proxy) -> None:
    chosen = settings().model_copy(update={"neo4j_password": SecretStr("not the password")})
    other = Neo4jStore(proxy.url, chosen)
    opened = proxy.opened
    with within(SECONDS), pytest.raises(StoreError) as found:
        other.head()
    assert found.value.code == "store.auth"
    assert not isinstance(found.value, Unavailable)
    assert proxy.opened == opened + 1
    other.close()
    assert store.head().revision == 0


def test_a_missing_database_is_told(proxy: Proxy) -> None:
    other = Neo4jStore(f"{proxy.url}/nowhere")
    with within(SECONDS), pytest.raises(StoreError) as found:
        other.head()
    assert found.value.code == "store.database"
    assert "nowhere" in found.value.say("en")
    other.close()


@pytest.mark.parametrize(
    ("code", "told_as"),
    [
        ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", "store.memory"),
        ("Neo.TransientError.Transaction.DeadlockDetected", "store.unreachable"),
        ("Neo.ClientError.General.DatabaseUnavailable", "store.unreachable"),
        ("Neo.ClientError.Security.Forbidden", "store.forbidden"),
        ("Neo.ClientError.Security.AuthenticationRateLimit", "store.auth"),
        ("Neo.ClientError.Schema.ConstraintValidationFailed", "store.failed"),
    ],
)
def test_complaints_of_the_server_are_told(code: str, told_as: str) -> None:
    with pytest.raises(StoreError) as found, told("bolt://graph.example"):
        raise Neo4jError._hydrate_neo4j(code=code, message="that is how it is")
    assert found.value.code == told_as
    assert isinstance(found.value, Unavailable) == (told_as == "store.unreachable")
    for locale in ("zh", "en"):
        assert "bolt://graph.example" in found.value.say(locale)


def test_closing_does_not_wait_for_a_server_that_is_gone(proxy: Proxy) -> None:
    for fail in (proxy.black_hole, proxy.refuse):
        store = Neo4jStore(proxy.url)
        store.prepare()
        fail()
        with within(SECONDS):
            store.close()
        proxy.heal()
