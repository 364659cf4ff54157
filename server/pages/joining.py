"""The way in: joining by an invitation, logging in, leaving."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from chaingraph import ChaingraphError
from schema.text import Text
from server.api.bodies import counting
from server.api.errors import ApiError, Code
from server.auth.accounts import INVITING, folded
from server.auth.routes import address_of
from server.pages.visits import FIELD, SESSION, Visit

if TYPE_CHECKING:
    from server.pages.site import Site

BODY, SECONDS = 16_384, 20.0
_WRONG = Text("用户名、密码或验证码不正确。", "The name, the password or the code is wrong.")
_TOKEN = Text("令牌无效或已过期。", "The token is not good, or has expired.")
_SLOW = Text("尝试次数过多，请 {} 秒后再试。", "Too many tries; wait {} seconds.")


class Joining:
    """Pages on local accounts."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def join_form(self, visit: Visit) -> Response:
        """The form for whoever has an invitation; it may stand in the address, behind `?invitation=`."""
        invitation = visit.request.query_params.get("invitation", "")
        return self._site.shown(visit, "join", invitation=invitation, problem=None, name="")

    async def join(self, visit: Visit) -> Response:
        """Make an account; what its second factor is set up with is shown once."""
        given = await form(visit)
        code, name = (str(given.get(each, "")).strip() for each in ("invitation", "name"))
        code = INVITING + code.rpartition(INVITING)[2] if INVITING in code else code  # a whole link was pasted
        accounts = self._site.accounts
        if accounts is None:
            raise ApiError(Code.NOT_FOUND, visit.say(_WRONG))
        self._slow(visit, "")
        try:
            joined = await self._site.run(accounts.join, code, name, str(given.get("password", "")))
        except ChaingraphError as error:
            problem = error.say(visit.locale)
            return self._site.shown(visit, "join", 422, invitation=code, problem=problem, name=name)
        self._succeeded(visit)
        return self._site.shown(visit, "joined", 201, joined=joined)

    async def login_form(self, visit: Visit) -> Response:
        """The form for whoever has an account."""
        return self._site.shown(visit, "login", problem=None, name="")

    async def login(self, visit: Visit) -> Response:
        """Open a session by name, password and code; or with a token that somebody was given."""
        given = await form(visit)
        if token := str(given.get("token", "")).strip():
            return await self._with_token(visit, token)
        name, password, code = (str(given.get(each, "")) for each in ("name", "password", "code"))
        accounts = self._site.accounts
        self._slow(visit, folded(name))
        opened = await self._site.run(accounts.open, name, password, code) if accounts else None
        if opened is None:
            return self._site.shown(visit, "login", 401, problem=visit.say(_WRONG), name=name)
        self._succeeded(visit, folded(name))
        return self._site.to(visit, "/upload", opened.token)

    async def _with_token(self, visit: Visit, token: str) -> Response:
        name = hashlib.sha256(token.encode()).hexdigest()
        self._slow(visit, name)
        if not await self._site.is_good(visit, token):
            return self._site.shown(visit, "login", 401, problem=visit.say(_TOKEN), name="")
        self._succeeded(visit, name)
        return self._site.to(visit, "/upload", token)

    async def leave(self, visit: Visit) -> Response:
        """End the session."""
        await form(visit)
        token = visit.request.cookies.get(SESSION, "")
        if self._site.accounts is not None and token:
            await self._site.run(self._site.accounts.close, token)
        return self._site.to(visit, "/auth/login", "")

    def _slow(self, visit: Visit, name: str) -> None:
        waits = [self._site.addresses.wait(address_of(visit.request))]
        if name:
            waits.append(self._site.people.wait(name))
        if (seconds := max(waits)) > 0:
            raise ApiError(Code.THROTTLED, visit.say(_SLOW).format(math.ceil(seconds)))

    def _succeeded(self, visit: Visit, name: str = "") -> None:
        """A try that was no guess: colleagues at one address are not made to wait for each other."""
        self._site.addresses.succeeded(address_of(visit.request), forget=False)
        if name:
            self._site.people.succeeded(name, forget=True)


async def form(visit: Visit, most: int = BODY, seconds: float = SECONDS, files: int = 0) -> FormData:
    """The fields of a form of ours. Raises ApiError for one that is not, or is too large or too slow."""
    request = visit.request
    bounded = Request(request.scope, counting(request.receive, most, seconds))
    try:
        given = await bounded.form(max_files=files, max_fields=5_000, max_part_size=BODY)
    except ApiError:
        raise
    except Exception as error:
        raise ApiError(Code.BAD_REQUEST, "The form cannot be read.") from error
    visit.check(given.get(FIELD))
    return given
