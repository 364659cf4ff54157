"""Figures that may be used and not seen go into results, as long as nobody can work one of them out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics import run
from chaingraph import Workspace
from chaingraph.basis import basis
from chaingraph.changes import ChangeSet
from tests.chaingraph import world

RUNNING = {
    "version": 1, "purposes": "quality", "state": "accepted",
    "start": dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "end": dt.datetime(2099, 1, 1, tzinfo=dt.UTC),
}  # fmt: skip


def agreement(owner: str, **terms: Any) -> dict[str, Any]:
    """L01 may only use what the owner knows of failures."""
    given = {"grantee": "L01", "aspects": "failures;reliability;identity", "mode": "use", **terms}
    return {"id": f"AG-{owner}", "owner": owner, **RUNNING, **given}


def rate(part: str, firm: str, failures: int) -> list[dict[str, Any]]:
    """So many failures of a part in 1,000 units that lived 1,000 hours."""
    lives = [
        {"id": f"{part}-{n}", "part": f"L01/{part}", "maker": firm, "event": "failure", "age": 100.0 + 150 * n}
        for n in range(failures)
    ]
    rest = {"event": "suspension", "age": 1000.0, "count": 1000 - failures}
    return [*lives, {"id": f"{part}-rest", "part": f"L01/{part}", "maker": firm, **rest}]


def consortium(folder: Path, firms: int, **terms: Any) -> Workspace:
    """L01's machine M of one part from each firm, whose owners let L01 use the failures that they know of."""
    makers = [f"S{n}" for n in range(firms)]
    parts = [f"B{n}" for n in range(firms)]
    lives = [
        world.rows("life_record", *rate(part, maker, 3 + n), owner=maker)
        for n, (part, maker) in enumerate(zip(parts, makers, strict=True))
    ]
    workspace = world.opened(folder)
    workspace.submit(
        ChangeSet(
            {
                "organisation": world.rows("organisation", *({"id": each} for each in ("L01", *makers))),
                "part": world.rows("part", world.part("M"), *map(world.part, parts)),
                "contains": world.rows("contains", *(world.line("M", part) for part in parts)),
                "supplies": world.rows(
                    "supplies",
                    *(
                        {"part": f"L01/{part}", "supplier": maker, "customer": "L01", "share": 1.0}
                        for part, maker in zip(parts, makers, strict=True)
                    ),
                ),
                "life_record": pl.concat(lives).sort("key"),
                "agreement": pl.concat(
                    [world.rows("agreement", agreement(each, **terms), owner=each) for each in makers]
                ),
            }
        )
    )
    return workspace


def at(workspace: Workspace, *hours: float) -> Any:
    """What L01 is told of its machine."""
    return run("propagate", workspace.view("L01"), {"product": "M", "hours": hours}, workspace)


def notes(found: Any) -> list[str]:
    return [note.code for note in found.notes]


def test_figures_that_may_only_be_used_go_into_the_curve_and_are_seen_nowhere(tmp_path: Path) -> None:
    with consortium(tmp_path, 6) as workspace:
        view = workspace.view("L01")
        assert view.count("life_record") == 0
        found = at(workspace, 500.0)
        whole = run("propagate", workspace.view(), {"product": "M", "hours": (500.0,)})
        assert found.reliability[0].value == pytest.approx(whole.reliability[0].value, rel=1e-9)
        assert notes(found) == ["used_only"]
        assert "6 firms" in found.notes[-1].text.en
        assert found.unknown == ()
        assert run("propagate", view, {"product": "M", "hours": (500.0,)}).unknown  # without a place to note it in


@pytest.mark.parametrize("firms", [1, 2, 4])
def test_few_firms_figures_are_left_out_and_the_reason_is_said(tmp_path: Path, firms: int) -> None:
    with consortium(tmp_path, firms) as workspace:
        found = at(workspace, 500.0)
        assert notes(found)[-1] == "used_only_refused"
        assert found.unknown == tuple(f"L01/B{n}" for n in range(firms))
        assert {each.value for each in found.reliability} == {1.0}


def test_a_few_ages_are_answered_and_no_more_and_the_same_ones_again(tmp_path: Path) -> None:
    with consortium(tmp_path, 6) as workspace:
        first = at(workspace, 500.0)
        assert notes(at(workspace, 700.0)) == ["bound_upper", "used_only_refused"]
        assert notes(at(workspace, 100.0, 200.0, 300.0)) == ["bound_upper", "used_only_refused"]
    with world.opened(tmp_path) as again:  # what was answered is kept with the graph
        assert at(again, 500.0).reliability == first.reliability
        assert notes(at(again, 700.0)) == ["bound_upper", "used_only_refused"]


def test_subsidiaries_of_one_owner_are_one_firm(tmp_path: Path) -> None:
    with consortium(tmp_path, 6) as workspace:
        owned = world.rows("organisation", *({"id": f"S{n}", "parent": "S0"} for n in range(1, 6)))
        workspace.submit(ChangeSet({"organisation": owned}))
        assert notes(at(workspace, 500.0)) == ["bound_upper", "used_only_refused"]


def test_what_was_answered_leaves_every_figure_open(tmp_path: Path) -> None:
    """Each firm's hazard is an unknown; by what was answered none is determined, whoever knows its own."""
    with consortium(tmp_path, 8) as workspace:
        answered = [hours for hours in (100.0, 300.0, 500.0, 700.0) if "used_only" in notes(at(workspace, hours))]
    assert answered == [100.0, 300.0]
    forms = np.random.default_rng(1).normal(size=(3 * len(answered), 8))  # value and both ends at each age
    for insider in range(8):
        known = np.vstack([forms, np.eye(8)[insider]])
        basis_of = np.linalg.svd(known)[2][: np.linalg.matrix_rank(known)]
        told = np.isclose(np.einsum("ij,ij->j", basis_of, basis_of), 1.0)
        assert np.flatnonzero(told).tolist() == [insider]


def test_a_viewer_with_nothing_to_use_has_no_basis_of_its_own(tmp_path: Path) -> None:
    with consortium(tmp_path, 3, mode="show") as workspace:
        view = workspace.view("L01")
        assert basis(view) is view
        assert "used_only" not in notes(at(workspace, 500.0))
