"""Uploads are taken back where rows have been erased: what is gone does not come back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from chaingraph import Action, Actor, ChaingraphError, Entry, Workspace
from chaingraph.changes import ChangeSet
from chaingraph.store.erasing import erase
from chaingraph.store.verify import verify
from ingest.retract import undo
from tests.ingest.files import take

LIFE = "part,maker,event,age,unit,serial,id\n"
AT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def gone(workspace: Workspace, *numbers: str) -> None:
    """Records with these numbers are deleted and erased."""
    keys = workspace.snapshot().table("life_record").filter(pl.col("id").is_in(numbers))["key"]
    workspace.submit(ChangeSet(delete={"life_record": keys}))
    assert erase(workspace.store, {"life_record": keys}, Entry.of(Action.ERASED, Actor(), AT), "AG/1").rows


def ids(workspace: Workspace) -> list[str]:
    return workspace.view().table("life_record")["id"].to_list()


def test_an_upload_goes_though_some_of_its_rows_were_erased(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,轴\n")
    first = take(workspace, tmp_path, "一月.csv", LIFE + "A,S1,failure,1,h,,R1\nA,S1,failure,2,h,,R2\n")
    second = take(workspace, tmp_path, "二月.csv", LIFE + "A,S1,failure,9,h,,R2\nA,S1,failure,3,h,,R3\n")
    gone(workspace, "R1")
    undo(workspace, second.uploads["二月.csv"])
    assert workspace.view().table("life_record").select("id", "age").rows() == [("R2", 2.0)]
    undo(workspace, first.uploads["一月.csv"])
    assert ids(workspace) == []
    assert verify(workspace.store) is None


def test_a_replaced_upload_whose_rows_were_erased_stays_away(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "parts.csv", "number,name_zh\nA,轴\n")
    first = take(workspace, tmp_path, "一月.csv", LIFE + "A,S1,failure,1,h,,R1\nA,S1,failure,2,h,,R2\n")
    gone(workspace, "R1")
    replaces = first.uploads["一月.csv"]
    second = take(workspace, tmp_path, "二月.csv", LIFE + "A,S1,failure,3,h,,R3\n", replace=replaces)
    assert ids(workspace) == ["R3"]
    with pytest.raises(ChaingraphError) as refused:
        undo(workspace, second.uploads["二月.csv"])
    assert refused.value.code == "journal.redacted"
    assert ids(workspace) == ["R3"]
