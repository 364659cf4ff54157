"""Files in every format that factories send, and under names of another one."""

from __future__ import annotations

import datetime as dt
import json
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from ingest.headers import recognised
from ingest.reading import FileRead, Table, read
from ingest.writing import aasx
from tests.ingest.binary import biff, ods, ole
from tests.ingest.files import cell, parser, text, workbook
from tests.ingest.shells import collection, prop, shell, submodel

ROWS: Sequence[Sequence[str | float | None]] = [["物料编码", "名称", "数量"], ["A12", "轴承", 5], ["A13", "丝杠", 7]]
READ = [(2, "A12", "轴承", "5"), (3, "A13", "丝杠", "7")]


def seen(path: Path) -> FileRead:
    return read(path, recognised, child=parser())


def only(path: Path) -> Table:
    (table,) = seen(path).tables
    return table


def told(found: FileRead) -> list[tuple[str, dict[str, object]]]:
    return [(note["code"], note["values"]) for note in found.notes]


def as_html(rows: Sequence[Sequence[object]] = ROWS, head: str = "") -> str:
    lines = "".join("<tr>" + "".join(f"<td>{each}</td>" for each in row) + "</tr>" for row in rows)
    return f"<html>{head}<body><table border=1>{lines}</table></body></html>"


def as_csv(delimiter: str = ",") -> str:
    return "\n".join(delimiter.join(str(each) for each in row) for row in ROWS) + "\n"


@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "A.CSV", "a.tab"])
def test_text_under_any_of_its_names(tmp_path: Path, name: str) -> None:
    found = seen(text(tmp_path, name, as_csv("\t")))
    assert found.tables[0].cells.rows() == READ
    assert found.notes == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    table = only(text(tmp_path, "a.csv", as_csv(), encoding))
    assert (table.encoding, table.cells.rows()) == (encoding, READ)


@pytest.mark.parametrize(
    ("pieces", "byte"),
    [
        ([("物料编码,名称\nA12,主轴轴承组件\n", "utf-8"), ("A13,丝杠\n", "gb18030")], 49),
        ([("物料编码,名称\nA13,丝杠\n", "gb18030"), ("A12,主轴轴承组件\n", "utf-8")], 27),
    ],
)
def test_mixed_encodings_are_refused_with_the_place(tmp_path: Path, pieces: list[tuple[str, str]], byte: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"".join(part.encode(encoding) for part, encoding in pieces))
    with pytest.raises(Exception, match=r"file\.encoding") as caught:
        seen(path)
    assert caught.value.values["byte"] == byte  # type: ignore[attr-defined]


def test_xlsm_is_read_and_its_macros_are_not(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsm", {"S": ROWS})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\x00Auto_Open\x00")
    found = seen(path)
    assert found.tables[0].cells.rows() == READ
    assert told(found) == [("file.macros", {})]


def test_xls(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(ole("Workbook", biff(ROWS)))
    found = seen(path)
    assert (found.tables[0].name, found.tables[0].cells.rows()) == ("a.xls[S]", READ)
    assert found.notes == []


def test_ods(tmp_path: Path) -> None:
    found = seen(ods(tmp_path / "a.ods", {"S": ROWS, "T": [["批次号"], ["L1"]]}))
    assert [t.name for t in found.tables] == ["a.ods[S]", "a.ods[T]"]
    assert found.tables[0].cells.rows() == READ
    assert found.notes == []


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame(
        {
            "物料编码": ["A12", None], "数量": [5, 7], "比例": [0.25, float("nan")], "是否": [True, False],
            "日期": [dt.date(2025, 3, 1), None], "时间": [dt.datetime(2025, 3, 1, 8, tzinfo=dt.UTC), None],
            "多": [["a", "b"], None],
        }
    ).write_parquet(path)  # fmt: skip
    table = only(path)
    assert list(table.header.values()) == ["物料编码", "数量", "比例", "是否", "日期", "时间", "多"]
    assert table.cells.rows() == [
        (2, "A12", "5", "0.25", "true", "2025-03-01", "2025-03-01 08:00:00", '["a","b"]'),
        (3, None, "7", "NaN", "false", None, None, None),
    ]
    assert not table.excel


def test_json_lines_with_other_keys_in_each_line(tmp_path: Path) -> None:
    lines = ['{"物料编码": "A12", "数量": 5}', "", '{"名称": "轴承", "物料编码": "007", "比例": 1e400, "新": true}']
    table = only(text(tmp_path, "a.jsonl", "\n".join(lines)))
    assert list(table.header.values()) == ["物料编码", "数量", "名称", "比例", "新"]
    assert table.cells.rows() == [
        (2, "A12", "5", None, None, None), (3, None, None, None, None, None), (4, "007", None, "轴承", "1e400", "true"),
    ]  # fmt: skip


def test_a_json_array_of_flat_objects(tmp_path: Path) -> None:
    values = [{"物料编码": "A12", "数量": 5, "多": {"a": [1]}}, {"物料编码": "A13", "数量": None}]
    table = only(text(tmp_path, "a.json", json.dumps(values)))
    assert table.cells.rows() == [(2, "A12", "5", '{"a": ["1"]}'), (3, "A13", None, None)]


def test_a_json_document_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"file\.format"):
        seen(text(tmp_path, "a.json", '{"a": 1}'))


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_an_html_table_named_xls(tmp_path: Path, encoding: str) -> None:
    head = '<head><meta charset="x"><style>td {mso-number-format:"@"}</style></head>'
    found = seen(text(tmp_path, "a.xls", as_html(head=head), encoding))
    assert found.tables[0].cells.rows() == READ
    assert told(found) == [("file.read_as", {"said": "XLS", "found": "HTML"})]


def test_html_cells_that_span_rows_and_columns(tmp_path: Path) -> None:
    content = (
        "<table><tr><th rowspan=2>物料编码<th colspan=2>检验</tr><tr><th>检验数量<th>拒收数量</tr>"
        "<tr><td rowspan=2>A&amp;12</td><td>5<br>6</td><td>1</td></tr><tr><td>7<td><b>2</b></tr></table>"
    )
    table = only(text(tmp_path, "a.html", content))
    assert list(table.header.values()) == ["物料编码", "检验数量", "拒收数量"]
    assert table.cells.rows() == [(3, "A&12", "5\n6", "1"), (4, "A&12", "7", "2")]


def test_text_with_tabs_named_xls(tmp_path: Path) -> None:
    found = seen(text(tmp_path, "a.xls", as_csv("\t"), "gb18030"))
    assert found.tables[0].cells.rows() == READ
    assert told(found) == [("file.read_as", {"said": "XLS", "found": "CSV"})]


@pytest.mark.parametrize("name", ["a.xls", "a.csv", "a.ods", "a.xlsb"])
def test_xlsx_under_another_name(tmp_path: Path, name: str) -> None:
    path = workbook(tmp_path / "a.xlsx", {"S": ROWS}).rename(tmp_path / name)
    found = seen(path)
    assert found.tables[0].cells.rows() == READ
    assert told(found) == [("file.read_as", {"said": name[2:].upper(), "found": "XLSX"})]


def test_xls_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(ole("Workbook", biff(ROWS)))
    found = seen(path)
    assert found.tables[0].cells.rows() == READ
    assert told(found) == [("file.read_as", {"said": "XLSX", "found": "XLS"})]


def test_spreadsheetml_of_2003(tmp_path: Path) -> None:
    content = (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel">'
        '<Worksheet ss:Name="S"><Table><Column ss:Index="3" ss:Hidden="1"/>'
        '<Row ss:Index="2"><Cell><Data ss:Type="String">物料编码</Data></Cell><Cell><Data ss:Type="String">日期</Data>'
        '</Cell><Cell><Data ss:Type="String">成本</Data></Cell></Row>'
        '<Row><Cell ss:MergeDown="1"><Data ss:Type="String">A12</Data></Cell>'
        '<Cell><Data ss:Type="DateTime">2025-03-01T00:00:00.000</Data></Cell><Cell><Data ss:Type="Number">9</Data>'
        '</Cell></Row><Row ss:Hidden="1"><Cell ss:Index="2"><Data ss:Type="Number">7</Data></Cell></Row></Table>'
        '</Worksheet><Worksheet ss:Name="H"><Table><Row><Cell><Data ss:Type="String">x</Data></Cell></Row></Table>'
        "<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></Worksheet></Workbook>"
    )
    found = seen(text(tmp_path, "a.xml", content))
    assert found.hidden == ["H"]
    (table,) = found.tables
    assert (table.name, table.header_row) == ("a.xml[S]", 2)
    assert table.cells.rows() == [(3, "A12", "2025-03-01 00:00:00"), (4, "A12", "7")]
    assert [note.code for note in table.notes] == ["column.hidden", "row.hidden"]


def test_other_xml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"file\.format"):
        seen(text(tmp_path, "a.xml", "<?xml version='1.0'?><parts><part id='A'/></parts>"))
    with pytest.raises(Exception, match=r"file\.format"):
        seen(text(tmp_path, "a.html", "<html><body>Nothing here</body></html>"))


def test_encrypted_workbooks_say_so(tmp_path: Path) -> None:
    office = tmp_path / "a.xlsx"
    office.write_bytes(ole("EncryptedPackage", b"x" * 5000))
    entry = workbook(tmp_path / "b.xlsx", {"S": ROWS})
    data = bytearray(entry.read_bytes())
    directory = data.find(b"PK\x01\x02")
    struct.pack_into("<H", data, directory + 8, 1)
    entry.write_bytes(data)
    calc = ods(tmp_path / "c.ods", {"S": ROWS}, manifest="<m><manifest:encryption-data/></m>")
    old = tmp_path / "d.xls"
    old.write_bytes(ole("Workbook", biff(ROWS, password=True)))
    for path in (office, entry, calc, old):
        with pytest.raises(Exception, match=r"file\.encrypted"):
            seen(path)


def test_a_workbook_of_another_namespace_prefix_and_targets(tmp_path: Path) -> None:
    body = f'<row r="1">{cell("B1", "物料编码")}{cell("C1", "名称")}</row><row r="2">{cell("B2", "A")}</row>'
    table = only(workbook(tmp_path / "a.xlsx", {"S": body}))
    assert table.header == {"1": "物料编码", "2": "名称"}


def test_merged_cells_and_hidden_columns_of_xls(tmp_path: Path) -> None:
    rows: list[list[str | float | None]] = [
        [],
        [None, "物料编码", "成本", "名称"],
        [None, "A12", 9, "轴承"],
        [None, None, 8, "丝杠"],
    ]
    path = tmp_path / "a.xls"
    path.write_bytes(ole("Workbook", biff(rows, merges=[(2, 3, 1, 1)], hidden=[2], hidden_rows=[3])))
    table = only(path)
    assert table.header == {"1": "物料编码", "3": "名称"}
    assert table.cells.rows() == [(3, "A12", "轴承"), (4, "A12", "丝杠")]
    assert [(note.code, note.column, dict(note.values)) for note in table.notes] == [
        ("column.hidden", "成本", {"letter": "C"}),
        ("row.hidden", None, {"count": 1}),
    ]


def test_merged_cells_and_hidden_columns_of_ods(tmp_path: Path) -> None:
    names = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{name}</text:p></table:table-cell>'
        for name in ("物料编码", "成本", "名称")
    )
    spanning = (
        '<table:table-row><table:table-cell/><table:table-cell office:value-type="string" '
        'table:number-rows-spanned="2" table:number-columns-spanned="1"><text:p>A12</text:p></table:table-cell>'
        '<table:table-cell office:value-type="float" office:value="9"/>'
        '<table:table-cell office:value-type="string"><text:p>轴承</text:p></table:table-cell></table:table-row>'
        '<table:table-row table:visibility="filter"><table:table-cell/><table:covered-table-cell/>'
        '<table:table-cell office:value-type="float" office:value="8"/>'
        '<table:table-cell office:value-type="string"><text:p>丝杠</text:p></table:table-cell></table:table-row>'
    )
    columns = '<table:table-column table:number-columns-repeated="2"/><table:table-column table:visibility="collapse"/>'
    body = f"{columns}<table:table-row/><table:table-row><table:table-cell/>{names}</table:table-row>{spanning}"
    table = only(ods(tmp_path / "a.ods", {"S": body}))
    assert table.header == {"1": "物料编码", "3": "名称"}
    assert table.cells.rows() == [(3, "A12", "轴承"), (4, "A12", "丝杠")]
    assert [(note.code, note.column, dict(note.values)) for note in table.notes] == [
        ("column.hidden", "成本", {"letter": "C"}),
        ("row.hidden", None, {"count": 1}),
    ]


@pytest.mark.parametrize("name", ["a.aasx", "a.xlsx"])
def test_a_package_of_shells_is_read_as_such(tmp_path: Path, name: str) -> None:
    figures = collection("ReliabilityCharacteristics", prop("MTBF", "20", "xs:int"))
    path = tmp_path / name
    path.write_bytes(aasx.packed(json.dumps(shell(submodel("Reliability", figures))).encode()))
    found = seen(path)
    assert found.tables
    said = [each for each in told(found) if each[0] == "file.read_as"]
    assert said == ([] if name == "a.aasx" else [("file.read_as", {"said": "XLSX", "found": "AASX"})])
