"""Entries of changes are in their transaction; several processes append to one log; no entry holds a value of data."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ingest
from chaingraph import Action, Actor, AuditLog, Conflict, Entry, Workspace
from chaingraph.audit.checkpoints import Checkpoint, verify
from chaingraph.changes import ChangeSet
from chaingraph.store import open_store
from schema.vocabularies import AccessRole
from tests.agreements.world import L01, actor, consortium, terms
from tests.audit.world import ask, client, entries
from tests.chaingraph.world import opened, part, rows

ROOT = Path(__file__).parents[2]
MARK = "Zq7"
"""Begins every value that is planted: nothing else does."""


def test_a_load_and_its_undoing_are_entries(tmp_path: Path) -> None:
    file = tmp_path / "organisations.csv"
    file.write_text("id,name_en\nS1,One\nS2,Two\n", encoding="utf-8")
    with opened(tmp_path) as workspace:
        who = Actor("S1", AccessRole.SUPPLIER, account="S1-7")
        report = ingest.load(workspace, [file], by="S1", actor=who)
        (entry,) = entries(workspace)
        assert (entry.action, entry.organisation, entry.account) == (Action.LOAD, "S1", "S1-7")
        assert (entry.owners, entry.revision) == (("S1",), 0)
        assert set(entry.kinds) == {"organisation", "upload"}
        assert entry.what == {"load": report.load, "uploads": " ".join(report.uploads.values())}
        assert ingest.load(workspace, [file], by="S1").revision is None  # nothing new, no entry
        assert ingest.load(workspace, [file], by="S2", dry_run=True).revision is None
        assert len(entries(workspace)) == 1
        ingest.undo(workspace, str(report.load))
        _, undone = entries(workspace)
        assert (undone.action, undone.organisation, undone.owners) == (Action.UNDO, "S1", ("S1",))
        assert undone.revision == report.revision
        assert undone.what["load"] == report.load


def test_a_change_that_fails_leaves_no_entry_and_one_that_holds_leaves_one(tmp_path: Path) -> None:
    entry = Entry.of(Action.LOAD, L01)
    with opened(tmp_path) as workspace:
        workspace.submit(
            ChangeSet(put={"organisation": rows("organisation", {"id": "L01"}), "part": rows("part", part("M"))}),
            entries=[entry],
        )
        assert len(entries(workspace)) == 1
        gone = ChangeSet(delete={"organisation": workspace.snapshot().table("organisation")["key"]})
        with pytest.raises(Conflict):
            workspace.submit(gone, entries=[entry])
        assert len(entries(workspace)) == 1
        pieces = [
            ChangeSet(put={"part": rows("part", part("A"))}, load="L", part=0, last=False),
            ChangeSet(put={"part": rows("part", part("B"))}, delete=gone.delete, load="L", part=1),
        ]
        with pytest.raises(Conflict):
            workspace.submit(pieces, entries=[entry])
        assert len(entries(workspace)) == 1
        assert workspace.view().count("part") == 1


KILLED = """
import os, signal, sys
from chaingraph import Action, Actor, Entry
from chaingraph.changes import ChangeSet
from chaingraph.store import sqlite
from tests.chaingraph.world import part, rows
at, path = int(sys.argv[1]), sys.argv[2]
store = sqlite.SqliteStore(__import__("pathlib").Path(path))
steps = 0
def count(*_):
    global steps
    steps += 1
    if steps == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return True
with store._connection() as run:
    run.set_exec_trace(lambda *_: count())
store.commit(ChangeSet(put={"part": rows("part", part("A"))}), leaves=[Entry.of(Action.LOAD, Actor("S1")).leaf()])
print(steps)
"""


def test_killed_at_any_statement_there_is_the_change_with_its_entry_or_neither(tmp_path: Path) -> None:
    """SIGKILL before each statement of the transaction in turn."""
    ends = set()
    for at in range(1, 40):
        path = tmp_path / f"{at}.db"
        command = [sys.executable, "-c", KILLED, str(at), str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        store = open_store(f"sqlite:///{path}")
        leaves, revision = len(list(store.leaves("audit"))), store.head().revision
        store.close()
        assert leaves == revision, done.stderr
        ends.add((done.returncode == 0, revision))
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
    assert ends == {(False, 0), (True, 1)}


def test_several_processes_append_to_one_log(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    command = [sys.executable, "-m", "tests.audit.writer", store.url]
    running = [subprocess.Popen([*command, name, "40"], cwd=ROOT, env=dict(os.environ)) for name in ("A", "B")]
    log, kept = AuditLog(store), []
    while any(each.poll() is None for each in running):
        log.write([Entry.of(Action.READ, Actor("C"))])
        kept.append(Checkpoint.read(log.checkpoint()))
    assert [each.returncode for each in running] == [0, 0]
    found = [Entry.read(leaf) for leaf in store.leaves("audit")]
    for name in ("A", "B"):
        assert [each.what["turn"] for each in found if each.organisation == name] == [str(turn) for turn in range(40)]
    file = tmp_path / "log"
    file.write_bytes(b"".join(leaf + b"\n" for leaf in store.leaves("audit")))
    assert verify(file, kept).leaves == len(found) == 80 + len(kept)
    store.close()


def planted(workspace: Workspace) -> None:
    """Marked values in all texts of rows of S1 and L01 that are no code of a firm."""
    firm = {"name_en": f"{MARK}name", "name_zh": f"{MARK}名", "extra": f'{{"a": "{MARK}extra"}}'}
    put = {
        "organisation": pl.concat([rows("organisation", {"id": each, **firm}, owner=each) for each in ("L01", "S1")]),
        "part": rows("part", part(f"{MARK}M", name_en=f"{MARK}part"), part(f"{MARK}A"), owner="S1"),
        "contains": rows(
            "contains",
            {"parent": f"L01/{MARK}M", "child": f"L01/{MARK}A", "quantity": 7654321.0, "find_no": f"{MARK}f"},
            owner="S1",
        ),
    }  # fmt: skip
    workspace.submit(ChangeSet(put=put, by="S1"))


def test_no_entry_holds_a_value_of_data(tmp_path: Path) -> None:
    """A busy session over rows full of marked values; then every byte of the log is looked through."""
    with consortium(tmp_path) as workspace:
        planted(workspace)
        supplier, leader = client(workspace, "S1"), client(workspace, "L01")
        ask_terms: dict[str, Any] = {"aspects": ("structure", "identity", "supply"), "note": f"{MARK}note"}
        from chaingraph.agreements import accept, propose

        key = propose(workspace, actor("S1"), terms("S1", **ask_terms))
        accept(workspace, L01, key.partition("/")[0])
        before = len(entries(workspace))
        ask(
            leader,
            "{ contains { nodes { key findNo quantity parent { key nameEn } } totalCount } parts { nodes { id } } }",
        )
        ask(leader, f'{{ contains(filter: {{findNo: {{contains: "{MARK}"}}}}) {{ nodes {{ key }} }} }}')
        ask(
            leader,
            f"query {MARK}Name {{ containsColumns(first: 5) {{ key }} "
            f'product(number: "{MARK}M") {{ weakLinks {{ __typename }} }} }}',
        )
        ask(leader, f'{{ product(number: "{MARK}none") {{ part {{ key }} }} node(id: "{MARK}id") {{ id }} }}')
        leader.post("/graphql", json={"query": f'{{ parts(after: "{MARK}cursor") {{ totalCount }} }}'})
        client(workspace, "L01", AccessRole.AUDITOR).post(
            "/graphql", json={"query": f'{{ {MARK}: parts(filter: {{number: {{eq: "{MARK}M"}}}}) {{ totalCount }} }}'}
        )
        for form in ("csv", "json"):
            assert MARK in leader.get(f"/tables/contains.{form}?find_no={MARK}f").text
        ask(supplier, "{ accessLog { nodes { kinds } } parts { nodes { number } } }")
        file = tmp_path / f"{MARK}parts.csv"
        file.write_text(f"number,issuer,name_en\n{MARK}N,S1,{MARK}x\n", encoding="utf-8")
        report = ingest.load(workspace, [file], by="S1")
        ingest.undo(workspace, str(report.load))
        written = entries(workspace)
        assert len(written) > before + 7
        assert {each.action for each in written} >= {
            Action.READ, Action.DENIED, Action.EXPORT, Action.LOAD, Action.UNDO, Action.AGREEMENT_ACCEPTED,
        }  # fmt: skip
        for each in written:
            leaf = each.leaf().decode()
            assert MARK not in leaf
            assert "7654321" not in leaf
            assert json.loads(leaf)["at"]
