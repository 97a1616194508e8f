"""Lets work run on one thread of a process at a time."""

import threading
from collections.abc import Callable


class SingleRun:
    """Work that finds by itself what is to do, such as a run of deliveries.

    A call while it runs on another thread returns at once, and makes the work run once more.
    """

    def __init__(self, work: Callable[[], int]) -> None:
        self._work = work
        self._asked = threading.Event()
        self._running = threading.Lock()

    def __call__(self) -> int:
        """Run the work; return the sum of what its runs return."""
        self._asked.set()
        total = 0
        while self._asked.is_set() and self._running.acquire(blocking=False):
            try:
                self._asked.clear()
                total += self._work()
            finally:
                self._running.release()
        return total
