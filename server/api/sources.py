"""Rows as columns: what resolvers hand to the executor, and the single rows that it falls back to.

A `Source` is a list of rows of one GraphQL type that answers by column. A column's values come in one of these shapes:

* a list with one leaf, list or object (or None) for each row;
* a `Source` of equal length: one object for each row;
* `Picked`: one object or none for each row, out of a shared source;
* `Grouped`: a list of objects for each row, laid end to end.

A field declared with `batched` is such a column too, with arguments: its function sees all rows of a level at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import strawberry

Values: TypeAlias = "list[Any] | Source | Picked | Grouped"
Resolve: TypeAlias = Callable[..., Values]
Indices: TypeAlias = npt.NDArray[np.signedinteger[Any]]


class Source:
    """Rows of one GraphQL type, answering by column; a column is made once and kept."""

    type_name: str | None = None
    """The GraphQL type of the rows; None where the rows themselves must be asked."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._made: dict[str, Values] = {}

    def make(self, name: str) -> Values:
        """The values of one column; raises AttributeError when there is no such column."""
        raise NotImplementedError

    def take(self, indices: Indices) -> Source:
        """Some of the rows, by their places."""
        raise NotImplementedError

    def column(self, name: str) -> Values:
        """The values of one column, kept for the next call."""
        if name not in self._made:
            self._made[name] = self.make(name)
        return self._made[name]

    def plain(self, name: str) -> list[Any]:
        """A column that holds one value for each row."""
        values = self.column(name)
        if not isinstance(values, list):
            raise TypeError(f"{name} is not a plain column.")
        return values

    def row(self, index: int) -> Any:
        """One row as an object with attributes."""
        return Row(self, index)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return map(self.row, range(self._size))


class Row:
    """One row of a source: what graphql-core resolves fields on when it walks row by row."""

    __slots__ = ("_index", "_source")

    def __init__(self, source: Source, index: int) -> None:
        self._source = source
        self._index = index

    def __getattr__(self, name: str) -> Any:
        return at(self._source.column(name), self._index)


def origin(row: Row) -> tuple[Source, int]:
    """The source of a row and its place there (functions, so that every name is free for columns)."""
    return row._source, row._index  # noqa: SLF001


class Objects(Source):
    """Plain objects: a column is an attribute of each."""

    def __init__(self, objects: Sequence[Any]) -> None:
        super().__init__(len(objects))
        self.objects = objects

    def make(self, name: str) -> Values:
        """The attribute of every object."""
        return list(map(attrgetter(name), self.objects))

    def take(self, indices: Indices) -> Source:
        """Some of the objects."""
        return Objects([self.objects[i] for i in indices.tolist()])

    def row(self, index: int) -> Any:
        """The object itself."""
        return self.objects[index]


class Table(Source):
    """Columns given by name, each as values or as a function that makes them when asked for."""

    def __init__(self, type_name: str, size: int, columns: Mapping[str, Values | Callable[[], Values]]) -> None:
        super().__init__(size)
        self.type_name = type_name
        self.columns = columns

    def make(self, name: str) -> Values:
        """The column of that name."""
        try:
            given = self.columns[name]
        except KeyError:
            raise AttributeError(name) from None
        return given() if callable(given) else given

    def take(self, indices: Indices) -> Source:
        """Some of the rows."""
        return Table(
            self.type_name or "",
            len(indices),
            {n: functools.partial(lambda name: pick(self.column(name), indices), n) for n in self.columns},
        )


@dataclass(frozen=True, slots=True)
class Picked:
    """For each row the place of its object in `source`, or -1 where it has none."""

    source: Source
    places: Indices


@dataclass(frozen=True, slots=True)
class Grouped:
    """For row i the objects from `offsets[i]` up to `offsets[i + 1]` of `source`."""

    source: Source
    offsets: Indices


def pick(values: Values, indices: Indices) -> Values:
    """The values of some rows, by their places."""
    if isinstance(values, Source):
        return values.take(indices)
    if isinstance(values, Picked):
        return Picked(values.source, values.places[indices])
    if isinstance(values, Grouped):
        starts, ends = values.offsets[indices], values.offsets[indices + 1]
        return Grouped(values.source.take(spans(starts, ends)), offsets(ends - starts))
    return [values[i] for i in indices.tolist()]


def at(values: Values, index: int) -> Any:
    """The value of one row, as graphql-core takes it: a leaf, an object, None or something to iterate over."""
    if isinstance(values, Source):
        return values.row(index)
    if isinstance(values, Picked):
        place = values.places[index : index + 1]
        return None if place[0] < 0 else values.source.take(place).row(0)
    if isinstance(values, Grouped):
        start, end = values.offsets[index : index + 2].tolist()
        return values.source.take(np.arange(start, end))
    return values[index]


def offsets(counts: Indices) -> Indices:
    """Where each group starts, and the end of the last."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])


def spans(starts: Indices, ends: Indices) -> Indices:
    """start, start + 1 … end − 1 of every pair, laid end to end."""
    counts = ends - starts
    before = offsets(counts)
    return np.arange(before[-1]) + np.repeat(starts - before[:-1], counts)


def source_of(row: Any) -> Source:
    """A source of one row: a row of a source, or a plain object."""
    if not isinstance(row, Row):
        return Objects([row])
    source, place = origin(row)
    return source.take(np.array([place], dtype=np.int64))


def batched(function: Resolve, *, metadata: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """A field whose values are found for all rows of a level in one call.

    `function(root, …)` gets a `Source` as `root` and whatever else a resolver may ask for (info, arguments, the same
    for the whole level), and returns values for its rows. It reads only and does not await. Where graphql-core walks
    row by row the same function is called with a source of one row.
    """

    @functools.wraps(function)
    def resolve(root: Any, **arguments: Any) -> Any:
        if isinstance(root, Source):
            return function(root, **arguments)
        return at(function(source_of(root), **arguments), 0)

    return strawberry.field(resolver=resolve, metadata={**(metadata or {}), "batch": function}, **options)
