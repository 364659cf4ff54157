"""Starting, watching and ending the child process that parses a file."""

from __future__ import annotations

import dataclasses
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest.reading.limits import MIB, Limits, Unreadable

_ROOT = str(Path(__file__).resolve().parents[2])
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from ingest.reading.worker import main; main()"
_LOOK_SECONDS = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


def parse(path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> list[dict[str, Any]]:
    """What the worker says of the tables it wrote to `out`; raises Unreadable when it refused, died or was ended."""
    job = json.dumps({"path": str(path.resolve()), "out": str(out), "limits": dataclasses.asdict(limits)})
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
        [sys.executable, "-I", "-c", _START, _ROOT, job],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1", "PATH": os.environ.get("PATH", "")},
    )
    with process:
        try:
            beyond = _watch(process, limits, tell)
        finally:
            process.kill()
    result = out / "result.json"
    if beyond or process.returncode < 0 or not result.exists():
        # Also an allocation that failed inside polars or calamine: they abort, and nothing can be caught.
        raise Unreadable("file.too_large", limit=beyond or f"{limits.resident // MIB} MiB")
    said: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    if "refused" in said:
        raise Unreadable(said["refused"], **said["values"])
    tables: list[dict[str, Any]] = said["tables"]
    return tables


def _watch(process: subprocess.Popen[bytes], limits: Limits, tell: Callable[[int, int], None]) -> str | None:
    """Pass progress on until the child closes its output; the bound that it broke, if it broke one."""
    assert process.stdout is not None
    end = time.monotonic() + limits.seconds
    text = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if selector.select(_LOOK_SECONDS):
                chunk = os.read(process.stdout.fileno(), 4096)
                if not chunk:
                    process.wait(max(0.1, end - time.monotonic()))
                    return None
                *lines, text = (text + chunk).split(b"\n")
                for line in lines:
                    done, total = line.split()
                    tell(int(done), int(total))
            if time.monotonic() > end:
                return f"{limits.seconds:g} s"
            if _resident(process.pid) > limits.resident:
                return f"{limits.resident // MIB} MiB"


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 where the system does not say (its address space is limited anyway)."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
