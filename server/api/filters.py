"""Conditions on rows as polars expressions: what GraphQL filters and the parameters of tables come to alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl

from schema import Kind, Vocabulary
from server.api.errors import ApiError, Code

LONGEST = 200
"""Characters of a text to look for: the search is made ready in time that grows with their square."""

OPERATORS: dict[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "eq": lambda column, value: column == value,
    "in": lambda column, values: column.is_in(values),
    "contains": lambda column, text: column.str.contains_any([text], ascii_case_insensitive=True),
    "gte": lambda column, value: column >= value,
    "lte": lambda column, value: column <= value,
    "is_null": lambda column, null: column.is_null() if null else column.is_not_null(),
}
"""What a condition may say of a field; an unknown value (null) fulfils none but is_null. `contains` ignores the case of
Latin letters."""

ORDERED: frozenset[pl.DataType] = frozenset({pl.Int64(), pl.Float64(), pl.Date(), pl.Datetime("us", "UTC")})


def operators_of(dtype: pl.DataType, *, closed: bool = False) -> tuple[str, ...]:
    """The operators that make sense for a column; `closed` for codes of a vocabulary and for references."""
    if dtype == pl.Boolean():
        return ("eq", "is_null")
    if dtype in ORDERED:
        return ("eq", "in", "gte", "lte", "is_null")
    return ("eq", "in", "is_null") if closed else ("eq", "in", "contains", "is_null")


def condition(of: Kind, field: str, operator: str, value: Any) -> pl.Expr:
    """One condition; null where the field is, but for is_null. Raises ApiError for too long a text to look for."""
    dtype = of.schema[field]
    if operator == "contains" and len(value) > LONGEST:
        raise ApiError(Code.OUT_OF_RANGE, f"{field}: contains takes at most {LONGEST} characters.")
    if isinstance(value, Vocabulary) and operator == "contains":
        return pl.col(field).str.split(";").list.contains(value.value)
    if operator == "eq" and value is None:
        operator, value = "is_null", True
    if operator != "is_null":
        value = [_literal(v, dtype) for v in value] if operator == "in" else _literal(value, dtype)
    if operator == "in":
        value = pl.Series(value, dtype=dtype).implode()
    return OPERATORS[operator](pl.col(field), value)


def _literal(value: Any, dtype: pl.DataType) -> Any:
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=dt.UTC)
    return float(value) if dtype == pl.Float64() and value is not None else value


def both(conditions: list[pl.Expr]) -> pl.Expr:
    """All conditions; true where there is none. An unknown value counts as not fulfilled."""
    return pl.all_horizontal([c.fill_null(False) for c in conditions]) if conditions else pl.lit(True)


def either(conditions: list[pl.Expr]) -> pl.Expr:
    """Any of the conditions; false where there is none."""
    return pl.any_horizontal([c.fill_null(False) for c in conditions]) if conditions else pl.lit(False)
