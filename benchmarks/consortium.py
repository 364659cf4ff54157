"""The Neo4j store beside a bare driver on the same server: loading, starting cold, following."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from neo4j import ManagedTransaction

from benchmarks.measure import row
from chaingraph import Workspace
from chaingraph.changes import COMMIT_ROWS, ChangeSet
from chaingraph.errors import Unavailable
from chaingraph.settings import settings
from chaingraph.snapshot import Snapshot
from chaingraph.store import Store, cypher, open_store
from chaingraph.store.neo4j_rows import UNWIND_ROWS, handed
from chaingraph.workspace import load_run
from schema import KINDS, kind
from tests.neo4j.server import PASSWORD, Server

FOLLOWED = 10_000
"""Rows of the commit that a second process follows."""


def run(url: str) -> None:
    """Load what the store at `url` holds into a server of its own, and measure."""
    with Workspace.open(url) as workspace:
        snapshot = workspace.snapshot()
    tables = {name: snapshot.table(name) for name in KINDS if len(snapshot.table(name))}
    with _server(tables) as (server, folder):
        bare = _bare(server, tables)
    with _server(tables) as (server, folder):
        _loading(server, tables, bare)
        _cold(server, folder, snapshot)
        _following(server, folder)


@contextmanager
def _server(tables: dict[str, pl.DataFrame]) -> Iterator[tuple[Server, Path]]:
    """A new server, with constraints and indexes, whose Java has compiled what is to be measured; and its folder."""
    with tempfile.TemporaryDirectory() as name, Server(Path(name) / "home", java=("-Xmx2g",)) as server:
        os.environ |= {PASSWORD: server.password, "CHAINGRAPH_CACHE": f"{name}/cache"}
        settings.cache_clear()
        open_store(server.url).close()
        _bare(server, {kind_: table.head(COMMIT_ROWS) for kind_, table in tables.items()})
        server.wipe()
        yield server, Path(name)


def _loading(server: Server, tables: dict[str, pl.DataFrame], bare: float) -> None:
    rows = sum(map(len, tables.values()))
    with Workspace.open(server.url) as workspace:
        start = time.perf_counter()
        workspace.submit(load_run(tables, {}, by="benchmark", load="benchmark"))
        seconds = time.perf_counter() - start
    row(f"Neo4j: load {rows:,} rows (journal, graph, checkpoint)", f"{rows / seconds:,.0f} rows/s")
    row("  the same rows by a bare driver, the same statements", f"{rows / bare:,.0f} rows/s")
    row("  ratio to the bare driver", f"{bare / seconds:.2f}", "aim >= 0.8")


def _bare(server: Server, tables: dict[str, pl.DataFrame]) -> float:
    """Seconds that the driver takes for the rows alone, in transactions and batches of the same size."""

    def work(tx: ManagedTransaction, name: str, batch: pl.DataFrame) -> None:
        for statement in cypher.put(kind(name)):
            for piece in batch.iter_slices(UNWIND_ROWS):
                tx.run(statement, rows=handed(name, piece)).consume()

    start = time.perf_counter()
    with server.driver.session() as session:
        for name, table in tables.items():
            for batch in table.iter_slices(COMMIT_ROWS):
                session.execute_write(work, name, batch)
    return time.perf_counter() - start


@contextmanager
def _elsewhere(server: Server, cache: Path) -> Iterator[Store]:
    """The store as another machine sees it: with nothing kept."""
    os.environ["CHAINGRAPH_CACHE"] = str(cache)
    settings.cache_clear()
    store = open_store(server.url)
    try:
        yield store
    finally:
        store.close()


def _cold(server: Server, folder: Path, snapshot: Snapshot) -> None:
    """A machine that has nothing yet: to the first answer; and the same edges record by record."""
    edges, middle = len(snapshot.table("contains")), snapshot.table("contains")["child"][0]
    start = time.perf_counter()
    with server.driver.session(notifications_min_severity="OFF") as session:
        columns = ", ".join(f"r.{c}" for c in kind("contains").schema)
        found = sum(1 for _ in session.run(f"MATCH ()-[r:CONTAINS]->() RETURN {columns}"))
    bare = time.perf_counter() - start
    if found != edges:
        raise SystemExit(f"{found} edges read, not {edges}")
    row(f"  {edges:,} edges read by a bare driver", f"{edges / bare:,.0f} edges/s")
    with _elsewhere(server, folder / "scan") as store, store.read() as session:
        start = time.perf_counter()
        scanned = sum(len(batch) for batch in session.scan("contains"))
        seconds = time.perf_counter() - start
        if scanned != edges:
            raise SystemExit(f"{scanned} edges scanned, not {edges}")
    row("  the same by a scan of the store: ratio", f"{bare / seconds:.2f}", "aim >= 0.8")
    with _elsewhere(server, folder / "cold") as store, Workspace(store) as workspace:
        start = time.perf_counter()
        view = workspace.view()
        lines, _ = view.inverse("contains", "child").take(view.locate("part", [middle]))
        seconds = time.perf_counter() - start
        if not len(lines):
            raise SystemExit("nothing found")
    row(f"  cold start by checkpoint to a first answer ({seconds:.1f} s): ratio", f"{bare / seconds:.1f}", "aim >= 10")


def _ready(replica: Workspace) -> None:
    """Wait until the graph has been read for the first time."""
    until = time.monotonic() + 300
    while True:
        try:
            replica.view()
        except Unavailable:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def _following(server: Server, folder: Path) -> None:
    parts = pl.DataFrame({"number": [f"F{n:05}" for n in range(FOLLOWED)], "issuer": "W0", "owner": "W0"})
    rows = kind("part").frame(parts.with_columns(key=pl.concat_str(pl.lit("W0/"), "number")).sort("key"))
    with _elsewhere(server, folder / "replica") as store, Workspace(store) as replica:
        replica.start_following()
        seen = threading.Event()
        with _elsewhere(server, folder / "writer") as other:
            revision = other.head().revision + 1

            def watch() -> None:
                while replica.snapshot().revision < revision:
                    time.sleep(0.005)
                seen.set()

            _ready(replica)
            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            other.commit(ChangeSet({"part": rows}))
            start = time.perf_counter()
            if not seen.wait(60):
                raise SystemExit("the replica did not follow")
            seconds = time.perf_counter() - start
    row(f"  a second process follows a commit of {FOLLOWED:,} rows", f"{seconds:.2f} s", "aim < 1 s")
