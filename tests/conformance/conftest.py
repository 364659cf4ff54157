"""Every test here is run for every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph.store import Store
from tests.conformance.stores import STORES, Kept


@pytest.fixture(params=STORES, ids=lambda kept: kept.name)
def kept(request: pytest.FixtureRequest) -> Kept:
    """One kind of store after the other."""
    found: Kept = request.param
    return found


@pytest.fixture
def store(kept: Kept, tmp_path: Path) -> Iterator[Store]:
    """A new store."""
    made = kept.open(tmp_path)
    yield made
    made.close()
