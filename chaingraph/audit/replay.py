"""The rights behind an entry of the audit log, computed again as of then."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from chaingraph.audit.entries import LOG, Action, Entry
from chaingraph.audit.owners import others_in
from chaingraph.errors import NotFound
from chaingraph.following import snapshot_at
from chaingraph.view import View
from chaingraph.workspace import Workspace
from schema import KINDS
from schema.text import Text


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the actor of an entry could see at its revision, for its purpose, at its time.

    `agreements` are the versions in force for it, `kinds` and `owners` whose rows of what it could see; `by` are the
    versions that let it at the data of the entry's owners, which is what the entry holds where the two `agree`.
    """

    entry: Entry
    agreements: tuple[str, ...]
    kinds: tuple[str, ...]
    owners: tuple[str, ...]
    by: tuple[str, ...]

    @property
    def agree(self) -> bool | None:
        """Whether the entry holds the agreement versions that the rights of then rest on; None where it is not of
        reading.
        """
        reading = self.entry.action in {Action.READ, Action.EXPORT}
        return self.by == tuple(sorted(self.entry.agreements)) if reading else None


def entry_of(workspace: Workspace, number: int) -> Entry:
    """The entry with a number, counted from 0. Raises NotFound (`audit.no_entry`), StoreError."""
    leaf = next(islice(workspace.store.leaves(LOG, number), 1), None) if number >= 0 else None
    if leaf is None:
        raise NotFound(
            "audit.no_entry",
            Text(f"审计日志没有第 {number} 条。", f"The audit log has no entry {number}."),
            Text("条目从 0 起编号，见 chaingraph audit list。", "They are numbered from 0; see chaingraph audit list."),
        )
    return Entry.read(leaf)


def replay(workspace: Workspace, number: int) -> Replayed:
    """The rights of an entry's actor as of then, from the journal up to the entry's revision.

    Raises NotFound for an entry that there is not, StoreError with `journal.redacted` where data that the graph had
    then were erased since, so that what it was cannot be told.
    """
    entry = entry_of(workspace, number)
    snapshot = snapshot_at(workspace.store, entry.revision)
    secret = workspace.store.secret("pseudonyms")
    view = View(snapshot, entry.organisation, entry.purpose, entry.at, secret=secret)
    seen = {name: others_in(view, name) for name in KINDS}
    in_force = {each for grant in view.rights.grants for each in grant.agreements}
    by = {each for owner in entry.owners for each in view.rights.versions(owner)}
    return Replayed(
        entry,
        tuple(sorted(in_force)),
        tuple(sorted(name for name, owners in seen.items() if owners)),
        tuple(sorted(frozenset().union(*seen.values()))),
        tuple(sorted(by)),
    )
