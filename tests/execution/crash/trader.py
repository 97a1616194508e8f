"""What a nursery's traders and followers do, and where they kill themselves."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from execution import factory
from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.paper.ledger import PaperLedger
from execution.brokers.protocol import BrokerError
from execution.context import TradingContext
from execution.decisions import engine, queue
from execution.decisions.engine import execute_due
from execution.monitoring.monitor import monitor
from execution.monitoring.reconcile import reconcile
from execution.orders import router
from execution.orders.router import send_due
from signals.clock import utc_now
from signals.market.bars import Bars, as_times
from signals.market.protocol import Quote
from tests.execution.trading_fixtures import always_open

SUBMISSION = ("before-submit", "within-submit", "after-submit", "after-adopt")
"""Before the broker is called, while it writes, once it has answered, once its word is taken."""
LEASE = timedelta(seconds=0.3)


@dataclass(frozen=True)
class Swinging:
    """A market at 100, three and a half percent up and down every other second, at any time."""

    symbols: tuple[str, ...] = ()

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        return Bars.checked(symbol, as_times([]), open=[], high=[], low=[], close=[], volume=[])

    def quote(self, symbol: str) -> Quote:
        moment = utc_now() - timedelta(milliseconds=20)  # the broker has looked at its clock
        return Quote(round(100 + 3.5 * math.sin(moment.timestamp() * 3.0), 2), moment)

    def now(self) -> datetime:
        return utc_now()


def context() -> TradingContext:
    """That of the settings, but for its market; whoever died is missed after a moment."""
    queue.LEASE = router.LEASE = router.LOOK_AFTER = LEASE
    engine.BATCH_SIZE = 3
    made = factory.build_context(settings.TRADING_ACCOUNT, Swinging(), utc_now, factory._broker)
    broker = made.broker
    if isinstance(broker, PaperBroker):
        broker = replace(broker, hours=always_open)
    return replace(made, hours=always_open, broker=broker)


def trade() -> None:
    _go_on(lambda at: (send_due(at), execute_due(at)), rest=0.005)


def follow() -> None:
    """Rests between two looks: SQLite has one writer at a time, and lets none queue."""
    _go_on(lambda at: (monitor(at), reconcile(at)), rest=0.1)


def _go_on(act: Callable[[TradingContext], object], rest: float) -> None:
    at = context()
    while True:
        try:
            act(at)
        except BrokerError:
            time.sleep(0.05)
        time.sleep(rest)


def places(
    before: Callable[..., object], after: Callable[..., object]
) -> dict[str, tuple[Any, str, Callable[..., object]]]:
    """Where a trader dies; at Alpaca there is nothing within to die in."""
    broker = AlpacaBroker if settings.BROKER == "alpaca" else PaperBroker
    return {
        "before-submit": (broker, "submit", before),
        "within-submit": (PaperLedger, "write", after),
        "after-submit": (broker, "submit", after),
        "after-adopt": (router, "adopt", after),
    }
