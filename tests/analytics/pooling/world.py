"""A consortium of firms with figures of their own, each of which lets its members pool them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from chaingraph import Actor, Workspace
from schema.vocabularies import AccessRole
from tests.chaingraph.world import change, opened, rows

START, END = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2099, 1, 1, tzinfo=dt.UTC)


def names(n: int) -> list[str]:
    return [f"F{i:03}" for i in range(n)]


def firms(
    folder: Path, n: int, *, seed: int = 1, parents: dict[str, str] | None = None, shared: Iterable[str] | None = None
) -> Workspace:
    """A workspace with `n` firms, all members of the consortium C led by F000, that makes bearings (parts of L).

    Each has units alive, failures by two mechanisms, inspections and a lead time; those in `shared` (all where not
    given) let the consortium pool all of it.
    """
    rng = np.random.default_rng(seed)
    every = names(n)
    workspace = opened(folder)
    put: dict[str, Any] = {
        "organisation": rows(
            "organisation",
            *(
                {"id": f, "region": "AB"[i % 2], "tier": 1 + i % 3, "parent": (parents or {}).get(f)}
                for i, f in enumerate(every)
            ),
            *({"id": p} for p in sorted(set((parents or {}).values()) - set(every))),
        ),
        "part": rows("part", {"issuer": "F000", "number": "B", "part_class": "bearing", "age_unit": "h"}, owner="F000"),
        "mechanism": rows("mechanism", {"code": "ME"}, {"code": "ME-1", "parent": "ME"}, {"code": "EL"}),
        "consortium": rows("consortium", {"id": "C", "leader": "F000"}, owner="F000"),
        "member": rows("member", *({"consortium": "C", "organisation": f} for f in every), owner="F000"),
        "agreement": rows(
            "agreement",
            *(agreement(f) for f in (every if shared is None else shared)),
        ),
    }
    put["life_record"] = rows("life_record", *(row for f in every for row in lives(f, rng)))
    put["supplies"] = rows(
        "supplies",
        *(
            {
                "owner": f,
                "part": "F000/B",
                "supplier": f,
                "customer": "F000",
                "lead_time_days": float(rng.lognormal(3, 0.3)),
            }
            for f in every
        ),
    )
    workspace.submit(change(**put))
    return workspace


def agreement(owner: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"AG-{owner}", "version": 1, "owner": owner, "grantee": "consortium:C", "records": "all",
        "aspects": "failures;supply", "purposes": "quality", "start": START, "end": END, "mode": "pool",
        "state": "accepted", **more,
    }  # fmt: skip


def lives(firm: str, rng: np.random.Generator, year: int = 2024, units: int = 400) -> list[dict[str, Any]]:
    """Rows of one firm: failures of three in ten units or so, of two mechanisms, and inspections with defects."""
    scale = 8000 * float(rng.lognormal(0, 0.25))
    ages = scale * rng.weibull(1.8, units)
    found: list[dict[str, Any]] = [
        {
            "owner": firm, "id": f"{firm}-{year}-{i}", "part": "F000/B", "event": "failure", "age": float(age),
            "mechanism": "ME-1" if rng.random() < 0.6 else "EL", "observed_on": dt.date(year, 6, 1),
        }
        for i, age in enumerate(ages[ages < 5000])
    ]  # fmt: skip
    base = {"owner": firm, "part": "F000/B", "observed_on": dt.date(year, 6, 1)}
    found.append(
        {**base, "id": f"{firm}-{year}-S", "event": "suspension", "age": 5000.0, "count": int((ages >= 5000).sum())}
    )
    bad = int(rng.integers(15, 30))
    found.append(
        {**base, "id": f"{firm}-{year}-I1", "event": "failure", "age": 0.0, "count": bad, "origin": "inspection"}
    )
    found.append(
        {**base, "id": f"{firm}-{year}-I2", "event": "suspension", "age": 0.0, "count": 900, "origin": "inspection"}
    )
    return found


def actor(firm: str = "", role: AccessRole = AccessRole.ADMINISTRATOR) -> Actor:
    return Actor(firm, role)
