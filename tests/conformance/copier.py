"""A process of its own that copies a store: `python -m tests.conformance.copier FROM TO`.

It says each commit's number, and waits for a line before the next.
"""

from __future__ import annotations

import sys

from chaingraph.store import open_store
from chaingraph.store.copying import copy
from tests.conformance.writer import say


def main(source: str, destination: str) -> None:
    """Copy it."""

    def told(done: int, _total: int) -> None:
        say(done)
        sys.stdin.readline()

    copy(open_store(source), open_store(destination), told)


if __name__ == "__main__":
    main(*sys.argv[1:])
