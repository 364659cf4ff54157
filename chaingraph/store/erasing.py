"""Taking rows out of the past: of the journal's payloads, of checkpoints and of snapshots on disk.

The chain of digests is over the contents as they were committed and stays as it is. A redaction says which payload
lost rows, with its digests before and after, so that what is left of it can be checked; a digest over the redactions
of each transaction is a leaf of the audit log, so that nobody can make one up to change what is left.

All traces of the rows go but the graph's own: of a key that the graph has, what it was last put as stays. So the graph
of today can be computed from the journal as before. What it was between the first commit that lost something and the
erasure cannot: `refusals.known` tells.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain

import polars as pl

from chaingraph import checkpoint
from chaingraph.audit.entries import Entry
from chaingraph.changes import Payload, digests_of, encoded
from chaingraph.store.base import Commit, Redaction, Store
from chaingraph.store.refusals import unfinished

PIECE = 16 << 20
"""Bytes of payloads that are put in one transaction, and one payload more."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was taken out of how many commits; 0 where nothing was left to take."""

    commits: int
    rows: int


def digest_of(redactions: Iterable[Redaction]) -> str:
    """What the audit log keeps of the redactions of one transaction: SHA-256 over them as canonical JSON."""
    said = [
        {**asdict(each), "at": each.at.astimezone(dt.UTC).isoformat(timespec="microseconds")} for each in redactions
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def erase(store: Store, rows: Mapping[str, Iterable[str]], entry: Entry, reason: str) -> Erased:
    """Take the rows with these stored keys, by kind, out of all that the store keeps of its past.

    Rows that the graph has are to be deleted before: of those the last state stays. `reason` is kept with every
    redaction (an agreement's version; no data); `entry` goes to the audit log with each transaction, completed by what
    was done. What is left is consistent at every moment: when this is broken off, call it again. Snapshots of older
    revisions and what drafts there are go from this machine, others' go when they next follow the store. Raises
    Conflict while a load is unfinished, Busy where others who read keep old data from being overwritten.
    """
    keys = {name: pl.Series("key", list(each), pl.String).unique().sort() for name, each in rows.items()}
    with store.writing():
        head = store.head()
        if head.open_load is not None:
            raise unfinished(head.open_load)
        wanted = {name: each.to_frame() for name, each in keys.items() if len(each)}
        commits, taken = set[int](), 0
        for piece in _pieces(_changed(store, wanted, head.revision, reason)) if wanted else ():
            done = [each for each, _ in piece if each.rows]
            store.redact(piece, [_said(entry, done, head.revision).leaf()] if done else [])
            commits |= {each.revision for each in done}
            taken += sum(each.rows for each in done)
        _renew(store)
        store.scrub()
    return Erased(len(commits), taken)


def _renew(store: Store) -> None:
    """A snapshot on this machine and a checkpoint of today, in the place of older ones, where there are any."""
    from chaingraph.following import clear, digest_at, snapshot_at

    head = store.head()
    snapshot = snapshot_at(store, head.revision).own()
    if store.snapshots.is_dir() and any(store.snapshots.iterdir()):
        snapshot.write(store.snapshots, head.erased)
    checkpoint.renew(store, snapshot, lambda revision: digest_at(store, revision))
    clear(store)


def _changed(
    store: Store, wanted: Mapping[str, pl.DataFrame], until: int, reason: str
) -> Iterator[tuple[Redaction, bytes]]:
    """What is to be taken out of every payload, oldest first, so that no deletion goes before what it deleted.

    One that loses no row is written anew where it may have text besides its own, as some of older versions have.
    """
    last = _last_put(store, wanted, until)
    at = dt.datetime.now(dt.UTC)
    for commit in store.journal(0, until):
        for payload in _of(commit, wanted):
            rows = pl.read_ipc(payload.data)
            gone = wanted[payload.kind]
            if payload.op == "put":
                gone = gone.join(last[payload.kind].filter(pl.col("revision") == commit.revision), on="key", how="anti")
            rest = rows.join(gone, on="key", how="anti", maintain_order="left")
            data = encoded(rest if len(rest) < len(rows) else rows)
            if data == payload.data:
                continue
            before, after = (_digest(payload._replace(data=each)) for each in (payload.data, data))
            taken = len(rows) - len(rest)
            yield (
                Redaction("", commit.revision, payload.op, payload.kind, taken, before, after, until, at, reason),
                data,
            )


def _last_put(store: Store, wanted: Mapping[str, pl.DataFrame], until: int) -> dict[str, pl.DataFrame]:
    """Of the rows wanted that the graph has: in which revision each was last put (`key`, `revision`)."""
    with store.read() as session:
        there = {name: session.rows(name, each["key"].to_list()).select("key") for name, each in wanted.items()}
    found = {name: [pl.DataFrame(schema={"key": pl.String(), "revision": pl.Int64()})] for name in wanted}
    if any(map(len, there.values())):
        for commit in store.journal(0, until):
            for payload in _of(commit, wanted):
                if payload.op == "put":
                    put = pl.read_ipc(payload.data).select("key").join(there[payload.kind], on="key", how="semi")
                    found[payload.kind].append(put.with_columns(revision=pl.lit(commit.revision, pl.Int64)))
    return {name: pl.concat(each).group_by("key").agg(pl.col("revision").max()) for name, each in found.items()}


def _of(commit: Commit, wanted: Mapping[str, pl.DataFrame]) -> list[Payload]:
    return [payload for payload in commit.payload() if payload.kind in wanted]


def _digest(payload: Payload) -> str:
    (found,) = digests_of([payload]).values()
    return found


def _pieces(changed: Iterator[tuple[Redaction, bytes]]) -> Iterator[list[tuple[Redaction, bytes]]]:
    """What goes into one transaction each, under one number."""
    for first in changed:
        piece, size = [first], len(first[1])
        while size < PIECE and (more := next(changed, None)) is not None:
            piece.append(more)
            size += len(more[1])
        number = uuid.uuid4().hex
        yield [(replace(each, erasure=number), data) for each, data in piece]


def _said(entry: Entry, done: Sequence[Redaction], revision: int) -> Entry:
    """The entry for one transaction's redactions."""
    what = {
        **entry.what, "erasure": done[0].erasure, "redactions": digest_of(done),
        "commits": str(len({each.revision for each in done})), "rows": str(sum(each.rows for each in done)),
    }  # fmt: skip
    kinds = tuple(sorted({each.kind for each in done}))
    return replace(entry, at=done[0].at, kinds=kinds, revision=revision, what=what)


def held(digests: Mapping[str, str], redactions: Sequence[Redaction]) -> dict[str, str] | None:
    """The digests of a commit's payloads as they were committed, from those of what is there and the redactions since.

    None where the two do not fit each other.
    """
    found = dict(digests)
    for each in reversed(redactions):
        slot = f"{each.op} {each.kind}"
        if found.get(slot) != each.after:
            return None
        found[slot] = each.before
    return found


def unfit(redactions: Sequence[Redaction], leaves: Iterable[bytes], revision: int) -> Redaction | str | None:
    """The first redaction that the audit log does not have as it is, or the number of an erasure that the log has, of
    the journal up to a revision, and the store has not; None where all fit.
    """
    logged: dict[str, str] = {}
    for leaf in leaves:
        if b'"action":"erased"' in leaf:
            entry = Entry.read(leaf)
            if "erasure" in entry.what and entry.revision <= revision:
                logged[entry.what["erasure"]] = entry.what["redactions"]
    groups: dict[str, list[Redaction]] = {}
    for each in redactions:
        groups.setdefault(each.erasure, []).append(each)
    for number, group in groups.items():
        if logged.pop(number, None) != digest_of(group):
            return group[0]
    return next(chain(logged), None)
