"""What covariates do to life: accelerated failure time, and proportional hazards.

Accelerated failure time is fitted here (`analytics.life.accelerated`), by Newton's method on the likelihood of every
kind of record, with scales by stratum. Proportional hazards go through surpyval's `CoxPH`, an optional extra that takes
a second to import: it has late entries, counts, strata and ties, and holds the examples of Klein and Moeschberger
(Breslow's ties) and of R (Efron's) to all printed digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy.stats import chi2, norm

from analytics.core import Piece, Reason, digits
from analytics.hazard import LEVEL
from analytics.life.accelerated import fit_accelerated
from analytics.life.frames import grouped
from analytics.life.pieces import whole
from analytics.life.rows import Event, Floats, Ints, LifeRows, exits
from chaingraph.errors import ChaingraphError
from schema import Text

Ties = Literal["efron", "breslow"]

CODES = {
    "incomplete": Text("{count} 行缺少协变量，未采用。", "Rows without a value of a covariate, left out: {count}."),
    "aliased": Text(
        "{names} 恒定或可由其他协变量推出，无法估计。",
        "Constant, or told by the other covariates, and so not estimated: {names}.",
    ),
    "no_failures": Text("没有失效，无法估计。", "No failure: nothing can be estimated."),
    "no_covariates": Text("没有可估计的协变量。", "There is no covariate to estimate."),
    "few_failures": Text(
        "每个系数平均不足 {few} 次失效：系数和区间不可靠。",
        "Fewer than {few} failures for each coefficient: neither they nor their intervals can be relied on.",
    ),
    "no_maximum": Text(
        "似然没有最大值：某个协变量把失效与未失效完全分开，或失效太少。",
        "The likelihood has no maximum: a covariate parts the failures from the rest, or there are too few.",
    ),
    "middle_of_intervals": Text("区间失效按区间中点计。", "Failures seen in intervals count at their middle."),
}
"""What the codes of a regression's warnings mean to people."""
NAMES = frozenset({"part", "maker", "lot", "mode", "mechanism", "product", "region", "version", "serial"})
"""Columns that are names, though they may look like numbers."""
PER_COEFFICIENT = 10
"""Failures for each coefficient below which it is not to be relied on (Peduzzi and others, Journal of Clinical
Epidemiology 48, 1995, 1503-1510)."""


class Term(Piece):
    """One coefficient."""

    name: str
    """The covariate, or covariate=level of a text column."""
    coefficient: float | None
    """Of ln T (accelerated failure time) or of the logarithm of the hazard (proportional hazards)."""
    se: float | None
    """Standard error."""
    low: float | None
    """Low end of the coefficient."""
    high: float | None
    """High end."""
    p: float | None
    """Wald's test that it is 0."""

    def payload(self) -> dict[str, Any]:
        """The coefficient and its factor, exp of it, as JSON values."""
        factor = {
            end: None if value is None else digits(float(np.exp(value)))
            for end, value in (("value", self.coefficient), ("low", self.low), ("high", self.high))
        }
        own = {"value": self.coefficient, "se": self.se, "low": self.low, "high": self.high}
        return {"name": self.name, "coefficient": own, "factor": factor, "p": self.p}


class CovariateTest(Piece):
    """Wald's test of a covariate, all its levels together."""

    name: str
    """The covariate."""
    baseline: str | None
    """The level that the others of a text column are compared with: the commonest."""
    statistic: float | None
    """Chi-square."""
    df: int
    """Degrees of freedom."""
    p: float | None
    """The chance of so much if it does nothing."""


class Regression(Piece):
    """A regression of lives on covariates."""

    model: str
    """Weibull, lognormal, loglogistic, exponential: accelerated failure time; cox: proportional hazards."""
    n: float
    """Units."""
    failures: float
    """Failed units."""
    terms: tuple[Term, ...]
    """The coefficients; `(intercept)` and `(log scale)` among them with accelerated failure time."""
    tests: tuple[CovariateTest, ...]
    """A test of each covariate."""
    log_likelihood: float | None
    """Of the fit; partial for proportional hazards."""
    log_likelihood_null: float | None
    """Without covariates."""
    level: float
    """Two-sided confidence of the intervals."""
    warnings: tuple[Reason, ...]
    """What is to be known of it."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The regression as JSON values."""
        ratio = None
        if self.log_likelihood is not None and self.log_likelihood_null is not None:
            statistic = max(2 * (self.log_likelihood - self.log_likelihood_null), 0.0)
            df = sum(each.df for each in self.tests)
            ratio = {"statistic": digits(statistic), "df": df, "p": digits(float(chi2.sf(statistic, df)))}
        return {
            "model": self.model, "n": whole(self.n), "failures": whole(self.failures),
            "terms": [each.payload() for each in self.terms],
            "tests": [each.model_dump() for each in self.tests],
            "log_likelihood": self.log_likelihood, "log_likelihood_null": self.log_likelihood_null,
            "likelihood_ratio": ratio, "level": self.level,
            "warnings": [each.payload(locale) for each in self.warnings],
        }  # fmt: skip

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """One row a coefficient."""
        factor = Text("风险比", "Hazard ratio") if self.model == "cox" else Text("寿命倍数", "Factor on life")
        headings = [
            Text("协变量", "Covariate"), Text("系数", "Coefficient"), Text("标准误", "SE"), factor,
            Text("下限", "Low"), Text("上限", "High"), Text("p", "p"),
        ]  # fmt: skip
        table = []
        for each in self.terms:
            exp = each.payload()["factor"] if not each.name.startswith("(") else {}
            ends = [exp.get(end) for end in ("value", "low", "high")]
            table.append([each.name, each.coefficient, each.se, *ends, each.p])
        return [heading.say(locale) for heading in headings], table


def accelerated(
    rows: pl.DataFrame,
    covariates: Sequence[str],
    model: str = "weibull",
    level: float = LEVEL,
    stratum: str | None = None,
) -> Regression:
    """Life records (as for `analytics.life.frames.grouped`) regressed on columns by accelerated failure time.

    exp of a coefficient is the factor by which life is longer where the covariate is one more. Text columns become one
    coefficient for each level but the commonest.
    """
    made = _Design.of(rows, covariates, stratum)
    if not made.failures:
        return made.nothing(model, level, "no_failures")
    found = fit_accelerated(made.data, made.x, model, made.stratum)
    if not found.converged:
        return made.nothing(model, level, "no_maximum")
    null = fit_accelerated(made.data, made.x[:, :0], model, made.stratum)
    names = ["(intercept)", *made.names]
    scales = [] if found.family.fixed else [f"(log scale{f' {s}' if stratum else ''})" for s in made.strata]
    estimate = np.r_[found.coefficients, found.log_scale] if scales else found.coefficients
    return made.answer(
        model, level, [*names, *scales], estimate, found.covariance, 1, (found.log_likelihood, null.log_likelihood)
    )  # fmt: skip


def proportional(
    rows: pl.DataFrame,
    covariates: Sequence[str],
    level: float = LEVEL,
    ties: Ties = "efron",
    stratum: str | None = None,
) -> Regression:
    """The same by proportional hazards: Cox's partial likelihood, with late entries, counts, strata and ties.

    (Cox, Journal of the Royal Statistical Society B 34, 1972; Efron, JASA 72, 1977; Breslow, Biometrics 30, 1974.) exp
    of a coefficient is the hazard ratio. Raises ChaingraphError (`extra.missing`) where surpyval is not installed.
    """
    try:
        from surpyval import CoxPH
    except ImportError:
        raise ChaingraphError(
            "extra.missing",
            Text("比例风险回归需要可选依赖 surpyval。", "Proportional hazards need the optional package surpyval."),
            Text("请运行 pip install 'chaingraph[regression]'。", "Run pip install 'chaingraph[regression]'."),
        ) from None
    import warnings

    made = _Design.of(rows, covariates, stratum, middle=True)
    if not made.failures or not made.names:
        return made.nothing("cox", level, "no_covariates" if made.failures else "no_failures")
    data = made.data
    given: dict[str, Any] = {"strata": made.stratum} if stratum else {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = CoxPH.fit(
            exits(data), made.x, c=(data.event == Event.SUSPENSION).astype(int), n=data.count, tl=data.entry,
            tie_method=ties, **given,
        )  # fmt: skip
        if found.maximum == "no finite maximum":
            return made.nothing("cox", level, "no_maximum")
        partial: Any = found.neg_ll_of
        null = -float(partial(np.zeros(len(made.names))))
    return made.answer(
        "cox", level, made.names, np.asarray(found.beta), np.asarray(found.covariance()), 0,
        (-float(found.neg_ll()), null),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Design:
    """Rows with their covariates as numbers; `columns` says which covariate each column of `x` is of."""

    data: LifeRows
    x: Floats
    names: list[str]
    columns: list[str]
    baseline: dict[str, str | None]
    stratum: Ints
    strata: list[str]
    warnings: tuple[Reason, ...]

    @property
    def failures(self) -> float:
        """Failed units."""
        return float((self.data.count * (self.data.event != Event.SUSPENSION)).sum())

    @classmethod
    def of(cls, rows: pl.DataFrame, covariates: Sequence[str], stratum: str | None, *, middle: bool = False) -> _Design:
        """Of a frame; what cannot be estimated is left out and said."""
        wanted = [*covariates, *([stratum] if stratum else [])]
        told = rows.drop_nulls(wanted)
        said: list[tuple[str, dict[str, object]]] = []
        if len(told) < len(rows):
            said.append(("incomplete", {"count": len(rows) - len(told)}))
        data, _ = grouped(told.with_row_index("_row"), ["_row"])
        first = np.min(data.age_to[np.isfinite(data.age_to)], initial=np.inf)
        first = min(first, np.min(data.age[data.age > 0], initial=np.inf))
        data = replace(data, age_to=np.where(np.isinf(data.age_to), first, data.age_to))
        at = data.group
        names, columns, tables, baseline = [], [], [np.ones((len(at), 1))], {}
        for name in covariates:
            levels, table, baseline[name] = _columns(told[name])
            names += levels
            columns += [name] * len(levels)
            tables.append(table[at])
        x, kept = np.concatenate(tables, axis=1), _independent(np.concatenate(tables, axis=1))
        if aliased := [name for i, name in enumerate(names) if i + 1 not in kept]:
            said.append(("aliased", {"names": ", ".join(aliased)}))
        columns, names = ([each[i - 1] for i in kept if i] for each in (columns, names))
        strata, of = [""], np.zeros(len(at), np.int64)
        if stratum:
            texts = told[stratum].cast(pl.String).to_numpy()[at].astype(str)
            values, of = np.unique(texts, return_inverse=True)
            strata = values.tolist()
        made = cls(
            data, x[:, [i for i in kept if i]], names, columns, baseline, of.astype(np.int64), strata,
            tuple(_reason(code, **values) for code, values in said),
        )  # fmt: skip
        if middle and (data.event == Event.INTERVAL).any():
            made = replace(made, warnings=(*made.warnings, _reason("middle_of_intervals")))
        if 0 < made.failures < PER_COEFFICIENT * len(names):
            made = replace(made, warnings=(*made.warnings, _reason("few_failures", few=PER_COEFFICIENT)))
        return made

    def nothing(self, model: str, level: float, *codes: str) -> Regression:
        """An answer without estimates, which says why."""
        return Regression(
            model=model, n=float(self.data.count.sum()), failures=self.failures, terms=(), tests=(),
            log_likelihood=None, log_likelihood_null=None, level=level,
            warnings=(*self.warnings, *(_reason(code) for code in codes)),
        )  # fmt: skip

    def answer(
        self, model: str, level: float, names: Sequence[str], estimate: Floats, covariance: Floats, first: int,
        likelihoods: tuple[float, float],
    ) -> Regression:  # fmt: skip
        """The answer; the coefficients of covariates begin at `first`."""
        se, z = np.sqrt(np.diagonal(covariance)), float(norm.ppf((1 + level) / 2))
        terms = tuple(
            Term(
                name=name, coefficient=digits(b), se=digits(s), low=digits(b - z * s), high=digits(b + z * s),
                p=digits(float(2 * norm.sf(abs(b) / s))) if not name.startswith("(log") else None,
            )
            for name, b, s in zip(names, estimate.tolist(), se.tolist(), strict=True)
        )  # fmt: skip
        tests = []
        for covariate in dict.fromkeys(self.columns):
            at = first + np.flatnonzero([each == covariate for each in self.columns])
            b = estimate[at]
            statistic = float(b @ np.linalg.solve(covariance[np.ix_(at, at)], b))
            tests.append(
                CovariateTest(
                    name=covariate, baseline=self.baseline[covariate], statistic=digits(statistic), df=len(at),
                    p=digits(float(chi2.sf(statistic, len(at)))),
                )
            )  # fmt: skip
        return Regression(
            model=model, n=float(self.data.count.sum()), failures=self.failures, terms=terms, tests=tuple(tests),
            log_likelihood=digits(likelihoods[0]), log_likelihood_null=digits(likelihoods[1]), level=level,
            warnings=self.warnings,
        )  # fmt: skip


def _columns(column: pl.Series) -> tuple[list[str], Floats, str | None]:
    """Names and numbers of a covariate's columns, and the level that texts are compared with."""
    numbers = None if column.dtype.is_temporal() or column.name in NAMES else column.cast(pl.Float64, strict=False)
    if numbers is not None and not numbers.is_null().any() and numbers.is_finite().all():
        return [column.name], numbers.to_numpy()[:, None], None
    text = column.cast(pl.String)
    sizes = text.value_counts(name="size").sort("size", column.name, descending=[True, False])
    base, *others = sizes[column.name].to_list()
    levels = sorted(others)
    table = np.stack([(text == level).to_numpy() for level in levels], axis=1) if levels else np.zeros((len(text), 0))
    return [f"{column.name}={level}" for level in levels], table.astype(np.float64), str(base)


def _independent(x: Floats) -> list[int]:
    """Columns that no earlier ones add up to."""
    kept: list[int] = []
    basis = np.zeros((len(x), 0))
    for i in range(x.shape[1]):
        rest = x[:, i] - basis @ (basis.T @ x[:, i])
        rest -= basis @ (basis.T @ rest)
        size = np.linalg.norm(rest)
        if size > 1e-9 * max(float(np.linalg.norm(x[:, i])), 1e-300):
            kept.append(i)
            basis = np.column_stack([basis, rest / size])
    return kept


def _reason(code: str, **values: object) -> Reason:
    return Reason(code=code, text=CODES[code].format(**values))
