"""`serve`: GraphQL, tables and the console over HTTP."""

from __future__ import annotations

import datetime as dt
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from schema.text import Text
from server.cli import output
from server.cli.command import command, option
from server.cli.demo import mark
from server.cli.session import Session, program

if TYPE_CHECKING:
    from chaingraph import Workspace
    from chaingraph.settings import Settings as Known
    from ingest.desk import Desk
    from server.api.app import Settings
    from server.production import Plan

_OPEN = Text(
    "未要求令牌（--open）：本机上凡能连上者都是管理员。",
    "No token is asked for (--open): everybody who connects on this machine is the administrator.",
)
_DEVELOPMENT = Text(
    "开发模式：{program} token 组织 --role 角色 签发令牌。",
    "Development mode: {program} token ORGANISATION --role ROLE prints a token.",
)
_EXPOSED = Text(
    "警告：{host} 可从别的机器访问，而服务处于开发模式，也接受开发令牌。",
    "Warning: {host} can be reached from other machines, and the server is in development mode: it takes tokens of "
    "that mode, too.",
)

_WAITING = Text(
    "{store} 尚未应答或仍在读取；服务已启动，可以读取后即就绪。",
    "{store} does not answer yet, or is still being read; the server is up, and ready as soon as it can be read.",
)
LOG = logging.getLogger(__name__)
HOUR = 3600.0
PATIENCE = 3.0
"""Seconds for which the server waits for a remote store before it listens."""


@command(
    "serve",
    zh="提供 GraphQL、数据表和控制台，凭令牌访问；缺省只对本机开放。",
    en="Serve GraphQL, tables and GraphiQL to who has a token; to this machine only, unless told otherwise.",
    params=[
        option("--host", zh="监听地址。", en="Address to listen on.", default="127.0.0.1", show_default=True),
        option(
            "--port", zh="端口。", en="Port.", type=click.IntRange(1, 65535), default=8000, show_default=True,
            metavar="PORT",
        ),
        option(
            "--open", "open_to_all", is_flag=True, zh="不要求令牌，凡能连上者都是管理员；仅限本机。",
            en="Ask for no token: whoever connects is the administrator. On this machine only.",
        ),
    ],
)  # fmt: skip
def serve(session: Session, host: str, port: int, open_to_all: bool) -> None:
    """Until it is interrupted."""
    import uvicorn

    from chaingraph.settings import settings
    from ingest.desk import Desk, Worker, spool_folder
    from server.api.app import create_app
    from server.api.limits import Limits
    from server.production import Plan, check, is_near

    chosen = settings()
    plan = Plan.of(host, chosen, open_to_all=open_to_all)
    with session.workspace(lazy=True) as workspace:
        ready = _followed(session, workspace)
        check(plan, workspace, chosen)
        desk = Desk(workspace, spool_folder(workspace))
        app = create_app(workspace, _application(session, workspace, plan, chosen, desk))
        if plan.open:
            session.note(_OPEN)
        elif plan.mode == "development":
            session.note((_DEVELOPMENT if is_near(host) else _EXPOSED).format(host=host, program=program()))
        if ready:
            mark(session, workspace.view())
        listening = _socket(host, port)
        base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        for name, path in addresses(console=plan.introspection and plan.open):
            output.line(f"{session.say(name)}  {base}{path}")
        output.flush()
        largest = Limits().body
        config = uvicorn.Config(app, log_level="warning", server_header=False, ws_max_size=largest)
        server = uvicorn.Server(config)
        with listening, settled_when_due(workspace), Worker(desk):
            server.run(sockets=[listening])


@contextmanager
def settled_when_due(workspace: Workspace, every: float = HOUR) -> Iterator[None]:
    """Meanwhile agreements that ended with deletion are settled: at the start, and then every so many seconds."""
    from chaingraph import Actor, ChaingraphError
    from chaingraph.settling import due, settle

    ended = threading.Event()

    def run() -> None:
        while True:
            try:
                when = due(workspace)
                if when is not None and when <= dt.datetime.now(dt.UTC):
                    settle(workspace, Actor(account="server"))
            except ChaingraphError as error:
                LOG.warning("what ended agreements leave could not be deleted yet: %s", error)
            if ended.wait(every):
                return

    thread = threading.Thread(target=run, name="settling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _application(session: Session, workspace: Workspace, plan: Plan, chosen: Known, desk: Desk) -> Settings:
    """How the application answers, and whom."""
    from server.api.app import Settings
    from server.auth.accounts import Accounts
    from server.auth.authenticator import Authenticator
    from server.auth.oidc import OpenId, Provider
    from server.auth.routes import Routes
    from server.pages import Site

    said = Settings(
        locale=session.locale, development=plan.introspection, hosts=chosen.hosts, desk=desk, open=Site.OPEN
    )
    if plan.open:
        return replace(said, routes=Site(workspace, desk).routes)
    provider = None
    if chosen.oidc_issuer and chosen.oidc_audience:
        provider = Provider(
            chosen.oidc_issuer, chosen.oidc_audience, chosen.oidc_leeway, chosen.oidc_organisation_claim,
            chosen.oidc_role_claim, chosen.oidc_organisations, chosen.oidc_roles,
        )  # fmt: skip
    accounts = Accounts(workspace, session=60.0 * chosen.session_minutes)
    authenticate = Authenticator(
        workspace,
        openid=OpenId(provider) if provider else None,
        development=plan.mode == "development",
        locale=session.locale,
        local=accounts,
    )
    pages = Site(workspace, desk, authenticate=authenticate, accounts=accounts)
    routes = [*Routes(accounts, session.locale).routes, *pages.routes]
    return replace(said, authenticate=authenticate, routes=routes)


def _followed(session: Session, workspace: Workspace) -> bool:
    """Have a remote store followed in the background; whether its graph can be read already.

    Raises StoreError where it answers and cannot be used.
    """
    if not workspace.store.remote:
        return True
    workspace.start_following()
    ready = workspace.wait(PATIENCE)
    if not ready:
        session.note(_WAITING.format(store=session.store))
    return ready


def _socket(host: str, port: int) -> socket.socket:
    """A socket that listens at the address; whoever connects is answered once the server is up."""
    from chaingraph import ChaingraphError

    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ChaingraphError(
            "serve.address",
            Text(
                f"无法在 {host}:{port} 监听：{error.strerror}。", f"Cannot listen on {host}:{port}: {error.strerror}."
            ),
            Text("请用 --host、--port 换一个地址。", "Name another address with --host and --port."),
        ) from None


def addresses(*, console: bool) -> list[tuple[Text, str]]:
    """What is served, and where."""
    graphiql = [(Text("GraphiQL（浏览器打开）", "GraphiQL (open in a browser)"), "/graphql")] if console else []
    return [
        (Text("GraphQL", "GraphQL"), "/graphql"),
        *graphiql,
        (Text("上传数据（浏览器打开）", "Uploads (open in a browser)"), "/upload"),
        (Text("数据表（Excel、Power BI、Grafana）", "Tables (Excel, Power BI, Grafana)"), "/tables/parts.csv"),
        (Text("健康检查", "Health"), "/health"),
    ]
