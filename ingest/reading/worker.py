"""The child process in which every uploaded file is parsed: a hostile file kills this process and nothing else.

Takes one JSON argument `{"path", "out", "limits"}`; prints a line `done total` for each step of progress; leaves
`result.json` in `out`: `{"tables": [...]}` or `{"refused": code, "values": {...}}`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from ingest.reading.limits import Limits, Unreadable


def main() -> None:
    """Parse the file named on the command line under the limits given there."""
    job = json.loads(sys.argv[1])
    limits = Limits(**job["limits"])
    resource.setrlimit(resource.RLIMIT_AS, (limits.address_space, limits.address_space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    path, out = Path(job["path"]), Path(job["out"])
    try:
        result: dict[str, object] = {"tables": _tables(path, out, limits)}
    except Unreadable as unreadable:
        result = {"refused": unreadable.code, "values": unreadable.values}
    except MemoryError:
        result = {"refused": "file.too_large", "values": {"limit": f"{limits.resident >> 20} MiB"}}
    (out / "result.json").write_text(json.dumps(result), encoding="utf-8")


def _tables(path: Path, out: Path, limits: Limits) -> list[dict[str, object]]:
    # polars is imported under the limits, not before them
    if path.suffix.lower() == ".xlsx":
        from ingest.reading import workbook

        return workbook.parse(path, out, limits, _tell)
    from ingest.reading import csv_file

    return [csv_file.parse(path, out, limits, _tell)]


def _tell(done: int, total: int) -> None:
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
