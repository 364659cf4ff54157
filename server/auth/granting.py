"""For whom somebody may issue tokens and invitations, and the names of roles and purposes."""

from __future__ import annotations

from chaingraph import EVERYBODY, Actor, Capability, ChaingraphError
from chaingraph.actor import CAPABILITIES
from schema.text import Text
from schema.vocabularies import AccessRole, Purpose

MACHINE = "token:"
"""How the log's name for an API token begins."""
NAME_LENGTH = 64
ROLES = {role.value: role for role in AccessRole}
PURPOSES = {purpose.value: purpose for purpose in Purpose}


def role_of(said: str) -> AccessRole:
    """A role by its code, a label or a synonym. Raises ChaingraphError (`access.role`)."""
    code = {spelling.casefold(): code for spelling, code in AccessRole.spellings().items()}.get(said.strip().casefold())
    if code is None:
        known = ", ".join([*AccessRole.codes(), "chain-leader"])
        raise ChaingraphError(
            "access.role",
            Text("没有这个角色。", "There is no such role."),
            Text(f"可用：{known}。", f"There are: {known}."),
        )
    return ROLES[code]


def purpose_of(said: str) -> Purpose:
    """A purpose by its code, a label or a synonym. Raises ChaingraphError (`access.purpose`)."""
    code = {spelling.casefold(): code for spelling, code in Purpose.spellings().items()}.get(said.strip().casefold())
    if code is None:
        known = ", ".join(Purpose.codes())
        raise ChaingraphError(
            "access.purpose",
            Text("没有这个用途。", "There is no such purpose."),
            Text(f"可用：{known}。", f"There are: {known}."),
        )
    return PURPOSES[code]


def permit(actor: Actor, organisation: str, role: AccessRole, *, others: bool) -> None:
    """Refuse what an actor may not give: rights of another organisation, or more than it has itself.

    Whoever administers the consortium may do so for `others` where that is said; at the machine of the store everything
    can be done. A machine's token gives nothing, so that revoking it ends all that it could do.

    Raises ChaingraphError (`access.forbidden`, `access.organisation`).
    """
    known_firm(organisation)
    own = actor.organisation in {organisation, EVERYBODY} or (others and actor.may(Capability.ADMINISTER))
    more = CAPABILITIES[role] - CAPABILITIES[actor.role]
    if not actor.may(Capability.TOKENS) or actor.account.startswith(MACHINE) or not own or more:
        raise ChaingraphError(
            "access.forbidden",
            Text("无权发放或收回这样的令牌或邀请。", "You may not give or take back such a token or invitation."),
            Text(
                "请由本组织有权的人登录后操作，角色不能超过自己的。",
                "It is for a person of the organisation who may, and for no role beyond their own.",
            ),
        )


def known_firm(organisation: str) -> None:
    """Refuse what can be no organisation's code: none is a viewer who sees everything."""
    plain = organisation == organisation.strip() and organisation.isprintable()
    if not (0 < len(organisation) <= NAME_LENGTH and plain):
        raise ChaingraphError(
            "access.organisation",
            Text("组织代码有误。", "That can be no organisation's code."),
            Text("请给出 1 至 64 个字符的组织代码。", "Name the organisation by its code of 1 to 64 characters."),
        )
