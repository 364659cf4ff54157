"""Flat tables of every kind for spreadsheets, notebooks and dashboards: `GET /tables/{name}.{csv|json|parquet}`.

`?field=value` and `?field.operator=value` filter (eq, in with commas, contains, gte, lte, is_null), `order=-share,key`
orders, `columns=a,b` chooses, `limit=1000` cuts. Without `lang` the columns have the names and codes that an upload
takes; with `lang=zh` or `lang=en` headings and codes are labels. CSV is UTF-8 with BOM, and a text that a spreadsheet
would run as a formula has a `'` before it.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterable
from typing import Any

import polars as pl
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from chaingraph import Action, Capability, View
from ingest import defused
from schema import BASE, Kind, Text
from server.api import aspects, touched
from server.api.budget import Budgets
from server.api.context import Context
from server.api.errors import ApiError, Code
from server.api.filters import both, condition, operators_of
from server.api.limits import BITS
from server.api.naming import lists
from server.api.paging import By, Listing

CELLS = 100
"""So many cells of a table cost as much as one object of GraphQL."""

BASE_LABELS = {
    "key": Text("主键", "Key"),
    "owner": Text("数据所有方", "Owner"),
    "upload": Text("上传", "Upload"),
    "row": Text("文件行号", "Row in the file"),
    "extra": Text("其他列", "Other columns"),
}
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}


def rows(view: View, of: Kind, parameters: Iterable[tuple[str, str]]) -> pl.DataFrame:
    """The rows that the parameters ask for; raises ApiError for a parameter that the table does not have."""
    conditions: list[pl.Expr] = []
    order: list[By] = []
    columns = [*(c for c in BASE if c in {"key", "owner"}), *of.fields, *(c for c in BASE if c not in {"key", "owner"})]
    limit: int | None = None
    locale: str | None = None
    for name, text in parameters:
        if name == "lang":
            locale = _one_of("lang", text, ("zh", "en"))
        elif name == "limit":
            limit = _number(text)
        elif name == "columns":
            chosen = [_column(of, c.strip()) for c in text.split(",")]
            columns = list(dict.fromkeys(chosen))
        elif name == "order":
            order = [
                By(_column(of, step.strip().removeprefix("-")), step.strip().startswith("-"))
                for step in text.split(",")
            ]
        else:
            field, _, operator = name.partition(".")
            conditions.append(_condition(of, _column(of, field), operator or "eq", text))
    listing = Listing(view, of, both(conditions) if conditions else None, order)
    places = listing.everything()[:limit]
    touched.rows(view, of.name, places)
    found = view.table(of.name).select(columns)[places]
    return found if locale is None else labelled(of, found, locale)


def labelled(of: Kind, frame: pl.DataFrame, locale: str) -> pl.DataFrame:
    """The table with headings and codes as a person reads them."""
    for name in frame.columns:
        vocabulary = of.fields[name].vocabulary if name in of.fields else None
        if vocabulary is not None:
            texts = {m.value: m.text.say(locale) for m in vocabulary}
            frame = frame.with_columns(pl.col(name).replace(texts))
    headings: dict[str, str] = {}
    for name in frame.columns:
        heading = (of.fields[name].label if name in of.fields else BASE_LABELS[name]).say(locale)
        headings[name] = f"{heading} [{name}]" if heading in headings.values() else heading
    return frame.rename(headings)


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with a `'` before every text that a spreadsheet would run as a formula."""
    return frame.with_columns(defused(pl.col(pl.String)).name.keep())


def written(frame: pl.DataFrame, form: str) -> bytes:
    """The table as a file."""
    out = io.BytesIO()
    if form == "csv":
        harmless(frame).write_csv(out, include_bom=True, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    elif form == "json":
        frame.write_json(out)
    else:
        frame.write_parquet(out)
    return out.getvalue()


def endpoint(context: Callable[[Request], Context], budgets: Budgets) -> Callable[[Request], Any]:
    """The handler of `/tables/{name}.{form}` for who sends a request, as `context` finds out; cells cost budget."""

    async def table(request: Request) -> Response:
        name, form = request.path_params["name"], request.path_params["form"]
        known = lists()
        if name not in known or form not in MEDIA:
            formats = ", ".join(MEDIA)
            raise ApiError(
                Code.NOT_FOUND, f"There is no table {name}.{form}; tables: {', '.join(known)}; formats: {formats}."
            )
        asked = request.query_params.multi_items()

        who = context(request)
        who.touched.action = Action.EXPORT

        def make() -> bytes:
            with who.touched.watching():
                if not who.actor.may(Capability.READ):
                    raise aspects.forbidden("A table", who.actor)
                of = known[name]
                budgets.spend(who.actor, who.view.count(of.name) * len(of.schema) / CELLS)
                return written(rows(who.view, of, asked), form)

        try:
            with who.touched.refusals():
                content = await to_thread.run_sync(make)
        finally:
            await touched.settle(who)
        headers = {"x-content-type-options": "nosniff", "cache-control": "no-cache"}
        if form != "json":
            headers["content-disposition"] = f'attachment; filename="{name}.{form}"'
        return Response(content, media_type=MEDIA[form], headers=headers)

    return table


def _column(of: Kind, name: str) -> str:
    if name not in of.schema:
        raise ApiError(Code.BAD_REQUEST, f"There is no column {name!r}; columns: {', '.join(of.schema)}.")
    return name


def _condition(of: Kind, field: str, operator: str, text: str) -> pl.Expr:
    vocabulary = of.fields[field].vocabulary if field in of.fields else None
    closed = vocabulary is not None or field in of.refs
    _one_of(f"the operator of {field}", operator, operators_of(of.schema[field], closed=closed))
    if operator == "is_null":
        return condition(of, field, operator, _one_of(f"{field}.is_null", text, ("true", "false")) == "true")
    values = text.split(",") if operator == "in" else [text]
    if vocabulary is not None:
        for value in values:
            _one_of(field, value, vocabulary.codes())
    read = [_value(field, of.schema[field], value) for value in values]
    return condition(of, field, operator, read if operator == "in" else read[0])


def _value(field: str, dtype: pl.DataType, text: str) -> Any:
    if dtype == pl.Boolean():
        return _one_of(field, text, ("true", "false")) == "true"
    readers: dict[pl.DataType, Callable[[str], Any]] = {
        pl.Int64(): _whole,
        pl.Float64(): float,
        pl.Date(): dt.date.fromisoformat,
        pl.Datetime("us", "UTC"): lambda t: dt.datetime.fromisoformat(t).astimezone(dt.UTC),
    }
    try:
        return readers.get(dtype, str)(text)
    except (ValueError, OverflowError):
        raise ApiError(Code.BAD_REQUEST, f"{field}: {text[:80]!r} is not what the column holds.") from None


def _whole(text: str) -> int:
    found = int(text)
    if found.bit_length() > BITS:
        raise OverflowError(text)
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 12 or not int(text):
        raise ApiError(Code.OUT_OF_RANGE, f"limit is a whole number from 1, not {text[:20]!r}.")
    return int(text)


def _one_of(what: str, text: str, allowed: Iterable[str]) -> str:
    allowed = list(allowed)
    if text not in allowed:
        raise ApiError(Code.BAD_REQUEST, f"{what} is one of {', '.join(allowed)}, not {text[:80]!r}.")
    return text
