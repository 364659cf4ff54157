"""The executor that renders lists by column gives what the stock executor gives, with one call for each level."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import json
import logging
import random
import time
from typing import Annotated, Any

import numpy as np
import pytest
import strawberry
from graphql import ExecutionResult, GraphQLError
from hypothesis import HealthCheck, given, settings
from hypothesis_graphql import queries

from server.api.executor import BatchExecutor
from server.api.sources import Grouped, Picked, Source, Table, batched, offsets

RANDOM = random.Random(1)
COUNT = 40
CALLS: list[str] = []


@strawberry.enum
class Tier(enum.Enum):
    ONE = "one"
    TWO = "two"


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.type
class Supplier(Node):
    name: str | None
    since: dt.date


@strawberry.type
class Alternate:
    number: str
    notes: list[str | None]


def supplier_of(root: Source) -> list[Supplier | None]:
    CALLS.append("supplier")
    return [None if i is None else SUPPLIERS[i] for i in root.plain("supplier_index")]


def alternates_of(root: Source, first: int = 2) -> list[list[Alternate]]:
    CALLS.append("alternates")
    if first == 1:
        raise GraphQLError("One is refused.")
    return [ALTERNATES[int(i)][: max(0, min(first, 5))] for i in root.plain("id")]


@strawberry.type
class Part(Node):
    name: str
    weight: float | None
    count: int
    tier: Tier
    made: dt.datetime
    sold: bool
    tags: list[str] | None
    supplier_index: strawberry.Private[int | None]
    inner: Part | None
    either: Annotated[Part | Supplier, strawberry.union("Either")] | None = None
    supplier: Supplier | None = batched(supplier_of)
    alternates: list[Alternate] = batched(alternates_of)

    @strawberry.field
    def near(self, first: int = 2) -> list[Part]:
        return PARTS[: max(0, min(first, 5))]


def cells_of(root: Source) -> Grouped:
    CALLS.append("cells")
    numbers = [int(k[1:]) for k in root.plain("key")]
    values = [[i / 2 if j else None for j in range(i % 3)] for i in numbers]
    flat = [v for some in values for v in some]
    return Grouped(
        Table("Cell", len(flat), {"value": flat}), offsets(np.array([len(some) for some in values], dtype=np.int64))
    )


@strawberry.type
class Cell:
    value: float | None


@strawberry.type
class Line:
    key: str
    tier: Tier
    cell: Cell
    shared: Cell | None
    cells: list[Cell] = batched(cells_of)


def cells(size: int) -> Table:
    return Table("Cell", size, {"value": lambda: [None if i % 5 == 4 else i / 2 for i in range(size)]})


def lines(size: int, tiers: list[str | Tier] | None = None) -> Table:
    return Table(
        "Line",
        size,
        {
            "key": [f"k{i}" for i in range(size)],
            "tier": tiers or [Tier.ONE] * size,
            "cell": cells(size),
            "shared": Picked(cells(3), np.array([i % 4 - 1 for i in range(size)], dtype=np.int64)),
        },
    )


SUPPLIERS = [
    Supplier(id=strawberry.ID(str(i)), name=None if i == 2 else f"s{i}", since=dt.date(2020, 1, 1 + i))
    for i in range(4)
]
PARTS: list[Part] = []
for number in range(COUNT):
    PARTS.append(
        Part(
            id=strawberry.ID(str(number)),
            name=f"n{number}",
            weight=RANDOM.choice([None, 1.5, float(number)]),
            count=2**40 if number == 17 else number,
            tier=Tier.ONE,
            made=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            sold=number % 2 == 1,
            tags=None if number % 3 == 0 else ["a"] * (number % 3),
            supplier_index=RANDOM.choice([None, 0, 1, 2, 3]),
            inner=PARTS[0] if number else None,
            either=RANDOM.choice([None, SUPPLIERS[0], *PARTS[:2]]),
        )
    )
ALTERNATES = [
    [Alternate(number=None if (i, j) == (23, 1) else f"m{j}", notes=["a", None]) for j in range(i % 3)]  # type: ignore[arg-type]
    for i in range(COUNT)
]


@strawberry.type
class Query:
    @strawberry.field
    def parts(self, first: int = COUNT) -> list[Part]:
        return PARTS[: max(0, min(first, COUNT))]

    @strawberry.field
    def maybe(self) -> list[Part | None] | None:
        return [None, *PARTS[:5], None]

    @strawberry.field
    def node(self) -> Node:
        return PARTS[3]

    @strawberry.field
    def nodes(self) -> list[Node]:
        return [*PARTS[:3], *SUPPLIERS]

    @strawberry.field
    def lines(self, first: int = 12) -> list[Line]:
        return lines(max(0, min(first, 30)))  # type: ignore[return-value]

    @strawberry.field
    def wrong_lines(self) -> list[Line]:
        return lines(2, ["absent", Tier.ONE])  # type: ignore[return-value]

    @strawberry.field
    def numbers(self, big: bool = False) -> list[int | None]:
        return [1, None, 2**40 if big else 3]


STOCK = strawberry.Schema(Query, types=[Supplier])
FAST = strawberry.Schema(Query, types=[Supplier], execution_context_class=BatchExecutor)
ALL = "id name weight count tier made sold tags supplier { name since } alternates { number notes } inner { name }"


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Any:
    logging.getLogger("strawberry.execution").disabled = True
    yield
    logging.getLogger("strawberry.execution").disabled = False


def run(schema: strawberry.Schema, query: str, **variables: Any) -> ExecutionResult:
    return asyncio.run(schema.execute(query, variable_values=variables))  # type: ignore[return-value]


def said(result: ExecutionResult) -> list[tuple[str, tuple[str, ...]]]:
    return sorted((e.message, tuple(map(str, e.path or ()))) for e in result.errors or [])


def same(query: str, **variables: Any) -> ExecutionResult:
    """Data, errors and the order of keys are the stock executor's."""
    fast, stock = run(FAST, query, **variables), run(STOCK, query, **variables)
    assert said(fast) == said(stock), query
    assert json.dumps(fast.data) == json.dumps(stock.data), query
    return fast


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=queries(FAST.as_str()))
def test_any_query_gives_what_the_stock_executor_gives(query: str) -> None:
    same(query)


def test_a_level_is_resolved_by_one_call() -> None:
    CALLS.clear()
    result = run(FAST, "{ parts(first: 17) { name supplier { name } alternates(first: 2) { number notes } } }")
    assert not result.errors
    assert CALLS == ["supplier", "alternates"]
    CALLS.clear()
    run(FAST, "{ lines { key cells { value } again: cells { value } } }")
    assert CALLS == ["cells", "cells"]


def test_relations_take_arguments_and_variables() -> None:
    result = same("query($n: Int!) { parts(first: 9) { alternates(first: $n) { number } } }", n=0)
    assert result.data == {"parts": [{"alternates": []}] * 9}


def test_columns_picked_and_grouped_render_like_single_rows() -> None:
    result = same("{ lines { __typename key tier cell { value } shared { value } cells { value } } }")
    assert not result.errors
    assert result.data is not None
    assert result.data["lines"][5]["shared"] == {"value": 0.0}
    assert [len(line["cells"]) for line in result.data["lines"][:4]] == [0, 1, 2, 0]


@pytest.mark.parametrize(
    "query",
    [
        "{ parts { count } }",  # an Int beyond 2^31
        "{ parts { alternates(first: 2) { number } } }",  # a null in a field that may not be null
        "{ parts { name alternates(first: 1) { number } } }",  # a batch that raises
        "{ wrongLines { key tier } }",  # a value outside its enum
        "{ numbers(big: true) }",
        "{ parts { near(first: 1) { name supplier { name } } } }",  # a resolver for single rows
        "{ maybe { name } nodes { id ... on Part { name either { __typename ... on Part { name } } } } node { id } }",
        "{ parts { ...F @skip(if: true) name @include(if: false) } } fragment F on Part { id }",
    ],
)
def test_surprises_are_worded_by_the_library(query: str) -> None:
    same(query)


def test_a_page_of_columns_costs_a_small_part_of_stock_execution() -> None:
    query = "{ parts { id name weight tier made sold tags } }"
    took = {}
    for name, schema in (("fast", FAST), ("stock", STOCK)):
        run(schema, query)
        start = time.process_time()
        for _ in range(5):
            run(schema, query)
        took[name] = time.process_time() - start
    assert took["fast"] < took["stock"]
