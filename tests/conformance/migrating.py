"""A process of its own that opens a store as version 4 does: `python -m tests.conformance.migrating URL [STATEMENT]`.

It says `ready`, waits for a line, opens the store and says which steps it took. With a number it is killed, as by
`kill -9`, when it is about to run that statement of the migration.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import apsw
import pytest

from chaingraph.store import open_store, sqlite_migration
from chaingraph.store.migration import Step
from tests.conformance import later
from tests.conformance.writer import say


@contextmanager
def traced(said: list[str], end: int | None = None) -> Iterator[None]:
    """Note every statement that connections made meanwhile run; before the one with the number `end`, die."""
    number = count(1)

    def trace(_cursor: object, sql: str, _bindings: object) -> bool:
        if next(number) == end:
            os.kill(os.getpid(), signal.SIGKILL)
        said.append(sql)
        return True

    def hook(connection: apsw.Connection) -> None:
        connection.exec_trace = trace

    apsw.connection_hooks.append(hook)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(hook)


def main(url: str, *end: str) -> None:
    """Open it once."""
    taken: list[int] = []
    take = sqlite_migration.take

    def noted(run: apsw.Connection, step: Step) -> None:
        take(run, step)
        taken.append(step.version)

    with pytest.MonkeyPatch.context() as patch:
        later.live(patch)
        patch.setattr(sqlite_migration, "take", noted)
        say("ready")
        sys.stdin.readline()
        with traced([], int(end[0]) if end else None):
            open_store(url).close()
    say(" ".join(map(str, taken)))


if __name__ == "__main__":
    main(*sys.argv[1:])
