"""Released cells: pooled figures computed once, on a date, for all members of a consortium alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from analytics.pooling.estimates import Firms, chosen, classes, firms, pooled
from analytics.pooling.ledger import Ledger, Question
from analytics.pooling.rules import Rules, rules
from analytics.pooling.values import METRICS, Metric, Pool, pool
from chaingraph.actor import EVERYBODY, Actor, Capability
from chaingraph.audit.entries import Action, Entry
from chaingraph.errors import ChaingraphError, NotFound
from chaingraph.rights import Rights
from chaingraph.snapshot import Snapshot
from chaingraph.workspace import Workspace
from schema import Text
from schema.entities.agreement import CONSORTIUM

COLLECTION, AUDIT, RELEASE = "benchmark", "audit", "release:"
"""Where the register has what was answered, and the releases."""
Record = dict[str, Any]
FREE = ("spread", "width")
"""Figures that an estimate gives beside its mean."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A cell: a metric of a part class, of failures by a mechanism or of all."""

    metric: Metric
    part_class: str
    mechanism: str | None = None

    @property
    def name(self) -> str:
        """Its name in the register."""
        return "|".join([self.metric.name, self.part_class, self.mechanism or ""])


@dataclass(frozen=True, slots=True)
class Release:
    """What was released for a consortium: records of cells with figures, and of those refused with the code.

    Cells of too few firms are not listed.
    """

    consortium: str
    purpose: str
    on: str
    cells: Mapping[str, Record]


def release(
    workspace: Workspace, actor: Actor, on: dt.date | None = None, *, consortium: str | None = None, dry: bool = False
) -> list[Release]:
    """Compute and release the cells of a consortium (of all that the actor may release for), for the actor's purpose.

    Cells go in a fixed order, wide ones first: enough firms, then the audit over everything answered so far, then
    dominance. A cell whose new figures the audit refuses is computed over the firms of the release before, if all of
    them still contribute; if that is refused, too, the earlier figure stays. With `dry` nothing is kept or logged.
    Raises ChaingraphError (`benchmark.forbidden`), NotFound (`consortium.unknown`), StoreError.
    """
    permitted(actor, Capability.ADMINISTER)
    day = on or dt.datetime.now(dt.UTC).date()
    at = dt.datetime.now(dt.UTC) if on is None else dt.datetime.combine(on, dt.time(), dt.UTC)
    with workspace.writing() as snapshot:
        ledger = opened(workspace)
        found, entries = [], []
        for name in _led(snapshot, actor, consortium):
            rights = entitled(snapshot, name, actor.purpose.value, at)
            before = kept(workspace, name, actor.purpose.value)
            among = pool(snapshot, rights)
            judge = Judge(snapshot, among, ledger, rules(), before, str(day))
            judged = ((asked.name, judge.cell(asked)) for asked in _cells(snapshot, among))
            cells = {name: cell for name, cell in judged if cell.get("refused") != "too_few"}
            found.append(Release(name, actor.purpose.value, str(day), cells))
            owners = {owner for cell in cells.values() for owner in cell.get("by", ())}
            versions = {each for right in rights[:2] for owner in owners for each in right.versions(owner)}
            entries.append(
                Entry.of(
                    Action.RELEASED, actor, owners=tuple(sorted(owners)), agreements=tuple(sorted(versions)),
                    revision=snapshot.revision, what={"consortium": name, "on": str(day), "cells": str(len(cells))},
                )
            )  # fmt: skip
        if not dry:
            _keep(workspace, ledger, found)
            workspace.record(entries)
    return found


def _keep(workspace: Workspace, ledger: Ledger, found: Sequence[Release]) -> None:
    """Write what was released, and before it what follows from it."""
    workspace.register.put(COLLECTION, AUDIT, ledger.state())
    for each in found:
        record = {"consortium": each.consortium, "purpose": each.purpose, "on": each.on, "cells": dict(each.cells)}
        workspace.register.put(COLLECTION, f"{RELEASE}{each.consortium}:{each.purpose}", record)


class Judge:
    """Decides on cells of one consortium, one after another, and computes those that may be released."""

    def __init__(
        self, snapshot: Snapshot, among: Pool, ledger: Ledger, limits: Rules, before: Mapping[str, Record], on: str
    ) -> None:
        self._snapshot = snapshot
        self._among = among
        self._ledger = ledger
        self._limits = limits
        self._before = before
        self._on = on

    def cell(self, asked: Asked) -> Record:
        """The record of a cell: its figures, or the code of the refusal."""
        figures = chosen(asked.metric, self._among, asked.part_class)
        if figures["owner"].n_unique() < self._limits.contributors:
            return {"refused": "too_few"}
        mechanisms = None if asked.mechanism is None else narrower(self._snapshot, asked.mechanism)
        whole = firms(asked.metric, self._among, figures, mechanisms)
        found = self._computed(asked, whole, figures, mechanisms)
        earlier = self._before.get(asked.name)
        if found.get("refused") != "solvable" or earlier is None or "refused" in earlier:
            return found
        if not set(earlier["owners"]) <= set(whole.owners):
            return found
        figures = figures.filter(pl.col("owner").is_in(earlier["owners"]))
        again = self._computed(asked, whole.among(earlier["owners"]), figures, mechanisms)
        return earlier if "refused" in again else again

    def _computed(self, asked: Asked, among: Firms, figures: pl.DataFrame, mechanisms: Sequence[str] | None) -> Record:
        of, n = asked.metric, len(among.owners)
        refused: Record = {"metric": of.name, "part_class": asked.part_class, "mechanism": asked.mechanism}
        if n < self._limits.contributors:
            return {"refused": "too_few"}
        median = n >= self._limits.median_contributors
        free = [f"{of.name}|{asked.part_class}:{each}" for each in (*FREE, *(["median"] if median else []))]
        if of.model == "rate":
            question: Question = self._ledger.sums(of, figures, mechanisms, free)
            shares = [among.y, among.t]
        else:
            question = self._ledger.values(of, among, figures, mechanisms, [f"{of.name}|{asked.part_class}", *free])
            shares = [among.own.value]
        if not self._ledger.allow(question):
            return {**refused, "refused": "solvable"}
        if self._limits.dominated(*shares):
            return {**refused, "refused": "dominated"}
        found = pooled(of, among, median=median)
        return {
            "metric": of.name, "part_class": asked.part_class, "mechanism": asked.mechanism, "unit": among.unit,
            "value": found.value, "low": found.low, "high": found.high, "spread": found.spread,
            "median": found.median, "contributors": n, "owners": list(among.owners),
            "by": sorted({each for several in among.by for each in several}), "as_of": self._on,
        }  # fmt: skip


def _cells(snapshot: Snapshot, among: Pool) -> Iterator[Asked]:
    """All cells that there may be, whole classes before their mechanisms."""
    for of in METRICS.values():
        for name in classes(of, among):
            yield Asked(of, name)
    tree = {each: set(narrower(snapshot, each)) for each in snapshot.table("mechanism")["code"].sort()}
    for of in METRICS.values():
        for name in classes(of, among) if of.mechanisms else ():
            met = set(chosen(of, among, name).filter(pl.col("y") > 0)["mechanism"].drop_nulls())
            yield from (Asked(of, name, each) for each in tree if met & tree[each])


def narrower(snapshot: Snapshot, mechanism: str) -> list[str]:
    """A mechanism and all below it. Raises NotFound (`mechanism.unknown`)."""
    tree = snapshot.table("mechanism").select("code", "parent")
    if mechanism not in tree["code"]:
        raise NotFound("mechanism.unknown", Text(f"没有失效机理 {mechanism}。", f"There is no mechanism {mechanism}."))
    found = wave = {mechanism}
    while wave:
        wave = set(tree.filter(pl.col("parent").is_in(sorted(wave)))["code"]) - found
        found = found | wave
    return sorted(found)


def opened(workspace: Workspace) -> Ledger:
    """What has been answered so far. To be used while `Workspace.writing` is held."""
    return Ledger(_stored(workspace).get(AUDIT), workspace.store.secret("benchmark"))


def kept(workspace: Workspace, consortium: str, purpose: str) -> Mapping[str, Record]:
    """The cells of the last release, by name; none where nothing was released."""
    found = workspace.register.get(COLLECTION, f"{RELEASE}{consortium}:{purpose}")
    return found["cells"] if found else {}


def _stored(workspace: Workspace) -> dict[str, Record]:
    """All records as they are in the store now, not as they were within the last second."""
    return dict(workspace.register.all(COLLECTION))


def entitled(snapshot: Snapshot, consortium: str, purpose: str, at: dt.datetime) -> list[Rights]:
    """The rights of the members of a consortium at a time and of its leader, by name."""
    leaders = snapshot.table("consortium").filter(pl.col("key") == consortium)["leader"].drop_nulls()
    named = snapshot.table("member").filter(pl.col("consortium") == consortium)["organisation"]
    every = (Rights(snapshot, each, purpose, at) for each in pl.concat([leaders, named]).unique().sort())
    return [each for each in every if CONSORTIUM + consortium in each.covered]


def consortia(snapshot: Snapshot, rights: Rights | None) -> list[str]:
    """The consortia whose releases one may see, by name: those that it belongs to, all for the administrator."""
    if rights is None:
        return list(snapshot.table("consortium")["key"].sort())
    return sorted(each.removeprefix(CONSORTIUM) for each in rights.covered if each.startswith(CONSORTIUM))


def rights_of(workspace: Workspace, actor: Actor) -> Rights | None:
    """The rights of an actor now, None for the administrator of the store."""
    view = workspace.view(actor.organisation, actor.purpose.value)
    return None if actor.organisation == EVERYBODY else view.rights


def _led(snapshot: Snapshot, actor: Actor, consortium: str | None) -> list[str]:
    table = snapshot.table("consortium")
    if actor.organisation != EVERYBODY:
        table = table.filter(pl.col("leader") == actor.organisation)
    found = [each for each in table["key"].sort() if consortium in {None, each}]
    if not found:
        named = consortium or actor.organisation
        raise NotFound(
            "consortium.unknown",
            Text(f"没有可由您发布的联合体（{named}）。", f"There is no consortium that you may release for ({named})."),
        )
    return found


def permitted(actor: Actor, capability: Capability) -> None:
    """Raises ChaingraphError (`benchmark.forbidden`) where a role may not do something."""
    if not actor.may(capability):
        raise ChaingraphError(
            "benchmark.forbidden",
            Text("该角色无权执行此操作。", "This role may not do that."),
            Text("请由管理员操作。", "Ask an administrator."),
        )


def released(workspace: Workspace, actor: Actor) -> list[Release]:
    """The newest releases for the consortia of an actor and its purpose. Raises ChaingraphError
    (`benchmark.forbidden`).
    """
    permitted(actor, Capability.BENCHMARK)
    purpose, found = actor.purpose.value, []
    rights = rights_of(workspace, actor)  # of the newest revision, which is then the workspace's
    for name in consortia(workspace.snapshot(), rights):
        record = workspace.register.get(COLLECTION, f"{RELEASE}{name}:{purpose}")
        if record is not None:
            found.append(Release(name, purpose, record["on"], record["cells"]))
    return found
