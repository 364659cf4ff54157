"""Starting, watching and ending the child process that parses files."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import mmap
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from .limits import MIB, Limits, Unreadable

_FOLDER = str(Path(__file__).resolve().parents[1])
_START = (
    "import sys; from importlib import import_module; sys.path.append(sys.argv.pop(1)); "
    "import_module('reading.' + sys.argv.pop(1)).main()"
)
"""The package `reading` without the rest of `ingest`, which takes time: its modules import each other relatively."""
_LOOK_SECONDS = 0.02
_PAGE = mmap.PAGESIZE
_RETIRED = 256 * MIB
"""A child that still holds more than this after a file is not used for another."""
DONE = b"done"
"""The line by which the worker says that it is ready for another file."""
_KEPT = ("PATH", "SYSTEMROOT")
"""What the child sees of the environment; Python does not start on Windows without the second."""


class Child:
    """A process that parses one file after another; it is started when needed, and anew after a file has killed it.

    `worker` is the module of this package that runs in it. For one thread at a time. `close` it at the end.
    """

    def __init__(self, limits: Limits, worker: str = "worker") -> None:
        self.limits = limits
        self._worker = worker
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._listener: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            if self._listener is not None:
                self._listener.join()
            with self._process:
                self._process = None

    def parse(self, path: Path, out: Path, tell: Callable[[int, int], None]) -> dict[str, Any]:
        """What the worker says of the tables that it wrote to `out` (`tables`), and of the file (`notes`).

        Raises Unreadable when it refused, died or was ended.
        """
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        beyond: str | None = "?"
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps({"path": str(path.resolve()), "out": str(out)}).encode() + b"\n")
                process.stdin.flush()
            beyond = _watch(process.pid, self._lines, self.limits, tell)
        finally:
            if beyond or _resident(process.pid) > _RETIRED:
                self.close()
        result = out / "result.json"
        if beyond or not result.exists():
            # Also an allocation that failed inside polars or calamine: they abort, and nothing can be caught.
            raise Unreadable("file.too_large", limit=beyond)
        said: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        if "refused" in said:
            raise Unreadable(said["refused"], **said["values"])
        return said

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-I", "-c", _START, _FOLDER, self._worker, json.dumps(dataclasses.asdict(self.limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                "POLARS_MAX_THREADS": "1",
                "RAYON_NUM_THREADS": "1",
                **{name: os.environ[name] for name in _KEPT if name in os.environ},
            },
        )
        self._lines = queue.SimpleQueue()
        self._listener = threading.Thread(target=_listen, args=(process, self._lines), name="parser", daemon=True)
        self._listener.start()
        return process


def _listen(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    """Pass on what the child says, and None at its end. A thread does it, as Windows cannot wait for pipes and time."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line.strip())
    lines.put(None)


def _watch(
    pid: int, lines: queue.SimpleQueue[bytes | None], limits: Limits, tell: Callable[[int, int], None]
) -> str | None:
    """Pass progress on until the file is done; else the bound that was broken. A child that dies ran out of memory."""
    end = time.monotonic() + limits.seconds
    memory = f"{limits.resident // MIB} MiB"
    while True:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=_LOOK_SECONDS)
            if line is None:
                return memory
            if line == DONE:
                return None
            done, total = line.split()
            tell(int(done), int(total))
        if time.monotonic() > end:
            return f"{limits.seconds:g} s"
        if _resident(pid) > limits.resident:
            return memory


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 where the system does not say (its address space is limited anyway)."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
