"""Lives in other shapes than one record a row: return matrices, warranty claims, monthly totals, test results.

Each shape is a sheet with declared columns, as every sheet is, though nothing of it is stored: it is recognised by its
headings, cleaned and checked as an upload is, and handed on as columns. Months are whole numbers, year * 12 + month -
1. What makes life records of it is arithmetic (`analytics.life.returns`, `totals`, `acceleration`), which this package
may not import: `server.cli.lives` joins the two.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl

from ingest import cleaning, headers, lives
from ingest.lives import checked, opened, refusal
from ingest.reading import ROW, Limits, Table
from ingest.report import Finding, Report, finding
from ingest.shape_sheets import BY, SHEETS
from ingest.sheets import Loader, Source
from schema import KINDS

__all__ = ["SHEETS", "Shape", "Shaped", "detect", "month_name", "month_of", "read"]

__all__ = ["SHEETS", "Shape", "Shaped", "detect", "month_name", "month_of", "read"]

Shape = Literal["records", "returns", "claims", "totals", "test"]
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_MONTH = re.compile(r"^(\d{4})\s*[-/.年]?\s*(\d{1,2})\s*月?(?:[-/.]0?1(?:[ T].*)?)?$")
_MONTH_YEAR = re.compile(r"^([a-z]{3})[a-z]*[ \-./']*(\d{4}|\d{2})$")
_IN_SERVICE = re.compile(r"^(?:mis|第)?\s*(\d{1,3})\s*(?:个月|mis|months?)?$")
_FIRST = r"^\s*(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?\s*$"


def month_of(heading: str) -> int | None:
    """The month that a heading names: 2025-03, 2025年3月, 202503, Mar-25; None for another."""
    text = heading.strip().casefold()
    if found := _YEAR_MONTH.match(text):
        year, month = int(found[1]), int(found[2])
    elif (found := _MONTH_YEAR.match(text)) and found[1] in _MONTHS:
        year, month = int(found[2]) + (2000 if len(found[2]) == 2 else 0), _MONTHS.index(found[1]) + 1
    else:
        return None
    return year * 12 + month - 1 if 1900 <= year <= 2200 and 1 <= month <= 12 else None


def month_name(month: int) -> str:
    """A month as it is written."""
    return f"{month // 12}-{month % 12 + 1:02}"


@dataclass(frozen=True, slots=True)
class Shaped:
    """What a file says, by its shape.

    `frame` has a row for each good row of the file with `row` and its columns: life records as `ingest.lives` gives
    them; of returns and claims month (of sale), age (whole months to the failure), count and, where it is known, delay
    (months to the report) and available (months to the `end`); totals and tests as their sheets declare. `sold` is the
    population of returns and claims (row, month, quantity), split by the columns `by`; `end` the last month that the
    data speak of.
    """

    shape: Shape
    frame: pl.DataFrame
    findings: tuple[Finding, ...]
    sold: pl.DataFrame | None = None
    by: tuple[str, ...] = ()
    end: int | None = None


def recognised(heading: str) -> bool:
    """Is it a heading of any shape?"""
    return (
        headers.recognised(heading)
        or month_of(heading) is not None
        or any(headers.reading({"0": heading}, of).columns for of in SHEETS.values())
    )


def detect(table: Table) -> Shape | None:
    """The shape of a table by its headings; None where nothing speaks for one.

    Whatever says how each life ended is life records. A matrix has months for headings beside the month of sale; totals
    and tests count failures; claims have a day of sale and one of the failure.
    """
    records = headers.reading(table.header, KINDS["life_record"])
    said = {column.field.name for column in records.columns}
    if "age" in said and said & {"event", "entry", "age_to"}:
        return "records"
    if _whole(table, "returns") and len(_matrix(table)[0]) > 1:
        return "returns"
    if _whole(table, "totals"):
        return "totals"
    if _whole(table, "test"):
        return "test"
    if "age" in said:
        return "records"
    claims = headers.reading(table.header, SHEETS["claims"])
    dated = any(claims.column(name) for name in ("failed_on", "reported_on", "months_in_service"))
    return "claims" if dated and _whole(table, "claims") else None


def _whole(table: Table, shape: str) -> bool:
    """Has the table what a sheet of that shape needs?"""
    return not [f for f in headers.reading(table.header, SHEETS[shape]).missing if f.name not in BY]


def _matrix(table: Table) -> tuple[dict[str, int], bool]:
    """The months of a matrix by position, and whether they count from the sale."""
    mapped = {column.position for column in headers.reading(table.header, SHEETS["returns"]).columns}
    rest = {position: heading for position, heading in table.header.items() if position not in mapped}
    months = {position: month for position, heading in rest.items() if (month := month_of(heading)) is not None}
    if months:
        return months, False
    matches = {position: _IN_SERVICE.match(heading.strip().casefold()) for position, heading in rest.items()}
    return {position: int(found[1]) for position, found in matches.items() if found}, True


def read(
    path: Path,
    *,
    shape: Shape | None = None,
    population: Path | None = None,
    until: int | None = None,
    limits: Limits | None = None,
) -> Shaped:
    """What a file says of lives, in the `shape` it has, or is said to have.

    The numbers sold that claims are counted against are a column of the claims, another sheet of the workbook, or the
    file `population` (columns of shipments). `until` is the last month that the data speak of, by default the latest
    they name; what happened later is left out. Raises ChaingraphError where there is nothing to read.
    """
    report = Report()
    tables = opened(path, report, limits, recognised)
    shapes = [shape or detect(table) for table in tables]
    found: Shape = next((each for each in shapes if each is not None), "records")
    if found == "records":
        asked = [table for table, each in zip(tables, shapes, strict=True) if each in {None, "records"}]
        return Shaped("records", lives.records(asked, path.name, report), tuple(report.findings))
    table = tables[shapes.index(found)]
    if missing := [f for f in headers.reading(table.header, SHEETS[found]).missing if f.name not in BY]:
        field = missing[0]
        known = "; ".join(field.spellings[:8])
        raise refusal(finding("column.missing", file=table.name, label=field.label, field=field.name, names=known))
    if found == "returns":
        return _returns(table, report, until)
    if found == "claims":
        others = [other for other in tables if other is not table]
        if population is not None:
            others += opened(population, report, limits, recognised)
        return _claims(table, others, report, until)
    frame = _good(table, found, report)
    return Shaped(found, frame, tuple(report.findings))


def _good(table: Table, shape: str, report: Report, without: Iterable[str] = ()) -> pl.DataFrame:
    """The good rows of a sheet of that shape; months are their first days, columns `without` are not looked at."""
    read = headers.reading(table.header, SHEETS[shape])
    dated = [c.position for c in read.columns if c.field.python_type is dt.date]
    cells = table.cells.with_columns(pl.col(dated).str.replace(_FIRST, "${1}-${2}-01"))
    read = replace(read, unmapped={at: name for at, name in read.unmapped.items() if at not in set(without)})
    source = Source(0, replace(table, cells=cells), "", read)
    loader = Loader("local", administrator=True, secret=secrets.token_bytes())
    frame, _ = checked(source, loader, report, {"part": "-"})
    unit = next((c.scale.unit for c in read.columns if c.scale.unit), None)
    if unit and "unit" not in frame.columns:
        frame = frame.with_columns(unit=pl.lit(unit))
    months = {"sold_on": "month"} | {name: name for name in ("failed_on", "reported_on", "period")}
    return frame.with_columns(
        (pl.col(name).dt.year().cast(pl.Int64) * 12 + pl.col(name).dt.month() - 1).alias(to)
        for name, to in months.items()
        if name in frame.columns
    )


def _returns(table: Table, report: Report, until: int | None) -> Shaped:
    """A matrix: a row for each month of sale, a column for each month of return, or for each month in service."""
    months, in_service = _matrix(table)
    sold = _good(table, "returns", report, months)
    cells = table.cells.select(ROW, *months)
    bad = pl.zeros(cells.height, pl.Boolean, eager=True)
    for position in months:
        counted, failed = cleaning.integers(cells[position])
        failed |= (counted < 0).fill_null(value=False)
        wrong = cells.select(ROW, value=position).filter(failed)
        report.add_rows("value.count", wrong, file=table.name, column=table.header[position])
        cells, bad = cells.with_columns(counted.alias(position)), bad | failed
    sold = sold.join(cells.select(ROW).filter(bad), on=ROW, how="anti", maintain_order="left")
    by = _by(sold)
    long = (
        sold.select(ROW, *by, "month")
        .join(cells, on=ROW, how="left", maintain_order="left")
        .unpivot(on=list(months), index=[ROW, *by, "month"], variable_name="at", value_name="count")
    )
    at = pl.col("at").replace_strict(months, return_dtype=pl.Int64)
    long = long.with_columns(age=at if in_service else at - pl.col("month")).drop("at")
    early = long.filter((pl.col("age") < 0) & (pl.col("count") > 0)).sort(ROW)
    report.add_rows("row.before_sale", early.select(ROW, value="count"), file=table.name, column="sold_on")
    keep = pl.col("count") > 0
    latest = max(months.values()) if not in_service else None
    if latest is None:
        reached = long.filter(pl.col("count").is_not_null()).select((pl.col("month") + pl.col("age")).max()).item()
        newest = sold["month"].max()
        latest = int(reached) if reached is not None else newest if isinstance(newest, int) else 0
    end = latest if until is None else until
    long = long.filter(keep & (pl.col("age") >= 0) & (pl.col("month") + pl.col("age") <= end))
    refused = early.select(ROW).unique()
    sold, long = (each.join(refused, on=ROW, how="anti", maintain_order="left") for each in (sold, long))
    return Shaped("returns", long, tuple(report.findings), sold.select(ROW, *by, "month", "quantity"), by, end)


def _claims(table: Table, others: list[Table], report: Report, until: int | None) -> Shaped:
    """Claims, one a row or counted, with what was sold."""
    frame = _good(table, "claims", report)
    nothing = [pl.lit(None, pl.Int64).alias(name) for name in ("failed_on", "reported_on", "months_in_service", "sold")]
    frame = frame.with_columns(each for each in nothing if each.meta.output_name() not in frame.columns)
    failed = pl.coalesce("failed_on", pl.col("month") + pl.col("months_in_service"), "reported_on")
    frame = frame.with_columns(age=failed - pl.col("month"), delay=pl.col("reported_on") - failed)
    told = pl.coalesce("reported_on", pl.col("month") + pl.col("age"))
    sold = _population(frame, others, report)
    if sold is None:
        raise refusal(finding("sheet.no_population", file=table.name))
    latest = max(value for value in (frame.select(told.max()).item(), sold["month"].max(), 0) if isinstance(value, int))
    end = latest if until is None else until
    frame = frame.filter(told <= end).with_columns(available=end - pl.col("month") - pl.col("age"))
    by = tuple(name for name in _by(frame) if name in sold.columns)
    kept = [name for name in frame.columns if name not in {"sold_on", "failed_on", "reported_on", "months_in_service"}]
    return Shaped("claims", frame.select(kept), tuple(report.findings), sold, by, end)


def _population(frame: pl.DataFrame, others: list[Table], report: Report) -> pl.DataFrame | None:
    """What was sold: row, month, quantity and what it is split by; None where nobody says."""
    if frame["sold"].null_count() < frame.height:
        by = _by(frame)
        stated = frame.filter(pl.col("sold").is_not_null()).group_by(*by, "month", maintain_order=True)
        return stated.agg(pl.col(ROW).min(), pl.col("sold").max().alias("quantity")).select(
            ROW, *by, "month", "quantity"
        )
    found = [_good(other, "returns", report) for other in others if _whole(other, "returns")]
    if not found and frame.is_empty():
        return pl.DataFrame(schema={ROW: pl.Int64, "month": pl.Int64, "quantity": pl.Int64})
    return pl.concat(found, how="diagonal_relaxed") if found else None


def _by(frame: pl.DataFrame) -> tuple[str, ...]:
    """The columns of a sheet that split its population."""
    return tuple(name for name in BY if name in frame.columns)
