"""Documents in general: which format they are, what is told of them, and that nothing in JSON breaks the reading."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reading import Limits, Unreadable
from ingest.reading.documents import Document, child, objects, parse, readers, text, written
from ingest.report import finding
from tests.ingest import exchange


def told(done: int, total: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


def test_what_is_said_first_stays_and_blanks_are_filled() -> None:
    found = Document("X")
    found.merge("parts", ("number",), "/1", number="A", name_en=None, part_class="pump")
    found.merge("parts", ("number",), "/2", number="A", name_en="Pump", part_class="motor")
    found.merge("parts", ("number",), "/3", number="B")
    assert found.rows["parts"] == [{"number": "A", "name_en": "Pump", "part_class": "pump"}, {"number": "B"}]
    assert [(each.code, each.place, dict(each.values)) for each in found.notes] == [
        ("document.contradiction", "/2", {"what": "part_class", "said": "motor", "first": "pump"})
    ]


def test_of_many_notes_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    found = Document("X")
    for number in range(60):
        found.note("document.unused", f"/{number}", what="w" * 500)
    notes = written(found, tmp_path, Limits(), told)["notes"]
    assert len(notes) == 51
    assert notes[0] == {"code": "document.unused", "place": "/0", "values": {"what": "w" * 199 + "…"}}
    assert notes[-1] == {"code": "document.more", "place": None, "values": {"which": "document.unused", "count": 10}}


NOTED: dict[str, dict[str, Any]] = {
    "document.version": {"format": "AAS", "version": "2", "known": "3.0"},
    "document.unused": {"what": "X"},
    "document.missing": {"what": "X"},
    "document.bad_value": {"what": "X", "said": "Y"},
    "document.contradiction": {"what": "X", "said": "Y", "first": "Z"},
    "document.too_deep": {"limit": 64},
    "document.personal": {"count": 3},
    "document.hidden": {"count": 3},
    "document.more": {"which": "document.unused", "count": 3},
}


@pytest.mark.parametrize("code", NOTED)
def test_every_note_is_told_in_both_languages_with_what_it_is_about(code: str) -> None:
    told_as = finding(code, file="f", value="/place", **NOTED[code])
    for each in NOTED[code].values():
        assert str(each) in told_as.text.zh
        assert str(each) in told_as.text.en
    assert told_as.remedy.zh
    assert told_as.remedy.en


def test_columns_without_anything_and_sheets_without_columns_are_not_written(tmp_path: Path) -> None:
    found = Document("X")
    found.add("parts", number="A", name_en=None)
    found.add("lots", code=None)
    tables = written(found, tmp_path, Limits(), told)["tables"]
    assert [each["sheet"] for each in tables] == ["parts"]
    assert pl.read_ipc(tmp_path / tables[0]["parts"][0]).rows() == [("number", 1), ("A", 2)]


def test_too_many_cells_are_refused(tmp_path: Path) -> None:
    found = Document("X")
    for number in range(11):
        found.add("parts", number=str(number))
    with pytest.raises(Unreadable, match=r"file\.too_large"):
        written(found, tmp_path, Limits(cells=10), told)


def test_pieces_of_documents_are_what_they_are_or_nothing() -> None:
    values: list[Any] = [" a ", "", 1, 1.5, True, None, [], {}]
    assert [text(each) for each in values] == ["a", None, "1", "1.5", None, None, None, None]
    assert objects([{"a": 1}, 2, None]) == [{"a": 1}]
    assert objects({"a": 1}) == []
    assert child({"a": {"b": 2}}, "a", "b") == 2
    assert child({"a": [1]}, "a", "b") is None


NO_JSON = {"deep": "[" * 100_000, "cut": '{"a": ', "mark": "\ufeff{", "long": '{"a": ' + "9" * 5000 + "}"}


@pytest.mark.parametrize("content", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Unreadable, match=r"file\.damaged"):
        parse(path, tmp_path, Limits(), told)


@settings(max_examples=150)
@given(exchange.ANYTHING)
def test_any_json_is_a_document_or_none(out: Path, value: object) -> None:
    for read in readers():
        exchange.stored(read(value), out)
    path = out / "any.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    with contextlib.suppress(Unreadable):
        assert parse(path, out, Limits(), told) is None


@settings(max_examples=100)
@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_no_document(out: Path, content: bytes) -> None:
    path = out / "bytes.json"
    path.write_bytes(content)
    with contextlib.suppress(Unreadable):
        assert parse(path, out, Limits(), told) is None
