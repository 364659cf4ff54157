"""Uploads step by step: files come, are looked at, decided about, confirmed, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import Actor, ChaingraphError, Conflict, NotFound, Workspace
from ingest import Desk, SheetDecisions
from schema.vocabularies import DraftState

S1, S2 = Actor("S1"), Actor("S2")
PARTS = "物料编码,名称\nA1,轴承\nA2,箱体\n".encode()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Workspace.open(f"sqlite:///{tmp_path / 'graph.db'}") as workspace:
        yield Desk(workspace, tmp_path / "spool")


def brought(desk: Desk, content: bytes, name: str = "parts.csv") -> str:
    draft = desk.create(S1, [(name, len(content))])
    assert desk.append(S1, draft.id, 0, 0, [content[:10]]) == 10
    assert desk.append(S1, draft.id, 0, 10, [content[10:]]) == len(content)
    return draft.id


def test_what_was_seen_is_taken(desk: Desk) -> None:
    number = brought(desk, PARTS)
    seen = desk.preview(S1, number)
    assert [(s.name, s.kind.name if s.kind else None, s.rows) for s in seen.sheets] == [("parts.csv", "part", 2)]
    assert seen.sheets[0].sample == ((2, ("A1", "轴承")), (3, ("A2", "箱体")))
    assert seen.ready
    assert not desk.workspace.view("S1").table("part").height
    assert desk.confirm(S1, number, seen.digest).state is DraftState.CONFIRMED
    assert [draft.state for draft in desk.work_all()] == [DraftState.LOADED]
    assert desk.workspace.view("S1").table("part")["key"].to_list() == ["S1/A1", "S1/A2"]
    assert desk.withdraw(S1, number).state is DraftState.WITHDRAWN
    assert not desk.workspace.view("S1").table("part").height


def test_what_was_not_seen_is_not_taken(desk: Desk) -> None:
    number = brought(desk, PARTS)
    with pytest.raises(Conflict, match=r"upload\.changed"):
        desk.confirm(S1, number, "another digest")
    seen = desk.preview(S1, number)
    other = brought(desk, PARTS, "others.csv")
    desk.confirm(S1, other, desk.preview(S1, other).digest)
    desk.confirm(S1, number, seen.digest)
    assert [draft.state for draft in desk.work_all()] == [DraftState.LOADED, DraftState.LOADED]


def test_a_draft_is_its_organisations(desk: Desk) -> None:
    number = brought(desk, PARTS)
    for asked in (desk.get, desk.preview, desk.withdraw, desk.received):
        with pytest.raises(NotFound, match=r"upload\.unknown"):
            asked(S2, number)
    assert desk.drafts(S2) == []
    assert [draft.id for draft in desk.drafts(S1)] == [number]


def test_decisions_are_remembered_for_the_layout(desk: Desk) -> None:
    content = "件的号,叫法\nA1,轴承\n".encode()
    number = brought(desk, content, "x.csv")
    assert desk.preview(S1, number).sheets[0].kind is None
    decided = SheetDecisions(kind="part", columns={"0": "number", "1": "name_zh"})
    desk.decide(S1, number, {"x.csv": decided})
    seen = desk.preview(S1, number)
    assert [(c.field.name if c.field else None, c.how) for c in seen.sheets[0].columns] == [
        ("number", "chosen"), ("name_zh", "chosen"),
    ]  # fmt: skip
    desk.confirm(S1, number, seen.digest)
    desk.work_all()
    again = desk.preview(S1, brought(desk, content + "A2,箱体\n".encode(), "y.csv"))
    assert (again.sheets[0].remembered, again.sheets[0].by, again.report.total.new) == (True, "choice", 1)


def test_the_file_goes_on_where_it_broke_off(desk: Desk) -> None:
    draft = desk.create(S1, [("parts.csv", None)])
    desk.append(S1, draft.id, 0, 0, [PARTS[:7]])
    with pytest.raises(Conflict, match=r"upload\.offset"):
        desk.append(S1, draft.id, 0, 0, [PARTS])
    assert desk.received(S1, draft.id) == [7]


def test_decisions_that_mean_nothing_are_refused(desk: Desk) -> None:
    number = brought(desk, PARTS)
    for wrong in (SheetDecisions(kind="nothing"), SheetDecisions(kind="part", columns={"0": "no such field"})):
        with pytest.raises(ChaingraphError, match=r"decisions\.invalid"):
            desk.decide(S1, number, {"parts.csv": wrong})
