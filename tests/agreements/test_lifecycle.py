"""Both sides make an agreement, either ends it; nobody else learns that there is one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from chaingraph import Action, Actor, ChaingraphError, Entry, NotFound, Workspace
from chaingraph.agreements import Terms, accept, decline, propose, revoke, visible
from schema.vocabularies import AccessRole, Disclosure
from tests.agreements.world import ADMINISTRATOR, END, L01, S1, S2, S3, START, actor, state, terms


def entries(workspace: Workspace) -> list[Entry]:
    """What the audit log holds."""
    return [Entry.read(leaf) for leaf in workspace.store.leaves("audit")]


def sees(workspace: Workspace, viewer: str, of: str = "S1", purpose: str = "quality") -> bool:
    """Whether a viewer sees the lines that a firm states."""
    return of in workspace.view(viewer, purpose).table("contains")["owner"]


def test_proposed_by_the_owner_and_accepted_by_the_grantee() -> None:
    """The terms that are written down are in one form, whatever order they came in."""
    made = Terms.of(" S1 ", "L01", "supply; structure;supply", ["recall", "quality"], START, END.replace(tzinfo=None))
    assert (made.owner, made.aspects, made.purposes) == ("S1", ("structure", "supply"), ("quality", "recall"))
    assert made.end == END
    east = dt.datetime(2024, 1, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert replace(made, start=Terms.of("S1", "L01", "supply", "quality", east, END).start) == made
    assert Terms.of("S1", "L01", "supply", "quality", START, END, records=" part:A ;all").records == "all"


def test_an_agreement_holds_once_both_sides_agree(workspace: Workspace) -> None:
    key = propose(workspace, S1, terms())
    number = key.partition("/")[0]
    assert state(workspace, key) == "proposed"
    assert not sees(workspace, "L01")
    assert accept(workspace, L01, number) == key
    assert state(workspace, key) == "accepted"
    assert sees(workspace, "L01")
    assert not sees(workspace, "S2")
    assert not sees(workspace, "L01", purpose="research")
    assert [(e.action, e.organisation, e.owners, e.agreements) for e in entries(workspace)] == [
        (Action.AGREEMENT_PROPOSED, "S1", ("S1",), (key,)),
        (Action.AGREEMENT_ACCEPTED, "L01", ("S1",), (key,)),
    ]


def test_the_grantee_may_propose_and_the_owner_accepts(workspace: Workspace) -> None:
    number = propose(workspace, L01, terms()).partition("/")[0]
    with pytest.raises(ChaingraphError) as own:
        accept(workspace, L01, number)
    assert own.value.code == "agreement.own_proposal"
    assert not sees(workspace, "L01")
    accept(workspace, S1, number)
    assert sees(workspace, "L01")


@pytest.mark.parametrize("by", [S1, L01])
def test_either_side_revokes_at_once(workspace: Workspace, by: Actor) -> None:
    number = propose(workspace, S1, terms()).partition("/")[0]
    accept(workspace, L01, number)
    second = propose(workspace, S1, terms(aspects=("structure",)), number)
    assert revoke(workspace, by, number) == (f"{number}/1", second)
    assert not sees(workspace, "L01")
    assert [state(workspace, f"{number}/{n}") for n in (1, 2)] == ["revoked", "revoked"]
    assert revoke(workspace, by, number) == ()
    assert entries(workspace)[-1].agreements == (f"{number}/1", second)
    with pytest.raises(ChaingraphError) as settled:
        accept(workspace, L01, number, 2)
    assert settled.value.code == "agreement.state"


def test_a_later_version_takes_the_place_of_the_one_before(workspace: Workspace) -> None:
    """In the same commit: at no revision do both hold, or neither."""
    number = propose(workspace, S1, terms()).partition("/")[0]
    accept(workspace, L01, number)
    second = propose(workspace, S1, terms(aspects=("supply",)), number)
    assert second == f"{number}/2"
    assert sees(workspace, "L01")
    before = workspace.snapshot().revision
    accept(workspace, L01, number)
    assert workspace.snapshot().revision == before + 1
    assert [state(workspace, f"{number}/{n}") for n in (1, 2)] == ["replaced", "accepted"]
    assert not sees(workspace, "L01")
    with pytest.raises(ChaingraphError) as old:
        accept(workspace, L01, number, 1)
    assert old.value.code == "agreement.state"


def test_an_earlier_version_does_not_come_after_a_later_one(workspace: Workspace) -> None:
    number = propose(workspace, S1, terms()).partition("/")[0]
    propose(workspace, S1, terms(aspects=("supply",)), number)
    accept(workspace, L01, number, 2)
    assert state(workspace, f"{number}/1") == "replaced"
    with pytest.raises(ChaingraphError):
        accept(workspace, L01, number, 1)


def test_declined_is_settled(workspace: Workspace) -> None:
    number = propose(workspace, S1, terms()).partition("/")[0]
    assert decline(workspace, L01, number) == f"{number}/1"
    assert decline(workspace, L01, number) == f"{number}/1"
    assert len(entries(workspace)) == 2
    with pytest.raises(ChaingraphError) as settled:
        accept(workspace, L01, number)
    assert settled.value.code == "agreement.state"


def test_for_a_consortium_its_leader_agrees(workspace: Workspace) -> None:
    """Written plainly it is the consortium; a member that is not its leader is no side, and knows of it only if it is
    shown something.
    """
    shown = propose(workspace, S1, terms(grantee="C", mode=Disclosure.SHOW)).partition("/")[0]
    key = propose(workspace, S1, terms(grantee="C", mode=Disclosure.POOL))
    number = key.partition("/")[0]
    assert workspace.snapshot().table("agreement")["grantee"].unique().to_list() == ["consortium:C"]
    for each, code in ((shown, "agreement.not_a_side"), (number, "agreement.unknown")):
        with pytest.raises(ChaingraphError) as other:
            accept(workspace, S2, each)
        assert other.value.code == code
    accept(workspace, L01, number)
    assert state(workspace, key) == "accepted"


def test_a_group_is_led_by_the_leader_of_its_consortium(workspace: Workspace) -> None:
    number = propose(workspace, S2, terms("S2", "group:C/bearings")).partition("/")[0]
    accept(workspace, L01, number)
    assert sees(workspace, "S1", of="S2")
    assert not sees(workspace, "S3", of="S2")


def test_where_both_sides_are_one_it_holds_at_once(workspace: Workspace) -> None:
    key = propose(workspace, L01, terms("L01", "C"))
    assert state(workspace, key) == "accepted"
    assert [each.action for each in entries(workspace)] == [Action.AGREEMENT_PROPOSED, Action.AGREEMENT_ACCEPTED]
    assert sees(workspace, "S1", of="L01")


def test_everyone_need_not_agree(workspace: Workspace) -> None:
    assert state(workspace, propose(workspace, S1, terms(grantee="everyone"))) == "accepted"
    assert sees(workspace, "S3")
    with pytest.raises(ChaingraphError) as other:
        propose(workspace, S2, terms(grantee="everyone"))
    assert other.value.code == "agreement.not_a_side"


def test_a_consortium_that_nobody_leads_never_agrees(workspace: Workspace) -> None:
    assert state(workspace, propose(workspace, S1, terms(grantee="consortium:NONE"))) == "proposed"


ACTS: list[Callable[[Workspace, Actor, str], Any]] = [
    accept,
    decline,
    revoke,
    lambda workspace, who, number: propose(workspace, who, terms(who.organisation, "L01"), number),
]


@pytest.mark.parametrize("act", ACTS)
def test_missing_and_not_yours_are_one(workspace: Workspace, act: Callable[[Workspace, Actor, str], Any]) -> None:
    number = propose(workspace, S1, terms()).partition("/")[0]
    leaves, revision = len(entries(workspace)), workspace.snapshot().revision
    with pytest.raises(NotFound) as hidden:
        act(workspace, S3, number)
    with pytest.raises(NotFound) as missing:
        act(workspace, S3, "AG-000000000000")
    for one, other in ((hidden.value, missing.value),):
        assert (one.code, one.text, one.remedy) == (other.code, other.text, other.remedy)
    assert visible(workspace.snapshot(), S3).is_empty()
    assert (len(entries(workspace)), workspace.snapshot().revision) == (leaves, revision)


@pytest.mark.parametrize("role", [r for r in AccessRole if not actor("S1", r).may("agree")])  # type: ignore[arg-type]
def test_a_role_without_the_right_does_nothing(workspace: Workspace, role: AccessRole) -> None:
    number = propose(workspace, S1, terms()).partition("/")[0]
    for act in (
        lambda: propose(workspace, actor("S1", role), terms()),
        lambda: accept(workspace, actor("L01", role), number),
        lambda: revoke(workspace, actor("S1", role), number),
    ):
        with pytest.raises(ChaingraphError) as refused:
            act()
        assert refused.value.code == "actor.forbidden"
    with pytest.raises(ChaingraphError):
        revoke(workspace, replace(S1, read_only=True), number)
    assert state(workspace, f"{number}/1") == "proposed"


def test_the_administrator_of_the_store_acts_for_all(workspace: Workspace) -> None:
    key = propose(workspace, ADMINISTRATOR, terms())
    assert workspace.snapshot().table("agreement")["proposed_by"].to_list() == ["S1"]
    accept(workspace, ADMINISTRATOR, key.partition("/")[0])
    assert sees(workspace, "L01")


def test_another_version_is_between_the_same_two(workspace: Workspace) -> None:
    number = propose(workspace, S1, terms()).partition("/")[0]
    with pytest.raises(ChaingraphError) as other:
        propose(workspace, S1, terms(grantee="S2"), number)
    assert other.value.code == "agreement.terms"


def test_what_is_over_is_neither_proposed_nor_accepted(workspace: Workspace) -> None:
    past = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
    with pytest.raises(ChaingraphError) as late:
        propose(workspace, S1, terms(end=past))
    assert late.value.code == "agreement.terms"


@pytest.mark.parametrize(
    "wrong",
    [
        {"aspects": "structure;gossip"}, {"aspects": ""}, {"purposes": ()}, {"grantee": "S1"}, {"grantee": " "},
        {"end": START}, {"records": "part:"}, {"records": "everything"}, {"mode": "look"}, {"note": "x" * 2001},
    ],
)  # fmt: skip
def test_terms_that_none_may_have(wrong: dict[str, Any]) -> None:
    with pytest.raises(ChaingraphError) as refused:
        terms(**wrong)
    assert refused.value.code == "agreement.terms"
    assert refused.value.text.zh
    assert refused.value.remedy


def test_a_dry_run_writes_nothing(workspace: Workspace) -> None:
    before = workspace.store.head().revision
    propose(workspace, S1, terms(), dry_run=True)
    assert workspace.store.head().revision == before
    number = propose(workspace, S1, terms()).partition("/")[0]
    for act in (accept, decline):
        act(workspace, L01, number, dry_run=True)
    assert revoke(workspace, L01, number, dry_run=True) == (f"{number}/1",)
    assert state(workspace, f"{number}/1") == "proposed"
    assert len(entries(workspace)) == 1


def test_a_firm_that_nobody_has_stated_may_propose(workspace: Workspace) -> None:
    """Its key is known from then on, as one that somebody referred to."""
    propose(workspace, actor("S7"), terms("S7", "L01"))
    table = workspace.snapshot().table("organisation")
    assert table.filter(pl.col("key") == "S7")["stub"].to_list() == [True]
