"""Fits by lifelines, in its own environment: a list of cases on standard input, their fits on standard output, as JSON.

A case is a distribution and columns: `low`, `high` (equal for a failure, high null for a suspension), `entry`, `count`.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

warnings.simplefilter("ignore")
lifelines = import_module("lifelines")
FITTERS: dict[str, tuple[str, Callable[[Any], list[float]]]] = {
    "weibull": ("WeibullFitter", lambda m: [m.lambda_, m.rho_]),
    "exponential": ("ExponentialFitter", lambda m: [1 / m.lambda_]),
    "lognormal": ("LogNormalFitter", lambda m: [m.mu_, m.sigma_]),
    "loglogistic": ("LogLogisticFitter", lambda m: [m.alpha_, m.beta_]),
    "gengamma": ("GeneralizedGammaFitter", lambda m: [m.mu_, np.exp(m.ln_sigma_), m.lambda_]),
}


def fit(case: dict[str, Any]) -> dict[str, Any] | None:
    """Parameters and log likelihood; None where it gives up."""
    name, parameters = FITTERS[case["distribution"]]
    low, entry, count = (np.array(case[n], float) for n in ("low", "entry", "count"))
    high = np.array([np.inf if each is None else each for each in case["high"]])
    model = getattr(lifelines, name)()
    options = {"weights": count, "entry": entry if (entry > 0).any() else None, "fit_options": {"tol": 1e-12}}
    try:
        if ((low < high) & np.isfinite(high)).any():
            model.fit_interval_censoring(low, high, **options)
        else:
            model.fit(low, np.isfinite(high), **options)
    except Exception as error:  # noqa: BLE001 - whatever it raises, it has no fit
        return {"error": str(error)[:200]}
    return {"parameters": [float(each) for each in parameters(model)], "log_likelihood": float(model.log_likelihood_)}


if __name__ == "__main__":
    json.dump([fit(case) for case in json.load(sys.stdin)], sys.stdout)
