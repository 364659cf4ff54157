"""Who will see rows that an owner is about to state, by the agreements in force: told before one says yes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from chaingraph.agreements import scope
from chaingraph.agreements.terms import grantee_text, member
from chaingraph.snapshot import Snapshot
from schema import KINDS, Aspect, Text
from schema.core import Kind
from schema.vocabularies import Disclosure, Purpose


@dataclass(frozen=True, slots=True)
class Seer:
    """Somebody who will see, use or have pooled rows of a load.

    `rows` are the numbers of rows by kind. `agreement` is the number of the agreement that says so, None for a firm
    that sees rows because they name it as a party. `named` is whether names of other firms in them are shown, `onward`
    whether it may be passed on, `at_least` that others, too, say which parts the agreement is about, so that more rows
    may be seen.
    """

    grantee: str
    name: Text
    mode: Disclosure
    rows: Mapping[str, int]
    purposes: tuple[Purpose, ...] = ()
    until: dt.datetime | None = None
    agreement: str | None = None
    named: bool = True
    onward: bool = False
    at_least: bool = False

    @property
    def text(self) -> Text:
        """The same as a sentence."""
        zh = "、".join(f"{KINDS[name].text.zh}（{count} 行）" for name, count in self.rows.items())
        en = ", ".join(f"{KINDS[name].plural.en.lower()} ({count})" for name, count in self.rows.items())
        said = _SAID[self.mode]
        zh, en = f"{said.zh.format(whom=self.name.zh)}：{zh}", f"{said.en.format(whom=self.name.en)}: {en}"
        if self.at_least:
            zh, en = f"{zh}，或更多", f"{en}, or more"
        if self.until is not None:
            zh, en = f"{zh}，至 {self.until:%Y-%m-%d}", f"{en}, until {self.until:%Y-%m-%d}"
        if self.onward:
            zh, en = f"{zh}，并可转授他人", f"{en}, and may pass it on"
        return Text(f"{zh}。", f"{en}.")


_SAID = {
    Disclosure.SHOW: Text("{whom}可以查看", "{whom} can see"),
    Disclosure.USE: Text("为{whom}的计算会用到（数值不可见）", "results for {whom} use (figures stay hidden)"),
    Disclosure.POOL: Text("为{whom}的汇总对标会用到（数值不可见）", "benchmarks for {whom} pool (figures stay hidden)"),
}


def reach(snapshot: Snapshot, rows: Mapping[str, pl.DataFrame]) -> tuple[Seer, ...]:
    """Who will see `rows` (by kind, as they are to be stored) once they are: those with whom their owners have an
    agreement in force, then the firms that rows name as parties. Those who see most rows come first.

    Whom a grantee passes things on to, and what several purposes add up to, is for the agreements to say.
    """

    def tables(name: str) -> pl.DataFrame:
        stored = snapshot.table(name)
        return pl.concat([stored, rows[name].select(stored.columns)]) if name in rows else stored

    told = {name: _told(KINDS[name], table) for name, table in rows.items()}
    found = []
    for owner in sorted({each for table in told.values() for each in table["owner"].unique()}):
        for number, terms in scope.running(tables, owner):
            counts = {}
            for of in scope.kinds(terms):
                if of.name in told:
                    mine = told[of.name].filter(pl.col("owner") == owner)
                    counts[of.name] = int(scope.within(tables, of, mine, terms).sum())
            if counts := {name: count for name, count in counts.items() if count}:
                purposes = tuple(member(Purpose, code) for code in terms.purposes)
                named = Aspect.IDENTITY.value in terms.aspects
                found.append(
                    Seer(
                        terms.grantee, grantee_text(terms.grantee), terms.mode, counts, purposes, terms.end, number,
                        named, terms.onward, scope.open_ended(terms),
                    )
                )  # fmt: skip
    found.sort(key=lambda seer: (-sum(seer.rows.values()), seer.grantee))
    return (*found, *_parties(told))


def _told(of: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that say something; placeholders say nothing."""
    return rows.filter(~pl.col("stub")) if of.stubs else rows


def _parties(rows: Mapping[str, pl.DataFrame]) -> list[Seer]:
    counted: dict[str, dict[str, int]] = {}
    for name, table in rows.items():
        of = KINDS[name]
        for field in of.parties if of.sharing == "agreed" else ():
            others = table.filter(pl.col(field).is_not_null() & (pl.col(field) != pl.col("owner")))
            for firm, count in others.group_by(field).len().sort(field).iter_rows():
                slot = counted.setdefault(firm, {})
                slot[name] = slot.get(name, 0) + int(count)
    return [Seer(firm, grantee_text(firm), Disclosure.SHOW, counts) for firm, counts in sorted(counted.items())]
