"""Tables in mapped files: what is read is what was written, and polars lets go of it in the end."""

from __future__ import annotations

import datetime as dt
import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from chaingraph import mapped

TYPES: dict[str, tuple[pl.DataType, st.SearchStrategy[Any]]] = {
    "text": (pl.String(), st.text(max_size=30)),
    "whole": (pl.Int64(), st.integers(-(2**63), 2**63 - 1)),
    "number": (pl.Float64(), st.floats(allow_nan=False)),
    "yes": (pl.Boolean(), st.booleans()),
    "day": (pl.Date(), st.dates(dt.date(1900, 1, 1))),
    "time": (pl.Datetime("us", "UTC"), st.datetimes(timezones=st.just(dt.UTC))),
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_tables_come_back(tmp_path: Path, data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 20))
    columns = {
        name: pl.Series(name, data.draw(st.lists(st.none() | some, min_size=rows, max_size=rows)), dtype)
        for name, (dtype, some) in TYPES.items()
    }
    table = pl.DataFrame(columns)
    start = data.draw(st.integers(0, rows - 1))
    for each in (table, table[start:], table.reverse(), pl.concat([table, table], rechunk=False)):
        mapped.write(each, tmp_path / "t")
        assert_frame_equal(mapped.read(tmp_path / "t"), each)


def test_text_of_rows_that_were_taken_out_is_not_written(tmp_path: Path) -> None:
    many = pl.DataFrame({"s": [f"a rather long text, number {i}" for i in range(10_000)]})
    mapped.write(many.head(3), tmp_path / "few")
    assert (tmp_path / "few").stat().st_size < 8_000


def test_what_is_derived_outlives_the_table_and_all_is_let_go_in_the_end(tmp_path: Path) -> None:
    gc.collect()
    held = len(mapped._HELD)
    mapped.write(pl.DataFrame({"s": ["a text of more than twelve letters", "b"], "n": [1.0, 2.0]}), tmp_path / "t")
    table = mapped.read(tmp_path / "t")
    part = table.filter(pl.col("n") < 2)
    del table
    gc.collect()
    (tmp_path / "t").unlink()
    assert part.rows() == [("a text of more than twelve letters", 1.0)]
    del part
    gc.collect()
    assert len(mapped._HELD) == held


def test_changing_a_column_leaves_the_file_alone(tmp_path: Path) -> None:
    mapped.write(pl.DataFrame({"n": [1.0, 2.0]}), tmp_path / "t")
    before = (tmp_path / "t").read_bytes()
    table = mapped.read(tmp_path / "t")
    table[0, "n"] = 9.0
    assert table["n"].to_list() == [9.0, 2.0]
    assert (tmp_path / "t").read_bytes() == before


@pytest.mark.parametrize("ending", ["", "import os; keep = [t]", "globals().update(keep=[t, t['s']])"])
def test_a_process_ends_well_with_mapped_tables_open(tmp_path: Path, ending: str) -> None:
    mapped.write(pl.DataFrame({"s": ["a text of more than twelve letters"]}), tmp_path / "t")
    opened = f"t = mapped.read(Path({str(tmp_path / 't')!r}))"
    code = f"from pathlib import Path; from chaingraph import mapped; {opened}; {ending}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
