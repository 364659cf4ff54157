"""A small consortium: C of L01 with the suppliers S1, S2 and S3; S1 and S2 buy of S9, whom L01 does not know."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from chaingraph import Actor, Workspace
from chaingraph.agreements import Terms
from chaingraph.changes import ChangeSet
from schema.vocabularies import AccessRole, Purpose
from tests.chaingraph.world import opened, part, rows

START, END = dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2099, 1, 1, tzinfo=dt.UTC)


def actor(organisation: str, role: AccessRole = AccessRole.SUPPLIER, purpose: Purpose = Purpose.QUALITY) -> Actor:
    return Actor(organisation, role, purpose, account=f"{organisation}-1")


L01, S1, S2, S3, S9 = (actor(name) for name in ("L01", "S1", "S2", "S3", "S9"))
ADMINISTRATOR = Actor()


def consortium(folder: Path) -> Workspace:
    """The consortium, open; every firm states itself."""
    firms = ("L01", "S1", "S2", "S3", "S9")
    put = {
        "organisation": pl.concat([rows("organisation", {"id": firm}, owner=firm) for firm in firms]).sort("key"),
        "consortium": rows("consortium", {"id": "C", "leader": "L01"}),
        "member": rows(
            "member",
            {"consortium": "C", "organisation": "S1", "groups": "bearings"},
            {"consortium": "C", "organisation": "S2"},
        ),
        "part": rows("part", part("M"), part("A", part_class="bearing"), part("B", part_class="seal"), part("X")),
        "contains": pl.concat(
            [
                rows("contains", {"parent": "L01/M", "child": "L01/A", "quantity": 1.0}, owner="L01"),
                rows("contains", {"parent": "L01/A", "child": "L01/X", "quantity": 2.0}, owner="S1"),
                rows("contains", {"parent": "L01/B", "child": "L01/X", "quantity": 1.0}, owner="S2"),
            ]
        ).sort("key"),
        "supplies": pl.concat(
            [
                _supply("L01/A", "S1", "L01"), _supply("L01/B", "S2", "L01"), _supply("L01/X", "S9", "S1", price=7.5),
                _supply("L01/X", "S9", "S2"),
            ]
        ).sort("key"),
    }  # fmt: skip
    workspace = opened(folder)
    workspace.submit(ChangeSet(put=put, by="L01"))
    return workspace


def _supply(of: str, supplier: str, customer: str, **more: Any) -> pl.DataFrame:
    given = {"part": of, "supplier": supplier, "customer": customer, "share": 1.0, **more}
    return rows("supplies", given, owner=customer)


def terms(owner: str = "S1", grantee: str = "L01", **more: Any) -> Terms:
    """Structure and supply, for quality, from 2024 to 2099."""
    given: dict[str, Any] = {
        "aspects": ("structure", "supply"), "purposes": ("quality",), "start": START, "end": END, **more,
    }  # fmt: skip
    return Terms.of(owner, grantee, given.pop("aspects"), given.pop("purposes"), **given)


def state(workspace: Workspace, key: str) -> str:
    """The state of a version."""
    table = workspace.snapshot().table("agreement")
    return str(table.filter(pl.col("key") == key)["state"].item())
