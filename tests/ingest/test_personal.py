"""Data about persons never reaches the disk."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from chaingraph import Workspace
from ingest import personal
from ingest.load import load
from tests.ingest.files import codes, take, text

VIN = "LSVAA4182E2123456"


@pytest.mark.parametrize(
    ("cell", "masked"),
    [
        ("请联系13912345678张工", "请联系***张工"),
        ("tel +86 139-1234-5678.", "tel ***."),
        ("139****0000", "***"),
        ("010-88886666", "***"),
        ("身份证110101199003071234", "身份证***"),
        ("mail: a.b@c.com.cn;", "mail: ***;"),
        (f"车架号{VIN}", "车架号***"),
        ("批次LZ2503，9000 h", "批次LZ2503，9000 h"),
        ("12345678901234567", "12345678901234567"),
        ("ABCDEFGHJKLMNPRST", "ABCDEFGHJKLMNPRST"),
        ("91310115DEM000014Q", "91310115DEM000014Q"),
    ],
)
def test_what_looks_personal_is_masked(cell: str, masked: str) -> None:
    assert personal.mask(pl.Series([cell]))[0].to_list() == [masked]


def test_hashes_are_keyed_and_the_same_for_the_same_unit() -> None:
    cells = pl.Series([VIN, f" {VIN.lower()}", None, "LSVAA4182E2123457"])
    one, again, nothing, other = personal.hashed(cells, b"key").to_list()
    assert one == again != other
    assert nothing is None
    assert one.startswith("h:")
    assert len(one) == 22
    assert personal.hashed(cells, b"other key")[0] != one
    assert personal.hashed(pl.Series([one]), b"key").to_list() == [one]


def test_serials_that_are_vehicle_numbers_are_hashed_wherever_they_stand() -> None:
    first, second = personal.hash_vins(pl.Series([VIN, "VMC1000"]), b"key").to_list()
    assert first.startswith("h:")
    assert second == "VMC1000"


HEADER = "索赔单号,底盘号,故障件编号,故障里程,故障日期,用户姓名,联系电话,用户地址,故障名称,师傅手机,备用车架,车主身份"
FIRST = (
    f"SP1,{VIN},B13,6968,2025-04-24,张三丰,13911112222,某市某路88号,异响请回电13933334444,13955556666,LSVAA4182E2123499"
)
SECOND = "SP2,LSVAA4182E2123457,B13,7968,2025-04-25,李四光,13911113333,某市某路99号,异响,13955557777,LSVAA4182E2123498"
SHEET = f"{HEADER}\n{FIRST},110101199003071234\n{SECOND},110101199003071235\n"
SECRETS = [
    VIN, "LSVAA4182E2123457", "LSVAA4182E2123499", "张三丰", "李四光", "13911112222", "13911113333", "13933334444",
    "13955556666", "13955557777", "某市某路", "110101199003071234",
]  # fmt: skip


@pytest.mark.parametrize("name", ["索赔明细.csv", "序列号.csv", "未知.csv", "国标.csv", "错位.csv"])
def test_no_byte_on_disk_tells_of_persons(workspace: Workspace, tmp_path: Path, name: str) -> None:
    changes = {
        "错位.csv": {"李四光,": ""},
        "序列号.csv": {"底盘号": "序列号"},
        "未知.csv": {"故障里程": "里程 A", "故障件编号": "编号 B"},
    }
    sheet = SHEET
    for old, new in changes.get(name, {}).items():
        sheet = sheet.replace(old, new)
    encoding = "gb18030" if name == "国标.csv" else "utf-8"
    report = load(workspace, [text(tmp_path, name, sheet, encoding)], by="L02")
    assert report.total.new + report.total.raw == 2
    workspace.snapshot().write(workspace.store.snapshots)
    workspace.close()
    stored = list((tmp_path / "store").rglob("*"))
    content = b"".join(path.read_bytes() for path in stored if path.is_file())
    assert b"SP1" in content
    found = [secret for secret in SECRETS for raw in (secret.encode(), secret.encode("gb18030")) if raw in content]
    assert not found
    told = str(report.to_json("zh")) + str(report.to_json("en"))
    assert not [secret for secret in SECRETS if secret in told]


def test_the_report_says_what_was_done(workspace: Workspace, tmp_path: Path) -> None:
    report = take(workspace, tmp_path, "索赔明细.csv", SHEET, by="L02")
    assert {(f.code, f.column) for f in report.findings if f.code.startswith("column.")} == {
        ("column.hashed", "底盘号"), ("column.masked", "故障名称"), ("column.personal", "用户姓名"),
        ("column.personal", "联系电话"), ("column.personal", "用户地址"), ("column.looks_personal", "师傅手机"),
        ("column.looks_personal", "备用车架"), ("column.looks_personal", "车主身份"), ("column.unmapped", "师傅手机"),
        ("column.unmapped", "备用车架"), ("column.unmapped", "车主身份"),
    }  # fmt: skip
    assert ("column.masked", None, "故障名称", None) in codes(report)
    serials = workspace.view().table("life_record")["serial"]
    assert serials.str.starts_with("h:").all()
    assert serials.n_unique() == 2
