"""The web application: GraphQL, tables, health, and GraphiQL for a browser."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from anyio import to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chaingraph import ChaingraphError, StoreError, Workspace
from server.api import graphiql, tables
from server.api.context import Context, locale_of
from server.api.errors import ApiError, Code, Unreadable, headers
from server.api.http import Endpoint
from server.api.limits import Limits
from server.api.schema import SCHEMA


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server answers.

    `locale` is the language where a request does not say; `organisation` whose uploads these are (the embedded store's
    own where empty). `development` opens introspection, GraphiQL and suggestions. `hosts` are names besides localhost
    under which a request may come, such as that of a proxy; where none are given, any will do from another machine.
    """

    locale: str = "en"
    organisation: str = ""
    development: bool = True
    hosts: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


class Hosts:
    """Refuses requests under a foreign name: another site's page, by a rebound DNS name.

    Over the loopback always; otherwise where the names are known, as behind a container's port that is published to
    the loopback.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self.app = app
        self.everywhere = bool(hosts)
        self.hosts = {"localhost", *hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        server = scope.get("server")
        if scope["type"] == "http" and (self.everywhere or (server and is_loopback(server[0]))):
            name = Request(scope).headers.get("host", "").rpartition("@")[2]
            host = name.partition("]")[0].lstrip("[") if name.startswith("[") else name.partition(":")[0]
            if not (host in self.hosts or is_loopback(host)):
                await PlainTextResponse("Unknown host.", 421)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def health(workspace: Workspace) -> Callable[[Request], Awaitable[Response]]:
    """`/health` (the process answers) and `/health/ready` (the graph can be read); no more is said."""

    async def answer(request: Request) -> Response:
        if request.path_params.get("what", "live") == "live":
            return JSONResponse({"status": "live"})
        try:
            await to_thread.run_sync(workspace.view)
        except ChaingraphError:
            return JSONResponse({"status": "unavailable"}, 503, headers(Code.UNAVAILABLE))
        return JSONResponse({"status": "ready"})

    return answer


def refusals(locale: str) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What is refused outside GraphQL, in the shape that errors have there; `locale` where a request does not say."""

    async def refused(request: Request, error: Exception) -> Response:
        if isinstance(error, StoreError):
            error = Unreadable(error, locale_of(request, locale))
        assert isinstance(error, ApiError)
        body = {"errors": [{"message": error.message, "extensions": error.extensions}]}
        content = json.dumps(body, ensure_ascii=False)
        return Response(content, error.status, headers(error.code), media_type="application/json")

    return refused


def create_app(workspace: Workspace, settings: Settings | None = None) -> Starlette:
    """The application on a workspace, which stays the caller's to close.

    One on a remote store is to follow it in the background (`Workspace.start_following`): then no request waits for the
    network.
    """
    chosen = settings or Settings()

    def context(request: Request) -> Context:
        return Context(workspace, locale_of(request, chosen.locale), chosen.organisation)

    endpoint = Endpoint(
        SCHEMA,
        context,
        limits=chosen.limits,
        development=chosen.development,
        page=graphiql.page if chosen.development else None,
        begin=Context.begin,
    )
    refused = refusals(chosen.locale)
    return Starlette(
        routes=[
            Route("/", lambda _request: RedirectResponse("/graphql")),
            Route("/graphql", endpoint),
            *(graphiql.routes if chosen.development else ()),
            Route("/tables/{name}.{form}", tables.endpoint(lambda: workspace.view(chosen.organisation))),
            Route("/health", health(workspace)),
            Route("/health/{what:str}", health(workspace)),
        ],
        middleware=[Middleware(Hosts, hosts=chosen.hosts)],
        exception_handlers={ApiError: refused, StoreError: refused},
    )
