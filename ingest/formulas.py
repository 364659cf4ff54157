"""Texts that a spreadsheet would run as formulas: made harmless where they leave, and themselves where they come back.

An apostrophe in front keeps a cell of a CSV file from being run (OWASP, CSV injection). What begins with apostrophes
before such a text gets another one, so that taking one away always gives what was there.
"""

from __future__ import annotations

import polars as pl

STARTS = r"\s*[=+\-@＝＋－＠]|[\t\r\n]"
"""How a cell begins that a spreadsheet may run; full-width signs are signs to some of them."""
_NUMBER = r"^[+-]?[0-9.,]*$"
_DEFUSED = rf"^'+(?:{STARTS})"


def defused(texts: pl.Expr) -> pl.Expr:
    """Texts with an apostrophe before every one that a spreadsheet would run; numbers stay as they are."""
    dangerous = texts.str.contains(rf"^'*(?:{STARTS})") & ~texts.str.contains(_NUMBER)
    return pl.when(dangerous).then(pl.lit("'") + texts).otherwise(texts)


def restored(texts: pl.Series) -> pl.Series:
    """Texts without the apostrophe that `defused` put there."""
    if not texts.str.starts_with("'").any():
        return texts
    kept = pl.col("text")
    return (
        texts.alias("text")
        .to_frame()
        .select(pl.when(kept.str.contains(_DEFUSED)).then(kept.str.slice(1)).otherwise(kept))
        .to_series()
        .alias(texts.name)
    )
