"""Firms that a leader may not know, as pseudonyms: what lies behind several suppliers is found all the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analytics.core import run
from chaingraph import ChaingraphError, NotFound, Workspace, naming
from chaingraph.changes import ChangeSet
from chaingraph.view import View
from tests.chaingraph.world import opened, rows
from tests.sharing.worlds import AT, DAY

PSEUDONYM = re.compile(r"P-[a-z2-7]{12}")
FIRMS = ("L1", "L2", "S1", "S2", "X", "Y")


def supply(of: str, supplier: str, customer: str) -> pl.DataFrame:
    return rows("supplies", {"part": of, "supplier": supplier, "customer": customer, "share": 1.0}, owner=customer)


def line(parent: str, child: str, owner: str) -> pl.DataFrame:
    return rows("contains", {"parent": parent, "child": child, "quantity": 1.0}, owner=owner)


def agreement(owner: str, grantee: str, aspects: str = "structure;supply") -> dict[str, Any]:
    return {
        "owner": owner, "id": f"{owner}-{grantee}", "version": 1, "grantee": grantee, "records": "all",
        "aspects": aspects, "purposes": "quality", "start": AT - DAY, "end": AT + 3650 * DAY, "mode": "show",
        "state": "accepted", "onward": False, "at_end": "keep",
    }  # fmt: skip


def built(folder: Path) -> Workspace:
    """L1's machine M is of A (by S1) and B (by S2); both make theirs of X's part 1, in which S1 says Y's part 2 is."""
    issued = [("L1", "M"), ("L1", "A"), ("L1", "B"), ("X", "1"), ("Y", "2")]
    put = {
        "organisation": pl.concat([rows("organisation", {"id": f}, owner=f) for f in FIRMS]).sort("key"),
        "part": pl.concat([rows("part", {"issuer": f, "number": n}, owner=f) for f, n in issued]).sort("key"),
        "contains": pl.concat([
            line("L1/M", "L1/A", "L1"), line("L1/M", "L1/B", "L1"), line("L1/A", "X/1", "S1"),
            line("L1/B", "X/1", "S2"), line("X/1", "Y/2", "S1"),
        ]).sort("key"),
        "supplies": pl.concat([
            supply("L1/A", "S1", "L1"), supply("L1/B", "S2", "L1"), supply("X/1", "X", "S1"), supply("X/1", "X", "S2"),
        ]).sort("key"),
        "agreement": pl.concat([
            rows("agreement", agreement(s, leader), owner=s) for s in ("S1", "S2") for leader in ("L1", "L2")
        ]).sort("key"),
    }  # fmt: skip
    workspace = opened(folder)
    workspace.submit(ChangeSet(put=put, by="L1"))
    return workspace


def told(view: View) -> set[str]:
    """Of whom S1 and S2 buy X/1, as the view tells it."""
    bought = view.stated("supplies").filter(pl.col("owner").is_in(["S1", "S2"]))
    return set(bought["supplier"])


def test_a_source_behind_two_suppliers_is_one_pseudonym_and_a_single_point(tmp_path: Path) -> None:
    with built(tmp_path) as space:
        view = space.view("L1")
        (hidden,) = told(view)
        assert PSEUDONYM.fullmatch(hidden)
        assert view.behind(hidden) == "X"
        assert view.disclosers(hidden) == ("S1", "S2")
        assert "X" not in view.table("organisation")["key"]
        points = run("single_points", view, {"product": "M"}).payload("en")
        assert hidden in {point["id"] for point in points if point["kind"] == "organisation"}
        assert run("weak_links", view, {"product": "M"}).links
        reached = view.walk(["L1/M"], "contains", "out")["key"]
        deep = [view.behind(key.split("/")[0]) for key in reached if key.startswith("P-")]
        assert deep == ["X", "Y"]


def test_a_cycle_through_hidden_firms_is_found_and_told_in_pseudonyms(tmp_path: Path) -> None:
    with built(tmp_path) as space:
        space.submit(ChangeSet(put={"contains": line("Y/2", "X/1", "S2")}, by="S2"))
        with pytest.raises(ChaingraphError, match="cycle") as refused:
            run("weak_links", space.view("L1"), {"product": "M"})
        said = f"{refused.value.text.en} {refused.value.text.zh}"
        assert len(set(re.findall(r"P-[a-z2-7]{12}/P-[a-z2-7]{12}", said))) == 2
        assert "X/1" not in said
        assert "Y/2" not in said


def test_a_direct_supplier_is_told_by_name_in_ones_own_rows_alone(tmp_path: Path) -> None:
    with built(tmp_path) as space:
        extra = supply("L1/A", "S1", "S2")
        space.submit(ChangeSet(put={"supplies": extra}, by="S2"))
        view = space.view("L1")
        supplies = view.stated("supplies")
        assert set(supplies.filter(pl.col("owner") == "L1")["supplier"]) == {"S1", "S2"}
        theirs = supplies.filter((pl.col("owner") == "S2") & (pl.col("part") == "L1/A"))["supplier"].item()
        assert view.behind(theirs) == "S1"


def test_pseudonyms_stay_over_revisions_and_restarts_and_differ_between_viewers(tmp_path: Path) -> None:
    with built(tmp_path) as space:
        first, other = told(space.view("L1")), told(space.view("L2"))
        space.submit(ChangeSet(put={"part": rows("part", {"issuer": "S1", "number": "9"}, owner="S1")}, by="S1"))
        assert told(space.view("L1")) == first
    with opened(tmp_path) as again:
        assert told(again.view("L1")) == first
        assert told(again.view("L2")) == other
    assert not first & other
    (tmp_path / "elsewhere").mkdir()
    with built(tmp_path / "elsewhere") as elsewhere:
        assert told(elsewhere.view("L1")) != first


def test_what_is_missing_and_what_is_forbidden_are_refused_alike(tmp_path: Path) -> None:
    with built(tmp_path) as space:
        view = space.view("L1")
        answers = []
        for key in ("X/1", "X/7", "Q/1"):
            try:
                naming.part(view, key)
            except NotFound as error:
                answers.append((error.code, error.text.en.replace(key, "?")))
        assert len(answers) == 3
        assert len({code for code, _ in answers}) == 1
        assert len({text for _, text in answers}) == 1
        assert view.locate("part", ["X/1", "X/7"]).tolist() == [-1, -1]
        assert view.behind("X") is None
        assert view.behind("P-aaaaaaaaaaaa") is None
        assert view.disclosers("P-aaaaaaaaaaaa") == ()
