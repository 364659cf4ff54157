"""API tokens: for machines, scoped, expiring, revocable; only a keyed hash of each is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from chaingraph import Action, Actor, Capability, ChaingraphError, Entry, NotFound, Workspace
from schema.text import Text
from schema.vocabularies import AccessRole, Purpose
from server.auth.granting import MACHINE, PURPOSES, ROLES, permit
from server.auth.minting import Mint

COLLECTION = "token"
PREFIX = "cg_"
LONGEST = 366
"""Days for which a token can be good."""
LABEL = 120


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is known of a token. `purpose` None: the request says; `label` is for people and in no log."""

    name: str
    organisation: str
    role: AccessRole
    purpose: Purpose | None
    read_only: bool
    label: str
    made: dt.datetime
    expires: dt.datetime
    by: str
    revoked: dt.datetime | None = None

    def good(self, at: dt.datetime) -> bool:
        """Whether it is taken at a time."""
        return self.revoked is None and at < self.expires

    def actor(self, purpose: Purpose) -> Actor:
        """Who acts by it."""
        return Actor(
            self.organisation, self.role, purpose, MACHINE + self.name, self.expires.timestamp(), self.read_only
        )

    def record(self, digest: str) -> dict[str, Any]:
        """What the register keeps."""
        return {
            "digest": digest, "organisation": self.organisation, "role": self.role.value,
            "purpose": self.purpose and self.purpose.value, "read_only": self.read_only, "label": self.label,
            "made": self.made.isoformat(), "expires": self.expires.isoformat(), "by": self.by,
            "revoked": self.revoked and self.revoked.isoformat(),
        }  # fmt: skip

    @classmethod
    def of(cls, name: str, record: dict[str, Any]) -> Self:
        """A token from its record."""
        made, expires = (dt.datetime.fromisoformat(record[field]) for field in ("made", "expires"))
        return cls(
            name, record["organisation"], ROLES[record["role"]],
            PURPOSES[record["purpose"]] if record["purpose"] else None, record["read_only"], record["label"],
            made, expires, record["by"], dt.datetime.fromisoformat(record["revoked"]) if record["revoked"] else None,
        )  # fmt: skip


class Tokens:
    """The API tokens of a workspace. Threads may share one."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._mint = Mint(workspace, PREFIX)

    def issue(
        self,
        actor: Actor,
        organisation: str,
        role: AccessRole,
        *,
        purpose: Purpose | None = None,
        read_only: bool = False,
        days: int = 90,
        label: str = "",
    ) -> tuple[ApiToken, str]:
        """A new token, and its text, which is never seen again.

        Raises ChaingraphError (`access.forbidden`, `access.organisation`, `token.days`, `token.label`).
        """
        permit(actor, organisation, role, others=False)
        if not 1 <= days <= LONGEST:
            raise ChaingraphError(
                "token.days",
                Text("有效天数有误。", "A token cannot be good for so many days."),
                Text(f"请给出 1 至 {LONGEST} 天。", f"Give 1 to {LONGEST} days."),
            )
        if len(label) > LABEL or not label.isprintable():
            raise ChaingraphError(
                "token.label",
                Text("标签有误。", "That can be no label."),
                Text(f"请用不超过 {LABEL} 个可见字符。", f"Use at most {LABEL} characters that can be seen."),
            )
        now, minted = dt.datetime.now(dt.UTC), self._mint.make()
        made = ApiToken(
            minted.name, organisation, role, purpose, read_only, label, now, now + dt.timedelta(days=days),
            actor.account,
        )  # fmt: skip
        self._workspace.register.put(COLLECTION, made.name, made.record(minted.digest))
        what = {
            "token": made.name, "for": organisation, "role": role.value, "read_only": str(read_only).lower(),
            "purpose": purpose.value if purpose else "", "expires": made.expires.isoformat(),
        }  # fmt: skip
        self._workspace.record([Entry.of(Action.TOKEN_ISSUED, actor, now, what=what)])
        return made, minted.text

    def revoke(self, actor: Actor, name: str) -> ApiToken:
        """Have a token no longer taken, here at once and by other servers within a second.

        Raises ChaingraphError (`access.forbidden`), NotFound (`token.unknown`) also for one of another organisation.
        """
        record = self._workspace.register.get(COLLECTION, name)
        token = ApiToken.of(name, record) if record else None
        if record is None or token is None or not (seen_by(actor, token.organisation)):
            raise NotFound(
                "token.unknown",
                Text("没有这个令牌。", "There is no such token."),
                Text("tokens list 列出全部令牌。", "`tokens list` shows those that there are."),
            )
        permit(actor, token.organisation, token.role, others=True)
        if token.revoked is None:
            now = dt.datetime.now(dt.UTC)
            record = {**record, "revoked": now.isoformat()}
            self._workspace.register.put(COLLECTION, name, record)
            what = {"token": name, "for": token.organisation}
            self._workspace.record([Entry.of(Action.TOKEN_REVOKED, actor, now, what=what)])
        return ApiToken.of(name, record)

    def all(self, actor: Actor) -> Iterator[ApiToken]:
        """The tokens of the actor's organisation, or of all for who administers the consortium, by name."""
        for name, record in self._workspace.register.all(COLLECTION):
            token = ApiToken.of(name, record)
            if seen_by(actor, token.organisation):
                yield token

    def find(self, text: str) -> ApiToken | None:
        """The token of a text, where it is good now. Raises StoreError."""
        name = self._mint.name(text)
        record = self._workspace.register.get(COLLECTION, name) if name else None
        if name is None or record is None or not self._mint.holds(text, record["digest"]):
            return None
        token = ApiToken.of(name, record)
        return token if token.good(dt.datetime.now(dt.UTC)) else None


def seen_by(actor: Actor, organisation: str) -> bool:
    """Whether an actor may know of an organisation's tokens and accounts."""
    return actor.may(Capability.TOKENS) and (actor.organisation == organisation or actor.may(Capability.ADMINISTER))
