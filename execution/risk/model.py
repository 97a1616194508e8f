"""What the risk rules look at: a trade that is wanted, and what is held already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Side(StrEnum):
    """Of an order; a position's side is that of the order that opened it."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        """The side that closes it."""
        return Side.SELL if self is Side.BUY else Side.BUY


@dataclass(frozen=True, slots=True)
class Intent:
    """A trade that is wanted: `quantity` of `symbol` at about `entry`, with its stop and target.

    Prices in the account's currency. `price` is the latest one, of `price_time` (UTC), and
    `market_open` whether it could be traded now; None where that could not be had. The
    volatilities are those of `execution.risk.volatility`, where sizing asks for them.
    """

    signal_id: str
    symbol: str
    side: Side
    quantity: Decimal
    entry: Decimal
    target: Decimal
    stop: Decimal
    confidence: float
    made_at: datetime
    strategy: str = ""
    regime: str = ""
    price: Decimal | None = None
    price_time: datetime | None = None
    market_open: bool | None = None
    volatility: Decimal | None = None
    usual_volatility: Decimal | None = None

    @property
    def value(self) -> Decimal:
        """What it costs, at the latest price where there is one and at the entry else."""
        return self.quantity * (self.price if self.price is not None else self.entry)

    @property
    def dearest(self) -> Decimal:
        """What one of it may cost: the latest price or the entry, whichever is higher."""
        return self.entry if self.price is None else max(self.entry, self.price)

    @property
    def at_risk(self) -> Decimal:
        """Where it may be entered that is furthest from the stop: the latest price or the entry."""
        if self.price is None:
            return self.entry
        return max(self.entry, self.price, key=lambda price: abs(price - self.stop))


class Holding(NamedTuple):
    """A position that is held, or an order that may become one."""

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal

    @property
    def value(self) -> Decimal:
        """What it is worth at its price."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The account as it stands, orders that are not filled yet included among `holdings`.

    `equity` is cash and positions at market prices; `day_start` the equity when the firm's day
    began; `peak` the highest there was. `orders` are the times of the latest ones, `losses` those
    of the losing trades since the last winning one. `halt` says why nothing is traded.
    """

    equity: Decimal
    buying_power: Decimal
    day_start: Decimal
    peak: Decimal
    holdings: Sequence[Holding] = ()
    orders: Sequence[datetime] = ()
    losses: Sequence[datetime] = ()
    halt: str | None = None

    def of(self, symbol: str) -> list[Holding]:
        """What is held of `symbol`."""
        return [holding for holding in self.holdings if holding.symbol == symbol]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that the rules keep. Percents are of the equity, but where said otherwise.

    A limit of None is none. `groups` are sets of symbols that move together.
    """

    min_confidence: float = 75.0
    min_confidence_by: Mapping[str, float] = field(default_factory=dict)
    """By strategy, or by regime; of all that apply the strictest counts."""
    allowed: frozenset[str] | None = None
    restricted: frozenset[str] = frozenset()
    price_max_age: float = 60.0
    """Seconds."""
    max_distance: Decimal = Decimal("1")
    """Percent of the entry, of the price from it."""
    max_positions: int | None = 10
    max_per_symbol: int = 1
    max_per_group: int | None = 3
    groups: Sequence[frozenset[str]] = field(default_factory=tuple)
    max_position: Decimal | None = Decimal("10")
    max_stop: Decimal | None = None
    """Percent of the entry, of the stop from it."""
    max_daily_loss: Decimal | None = Decimal("3")
    """Percent of the day's first equity."""
    max_drawdown: Decimal | None = Decimal("10")
    """Percent of the highest equity."""
    orders_a_minute: int | None = 10
    losses_in_a_row: int = 3
    cooldown: float = 3600.0
    """Seconds without a trade after so many losses in a row."""

    def confidence_for(self, intent: Intent) -> float:
        """The least confidence that this trade needs."""
        special = (self.min_confidence_by.get(name) for name in (intent.strategy, intent.regime))
        return max(self.min_confidence, *(each for each in special if each is not None), 0.0)
