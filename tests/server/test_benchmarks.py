"""Benchmarks over GraphQL and on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analytics.pooling.releases import release
from chaingraph import Workspace
from schema.vocabularies import AccessRole
from server.api.app import Settings, create_app
from tests.analytics.pooling import world
from tests.server.cli import Call
from tests.server.client import Client, acting

FIGURES = "refused { code text(locale: ZH) } estimate { value low high unit } contributors"


@pytest.fixture
def workspace(tmp_path: Path) -> Any:
    with world.firms(tmp_path, 8) as found:
        yield found


def ask(workspace: Workspace, firm: str, query: str, role: AccessRole = AccessRole.ANALYST) -> dict[str, Any]:
    app = create_app(workspace, Settings(authenticate=acting(firm, role)))
    response = Client(app).post("/graphql", json={"query": query})
    found: dict[str, Any] = response.json()
    return found


def test_a_released_figure_and_the_viewers_place(workspace: Workspace) -> None:
    release(workspace, world.actor())
    asked = 'metric: FAILURE_RATE, partClass: "bearing", mechanism: "ME"'
    query = f"{{ benchmark({asked}) {{ %s own {{ value }} place {{ value }} }} }}"
    found = ask(workspace, "F003", query % FIGURES)["data"]["benchmark"]
    assert found["refused"] is None
    assert found["contributors"] == 8
    assert found["estimate"]["unit"] == "1/h"
    assert 0 < found["place"]["value"] < 1
    other = ask(workspace, "F004", query % FIGURES)["data"]["benchmark"]
    assert other["estimate"] == found["estimate"]
    assert other["own"] != found["own"]


def test_a_refusal_says_why_in_both_languages(workspace: Workspace) -> None:
    query = '{ benchmark(metric: LEAD_TIME, partClass: "bearing", tier: 1, statistic: MEAN) { %s } }'
    found = ask(workspace, "F003", query % FIGURES)["data"]["benchmark"]
    assert found["refused"]["code"] == "too_few"
    assert "5" in found["refused"]["text"]
    assert found["estimate"] is None
    assert found["contributors"] is None


def test_a_role_without_the_right_is_refused(workspace: Workspace) -> None:
    query = '{ benchmark(metric: LEAD_TIME, partClass: "bearing") { contributors } }'
    found = ask(workspace, "F003", query, AccessRole.EXPERT)
    assert found["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_commands_release_list_and_show(workspace: Workspace) -> None:
    call = Call(workspace.store.url)
    tried = call("benchmark", "release", "--dry-run")
    assert "nothing was released" in tried.stderr
    assert json.loads(call("benchmark", "list", "--format", "json").stdout) == []
    made = json.loads(call("benchmark", "release", "--on", "2026-06-01", "--format", "json").stdout)
    assert {each["metric"] for each in made if each["refused"] is None} >= {
        "failure_rate",
        "lead_time",
        "weibull_shape",
    }
    assert json.loads(call("benchmark", "list", "--as", "F002", "--format", "json").stdout) == made
    shown = call("benchmark", "lead_time", "--class", "bearing", "--as", "F002", "--format", "json")
    found = json.loads(shown.stdout)
    assert found["released"] == "2026-06-01"
    assert found["place"]["value"] > 0
    table = call("benchmark", "lead_time", "--class", "bearing", "--as", "F002", "--lang", "zh")
    assert "企业数" in table.stdout
    few = call("benchmark", "lead_time", "--class", "bearing", "--tier", "2", "--as", "F002")
    assert "Fewer than 5 firms" in few.stdout


def test_wrong_use_is_told(workspace: Workspace) -> None:
    call = Call(workspace.store.url)
    assert call("benchmark", "lead_time", "--class", "bearing", "--epsilon", "0.5").exit_code == 2
    noisy = ("--epsilon", "0.5", "--between", "1", "90", "--statistic", "sum")
    assert call("benchmark", "lead_time", "--class", "bearing", *noisy).exit_code == 2
    assert call("benchmark", "speed", "--class", "bearing").exit_code == 2
    nobody = call("benchmark", "lead_time", "--class", "bearing", "--as", "NOBODY")
    assert nobody.exit_code == 1
    large = call("benchmark", "lead_time", "--class", "bearing", "--epsilon", "0.5", "--between", "1", "90")
    assert "Fewer than 100 firms" in large.stdout
