"""The pages on the demo consortium's graph, in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaingraph import Workspace
from ingest import Desk
from schema.vocabularies import AccessRole
from server.api.app import Settings, create_app
from server.pages import Site
from tests.pages.browsing import Browser
from tests.server.client import acting


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    """An empty graph."""
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as workspace:
        yield workspace


@pytest.fixture
def desk(space: Workspace, tmp_path: Path) -> Desk:
    """Where uploads are handed in."""
    return Desk(space, tmp_path / "spool")


@pytest.fixture
def browser(space: Workspace, desk: Desk) -> Callable[..., Browser]:
    """Somebody of an organisation in a browser without scripts."""

    def opened(organisation: str = "S1", role: AccessRole = AccessRole.SUPPLIER) -> Browser:
        authenticate = acting(organisation, role)
        site = Site(space, desk, authenticate=authenticate)
        settings = Settings(authenticate=authenticate, desk=desk, routes=site.routes, open=Site.OPEN)
        return Browser(create_app(space, settings), signed_in=True)

    return opened
