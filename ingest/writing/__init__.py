"""Views as documents of interchange standards. Only what the view has is written, so rights hold by construction.

Each format is a module with `write(view, product=None)`: what the view has of a product and what is in it, or of all.
"""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from chaingraph import View, naming
from chaingraph.masking import PSEUDONYM
from schema import Kind, kind

Row = Mapping[str, Any]

_MODULES = {"aas": "aas", "aasx": "aasx", "catena-x": "catena_x", "cyclonedx": "cyclonedx", "omts": "omts"}
_ABOUT = {"part": "key", "contains": "parent", "lot_genealogy": "into_part"}
"""The field that says which part a row is about, where it is another than `part`."""


@dataclass(frozen=True, slots=True)
class Written:
    """A document, how many rows of each kind it has, and how many it has not.

    Left out is what names firms that the viewer knows by a pseudonym only: nobody else knows whom that means.
    """

    content: bytes
    rows: Mapping[str, int]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """The rows of each kind that a document is to have, references as people write them, empty fields left out."""

    viewer: str
    rows: Mapping[str, list[Row]]
    left_out: int

    def by(self, name: str, field: str) -> dict[str, list[Row]]:
        """The rows of a kind by what a field says."""
        found: dict[str, list[Row]] = {}
        for row in self.rows[name]:
            found.setdefault(str(row.get(field)), []).append(row)
        return found

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each kind."""
        return {name: len(rows) for name, rows in self.rows.items()}


def formats() -> tuple[str, ...]:
    """The formats that can be written."""
    return tuple(_MODULES)


def write(view: View, form: str, product: str | None = None) -> Written:
    """A view in a format of `formats()`; of a product (by number, ISSUER/NUMBER or alias) and what is in it, or of all.

    Raises NotFound or Conflict of `naming.part` for a product that is none or several.
    """
    module = importlib.import_module(f"{__name__}.{_MODULES[form]}")
    written: Written = module.write(view, product)
    return written


def told(view: View, kinds: Sequence[str], product: str | None = None) -> Told:
    """The rows of these kinds that a document is to have.

    Of a product: what is in it at any depth, what is said of that, and the firms and sites named there.
    """
    tables = {name: view.table(name) for name in kinds}
    if product is not None:
        tables = _within(view, tables, view.table("part")["key"][naming.part(view, product)])
    rows: dict[str, list[Row]] = {}
    left_out = 0
    for name, table in tables.items():
        of = kind(name)
        known = table.filter(~_hidden(of))
        left_out += table.height - known.height
        columns = [_plain(of, field) for field in of.fields if field != "stub"]
        stub = [pl.col("stub")] if of.stubs else []
        dicts = known.sort("key").select(*columns, *stub).iter_rows(named=True)
        rows[name] = [{field: value for field, value in each.items() if value is not None} for each in dicts]
    return Told(view.viewer, rows, left_out)


def _within(view: View, tables: Mapping[str, pl.DataFrame], product: str) -> dict[str, pl.DataFrame]:
    """The rows that are about a part and what is in it, and the firms and sites that they name."""
    inside = _inside(view.table("contains"), product)
    found = dict(tables)
    for name, table in tables.items():
        field = _ABOUT.get(name, "part")
        if field in table.columns:
            found[name] = table.filter(pl.col(field).is_in(inside.implode()))
    for name in ("site", "organisation"):
        if name in tables:
            mentioned = _mentioned(found, name)
            found[name] = tables[name].filter(pl.col("key").is_in(mentioned.implode()))
    return found


def _inside(lines: pl.DataFrame, product: str) -> pl.Series:
    """A part and all that is in it, whatever circles there are."""
    found = frontier = pl.Series("key", [product])
    while frontier.len():
        below = lines.filter(pl.col("parent").is_in(frontier.implode()))["child"].unique()
        frontier = below.filter(~below.is_in(found.implode()))
        found = pl.concat([found, frontier.rename("key")])
    return found


def _mentioned(tables: Mapping[str, pl.DataFrame], target: str) -> pl.Series:
    """The keys of a kind that rows of the others refer to."""
    references = [
        table[field]
        for name, table in tables.items()
        if name != target
        for field, to in kind(name).refs.items()
        if to == target
    ]
    return (
        pl.concat([each.rename("key") for each in references]).drop_nulls().unique()
        if references
        else pl.Series("key", [], dtype=pl.String)
    )


def _hidden(of: Kind) -> pl.Expr:
    """Does a row name a pseudonym?"""
    named = [pl.col("key"), *(pl.col(field) for field in of.refs)]
    pattern = rf"(^|/){PSEUDONYM.pattern}(/|$)"
    return pl.any_horizontal(each.str.contains(pattern).fill_null(value=False) for each in named)


def _plain(of: Kind, name: str) -> pl.Expr:
    """A field as people write it: a code, ISSUER/NUMBER, and of what is a part's own (a mode, a lot) the last piece."""
    field = of.fields[name]
    column = pl.col(name)
    if field.meta.ref:
        if field.meta.via:
            column = column.str.extract(r"([^/]*)$")
        for code, sign in (("%40", "@"), ("%2F", "/"), ("%25", "%")):
            column = column.str.replace_all(code, sign, literal=True)
    return column.alias(name)


def text(value: object) -> str:
    """A value as documents write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def others(row: Row, *left: str) -> Iterator[tuple[str, Any]]:
    """The fields of a row but for these."""
    return ((name, value) for name, value in row.items() if name not in left and name != "stub")


def reference(part: Row) -> str:
    """How rows refer to a part."""
    return f"{part['issuer']}/{part['number']}"


def names(row: Row) -> dict[str, str]:
    """Names by language."""
    return {language: str(row[f"name_{language}"]) for language in ("zh", "en") if f"name_{language}" in row}
