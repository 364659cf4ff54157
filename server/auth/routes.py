"""`/auth/join`, `/auth/login`, `/auth/logout`, `/auth/me`: JSON over POST, but for `me`, which is asked by GET.

What a browser gets at `/auth/join` and `/auth/login` is a page (server/pages/joining.py).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chaingraph import Actor, Busy, ChaingraphError, StoreError
from schema.text import Text
from server.api.context import locale_of
from server.api.errors import ApiError, Code, Unreadable
from server.auth.accounts import OPENED, Accounts, folded
from server.auth.throttle import Throttle

BODY = 8_192
"""Bytes of a body."""
OPEN = ("/auth/join", "/auth/login")
"""For whoever has no token yet."""
HASHING = 2
"""Passwords that are checked at once: each takes 64 MiB for a moment."""
SECRET = {"cache-control": "no-store"}


class Routes:
    """The endpoints on local accounts.

    `people` and `addresses` count failures: five tries a name, twenty an address, then waits that double.
    """

    def __init__(
        self, accounts: Accounts, locale: str, people: Throttle | None = None, addresses: Throttle | None = None
    ) -> None:
        self._accounts, self._locale = accounts, locale
        self._people, self._addresses = people or Throttle(5), addresses or Throttle(20)
        self._limiter = CapacityLimiter(HASHING)

    @property
    def routes(self) -> Sequence[Route]:
        """What the application mounts."""
        return [
            Route("/auth/join", self.join, methods=["POST"]),
            Route("/auth/login", self.login, methods=["POST"]),
            Route("/auth/logout", self.logout, methods=["POST"]),
            Route("/auth/me", self.me, methods=["GET"]),
        ]

    async def join(self, request: Request) -> Response:
        """`{invitation, name, password}`: a new account, with what its second factor is set up with."""
        locale = locale_of(request, self._locale)
        given = await read(request, ("invitation", "name", "password"))
        address = address_of(request)
        self._slow(locale, (self._addresses, address))
        joined = await self._run(locale, self._accounts.join, given["invitation"], given["name"], given["password"])
        self._addresses.succeeded(address, forget=False)
        shown = {
            "name": joined.account.name, "organisation": joined.account.organisation, "role": joined.account.role.value,
            "secret": joined.secret, "otpauth": joined.address, "recoveryCodes": joined.recovery_codes,
        }  # fmt: skip
        return JSONResponse(shown, 201, SECRET)

    async def login(self, request: Request) -> Response:
        """`{name, password, code}`: a session's token."""
        locale = locale_of(request, self._locale)
        given = await read(request, ("name", "password", "code"))
        address, name = address_of(request), folded(given["name"])
        self._slow(locale, (self._addresses, address), (self._people, name))
        opened = await self._run(locale, self._accounts.open, given["name"], given["password"], given["code"])
        if opened is None:
            raise ApiError(Code.UNAUTHENTICATED, _WRONG.say(locale))
        self._people.succeeded(name, forget=True)
        self._addresses.succeeded(address, forget=False)
        who = {"organisation": opened.account.organisation, "role": opened.account.role.value}
        return JSONResponse({"token": opened.token, "expires": opened.expires, **who}, 200, SECRET)

    async def logout(self, request: Request) -> Response:
        """End the session by whose token this is asked."""
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        if not token.startswith(OPENED):
            raise ApiError(Code.BAD_REQUEST, _NO_SESSION.say(locale_of(request, self._locale)))
        await self._run(locale_of(request, self._locale), self._accounts.close, token)
        return Response(status_code=204, headers=SECRET)

    async def me(self, request: Request) -> Response:
        """Who asks."""
        actor: Actor = request.state.actor
        shown = {
            "organisation": actor.organisation, "role": actor.role.value, "purpose": actor.purpose.value,
            "account": actor.account, "expires": actor.expires, "readOnly": actor.read_only,
        }  # fmt: skip
        return JSONResponse(shown, 200, SECRET)

    def _slow(self, locale: str, *tried: tuple[Throttle, str]) -> None:
        """Refuse whoever has guessed too often."""
        seconds = max(throttle.wait(name) for throttle, name in tried)
        if seconds > 0:
            raise ApiError(Code.THROTTLED, _SLOW.say(locale), retryAfter=math.ceil(seconds))

    async def _run(self, locale: str, work: Any, *given: str) -> Any:
        """In a thread; what the store refuses, as the client is to see it."""
        try:
            return await to_thread.run_sync(work, *given, limiter=self._limiter)
        except StoreError as error:
            raise Unreadable(error, locale) from None
        except Busy as error:
            raise ApiError(Code.UNAVAILABLE, error.say(locale), reason=error.code) from None
        except ChaingraphError as error:
            raise ApiError(Code.REFUSED, error.say(locale), reason=error.code) from None


async def read(request: Request, names: Sequence[str]) -> dict[str, str]:
    """The texts of a JSON object, and nothing else; raises ApiError."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":  # which no form of another site can send
        raise ApiError(Code.BAD_REQUEST, "Send application/json.")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > BODY:
                raise ApiError(Code.TOO_LARGE, f"The body may have {BODY} bytes.")
    except ClientDisconnect:
        raise ApiError(Code.BAD_REQUEST, "The body broke off.") from None
    try:
        given = json.loads(bytes(body))
        fit = isinstance(given, dict) and set(given) == set(names) and all(isinstance(v, str) for v in given.values())
        texts = {name: str(given[name]) for name in names} if fit else {}
        for text in texts.values():
            text.encode()  # lone surrogates are no text
    except (ValueError, RecursionError):
        texts = {}
    if not texts:
        raise ApiError(Code.BAD_REQUEST, f"Send a JSON object with the texts {', '.join(names)}.")
    return texts


def address_of(request: Request) -> str:
    """Whose tries are counted together; of IPv6 the network, as a subscriber has all of it."""
    host = request.client.host if request.client else ""
    return ":".join(host.split(":")[:4]) if ":" in host else host


_WRONG = Text(
    "用户名、密码或动态码有误，或账户已停用。", "The name, the password or the code is wrong, or the account is closed."
)
_NO_SESSION = Text("请带上会话令牌。", "Send the session's token.")
_SLOW = Text("尝试过多，请稍后再试。", "Too many tries; wait before the next.")
