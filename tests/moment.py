"""A clock that stands still, for what is loaded twice and must come out the same."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

import ingest

WHEN = dt.datetime(2026, 7, 1, 8, 30, 15, 123456, tzinfo=dt.UTC)


@contextmanager
def loading_at(moment: dt.datetime = WHEN) -> Iterator[None]:
    """Receipts of uploads bear this moment."""
    clock = SimpleNamespace(UTC=dt.UTC, datetime=SimpleNamespace(now=moment.astimezone))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[ingest.load.__module__], "dt", clock)
        yield
