"""What a zip file holds, by its directory, before anything of it is unpacked. Runs in the child process."""

from __future__ import annotations

import mmap
import zipfile
from pathlib import Path

from .limits import MIB, Limits, Unreadable

_SMALL = MIB
_ENCRYPTED = 1
_SHEETS = "application/vnd.oasis.opendocument.spreadsheet"


def kind(path: Path, limits: Limits) -> tuple[str, bool]:
    """`XLSX`, `XLSB`, `ODS`, `AASX` or `zip`, and whether it carries macros.

    Sizes, ratio and number of entries are as the directory states them; if it lies, the child's limits hold. Raises
    Unreadable beyond a limit, for a damaged file, and `file.encrypted`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check(entries, limits)
            names = {entry.filename for entry in entries}
            if any(entry.flag_bits & _ENCRYPTED for entry in entries):
                raise Unreadable("file.encrypted")
            macros = any(name.endswith("vbaProject.bin") or name.startswith("Basic/") for name in names)
            if "xl/workbook.xml" in names:
                return "XLSX", macros
            if "xl/workbook.bin" in names:
                return "XLSB", macros
            if "mimetype" in names and archive.open("mimetype").read(200).decode("latin-1").startswith(_SHEETS):
                if "META-INF/manifest.xml" in names:
                    manifest = archive.open("META-INF/manifest.xml").read(_SMALL)
                    if b"encryption-data" in manifest:
                        raise Unreadable("file.encrypted")
                return "ODS", macros
            if path.suffix.lower() == ".aasx" or any(name.lower().startswith("aasx/") for name in names):
                return "AASX", macros
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
        raise Unreadable("file.damaged", reason=str(error)) from error
    return "zip", False


def _check(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(entries) > limits.entries:
        raise Unreadable("file.too_large", limit=f"{limits.entries} zip entries")
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if unpacked > limits.unpacked_bytes:
        raise Unreadable("file.too_large", limit=f"{limits.unpacked_bytes // MIB} MiB unpacked")
    if unpacked > 10 * MIB and unpacked > limits.unpacked_ratio * packed:
        raise Unreadable("file.too_large", limit=f"1:{limits.unpacked_ratio} unpacked")


def ole_kind(path: Path) -> str:
    """`XLS`, or `OLE` for another compound file; raises Unreadable `file.encrypted`.

    The names of streams are looked for as they stand in the directory of a compound file, in UTF-16 ([MS-CFB] 2.6.1).
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        if whole.find("EncryptedPackage".encode("utf-16-le")) >= 0:
            raise Unreadable("file.encrypted")
        named = any(whole.find((name + "\0").encode("utf-16-le")) >= 0 for name in ("Workbook", "Book"))
    return "XLS" if named else "OLE"
