"""Is a group weaker than the rest, or than was declared? Exact tests of observed against expected failures, batched."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta as beta_distribution
from scipy.stats import binom, chi2, poisson

from analytics.hazard import LEVEL
from analytics.life import rows as lives
from analytics.life import weibull
from analytics.life.rows import Event, LifeRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FALSE_SHARE = 0.05
"""Of the groups listed, so many may be false alarms (Benjamini-Hochberg q)."""
FEWEST = 3
"""A group with fewer failures is not listed."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """One Weibull distribution H0 for each (part, mode), all records together: arrays of shape (strata,).

    Where the data do not determine one, the shape is 1; without failures or exposure eta is infinite.
    """

    beta: Floats
    eta: Floats


def pool(rows: LifeRows) -> Pooled:
    """H0 of every stratum (the groups of `rows`)."""
    fits = weibull.fit_rows(rows)
    shape = np.where(fits.converged, fits.beta, 1.0)
    exposure, oldest = lives.exposed(rows, shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = oldest * (exposure / fits.failures) ** (1 / shape)
    scale = np.where((fits.failures > 0) & (exposure > 0), scale, np.inf)
    return Pooled(shape, np.where(fits.converged, fits.eta, scale))


def failures(rows: LifeRows) -> Floats:
    """Observed failures of each record."""
    return np.where(rows.event != Event.SUSPENSION, rows.count, 0.0)


def expected(rows: LifeRows, beta: Floats, eta: Floats) -> Floats:
    """Expected failures of each record over the ages it was observed at: count (H(exit) - H(entry)).

    `beta` and `eta` of H belong to the record's group.
    """
    b, scale = beta[rows.group], eta[rows.group]
    e: Floats = rows.count * ((lives.exits(rows) / scale) ** b - (rows.entry / scale) ** b)
    return e


@dataclass(frozen=True, slots=True)
class Comparison:
    """Groups against their rest, arrays of one shape.

    `p` is the one-sided probability of so many failures or more if the group is like the rest. `ratio` is how many
    times as often the group fails as the rest at equal ages, infinite where the rest has no failure. `excess` times
    H0(T) are the failures per unit beyond the rest's. `low` and `high` are two-sided at the level asked for.
    """

    observed: Floats
    expected: Floats
    rest_observed: Floats
    rest_expected: Floats
    p: Floats
    ratio: Floats
    ratio_low: Floats
    ratio_high: Floats
    excess: Floats
    excess_low: Floats
    excess_high: Floats

    def take(self, index: ArrayLike) -> "Comparison":
        """The groups `index`."""
        i = np.asarray(index)
        return Comparison(*(getattr(self, name)[i] for name in self.__slots__))


def compare(
    observed: ArrayLike, expected: ArrayLike, rest_observed: ArrayLike, rest_expected: ArrayLike, level: float = LEVEL
) -> Comparison:
    """Exact test of groups with O failures, E expected, against rests with O' and E'.

    Given O + O', O is binomial with pi = E / (E + E') if both fail alike (Przyborowski and Wilenski, Biometrika 31,
    1940). Clopper-Pearson bounds of pi give the ratio rho = pi / (1 - pi) E' / E (Clopper and Pearson, Biometrika 26,
    1934). The excess is O / E - O' / E' = (O' / E') (rho - 1), with MOVER bounds from the exact ones of both counts
    (Garwood 1936; Zou and Donner 2008): given O + O' it could never be more than (O + O') / E, so that bounds of pi
    would be too narrow where the rest has few failures. The excess is never below 0. Groups without exposure, or
    without a rest, have p = 1 and excess 0.
    """
    o, e, o2, e2 = np.broadcast_arrays(
        *(np.asarray(v, np.float64) for v in (observed, expected, rest_observed, rest_expected))
    )
    n, testable = o + o2, (e > 0) & (e2 > 0)
    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(testable, binom.sf(o - 1, n, np.where(testable, e / (e + e2), 0.5)), 1.0)
        at = np.where(n > 0, o / n, 0.0)
        low = np.where(o > 0, beta_distribution.ppf(tail, o, o2 + 1), 0.0)
        high = np.where(o2 > 0, beta_distribution.ppf(1 - tail, o + 1, o2), 1.0)

        def ratio(pi: Floats) -> Floats:
            return np.where(testable, pi / (1 - pi) * e2 / e, np.nan)

        rate, rest = o / e, o2 / e2
        (down, up), (rest_down, rest_up) = _poisson_bounds(o, tail), _poisson_bounds(o2, tail)
        below, above = np.hypot(rate - down / e, rest_up / e2 - rest), np.hypot(up / e - rate, rest - rest_down / e2)

        def excess(more: Floats) -> Floats:
            return np.where(testable, np.maximum(rate - rest + more, 0.0), 0.0)

        return Comparison(
            o, e, o2, e2, p, ratio(at), ratio(low), ratio(high), excess(np.zeros(())), excess(-below), excess(above)
        )  # fmt: skip


def _poisson_bounds(count: Floats, tail: float) -> tuple[Floats, Floats]:
    """Exact bounds of a Poisson mean, `tail` outside on either side (Garwood, Biometrika 28, 1936)."""
    low: Floats = np.where(count > 0, chi2.ppf(tail, 2 * count) / 2, 0.0)
    high: Floats = np.asarray(chi2.ppf(1 - tail, 2 * count + 2)) / 2
    return low, high


def false_discovery(p: Floats, tests: int | None = None) -> Floats:
    """Benjamini-Hochberg q of every p, shape kept: the least share of false alarms at which it would be listed.

    q of the i-th smallest is the minimum over j >= i of p_j m / j (Benjamini and Hochberg, Journal of the Royal
    Statistical Society B 57, 1995; holds under positive dependence, Benjamini and Yekutieli 2001). m is `tests`, the
    number of tests that the p are the smallest of; else all are here.
    """
    order = np.argsort(p, axis=None)
    scaled = p.ravel()[order] * (p.size if tests is None else tests) / np.arange(1, p.size + 1)
    q = np.empty(p.size)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q.reshape(p.shape)


@dataclass(frozen=True, slots=True)
class Selection:
    """What forward selection kept.

    `chosen` are candidates in the order of choice; `at` compares each of them, given those chosen before it in its
    stratum; `q` is its q in the list of the chosen, among all candidates; `factor` is how much it raised what is
    expected of its cells. `alone` compares every candidate before anything was chosen.
    `twin` is, for every candidate, the chosen one it cannot be told apart from (the same cells), else -1.
    """

    chosen: Ints
    at: Comparison
    q: Floats
    factor: Floats
    alone: Comparison
    twin: Ints


@dataclass(frozen=True, slots=True)
class Candidates:
    """Groups of cells that may be weak.

    A cell is a set of records that no candidate divides; `observed`, `expected` and `stratum` have the shape (cells,).
    `cell` and `candidate` are the memberships, one a row. `of` is each candidate's stratum and `preference` decides
    between candidates that fit equally well (lower first); both have the shape (candidates,).
    """

    observed: Floats
    expected: Floats
    stratum: Ints
    cell: Ints
    candidate: Ints
    of: Ints
    preference: Ints

    def compared(self, expectation: Floats, level: float) -> Comparison:
        """Every candidate against the rest of its stratum, with `expectation` in place of `expected`."""
        strata = int(self.stratum.max(initial=-1)) + 1

        def sums(values: Floats) -> tuple[Floats, Floats]:
            mine = np.bincount(self.candidate, values[self.cell], len(self.of)).astype(np.float64)
            return mine, np.bincount(self.stratum, values, strata).astype(np.float64)[self.of] - mine

        (o, o2), (e, e2) = sums(self.observed), sums(expectation)
        whole = (
            np.bincount(self.candidate, minlength=len(self.of)) == np.bincount(self.stratum, minlength=strata)[self.of]
        )
        return compare(o, e, np.rint(o2), np.where(whole, 0.0, np.maximum(e2, 0.0)), level)


def select(given: Candidates, q_max: float = FALSE_SHARE, fewest: int = FEWEST, level: float = LEVEL) -> Selection:
    """The candidates that are weaker than the rest, each explained once.

    In every stratum the candidate with the smallest p is kept if its q is at most `q_max` and it has `fewest` failures;
    its ratio is put into the expected failures of its cells; then the rest is tested again. So of a bad lot and the
    maker who made it, only what the lot does not explain is left to the maker. q counts all candidates as tests, but
    as discoveries only what is kept and one candidate a stratum: the many groups that overlap one bad lot are one
    discovery, and would otherwise let false alarms elsewhere pass (p <= q_max x listed / tests holds for every row of
    the list: self-consistency, Blanchard and Roquain, Electronic Journal of Statistics 2, 2008).
    """
    size = len(given.of)
    expectation = given.expected.copy()
    now = alone = given.compared(expectation, level)
    kept, listed = np.zeros(size, np.bool_), np.zeros(0)
    same, holder = _same_cells(given), np.full(size, -1)
    steps: list[tuple[Ints, Comparison, Floats]] = []
    while True:
        open_ = np.flatnonzero(~kept & (now.p <= q_max) & (now.observed >= fewest) & (now.excess > 0))
        order = open_[np.lexsort((open_, given.preference[open_], now.p[open_], given.of[open_]))]
        _, first = np.unique(given.of[order], return_index=True)
        best = order[first]
        best = best[false_discovery(np.concatenate([listed, now.p[best]]), size)[len(listed) :] <= q_max]
        if not len(best):
            break
        kept[best] = True
        listed = np.concatenate([listed, now.p[best]])
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.maximum(now.rest_observed[best], 0.5) / now.rest_expected[best]
            ratio = now.observed[best] / now.expected[best] / rest
        steps.append((best, now.take(best), ratio))
        factor = np.ones(size)
        factor[best] = ratio
        np.multiply.at(expectation, given.cell, factor[given.candidate])
        holder[same[best]] = np.where(holder[same[best]] < 0, best, holder[same[best]])
        now = given.compared(expectation, level)
    twin = np.where(holder[same] == np.arange(size), -1, holder[same])
    if not steps:
        none = np.zeros(0, np.int64)
        return Selection(none, alone.take(none), listed, listed, alone, twin)
    chosen = np.concatenate([s[0] for s in steps])
    at = Comparison(*(np.concatenate([getattr(s[1], name) for s in steps]) for name in Comparison.__slots__))
    factors = np.concatenate([s[2] for s in steps])
    return Selection(chosen, at, false_discovery(listed, size), factors, alone, twin)


def _same_cells(given: Candidates) -> Ints:
    """A code for each candidate, in 0 ... candidates - 1, equal for equal sets of cells (else only by rare chance)."""
    mark = np.random.default_rng(0).random(len(given.stratum))
    sums = np.bincount(given.candidate, mark[given.cell], len(given.of)).round(9)
    counts = np.bincount(given.candidate, minlength=len(given.of))
    columns = np.stack([given.of.astype(np.float64), sums, counts.astype(np.float64)], axis=1)
    return np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Denial:
    """Declared hazards against the field: arrays of one shape; `ratio` is observed over expected."""

    observed: Floats
    expected: Floats
    p: Floats
    ratio: Floats
    ratio_low: Floats
    ratio_high: Floats


def deny(observed: ArrayLike, expected: ArrayLike, level: float = LEVEL) -> Denial:
    """P(Poisson(E) >= O) where a declared hazard promises E failures over the observed ages and O were seen.

    The bounds of O / E are the exact ones of a Poisson mean, chi-square quantiles over 2 E (Garwood, Biometrika 28,
    1936). A declared value is denied where p < 0.05.
    """
    o, e = np.broadcast_arrays(np.asarray(observed, np.float64), np.asarray(expected, np.float64))
    low, high = _poisson_bounds(o, (1 - level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Denial(o, e, np.asarray(poisson.sf(o - 1, e)), o / e, low / e, high / e)
