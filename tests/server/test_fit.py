"""`chaingraph fit`: files and parts, groups, refusals, pictures; the JSON as promised."""

from __future__ import annotations

import csv
import io
import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fixtures
from analytics.life import weibull
from chaingraph import Workspace
from tests.analytics.published import examples
from tests.server.cli import Call

LIVES = Path(fixtures.__file__).parent / "lives"
FIGURE = ["value", "se", "low", "high"]


def written(folder: Path, text: str) -> str:
    path = folder / "lives.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def fitted(call: Call, *words: str) -> Any:
    result = call("fit", *words, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def but_sampled(found: dict[str, Any]) -> dict[str, Any]:
    """Without its group, and without the p-value: where there is much to fit no samples are drawn for it."""
    return {**found, "group": {}, "goodness": {**found["goodness"], "p_value": None}}


def test_json_is_as_promised_and_the_numbers_are_published(call: Call, tmp_path: Path) -> None:
    """Meeker and Escobar 1998, shock absorbers: eta 27,719, beta 3.16 by maximum likelihood."""
    data = examples("fits")["weibull-shock-absorber-mle"]["data"]
    lines = [f"{age},{event}" for age, event in zip(data["age"], data["event"], strict=True)]
    (found,) = fitted(call, written(tmp_path, "age,event\n" + "\n".join(lines)))
    assert {"group", "n", "failures", "distribution", "parameters", "log_likelihood", "aicc", "mean", "b10",
            "warnings"} <= set(found)  # fmt: skip
    assert (found["group"], found["n"], found["failures"], found["distribution"]) == ({}, 38, 11, "weibull")
    assert list(found["parameters"]) == ["eta", "beta"]
    assert list(found["parameters"]["eta"]) == list(found["mean"]) == list(found["b10"]) == FIGURE
    assert np.log(found["parameters"]["eta"]["value"]) == pytest.approx(10.2299, abs=1e-4)
    assert 1 / found["parameters"]["beta"]["value"] == pytest.approx(0.3164, abs=1e-4)


def test_only_age_is_needed(call: Call, tmp_path: Path) -> None:
    (found,) = fitted(call, written(tmp_path, "age\n3\n5\n8\n9\n"))
    by_hand = weibull.fit([3.0, 5.0, 8.0, 9.0], 1)
    assert (found["n"], found["failures"]) == (4, 4)
    assert found["parameters"]["beta"]["value"] == pytest.approx(by_hand.beta[0], rel=1e-6)


def test_counts_entries_and_intervals_are_read(call: Call, tmp_path: Path) -> None:
    text = "age,age_to,event,entry,count\n5,8,interval,0,3\n9,,failure,2,4\n12,,suspension,1,2\n7,,failure,,5\n"
    (found,) = fitted(call, written(tmp_path, text))
    by_hand = weibull.fit(
        [5.0, 9.0, 12.0, 7.0], [2, 1, 0, 1], [0.0, 2.0, 1.0, 0.0], [8.0, np.nan, np.nan, np.nan], [3.0, 4.0, 2.0, 5.0]
    )
    assert (found["n"], found["failures"]) == (14, 12)
    for name, value in (("eta", by_hand.eta[0]), ("beta", by_hand.beta[0])):
        assert found["parameters"][name]["value"] == pytest.approx(value, rel=1e-6)


def test_groups_by_columns_of_the_file_each_as_if_alone(call: Call, tmp_path: Path) -> None:
    together = fitted(call, str(LIVES / "bearings.csv"), "--by", "maker, lot")
    assert [each["group"] for each in together] == [
        {"maker": maker, "lot": lot} for maker in ("东轴", "西轴") for lot in ("2401", "2402", "2403")
    ]
    header, *lines = (LIVES / "bearings.csv").read_text(encoding="utf-8").splitlines()
    alone = [line for line in lines if line.startswith("西轴,2402,")]
    (found,) = fitted(call, written(tmp_path, "\n".join([header, *alone])))
    assert but_sampled(together[4]) == but_sampled(found)


def test_by_mode_all_else_is_a_suspension(call: Call) -> None:
    found = fitted(call, str(LIVES / "bearings.csv"), "--by", "mode")
    assert [(each["group"]["mode"], each["n"], each["failures"]) for each in found] == [
        ("断裂", 84, 10), ("磨损", 84, 32),
    ]  # fmt: skip
    (one,) = fitted(call, str(LIVES / "bearings.csv"), "--mode", "磨损")
    assert but_sampled(one) == but_sampled(found[1])


def test_units_alive_that_name_a_mode_were_observed_for_it_alone(call: Call, tmp_path: Path) -> None:
    text = "age,event,mode\n3,failure,wear\n5,failure,wear\n6,suspension,wear\n8,failure,crack\n9,suspension,crack\n"
    found = fitted(call, written(tmp_path, text), "--by", "mode")
    assert [(each["group"]["mode"], each["n"], each["failures"]) for each in found] == [("crack", 2, 1), ("wear", 3, 2)]


def test_failures_without_a_mode_make_one_group_that_says_so(call: Call, tmp_path: Path) -> None:
    text = "age,mode\n3,wear\n5,wear\n8,\n9,crack\n"
    (found,) = fitted(call, written(tmp_path, text), "--by", "mode")
    assert (found["group"], found["failures"]) == ({"mode": None}, 4)
    assert found["warnings"][-1]["code"] == "modes_pooled"


def test_one_bad_group_stops_no_other_and_says_what_it_does_support(call: Call) -> None:
    found = fitted(call, str(LIVES / "relays.csv"), "--by", "version", "--interval", "lr", "--level", "0.95")
    assert [each["distribution"] for each in found] == ["weibull"] * 3
    assert [each["parameters"]["beta"]["value"] is None for each in found] == [False, False, True]
    assert found[0]["level"] == 0.95
    assert found[0]["interval"] == "lr"
    assert found[2]["warnings"][0]["code"] == "no_failure"
    assert found[2]["bound"]["mtbf"]["low"] == pytest.approx(40 * 300_000 / -np.log(0.025))


def test_rows_refused_are_told_and_the_rest_is_fitted(call: Call, tmp_path: Path) -> None:
    result = call(
        "fit", written(tmp_path, "age,event\n3,failure\n-5,failure\n7,failure\n9,failure\n"), "--format", "json"
    )
    assert result.exit_code == 1
    assert json.loads(result.stdout)[0]["n"] == 3
    assert "value.too_small: lives.csv 3 age" in result.stderr
    assert "fit.refused" in result.stderr


def test_wrong_usage_is_said_before_anything_is_computed(call: Call, tmp_path: Path) -> None:
    file = written(tmp_path, "age,maker\n3,a\n")
    for words, said in (
        ((), "Name a FILE"),
        ((file, "--part", "A"), "Name a FILE"),
        ((file, "--by", "plant"), "no column plant: maker"),
        ((file, "--distribution", "gamma", "--method", "rr"), "Rank regression fits"),
        ((file, "--picture", "x.png"), ".svg"),
        ((file, "--level", "1"), "--level"),
        ((file, "--distribution", "cauchy"), "cauchy"),
        ((file, "--mode", "wear"), "no column mode"),
        (("--part", "A", "--by", "serial"), "no column serial"),
    ):
        result = call("fit", *words)
        assert result.exit_code == 2, result.stderr
        assert said in result.stderr
    missing = call("fit", str(tmp_path / "none.csv"))
    assert (missing.exit_code, missing.stderr.split(":")[0].split()[-1]) == (1, "file.missing")


def test_tables_are_in_the_language_and_csv_has_every_number(call: Call) -> None:
    words = ("fit", str(LIVES / "relays.csv"), "--by", "version")
    english, chinese = call(*words).stdout, call(*words, "--lang", "zh").stdout
    assert "B10 life (cycles)" in english
    assert "版本" in chinese.splitlines()[0]
    assert "≥ 4,005,698" in chinese
    assert "无失效" in chinese
    header, *rows = csv.reader(io.StringIO(call(*words, "--format", "csv").stdout))
    assert header[:4] == ["version", "Units", "Failures", "Distribution"]
    assert [row[0] for row in rows] == ["A", "B", "C"]


@pytest.mark.parametrize("plot", ["probability", "hazard", "survival"])
def test_a_picture_is_drawn_the_same_every_time(call: Call, tmp_path: Path, plot: str) -> None:
    words = ("fit", str(LIVES / "bearings.csv"), "--by", "maker", "--plot", plot, "--lang", "zh")
    for name in ("one.svg", "two.svg"):
        assert call(*words, "--picture", str(tmp_path / name)).exit_code == 0
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")
    said = {(each.text or "").strip() for each in ET.fromstring(text).iter()}
    assert {"东轴", "西轴", "寿命（h）"} <= said


def test_rank_regression_is_the_line_through_the_points(call: Call, tmp_path: Path) -> None:
    example = examples("fits")["weibull-airseal-rrx"]
    printed = {each["quantity"]: each["value"] for each in example["expected"]}
    data = example["data"]["censored"]
    lines = [f"{age},{event}" for age, event in zip(data["age"], data["event"], strict=True)]
    picture = tmp_path / "p.svg"
    file = written(tmp_path, "age,event\n" + "\n".join(lines))
    (found,) = fitted(call, file, "--method", "rr", "--picture", str(picture))
    assert round(found["parameters"]["beta"]["value"], 3) == printed["beta (censored)"]
    assert round(found["parameters"]["eta"]["value"], 2) == printed["eta (censored)"]
    assert "β = 2.033" in picture.read_text(encoding="utf-8")


def test_a_part_in_the_store_is_fitted_as_the_analysis_fits_it(
    demo_workspace: Workspace, demo_store: Path, tmp_path: Path
) -> None:
    from analytics import run

    call = Call(f"sqlite:///{shutil.copytree(demo_store, tmp_path / 'store') / 'demo.db'}")
    found = fitted(call, "--part", "A12", "--maker", "S05", "--mode", "FM002")
    wanted = run("life_model", demo_workspace.view(), {"part": "A12", "maker": "S05", "mode": "FM002"})
    assert found == [wanted.fit.payload("en")]
    by_maker = fitted(call, "--part", "A12", "--by", "maker,mode")
    assert [(each["group"]["maker"], each["group"]["mode"]) for each in by_maker] == [
        (maker, f"L01/A12/{mode}") for maker in ("S05", "S06") for mode in ("FM002", "FM003")
    ]
    assert but_sampled(by_maker[0]) == but_sampled(found[0])
    table = call("fit", "--part", "A31", "--by", "version,origin,stage").stdout
    assert {"version", "origin", "stage"} <= set(table.split())
