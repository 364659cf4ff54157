"""Placeholders for things that are referred to and that nobody has described yet."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from stdnum.cn import uscc

from chaingraph.snapshot import Snapshot
from chaingraph.stubs import stub_rows
from schema import KINDS, Kind

_WHERE = ("owner", "upload", "row", "_sheet")
_CODE = r"^(?:.+:)?([0-9A-HJ-NPQRTUWXY]{18})$"
_NAME = r"^(?:[^:]*:)*([^:]*[\u4e00-\u9fff][^:]*)$"
"""What a placeholder of an organisation is called, behind the name space of whoever made it."""


def of_keys(of: Kind, wanted: pl.DataFrame) -> pl.DataFrame:
    """Stub rows for natural keys (`key`), stated where the columns `owner`, `upload`, `row` and `_sheet` say.

    An organisation that was written as a social credit code (with a right check digit, GB 32100-2015) or as a Chinese
    name keeps it as such, so that whoever may see both can tell which organisation is meant.
    """
    rows = stub_rows(of, wanted).with_columns(wanted["_sheet"])
    if of.name != "organisation":
        return rows
    code = rows["id"].str.extract(_CODE)
    right = pl.Series([each for each in code.drop_nulls().unique() if uscc.is_valid(each)], dtype=pl.String)
    code = code.set(~code.is_in(right.implode()).fill_null(value=False), None)
    return rows.with_columns(uscc=code, name_zh=rows["id"].str.extract(_NAME))


def needed(rows: Mapping[str, pl.DataFrame], snapshot: Snapshot) -> dict[str, pl.DataFrame]:
    """The stubs that `rows` (by kind, with stored keys and `_sheet`) need beside what the snapshot has.

    Each has the owner and the place of the first row that refers to it; `_column` says in which field. Stubs need
    stubs in turn: a lot its part, a part its issuer.
    """
    made: dict[str, pl.DataFrame] = {}
    for target in reversed(KINDS.values()):
        if not target.stubs:
            continue
        asked = [
            _asked(table, name).with_columns(_column=pl.lit(name))
            for source in KINDS.values()
            for name, ref in source.refs.items()
            if ref == target.name
            for table in (rows.get(source.name), made.get(source.name))
            if table is not None and table.height
        ]
        if not asked:
            continue
        wanted = pl.concat(asked).unique("key", keep="first", maintain_order=True)
        there = [snapshot.table(target.name).select(target.natural_of())]
        if target.name in rows:
            there.append(rows[target.name].select(target.natural_of()))
        wanted = wanted.join(pl.concat(there), on="key", how="anti", maintain_order="left")
        if wanted.height:
            made[target.name] = of_keys(target, wanted).with_columns(wanted["_column"])
    return made


def _asked(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """The distinct keys in a column, with the place of the first row of each."""
    return (
        table.select(pl.col(name).alias("key"), *_WHERE)
        .drop_nulls("key")
        .unique("key", keep="first", maintain_order=True)
    )
