"""Is a file what its name says? By its first bytes and, for a workbook, by its zip directory; nothing is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from .limits import MIB, Limits, Unreadable

SUFFIXES = (".csv", ".xlsx", ".json")

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"%PDF-", "PDF"),
    (b"\x1f\x8b", "gzip"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"\x7fELF", "ELF"),
)


def check(path: Path, limits: Limits) -> str:
    """The suffix of `path`, after everything that can be known without parsing has been checked; raises Unreadable."""
    if not path.is_file():
        raise Unreadable("file.missing")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise Unreadable("file.format", suffix=suffix or path.name)
    size = path.stat().st_size
    if size == 0:
        raise Unreadable("file.empty")
    if size > (bound := limits.csv_bytes if suffix == ".csv" else limits.xlsx_bytes):
        raise Unreadable("file.too_large", limit=f"{bound // MIB} MiB")
    with path.open("rb") as file:
        start = file.read(16)
    found = next((what for magic, what in _MAGIC if start.startswith(magic)), "text")
    if suffix in {".csv", ".json"}:
        if found != "text":
            raise Unreadable("file.not_what_it_says", said=suffix[1:].upper(), found=_name(found))
    elif found != "zip":
        raise Unreadable("file.not_what_it_says", said="XLSX", found=_name(found))
    else:
        _check_directory(path, limits)
    return suffix


def _name(found: str) -> str:
    return {"zip": "XLSX / zip", "ole": "XLS / encrypted"}.get(found, found)


def _check_directory(path: Path, limits: Limits) -> None:
    """Sizes, ratio and number of entries as the zip directory states them; if it lies, the child's limits hold."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise Unreadable("file.damaged", reason=str(error)) from error
    if len(entries) > limits.entries:
        raise Unreadable("file.too_large", limit=f"{limits.entries} zip entries")
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if unpacked > limits.unpacked_bytes:
        raise Unreadable("file.too_large", limit=f"{limits.unpacked_bytes // MIB} MiB unpacked")
    if unpacked > 10 * MIB and unpacked > limits.unpacked_ratio * packed:
        raise Unreadable("file.too_large", limit=f"1:{limits.unpacked_ratio} unpacked")
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        raise Unreadable("file.not_what_it_says", said="XLSX", found="zip")
