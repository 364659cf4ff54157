"""Loading a large dataset against bare inserts of the same rows, and starting cold on it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import apsw
import polars as pl

from benchmarks.measure import row
from chaingraph import Workspace
from chaingraph.snapshot import Snapshot
from chaingraph.store import statements
from fixtures.worlds import large
from ingest.load import load
from schema import KINDS, kind

PARTS, EDGES, DEPTH, SEED = 200_000, 2_000_000, 8, 1


def run(folder: Path) -> str:
    """Load the large world into a store under `folder`; gives the store's address."""
    dataset = folder / "large"
    dataset.mkdir()
    for name, frame in large(PARTS, EDGES, DEPTH, SEED).items():
        frame.write_csv(dataset / f"{name}.csv")
    url = f"sqlite:///{folder / 'large.db'}"
    with Workspace.open(url) as workspace:
        start = time.perf_counter()
        report = load(workspace, [dataset])
        seconds = time.perf_counter() - start
        if report.refused:
            raise SystemExit(f"{report.refused} rows refused")
        snapshot = workspace.snapshot()
        rows = sum(len(snapshot.table(name)) for name in KINDS)
        bare = _bare(folder / "bare.db", snapshot)
    row(f"load {rows:,} rows (files to journal, graph and snapshot)", f"{rows / seconds:,.0f} rows/s")
    row("  the same rows by bare apsw inserts", f"{rows / bare:,.0f} rows/s")
    row("  ratio to bare inserts", f"{bare / seconds:.2f}", "aim >= 0.3")
    return url


def _bare(path: Path, snapshot: Snapshot) -> float:
    """Seconds that apsw takes to insert the rows into the same tables, a transaction of 50,000 rows at a time."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = wal; PRAGMA synchronous = full")
    connection.execute(statements.tables())
    times = (pl.col(pl.Date).cast(pl.Int64), pl.col(pl.Datetime).cast(pl.Int64))
    tables = {name: snapshot.table(name).with_columns(*times) for name in KINDS}
    start = time.perf_counter()
    for name, table in tables.items():
        sql = statements.put(kind(name))
        for batch in table.iter_slices(50_000):
            with connection:
                connection.executemany(sql, batch.iter_rows())
    seconds = time.perf_counter() - start
    connection.close()
    return seconds


COLD = """
import json, re, sys, time
from chaingraph import Workspace
start = time.perf_counter()
workspace = Workspace.open(sys.argv[1])
view = workspace.view()
view.table("part"); view.inverse("contains", "child")
mapped = time.perf_counter() - start
lines, _ = view.inverse("contains", "child").take(view.locate("part", ["W0/P0150000"]))
parents = view.table("contains")[lines]["parent"].to_list()
answered = time.perf_counter() - start
rss = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps({"mapped": mapped, "answered": answered, "rss": rss, "parents": len(parents)}))
"""


def cold(url: str) -> None:
    """A new process: to the mapped snapshot, to the first where-used, and its memory."""
    found = [
        json.loads(subprocess.run([sys.executable, "-c", COLD, url], check=True, capture_output=True).stdout)
        for _ in range(5)
    ]
    first = min(found, key=lambda f: float(f["answered"]))
    row("cold start to a mapped snapshot", f"{first['mapped'] * 1e3:.0f} ms", "aim < 300 ms")
    row("  to the first answer (where-used of a part)", f"{first['answered'] * 1e3:.0f} ms")
    row("  peak memory of that process", f"{first['rss']:.0f} MiB")
