"""Where files wait until they are taken: a private folder of its own for each draft, gone with it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from chaingraph.errors import ChaingraphError, Conflict
from ingest.opening import Step
from ingest.reading import Limits
from schema.text import Text

NAME_LENGTH = 80


def file_name(given: str | None) -> str:
    """A name for the file that says what the sender's did, and leads nowhere."""
    plain = "".join(c for c in (given or "").replace("\\", "/").rpartition("/")[2] if unicodedata.category(c)[0] != "C")
    stem, dot, suffix = plain.lstrip(". ").rpartition(".")
    return f"{stem[:NAME_LENGTH]}{dot}{suffix[:8]}" if stem else f"{suffix[:NAME_LENGTH] or 'upload'}"


class Spool:
    """The files of drafts, as bytes that came so far. Folders are for this user's eyes only."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._most = max(limits.csv_bytes, limits.xlsx_bytes)

    def path(self, draft: str, by: str, index: int, name: str) -> Path:
        """Where a file of a draft is; its name is the sender's."""
        return self._of(draft, by) / str(index) / name

    def received(self, path: Path) -> int:
        """So many bytes of a file have come."""
        return path.stat().st_size if path.exists() else 0

    def append(self, path: Path, offset: int, pieces: Iterable[bytes]) -> int:
        """Write what comes from `offset` on; returns how many bytes there are then.

        What had come before a connection broke stays, and is gone on from. Raises Conflict `upload.offset` where the
        file has another length, ChaingraphError `upload.too_large` beyond the limit.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("ab") as file:
            there = os.fstat(file.fileno()).st_size
            if there != offset:
                raise Conflict(
                    "upload.offset",
                    Text(f"已收到 {there} 字节，而不是 {offset}。", f"There are {there} bytes already, not {offset}."),
                    Text("请从已收到处继续发送。", "Go on from what there is."),
                )
            for piece in pieces:
                there += len(piece)
                if there > self._most:
                    raise ChaingraphError(
                        "upload.too_large",
                        Text(f"文件超过 {self._most >> 20} MiB。", f"The file is larger than {self._most >> 20} MiB."),
                        Text("请拆分后上传。", "Split it."),
                    )
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        return there

    def tell(self, draft: str, by: str, step: Step) -> None:
        """Keep how far the work on a draft is, for whoever asks, in this process or another."""
        folder = self._of(draft, by)
        if folder.is_dir():
            new = folder / "progress.new"
            new.write_text(json.dumps(step), encoding="utf-8")
            new.replace(folder / "progress.json")

    def told(self, draft: str, by: str) -> Step | None:
        """How far the work on a draft is; None where nothing is known."""
        try:
            return Step(*json.loads((self._of(draft, by) / "progress.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def drop(self, draft: str, by: str) -> None:
        """Delete the files of a draft."""
        shutil.rmtree(self._of(draft, by), ignore_errors=True)

    def _of(self, draft: str, by: str) -> Path:
        return self._folder / hashlib.sha256(by.encode()).hexdigest()[:16] / file_name(draft)
