"""A file of lives, to be fitted as it is and stored nowhere: read and checked as an upload is, with only `age` needed.

Headings, cells and rows are understood as `ingest.load` understands them; what differs is that no part need be named, a
sheet that does not say how lives ended is one of failures, and columns of no field are kept as text to group by.
What is in another shape (a return matrix, claims, monthly totals, test results) is recognised by `ingest.shapes`; the
arithmetic that makes life records of it is in `analytics.life`, which knows no files: `server.cli.lives` joins the two.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from chaingraph.errors import ChaingraphError
from ingest import cleaning, forms, headers, reading
from ingest.headers import Column, Reading
from ingest.reading import ROW, Child, Limits, Table, Unreadable
from ingest.report import Finding, Report, finding
from ingest.sheets import Loader, Source, others, typed
from schema import Kind, kind
from schema.expressions import explain, violations
from schema.vocabularies import AgeUnit

ALWAYS = ("age", "event", "entry", "age_to", "count")
"""Columns that the frame has whatever the file has."""
DECADES = 12
"""Ages that span so many powers of ten are probably not in one unit; they are read all the same."""


@dataclass(frozen=True, slots=True)
class Lives:
    """Life records of a file.

    `frame` has one row a record: `row` (its number in the file), the `ALWAYS` columns, what else of the kind
    life_record the file has, and its further columns as text under their headings. Rows that were refused are not in
    it; they are among the `findings`, with file, row, column, value and remedy. `shape` is what the file was.
    """

    frame: pl.DataFrame
    findings: tuple[Finding, ...]
    shape: str = "records"

    @property
    def refused(self) -> int:
        """How many places were refused."""
        return sum(1 + each.more for each in self.findings if each.severity == "error")


def read(path: Path, *, limits: Limits | None = None) -> Lives:
    """The life records of a CSV file or a workbook (of every visible sheet that has ages).

    Only a column `age` is needed. `event` is failure where missing, `count` 1, `entry` 0. Raises ChaingraphError where
    there is nothing to read: no such file, not a table, no rows, no column of ages, or lives in another shape.
    """
    from ingest.shapes import SHEETS  # it builds on this module
    from ingest.shapes import read as read_shaped

    found = read_shaped(path, limits=limits)
    if found.shape != "records":
        raise refusal(finding("sheet.convert", file=path.name, what=SHEETS[found.shape].text))
    return Lives(found.frame, found.findings)


def records(tables: Sequence[Table], file: str, report: Report) -> pl.DataFrame:
    """The good rows of the `tables` that have ages, one table after the other. Raises ChaingraphError where none has.

    Numbers of vehicles are hashed with a key of this call: they tell units apart, and nothing else.
    """
    of = kind("life_record")
    loader = Loader("local", administrator=True, secret=secrets.token_bytes())
    readings = [headers.reading(table.header, of) for table in tables]
    frames = [
        _records(Source(number, table, "", read), loader, report)
        for number, (table, read) in enumerate(zip(tables, readings, strict=True))
        if read.column("age") is not None
    ]
    if not frames:
        wrong = [bad for read in readings for bad in read.bad_units if bad[1].name == "age"]
        if wrong:
            heading, _, unit = wrong[0]
            expected = ", ".join(AgeUnit.codes())
            raise refusal(finding("column.unit", file=file, column=heading, value=unit, unit=unit, expected=expected))
        names = "; ".join(of.fields["age"].spellings[:8])
        raise refusal(finding("sheet.shape", file=file, names=names))
    frame = pl.concat(frames, how="diagonal_relaxed")
    _doubts(frame, file, report)
    return frame


def opened(
    path: Path,
    report: Report,
    limits: Limits | None = None,
    recognised: Callable[[str], bool] = headers.recognised,
) -> list[Table]:
    """The tables of a file that have rows. Raises ChaingraphError where there are none."""
    try:
        with Child(limits or Limits()) as child:
            read = reading.read(path, recognised, child=child)
    except Unreadable as unreadable:
        raise refusal(finding(unreadable.code, file=path.name, **unreadable.values)) from None
    for sheet in read.hidden:
        report.add(finding("sheet.hidden", file=f"{path.name}[{sheet}]"))
    found = [table for table in read.tables if table.cells.height]
    if not found:
        raise refusal(finding("sheet.no_rows", file=path.name))
    return found


def refusal(of: Finding) -> ChaingraphError:
    """A finding about a whole file, as the error that it is here."""
    named = of.text if of.file is None else type(of.text)(f"{of.file}：{of.text.zh}", f"{of.file}: {of.text.en}")
    return ChaingraphError(of.code, named, of.remedy)


def checked(source: Source, loader: Loader, report: Report, asked: Mapping[str, object]) -> tuple[pl.DataFrame, Kind]:
    """The good rows of a sheet: `row`, its fields, and its further columns as text; what is wrong goes to the report.

    Fields of the kind that the sheet need not have are `asked` with a value for them: it stands where a cell is empty.
    """
    read = source.reading
    assert read is not None
    for heading, field, unit in read.bad_units:
        wanted = field.meta.unit or "–"
        report.add(finding("column.unit", file=source.name, column=heading, value=unit, unit=unit, expected=wanted))
    for heading in read.personal.values():
        report.add(finding("column.personal", file=source.name, column=heading))
    kept = {position: heading for position, heading, _ in read.twice} | dict(read.unmapped)
    plain = replace(source, reading=replace(read, unmapped={}, twice=(), personal={}))
    rows = typed(plain, loader, report)
    extra = others(source, kept, loader, report)
    there = {c.field.name for c in read.columns} | forms.implied(read).keys() | set(ALWAYS)
    fields = [name for name in read.kind.fields if name in there]
    bad = rows["_bad"] | _violations(read, source, rows, report, asked)
    frame = rows.select(ROW, *fields)
    named = {heading if heading not in frame.columns else f"{heading} #": cells for heading, cells in extra.items()}
    return frame.with_columns(cells.alias(name) for name, cells in named.items()).filter(~bad), read.kind


def _violations(
    read: Reading, source: Source, rows: pl.DataFrame, report: Report, asked: Mapping[str, object]
) -> pl.Series:
    """Which rows break their declaration; each is told of once, its cells before the row as a whole."""
    filled = rows.with_columns(pl.col(name).fill_null(pl.lit(value)) for name, value in asked.items())
    broken = violations(read.kind, filled)
    bad = rows["_bad"]
    of_cells = pl.col("code").str.starts_with("value.")
    unread = (pl.col("code") == "value.missing") & pl.col("at").is_in(bad.arg_true().implode())
    wrong = pl.concat([bad.arg_true(), broken.filter(of_cells)["at"]]).unique()
    broken = broken.filter(~unread & (of_cells | ~pl.col("at").is_in(wrong.implode())))
    for (name, code, sign, limit), places in broken.group_by("column", "code", "sign", "limit", maintain_order=True):
        at = places["at"]
        column = read.column(str(name))
        report.add_worded(
            str(code),
            "error",
            *explain(read.kind, str(code), str(sign), str(limit)),
            pl.DataFrame({"row": rows[ROW].gather(at), "value": rows[str(name)].gather(at).cast(pl.String)}),
            file=source.name,
            column=column.heading if column else str(name),
        )
    return pl.zeros(rows.height, pl.Boolean, eager=True).scatter(broken["at"].unique(), values=True)


def _records(source: Source, loader: Loader, report: Report) -> pl.DataFrame:
    """The good life records of a sheet."""
    frame, _ = checked(_with_events(source, report), loader, report, {"part": "-"})
    nothing = frame.filter((pl.col("event") == "suspension") & (pl.col("age") <= 0))
    report.add_rows("row.says_nothing", nothing.select("row", value="age"), file=source.name, column="age")
    return frame.with_columns(age_to=pl.when(pl.col("event") == "interval").then("age_to"))


def _with_events(source: Source, report: Report) -> Source:
    """The sheet with an event in every row: what does not say is a failure, one between two ages if it has both."""
    assert source.reading is not None
    event, upper = source.reading.column("event"), source.reading.column("age_to")
    cells, header, read = source.table.cells, source.table.header, source.reading
    if event is None and upper is None:
        return source
    position = event.position if event else "event"

    def there(column: Column | None) -> pl.Series:
        nothing = pl.repeat(None, cells.height, dtype=pl.String, eager=True)
        return cleaning.without_dashes(cells[column.position]) if column else nothing

    said, between = there(event), there(upper).is_not_null()
    default = pl.when(between).then(pl.lit("interval")).otherwise(pl.lit("failure"))
    filled = cells.with_columns(pl.coalesce(said, default).alias(position))
    if event is None:
        header = {**header, position: "event"}
        read = headers.reading(header, read.kind)
    else:
        silent = cells.select(ROW).filter(said.is_null() & ~between)
        report.add_rows("column.event_assumed", silent, file=source.name, column=event.heading)
    return replace(source, reading=read, table=replace(source.table, cells=filled, header=header))


def _doubts(frame: pl.DataFrame, file: str, report: Report) -> None:
    """Warn of ages that are hardly in one unit."""
    positive = frame.filter(pl.col("age") > 0)["age"]
    low, high = positive.min(), positive.max()
    if isinstance(low, float) and isinstance(high, float) and math.log10(high) - math.log10(low) >= DECADES:
        report.add(
            finding("column.age_range", file=file, column="age", low=f"{low:g}", high=f"{high:g}", decades=DECADES)
        )
    if "unit" in frame.columns and (units := frame["unit"].drop_nulls().unique().sort().to_list())[1:]:
        report.add(finding("column.mixed_units", file=file, column="unit", units=", ".join(units)))
