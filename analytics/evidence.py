"""From life records and declared values to one cumulative hazard per (part, maker, mode), best evidence first."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2

from analytics import declared as declarations
from analytics.hazard import LEVEL, Hazards, Kind
from analytics.life import rows as lives
from analytics.life import weibull
from analytics.life.rows import Event
from analytics.records import Usable, life_rows, of_mode, usable
from schema.text import Text

Floats = NDArray[np.float64]

RULE_OF_THREE = 3.0
"""-ln 0.05 rounded: no failure in V bounds the rate by 3 / V with 95 % one-sided confidence, which is the high end of a
two-sided interval of 90 % (Hanley and Lippman-Hand, JAMA 249, 1983, 1743-1745)."""

FLATTEST, STEEPEST = 0.1, 20.0
"""A shape that is borrowed is between these: steeper ones come from a few ages that are all but equal, flatter ones
from a few that are many powers of ten apart."""

CODES = {
    "modes_pooled": Text(
        "有失效未注明模式，各模式合并拟合。", "Some failures have no mode: all modes are fitted as one."
    ),
    "shape_from_all_makers": Text(
        "失效太少，形状参数取自各厂家同一模式。", "Few failures: the shape is that of the same mode over all makers."
    ),
    "shape_typical": Text(
        "失效太少，形状参数取该机理的典型值。", "Few failures: the shape is the mechanism's typical one."
    ),
    "shape_assumed": Text("形状参数未知，取 1。", "The shape is unknown and taken as 1."),
    "no_maximum": Text("数据无法单独确定寿命分布。", "The data alone do not determine a distribution."),
    "declared_interval_assumed": Text(
        "声明值没有区间，按误差因子 3 计。", "The declared value has no interval: error factor 3."
    ),
    "b10_without_shape": Text(
        "B10 寿命没有形状参数，按指数分布计。", "The B10 life has no shape: taken as exponential."
    ),
    "unit_mismatch": Text(
        "部分数据的单位与零部件的寿命单位不一致，未采用。",
        "Some data are not in the part's age unit and were left out.",
    ),
    "population_from_shipments": Text(
        "只记录了失效，未失效的个体按发货数量推算。",
        "Only failures are recorded: the units alive are those shipped that did not fail.",
    ),
    "population_too_small": Text(
        "失效数大于发货数量，未据发货推算未失效的个体。",
        "More failed than were shipped: the units alive are unknown.",
    ),
    "population_without_use": Text(
        "不知道每月使用量，未据发货推算未失效的个体。",
        "Nothing says how much a unit is used in a month: the units alive are unknown.",
    ),
    "extrapolated": Text("外推：超出已观察到的寿命。", "Extrapolated: beyond the ages observed."),
}
"""What the codes of a row mean to people."""

STATE = ["part", "maker"]
MODE = ["part", "maker", "mode"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of lives.

    `fits` has one row per (part, maker, mode), aligned with `hazards`: part, maker (null: not said), mode (null: all of
    them pooled), mechanism, kind ("fitted", "few", "declared", "bounded"), failures, oldest (age
    observed; null where kind is "declared"), codes (list of keys of `CODES`).
    `totals` and `total_hazards` are the same for parts with children, of which records without a mode describe the
    whole: for comparison, or, where kind is "declared", for an assembly of which nothing below is known. A part without
    children that has no row in `fits` is in `unknown`. `figures` are the declared values as distributions
    (`analytics.declared`), used or not.
    """

    fits: pl.DataFrame
    hazards: Hazards
    totals: pl.DataFrame
    total_hazards: Hazards
    unknown: tuple[str, ...]
    records: Usable
    figures: pl.DataFrame


def gather(
    records: pl.DataFrame,
    declared: pl.DataFrame,
    modes: pl.DataFrame,
    mechanisms: pl.DataFrame,
    parts: pl.DataFrame,
    level: float = LEVEL,
    *,
    shipments: pl.DataFrame | None = None,
) -> Evidence:
    """The best evidence for every (part, maker, mode).

    `records`, `declared`, `modes` and `mechanisms` have the columns of their kinds (life_record, declared_value, mode,
    mechanism); `parts` has key, age_unit and assembly (true for a part with children); `shipments` (shipment) tell of
    units alive where only failures are recorded (`analytics.population`).

    The modes of a part are those of its makers' failures and declared values together. With three failures at two ages
    or more, maximum likelihood; with one or two the shape of the same mode over all makers, else its mechanism's
    typical shape, else 1, and the rate failures / V with chi-square bounds (Meeker and Escobar 1998, section 8.5); with
    none a declared value of the mode, else 0 with the bound 3 / V, V being the sum of count (exit^beta - entry^beta).
    A declared total is used where (part, maker) has no records at all. A figure declared without a maker stands for
    every maker of the part that declares none.
    """
    counted = usable(records, parts, shipments)
    figures = declarations.distributions(declared, counted.units, level)
    stated = figures.filter(pl.col("eta").is_not_null())
    assemblies = parts.filter("assembly").select(part="key")
    rows = counted.rows.with_columns(failed=pl.col("event") != int(Event.SUSPENSION))
    known = _Known(
        rows,
        stated,
        _mechanisms(rows, modes).join(_typical_shapes(mechanisms), on="mechanism", how="left", maintain_order="left"),
        pl.concat([counted.mismatched, figures.filter(pl.col("eta").is_null()).select(STATE)]).unique(),
        counted.population,
        level,
    )
    own, total = _targets(rows, stated, assemblies)
    fits, hazards = _settle(own, known)
    totals, total_hazards = _settle(total, known)
    leaves = set(parts.filter(~pl.col("assembly"))["key"].to_list())
    return Evidence(
        fits, hazards, totals, total_hazards, tuple(sorted(leaves - set(fits["part"].to_list()))), counted, figures
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What `_settle` draws on, whatever it settles."""

    rows: pl.DataFrame
    figures: pl.DataFrame
    mechanisms: pl.DataFrame
    mismatched: pl.DataFrame
    population: pl.DataFrame
    level: float


def _mechanisms(rows: pl.DataFrame, modes: pl.DataFrame) -> pl.DataFrame:
    """(part, mode, mechanism): what the mode says, else the one that most of its failures name."""
    natural = pl.col("key").str.split("@").list.first()
    stated = modes.filter(pl.col("mechanism").is_not_null()).select("part", natural.alias("mode"), "mechanism")
    named = rows.filter(pl.col("failed") & pl.col("mechanism").is_not_null())
    seen = (
        pl.concat([named, named.with_columns(mode=pl.lit(None, pl.String))])
        .group_by("part", "mode", "mechanism")
        .agg(pl.col("count").sum())
        .sort("count", "mechanism", descending=[True, False])
        .select("part", "mode", "mechanism")
    )
    return pl.concat([stated, seen]).unique(["part", "mode"], keep="first", maintain_order=True)


def _typical_shapes(mechanisms: pl.DataFrame) -> pl.DataFrame:
    """(mechanism, typical): a mechanism's typical shape, else that of the nearest wider one."""
    table = mechanisms.select(mechanism="code", above="parent", typical="typical_beta")
    wider = table.select(above="mechanism", further="above", wider="typical")
    for _ in range(table.height):
        if table.filter(pl.col("typical").is_null() & pl.col("above").is_not_null()).is_empty():
            break
        table = table.join(wider, on="above", how="left").select(
            "mechanism",
            above=pl.when(pl.col("typical").is_null()).then("further"),
            typical=pl.coalesce("typical", "wider"),
        )
    return table.select("mechanism", "typical")


def _targets(rows: pl.DataFrame, figures: pl.DataFrame, assemblies: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What to settle, of parts themselves and of assemblies as wholes: part, maker, mode, pooled, recorded."""

    def anti(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
        return left.join(right, on=STATE, how="anti", nulls_equal=True)

    def leaves(table: pl.DataFrame) -> pl.DataFrame:
        return table.join(assemblies, on="part", how="anti")

    def target(table: pl.DataFrame, *, pooled: bool, recorded: bool) -> pl.DataFrame:
        mode = "mode" if "mode" in table.columns else pl.lit(None, pl.String)
        return table.select(*STATE, mode=mode, pooled=pl.lit(pooled), recorded=pl.lit(recorded)).unique()

    recorded, moded = rows.select(STATE).unique(), pl.col("mode").is_not_null()
    failures = rows.filter("failed")
    unnamed = leaves(failures.filter(~moded).select(STATE).unique())
    modes = pl.concat(
        [failures.filter(moded).select("part", "mode"), figures.filter(moded).select("part", "mode")]
    ).unique()
    by_mode = anti(recorded, unnamed).join(modes, on="part")
    promised = anti(figures, recorded)
    whole = promised.filter(~moded)
    own = pl.concat(
        [
            target(unnamed, pooled=True, recorded=True),
            target(by_mode, pooled=False, recorded=True),
            target(leaves(anti(recorded, unnamed).join(modes, on="part", how="anti")), pooled=False, recorded=True),
            target(leaves(whole), pooled=False, recorded=False),
            target(anti(promised.filter(moded), leaves(whole)), pooled=False, recorded=False),
        ]
    )
    total = pl.concat(
        [
            target(recorded.join(assemblies, on="part", how="semi"), pooled=False, recorded=True),
            target(whole.join(assemblies, on="part", how="semi"), pooled=False, recorded=False),
        ]
    )
    return own.sort(MODE), total.sort(MODE)


def _grouped(rows: pl.DataFrame, targets: pl.DataFrame, on: list[str]) -> lives.LifeRows:
    """The rows of every target as one group each: failures by other modes, like all else, are suspensions."""
    keys = ["group", "event", "entry", "age", "age_to"]
    merged = (
        targets.select(*on, wanted="mode")
        .with_row_index("group")
        .join(rows, on=on, nulls_equal=True)
        .select("group", "entry", "age", "count", **of_mode("wanted"))
        .group_by(keys)
        .agg(pl.col("count").sum())
        .sort(keys)
    )
    return life_rows(merged, "group", targets.height)


def _settle(targets: pl.DataFrame, known: _Known) -> tuple[pl.DataFrame, Hazards]:
    """Rows and hazards of `targets` by the precedence; a target of which nothing is known has none."""
    grouped = _grouped(known.rows, targets, STATE)
    fitted = weibull.fit_rows(grouped)
    enough = (fitted.failures >= 3) & (fitted.distinct_ages >= 2) & fitted.converged

    asking = targets.filter(~pl.Series(enough, dtype=pl.Boolean)).select("part", "mode").unique(maintain_order=True)
    drawn = targets.join(
        known.mechanisms.select("part", "mode", "mechanism"),
        on=["part", "mode"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    ).join(_borrowed(asking, known), on=["part", "mode"], how="left", nulls_equal=True, maintain_order="left")
    beta = np.where(enough, fitted.beta, drawn["beta"].to_numpy())
    exposure, oldest = lives.exposed(grouped, beta)
    few = ~enough & (fitted.failures > 0) & (exposure > 0)

    figures = known.figures.with_columns(figure=True)
    columns = ["beta", "eta", "low_factor", "high_factor", "codes"]
    any_maker = figures.filter(pl.col("maker").is_null()).select(
        "part", "mode", *(pl.col(c).alias("any_" + c) for c in columns)
    )
    promised = (
        targets.join(figures, on=MODE, how="left", nulls_equal=True, maintain_order="left")
        .join(any_maker, on=["part", "mode"], how="left", nulls_equal=True, maintain_order="left")
        .select(pl.coalesce(c, "any_" + c).alias(c) for c in columns)
    )
    may = (targets["mode"].is_not_null() | ~targets["recorded"]).to_numpy()
    declared = ~enough & ~few & may & promised["eta"].is_not_null().to_numpy()
    bounded = ~enough & ~few & ~declared & (exposure > 0)

    r = np.where(few, fitted.failures, 1.0)
    tail = (1 - known.level) / 2
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        few_eta = oldest * (exposure / r) ** (1 / beta)
        bound = RULE_OF_THREE / exposure * oldest**-beta
    kinds = [enough, few, declared, bounded]

    def choose(*values: object) -> Floats:
        picked: Floats = np.select(kinds, [np.broadcast_to(np.asarray(v, np.float64), beta.shape) for v in values], 0.0)
        return picked

    of = {c: promised[c].cast(pl.Float64).to_numpy() for c in columns[:-1]}
    hazards = Hazards.of(
        choose(fitted.beta, beta, of["beta"], beta),
        choose(fitted.eta, few_eta, of["eta"], np.inf),
        np.select(kinds, [np.int8(k) for k in (Kind.FITTED, Kind.FEW, Kind.DECLARED, Kind.BOUNDED)], np.int8(0)),
        var_log_eta=choose(fitted.var_log_eta, 0, 0, 0),
        var_log_beta=choose(fitted.var_log_beta, 0, 0, 0),
        cov_log=choose(fitted.cov_log, 0, 0, 0),
        low_factor=choose(np.nan, chi2.ppf(tail, 2 * r) / (2 * r), of["low_factor"], np.nan),
        high_factor=choose(np.nan, chi2.ppf(1 - tail, 2 * r + 2) / (2 * r), of["high_factor"], np.nan),
        bound_rate=choose(0, 0, 0, bound),
        level=known.level,
    )
    borrowed = pl.Series(few | bounded)
    table = drawn.with_columns(
        kind=pl.Series(
            np.select(kinds, [k.name.lower() for k in (Kind.FITTED, Kind.FEW, Kind.DECLARED, Kind.BOUNDED)], "")
        ),
        failures=pl.Series(fitted.failures),
        oldest=pl.Series(np.where(declared, np.nan, oldest)).fill_nan(None),
        _borrowed=borrowed,
        _declared=pl.Series(declared),
        _stuck=pl.Series(few & (fitted.failures >= 3)),
        _promised=promised["codes"],
    ).join(known.mismatched.with_columns(_wrong=True), on=STATE, how="left", nulls_equal=True, maintain_order="left")
    population = known.population.rename({"code": "_population"})
    table = table.join(population, on=STATE, how="left", nulls_equal=True, maintain_order="left")
    codes = pl.concat_list(
        pl.when("pooled").then(pl.lit("modes_pooled")),
        pl.when("_stuck").then(pl.lit("no_maximum")),
        pl.when("_borrowed").then("code"),
        pl.when("_wrong").then(pl.lit("unit_mismatch")),
        "_population",
    ).list.drop_nulls()
    table = table.with_columns(codes=pl.when("_declared").then(codes.list.concat("_promised")).otherwise(codes))
    settled = np.flatnonzero(np.logical_or.reduce(kinds))
    columns_out = ["part", "maker", "mode", "mechanism", "kind", "failures", "oldest", "codes"]
    return table[settled].select(columns_out), hazards.take(settled)


def _borrowed(names: pl.DataFrame, known: _Known) -> pl.DataFrame:
    """A shape for each (part, mode), with a code that says whence: part, mode, beta, code."""
    pooled = weibull.fit_rows(_grouped(known.rows, names, ["part"]))
    together = pooled.converged & (pooled.failures >= 3) & (pooled.distinct_ages >= 2)
    typical = pl.col("typical").is_not_null()
    own = pl.col("own").is_not_null()
    return (
        names.with_columns(
            own=pl.Series(np.where(together, np.clip(pooled.beta, FLATTEST, STEEPEST), np.nan)).fill_nan(None)
        )
        .join(known.mechanisms, on=["part", "mode"], how="left", nulls_equal=True, maintain_order="left")
        .select(
            "part",
            "mode",
            beta=pl.coalesce("own", "typical", 1.0),
            code=pl.when(own)
            .then(pl.lit("shape_from_all_makers"))
            .when(typical)
            .then(pl.lit("shape_typical"))
            .otherwise(pl.lit("shape_assumed")),
        )
    )
