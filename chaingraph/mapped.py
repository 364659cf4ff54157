"""Tables as files that polars uses in place: their buffers are mapped into memory, nothing is read or copied to
open one.

Polars maps no files any more (it copies), so the columns are handed over by the Arrow C data interface
(https://arrow.apache.org/docs/format/CDataInterface.html): a file holds each column's buffers as Arrow lays them out,
one after another, and a JSON head says where. Processes that map one file share its pages.
"""

from __future__ import annotations

import ctypes as c
import io
import itertools
import json
import mmap
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

ALIGNMENT = 64
"""Where buffers begin, in bytes: what Arrow recommends."""
_NULLABLE = 2
"""Arrow's flag of a column that may have nulls."""
_VIEWS = b"vu"
"""Arrow's format string of text as views; its last buffer holds the lengths of those before it."""


class _Schema(c.Structure):
    pass


class _Array(c.Structure):
    pass


class _Stream(c.Structure):
    pass


_Schema._fields_ = [
    ("format", c.c_char_p),
    ("name", c.c_char_p),
    ("metadata", c.c_char_p),
    ("flags", c.c_int64),
    ("n_children", c.c_int64),
    ("children", c.c_void_p),
    ("dictionary", c.c_void_p),
    ("release", c.c_void_p),
    ("private_data", c.c_void_p),
]
_Array._fields_ = [
    ("length", c.c_int64),
    ("null_count", c.c_int64),
    ("offset", c.c_int64),
    ("n_buffers", c.c_int64),
    ("n_children", c.c_int64),
    ("buffers", c.POINTER(c.c_void_p)),
    ("children", c.c_void_p),
    ("dictionary", c.c_void_p),
    ("release", c.c_void_p),
    ("private_data", c.c_void_p),
]
_Stream._fields_ = [
    ("get_schema", c.CFUNCTYPE(c.c_int, c.POINTER(_Stream), c.POINTER(_Schema))),
    ("get_next", c.CFUNCTYPE(c.c_int, c.POINTER(_Stream), c.POINTER(_Array))),
    ("get_last_error", c.c_void_p),
    ("release", c.CFUNCTYPE(None, c.POINTER(_Stream))),
    ("private_data", c.c_void_p),
]

_pointer = c.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = c.c_void_p, [c.py_object, c.c_char_p]
_capsule = c.pythonapi.PyCapsule_New
_capsule.restype, _capsule.argtypes = c.py_object, [c.c_void_p, c.c_char_p, c.c_void_p]

_WIDTH = {b"l": 8, b"g": 8, b"td": 4, b"ts": 8}
"""Bytes of a value, by the first letters of its format: int64, float64, date, datetime."""


def write(table: pl.DataFrame, file: Path) -> None:
    """Write a table of at least one row; `read` gives it back. The caller sees to names, fsync and rename."""
    columns, at = [], 0
    with file.open("wb") as out:
        for series in table.get_columns():
            compact = _compact(series)
            schema, array = _export(compact)
            places: list[tuple[int, int] | None] = []
            for address, size in _buffers(schema.format, array):
                if address is None:
                    places.append(None)
                    continue
                at += out.write(b"\0" * (-at % ALIGNMENT))
                places.append((at, size))
                at += out.write(memoryview((c.c_char * size).from_address(address)))
            columns.append([series.name, schema.format.decode(), array.null_count, places])
            _release(schema, array)
        head = json.dumps({"length": len(table), "columns": columns}).encode()
        out.write(head + len(head).to_bytes(8, "little"))


def read(file: Path) -> pl.DataFrame:
    """The table in a file that `write` wrote. Nothing is read yet but its head."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        size = int.from_bytes(whole[-8:], "little")
        head = json.loads(whole[-8 - size : -8])
    data = np.memmap(file, np.uint8, "r")
    return pl.DataFrame([pl.Series(_Column(data, head["length"], *column)) for column in head["columns"]])


class _Column:
    """A column in a mapped file, for polars to take over."""

    def __init__(
        self,
        data: NDArray[np.uint8],
        length: int,
        name: str,
        layout: str,
        nulls: int,
        places: list[tuple[int, int] | None],
    ) -> None:
        start = data.ctypes.data
        buffers = (c.c_void_p * len(places))(*[None if p is None else start + p[0] for p in places])
        number = next(_NUMBERS)
        forget = c.cast(_FORGET_SCHEMA, c.c_void_p), c.cast(_FORGET_ARRAY, c.c_void_p)
        self.schema = _Schema(layout.encode(), name.encode(), None, _NULLABLE, 0, None, None, forget[0], None)
        self.array = _Array(length, nulls, 0, len(places), 0, buffers, None, None, forget[1], number)
        _HELD[number] = (data, buffers, self.schema)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Capsules of schema and array; who takes them moves the structures out and calls their release at the end."""
        del requested_schema
        return (
            _capsule(c.addressof(self.schema), b"arrow_schema", None),
            _capsule(c.addressof(self.array), b"arrow_array", None),
        )


_NUMBERS = itertools.count(1)
_HELD: dict[int, tuple[object, ...]] = {}
"""What the structures point to, until polars lets go of them."""


def _forget_schema(schema: Any) -> None:
    schema.contents.release = None


def _forget_array(array: Any, held: dict[int, tuple[object, ...]] = _HELD) -> None:
    held.pop(array.contents.private_data, None)
    array.contents.release = None


_FORGET_SCHEMA = c.CFUNCTYPE(None, c.POINTER(_Schema))(_forget_schema)
_FORGET_ARRAY = c.CFUNCTYPE(None, c.POINTER(_Array))(_forget_array)
for _callback in (_FORGET_SCHEMA, _FORGET_ARRAY):
    c.pythonapi.Py_IncRef(c.py_object(_callback))  # columns that outlive this module still call it


def _export(series: pl.Series) -> tuple[_Schema, _Array]:
    """The structures of a series in one chunk; `_release` them."""
    capsule = series.__arrow_c_stream__()
    stream = c.cast(_pointer(capsule, b"arrow_array_stream"), c.POINTER(_Stream)).contents
    schema, array = _Schema(), _Array()
    if stream.get_schema(c.byref(stream), c.byref(schema)) or stream.get_next(c.byref(stream), c.byref(array)):
        raise OSError(f"polars cannot export the column {series.name}")
    return schema, array


def _release(schema: _Schema, array: _Array) -> None:
    c.CFUNCTYPE(None, c.POINTER(_Schema))(schema.release)(c.byref(schema))
    c.CFUNCTYPE(None, c.POINTER(_Array))(array.release)(c.byref(array))


def _compact(series: pl.Series) -> pl.Series:
    """The series in one chunk that begins at its buffers' begin and carries no text but its own."""
    one = series.rechunk()
    schema, array = _export(one)
    held = sum(size for _, size in _buffers(schema.format, array))
    begins = array.offset == 0
    _release(schema, array)
    shown = len(one) * 17 + (int(one.str.len_bytes().sum()) if one.dtype == pl.String() else 0)
    if begins and held <= 2 * shown + 4096:
        return one
    again = io.BytesIO()
    one.to_frame().write_ipc(again)
    return pl.read_ipc(again.getvalue()).to_series().rechunk()


def _buffers(layout: bytes, array: _Array) -> list[tuple[int | None, int]]:
    """Address (None: absent) and bytes of each buffer of an array; of text as views the last one holds lengths."""
    addresses = [array.buffers[i] for i in range(array.n_buffers)]
    bits = -(-array.length // 8)
    if layout != _VIEWS:
        return [(addresses[0], bits), (addresses[1], bits if layout == b"b" else _WIDTH[layout[:2]] * array.length)]
    texts = addresses[2:-1]
    sizes = list((c.c_int64 * len(texts)).from_address(addresses[-1])) if texts else []
    ends: list[tuple[int | None, int]] = [(addresses[0], bits), (addresses[1], 16 * array.length)]
    return [*ends, *zip(texts, sizes, strict=True), (addresses[-1] if texts else None, 8 * len(texts))]
