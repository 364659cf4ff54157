"""One entry of the audit log, and the bytes that are its leaf. No entry holds values of data."""

from __future__ import annotations

import datetime as dt
import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chaingraph.actor import Actor

LOG = "audit"
"""The log of the store that the leaves are in."""


class Action(enum.StrEnum):
    """What was done."""

    READ = "read"
    DENIED = "denied"
    EXPORT = "export"
    BENCHMARK = "benchmark"
    LOAD = "load"
    UNDO = "undo"
    AGREEMENT_PROPOSED = "agreement.proposed"
    AGREEMENT_ACCEPTED = "agreement.accepted"
    AGREEMENT_DECLINED = "agreement.declined"
    AGREEMENT_REVOKED = "agreement.revoked"
    AGREEMENT_SETTLED = "agreement.settled"
    ERASED = "erased"
    IDENTITY_REQUESTED = "identity.requested"
    IDENTITY_GRANTED = "identity.granted"
    IDENTITY_DECLINED = "identity.declined"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - an action, no password
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    ACCOUNT_INVITED = "account.invited"
    ACCOUNT_MADE = "account.made"
    RELEASED = "benchmark.released"


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody did.

    `owners` are the organisations whose data it touched, `agreements` the versions (`id/version`) by which it was
    allowed, `kinds` the kinds of rows; `revision` is the store's at that moment. `what` names things (an analysis, an
    upload's number, a digest), never figures.
    """

    action: Action
    organisation: str
    role: str
    account: str
    purpose: str
    at: dt.datetime
    owners: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    agreements: tuple[str, ...] = ()
    revision: int = 0
    what: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, action: Action, actor: Actor, at: dt.datetime | None = None, **more: Any) -> Entry:
        """What an actor does, now where no time is given."""
        when = at or dt.datetime.now(dt.UTC)
        return cls(action, actor.organisation, actor.role.value, actor.account, actor.purpose.value, when, **more)

    def leaf(self) -> bytes:
        """The entry as canonical JSON: keys sorted, no blanks, UTF-8, the time in UTC to the microsecond."""
        at = self.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        shown = {
            "action": self.action.value, "organisation": self.organisation, "role": self.role,
            "account": self.account, "purpose": self.purpose, "at": at, "owners": sorted(self.owners),
            "kinds": sorted(self.kinds), "agreements": sorted(self.agreements), "revision": self.revision,
            "what": dict(self.what),
        }  # fmt: skip
        return json.dumps(shown, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def read(cls, leaf: bytes) -> Entry:
        """The entry of a leaf. Raises ValueError for bytes that are none."""
        try:
            said = json.loads(leaf)
            at = dt.datetime.strptime(said["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
            lists = {name: tuple(said[name]) for name in ("owners", "kinds", "agreements")}
            return cls(**{**said, **lists, "at": at, "action": Action(said["action"])})
        except (KeyError, TypeError, UnicodeDecodeError) as error:
            raise ValueError(f"This is no entry of an audit log: {leaf[:80]!r}") from error
