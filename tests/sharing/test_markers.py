"""A marker in every hidden value, looked for in every byte that leaves: bodies, headers, logs."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from chaingraph import EVERYBODY
from schema.vocabularies import AccessRole
from server.api import documents
from tests.sharing import harness, planted
from tests.sharing.harness import Site
from tests.sharing.reading import POOL, SHOW, Reading

ANOTHER = int(os.environ.get("WORLD", "2"))
"""The seed of one world: by the variable WORLD, to try others."""


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries are long here: keep them all."""
    monkeypatch.setattr(documents, "KEPT", 10**9)


@pytest.mark.parametrize("seed", [11, ANOTHER])
def test_no_marker_of_a_hidden_value_leaves(seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world = planted.world(seed, firms=3 + seed % 3)
    viewer = random.Random(seed).choice(world.firms)
    reading = Reading(world, viewer, harness.PURPOSE, planted.NOW)
    every = harness.all_markers(world)
    unshown, unused = (every - harness.seen_markers(reading, most) for most in (SHOW, POOL))
    assert unshown
    leaks: list[tuple[str, list[str]]] = []
    met: set[str] = set()
    with planted.opened(world, tmp_path) as space:
        everybody = Site(space, EVERYBODY, AccessRole.ADMINISTRATOR)
        site = Site(space, viewer, AccessRole.QUALITY)
        for ask in harness.asks_of(world, world, reading, everybody, caplog):
            said = set(planted.markers(ask.query + ask.path)) | harness.numbers_in(ask.query)
            hidden = (unused if ask.computed else unshown) - said
            found = harness.found_in(site.ask(ask, caplog), ask)
            met |= found
            if found & hidden:
                leaks.append((ask.name, sorted(found & hidden)))
        seen = set()
        for ask in harness.lists_only():
            seen |= harness.found_in(everybody.ask(ask, caplog), ask)
    assert leaks == [], f"seed {seed}, {viewer}: {harness.explain(world, leaks)}"
    assert len(seen & unshown) > len(unshown) / 2, "who sees everything meets the markers that others do not"
    assert met & (every - unshown)
