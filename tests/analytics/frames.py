"""Life records, declared values and parts as frames, written shortly."""

import polars as pl

TEXT, NUMBER = pl.String(), pl.Float64()
RECORD: dict[str, pl.DataType] = {
    **dict.fromkeys(("key", "owner", "serial", "part", "maker", "lot", "mode", "mechanism", "event", "unit"), TEXT),
    **dict.fromkeys(("product", "region", "version", "origin", "stage"), TEXT),
    **dict.fromkeys(("entry", "age", "age_to"), NUMBER),
    "count": pl.Int64(),
    "relevant": pl.Boolean(),
    **dict.fromkeys(("started_on", "observed_on"), pl.Date()),
}
SHIPMENT: dict[str, pl.DataType] = {
    **dict.fromkeys(("part", "maker", "lot", "region"), TEXT),
    "shipped_on": pl.Date(),
    "quantity": pl.Int64(),
    "usage_per_month": NUMBER,
}
DECLARED: dict[str, pl.DataType] = {
    **dict.fromkeys(("part", "maker", "mode", "metric", "unit", "condition"), TEXT),
    **dict.fromkeys(("value", "shape", "low", "high", "confidence"), NUMBER),
}
MODE: dict[str, pl.DataType] = dict.fromkeys(("key", "part", "mode", "mechanism"), TEXT)
MECHANISM: dict[str, pl.DataType] = {"code": TEXT, "parent": TEXT, "typical_beta": NUMBER}
PART: dict[str, pl.DataType] = {"key": TEXT, "age_unit": TEXT, "assembly": pl.Boolean()}

Row = dict[str, object]


def frame(schema: dict[str, pl.DataType], rows: list[Row], **common: object) -> pl.DataFrame:
    """Rows with `common` filled in and null for what is not said."""
    return pl.DataFrame([{**dict.fromkeys(schema), **common, **row} for row in rows], schema=schema, orient="row")


def records(*rows: Row) -> pl.DataFrame:
    """Life records: unless said otherwise one failure, in hours, from age 0."""
    return frame(RECORD, list(rows), event="failure", entry=0.0, count=1, part="p", maker="m")


def shipments(*rows: Row) -> pl.DataFrame:
    """Shipments: unless said otherwise of which each unit gathers 100 h a month."""
    return frame(SHIPMENT, list(rows), part="p", maker="m", usage_per_month=100.0)


def declared(*rows: Row) -> pl.DataFrame:
    """Declared values: unless said otherwise an MTBF in hours."""
    return frame(DECLARED, list(rows), metric="mtbf", unit="h", part="p", maker="m")


def modes(*rows: Row) -> pl.DataFrame:
    """Failure modes with their mechanisms."""
    return frame(MODE, list(rows))


def mechanisms(*rows: Row) -> pl.DataFrame:
    """The tree of mechanisms."""
    return frame(MECHANISM, list(rows))


def parts(*keys: str, assemblies: tuple[str, ...] = (), unit: str | None = "h") -> pl.DataFrame:
    """Parts by their keys; `assemblies` are parts with children."""
    named = [{"key": key, "assembly": False} for key in keys] + [{"key": key, "assembly": True} for key in assemblies]
    return frame(PART, [dict(row) for row in named], age_unit=unit)
