"""What a benchmark answers, and the reasons for which one is refused."""

from __future__ import annotations

from typing import Any

from analytics.core import Estimate, Reason, Result, digits
from analytics.pooling.rules import rules
from schema import Text

REFUSALS = {
    "too_few": Text(
        "提供数据的企业不足 {contributors} 家（同一最终所有者的企业计为一家）。",
        "Fewer than {contributors} firms contribute (those of one ultimate owner count as one).",
    ),
    "dominated": Text(
        "一两家企业占比过大，汇总值会暴露其数据。",
        "One firm or two make up too much of it: the pooled figure would come close to theirs.",
    ),
    "solvable": Text(
        "与已给出的结果合在一起，可推算出某家企业的数据。",
        "Together with what has been answered already, a firm's own figure could be solved for.",
    ),
    "unreleased": Text("尚未发布该对标。", "Nothing has been released that answers this."),
    "spent": Text(
        "该对标的隐私预算（ε = {epsilon:g}）已用完。", "The privacy budget of this figure (ε = {epsilon:g}) is used up."
    ),
}
"""Codes and texts of refusals. None depends on figures but `dominated`; that counts as an answer given."""

NOTES = {
    "no_spread": Text(
        "各家差异不超过偶然波动：无从比较位置。", "Firms differ by no more than chance: there is no place among them."
    ),
    "no_own": Text("没有自身数据可供比较。", "There are no data of your own to compare."),
    "kept": Text(
        "新数据会暴露个别企业的变化，沿用 {as_of} 的结果。",
        "With the newest data a firm's change could be solved for: this is as of {as_of}.",
    ),
    "private": Text(
        "已按差分隐私加噪（ε = {epsilon:g}，噪声尺度 {scale:.3g}）。",
        "Noise was added for differential privacy (ε = {epsilon:g}, scale {scale:.3g}).",
    ),
}
"""What may have to be said of an answer."""


class Benchmark(Result):
    """A pooled figure, and where the viewer's own stands; or why there is none."""

    metric: str
    """What was asked: failure_rate, weibull_shape, weibull_scale, defect_rate, lead_time."""
    part_class: str | None
    mechanism: str | None
    """Failures by this mechanism or a narrower one only."""
    statistic: str
    """Hierarchical (a released cell), or the mean or sum that was computed for this question."""
    consortium: str | None
    """Whose release it is from."""
    released: str | None
    """Day of the release."""
    as_of: str | None
    """Day whose data the figure is of."""
    refused: Reason | None
    """Why there is no figure."""
    estimate: Estimate | None
    """Mean over firms, with the interval of that mean."""
    spread: float | None
    """Standard deviation between firms: of rates, or of logarithms of other figures."""
    median: float | None
    """Harrell-Davis median of firms, where there are enough of them."""
    contributors: int | None
    """Firms in it, by ultimate owner."""
    own: Estimate | None
    """The viewer's own figure, by its own data alone."""
    place: Estimate | None
    """Share of firms with a lower figure than the viewer's, by the model's distribution between firms."""
    notes: tuple[Reason, ...]

    def payload(self, locale: str) -> dict[str, Any]:
        """The answer as JSON values."""

        def said(of: Estimate | None) -> dict[str, Any] | None:
            return of.payload() if of else None

        return {
            "metric": self.metric,
            "part_class": self.part_class,
            "mechanism": self.mechanism,
            "statistic": self.statistic,
            "consortium": self.consortium,
            "released": self.released,
            "as_of": self.as_of,
            "refused": self.refused and self.refused.payload(locale),
            "estimate": said(self.estimate),
            "spread": digits(self.spread),
            "median": digits(self.median),
            "contributors": self.contributors,
            "own": said(self.own),
            "place": said(self.place),
            "notes": [note.payload(locale) for note in self.notes],
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """One row."""
        headings = [
            Text("指标", "Metric"), Text("类别", "Class"), Text("机理", "Mechanism"), Text("企业数", "Firms"),
            Text("均值", "Mean"), Text("下限", "Low"), Text("上限", "High"), Text("单位", "Unit"),
            Text("企业间离散", "Spread"), Text("自身", "Own"), Text("位置", "Place"), Text("日期", "As of"),
            Text("说明", "Note"),
        ]  # fmt: skip
        estimate, own, at = self.estimate, self.own, self.place
        said = [each.text.say(locale) for each in ([self.refused] if self.refused else []) + list(self.notes)]
        row = [
            self.metric, self.part_class, self.mechanism, self.contributors,
            *((estimate.value, estimate.low, estimate.high, estimate.unit) if estimate else (None,) * 4),
            self.spread, own.value if own else None, at.value if at else None, self.as_of, " ".join(said),
        ]  # fmt: skip
        return [each.say(locale) for each in headings], [row]


def refusal(code: str, **values: object) -> Reason:
    """A refusal with its text."""
    limits = rules()
    known = {"contributors": limits.contributors, "epsilon": limits.epsilon, **values}
    return Reason(code=code, text=REFUSALS[code].format(**known))


def note(code: str, **values: object) -> Reason:
    """Something to be said of an answer."""
    return Reason(code=code, text=NOTES[code].format(**values))
