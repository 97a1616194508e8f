"""Takes a reader of the feed from the view that admitted it, within limits."""

import threading
from collections import Counter

from argo.web.metrics import READERS
from signals.feed.waiting import Asked, TooManyReaders


class Places:
    """Counts the readers who wait: in all, and of each key. Any thread may use it."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> None:
        """Take a place. Raises TooManyReaders."""
        with self._lock:
            if self._taken.total() >= self._most:
                raise TooManyReaders(
                    f"{self._most} readers wait already (FEED_READERS): try again later."
                )
            if self._taken[who] >= self._most_each:
                raise TooManyReaders(
                    f"{self._most_each} readers with this key wait already (FEED_READERS_PER_KEY): "
                    "end one, or try again later."
                )
            self._taken[who] += 1
        READERS.inc()

    def give_back(self, who: str) -> None:
        """Free a place."""
        with self._lock:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]
        READERS.dec()

    @property
    def taken(self) -> int:
        """Return how many places are taken."""
        return self._taken.total()


class Slot:
    """One request's way to become a reader who waits; the view finds it in the environment."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.asked: Asked | None = None

    def take(self, asked: Asked) -> None:
        """Let the reader wait. Raises TooManyReaders."""
        self._places.take(asked.who)
        self.asked = asked

    def release(self) -> None:
        """Free the place, if one was taken."""
        if self.asked is not None:
            self._places.give_back(self.asked.who)
            self.asked = None
