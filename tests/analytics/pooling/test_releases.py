"""Releases and answers: the same for everybody, within the audit, in the log."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analytics.pooling import asking
from analytics.pooling.answers import Benchmark
from analytics.pooling.asking import BenchmarkFilter, Noise, ask_benchmark, compute_benchmark
from analytics.pooling.releases import COLLECTION, release, released
from analytics.pooling.rules import Rules
from chaingraph import Action, ChaingraphError, Entry, NotFound, Workspace
from schema.vocabularies import AccessRole
from tests.analytics.pooling import world
from tests.chaingraph.world import change, rows

RATE = ("failure_rate", "bearing")


def logged(workspace: Workspace, action: Action) -> list[Entry]:
    entries = [Entry.read(leaf) for leaf in workspace.store.leaves("audit")]
    return [each for each in entries if each.action is action]


def code(found: Benchmark) -> str | None:
    return found.refused.code if found.refused else None


def test_every_member_is_given_the_same_until_the_next_release(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8) as workspace:
        assert code(ask_benchmark(workspace, world.actor("F001"), *RATE)) == "unreleased"
        release(workspace, world.actor(), dt.date(2026, 6, 1))
        answers = [ask_benchmark(workspace, world.actor(f), *RATE).payload("en") for f in world.names(8)]
        shared = [{k: v for k, v in each.items() if k not in {"own", "place", "notes"}} for each in answers]
        assert len({json.dumps(each) for each in shared}) == 1
        assert shared[0]["contributors"] == 8
        assert shared[0]["released"] == "2026-06-01"
        assert shared[0]["estimate"]["low"] < shared[0]["estimate"]["value"] < shared[0]["estimate"]["high"]
        assert len({each["own"]["value"] for each in answers}) == 8
        order = np.argsort([each["own"]["value"] for each in answers])
        places = np.array([each["place"]["value"] for each in answers])
        assert (np.diff(places[order]) > 0).all()
        changed = world.lives("F001", np.random.default_rng(9), 2025)
        workspace.submit(change(life_record=rows("life_record", *changed)))
        assert ask_benchmark(workspace, world.actor("F002"), *RATE).payload("en") == answers[2]


def test_releases_are_deterministic(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with world.firms(tmp_path / name, 9) as workspace:
            found.append(release(workspace, world.actor(), dt.date(2026, 6, 1))[0])
    assert found[0] == found[1]


def test_answers_name_nobody(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8) as workspace:
        release(workspace, world.actor())
        for locale in ("en", "zh"):
            said = json.dumps(ask_benchmark(workspace, world.actor("F001"), *RATE).payload(locale))
            assert not any(name in said for name in world.names(8))


def test_contributors_see_what_their_data_went_into(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8, shared=world.names(8)[1:]) as workspace:
        release(workspace, world.actor())
        ask_benchmark(workspace, world.actor("F001"), *RATE)
        compute_benchmark(workspace, world.actor("F002"), *RATE)
        (out,) = logged(workspace, Action.RELEASED)
        assert out.owners == tuple(world.names(8)[1:])
        first, second = logged(workspace, Action.BENCHMARK)
        assert first.owners == second.owners == tuple(world.names(8)[1:])
        assert first.organisation == "F001"
        assert "AG-F003/1" in first.agreements
        assert first.what["released"] == out.what["on"]
        assert b"e-05" not in b"".join(workspace.store.leaves("audit"))  # no figures


def test_subsidiaries_of_one_owner_count_once(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8, parents=dict.fromkeys(world.names(8)[:4], "HOLDING")) as workspace:
        release(workspace, world.actor())
        found = ask_benchmark(workspace, world.actor("F005"), "lead_time", "bearing")
        assert code(found) is None
        assert found.contributors == 5
    (tmp_path / "b").mkdir()
    with world.firms(tmp_path / "b", 8, parents=dict.fromkeys(world.names(8)[:5], "HOLDING")) as workspace:
        assert release(workspace, world.actor())[0].cells == {}
        found = ask_benchmark(workspace, world.actor("F006"), "lead_time", "bearing")
        assert code(found) == "too_few"


def test_a_firm_that_joins_is_held_back_until_nobody_can_tell_its_figure(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8, shared=world.names(8)[:7]) as workspace:
        before = release(workspace, world.actor(), dt.date(2026, 6, 1))[0].cells["failure_rate|bearing|"]
        workspace.submit(change(agreement=rows("agreement", world.agreement("F007"))))
        after = release(workspace, world.actor(), dt.date(2026, 7, 1))[0].cells["failure_rate|bearing|"]
        assert after["owners"] == world.names(8)[:7]
        assert after["value"] == before["value"]
        assert code(compute_benchmark(workspace, world.actor("F001"), *RATE)) == "solvable"


def test_a_firm_that_joins_is_held_back_though_everybodys_data_have_changed(tmp_path: Path) -> None:
    """A little: the old figure without it and the new one with it would come close to what it has."""
    with world.firms(tmp_path, 8, shared=world.names(8)[:7]) as workspace:
        release(workspace, world.actor(), dt.date(2026, 6, 1))
        more = [
            {"owner": f, "part": "F000/B", "id": f"{f}-more", "event": "failure", "age": 900.0 + at}
            for at, f in enumerate(world.names(8))
        ]
        joined = rows("agreement", world.agreement("F007"))
        workspace.submit(change(agreement=joined, life_record=rows("life_record", *more)))
        cell = release(workspace, world.actor(), dt.date(2026, 7, 1))[0].cells["failure_rate|bearing|"]
        assert cell["owners"] == world.names(8)[:7]
        assert cell["as_of"] == "2026-07-01"


def test_a_firm_whose_data_alone_changed_keeps_that_to_itself(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8) as workspace:
        release(workspace, world.actor(), dt.date(2026, 6, 1))
        first = ask_benchmark(workspace, world.actor("F000"), *RATE)
        more = world.lives("F001", np.random.default_rng(9), 2025, units=100)
        workspace.submit(change(life_record=rows("life_record", *more)))
        release(workspace, world.actor(), dt.date(2026, 7, 1))
        second = ask_benchmark(workspace, world.actor("F000"), *RATE)
        assert second.estimate == first.estimate
        assert (second.as_of, second.released) == ("2026-06-01", "2026-07-01")
        assert [each.code for each in second.notes] == ["kept"]
        everybody = [
            row for f in world.names(8) for row in world.lives(f, np.random.default_rng(int(f[1:]) + 40), 2026)
        ]
        workspace.submit(change(life_record=rows("life_record", *everybody)))
        release(workspace, world.actor(), dt.date(2026, 8, 1))
        assert ask_benchmark(workspace, world.actor("F000"), *RATE).as_of == "2026-08-01"


def test_a_firm_that_takes_its_agreement_back_is_in_no_later_figure(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8) as workspace:
        release(workspace, world.actor(), dt.date(2026, 6, 1))
        gone = rows("agreement", world.agreement("F003", state="revoked"))
        workspace.submit(change(agreement=gone))
        cells = release(workspace, world.actor(), dt.date(2026, 7, 1))[0].cells
        assert all("F003" not in cell.get("owners", []) for cell in cells.values())
        assert cells["failure_rate|bearing|"]["refused"] == "solvable"


def test_a_failure_by_another_mechanism_is_not_told_by_the_wider_one(tmp_path: Path) -> None:
    """ME is ME-1 and what else is below it: with failures by ME-2 at one firm only, one of the two is not released."""
    with world.firms(tmp_path, 8) as workspace:
        more = {"owner": "F001", "part": "F000/B", "id": "X", "event": "failure", "age": 900.0, "mechanism": "ME-2"}
        below = rows("mechanism", {"code": "ME-2", "parent": "ME"})
        workspace.submit(change(mechanism=below, life_record=rows("life_record", more)))
        cells = release(workspace, world.actor())[0].cells
        for metric in ("failure_rate", "weibull_shape", "weibull_scale"):
            told = {each: cells.get(f"{metric}|bearing|{each}", {}).get("refused") for each in ("ME", "ME-1")}
            assert sorted(told.values(), key=str) == [None, "solvable"], metric


def test_a_trial_leaves_nothing_behind(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8) as workspace:
        tried = release(workspace, world.actor(), dt.date(2026, 6, 1), dry=True)
        assert dict(workspace.register.all(COLLECTION)) == {}
        assert list(workspace.store.leaves("audit")) == []
        assert release(workspace, world.actor(), dt.date(2026, 6, 1)) == tried


def test_who_may_release_and_who_may_ask(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8) as workspace:
        for actor in (world.actor("F000", AccessRole.ANALYST), world.actor("F000", AccessRole.SUPPLIER)):
            with pytest.raises(ChaingraphError, match=r"benchmark\.forbidden"):
                release(workspace, actor)
        with pytest.raises(NotFound, match=r"consortium\.unknown"):
            release(workspace, world.actor("F001"))
        assert len(release(workspace, world.actor("F000"))) == 1
        with pytest.raises(ChaingraphError, match=r"benchmark\.forbidden"):
            ask_benchmark(workspace, world.actor("F001", AccessRole.EXPERT), *RATE)
        assert released(workspace, world.actor("F001", AccessRole.ANALYST))[0].consortium == "C"
        workspace.submit(change(organisation=rows("organisation", {"id": "X"})))
        assert code(ask_benchmark(workspace, world.actor("X"), *RATE)) == "unreleased"


def test_differences_by_filters_are_refused_and_repeated_questions_are_not(tmp_path: Path) -> None:
    with world.firms(tmp_path, 18) as workspace:
        actor = world.actor("F003")
        whole = compute_benchmark(workspace, actor, *RATE)
        assert whole.contributors == 18
        tiers = [compute_benchmark(workspace, actor, *RATE, where=BenchmarkFilter(tier=t)) for t in (1, 2, 3)]
        assert [code(each) for each in tiers] == [None] * 3
        assert compute_benchmark(workspace, actor, *RATE) == whole
        moved = (
            workspace.view()
            .table("organisation")
            .with_columns(tier=pl.when(pl.col("id") == "F000").then(2).otherwise("tier"))
        )
        workspace.submit(change(organisation=moved.select(workspace.snapshot().table("organisation").columns)))
        assert code(compute_benchmark(workspace, actor, *RATE, where=BenchmarkFilter(tier=2))) == "solvable"


def test_a_dominated_answer_counts_as_given(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8) as workspace:
        great = [{"owner": "F000", "part": "F000/B", "id": "G", "event": "suspension", "age": 1e6, "count": 9000}]
        workspace.submit(change(life_record=rows("life_record", *great)))
        actor = world.actor("F003")
        assert code(compute_benchmark(workspace, actor, *RATE)) == "dominated"
        stored = dict(workspace.register.all(COLLECTION))["audit"]
        assert stored["fine"]["rows"]


def test_what_is_given_in_releases_only(tmp_path: Path) -> None:
    with world.firms(tmp_path, 8) as workspace:
        for metric in ("weibull_shape", "weibull_scale"):
            with pytest.raises(ChaingraphError, match=r"benchmark\.released_only"):
                compute_benchmark(workspace, world.actor("F001"), metric, "bearing")
        with pytest.raises(ChaingraphError, match=r"benchmark\.released_only"):
            compute_benchmark(workspace, world.actor("F001"), *RATE, statistic="median")
        with pytest.raises(NotFound, match=r"benchmark\.metric"):
            ask_benchmark(workspace, world.actor("F001"), "mtbf", "bearing")
        with pytest.raises(ChaingraphError, match=r"benchmark\.mechanism"):
            ask_benchmark(workspace, world.actor("F001"), "lead_time", "bearing", "ME")
        with pytest.raises(NotFound, match=r"mechanism\.unknown"):
            ask_benchmark(workspace, world.actor("F001"), *RATE, "XX")


def test_noise_is_for_large_pools_and_has_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = Noise(0.6, 1.0, 100.0)
    lead = ("lead_time", "bearing")
    with world.firms(tmp_path, 12) as workspace:
        actor = world.actor("F001")
        assert code(compute_benchmark(workspace, actor, *lead, noise=noise)) == "too_few"
        monkeypatch.setattr(asking, "rules", lambda: Rules(private_contributors=10))
        found = compute_benchmark(workspace, actor, *lead, noise=noise)
        assert [each.code for each in found.notes] == ["private"]
        assert "13.8" in found.notes[0].text.en  # (100 - 1) / 12 / 0.6
        assert code(compute_benchmark(workspace, actor, *lead, noise=noise)) == "spent"
        assert "audit" not in dict(workspace.register.all(COLLECTION))


def ask(url: str, tier: int | None, wait: object, answers: object) -> None:
    """One of two processes that ask at once."""
    with Workspace.open(url) as workspace:
        workspace.view()
        wait.wait()  # type: ignore[attr-defined]
        found = compute_benchmark(workspace, world.actor("F003"), *RATE, where=BenchmarkFilter(tier=tier))
        answers.put(code(found))  # type: ignore[attr-defined]


def test_two_processes_at_once_are_not_both_told_what_only_one_may_know(tmp_path: Path) -> None:
    """All firms, and all but two: the second of the two questions is refused, whichever it is."""
    with world.firms(tmp_path, 10) as workspace:
        table = workspace.snapshot().table("organisation")
        put = table.with_columns(tier=pl.when(pl.col("id").is_in(["F000", "F001"])).then(2).otherwise(1).cast(pl.Int64))
        workspace.submit(change(organisation=put))
        url = workspace.store.url
    context = multiprocessing.get_context("spawn")
    wait, answers = context.Barrier(2), context.Queue()
    both = [context.Process(target=ask, args=(url, tier, wait, answers)) for tier in (None, 1)]
    for each in both:
        each.start()
    found = [answers.get(timeout=120) for _ in both]
    for each in both:
        each.join(60)
    assert sorted(found, key=str) == [None, "solvable"]
