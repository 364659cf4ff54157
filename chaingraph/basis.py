"""What a viewer may use, or have pooled, without seeing it. Only the runner of analyses and benchmarks open this.

Views made here hold figures that must not leave as they are: whoever opens one answers for what it lets out.
"""

from __future__ import annotations

import polars as pl

from chaingraph.ownership import ultimate
from chaingraph.view import View
from schema.vocabularies import Disclosure


def basis(view: View, without: frozenset[str] = frozenset()) -> View:
    """The view of what its viewer may see or use, of these owners only what it may see; the same view where there is
    nothing that it may only use.
    """
    return _opened(view, Disclosure.USE, without)


def used_only(view: View) -> frozenset[str]:
    """The owners of whom something may be used and not be shown."""
    grants = view.rights.grants
    return frozenset(g.owner for g in grants if g.reaches(Disclosure.USE) and not g.reaches(Disclosure.SHOW))


def pooled(view: View) -> View:
    """The view of what may go into benchmarks for its viewer: what it may see, use or have pooled."""
    return _opened(view, Disclosure.POOL)


def ultimate_owners(view: View) -> pl.DataFrame:
    """Every organisation (`owner`) and its ultimate owner (`ultimate`), by all that is known of who owns whom: so the
    firms of one owner never count as several.
    """
    table = view._source.table("organisation").select("key", "parent")  # noqa: SLF001 - see the module's docstring
    return ultimate(table).rename({"owner": "ultimate"}).rename({"by": "owner"})


def _opened(view: View, mode: Disclosure, without: frozenset[str] = frozenset()) -> View:
    rights = view.rights.without(without)
    if all(grant.reaches(Disclosure.SHOW) or not grant.reaches(mode) for grant in rights.grants):
        return view
    source, secret = view._source, view._secret  # noqa: SLF001 - see the module's docstring

    def make() -> View:
        return View(source, view.viewer, view.purpose, view.at, secret=secret, mode=mode, rights=rights)

    return view.memo(("opened", mode, without), make)
