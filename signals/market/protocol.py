"""What a market is to those who make signals."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from argo.errors import ArgoError, NotFound
from signals.market.bars import Bars


class UnknownSymbol(NotFound):
    """This market has no such symbol; the message lists those that it has."""

    def __init__(self, symbol: str, known: tuple[str, ...] = ()) -> None:
        there = f"; there are: {', '.join(known)}" if known else ""
        super().__init__(f"there are no bars of {symbol!r}{there}")


class FeedError(ArgoError):
    """Market data could not be had; the message says what was tried and what to do."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What one unit costs, in the instrument's currency, and when (UTC) that was so.

    Raises `FeedError` for a price that is not a number above 0.
    """

    price: float
    time: datetime

    def __post_init__(self) -> None:
        if not (math.isfinite(self.price) and self.price > 0):
            raise FeedError(f"a price of {self.price} is no price")

    @classmethod
    def last_close(cls, bars: Bars) -> "Quote | None":
        """The price at which the last bar closed; None without bars."""
        return cls(float(bars.close[-1]), bars.time_at(-1)) if len(bars) else None


class MarketData(Protocol):
    """Bars, quotes and the time of one market.

    `symbols` are those that it is known to have; empty where only asking can tell. Symbols are
    given in Argo's spelling (`signals.market.instruments`).
    """

    @property
    def symbols(self) -> tuple[str, ...]: ...

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        """The bars that had closed at `upto`, oldest first, none of a later time.

        From `since` on where it is given, else enough for every source. Raises `UnknownSymbol`,
        `BadBars` for what cannot be true, and `FeedError` where they cannot be had.
        """

    def quote(self, symbol: str) -> Quote | None:
        """The latest price; None where there is none. Raises `UnknownSymbol` and `FeedError`."""

    def now(self) -> datetime:
        """The market's time: the wall clock's, or that of the past which it stands for."""
