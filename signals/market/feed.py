"""Fetches many symbols in parallel from a market that may be slow, hang or fail."""

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from signals.market.protocol import FeedError

T = TypeVar("T")
STALL_CHECKS = 4
"""If no answer comes for this part of the time limit (1/4), another thread is started."""


class Fetch(Generic[T]):
    """Calls `ask` for each symbol, on `threads` threads, for at most `seconds` seconds.

    A thread that hangs cannot be ended. It is left behind, as a daemon thread that does not delay
    the process's exit, and another takes its place. An answer that comes too late is dropped. A
    symbol whose thread still hangs is not asked for again, so there are never more hanging threads
    than symbols.
    """

    def __init__(self, ask: Callable[[str], T], threads: int, seconds: float) -> None:
        self._ask = ask
        self._threads = threads
        self._seconds = seconds
        self._under_way: set[str] = set()

    def all(self, symbols: Sequence[str]) -> dict[str, T | Exception]:
        """Return by symbol, in the order given, the answer or the error."""
        hanging = FeedError("an earlier request for its market data has not been answered yet")
        answers: dict[str, T | Exception] = dict.fromkeys(symbols, hanging)
        asked = [symbol for symbol in symbols if symbol not in self._under_way]
        return answers | _Round(self._answer, asked, self._threads, self._seconds).answers()

    def _answer(self, symbol: str) -> T | Exception:
        self._under_way.add(symbol)
        try:
            return self._ask(symbol)
        except Exception as error:  # noqa: BLE001  # the caller gets it as the symbol's answer
            return error
        finally:
            self._under_way.discard(symbol)


class _Round(Generic[T]):
    """One fetch of these symbols."""

    def __init__(
        self,
        ask: Callable[[str], T | Exception],
        symbols: Sequence[str],
        threads: int,
        seconds: float,
    ) -> None:
        self._ask = ask
        self._symbols = symbols
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._waiting: SimpleQueue[str] = SimpleQueue()
        self._done: SimpleQueue[tuple[str, T | Exception]] = SimpleQueue()
        for symbol in symbols:
            self._waiting.put(symbol)
        for _ in range(min(threads, len(symbols))):
            self._start()

    def answers(self) -> dict[str, T | Exception]:
        """Return the answers that arrive in time, and a `FeedError` for every other symbol."""
        late = FeedError(
            f"no market data within {self._seconds:g} s: the feed is slow or hangs (MARKET_TIMEOUT)"
        )
        found: dict[str, T | Exception] = dict.fromkeys(self._symbols, late)
        for _ in self._symbols:
            if (answer := self._next()) is None:
                break
            found[answer[0]] = answer[1]
        return found

    def _next(self) -> tuple[str, T | Exception] | None:
        """Return the next answer; None once the time is over."""
        while (left := self._ends - time.monotonic()) > 0:
            try:
                return self._done.get(timeout=min(self._seconds / STALL_CHECKS, left))
            except Empty:
                if not self._waiting.empty():
                    self._start()
        return None

    def _start(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while time.monotonic() < self._ends:
            try:
                symbol = self._waiting.get_nowait()
            except Empty:
                return
            self._done.put((symbol, self._ask(symbol)))
