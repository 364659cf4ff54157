"""Merging new rows into a big sorted table: what they do not touch is shared, not copied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

BLOCK = 65_536
"""Rows of a stretch: a commit of neighbouring rows touches one or two, and the others cost nothing."""
GONE = "_gone"
"""A column that is set where a key is deleted."""

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Merged:
    """A table after a merge."""

    table: pl.DataFrame
    added: pl.DataFrame
    """The rows that were put, new ones and ones in place of others."""
    order: Places
    """For each row its place among the rows of the table before and, after them, those added."""
    same_keys: bool
    """Every key is where it was: nothing new came and nothing went."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Rows of the table before, from one to another, and the rows added there; `order` is None where there are none."""

    first: int
    last: int
    added: slice
    order: Places | None

    def of(self, before: pl.Series, added: pl.Series) -> pl.Series:
        old = before[self.first : self.last]
        if self.order is None:
            return old
        return pl.concat([old, added[self.added]], rechunk=True)[self.order]


def merge(table: pl.DataFrame, news: pl.DataFrame) -> Merged:
    """The table with rows put and keys deleted (those where the column GONE is set).

    Both are sorted by `key` and have each key once; all other columns of `news` are the table's.
    """
    size = len(table)
    gone = news[GONE].is_not_null().to_numpy() if GONE in news.columns else np.zeros(len(news), np.bool_)
    added = news.filter(~gone).select(table.columns) if not gone.all() else table.clear()
    places = table["key"].search_sorted(news["key"]).to_numpy().astype(np.int64)
    there = np.zeros(len(news), np.bool_)
    within = np.flatnonzero(places < size)
    there[within] = (table["key"][places[within]] == news["key"][within]).to_numpy()
    keeps = np.ones(size, np.bool_)
    keeps[places[there]] = False
    kept, puts = np.flatnonzero(keeps), places[~gone]
    order = np.insert(kept, np.searchsorted(kept, puts), size + np.arange(len(puts)))
    same_keys = bool((there == ~gone).all())
    stretches = list(_stretches(size, places, kept, puts, order))
    columns = []
    for name in table.columns:
        before, after = table[name], added[name]
        if same_keys and before[puts].eq_missing(after).all():
            columns.append(before)
            continue
        parts = [each.of(before, after) for each in stretches]
        columns.append(pl.concat([each for each in parts if len(each)] or [before.clear()], rechunk=False))
    merged = pl.DataFrame(columns)
    if max(merged.n_chunks("all"), default=0) > 8 + 4 * len(merged) // BLOCK:  # of many small merges
        merged = merged.rechunk()
    return Merged(merged, added, order, same_keys)


def _stretches(size: int, places: Places, kept: Places, puts: Places, order: Places) -> list[_Stretch]:
    """The table cut where stretches that are touched begin and end; in one piece where most of it is."""
    if not len(places):
        return [_Stretch(0, size, slice(0, 0), None)]
    touched = np.unique(np.minimum(places // BLOCK, max(size - 1, 0) // BLOCK))
    bounds = [(int(block) * BLOCK, min((int(block) + 1) * BLOCK, size)) for block in touched]
    if 2 * len(touched) * BLOCK > size:
        bounds = [(0, size)]
    found, done = [], 0
    for first, last in bounds:
        if first > done:
            found.append(_Stretch(done, first, slice(0, 0), None))
        end = last if last < size else size + 1  # what comes after all rows belongs to the last stretch
        put_from, put_to = np.searchsorted(puts, [first, end]).tolist()
        kept_from, kept_to = np.searchsorted(kept, [first, end]).tolist()
        here = order[kept_from + put_from : kept_to + put_to]
        local = np.where(here < size, here - first, here - size - put_from + (last - first))
        found.append(_Stretch(first, last, slice(put_from, put_to), local))
        done = last
    if done < size:
        found.append(_Stretch(done, size, slice(0, 0), None))
    return found
