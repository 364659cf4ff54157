"""`chaingraph forecast`: of a file of lives, of another fleet, of a part in the store."""

from __future__ import annotations

import csv
import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.analytics.published import examples
from tests.server.cli import Call


@pytest.fixture
def cage(tmp_path: Path) -> Path:
    """The bearing cages of Abernethy's handbook: 1,697 alive, 6 failed."""
    data = examples("fits")["weibull-bearing-cage-lr-b10"]["data"]
    return written(
        tmp_path / "cage.csv",
        ["age", "event", "count"],
        zip(*(data[c] for c in ("age", "event", "count")), strict=True),
    )


@pytest.fixture
def demo_call(demo_store: Path, tmp_path: Path) -> Call:
    """The command line on a copy of the demo."""
    shutil.copytree(demo_store, tmp_path / "demo")
    return Call(f"sqlite:///{tmp_path / 'demo' / 'demo.db'}")


def written(to: Path, headings: list[str], rows: Any) -> Path:
    with to.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([headings, *rows])
    return to


def asked(call: Call, *words: str) -> dict[str, Any]:
    result = call("forecast", *words, "--format", "json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def codes(of: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in of["warnings"]]


def test_a_file_is_fitted_and_what_is_alive_in_it_is_the_fleet(call: Call, cage: Path) -> None:
    found = asked(call, str(cage), "--use-per-month", "25")
    assert list(found)[:3] == ["months", "total", "spares"]
    assert len(found["months"]) == 12
    assert list(found["months"][0]) == ["month", "at_risk", "expected", "low", "high", "cumulative"]
    assert found["units"] == 1697
    assert found["model"]["parameters"]["beta"] == pytest.approx(2.0353, abs=1e-4)
    assert found["total"]["expected"] == pytest.approx(5.058, abs=5e-4)
    assert found["months"][-1]["cumulative"] == found["total"]
    assert found["total"]["low"] <= 2
    assert found["total"]["high"] >= 9
    assert found["spares"]["probability"] == 0.95
    assert found["spares"]["stock"] >= 9
    assert codes(found) == ["few_failures", "extrapolated"]


def test_another_fleet_in_place_of_the_records(call: Call, cage: Path, tmp_path: Path) -> None:
    fleet = written(
        tmp_path / "fleet.csv", ["age", "count", "use_per_month", "start"], [[1000, 200, 50, ""], [0, 90, "", 2]]
    )
    found = asked(call, str(cage), "--fleet", str(fleet), "--use-per-month", "25", "--months", "6")
    assert found["units"] == 290
    assert [month["at_risk"] for month in found["months"]][:3] == pytest.approx([200, 200, 290], abs=1)
    eta, beta = (found["model"]["parameters"][name] for name in ("eta", "beta"))

    def h(age: float) -> float:
        return float((age / eta) ** beta)

    by_hand = 200 * -np.expm1(h(1000) - h(1300)) + 90 * -np.expm1(-h(100))
    assert found["total"]["expected"] == pytest.approx(by_hand, rel=1e-6)


def test_a_fleet_that_cannot_be_is_refused_by_column_and_cell(call: Call, cage: Path, tmp_path: Path) -> None:
    for column, cell in (("start", "-1"), ("use_per_month", "0"), ("use_per_month", "many"), ("start", "nan")):
        fleet = written(tmp_path / "fleet.csv", ["age", "count", column], [[10, 2, cell]])
        refused = call("forecast", str(cage), "--fleet", str(fleet), "--use-per-month", "25")
        assert refused.exit_code == 1
        assert refused.stderr.splitlines()[-1].startswith("forecast.fleet")
        assert f"{cell} in the column {column}" in refused.stderr
    older = written(tmp_path / "older.csv", ["age", "count"], [[10, 2], [-5, 1]])
    told = call("forecast", str(cage), "--fleet", str(older), "--use-per-month", "25")
    assert told.exit_code == 1
    assert "value.too_small: older.csv 3 age" in told.stderr


def test_a_warranty_ends_what_is_counted_and_renewal_adds_to_it(call: Call, cage: Path) -> None:
    free, short, young, more = (
        asked(call, str(cage), "--use-per-month", "200", *words)["total"]["expected"]
        for words in ((), ("--warranty-months", "6"), ("--warranty-age", "1000"), ("--renewed",))
    )
    assert short < free
    assert young < free
    assert free < more < 1.1 * free


def test_no_failure_and_few_failures_have_a_constant_rate_that_is_said(call: Call, tmp_path: Path) -> None:
    alive = written(tmp_path / "alive.csv", ["age", "event", "count"], [[100, "suspension", 50]])
    none = asked(call, str(alive), "--use-per-month", "100", "--months", "1")
    assert (none["model"]["kind"], none["total"]["expected"], none["total"]["low"]) == ("bounded", 0.0, 0.0)
    assert none["total"]["high"] == 4  # twice as much: see the test of the analysis
    assert codes(none) == ["shape_assumed", "bound_only", "extrapolated"]
    one = written(tmp_path / "one.csv", ["age", "event", "count"], [[100, "suspension", 50], [60, "failure", 1]])
    few = asked(call, str(one), "--use-per-month", "10", "--months", "1")
    assert few["model"]["kind"] == "few"
    assert few["total"]["expected"] == pytest.approx(50 * -np.expm1(-10 / 5060))
    failed = written(tmp_path / "failed.csv", ["age"], [[60], [70], [90]])
    empty = asked(call, str(failed), "--use-per-month", "10")
    assert (empty["months"], empty["spares"], codes(empty)) == ([], None, ["no_fleet"])


def test_a_return_matrix_is_in_months(call: Call, tmp_path: Path) -> None:
    chart = tmp_path / "chart.csv"
    chart.write_text(
        "发货月份,发货数量,2010-07,2010-08,2010-09\n2010-06,100,3,3,5\n2010-07,140,0,2,4\n2010-08,150,0,0,4\n", "utf-8"
    )
    found = asked(call, str(chart), "--months", "3", "--stock-probability", "0.99", "--repair-months", "1")
    assert found["units"] == 89 + 134 + 146
    assert found["total"]["low"] < found["total"]["expected"] < found["total"]["high"]
    shelf = found["spares"]["shelf"]
    assert 0.5 <= shelf[0]["fill_rate"] < 0.6
    assert all(one["backorders"] > other["backorders"] for one, other in pairwise(shelf))
    assert shelf[-1]["fill_rate"] > 0.999


def test_best_and_other_distributions(call: Call, cage: Path) -> None:
    expected = {"lognormal": 0.987, "best": 1.072, "exponential": 0.753}
    for name, number in expected.items():
        found = asked(call, str(cage), "--use-per-month", "25", "--months", "3", "--distribution", name)
        assert found["total"]["expected"] == pytest.approx(number, abs=5e-4)
    none = asked(call, str(cage), "--use-per-month", "25", "--months", "3", "--distribution", "weibull3")
    assert (none["model"]["distribution"], codes(none)[0]) == ("weibull", "no_maximum")


def test_a_table_and_a_picture_in_both_languages(call: Call, cage: Path, tmp_path: Path) -> None:
    picture = tmp_path / "forecast.svg"
    said = call("forecast", str(cage), "--use-per-month", "25", "--picture", str(picture), "--lang", "zh")
    assert "累计预期" in said.stdout
    assert "备件" in said.stdout
    assert "返修预测" in picture.read_text(encoding="utf-8")
    assert "Spare parts" in call("forecast", str(cage), "--use-per-month", "25").stdout
    headed = call("forecast", str(cage), "--use-per-month", "25", "--format", "csv").stdout.splitlines()
    assert headed[0] == "Month,At risk,Expected,Low,High,Cumulative,Low of it,High of it"
    assert len(headed) == 13


def test_a_part_in_the_store(demo_call: Call, tmp_path: Path) -> None:
    picture = tmp_path / "a31.svg"
    found = asked(demo_call, "--part", "A31", "--maker", "S12", "--months", "3", "--picture", str(picture))
    assert (found["part"], found["maker"], found["as_of"]) == ("L01/A31", "S12", "2026-06-30")
    assert found["months"][0]["until"] == "2026-07-30"
    assert found["total"]["low"] < found["total"]["expected"] < found["total"]["high"]
    assert picture.exists()
    said = demo_call("forecast", "--part", "A31", "--as-of", "2025-13-01")
    assert (said.exit_code, "--as-of" in said.stderr) == (2, True)


def test_wrong_usage_is_told(call: Call, cage: Path) -> None:
    for words in (
        ("forecast",),
        ("forecast", str(cage)),
        ("forecast", str(cage), "--part", "A"),
        ("forecast", str(cage), "--use-per-month", "25", "--as-of", "2026-01-01"),
        ("forecast", "--part", "A", "--fleet", str(cage)),
        ("forecast", str(cage), "--use-per-month", "0"),
        ("forecast", str(cage), "--use-per-month", "25", "--picture", "x.png"),
    ):
        assert call(*words).exit_code == 2
    assert call("forecast", "nowhere.csv", "--use-per-month", "1").exit_code == 1
