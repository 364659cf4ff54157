"""A consortium for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import Workspace
from tests.agreements.world import consortium


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """The small consortium, in a store of its own."""
    with consortium(tmp_path) as opened:
        yield opened
