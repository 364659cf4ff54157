"""Subscriptions over WebSocket, by the protocol graphql-transport-ws.

Who connects says who it is in headers or, as browsers cannot set any, in the payload of `connection_init`:
`{"authorization": "Bearer …", "x-purpose": "quality"}`. It is asked again and again while the connection lasts: when
the token is no longer good, or another one's, the connection is closed with 4403 within a second.
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationType, subscribe
from starlette.requests import HTTPConnection
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from chaingraph import Actor, StoreError, Workspace
from ingest import Desk
from server.api import aspects, touched
from server.api.bodies import loads
from server.api.context import locale_of
from server.api.documents import operation_of
from server.api.errors import ApiError, Code, Refused, Unreadable, formatted
from server.api.executor import BatchExecutor
from server.api.http import Asked, Endpoint, asked_of
from server.api.limits import look_over_variables, measure
from server.api.subscriptions import Listening, Watch

LOG = logging.getLogger(__name__)
PROTOCOL = "graphql-transport-ws"
INIT = 10.0
"""Seconds for `connection_init` to come."""
CHECK = 0.5
"""Seconds between looks at whether the right to be told still holds."""
SLOW = 5.0
"""Seconds that a message may take to be taken; who is slower is dropped."""
MOST_OF_CONNECTION, MOST_OF_MEMBER, MOST_CONNECTIONS = 20, 100, 500
"""Subscriptions of one connection and of one organisation, connections of all."""
CARRIED = ("authorization", "x-purpose")
"""What the payload of `connection_init` may carry in place of headers."""

Authenticate = Callable[[HTTPConnection], Awaitable[Actor]]


class Closed(Exception):
    """The connection is to be closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass
class Sockets:
    """The WebSocket side of an endpoint: one for an application."""

    workspace: Workspace
    endpoint: Endpoint
    authenticate: Authenticate | None
    locale: str
    desk: Desk | None = None
    connections: int = 0
    subscriptions: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.watch = Watch(self.workspace)

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its beginning to its end."""
        if not same_origin(socket) or self.connections >= MOST_CONNECTIONS:
            await socket.close(4403)
            return
        if PROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.accept()
            await socket.close(4406, "Subprotocol not acceptable")
            return
        self.connections += 1
        try:
            await socket.accept(PROTOCOL)
            await _Connection(self, socket).serve()
        finally:
            self.connections -= 1

    async def who(self, scope: Scope) -> Actor:
        """Who connects; raises ApiError."""
        actor = Actor() if self.authenticate is None else await self.authenticate(HTTPConnection(scope))
        if actor.expires is not None and actor.expires <= time.time():
            raise ApiError(Code.UNAUTHENTICATED, "The token is over.")
        return actor

    async def prepare(self, asked: Asked, actor: Actor, locale: str) -> Prepared:
        """A subscription that may run: checked and measured. Raises ApiError, Refused, StoreError."""
        endpoint = self.endpoint
        look_over_variables(asked.variables, endpoint.limits)
        document = endpoint.documents.get(asked.query)
        operation = operation_of(document, asked.operation_name)
        if operation.operation is not OperationType.SUBSCRIPTION:
            raise ApiError(Code.BAD_REQUEST, "Only subscriptions are told so; send other operations by POST.")
        context = Listening(self.workspace, locale, actor, watch=self.watch, desk=self.desk)
        try:
            with context.touched.refusals():
                aspects.permit(endpoint.schema, document, operation, actor)
        except ApiError:
            await touched.settle(context)
            raise
        measured = measure(endpoint.schema, document, operation, asked.variables, endpoint.limits)
        endpoint.budgets.spend(actor, measured.once)
        if self.subscriptions[actor.organisation] >= MOST_OF_MEMBER:
            raise ApiError(Code.TOO_MANY, "There are too many subscriptions already.")
        return Prepared(asked, document, context)

    async def results(self, prepared: Prepared) -> AsyncGenerator[ExecutionResult, None]:
        """What a subscription is told, counted for its organisation meanwhile. Raises Refused, StoreError."""
        firm = prepared.context.actor.organisation
        self.subscriptions[firm] += 1
        try:
            started = subscribe(
                self.endpoint.schema,
                prepared.document,
                context_value=prepared.context,
                variable_values=prepared.asked.variables,
                operation_name=prepared.asked.operation_name,
                executor_class=BatchExecutor,
                hide_suggestions=not self.endpoint.development,
            )
            stream = await started if isinstance(started, Awaitable) else started
            if isinstance(stream, ExecutionResult):
                raise Refused(Code.INVALID, stream.errors or [])
            async with contextlib.aclosing(stream) as found:  # type: ignore[type-var]
                async for result in found:
                    yield result
        finally:
            self.subscriptions[firm] -= 1
            if not self.subscriptions[firm]:
                del self.subscriptions[firm]

    async def lost(self, scope: Scope, actor: Actor) -> ApiError | None:
        """Why an actor has no more right to be told: what is said of the token now; None where it has."""
        try:
            now = await self.who(scope)
        except ApiError as error:
            return error
        same = (now.organisation, now.role, now.purpose, now.read_only)
        if same == (actor.organisation, actor.role, actor.purpose, actor.read_only):
            return None
        return ApiError(Code.FORBIDDEN, "Whoever asks is another one now.")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A subscription that may run."""

    asked: Asked
    document: DocumentNode
    context: Listening


def said(result: ExecutionResult, request_id: str, locale: str) -> dict[str, Any]:
    """What is told, as an answer to a request has it."""
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [formatted(each, request_id, locale) for each in result.errors]
    return body


class _Connection:
    """One connection: what it subscribes to, and who it is."""

    def __init__(self, sockets: Sockets, socket: WebSocket) -> None:
        self.sockets = sockets
        self.socket = socket
        self.scope: Scope = socket.scope
        self.locale = locale_of(socket, sockets.locale)
        self.actor: Actor | None = None
        self.known = asyncio.Event()
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.sending = asyncio.Lock()
        self.over: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Until either side ends it, or the right to be told does."""
        running = [asyncio.create_task(self._listen()), asyncio.create_task(self._guard())]
        try:
            ends: list[asyncio.Future[Any]] = [*running, self.over]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            closed = self.over.result() if self.over.done() else None
        finally:
            await _ended([*running, *self.tasks.values()])
        if closed is not None and self.socket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                await asyncio.wait_for(self.socket.close(closed.code, closed.reason), SLOW)

    def close(self, code: int, reason: str) -> None:
        """Have the connection closed; the first reason counts."""
        if not self.over.done():
            self.over.set_result(Closed(code, reason))

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message; who does not take it in time is dropped."""
        try:
            async with self.sending:
                await asyncio.wait_for(self.socket.send_text(json.dumps(message, ensure_ascii=False)), SLOW)
        except TimeoutError:
            self.close(4408, "Too slow")
        except (WebSocketDisconnect, RuntimeError):
            self.close(1006, "Gone")

    async def _listen(self) -> None:
        """Take messages until there are no more."""
        try:
            while True:
                received = await self.socket.receive()
                if received["type"] == "websocket.disconnect":
                    break
                await self._take(received.get("text"))
        except Closed as closed:
            self.close(closed.code, closed.reason)
            await self.over
        except WebSocketDisconnect:
            pass

    async def _guard(self) -> None:
        """Close the connection when the right to be told ends, or nobody says who it is."""
        try:
            await asyncio.wait_for(self.known.wait(), INIT)
        except TimeoutError:
            self.close(4408, "Connection initialisation timeout")
            return
        assert self.actor is not None
        while (error := await self.sockets.lost(self.scope, self.actor)) is None:
            await asyncio.wait({self.over}, timeout=CHECK)
        away = error.code is Code.UNAVAILABLE
        self.close(1013 if away else 4403, "Try again later" if away else "Forbidden")

    async def _take(self, text: str | None) -> None:
        """One message. Raises Closed for what the protocol does not have."""
        if text is None or len(text) > self.sockets.endpoint.limits.body:
            raise Closed(4400, "A message is JSON text of no more than a request's length")
        try:
            message = loads(text.encode(errors="surrogatepass"), self.sockets.endpoint.limits)
        except ApiError:
            raise Closed(4400, "The message is not JSON, or too much of it") from None
        name = message.get("type") if isinstance(message, dict) else None
        if name == "connection_init":
            await self._begin(message.get("payload"))
        elif name == "ping":
            await self.send({"type": "pong"})
        elif name == "subscribe":
            self._subscribe(message.get("id"), message.get("payload"))
        elif name == "complete":
            if (task := self.tasks.pop(str(message.get("id")), None)) is not None:
                task.cancel()
        elif name != "pong":
            raise Closed(4400, "There is no such message")

    async def _begin(self, payload: Any) -> None:
        if self.actor is not None:
            raise Closed(4429, "Too many initialisation requests")
        given = payload if payload is not None else {}
        if not isinstance(given, dict):
            raise Closed(4400, "The payload is no object")
        carried = {str(name).lower(): value for name, value in given.items() if str(name).lower() in CARRIED}
        if not all(isinstance(value, str) and value.isascii() for value in carried.values()):
            raise Closed(4400, "The payload does not say who it is as headers do")
        kept = [(name, value) for name, value in self.scope["headers"] if name.decode("latin-1") not in carried]
        more = [(name.encode(), value.encode()) for name, value in carried.items()]
        self.scope = {**self.scope, "headers": [*kept, *more]}
        try:
            self.actor = await self.sockets.who(self.scope)
        except ApiError as error:
            lost = error.code is Code.UNAVAILABLE
            raise Closed(1013 if lost else 4403, "Try again later" if lost else "Forbidden") from None
        self.known.set()
        await self.send({"type": "connection_ack"})

    def _subscribe(self, number: Any, payload: Any) -> None:
        if self.actor is None:
            raise Closed(4401, "Unauthorized")
        if not isinstance(number, str) or not number or not isinstance(payload, dict):
            raise Closed(4400, "subscribe has an id and a payload")
        if number in self.tasks:
            raise Closed(4409, f"Subscriber for {number[:40]} already exists")
        task = asyncio.create_task(self._run(number, payload, self.actor))
        self.tasks[number] = task
        task.add_done_callback(lambda _done: self._forget(number, task))

    def _forget(self, number: str, task: asyncio.Task[None]) -> None:
        if self.tasks.get(number) is task:
            del self.tasks[number]

    async def _run(self, number: str, payload: dict[str, Any], actor: Actor) -> None:
        """One subscription, with what goes wrong in it."""
        request_id = secrets.token_hex(8)
        try:
            await self._tell(number, payload, actor, request_id)
        except ApiError as error:
            await self._fail(number, [error], request_id, error.code)
        except StoreError as error:
            await self._fail(number, [Unreadable(error, self.locale)], request_id, Code.UNAVAILABLE)
        except Refused as refused:
            await self._fail(number, refused.errors, request_id, refused.code)
        except Exception as error:  # noqa: BLE001 - masked; the log has it
            shown = formatted(GraphQLError(str(error), original_error=error), request_id, self.locale)
            await self.send({"id": number, "type": "error", "payload": [shown]})

    async def _tell(self, number: str, payload: dict[str, Any], actor: Actor, request_id: str) -> None:
        """Check, measure and run a subscription to its end; raises ApiError, Refused, StoreError."""
        if len(self.tasks) > MOST_OF_CONNECTION:
            raise ApiError(Code.TOO_MANY, "There are too many subscriptions already.")
        prepared = await self.sockets.prepare(asked_of(payload), actor, self.locale)
        async with contextlib.aclosing(self.sockets.results(prepared)) as results:
            async for result in results:
                await self.send({"id": number, "type": "next", "payload": said(result, request_id, self.locale)})
        await self.send({"id": number, "type": "complete"})

    async def _fail(self, number: str, errors: Any, request_id: str, code: Code) -> None:
        shown = [formatted(error, request_id, self.locale, ran=False) for error in errors]
        for each in shown:
            if each["extensions"]["code"] == Code.INVALID:
                each["extensions"]["code"] = code.value
        await self.send({"id": number, "type": "error", "payload": shown})


def same_origin(socket: HTTPConnection) -> bool:
    """Whether a page of this site connects, or no page at all: browsers let any page open a WebSocket anywhere."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == socket.headers.get("host", "").lower()


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their ends."""
    for task in tasks:
        task.cancel()
    for found in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(found, Exception):
            LOG.error("a WebSocket failed", exc_info=found)
