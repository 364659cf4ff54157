"""From a table of life records to the arrays of its groups."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analytics.life.rows import Event, LifeRows, ready


def grouped(frame: pl.DataFrame, by: Sequence[str] = ()) -> tuple[LifeRows, pl.DataFrame]:
    """The records of `frame` as rows of groups, and the groups: one row each with the columns `by`, sorted by them.

    `frame` has age (float), and where it has them: event ("failure", "suspension", "interval", or a code of `Event`;
    failure where missing), age_to, entry (0), count (1). Without `by` all rows are one group, also of an empty frame.
    """
    code = pl.col("event")
    if "event" not in frame.columns:
        code = pl.lit(int(Event.FAILURE), pl.Int8)
    elif not frame.schema["event"].is_numeric():
        names = {each.name.lower(): int(each) for each in Event}
        code = code.cast(pl.String).replace_strict(names, default=None, return_dtype=pl.Int8)

    def column(name: str, default: float | None) -> pl.Expr:
        there = pl.col(name).cast(pl.Float64) if name in frame.columns else pl.lit(None, pl.Float64)
        return (there if default is None else there.fill_null(default)).alias(name)

    table = frame.select(
        *by,
        column("age", None),
        code.fill_null(int(Event.FAILURE)).alias("_event"),
        column("entry", 0.0),
        column("age_to", None),
        column("count", 1.0),
    )
    groups = table.select(by).unique().sort(by, nulls_last=True) if by else pl.DataFrame({"_all": [True]}).select([])
    size = groups.height if by else 1
    if by:
        table = table.join(groups.with_row_index("_group"), on=list(by), nulls_equal=True, maintain_order="left")
        of = table["_group"].to_numpy().astype(np.int64)
    else:
        of = np.zeros(table.height, np.int64)
    to = table["age_to"].fill_null(np.nan).to_numpy()
    rows = ready(
        table["age"].to_numpy(), table["_event"].to_numpy(), table["entry"].to_numpy(), to, table["count"].to_numpy(),
        of, size,
    )  # fmt: skip
    return rows, groups
