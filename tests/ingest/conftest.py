"""A store of their own for tests of loading."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace; its store is `tmp_path / "store" / "graph.db"`."""
    with Workspace.open(f"sqlite:///{tmp_path / 'store' / 'graph.db'}") as opened:
        yield opened
