"""Who looks at a page, in which language, and whether a form is one of ours.

Two cookies that no script can read and that no form of another site is sent with: the session's token, and a number
from which the value that every form has to bring is made.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from chaingraph import Actor
from schema.text import Text
from server.api.errors import ApiError, Code

SESSION, FORMS, LANGUAGE = "chaingraph", "chaingraph-forms", "lang"
FIELD = "form"
"""The field of every form that has the value."""
YEAR = 366 * 86_400
_NOT_OURS = Text("表单已失效，请返回重试。", "This form is not good any more; go back and try again.")


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page: who asks (None without a session), the language, and what its forms bring."""

    request: Request
    actor: Actor | None
    locale: str
    number: str
    fresh: bool
    """The number is a new one, to be kept by the browser."""
    form: str

    def say(self, text: Text) -> str:
        """A text in the visit's language."""
        return text.say(self.locale)

    def check(self, given: object) -> None:
        """Raises ApiError for a form that is not of a page of ours, as this browser was given it."""
        if self.fresh or not isinstance(given, str) or not hmac.compare_digest(given, self.form):
            raise ApiError(Code.FORBIDDEN, self.say(_NOT_OURS))

    def keep(self, response: Response, token: str | None = None, seconds: int | None = None) -> Response:
        """The answer with the cookies that the browser is to keep; a `token` is the session's, an empty one ends it."""
        forwarded = self.request.headers.get("x-forwarded-proto", "")  # of a proxy, whether it is trusted or not
        secure = "https" in {self.request.url.scheme, forwarded}

        def set_cookie(name: str, value: str, age: int | None) -> None:
            response.set_cookie(name, value, max_age=age, path="/", secure=secure, httponly=True, samesite="lax")

        if self.fresh:
            set_cookie(FORMS, self.number, None)
        if self.request.query_params.get("lang") in {"zh", "en"}:
            set_cookie(LANGUAGE, self.locale, YEAR)
        if token is not None:
            set_cookie(SESSION, token, seconds if token else 0)
        return response


class Visits:
    """Knows visitors by the cookies of their browsers. `authenticate` None: everybody is the administrator."""

    def __init__(
        self, authenticate: Callable[[HTTPConnection], Awaitable[Actor]] | None, secret: Callable[[], bytes]
    ) -> None:
        self._authenticate, self._secret = authenticate, secret

    async def of(self, request: Request) -> Visit:
        """Who asks for a page; without a session that is good now, nobody. Raises ApiError for trouble of the store."""
        number = request.cookies.get(FORMS, "")
        fresh = not (len(number) == 64 and number.isascii() and number.isalnum())
        number = secrets.token_hex(32) if fresh else number
        form = hmac.digest(self._secret(), number.encode(), hashlib.sha256).hex()
        asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE)
        return Visit(request, await self._actor(request), "en" if asked == "en" else "zh", number, fresh, form)

    async def _actor(self, request: Request) -> Actor | None:
        if self._authenticate is None:
            return Actor()
        return await self.holder(request, request.cookies.get(SESSION, ""))

    async def holder(self, request: Request, token: str) -> Actor | None:
        """Whose a token is; None for one that is not good."""
        if self._authenticate is None or not token or not token.isascii() or not token.isprintable():
            return None
        own = {b"authorization", b"x-purpose"}
        headers = [(name, value) for name, value in request.scope["headers"] if name not in own]
        headers.append((b"authorization", b"Bearer " + token.encode()))
        try:
            return await self._authenticate(HTTPConnection({**request.scope, "headers": headers}))
        except ApiError as error:
            if error.code is Code.UNAUTHENTICATED:
                return None
            raise
