"""Columns by exact names, kinds of sheets by their columns; guesses are only suggested."""

from __future__ import annotations

import pytest

from ingest import headers
from ingest.headers import Detection, detect, fold, sheet_kinds, split_unit
from schema import KINDS, kind
from tests.ingest.header_sets import SETS


def found(*headings: str, name: str = "upload") -> Detection:
    return detect({str(i): heading for i, heading in enumerate(headings)}, [name])


def mapped(*headings: str, of: str) -> dict[str, str]:
    read = headers.reading({str(i): heading for i, heading in enumerate(headings)}, kind(of))
    return {column.heading: column.field.name for column in read.columns}


def test_no_name_means_two_fields_of_a_kind() -> None:
    clashes = [
        (each.name, spelling, field.name, other.name)
        for each in sheet_kinds()
        for field in each.fields.values()
        for spelling in field.spellings
        if field.name != "stub" and (other := headers.names_of(each)[fold(spelling)]).name != field.name
    ]
    assert not clashes


def test_width_case_blanks_and_punctuation_do_not_matter() -> None:
    assert mapped("*批 号（必填）", "Part_No.", "ＭＡＫＥＲ", of="lot") == {
        "*批 号（必填）": "code", "Part_No.": "part", "ＭＡＫＥＲ": "maker",
    }  # fmt: skip
    assert mapped("物料编码\nPart No", "供应商代码/vendor code", "生产日期/批号", of="lot") == {
        "物料编码\nPart No": "part", "供应商代码/vendor code": "maker",
    }  # fmt: skip


def test_units_in_brackets_are_kept_apart() -> None:
    assert split_unit("累计运行时间（h）") == ("累计运行时间", "h")
    assert split_unit("行驶里程[万公里]") == ("行驶里程", "万公里")
    assert split_unit("状态(失效/在用)") == ("状态(失效/在用)", None)
    assert split_unit("数量(必填)*") == ("数量", None)


@pytest.mark.parametrize(
    ("heading", "of", "factor", "unit"),
    [
        ("运行时间(min)", "life_record", 1 / 60, "h"),
        ("行驶里程(万公里)", "life_record", 10_000, "km"),
        ("动作次数(万次)", "life_record", 10_000, "cycles"),
        ("停机时间(h)", "life_record", 1, None),
        ("停机时间(天)", "life_record", 24, None),
        ("供货比例(%)", "supplies", 0.01, None),
        ("交期(周)", "supplies", 7, None),
        ("单价(万元)", "supplies", 10_000, None),
    ],
)  # fmt: skip
def test_what_a_unit_does(heading: str, of: str, factor: float, unit: str | None) -> None:
    (column,) = headers.reading({"0": heading}, kind(of)).columns
    assert column.scale.factor == pytest.approx(factor)
    assert column.scale.unit == unit


def test_a_unit_that_does_not_go_with_its_field() -> None:
    read = headers.reading({"0": "交期(km)"}, kind("supplies"))
    assert not read.columns
    assert [(heading, field.name, unit) for heading, field, unit in read.bad_units] == [
        ("交期(km)", "lead_time_days", "km")
    ]


def test_the_kind_by_its_columns() -> None:
    for each, headings in {
        "part": ("物料编码", "名称", "五基类别"),
        "contains": ("父件编码", "子件编码", "用量"),
        "supplies": ("物料编码", "供应商代码", "供货比例", "交期"),
        "lot": ("物料编码", "供应商代码", "批号", "生产日期"),
        "life_record": ("图号", "批号", "累计工作时间", "失效标识"),
        "declared_value": ("物料编码", "指标", "声明值", "单位"),
    }.items():
        read = found(*headings).reading
        assert read is not None, each
        assert read.kind.name == each


def test_a_file_named_after_a_sheet_is_that_sheet() -> None:
    named = found("a", "b", name="Life Records")
    assert named.by == "name"
    assert named.reading is not None
    assert named.reading.kind.name == "life_record"
    assert {field.name for field in named.reading.missing} == {"part", "age"}


def test_nothing_is_guessed() -> None:
    assert found("数量", "编号", "备注").reading is None
    few = found("物料编码", "供应商代码", "批号", "颜色", "光泽", "气味", "口感", "手感")
    assert few.reading is None
    assert few.closest[0].kind.name == "lot"


def test_suggestions_are_not_applied() -> None:
    read = headers.reading({"0": "物料编码", "1": "供货比例值", "2": "供应商代码"}, kind("supplies"))
    assert dict(read.unmapped) == {"1": "供货比例值"}
    assert read.suggestions("供货比例值")[0].name == "share"


def test_index_owner_and_second_columns() -> None:
    read = headers.reading({"0": "序号", "1": "owner", "2": "物料编码", "3": "料号", "4": "联系电话"}, kind("part"))
    assert read.owner == "1"
    assert [(heading, first.heading) for _, heading, first in read.twice] == [("料号", "物料编码")]
    assert dict(read.personal) == {"4": "联系电话"}
    assert not read.unmapped


@pytest.mark.parametrize("heading", ["序号", "行号", "顺序号", "No.", "Row No.", "#", "序号(必填)", "No./序号"])
@pytest.mark.parametrize("name", [each.name for each in sheet_kinds()])
def test_a_running_number_is_neither_a_field_nor_kept(heading: str, name: str) -> None:
    read = headers.reading({"0": heading}, kind(name))
    assert (read.columns, dict(read.unmapped)) == ((), {})
    assert headers.recognised(heading)


def test_every_label_of_every_kind_is_recognised() -> None:
    unknown = [
        label
        for each in sheet_kinds()
        for field in each.fields.values()
        if field.name != "stub"
        for label in (field.label.zh, field.label.en)
        if not headers.recognised(label)
    ]
    assert not unknown
    assert KINDS


def test_invented_sheets_are_what_they_say_or_nothing_is_said() -> None:
    found_kinds = []
    for want, name, headings in SETS:
        read = found(*headings.split(";"), name=name).reading
        found_kinds.append((want, read.kind.name if read else None))
    wrong = [(want, got) for want, got in found_kinds if got not in {want, None}]
    assert wrong == []
    assert sum(want == got for want, got in found_kinds) >= 0.95 * len(found_kinds)


def test_a_name_settles_what_columns_leave_open_but_never_against_them() -> None:
    headings = ("报告编号", "供应商", "料号", "问题描述", "临时措施", "状态")
    assert found("物料编码", "供应商代码", "不合格数").reading is None
    both = ("物料编码", "供应商代码", "客户代码", "生效日期")
    assert found(*both).reading is None
    assert {"supplies", "approval"} <= {each.kind.name for each in found(*both).closest}
    named = found(*both, name="合格供方名录").reading
    assert named is not None
    assert named.kind.name == "approval"
    assert found("物料编码", "名称", "五基类别", name="8D报告").reading is not None
    read = found(*headings, name="8D").reading
    assert read is not None
    assert read.kind.name == "problem"


def test_levels_of_bills_are_headings() -> None:
    assert [headers.is_level(each) for each in ("层级", "BOM Level", "层次/Level", "等级")] == [True, True, True, False]
    assert [headers.level_of(each) for each in ("一级", "第2层", "Level 3", "二级料号", "一级供应商")] == [
        1,
        2,
        3,
        2,
        None,
    ]
