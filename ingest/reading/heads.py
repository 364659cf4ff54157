"""Where the header of a table is, and what its columns are called when the header has two rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WITHIN = 20
"""Rows from the top in which a header is looked for."""
Merge = tuple[int, int, int, int]
"""First row and column, last row and column of a merged cell; rows from 1, columns from 0."""
Line = Sequence[str | None]
_LONGEST, _FIRST = 60, 4
_ASKED = 20_000
"""So many different texts of a sheet are asked about; a sheet of more in its headings is no sheet."""
_DIGIT = re.compile(r"\d")
_NO_HEADING = re.compile(r"^[\d\s.,:/%+\-年月日]+$")
_BRACKETED = re.compile(r"^[(（\[【].*[)）\]】]$")
_COLON = re.compile(r"[:：]")


class Known:
    """`recognised`, asked once for each text; what cannot be a heading is not asked about."""

    def __init__(self, recognised: Callable[[str], bool]) -> None:
        self._recognised = recognised
        self._seen: dict[str, bool] = {}

    def __call__(self, cell: str | None) -> bool:
        """Is it the name of a column?"""
        if cell is None or len(cell) > _LONGEST:
            return False
        if cell not in self._seen and len(self._seen) >= _ASKED:
            return False
        if cell not in self._seen:
            self._seen[cell] = self._recognised(cell)
        return self._seen[cell]

    def count(self, line: Line) -> int:
        """How many cells are names of columns."""
        return sum(map(self, line))

    def begins(self, line: Line) -> bool:
        """Is this a header within a sheet? As `heads`, but most lines are settled by their first cells."""
        first = [cell for cell in line if cell and cell.strip()][:_FIRST]
        return any(not _DIGIT.search(cell) and self(cell) for cell in first) and self.heads(line)

    def heads(self, line: Line) -> bool:
        """Is this a header beyond doubt? Most of its cells are names of columns, and at least two."""
        known, cells = self.count(line), _filled(line)
        return (known >= 2 and 2 * known > cells) or (known >= 3 and 2 * known >= cells)


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns (None for a column without), and in which rows from the top they stand."""

    names: list[str | None]
    first: int
    last: int


def find(
    lines: Sequence[Line], numbers: Sequence[int], columns: Sequence[int], merges: list[Merge], known: Known
) -> Header:
    """The header among the first rows of a table that are not blank; `numbers` of the rows, positions of the columns.

    It is the first of those rows that have most known names; where no row has any, the first with two cells or more.
    The row above or below joins it where the two are a header of two rows.
    """
    counts = [known.count(line) for line in lines]
    if max(counts, default=0) > 0:
        at = counts.index(max(counts))
    else:
        at = next((i for i, line in enumerate(lines) if _filled(line) > 1), 0)
    plain = _stripped(lines[at])
    if at + 1 < len(lines) and numbers[at + 1] == numbers[at] + 1:
        spans = _spans(plain, _stripped(lines[at + 1]), numbers[at], columns, merges)
        names = _below(plain, _stripped(lines[at + 1]), spans, numbers[at], merges, known)
        if names is not None:
            return Header(names, at, at + 1)
    if at > 0 and numbers[at - 1] == numbers[at] - 1:
        above = _stripped(lines[at - 1])
        spans = _spans(above, plain, numbers[at - 1], columns, merges)
        names = _above(above, plain, spans, known)
        if names is not None:
            return Header(names, at - 1, at)
    return Header(plain, at, at)


def _stripped(line: Line) -> list[str | None]:
    return [(cell or "").strip() or None for cell in line]


def _filled(line: Line) -> int:
    return sum(bool(cell and cell.strip()) for cell in line)


def _spans(upper: Line, lower: Line, row: int, columns: Sequence[int], merges: list[Merge]) -> list[str | None]:
    """For each column the heading of a group of several columns, by merged cells or by empty cells beside it."""
    spans: list[str | None] = [None] * len(upper)
    at = {column: i for i, column in enumerate(columns)}
    for first, left, last, right in merges:
        if first <= row <= last and right > left and left in at:
            for column in range(left, right + 1):
                if column in at:
                    spans[at[column]] = upper[at[left]]
    for i in range(1, len(upper)):
        if spans[i] is None and upper[i] is None and lower[i] is not None and lower[i - 1] is not None:
            before = spans[i - 1] or upper[i - 1]
            if before is not None:
                spans[i] = spans[i - 1] = before
    return spans


def _joined(upper: Line, lower: Line, spans: list[str | None], known: Known) -> list[str | None]:
    """The lower names; `upper/lower` (or both in one, if that is known) where the lower alone would be ambiguous."""
    alone = [low or up for up, low in zip(upper, lower, strict=True)]
    times = Counter(alone)
    names: list[str | None] = []
    for up, low, group in zip(upper, lower, spans, strict=True):
        name = low or up
        if low is not None and group is not None and group != low:
            if (times[low] > 1 or not known(low)) and known(group + low):
                name = group + low
            elif times[low] > 1:
                name = f"{group}/{low}"
        names.append(name)
    return names


def _below(
    upper: Line, lower: Line, spans: list[str | None], row: int, merges: list[Merge], known: Known
) -> list[str | None] | None:
    """The names if the row below the best one is part of the header: below groups, in a second language, or units."""
    cells = [low for low in lower if low is not None]
    if not cells or any(_NO_HEADING.match(low) for low in cells):
        return None
    if all(_BRACKETED.match(low) for low in cells) and all(up for up, low in zip(upper, lower, strict=True) if low):
        return [f"{up}{low}" if low else up for up, low in zip(upper, lower, strict=True)]
    names, before = _joined(upper, lower, spans, known), known.count(upper)
    grouped = any(up is None and low and group for up, low, group in zip(upper, lower, spans, strict=True))
    merged = any(first == row and (right > left or last > row) for first, left, last, right in merges)
    if grouped and (known.count(names) > before or (merged and known.count(names) >= before)):
        return names
    if known.heads(lower) and before:
        return [low if known(low) and not known(up) else up or low for up, low in zip(upper, lower, strict=True)]
    return None


def _above(upper: Line, lower: Line, spans: list[str | None], known: Known) -> list[str | None] | None:
    """The names if the row above the best one is part of the header: it has groups, and is no title."""
    cells = [up for up in upper if up is not None]
    if not cells or any(_COLON.search(up) or _NO_HEADING.match(up) for up in cells):
        return None
    covers = len(set(cells)) == 1 and (upper[0] is not None or all(spans))
    names = _joined(upper, lower, spans, known)
    if covers or names == list(lower) or known.count(names) < known.count(lower):
        return None
    return names
