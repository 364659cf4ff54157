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
_EMPTY = ["", "-", "--", "－", "—", "——", "/", "／", "\\", "无", "无数据", "暂无"]
_EMPTY += ["n/a", "N/A", "#N/A", "null", "NULL", "Null", "None"]
_EMPTY_NUMBERS = [*_EMPTY, "NA"]
"""Where `NA` may be text (a region), it is."""
_EXCEL_EPOCH = dt.date(1899, 12, 30)
_EXCEL_DAYS = (1, 110_000)
_DAYS = (dt.date(1900, 1, 1), dt.date(2200, 12, 31))
"""A year of two digits is none."""
_BETWEEN = re.compile(r"[;；、，,/|\n]+")
_CLOCK = r"^(.*\d[日号]?)[T\s]+(\d{1,2})[:：](\d{2})(?:[:：](\d{2})(?:\.(\d{1,6})\d*)?)?\s*(Z|[+-]\d{2}:?\d{2})?$"
"""A day, a time of day, and what it is ahead of UTC."""
_AFTER = r"(?:[日号]?(?:(?:T|\s+)\d{1,2}[:时].*)?|[日号]\d{1,2}[:时].*)$"
"""What may stand behind a day: a time of day, which is left out."""
_DAY = r"^(\d{4})[年/.-](\d{1,2})[月/.-](\d{1,2})" + _AFTER
_SHORT_DAY = r"^(\d{1,2})[年/.-](\d{1,2})[月/.-](\d{4}|\d{1,2})" + _AFTER
_MONTH = r"^(\d{4})(?:[年/.-](\d{1,2})月?份?|(\d{2}))$"
_NAMED_MONTHS = ("%d-%b-%Y", "%b-%d-%Y")
_TWO_DIGITS = 70
"""Years of two digits from here on are of the century before (as POSIX `strptime` has it, with 69)."""
_ORDERS: Mapping[str, tuple[int, int, int]] = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}
ORDERS = tuple(_ORDERS)
"""Orders in which people write year, month and day."""
_NUMBER = r"^([+-]?(?:\d[\d, ]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*)$"
_GROUPED = r"^[+-]?\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+)(?:\.\d*)?$"
_MANY = {"千": 1e3, "万": 1e4, "百万": 1e6, "亿": 1e8}
_HOURS_MINUTES = r"^(\d+)\s*(?:h|hr|hrs|小时|时)\s*(\d{1,2})\s*(?:m|min|mins|分|分钟)?$"
_INEXACT = r"^[≥≤><~≈约±]|[±~]|\d\s*[-–—至到]\s*\d|(?:以上|以下|左右|余|多)$"
_BROKEN = r"^#(?:REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)"


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


def without_dashes(cells: pl.Series, empty: Sequence[str] = tuple(_EMPTY_NUMBERS)) -> pl.Series:
    """Text without blanks around it; null for what people write where there is nothing: `-`, `/`, `无`, `N/A`."""
    stripped = text(cells)
    nothing = stripped.is_in(list(empty))
    return stripped.set(nothing, None) if nothing.any() else stripped


def filled(cells: pl.Series) -> pl.Series:
    """Text as `text` has it; null for what stands for nothing in any language, so that it becomes nobody's name."""
    return without_dashes(cells, _EMPTY)


def broken(cells: pl.Series) -> pl.Series:
    """Which cells have the error of a formula (`#REF!`, `#DIV/0!`) in place of a value."""
    marked = cells.str.starts_with("#").fill_null(value=False)
    return marked & cells.str.contains(_BROKEN).fill_null(value=False) if marked.any() else marked


def inexact(cells: pl.Series) -> pl.Series:
    """Which cells tell a number with a bound, a tolerance or a range: `≥500`, `约500`, `500±10`, `100-200`."""
    return cells.str.normalize("NFKC").str.strip_chars(_BLANK).str.contains(_INEXACT).fill_null(value=False)


def numbers(
    cells: pl.Series, *, factor: float = 1.0, units: Mapping[str, float] | None = None, percent: bool = True
) -> Cleaned:
    """Finite floats: `12,345`, `1 234`, `0.25%`, `1.2万`, full-width digits, `2h30min`, one of `units`
    after the digits.

    `factor` is that of the unit in the column's name; a cell with a percent sign (where `percent` makes sense) or a
    unit of its own has its own, which `units` says. Where `factor` is not 1, `1.2万` may be meant either way: it fails.
    """
    cells = without_dashes(cells)
    values = cells.cast(pl.Float64, strict=False) * factor
    odd = values.is_null() & cells.is_not_null()
    if odd.any():
        values = _at(values, odd, lambda _: _odd_numbers(cells.filter(odd), factor, units or {}, percent=percent))
    values = values.set(values.is_finite().not_().fill_null(value=False), None)
    return Cleaned(values, values.is_null() & cells.is_not_null())


def _odd_numbers(cells: pl.Series, factor: float, units: Mapping[str, float], *, percent: bool) -> pl.Series:
    plain = cells.str.normalize("NFKC").str.strip_chars(_BLANK).str.to_lowercase()
    scales = dict(units) | {"": factor}
    if factor == 1:
        scales |= {many + unit: n * u for many, n in _MANY.items() for unit, u in {"": 1.0, **units}.items()} | scales
    if percent:
        scales |= {"%": 0.01, "‰": 0.001}
    read = plain.str.extract_groups(_NUMBER).struct.rename_fields(["number", "unit"]).struct.unnest()
    number = pl.col("number").str.strip_chars()
    grouped = number.str.contains(_GROUPED)
    number = pl.when(grouped).then(number.str.replace_all("[, ]", "")).otherwise(number)
    scale = pl.col("unit").replace_strict(
        pl.Series(list(scales), dtype=pl.String), pl.Series(list(scales.values()), dtype=pl.Float64), default=None
    )
    found = read.select(number.cast(pl.Float64, strict=False) * scale).to_series()
    if units.get("h") != 1:
        return found
    clock = plain.str.extract_groups(_HOURS_MINUTES).struct.rename_fields(["hours", "minutes"]).struct.unnest()
    hours, minutes = clock["hours"].cast(pl.Float64), clock["minutes"].cast(pl.Float64)
    return found.zip_with(found.is_not_null() | (minutes >= 60), hours + minutes / 60)


def integers(cells: pl.Series, *, units: Mapping[str, float] | None = None) -> Cleaned:
    """Whole numbers, `3`, `3.0`, `1,200`, `1.2万`, `3台`; what has a fraction fails."""
    cells = without_dashes(cells)
    values = cells.cast(pl.Int64, strict=False)
    odd = values.is_null() & cells.is_not_null()
    if odd.any():
        found = numbers(cells.filter(odd), units=units, percent=False).values
        whole = found.set((found != found.round(0)).fill_null(value=False), None)
        values = _at(values, odd, lambda _: whole.cast(pl.Int64, strict=False))
    return Cleaned(values, values.is_null() & cells.is_not_null())


def dates(cells: pl.Series, *, excel: bool = False, order: str | None = None, months: bool = False) -> Cleaned:
    """Days: `2025-03-01`, `2025/3/1`, `2025.3.1`, `2025年3月1日`, `20250301`, `1-Mar-2025`, and with a time after it.

    With `excel` also day numbers of a workbook (45717); with an `order` (`ymd`, `dmy`, `mdy`) also `3/1/2025` and years
    of two digits; with `months` a month is its first day (`2025年3月`, `202503`). All of these fail otherwise.
    """
    cells = without_dashes(cells)
    values = cells.str.to_date("%Y-%m-%d", strict=False)
    odd = values.is_null() & cells.is_not_null()
    if odd.any():
        some = cells.filter(odd)
        values = _at(values, odd, lambda _: _odd_dates(some, excel=excel, order=order, months=months))
    values = values.set(~values.is_between(*_DAYS).fill_null(value=True), None)
    return Cleaned(values, values.is_null() & cells.is_not_null())


def _odd_dates(cells: pl.Series, *, excel: bool, order: str | None, months: bool) -> pl.Series:
    plain = tidy_days(cells)
    written = plain.str.replace(_DAY, "$1-$2-$3").str.replace(r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$", "$1-$2-$3")
    found = [written.str.to_date("%Y-%m-%d", strict=False)]
    named = plain.str.replace_all(r"[\s,/.]+", "-")
    if (lettered := named.str.contains("[A-Za-z]{3}").fill_null(value=False)).any():
        some = named.set(~lettered, None)
        found += [some.str.to_date(form, strict=False) for form in _NAMED_MONTHS]
    if order is not None:
        found.append(in_order(plain, order))
    if months:
        read = plain.str.extract_groups(_MONTH).struct.rename_fields(["y", "m", "n"]).struct.unnest()
        first = read.select(pl.concat_str("y", pl.lit("-"), pl.coalesce("m", "n"), pl.lit("-1"))).to_series()
        found.append(first.str.to_date("%Y-%m-%d", strict=False))
    if excel:
        serial = plain.cast(pl.Float64, strict=False).floor()
        serial = serial.set(~serial.is_between(*_EXCEL_DAYS).fill_null(value=False), None)
        days = pl.lit(_EXCEL_EPOCH).dt.offset_by(pl.format("{}d", serial.cast(pl.Int64)))
        found.append(pl.select(days).to_series())
    return pl.select(pl.coalesce(found)).to_series()


def tidy_days(cells: pl.Series) -> pl.Series:
    """Days as they were written, narrow and without blanks around the signs between their pieces."""
    return cells.str.normalize("NFKC").str.strip_chars(_BLANK).str.replace_all(r"\s*([年月/.-])\s*", "$1")


def short_days(plain: pl.Series) -> pl.Series:
    """Which tidy cells look like a day whose pieces could be in several orders: `3/1/2025`, `25.3.1`."""
    return plain.str.contains(_SHORT_DAY).fill_null(value=False)


def in_order(plain: pl.Series, order: str) -> pl.Series:
    """Tidy cells such as `3/1/2025` or `25.3.1` as days, their pieces in that order; null where they are none.

    Years have two digits or four; what has 年 in it is in the order of years first, whatever else is said.
    """
    year, month, day = (pl.col(f"p{i}") for i in _ORDERS[order])
    read = plain.str.extract_groups(_SHORT_DAY).struct.rename_fields(["p0", "p1", "p2"]).struct.unnest()
    short = pl.when(year.cast(pl.Int32) < _TWO_DIGITS).then(pl.lit("20")).otherwise(pl.lit("19")) + year
    full = pl.when(year.str.len_chars() == 4).then(year).when(year.str.len_chars() == 2).then(short)
    signed = pl.lit(plain.str.contains("[年月]")) if order != "ymd" else pl.lit(value=False)
    fits = ~signed & (month.str.len_chars() <= 2) & (day.str.len_chars() <= 2)
    written = pl.when(fits).then(pl.concat_str(full, pl.lit("-"), month, pl.lit("-"), day))
    return read.select(written.str.to_date("%Y-%m-%d", strict=False)).to_series()


def times(cells: pl.Series, *, excel: bool = False, order: str | None = None) -> Cleaned:
    """Moments in UTC: a day (its midnight) in any way in which days are written, with or without a time of day and a
    zone (`+08:00`) after it; what says no zone is taken as UTC.
    """
    cells = without_dashes(cells)
    plain = cells.str.replace("T", " ", literal=True).str.strip_suffix("Z")
    values = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    odd = values.is_null() & cells.is_not_null()
    if odd.any():
        values = _at(values, odd, lambda _: _odd_times(cells.filter(odd), excel=excel, order=order))
    return Cleaned(values.dt.replace_time_zone("UTC"), values.is_null() & cells.is_not_null())


def _odd_times(cells: pl.Series, *, excel: bool, order: str | None) -> pl.Series:
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
    days = dates(written, excel=excel, order=order).values.cast(pl.Datetime("us"))
    return read.select(pl.when(real).then(days + after)).to_series()


def booleans(cells: pl.Series) -> Cleaned:
    """是/否, Y/N, true/false, 1/0."""
    spellings = dict.fromkeys(_YES, "1") | dict.fromkeys(_NO, "0")
    values, failed = codes(cells, spellings)
    return Cleaned(values == "1", failed)


def codes(cells: pl.Series, spellings: Mapping[str, str]) -> Cleaned:
    """The codes of a vocabulary, by any spelling of `spellings`; case, width, blanks and punctuation do not matter.

    What stands for nothing elsewhere (`无`) is what it is called where it is a spelling.
    """
    known = {fold(spelling): code for spelling, code in spellings.items()}
    cells = without_dashes(cells, [each for each in _EMPTY_NUMBERS if fold(each) not in known])
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
