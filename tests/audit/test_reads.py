"""What a request reads of others' data is an entry before its answer leaves, with whose, and under which agreement."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaingraph import Action, Entry, StoreError, Workspace
from schema import Text
from schema.vocabularies import AccessRole
from server.api.app import create_app
from server.api.touched import SECRET, log_of
from tests.agreements.world import actor
from tests.audit.world import ask, client, entries, shared
from tests.server.client import Client, sealed

S2_ACTOR = actor("S2")
SUPPLIES = "{ supplies { nodes { key share } } }"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Workspace, dict[str, str]]]:
    found = shared(tmp_path)
    yield found
    found[0].close()


def logged(workspace: Workspace, caller: Client, query: str, **variables: Any) -> list[Entry]:
    """The entries that a query comes to."""
    before = len(entries(workspace))
    ask(caller, query, **variables)
    return entries(workspace, before)


def test_rows_of_others_on_a_page(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, keys = world
    (entry,) = logged(workspace, client(workspace, "L01"), SUPPLIES)
    assert (entry.action, entry.organisation, entry.role) == (Action.READ, "L01", "quality")
    assert (entry.account, entry.purpose) == ("L01-1", "quality")
    assert entry.owners == ("S1",)  # S2 shares no supply
    assert entry.kinds == ("supplies",)
    assert entry.agreements == (keys["S1"],)
    assert entry.revision == workspace.store.head().revision
    assert entry.what == {}


def test_own_rows_only_are_no_entry(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, _ = world
    own = '{ supplies(filter: {customer: {eq: "L01"}}) { nodes { share } totalCount } parts { nodes { number } } }'
    assert logged(workspace, client(workspace, "L01"), own) == []
    assert logged(workspace, client(workspace, "S9"), "{ supplies { totalCount } parts { totalCount } }") == []


def test_whose_rows_stand_without_their_owner_is_logged_too(world: tuple[Workspace, dict[str, str]]) -> None:
    """A member sees the consortium's row and not whose it is; its owner sees that it was read."""
    workspace, _ = world
    caller = client(workspace, "S1")
    consortia = "{ consortia { nodes { key owner } } }"
    (entry,) = logged(workspace, caller, consortia)
    assert ask(caller, consortia) == {"consortia": {"nodes": [{"key": "C", "owner": None}]}}
    assert (entry.owners, entry.kinds, entry.agreements) == (("L01",), ("consortium",), ())


def test_the_administrator_of_an_embedded_store_is_not_logged(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, _ = world
    caller = Client(create_app(workspace))
    assert logged(workspace, caller, '{ supplies { nodes { share } } node(id: "nothing") { id } }') == []


@pytest.mark.parametrize(
    "query",
    [
        "{ contains(first: 10) { nodes { quantity } } }",
        "{ contains { edges { cursor } } }",
        "{ contains { totalCount } }",
        "{ contains(filter: {quantity: {gte: 1.5}}) { totalCount } }",
        "{ contains { pageInfo { endCursor } } }",
        "{ contains { groups(by: []) { count sum(of: QUANTITY) } } }",
        "{ containsColumns(first: 10) { quantity } }",
        "{ containsColumns(first: 10) { totalCount } }",
        '{ parts(filter: {number: {eq: "A"}}) { nodes { containsAsParent { totalCount } } } }',
    ],
)
def test_every_way_to_rows_is_noted(world: tuple[Workspace, dict[str, str]], query: str) -> None:
    workspace, keys = world
    caller = client(workspace, "L01")
    found = logged(workspace, caller, query)
    assert len(found) == 1
    assert "S1" in found[0].owners
    assert "contains" in found[0].kinds
    assert keys["S1"] in found[0].agreements


def test_what_a_filter_leaves_out_is_not_noted(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, keys = world
    caller = client(workspace, "L01")
    (entry,) = logged(workspace, caller, "{ contains(filter: {quantity: {gte: 1.5}}) { nodes { quantity } } }")
    assert entry.owners == ("S1",)
    assert entry.agreements == (keys["S1"],)
    assert logged(workspace, caller, "{ contains(filter: {quantity: {gte: 99}}) { nodes { quantity } } }") == []


def test_owners_whose_kinds_differ_are_told_apart(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, _ = world
    (entry,) = logged(
        workspace, client(workspace, "L01"), "{ contains { nodes { quantity } } supplies { nodes { share } } }"
    )
    assert entry.owners == ("S1", "S2")
    assert entry.kinds == ("contains", "supplies")
    assert entry.what == {"kinds of S2": "contains"}


def test_an_analysis_and_a_table(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, keys = world
    caller = client(workspace, "L01")
    (entry,) = logged(workspace, caller, '{ product(number: "M") { weakLinks { __typename } } }')
    assert entry.what["analyses"] == "weak_links"
    assert entry.owners == ("S1", "S2", "S9")  # S9 states itself; L01 meets it in what S1 shows
    assert entry.what["kinds of S9"] == "organisation"
    assert entry.agreements == tuple(sorted(keys.values()))
    before = len(entries(workspace))
    assert caller.get("/tables/supplies.csv").status_code == 200
    (entry,) = entries(workspace, before)
    assert (entry.action, entry.owners, entry.kinds) == (Action.EXPORT, ("S1",), ("supplies",))
    assert caller.get("/tables/supplies.csv?customer=L01").status_code == 200
    assert len(entries(workspace)) == before + 1


def test_an_id_that_is_hidden_is_logged_and_answered_as_one_that_is_not(
    world: tuple[Workspace, dict[str, str]],
) -> None:
    workspace, _ = world
    caller = client(workspace, "S2")
    seal = sealed(workspace, "S2")
    hidden = seal.id_of("supplies", workspace.view().table("supplies")["key"][0])
    key = next(k for k in workspace.view().table("supplies")["key"] if "S9" in k and "S1" in k)
    hidden, absent = seal.id_of("supplies", key), seal.id_of("supplies", key.replace("S9", "S7"))
    query = "query($id: ID!) { node(id: $id) { id } nodes(ids: [$id, $id]) { id } }"
    answers = [ask(caller, query, id=each) for each in (hidden, absent, "none")]
    assert answers == [{"node": None, "nodes": [None, None]}] * 3
    found = entries(workspace)[-3:]
    assert [each.action for each in found] == [Action.DENIED] * 3
    assert len({each.what["ids"] for each in found}) == 3
    for each in found:
        assert each.owners == each.agreements == ()
        assert (each.kinds, each.revision, each.what["count"]) == (("node",), 0, "3")
        hashes = each.what["ids"].split()
        assert len(set(hashes)) == 1
        assert {len(one) for one in hashes} == {16}
    assert found[0].leaf().replace(found[0].what["ids"].encode(), b"").count(b"S9") == 0


def test_what_a_role_may_not_is_logged(world: tuple[Workspace, dict[str, str]]) -> None:
    workspace, _ = world
    caller = client(workspace, "L01", AccessRole.AUDITOR)
    before = len(entries(workspace))
    response = caller.post("/graphql", json={"query": "{ parts { totalCount } }"})
    assert json.loads(response.content)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert caller.get("/tables/parts.csv").status_code == 403
    found = entries(workspace, before)
    assert [each.action for each in found] == [Action.DENIED, Action.DENIED]
    assert found[0].what == {"refused": "parts is not for the role auditor."}


def test_no_answer_leaves_without_its_entry(
    world: tuple[Workspace, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = world
    caller = client(workspace, "L01")
    own = '{ supplies(filter: {customer: {eq: "L01"}}) { nodes { share } } }'
    expected = ask(caller, own)

    def full(log: str, leaves: list[bytes]) -> int:
        raise StoreError("store.full", Text("磁盘已满。", "The disk is full."), Text("请清理。", "Make room."))

    monkeypatch.setattr(workspace.store, "append", full)
    response = caller.post("/graphql", json={"query": SUPPLIES})
    assert response.status_code == 503
    body = json.loads(response.content)
    assert "data" not in body
    assert body["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert response.headers["retry-after"]
    assert b"S1" not in response.content
    assert caller.get("/tables/supplies.csv").status_code == 503
    assert caller.post("/graphql", json={"query": '{ node(id: "x") { id } }'}).status_code == 503
    assert ask(caller, own) == expected


def test_entries_of_many_requests_go_into_few_transactions(
    world: tuple[Workspace, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = world
    before, log, sizes = len(entries(workspace)), log_of(workspace), []
    entry = Entry.of(Action.READ, S2_ACTOR, owners=("S1",))
    append, gate = workspace.store.append, threading.Event()

    def slow(name: str, leaves: list[bytes]) -> int:
        sizes.append(len(leaves))
        gate.wait(10)
        return append(name, leaves)

    monkeypatch.setattr(workspace.store, "append", slow)
    threads = [threading.Thread(target=log.write, args=([entry],)) for _ in range(20)]
    for thread in threads:
        thread.start()
    while len(log._open.entries) < 20 - sum(sizes):
        pass
    gate.set()
    for thread in threads:
        thread.join(10)
    assert len(entries(workspace)) == before + 20
    assert len(sizes) <= 3
    assert sum(sizes) == 20


def test_a_transaction_that_fails_fails_for_all_in_it(
    world: tuple[Workspace, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = world
    log, entry = log_of(workspace), Entry.of(Action.READ, S2_ACTOR)
    append = workspace.store.append

    def broken(name: str, leaves: list[bytes]) -> int:
        raise StoreError("store.full", Text("满。", "Full."), Text("请清理。", "Make room."))

    monkeypatch.setattr(workspace.store, "append", broken)
    for _ in range(2):
        with pytest.raises(StoreError):
            log.write([entry])
    monkeypatch.setattr(workspace.store, "append", append)
    before = len(entries(workspace))
    log.write([entry])
    assert len(entries(workspace)) == before + 1
    assert workspace.store.secret(SECRET)
