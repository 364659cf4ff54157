"""Who will see rows that are about to be stated: as many as the grantee's view has of them afterwards."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from chaingraph import Workspace, who_will_see
from chaingraph.agreements import accept, propose
from chaingraph.changes import ChangeSet
from schema.vocabularies import Disclosure
from tests.agreements.world import L01, S1, terms
from tests.chaingraph.world import rows


def news() -> dict[str, pl.DataFrame]:
    """What S1 is about to state: two lines, a part of its own, three lives."""
    part = {"part": "L01/A", "maker": "S1", "age": 10.0, "event": "failure"}
    return {
        "part": rows("part", {"issuer": "S1", "number": "N", "part_class": "bearing"}, owner="S1"),
        "contains": pl.concat(
            [
                rows("contains", {"parent": "L01/A", "child": "S1/N", "quantity": 1.0}, owner="S1"),
                rows("contains", {"parent": "S1/N", "child": "L01/X", "quantity": 1.0}, owner="S1"),
            ]
        ).sort("key"),
        "life_record": pl.concat(
            [rows("life_record", {**part, "id": name}, owner="S1") for name in ("1", "2")]
            + [rows("life_record", {**part, "id": "3", "part": "L01/X"}, owner="S1")]
        ).sort("key"),
    }


SCOPES: list[dict[str, Any]] = [
    {}, {"aspects": "structure;failures"}, {"aspects": "failures", "records": "part:L01/A"},
    {"aspects": "failures;structure", "records": "subtree:L01/A"}, {"aspects": "structure", "records": "class:bearing"},
    {"aspects": "identity;structure;failures", "onward": True}, {"aspects": "cost"},
]  # fmt: skip


def stated(workspace: Workspace) -> dict[str, int]:
    """How many rows of S1 the chain leader sees, by kind."""
    view = workspace.view("L01")
    return {name: int((view.stated(name)["owner"] == "S1").sum()) for name in news()}


@pytest.mark.parametrize("more", SCOPES, ids=range(len(SCOPES)))
def test_what_is_told_is_what_is_seen_then(workspace: Workspace, more: dict[str, Any]) -> None:
    key = propose(workspace, S1, terms(**more))
    accept(workspace, L01, key.partition("/")[0])
    before = stated(workspace)
    told = who_will_see(workspace.snapshot(), news())
    workspace.submit(ChangeSet(put=news(), by="S1"))
    after = stated(workspace)
    counted = dict(told[0].rows) if told else {}
    more_seen = {name: after[name] - before[name] - counted.get(name, 0) for name in after}
    assert all(count == 0 or (count > 0 and told[0].at_least) for count in more_seen.values())
    for seer in told:
        assert (seer.grantee, seer.agreement, seer.mode) == ("L01", key.partition("/")[0], Disclosure.SHOW)
        assert (seer.named, seer.onward) == ("identity" in str(more.get("aspects")), bool(more.get("onward")))


def test_without_an_agreement_nobody_is_told_of(workspace: Workspace) -> None:
    assert who_will_see(workspace.snapshot(), news()) == ()


def test_the_issuer_sees_what_is_said_of_its_parts(workspace: Workspace) -> None:
    part = rows("part", {"issuer": "L01", "number": "Z"}, owner="S1")
    (seer,) = who_will_see(workspace.snapshot(), {"part": part})
    assert (seer.grantee, dict(seer.rows), seer.agreement) == ("L01", {"part": 1}, None)
    assert seer.text.zh == "L01可以查看：零部件（1 行）。"
    assert seer.text.en == "L01 can see: parts (1)."
