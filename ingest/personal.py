"""Data about persons: dropped, masked or replaced by keyed hashes before anything is stored or reported."""

from __future__ import annotations

import hmac

import polars as pl

from ingest.cleaning import code_text
from schema.text import Text

_EDGE, _END = r"(?:^|[^0-9A-Za-z])", r"(?:[^0-9A-Za-z]|$)"

PATTERNS: dict[str, tuple[Text, str]] = {
    "phone": (Text("电话号码", "phone numbers"), r"(?:\+?86[ -]?)?1[3-9]\d[ -]?[\d*]{4}[ -]?[\d*]{4}|0\d{2,3}-\d{7,8}"),
    "id": (
        Text("身份证号", "identity card numbers"),
        r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]",
    ),
    "email": (
        Text("电子邮箱", "e-mail addresses"),
        r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    ),
    "vin": (Text("车辆识别号", "vehicle identification numbers"), r"[A-HJ-NPR-Z0-9]{17}"),
}
"""What cells look like that tell of persons, and what it is called."""

HASH_PREFIX = "h:"
_HASH_HEX = 20
_HASHED = "^h:[0-9a-f]{20}$"
_MASK = "***"


def looks_personal(cells: pl.Series) -> Text | None:
    """What a column's cells look like, if any of them looks personal; None if none does."""
    for name, (what, pattern) in PATTERNS.items():
        if _found(cells, name, pattern).any():
            return what
    return None


def personal_cells(cells: pl.Series) -> pl.Series:
    """Which cells have anything in them that looks personal."""
    found = pl.zeros(len(cells), pl.Boolean, eager=True)
    for name, (_, pattern) in PATTERNS.items():
        found |= _found(cells, name, pattern)
    return found


def _found(cells: pl.Series, name: str, pattern: str) -> pl.Series:
    found = cells.str.contains(_EDGE + f"(?:{pattern})" + _END).fill_null(value=False)
    if name == "vin" and found.any():  # a number of 17 digits, or 17 letters, is no VIN
        found &= _vins(cells)
    return found


def _vins(cells: pl.Series) -> pl.Series:
    words = cells.str.extract_all(PATTERNS["vin"][1])
    both = words.list.eval(pl.element().str.contains(r"\d.*\d") & pl.element().str.contains("[A-Z]"))
    return both.list.any().fill_null(value=False)


def mask(cells: pl.Series) -> tuple[pl.Series, dict[Text, int]]:
    """Free text with what looks personal in it replaced by `***`, and how many cells had which."""
    masked: dict[Text, int] = {}
    for name, (what, pattern) in PATTERNS.items():
        found = _found(cells, name, pattern)
        if found.any():
            masked[what] = int(found.sum())
            clean = cells.filter(found).str.replace_all(f"({_EDGE})(?:{pattern})({_END})", f"${{1}}{_MASK}${{2}}")
            cells = rebuilt(cells.scatter(found.arg_true(), clean))
    return cells, masked


def masked_text(text: str) -> str:
    """One text with what looks personal in it masked, for showing."""
    return str(mask(pl.Series([text]))[0][0])


def hashed(cells: pl.Series, secret: bytes) -> pl.Series:
    """`h:` and 20 hex digits of the HMAC-SHA256 of each cell under the store's secret: the same unit, the same code.

    Width, case and blanks of what was written do not matter. What is a code already stays.
    """
    plain = code_text(cells)
    plain = pl.select(pl.when(plain.str.contains(_HASHED)).then(plain).otherwise(plain.str.to_uppercase())).to_series()
    distinct = plain.filter(~plain.str.contains(_HASHED)).unique().drop_nulls()
    codes = [
        HASH_PREFIX + hmac.digest(secret, each.encode(), "sha256").hex()[:_HASH_HEX] for each in distinct.to_list()
    ]
    return plain.replace(distinct, pl.Series(codes, dtype=pl.String))


def hash_vins(cells: pl.Series, secret: bytes) -> pl.Series:
    """Serial numbers, those that are vehicle identification numbers hashed, the others as they are."""
    found = cells.str.to_uppercase().str.contains(f"^(?:{PATTERNS['vin'][1]})$").fill_null(value=False)
    found &= _vins(cells.str.to_uppercase())
    return rebuilt(cells.scatter(found.arg_true(), hashed(cells.filter(found), secret))) if found.any() else cells


def rebuilt(cells: pl.Series) -> pl.Series:
    """The same text in memory of its own: an Arrow file carries whole buffers, and the old have what was replaced."""
    return pl.select(pl.concat_str(cells, pl.lit(""))).to_series().alias(cells.name)
