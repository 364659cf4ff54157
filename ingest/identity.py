"""Which rows are the same: ids of records that bring none, duplicates within a load, and what is stored already."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl

from ingest.report import Report
from ingest.sheets import Source
from schema import Kind

_HEX = 20


def with_ids(rows: pl.DataFrame, of: Kind) -> pl.DataFrame:
    """Rows of a kind, as read and before references are resolved, each with an `id`.

    Where a row has none it is `r:`, a hash of what the row says, and its ordinal among equal rows of its sheet: a
    growing sheet sent again gives its old rows their old ids.
    """
    nameless = rows["id"].is_null()
    if not nameless.any():
        return rows
    said = [
        pl.when(pl.col(name).is_not_null()).then(pl.lit(f"{name}=") + pl.col(name).cast(pl.String))
        for name in of.fields
        if name != "id"
    ]
    texts = rows.filter(nameless).select(pl.concat_str(said, separator="\x1f", ignore_nulls=True)).to_series()
    digests = [hashlib.sha256(text.encode()).hexdigest()[:_HEX] for text in texts]
    made = rows.filter(nameless).select("_sheet", digest=pl.Series(digests, dtype=pl.String))
    ordinal = pl.int_range(pl.len()).over("_sheet", "digest") + 1
    ids = made.select(pl.format("r:{}.{}", "digest", ordinal)).to_series()
    return rows.with_columns(rows["id"].scatter(nameless.arg_true(), ids))


def without_duplicates(rows: pl.DataFrame, of: Kind, sources: list[Source], report: Report) -> pl.DataFrame:
    """Rows (with stored keys), one a key: of equal ones the first; those that contradict each other are all `_bad`."""
    again = rows["key"].is_duplicated()
    if not again.any():
        return rows
    place = pl.int_range(pl.len()).over("key")
    where = pl.struct("_sheet", "row")
    other = pl.when(place == 0).then(where.get(1, null_on_oob=True)).otherwise(where.first()).over("key")
    several = rows.filter(again).with_columns(
        _differs=pl.struct("extra", *of.fields).n_unique().over("key") > 1, _first=place == 0, _other=other
    )
    sheet, row = (pl.col("_other").struct.field(name) for name in ("_sheet", "row"))
    file = sheet.replace_strict({s.number: f"{s.name}:" for s in sources}, return_dtype=pl.String)
    row = pl.concat_str(pl.when(sheet == pl.col("_sheet")).then(pl.lit("")).otherwise(file), row)
    for source in sources:
        mine = several.filter(pl.col("_sheet") == source.number)
        wrong = mine.filter("_differs").select("row", "key", other=row)
        report.add_rows("key.duplicate", wrong, file=source.name)
        equal = mine.filter(~pl.col("_differs") & ~pl.col("_first"))
        report.add_rows("key.repeated", equal.select("row"), file=source.name)
        report.count(source.name, of.name).same += equal.height
    kept = several.filter(pl.col("_differs") | pl.col("_first")).with_columns(_bad=pl.col("_bad") | pl.col("_differs"))
    return pl.concat([rows.filter(~again), kept.select(rows.columns)])


def completed(
    rows: pl.DataFrame, stored: pl.DataFrame, of: Kind, stated: Mapping[int, frozenset[str]], *, of_anybody: bool
) -> pl.DataFrame:
    """`rows` with what the owner has said before of fields that their sheet has no column for.

    `stated` are the fields that each sheet (by number) says something of: a column that is not there says nothing, an
    empty cell says that there is nothing. With `of_anybody`, as an administrator changes them, of what whoever owns the
    thing has said.
    """
    silent = {
        name: [number for number, said in stated.items() if name not in said]
        for name in ("extra", *of.fields)
        if name not in {*of.key, "stub"}
    }
    silent = {name: sheets for name, sheets in silent.items() if sheets}
    before = stored.filter(~pl.col("stub")) if of.stubs else stored
    same = ["key"] if of_anybody else ["key", "owner"]
    before = before.join(rows.select(same), on=same, how="semi")
    if not (silent and before.height):
        return rows
    old = before.select(*same, _there=pl.lit(value=True), **{f"_old_{name}": pl.col(name) for name in silent})
    both = rows.join(old, on=same, how="left", maintain_order="left")
    kept = [
        pl.when(pl.col("_there") & pl.col("_sheet").is_in(sheets)).then(f"_old_{name}").otherwise(name).alias(name)
        for name, sheets in silent.items()
    ]
    return both.with_columns(kept).select(rows.columns)


def compared(rows: pl.DataFrame, stored: pl.DataFrame, of: Kind) -> pl.DataFrame:
    """`rows` beside what is stored under their keys: `_state` (new, changed, same), its `_owner`, `_stub`, `_upload`.

    What a row says is its fields and what has no field; who brought it and where it stood do not count.
    """
    nothing = pl.lit(None, pl.String)
    if not stored.height:
        return rows.with_columns(_state=pl.lit("new"), _owner=nothing, _stub=pl.lit(None, pl.Boolean), _upload=nothing)
    said = ["extra", *of.fields]
    old = stored.select(
        "key",
        *[pl.col(name).alias(f"_old_{name}") for name in said],
        _owner="owner",
        _stub=pl.col("stub") if of.stubs else pl.lit(value=False),
        _upload="upload",
    )
    both = rows.join(old, on="key", how="left", maintain_order="left")
    differs = pl.any_horizontal([pl.col(name).ne_missing(pl.col(f"_old_{name}")) for name in said])
    state = pl.when(pl.col("_owner").is_null()).then(pl.lit("new")).when(differs).then(pl.lit("changed"))
    return both.with_columns(_state=state.otherwise(pl.lit("same"))).drop([f"_old_{name}" for name in said])
