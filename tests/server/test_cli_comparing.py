"""`chaingraph compare`: a file by any column, a part of the demo by its makers, regressions, refusals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.analytics.published import examples
from tests.server.cli import Call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    data: dict[str, Any] = examples("others")["compare-aml-miller"]["data"]
    lines = zip(data["age"], data["event"], data["group"], strict=True)
    text = "age,event,arm\n" + "".join(f"{age},{event},{arm}\n" for age, event, arm in lines)
    (tmp_path / "aml.csv").write_text(text, encoding="utf-8")
    return tmp_path


def call(*words: str) -> Any:
    return Call("sqlite:///none.db")("compare", *words)


@pytest.mark.usefixtures("folder")
def test_a_file_is_compared_by_any_of_its_columns() -> None:
    result = call("aml.csv", "--by", "arm", "--format", "json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found) == ["by", "against", "unit", "tests", "groups", "declared", "warnings"]
    rank = found["tests"][0]
    assert (rank["test"], rank["df"], rank["p"]) == ("log_rank", 1, pytest.approx(0.0653, abs=5e-5))
    first = found["groups"][0]
    assert (first["value"], first["n"], first["failures"], first["median"]["value"]) == ("Maintained", 11, 7, 31)
    assert first["fit"]["parameters"]["beta"]["low"] < first["fit"]["parameters"]["beta"]["value"]
    table = call("aml.csv", "--by", "arm", "--against", "Maintained", "--lang", "zh")
    assert "对数秩检验" in table.stdout
    assert "Maintained" in table.stdout


@pytest.mark.usefixtures("folder")
def test_covariates_make_it_a_regression() -> None:
    found = json.loads(call("aml.csv", "--covariates", "arm", "--model", "cox", "--format", "json").stdout)
    term = found["terms"][0]
    assert term["name"] == "arm=Maintained"
    assert term["factor"]["low"] < term["factor"]["value"] < term["factor"]["high"] < 1
    for model in ("weibull", "lognormal", "loglogistic", "exponential"):
        found = json.loads(call("aml.csv", "--covariates", "arm", "--model", model, "--format", "json").stdout)
        assert found["terms"][1]["factor"]["value"] > 1
        assert found["likelihood_ratio"]["df"] == 1
    assert "likelihood ratio" in call("aml.csv", "--covariates", "arm", "--lang", "en").stdout


def test_wrong_usage_and_refused_rows(folder: Path) -> None:
    assert call("--lang", "en").exit_code == 2
    wrong = call("aml.csv", "--by", "nothing", "--lang", "en")
    assert wrong.exit_code == 2
    assert "arm" in wrong.stderr
    with (folder / "aml.csv").open("a", encoding="utf-8") as file:
        file.write("-5,failure,Maintained\n")
    result = call("aml.csv", "--by", "arm", "--lang", "en", "--format", "json")
    assert result.exit_code == 1
    assert "compare.refused" in result.stderr
    assert json.loads(result.stdout)["groups"][0]["n"] == 11


def test_makers_of_a_part_and_what_they_declare(demo_store: Path, folder: Path) -> None:
    shutil.copytree(demo_store, folder / "demo")
    ask = Call(f"sqlite:///{folder / 'demo' / 'demo.db'}")
    result = ask("compare", "--part", "A12", "--format", "json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert len(found["groups"]) > 1
    assert sum(each["failures"] for each in found["groups"]) == pytest.approx(
        sum(each["expected"] for each in found["groups"])
    )
    assert [each["denied"] for each in found["declared"]] == [False, False]
    table = ask("compare", "--part", "A12", "--by", "lot", "--lang", "en")
    assert "log-rank" in table.stdout
    assert ask("compare", "--part", "A12", "--by", "mode", "--lang", "en").exit_code == 2
