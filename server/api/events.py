"""Subscriptions as server-sent events, for who can open no WebSocket: GraphQL over SSE, a connection for each.

`next` is sent with each answer, and `complete` at the end, which is also when the right to be told ends.
https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from chaingraph import StoreError
from server.api import sockets
from server.api.context import locale_of
from server.api.errors import ApiError, Code, Refused, Unreadable, formatted
from server.api.http import MODERN, Endpoint, answer, refusal
from server.api.sockets import Prepared, Sockets, said

EVENTS = "text/event-stream"
ALIVE = 12.0
"""Seconds after which something is sent, so that nobody between takes the connection for dead."""


class Events:
    """The GraphQL endpoint with server-sent events for those who accept them."""

    def __init__(self, endpoint: Endpoint, sockets: Sockets) -> None:
        self.endpoint = endpoint
        self.sockets = sockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        if EVENTS not in request.headers.get("accept", "").lower():
            await self.endpoint(scope, receive, send)
            return
        await (await self.respond(request))(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The stream of a subscription, or why there is none. Raises ApiError, StoreError."""
        request_id, locale = secrets.token_hex(8), locale_of(request, self.sockets.locale)
        try:
            async with contextlib.AsyncExitStack() as stack:
                asked = await self.endpoint.read(request, stack)
            prepared = await self.sockets.prepare(asked, request.state.actor, locale)
        except Refused as refused:
            return answer(refusal(refused.errors, request_id, refused.code), MODERN, 400)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no", "x-request-id": request_id}
        return StreamingResponse(self.told(request.scope, prepared, request_id), media_type=EVENTS, headers=headers)

    async def told(self, scope: Scope, prepared: Prepared, request_id: str) -> AsyncIterator[str]:
        """The events, as long as there is the right to them."""
        locale, quiet = prepared.context.locale, 0.0
        async with contextlib.aclosing(self.sockets.results(prepared)) as results:
            coming = asyncio.ensure_future(anext(results))
            try:
                while True:
                    await asyncio.wait({coming}, timeout=sockets.CHECK)
                    if (lost := await self.sockets.lost(scope, prepared.context.actor)) is not None:
                        raise lost
                    if coming.done():
                        yield event("next", said(coming.result(), request_id, locale))
                        coming, quiet = asyncio.ensure_future(anext(results)), 0.0
                    elif (quiet := quiet + sockets.CHECK) >= ALIVE:
                        yield ":\n\n"
                        quiet = 0.0
            except StopAsyncIteration:
                pass
            except (ApiError, StoreError) as error:
                shown = error if isinstance(error, ApiError) else Unreadable(error, locale)
                yield event("next", {"errors": [formatted(shown, request_id, locale, ran=False)]})
            except Refused as refused:
                yield event("next", refusal(refused.errors, request_id, Code.INVALID))
            finally:
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await coming
        yield event("complete", None)


def event(name: str, body: dict[str, Any] | None) -> str:
    """One event as text."""
    return f"event: {name}\ndata: {'' if body is None else json.dumps(body, ensure_ascii=False)}\n\n"
