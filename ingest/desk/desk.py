"""The desk at which uploads are handed in: nothing is taken that was not shown, and what is confirmed is taken once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from chaingraph import Actor, Busy, ChaingraphError, Conflict, NotFound, StoreError, Workspace, who_will_see
from chaingraph.settings import settings
from ingest.decisions import UNDECIDED, Memory, SheetDecisions, check
from ingest.desk import refusals
from ingest.desk.drafts import Draft, DraftFile, Drafts, Receipt, Shown
from ingest.desk.receipts import receipt_of_graph, receipt_of_report
from ingest.desk.spool import Spool, file_names
from ingest.load import LOCAL, Looked, load, look
from ingest.opening import Step, silent
from ingest.preview import Preview, preview, ready
from ingest.reading import Limits
from ingest.report import SHOWN, Report
from ingest.retract import undo
from schema.vocabularies import DraftState

LOG = logging.getLogger(__name__)

MOST_OPEN, MOST_FILES = 50, 50
"""Drafts that an organisation may have open, and files of one."""
QUOTA = 8 << 30
"""Bytes that the files of an organisation's drafts may have together."""
RECORD_DAYS = 30
"""Days for which it is known what became of an upload that is over; what it brought stays in the graph."""


class Desk:
    """Uploads of organisations, from the first byte to the receipt and back. Threads and processes may share a folder.

    Every method is asked by an `Actor`, who has the drafts of its organisation and no others. A draft changes its state
    under a lock of its own, and is worked on under another: what happens at once happens in some order, and what was
    killed in the middle is gone on with. Files are deleted when they were taken whole, else `hours` after the last
    change.
    """

    def __init__(
        self,
        workspace: Workspace,
        folder: Path,
        limits: Limits | None = None,
        *,
        hours: float | None = None,
        quota: int = QUOTA,
    ) -> None:
        self.workspace = workspace
        self._limits = limits or Limits()
        self._spool = Spool(folder, self._limits, quota)
        self._drafts = Drafts(workspace.register)
        self._kept = dt.timedelta(hours=settings().draft_hours if hours is None else hours)
        self._listeners: list[Callable[[], None]] = []

    def listen(self, told: Callable[[], None]) -> None:
        """Have `told` called whenever something was confirmed here."""
        self._listeners.append(told)

    # what comes

    def create(self, actor: Actor, files: Sequence[tuple[str, int | None]], replace: str | None = None) -> Draft:
        """Begin an upload of files (name, and size where it is known), whose bytes `append` brings.

        Raises ChaingraphError `upload.too_many`, `upload.too_large` and `upload.quota`.
        """
        if not 0 < len(files) <= MOST_FILES or len(self._open(actor)) >= MOST_OPEN:
            raise refusals.too_many()
        sizes = [size or 0 for _, size in files]
        if max(sizes) > self._spool.most:
            raise refusals.too_large(self._spool.most)
        if self._spool.used(actor.organisation) + sum(sizes) > self._spool.quota:
            raise refusals.quota(self._spool.quota)
        draft = self._drafts.new(actor.organisation, actor.account)
        names = file_names([name for name, _ in files])
        named = tuple(DraftFile(name=name, size=size) for name, (_, size) in zip(names, files, strict=True))
        draft = self._drafts.put(draft.model_copy(update={"files": named, "replace": replace}))
        for index, file in enumerate(named):
            if file.size == 0:
                self._spool.touch(self._path(draft, index))
        return draft

    def append(self, actor: Actor, number: str, index: int, offset: int, pieces: Iterable[bytes]) -> int:
        """Bytes of the file `index` from `offset` on; returns how many there are then.

        Nothing is locked while one waits for the next of `pieces`. Raises NotFound, Conflict `upload.offset` and
        `upload.state`, ChaingraphError `upload.too_large`, `upload.longer` and `upload.quota`.
        """
        draft = self._changeable(actor, number)
        path = self._path(draft, index)

        @contextmanager
        def turn() -> Iterator[None]:
            with self._spool.held(draft.id, draft.by):
                self._changeable(actor, number)
                yield

        room = self._spool.quota - self._spool.used(draft.by)
        return self._spool.append(path, offset, pieces, turn, draft.files[index].size, room)

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
        return self._settled(self._kept_draft(actor.organisation, number))

    def drafts(self, actor: Actor) -> list[Draft]:
        """The drafts of the actor's organisation, the newest first."""
        return [self._settled(draft) for draft in self._drafts.all(actor.organisation)]

    def look(self, actor: Actor, number: str, progress: Callable[[Step], None] = silent, shown: int = SHOWN) -> Looked:
        """What confirming would do, with all that is known; `preview` is the same for people.

        Raises NotFound, Conflict `upload.incomplete` and `upload.files_gone`.
        """
        draft = self._complete(self.get(actor, number))
        return self._look(draft, progress, shown)[0]

    def preview(self, actor: Actor, number: str, progress: Callable[[Step], None] = silent) -> Preview:
        """What people are shown before they confirm. Raises as `look`."""
        looked = self.look(actor, number, progress)
        return preview(looked, who_will_see(self.workspace.snapshot(), looked.put))

    def decide(self, actor: Actor, number: str, decisions: Mapping[str, SheetDecisions]) -> Draft:
        """Decide about sheets by name; what was decided before and is not said anew stays.

        Raises as `append`, and ChaingraphError `decisions.invalid` for a kind or field that there is not.
        """
        check(decisions, {name: each.columns for name, each in decisions.items()})
        with self._changing(actor, number) as draft:
            merged = dict(draft.decisions)
            for name, each in decisions.items():
                merged[name] = each.over(merged[name]) if name in merged else each
            return self._drafts.put(draft.model_copy(update={"decisions": merged, "problem": None}))

    # what is taken, and taken back

    def confirm(self, actor: Actor, number: str, seen: str, *, strict: bool = False) -> Draft:
        """Have what was shown (its digest is `seen`) taken; whoever works through what is confirmed does so.

        Its decisions are remembered for the layouts. Raises NotFound, Conflict `upload.state`, `upload.changed`,
        `upload.incomplete` and `upload.not_ready`.
        """
        draft = self._complete(self._changeable(actor, number))
        shown = self._shown(draft) or self._look(draft)[1]
        if shown.digest != seen:
            raise refusals.changed()
        if not shown.ready:
            raise refusals.not_ready()
        with self._changing(actor, number) as draft:
            if self._marks(draft) != shown.marks:
                raise refusals.changed()
            self._spool.await_work(draft.id, draft.by)
            memory = Memory(self.workspace.register, draft.by or LOCAL)
            for name, header, decided in shown.sheets:
                if name in draft.decisions:
                    memory.keep(dict(header), decided)
            load_number = "L-" + hashlib.sha256(f"{draft.by}\n{draft.id}".encode()).hexdigest()[:12]
            update = {"state": DraftState.CONFIRMED, "seen": seen, "strict": strict, "load": load_number}
            confirmed = self._drafts.put(draft.model_copy(update={**update, "problem": None}))
        for told in self._listeners:
            told()
        return confirmed

    def work(self, actor: Actor, number: str, progress: Callable[[Step], None] = silent) -> Draft:
        """Take a confirmed draft, when nobody else does. Once it is in the graph it is not taken again, whatever was
        interrupted when. Where its files are not (it was confirmed on another machine), it stays as it is.

        Raises NotFound; StoreError and Busy, after which it is still to be taken.
        """
        draft = self.get(actor, number)
        if draft.state is not DraftState.CONFIRMED:
            return draft
        with self._spool.held(draft.id, draft.by, "work"):
            draft = self.get(actor, number)
            if draft.state is not DraftState.CONFIRMED or self._missing(draft):
                return draft
            return self._taken(draft, progress)

    def _taken(self, draft: Draft, progress: Callable[[Step], None]) -> Draft:
        def tell(step: Step) -> None:
            self._spool.tell(draft.id, draft.by, step)
            progress(step)

        problem: tuple[str, str, str]
        try:
            report = load(
                self.workspace, self._paths(draft), by=draft.by or None, strict=draft.strict, replace=draft.replace,
                progress=tell, limits=self._limits, actor=Actor(draft.by, account=draft.account),
                decisions=draft.decisions, expect=draft.seen, number=draft.load,
            )  # fmt: skip
        except (StoreError, Busy):
            raise
        except ChaingraphError as error:
            state = DraftState.OPEN if isinstance(error, Conflict) else DraftState.REFUSED
            problem = (error.code, error.say("zh"), error.say("en"))
        except Exception:
            LOG.exception("upload %s could not be taken", draft.id)
            state, problem = DraftState.REFUSED, refusals.FAILED
        else:
            return self._finished(draft, report)
        settled = self._settled(draft)
        return self._stopped(draft, state, problem) if settled.state is DraftState.CONFIRMED else settled

    def work_all(self, until: Callable[[], bool] = bool) -> list[Draft]:
        """Take all that is confirmed, of all organisations, the oldest first, `until` that is so. Raises StoreError."""
        done = []
        for draft in self._waiting():
            if until():
                break
            try:
                done.append(self.work(Actor(draft.by, account=draft.account), draft.id))
            except Busy as error:
                LOG.warning("upload %s waits: %s", draft.id, error)
        return done

    def progress(self, actor: Actor, number: str) -> Step | None:
        """How far the work on a draft is; None where nothing is known. Raises NotFound."""
        draft = self.get(actor, number)
        return self._spool.told(draft.id, draft.by)

    def withdraw(self, actor: Actor, number: str) -> Draft:
        """Take an upload back, or one not taken yet out of the way; its files go. What is taken back stays so.

        Raises NotFound, Conflict.
        """
        draft = self.get(actor, number)
        if draft.state is DraftState.CONFIRMED:
            raise refusals.state(draft)
        with self._spool.held(draft.id, draft.by, "work"), self._spool.held(draft.id, draft.by):
            draft = self.get(actor, number)
            if draft.state is DraftState.CONFIRMED:
                raise refusals.state(draft)
            if draft.state is DraftState.WITHDRAWN:
                return draft
            if draft.state is DraftState.LOADED and draft.load:
                try:
                    undo(self.workspace, draft.load, actor=actor)
                except NotFound:
                    LOG.info("upload %s had brought nothing new; there is nothing to take back", draft.id)
            withdrawn = self._drafts.put(draft.model_copy(update={"state": DraftState.WITHDRAWN}))
            self._spool.drop(draft.id, draft.by)
            return withdrawn

    # what is kept, and for how long

    def sweep(self, now: dt.datetime | None = None) -> int:
        """Delete files that have waited too long, and records of uploads long over; returns how many uploads that was.

        Raises StoreError.
        """
        now = now or dt.datetime.now(dt.UTC)
        every = self._drafts.all()
        done = sum(self._expired(draft, now) for draft in every)
        for folder in self._spool.strays([(draft.id, draft.by) for draft in every], now - self._kept):
            shutil.rmtree(folder, ignore_errors=True)
        return done

    def _expired(self, draft: Draft, now: dt.datetime) -> bool:
        touched = self._spool.touched(draft.id, draft.by)
        if max(draft.changed, touched or draft.changed) > now - self._kept:
            return False
        with self._spool.held(draft.id, draft.by, "work"), self._spool.held(draft.id, draft.by):
            current = self._drafts.get(draft.by, draft.id)
            if current is None or current.changed != draft.changed:
                return False
            current = self._settled(current)
            if current.state is DraftState.CONFIRMED:
                if touched is not None:
                    return False  # it will be taken: somebody confirmed it
                self._stopped(current, DraftState.REFUSED, refusals.LOST)
                return True
            self._spool.drop(draft.id, draft.by)
            self._spool.is_worked(draft.id, draft.by)
            if current.state is DraftState.OPEN:
                self._stopped(current, DraftState.WITHDRAWN, refusals.EXPIRED)
            elif current.changed < now - dt.timedelta(days=RECORD_DAYS):
                self._drafts.drop(current)
            else:
                return touched is not None
            return True

    # inside

    def _open(self, actor: Actor) -> list[Draft]:
        return [d for d in self._drafts.all(actor.organisation) if d.state in {DraftState.OPEN, DraftState.CONFIRMED}]

    def _waiting(self) -> list[Draft]:
        found = []
        for by, number in self._spool.waiting():
            with self._spool.held(number, by):
                draft = self._drafts.get(by, number)
                if draft is None or draft.state is not DraftState.CONFIRMED:
                    self._spool.is_worked(number, by)  # whoever confirmed it died before saying so
                else:
                    found.append(draft)
        return sorted(found, key=lambda draft: draft.changed)

    def _kept_draft(self, by: str, number: str) -> Draft:
        found = self._drafts.get(by, number)
        if found is None:
            raise refusals.unknown(number)
        return found

    def _changeable(self, actor: Actor, number: str) -> Draft:
        draft = self.get(actor, number)
        if draft.state is not DraftState.OPEN:
            raise refusals.state(draft)
        return draft

    @contextmanager
    def _changing(self, actor: Actor, number: str) -> Iterator[Draft]:
        """An open draft that nobody else changes meanwhile."""
        draft = self._changeable(actor, number)  # first, as nobody locks what is not there
        with self._spool.held(draft.id, draft.by):
            yield self._changeable(actor, number)

    def _path(self, draft: Draft, index: int) -> Path:
        if not 0 <= index < len(draft.files):
            raise refusals.no_file(draft, index)
        return self._spool.path(draft.id, draft.by, index, draft.files[index].name)

    def _paths(self, draft: Draft) -> list[Path]:
        return [self._path(draft, index) for index in range(len(draft.files))]

    def _missing(self, draft: Draft) -> tuple[str, int, int | None] | None:
        """The first file of which bytes are missing, how many there are, and how many there should be."""
        for file, path in zip(draft.files, self._paths(draft), strict=True):
            there = self._spool.received(path)
            if not path.exists() or (file.size is not None and there < file.size):
                return file.name, there, file.size
        return None

    def _complete(self, draft: Draft) -> Draft:
        missing = self._missing(draft)
        if missing is None:
            return draft
        raise refusals.incomplete(*missing) if draft.state is DraftState.OPEN else refusals.files_gone(draft)

    def _marks(self, draft: Draft) -> str:
        """What a preview depends on, but for the graph: files, decisions, and the upload to be replaced."""
        files = [[s.st_size, s.st_mtime_ns] for s in (path.stat() for path in self._paths(draft))]
        decided = {name: each.model_dump(mode="json") for name, each in draft.decisions.items()}
        return json.dumps([files, decided, draft.replace], sort_keys=True)

    def _look(self, draft: Draft, progress: Callable[[Step], None] = silent, rows: int = SHOWN) -> tuple[Looked, Shown]:
        """What a draft would do; kept beside its files, so that who confirms it need not look again."""
        self.workspace.follow()
        marks, revision = self._marks(draft), self.workspace.snapshot().revision
        looked = look(
            self.workspace, self._paths(draft), by=draft.by or None, replace=draft.replace, progress=progress,
            limits=self._limits, decisions=draft.decisions, shown=rows,
        )  # fmt: skip
        sheets = tuple((s.table.name, s.table.header, s.decided) for s in looked.opened.sheets if s.source is not None)
        shown = Shown(digest=looked.digest, ready=ready(looked), marks=marks, revision=revision, sheets=sheets)
        if draft.state is DraftState.OPEN and self.workspace.snapshot().revision == revision:
            self._spool.note(draft.id, draft.by, "shown", shown.model_dump_json())
        return looked, shown

    def _shown(self, draft: Draft) -> Shown | None:
        """What was shown last, if one would see the same now."""
        noted = self._spool.noted(draft.id, draft.by, "shown")
        if noted is None:
            return None
        shown = Shown.model_validate_json(noted)
        self.workspace.follow()
        if shown.marks != self._marks(draft) or shown.revision != self.workspace.snapshot().revision:
            return None
        memory = Memory(self.workspace.register, draft.by or LOCAL)
        same = (
            draft.decisions.get(name, UNDECIDED).over(memory.recall(header)) == decided
            for name, header, decided in shown.sheets
        )
        return shown if all(same) else None

    def _settled(self, draft: Draft) -> Draft:
        """The draft as the graph has it: whose load is there was taken, also where nobody lived to write that down."""
        if draft.state is not DraftState.CONFIRMED:
            return draft
        self.workspace.follow()
        receipt = receipt_of_graph(draft, self.workspace.snapshot())
        return draft if receipt is None else self._finished(draft, None, receipt)

    def _finished(self, draft: Draft, report: Report | None, receipt: Receipt | None = None) -> Draft:
        """A draft whose load is over, as its report says or else its `receipt`; files that were taken whole go."""
        said = None if report is None else {locale: report.to_json(locale) for locale in ("zh", "en")}
        taken = report is None or report.taken
        state = DraftState.LOADED if taken else DraftState.REFUSED
        with self._spool.held(draft.id, draft.by):
            now = self._drafts.get(draft.by, draft.id) or draft
            worked = now.load == draft.load and (now.state is DraftState.CONFIRMED or now.report is None)
            if not worked or now.state is DraftState.WITHDRAWN or (report is None and now.receipt is not None):
                return now  # somebody else has written it down already, and more has happened since
            given = receipt if report is None else receipt_of_report(draft, report) if taken else None
            done = self._drafts.put(now.model_copy(update={"state": state, "report": said, "receipt": given}))
            self._spool.is_worked(draft.id, draft.by)
            if taken and report is not None and not report.refused:
                self._spool.drop(draft.id, draft.by)
            return done

    def _stopped(self, draft: Draft, state: DraftState, problem: tuple[str, str, str]) -> Draft:
        """A draft that was not taken, and why."""
        with self._spool.held(draft.id, draft.by):
            stopped = self._drafts.put(draft.model_copy(update={"state": state, "seen": None, "problem": problem}))
            self._spool.is_worked(draft.id, draft.by)
            return stopped
