"""What a member may ask for over time: a bucket of cost that each request draws from and that fills up again.

Every organisation has a bucket, and every account in it one of half that, so that one program cannot use up what its
organisation has. They are held in this process only; what one member has left depends on what that member asked alone.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from chaingraph import EVERYBODY, Actor
from server.api.errors import ApiError, Code
from server.api.limits import Limits

KEPT = 20_000
"""Buckets kept at most; the one that was not drawn from for longest is forgotten, which is to fill it up."""


class Budgets:
    """The buckets of all members. Threads may share it; `clock` tells seconds."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic, kept: int = KEPT) -> None:
        self.limits = limits
        self.clock = clock
        self.kept = kept
        self._buckets: OrderedDict[tuple[str, ...], tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def spend(self, actor: Actor, cost: float) -> int | None:
        """Draw `cost` for a request of `actor`; gives what remains, None for who has no limit.

        A request that costs more than a full bucket empties it. Raises ApiError (THROTTLED, with the seconds to wait)
        where there is not enough, and then draws nothing.
        """
        if actor.organisation == EVERYBODY:
            return None
        asked = max(1.0, math.ceil(cost))
        shares = {(actor.organisation,): 1.0, (actor.organisation, actor.account): 0.5}
        with self._lock:
            now = self.clock()
            left = {name: self._level(name, share, now) for name, share in shares.items()}
            wait = 0.0
            for name, share in shares.items():
                wanted = min(asked, self.limits.budget * share)
                wait = max(wait, (wanted - left[name]) / (self.limits.budget_rate * share))
            if wait > 0:
                raise ApiError(
                    Code.THROTTLED,
                    f"The budget is used up for now; come again in {math.ceil(wait)} seconds.",
                    retryAfter=math.ceil(wait),
                    cost={"requested": int(asked), "allowed": self.limits.cost, "remaining": int(min(left.values()))},
                )
            for name in shares:
                left[name] = max(0.0, left[name] - asked)
                self._buckets[name] = (left[name], now)
                self._buckets.move_to_end(name)
            while len(self._buckets) > self.kept:
                self._buckets.popitem(last=False)
        return int(min(left.values()))

    def _level(self, name: tuple[str, ...], share: float, now: float) -> float:
        """What is in a bucket by now: full where it is not known."""
        full = self.limits.budget * share
        level, when = self._buckets.get(name, (full, now))
        return min(full, level + (now - when) * self.limits.budget_rate * share)
