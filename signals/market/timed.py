"""A market whose calls end in time, for callers that must not wait, such as a web request."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import datetime
from typing import TypeVar

from signals.market.bars import Bars
from signals.market.hours import ShowsHours
from signals.market.protocol import FeedError, MarketData, Quote

T = TypeVar("T")
MOST_CALLS = 16
"""Calls that are under way at once in one process, those included that nobody waits for."""
_free = threading.BoundedSemaphore(MOST_CALLS)


class Late(Exception):
    """A call has not ended in time, or too many others have not."""


class Deadline:
    """Makes calls on threads of their own; all together take `seconds` at most.

    A call that takes longer goes on by itself. The threads do not delay the end of the process. A
    call must not use the database.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds

    def call(self, act: Callable[[], T]) -> T:
        """Return what `act` returns. Raises what it raises, and `Late` if the time is over."""
        left = self._ends - time.monotonic()
        if left <= 0 or not _free.acquire(blocking=False):
            raise Late
        answer: Future[T] = Future()
        threading.Thread(target=_run, args=(act, answer), daemon=True).start()
        try:
            return answer.result(timeout=left)
        except FutureTimeout:
            raise Late from None


def _run(act: Callable[[], T], answer: "Future[T]") -> None:
    try:
        answer.set_result(act())
    except BaseException as error:  # noqa: BLE001  # the caller gets it
        answer.set_exception(error)
    finally:
        _free.release()


class TimedMarket:
    """Makes the calls of `market` within a deadline; a late one raises a `FeedError`."""

    def __init__(self, market: MarketData, deadline: Deadline) -> None:
        self._market = market
        self._deadline = deadline

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._market.symbols

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        return self._call(lambda: self._market.bars(symbol, upto, since))

    def quote(self, symbol: str) -> Quote | None:
        return self._call(lambda: self._market.quote(symbol))

    def is_always_open(self, symbol: str) -> bool:
        """Return True if the market's own data shows that this symbol always trades."""
        return isinstance(self._market, ShowsHours) and self._market.is_always_open(symbol)

    def now(self) -> datetime:
        return self._market.now()

    def _call(self, act: Callable[[], T]) -> T:
        try:
            return self._deadline.call(act)
        except Late:
            text = f"no market data within {self._deadline.seconds:g} s: try again in a moment"
            raise FeedError(text) from None
