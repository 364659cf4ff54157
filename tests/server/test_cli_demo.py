"""The demo end to end, and the analyses on it as scripts call them: one load for all tests."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from chaingraph import Workspace
from server.cli.demo import PRODUCTS, SYNTHETIC, report
from server.cli.session import Session
from tests.server.cli import Call


@pytest.fixture(scope="module")
def demo(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """The command line on a copy of the demo's store."""
    folder = tmp_path_factory.mktemp("cli") / "demo"
    shutil.copytree(demo_store, folder)
    return Call(f"sqlite:///{folder / 'demo.db'}")


def answer(call: Call, *words: str) -> Any:
    """What a command answers in JSON."""
    result = call(*words, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_demo_again_changes_nothing_and_shows_both_products(demo: Call) -> None:
    with Workspace.open(demo.store) as workspace:
        before = workspace.view().table("upload")
    result = demo("demo")
    assert result.exit_code == 0
    with Workspace.open(demo.store) as workspace:
        assert workspace.view().table("upload").equals(before)
    shown = result.stdout
    assert shown.startswith(SYNTHETIC.en)
    for expected in ("VMC850 Vertical machining centre", "EDU150 3-in-1", "What fails most", "Weak links"):
        assert expected in shown
    for expected in ("--explain 1", "chaingraph serve", demo.store):
        assert expected in shown
    assert "Making up three years of records" in result.stderr


def test_what_was_planted_is_among_the_weak_links_shown_and_the_decoy_is_not(
    demo_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    view = demo_workspace.view()
    report(Session("sqlite:///demo.db", "en", "json"), view)
    told = json.loads(capsys.readouterr().out)
    assert told["synthetic"] is True
    assert [each["product"] for each in told["products"]] == list(PRODUCTS)
    links = [link for each in told["products"] for link in each["weak_links"]]
    texts = [reason["text"] for link in links for reason in link["reasons"]]
    grease = [link for link in links if link["part"] == "L01/M04"]
    assert grease, "T1: the grease lots"
    assert any(link["maker"] == "S31" and "S05" in str(link) and "S06" in str(link) for link in grease)
    assert any("ceramic substrate" in text and "Sole source" in text for text in texts), "T3: the hidden sole source"
    assert any(
        link["part"] == "L01/X20" and link["maker"] == "S22" and "declared_denied" in str(link) for link in links
    ), "T10: the denied value"
    assert not any(link["part"] == "L01/A86" and link["kind"] == "reliability" for link in links), "T9: the decoy"
    assert any(each["part"] == "L01/A86" for each in told["products"][0]["contributions"]["contributions"][:5])

    report(Session("sqlite:///demo.db", "zh", "table"), view)
    chinese = capsys.readouterr().out
    assert chinese.startswith(SYNTHETIC.zh)
    assert "薄弱环节" in chinese
    report(Session("sqlite:///demo.db", "zh", "csv"), view)
    assert len(list(csv.reader(io.StringIO(capsys.readouterr().out)))) == len(links) + 1


def test_the_demo_does_not_go_among_other_data(call: Call, tmp_path: Path) -> None:
    (tmp_path / "parts.csv").write_text("number,name_zh\nQ1,泵\n", encoding="utf-8")
    call("load", str(tmp_path / "parts.csv"))
    result = call("demo", "--lang", "zh")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("demo.others: ")


def test_propagate_has_the_shape_that_scripts_read(demo: Call) -> None:
    told = answer(demo, "propagate", "VMC850", "--at", "100,1000,8000")
    assert list(told) == ["product", "hours", "reliability", "low", "high", "level", "unknown", "bound"]
    assert told["product"] == "L01/VMC850"
    assert told["hours"] == [100, 1000, 8000]
    assert told["level"] == 0.9
    assert sorted(told["reliability"], reverse=True) == told["reliability"]
    assert all(low <= r <= high for low, r, high in zip(told["low"], told["reliability"], told["high"], strict=True))
    assert told["bound"] == ("upper" if told["unknown"] else None)
    assert answer(demo, "propagate", "EDU150", "--at", "1000")["bound"] == "upper"
    assert answer(demo, "propagate", "A12", "--at", "1000", "--maker", "S05")["product"] == "L01/A12"


def test_weak_links_have_the_shape_that_scripts_read(demo: Call) -> None:
    told = answer(demo, "weak-links", "VMC850", "--top", "3")
    assert [each["rank"] for each in told] == [1, 2, 3]
    assert list(told[0]) == ["rank", "kind", "part", "maker", "lot", "loss", "reasons"]
    assert list(told[0]["loss"]) == ["value", "low", "high", "unit"]
    assert list(told[0]["reasons"][0]) == ["code", "text"]
    supply = answer(demo, "weak-links", "VMC850", "--kind", "supply")
    assert {each["kind"] for each in supply} == {"supply"}


def test_explain_shows_the_evidence_and_what_to_do_next(demo: Call) -> None:
    listed = answer(demo, "weak-links", "VMC850", "--kind", "reliability")
    rank = str(next(each["rank"] for each in listed if each["part"] == "L01/M04"))
    words = ("weak-links", "VMC850", "--kind", "reliability", "--explain", rank)
    told = answer(demo, *words)
    assert told["part"] == "L01/M04"
    assert told["explanation"]["next_steps"]
    shown = demo(*words, "--lang", "zh").stdout
    assert "下一步" in shown
    assert "LZ2503" in shown
    beyond = demo(*words[:-1], "9999")
    assert beyond.exit_code == 1
    assert beyond.stderr.startswith("weak_link.rank: ")


def test_single_points_have_the_shape_that_scripts_read(demo: Call) -> None:
    told = answer(demo, "single-points", "VMC850")
    assert all(list(each) == ["kind", "id", "loses"] for each in told)
    substrates = next(each for each in told if each["id"] == "S35")
    assert "L01/VMC850" in substrates["loses"]


def test_a_trace_has_the_shape_that_scripts_read(demo: Call) -> None:
    told = answer(demo, "trace", "LZ2503")
    assert list(told) == ["along", "direction", "things"]
    assert (told["along"], told["direction"]) == ("lot_genealogy", "out")
    assert [list(each) for each in told["things"]] == [["depth", "key", "label"]] * len(told["things"])
    assert told["things"][0]["depth"] == 0
    depths = [each["depth"] for each in told["things"]]
    assert depths == sorted(depths)
    assert max(depths) > 0
    last = told["things"][-1]["key"]
    back = answer(demo, "trace", f"lot:{last}", "--direction", "in")
    assert "LZ2503" in " ".join(each["key"] for each in back["things"])
    near = answer(demo, "trace", "VMC850", "EDU150", "--depth", "1")
    assert [each["key"] for each in near["things"] if each["depth"] == 0] == ["L01/VMC850", "L02/EDU150"]
    assert {each["depth"] for each in near["things"]} == {0, 1}
    assert answer(demo, "trace", "S31")["along"] == "supplies"
    wrong = demo("trace", "VMC850", "--along", "lot_genealogy", "--lang", "zh")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "trace.relation: " in wrong.stderr
    assert "contains" in wrong.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("trace", "VMC850"),
        ("trace", "M04", "--along", "supplies"),
        ("contributions", "EDU150", "--mission", "5000"),
        ("where-used", "M04"),
        ("neighbourhood", "S31"),
        ("neighbourhood", "organisation:S31", "--depth", "2"),
        ("weak-links", "EDU150"),
        ("propagate", "EDU150", "--at", "10"),
        ("single-points", "EDU150"),
    ],
    ids=" ".join,
)
def test_every_analysis_answers_as_a_table_and_as_csv_and_says_that_the_data_are_synthetic(
    demo: Call, words: tuple[str, ...]
) -> None:
    result = demo(*words, "--format", "csv", "--lang", "zh")
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    assert SYNTHETIC.zh in result.stderr
    table = demo(*words)
    assert table.stdout
    assert SYNTHETIC.en in table.stderr


def test_what_nobody_knows_is_refused_in_the_language_of_the_call(demo: Call) -> None:
    result = demo("weak-links", "NONSENSE", "--lang", "zh")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "part.unknown: 没有零部件 NONSENSE。" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("propagate", "VMC850", "--at", "-1"),
        ("propagate", "VMC850", "--at", ""),
        ("contributions", "VMC850", "--mission", "0"),
        ("contributions", "VMC850", "--mission", "nan"),
        ("weak-links", "VMC850", "--top", "0"),
        ("weak-links", "VMC850", "--explain", "0"),
    ],
    ids=" ".join,
)
def test_parameters_out_of_bounds_are_wrong_usage(demo: Call, words: tuple[str, ...]) -> None:
    result = demo(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage:" in result.stderr
