"""Merging: the same as putting and deleting row by row, whatever the stretches."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from chaingraph import merging
from chaingraph.merging import GONE, merge

KEYS = st.sampled_from([f"k{i:02}" for i in range(30)] + ["零", "é", "~", ""])


@pytest.fixture(autouse=True, scope="module")
def short_stretches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "BLOCK", 3)
        yield


@settings(max_examples=150)
@given(
    st.dictionaries(KEYS, st.integers(0, 9), max_size=20),
    st.lists(st.dictionaries(KEYS, st.none() | st.integers(10, 99), max_size=6), max_size=6),
)
def test_merging_equals_putting_and_deleting_one_by_one(
    start: dict[str, int], runs: list[dict[str, int | None]]
) -> None:
    now = dict(start)
    table = frame(now)
    for news in runs:
        before, keys = table, list(table["key"])
        given_rows = pl.DataFrame(
            [(k, v, True if v is None else None) for k, v in sorted(news.items())],
            schema={"key": pl.String, "v": pl.Int64, GONE: pl.Boolean},
            orient="row",
        )
        merged = merge(before, given_rows)
        table = merged.table
        for key, value in news.items():
            if value is None:
                now.pop(key, None)
            else:
                now[key] = value
        assert_frame_equal(table, frame(now))
        assert merged.same_keys == (list(table["key"]) == keys)
        assert_frame_equal(pl.concat([before, merged.added])[merged.order], table)


def frame(rows: dict[str, int]) -> pl.DataFrame:
    return pl.DataFrame({"key": rows.keys(), "v": rows.values()}, schema={"key": pl.String, "v": pl.Int64}).sort("key")


def test_deletions_alone_need_no_other_column() -> None:
    gone = pl.DataFrame({"key": ["b"]}).with_columns(pl.lit(value=True).alias(GONE))
    assert merge(frame({"a": 1, "b": 2}), gone).table.rows() == [("a", 1)]
    assert merge(frame({}), gone).table.rows() == []


@pytest.mark.parametrize("new", ["", "x"])
def test_many_small_merges_do_not_leave_a_table_in_ever_more_pieces(new: str) -> None:
    table = frame({f"{i:04}": i for i in range(300)})
    for i in range(200):
        table = merge(table, pl.DataFrame({"key": [f"{i:04}{new}"], "v": [-i]})).table
    assert max(table.n_chunks("all")) <= 8 + 4 * len(table) // merging.BLOCK


def test_columns_that_a_merge_does_not_change_are_shared() -> None:
    table = frame({f"{i:04}": i for i in range(300)}).with_columns(same=pl.lit("x"))
    news = pl.DataFrame({"key": ["0007", "0290"], "v": [1, 2], "same": ["x", "x"]})
    merged = merge(table, news)
    assert merged.same_keys
    assert merged.table["v"][7] == 1
    assert [merged.table[name].n_chunks() for name in ("key", "same")] == [1, 1]
    assert merged.table["v"].n_chunks() > 1
