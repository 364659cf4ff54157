"""What records support without a shape: a constant rate with its exact interval, and what survived an age."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.core import Piece, Reason, digits
from analytics.life.distribution import Intervals
from analytics.life.exact import (
    ZERO_FAILURES,
    exponential_mean,
    exponential_rate,
    success_share,
    zero_failure_figure,
)
from analytics.life.rows import Bools, Event, Floats, LifeRows, exits
from schema import Text

CODES = {
    "constant_rate": Text(
        "按失效率恒定（指数分布）计，卡方精确区间（定时截尾，自由度 2r 与 2r+2）。单侧置信水平 {side}。",
        "As if the rate were constant (exponential): exact chi-square interval, ended by time, with 2r and 2r + 2 "
        "degrees of freedom. Each end is a one-sided bound at {side}.",
    ),
    "constant_rate_failure": Text(
        "按失效率恒定（指数分布）计，卡方精确区间（定数截尾，自由度 2r）。单侧置信水平 {side}。",
        "As if the rate were constant (exponential): exact chi-square interval, ended by the last failure, with 2r "
        "degrees of freedom. Each end is a one-sided bound at {side}.",
    ),
    "success_run": Text(
        "{units} 台达到寿命 {age} 而无失效：可靠度的单侧下限（置信水平 {side}），不假定分布。",
        "Units that reached the age {age} without a failure: {units}. A one-sided bound of the reliability there at "
        "{side}, whatever the distribution.",
    ),
    "zero_failure_convention": ZERO_FAILURES,
    "middle_of_intervals": Text(
        "区间失效按区间中点计入累计时间。", "Failures seen in intervals count into the total age at their middle."
    ),
}
"""What the codes of a bound's notes mean to people."""


class LifeFigure(Piece):
    """A figure with its standard error and its two-sided interval; null where there is none."""

    name: str
    """What it is."""
    value: float | None
    """The estimate."""
    se: float | None
    """Standard error."""
    low: float | None
    """Low end."""
    high: float | None
    """High end."""

    def payload(self) -> dict[str, float | None]:
        """The numbers as JSON values."""
        return {name: digits(getattr(self, name)) for name in ("value", "se", "low", "high")}


class LifeBound(Piece):
    """What the records of a group support without a shape."""

    failures: float
    """Failed units."""
    total_age: float
    """Sum of the ages lived under observation."""
    rate: LifeFigure
    """Failures per unit of age; without a failure only its high end."""
    mtbf: LifeFigure
    """Its inverse; without a failure only its low end."""
    age: float | None
    """Without a failure, the age that half of the units reached or passed."""
    units: float | None
    """How many did."""
    reliability: LifeFigure | None
    """The share that survives this age, whatever the distribution: only a low end."""
    convention: float | None
    """Without a failure, the figure that GB/T 23567 puts down for the MTBF: a convention, no estimate."""
    notes: tuple[Reason, ...]
    """How these were made."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The bound as JSON values, its notes in one language."""
        return {
            "failures": self.failures,
            "total_age": digits(self.total_age),
            "rate": self.rate.payload(),
            "mtbf": self.mtbf.payload(),
            "age": digits(self.age),
            "units": digits(self.units),
            "reliability": self.reliability.payload() if self.reliability else None,
            "convention": digits(self.convention),
            "notes": [each.payload(locale) for each in self.notes],
        }


def figure(name: str, of: Intervals, g: int) -> LifeFigure:
    """A figure of the group `g`; None where an array has nan or infinity."""
    value, se, low, high = (digits(float(column[g])) for column in (of.value, of.se, of.low, of.high))
    return LifeFigure(name=name, value=value, se=se, low=low, high=high)


def bound(data: LifeRows, level: float = 0.9) -> list[LifeBound | None]:
    """What each group supports; None where it was never observed.

    The observation counts as ended by a failure where every suspension is at the age of the last failure or there is
    none, else as ended by time.
    """
    leaving, failed = exits(data), data.event != Event.SUSPENSION
    failures, total = data.sums(data.count * failed), data.sums(data.count * (leaving - data.entry))
    by_failure = _ended_by_failure(data, leaving, failed)
    rate, mtbf = (
        _either(by_failure, *(make(failures, total, level, how) for how in ("failure", "time")))
        for make in (exponential_rate, exponential_mean)
    )
    age, units = _reached(data)
    run = success_share(units, 0, level)
    between = data.sums(data.event == Event.INTERVAL) > 0
    side = f"{(1 + level) / 2:.6g}"
    found: list[LifeBound | None] = []
    for g in range(data.groups):
        if not 0 < total[g] < np.inf:
            found.append(None)
            continue
        none = failures[g] == 0
        code = "constant_rate_failure" if by_failure[g] else "constant_rate"
        notes = [Reason(code=code, text=CODES[code].format(side=side))]
        reached = none and units[g] > 0
        if reached:
            said = CODES["success_run"].format(units=f"{units[g]:.12g}", age=f"{age[g]:.6g}", side=side)
            notes.append(Reason(code="success_run", text=said))
        notes += [
            Reason(code=code, text=CODES[code])
            for code, is_so in (("zero_failure_convention", none), ("middle_of_intervals", between[g]))
            if is_so
        ]
        own = figure("rate", rate, g)
        found.append(
            LifeBound(
                failures=float(failures[g]),
                total_age=float(total[g]),
                rate=own.model_copy(update={"value": None}) if none else own,
                mtbf=figure("mtbf", mtbf, g),
                age=float(age[g]) if reached else None,
                units=float(units[g]) if reached else None,
                reliability=figure("reliability", run, g).model_copy(update={"value": None}) if reached else None,
                convention=float(zero_failure_figure(total[g])) if none else None,
                notes=tuple(notes),
            )
        )
    return found


def _either(which: Bools, yes: Intervals, no: Intervals) -> Intervals:
    value, se, low, high = (np.where(which, getattr(yes, n), getattr(no, n)) for n in ("value", "se", "low", "high"))
    return Intervals(value, se, low, high, yes.level)


def _ended_by_failure(data: LifeRows, leaving: Floats, failed: Bools) -> Bools:
    last = np.full(data.groups, -np.inf)
    np.maximum.at(last, data.group[failed], leaving[failed])
    return np.asarray((data.sums(~failed & (leaving != last[data.group])) == 0) & np.isfinite(last))


def _reached(data: LifeRows) -> tuple[Floats, Floats]:
    """(age, units): the oldest age that at least half of the units seen from age 0 reached, and how many did."""
    seen = data.take(data.entry <= 0)
    age, units = np.full(data.groups, np.nan), np.zeros(data.groups)
    if len(seen.age):
        order = np.lexsort((-seen.age, seen.group))
        group, x, count = seen.group[order], seen.age[order], seen.count[order]
        total = seen.sums(seen.count)
        passed = np.cumsum(count) - np.r_[0.0, np.cumsum(total)][group]
        half = np.flatnonzero(passed >= total[group] / 2)
        where, first = np.unique(group[half], return_index=True)
        age[where] = x[half[first]]
        units = seen.sums(seen.count * (seen.age >= np.where(np.isnan(age), np.inf, age)[seen.group]))
    return age, units
