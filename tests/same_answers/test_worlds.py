"""Ten random worlds in either store: analyses, queries and tables say the same, to the last byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ingest
from analytics import run
from chaingraph import View, Workspace
from chaingraph.changes import ChangeSet
from fixtures import worlds
from tests.moment import loading_at
from tests.neo4j.server import Server
from tests.same_answers import asked
from tests.server import world

WORLDS = 10
PRODUCT, PART = "W0/P0000000", "W0/P0000002"
ANALYSES: dict[str, dict[str, Any]] = {
    "propagate": {"product": PRODUCT, "hours": (10.0, 500.0, 8760.0)},
    "contributions": {"product": PRODUCT, "mission": 3000.0},
    "weak_links": {"product": PRODUCT},
    "single_points": {"product": PRODUCT},
    "where_used": {"part": PART},
    "neighbourhood": {"thing": "F00000", "depth": 2},
}
QUERIES = {
    "reliability": f"""{{ product(number: "P0000000") {{ reliability(hours: [10, 500, 8760]) {{ bound
        reliability {asked.ESTIMATE} unknown {{ key }} notes {{ code text }} }} weakLinks {{ links {{ rank kind label
        loss {asked.ESTIMATE} reasons {{ text }} }} }} }} }}""",
    "where used": '{ whereUsed(part: "P0000001") { uses { part { label } level longest quantity top } } }',
    "a walk": '{ trace(things: ["part:L01/A05"]) { things { key depth label } } }',
    "failures": """{ lifeRecords(first: 100, orderBy: [{field: AGE}, {field: OBSERVED_ON, direction: DESC}]) {
        totalCount nodes { key age count observedOn part { nameZh } maker { label } } } }""",
    "parts with all around": """{ parts(first: 100, filter: {not: {nameZh: {isNull: true}}}) { totalCount nodes {
        key label supplies(first: 2) { totalCount nodes { share status supplier { label } } }
        lifeRecordsAsPart(first: 1) { totalCount } modes { nodes { mode label } } } } }""",
}  # fmt: skip


def answers(view: View) -> dict[str, str]:
    """Every analysis in both languages."""
    return {
        f"{name} in {language}": json.dumps(run(name, view, parameters).payload(language))
        for name, parameters in ANALYSES.items()
        for language in asked.LANGUAGES
    }


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_random_world_gives_the_same_answers(seed: int, neo4j_server: Server, tmp_path: Path) -> None:
    worlds.write(worlds.small(seed), tmp_path / "world")
    said = []
    for url in (f"sqlite:///{tmp_path / 'graph.db'}", neo4j_server.url):
        with Workspace.open(url) as workspace, loading_at():
            workspace.store.secret("opaque", b"o" * 32)  # what seals ids is each store's own
            assert not ingest.load(workspace, [tmp_path / "world"]).refused
            workspace.submit(ChangeSet(world.rows(seed, parts=40), by="L01"))
            said.append((answers(workspace.view()), list(asked.over_http(workspace, QUERIES, "json"))))
    (one, over_http), (other, too) = said
    assert one == other
    assert [what for what, status, answer in over_http if status != 200 or b'"errors"' in answer] == []
    assert json.loads(one["propagate in zh"])["reliability"][0] > json.loads(one["propagate in zh"])["reliability"][-1]
    for found, expected in zip(too, over_http, strict=True):
        assert found == expected, found[0]
