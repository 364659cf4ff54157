"""Access tokens of an OpenID Connect provider: its keys found by discovery, its tokens checked as RFC 9068 asks.

Keys are fetched when they are old, and when a token names one that is not known, but then no more often than every
`AGAIN` seconds, so that forged tokens do not make us knock at the provider's door. What it has withdrawn goes with the
next fetch.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from chaingraph import ChaingraphError, Unavailable
from schema.text import Text
from schema.vocabularies import AccessRole, Purpose
from server.auth.granting import known_firm, purpose_of, role_of

LOG = logging.getLogger(__name__)
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures that only the holder of a private key can make; none and HMAC are not among them."""
TYPES = {"at+jwt", "application/at+jwt", "jwt"}
"""What an access token's header says that it is (RFC 9068; others say JWT), in small letters."""
LONGEST = 16_384
"""Characters of a token."""
AGAIN = 10.0
"""Seconds between two fetches for keys that are not known."""
FRESH, STALE = 300.0, 3600.0
"""Seconds after which keys are fetched again, and for which they are used while the provider does not answer."""
PATIENCE = 5.0
"""Seconds for which the provider may take to answer."""
DOCUMENT = 1_000_000
"""Bytes of its answer."""
MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What the parts of a token that nobody has signed can make a parser raise."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who signs, for whom, and how claims are read.

    `organisations` and `roles` map what claims say to an organisation's code and to a role; where a mapping is empty,
    what they say is taken as it is. `leeway` is by how many seconds clocks may differ.
    """

    issuer: str
    audience: str
    leeway: int = 30
    organisation_claim: str = "organisation"
    role_claim: str = "role"
    organisations: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    algorithms: tuple[str, ...] = ALGORITHMS


@dataclass(frozen=True, slots=True)
class Said:
    """What a token says that is good. `purposes` are those it is bound to, none for any."""

    subject: str
    organisation: str
    role: AccessRole
    purposes: tuple[Purpose, ...]
    expires: float


class Untrusted(Exception):
    """A token is not good; why is for the log, in words that hold nothing of the token."""


@dataclass(frozen=True, slots=True)
class _Keys:
    keys: KeySet
    at: float


class OpenId:
    """Checks tokens of one provider. Threads may share one; `said` may fetch, so call it where one may wait."""

    def __init__(
        self,
        provider: Provider,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        client: Callable[[], httpx.Client] | None = None,
    ) -> None:
        self.provider = provider
        self._clock, self._monotonic = clock, monotonic
        self._client = client or (lambda: httpx.Client(timeout=PATIENCE))
        self._registry = JWSRegistry(algorithms=provider.algorithms, strict_check_header=False)  # RFC 7515, 4.2
        self._lock = threading.Lock()
        self._kept: _Keys | None = None
        self._tried = float("-inf")

    def said(self, token: str) -> Said:
        """What a token says. Raises Untrusted for one that is not good, Unavailable where keys cannot be had."""
        if len(token) > LONGEST:
            raise Untrusted("too long")
        try:
            try:
                found = self._decoded(token, self._keys(unknown=False))
            except InvalidKeyIdError:
                found = self._decoded(token, self._keys(unknown=True))
        except MALFORMED as error:
            raise Untrusted(_why(error)) from None
        return self._read(found.claims)

    def _decoded(self, token: str, keys: KeySet) -> jwt.Token:
        found = jwt.decode(token, keys, registry=self._registry)
        kind = found.header.get("typ", "JWT")
        if not isinstance(kind, str) or kind.lower() not in TYPES:
            raise Untrusted("no access token")
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=self.provider.leeway,
            iss={"essential": True, "value": self.provider.issuer},
            aud={"essential": True, "value": self.provider.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        registry.validate(found.claims)
        return found

    def _read(self, claims: Mapping[str, Any]) -> Said:
        """Organisation, role and purpose of what was signed."""
        provider = self.provider
        try:
            firms = _mapped(_values(claims, provider.organisation_claim), provider.organisations)
            roles = {role_of(each) for each in _mapped(_values(claims, provider.role_claim), provider.roles)}
            purposes = tuple(dict.fromkeys(purpose_of(each) for each in _values(claims, "purpose")))
            if len(firms) != 1 or len(roles) != 1:
                raise Untrusted("not one organisation and one role")
            (firm,), (role,) = firms, roles
            known_firm(firm)
        except ChaingraphError as error:
            raise Untrusted(error.code) from None
        return Said(claims["sub"], firm, role, purposes, float(claims["exp"]) + provider.leeway)

    def _keys(self, *, unknown: bool) -> KeySet:
        """The provider's keys, fetched where they are old, or one is `unknown` and none were fetched just now.

        While one thread fetches, those that can go on with what there is do.
        """
        kept, now = self._kept, self._monotonic()
        old = kept is None or now - kept.at > FRESH
        if (old or unknown) and self._lock.acquire(blocking=unknown or kept is None):
            try:
                if self._monotonic() - self._tried >= AGAIN:
                    self._fetch()
            finally:
                self._lock.release()
        kept = self._kept
        if kept is None or now - kept.at > STALE:
            raise _silent()
        return kept.keys

    def _fetch(self) -> None:
        try:
            self._kept = _Keys(self._fetched(), self._monotonic())
        except (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, KeyError, TypeError) as error:
            LOG.warning("the keys of the identity provider could not be fetched: %s", type(error).__name__)
        self._tried = self._monotonic()

    def _fetched(self) -> KeySet:
        with self._client() as client:
            found = _document(client, self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found["issuer"] != self.provider.issuer:
                raise ValueError("another issuer")
            address = found["jwks_uri"]
            if not private(address):
                raise ValueError("keys over an open line")
            keys = _document(client, address)["keys"]
        signing = [key for key in keys if key.get("use", "sig") == "sig" and key.get("kty") != "oct"]
        return KeySet.import_key_set({"keys": signing})


def _document(client: httpx.Client, address: str) -> dict[str, Any]:
    """A JSON object, of so many bytes at most, and from no other address."""
    with client.stream("GET", address, headers={"accept": "application/json"}) as answer:
        answer.raise_for_status()
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > DOCUMENT:
                raise ValueError("too long")
    found = json.loads(bytes(body))
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def private(address: str) -> bool:
    """Whether what goes to an address cannot be read or changed on its way: TLS, or this machine."""
    from server.api.app import is_loopback

    parts = urlsplit(address)
    host = parts.hostname or ""
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and (host == "localhost" or is_loopback(host)))
    )


def _values(claims: Mapping[str, Any], name: str) -> list[str]:
    """The texts of a claim: one, a list, or none. Dots lead into objects where no claim has the whole name."""
    found: Any = claims.get(name)
    if found is None and "." in name:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [] if found is None else [found]
    if not all(isinstance(each, str) for each in values):
        raise Untrusted(f"claim {name} is no text")
    return values


def _mapped(values: list[str], mapping: Mapping[str, str]) -> set[str]:
    return {mapping[each] for each in values if each in mapping} if mapping else set(values)


def _why(error: Exception) -> str:
    """What was wrong with a token, without any of it."""
    claim = getattr(error, "claim", None)
    return type(error).__name__ + (f" {claim}" if isinstance(claim, str) and claim.isidentifier() else "")


def _silent() -> Unavailable:
    return Unavailable(
        "auth.provider",
        Text("身份提供方暂时没有应答。", "The identity provider does not answer at the moment."),
        Text("请稍后重试，或检查 CHAINGRAPH_OIDC_ISSUER。", "Try again later, or check CHAINGRAPH_OIDC_ISSUER."),
    )
