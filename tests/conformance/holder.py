"""A process of its own that wants a lock: `python -m tests.conformance.holder FOLDER [fork]`.

It says `waiting` when somebody else has it, `held` when it has it, lets go after a line, and says `free`. With `fork`
its child, made while the lock is held, lives on without it until its standard input ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from chaingraph.store.lock import FairLock
from tests.conformance.writer import say


def main(folder: str, *options: str) -> None:
    """Hold the lock once."""
    lock = FairLock(Path(folder))
    with lock(60, lambda: say("waiting")):
        if "fork" in options and os.fork() == 0:
            sys.stdin.read()
            return
        say("held")
        sys.stdin.readline()
    say("free")


if __name__ == "__main__":
    main(*sys.argv[1:])
