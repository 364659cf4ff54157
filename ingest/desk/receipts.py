"""What whoever brought an upload is given: from the report of its load, else from the graph that has it."""

from __future__ import annotations

import datetime as dt

import polars as pl

from chaingraph.snapshot import Snapshot
from ingest.desk.drafts import Draft, Receipt, ReceiptSheet
from ingest.load import LOCAL
from ingest.report import Report


def receipt_of_report(draft: Draft, report: Report) -> Receipt:
    """The receipt of a draft that has just been taken."""
    sheets = tuple(
        ReceiptSheet(
            file=file, kind=kind, upload=report.uploads.get(file), rows=counts.read,
            taken=counts.new + counts.changed + counts.raw, refused=counts.refused,
        )
        for (file, kind), counts in report.counts.items() if file != draft.replace
    )  # fmt: skip
    return Receipt(number=draft.load or "", at=dt.datetime.now(dt.UTC), sheets=sheets)


def receipt_of_graph(draft: Draft, snapshot: Snapshot) -> Receipt | None:
    """The receipt of a draft whose load the graph has; None where it has not."""
    uploads = snapshot.table("upload")
    there = uploads.filter((pl.col("load") == draft.load) & (pl.col("by") == (draft.by or LOCAL)))
    if draft.load is None or not there.height:
        return None
    columns = there.select("file", "kind", "rows", "taken", "refused", upload="key").sort("file", "upload")
    sheets = tuple(ReceiptSheet.model_validate(row) for row in columns.iter_rows(named=True))
    at = there.select("at").row(0)[0]
    return Receipt(number=draft.load, at=at, sheets=sheets)
