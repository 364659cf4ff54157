"""What one viewer may see of the graph, as columns: one row for each natural key."""

from __future__ import annotations

import bisect
import datetime as dt
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chaingraph.actor import EVERYBODY
from chaingraph.rights import Rights
from chaingraph.seen import Seen
from chaingraph.snapshot import Csr, Rows, Snapshot
from chaingraph.store.base import Direction
from chaingraph.store.walking import walk
from schema import Kind, kind
from schema.vocabularies import Disclosure

T = TypeVar("T")

FEW = 64
"""So many keys are looked up one by one; more of them by a join."""

_SAYS_MOST: dict[str, str] = {
    "part": "issuer", "part_alias": "organisation", "contains": "parent", "supplies": "supplier", "mode": "part",
    "propagation": "downstream_part", "lot": "maker", "lot_genealogy": "into_maker", "shipment": "maker",
    "declared_value": "maker", "reliability_test": "maker", "fmea_item": "part", "change_notice": "maker",
    "approval": "customer",
}  # fmt: skip
"""Whose statement counts first when several owners state one thing: the organisation in (or issuing) this field."""

_CUSTOMER_KNOWS = ("share", "status")
"""Of a supply, what the customer's statement decides; the rest is the supplier's."""


class View:
    """The graph as `viewer` sees it for a purpose at a time; immutable, results may be kept with `memo`.

    Rows and columns that it may not see are not in it (chaingraph/seen.py); EVERYBODY sees the snapshot as it is.
    `secret` keys the pseudonyms. A `mode` other than SHOW, and `rights` that are not those in force, are for
    chaingraph/basis.py alone.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        viewer: str = EVERYBODY,
        purpose: str = "quality",
        at: dt.datetime | None = None,
        *,
        secret: bytes = b"",
        mode: Disclosure = Disclosure.SHOW,
        rights: Rights | None = None,
    ) -> None:
        self.viewer = viewer
        self.purpose = purpose
        self.at = at or dt.datetime.now(dt.UTC)
        self.rights = rights or Rights(snapshot, viewer, purpose, self.at)
        self._source, self._secret = snapshot, secret
        self._snapshot = snapshot if viewer == EVERYBODY else Seen(snapshot, self.rights, secret, mode)
        self._tables: dict[str, pl.DataFrame] = {}
        self._kept: dict[str, _Kept] = {}
        self._refs: dict[tuple[str, str], Rows] = {}
        self._inverse: dict[tuple[str, str], Csr] = {}
        self._memo: dict[Hashable, object] = {}
        self._lock = threading.RLock()

    @property
    def revision(self) -> int:
        """The store's revision that it shows: for comparing, not for showing."""
        return self._snapshot.revision

    @property
    def until(self) -> dt.datetime | None:
        """When it must be taken anew at the latest, because rights may change then."""
        return self.rights.until

    def behind(self, pseudonym: str) -> str | None:
        """The firm behind one of the viewer's pseudonyms, None for another text: for asking that firm's customers."""
        return self._snapshot.behind(pseudonym) if isinstance(self._snapshot, Seen) else None

    def disclosers(self, pseudonym: str) -> tuple[str, ...]:
        """The firms in whose rows a pseudonym stands."""
        return self._snapshot.disclosers(pseudonym) if isinstance(self._snapshot, Seen) else ()

    def memo(self, slot: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave for this slot the first time; results belong to the view that they were computed on."""
        with self._lock:
            if slot not in self._memo:
                self._memo[slot] = make()
            return cast("T", self._memo[slot])

    def warm(self, like: View) -> None:
        """Make what was asked of another view, so that who asks next need not wait for it."""
        for name in list(like._kept):
            self.table(name)
        for name, field in list(like._refs):
            self.ref(name, field)
        for name, field in list(like._inverse):
            self.inverse(name, field)

    def table(self, name: str) -> pl.DataFrame:
        """The rows of a kind, one for each natural key, in canonical order; `key` is the natural key.

        Kinds that are not merged (life records, raw rows) keep their stored keys.
        """
        with self._lock:
            if name not in self._tables:
                self._tables[name] = self._seen(kind(name)).rows
            return self._tables[name]

    def stated(self, name: str) -> pl.DataFrame:
        """All rows of a kind that may be seen, several owners' statements of one thing included, by stored key."""
        with self._lock:
            return self._snapshot.table(name)

    def count(self, name: str) -> int:
        """How many rows of a kind there are."""
        return len(self.table(name))

    def ref(self, name: str, field: str) -> Rows:
        """For every row of `table(name)`: the row of the table that `field` refers to, -1 where there is none.
        int32.
        """
        with self._lock:
            slot = (name, field)
            if slot not in self._refs:
                rows = self._seen(kind(name))
                target = self._seen(kind(kind(name).refs[field]))
                pointed = self._snapshot.ref(name, field)
                if rows.kept is not None:
                    pointed = pointed[rows.kept]
                if target.place is not None:
                    pointed = np.where(pointed >= 0, target.place[pointed], np.int32(-1)).astype(np.int32)
                self._refs[slot] = pointed
            return self._refs[slot]

    def inverse(self, name: str, field: str) -> Csr:
        """The rows of `table(name)` grouped by the row of the target's table that `field` refers to."""
        with self._lock:
            slot = (name, field)
            if slot not in self._inverse:
                target = kind(name).refs[field]
                if self._seen(kind(name)).kept is None and self._seen(kind(target)).place is None:
                    self._inverse[slot] = self._snapshot.inverse(name, field)
                else:
                    self._inverse[slot] = Csr.of(self.ref(name, field), self.count(target))
            return self._inverse[slot]

    def locate(self, name: str, keys: Sequence[str] | pl.Series) -> Rows:
        """Rows of `table(name)` with these keys (as in its column `key`), -1 where there is none."""
        if len(keys) <= FEW:
            return np.array([self._locate(name, key) for key in keys], np.int32)
        table = self.table(name)
        wanted = pl.Series("key", keys, dtype=pl.String)
        numbered = table.select("key").with_row_index("at")
        found = wanted.to_frame().join(numbered, on="key", how="left", maintain_order="left")["at"]
        return found.cast(pl.Int32).fill_null(-1).to_numpy()

    def _locate(self, name: str, key: str) -> int:
        """Row of one key, by bisection of the stored keys."""
        kept = self._seen(kind(name))
        column = self._snapshot.table(name)["key"]
        wanted = f"{key}@" if kind(name).merged else key
        at = bisect.bisect_left(column, wanted)
        if at == len(column) or not (column[at].startswith(wanted) if kind(name).merged else column[at] == wanted):
            return -1
        return int(at if kept.place is None else kept.place[at])

    def has(self, name: str, keys: pl.Series) -> pl.Series:
        """Which of these stored rows of a kind the view has, other owners' statements about one thing included; by
        their stored keys.
        """
        stored = self.stated(name)["key"]
        if len(keys) <= FEW:
            places = [bisect.bisect_left(stored, key) for key in keys]
            there = [at < len(stored) and stored[at] == key for at, key in zip(places, keys, strict=True)]
            return pl.Series("has", there, pl.Boolean())
        found = stored.to_frame().join(keys.alias("key").to_frame(), on="key", how="semi")["key"]
        return keys.is_in(found.implode()).alias("has")

    def walk(self, start: Sequence[str], along: str, direction: Direction, depth: int | None = None) -> pl.DataFrame:
        """Walk an edge kind from natural keys `start`, as `Session.trace` does in the store."""
        relation = kind(along).relation
        if relation is None:
            raise ValueError(f"{along} is not a relation")
        here, there = (relation.start, relation.end) if direction == "out" else (relation.end, relation.start)
        edges = self._snapshot.table(along).select("key", here=here, there=there)
        return walk(lambda frontier: edges.join(frontier.alias("here").to_frame(), on="here", how="semi"), start, depth)

    def disagreements(self, name: str) -> pl.DataFrame:
        """Statements of several owners about one thing: all rows whose natural key others state too, with `natural`."""
        return self._seen(kind(name)).several

    def _seen(self, of: Kind) -> _Kept:
        with self._lock:
            if of.name not in self._kept:
                self._kept[of.name] = self._keep(of)
            return self._kept[of.name]

    def _keep(self, of: Kind) -> _Kept:
        stored = self._snapshot.table(of.name)
        if not of.merged:
            return _Kept(stored, None, None, stored.clear().with_columns(natural=pl.col("key")))
        renamed = stored.with_columns(self._snapshot.natural(of.name).alias("key"))
        again = np.zeros(0, np.uint32)
        if len(renamed) > 1:  # stored keys begin with the natural key and `@`: its rows stand one after another
            same = (renamed["key"].slice(1) == renamed["key"].head(len(renamed) - 1)).to_numpy()
            again = np.flatnonzero(np.append(same, False) | np.append(False, same)).astype(np.uint32)
        if not len(again):
            return _Kept(renamed, None, None, stored.clear().with_columns(natural=pl.col("key")))
        return self._choose(of, stored, renamed, again)

    def _choose(self, of: Kind, stored: pl.DataFrame, renamed: pl.DataFrame, again: NDArray[np.uint32]) -> _Kept:
        several = renamed[again].with_columns(_at=pl.Series(again).cast(pl.Int64))
        field = _SAYS_MOST.get(of.name)
        says = pl.lit(None, pl.String)
        if field is not None:
            says = pl.col(field) if of.refs[field] == "organisation" else pl.col(field).str.split("/").list.first()
        uploads = self._snapshot.table("upload").select(upload="key", _when="at") if of.name != "upload" else None
        if uploads is not None:
            several = several.join(uploads, on="upload", how="left", maintain_order="left")
        stub = pl.col("stub") if of.stubs else pl.lit(False)
        ranked = several.with_columns(
            _rank=stub.cast(pl.Int8) * 2 + (says != pl.col("owner")).fill_null(True).cast(pl.Int8)
        ).sort(["key", "_rank", "_when", "owner"], descending=[False, False, True, False], nulls_last=True)
        best = ranked.unique("key", keep="first", maintain_order=True)
        if of.name == "supplies":
            theirs = ranked.filter(pl.col("customer") == pl.col("owner")).unique(
                "key", keep="first", maintain_order=True
            )
            theirs = theirs.select("key", *[pl.col(c).alias(f"_{c}") for c in _CUSTOMER_KNOWS])
            best = best.join(theirs, on="key", how="left", maintain_order="left").with_columns(
                [pl.coalesce(f"_{c}", c).alias(c) for c in _CUSTOMER_KNOWS]
            )
        keep = np.ones(len(stored), bool)
        keep[again] = False
        keep[best["_at"].to_numpy()] = True
        kept = np.flatnonzero(keep).astype(np.int32)
        place = np.full(len(stored), -1, np.int32)
        place[kept] = np.arange(len(kept), dtype=np.int32)
        chosen = best.select("key", chosen=pl.col("_at"))
        moved = several.select("key", "_at").join(chosen, on="key", how="left", maintain_order="left")
        place[moved["_at"].to_numpy()] = place[moved["chosen"].to_numpy()]
        rows = renamed[kept]
        if of.name == "supplies":
            rows = rows.join(
                best.select("key", *[pl.col(c).alias(f"_{c}") for c in _CUSTOMER_KNOWS]),
                on="key",
                how="left",
                maintain_order="left",
            )
            rows = rows.with_columns([pl.coalesce(f"_{c}", c).alias(c) for c in _CUSTOMER_KNOWS]).select(
                renamed.columns
            )
        return _Kept(rows, kept, place, stored[again].with_columns(natural=several["key"]))


class _Kept:
    """The rows of a kind that a view has: which of the snapshot's (`kept`, None for all) and where each of those
    went.
    """

    __slots__ = ("kept", "place", "rows", "several")

    def __init__(self, rows: pl.DataFrame, kept: Rows | None, place: Rows | None, several: pl.DataFrame) -> None:
        self.rows = rows
        self.kept = kept
        self.place = place
        self.several = several
