"""A lock for threads and processes of one machine that is given first come, first served."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from chaingraph.errors import Busy
from chaingraph.store.sqlite_errors import told
from schema.text import Text

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int, *, shared: bool) -> bool:  # noqa: ARG001 - Windows has no shared kind
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _lock(file: int, *, shared: bool) -> None:
        while not _try_lock(file, shared=shared):
            time.sleep(0.01)

    def _unlock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _lock(file: int, *, shared: bool) -> None:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


_held: dict[tuple[Path, int], int] = {}
"""How many times over a thread (by its number) is inside a lock; each entry is touched by its own thread only."""
_tickets: set[int] = set()
"""Open files of this process's tickets."""


class FairLock:
    """A queue of ticket files in a folder; a ticket is in force while whoever drew it keeps its file locked.

    Everybody waits for the ticket just before their own, asleep in the kernel; when its holder is done, or dies (the
    kernel lets go of a dead process's locks), the next one wakes, makes sure that nobody is left before it, and has the
    lock. Re-entrant in a thread, for all objects with one path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @contextlib.contextmanager
    def __call__(self, timeout: float = 300.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the lock; `waiting` is called once if somebody else has it; raises Busy after `timeout` seconds."""
        mine = (self.folder, threading.get_ident())
        if mine in _held:
            _held[mine] += 1
            try:
                yield
            finally:
                _held[mine] -= 1
            return
        with told(self.folder):
            number, file = self._draw()
        try:
            self._wait(number, time.monotonic() + timeout, waiting)
            _held[mine] = 1
            yield
        finally:
            _held.pop(mine, None)
            self._tear(number, file)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012}"

    def _numbers(self) -> list[int]:
        return [int(each) for each in os.listdir(self.folder) if each.isdecimal()]  # noqa: PTH208 - ten times quicker

    def _draw(self) -> tuple[int, int]:
        """A new ticket, the last of the queue: its number and its open, locked file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        gate = os.open(self.folder / "gate", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(gate, shared=False)
            number = max(self._numbers(), default=0) + 1
            file = os.open(self._path(number), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            _tickets.add(file)
            _lock(file, shared=False)
            _unlock(gate)
        finally:
            os.close(gate)
        return number, file

    def _tear(self, number: int, file: int) -> None:
        """Leave the queue."""
        if file not in _tickets:
            return  # the child of a fork, which has let go of it
        _tickets.discard(file)
        if sys.platform != "win32":
            self._path(number).unlink(missing_ok=True)
        _unlock(file)  # and not only close: a child process may have inherited the file
        os.close(file)
        if sys.platform == "win32":
            _remove(self._path(number))

    def _wait(self, number: int, deadline: float, waiting: Callable[[], None] | None) -> None:
        """Return when no ticket before `number` is in force."""
        while before := [n for n in self._numbers() if n < number]:
            path = self._path(max(before))
            try:
                file = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue
            except PermissionError:
                if sys.platform != "win32":
                    raise
                time.sleep(0.01)  # it is being removed
                continue
            if _try_lock(file, shared=True):
                _unlock(file)
                os.close(file)
                _remove(path)  # its holder died: numbers before a living ticket are not drawn again
                continue
            if waiting is not None:
                waiting()
                waiting = None
            if not _sleep(file, deadline - time.monotonic()):
                raise Busy(
                    "store.busy",
                    Text("存储正被其他进程写入。", "Somebody else is writing to the store."),
                    Text("请稍后重试。", "Try again later."),
                )


def _remove(path: Path) -> None:
    """Remove a ticket that is not in force. On Windows it stays while somebody looks at it, until another one looks."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        if sys.platform != "win32":
            raise


def _sleep(file: int, seconds: float) -> bool:
    """Sleep until a locked file is let go of, then close it; False if it was not within `seconds`.

    Waiting in the kernel has no time limit, so a thread does it, which after the limit is left to end when it can.
    """
    free = threading.Event()

    def wait() -> None:
        _lock(file, shared=True)
        _unlock(file)
        os.close(file)
        free.set()

    threading.Thread(target=wait, name="waiting to write", daemon=True).start()
    return free.wait(max(seconds, 0.0))


def _forget() -> None:
    """What a lock is to the child of a fork: nobody's."""
    for file in _tickets:
        os.close(file)
    _tickets.clear()
    _held.clear()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget)
