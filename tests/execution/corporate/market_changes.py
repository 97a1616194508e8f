"""What a market shows of a corporate action: a new history, a list, or nothing but a jump."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from execution.brokers.paper.broker import PaperBroker
from signals.market.actions import ListedAction
from tests.execution.trading_fixtures import SYMBOL, Market, Trading


def rebase(trading: Trading, factor: float, symbol: str = SYMBOL) -> None:
    """Let the market multiply the prices of all its bars by `factor`, rounded to cents."""
    trading.market.rows[symbol] = [
        (
            time,
            round(open_ * factor, 4),
            round(high * factor, 4),
            round(low * factor, 4),
            round(close * factor, 4),
            volume / factor,
        )
        for time, open_, high, low, close, volume in trading.market.rows[symbol]
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


def listing(trading: Trading) -> Trading:
    """Return the same account on a market that reports corporate actions."""
    market = ListingMarket(trading.clock, trading.market.quotes, trading.market.rows)
    trading.market = market
    if isinstance(trading.broker.broker, PaperBroker):
        object.__setattr__(trading.broker.broker, "market", market)
    return trading.changed(market=market)


def listed(trading: Trading) -> list[ListedAction]:
    """Return the list of corporate actions of the account's market."""
    assert isinstance(trading.market, ListingMarket)
    return trading.market.listed
