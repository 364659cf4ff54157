"""Bulk checks and single-row checks say the same of the same row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema import KINDS, Kind
from schema.core import Field
from schema.expressions import explain, refuses, violations

EDGES = [0.0, -1.0, 1.0, 0.5, 2.0, 50.0, 50.1, 90.0, 91.0, 180.5, float("nan"), float("inf"), -0.0, 1e300]
WHOLE = [0, 1, -1, 10, 11, 99, 100, 2**53]
DAYS = [dt.date(2020, 1, 1), dt.date(2021, 6, 1), dt.date(2026, 1, 1)]
TIMES = [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]


def values(field: Field) -> st.SearchStrategy[Any]:
    if field.vocabulary:
        some: st.SearchStrategy[Any] = st.sampled_from([*field.vocabulary.codes(), "nonsense"])
    else:
        some = {
            pl.String(): st.sampled_from(["a", "b", "x" * 70, "y" * 300]),
            pl.Float64(): st.sampled_from(EDGES),
            pl.Int64(): st.sampled_from(WHOLE),
            pl.Boolean(): st.booleans(),
            pl.Date(): st.sampled_from(DAYS),
        }.get(field.dtype, st.sampled_from(TIMES))
    if field.required or field.default is None:
        return st.one_of(st.none(), some, some, some)
    return some


def row(of: Kind) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({n: values(f) for n, f in of.fields.items()})


@pytest.mark.parametrize("name", list(KINDS))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_columns_and_pydantic_refuse_the_same_rows(name: str, data: st.DataObject) -> None:
    of = KINDS[name]
    some = data.draw(st.lists(row(of), min_size=1, max_size=6))
    frame = pl.DataFrame(some, schema=of.declared_schema)
    bad = set(violations(of, frame)["at"].to_list())
    for at, each in enumerate(some):
        said = refuses(of, each)
        assert (at in bad) == (said is not None), (each, said)


@pytest.mark.parametrize("name", list(KINDS))
def test_every_code_has_a_text_and_a_remedy(name: str) -> None:
    of = KINDS[name]
    nothing = pl.DataFrame([dict.fromkeys(of.fields)], schema=of.declared_schema)
    for _, column, code, sign, limit in violations(of, nothing).iter_rows():
        text, remedy = explain(of, code, sign, limit)
        assert text.zh
        assert text.en
        assert remedy.zh
        assert of.fields[column].required


def test_a_violation_names_row_column_code_and_limit() -> None:
    of = KINDS["supplies"]
    rows = pl.DataFrame(
        {"part": ["p", "p"], "supplier": ["s", None], "share": [1.5, 0.5]}, schema_overrides={"supplier": pl.String}
    )
    found = violations(of, of.frame(rows).select(of.declared_schema.keys()))
    assert found.rows() == [(0, "share", "value.too_large", "≤", "1"), (1, "supplier", "value.missing", "", "")]
    assert explain(of, "value.too_large", "≤", "1")[0].en == "Too large: it must be ≤ 1."
