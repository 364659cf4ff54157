"""Populations of two kinds: a mixture of two Weibull distributions, and one of which only a share can fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import expit, gammaln

from analytics.life import weibull
from analytics.life.distribution import Distribution, Parameter
from analytics.life.rows import Bools, Event, Floats, LifeRows, exits
from schema import Text

SPLITS = (0.15, 0.4, 0.75)
"""Shares of the failures, from the youngest on, that a climb starts with as the first kind."""
STEPS = 15
"""Steps of expectation and maximisation that make a split a start."""
STEEPEST = 200.0
LEAST = 2.0
"""A kind has at least so many failures, and is less steep than that: else it is a spike on one of them."""

LIFE, SHAPE = Text("特征寿命", "Characteristic life"), Text("形状参数", "Shape")


def _hazard(x: Floats, eta: Floats, beta: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray((np.maximum(x, 0.0) / eta) ** beta)


def _log_rate(x: Floats, eta: Floats, beta: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(beta / eta) + (beta - 1) * np.log(x / eta))


def _shares(hazards: tuple[Floats, Floats], share: Floats) -> Floats:
    """The cumulative hazard of a mixture: by what has failed where that is little, else by what is alive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        failed = -share * np.expm1(-hazards[0]) - (1 - share) * np.expm1(-hazards[1])
        alive = np.logaddexp(np.log(share) - hazards[0], np.log1p(-share) - hazards[1])
        return np.where(failed < 0.5, -np.log1p(-failed), -alive)


class WeibullMixture(Distribution):
    """A share with (eta1, beta1), the rest with (eta2, beta2): early failures of a weak sub-population, say.

    The first kind is the one of the shorter characteristic life.
    """

    name = "weibull_mixture"
    text = Text("两个威布尔分布的混合", "Mixture of two Weibull distributions")
    parameters = (
        Parameter("eta1", LIFE, unit="age"),
        Parameter("beta1", SHAPE),
        Parameter("eta2", LIFE, unit="age"),
        Parameter("beta2", SHAPE),
        Parameter("share", Text("第一类的比例", "Share of the first"), "logit"),
    )

    def hazard(self, x: Floats, p: Floats) -> Floats:
        """-ln(share R1 + (1 - share) R2)."""
        return _shares((_hazard(x, p[0], p[1]), _hazard(x, p[2], p[3])), p[4])

    def log_rate(self, x: Floats, p: Floats) -> Floats:
        """The rates of both kinds, weighted by who is alive."""
        first, second = _hazard(x, p[0], p[1]), _hazard(x, p[2], p[3])
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = np.log(p[4]) - np.log1p(-p[4]) - first + second
            one, two = -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds)
            return np.asarray(np.logaddexp(one + _log_rate(x, p[0], p[1]), two + _log_rate(x, p[2], p[3])))

    def mean(self, p: Floats) -> Floats:
        """That of both kinds, by their shares."""
        one, two = (eta * np.exp(gammaln(1 + 1 / beta)) for eta, beta in ((p[0], p[1]), (p[2], p[3])))
        return np.asarray(p[4] * one + (1 - p[4]) * two)

    def start(self, data: LifeRows) -> Floats:
        """Half of the failures are of the first kind."""
        return self._split(data, 0.5)

    def starts(self, data: LifeRows) -> list[Floats]:
        """The failures split at several places, each made better by steps of expectation and maximisation."""
        return [self._split(data, share) for share in SPLITS]

    def _split(self, data: LifeRows, share: float) -> Floats:
        failed = data.event != Event.SUSPENSION
        first = np.where(failed & (_place(data, failed) <= share), 1.0, 0.0)
        p = self._maximised(data, np.where(failed, 0.05 + 0.9 * first, share / 2))
        for _ in range(STEPS):
            p = self._maximised(data, self._of_first(data, p))
        return p

    def _of_first(self, data: LifeRows, p: Floats) -> Floats:
        """The chance of each record to be of the first kind."""
        per = p[:, data.group]
        fresh = replace(data, entry=np.zeros_like(data.entry))
        one, two = (WEIBULL_PART.contributions(fresh, per[i : i + 2]) for i in (0, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.nan_to_num(expit(np.log(per[4]) - np.log1p(-per[4]) + one - two)))

    def _maximised(self, data: LifeRows, chance: Floats) -> Floats:
        fresh = replace(data, entry=np.zeros_like(data.entry))
        one, two = (
            weibull.fit_rows(kept.take(kept.count > 1e-12))
            for kept in (replace(fresh, count=data.count * part) for part in (chance, 1 - chance))
        )
        total = np.maximum(data.sums(data.count), 1e-300)
        return np.stack([one.eta, one.beta, two.eta, two.beta, data.sums(data.count * chance) / total])

    def sound(self, data: LifeRows, p: Floats) -> Bools:
        """Where neither kind is a spike on a failure or two."""
        finite = np.isfinite(p).all(0)
        safe = np.where(finite, p, np.array([1.0, 1.0, 1.0, 1.0, 0.5])[:, None])
        failed = data.event != Event.SUSPENSION
        chance = self._of_first(data, safe)
        enough = np.minimum(data.sums(failed * chance), data.sums(failed * (1 - chance))) >= LEAST
        return np.asarray(finite & enough & (np.maximum(safe[1], safe[3]) < STEEPEST))

    def tidy(self, p: Floats, covariance: Floats) -> tuple[Floats, Floats]:
        """The kind of the shorter characteristic life first."""
        turn = p[0] > p[2]
        order, signs = [2, 3, 0, 1, 4], np.array([1.0, 1.0, 1.0, 1.0, -1.0])
        swapped = np.concatenate([p[order[:4]], 1 - p[4:]])
        other = covariance[order][:, order] * signs[:, None, None] * signs[None, :, None]
        return np.where(turn, swapped, p), np.where(turn, other, covariance)


class LimitedFailurePopulation(Distribution):
    """A share is defective and fails as (eta, beta); the rest never fails (Meeker, Technometrics 29, 1987, 51-65)."""

    name = "weibull_lfp"
    text = Text("有限失效总体的威布尔分布", "Weibull of a limited failure population")
    parameters = (
        Parameter("eta", LIFE, unit="age"),
        Parameter("beta", SHAPE),
        Parameter("share", Text("缺陷比例", "Share of defectives"), "logit"),
    )

    def hazard(self, x: Floats, p: Floats) -> Floats:
        """-ln(1 - share F)."""
        return _shares((_hazard(x, p[0], p[1]), np.zeros(np.shape(x))), p[2])

    def log_rate(self, x: Floats, p: Floats) -> Floats:
        """The rate of the defectives, weighted by their share of those alive."""
        with np.errstate(divide="ignore"):
            odds = np.log(p[2]) - np.log1p(-p[2]) - _hazard(x, p[0], p[1])
            return np.asarray(-np.logaddexp(0.0, -odds) + _log_rate(x, p[0], p[1]))

    def mean(self, p: Floats) -> Floats:
        """Infinite: some never fail."""
        return np.where(np.isnan(p).any(0), np.nan, np.inf)

    def start(self, data: LifeRows) -> Floats:
        """A fifth of the suspensions are defective."""
        return self._given(data, 0.2)

    def starts(self, data: LifeRows) -> list[Floats]:
        """By several shares of the suspensions that are defective."""
        return [self._given(data, share) for share in (0.01, 0.05, 0.2, 0.6)]

    def _given(self, data: LifeRows, defective: float) -> Floats:
        part = np.where(data.event == Event.SUSPENSION, defective, 1.0) * data.count
        fits = weibull.fit_rows(replace(data, count=part, entry=np.zeros_like(data.entry)))
        share = data.sums(part) / np.maximum(data.sums(data.count), 1e-300)
        return np.stack([fits.eta, fits.beta, np.clip(share, 1e-6, 0.95)])


def _place(data: LifeRows, failed: Bools) -> Floats:
    """Of each failure, the share of its group's failures that are not older."""
    age = exits(data)
    order = np.lexsort((age, data.group))
    weight = (data.count * failed)[order]
    total = data.sums(data.count * failed)
    before = np.cumsum(total) - total
    place = np.empty(len(age))
    place[order] = np.cumsum(weight) - before[data.group[order]]
    return np.asarray(place / np.maximum(total, 1e-300)[data.group])


class _Part(Distribution):
    """A kind alone."""

    name = "part"
    text = Text("一类", "One kind")
    parameters = WeibullMixture.parameters[:2]

    def hazard(self, x: Floats, p: Floats) -> Floats:
        return _hazard(x, p[0], p[1])

    def log_rate(self, x: Floats, p: Floats) -> Floats:
        return _log_rate(x, p[0], p[1])

    def start(self, data: LifeRows) -> Floats:
        return np.ones((2, data.groups))


WEIBULL_PART = _Part()
