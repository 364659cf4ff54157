"""Versions of the schema: numbered steps that lead from each to the next, for stores and for the payloads of journals.

What is merely added (kinds, columns that may be empty or have a default, indexes) needs a step and nothing more: a
store compares what it has with what the registry wants. Where rows change otherwise, the step says how.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from chaingraph.errors import StoreError
from schema import KINDS
from schema.core import BASE, Kind
from schema.text import Text


@dataclass(frozen=True, slots=True)
class Change:
    """How a step changes the rows of a kind.

    `before` are all its declared columns as they were; those that still older rows lack are null. `rows` makes the new
    rows (with the base columns) from old ones, each from its own and with the key it had.
    """

    before: Mapping[str, pl.DataType]
    rows: Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Step:
    """What leads to a version from the one before, and for which kinds rows change other than by columns added."""

    version: int
    text: Text
    changes: Mapping[str, Change] = field(default_factory=dict)

    def rows(self, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of a kind after the step. Raises ValueError when it changes their keys."""
        change = self.changes.get(name)
        if change is None:
            return rows
        before = _with(rows, {**BASE, **change.before}, {}, name)
        after = change.rows(before)
        if not after["key"].equals(before["key"]):
            raise ValueError(f"Step {self.version} changes the keys of {name}.")
        return after


STEPS = (
    Step(
        2,
        Text(
            "日志记下每次变更写入时的版本；批次谱系也可按产出批次查找。",
            "The journal says by which version each commit was written; the genealogy of lots is looked up by the lot "
            "that was made, too.",
        ),
    ),
    Step(3, Text("寿命可以月计。", "Ages may be counted in months.")),
    Step(
        4,
        Text(
            "共享协议有版本与状态；可申请化名背后的身份。",
            "Agreements have versions and states; names behind pseudonyms can be asked for.",
        ),
    ),
    Step(
        5,
        Text(
            "有来料检验、可靠性试验、FMEA、8D报告、变更通知与合格供方；批次可以是带序列号的单件。",
            "There are inspections, reliability tests, FMEA items, 8D reports, change notices and approved suppliers; "
            "a lot may be one unit with a serial number.",
        ),
    ),
)
"""All steps, oldest first: one for each version after the first."""

VERSION = STEPS[-1].version
"""The version that this program writes. Stores keep theirs, and every commit the one it was written by."""


def pending(version: int) -> list[Step]:
    """The steps that lead from a version to today's, oldest first."""
    return [step for step in STEPS if step.version > version]


def upgraded(name: str, rows: pl.DataFrame, version: int) -> pl.DataFrame | None:
    """Rows of a kind as a version had them, as today has them; None where there is no such kind any more."""
    for step in pending(version):
        rows = step.rows(name, rows)
    return aligned(KINDS[name], rows) if name in KINDS else None


def aligned(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the columns of a kind: what is not there is null or the declared default, what is gone is left out.

    Raises ValueError for a column of another type: no step says how it changed.
    """
    return _with(rows, kind.schema, {name: added.default for name, added in kind.fields.items()}, kind.name)


def _with(
    rows: pl.DataFrame, columns: Mapping[str, pl.DataType], defaults: Mapping[str, Any], name: str
) -> pl.DataFrame:
    if odd := [c for c, dtype in columns.items() if rows.schema.get(c, dtype) != dtype]:
        raise ValueError(f"Columns of {name} have other types, and no step says how they changed: {odd}")
    return rows.select(
        pl.col(c) if c in rows.columns else pl.lit(defaults.get(c), dtype).alias(c) for c, dtype in columns.items()
    )


def layout() -> str:
    """The digest of all that a store keeps of the registry. Another one is another version."""
    kinds = {
        each.name: {
            "columns": {c: str(dtype) for c, dtype in each.schema.items()},
            "key": [*each.key, each.by_owner],
            "relation": each.relation and [each.relation.label, each.relation.start, each.relation.end],
            "refs": each.refs,
            "drawn": each.drawn,
            "indexed": [n for n, f in each.fields.items() if f.meta.indexed],
            "defaults": {n: f.default for n, f in each.fields.items() if f.default is not None},
            "codes": {n: sorted(f.vocabulary.codes()) for n, f in each.fields.items() if f.vocabulary},
        }
        for each in KINDS.values()
    }
    return hashlib.sha256(json.dumps(kinds, sort_keys=True, default=str).encode()).hexdigest()


def newer(address: object, version: int) -> StoreError:
    """A store is of a version that this program does not know."""
    return StoreError(
        "store.version",
        Text(
            f"{address} 的数据版本为 {version}，本程序只支持到 {VERSION}。",
            f"{address} has version {version} of the schema, and this program knows versions up to {VERSION}.",
        ),
        Text("请更新 chaingraph。", "Update chaingraph."),
    )


def other(address: object) -> StoreError:
    """A store has other kinds or columns than this program, under the same number or from before there were any."""
    return StoreError(
        "store.version",
        Text(
            f"{address} 由未发布的程序建立，其数据结构与本程序不同。",
            f"{address} was made by an unreleased chaingraph, whose kinds differ from this one's.",
        ),
        Text("请用原程序导出，再载入新存储。", "Export it with that program; load that into a new store."),
    )
