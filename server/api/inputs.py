"""Filters and orders of every kind as GraphQL inputs, and what they come to."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Optional

import polars as pl
import strawberry
from strawberry import UNSET

from schema import Kind, Vocabulary
from server.api import filters
from server.api.naming import shown_name, type_name
from server.api.opaque import Sealed
from server.api.paging import By
from server.api.scalars import Long

ASKED = {
    "eq": "Equal to this; unknown where null.",
    "in": "One of these.",
    "contains": "Has this text in it, in capitals or not.",
    "gte": "At least this.",
    "lte": "At most this.",
    "is_null": "Unknown (true) or known (false).",
}


@strawberry.enum(description="Upwards or downwards; unknown values are last in both.")
class Direction(enum.Enum):
    """Upwards or downwards."""

    ASC = strawberry.enum_value("asc", description="Upwards.")
    DESC = strawberry.enum_value("desc", description="Downwards.")


def maybe(annotation: Any) -> Any:
    """The annotation of a value that may be null; also of a type's name as text."""
    return Optional[annotation]  # noqa: UP045 - the annotation is a value here


def several(annotation: Any) -> Any:
    """The annotation of a list."""
    return list.__class_getitem__(annotation)


def argument(annotation: Any, description: str) -> Any:
    """The annotation of an argument, described."""
    return Annotated[annotation, strawberry.argument(description=description)]


_MADE: dict[str, type] = {}
_CODES: dict[type[Vocabulary], Any] = {}


RESERVED = {"in", "and", "or", "not"}
"""Names that Python keeps for itself; its attribute has a `_` at the end."""


def make_input(name: str, description: str, fields: dict[str, tuple[Any, str]]) -> type:
    """A GraphQL input type of optional fields: name to (type, description)."""
    annotations: dict[str, Any] = {}
    attributes: dict[str, Any] = {"__module__": __name__, "__annotations__": annotations}
    for field, (annotation, said) in fields.items():
        attribute = f"{field}_" if field in RESERVED else field
        annotations[attribute] = maybe(annotation)
        shown = field if field in RESERVED else None
        attributes[attribute] = strawberry.field(default=UNSET, description=said, name=shown)
    return strawberry.input(type(name, (), attributes), description=description)


def codes_of(vocabulary: type[Vocabulary]) -> Any:
    """The GraphQL enum of a vocabulary; its values are described in both languages."""
    if vocabulary not in _CODES:
        said = " ".join((vocabulary.__doc__ or "").split())
        labels = [f"{member.text.en} · {member.text.zh}" for member in vocabulary]
        _CODES[vocabulary] = described_enum(vocabulary, said, labels)
    return _CODES[vocabulary]


def leaf_type(of: Kind, field: str) -> Any:
    """The GraphQL type of a column, as a Python annotation; references are their keys, several codes a list."""
    declared = of.fields.get(field)
    if declared is not None and declared.meta.codes is not None:
        return several(codes_of(declared.meta.codes))
    if declared is not None and declared.vocabulary is not None:
        return codes_of(declared.vocabulary)
    dtype = of.schema[field]
    if dtype == pl.Int64():
        return int if declared is not None and declared.bounds.get("le", 2**40) < 2**31 else Long
    return {pl.String(): str, pl.Float64(): float, pl.Boolean(): bool, pl.Date(): dt.date}.get(dtype, dt.datetime)


def operator_input(of: Kind, field: str) -> type:
    """What may be asked of a field: one input type for each type of value."""
    kind_of = leaf_type(of, field)
    declared = of.fields.get(field)
    closed = declared is not None and declared.vocabulary is not None
    if field in of.refs:
        return _reference_input()
    if declared is not None and declared.meta.codes is not None:
        return _codes_input(declared.meta.codes)
    names = {str: "String", int: "Int", float: "Float", bool: "Boolean", dt.date: "Date", dt.datetime: "DateTime"}
    name = f"{'Long' if kind_of is Long else names.get(kind_of, kind_of.__name__)}Filter"
    if name not in _MADE:
        operators = filters.operators_of(of.schema[field], closed=closed)
        types: dict[str, Any] = {"in": several(kind_of), "is_null": bool}
        asked = {op: (types.get(op, kind_of), ASKED[op]) for op in operators}
        _MADE[name] = make_input(name, "What may be asked of such a value; all of it holds.", asked)
    return _MADE[name]


def _reference_input() -> type:
    if "ReferenceFilter" not in _MADE:
        from schema import kind

        asked = {
            "eq": (strawberry.ID, "The thing of this id."),
            "in": (list[strawberry.ID], "One of the things of these ids."),
            "key": (operator_input(kind("part"), "key"), "Its key."),
            "is_null": (bool, ASKED["is_null"]),
        }
        _MADE["ReferenceFilter"] = make_input(
            "ReferenceFilter", "What may be asked of a reference; all of it holds.", asked
        )
    return _MADE["ReferenceFilter"]


def _codes_input(vocabulary: type[Vocabulary]) -> type:
    name = f"{vocabulary.__name__}ListFilter"
    if name not in _MADE:
        asked = {"contains": (codes_of(vocabulary), "Has this code."), "is_null": (bool, ASKED["is_null"])}
        _MADE[name] = make_input(name, "What may be asked of a list of codes; all of it holds.", asked)
    return _MADE[name]


def columns_of(of: Kind) -> dict[str, str]:
    """The columns that can be asked for, ordered or grouped by, as shown and as in the table."""
    return {shown_name(field): field for field in ("key", "owner", "row", *of.fields) if field != "stub"}


def filter_input(of: Kind) -> type:
    """The filter of a kind: a condition for each field, and and/or/not of filters."""
    name = f"{type_name(of)}Filter"
    fields: dict[str, tuple[Any, str]] = {
        shown: (operator_input(of, field), describe(of, field)) for shown, field in columns_of(of).items()
    }
    fields |= {
        "and": (f"list[{name}]", "All of these hold."),
        "or": (f"list[{name}]", "At least one of these holds."),
        "not": (name, "This does not hold."),
    }
    made = make_input(name, f"Which rows of {of.plural.en} to take; all that is said holds.", fields)
    globals()[name] = made
    return made


def described_enum(of: Any, description: str, values: Iterable[str]) -> Any:
    """An enum as a GraphQL enum, with a description for each member in turn."""
    made = strawberry.enum(of, description=description)
    for value, said in zip(made.__strawberry_definition__.values, values, strict=True):
        value.description = said
    return made


def members(name: str, of: Kind, columns: dict[str, str], description: str) -> Any:
    """A GraphQL enum of columns of a kind."""
    listed: Any = enum.Enum(name, {shown.upper(): field for shown, field in columns.items()})  # type: ignore[misc]
    return described_enum(listed, description, [describe(of, field) for field in columns.values()])


def order_input(of: Kind) -> type:
    """One step of an order of a kind."""
    name = f"{type_name(of)}Order"
    fields = members(f"{name}Field", of, columns_of(of), f"What {of.plural.en} can be ordered by.")
    attributes = {
        "__module__": __name__,
        "__annotations__": {"field": fields, "direction": Direction},
        "field": strawberry.field(description="By what."),
        "direction": strawberry.field(default=Direction.ASC, description="Upwards or downwards."),
    }
    said = f"One step of an order of {of.plural.en}; the key breaks ties."
    return strawberry.input(type(name, (), attributes), description=said)


def describe(of: Kind, field: str) -> str:
    """What a field means, in both languages, with its unit."""
    said = {
        "key": "The key that people know it by. 主键。",
        "owner": "The organisation that states it, by its code. 数据所有方。",
        "row": "Its row in the file it came in. 文件中的行号。",
        "extra": "What its row had in columns that the kind has no field for, as JSON. 未归类的列。",
    }
    if field in of.fields:
        declared = of.fields[field]
        meaning = declared.description
        if declared.meta.codes is not None:
            meaning = meaning.replace(", separated by semicolons", "")
        return f"{meaning} {declared.label.zh}。"
    return said[field]


def expression(of: Kind, asked: Any, sealed: Sealed) -> pl.Expr | None:
    """The condition that a filter input comes to, with ids as the viewer has them; None for no filter."""
    if asked is None or asked is UNSET:
        return None
    parts: list[pl.Expr] = []
    columns = columns_of(of)
    for name, value in vars(asked).items():
        if value is UNSET:
            continue
        if name in {"and_", "or_"}:
            inner = [e for each in value or () if (e := expression(of, each, sealed)) is not None]
            if value is not None:
                parts.append(filters.both(inner) if name == "and_" else filters.either(inner))
        elif name == "not_":
            if (found := expression(of, value, sealed)) is not None:
                parts.append(~found)
        elif value is not None:
            parts.extend(_conditions(of, columns[name], value, sealed))
    return filters.both(parts)


def _conditions(of: Kind, field: str, asked: Any, sealed: Sealed) -> list[pl.Expr]:
    found: list[pl.Expr] = []
    for name, value in vars(asked).items():
        operator = name.rstrip("_")
        if value is UNSET or (value is None and operator != "eq"):
            continue
        if operator == "key":
            found.extend(_conditions(of, field, value, sealed))
        elif (
            field in of.refs
            and value is not None
            and type(asked).__name__ == "ReferenceFilter"
            and operator != "is_null"
        ):
            keys = [_key(of.refs[field], each, sealed) for each in (value if operator == "in" else [value])]
            found.append(filters.condition(of, field, "in", keys))
        else:
            found.append(filters.condition(of, field, operator, value))
    return found


def _key(kind: str, text: str, sealed: Sealed) -> str:
    """The key behind an id of that kind; of another kind, or of none, there is no row."""
    of, key = sealed.read_id(text) or ("", "")
    return key if of == kind else ""


def steps(asked: Sequence[Any] | None) -> list[By]:
    """The order that its inputs come to."""
    return [By(each.field.value, each.direction is Direction.DESC) for each in asked or ()]
