"""What a market shows of a corporate action: a new history, a list, or nothing but a jump."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from signals.market.actions import ListedAction
from tests.execution.trading_fixtures import SYMBOL, Market, Trading


def rebase(trading: Trading, factor: float, symbol: str = SYMBOL) -> None:
    """Let the market multiply the prices of all its bars by `factor`, rounded to cents."""
    rows = trading.market.rows[symbol]
    trading.market.rows[symbol] = [
        (time, *(round(price * factor, 4) for price in prices), volume / factor)
        for time, *prices, volume in rows
    ]


def calm_day(trading: Trading, price: float, symbol: str = SYMBOL) -> None:
    """Close a day's bar around this price, and let the monitor look."""
    trading.day(price, price * 1.01, price * 0.99, price, symbol=symbol)
    trading.look()


@dataclass
class ListingMarket(Market):
    """A market that also reports corporate actions."""

    listed: list[ListedAction] = field(default_factory=list)

    def actions(self, symbol: str, since: datetime, upto: datetime) -> Sequence[ListedAction]:
        return [each for each in self.listed if since < each.ex_at <= upto]
