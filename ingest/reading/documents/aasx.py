"""AASX packages (IDTA 01005): a zip in which relationships lead to environments as JSON or XML."""

from __future__ import annotations

import json
import posixpath
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..limits import MIB, Limits, Unreadable
from . import aas, aas_xml, written

_ORIGIN, _ENVIRONMENT = "/aasx-origin", "/aas-spec"
_MOST = 64
"""Environments that are read of one package."""
_BYTES = 256 * MIB
_LISTS = ("assetAdministrationShells", "submodels", "conceptDescriptions")


def parse(path: Path, out: Path, limits: Limits, tell: Callable[[int, int], None]) -> dict[str, Any]:
    """Tables and notes of all environments of a package, as of one.

    Raises Unreadable `file.damaged` for what is no such package and `file.too_large` for what unpacks to too much.
    """
    try:
        with zipfile.ZipFile(path) as package:
            document = _environment(package, min(limits.unpacked_bytes, _BYTES))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unreadable("file.damaged", reason=f"AASX: {error}") from error
    found = aas.read(document)
    if found is None:
        raise Unreadable("file.damaged", reason="AASX: aas-spec")
    return written(found, out, limits, tell)


def _environment(package: zipfile.ZipFile, most: int) -> dict[str, Any]:
    """What all environments of the package say, together."""
    names = {each.filename.strip("/"): each for each in package.infolist() if not each.is_dir()}
    room = [most]
    targets = [
        environment
        for origin in _related(package, names, "", _ORIGIN, room)
        for environment in _related(package, names, origin, _ENVIRONMENT, room)
    ]
    document: dict[str, Any] = {name: [] for name in _LISTS}
    for target in list(dict.fromkeys(targets))[:_MOST]:
        if target not in names:
            raise Unreadable("file.damaged", reason=f"AASX: {target}")
        part = _part(_content(package, names[target], room))
        for name in _LISTS:
            more = part.get(name) if isinstance(part, dict) else None
            document[name] += more if isinstance(more, list) else []
    if not targets:
        raise Unreadable("file.damaged", reason="AASX: aas-spec")
    return document


def _related(
    package: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo], source: str, sort: str, room: list[int]
) -> list[str]:
    """The parts that relationships of `source` (empty for the package) of this sort lead to."""
    folder, name = posixpath.split(source)
    said = names.get(posixpath.join(folder, "_rels", f"{name}.rels"))
    if said is None:
        return []
    found = []
    for each in aas_xml.parse(_content(package, said, room)).inside:
        target = each.attributes.get("Target", "")
        if each.attributes.get("Type", "").endswith(sort) and target:
            found.append(posixpath.normpath(posixpath.join("/", folder, target)).strip("/"))
    return found


def _content(package: zipfile.ZipFile, entry: zipfile.ZipInfo, room: list[int]) -> bytes:
    """An entry unpacked; what is left of `room` is the most that it may have, whatever the directory says."""
    with package.open(entry) as file:
        content = file.read(room[0] + 1)
    room[0] -= len(content)
    if room[0] < 0:
        raise Unreadable("file.too_large", limit=f"{_BYTES // MIB} MiB")
    return content


def _part(content: bytes) -> Any:
    """An environment as JSON, whichever way it is written."""
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return aas_xml.as_json(aas_xml.parse(content))
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable("file.damaged", reason=f"AASX: {type(error).__name__}") from error
