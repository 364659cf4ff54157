"""What a file leaves open is asked once, with the cells in doubt; what its cells settle is said and not asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaingraph import ChaingraphError, Workspace
from ingest import SheetDecisions
from ingest.beside import Beside
from ingest.decisions import ASIDE, Memory, Option, Question, check
from ingest.headers import detect
from ingest.load import Looked, load, look
from ingest.preview import preview
from ingest.questions import asked_about
from ingest.reading import Table
from ingest.report import Report
from ingest.sheets import Loader, Source, typed
from schema.text import Text
from tests.ingest.files import codes, copied, shared, take, text, workbook

CELLS = st.sampled_from(
    ["A1", "失效", "500h", "1.2万", "25", "0.25", "-3", "0", "1/h", "FIT", "失效率", "3/1/2025", "25.3.1", "45717",
     "1900-01-01", "2025年3月", "#REF!", "/", "无", "≥5", "100-200", "1e300", "99/99/9999", "00.00.00", "13812345678"]
)  # fmt: skip


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store: S1 makes bearings that last some 20,000 hours and tyres that count kilometres."""
    tmp_path = tmp_path_factory.mktemp("stock")
    with Workspace.open(f"sqlite:///{tmp_path}/store/graph.db") as workspace:
        parts = "物料编码,名称,类别,寿命单位\nA1,轴承,bearing,\nA2,轴承二,bearing,\nT1,轮胎,tyre,km\n"
        take(workspace, tmp_path, "parts.csv", parts, by="S1")
        ages = "".join(f"A1,失效,{age}\n" for age in (18000, 20000, 22000))
        take(workspace, tmp_path, "lives.csv", "物料编码,失效标识,运行时间(h)\n" + ages, by="S1")
    return tmp_path / "store"


@pytest.fixture
def stocked(stock: Path, tmp_path: Path) -> Iterator[Workspace]:
    with copied(stock, tmp_path) as workspace:
        yield workspace


def seen(
    workspace: Workspace, path: Path, by: str | None = "S1", kind: str | None = None, **answers: str
) -> tuple[dict[str, Question], Looked]:
    """The questions about one file by id, and what it would do; `__` stands for a colon in the names of answers."""
    given = SheetDecisions(kind=kind, answers={name.replace("__", ":"): value for name, value in answers.items()})
    looked = look(workspace, [path], by=by, decisions={path.name: given})
    (sheet,) = looked.opened.sheets
    return {each.id: each for each in sheet.questions}, looked


def taken(looked: Looked, kind: str = "life_record") -> pl.DataFrame:
    return looked.put.get(kind, pl.DataFrame())


def lives(tmp_path: Path, *rows: str, age: str = "age(h)") -> Path:
    return text(tmp_path, "life_records.csv", "\n".join([f"物料编码,失效标识,{age},故障日期", *rows]) + "\n")


# kinds


def test_a_sheet_that_two_kinds_fit_is_asked_about(stocked: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "数据.csv", "物料编码,备注一,备注二,备注三,名称,备注四\nA9,x,y,z,轴承,w\n")
    asked, looked = seen(stocked, path)
    assert "part" in [option.value for option in asked["kind"].options]
    assert not asked["kind"].required
    assert looked.report.total.raw == 1
    _, answered = seen(stocked, path, kind="part")
    assert taken(answered, "part")["key"].to_list() == ["S1/A9"]


def test_the_answer_about_the_kind_is_the_kind() -> None:
    assert SheetDecisions(answers={"kind": "part", "event": "failure"}) == SheetDecisions(
        kind="part", answers={"event": "failure"}
    )
    with pytest.raises(ValueError, match="differ"):
        SheetDecisions(kind="lot", answers={"kind": "part"})


# units


def test_the_unit_of_ages_that_nothing_says_is_asked_and_required(stocked: Workspace, tmp_path: Path) -> None:
    path = lives(tmp_path, "A1,失效,9000,", age="寿命值")
    decided = SheetDecisions(kind="life_record", columns={"2": "age"})
    looked = look(stocked, [path], by="S1", decisions={path.name: decided})
    (question,) = looked.opened.sheets[0].questions
    assert (question.id, question.column, question.examples, question.required) == ("unit:2", "寿命值", ("9000",), True)
    assert codes(looked.report) == [("question.open", None, "寿命值", None)]
    assert not looked.put
    for answer, age, unit in (("h", 9000.0, "h"), ("万公里", 9e7, "km"), ("years", 108_000.0, "months")):
        said = decided.model_copy(update={"answers": {"unit:2": answer}})
        rows = taken(look(stocked, [path], by="S1", decisions={path.name: said}))
        assert rows.select("age", "unit").rows() == [(age, unit)]


@pytest.mark.parametrize(
    ("header", "row", "age", "unit"),
    [
        ("物料编码,失效标识,age(h)", "A1,失效,9000", 9000.0, "h"),
        ("物料编码,失效标识,age(年)", "A1,失效,2", 24.0, "months"),
        ("物料编码,失效标识,运行时间", "A1,失效,9000", 9000.0, "h"),
        ("物料编码,失效标识,age,寿命单位", "A1,失效,9000,公里", 9000.0, "km"),
        ("物料编码,失效标识,寿命 age", "T1,失效,9000", 9000.0, None),
        ("物料编码,失效标识,age", "A1,失效,9000", 9000.0, None),
    ],
    ids=["heading", "years in the heading", "name of the heading", "column", "the part's own", "data dictionary"],
)
def test_the_unit_is_not_asked_where_something_says_it(
    stocked: Workspace, tmp_path: Path, header: str, row: str, age: float, unit: str | None
) -> None:
    path = text(tmp_path, "life_records.csv", f"{header}\n{row}\n")
    decided = SheetDecisions(columns={"2": "age"})
    looked = look(stocked, [path], by="S1", decisions={path.name: decided})
    assert looked.opened.sheets[0].questions == ()
    assert taken(looked).select("age", "unit").rows() == [(age, unit)]


def test_cells_that_all_say_their_unit_settle_it(stocked: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "life_records.csv", "物料编码,失效标识,寿命值\nA1,失效,500h\nA1,在用,1.2万小时\n")
    decided = SheetDecisions(columns={"2": "age"})
    looked = look(stocked, [path], by="S1", decisions={path.name: decided})
    assert looked.opened.sheets[0].questions == ()
    assert sorted(taken(looked).select("age", "unit").rows()) == [(500.0, "h"), (12000.0, "h")]
    assert "column.unit_settled" in {f.code for f in looked.report.findings}


def test_the_duration_of_tests_and_declared_values_have_units_too(stocked: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "reliability_tests.csv", "物料编码,试验项目,样本数,试验时间,失效数\nA1,HTOL,77,1000,0\n")
    assert list(seen(stocked, path)[0]) == ["unit:3"]
    rows = taken(seen(stocked, path, unit__3="h")[1], "reliability_test")
    assert rows.select("duration", "unit").rows() == [(1000.0, "h")]
    path = text(tmp_path, "declared_values.csv", "物料编码,指标,声明值\nA1,失效率,120\n")
    asked, _ = seen(stocked, path)
    assert [option.value for option in asked["unit:2"].options] == ["1/h", "FIT", "fpmh", "%/1000h"]
    rows = taken(seen(stocked, path, unit__2="FIT")[1], "declared_value")
    assert rows.select("value", "unit").rows() == [(120.0, "FIT")]


# days


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        (("3/1/2025", "4/2/2025"), ["dmy", "mdy", "none"]),
        (("01-03-25",), ["ymd", "dmy", "mdy", "none"]),
        (("25.3.1", "24.12.31"), None),
        (("3/1/2025", "25/3/2025"), None),
    ],
    ids=["day or month", "all three", "years first", "one cell settles it"],
)
def test_the_order_of_days(
    stocked: Workspace, tmp_path: Path, cells: tuple[str, ...], options: list[str] | None
) -> None:
    path = lives(tmp_path, *(f"A1,失效,{i},{cell}" for i, cell in enumerate(cells, 1)))
    asked, looked = seen(stocked, path)
    if options is None:
        assert asked == {}
        (said,) = [f for f in looked.report.findings if f.code == "column.dates_settled"]
        assert said.value == {"25.3.1": "25.3.1", "3/1/2025": "25/3/2025"}[cells[0]]
        assert taken(looked)["observed_on"].null_count() == 0
        return
    assert [option.value for option in asked["dates:3"].options] == options
    assert asked["dates:3"].examples == cells
    assert not looked.put


def test_the_answer_about_the_order_is_applied(stocked: Workspace, tmp_path: Path) -> None:
    path = lives(tmp_path, "A1,失效,1,3/1/2025", "A1,失效,2,2025年3月5日")
    for order, day in (("dmy", dt.date(2025, 1, 3)), ("mdy", dt.date(2025, 3, 1))):
        rows = taken(seen(stocked, path, dates__3=order)[1]).sort("age")
        assert rows["observed_on"].to_list() == [day, dt.date(2025, 3, 5)]
    _, none = seen(stocked, path, dates__3="none")
    assert codes(none.report) == [("value.date", 2, "故障日期", "3/1/2025")]
    assert seen(stocked, path, dates__3="ymd")[0]["dates:3"].answer is None


def test_day_numbers_in_text_files(stocked: Workspace, tmp_path: Path) -> None:
    path = lives(tmp_path, "A1,失效,1,45717")
    asked, looked = seen(stocked, path)
    assert (
        asked["serials:3"].text.en
        == "Are the numbers in 故障日期 the day numbers of a spreadsheet (45717 is 2025-03-01)?"
    )
    assert not looked.put
    assert taken(seen(stocked, path, serials__3="excel")[1])["observed_on"].to_list() == [dt.date(2025, 3, 1)]
    assert codes(seen(stocked, path, serials__3="none")[1].report) == [("value.date", 2, "故障日期", "45717")]


def test_days_before_1990_are_refused_until_somebody_says_that_they_are_right(
    stocked: Workspace, tmp_path: Path
) -> None:
    path = lives(tmp_path, "A1,失效,1,1900-01-01", "A1,失效,2,2025-03-01")
    asked, looked = seen(stocked, path)
    assert (asked["sure:dates:3"].required, asked["sure:dates:3"].examples) == (False, ("1900-01-01",))
    assert codes(looked.report) == [("value.date_doubtful", 2, "故障日期", "1900-01-01")]
    assert taken(looked)["age"].to_list() == [2.0]
    assert taken(seen(stocked, path, sure__dates__3="keep")[1])["observed_on"].to_list() == [
        dt.date(1900, 1, 1), dt.date(2025, 3, 1),
    ]  # fmt: skip
    assert taken(seen(stocked, path, sure__dates__3="empty")[1])["observed_on"].to_list() == [
        None, dt.date(2025, 3, 1),
    ]  # fmt: skip


def test_a_month_is_its_first_day_only_where_the_field_says_so(stocked: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "inspections.csv", "物料编码,检验月份,不合格数\nA1,2025年3月,0\nA1,202504,1\nA1,2025-05,2\n")
    found = taken(seen(stocked, path)[1], "inspection")["inspected_on"].sort().to_list()
    assert found == [dt.date(2025, month, 1) for month in (3, 4, 5)]
    report = seen(stocked, lives(tmp_path, "A1,失效,1,2025年3月"))[1].report
    assert codes(report) == [("value.date", 2, "故障日期", "2025年3月")]


# what is hardly meant


def test_rates_in_the_wrong_unit_need_a_yes_or_the_right_one(stocked: Workspace, tmp_path: Path) -> None:
    path = text(
        tmp_path, "declared_values.csv", "物料编码,指标,声明值,单位\nA1,失效率,120,1/h\nA2,失效率,0.0000001,1/h\n"
    )
    asked, looked = seen(stocked, path)
    assert [option.value for option in asked["sure:rate:2"].options] == ["keep", "FIT", "fpmh"]
    assert asked["sure:rate:2"].examples == ("120",)
    assert not looked.put
    rows = taken(seen(stocked, path, sure__rate__2="FIT")[1], "declared_value").sort("part")
    assert rows.select("value", "unit").rows() == [(120.0, "FIT"), (1e-7, "1/h")]
    rows = taken(seen(stocked, path, sure__rate__2="keep")[1], "declared_value").sort("part")
    assert rows["unit"].to_list() == ["1/h", "1/h"]


@pytest.mark.parametrize(("answer", "age"), [("keep", 3.0), ("years", 3 * 8760.0), ("thousands", 3000.0)])
def test_years_where_hours_are_known_need_an_answer(
    stocked: Workspace, tmp_path: Path, answer: str, age: float
) -> None:
    path = lives(tmp_path, *(f"A2,失效,{years}," for years in (3, 4, 5, 6, 7)))
    asked, looked = seen(stocked, path)
    assert "above 20000 hours" in asked["sure:age:2"].text.en
    assert not looked.put
    assert taken(seen(stocked, path, sure__age__2=answer)[1])["age"].min() == age


def test_young_ages_are_not_doubted_where_nothing_else_is_known(stocked: Workspace, tmp_path: Path) -> None:
    path = lives(tmp_path, *(f"T1,失效,{km}," for km in (3, 4, 5, 6, 7)))
    assert seen(stocked, path)[0] == {}


@pytest.mark.parametrize(
    ("heading", "cells", "answer", "shares"),
    [
        ("供货比例", ("60", "40"), "percent", [0.4, 0.6]),
        ("供货比例(%)", ("0.6", "0.4"), "percent", [0.004, 0.006]),
        ("供货比例(%)", ("0.6", "0.4"), "fraction", [0.4, 0.6]),
        ("供货比例(%)", ("60", "40"), None, [0.4, 0.6]),
        ("供货比例", ("0.6", "40%"), None, [0.4, 0.6]),
    ],
    ids=["adds to 100", "small percentages", "fractions below %", "percentages", "both plain"],
)
def test_shares(
    stocked: Workspace, tmp_path: Path, heading: str, cells: tuple[str, str], answer: str | None, shares: list[float]
) -> None:
    path = text(tmp_path, "supplies.csv", f"物料编码,供应商代码,{heading}\nA1,X1,{cells[0]}\nA1,X2,{cells[1]}\n")
    asked, looked = seen(stocked, path)
    assert list(asked) == ([] if answer is None else ["sure:share:2"])
    if answer is not None:
        assert not looked.put
        looked = seen(stocked, path, sure__share__2=answer)[1]
    assert taken(looked, "supplies")["share"].sort().to_list() == pytest.approx(shares)


def test_a_ppm_that_is_not_what_the_numbers_say_is_reported(stocked: Workspace, tmp_path: Path) -> None:
    path = text(
        tmp_path, "inspections.csv",
        "物料编码,检验单号,检测数量,不合格数,PPM\nA1,1,80,2,25000\nA1,2,80,2,2500\nA1,3,3,1,333333\nA1,4,0,0,5\n",
    )  # fmt: skip
    report = seen(stocked, path)[1].report
    assert codes(report) == [("inspection.ppm", 3, "PPM", "2500.0")]
    assert report.total.new == 4


def test_a_file_of_another_firms_parts_needs_a_yes(stocked: Workspace, tmp_path: Path) -> None:
    path = lives(tmp_path, "A1,失效,100,", *(f"B{i},失效,{i}," for i in range(6)))
    asked, looked = seen(stocked, path)
    assert asked["sure:parts"].text.en.startswith("6 of 7 part numbers are neither yours nor known: B0, B1, ")
    assert not looked.put
    assert taken(seen(stocked, path, sure__parts="keep")[1]).height == 7
    parts = text(tmp_path, "parts.csv", "物料编码\n" + "".join(f"B{i}\n" for i in range(6)))
    both = look(stocked, [parts, path], by="S1")
    assert all(not sheet.questions for sheet in both.opened.sheets)


def test_who_has_no_parts_yet_is_not_asked_whose_they_are(stocked: Workspace, tmp_path: Path) -> None:
    path = lives(tmp_path, *(f"B{i},失效,{i + 100}," for i in range(6)))
    assert seen(stocked, path, by="S9")[0] == {}


# values of the whole sheet


def test_a_log_of_one_product_is_taken_with_one_answer(stocked: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "维修.csv", "故障日期,故障现象,运行时间(h)\n2025-03-01,异响,100\n2025-03-02,漏油,200\n")
    asked, _ = seen(stocked, path)
    assert "life_record" in [option.value for option in asked["kind"].options]
    asked, looked = seen(stocked, path, kind="life_record")
    question = asked["value:part"]
    assert (question.free, [option.value for option in question.options]) == (True, ["S1/A1", "S1/A2", "S1/T1"])
    assert [code for code, *_ in codes(looked.report)] == ["column.missing"]
    assert [field.name for field in preview(looked).sheets[0].missing] == ["part"]
    for answer, part in (("S1/A1", "S1/A1"), ("NEW-7", "S1/NEW-7")):
        _, looked = seen(stocked, path, kind="life_record", value__part=answer)
        assert taken(looked)["part"].to_list() == [part, part]
        assert preview(looked).sheets[0].missing == ()
    asked, _ = seen(stocked, path, kind="life_record", value__part="13812345678")
    assert asked["value:part"].answer is None


# persons


@pytest.mark.parametrize("field", ["symptom", "lot", "serial", "id", "region"])
def test_a_column_of_phones_that_is_chosen_by_hand_does_not_get_through(
    stocked: Workspace, tmp_path: Path, field: str
) -> None:
    path = text(tmp_path, "life_records.csv", "物料编码,失效标识,运行时间(h),回访\nA1,失效,5,13812345678\n")
    load(stocked, [path], by="S1", decisions={path.name: SheetDecisions(columns={"3": field})})
    stored = [str(rows.to_dicts()) for rows in map(stocked.snapshot().table, ("life_record", "lot", "raw_row"))]
    assert stocked.snapshot().table("life_record").height == 4
    assert not any("13812345678" in each for each in stored)


def test_numbers_in_a_column_of_that_name_stay_what_they_are(stocked: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "life_records.csv", "物料编码,失效标识,运行时间(h),序列号\nA1,失效,5,13812345678\n")
    assert taken(seen(stocked, path)[1])["serial"].to_list() == ["13812345678"]


# decisions


def test_units_and_orders_are_remembered_and_what_one_file_says_is_not(stocked: Workspace) -> None:
    memory = Memory(stocked.register, "S1")
    header = {"0": "件", "1": "寿命"}
    answers = {"unit:1": "h", "dates:2": "dmy", "sure:age:1": "keep", "value:part": "A1"}
    memory.keep(header, SheetDecisions(kind="life_record", columns={"1": "age"}, answers=answers))
    assert memory.recall(header) == SheetDecisions(
        kind="life_record", columns={"1": "age"}, answers={"unit:1": "h", "dates:2": "dmy"}
    )
    assert memory.recall({"1": "件", "2": "寿命"}) == SheetDecisions()


def test_what_is_remembered_answers_the_next_file_of_the_layout(stocked: Workspace, tmp_path: Path) -> None:
    header = {"0": "物料编码", "1": "失效标识", "2": "寿命值", "3": "故障日期"}
    answers = {"unit:2": "h", "dates:3": "dmy"}
    Memory(stocked.register, "S1").keep(header, SheetDecisions(columns={"2": "age"}, answers=answers))
    looked = look(stocked, [lives(tmp_path, "A1,失效,9000,3/1/2025", age="寿命值")], by="S1")
    assert {each.id: each.answer for each in looked.opened.sheets[0].questions} == answers
    assert taken(looked).select("age", "unit", "observed_on").rows() == [(9000.0, "h", dt.date(2025, 1, 3))]
    other = look(stocked, [lives(tmp_path, "A1,失效,9000,3/25/2025", age="寿命值")], by="S1")
    assert taken(other)["observed_on"].to_list() == [dt.date(2025, 3, 25)]  # which only one order has


@pytest.mark.parametrize(
    ("kept", "left", "said"),
    [
        ({"kind": "gone", "columns": {"0": "part"}}, SheetDecisions(), "gone"),
        ({"columns": {"0": "gone", "1": "age"}}, SheetDecisions(columns={"1": "age"}), "gone"),
        ({"unknown": 1}, SheetDecisions(), "–"),
    ],
    ids=["kind", "field", "another version"],
)
def test_what_is_remembered_and_is_no_longer_is_left_out_and_said(
    stocked: Workspace, tmp_path: Path, kept: Mapping[str, object], left: SheetDecisions, said: str
) -> None:
    path = text(tmp_path, "life_records.csv", "物料编码,age,event\nA1,5,failure\n")
    header = {"0": "物料编码", "1": "age", "2": "event"}
    memory = Memory(stocked.register, "S1")
    memory.keep(header, SheetDecisions(columns={"0": ASIDE}))
    ((name, _),) = stocked.register.all("layouts")
    stocked.register.put("layouts", name, {"take": True, "answers": {}, **kept})
    assert memory.recall(header) == left
    report = load(stocked, [path], by="S1")
    assert [f.value for f in report.findings if f.code == "decisions.outdated"] == [said]
    assert report.total.new == 1


@pytest.mark.parametrize(
    "decided",
    [
        {"other.csv": {}},
        {"x.csv": {"kind": "nothing"}},
        {"x.csv": {"kind": "part", "columns": {"9": "number"}}},
        {"x.csv": {"kind": "part", "columns": {"0": "age"}}},
        {"x.csv": {"columns": {"0": "stub"}}},
        {"x.csv": {"answers": {"event": "perhaps"}}},
    ],
    ids=["sheet", "kind", "position", "field of another kind", "field that nobody gives", "answer"],
)
def test_decisions_that_cannot_be_meant_are_refused(decided: dict[str, dict[str, object]]) -> None:
    headers = {"x.csv": {"0": "件", "1": "寿命"}}
    asked = {"x.csv": [Question("event", Text("", ""), (Option("failure", Text("", "")),))]}
    given = {name: SheetDecisions.model_validate(each) for name, each in decided.items()}
    with pytest.raises(ChaingraphError, match=r"decisions\.invalid"):
        check(given, headers, asked)
    check({"x.csv": SheetDecisions(columns={"0": "part", "1": ASIDE}, answers={"event": "failure"})}, headers, asked)


def test_workbooks_are_not_asked_about_day_numbers(stocked: Workspace, tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "life.xlsx",
        {"life_records": [["物料编码", "失效标识", "age", "故障日期"], ["A1", "失效", 5, 45717]]},
    )
    looked = look(stocked, [path], by="S1")
    assert looked.opened.sheets[0].questions == ()
    assert taken(looked)["observed_on"].to_list() == [dt.date(2025, 3, 1)]


def test_formula_errors_and_ranges_say_what_they_are(stocked: Workspace, tmp_path: Path) -> None:
    path = lives(tmp_path, "#REF!,失效,5,", "A1,失效,100-200,", "A1,失效,≥500,", "A1,失效,1/3,", "A1,失效,2h30min,")
    report: Report = seen(stocked, path)[1].report
    assert codes(report)[:4] == [
        ("value.formula_error", 2, "物料编码", "#REF!"), ("value.inexact", 3, "age(h)", "100-200"),
        ("value.inexact", 4, "age(h)", "≥500"), ("value.number", 5, "age(h)", "1/3"),
    ]  # fmt: skip
    assert report.total.new == 1


def test_what_stands_for_nothing_names_nothing(stocked: Workspace, tmp_path: Path) -> None:
    path = text(tmp_path, "life_records.csv", "物料编码,失效标识,age,生产厂家,批次号,故障现象\nA1,失效,5,/,无,N/A\n")
    looked = seen(stocked, path)[1]
    assert taken(looked).select("maker", "lot", "symptom").rows() == [(None, None, None)]
    assert set(looked.put) == {"life_record", "upload"}


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("life_record", "物料编码,失效标识,age(h),故障日期,序列号"),
        ("declared_value", "物料编码,指标,声明值,单位,置信度"),
        ("supplies", "物料编码,供应商代码,供货比例(%),生效日期,交期"),
        ("inspection", "物料编码,检验日期,检测数量,不合格数,PPM"),
    ],
)
@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.lists(st.one_of(CELLS, st.text(max_size=8)), min_size=5, max_size=5), min_size=1, max_size=8))
def test_no_cell_breaks_a_question_or_an_answer(kind: str, columns: str, rows: list[list[str]]) -> None:
    """Whatever is in the cells, and whichever answers are given: every row is there, and nothing breaks."""
    header = {str(i): heading for i, heading in enumerate(columns.split(","))}
    cells = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row").with_row_index("row", offset=2)
    nothing = pl.DataFrame(schema={"row": pl.Int64, "value": pl.String})
    table = Table("x.csv", None, "utf-8", False, header, cells.with_columns(pl.col("row").cast(pl.Int64)), 1, nothing)
    found = detect(header, [], kind)
    asked = asked_about(table, found, SheetDecisions(), Beside())
    for at in (0, -1):
        answers = {each.id: each.options[at].value for each in asked.questions if each.options}
        again = asked_about(table, found, SheetDecisions(answers=answers), Beside())
        assert set(answers) <= set(again.answers)
        source = Source(0, table, "", found.reading, answers=again.answers)
        assert typed(source, Loader("S1", administrator=False, secret=b"x"), Report()).height == len(rows)


def test_everything_is_as_it_was_for_who_shares_all(stocked: Workspace, tmp_path: Path) -> None:
    shared(stocked, "S1")
    path = lives(tmp_path, "S1/A1,失效,5,2025-03-01")
    assert seen(stocked, path, by="S2")[0] == {}
