"""Pseudonyms of firms, and of what is named by them: the keys of parts, lots, modes and sites.

A pseudonym is a keyed hash (HMAC-SHA-256, RFC 2104) of the firm and the viewer: it is the same in whoever's data the
firm appears, another one for another viewer, and without the store's secret tells nothing of the firm.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from schema import KINDS, Kind, kind

PSEUDONYM = re.compile(r"P-[a-z2-7]{12}")
"""What a pseudonym looks like."""


@dataclass(frozen=True, slots=True)
class Atom:
    """A piece of a natural key: a firm's (`firm`), or a text that a firm gave (the piece `by`, -1: nobody's)."""

    firm: bool
    by: int = -1


def atoms(of: Kind) -> tuple[Atom, ...]:
    """The pieces of a kind's natural key, in order."""
    if of.name == "organisation":
        return (Atom(firm=True),)
    found: list[Atom] = []
    for name in of.key:
        if name in of.refs:
            start = len(found)
            found += [Atom(a.firm, a.by + start if a.by >= 0 else -1) for a in atoms(kind(of.refs[name]))]
        else:
            firms = [at for at, atom in enumerate(found) if atom.firm]
            found.append(Atom(firm=False, by=firms[-1] if firms else -1))
    return tuple(found)


ATOMS: dict[str, tuple[Atom, ...]] = {name: atoms(of) for name, of in KINDS.items()}


class Masks:
    """The pseudonyms of one viewer."""

    def __init__(self, viewer: str, secret: bytes, sites: Mapping[str, str | None]) -> None:
        self._key = hmac.digest(secret, b"pseudonyms\0" + viewer.encode(), hashlib.sha256)
        self._sites = sites
        self._made: dict[tuple[str, ...], str] = {}

    def pseudonym(self, *what: str) -> str:
        """What stands for a firm (its key), or for a text that it gave (its key and the text)."""
        if what not in self._made:
            said = b"\0".join(each.encode() for each in what)
            digest = hmac.digest(self._key, said, hashlib.sha256)
            self._made[what] = "P-" + base64.b32encode(digest)[:12].decode().lower()
        return self._made[what]

    def key(self, of: Kind, key: str, plain: frozenset[str]) -> tuple[str, tuple[str, ...]]:
        """A natural key with what must not be told replaced, and the firms replaced in it. `plain` may be told."""
        if of.name == "site":
            firm = self._sites.get(key)
            return (key, ()) if firm in plain else (self.pseudonym(firm or "", "site", key), ())
        spec, pieces = ATOMS[of.name], key.split("/")
        if not any(atom.firm for atom in spec):
            return key, ()
        if len(pieces) != len(spec):
            return self.pseudonym("", of.name, key), ()
        hidden = {at for at, atom in enumerate(spec) if atom.firm and pieces[at] and pieces[at] not in plain}
        if not hidden:
            return key, ()
        shown = []
        for at, (atom, piece) in enumerate(zip(spec, pieces, strict=True)):
            if at in hidden:
                shown.append(self.pseudonym(piece))
            else:
                shown.append(self.pseudonym(pieces[atom.by], piece) if atom.by in hidden and piece else piece)
        return "/".join(shown), tuple(pieces[at] for at in sorted(hidden))

    def column(self, of: Kind, values: pl.Series, owners: pl.Series, plain: frozenset[str]) -> pl.DataFrame:
        """Keys of a kind in rows of these owners, masked: a row for each different pair, `value`, `owner`, `masked`
        and `hidden` (the firms replaced).
        """
        if of.name != "site" and not any(atom.firm for atom in ATOMS[of.name]):
            pairs = pl.DataFrame({"value": values, "owner": owners}).unique()
            return pairs.with_columns(masked="value", hidden=pl.lit(None, pl.List(pl.String)))
        pairs = pl.DataFrame({"value": values, "owner": owners}).drop_nulls("value").unique(maintain_order=True)
        found = [
            self.key(of, value, plain | {owner} if owner is not None else plain)
            for value, owner in zip(pairs["value"].to_list(), pairs["owner"].to_list(), strict=True)
        ]
        return pairs.with_columns(
            pl.Series("masked", [masked for masked, _ in found], pl.String()),
            pl.Series("hidden", [list(hidden) for _, hidden in found], pl.List(pl.String())),
        )
