"""Uploads step by step in worlds that differ in nothing but what is hidden: the same is shown, byte by byte."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest

from chaingraph import Actor, Workspace
from ingest.desk import Desk
from schema.vocabularies import AccessRole
from server.api.app import Settings, create_app
from tests.server.client import Client, acting
from tests.server.test_drafts import CONFIRM, DRAFT, MAP, STATES, WITHDRAW, begun, got
from tests.server.test_files import put
from tests.sharing import asking, harness, planted
from tests.sharing.reading import Reading

SEEDS = (3,)


def files(world: planted.World, viewer: str) -> dict[str, bytes]:
    """What a firm brings about every part and firm that there is, seen or hidden, as one who guesses would."""
    rng = random.Random(1)
    parts = [(row["issuer"], row["number"]) for row in world.rows["part"]]
    lines = {
        "parts.csv": ["number,name_zh", *(f"{number},甲" for _, number in parts[:20])],
        "supplies.csv": [
            "part,supplier,customer,share",
            *(f"{issuer}/{number},{viewer},{rng.choice(world.firms)},0.25" for issuer, number in parts[:20]),
            *(f"{number},{viewer},{rng.choice(world.firms)},0.5" for _, number in parts[:20]),
        ],
        "contains.csv": [
            "parent,child,quantity",
            *(f"{one}/{a},{two}/{b},1" for (one, a), (two, b) in itertools.pairwise(parts[:16])),
        ],
        "life_records.csv": [
            "id,part,maker,event,age,age_unit",
            *(f"R{i},{number},{rng.choice(world.firms)},failure,{i + 1},h" for i, (_, number) in enumerate(parts[:20])),
        ],
    }
    return {name: "\n".join(rows).encode() for name, rows in lines.items()}


def told(space: Workspace, folder: Path, viewer: str, brought: dict[str, bytes]) -> list[str]:
    """Everything that the viewer is told from the first step to the last."""
    desk = Desk(space, folder)
    chosen = Settings(authenticate=acting(viewer, AccessRole.SUPPLIER), desk=desk, limits=asking.ROOMY)
    client = Client(create_app(space, chosen))
    draft = begun(client, *brought.items())["draft"]
    code = draft["code"]
    for each, content in zip(draft["files"], brought.values(), strict=True):
        put(client, each["url"], content)
    found = [got(client, DRAFT, code=code)]
    found.append(got(client, MAP, input={"code": code, "sheets": [{"name": "parts.csv", "kind": "PART"}]}))
    digest = found[-1]["draft"]["preview"]["digest"]
    found.append(got(client, CONFIRM, input={"code": code, "seen": digest}))
    desk.work_all()
    load = desk.get(Actor(viewer), code).load
    found += [got(client, query, **variables) for query, variables in ((DRAFT, {"code": code}), (STATES, {}))]
    found.append(got(client, WITHDRAW, code=code))
    return [json.dumps(each, ensure_ascii=False).replace(code, "DRAFT").replace(str(load), "LOAD") for each in found]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_hidden_changes_nothing_that_an_upload_is_told(seed: int, tmp_path: Path) -> None:
    world = planted.world(seed, firms=3 + seed % 3)
    viewer = random.Random(seed).choice(world.firms)
    other = harness.sibling(world, viewer, seed)
    assert other.rows != world.rows
    brought = files(world, viewer)
    with planted.opened(world, tmp_path / "one") as one:
        first = told(one, tmp_path / "spool of one", viewer, brought)
        with planted.opened(other, tmp_path / "two", harness.secrets_of(one)) as two:
            second = told(two, tmp_path / "spool of two", viewer, brought)
    hidden = harness.all_markers(world) - harness.seen_markers(Reading(world, viewer, harness.PURPOSE, planted.NOW), 0)
    words = {word for word, _ in harness.WORDS.findall("\n".join(first)) if word}
    said = {m for each in brought.values() for m in planted.markers(each.decode())}
    for number, (before, after) in enumerate(zip(first, second, strict=True)):
        assert before == after, f"step {number}"
    assert words & hidden <= said
    assert '"taken": true' in first[3]
