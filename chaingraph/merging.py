"""Merging new rows into a big sorted table: the stretches of it that they do not touch are shared, not copied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

BLOCK = 65_536
"""Rows of a stretch: a commit of neighbouring rows touches one or two, and the others cost nothing."""
GONE = "_gone"
"""A column that is set where a key is deleted."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A table after a merge, as stretches one after another."""

    table: pl.DataFrame
    pieces: list[tuple[int, int] | pl.DataFrame]
    """From one row to another of the table before, or rows of which some are new."""
    same_keys: bool
    """Every row is where it was: nothing was added and nothing went."""


def merge(table: pl.DataFrame, news: pl.DataFrame) -> Merged:
    """The table with rows put and keys deleted (those where the column GONE is set).

    Both are sorted by `key` and have each key once; all other columns of `news` are the table's.
    """
    if not len(table) or not len(news):
        merged = _merged(table, news)
        return Merged(merged, [merged], same_keys=len(merged) == len(table))
    places = table["key"].search_sorted(news["key"]).to_numpy()
    blocks = np.minimum(places // BLOCK, (len(table) - 1) // BLOCK)
    touched, begins = np.unique(blocks, return_index=True)
    ends = [*begins[1:].tolist(), len(news)]
    pieces: list[tuple[int, int] | pl.DataFrame] = []
    done, same_keys = 0, True
    for block, begin, end in zip(touched.tolist(), begins.tolist(), ends, strict=True):
        first, last = block * BLOCK, min((block + 1) * BLOCK, len(table))
        if first > done:
            pieces.append((done, first))
        old = table[first:last]
        new = _merged(old, news[begin:end])
        same_keys = same_keys and len(new) == len(old) and bool((new["key"] == old["key"]).all())
        pieces.append(new)
        done = last
    if done < len(table):
        pieces.append((done, len(table)))
    frames = [table[piece[0] : piece[1]] if isinstance(piece, tuple) else piece for piece in pieces]
    whole = pl.concat([each for each in frames if len(each)] or [table.clear()], rechunk=False)
    if whole.n_chunks() > 8 + 4 * len(whole) // BLOCK:  # of many small merges
        whole = whole.rechunk()
    return Merged(whole, pieces, same_keys)


def _merged(old: pl.DataFrame, news: pl.DataFrame) -> pl.DataFrame:
    kept = old.join(news.select("key"), on="key", how="anti", maintain_order="left")
    stays = news.filter(pl.col(GONE).is_null()) if GONE in news.columns else news
    added = stays.select(old.columns) if len(stays) else old.clear()
    return kept.merge_sorted(added, key="key") if len(kept) and len(added) else kept if len(kept) else added
