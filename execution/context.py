"""What one account is traded with: its broker, its market, its limits and its clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from execution.brokers.protocol import Broker
from execution.prop_firm.rule_set import RuleSet
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from signals.clock import Clock
from signals.journal import Journal
from signals.market.hours import TradingHours
from signals.market.instruments import Instrument, instrument
from signals.market.protocol import MarketData


@dataclass(frozen=True)
class TradingContext:
    """Everything that decisions, orders and the monitor of one account need.

    `day_of` tells the trading day of a moment. `max_age` is how old a signal may be, `grace` how
    long after a session orders are still made, for the next one; `patience` how long an entry may
    wait to be filled, and `expiry` how long a position may be open. Stop and target are rounded to
    the tick of the `instrument`. Nothing is decided before `stands_at`: of a replay, how far the
    account was traded.
    """

    account: str
    broker: Broker
    market: MarketData
    hours: Callable[[str], TradingHours]
    limits: Limits
    journal: Journal
    clock: Clock
    day_of: Callable[[datetime], date]
    sizing: Sizing = field(default_factory=Sizing)
    rule_set: RuleSet | None = None
    auto_execute: bool = False
    max_age: timedelta = timedelta(minutes=15)
    grace: timedelta = timedelta(hours=1)
    patience: timedelta = timedelta(days=5)  # longer than any holiday
    expiry: timedelta = timedelta(days=30)
    instrument: Callable[[str], Instrument] = instrument
    stands_at: datetime | None = None

    def is_behind(self) -> bool:
        """Whether the account was traded later than it is now."""
        return self.stands_at is not None and self.clock() < self.stands_at
