"""Groups of life records compared: tests of all of them, each group's own, and what they are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import binom, chi2

from analytics.comparison import false_discovery
from analytics.core import Estimate, Piece, Reason, Result, digits
from analytics.hazard import LEVEL
from analytics.life import contrast, survival
from analytics.life.contrast import Contrast
from analytics.life.families import DISTRIBUTIONS
from analytics.life.frames import grouped
from analytics.life.pieces import LifeFit, whole
from analytics.life.report import assess
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows
from analytics.life.survival import kaplan_meier, quantiles
from analytics.names import filled, listed
from schema import Text

MOST = 100
"""Groups that are compared at once; with more, those with the most units."""
EXPECTED = 5
"""Expected failures below which a group's p is an exact one."""
FEW = 10
"""With fewer failures the chi-square law of a test is rough."""

TESTS = {
    "log_rank": Text("对数秩检验", "log-rank"),
    "gehan": Text("Gehan-Wilcoxon 检验（侧重早期）", "Gehan's Wilcoxon (early ages weigh more)"),
    "interval_log_rank": Text("区间数据对数秩检验（Sun）", "log-rank of intervals (Sun's scores)"),
    "weibull": Text("似然比检验：同一威布尔分布", "likelihood ratio: one Weibull distribution"),
    "weibull_shape": Text("似然比检验：形状参数相同", "likelihood ratio: one Weibull shape"),
    "exponential": Text("似然比检验：同一恒定失效率", "likelihood ratio: one constant rate"),
}
CODES = {
    "one_group": Text("只有一个分组，无从比较。", "There is one group only: nothing to compare."),
    "no_failures": Text("没有失效：没有检验可做。", "No failure: there is nothing to test."),
    "few_failures": Text(
        "失效少于 {few} 次，检验的 p 值是粗略的。", "Fewer than {few} failures: the p-values of tests are rough."
    ),
    "exact": Text(
        "期望失效不足 {few} 次的分组，其 p 按失效总数的精确二项分布计。",
        "Where a group expects fewer than {few} failures, its p is exact: binomial in the failures of all.",
    ),
    "unsaid": Text("{count} 台未注明分组，未参加比较。", "Units of which the group is not said, left out: {count}."),
    "most": Text("分组过多：只比较台数最多的 {most} 组。", "Many groups: the {most} with the most units are compared."),
    "middle_of_intervals": Text(
        "对数秩检验把区间失效按区间中点计。", "The log-rank test takes failures seen in intervals at their middle."
    ),
    "never_meet": Text(
        "各组没有在相同寿命下同时处于观察中，对数秩检验无从比较。",
        "No failure happened while two groups were under observation at that age: there is no log-rank test.",
    ),
    "no_maximum": Text(
        "某组失效太少或似然没有最大值，似然比检验无法进行：{names}。",
        "A group has too few failures, or the likelihood no maximum, so that there is no: {names}.",
    ),
    "late_intervals": Text(
        "延迟进入观察的记录没有区间数据的得分：不做区间数据对数秩检验。",
        "Records that enter late have no scores of intervals: there is no log-rank test of intervals.",
    ),
    "against_unknown": Text("没有 {name} 这一组。", "There is no group {name}."),
}
"""What the codes of a comparison's warnings mean to people."""


class GroupTest(Piece):
    """A test of all groups at once."""

    test: str
    """Its code."""
    text: Text
    """What it is called."""
    statistic: float | None
    """Chi-square."""
    df: int
    """Degrees of freedom; 0 where there is no test."""
    p: float | None
    """The chance of so much difference, or more, if all live alike."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The test as JSON values."""
        found = {"statistic": digits(self.statistic), "df": self.df, "p": digits(self.p)}
        return {"test": self.test, "text": self.text.say(locale), **found}


class ComparedGroup(Piece):
    """One of the groups: what it is, what it did, what was to be expected."""

    value: str
    """What makes the group."""
    label: Text
    """What people call it."""
    n: float
    """Units."""
    failures: float
    """Failed units."""
    expected: float | None
    """Failures to be expected at its ages if all groups lived alike (log-rank)."""
    median: Estimate
    """The age by which half has failed, by Kaplan and Meier's curve."""
    fit: LifeFit
    """Its Weibull distribution."""
    p: float | None
    """Log-rank test against all others, or against the group asked for; exact where few failures are expected."""
    p_holm: float | None
    """The same by Holm: among all groups, the chance of any false alarm."""
    q: float | None
    """The same by Benjamini and Hochberg: the share of false alarms among those listed up to it."""
    codes: tuple[str, ...]
    """What is to be known of its curve (`analytics.life.survival`)."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The group as JSON values."""
        return {
            "value": self.value,
            "label": self.label.say(locale),
            "n": whole(self.n),
            "failures": whole(self.failures),
            "expected": digits(self.expected),
            "median": self.median.payload(),
            "p": digits(self.p),
            "p_holm": digits(self.p_holm),
            "q": digits(self.q),
            "fit": self.fit.payload(locale),
            "codes": list(self.codes),
        }


class DeclaredCheck(Piece):
    """A declared value against the field."""

    maker: str | None
    """Who it is declared of; null for every maker."""
    mode: str | None
    """The failure mode it is of; null for all."""
    label: Text
    """What people call the maker."""
    observed: float
    """Failures seen."""
    expected: float
    """Failures that the declared value promises over the ages observed."""
    ratio: Estimate
    """Seen over promised."""
    p: float
    """The chance of so many failures, or more, if the declared value is true."""
    denied: bool
    """Whether that is less than 5 %."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The check as JSON values."""
        return {
            "maker": self.maker, "mode": self.mode, "label": self.label.say(locale), "observed": whole(self.observed),
            "expected": digits(self.expected), "ratio": self.ratio.payload(), "p": digits(self.p),
            "denied": self.denied,
        }  # fmt: skip


class LifeComparison(Result):
    """Groups of records compared."""

    by: str
    """What makes the groups."""
    against: str | None
    """The group that every other is tested against; null for all others together."""
    unit: str | None
    """Unit of the ages."""
    groups: tuple[ComparedGroup, ...]
    """The groups, by their values."""
    tests: tuple[GroupTest, ...]
    """Tests of all of them at once."""
    declared: tuple[DeclaredCheck, ...]
    """Declared values against the field."""
    warnings: tuple[Reason, ...]
    """What is to be known of it."""

    def payload(self, locale: str) -> dict[str, Any]:
        """Tests, groups and declared values."""
        return {
            "by": self.by,
            "against": self.against,
            "unit": self.unit,
            "tests": [each.payload(locale) for each in self.tests],
            "groups": [each.payload(locale) for each in self.groups],
            "declared": [each.payload(locale) for each in self.declared],
            "warnings": [each.payload(locale) for each in self.warnings],
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """One row a group."""
        headings = [
            Text("分组", "Group"), Text("台数", "Units"), Text("失效", "Failures"), Text("期望", "Expected"),
            Text("中位寿命", "Median"), Text("下限", "Low"), Text("上限", "High"),
            Text("威布尔参数", "Weibull parameters"), Text("p", "p"), Text("Holm p", "Holm p"), Text("q", "q"),
        ]  # fmt: skip
        table = [
            [
                each.label.say(locale), whole(each.n), whole(each.failures), digits(each.expected),
                *(digits(value) for value in (each.median.value, each.median.low, each.median.high)),
                ", ".join(f"{p.name} {p.value:.4g}" for p in each.fit.parameters if p.value is not None) or None,
                *(digits(value) for value in (each.p, each.p_holm, each.q)),
            ]
            for each in self.groups
        ]  # fmt: skip
        return [heading.say(locale) for heading in headings], table


def compared(
    rows: pl.DataFrame,
    by: str,
    label: Callable[[str], Text] = lambda value: Text(value, value),
    against: str | None = None,
    level: float = LEVEL,
    unit: str | None = None,
) -> LifeComparison:
    """The records `rows` (as for `analytics.life.frames.grouped`) compared by the column `by`.

    Rows without a value there are left out. Without two groups, or without a failure, tests have no p and warnings say
    why. A group `against` that is not there is said so, and all others take its place.
    """
    said = rows.filter(pl.col(by).is_not_null()).with_columns(pl.col(by).cast(pl.String))
    warnings: list[Reason] = []
    count = pl.col("count").fill_null(1).sum() if "count" in rows.columns else pl.len()
    if unsaid := rows.filter(pl.col(by).is_null()).select(count).item():
        warnings.append(_reason("unsaid", count=f"{unsaid:g}"))
    sizes = said.group_by(by).agg(size=count).sort("size", by, descending=[True, False])
    if len(sizes) > MOST:
        warnings.append(_reason("most", most=MOST))
        said = said.join(sizes.head(MOST), on=by, how="semi", maintain_order="left")
    data, groups = grouped(said, [by])
    values = [str(value) for value in groups[by].to_list()]
    at = values.index(against) if against in values else None
    if against is not None and at is None:
        warnings.append(_reason("against_unknown", name=against))
    whole_data = replace(data, group=np.zeros_like(data.group), groups=1)
    rank = contrast.log_rank(whole_data, data.group)
    p, exact = _each(data, rank, at)
    if exact.any():
        warnings.append(_reason("exact", few=EXPECTED))
    adjusted, q = contrast.holm(p), np.full(p.shape, np.nan)
    q[np.isfinite(p)] = false_discovery(p[np.isfinite(p)])
    warnings += _doubts(data, rank)
    curve = kaplan_meier(data, level)
    for code in ("enters_late", "interrupted"):
        if any(code in each for each in curve.codes):
            warnings.append(Reason(code=code, text=survival.CODES[code]))
    median = quantiles(curve)
    fits = assess(data, [{by: value} for value in values], level=level, unit=unit) if values else []
    n, failures = data.sums(data.count), data.sums(data.count * (data.event != Event.SUSPENSION))
    tests = _tests(whole_data, data.group, rank)
    if data.groups > 1 and failures.sum():
        missing = [TESTS[code] for code in ("weibull", "weibull_shape", "exponential") if not tests[code].df[0]]
        if missing:
            text = filled(CODES["no_maximum"], names=listed(missing))
            warnings.append(Reason(code="no_maximum", text=text))
        if "interval_log_rank" in tests and not tests["interval_log_rank"].df[0]:
            warnings.append(_reason("late_intervals"))
    return LifeComparison(
        by=by,
        against=None if at is None else against,
        unit=unit,
        groups=tuple(
            ComparedGroup(
                value=value,
                label=label(value),
                n=float(n[g]),
                failures=float(failures[g]),
                expected=float(rank.expected[0, g]) if rank.expected.shape[1] > g else None,
                median=estimate(median.value[g], median.low[g], median.high[g], level),
                fit=fits[g],
                p=digits(p[g]),
                p_holm=digits(adjusted[g]),
                q=digits(q[g]),
                codes=curve.codes[g],
            )
            for g, value in enumerate(values)
        ),
        tests=tuple(
            GroupTest(
                test=code,
                text=TESTS[code],
                statistic=digits(float(test.statistic[0])),
                df=int(test.df[0]),
                p=digits(float(test.p[0])),
            )
            for code, test in tests.items()
        ),
        declared=(),
        warnings=tuple(warnings),
    )


def _tests(data: LifeRows, sample: Ints, rank: Contrast) -> Mapping[str, Contrast]:
    """All tests of one comparison."""
    found = {"log_rank": rank, "gehan": contrast.log_rank(data, sample, weight="gehan")}
    if (data.event == Event.INTERVAL).any():
        found["interval_log_rank"] = contrast.interval_log_rank(data, sample)
    return {
        **found,
        "weibull": contrast.likelihood_ratio(DISTRIBUTIONS["weibull"], data, sample),
        "weibull_shape": contrast.shape_ratio(data, sample),
        "exponential": contrast.likelihood_ratio(DISTRIBUTIONS["exponential"], data, sample),
    }


def _each(data: LifeRows, rank: contrast.RankContrast, against: int | None) -> tuple[Floats, Bools]:
    """Every group's p, against all others or one group, and where it is exact.

    Against all others it is of the group's own score and variance in the test of all. Where either side expects fewer
    than `EXPECTED` failures, chi-square finds far too much in a few: p is then that of so uneven a split of all
    failures, binomial in the shares expected of either (as `analytics.comparison.compare`), two-sided by doubling.
    """
    k = data.groups
    if k < 2 or not rank.score.shape[1]:
        return np.full(k, np.nan), np.zeros(k, np.bool_)
    if against is None:
        tables = rank.score[0], np.diagonal(rank.variance[0]), rank.observed[0], rank.expected[0]
        score, variance, seen, due = (np.r_[each, np.zeros(k - len(each))] for each in tables)
        total = np.full(k, rank.observed.sum())
    else:
        others = [g for g in range(k) if g != against]
        mine = data.group != against
        row = np.concatenate([np.flatnonzero(mine), np.tile(np.flatnonzero(~mine), len(others))])
        group = np.concatenate([data.group[mine], np.repeat(others, (~mine).sum())])
        both = LifeRows(
            data.age[row], data.event[row], data.entry[row], data.age_to[row], data.count[row], group, k
        )  # fmt: skip
        pair = contrast.log_rank(both, mine[row].astype(np.int64))
        score, variance, seen, due = pair.score[:, 1], pair.variance[:, 1, 1], pair.observed[:, 1], pair.expected[:, 1]
        total = pair.observed.sum(axis=1)
    tested = variance > 1e-12
    exact = tested & (np.minimum(due, total - due) < EXPECTED)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.asarray(chi2.sf(np.where(tested, score**2 / variance, np.nan), 1))
        share = np.clip(np.where(exact, due / total, 0.5), 0.0, 1.0)
    n, o = np.rint(total), np.rint(seen)
    split = 2 * np.minimum(binom.cdf(o, n, share), binom.sf(o - 1, n, share))
    return np.where(exact, np.minimum(split, 1.0), p), exact


def _doubts(data: LifeRows, rank: Contrast) -> list[Reason]:
    failed = data.event != Event.SUSPENSION
    failures = float((data.count * failed).sum())
    if data.groups < 2:
        return [_reason("one_group")]
    if not failures:
        return [_reason("no_failures")]
    found = [_reason("few_failures", few=FEW)] if failures < FEW else []
    if not rank.df[0]:
        found.append(_reason("never_meet"))
    if (data.event == Event.INTERVAL).any():
        found.append(_reason("middle_of_intervals"))
    return found


def estimate(value: float, low: float, high: float, level: float) -> Estimate:
    """A figure with its ends; None where there is none."""
    return Estimate(value=digits(value), low=digits(low), high=digits(high), level=level)


def _reason(code: str, **values: object) -> Reason:
    return Reason(code=code, text=CODES[code].format(**values))
