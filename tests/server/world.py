"""A small graph of random rows, with unknown values and ties, for tests of the API."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import polars as pl

from chaingraph import View, Workspace
from chaingraph.changes import ChangeSet
from schema import kind
from schema.vocabularies import ChainLevel, SupplyStatus

NAMES = ["主轴", "轴承", "油脂", None, "Bearing, 6205", "=2+5", "x\ny"]


def rows(seed: int = 1, parts: int = 60) -> dict[str, pl.DataFrame]:
    """Organisations, parts, lines, supplies and life records, with their keys."""
    rng = random.Random(seed)
    firms = [f"S{i:02}" for i in range(9)]
    numbers = [f"A{i:02}" for i in range(parts)]
    keys = [f"L01/{n}" for n in numbers]
    tables: dict[str, list[dict[str, object]]] = {
        "organisation": [
            {"id": f, "name_zh": f"企业{f}", "name_en": None if i % 3 else f"Firm {f}", "tier": i % 4}
            for i, f in enumerate(["L01", *firms])
        ],
        "part": [
            {
                "number": n,
                "issuer": "L01",
                "name_zh": rng.choice(NAMES),
                "name_en": rng.choice(NAMES),
                "part_class": rng.choice(["bearing", "grease", None]),
                "chain_level": rng.choice([*ChainLevel.codes(), None]),
            }
            for n in numbers
        ],
        "contains": [
            {
                "parent": keys[p],
                "child": keys[c],
                "find_no": str(i),
                "quantity": float(rng.randint(1, 4)),
                "duty": 1.0,
                "valid_from": rng.choice([None, dt.date(2024, 1, 1), dt.date(2025, 6, 1)]),
            }
            for i, (p, c) in enumerate(sorted(rng.sample(range(parts), 2)) for _ in range(parts * 3))
        ],
        "supplies": [
            {
                "part": p,
                "supplier": f,
                "customer": "L01",
                "share": rng.choice([None, 0.1, 0.25, 0.25, 1.0]),
                "status": rng.choice([*SupplyStatus.codes(), None]),
                "alternative_exists": rng.choice([True, False, None]),
                "lead_time_days": rng.choice([None, 10.0, 20.0, 20.0]),
            }
            for p in keys
            for f in rng.sample(firms, 2)
        ],
        "life_record": [
            {
                "id": f"R{i:03}",
                "part": rng.choice(keys),
                "maker": rng.choice([*firms, None]),
                "event": "failure",
                "entry": 0.0,
                "age": rng.choice([100.0, 250.5, 1e4]),
                "count": rng.randint(1, 3),
                "observed_on": rng.choice([None, dt.date(2025, 3, 1), dt.date(2025, 3, 2)]),
            }
            for i in range(200)
        ],
    }
    found = {}
    for name, given in tables.items():
        of = kind(name)
        frame = of.frame(pl.DataFrame(given, infer_schema_length=None).with_columns(owner=pl.lit("L01")))
        found[name] = frame.with_columns(of.stored_key().alias("key"))
    return found


def workspace(folder: Path, seed: int = 1) -> Workspace:
    """A workspace that holds them."""
    made = Workspace.open(f"sqlite:///{folder / 'graph.db'}")
    made.submit(ChangeSet(put=rows(seed)))
    return made


def oracle(view: View, name: str) -> pl.DataFrame:
    """The rows of a kind by key, as a plain table."""
    return view.table(name).sort("key")
