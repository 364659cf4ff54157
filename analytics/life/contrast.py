"""Do samples have one life? Log-rank tests and likelihood-ratio tests, many comparisons at once.

A comparison is a group of the rows (`data.group`); `sample` says to which of its samples a row belongs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import chi2

from analytics.life.distribution import Distribution, Status
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows, exits
from analytics.life.survival import RiskSets, failure_ages, running
from analytics.life.turnbull import surroundings

Weight = Literal["log-rank", "gehan", "tarone-ware", "peto", "fleming-harrington"]
Scores = Literal["sun", "finkelstein", "wilcoxon"]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Statistics of comparisons, arrays of the shape (comparisons,): chi-square on `df`; nan and 0 where there is none.

    A comparison needs two samples that were at risk together when something failed.
    """

    statistic: Floats
    df: Ints
    p: Floats


@dataclass(frozen=True, slots=True)
class RankContrast(Contrast):
    """A log-rank test; of the shape (comparisons, samples): failures seen and those expected if all lived alike.

    `score` is the sum of weight (observed - expected), `variance` (comparisons, samples, samples) its covariance.
    """

    observed: Floats
    expected: Floats
    score: Floats
    variance: Floats


def log_rank(
    data: LifeRows,
    sample: Ints,
    stratum: Ints | int = 0,
    weight: Weight = "log-rank",
    power: tuple[float, float] = (1.0, 0.0),
) -> RankContrast:
    """The log-rank test of k samples, in strata, with late entries.

    At each failure age of a stratum, e_j = d n_j / n and the hypergeometric covariance d (n - d) / (n - 1) n_j / n
    (1(j = l) - n_l / n); Z = sum w (d_j - e_j), chi-square = Z' V^- Z on the rank of V (Mantel, Cancer Chemotherapy
    Reports 50, 1966; Klein and Moeschberger, Survival Analysis, 2nd ed. 2003, sections 7.3 and 7.5; entries enter only
    the risk sets). Weights: `gehan` n, `tarone-ware` sqrt n, `peto` the product of (1 - d / (n + 1)) up to the age,
    `fleming-harrington` S(t-)^p (1 - S(t-))^q with the powers `power` and the Kaplan-Meier curve S of the stratum
    (table 7.3 there). Intervals count at their middle; `interval_log_rank` does without that.
    """
    leaving, failed = exits(data), data.event != Event.SUSPENSION
    kept = leaving > data.entry
    layer = np.broadcast_to(np.asarray(stratum, np.int64), data.group.shape)[kept]
    data, leaving, failed, sample = data.take(kept), leaving[kept], failed[kept], np.asarray(sample)[kept]
    k = int(sample.max(initial=-1)) + 1
    segment = data.group * (int(layer.max(initial=0)) + 1) + layer
    at, age, d = failure_ages(segment[failed], leaving[failed], data.count[failed])
    comparison = at // (int(layer.max(initial=0)) + 1)
    sets = RiskSets.of(segment * k + sample, data.entry, leaving, data.count)
    n_of = np.stack([sets.at(at * k + j, age) for j in range(k)], axis=1) if k else np.zeros((0, 0))
    n = n_of.sum(axis=1)
    w = _weights(weight, power, at, n, d)
    observed, seen = (_table(data, sample, k, data.count * failed * each[:, 0]) for each in _by_row(
        segment, leaving, at, age, np.stack([np.ones(len(w)), w], axis=1), failed
    ))  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        share = n_of / n[:, None]
        spread = np.where(n > 1, w**2 * d * (n - d) / (n - 1), 0.0)
    expected, score = _sums(comparison, d[:, None] * share, data.groups), seen
    score = score - _sums(comparison, (w * d)[:, None] * share, data.groups)
    variance = np.zeros((data.groups, k, k))
    for j in range(k):
        variance[:, j] = -_sums(comparison, (spread * share[:, j])[:, None] * share, data.groups)
        variance[:, j, j] += _sums(comparison, (spread * share[:, j])[:, None], data.groups)[:, 0]
    statistic, df, p = _quadratic(score, variance)
    return RankContrast(statistic, df, p, observed, expected, score, variance)


def likelihood_ratio(distribution: Distribution, data: LifeRows, sample: Ints) -> Contrast:
    """Common parameters of all samples against each sample's own: 2 (sum of own ln L - common ln L).

    Chi-square with (samples - 1) x parameters degrees of freedom (Lawless, Statistical Models and Methods for Lifetime
    Data, 2003, section 5.3; Meeker and Escobar 1998, section 8.7). A sample without failures has its supremum,
    ln L = 0. Where any other sample, or all together, has no maximum, there is no test (nan).
    """
    from analytics.life.fitting import fit

    own, of = _samples(data, sample)
    each, together = fit(distribution, own), fit(distribution, data)
    likelihood = np.where(each.status == Status.NO_FAILURE, 0.0, each.log_likelihood)
    return _against(_of_all(likelihood, of, data.groups), together.log_likelihood, of, len(distribution.parameters))


def shape_ratio(data: LifeRows, sample: Ints) -> Contrast:
    """Weibull lives: one shape for all samples, each with its scale, against each its own shape, as `likelihood_ratio`.

    (Lawless 2003, section 5.3.2.) Samples without failures tell no shape and are left out.
    """
    from analytics.life.weibull import fit_rows

    own, of = _samples(data, sample)
    tells = own.sums(own.count * (own.event != Event.SUSPENSION)) > 0
    own, of = _kept(own, of, tells)
    each = fit_rows(own)
    common = _common_shape(own, of, data.groups)
    return _against(_of_all(each.log_likelihood, of, data.groups), common, of, 1)


def interval_log_rank(data: LifeRows, sample: Ints, scores: Scores = "sun") -> Contrast:
    """The log-rank test of samples whose failures were seen in intervals, by scores and their permutation variance.

    With the maximum-likelihood curve S of all (`analytics.life.turnbull`), a life in (a, b] has the score
    (S(a) g(S, a) - S(b) g(S, b)) / (S(a) - S(b)); g is ln S for `finkelstein`, minus the Nelson-Aalen sum of p / S(t-)
    for `sun`, and S less 1 for `wilcoxon`, whose score becomes S(a) + S(b) - 1 (Sun, Statistics in Medicine 15, 1996;
    Finkelstein, Biometrics 42, 1986; Fay and Shaw, Journal of Statistical Software 36(2), 2010, section 3). Late entry
    has no such score: comparisons with it have no test (nan).
    """
    k = int(sample.max(initial=-1)) + 1
    s0, s1, hazard_before, hazard_after = surroundings(data)
    with np.errstate(divide="ignore", invalid="ignore"):
        if scores == "wilcoxon":
            score = s0 + s1 - 1
        else:
            g0, g1 = (np.log(s0), np.log(s1)) if scores == "finkelstein" else (-hazard_before, -hazard_after)
            score = (np.where(s0 > 0, s0 * g0, 0.0) - np.where(s1 > 0, s1 * g1, 0.0)) / (s0 - s1)
    late = data.sums(data.entry > 0) > 0
    n = data.sums(data.count)
    with np.errstate(divide="ignore", invalid="ignore"):
        centred = score - (data.sums(data.count * score) / n)[data.group]
        scale = data.sums(data.count * centred**2) / (n - 1)
    totals = _table(data, sample, k, data.count * centred)
    size = _table(data, sample, k, data.count)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = -size[:, :, None] * size[:, None, :] / n[:, None, None]
        variance[:, np.arange(k), np.arange(k)] += size
        variance *= scale[:, None, None]
    bad = late | ~np.isfinite(totals).all(axis=1) | ~np.isfinite(variance).all(axis=(1, 2))
    totals[bad], variance[bad] = 0.0, 0.0
    return Contrast(*_quadratic(totals, variance))


def holm(p: Floats) -> Floats:
    """Holm's adjusted p of a family of tests: the chance of any false alarm is at most the level.

    The maximum over j <= i of (m - j + 1) p_j, at most 1 (Holm, Scandinavian Journal of Statistics 6, 1979). nan stays,
    and is not counted.
    """
    found = np.full(p.shape, np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    m = len(order)
    found[order] = np.minimum(np.maximum.accumulate(p[order] * (m - np.arange(m))), 1.0)
    return found


def _samples(data: LifeRows, sample: Ints) -> tuple[LifeRows, Ints]:
    """Rows with a group for each sample of each comparison, and the comparison of each."""
    k = int(np.max(sample, initial=0)) + 1
    code, group = np.unique(data.group * k + sample, return_inverse=True)
    return replace(data, group=group.astype(np.int64), groups=len(code)), code // k


def _of_all(values: Floats, of: Ints, groups: int) -> Floats:
    return np.bincount(of, values, groups).astype(np.float64)


def _kept(own: LifeRows, of: Ints, keep: Bools) -> tuple[LifeRows, Ints]:
    rows = own.take(keep[own.group])
    place = np.cumsum(keep) - 1
    return replace(rows, group=place[rows.group], groups=int(keep.sum())), of[keep]


def _against(own: Floats, common: Floats, of: Ints, parameters: int) -> Contrast:
    df = (np.bincount(of, minlength=len(common)) - 1) * parameters
    statistic = np.maximum(2 * (own - common), 0.0)
    there = (df > 0) & np.isfinite(statistic)
    df, statistic = np.where(there, df, 0), np.where(there, statistic, np.nan)
    return Contrast(statistic, df, np.asarray(chi2.sf(statistic, np.maximum(df, 1))))


def _common_shape(own: LifeRows, of: Ints, groups: int) -> Floats:
    """The highest log likelihood of Weibull lives with one shape a comparison, by golden section over its logarithm."""
    from analytics.life.families import DISTRIBUTIONS
    from analytics.life.fitting import log_likelihood
    from analytics.life.weibull import SHAPE_RANGE

    top = np.zeros(own.groups)
    np.maximum.at(top, own.group, np.where(np.isfinite(own.age_to), own.age_to, own.age))
    top = np.where(top > 0, top, 1.0)
    scale = top[own.group]
    rows = replace(own, age=own.age / scale, entry=own.entry / scale, age_to=own.age_to / scale)
    exact = own.sums(own.count * (own.event == Event.FAILURE))

    def value(log_beta: Floats) -> Floats:
        beta = np.exp(log_beta)[of]
        eta = _scale(rows, beta)
        found = log_likelihood(DISTRIBUTIONS["weibull"], rows, np.stack([eta, beta])) - exact * np.log(top)
        return _of_all(found, of, groups)

    golden = (5**0.5 - 1) / 2
    low, high = (np.full(groups, np.log(end)) for end in (SHAPE_RANGE[0] * 5, SHAPE_RANGE[1] / 10))
    a, b = high - golden * (high - low), low + golden * (high - low)
    at_a, at_b = value(a), value(b)
    for _ in range(45):
        left = at_a > at_b
        low, high = np.where(left, low, a), np.where(left, b, high)
        a, b = high - golden * (high - low), low + golden * (high - low)
        at_a, at_b = value(a), value(b)
    return value((low + high) / 2)


def _scale(rows: LifeRows, beta: Floats) -> Floats:
    """The scale of each group at a known shape: Newton in the logarithm of the rate, which is concave."""
    b = beta[rows.group]
    between = rows.event == Event.INTERVAL
    failures = rows.sums(rows.count * (rows.event == Event.FAILURE))
    seen = rows.count * (rows.age**b - rows.entry**b)
    gap = np.where(between, np.nan_to_num(rows.age_to) ** b - rows.age**b, 1.0)
    exposure = rows.sums(seen + np.where(between, rows.count * gap / 2, 0.0))
    events = rows.sums(rows.count * (rows.event != Event.SUSPENSION))
    log_rate = np.log(events / exposure)
    total = rows.sums(seen)
    for _ in range(40 if between.any() else 0):
        rate = np.exp(log_rate)
        x = np.minimum(rate[rows.group] * gap, 700.0)
        grow = np.expm1(np.maximum(x, 1e-300))
        of_gap = np.where(between, rows.count * x / grow, 0.0)
        slope = failures - rate * total + rows.sums(of_gap)
        bend = -rate * total + rows.sums(of_gap * (1 - x - x / grow))
        log_rate = log_rate + np.clip(slope / np.maximum(-bend, 1e-300), -2.0, 2.0)
    return np.asarray(np.exp(-log_rate / beta))


def _weights(weight: Weight, power: tuple[float, float], at: Ints, n: Floats, d: Floats) -> Floats:
    if weight == "gehan":
        return n
    if weight == "tarone-ware":
        return np.sqrt(n)
    if weight == "peto":
        return np.asarray(np.exp(running(np.log1p(-d / (n + 1)), at)))
    if weight == "fleming-harrington":
        with np.errstate(divide="ignore"):
            log = np.log1p(-d / n)
        log = np.maximum(log, -745.0)
        survival = np.exp(running(log, at) - log)
        return np.asarray(survival ** power[0] * (1 - survival) ** power[1])
    return np.ones(len(n))


def _by_row(
    segment: Ints, leaving: Floats, at: Ints, age: Floats, values: Floats, failed: Bools
) -> tuple[Floats, Floats]:
    """The columns of `values` (failure ages, 2) for every row that failed, 0 for the others; each as a column."""
    found = np.zeros((len(segment), 2))
    if len(at):
        ages = np.unique(leaving)
        keys = at * len(ages) + np.searchsorted(ages, age)
        mine = segment[failed] * len(ages) + np.searchsorted(ages, leaving[failed])
        found[failed] = values[np.searchsorted(keys, mine)]
    return found[:, :1], found[:, 1:]


def _table(data: LifeRows, sample: Ints, k: int, values: Floats) -> Floats:
    """Sums of a value of each row by comparison and sample."""
    return np.bincount(data.group * k + sample, values, data.groups * k).astype(np.float64).reshape(data.groups, k)


def _sums(of: Ints, values: Floats, groups: int) -> Floats:
    """Sums of rows (failure ages, columns) by comparison; they are sorted."""
    found = np.zeros((groups, values.shape[1]))
    if len(of):
        new = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
        found[of[new]] = np.add.reduceat(values, new)
    return found


def _quadratic(score: Floats, variance: Floats) -> tuple[Floats, Ints, Floats]:
    """Z' V^- Z, its degrees of freedom (the rank of V), and the chance of more."""
    if not score.size:
        empty = np.zeros(len(score))
        return empty + np.nan, empty.astype(np.int64), empty + np.nan
    value, vector = np.linalg.eigh(variance)
    real = value > 1e-9 * np.maximum(np.max(value, axis=1, keepdims=True), 1e-300)
    along = np.einsum("gij,gi->gj", vector, score)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(real, along**2 / value, 0.0).sum(axis=1)
    df = real.sum(axis=1)
    statistic = np.where(df > 0, statistic, np.nan)
    return statistic, df, chi2.sf(statistic, np.maximum(df, 1))
