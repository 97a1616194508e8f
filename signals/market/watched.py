"""Remembers how old the prices are that this process uses."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from signals.market.actions import ListedAction, ListsActions
from signals.market.bars import Bars
from signals.market.hours import ShowsHours
from signals.market.protocol import MarketData, Quote

IN_USE = timedelta(minutes=10)
"""A symbol that nobody has asked for in this time is not in use any more."""


class SeenPrice(NamedTuple):
    """`asked_at` is when the symbol was last asked for; `time` is its newest price's time, or when
    it was first asked for if there was no price since."""

    asked_at: datetime
    time: datetime


class OldPrice(NamedTuple):
    """A symbol in use, and the time of its newest price, which is too old."""

    symbol: str
    time: datetime


class PriceWatch:
    """Holds the newest price's time of every symbol that was asked for.

    Threads share it: each call changes one entry of a dictionary.
    """

    def __init__(self) -> None:
        self._seen: dict[str, SeenPrice] = {}

    def asked(self, symbol: str, now: datetime) -> None:
        """Record that somebody needs the symbol's prices."""
        known = self._seen.get(symbol)
        self._seen[symbol] = SeenPrice(now, known.time if known else now)

    def priced(self, symbol: str, time: datetime, now: datetime) -> None:
        """Record the time of a symbol's newest price."""
        self._seen[symbol] = SeenPrice(now, time)

    def oldest(self, now: datetime, is_old: Callable[[str, datetime], bool]) -> OldPrice | None:
        """Return the oldest price in use among those that are too old; None if there is none.

        `is_old` gets a symbol and the time of its newest price.
        """
        in_use = {
            symbol: seen.time
            for symbol, seen in list(self._seen.items())
            if now - seen.asked_at <= IN_USE
        }
        old = [OldPrice(name, time) for name, time in in_use.items() if is_old(name, time)]
        return min(old, key=lambda price: price.time, default=None)


class WatchedMarket:
    """A market whose prices' age is recorded in `watch`."""

    def __init__(self, market: MarketData, watch: PriceWatch) -> None:
        self._market = market
        self._watch = watch

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._market.symbols

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        self._watch.asked(symbol, self._market.now())
        return self._market.bars(symbol, upto, since)

    def quote(self, symbol: str) -> Quote | None:
        now = self._market.now()
        self._watch.asked(symbol, now)
        quote = self._market.quote(symbol)
        if quote is not None:
            self._watch.priced(symbol, quote.time, now)
        return quote

    def is_always_open(self, symbol: str) -> bool:
        """Return True if the market's own data shows that this symbol always trades."""
        return isinstance(self._market, ShowsHours) and self._market.is_always_open(symbol)

    def actions(self, symbol: str, since: datetime, upto: datetime) -> Sequence[ListedAction]:
        """Return the corporate actions that the market reports."""
        if not isinstance(self._market, ListsActions):
            return ()
        return self._market.actions(symbol, since, upto)

    def now(self) -> datetime:
        return self._market.now()
