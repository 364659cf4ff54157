"""The presets, and what a preview says: the owner's rows are counted as the view then shows them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest

from chaingraph import ChaingraphError, NotFound, Workspace
from chaingraph.agreements import PRESETS, accept, preset, preview, preview_of, propose
from schema import KINDS
from schema.core import Aspect
from schema.vocabularies import AtEnd, Disclosure
from tests.agreements.world import L01, S1, S2, S3, terms

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def test_presets_are_said_in_both_languages_and_none_tells_more_than_the_next() -> None:
    assert list(PRESETS) == ["private", "customer", "pooled", "public"]
    for each in PRESETS.values():
        assert each.label.zh
        assert each.label.en
        assert each.text.zh
        assert each.text.en
        assert Aspect.COST not in each.aspects


def test_private_is_no_agreement() -> None:
    assert preset("private", "S1", "L01", NOW) is None


def test_to_my_customer() -> None:
    made = preset("customer", "S1", "L01", NOW)
    assert made is not None
    assert (made.owner, made.grantee, made.mode, made.onward) == ("S1", "L01", Disclosure.SHOW, False)
    assert "identity" not in made.aspects
    assert (made.start, made.end, made.at_end) == (NOW, NOW + dt.timedelta(days=365), AtEnd.DELETE)


def test_pooled_is_for_a_consortium_and_public_for_everyone() -> None:
    pooled, public = preset("pooled", "S1", "C", NOW), preset("public", "S1", None, NOW)
    assert pooled is not None
    assert public is not None
    assert (pooled.grantee, pooled.mode) == ("consortium:C", Disclosure.POOL)
    assert (public.grantee, public.mode) == ("everyone", Disclosure.SHOW)


def test_an_unknown_preset_and_one_with_nobody() -> None:
    with pytest.raises(NotFound) as unknown:
        preset("generous", "S1", "L01", NOW)
    assert unknown.value.code == "preset.unknown"
    with pytest.raises(ChaingraphError):
        preset("customer", "S1", None, NOW)


SCOPES: list[dict[str, Any]] = [
    {}, {"records": "part:L01/X"}, {"records": "subtree:L01/A"}, {"records": "class:bearing"},
    {"records": "product:L01/A;part:L01/B"}, {"aspects": "identity;structure;supply;cost"}, {"aspects": "reliability"},
]  # fmt: skip


@pytest.mark.parametrize("more", SCOPES)
def test_what_is_counted_is_what_is_seen_then(workspace: Workspace, more: dict[str, Any]) -> None:
    """Of every kind as many rows as the grantee sees once it is agreed; where others say, too, what a part is, more may
    be, and that is said.
    """
    wanted = terms(**more)
    meant = preview(workspace, S1, wanted)
    accept(workspace, L01, propose(workspace, S1, wanted).partition("/")[0])
    view = workspace.view("L01")
    open_ended = "more rows may be" in meant.sentences[-2].en
    assert open_ended == any(what in wanted.records for what in ("class", "subtree", "product"))
    for each in meant.shared:
        seen = view.table(each.kind).filter(pl.col("owner") == "S1").height
        assert each.rows == seen or (open_ended and each.rows is not None and each.rows < seen), each.kind
    shared = {each.kind for each in meant.shared if each.rows or open_ended}
    for of in KINDS.values():
        if of.sharing == "agreed" and of.name not in shared and not of.parties:
            assert "S1" not in view.table(of.name)["owner"], of.name
    prices = view.table("supplies").filter(pl.col("customer") == "S1")["price"].drop_nulls()
    assert bool(len(prices)) == ("cost" in wanted.aspects and "supply" in wanted.aspects)
    again = preview(workspace, S1, wanted).shared
    assert [each.before for each in again] == [each.rows for each in meant.shared]


def test_names_appear_only_with_identity(workspace: Workspace) -> None:
    assert (preview(workspace, S1, terms()).named, preview(workspace, S1, terms()).firms) == (False, 1)
    assert preview(workspace, S1, terms(aspects="identity;supply")).named
    said = " ".join(each.en for each in preview(workspace, S1, terms()).sentences)
    assert "pseudonyms" in said
    assert "S9" not in said


def test_before_and_after(workspace: Workspace) -> None:
    accept(workspace, L01, propose(workspace, S1, terms(aspects="supply")).partition("/")[0])
    rows = {each.kind: (each.rows, each.before) for each in preview(workspace, S1, terms()).shared}
    assert rows["supplies"] == (1, 1)
    assert rows["contains"] == (1, 0)


def test_the_other_side_reads_it_without_the_owners_numbers(workspace: Workspace) -> None:
    number = propose(workspace, S1, terms()).partition("/")[0]
    theirs, mine = preview_of(workspace, L01, number), preview_of(workspace, S1, number)
    assert {each.rows for each in theirs.shared} | {each.before for each in theirs.shared} == {None}
    assert theirs.firms is None
    assert [each.kind for each in theirs.shared] == [each.kind for each in mine.shared]
    with pytest.raises(NotFound):
        preview_of(workspace, S3, number)


def test_it_tells_the_owner_nothing_of_others(workspace: Workspace) -> None:
    """Whatever the others have and agree, the owner reads the same."""

    def said() -> str:
        meant = preview(workspace, S1, terms(grantee="consortium:C", records="subtree:L01/M;class:seal"))
        return json.dumps([[t.zh, t.en] for t in meant.sentences] + [[e.kind, e.rows, e.before] for e in meant.shared])

    before = said()
    accept(workspace, L01, propose(workspace, S2, terms("S2", "L01")).partition("/")[0])
    propose(workspace, L01, terms("L01", "consortium:C"))
    assert said() == before
