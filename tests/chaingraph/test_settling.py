"""Agreements that end with deletion: what goes, what stays, and that nothing is left of what went."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chaingraph import Action, Actor, ChaingraphError, Entry, StoreError, Workspace
from chaingraph.changes import ChangeSet
from chaingraph.following import snapshot_at
from chaingraph.settling import OPEN, STAYING, Settlement, due, settle
from chaingraph.store.verify import verify
from schema import KINDS, relations_to
from schema.vocabularies import AccessRole
from tests.chaingraph.world import opened, rows
from tests.conformance.test_erase import MARK

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def agreement(number: str, **more: Any) -> dict[str, Any]:
    """An agreement of S1 about everything of structure and failures, that ended yesterday."""
    return {
        "id": number, "version": 1, "owner": "S1", "grantee": "L01", "records": "all", "onward": False,
        "aspects": "structure;failures", "purposes": "quality", "start": NOW - 9 * DAY, "end": NOW - DAY,
        "at_end": "delete", "mode": "show", "state": "accepted", **more,
    }  # fmt: skip


def agree(workspace: Workspace, *given: dict[str, Any]) -> None:
    workspace.submit(ChangeSet({"agreement": rows("agreement", *given)}))


def owned(name: str, *given: dict[str, Any], owner: str = "S1") -> pl.DataFrame:
    return rows(name, *given, owner=owner)


def world() -> dict[str, pl.DataFrame]:
    """S1's parts X (with Y in it) and Z, a lot of each, records of X and Z; L01 has X in its machine, and a lot."""
    x, y, z = ({"number": f"{n}{MARK}", "issuer": "S1", "name_zh": f"{MARK}-{n}", "part_class": n} for n in "XYZ")
    keys = {n: f"S1/{n}{MARK}" for n in "XYZ"}
    lots = [{"part": keys[n], "maker": "S1", "code": f"{MARK}{n}"} for n in "XZ"]
    records = [
        {"id": f"{MARK}{n}", "part": keys[n], "maker": "S1", "event": "failure", "age": 7.0, "unit": "h"} for n in "XZ"
    ]
    theirs = {"part": keys["X"], "maker": "S1", "code": f"{MARK}X"}
    return {
        "organisation": owned("organisation", {"id": "L01"}, {"id": "S1"}, owner="L01"),
        "part": pl.concat([owned("part", x, y, z), owned("part", {"number": "M", "issuer": "L01"}, owner="L01")]).sort(
            "key"
        ),
        "contains": pl.concat(
            [
                owned("contains", {"parent": keys["X"], "child": keys["Y"], "quantity": 1.0}),
                owned("contains", {"parent": "L01/M", "child": keys["X"], "quantity": 1.0}, owner="L01"),
            ]
        ).sort("key"),
        "lot": pl.concat([owned("lot", *lots), owned("lot", theirs, owner="L01")]).sort("key"),
        "life_record": owned("life_record", *records),
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with opened(tmp_path) as made:
        made.submit(ChangeSet(world(), by="S1"))
        yield made


def left(workspace: Workspace, owner: str = "S1") -> dict[str, list[str]]:
    """What an owner has, by kind, without the marker; stubs with a question mark."""
    found = {}
    for name in ("part", "contains", "lot", "life_record"):
        table = workspace.snapshot().table(name).filter(pl.col("owner") == owner)
        stub = table["stub"].to_list() if "stub" in table.columns else [False] * len(table)
        found[name] = [
            key.replace(MARK, "").removesuffix(f"@{owner}") + "?" * bare
            for key, bare in zip(table["key"], stub, strict=True)
        ]
    return found


EVERYTHING = {
    "part": ["S1/X", "S1/Y", "S1/Z"],
    "contains": ["S1/X/S1/Y///"],
    "lot": ["S1/X/S1/X", "S1/Z/S1/Z"],
    "life_record": ["X", "Z"],
}
WITHOUT_Z = EVERYTHING | {"part": ["S1/X", "S1/Y"], "lot": ["S1/X/S1/X"], "life_record": ["X"]}


def test_all_that_was_shared_goes_and_others_references_stay(workspace: Workspace, tmp_path: Path) -> None:
    before = left(workspace)
    theirs = left(workspace, "L01")
    assert before.keys() == EVERYTHING.keys()
    agree(workspace, agreement("AG"))
    planned = settle(workspace, Actor(), NOW, dry_run=True)
    assert left(workspace) == before
    assert workspace.store.redactions() == []
    done = settle(workspace, Actor(), NOW)
    assert (planned.agreements, planned.rows, planned.stubs) == (done.agreements, done.rows, done.stubs)
    assert done.agreements == ("AG/1",)
    assert done.rows == {("S1", "contains"): 1, ("S1", "life_record"): 2, ("S1", "lot"): 2, ("S1", "part"): 3}
    assert done.stubs == {("S1", "part"): 1}
    assert left(workspace) == {"part": ["S1/X?"], "contains": [], "lot": [], "life_record": []}
    assert left(workspace, "L01") == theirs
    assert done.erased == 15, "8 rows that were put, and 7 that were deleted"
    assert verify(workspace.store) is None
    found = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    gone = [f"{n}{MARK}" for n in "YZ"] + [f"{MARK}-{n}" for n in "XYZ"] + [f"{MARK}Z"]
    assert [text for text in gone if text.encode() in found] == []
    with pytest.raises(StoreError) as refused:
        snapshot_at(workspace.store, 1)
    assert refused.value.code == "journal.redacted"
    assert snapshot_at(workspace.store, done.revision).size == workspace.snapshot().size


def test_it_is_told_in_the_audit_log_and_done_once(workspace: Workspace) -> None:
    agree(workspace, agreement("AG"))
    assert due(workspace, NOW) == NOW
    settle(workspace, Actor(), NOW)
    said = [Entry.read(leaf) for leaf in workspace.store.leaves("audit")]
    assert [(e.action, e.owners, e.agreements) for e in said] == [
        (Action.AGREEMENT_SETTLED, ("S1",), ("AG/1",)), (Action.ERASED, ("S1",), ("AG/1",)),
    ]  # fmt: skip
    assert said[1].kinds == ("contains", "life_record", "lot", "part")
    head = workspace.store.head()
    assert settle(workspace, Actor(), NOW) == Settlement(revision=head.revision)
    assert workspace.store.head() == head
    assert len(list(workspace.store.leaves("audit"))) == 2
    assert due(workspace, NOW) is None


@pytest.mark.parametrize(
    ("terms", "stays"),
    [
        ({}, {"part": ["S1/X?"], "contains": [], "lot": [], "life_record": []}),
        ({"end": NOW + DAY}, EVERYTHING),
        ({"end": NOW}, {"part": ["S1/X?"], "contains": [], "lot": [], "life_record": []}),
        ({"at_end": "keep"}, EVERYTHING),
        ({"state": "proposed"}, EVERYTHING),
        ({"state": "replaced"}, EVERYTHING),
        ({"owner": "L01", "grantee": "S1", "aspects": "cost"}, EVERYTHING),
        ({"aspects": "failures"}, EVERYTHING | {"life_record": []}),
        ({"records": f"part:S1/Z{MARK}"}, WITHOUT_Z),
        ({"records": "class:Z"}, WITHOUT_Z),
        (
            {"records": f"subtree:S1/X{MARK}"},
            {"part": ["S1/X?", "S1/Z"], "contains": [], "lot": ["S1/Z/S1/Z"], "life_record": ["Z"]},
        ),
        (
            {"records": f"product:S1/X{MARK};part:S1/Z{MARK}", "aspects": "failures"},
            EVERYTHING | {"life_record": []},
        ),
    ],
)  # fmt: skip
def test_what_goes(workspace: Workspace, terms: dict[str, Any], stays: dict[str, list[str]]) -> None:
    agree(workspace, agreement("AG", **terms))
    settle(workspace, Actor(), NOW)
    assert left(workspace) == stays
    assert verify(workspace.store) is None


@pytest.mark.parametrize(
    ("other", "stays"),
    [
        ({}, EVERYTHING),
        ({"start": NOW + DAY}, EVERYTHING),
        ({"aspects": "structure"}, EVERYTHING | {"life_record": []}),
        ({"records": f"part:S1/Z{MARK}", "aspects": "failures"}, {"life_record": ["Z"]}),
        ({"state": "proposed"}, {"life_record": []}),
        ({"owner": "L01"}, {"life_record": []}),
        ({"end": NOW, "at_end": "keep"}, {"life_record": []}),
    ],
)
def test_what_another_agreement_covers_stays(
    workspace: Workspace, other: dict[str, Any], stays: dict[str, list[str]]
) -> None:
    agree(
        workspace, agreement("AG"), agreement("B", grantee="L02", **{"end": NOW + 5 * DAY, "at_end": "keep", **other})
    )
    settle(workspace, Actor(), NOW)
    found = left(workspace)
    assert {name: found[name] for name in stays} == stays


def test_an_agreement_that_was_revoked(workspace: Workspace) -> None:
    """Counts where it had been accepted; one that never was gave no rights."""
    late = {"end": NOW + 9 * DAY, "state": "revoked"}
    agree(workspace, agreement("NEVER", **late))
    assert settle(workspace, Actor(), NOW).agreements == ()
    assert left(workspace)["life_record"] == ["X", "Z"]
    assert due(workspace, NOW) is None
    agree(workspace, agreement("AG", **late | {"state": "accepted"}))
    assert due(workspace, NOW) == NOW + 9 * DAY
    agree(workspace, agreement("AG", **late))
    assert due(workspace, NOW) == NOW
    assert settle(workspace, Actor(), NOW).agreements == ("AG/1",)
    assert left(workspace)["life_record"] == []


def test_what_was_kept_by_another_goes_with_it(workspace: Workspace) -> None:
    agree(workspace, agreement("AG"), agreement("B", end=NOW + DAY, records="class:Z"))
    settle(workspace, Actor(), NOW)
    assert left(workspace)["life_record"] == ["Z"]
    assert due(workspace, NOW) == NOW + DAY
    assert settle(workspace, Actor(), NOW + DAY).agreements == ("B/1",)
    assert left(workspace)["life_record"] == []
    assert verify(workspace.store) is None


def test_only_an_administrator_settles(workspace: Workspace) -> None:
    agree(workspace, agreement("AG"))
    with pytest.raises(ChaingraphError) as refused:
        settle(workspace, Actor("S1", AccessRole.SUPPLIER), NOW)
    assert refused.value.code == "settle.forbidden"
    assert left(workspace)["life_record"] == ["X", "Z"]


def test_whatever_is_referred_to_can_be_a_stub() -> None:
    """Else its deletion would be refused, and with it all that is to be settled."""
    goes = {of.name for of in KINDS.values() if of.sharing == "agreed"} - STAYING
    assert {name for name in goes if any(True for _ in relations_to(name))} <= {
        of.name for of in KINDS.values() if of.stubs
    }


CHILD = """
import os, signal, sys
from pathlib import Path
from chaingraph import Actor, Workspace
from chaingraph.settling import settle
from chaingraph.store import erasing
from chaingraph.store.sqlite import SqliteStore
from tests.chaingraph.test_settling import NOW

left = int(sys.argv[2])
erasing.PIECE = 1
for name in ("put_blob", "commit", "redact", "scrub", "append"):
    def dying(self, *given, _do=getattr(SqliteStore, name), **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        done = _do(self, *given, **named)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    setattr(SqliteStore, name, dying)
with Workspace.open(sys.argv[1]) as workspace:
    settle(workspace, Actor(), NOW)
"""


def test_killed_at_any_moment_and_called_again(tmp_path: Path) -> None:
    """Before and after every write; what is left is sound, and the next run completes it."""
    for point in range(1, 100):
        folder = tmp_path / str(point)
        folder.mkdir()
        with opened(folder) as made:
            made.submit(ChangeSet(world(), by="S1"))
            agree(made, agreement("AG"))
        url = f"sqlite:///{folder / 'graph.db'}"
        code = subprocess.run([sys.executable, "-c", CHILD, url, str(point)], cwd=ROOT, check=False).returncode
        with opened(folder) as found:
            assert verify(found.store) is None
            settle(found, Actor(), NOW)
            assert verify(found.store) is None
            assert left(found) == {"part": ["S1/X?"], "contains": [], "lot": [], "life_record": []}
            said = [Entry.read(leaf).action for leaf in found.store.leaves("audit")]
            assert said.count(Action.AGREEMENT_SETTLED) == 1
            assert list(found.register.all(OPEN)) == []
            assert due(found, NOW) is None
        whole = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        assert f"{MARK}-X".encode() not in whole
        assert f"Y{MARK}".encode() not in whole
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert point > 12
