"""`benchmark`: pooled figures of the consortium over GraphQL, released or computed for the question."""

from __future__ import annotations

import enum
from typing import Any

import strawberry
from strawberry import UNSET

from analytics import METRICS, Benchmark, BenchmarkFilter, ask_benchmark, compute_benchmark
from chaingraph import Capability
from schema.core import Aspect
from server.api import types
from server.api.answers import COST, result_type
from server.api.aspects import reveals
from server.api.context import context_of
from server.api.inputs import argument, described_enum, maybe

ASPECTS = (Aspect.FAILURES, Aspect.SUPPLY)
"""What pooled figures are of: those who agreed to pool it."""

_metrics: Any = enum.Enum("BenchmarkMetric", {name.upper(): name for name in METRICS})  # type: ignore[misc]
BenchmarkMetric = described_enum(
    _metrics, "A figure that firms compare.", [f"{each.text.en} · {each.text.zh}" for each in METRICS.values()]
)


@strawberry.enum(description="What is computed for one question, of what firms let pool.")
class BenchmarkStatistic(enum.Enum):
    """What is computed for one question."""

    MEAN = strawberry.enum_value("mean", description="Failures over exposure, defects over pieces, days over lines.")
    SUM = strawberry.enum_value("sum", description="Failures, defects or days in all.")


def fields() -> dict[str, Any]:
    """The field of the root."""
    _benchmark.__annotations__ = {
        "info": strawberry.Info,
        "metric": argument(BenchmarkMetric, "Which figure."),
        "part_class": argument(str, "Of parts of this class."),
        "mechanism": argument(maybe(str), "Failures by this mechanism or a narrower one only."),
        "region": argument(maybe(str), "Of firms in this region only."),
        "tier": argument(maybe(int), "Of firms of this tier only."),
        "year": argument(maybe(int), "Of this year only."),
        "statistic": argument(maybe(BenchmarkStatistic), "Computed for this question; the released figure else."),
        "return": result_type(Benchmark, ASPECTS),
    }
    _benchmark.__module__ = types.__name__
    said = (
        "A pooled figure of the consortium, and the viewer's place in it. Without filters and statistic it is what was "
        "released, the same for everybody until the next release; else it is computed, if nobody's figure can be "
        "solved for with it and all answers before. 对标。"
    )
    made = strawberry.field(
        resolver=_benchmark,
        description=said,
        metadata={"needs": Capability.BENCHMARK, "cost": COST},
        directives=[reveals(*ASPECTS)],
    )
    return {"benchmark": made}


def _benchmark(
    info: Any,
    metric: Any,
    part_class: Any,
    mechanism: Any = UNSET,
    region: Any = UNSET,
    tier: Any = UNSET,
    year: Any = UNSET,
    statistic: Any = UNSET,
) -> Any:
    context = context_of(info)
    by = mechanism or None
    region, tier, year = (None if each is UNSET else each for each in (region, tier, year))
    if not statistic and region is tier is year is None:
        return ask_benchmark(context.workspace, context.actor, metric.value, part_class, by)
    where = BenchmarkFilter(region, tier, year)
    how = statistic.value if statistic else "mean"
    return compute_benchmark(context.workspace, context.actor, metric.value, part_class, by, where=where, statistic=how)
