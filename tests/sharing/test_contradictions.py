"""Two firms state one thing differently: each is told of its own statement, and that there is another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chaingraph import Workspace
from chaingraph.agreements import accept, propose
from chaingraph.changes import ChangeSet
from chaingraph.contradictions import contradictions
from schema.vocabularies import Disclosure
from tests.agreements.world import L01, S1, consortium, terms
from tests.chaingraph.world import rows


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """S1 says of its supply of A to L01 another lead time and share than L01 does, and the same price."""
    with consortium(tmp_path) as opened:
        supply = {"part": "L01/A", "supplier": "S1", "customer": "L01", "price": 3.0}
        put = pl.concat(
            [
                rows("supplies", {**supply, "share": 1.0, "lead_time_days": 30.0}, owner="L01"),
                rows("supplies", {**supply, "share": 0.5, "lead_time_days": 60.0}, owner="S1"),
            ]
        ).sort("key")
        opened.submit(ChangeSet(put={"supplies": put}, by="L01"))
        yield opened


def agreed(workspace: Workspace, owner: Any, other: Any, **more: Any) -> None:
    key = propose(workspace, owner, terms(owner.organisation, other.organisation, **more))
    accept(workspace, other, key.partition("/")[0])


def told(workspace: Workspace, viewer: str) -> list[tuple[Any, ...]]:
    return contradictions(workspace.view(viewer)).select("field", "owner", "value", "other", "other_value").rows()


def test_without_an_agreement_nobody_is_told(workspace: Workspace) -> None:
    assert told(workspace, "L01") == told(workspace, "S1") == []


def test_what_one_sees_of_the_other_is_shown_beside_it(workspace: Workspace) -> None:
    agreed(workspace, S1, L01)
    assert told(workspace, "L01") == [
        ("lead_time_days", "L01", "30.0", "S1", "60.0"), ("share", "L01", "1.0", "S1", "0.5"),
    ]  # fmt: skip
    assert told(workspace, "S1") == []


def test_what_may_only_be_used_says_that_there_is_another(workspace: Workspace) -> None:
    agreed(workspace, S1, L01, mode=Disclosure.USE)
    agreed(workspace, L01, S1, mode=Disclosure.USE)
    assert told(workspace, "L01") == [
        ("lead_time_days", "L01", "30.0", None, None), ("share", "L01", "1.0", None, None),
    ]  # fmt: skip
    assert told(workspace, "S1") == [
        ("lead_time_days", "S1", "60.0", None, None), ("share", "S1", "0.5", None, None),
    ]  # fmt: skip


def test_what_is_only_pooled_is_not_told(workspace: Workspace) -> None:
    agreed(workspace, S1, L01, mode=Disclosure.POOL)
    assert told(workspace, "L01") == []


def test_the_administrator_sees_both(workspace: Workspace) -> None:
    assert {(row[0], row[1], row[3]) for row in told(workspace, "")} == {
        ("lead_time_days", "L01", "S1"), ("lead_time_days", "S1", "L01"),
        ("share", "L01", "S1"), ("share", "S1", "L01"),
    }  # fmt: skip


def test_a_third_firm_is_told_nothing(workspace: Workspace) -> None:
    agreed(workspace, S1, L01)
    assert told(workspace, "S2") == []
