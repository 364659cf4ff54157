"""What every analysis in the registry owes: the same answer whatever things are called, plain JSON, no hang, both
languages.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from analytics import ANALYSES, run
from chaingraph import ChaingraphError, NotFound, View, Workspace
from chaingraph.snapshot import Snapshot
from schema import KINDS
from tests.analytics.test_analyses import known_machine, seen
from tests.chaingraph.world import line, machine, rows

ASKED: dict[str, dict[str, Any]] = {
    "class_rates": {"part": "B"},
    "contributions": {"product": "M", "mission": 500.0},
    "data_quality": {"organisation": "S1"},
    "growth": {"part": "B"},
    "life_comparison": {"part": "B"},
    "life_model": {"part": "B"},
    "neighbourhood": {"thing": "part:L01/M", "depth": 2},
    "propagate": {"product": "M", "hours": (10.0, 500.0)},
    "returns_forecast": {"part": "B", "use_per_month": 50.0},
    "single_points": {"product": "M"},
    "test_gains": {"product": "M", "mission": 500.0},
    "weak_links": {"product": "M"},
    "where_used": {"part": "B"},
}
STRUCTURED = {"contributions", "propagate", "test_gains", "weak_links", "where_used"}
"""Those that cannot be answered where a bill of materials runs in a circle."""


def known() -> dict[str, pl.DataFrame]:
    """The machine with 40 life records of B, ten of them failures of S2's."""
    lives = [
        {
            "id": f"r{i}",
            "part": "L01/B",
            "maker": f"S{1 + i % 2}",
            "age": 50.0 + 13 * i,
            "event": "failure" if i % 4 == 1 else "suspension",
        }
        for i in range(40)
    ]
    return known_machine(life_record=rows("life_record", *lives))


def renamed(tables: dict[str, pl.DataFrame], names: dict[str, str]) -> dict[str, pl.DataFrame]:
    """The same world with other part numbers, its tables sorted by their new keys."""
    new: dict[str, pl.DataFrame] = {}
    for name, table in tables.items():
        of = KINDS[name]
        refs = [n for n, target in of.refs.items() if target == "part"]
        swapped = table.with_columns(
            pl.col(r).replace({f"L01/{a}": f"L01/{b}" for a, b in names.items()}) for r in refs
        )
        if name == "part":
            swapped = swapped.with_columns(pl.col("number").replace(names))
        new[name] = swapped.with_columns(key=of.stored_key()).sort("key")
    return new


def test_the_battery_knows_every_analysis() -> None:
    assert set(ASKED) == set(ANALYSES)


@pytest.mark.parametrize("name", list(ASKED))
def test_answers_are_plain_json_and_tables_in_both_languages(name: str) -> None:
    found = run(name, seen(known()), ASKED[name])
    for locale in ("zh", "en"):
        json.dumps(found.payload(locale), allow_nan=False)
        headings, table = found.rows(locale)
        assert headings
        assert all(len(row) == len(headings) for row in table)


@pytest.mark.parametrize("name", list(ASKED))
def test_names_do_not_matter(name: str) -> None:
    other = {"M": "Ycq", "A": "Zaq", "B": "Xbq"}
    said = json.dumps(run(name, seen(known()), ASKED[name]).payload("en"), sort_keys=True)
    asked = {k: other.get(v, v) if isinstance(v, str) else v for k, v in ASKED[name].items()}
    asked = {k: v.replace("L01/M", "L01/Ycq") if isinstance(v, str) else v for k, v in asked.items()}
    again = json.dumps(run(name, seen(renamed(known(), other)), asked).payload("en"), sort_keys=True)
    for old, new in other.items():
        again = again.replace(f"L01/{new}", f"L01/{old}").replace(f'"{new}', f'"{old}').replace(f" {new}", f" {old}")
    assert _unordered(json.loads(again)) == _unordered(json.loads(said))


@pytest.mark.parametrize("name", list(ASKED))
def test_what_does_not_exist_is_said_and_a_circle_ends(name: str) -> None:
    with pytest.raises(NotFound):
        run(name, seen({}), ASKED[name])
    circle = {**machine(), "contains": rows("contains", line("M", "A"), line("A", "B"), line("B", "A"))}
    if name in STRUCTURED:
        with pytest.raises(ChaingraphError, match="cycle"):
            run(name, seen(circle), ASKED[name])
    else:
        json.dumps(run(name, seen(circle), ASKED[name]).payload("en"), allow_nan=False)


@pytest.mark.parametrize("name", list(ASKED))
def test_the_store_and_its_journal_give_the_same_answer(name: str, demo_workspace: Workspace) -> None:
    asked = {
        k: {"M": "VMC850", "B": "X13", "part:L01/M": "part:L01/VMC850", "S1": "S05"}.get(str(v), v)
        for k, v in ASKED[name].items()
    }
    replayed = View(Snapshot.empty().apply(demo_workspace.store.journal()))
    mapped = demo_workspace.view()
    one, other = (json.dumps(run(name, view, asked).payload("zh"), ensure_ascii=False) for view in (mapped, replayed))
    assert one == other


def _unordered(value: Any) -> Any:
    """Lists as sorted lists: where nothing else decides, rows come in the order of names."""
    if isinstance(value, dict):
        return {k: _unordered(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def test_the_page_of_the_analyses_is_what_the_code_says() -> None:
    from analytics.reference import PAGE, markdown

    assert PAGE.read_text() == markdown(), "make generate"
