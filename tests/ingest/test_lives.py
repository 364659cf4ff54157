"""Files of lives: what is understood, what is assumed, what is refused; good rows are kept."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from chaingraph.errors import ChaingraphError
from ingest.lives import Lives, read
from tests.ingest.files import text, workbook


def lives(folder: Path, content: str, encoding: str = "utf-8") -> Lives:
    return read(text(folder, "lives.csv", content, encoding))


def told(of: Lives) -> list[tuple[str, int | None, str | None, str | None]]:
    return [(f.code, f.row, f.column, f.value) for f in of.findings]


def test_ages_alone_are_failures_of_one_unit_each(tmp_path: Path) -> None:
    found = lives(tmp_path, "age\n100\n250.5\n")
    assert found.frame.rows(named=True) == [
        {"row": 2, "event": "failure", "entry": 0.0, "age": 100.0, "age_to": None, "count": 1},
        {"row": 3, "event": "failure", "entry": 0.0, "age": 250.5, "age_to": None, "count": 1},
    ]
    assert found.findings == ()
    assert found.shape == "records"


def test_chinese_headings_units_and_words(tmp_path: Path) -> None:
    found = lives(tmp_path, '批次,行驶里程(万公里),状态,数量,车间\nB1,1.2,在用,"1,200",甲\nB1,3,失效,1,\n', "gb18030")
    assert found.frame.select("row", "lot", "event", "age", "unit", "count", "车间").rows() == [
        (2, "B1", "suspension", 12_000.0, "km", 1200, "甲"),
        (3, "B1", "failure", 30_000.0, "km", 1, None),
    ]


def test_an_upper_end_makes_an_interval_where_nothing_else_is_said(tmp_path: Path) -> None:
    found = lives(tmp_path, "age,age_to\n5,8\n5,\n0,3\n")
    assert found.frame["event"].to_list() == ["interval", "failure", "interval"]
    found = lives(tmp_path, "age,age_to,event\n5,8,\n5,,\n5,8,failure\n")
    assert found.frame.select("event", "age_to").rows() == [("interval", 8.0), ("failure", None), ("failure", None)]
    assert told(found) == [("column.event_assumed", 3, "event", None)]


def test_a_column_that_asks_whether_lives_are_censored(tmp_path: Path) -> None:
    assert lives(tmp_path, "age,censored\n5,1\n6,0\n").frame["event"].to_list() == ["suspension", "failure"]


def test_what_is_wrong_with_one_row_refuses_that_row(tmp_path: Path) -> None:
    found = lives(
        tmp_path,
        "age,event,count,entry,age_to\n"
        "100,failure,1,,\n-5,failure,1,,\n5,interval,1,,3\n7,failure,1.5,,\n7,failure,1,9,\nNaN,failure,1,,\n"
        "inf,failure,1,,\n7,failure,0,,\nseven,failure,1,,\n7,perhaps,1,,\n,failure,1,,\n9,suspension,2,,\n",
    )
    assert found.frame["row"].to_list() == [2, 13]
    assert sorted(told(found), key=lambda f: f[1] or 0) == [
        ("value.too_small", 3, "age", "-5.0"),
        ("life_record.interval", 4, "age_to", "3.0"),
        ("value.integer", 5, "count", "1.5"),
        ("life_record.entry_after_age", 6, "age", "7.0"),
        ("value.not_finite", 7, "age", "NaN"),
        ("value.not_finite", 8, "age", "inf"),
        ("value.too_small", 9, "count", "0"),
        ("value.number", 10, "age", "seven"),
        ("value.unknown_code", 11, "event", "perhaps"),
        ("value.missing", 12, "age", None),
    ]
    assert found.refused == 10
    assert all(
        f.text.zh and f.text.en and f.remedy.zh and f.remedy.en and f.file == "lives.csv" for f in found.findings
    )


def test_age_0_is_a_failure_or_says_nothing(tmp_path: Path) -> None:
    found = lives(tmp_path, "age,event\n0,failure\n0,suspension\n4,failure\n")
    assert found.frame.height == 3
    assert told(found) == [("row.says_nothing", 3, "age", "0.0")]


def test_ages_over_twelve_powers_of_ten_and_in_two_units_are_doubted(tmp_path: Path) -> None:
    found = lives(tmp_path, "age,unit\n0.001,h\n1e9,h\n5,km\n")
    assert found.frame["age"].to_list() == [0.001, 1e9, 5.0]
    assert told(found) == [("column.age_range", None, "age", None), ("column.mixed_units", None, "unit", None)]


def test_further_columns_are_there_to_group_by_but_not_what_tells_of_persons(tmp_path: Path) -> None:
    found = lives(tmp_path, "age,age (h),联系电话,班组,row\n5,6,13912345678,甲,7\n")
    assert found.frame.drop("entry", "age_to", "count", "event").row(0, named=True) == {
        "row": 2, "age": 5.0, "age (h)": "6", "班组": "甲", "row #": "7",
    }  # fmt: skip
    assert told(found) == [("column.personal", None, "联系电话", None)]


def test_the_sheets_of_a_workbook_that_have_ages(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "lives.xlsx",
        {
            "A": [["年度试验"], ["age", "event"], [5, "failure"]],
            "B": [["part", "name"], ["A", "B"]],
            "C": [["age"], [7]],
        },
    )
    assert read(path).frame.select("row", "age", "event").rows() == [(3, 5.0, "failure"), (2, 7.0, "failure")]


@pytest.mark.parametrize(
    ("content", "code"),
    [("", "file.empty"), ("age\n", "sheet.no_rows"), ("part,name\nA,B\n", "sheet.shape"), ("\n\n", "file.empty")],
)
def test_a_file_without_lives(tmp_path: Path, content: str, code: str) -> None:
    with pytest.raises(ChaingraphError) as refused:
        lives(tmp_path, content)
    assert refused.value.code == code
    assert "lives.csv" in refused.value.text.en


def test_ages_in_a_unit_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ChaingraphError) as refused:
        lives(tmp_path, "age (days),event\n5,failure\n")
    assert refused.value.code == "column.unit"
    assert refused.value.remedy is not None
    assert refused.value.remedy.en == "Convert it to h, cycles, km, months."


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ChaingraphError) as refused:
        read(tmp_path / "none.csv")
    assert refused.value.code == "file.missing"


def test_a_hundred_thousand_rows_are_columns(tmp_path: Path) -> None:
    ages = pl.Series("age", range(1, 100_001)).cast(pl.Float64)
    path = tmp_path / "lives.csv"
    pl.DataFrame({"age": ages, "group": (ages.cast(pl.Int64) % 7).cast(pl.String)}).write_csv(path)
    found = read(path)
    assert found.frame["age"].to_list() == ages.to_list()
    assert found.frame["group"].n_unique() == 7
