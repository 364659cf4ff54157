"""Returns of a part over the coming months, from the evidence of its lives and the fleet in use."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field, field_validator

from analytics import at_risk, evidence
from analytics.core import Estimate, Parameters, Piece, Reason, Result, analysis, digits
from analytics.evidence import CODES
from analytics.hazard import LEVEL
from analytics.labels import called
from analytics.life.forecast import Fleet, Forecast, forecast
from analytics.life.plots import Picture
from analytics.life_model import mode_of
from analytics.names import Names
from analytics.outlook import (
    ForecastMonth,
    SpareParts,
    doubts,
    estimate,
    month_rows,
    months_of,
    named,
    picture,
    reason,
    spare_parts,
)  # fmt: skip
from analytics.uncertain import lives
from chaingraph import naming
from chaingraph.errors import ChaingraphError
from chaingraph.view import View
from schema import Text


class ReturnsForecastParameters(Parameters):
    """Which part, for how long, and under which warranty."""

    part: str = Field(description="Number of the part, or ISSUER/NUMBER.")
    maker: str | None = Field(None, description="Made by this organisation; all makers where not given.")
    mode: str | None = Field(None, description="Failing in this mode; any where not given.")
    months: int = Field(12, ge=1, le=120, description="How many months to come.")
    use_per_month: float | None = Field(
        None, gt=0, description="Units of age gathered in a month; else as shipments or dated records say."
    )
    warranty_months: float | None = Field(None, gt=0, description="Only failures within so many months in use.")
    warranty_age: float | None = Field(None, gt=0, description="Only failures up to this age.")
    as_of: str | None = Field(
        None,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="Day from which on; else that of the last record (YYYY-MM-DD).",
    )
    by: Literal["maker", "lot"] = Field("maker", description="What to split the returns by.")
    renewed: bool = Field(False, description="Count the failures of replacements, too.")
    stock_probability: float = Field(0.95, gt=0, lt=1, description="Probability not to run short of spare parts.")
    repair_months: float | None = Field(
        None, gt=0, description="Months until a failed unit is repaired and back on the shelf: tells what stocks do."
    )
    level: float = Field(LEVEL, gt=0, lt=1, description="Two-sided confidence of the intervals.")

    @field_validator("as_of")
    @classmethod
    def _day(cls, text: str | None) -> str | None:
        if text is not None:
            dt.date.fromisoformat(text)
        return text


class ForecastShare(Piece):
    """Returns of one maker's units, or one lot's, from now to the end."""

    maker: str | None
    lot: str | None
    """Key of the lot; none where the split is by maker or the lot is not known."""
    label: Text
    units: float
    """Units in use or to be shipped."""
    returns: Estimate


class ForecastModel(Piece):
    """A life model behind a forecast."""

    maker: str | None
    mode: str | None
    """None where all modes are one."""
    label: Text
    kind: Literal["fitted", "few", "declared", "bounded"]
    """Where it comes from, best evidence first."""
    failures: float
    oldest: float | None
    """Oldest age observed."""
    codes: tuple[Reason, ...]


class ReturnsForecast(Result):
    """Returns of a part over the coming months."""

    part: str
    maker: str | None
    mode: str | None
    label: Text
    as_of: str
    """The day from which on is counted."""
    unit: str
    """Unit of the ages."""
    use_per_month: float | None
    """Units of age gathered in a month, over all units."""
    units: float
    """Units in use or to be shipped."""
    level: float
    months: tuple[ForecastMonth, ...]
    total: Estimate
    split: tuple[ForecastShare, ...]
    models: tuple[ForecastModel, ...]
    spares: SpareParts | None
    plot: Picture | None
    """Cumulative returns with their interval, and those of each month."""
    warnings: tuple[Reason, ...]

    def payload(self, locale: str) -> dict[str, Any]:
        """Months, total, split, spare parts and warnings."""
        return {
            "part": self.part,
            "maker": self.maker,
            "mode": self.mode,
            "as_of": self.as_of,
            "unit": self.unit,
            "use_per_month": digits(self.use_per_month),
            "units": digits(self.units),
            "level": self.level,
            "months": [month.payload() for month in self.months],
            "total": named(self.total),
            "split": [
                {
                    "maker": s.maker,
                    "lot": s.lot,
                    "label": s.label.say(locale),
                    "units": digits(s.units),
                    **named(s.returns),
                }
                for s in self.split
            ],
            "models": [
                {
                    "maker": m.maker,
                    "mode": m.mode,
                    "label": m.label.say(locale),
                    "kind": m.kind,
                    "failures": digits(m.failures),
                    "oldest": digits(m.oldest),
                    "codes": [code.payload(locale) for code in m.codes],
                }
                for m in self.models
            ],
            "spares": self.spares.payload() if self.spares else None,
            "warnings": [warning.payload(locale) for warning in self.warnings],
        }

    def rows(self, locale: str) -> tuple[list[str], list[list[Any]]]:
        """A row for each month."""
        return month_rows(self.months, locale)


@analysis(
    "returns_forecast",
    zh="返修与索赔预测",
    en="Returns over the coming months",
    subject="part",
    parameters=ReturnsForecastParameters,
    result=ReturnsForecast,
)
def returns_forecast(view: View, asked: ReturnsForecastParameters) -> ReturnsForecast:
    """Returns of a part over the coming months, with prediction intervals, split by maker or lot.

    At risk are the units last seen alive in the field, at the age they have by now, and shipments to come. A unit of
    age a fails in month k, given that it has lived so far, with probability 1 - R(a + k u) / R(a + (k - 1) u), u being
    its use per month (Meeker and Escobar 1998, section 12.7). Cumulative hazards of competing modes add up; with one
    mode, units that fail in another are not taken out first. The models are what `analytics.evidence` settles on, as
    of the same day: fitted ones with draws in proportion to their likelihood, few failures and declarations with
    draws by their bounds, and where no failure was seen only an upper end, from the bound on the rate. Expected numbers
    are those of the estimates; the interval holds chance and what is uncertain of the parameters.
    """
    part = str(view.table("part")["key"][naming.part(view, asked.part)])
    maker = (
        None if asked.maker is None else str(view.table("organisation")["key"][naming.organisation(view, asked.maker)])
    )
    mode = None if asked.mode is None else mode_of(view, part, asked.mode)
    mine = pl.col("part") == part if maker is None else (pl.col("part") == part) & (pl.col("maker") == maker)
    records, shipped = view.table("life_record").filter(pl.col("part") == part), view.table("shipment").filter(mine)
    last = records["observed_on"].max()
    day = dt.date.fromisoformat(asked.as_of) if asked.as_of else last if isinstance(last, dt.date) else view.at.date()
    records, undated = at_risk.as_known(records, day)
    parts = view.table("part").filter(pl.col("key") == part).select("key", "age_unit", assembly=pl.lit(value=False))
    known = evidence.gather(
        records,
        view.table("declared_value").filter(pl.col("part") == part),
        view.table("mode").filter(pl.col("part") == part),
        view.table("mechanism"),
        parts,
        shipments=shipped.filter(pl.col("shipped_on") <= day),
    )
    unit = str(known.records.units.filter(pl.col("part") == part)["age_unit"][0])
    use = at_risk.uses(records.filter(mine), shipped, unit, asked.use_per_month)
    units = at_risk.fleet(records.filter(mine), shipped, unit, day, asked.months, use)
    if units.is_empty() and use.is_empty() and records.filter(mine, event="suspension").height:
        raise ChaingraphError(
            "forecast.use_unknown",
            Text(f"不知道 {part} 每月的使用量。", f"Nothing says how much {part} is used in a month."),
            Text("请给出每月使用量（use_per_month）。", "Give the use per month (use_per_month)."),
        )
    wanted = pl.lit(value=True) if mode is None else (pl.col("mode") == mode).fill_null(value=True)
    fits = known.fits.with_row_index("at").filter(wanted)
    groups = units.select("maker", *(["lot"] if asked.by == "lot" else [])).unique(maintain_order=True)
    modelled = groups.join(fits, on="maker", how="semi", nulls_equal=True, maintain_order="left")
    missing = units.join(modelled, on=groups.columns, how="anti", nulls_equal=True)
    units = units.join(
        modelled.with_row_index("group").cast({"group": pl.Int64}),
        on=groups.columns,
        nulls_equal=True,
        maintain_order="left",
    )
    label = called(view, "part", part)
    warnings = [reason("undated", count=str(undated))] if undated else []
    if missing.height:
        makers = "、".join(str(m or "–") for m in missing["maker"].unique().sort())
        warnings.append(reason("no_model", makers=makers, units=f"{missing['count'].sum():.0f}"))
    common = {"part": part, "maker": maker, "mode": mode, "label": label, "as_of": str(day), "unit": unit}
    if units.is_empty():
        warnings += [] if missing.height else [reason("no_fleet")]
        nothing = Estimate(value=None, low=None, high=None, level=asked.level)
        return ReturnsForecast(
            **common, use_per_month=None, units=0.0, level=asked.level, months=(), total=nothing, split=(), models=(),
            spares=None, plot=None, warnings=tuple(warnings),
        )  # fmt: skip
    fits = fits.join(modelled, on="maker", how="semi", nulls_equal=True, maintain_order="left")
    drawn = lives(known, fits, modelled["maker"])
    fleet = covered(units, asked.warranty_months, asked.warranty_age)
    found = forecast(fleet, drawn, asked.months, asked.level, renewed=asked.renewed)
    again = found if asked.renewed else forecast(
        covered(units, None, None), drawn, asked.months, asked.level, renewed=True
    )  # fmt: skip
    warnings += doubts(
        fits["kind"].to_list(),
        float(fits["failures"].sum()),
        float(fits["oldest"].max() or np.inf),  # type: ignore[arg-type]
        float(fleet.ages(asked.months).max()),
    )
    weight = fleet.count.sum()
    return ReturnsForecast(
        **common,
        use_per_month=float((fleet.use * fleet.count).sum() / weight) if weight else None,
        units=float(weight),
        level=asked.level,
        months=months_of(found, day),
        total=estimate(found.all_cumulative, -1, asked.level),
        split=_split(Names(view), modelled, fleet, found),
        models=_models(Names(view), fits),
        spares=spare_parts(again, asked.stock_probability, asked.repair_months),
        plot=picture(found, label),
        warnings=tuple(warnings),
    )


def covered(units: pl.DataFrame, months: float | None, age: float | None) -> Fleet:
    """The fleet of `units` (the columns of `at_risk.FLEET`, and `group`) under a warranty."""
    count, use, start, served, now, group = (
        units[c].to_numpy() for c in ("count", "use", "start", "served", "age", "group")
    )
    left = np.inf if months is None else np.maximum(months - served, 0.0)
    size = int(group.max(initial=-1)) + 1
    return Fleet.of(
        now, count, use, group, size, start=start, cover_months=left, cover_age=np.inf if age is None else age
    )


def _split(names: Names, groups: pl.DataFrame, fleet: Fleet, found: Forecast) -> tuple[ForecastShare, ...]:
    """Each group's returns from now to the end, most expected first."""
    count = np.bincount(fleet.group, fleet.count, fleet.groups)
    shares = []
    for at, row in enumerate(groups.iter_rows(named=True)):
        label, lot = names.maker(row["maker"]), row.get("lot")
        if lot is not None:
            label = Text(f"{label.zh} {names.lot(lot)}", f"{label.en} {names.lot(lot)}")
        shares.append(
            ForecastShare(
                maker=row["maker"],
                lot=lot,
                label=label,
                units=float(count[at]),
                returns=estimate(found.cumulative, (at, -1), found.level),
            )
        )
    return tuple(sorted(shares, key=lambda s: (-(s.returns.value or 0.0), s.maker or "", s.lot or "")))


def _models(names: Names, fits: pl.DataFrame) -> tuple[ForecastModel, ...]:
    """The life models behind a forecast."""
    return tuple(
        ForecastModel(
            maker=row["maker"],
            mode=row["mode"],
            label=Text(
                f"{names.maker(row['maker']).zh} {names.mode(row['mode']).zh}",
                f"{names.maker(row['maker']).en} {names.mode(row['mode']).en}",
            ),
            kind=row["kind"],
            failures=row["failures"],
            oldest=row["oldest"],
            codes=tuple(Reason(code=code, text=CODES[code]) for code in row["codes"]),
        )
        for row in fits.iter_rows(named=True)
    )
