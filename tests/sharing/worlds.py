"""Random worlds of three firms, a thousand at a time: rows of all worlds are made as one table and cut apart."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from chaingraph.snapshot import Snapshot
from schema import kind

Row = dict[str, Any]
AT = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
FIRMS = ("A", "B", "C")
PARTS = ("A/1", "B/1", "A/2", "C/1")
KINDS = ("organisation", "consortium", "member", "part", "contains", "supplies", "lot", "life_record", "agreement",
         "identity_request")  # fmt: skip


@dataclass(frozen=True)
class World:
    """One world: its rows by kind, and as a snapshot; `viewer` looks for `purpose` at `AT`."""

    number: int
    rows: dict[str, list[Row]]
    snapshot: Snapshot
    viewer: str
    purpose: str


def worlds(seed: int, count: int) -> Iterator[World]:
    """So many worlds; the same for the same seed."""
    rng = random.Random(seed)
    made = [world(rng) for _ in range(count)]
    tables = {name: tabled(name, [rows[name] for rows in made]) for name in KINDS}
    for number, rows in enumerate(made):
        snapshot = Snapshot(1, {name: tables[name][number] for name in KINDS})
        viewer = rng.choice([rows["agreement"][0]["_to"]] * 4 + list(FIRMS))
        yield World(number, rows, snapshot, viewer, rng.choice(["quality"] * 5 + ["recall"]))


def tabled(name: str, lists: list[list[Row]]) -> list[pl.DataFrame]:
    """The rows of each world as a table with stored keys, sorted."""
    of = kind(name)
    rows = [{**row, "_world": number} for number, each in enumerate(lists) for row in each]
    given = {c: t for c, t in of.schema.items() if rows and c in rows[0]}
    rows = [{c: row[c] for c in (*given, "_world")} for row in rows]
    whole = (
        pl.DataFrame(rows, schema={**given, "_world": pl.Int64()})
        if rows
        else pl.DataFrame(schema={"_world": pl.Int64()})
    )
    framed = of.frame(whole.drop("_world")).with_columns(key=of.stored_key(), _world=whole["_world"])
    framed = framed.unique(["_world", "key"], keep="first", maintain_order=True).sort("_world", "key")
    sizes = framed.group_by("_world").len().rows_by_key("_world", unique=True)
    found, at = [], 0
    for number in range(len(lists)):
        size = sizes.get(number, (0,))[0] if isinstance(sizes.get(number, 0), tuple) else sizes.get(number, 0)
        found.append(framed.slice(at, size).drop("_world"))
        at += size
    return found


def world(rng: random.Random) -> dict[str, list[Row]]:
    """Rows of one world; each row of the kinds that agreements are about has a `mark` of its own in some field."""
    marks = iter(range(1, 1000))

    def firm() -> str:
        return rng.choice(FIRMS)

    def base(owner: str) -> Row:
        return {"owner": owner, "upload": "U-1", "row": 1, "extra": '{"x": 1}'}

    made = agreements(rng)
    requester = made[0]["_to"]
    day = AT.date()
    dates: list[dt.date | None] = [None, day, day - DAY, day + DAY]
    return {
        "organisation": [
            {**base(rng.choice([each, firm()])), "id": each, "parent": rng.choice([None, None, firm()]), "tier": 1}
            for each in FIRMS
        ],
        "consortium": [{**base(firm()), "id": "K", "leader": firm()}],
        "member": [
            {
                **base(firm()), "consortium": "K", "organisation": each, "since": rng.choice(dates),
                "until": rng.choice(dates), "groups": rng.choice([None, "g", "h;g"]),
            }
            for each in FIRMS if rng.random() < 0.8
        ],
        "part": [
            {
                **base(rng.choice([key[0], firm()])), "issuer": key[0], "number": key[2],
                "part_class": rng.choice(["x", "y"]), "name_en": str(next(marks)),
            }
            for key in PARTS if rng.random() < 0.8
        ],
        "contains": [
            {**base(firm()), "parent": parent, "child": child, "quantity": float(next(marks))}
            for parent, child in [("A/1", "B/1"), ("B/1", "C/1"), ("A/2", "A/1"), ("C/1", "A/2")]
            if rng.random() < 0.5
        ],
        "supplies": [
            {
                **base(firm()), "supplier": firm(), "part": rng.choice(PARTS), "customer": rng.choice([None, firm()]),
                "price": 1.0, "capacity": float(next(marks)),
            }
            for _ in range(2)
        ],
        "lot": [
            {
                **base(firm()), "part": rng.choice(PARTS), "maker": rng.choice([None, firm(), firm()]),
                "code": f"c{number}", "quantity": float(next(marks)),
            }
            for number in range(2)
        ],
        "life_record": [
            {
                **base(firm()), "id": str(number), "part": rng.choice(PARTS), "maker": rng.choice([None, firm()]),
                "product": rng.choice([None, "A/1", "A/2"]), "event": "failure", "age": 1.0,
                "symptom": str(next(marks)),
            }
            for number in range(3)
        ],
        "agreement": made,
        "identity_request": [
            {
                **base(asked), "asked": asked, "id": "R", "requester": requester, "pseudonym": "P-aaaaaaaaaaaa",
                "subject": subject, "purpose": purpose, "at": AT - DAY,
                "state": rng.choice(["granted"] * 5 + ["requested", "declined"]),
                "until": rng.choice([None, AT + SECOND, AT + SECOND, AT]),
            }
            for purpose, subject in [(rng.choice(["quality"] * 3 + ["recall"]), firm())] if rng.random() < 0.6
            for asked in rng.sample([each for each in FIRMS if each != requester], rng.choice([1, 2]))
        ],
    }  # fmt: skip


FAULTS: tuple[Row, ...] = (
    *({"state": state} for state in ("proposed", "declined", "revoked", "replaced")),
    {"purposes": "recall"}, {"purposes": "planning;recall"}, {"start": AT + SECOND}, {"end": AT},
    {"mode": "use"}, {"mode": "pool"}, {"mode": "use"}, {"aspects": "identity;cost"}, {"aspects": "structure;supply"},
    {"records": "part:B/1"}, {"records": "class:x"}, {"records": "class:y"}, {"records": "product:A/1"},
    {"records": "product:A/2;part:C/1"}, {"records": "subtree:A/1"}, {"records": "subtree:B/1;class:x"},
    {"onward": False}, {"aspects": "failures;structure;supply"}, {"aspects": "failures;structure;supply"},
)  # fmt: skip
"""What may keep an agreement from opening everything."""


def agreements(rng: random.Random) -> list[Row]:
    """An agreement with some firm, often one by which it has something to pass on, and some others."""
    last, middle, first = rng.sample(FIRMS, 3)
    pairs = [(middle, last), (first, middle)][: rng.choice([1, 2, 2])]
    pairs += [(a, b) for a, b in (rng.sample(FIRMS, 2) for _ in range(rng.choice([0, 0, 1, 2])))]
    return [agreement(rng, number, owner, other) for number, (owner, other) in enumerate(pairs)]


def agreement(rng: random.Random, number: int, owner: str, other: str) -> Row:
    """An agreement that opens everything but for a fault or two."""
    good = {
        "owner": owner, "upload": "U-1", "row": 1, "extra": '{"x": 1}', "id": f"G{number}", "version": 1,
        "grantee": rng.choice([other, other, "consortium:K", "group:K/g", "group:K/h", "everyone"]), "records": "all",
        "aspects": rng.choice(["identity;structure;supply;failures;cost", "structure;supply;failures;cost"]),
        "purposes": rng.choice(["quality", "quality;recall"]),
        "start": rng.choice([AT - DAY, AT]), "end": rng.choice([AT + DAY, AT + SECOND]), "onward": True,
        "mode": "show", "state": "accepted", "_to": other,
    }  # fmt: skip
    for fault in rng.sample(FAULTS, rng.choice([0, 0, 1, 1, 2])):
        good |= fault
    return good
