"""Turnbull's estimate: the survival that makes interval-, left- and right-censored lives with late entries most likely.

The likelihood of a life in (a, b] that entered observation at e is (S(a) - S(b)) / S(e). It depends on S only by the
masses of the innermost intervals (Turnbull, Journal of the Royal Statistical Society B 38, 1976, 290-295; with late
entries their ends count, too: Frydman, ibid. 56, 1994, 71-74); where within one the mass lies is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analytics.hazard import LEVEL
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows
from analytics.life.survival import codes_of, running, stretches
from schema import Text

CODES = {
    "not_converged": Text("未收敛到最大似然。", "The maximum of the likelihood was not reached."),
    "collapses": Text(
        "最早的少数单元使生存曲线过早降为零，之后无法估计。",
        "The few units that were observed early bring the curve to 0 before the others enter: no estimate after that.",
    ),
}
"""What the codes of an estimate mean to people, beside those of `analytics.life.survival`."""
TIGHT = 1e-9
"""The residual of the conditions of a maximum, per unit."""
_STEPS, _DENSE, _ROOM = 200, 512, 4_000_000
_ENDLESS, _GONE = 36.0, 18.0


@dataclass(frozen=True, slots=True)
class Masses:
    """The innermost intervals with a mass, arrays of the shape (steps,), in the order of group and age.

    A mass lies after `age` and not after `age_to` (infinite where nobody was seen to fail later); at one age where the
    two are equal. `survival` is S at `age_to`, among those alive at `origin`; `low` and `high` are at `level`, nan
    without a band. `residual` and `log_likelihood` have the shape (groups,): how far the conditions of a maximum are
    from being met, per unit, and the highest log likelihood (nan without rows).
    """

    group: Ints
    origin: Floats
    age: Floats
    age_to: Floats
    mass: Floats
    survival: Floats
    low: Floats
    high: Floats
    level: float
    residual: Floats
    log_likelihood: Floats
    codes: tuple[tuple[str, ...], ...]


def turnbull(data: LifeRows, level: float = LEVEL, draws: int = 0, seed: int = 0) -> Masses:
    """The nonparametric maximum-likelihood estimate of every group.

    In the hazards of the innermost intervals, S = exp(-sum of lambda), the log likelihood is concave, also with
    late entries, so that lambda >= 0, gradient <= 0 and lambda x gradient = 0 are the maximum (Karush, Kuhn and
    Tucker): Newton steps on those above 0 until `residual` is below 1e-9. A break in observation starts a new curve as
    in `analytics.life.survival.kaplan_meier`, of which this is the generalisation: on exact failures they agree.

    With `draws`, the band is of so many samples drawn again from each group's units, seeded: percentiles (Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). That is sound where inspections fall on few ages;
    where every unit has its own the estimate converges by the cube root of the units and the band is rough (Sen and
    Xu, Electronic Journal of Statistics 9, 2015). Groups with a broken observation have no band.
    """
    of = _Problem.of(data)
    hazards, residual, likelihood = _solve(of)
    last = np.isinf(hazards)
    total = running(np.where(last, 0.0, hazards), of.curve)
    after = np.where(last, 0.0, np.exp(-total))
    before = np.exp(-total + np.where(last, 0.0, hazards))
    gone = np.zeros(data.groups, np.bool_)
    gone[of.group[of.curve[~last & (total >= _GONE)]]] = True
    curves = np.bincount(of.group, minlength=data.groups)
    late = np.full(data.groups, np.inf)
    np.minimum.at(late, of.group, of.origin)
    worst = np.zeros(data.groups)
    np.maximum.at(worst, of.group, residual)
    codes = codes_of(
        {
            "enters_late": (late > 0) & np.isfinite(late),
            "interrupted": curves > 1,
            "not_converged": ~(worst <= TIGHT) & ~gone,
            "collapses": gone,
        },
        data.groups,
    )
    mass = before * -np.expm1(-hazards)
    kept = mass > 0
    group = of.group[of.curve]
    age, age_to = of.ends()
    found = Masses(
        group[kept], of.origin[of.curve][kept], age[kept], age_to[kept], mass[kept], after[kept],
        np.full(kept.sum(), np.nan), np.full(kept.sum(), np.nan), level, np.where(curves > 0, worst, np.nan),
        np.where(curves > 0, np.bincount(of.group, likelihood, data.groups), np.nan), codes,
    )  # fmt: skip
    return _banded(found, data, level, draws, seed) if draws and len(found.group) else found


def surroundings(data: LifeRows) -> tuple[Floats, Floats, Floats, Floats]:
    """For every row, S before and after the ages at which it may have failed, and the sums of p / S(t-) up to there.

    nan for rows that say nothing.
    """
    of = _Problem.of(data)
    hazards, _, _ = _solve(of)
    finite = np.where(np.isinf(hazards), 0.0, hazards)
    total = np.r_[0.0, running(finite, of.curve)]
    sums = np.r_[0.0, running(-np.expm1(-hazards), of.curve)]
    found = np.full((4, len(data.age)), np.nan)
    first = of.first[of.row_curve]
    for at, column in ((of.row_lo, 0), (of.row_hi, 1)):
        # the sums before the candidate `at` of the row's curve
        place = np.where(at > 0, first + at, 0)
        gone = (column == 1) & (at == of.size[of.row_curve])
        found[column, of.row] = np.where(gone, 0.0, np.exp(-total[place]))
        found[column + 2, of.row] = sums[place]
    return found[0], found[1], found[2], found[3]


@dataclass(frozen=True, slots=True)
class _Problem:
    """Curves with their candidates (innermost intervals) and the lives on them.

    `curve`, `left` and `right` are of the candidates, as places among `ages` (2 k the age k itself, 2 k + 1 the gap
    after it); `first` and `size` say where a curve's candidates are. A row of `row` (of the data) may have failed in
    the candidates lo to hi - 1 of its curve, and entered after the first `start` of them. The lives are these, merged.
    """

    ages: Floats
    group: Ints
    origin: Floats
    curve: Ints
    left: Ints
    right: Ints
    first: Ints
    size: Ints
    row: Ints
    row_curve: Ints
    row_lo: Ints
    row_hi: Ints
    life: Ints
    start: Ints
    lo: Ints
    hi: Ints
    weight: Floats

    @classmethod
    def of(cls, data: LifeRows) -> _Problem:
        exact, between = data.event == Event.FAILURE, data.event == Event.INTERVAL
        last = np.where(between, np.nan_to_num(data.age_to), data.age)
        row = np.flatnonzero((last > data.entry) & ~(between & np.isinf(data.age_to)))
        exact, between, last = exact[row], between[row], last[row]
        entry, count = data.entry[row], data.count[row]
        lower = np.where(exact, last, np.maximum(data.age[row], entry))
        of, group, origin = stretches(entry, last, exact | between, data.group[row])
        ages = np.unique(np.concatenate([entry, lower, last]))
        top = 2 * len(ages) + 1

        def place(values: Floats) -> Ints:
            return 2 * np.searchsorted(ages, values).astype(np.int64)

        left = place(lower) + ~exact
        right = np.where(exact | between, place(last), top)
        late = entry > origin[of]
        key = of * (top + 1)
        ends = np.concatenate([key + left, key + right, (key + place(entry))[late]])
        is_right = np.r_[np.zeros(len(row), np.int64), np.ones(len(row) + int(late.sum()), np.int64)]
        order = np.lexsort((is_right, ends))
        sorted_ends, kind = ends[order], is_right[order]
        pair = np.flatnonzero((kind[:-1] == 0) & (kind[1:] == 1)) if len(kind) else np.zeros(0, np.int64)
        a, b = sorted_ends[pair], sorted_ends[pair + 1]
        curve = a // (top + 1)
        size = np.bincount(curve, minlength=len(group))
        first = np.cumsum(size) - size
        lo = np.searchsorted(a, key + left) - first[of]
        hi = np.searchsorted(b, key + right, side="right") - first[of]
        start = np.where(late, np.searchsorted(b, key + place(entry), side="right") - first[of], 0)
        columns = np.stack([of, start, lo, hi], axis=1) if len(row) else np.zeros((0, 4), np.int64)
        merged, which = np.unique(columns, axis=0, return_inverse=True)
        weight = np.bincount(which.reshape(-1), count, len(merged)).astype(np.float64)
        return cls(
            ages, group, origin, curve, a % (top + 1), b % (top + 1), first, size, row, of, lo, hi,
            merged[:, 0], merged[:, 1], merged[:, 2], merged[:, 3], weight,
        )  # fmt: skip

    def ends(self) -> tuple[Floats, Floats]:
        """The ages after which, and up to which, the mass of a candidate lies."""
        reach = np.r_[self.ages, np.inf]
        return reach[self.left // 2], reach[np.minimum(self.right // 2, len(self.ages))]


def _solve(of: _Problem) -> tuple[Floats, Floats, Floats]:
    """Hazards of the candidates (infinite for the last of a curve), residual and log likelihood of the curves."""
    hazards = np.full(len(of.curve), np.inf)
    residual, likelihood = np.zeros(len(of.size)), np.zeros(len(of.size))
    width = 2 ** np.ceil(np.log2(np.maximum(of.size - 1, 1))).astype(np.int64)
    for each in np.unique(width):
        curves = np.flatnonzero((width == each) & (of.size > 1))
        chunk = max(int(_ROOM // (int(each) + 1) ** 2), 1)
        for begin in range(0, len(curves), chunk):
            chosen = curves[begin : begin + chunk]
            batch = _Batch.of(of, chosen, int(each))
            lam, residual[chosen], likelihood[chosen] = batch.climb()
            inside = np.flatnonzero(batch.real)
            where = (of.first[chosen][:, None] + np.arange(int(each))).reshape(-1)[inside]
            hazards[where] = lam.reshape(-1)[inside]
    return hazards, residual, likelihood


@dataclass(frozen=True, slots=True)
class _Batch:
    """Curves of about one size, their hazards as rows of a matrix (curves, width); `real` are those that exist."""

    real: Bools
    life: Ints
    start: Ints
    lo: Ints
    hi: Ints
    closed: Bools
    weight: Floats
    total: Floats

    @classmethod
    def of(cls, problem: _Problem, chosen: Ints, width: int) -> _Batch:
        place = np.full(len(problem.size), -1)
        place[chosen] = np.arange(len(chosen))
        mine = place[problem.life] >= 0
        life, hi = place[problem.life][mine], problem.hi[mine]
        size = problem.size[chosen]
        closed = hi < size[life]
        weight = problem.weight[mine]
        return cls(
            np.arange(width) < (size - 1)[:, None], life, problem.start[mine], problem.lo[mine],
            np.where(closed, hi, problem.lo[mine]), closed, weight,
            np.bincount(life, weight, len(chosen)).astype(np.float64),
        )  # fmt: skip

    def spread(self, begin: Ints, end: Ints, values: Floats) -> Floats:
        """Sums over lives of a value on the candidates begin to end - 1: (curves, width)."""
        curves, width = self.real.shape
        base = self.life * (width + 1)
        flat = np.bincount(base + begin, values, curves * (width + 1)) - np.bincount(
            base + end, values, curves * (width + 1)
        )
        return np.cumsum(flat.reshape(curves, width + 1), axis=1)[:, :-1]

    def gaps(self, lam: Floats) -> tuple[Floats, Floats]:
        """For every life, the hazard from its entry to where it may have failed, and over where it may."""
        total = np.concatenate([np.zeros((len(lam), 1)), np.cumsum(lam, axis=1)], axis=1)
        at = total[self.life, self.lo]
        return at - total[self.life, self.start], np.where(self.closed, total[self.life, self.hi] - at, np.inf)

    def value(self, lam: Floats) -> Floats:
        """Log likelihood of every curve."""
        before, over = self.gaps(lam)
        with np.errstate(divide="ignore"):
            each = self.weight * (np.log(-np.expm1(-over)) - before)
        return np.bincount(self.life, each, len(lam)).astype(np.float64)

    def slopes(self, lam: Floats) -> tuple[Floats, Floats]:
        """The gradient (curves, width), and each life's share of the second derivatives."""
        _, over = self.gaps(lam)
        with np.errstate(over="ignore", divide="ignore"):
            r = np.where(self.closed, 1 / np.expm1(over), 0.0)
        up = self.spread(self.lo, self.hi, self.weight * r)
        return np.where(self.real, up - self.spread(self.start, self.lo, self.weight), 0.0), self.weight * r * (1 + r)

    def begin(self) -> Floats:
        """Hazards to begin with: every life spread evenly over where it may have failed."""
        curves = len(self.real)
        size = self.real.sum(axis=1) + 1
        end = np.where(self.closed, self.hi, size[self.life] - 1)
        open_share = np.where(self.closed, 0.0, self.weight / (size[self.life] - self.lo))
        share = np.where(self.closed, self.weight / np.maximum(self.hi - self.lo, 1), open_share)
        mass = self.spread(self.lo, end, share)
        rest = np.bincount(self.life, open_share, curves)[:, None]
        later = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1] + np.maximum(rest, 1e-3 * self.total[:, None])
        return np.where(self.real, -np.log1p(-np.minimum(mass / later, 1 - 1e-9)), 0.0)

    def climb(self) -> tuple[Floats, Floats, Floats]:
        """Hazards at the maximum, the residual of its conditions, and its log likelihood."""
        lam = self.begin()
        value = self.value(lam)
        unit = self.total[:, None]
        residual = np.full(len(lam), np.inf)
        for _ in range(_STEPS):
            slope, bend = self.slopes(lam)
            residual = np.abs(lam - np.clip(lam + slope / unit, 0.0, _ENDLESS)).max(axis=1)
            open_ = residual > TIGHT
            if not open_.any():
                break
            held = ~self.real | ((lam <= 1e-12) & (slope <= 0)) | ((lam >= _ENDLESS) & (slope >= 0))
            step = np.where(open_[:, None], self.newton(slope, bend, held), 0.0)
            step = np.where(self.real & (lam <= 1e-12) & (slope <= 0), -lam, step)
            length = np.ones(len(lam))
            waiting = open_.copy()
            for _ in range(40):
                tried = np.clip(lam + length[:, None] * step, 0.0, _ENDLESS)
                at = self.value(tried)
                better = waiting & (
                    at >= value + 1e-4 * ((tried - lam) * slope).sum(axis=1) - 1e-13 * (1 + np.abs(value))
                )
                lam = np.where(better[:, None], tried, lam)
                value = np.where(better, at, value)
                waiting &= ~better
                if not waiting.any():
                    break
                length = np.where(waiting, length / 2, length)
            else:
                if not (open_ & ~waiting).any():
                    break
        return lam, residual, value

    def newton(self, slope: Floats, bend: Floats, held: Bools) -> Floats:
        """The step to the top of the parabola in the hazards that are not held; (curves, width)."""
        curves, width = self.real.shape
        diagonal = self.spread(self.lo, self.hi, bend)
        ridge = 1e-10 * self.total[:, None] + 1e-13 * diagonal
        if width > _DENSE:
            return self.conjugate(np.where(held, 0.0, slope), bend, held, diagonal + ridge, ridge)
        flat = np.zeros(curves * (width + 1) ** 2)
        base = self.life * (width + 1) ** 2
        for a, b, sign in (
            (self.lo, self.lo, 1),
            (self.lo, self.hi, -1),
            (self.hi, self.lo, -1),
            (self.hi, self.hi, 1),
        ):
            flat += sign * np.bincount(base + a * (width + 1) + b, bend, len(flat))
        second = np.cumsum(np.cumsum(flat.reshape(curves, width + 1, width + 1), axis=1), axis=2)[:, :-1, :-1]
        free = ~held
        second = np.where(free[:, :, None] & free[:, None, :], second, 0.0)
        line = np.arange(width)
        second[:, line, line] = np.where(free, diagonal + ridge, 1.0)
        return np.asarray(np.linalg.solve(second, np.where(held, 0.0, slope)[:, :, None])[:, :, 0])

    def conjugate(self, right: Floats, bend: Floats, held: Bools, scale: Floats, ridge: Floats) -> Floats:
        """As `newton` where a matrix would be too large: conjugate gradients, scaled by the diagonal."""
        x, r = np.zeros_like(right), right.copy()
        z = r / scale
        p, rz = z.copy(), (r * z).sum(axis=1, keepdims=True)
        goal = 1e-20 * rz.sum()
        for _ in range(300):
            if rz.sum() <= goal:
                break
            total = np.concatenate([np.zeros((len(p), 1)), np.cumsum(p, axis=1)], axis=1)
            along = bend * (total[self.life, self.hi] - total[self.life, self.lo])
            turned = np.where(held, 0.0, self.spread(self.lo, self.hi, along) + ridge * p)
            size = rz / np.maximum((p * turned).sum(axis=1, keepdims=True), 1e-300)
            x, r = x + size * p, r - size * turned
            z = r / scale
            new = (r * z).sum(axis=1, keepdims=True)
            p, rz = z + new / np.maximum(rz, 1e-300) * p, new
        return x


def _banded(found: Masses, data: LifeRows, level: float, draws: int, seed: int) -> Masses:
    """The estimate with the percentiles of estimates of samples drawn again."""
    order = np.argsort(data.group, kind="stable")
    ends = np.searchsorted(data.group[order], np.arange(data.groups + 1))
    samples = np.zeros((draws, len(order)))
    for g in range(data.groups):
        mine = order[ends[g] : ends[g + 1]]
        n = round(float(data.count[mine].sum()))
        if n:
            samples[:, mine] = np.random.default_rng(seed).multinomial(
                n, data.count[mine] / data.count[mine].sum(), draws
            )
    curves = np.ones((draws, len(found.group)))
    batch = max(int(2_000_000 // max(len(order), 1)), 1)
    ages, steps = np.unique(np.r_[found.age_to, data.age, np.nan_to_num(data.age_to)]), found.age_to
    for begin in range(0, draws, batch):
        part = samples[begin : begin + batch]
        which, row = np.nonzero(part)
        again = LifeRows(
            data.age[row], data.event[row], data.entry[row], data.age_to[row], part[which, row],
            data.group[row] + which * data.groups, data.groups * len(part),
        )  # fmt: skip
        drawn = turnbull(again)
        key = drawn.group * (len(ages) + 1) + np.searchsorted(ages, drawn.age_to)
        for b in range(len(part)):
            group = found.group + b * data.groups
            at = np.searchsorted(key, group * (len(ages) + 1) + np.searchsorted(ages, steps), side="right") - 1
            mine = (at >= 0) & (drawn.group[np.maximum(at, 0)] == group)
            curves[begin + b] = np.where(mine, drawn.survival[np.maximum(at, 0)], 1.0)
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    whole = np.array([not {"interrupted", "collapses"} & set(found.codes[g]) for g in found.group.tolist()], np.bool_)
    return replace(found, low=np.where(whole, low, np.nan), high=np.where(whole, high, np.nan))
