"""Bills of materials in one list: who is in whom, whatever the list says it by; what is odd about it is told."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from chaingraph import Workspace
from fixtures.sheets import Sheet, xlsx
from ingest import bom
from ingest.decisions import SheetDecisions
from ingest.load import load, look
from ingest.marked import marked
from ingest.reading import ROW, Table
from tests.ingest.files import codes, take, text

TREE = [("A", "B", "1"), ("B", "C", "4"), ("C", "D", "0.01"), ("B", "E", "1"), ("A", "F", "1")]


def table(content: str) -> Table:
    """A table as it is read; `|` stands between cells, empty ones are null."""
    head, *rows = [line.split("|") for line in content.split("\n")]
    cells = {str(i): [row[i] or None for row in rows] for i in range(len(head))}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String)).with_row_index(ROW, offset=2)
    header = {str(i): name for i, name in enumerate(head)}
    overlong = pl.DataFrame(schema={ROW: pl.Int64, "value": pl.String})
    return Table("bom.csv", None, "utf-8", False, header, frame.with_columns(pl.col(ROW).cast(pl.Int64)), 1, overlong)


def lines(content: str) -> list[tuple[str | None, ...]]:
    """Parent, child and quantity of the lines that come of a list."""
    first, _ = bom.expanded(table(content))
    at = {heading: position for position, heading in first.header.items()}
    child = next(at[name] for name in ("物料编码", "料号", "子件编码") if name in at)
    quantity = next(at[name] for name in ("用量", "数量", "单台用量") if name in at)
    return first.cells.select(at["父件编码"], child, quantity).rows()


def notes(content: str) -> dict[str, list[int]]:
    """The rows of each note."""
    first, _ = bom.expanded(table(content))
    return {note.code: note.rows[ROW].to_list() for note in first.notes}


@pytest.mark.parametrize(
    "content",
    [
        "层级|物料编码|名称|用量\n0|A|a|1\n1|B|b|1\n2|C|c|4\n3|D|d|0.01\n2|E|e|1\n1|F|f|1",
        "层级|物料编码|名称|用量\n０|A|a|1\n１|B|b|1\n２|C|c|4\n３|D|d|0.01\n２|E|e|1\n１|F|f|1",
        "层级|物料编码|名称|用量\n|A|a|1\n1|B|b|1\n2|C|c|4\n3|D|d|0.01\n2|E|e|1\n1|F|f|1",
        "BOM Level|物料编码|名称|用量\n0|A|a|1\n.1|B|b|1\n..2|C|c|4\n...3|D|d|0.01\n..2|E|e|1\n.1|F|f|1",
        "层次|物料编码|名称|用量\n|A|a|1\n+|B|b|1\n++|C|c|4\n+++|D|d|0.01\n++|E|e|1\n+|F|f|1",
        "阶次|物料编码|名称|用量\n1级|A|a|1\n2级|B|b|1\n3级|C|c|4\n4级|D|d|0.01\n3级|E|e|1\n2级|F|f|1",
        "序号|物料编码|名称|用量\n1|A|a|1\n1.1|B|b|1\n1.1.1|C|c|4\n1.1.1.1|D|d|0.01\n1.1.2|E|e|1\n1.2|F|f|1",
        "项次|物料编码|名称|用量\n0|A|a|1\n1|B|b|1\n1.1|C|c|4\n1.1.1|D|d|0.01\n1.2|E|e|1\n2|F|f|1",
        "层级|物料编码|名称|用量\n1|A|a|1\n1-1|B|b|1\n1-1-1|C|c|4\n1-1-1-1|D|d|0.01\n1-1-2|E|e|1\n1-2|F|f|1",
        "物料编码|名称|用量\nA|a|1\nB|　b|1\nC|　　c|4\nD|　　　d|0.01\nE|　　e|1\nF|　f|1",
        "物料编码|名称|用量\nA|a|1\n  B|b|1\n    C|c|4\n      D|d|0.01\n    E|e|1\n  F|f|1",
        "物料编码|名称|用量\nA|a|1\n..B|b|1\n....C|c|4\n......D|d|0.01\n....E|e|1\n..F|f|1",
        "一级|二级|三级|四级|名称|用量\nA||||a|1\n|B|||b|1\n||C||c|4\n|||D|d|0.01\n||E||e|1\n|F|||f|1",
        "L1|L2|L3|L4|名称|用量\nA||||a|1\nA|B|||b|1\nA|B|C||c|4\nA|B|C|D|d|0.01\nA|B|E||e|1\nA|F|||f|1",
        "父件编码|子件编码|子件名称|用量\n|A|a|1\nA|B|b|1\nB|C|c|4\nC|D|d|0.01\nB|E|e|1\nA|F|f|1",
    ],
    ids=["levels", "wide", "first-without", "dots", "plus", "steps", "numbers", "zero", "dashes", "names", "blanks",
         "dotted", "columns", "filled", "parents"],
)  # fmt: skip
def test_a_list_says_who_is_in_whom(content: str) -> None:
    assert lines(content) == TREE
    first, parts = bom.expanded(table(content))
    assert (first.name, parts.name, notes(content)) == ("bom.csv[BOM]", "bom.csv[BOM·parts]", {})
    assert sorted(parts.cells.drop(ROW).rows()) == [(n, n.lower()) for n in "ABCDEF"] or sorted(
        row[::-1] for row in parts.cells.drop(ROW).rows()
    ) == [(n, n.lower()) for n in "ABCDEF"]


def test_a_level_left_out_is_said() -> None:
    content = "层级|物料编码|用量\n0|A|1\n2|B|3\n1|C|1"
    assert lines(content) == [("A", "B", "3"), ("A", "C", "1")]
    assert notes(content) == {"bom.jump": [3]}


def test_several_roots_and_lines_without_level_or_number_or_quantity() -> None:
    content = "层级|物料编码|用量\n0|A|1\n1|B|\n|Q|1\n0|X|1\n1||2\n1|C|2\n1|D|2\n1|E|2"
    assert lines(content) == [("A", "B", None), ("X", "C", "2"), ("X", "D", "2"), ("X", "E", "2")]
    assert notes(content) == {
        "bom.no_level": [4], "bom.roots": [5], "bom.no_number": [6], "bom.no_quantity": [3],
    }  # fmt: skip


def test_equal_trees_below_one_part_are_taken_once() -> None:
    content = "层级|物料编码|用量\n0|A|1\n1|S|2\n2|C|4\n1|T|1\n2|S|1\n3|C|4"
    assert lines(content) == [("A", "S", "2"), ("S", "C", "4"), ("A", "T", "1"), ("T", "S", "1")]
    assert notes(content) == {"bom.repeated": [6]}


def test_other_trees_below_one_part_are_both_there_and_said() -> None:
    content = "层级|物料编码|用量\n0|A|1\n1|S|2\n2|C|4\n1|T|1\n2|S|1\n3|D|4"
    assert ("S", "C", "4") in lines(content)
    assert ("S", "D", "4") in lines(content)
    assert notes(content) == {"bom.differs": [6]}


def test_one_part_twice_in_one_has_two_lines() -> None:
    first, _ = bom.expanded(table("层级|物料编码|用量\n0|A|1\n1|B|2\n1|C|1\n1|B|3"))
    at = next(position for position, heading in first.header.items() if heading == "项次")
    assert first.cells.select("1", at).rows() == [("B", None), ("C", None), ("B", "2")]


def test_quantities_for_a_product_are_never_divided() -> None:
    rows = "0|A|1\n1|B|2\n2|C|8\n1|D|1\n2|E|3"
    assert notes(f"层级|物料编码|单台用量\n{rows}") == {"bom.per_product": [4]}
    assert lines(f"层级|物料编码|总用量\n{rows}") == [("A", "B", "2"), ("A", "D", "1"), ("D", "E", "3")]
    assert notes(f"层级|物料编码|总用量\n{rows}") == {"bom.total_quantity": [4]}
    assert notes(f"层级|物料编码|用量\n{rows}") == {}


def test_phantoms_are_parts() -> None:
    content = "层级|物料编码|用量|虚拟件\n0|A|1|否\n1|P|1|是\n2|B|2|否"
    assert lines(content) == [("A", "P", "1"), ("P", "B", "2")]
    assert notes(content) == {"bom.phantom": [3]}


@pytest.mark.parametrize(
    "content",
    [
        "物料编码|名称|数量\nA|a|1\nB|b|2",
        "序号|物料编码|名称|数量\n1|A|a|1\n2|B|b|2",
        "层级|备注\n0|a\n1|b",
        "维修单号|物料编码|累计工作时间|级别\nW1|A|100|1\nW2|B|200|2",
        "父件编码|子件编码|用量\nA|B|1",
        "物料编码|名称|数量\nA|a|1\nB| b|2\nC|c|2",
    ],
    ids=["parts", "running", "no-parts", "repairs", "plain", "stray"],
)
def test_other_sheets_stay_what_they_are(content: str) -> None:
    given = table(content)
    assert bom.expanded(given) == [given]


def test_a_bill_is_loaded_as_lines_and_parts(workspace: Workspace, tmp_path: Path) -> None:
    take(workspace, tmp_path, "parts.csv", "number,issuer,name_zh,part_class\nB,S1,已有名称,bearing\n", by="S1")
    path = text(tmp_path, "结构.csv", "层级,物料编码,物料名称,用量,单位\n0,A,整机,1,台\n1,B,轴承,2,套\n2,M,脂,0.5,kg\n")
    report = load(workspace, [path], by="S1")
    assert codes(report) == []
    assert [(c["kind"], c["new"], c["same"]) for c in report.count_rows()] == [("part", 2, 1), ("contains", 2, 0)]
    view = workspace.view("S1")
    assert view.table("contains").select("parent", "child", "quantity", "unit").sort("child").rows() == [
        ("S1/A", "S1/B", 2.0, "套"), ("S1/B", "S1/M", 0.5, "kg"),
    ]  # fmt: skip
    assert view.table("part").select("number", "name_zh", "part_class").sort("number").rows() == [
        ("A", "整机", None), ("B", "已有名称", "bearing"), ("M", "脂", None),
    ]  # fmt: skip
    again = load(workspace, [path], by="S1")
    assert (again.total.new, again.total.changed, again.revision) == (0, 0, None)


def test_a_bill_comes_back_with_its_mistakes_marked(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    xlsx(path, {"BOM": Sheet([["层级", "物料编码", "用量"], [0, "A", 1], [1, "B", "两"]])})
    looked = look(workspace, [path], by="S1")
    assert [(f.code, f.row, f.column, f.value) for f in looked.report.findings if f.severity == "error"] == [
        ("value.number", 3, "用量", "两")
    ]
    book = load_workbook(io.BytesIO(marked(looked, path)))
    assert [
        c.coordinate for row in book["BOM"].iter_rows() for c in row if c.comment and "不是数字" in c.comment.text
    ] == ["C3"]


def test_what_somebody_decided_about_is_no_bill(workspace: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "x.csv", "层级,物料编码,物料名称,用量\n0,A,整机,1\n1,B,轴承,2\n")
    looked = look(workspace, [path], by="S1", decisions={"x.csv": SheetDecisions(kind="part")})
    assert [(s.table.name, s.source is not None) for s in looked.opened.sheets] == [("x.csv", True)]


def test_a_cycle_is_the_rules_business(workspace: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "结构.csv", "层级,物料编码,用量\n0,A,1\n1,B,1\n2,A,1\n")
    report = load(workspace, [path], by="S1")
    assert {f.code for f in report.findings if f.severity == "error"} == {"contains.cycle"}
