"""Two worlds that differ in what a viewer may not see, in two applications; and all that comes out of them."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from starlette.applications import Starlette
from strawberry.utils.str_converters import to_camel_case

from chaingraph import Workspace
from schema import KINDS, Kind, kind
from schema.vocabularies import AccessRole
from server.api.app import Settings, create_app
from server.api.documents import Documents
from server.api.naming import lists
from tests.attacks.test_abuse import endpoint_of
from tests.server.client import Client, acting
from tests.sharing import asking, planted
from tests.sharing.planted import Row, World, natural
from tests.sharing.reading import NEVER, SHOW, Reading

DOCUMENTS = Documents(asking.CORE, asking.ROOMY, development=False)
"""Read once for all applications of a test run."""
PURPOSE = "quality"


@dataclass(frozen=True)
class Answer:
    """All that came back of one request."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    logged: tuple[str, ...]


class Site:
    """A world as one viewer's requests find it."""

    def __init__(self, space: Workspace, viewer: str, role: AccessRole) -> None:
        self.app: Starlette = create_app(
            space, Settings(limits=asking.ROOMY, development=False, authenticate=acting(viewer, role))
        )
        endpoint = endpoint_of(self.app)
        endpoint.documents = DOCUMENTS
        endpoint.budgets.clock = lambda: 0.0
        self.client = Client(self.app)

    def ask(self, ask: asking.Ask, caplog: pytest.LogCaptureFixture) -> Answer:
        """The whole answer to a request, and what was logged of it."""
        caplog.clear()
        headers = {"x-request-id": "the-same-1", "accept": "application/graphql-response+json"}
        if ask.query:
            found = self.client.post(ask.path, json={"query": ask.query}, headers=headers)
        else:
            found = self.client.get(ask.path, headers=headers)
        logged = tuple(r.getMessage() for r in caplog.records if r.name.split(".")[0] in {"server", "chaingraph"})
        return Answer(found.status_code, tuple(found.headers.multi_items()), found.content, logged)


def shown_to(reading: Reading) -> list[tuple[Any, ...]]:
    """Everything that a viewer may have in any way, with how: equal for worlds that it cannot tell apart."""
    found: list[tuple[Any, ...]] = []
    for of, row, mode in reading.rows():
        if mode != NEVER:
            cells = [(name, how, row.get(name) if how != NEVER else None) for name, how in reading.cells(of, row, mode)]
            found.append((of.name, natural(of, row), row["owner"], mode, tuple(cells)))
    mentioned = sorted(reading.known)
    return [*sorted(found, key=repr), ("known", *mentioned)]


def sibling(world: World, viewer: str, seed: int) -> World:
    """The world with other hidden rows: some changed, some gone, some new; what the viewer may have is the same."""
    rng = random.Random(seed)
    reading = Reading(world, viewer, PURPOSE, planted.NOW)
    before = shown_to(reading)
    hidden = [(of.name, natural(of, row), row["owner"]) for of, row, mode in reading.rows() if mode == NEVER]
    made = copy.deepcopy(world)
    rng.shuffle(hidden)
    for name, key, owner in hidden:
        tried = copy.deepcopy(made)
        vary(tried, kind(name), key, owner, rng)
        if shown_to(Reading(tried, viewer, PURPOSE, planted.NOW)) == before:
            made = tried
    return made


def vary(world: World, of: Kind, key: str, owner: str, rng: random.Random) -> None:
    """Change a row's values, take it out, or put another like it beside it."""
    rows = world.rows[of.name]
    (row,) = (r for r in rows if r["owner"] == owner and natural(of, r) == key)
    way = rng.choice(["change", "change", "drop", "add"])
    if way == "drop":
        used = any(
            each.get(name) == key
            for other in KINDS.values()
            for name, target in other.refs.items()
            if target == of.name
            for each in world.rows[other.name]
        )
        if not used:
            rows.remove(row)
        elif of.stubs:  # a load leaves a stub where something refers to what is not there
            row |= {name: None for name in of.fields if name not in of.key} | {"stub": True, "extra": None}
    elif way == "change":
        for name, declared in of.fields.items():
            if name not in of.key and name not in of.parties and not (of.name == "organisation" and name == "parent"):
                row[name] = planted.value(world, of, declared, row) if of.name not in FIXED else row[name]
        row["extra"] = f'{{"x": "mk{world.number()}"}}'
    else:
        other: Row = {**row, "extra": None}
        for name in of.key:
            declared = of.fields[name]
            if declared.vocabulary is None and not declared.meta.ref and declared.dtype == pl.String():
                other[name] = f"zz{world.number()}"
        planted.put(world, of, other)


FIXED = {"agreement", "identity_request", "member"}
"""Kinds whose rows come and go, but do not change: their values go together."""


def asks_of(
    world: World, other: World, reading: Reading, everybody: Site, caplog: pytest.LogCaptureFixture
) -> list[asking.Ask]:
    """All requests to make of a world as a viewer: every field, and what aims at hidden rows, values, ids, cursors."""
    hidden = [(of, row) for of, row, mode in reading.rows() if mode == NEVER]
    cells = [
        (of, name, row[name])
        for of, row, mode in reading.rows()
        for name, how in reading.cells(of, row, mode)
        if how != SHOW and name in of.fields and of.name in {k.name for k in lists().values()}
        if not of.fields[name].meta.own and any(planted.markers(row[name]))
    ]
    rng = random.Random(1)
    parts = world.keys("part")
    unseen = [natural(of, row) for of, row in hidden if of.name == "part"]
    chosen = list(dict.fromkeys([*unseen[:1], *parts[:1]]))
    things = [f"{of.name}:{natural(of, row)}" for of, row in hidden if of.name in {"part", "organisation", "lot"}][:2]
    named = [f"organisation:{firm}" for firm in world.firms[:1]]
    ids, cursors = taken_from(everybody, hidden, caplog)
    return [
        *asking.everything(),
        *asking.filters(rng.sample(cells, min(len(cells), 24))),
        *asking.analyses(chosen, [*things, *named]),
        *asking.guesses(ids, cursors),
    ]


def taken_from(
    everybody: Site, hidden: Sequence[tuple[Kind, Row]], caplog: pytest.LogCaptureFixture
) -> tuple[list[str], list[tuple[str, str]]]:
    """Ids and cursors of hidden rows, as who sees everything has them."""
    ids: list[str] = []
    cursors: list[tuple[str, str]] = []
    for name, of in lists().items():
        keys = {natural(each, row) for each, row in hidden if each is of}
        if not keys:
            continue
        shown = to_camel_case(name)
        found = everybody.client.post(
            "/graphql", json={"query": f"{{ {shown}(first: 100) {{ edges {{ cursor node {{ id key }} }} }} }}"}
        ).json()["data"][shown]["edges"]
        some = [edge for edge in found if edge["node"]["key"].rpartition("@")[0] in keys or edge["node"]["key"] in keys]
        ids += [edge["node"]["id"] for edge in some[:2]]
        cursors += [(shown, edge["cursor"]) for edge in some[:1]]
    return ids, cursors


WORDS = re.compile(r"mk(\d{7})|(\d+\.\d+(?:e[+-]?\d+)?|\d{7,})")


def found_in(answer: Answer, ask: asking.Ask) -> set[str]:
    """The markers in all bytes that left, and in what was logged."""
    text = "\n".join([answer.body.decode(errors="replace"), *map(str, answer.headers), *answer.logged])
    if ask.path.endswith(".parquet") and answer.status == 200:
        text += pl.read_parquet(answer.body).write_json()
    found: set[str] = set()
    for word, number in WORDS.findall(text):
        found |= {word} if word else set(planted.markers(float(number)))
    return found


def cells_of(reading: Reading) -> Iterable[tuple[Kind, Row, str, int]]:
    """Every cell of a world with how it may be had."""
    for of, row, mode in reading.rows():
        for name, how in reading.cells(of, row, mode):
            yield of, row, name, how


def seen_markers(reading: Reading, most: int) -> set[str]:
    """Markers of cells that may be had in this mode or a stronger one; of firms those that are known."""
    found: set[str] = set()
    for of, row, mode in reading.rows():
        if mode <= most:
            found |= set(planted.markers(natural(of, row)))
        for name, how in reading.cells(of, row, mode):
            if how <= most:
                found |= set(planted.markers(row.get(name)))
    firms = {marker for firm in reading.world.firms for marker in planted.markers(firm)}
    return (found - firms) | {marker for firm in reading.known for marker in planted.markers(firm)}


def all_markers(world: World) -> set[str]:
    """Every marker that is planted."""
    return {m for rows in world.rows.values() for row in rows for cell in row.values() for m in planted.markers(cell)}


def secrets_of(space: Workspace) -> dict[str, bytes]:
    """The secrets of a store, for another to have the same."""
    return {name: space.store.secret(name) for name in space.store.names("secret")}


def kinds_without() -> set[str]:
    """Fields of kinds that no query asks for."""
    return asking.kinds_of_fields() - asking.covered(list(asking.everything()))


def lists_only() -> list[asking.Ask]:
    """The lists and columns alone."""
    return [ask for ask in asking.everything() if ask.query and not ask.name.endswith("in order")]


def columns_and_tables() -> list[asking.Ask]:
    """The columns and tables alone."""
    return [ask for ask in asking.everything() if ask.name.endswith(("Columns", ".csv", ".json"))]


def numbers_in(query: str) -> set[str]:
    """The markers among the numbers that a query says."""
    return {m for _, number in WORDS.findall(query) if number for m in planted.markers(float(number))}


def explain(world: World, leaks: Sequence[tuple[str, list[str]]]) -> dict[str, str]:
    """Where leaked markers were planted."""
    return {
        marker: next(
            f"{name}.{column} of {row['owner']}"
            for name, rows in world.rows.items() for row in rows for column, cell in row.items()
            if marker in set(planted.markers(cell))
        )
        for _, found in leaks for marker in found
    }  # fmt: skip


def difference(one: Answer, two: Answer) -> str:
    """Where two answers part."""
    for name in ("status", "logged"):
        if getattr(one, name) != getattr(two, name):
            return f"{name}: {str(getattr(one, name))[:300]} / {str(getattr(two, name))[:300]}"
    at = next(
        (i for i, (a, b) in enumerate(zip(one.body, two.body, strict=False)) if a != b),
        min(len(one.body), len(two.body)),
    )
    if one.body == two.body:
        return f"headers: {one.headers} / {two.headers}"
    start = max(0, at - 120)
    return f"at {at}: {one.body[start : at + 80]!r} / {two.body[start : at + 80]!r}"
