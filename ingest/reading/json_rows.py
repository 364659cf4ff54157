"""JSON lines, and an array of flat objects, to Arrow files of text. Runs in the child process.

The names of all objects, in order of appearance, are the header in row 1; the object of line 1 is row 2.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .limits import MIB, Limits, Unreadable
from .parts import Parts, Rows
from .plain_text import decoded, encoding_of


def parse(path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> dict[str, Any]:
    """The tables of a JSON file: of a document of a known format, of an array of objects, or of lines of objects.

    Nested values stay as JSON. Raises Unreadable `file.damaged` with the line, `file.format` for other JSON.
    """
    if _lines(path, limits):
        return {"tables": [_table(_of_lines(path, limits, tell), out, limits)]}
    from . import documents

    found = documents.parse(path, out, limits, tell)
    if found is not None:
        return found
    data = path.read_bytes()
    try:
        values = json.loads(data, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_pairs)
    except RepeatedName as error:
        raise Unreadable("file.damaged", reason=type(error).__name__) from error
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise Unreadable("file.format", suffix="JSON")
    return {"tables": [_table(map(_row, values), out, limits)]}


def _lines(path: Path, limits: Limits) -> bool:
    """Whether this is JSON lines: by its name, or because two lines are objects."""
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        with path.open("rb") as file:
            return not file.read(100).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    with path.open("rb") as file:
        first = [line for line in file.read(limits.line_bytes).splitlines()[:20] if line.strip()][:2]
    return len(first) == 2 and all(_is_object(line) for line in first)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _of_lines(path: Path, limits: Limits, tell: Callable[[int, int], None]) -> Iterator[dict[str, Any] | None]:
    """The object of each line, None for a blank one."""
    size, done, number, rest = path.stat().st_size, 0, 0, ""
    for text in decoded(path, encoding_of(path), MIB):
        *lines, rest = (rest + text).split("\n")
        if len(rest) > limits.line_bytes:
            raise Unreadable("file.line_too_long", limit=f"{limits.line_bytes // MIB} MiB")
        for line in lines:
            number += 1
            yield _object(line, number)
        done = min(size, done + len(text.encode()))
        tell(done, size)
    if rest.strip():
        yield _object(rest, number + 1)


def _object(line: str, number: int) -> dict[str, Any] | None:
    line = line.strip("\ufeff \t\r\n")
    if not line:
        return None
    try:
        value = json.loads(line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        raise Unreadable("file.damaged", reason=f"line {number}: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise Unreadable("file.damaged", reason=f"line {number}: {type(value).__name__}")
    return _row(value)


class RepeatedName(ValueError):
    """An object says one name twice: nobody knows which of the two it means."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RepeatedName
    return found


def _row(value: dict[str, Any]) -> dict[str, Any]:
    for name, each in value.items():
        if not isinstance(each, str) and each is not None:
            value[name] = str(each).lower() if isinstance(each, bool) else json.dumps(each, ensure_ascii=False)
    return value


def _table(objects: Iterable[dict[str, Any] | None], out: Path, limits: Limits) -> dict[str, object]:
    parts = Parts(out, limits)
    rows = Rows(parts, limits)
    places: dict[str, int] = {}
    header: list[str | None] = []
    rows.add(header)
    for each in objects:
        cells: list[str | None] = [None] * len(places)
        for name, value in (each or {}).items():
            at = places.get(name)
            if at is None:
                at = places[name] = len(places)
                header.append(_clean(name))
                cells.append(None)
            cells[at] = _clean(value) if value is not None else None
        rows.add(cells)
    return {"sheet": None, "excel": False, "headed": True, "parts": rows.written()}


def _clean(value: str) -> str:
    """Without halves of surrogate pairs, which JSON can escape and UTF-8 cannot write."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
