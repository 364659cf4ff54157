"""Where the bytes of an upload come in: `/uploads/{code}/{index}`, by PUT or by tus 1.0.0, a piece at a time.

PUT brings what is missing of a file: all of it, or with `Upload-Offset` the rest. The same address speaks the core
protocol of tus (HEAD, PATCH, OPTIONS; https://tus.io/protocols/resumable-upload), so that a large file goes on where it
broke off. What has come stays, whatever becomes of the connection. GET of `/uploads/{code}/marked.xlsx` gives a file
back with what is wrong in it marked. Nothing here is for a page of another site: a token or a header is needed that no
form can send.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from chaingraph import Busy, Capability, ChaingraphError, Conflict, NotFound, StoreError
from ingest import DraftFile, Unreadable, finding, marked_workbook
from schema import Text
from server.api import aspects, touched
from server.api.bodies import limited, plain_coding
from server.api.budget import Budgets
from server.api.context import Context
from server.api.drafts import PREVIEW_COST, Shown, draft_of
from server.api.errors import ApiError, Code
from server.api.limits import Limits

TUS = "1.0.0"
OFFSETS = "application/offset+octet-stream"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
"""Types of forms: who sends one means another address."""
HEADER = "x-chaingraph-upload"
"""A header that no form can send, for who comes without a token in `Authorization`."""
PIECE = 4 << 20
"""So many bytes are written at a time."""
COST = 10
"""What a request costs."""
_LARGE = {"upload.too_large", "upload.longer", "upload.quota"}
MARKS = 10_000
"""Of one code in one column of one file so many rows are marked."""
ALLOWED = "OPTIONS, HEAD, PUT, PATCH"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Odd(ApiError):
    """An error with a status of its own."""

    def __init__(self, code: Code, message: str, status: int) -> None:
        super().__init__(code, message)
        self._status = status

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._status


class Files:
    """The endpoints of files for an application. `context(request)` says who asks, `refused` words what is refused."""

    def __init__(
        self, context: Callable[[Request], Context], budgets: Budgets, limits: Limits, refused: Callable[..., Any]
    ) -> None:
        self._context = context
        self._budgets = budgets
        self._limits = limits
        self._refused = refused
        self._limiter = CapacityLimiter(8)
        self._sending: Counter[str] = Counter()

    @property
    def routes(self) -> list[BaseRoute]:
        """What the application mounts."""
        return [
            Route("/uploads/{code}/marked.xlsx", _Handler(self, self.marked)),
            Route("/uploads/{code}/{index}", _Handler(self, self.file)),
        ]

    async def file(self, request: Request, context: Context) -> Response:
        """One request about one file. Raises ApiError, ChaingraphError."""
        method = request.method
        if method == "POST" and (instead := request.headers.get("x-http-method-override")):  # as tus has it
            method = instead.upper()
        if method == "OPTIONS":
            return Response(status_code=204, headers={"tus-version": TUS, "tus-max-size": str(self._limits.file)})
        if method not in {"HEAD", "PUT", "PATCH"}:
            raise ApiError(Code.METHOD_NOT_ALLOWED, f"Use {ALLOWED}.")
        said = request.headers.get("tus-resumable")
        if said != TUS and (said is not None or method == "PATCH"):
            raise Odd(Code.BAD_REQUEST, f"Say Tus-Resumable: {TUS}.", 412)
        self._budgets.spend(context.actor, COST)
        code, number = request.path_params["code"], request.path_params["index"]
        index = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else -1
        if method == "HEAD":
            _, file, there = await self._run(_found, context, code, index)
            return Response(headers={**_offset(there), **_length(file), "cache-control": "no-store"})
        return await self._take(request, context, method, code, index)

    async def _take(self, request: Request, context: Context, method: str, code: str, index: int) -> Response:
        """What a body brings."""
        bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
        if not (bearer or request.headers.get(HEADER) or request.headers.get("tus-resumable")):
            raise ApiError(Code.FORBIDDEN, f"Files need a bearer token, or the header {HEADER} with any value.")
        plain_coding(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in FORMS if method == "PUT" else kind != OFFSETS:
            wanted = "the file as it is, not as a form" if method == "PUT" else OFFSETS
            raise Odd(Code.BAD_REQUEST, f"Send {wanted}.", 415)
        draft, file, there = await self._run(_found, context, code, index)
        offset = _number(request, "upload-offset", None if method == "PATCH" else 0)
        size = self._limits.file if file.size is None else file.size
        if (length := _number(request, "upload-length", size)) != size:
            large = length > self._limits.file
            raise ApiError(Code.TOO_LARGE if large else Code.BAD_REQUEST, f"The file was said to have {size} bytes.")
        rest = max(0, size - offset)
        coming = _number(request, "content-length", rest)
        if coming > rest:
            raise ApiError(Code.TOO_LARGE, f"The file was said to have {size} bytes; {coming} after {offset} is more.")
        if method == "PUT" and coming < rest and file.size is not None and offset == there:
            raise ApiError(Code.BAD_REQUEST, f"The file was said to have {size} bytes; send all after {offset}.")
        with self._counted(context):
            there = await self._written(request, context, draft, index, offset, rest)
        if method == "PUT" and file.size is not None and there < size:
            raise ApiError(Code.BAD_REQUEST, f"{there} of {size} bytes have come; send the rest.", offset=there)
        return Response(status_code=204, headers=_offset(there))

    async def _written(
        self, request: Request, context: Context, draft: Shown, index: int, offset: int, most: int
    ) -> int:
        """Write the body from `offset` on, a piece at a time; what has come is kept whatever happens."""

        def append(piece: bytes) -> int:
            return draft.desk.append(context.actor, draft.code, index, offset, [piece] if piece else [])

        held = bytearray()
        offset = await self._run(append, b"")
        try:
            async for chunk in limited(request, most, self._limits.upload_seconds):
                held += chunk
                if len(held) >= PIECE:
                    piece, held = bytes(held), bytearray()
                    offset = await self._run(append, piece)
        finally:
            if held:
                offset = await self._run(append, bytes(held))
        return offset

    async def marked(self, request: Request, context: Context) -> Response:
        """A file of an upload with what is wrong marked in it. Raises ApiError, ChaingraphError."""
        if request.method not in {"GET", "HEAD"}:
            raise ApiError(Code.METHOD_NOT_ALLOWED, "Use GET.")
        number = request.query_params.get("file", "0")
        index = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else -1
        code = request.path_params["code"]
        self._budgets.spend(context.actor, PREVIEW_COST)

        def make() -> tuple[str, bytes]:
            draft, file, _ = _found(context, code, index)
            looked = draft.desk.look(context.actor, code, shown=MARKS)
            return file.name, marked_workbook(looked, draft.desk.path(context.actor, code, index), context.locale)

        try:
            name, content = await self._run(make)
        except Unreadable as error:
            said = finding(error.code, **error.values)
            text = f"{said.text.say(context.locale)} {said.remedy.say(context.locale)}"
            raise ApiError(Code.REFUSED, text, reason=error.code) from None
        shown = quote(f"{name.rpartition('.')[0] or name}.xlsx", safe="")
        disposition = f"attachment; filename=\"marked.xlsx\"; filename*=UTF-8''{shown}"
        more = {"content-disposition": disposition, "x-content-type-options": "nosniff", "cache-control": "no-store"}
        return Response(content, media_type=WORKBOOK, headers=more)

    async def answer(self, request: Request, handle: Callable[[Request, Context], Any]) -> Response:
        """The answer of a handler, or why there is none."""
        context = self._context(request)
        found: Response
        try:
            try:
                with context.touched.refusals():
                    if not context.actor.may(Capability.UPLOAD):
                        raise aspects.forbidden("An upload", context.actor)
                    found = await handle(request, context)
            finally:
                await touched.settle(context)
        except ClientDisconnect:
            found = Response(status_code=400)
        except (ApiError, StoreError) as error:
            found = await self._refused(request, error)
        except ChaingraphError as error:
            found = await self._refused(request, await self._worded(request, context, error))
        if request.method == "HEAD":
            found.body = b""
        return found

    async def _worded(self, request: Request, context: Context, error: ChaingraphError) -> ApiError:
        """What the desk refuses, as the client is to see it; with the offset where that is what is wrong."""
        code = Code.CONFLICT if isinstance(error, Conflict) else Code.REFUSED
        code = Code.NOT_FOUND if isinstance(error, NotFound) else code
        code = Code.TOO_LARGE if error.code in _LARGE else code
        code = Code.UNAVAILABLE if isinstance(error, Busy) else code
        more: dict[str, Any] = {"reason": error.code}
        if error.code == "upload.offset":
            _, _, there = await self._run(
                _found, context, request.path_params["code"], int(request.path_params["index"])
            )
            more["offset"] = there
        return ApiError(code, error.say(context.locale), **more)

    @contextmanager
    def _counted(self, context: Context) -> Iterator[None]:
        """Count what a member sends at once. Raises ApiError where that is too much."""
        firm = context.actor.organisation
        if self._sending[firm] >= self._limits.sending:
            raise ApiError(Code.THROTTLED, "Too many files are being sent at once.", retryAfter=1)
        self._sending[firm] += 1
        try:
            yield
        finally:
            self._sending[firm] -= 1
            if not self._sending[firm]:
                del self._sending[firm]

    async def _run(self, work: Callable[..., Any], *given: Any) -> Any:
        return await to_thread.run_sync(work, *given, limiter=self._limiter)


class _Handler:
    """A handler as an ASGI application of every method."""

    def __init__(self, files: Files, handle: Callable[[Request, Context], Any]) -> None:
        self._files = files
        self._handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._files.answer(request, self._handle)
        response.headers["tus-resumable"] = TUS
        if response.status_code == 405 or request.method == "OPTIONS":
            response.headers["allow"] = ALLOWED
        if response.status_code == 412:
            response.headers["tus-version"] = TUS
        await response(scope, receive, send)


def _found(context: Context, code: str, index: int) -> tuple[Shown, DraftFile, int]:
    """An upload, a file of it, and how much of that is here. Raises NotFound, alike for none and somebody else's."""
    draft = draft_of(context, code)
    if not 0 <= index < len(draft.files):
        raise NotFound(
            "upload.no_file",
            Text(f"上传 {code} 没有这个文件。", f"Upload {code} has no such file."),
            Text("请查看上传的文件列表。", "Look at the files of the upload."),
        )
    return draft, draft.draft.files[index], draft.files[index].received


def _offset(there: int) -> dict[str, str]:
    return {"upload-offset": str(there)}


def _length(file: DraftFile) -> dict[str, str]:
    return {} if file.size is None else {"upload-length": str(file.size)}


def _number(request: Request, header: str, otherwise: int | None) -> int:
    """The number that a header says. Raises ApiError where it says none, and must or does say something."""
    said = request.headers.get(header)
    if said is None and otherwise is not None:
        return otherwise
    if said is None or not (said.isascii() and said.isdigit()) or len(said) > 18:
        raise ApiError(Code.BAD_REQUEST, f"{header.title()} is a whole number of bytes.")
    return int(said)
