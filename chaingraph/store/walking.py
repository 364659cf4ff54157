"""Walking a relation level by level, where somebody is asked at every hop which edges may be walked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from chaingraph.store.base import Allowed

Step = Callable[[pl.Series], pl.DataFrame]
STEP = {"key": pl.String(), "here": pl.String(), "there": pl.String()}
"""What a step gives of every edge: its stored key, the natural key it was found by, the natural key it leads to."""


def walk(step: Step, start: Sequence[str], depth: int | None, allowed: Allowed | None = None) -> pl.DataFrame:
    """What is reached from natural keys `start` in at most `depth` hops; see `Session.trace`.

    `step` is given the natural keys of one level, each of them once in a walk, and answers with the edges that lead
    from there (columns STEP). `allowed` is given the stored keys of those edges; where its answer is not true, an edge
    is not walked.
    """
    reached: dict[str, int] = dict.fromkeys(start, 0)
    frontier, level = list(reached), 0
    while frontier and (depth is None or level < depth):
        edges = step(pl.Series("key", frontier, pl.String()))
        if allowed is not None and len(edges):
            edges = edges.filter(allowed(edges["key"]).fill_null(value=False))
        level += 1
        there = edges["there"].drop_nulls().unique(maintain_order=True)
        frontier = [key for key in there if key not in reached]
        reached |= dict.fromkeys(frontier, level)
    depths = pl.Series("depth", reached.values(), dtype=pl.Int64())
    return pl.DataFrame([pl.Series("key", reached.keys(), dtype=pl.String()), depths]).sort("depth", "key")
