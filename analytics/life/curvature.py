"""Log likelihood of thousands of groups with its first and second derivatives, anywhere in the range of the parameters.

Of a location-scale distribution in closed form, of any other by differences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analytics.life.distribution import Distribution
from analytics.life.fitting import log_likelihood
from analytics.life.location_scale import LocationScale
from analytics.life.quantities import natural
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows

Bend = tuple[Floats, Floats, Floats]
"""A function's values (groups,), slopes (k, groups) and second derivatives (k, k, groups)."""


def differences(function: Callable[[Floats], Floats], x: Floats, width: Floats) -> Bend:
    """Derivatives of `function`, from (k, groups) to (groups,), by central differences; `width` is (k, groups)."""
    k = len(x)
    step = np.eye(k)[:, :, None] * width
    with np.errstate(all="ignore"):
        here = function(x)
        up, down = (np.stack([function(x + s * step[i]) for i in range(k)]) for s in (1, -1))
        second = np.empty((k, *x.shape))
        for i in range(k):
            second[i, i] = (up[i] - 2 * here + down[i]) / width[i] ** 2
            for j in range(i):
                both = function(x + step[i] + step[j]) + function(x - step[i] - step[j])
                mixed = (both - up[i] - down[i] - up[j] - down[j] + 2 * here) / (2 * width[i] * width[j])
                second[i, j] = second[j, i] = mixed
        return here, (up - down) / (2 * width), second


class _Rows(NamedTuple):
    """Records of one kind: places on the line, counts, groups, and ends of intervals."""

    y: Floats
    weight: Floats
    group: Ints
    to: Floats

    def take(self, keep: Bools) -> _Rows:
        return _Rows(self.y[keep], self.weight[keep], self.group[keep], self.to[keep])


class Likelihood:
    """Log likelihood by the parameters on their scales, for groups that become fewer; constants may be left out."""

    def __init__(self, of: Distribution, data: LifeRows) -> None:
        self._of, self._data = of, data
        if isinstance(of, LocationScale):
            failed, alive = data.event == Event.FAILURE, data.event == Event.SUSPENSION
            between = data.event == Event.INTERVAL
            start = np.where(data.age == 0, -np.inf, of.line(data.age))
            ends, entries = of.line(data.age_to), of.line(data.entry)
            whole = _Rows(start, data.count, data.group, ends)
            self._failed, self._alive, self._between = (whole.take(each) for each in (failed, alive, between))
            self._late = whole._replace(y=entries, weight=-data.count).take(data.entry > 0)

    def narrow(self, open_: Bools) -> None:
        """Leave out the rows of other groups."""
        if isinstance(self._of, LocationScale):
            for name in ("_failed", "_alive", "_between", "_late"):
                rows: _Rows = getattr(self, name)
                keep = open_[rows.group]
                if not keep.all():
                    setattr(self, name, rows.take(keep))
        else:
            self._data = self._data.take(open_[self._data.group])

    def at(self, x: Floats, width: Floats) -> Bend:
        """Value and derivatives at x (parameters, groups); differences, where there must be any, have this width."""
        of = self._of
        if not isinstance(of, LocationScale):
            return differences(lambda v: log_likelihood(of, self._data, natural(of, v)), x, width)
        with np.errstate(all="ignore"):
            mu, sigma = of.located(natural(of, x))
            value, slope, second = self._closed(of, mu, sigma)
        k, signs = len(x), np.array(of.signs, np.float64)
        return value, signs[:, None] * slope[:k], signs[:, None, None] * signs[None, :, None] * second[:k, :k]

    def _closed(self, of: LocationScale, mu: Floats, sigma: Floats) -> Bend:
        """By (mu, s = ln sigma), from the derivatives of each term by its z = (y - mu) / sigma.

        With dz / d mu = -1 / sigma and dz / ds = -z (Lawless, Statistical Models and Methods for Lifetime Data, 2003,
        section 5.1).
        """
        standard, groups = of.standard, len(mu)
        totals = np.zeros((6, groups))

        def add(rows: _Rows, value: Floats, *terms: Floats) -> None:
            for i, each in enumerate((value, *terms)):
                totals[i] += np.bincount(rows.group, rows.weight * each, groups)

        def placed(rows: _Rows, y: Floats) -> Floats:
            return (y - mu[rows.group]) / sigma[rows.group]

        z = placed(self._failed, self._failed.y)
        first, second = standard.slope(z), standard.bend(z)
        value = standard.log_rate(z) + standard.log_survival(z) - np.log(sigma)[self._failed.group]
        add(self._failed, value, first, first * z, second, second * z, second * z * z)
        failures = np.bincount(self._failed.group, self._failed.weight, groups)
        for rows in (self._alive, self._late):
            z = placed(rows, rows.y)
            rate = np.exp(standard.log_rate(z))
            second = -rate * (standard.slope(z) + rate)
            add(rows, standard.log_survival(z), -rate, -rate * z, second, second * z, second * z * z)
        rows = self._between
        if len(rows.y):
            start = np.isfinite(rows.y)
            low, high = np.where(start, placed(rows, rows.y), 0.0), placed(rows, rows.to)
            before, after = np.where(start, standard.log_survival(low), 0.0), standard.log_survival(high)
            value = before + np.log(-np.expm1(after - before))
            p = np.where(start, -np.exp(standard.log_rate(low) + before - value), 0.0)
            q = np.exp(standard.log_rate(high) + after - value)
            pp, qq, pq = p * standard.slope(low) - p * p, q * standard.slope(high) - q * q, -p * q
            add(
                rows,
                value,
                p + q,
                p * low + q * high,
                pp + 2 * pq + qq,
                pp * low + pq * (low + high) + qq * high,
                pp * low**2 + 2 * pq * low * high + qq * high**2,
            )
        total, d, dz, dd, ddz, ddzz = totals
        slope = np.stack([-d / sigma, -dz - failures])
        mixed = (ddz + d) / sigma
        return total, slope, np.stack([np.stack([dd / sigma**2, mixed]), np.stack([mixed, ddzz + dz])])
