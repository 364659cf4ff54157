"""Prentice's standard form of the generalised gamma distribution: w = (ln x - mu) / sigma with a shape Q.

With k = 1 / Q^2, u = k exp(Q w) has the gamma distribution of shape k; Q = 1 is the smallest extreme value, Q = 0 the
normal distribution (Prentice, Biometrika 61, 1974, 539-544; Lawless, Statistical Models and Methods for Lifetime Data,
2003, section 5.3). Everything is written in w and Q w, so that nothing happens at Q = 0, and good in both tails.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln, log_ndtr

from analytics.life.rows import Bools, Floats

NEAR_NORMAL = 1e6
"""From this k on the gamma integrals are the normal one and a correction of the order of 1 / sqrt(k)."""
_LEAST = 1e-280
_TERMS = 500
_TEMME = (1 / 2835, 1 / 864, -2 / 135, 1 / 12, -1 / 3)
_HALF_LOG_TWO_PI = 0.5 * np.log(2 * np.pi)


def log_density(w: Floats, q: Floats) -> Floats:
    """Ln of the density of w."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return np.asarray(-_half_square(w, q) - stirling(1 / q**2) - _HALF_LOG_TWO_PI)


def log_survival(w: Floats, q: Floats) -> Floats:
    """Ln of the share above w."""
    w, q = (np.asarray(each, np.float64) for each in np.broadcast_arrays(w, q))
    with np.errstate(all="ignore"):
        k = 1 / q**2
        root = np.sign(w) * np.sqrt(2 * _half_square(w, q))
        normal = k >= NEAR_NORMAL
        answer = np.where(normal, _near_normal(root, q), 0.0)
        rest = ~normal & (w > -np.inf)
        if rest.any():
            answer[rest] = _gamma(w[rest], q[rest], k[rest], root[rest])
    return np.minimum(answer, 0.0)


def stirling(k: Floats) -> Floats:
    """Ln Gamma(k) less Stirling's (k - 1/2) ln k - k + ln(2 pi) / 2 (Abramowitz and Stegun, 6.1.41)."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        r = 1 / k**2
        series = (1 / 12 + r * (-1 / 360 + r * (1 / 1260 + r * (-1 / 1680 + r / 1188)))) / k
        direct = gammaln(k) - ((k - 0.5) * np.log(k) - k + _HALF_LOG_TWO_PI)
        return np.asarray(np.where(k > 20, series, direct))


def _half_square(w: Floats, q: Floats) -> Floats:
    """K (exp(Q w) - 1 - Q w), which is w^2 / 2 at Q = 0."""
    v = np.minimum(q * w, 690.0)
    small = np.abs(v) < 0.3
    s = np.where(small, v, 0.0)
    series = np.ones_like(s)
    for n in range(16, 2, -1):
        series = 1 + series * s / n
    ratio = np.where(small, series / 2, (np.expm1(v) - v) / np.where(v == 0, 1.0, v) ** 2)
    return np.asarray(w**2 * ratio)


def _near_normal(root: Floats, q: Floats) -> Floats:
    """By the first term of Temme's uniform expansion (SIAM J. Math. Anal. 10, 1979, 757-766; DLMF 8.12.8)."""
    eta = np.clip(q * root, -1.0, 1.0)
    tail = log_ndtr(-root)
    hazard = np.where(root > 1e3, root, np.exp(-0.5 * np.minimum(root, 1e3) ** 2 - _HALF_LOG_TWO_PI - tail))
    return np.asarray(tail + np.log1p(np.clip(q * hazard * np.polyval(_TEMME, eta), -0.5, 0.5)))


def _gamma(w: Floats, q: Floats, k: Floats, root: Floats) -> Floats:
    """By the incomplete gamma functions: the upper one where Q > 0, the lower one where Q < 0."""
    u = k * np.exp(np.minimum(q * w, 690.0))
    upper, lower = gammaincc(k, u), gammainc(k, u)
    mine, other = np.where(q > 0, upper, lower), np.where(q > 0, lower, upper)
    answer = np.where(other < 0.5, np.log1p(-other), np.log(mine))
    lost = ~(mine > _LEAST)
    if lost.any():
        heavy = lost & (k > 1e4)
        answer[heavy] = _near_normal(root[heavy], q[heavy])
        for rows, terms in ((lost & ~heavy & (q > 0), _fraction), (lost & ~heavy & (q < 0), _series)):
            if rows.any():
                front = -_half_square(w[rows], q[rows]) + 0.5 * np.log(k[rows]) - stirling(k[rows]) - _HALF_LOG_TWO_PI
                answer[rows] = front + terms(k[rows], u[rows])
    return np.asarray(answer)


def _fraction(k: Floats, u: Floats) -> Floats:
    """Ln of u^-k e^u Gamma(k, u) by Legendre's continued fraction (DLMF 8.9.2), Lentz's method."""
    b = u + 1 - k
    c, d = np.full_like(u, 1e300), 1 / b
    h = d.copy()
    for n in range(1, _TERMS):
        a = -n * (n - k)
        b = b + 2
        d = 1 / (a * d + b)
        c = b + a / c
        h = h * c * d
        if _settled(c * d - 1):
            break
    return np.log(h)


def _series(k: Floats, u: Floats) -> Floats:
    """Ln of u^-k e^u gamma(k, u) by its power series (DLMF 8.7.1)."""
    term = 1 / k
    total = term.copy()
    for n in range(1, _TERMS):
        term = term * u / (k + n)
        total = total + term
        if _settled(term / total):
            break
    return np.log(total)


def _settled(change: Floats) -> bool:
    quiet: Bools = ~(np.abs(change) > 4e-16)
    return bool(quiet.all())
