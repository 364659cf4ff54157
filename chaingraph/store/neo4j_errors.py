"""What Neo4j and the network complain of, in words that say what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    ConnectionAcquisitionTimeoutError,
    DriverError,
    Forbidden,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

from chaingraph.errors import StoreError, Unavailable
from schema.text import Text

_CODES = {
    "Neo.ClientError.Database.DatabaseNotFound": "store.database",
    "Neo.ClientError.Security.AuthenticationRateLimit": "store.auth",
    "Neo.ClientError.General.DatabaseUnavailable": "store.unreachable",
    "Neo.DatabaseError.Database.UnableToStartDatabase": "store.unreachable",
    "Neo.TransientError.General.MemoryPoolOutOfMemoryError": "store.memory",
    "Neo.TransientError.General.TransactionOutOfMemoryError": "store.memory",
    "Neo.TransientError.General.OutOfMemoryError": "store.memory",
}


@contextlib.contextmanager
def told(url: str) -> Iterator[None]:
    """Turn errors of the driver, the server and the network into StoreError (or Unavailable), naming the address."""
    try:
        yield
    except (TimeoutError, ServiceUnavailable, SessionExpired, ConnectionAcquisitionTimeoutError) as error:
        raise unreachable(url, str(error) or "no answer") from error
    except Forbidden as error:
        raise StoreError(
            "store.forbidden",
            Text(f"{url} 不允许该操作：{error.message}。", f"{url} does not allow this: {error.message}."),
            Text(
                "请让管理员授予读写及建立约束的权限。", "Have the user granted reading, writing and making constraints."
            ),
        ) from error
    except AuthError as error:
        raise _auth(url) from error
    except ConfigurationError as error:
        raise StoreError(
            "store.address",
            Text(f"{url} 不是可用的地址：{error}。", f"{url} cannot be used as an address: {error}."),
            Text("请使用 neo4j://主机:端口/数据库。", "Use neo4j://host:port/database."),
        ) from error
    except Neo4jError as error:
        raise _said(url, error) from error
    except (DriverError, OSError) as error:
        raise unreachable(url, str(error)) from error


def unreachable(url: str, why: str) -> Unavailable:
    """The server does not answer."""
    return Unavailable(
        "store.unreachable",
        Text(f"{url} 没有应答：{why}。", f"{url} does not answer: {why}."),
        Text(
            "请检查 Neo4j 是否在运行、地址和网络是否正确，稍后重试。",
            "Check that Neo4j runs and that the address and the network are right; try again later.",
        ),
    )


def _auth(url: str) -> StoreError:
    return StoreError(
        "store.auth",
        Text(f"{url} 拒绝了用户名或密码。", f"{url} refused the user or the password."),
        Text(
            "请设置 CHAINGRAPH_NEO4J_USER 和 CHAINGRAPH_NEO4J_PASSWORD（或 CHAINGRAPH_NEO4J_TOKEN）。",
            "Set CHAINGRAPH_NEO4J_USER and CHAINGRAPH_NEO4J_PASSWORD (or CHAINGRAPH_NEO4J_TOKEN).",
        ),
    )


def _said(url: str, error: Neo4jError) -> StoreError:
    code = _CODES.get(error.code or "")
    if code == "store.database":
        return StoreError(
            "store.database",
            Text(f"{url} 没有该数据库：{error.message}。", f"{url} has no such database: {error.message}."),
            Text(
                "请先建立数据库，或更正地址末尾的名称。",
                "Create it first, or correct the name at the end of the address.",
            ),
        )
    if code == "store.auth":
        return _auth(url)
    if code == "store.memory":
        return StoreError(
            "store.memory",
            Text(f"{url} 的事务内存不足：{error.message}。", f"{url} has too little memory: {error.message}."),
            Text(
                "请增大 Neo4j 的堆内存（server.memory.heap.max_size），至少 1 GB。",
                "Give Neo4j more heap (server.memory.heap.max_size), 1 GB at least.",
            ),
        )
    if code == "store.unreachable" or isinstance(error, TransientError):
        return unreachable(url, error.message or str(error.code))
    return StoreError(
        "store.failed",
        Text(f"{url} 出错：{error.code} {error.message}。", f"{url} failed: {error.code} {error.message}."),
    )
