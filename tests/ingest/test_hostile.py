"""Files made to do harm: each is refused or read within the limits, and the process that reads stays what it is."""

from __future__ import annotations

import json
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ingest.headers import recognised
from ingest.reading import Child, FileRead, Limits, Unreadable, read
from tests.ingest.binary import biff, ods, ole
from tests.ingest.files import cell, parser, text, workbook

GROWN = 200 * 1024
"""KiB by which this process may grow while it has a hostile file read."""


def seen(path: Path, limits: Limits | None = None) -> FileRead:
    if limits is None:
        return read(path, recognised, child=parser())
    with Child(limits) as child:
        return read(path, recognised, child=child)


def refusal(path: Path, limits: Limits | None = None) -> str:
    """The code of the refusal; the same file is tried by a small process, and this one must not grow."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Unreadable) as caught:
        seen(path, limits)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWN
    return caught.value.code


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)
) + "]>"  # fmt: skip


def changed(path: Path, entry: str, change: Callable[[bytes], bytes]) -> Path:
    """The zip file with one entry rewritten."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    held[entry] = change(held[entry])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("entry", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels"])
def test_entities_in_a_workbook(tmp_path: Path, entry: str) -> None:
    path = workbook(tmp_path / "a.xlsx", {"S": [["物料编码"], ["A"]]})
    assert refusal(changed(path, entry, lambda data: LAUGHS.encode() + data)) == "file.damaged"


def test_entities_in_cells_do_not_grow(tmp_path: Path) -> None:
    body = f'<row r="1">{cell("A1", "物料编码")}</row><row r="2"><c r="A2" t="inlineStr"><is><t>&j;</t></is></c></row>'
    path = workbook(tmp_path / "a.xlsx", {"S": body})
    assert refusal(changed(path, "xl/worksheets/sheet1.xml", lambda data: LAUGHS.encode() + data)) == "file.damaged"
    line = '<table:table-row><table:table-cell office:value-type="string"><text:p>&j;</text:p></table:table-cell>'
    calc = ods(tmp_path / "a.ods", {"S": line + "</table:table-row>"})
    assert refusal(changed(calc, "content.xml", lambda d: d.replace(b"?>", b"?>" + LAUGHS.encode(), 1))) in {
        "file.damaged", "file.empty",
    }  # fmt: skip
    xml = f'<?xml version="1.0"?>{LAUGHS}<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">&j;</Workbook>'
    assert refusal(text(tmp_path, "a.xml", xml)) == "file.damaged"


def test_repeated_cells_of_ods_are_not_all_made(tmp_path: Path) -> None:
    line = (
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384" '
        'office:value-type="string"><text:p>物料编码</text:p></table:table-cell></table:table-row>'
    )
    assert refusal(ods(tmp_path / "a.ods", {"S": line})) in {"file.too_large", "file.too_wide"}


@pytest.mark.parametrize("name", ["a.html", "a.xls"])
def test_html_spans_without_measure(tmp_path: Path, name: str) -> None:
    wide = "<table><tr><td colspan=999999>物料编码</table>"
    assert refusal(text(tmp_path, name, wide)) == "file.too_wide"
    tall = "<table><tr><td rowspan=999999>物料编码<td>名称</tr><tr><td>x</tr></table>"
    assert seen(text(tmp_path, name, tall)).tables[0].cells.rows() == [(2, None, "x")]


def test_html_that_never_ends_and_tables_in_tables(tmp_path: Path) -> None:
    assert refusal(text(tmp_path, "a.html", "<table><tr><td>" + "x" * (3 << 20))) == "file.too_large"
    assert refusal(text(tmp_path, "b.html", "<table><tr><td " + "x" * (3 << 20))) == "file.damaged"
    nested = "<table><tr><td>物料编码<td>" + "<table><tr><td>" * 50_000 + "x"
    assert seen(text(tmp_path, "c.html", nested)).tables[0].header["0"] == "物料编码"
    assert refusal(text(tmp_path, "d.html", "<table><tr><td>a</table>" * 600)) == "file.too_large"


def test_xml_that_is_too_deep_or_jumps(tmp_path: Path) -> None:
    begin = (
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
    )
    assert refusal(text(tmp_path, "a.xml", begin + "<a>" * 100_000)) == "file.damaged"
    jump = begin + '<Worksheet ss:Name="S"><Table><Row ss:Index="9999999"/></Table></Worksheet></Workbook>'
    assert refusal(text(tmp_path, "b.xml", jump)) == "file.too_large"
    assert refusal(text(tmp_path, "c.xml", begin)) == "file.damaged"


def test_deep_json_and_json_that_is_none(tmp_path: Path) -> None:
    assert refusal(text(tmp_path, "a.json", "[" * 200_000)) == "file.damaged"
    assert refusal(text(tmp_path, "b.jsonl", '{"a": 1}\n{"a": ' + "[" * 200_000 + "\n")) == "file.damaged"
    assert refusal(text(tmp_path, "c.jsonl", '{"a": 1}\n[1, 2]\n')) == "file.damaged"
    assert refusal(text(tmp_path, "e.jsonl", '{"数量": 1, "数量": 2}\n')) == "file.damaged"
    assert refusal(text(tmp_path, "f.json", '[{"数量": 1, "数量": 2}]')) == "file.damaged"
    assert refusal(text(tmp_path, "d.jsonl", '{"a": "' + "x" * (2 << 20))) == "file.line_too_long"


def test_json_lines_with_ever_new_keys(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({f"k{i}": i}) for i in range(5_000))
    assert refusal(text(tmp_path, "a.jsonl", lines)) == "file.too_wide"


def test_json_numbers_stay_what_they_were(tmp_path: Path) -> None:
    digits = "9" * 10_000
    found = seen(text(tmp_path, "a.jsonl", '{"数量": NaN, "名称": "\\ud800\\u0000", "物料编码": ' + digits + "}\n"))
    assert found.tables[0].cells.rows() == [(2, "NaN", "?\0", digits)]


def test_parquet_that_is_damaged_or_claims_more_than_it_has(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1" + b"\0" * 100 + b"PAR1")
    assert refusal(path) == "file.damaged"
    pl.DataFrame({"物料编码": pl.repeat("A" * 1000, 3_000_000, eager=True)}).write_parquet(path)
    assert path.stat().st_size < 1 << 20
    assert refusal(path, Limits(written_bytes=64 << 20)) == "file.too_large"
    pl.DataFrame({str(i): [1] for i in range(3_000)}).write_parquet(path)
    assert refusal(path) == "file.too_wide"
    pl.DataFrame({"a": pl.repeat(1, 200_000, eager=True)}).write_parquet(path)
    assert refusal(path, Limits(cells=100_000)) == "file.too_large"


def test_ten_thousand_sheets(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {f"S{i}": [] for i in range(600)})
    assert refusal(path) == "file.too_large"


def test_a_huge_cell_and_merged_cells_without_end(tmp_path: Path) -> None:
    huge = workbook(tmp_path / "a.xlsx", {"S": [["物料编码"], ["x" * (9 << 20)]]})
    assert refusal(huge, Limits(written_bytes=4 << 20, unpacked_ratio=10_000)) == "file.too_large"
    path = workbook(tmp_path / "b.xlsx", {"S": [["物料编码"], ["A"]]})
    many = "".join(f'<mergeCell ref="A{i}:A{i + 1}"/>' for i in range(2, 60_000, 2)).encode()
    merges = b"<mergeCells>" + many + b"</mergeCells></worksheet>"
    changed(path, "xl/worksheets/sheet1.xml", lambda data: data.replace(b"</worksheet>", merges))
    assert refusal(path, Limits(marks=1_000)) == "file.too_large"
    assert seen(path).tables[0].cells.rows() == [(2, "A")]


def test_merged_cells_that_lie(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"S": [["物料编码", "名称"], ["A", "x"], [None, "y"]]})
    lies = (
        b'<mergeCells><mergeCell ref="A2:A9999999"/><mergeCell ref="B3:A1"/><mergeCell ref="ZZZ1:ZZZ2"/></mergeCells>'
    )
    changed(path, "xl/worksheets/sheet1.xml", lambda data: data.replace(b"</worksheet>", lies + b"</worksheet>"))
    assert seen(path).tables[0].cells.rows() == [(2, "A", "x"), (3, "A", "y")]


def test_null_bytes_in_text_and_damaged_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,\x00\n" * 100)
    assert refusal(path) == "file.not_text"
    old = tmp_path / "a.xls"
    whole = ole("Workbook", biff([["物料编码", "名称"], ["A", "x"]]))
    for cut in (600, 1_200, 1_700, len(whole) - 4_000):
        old.write_bytes(whole[:cut])
        assert refusal(old) in {"file.damaged", "file.not_what_it_says", "file.empty"}


def test_a_sheet_far_from_its_first_cell(tmp_path: Path) -> None:
    body = f'<row r="1">{cell("A1", "物料编码")}</row><row r="2">{cell("XFD2", 1)}</row>'
    assert refusal(workbook(tmp_path / "a.xlsx", {"S": body})) == "file.too_wide"
    far = f'<row r="1">{cell("XFA1", "物料编码")}</row><row r="2">{cell("XFA2", "A")}</row>'
    assert refusal(workbook(tmp_path / "b.xlsx", {"S": far})) == "file.too_wide"


def test_blank_stretches_without_number(tmp_path: Path) -> None:
    content = "物料编码,名称,数量\n" + "".join(f"A{i},甲{i},1\n\n" for i in range(100_000))
    asked: list[str] = []

    def counted(cell: str) -> bool:
        asked.append(cell)
        return recognised(cell)

    (table,) = read(text(tmp_path, "a.csv", content), counted, child=parser()).tables
    assert table.cells.height == 100_000
    assert len(asked) < 1_000
    wide = "物料编码,名称," + ",".join("x" * (i % 50) + chr(0x4E00 + i) for i in range(1_900))
    lines = "\n\n".join(wide.replace(",x", f",{chr(0x6E00 + i)}x") for i in range(60))
    asked.clear()

    def quickly(cell: str) -> bool:
        asked.append(cell)
        return cell in {"物料编码", "名称"}

    assert read(text(tmp_path, "b.csv", lines), quickly, child=parser()).tables
    assert len(asked) <= 20_000
