"""Does the rate of failures change? Tests of trend, and where and by how much it changed.

Laplace and MIL-HDBK-189 and Anderson-Darling test for a Poisson process of constant rate; Lewis-Robinson and Mann for a
renewal process, whatever the distribution of the times between failures. Several systems are tested together, each on
its own clock. Bain, Engelhardt and Wright, Journal of the American Statistical Association 80, 1985; Ascher and
Feingold, Repairable Systems Reliability, 1984, chapter 5; Kvaloy and Lindqvist, Reliability Engineering and System
Safety 60, 1998.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln
from scipy.stats import chi2, kendalltau, norm

from analytics.life.growth import Growth, Observed, fit, root
from analytics.life.growth_bounds import SEED, relative
from analytics.life.repairable import LEVEL, NOTHING, Figure, rate_ratio
from analytics.life.rows import Floats, Ints

DRAWS = 4000
BLOCK = 500_000
"""Failures simulated at a time; of many there are fewer draws, a tenth at least."""
MANY = 5000
"""Of more failures than this the greatest ratio between the EDGEs is distributed as of so many."""
EDGE = 0.02
"""A change is looked for outside of this share of what was watched at either end."""

_NODES = (7 * (np.polynomial.legendre.leggauss(80)[0] + 1) / 2, 7 * np.polynomial.legendre.leggauss(80)[1] / 2)


@dataclass(frozen=True, slots=True)
class Trend:
    """A test of trend: two-sided `p`. A `statistic` above 0 (Laplace, Lewis-Robinson; below 0: Mann) means that
    failures become more frequent. `n` are the failures, or times between them, that count. `degrees` are those of a
    chi-square.
    """

    name: str
    statistic: float
    p: float
    n: int
    degrees: int | None = None


def tests(data: Observed) -> tuple[Trend, ...]:
    """All tests that the data allow."""
    found = (laplace(data), military(data), anderson_darling(data), lewis_robinson(data), mann(data))
    return tuple(each for each in found if each is not None)


def _counted(data: Observed) -> tuple[Floats, Ints]:
    """Failures that may fall anywhere given their number, as shares of what was watched: not those that ended it."""
    z = (data.time - data.start[data.system]) / (data.end - data.start)[data.system]
    keep = np.ones(len(z), np.bool_)
    if data.termination == "failure" and len(z):
        keep[:-1] = data.system[1:] == data.system[:-1]
        keep[-1] = False
    return z[keep], data.system[keep]


def normal(statistic: float) -> float:
    """Two-sided p of a standard normal statistic."""
    return float(2 * norm.sf(abs(statistic)))


def laplace(data: Observed) -> Trend | None:
    """Laplace's test: (sum t - sum n_i T_i / 2) / sqrt(sum n_i T_i^2 / 12), normal without a trend.

    n_i are the failures of system i in (0, T_i), one less up to a failure (Cox and Lewis, The Statistical Analysis of
    Series of Events, 1966, section 3.3). None without any.
    """
    z, of = _counted(data)
    if not len(z):
        return None
    long = (data.end - data.start)[of]
    statistic = float(np.sum((z - 0.5) * long) / np.sqrt(np.sum(long**2) / 12))
    return Trend("laplace", statistic, normal(statistic), len(z))


def military(data: Observed) -> Trend | None:
    """The test of MIL-HDBK-189: 2 sum ln(T / t), chi-square with 2 n degrees of freedom where beta is 1.

    Small values mean failures become more frequent; the most powerful against a power law (MIL-HDBK-189, C.4). None
    without a failure that counts.
    """
    z, _ = _counted(data)
    if not len(z):
        return None
    with np.errstate(divide="ignore"):
        statistic = float(-2 * np.sum(np.log(z)))
    degrees = 2 * len(z)
    p = 2 * min(chi2.cdf(statistic, degrees), chi2.sf(statistic, degrees))
    return Trend("military", statistic, float(min(p, 1.0)), len(z), degrees)


def anderson_darling(data: Observed) -> Trend | None:
    """Anderson and Darling's distance of the failures from evenly spread: it sees trends that go up and down again,
    too.

    A^2 = -n - sum (2 j - 1) (ln z_j + ln(1 - z_(n + 1 - j))) / n (Kvaloy and Lindqvist 1998), its p that of many
    failures, which ten are. None without a failure inside of the observation.
    """
    z = np.sort(_counted(data)[0])
    if not len(z) or not (z[0] > 0 and z[-1] < 1):
        return None
    n = len(z)
    odd = 2 * np.arange(1, n + 1) - 1
    statistic = float(-n - np.sum(odd * (np.log(z) + np.log1p(-z[::-1]))) / n)
    return Trend("anderson_darling", statistic, 1 - _anderson(statistic), n)


def _anderson(z: float) -> float:
    """P(A^2 <= z) for many values of a uniform distribution: the series of Anderson and Darling (Annals of Mathematical
    Statistics 23, 1952), its integrals by quadrature.
    """
    if z <= 0.02:
        return 0.0
    j = np.arange(12)[:, None]
    coefficient = np.cumprod(np.append(1.0, -(np.arange(11) + 0.5) / (np.arange(11) + 1)))
    node, weight = _NODES
    decay = (4 * j + 1) ** 2 * np.pi**2 / (8 * z)
    w = node / np.sqrt(decay)  # all of the integral is within 7 standard deviations
    integral = np.exp(z / (8 * (w**2 + 1)) - node**2) @ weight / np.sqrt(decay[:, 0])
    terms = coefficient * (4 * j[:, 0] + 1) * np.exp(-decay[:, 0]) * integral
    return float(min(max(np.sqrt(2 * np.pi) / z * terms.sum(), 0.0), 1.0))


def _gaps(data: Observed) -> tuple[Floats, Ints]:
    """Times between failures, the first from the start, and their systems."""
    first = np.ones(len(data.time), np.bool_)
    first[1:] = data.system[1:] != data.system[:-1]
    before = np.where(first, data.start[data.system], np.append(0.0, data.time[:-1])[: len(data.time)])
    return data.time - before, data.system


def lewis_robinson(data: Observed) -> Trend | None:
    """Lewis and Robinson's test: Laplace's over the coefficient of variation of the times between failures.

    It holds for any renewal process, about (Lewis and Robinson 1974; Ascher and Feingold 1984, section 5.3). Of several
    systems each one's sum is over its own coefficient. None where no system has three times between failures that
    differ.
    """
    gaps, of = _gaps(data)
    systems = len(data.end)
    n = np.bincount(of, minlength=systems)
    mean = np.bincount(of, gaps, systems) / np.maximum(n, 1)
    square = np.bincount(of, (gaps - mean[of]) ** 2, systems) / np.maximum(n - 1, 1)
    z, counted = _counted(data)
    with np.errstate(divide="ignore", invalid="ignore"):
        variation = np.sqrt(square) / mean
    good = (n >= 3) & (variation > 0)
    keep = good[counted]
    if not keep.any():
        return None
    long = (data.end - data.start)[counted[keep]]
    share = (z[keep] - 0.5) * long / variation[counted[keep]]
    statistic = float(share.sum() / np.sqrt(np.sum(long**2) / 12))
    return Trend("lewis_robinson", statistic, normal(statistic), int(keep.sum()))


def mann(data: Observed) -> Trend | None:
    """Mann's test: among all pairs of times between failures, how many times the later is the longer one.

    Pairs of one system count 1, equal ones 1/2; less its mean n (n - 1) / 4, over the root of n (2 n + 5) (n - 1) / 72,
    less that of each set of equal ones (Mann, Econometrica 13, 1945; Ascher and Feingold 1984, section 5.3). Below 0
    failures become more frequent. None below four times between failures.
    """
    gaps, of = _gaps(data)
    twice = variance = 0.0
    for system in np.unique(of):
        x = gaps[of == system]
        n, same = len(x), np.unique(x, return_counts=True)[1]
        if n < 3:
            continue
        if len(same) > 1:  # pairs that rise less pairs that fall, from Stuart's tau, in n ln n steps
            classes = len(same)
            tau = kendalltau(np.arange(n), x, variant="c", method="asymptotic").statistic
            twice += round(float(tau) * n**2 * (classes - 1) / classes / 2)
        variance += (n * (2 * n + 5) * (n - 1) - np.sum(same * (2 * same + 5) * (same - 1))) / 72
    if len(gaps) < 4 or not variance > 0:
        return None
    statistic = float(twice / 2 / np.sqrt(variance))
    return Trend("mann", statistic, normal(statistic), len(gaps))


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a rate: where it is most likely and how certain that is.

    `at` is the most likely place with its interval (on the scale of what was watched), `before` and `after` the
    failures on either side, and `exposure_before` and `exposure_after` what was watched. `statistic` is twice the log
    likelihood ratio; `p` says how often as large a one comes by chance somewhere if the rate is constant.
    """

    at: Figure
    before: int
    after: int
    exposure_before: float
    exposure_after: float
    statistic: float
    p: float


def change_point(times: ArrayLike, end: float, level: float = LEVEL, draws: int | None = None) -> Change | None:
    """Where the rate of a Poisson process on (0, end) changed: the maximum of the likelihood ratio over all places.

    With k of n failures up to the share u, ln LR = k ln(k / (n u)) + (n - k) ln((n - k) / (n (1 - u))), at both sides
    of every failure between the EDGEs (Raftery and Akman, Biometrika 73, 1986; Worsley, Biometrika 73, 1986). p is by
    simulation with a fixed seed: given n, failures are uniform. The interval of the place is of its posterior with
    Jeffreys' priors of both rates and any place alike (Carlin, Gelfand and Smith, Applied Statistics 41, 1992). None
    below four failures, or where none is between the edges.
    """
    u = np.sort(np.asarray(times, np.float64)) / end
    n = len(u)
    draws = draws or int(np.clip(BLOCK // max(n, 1), DRAWS // 10, DRAWS))
    if n < 4 or not ((u > EDGE) & (u < 1 - EDGE)).any():
        return None
    ratio, place, count = _scan(u[None])
    drawn = min(n, MANY)
    rng = np.random.default_rng([SEED, drawn])
    sizes = np.diff([*range(0, draws, max(1, BLOCK // drawn)), draws])
    null = np.concatenate([_scan(np.sort(rng.random((size, drawn)), axis=1))[0] for size in sizes])
    grid = EDGE + (np.arange(4000) + 0.5) / 4000 * (1 - 2 * EDGE)
    weight = _posterior(np.searchsorted(u, grid, side="right").astype(np.float64), float(n), grid)
    low, high = _quantiles(grid, weight, level)
    return _change(float(place[0]), low, high, int(count[0]), n, end, float(ratio[0]), null)


def change_in_counts(
    failures: ArrayLike, exposure: ArrayLike, level: float = LEVEL, draws: int = DRAWS
) -> Change | None:
    """As `change_point`, of counts in cells with an exposure each, such as years, or months of production.

    The rate changes between two cells, between the EDGEs of the exposure. `at` is the exposure before the change. Given
    n, counts are multinomial. None below four failures or two cells with exposure.
    """
    x, e = np.asarray(failures, np.float64), np.asarray(exposure, np.float64)
    x, e = x[e > 0], e[e > 0]
    n = round(float(x.sum()))
    if n < 4 or len(e) < 2:
        return None
    places = np.cumsum(e)[:-1] / e.sum()
    inside = (places >= EDGE) & (places <= 1 - EDGE)
    if not inside.any():
        return None
    share, counts = places[inside], np.cumsum(x)[:-1][inside]
    ratios = _log_ratio(counts, n, share)
    best = int(np.argmax(ratios))
    rng = np.random.default_rng([SEED, n, len(e)])
    drawn = np.cumsum(rng.multinomial(n, e / e.sum(), draws), axis=1)[:, :-1][:, inside]
    null = 2 * _log_ratio(drawn.astype(np.float64), n, share).max(axis=1)
    low, high = _quantiles(share, _posterior(counts, float(n), share), level)
    return _change(float(share[best]), low, high, int(counts[best]), n, float(e.sum()), 2 * float(ratios[best]), null)


def posterior(failures: ArrayLike, exposure: ArrayLike) -> Floats:
    """The probability of a change after each cell but the last, as `change_in_counts` has it; it adds up to 1."""
    x, e = np.asarray(failures, np.float64), np.asarray(exposure, np.float64)
    return _posterior(np.cumsum(x)[:-1], float(x.sum()), np.cumsum(e)[:-1] / e.sum())


def _change(
    place: float, low: float, high: float, count: int, n: int, whole: float, statistic: float, null: Floats
) -> Change:
    at = Figure(*(float(each * whole) for each in (place, min(low, place), max(high, place))))
    p = float((1 + (null >= statistic - 1e-9).sum()) / (1 + len(null)))
    return Change(at, count, n - count, float(place * whole), float((1 - place) * whole), statistic, p)


def _log_ratio(k: Floats, n: int, u: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = k * np.log(k / (n * u)), (n - k) * np.log((n - k) / (n * (1 - u)))
    found: Floats = np.where(k > 0, first, 0.0) + np.where(k < n, second, 0.0)
    return found


def _scan(u: Floats) -> tuple[Floats, Floats, Ints]:
    """Twice the greatest log ratio of each row of sorted shares, its place and the failures up to there."""
    n = u.shape[1]
    k = np.arange(n)
    edges = np.broadcast_to([EDGE, 1 - EDGE], (len(u), 2))
    upto = np.stack([(u <= EDGE).sum(axis=1), (u <= 1 - EDGE).sum(axis=1)], axis=1)
    place = np.concatenate([u, u, edges], axis=1)
    count = np.concatenate([np.broadcast_to(k, u.shape), np.broadcast_to(k + 1, u.shape), upto], axis=1)
    inside = (place >= EDGE) & (place <= 1 - EDGE)
    ratios = np.where(inside, _log_ratio(count, n, np.where(inside, place, 0.5)), -np.inf)
    best = np.argmax(ratios, axis=1)[:, None]
    taken = (np.take_along_axis(each, best, axis=1)[:, 0] for each in (2 * ratios, place, count))
    ratio, where, counted = taken
    return ratio, where, counted.astype(np.int64)


def _posterior(k: Floats, n: float, u: Floats) -> Floats:
    log_weight = gammaln(k + 0.5) + gammaln(n - k + 0.5) - (k + 0.5) * np.log(u) - (n - k + 0.5) * np.log1p(-u)
    weight = np.exp(log_weight - log_weight.max())
    found: Floats = weight / weight.sum()
    return found


def _quantiles(place: Floats, weight: Floats, level: float) -> tuple[float, float]:
    total = np.cumsum(weight)
    at = np.searchsorted(total, [(1 - level) / 2, (1 + level) / 2])
    low, high = place[np.minimum(at, len(place) - 1)]
    return float(low), float(high)


def without_growth(data: Observed) -> Floats | None:
    """The failures on a scale on which a steady power law has a constant rate: (t / T)^b of all systems, sorted.

    b is beta without bias. A change that `change_point` finds there is one of the power law itself. p is then a little
    too large, for b was fitted to the same failures.
    """
    z = relative(data)
    if z is None or len(z) < 3:
        return None
    total = float(-np.log(z).sum())
    return None if not total > 0 else np.asarray(z ** ((len(z) - 1) / total))


@dataclass(frozen=True, slots=True)
class Step:
    """Growth before and after a change at a known time.

    `before` and `after` are power laws of their own; `step` is the ratio of intensities right after and right before
    the change where one shape holds throughout, with `p` that it is 1. `rates` is the ratio of the mean rates of both
    stretches and `p_rates` that of it: whatever trend there was is in it, too.
    """

    before: Growth
    after: Growth
    step: Figure
    p: float
    rates: Figure
    p_rates: float


def known_change(data: Observed, at: float, level: float = LEVEL) -> Step:
    """Before and after a change at a time that was known beforehand, of systems on one clock.

    The intensity is lambda beta t^(beta - 1) before and rho times that after. Given beta, counts n_1 and n_2 are
    Poisson with the exposures E_1 and E_2 of the power law; beta solves n / beta + sum ln t = n_1 E_1' / E_1 + n_2 E_2'
    / E_2, and rho = (n_2 / E_2) / (n_1 / E_1). The variance of ln rho is 1 / n_1 + 1 / n_2 + (d ln(E_1 / E_2) / d
    beta)^2 var(beta), by the information, with a normal interval on the log scale. Where one side has no failure, the
    exact bounds of rho at that beta. The ratio of mean rates has exact bounds (`rate_ratio`). A change that was looked
    for in the same data must not be tested so: see `change_point`. A failure that ended observation counts as any
    other.
    """
    first, second = data.cut(at)
    n1, n2 = float(len(first.time)), float(len(second.time))
    long = [float(np.sum(each.end - each.start)) for each in (first, second)]
    rates, p_rates = rate_ratio(n1, long[0], n2, long[1], level)
    before, after = fit(first), fit(second)
    unit = float(data.end.max())
    logs = float(np.sum(np.log(data.time / unit)))

    def exposure(part: Observed, beta: float) -> Floats:
        ends, starts = part.end / unit, part.start / unit
        low = np.where(starts > 0, starts, 1.0)
        above, below = ends**beta, np.where(starts > 0, low**beta, 0.0)
        return np.array([np.sum(above * np.log(ends) ** k - below * np.log(low) ** k) for k in range(3)])

    def score(beta: float) -> float:
        (e1, d1, _), (e2, d2, _) = exposure(first, beta), exposure(second, beta)
        with np.errstate(all="ignore"):
            return float((n1 + n2) / beta + logs - n1 * d1 / e1 - n2 * d2 / e2)

    beta = root(score) if n1 + n2 else np.nan
    if not np.isfinite(beta):
        return Step(before, after, NOTHING, 1.0, rates, p_rates)
    (e1, d1, c1), (e2, d2, c2) = exposure(first, beta), exposure(second, beta)
    if not (n1 and n2):
        found, p = rate_ratio(n1, float(e1), n2, float(e2), level)
        return Step(before, after, found, p, rates, p_rates)
    information = (n1 + n2) / beta**2 + n1 * (c1 / e1 - (d1 / e1) ** 2) + n2 * (c2 / e2 - (d2 / e2) ** 2)
    slope = d1 / e1 - d2 / e2
    center = float(np.log(n2 / e2 * e1 / n1))
    error = float(np.sqrt(1 / n1 + 1 / n2 + slope**2 / information))
    reach = norm.ppf((1 + level) / 2) * error
    step = Figure(*(float(np.exp(center + way * reach)) for way in (0, -1, 1)))
    return Step(before, after, step, normal(center / error), rates, p_rates)
