"""Tables of records become the rows of groups."""

import numpy as np
import polars as pl

from analytics.life.frames import grouped
from analytics.life.rows import Event


def test_only_ages_are_needed() -> None:
    rows, groups = grouped(pl.DataFrame({"age": [3.0, 1.0]}))
    assert (rows.groups, groups.width) == (1, 0)
    assert rows.event.tolist() == [Event.FAILURE] * 2
    assert (rows.entry.tolist(), rows.count.tolist()) == ([0, 0], [1, 1])
    assert np.isnan(rows.age_to).all()


def test_groups_are_sorted_by_their_columns_and_may_have_no_name() -> None:
    frame = pl.DataFrame(
        {
            "maker": ["S2", None, "S1", "S2"],
            "age": [4.0, 3.0, 2.0, 1.0],
            "event": ["suspension", "failure", "interval", None],
            "age_to": [None, None, 5.0, None],
            "count": [7, 1, 1, 1],
        }
    )
    rows, groups = grouped(frame, ["maker"])
    assert groups["maker"].to_list() == ["S1", "S2", None]
    assert rows.group.tolist() == [1, 2, 0, 1]
    assert rows.event.tolist() == [Event.SUSPENSION, Event.FAILURE, Event.INTERVAL, Event.FAILURE]
    assert rows.count.tolist() == [7, 1, 1, 1]


def test_an_empty_table_is_one_empty_group() -> None:
    rows, _ = grouped(pl.DataFrame({"age": []}, schema={"age": pl.Float64}))
    assert (rows.groups, len(rows.age)) == (1, 0)
