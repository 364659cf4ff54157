"""A part beside its class: failures and exposures counted by hand, and what the pooling modules say of them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from analytics import run
from analytics.life.hierarchy import gamma_poisson
from analytics.life.multisample import multi_sample
from chaingraph import NotFound
from tests.analytics.test_analyses import seen
from tests.chaingraph.world import machine, part, rows


def world(**more: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Bearings B (of S1 and S2), C (of S3) and, in cycles, D; a valve V; S1's fail least, S3's most."""
    given = [
        *(("B", "S1", age, "failure", 1, "L01/B/spall") for age in (800.0, 900.0)),
        ("B", "S1", 1000.0, "suspension", 50, None),
        *(("B", "S2", 300.0 + 50 * i, "failure", 1, "L01/B/spall" if i % 2 else "L01/B/seal") for i in range(10)),
        ("B", "S2", 900.0, "suspension", 20, None),
        *(("C", "S3", 100.0 + 10 * i, "failure", 1, None) for i in range(25)),
        ("D", "S1", 5e6, "failure", 1, None),
        ("V", "S1", 50.0, "failure", 7, None),
    ]
    lives = [
        {"id": f"r{at}", "part": f"L01/{p}", "maker": maker, "age": age, "event": event, "count": count, "mode": mode}
        for at, (p, maker, age, event, count, mode) in enumerate(given)
    ]
    return {
        **machine(),
        "part": rows(
            "part", part("M"), part("A"), part("V", part_class="valve"),
            part("D", part_class="bearing", age_unit="cycles"),
            *(part(n, part_class="bearing") for n in ("B", "C", "E")),
        ),
        "life_record": rows("life_record", *lives),
        "mechanism": rows(
            "mechanism", {"code": "ME"}, {"code": "RCF", "parent": "ME"}, {"code": "LEAK"}
        ),
        "mode": rows(
            "mode",
            {"part": "L01/B", "mode": "spall", "mechanism": "RCF"},
            {"part": "L01/B", "mode": "seal", "mechanism": "LEAK"},
        ),
        **more,
    }  # fmt: skip


def asked(number: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = run("class_rates", seen(world()), {"part": number, **more}).payload("en")
    return found


COUNTED = {
    ("L01/B", "S1"): (2.0, 51700.0),
    ("L01/B", "S2"): (10.0, 18000.0 + sum(300.0 + 50 * i for i in range(10))),
    ("L01/C", "S3"): (25.0, sum(100.0 + 10 * i for i in range(25))),
}


def test_rows_are_the_class_in_the_parts_own_unit() -> None:
    found = asked("B")
    assert {(r["part"], r["maker"]): (r["failures"], r["exposure"]) for r in found["rows"]} == COUNTED
    assert [r["maker"] for r in found["rows"]] == ["S3", "S2", "S1"]
    assert [r["asked"] for r in found["rows"]] == [False, True, True]
    assert (found["part_class"], found["age_unit"], found["rows"][0]["rate"]["unit"]) == ("bearing", "h", "1/h")
    codes = [note["code"] for note in found["notes"]]
    assert codes[0] == "firms_differ"
    assert codes[-1] == "other_units"
    assert "L01/D" in found["notes"][-1]["text"]


def test_figures_are_those_of_the_pooling() -> None:
    found = asked("B")
    failures, exposure = zip(*COUNTED.values(), strict=True)
    rates, samples = gamma_poisson(failures, exposure), multi_sample(failures, exposure)
    for at, state in enumerate(COUNTED):
        row = next(r for r in found["rows"] if (r["part"], r["maker"]) == state)
        assert row["rate"]["value"] == pytest.approx(rates.shrunk.value[at])
        assert row["rate"]["high"] == pytest.approx(rates.shrunk.high[at])
        assert row["own"]["value"] == pytest.approx(failures[at] / exposure[at])
        mixed = row["weight"] * row["own"]["value"] + (1 - row["weight"]) * found["mean"]["value"]
        assert row["rate"]["value"] == pytest.approx(mixed)
        assert row["b10"]["low"] < row["b10"]["value"] < row["b10"]["high"]
    assert found["multi_sample"]["spread"] == pytest.approx(samples.spread[0])
    assert found["together"]["value"] == pytest.approx(sum(failures) / sum(exposure))
    assert found["together"]["p_alike"] == pytest.approx(samples.p_value[0])
    few = next(r for r in found["rows"] if r["maker"] == "S1")
    assert few["shape_weight"] is not None  # two failures borrow their shape
    assert few["shape"]["low"] > few["own_shape"]["low"]


def test_a_mechanism_counts_with_all_below_it() -> None:
    narrow, wide = asked("B", mechanism="RCF"), asked("B", mechanism="ME")
    assert {(r["maker"]): r["failures"] for r in narrow["rows"]} == {"S1": 2.0, "S2": 5.0, "S3": 0.0}
    assert wide["rows"] == narrow["rows"]
    assert {r["maker"]: r["exposure"] for r in narrow["rows"]} == {m: x for (_, m), (_, x) in COUNTED.items()}
    with pytest.raises(NotFound) as missing:
        asked("B", mechanism="XX")
    assert missing.value.code == "mechanism.unknown"


def test_one_row_no_class_and_no_data_are_said() -> None:
    valve = asked("V")
    assert [note["code"] for note in valve["notes"]] == ["one_group", "one_sample"]
    assert valve["rows"][0]["rate"]["value"] == pytest.approx(1 / 50)
    assert valve["mean"]["value"] is None
    bare = asked("A")
    assert [note["code"] for note in bare["notes"]] == ["no_class", "alone", "no_rows"]
    assert bare["rows"] == []
    unseen = asked("E")
    assert unseen["notes"][0]["code"] == "alone"
    assert len(unseen["rows"]) == 3
    assert not any(r["asked"] for r in unseen["rows"])
    cycles = asked("D")
    assert [r["part"] for r in cycles["rows"]] == ["L01/D"]
    assert cycles["rows"][0]["own"]["unit"] == "1/cycles"


def test_the_table_marks_the_part_and_says_what_is_to_be_known() -> None:
    found = run("class_rates", seen(world()), {"part": "B"})
    for locale, mark in (("zh", "本件"), ("en", "this part")):
        headings, table = found.rows(locale)
        assert len(headings) == len(table[0])
        assert [mark in row[-1] for row in table] == [False, True, True]
        assert len(table[0][-1]) > 20
