"""What one organisation may see, use or have pooled, for a purpose at a time: the agreements in force, as grants.

Rights are sets; nobody asks row by row. `Seen` (chaingraph/seen.py) applies them to the columns of a snapshot.
"""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from chaingraph.actor import EVERYBODY
from chaingraph.snapshot import Snapshot
from chaingraph.store.walking import walk
from schema import Aspect, Kind
from schema.entities.agreement import ALL, CONSORTIUM, EVERYONE, GROUP
from schema.vocabularies import AgreementState, Disclosure, RequestState

WEAKER = (Disclosure.SHOW, Disclosure.USE, Disclosure.POOL)
"""Each includes those after it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The records of one agreement: rows about any of `terms` (`part:KEY` and the like; none: about anything).

    `owner` stated the agreement: subtrees are of its bill of materials and the viewer's.
    """

    owner: str
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """Rows of `owner` that are within all `scopes`, in some aspects, up to a mode, by a chain of agreement versions."""

    owner: str
    aspects: frozenset[Aspect]
    scopes: frozenset[Scope]
    mode: Disclosure
    agreements: tuple[str, ...]

    def reaches(self, mode: Disclosure) -> bool:
        """Whether figures may be used in this way, too."""
        return WEAKER.index(self.mode) <= WEAKER.index(mode)

    def onward(self, further: Grant) -> Grant:
        """What a grantee of this owner passes on of a grant that itself has (`further`, by another firm)."""
        return Grant(
            further.owner,
            self.aspects & further.aspects,
            self.scopes | further.scopes,
            max(self.mode, further.mode, key=WEAKER.index),
            (*self.agreements, *further.agreements),
        )


class Rights:
    """The rights of `viewer` for `purpose` at `at`, by what a snapshot says of agreements.

    `until` is the next moment at which they may change without a change of the graph, None where none is known;
    `covered` are the grantees that the viewer is among, `revealed` the firms whose names were granted to it.
    """

    def __init__(self, snapshot: Snapshot, viewer: str, purpose: str, at: dt.datetime) -> None:
        self.viewer = viewer
        self.purpose = purpose
        self.at = at
        self._snapshot = snapshot
        self._moments: list[dt.datetime] = []
        self._about: dict[tuple[str, str], tuple[frozenset[str], str | None]] = {}
        everything = viewer == EVERYBODY
        self.covered = [] if everything else sorted({viewer, EVERYONE, *self._memberships(viewer)})
        self.grants: tuple[Grant, ...] = () if everything else tuple(self._grants())
        self.revealed: frozenset[str] = frozenset() if everything else self._revealed()
        self.until = min((moment for moment in self._moments if moment > at), default=None)

    @property
    def told(self) -> pl.Expr:
        """Which agreements of others the viewer knows of: those with itself, those with what it is among if they show
        it something, and those that it answers for as a consortium's leader.

        That somebody lets its figures be used or pooled for a whole consortium is for the two sides to know.
        """
        covered = pl.col("grantee").is_in(self.covered) & (pl.col("mode") == Disclosure.SHOW.value)
        led = [pl.col("grantee") == CONSORTIUM + key for key in self._led(self.viewer)]
        led += [pl.col("grantee").str.starts_with(f"{GROUP}{key}/") for key in self._led(self.viewer)]
        return pl.any_horizontal(pl.col("grantee") == self.viewer, covered, *led)

    @cached_property
    def fingerprint(self) -> bytes:
        """Another one for other rights."""
        said = sorted(
            f"{g.owner}\0{sorted(g.aspects)}\0{sorted((s.owner, s.terms) for s in g.scopes)}\0{g.mode}\0{g.agreements}"
            for g in self.grants
        )
        whole = "\n".join([self.viewer, self.purpose, *sorted(self.revealed), *said])
        return hashlib.sha256(whole.encode()).digest()

    def without(self, owners: frozenset[str]) -> Rights:
        """The same rights, of these owners only to what may be shown."""
        if not owners:
            return self
        fewer = copy.copy(self)
        for kept in ("fingerprint", "_versions"):  # they are of all the grants
            fewer.__dict__.pop(kept, None)
        fewer.grants = tuple(g for g in self.grants if g.owner not in owners or g.reaches(Disclosure.SHOW))
        return fewer

    def versions(self, owner: str) -> tuple[str, ...]:
        """The agreement versions by which something of an owner's can be seen, used or pooled, sorted."""
        return self._versions.get(owner, ())

    @cached_property
    def _versions(self) -> dict[str, tuple[str, ...]]:
        """Of every owner: a page may be of thousands of them, each with its grants."""
        found: dict[str, set[str]] = {}
        for grant in self.grants:
            found.setdefault(grant.owner, set()).update(grant.agreements)
        return {owner: tuple(sorted(versions)) for owner, versions in found.items()}

    def granted(self, aspects: frozenset[Aspect], mode: Disclosure) -> tuple[list[str], pl.DataFrame]:
        """Whose rows are granted in all of `aspects` at least in a mode: owners of whom all are, and of others the
        rows about some parts: `owner`, `part`, and `product`, the one that a row must name if it names any.
        """
        found = [grant for grant in self.grants if grant.reaches(mode) and aspects <= grant.aspects]
        whole = {grant.owner for grant in found if not any(scope.terms for scope in grant.scopes)}
        pieces: list[tuple[str, list[str], str | None]] = []
        for grant in found:
            if grant.owner not in whole:
                pieces += [(grant.owner, sorted(parts), product) for parts, product in self._records(grant)]
        frame = pl.DataFrame(pieces, schema=_SCOPED, orient="row")
        return sorted(whole), frame.explode("part").drop_nulls("part").unique()

    def _records(self, grant: Grant) -> Iterator[tuple[frozenset[str], str | None]]:
        """The parts that a grant is about, and the product that rows must name if they name one ("": none may)."""
        found: list[tuple[frozenset[str] | None, str | None]] = [(None, None)]
        for scope in grant.scopes:
            if scope.terms:
                found = [
                    (parts if before is None else before & parts, _both(required, product))
                    for before, required in found
                    for parts, product in (self._term(scope.owner, term) for term in scope.terms)
                ]
        yield from ((parts, product) for parts, product in found if parts)

    def _term(self, owner: str, term: str) -> tuple[frozenset[str], str | None]:
        slot = (owner, term)
        if slot not in self._about:
            self._about[slot] = about(self._snapshot, term, [owner, self.viewer])
        return self._about[slot]

    def _grants(self) -> Iterator[Grant]:
        """Grants by agreements with the viewer, and what those firms pass on of others'."""
        table = self._snapshot.table("agreement")
        if not len(table):
            return
        agreements = table.lazy().filter(
            (pl.col("state") == AgreementState.ACCEPTED.value)
            & pl.col("purposes").str.split(";").list.contains(self.purpose)
            & (pl.col("owner") != self.viewer)
        )
        seen: set[Grant] = set()
        waiting = deque(_grant(row) for row in self._with(agreements, self.viewer))
        onward = agreements.filter("onward").collect()
        passed: dict[str, list[Grant]] = {}
        while waiting:
            grant = waiting.popleft()
            bare = Grant(grant.owner, grant.aspects, grant.scopes, grant.mode, ())
            if bare in seen or not grant.aspects:
                continue
            seen.add(bare)
            yield grant
            if len(onward) and grant.owner not in passed:
                passed[grant.owner] = [_grant(row) for row in self._with(onward.lazy(), grant.owner)]
            waiting += [grant.onward(further) for further in passed.get(grant.owner, ())]

    def _with(self, agreements: pl.LazyFrame, firm: str) -> Sequence[dict[str, Any]]:
        """Those with a firm that are in force."""
        covered = [firm, EVERYONE, *self._memberships(firm)]
        theirs = agreements.filter(pl.col("grantee").is_in(covered) & (pl.col("owner") != firm))
        rows = theirs.select("key", "owner", "aspects", "records", "mode", "start", "end").collect()
        self._moments += rows["start"].to_list() + rows["end"].to_list()
        return rows.filter((pl.col("start") <= self.at) & (self.at < pl.col("end"))).to_dicts()

    def _memberships(self, firm: str) -> set[str]:
        """The grantees, other than itself, that a firm is among: consortia and their groups."""
        consortia = self._snapshot.table("consortium").select("key", "owner", "leader")
        found = {CONSORTIUM + key for key in self._led(firm)}
        rows = self._snapshot.table("member").filter(pl.col("organisation") == firm)
        rows = rows.join(consortia, left_on="consortium", right_on="key", suffix="_of")
        rows = rows.filter((pl.col("owner") == pl.col("leader")) | (pl.col("owner") == pl.col("owner_of")))
        for row in rows.select("consortium", "since", "until", "groups").to_dicts():
            self._moments += [_midnight(day) for day in (row["since"], row["until"]) if day]
            day = self.at.astimezone(dt.UTC).date()
            if (row["since"] or day) <= day and (row["until"] is None or day < row["until"]):
                found.add(CONSORTIUM + row["consortium"])
                names = [name.strip() for name in (row["groups"] or "").split(";")]
                found |= {f"{GROUP}{row['consortium']}/{name}" for name in names if name}
        return found

    def _led(self, firm: str) -> list[str]:
        """The consortia that a firm leads."""
        return self._snapshot.table("consortium").filter(pl.col("leader") == firm)["key"].to_list()

    def _revealed(self) -> frozenset[str]:
        """The organisations whose names all that were asked have let the viewer see."""
        mine = (pl.col("requester") == self.viewer) & (pl.col("purpose") == self.purpose)
        rows = self._snapshot.table("identity_request").filter(mine)
        if not len(rows):
            return frozenset()
        self._moments += rows["until"].drop_nulls().to_list()
        holds = (pl.col("state") == RequestState.GRANTED.value) & (
            pl.col("until").is_null() | (pl.col("until") > self.at)
        )
        granted = rows.group_by("id").agg(pl.col("subject").first(), holds.all().alias("holds")).filter("holds")
        return frozenset(granted["subject"])


_MODES = {mode.value: mode for mode in WEAKER}
_SCOPED: dict[str, Any] = {"owner": pl.String(), "part": pl.List(pl.String()), "product": pl.String()}


def about(snapshot: Snapshot, term: str, sides: list[str]) -> tuple[frozenset[str], str | None]:
    """The parts that a term of an agreement's records is about, and the product that rows must name if they name one.

    What is in a part follows from what the agreement's two `sides` say, its class also from what its issuer says.
    """
    what, _, of = term.partition(":")
    said = pl.col("owner").is_in(sides)
    if what == "part":
        return frozenset([of]), None
    if what == "class":
        said |= pl.col("owner") == pl.col("issuer")
        return frozenset(snapshot.table("part").filter(said & (pl.col("part_class") == of))["key"]), None
    edges = snapshot.table("contains").lazy().filter(said).select("key", here="parent", there="child").collect()
    reached = walk(lambda level: edges.join(level.alias("here").to_frame(), on="here", how="semi"), [of], None)
    return frozenset(reached["key"]), of if what == "product" else None


def _grant(row: dict[str, Any]) -> Grant:
    """What an agreement with somebody grants it."""
    terms = () if row["records"] == ALL else tuple(sorted(row["records"].split(";")))
    scopes = frozenset([Scope(row["owner"], terms)] if terms else [])
    aspects = frozenset(Aspect(code) for code in row["aspects"].split(";"))
    return Grant(row["owner"], aspects, scopes, _MODES[row["mode"]], (row["key"],))


def _both(first: str | None, second: str | None) -> str | None:
    """What a row's product must be to fit two scopes: "" where no product does."""
    if first is None or second is None:
        return first if second is None else second
    return first if first == second else ""


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def within(of: Kind, rows: pl.DataFrame, scoped: pl.DataFrame) -> pl.Series:
    """Which of these rows of a kind are about parts of which their owners let have something: their numbers, each once.

    `scoped` is what `Rights.granted` gives of some parts; kinds that are about no part have none.
    """
    if of.subject is None or not len(scoped):
        return pl.Series(dtype=pl.UInt32)
    product = pl.col("product") if "product" in of.fields else pl.lit(None, pl.String)
    asked = rows.select("owner", part=of.subject, product=product).with_row_index("at")
    found = asked.join(scoped.rename({"product": "_product"}), on=["owner", "part"])
    fits = pl.col("_product").is_null() | pl.col("product").is_null() | (pl.col("product") == pl.col("_product"))
    return found.filter(fits)["at"].unique()
