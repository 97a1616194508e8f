"""What one account is traded with: its broker, its market, its limits and its clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from execution.brokers.protocol import Broker
from execution.fields import ZERO
from execution.prop_firm.rule_set import RuleSet
from execution.risk import sizing
from execution.risk.model import Intent, Limits
from signals.clock import Clock
from signals.journal import Journal
from signals.market.hours import TradingHours
from signals.market.instruments import Instrument, instrument
from signals.market.protocol import MarketData

ONE = Decimal(1)


@dataclass(frozen=True)
class Sizing:
    """How much is traded: `percent` of the equity, at risk or spent.

    `is_scaled`: less where the signal is less sure or the instrument wilder than usual; whole only
    at a confidence of 100, and never more.
    """

    by_risk: bool = True
    percent: Decimal = Decimal("0.5")
    is_scaled: bool = False

    def quantity(self, equity: Decimal, intent: Intent, threshold: float, step: Decimal) -> Decimal:
        """In steps; 0 where even one would be too much. Raises `sizing.NoSize`."""
        percent = self.percent * (self._scale(intent, threshold) if self.is_scaled else ONE)
        if percent == ZERO:
            return ZERO
        if self.by_risk:
            return sizing.fixed_risk(equity, intent.at_risk, intent.stop, percent, step)
        return sizing.fixed_fraction(equity, intent.dearest, percent, step)

    def _scale(self, intent: Intent, threshold: float) -> Decimal:
        if intent.volatility is None or intent.usual_volatility is None:
            raise sizing.NoSize(f"there are too few bars of {intent.symbol} for its volatility")
        return sizing.scale(
            Decimal(str(intent.confidence)),
            Decimal(str(threshold)),
            intent.volatility,
            intent.usual_volatility,
        )


@dataclass(frozen=True)
class Desk:
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
    sizing: Sizing = Sizing()
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
