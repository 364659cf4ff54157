"""`exchange` on the command line: what may be seen, in each format, and taken in again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest import writing
from server.cli.exchanging import FORMATS
from tests.server.cli import Call

PARTS = "number,issuer,name_zh\nP1,L01,主轴\nP2,L01,轴承\nP3,L01,螺栓\n"
LINES = "parent,child,quantity\nL01/P1,L01/P2,2\n"
WRITTEN = {
    "aas": ("pump.json", b"{"),
    "aasx": ("pump.aasx", b"PK"),
    "cyclonedx": ("bom.json", b"{"),
    "omts": ("net.json", b"{"),
}


@pytest.fixture
def filled(call: Call, tmp_path: Path) -> Call:
    """A store of three parts and a line, all of L01."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "parts.csv").write_text(PARTS, encoding="utf-8")
    (folder / "contains.csv").write_text(LINES, encoding="utf-8")
    assert call("load", str(folder), "--as", "L01").exit_code == 0
    firms = tmp_path / "organisations.csv"
    firms.write_text("id,name_en\nL01,Leader\nS01,Supplier\n", encoding="utf-8")
    assert call("load", str(firms)).exit_code == 0
    return call


@pytest.mark.parametrize("form", sorted(WRITTEN))
def test_a_document_is_written_and_loads_without_any_change(filled: Call, tmp_path: Path, form: str) -> None:
    name, start = WRITTEN[form]
    file = tmp_path / name
    told = filled("exchange", form, "--as", "L01", "--output", str(file), "--format", "json")
    assert told.exit_code == 0
    answer = json.loads(told.stdout)
    assert (answer["file"], answer["format"], answer["left_out"]) == (str(file), form, 0)
    assert (answer["rows"]["part"], answer["rows"]["contains"]) == (3, 1)
    assert file.read_bytes().startswith(start)
    again = filled("load", str(file), "--as", "L01", "--format", "json")
    assert again.exit_code == 0
    total = json.loads(again.stdout)["total"]
    assert (total["new"], total["changed"], total["refused"]) == (0, 0, 0)
    assert total["same"] >= 4


def test_only_the_product_and_what_is_in_it_is_written(filled: Call, tmp_path: Path) -> None:
    file = tmp_path / "bom.json"
    told = filled("exchange", "cyclonedx", "--as", "L01", "--product", "P1", "--output", str(file), "--lang", "zh")
    assert told.exit_code == 0
    assert "零部件" in told.stdout
    assert b'"P2"' in file.read_bytes()
    assert b'"P3"' not in file.read_bytes()


def test_what_somebody_may_not_see_is_not_written(filled: Call, tmp_path: Path) -> None:
    file = tmp_path / "theirs.json"
    told = filled("exchange", "aas", "--as", "S01", "--output", str(file), "--format", "json")
    assert told.exit_code == 0
    assert json.loads(told.stdout)["rows"]["part"] == 0
    assert "主轴".encode() not in file.read_bytes()


def test_what_is_left_out_is_said(filled: Call, tmp_path: Path) -> None:
    supplies = tmp_path / "supplies.csv"
    supplies.write_text("part,supplier\nL01/P2,S01\n", encoding="utf-8")
    assert filled("load", str(supplies), "--as", "L01").exit_code == 0
    told = filled("exchange", "omts", "--as", "L01", "--output", str(tmp_path / "net.json"))
    assert told.exit_code == 0
    assert told.stderr.strip().splitlines()[-1].startswith("1 rows were left out")


def test_unknown_things_are_refused(filled: Call, tmp_path: Path) -> None:
    file = str(tmp_path / "x.json")
    assert filled("exchange", "aas", "--as", "X99", "--output", file).exit_code == 1
    refused = filled("exchange", "aas", "--as", "L01", "--product", "P9", "--output", file)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("part.unknown")
    assert filled("exchange", "step", "--as", "L01", "--output", file).exit_code == 2
    assert not Path(file).exists()
    assert writing.formats() == FORMATS
