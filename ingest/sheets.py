"""One sheet to typed rows: cells cleaned by the declarations, personal data taken out, the rest kept beside the row."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from ingest import cleaning, doubts, forms, personal, units
from ingest.decisions import UNDECIDED, SheetDecisions
from ingest.headers import Column, Reading, fold, names_of
from ingest.headers import personal as personal_heading
from ingest.reading import ROW, Table
from ingest.report import Report, finding
from schema import Kind, Personal
from schema.expressions import explain

_IDENTIFIES = frozenset({"id", "serial", "uscc", "unit", "currency", "industry", "region", "grantee", "records"})
_AGES = frozenset({"entry", "age", "age_to"})
_FAILED = {
    int: "value.integer",
    float: "value.number",
    bool: "value.boolean",
    dt.date: "value.date",
    dt.datetime: "value.date",
}


@dataclass(frozen=True)
class Source:
    """Where rows of a load come from: its number in the load, the file, its digest, and how the sheet reads.

    `reading` is None for a sheet of no known kind; `decided` is what people said about it, and `answers` those to its
    questions that are in force: given, or settled by its cells.
    """

    number: int
    table: Table
    sha256: str
    reading: Reading | None
    decided: SheetDecisions = UNDECIDED
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file, with the sheet of a workbook."""
        return self.table.name

    @property
    def kind(self) -> Kind | None:
        """The kind of its rows."""
        return self.reading.kind if self.reading else None

    @property
    def decided_text(self) -> str:
        """What was decided, as text; empty where nothing was."""
        return "" if self.decided == UNDECIDED else json.dumps(self.decided.model_dump(mode="json"), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Loader:
    """Who loads: rows are `by`'s unless a sheet's owner column says otherwise, which needs an administrator."""

    by: str
    administrator: bool
    secret: bytes


def typed(source: Source, loader: Loader, report: Report) -> pl.DataFrame:
    """The rows of a sheet: `_sheet`, `row`, `owner`, `extra`, `_bad` and the declared fields, references as written.

    `_bad` marks rows that are refused. What is wrong goes to the report.
    """
    reading = source.reading
    assert reading is not None
    kind, cells = reading.kind, source.table.cells
    columns: dict[str, pl.Series] = {"row": cells[ROW]}
    bad = pl.zeros(cells.height, pl.Boolean, eager=True)
    overlong = source.table.overlong
    if overlong.height:
        report.add_rows("row.too_long", overlong, file=source.name)
        bad |= cells[ROW].is_in(overlong[ROW].implode())
    owner, allowed = _owner(source, loader, report)
    bad |= ~allowed
    for column in (_scaled(kind, each, source) for each in reading.columns):
        written = cells[column.position]
        unusable = cleaning.broken(written)
        if unusable.any():
            rows = pl.DataFrame({"row": cells[ROW], "value": written}).filter(unusable)
            report.add_rows("value.formula_error", rows, file=source.name, column=column.heading)
            bad |= unusable
            written = written.set(unusable, None)
        values, failed = _values(kind, column, written, source, loader, report)
        columns[column.field.name] = values
        bad |= failed
        if (kind.name, column.field.name) == ("life_record", "event"):
            bad |= _without_event(kind, column, values.is_null() & ~failed, source, report)
    for name, value in (forms.implied(reading) | answered(source)).items():
        given = columns.get(name)
        columns[name] = pl.repeat(value, cells.height, eager=True) if given is None else given.fill_null(value)
    _correct(kind, columns, source, report)
    if kind.name == "part":
        given = columns.get("issuer")
        columns["issuer"] = owner if given is None else given.zip_with(given.is_not_null(), owner)
    columns["extra"] = _extra(source, loader, report)
    frame = pl.DataFrame({name: values.alias(name) for name, values in columns.items()})
    frame = frame.with_columns(owner=owner)
    return kind.frame(frame).select(
        pl.lit(source.number, pl.Int32).alias("_sheet"), pl.exclude("key", "upload"), pl.Series("_bad", bad)
    )


def stated(source: Source) -> frozenset[str]:
    """The fields that a sheet says something of, if only that a cell is empty: by a column, a heading or an answer."""
    assert source.reading is not None
    columns = {column.field.name for column in source.reading.columns}
    beside = {"extra"} if source.reading.unmapped or source.reading.twice else set()
    return frozenset({*columns, *forms.implied(source.reading), *answered(source), *beside})


def answered(source: Source) -> dict[str, str]:
    """Values of fields that the sheet has no column for, as somebody has answered or the cells say."""
    found: dict[str, str] = {}
    reading, answers = source.reading, source.answers
    if reading is None:
        return found
    for name, answer in answers.items():
        what, _, about = name.partition(":")
        if what == "event" and forms.lacks_event(reading):
            found["event"] = answer
        elif what == "value":
            found[about] = answer
        elif what == "unit":
            scale = _answered_scale(answer)
            found["unit"] = answer if scale is None else scale.unit or answer
    return found


def _answered_scale(answer: str | None) -> units.Scale | None:
    """What a unit that somebody answered does to the ages of a column; None for what is no unit of an age."""
    if answer not in units.KNOWN:
        return None
    unit, factor = units.KNOWN[answer]
    return units.Scale(factor, unit)


def _scaled(kind: Kind, column: Column, source: Source) -> Column:
    """The column with its numbers scaled as was answered about it, or about the age that it goes with."""
    field = column.field
    if field.python_type is not float:
        return column
    answers = source.answers
    asked = answers.get(f"unit:{column.position}")
    if kind.name == "life_record" and field.name in _AGES and column.scale.unit is None:
        asked = next((answer for name, answer in answers.items() if name.startswith("unit:")), None)
    scale = _answered_scale(asked) or column.scale
    if (share := answers.get(f"sure:share:{column.position}")) is not None:
        scale = units.Scale(doubts.share_factor(share, scale.factor))
    return column if scale == column.scale else replace(column, scale=scale)


def _correct(kind: Kind, columns: dict[str, pl.Series], source: Source, report: Report) -> None:
    """Values as was answered about what was hardly meant; what is only noticed is reported."""
    for name, answer in source.answers.items():
        if name.startswith("sure:rate:") and {"value", "unit"} <= set(columns):
            columns["unit"] = doubts.corrected_rates(columns["value"], columns["unit"], answer)
        elif name.startswith("sure:age:"):
            for each in _AGES & set(columns):
                columns[each] = columns[each] * doubts.hours(answer)
    if kind.name == "inspection" and {"ppm", "rejected", "checked"} <= set(columns):
        wanted = {each: columns[each] for each in (ROW, "ppm", "rejected", "checked")}
        wrong = doubts.wrong_ppm(pl.DataFrame(wanted))
        column = source.reading.column("ppm") if source.reading else None
        report.add_rows("inspection.ppm", wrong, file=source.name, column=column.heading if column else None)


def _owner(source: Source, loader: Loader, report: Report) -> tuple[pl.Series, pl.Series]:
    """Whose each row is, and whether the loader may say so."""
    cells = source.table.cells
    mine = pl.repeat(loader.by, cells.height, dtype=pl.String, eager=True)
    everywhere = pl.repeat(value=True, n=cells.height, dtype=pl.Boolean, eager=True)
    assert source.reading is not None
    if source.reading.owner is None:
        return mine, everywhere
    said = cleaning.code_text(cells[source.reading.owner])
    said = said.zip_with(said.is_not_null(), mine)
    if loader.administrator:
        return said, everywhere
    others = said != loader.by
    report.add_rows(
        "row.owner",
        pl.DataFrame({"row": cells[ROW], "value": said}).filter(others),
        file=source.name,
        column=source.table.header[source.reading.owner],
    )
    return mine, ~others


def _values(
    kind: Kind, column: Column, cells: pl.Series, source: Source, loader: Loader, report: Report
) -> tuple[pl.Series, pl.Series]:
    """The typed values of a column and which cells failed."""
    field = column.field
    fine = pl.zeros(cells.len(), pl.Boolean, eager=True)
    codes = field.vocabulary or field.meta.codes
    if codes is None and field.python_type is str:
        return _text(kind, column, cells, source, loader, report), fine
    if field.meta.codes is not None:
        cleaned = cleaning.code_lists(cells, field.meta.codes.spellings(), field.meta.codes.codes())
    elif field.vocabulary is not None:
        cleaned = _codes(kind, column, cells)
    elif field.python_type is float:
        named, shares = units.in_cells(kind, field, column.scale), 1 in {field.bounds.get("le"), field.bounds.get("lt")}
        cleaned = cleaning.numbers(cells, factor=column.scale.factor, units=named, percent=shares)
    elif field.python_type is int:
        cleaned = cleaning.integers(cells, units=units.in_cells(kind, field, column.scale))
    elif field.python_type is bool:
        cleaned = cleaning.booleans(cells)
    else:
        cleaned = forms.days(field, cells, excel=source.table.excel, answers=source.answers, position=column.position)
    if cleaned.failed.any():
        _report_failed(kind, column, cells, cleaned.failed, source, report)
    if field.python_type in {dt.date, dt.datetime}:
        return _sure_of_days(column, cells, cleaned, source, report)
    return cleaned.values, cleaned.failed


def _sure_of_days(
    column: Column, cells: pl.Series, cleaned: cleaning.Cleaned, source: Source, report: Report
) -> tuple[pl.Series, pl.Series]:
    """Days without those that nobody has confirmed and that are hardly meant."""
    doubtful = doubts.doubtful_days(cleaned.values.cast(pl.Date))
    answer = source.answers.get(f"sure:dates:{column.position}")
    if answer == doubts.KEEP or not doubtful.any():
        return cleaned.values, cleaned.failed
    values = cleaned.values.set(doubtful, None)
    if answer == doubts.EMPTY:
        return values, cleaned.failed
    rows = pl.DataFrame({"row": source.table.cells[ROW], "value": cells}).filter(doubtful)
    report.add_rows("value.date_doubtful", rows, file=source.name, column=column.heading)
    return values, cleaned.failed | doubtful


def _text(kind: Kind, column: Column, cells: pl.Series, source: Source, loader: Loader, report: Report) -> pl.Series:
    field = column.field
    cells = cleaning.filled(cells)
    if personal_heading(column.heading) is Personal.HASH:
        report.add(finding("column.hashed", file=source.name, column=column.heading))
        return personal.hashed(cells, loader.secret)
    if field.name == "serial":
        return _unsaid(column, personal.hash_vins(cleaning.code_text(cells), loader.secret), source, loader, report)
    if field.meta.ref or field.name in kind.key or field.name in _IDENTIFIES:
        return _unsaid(column, cleaning.code_text(cells), source, loader, report)
    masked, found = personal.mask(cleaning.text(cells))
    for what, count in found.items():
        report.add(finding("column.masked", file=source.name, column=column.heading, what=what, count=count))
    return masked


def _unsaid(column: Column, cells: pl.Series, source: Source, loader: Loader, report: Report) -> pl.Series:
    """What identifies things; in a column that somebody chose by hand, what looks personal as keyed hashes.

    A heading that names the field has numbers that may look like anything; any other may have been chosen in error.
    """
    reading = source.reading
    if reading is None or column.position not in reading.chosen or fold(column.heading) in names_of(reading.kind):
        return cells
    found = personal.personal_cells(cells)
    if not found.any():
        return cells
    report.add(finding("column.hashed", file=source.name, column=column.heading))
    return personal.rebuilt(cells.scatter(found.arg_true(), personal.hashed(cells.filter(found), loader.secret)))


def _codes(kind: Kind, column: Column, cells: pl.Series) -> cleaning.Cleaned:
    vocabulary = column.field.vocabulary
    assert vocabulary is not None
    meant = forms.yes_no(kind.name, column.field.name, column.heading)
    if meant is None:
        return cleaning.codes(cells, vocabulary.spellings())
    values, failed = cleaning.codes(cells, vocabulary.spellings())
    asked = cleaning.booleans(cells).values
    answered = pl.select(pl.when(asked).then(pl.lit(meant[0])).when(~asked).then(pl.lit(meant[1])).otherwise(values))
    return cleaning.Cleaned(answered.to_series(), failed & asked.is_null())


def _without_event(kind: Kind, column: Column, empty: pl.Series, source: Source, report: Report) -> pl.Series:
    """Rows that leave open how the observation ended, though the sheet has a column for it: unknown, not a failure."""
    rows = source.table.cells.select("row").filter(empty)
    worded = explain(kind, "value.missing")
    report.add_worded("value.missing", "error", *worded, rows, file=source.name, column=column.heading)
    return empty


def _report_failed(
    kind: Kind, column: Column, cells: pl.Series, failed: pl.Series, source: Source, report: Report
) -> None:
    field = column.field
    rows = pl.DataFrame({"row": source.table.cells[ROW], "value": cells}).filter(failed)
    if (codes := field.vocabulary or field.meta.codes) is not None:
        worded = explain(kind, "value.unknown_code", limit=", ".join(codes.codes()))
        report.add_worded("value.unknown_code", "error", *worded, rows, file=source.name, column=column.heading)
        return
    if field.python_type is float:
        infinite = rows["value"].cast(pl.Float64, strict=False).is_finite().not_().fill_null(value=False)
        worded, some = explain(kind, "value.not_finite"), rows.filter(infinite)
        report.add_worded("value.not_finite", "error", *worded, some, file=source.name, column=column.heading)
        rows = rows.filter(~infinite)
    if field.python_type in {float, int}:
        inexact = cleaning.inexact(rows["value"])
        report.add_rows("value.inexact", rows.filter(inexact), file=source.name, column=column.heading)
        rows = rows.filter(~inexact)
    report.add_rows(_FAILED[field.python_type], rows, file=source.name, column=column.heading)


def _extra(source: Source, loader: Loader, report: Report) -> pl.Series:
    """What has no field, as JSON text by heading; nothing of persons in it."""
    reading = source.reading
    assert reading is not None
    for heading in reading.personal.values():
        report.add(finding("column.personal", file=source.name, column=heading))
    kept = {position: heading for position, heading, _ in reading.twice} | dict(reading.unmapped)
    return as_json(source, kept, loader, report)


def as_json(source: Source, columns: Mapping[str, str], loader: Loader, report: Report) -> pl.Series:
    """The cells of these columns (headings by position) as one JSON object for each row, null where all are empty."""
    pieces = []
    for name, cells in others(source, columns, loader, report).items():
        encoded = cells.alias("v").to_frame().select(pl.struct("v").struct.json_encode().str.slice(5)).to_series()
        encoded = encoded.str.head(-1).set(cells.is_null(), None)
        pieces.append((json.dumps(name, ensure_ascii=False) + ":" + encoded).alias(name))
    if not pieces:
        return pl.repeat(None, source.table.cells.height, dtype=pl.String, eager=True)
    joined = pl.DataFrame(pieces).select(pl.concat_str(pl.all(), separator=",", ignore_nulls=True)).to_series()
    filled = joined != ""
    return ("{" + joined + "}").set(~filled, None)


def others(source: Source, columns: Mapping[str, str], loader: Loader, report: Report) -> dict[str, pl.Series]:
    """The cells of columns that are no fields (headings by position) as text, by heading; empty columns are left out.

    Columns that tell of persons are left out or hashed: by their heading, and by what their cells look like.
    """
    kept: dict[str, pl.Series] = {}
    for position, heading in columns.items():
        cells = cleaning.text(source.table.cells[position])
        if cells.null_count() == cells.len():
            continue
        by_heading = personal_heading(heading)
        if by_heading is Personal.DROP:
            report.add(finding("column.personal", file=source.name, column=heading))
            continue
        if by_heading is Personal.HASH:
            report.add(finding("column.hashed", file=source.name, column=heading))
            cells = personal.hashed(cells, loader.secret)
        elif (what := personal.looks_personal(cells)) is not None:
            report.add(finding("column.looks_personal", file=source.name, column=heading, what=what))
            continue
        kept[heading if heading not in kept else f"{heading} #{int(position) + 1}"] = cells
    return kept
