"""Pages of rows: filtered, ordered, cut by keyset cursors; for one list or for the lists of a whole level at once.

A page is cut after the order values and the key of a row, not after a number of rows, so that it stays right while rows
are added. The key breaks ties; nulls are last in either direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from chaingraph import View
from schema import Kind
from server.api import opaque, touched
from server.api.errors import ApiError, Code
from server.api.rows import KindRows
from server.api.sources import Grouped, Indices, Source, Table, offsets

USUAL = 20
"""Rows of a page when nobody says."""


@dataclass(frozen=True, slots=True)
class By:
    """One step of an order: a column, downwards or not."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Which rows of a list: the first after a cursor, or the last before one."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None:
            raise ApiError(Code.OUT_OF_RANGE, "Give first or last, not both.")

    @property
    def backwards(self) -> bool:
        """Whether the page is counted from the end."""
        return self.last is not None

    @property
    def size(self) -> int:
        """The most rows on the page."""
        asked = self.last if self.last is not None else self.first
        return max(0, USUAL if asked is None else asked)


class Listing:
    """The rows of a kind that fulfil a condition: all of them, or those of each of `groups` lists.

    `rows` are places in the table and `counts` how many belong to each list, one after another; without them it is one
    list of all rows.
    """

    def __init__(
        self,
        view: View,
        of: Kind,
        where: pl.Expr | None = None,
        order: Sequence[By] = (),
        rows: Indices | None = None,
        counts: Indices | None = None,
    ) -> None:
        self.view = view
        self.kind = of
        self.order = steps_of(order)
        self.where = where
        self.groups = 1 if counts is None else len(counts)
        self.whole = where is None and counts is None
        self._rows = rows
        self._counts = counts

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The rows: what the order and the condition need, the place `_at` in the table and the list number `_g`."""
        conditions = [] if self.where is None else self.where.meta.root_names()
        columns = list(dict.fromkeys([*(b.column for b in self.order), *conditions]))
        table = self.view.table(self.kind.name).select(columns)
        if self._rows is None or self._counts is None:
            frame = table.with_columns(_at=pl.int_range(pl.len(), dtype=pl.Int32), _g=pl.lit(0, pl.Int32))
        else:
            group = np.repeat(np.arange(self.groups, dtype=np.int32), self._counts)
            frame = table[self._rows].with_columns(_at=pl.Series(self._rows, dtype=pl.Int32), _g=pl.Series(group))
        return frame if self.where is None else frame.filter(self.where)

    @cached_property
    def counts(self) -> Indices:
        """How many rows each list has."""
        if self.where is None:
            return np.array([self.view.count(self.kind.name)]) if self._counts is None else self._counts
        return _sizes(self.frame["_g"], self.groups)

    def totals(self) -> list[int]:
        """How many rows each list has, for the answer."""
        self.note()
        return [int(each) for each in self.counts]

    def note(self) -> None:
        """All rows count as read: how many they are, or what they add up to, is told."""
        if self.whole:
            touched.rows(self.view, self.kind.name)
        elif self.where is None:
            touched.rows(self.view, self.kind.name, self._rows)
        else:
            touched.rows(self.view, self.kind.name, self.frame["_at"].to_numpy())

    @property
    def name(self) -> str:
        """What cursors of the list belong to: the kind and the order."""
        return ",".join([self.kind.name, *(f"{'-' if b.descending else ''}{b.column}" for b in self.order)])

    def beyond(self, text: str, *, backwards: bool) -> pl.Expr:
        """True for the rows after (before) the row of a cursor."""
        values = opaque.of(self.view).read_cursor(self.name, text)
        found = pl.lit(False)
        for by, value in reversed(list(zip(self.order, values, strict=True))):
            column = pl.col(by.column)
            if value is None:
                further = column.is_not_null() if backwards else pl.lit(False)
            elif by.descending is backwards:
                further = column > value
            else:
                further = column < value
            if value is not None and not backwards:
                further = further | column.is_null()
            found = further.fill_null(False) | (column.eq_missing(pl.lit(value)) & found)
        return found

    def page(self, cut: Cut) -> Page:
        """One page of each list."""
        if self._rows is None and self.where is None and self.order == [By("key")] and self.sorted:
            return self._sliced(cut)
        frame = self._ordered if self._kept_in_order else self.frame
        for text, backwards in ((cut.after, False), (cut.before, True)):
            if text is not None:
                frame = frame.filter(self.beyond(text, backwards=backwards))
        remaining = _sizes(frame["_g"], self.groups)
        directions = [b.descending is not cut.backwards for b in self.order]
        names = [b.column for b in self.order]
        nulls = [not cut.backwards] * len(names)
        if self._kept_in_order:
            return Page(self, cut, frame.tail(cut.size) if cut.backwards else frame.head(cut.size), remaining)
        if self.groups == 1:
            kept = frame.lazy().sort(names, descending=directions, nulls_last=nulls).head(cut.size).collect()
        else:
            ordered = frame.sort(["_g", *names], descending=[False, *directions], nulls_last=[True, *nulls])
            kept = ordered.filter(pl.int_range(pl.len()).over("_g") < cut.size)
        if cut.backwards:
            kept = kept.reverse().sort("_g", maintain_order=True)
        return Page(self, cut, kept, remaining)

    @property
    def _kept_in_order(self) -> bool:
        """Whether the whole table is asked for by one field: then its order is worth keeping with the view."""
        return self.groups == 1 and self.whole and len(self.order) == 2

    @property
    def _ordered(self) -> pl.DataFrame:
        by = self.order[0]
        names = [b.column for b in self.order]
        directions = [b.descending for b in self.order]
        return self.view.memo(
            ("ordered", self.kind.name, by.column, by.descending),
            lambda: self.frame.sort(names, descending=directions, nulls_last=True),
        )

    @property
    def sorted(self) -> bool:
        """Whether the table has its rows by key, so that a page is a slice of it."""
        name = self.kind.name
        return self.view.memo(("sorted", name), lambda: bool(self.view.table(name)["key"].is_sorted()))

    def _sliced(self, cut: Cut) -> Page:
        """A page of all rows, which are by key already."""
        keys = self.view.table(self.kind.name)["key"]
        ends = [0, len(keys)]
        for end, (text, side) in enumerate(((cut.after, "right"), (cut.before, "left"))):
            if text is not None:
                (key,) = opaque.of(self.view).read_cursor(self.name, text)
                ends[end] = int(keys.search_sorted(key, side="right" if side == "right" else "left"))
        start, length = ends[0], max(0, ends[1] - ends[0])
        size = min(cut.size, length)
        first = start + length - size if cut.backwards else start
        at = np.arange(first, first + size, dtype=np.int32)
        kept = pl.DataFrame({"key": keys.slice(first, size), "_at": at, "_g": np.zeros(size, np.int32)})
        return Page(self, cut, kept, np.array([length]))

    def everything(self) -> Indices:
        """The places of all rows in order, for one list."""
        names = [b.column for b in self.order]
        ordered = self.frame.select(list(dict.fromkeys(["_at", *names]))).sort(
            names, descending=[b.descending for b in self.order], nulls_last=True
        )
        return ordered["_at"].to_numpy()


@dataclass(frozen=True)
class Page:
    """One page of each list of a listing: `rows` has the group, the place and the order values of every row on it."""

    listing: Listing
    cut: Cut
    rows: pl.DataFrame
    remaining: Indices

    @property
    def counts(self) -> Indices:
        """How many rows each page has."""
        return _sizes(self.rows["_g"], self.listing.groups)

    def nodes(self) -> KindRows:
        """The rows on the pages, one page after another."""
        return KindRows(self.listing.view, self.listing.kind, self.rows["_at"].to_numpy())

    def cursors(self) -> list[str]:
        """The cursor of every row on the pages."""
        self._note()
        sealed, name = opaque.of(self.listing.view), self.listing.name
        values = self.rows.select([b.column for b in self.listing.order]).rows()
        return [sealed.cursor(name, row) for row in values]

    def ends(self, *, last: bool) -> list[str | None]:
        """The cursor of the last (first) row on each page."""
        self._note()
        counts, bounds = self.counts, offsets(self.counts)
        places = np.where(counts > 0, bounds[1:] - 1 if last else bounds[:-1], -1)
        sealed, name = opaque.of(self.listing.view), self.listing.name
        values = self.rows.select([b.column for b in self.listing.order])
        return [None if p < 0 else sealed.cursor(name, values.row(p)) for p in places.tolist()]

    def _note(self) -> None:
        """Cursors tell of their rows, too."""
        touched.rows(self.listing.view, self.listing.kind.name, self.rows["_at"].to_numpy())

    def connection(self, type_name: str) -> Source:
        """The pages as Relay connections, one for each list."""
        size = self.listing.groups
        before = (self.listing.counts - self.remaining) > 0
        beyond = (self.remaining - self.counts) > 0
        nodes, bounds = self.nodes(), offsets(self.counts)
        edges = Table(f"{type_name}Edge", len(nodes), {"cursor": self.cursors, "node": nodes})
        info = Table(
            "PageInfo",
            size,
            {
                "has_next_page": (before if self.cut.backwards else beyond).tolist(),
                "has_previous_page": (beyond if self.cut.backwards else before).tolist(),
                "start_cursor": lambda: self.ends(last=False),
                "end_cursor": lambda: self.ends(last=True),
            },
        )
        return Table(
            f"{type_name}Connection",
            size,
            {
                "nodes": Grouped(nodes, bounds),
                "edges": Grouped(edges, bounds),
                "page_info": info,
                "total_count": self.listing.totals,
                "listing": [self.listing] * size,
                "list_number": list(range(size)),
            },
        )


def steps_of(order: Sequence[By]) -> list[By]:
    """An order with the key at its end; what comes after the key, or again, changes nothing."""
    found: dict[str, By] = {}
    for by in (*order, By("key")):
        found.setdefault(by.column, by)
        if by.column == "key":
            break
    return list(found.values())


def _sizes(groups: pl.Series, size: int) -> Indices:
    return np.array([len(groups)]) if size == 1 else np.bincount(groups.to_numpy(), minlength=size)
