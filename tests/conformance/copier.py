"""A process of its own that copies a store: `python -m tests.conformance.copier FROM TO`; says each commit's number."""

from __future__ import annotations

import sys

from chaingraph.store import open_store
from chaingraph.store.copying import copy
from tests.conformance.writer import say


def main(source: str, destination: str) -> None:
    """Copy it."""
    copy(open_store(source), open_store(destination), lambda done, _: say(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
