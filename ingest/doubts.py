"""Cells that can be read and are hardly meant so: rates in the wrong unit, years for hours, percentages, old days.

Each is a question with what the cells may be instead. Its answer is for that file only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import polars as pl

from ingest import cleaning, forms, units
from ingest.beside import Beside
from ingest.decisions import Option, Question
from ingest.headers import Column, Reading
from ingest.personal import masked_text
from ingest.reading import ROW, Table
from schema.text import Text
from schema.vocabularies import AgeUnit, Metric

KEEP, EMPTY, YEARS, THOUSANDS = "keep", "empty", "years", "thousands"
PERCENT, FRACTION = "percent", "fraction"

FIT = {"1/h": 1e9, "fit": 1.0, "fpmh": 1e3, "%/1000h": 1e4}
"""Failures in 10^9 hours that 1 of a unit is, by the unit in small letters."""
_UNITS = {"1/h": "1/h", "FIT": "fit", "fpmh": "fpmh", "%/1000h": "%/1000h"}
_LIKELY_FIT = (1e-2, 1e6)
"""Rates outside are hardly meant: from one failure in ten million years and more, down to one a month."""
_FIRST = dt.date(1990, 1, 1)
_OF_OWN_PARTS = frozenset(
    ["life_record", "inspection", "reliability_test", "declared_value", "fmea_item", "problem", "shipment", "lot"]
)
"""Kinds that tell of parts; those that list parts of others may bring as many as they like."""
_YOUNG, _OLD, _SEVERAL = 50.0, 1000.0, 5
_HOURS = {YEARS: 8760.0, THOUSANDS: 1000.0, KEEP: 1.0}
_EXAMPLES = 5

_KEEP = Text("没有错，照此采用", "They are right; take them so")
_DATES = Text(
    "“{heading}”中有 {count} 个日期早于 1990 年。不回答则这些行不采用。",
    "{count} days in {heading} are before 1990. Without an answer such rows are refused.",
)
_RATE = Text(
    "“{heading}”中有 {count} 个失效率按其单位折算不在 0.01 到 1000000 FIT 之间。它们是：",
    "{count} rates in {heading} are, by their unit, not between 0.01 and 1,000,000 FIT. They are:",
)
_AGES = Text(
    "“{heading}”都小于 50 小时，而同类零部件已知的寿命多在 {median} 小时左右。它们是：",
    "All of {heading} are below 50 hours, while half of what is known of such parts is above {median} hours. They are:",
)
_SHARES = Text("“{heading}”中的数是：", "The numbers in {heading} are:")
_PARTS = Text(
    "{total} 个物料编码中有 {count} 个不是贵方的，也不认识：{shown}。确认后将为它们建占位。",
    "{count} of {total} part numbers are neither yours nor known: {shown}. With a yes placeholders are made for them.",
)


def of(table: Table, read: Reading, beside: Beside, answers: Mapping[str, str]) -> Iterator[Question]:
    """The questions about what is hardly meant, given the answers that are in force."""
    for column in read.columns:
        bounds = column.field.bounds
        if column.field.python_type in {dt.date, dt.datetime}:
            yield from _old_days(table, column, answers)
        elif column.field.python_type is float and 1 in {bounds.get("le"), bounds.get("lt")}:
            yield from _shares(table, column)
    yield from _rates(table, read, answers)
    yield from _ages(table, read, beside, answers)
    yield from _parts(table, read, beside)


def doubtful_days(days: pl.Series) -> pl.Series:
    """Which days are before 1990, as the day numbers 0 and 1 of a spreadsheet and the first of its clocks are.

    Those that would have to be past and are not are refused by a rule.
    """
    return (days < _FIRST).fill_null(value=False)


def doubtful_rates(values: pl.Series, unit: pl.Series) -> pl.Series:
    """Which declared values are rates that lie outside what is likely, by their unit."""
    scale = unit.str.strip_chars().str.to_lowercase().replace_strict(FIT, default=None, return_dtype=pl.Float64)
    return ~(values * scale).is_between(*_LIKELY_FIT).fill_null(value=True)


def corrected_rates(values: pl.Series, unit: pl.Series, answer: str | None) -> pl.Series:
    """Units of declared values, those of doubtful rates as was answered."""
    if answer not in _UNITS:
        return unit
    return pl.select(pl.when(doubtful_rates(values, unit)).then(pl.lit(answer)).otherwise(unit)).to_series()


def hours(answer: str | None) -> float:
    """What ages are multiplied by, as was answered."""
    return _HOURS.get(answer or KEEP, 1.0)


def share_factor(answer: str | None, otherwise: float) -> float:
    """What plain numbers of a column of shares are multiplied by, as was answered."""
    return {PERCENT: 0.01, FRACTION: 1.0}.get(answer or "", otherwise)


def metrics(table: Table, read: Reading) -> set[bool]:
    """Whether the declared values of a sheet are rates: of its metrics those that can only be one thing."""
    column = read.column("metric")
    if column is None:
        return set()
    known = cleaning.codes(table.cells[column.position], Metric.spellings()).values.drop_nulls().unique().to_list()
    return {each == Metric.FAILURE_RATE.value for each in known}


def _old_days(table: Table, column: Column, answers: Mapping[str, str]) -> Iterator[Question]:
    cells = cleaning.without_dashes(table.cells[column.position].unique(maintain_order=True)).drop_nulls()
    days = forms.days(column.field, cells, excel=table.excel, answers=answers, position=column.position).values
    wrong = cells.filter(doubtful_days(days.cast(pl.Date)))
    if not len(wrong):
        return
    options = [Option(KEEP, _KEEP)]
    if not column.field.required:
        options.append(Option(EMPTY, Text("不知道，留空", "Nobody knows; leave them empty")))
    count = int(table.cells[column.position].str.strip_chars().is_in(wrong.implode()).sum())
    yield Question(
        f"sure:dates:{column.position}", _said(_DATES, heading=column.heading, count=count), tuple(options),
        column.heading, _examples(wrong), required=False,
    )  # fmt: skip


def _shares(table: Table, column: Column) -> Iterator[Question]:
    """Percentages where fractions are expected without a sign, or fractions under a heading that says %."""
    cells = cleaning.without_dashes(table.cells[column.position])
    plain = cells.cast(pl.Float64, strict=False)
    plain = plain.filter(plain > 0)
    if not len(plain):
        return
    low, high = (float(str(each)) for each in (plain.min(), plain.max()))
    fits = column.scale.factor == 1 and 1 < high <= 100
    odd = column.scale.factor != 1 and high <= 1 and low < 1
    if not (fits or odd):
        return
    shown = cells.drop_nulls()
    n = float(str(plain[0]))
    options = (
        Option(PERCENT, Text(f"百分数（{n:g} 即 {n:g}%）", f"percentages ({n:g} is {n:g} %)")),
        Option(FRACTION, Text(f"小数（{n:g} 即 {n * 100:g}%）", f"fractions ({n:g} is {n * 100:g} %)")),
    )
    yield Question(
        f"sure:share:{column.position}",
        _said(_SHARES, heading=column.heading),
        options,
        column.heading,
        _examples(shown),
    )


def _rates(table: Table, read: Reading, answers: Mapping[str, str]) -> Iterator[Question]:
    """Rates that are impossible in their unit: FIT written as failures an hour, or the other way round."""
    column = read.column("value")
    if read.kind.name != "declared_value" or column is None:
        return
    said, written = forms.implied(read).get("unit") or answers.get(f"unit:{column.position}"), read.column("unit")
    height = table.cells.height
    unit = (
        cleaning.code_text(table.cells[written.position])
        if written
        else pl.repeat(said, height, dtype=pl.String, eager=True)
    )
    cells = table.cells[column.position]
    values = cleaning.numbers(cells, factor=column.scale.factor, percent=False).values
    wrong = doubtful_rates(values, unit)
    if not wrong.any():
        return
    options = [Option(KEEP, _KEEP)]
    for name, folded in _UNITS.items():
        if (values.filter(wrong) * FIT[folded]).is_between(*_LIKELY_FIT).all():
            options.append(Option(name, Text(f"以 {name} 计", f"in {name}")))
    yield Question(
        f"sure:rate:{column.position}", _said(_RATE, heading=column.heading, count=int(wrong.sum())), tuple(options),
        column.heading, _examples(cells.filter(wrong)),
    )  # fmt: skip


def _ages(table: Table, read: Reading, beside: Beside, answers: Mapping[str, str]) -> Iterator[Question]:
    """Ages that are small for hours, where those that are known of the same parts are not."""
    column, part = read.column("age"), read.column("part")
    if read.kind.name != "life_record" or column is None or part is None:
        return
    cells = cleaning.without_dashes(table.cells[column.position])
    known = column.scale.unit or forms.implied(read).get("unit") or answers.get(f"unit:{column.position}")
    written = read.column("unit")
    if known is None and written is not None:
        codes = cleaning.codes(table.cells[written.position], AgeUnit.spellings()).values
        if not (codes.fill_null(AgeUnit.HOURS.value) == AgeUnit.HOURS.value).all():
            return
    elif (known or AgeUnit.HOURS.value) != AgeUnit.HOURS.value:
        return
    named = units.in_cells(read.kind, column.field, column.scale, "h")
    ages = cleaning.numbers(cells, factor=column.scale.factor, units=named, percent=False).values.drop_nulls()
    if len(ages) < _SEVERAL or float(str(ages.max())) >= _YOUNG or ages.sum() == 0:
        return
    parts = beside.parts(table.cells[part.position])
    if parts["age_unit"].is_in(["km", "cycles", "months"]).any() and known is None:
        return
    median = beside.ages_elsewhere(parts["key"], parts["part_class"])
    if median is None or median <= _OLD:
        return
    options = (
        Option(KEEP, Text("小时", "hours")),
        Option(YEARS, Text("年（每年 8760 小时）", "years (of 8,760 hours)")),
        Option(THOUSANDS, Text("千小时", "thousands of hours")),
    )
    text = _said(_AGES, heading=column.heading, median=f"{median:.0f}")
    yield Question(f"sure:age:{column.position}", text, options, column.heading, _examples(cells))


def _parts(table: Table, read: Reading, beside: Beside) -> Iterator[Question]:
    """Part numbers that the loader does not know, where it knows others: the file may be another firm's."""
    column = read.column("part")
    if read.kind.name not in _OF_OWN_PARTS or beside.view is None or beside.administrator:
        return
    if column is None or not beside.knows_parts:
        return
    parts = beside.parts(table.cells[column.position])
    foreign = parts.filter(pl.col("key").is_null() & ~pl.col("loaded"))["text"]
    if len(foreign) < _SEVERAL or 2 * len(foreign) <= parts.height:
        return
    shown = ", ".join(masked_text(each[:40]) for each in foreign.head(_EXAMPLES).to_list()) + " …"
    yes = Option(KEEP, Text("是我方要报的零部件，建占位", "They are what we report of; make placeholders"))
    text = _said(_PARTS, total=parts.height, count=len(foreign), shown=shown)
    yield Question("sure:parts", text, (yes,), column.heading, _examples(foreign))


def _said(text: Text, **values: object) -> Text:
    return Text(text.zh.format(**values), text.en.format(**values))


def _examples(cells: pl.Series) -> tuple[str, ...]:
    some = cells.drop_nulls().unique(maintain_order=True).head(_EXAMPLES).to_list()
    return tuple(masked_text(each[:80]) for each in some)


def wrong_ppm(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of inspections whose PPM is not rejected / checked * 10^6, to a hundredth: `row`, `value`, `expected`."""
    if not {"ppm", "rejected", "checked"} <= set(rows.columns):
        return pl.DataFrame()
    expected = pl.col("rejected") / pl.when(pl.col("checked") > 0).then("checked") * 1e6
    wrong = (pl.col("ppm") - expected).abs() > pl.max_horizontal(pl.lit(1.0), expected * 0.01)
    found = rows.filter(wrong.fill_null(value=False))
    return found.select(ROW, value=pl.col("ppm").cast(pl.String), expected=expected.round(0).cast(pl.Int64))
