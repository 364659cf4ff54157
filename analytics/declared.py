"""Declared reliability figures (供方声明值) as Weibull distributions with an interval."""

import polars as pl
from scipy.stats import norm

from schema.vocabularies import AgeUnit

ERROR_FACTOR = 3.0
"""High end of a declared hazard without an interval, over the figure itself: the 95 % point of a lognormal over its
median (NUREG/CR-2300, PRA Procedures Guide, 1983, section 5.5.2, uses factors of this kind for generic data)."""

AGE_UNITS = {spelling.lower(): code for spelling, code in AgeUnit.spellings().items()}

PER_UNIT = {
    "1/h": ("h", 1.0),
    "FIT": ("h", 1e-9),
    "fpmh": ("h", 1e-6),
    "%/1000h": ("h", 1e-5),
    "1/cycles": ("cycles", 1.0),
    "1/km": ("km", 1.0),
}
"""Units of a rate: the age unit, and failures per one of it. FIT is failures in 10^9 h."""

_B10 = 0.10536051565782628
"""-ln 0.9: the cumulative hazard at the B10 life."""


def distributions(declared: pl.DataFrame, units: pl.DataFrame, level: float) -> pl.DataFrame:
    """One row a declared value that can be used or whose unit is wrong, in the order of precedence.

    `declared` has the columns of the kind declared_value, `units` has part and age_unit. The answer has part, maker,
    mode, beta, eta (in the part's unit; null where the unit is wrong), low_factor and high_factor on H at `level`, and
    codes. Of several figures for one (part, maker, mode) one is taken: without a condition before one with, then with
    an interval before one without, then the one that promises least.

    An MTBF and a failure rate are exponential; a B10 life gives eta = B10 / (-ln 0.9)^(1/beta) and is exponential, with
    the code `b10_without_shape`, where no shape is declared; a Weibull distribution's value is its scale; the value of
    an exponential is a mean or a rate, by its unit. `low` and `high` bound the figure with the two-sided `confidence`
    (`level` where empty) and are carried to `level` on the log scale; a missing end is the error factor 3.
    """
    rate_units = pl.DataFrame(
        [(unit.lower(), age, scale) for unit, (age, scale) in PER_UNIT.items()],
        schema={"_unit": pl.String, "_age": pl.String, "_scale": pl.Float64},
        orient="row",
    )
    table = (
        declared.select(
            "part", "maker", "mode", "metric", "value", "unit", "shape", "low", "high", "confidence", "condition"
        )
        .with_columns(_unit=pl.col("unit").str.strip_chars().str.to_lowercase().replace(AGE_UNITS))
        .join(units, on="part", how="left", maintain_order="left")
        .join(rate_units, on="_unit", how="left", maintain_order="left")
    )
    metric = pl.col("metric")
    is_rate = (metric == "failure_rate") | ((metric == "exponential") & pl.col("_scale").is_not_null())
    own_unit = pl.col("age_unit").fill_null("h")
    right = (
        pl.when(is_rate).then(pl.col("_age") == own_unit).otherwise(pl.col("_unit") == own_unit).fill_null(value=False)
    )
    wants_shape = metric.is_in(["weibull", "b10"])
    beta = pl.when(wants_shape).then(pl.col("shape").fill_null(1.0)).otherwise(1.0)
    eta = (
        pl.when(is_rate)
        .then(1 / (pl.col("value") * pl.col("_scale")))
        .when(metric == "b10")
        .then(pl.col("value") / _B10 ** (1 / beta))
        .otherwise(pl.col("value"))
    )
    z = float(norm.ppf((1 + level) / 2))
    stated = pl.col("confidence").fill_null(level)
    carried = z / stated.map_batches(lambda c: pl.Series(norm.ppf((1 + c.to_numpy()) / 2)), return_dtype=pl.Float64)
    assumed = ERROR_FACTOR ** (z / float(norm.ppf(0.95)))

    def factor(end_of_life: str, end_of_rate: str) -> pl.Expr:
        """The end of H over H: H goes with a rate, and with a life to the power -beta."""
        of_rate, of_life = pl.col(end_of_rate) / pl.col("value"), (pl.col("value") / pl.col(end_of_life)) ** beta
        return pl.when(is_rate).then(of_rate).otherwise(of_life) ** carried

    codes = pl.concat_list(
        pl.when(~right).then(pl.lit("unit_mismatch")),
        pl.when(right & (metric == "b10") & pl.col("shape").is_null()).then(pl.lit("b10_without_shape")),
        pl.when(right & (metric == "weibull") & pl.col("shape").is_null()).then(pl.lit("shape_assumed")),
        pl.when(right & (pl.col("low").is_null() | pl.col("high").is_null())).then(pl.lit("declared_interval_assumed")),
    ).list.drop_nulls()
    return (
        table.with_columns(
            beta=beta,
            eta=pl.when(right).then(eta),
            low_factor=factor("high", "low").fill_null(1 / assumed),
            high_factor=factor("low", "high").fill_null(assumed),
            codes=codes,
        )
        .with_columns(
            _half=pl.col("low").is_null() | pl.col("high").is_null(), _bound=pl.col("condition").is_not_null()
        )
        .sort(pl.col("eta").is_null(), "_bound", "_half", "eta", "beta", "part", "maker", "mode")
        .unique(["part", "maker", "mode"], keep="first", maintain_order=True)
        .select("part", "maker", "mode", "beta", "eta", "low_factor", "high_factor", "codes")
        .sort("part", "maker", "mode")
    )
