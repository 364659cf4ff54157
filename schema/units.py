"""Units of quantity: which of them count pieces, and which measure an amount of stuff."""

import polars as pl

MEASURED = frozenset(
    [
        "kg",
        "g",
        "mg",
        "t",
        "lb",
        "oz",
        "l",
        "L",
        "ml",
        "mL",
        "m",
        "mm",
        "cm",
        "km",
        "um",
        "μm",
        "m2",
        "m²",
        "cm2",
        "m3",
        "m³",
        "dm3",
        "in",
        "ft",
        "千克",
        "公斤",
        "克",
        "吨",
        "升",
        "毫升",
        "米",
        "毫米",
        "厘米",
        "平方米",
        "立方米",
    ]
)
"""Units of measured materials: twice as much of them does not mean two units that can fail."""


def is_measured(unit: str = "unit", quantity: str = "quantity") -> pl.Expr:
    """True for an amount of material (kg, L, m, a fraction of a wafer), false for counted pieces, as a column."""
    return pl.col(unit).is_in(list(MEASURED)).fill_null(False) | (pl.col(quantity) != pl.col(quantity).round(0))
