"""`chaingraph growth`: times, counts and systems in files, a part of the demo, refusals, the JSON as promised."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.life.growth import Observed, fit
from analytics.life.growth_report import picture
from schema import Text
from tests.analytics.published import examples
from tests.server.cli import Call

OTHERS = examples("others")
THREE = ["value", "low", "high"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def times(name: str) -> str:
    return "time\n" + "\n".join(map(str, OTHERS[name]["data"]["times"])) + "\n"


def answer(folder: Path, text: str, *words: str) -> Any:
    (folder / "f.csv").write_text(text, encoding="utf-8")
    result = Call("sqlite:///none.db")("growth", "f.csv", *words, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(folder: Path, text: str, *words: str) -> str:
    (folder / "f.csv").write_text(text, encoding="utf-8")
    result = Call("sqlite:///none.db")("growth", "f.csv", *words)
    assert result.exit_code == 1
    assert result.stdout == ""
    return result.stderr


def test_up_to_a_time(folder: Path) -> None:
    """MIL-HDBK-189, appendix C, and the factors of the MTBF for 27 failures."""
    found = answer(folder, times("growth-milhdbk189-appc-27-failures"), "--end", "300", "--termination", "time")
    for name in ("beta", "lambda", "mtbf_instantaneous", "mtbf_cumulative", "intensity"):
        assert list(found[name]) == THREE
    assert found["beta"]["value"] == pytest.approx(0.716, abs=5e-4)
    assert found["lambda"]["value"] == pytest.approx(0.454, abs=5e-4)
    mtbf = found["mtbf_instantaneous"]
    assert mtbf["value"] == pytest.approx(15.5, abs=0.05)
    assert mtbf["low"] / mtbf["value"] == pytest.approx(0.6361467, abs=1e-7)
    assert mtbf["high"] / mtbf["value"] == pytest.approx(1.6817864, abs=1e-7)
    assert found["beta_unbiased"] == pytest.approx(0.69, abs=5e-3)
    assert (found["failures"], found["end"], found["termination"], found["level"]) == (27, 300, "time", 0.9)
    assert found["goodness_of_fit"]["name"] == "cramer_von_mises"
    names = ["laplace", "military", "anderson_darling", "lewis_robinson", "mann"]
    assert [each["name"] for each in found["trend"]] == names


def test_up_to_a_failure_the_end_is_the_last(folder: Path) -> None:
    text = times("growth-reliawiki-crowamsaa-22-failures")
    found = answer(folder, text, "--end", "620", "--termination", "failure")
    assert found == answer(folder, text, "--termination", "failure")
    assert (found["beta"]["value"], found["lambda"]["value"]) == (
        pytest.approx(0.61421, abs=5e-6),
        pytest.approx(0.42394, abs=5e-6),
    )
    assert "growth.end_not_failure" in refused(folder, text, "--end", "700", "--termination", "failure")


def test_level_is_that_of_the_interval(folder: Path) -> None:
    text = times("growth-nasa-tm103511-23-failures")
    mtbf = answer(folder, text, "--end", "500", "--level", "0.8")["mtbf_instantaneous"]
    assert [round(mtbf[name], 1) for name in THREE] == [52.7, 35.6, 82.9]


def test_counts_by_interval(folder: Path) -> None:
    text = "from,to,failures\n0,20,13\n20,40,16\n40,60,5\n60,80,8\n80,100,7\n"
    found = answer(folder, text)
    assert found["beta"]["value"] == pytest.approx(0.752851, abs=5e-7)
    assert found["mtbf_instantaneous"]["value"] == pytest.approx(2.71078425, abs=5e-9)
    assert found["goodness_of_fit"]["name"] == "chi_square"
    assert found == answer(folder, text, "--end", "100")
    assert "growth.end_not_interval" in refused(folder, text, "--end", "120")
    assert "growth.overlap" in refused(folder, "from,to,failures\n0,20,3\n10,30,2\n")
    assert "growth.not_a_count" in refused(folder, "from,to,failures\n0,20,1.5\n20,30,2\n")


def test_several_systems(folder: Path) -> None:
    data = OTHERS["growth-crow1975-three-systems-time"]["data"]
    lines = [f"{t},S{i},200" for i in (1, 2, 3) for t in data[f"system{i}"]]
    found = answer(folder, "age,system,end\n" + "\n".join(lines) + "\n")
    assert (found["systems"], found["beta"]["value"]) == (3, pytest.approx(0.6153363, abs=5e-8))
    own = answer(
        folder, "age,system\n" + "\n".join(line.rsplit(",", 1)[0] for line in lines), "--termination", "failure"
    )
    assert own["beta"]["value"] == pytest.approx(0.626, abs=5e-4)
    assert own["warnings"][0]["code"] == "growth.approximate"
    assert "growth.ends_differ" in refused(folder, "age,system,end\n5,a,10\n6,a,12\n")


def test_order_chinese_headings_counts_and_units_alive(folder: Path) -> None:
    plain = answer(folder, "time\n3\n5\n5\n9\n", "--end", "12")
    assert plain == answer(folder, "故障时间,数量\n9,1\n5,2\n3,1\n", "--end", "12")
    assert plain == answer(folder, "age,event\n5,failure\n9,failure\n3,failure\n12,suspension\n5,failure\n")


def test_few_failures_have_an_answer_too(folder: Path) -> None:
    none = answer(folder, "time,event\n100,suspension\n")
    assert none["beta"] == dict.fromkeys(THREE)
    assert none["mtbf_cumulative"] == {"value": None, "low": pytest.approx(33.3808, abs=1e-4), "high": None}
    assert [each["code"] for each in none["warnings"]] == ["growth.no_failure"]
    one = answer(folder, "time\n40\n", "--end", "100")
    assert one["mtbf_instantaneous"]["high"] is None
    assert [each["code"] for each in one["warnings"]] == ["growth.few"]
    single = answer(folder, "time\n40\n", "--termination", "failure")
    assert single["beta"]["value"] is None
    assert [each["code"] for each in single["warnings"]] == ["growth.too_few"]


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("time\n3\n11\n", ("--end", "10"), "growth.beyond_end"),
        ("time\n3\n0\n", ("--end", "10"), "growth.not_a_time"),
        ("time\n3\n-4\n", ("--end", "10"), "growth.not_a_time"),
        ("time\n3\nNaN\n", ("--end", "10"), "growth.cell"),
        ("time\n3\nsoon\n", ("--end", "10"), "growth.cell"),
        ("time,event\n3,perhaps\n", ("--end", "10"), "growth.event"),
        ("time,count\n3,1.5\n", ("--end", "10"), "growth.not_a_count"),
        ("time\n3\n4\n", (), "growth.end_missing"),
        ("time\n3\n4\n", ("--end", "-1"), "growth.end"),
        ("from,to\n3,4\n", ("--end", "10"), "growth.columns"),
        ("time\n3\n4\n", ("--end", "10", "--change", "11"), "growth.change_outside"),
        ("time\n3\n4\n", ("--end", "10", "--change", "D2"), "growth.change"),
    ],
)
def test_what_cannot_be_is_refused_by_name(folder: Path, text: str, words: tuple[str, ...], code: str) -> None:
    assert refused(folder, text, *words).startswith(f"{code}: ")


def test_a_known_change_and_a_picture(folder: Path) -> None:
    text = times("growth-reliawiki-crowamsaa-22-failures")
    words = ("--end", "620", "--termination", "failure", "--change", "200", "--picture", "g.svg", "--lang", "zh")
    found = answer(folder, text, *words)
    change = found["change"]
    assert (change["at"], change["before"]["failures"], change["after"]["failures"]) == (200, 12, 10)
    assert change["rates"]["value"] == pytest.approx((10 / 420) / (12 / 200))
    assert list(change["step"]) == THREE
    root = ET.fromstring((folder / "g.svg").read_text(encoding="utf-8"))  # our own file
    assert root.tag.endswith("svg")
    assert "可靠性增长" in "".join(root.itertext())


def test_several_systems_show_their_mean_cumulative_function_with_its_band() -> None:
    system = np.repeat([0, 1, 2], 4)
    ages = np.array([10.0, 30, 50, 90, 20, 40, 45, 60, 5, 35, 70, 95])
    data = Observed(ages, system, np.zeros(3), np.full(3, 100.0), "time")
    nothing = Text("", "")
    found = {each.kind: each for each in picture(data, fit(data), nothing, nothing, 0.9).layers[:2]}
    assert found["points"].y == pytest.approx(np.arange(1, 13) / 3)
    low, high = np.array(found["band"].low, float), np.array(found["band"].high, float)
    assert (low < high).all()
    assert low[-1] < 4 < high[-1]


def test_failures_that_begin_late_are_no_ratio(folder: Path) -> None:
    text = "time\n" + "\n".join(str(900 + 5 * n) for n in range(20)) + "\n"
    found = answer(folder, text, "--end", "1000", "--termination", "time")
    said = {each["code"]: each["text"] for each in found["warnings"]}
    assert "growth.change" not in said
    assert said["growth.begin"].startswith("There was no failure before about 900")


def test_it_is_for_a_file_or_a_part(folder: Path) -> None:
    call = Call("sqlite:///none.db")
    for words in ((), ("f.csv", "--part", "A31"), ("f.csv", "--picture", "g.png")):
        assert call("growth", *words).exit_code == 2
    assert call("growth", "nowhere.csv").exit_code == 1
    assert list(folder.iterdir()) == []


def test_a_part_of_the_demo(demo_store: Path, folder: Path) -> None:
    shutil.copytree(demo_store, folder / "demo")
    call = Call(f"sqlite:///{folder / 'demo' / 'demo.db'}")
    result = call("growth", "--part", "A31", "--maker", "S12", "--format", "json", "--axis", "production",
                  "--picture", "g.svg")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found["beta"]) == list(found["lambda"]) == list(found["mtbf_instantaneous"]) == THREE
    assert found["comparisons"][0]["failures_after"] == 0
    assert (folder / "g.svg").exists()
    shown = call("growth", "--part", "A31", "--maker", "S12", "--change", "2025-09-01", "--lang", "zh")
    assert "2025-09-01 起生产" in shown.stdout
    assert call("growth", "--part", "A31", "--change", "soon").stderr.startswith("growth.change: ")
    assert call("growth", "--part", "none").stderr.startswith("part.unknown: ")
