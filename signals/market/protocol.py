"""The interface of a market: bars, quotes and time, and the errors it may raise."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from argo.errors import ArgoError, NotFound
from signals.market.bars import Bars


class UnknownSymbol(NotFound):
    """The market does not have this symbol; the message lists the symbols that it has."""

    def __init__(self, symbol: str, known: tuple[str, ...] = ()) -> None:
        there = f"; there are: {', '.join(known)}" if known else ""
        super().__init__(f"there are no bars of {symbol!r}{there}")


class FeedError(ArgoError):
    """Market data is not available; the message says what was tried and what to do."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of one unit, in the instrument's currency, and the time of that price (UTC).

    Raises `FeedError` if the price is not a finite number above 0.
    """

    price: float
    time: datetime

    def __post_init__(self) -> None:
        if not (math.isfinite(self.price) and self.price > 0):
            raise FeedError(f"a price of {self.price} is not valid")

    @classmethod
    def last_close(cls, bars: Bars) -> "Quote | None":
        """Return the price and time of the last bar's close; None without bars."""
        return cls(float(bars.close[-1]), bars.time_at(-1)) if len(bars) else None


class MarketData(Protocol):
    """Bars, quotes and the time of one market.

    `symbols` are the symbols that it is known to have; empty if only a request can show. Symbols
    are in Argo's spelling (`signals.market.instruments`).
    """

    @property
    def symbols(self) -> tuple[str, ...]: ...

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        """Return the bars that had closed at `upto`, oldest first, and no later ones.

        They start at `since` if it is given; otherwise there are enough for every source. Raises
        `UnknownSymbol` if the market has no such symbol, `BadBars` if a bar cannot be true, and
        `FeedError` if the data is not available.
        """

    def quote(self, symbol: str) -> Quote | None:
        """Return the latest price; None if it is not known.

        Raises `UnknownSymbol` if the market has no such symbol, and `FeedError` if the data is not
        available.
        """

    def now(self) -> datetime:
        """Return the market's time: the wall clock, or the last moment of historical data."""
