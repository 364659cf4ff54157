"""Ids and cursors: sealed for one organisation, worthless to another and when altered; in columns as one by one."""

from __future__ import annotations

import base64
import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from chaingraph import Workspace
from server.api import opaque
from server.api.app import Settings, create_app
from server.api.errors import ApiError
from tests.server import world
from tests.server.client import Client, acting, sealed

SECRET = bytes(range(32))


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    with world.workspace(tmp_path) as made:
        yield made


@pytest.mark.parametrize("purpose", [b"id 2", b"sixteen letters.", b"more than sixteen letters"])
def test_many_are_sealed_as_the_library_seals_one(purpose: bytes) -> None:
    rng = random.Random(1)
    key = rng.randbytes(64)
    one = AESSIV(key)
    texts = [rng.randbytes(length) for length in range(70) for _ in range(3)]
    rng.shuffle(texts)
    wanted = [base64.urlsafe_b64encode(one.encrypt(b"p:" + text, [purpose])).decode().rstrip("=") for text in texts]
    assert opaque.seal_all(key, b"p:", pl.Series(texts, dtype=pl.Binary), purpose) == wanted


def test_a_counter_that_runs_over_is_carried_as_the_library_does() -> None:
    """Of some hundred thousand tags one in two to the sixteenth ends in ff: long texts reach the next byte."""
    key = bytes(64)
    one = AESSIV(key)
    texts = [f"{number:05}".encode() + bytes(16 * 300) for number in range(200)]
    wanted = [base64.urlsafe_b64encode(one.encrypt(text, [b"x"])).decode().rstrip("=") for text in texts]
    assert opaque.seal_all(key, b"", pl.Series(texts, dtype=pl.Binary), b"x") == wanted


def test_a_column_of_ids_is_the_ids_one_by_one() -> None:
    keys = pl.Series([f"L01/{'轴' * (i % 7)}{i}" for i in range(500)])
    seal = opaque.Sealed(SECRET, "L01")
    ids = seal.ids("part", keys)
    assert ids == [seal.id_of("part", key) for key in keys]
    assert [seal.read_id(text) for text in ids] == [("part", key) for key in keys]


def test_an_id_is_one_viewers() -> None:
    mine, theirs = opaque.Sealed(SECRET, "L01"), opaque.Sealed(SECRET, "L02")
    other_store = opaque.Sealed(SECRET[::-1], "L01")
    text = mine.id_of("part", "L01/A1")
    assert opaque.Sealed(SECRET, "L01").id_of("part", "L01/A1") == text
    assert theirs.id_of("part", "L01/A1") != text
    assert theirs.read_id(text) is other_store.read_id(text) is None
    assert theirs.spelled(text, with_kind=True) == text
    assert mine.spelled(text, with_kind=True) == "part:L01/A1"
    assert mine.read_id(mine.id_of("nothing", "L01")) is None


def test_an_altered_one_is_none_whichever_letter_it_is() -> None:
    seal = opaque.Sealed(SECRET, "L01")
    text, cursor = seal.id_of("part", "L01/A1"), seal.cursor("part", ["L01/A1"])
    for place in range(len(text)):
        for letter in ("A", "B", "_", "é", ""):
            if letter != text[place]:
                assert seal.read_id(text[:place] + letter + text[place + 1 :]) is None
    assert seal.read_id(cursor) is None
    for wrong in (text, cursor[:-1], f"{cursor}A", ""):
        with pytest.raises(ApiError, match="cursor"):
            seal.read_cursor("part", wrong)


def test_a_cursor_keeps_what_it_says_for_its_list_only() -> None:
    seal = opaque.Sealed(SECRET, "L01")
    values = [None, 1, 0.1, "轴", True, dt.date(2025, 3, 1), dt.datetime(2025, 3, 1, 8, tzinfo=dt.UTC)]
    text = seal.cursor("part,number", values)
    assert seal.read_cursor("part,number", text) == values
    for other, of in ((seal, "part,-number"), (opaque.Sealed(SECRET, "L02"), "part,number")):
        with pytest.raises(ApiError, match="cursor"):
            other.read_cursor(of, text)


def test_over_http_foreign_ids_are_as_missing_ones_and_foreign_cursors_as_altered(space: Workspace) -> None:
    query = """query($id: ID!, $ids: [ID!]!, $after: String) {
        node(id: $id) { id } nodes(ids: $ids) { id } product(id: $id) { part { key } }
        supplies(filter: {part: {in: $ids}}) { totalCount }
        parts(first: 1, after: $after) { pageInfo { endCursor } } }"""
    mine, theirs = sealed(space), sealed(space, "S01")
    client = Client(create_app(space))

    def ask(key: str, seal: opaque.Sealed, after: str | None = None) -> Any:
        text = seal.id_of("part", key)
        body = {"query": query, "variables": {"id": text, "ids": [text], "after": after}}
        return client.post("/graphql", json=body).json()

    found, missing, foreign = ask("L01/A01", mine), ask("L01/none", mine), ask("L01/A01", theirs)
    assert found["data"]["node"] is not None
    assert missing["data"]["node"] is None
    assert missing == foreign
    cursor = found["data"]["parts"]["pageInfo"]["endCursor"]
    assert "errors" not in ask("L01/A01", mine, cursor)
    other = Client(create_app(space, Settings(authenticate=acting("L01"))))
    asked = {"query": "query($c: String) { parts(after: $c) { totalCount } }", "variables": {"c": cursor}}
    assert other.post("/graphql", json=asked).json()["errors"][0]["extensions"]["code"] == "BAD_CURSOR"
