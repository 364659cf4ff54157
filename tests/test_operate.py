"""What docs/operate.md says about keeping a graph is done, word for word, on a real server."""

import json
from pathlib import Path

import pytest

from chaingraph.settings import settings
from tests.neo4j.server import Server
from tests.server.cli import Call
from tests.test_repository import ROOT, commands

KEPT, RESTORED = "neo4j://graph.example:7687", "neo4j://restored.example:7687"
ASKED = (["where-used", "A12"], ["single-points", "VMC850"], ["neighbourhood", "S31"])
DEMO = ROOT / "fixtures" / "demo"


def documented() -> list[list[str]]:
    """The commands about stores, in the order of the page."""
    found = [words[1:] for words in commands(ROOT / "docs" / "operate.md") if words[:2] == ["chaingraph", "store"]]
    return [words for words in found if words[1:] != ["info"]]


def test_a_backup_is_made_and_restored_by_the_documented_commands(
    neo4j_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = neo4j_server.url.replace("bolt://", "neo4j://")
    graph, backup = Call(url), Call("sqlite:///backup.db")

    def follow(words: list[str]) -> str:
        done = graph(*(url if word in {KEPT, RESTORED} else word for word in words))
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def answers(asked: Call) -> list[str]:
        found = [asked(*words, "--format", "json") for words in ASKED]
        assert [each.exit_code for each in found] == [0, 0, 0]
        return [each.stdout for each in found]

    def head(asked: Call) -> dict[str, object]:
        told = json.loads(asked("store", "info", "--format", "json").stdout)
        return {name: told[name] for name in ("revision", "digest", "rows")}

    assert graph("load", str(DEMO)).exit_code == 0
    before, kept = answers(graph), head(graph)
    steps = documented()
    assert [words[1] for words in steps] == ["copy", "verify", "copy", "verify"]
    for words in steps[:2]:
        follow(words)
    assert head(backup) == kept
    assert answers(backup) == before
    follow(steps[0])  # again: nothing is new
    assert head(backup) == kept
    neo4j_server.wipe()
    monkeypatch.setenv("CHAINGRAPH_CACHE", str(tmp_path / "another machine"))
    settings.cache_clear()
    assert head(graph)["revision"] == 0
    for words in steps[2:]:
        follow(words)
    assert head(graph) == kept
    assert answers(graph) == before
    settings.cache_clear()
