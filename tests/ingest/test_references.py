"""What references mean: within the load, then what is visible, else a placeholder of the uploader's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaingraph import Workspace
from ingest.load import load
from tests.ingest.files import codes, copied, shared, take, text


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with two issuers of a number, aliases and a mechanism."""
    tmp_path = tmp_path_factory.mktemp("stock")
    with Workspace.open(f"sqlite:///{tmp_path}/store/graph.db") as workspace:
        fill(workspace, tmp_path)
    return tmp_path / "store"


@pytest.fixture
def stocked(stock: Path, tmp_path: Path) -> Iterator[Workspace]:
    with copied(stock, tmp_path) as workspace:
        yield workspace


def fill(workspace: Workspace, tmp_path: Path) -> None:
    take(
        workspace,
        tmp_path,
        "organisations.csv",
        "id,name_zh,uscc\nL01,链主一,\nL02,链主二,\nS05,轴承厂,91310115DEM000014Q\n",
    )
    take(workspace, tmp_path, "parts.csv", "number,issuer\nA,L01\nA,L02\nB,L01\nC/1,L01\n")
    take(
        workspace,
        tmp_path,
        "part_aliases.csv",
        "owner,organisation,number,drawing_no,part\nS05,S05,,HY-1,L01/B\nS05,S05,K,,L02/A\n",
    )
    take(workspace, tmp_path, "mechanisms.csv", "code,name_zh,name_en\nME-LUB,润滑失效,Lubrication\n")
    shared(workspace, "local", "L01", "L02", "S05")


def child(workspace: Workspace, tmp_path: Path, written: str, by: str | None) -> str | None:
    report = take(workspace, tmp_path, "contains.csv", f'parent,child\nTOP,"{written}"\n', by=by, dry_run=False)
    found = workspace.snapshot().table("contains").filter(owner=by or "local")["child"].to_list()
    return found[0] if found else str(codes(report)[0])


@pytest.mark.parametrize(
    ("written", "by", "key"),
    [
        ("A", "L01", "L01/A"),
        ("A", "L02", "L02/A"),
        ("L02/A", "L01", "L02/A"),
        ("B", "L02", "L01/B"),
        ("C/1", "L02", "L01/C%2F1"),
        ("L01/C%2F1", "L02", "L01/C%2F1"),
        ("L01/C/1", "L02", "L01/C%2F1"),
        ("HY-1", "S05", "L01/B"),
        ("K", "S05", "L02/A"),
        ("HY-1", "L02", "L01/B"),
        ("Z", "S05", "S05/Z"),
        ("L01/Z", "S05", "S05/L01%2FZ"),
        ("L01/Z", None, "L01/Z"),
        ("Z", None, "local/Z"),
        ("Ｂ", "L02", "L01/B"),
    ],
)
def test_parts(stocked: Workspace, tmp_path: Path, written: str, by: str | None, key: str) -> None:
    assert child(stocked, tmp_path, written, by) == key


def test_a_number_of_several_issuers_names_them(stocked: Workspace, tmp_path: Path) -> None:
    report = take(stocked, tmp_path, "contains.csv", "parent,child\nTOP,A\n", by="S05")
    (found,) = report.findings
    assert (found.code, found.row, found.column, found.value) == ("reference.ambiguous", 2, "child", "A")
    assert found.text.en == "Several issuers have this number: L01/A, L02/A."
    assert found.remedy.en == "Write it as ISSUER/NUMBER."


@pytest.mark.parametrize(
    ("written", "by", "key"),
    [
        ("S05", "L01", "S05"),
        ("轴承厂", "L01", "S05"),
        ("91310115DEM000014Q", "L01", "S05"),
        ("S99", "L01", "L01:S99"),
        ("S99", None, "S99"),
        ("L01", "L01", "L01"),
    ],
)
def test_organisations(stocked: Workspace, tmp_path: Path, written: str, by: str | None, key: str) -> None:
    take(stocked, tmp_path, "supplies.csv", f"part,supplier\nL01/B,{written}\n", by=by)
    assert stocked.snapshot().table("supplies")["supplier"].to_list() == [key]


def test_mechanisms_modes_and_lots(stocked: Workspace, tmp_path: Path) -> None:
    take(stocked, tmp_path, "modes.csv", "part,mode,name_zh,mechanism\nB,FM1,剥落,润滑失效\n", by="L01")
    take(stocked, tmp_path, "lots.csv", "part,maker,code\nB,S05,LZ1\n", by="L01")
    content = (
        "part,maker,lot,event,age,unit,mode,mechanism\nB,S05,LZ1,failure,1,h,FM1,ME-LUB\n"
        "B,,LZ1,failure,2,h,剥落,Lubrication\nB,S05,LZ9,failure,3,h,FM9,怪\n"
    )
    report = take(stocked, tmp_path, "life_records.csv", content, by="L01")
    assert stocked.snapshot().table("life_record").sort("age").select("lot", "mode", "mechanism").rows() == [
        ("L01/B/S05/LZ1", "L01/B/FM1", "ME-LUB"),
        ("L01/B/S05/LZ1", "L01/B/FM1", "ME-LUB"),
        ("L01/B/S05/LZ9", "L01/B/FM9", "L01:怪"),
    ]
    assert {f.value for f in report.findings if f.code == "reference.stub"} == {"L01/B/S05/LZ9", "L01/B/FM9", "L01:怪"}
    stub = stocked.snapshot().table("lot").filter("stub").row(0, named=True)
    assert stub.items() >= {"part": "L01/B", "maker": "S05", "code": "LZ9", "owner": "L01", "row": 4}.items()


def test_placeholders_need_placeholders(workspace: Workspace, tmp_path: Path) -> None:
    take(
        workspace,
        tmp_path,
        "lot_genealogy.csv",
        "from_lot,from_part,from_maker,into_lot,into_part,into_maker\nG1,M04,S31,LZ1,A12,S05\n",
        by="S05",
    )
    view = workspace.view()
    assert view.table("lot")["key"].to_list() == ["S05/A12/S05/LZ1", "S05/M04/S05:S31/G1"]
    assert view.table("part")["key"].to_list() == ["S05/A12", "S05/M04"]
    assert view.table("organisation").select("key", "stub").rows() == [("S05", True), ("S05:S31", True)]


def test_describing_a_placeholder(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "contains.csv", "parent,child\nA,B\n", by="L01")
    report = take(workspace, tmp_path, "parts.csv", "number,name_zh\nB,承\n", by="L01")
    assert report.total.changed == 1
    assert workspace.view().table("part").select("key", "stub").rows() == [("L01/A", True), ("L01/B", False)]


def test_a_reference_to_what_cannot_be_a_placeholder(workspace: Workspace, tmp_path: Path) -> None:
    report = take(workspace, tmp_path, "members.csv", "consortium,organisation\nC-X,L01\n")
    assert codes(report) == [("reference.unknown", 2, "consortium", "C-X")]
    assert workspace.view().count("member") == 0


def test_a_refused_lot_leaves_a_placeholder(workspace: Workspace, tmp_path: Path) -> None:
    lots = text(tmp_path, "lots.csv", "part,maker,code,produced_on\nB,S05,LZ1,2100-01-01\n")
    records = text(tmp_path, "life_records.csv", "part,maker,lot,event,age,unit\nB,S05,LZ1,failure,1,h\n")
    report = load(workspace, [lots, records])
    assert [f.code for f in report.findings if f.severity == "error"] == ["date.future"]
    assert workspace.view().table("lot").select("key", "stub").rows() == [("local/B/S05/LZ1", True)]


def test_references_within_the_load_come_first(workspace: Workspace, tmp_path: Path) -> None:
    contains = text(tmp_path, "contains.csv", "owner,parent,child\nL01,A,B\nL02,A,B\n")
    parts = text(tmp_path, "parts.csv", "owner,number\nL01,A\nL02,A\nL02,B\n")
    load(workspace, [contains, parts])
    assert workspace.snapshot().table("contains").select("parent", "child").rows() == [
        ("L01/A", "L02/B"), ("L02/A", "L02/B"),
    ]  # fmt: skip


def test_a_number_that_a_visible_customer_or_maker_has_for_a_part(stocked: Workspace, tmp_path: Path) -> None:
    take(stocked, tmp_path, "part_aliases.csv", "organisation,number,part\nL02,C-9,L01/B\nL02,C-8,L01/B\n", by="L02")
    take(stocked, tmp_path, "part_aliases.csv", "organisation,number,part\nL01,C-8,L02/A\n", by="L01")
    assert child(stocked, tmp_path, "C-9", "S05") == "L01/B"
    report = take(stocked, tmp_path, "contains.csv", "parent,child\nTOP,C-8\n", by="S05")
    (found,) = [f for f in report.findings if f.severity == "error"]
    assert (found.code, found.value) == ("reference.ambiguous", "C-8")
    assert "L01/B, L02/A" in found.text.en


def test_an_alias_that_the_loader_does_not_see_means_nothing(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "parts.csv", "number\nB\n", by="L01")
    take(workspace, tmp_path, "part_aliases.csv", "organisation,number,part\nL02,C-9,B\n", by="L01")
    assert child(workspace, tmp_path, "C-9", "S05") == "S05/C-9"


@pytest.mark.parametrize(
    ("written", "key", "code", "name"),
    [
        ("91440605DEM0009991", "S05:91440605DEM0009991", "91440605DEM0009991", None),
        ("91440605DEM0009992", "S05:91440605DEM0009992", None, None),
        ("某某轴承厂", "S05:某某轴承厂", None, "某某轴承厂"),
        ("X7", "S05:X7", None, None),
    ],
    ids=["code", "code with a wrong digit", "name", "number"],
)
def test_a_placeholder_of_a_firm_keeps_the_code_or_name_it_was_written_as(
    stocked: Workspace, tmp_path: Path, written: str, key: str, code: str | None, name: str | None
) -> None:
    take(stocked, tmp_path, "supplies.csv", f"part,supplier\nL01/B,{written}\n", by="S05")
    stub = stocked.snapshot().table("organisation").filter(key=key)
    assert stub.select("uscc", "name_zh", "stub").rows() == [(code, name, True)]
