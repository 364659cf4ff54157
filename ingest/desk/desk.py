"""The desk at which uploads are handed in: nothing is taken that was not shown, and what is confirmed is taken once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from chaingraph import Actor, ChaingraphError, Conflict, NotFound, StoreError, Workspace, who_will_see
from ingest.decisions import Memory, SheetDecisions
from ingest.desk.drafts import Draft, DraftFile, Drafts
from ingest.desk.spool import Spool, file_name
from ingest.load import LOCAL, Looked, load, look
from ingest.opening import Step, silent
from ingest.preview import Preview, preview
from ingest.reading import Limits
from ingest.report import SHOWN, Report
from ingest.retract import undo
from schema.text import Text
from schema.vocabularies import DraftState

MOST_OPEN, MOST_FILES = 50, 50
"""Drafts that an organisation may have open, and files of one."""


class Desk:
    """Uploads of organisations, from the first byte to the receipt and back. Threads and processes may share a folder.

    Every method is asked by an `Actor`, who has the drafts of its organisation and no others.
    """

    def __init__(self, workspace: Workspace, folder: Path, limits: Limits | None = None) -> None:
        self.workspace = workspace
        self._limits = limits or Limits()
        self._spool = Spool(folder, self._limits)
        self._drafts = Drafts(workspace.register)
        self._turn = threading.Lock()

    # what comes

    def create(self, actor: Actor, files: Sequence[tuple[str, int | None]], replace: str | None = None) -> Draft:
        """Begin an upload of files (name, and size where it is known), whose bytes `append` brings.

        Raises ChaingraphError `upload.too_many`.
        """
        if len(files) > MOST_FILES or len(self._open(actor)) >= MOST_OPEN:
            raise ChaingraphError(
                "upload.too_many",
                Text("未完成的上传或文件太多。", "There are too many unfinished uploads, or too many files."),
                Text("请先确认或撤回已有的上传。", "Confirm or withdraw some first."),
            )
        draft = self._drafts.new(actor.organisation, actor.account)
        named = tuple(DraftFile(name=file_name(name), size=size) for name, size in files)
        return self._drafts.put(draft.model_copy(update={"files": named, "replace": replace}))

    def append(self, actor: Actor, number: str, index: int, offset: int, pieces: Iterable[bytes]) -> int:
        """Bytes of the file `index` from `offset` on; returns how many there are then.

        Raises NotFound, Conflict `upload.offset` and `upload.state`, ChaingraphError `upload.too_large`.
        """
        draft = self._changeable(actor, number)
        with self._turn:
            return self._spool.append(self._path(draft, index), offset, pieces)

    def received(self, actor: Actor, number: str) -> list[int]:
        """How many bytes of each file there are."""
        draft = self.get(actor, number)
        return [self._spool.received(path) for path in self._paths(draft)]

    def path(self, actor: Actor, number: str, index: int) -> Path:
        """Where a file is, for who reads it in this process. Raises NotFound."""
        return self._path(self.get(actor, number), index)

    # what is shown, and decided

    def get(self, actor: Actor, number: str) -> Draft:
        """A draft of the actor's organisation. Raises NotFound, alike for none and somebody else's."""
        found = self._drafts.get(actor.organisation, number)
        if found is None:
            raise NotFound(
                "upload.unknown",
                Text(f"没有上传 {number}。", f"There is no upload {number}."),
                Text("请查看上传列表。", "Look at the list of uploads."),
            )
        return self._settled(found)

    def drafts(self, actor: Actor) -> list[Draft]:
        """The drafts of the actor's organisation, the newest first."""
        return [self._settled(draft) for draft in self._drafts.all(actor.organisation)]

    def look(self, actor: Actor, number: str, progress: Callable[[Step], None] = silent, shown: int = SHOWN) -> Looked:
        """What confirming would do, with all that is known; `preview` is the same for people. Raises NotFound."""
        draft = self.get(actor, number)
        return look(
            self.workspace, self._paths(draft), by=draft.by or None, replace=draft.replace, progress=progress,
            limits=self._limits, decisions=draft.decisions, shown=shown,
        )  # fmt: skip

    def preview(self, actor: Actor, number: str, progress: Callable[[Step], None] = silent) -> Preview:
        """What people are shown before they confirm. Raises NotFound."""
        looked = self.look(actor, number, progress)
        return preview(looked, who_will_see(self.workspace.snapshot(), looked.put))

    def decide(self, actor: Actor, number: str, decisions: Mapping[str, SheetDecisions]) -> Draft:
        """Decide about sheets by name; what was decided before and is not said anew stays. Raises as `append`."""
        draft = self._changeable(actor, number)
        merged = dict(draft.decisions)
        for name, each in decisions.items():
            merged[name] = each.over(merged[name]) if name in merged else each
        return self._drafts.put(draft.model_copy(update={"decisions": merged, "problem": None}))

    # what is taken, and taken back

    def confirm(self, actor: Actor, number: str, seen: str, *, strict: bool = False) -> Draft:
        """Have what was shown (its digest is `seen`) taken; whoever works through what is confirmed does so.

        Its decisions are remembered for the layouts. Raises NotFound, Conflict `upload.state` and `upload.changed`.
        """
        draft = self._changeable(actor, number)
        looked = self.look(actor, number)
        if looked.digest != seen:
            raise Conflict(
                "upload.changed",
                Text("预览之后情况有变。", "Things have changed since the preview."),
                Text("请再看一次预览并确认。", "Look at the preview again and confirm it."),
            )
        memory = Memory(self.workspace.register, draft.by or LOCAL)
        for sheet in looked.opened.sheets:
            if sheet.source is not None and sheet.table.name in draft.decisions:
                memory.keep(sheet.table.header, sheet.decided)
        update = {"state": DraftState.CONFIRMED, "seen": seen, "strict": strict, "load": looked.report.load}
        return self._drafts.put(draft.model_copy(update=update))

    def work(self, actor: Actor, number: str, progress: Callable[[Step], None] = silent) -> Draft:
        """Take a confirmed draft. Once it is in the graph it is not taken again, whatever was interrupted when."""
        draft = self.get(actor, number)
        if draft.state is not DraftState.CONFIRMED:
            return draft

        def tell(step: Step) -> None:
            self._spool.tell(draft.id, draft.by, step)
            progress(step)

        try:
            report = load(
                self.workspace, self._paths(draft), by=draft.by or None, strict=draft.strict, replace=draft.replace,
                progress=tell, limits=self._limits, actor=Actor(draft.by, account=draft.account),
                decisions=draft.decisions, expect=draft.seen,
            )  # fmt: skip
        except StoreError:
            raise
        except ChaingraphError as error:
            state = DraftState.OPEN if isinstance(error, Conflict) else DraftState.REFUSED
            update = {"state": state, "seen": None, "problem": (error.code, error.say("zh"), error.say("en"))}
            return self._drafts.put(draft.model_copy(update=update))
        return self._finished(draft, report)

    def work_all(self) -> list[Draft]:
        """Take all that is confirmed, of all organisations, the oldest first."""
        waiting = [draft for draft in reversed(self._drafts.all()) if draft.state is DraftState.CONFIRMED]
        return [self.work(Actor(draft.by, account=draft.account), draft.id) for draft in waiting]

    def progress(self, actor: Actor, number: str) -> Step | None:
        """How far the work on a draft is; None where nothing is known. Raises NotFound."""
        draft = self.get(actor, number)
        return self._spool.told(draft.id, draft.by)

    def withdraw(self, actor: Actor, number: str) -> Draft:
        """Take an upload back, or one not taken yet out of the way; its files go. Raises NotFound, Conflict."""
        draft = self.get(actor, number)
        if draft.state is DraftState.CONFIRMED:
            raise _state(draft)
        if draft.state is DraftState.LOADED and draft.load:
            undo(self.workspace, draft.load, actor=actor)
        self._spool.drop(draft.id, draft.by)
        return self._drafts.put(draft.model_copy(update={"state": DraftState.WITHDRAWN}))

    # inside

    def _open(self, actor: Actor) -> list[Draft]:
        return [d for d in self._drafts.all(actor.organisation) if d.state in {DraftState.OPEN, DraftState.CONFIRMED}]

    def _changeable(self, actor: Actor, number: str) -> Draft:
        draft = self.get(actor, number)
        if draft.state is not DraftState.OPEN:
            raise _state(draft)
        return draft

    def _path(self, draft: Draft, index: int) -> Path:
        if not 0 <= index < len(draft.files):
            raise NotFound(
                "upload.no_file",
                Text(f"上传 {draft.id} 没有第 {index + 1} 个文件。", f"Upload {draft.id} has no file {index + 1}."),
            )
        return self._spool.path(draft.id, draft.by, index, draft.files[index].name)

    def _paths(self, draft: Draft) -> list[Path]:
        return [self._path(draft, index) for index in range(len(draft.files))]

    def _settled(self, draft: Draft) -> Draft:
        """The draft as the graph has it: whose load is there was taken, also where nobody lived to write that down."""
        if draft.state is not DraftState.CONFIRMED:
            return draft
        self.workspace.follow()
        uploads = self.workspace.snapshot().table("upload")
        there = uploads.filter((pl.col("load") == draft.load) & (pl.col("by") == (draft.by or LOCAL)))
        return self._finished(draft, None) if (there["state"] == "loaded").any() else draft

    def _finished(self, draft: Draft, report: Report | None) -> Draft:
        said = None if report is None else {locale: report.to_json(locale) for locale in ("zh", "en")}
        taken = report is None or report.taken
        state = DraftState.LOADED if taken else DraftState.REFUSED
        return self._drafts.put(draft.model_copy(update={"state": state, "report": said}))


def _state(draft: Draft) -> Conflict:
    label = draft.state.text
    return Conflict(
        "upload.state",
        Text(f"上传 {draft.id} 的状态是“{label.zh}”。", f"Upload {draft.id} is {label.en.lower()}."),
        Text("请刷新后再试。", "Look at it again."),
    )
