"""What the view of one organisation costs beside the bare snapshot: its rights, its first table, its pages."""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
from starlette.types import ASGIApp

from benchmarks.measure import best, row
from benchmarks.serving import _post
from chaingraph import AuditLog, Workspace
from chaingraph.rights import Rights
from chaingraph.view import View
from chaingraph.workspace import load_run
from fixtures.worlds import large
from schema import kind
from schema.vocabularies import AccessRole
from server.api.app import Settings, create_app
from tests.server.client import acting

PARTS, EDGES, DEPTH, SEED = 200_000, 400_000, 8, 1
AGREEMENTS = 20_000
FIRMS = (53, 5_000)
AT = dt.datetime.now(dt.UTC)
PAGES = {
    "page of 50 parts, ordered": "{ parts(first: 50, orderBy: [{ field: NUMBER, direction: DESC }]) "
    "{ totalCount nodes { id number issuer { id } nameZh partClass } } }",
    "page of 50 parts, filtered": '{ parts(first: 50, filter: { partClass: { eq: "class03" } }) '
    "{ totalCount nodes { id number nameEn } } }",
    "page of 50 parts with where-used": "{ parts(first: 50) { nodes { number "
    "containsAsChild(first: 5) { nodes { quantity parent { number } } } } } }",
}


def run() -> None:
    """For each number of organisations a store of its own; the viewer sees the rows of all, in pseudonyms."""
    for firms in FIRMS:
        with tempfile.TemporaryDirectory() as name, Workspace.open(f"sqlite:///{Path(name) / 'sharing.db'}") as space:
            space.submit(load_run(tables(firms), {}, by="benchmark", load="benchmark"))
            row(f"{PARTS:,} parts, {firms:,} organisations, {AGREEMENTS:,} agreements", "")
            _building(space)
            _pages(space)


def tables(firms: int) -> dict[str, pl.DataFrame]:
    """The large world with its rows spread over so many owners, and agreements between them."""
    rng = np.random.default_rng(SEED)
    names = pl.Series([f"F{n:05d}" for n in range(firms)])
    world = large(PARTS, EDGES, DEPTH, SEED)
    spread = {
        "part": world["parts"],
        "contains": world["contains"],
        "organisation": pl.DataFrame({"id": names, "owner": names}),
        "agreement": agreements(names, rng),
    }
    found = {}
    for name, rows in spread.items():
        of = kind(name)
        if name in {"part", "contains"}:
            rows = rows.with_columns(owner=names.gather(rng.integers(0, firms, len(rows))))  # noqa: PLW2901
        if name == "part":
            rows = rows.with_columns(issuer=pl.lit("W0"))  # noqa: PLW2901
        framed = of.frame(rows)
        found[name] = framed.with_columns(key=of.stored_key()).sort("key")
    return found


def agreements(names: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """Every firm opens its structure to everyone; the others are between two, of some records, in all states."""
    first = len(names)
    numbers = np.arange(AGREEMENTS)
    general = numbers < first
    owner = np.where(general, numbers % first, rng.integers(0, first, AGREEMENTS))
    grantee = names.gather((owner + rng.integers(1, first, AGREEMENTS)) % first)
    parts = pl.Series(rng.integers(0, PARTS, AGREEMENTS)).cast(pl.String).str.zfill(7)
    records = pl.Series(["part:W0/P", "subtree:W0/P"]).gather(rng.integers(0, 2, AGREEMENTS)) + parts
    states = pl.Series(["accepted", "accepted", "proposed", "revoked"]).gather(rng.integers(0, 4, AGREEMENTS))
    made = pl.DataFrame({"id": numbers, "owner": names.gather(owner), "grantee": grantee, "records": records})
    return made.with_columns(
        id=pl.format("AG-{}", "id"), version=pl.lit(1), purposes=pl.lit("quality"),
        grantee=pl.when(pl.Series(general)).then(pl.lit("everyone")).otherwise("grantee"),
        records=pl.when(pl.Series(general)).then(pl.lit("all")).otherwise("records"),
        aspects=pl.when(pl.Series(general)).then(pl.lit("structure")).otherwise(pl.lit("structure;failures")),
        state=pl.when(pl.Series(general)).then(pl.lit("accepted")).otherwise(states),
        start=pl.lit(AT - dt.timedelta(days=30)), end=pl.lit(AT + dt.timedelta(days=300)),
    )  # fmt: skip


def _building(space: Workspace) -> None:
    snapshot = space.snapshot()
    rights = best(lambda: Rights(snapshot, "F00001", "quality", AT), 7)
    row("  rights of one organisation", f"{rights.wall * 1e3:.1f} ms", "aim < 50 ms")
    made = best(lambda: View(snapshot, "F00001", "quality", AT, secret=b"benchmark"), 7)
    row("  its view", f"{made.wall * 1e3:.1f} ms", "aim < 50 ms")
    start = time.perf_counter()
    shown = len(View(snapshot, "F00001", "quality", AT, secret=b"benchmark").table("part"))
    row(f"  its first table, {shown:,} parts", f"{(time.perf_counter() - start) * 1e3:.0f} ms")


def _pages(space: Workspace) -> None:
    bare = create_app(space)
    theirs = create_app(space, Settings(authenticate=acting("F00001", AccessRole.ANALYST)))
    for what, query in PAGES.items():
        for app in (bare, theirs):
            _answer(app, query)
        free = best(partial(_answer, bare, query), 15)
        held = best(partial(_answer, theirs, query), 15)
        with patch.object(AuditLog, "write"):
            silent = best(partial(_answer, theirs, query), 15)
            with patch("server.api.touched.rows"):
                alone = best(partial(_answer, theirs, query), 15)
        row(f"  {what}, of the bare snapshot", f"{free.wall * 1e3:.2f} ms")
        row("    of the view", f"{alone.wall / free.wall:.2f} of it", "aim < 1.10")
        row("    and gathering whose rows they are", f"{silent.wall / free.wall:.2f} of it")
        row("    and writing that to the audit log", f"{held.wall / free.wall:.2f} of it")


def _answer(app: ASGIApp, query: str) -> dict[str, Any]:
    return asyncio.run(_post(app, query))


if __name__ == "__main__":
    run()
