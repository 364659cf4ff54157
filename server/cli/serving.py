"""`serve`: GraphQL, tables and the console over HTTP."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click

from schema.text import Text
from server.cli import output
from server.cli.command import command, option
from server.cli.demo import mark
from server.cli.session import Session

if TYPE_CHECKING:
    from chaingraph import Workspace

_EXPOSED = Text(
    "警告：{host} 可从别的机器访问，而服务尚无身份验证：凡能连上者均可读取和更改全部数据。",
    "Warning: {host} can be reached from other machines, and there is no authentication yet: whoever connects can read "
    "and change everything.",
)

_WAITING = Text(
    "{store} 尚未应答或仍在读取；服务已启动，可以读取后即就绪。",
    "{store} does not answer yet, or is still being read; the server is up, and ready as soon as it can be read.",
)
PATIENCE = 3.0
"""Seconds for which the server waits for a remote store before it listens."""


@command(
    "serve",
    zh="提供 GraphQL、数据表和控制台；缺省只对本机开放。",
    en="Serve GraphQL, tables and GraphiQL; to this machine only, unless told otherwise.",
    params=[
        option("--host", zh="监听地址。", en="Address to listen on.", default="127.0.0.1", show_default=True),
        option(
            "--port", zh="端口。", en="Port.", type=click.IntRange(1, 65535), default=8000, show_default=True,
            metavar="PORT",
        ),
    ],
)  # fmt: skip
def serve(session: Session, host: str, port: int) -> None:
    """Until it is interrupted."""
    import uvicorn

    from chaingraph.settings import settings
    from server.api.app import Settings, create_app, is_loopback

    private = host == "localhost" or is_loopback(host)
    hosts = settings().hosts
    with session.workspace(lazy=True) as workspace:
        ready = _followed(session, workspace)
        app = create_app(workspace, Settings(locale=session.locale, development=private, hosts=hosts))
        if not private:
            session.note(_EXPOSED.format(host=host))
        if ready:
            mark(session, workspace.view())
        listening = _socket(host, port)
        base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        for name, path in addresses(console=private):
            output.line(f"{session.say(name)}  {base}{path}")
        output.flush()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        with listening:
            server.run(sockets=[listening])


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
        (Text("数据表（Excel、Power BI、Grafana）", "Tables (Excel, Power BI, Grafana)"), "/tables/parts.csv"),
        (Text("健康检查", "Health"), "/health"),
    ]
