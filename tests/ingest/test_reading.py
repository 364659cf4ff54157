"""Files to tables of text: encodings, delimiters, headers below titles, row numbers; and hostile files."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ingest.headers import recognised
from ingest.reading import Child, Limits, Table, Unreadable, read
from tests.ingest.files import cell, text, workbook


def table(path: Path) -> Table:
    (only,) = read(path, recognised).tables
    return only


def refusal(path: Path, limits: Limits | None = None) -> tuple[str, dict[str, object]]:
    with Child(limits or Limits()) as child, pytest.raises(Unreadable) as caught:
        read(path, recognised, child=child)
    return caught.value.code, caught.value.values


def rows(found: Table) -> list[tuple[object, ...]]:
    return found.cells.rows()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    found = table(text(tmp_path, "a.csv", "物料编码,名称\r\nA12,主轴轴承\r\n", encoding))
    assert found.header == {"0": "物料编码", "1": "名称"}
    assert rows(found) == [(2, "A12", "主轴轴承")]
    assert found.encoding == encoding


def test_a_tiny_gbk_file_is_no_mojibake(tmp_path: Path) -> None:
    found = table(text(tmp_path, "a.csv", "料号,数量\nA,1\n", "gbk"))
    assert (found.encoding, list(found.header.values())) == ("gb18030", ["料号", "数量"])
    assert rows(found) == [(2, "A", "1")]


def test_wrong_encoding_is_refused_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("物料编码,名称\nA12,x\n".encode() + b"\xff\xff\xff\n")
    assert refusal(path) == ("file.encoding", {"tried": "UTF-8, GB18030", "byte": 26})
    path.write_bytes("\ufeff物料编码\n".encode() + "轴承".encode("gbk"))
    assert refusal(path)[0] == "file.encoding"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    lines = [["物料编码", "名称", "备注"], ["A12", "主轴, 轴承" if delimiter != "," else "轴承", "x"]]
    found = table(text(tmp_path, "a.csv", "\n".join(delimiter.join(line) for line in lines)))
    assert list(found.header.values()) == lines[0]
    assert rows(found) == [(2, *lines[1])]


def test_title_rows_blank_rows_and_row_numbers(tmp_path: Path) -> None:
    content = '某公司2025年报表\n\n序号,物料编码,名称\n1,A12,"主轴\n轴承"\n ,,\n2,A13,丝杠\n'
    found = table(text(tmp_path, "a.csv", content))
    assert found.header_row == 3
    assert rows(found) == [(4, "1", "A12", "主轴\n轴承"), (6, "2", "A13", "丝杠")]


def test_cells_beyond_the_header_are_not_lost_silently(tmp_path: Path) -> None:
    found = table(text(tmp_path, "a.csv", "物料编码,名称\nA12,轴承\nA13,丝杠,3,4\n"))
    assert found.overlong.rows() == [(3, "3")]


def test_a_quote_that_is_never_closed_is_named(tmp_path: Path) -> None:
    assert refusal(text(tmp_path, "a.csv", '物料编码,名称\nA12,"轴承\nA13,x\n')) == ("file.quotes", {"row": 2})


def test_old_mac_line_ends(tmp_path: Path) -> None:
    assert rows(table(text(tmp_path, "a.csv", "物料编码,名称\rA12,轴承\r"))) == [(2, "A12", "轴承")]


@pytest.mark.parametrize("content", ["", "\n\n \n", ",,,\n,,\n"])
def test_an_empty_file(tmp_path: Path, content: str) -> None:
    assert refusal(text(tmp_path, "a.csv", content)) == ("file.empty", {})


def test_what_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,\x00\n")
    assert refusal(path) == ("file.not_text", {})


def test_a_million_columns_are_refused_before_parsing(tmp_path: Path) -> None:
    path = text(tmp_path, "a.csv", "," * 500_000 + "\n")
    path.write_text(",".join(str(i) for i in range(100_000)) + "\n1\n")
    assert refusal(path) == ("file.too_wide", {"columns": 100_000, "limit": 2_000})
    path.write_bytes(b"x" * (2 << 20))
    assert refusal(path) == ("file.line_too_long", {"limit": "1 MiB"})


def test_a_missing_file_and_a_strange_one(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.csv") == ("file.missing", {})
    assert refusal(text(tmp_path, "a.doc", "x")) == ("file.format", {"suffix": ".doc"})


def test_workbook_cells(tmp_path: Path) -> None:
    body = (
        f'<row r="2">{cell("B2", "某公司")}</row>'
        f'<row r="4">{cell("B4", "批号")}{cell("C4", "生产日期")}{cell("D4", "数量")}{cell("E4", "备注")}</row>'
        f'<row r="5">{cell("B5", "LZ1")}{cell("C5", 45717, 1)}{cell("D5", 12)}<c r="E5" t="e"><v>#N/A</v></c></row>'
        f'<row r="7">{cell("B7", 1234567890123)}{cell("C7", 45717)}{cell("D7", 0.25, 2)}</row>'
    )
    found = table(workbook(tmp_path / "a.xlsx", {"S": body}))
    assert (found.name, found.excel, found.header_row) == ("a.xlsx[S]", True, 4)
    assert list(found.header.values()) == ["批号", "生产日期", "数量", "备注"]
    assert [row[:4] for row in rows(found)] == [
        (5, "LZ1", "2025-03-01 00:00:00", "12"),
        (7, "1234567890123", "45717", "0.25"),
    ]


def test_sheets_of_a_workbook(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        {"parts": [["物料编码"], ["A"]], "隐藏": [["x"], ["y"]], "空": [], "lots": [["批次号"], ["L"]]},
        hidden=["隐藏"],
    )
    found = read(path, recognised)
    assert [t.sheet for t in found.tables] == ["parts", "lots"]
    assert found.hidden == ["隐藏"]


def test_a_sparse_workbook_kills_its_reader_only(tmp_path: Path) -> None:
    body = f'<row r="1">{cell("A1", 1)}</row><row r="1048576">{cell("XFD1048576", 1)}</row>'
    path = workbook(tmp_path / "a.xlsx", {"S": body})
    assert path.stat().st_size < 2_200
    code, values = refusal(path)
    assert code == "file.too_large"
    assert "MiB" in str(values["limit"])


def test_a_child_that_died_is_replaced(tmp_path: Path) -> None:
    body = f'<row r="1">{cell("A1", 1)}</row><row r="1048576">{cell("XFD1048576", 1)}</row>'
    bad = workbook(tmp_path / "a.xlsx", {"S": body})
    good = text(tmp_path, "a.csv", "物料编码\nA\n")
    with Child(Limits()) as child:
        for _ in range(2):
            with pytest.raises(Unreadable):
                read(bad, recognised, child=child)
            assert rows(read(good, recognised, child=child).tables[0]) == [(2, "A")]


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"S": [["物料编码"], ["A"]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"0" * (64 << 20))
    assert path.stat().st_size < 100_000
    assert refusal(path) == ("file.too_large", {"limit": "1:100 unpacked"})
    assert refusal(path, Limits(unpacked_bytes=1 << 20)) == ("file.too_large", {"limit": "1 MiB unpacked"})
    assert refusal(path, Limits(entries=3)) == ("file.too_large", {"limit": "3 zip entries"})


def test_files_that_are_not_what_their_names_say(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", {"S": [["物料编码"], ["A"]]})
    (tmp_path / "b.csv").write_bytes(b"%PDF-1.7 and so on")
    assert refusal(tmp_path / "b.csv") == ("file.not_what_it_says", {"said": "CSV", "found": "PDF"})
    with zipfile.ZipFile(tmp_path / "d.xlsx", "w") as archive:
        archive.writestr("readme", "x")
    assert refusal(tmp_path / "d.xlsx") == ("file.not_what_it_says", {"said": "XLSX", "found": "zip"})
    (tmp_path / "e.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 100)
    assert refusal(tmp_path / "e.xlsx") == ("file.not_what_it_says", {"said": "XLSX", "found": "OLE"})
    (tmp_path / "f.xlsx").write_bytes(book.read_bytes()[:300])
    assert refusal(tmp_path / "f.xlsx")[0] == "file.damaged"


def test_a_slow_reader_is_ended(tmp_path: Path) -> None:
    path = text(tmp_path, "a.csv", "物料编码\n" + "A\n" * 100_000)
    assert refusal(path, Limits(seconds=0.01)) == ("file.too_large", {"limit": "0.01 s"})
    assert refusal(path, dataclasses.replace(Limits(), resident=1 << 20)) == ("file.too_large", {"limit": "1 MiB"})
    assert refusal(path, Limits(cells=1000)) == ("file.too_large", {"limit": "1000 cells"})


def test_two_million_rows(tmp_path: Path) -> None:
    count = 2_000_000
    numbers = pl.Series(np.arange(count)).cast(pl.String)
    path = tmp_path / "contains.csv"
    pl.DataFrame(
        {"parent": numbers, "child": numbers.reverse(), "unit": pl.repeat('"件"', count, eager=True)}
    ).write_csv(path, quote_style="always")
    steps: list[tuple[int, int]] = []
    (found,) = read(path, recognised, tell=lambda done, total: steps.append((done, total))).tables
    assert found.cells.height == count
    assert found.cells.row(-1) == (count + 1, str(count - 1), "0", '"件"')
    assert len(steps) > 2
    assert steps[-1] == (path.stat().st_size, path.stat().st_size)


def test_slices_end_outside_quotes(tmp_path: Path) -> None:
    lines = [f'"A{i}","两\n行"' for i in range(500)]
    path = text(tmp_path, "a.csv", "物料编码,名称\n" + "\n".join(lines) + "\n")
    with Child(Limits(slice_bytes=256)) as child:
        (found,) = read(path, recognised, child=child).tables
    assert rows(found) == [(i + 2, f"A{i}", "两\n行") for i in range(500)]
