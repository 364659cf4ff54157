"""Local accounts, for firms without an identity provider: joined by invitation, opened by password and second factor.

An account is kept under a keyed hash of its name, which is also what the log calls it: no log has a personal name.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyotp

from chaingraph import Action, Actor, ChaingraphError, Entry, NotFound, Workspace
from schema.text import Text
from schema.vocabularies import AccessRole, Purpose
from server.auth import factors
from server.auth.granting import ROLES, permit
from server.auth.minting import Mint
from server.auth.tokens import seen_by

ACCOUNT, INVITATION, SESSION = "account", "invitation", "session"
INVITING, OPENED = "cgi_", "cgs_"
"""How an invitation's code and a session's token begin."""
PERSON = "account:"
NAME_LENGTH = 120
SESSIONS = 10
"""Sessions that an account can have at once; the oldest end."""
LONGEST = 30
"""Days for which an invitation can be good."""
WAIT = 10.0
"""Seconds that a log-in waits for somebody who writes."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an account but its secrets. `id` is what the log has, `name` what a person types."""

    id: str
    name: str
    organisation: str
    role: AccessRole
    made: dt.datetime
    disabled: bool

    @classmethod
    def of(cls, identity: str, record: dict[str, Any]) -> Account:
        """An account from its record."""
        made = dt.datetime.fromisoformat(record["made"])
        return cls(identity, record["name"], record["organisation"], ROLES[record["role"]], made, record["disabled"])


@dataclass(frozen=True, slots=True)
class Joined:
    """A new account with what is shown once: the second factor's secret, as a text and an `otpauth:` address."""

    account: Account
    secret: str
    address: str
    recovery_codes: list[str]


@dataclass(frozen=True, slots=True)
class Opened:
    """A session: its token, and until when it is good (seconds since 1970)."""

    account: Account
    token: str
    expires: float


class Accounts:
    """The local accounts of a workspace, their invitations and sessions. Threads may share one.

    `session` is how long one is good, in seconds; `clock` gives seconds since 1970.
    """

    def __init__(
        self, workspace: Workspace, *, session: float = 3600.0, clock: Callable[[], float] | None = None
    ) -> None:
        self._workspace, self._session = workspace, session
        self._clock = clock or (lambda: dt.datetime.now(dt.UTC).timestamp())
        self._inviting, self._opening = Mint(workspace, INVITING), Mint(workspace, OPENED)

    # invitations

    def invite(self, actor: Actor, organisation: str, role: AccessRole, *, days: int = 7) -> tuple[str, dt.datetime]:
        """A code by which one person joins, once; and until when.

        Raises ChaingraphError (`access.forbidden`, `access.organisation`, `account.days`).
        """
        permit(actor, organisation, role, others=True)
        if not 1 <= days <= LONGEST:
            raise ChaingraphError(
                "account.days",
                Text("邀请的有效天数有误。", "An invitation cannot be good for so many days."),
                Text(f"请给出 1 至 {LONGEST} 天。", f"Give 1 to {LONGEST} days."),
            )
        made, expires = self._inviting.make(), self._now() + dt.timedelta(days=days)
        record = {
            "digest": made.digest, "organisation": organisation, "role": role.value, "by": actor.account,
            "expires": expires.isoformat(),
        }  # fmt: skip
        self._workspace.register.put(INVITATION, made.name, record)
        what = {"invitation": made.name, "for": organisation, "role": role.value, "expires": expires.isoformat()}
        self._workspace.record([Entry.of(Action.ACCOUNT_INVITED, actor, what=what)])
        return made.text, expires

    def join(self, code: str, name: str, password: str) -> Joined:
        """Make an account of an invitation, which is used up by it.

        Raises ChaingraphError (`account.invitation`, `account.name`, `account.taken`, `account.password`).
        """
        plain, invitation = _named(name), self._inviting.name(code)
        if invitation is None or self._invited(invitation, code, fresh=False) is None:
            raise _uninvited()
        if not factors.SHORTEST <= len(password) <= factors.LONGEST or password.casefold() == plain:
            raise ChaingraphError(
                "account.password",
                Text("密码不合要求。", "That can be no password."),
                Text(
                    f"请用 {factors.SHORTEST} 至 {factors.LONGEST} 个字符，且不同于用户名。",
                    f"Use {factors.SHORTEST} to {factors.LONGEST} characters, not the name.",
                ),
            )
        kept, secret, codes = factors.hashed(password), pyotp.random_base32(), factors.recovery_codes()
        identity = self._id(plain)
        with self._workspace.store.writing(WAIT):
            found = self._invited(invitation, code, fresh=True)
            if found is None:
                raise _uninvited()
            if self._workspace.register.get(ACCOUNT, identity, fresh=True) is not None:
                raise ChaingraphError(
                    "account.taken",
                    Text("这个用户名不能用。", "That name cannot be had."),
                    Text("请换一个用户名。", "Choose another."),
                )
            record = {
                "name": plain, "organisation": found["organisation"], "role": found["role"], "password": kept,
                "totp": secret, "step": 0, "made": self._now().isoformat(), "disabled": False, "sessions": [],
                "recovery": [factors.recovery_digest(identity, each) for each in codes],
            }  # fmt: skip
            self._workspace.register.put(INVITATION, invitation, None)
            self._workspace.register.put(ACCOUNT, identity, record)
        account = Account.of(identity, record)
        what = {"account": identity, "invitation": invitation, "by": found["by"]}
        self._workspace.record([Entry.of(Action.ACCOUNT_MADE, self._actor(account), what=what)])
        address = pyotp.TOTP(secret).provisioning_uri(name=plain, issuer_name="chaingraph")
        return Joined(account, secret, address, codes)

    def _invited(self, invitation: str, code: str, *, fresh: bool) -> dict[str, Any] | None:
        record = self._workspace.register.get(INVITATION, invitation, fresh=fresh)
        if record is None or not self._inviting.holds(code, record["digest"]):
            return None
        return record if self._now() < dt.datetime.fromisoformat(record["expires"]) else None

    # sessions

    def open(self, name: str, password: str, code: str) -> Opened | None:
        """A session, for a name, its password, and a code of the second factor or one for recovery; else None.

        What was wrong is not told, nor by the time that it takes. Raises StoreError, and Busy where somebody writes for
        longer than `WAIT` seconds.
        """
        identity = self._id(folded(name))
        record = self._workspace.register.get(ACCOUNT, identity, fresh=True)
        known = factors.fits(password[: factors.LONGEST], record["password"] if record else None)
        if record is None or not known or self._used(identity, record, code) is None:
            return None
        with self._workspace.store.writing(WAIT):  # nobody uses the same code meanwhile
            record = self._workspace.register.get(ACCOUNT, identity, fresh=True) or record
            changed = self._used(identity, record, code)
            if changed is None or changed["disabled"]:
                return None
            account, made = Account.of(identity, changed), self._opening.make()
            expires = self._clock() + self._session
            kept = [*changed["sessions"], made.name]
            for old in kept[:-SESSIONS]:
                self._workspace.register.put(SESSION, old, None)
            session = {"digest": made.digest, "account": identity, "expires": expires}
            self._workspace.register.put(SESSION, made.name, session)
            self._workspace.register.put(ACCOUNT, identity, {**changed, "sessions": kept[-SESSIONS:]})
        return Opened(account, made.text, expires)

    def _used(self, identity: str, record: dict[str, Any], code: str) -> dict[str, Any] | None:
        """The record once a code is used, None for a code that is not good."""
        plain = "".join(code.split())
        taken = factors.step(record["totp"], plain, self._clock(), record["step"])
        if taken is not None:
            return {**record, "step": taken}
        digest = factors.recovery_digest(identity, plain)
        left = [each for each in record["recovery"] if not hmac.compare_digest(each, digest)]
        return {**record, "recovery": left} if len(left) < len(record["recovery"]) else None

    def find(self, token: str) -> Actor | None:
        """Who acts in a session, where it is good now. Raises StoreError."""
        name = self._opening.name(token)
        session = self._workspace.register.get(SESSION, name) if name else None
        if session is None or not self._opening.holds(token, session["digest"]) or session["expires"] <= self._clock():
            return None
        record = self._workspace.register.get(ACCOUNT, session["account"])
        if record is None or record["disabled"]:
            return None
        return self._actor(Account.of(session["account"], record), session["expires"])

    def close(self, token: str) -> None:
        """End a session."""
        name = self._opening.name(token)
        if name is not None:
            self._workspace.register.put(SESSION, name, None)

    # accounts

    def all(self, actor: Actor) -> Iterator[Account]:
        """The accounts of the actor's organisation, or of all for who administers the consortium, by id."""
        for identity, record in self._workspace.register.all(ACCOUNT):
            account = Account.of(identity, record)
            if seen_by(actor, account.organisation):
                yield account

    def disable(self, actor: Actor, name: str) -> Account:
        """Close an account by its name or id; its sessions end at once, on other servers within a second.

        Raises ChaingraphError (`access.forbidden`), NotFound (`account.unknown`) also for another organisation's.
        """
        for identity in (name, self._id(folded(name))):
            record = self._workspace.register.get(ACCOUNT, identity, fresh=True)
            if record is not None and seen_by(actor, record["organisation"]):
                break
        else:
            raise NotFound(
                "account.unknown",
                Text("没有这个账户。", "There is no such account."),
                Text("account list 列出全部账户。", "`account list` shows those that there are."),
            )
        permit(actor, record["organisation"], ROLES[record["role"]], others=True)
        with self._workspace.store.writing(WAIT):
            record = {**(self._workspace.register.get(ACCOUNT, identity, fresh=True) or record), "disabled": True}
            self._workspace.register.put(ACCOUNT, identity, record)
        self._workspace.record([Entry.of(Action.TOKEN_REVOKED, actor, what={"account": identity})])
        return Account.of(identity, record)

    def _actor(self, account: Account, expires: float | None = None) -> Actor:
        return Actor(account.organisation, account.role, Purpose.QUALITY, PERSON + account.id, expires)

    def _now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._clock(), dt.UTC)

    def _id(self, plain: str) -> str:
        return hmac.digest(self._key, plain.encode(), hashlib.sha256).hex()[:32]

    @cached_property
    def _key(self) -> bytes:
        return self._workspace.store.secret("accounts")


def folded(name: str) -> str:
    """One form of a name, however it was typed; what is too long is cut, and still too long."""
    return unicodedata.normalize("NFKC", name).strip().casefold()[: NAME_LENGTH + 1]


def _named(name: str) -> str:
    plain = folded(name)
    if not 3 <= len(plain) <= NAME_LENGTH or not plain.isprintable():
        raise ChaingraphError(
            "account.name",
            Text("用户名不合要求。", "That can be no name of an account."),
            Text(f"请用 3 至 {NAME_LENGTH} 个可见字符。", f"Use 3 to {NAME_LENGTH} characters that can be seen."),
        )
    return plain


def _uninvited() -> ChaingraphError:
    return ChaingraphError(
        "account.invitation",
        Text("邀请码无效、已用过或已过期。", "The invitation is not good: unknown, used or expired."),
        Text("请向邀请者索取新的邀请。", "Ask whoever invited you for a new one."),
    )
