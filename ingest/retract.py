"""Taking an upload back: what it brought goes, what it had changed comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import polars as pl

from chaingraph import NotFound, Workspace
from chaingraph.snapshot import Snapshot
from chaingraph.workspace import load_run
from ingest.report import Report
from schema import KINDS, Text, kind, relations_to


def undo(workspace: Workspace, upload: str) -> Report:
    """Take an upload back as one load. Raises NotFound when there is none of that number.

    Rows that it brought are deleted, rows that it changed are put back as they were; a thing that others refer to stays
    as a placeholder. Undoing what is undone changes nothing.
    """
    report = Report()
    with workspace.writing() as snapshot:
        put, delete = retracted(workspace, snapshot, upload, {}, {}, "undone")
        for name in KINDS:
            counts = report.count(upload, name)
            counts.removed, counts.changed = len(delete.get(name, ())), len(put.get(name, ()))
            if name == "upload" or not (counts.removed or counts.changed):
                report.counts.pop((upload, name))
        if put or delete:
            report.revision = workspace.submit(
                load_run(put, delete, by=_owner(snapshot, upload), load=f"undo {upload}")
            )
    return report


def _owner(snapshot: Snapshot, upload: str) -> str:
    return str(snapshot.table("upload").filter(pl.col("key") == upload)["by"][0])


def retracted(
    workspace: Workspace,
    snapshot: Snapshot,
    upload: str,
    put: Mapping[str, pl.DataFrame],
    kept: Mapping[str, pl.Series],
    state: Literal["undone", "replaced"],
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.Series]]:
    """What to put and what to delete so that nothing of `upload` is left, but for the keys `kept` (by kind).

    `put` is what else the same load puts, whose references count too.
    """
    record = snapshot.table("upload").filter(pl.col("key") == upload)
    if not record.height:
        raise NotFound(
            "upload.unknown",
            Text(f"没有回执号 {upload}。", f"There is no upload {upload}."),
            Text("请核对回执号。", "Check its number."),
        )
    gone: dict[str, pl.DataFrame] = {}
    for name in KINDS:
        rows = snapshot.table(name).filter(pl.col("upload") == upload)
        if name in kept:
            rows = rows.join(kept[name].to_frame("key"), on="key", how="anti", maintain_order="left")
        if rows.height:
            gone[name] = rows
    back = _before(workspace, snapshot, upload, gone)
    delete_rows = {
        name: rows.join(back[name].select("key"), on="key", how="anti", maintain_order="left") if name in back else rows
        for name, rows in gone.items()
    }
    _spare_referred(snapshot, put, back, delete_rows)
    back["upload"] = record.with_columns(state=pl.lit(state))
    return back, {name: rows["key"] for name, rows in delete_rows.items() if rows.height}


def _before(
    workspace: Workspace, snapshot: Snapshot, upload: str, gone: Mapping[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    """Of the rows that go, those that an earlier upload, not taken back since, had stated: as it stated them last."""
    uploads = snapshot.table("upload")
    undone = uploads.filter(pl.col("state") != "loaded")["key"].to_list()
    found: dict[str, list[pl.DataFrame]] = {}
    for commit in workspace.store.journal(0, snapshot.revision):
        changes = commit.changes(list(gone))
        for name, rows in changes.put.items():
            if name in gone:
                mine = rows.join(gone[name].select("key"), on="key", how="semi")
                found.setdefault(name, []).append(mine.with_columns(_at=pl.lit(commit.revision)))
    back = {}
    for name, parts in found.items():
        stated = pl.concat(parts).filter(pl.col("upload").ne_missing(upload) & ~pl.col("upload").is_in(undone))
        first = pl.concat(parts).filter(pl.col("upload") == upload).group_by("key").agg(first=pl.col("_at").min())
        stated = stated.join(first, on="key").filter(pl.col("_at") < pl.col("first"))
        latest = stated.sort("_at").unique("key", keep="last", maintain_order=True)
        if latest.height:
            back[name] = latest.select(kind(name).schema.keys())
    return back


def _spare_referred(
    snapshot: Snapshot,
    put: Mapping[str, pl.DataFrame],
    back: dict[str, pl.DataFrame],
    delete: dict[str, pl.DataFrame],
) -> None:
    """Things to be deleted become placeholders where what stays refers to them; referring kinds are seen first."""
    for name in reversed(KINDS):
        of = kind(name)
        rows = delete.get(name)
        if rows is None or not of.stubs:
            continue
        wanted = []
        for source, column in relations_to(name):
            stays = snapshot.table(source.name)
            for other in (delete, back, put):
                if source.name in other:
                    stays = stays.join(other[source.name].select("key"), on="key", how="anti")
            tables = [stays, *(t[source.name] for t in (back, put) if source.name in t)]
            wanted += [table.select(pl.col(column).alias("natural")) for table in tables]
        referred = pl.concat(wanted).drop_nulls().unique() if wanted else pl.DataFrame(schema={"natural": pl.String()})
        natural = rows.with_columns(of.natural_of().alias("natural"))
        spared = natural.join(referred, on="natural", how="semi", maintain_order="left").drop("natural")
        if not spared.height:
            continue
        delete[name] = rows.join(spared.select("key"), on="key", how="anti", maintain_order="left")
        bare = of.frame(spared.select("key", "owner", *of.key).with_columns(stub=pl.lit(value=True)))
        back[name] = pl.concat([back[name], bare]) if name in back else bare
