"""Small random worlds in which every value is a marker: a text or number that stands nowhere else."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from chaingraph import Workspace
from chaingraph.changes import ChangeSet
from schema import KINDS, Kind, kind
from schema.core import Field
from schema.vocabularies import AgreementState, Aspects, Disclosure, Purpose, RequestState

Row = dict[str, Any]
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
YEAR = dt.timedelta(days=365)
SMALL = {"count", "k", "severity", "tier", "version", "rows", "taken", "refused", "quantity"}
"""Numbers that something is made of so many times; they hold no marker."""
ORDERED = ("contains", "propagation", "lot_genealogy")
"""Relations that go from the earlier to the later of two things, so that few run in circles."""


@dataclass
class World:
    """Rows by kind, as dicts with `owner`; and a source of further markers."""

    rng: random.Random
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in KINDS})
    taken: set[int] = field(default_factory=set)

    def number(self) -> int:
        """Seven digits that no other marker has, nor (but by rare chance) the sum or mean of others."""
        while (found := self.rng.randrange(2_000_000, 10_000_000)) in self.taken:
            pass
        self.taken.add(found)
        return found

    @property
    def firms(self) -> list[str]:
        """The organisations."""
        return [row["id"] for row in self.rows["organisation"]]

    def keys(self, name: str) -> list[str]:
        """The natural keys of a kind, each once, in the order they were made."""
        return list(dict.fromkeys(natural(kind(name), row) for row in self.rows[name]))


def natural(of: Kind, row: Row) -> str:
    """The natural key of a row."""
    atoms = []
    for name in of.key:
        value = row.get(name)
        text = "" if value is None else value.isoformat() if isinstance(value, dt.date) else str(value)
        escaped = text.replace("%", "%25").replace("/", "%2F").replace("@", "%40")
        atoms.append(text if of.fields[name].meta.ref else escaped)
    return "/".join(atoms)


def value(world: World, of: Kind, declared: Field, row: Row) -> Any:
    """A random value of a field."""
    rng, name, dtype = world.rng, declared.name, declared.dtype
    key = name in of.key
    if name == "stub":
        return False
    if not (declared.required or key or of.name == "organisation") and rng.random() < 0.2:
        return None
    if declared.meta.ref:
        found = world.keys(declared.meta.ref)
        if of.name in ORDERED and of.relation is not None and name == of.relation.end and row.get(of.relation.start):
            found = found[found.index(row[of.relation.start]) + 1 :] or found[-1:]
        return rng.choice(found) if found else None
    if declared.vocabulary is not None:
        return rng.choice(declared.vocabulary.codes())
    if dtype == pl.Boolean():
        return rng.random() < 0.5
    if dtype == pl.Date():
        return dt.date(2021, 1, 1) + dt.timedelta(days=rng.randrange(1500))
    if dtype == pl.Datetime("us", "UTC"):
        return NOW - dt.timedelta(hours=rng.randrange(1, 5000))
    if name in SMALL:
        return float(rng.randint(1, 3)) if dtype == pl.Float64() else rng.randint(1, 3)
    if dtype == pl.Int64():
        return world.number()
    if dtype == pl.Float64():
        most = min(declared.bounds.get("le", 1e9), declared.bounds.get("lt", 1e9))
        return float(world.number()) if most == 1e9 else world.number() / 1e7 + (1 if most > 1 else 0)
    return f"mk{world.number()}"


def row_of(world: World, name: str, owner: str) -> Row:
    """A random row of a kind that a firm states."""
    of = kind(name)
    row: Row = {"owner": owner, "extra": f'{{"x": "mk{world.number()}"}}', "row": 1}
    for declared in of.fields.values():
        row[declared.name] = value(world, of, declared, row)
    if row.get("event") == "interval":  # which a store holds with an end after its beginning only
        row["age_to"] = row["age"] + world.number()
    if name == "part" and world.rng.random() < 0.8:
        row["issuer"] = owner
    if name == "part":
        row["part_class"] = world.rng.choice(["bearing", "seal", row["part_class"]])
    if name == "supplies" and world.rng.random() < 0.7:
        row["supplier"] = owner
    return row


def agreement(world: World, owner: str) -> Row:
    """A random agreement, most of them in force."""
    rng = world.rng
    others = [firm for firm in world.firms if firm != owner]
    groups = [f"consortium:{key}" for key in world.keys("consortium")]
    groups += [f"group:{key}/g{rng.randint(1, 2)}" for key in world.keys("consortium")]
    parts = world.keys("part")
    terms = [f"{what}:{rng.choice(parts)}" for what in rng.sample(["part", "subtree", "product"], rng.randint(1, 2))]
    records = rng.choice(["all", "all", ";".join(terms), "class:bearing"])
    start, end = rng.choice([(-YEAR, YEAR)] * 6 + [(-2 * YEAR, -YEAR), (YEAR, 2 * YEAR)])
    return {
        "owner": owner,
        "id": f"AGmk{world.number()}",
        "version": 1,
        "grantee": rng.choice([*others, *others, *groups, "everyone"]),
        "records": records,
        "aspects": ";".join(sorted(rng.sample(Aspects.codes(), rng.randint(1, 6)))),
        "purposes": ";".join(rng.sample(Purpose.codes(), rng.randint(1, 3))),
        "start": NOW + start,
        "end": NOW + end,
        "onward": rng.random() < 0.4,
        "at_end": "keep",
        "mode": rng.choice([Disclosure.SHOW, Disclosure.SHOW, Disclosure.USE, Disclosure.POOL]).value,
        "state": rng.choice([AgreementState.ACCEPTED] * 5 + list(AgreementState)).value,
        "proposed_by": owner,
        "changed_at": NOW - YEAR,
        "note": f"mk{world.number()}",
    }


def request(world: World, asked: str) -> Row:
    """A random request for a name."""
    rng = world.rng
    requester = rng.choice([firm for firm in world.firms if firm != asked])
    return {
        "owner": asked,
        "id": f"RQmk{world.number()}",
        "asked": asked,
        "requester": requester,
        "pseudonym": f"P-{world.number():012x}",
        "subject": rng.choice(world.firms),
        "purpose": rng.choice(Purpose.codes()),
        "reason": f"mk{world.number()}",
        "state": rng.choice([RequestState.GRANTED, *RequestState]).value,
        "at": NOW - YEAR,
        "until": rng.choice([NOW + YEAR, NOW - dt.timedelta(days=1), None]),
        "changed_at": NOW - YEAR,
    }


def world(seed: int, firms: int = 4) -> World:
    """A random world of a few firms."""
    made = World(random.Random(seed))
    rng = made.rng
    for number in range(firms):
        made.rows["organisation"].append({"id": f"F{number}mk{made.number()}"})
    for row in made.rows["organisation"]:
        owner = row["id"] if rng.random() < 0.8 else rng.choice(made.firms)
        row.update({**row_of(made, "organisation", owner), "id": row["id"]})
    for name, of in KINDS.items():
        if name in {"organisation", "agreement", "identity_request"}:
            continue
        for owner in made.firms:
            for _ in range(rng.randint(*{"consortium": (0, 1), "contains": (2, 5), "part": (2, 3)}.get(name, (1, 3)))):
                row = row_of(made, name, owner)
                if name == "consortium" and rng.random() < 0.7:
                    row["leader"] = owner
                if name == "member":
                    row |= member(made, owner, row)
                if name == "upload":
                    row |= {"at": NOW - YEAR, "by": owner}
                if all(row[each] is not None for each in of.key if of.fields[each].required):
                    put(made, of, row)
    for owner in made.firms:
        made.rows["agreement"] += [agreement(made, owner) for _ in range(rng.randint(0, 3))]
        made.rows["identity_request"] += [request(made, owner) for _ in range(rng.randint(0, 1))]
    return made


def member(made: World, owner: str, row: Row) -> Row:
    """A membership, often one that counts."""
    rng = made.rng
    found = [r for r in made.rows["consortium"] if r["leader"] == owner] or made.rows["consortium"]
    said: Row = {"consortium": natural(kind("consortium"), rng.choice(found)) if found else None}
    said["groups"] = rng.choice(["g1", "g2", "g1;g2", None])
    said["since"] = rng.choice([None, dt.date(2021, 1, 1)])
    said["until"] = rng.choice([None, None, dt.date(2022, 1, 1)])
    return said


def put(made: World, of: Kind, row: Row) -> None:
    """Add a row, unless its stored key is there already."""
    stored = (natural(of, row), row["owner"] if of.by_owner else None)
    if stored not in {(natural(of, r), r["owner"] if of.by_owner else None) for r in made.rows[of.name]}:
        made.rows[of.name].append(row)


def frames(made: World) -> dict[str, pl.DataFrame]:
    """The rows as tables with their stored keys."""
    found: dict[str, pl.DataFrame] = {}
    for name, rows in made.rows.items():
        if rows:
            of = kind(name)
            frame = of.frame(pl.DataFrame(rows, infer_schema_length=None))
            found[name] = frame.with_columns(of.stored_key().alias("key")).sort("key")
    return found


def opened(made: World, folder: Path, secrets: dict[str, bytes] | None = None) -> Workspace:
    """A workspace that holds the world, with these secrets."""
    folder.mkdir(parents=True, exist_ok=True)
    space = Workspace.open(f"sqlite:///{folder / 'graph.db'}")
    for name, secret in (secrets or {}).items():
        space.store.secret(name, secret)
    space.submit(ChangeSet(put=frames(made)))
    return space


def markers(cell: Any) -> Iterator[str]:
    """What to search for of a value: the digits of its markers."""
    if isinstance(cell, bool) or cell is None:
        return
    if isinstance(cell, float) and cell != int(cell):
        yield f"{cell % 1:.7f}"[2:]
    elif isinstance(cell, (int, float)) and cell >= 2_000_000:
        yield str(int(cell))
    elif isinstance(cell, str):
        for piece in cell.split("mk")[1:]:
            if piece[:7].isdigit():
                yield piece[:7]
