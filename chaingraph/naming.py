"""Finding the thing that a person means by what they typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from chaingraph.errors import ChaingraphError, NotFound
from chaingraph.view import View
from schema import Text


def part(view: View, text: str) -> int:
    """Row of the part that `text` names: its number, ISSUER/NUMBER, or another number or drawing it goes by.

    Raises NotFound (`part.unknown`), and ChaingraphError (`part.ambiguous`) naming the candidates.
    """
    at = int(view.locate("part", [text])[0])
    if at >= 0:
        return at
    parts = view.table("part")
    rows = parts.with_row_index("at").filter(pl.col("number") == text)
    if len(rows) > 1 and len(described := rows.filter(~pl.col("stub"))):
        rows = described
    if not len(rows):
        alias = view.table("part_alias").filter((pl.col("number") == text) | (pl.col("drawing_no") == text))
        found = view.locate("part", alias["part"].unique().sort())
        rows = parts.with_row_index("at").filter(pl.col("at").is_in(found[found >= 0].tolist()))
    if not len(rows):
        raise NotFound(
            "part.unknown",
            Text(f"没有零部件 {text}。", f"There is no part {text}."),
            Text("请核对编码，或写作“编码方/编码”。", "Check the number, or write ISSUER/NUMBER."),
        )
    if len(rows) > 1:
        names = ", ".join(rows["key"].head(8))
        raise ChaingraphError(
            "part.ambiguous",
            Text(f"{text} 指向多个零部件：{names}。", f"{text} may be any of {names}."),
            Text("请写作“编码方/编码”。", "Write ISSUER/NUMBER."),
        )
    return int(rows["at"][0])


def organisation(view: View, text: str) -> int:
    """Row of the organisation with this id. Raises NotFound (`organisation.unknown`)."""
    at = int(view.locate("organisation", [text])[0])
    if at < 0:
        raise NotFound("organisation.unknown", Text(f"没有组织 {text}。", f"There is no organisation {text}."))
    return at


def thing(view: View, text: str) -> tuple[str, int]:
    """Kind and row of the thing that `text` names: a part (see `part`), an organisation, a site, a lot or a mechanism.

    `KIND:KEY` says which kind. Raises NotFound (`thing.unknown`).
    """
    name, _, key = text.partition(":")
    if key and name in ("part", "organisation", "site", "consortium", "mechanism", "lot", "mode"):
        at = int(view.locate(name, [key])[0])
        if at >= 0:
            return name, at
    for each in ("organisation", "site", "consortium", "mechanism", "lot"):
        at = int(view.locate(each, [text])[0])
        if at >= 0:
            return each, at
    lots = view.table("lot").with_row_index("at").filter(pl.col("code") == text)
    if len(lots) == 1:
        return "lot", int(lots["at"][0])
    try:
        return "part", part(view, text)
    except NotFound:
        raise NotFound(
            "thing.unknown",
            Text(f"没有 {text}。", f"There is no {text}."),
            Text("请核对代码，或写作“种类:键”。", "Check the code, or write KIND:KEY."),
        ) from None


def label(view: View, name: str, at: int, locale: str) -> str:
    """What a person calls the thing in this row: its code and its name."""
    return _called(view.table(name).row(at, named=True), locale)


def labels(view: View, name: str, keys: pl.Series) -> list[Text]:
    """What a person calls the things of a kind with these keys; the key where the view has no such thing."""
    places = view.locate(name, keys)
    rows = iter(view.table(name)[places[places >= 0]].iter_rows(named=True))
    return [_text(next(rows)) if at >= 0 else Text(key, key) for at, key in zip(places.tolist(), keys, strict=True)]


def _text(row: Mapping[str, Any]) -> Text:
    return Text(_called(row, "zh"), _called(row, "en"))


def _called(row: Mapping[str, Any], locale: str) -> str:
    code = row.get("number") or row.get("code") or row.get("id") or row.get("mode") or row["key"]
    first, second = ("name_zh", "name_en") if locale.startswith("zh") else ("name_en", "name_zh")
    title = row.get(first) or row.get(second)
    return f"{code} {title}" if title and title != code else str(code)
