"""What the tests of authentication share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import Workspace
from tests.auth.provider import Provider, running
from tests.server.cli import Call


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """An identity provider."""
    with running() as made:
        yield made


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of the test's own, with nothing in it."""
    with Workspace.open(f"sqlite:///{tmp_path / 'store.db'}") as made:
        yield made


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """The command line on a store of the test's own."""
    return Call(f"sqlite:///{tmp_path / 'store.db'}")
