"""A client that calls an ASGI application in process."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from chaingraph import Actor, Workspace
from schema.vocabularies import AccessRole
from server.api import opaque
from server.api.app import Authenticate


class Client:
    """`get` and `post` of httpx, answered by the application itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """One request."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://chaingraph.test") as client:
                return await client.request(method, url, **options)

        return asyncio.run(send())

    def get(self, url: str, **options: Any) -> httpx.Response:
        """A GET request."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """A POST request."""
        return self.request("POST", url, **options)


def acting(organisation: str, role: AccessRole = AccessRole.ADMINISTRATOR, **more: Any) -> Authenticate:
    """Everybody acts for one organisation."""

    async def authenticate(_connection: HTTPConnection) -> Actor:
        return Actor(organisation, role, **more)

    return authenticate


def sealed(space: Workspace, organisation: str = "") -> opaque.Sealed:
    """The ids and cursors of an organisation."""
    return opaque.keyed(space.store.secret(opaque.SECRET), organisation)
