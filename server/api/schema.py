"""The GraphQL schema: everything generated from the registry, and what the registry does not know."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from chaingraph import Capability
from server.api import access, answers, auditlog, benchmarks, drafts, progress, sharing, subscriptions, tracing, types
from server.api.aspects import SAME, refuse_undeclared
from server.api.context import context_of
from server.api.executor import BatchExecutor
from server.api.scalars import CONFIG
from server.api.types import Node
from server.api.uploads import MUTATIONS, RowError


def _node(info: strawberry.Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]) -> Any:  # noqa: A002
    return types.things(context_of(info).view, [id])[0]


def _nodes(
    info: strawberry.Info,
    ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their ids, at most 100.")],
) -> Any:
    return types.things(context_of(info).view, list(ids))


_node.__annotations__["return"] = Node | None
_nodes.__annotations__["return"] = list[Node | None]

ROOT: dict[str, Any] = {
    "node": strawberry.field(
        resolver=_node,
        description="A thing or fact by its id; null when there is none.",
        metadata={"needs": Capability.READ},
        directives=[SAME],
    ),
    "nodes": strawberry.field(
        resolver=_nodes,
        description="Things or facts by their ids, in that order.",
        metadata={"needs": Capability.READ},
        directives=[SAME],
    ),
    **answers.root_fields(),
    "trace": tracing.field(),
    **benchmarks.fields(),
    **auditlog.fields(),
    **sharing.QUERIES,
    **access.QUERIES,
    **drafts.QUERIES,
    **types.list_fields(),
}

Query = strawberry.type(
    type("Query", (), {**ROOT, "__annotations__": {}}),
    description="What a viewer may see of the consortium's graph, and what follows from it.",
)

CHANGES: dict[str, Any] = {**MUTATIONS, **drafts.MUTATIONS, **sharing.MUTATIONS, **access.MUTATIONS}
Mutation = strawberry.type(
    type("Mutation", (), {**CHANGES, "__annotations__": {}}),
    description="Changing the graph.",
)

TOLD: dict[str, Any] = {**subscriptions.SUBSCRIPTIONS, **progress.SUBSCRIPTIONS}
Subscription = strawberry.type(
    type("Subscription", (), {**TOLD, "__annotations__": {}}),
    description="What goes on, as long as there is the right to see it.",
)

SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[*types.OBJECTS.values(), RowError],
    config=CONFIG,
    execution_context_class=BatchExecutor,
)
refuse_undeclared(SCHEMA._schema)  # noqa: SLF001 - strawberry has no public name for the graphql-core schema
