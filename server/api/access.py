"""Tokens and invitations over GraphQL: for whom an organisation's people let others, and machines, in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import strawberry
from strawberry import UNSET

from chaingraph import Capability
from schema.vocabularies import AccessRole, Purpose
from server.api.aspects import OWN
from server.api.context import Context, context_of
from server.api.inputs import argument, codes_of, maybe, several
from server.api.mutations import Given, Reason, Returns, mutation
from server.api.types import plain_type, publish
from server.auth.accounts import Accounts
from server.auth.tokens import ApiToken, Tokens

ROLE = codes_of(AccessRole)
MOST = 100

Token = publish("Token", plain_type("Token", "An API token of an organisation, without its text. 令牌。", {
    "name": (str, "What it is called here and in the log.", None),
    "organisation": (str, "For whom it acts.", None),
    "role": (ROLE, "In which role.", None),
    "purpose": (maybe(codes_of(Purpose)), "For which purpose; null where requests say it.", None),
    "read_only": (bool, "Whether it only reads.", None),
    "note": (str, "What it is for, as whoever issued it says.", None),
    "made": (dt.datetime, "When it was issued.", None),
    "expires": (dt.datetime, "Until when it is good.", None),
    "by": (str, "Who issued it, as the log calls them.", None),
    "revoked": (maybe(dt.datetime), "When it was revoked.", None),
}, OWN))  # fmt: skip
IssuedToken = publish("IssuedToken", plain_type("IssuedToken", "A new token.", {
    "token": (Token, "What is known of it.", None),
    "text": (str, "The token itself, which is never shown again.", None),
}, OWN))  # fmt: skip
Invitation = publish("Invitation", plain_type("Invitation", "An invitation by which one person joins, once.", {
    "code": (str, "The code, which is never shown again.", None),
    "organisation": (str, "For which organisation.", None),
    "role": (ROLE, "In which role.", None),
    "expires": (dt.datetime, "Until when it is good.", None),
}, OWN))  # fmt: skip

FORBIDDEN = Reason(
    "access.forbidden", "FORBIDDEN", "More than whoever asks may give, or another organisation's.", "role"
)
FIRM = Reason("access.organisation", "ORGANISATION", "That can be no organisation's code.", "organisation")


def _shown(token: ApiToken) -> Any:
    return Token(
        name=token.name,
        organisation=token.organisation,
        role=token.role,
        purpose=token.purpose,
        read_only=token.read_only,
        note=token.label,
        made=token.made,
        expires=token.expires,
        by=token.by,
        revoked=token.revoked,
    )


def _issue(context: Context, asked: Any) -> Any:
    made, text = Tokens(context.workspace).issue(
        context.actor,
        asked.organisation or context.actor.organisation,
        asked.role,
        purpose=asked.purpose or None,
        read_only=bool(asked.read_only),
        **_days(asked),
        label=asked.note or "",
    )
    return IssuedToken(token=_shown(made), text=text)


def _revoke(context: Context, asked: Any) -> Any:
    return _shown(Tokens(context.workspace).revoke(context.actor, asked.name))


def _invite(context: Context, asked: Any) -> Any:
    organisation = asked.organisation or context.actor.organisation
    code, expires = Accounts(context.workspace).invite(context.actor, organisation, asked.role, **_days(asked))
    return Invitation(code=code, organisation=organisation, role=asked.role, expires=expires)


def _days(asked: Any) -> dict[str, int]:
    return {} if asked.days is UNSET or asked.days is None else {"days": asked.days}


def _tokens(info: strawberry.Info, first: int = MOST) -> Any:
    context = context_of(info)
    found = sorted(Tokens(context.workspace).all(context.actor), key=lambda token: token.made, reverse=True)
    return [_shown(token) for token in found[:first]]


_tokens.__annotations__ |= {
    "first": argument(int, "How many at most, the newest first: 1 to 100."),
    "return": several(Token),
}

ORGANISATION = Given(str, "For which organisation, by its code; the asking one where nothing is said.")
DAYS = "For how many days it is good."
MUTATIONS: dict[str, Any] = {
    "token_issue": mutation(
        "token_issue",
        "Issue an API token for a program; its text is shown this once.",
        {
            "organisation": ORGANISATION,
            "role": Given(ROLE, "In which role; no more than one's own.", required=True),
            "purpose": Given(codes_of(Purpose), "For which purpose alone; requests say it where nothing is said."),
            "read_only": Given(bool, "Whether it only reads. One that does, for one purpose, is taken by HTTP Basic."),
            "days": Given(int, f"{DAYS} 90 where nothing is said."),
            "note": Given(str, "What it is for; not in any log."),
        },
        Returns("issued", maybe(IssuedToken), "The token; null where something was refused."),
        (
            FORBIDDEN,
            FIRM,
            Reason("token.days", "DAYS", "A token cannot be good for so many days.", "days"),
            Reason("token.label", "NOTE", "That can be no note.", "note"),
        ),
        _issue,
        Capability.TOKENS,
    ),
    "token_revoke": mutation(
        "token_revoke",
        "Have a token no longer taken, at once.",
        {"name": Given(str, "Its name.", required=True)},
        Returns("token", maybe(Token), "The token; null where something was refused."),
        (FORBIDDEN, Reason("token.unknown", "UNKNOWN", "There is no such token of the organisation.", "name")),
        _revoke,
        Capability.TOKENS,
    ),
    "invitation_create": mutation(
        "invitation_create",
        "Invite a person of a firm without an identity provider to join by a local account; the code is shown once.",
        {
            "organisation": ORGANISATION,
            "role": Given(ROLE, "In which role; no more than one's own.", required=True),
            "days": Given(int, f"{DAYS} 7 where nothing is said."),
        },
        Returns("invitation", maybe(Invitation), "The invitation; null where something was refused."),
        (
            FORBIDDEN,
            FIRM,
            Reason("account.days", "DAYS", "An invitation cannot be good for so many days.", "days"),
        ),
        _invite,
        Capability.TOKENS,
    ),
}
QUERIES: dict[str, Any] = {
    "tokens": strawberry.field(
        resolver=_tokens,
        description="The API tokens of the asking organisation, the newest first. 令牌。",
        metadata={"needs": Capability.TOKENS, "cost": 200, "most": MOST},
        directives=[OWN],
    )
}
