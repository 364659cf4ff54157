"""The pages as routes: what a visitor may look at, the answers' headers, and what errors look like."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chaingraph import Actor, Busy, Capability, ChaingraphError, NotFound, StoreError, Workspace
from ingest import Desk
from schema.text import Text
from server.api.errors import ApiError, Code
from server.api.limits import Limits
from server.auth.accounts import Accounts
from server.auth.throttle import Throttle
from server.pages.visits import Visit, Visits

LOG = logging.getLogger(__name__)
FOLDER = Path(__file__).parent
TOGETHER = 4
"""Pages that are worked on at once."""
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
Page = Callable[[Visit], Awaitable[Response]]


class Site:
    """The pages of an application: `routes` are what it mounts, all of them under the paths in `OPEN`.

    Without `accounts` nobody logs in; without `authenticate` everybody is the administrator.
    """

    OPEN = ("/upload", "/auth/join", "/auth/login", "/auth/leave", "/style.css", "/join.js")
    """Paths whose pages find out themselves who asks."""

    def __init__(
        self,
        workspace: Workspace,
        desk: Desk,
        *,
        authenticate: Callable[[HTTPConnection], Awaitable[Actor]] | None = None,
        accounts: Accounts | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.workspace, self.desk, self.accounts = workspace, desk, accounts
        self.limits = limits or Limits()
        self.people, self.addresses = Throttle(5), Throttle(20)
        self._secret: bytes | None = None
        self._visits = Visits(authenticate, self._forms)
        self._limiter = CapacityLimiter(TOGETHER)
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def _forms(self) -> bytes:
        if self._secret is None:
            self._secret = self.workspace.store.secret("forms")
        return self._secret

    @property
    def routes(self) -> Sequence[Route]:
        """What the application mounts."""
        from server.pages import joining, uploads

        given = uploads.Uploads(self)
        doors = joining.Joining(self)
        return [
            Route("/style.css", _file("style.css", "text/css")),
            Route("/join.js", _file("join.js", "text/javascript")),
            Route("/auth/join", self.page(doors.join_form), methods=["GET"]),
            Route("/auth/login", self.page(doors.login_form), methods=["GET"]),
            Route("/auth/join/form", self.page(doors.join), methods=["POST"]),
            Route("/auth/login/form", self.page(doors.login), methods=["POST"]),
            Route("/auth/leave", self.page(doors.leave), methods=["POST"]),
            Route("/upload", self.page(given.every), methods=["GET"]),
            Route("/upload", self.page(given.create), methods=["POST"]),
            Route("/upload/quality", self.page(given.quality), methods=["GET"]),
            Route("/upload/template/{kind}.xlsx", self.page(given.template), methods=["GET"]),
            Route("/upload/{number}", self.page(given.show), methods=["GET"]),
            Route("/upload/{number}", self.page(given.act), methods=["POST"]),
            Route("/upload/{number}/marked/{index:int}.xlsx", self.page(given.marked), methods=["GET"]),
        ]

    def page(self, make: Page) -> Callable[[Request], Awaitable[Response]]:
        """A page as an endpoint: with its visit, its headers, and errors as pages."""

        async def answer(request: Request) -> Response:
            visit = Visit(request, None, "zh", "", fresh=False, form="")
            try:
                visit = await self._visits.of(request)
                response = await make(visit)
            except ApiError as error:
                response = self.problem(visit, error.message, error.status)
            except NotFound as error:
                response = self.problem(visit, error.say(visit.locale), 404)
            except (Busy, StoreError) as error:
                response = self.problem(visit, error.say(visit.locale), 503)
            except ChaingraphError as error:
                response = self.problem(visit, error.say(visit.locale), 409)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return answer

    def shown(self, visit: Visit, template: str, status: int = 200, /, **values: Any) -> Response:
        """A page out of its template."""
        locale = visit.locale

        def say(zh: str, en: str) -> str:
            return en if locale == "en" else zh

        path = visit.request.url.path
        text = self._templates.get_template(f"{template}.html").render(
            say=say, locale=locale, visit=visit, path=path, accounts=self.accounts is not None, **values
        )
        return visit.keep(Response(text, status, media_type="text/html; charset=utf-8"))

    def problem(self, visit: Visit, text: str, status: int) -> Response:
        """A page that says what went wrong."""
        return self.shown(visit, "problem", status, text=text)

    def to(self, visit: Visit, path: str, token: str | None = None, seconds: int | None = None) -> Response:
        """Go on elsewhere (303): what was sent is not sent twice."""
        return visit.keep(RedirectResponse(path, 303), token, seconds)

    async def run(self, work: Callable[..., Any], *given: Any) -> Any:
        """In a thread, as files and the store are waited for."""
        return await to_thread.run_sync(work, *given, limiter=self._limiter)

    async def is_good(self, visit: Visit, token: str) -> bool:
        """Whether a token is somebody's."""
        return await self._visits.holder(visit.request, token) is not None

    def uploader(self, visit: Visit) -> Actor | None:
        """Who asks, where they may upload; None for nobody. Raises ApiError for those who may not."""
        actor = visit.actor
        if actor is not None and not actor.may(Capability.UPLOAD):
            raise ApiError(Code.FORBIDDEN, visit.say(_NOT_ALLOWED))
        return actor


_NOT_ALLOWED = Text("您的角色不能上传数据。", "Your role may not upload.")


def _file(name: str, media: str) -> Callable[[Request], Awaitable[Response]]:
    """A file that pages refer to."""
    text = (FOLDER / name).read_text(encoding="utf-8")

    async def answer(_request: Request) -> Response:
        return Response(text, media_type=media, headers={"cache-control": "max-age=3600"})

    return answer
