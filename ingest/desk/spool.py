"""Where files wait until they are taken: a private folder of its own for each draft, gone with it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from chaingraph import Workspace
from chaingraph.settings import settings
from chaingraph.store.lock import FairLock
from ingest.desk import refusals
from ingest.opening import Step
from ingest.reading import Limits

NAME_BYTES = 200
"""Names of files are cut to so many bytes of UTF-8; file systems take 255."""
PIECE = 1 << 20
"""So many bytes are written at a time, each time under the lock."""
Turn = Callable[[], AbstractContextManager[object]]


def spool_folder(workspace: Workspace) -> Path:
    """Where the files of uploads to a store wait where nothing else is said: `<store>.uploads` beside a store of this
    machine, else below the setting `cache`. The setting `spool` is another place for the folders of all stores.
    """
    url = workspace.store.url
    file = None if workspace.store.remote else Path(url.removeprefix("sqlite:///")).resolve()
    named = hashlib.sha256(str(file or url).encode()).hexdigest()[:16]
    if (chosen := settings().spool) is not None:
        return chosen / named
    return file.with_name(f"{file.name}.uploads") if file else settings().cache / "uploads" / named


def file_name(given: str | None) -> str:
    """A name for the file that says what the sender's did, and leads nowhere."""
    plain = "".join(c for c in (given or "").replace("\\", "/").rpartition("/")[2] if unicodedata.category(c)[0] != "C")
    stem, dot, suffix = plain.lstrip(". ").rpartition(".")
    return f"{_cut(stem)}{dot}{suffix[:8]}" if stem else (_cut(suffix) or "upload")


def file_names(given: Sequence[str | None]) -> list[str]:
    """Names for the files of one upload, each another: the second `a.csv` is `a (2).csv`."""
    names: list[str] = []
    for each in map(file_name, given):
        stem, dot, suffix = each.rpartition(".")
        number, name = 1, each
        while name in names:
            number += 1
            name = f"{stem} ({number}){dot}{suffix}" if stem else f"{each} ({number})"
        names.append(name)
    return names


def _cut(text: str) -> str:
    return text.encode()[:NAME_BYTES].decode(errors="ignore")


class Spool:
    """The files of drafts, as bytes that came so far. Folders are for this user's eyes only."""

    def __init__(self, folder: Path, limits: Limits, quota: int) -> None:
        self.folder = folder
        self.quota = quota
        self.most = max(limits.csv_bytes, limits.xlsx_bytes)

    def held(self, draft: str, by: str, what: str = "draft") -> AbstractContextManager[None]:
        """A lock between threads and processes, of the draft or of the work on it; a dead holder's is free at once.

        Raises Busy after five minutes.
        """
        self._make(self.folder)
        stripe = hashlib.sha256(f"{by}/{draft}".encode()).hexdigest()[:2]
        return FairLock(self.folder / "locks" / f"{what}-{stripe}")()

    def path(self, draft: str, by: str, index: int, name: str) -> Path:
        """Where a file of a draft is; its name is the sender's."""
        return self._of(draft, by) / str(index) / name

    def received(self, path: Path) -> int:
        """So many bytes of a file have come."""
        try:
            return path.stat().st_size
        except OSError:
            return 0

    def used(self, by: str) -> int:
        """So many bytes an organisation's files take."""
        return sum(self.received(path) for path in self._owner(by).glob("*/*/*"))

    def touch(self, path: Path) -> None:
        """Have a file there, of no bytes yet."""
        self._make(path.parent)
        with path.open("ab"):
            pass

    def append(self, path: Path, offset: int, pieces: Iterable[bytes], turn: Turn, size: int | None, room: int) -> int:
        """Write what comes from `offset` on; returns how many bytes there are then.

        What had come before a connection broke stays, and is gone on from. Every piece is written in a `turn`, which
        may refuse, and none where somebody else has written meanwhile. Raises Conflict `upload.offset` where the file
        has another length, ChaingraphError `upload.too_large` beyond the limit, `upload.longer` beyond its `size` and
        `upload.quota` beyond `room` more bytes.
        """
        there, waiting = self._write(path, offset, b"", turn), bytearray()

        def flush() -> None:
            nonlocal there, waiting, room
            piece, waiting = bytes(waiting), bytearray()
            if there + len(piece) > self.most:
                raise refusals.too_large(self.most)
            if size is not None and there + len(piece) > size:
                raise refusals.longer(size)
            room -= len(piece)
            if room < 0:
                raise refusals.quota(self.quota)
            there = self._write(path, there, piece, turn)

        try:
            for each in pieces:
                waiting += each
                if len(waiting) >= PIECE:
                    flush()
        finally:
            if waiting:
                flush()
        return there

    def _write(self, path: Path, offset: int, piece: bytes, turn: Turn) -> int:
        with turn():
            self._make(path.parent)
            with path.open("ab", buffering=0) as file:
                there = os.fstat(file.fileno()).st_size
                if there != offset:
                    raise refusals.offset(there, offset)
                rest = memoryview(piece)
                while rest:
                    rest = rest[file.write(rest) :]
                if piece:
                    os.fsync(file.fileno())
            return offset + len(piece)

    def await_work(self, draft: str, by: str) -> None:
        """Have a draft among those that `waiting` finds."""
        file = self._waiting(draft, by)
        self._make(file.parent)
        with file.open("w", encoding="utf-8") as written:
            json.dump([by, draft], written)
            written.flush()
            os.fsync(written.fileno())

    def waiting(self) -> list[tuple[str, str]]:
        """Drafts, by whose they are and their number, that may be confirmed and not taken yet."""
        found = []
        for file in sorted((self.folder / "waiting").glob("*.json")):
            with suppress(OSError, ValueError):
                by, draft = json.loads(file.read_text(encoding="utf-8"))
                found.append((str(by), str(draft)))
        return found

    def is_worked(self, draft: str, by: str) -> None:
        """Have a draft no more among those that `waiting` finds."""
        self._waiting(draft, by).unlink(missing_ok=True)

    def note(self, draft: str, by: str, name: str, text: str) -> None:
        """Keep something about a draft beside its files, as long as they are there."""
        folder = self._of(draft, by)
        with suppress(OSError):  # a full disk stops no load, nor do files that go meanwhile
            new = folder / f"{name}.{os.getpid()}.new"
            new.write_text(text, encoding="utf-8")
            new.replace(folder / f"{name}.json")

    def noted(self, draft: str, by: str, name: str) -> str | None:
        """What was kept about a draft; None where nothing was."""
        try:
            return (self._of(draft, by) / f"{name}.json").read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None

    def tell(self, draft: str, by: str, step: Step) -> None:
        """Keep how far the work on a draft is, for whoever asks, in this process or another."""
        self.note(draft, by, "progress", json.dumps(step))

    def told(self, draft: str, by: str) -> Step | None:
        """How far the work on a draft is; None where nothing is known."""
        try:
            return Step(*json.loads(self.noted(draft, by, "progress") or ""))
        except (ValueError, TypeError):
            return None

    def touched(self, draft: str, by: str) -> dt.datetime | None:
        """When something of a draft's files was written last; None where there are none."""
        folder = self._of(draft, by)
        times = [_time(path) for path in (folder, *folder.glob("*"), *folder.glob("*/*"))]
        newest = max(times, default=0.0)
        return dt.datetime.fromtimestamp(newest, dt.UTC) if newest else None

    def drop(self, draft: str, by: str) -> None:
        """Delete the files of a draft."""
        shutil.rmtree(self._of(draft, by), ignore_errors=True)

    def strays(self, known: Iterable[tuple[str, str]], before: dt.datetime) -> Iterator[Path]:
        """Folders that are nobody's (of drafts `known` by number and whose they are), older than `before`."""
        kept = {self._of(draft, by) for draft, by in known}
        for folder in self.folder.glob("*/D-*"):
            if folder not in kept and _time(folder) < before.timestamp():
                yield folder

    def _waiting(self, draft: str, by: str) -> Path:
        return self.folder / "waiting" / f"{hashlib.sha256(f'{by}/{draft}'.encode()).hexdigest()[:32]}.json"

    def _owner(self, by: str) -> Path:
        return self.folder / hashlib.sha256(by.encode()).hexdigest()[:16]

    def _of(self, draft: str, by: str) -> Path:
        return self._owner(by) / file_name(draft)

    def _make(self, folder: Path) -> None:
        """A folder below (or at) the spool, which nobody else looks into."""
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _time(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0
