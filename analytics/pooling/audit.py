"""Which answers about sums over firms may be given, so that no firm's share can be solved for: an exact linear audit.

An *unknown* is (owner, what): a figure of one ultimate owner. An answer is a linear form in the unknowns, and what can
be worked out of all answers is their row space. Every figure of one owner is in its *block*: a form in one block alone
is a secret of that owner, be it one of its figures, their difference from one release to the next, or any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Unknown = tuple[str, str]
Vector = Mapping[Unknown, int]
Rows = NDArray[np.int64]

PRIME = (1 << 31) - 1
"""Products of two residues fit into 63 bits, and a form is zero by accident with a probability of 1 in 2^31."""


class LinearAudit:
    """All answers given so far, as rows in reduced echelon form modulo `PRIME`.

    An answer is refused if with it, for no insider or for any single insider (an owner, who knows all of its own
    figures), some form in another owner's figures alone would be known. That is so exactly if the row space holds a
    form other than zero in the blocks of two owners or fewer. Decisions depend on who contributes to what, never on
    values: that an answer is refused tells nothing that the question does not.
    """

    def __init__(self) -> None:
        self._place: dict[Unknown, int] = {}
        self._block: dict[str, int] = {}
        self._of: list[int] = []
        self._rows: Rows = np.zeros((0, 0), np.int64)
        self._pivots: list[int] = []

    @property
    def rank(self) -> int:
        """How many independent answers there were."""
        return len(self._pivots)

    def would_allow(self, *vectors: Vector) -> bool:
        """Whether these answers, given together, would leave every owner's figures unknown to every other."""
        return self._with(vectors) is not None

    def allow(self, *vectors: Vector) -> bool:
        """`would_allow`, and the answers are noted as given if so."""
        found = self._with(vectors)
        if found is None:
            return False
        self._rows, self._pivots = found
        return True

    def state(self) -> dict[str, Any]:
        """All of it as JSON values, the same for the same answers in the same order."""
        return {
            "columns": [list(unknown) for unknown in self._place],
            "pivots": self._pivots,
            "rows": [[np.flatnonzero(row).tolist(), row[np.flatnonzero(row)].tolist()] for row in self._rows],
        }

    @classmethod
    def of(cls, state: Mapping[str, Any] | None) -> Self:
        """An audit from its `state`; a new one where there is none."""
        made = cls()
        if state:
            for owner, what in state["columns"]:
                made._column((owner, what))
            made._rows = np.zeros((len(state["rows"]), len(made._of)), np.int64)
            for at, (columns, values) in enumerate(state["rows"]):
                made._rows[at, columns] = values
            made._pivots = list(state["pivots"])
        return made

    def _column(self, unknown: Unknown) -> int:
        if unknown not in self._place:
            self._place[unknown] = len(self._of)
            self._of.append(self._block.setdefault(unknown[0], len(self._block)))
        return self._place[unknown]

    def _with(self, vectors: Sequence[Vector]) -> tuple[Rows, list[int]] | None:
        """Rows and pivots with further answers; None where they would tell too much."""
        given = [{self._column(unknown): value for unknown, value in sorted(each.items())} for each in vectors]
        rows = np.pad(self._rows, ((0, 0), (0, len(self._of) - self._rows.shape[1])))
        pivots, before = list(self._pivots), len(self._pivots)
        for each in given:
            row = np.zeros(len(self._of), np.int64)
            row[list(each)] = [value % PRIME for value in each.values()]
            rows = _added(rows, pivots, row)
        if len(pivots) > before and _tells(rows, pivots, np.array(self._of), len(self._block)):
            return None
        return rows, pivots


def generic(*named: str) -> int:
    """A coefficient that looks random and is the same for the same names, 1 to `PRIME` - 1.

    For answers whose form is not known before the data are: what holds for such coefficients holds for all but a few.
    """
    digest = hashlib.sha256("\0".join(named).encode()).digest()
    return 1 + int.from_bytes(digest[:8]) % (PRIME - 1)


def _added(rows: Rows, pivots: list[int], row: Rows) -> Rows:
    """Rows in reduced echelon form with one more; its pivot is appended to `pivots` if it is independent of them."""
    for each, pivot in zip(rows, pivots, strict=True):
        if row[pivot]:
            row = (row - row[pivot] * each) % PRIME
    at = np.flatnonzero(row)
    if not len(at):
        return rows
    pivot = int(at[0])
    row = row * pow(int(row[pivot]), PRIME - 2, PRIME) % PRIME
    pivots.append(pivot)
    return np.vstack([(rows - rows[:, pivot : pivot + 1] * row) % PRIME, row])


def _tells(rows: Rows, pivots: list[int], of: Rows, blocks: int) -> bool:
    """Whether a form other than zero lies in two blocks or fewer."""
    if len(of) == blocks:
        return _pairs(rows, np.array(pivots))
    order = np.argsort(of, kind="stable")
    if len(rows) <= blocks - 2:
        # As if all figures of an owner were multiples of one, which tells more; where even that does not tell too much,
        # nothing does. The multiples are the same at every call.
        several = rows * np.random.default_rng(0).integers(1, PRIME, len(of)) % PRIME
        starts = np.flatnonzero(np.append(True, np.diff(of[order]) != 0))
        one, found = np.zeros((0, blocks), np.int64), list[int]()
        for row in np.add.reduceat(several[:, order], starts, axis=1) % PRIME:
            one = _added(one, found, row)
        if len(found) == len(rows) and not _pairs(one, np.array(found)):
            return False
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return any(_without(rows[:, order], place[np.array(pivots)], of[order], each) for each in range(blocks))


def _pairs(rows: Rows, at: Rows) -> bool:
    """`_tells` where every owner has one figure: a row with one or two in it, or two rows that are multiples of each
    other beyond their pivots.
    """
    if ((rows != 0).sum(axis=1) <= 2).any():
        return True
    free = np.delete(rows, at, axis=1)
    lead = free[np.arange(len(free)), (free != 0).argmax(axis=1)]
    scaled = free * _inverses(lead)[:, None] % PRIME
    return len(np.unique(scaled, axis=0)) < len(scaled)


def _inverses(values: Rows) -> Rows:
    """The inverses of residues other than 0: values^(PRIME - 2)."""
    found, power, left = np.ones_like(values), values.copy(), PRIME - 2
    while left:
        if left & 1:
            found = found * power % PRIME
        power, left = power * power % PRIME, left >> 1
    return found


def _without(rows: Rows, at: Rows, of: Rows, insider: int) -> bool:
    """Whether who knows all of one block knows a form in another."""
    mine = of == insider
    inside = mine[at]
    kept, pivots = rows[~inside][:, ~mine], (np.cumsum(~mine) - 1)[at[~inside]].tolist()
    for row in rows[inside][:, ~mine]:
        kept = _added(kept, pivots, row)
    if not len(kept) or len(pivots) < len(rows):  # a form in the insider's own block, which anybody else would know
        return len(pivots) < len(rows)
    others = of[~mine]
    starts = np.flatnonzero(np.append(True, others[1:] != others[:-1]))
    if (np.logical_or.reduceat(kept != 0, starts, axis=1).sum(axis=1) <= 1).any():
        return True
    home = others[pivots]
    blocks, counts = np.unique(home, return_counts=True)
    return any(_dependent(kept[home == each][:, others != each]) for each in blocks[counts > 1])


def _dependent(rows: Iterable[Rows]) -> bool:
    """Whether some rows are linearly dependent."""
    found: Rows | None = None
    pivots: list[int] = []
    for number, row in enumerate(rows):
        found = _added(np.zeros((0, len(row)), np.int64) if found is None else found, pivots, row)
        if len(pivots) <= number:
            return True
    return False
