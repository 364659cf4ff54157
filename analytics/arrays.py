"""Adjacency as arrays: compressed sparse rows, waves through them, and sums along rows."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LARGE = 20_000
"""From so many edges on a sparse product is quicker than gather and reduceat."""


def pointers(sorted_rows: Ints, rows: int) -> Ints:
    """Row pointers (rows + 1,) of entries sorted by row: entries p[i]:p[i+1] belong to row i."""
    return np.searchsorted(sorted_rows, np.arange(rows + 1)).astype(np.int64)


def entries(ptr: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """All entries of `rows`, in their order: (position in `rows`, index of the entry), each of shape (total,)."""
    counts = ptr[rows + 1] - ptr[rows]
    owner = np.repeat(np.arange(len(rows)), counts)
    first = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) + np.repeat(ptr[rows] - first, counts)


def distinct(first: Ints, second: Ints | Floats) -> tuple[Ints, Ints]:
    """Distinct pairs, ordered by first and second: (an index of each, the pair's number for every row)."""
    order = np.lexsort((second, first))
    a, b = first[order], second[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    return order[new], number


def waves(ptr: Ints, target: Ints, start: Ints) -> Iterator[Ints]:
    """Breadth-first waves of rows from `start` along the entries' targets, each row once; the first wave is `start`."""
    seen = np.zeros(len(ptr) - 1, np.bool_)
    wave = np.unique(start)
    while len(wave):
        seen[wave] = True
        yield wave
        following = target[entries(ptr, wave)[1]]
        wave = np.unique(following[~seen[following]])


def reach(ptr: Ints, target: Ints, start: Ints) -> Bools:
    """Which rows are reached from `start`, themselves included."""
    seen = np.zeros(len(ptr) - 1, np.bool_)
    for wave in waves(ptr, target, start):
        seen[wave] = True
    return seen


def heights(nodes: int, parent: Ints, child: Ints) -> Ints:
    """Longest way down to a node without children, 0 for such a node; -1 for nodes that lie on or above a cycle.

    Kahn's algorithm, a wave at a time (Kahn, Communications of the ACM 5, 1962).
    """
    order = np.argsort(child, kind="stable")
    up, ptr = parent[order], pointers(child[order], nodes)
    left = np.bincount(parent, minlength=nodes)
    height = np.full(nodes, -1, np.int64)
    wave, now = np.flatnonzero(left == 0), 0
    while len(wave):
        height[wave] = now
        above, counts = np.unique(up[entries(ptr, wave)[1]], return_counts=True)
        left[above] -= counts
        wave, now = above[left[above] == 0], now + 1
    return height


def row_sums(ptr: Ints, first: int, last: int, values: Floats) -> Floats:
    """Sums per row of `values` (entries of the rows first:last, T): shape (last - first, T); 0 for an empty row."""
    local = ptr[first : last + 1] - ptr[first]
    if len(values) >= LARGE:
        return _product(local, np.arange(len(values)), np.ones(len(values)), values)
    filled = np.flatnonzero(np.diff(local))
    out = np.zeros((last - first, values.shape[1]))
    if len(filled):
        out[filled] = np.add.reduceat(values, local[filled], axis=0)
    return out


def product_rows(ptr: Ints, column: Ints, weight: Floats, first: int, last: int, x: Floats) -> Floats:
    """Rows first:last of (sparse matrix) @ x, for x of shape (N, T)."""
    a, b = int(ptr[first]), int(ptr[last])
    if b - a < LARGE:
        return row_sums(ptr, first, last, weight[a:b, None] * x[column[a:b]])
    return _product(ptr[first : last + 1] - a, column[a:b], weight[a:b], x)


def _product(ptr: Ints, column: Ints, weight: Floats, x: Floats) -> Floats:
    return np.asarray(csr_array((weight, column, ptr), shape=(len(ptr) - 1, len(x))) @ x)
