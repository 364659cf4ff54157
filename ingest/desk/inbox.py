"""A folder that is watched: what is dropped in is taken if nothing about it is in doubt, and else put aside."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from chaingraph import Actor, Busy, ChaingraphError, Conflict, NotFound, StoreError
from chaingraph.store.lock import FairLock
from ingest.desk.desk import Desk
from ingest.desk.drafts import Draft
from ingest.desk.letters import receipt_letter, refusal_letter, report_letter
from ingest.desk.spool import file_name
from ingest.load import Looked
from ingest.marked import marked
from ingest.opening import Sheet
from ingest.preview import ready
from ingest.reading import Unreadable
from schema import Text
from schema.vocabularies import DraftState

Where = Literal["done", "attention"]
DONE: Where = "done"
ATTENTION: Where = "attention"
_STATE = ".chaingraph"
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".partial", ".download")
_IGNORED = ("thumbs.db", "desktop.ini")
_PIECE = 1 << 20
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)

Marks = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """What is taken as one load: a file, or all files of a folder; and how its files were seen."""

    path: Path
    files: tuple[Path, ...]
    marks: Marks

    @property
    def name(self) -> str:
        """The name of the file or folder."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of something that was dropped: `done`, or put where it needs `attention`; `number` of the receipt, or
    of the draft that waits.
    """

    name: str
    became: Where
    number: str | None


class _Note(BaseModel):
    """What is known of something in the inbox: its files, its draft (then its receipt), and where it is being put."""

    marks: Marks
    number: str | None = None
    where: Where | None = None
    target: str | None = None


class Inbox:
    """A watched folder of an organisation, below which `done` and `attention` are made. Several may watch one folder.

    A file is handled once two looks have found it unchanged. What was killed in the middle is gone on with: a note of
    the draft is kept in a hidden folder until the file has been moved, so a file that is still there is either not
    taken yet or moved next time. Links are not followed.
    """

    def __init__(self, desk: Desk, actor: Actor, folder: Path, locale: str = "zh") -> None:
        self._desk = desk
        self._actor = actor
        self._folder = folder
        self._locale = locale
        self._before: dict[str, Marks] = {}

    def look(self, tell: Callable[[Handled], None]) -> int:
        """Handle what has not changed since the last look; returns how much is still to be handled.

        Raises StoreError, Busy; at the end whatever stood against one of them, which is tried again next time.
        """
        for name in (DONE, ATTENTION, _STATE):
            path = self._folder / name
            path.mkdir(exist_ok=True)
            if path.is_symlink():
                raise ChaingraphError(
                    "watch.link",
                    Text(f"{path} 是链接。", f"{path} is a link."),
                    Text("请删除它。", "Remove it."),
                )
        with FairLock(self._folder / _STATE / "lock")():
            found = self._found()
            self._forget({each.name for each in found})
            waiting = 0
            failed: Exception | None = None
            for each in found:
                handled = None
                if self._before.get(each.name) == each.marks:
                    try:
                        handled = self._handle(each)
                    except (StoreError, Busy):
                        raise
                    except Exception as error:  # noqa: BLE001 - of this one; the others are handled all the same
                        failed = error
                waiting += handled is None
                if handled is not None:
                    tell(handled)
            self._before = {each.name: each.marks for each in found}
            if failed is not None:
                raise failed
            return waiting

    def _found(self) -> list[Dropped]:
        found = []
        for path in sorted(self._folder.iterdir()):
            if _hidden(path.name) or path.name in {DONE, ATTENTION} or path.is_symlink():
                continue
            files = tuple(_regular(path)) if path.is_dir() else (path,)
            marks = tuple(mark for mark in map(_mark, files) if mark is not None)
            whole = not path.is_dir() or not any(each.name.lower().endswith(_UNFINISHED) for each in path.iterdir())
            if files and whole and len(marks) == len(files):
                found.append(Dropped(path, files, marks))
        return found

    # one of them

    def _handle(self, dropped: Dropped) -> Handled | None:
        """What became of it; None where it is to be looked at again."""
        note = self._read(dropped)
        if note is not None and note.where is not None and note.target is not None:
            return self._move(dropped, note.number, note.where, note.target)
        try:
            draft = self._noted(note) or self._begun(dropped)
            if not self._brought(draft, dropped):
                return None
            draft, looked = self._decided(draft)
        except (StoreError, Busy):
            raise
        except Conflict:
            return None  # the graph, or the file, has changed meanwhile
        except ChaingraphError as error:
            letter = refusal_letter(Text(error.say("zh"), error.say("en")))
            return self._put(dropped, None, ATTENTION, {".report.txt": letter.encode()})
        receipt = draft.receipt
        if draft.state is DraftState.LOADED and receipt is not None and not receipt.refused:
            letter = receipt_letter(draft, receipt, self._by)
            return self._put(dropped, receipt.number, DONE, {".receipt.txt": letter.encode()})
        again = draft.state is DraftState.OPEN and looked is not None and clear(looked)
        if again or draft.state is DraftState.CONFIRMED:
            return None
        beside = self._marked(draft, looked)
        beside[".report.txt"] = report_letter(draft, looked, self._by).encode()
        return self._put(dropped, draft.id, ATTENTION, beside)

    @property
    def _by(self) -> str:
        return self._actor.organisation

    def _note(self, name: str) -> Path:
        return self._folder / _STATE / f"{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:32]}.json"

    def _read(self, dropped: Dropped) -> _Note | None:
        """What was noted when these very files, or more of a folder, were brought before."""
        try:
            note = _Note.model_validate_json(self._note(dropped.name).read_bytes())
        except (OSError, ValueError):
            return None
        moving = note.target is not None and set(dropped.marks) <= set(note.marks)
        return note if moving or dropped.marks == note.marks else None

    def _write_note(self, dropped: Dropped, **given: Any) -> None:
        note = _Note(marks=dropped.marks, **given)
        _write(self._note(dropped.name), note.model_dump_json().encode())

    def _noted(self, note: _Note | None) -> Draft | None:
        """The draft that these very files were brought as before, if one can go on with it."""
        if note is None or note.number is None:
            return None
        try:
            draft = self._desk.get(self._actor, note.number)
        except NotFound:
            return None
        return draft if draft.state in {DraftState.OPEN, DraftState.CONFIRMED, DraftState.LOADED} else None

    def _begun(self, dropped: Dropped) -> Draft:
        sizes = [(path.name, mark[1]) for path, mark in zip(dropped.files, dropped.marks, strict=True)]
        draft = self._desk.create(self._actor, sizes)
        self._write_note(dropped, number=draft.id)
        return draft

    def _brought(self, draft: Draft, dropped: Dropped) -> bool:
        """Have all bytes at the desk; false where the files have changed meanwhile, and are to be looked at again."""
        if draft.state is not DraftState.OPEN:
            return True
        for index, received in enumerate(self._desk.received(self._actor, draft.id)):
            there = received
            try:
                opened = os.open(dropped.files[index], os.O_RDONLY | _NO_FOLLOW)
            except OSError:
                return False  # somebody still writes it, or has taken it away
            with os.fdopen(opened, "rb") as file:
                file.seek(there)
                rest = file.read(_PIECE)
                while rest and there + len(rest) <= dropped.marks[index][1]:
                    there = self._desk.append(self._actor, draft.id, index, there, [rest])
                    rest = file.read(_PIECE)
        if tuple(map(_mark, dropped.files)) == dropped.marks:
            return True
        self._desk.withdraw(self._actor, draft.id)
        self._note(dropped.name).unlink(missing_ok=True)
        return False

    def _decided(self, draft: Draft) -> tuple[Draft, Looked | None]:
        """The draft, taken where nothing about it is in doubt; and what was looked at."""
        looked = None
        if draft.state is DraftState.OPEN:
            looked = self._desk.look(self._actor, draft.id)
            if not clear(looked):
                return draft, looked
            draft = self._desk.confirm(self._actor, draft.id, looked.digest)
        if draft.state is DraftState.CONFIRMED:
            draft = self._desk.work(self._actor, draft.id)
        return draft, looked

    def _marked(self, draft: Draft, looked: Looked | None) -> dict[str, bytes]:
        """The workbooks with what is wrong marked in them, by what to add to the name of what was dropped."""
        made: dict[str, bytes] = {}
        for index, file in enumerate(draft.files):
            if looked is None or not any(sheet.table.file == file.name for sheet in looked.opened.sheets):
                continue
            path = self._desk.path(self._actor, draft.id, index)
            with suppress(Unreadable):
                which = f".{path.stem[:20]}" if len(draft.files) > 1 else ""
                made[f"{which}.marked.xlsx"] = marked(looked, path, self._locale)
        return made

    # where it goes

    def _put(self, dropped: Dropped, number: str | None, where: Where, beside: Mapping[str, bytes]) -> Handled:
        """Put it where it goes, with what is to lie `beside` it, by what to add to its name."""
        target = self._target(where, dropped.name)
        for ending, content in beside.items():
            _write(target.with_name(target.name + ending), content)
        self._write_note(dropped, number=number, where=where, target=target.name)
        return self._move(dropped, number, where, target.name)

    def _target(self, where: str, name: str) -> Path:
        """A path that nothing is at; the second of a name has a 2 in it."""
        name, number = file_name(name), 1
        path = self._folder / where / name
        while os.path.lexists(path):
            number += 1
            path = path.with_name(f"{Path(name).stem} ({number}){Path(name).suffix}")
        return path

    def _move(self, dropped: Dropped, number: str | None, where: Where, name: str) -> Handled:
        """Out of the inbox; after that nothing needs to be known of it. What came into a folder meanwhile stays."""
        target = self._folder / where / name
        if dropped.path.is_dir():
            target.mkdir(exist_ok=True)
            for path in dropped.files:
                path.rename(target / path.name)
            with suppress(OSError):
                dropped.path.rmdir()
        else:
            dropped.path.rename(target)
        self._note(dropped.name).unlink(missing_ok=True)
        return Handled(dropped.name, where, number)

    def _forget(self, there: set[str]) -> None:
        """Notes of what was moved before somebody died, or taken away."""
        known = {self._note(name) for name in there}
        for note in (self._folder / _STATE).glob("*.json"):
            if note not in known:
                note.unlink(missing_ok=True)


def clear(looked: Looked) -> bool:
    """Whether nothing is in doubt: no row is refused, no question open, and every column of every sheet is known, or
    was decided about when such a sheet came before.
    """
    return ready(looked) and not looked.report.refused and all(map(_known, looked.opened.sheets))


def _known(sheet: Sheet) -> bool:
    read = sheet.detection.reading
    if sheet.source is None or read is None:
        return False
    return sheet.remembered or not (read.unmapped or read.twice or read.bad_units)


def _hidden(name: str) -> bool:
    lower = name.lower()
    return lower.startswith((".", "~$")) or lower in _IGNORED or lower.endswith(_UNFINISHED)


def _regular(folder: Path) -> list[Path]:
    """The files in a folder, but for links, hidden ones and folders."""
    inside = sorted(folder.iterdir())
    return [path for path in inside if not _hidden(path.name) and not path.is_symlink() and path.is_file()]


def _mark(path: Path) -> tuple[str, int, int, int] | None:
    """How a file looks: if that stays, nobody writes to it. None for what is no file."""
    try:
        seen = path.lstat()
    except OSError:
        return None
    return (path.name, seen.st_size, seen.st_mtime_ns, seen.st_ino) if stat.S_ISREG(seen.st_mode) else None


def _write(path: Path, content: bytes) -> None:
    """A file that is there whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
