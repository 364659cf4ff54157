"""What the registry's names become in GraphQL: types in PascalCase, fields in camelCase, one rule for relations."""

from __future__ import annotations

from collections.abc import Iterator

from schema import KINDS, Kind, relations_to


def type_name(of: Kind) -> str:
    """The name of a kind's GraphQL type, such as LifeRecord."""
    return of.model.__name__


def list_name(of: Kind) -> str:
    """The name of the list of a kind, in Python's writing: as its sheet, such as life_records."""
    return of.sheet or f"{of.name}s"


def lists() -> dict[str, Kind]:
    """Every kind by the name of its list."""
    return {list_name(each): each for each in KINDS.values()}


def inverses(of: Kind) -> Iterator[tuple[str, Kind, str]]:
    """The lists of what refers to a kind: (name, the kind that refers, its field).

    Named as the list where a kind refers to it by one field, else with the field: life_records_as_product.
    """
    for other, field in relations_to(of.name):
        several = sum(target == of.name for target in other.refs.values()) > 1
        yield (f"{list_name(other)}_as_{field}" if several else list_name(other)), other, field


def shown_name(field: str) -> str:
    """A field's name, in Python's writing: `id` is the opaque one, so that a kind's own `id` is its `code`."""
    return "code" if field == "id" else field


def has_names(of: Kind) -> bool:
    """Whether things of the kind have a name in each language."""
    return {"name_zh", "name_en"} <= of.fields.keys()
