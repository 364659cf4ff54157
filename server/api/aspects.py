"""Which aspects of sharing every field of the API reveals, and what a role needs to ask for it at all.

A field without a declaration fails the build: `refuse_undeclared` walks the finished schema. Fields of kinds follow the
registry, fields of results what their analysis rests on. What reveals nothing that is shared says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from strawberry.schema_directive import Location

from chaingraph import Actor, Capability
from schema import Kind
from schema.core import Aspect
from schema.vocabularies import Aspects
from server.api.errors import ApiError, Code
from server.api.inputs import codes_of

_ALL = (Aspect.IDENTITY, Aspect.STRUCTURE, Aspect.SUPPLY, Aspect.RELIABILITY, Aspect.FAILURES)

RESTS_ON: dict[str, tuple[Aspect, ...]] = {
    "class_rates": _ALL,
    "contributions": _ALL,
    "data_quality": _ALL,
    "growth": (Aspect.FAILURES, Aspect.STRUCTURE, Aspect.IDENTITY),
    "life_comparison": _ALL,
    "life_model": _ALL,
    "neighbourhood": (Aspect.IDENTITY, Aspect.STRUCTURE, Aspect.SUPPLY, Aspect.RELIABILITY),
    "propagate": _ALL,
    "returns_forecast": _ALL,
    "single_points": _ALL,
    "test_gains": _ALL,
    "trace": (Aspect.IDENTITY, Aspect.STRUCTURE, Aspect.SUPPLY, Aspect.RELIABILITY),
    "weak_links": _ALL,
    "where_used": _ALL,
}
"""The aspects of the kinds that an analysis reads: a test watches each of them run."""

CODES: Any = codes_of(Aspects)
CODE_OF = {Aspect(each.value): each for each in Aspects}


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="The aspects of sharing that an agreement must cover for the field to say anything of others' data; "
    "none where it says nothing of it, and then why.",
)
class Reveals:
    """What a field reveals."""

    aspects: list[CODES]
    because: str | None = strawberry.UNSET


def reveals(*aspects: Aspect) -> Reveals:
    """Of fields that reveal these aspects."""
    return Reveals(aspects=[CODE_OF[each] for each in dict.fromkeys(aspects)])


def nothing(because: str) -> Reveals:
    """Of fields that reveal nothing that is shared, with the reason."""
    return Reveals(aspects=[], because=because)


SAME = nothing("Says only what the rows say that it belongs to.")
OWN = nothing("Only what the asking organisation itself brought or may do.")
CHANGES = nothing("Changes something; the fields of what comes back say what they reveal.")


def of_field(of: Kind, field: str) -> Reveals:
    """Of a field of a kind."""
    return reveals(of.aspect_of(field) if field in of.fields else of.aspect)


def declare(made: Any, declared: Reveals | dict[str, Reveals]) -> Any:
    """Declare the fields of a strawberry type that say nothing yet: all alike, or by their names in Python."""
    for field in made.__strawberry_definition__.fields:
        found = declared.get(field.python_name) if isinstance(declared, dict) else declared
        if found is not None and declared_by(field) is None:
            field.directives = [*field.directives, found]
    return made


def add(made: Any, more: tuple[Aspect, ...]) -> None:
    """Declare that the fields of a type reveal these aspects too: a piece of several analyses' results."""
    for field in made.__strawberry_definition__.fields:
        before = declared_by(field)
        aspects = [] if before is None else [Aspect(each.value) for each in before.aspects]
        said = reveals(*(each for each in Aspect if each in {*aspects, *more}))
        field.directives = [*(each for each in field.directives if each is not before), said]


def declared_by(field: Any) -> Reveals | None:
    """What a strawberry field declares."""
    return next((each for each in field.directives or () if isinstance(each, Reveals)), None)


def fields_of(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """Every field of every object type and interface: its name as Type.field, and strawberry's field."""
    for name, of in schema.type_map.items():
        if isinstance(of, (GraphQLObjectType, GraphQLInterfaceType)) and not name.startswith("__"):
            for shown, field in of.fields.items():
                yield f"{name}.{shown}", field.extensions.get("strawberry-definition")


def refuse_undeclared(schema: GraphQLSchema) -> None:
    """Raises TypeError where a field does not say what it reveals, or one of a root not which capability it needs."""
    roots = {each.name for each in (schema.query_type, schema.mutation_type, schema.subscription_type) if each}
    wrong: list[str] = []
    for name, field in fields_of(schema):
        said = None if field is None else declared_by(field)
        if said is None or bool(said.aspects) == bool(said.because):
            wrong.append(f"{name} does not say which aspects it reveals, or why none")
        if name.partition(".")[0] in roots and (field is None or "needs" not in field.metadata):
            wrong.append(f"{name} does not say which capability it needs")
    if wrong:
        raise TypeError("; ".join(wrong))


def permit(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, actor: Actor) -> None:
    """Raises ApiError (FORBIDDEN) where an actor's role lacks what a field of the root needs, before anything runs."""
    root = schema.get_root_type(operation.operation)
    assert root is not None
    for name in sorted(_asked(document, operation.selection_set)):
        if not name.startswith("__"):
            needs: Capability = root.fields[name].extensions["strawberry-definition"].metadata["needs"]
            if not actor.may(needs):
                raise forbidden(name, actor)


def forbidden(what: str, actor: Actor) -> ApiError:
    """The error for somebody whose role does not allow it."""
    how = " by a token that only reads" if actor.read_only else ""
    return ApiError(Code.FORBIDDEN, f"{what} is not for the role {actor.role.value}{how}.")


def _asked(document: DocumentNode, selection: SelectionSetNode) -> set[str]:
    """The names of the fields that a valid operation asks of its root; each fragment is read once."""
    fragments = {d.name.value: d.selection_set for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    found: set[str] = set()
    seen: set[str] = set()
    rest = [selection]
    while rest:
        for node in rest.pop().selections:
            if isinstance(node, FieldNode):
                found.add(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                rest.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                rest.append(fragments[node.name.value])
    return found
