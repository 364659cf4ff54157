"""Several threads and processes at one store; processes killed in the middle of it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaingraph.changes import ChangeSet
from chaingraph.store import Store
from chaingraph.store.verify import verify
from tests.conformance.stores import Kept, graph, keys, parts, replayed
from tests.conformance.writer import change

ROOT = Path(__file__).parents[2]


@contextmanager
def writers(url: str, names: list[str], commits: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that write, all ready to begin; none is left behind."""
    command = [sys.executable, "-m", "tests.conformance.writer", url]
    processes = [
        subprocess.Popen(
            [*command, name, str(commits)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def whole(store: Store) -> None:
    """Only whole commits are in it, and all of them."""
    assert verify(store) is None
    found, expected = graph(store), replayed(store)
    assert found.keys() == expected.keys()
    assert all(found[name].equals(expected[name]) for name in found)
    commits = list(store.journal())
    assert [c.revision for c in commits] == list(range(1, len(commits) + 1))
    assert len(list(store.leaves("audit"))) == sum(1 for c in commits if c.rows == 19)


def test_threads_write_and_read_at_once(store: Store) -> None:
    stop = threading.Event()

    def write(number: int) -> None:
        for n in range(10):
            store.commit(change(f"T{number}", n), leaves=[b"leaf"])
            store.append("other", [str(number).encode()])
            assert store.secret("one") == store.secret("one")

    def read() -> int:
        looks = 0
        while not stop.is_set() or not looks:
            with store.read() as session:
                rows = [len(batch) for batch in session.scan("part")]
                assert sum(rows) == 10 * session.revision
            assert store.head().revision >= session.revision
            looks += 1
        return looks

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for done in [pool.submit(write, n) for n in range(4)]:
            done.result()
        stop.set()
        assert all(r.result() > 0 for r in readers)
    whole(store)
    assert store.head().revision == 40
    assert len(list(store.leaves("other"))) == 40


def test_processes_that_open_a_new_store_at_once_make_one(kept: Kept, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: kept.open(tmp_path), range(8)))
    assert len({store.secret("one") for store in stores}) == 1
    for number, store in enumerate(stores, start=1):
        assert store.commit(parts(number)) == number
        store.close()


def test_processes_write_at_once_and_nothing_is_lost(kept: Kept, tmp_path: Path) -> None:
    names, commits = ["P0", "P1", "P2"], 30
    with writers(kept.url(tmp_path), names, commits) as processes:
        store = kept.open(tmp_path)
        for process in processes:
            go(process)
        told = {name: [*map(int, process.stdout or ())] for name, process in zip(names, processes, strict=True)}
    whole(store)
    by = [c.by for c in store.journal()]
    assert {name: [n for n, who in enumerate(by, 1) if who == name] for name in names} == told
    assert all(len(numbers) == commits for numbers in told.values())
    store.close()


@pytest.mark.parametrize("acknowledged", [1, 2, 5, 9])
def test_a_killed_process_leaves_whole_commits_and_no_lock(kept: Kept, tmp_path: Path, acknowledged: int) -> None:
    with writers(kept.url(tmp_path), ["P"], 100_000) as (process,):
        go(process)
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(acknowledged)]
        process.kill()  # somewhere in the commits after that
        told += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    store = kept.open(tmp_path)
    assert store.head().revision in {told[-1], told[-1] + 1}  # an acknowledged commit is never lost
    whole(store)
    assert store.commit(parts("after"), leaves=[]) == store.head().revision
    store.close()


def test_many_kills_one_after_another(kept: Kept, tmp_path: Path) -> None:
    """A writer killed while others go on: they are not held up, and nothing of theirs is lost."""
    names = ["K0", "K1", "Q"]
    with writers(kept.url(tmp_path), names, 40) as processes:
        for process in processes:
            go(process)
        for process in processes[:2]:
            assert process.stdout is not None
            for _ in range(4):
                process.stdout.readline()
            process.kill()
        told = [*map(int, processes[2].stdout or ())]
    assert len(told) == 40
    store = kept.open(tmp_path)
    whole(store)
    assert len([k for k in keys(store, "part") if k.startswith("L01/Q-")]) == 400
    store.close()


def test_writers_have_their_turn_in_the_order_in_which_they_asked(store: Store) -> None:
    asked = [threading.Event() for _ in range(8)]

    def write(number: int) -> None:
        with store.writing(waiting=asked[number].set):
            store.commit(parts(number))

    with ThreadPoolExecutor(8) as pool, store.writing():
        running = []
        for number, event in enumerate(asked):
            running.append(pool.submit(write, number))
            assert event.wait(60)
        store.commit(parts("first"))
    for done in running:
        done.result()
    put = [commit.changes(None).put["part"]["number"].item() for commit in store.journal()]
    assert put == ["first", *map(str, range(8))]


def test_a_load_waits_for_nobody_and_nobody_comes_between(store: Store) -> None:
    """Under `writing`, other threads' commits wait until it is over; logs and reads do not."""
    asked = threading.Event()
    order: list[str] = []

    def other() -> None:
        with store.writing(waiting=asked.set):
            store.commit(parts("other"))
            order.append("other")

    with ThreadPoolExecutor(1) as pool:
        with store.writing(), store.writing():
            store.commit(ChangeSet(parts("A").put, load="l", last=False))
            waiting = pool.submit(other)
            assert asked.wait(60)
            with ThreadPoolExecutor(1) as another:
                assert another.submit(store.append, "audit", [b"x"]).result() == 1
                assert another.submit(lambda: store.head().revision).result() == 1
            store.commit(ChangeSet(parts("B").put, load="l", part=1))
            order.append("load")
        waiting.result()
    assert order == ["load", "other"]
    assert [c.load for c in store.journal()] == ["l", "l", None]
