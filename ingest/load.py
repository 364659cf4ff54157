"""Files into the graph: read, map, clean, check, compare with what is stored, commit as one load; and take it back."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, NamedTuple

import polars as pl

from chaingraph import Action, Actor, View, Workspace
from chaingraph.actor import EVERYBODY
from chaingraph.snapshot import Snapshot
from chaingraph.workspace import load_run
from ingest import agreements, headers, reading
from ingest.check import Checker
from ingest.forms import lacks_event
from ingest.personal import masked_text
from ingest.reading import Child, Limits, Table, Unreadable
from ingest.report import Report, finding
from ingest.retract import may_replace, replaced_by, said
from ingest.sheets import Loader, Source, as_json
from schema import KINDS, Text, kind

LOCAL = "local"
"""Who loads into an embedded store without saying who."""
_READERS = 2
_KINDS_SHOWN = 3
_ROWS_SHOWN = 5


class Step(NamedTuple):
    """Progress: of what (bytes or sheets read of a file, checks, rows written) so much is done of so much."""

    stage: Literal["read", "check", "write"]
    file: str | None
    done: int
    total: int


def _silent(step: Step) -> None:
    """Nobody watches."""


def load(
    workspace: Workspace,
    paths: Iterable[Path],
    *,
    by: str | None = None,
    administrator: bool | None = None,
    dry_run: bool = False,
    strict: bool = False,
    replace: str | None = None,
    progress: Callable[[Step], None] = _silent,
    limits: Limits | None = None,
    actor: Actor | None = None,
) -> Report:
    """Load files and dataset folders as one load; returns what was found and done.

    Rows belong to the organisation `by`. Without it the loader is `local` and (unless `administrator` says otherwise)
    an administrator, who may load for others with an `owner` column. `dry_run` commits nothing; `strict` commits
    nothing if there is any error, otherwise good rows are taken. `replace` is an upload whose rows go if the load
    brings any, and not them again. The audit log names the `actor`, `by` where none is given. Raises what
    `Workspace.submit` raises, and NotFound for an unknown `replace`.
    """
    report = Report(dry_run=dry_run)
    sources = _read(_files(paths, report), report, progress, limits)
    who = by or LOCAL
    admin = by is None if administrator is None else administrator
    loader = Loader(who, admin, workspace.store.secret("personal"))
    viewer = EVERYBODY if admin else who
    progress(Step("check", None, 0, 1))
    if dry_run:
        view = workspace.view(viewer)
        _plan(workspace, workspace.snapshot(), view, loader, sources, report, replace)
        progress(Step("check", None, 1, 1))
        return report
    with workspace.writing():
        view = workspace.view(viewer)
        put, delete = _plan(workspace, workspace.snapshot(), view, loader, sources, report, replace)
        progress(Step("check", None, 1, 1))
        if strict and report.refused:
            report.take_nothing()
            return report
        total = sum(map(len, put.values())) + sum(map(len, delete.values()))
        if total:
            written = 0

            def committed(rows: int) -> None:
                nonlocal written
                written += rows
                progress(Step("write", None, written, total))

            progress(Step("write", None, 0, total))
            put = {name: rows if rows["key"].is_sorted() else rows.sort("key") for name, rows in put.items()}
            report.load = load_id(loader, sources, replace)
            entry = said(Action.LOAD, actor or Actor(who), workspace, report.load, put, delete)
            agreed = agreements.entries(put.get(agreements.NAME), actor or Actor(who), report.load, entry.revision)
            run = load_run(put, delete, by=who, load=report.load)
            report.revision = workspace.submit(run, committed, [entry, *agreed])
    return report


def _files(paths: Iterable[Path], report: Report) -> list[Path]:
    """The files meant by `paths`: of a folder those of a format that is read, by name."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = [p for p in sorted(path.iterdir()) if p.suffix.lower() in reading.SUFFIXES]
        inside = [p for p in inside if not p.name.startswith((".", "~$"))]
        found += inside
        if not inside:
            report.add(finding("file.none", file=path.name))
    return found


def _read(
    files: Sequence[Path], report: Report, progress: Callable[[Step], None], limits: Limits | None
) -> list[Source]:
    """All sheets of all files, things before what refers to them; files that cannot be read are reported."""
    turn = threading.Lock()

    def one(path: Path) -> tuple[Path, str, list[Table], list[str], Unreadable | None]:
        def tell(done: int, total: int) -> None:
            with turn:
                progress(Step("read", path.name, done, total))

        child = children.get()
        try:
            tables, hidden = reading.read(path, headers.recognised, child=child, tell=tell)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except Unreadable as unreadable:
            return path, "", [], [], unreadable
        finally:
            children.put(child)
        return path, digest, tables, hidden, None

    sources: list[Source] = []
    children: SimpleQueue[Child] = SimpleQueue()
    with ExitStack() as ends, ThreadPoolExecutor(_READERS) as pool:
        for _ in range(_READERS):
            children.put(ends.enter_context(Child(limits or Limits())))
        for path, digest, tables, hidden, unreadable in pool.map(one, files):
            if unreadable is not None:
                report.add(finding(unreadable.code, file=path.name, **unreadable.values))
            for sheet in hidden:
                report.add(finding("sheet.hidden", file=f"{path.name}[{sheet}]"))
            for table in tables:
                source = _source(len(sources), table, digest, path, alone=len(tables) == 1, report=report)
                if source is not None:
                    sources.append(source)
    order = list(KINDS)
    return sorted(sources, key=lambda s: order.index(s.kind.name) if s.kind else len(order))


def _source(number: int, table: Table, digest: str, path: Path, *, alone: bool, report: Report) -> Source | None:
    """The sheet with its kind; None when it is of a kind and lacks what that needs."""
    names = [table.sheet, path.stem] if alone else [table.sheet]
    found = headers.detect(table.header, names)
    if table.encoding not in {None, "utf-8", "utf-8-sig"}:
        report.add(finding("file.decoded", file=table.name, encoding=table.encoding, rows=_sample(table)))
    if not table.cells.height:
        report.add(finding("sheet.no_rows", file=table.name))
        return None
    read = found.reading
    if read is None:
        closest = ", ".join(
            f"{r.kind.sheet} {len(r.columns)}/{len(table.header)}" for r in found.closest[:_KINDS_SHOWN]
        )
        report.add(finding("sheet.unknown", file=table.name, rows=table.cells.height, closest=closest or "–"))
        return Source(number, table, digest, None)
    missing = list(read.missing)
    if lacks_event(read):
        missing.append(read.kind.fields["event"])
    for each in missing:
        label, names_known = each.label, "; ".join(each.spellings[:8])
        report.add(
            finding(
                "column.missing", file=table.name, column=each.name, label=label, field=each.name, names=names_known
            )
        )
    if missing:
        counts = report.count(table.name, read.kind.name)
        counts.read = counts.refused = table.cells.height
        return None
    for heading, expected, unit in read.bad_units:
        wanted = expected.meta.unit or "–"
        report.add(finding("column.unit", file=table.name, column=heading, value=unit, unit=unit, expected=wanted))
    for _, heading, taken in read.twice:
        label = taken.field.label
        report.add(finding("column.twice", file=table.name, column=heading, first=taken.heading, field=label))
    for heading in read.unmapped.values():
        report.add(finding("column.unmapped", file=table.name, column=heading, closest=_suggested(read, heading)))
    return Source(number, table, digest, read)


def _sample(table: Table) -> str:
    """The heading and the first rows, to see whether they were decoded well; without what tells of persons."""
    kept = {position: name for position, name in table.header.items() if headers.personal(name) is None}
    rows = table.cells.select(pl.col(list(kept)).fill_null("")).head(_ROWS_SHOWN).rows()
    return " ⏎ ".join(masked_text(" | ".join(cells)) for cells in (tuple(kept.values()), *rows))


def _suggested(read: headers.Reading, heading: str) -> Text:
    fields = read.suggestions(heading)
    if not fields:
        return Text("", "")
    return Text(
        f"可能是：{'、'.join(f'{f.label.zh}（{f.name}）' for f in fields)}。",
        f"It may be: {', '.join(f'{f.label.en} ({f.name})' for f in fields)}.",
    )


def _plan(
    workspace: Workspace,
    snapshot: Snapshot,
    view: View,
    loader: Loader,
    sources: list[Source],
    report: Report,
    replace: str | None,
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
    taken = _uploads(put, sources, uploads, loader, report, load_id(loader, sources, replace))
    if taken.height:
        put["upload"] = pl.concat([taken, *([put["upload"]] if "upload" in put else [])])
    return {name: rows.select(kind(name).schema.keys()) for name, rows in put.items()}, delete


def _together(name: str, *tables: pl.DataFrame | None) -> pl.DataFrame:
    """The rows of several tables of one kind, with the columns that are stored."""
    columns = list(kind(name).schema)
    return pl.concat([table.select(columns) for table in tables if table is not None])


def load_id(loader: Loader, sources: list[Source], replace: str | None) -> str:
    """The number of a load: from who loads and the contents of all files."""
    return "L-" + _digest(loader.by, replace or "", *(source.sha256 for source in sources))


def upload_id(by: str, source: Source) -> str:
    """The number of a sheet's upload: from who brings it and its contents."""
    return "U-" + _digest(by, source.sha256, source.table.sheet or "")


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
