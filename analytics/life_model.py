"""How long a part lives: the distribution of one part, maker and mode, with pictures and what it is used for."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from analytics.core import Parameters, Piece, Reason, Result, analysis, digits
from analytics.evidence import CODES
from analytics.hazard import LEVEL, Kind
from analytics.labels import called, labels
from analytics.life import charts, plots, report
from analytics.life.charts import Drawn
from analytics.life.frames import grouped
from analytics.life.pieces import Ends, LifeFit, Method
from analytics.life.plots import Picture
from analytics.life.rows import Event
from analytics.model import Model, model
from analytics.records import of_mode
from chaingraph import naming
from chaingraph.errors import NotFound
from chaingraph.view import View
from schema import Text

Distributions = Literal[
    "weibull", "weibull3", "exponential", "lognormal", "normal", "gamma", "loglogistic", "gengamma", "gumbel",
    "weibull_mixture", "weibull_lfp", "best",
]  # fmt: skip

OWN_CODES = {
    "modes_unnamed": Text(
        "{count} 个失效未注明模式，按中止计入：该模式的寿命可能被高估。",
        "{count} failures have no mode and count as suspensions: the life by this mode may come out too long.",
    ),
    "modes_together": Text(
        "各模式的失效合并拟合；选定模式可分别查看。",
        "The failures of {count} modes are fitted as one; name a mode to see it by itself.",
    ),
}
"""What the codes of this analysis' own warnings mean to people."""


class LifeModelParameters(Parameters):
    """Which part, of whom, failing how; and what to fit."""

    part: str = Field(description="Number of the part, or ISSUER/NUMBER.")
    maker: str | None = Field(None, description="Made by this organisation; all makers together where not given.")
    mode: str | None = Field(None, description="Failing in this mode, others being suspensions; any where not given.")
    distribution: Distributions = Field("weibull", description="Distribution to fit; the one of lowest AICc for best.")
    method: Method = Field("mle", description="Maximum likelihood, or rank regression.")
    interval: Ends = Field("wald", description="How intervals are made: Wald's, or by the likelihood ratio.")
    level: float = Field(LEVEL, gt=0, lt=1, description="Two-sided confidence of the intervals.")


class UsedHazard(Piece):
    """The cumulative hazard by which a mode of a maker's part enters other answers: (x / eta)^beta."""

    maker: str | None
    """Whose part; null where nobody says."""
    mode: str | None
    """Key of the failure mode; null where all modes are fitted as one."""
    mode_label: Text
    """What the mode is called."""
    kind: Literal["fitted", "few", "declared", "bounded"]
    """Where it comes from, best evidence first."""
    beta: float
    """Shape."""
    eta: float | None
    """Characteristic life in the part's age unit; null without a failure and without a declaration."""
    failures: float
    """Failed units."""
    oldest: float | None
    """Oldest age observed."""
    codes: tuple[Reason, ...]
    """What is to be known of it."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The hazard as JSON values."""
        return {
            "maker": self.maker,
            "mode": self.mode,
            "label": self.mode_label.say(locale),
            "kind": self.kind,
            "beta": digits(self.beta),
            "eta": digits(self.eta),
            "failures": digits(self.failures),
            "oldest": digits(self.oldest),
            "codes": [each.payload(locale) for each in self.codes],
        }


class LifeModel(Result):
    """The life of a part by a maker and a mode: a fit, its pictures, and what other answers take it for."""

    part: str
    """The part."""
    maker: str | None
    """Who makes it; null for all makers together."""
    mode: str | None
    """Key of the failure mode; null for all of them together."""
    label: Text
    """What it is the life of."""
    unit: str
    """Unit of the ages."""
    fit: LifeFit
    """The distribution fitted to its records."""
    plot: Picture
    """Probability plot: the failures on the distribution's paper, with the fit and its band."""
    hazard: Picture
    """Failures per unit of age among those alive, fitted and by a life table."""
    survival: Picture
    """The share that survives, by Kaplan and Meier's estimate and by the fit."""
    evidence: tuple[UsedHazard, ...]
    """The hazards by which this enters what fails most, reliability and weak links."""
    warnings: tuple[Reason, ...]
    """What is to be known of the records."""

    def payload(self, locale: str) -> dict[str, Any]:
        """The fit, the pictures as data, and the evidence."""
        return {
            "part": self.part,
            "maker": self.maker,
            "mode": self.mode,
            "label": self.label.say(locale),
            "unit": self.unit,
            "fit": self.fit.payload(locale),
            "evidence": [each.payload(locale) for each in self.evidence],
            "warnings": [each.payload(locale) for each in self.warnings],
            "plot": self.plot.payload(locale),
            "hazard": self.hazard.payload(locale),
            "survival": self.survival.payload(locale),
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """One row: the fit."""
        return report.rows([self.fit], locale)


@analysis(
    "life_model",
    zh="零部件的寿命分布",
    en="How long a part lives",
    subject="part",
    parameters=LifeModelParameters,
    result=LifeModel,
)
def life_model(view: View, asked: LifeModelParameters) -> LifeModel:
    """The life distribution of a part, by maker and failure mode, from the records one may see, with its pictures.

    The records are those behind every other answer: in the part's age unit, each unit once, failures that are not
    relevant as suspensions. With a mode, failures by other modes are suspensions (competing risks: Nelson, Applied Life
    Data Analysis, 1982, chapter 5). The fit is what `analytics.life.report.assess` says; `evidence` is what
    propagation takes for these modes (`analytics.evidence`), which may borrow a shape or believe a declaration.
    """
    known = model(view)
    part = known.parts([naming.part(view, asked.part)])[0]
    maker = None if asked.maker is None else known.maker(naming.organisation(view, asked.maker))
    mode = None if asked.mode is None else mode_of(view, part, asked.mode)
    rows, unit, warnings = records(known, part, maker, mode)
    data, _ = grouped(rows)
    (fit,) = report.assess(
        data, [{}], distribution=asked.distribution, method=asked.method, interval=asked.interval, level=asked.level,
        unit=unit,
    )  # fmt: skip
    label = called(view, "part", part)
    for kind, key in (("organisation", maker), ("mode", mode)):
        if key is not None:
            more = called(view, kind, key)
            label = Text(f"{label.zh} · {more.zh}", f"{label.en} · {more.en}")
    drawn = [Drawn(label, data, charts.refitted(fit, data))]
    shown: dict[str, Any] = {"unit": unit, "level": asked.level, "interval": asked.interval}
    return LifeModel(
        part=part,
        maker=maker,
        mode=mode,
        label=label,
        unit=unit,
        fit=fit,
        plot=charts.probability_plot(drawn, plots.titled(Text("概率图", "Probability plot"), label), **shown),
        hazard=charts.hazard_plot(drawn, plots.titled(Text("失效率", "Hazard rate"), label), **shown),
        survival=charts.survival_plot(drawn, plots.titled(Text("可靠度", "Survival"), label), **shown),
        evidence=_used(known, part, maker, mode),
        warnings=warnings,
    )


def records(
    known: Model, part: str, maker: str | None, mode: str | None
) -> tuple[pl.DataFrame, str, tuple[Reason, ...]]:
    """(rows, unit, warnings) of a part: its usable life records, of one maker and with one mode's failures if asked."""
    counted = known.evidence.records
    of = (pl.col("part") == part) if maker is None else (pl.col("part") == part) & (pl.col("maker") == maker)
    rows = counted.rows.filter(of)
    warnings = []
    failures = rows.filter(pl.col("event") != int(Event.SUSPENSION))
    unnamed = int(failures.filter(pl.col("mode").is_null())["count"].sum())
    if mode is None and (modes := failures["mode"].n_unique()) > 1:
        warnings.append(_reason("modes_together", count=modes))
    if mode is not None:
        if unnamed:
            warnings.append(_reason("modes_unnamed", count=unnamed))
        rows = rows.with_columns(wanted=pl.lit(mode)).with_columns(**of_mode("wanted")).drop("wanted")
    if counted.mismatched.filter(of).height:
        warnings.append(Reason(code="unit_mismatch", text=CODES["unit_mismatch"]))
    alive = counted.population.filter(of)["code"].unique().sort().to_list()
    warnings += [Reason(code=code, text=CODES[code]) for code in alive]
    unit = counted.units.filter(pl.col("part") == part)["age_unit"]
    return rows, str(unit[0]) if len(unit) else "h", tuple(warnings)


def mode_of(view: View, part: str, text: str) -> str:
    """Key of the part's failure mode that `text` names: its code, its name in either language, or the key itself.

    Raises NotFound (`mode.unknown`).
    """
    table = view.table("mode").filter(pl.col("part") == part)
    names = [pl.col(name) for name in ("key", "mode", "name_zh", "name_en")]
    found = table.filter(pl.any_horizontal((name == text).fill_null(value=False) for name in names))
    if found.height:
        return str(found["key"][0])
    there = [labels(view, "mode")[key] for key in table["key"].head(8)]
    raise NotFound(
        "mode.unknown",
        Text(f"{part} 没有失效模式 {text}。", f"{part} has no failure mode {text}."),
        Text(f"已有：{'；'.join(t.zh for t in there)}。", f"There are: {'; '.join(t.en for t in there)}.")
        if there
        else Text("没有记录任何模式。", "None is recorded."),
    )


def _used(known: Model, part: str, maker: str | None, mode: str | None) -> tuple[UsedHazard, ...]:
    """The rows of the evidence about this; all modes as one count for each of them.

    Records of an assembly as a whole are there for comparison: they count where there is nothing else.
    """
    fits = known.fits.with_row_index("at").filter(pl.col("part") == part)
    if maker is not None:
        fits = fits.filter((pl.col("maker") == maker).fill_null(value=False))
    if mode is not None:
        fits = fits.filter((pl.col("mode") == mode).fill_null(value=True))
    itself = fits.filter(pl.col("at") < len(known.evidence.fits))
    found = []
    for row in (itself if len(itself) else fits).iter_rows(named=True):
        at, key = row["at"], row["mode"]
        together = Text("各模式合计", "all modes together")
        bounded = known.hazards.kind[at] == Kind.BOUNDED
        found.append(
            UsedHazard(
                maker=row["maker"],
                mode=key,
                mode_label=together if key is None else called(known.view, "mode", key),
                kind=row["kind"],
                beta=float(known.hazards.beta[at]),
                eta=None if bounded or not np.isfinite(known.hazards.eta[at]) else float(known.hazards.eta[at]),
                failures=row["failures"],
                oldest=row["oldest"],
                codes=tuple(Reason(code=code, text=CODES.get(code, Text(code, code))) for code in row["codes"]),
            )
        )
    return tuple(found)


def _reason(code: str, **values: object) -> Reason:
    return Reason(code=code, text=OWN_CODES[code].format(**values))
