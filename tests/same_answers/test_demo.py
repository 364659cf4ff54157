"""The demo consortium, loaded into either store by itself: what comes out is the same, to the last byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import Workspace
from schema import KINDS
from tests.same_answers import asked

WEAK_LINKS: list[tuple[str, ...]] = [
    ("weak-links", "VMC850", "--top", "40"),
    ("weak-links", "EDU150", "--mission", "5000"),
    ("weak-links", "VMC850", "--kind", "reliability", "--explain", "1"),
]
PROPAGATE: list[tuple[str, ...]] = [
    ("propagate", "VMC850", "--at", "100,1000,8760,20000"),
    ("propagate", "EDU150", "--at", "10,1000"),
    ("propagate", "A12", "--at", "1000", "--maker", "S05"),
]
WHERE_USED: list[tuple[str, ...]] = [("where-used", part) for part in ("A12", "M06", "X13", "VMC850")]
OTHERS: list[tuple[str, ...]] = [
    ("contributions", "EDU150", "--mission", "5000"),
    ("single-points", "VMC850"),
    ("neighbourhood", "S31", "--depth", "2"),
    ("trace", "LZ2503"),
    ("trace", "lot:L01/VMC850/L01/VMC2503", "--direction", "in"),
    ("trace", "VMC850", "--depth", "2"),
    ("where-used", "NONSENSE"),
]
ALIKE = [WEAK_LINKS, PROPAGATE, WHERE_USED, OTHERS]


@pytest.fixture(scope="module")
def in_neo4j(neo4j_demo: str, demo_workspace: Workspace) -> Iterator[Workspace]:
    with Workspace.open(neo4j_demo) as workspace:
        sealing = demo_workspace.store.secret("opaque")  # what seals ids is each store's own
        assert workspace.store.secret("opaque", sealing) == sealing
        yield workspace


def test_the_stores_hold_the_same_rows_and_came_by_them_alone(
    neo4j_demo: str, in_neo4j: Workspace, demo_workspace: Workspace
) -> None:
    one, other = in_neo4j.snapshot(), demo_workspace.snapshot()
    assert [name for name in KINDS if not one.table(name).equals(other.table(name))] == []
    assert min(other.table(name).height for name in ("part", "supplies", "lot", "mode", "life_record", "upload")) > 10
    ids = [{commit.id for commit in each.store.journal()} for each in (in_neo4j, demo_workspace)]
    assert ids[0].isdisjoint(ids[1])


@pytest.mark.parametrize("commands", ALIKE, ids=lambda commands: commands[0][0])
def test_commands_say_the_same(neo4j_demo: str, demo_workspace: Workspace, commands: list[tuple[str, ...]]) -> None:
    wanted = list(asked.by_command(demo_workspace.store.url, commands))
    assert all(len(answer) > 2 for what, code, answer in wanted if code == 0)
    assert [what for what, code, _ in wanted if code] == [what for what, _, _ in wanted if "NONSENSE" in what]
    for found, expected in zip(asked.by_command(neo4j_demo, commands), wanted, strict=True):
        assert found == expected, found[0]


def test_queries_and_tables_say_the_same(in_neo4j: Workspace, demo_workspace: Workspace) -> None:
    wanted = list(asked.over_http(demo_workspace, asked.QUERIES))
    refused = [what for what, status, answer in wanted if status != 200 or b'"errors"' in answer]
    assert refused == [f"refused in {language}" for language in asked.LANGUAGES]
    for found, expected in zip(asked.over_http(in_neo4j, asked.QUERIES), wanted, strict=True):
        assert found == expected, found[0]


def test_every_table_is_exported_alike(neo4j_demo: str, demo_workspace: Workspace, tmp_path: Path) -> None:
    wanted = asked.exported(demo_workspace.store.url, tmp_path / "one")
    found = asked.exported(neo4j_demo, tmp_path / "other")
    assert found.keys() == wanted.keys() >= {"parts.csv", "life_records.csv"}
    assert [name for name in wanted if found[name] != wanted[name]] == []
