"""Rows that stand for things of which no more than the key is known."""

from __future__ import annotations

import polars as pl

from schema import KINDS, Kind


def pieces_of(of: Kind) -> list[tuple[str, int]]:
    """The fields of a kind's natural key with the number of pieces of each: a reference has those of its target."""
    return [(name, sum(n for _, n in pieces_of(KINDS[of.refs[name]])) if name in of.refs else 1) for name in of.key]


def key_fields(of: Kind) -> list[pl.Expr]:
    """The fields of the natural key out of the column `key`, which holds it."""
    pieces = pl.col("key").str.split("/")
    fields, at = [], 0
    for name, count in pieces_of(of):
        text = pieces.list.slice(at, count).list.join("/")
        text = pl.when(text != "").then(text)
        fields.append((text if name in of.refs else unescaped(text)).alias(name))
        at += count
    return fields


def stub_rows(of: Kind, wanted: pl.DataFrame) -> pl.DataFrame:
    """Stub rows for natural keys (`key`), with the base columns that `wanted` has besides."""
    rows = wanted.with_columns(key_fields(of)).with_columns(stub=pl.lit(value=True))
    return of.frame(rows).with_columns(key=of.stored_key())


def unescaped(text: pl.Expr) -> pl.Expr:
    """A text out of its piece of a key: `schema.core.escape` undone."""
    for code, sign in (("%40", "@"), ("%2F", "/"), ("%25", "%")):
        text = text.str.replace_all(code, sign, literal=True)
    return text
