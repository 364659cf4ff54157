"""Fits against other libraries, on random records of every shape of censoring."""

from __future__ import annotations

import json
import subprocess
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray
from scipy.optimize import fmin

from analytics.life.distribution import Fits, inward, outward
from analytics.life.families import DISTRIBUTIONS
from analytics.life.fitting import fit, log_likelihood
from analytics.life.rows import Event, Floats, LifeRows, ready
from tests.analytics.life.worlds import SHAPES, records

ROOT = Path(__file__).parents[3]
ORACLES = ROOT / ".cache" / "oracles" / "bin" / "python"

SURPYVAL: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "weibull": ("Weibull", lambda p: p),
    "exponential": ("Exponential", lambda p: p),
    "lognormal": ("LogNormal", lambda p: p),
    "normal": ("Normal", lambda p: p),
    "gamma": ("Gamma", lambda p: [p[0], 1 / p[1]]),
    "loglogistic": ("LogLogistic", lambda p: p),
    "gumbel": ("Gumbel", lambda p: p),
}

LIFELINES = {
    name: [records(shape, 100 + seed) for seed, shape in enumerate(SHAPES)][: 2 if name == "gengamma" else None]
    for name in ("weibull", "exponential", "lognormal", "loglogistic", "gengamma")
}

SCIPY: dict[str, Callable[[Any], Any]] = {
    "weibull": lambda p: scipy.stats.weibull_min(p[1], scale=p[0]),
    "weibull3": lambda p: scipy.stats.weibull_min(p[1], scale=p[0], loc=p[2]),
    "exponential": lambda p: scipy.stats.expon(scale=1 / p[0]),
    "lognormal": lambda p: scipy.stats.lognorm(p[1], scale=np.exp(p[0])),
    "normal": lambda p: scipy.stats.norm(p[0], p[1]),
    "gamma": lambda p: scipy.stats.gamma(p[0], scale=p[1]),
    "loglogistic": lambda p: scipy.stats.fisk(p[1], scale=p[0]),
    "gumbel": lambda p: scipy.stats.gumbel_l(p[0], p[1]),
    "gengamma": lambda p: scipy.stats.gengamma(
        p[2] ** -2, p[2] / p[1], scale=np.exp(p[0]) * np.abs(p[2]) ** (2 * p[1] / p[2])
    ),
}  # fmt: skip


def agrees(ours: Fits, theirs: list[tuple[Any, float]], least: float) -> None:
    """Our log likelihood is at least theirs, and where both are at the top the parameters are the same."""
    both = 0
    for g, (parameters, height) in enumerate(theirs):
        if parameters is None or not np.isfinite(height):
            continue
        assert ours.fitted[g]
        assert ours.log_likelihood[g] >= height - 1e-9 * abs(height)
        fall = max(ours.log_likelihood[g] - height, 0.0) + 1e-12 * abs(height)
        if fall <= 1e-9 * abs(height):
            # d standard errors from the top the log likelihood is lower by d^2 / 2: parameters are the same to
            # 1e-5, or as near as the other's height says
            p, se = ours.parameters[:, g], np.sqrt(np.diag(ours.covariance[:, :, g]))
            away = 2 * np.sqrt(2 * fall) * se * np.where(inside(ours), np.abs(p), 1.0)
            np.testing.assert_array_less(np.abs(np.array(parameters) - p), np.maximum(1e-5 * np.abs(p), away))
            both += 1
    assert both >= least * len(theirs)


def inside(fits: Fits) -> NDArray[np.bool_]:
    return np.array([each.scale == "log" for each in fits.distribution.parameters])


@pytest.mark.parametrize("name", SURPYVAL)
def test_surpyval_finds_nothing_higher_and_the_same_parameters(name: str) -> None:
    surpyval: Any = import_module("surpyval")
    library, ours = SURPYVAL[name]
    theirs, worlds = [], [records(shape, seed) for seed, shape in enumerate(SHAPES)]
    for data in worlds:
        kinds = np.select(
            [data.event == Event.SUSPENSION, data.event == Event.FAILURE, data.age == 0], [1, 0, -1], default=2
        )
        high = np.where(data.event == Event.INTERVAL, data.age_to, data.age)
        low = np.where(kinds == -1, high, data.age)
        entry = np.where(data.entry > 0, data.entry, -np.inf)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = getattr(surpyval, library).fit(xl=low, xr=high, c=kinds, n=data.count.astype(int), tl=entry)
            theirs.append((ours(model.params), -float(model.neg_ll())))
    together = fit(DISTRIBUTIONS[name], gather(worlds))
    agrees(together, theirs, least=0.4)


def gather(worlds: list[LifeRows]) -> LifeRows:
    """Many single groups as the groups of one batch."""
    age, event, entry, to, count = (
        np.concatenate([getattr(w, n) for w in worlds]) for n in ("age", "event", "entry", "age_to", "count")
    )
    group = np.repeat(np.arange(len(worlds)), [len(w.age) for w in worlds])
    return LifeRows(age, event, entry, to, count, group, len(worlds))


@pytest.fixture(scope="module")
def by_lifelines() -> dict[str, list[dict[str, Any]]]:
    """Fits of a world of each shape by all its distributions, in one process; the slow one of only some."""
    assert ORACLES.exists(), "lifelines is in an environment of its own: make setup-oracles"
    cases = []
    for name, worlds in LIFELINES.items():
        for data in worlds:
            high: list[float | None] = np.where(data.event == Event.INTERVAL, data.age_to, data.age).tolist()
            high = [None if kind == Event.SUSPENSION else h for kind, h in zip(data.event, high, strict=True)]
            columns = {n: getattr(data, n).tolist() for n in ("entry", "count")}
            cases.append({"distribution": name, "low": data.age.tolist(), "high": high, **columns})
    script = Path(__file__).with_name("oracle.py")
    ran = subprocess.run(
        [ORACLES, script], input=json.dumps(cases), capture_output=True, text=True, check=True, timeout=120
    )
    found = iter(json.loads(ran.stdout))
    return {name: [next(found) for _ in worlds] for name, worlds in LIFELINES.items()}


@pytest.mark.parametrize("name", LIFELINES)
def test_lifelines_finds_nothing_higher_and_the_same_parameters(name: str, by_lifelines: dict[str, Any]) -> None:
    theirs = [(f.get("parameters"), f.get("log_likelihood", np.nan)) for f in by_lifelines[name]]
    agrees(fit(DISTRIBUTIONS[name], gather(LIFELINES[name])), theirs, least=0.4)


def by_hand(name: str, data: LifeRows, p: Floats) -> float:
    """The log likelihood of one group by SciPy's distributions."""
    law = SCIPY[name](p)
    total = -(law.logsf(data.entry) * (data.entry > 0) * data.count).sum()
    exact, alive = data.event == Event.FAILURE, data.event == Event.SUSPENSION
    total += (law.logpdf(data.age[exact]) * data.count[exact]).sum()
    total += (law.logsf(data.age[alive]) * data.count[alive]).sum()
    between = data.take(data.event == Event.INTERVAL)
    low = np.where(between.age == 0, 0.0, law.cdf(between.age))
    total += (np.log(law.cdf(between.age_to) - low) * between.count).sum()
    return float(total)


@pytest.mark.parametrize("name", SCIPY)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_likelihood_is_that_by_hand_with_scipy_and_nothing_near_is_higher(name: str, shape: str) -> None:
    distribution = DISTRIBUTIONS[name]
    tried = ((data, fit(distribution, data)) for data in (records(shape, seed) for seed in range(40, 60)))
    data, found = next(each for each in tried if each[1].fitted[0])
    p = found.parameters[:, 0]
    assert found.log_likelihood[0] == pytest.approx(by_hand(name, data, p), rel=1e-8)
    assert log_likelihood(distribution, data, p[:, None])[0] == pytest.approx(found.log_likelihood[0], rel=1e-12)
    scales = [each.scale for each in distribution.parameters]
    centre = np.array([inward(s, v) for s, v in zip(scales, p, strict=True)])
    se = np.sqrt(np.diag(found.covariance[:, :, 0]))

    def loss(u: Floats) -> float:
        at = np.array([outward(s, v) for s, v in zip(scales, centre + u * se, strict=True)])
        value = log_likelihood(distribution, data, at[:, None])[0]
        return float(found.log_likelihood[0] - value) if np.isfinite(value) else 1e9

    best = fmin(loss, np.full(len(p), 0.02), xtol=1e-7, ftol=1e-13, maxiter=400, disp=False)
    assert loss(best) > -1e-9
    np.testing.assert_allclose(best, 0, atol=2e-5)


def test_surpyval_finds_the_same_limited_failure_population() -> None:
    surpyval: Any = import_module("surpyval")
    rng = np.random.default_rng(4)
    life = 100 * rng.weibull(2.0, 60)
    age, event = np.concatenate([life, np.full(140, 400.0)]), np.repeat([1, 0], [60, 140])
    found = fit(DISTRIBUTIONS["weibull_lfp"], ready(age, event))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = surpyval.Weibull.fit(age, c=1 - event, lfp=True)
    assert found.fitted[0]
    assert found.log_likelihood[0] >= -model.neg_ll() - 1e-9
    np.testing.assert_allclose(found.parameters[:, 0], [*model.params, model.lfp_p], rtol=1e-4)
