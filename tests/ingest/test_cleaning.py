"""Cells to values: what people write, and what is nobody's guess."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import cleaning
from ingest.cleaning import Cleaned
from schema.vocabularies import Purpose

FAILS = "fails"


def outcome(cleaned: Cleaned) -> list[object]:
    return [FAILS if failed else value for value, failed in zip(cleaned.values, cleaned.failed, strict=True)]


def series(*cells: str | None) -> pl.Series:
    return pl.Series(list(cells), dtype=pl.String)


def test_numbers() -> None:
    cells = ["12,345", "0.25%", "１２．５", "-3", "1e3", " 7 小时", "3‰", None, "", "-", "/", "N/A"]
    assert outcome(cleaning.numbers(series(*cells), units={"小时": 1.0, "h": 1.0})) == [
        12345.0, 0.0025, 12.5, -3.0, 1000.0, 7.0, 0.003, None, None, None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["1,5", "12,34", "inf", "-inf", "NaN", "1e999", "abc", "1.2.3", "3 个多", "%"])
def test_what_is_no_finite_number_fails(cell: str) -> None:
    assert outcome(cleaning.numbers(series(cell))) == [FAILS]


def test_the_unit_of_a_heading_scales_all_but_cells_with_their_own_sign() -> None:
    assert outcome(cleaning.numbers(series("25", "25%"), factor=0.01)) == [0.25, 0.25]


def test_whole_numbers() -> None:
    cells = ["3", "3.0", "1,200", "２", None, "2.5", "x", "99999999999999999999"]
    assert outcome(cleaning.integers(series(*cells))) == [3, 3, 1200, 2, None, FAILS, FAILS, FAILS]


def test_dates() -> None:
    cells = [
        "2025-03-01",
        "2025/3/1",
        "2025.3.1",
        "2025年3月1日",
        "２０２５年３月１日",
        "20250301",
        "2025-03-01 10:20:30",
        "2025-3-1T08:00",
    ]
    assert set(outcome(cleaning.dates(series(*cells)))) == {dt.date(2025, 3, 1)}


@pytest.mark.parametrize("cell", ["3/1/2025", "2025年13月1日", "2025-02-30", "25-03-01", "2025年3月", "昨天", "45717"])
def test_what_is_no_date_fails(cell: str) -> None:
    assert outcome(cleaning.dates(series(cell))) == [FAILS]


def test_day_numbers_of_a_workbook() -> None:
    assert outcome(cleaning.dates(series("45717", "45717.5", "0", "x"), excel=True)) == [
        dt.date(2025, 3, 1), dt.date(2025, 3, 1), FAILS, FAILS,
    ]  # fmt: skip


def test_times_with_a_zone_and_in_any_way_to_write_a_day() -> None:
    cells = {
        "2025-03-01T00:00:00+08:00": "2025-02-28T16:00:00+00:00",
        "2025-03-01T00:00:00.000123+0000": "2025-03-01T00:00:00.000123+00:00",
        "2025年3月1日 9:05": "2025-03-01T09:05:00+00:00",
        "2025/3/1 9:05:07 -0530": "2025-03-01T14:35:07+00:00",
        "20250301": "2025-03-01T00:00:00+00:00",
        "２０２５-03-01 12：30": "2025-03-01T12:30:00+00:00",
        "2025-03-01 25:00": None,
        "2025-03-01 12:60": None,
        "2025-03-01 12:00 +15:00": None,
        "2025-02-30 12:00": None,
    }
    found = cleaning.times(pl.Series(list(cells)))
    assert [each and each.isoformat() for each in found.values.to_list()] == list(cells.values())
    assert found.failed.to_list() == [each is None for each in cells.values()]


def test_lists_of_codes() -> None:
    """In the order of the vocabulary, each once; a cell with anything unknown in it fails as a whole."""
    cells = {
        "召回、质量": "quality;recall", "Recall and safety; quality": "quality;recall", "质量改进，质量": "quality",
        "planning/research": "planning;research", "quality;nonsense": None, "；": None, "": None,
    }  # fmt: skip
    found = cleaning.code_lists(pl.Series(list(cells)), Purpose.spellings(), Purpose.codes())
    assert found.values.to_list() == list(cells.values())
    assert found.failed.to_list() == [False, False, False, False, True, True, False]


def test_times() -> None:
    midnight = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
    cells = ["2025-03-01 10:00:00", "2025-03-01T10:00:00Z", "2025/3/1", "x", None]
    expected = [midnight.replace(hour=10), midnight.replace(hour=10), midnight, FAILS, None]
    assert outcome(cleaning.times(series(*cells))) == expected


def test_yes_and_no() -> None:
    assert outcome(cleaning.booleans(series("是", "Y", "TRUE", "1", "否", "n", "False", "0", "也许", None, "-"))) == [
        True, True, True, True, False, False, False, False, FAILS, None, None,
    ]  # fmt: skip


def test_codes_by_any_spelling() -> None:
    spellings = {"failure": "failure", "失效": "failure", "在用": "suspension"}
    assert outcome(cleaning.codes(series("失 效", "FAILURE", "在用 ", "??", None), spellings)) == [
        "failure", "failure", "suspension", FAILS, None,
    ]  # fmt: skip


def test_text() -> None:
    assert cleaning.text(series(" a\u3000", "", "\u00a0", None)).to_list() == ["a", None, None, None]
    assert cleaning.code_text(series("Ａ１２", " A12 ", "主轴（左）")).to_list() == ["A12", "A12", "主轴(左)"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1))
def test_plain_numbers_are_what_python_reads(values: list[float]) -> None:
    assert outcome(cleaning.numbers(series(*map(repr, values)))) == values


@given(st.lists(st.text(max_size=12)))
def test_nothing_that_is_written_breaks_a_parser(cells: list[str]) -> None:
    column = pl.Series(cells, dtype=pl.String)
    for parse in (cleaning.numbers, cleaning.integers, cleaning.dates, cleaning.times, cleaning.booleans):
        values, failed = parse(column)
        assert len(values) == len(failed) == len(cells)
        assert not (failed & values.is_not_null()).any()
