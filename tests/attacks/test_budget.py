"""The budget of a member: what it draws, what comes back, what others learn of it (nothing)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from chaingraph import Actor, Workspace
from schema.vocabularies import AccessRole
from server.api.app import Settings, create_app
from server.api.budget import Budgets
from server.api.errors import ApiError, Code
from server.api.limits import Limits
from tests.attacks.test_abuse import endpoint_of
from tests.server import world
from tests.server.client import Client, acting

SMALL = Limits(budget=1000, budget_rate=10)


class Clock:
    """A clock that goes when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def actor(organisation: str, account: str = "a") -> Actor:
    return Actor(organisation, AccessRole.ANALYST, account=account)


def refused(budgets: Budgets, who: Actor, cost: float) -> ApiError:
    with pytest.raises(ApiError) as caught:
        budgets.spend(who, cost)
    assert caught.value.code == Code.THROTTLED
    return caught.value


def test_what_is_drawn_comes_back_over_time() -> None:
    clock = Clock()
    budgets = Budgets(SMALL, clock)
    assert budgets.spend(actor("A"), 400) == 100  # of an account's half
    error = refused(budgets, actor("A"), 200)
    assert error.extensions == {
        "code": "THROTTLED",
        "retryAfter": 20,
        "cost": {"requested": 200, "allowed": SMALL.cost, "remaining": 100},
    }
    clock.now = 19.9
    refused(budgets, actor("A"), 200)
    clock.now = 20.0
    assert budgets.spend(actor("A"), 200) == 0
    clock.now = 1e6
    assert budgets.spend(actor("A"), 0) == 499


def test_accounts_share_what_their_organisation_has() -> None:
    budgets = Budgets(SMALL, Clock())
    assert budgets.spend(actor("A", "one"), 500) == 0
    refused(budgets, actor("A", "one"), 1)
    assert budgets.spend(actor("A", "two"), 500) == 0
    refused(budgets, actor("A", "three"), 1)


def test_what_remains_says_nothing_of_others() -> None:
    alone, beside = Budgets(SMALL, Clock()), Budgets(SMALL, Clock())
    for each in range(40):
        beside.spend(actor(f"B{each}"), 500)
    assert alone.spend(actor("A"), 17) == beside.spend(actor("A"), 17)


def test_a_request_beyond_a_full_bucket_empties_it() -> None:
    clock = Clock()
    budgets = Budgets(SMALL, clock)
    assert budgets.spend(actor("A"), 1e9) == 0
    assert refused(budgets, actor("A"), 1e9).extensions["retryAfter"] == 100  # type: ignore[index]


def test_a_refusal_draws_nothing() -> None:
    budgets = Budgets(SMALL, Clock())
    budgets.spend(actor("A"), 400)
    for _ in range(20):
        refused(budgets, actor("A"), 200)
    assert budgets.spend(actor("A"), 100) == 0


def test_there_are_only_so_many_buckets() -> None:
    budgets = Budgets(SMALL, Clock(), kept=10)
    for each in range(100):
        budgets.spend(actor(f"B{each}"), 10)
    assert len(budgets._buckets) == 10


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with world.workspace(tmp_path_factory.mktemp("graph")) as made:
        yield made


def app_of(space: Workspace, organisation: str) -> Starlette:
    made = create_app(space, Settings(authenticate=acting(organisation), limits=SMALL))
    endpoint_of(made).budgets.clock = Clock()
    return made


QUERY = {"query": "{ parts(first: 100) { nodes { key } } }"}


def test_the_answer_says_what_remains_until_it_is_too_much(space: Workspace) -> None:
    client = Client(app_of(space, "L01"))
    found = [client.post("/graphql", json=QUERY) for _ in range(5)]
    assert [each.status_code for each in found] == [200, 200, 200, 200, 429]
    costs = [each.json()["extensions"]["cost"] for each in found[:4]]
    assert [each["remaining"] for each in costs] == [399, 298, 197, 96]
    assert found[4].headers["retry-after"] == "1"
    (error,) = found[4].json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["cost"]["remaining"]) == ("THROTTLED", 96)


def test_the_administrator_of_an_embedded_store_has_no_budget(space: Workspace) -> None:
    client = Client(app_of(space, ""))
    for _ in range(12):
        found = client.post("/graphql", json=QUERY)
        assert (found.status_code, "remaining" in found.json()["extensions"]["cost"]) == (200, False)
