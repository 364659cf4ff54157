"""`graphChanged`: what has changed in what a viewer may see, as it changes.

The newest view is compared with the one told of last, column by column as the viewer has them: what changes beyond them
says nothing, and who listens slowly is told of several changes at once. One task looks for all who listen.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import types as pytypes
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import strawberry
from anyio import CapacityLimiter, to_thread
from strawberry import UNSET

from chaingraph import Actor, Capability, ChaingraphError, View, Workspace
from schema import KINDS
from schema.vocabularies import Purpose
from server.api import opaque, touched
from server.api.aspects import SAME
from server.api.context import Context, context_of
from server.api.inputs import argument, described_enum, maybe, several
from server.api.types import plain_type, publish

LOG = logging.getLogger(__name__)
EVERY = 0.25
"""Seconds between looks at the graph."""
MOST_IDS = 100
"""Ids of each sort in one message."""

KIND: Any = enum.Enum("Kind", {name.upper(): name for name in KINDS})  # type: ignore[misc]
KindCode = described_enum(
    KIND, "A kind of things or facts.", [f"{of.description} {of.text.zh}。" for of in KINDS.values()]
)

KindChange = publish("KindChange", plain_type("KindChange", "What has changed of one kind, as the viewer sees it.", {
    "kind": (KindCode, "The kind.", None),
    "new": (int, "Rows that are there now and were not.", None),
    "changed": (int, "Rows that say something else.", None),
    "gone": (int, "Rows that are not there any more, or that the viewer may no longer see.", None),
    "new_ids": (list[strawberry.ID], f"The ids of the first {MOST_IDS} new ones.", None),
    "changed_ids": (list[strawberry.ID], f"The ids of the first {MOST_IDS} changed ones.", None),
    "gone_ids": (list[strawberry.ID], f"The ids of the first {MOST_IDS} that are gone.", None),
}, SAME))  # fmt: skip
GraphChange = publish("GraphChange", plain_type("GraphChange", "What has changed since the message before.", {
    "kinds": (several(KindChange), "The kinds of which something has changed.", None),
}, SAME))  # fmt: skip


def compare(before: View, after: View, name: str) -> Any:
    """What has changed of a kind between two views of one viewer; None for nothing."""
    old, new = before.table(name), after.table(name)
    if old is new or old.equals(new):
        return None
    came, went = (a.join(b.select("key"), on="key", how="anti")["key"] for a, b in ((new, old), (old, new)))
    both = new.join(old, on="key", how="inner", suffix=" before", maintain_order="left")
    differs = [pl.col(column).ne_missing(pl.col(f"{column} before")) for column in new.columns if column != "key"]
    changed = both.filter(pl.any_horizontal(differs))["key"]
    if not (len(came) or len(went) or len(changed)):
        return None
    places = pl.concat([came, changed])
    touched.rows(after, name, after.locate(name, places))
    sealed = opaque.of(after)
    ids = {f"{word}_ids": sealed.ids(name, keys.head(MOST_IDS)) for word, keys in _words(came, changed, went)}
    return KindChange(kind=KIND(name), **{word: len(keys) for word, keys in _words(came, changed, went)}, **ids)


def _words(came: pl.Series, changed: pl.Series, went: pl.Series) -> tuple[tuple[str, pl.Series], ...]:
    return (("new", came), ("changed", changed), ("gone", went))


@dataclass
class Watched:
    """The newest view of a viewer and purpose, and who is told of the next."""

    view: View
    news: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: int = 0


class Watch:
    """Looks for what is new, for all who listen, in one task that ends with the last of them. For one event loop."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._watched: dict[tuple[str, Purpose], Watched] = {}
        self._task: asyncio.Task[None] | None = None
        self._limiter = CapacityLimiter(2)

    @asynccontextmanager
    async def listening(self, actor: Actor) -> AsyncIterator[Watched]:
        """What an actor listens to. Raises StoreError."""
        slot = (actor.organisation, actor.purpose)
        view = await self._look(slot)
        watched = self._watched.setdefault(slot, Watched(view))
        watched.listeners += 1
        if self._task is None:
            self._task = asyncio.create_task(self._poll())
        try:
            yield watched
        finally:
            watched.listeners -= 1
            if not watched.listeners:
                del self._watched[slot]
            if not self._watched:
                self._task.cancel()
                self._task = None

    async def compare(self, context: Context, before: View, after: View, names: list[str]) -> list[Any]:
        """What has changed of some kinds; it is in the log when this returns. Raises StoreError."""
        context.touched = touched.Touched()

        def found() -> list[Any]:
            with context.touched.watching():
                return [each for name in names if (each := compare(before, after, name)) is not None]

        changes = await to_thread.run_sync(found, limiter=self._limiter)
        if changes:
            await touched.settle(context)
        return changes

    async def _look(self, slot: tuple[str, Purpose]) -> View:
        organisation, purpose = slot
        context = Context(self._workspace, "en", Actor(organisation, purpose=purpose))
        return await to_thread.run_sync(context.look, limiter=self._limiter)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            for slot, watched in list(self._watched.items()):
                try:
                    view = await self._look(slot)
                except ChaingraphError as error:
                    LOG.debug("nothing can be told for now: %s", error)
                    continue
                if view is not watched.view:
                    watched.view = view
                    watched.news.set()
                    watched.news = asyncio.Event()


@dataclass
class Listening(Context):
    """The context of a subscription: besides, where it hears what is new."""

    watch: Watch | None = field(default=None, kw_only=True)


async def _graph_changed(info: Any, kinds: Any = UNSET) -> AsyncGenerator[Any, None]:
    context = context_of(info)
    assert isinstance(context, Listening)
    assert context.watch is not None
    names = list(dict.fromkeys(each.value for each in kinds)) if kinds else list(KINDS)
    async with context.watch.listening(context.actor) as watched:
        told = watched.view
        while True:
            news = watched.news
            if watched.view is told:
                await news.wait()
                continue
            after = watched.view
            changes = await context.watch.compare(context, told, after, names)
            told = after
            if changes:
                yield GraphChange(kinds=changes)


_graph_changed.__annotations__ |= {
    "info": strawberry.Info,
    "kinds": argument(maybe(several(KindCode)), "Of which kinds; of all where nothing is said."),
    "return": pytypes.GenericAlias(AsyncGenerator, (GraphChange, None)),
}

SUBSCRIPTIONS: dict[str, Any] = {
    "graph_changed": strawberry.subscription(
        resolver=_graph_changed,
        description="What changes in what the viewer may see, within a second; by graphql-transport-ws.",
        metadata={"needs": Capability.READ, "cost": 100},
        directives=[SAME],
    ),
}
