"""The write lock: one at a time, first come first served, and the dead hold nobody up."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chaingraph.errors import Busy, StoreError
from chaingraph.store.lock import FairLock

ROOT = Path(__file__).parents[2]
Process = subprocess.Popen[str]
Start = Callable[..., Process]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts processes that want the lock; all are ended with the test."""
    started: list[Process] = []

    def begin(*options: str) -> Process:
        command = [sys.executable, "-m", "tests.conformance.holder", str(folder), *options]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def said(process: Process) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def let_go(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def tickets(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name != "gate"]


def test_threads_get_it_in_the_order_in_which_they_came(folder: Path) -> None:
    order: list[int] = []
    queued = [threading.Event() for _ in range(20)]

    def want(number: int) -> None:
        with FairLock(folder)(60, queued[number].set):
            order.append(number)

    with ThreadPoolExecutor(20) as pool, FairLock(folder)():
        for number, event in enumerate(queued):
            pool.submit(want, number)
            assert event.wait(60)
        assert order == []
    assert order == list(range(20))
    assert tickets(folder) == []


def test_processes_get_it_in_the_order_in_which_they_came(folder: Path, start: Start) -> None:
    processes = []
    with FairLock(folder)():
        for _ in range(3):
            processes.append(start())
            assert said(processes[-1]) == "waiting"
    for number, process in enumerate(processes):
        assert said(process) == "held"
        assert len(tickets(folder)) == 3 - number  # the others' places, and its own
        let_go(process)
        assert said(process) == "free"
    assert tickets(folder) == []


def test_a_dead_holders_place_is_free_at_once(folder: Path, start: Start) -> None:
    holder = start()
    assert said(holder) == "held"
    waiter = start()
    assert said(waiter) == "waiting"
    holder.kill()
    assert said(waiter) == "held"
    let_go(waiter)
    assert said(waiter) == "free"
    with FairLock(folder)(0.0):
        assert len(tickets(folder)) == 1


def test_a_dead_waiters_place_is_free_at_once(folder: Path, start: Start) -> None:
    with FairLock(folder)():
        dead, alive = start(), None
        assert said(dead) == "waiting"
        alive = start()
        assert said(alive) == "waiting"
        dead.kill()
        dead.wait()
        last = start()
        assert said(last) == "waiting"
    for process in (alive, last):
        assert said(process) == "held"
        let_go(process)
        assert said(process) == "free"
    assert tickets(folder) == []


def test_who_waits_does_not_pass_over_a_living_one_before_it(folder: Path, start: Start) -> None:
    """The one just before it dies, but another is before that one: it wakes, clears that place, and sleeps again."""
    holder = start()
    assert said(holder) == "held"
    between = start()
    assert said(between) == "waiting"
    waiter = start()
    assert said(waiter) == "waiting"
    between.kill()
    between.wait()
    deadline = time.monotonic() + 60
    while len(tickets(folder)) > 2:
        assert time.monotonic() < deadline
    let_go(holder)
    assert said(holder) == "free"
    assert said(waiter) == "held"


def test_a_forked_child_does_not_keep_a_dead_parents_place(folder: Path, start: Start) -> None:
    holder = start("fork")
    assert said(holder) == "held"
    with pytest.raises(Busy), FairLock(folder)(0.0):
        pass
    holder.kill()
    holder.wait()
    with FairLock(folder)(60.0):
        assert len(tickets(folder)) == 1


def test_after_its_time_a_waiter_gives_up_its_place(folder: Path) -> None:
    asked: list[int] = []

    def impatient() -> str:
        with pytest.raises(Busy) as refused, FairLock(folder)(0.05, lambda: asked.append(1)):
            pass
        return refused.value.code

    with ThreadPoolExecutor(1) as pool, FairLock(folder)():
        assert pool.submit(impatient).result() == "store.busy"
        assert len(tickets(folder)) == 1
    assert asked == [1]
    with FairLock(folder)(0.0, lambda: asked.append(2)):
        pass
    assert asked == [1]


def test_a_thread_may_take_it_again(folder: Path) -> None:
    lock = FairLock(folder)
    with lock(), lock(0.0), FairLock(folder)(0.0):
        assert len(tickets(folder)) == 1
    assert tickets(folder) == []


def test_it_is_let_go_of_whatever_happens(folder: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), FairLock(folder)(0.0):
            raise KeyboardInterrupt
    assert tickets(folder) == []


def test_one_at_a_time(folder: Path, tmp_path: Path) -> None:
    """A counter that would lose counts if two ever had the lock."""
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count() -> None:
        for _ in range(50):
            with FairLock(folder)(60):
                counter.write_text(str(int(counter.read_text()) + 1))

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(count) for _ in range(8)]:
            done.result()
    assert counter.read_text() == "400"
    assert tickets(folder) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as refused, FairLock(tmp_path / "file" / "lock")():
        pass
    assert refused.value.code == "store.path"
