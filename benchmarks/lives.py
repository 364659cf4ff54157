"""Weibull fits of thousands of groups, and of one large one, against surpyval, reliability and lifelines.

`python -m benchmarks.lives` runs it alone. The libraries fit a sample of the same groups one after another, and their
time is scaled to all of them; they and chaingraph start from the same arrays and end with parameters and their
covariance. Libraries that want other versions of numpy run in .cache/oracles (make setup-oracles).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from analytics.life.families import WEIBULL
from analytics.life.fitting import fit
from analytics.life.rows import ready
from benchmarks import lives_peer
from benchmarks.measure import best, row

GROUPS, SAMPLE, LARGE, SEED = 10_000, 20, 1_000_000, 1
ORACLES = Path(".cache/oracles/bin/python")
Columns = tuple[Any, Any, Any]


def run(folder: Path) -> None:
    """Print seconds, and how often faster than each peer, for many groups and for one."""
    for groups, sizes, sample in ((GROUPS, (20, 200), SAMPLE), (1, (LARGE, LARGE), 1)):
        age, failed, group = world(groups, *sizes)
        ours = best(lambda: fit(WEIBULL, ready(age, failed, group=group, groups=groups)), 5)  # noqa: B023 - used at once
        what = f"{groups:,} groups, {len(age):,} rows" if groups > 1 else f"one group of {len(age):,} rows"
        row(f"Weibull fits of {what}", f"{ours.wall:.2f} s", "numpy alone")
        few = group < sample
        slowest = peers(folder, (age[few], failed[few], group[few]))
        factors = {}
        for name, (seconds, answers) in slowest.items():
            whole = seconds * groups / sample
            factors[name] = whole / ours.wall
            away = np.abs(np.array(answers).T / ours.result.parameters[:, :sample] - 1).max()
            remark = f"scaled from {sample} groups; " if groups > sample else ""
            row(f"  {name}: {remark}parameters within {away:.0e} of ours", f"{whole:.1f} s, {factors[name]:.1f} times")
        aim = "aim 50, with numba 300" if groups > 1 else "aim 1"
        row("  the fastest of them takes", f"{min(factors.values()):.1f} times as long", aim)


def world(groups: int, fewest: int, most: int) -> Columns:
    """Age, whether it failed, group: shapes of 0.8 to 4, scales over two decades, a good half of them failed."""
    rng = np.random.default_rng(SEED)
    size = rng.integers(fewest, most + 1, groups)
    group = np.repeat(np.arange(groups), size)
    beta, eta = rng.uniform(0.8, 4, groups)[group], 10 ** rng.uniform(2, 4, groups)[group]
    life, end = eta * rng.weibull(beta), eta * rng.uniform(0.3, 2, len(group))
    return np.minimum(life, end), life <= end, group


def peers(folder: Path, columns: Columns) -> dict[str, tuple[float, list[tuple[float, float]]]]:
    """Seconds and answers of each peer for these groups."""
    age, failed, group = columns
    np.savez(folder / "lives.npz", age=age, failed=failed, group=group)
    script = Path(lives_peer.__file__)
    ran = subprocess.run(
        [ORACLES, script, folder / "lives.npz"], capture_output=True, text=True, check=True, timeout=1800
    )
    found = {"surpyval": lives_peer.seconds(lives_peer.surpyval, age, failed, group)}
    others: dict[str, tuple[float, list[tuple[float, float]]]] = json.loads(ran.stdout.strip().splitlines()[-1])
    return found | others


def main() -> None:
    """Measure in a temporary folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        run(Path(name))


if __name__ == "__main__":
    main()
