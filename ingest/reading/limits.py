"""What a file may cost, and the exception that says it may not be read. The child imports it before its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file; a file beyond any of them is refused, whatever else it is."""

    csv_bytes: int = 1024 * MIB
    xlsx_bytes: int = 256 * MIB
    unpacked_bytes: int = 1024 * MIB
    """Sum of what the entries of a workbook's zip directory unpack to."""
    unpacked_ratio: int = 100
    """Unpacked over packed, asked of workbooks that unpack to more than 10 MiB. Real ones stay under 40."""
    entries: int = 10_000
    sheets: int = 500
    columns: int = 2_000
    line_bytes: int = MIB
    cells: int = 100_000_000
    written_bytes: int = 1024 * MIB
    """What the tables of a workbook, a Parquet file or a document take as text."""
    marks: int = 200_000
    """Merged cells and hidden rows of a workbook that are looked at."""
    slice_bytes: int = 16 * MIB
    address_space: int = 4096 * MIB
    """polars itself aborts on an 18 MB CSV under 1 GiB."""
    resident: int = 1536 * MIB
    seconds: float = 60.0


class Unreadable(Exception):
    """A file cannot be taken: `code` is one of `ingest.codes`, `values` fill in its text."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code, values)
        self.code = code
        self.values = values
