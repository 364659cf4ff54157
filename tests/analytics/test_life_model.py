"""The life of a part: the records behind it, competing modes, what other answers take it for, and all over GraphQL."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics import run
from analytics.life import weibull
from analytics.life.families import DISTRIBUTIONS
from analytics.life_model import Distributions
from analytics.model import model
from analytics.records import by_mode
from chaingraph import NotFound, View, Workspace
from server.api.app import create_app
from server.cli import fitting
from tests.analytics.test_analyses import known_machine, seen
from tests.chaingraph.world import rows
from tests.server.client import Client

AGES = np.array([120.0, 250.0, 310.0, 480.0, 520.0, 600.0, 700.0, 710.0, 830.0, 900.0])
MODES = ["wear", "wear", None, "crack", "wear", None, "wear", "crack", None, "wear"]


def lives(*more: dict[str, Any]) -> dict[str, pl.DataFrame]:
    """Ten lives of S1's B: five failures by wear, two by crack, three units alive at an age with no failure."""
    records = [
        {
            "id": f"r{at}", "part": "L01/B", "maker": "S1", "age": age,
            "event": "failure" if mode else "suspension", "mode": mode and f"L01/B/{mode}",
        }
        for at, (age, mode) in enumerate(zip(AGES, MODES, strict=True))
    ]  # fmt: skip
    modes = ({"part": "L01/B", "mode": name, "name_zh": zh} for name, zh in (("wear", "磨损"), ("crack", "断裂")))
    return known_machine(life_record=rows("life_record", *records, *more), mode=rows("mode", *modes))


def test_failures_by_other_modes_are_suspensions() -> None:
    found = run("life_model", seen(lives()), {"part": "B", "maker": "S1", "mode": "磨损"})
    failed = np.array([mode == "wear" for mode in MODES])
    by_hand = weibull.fit(AGES, failed)
    assert (found.part, found.maker, found.mode, found.unit) == ("L01/B", "S1", "L01/B/wear", "h")
    assert (found.fit.n, found.fit.failures) == (10, 5)
    eta, beta = (each.value for each in found.fit.parameters)
    assert (eta, beta) == (pytest.approx(by_hand.eta[0], rel=1e-6), pytest.approx(by_hand.beta[0], rel=1e-6))
    points = next(each for each in found.plot.layers if each.kind == "points")
    assert list(points.x) == AGES[failed].tolist()
    assert found.warnings == ()


def test_what_other_answers_take_it_for_is_said() -> None:
    view = seen(lives())
    (used,) = run("life_model", view, {"part": "B", "maker": "S1", "mode": "wear"}).evidence
    known = model(view)
    at = known.fits.with_row_index("at").filter(pl.col("mode") == "L01/B/wear", pl.col("maker") == "S1")["at"][0]
    assert (used.kind, used.failures, used.oldest) == ("fitted", 5, 900)
    assert (used.beta, used.eta) == (known.hazards.beta[at], known.hazards.eta[at])
    few = run("life_model", view, {"part": "B", "maker": "S1", "mode": "crack"}).evidence[0]
    assert (few.kind, [each.code for each in few.codes]) == ("few", ["shape_assumed"])
    everything = run("life_model", view, {"part": "B"})
    assert {(each.maker, each.mode) for each in everything.evidence} == {
        ("S1", "L01/B/wear"), ("S1", "L01/B/crack"), ("S2", None),
    }  # fmt: skip
    assert [each.kind for each in everything.evidence if each.maker == "S2"] == ["declared"]
    assert [each.code for each in everything.warnings] == ["modes_together"]
    assert everything.fit.failures == 7


def test_failures_without_a_mode_and_units_of_another_kind_are_told() -> None:
    unnamed = {"id": "x", "part": "L01/B", "maker": "S1", "age": 400.0, "event": "failure", "count": 2}
    strange = {"id": "y", "part": "L01/B", "maker": "S1", "age": 4e4, "event": "failure", "unit": "km"}
    found = run("life_model", seen(lives(unnamed, strange)), {"part": "B", "mode": "wear"})
    assert [each.code for each in found.warnings] == ["modes_unnamed", "unit_mismatch"]
    assert found.warnings[0].text.en.startswith("2 failures")
    assert (found.fit.n, found.fit.failures) == (12, 5)


def test_a_mode_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(NotFound) as refused:
        run("life_model", seen(lives()), {"part": "B", "mode": "rust"})
    assert refused.value.code == "mode.unknown"
    assert "磨损" in refused.value.say("zh")
    with pytest.raises(NotFound):
        run("life_model", seen(lives()), {"part": "B", "maker": "S9"})


def test_nothing_recorded_is_an_answer() -> None:
    found = run("life_model", seen(known_machine()), {"part": "A"})
    assert [each.code for each in found.fit.warnings] == ["no_rows"]
    assert (found.plot.layers, found.hazard.layers, found.survival.layers, found.evidence) == ((), (), (), ())


def test_every_distribution_may_be_asked_for() -> None:
    asked = set(Distributions.__args__) - {"best"}  # type: ignore[attr-defined]
    assert asked == set(DISTRIBUTIONS) == set(fitting.DISTRIBUTIONS) - {"best"}
    best = run("life_model", seen(lives()), {"part": "B", "distribution": "best"})
    assert best.fit.distribution == best.fit.alternatives[0].distribution


def test_groups_by_mode_have_all_units_and_only_their_failures() -> None:
    table = pl.DataFrame(
        {
            "maker": ["a", "a", "a", "b", "b", "c"],
            "mode": ["x", "y", None, "x", None, None],
            "event": [1, 1, 0, 1, 1, 0],
            "age": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            "age_to": [None] * 6,
        },
        schema_overrides={"event": pl.Int8, "age_to": pl.Float64},
    )
    found = by_mode(table, ["maker", "mode"]).sort("maker", "mode", "age")
    assert found.select("maker", "mode", "age", "event").rows() == [
        ("a", "x", 1.0, 1), ("a", "x", 2.0, 0), ("a", "x", 3.0, 0),
        ("a", "y", 1.0, 0), ("a", "y", 2.0, 1), ("a", "y", 3.0, 0),
        ("b", None, 4.0, 1), ("b", None, 5.0, 1),
        ("c", None, 6.0, 0),
    ]  # fmt: skip
    assert by_mode(table, ["mode"])["mode"].null_count() == 6


@pytest.fixture(scope="module")
def view(demo_workspace: Workspace) -> View:
    return demo_workspace.view()


def test_graphql_gives_the_fit_and_its_picture(demo_workspace: Workspace, view: View) -> None:
    query = """{ lifeModel(part: "A12", maker: "S05", mode: "FM002") {
        part { number } maker { key } label unit
        fit { distribution n failures parameters { name value low high } b10 { value low high } warnings { code text } }
        plot { title x { text spacing ticks { at label } } y { spacing low high } layers { kind name x y low high } }
        hazard { layers { kind } } survival { layers { kind } }
        evidence { kind beta eta modeLabel maker { key } } } }"""
    client = Client(create_app(demo_workspace))
    body = client.post("/graphql", json={"query": query}, headers={"accept-language": "zh"}).json()
    assert "errors" not in body, body["errors"]
    said = body["data"]["lifeModel"]
    wanted = run("life_model", view, {"part": "A12", "maker": "S05", "mode": "FM002"}).payload("zh")
    assert (said["part"]["number"], said["maker"]["key"], said["unit"]) == ("A12", "S05", "h")
    parameters = {each.pop("name"): each for each in said["fit"]["parameters"]}
    for name, values in wanted["fit"]["parameters"].items():
        assert {key: values[key] for key in ("value", "low", "high")} == parameters[name]
    assert said["fit"]["failures"] == wanted["fit"]["failures"] > 40
    assert said["plot"]["title"] == wanted["plot"]["title"]
    assert said["plot"]["title"].startswith("概率图：A12")
    assert said["plot"]["y"]["spacing"] == "WEIBULL"
    drawn = [{**each, "kind": each["kind"].lower()} for each in said["plot"]["layers"]]
    assert drawn == wanted["plot"]["layers"]
    points = next(each for each in drawn if each["kind"] == "points")
    assert len(points["x"]) == said["fit"]["failures"]
    (used,) = said["evidence"]
    assert (used["kind"], used["maker"]["key"]) == ("FITTED", "S05")
    assert used["eta"] == pytest.approx(parameters["eta"]["value"], rel=1e-6)
    assert {each["kind"] for each in said["hazard"]["layers"]} == {"BAND", "LINE", "POINTS"}
    assert {each["kind"] for each in said["survival"]["layers"]} == {"BAND", "LINE", "STEPS", "RUG"}
