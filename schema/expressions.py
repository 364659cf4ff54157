"""Bulk rows checked as columns, by polars expressions compiled from the declarations; pydantic words what fails."""

from __future__ import annotations

import polars as pl
from pydantic import ValidationError

from schema.core import Field, Kind
from schema.text import Text

MESSAGES: dict[str, tuple[Text, Text]] = {
    "value.missing": (Text("缺少必填值。", "A required value is missing."), Text("请填写该列。", "Fill in this column.")),
    "value.not_finite": (Text("不是有限的数。", "This is not a finite number."), Text("请填写数字，未知请留空。", "Give a number, or leave the cell empty.")),
    "value.too_small": (Text("数值过小：应{op} {limit}。", "Too small: it must be {op} {limit}."), Text("请更正数值。", "Correct the value.")),
    "value.too_large": (Text("数值过大：应{op} {limit}。", "Too large: it must be {op} {limit}."), Text("请更正数值。", "Correct the value.")),
    "value.too_long": (Text("文字过长：最多 {limit} 个字符。", "Too long: at most {limit} characters."), Text("请缩短文字。", "Shorten the text.")),
    "value.unknown_code": (Text("不在可选值之列：{limit}。", "Not one of the values it may have: {limit}."), Text("请使用所列的值之一。", "Use one of these values.")),
}  # fmt: skip
"""Texts and remedies of the codes that follow from a field's declaration; `{limit}` is the bound that was broken."""

_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def field_checks(field: Field) -> list[tuple[str, pl.Expr, str, str]]:
    """(code, expression that is true where the value is bad, sign, limit) of one field."""
    column = pl.col(field.name)
    checks: list[tuple[str, pl.Expr, str, str]] = []
    if field.required:
        checks.append(("value.missing", column.is_null(), "", ""))
    if field.dtype == pl.Float64():
        checks.append(("value.not_finite", ~column.is_finite(), "", ""))
    broken = {"ge": column.__lt__, "gt": column.__le__, "le": column.__gt__, "lt": column.__ge__}
    for op, limit in field.bounds.items():
        code = "value.too_small" if op in ("ge", "gt") else "value.too_large"
        checks.append((code, broken[op](limit), _SIGNS[op], f"{limit:g}"))
    if field.max_length is not None:
        checks.append(("value.too_long", column.str.len_chars() > field.max_length, "≤", str(field.max_length)))
    if field.vocabulary is not None:
        checks.append(
            ("value.unknown_code", ~column.is_in(field.vocabulary.codes()), "", ", ".join(field.vocabulary.codes()))
        )
    return checks


def violations(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Every place where typed rows break their declaration.

    `rows` has the declared fields as columns. Gives columns `at` (row number in `rows`, uint32), `column`, `code`, `sign`,
    `limit`, in order of `at`; no rows when all is well. Row rules name their last column.
    """
    found = []
    for field in kind.fields.values():
        for code, bad, sign, limit in field_checks(field):
            at = rows.select(pl.arg_where(bad.fill_null(False))).to_series()
            found.append(_places(at, field.name, code, sign, limit))
    for rule in kind.model.ROW_RULES:
        at = rows.select(pl.arg_where(rule.bad().fill_null(False))).to_series()
        found.append(_places(at, rule.columns[-1], rule.code, "", ""))
    return pl.concat(found).sort("at", maintain_order=True)


def explain(kind: Kind, code: str, sign: str = "", limit: str = "") -> tuple[Text, Text]:
    """Text and remedy of a code that `violations` gave."""
    for rule in kind.model.ROW_RULES:
        if rule.code == code:
            return rule.text, rule.remedy
    text, remedy = MESSAGES[code]
    return text.format(op=sign, limit=limit), remedy


def refuses(kind: Kind, row: dict[str, object]) -> str | None:
    """What pydantic says against one row of declared fields; None when it takes it."""
    try:
        kind.model.model_validate({k: v for k, v in row.items() if v is not None})
    except ValidationError as error:
        return "; ".join(e["msg"] for e in error.errors())
    return None


def _places(at: pl.Series, column: str, code: str, sign: str, limit: str) -> pl.DataFrame:
    literals = [
        pl.lit(v, pl.String).alias(n) for n, v in (("column", column), ("code", code), ("sign", sign), ("limit", limit))
    ]
    return pl.DataFrame({"at": at.cast(pl.UInt32)}).with_columns(literals)
