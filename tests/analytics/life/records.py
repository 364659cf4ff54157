"""Published records, and random ones, as rows."""

from typing import Any

import numpy as np

from analytics.life.rows import Event, LifeRows, ready
from tests.analytics.published import examples

EVENTS = {"failure": Event.FAILURE, "suspension": Event.SUSPENSION, "interval": Event.INTERVAL}
FITS = examples("fits")


def rows_of(*tables: dict[str, Any]) -> LifeRows:
    """The records of published tables, one group each."""
    columns: dict[str, list[Any]] = {name: [] for name in ("age", "event", "entry", "age_to", "count", "group")}
    for group, table in enumerate(tables):
        size = len(table["age"])
        columns["age"] += [float("nan") if age is None else age for age in table["age"]]
        columns["event"] += [EVENTS[each] for each in table["event"]]
        columns["entry"] += table.get("entry", [0] * size)
        columns["age_to"] += [float("nan") if to is None else to for to in table.get("age_to", [None] * size)]
        columns["count"] += table.get("count", [1] * size)
        columns["group"] += [group] * size
    return ready(**columns, groups=len(tables))


def published(name: str) -> LifeRows:
    """The records of a published fit as one group."""
    return rows_of(FITS[name]["data"])


def expected(name: str, **having: Any) -> dict[str, Any]:
    """What a published fit prints, by fields of the entry."""
    (found,) = (e for e in FITS[name]["expected"] if all(e.get(key) == value for key, value in having.items()))
    return dict(found)


def weibull_samples(
    groups: int, units: int, failures: int, *, seed: int, eta: float = 100.0, beta: float = 1.5
) -> LifeRows:
    """Groups of so many units, each watched until it has so many failures."""
    life = eta * np.random.default_rng(seed).weibull(beta, (groups, units))
    end = np.sort(life, 1)[:, [failures - 1]]
    group = np.broadcast_to(np.arange(groups)[:, None], life.shape)
    return ready(np.minimum(life, end).ravel(), (life <= end).ravel(), group=group.ravel())
