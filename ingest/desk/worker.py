"""Taking what is confirmed, in the background of a server."""

from __future__ import annotations

import logging
import threading
import time
from typing import Self

from chaingraph import ChaingraphError
from ingest.desk.desk import Desk

LOG = logging.getLogger(__name__)

LOOKS, SWEEPS = 5.0, 3600.0
"""Seconds between looks for what others have confirmed, or a dead process has left; and between sweeps."""


class Worker:
    """A thread that takes what is confirmed: at once when told, and what it finds every few seconds; it sweeps, too.

    A store that does not answer is waited for. `close` it at the end: what is being taken is taken first.
    """

    def __init__(self, desk: Desk, every: float = LOOKS) -> None:
        self._desk = desk
        self._every = every
        self._wake = threading.Event()
        self._end = False
        self._swept = -SWEEPS
        self._thread = threading.Thread(target=self._run, name="uploads", daemon=True)
        desk.listen(self.tell)

    def start(self) -> Self:
        """Begin, with what was left from before."""
        self._thread.start()
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def tell(self) -> None:
        """Something was confirmed."""
        self._wake.set()

    def close(self) -> None:
        """End, after what is being taken."""
        self._end = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._end:
            self._wake.clear()
            try:
                self._desk.work_all(self.ended)
                if not self.ended() and time.monotonic() - self._swept > SWEEPS:
                    self._desk.sweep()
                    self._swept = time.monotonic()
            except ChaingraphError as error:
                LOG.warning("uploads wait: %s", error)
            except Exception:
                LOG.exception("uploads wait")
            if not self._end:
                self._wake.wait(self._every)

    def ended(self) -> bool:
        """Whether nothing more is begun."""
        return self._end
