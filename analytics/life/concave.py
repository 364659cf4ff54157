"""Maximum likelihood of location-scale distributions, thousands of groups at once.

With a = mu / sigma and b = 1 / sigma a record's z = b y - a is linear in (a, b), so that the log likelihood of
failures, suspensions and intervals is concave and has one maximum or none (Burridge, J. R. Statist. Soc. B 43, 1981,
41-45); Newton's method cannot miss it. Late entry is subtracted, and is not concave. Lines y are centred and scaled for
each group, so that units, decades and steepness do not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analytics.life.ascent import ascend
from analytics.life.location_scale import LocationScale, Standard
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows, exits

CLOSE = 1e-9
FLAT = 50.0
"""A standard error of ln sigma, or of mu in units of ten sigma, beyond which the likelihood is flat."""


@dataclass(frozen=True, slots=True)
class Located:
    """Mu and sigma of each group, and the covariance of (mu, ln sigma), shape (2, 2, groups); which are `solved`."""

    mu: Floats
    sigma: Floats
    covariance: Floats
    solved: Bools


def locate(family: LocationScale, data: LifeRows, wanted: Bools) -> Located:
    """The highest likelihood of each group `wanted`."""
    data = data.take(wanted[data.group])
    fixed = len(family.signs) == 1
    centre, unit = _line(family, data, fixed)
    rows = _Likelihood(family, data, centre, unit)
    start = np.stack([_first(family, data), np.ones(data.groups)])
    with np.errstate(all="ignore"):
        if fixed:
            peak = ascend(_Fixed(rows), start[:1], wanted, longest=np.inf, close=CLOSE)
            a, b = peak.x[0], np.ones(data.groups)
            covariance = np.zeros((2, 2, data.groups))
            covariance[0, 0] = peak.covariance[0, 0]
        else:
            peak = ascend(rows, start, wanted, longest=np.inf, close=CLOSE)
            a, b = peak.x
            turn = np.stack([np.stack([1 / b, -a / b**2]), np.stack([np.zeros_like(b), -1 / b])])
            covariance = np.einsum("ijg,jkg,lkg->ilg", turn, peak.covariance, turn)
        certain = (covariance[1, 1] < FLAT**2) & (covariance[0, 0] * b**2 < (10 * FLAT) ** 2)
        solved = peak.solved & certain & (b > 0)
        stretch = np.stack([unit, np.ones_like(unit)])
        covariance = covariance * stretch[:, None] * stretch[None, :]
        return Located(centre + unit * a / b, unit / b, covariance, solved)


def _line(family: LocationScale, data: LifeRows, fixed: bool) -> tuple[Floats, Floats]:
    """Centre and width of each group's exits on the line."""
    y = family.line(exits(data))
    weight = data.count * np.isfinite(y)
    y = np.where(weight > 0, y, 0.0)
    n = np.maximum(data.sums(weight), 1e-300)
    centre = data.sums(weight * y) / n
    if fixed:
        return centre, np.ones(data.groups)
    spread = np.sqrt(data.sums(weight * (y - centre[data.group]) ** 2) / n)
    return centre, np.where(spread > 1e-15 * np.abs(centre), spread, 1.0)


def _first(family: LocationScale, data: LifeRows) -> Floats:
    """A first a, with b = 1: half of the failures below the centre."""
    failed = data.sums(data.count * (data.event != Event.SUSPENSION))
    share = np.clip(failed / np.maximum(data.sums(data.count), 1e-300), 1e-300, 1.0)
    return -family.standard.quantile(np.minimum(share, 0.999) / 2)


class _Fixed:
    """The likelihood by a alone."""

    def __init__(self, whole: _Likelihood) -> None:
        self._whole = whole

    def narrow(self, open_: Bools) -> None:
        self._whole.narrow(open_)

    def at(self, x: Floats, basis: Floats) -> tuple[Floats, Floats, Floats]:
        value, slope, bend = self._whole.derivatives(x[0], np.ones_like(x[0]))
        return value, slope[:1] * basis[0], bend[:1, :1] * basis**2


@dataclass(slots=True)
class _Part:
    """Rows of one kind: where they are on the line, their counts and groups."""

    y: Floats
    count: Floats
    group: Ints
    to: Floats | None = None

    def take(self, keep: Bools) -> _Part:
        return _Part(self.y[keep], self.count[keep], self.group[keep], None if self.to is None else self.to[keep])


class _Likelihood:
    """Log likelihood of each group, up to a constant, and its derivatives by (a, b)."""

    def __init__(self, family: LocationScale, data: LifeRows, centre: Floats, unit: Floats) -> None:
        self._standard: Standard = family.standard
        self._groups = data.groups

        def on(x: Floats, group: Ints) -> Floats:
            return (family.line(x) - centre[group]) / unit[group]

        def part(rows: LifeRows, x: Floats, to: Floats | None = None) -> _Part:
            return _Part(on(x, rows.group), rows.count, rows.group, None if to is None else on(to, rows.group))

        exact, alive = (data.take(data.event == kind) for kind in (Event.FAILURE, Event.SUSPENSION))
        between = data.take(data.event == Event.INTERVAL)
        late = data.take(data.entry > 0)
        low = np.where(between.age == 0, -np.inf, between.age)
        self._exact, self._alive = part(exact, exact.age), part(alive, alive.age)
        self._late, self._between = part(late, late.entry), part(between, low, between.age_to)
        self._failures = exact.sums(exact.count)

    def narrow(self, open_: Bools) -> None:
        """Leave out the rows of other groups."""
        for name in ("_exact", "_alive", "_late", "_between"):
            rows: _Part = getattr(self, name)
            keep = open_[rows.group]
            if not keep.all():
                setattr(self, name, rows.take(keep))

    def at(self, x: Floats, basis: Floats) -> tuple[Floats, Floats, Floats]:
        """As `derivatives`, by steps along the columns of `basis`."""
        value, slope, bend = self.derivatives(x[0], x[1])
        turned = np.einsum("kig,klg,ljg->ijg", basis, bend, basis)
        return value, np.einsum("kig,kg->ig", basis, slope), turned

    def derivatives(self, a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
        """(value, slope (2, groups), second derivatives (2, 2, groups)); not a number where b is not above 0."""
        sums = self._sums(self._exact, a, b, self._density)
        sums += self._sums(self._alive, a, b, self._survival)
        sums -= self._sums(self._late, a, b, self._survival)
        sums += self._intervals(a, b)
        value, ga, gb, haa, hab, hbb = sums
        some = self._failures > 0
        value = value + np.where(some, self._failures * np.log(np.where(some, b, 1.0)), 0.0)
        gb = gb + self._failures / b
        hbb = hbb - self._failures / b**2
        value = np.where(b > 0, value, np.nan)
        return value, np.stack([ga, gb]), np.stack([np.stack([haa, hab]), np.stack([hab, hbb])])

    def _density(self, z: Floats) -> tuple[Floats, Floats, Floats]:
        form = self._standard
        return form.log_rate(z) + form.log_survival(z), form.slope(z), form.bend(z)

    def _survival(self, z: Floats) -> tuple[Floats, Floats, Floats]:
        rate = np.exp(self._standard.log_rate(z))
        return self._standard.log_survival(z), -rate, -rate * (self._standard.slope(z) + rate)

    def _sums(
        self, rows: _Part, a: Floats, b: Floats, term: Callable[[Floats], tuple[Floats, Floats, Floats]]
    ) -> Floats:
        """Sums over the rows of each group of term(z), and of its derivatives: (value, a, b, aa, ab, bb)."""
        if not len(rows.y):
            return np.zeros((6, self._groups))
        value, first, second = term(b[rows.group] * rows.y - a[rows.group])
        return self._add(rows, (value, -first, first * rows.y, second, -second * rows.y, second * rows.y**2))

    def _add(self, rows: _Part, terms: tuple[Floats, ...]) -> Floats:
        return np.stack([np.bincount(rows.group, rows.count * each, self._groups) for each in terms])

    def _intervals(self, a: Floats, b: Floats) -> Floats:
        """The same sums for ln(S(low) - S(high))."""
        rows = self._between
        if rows.to is None or not len(rows.y):
            return np.zeros((6, self._groups))
        form, ar, br = self._standard, a[rows.group], b[rows.group]
        bounded = np.isfinite(rows.y)
        y0, y1 = np.where(bounded, rows.y, 0.0), rows.to
        z0, z1 = br * y0 - ar, br * y1 - ar
        s0, s1 = np.where(bounded, form.log_survival(z0), 0.0), form.log_survival(z1)
        value = s0 + np.log(-np.expm1(s1 - s0))
        f0 = np.where(bounded, np.exp(form.log_rate(z0) + s0 - value), 0.0)
        f1 = np.exp(form.log_rate(z1) + s1 - value)
        c00 = -f0 * form.slope(z0) - f0**2
        c11 = f1 * form.slope(z1) - f1**2
        c01 = f0 * f1
        return self._add(
            rows,
            (
                value,
                f0 - f1,
                f1 * y1 - f0 * y0,
                c00 + 2 * c01 + c11,
                -(c00 * y0 + c01 * (y0 + y1) + c11 * y1),
                c00 * y0**2 + 2 * c01 * y0 * y1 + c11 * y1**2,
            ),
        )
