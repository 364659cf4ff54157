"""GraphQL over HTTP: POST of JSON, GET for queries, multipart uploads; one shape of errors, no 500 from outside.

Answers are `application/graphql-response+json` (a refused request is a 4xx without `data`), or `application/json` for
clients that accept only that (then a document that does not parse or fit is a 200, as they expect).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import strawberry
from anyio import CapacityLimiter, to_thread
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
)
from pydantic_core import PydanticSerializationError, to_json
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chaingraph import StoreError, Unavailable
from server.api.bodies import counting, limited, loads, plain_coding
from server.api.budget import Budgets
from server.api.documents import Documents, operation_of
from server.api.errors import ApiError, Code, Refused, Unreadable, cause, formatted, headers
from server.api.executor import BatchExecutor
from server.api.limits import Limits, look_over_variables, measure

MODERN = "application/graphql-response+json"
PLAIN = "application/json"
PREFLIGHT = "graphql-require-preflight"
"""A header that no form can send: without it a multipart request could come from another site's page (CSRF)."""
IN_THREAD = 200
"""From this cost on an operation runs in a thread, so that others are answered meanwhile."""
REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
ALLOWED = "GET, POST"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks to run."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None


class Endpoint:
    """The GraphQL endpoint as an ASGI application.

    `context(request)` makes what resolvers find in `info.context`; `begin(context, mutation)` is called with it before
    anything is executed, and may raise StoreError; `permit(context, document, operation)` before that, and may raise
    ApiError; `settle(context)` after all that, before any answer, and may raise StoreError: then 503 is the answer.
    Resolvers are plain functions; costly operations and mutations run in a thread.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        context: Callable[[Request], Any],
        *,
        limits: Limits | None = None,
        development: bool = False,
        page: Callable[[Request], Response] | None = None,
        begin: Callable[[Any, bool], None] | None = None,
        permit: Callable[[Any, DocumentNode, OperationDefinitionNode], None] | None = None,
        settle: Callable[[Any], Awaitable[None]] | None = None,
        budgets: Budgets | None = None,
    ) -> None:
        self.schema = schema._schema  # noqa: SLF001 - strawberry has no public name for the graphql-core schema
        self.context = context
        self.limits = limits or Limits()
        self.development = development
        self.page = page
        self.begin = begin
        self.permit = permit
        self.settle = settle
        self.budgets = budgets or Budgets(self.limits)
        self.documents = Documents(self.schema, self.limits, development=development)
        self.readers, self.writers = CapacityLimiter(4), CapacityLimiter(4)  # who waits for a lock holds up no query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        given = request.headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        response = await self.respond(request, request_id)
        response.headers["x-request-id"] = request_id
        response.headers["vary"] = "Accept"
        await response(scope, receive, send)

    async def respond(self, request: Request, request_id: str) -> Response:
        """The answer to one request."""
        media = accepted(request.headers.get("accept"))
        context = self.context(request)
        if self.page and request.method == "GET" and "query" not in request.query_params and wants_page(request):
            return self.page(request)
        try:
            async with AsyncExitStack() as stack:
                asked = await self.read(request, stack)
                try:
                    result, cost = await self.run(asked, request, context)
                finally:
                    if self.settle is not None:
                        await self.settle(context)
        except StoreError as error:
            unreadable = Unreadable(error, getattr(context, "locale", "en"))
            return answer(refusal([unreadable], request_id, unreadable.code), media, unreadable.status, unreadable.code)
        except ApiError as error:
            return answer(refusal([error], request_id, error.code), media, error.status, error.code, error)
        except Refused as refused:
            legacy = media == PLAIN and refused.code in {Code.SYNTAX, Code.INVALID}
            body = refusal(refused.errors, request_id, refused.code)
            return answer(body, media, 200 if legacy else 400)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - masked; the log has it
            shown = formatted(GraphQLError(str(error), original_error=error), request_id)
            return answer({"errors": [shown]}, media, 500)
        locale = getattr(context, "locale", "en")
        body = {"errors": [formatted(e, request_id, locale) for e in result.errors]} if result.errors else {}
        body["data"] = result.data
        body["extensions"] = {"cost": cost}
        return answer(body, media, 200)

    async def run(self, asked: Asked, request: Request, context: Any) -> tuple[ExecutionResult, dict[str, int]]:
        """Parse, check, measure and execute, and what it cost; raises ApiError or Refused for what is not executed."""
        look_over_variables(asked.variables, self.limits)
        document = self.documents.get(asked.query)
        operation = operation_of(document, asked.operation_name)
        if request.method == "GET" and operation.operation is not OperationType.QUERY:
            raise ApiError(Code.METHOD_NOT_ALLOWED, "GET is for queries; send other operations by POST.")
        if self.permit is not None:
            self.permit(context, document, operation)
        measured = measure(self.schema, document, operation, asked.variables, self.limits)
        mutation = operation.operation is OperationType.MUTATION
        actor = getattr(context, "actor", None)
        remaining = None if actor is None else self.budgets.spend(actor, measured.once)

        def execute() -> ExecutionResult:
            if self.begin is not None:
                self.begin(context, mutation)
            return execute_sync(
                self.schema,
                document,
                context_value=context,
                variable_values=asked.variables,
                operation_name=asked.operation_name,
                executor_class=BatchExecutor,
                hide_suggestions=not self.development,
            )

        if not mutation and measured.once < IN_THREAD:
            result = execute()
        else:
            result = await to_thread.run_sync(execute, limiter=self.writers if mutation else self.readers)
        lost = next((e for e in map(cause, result.errors or ()) if isinstance(e, Unavailable)), None)
        if lost and not (mutation and any(value is not None for value in (result.data or {}).values())):
            raise lost
        if result.data is None and result.errors and all(e.path is None for e in result.errors):
            raise Refused(Code.INVALID, result.errors)  # variables that do not fit
        cost = {"requested": int(measured.once), "allowed": self.limits.cost}
        return result, cost if remaining is None else {**cost, "remaining": remaining}

    async def read(self, request: Request, stack: AsyncExitStack) -> Asked:
        """What the request asks for; files of a multipart request stay open as long as `stack`."""
        if len(request.scope.get("query_string", b"")) > self.limits.address:
            raise ApiError(Code.TOO_LARGE, f"The address is longer than {self.limits.address} bytes.")
        if request.method == "GET":
            return asked_of(
                {
                    "query": request.query_params.get("query"),
                    "operationName": request.query_params.get("operationName") or None,
                    **{
                        name: loads(request.query_params[name].encode(errors="surrogatepass"), self.limits)
                        for name in ("variables", "extensions")
                        if request.query_params.get(name)
                    },
                }
            )
        if request.method != "POST":
            raise ApiError(Code.METHOD_NOT_ALLOWED, f"Use {ALLOWED}.")
        plain_coding(request)
        content = request.headers.get("content-type", "")
        kind, _, parameters = content.partition(";")
        kind = kind.strip().lower()
        charset = re.search(r"charset\s*=\s*\"?([\w-]+)", parameters, re.IGNORECASE)
        if kind == "multipart/form-data":
            return await self.read_multipart(request, stack)
        if kind != PLAIN:
            raise ApiError(Code.BAD_REQUEST, f"Send {PLAIN} or multipart/form-data, not {kind or 'nothing'}.")
        if charset and charset.group(1).lower() not in {"utf-8", "utf8"}:
            raise ApiError(Code.BAD_REQUEST, "Send UTF-8.")
        chunks = [chunk async for chunk in limited(request, self.limits.body, self.limits.body_seconds)]
        return asked_of(loads(b"".join(chunks), self.limits))

    async def read_multipart(self, request: Request, stack: AsyncExitStack) -> Asked:
        """The GraphQL multipart request specification: `operations`, `map`, then the files."""
        if not request.headers.get(PREFLIGHT):
            raise ApiError(Code.FORBIDDEN, f"Uploads need the header {PREFLIGHT} with any value.")
        limits = self.limits
        counted = Request(request.scope, counting(request.receive, limits.upload, limits.upload_seconds))
        try:
            form = await stack.enter_async_context(
                counted.form(max_files=limits.files, max_fields=limits.files, max_part_size=limits.body)
            )
        except (HTTPException, MultiPartException, KeyError, UnicodeDecodeError) as error:
            raise ApiError(Code.BAD_REQUEST, f"The multipart body does not parse: {error}") from None
        operations, where = (
            loads(str(form.get(name, "")).encode(errors="surrogatepass"), limits) for name in ("operations", "map")
        )
        if not isinstance(where, dict):
            raise ApiError(Code.BAD_REQUEST, "The part map names a list of variables for each file.")
        asked = asked_of(operations)
        if sum(len(paths) for paths in where.values() if isinstance(paths, list)) > limits.files:
            raise ApiError(Code.TOO_MANY, f"At most {limits.files} files may be placed.")
        for name, paths in where.items():
            file = form.get(name)
            if not isinstance(file, UploadFile) or not isinstance(paths, list):
                raise ApiError(Code.BAD_REQUEST, f"There is no file {name}, or map does not list where it goes.")
            for path in paths:
                place(asked.variables, path, file)
        return asked


def place(variables: dict[str, Any], path: object, file: UploadFile) -> None:
    """Put a file where `variables.a.0.b` says; the place must be there and null."""
    steps = path.split(".") if isinstance(path, str) else []
    here: Any = {"variables": variables}
    try:
        for step in steps[:-1]:
            here = here[int(step)] if isinstance(here, list) else here[step]
        last: Any = int(steps[-1]) if isinstance(here, list) else steps[-1]
        if len(steps) < 2 or here[last] is not None:
            raise KeyError(path)
        here[last] = file
    except (KeyError, IndexError, ValueError, TypeError):
        raise ApiError(Code.BAD_REQUEST, f"map names {path!r}, which is not a null in operations.") from None


def asked_of(payload: Any) -> Asked:
    """The parameters of a request; raises ApiError where one is missing or of the wrong type."""
    if not isinstance(payload, dict):
        raise ApiError(Code.BAD_REQUEST, "Send one JSON object with query, variables and operationName.")
    query, variables, name = payload.get("query"), payload.get("variables"), payload.get("operationName")
    if not isinstance(query, str) or not query:
        raise ApiError(Code.BAD_REQUEST, "query is missing or not text.")
    if variables is not None and not isinstance(variables, dict):
        raise ApiError(Code.BAD_REQUEST, "variables is not an object.")
    if name is not None and not isinstance(name, str):
        raise ApiError(Code.BAD_REQUEST, "operationName is not text.")
    if payload.get("extensions") is not None and not isinstance(payload["extensions"], dict):
        raise ApiError(Code.BAD_REQUEST, "extensions is not an object.")
    return Asked(query, variables or {}, name)


def accepted(header: str | None) -> str:
    """The media type to answer in: the client's first choice of the two, the modern one where it does not mind."""
    if not header:
        return PLAIN
    best, media = 0.0, PLAIN
    for part in header.split(","):
        name, *parameters = (p.strip().lower() for p in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        for offered, names in ((MODERN, (MODERN,)), (PLAIN, (PLAIN, "*/*", "application/*"))):
            if name in names and quality > best:
                best, media = quality, offered
    return media


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page to look at."""
    return "text/html" in request.headers.get("accept", "").lower()


def refusal(errors: Any, request_id: str, code: Code) -> dict[str, Any]:
    """The body of a refused request: errors and no data."""
    shown = [formatted(error, request_id, ran=False) for error in errors]
    for each in shown:
        if each["extensions"]["code"] == Code.INVALID:
            each["extensions"]["code"] = code.value
    return {"errors": shown}


def answer(
    body: dict[str, Any], media: str, status: int, code: Code | None = None, error: ApiError | None = None
) -> Response:
    """A JSON response."""
    try:
        content = to_json(body)
    except PydanticSerializationError:  # half a character (a lone surrogate) in some text
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    response = Response(content, status, media_type=f"{media}; charset=utf-8")
    response.headers.update(headers(code, error))
    if code is Code.METHOD_NOT_ALLOWED:
        response.headers["allow"] = ALLOWED
    return response
