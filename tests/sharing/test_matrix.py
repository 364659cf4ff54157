"""Hidden data are without effect: every field, as every role, in worlds that differ in nothing but what is hidden.

Queries are generated from the schema, what is hidden is read from the rules (`reading.py`), never from the code that is
judged. Answers are compared byte by byte with their headers and with what was logged meanwhile.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from chaingraph import EVERYBODY
from chaingraph.changes import ChangeSet
from schema.vocabularies import AccessRole, Aspects
from server.api import documents
from server.api.naming import lists
from tests.sharing import harness, planted
from tests.sharing.harness import Answer, Site
from tests.sharing.reading import Reading

ANOTHER = int(os.environ.get("WORLD", "2"))
"""The seed of one world: by the variable WORLD, to try others."""
CASES = [(ANOTHER + number, role) for number, role in enumerate(AccessRole)]


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries are long here: keep them all."""
    monkeypatch.setattr(documents, "KEPT", 10**9)


def test_every_field_of_every_kind_is_asked_for() -> None:
    assert harness.kinds_without() == set()


@pytest.mark.parametrize(("seed", "role"), CASES)
def test_hidden_data_change_no_byte(
    seed: int, role: AccessRole, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    world = planted.world(seed, firms=3 + seed % 3)
    viewer = random.Random(seed).choice(world.firms)
    other = harness.sibling(world, viewer, seed)
    reading = Reading(world, viewer, harness.PURPOSE, planted.NOW)
    with planted.opened(world, tmp_path / "one") as one:
        everybody = Site(one, EVERYBODY, AccessRole.ADMINISTRATOR)
        asks = harness.asks_of(world, other, reading, everybody, caplog)
        first = Site(one, viewer, role)
        answers = [first.ask(each, caplog) for each in asks]
        with planted.opened(other, tmp_path / "two", harness.secrets_of(one)) as two:
            second = Site(two, viewer, role)
            different = [
                (each.name, harness.difference(answer, again))
                for each, answer in zip(asks, answers, strict=True)
                if (again := second.ask(each, caplog)) != answer
            ]
            assert different == [], f"seed {seed}, {viewer} as {role}"
            changed = Site(two, EVERYBODY, AccessRole.ADMINISTRATOR)
            plain = [each for each in asks if each.name in lists()]
            told = [each.name for each in plain if everybody.ask(each, caplog) != changed.ask(each, caplog)]
    assert len(told) > len(plain) / 3, "the worlds are too much alike to show anything"
    assert not [each.name for each, answer in zip(asks, answers, strict=True) if b"INTERNAL" in answer.body]


@pytest.mark.parametrize("role", AccessRole)
def test_what_is_hidden_is_hidden_from_every_role(
    role: AccessRole, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    world = planted.world(2)
    viewer = world.firms[0]
    other = harness.sibling(world, viewer, 2)
    with planted.opened(world, tmp_path / "one") as one:
        Site(one, viewer, role).ask(harness.lists_only()[0], caplog)  # makes the secrets
        with planted.opened(other, tmp_path / "two", harness.secrets_of(one)) as two:
            first, second = Site(one, viewer, role), Site(two, viewer, role)
            answers = {each.name: first.ask(each, caplog) for each in harness.columns_and_tables()}
            again = {each.name: second.ask(each, caplog) for each in harness.columns_and_tables()}
    assert again == answers
    forbidden = {name for name, answer in answers.items() if answer.status == 403 or b"FORBIDDEN" in answer.body}
    assert forbidden == (set(answers) if role is AccessRole.AUDITOR else set())


def test_an_agreement_that_ends_between_two_requests_takes_everything_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = planted.world(4)
    owner, viewer = world.firms[:2]
    told = planted.agreement(world, owner) | {
        "grantee": viewer, "records": "all", "aspects": ";".join(Aspects.codes()), "purposes": harness.PURPOSE,
        "mode": "show", "state": "accepted", "start": planted.NOW - planted.YEAR, "end": planted.NOW + planted.YEAR,
    }  # fmt: skip
    world.rows["agreement"] = [told]
    shown, hidden = (
        harness.seen_markers(Reading(world, viewer, harness.PURPOSE, at), 0)
        for at in (planted.NOW, planted.NOW + planted.YEAR)
    )
    of_owner = shown - hidden
    assert len(of_owner) > 20
    with planted.opened(world, tmp_path) as space:
        site = Site(space, viewer, AccessRole.QUALITY)
        everything = harness.columns_and_tables()
        before = {m for each in everything for m in harness.found_in(site.ask(each, caplog), each)}
        cursor = site.client.post("/graphql", json={"query": "{ parts { pageInfo { startCursor } nodes { id } } }"})
        world.rows["agreement"] = [told | {"state": "revoked"}]
        space.submit(ChangeSet(put={"agreement": planted.frames(world)["agreement"]}))
        after = {m for each in everything for m in harness.found_in(site.ask(each, caplog), each)}
        for node in cursor.json()["data"]["parts"]["nodes"]:
            found = site.client.post("/graphql", json={"query": f'{{ node(id: "{node["id"]}") {{ id }} }}'})
            after |= harness.found_in(Answer(found.status_code, (), found.content, ()), everything[0])
    assert len(before & of_owner) > len(of_owner) / 2
    assert after & of_owner == set()
