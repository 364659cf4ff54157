"""Taking an upload back: every row it brought is as it was before, unless somebody has changed it since."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from chaingraph.errors import Conflict, NotFound
from chaingraph.snapshot import Snapshot
from chaingraph.store import Store
from chaingraph.workspace import Workspace, load_run
from schema import KINDS, Text, kind


@dataclass(frozen=True)
class Undone:
    """What taking an upload back does: per kind, rows that go and rows that return to what they were."""

    uploads: tuple[str, ...]
    deleted: dict[str, int]
    restored: dict[str, int]


def undo(
    workspace: Workspace,
    number: str,
    *,
    by: str = "",
    dry_run: bool = False,
    committed: Callable[[int], None] | None = None,
) -> Undone:
    """Take back the upload (or all uploads of the load) whose number is `number`, or begins with it and no other does.

    Rows that a later upload has changed stay as they are. Raises NotFound (`upload.unknown`) and Conflict
    (`upload.undone` when it was taken back before, `delete.referred` when later facts refer to what it brought).
    """
    with workspace.writing() as before:
        uploads = _named(before.table("upload"), number)
        numbers = uploads["id"].to_list()
        put: dict[str, pl.DataFrame] = {}
        delete: dict[str, pl.Series] = {}
        for name in KINDS:
            if name == "upload":
                continue
            mine = before.table(name).filter(pl.col("upload").is_in(numbers))
            if len(mine):
                delete[name] = mine["key"]
        loads = uploads["load"].unique().to_list()
        gone = _deleted_by(workspace.store, loads, before)
        wanted = {n: pl.concat([k[n] for k in (delete, gone) if n in k]) for n in delete.keys() | gone.keys()}
        put = _earlier(workspace.store, loads, wanted)
        delete = {n: _without(keys, put.get(n)) for n, keys in delete.items()}
        done = Undone(
            tuple(numbers),
            {n: len(k) for n, k in delete.items() if len(k)},
            {n: len(r) for n, r in put.items() if len(r)},
        )
        if not dry_run:
            revived = [v for n in gone if n in put for v in put[n]["upload"].unique()]
            standing = before.table("upload").filter(pl.col("id").is_in(revived) & (pl.col("state") == "replaced"))
            states = [uploads.with_columns(state=pl.lit("undone")), standing.with_columns(state=pl.lit("loaded"))]
            put["upload"] = pl.concat(states).sort("key")
            for each in load_run(put, delete, by=by, load=f"undo-{uuid.uuid4().hex[:12]}"):
                workspace.store.commit(each)
                if committed is not None:
                    committed(each.size)
    return done


def _named(uploads: pl.DataFrame, number: str) -> pl.DataFrame:
    """The uploads meant by a number of an upload or of a load, or an unambiguous beginning of one."""
    for column in ("id", "load"):
        found = uploads.filter(pl.col(column) == number)
        if not len(found) and len(number) >= 4:
            found = uploads.filter(pl.col(column).str.starts_with(number))
            if found[column].n_unique() > 1:
                continue
        if len(found):
            standing = found.filter(pl.col("state") == "loaded")
            if not len(standing):
                raise Conflict(
                    "upload.undone",
                    Text(f"上传 {number} 已撤销或已替换。", f"The upload {number} was taken back before."),
                )
            return standing
    raise NotFound(
        "upload.unknown",
        Text(f"没有编号为 {number} 的上传。", f"There is no upload {number}."),
        Text("入库回执上有编号（U-…）。", "Its number (U-…) is on the receipt of the load."),
    )


def _deleted_by(store: Store, loads: list[str], now: Snapshot) -> dict[str, pl.Series]:
    """The keys that these loads deleted (in place of another upload) and that nobody has put since."""
    found: dict[str, list[pl.Series]] = {}
    for commit in store.journal():
        if commit.load in loads:
            for name, keys in commit.changes(None).delete.items():
                found.setdefault(name, []).append(keys)
    every = {n: pl.concat(keys).unique().to_frame("key") for n, keys in found.items()}
    return {n: keys.join(now.table(n).select("key"), on="key", how="anti")["key"] for n, keys in every.items()}


def _earlier(store: Store, loads: list[str], wanted: dict[str, pl.Series]) -> dict[str, pl.DataFrame]:
    """The rows that the wanted keys had before the first commit of these loads; keys that were not there are left
    out.
    """
    first = next((c.revision for c in store.journal() if c.load in loads), 0)
    last: dict[str, pl.DataFrame] = {}
    for commit in store.journal(0, first - 1):
        changes = commit.changes(list(wanted))
        for name, keys in wanted.items():
            known = last.get(name, kind(name).empty())
            if name in changes.delete:
                known = known.filter(~pl.col("key").is_in(changes.delete[name].implode()))
            if name in changes.put:
                rows = changes.put[name].join(keys.to_frame("key"), on="key", how="semi")
                known = pl.concat([known.join(rows, on="key", how="anti"), rows])
            last[name] = known
    return {n: rows.sort("key") for n, rows in last.items() if len(rows)}


def _without(keys: pl.Series, rows: pl.DataFrame | None) -> pl.Series:
    return keys if rows is None else keys.filter(~keys.is_in(rows["key"].implode()))
