"""What a request reads of others' data, and what it is refused: gathered on the way, logged before the answer goes.

Rows count when their values are taken for an answer, by the page; counts and groups with every row that they are over;
an analysis with all that may go into it (`chaingraph.others_behind`). What everybody may see counts for nothing, and
neither do one's own rows. Nothing here holds a value of any row.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter, to_thread

from chaingraph import EVERYBODY, Action, Actor, AuditLog, Entry, View, Workspace, others_behind, others_in
from schema import Aspect, kind
from server.api.errors import ApiError, Code
from server.api.sources import Indices

if TYPE_CHECKING:
    from server.api.context import Context

WRITERS = 64
"""So many requests of a server wait at a time for what they did to be logged; they go into few transactions."""
SECRET = "audit"  # noqa: S105 - the name of the store's secret, by which ids that were refused are hashed
NAMED = 20
"""Refused ids that an entry names; it says how many there were."""

_LOGS: WeakKeyDictionary[Workspace, AuditLog] = WeakKeyDictionary()
_LIMITERS: WeakKeyDictionary[Workspace, CapacityLimiter] = WeakKeyDictionary()
_NOW: ContextVar[Touched | None] = ContextVar("touched", default=None)


def log_of(workspace: Workspace) -> AuditLog:
    """The audit log of a workspace's store, one for all requests."""
    found = _LOGS.get(workspace)
    return _LOGS.setdefault(workspace, AuditLog(workspace.store)) if found is None else found


@dataclass
class Touched:
    """What one request touched: kinds of which all rows were read, and of others by owner; analyses and the aspects
    that they rest on; ids that are none of its viewer's; what its role does not allow.
    """

    action: Action = Action.READ
    whole: set[str] = field(default_factory=set)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    analyses: set[tuple[str, tuple[Aspect, ...]]] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    view: View | None = None
    logged: bool = False
    """Whether the whole log was read, which is logged too."""

    def clear(self) -> None:
        """Forget what was gathered: it is logged."""
        for each in (self.whole, self.kinds, self.analyses, self.unknown, self.refused):
            each.clear()
        self.logged = False

    def add(self, view: View, name: str, owners: frozenset[str]) -> None:
        """Rows of a kind that these firms state."""
        self.view = view
        for owner in owners:
            self.kinds.setdefault(owner, set()).add(name)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Gather what is read meanwhile, in this thread, here."""
        before = _NOW.set(self)
        try:
            yield
        finally:
            _NOW.reset(before)

    def begin(self) -> None:
        """Gather what is read from now on in this thread or task."""
        _NOW.set(self)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Note what is FORBIDDEN meanwhile."""
        try:
            yield
        except ApiError as error:
            if error.code is Code.FORBIDDEN:
                self.refused.append(error.message)
            raise

    def entries(self, workspace: Workspace, actor: Actor) -> list[Entry]:
        """The entries that it comes to: none for the administrator of an embedded store, or who read only its own."""
        if actor.organisation == EVERYBODY:
            return []
        found: list[Entry] = []
        if self.refused:
            found.append(Entry.of(Action.DENIED, actor, what={"refused": self.refused[0]}))
        if self.unknown:
            secret = workspace.store.secret(SECRET)
            hashed = [hmac.new(secret, text.encode(errors="replace"), hashlib.sha256) for text in self.unknown[:NAMED]]
            what = {"ids": " ".join(each.hexdigest()[:16] for each in hashed), "count": str(len(self.unknown))}
            found.append(Entry.of(Action.DENIED, actor, kinds=("node",), what=what))
        if self.view is not None and (read := self._read(self.view))["owners"]:
            found.append(Entry.of(self.action, actor, revision=self.view.revision, **read))
        if self.logged:
            found.append(Entry.of(self.action, actor, kinds=("audit",)))
        return found

    def _read(self, view: View) -> dict[str, Any]:
        """What was read of whose, as parts of an entry; of kinds as a whole it is kept with the view."""
        rest = {owner: kinds - self.whole for owner, kinds in self.kinds.items() if kinds - self.whole}
        if rest:
            return _said(view, self.whole, rest, self.analyses)
        slot = ("read", frozenset(self.whole), frozenset(self.analyses))
        return view.memo(slot, lambda: _said(view, set(slot[1]), {}, set(slot[2])))


def _said(
    view: View, whole: set[str], rest: dict[str, set[str]], ran: set[tuple[str, tuple[Aspect, ...]]]
) -> dict[str, Any]:
    """An owner's kinds and analyses are said apart where they are not those of all."""
    kinds = {owner: set(names) for owner, names in rest.items()}
    analyses: dict[str, set[str]] = {}
    for name in whole:
        for owner in others_in(view, name):
            kinds.setdefault(owner, set()).add(name)
    for name, aspects in ran:
        for of, owners in others_behind(view, aspects).items():
            for owner in owners:
                kinds.setdefault(owner, set()).add(of)
                analyses.setdefault(owner, set()).add(name)
    what: dict[str, str] = {}
    for word, said in (("kinds", kinds), ("analyses", analyses)):
        every = sorted(set().union(*said.values()))
        if every and word == "analyses":
            what[word] = " ".join(every)
        what |= {
            f"{word} of {owner}": " ".join(sorted(said.get(owner, ())))
            for owner in sorted(kinds)
            if sorted(said.get(owner, ())) != every
        }
    return {
        "owners": tuple(sorted(kinds)),
        "kinds": tuple(sorted(set().union(*kinds.values()))),
        "agreements": tuple(sorted({each for owner in kinds for each in view.rights.versions(owner)})),
        "what": what,
    }


def rows(view: View, name: str, places: Indices | None = None) -> None:
    """Rows of `view.table(name)` go into the answer: those at these places, or all."""
    noted = _NOW.get()
    if noted is None or view.viewer == EVERYBODY or kind(name).sharing == "public" or name in noted.whole:
        return
    if places is None:
        noted.view = view
        noted.whole.add(name)
    else:
        noted.add(view, name, others_in(view, name, places))


def analysis(view: View, name: str, aspects: Sequence[Aspect]) -> None:
    """An analysis that rests on these aspects goes into the answer."""
    noted = _NOW.get()
    if noted is not None and view.viewer != EVERYBODY:
        noted.view = view
        noted.analyses.add((name, tuple(aspects)))


def unknown(text: str) -> None:
    """An id was asked for that is none of the viewer's, be there such a thing or not."""
    noted = _NOW.get()
    if noted is not None:
        noted.unknown.append(text)


async def settle(context: Context) -> None:
    """Log what a request touched, and return when that is on the disk. Raises StoreError: then no answer may leave."""
    entries = context.touched.entries(context.workspace, context.actor)
    if entries:
        limiter = _LIMITERS.get(context.workspace)
        if limiter is None:
            limiter = _LIMITERS.setdefault(context.workspace, CapacityLimiter(WRITERS))
        await to_thread.run_sync(log_of(context.workspace).write, entries, limiter=limiter)
        context.touched.clear()
