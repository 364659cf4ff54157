"""`accessLog`: an owner sees who touched its data and nothing of the others in an entry; an auditor sees all."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chaingraph import Action, Actor, AuditLog, Entry, Workspace
from chaingraph.audit import log as logging
from chaingraph.audit.checkpoints import Checkpoint, Signer
from chaingraph.store import open_store
from schema.vocabularies import AccessRole
from tests.agreements.world import actor
from tests.audit.world import ask, client, entries, shared

LOG = """query($first: Int, $after: String, $action: [AccessAction!], $since: DateTime, $until: DateTime, $by: String) {
  accessLog(first: $first, after: $after, action: $action, since: $since, until: $until, organisation: $by) {
    nodes { at action organisation role account purpose owners kinds agreements analyses what }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Workspace, dict[str, str]]]:
    """L01 has read S1's supplies, S1's and S2's lines, and asked an analysis."""
    found = shared(tmp_path)
    leader = client(found[0], "L01")
    ask(leader, "{ supplies { nodes { share } } }")
    ask(leader, "{ contains { nodes { quantity } } supplies { nodes { share } } }")
    ask(leader, '{ product(number: "M") { weakLinks { __typename } } node(id: "guess") { id } }')
    yield found
    found[0].close()


def log_of(
    workspace: Workspace, organisation: str, role: AccessRole = AccessRole.QUALITY, **given: Any
) -> list[dict[str, Any]]:
    """The nodes of a page of somebody's log."""
    nodes: list[dict[str, Any]] = page_of(workspace, organisation, role, **given)["nodes"]
    return nodes


def page_of(
    workspace: Workspace, organisation: str, role: AccessRole = AccessRole.QUALITY, **given: Any
) -> dict[str, Any]:
    found: dict[str, Any] = ask(client(workspace, organisation, role), LOG, **{"first": 100, **given})["accessLog"]
    return found


def test_an_owner_sees_who_saw_its_data(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, keys = world
    found = [each for each in log_of(workspace, "S2") if each["action"] == "READ"]
    analysed, read = found
    assert (read["organisation"], read["role"], read["purpose"]) == ("L01", "quality", "quality")
    assert (read["owners"], read["kinds"], read["agreements"]) == (["S2"], ["contains"], [keys["S2"]])
    assert (read["analyses"], read["what"]) == ([], [])
    assert analysed["analyses"] == ["weak_links"]
    assert analysed["agreements"] == [keys["S2"]]
    assert analysed["at"] > read["at"]
    assert dt.datetime.fromisoformat(read["at"]) <= dt.datetime.now(dt.UTC)


def test_nothing_of_the_other_owners_of_an_entry(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, keys = world
    for me, other in (("S1", "S2"), ("S2", "S1")):
        said = json.dumps(log_of(workspace, me))
        assert keys[me] in said
        assert keys[other] not in said
        assert f'"{other}"' not in said
        assert "L01-1" not in said  # others' accounts have pseudonyms
    (mine,) = {each["account"] for each in log_of(workspace, "S1") if each["organisation"] == "L01"}
    (theirs,) = {each["account"] for each in log_of(workspace, "S2") if each["organisation"] == "L01"}
    assert mine != theirs
    assert mine.startswith("A-")
    assert log_of(workspace, "S3") == []


def test_the_reader_sees_its_own_doings_and_not_whose_data_they_were(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, keys = world
    found = log_of(workspace, "L01")
    assert {each["organisation"] for each in found} == {"L01"} | {
        each["organisation"] for each in found if "L01" in each["owners"] or each["action"].startswith("AGREEMENT")
    }
    reads = [each for each in found if each["action"] == "READ"]
    assert len(reads) == 3
    assert all(each["owners"] == [] and each["account"] == "L01-1" for each in reads)
    assert reads[1]["kinds"] == ["contains", "supplies"]
    assert reads[1]["agreements"] == sorted(keys.values())
    assert not any("kinds of" in each for read in reads for each in read["what"])
    (denied,) = (each for each in found if each["action"] == "DENIED")
    assert denied["kinds"] == ["node"]


def test_an_auditor_sees_all_and_is_seen(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, keys = world
    written = entries(workspace)
    found = log_of(workspace, "AUD", AccessRole.AUDITOR)
    assert len(found) == len(written)
    assert [each["owners"] for each in found] == [list(each.owners) for each in reversed(written)]
    assert {each["account"] for each in found if each["action"] == "READ"} == {"L01-1"}
    assert any("kinds of S2: contains" in each["what"] for each in found)
    assert all(any(key in each["agreements"] for each in found) for key in keys.values())
    last = entries(workspace)[-1]
    assert (last.organisation, last.action, last.kinds, last.owners) == ("AUD", Action.READ, ("audit",), ())
    whole = page_of(workspace, "", AccessRole.ADMINISTRATOR)
    assert whole["totalCount"] == len(written) + 1
    assert len(entries(workspace)) == len(written) + 1


def test_roles_without_a_log(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, _ = world
    response = client(workspace, "S1", AccessRole.ANALYST).post("/graphql", json={"query": LOG})
    assert json.loads(response.content)["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_pages_and_filters(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, _ = world
    every = log_of(workspace, "S1")
    seen: list[Any] = []
    page: dict[str, Any] = {"pageInfo": {"endCursor": None, "hasNextPage": True}}
    while page["pageInfo"]["hasNextPage"]:
        page = page_of(workspace, "S1", first=2, after=page["pageInfo"]["endCursor"])
        assert page["totalCount"] == len(every)
        assert page["pageInfo"]["hasPreviousPage"] is bool(seen)
        seen += page["nodes"]
    assert seen == every
    assert [each["action"] for each in log_of(workspace, "S1", action=["READ"])] == ["READ"] * 3
    assert {each["organisation"] for each in log_of(workspace, "S1", by="L01")} == {"L01"}
    middle = every[1]["at"]
    assert log_of(workspace, "S1", since=middle) == every[:2]
    assert log_of(workspace, "S1", until=middle) == every[2:]
    body = {"query": LOG, "variables": {"first": 2, "after": page["pageInfo"]["endCursor"]}}
    response = client(workspace, "S2").post("/graphql", json=body)  # another firm's cursor
    assert json.loads(response.content)["errors"][0]["extensions"]["code"] == "BAD_CURSOR"


def test_what_another_process_appends_is_read(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, _ = world
    before = len(log_of(workspace, "S1"))
    other = open_store(workspace.store.url)
    other.append("audit", [Entry.of(Action.BENCHMARK, actor("S3"), owners=("S1",)).leaf()])
    other.close()
    newest, *rest = log_of(workspace, "S1")
    assert (newest["action"], newest["organisation"]) == ("BENCHMARK", "S3")
    assert len(rest) == before


def test_a_contributor_sees_what_its_data_went_into_and_nobody_who_else_was_in_it(
    world: tuple[Workspace, dict[str, str]],
) -> None:
    workspace, keys = world
    what = {"metric": "lead_time", "part_class": "bearing", "statistic": "mean", "cells": "7"}
    asked = Entry.of(
        Action.BENCHMARK, actor("L01"), owners=("S1", "S2"), agreements=tuple(keys.values()), what=what,
    )  # fmt: skip
    workspace.record([asked])
    for me, agreements, owners in (("S1", [keys["S1"]], ["S1"]), ("L01", [], [])):
        newest = log_of(workspace, me)[0]
        assert newest["action"] == "BENCHMARK"
        assert (newest["agreements"], newest["owners"]) == (agreements, owners)
        assert {"metric: lead_time", "part_class: bearing", "statistic: mean"} <= set(newest["what"])
        assert ("cells: 7" in newest["what"]) is (me == "L01")


def test_the_newest_entries_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "MOST", 50)
    monkeypatch.setattr(logging, "PIECE", 7)
    monkeypatch.setattr(logging, "CHUNKS", 3)
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    log, written = AuditLog(store), 0
    for count in (5, 1, 60, 3):
        log.write([Entry.of(Action.READ, Actor(f"O{written + at}")) for at in range(count)])
        written += count
        found = log.newest()
        assert found["number"].to_list() == list(range(max(0, written - 50), written))
        assert found["organisation"].to_list() == [f"O{number}" for number in found["number"]]
        assert found.schema == pl.Schema(logging.SCHEMA)
        assert Checkpoint.read(log.checkpoint()).size == written
    store.close()


def test_members_get_the_checkpoint_over_http(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, _ = world
    response = client(workspace, "S1").get("/audit/checkpoint")
    found = Checkpoint.read(response.text, Signer.of(workspace.store).key)
    assert found.size == len(entries(workspace))
    assert client(workspace, "S2").get("/audit/checkpoint").text.split("\n")[:3] == response.text.split("\n")[:3]
