"""The web application: GraphQL, tables, health, and GraphiQL for a browser."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from anyio import to_thread
from graphql import DocumentNode, OperationDefinitionNode, OperationType
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from chaingraph import Actor, ChaingraphError, StoreError, Workspace
from ingest import Desk
from server.api import aspects, auditlog, events, graphiql, sockets, tables, touched
from server.api.context import Context, locale_of
from server.api.errors import ApiError, Code, Unreadable, headers
from server.api.files import Files
from server.api.http import Endpoint
from server.api.limits import Limits
from server.api.schema import SCHEMA

Authenticate = Callable[[HTTPConnection], Awaitable[Actor]]
"""Who sends a request (or opens a connection)."""


Refused = Callable[[Request, Exception], Awaitable[Response]]
"""What is answered to a request that is refused."""


OPEN = ("/health", "/auth/join", "/auth/login")
"""Paths for whoever has no token (yet)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server answers.

    `locale` is the language where a request does not say; `authenticate` finds out who sends a request, and raises
    ApiError where it cannot (without it everybody acts as the embedded store's administrator). `development` opens
    introspection, GraphiQL and suggestions. `hosts` are names besides localhost under which a request may come, such as
    that of a proxy; where none are given, any will do from another machine. `routes` are mounted besides, such as those
    of log-in; the ones under the paths in `open` find out themselves who asks. `desk` is where uploads are handed in
    step by step; without one there are none.
    """

    locale: str = "en"
    authenticate: Authenticate | None = None
    development: bool = True
    hosts: tuple[str, ...] = ()
    routes: Sequence[BaseRoute] = ()
    open: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    desk: Desk | None = None


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
        if scope["type"] in {"http", "websocket"} and (self.everywhere or (server and is_loopback(server[0]))):
            name = HTTPConnection(scope).headers.get("host", "").rpartition("@")[2]
            host = name.partition("]")[0].lstrip("[") if name.startswith("[") else name.partition(":")[0]
            if not (host in self.hosts or is_loopback(host)):
                if scope["type"] == "websocket":
                    await WebSocketClose(code=4403)(scope, receive, send)
                else:
                    await PlainTextResponse("Unknown host.", 421)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class Known:
    """Notes who sends each request, as `actor` in its state; the paths in `open_to_all` are for anybody.

    A WebSocket is asked once it is open (server/api/sockets.py), as browsers can set no headers for it.
    """

    def __init__(
        self, app: ASGIApp, authenticate: Authenticate | None, refused: Refused, open_to_all: tuple[str, ...]
    ) -> None:
        self.app = app
        self.authenticate = authenticate
        self.refused = refused
        self.open_to_all = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its actor, or refuse it."""
        path = scope.get("path", "")
        free = any(path == each or path.startswith(f"{each}/") for each in self.open_to_all)
        if scope["type"] == "http" and not free:
            connection = HTTPConnection(scope)
            try:
                actor = await self.authenticate(connection) if self.authenticate else Actor()
            except ApiError as error:
                await (await self.refused(Request(scope), error))(scope, receive, send)
                return
            scope.setdefault("state", {})["actor"] = actor
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


def refusals(locale: str) -> Refused:
    """What is refused outside GraphQL, in the shape that errors have there; `locale` where a request does not say."""

    async def refused(request: Request, error: Exception) -> Response:
        if isinstance(error, StoreError):
            error = Unreadable(error, locale_of(request, locale))
        assert isinstance(error, ApiError)
        body = {"errors": [{"message": error.message, "extensions": error.extensions}]}
        content, more = json.dumps(body, ensure_ascii=False), headers(error.code, error)
        if error.code is Code.UNAUTHENTICATED and request.url.path.startswith("/tables"):
            more = {"www-authenticate": 'Basic realm="chaingraph", charset="UTF-8"'}  # what spreadsheets ask people for
        if seconds := (error.extensions or {}).get("retryAfter"):
            more = {**more, "retry-after": str(seconds)}
        return Response(content, error.status, more, media_type="application/json")

    return refused


def create_app(workspace: Workspace, settings: Settings | None = None) -> Starlette:
    """The application on a workspace, which stays the caller's to close.

    One on a remote store is to follow it in the background (`Workspace.start_following`): then no request waits for the
    network.
    """
    chosen = settings or Settings()

    def context(request: Request) -> Context:
        return Context(
            workspace,
            locale_of(request, chosen.locale),
            request.state.actor,
            desk=chosen.desk,
            limits=chosen.limits,
        )

    def permit(asked: Context, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        if operation.operation is OperationType.SUBSCRIPTION:
            raise ApiError(Code.BAD_REQUEST, f"Subscriptions go by {sockets.PROTOCOL}, or as {events.EVENTS}.")
        with asked.touched.refusals():
            aspects.permit(endpoint.schema, document, operation, asked.actor)

    endpoint = Endpoint(
        SCHEMA,
        context,
        limits=chosen.limits,
        development=chosen.development,
        page=graphiql.page if chosen.development else None,
        begin=Context.begin,
        permit=permit,
        settle=touched.settle,
    )
    listeners = sockets.Sockets(workspace, endpoint, chosen.authenticate, chosen.locale, desk=chosen.desk)
    refused = refusals(chosen.locale)
    brought = Files(context, endpoint.budgets, chosen.limits, refused).routes if chosen.desk is not None else []
    return Starlette(
        routes=[
            Route("/", lambda _request: RedirectResponse("/graphql")),
            Route("/graphql", events.Events(endpoint, listeners)),
            WebSocketRoute("/graphql", listeners.serve),
            *(graphiql.routes if chosen.development else ()),
            Route("/tables/{name}.{form}", tables.endpoint(context, endpoint.budgets)),
            Route("/audit/checkpoint", auditlog.checkpoint(context)),
            *brought,
            *chosen.routes,
            Route("/health", health(workspace)),
            Route("/health/{what:str}", health(workspace)),
        ],
        middleware=[
            Middleware(Hosts, hosts=chosen.hosts),
            Middleware(Known, authenticate=chosen.authenticate, refused=refused, open_to_all=(*OPEN, *chosen.open)),
        ],
        exception_handlers={ApiError: refused, StoreError: refused},
    )
