"""A store on this machine that counts as remote, with a line to it that can be cut, blocked, and led elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from chaingraph import Unavailable, Workspace
from chaingraph.store import Store
from schema import Text
from tests.conformance.stores import STORES, Kept


class Far:
    """Passes every call on to the real store `inner`.

    While `cut`, calls raise Unavailable; calls named in `blocked` wait until they are taken out. `calls` has the names
    of all calls, with the first argument.
    """

    remote = True

    def __init__(self, inner: Store, cache: Path) -> None:
        self.inner = inner
        self.url = inner.url
        self.snapshots = cache
        self.cut = False
        self.blocked: set[str] = set()
        self.waiting: list[str] = []
        self.calls: list[tuple[str, Any]] = []

    def close(self) -> None:
        self.blocked.clear()
        self.inner.close()

    def _reach(self, name: str) -> None:
        self.waiting.append(name)
        until(lambda: name not in self.blocked)
        self.waiting.remove(name)
        if self.cut:
            raise Unavailable("store.unreachable", Text("断了。", "The line is cut."))

    def journal(self, since: int = 0, until: int | None = None) -> Iterator[Any]:
        for commit in self.inner.journal(since, until):
            self._reach("journal")
            yield commit

    @contextmanager
    def writing(self, *given: Any) -> Iterator[None]:
        self._reach("writing")
        with self.inner.writing(*given):
            yield

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            self.calls.append((name, given[0] if given else None))
            self._reach(name)
            return getattr(self.inner, name)(*given, **named)

        return call


def far(folder: Path, cache: str = "cache", kept: Kept = STORES[0]) -> tuple[Workspace, Far]:
    """A workspace on the store in `folder` as on a remote one, with snapshots of its own, and the line to it."""
    line = Far(kept.open(folder), folder / cache)
    return Workspace(cast("Store", line)), line


def until(true: Callable[[], object], seconds: float = 20.0) -> float:
    """Wait until something is true; gives the seconds it took. Fails when it never is."""
    started = time.monotonic()
    pause = threading.Event()
    while not true():
        if time.monotonic() - started > seconds:
            raise AssertionError("This never came true.")
        pause.wait(0.002)
    return time.monotonic() - started


def refused(workspace: Workspace) -> str | None:
    """Why there is no view, if there is none."""
    try:
        workspace.view()
    except Unavailable as error:
        return error.code
    return None
