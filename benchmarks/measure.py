"""Timing: the best of several runs, by the wall and by this process's CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds of the quickest run, and what it gave."""

    wall: float
    cpu: float
    result: Any


def best(run: Callable[[], Any], times: int = 5) -> Time:
    """The quickest of some runs: others of the machine only ever slow one down."""
    found = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        result = run()
        found.append(Time(time.perf_counter() - wall, time.process_time() - cpu, result))
    return min(found, key=lambda t: t.wall)


def row(what: str, figure: str, aim: str = "") -> None:
    """A line of the table."""
    print(f"{what:<62} {figure:>24}  {aim}", flush=True)
