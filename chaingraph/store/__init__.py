"""Stores: where the journal and the graph are kept."""

from __future__ import annotations

from pathlib import Path

from chaingraph.errors import StoreError
from chaingraph.store.base import Commit, Head, Session, Store
from schema.text import Text

__all__ = ["Commit", "Head", "Session", "Store", "open_store"]


def open_store(url: str) -> Store:
    """The store at `url` (`sqlite:///relative/path`, `sqlite:////absolute/path`), made if it is not there.

    Raises StoreError for an address that no store understands.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from chaingraph.store.sqlite import SqliteStore

        return SqliteStore(Path(rest[1:]))
    raise StoreError(
        "store.address",
        Text(f"无法识别的存储地址：{url}", f"No store has the address {url}."),
        Text("请使用 sqlite:///路径。", "Use sqlite:///path."),
    )
