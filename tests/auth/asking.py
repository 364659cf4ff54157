"""The real application, asked who asks."""

from __future__ import annotations

from typing import Any

import httpx
from starlette.applications import Starlette

from chaingraph import Workspace
from server.api.app import Settings, create_app
from server.auth.accounts import Accounts
from server.auth.authenticator import Authenticator
from server.auth.oidc import OpenId
from server.auth.routes import Routes
from tests.server.client import Client


def served(
    space: Workspace,
    *,
    openid: OpenId | None = None,
    development: bool = False,
    accounts: Accounts | None = None,
    **throttles: Any,
) -> Starlette:
    """The application, for whoever can say who they are."""
    local = accounts or Accounts(space)
    authenticate = Authenticator(space, openid=openid, development=development, local=local)
    routes = Routes(local, "en", **throttles).routes
    return create_app(space, Settings(authenticate=authenticate, routes=routes, development=False))


def me(app: Starlette, token: str | None, **headers: str) -> httpx.Response:
    """Who asks by a bearer token."""
    given = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    if token is not None:
        given[b"authorization"] = f"Bearer {token}".encode("latin-1")
    return Client(app).get("/auth/me", headers=given)


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


UNKNOWN = (401, "UNAUTHENTICATED")
