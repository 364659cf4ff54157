"""Errors that a client is meant to read: a code, a message, nothing of the inside."""

from __future__ import annotations

import enum
import logging
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError, Node
from pydantic import ValidationError

from chaingraph import ChaingraphError, NotFound, StoreError, Unavailable
from schema import Text

log = logging.getLogger(__name__)


class Code(enum.StrEnum):
    """`extensions.code` of a top-level error."""

    BAD_REQUEST = "BAD_REQUEST"
    """Not GraphQL over HTTP: body, encoding, JSON, media type or a parameter."""
    SYNTAX = "SYNTAX"
    """The document does not parse."""
    INVALID = "INVALID"
    """The document does not fit the schema, names no operation, or its variables do not fit their types."""
    OUT_OF_RANGE = "OUT_OF_RANGE"
    """An argument is outside what it may be, such as `first` beyond 100."""
    BAD_CURSOR = "BAD_CURSOR"
    """A cursor of another list or order, or an altered one."""
    TOO_COSTLY = "TOO_COSTLY"
    """The operation asks for more objects than one request may."""
    TOO_DEEP = "TOO_DEEP"
    """Selections are nested deeper than allowed."""
    TOO_MANY = "TOO_MANY"
    """Too many aliases, directives, definitions, conditions or values."""
    TOO_LARGE = "TOO_LARGE"
    """The body, or a text in it, is larger than allowed."""
    TOO_SLOW = "TOO_SLOW"
    """The body did not come in time."""
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    """A mutation over GET, or a method that is neither GET nor POST."""
    FORBIDDEN = "FORBIDDEN"
    """The role does not allow it, or a header that only a script of this site can send is missing."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """No token, or one that is not (or no longer) good."""
    THROTTLED = "THROTTLED"
    """The member has used up its budget for now; `retry-after` says when there is some again."""
    NOT_FOUND = "NOT_FOUND"
    """No such thing, or none that this viewer may see."""
    CONFLICT = "CONFLICT"
    """What was sent does not go with what is there: another offset, or an upload that is confirmed already."""
    REFUSED = "REFUSED"
    """The graph does not allow it; the message says why."""
    UNAVAILABLE = "UNAVAILABLE"
    """The graph cannot be read or written at the moment; nothing was done, and the same request may be sent again."""
    INTERNAL = "INTERNAL"
    """A fault of ours; the log has it under the request id."""


STATUS = {
    Code.TOO_LARGE: 413,
    Code.TOO_SLOW: 408,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.FORBIDDEN: 403,
    Code.UNAUTHENTICATED: 401,
    Code.THROTTLED: 429,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
}
"""HTTP status where a whole request is refused; 400 for all others."""

LONGEST = 2_000
"""Characters of a message: some repeat what was sent."""

RETRY_AFTER = 2
"""Seconds after which a client may ask again for what was UNAVAILABLE."""


class ApiError(GraphQLError):
    """An error whose message is for the client; all others are masked."""

    def __init__(self, code: Code, message: str, nodes: Sequence[Node] | Node | None = None, **more: Any) -> None:
        super().__init__(message, nodes, extensions={"code": code.value, **more})
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status when the whole request is refused with it."""
        return STATUS.get(self.code, 400)


class Unreadable(ApiError):
    """The store does not answer, or cannot be read: its own words, which name addresses and files, go to the log."""

    def __init__(self, error: StoreError, locale: str) -> None:
        if not isinstance(error, Unavailable):  # those are told once, by who follows the store
            log.warning("a request could not be answered: %s", error)
        super().__init__(Code.UNAVAILABLE, _UNREADABLE.say(locale), reason=error.code)


_UNREADABLE = Text(
    "暂时无法读取图谱，请几秒后重试。", "The graph cannot be read at the moment; try again in a few seconds."
)


class Refused(Exception):
    """A request refused as a whole, with everything that is wrong with it."""

    def __init__(self, code: Code, errors: Sequence[GraphQLError]) -> None:
        super().__init__(code.value)
        self.code = code
        self.errors = errors


def cause(error: GraphQLError) -> BaseException | None:
    """The exception that an error of a field wraps, if it does."""
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    return original


def headers(code: object, error: GraphQLError | None = None) -> dict[str, str]:
    """The headers of a response that refuses a request with this code, or with this error."""
    wait = (error.extensions or {}).get("retryAfter") if error is not None else None
    if wait is not None:
        return {"retry-after": str(wait)}
    if code == Code.UNAUTHENTICATED:
        return {"www-authenticate": 'Bearer realm="chaingraph"'}
    return {"retry-after": str(RETRY_AFTER)} if code in {Code.UNAVAILABLE, Code.THROTTLED} else {}


def formatted(error: GraphQLError, request_id: str, locale: str = "en", *, ran: bool = True) -> dict[str, Any]:
    """An error as the client sees it: one shape, with a code and the request id.

    What the graph refuses is said with its remedy. Any other exception while something `ran` is a fault of ours: it is
    masked, and the log has it.
    """
    original = cause(error) if ran else None
    more: dict[str, Any] = dict(error.extensions or {})
    message = error.message
    if isinstance(original, Unavailable):
        message = _UNREADABLE.say(locale)
        more = {"code": Code.UNAVAILABLE, "reason": original.code}
    elif isinstance(original, ChaingraphError):
        message = original.say(locale)
        more = {"code": Code.NOT_FOUND if isinstance(original, NotFound) else Code.REFUSED, "reason": original.code}
    elif isinstance(original, ValidationError):
        message = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}" for e in original.errors()
        )
        more = {"code": Code.OUT_OF_RANGE}
    elif original is not None:
        log.error("request %s failed at %s", request_id, error.path, exc_info=original)
        message = f"Internal error; the log has it as {request_id}."
        more = {"code": Code.INTERNAL}
    message = message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
    shown = {"message": message, **{part: v for part, v in error.formatted.items() if part in {"locations", "path"}}}
    return {**shown, "extensions": {**more, "code": str(more.get("code", Code.INVALID)), "requestId": request_id}}
