"""From text cells to typed values, as whole columns: what people write for numbers, dates, yes and no, and codes.

Each function takes a text column and returns the values and a mask of the cells that were not empty and could not be
understood. Most cells are plain and are parsed as they stand; only those that are not are tidied and tried again.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from ingest import formulas
from ingest.headers import fold

_BLANK = "\u0020\u00a0\u3000\ufeff\u200b\t\r\n"
_YES = ("是", "有", "对", "y", "yes", "true", "t", "1", "√", "✓")
_NO = ("否", "无", "不", "n", "no", "false", "f", "0", "×")
_EMPTY = ["", "-", "--", "—", "——", "/", "\\", "n/a", "N/A", "NA", "null", "NULL", "None", "无数据", "暂无"]
_EXCEL_EPOCH = dt.date(1899, 12, 30)
_EXCEL_DAYS = (1, 110_000)
_DAYS = (dt.date(1900, 1, 1), dt.date(2200, 12, 31))
"""A year of two digits is none."""
_BETWEEN = re.compile(r"[;；、，,/|\n]+")
_CLOCK = r"^(.*\d[日号]?)[T\s]+(\d{1,2})[:：](\d{2})(?:[:：](\d{2})(?:\.(\d{1,6})\d*)?)?\s*(Z|[+-]\d{2}:?\d{2})?$"
"""A day, a time of day, and what it is ahead of UTC."""


class Cleaned(NamedTuple):
    """Typed values, null where empty or not understood, and the mask of those not understood."""

    values: pl.Series
    failed: pl.Series


def text(cells: pl.Series) -> pl.Series:
    """Text without blanks around it, and without the apostrophe that an export puts before what looks like a formula;
    nothing where nothing is left.
    """
    stripped = formulas.restored(cells.str.strip_chars(_BLANK))
    return stripped.set(stripped == "", None) if (stripped == "").any() else stripped


def code_text(cells: pl.Series) -> pl.Series:
    """Text that identifies something: full-width letters and digits made narrow, no blanks around it."""
    stripped = text(cells)
    wide = stripped.str.contains("[\u3000\uff01-\uff5e]").fill_null(value=False)
    if not wide.any():
        return stripped
    return text(_at(stripped, wide, lambda some: some.str.normalize("NFKC")))


def without_dashes(cells: pl.Series) -> pl.Series:
    """Text without blanks around it; null for what people write where there is nothing: `-`, `/`, `N/A`."""
    stripped = text(cells)
    nothing = stripped.is_in(_EMPTY)
    return stripped.set(nothing, None) if nothing.any() else stripped


def numbers(cells: pl.Series, *, factor: float = 1.0, units: tuple[str, ...] = ()) -> Cleaned:
    """Finite floats: `12,345`, `0.25%`, full-width digits, one of `units` after the digits.

    `factor` is that of the unit in the column's name; a cell with a percent sign of its own has its own.
    """
    cells = without_dashes(cells)
    values = cells.cast(pl.Float64, strict=False) * factor
    odd = values.is_null() & cells.is_not_null()
    if odd.any():
        values = _at(values, odd, lambda _: _odd_numbers(cells.filter(odd), factor, units))
    values = values.set(values.is_finite().not_().fill_null(value=False), None)
    return Cleaned(values, values.is_null() & cells.is_not_null())


def _odd_numbers(cells: pl.Series, factor: float, units: tuple[str, ...]) -> pl.Series:
    plain = cells.str.normalize("NFKC").str.strip_chars(_BLANK)
    for unit in units:
        plain = plain.str.strip_suffix(unit)
    plain = plain.str.replace_all(r"[\s]+", "")
    percent, permille = plain.str.ends_with("%"), plain.str.ends_with("‰")
    plain = plain.str.strip_chars_end("%‰")
    grouped = plain.str.contains(r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$")
    plain = pl.select(pl.when(grouped).then(plain.str.replace_all(",", "", literal=True)).otherwise(plain)).to_series()
    found = plain.cast(pl.Float64, strict=False)
    scale = pl.select(pl.when(percent).then(0.01).when(permille).then(0.001).otherwise(factor)).to_series()
    return found * scale


def integers(cells: pl.Series, *, units: tuple[str, ...] = ()) -> Cleaned:
    """Whole numbers, `3`, `3.0`, `1,200`; what has a fraction fails."""
    cells = without_dashes(cells)
    values = cells.cast(pl.Int64, strict=False)
    odd = values.is_null() & cells.is_not_null()
    if odd.any():
        found = numbers(cells.filter(odd), units=units).values
        whole = found.set((found != found.round(0)).fill_null(value=False), None)
        values = _at(values, odd, lambda _: whole.cast(pl.Int64, strict=False))
    return Cleaned(values, values.is_null() & cells.is_not_null())


def dates(cells: pl.Series, *, excel: bool = False) -> Cleaned:
    """Days: `2025-03-01`, `2025/3/1`, `2025.3.1`, `2025年3月1日`, `20250301`, with or without a time after it.

    With `excel` also day numbers of a workbook (45717). Day and month without a year, and `3/1/2025`, fail.
    """
    cells = without_dashes(cells)
    values = cells.str.to_date("%Y-%m-%d", strict=False)
    odd = values.is_null() & cells.is_not_null()
    if odd.any():
        values = _at(values, odd, lambda _: _odd_dates(cells.filter(odd), excel=excel))
    values = values.set(~values.is_between(*_DAYS).fill_null(value=True), None)
    return Cleaned(values, values.is_null() & cells.is_not_null())


def _odd_dates(cells: pl.Series, *, excel: bool) -> pl.Series:
    plain = cells.str.normalize("NFKC").str.replace_all(r"\s*([年月/.-])\s*", "$1")
    plain = plain.str.replace(r"^(\d{4})[年/.-](\d{1,2})[月/.-](\d{1,2})(?:[日号]?(?:[T\s]*\d.*)?)$", "$1-$2-$3")
    plain = plain.str.replace(r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$", "$1-$2-$3")
    found = plain.str.to_date("%Y-%m-%d", strict=False)
    if not excel:
        return found
    serial = plain.cast(pl.Float64, strict=False).floor()
    serial = serial.set(~serial.is_between(*_EXCEL_DAYS).fill_null(value=False), None)
    return pl.select(
        pl.coalesce(found, pl.lit(_EXCEL_EPOCH).dt.offset_by(pl.format("{}d", serial.cast(pl.Int64))))
    ).to_series()


def times(cells: pl.Series, *, excel: bool = False) -> Cleaned:
    """Moments in UTC: a day (its midnight) in any way in which days are written, with or without a time of day and a
    zone (`+08:00`) after it; what says no zone is taken as UTC.
    """
    cells = without_dashes(cells)
    plain = cells.str.replace("T", " ", literal=True).str.strip_suffix("Z")
    values = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    odd = values.is_null() & cells.is_not_null()
    if odd.any():
        values = _at(values, odd, lambda _: _odd_times(cells.filter(odd), excel=excel))
    return Cleaned(values.dt.replace_time_zone("UTC"), values.is_null() & cells.is_not_null())


def _odd_times(cells: pl.Series, *, excel: bool) -> pl.Series:
    names = ["day", "hour", "minute", "second", "fraction", "zone"]
    read = cells.str.normalize("NFKC").str.extract_groups(_CLOCK).struct.rename_fields(names).struct.unnest()
    written = read["day"].zip_with(read["day"].is_not_null(), cells)
    zone = pl.col("zone").str.replace(":", "").str.replace("Z", "+0000").fill_null("+0000")
    ahead = zone.str.slice(1, 2).cast(pl.Int64) * 60 + zone.str.slice(3, 2).cast(pl.Int64)
    clock = [pl.col(name).cast(pl.Int64).fill_null(0) for name in ("hour", "minute", "second")]
    hours, minutes, seconds = clock
    real = (hours < 24) & (minutes < 60) & (seconds < 60) & (ahead <= 14 * 60)
    behind = pl.when(zone.str.starts_with("-")).then(ahead).otherwise(-ahead)
    micros = pl.col("fraction").str.pad_end(6, "0").cast(pl.Int64).fill_null(0)
    after = pl.duration(hours=hours, minutes=minutes + behind, seconds=seconds, microseconds=micros)
    days = dates(written, excel=excel).values.cast(pl.Datetime("us"))
    return read.select(pl.when(real).then(days + after)).to_series()


def booleans(cells: pl.Series) -> Cleaned:
    """是/否, Y/N, true/false, 1/0."""
    spellings = dict.fromkeys(_YES, "1") | dict.fromkeys(_NO, "0")
    values, failed = codes(cells, spellings)
    return Cleaned(values == "1", failed)


def codes(cells: pl.Series, spellings: Mapping[str, str]) -> Cleaned:
    """The codes of a vocabulary, by any spelling of `spellings`; case, width, blanks and punctuation do not matter."""
    cells = without_dashes(cells)
    known = {fold(spelling): code for spelling, code in spellings.items()}
    distinct = cells.unique().drop_nulls()
    mapped = [known.get(fold(each)) for each in distinct.to_list()]
    values = cells.replace_strict(distinct, pl.Series(mapped, dtype=pl.String), default=None, return_dtype=pl.String)
    return Cleaned(values, values.is_null() & cells.is_not_null())


def code_lists(cells: pl.Series, spellings: Mapping[str, str], order: Sequence[str]) -> Cleaned:
    """Several codes in a cell, between `;`, `,`, `、`, `/` or line breaks: each once, in `order`, with `;` between.

    A cell with anything that is no spelling of a code fails.
    """
    cells = without_dashes(cells)
    known = {fold(spelling): code for spelling, code in spellings.items()}
    distinct = cells.unique().drop_nulls()
    mapped: list[str | None] = []
    for each in distinct.to_list():
        found = {known.get(fold(piece)) for piece in _BETWEEN.split(each) if fold(piece)}
        mapped.append(None if None in found or not found else ";".join(code for code in order if code in found))
    values = cells.replace_strict(distinct, pl.Series(mapped, dtype=pl.String), default=None, return_dtype=pl.String)
    return Cleaned(values, values.is_null() & cells.is_not_null())


def _at(values: pl.Series, mask: pl.Series, repair: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`values` with those under `mask` replaced by what `repair` makes of them."""
    return values.scatter(mask.arg_true(), repair(values.filter(mask)))
