"""The child process in which every uploaded file is parsed: a hostile file kills this process and nothing else.

Its argument is the limits as JSON. Each line of its input is a job `{"path", "out"}`; for each it prints lines
`BYTES_DONE BYTES_IN_ALL` as it goes, leaves `result.json` in `out` (`{"tables": [...], "notes": [...]}` or
`{"refused": code, "values": {...}}`), and prints `done`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from . import magic, zips
from .limits import Limits, Unreadable

_PANIC = "PanicException"
"""What a library in Rust raises where it gave up; it is no Exception."""


def main(work: Callable[[Path, Path, Limits], dict[str, object]] | None = None) -> None:
    """Parse files under the limits until there are no more, or do other `work` with them."""
    limits = Limits(**json.loads(sys.argv[1]))
    _limit(limits)
    for line in sys.stdin:
        job = json.loads(line)
        path, out = Path(job["path"]), Path(job["out"])
        try:
            found: dict[str, object] = (work or result)(path, out, limits)
        except Unreadable as unreadable:
            found = {"refused": unreadable.code, "values": unreadable.values}
        except MemoryError:
            raise  # and die of it, as of any allocation that fails in a library
        except Exception as error:  # noqa: BLE001 - whatever a parser says, it is about the file; its text may quote cells
            found = {"refused": "file.damaged", "values": {"reason": type(error).__name__}}
        except BaseException as error:
            if type(error).__name__ != _PANIC:
                raise
            found = {"refused": "file.damaged", "values": {"reason": _PANIC}}
        (out / "result.json").write_text(json.dumps(found), encoding="utf-8")
        _say("done")


def _limit(limits: Limits) -> None:
    """Bound this process's memory. Windows has no such bound: there, only the parent's limits of time and size hold."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limits.address_space, limits.address_space))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def result(path: Path, out: Path, limits: Limits) -> dict[str, object]:
    """The tables of a file, written to `out`, and notes about it; raises Unreadable.

    What the file is, is told by what is in it; that its name says something else is noted.
    """
    # polars is imported under the limits, not before them
    found, macros = _format(path, limits)
    told = _read(path, out, limits, found)
    notes = told.setdefault("notes", [])
    assert isinstance(notes, list)
    said = magic.said(path)
    if said != found:
        named = path.suffix[1:].upper()
        notes.append(
            {"code": "file.read_as", "place": None, "values": {"said": named, "found": _NAMES.get(found, found)}}
        )
    if macros:
        notes.append({"code": "file.macros", "place": None, "values": {}})
    return told


_NAMES = {"text": "CSV", "XML": "SpreadsheetML"}


def _format(path: Path, limits: Limits) -> tuple[str, bool]:
    """What a file is, and whether it has macros."""
    found, macros = magic.container(path), False
    if found == "zip":
        found, macros = zips.kind(path, limits)
    elif found == "OLE":
        found = zips.ole_kind(path)
    elif found == "text":
        found = magic.markup(path) or ("JSON" if magic.said(path) == "JSON" else "text")
    if found in {"zip", "OLE"}:
        raise Unreadable("file.not_what_it_says", said=path.suffix[1:].upper(), found=found)
    return found, macros


def _read(path: Path, out: Path, limits: Limits, found: str) -> dict[str, object]:
    if found == "AASX":
        from .documents import aasx

        return aasx.parse(path, out, limits, _tell)
    if found == "JSON":
        from . import json_rows

        return json_rows.parse(path, out, limits, _tell)
    if found == "Parquet":
        from . import parquet_file

        return {"tables": parquet_file.parse(path, out, limits, _tell)}
    if found == "HTML":
        from . import html_file

        return {"tables": html_file.parse(path, out, limits, _tell)}
    if found == "XML":
        from . import xml_sheets

        return {"tables": xml_sheets.parse(path, out, limits, _tell)}
    if found in {"XLSX", "XLSB", "XLS", "ODS"}:
        from . import workbook

        return {"tables": workbook.parse(path, out, limits, _tell, found)}
    from . import csv_file

    return {"tables": csv_file.parse(path, out, limits, _tell)}


def _tell(done: int, total: int) -> None:
    _say(f"{done} {total}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
