"""`chaingraph lives`: what a file says of lives, in any shape, and life records that `load` takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics.life import weibull
from analytics.life.frames import grouped
from chaingraph import Workspace
from server.cli.lives import How, read
from tests.analytics.published import examples
from tests.server.cli import Call

NEVADA = "发货月份,发货数量,2010-07,2010-08,2010-09\n2010-06,100,3,3,5\n2010-07,140,0,2,4\n2010-08,150,0,0,4\n"


PAGE = Path(__file__).parents[2] / "docs" / "uploads.md"


def written(folder: Path, content: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def asked(call: Call, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(call("lives", *words, "--format", "json").stdout)
    return answer


def test_the_published_chart_is_understood(call: Call, tmp_path: Path) -> None:
    answer = asked(call, str(written(tmp_path, NEVADA)), "--ages", "whole")
    expected = {each["quantity"]: each["value"] for each in examples("others")["warranty-reliawiki-nevada"]["expected"]}
    assert answer["shape"] == "returns"
    assert answer["failures"] == sum(n for name, n in expected.items() if name.startswith("failures"))
    assert answer["units"] - answer["failures"] == sum(n for name, n in expected.items() if name.startswith("susp"))
    assert (answer["unit"], answer["oldest"], answer["refused"]) == ("months", 3, 0)


def test_the_examples_of_the_page_are_understood(call: Call, tmp_path: Path) -> None:
    examples = re.findall(r"```csv\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    answers = [asked(call, str(written(tmp_path, each, f"{i}.csv"))) for i, each in enumerate(examples)]
    assert [(each["shape"], each["units"], each["failures"], each["refused"]) for each in answers] == [
        ("returns", 390, 21, 0), ("claims", 980, 3, 0), ("totals", 370, 6, 0), ("test", 77, 0, 0),
    ]  # fmt: skip


def test_nothing_is_written_unless_asked_and_never_over_a_file(call: Call, tmp_path: Path) -> None:
    path = written(tmp_path, NEVADA)
    told = call("lives", str(path))
    assert told.exit_code == 0
    assert "Dry run" in told.stdout
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".csv"] == ["file.csv"]
    refused = call("lives", str(path), "--part", "A", "--out", str(path))
    assert refused.exit_code == 1
    assert path.read_text(encoding="utf-8") == NEVADA


def test_what_is_written_can_be_loaded(call: Call, tmp_path: Path) -> None:
    path, out = written(tmp_path, NEVADA), tmp_path / "life_records.csv"
    assert call("lives", str(path), "--out", str(out)).stderr.startswith("lives.no_part")
    assert call("lives", str(path), "--part", "A", "--maker", "M", "--out", str(out)).exit_code == 0
    loaded = json.loads(call("load", str(out), "--format", "json").stdout)
    assert (loaded["total"]["new"], loaded["total"]["refused"]) == (9, 0)
    with Workspace.open(call.store) as workspace:
        stored = workspace.view().table("life_record")
    assert stored["count"].sum() == 390
    assert stored.filter(pl.col("event") != "suspension")["count"].sum() == 21
    assert stored["unit"].unique().to_list() == ["months"]
    assert stored["part"].unique().to_list() == ["local/A"]


def test_months_become_hours_by_what_a_unit_gathers(tmp_path: Path) -> None:
    months = read(written(tmp_path, NEVADA)).frame
    hours = read(written(tmp_path, NEVADA), how=How(usage=200.0, unit="h")).frame
    np.testing.assert_allclose(hours["age"], months["age"] * 200)
    assert hours["unit"].unique().to_list() == ["h"]


def test_more_returned_than_sold_leaves_that_month_out(call: Call, tmp_path: Path) -> None:
    path = written(tmp_path, NEVADA.replace("2010-07,140", "2010-07,5"))
    told = call("lives", str(path), "--format", "json")
    assert told.exit_code == 1
    answer = json.loads(told.stdout)
    assert answer["units"] == 250
    (finding,) = (each for each in answer["findings"] if each["severity"] == "error")
    assert (finding["code"], finding["file"], finding["row"], finding["value"]) == (
        "lives.more_than_sold", "file.csv", 3, "2010-07",
    )  # fmt: skip
    assert finding["text"] == "5 were sold and 6 failed: that month was left out."


def claims(folder: Path, seed: int) -> tuple[Path, Path]:
    """Two years of sales of a part with Weibull(40, 1.8) lives in months, reported 1.9 months later on average."""
    rng, months, each = np.random.default_rng(seed), 24, 2000
    sold = np.repeat(np.arange(months), each)
    failed = np.floor(sold + rng.random(len(sold)) + 40 * rng.weibull(1.8, len(sold))).astype(np.int64)
    reported = failed + rng.geometric(0.35, len(sold)) - 1
    seen = reported < months

    def day(month: Any) -> pl.Expr:
        at = pl.lit(pl.Series(month, dtype=pl.Int64))
        return pl.date(2023 + at // 12, at % 12 + 1, 1)

    frame = pl.select(sold_on=day(sold[seen]), failed_on=day(failed[seen]), reported_on=day(reported[seen]))
    frame.with_columns(part=pl.lit("A"), mode=pl.lit("wear")).write_csv(folder / "claims.csv")
    pl.select(shipped_on=day(np.arange(months))).with_columns(part=pl.lit("A"), quantity=each).write_csv(
        folder / "shipments.csv"
    )
    return folder / "claims.csv", folder / "shipments.csv"


def test_late_reports_are_allowed_for(tmp_path: Path) -> None:
    path, population = claims(tmp_path, 4)
    found = read(path, population=population)
    assert found.shape == "claims"
    assert {each.code for each in found.findings} == {"lives.delays", "lives.unseen"}
    fitted = weibull.fit_rows(grouped(found.frame)[0])
    assert abs(np.log(fitted.eta[0] / 40)) < 3 * np.sqrt(fitted.var_log_eta[0])
    assert abs(np.log(fitted.beta[0] / 1.8)) < 3 * np.sqrt(fitted.var_log_beta[0])
    modes = found.frame.group_by("event").agg(pl.col("mode").unique())
    assert dict(modes.rows()) == {"suspension": [None], "interval": ["wear"]}


def test_each_part_that_failed_is_counted_against_the_products_sold(tmp_path: Path) -> None:
    sold = written(tmp_path, "part,shipped_on,quantity\nCAR,2024-01-01,100\nCAR,2024-02-01,50\n", "sold.csv")
    content = "part,maker,sold_on,failed_on\nPUMP,M,2024-01-05,2024-02-05\nLAMP,N,2024-01-05,2024-02-06\n"
    found = read(written(tmp_path, content), population=sold)
    units = found.frame.group_by("part").agg(pl.col("count").sum()).sort("part").rows()
    assert units == [("LAMP", 150), ("PUMP", 150)]
    assert [(each.severity, each.code) for each in found.findings] == [("warning", "lives.not_split")]


def test_the_past_can_be_asked_again(call: Call, tmp_path: Path) -> None:
    path, population = claims(tmp_path, 4)
    now = asked(call, str(path), "--population", str(population))
    then = asked(call, str(path), "--population", str(population), "--until", "2024-03")
    assert then["units"] < now["units"]
    assert then["failures"] < now["failures"]
    wrong = call("lives", str(path), "--until", "spring")
    assert wrong.exit_code == 2


def test_totals_are_a_rate_and_say_so(call: Call, tmp_path: Path) -> None:
    path = written(tmp_path, "month,units,hours per unit,failures\n2024-01,100,500,2\n2024-02,3,100,7\n")
    found = read(path)
    data, _ = grouped(found.frame)
    assert data.count @ data.age == pytest.approx(50_300)
    assert {each.code for each in found.findings} == {
        "lives.exponential_only", "lives.overdispersed", "lives.rate_not_constant",
    }  # fmt: skip
    assert asked(call, str(path))["failures"] == 9


def test_totals_of_parts_and_of_all_units_together(tmp_path: Path) -> None:
    content = "part,month,total hours,failures\nA,2024-01,5000,2\nB,2024-01,7000,0\n,2024-02,100,1\n"
    found = read(written(tmp_path, content)).frame
    rows = found.select("part", "event", "age", "count").sort("part", "event", nulls_last=True).rows()
    assert rows == [("A", "failure", 2500.0, 2), ("B", "suspension", 7000.0, 1), (None, "failure", 100.0, 1)]


def test_tests_at_stress_are_lives_in_use(call: Call, tmp_path: Path) -> None:
    head = "part,units,test hours,failures,acceleration_factor,use_temperature,test_temperature,activation_energy,"
    path = written(
        tmp_path, head + "activation_energy_se\nA,77,1000,0,,55,125,0.7,0.05\nB,10,100,1,5,,,,\nC,5,100,0,,55,,0.7,\n"
    )
    af = np.exp(0.7 / 8.617333262e-5 * (1 / 328.15 - 1 / 398.15))
    found = read(path)
    assert found.frame.select("part", "event", "count").rows() == [
        ("A", "suspension", 77), ("B", "suspension", 9), ("B", "interval", 1),
    ]  # fmt: skip
    np.testing.assert_allclose(found.frame["age"], [1000 * af, 500, 0], rtol=1e-8)
    assert [(each.code, each.row) for each in found.findings] == [("lives.stress", 4), ("lives.acceleration", None)]
    low = read(path, how=How(factor="low")).frame["age"][0]
    assert low == pytest.approx(1000 * af * np.exp(-1.6448536 * 0.05 * np.log(af) / 0.7))
    assert call("lives", str(path)).exit_code == 1


def test_records_are_counted_as_the_graph_counts_them(tmp_path: Path) -> None:
    found = read(
        written(
            tmp_path,
            "serial,age,event,relevant\n1,1000,suspension,\n1,1700,suspension,\n2,50,failure,no\n3,9,failure,\n",
        )
    )
    assert found.frame.select("serial", "age", "event").rows() == [
        ("1", 1700.0, "suspension"), ("2", 50.0, "suspension"), ("3", 9.0, "failure"),
    ]  # fmt: skip
    assert [each.code for each in found.findings] == ["lives.not_relevant", "lives.superseded"]


@pytest.mark.parametrize("shape", ["totals", "test", "returns", "claims"])
def test_a_file_of_bad_rows_alone_has_an_answer(tmp_path: Path, shape: str) -> None:
    content = {
        "totals": "month,units,hours,failures\n2024-01,x,5,1\n",
        "test": "units,test hours,failures\n5,x,1\n",
        "returns": "month,shipped,2024-01,2024-02\nx,5,1,0\n",
        "claims": "sold_on,failed_on,sold\n2024-05,2024-01,5\n",
    }[shape]
    found = read(written(tmp_path, content))
    assert (found.shape, found.frame.height) == (shape, 0)
    assert found.refused >= 1
