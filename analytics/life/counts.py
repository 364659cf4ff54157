"""How many of many units fail: distributions of a count, exact for few units and by two moments for many."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, gammaincc

from analytics.life.rows import Floats

ALIKE = 1e-6
"""A variance this close to the mean, relatively, is a Poisson distribution's."""


def chance(most: ArrayLike, mean: ArrayLike, variance: ArrayLike) -> Floats:
    """P(N <= most) of a count with this mean and variance; the three broadcast, `most` in whole numbers.

    Binomial where the variance is below the mean, with n = mean / s and p = s = 1 - variance / mean, n not
    necessarily whole; Poisson where they are equal; negative binomial where it is above (the class of Panjer, ASTIN
    Bulletin 12, 1981). For a sum of Bernoulli trials that are not alike it is out by less than 0.003 where no
    probability is above 0.3, and by less than 0.04 among 32 units or more whatever the probabilities (largest of 300
    random fleets of each size against `exactly`). nan where the mean is.
    """
    y, m, v = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (most, mean, variance)))
    found = np.where(np.isnan(m), np.nan, np.where(y < 0, 0.0, 1.0))
    some = (m > 0) & (y >= 0)
    ratio = np.divide(v, m, out=np.ones(m.shape), where=some)
    below, above = some & (ratio < 1 - ALIKE), some & (ratio > 1 + ALIKE)
    s = 1 - np.maximum(ratio[below], 0.0)
    left = m[below] / s - y[below]
    found[below] = np.where(left > 0, betainc(np.maximum(left, 1e-300), y[below] + 1, 1 - s), 1.0)
    found[above] = betainc(m[above] / (ratio[above] - 1), y[above] + 1, 1 / ratio[above])
    alike = some & ~below & ~above
    found[alike] = gammaincc(y[alike] + 1, m[alike])
    return found


def exactly(p: ArrayLike) -> Floats:
    """The distribution of how many of independent trials succeed, `p` (..., trials): P(N = 0 ... trials) at the end.

    One trial after another (Poisson binomial; the recursion of Barlow and Heidtmann, IEEE Transactions on Reliability
    33, 1984).
    """
    each = np.asarray(p, np.float64)
    found = np.zeros((*each.shape[:-1], each.shape[-1] + 1))
    found[..., 0] = 1.0
    for trial in range(each.shape[-1]):
        q = each[..., trial, None]
        found[..., 1 : trial + 2] = found[..., 1 : trial + 2] * (1 - q) + found[..., : trial + 1] * q
        found[..., 0] *= 1 - q[..., 0]
    return found


def quantile(share: float, mean: ArrayLike, variance: ArrayLike) -> Floats:
    """The least number that is not exceeded with probability `share`, of an even mixture of counts.

    `mean` and `variance` are (mixed, cells); the answer is (cells,), nan where a mean is. Bisection on whole numbers.
    """
    m, v = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    known = np.isfinite(m).all(axis=0) & np.isfinite(v).all(axis=0)
    cells = np.flatnonzero(known)
    m, v = m[:, cells], v[:, cells]

    def enough(most: Floats) -> np.typing.NDArray[np.bool_]:
        return np.asarray(chance(most, m, v).mean(axis=0) >= share - 1e-12)

    low = np.full(len(cells), -1.0)
    high = np.ceil(m.mean(axis=0) + 4 * np.sqrt(v.mean(axis=0) + m.var(axis=0))) + 1
    while not (there := enough(high)).all():
        low, high = np.where(there, low, high), np.where(there, high, 2 * high + 1)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        there = enough(middle)
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    answer = np.full(known.shape, np.nan)
    answer[cells] = high
    return answer
