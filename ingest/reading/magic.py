"""What a file is: by its first bytes, and what its name says. The inside is looked at in the child process only."""

from __future__ import annotations

import codecs
from pathlib import Path

from .limits import MIB, Limits, Unreadable

_SAID: dict[str, str] = {
    ".csv": "text", ".txt": "text", ".tsv": "text", ".tab": "text",
    ".xlsx": "XLSX", ".xlsm": "XLSX", ".xlsb": "XLSB", ".xls": "XLS", ".ods": "ODS",
    ".parquet": "Parquet", ".json": "JSON", ".jsonl": "JSON", ".ndjson": "JSON", ".aasx": "AASX",
    ".omts": "JSON",
    ".xml": "XML", ".html": "HTML", ".htm": "HTML",
}  # fmt: skip
SUFFIXES = tuple(_SAID)
"""Suffixes of files that are looked at; what they are is settled by what is in them."""
_START = 4096
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE"),
    (b"PAR1", "Parquet"),
    (b"%PDF-", "PDF"),
    (b"\x1f\x8b", "gzip"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"\x7fELF", "ELF"),
    (b"MZ\x90\x00", "EXE"),
)
_READ = frozenset({"zip", "OLE", "Parquet", "text"})


def check(path: Path, limits: Limits) -> str:
    """The suffix of `path`, after everything that can be known without parsing has been checked; raises Unreadable."""
    if not path.is_file():
        raise Unreadable("file.missing")
    suffix = path.suffix.lower()
    if suffix not in _SAID:
        raise Unreadable("file.format", suffix=suffix or path.name)
    size = path.stat().st_size
    if size == 0:
        raise Unreadable("file.empty")
    found = container(path)
    if found not in _READ:
        raise Unreadable("file.not_what_it_says", said=suffix[1:].upper(), found=found)
    if size > (bound := limits.csv_bytes if found in {"text", "Parquet"} else limits.xlsx_bytes):
        raise Unreadable("file.too_large", limit=f"{bound // MIB} MiB")
    return suffix


def container(path: Path) -> str:
    """`zip`, `OLE`, `Parquet`, `text`, or the name of a format that is not read, by the first bytes."""
    with path.open("rb") as file:
        start = file.read(16)
    return next((what for magic, what in _MAGIC if start.startswith(magic)), "text")


def said(path: Path) -> str:
    """The format that the name tells; `text` for CSV and its like."""
    return _SAID.get(path.suffix.lower(), "text")


def markup(path: Path) -> str | None:
    """`XML`, `HTML` or `JSON` where a text starts as one; None for other text."""
    with path.open("rb") as file:
        start = file.read(_START)
    encoding = "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = start.decode(encoding, errors="replace").lstrip().casefold()
    if text.startswith("<?xml") and "<html" not in text:
        return "XML"
    if text.startswith("<") and any(tag in text for tag in ("<html", "<!doctype html", "<table", "<tr", "<meta")):
        return "HTML"
    if text.startswith("<") and "urn:schemas-microsoft-com:office:spreadsheet" in text:
        return "XML"
    if text.startswith(('{"', "[{", "{ ", "[ {", "{\n", "[\n", "{\r", "[\r", "[]", "{}")):
        return "JSON"
    return None
