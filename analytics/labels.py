"""What all things of a kind are called, as columns: for answers with more rows than one would look up one by one."""

import polars as pl

from chaingraph.view import View
from schema import Text, kind

CODES = {"part": "number", "lot": "code", "mechanism": "code", "mode": "mode"}
"""The field that people call a thing by; its id elsewhere."""

UNKNOWN = Text("未知", "unknown")


def labels(view: View, name: str) -> dict[str, Text]:
    """Code and name of every thing of a kind by its key, in both languages; kept with the view."""
    return view.memo(("analytics.labels", name), lambda: _labels(view, name))


def called(view: View, name: str, key: str | None) -> Text:
    """Code and name of one thing; its key where the view does not have it."""
    if key is None:
        return UNKNOWN
    return labels(view, name).get(key) or Text(key, key)


def _labels(view: View, name: str) -> dict[str, Text]:
    code = pl.col(CODES.get(name, "id"))
    named = [field for field in ("name_zh", "name_en") if field in kind(name).fields]
    columns = []
    for order in (named, named[::-1]):
        title = pl.coalesce(order) if order else pl.lit(None, pl.String)
        columns.append(
            pl.when(title.is_null() | (title == code)).then(code).otherwise(pl.concat_str(code, pl.lit(" "), title))
        )
    table = view.table(name).select("key", zh=columns[0], en=columns[1])
    return {key: Text(zh, en) for key, zh, en in table.iter_rows()}
