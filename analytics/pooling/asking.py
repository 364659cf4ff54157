"""Answers to members: from what was released, or computed for the question, if the audit of all answers lets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analytics.core import Estimate, Reason
from analytics.hazard import LEVEL
from analytics.life.hierarchy import own_rates
from analytics.pooling.answers import Benchmark, note, refusal
from analytics.pooling.estimates import Firms, Pooled, chosen, firms, place
from analytics.pooling.ledger import Ledger
from analytics.pooling.private import private_mean
from analytics.pooling.releases import (
    AUDIT,
    COLLECTION,
    Asked,
    Record,
    Release,
    narrower,
    opened,
    permitted,
    released,
    rights_of,
)
from analytics.pooling.rules import Rules, rules
from analytics.pooling.values import METRICS, own, pool
from chaingraph.actor import EVERYBODY, Actor, Capability
from chaingraph.audit.entries import Action, Entry
from chaingraph.errors import ChaingraphError, NotFound
from chaingraph.rights import Rights
from chaingraph.snapshot import Snapshot
from chaingraph.workspace import Workspace
from schema import Text

BUDGETS = "epsilon"
"""Where the register has the privacy loss of each cell so far."""


@dataclass(frozen=True, slots=True)
class BenchmarkFilter:
    """Which figures: of firms in a region, of a tier; of a year. All that are given must hold."""

    region: str | None = None
    tier: int | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Noise:
    """What an answer with noise needs: its privacy loss, and between what values lie, by other knowledge than data."""

    epsilon: float
    low: float
    high: float


def asked_for(metric: str, part_class: str, mechanism: str | None) -> Asked:
    """What is asked. Raises NotFound (`benchmark.metric`), ChaingraphError (`benchmark.mechanism`)."""
    of = METRICS.get(metric)
    if of is None:
        known = "、".join(METRICS), ", ".join(METRICS)
        raise NotFound(
            "benchmark.metric",
            Text(f"没有对标指标 {metric}。", f"There is no benchmark {metric}."),
            Text(f"可用的指标：{known[0]}。", f"There are {known[1]}."),
        )
    if mechanism is not None and not of.mechanisms:
        raise ChaingraphError(
            "benchmark.mechanism",
            Text(f"{of.text.zh}不按失效机理区分。", f"{of.text.en} is not told by mechanism."),
            Text("请去掉失效机理。", "Leave the mechanism out."),
        )
    return Asked(of, part_class, mechanism)


def ask_benchmark(
    workspace: Workspace, actor: Actor, metric: str, part_class: str, mechanism: str | None = None
) -> Benchmark:
    """The released cell, the same for everybody until the next release, with the viewer's own figure and place in it.

    Of several consortia that the viewer is in, the first by name that has figures. Raises NotFound, ChaingraphError
    (`benchmark.forbidden`), StoreError.
    """
    permitted(actor, Capability.BENCHMARK)
    asked = asked_for(metric, part_class, mechanism)
    rights = rights_of(workspace, actor)  # of the newest revision, which is then the workspace's
    snapshot = workspace.snapshot()
    if mechanism is not None:
        narrower(snapshot, mechanism)
    found = [(each, each.cells.get(asked.name, {"refused": "too_few"})) for each in released(workspace, actor)]
    if not found:
        return _told(workspace, actor, rights, snapshot, asked, None, {"refused": "unreleased"})
    answered = [each for each in found if "refused" not in each[1]]
    return _told(workspace, actor, rights, snapshot, asked, *(answered or found)[0])


def compute_benchmark(
    workspace: Workspace,
    actor: Actor,
    metric: str,
    part_class: str,
    mechanism: str | None = None,
    *,
    where: BenchmarkFilter | None = None,
    statistic: str = "mean",
    noise: Noise | None = None,
) -> Benchmark:
    """A mean or a sum over firms, computed of what the viewer may have pooled, if nothing follows from all answers.

    A "mean" is the sum of failures (defects, days) over that of exposure (pieces, lines), a "sum" the first of these.
    With `noise` it is the mean of firms' own values with noise, for large pools: that is no part of the audit, it has
    a budget of its own. Raises as `ask_benchmark`; ChaingraphError (`benchmark.released_only`) for what only a
    release may give.
    """
    permitted(actor, Capability.BENCHMARK)
    asked = asked_for(metric, part_class, mechanism)
    of = asked.metric
    if of.model in {"shape", "scale"} or statistic not in {"mean", "sum"}:
        raise ChaingraphError(
            "benchmark.released_only",
            Text("该统计量只在发布的对标中给出。", "That figure is given in releases only."),
            Text("请求均值（mean）或合计（sum），不加筛选。", "Ask for a mean or a sum, or without filters."),
        )
    limits = rules()
    with workspace.writing() as snapshot:  # of two who ask at once, the second finds what the first was told
        rights = rights_of(workspace, actor)
        among = pool(snapshot, [] if rights is None else [rights])
        figures = _where(snapshot, chosen(of, among, part_class), where or BenchmarkFilter())
        mechanisms = None if mechanism is None else narrower(snapshot, mechanism)
        whole = firms(of, among, figures, mechanisms)
        by = tuple(sorted({each for several in whole.by for each in several}))
        told: Record = {"by": by, "unit": whole.unit, "contributors": len(whole.owners)}
        if noise is not None:
            told |= _noisy(workspace, asked, whole, noise)
        else:
            ledger = opened(workspace)
            refused = judged(ledger, limits, asked, whole, figures, mechanisms)
            workspace.register.put(COLLECTION, AUDIT, ledger.state())
            told = {"refused": refused} if refused else told | _ratio(of.model, whole, statistic)
        return _told(workspace, actor, rights, snapshot, asked, None, told, statistic)


def judged(
    ledger: Ledger, limits: Rules, asked: Asked, whole: Firms, figures: pl.DataFrame, mechanisms: Sequence[str] | None
) -> str | None:
    """Why an answer about some figures is refused, None where it is given; it is in the ledger then.

    What does not depend on figures comes first. That an answer is dominated does: it says that one firm has more than
    so much of the sum. So such an answer counts as given, and there are no more of these hints than of answers.
    """
    if len(whole.owners) < limits.contributors:
        return "too_few"
    if not ledger.allow(ledger.sums(asked.metric, figures, mechanisms)):
        return "solvable"
    return "dominated" if limits.dominated(whole.y, whole.t) else None


def _where(snapshot: Snapshot, figures: pl.DataFrame, where: BenchmarkFilter) -> pl.DataFrame:
    """The figures of firms and of a year that a filter asks for."""
    firms_of = snapshot.table("organisation").select("region", "tier", by="key")
    for name in ("region", "tier"):
        if (wanted := getattr(where, name)) is not None:
            figures = figures.join(firms_of.filter(pl.col(name) == wanted), on="by", how="semi", maintain_order="left")
    return figures if where.year is None else figures.filter(pl.col("year") == where.year)


def _ratio(model: str, of: Firms, statistic: str) -> Record:
    """A mean or a sum with its interval: exact for counts, none for others."""
    y, t = float(of.y.sum()), float(of.t.sum())
    below = t if statistic == "mean" else 1.0
    low = high = None
    if model == "rate":
        bounds = own_rates(y, below, LEVEL)
        low, high = float(bounds.low), float(bounds.high)
    return {"value": y / below, "low": low, "high": high, "spread": None, "median": None}


def _noisy(workspace: Workspace, asked: Asked, of: Firms, noise: Noise) -> Record:
    """A mean with noise, its privacy loss taken off the budget first."""
    limits = rules()
    if len(of.owners) < limits.private_contributors:
        return {"refused": "too_few", "need": limits.private_contributors}
    spent = dict(workspace.register.all(COLLECTION)).get(BUDGETS, {})
    total = spent.get(asked.name, 0.0) + noise.epsilon
    if total > limits.epsilon * (1 + 1e-9):
        return {"refused": "spent"}
    value, scale = private_mean(of.own.value.tolist(), noise.low, noise.high, noise.epsilon)
    workspace.register.put(COLLECTION, BUDGETS, {**spent, asked.name: total})
    return {
        "value": value, "low": None, "high": None, "spread": None, "median": None,
        "noise": {"epsilon": noise.epsilon, "scale": scale},
    }  # fmt: skip


def _told(
    workspace: Workspace,
    actor: Actor,
    rights: Rights | None,
    snapshot: Snapshot,
    asked: Asked,
    of: Release | None,
    cell: Record,
    statistic: str = "hierarchical",
) -> Benchmark:
    """The answer of a record; that it was given is in the log before it leaves."""
    refused = cell.get("refused")
    what = {"metric": asked.metric.name, "part_class": asked.part_class, "statistic": statistic}
    what |= {"mechanism": asked.mechanism} if asked.mechanism else {}
    what |= {"refused": refused} if refused else {}
    what |= {"consortium": of.consortium, "released": of.on} if of else {}
    owners = () if refused else tuple(cell["by"])
    versions = set() if rights is None else {each for owner in owners for each in rights.versions(owner)}
    workspace.record(
        [
            Entry.of(
                Action.BENCHMARK, actor, owners=owners, agreements=tuple(sorted(versions)), revision=snapshot.revision,
                what=what,
            )
        ]
    )  # fmt: skip
    given: dict[str, Any] = {
        "metric": asked.metric.name, "part_class": asked.part_class, "mechanism": asked.mechanism,
        "statistic": statistic, "consortium": of and of.consortium, "released": of and of.on,
    }  # fmt: skip
    if refused:
        reason = refusal(refused, **({"contributors": cell["need"]} if "need" in cell else {}))
        return Benchmark(**given, refused=reason, **dict.fromkeys(_FIGURES), notes=())
    found = Pooled(cell["value"], cell["low"], cell["high"], cell["spread"], cell["median"])
    unit = asked.metric.unit(cell["unit"]) if statistic != "sum" else None
    mine = _own(snapshot, actor, asked, cell["unit"]) if statistic == "hierarchical" else None
    at = _place(asked, found, mine)
    notes: list[Reason] = []
    if of is not None and cell["as_of"] != of.on:
        notes.append(note("kept", as_of=cell["as_of"]))
    if statistic == "hierarchical" and actor.organisation != EVERYBODY and at is None:
        notes.append(note("no_own" if mine is None else "no_spread"))
    if "noise" in cell:
        notes.append(note("private", **cell["noise"]))
    return Benchmark(
        **given,
        as_of=cell.get("as_of"),
        refused=None,
        estimate=Estimate(value=found.value, low=found.low, high=found.high, level=LEVEL, unit=unit),
        spread=found.spread,
        median=found.median,
        contributors=cell["contributors"],
        own=mine and mine.model_copy(update={"unit": unit}),
        place=at,
        notes=tuple(notes),
    )


_FIGURES = ("as_of", "estimate", "spread", "median", "contributors", "own", "place")


def _own(snapshot: Snapshot, actor: Actor, asked: Asked, unit: str) -> Estimate | None:
    """The viewer's figure by its own rows, None where there are none."""
    if actor.organisation == EVERYBODY:
        return None
    stated = own(snapshot, actor.organisation)
    figures = chosen(asked.metric, stated, asked.part_class).filter(pl.col("unit") == unit)
    mechanisms = None if asked.mechanism is None else narrower(snapshot, asked.mechanism)
    found = firms(asked.metric, stated, figures, mechanisms).own
    if not len(found.value):
        return None
    value, low, high = (float(each[0]) for each in (found.value, found.low, found.high))
    kept = (each if np.isfinite(each) else None for each in (low, high))
    return Estimate(value=value, low=next(kept), high=next(kept), level=LEVEL)


def _place(asked: Asked, found: Pooled, mine: Estimate | None) -> Estimate | None:
    """Where the viewer's figure stands, with the interval that its own uncertainty gives."""
    if mine is None or (at := place(asked.metric, found, mine.value)) is None:
        return None
    low, high = (place(asked.metric, found, each) for each in (mine.low, mine.high))
    return Estimate(value=at, low=low, high=high, level=LEVEL)
