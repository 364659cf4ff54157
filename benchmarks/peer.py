"""A server process for `serving`: the application on a store, or a bare one, over HTTP; `/cpu` tells its CPU
seconds.
"""

from __future__ import annotations

import socket
import sys
import time

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from chaingraph import Workspace
from server.api.app import create_app


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """The least that an application can do: read the request, answer as many bytes."""
    del scope
    await _answer(send, (await receive())["body"])


def metered(app: ASGIApp) -> ASGIApp:
    """The application, and its process' CPU time at /cpu."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/cpu":
            await receive()
            await _answer(send, str(time.process_time()).encode())
        else:
            await app(scope, receive, send)

    return outer


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    what, descriptor = sys.argv[1:]
    app: ASGIApp = bare if what == "bare" else create_app(Workspace.open(what))
    server = uvicorn.Server(uvicorn.Config(metered(app), log_level="error", lifespan="off"))
    server.run(sockets=[socket.socket(fileno=int(descriptor))])
