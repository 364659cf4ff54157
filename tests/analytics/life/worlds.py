"""Random life records of every shape of censoring."""

from __future__ import annotations

import numpy as np

from analytics.life.rows import LifeRows, ready

SHAPES = ("complete", "right", "left", "interval", "truncated", "counts", "mixed")


def records(shape: str, seed: int, groups: int = 1, size: int = 60) -> LifeRows:
    """Groups of `size` records around 1 to 10000, Weibull with shapes of 0.8 to 4."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), size)
    beta, scale = rng.uniform(0.8, 4, groups)[group], 10 ** rng.uniform(0, 4, groups)[group]
    n = len(group)
    life = scale * rng.weibull(beta)
    age, event, to = life.copy(), np.ones(n), np.full(n, np.nan)
    entry, count = np.zeros(n), np.ones(n)
    part = rng.random(n)
    if shape in ("truncated", "mixed"):
        entry = np.where(part > 0.5, scale * rng.uniform(0, 0.7, n), 0.0)
        age = life = (life**beta + entry**beta) ** (1 / beta)
    if shape in ("left", "mixed"):
        found = part < 0.2
        to = np.where(found, life * rng.uniform(1, 2, n), to)
        age, event = np.where(found, 0.0, age), np.where(found, 2, event)
    if shape in ("interval", "mixed"):
        seen = (part > 0.25) & (part < 0.8)
        step = scale / 3
        first = np.maximum(np.floor(life / step) * step, entry)
        to = np.where(seen, np.floor(life / step) * step + step, to)
        age, event = np.where(seen, first, age), np.where(seen, 2, event)
    if shape in ("right", "counts", "mixed"):
        end = entry + scale * rng.uniform(0.1, 2.5, n)
        alive = (end < life) & (event == 1)
        age, event = np.where(alive, end, age), np.where(alive, 0, event)
    if shape in ("counts", "mixed"):
        count = rng.integers(1, 5, n).astype(float)
    return ready(age, event, entry, to, count, group, groups)
