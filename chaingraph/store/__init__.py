"""Stores: where the journal and the graph are kept."""

from __future__ import annotations

from pathlib import Path

from chaingraph.errors import StoreError
from chaingraph.store.base import Commit, Head, Redaction, Session, Store
from schema.text import Text

__all__ = ["Commit", "Head", "Redaction", "Session", "Store", "open_store"]


def open_store(url: str, *, lazy: bool = False) -> Store:
    """The store at `url`, made if it is not there.

    `sqlite:///relative/path` or `sqlite:////absolute/path` is a file, `neo4j://host:port/database` (also `neo4j+s://`,
    `bolt://` and the like) a database of a Neo4j server, which with `lazy` is reached only when it is first used.
    Raises StoreError for an address that no store understands, and for a store that cannot be opened.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from chaingraph.store.sqlite import SqliteStore

        return SqliteStore(Path(rest[1:]))
    if scheme.partition("+")[0] in {"neo4j", "bolt"}:
        from chaingraph.store.neo4j import Neo4jStore

        store = Neo4jStore(url)
        try:
            if not lazy:
                store.prepare()
        except BaseException:
            store.close()
            raise
        return store
    raise StoreError(
        "store.address",
        Text(f"无法识别的存储地址：{url}", f"No store has the address {url}."),
        Text(
            "请使用 sqlite:///路径 或 neo4j://主机:端口/数据库。", "Use sqlite:///path or neo4j://host:port/database."
        ),
    )
