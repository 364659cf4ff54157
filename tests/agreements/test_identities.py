"""A name is told once all agree through whose data its pseudonym is seen, and no longer than they say."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from chaingraph import Action, Actor, ChaingraphError, Entry, NotFound, Workspace
from chaingraph.agreements import accept, decline_identity, grant_identity, propose, request_identity, requests
from schema.vocabularies import AccessRole, Purpose
from tests.agreements.world import ADMINISTRATOR, L01, S1, S2, S3, actor, terms


@pytest.fixture
def shared(workspace: Workspace) -> Workspace:
    """S1 and S2 show L01 structure and supply without names, for quality and for planning."""
    for who in (S1, S2):
        wanted = terms(who.organisation, purposes=("quality", "planning"))
        accept(workspace, L01, propose(workspace, who, wanted).partition("/")[0])
    return workspace


def suppliers(workspace: Workspace, viewer: str = "L01", purpose: str = "quality") -> set[str]:
    """Who supplies X, as a viewer sees it."""
    table = workspace.view(viewer, purpose).table("supplies")
    return set(table.filter(pl.col("customer").is_in(["S1", "S2"]))["supplier"])


def pseudonym(workspace: Workspace, purpose: str = "quality") -> str:
    (name,) = suppliers(workspace, purpose=purpose)
    assert name.startswith("P-")
    return name


def test_all_that_were_asked_agree(shared: Workspace) -> None:
    """One pseudonym behind two suppliers; its name appears for L01, for that purpose, after both have agreed."""
    name = pseudonym(shared)
    number = request_identity(shared, L01, name, "one source of two suppliers")
    rows = shared.snapshot().table("identity_request")
    assert rows.select("asked", "owner", "subject", "state").rows() == [
        ("S1", "S1", "S9", "requested"),
        ("S2", "S2", "S9", "requested"),
    ]
    grant_identity(shared, S1, number)
    assert suppliers(shared) == {name}
    grant_identity(shared, S2, number)
    assert suppliers(shared) == {"S9"}
    assert suppliers(shared, purpose="planning") == {name}
    actions = [Entry.read(leaf) for leaf in shared.store.leaves("audit")][-3:]
    assert [(e.action, e.organisation, e.owners) for e in actions] == [
        (Action.IDENTITY_REQUESTED, "L01", ("S1", "S2")),
        (Action.IDENTITY_GRANTED, "S1", ("S1",)),
        (Action.IDENTITY_GRANTED, "S2", ("S2",)),
    ]
    assert all(b"S9" not in leaf for leaf in shared.store.leaves("audit"))


def test_one_no_is_a_no_and_a_yes_can_be_taken_back(shared: Workspace) -> None:
    name = pseudonym(shared)
    number = request_identity(shared, L01, name)
    grant_identity(shared, S1, number)
    decline_identity(shared, S2, number)
    assert suppliers(shared) == {name}
    grant_identity(shared, S2, number)
    assert suppliers(shared) == {"S9"}
    decline_identity(shared, S1, number)
    assert suppliers(shared) == {name}


def test_no_longer_than_granted(shared: Workspace) -> None:
    number = request_identity(shared, L01, pseudonym(shared))
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    grant_identity(shared, S1, number, until)
    grant_identity(shared, S2, number)
    at = shared.view("L01", at=until - dt.timedelta(seconds=1))
    after = shared.view("L01", at=until)
    assert "S9" in at.table("supplies")["supplier"]
    assert "S9" not in after.table("supplies")["supplier"]
    with pytest.raises(ChaingraphError) as past:
        grant_identity(shared, S1, number, dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
    assert past.value.code == "identity.over"


def test_asked_once(shared: Workspace) -> None:
    name = pseudonym(shared)
    number = request_identity(shared, L01, name)
    leaves = len(list(shared.store.leaves("audit")))
    assert request_identity(shared, L01, name) == number
    assert len(list(shared.store.leaves("audit"))) == leaves
    decline_identity(shared, S1, number)
    assert request_identity(shared, L01, name) != number


@pytest.mark.parametrize("who", [S3, replace(L01, purpose=Purpose.RESEARCH), ADMINISTRATOR])
def test_no_such_pseudonym_and_somebody_elses_are_one(shared: Workspace, who: Actor) -> None:
    """The answer is the same, word for word."""
    answers = []
    for name in (pseudonym(shared), "P-aaaaaaaaaaaa", "S9", ""):
        with pytest.raises(NotFound) as none:
            request_identity(shared, who, name)
        answers.append((none.value.code, none.value.text, none.value.remedy))
    assert len(set(answers)) == 1
    assert shared.snapshot().table("identity_request").is_empty()


def test_only_who_is_asked_answers_and_reads_the_name(shared: Workspace) -> None:
    number = request_identity(shared, L01, pseudonym(shared))
    answers = []
    for who, which in ((S3, number), (L01, number), (S3, "IR-000000000000")):
        with pytest.raises(NotFound) as none:
            grant_identity(shared, who, which)
        answers.append((none.value.code, none.value.text))
    assert len(set(answers)) == 1
    assert requests(shared, S1)["subject"].to_list() == ["S9"]
    assert requests(shared, L01)["subject"].to_list() == [None, None]
    assert requests(shared, S3).is_empty()
    table = shared.view("L01").table("identity_request")
    assert table["subject"].null_count() == len(table) == 2


def test_a_role_without_the_right_does_nothing(shared: Workspace) -> None:
    with pytest.raises(ChaingraphError) as refused:
        request_identity(shared, actor("L01", AccessRole.ANALYST), pseudonym(shared))
    assert refused.value.code == "actor.forbidden"
    number = request_identity(shared, actor("L01", AccessRole.EXPERT), pseudonym(shared))
    with pytest.raises(ChaingraphError):
        grant_identity(shared, actor("S1", AccessRole.EXPERT), number)


def test_a_dry_run_writes_nothing(shared: Workspace) -> None:
    before = shared.store.head().revision
    request_identity(shared, L01, pseudonym(shared), dry_run=True)
    assert shared.store.head().revision == before
