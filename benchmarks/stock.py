"""The peer: the same data behind Strawberry as its documentation shows it, with objects, resolvers and a DataLoader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.dataloader import DataLoader

from chaingraph import View

FIELDS = ("number", "issuer", "name_zh", "name_en", "part_class", "criticality", "chain_level")


@strawberry.type
class Line:
    """A line of a bill of materials."""

    quantity: float
    parent_key: strawberry.Private[str]

    @strawberry.field
    async def parent(self, info: strawberry.Info) -> Part:
        """The part it is a line of."""
        found: Part = await info.context["parts"].load(self.parent_key)
        return found


@strawberry.type
class Part:
    """A part."""

    id: strawberry.ID
    number: str
    issuer: str
    name_zh: str | None
    name_en: str | None
    part_class: str | None
    criticality: str | None
    chain_level: str | None

    @strawberry.field
    async def used_in(self, info: strawberry.Info) -> list[Line]:
        """The lines that it is on."""
        found: list[Line] = await info.context["lines"].load(str(self.id))
        return found


@strawberry.type
class Query:
    """Reading."""

    @strawberry.field
    def parts(self, info: strawberry.Info) -> list[Part]:
        """The parts on lines."""
        return [p for p in info.context["every"].values() if p.number.startswith("C")]

    @strawberry.field
    def every_part(self, info: strawberry.Info) -> list[Part]:
        """All parts."""
        return list(info.context["every"].values())


def schema(view: View) -> tuple[strawberry.Schema, Callable[[], dict[str, Any]]]:
    """The schema, and what makes the context of one request over the parts and lines of a view."""
    every = {
        key: Part(id=strawberry.ID(key), **dict(zip(FIELDS, values, strict=True)))
        for key, *values in view.table("part").select("key", *FIELDS).iter_rows()
    }
    on: dict[str, list[Line]] = {}
    for quantity, parent, child in view.table("contains").select("quantity", "parent", "child").iter_rows():
        on.setdefault(child, []).append(Line(quantity=quantity, parent_key=parent))

    async def load_lines(keys: list[str]) -> list[list[Line]]:
        return [on.get(k, []) for k in keys]

    async def load_parts(keys: list[str]) -> list[Part]:
        return [every[k] for k in keys]

    def context() -> dict[str, Any]:
        return {"every": every, "lines": DataLoader(load_lines), "parts": DataLoader(load_parts)}

    return strawberry.Schema(Query), context
