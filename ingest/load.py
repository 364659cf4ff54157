"""Files into the graph: read, map, clean, check, compare with what is stored, commit as one load; and take it back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chaingraph import Action, Actor, Conflict, View, Workspace
from chaingraph.actor import EVERYBODY
from chaingraph.snapshot import Snapshot
from chaingraph.workspace import load_run
from ingest import agreements
from ingest.beside import Beside
from ingest.check import Checker
from ingest.decisions import Decisions, Memory
from ingest.opening import Opened, Step, files, opened, silent
from ingest.reading import Limits
from ingest.report import SHOWN, Report
from ingest.retract import may_replace, replaced_by, said
from ingest.sheets import Loader, Source, as_json
from schema import Text, kind

LOCAL = "local"
"""Who loads into an embedded store without saying who."""


@dataclass(frozen=True)
class Looked:
    """What a load would do: its sheets, its report, and the rows that it would put and delete, by kind.

    `digest` names all that was shown: the same files, decisions and outcome have the same one.
    """

    opened: Opened
    report: Report
    put: Mapping[str, pl.DataFrame]
    delete: Mapping[str, pl.Series]
    digest: str


def load(
    workspace: Workspace,
    paths: Iterable[Path],
    *,
    by: str | None = None,
    administrator: bool | None = None,
    dry_run: bool = False,
    strict: bool = False,
    replace: str | None = None,
    progress: Callable[[Step], None] = silent,
    limits: Limits | None = None,
    actor: Actor | None = None,
    decisions: Decisions | None = None,
    expect: str | None = None,
    number: str | None = None,
) -> Report:
    """Load files and dataset folders as one load; returns what was found and done.

    Rows belong to the organisation `by`. Without it the loader is `local` and (unless `administrator` says otherwise)
    an administrator, who may load for others with an `owner` column. `dry_run` commits nothing; `strict` commits
    nothing if there is any error, otherwise good rows are taken. `replace` is an upload whose rows go if the load
    brings any, and not them again. The audit log names the `actor`, `by` where none is given. `decisions` are about
    single sheets; where they say nothing, what the organisation has decided about such a layout before holds. The
    load is called `number`, else after its contents. Raises
    what `Workspace.submit` raises, NotFound for an unknown `replace`, and Conflict `upload.changed` where the outcome
    is another than the one of `look` whose digest is `expect`.
    """
    if dry_run:
        looked = look(
            workspace, paths, by=by, administrator=administrator, replace=replace, progress=progress, limits=limits,
            decisions=decisions,
        )  # fmt: skip
        looked.report.load = None
        return looked.report
    report = Report()
    loader, viewer = _who(workspace, by, administrator)
    beside = Beside(workspace.view(viewer), loader.by, loader.administrator)
    memory = Memory(workspace.register, loader.by)
    found = opened(files(paths, report), report, progress, limits, decisions, memory, beside)
    progress(Step("check", None, 0, 1))
    with workspace.writing():
        view = workspace.view(viewer)
        put, delete = _plan(workspace, workspace.snapshot(), view, loader, found.sources, report, replace, number)
        progress(Step("check", None, 1, 1))
        unseen = expect is not None and digest(load_id(loader, found.sources, replace), found, report) != expect
        total = sum(map(len, put.values())) + sum(map(len, delete.values()))
        if unseen and (total or report.refused):  # what is all there already, nobody needs to see again
            raise Conflict(
                "upload.changed",
                Text("预览之后情况有变，没有写入。", "Things have changed since the preview; nothing was written."),
                Text("请再看一次预览并确认。", "Look at the preview again and confirm it."),
            )
        if strict and report.refused:
            report.take_nothing()
            return report
        if total:
            written = 0

            def committed(rows: int) -> None:
                nonlocal written
                written += rows
                progress(Step("write", None, written, total))

            progress(Step("write", None, 0, total))
            put = {name: rows if rows["key"].is_sorted() else rows.sort("key") for name, rows in put.items()}
            report.load = number or load_id(loader, found.sources, replace)
            entry = said(Action.LOAD, actor or Actor(loader.by), workspace, report.load, put, delete)
            agreed = agreements.entries(
                put.get(agreements.NAME), actor or Actor(loader.by), report.load, entry.revision
            )
            run = load_run(put, delete, by=loader.by, load=report.load)
            report.revision = workspace.submit(run, committed, [entry, *agreed])
    return report


def look(
    workspace: Workspace,
    paths: Iterable[Path],
    *,
    by: str | None = None,
    administrator: bool | None = None,
    replace: str | None = None,
    progress: Callable[[Step], None] = silent,
    limits: Limits | None = None,
    decisions: Decisions | None = None,
    shown: int = SHOWN,
) -> Looked:
    """What `load` would do; nothing is written. Of one code in one column `shown` rows are listed in the report."""
    report = Report(dry_run=True, shown=shown)
    loader, viewer = _who(workspace, by, administrator)
    beside = Beside(workspace.view(viewer), loader.by, loader.administrator)
    memory = Memory(workspace.register, loader.by)
    found = opened(files(paths, report), report, progress, limits, decisions, memory, beside)
    progress(Step("check", None, 0, 1))
    view = workspace.view(viewer)
    put, delete = _plan(workspace, workspace.snapshot(), view, loader, found.sources, report, replace)
    progress(Step("check", None, 1, 1))
    report.load = load_id(loader, found.sources, replace)
    return Looked(found, report, put, delete, digest(report.load, found, report))


def _who(workspace: Workspace, by: str | None, administrator: bool | None) -> tuple[Loader, str]:
    """Who loads, and with whose eyes the graph is seen for it."""
    who = by or LOCAL
    admin = by is None if administrator is None else administrator
    return Loader(who, admin, workspace.store.secret("personal")), EVERYBODY if admin else who


def digest(number: str, found: Opened, report: Report) -> str:
    """What names a preview: the load's number (so the files and what was decided about them), and what became of the
    rows of each sheet.
    """
    asked = [[question.id for question in sheet.questions] for sheet in found.sheets]
    said = {"load": number, "counts": report.count_rows(), "asked": asked, "errors": report.severities.get("error", 0)}
    return _digest(json.dumps(said, sort_keys=True))


def _plan(
    workspace: Workspace,
    snapshot: Snapshot,
    view: View,
    loader: Loader,
    sources: list[Source],
    report: Report,
    replace: str | None,
    number: str | None = None,
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.Series]]:
    """What to put and what to delete, by kind, for the load of `sources` on this snapshot."""
    if replace is not None:
        may_replace(snapshot, replace, None if loader.administrator else loader.by)
    uploads = {source.number: upload_id(loader.by, source) for source in sources}
    checker = Checker(snapshot, view, loader, sources, uploads, report, replace)
    checker.run()
    put = {name: rows for name, rows in checker.rows.items() if rows.height}
    for name, rows in checker.stubs.items():
        put[name] = _together(name, put.get(name), rows)
    raw = [_raw(source, uploads[source.number], loader, snapshot, report) for source in sources if source.kind is None]
    if raw and (rows := pl.concat(raw)).height:
        put["raw_row"] = rows
    delete: dict[str, pl.Series] = {}
    brought = bool(raw) or any(map(len, checker.kept.values()))
    if replace is not None and replace not in uploads.values() and brought:
        old_put, delete = replaced_by(workspace, snapshot, replace, put, checker.kept)
        for name, keys in delete.items():
            report.count(replace, name).removed = len(keys)
        put = {name: _together(name, put.get(name), old_put.get(name)) for name in {**put, **old_put}}
    taken = _uploads(put, sources, uploads, loader, report, number or load_id(loader, sources, replace))
    if taken.height:
        put["upload"] = pl.concat([taken, *([put["upload"]] if "upload" in put else [])])
    return {name: rows.select(kind(name).schema.keys()) for name, rows in put.items()}, delete


def _together(name: str, *tables: pl.DataFrame | None) -> pl.DataFrame:
    """The rows of several tables of one kind, with the columns that are stored."""
    columns = list(kind(name).schema)
    return pl.concat([table.select(columns) for table in tables if table is not None])


def load_id(loader: Loader, sources: list[Source], replace: str | None) -> str:
    """The number of a load: from who loads, the contents of all files, and what was decided about them."""
    return "L-" + _digest(loader.by, replace or "", *(source.sha256 + source.decided_text for source in sources))


def upload_id(by: str, source: Source) -> str:
    """The number of a sheet's upload: from who brings it, its contents, and what was decided about it."""
    return "U-" + _digest(by, source.sha256, source.table.place + source.decided_text)


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def _raw(source: Source, upload: str, loader: Loader, snapshot: Snapshot, report: Report) -> pl.DataFrame:
    """The rows of a sheet of no known kind, as they are but for personal data; those that are not stored yet."""
    of = kind("raw_row")
    cells = source.table.cells
    data = as_json(source, source.table.header, loader, report)
    rows = pl.DataFrame({"number": cells["row"], "row": cells["row"], "data": data})
    rows = rows.drop_nulls("data").with_columns(source=pl.lit(upload), owner=pl.lit(loader.by), upload=pl.lit(upload))
    rows = of.frame(rows).with_columns(key=of.stored_key())
    news = rows.join(snapshot.table("raw_row").select("key"), on="key", how="anti", maintain_order="left")
    counts = report.count(source.name, None)
    counts.read, counts.raw, counts.same = cells.height, news.height, rows.height - news.height
    return news


def _uploads(
    put: dict[str, pl.DataFrame],
    sources: list[Source],
    ids: dict[int, str],
    loader: Loader,
    report: Report,
    load_id: str,
) -> pl.DataFrame:
    """A row for each sheet that brought anything."""
    of = kind("upload")
    now = dt.datetime.now(dt.UTC)
    brought = pl.concat(
        [rows["upload"] for name, rows in put.items() if name != "upload"] or [pl.Series([], dtype=pl.String)]
    )
    known = set(brought.unique().drop_nulls().to_list())
    rows = []
    for source in sources:
        upload = ids[source.number]
        if upload not in known:
            continue
        counts = report.count(source.name, source.kind.name if source.kind else None)
        report.uploads[source.name] = upload
        rows.append(
            {
                "id": upload, "load": load_id, "file": source.name, "sha256": source.sha256,
                "kind": source.kind.name if source.kind else None, "rows": counts.read,
                "taken": counts.new + counts.changed + counts.raw, "refused": counts.refused,
                "at": now, "by": loader.by, "state": "loaded", "owner": loader.by,
            }
        )  # fmt: skip
    framed = of.frame(pl.DataFrame(rows)) if rows else of.empty()
    return framed.with_columns(key=of.stored_key()).unique("key", keep="first", maintain_order=True)
