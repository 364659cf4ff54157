"""A supplier's upload at the desk, from the drop to the preview and to the receipt, against bare reads of the file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import polars as pl
from openpyxl import Workbook

from benchmarks.measure import best, row
from chaingraph import Actor, Workspace
from ingest import headers, reading
from ingest.desk import Desk
from schema.vocabularies import DraftState

SHEET, LARGE, SEED = 100_000, 1_000_000, 1
PIECE = 1 << 20
S1 = Actor("S1")


def run(folder: Path) -> None:
    """Sheets of 100,000 life records as CSV and XLSX, and 1,000,000 as CSV, below `folder`."""
    made = folder / "uploads"
    made.mkdir()
    table, large = lives(SHEET), lives(LARGE)
    plain, book, long = made / "lives.csv", made / "lives.xlsx", made / "large.csv"
    table.write_csv(plain)
    large.write_csv(long)
    workbook(table, book)
    _measured(made, plain, SHEET, lambda: pl.read_csv(plain, infer_schema=False), "polars.read_csv", "aim < 3 s")
    _measured(
        made, book, SHEET, lambda: pl.read_excel(book, engine="calamine", infer_schema_length=0),
        "polars.read_excel (fastexcel)", "aim < 3 s",
    )  # fmt: skip
    _measured(made, long, LARGE, lambda: pl.read_csv(long, infer_schema=False), "polars.read_csv", "", "aim < 30 s")


def lives(rows: int) -> pl.DataFrame:
    """Life records of a supplier, in columns that are understood."""
    rng = np.random.default_rng(SEED)
    number = pl.int_range(rows, eager=True).cast(pl.String)
    return pl.DataFrame(
        {
            "part": "P" + pl.Series(rng.integers(0, 500, rows)).cast(pl.String),
            "maker": "S" + pl.Series(rng.integers(1, 10, rows)).cast(pl.String),
            "serial": "SN" + number.str.zfill(8),
            "event": pl.Series(np.where(rng.random(rows) < 0.15, "失效", "在用")),
            "age(h)": rng.integers(1, 9000, rows),
        }
    )


def workbook(table: pl.DataFrame, path: Path) -> None:
    """The table as a workbook of one sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("lives")
    sheet.append(table.columns)
    for cells in table.iter_rows():
        sheet.append(cells)
    book.save(path)


def _measured(
    folder: Path, path: Path, rows: int, bare: Callable[[], object], peer: str, shown_aim: str, taken_aim: str = ""
) -> None:
    """From the drop to the preview and the receipt on a new store; the peer reads the file and does nothing else."""
    name = path.stem + path.suffix.replace(".", "-")
    with Workspace.open(f"sqlite:///{folder / f'{name}.db'}") as workspace:
        desk = Desk(workspace, folder / f"{name}-spool")
        start = time.perf_counter()
        draft = desk.create(S1, [(path.name, path.stat().st_size)])
        desk.append(S1, draft.id, 0, 0, _pieces(path))
        seen = desk.preview(S1, draft.id)
        shown = time.perf_counter() - start
        desk.confirm(S1, draft.id, seen.digest)
        done = desk.work(S1, draft.id)
        taken = time.perf_counter() - start
    if done.state is not DraftState.LOADED or done.receipt is None or done.receipt.taken != rows:
        raise SystemExit(f"{path.name} was not taken: {done.problem}")
    alone = best(bare, 3).wall
    row(f"upload {rows:,} rows of {path.suffix}: drop to preview", f"{shown:.2f} s", shown_aim)
    row("  drop to receipt, confirmed at once", f"{taken:.2f} s", taken_aim)
    row(f"  {peer} alone", f"{alone:.2f} s")
    row("  preview, as a multiple of that", f"{shown / alone:.1f}")
    row("  peak memory of the process that parses", f"{_peak(path):.0f} MiB")


def _pieces(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _peak(path: Path) -> float:
    """MiB that the child process held at most, as it says while it reads."""
    peak = 0

    def tell(_done: int, _total: int) -> None:
        nonlocal peak
        for children in Path("/proc/self/task").glob("*/children"):
            for process in children.read_text(encoding="ascii").split():
                status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
                found = re.search(r"VmHWM:\s+(\d+)", status)
                peak = max(peak, int(found[1]) if found and "python" in status.split("\n", 1)[0] else 0)

    with reading.Child(reading.Limits()) as child:
        reading.read(path, headers.recognised, child=child, tell=tell)
    return peak / 1024
