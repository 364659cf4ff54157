"""What the numbers say: pure functions on arrays and columns, with no knowledge of stores, files or HTTP.

Importing the package fills the registry: every module with an analysis is named here.
"""

from analytics import (
    benchmark,
    contributions,
    data_quality,
    forecast,
    growth,
    life_comparison,
    life_model,
    neighbourhood,
    propagate,
    single_points,
    test_gains,
    weak_links,
    where_used,
)
from analytics.core import ANALYSES, Analysis, Estimate, Parameters, Reason, Result, run
from analytics.pooling.answers import Benchmark
from analytics.pooling.asking import BenchmarkFilter, ask_benchmark, compute_benchmark
from analytics.pooling.values import METRICS

__all__ = [
    "ANALYSES",
    "METRICS",
    "Analysis",
    "Benchmark",
    "BenchmarkFilter",
    "Estimate",
    "Parameters",
    "Reason",
    "Result",
    "ask_benchmark",
    "benchmark",
    "compute_benchmark",
    "contributions",
    "data_quality",
    "forecast",
    "growth",
    "life_comparison",
    "life_model",
    "neighbourhood",
    "propagate",
    "run",
    "single_points",
    "test_gains",
    "weak_links",
    "where_used",
]
