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


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1.2万", 12000.0), ("３千", 3000.0), ("2百万", 2e6), ("1 234 567", 1234567.0), ("500H", 500.0),
        ("2h30min", 2.5), ("2小时30分", 2.5), ("1.5千小时", 1500.0), ("无", None), ("—", None), ("#N/A", None),
        ("1 2", FAILS), ("2h75min", FAILS), ("500km", FAILS), ("≥500", FAILS), ("约500", FAILS), ("500±10", FAILS),
        ("100-200", FAILS), ("1/3", FAILS), ("25%", FAILS),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(cell: str, value: object) -> None:
    assert outcome(cleaning.numbers(series(cell), units={"h": 1.0, "小时": 1.0}, percent=False)) == [value]


def test_the_unit_of_a_cell_goes_before_that_of_the_heading() -> None:
    found = cleaning.numbers(series("3.2", "3.2万公里", "500km", "3.2万"), factor=1e4, units={"万公里": 1e4, "km": 1.0})
    assert outcome(found) == [32000.0, 32000.0, 500.0, FAILS]


def test_what_is_about_a_number_is_told_from_what_is_none() -> None:
    cells = series("≥500", "约500", "500±10", "100-200", "5～6", "500以上", "-5", "1e-5", "abc", None)
    assert cleaning.inexact(cells).to_list() == [True] * 6 + [False] * 4


def test_formula_errors() -> None:
    assert cleaning.broken(series("#REF!", "#DIV/0!", "#1", "a#REF!", None)).to_list() == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("cell", ["2025/3/155", "2025-03-01xyz", "32/1/2025", "3/1-25 x"])
def test_what_only_begins_like_a_date_is_none(cell: str) -> None:
    for order in (None, *cleaning.ORDERS):
        assert outcome(cleaning.dates(series(cell), order=order)) == [FAILS]


def test_a_month_is_a_day_only_where_that_is_asked_for() -> None:
    cells = ("2025年3月", "202503", "2025-03", "2025/3", "2025.3", "2025年3月份")
    assert set(outcome(cleaning.dates(series(*cells), months=True))) == {dt.date(2025, 3, 1)}
    assert set(outcome(cleaning.dates(series(*cells)))) == {FAILS}


DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 31))
PLAIN = {
    "iso": "{0:%Y-%m-%d}", "slashes": "{0.year}/{0.month}/{0.day}", "points": "{0.year}.{0.month:02}.{0.day:02}",
    "signs": "{0.year}年{0.month}月{0.day}日", "run on": "{0:%Y%m%d}", "clock": "{0.year}/{0.month}/{0.day} 10:20:30",
    "wide": "{0.year}．{0.month}．{0.day}", "signs and clock": "{0.year}年{0.month}月{0.day}日10时20分",
}  # fmt: skip
IN_ORDER = {
    "dmy": "{0.day}/{0.month}/{0.year}", "mdy": "{0.month}-{0.day}-{0.year}", "ymd": "{0:%y}.{0.month}.{0.day}",
}  # fmt: skip


@given(st.lists(DAYS, min_size=1), st.sampled_from(sorted(PLAIN)))
def test_days_written_in_any_way_are_those_days(days: list[dt.date], form: str) -> None:
    assert outcome(cleaning.dates(series(*(PLAIN[form].format(day) for day in days)))) == days


@given(st.lists(DAYS, min_size=1), st.sampled_from(sorted(IN_ORDER)))
def test_days_written_in_an_order_are_those_days_in_that_order_and_none_without(
    days: list[dt.date], order: str
) -> None:
    written = series(*(IN_ORDER[order].format(day) for day in days))
    assert outcome(cleaning.dates(written, order=order)) == days
    assert cleaning.dates(written).failed.all()


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1), st.sampled_from(["{:,}", "{}", " {} ", "{}.0", "{:,} h"]))
def test_whole_numbers_written_in_any_way_are_those_numbers(values: list[int], form: str) -> None:
    assert outcome(cleaning.integers(series(*map(form.format, values)), units={"h": 1.0})) == values


@given(st.lists(st.integers(0, 10**7), min_size=1), st.sampled_from([("万", 1e4), ("千", 1e3), ("%", 0.01)]))
def test_numbers_with_a_sign_behind_them_are_so_many_times_that(values: list[int], sign: tuple[str, float]) -> None:
    assert outcome(cleaning.numbers(series(*(f"{value}{sign[0]}" for value in values)))) == [
        v * sign[1] for v in values
    ]


def test_yes_and_no() -> None:
    assert outcome(cleaning.booleans(series("是", "Y", "TRUE", "1", "否", "n", "False", "0", "也许", None, "-"))) == [
        True, True, True, True, False, False, False, False, FAILS, None, None,
    ]  # fmt: skip
    assert outcome(cleaning.booleans(series("有", "无", "√", "×"))) == [True, False, True, False]


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
