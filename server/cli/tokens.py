"""`token`, `tokens`, `account`: who may ask the server, given and taken back at the machine of the store."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from schema.text import Text
from schema.vocabularies import AccessRole, Purpose
from server.cli import output
from server.cli.command import argument, command, group, option
from server.cli.session import Session

if TYPE_CHECKING:
    from chaingraph import Actor

_ROLES = "|".join([*AccessRole.codes(), "chain-leader"])
_PURPOSES = "|".join(Purpose.codes())
_ONCE = Text("令牌 {name}，至 {until} 有效；只显示这一次。", "Token {name}, good until {until}; it is shown this once.")
_FOR_DEVELOPMENT = Text(
    "开发模式的令牌，仅在开发模式的服务上有效。", "A token of the development mode; no other server takes it."
)
_INVITED = Text(
    "邀请码只能用一次，至 {until} 有效。对方在 {path} 填写邀请码、用户名和密码即可加入。",
    "The invitation is good once, until {until}. Whoever has it joins by a name and a password at {path}.",
)
_HEADINGS = {
    "name": Text("名称", "Name"),
    "organisation": Text("组织", "Organisation"),
    "role": Text("角色", "Role"),
    "purpose": Text("用途", "Purpose"),
    "read_only": Text("只读", "Read-only"),
    "label": Text("标签", "Label"),
    "expires": Text("有效期至", "Good until"),
    "state": Text("状态", "State"),
}
_STATES = {
    "good": Text("有效", "good"),
    "expired": Text("已过期", "expired"),
    "revoked": Text("已收回", "revoked"),
    "disabled": Text("已停用", "closed"),
}


def _role() -> click.Parameter:
    return option("--role", zh="角色。", en="Role.", metavar=_ROLES, required=True)


def _purpose(zh: str, en: str) -> click.Parameter:
    return option("--purpose", "bound", zh=zh, en=en, metavar=_PURPOSES)


def _days(default: int, most: int) -> click.Parameter:
    return option(
        "--days", zh="有效天数。", en="Days for which it is good.", type=click.IntRange(1, most), default=default,
        show_default=True, metavar="N",
    )  # fmt: skip


def _here() -> Actor:
    """Whoever sits at the machine of the store."""
    from chaingraph import Actor

    return Actor(account="command-line")


def _day(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _table(session: Session, rows: list[dict[str, Any]], columns: list[str]) -> None:
    shown = [[session.say(_STATES[value]) if name == "state" else value for name, value in row.items()] for row in rows]
    session.answer(rows, [session.say(_HEADINGS[name]) for name in columns], shown)


@command(
    "token",
    zh="签发开发模式的令牌，供演示中的组织使用；只有开发模式的服务接受。",
    en="Print a token of the development mode, for an organisation of the demo; only a server in that mode takes it.",
    params=[
        argument("organisation"),
        _role(),
        _purpose("令牌只用于此用途；缺省由请求说明。", "Purpose that it is bound to; else the request says."),
        _days(30, 366),
    ],
)
def token(session: Session, organisation: str, role: str, bound: str | None, days: int) -> None:
    """The token alone on standard output."""
    from server.auth import development
    from server.auth.granting import purpose_of, role_of

    chosen, purpose = role_of(role), purpose_of(bound) if bound else None
    with session.workspace(existing=True) as workspace:
        text = development.issue(workspace, _here(), organisation, chosen, purpose, days)
    if session.format == "json":
        output.json({"token": text})
    else:
        output.line(text)
    session.note(_FOR_DEVELOPMENT)


@command(
    "list", zh="列出 API 令牌；令牌本身不可再见。", en="List the API tokens; what they are is not to be seen again."
)
def listed(session: Session) -> None:
    """Also those that are revoked or expired."""
    from server.auth.tokens import Tokens

    now, rows = dt.datetime.now(dt.UTC), []
    with session.workspace(existing=True) as workspace:
        for each in Tokens(workspace).all(_here()):
            state = "good" if each.good(now) else "revoked" if each.revoked else "expired"
            rows.append(
                {
                    "name": each.name, "organisation": each.organisation, "role": each.role.value,
                    "purpose": each.purpose.value if each.purpose else None, "read_only": each.read_only,
                    "label": each.label, "expires": _day(each.expires), "state": state,
                }
            )  # fmt: skip
    _table(session, rows, list(_HEADINGS))


@command(
    "issue",
    zh="为组织的程序签发 API 令牌。只读且绑定用途的令牌也可作 HTTP Basic 的密码，供表格和看板使用。",
    en=(
        "Issue an API token for a program of an organisation. One that is read-only and bound to a purpose is also "
        "taken as the password of HTTP Basic, for spreadsheets and dashboards."
    ),
    params=[
        argument("organisation"),
        _role(),
        _purpose("令牌只用于此用途；缺省由请求说明。", "Purpose that it is bound to; else the request says."),
        option("--read-only", is_flag=True, zh="只能读取。", en="Lets nothing be changed."),
        option("--label", zh="给人看的说明。", en="What it is for, for people.", default="", metavar="TEXT"),
        _days(90, 366),
    ],
)  # fmt: skip
def issue(
    session: Session, organisation: str, role: str, bound: str | None, read_only: bool, label: str, days: int
) -> None:
    """The token alone on standard output."""
    from server.auth.granting import purpose_of, role_of
    from server.auth.tokens import Tokens

    chosen, purpose = role_of(role), purpose_of(bound) if bound else None
    with session.workspace() as workspace:
        made, text = Tokens(workspace).issue(
            _here(), organisation, chosen, purpose=purpose, read_only=read_only, days=days, label=label
        )
    if session.format == "json":
        output.json({"token": text, "name": made.name, "expires": made.expires.isoformat()})
    else:
        output.line(text)
    session.note(_ONCE.format(name=made.name, until=_day(made.expires)))


@command(
    "revoke",
    zh="收回 API 令牌；名称 development 收回开发模式的全部令牌。",
    en="Revoke an API token by its name; `development` revokes all tokens of the development mode.",
    params=[argument("name")],
)
def revoke(session: Session, name: str) -> None:
    """Servers that run take it no longer within a second."""
    from server.auth import development
    from server.auth.tokens import Tokens

    with session.workspace(existing=True) as workspace:
        if name == development.NAME:
            development.end(workspace, _here())
        else:
            Tokens(workspace).revoke(_here(), name)
    session.note(Text(f"已收回 {name}。", f"{name} is revoked."))


@command(
    "invite",
    zh="邀请没有身份提供方的企业：得到一次性邀请码，对方凭它建立账户（密码加动态码）。",
    en="Invite a firm without an identity provider: prints a code for one account with password and second factor.",
    params=[
        argument("organisation"),
        _role(),
        _days(7, 30),
        option(
            "--url", zh="服务的地址，用来给出链接。", en="The server's address, for a link.", default="", metavar="URL"
        ),
    ],
)
def invite(session: Session, organisation: str, role: str, days: int, url: str) -> None:
    """The code, or the link, alone on standard output."""
    from server.auth.accounts import Accounts
    from server.auth.granting import role_of

    chosen = role_of(role)
    with session.workspace() as workspace:
        code, until = Accounts(workspace).invite(_here(), organisation, chosen, days=days)
    link = f"{url.rstrip('/')}/auth/join#{code}" if url else None
    if session.format == "json":
        output.json({"invitation": code, "expires": until.isoformat(), "link": link})
    else:
        output.line(link or code)
    session.note(_INVITED.format(until=_day(until), path="/auth/join"))


@command("list", zh="列出本地账户。", en="List the local accounts.")
def people(session: Session) -> None:
    """Also those that are closed."""
    from server.auth.accounts import Accounts

    with session.workspace(existing=True) as workspace:
        rows = [
            {
                "name": each.name, "organisation": each.organisation, "role": each.role.value,
                "state": "disabled" if each.disabled else "good",
            }
            for each in Accounts(workspace).all(_here())
        ]  # fmt: skip
    _table(session, rows, ["name", "organisation", "role", "state"])


@command(
    "disable",
    zh="停用本地账户，其会话随即结束。",
    en="Close a local account; its sessions end at once.",
    params=[argument("name")],
)
def disable(session: Session, name: str) -> None:
    """By the name that is typed, or the id that the log has."""
    from server.auth.accounts import Accounts

    with session.workspace(existing=True) as workspace:
        closed = Accounts(workspace).disable(_here(), name)
    session.note(Text(f"已停用 {closed.name}。", f"{closed.name} is closed."))


tokens = group(
    "tokens",
    [listed, issue, revoke],
    zh="列出、签发、收回 API 令牌。",
    en="List, issue and revoke API tokens.",
)
account = group(
    "account",
    [invite, people, disable],
    zh="邀请、列出、停用本地账户。",
    en="Invite to, list and close local accounts.",
)
