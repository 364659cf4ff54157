"""The sheet of agreements: as people write it, what it may bring, and what never changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chaingraph import Action, Actor, Entry, Workspace
from chaingraph.agreements import accept, revoke
from ingest.retract import undo
from schema.vocabularies import AccessRole
from tests.ingest.files import codes, take

HEADING = "owner,id,version,grantee,records,aspects,purposes,start,end,onward,at_end,mode,state\n"
MINE = "id,version,grantee,records,aspects,purposes,start,end,state\n"


@pytest.fixture
def world(workspace: Workspace, tmp_path: Path) -> Workspace:
    """Firms, a consortium with members, and a few parts."""
    take(workspace, tmp_path, "organisations.csv", "owner,id,name_zh\nL01,L01,海岳\nS01,S01,岭川\nS02,S02,汉望\n")
    take(workspace, tmp_path, "consortia.csv", "owner,id,leader,name_zh\nL01,C-VMC,L01,加工中心联合体\n")
    take(workspace, tmp_path, "members.csv", "owner,consortium,organisation\nL01,C-VMC,S01\nL01,C-VMC,S02\n")
    take(workspace, tmp_path, "parts.csv", "owner,number,issuer\nL01,A1,L01\nL01,A2,L01\nS01,A2,S01\nS01,Q7,S01\n")
    return workspace


def agreement(workspace: Workspace, key: str = "AG-1/1") -> dict[str, Any]:
    """One stored row."""
    return workspace.snapshot().table("agreement").row(by_predicate=pl.col("key") == key, named=True)


def one(**cells: str) -> str:
    """A row of S01's with L01."""
    row = {
        "owner": "S01", "id": "AG-1", "version": "1", "grantee": "L01", "records": "all", "aspects": "structure",
        "purposes": "quality", "start": "2024-01-01", "end": "2099-01-01", "onward": "", "at_end": "", "mode": "",
        "state": "",
    } | cells  # fmt: skip
    return ",".join(f'"{cell}"' for cell in row.values()) + "\n"


def test_as_people_write_it(world: Workspace, tmp_path: Path) -> None:
    """Both languages, any order and separator, times with zones; kept in one form."""
    sheet = (
        "所有者,协议号,版本,被授权方,记录范围,共享内容,用途,开始时间,结束时间,可转授,到期处理,使用方式,状态\n"
        "S01,AG-1,1,加工中心联合体,零部件：A1；及下级:S01/A2,失效数据、结构，成本,召回/质量改进,2024年1月1日,"
        "2026-01-01T00:00:00+08:00,否,删除,汇总,生效\n"
    )
    report = take(world, tmp_path, "agreements.csv", sheet)
    assert not codes(report)
    row = agreement(world)
    assert row["grantee"] == "consortium:C-VMC"
    assert row["records"] == "part:L01/A1;subtree:S01/A2"
    assert (row["aspects"], row["purposes"]) == ("structure;failures;cost", "quality;recall")
    assert (row["start"].isoformat(), row["end"].isoformat()) == (
        "2024-01-01T00:00:00+00:00",
        "2025-12-31T16:00:00+00:00",
    )
    assert (row["onward"], row["at_end"], row["mode"], row["state"]) == (False, "delete", "pool", "accepted")
    assert row["proposed_by"] == "S01"
    assert row["changed_at"] is not None


def test_with_whom_and_about_what(world: Workspace, tmp_path: Path) -> None:
    """A number that two firms have is nobody's: it is about nothing, rather than about the wrong part."""
    whom = {
        "L01": "L01", "海岳": "L01", "C-VMC": "consortium:C-VMC", "联合体:C-VMC": "consortium:C-VMC",
        "consortium:C-VMC": "consortium:C-VMC", "group:C-VMC/bearings": "group:C-VMC/bearings",
        "小组：加工中心联合体/轴承": "group:C-VMC/轴承", "所有人": "everyone", "Everyone": "everyone", "S77": "S77",
    }  # fmt: skip
    what = {
        "全部": "all", "part:A1;part:A1": "part:L01/A1", "product：L01/A1": "product:L01/A1",
        "class:bearing": "class:bearing", "part:A2": "part:A2", "part:13800138000": "part:13800138000",
    }  # fmt: skip
    lines = [one(id=f"W-{at}", grantee=each) for at, each in enumerate(whom)]
    lines += [one(id=f"R-{at}", records=each) for at, each in enumerate(what)]
    assert not codes(take(world, tmp_path, "agreements.csv", HEADING + "".join(lines)))
    assert [agreement(world, f"W-{at}/1")["grantee"] for at in range(len(whom))] == list(whom.values())
    assert [agreement(world, f"R-{at}/1")["records"] for at in range(len(what))] == list(what.values())


def test_what_no_agreement_says(world: Workspace, tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, str], str]] = [
        ({"aspects": "structure;gossip"}, "value.unknown_code"), ({"purposes": "curiosity"}, "value.unknown_code"),
        ({"aspects": ""}, "value.missing"), ({"end": "2023-01-01"}, "agreement.dates"),
        ({"records": "everything:1"}, "agreement.records"), ({"start": "soon"}, "value.date"),
        ({"grantee": "S01"}, "agreement.itself"),
    ]  # fmt: skip
    lines = [one(id=f"AG-{at}", **cells) for at, (cells, _) in enumerate(wrong)]
    report = take(world, tmp_path, "agreements.csv", HEADING + "".join(lines))
    assert sorted((row or 0, code) for code, row, _, _ in codes(report)) == [
        (at + 2, code) for at, (_, code) in enumerate(wrong)
    ]
    assert world.snapshot().table("agreement").is_empty()


def test_the_same_file_again_changes_nothing(world: Workspace, tmp_path: Path) -> None:
    """Also where the other side has answered meanwhile."""
    sheet = HEADING + one(state="proposed") + one(id="AG-2", state="accepted")
    take(world, tmp_path, "agreements.csv", sheet)
    again = take(world, tmp_path, "agreements.csv", sheet)
    assert (again.total.same, again.total.new, again.total.changed) == (2, 0, 0)
    log = [Entry.read(leaf) for leaf in world.store.leaves("audit")]
    told = [(e.action, e.owners, e.agreements) for e in log if e.agreements]
    assert told == [
        (Action.AGREEMENT_PROPOSED, ("S01",), ("AG-1/1",)),
        (Action.AGREEMENT_ACCEPTED, ("S01",), ("AG-2/1",)),
    ]
    accept(world, Actor("L01", AccessRole.QUALITY), "AG-1")
    again = take(world, tmp_path, "agreements.csv", sheet)
    assert (again.total.same, again.total.changed, codes(again)) == (2, 0, [])
    assert agreement(world)["state"] == "accepted"


def test_terms_of_a_version_never_change(world: Workspace, tmp_path: Path) -> None:
    other = [
        {"aspects": "structure;cost"}, {"purposes": "recall"}, {"grantee": "S02"}, {"records": "part:A1"},
        {"end": "2098-01-01"}, {"start": "2024-01-02"}, {"onward": "是"}, {"mode": "use"}, {"at_end": "delete"},
    ]  # fmt: skip
    lines = [one(id=f"AG-{at}", state="accepted") for at in range(len(other))]
    take(world, tmp_path, "agreements.csv", HEADING + "".join(lines))
    before = world.snapshot().table("agreement")
    lines = [one(id=f"AG-{at}", state="accepted", **cells) for at, cells in enumerate(other)]
    report = take(world, tmp_path, "agreements.csv", HEADING + "".join(lines))
    assert [found[:2] for found in codes(report)] == [("agreement.terms_changed", at + 2) for at in range(len(other))]
    assert "another version" in report.findings[0].remedy.en
    assert world.snapshot().table("agreement").equals(before)


def test_another_version_brings_other_terms(world: Workspace, tmp_path: Path) -> None:
    take(world, tmp_path, "agreements.csv", HEADING + one(state="accepted"))
    both = one(state="replaced") + one(version="2", aspects="cost", state="accepted")
    assert not codes(take(world, tmp_path, "agreements.csv", HEADING + both))
    assert (agreement(world)["state"], agreement(world, "AG-1/2")["aspects"]) == ("replaced", "cost")


def test_two_versions_do_not_hold_at_once(world: Workspace, tmp_path: Path) -> None:
    take(world, tmp_path, "agreements.csv", HEADING + one(state="accepted"))
    report = take(world, tmp_path, "agreements.csv", HEADING + one(version="2", state="accepted"))
    assert [found[0] for found in codes(report)] == ["agreement.two_hold"]
    other = take(world, tmp_path, "agreements.csv", HEADING + one(version="2", grantee="S02"))
    assert [found[0] for found in codes(other)] == ["agreement.other_sides"]


def test_what_is_settled_stays_so(world: Workspace, tmp_path: Path) -> None:
    take(world, tmp_path, "agreements.csv", HEADING + one(state="accepted"))
    revoke(world, Actor("L01", AccessRole.QUALITY), "AG-1")
    report = take(world, tmp_path, "agreements.csv", HEADING + one(state="accepted"))
    assert [found[0] for found in codes(report)] == ["agreement.state_change"]
    assert agreement(world)["state"] == "revoked"


def test_a_supplier_brings_proposals_of_its_own(world: Workspace, tmp_path: Path) -> None:
    """Under numbers of its own: whether another firm's agreement has that number is not told."""
    take(world, tmp_path, "agreements.csv", HEADING + one(owner="S02", state="accepted"))
    row = "AG-1,1,C-VMC,all,failures,research,2024-01-01,2099-01-01,"
    report = take(world, tmp_path, "agreements.csv", MINE + row + "\n", by="S01", administrator=False)
    assert not codes(report)
    mine = agreement(world, "S01:AG-1/1")
    assert (mine["owner"], mine["state"], mine["proposed_by"]) == ("S01", "proposed", "S01")
    assert agreement(world)["owner"] == "S02"
    again = take(world, tmp_path, "agreements.csv", MINE + row + "\n", by="S01", administrator=False)
    assert again.total.same == 1
    sooner = take(world, tmp_path, "agreements.csv", MINE + row + "accepted\n", by="S01", administrator=False)
    assert [found[0] for found in codes(sooner)] == ["agreement.only_proposed"]
    forged = MINE.replace("state\n", "proposed_by\n") + row.replace("AG-1", "AG-5") + "L01\n"
    assert not codes(take(world, tmp_path, "agreements.csv", forged, by="S01", administrator=False))
    assert agreement(world, "S01:AG-5/1")["proposed_by"] == "S01"
    other = take(world, tmp_path, "agreements.csv", HEADING + one(owner="S02"), by="S01", administrator=False)
    assert [found[0] for found in codes(other)] == ["row.owner"]


def test_undoing_a_load_shares_nothing_again(world: Workspace, tmp_path: Path) -> None:
    """What another upload had changed, or replaced, comes back as it was said; not as something that holds."""
    take(world, tmp_path, "agreements.csv", HEADING + one(state="accepted"))
    second = take(
        world, tmp_path, "agreements.csv", HEADING + one(state="replaced") + one(version="2", state="accepted")
    )
    assert second.load is not None
    undo(world, second.load)
    assert world.snapshot().table("agreement").select("key", "state").rows() == [("AG-1/1", "revoked")]
    third = take(world, tmp_path, "agreements.csv", HEADING + one(id="AG-3", state="accepted"))
    fourth = take(world, tmp_path, "agreements.csv", HEADING + one(id="AG-4"), replace=third.uploads["agreements.csv"])
    assert fourth.load is not None
    undo(world, fourth.load)
    assert agreement(world, "AG-3/1")["state"] == "revoked"
