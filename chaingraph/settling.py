"""What is due when an agreement ends that said *delete*: the owner's rows go, out of the graph and out of its past.

It ends at its end, or when it is revoked. Rows that another accepted agreement of the same owner covers, running or to
come, stay until that one ends; so does what no ended agreement ever covered.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from chaingraph.actor import Actor, Capability
from chaingraph.audit import Action, Entry
from chaingraph.errors import ChaingraphError
from chaingraph.rights import about
from chaingraph.snapshot import Snapshot
from chaingraph.store.erasing import erase
from chaingraph.workspace import Workspace, load_run
from schema import KINDS, Text, kind, relations_to
from schema.entities.agreement import ALL
from schema.vocabularies import AgreementState, AtEnd

SETTLED = "settled"
"""Collection of the register with a record for each version of an agreement that needs nothing more."""
OPEN = "settling"
"""Collection of the register with what is being settled, so that a run that was broken off is completed."""
STAYING = frozenset({"consortium", "member"})
"""Kinds that stay: by them it is told whom other agreements are with."""

Counts = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What was done, or with a dry run would be.

    `agreements` are the versions (`id/version`) that ended; `rows` counts the rows that go, by owner and kind, `stubs`
    those of which the key stays because others refer to it. `erased` is how many rows were taken out of the past (each
    version of a row, and its deletion), `revision` the newest after it.
    """

    agreements: tuple[str, ...] = ()
    rows: Counts = field(default_factory=dict)
    stubs: Counts = field(default_factory=dict)
    erased: int = 0
    revision: int = 0


def due(workspace: Workspace, now: dt.datetime | None = None) -> dt.datetime | None:
    """When the next agreement is to be settled: `now` where one is already, None where none will be."""
    now = now or dt.datetime.now(dt.UTC)
    workspace.follow()
    waiting = _waiting(workspace, workspace.snapshot())
    if any(True for _ in workspace.register.all(OPEN)) or len(waiting.filter(_over(now))):
        return now
    ends: list[dt.datetime] = waiting["end"].to_list()
    return min(ends, default=None)


def settle(workspace: Workspace, actor: Actor, now: dt.datetime | None = None, *, dry_run: bool = False) -> Settlement:
    """Delete and erase what agreements that have ended by `now` ask for; with `dry_run` only say what that would be.

    May be broken off and called again. Raises ChaingraphError (`settle.forbidden`) for who may not administer, and
    what `Workspace.writing` and `erase` raise.
    """
    if not actor.may(Capability.ADMINISTER):
        raise ChaingraphError(
            "settle.forbidden",
            Text("只有管理员可以清算到期协议。", "Only an administrator settles agreements."),
            Text("请以管理员身份执行。", "Do it as an administrator."),
        )
    now = now or dt.datetime.now(dt.UTC)
    if dry_run:
        workspace.follow()
        return _Plan(workspace, workspace.snapshot(), now).settlement
    with workspace.writing() as snapshot:
        return _carried_out(workspace, actor, _Plan(workspace, snapshot, now))


class _Plan:
    """What is to go of a snapshot: rows that are `put` as stubs, stored keys to `delete`."""

    def __init__(self, workspace: Workspace, snapshot: Snapshot, now: dt.datetime) -> None:
        over = _waiting(workspace, snapshot).filter(_over(now))
        revoked = over.filter(pl.col("state") == AgreementState.REVOKED.value)["key"]
        never = set(revoked) - _once_accepted(workspace, set(revoked))
        self.over = over
        self.ended = over.filter(~pl.col("key").is_in(sorted(never)))
        going = _going(snapshot, self.ended, now)
        self.put: dict[str, pl.DataFrame] = {}
        self.delete: dict[str, pl.Series] = {}
        for name in reversed(KINDS):
            if name in going:
                self._split(snapshot, going, name)
        counted = _counts(going), _counts(self.put)
        self.settlement = Settlement(tuple(self.ended["key"]), *counted, revision=snapshot.revision)

    def _split(self, snapshot: Snapshot, going: Mapping[str, pl.DataFrame], name: str) -> None:
        """Rows of a kind that others refer to become stubs; kinds that refer to it have been seen before."""
        of, rows = kind(name), going[name]

        def stay(source: str) -> pl.DataFrame:
            table = snapshot.table(source)
            return table.join(going[source].select("key"), on="key", how="anti") if source in going else table

        referring = [
            table.select(natural=pl.col(column))
            for source, column in relations_to(name)
            for table in (stay(source.name), *([self.put[source.name]] if source.name in self.put else ()))
        ]
        named = rows.with_columns(natural=of.natural_of())
        here = stay(name).select(natural=of.natural_of())
        needed = named.join(here, on="natural", how="anti", maintain_order="left")
        if referring:
            bare = needed.join(pl.concat(referring), on="natural", how="semi", maintain_order="left")
            if len(bare):
                stub = bare.select("key", "owner", *of.key).with_columns(stub=pl.lit(value=True))
                self.put[name] = of.frame(stub)
                rows = rows.join(bare, on="key", how="anti", maintain_order="left")
        self.delete[name] = rows["key"]

    @property
    def keys(self) -> dict[str, list[str]]:
        """Stored keys of all rows that go, by kind."""
        found: dict[str, list[str]] = {name: keys.to_list() for name, keys in self.delete.items() if len(keys)}
        for name, rows in self.put.items():
            found[name] = [*found.get(name, ()), *rows["key"]]
        return found


def _carried_out(workspace: Workspace, actor: Actor, plan: _Plan) -> Settlement:
    """Delete, erase, note. What is to be erased is noted first, because after the deletion nothing else tells."""
    pending = dict(workspace.register.all(OPEN))
    if not (pending or len(plan.over)):
        return plan.settlement
    said = {
        key for load, record in pending.items() if _committed(workspace, load, record) for key in record["agreements"]
    }
    ended: list[tuple[str, str]] = plan.ended.select("key", "owner").rows()
    load = f"settle {uuid.uuid4()}"
    record = {"keys": plan.keys, "agreements": [key for key, _ in ended], "revision": workspace.snapshot().revision}
    if plan.keys:
        workspace.register.put(OPEN, load, record)
        pending[load] = record
    entries = [
        Entry.of(Action.AGREEMENT_SETTLED, actor, owners=(owner,), agreements=(key,), revision=record["revision"])
        for key, owner in ended
        if key not in said
    ]
    revision = workspace.submit(load_run(plan.put, plan.delete, by=actor.organisation, load=load), entries=entries)
    erased = _erased(workspace, actor, pending) if pending else 0
    for key in plan.over["key"]:
        workspace.register.put(SETTLED, key, {"revision": revision})
    for name in pending:
        workspace.register.put(OPEN, name, None)
    return replace(plan.settlement, erased=erased, revision=revision)


def _erased(workspace: Workspace, actor: Actor, pending: Mapping[str, dict[str, Any]]) -> int:
    """Take out of the past what was noted and is no more than a stub now; then the notes lose their keys."""
    gone: dict[str, set[str]] = {}
    for record in pending.values():
        for name, keys in record["keys"].items():
            table = workspace.snapshot().table(name)
            full = table.filter(~pl.col("stub")) if kind(name).stubs else table
            gone.setdefault(name, set()).update(set(keys) - set(full["key"]))
    agreements = tuple(sorted({key for record in pending.values() for key in record["agreements"]}))
    rows = workspace.snapshot().table("agreement").filter(pl.col("key").is_in(agreements))
    owners = tuple(sorted(set(rows["owner"])))
    entry = Entry.of(Action.ERASED, actor, owners=owners, agreements=agreements)
    done = erase(workspace.store, gone, entry, ", ".join(agreements))
    for name, record in pending.items():
        workspace.register.put(OPEN, name, {**record, "keys": {}})
    workspace.store.scrub()
    return done.rows


def _committed(workspace: Workspace, load: str, record: Mapping[str, Any]) -> bool:
    return any(commit.load == load for commit in workspace.store.journal(record["revision"]))


def _waiting(workspace: Workspace, snapshot: Snapshot) -> pl.DataFrame:
    """Agreements that ask for deletion at their end, and have not been settled."""
    settled = [key for key, _ in workspace.register.all(SETTLED)]
    states = [AgreementState.ACCEPTED.value, AgreementState.REVOKED.value]
    asks = (pl.col("at_end") == AtEnd.DELETE.value) & pl.col("state").is_in(states)
    return snapshot.table("agreement").filter(asks & ~pl.col("key").is_in(settled))


def _over(now: dt.datetime) -> pl.Expr:
    return (pl.col("state") == AgreementState.REVOKED.value) | (pl.col("end") <= now)


def _once_accepted(workspace: Workspace, keys: set[str]) -> set[str]:
    """Those of some versions that were ever accepted, as the journal has it: others gave no rights."""
    found: set[str] = set()
    for commit in workspace.store.journal() if keys else ():
        rows = commit.changes(["agreement"]).put.get("agreement")
        if rows is not None:
            found |= set(rows.filter(pl.col("state") == AgreementState.ACCEPTED.value)["key"])
    return found & keys


def _going(snapshot: Snapshot, ended: pl.DataFrame, now: dt.datetime) -> dict[str, pl.DataFrame]:
    """The rows that ended agreements cover and no others of the same owners that hold, by kind."""
    holds = (pl.col("state") == AgreementState.ACCEPTED.value) & (pl.col("end") > now)
    others = snapshot.table("agreement").filter(holds & pl.col("owner").is_in(ended["owner"].unique().to_list()))
    kept = _covered(snapshot, others)
    found = {}
    for name, keys in _covered(snapshot, ended).items():
        rows = snapshot.table(name).join(keys, on="key", how="semi", maintain_order="left")
        rows = rows.join(kept[name], on="key", how="anti", maintain_order="left") if name in kept else rows
        if len(rows):
            found[name] = rows
    return found


def _covered(snapshot: Snapshot, agreements: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The stored keys (`key`) of the rows that agreements cover, by kind."""
    found: dict[str, list[pl.DataFrame]] = {}
    for row in agreements.to_dicts():
        shared = set(row["aspects"].split(";"))
        sides = [row["owner"], row["grantee"]]
        terms = [about(snapshot, each, sides) for each in row["records"].split(";") if each != ALL]
        for of in KINDS.values():
            if of.sharing != "agreed" or of.name in STAYING or of.aspect.value not in shared:
                continue
            rows = snapshot.table(of.name).filter(pl.col("owner") == row["owner"])
            if row["records"] == ALL:
                found.setdefault(of.name, []).append(rows.select("key"))
            elif of.subject is not None:
                found.setdefault(of.name, []).extend(_within(rows, of.subject, terms))
    return {name: pl.concat(keys).unique() for name, keys in found.items()}


def _within(
    rows: pl.DataFrame, subject: str, terms: Iterable[tuple[frozenset[str], str | None]]
) -> Iterator[pl.DataFrame]:
    """The keys of the rows about some parts, and if they name a product, about that."""
    for parts, product in terms:
        about = rows.filter(pl.col(subject).is_in(sorted(parts)))
        if product is not None and "product" in rows.columns:
            about = about.filter(pl.col("product").is_null() | (pl.col("product") == product))
        yield about.select("key")


def _counts(tables: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], int]:
    """How many rows there are, by owner and kind."""
    found = {}
    for name, rows in tables.items():
        for owner, count in rows.group_by("owner").len().sort("owner").rows():
            found[(owner, name)] = count
    return dict(sorted(found.items()))
