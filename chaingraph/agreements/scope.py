"""What the terms of an agreement reach: which kinds, and which of the owner's rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import polars as pl

from chaingraph.agreements.terms import AGREEMENT, Terms
from chaingraph.store.walking import walk
from schema import KINDS, Kind
from schema.entities.agreement import ALL
from schema.vocabularies import AgreementState

Tables = Callable[[str], pl.DataFrame]
"""The rows of a kind, as stored."""
_ALSO_OTHERS = ("class", "subtree", "product")
"""Records of which not the owner alone says what they are."""


def kinds(terms: Terms) -> list[Kind]:
    """The kinds of rows that the aspects cover; with some records only, those that are about parts."""
    scoped = terms.records != ALL
    return [
        each
        for each in KINDS.values()
        if each.sharing == "agreed" and each.aspect.value in terms.aspects and (each.subject or not scoped)
    ]


def running(tables: Tables, owner: str, at: dt.datetime | None = None) -> list[tuple[str, Terms]]:
    """The agreements by which an owner shares now (or at a time), with their numbers."""
    rows = tables(AGREEMENT).filter((pl.col("owner") == owner) & (pl.col("state") == AgreementState.ACCEPTED.value))
    now = at or dt.datetime.now(dt.UTC)
    found = [(str(row["id"]), Terms.read(row)) for row in rows.to_dicts()]
    return [(number, terms) for number, terms in found if terms.active(now)]


def within(tables: Tables, of: Kind, rows: pl.DataFrame, terms: Terms) -> pl.Series:
    """Which of the owner's rows of a kind are among the records of an agreement."""
    if terms.records == ALL:
        return pl.repeat(value=True, n=len(rows), dtype=pl.Boolean, eager=True)
    found = pl.zeros(len(rows), pl.Boolean, eager=True)
    if of.subject is None:
        return found
    for term in terms.records.split(";"):
        what, _, name = term.partition(":")
        fits = rows[of.subject].is_in(_parts(tables, terms.owner, what, name).implode())
        if what == "product" and "product" in of.fields:
            fits &= rows["product"].is_null() | (rows["product"] == name)
        found |= fits.fill_null(value=False)
    return found


def open_ended(terms: Terms) -> bool:
    """Whether others than the owner, too, say which parts an agreement is about."""
    return any(piece.partition(":")[0] in _ALSO_OTHERS for piece in terms.records.split(";"))


def _parts(tables: Tables, owner: str, what: str, name: str) -> pl.Series:
    """The parts that a piece of `records` means, by what the owner says of them."""
    if what == "part":
        return pl.Series([name])
    if what == "class":
        return tables("part").filter((pl.col("owner") == owner) & (pl.col("part_class") == name))["key"]
    lines = tables("contains").filter(pl.col("owner") == owner).select("key", here="parent", there="child")
    return walk(lambda level: lines.join(level.alias("here").to_frame(), on="here", how="semi"), [name], None)["key"]
