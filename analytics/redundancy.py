"""Structure functions of redundant units: k of n active, equal or different, and cold standby.

Everything is in cumulative hazards h = -ln R, because near R = 1 a reliability has lost the digits that matter. Each
function comes with its slope dH/dh, from which importance and contributions follow.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import betainc, betaln, gammainc, gammaincc, gammaln, xlogy

from analytics.arrays import Floats, Ints

TINY = 1e-300
DEEP = 300.0
"""Beyond this hazard a system's reliability is taken from its leading term: exp(-300) leaves room for float64."""


def _hazard(failure: Floats, reliability: Floats) -> Floats:
    """-ln R from both R and 1 - R, each exact where the other has lost its digits."""
    small = failure < 0.5
    return np.where(small, -np.log1p(-np.where(small, failure, 0.0)), -np.log(np.maximum(reliability, TINY)))


def equal_units(h: Floats, units: Ints | int, needed: Ints | int) -> tuple[Floats, Floats]:
    """H of k (`needed`) of n (`units`) equal active units, and dH/dh; k and n broadcast against `h`.

    R = P(Bin(n, e^-h) >= k) = I_p(k, n - k + 1) (regularised incomplete beta function; Rausand, Barros and Hoyland,
    System Reliability Theory, 3rd ed. 2021, section 4.6). Far out R = C(n, k) p^k.
    """
    n, k = np.asarray(units, np.float64), np.asarray(needed, np.float64)
    p, q = np.exp(-h), -np.expm1(-h)
    log_choose = -betaln(k, n - k + 1) - np.log(k)  # C(n, k) = 1 / (k B(k, n - k + 1))
    deep = k * h > DEEP
    failure: Floats = betainc(n - k + 1, k, q).astype(np.float64)
    alive: Floats = betainc(k, n - k + 1, p).astype(np.float64)
    H = np.where(deep, k * h - log_choose, _hazard(failure, alive))
    slope: Floats = k * np.exp(log_choose - k * h + xlogy(n - k, q) + H)
    return H, slope


def different_units(h: Floats, k: int) -> tuple[Floats, Floats]:
    """H of k of n different active units, and dH/dh of each, for h of shape (n, ...): shapes (...) and (n, ...).

    The Poisson-binomial recursion over units (Barlow and Heidtmann, IEEE Trans. Reliability R-33, 1984), once over
    failures for 1 - R and once over working units for R. The slope of unit u is p_u P(k - 1 of the others work) / R.
    """
    n = len(h)
    p, q = np.exp(-h), -np.expm1(-h)
    failed = np.zeros((n - k + 1, *h.shape[1:]))
    failed[0] = 1.0
    failure = np.zeros(h.shape[1:])
    for u in range(n):
        failure += failed[-1] * q[u]
        failed[1:] = failed[1:] * p[u] + failed[:-1] * q[u]
        failed[0] *= p[u]
    least = h.min(axis=0)  # every working unit gives up a factor exp(-least): no underflow where all are old
    w = np.exp(least - h)
    before, after = _working(w, q, k), _working(w[::-1], q[::-1], k)[::-1]
    scaled = np.zeros(h.shape[1:])
    for u in range(n):
        scaled += before[u][k - 1] * w[u]  # unit u is the k-th that works
    H = np.where(failure < 0.5, -np.log1p(-np.minimum(failure, 0.5)), k * least - np.log(np.maximum(scaled, TINY)))
    others = np.stack([(before[u] * after[u][::-1]).sum(axis=0) for u in range(n)])
    return H, w * others * np.exp(H - k * least)


def _working(w: Floats, q: Floats, k: int) -> Floats:
    """Scaled probability that j = 0..k-1 of the units before u work, for every u: shape (n, k, ...)."""
    state = np.zeros((k, *w.shape[1:]))
    state[0] = 1.0
    out = np.empty((len(w), *state.shape))
    for u in range(len(w)):
        out[u] = state
        state[1:] = state[1:] * q[u] + state[:-1] * w[u]
        state[0] *= q[u]
    return out


@dataclass(frozen=True, slots=True)
class Standby:
    """H of cold standby units as a function of one unit's h along one product's time: H and dH/dh at any h.

    Either exponential units (n, k given: Poisson, at most n - k failures) or a tabulated curve.
    """

    n: int
    k: int
    curve: PchipInterpolator | None = None

    def at(self, h: Floats) -> tuple[Floats, Floats]:
        """H and its slope at the hazards `h` of one unit; beyond a tabulated curve H goes on with its last slope."""
        if self.curve is None:
            return exponential_standby(h, self.n, self.k)
        last = float(self.curve.x[-1])
        inside, slope = np.minimum(h, last), self.curve.derivative()(np.minimum(h, last))
        return self.curve(inside) + slope * (h - inside), slope


def exponential_standby(h: Floats, n: int, k: int) -> tuple[Floats, Floats]:
    """H and dH/dh of k of n exponential units in cold standby with perfect switching.

    Failures come at the rate k lambda until n - k + 1 have happened: R = sum over j <= n - k of e^-x x^j / j!, x = k h
    (Erlang; Rausand, Barros and Hoyland 2021, section 4.8; 2 units: R = e^-h (1 + h)). Far out the last term leads.
    """
    x, spares = k * h, n - k
    deep = x > DEEP + 10 * spares
    leading = x - xlogy(spares, x) + gammaln(spares + 1)
    H = np.where(deep, leading, _hazard(gammainc(spares + 1, x), gammaincc(spares + 1, x)))
    slope: Floats = k * np.exp(H - leading)
    return H, slope


def tabulate_standby(h: Floats, n: int) -> PchipInterpolator:
    """1 of n units in cold standby, from one unit's h on an even grid of ages that starts at 0: the curve H(h).

    The life is the sum of n lives: R_j(t) = R_(j-1)(t) + int R_1(t - u) dF_(j-1)(u), all terms positive, the trapezoid
    of R_1 over each step of F_(j-1). The error goes with the square of the step, or, for shapes
    below 1, with its power 1 + shape.
    """
    reliability = np.exp(-h)
    mean = (reliability[:-1] + reliability[1:]) / 2
    H = h
    for _ in range(n - 1):
        steps = -np.exp(-H[:-1]) * np.expm1(H[:-1] - H[1:])
        together = np.convolve(mean, steps)[: len(steps)]
        survival = np.exp(-H[1:]) + together
        failure = np.convolve(1 - mean, steps)[: len(steps)]
        H = np.concatenate([[0.0], np.maximum.accumulate(_hazard(failure, survival))])
    rising = np.concatenate([[True], np.diff(h) > 0])
    return PchipInterpolator(h[rising], H[rising])
