"""Whose rows a viewer gets: for the audit log alone, since rows that no agreement grants do not show whose they are.

A row that several firms state counts as that of the firm whose statement is shown. Rows of the viewer's own and stubs
are nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chaingraph.seen import Seen
from schema import KINDS, Aspect, kind
from schema.vocabularies import Disclosure

if TYPE_CHECKING:
    from chaingraph.view import View


def others_in(view: View, name: str, places: NDArray[np.signedinteger[Any]] | None = None) -> frozenset[str]:
    """The firms other than the viewer whose rows stand at these places of `view.table(name)`, or anywhere in it."""
    if places is None:
        return view.memo(("others", name), lambda: _named(view, name, _numbers(view, name)[0]))
    return _named(view, name, _numbers(view, name)[0][places[places >= 0]])


def others_behind(view: View, aspects: Iterable[Aspect]) -> dict[str, frozenset[str]]:
    """For each kind of these aspects the other firms whose rows may go into a result for the viewer.

    Those whose rows it sees, and those whose rows it may use without seeing them, be there any or not: what the viewer
    reads of its own doings must not tell whether there are. Whether a row was among those that a result came from is
    not told either.
    """
    wanted = frozenset(aspects)

    def find() -> dict[str, frozenset[str]]:
        found = {}
        for name, of in KINDS.items():
            if of.aspect in wanted and of.sharing == "agreed":
                found[name] = others_in(view, name) | {
                    grant.owner
                    for grant in view.rights.grants
                    if grant.reaches(Disclosure.USE) and of.aspect in grant.aspects
                }
        return {name: owners for name, owners in found.items() if owners}

    return view.memo(("others behind", wanted), find)


def _named(view: View, name: str, numbers: NDArray[np.int32]) -> frozenset[str]:
    known = _numbers(view, name)[1]
    if not known:
        return frozenset()
    found = np.flatnonzero(np.bincount(numbers[numbers >= 0], minlength=len(known)))
    return frozenset(owner for at in found.tolist() if (owner := known[at]) is not None) - {view.viewer}


def _numbers(view: View, name: str) -> tuple[NDArray[np.int32], list[str | None]]:
    """For every row of `view.table(name)` the number of its owner, -1 for a stub that stands for what is hidden; and
    the owners by number.

    The true ones, which the view itself does not hold: its parts are opened here, as in chaingraph/basis.py.
    """

    def make() -> tuple[NDArray[np.int32], list[str | None]]:
        numbers, known = view._source.owners(name)  # noqa: SLF001
        seen = view._snapshot  # noqa: SLF001
        if isinstance(seen, Seen):
            places = seen._table(name).places  # noqa: SLF001
            numbers = np.where(places >= 0, numbers[places], np.int32(-1)) if len(numbers) else places
        kept = view._seen(kind(name)).kept  # noqa: SLF001
        return (numbers if kept is None else numbers[kept]), known.to_list()

    return view.memo(("whose", name), make)
