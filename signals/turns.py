"""Lets one thread of a process do a work at a time; who comes meanwhile does not wait."""

import threading
from collections.abc import Callable


class Turns:
    """Does a work for everybody who asks while it is done: once more, after it has ended."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._asked = threading.Event()

    def take(self, work: Callable[[], int]) -> int:
        """Call `work`, again if somebody asks meanwhile; return the sum of what it returns.

        If another thread does it now, that thread does it again; return 0 at once.
        """
        total = 0
        self._asked.set()
        while self._asked.is_set() and self._busy.acquire(blocking=False):
            try:
                self._asked.clear()
                total += work()
            finally:
                self._busy.release()
        return total
