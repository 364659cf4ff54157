"""`python -m benchmarks.coverage`: how often intervals hold the truth, by simulation, for docs/coverage.md.

Logarithms of Weibull ages are a location-scale family, and samples here end at a failure or have no suspension, so no
share depends on the true eta and beta (Lawless, Statistical Models and Methods for Lifetime Data, 2003, section
4.1.2): any will do.
"""

from __future__ import annotations

import time

import numpy as np

from analytics.life import quantities
from analytics.life.distribution import Fits, Intervals, Quantity
from analytics.life.exact import exponential_mean
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit
from analytics.life.likelihood import likelihood_ratio
from analytics.life.ranks import rank_fits
from analytics.life.rows import Event, LifeRows, exposed, ready

SAMPLES, SEED, LEVEL = 10_000, 20260101, 0.9
FAILURES = (3, 5, 10, 30)
CENSORED = 10
"""So many units for each failure in the heavily censored samples."""
WEIBULL, EXPONENTIAL = DISTRIBUTIONS["weibull"], DISTRIBUTIONS["exponential"]
FIGURES = {
    "eta": (quantities.parameter(WEIBULL, "eta"), 1.0),
    "beta": (quantities.parameter(WEIBULL, "beta"), 1.0),
    "B10": (quantities.b_life(WEIBULL), -float(np.log(0.9))),
}
"""Figures and their truths where eta and beta are 1."""


def samples(failures: int, units: int, groups: int, seed: int) -> LifeRows:
    """Samples of so many units with eta = beta = 1, each watched until it has so many failures."""
    rng = np.random.default_rng(seed)
    # the spacings of exponential order statistics are independent: Renyi, Acta Math. Acad. Sci. Hung. 4, 1953
    age = np.cumsum(rng.exponential(size=(groups, failures)) / (units - np.arange(failures)), 1)
    group = np.broadcast_to(np.arange(groups)[:, None], age.shape).ravel()
    if units == failures:
        return ready(age.ravel(), Event.FAILURE, group=group)
    event = np.repeat([int(Event.FAILURE), int(Event.SUSPENSION)], [age.size, groups])
    count = np.repeat([1.0, units - failures], [age.size, groups])
    return ready(np.r_[age.ravel(), age[:, -1]], event, count=count, group=np.r_[group, np.arange(groups)])


def shares(found: Intervals, truth: float) -> tuple[float, float, float]:
    """(inside, truth below the low end, truth above the high end) as shares of the samples that have a figure."""
    there = np.isfinite(found.value)
    below = (truth < found.low)[there].mean()
    above = (truth > found.high)[there].mean()
    return 1 - below - above, float(below), float(above)


def weibull(groups: int = SAMPLES) -> list[tuple[int, int, str, str, tuple[float, float, float]]]:
    """(failures, units, interval, figure, shares) of every case."""
    found = []
    for failures in FAILURES:
        for units in (failures, CENSORED * failures):
            data = samples(failures, units, groups, SEED + failures + units)
            best, ranked = fit(WEIBULL, data), rank_fits(WEIBULL, data)
            for figure, (quantity, truth) in FIGURES.items():
                for name, intervals in told(best, ranked, data, quantity).items():
                    found.append((failures, units, name, figure, shares(intervals, truth)))
    return found


def told(best: Fits, ranked: Fits, data: LifeRows, quantity: Quantity) -> dict[str, Intervals]:
    """The intervals of a figure by their names."""
    return {
        "Wald": quantities.wald(best, quantity, LEVEL),
        "likelihood ratio": likelihood_ratio(best, data, quantity, LEVEL),
        "Wald, ranks": quantities.wald(ranked, quantity, LEVEL),
    }


def constant(groups: int = SAMPLES) -> list[tuple[int, str, tuple[float, float, float]]]:
    """(failures, interval, shares) of the mean life of an exponential distribution, complete samples."""
    found = []
    quantity = quantities.mean(EXPONENTIAL)
    for failures in FAILURES:
        data = samples(failures, failures, groups, SEED + failures)
        fits = fit(EXPONENTIAL, data)
        v, oldest = exposed(data, np.ones(groups))
        intervals = {
            "exact": exponential_mean(float(failures), v * oldest, LEVEL, "failure"),
            "Wald": quantities.wald(fits, quantity, LEVEL),
            "likelihood ratio": likelihood_ratio(fits, data, quantity, LEVEL),
        }
        found += [(failures, name, shares(each, 1.0)) for name, each in intervals.items()]
    return found


def percent(share: float) -> str:
    """A share as a text."""
    return f"{100 * share:.1f}"


def main() -> None:
    """Print both tables."""
    start = time.perf_counter()
    told_of = weibull()
    names = list(dict.fromkeys(name for _, _, name, _, _ in told_of))
    print("| failures | units | interval | " + " | ".join(f"{f} | {f} low | {f} high" for f in FIGURES) + " |")
    print("|---:|---:|---|" + "---:|" * 3 * len(FIGURES))
    for failures, units in dict.fromkeys((f, u) for f, u, *_ in told_of):
        for name in names:
            of = {figure: s for f, u, n, figure, s in told_of if (f, u, n) == (failures, units, name)}
            cells = " | ".join(percent(share) for figure in FIGURES for share in of[figure])
            print(f"| {failures} | {units} | {name} | {cells} |")
    print("\n| failures | interval | inside | truth below | truth above |\n|---:|---|---:|---:|---:|")
    for failures, name, (inside, below, above) in constant():
        print(f"| {failures} | {name} | {percent(inside)} | {percent(below)} | {percent(above)} |")
    print(f"\n{SAMPLES:,} samples a case, seed {SEED}, {time.perf_counter() - start:.0f} s.")


if __name__ == "__main__":
    main()
