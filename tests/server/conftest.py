"""What the tests of the server share."""

from pathlib import Path

import pytest

from tests.server.cli import Call


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """The command line on a store of the test's own."""
    return Call(f"sqlite:///{tmp_path / 'store.db'}")
