"""A process of its own that erases rows: `python -m tests.conformance.eraser URL ROWS`, the rows as JSON.

Each payload is a transaction of its own; before each it says how many were done, and waits for a line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from chaingraph.store import Redaction, erasing, open_store
from tests.conformance.test_erase import entry
from tests.conformance.writer import say


def main(url: str, wanted: str) -> None:
    """Erase them."""
    store = open_store(url)
    redact, done = store.redact, 0

    def slowly(changed: Sequence[tuple[Redaction, bytes]], leaves: Sequence[bytes]) -> None:
        nonlocal done
        say(done)
        sys.stdin.readline()
        redact(changed, leaves)
        done += 1

    store.redact = slowly  # type: ignore[method-assign]
    erasing.PIECE = 1
    erasing.erase(store, json.loads(wanted), entry(), "AG/1")


if __name__ == "__main__":
    main(*sys.argv[1:])
