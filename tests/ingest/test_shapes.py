"""Return matrices, claims, totals and tests: recognised by their headings, read as columns, refused row by row."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from chaingraph.errors import ChaingraphError
from ingest import lives
from ingest.headers import fold, names_of
from ingest.shape_sheets import SHEETS
from ingest.shapes import Shaped, month_name, month_of, read
from tests.ingest.files import text, workbook

MARCH = 2024 * 12 + 2


def shaped(folder: Path, content: str, **how: object) -> Shaped:
    return read(text(folder, "file.csv", content), **how)  # type: ignore[arg-type]


def told(of: Shaped) -> list[tuple[str, int | None, str | None, str | None]]:
    return [(f.code, f.row, f.column, f.value) for f in of.findings]


def test_no_name_means_two_columns_of_a_sheet() -> None:
    clashes = [
        (sheet.name, spelling, field.name)
        for sheet in SHEETS.values()
        for field in sheet.fields.values()
        for spelling in field.spellings
        if names_of(sheet)[fold(spelling)].name != field.name
    ]
    assert not clashes


@pytest.mark.parametrize(
    "heading", ["2024-03", "2024/3", "2024年3月", "202403", "2024.03", "2024-03-01 00:00:00", "Mar-24", "March 2024"]
)
def test_months(heading: str) -> None:
    assert month_of(heading) == MARCH
    assert month_name(MARCH) == "2024-03"


@pytest.mark.parametrize("heading", ["2024-13", "3月", "24-03", "1899-01", "age", "2024", "Foo-24"])
def test_what_is_no_month(heading: str) -> None:
    assert month_of(heading) is None


def test_a_matrix_of_months(tmp_path: Path) -> None:
    found = shaped(tmp_path, "发货月份,发货数量,2024-03,2024年4月,202405\n2024-02,100,3,,5\n2024年3月,140,,2,\n")
    assert (found.shape, found.by, found.end) == ("returns", (), MARCH + 2)
    assert found.frame.sort("row", "age").select("row", "month", "age", "count").rows() == [
        (2, MARCH - 1, 1, 3), (2, MARCH - 1, 3, 5), (3, MARCH, 1, 2),
    ]  # fmt: skip
    assert found.sold is not None
    assert found.sold.rows() == [(2, MARCH - 1, 100), (3, MARCH, 140)]
    earlier = shaped(tmp_path, "发货月份,发货数量,2024-03,2024-04\n2024-02,100,3,4\n", until=MARCH)
    assert earlier.frame["age"].to_list() == [1]


def test_a_matrix_of_months_in_service(tmp_path: Path) -> None:
    found = shaped(
        tmp_path, "part,maker,sold month,sold,MIS 0,MIS 1,MIS 2\nA,M,2024-03,10,0,1,2\nA,M,2024-04,10,0,0,\n"
    )
    assert (found.shape, found.by, found.end) == ("returns", ("part", "maker"), MARCH + 2)
    assert found.frame.select("part", "month", "age", "count").rows() == [("A", MARCH, 1, 1), ("A", MARCH, 2, 2)]


def test_rows_of_a_matrix_that_cannot_be(tmp_path: Path) -> None:
    found = shaped(
        tmp_path,
        "month,shipped,2024-03,2024-04\n2024-03,10,1,2\n2024-04,10,1,0\n2024-03,10,-1,0\n2024-03,10,1.5,0\n2024-03,x,1,0\n",
    )
    assert found.frame["row"].unique().to_list() == [2]
    assert sorted(told(found)) == [
        ("row.before_sale", 3, "sold_on", "1"),
        ("value.count", 4, "2024-03", "-1"),
        ("value.count", 5, "2024-03", "1.5"),
        ("value.integer", 6, "shipped", "x"),
    ]


def test_claims_with_what_was_sold_in_another_file(tmp_path: Path) -> None:
    sold = text(tmp_path, "sold.csv", "part,shipped_on,quantity\nA,2024-03-01,100\nA,2024-06-01,100\n")
    found = shaped(
        tmp_path,
        "part,sold_on,failed_on,reported_on,mode\nA,2024-03-15,2024-03-20,2024-05-02,wear\nA,2024-03,2024-05,2024-05,\n"
        "A,2024-03,2024-02,2024-05,\nA,2024-03,2024-05,2024-04,\nA,2024-03,,,\n",
        population=sold,
    )
    assert (found.shape, found.by, found.end) == ("claims", ("part",), MARCH + 3)
    assert found.frame.select("row", "month", "age", "count", "delay", "available", "mode").rows() == [
        (2, MARCH, 0, 1, 2, 3, "wear"),
        (3, MARCH, 2, 1, 0, 1, None),
    ]
    assert told(found) == [
        ("claim.before_sale", 4, "failed_on", "2024-02-01"),
        ("claim.before_failure", 5, "reported_on", "2024-04-01"),
        ("claim.no_age", 6, "failed_on", None),
    ]


def test_claims_counted_by_months_in_service_beside_what_was_sold(tmp_path: Path) -> None:
    found = shaped(tmp_path, "销售月份,销量,使用月数,索赔数量\n2024-03,100,0,2\n2024-03,100,3,5\n2024-04,90,1,1\n")
    assert found.end == MARCH + 3
    assert found.sold is not None
    assert found.sold.rows() == [(2, MARCH, 100), (4, MARCH + 1, 90)]
    assert found.frame.select("month", "age", "count").rows() == [(MARCH, 0, 2), (MARCH, 3, 5), (MARCH + 1, 1, 1)]


def test_claims_and_shipments_in_one_workbook(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "claims.xlsx",
        {
            "claims": [["sold_on", "failed_on"], ["2024-03-02", "2024-04-02"]],
            "sold": [["shipped_on", "quantity"], ["2024-03-01", 50]],
        },
    )
    found = read(path)
    assert found.sold is not None
    assert found.sold.select("month", "quantity").rows() == [(MARCH, 50)]
    assert found.frame.select("month", "age").rows() == [(MARCH, 1)]


def test_claims_without_a_population(tmp_path: Path) -> None:
    with pytest.raises(ChaingraphError) as refused:
        shaped(tmp_path, "sold_on,failed_on\n2024-03-02,2024-04-02\n")
    assert refused.value.code == "sheet.no_population"


def test_totals(tmp_path: Path) -> None:
    found = shaped(tmp_path, "月份,台数,月均工作时间(h),失效数\n2024-03,100,500,2\n2024-04,0,500,1\n2024-05,100,,1\n")
    assert found.shape == "totals"
    assert found.frame.select("period", "units", "age", "failures", "unit").rows() == [(MARCH, 100, 500.0, 2, "h")]
    assert [(code, row) for code, row, _, _ in told(found)] == [("totals.no_units", 3), ("totals.exposure", 4)]


def test_tests(tmp_path: Path) -> None:
    found = shaped(
        tmp_path,
        "part,units,test hours,failures,使用温度,试验温度,激活能(eV)\n"
        "A,77,1000,0,55,125,0.7\nA,5,10,6,,,\nA,5,10,1,-300,,\n",
    )
    assert found.shape == "test"
    assert found.frame.drop("row").rows() == [("A", 77, 1000.0, 0, 55.0, 125.0, 0.7)]
    assert sorted((code, row) for code, row, _, _ in told(found)) == [("test.failures", 3), ("value.too_small", 4)]


def test_life_records_stay_what_they_are(tmp_path: Path) -> None:
    found = shaped(tmp_path, "hours,event,failures,units\n100,failure,1,2\n")
    assert found.shape == "records"
    assert found.frame.select("age", "event", "count").rows() == [(100.0, "failure", 2)]
    ages = lives.read(text(tmp_path, "ages.csv", "age\n5\n"))
    assert ages.frame.height == 1


def test_another_shape_is_never_taken_for_life_records(tmp_path: Path) -> None:
    path = text(tmp_path, "totals.csv", "month,units,hours,failures\n2024-03,100,500,2\n")
    with pytest.raises(ChaingraphError) as refused:
        lives.read(path)
    assert refused.value.code == "sheet.convert"
    assert "totals by month" in refused.value.text.en


def test_what_is_said_goes_before_what_headings_tell(tmp_path: Path) -> None:
    found = shaped(tmp_path, "month,units,hours,failures\n2024-03,100,500,2\n", shape="records")
    assert found.frame.select("age", "count", "failures").rows() == [(500.0, 100, "2")]


def test_a_shape_that_is_said_asks_for_its_columns(tmp_path: Path) -> None:
    with pytest.raises(ChaingraphError) as refused:
        shaped(tmp_path, "age,event\n5,failure\n", shape="claims")
    assert refused.value.code == "column.missing"
    with pytest.raises(ChaingraphError) as unknown:
        shaped(tmp_path, "name,colour\nA,red\n")
    assert unknown.value.code == "sheet.shape"


def test_a_wide_matrix_is_columns(tmp_path: Path) -> None:
    months = [month_name(MARCH + i) for i in range(60)]
    frame = pl.DataFrame({"month": months, "shipped": 1000})
    frame = frame.with_columns(pl.Series(m, [int(j <= i) for j in range(60)]) for i, m in enumerate(months))
    path = tmp_path / "wide.csv"
    frame.write_csv(path)
    found = read(path)
    assert found.end == MARCH + 59
    assert found.frame["count"].sum() == 60 * 61 // 2
