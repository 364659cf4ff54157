"""Scalars beyond GraphQL's own: dates, times and whole numbers beyond 32 bits."""

from __future__ import annotations

import datetime as dt
from typing import Any, NewType

import strawberry
from starlette.datastructures import UploadFile
from strawberry.schema.config import StrawberryConfig

Long = NewType("Long", int)
File = NewType("File", bytes)
LONGEST = 2**63


def _read_long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError("Long is a whole number.")
    number = int(value)
    if not -LONGEST <= number < LONGEST:
        raise ValueError("Long is a whole number of 64 bits.")
    return number


def _read_date(value: Any) -> dt.date:
    if not isinstance(value, str):
        raise TypeError("Date is text such as 2025-03-01.")
    return dt.date.fromisoformat(value)


def _read_time(value: Any) -> dt.datetime:
    if not isinstance(value, str):
        raise TypeError("DateTime is text such as 2025-03-01T08:00:00Z.")
    moment = dt.datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("DateTime needs its offset, such as Z for UTC.")
    return moment.astimezone(dt.UTC)


def _say_time(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _read_file(value: Any) -> UploadFile:
    if not isinstance(value, UploadFile):
        raise TypeError("Send the file as a part of a multipart request.")
    return value


RFC_3339 = "https://www.rfc-editor.org/rfc/rfc3339"
SCALARS: dict[object, Any] = {
    File: strawberry.scalar(
        name="File",
        description="A file, sent as a part of a multipart request.",
        specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
        parse_value=_read_file,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="A whole number of up to 64 bits.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259#section-6",
        serialize=int,
        parse_value=_read_long,
    ),
    dt.date: strawberry.scalar(
        name="Date",
        description="A day, such as 2025-03-01.",
        specified_by_url=RFC_3339,
        serialize=dt.date.isoformat,
        parse_value=_read_date,
    ),
    dt.datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC, such as 2025-03-01T08:00:00Z.",
        specified_by_url=RFC_3339,
        serialize=_say_time,
        parse_value=_read_time,
    ),
}

CONFIG = StrawberryConfig(scalar_map=SCALARS)
