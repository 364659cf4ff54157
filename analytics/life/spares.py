"""How many spare parts: enough for a period, and on a shelf that repair fills again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.life import counts
from analytics.life.forecast import Forecast
from analytics.life.rows import Floats


def spares(probability: float, mean: ArrayLike, variance: ArrayLike | None = None) -> Floats:
    """The least stock that is not run short of with `probability`, for needs with this mean and variance: their shape.

    Without a variance the need is Poisson, as that of many places where parts are replaced (Drenick, SIAM Journal 8,
    1960). A mean that is itself uncertain adds its variance to the Poisson one: the need is negative binomial, as with
    a gamma distribution of the mean (Greenwood and Yule 1920). Raises ValueError for a probability outside of 0 to 1.
    """
    if not 0 < probability < 1:
        raise ValueError("the probability of not running short lies between 0 and 1")
    m = np.asarray(mean, np.float64)
    v = m if variance is None else np.broadcast_to(np.asarray(variance, np.float64), m.shape)
    return counts.quantile(probability, m.reshape(1, -1), v.reshape(1, -1)).reshape(m.shape)


def needed(forecast: Forecast, probability: float) -> float:
    """The least stock for all returns of a forecast that is not run short of with `probability`, nan where unknown.

    Parts replace what fails: the forecast is one with `renewed`. What is uncertain of the parameters is in it.
    """
    if not 0 < probability < 1:
        raise ValueError("the probability of not running short lies between 0 and 1")
    drawn = forecast.draws
    return float(counts.quantile(probability, drawn.to_mean[:, 0, -1:], drawn.to_variance[:, 0, -1:])[0])


@dataclass(frozen=True, slots=True)
class Shelf:
    """What stocks of 0, 1, 2 ... do, arrays of the shape (stocks,).

    `short` is the probability that someone waits at a moment, `fill_rate` that a need is met from the shelf at once,
    `backorders` the expected number of needs that wait at a moment.
    """

    stock: Floats
    short: Floats
    fill_rate: Floats
    backorders: Floats


def shelf(mean: float, variance: float | None = None, most: int | None = None) -> Shelf:
    """Stocks up to `most` (by default to a fill rate of 99.9 %) where each failed unit is repaired and comes back.

    `mean` is the number in repair: the rate of failures times the mean turn-around, and the number is Poisson whatever
    the turn-around's distribution (Palm 1938). With stock s, P(N > s) is the chance that someone waits, the fill rate
    P(N <= s - 1), and the expected backorders E (N - s)+ = mean - sum of P(N > y) over y < s (Sherbrooke, Optimal
    Inventory Modeling of Systems, 2004, chapter 2). With a `variance` above the mean the number is negative binomial:
    rates that are not known, or that differ in time. Raises ValueError for a mean that is negative or not a number.
    """
    spread = mean if variance is None else variance
    if not (np.isfinite(mean) and mean >= 0 and np.isfinite(spread) and spread >= 0):
        raise ValueError("the mean and variance of what is in repair are finite and not below 0")
    last = int(counts.quantile(0.999, np.array([[mean]]), np.array([[spread]]))[0]) + 1 if most is None else most
    stock = np.arange(last + 1, dtype=np.float64)
    upto = counts.chance(stock, mean, spread)
    waiting = mean - np.concatenate([[0.0], np.cumsum(1 - upto)[:-1]])
    return Shelf(stock, 1 - upto, counts.chance(stock - 1, mean, spread), np.maximum(waiting, 0.0))


def turnaround(forecast: Forecast, months: float) -> tuple[float, float]:
    """Mean and variance of what is in repair when a turn-around takes `months`, at the forecast's busiest month.

    The variance is that of the need, given the parameters, and of the mean between their draws.
    """
    rate, spread = forecast.draws.mean[:, 0], forecast.draws.variance[:, 0]
    at = int(np.argmax(rate.mean(axis=0)))
    mean = float(rate[:, at].mean() * months)
    return mean, float(spread[:, at].mean() * months + rate[:, at].var() * months**2)


@dataclass(frozen=True, slots=True)
class Bases:
    """Bases that a depot supplies, arrays of the shape (bases,): mean in repair or under way, and what follows."""

    pipeline: Floats
    backorders: Floats
    fill_rate: Floats
    depot_backorders: float


def metric(
    demand: ArrayLike,
    stock: ArrayLike,
    depot_stock: int,
    depot_repair: float,
    *,
    order: ArrayLike,
    repair: ArrayLike = 0.0,
    repaired_here: ArrayLike = 0.0,
) -> Bases:
    """Backorders and fill rates of bases with a depot behind them.

    `demand` per unit of time; `repaired_here` the share repaired at the base, in the mean time `repair`; the rest goes
    to the depot, is repaired there in `depot_repair`, and the base orders one, which takes `order` when the depot has
    it and longer by the depot's backorders over its demand (Little's law) when not: METRIC (Sherbrooke, Operations
    Research 16, 1968). Taken as Poisson, as there: backorders come out a little low where the depot is often empty.
    """
    rate, held, here, time, way = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, np.float64)) for v in (demand, stock, repaired_here, repair, order))
    )
    sent = float((rate * (1 - here)).sum())
    owed = float(shelf(sent * depot_repair, most=depot_stock).backorders[-1])
    late = owed / sent if sent > 0 else 0.0
    mean = rate * (here * time + (1 - here) * (way + late))
    at = [shelf(float(m), most=int(s)) for m, s in zip(mean, held, strict=True)]
    return Bases(
        mean, np.array([s.backorders[-1] for s in at]), np.array([s.fill_rate[-1] for s in at]), owed
    )  # fmt: skip
