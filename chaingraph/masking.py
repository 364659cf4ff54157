"""Pseudonyms of firms, and of what is named by them: the keys of parts, lots, modes and sites.

A pseudonym is a keyed hash (HMAC-SHA-256, RFC 2104) of the firm and the viewer: it is the same in whoever's data the
firm appears, another one for another viewer, and without the store's secret tells nothing of the firm.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
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
    """The pseudonyms of one viewer. `sites` has the columns key and organisation; `plain` firms may be told."""

    def __init__(self, viewer: str, secret: bytes, sites: pl.DataFrame, plain: frozenset[str]) -> None:
        self._key = hmac.digest(secret, b"pseudonyms\0" + viewer.encode(), hashlib.sha256)
        self._sites = sites
        self._plain = sorted(plain)
        self._made: dict[tuple[str, ...], str] = {}

    def pseudonym(self, *what: str) -> str:
        """What stands for a firm (its key), or for a text that it gave (its key and the text)."""
        if what not in self._made:
            said = b"\0".join(each.encode() for each in what)
            digest = hmac.digest(self._key, said, hashlib.sha256)
            self._made[what] = "P-" + base64.b32encode(digest[:8])[:12].decode().lower()
        return self._made[what]

    def column(self, of: Kind, keys: pl.Series, owners: pl.Series) -> Masked:
        """Natural keys of a kind in rows of these owners, as the viewer is told them; null for null."""
        if of.name == "site":
            return self._of_sites(keys, owners)
        spec = ATOMS[of.name]
        if not any(atom.firm for atom in spec):
            return Masked(keys, _nobody())
        pieces = pl.DataFrame({"_key": keys, "_owner": owners}).with_columns(
            pl.col("_key").str.split_exact("/", len(spec) - 1).struct.rename_fields([str(i) for i in range(len(spec))])
            .alias("_pieces"),
            _whole=pl.col("_key").str.count_matches("/", literal=True) == len(spec) - 1,
        ).unnest("_pieces")  # fmt: skip
        firms = [str(at) for at, atom in enumerate(spec) if atom.firm]
        pieces = pieces.with_columns([self._hidden(name).alias(f"_{name}") for name in firms])
        columns, among = [], []
        for at, atom in enumerate(spec):
            name = str(at)
            hidden = pl.col(f"_{at if atom.firm else atom.by}") if atom.firm or atom.by >= 0 else None
            if hidden is None:
                columns.append(pieces[name])
                continue
            by = [name] if atom.firm else [str(atom.by), name]
            told = self._replaced(pieces, by, hidden & (pl.col(name) != ""))
            columns.append(told.alias(name))
            if atom.firm:
                among.append(pieces.filter(hidden).select(owner="_owner", firm=name).unique())
        told = pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator="/")).to_series()
        odd = pieces.select(~pl.col("_whole")).to_series().fill_null(value=False)
        if odd.any():
            others = [self.pseudonym("", of.name, key) for key in keys.filter(odd)]
            told = told.scatter(odd.arg_true(), pl.Series(others))
        return Masked(told.zip_with(keys.is_not_null(), pl.repeat(None, len(keys), dtype=pl.String, eager=True)),
                      pl.concat(among).unique())  # fmt: skip

    def _hidden(self, name: str) -> pl.Expr:
        """Whether the firm in a column is told by a pseudonym."""
        firm = pl.col(name)
        return ((firm != "") & ~firm.is_in(self._plain) & firm.ne_missing(pl.col("_owner"))).fill_null(value=False)

    def _replaced(self, rows: pl.DataFrame, by: list[str], which: pl.Expr) -> pl.Series:
        """The last of some columns with pseudonyms, made of them all, in these rows."""
        distinct = rows.filter(which).select(by).unique(maintain_order=True)
        named = distinct.with_columns(
            _told=pl.Series([self.pseudonym(*row) for row in distinct.iter_rows()], dtype=pl.String)
        )
        joined = rows.with_columns(_which=which).join(named, on=by, how="left", maintain_order="left")
        return joined.select(pl.when("_which").then("_told").otherwise(by[-1])).to_series()

    def _of_sites(self, keys: pl.Series, owners: pl.Series) -> Masked:
        """Sites are told by whose they are, which their keys do not say."""
        rows = pl.DataFrame({"site": keys, "_owner": owners}).join(
            self._sites, left_on="site", right_on="key", how="left", maintain_order="left"
        )
        rows = rows.with_columns(pl.col("organisation").fill_null(""), kind=pl.lit("site"))
        known = pl.col("organisation").is_in(self._plain) | (pl.col("organisation") == pl.col("_owner"))
        hidden = pl.col("site").is_not_null() & ~known.fill_null(value=False)
        told = self._replaced(rows, ["organisation", "kind", "site"], hidden)
        firms = rows.filter(hidden & (pl.col("organisation") != "")).select(owner="_owner", firm="organisation")
        return Masked(told, firms.unique())


@dataclass(frozen=True, slots=True)
class Masked:
    """Keys as they are told, and the firms replaced in them: `firms` pairs the rows' `owner` with a `firm`."""

    keys: pl.Series
    firms: pl.DataFrame


def _nobody() -> pl.DataFrame:
    return pl.DataFrame(schema={"owner": pl.String(), "firm": pl.String()})
