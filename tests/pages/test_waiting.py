"""Who guesses at the pages waits; who comes in does not, however many share an address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaingraph import Actor, Workspace
from ingest import Desk
from schema.vocabularies import AccessRole
from server.api.app import Settings, create_app
from server.auth.accounts import Accounts
from server.auth.authenticator import Authenticator
from server.pages import Site
from tests.pages.browsing import Browser


@pytest.fixture
def person(space: Workspace, desk: Desk) -> Callable[[], Browser]:
    """Somebody without a session; all are at one address."""
    accounts = Accounts(space)
    authenticate = Authenticator(space, local=accounts)
    site = Site(space, desk, authenticate=authenticate, accounts=accounts)
    app = create_app(space, Settings(authenticate=authenticate, desk=desk, routes=site.routes, open=Site.OPEN))
    return lambda: Browser(app)


def test_colleagues_at_one_address_do_not_wait_for_each_other(space: Workspace, person: Callable[[], Browser]) -> None:
    authenticator = Authenticator(space)
    _, token = authenticator.tokens.issue(Actor(), "S1", AccessRole.SUPPLIER)
    for _ in range(25):
        clerk = person()
        clerk.open("/auth/login")
        clerk.press("/auth/login/form", token=token)
        assert clerk.path == "/upload"


def test_who_guesses_waits(person: Callable[[], Browser]) -> None:
    guesser = person()
    for number in range(21):
        guesser.open("/auth/login")
        guesser.press("/auth/login/form", token=f"guess-{number}")
    assert guesser.page.status_code == 429
    assert "请" in guesser.page.text


def test_no_page_is_shown_in_a_frame(person: Callable[[], Browser]) -> None:
    visitor = person()
    visitor.open("/auth/login")
    assert visitor.page.headers["x-frame-options"] == "DENY"
