"""Who guesses waits: longer after every failure, for an account and for an address."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 100_000
"""Names of whom failures are remembered; the oldest are forgotten first."""


class Throttle:
    """Lets a name try `free` times, then makes it wait twice as long after every failure, up to `longest` seconds.

    What it counts is this process's own. Threads may share one.
    """

    def __init__(
        self, free: int, first: float = 2.0, longest: float = 900.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free, self._first, self._longest, self._clock = free, first, longest, clock
        self._lock = threading.Lock()
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, name: str) -> float:
        """Seconds until the name may try again, 0 for now. A try counts as a failure until `succeeded`.

        So those that are tried at once are counted too.
        """
        with self._lock:
            now = self._clock()
            failures, last = self._failed.get(name, (0, now))
            if now - last > self._longest:
                failures = 0
            over = failures - self._free
            pause = 0.0 if over < 0 else min(self._first * 2.0 ** min(over, 30), self._longest)
            left = last + pause - now
            if failures and left > 0:
                return left
            self._failed[name] = (failures + 1, now)
            self._failed.move_to_end(name)
            if len(self._failed) > REMEMBERED:
                self._failed.popitem(last=False)
            return 0.0

    def succeeded(self, name: str, *, forget: bool) -> None:
        """The last try of a name was no failure; `forget` those before it, too."""
        with self._lock:
            failures, last = self._failed.pop(name, (0, 0.0))
            if failures > 1 and not forget:
                self._failed[name] = (failures - 1, last)
