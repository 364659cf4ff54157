"""Who sends a request: by the one `Authorization` header it has, and for which purpose."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection

from chaingraph import Actor, ChaingraphError, StoreError, Workspace
from schema.text import Text
from schema.vocabularies import Purpose
from server.api.context import locale_of
from server.api.errors import ApiError, Code, Unreadable
from server.auth import accounts, development, tokens
from server.auth.granting import purpose_of
from server.auth.oidc import OpenId, Untrusted

LOG = logging.getLogger(__name__)
PURPOSE = "x-purpose"
LONGEST = 20_000
"""Characters of a header that is looked at."""
TOGETHER = 8
"""Requests that are looked at at once."""


class Authenticator:
    """Says who acts, as `server.api.app.Settings.authenticate` wants it.

    API tokens and sessions of local accounts are always taken, tokens of an identity provider where there is one, those
    of the development mode only where `development` says so. `locale` is the language where a request does not say.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        openid: OpenId | None = None,
        development: bool = False,
        locale: str = "en",
        local: accounts.Accounts | None = None,
    ) -> None:
        self._workspace, self._openid, self._development, self._locale = workspace, openid, development, locale
        self.tokens = tokens.Tokens(workspace)
        self.accounts = local or accounts.Accounts(workspace)
        self._limiter = CapacityLimiter(TOGETHER)

    async def __call__(self, connection: HTTPConnection) -> Actor:
        """Who sends a request, or opens a connection; raises ApiError."""
        locale, asked = locale_of(connection, self._locale), connection.headers.getlist(PURPOSE)
        given = connection.headers.getlist("authorization")
        if len(given) != 1 or len(asked) > 1 or len(given[0]) > LONGEST:
            raise unknown(locale, several=len(given) > 1 or len(asked) > 1)
        scheme, _, credentials = given[0].strip().partition(" ")
        if scheme.lower() == "basic":
            return await self._run(lambda: self._basic(credentials.strip(), asked, locale), locale)
        if scheme.lower() != "bearer":
            raise unknown(locale)
        return await self._run(lambda: self._bearer(credentials.strip(), asked, locale), locale)

    async def _run(self, find: Callable[[], Actor], locale: str) -> Actor:
        """In a thread, as the store or the identity provider may be asked."""
        try:
            return await to_thread.run_sync(find, limiter=self._limiter)
        except StoreError as error:
            raise Unreadable(error, locale) from None

    def _bearer(self, token: str, asked: Sequence[str], locale: str) -> Actor:
        if token.startswith(tokens.PREFIX):
            found = self.tokens.find(token)
            if found is None:
                raise unknown(locale)
            return found.actor(_purpose(asked, [found.purpose] if found.purpose else [], locale))
        if token.startswith(accounts.OPENED):
            person = self.accounts.find(token)
            if person is None:
                raise unknown(locale)
            return replace(person, purpose=_purpose(asked, [], locale))
        if token.startswith(development.PREFIX):
            read = development.read(self._workspace, token) if self._development else None
            if read is None:
                raise unknown(locale)
            actor, bound = read
            return replace(actor, purpose=_purpose(asked, [bound] if bound else [], locale))
        if self._openid is None:
            raise unknown(locale)
        try:
            said = self._openid.said(token)
        except Untrusted as error:
            LOG.info("a token of the identity provider was refused: %s", error)
            raise unknown(locale) from None
        account = hmac.digest(self._subjects, said.subject.encode(), hashlib.sha256).hex()[:24]
        return Actor(
            said.organisation, said.role, _purpose(asked, said.purposes, locale), f"oidc:{account}", said.expires
        )

    def _basic(self, credentials: str, asked: Sequence[str], locale: str) -> Actor:
        """A token that reads only, for one purpose, as the password of programs that know nothing else."""
        try:
            _, colon, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise unknown(locale) from None
        found = self.tokens.find(password) if colon else None
        if found is None:
            raise unknown(locale)
        if not found.read_only or found.purpose is None:
            raise ApiError(Code.UNAUTHENTICATED, _BASIC.say(locale))
        return found.actor(_purpose(asked, [found.purpose], locale))

    @cached_property
    def _subjects(self) -> bytes:
        """What the log's names for people of an identity provider are keyed by."""
        return self._workspace.store.secret("subjects")


def _purpose(asked: Sequence[str], bound: Sequence[Purpose], locale: str) -> Purpose:
    """The purpose of a request: its header's, as far as its token leaves that open; raises ApiError."""
    try:
        wanted = purpose_of(asked[0]) if asked else None
    except ChaingraphError as error:
        raise ApiError(Code.BAD_REQUEST, f"X-Purpose: {error.say(locale)}") from None
    if wanted is not None and bound and wanted not in bound:
        raise ApiError(Code.BAD_REQUEST, _BOUND.say(locale).format(", ".join(bound)))
    return wanted or next(iter(bound), Purpose.QUALITY)


def unknown(locale: str, *, several: bool = False) -> ApiError:
    """What is said to whoever cannot be told: the same whatever is wrong with a token."""
    return ApiError(Code.UNAUTHENTICATED, (_SEVERAL if several else _UNKNOWN).say(locale))


_UNKNOWN = Text(
    "需要有效的令牌：请求头 Authorization: Bearer 令牌。", "A good token is needed: header Authorization: Bearer TOKEN."
)
_SEVERAL = Text("Authorization 和 X-Purpose 各只能有一个。", "Send one Authorization header, and one X-Purpose.")
_BASIC = Text(
    "HTTP Basic 的密码只能是绑定了一个用途的只读 API 令牌。",
    "As the password of HTTP Basic only an API token is taken that is read-only and bound to one purpose.",
)
_BOUND = Text("此令牌只用于 {}；X-Purpose 与之不符。", "This token is for {} only; X-Purpose says something else.")
