"""What has been answered about pools, so far: which figures of which firms went into it, and what follows from it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analytics.pooling.audit import LinearAudit, Unknown, Vector, generic
from analytics.pooling.estimates import Firms
from analytics.pooling.values import Metric


@dataclass(frozen=True, slots=True)
class Question:
    """An answer as forms in what is not known, in two readings of what a figure is.

    In `fine`, a figure that has changed is another unknown of the same owner: who sees the answers before and after
    knows the sum of changes, which is a secret if one owner's data changed. In `coarse`, a figure of one year or one
    release is the same as of any other: who sees a mean of last year's without one firm and of this year's with it
    comes close to that firm's figure, as values hardly change. Neither reading is safe alone.
    """

    fine: tuple[Vector, ...]
    coarse: tuple[Vector, ...]


class Ledger:
    """The audits of both readings. `secret` keeps figures out of the names of unknowns."""

    def __init__(self, state: Mapping[str, Any] | None, secret: bytes) -> None:
        self._secret = secret
        self._fine = LinearAudit.of(state and state["fine"])
        self._coarse = LinearAudit.of(state and state["coarse"])

    def state(self) -> dict[str, Any]:
        """Both as JSON values."""
        return {"fine": self._fine.state(), "coarse": self._coarse.state()}

    def allow(self, asked: Question) -> bool:
        """Whether an answer lets nothing be solved for; it counts as given if so."""
        if not (self._fine.would_allow(*asked.fine) and self._coarse.would_allow(*asked.coarse)):
            return False
        return self._fine.allow(*asked.fine) and self._coarse.allow(*asked.coarse)

    def sums(
        self, of: Metric, figures: pl.DataFrame, mechanisms: Iterable[str] | None, free: Iterable[str] = ()
    ) -> Question:
        """A fraction of two sums over firms: it counts as if both sums were said, as either may be known already.

        `free` names further figures that are given with it, which are other functions of the same numerators: each
        counts as a form with generic coefficients of each owner. They have the same names for all mechanisms, so that
        figures of two mechanisms differ by what failed by one of them alone.
        """
        above = self._above(of, figures, mechanisms)
        below = self._atoms(of, "t", figures, [])
        found = [_form(each) for each in (above, below) if each]
        return _question([*found, *(_form(above, name) for name in free if above)])

    def values(
        self, of: Metric, among: Firms, figures: pl.DataFrame, mechanisms: Iterable[str] | None, free: Iterable[str]
    ) -> Question:
        """Figures of a cell that are functions of firms' own values, each a form with generic coefficients: means of
        their sums, shapes of the shape alone, scales of the shape and the number of failures.
        """
        shapes: list[tuple[Unknown, Unknown]] = []
        if of.model != "mean":
            name = json.dumps(["shape", *figures.select("part_class", "unit").row(0)])
            marks = zip(among.owners, among.marks.tolist(), strict=True)
            shapes = [((each, f"{name}#{self._mark(each, name, mark)}"), (each, name)) for each, mark in marks]
        mine = figures.filter(pl.col("owner").is_in(among.owners))
        above = [] if of.model == "shape" else self._above(of, mine, mechanisms)
        return _question([_both(_form(shapes, f"{name} shape"), _form(above, name)) for name in free])

    def _above(
        self, of: Metric, figures: pl.DataFrame, mechanisms: Iterable[str] | None
    ) -> list[tuple[Unknown, Unknown]]:
        """The figures that add up to the numerators."""
        counted = figures if mechanisms is None else figures.filter(pl.col("mechanism").is_in(list(mechanisms)))
        return self._atoms(of, "y", counted.filter(pl.col("y") > 0), ["mechanism"])

    def _atoms(self, of: Metric, part: str, figures: pl.DataFrame, by: list[str]) -> list[tuple[Unknown, Unknown]]:
        """The figures that add up to a sum, each as an unknown in both readings; no figure twice."""
        keys = ["owner", "by", "part_class", "unit", *by, "year"]
        sums = figures.group_by(keys).agg(pl.col(part).sum()).sort(keys, nulls_last=True)
        found = []
        for owner, *names, year, value in sums.iter_rows():
            name = json.dumps([f"{of.family}.{part}", *names, year])
            mark = self._mark(owner, name, value)
            found.append(((owner, f"{name}#{mark}"), (owner, json.dumps([f"{of.family}.{part}", *names]))))
        return found

    def _mark(self, owner: str, name: str, value: float) -> str:
        """The same for the same value of the same figure; it does not tell the value."""
        said = f"{owner}\0{name}\0{float(value).hex()}"
        return hmac.new(self._secret, said.encode(), hashlib.sha256).hexdigest()[:16]


def _form(atoms: list[tuple[Unknown, Unknown]], name: str | None = None) -> tuple[Vector, Vector]:
    """The sum of some unknowns, or a form of that name with a generic coefficient of each owner, in both readings."""
    of = {owner: 1 if name is None else generic(name, owner) for (owner, _), _ in atoms}
    return {fine: of[fine[0]] for fine, _ in atoms}, {coarse: of[coarse[0]] for _, coarse in atoms}


def _both(one: tuple[Vector, Vector], other: tuple[Vector, Vector]) -> tuple[Vector, Vector]:
    """The sum of two forms in different unknowns, in both readings."""
    return {**one[0], **other[0]}, {**one[1], **other[1]}


def _question(pairs: list[tuple[Vector, Vector]]) -> Question:
    return Question(tuple(fine for fine, _ in pairs), tuple(coarse for _, coarse in pairs))
