"""Changing what is in a Neo4j database, within a transaction: rows and keys handed over in batches."""

from __future__ import annotations

from typing import Any

import neo4j
import polars as pl

from chaingraph.changes import ChangeSet, increasing
from chaingraph.store import cypher
from chaingraph.store.neo4j_link import records
from chaingraph.store.refusals import referred
from schema import Kind, kind

Transaction = neo4j.AsyncManagedTransaction
Rows = list[tuple[Any, ...]]

UNWIND_ROWS = 10_000
"""Rows handed over with one statement: 5,000 to 50,000 are alike in speed, and fewer keep the server's memory low."""


async def run(tx: Transaction, text: str, **parameters: Any) -> neo4j.ResultSummary:
    """Run a statement for what it does."""
    result = await tx.run(text, parameters)
    return await result.consume()


def handed(name: str, rows: pl.DataFrame) -> Rows:
    """Rows as the statements take them; raises ValueError for a row without a key, or two with one."""
    in_order = rows if increasing(rows["key"]) else rows.sort("key")
    if rows["key"].null_count() or not increasing(in_order["key"]) or (len(rows) and in_order["key"][0] == ""):
        raise ValueError(f"Rows of {name} without a key, or two with the same.")
    of = kind(name)
    return (in_order.with_columns(_natural=of.natural_of()) if cypher.stated(of) else in_order).rows()


async def apply(tx: Transaction, changes: ChangeSet, put: dict[str, Rows], *, anew: bool = True) -> None:
    """Deletes, then puts (`put` as `handed` gives them); then, of a change that comes `anew`, look whether anything
    refers to what is gone.
    """
    loose = False
    for name, keys in changes.delete.items():
        gone = keys.cast(pl.String).sort().to_list()
        for statement in cypher.delete(kind(name)):
            for at in range(0, len(gone), UNWIND_ROWS):
                await run(tx, statement, keys=gone[at : at + UNWIND_ROWS])
                loose = True
    for name, rows in put.items():
        loose |= await _put(tx, kind(name), rows)
    if anew:
        await _refuse_referred(tx, changes)
    if loose:
        await run(tx, cypher.SWEEP)


async def _put(tx: Transaction, of: Kind, rows: Rows) -> bool:
    """Put rows; whether relationships went, so that placeholders may be left over."""
    first, *rest = cypher.put(of)
    batches = [rows[at : at + UNWIND_ROWS] for at in range(0, len(rows), UNWIND_ROWS)]
    done = [(await run(tx, first, rows=batch)).counters for batch in batches]
    if not cypher.stated(of) and sum(each.nodes_created for each in done) == len(rows):
        rest = [statement for statement in rest if not statement.endswith(cypher.UNDRAW)]  # new nodes have none
    done += [(await run(tx, statement, rows=batch)).counters for statement in rest for batch in batches]
    return any(each.relationships_deleted for each in done)


async def _refuse_referred(tx: Transaction, changes: ChangeSet) -> None:
    found: dict[str, set[str]] = {}
    for name, keys in changes.delete.items():
        of = kind(name)
        statements = cypher.referrers(of)
        if not len(keys) or not statements:
            continue
        naturals = pl.DataFrame({"key": keys.cast(pl.String)}).select(of.natural_of()).to_series().unique().to_list()
        for at in range(0, len(naturals), UNWIND_ROWS):
            picked = naturals[at : at + UNWIND_ROWS]
            ((there,),) = await records(tx, cypher.still_there(of), {"keys": picked})
            gone = sorted(set(picked).difference(there))
            for other, statement in statements if gone else ():
                ((refer,),) = await records(tx, statement, {"keys": gone})
                found.setdefault(other, set()).update(refer)
    if any(found.values()):
        raise referred({other: sorted(keys, key=str.encode) for other, keys in found.items()})
