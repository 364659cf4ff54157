"""What a server must not be started with: everything that is wrong at once, each with what to do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from chaingraph import Actor, Busy, ChaingraphError, StoreError, Unavailable, Workspace
from chaingraph.audit.entries import LOG as AUDIT
from chaingraph.settings import Settings
from schema.text import Text
from server.api.app import is_loopback
from server.auth import development
from server.auth.accounts import INVITATION, Accounts
from server.auth.oidc import private
from server.auth.tokens import Tokens
from server.cli.session import program

Mode = Literal["development", "production"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a server is to be started: on which address, open to everybody there or not, in which mode."""

    host: str
    open: bool
    mode: Mode
    introspection: bool

    @classmethod
    def of(cls, host: str, settings: Settings, *, open_to_all: bool) -> Plan:
        """What settings say, and what they leave to the address."""
        near = is_near(host)
        mode: Mode = settings.mode or ("development" if near else "production")
        shown = settings.introspection
        return cls(host, open_to_all, mode, near and mode == "development" if shown is None else shown)


class Refused(ChaingraphError):
    """A server is not started. `each` are the reasons."""

    def __init__(self, each: Iterable[ChaingraphError]) -> None:
        self.each = tuple(each)
        lines = {locale: "".join(f"\n- {one.code}: {one.say(locale)}" for one in self.each) for locale in ("zh", "en")}
        super().__init__(
            "serve.refused",
            Text(f"服务不能这样启动：{lines['zh']}", f"The server cannot be started like this:{lines['en']}"),
        )


def is_near(host: str) -> bool:
    """Whether an address or name is this machine's own."""
    return host == "localhost" or is_loopback(host)


def check(plan: Plan, workspace: Workspace, settings: Settings) -> None:
    """Raise Refused where a server must not be started.

    A remote store that does not answer is no reason: what is in it cannot be looked at then, and what is
    to be logged and cannot is not answered.
    """
    found = [*_openness(plan)]
    if plan.mode == "production":
        found += [*_development(plan), *_lines(workspace.store.url, settings)]
        try:
            found += _stored(workspace, settings)
        except Unavailable:
            pass
        except (StoreError, Busy) as error:
            found.append(_unwritten(error))
    if found:
        raise Refused(found)


def _openness(plan: Plan) -> Iterable[ChaingraphError]:
    if plan.open and not is_near(plan.host):
        yield ChaingraphError(
            "serve.open",
            Text(
                f"--open 使凡能连上 {plan.host} 者都是管理员。",
                f"--open makes everybody who can reach {plan.host} its administrator.",
            ),
            Text("请去掉 --open，或只监听 127.0.0.1。", "Leave --open out, or listen on 127.0.0.1."),
        )
    if plan.open and plan.mode == "production":
        yield ChaingraphError(
            "serve.open_production",
            Text("生产模式下不能用 --open。", "--open is not for production."),
            Text("请去掉 --open。", "Leave --open out."),
        )


def _development(plan: Plan) -> Iterable[ChaingraphError]:
    if plan.introspection:
        yield ChaingraphError(
            "serve.introspection",
            Text("生产模式下不能开放内省和 GraphiQL。", "Introspection and GraphiQL are not for production."),
            Text(
                "请去掉 CHAINGRAPH_INTROSPECTION；结构见 server/schema.graphql。",
                "Leave CHAINGRAPH_INTROSPECTION out; the schema is in server/schema.graphql.",
            ),
        )


def _lines(url: str, settings: Settings) -> Iterable[ChaingraphError]:
    """Lines on which others could listen."""
    parts = urlsplit(url)
    if parts.scheme in {"bolt", "neo4j"} and not is_near(parts.hostname or ""):
        yield ChaingraphError(
            "serve.store",
            Text("与存储的连接没有加密。", "The line to the store is not encrypted."),
            Text(
                f"请用 {parts.scheme}+s:// 地址，并为数据库配置证书。",
                f"Use an address {parts.scheme}+s://, and give the database a certificate.",
            ),
        )
    if settings.oidc_issuer and not private(settings.oidc_issuer):
        yield ChaingraphError(
            "serve.issuer",
            Text("身份提供方的地址没有加密。", "The identity provider's address is not encrypted."),
            Text("CHAINGRAPH_OIDC_ISSUER 请用 https 地址。", "Give CHAINGRAPH_OIDC_ISSUER as https."),
        )


def _stored(workspace: Workspace, settings: Settings) -> Iterable[ChaingraphError]:
    """What the store must have, and must not. Raises StoreError."""
    found: list[ChaingraphError] = []
    if development.enabled(workspace):
        command = f"{program()} tokens revoke {development.NAME}"
        found.append(
            ChaingraphError(
                "serve.development_key",
                Text(
                    "存储中有开发模式的签名密钥。", "The store holds the key that signs tokens of the development mode."
                ),
                Text(f"请运行 {command} 将其删除。", f"Take it out: {command}."),
            )
        )
    if not settings.oidc_issuer and not _somebody(workspace):
        found.append(
            ChaingraphError(
                "serve.nobody",
                Text("没有任何人能通过身份验证。", "Nobody can say who they are."),
                Text(
                    f"请设置 CHAINGRAPH_OIDC_ISSUER，或用 {program()} account invite 邀请，或签发 API 令牌。",
                    f"Set CHAINGRAPH_OIDC_ISSUER, or let somebody in: {program()} account invite, or tokens issue.",
                ),
            )
        )
    try:
        workspace.store.append(AUDIT, [])
    except Unavailable:
        raise
    except (StoreError, Busy) as error:
        found.append(_unwritten(error))
    return found


def _somebody(workspace: Workspace) -> bool:
    """Whether anybody has a token, an account or an invitation. Raises StoreError."""
    here, now = Actor(), dt.datetime.now(dt.UTC)
    return (
        any(token.good(now) for token in Tokens(workspace).all(here))
        or any(not account.disabled for account in Accounts(workspace).all(here))
        or any(True for _ in workspace.register.all(INVITATION))
    )


def _unwritten(error: ChaingraphError) -> ChaingraphError:
    return ChaingraphError(
        "serve.audit",
        Text(f"审计日志无法写入（{error.code}）。", f"The audit log cannot be written ({error.code})."),
        error.remedy or Text("请检查存储。", "Look at the store."),
    )
