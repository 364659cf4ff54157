"""Tokens of the development mode: for the organisations of a demo, signed with a key that is kept with the store.

Whoever has such a token is believed without any identity provider. So a server in production takes none, and does not
start on a store in which the key has been made; `end` takes it out.
"""

from __future__ import annotations

import base64
import secrets
import time

from joserfc import jwk, jwt
from joserfc.errors import JoseError

from chaingraph import Action, Actor, ChaingraphError, Entry, NotFound, Workspace
from schema.text import Text
from schema.vocabularies import AccessRole, Purpose
from server.auth.granting import PURPOSES, ROLES

PREFIX = "cgd_"
COLLECTION, NAME = "key", "development"
ISSUER = "chaingraph-development"
ALGORITHM = "HS256"
LONGEST = 366


def issue(
    workspace: Workspace, actor: Actor, organisation: str, role: AccessRole, purpose: Purpose | None, days: int
) -> str:
    """A bearer token for an organisation of the store.

    Raises NotFound (`token.organisation`) where there is none of that code; ChaingraphError (`token.days`).
    """
    if not 1 <= days <= LONGEST:
        raise ChaingraphError(
            "token.days",
            Text("有效天数有误。", "A token cannot be good for so many days."),
            Text(f"请给出 1 至 {LONGEST} 天。", f"Give 1 to {LONGEST} days."),
        )
    if organisation not in workspace.view().table("organisation")["id"]:
        raise NotFound(
            "token.organisation",
            Text(f"存储中没有组织 {organisation}。", f"There is no organisation {organisation} in the store."),
            Text(
                "请先载入数据（如 chaingraph demo），再给出其中组织的代码，如 L01。",
                "Load data first (such as by `chaingraph demo`) and name an organisation of it by its code, such as "
                "L01.",
            ),
        )
    now, name = int(time.time()), secrets.token_hex(8)
    claims: dict[str, object] = {
        "iss": ISSUER, "sub": organisation, "role": role.value, "iat": now, "exp": now + days * 86400, "jti": name,
    }  # fmt: skip
    if purpose is not None:
        claims["purpose"] = purpose.value
    token = jwt.encode({"alg": ALGORITHM}, claims, jwk.OctKey.import_key(_made(workspace)), algorithms=[ALGORITHM])
    what = {"token": name, "for": organisation, "role": role.value, "development": "true"}
    workspace.record([Entry.of(Action.TOKEN_ISSUED, actor, what=what)])
    return PREFIX + token


def read(workspace: Workspace, text: str) -> tuple[Actor, Purpose | None] | None:
    """Who acts by a token, and the purpose that it is bound to; None for one that is not good. Raises StoreError."""
    record = workspace.register.get(COLLECTION, NAME)
    if record is None:
        return None
    try:
        key = jwk.OctKey.import_key(base64.b64decode(record["key"]))
        claims = jwt.decode(text.removeprefix(PREFIX), key, algorithms=[ALGORITHM]).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER}, sub={"essential": True}, exp={"essential": True}
        ).validate(claims)
    except (JoseError, ValueError):
        return None
    bound = PURPOSES[claims["purpose"]] if "purpose" in claims else None
    role = ROLES[claims["role"]]
    return Actor(claims["sub"], role, bound or Purpose.QUALITY, f"development:{claims['jti']}", claims["exp"]), bound


def enabled(workspace: Workspace) -> bool:
    """Whether the store has the key of the development mode. Raises StoreError."""
    return workspace.register.get(COLLECTION, NAME) is not None


def end(workspace: Workspace, actor: Actor) -> None:
    """Take the key out of the store: no token of the development mode is taken again."""
    if enabled(workspace):
        workspace.register.put(COLLECTION, NAME, None)
        workspace.record([Entry.of(Action.TOKEN_REVOKED, actor, what={"token": NAME})])


def _made(workspace: Workspace) -> bytes:
    """The key, made at first use."""
    with workspace.writing():
        record = workspace.register.get(COLLECTION, NAME)
        if record is None:
            record = {"key": base64.b64encode(secrets.token_bytes(32)).decode()}
            workspace.register.put(COLLECTION, NAME, record)
    return base64.b64decode(record["key"])
