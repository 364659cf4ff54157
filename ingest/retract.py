"""Taking uploads back: what they brought goes, what they had changed or replaced comes back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import polars as pl

from chaingraph import Action, Actor, ChaingraphError, Entry, NotFound, Workspace
from chaingraph.snapshot import Snapshot
from chaingraph.workspace import load_run
from ingest import agreements, stubs
from ingest.report import Report, finding
from schema import KINDS, Text, kind, relations_to

BEGINNING = 4
"""So many characters of a number are enough, if no other begins with them."""
_NAMED = 5
_OUT_OF_FORCE = {"undone": "upload.undone", "replaced": "upload.replaced"}

Changes = tuple[dict[str, pl.DataFrame], dict[str, pl.Series]]
"""Rows to put and keys to delete, by kind."""


def undo(workspace: Workspace, number: str, *, dry_run: bool = False, actor: Actor | None = None) -> Report:
    """Take an upload, or all uploads of a load, back as one load, by its number or an unambiguous beginning of it.

    Rows that they brought are deleted, rows that they changed are put back as they were; a thing that others refer to
    stays as a placeholder. An upload that they had replaced is there again. Undoing what is undone changes nothing.
    The audit log names the `actor`, who had brought the upload where none is given.
    Raises NotFound when there is none of that number, ChaingraphError when there are several.
    """
    if dry_run:
        workspace.follow()
        return _undo(workspace, workspace.snapshot(), number, actor, dry_run=True)
    with workspace.writing() as snapshot:
        return _undo(workspace, snapshot, number, actor, dry_run=False)


def said(
    action: Action,
    actor: Actor,
    workspace: Workspace,
    number: str,
    put: Mapping[str, pl.DataFrame],
    delete: Mapping[str, pl.Series],
) -> Entry:
    """The entry of the audit log for a load, or the taking back of one: whose rows of which kinds, no row of them."""
    snapshot = workspace.snapshot()
    owners: set[str] = set()
    for rows in put.values():
        owners |= set(rows["owner"].drop_nulls().unique())
    for name, keys in delete.items():
        gone = snapshot.table(name).join(keys.cast(pl.String).to_frame("key"), on="key", how="semi")
        owners |= set(gone["owner"].drop_nulls().unique())
    kinds = {name for name, rows in put.items() if rows.height} | {name for name, keys in delete.items() if len(keys)}
    uploads = put["upload"]["key"].unique().sort().to_list() if "upload" in put else []
    return Entry.of(
        action,
        actor,
        owners=tuple(sorted(owners)),
        kinds=tuple(sorted(kinds)),
        revision=snapshot.revision,
        what={"load": number, "uploads": " ".join(uploads)},
    )


def _undo(workspace: Workspace, snapshot: Snapshot, number: str, actor: Actor | None, *, dry_run: bool) -> Report:
    uploads, past = snapshot.table("upload"), _past(workspace, snapshot)
    replaced = uploads.filter(pl.col("state") == "replaced")["key"].to_list()
    found = _meant(number, {*uploads["key"], *uploads["load"], *(past.by[u] for u in replaced if u in past.by)})
    named = uploads.filter((pl.col("key") == found) | (pl.col("load") == found))
    going = named.filter(pl.col("state") == "loaded")
    gone = set(going["key"])
    stay = set(uploads.filter(pl.col("state") == "loaded")["key"]) - gone
    again = [
        u for u in replaced
        if (by := past.by.get(u)) and (by == found or past.brought[by] & gone) and not past.brought[by] & stay
    ]  # fmt: skip

    report = Report(dry_run=dry_run, load=found if found in uploads["load"] else None)
    report.uploads = dict(going.select("file", "key").iter_rows())
    for file, state in named.filter(pl.col("state") != "loaded").select("file", "state").iter_rows():
        report.add(finding(_OUT_OF_FORCE[state], file=file))
    back = uploads.filter(pl.col("key").is_in(again))
    for file, upload in back.select("file", "key").iter_rows():
        report.add(finding("upload.back", file=file, upload=upload))
    if not (gone or again):
        return report
    put, delete = _taken_back(workspace, snapshot, past, gone, again)
    for name in KINDS:
        if (removed := len(delete.get(name, ()))) + (restored := len(put.get(name, ()))):
            counts = report.count(found, name)
            counts.removed, counts.changed = removed, restored
    put["upload"] = pl.concat([going.with_columns(state=pl.lit("undone")), back.with_columns(state=pl.lit("loaded"))])
    if not dry_run:
        by = str(put["upload"]["by"][0])
        entry = said(Action.UNDO, actor or Actor(by), workspace, found, put, delete)
        agreed = agreements.entries(put.get(agreements.NAME), actor or Actor(by), found, entry.revision)
        run = load_run(put, delete, by=by, load=f"undo {found}")
        report.revision = workspace.submit(run, entries=[entry, *agreed])
    return report


def _meant(number: str, known: Collection[str]) -> str:
    """The number that is meant. Raises NotFound, ChaingraphError."""
    if number in known:
        return number
    several = sorted(each for each in known if each.startswith(number)) if len(number) >= BEGINNING else []
    if not several:
        raise _unknown(number)
    if len(several) > 1:
        some = ", ".join(several[:_NAMED]) + (" …" if len(several) > _NAMED else "")
        raise ChaingraphError(
            "upload.ambiguous",
            Text(f"以 {number} 开头的不止一个：{some}。", f"Several numbers begin with {number}: {some}."),
            Text("请多写几个字符。", "Give more of it."),
        )
    return several[0]


def _unknown(number: str) -> NotFound:
    return NotFound(
        "upload.unknown",
        Text(f"没有回执号 {number}。", f"There is no upload {number}."),
        Text(
            f"请核对回执号或入库批号；至少写前 {BEGINNING} 个字符。",
            f"Check the number of the upload or load; give at least its first {BEGINNING} characters.",
        ),
    )


def _erased(reason: str) -> ChaingraphError:
    return ChaingraphError(
        "journal.redacted",
        Text(
            f"被替换的上传不能恢复：其部分数据已按 {reason} 擦除。",
            f"The upload that was replaced cannot come back: rows that it brought have been erased ({reason}).",
        ),
        Text("请重新上传需要的数据。", "Upload again what is needed of it."),
    )


def may_replace(snapshot: Snapshot, upload: str, by: str | None) -> None:
    """Raises NotFound for an unknown upload, ChaingraphError for one that is not `by`'s (None: an administrator)."""
    record = snapshot.table("upload").filter(pl.col("key") == upload)
    if not len(record):
        raise _unknown(upload)
    if by is not None and record["by"][0] != by:
        raise ChaingraphError(
            "upload.not_yours",
            Text(f"上传 {upload} 不是 {by} 的。", f"The upload {upload} is not {by}'s."),
            Text("只能替换自己的上传；请核对回执号。", "One can replace one's own uploads only; check the number."),
        )


def replaced_by(
    workspace: Workspace,
    snapshot: Snapshot,
    upload: str,
    put: Mapping[str, pl.DataFrame],
    kept: Mapping[str, pl.Series],
) -> Changes:
    """What to put and what to delete so that nothing of `upload` is left, but for the keys `kept` (by kind).

    `put` is what the load that replaces it puts, whose references count too.
    """
    uploads = snapshot.table("upload")
    record = uploads.filter((pl.col("key") == upload) & (pl.col("state") == "loaded"))
    back, delete = _taken_back(workspace, snapshot, _past(workspace, snapshot), {upload}, (), put, kept)
    return back | {"upload": record.with_columns(state=pl.lit("replaced"))}, delete


@dataclass
class _Past:
    """What the journal tells of uploads: those that each load brought, and the load that replaced an upload last."""

    brought: dict[str, set[str]] = field(default_factory=dict)
    by: dict[str, str] = field(default_factory=dict)


def _past(workspace: Workspace, snapshot: Snapshot) -> _Past:
    past = _Past()
    for commit in workspace.store.journal(0, snapshot.revision):
        if not commit.by or commit.load is None:  # nobody's: an interrupted load taken back
            continue
        rows = commit.changes(["upload"]).put.get("upload")
        for upload, load, state in () if rows is None else rows.select("key", "load", "state").iter_rows():
            past.brought.setdefault(load, set()).add(upload)
            if state == "replaced":
                past.by[upload] = commit.load
                past.brought.setdefault(commit.load, set())
    return past


def _taken_back(
    workspace: Workspace,
    snapshot: Snapshot,
    past: _Past,
    gone: Collection[str],
    again: Collection[str],
    put: Mapping[str, pl.DataFrame] | None = None,
    kept: Mapping[str, pl.Series] | None = None,
) -> Changes:
    """The changes by which nothing of the uploads `gone` is left, and what the uploads `again` stated counts again.

    Every row that an upload in force has stated is there, as the latest of them stated it.
    """
    put, kept, uploads = put or {}, kept or {}, snapshot.table("upload")
    loaded = uploads.filter(pl.col("state") == "loaded")["key"]
    force = {*loaded, *again} - {*gone}
    stated = _stated(workspace, snapshot, past, again, None) if again else {}
    back: dict[str, pl.DataFrame] = {}
    delete: dict[str, pl.DataFrame] = {}
    for name in KINDS:
        rows = snapshot.table(name).filter(pl.col("upload").is_in([*gone]))
        if name in kept:
            rows = rows.join(kept[name].to_frame("key"), on="key", how="anti", maintain_order="left")
        if rows.height:
            delete[name] = rows
    wanted = {
        name: pl.concat([t[name].select("key") for t in (delete, stated) if name in t]).unique()
        for name in {**delete, **stated}
    }
    for name, rows in _stated(workspace, snapshot, past, force, wanted).items():
        there = snapshot.table(name).select("key", "upload")
        news = rows.join(there, on=["key", "upload"], how="anti", maintain_order="left")
        if news.height:
            back[name] = agreements.put_back(news) if name == agreements.NAME else news
        if name in delete:
            delete[name] = delete[name].join(rows.select("key"), on="key", how="anti", maintain_order="left")
    placed = {name: rows.with_columns(_sheet=pl.lit(None, pl.Int32)) for name, rows in back.items()}
    for name, rows in stubs.needed(placed, snapshot).items():
        bare = rows.select(kind(name).schema.keys())
        if name in put:
            bare = bare.join(put[name].select("key"), on="key", how="anti", maintain_order="left")
        back[name] = pl.concat([back[name], bare]) if name in back else bare
    _spare_referred(snapshot, put, back, delete)
    return back, {name: rows["key"] for name, rows in delete.items() if rows.height}


def _stated(
    workspace: Workspace,
    snapshot: Snapshot,
    past: _Past,
    uploads: Collection[str],
    wanted: Mapping[str, pl.DataFrame] | None,
) -> dict[str, pl.DataFrame]:
    """The rows of the keys `wanted` (by kind; of all where None) as the latest of `uploads` stated them.

    Rows that were only put back, when another upload was taken back, are no statements; nor are rows that were erased
    since. Raises ChaingraphError (`journal.redacted`) where all are wanted and some were.
    """
    found: dict[str, list[pl.DataFrame]] = {}
    for commit in workspace.store.journal(0, snapshot.revision):
        mine = past.brought.get(commit.load or "", set()) & {*uploads} if commit.by else set()
        if not mine:
            continue
        if wanted is None and any(each.op == "put" for each in commit.redactions):
            raise _erased(commit.redactions[0].reason)
        for name, rows in commit.changes(None if wanted is None else list(wanted)).put.items():
            said = rows.filter(pl.col("upload").is_in([*mine]))
            if wanted is not None:
                said = said.join(wanted[name], on="key", how="semi", maintain_order="left")
            if said.height:
                found.setdefault(name, []).append(said)
    return {
        name: pl.concat(parts).unique("key", keep="last", maintain_order=True).sort("key")
        for name, parts in found.items()
    }


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
