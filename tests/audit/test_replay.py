"""The rights behind an entry are computed again as of then, whatever has been agreed or revoked since."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from chaingraph import Action, Entry, NotFound, StoreError
from chaingraph.agreements import accept, propose, revoke
from chaingraph.audit.replay import replay
from chaingraph.changes import ChangeSet
from chaingraph.store.erasing import erase
from tests.agreements.world import L01, S1, terms
from tests.audit.world import ask, client, entries, shared
from tests.chaingraph.world import part, rows

SUPPLIES = "{ supplies { nodes { share } } contains { nodes { quantity } } }"


def test_an_answers_rights_as_of_then(tmp_path: Path) -> None:
    workspace, keys = shared(tmp_path)
    with workspace:
        leader = client(workspace, "L01")
        ask(leader, SUPPLIES)
        number = len(entries(workspace)) - 1
        now = replay(workspace, number)
        assert now.agreements == now.by == tuple(sorted(keys.values()))
        assert now.agree is True
        assert set(now.owners) == {"S1", "S2", "S9"}
        assert {"contains", "supplies", "organisation"} <= set(now.kinds)

        revoke(workspace, S1, keys["S1"].partition("/")[0])
        key = propose(workspace, S1, terms("S1", aspects=("structure", "failures")))
        accept(workspace, L01, key.partition("/")[0])
        workspace.submit(ChangeSet(put={"part": rows("part", part("Z"), owner="S9")}))
        assert replay(workspace, number) == now

        ask(leader, SUPPLIES)
        after = replay(workspace, len(entries(workspace)) - 1)
        assert after.entry.agreements == after.by == tuple(sorted([key, keys["S2"]]))
        assert after.agree is True


def test_an_entry_that_says_otherwise_and_one_that_says_nothing(tmp_path: Path) -> None:
    workspace, keys = shared(tmp_path)
    with workspace:
        ask(client(workspace, "L01"), SUPPLIES)
        true = entries(workspace)[-1]
        early = dt.datetime(2023, 12, 31, tzinfo=dt.UTC)  # before the agreements begin
        forged = [
            replace(true, agreements=(keys["S1"],)), replace(true, purpose="cost"), replace(true, at=early),
            replace(true, revision=true.revision - 2), replace(true, organisation="S3"),
        ]  # fmt: skip
        workspace.record(forged)
        start = len(entries(workspace)) - len(forged)
        assert [replay(workspace, start + at).agree for at in range(len(forged))] == [False] * len(forged)
        assert replay(workspace, start - 1).agree is True
        accepted = next(at for at, each in enumerate(entries(workspace)) if each.action is Action.AGREEMENT_ACCEPTED)
        assert replay(workspace, accepted).agree is None
        for number in (-1, start + len(forged)):
            with pytest.raises(NotFound) as caught:
                replay(workspace, number)
            assert caught.value.code == "audit.no_entry"


def test_across_an_erasure_it_is_refused_with_the_reason(tmp_path: Path) -> None:
    workspace, _ = shared(tmp_path)
    with workspace:
        workspace.submit(ChangeSet(put={"part": rows("part", part("Z"), owner="S1")}))
        ask(client(workspace, "L01"), SUPPLIES)
        number = len(entries(workspace)) - 1
        assert replay(workspace, number).agree is True
        gone = workspace.snapshot().table("part").filter(number="Z")["key"]
        workspace.submit(ChangeSet(delete={"part": gone}))
        erase(workspace.store, {"part": gone}, Entry.of(Action.ERASED, S1, owners=("S1",)), "AG/1")
        with pytest.raises(StoreError) as caught:
            replay(workspace, number)
        assert caught.value.code == "journal.redacted"
        assert "erased" in caught.value.say("en")
