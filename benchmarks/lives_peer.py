"""Weibull fits by reliability and lifelines, in their own environment: seconds and answers on standard output.

Its argument is an .npz file with age, failed and group; groups are fitted one after another, as these libraries do it.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

warnings.simplefilter("ignore")
Fit = Callable[[Any, Any], tuple[float, float]]


def reliability(age: Any, failed: Any) -> tuple[float, float]:
    """Eta and beta."""
    fitters: Any = import_module("reliability.Fitters")
    alive = age[~failed]
    found = fitters.Fit_Weibull_2P(
        failures=age[failed],
        right_censored=alive if len(alive) else None,
        show_probability_plot=False,
        print_results=False,
    )
    return float(found.alpha), float(found.beta)


def lifelines(age: Any, failed: Any) -> tuple[float, float]:
    """Eta and beta."""
    package: Any = import_module("lifelines")
    found = package.WeibullFitter().fit(age, failed)
    return float(found.lambda_), float(found.rho_)


def surpyval(age: Any, failed: Any) -> tuple[float, float]:
    """Eta and beta."""
    package: Any = import_module("surpyval")
    eta, beta = package.Weibull.fit(age, c=1 - failed.astype(int)).params
    return float(eta), float(beta)


def seconds(fit: Fit, age: Any, failed: Any, group: Any) -> tuple[float, list[tuple[float, float]]]:
    """Time for all groups, after one that warms up, and their answers."""
    several = [group == g for g in np.unique(group)]
    fit(age[several[0]][:50], failed[several[0]][:50])
    start = time.perf_counter()
    answers = [fit(age[mine], failed[mine]) for mine in several]
    return time.perf_counter() - start, answers


if __name__ == "__main__":
    columns = np.load(sys.argv[1])
    data = columns["age"], columns["failed"], columns["group"]
    json.dump({fit.__name__: seconds(fit, *data) for fit in (reliability, lifelines)}, sys.stdout)
