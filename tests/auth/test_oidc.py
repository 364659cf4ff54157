"""Access tokens of a real identity provider: what is taken, and every forgery that is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry

from chaingraph import Unavailable, Workspace
from server.auth.oidc import AGAIN, ALGORITHMS, FRESH, LONGEST, STALE, OpenId, Untrusted
from server.auth.oidc import Provider as Settings
from tests.auth.asking import UNKNOWN, code, me, served
from tests.auth.provider import AUDIENCE, Provider


class Hands:
    """A clock that is set."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def trusting(provider: Provider, clock: Callable[[], float] = time.time, **more: Any) -> OpenId:
    """Who trusts the provider."""
    since = more.pop("monotonic", time.monotonic)
    settings = Settings(provider.issuers[0], AUDIENCE, **more)
    return OpenId(settings, clock=clock, monotonic=since, client=lambda: httpx.Client(trust_env=False))


def parts(token: str) -> list[dict[str, Any]]:
    """Header and claims."""
    return [json.loads(base64.urlsafe_b64decode(each + "==")) for each in token.split(".")[:2]]


def sealed(*pieces: object) -> str:
    """Pieces of a token, as they stand in it."""
    return ".".join(
        base64.urlsafe_b64encode(each if isinstance(each, bytes) else json.dumps(each).encode()).decode().rstrip("=")
        for each in pieces
    )


def test_a_token_of_the_provider_says_who_asks(provider: Provider, space: Workspace) -> None:
    app = served(space, openid=trusting(provider))
    token = provider.token()
    said = me(app, token).json()
    expires = parts(token)[1]["exp"]
    assert (said["organisation"], said["role"], said["purpose"]) == ("L01", "quality", "quality")
    assert said["expires"] == expires + 30  # the clocks' leeway
    assert said["account"].startswith("oidc:")
    assert "quality" not in said["account"]  # the subject is a person's in other tokens
    assert me(app, token, x_purpose="recall").json()["purpose"] == "recall"


def test_without_a_token_nothing_is_told(provider: Provider, space: Workspace) -> None:
    app = served(space, openid=trusting(provider))
    answer = me(app, None)
    assert code(answer) == UNKNOWN
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert code(me(app, "")) == UNKNOWN
    assert code(me(app, "nonsense")) == UNKNOWN


def test_a_token_bound_to_a_purpose_is_good_for_no_other(provider: Provider, space: Workspace) -> None:
    app = served(space, openid=trusting(provider))
    token = provider.token("bound")
    assert me(app, token).json()["purpose"] == "research"
    assert me(app, token, x_purpose="research").status_code == 200
    refused = me(app, token, x_purpose="quality")
    assert code(refused) == (400, "BAD_REQUEST")
    assert "research" in refused.json()["errors"][0]["message"]
    unknown = me(app, provider.token(), x_purpose="curiosity")
    assert code(unknown) == (400, "BAD_REQUEST")
    assert "oversight" in unknown.json()["errors"][0]["message"]  # the purposes that there are


def test_claims_are_read_as_settings_say(provider: Provider) -> None:
    openid = trusting(
        provider,
        organisation_claim="firm.code",
        role_claim="groups",
        organisations={"leader-one": "L01"},
        roles={"cg-supplier": "supplier", "cg-auditor": "auditor"},
    )
    said = openid.said(provider.token("groups"))
    assert (said.organisation, said.role.value, said.purposes) == ("L01", "supplier", ())
    elsewhere = trusting(provider, organisation_claim="firm.code", role_claim="groups", organisations={"other": "L02"})
    for other, client in ((elsewhere, "groups"), (openid, "quality"), (trusting(provider), "nobody")):
        with pytest.raises(Untrusted):
            other.said(provider.token(client))


def test_another_audience_and_another_issuer_are_refused(provider: Provider, space: Workspace) -> None:
    app = served(space, openid=trusting(provider))
    other = provider.token(issuer=1)
    assert parts(other)[0]["kid"] == parts(provider.token())[0]["kid"]  # the same key signed
    assert code(me(app, other)) == UNKNOWN
    assert code(me(app, provider.token(audience="https://other.test/api"))) == UNKNOWN


def test_a_token_is_good_for_its_time_and_the_leeway_only(provider: Provider) -> None:
    token = provider.token()
    claims = parts(token)[1]
    clock = Hands(time.time())
    openid = trusting(provider, clock, leeway=20)
    for at, good in (
        (claims["exp"] + 19, True), (claims["exp"] + 20, False), (claims["exp"] + 3600, False),
        (claims["iat"] - 20, True), (claims["iat"] - 22, False),
    ):  # fmt: skip
        clock.at = at
        if good:
            assert openid.said(token).expires == claims["exp"] + 20
        else:
            with pytest.raises(Untrusted):
                openid.said(token)


def test_forged_tokens_are_refused(provider: Provider, space: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """No signature, the public key as a password, another key under a known name, a key brought along, and more."""
    caplog.set_level(logging.DEBUG)
    app = served(space, openid=trusting(provider))
    token = provider.token()
    header, claims = parts(token)
    administrator = {**claims, "role": "administrator"}
    public = RSAKey.import_key(next(key for key in provider.published() if key["kid"] == header["kid"]))
    pem, own = public.as_pem(private=False), RSAKey.generate_key(2048)
    forged = [
        sealed({**header, "alg": "none"}, administrator, b""),
        sealed({"alg": "None"}, administrator, b""),
        *(
            jwt.encode({**header, "alg": "HS256"}, administrator, OctKey.import_key(secret), algorithms=["HS256"])
            for secret in (json.dumps(public.as_dict(private=False)).encode(), base64.b64encode(pem))
        ),
        _mac(pem, {**header, "alg": "HS256"}, administrator),
        jwt.encode(header, administrator, own),
        jwt.encode({**header, "kid": "another"}, administrator, own),
        jwt.encode({"alg": "RS256", "jwk": own.as_dict(private=False)}, administrator, own),
        provider.sign({**header, "typ": "logout+jwt"}, claims),
        provider.sign({**header, "typ": 1}, claims),
        token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB"),
        f"{sealed(header, administrator)}.{token.rpartition('.')[2]}",
        f"{sealed({**header, 'crit': ['exp']})}.{token.partition('.')[2]}",
        f"{sealed({**header, 'kid': ['a']})}.{token.partition('.')[2]}",
        f"{sealed([1, 2])}.{token.partition('.')[2]}",
        f"{sealed(b'[' * 3000)}.{token.partition('.')[2]}",
        f"{token}.x.y",
        token.partition(".")[0],
        "ä.ö.ü".encode().decode("latin-1"),
        "x" * (LONGEST + 1),
    ]
    assert me(app, token).status_code == 200
    for each in forged:
        answer = me(app, each)
        assert code(answer) == UNKNOWN, each
    said = caplog.text
    assert not any(each[:40] in said for each in forged if len(each) > 40)
    assert token.rpartition(".")[2] not in said


def test_what_a_signed_token_lacks_is_not_made_up(provider: Provider) -> None:
    header, claims = parts(provider.token())
    openid, now = trusting(provider), int(time.time())
    assert openid.said(provider.sign(header, claims)).organisation == "L01"
    assert openid.said(
        provider.sign({**header, "typ": "JWT", "nonce": "x"}, {**claims, "aud": ["other", AUDIENCE]})
    ).organisation
    less = [{name: value for name, value in claims.items() if name != gone} for gone in ("iss", "aud", "exp", "sub")]
    more: list[dict[str, Any]] = [
        {"exp": "soon"}, {"exp": None}, {"exp": now - 60}, {"nbf": now + 60}, {"iat": now + 60}, {"aud": ["other"]},
        {"aud": [AUDIENCE, 1]}, {"aud": {AUDIENCE: 1}}, {"iss": [claims["iss"]]}, {"sub": 1}, {"organisation": 1},
        {"organisation": ""}, {"organisation": ["L01", "L02"]}, {"organisation": {"L01": 1}}, {"role": "boss"},
        {"role": ["supplier", "analyst"]}, {"role": []}, {"role": [["analyst"]]}, {"purpose": "curiosity"},
        {"purpose": 1},
    ]  # fmt: skip
    for each in [*less, *({**claims, **one} for one in more)]:
        with pytest.raises(Untrusted):
            openid.said(provider.sign(header, each))


def _mac(secret: bytes, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token signed with a key that no careful library would sign with."""
    text = sealed(header, claims)
    return f"{text}.{sealed(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def test_keys_rotate_while_it_runs(provider: Provider, space: Workspace) -> None:
    clock = Hands(1000.0)
    app = served(space, openid=trusting(provider, monotonic=clock))
    before = provider.token()
    assert me(app, before).status_code == 200
    provider.tell("rotate")
    after = provider.token()
    assert parts(after)[0]["kid"] != parts(before)[0]["kid"]
    clock.at += AGAIN - 1
    assert code(me(app, after)) == UNKNOWN  # fetched just now
    clock.at += 1
    assert me(app, after).status_code == 200
    assert me(app, before).status_code == 200  # still published
    provider.tell("withdraw")
    assert me(app, before).status_code == 200  # not yet known to be gone
    clock.at += FRESH + 1
    assert code(me(app, before)) == UNKNOWN
    assert me(app, provider.token()).status_code == 200


def test_forged_names_of_keys_do_not_make_it_ask_the_provider_again_and_again(provider: Provider) -> None:
    asked: list[str] = []

    def client() -> httpx.Client:
        return httpx.Client(event_hooks={"request": [lambda request: asked.append(str(request.url))]}, trust_env=False)

    clock = Hands(0.0)
    openid = OpenId(Settings(provider.issuers[0], AUDIENCE), monotonic=clock, client=client)
    own = RSAKey.generate_key(2048)
    openid.said(provider.token())
    assert len(asked) == 2  # discovery, and the keys
    for _ in range(20):
        with pytest.raises(Untrusted):
            openid.said(jwt.encode({"alg": "RS256", "kid": "other"}, {"sub": "x"}, own))
    assert len(asked) == 2
    clock.at += AGAIN
    with pytest.raises(Untrusted):
        openid.said(jwt.encode({"alg": "RS256", "kid": "other"}, {"sub": "x"}, own))
    assert len(asked) == 4


def test_a_provider_that_does_not_answer_is_no_refusal(provider: Provider, space: Workspace) -> None:
    """Keys are used for an hour without it; without any, it is said that nothing can be told at the moment."""
    down = False

    def broken(_request: httpx.Request) -> None:
        if down:
            raise httpx.ConnectError("no route")

    clock = Hands(0.0)

    def client() -> httpx.Client:
        return httpx.Client(event_hooks={"request": [broken]}, trust_env=False)

    openid = OpenId(Settings(provider.issuers[0], AUDIENCE), monotonic=clock, client=client)
    token = provider.token()
    openid.said(token)
    down = True
    clock.at = STALE - 1
    openid.said(token)
    clock.at = STALE + 1
    with pytest.raises(Unavailable):
        openid.said(token)
    answer = me(served(space, openid=openid), token)
    assert code(answer) == (503, "UNAVAILABLE")
    assert "retry-after" in answer.headers
    down = False
    clock.at += AGAIN
    openid.said(token)


def test_a_provider_that_says_it_is_another_is_not_believed(provider: Provider) -> None:
    """Discovery by a name that is not in the document."""
    settings = Settings(provider.issuers[0].replace("127.0.0.1", "localhost"), AUDIENCE)
    with pytest.raises(Unavailable):
        OpenId(settings, client=lambda: httpx.Client(trust_env=False)).said(provider.token())


def test_every_algorithm_that_is_taken_needs_a_private_key() -> None:
    kinds = {type(JWSRegistry.algorithms[name]).__name__ for name in ALGORITHMS}
    assert kinds == {"RSAAlgorithm", "RSAPSSAlgorithm", "ESAlgorithm", "EdDSAAlgorithm"}
