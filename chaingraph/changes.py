"""A change set: what is to be put and deleted, kind by kind, and its digest."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from schema import KINDS, kind

COMMIT_ROWS = 50_000
"""The most rows in one commit; a larger load is a run of commits."""


@dataclass(frozen=True)
class ChangeSet:
    """Rows to put and keys to delete, applied as one.

    `put[kind]` has the columns of the kind (a put replaces the whole row); `delete[kind]` are stored keys. A load
    of many commits shares one `load` id; `part` counts them from 0 and `last` marks the one that makes the whole
    load visible.
    """

    put: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    delete: Mapping[str, pl.Series] = field(default_factory=dict)
    by: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    load: str | None = None
    part: int = 0
    last: bool = True

    def __post_init__(self) -> None:
        for name, rows in self.put.items():
            if dict(rows.schema) != kind(name).schema:
                raise ValueError(f"Rows of {name} do not have the columns of their kind: {rows.schema}")

    @property
    def size(self) -> int:
        """Rows put and keys deleted."""
        return sum(map(len, self.put.values())) + sum(map(len, self.delete.values()))

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 over the canonical rows, for each (kind, operation) that has any; what the journal's chain is
        made of.
        """
        found = {}
        for name in KINDS:
            if name in self.put and len(self.put[name]):
                found[f"put {name}"] = hashlib.sha256(canonical(self.put[name])).hexdigest()
            if name in self.delete and len(self.delete[name]):
                keys = pl.DataFrame({"key": self.delete[name].cast(pl.String)})
                found[f"delete {name}"] = hashlib.sha256(canonical(keys)).hexdigest()
        return found

    @cached_property
    def content(self) -> bytes:
        """32 bytes that stand for all that the change set does."""
        head = f"{self.load or ''}\n{self.part}\n{int(self.last)}\n{self.by}\n"
        return hashlib.sha256((head + "".join(f"{k} {v}\n" for k, v in self.digests.items())).encode()).digest()


def canonical(rows: pl.DataFrame) -> bytes:
    """One encoding for one set of rows: sorted by key, columns as declared, strings quoted, null as nothing.

    The text is CSV as polars writes it (floats as the shortest text that reads back the same); a test pins the digest
    of a row of every type, so that another spelling by another version is noticed.
    """
    out = io.BytesIO()
    in_order = rows if increasing(rows["key"]) else rows.sort("key")
    in_order.write_csv(out, quote_style="non_numeric")
    return out.getvalue()


def increasing(keys: pl.Series) -> bool:
    """Whether each key is larger than the one before: sorted, and none twice."""
    return bool((keys.slice(1) > keys.head(max(len(keys) - 1, 0))).all())


def chained(previous: bytes, revision: int, change_id: uuid.UUID, content: bytes) -> bytes:
    """The digest of a commit: over the one before it, its number, its id and its content."""
    return hashlib.sha256(previous + revision.to_bytes(8, "big") + change_id.bytes + content).digest()
