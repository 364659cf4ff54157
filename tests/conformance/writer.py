"""A process of its own that writes to a store: `python -m tests.conformance.writer URL NAME COMMITS`.

It says `ready`, waits for a line, and after each commit says its number; each commit puts ten parts and the nine lines
between them, all named for it.
"""

from __future__ import annotations

import itertools
import sys

from chaingraph.changes import ChangeSet
from chaingraph.store import open_store
from tests.chaingraph.world import line, part, rows


def change(name: str, number: int) -> ChangeSet:
    """Commit number `number` of the writer `name`."""
    codes = [f"{name}-{number}-{n}" for n in range(10)]
    lines = [line(a, b) for a, b in itertools.pairwise(codes)]
    return ChangeSet({"part": rows("part", *map(part, codes)), "contains": rows("contains", *lines)}, by=name)


def say(what: object) -> None:
    """A line to whoever started this."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main(url: str, name: str, commits: str) -> None:
    """Write so many commits."""
    store = open_store(url)
    say("ready")
    sys.stdin.readline()
    for number in range(int(commits)):
        say(store.commit(change(name, number), leaves=[f"{name} {number}".encode()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
