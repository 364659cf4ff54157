"""How long the audit of pooled figures takes to decide, by the number of members and of figures of each."""

from __future__ import annotations

import time

import numpy as np

from analytics.pooling.audit import LinearAudit
from benchmarks.measure import row

QUESTIONS = 300
MEMBERS = (12, 25, 60)


def run() -> None:
    """Random sets of members are asked for one after another, until most of what could be answered has been."""
    for figures, what in ((1, "one figure each"), (6, "six figures each")):
        for members in MEMBERS:
            middle, worst, allowed = decisions(members, figures)
            said = f"{middle * 1e3:.2f} ms, at most {worst * 1e3:.1f} ms"
            aim = "aim: 0.1 to 5 ms" if figures == 1 else ""
            row(f"a decision, {members} members, {what} ({allowed} given)", said, aim)


def decisions(members: int, figures: int, seed: int = 1) -> tuple[float, float, int]:
    """Median and longest seconds of a decision, and how many of `QUESTIONS` were answered."""
    rng = np.random.default_rng(seed)
    audit, taken, allowed = LinearAudit(), [], 0
    for _ in range(QUESTIONS if figures == 1 else QUESTIONS // 5):
        inside = (rng.random(members) < rng.uniform(0.3, 1))[:, None] & (rng.random((members, figures)) < 0.8)
        form = {(f"O{owner}", f"W{figure}"): 1 for owner, figure in np.argwhere(inside).tolist()}
        start = time.perf_counter()
        allowed += audit.allow(form)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)), max(taken), allowed


if __name__ == "__main__":
    run()
