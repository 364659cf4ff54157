"""A snapshot as one organisation may see it (or use it): the rows and columns that its rights leave, with pseudonyms.

It has the form of a snapshot, so that whatever reads one reads this; what is hidden is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chaingraph.masking import ATOMS, Masks
from chaingraph.rights import Rights, within
from chaingraph.snapshot import Csr, Rows, Snapshot
from chaingraph.stubs import key_fields, stub_rows
from schema import KINDS, Aspect, Kind, kind
from schema.entities.agreement import CONSORTIUM
from schema.vocabularies import Disclosure

Flags = NDArray[np.bool_]

PRIVATE = ("upload", "row", "extra")
"""Base columns of a row that only its owner sees."""


@dataclass(frozen=True, slots=True)
class _Mine:
    """The rows of a kind that may be seen, before stubs: `rows` masked, in the order of the snapshot's `places`.

    `closed` are those in which other firms have pseudonyms; `hides` pairs the owner of such a row with a firm in it.
    """

    rows: pl.DataFrame
    places: Rows
    closed: Flags
    hides: frozenset[tuple[str, str]]
    whole: bool
    """All rows of the snapshot as they are."""


@dataclass(frozen=True, slots=True)
class _Table:
    """The table of a kind, sorted by key: for each row its place among the snapshot's (-1 for a stub) and whether its
    references are those of the snapshot.
    """

    rows: pl.DataFrame
    places: Rows
    plain: Flags
    whole: bool


class Seen:
    """What rights leave of a snapshot, up to a mode: SHOW what may be seen, USE and POOL what goes into results."""

    def __init__(self, source: Snapshot, rights: Rights, secret: bytes, mode: Disclosure = Disclosure.SHOW) -> None:
        self.revision = source.revision
        self._source = source
        self._rights = rights
        self._mode = mode
        sites = source.table("site").select("key", "organisation")
        self._masks = Masks(rights.viewer, secret, sites, rights.revealed | {rights.viewer})
        self._mine_of: dict[str, _Mine] = {}
        self._tables: dict[str, _Table] = {}
        self._natural: dict[str, pl.Series] = {}
        self._now_at: dict[str, Rows] = {}
        self._scoped: dict[frozenset[Aspect], tuple[list[str], pl.DataFrame]] = {}

    def table(self, name: str) -> pl.DataFrame:
        """The rows of a kind that may be seen, sorted by stored key."""
        return self._table(name).rows

    def natural(self, name: str) -> pl.Series:
        """The natural keys of those rows."""
        if name not in self._natural:
            whole = self._table(name).whole
            keys = self._source.natural(name) if whole else self.table(name).select(kind(name).natural_of()).to_series()
            self._natural[name] = keys
        return self._natural[name]

    def ref(self, name: str, field: str) -> Rows:
        """For every row: the row of the table that `field` refers to, -1 where there is none; as `Snapshot.ref`."""
        target = kind(name).refs[field]
        table = self._table(name)
        if table.whole and self._table(target).whole:
            return self._source.ref(name, field)
        found = np.full(len(table.rows), -1, np.int32)
        plain = np.flatnonzero(table.plain)
        if len(plain):
            pointed = self._source.ref(name, field)[table.places[plain]]
            leads = (pointed >= 0) & table.rows[field].is_not_null().to_numpy()[plain]
            found[plain[leads]] = self._moved(target)[pointed[leads]]
        others = np.flatnonzero(~table.plain)
        if len(others):
            found[others] = self._located(target, table.rows[field][others])
        return found

    def inverse(self, name: str, field: str) -> Csr:
        """The rows of kind `name` grouped by the row that their `field` refers to."""
        target = kind(name).refs[field]
        if self._table(name).whole and self._table(target).whole:
            return self._source.inverse(name, field)
        return Csr.of(self.ref(name, field), len(self.table(target)))

    def behind(self, pseudonym: str) -> str | None:
        """The firm behind a pseudonym of this viewer's, None where it sees no such pseudonym."""
        return next((firm for _, firm in self._hidden() if self._masks.pseudonym(firm) == pseudonym), None)

    def disclosers(self, pseudonym: str) -> tuple[str, ...]:
        """The firms in whose rows the pseudonym stands, sorted."""
        return tuple(sorted({owner for owner, firm in self._hidden() if self._masks.pseudonym(firm) == pseudonym}))

    def _hidden(self) -> Iterator[tuple[str, str]]:
        for name in KINDS:
            yield from self._mine(name).hides

    def _moved(self, target: str) -> Rows:
        """For every row of the snapshot: the row of the table with its natural key, -1 where there is none."""
        if target not in self._now_at:
            table = self._table(target)
            if table.whole:
                self._now_at[target] = np.arange(len(table.rows), dtype=np.int32)
            else:
                self._now_at[target] = self._located(target, self._source.natural(target))
        return self._now_at[target]

    def _located(self, target: str, values: pl.Series) -> Rows:
        """The rows of the table with these natural keys, -1 where there is none."""
        if not len(values):
            return np.zeros(0, np.int32)
        numbered = self.natural(target).alias("natural").to_frame().with_row_index("at")
        if kind(target).by_owner:
            numbered = numbered.unique("natural", keep="first", maintain_order=True)
        found = values.alias("natural").to_frame().join(numbered, on="natural", how="left", maintain_order="left")["at"]
        return found.cast(pl.Int32).fill_null(-1).to_numpy()

    def _table(self, name: str) -> _Table:
        if name not in self._tables:
            mine = self._mine(name)
            stubs = self._stubs(kind(name)) if kind(name).stubs else kind(name).empty()
            if mine.whole and not len(stubs):
                self._tables[name] = _Table(mine.rows, mine.places, ~mine.closed, whole=True)
            else:
                rows = pl.concat([mine.rows, stubs])
                places = np.append(mine.places, np.full(len(stubs), -1, np.int32))
                plain = np.append(~mine.closed, np.zeros(len(stubs), bool))
                if not rows["key"].is_sorted():
                    order = rows["key"].arg_sort()
                    rows, places, plain = rows[order], places[order.to_numpy()], plain[order.to_numpy()]
                self._tables[name] = _Table(rows, places, plain, whole=False)
        return self._tables[name]

    def _stubs(self, of: Kind) -> pl.DataFrame:
        """Stubs for what the rows that may be seen refer to and what may not be seen itself."""
        wanted = [keys for keys in self._asked(of) if len(keys)]
        if not wanted:
            return of.empty()
        keys = pl.concat(wanted).unique().sort().alias("key").to_frame()
        there = self._mine(of.name).rows.select(of.natural_of())
        missing = keys.join(there, on="key", how="anti", maintain_order="left")
        return stub_rows(of, missing) if len(missing) else of.empty()

    def _asked(self, of: Kind) -> Iterator[pl.Series]:
        """The natural keys of things of a kind in the rows that may be seen and in the stubs of later kinds."""
        for name, each in KINDS.items():
            for field in (field for field, target in each.refs.items() if target == of.name):
                mine = self._mine(name)
                yield from self._mentioned(name, field, ~mine.closed)
                yield mine.rows[field].filter(pl.Series(mine.closed)).drop_nulls().unique()
                if each.stubs and name != of.name:
                    stubs = self._table(name).rows.filter(pl.Series(self._table(name).places < 0))
                    yield stubs[field].drop_nulls().unique()

    def _mentioned(self, name: str, field: str, which: Flags) -> Iterator[pl.Series]:
        """The natural keys in a field of some rows that may be seen, of things that the snapshot has."""
        target = kind(name).refs[field]
        mine = self._mine(name)
        said = which if mine.whole else which & mine.rows[field].is_not_null().to_numpy()
        pointed = self._source.ref(name, field)[mine.places[said]]
        size = len(self._source.table(target))
        at = np.flatnonzero(np.bincount(pointed[pointed >= 0], minlength=size))
        if len(at):
            yield self._source.natural(target)[at]

    def _mine(self, name: str) -> _Mine:
        if name not in self._mine_of:
            self._mine_of[name] = self._find(kind(name))
        return self._mine_of[name]

    def _find(self, of: Kind) -> _Mine:
        """The rows of a kind that may be seen, masked."""
        table = self._source.table(of.name)
        own = self._stated_by(of, [self._rights.viewer])
        if own.all():
            every = np.arange(len(table), dtype=np.int32)
            return _Mine(table, every, np.zeros(len(table), bool), frozenset(), whole=True)
        party = self._party(of)
        granted, told = own, own
        if of.sharing == "agreed":
            granted = own | self._granted(of, frozenset([of.aspect]))
            told = own | self._granted(of, frozenset([of.aspect, Aspect.IDENTITY]))
            if of.name in {"consortium", "member"}:  # who belongs to a consortium knows whose it is
                told = told | party
        elif of.sharing == "parties":
            granted = told = own | party
        visible = np.ones(len(table), bool) if of.sharing == "public" else own | party | granted
        if of.name == "organisation":
            visible |= table["key"].is_in(sorted(self._met(visible & told))).to_numpy()
        places = np.flatnonzero(visible).astype(np.int32)
        rows = table[places]
        hidden_columns = dict.fromkeys(PRIVATE, own)
        hidden_columns |= {n: own for n, f in of.fields.items() if f.meta.own}
        if of.sharing == "agreed":
            for field in of.fields:
                if of.aspect_of(field) is not of.aspect:
                    hidden_columns[field] = own | party | self._granted(of, frozenset([of.aspect_of(field)]))
        shown = [
            pl.when(pl.Series(keep[places])).then(pl.col(c)).alias(c)
            for c, keep in hidden_columns.items()
            if not keep[places].all()
        ]
        rows = rows.with_columns(shown)
        closed = ~told[places]
        rows, hides = self._masked(of, rows, closed) if closed.any() else (rows, frozenset())
        if not granted[places].all():
            rows = rows.with_columns(owner=pl.when(pl.Series(granted[places])).then("owner"))
        return _Mine(rows, places, closed, hides, whole=False)

    def _stated_by(self, of: Kind, owners: list[str]) -> Flags:
        """Which rows of the snapshot these organisations state."""
        numbers, known = self._source.owners(of.name)
        found: Flags = (
            known.is_in(owners).fill_null(value=False).to_numpy()[numbers] if len(known) else np.zeros(0, bool)
        )
        return found

    def _party(self, of: Kind) -> Flags:
        """Which rows name the viewer as a party."""
        table, viewer = self._source.table(of.name), self._rights.viewer
        fields = list(of.parties)
        found = pl.lit(value=False)
        if of.name == "agreement":
            fields.append("proposed_by")
            found = self._rights.told
        if of.name == "consortium":
            found = (pl.lit(CONSORTIUM) + pl.col("key")).is_in(self._rights.covered)
        for field in fields:
            found |= (pl.col(field) == viewer).fill_null(value=False)
        return table.select(pl.repeat(value=False, n=pl.len()) | found).to_series().to_numpy()

    def _granted(self, of: Kind, aspects: frozenset[Aspect]) -> Flags:
        """Which rows some agreement grants in all of these aspects."""
        if aspects not in self._scoped:
            self._scoped[aspects] = self._rights.granted(aspects, self._mode)
        whole, scoped = self._scoped[aspects]
        found = self._stated_by(of, whole)
        some = np.flatnonzero(self._stated_by(of, scoped["owner"].unique().to_list()))
        found[some[within(of, self._source.table(of.name)[some], scoped).to_numpy()]] = True
        return found

    def _met(self, told: Flags) -> set[str]:
        """The organisations whose names the viewer meets: in rows with names, and as sides of agreements with it.

        `told` are the rows of organisations with names: whose owner's, or whose, they may be seen by.
        """
        found = set(self._rights.revealed) | {self._rights.viewer}
        agreements = self._mine("agreement").rows
        found |= set(agreements["owner"].drop_nulls()) | set(agreements["proposed_by"].drop_nulls())
        found |= set(agreements.filter(pl.col("owner") == self._rights.viewer)["grantee"])
        parents = self._source.table("organisation")["parent"].filter(pl.Series(told))
        found |= set(parents.drop_nulls())
        for name, each in KINDS.items():
            if name == "organisation":
                continue
            mine = self._mine(name)
            for field, target in each.refs.items():
                spec = ATOMS[target]
                firms = [at for at, atom in enumerate(spec) if atom.firm]
                if not firms:
                    continue
                for keys in self._mentioned(name, field, ~mine.closed):
                    pieces = keys.str.split("/")
                    found |= {firm for at in firms for firm in pieces.list.get(at, null_on_oob=True).drop_nulls()}
        return found - {""}

    def _masked(self, of: Kind, rows: pl.DataFrame, closed: Flags) -> tuple[pl.DataFrame, frozenset[tuple[str, str]]]:
        """Rows with pseudonyms in the closed ones, and the firms that have one with the owners of those rows."""
        fields = [name for name, target in of.refs.items() if target == "site" or any(a.firm for a in ATOMS[target])]
        named = (of.stubs or of.name == "part_alias") and of.name != "organisation"
        if not fields and not named:
            return rows, frozenset()
        at = np.flatnonzero(closed)
        shut = rows[at]
        hides: set[tuple[str, str]] = set()
        columns: list[pl.Series] = []
        if named:
            keys = self._masks.column(of, shut.select(of.natural_of()).to_series(), shut["owner"]).keys
            texts = [field for field in key_fields(of) if field.meta.output_name() not in of.refs]
            columns += keys.alias("key").to_frame().select(texts).get_columns()
        for field in fields:
            told = self._masks.column(kind(of.refs[field]), shut[field], shut["owner"])
            hides |= set(told.firms.iter_rows())
            columns.append(told.keys.alias(field))
        masked = shut.with_columns(columns)
        if of.by_owner and not of.merged:  # its own number and owner are its key
            fresh = masked
        else:
            same = pl.all_horizontal([pl.col(n).eq_missing(shut[n]) for n in of.key])
            fresh = masked.with_columns(key=pl.when(same).then("key").otherwise(of.stored_key()))
        whole = pl.concat([rows[np.flatnonzero(~closed)], fresh])
        order = np.argsort(np.append(np.flatnonzero(~closed), at), kind="stable")
        return whole[order], frozenset(hides)
