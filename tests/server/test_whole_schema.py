"""The whole schema on generated queries: both executors say the same, and nothing fails inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLObjectType,
    build_schema,
    execute_sync,
    parse,
    print_schema,
    validate,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.utils.str_converters import to_camel_case

from analytics import ANALYSES
from chaingraph import Actor, Workspace
from server.api import sdl
from server.api.context import Context
from server.api.errors import ApiError
from server.api.executor import BatchExecutor
from server.api.schema import SCHEMA
from tests.server import world

CORE = SCHEMA._schema
SCALARS = {
    "Long": st.integers(0, 5).map(nodes.Int),
    "Date": st.just(nodes.String("2025-03-01")),
    "DateTime": st.just(nodes.String("2025-03-01T00:00:00Z")),
    "File": st.just(nodes.String("none")),
}
PAGES = {"first", "last", "after", "before"}
ANSWERS = {
    "agreementPreview",
    "benchmark",
    "product",
    "trace",
    "node",
    "nodes",
    *(to_camel_case(each.name) for each in ANALYSES.values()),
}


def plainer() -> str:
    """The schema without page sizes and cursors, whose random values are refused, and without what needs a name."""
    schema = build_schema(sdl.sdl())
    for each in schema.type_map.values():
        for field in each.fields.values() if isinstance(each, GraphQLObjectType) else ():
            field.args = {name: a for name, a in field.args.items() if name not in PAGES}
    assert schema.query_type is not None
    for name in ANSWERS:
        schema.query_type.fields.pop(name, None)
    return print_schema(schema)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with world.workspace(tmp_path_factory.mktemp("graph")) as made:
        yield made


def run(space: Workspace, query: str, executor: type[Any]) -> tuple[str, list[str]]:
    document = parse(query)
    assert not validate(CORE, document)
    result = execute_sync(CORE, document, context_value=Context(space, "en", Actor()), executor_class=executor)
    assert all(isinstance(e.original_error, ApiError) for e in result.errors or []), result.errors
    return json.dumps(result.data), sorted(str(e) for e in result.errors or [])


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(query=queries(plainer(), custom_scalars=SCALARS))
def test_generated_queries_are_answered_alike_and_fail_for_their_own_faults_only(space: Workspace, query: str) -> None:
    assert run(space, query, BatchExecutor) == run(space, query, StrawberryGraphQLCoreExecutionContext)
