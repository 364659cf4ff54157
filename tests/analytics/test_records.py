"""What of life records is counted, and how often."""

import datetime as dt

import pytest

from analytics.life.rows import Event
from analytics.records import usable
from tests.analytics.frames import parts, records

JANUARY, FEBRUARY = dt.date(2025, 1, 31), dt.date(2025, 2, 28)


def test_a_later_reading_of_a_unit_supersedes_an_earlier_suspension() -> None:
    rows = usable(
        records(
            {"serial": "u1", "event": "suspension", "age": 1000.0, "observed_on": JANUARY},
            {"serial": "u1", "event": "suspension", "age": 1700.0, "observed_on": FEBRUARY},
            {"serial": "u2", "event": "suspension", "age": 900.0, "observed_on": JANUARY},
            {"serial": "u2", "event": "failure", "age": 950.0, "observed_on": FEBRUARY},
            {"serial": "u3", "event": "suspension", "age": 800.0},
            {"event": "suspension", "age": 1000.0, "count": 5},
            {"event": "suspension", "age": 1700.0, "count": 5},
        ),
        parts("p"),
    ).rows
    assert rows["age"].to_list() == [1700, 950, 800, 1000, 1700]


def test_the_same_reading_twice_is_one_unit_and_two_failures_stay_two() -> None:
    reading = {"serial": "u1", "event": "suspension", "age": 1000.0}
    failure = {"serial": "u1", "event": "failure", "age": 400.0}
    rows = usable(records(reading, reading, failure, failure), parts("p")).rows
    assert rows["event"].to_list() == [Event.SUSPENSION, Event.FAILURE, Event.FAILURE]


@pytest.mark.parametrize(
    "other",
    [
        {"age": 1700.0, "serial": "another"},
        {"age": 1700.0, "lot": "another"},
        {"age": 1700.0, "entry": 1000.0},
        {"age": 600.0, "observed_on": FEBRUARY},
        {"age": 1700.0, "observed_on": dt.date(2024, 12, 31)},
    ],
    ids=["other unit", "other lot in one machine", "next stretch of its life", "its replacement", "its predecessor"],
)
def test_what_is_not_a_later_reading_supersedes_nothing(other: dict[str, object]) -> None:
    first = {"serial": "u1", "event": "suspension", "age": 1000.0, "observed_on": JANUARY}
    assert len(usable(records(first, {**first, **other}), parts("p")).rows) == 2


def test_a_failure_that_is_not_relevant_is_a_suspension() -> None:
    rows = usable(
        records(
            {"age": 10.0, "relevant": False},
            {"age": 10.0, "relevant": True},
            {"event": "interval", "age": 10.0, "age_to": 20.0, "relevant": False},
            {"event": "interval", "age": 10.0, "age_to": 20.0},
        ),
        parts("p"),
    ).rows
    assert rows["event"].to_list() == [Event.SUSPENSION, Event.FAILURE, Event.SUSPENSION, Event.INTERVAL]
    assert rows["age_to"].to_list() == [None, None, None, 20.0]


def test_records_in_another_unit_than_the_parts_are_left_out_and_named() -> None:
    found = usable(
        records({"age": 1.0, "unit": "cycles"}, {"age": 2.0, "unit": "h"}, {"age": 3.0}, {"age": 4.0, "part": "q"}),
        parts("p"),
    )
    assert found.rows["age"].to_list() == [2, 3, 4]
    assert found.mismatched.rows() == [("p", "m")]


def test_a_part_without_a_unit_is_counted_in_hours() -> None:
    lives = records({"age": 1.0, "unit": "km"}, {"age": 2.0}, {"age": 3.0, "unit": "h"}, {"part": "q", "age": 1.0})
    found = usable(lives, parts("p", unit=None))
    assert dict(found.units.rows()) == {"p": "h", "q": "h"}
    assert found.rows["age"].to_list() == [2, 3, 1]
    assert found.mismatched.rows() == [("p", "m")]


def test_no_records_give_no_rows() -> None:
    found = usable(records(), parts("p"))
    assert found.rows.is_empty()
    assert found.mismatched.is_empty()
