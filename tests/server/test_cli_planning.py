"""`plan-test` as people and scripts call it: plans, chances, words in both languages, refusals, what to test next."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binom, chi2

from analytics import run
from chaingraph import Workspace
from server.cli import main
from tests.server.cli import Call
from tests.server.test_cli import told

CALL = Call("sqlite:///none.db")
PLAN = ["failures", "units", "hours_each", "total_hours", "demonstrates", "quantity", "confidence", "expected_hours", "text"]  # fmt: skip  # noqa: E501
RUN = ("--reliability", "0.9", "--mission", "1000")


def answer(*words: str, call: Call = CALL) -> Any:
    result = call("plan-test", *words, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_names_that_scripts_call_by_are_there() -> None:
    options = (
        "--reliability --mission --mtbf --b-life --share --confidence --shape --failures --units --hours --af --product"
    )
    has = set(told(main.commands["plan-test"]).split())
    assert [name for name in options.split() if name not in has] == []


def test_a_success_run_and_its_characteristic() -> None:
    found = answer(*RUN)
    assert list(found) == ["target", "plans", "operating_characteristic", "two_risks"]
    assert list(found["plans"][0]) == PLAN
    assert [(p["failures"], p["units"], p["hours_each"], p["total_hours"]) for p in found["plans"]] == [
        (0, 22, 1000.0, 22000.0), (1, 38, 1000.0, 38000.0), (2, 52, 1000.0, 52000.0), (3, 65, 1000.0, 65000.0)
    ]  # fmt: skip
    assert all(p["demonstrates"] >= 0.9 for p in found["plans"])
    assert "at least 0.9006" in found["plans"][0]["text"]
    for row in found["operating_characteristic"]:
        assert row["pass"] == pytest.approx(binom.cdf(row["failures"], row["units"], 1 - row["true"]))
        assert list(row) == ["failures", "units", "hours_each", "true", "pass", "expected_hours"]


def test_a_known_shape_trades_units_for_hours() -> None:
    shaped = (*RUN, "--confidence", "0.8", "--shape", "2", "--failures", "0")
    assert round(answer(*shaped, "--units", "5")["plans"][0]["hours_each"], 2) == 1747.89
    assert [p["units"] for p in answer(*shaped, "--hours", "1747.9")["plans"]] == [5]
    quick = answer(*shaped, "--units", "5", "--af", "10")["plans"][0]
    assert round(quick["hours_each"], 3) == 174.789
    assert quick["demonstrates"] == pytest.approx(0.9)
    b_life = answer("--b-life", "1000", "--shape", "2", "--units", "5", "--confidence", "0.8", "--failures", "0")
    assert round(b_life["plans"][0]["hours_each"], 2) == 1747.89
    assert (b_life["target"]["share"], b_life["plans"][0]["quantity"]) == (0.1, "b_life")


def test_a_mean_life_is_shown_by_total_hours() -> None:
    found = answer("--mtbf", "1000", "--units", "4")
    assert [p["total_hours"] for p in found["plans"]] == pytest.approx(
        [1000 * chi2.ppf(0.9, 2 * f + 2) / 2 for f in range(4)]
    )
    assert found["plans"][0]["expected_hours"] == pytest.approx(900.0)  # 1000 (1 - exp(-2.3026))
    assert answer("--mtbf", "1000", "--hours", "500", "--failures", "0")["plans"][0]["units"] == 5


def test_both_risks_are_kept() -> None:
    risks = answer("--mtbf", "1000", "--good", "2000", "--producer", "0.2")["two_risks"]
    assert (risks["failures"], round(risks["total_hours"])) == (9, 14206)
    assert risks["sequential"]["slope"] == pytest.approx(1386.294, abs=1e-3)
    assert risks["producer_risk"] <= 0.2
    units = answer(*RUN, "--good", "0.95", "--producer", "0.2")["two_risks"]
    assert (units["units"], units["failures"], round(units["consumer_risk"], 3)) == (128, 8, 0.097)
    assert answer(*RUN)["two_risks"] is None
    assert "双方风险" in CALL("plan-test", *RUN, "--good", "0.95", "--lang", "zh").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Give one of"),
        (("--reliability", "0.9", "--mtbf", "5"), "Give one of"),
        (("--reliability", "0.9"), "--mission"),
        (("--mtbf", "5", "--mission", "3"), "--mission goes with"),
        ((*RUN, "--units", "5"), "--shape"),
        (("--b-life", "5", "--hours", "3"), "--shape"),
        ((*RUN, "--share", "0.2"), "--share goes with"),
        ((*RUN, "--shape", "2", "--units", "5", "--hours", "7"), "not both"),
        ((*RUN, "--shape", "2", "--units", "1", "--failures", "2"), "more units than failures"),
        ((*RUN, "--good", "0.8"), "better"),
        (("--b-life", "5", "--good", "8"), "--good goes with"),
        ((*RUN, "--producer", "0.2"), "--producer"),
        (("--reliability", "0.9999999999999999", "--mission", "1"), "No test is that large"),
        (("--reliability", "1.5", "--mission", "1"), "--reliability"),
        (("--mtbf", "-1"), "--mtbf"),
        (("--mtbf", "nan"), "--mtbf"),
        (("--mtbf", "inf"), "--mtbf"),
        ((*RUN, "--confidence", "nan"), "--confidence"),
        (("--product", "M", "--mtbf", "3"), "Give one of"),
        (("--product", "M"), "--mission"),
        (("--product", "M", "--mission", "3", "--shape", "2"), "--shape do not go with --product"),
    ],
)
def test_wrong_combinations_are_wrong_usage(words: tuple[str, ...], said: str) -> None:
    result = CALL("plan-test", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_tables_speak_both_languages() -> None:
    assert "Chance to pass" in CALL("plan-test", *RUN).stdout
    assert "通过即以 0.9 的置信度证明" in CALL("plan-test", *RUN, "--lang", "zh").stdout.replace("\n", "")
    assert CALL("plan-test", *RUN, "--format", "csv").stdout.splitlines()[0].startswith("Failures allowed,Units")


def test_tests_of_a_product_are_the_analysis(demo_store: Path, demo_workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(demo_store, tmp_path / "demo")
    call = Call(f"sqlite:///{tmp_path / 'demo' / 'demo.db'}")
    found = answer("--product", "VMC850", "--mission", "2000", "--units", "100", call=call)
    assert found["gains"][0]["gain"] > found["gains"][1]["gain"] > 0
    asked = {"product": "VMC850", "mission": 2000.0, "units": 100}
    assert found == run("test_gains", demo_workspace.view(), asked).payload("en")
    assert "VMC850" not in CALL("plan-test", "--product", "VMC850", "--mission", "5").stdout
    assert call("class-rates", "A12", "--mechanism", "ME-RCF").exit_code == 0
