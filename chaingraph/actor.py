"""Who acts: a person or program of an organisation, in a role, for a purpose."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from schema.vocabularies import AccessRole, Purpose

EVERYBODY = ""
"""The viewer who may see everything: the administrator of an embedded store."""


class Capability(enum.StrEnum):
    """What a role lets somebody do; what they see is for the agreements to say."""

    READ = "read"
    """Lists, tables and analyses of what the organisation may see."""
    UPLOAD = "upload"
    """Bring in the organisation's own data, and take it back."""
    AGREE = "agree"
    """Propose, accept and revoke agreements, and answer requests for identities."""
    ASK = "ask"
    """Ask for the identity behind a pseudonym."""
    BENCHMARK = "benchmark"
    """Ask for pooled figures."""
    TOKENS = "tokens"
    """Issue and revoke tokens and invitations of the organisation."""
    AUDIT = "audit"
    """Read the organisation's access log."""
    AUDIT_ALL = "audit_all"
    """Read the whole audit log, which holds no data values."""
    ADMINISTER = "administer"
    """Invite firms, release benchmarks, settle ended agreements."""


_C = Capability

CAPABILITIES: dict[AccessRole, frozenset[Capability]] = {
    AccessRole.ADMINISTRATOR: frozenset(Capability),
    AccessRole.QUALITY: frozenset({_C.READ, _C.UPLOAD, _C.AGREE, _C.ASK, _C.BENCHMARK, _C.TOKENS, _C.AUDIT}),
    AccessRole.SUPPLIER: frozenset({_C.READ, _C.UPLOAD, _C.AGREE, _C.ASK, _C.BENCHMARK, _C.TOKENS, _C.AUDIT}),
    AccessRole.ANALYST: frozenset({_C.READ, _C.BENCHMARK}),
    AccessRole.EXPERT: frozenset({_C.READ, _C.UPLOAD, _C.ASK}),
    AccessRole.AUTHORITY: frozenset({_C.READ, _C.BENCHMARK}),
    AccessRole.AUDITOR: frozenset({_C.AUDIT, _C.AUDIT_ALL}),
}
"""What each role may do."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    `organisation` is whose eyes the graph is seen with (`EVERYBODY`: the administrator of an embedded store); `account`
    is a name for the person or token in the log, never a personal name; `expires` is when the right to act ends
    (seconds since 1970), None for never. `read_only` forbids all but reading, whatever the role.
    """

    organisation: str = EVERYBODY
    role: AccessRole = AccessRole.ADMINISTRATOR
    purpose: Purpose = Purpose.QUALITY
    account: str = ""
    expires: float | None = None
    read_only: bool = False

    def may(self, capability: Capability) -> bool:
        """Whether the role, and a read-only token, allow it."""
        reading = {Capability.READ, Capability.BENCHMARK, Capability.AUDIT, Capability.AUDIT_ALL}
        return capability in CAPABILITIES[self.role] and (not self.read_only or capability in reading)
