"""What a fit says to people: one row a group, its figures with intervals, and what is to be said against them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analytics.core import Reason, digits
from analytics.life import bounds, quantities
from analytics.life.bounds import LifeBound, LifeFigure, figure
from analytics.life.choice import REPLICATES, Choice, aicc, bic, choose, goodness, likeliest, plot_r_squared
from analytics.life.distribution import Distribution, Fits, Intervals, Quantity, Status
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit
from analytics.life.likelihood import likelihood_ratio
from analytics.life.location_scale import LocationScale
from analytics.life.pieces import Alternative, Ends, GoodnessOfFit, GroupLabel, LifeFit, Method, rows
from analytics.life.ranks import PAPERS, by_ranks, rank_fits
from analytics.life.rows import Bools, Event, Floats, Ints, LifeRows, exits
from schema import Text

__all__ = ["LifeFit", "assess", "rows"]

FEW = 10
"""Below so many failures an interval holds the truth clearly less often than it says (docs/coverage.md)."""
FLATTEST, STEEPEST = 0.1, 20.0
POOR, BELOW = 0.05, 0.01
BOOTSTRAP_ROWS = {1: 1_000_000, 2: 1_000_000}
"""The p-value of the goodness of fit is computed where all its samples together have no more units than this, by number
of parameters; a fiftieth of it for a distribution without a location and scale, whose fits take that much longer.
"""

CODES = {
    "no_rows": Text("没有可用的寿命记录。", "There is no usable record."),
    "no_failure": Text(
        "无失效，全部为删失：没有估计值，只有界限。", "No failure, all censored: there is a bound, but no estimate."
    ),
    "too_few_failures": Text(
        "失效或样品太少，不足以估计参数。",
        "Fewer units or distinct failures than the distribution's parameters need: no estimate.",
    ),
    "one_age": Text(
        "所有失效都在同一寿命，形状参数无法确定。",
        "All failures are at one age: they tell no shape, so there is no estimate.",
    ),
    "no_maximum": Text(
        "似然函数平坦或没有极大值，数据不支持该分布。",
        "The likelihood is flat or has no maximum: the data do not support this distribution.",
    ),
    "few_failures": Text(
        "失效少于 10 个，区间偏窄：模拟中，90% 区间在 3 个失效时只有 54% 至 79% 包含真值，"
        "5 个失效时为 67% 至 84%（似然比区间较好）。",
        "Fewer than 10 failures: intervals are too narrow. In simulation those of 90 % held the truth in 54 to 79 % of "
        "samples with 3 failures, in 67 to 84 % with 5 (likelihood ratio being the better).",
    ),
    "extrapolated": Text(
        "B10 寿命是外推值，为已观察到的最大寿命的 {ratio} 倍。",
        "The B10 life is extrapolated: {ratio} times the oldest age observed.",
    ),
    "poor_fit": Text(
        "拟合优度差（p = {p}）：可能混有多种失效模式或不同批次。",
        "The fit is poor (p = {p}): several failure modes or populations may be mixed.",
    ),
    "shape_extreme": Text(
        "形状参数为 {beta}，异常：请核对寿命数据。", "A shape of {beta} is out of the ordinary: check the ages."
    ),
    "below_zero": Text(
        "该分布有 {share}% 的失效落在零以下的寿命，请改用其他分布。",
        "This distribution puts {share} % of all failures at ages below 0: prefer another.",
    ),
    "mean_infinite": Text("该分布没有有限的平均寿命。", "The mean life of this distribution is not finite."),
    "no_end": Text("数据给不出部分区间端点：{names}。", "The data give no end to some intervals: {names}."),
    "wald_after_ranks": Text(
        "秩回归没有似然比区间，给出的是 Wald 区间（在秩回归估计处的信息矩阵）。",
        "Rank regression has no likelihood-ratio interval: these are Wald's, from the information at its estimates.",
    ),
    "intervals_at_middle": Text(
        "秩回归把区间失效记在区间中点。", "Rank regression counts failures seen in intervals at their middle."
    ),
    "entries_without_rank": Text(
        "有迟进入观察的样品，秩回归不适用，请用极大似然。",
        "Units entered observation late and have no rank: use maximum likelihood.",
    ),
}
"""What the codes of warnings mean to people."""

_STATUS = {
    Status.NO_ROWS: "no_rows",
    Status.NO_FAILURE: "no_failure",
    Status.TOO_FEW: "too_few_failures",
    Status.NO_MAXIMUM: "no_maximum",
}


def assess(
    data: LifeRows,
    groups: Sequence[dict[str, Any]],
    *,
    distribution: str = "weibull",
    method: Method = "mle",
    interval: Ends = "wald",
    level: float = 0.9,
    unit: str | None = None,
) -> list[LifeFit]:
    """A fit of each group, in their order, with all that is to be said of it.

    `groups` says of each group what it is; `distribution` is a name of `DISTRIBUTIONS`, or "best": the lowest AICc of
    `choose` (with ranks: the highest r squared). Method "rr" is rank regression of ages on ranks, as Weibull++ does by
    default. Every group gets an answer: where the data support no fit, the figures are None, and `warnings` and `bound`
    say why and what they do support. Raises ValueError for a distribution that there is not (or not by ranks), for a
    level outside of 0 to 1, and where `groups` are not as many as those of `data`.
    """
    if len(groups) != data.groups:
        raise ValueError(f"{len(groups)} labels for {data.groups} groups.")
    if not 0 < level < 1:
        raise ValueError(f"A confidence level lies between 0 and 1; {level} does not.")
    possible = PAPERS if method == "rr" else DISTRIBUTIONS
    if distribution != "best" and distribution not in possible:
        raise ValueError(f"No distribution {distribution} for this method: choose from best, {', '.join(possible)}.")
    asked = _Asked(groups, method, interval, level, unit, bounds.bound(data, level))
    if distribution != "best":
        of = DISTRIBUTIONS[distribution]
        found = rank_fits(of, data) if method == "rr" else fit(of, data)
        return [each for each in _told(asked, data, found, np.full(data.groups, True), None) if each]
    choice = _best_by_ranks(data) if method == "rr" else choose(data)
    answers: list[LifeFit | None] = [None] * data.groups
    for at, found in enumerate(choice.fits):
        mine = (choice.best == at) | ((choice.best < 0) & (at == 0))
        if mine.any():
            for g, each in enumerate(_told(asked, data, found, mine, choice)):
                answers[g] = each or answers[g]
    return [each for each in answers if each]


@dataclass(frozen=True, slots=True)
class _Asked:
    groups: Sequence[dict[str, Any]]
    method: Method
    interval: Ends
    level: float
    unit: str | None
    bound: list[LifeBound | None]


def _labels(group: dict[str, Any]) -> tuple[GroupLabel, ...]:
    return tuple(GroupLabel(name=name, value=None if of is None else str(of)) for name, of in group.items())


def _best_by_ranks(data: LifeRows) -> Choice:
    """The two-parameter distribution with the straightest plot; a score is 1 - r squared."""
    fits = tuple(rank_fits(DISTRIBUTIONS[name], data) for name, paper in PAPERS.items() if not paper.through_zero)
    scores = np.stack([1 - plot_r_squared(each.distribution, data, each.parameters) for each in fits])
    best: Ints = np.argmin(np.where(np.isnan(scores), np.inf, scores), 0)
    return Choice(fits, scores, np.where(np.isfinite(scores).any(0), best, -1))


def _told(asked: _Asked, data: LifeRows, fits: Fits, mine: Bools, choice: Choice | None) -> list[LifeFit | None]:
    """The answers for the groups `mine`, None for the others."""
    of, ranked = fits.distribution, asked.method == "rr"
    chosen = np.full(data.groups, True) if choice is None else choice.best >= 0
    own = mine & fits.fitted & chosen
    too_few = np.where(fits.fitted & ~chosen, Status.TOO_FEW, fits.status)
    fits = replace(fits, status=np.where(mine, too_few, Status.NO_ROWS).astype(np.int64))
    own_data = data.take(mine[data.group])

    def intervals(quantity: Quantity) -> Intervals:
        if asked.interval == "lr" and not ranked:
            return likelihood_ratio(fits, own_data, quantity, asked.level)
        return quantities.wald(fits, quantity, asked.level)

    parameters = [(p.name, intervals(quantities.parameter(of, p.name))) for p in of.parameters]
    figures = {"mean": intervals(quantities.mean(of))}
    figures |= {f"b{round(100 * share)}": intervals(quantities.b_life(of, share)) for share in (0.01, 0.1, 0.5)}
    shown = np.where(own, fits.parameters, np.nan)
    agreement = _agreement(fits, own_data, shown, by_ranks if ranked else likeliest)
    oldest, late, between = np.zeros(data.groups), np.zeros(data.groups), np.zeros(data.groups)
    np.maximum.at(oldest, data.group, exits(data))
    if ranked:
        late, between = data.sums(data.entry > 0), data.sums(data.event == Event.INTERVAL)
    below = np.where(own, -np.expm1(-of.hazard(np.zeros(data.groups), np.where(own, shown, 1.0))), 0.0)
    criteria = np.full((2, data.groups), np.nan) if ranked else np.stack([aicc(fits), bic(fits)])
    answers: list[LifeFit | None] = []
    for g in range(data.groups):
        if not mine[g]:
            answers.append(None)
            continue
        known = bool(own[g])
        own_parameters = tuple(figure(name, each, g) for name, each in parameters)
        own_figures = {name: figure(name, each, g) for name, each in figures.items()}
        bound = asked.bound[g]
        enough = known and fits.failures[g] >= 3 and of.name != "exponential"
        unknown = not chosen[g]
        codes = _doubts(asked, fits, g, oldest[g], agreement[g], (*own_parameters, *own_figures.values()))
        if below[g] > BELOW:
            codes.append(_reason("below_zero", share=f"{100 * below[g]:.3g}"))
        if between[g]:
            codes.append(_reason("intervals_at_middle"))
        if late[g]:
            codes = [_reason("entries_without_rank")]
        answers.append(
            LifeFit(
                group=_labels(asked.groups[g]),
                n=float(fits.n[g]),
                failures=float(fits.failures[g]),
                distribution=None if unknown else of.name,
                parameters=() if unknown else own_parameters,
                log_likelihood=digits(float(fits.log_likelihood[g])) if known else None,
                aicc=digits(float(criteria[0, g])) if known else None,
                bic=digits(float(criteria[1, g])) if known else None,
                **own_figures,
                method=asked.method,
                interval="wald" if ranked else asked.interval,
                level=asked.level,
                unit=asked.unit,
                goodness=agreement[g],
                alternatives=_alternatives(choice, g, ranked=ranked) if choice else (),
                bound=None if enough else bound,
                warnings=tuple(codes),
            )
        )
    return answers


def _agreement(
    fits: Fits, data: LifeRows, parameters: Floats, estimate: Callable[[Distribution, LifeRows], Floats]
) -> list[GoodnessOfFit]:
    """Statistic, p-value where it is cheap, and r squared of each group."""
    shown = data.take(np.isfinite(parameters.sum(0))[data.group])
    limit = BOOTSTRAP_ROWS.get(len(fits.parameters), 0) / (1 if isinstance(fits.distribution, LocationScale) else 50)
    replicates = REPLICATES if REPLICATES * shown.count.sum() <= limit else 0
    with np.errstate(all="ignore"):
        found = goodness(fits.distribution, data, parameters, replicates, estimate)
        straight = plot_r_squared(fits.distribution, data, parameters)
    columns = np.stack([found.statistic, found.p_value if replicates else np.full(data.groups, np.nan), straight])
    return [
        GoodnessOfFit(anderson_darling=digits(a), p_value=digits(p), r_squared=digits(r))
        for a, p, r in columns.T.tolist()
    ]


def _alternatives(choice: Choice, g: int, *, ranked: bool) -> tuple[Alternative, ...]:
    scores = choice.scores[:, g]
    tried = [at for at in np.argsort(scores, kind="stable") if np.isfinite(scores[at])]
    if ranked:
        return tuple(
            Alternative(distribution=choice.fits[at].distribution.name, aicc=None, difference=None) for at in tried
        )
    return tuple(
        Alternative(
            distribution=choice.fits[at].distribution.name,
            aicc=digits(float(scores[at])),
            difference=digits(float(scores[at] - scores[tried[0]])),
        )
        for at in tried
    )


def _doubts(
    asked: _Asked, fits: Fits, g: int, oldest: float, agreement: GoodnessOfFit, figures: tuple[LifeFigure, ...]
) -> list[Reason]:
    """What is to be said against one group's fit."""
    if fits.status[g] != Status.FITTED:
        status = Status(int(fits.status[g]))
        one_age = status in {Status.TOO_FEW, Status.NO_MAXIMUM} and fits.distinct[g] == 1 and fits.failures[g] > 1
        return [_reason("one_age" if one_age else _STATUS[status])]
    found = []
    if fits.failures[g] < FEW:
        found.append(_reason("few_failures"))
    by_name = {each.name: each for each in figures}
    b10 = by_name["b10"].value
    if b10 is not None and b10 > oldest > 0:
        found.append(_reason("extrapolated", ratio=f"{b10 / oldest:.3g}"))
    if agreement.p_value is not None and agreement.p_value < POOR:
        found.append(_reason("poor_fit", p=f"{agreement.p_value:.2g}"))
    beta = by_name["beta"].value if "beta" in by_name else None
    if beta is not None and not FLATTEST <= beta <= STEEPEST:
        found.append(_reason("shape_extreme", beta=f"{beta:.3g}"))
    if by_name["mean"].value is None:
        found.append(_reason("mean_infinite"))
    open_ = [each.name for each in figures if each.value is not None and (each.low is None or each.high is None)]
    if open_:
        found.append(_reason("no_end", names=", ".join(open_)))
    if asked.method == "rr" and asked.interval == "lr":
        found.append(_reason("wald_after_ranks"))
    return found


def _reason(code: str, **values: str) -> Reason:
    text = CODES[code]
    return Reason(code=code, text=text.format(**values) if values else text)
