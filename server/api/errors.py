"""Errors that a client is meant to read: a code, a message, nothing of the inside."""

from __future__ import annotations

import enum
import logging
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError, Node
from pydantic import ValidationError

from chaingraph import ChaingraphError, NotFound

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
    """Too many aliases or directives."""
    TOO_LARGE = "TOO_LARGE"
    """The body is larger than allowed."""
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    """A mutation over GET, or a method that is neither GET nor POST."""
    FORBIDDEN = "FORBIDDEN"
    """A header that only a script of this site can send is missing."""
    NOT_FOUND = "NOT_FOUND"
    """No such thing, or none that this viewer may see."""
    REFUSED = "REFUSED"
    """The graph does not allow it; the message says why."""
    INTERNAL = "INTERNAL"
    """A fault of ours; the log has it under the request id."""


STATUS = {
    Code.TOO_LARGE: 413,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.INTERNAL: 500,
}
"""HTTP status where a whole request is refused; 400 for all others."""


class ApiError(GraphQLError):
    """An error whose message is for the client; all others are masked."""

    def __init__(self, code: Code, message: str, nodes: Sequence[Node] | Node | None = None, **more: Any) -> None:
        super().__init__(message, nodes, extensions={"code": code.value, **more})
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status when the whole request is refused with it."""
        return STATUS.get(self.code, 400)


class Refused(Exception):
    """A request refused as a whole, with everything that is wrong with it."""

    def __init__(self, code: Code, errors: Sequence[GraphQLError]) -> None:
        super().__init__(code.value)
        self.code = code
        self.errors = errors


def formatted(error: GraphQLError, request_id: str, locale: str = "en", *, ran: bool = True) -> dict[str, Any]:
    """An error as the client sees it: one shape, with a code and the request id.

    What the graph refuses is said with its remedy. Any other exception while something `ran` is a fault of ours: it is
    masked, and the log has it.
    """
    original = error.original_error if ran else None
    while isinstance(original, GraphQLError):
        original = original.original_error
    more: dict[str, Any] = dict(error.extensions or {})
    message = error.message
    if isinstance(original, ChaingraphError):
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
    shown = {"message": message, **{part: v for part, v in error.formatted.items() if part in {"locations", "path"}}}
    return {**shown, "extensions": {**more, "code": str(more.get("code", Code.INVALID)), "requestId": request_id}}
