"""Fits are held to worked examples that others have published, to the digits they print."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analytics.life.rows import Event
from analytics.life.weibull import WeibullFits, fit
from tests.analytics.published import examples

FITS = examples("fits")
WEIBULL = [
    # the example, what it prints, which figure of ours that is, and half a unit of its last digit
    ("weibull-fan-right-censored", [("beta", "beta", 5e-5)]),
    ("weibull-cracks-interval", [("mu = ln eta", "log_eta", 5e-4), ("log likelihood", "log_likelihood", 5e-2)]),
    ("weibull-altair-complete", [("eta", "eta", 5e-4), ("beta", "beta", 5e-5)]),
    ("weibull-complete-30-aicc", [("eta", "eta", 5e-4), ("log likelihood", "log_likelihood", 5e-4)]),
    ("weibull-ovarian", [("eta", "eta", 5e-2), ("beta", "beta", 5e-4), ("log likelihood", "log_likelihood", 5e-5)]),
    ("weibull-nist-type1", [("beta", "beta", 5e-5), ("eta", "eta", 5e-3), ("log likelihood", "log_likelihood", 5e-4)]),
    ("weibull-shock-absorber-mle", [("mu = ln eta", "log_eta", 5e-5), ("sigma = 1/beta", "sigma", 5e-5)]),
    ("weibull-bearing-cage-lr-b10", [("beta", "beta", 5e-4), ("B10", "b10", 0.5)]),
    ("weibull-five-hours", [("beta", "beta", 5e-5), ("eta", "eta", 1.5e-4)]),
    ("weibull-left-truncated", [("beta", "beta", 1e-4), ("eta", "eta", 1e-4)]),
]  # fmt: skip


def fitted(data: dict[str, Any]) -> WeibullFits:
    """The Weibull distribution of an example's data."""
    event = [Event[each.upper()] for each in data["event"]]
    age_to, entry, count = (
        np.array(data.get(n, d), float) for n, d in (("age_to", np.nan), ("entry", 0), ("count", 1))
    )
    return fit(np.array(data["age"], float), event, entry, age_to, count)


def figure(found: WeibullFits, name: str) -> float:
    """One of the figures that books print."""
    eta, beta = float(found.eta[0]), float(found.beta[0])
    others = {
        "eta": eta, "beta": beta, "log_eta": np.log(eta), "sigma": 1 / beta,
        "b10": eta * (-np.log(0.9)) ** (1 / beta), "log_likelihood": float(found.log_likelihood[0]),
    }  # fmt: skip
    return float(others[name])


@pytest.mark.parametrize(("name", "printed"), WEIBULL, ids=[name for name, _ in WEIBULL])
def test_weibull_fits_are_the_published_ones(name: str, printed: list[tuple[str, str, float]]) -> None:
    example = FITS[name]
    found = fitted(example["data"])
    assert found.converged[0]
    for quantity, ours, half_a_digit in printed:
        expected = next(e["value"] for e in example["expected"] if e["quantity"] == quantity)
        assert figure(found, ours) == pytest.approx(expected, abs=half_a_digit), quantity


def test_every_example_says_where_it_is_from() -> None:
    for each in [*FITS.values(), *examples("others").values()]:
        assert each["source"]
        assert each["method"]
        assert each["data"]
        assert each["expected"]
