"""A change set: what is to be put and deleted, kind by kind, and its digest."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import polars as pl

from schema import KINDS, kind

COMMIT_ROWS = 50_000
"""The most rows in one commit; a larger load is a run of commits."""


class Payload(NamedTuple):
    """The rows that a commit put into a kind, or the keys that it deleted: a compressed Arrow file."""

    op: str
    kind: str
    data: bytes


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

    def payload(self) -> list[Payload]:
        """What is put and deleted, encoded for the journal, in the order of the kinds."""
        found: list[Payload] = []
        for name in KINDS:
            if name in self.put and len(self.put[name]):
                found.append(Payload("put", name, encoded(self.put[name])))
            if name in self.delete and len(self.delete[name]):
                found.append(Payload("delete", name, encoded(keys_frame(self.delete[name]))))
        return found

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 over the canonical rows, for each (kind, operation) that has any; what the journal's chain is
        made of.
        """
        found = {}
        for name in KINDS:
            if name in self.put and len(self.put[name]):
                found[f"put {name}"] = _digest(self.put[name])
            if name in self.delete and len(self.delete[name]):
                found[f"delete {name}"] = _digest(keys_frame(self.delete[name]))
        return found

    @cached_property
    def content(self) -> bytes:
        """32 bytes that stand for all that the change set does."""
        return content_of(self.load, self.part, self.last, self.by, self.digests)


def digests_of(payload: Iterable[Payload]) -> dict[str, str]:
    """`ChangeSet.digests` of a payload as it was written, in whatever columns it had then."""
    return {f"{op} {name}": _digest(pl.read_ipc(data)) for op, name, data in payload}


def content_of(load: str | None, part: int, last: bool, by: str, digests: Mapping[str, str]) -> bytes:
    """The digest of a commit's content, from those of its rows."""
    head = f"{load or ''}\n{part}\n{int(last)}\n{by}\n"
    return hashlib.sha256((head + "".join(f"{k} {v}\n" for k, v in digests.items())).encode()).digest()


def keys_frame(keys: pl.Series) -> pl.DataFrame:
    """Deleted keys as a column."""
    return pl.DataFrame({"key": keys.cast(pl.String)})


def encoded(rows: pl.DataFrame) -> bytes:
    """Rows as a payload has them."""
    out = io.BytesIO()
    own_text(rows).write_ipc(out, compression="zstd")
    return out.getvalue()


def own_text(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with no text in memory but their own: what polars filters shares the texts of all there were, and
    would write them to files with it.
    """
    texts = [c for c, of in rows.schema.items() if of == pl.String and rows[c].null_count() < len(rows)]
    return rows.with_columns(pl.concat_str([pl.col(c), pl.lit("")]).alias(c) for c in texts)


def decoded(
    payload: Iterable[Payload], kinds: Sequence[str] | None, version: int, by: str, number: uuid.UUID,
    load: str | None, part: int, last: bool,
) -> ChangeSet:  # fmt: skip
    """A journal entry as a change set, brought from the schema of its `version` to that of today.

    What it did to kinds that there are no longer is left out.
    """
    from chaingraph.store import migration

    put, delete = {}, {}
    for each in payload:
        if each.kind not in KINDS or (kinds is not None and each.kind not in kinds):
            continue
        rows = pl.read_ipc(each.data)
        if each.op == "delete":
            delete[each.kind] = rows["key"]
        elif (
            now := rows if version == migration.VERSION else migration.upgraded(each.kind, rows, version)
        ) is not None:
            put[each.kind] = now
    return ChangeSet(put, delete, by, number, load, part, last)


def _digest(rows: pl.DataFrame) -> str:
    return hashlib.sha256(canonical(rows)).hexdigest()


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
