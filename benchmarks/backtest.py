"""`python -m benchmarks.backtest`: how often intervals of forecasts hold what came, on simulated fleets.

A fleet of 500 units came into use evenly over the last 36 months; lives are Weibull with shape 2. What failed so far
is fitted, and the number that fails within the next 12 months is forecast and compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from analytics.life.distribution import Fits
from analytics.life.draws import Lives, lives
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit, log_likelihood
from analytics.life.forecast import Fleet, forecast
from analytics.life.rows import Bools, Floats, LifeRows, ready

FLEETS, UNITS, OLD, MONTHS, USE, SHAPE, SEED = 500, 500, 36, 12, 100.0, 2.0, 20260101
FAILURES = (3, 5, 10, 30, 100)
"""Failures to be expected up to now."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """Fleets up to now, and the failures of each in the months to come, (fleets,)."""

    data: LifeRows
    fleet: Fleet
    came: Floats

    @property
    def fits(self) -> Fits:
        """A Weibull fit of each fleet."""
        return fit(DISTRIBUTIONS["weibull"], self.data)

    def likelihood(self, p: Floats) -> Floats:
        """Log likelihood of each fleet's (eta, beta)."""
        return log_likelihood(DISTRIBUTIONS["weibull"], self.data, p)


def simulated(failures: float, fleets: int, units: int = UNITS, seed: int = SEED) -> Simulated:
    """Fleets of which so many units are expected to have failed by now. Units of one month are of one age."""
    rng = np.random.default_rng([seed, int(failures)])
    of_month = np.floor(np.arange(units) / units * OLD)
    age = np.tile((of_month + 0.5) * USE, (fleets, 1))
    eta = brentq(lambda scale: -np.expm1(-((age[0] / scale) ** SHAPE)).sum() - failures, 1.0, 1e9)
    life = eta * rng.exponential(size=age.shape) ** (1 / SHAPE)
    failed, fleet = life < age, np.repeat(np.arange(fleets), units).reshape(age.shape)
    place = (fleet * OLD + of_month.astype(np.int64))[~failed]
    cells, count = np.unique(place, return_counts=True)
    alive, of = (cells % OLD + 0.5) * USE, cells // OLD
    ages, event = np.r_[life[failed], alive], np.repeat([1, 0], [failed.sum(), len(cells)])
    number, group = np.r_[np.ones(failed.sum()), count], np.r_[fleet[failed], of]
    data = ready(ages, event, count=number, group=group, groups=fleets)
    came = ((life > age) & (life <= age + MONTHS * USE)).sum(axis=1)
    return Simulated(data, Fleet.of(alive, count, USE, of, fleets), came.astype(np.float64))


def shares(of: Simulated, known: Lives, judged: Bools) -> tuple[float, float, float]:
    """(inside, below the low end, above the high end) as shares of the fleets `judged`."""
    found = forecast(of.fleet, known, MONTHS).cumulative
    below = float((of.came < found.low[:, -1])[judged].mean())
    above = float((of.came > found.high[:, -1])[judged].mean())
    return 1 - below - above, below, above


def ways(of: Simulated) -> dict[str, Callable[[], Lives]]:
    """How parameters may be drawn: in proportion to the likelihood, from the normal of the estimates, not at all."""
    fits = of.fits
    return {
        "likelihood": lambda: lives(fits, likelihood=of.likelihood),
        "normal": lambda: lives(fits),
        "none": lambda: Lives(lives(fits, draws=1).best),
    }


def main() -> None:
    """The table of docs/coverage.md."""
    print("| failures so far | fitted | draws | inside | below | above |\n|---:|---:|---|---:|---:|---:|")
    for failures in FAILURES:
        of = simulated(failures, FLEETS)
        judged = of.fits.fitted & (of.fits.failures >= 3)
        for name, way in ways(of).items():
            cells = [f"{100 * share:.1f}" for share in shares(of, way(), judged)]
            print(f"| {failures} | {100 * judged.mean():.0f} % | {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
