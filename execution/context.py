"""Everything that one account is traded with: its broker, market, limits and clock."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from execution.brokers.protocol import Broker
from execution.corporate.history import PriceHistory
from execution.prop_firm.rule_set import RuleSet
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from execution.types import REPLAY
from signals.clock import Clock
from signals.instruments import instrument
from signals.journal import Journal
from signals.market.hours import TradingHours
from signals.market.instruments import Instrument
from signals.market.protocol import MarketData


@dataclass(frozen=True)
class TradingContext:
    """The parts and settings that decisions, orders and the monitor of one account use.

    `hours` returns the trading hours of a symbol, `day_of` the trading day of a moment. A signal
    older than `max_age` is not traded. For `grace` after a session orders are still made, for the
    next session. An entry that is not filled within `entry_timeout` is canceled; a position is
    closed after `expiry`. `instrument` returns the instrument for a spelling and, if it is given,
    the sender's asset type; stop and target are rounded to its tick.

    `starting_balance` and `days_done` are what a new account states of its prop firm's stage: the
    balance that it began with, and the trading days that were done before. None: not stated.

    `traded_until` is set in a replay only: the moment up to which the account was traded already.
    Nothing is decided before it.
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
    entry_timeout: timedelta = timedelta(days=5)  # longer than any holiday
    expiry: timedelta = timedelta(days=30)
    instrument: Callable[..., Instrument] = instrument
    starting_balance: Decimal | None = None
    days_done: int = 0
    traded_until: datetime | None = None

    @property
    def log_level(self) -> int:
        """Return the level of the log's lines about what is traded.

        A replay makes thousands of trades in a minute, and reports their results itself.
        """
        return logging.DEBUG if self.account == REPLAY else logging.INFO

    @property
    def history(self) -> PriceHistory:
        """Return what is known of the scale of the market's prices."""
        return PriceHistory(self.account, self.market, self.clock, self.instrument)

    @property
    def is_watched(self) -> bool:
        """Return whether the account is looked at all the time; a replay's has only its bars."""
        return self.account != REPLAY

    def is_behind(self) -> bool:
        """Return whether the account was already traded at a later time than now."""
        return self.traded_until is not None and self.clock() < self.traded_until
