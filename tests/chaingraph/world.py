"""Small worlds as stored rows, for tests of the graph itself."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from chaingraph import Workspace
from chaingraph.changes import ChangeSet
from schema import kind


def rows(name: str, *given: dict[str, Any], owner: str = "L01") -> pl.DataFrame:
    """Stored rows of a kind: keys made, owner filled in, defaults applied, sorted."""
    of = kind(name)
    declared = {n: [g.get(n, None) for g in given] for n in of.schema if any(n in g for g in given)}
    frame = pl.DataFrame(declared, schema_overrides={n: of.schema[n] for n in declared}, strict=False)
    if "owner" not in frame.columns:
        frame = frame.with_columns(owner=pl.lit(owner))
    if "stub" in of.fields and "stub" not in frame.columns:
        frame = frame.with_columns(stub=pl.lit(value=False))
    frame = of.frame(frame.with_columns(pl.col("owner").fill_null(owner)))
    return frame.with_columns(key=of.stored_key()).sort("key")


def part(number: str, issuer: str = "L01", **more: Any) -> dict[str, Any]:
    return {"number": number, "issuer": issuer, **more}


def line(parent: str, child: str, quantity: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"parent": f"L01/{parent}", "child": f"L01/{child}", "quantity": quantity, **more}


def change(**put: pl.DataFrame) -> ChangeSet:
    return ChangeSet(put=put, by="L01")


def upload(number: str, load: str, at: dt.datetime | None = None, **more: Any) -> dict[str, Any]:
    when = at or dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return {
        "id": number, "load": load, "file": "f.csv", "sha256": "0", "rows": 1, "taken": 1, "refused": 0,
        "at": when, "by": "L01", "state": "loaded", **more,
    }  # fmt: skip


def opened(folder: Path) -> Workspace:
    return Workspace.open(f"sqlite:///{folder / 'graph.db'}")


def machine() -> dict[str, pl.DataFrame]:
    """L01's machine M of two A and three B; each A has a B; S1 and S2 supply B."""
    return {
        "organisation": rows("organisation", {"id": "L01"}, {"id": "S1"}, {"id": "S2"}),
        "part": rows("part", part("M"), part("A"), part("B", name_zh="轴承", name_en="Bearing")),
        "contains": rows("contains", line("M", "A", 2), line("M", "B", 3), line("A", "B")),
        "supplies": rows(
            "supplies",
            {"part": "L01/B", "supplier": "S1", "customer": "L01", "share": 0.6},
            {"part": "L01/B", "supplier": "S2", "customer": "L01", "share": 0.4},
        ),
    }
