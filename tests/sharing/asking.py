"""Queries for every field of the schema, generated from it; and requests for every table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_enum_type,
    is_leaf_type,
)
from strawberry.utils.str_converters import to_camel_case

from schema import KINDS, Kind
from server.api.limits import Limits
from server.api.naming import lists, shown_name, type_name
from server.api.schema import SCHEMA

CORE = SCHEMA._schema
assert CORE.query_type is not None
THINGS = {type_name(of) for of in KINDS.values()}
ROOT = CORE.query_type.fields

ROOMY = Limits(
    tokens=10**6, cost=10**9, depth=60, aliases=10**5, document=10**7, merging=10**8, definitions=1000, objects=10**5,
    values=10**6, budget=10**10, nesting=60, page=100,
)  # fmt: skip
"""Limits under which one query may ask for everything."""

WITHOUT = {"accessLog", "tokens", "agreementPreview", "agreementPresets", "benchmark", "nodes", "node", "product"}
"""Fields of the root that say when something happened, or are asked for by themselves."""


@dataclass(frozen=True)
class Ask:
    """One request: GraphQL where there is a query, else an address."""

    name: str
    query: str = ""
    path: str = "/graphql"
    computed: bool = False
    """Whether figures go into it that may be used without being shown."""


def needs(field: GraphQLField) -> bool:
    """Whether a field has an argument that must be given."""
    return any(isinstance(a.type, GraphQLNonNull) and a.default_value is _UNDEFINED for a in field.args.values())


_UNDEFINED = next(iter(ROOT["node"].args.values())).default_value


def leaves(of: Any) -> list[str]:
    """The fields of a type that are values and need no argument."""
    return [name for name, field in of.fields.items() if is_leaf_type(get_named_type(field.type)) and not needs(field)]


def groups(connection: Any) -> Iterator[str]:
    """The groups of a connection by everything it can be grouped by, with all that can be computed of them."""
    field = connection.fields.get("groups")
    if field is None:
        return
    by = get_named_type(field.args["by"].type)
    group = get_named_type(field.type)
    numbers = list(get_named_type(group.fields["sum"].args["of"].type).values) if "sum" in group.fields else []
    figures = " ".join(f"s{n}: sum(of: {n}) m{n}: mean(of: {n}) q{n}: quantile(of: {n}, at: 0.5)" for n in numbers)
    for name in by.values:
        plain = " ".join(leaves(group))
        things = " ".join(f"{n} {{ id }}" for n, f in group.fields.items() if not is_leaf_type(get_named_type(f.type)))
        yield f"g{name}: groups(by: [{name}], first: 1000) {{ {plain} {things} {figures} }}"


def selection(of: Any, depth: int, *, whole: bool = False, brief: bool = False) -> str:
    """Every field of a type that needs no argument; lists below it as pages."""
    if isinstance(of, GraphQLInterfaceType):
        return "__typename id"
    if of.name in THINGS and brief:
        return "id key label owner"
    parts = leaves(of)
    for name, field in of.fields.items():
        target = get_named_type(field.type)
        if is_leaf_type(target) or needs(field) or name in {"edges", "nodes", "pageInfo", "groups"}:
            continue
        if not isinstance(target, (GraphQLObjectType, GraphQLInterfaceType)) or depth == 0:
            continue
        inner = selection(target, depth - 1, brief=brief)
        parts.append(f"{name} {{ {inner} }}")
    if of.name.endswith("Connection"):
        if "nodes" in of.fields and depth:
            parts.append(f"nodes {{ {selection(get_named_type(of.fields['nodes'].type), depth - 1)} }}")
        parts.append("edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }")
        parts += groups(of) if whole else ()
    return " ".join(dict.fromkeys(parts)) or "__typename"


def everything() -> Iterator[Ask]:
    """Every list with all its rows' fields, groups and columns, in every order; every table in every format."""
    for name, of in lists().items():
        shown = to_camel_case(name)
        connection = get_named_type(ROOT[shown].type)
        yield Ask(name, f"{{ {shown}(first: 100) {{ {selection(connection, 2, whole=True)} }} }}")
        columns = to_camel_case(f"{of.name}_columns")
        yield Ask(columns, f"{{ {columns}(first: 1000) {{ {' '.join(leaves(get_named_type(ROOT[columns].type)))} }} }}")
        fields = get_named_type(get_named_type(ROOT[shown].args["orderBy"].type).fields["field"].type).values
        orders = " ".join(
            f"o{field}{way}: {shown}(first: 3, orderBy: [{{field: {field}, direction: {way}}}]) "
            "{ nodes { id key } pageInfo { endCursor hasNextPage } }"
            for field in fields for way in ("ASC", "DESC")
        )  # fmt: skip
        yield Ask(f"{name} in order", f"{{ {orders} }}")
        for form in ("csv", "json", "parquet"):
            yield Ask(
                f"{name}.{form}", path=f"/tables/{name}.{form}?lang=en" if form == "csv" else f"/tables/{name}.{form}"
            )


def filters(cells: Sequence[tuple[Kind, str, Any]]) -> Iterator[Ask]:
    """Every list under filters for values: by equality, range, text and absence; and tables under the same."""
    found: dict[str, list[str]] = {}
    for number, (of, field, value) in enumerate(cells):
        shown = next(name for name, each in lists().items() if each is of)
        if field in of.refs or isinstance(value, bool) or of.fields[field].vocabulary is not None:
            continue
        asked = get_named_type(
            get_named_type(ROOT[to_camel_case(shown)].args["filter"].type).fields[to_camel_case(shown_name(field))].type
        )
        written = _written(value)
        conditions = [f"{{eq: {written}}}"]
        conditions += [f"{{{op}: {written}}}" for op in ("contains", "gte", "lte") if op in asked.fields]
        conditions.append("{isNull: true}")
        for at, condition in enumerate(conditions):
            where = f"{{{to_camel_case(shown_name(field))}: {condition}}}"
            found.setdefault(of.name, []).append(
                f"f{number}x{at}: {to_camel_case(shown)}(first: 5, filter: {where}) {{ totalCount nodes {{ id }} }}"
            )
            if at == 0 and isinstance(value, str) and value.isalnum():
                yield Ask(f"{of.name}.{field} table", path=f"/tables/{shown}.csv?{field}={value}")
    for name, each in found.items():
        yield Ask(f"{name} filtered", f"{{ {' '.join(each)} }}")


def _written(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value) if isinstance(value, (int, float)) else f'"{value.isoformat()}"'


def analyses(parts: Sequence[str], things: Sequence[str]) -> Iterator[Ask]:
    """Every analysis of these parts, and walks and neighbourhoods of things (KIND:KEY)."""
    fields = [n for n, f in ROOT.items() if "part" in f.args and n not in WITHOUT]
    product = get_named_type(ROOT["product"].type)
    for part in parts:
        said = _written(part)
        number = _written(part.rpartition("/")[2])
        for name in fields:
            yield Ask(
                f"{name} {part}",
                f"{{ {name}(part: {said}) {{ {selection(get_named_type(ROOT[name].type), 4, brief=True)} }} }}",
                computed=True,
            )
        for name, field in product.fields.items():
            inner = selection(get_named_type(field.type), 4, brief=True)
            yield Ask(
                f"product {name} {part}", f"{{ product(number: {number}) {{ {name} {{ {inner} }} }} }}", computed=True
            )
    for thing in things:
        near = selection(get_named_type(ROOT["neighbourhood"].type), 3, brief=True)
        walked = selection(get_named_type(ROOT["trace"].type), 3, brief=True)
        yield Ask(f"neighbourhood {thing}", f"{{ neighbourhood(thing: {_written(thing)}) {{ {near} }} }}")
        relations = get_named_type(ROOT["trace"].args["along"].type)
        assert is_enum_type(relations)
        for along in relations.values:
            for way in ("OUT", "IN"):
                asked = f"things: [{_written(thing)}], along: {along}, direction: {way}"
                yield Ask(f"trace {thing} {along} {way}", f"{{ trace({asked}) {{ {walked} }} }}")


def guesses(ids: Sequence[str], cursors: Sequence[tuple[str, str]]) -> Iterator[Ask]:
    """Ids and cursors (with their lists) of others, used as one's own."""
    for number, each in enumerate(ids):
        yield Ask(f"node {number}", f"{{ node(id: {_written(each)}) {{ __typename id }} }}")
        yield Ask(f"product {number}", f"{{ product(id: {_written(each)}) {{ part {{ id key }} }} }}")
        yield Ask(f"referred {number}", f"{{ supplies(filter: {{part: {{eq: {_written(each)}}}}}) {{ totalCount }} }}")
    for shown, cursor in cursors:
        inner = "totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage }"
        for way in ("after", "before"):
            yield Ask(f"{shown} {way}", f"{{ {shown}({way}: {_written(cursor)}) {{ {inner} }} }}")


def covered(asks: Sequence[Ask]) -> set[str]:
    """The fields of the schema, as Type.field, that queries ask for."""
    from graphql import TypeInfo, TypeInfoVisitor, Visitor, parse, visit

    found: set[str] = set()
    info = TypeInfo(CORE)

    class Seen(Visitor):
        def enter_field(self, node: Any, *_: Any) -> None:
            parent = info.get_parent_type()
            if parent is not None:
                found.add(f"{parent.name}.{node.name.value}")

    for ask in asks:
        if ask.query:
            visit(parse(ask.query), TypeInfoVisitor(info, Seen()))
    return found


def kinds_of_fields() -> set[str]:
    """Every field of the types of kinds, their lists, groups and columns, as Type.field."""
    found: set[str] = set()
    for of in KINDS.values():
        for suffix in ("", "Connection", "Group", "Columns"):
            made = CORE.type_map[f"{type_name(of)}{suffix}"]
            assert isinstance(made, GraphQLObjectType)
            found |= {f"{made.name}.{name}" for name in made.fields}
    return found
