"""Rows that nobody has filled in: of a template that came with the numbers of parts."""

from __future__ import annotations

import dataclasses

import polars as pl

from ingest.headers import Reading
from ingest.reading import ROW, Table
from ingest.report import Report, finding


def without_blanks(table: Table, read: Reading | None, report: Report) -> Table:
    """The table without rows that have a part and nothing else, where its kind needs more; how many is reported."""
    part = read.column("part") if read is not None else None
    if read is None or part is None or all(f.name == "part" or not f.required for f in read.kind.fields.values()):
        return table
    others = [pl.col(position) for position in table.header if position != part.position]
    if not others:
        return table
    filled = pl.any_horizontal(other.str.strip_chars().fill_null("") != "" for other in others)
    bare = table.cells.select(ROW, bare=pl.col(part.position).is_not_null() & ~filled).filter("bare")
    if not bare.height:
        return table
    report.add(finding("row.only_part", file=table.name, row=bare[ROW][0], column=part.heading, count=bare.height))
    return dataclasses.replace(table, cells=table.cells.join(bare, on=ROW, how="anti", maintain_order="left"))
