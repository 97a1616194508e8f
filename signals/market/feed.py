"""Fetches many symbols at once from a market that may be slow, hang or fail."""

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from signals.market.protocol import FeedError

T = TypeVar("T")
SHARES = 4
"""Where nothing comes for a part of the time, one more thread is started for those that wait."""


class Fetch(Generic[T]):
    """What `ask` answers for each symbol, asked on `threads` threads, within `seconds`.

    A thread that hangs cannot be ended: it is left behind, as a daemon that holds up no exit, and
    another takes its place. What comes too late is dropped, and a symbol whose thread still hangs
    is not asked for again: so no more threads are left behind than there are symbols.
    """

    def __init__(self, ask: Callable[[str], T], threads: int, seconds: float) -> None:
        self._ask = ask
        self._threads = threads
        self._seconds = seconds
        self._under_way: set[str] = set()

    def all(self, symbols: Sequence[str]) -> dict[str, T | Exception]:
        """By symbol, in the order given: the answer, or why there is none."""
        hanging = FeedError("its market data was asked for before, and has not come yet")
        answers: dict[str, T | Exception] = dict.fromkeys(symbols, hanging)
        asked = [symbol for symbol in symbols if symbol not in self._under_way]
        return answers | _Round(self._answer, asked, self._threads, self._seconds).answers()

    def _answer(self, symbol: str) -> T | Exception:
        self._under_way.add(symbol)
        try:
            return self._ask(symbol)
        except Exception as error:  # noqa: BLE001  # whoever asked is told, symbol by symbol
            return error
        finally:
            self._under_way.discard(symbol)


class _Round(Generic[T]):
    """One time that all of these are asked for."""

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
        """What comes next; None once the time is over."""
        while (left := self._ends - time.monotonic()) > 0:
            try:
                return self._done.get(timeout=min(self._seconds / SHARES, left))
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
