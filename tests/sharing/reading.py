"""Who may see what, read slowly from the rules, row by row: it shares nothing with the code that it judges.

Where the rules leave room (which firms a viewer comes to know), it allows more than they do: what it calls hidden is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from schema import Kind, kind
from schema.core import Aspect
from tests.sharing.planted import Row, World, natural

SHOW, USE, POOL, NEVER = range(4)
MODES = {"show": SHOW, "use": USE, "pool": POOL}


@dataclass(frozen=True)
class Grant:
    """What a chain of agreements lets the viewer have of `owner`'s rows."""

    owner: str
    via: tuple[str, ...]
    aspects: frozenset[str]
    scopes: tuple[tuple[str, str], ...]
    """Pairs of whose agreement it is and its records; all hold."""
    mode: int


class Reading:
    """What one viewer may have of a world."""

    def __init__(self, world: World, viewer: str, purpose: str, at: dt.datetime) -> None:
        self.world = world
        self.viewer = viewer
        self.purpose = purpose
        self.at = at
        self._below: dict[tuple[str, str], set[str]] = {}

    def covers(self, grantee: str, firm: str) -> bool:
        """Whether a grantee of an agreement stands for a firm."""
        if grantee in {firm, "everyone"}:
            return True
        what, _, rest = grantee.partition(":")
        if what not in {"consortium", "group"}:
            return False
        code, _, group = rest.partition("/")
        stated = [row for row in self.world.rows["consortium"] if row["id"] == code]
        if what == "consortium" and any(row["leader"] == firm for row in stated):
            return True
        day = self.at.date()
        for row in self.world.rows["member"]:
            if (
                row["consortium"] == code
                and row["organisation"] == firm
                and any(row["owner"] in {c["leader"], c["owner"]} for c in stated)
                and (row["since"] is None or row["since"] <= day)
                and (row["until"] is None or day < row["until"])
                and (what == "consortium" or group in (row["groups"] or "").split(";"))
            ):
                return True
        return False

    def leads(self, grantee: str, firm: str) -> bool:
        """Whether a firm leads the consortium of a group that an agreement is with, and so answers for the group."""
        what, _, rest = grantee.partition(":")
        consortia = self.world.rows["consortium"]
        return what == "group" and any(
            each["id"] == rest.partition("/")[0] and each["leader"] == firm for each in consortia
        )

    def active(self, row: Row) -> bool:
        """Whether an agreement holds now for the purpose."""
        return (
            row["state"] == "accepted"
            and row["start"] <= self.at < row["end"]
            and self.purpose in row["purposes"].split(";")
        )

    @cached_property
    def grants(self) -> list[Grant]:
        """All grants, those passed on included."""
        live = [row for row in self.world.rows["agreement"] if self.active(row)]

        def step(row: Row, before: Grant | None) -> Grant:
            aspects = frozenset(row["aspects"].split(";"))
            scopes: tuple[tuple[str, str], ...] = ((row["owner"], row["records"]),)
            mode = MODES[row["mode"]]
            if before is None:
                return Grant(row["owner"], (self.viewer, row["owner"]), aspects, scopes, mode)
            via = (*before.via, row["owner"])
            return Grant(row["owner"], via, before.aspects & aspects, before.scopes + scopes, max(before.mode, mode))

        found: list[Grant] = []
        reach = [
            step(row, None) for row in live if row["owner"] != self.viewer and self.covers(row["grantee"], self.viewer)
        ]
        while reach:
            grant = reach.pop()
            found.append(grant)
            reach += [
                step(row, grant)
                for row in live
                if row["onward"] and row["owner"] not in grant.via and self.covers(row["grantee"], grant.owner)
            ]
        return found

    def below(self, owner: str, part: str) -> set[str]:
        """A part and all in it, by the bills of the agreement's owner and the viewer."""
        slot = (owner, part)
        if slot not in self._below:
            reached, edge = {part}, [part]
            while edge:
                here = edge.pop()
                for row in self.world.rows["contains"]:
                    if row["owner"] in {owner, self.viewer} and row["parent"] == here and row["child"] not in reached:
                        reached.add(row["child"])
                        edge.append(row["child"])
            self._below[slot] = reached
        return self._below[slot]

    def within(self, of: Kind, row: Row, owner: str, records: str) -> bool:
        """Whether a row is among the records of an agreement."""
        if records == "all":
            return True
        if of.subject is None:
            return False
        part = natural(of, row) if of.subject == "key" else row[of.subject]
        for term in records.split(";"):
            what, _, named = term.partition(":")
            if what == "part" and part == named:
                return True
            free = what == "subtree" or "product" not in of.fields or row["product"] in {None, named}
            if what in {"subtree", "product"} and free and part in self.below(owner, named):
                return True
            if what == "class" and part is not None:
                for other in self.world.rows["part"]:
                    says = other["owner"] in {owner, self.viewer, other["issuer"]}
                    if says and other["part_class"] == named and natural(kind("part"), other) == part:
                        return True
        return False

    def allowed(self, of: Kind, row: Row, aspects: set[Aspect]) -> int:
        """The strongest mode in which these aspects of a row may be had: SHOW, USE, POOL or NEVER."""
        if of.sharing == "public":
            return SHOW
        if row["owner"] == self.viewer or self.viewer in {row[name] for name in of.parties}:
            return SHOW
        if of.name == "consortium" and self.covers(f"consortium:{row['id']}", self.viewer):
            return SHOW  # who belongs to one sees it
        if of.name == "agreement":
            covered = self.covers(row["grantee"], self.viewer) or self.leads(row["grantee"], self.viewer)
            return SHOW if row["proposed_by"] == self.viewer or covered else NEVER
        if of.sharing == "parties":
            return NEVER
        best = NEVER
        for grant in self.grants:
            granted = grant.owner == row["owner"] and {each.value for each in aspects} <= grant.aspects
            if granted and all(self.within(of, row, owner, records) for owner, records in grant.scopes):
                best = min(best, grant.mode)
        return best

    def rows(self) -> Iterator[tuple[Kind, Row, int]]:
        """Every row with how it may be had; an organisation's as one that is known, or not."""
        for name, rows in self.world.rows.items():
            of = kind(name)
            for row in rows:
                mode = self.allowed(of, row, {of.aspect})
                if name == "organisation" and row["id"] in self.known:
                    mode = SHOW
                yield of, row, mode

    def cells(self, of: Kind, row: Row, mode: int) -> Iterator[tuple[str, int]]:
        """Every field of a row with how it may be had."""
        mine = row["owner"] == self.viewer
        for name, declared in of.fields.items():
            if declared.meta.own and not mine:
                yield name, NEVER
            elif of.name == "organisation" or of.aspect_of(name) == of.aspect:
                yield name, mode
            else:
                yield name, max(mode, self.allowed(of, row, {of.aspect, of.aspect_of(name)}))
        yield "extra", SHOW if mine else NEVER

    @cached_property
    def known(self) -> set[str]:
        """Firms that the viewer may know by name: those in rows that are open to it, its partners, those revealed."""
        found = {self.viewer}
        for name, rows in self.world.rows.items():
            of = kind(name)
            for row in rows:
                if name == "organisation":
                    if row["owner"] == self.viewer or row["id"] == self.viewer:
                        found |= {row["id"], row["owner"], row["parent"] or ""}
                    continue
                if name == "agreement":
                    partners = {row["owner"], row["proposed_by"], row["grantee"]}
                    of_it = (self.covers, self.leads)
                    covered = {firm for firm in self.world.firms if any(is_in(row["grantee"], firm) for is_in in of_it)}
                    if self.viewer in partners | covered:
                        found |= partners | covered
                    continue
                if self.allowed(of, row, {of.aspect}) != SHOW:
                    continue
                found.add(row["owner"])
                if self.open(of, row):
                    found |= self.named(of, row)
        requests: dict[str, list[Row]] = {}
        for row in self.world.rows["identity_request"]:
            requests.setdefault(row["id"], []).append(row)
        for rows in requests.values():
            if all(r["state"] == "granted" and (r["until"] is None or r["until"] > self.at) for r in rows):
                found |= {r["subject"] for r in rows if r["requester"] == self.viewer}
        grown = 0
        while grown != len(found):  # what is known of a firm names its parent
            grown = len(found)
            for row in self.world.rows["organisation"]:
                if row["id"] in found:
                    found |= {row["owner"], row["parent"] or ""}
        return found

    def open(self, of: Kind, row: Row) -> bool:
        """Whether firms in a visible row are named."""
        if of.sharing != "agreed" or row["owner"] == self.viewer or self.viewer in {row[name] for name in of.parties}:
            return True
        return self.allowed(of, row, {of.aspect, Aspect.IDENTITY}) == SHOW

    def named(self, of: Kind, row: Row) -> set[str]:
        """The firms that a row mentions, in keys of parts and the like too."""
        texts = [str(row[name]) for name in of.fields if row[name] is not None]
        for name, target in of.refs.items():
            if target == "site" and row[name] is not None:
                texts += [
                    str(r["organisation"]) for r in self.world.rows["site"] if natural(kind("site"), r) == row[name]
                ]
        return {firm for firm in self.world.firms if any(firm in text for text in texts)}
