"""An executor that renders lists by column: one call for each field of a level, not one for each field of each row.

graphql-core walks every field of every row through five calls. Here a list of objects is rendered level by level:
plain attributes are taken as columns, fields declared with `sources.batched` are resolved in one call for the whole
level, and the columns are zipped into dicts, so that N+1 resolving cannot be written. On any surprise (a resolver for
single rows, a null where none may be, a wrong type, a batch that raises) the list goes back to graphql-core, so that
errors and the propagation of nulls are the library's own; a list inside it is tried again.

It leans on `complete_list_value` and `collect_subfields` of graphql-core's executor, which are private: strawberry is
pinned and `tests/server/test_executor.py` compares both executors on generated queries.
"""

from __future__ import annotations

import functools
import itertools
import logging
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    Undefined,
    specified_scalar_types,
)
from graphql.execution.values import get_argument_values
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from server.api.sources import Grouped, Objects, Picked, Row, Source, Values, offsets, origin

log = logging.getLogger(__name__)

Details: TypeAlias = list[Any]
INT_MAX = 2**31 - 1
NONE = type(None)
LEAVES = (GraphQLScalarType, GraphQLEnumType)
PLAIN: dict[str, set[type]] = {"String": {str}, "ID": {str}, "Boolean": {bool}, "Int": {int}, "Float": {float}}


class NotPlain(Exception):
    """Only graphql-core may render this list."""


class BatchExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's execution context with lists rendered by column."""

    def complete_list_value(
        self, return_type: Any, field_details_list: Details, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """The rendered list; what cannot be rendered by column is graphql-core's."""
        wrapped = self.middleware_manager and self.middleware_manager.middlewares
        if isinstance(result, (list, tuple, Source)) and len(result) and not wrapped:
            try:
                rows = list(result) if isinstance(result, tuple) else result
                return self._complete(return_type.of_type, field_details_list, rows, info)
            except Exception as surprise:  # noqa: BLE001 - the library meets it again and words it
                log.debug("%s goes back to graphql-core: %r", info.field_name, surprise)
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def _complete(self, type_: Any, details: Details, values: Values, info: Any) -> list[Any]:
        """One rendered value for each row, of `type_`, which may be required, a list, a leaf or composite."""
        required = isinstance(type_, GraphQLNonNull)
        inner = type_.of_type if required else type_
        if isinstance(values, Grouped):
            if not isinstance(inner, GraphQLList):
                raise NotPlain
            return _split(self._complete(inner.of_type, details, values.source, info), values.offsets.tolist())
        if isinstance(values, Source):
            return self._composite(inner, details, values, info)
        if isinstance(values, Picked):
            return self._picked(inner, details, values, required, info)
        if isinstance(inner, LEAVES):
            return _leaves(inner, values, required)
        if required and None in values:
            raise NotPlain
        if isinstance(inner, GraphQLList):
            return self._lists(inner.of_type, details, values, info)
        return self._objects(inner, details, values, info)

    def _picked(self, type_: Any, details: Details, values: Picked, required: bool, info: Any) -> list[Any]:
        """Objects shared by several rows are rendered once."""
        used, back = np.unique(values.places, return_inverse=True)
        absent = len(used) > 0 and used[0] < 0
        if absent and required:
            raise NotPlain
        present = used[1:] if absent else used
        rendered = self._composite(type_, details, values.source.take(present), info) if len(present) else []
        if absent:
            rendered = [None, *rendered]
        return [rendered[i] for i in back.tolist()]

    def _objects(self, type_: Any, details: Details, values: list[Any], info: Any) -> list[Any]:
        """Python objects or None; one that stands in several rows is rendered once."""
        distinct = {id(v): v for v in values if v is not None}
        rendered = self._composite(type_, details, Objects(list(distinct.values())), info) if distinct else []
        found = dict(zip(distinct, rendered, strict=True))
        return [None if v is None else found[id(v)] for v in values]

    def _lists(self, type_: Any, details: Details, values: list[Any], info: Any) -> list[Any]:
        """A list or None for each row: rendered end to end, then split again."""
        lists = [v for v in values if v is not None]
        if all(isinstance(v, Source) for v in lists):
            rendered = [self._complete(type_, details, v, info) if len(v) else [] for v in lists]
        elif set(map(type, lists)) <= {list, tuple}:
            flat = self._complete(type_, details, [item for v in lists for item in v], info)
            rendered = _split(flat, offsets(np.array(list(map(len, lists)), dtype=np.int64)).tolist())
        else:
            raise NotPlain
        if len(lists) == len(values):
            return rendered
        take = iter(rendered)
        return [None if v is None else next(take) for v in values]

    def _composite(self, type_: Any, details: Details, rows: Source, info: Any) -> list[Any]:
        """A dict for each row of an object type, interface or union."""
        if not len(rows):
            return []
        if isinstance(type_, GraphQLObjectType):
            return self._level(type_, details, rows, info)
        if not isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
            raise NotPlain
        if rows.type_name is not None:
            return self._level(self._runtime(rows.type_name), details, rows, info)
        resolve_type = type_.resolve_type or self.type_resolver
        places: dict[Any, list[int]] = {}
        for place, row in enumerate(rows):
            places.setdefault(resolve_type(row, info, type_), []).append(place)
        out: list[Any] = [None] * len(rows)
        for name, where in places.items():
            some = rows.take(np.array(where, dtype=np.int64))
            for place, rendered in zip(where, self._level(self._runtime(name), details, some, info), strict=True):
                out[place] = rendered
        return out

    def _runtime(self, name: Any) -> GraphQLObjectType:
        found = self.schema.get_type(name) if isinstance(name, str) else None
        if not isinstance(found, GraphQLObjectType):
            raise NotPlain
        return found

    def _level(self, type_: GraphQLObjectType, details: Details, rows: Source, info: Any) -> list[Any]:
        """A dict for each row: its selected fields as columns, zipped."""
        rows = _together(rows)
        if rows.type_name is None:
            if type_.is_type_of and not all(type_.is_type_of(row, info) is True for row in rows):
                raise NotPlain
        elif rows.type_name != type_.name:
            raise NotPlain
        grouped, deferred, _ = self.collect_subfields(type_, details)
        if deferred:
            raise NotPlain
        columns = [self._field(type_, sub, rows, info) for sub in grouped.values()]
        return _maker(tuple(grouped))(columns, len(rows))

    def _field(self, parent: GraphQLObjectType, details: Details, rows: Source, info: Any) -> list[Any]:
        """The rendered values of one field for all rows of a level."""
        node = details[0].node
        name = node.name.value
        if name == "__typename":
            return [parent.name] * len(rows)
        field = parent.fields[name]
        declared = field.extensions.get("strawberry-definition")
        if declared is None or declared.permission_classes or declared.extensions:
            raise NotPlain
        if any(d.name.value not in {"skip", "include"} for d in node.directives or ()):
            raise NotPlain
        values: Values
        if declared.metadata.get("batch"):
            arguments = get_argument_values(field, node, self.variable_values, details[0].fragment_variable_values)
            nodes = [d.node for d in details]
            values = field.resolve(rows, self.build_resolve_info(field, nodes, parent, info.path), **arguments)
        elif getattr(field.resolve, "_is_default", False) and not declared.base_resolver:
            values = rows.column(declared.python_name)
        else:
            raise NotPlain
        rendered = self._complete(field.type, details, values, info)
        if len(rendered) != len(rows):
            raise NotPlain
        return rendered


def _together(rows: Source) -> Source:
    """Rows of one source that came one by one, as rows of that source again."""
    if isinstance(rows, Objects) and all(type(o) is Row for o in rows.objects):
        origins = [origin(o) for o in rows.objects]
        first = origins[0][0]
        if all(source is first for source, _ in origins):
            return first.take(np.array([place for _, place in origins], dtype=np.int64))
    return rows


def _leaves(type_: GraphQLScalarType | GraphQLEnumType, values: list[Any], required: bool) -> list[Any]:
    """Rendered leaves; each distinct value of an enum or of a scalar of ours is rendered once."""
    kinds: set[type] = set(map(type, values))
    if required and NONE in kinds:
        raise NotPlain
    if specified_scalar_types.get(type_.name) is type_ and kinds - {NONE} <= PLAIN[type_.name]:
        if type_.name == "Int" and not all(v is None or -INT_MAX - 1 <= v <= INT_MAX for v in values):
            raise NotPlain
        if type_.name == "Float" and not all(v is None or math.isfinite(v) for v in values):
            raise NotPlain
        return values
    if any(issubclass(k, BaseException) or hasattr(k, "__await__") for k in kinds):
        raise NotPlain
    rendered: dict[Any, Any] = {None: None}
    for value in set(values) - {None}:
        out = type_.coerce_output_value(value)
        if out is None or out is Undefined:
            raise NotPlain
        rendered[value] = out
    if len(kinds - {NONE}) > 1:  # 1, 1.0 and True are one key
        return [None if v is None else type_.coerce_output_value(v) for v in values]
    return [rendered[v] for v in values]


def _split(flat: list[Any], bounds: list[int]) -> list[list[Any]]:
    return [flat[a:b] for a, b in itertools.pairwise(bounds)]


@functools.lru_cache(maxsize=1024)
def _maker(names: tuple[str, ...]) -> Callable[[list[list[Any]], int], list[dict[str, Any]]]:
    """A function that zips columns into dicts with these keys; a dict display beats dict(zip) several times."""
    if not names:
        return lambda _columns, size: [{} for _ in range(size)]
    if len(names) == 1:
        (only,) = names
        return lambda columns, _size: [{only: value} for value in columns[0]]
    variables = [f"v{i}" for i in range(len(names))]
    display = ", ".join(f"{name!r}: {variable}" for name, variable in zip(names, variables, strict=True))
    code = f"lambda columns, size: [{{{display}}} for {', '.join(variables)} in zip(*columns)]"
    made: Callable[[list[list[Any]], int], list[dict[str, Any]]] = eval(code)  # noqa: S307 - keys are GraphQL names, quoted
    return made
