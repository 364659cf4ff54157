"""The bodies of requests: cut off at their limits while they come, looked over before they are parsed."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import anyio
import numpy as np
from starlette.requests import Request
from starlette.types import Message, Receive

from server.api.errors import ApiError, Code
from server.api.limits import Limits

TEXTS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""Texts of JSON, one without an end too: possessive, so that no body makes it try again."""
HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""How half a character (a lone surrogate) is escaped; whole ones beyond U+FFFF are too."""
STEPS = np.zeros(256, np.int8)
STEPS[list(b"[{")], STEPS[list(b"]}")] = 1, -1


def loads(body: bytes, limits: Limits) -> Any:
    """JSON in UTF-8, not deeper and of no more values than `limits` say.

    Refuses besides what Python would take beyond the standard, text that no file could hold, and two values of one
    name, of which another reader may take the other.
    """
    look_over(body, limits)
    try:
        text = body.decode()
        found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
        if HALF.search(text):
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ApiError(Code.BAD_REQUEST, "The JSON is nested too deeply.") from None
    except UnicodeError:
        raise ApiError(Code.BAD_REQUEST, "The body is not UTF-8 throughout, or escapes half a character.") from None
    except ValueError as error:
        raise ApiError(Code.BAD_REQUEST, f"The body is not JSON: {error}") from None
    return found


def look_over(body: bytes, limits: Limits) -> None:
    """Refuse JSON that is too deep or has too many values, in one pass over its bytes and before anything is made of
    them.
    """
    many = ApiError(Code.TOO_MANY, f"The JSON has more than {limits.values} values.")
    if body.count(b'"') > 20 * limits.values:  # two for a name, two for a value, and those that a document escapes
        raise many
    signs = np.frombuffer(TEXTS.sub(b"", body), np.uint8)
    if not len(signs):
        return
    if int(np.cumsum(STEPS[signs], dtype=np.int32).max()) > limits.nesting:
        raise ApiError(Code.BAD_REQUEST, f"The JSON is nested too deeply; {limits.nesting} levels are allowed.")
    values = int(np.isin(signs, np.frombuffer(b",[{", np.uint8)).sum())
    if values > limits.values:
        raise many


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("A name stands twice in one object.")
    return made


async def limited(request: Request, most: int, seconds: float) -> AsyncIterator[bytes]:
    """The body in pieces; raises ApiError beyond `most` bytes, or when it has not come within `seconds`."""
    async for chunk in Request(request.scope, counting(request.receive, most, seconds)).stream():
        yield chunk


def counting(receive: Receive, most: int, seconds: float) -> Receive:
    """`receive` that raises ApiError once more than `most` bytes have come, or it takes longer than `seconds`."""
    seen = 0
    until = anyio.current_time() + seconds

    async def counted() -> Message:
        nonlocal seen
        try:
            with anyio.fail_after(until - anyio.current_time()):
                message = await receive()
        except TimeoutError:
            raise ApiError(Code.TOO_SLOW, f"The body has not come within {seconds:g} seconds.") from None
        seen += len(message.get("body", b""))
        if seen > most:
            raise ApiError(Code.TOO_LARGE, f"The body is larger than {most} bytes.")
        return message

    return counted


def plain_coding(request: Request) -> None:
    """Refuse a compressed body: what it unpacks to has no limit."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"", "identity"}:
        raise ApiError(Code.BAD_REQUEST, "Send the body as it is, without content-encoding.")
