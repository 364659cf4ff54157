"""What resolvers find in `info.context`: the viewer's view of one revision, and the language to answer in."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import strawberry
from starlette.requests import HTTPConnection

from chaingraph import Actor, View, Workspace
from ingest import Desk
from server.api import opaque
from server.api.limits import Limits
from server.api.touched import Touched

_SECRETS: WeakKeyDictionary[Workspace, bytes] = WeakKeyDictionary()
"""What ids and cursors are sealed by, for each store; read once, since a remote one is far."""


@strawberry.enum(description="A language of the consortium.")
class Locale(enum.Enum):
    """A language of the consortium."""

    ZH = strawberry.enum_value("zh", description="Chinese · 中文")
    EN = strawberry.enum_value("en", description="English · 英文")


@dataclass
class Context:
    """One request's. The view is taken once, so that an answer is of one revision.

    `desk` is where uploads are handed in step by step, None where the server has none.
    """

    workspace: Workspace
    locale: str
    actor: Actor
    touched: Touched = field(default_factory=Touched)
    desk: Desk | None = field(default=None, kw_only=True)
    limits: Limits = field(default_factory=Limits, kw_only=True)

    @cached_property
    def view(self) -> View:
        """What the viewer may see."""
        return self.look()

    def look(self) -> View:
        """What the viewer may see by now, with the seal of its ids and cursors; raises StoreError."""
        view = self.workspace.view(self.actor.organisation, self.actor.purpose)
        if self.workspace not in _SECRETS:
            _SECRETS[self.workspace] = self.workspace.store.secret(opaque.SECRET)
        opaque.of(view, _SECRETS[self.workspace])
        return view

    def begin(self, mutation: bool) -> None:
        """Take the view before anything else, so that a graph that cannot be read is known by then; raises StoreError.

        A mutation's own view is taken after it. What is read from here on is noted.
        """
        self.touched.begin()
        view = self.look()
        if not mutation:
            self.view = view

    def say(self, locale: object) -> str:
        """The language asked for, else the request's."""
        return str(locale.value) if isinstance(locale, Locale) else self.locale


def context_of(info: Any) -> Context:
    """The context of a resolver's info."""
    found: Context = info.context
    return found


def locale_of(request: HTTPConnection, default: str) -> str:
    """The first language of Accept-Language that we speak, else the default."""
    for part in request.headers.get("accept-language", "").split(","):
        language = part.partition(";")[0].strip().lower()
        if language.startswith(("zh", "en")):
            return language[:2]
    return default
