"""Life records as arrays, made ready to be counted and fitted: the same for every distribution and every method."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Event(IntEnum):
    """What a record saw."""

    SUSPENSION = 0
    """Alive at `age`."""
    FAILURE = 1
    """Failed at `age`."""
    INTERVAL = 2
    """Failed after `age` and not after `age_to`; without an `age_to` this is a suspension."""


@dataclass(frozen=True, slots=True)
class LifeRows:
    """Cleaned records: what `exposed` and `fit` compute from, one row a record, ages of 0 already made intervals."""

    age: Floats
    event: NDArray[np.int8]
    entry: Floats
    age_to: Floats
    count: Floats
    group: Ints
    groups: int

    def sums(self, values: Floats | Bools) -> Floats:
        """Sums of `values` over the rows of each group, weighted by nothing."""
        total: Floats = np.bincount(self.group, values, self.groups).astype(np.float64)
        return total

    def take(self, keep: Bools) -> "LifeRows":
        """The rows where `keep`."""
        return LifeRows(
            self.age[keep], self.event[keep], self.entry[keep], self.age_to[keep], self.count[keep], self.group[keep],
            self.groups,
        )  # fmt: skip


def ready(
    age: ArrayLike,
    event: ArrayLike,
    entry: ArrayLike = 0.0,
    age_to: ArrayLike = np.nan,
    count: ArrayLike = 1.0,
    group: ArrayLike = 0,
    groups: int | None = None,
) -> LifeRows:
    """Records as they come, made ready.

    A failure at age 0 becomes the interval up to the first positive age of its group (an age of 0 has no logarithm, and
    no unit fails at exactly 0); an interval without an end becomes a suspension; an interval of no length a failure.
    Suspensions at age 0 say nothing and are dropped.
    """
    columns = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(c, np.float64)) for c in (age, entry, age_to, count)),
        np.asarray(event, np.int8),
        np.asarray(group, np.int64),
    )
    x, start, to, n, kind, g = (c.copy() for c in columns)
    size = int(g.max(initial=-1)) + 1 if groups is None else groups
    kind[(kind == Event.INTERVAL) & (np.isnan(to) | np.isinf(to))] = Event.SUSPENSION
    kind[(kind == Event.INTERVAL) & (to <= x)] = Event.FAILURE
    to[kind != Event.INTERVAL] = np.nan
    first = np.full(size, np.inf)
    for ages in (x, to):
        positive = ages > 0
        np.minimum.at(first, g[positive], ages[positive])
    newborn = (kind == Event.FAILURE) & (x <= 0)
    kind[newborn] = Event.INTERVAL
    to[newborn] = first[g[newborn]]
    kept = LifeRows(x, kind, start, to, n, g, size)
    return kept.take(((x > 0) | (kind == Event.INTERVAL)) & (n > 0))


def exits(data: LifeRows) -> Floats:
    """Age at which each record left observation: the middle of the interval for an interval."""
    middle = np.where(np.isfinite(data.age_to), (data.age + data.age_to) / 2, data.age)
    leaving: Floats = np.where(data.event == Event.INTERVAL, middle, data.age)
    return leaving


def exposed(data: LifeRows, beta: Floats) -> tuple[Floats, Floats]:
    """Exposure of each group for the shape `beta` of each: (v, oldest), arrays of shape (groups,).

    V = sum of count (exit^beta - entry^beta) is v oldest^beta, `oldest` being the oldest exit, so that no power
    overflows. With the shape known, failures / V estimates eta^-beta (Nelson, Applied Life Data Analysis, 1982, section
    8.4), or eta = oldest (v / failures)^(1 / beta). Groups without rows have (0, 1).
    """
    leaving = exits(data)
    oldest = np.zeros(data.groups)
    np.maximum.at(oldest, data.group, leaving)
    oldest = np.where(oldest > 0, oldest, 1.0)
    b, unit = beta[data.group], oldest[data.group]
    return data.sums(data.count * ((leaving / unit) ** b - (data.entry / unit) ** b)), oldest
