"""Means with noise for large pools: differential privacy by OpenDP, with the scale of the noise held to theory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chaingraph.errors import ChaingraphError
from schema import Text

CLOSE = 1e-6


def private_mean(values: Sequence[float], low: float, high: float, epsilon: float) -> tuple[float, float]:
    """The mean of firms' values, each held to [low, high], with Laplace noise: (mean, scale of the noise).

    One firm's value, whatever it is, moves the mean of n values by (high - low) / n at most: that is the sensitivity,
    and noise of the scale sensitivity / epsilon gives epsilon-differential privacy, the number of firms being known
    (Dwork, McSherry, Nissim and Smith, TCC 2006, 265-284). `low` and `high` must not come from the data. Raises
    ChaingraphError (`benchmark.noise`; `benchmark.opendp` where OpenDP is not installed), ArithmeticError where its own
    reckoning of the privacy loss is another than epsilon: a wrong unit would add next to no noise and say nothing.
    """
    if not (low < high and epsilon > 0):
        raise ChaingraphError(
            "benchmark.noise",
            Text(
                "隐私参数 ε 须大于 0，下限须小于上限。", "ε must be above 0, and the lower bound below the upper one."
            ),
            Text("请更正这些参数。", "Correct these."),
        )
    try:
        import opendp.prelude as dp
    except ImportError:
        raise ChaingraphError(
            "benchmark.opendp",
            Text("加噪结果需要 opendp 软件包。", "Answers with noise need the package opendp."),
            Text("请安装：pip install 'chaingraph[private]'。", "Install it: pip install 'chaingraph[private]'."),
        ) from None
    held = np.clip(np.asarray(values, np.float64), low, high)
    sensitivity = (high - low) / len(held)
    scale = sensitivity / epsilon
    dp.enable_features("contrib")
    space = dp.atom_domain(T=float, nan=False), dp.absolute_distance(T=float)
    noisy = dp.m.make_laplace(*space, scale=scale)
    loss = noisy.map(d_in=sensitivity)  # type: ignore[no-untyped-call]  # OpenDP's
    if not abs(loss - epsilon) <= CLOSE * epsilon:
        raise ArithmeticError(f"Noise of scale {scale} has a privacy loss of {loss}, not {epsilon}.")
    return float(noisy(float(held.mean()))), scale
