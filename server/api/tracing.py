"""`trace`: walking a relation in the store, over GraphQL."""

from __future__ import annotations

import enum
from typing import Any

import strawberry
from strawberry import UNSET

from chaingraph import RELATIONS, Reached, trace
from schema import kind
from server.api import opaque, touched, types
from server.api.answers import COST, result_type, revealing
from server.api.aspects import RESTS_ON, reveals
from server.api.context import context_of
from server.api.errors import ApiError, Code
from server.api.inputs import argument, described_enum, maybe, several
from server.api.types import plain_type

MOST, USUAL = 2000, 200
"""Things in an answer: at most, and when nothing is said."""
STARTS = 100

_names: Any = enum.Enum("TraceRelation", {name.upper(): name for name in RELATIONS})  # type: ignore[misc]
TraceRelation = described_enum(
    _names, "A relation between two things.", [f"{kind(name).description} {kind(name).text.zh}。" for name in RELATIONS]
)


@strawberry.enum(description="Which way a relation is walked.")
class TraceDirection(enum.Enum):
    """Which way a relation is walked."""

    OUT = strawberry.enum_value("out", description="From its start to its end.")
    IN = strawberry.enum_value("in", description="From its end to its start.")


def field() -> Any:
    """The field of the root."""
    reached = result_type(Reached, RESTS_ON["trace"])
    result = plain_type("Trace", "What is reached from some things along one relation.", {
        "along": (TraceRelation, "The relation.", None),
        "direction": (TraceDirection, "Which way it was walked.", None),
        "things": (f"list[{reached}]", "The starts, then what is reached, nearest first.", None),
        "cut": (bool, "There was more than the limit.", None),
    }, reveals(*RESTS_ON["trace"]))  # fmt: skip
    types.publish("Trace", result)
    _trace.__annotations__ = {
        "info": strawberry.Info,
        "things": argument(several(str), "Ids, numbers or codes of the starts, or KIND:KEY; of one kind."),
        "along": argument(
            maybe(TraceRelation),
            "The relation; of lots LOT_GENEALOGY, of parts CONTAINS, of organisations SUPPLIES when nothing is said.",
        ),
        "direction": argument(maybe(TraceDirection), "Which way; OUT where that is possible when nothing is said."),
        "depth": argument(maybe(int), "At most so many relations away; as far as it goes when nothing is said."),
        "limit": argument(int, f"At most so many things, 1 to {MOST}."),
        "return": result,
    }
    said = "What is reached from things along one relation, walked in the store: lots downstream of a lot, say. 追溯。"
    return strawberry.field(resolver=_trace, description=said, **revealing("trace", COST))


def _trace(
    info: Any,
    things: Any,
    along: Any = UNSET,
    direction: Any = UNSET,
    depth: Any = UNSET,
    limit: Any = USUAL,
) -> Any:
    if not 1 <= len(things) <= STARTS:
        raise ApiError(Code.OUT_OF_RANGE, f"trace: 1 to {STARTS} things to start from, not {len(things)}.")
    if not 1 <= limit <= MOST:
        raise ApiError(Code.OUT_OF_RANGE, f"trace: limit is 1 to {MOST}, not {limit}.")
    if isinstance(depth, int) and depth < 1:
        raise ApiError(Code.OUT_OF_RANGE, f"trace: depth is at least 1, not {depth}.")
    context = context_of(info)
    sealed = opaque.of(context.view)
    touched.analysis(context.view, "trace", RESTS_ON["trace"])
    starts = [sealed.spelled(each, with_kind=True) for each in things]
    relation, way = (each.value if each else None for each in (along, direction))
    return trace(context.workspace, context.view, starts, relation, way, depth or None, limit)
