"""The inputs of the risk rules: the trade that is wanted, the portfolio, and the limits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from execution.money import HUNDRED, ZERO, percent_below
from execution.types import Side

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Intent:
    """A trade that is wanted: `quantity` of `symbol` at about `entry`, with its stop and target.

    Prices are in `currency`; one unit is worth `unit_value` at a price of 1. Both are empty if they
    are not known. `price` is the latest one, from `price_time` (UTC), and `market_open` says
    whether the symbol can be traded now; both are None if unknown. The
    volatilities come from `execution.risk.volatility`, if sizing needs them.
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
    currency: str = ""
    unit_value: Decimal | None = None
    volatility: Decimal | None = None
    usual_volatility: Decimal | None = None

    def of_quantity(self, quantity: Decimal) -> "Intent":
        """Return the same trade with this quantity; faster than `replace`."""
        values = list(_VALUES_OF(self))
        values[_QUANTITY] = quantity
        return Intent(*values)

    @property
    def value(self) -> Decimal:
        """Return the cost at the latest price, or at the entry if there is no price."""
        return self.quantity * (self.price if self.price is not None else self.entry)

    @property
    def dearest(self) -> Decimal:
        """Return the most that one unit may cost: the higher of latest price and entry."""
        return self.entry if self.price is None else max(self.entry, self.price)

    @property
    def at_risk(self) -> Decimal:
        """Return the latest price or the entry: the one that is further from the stop."""
        if self.price is None:
            return self.entry
        return max(self.entry, self.price, key=lambda price: abs(price - self.stop))


_NAMES = [each.name for each in fields(Intent)]
_VALUES_OF, _QUANTITY = attrgetter(*_NAMES), _NAMES.index("quantity")


class Exposure(NamedTuple):
    """A position that is held, or an entry order that may become one."""

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal

    @property
    def value(self) -> Decimal:
        """Return its value at its price."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The account now; its `holdings` include entry orders that are not filled yet.

    `equity` is cash plus positions at market prices; `day_start` is the equity when the trading day
    began; `peak` is the highest equity so far. `orders` are the times of the latest orders,
    `losses` the times of the losing trades since the last winning one. `halt` is the reason why
    nothing is traded.

    The risk rules and `execution.risk.headroom` count with the same methods, so that the limits
    shown are the limits applied.
    """

    equity: Decimal
    buying_power: Decimal
    day_start: Decimal
    peak: Decimal
    holdings: Sequence[Exposure] = ()
    orders: Sequence[datetime] = ()
    losses: Sequence[datetime] = ()
    halt: str | None = None

    def of(self, symbol: str) -> list[Exposure]:
        """Return the holdings in `symbol`."""
        return [holding for holding in self.holdings if holding.symbol == symbol]

    def in_group(self, members: Collection[str]) -> list[Exposure]:
        """Return the holdings in any of these symbols, which move together."""
        return [holding for holding in self.holdings if holding.symbol in members]

    def value_of(self, symbol: str) -> Decimal:
        """Return the value of all holdings in `symbol`."""
        return sum((holding.value for holding in self.of(symbol)), ZERO)

    @property
    def lost_today(self) -> Decimal:
        """Return the loss of the day, in percent of its first equity; negative if it gained."""
        return percent_below(self.day_start, self.equity)

    @property
    def below_peak(self) -> Decimal:
        """Return how far the equity is below its peak, in percent of the peak."""
        return percent_below(self.peak, self.equity)

    def with_order(self, intent: Intent, now: datetime) -> "Portfolio":
        """Return the portfolio after an order of this trade: it takes a place, and its money is
        used."""
        price = intent.entry if intent.price is None else intent.price
        held = Exposure(intent.symbol, intent.side, intent.quantity, price)
        return replace(
            self,
            buying_power=self.buying_power - intent.value,
            holdings=[*self.holdings, held],
            orders=[*self.orders, now],
        )

    def orders_in_last_minute(self, now: datetime) -> int:
        """Return how many orders were made in the minute before `now`."""
        return sum(now - MINUTE < moment for moment in self.orders)

    def seconds_since_loss(self, now: datetime) -> float:
        """Return the seconds since the last losing trade. Raises `ValueError` if there is none."""
        return (now - max(self.losses)).total_seconds()


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the risk rules, in percent of the equity unless stated otherwise.

    None means no limit. `groups` are sets of symbols that move together.
    """

    min_confidence: float = 75.0
    min_confidence_by_regime: Mapping[str, float] = field(default_factory=dict)
    min_confidence_by_strategy: Mapping[str, float] = field(default_factory=dict)
    """The strictest of all thresholds that apply counts."""
    allowed: frozenset[str] | None = None
    restricted: frozenset[str] = frozenset()
    currencies: frozenset[str] = frozenset({"USD", "USDT", "USDC"})
    """The account's currency, and those that count as equal to it."""
    price_max_age: float = 60.0
    """Seconds."""
    max_distance: Decimal = Decimal("1")
    """The distance of the price from the entry, in percent of the entry."""
    max_positions: int | None = 10
    max_per_symbol: int = 1
    max_per_group: int | None = 3
    groups: Sequence[frozenset[str]] = field(default_factory=tuple)
    max_position: Decimal | None = Decimal("10")
    max_stop: Decimal | None = None
    """The distance of the stop from the entry, in percent of the entry."""
    max_daily_loss: Decimal | None = Decimal("3")
    """Percent of the day's first equity."""
    max_drawdown: Decimal | None = Decimal("10")
    """Percent of the peak equity."""
    orders_a_minute: int | None = 10
    losses_in_a_row: int = 3
    cooldown: float = 3600.0
    """Seconds without a trade after `losses_in_a_row` losses."""

    def confidence_for(self, intent: Intent) -> float:
        """Return the lowest confidence that this trade needs, 0 to 100."""
        by_regime = self.min_confidence_by_regime.get(intent.regime, 0.0)
        by_strategy = self.min_confidence_by_strategy.get(intent.strategy, 0.0)
        return max(self.min_confidence, by_regime, by_strategy, 0.0)

    def most_per_position(self, equity: Decimal) -> Decimal:
        """Return the most that all holdings in one symbol may be worth together.

        Only if `max_position` is set.
        """
        assert self.max_position is not None  # noqa: S101  # the caller checks
        return equity * self.max_position / HUNDRED

    def is_cooling_down(self, portfolio: Portfolio, now: datetime) -> bool:
        """Return whether the pause after too many losses in a row is still on."""
        if len(portfolio.losses) < self.losses_in_a_row:
            return False
        return not portfolio.seconds_since_loss(now) >= self.cooldown  # a NaN keeps the pause on
