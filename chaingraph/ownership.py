"""Whose a firm is in the end: a pool counts owners, not names on doors."""

from __future__ import annotations

import numpy as np
import polars as pl


def ultimate(organisations: pl.DataFrame) -> pl.DataFrame:
    """Each organisation's ultimate owner (by, owner), from columns `key` and `parent`.

    The chain of parents is followed to its end; firms that own each other in a circle, and all below them, are the
    first of the circle by name. A parent that is not listed is the end of its chain.
    """
    listed = pl.concat([organisations["key"], organisations["parent"].drop_nulls()]).unique().sort()
    numbered = listed.alias("key").to_frame().with_row_index("at")
    places = numbered.join(organisations.select("key", "parent"), on="key", how="left", maintain_order="left").join(
        numbered.rename({"at": "up"}), left_on="parent", right_on="key", how="left", maintain_order="left"
    )
    up = places.select(pl.coalesce("up", "at").cast(pl.Int64)).to_series().to_numpy()
    first = np.minimum(np.arange(len(up)), up)  # the first by name met on the way, the names being sorted
    for _ in range(max(len(up), 1).bit_length()):
        first, up = np.minimum(first, first[up]), up[up]
    # `up` is now the end of the chain, or a firm in the circle that it leads to, all of which `first` has met
    return pl.DataFrame({"by": listed, "owner": listed.gather(first[up])})
