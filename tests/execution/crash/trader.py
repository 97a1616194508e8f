"""The traders and followers of a process pool, and the points where they kill themselves."""

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
"""Before the call to the broker, while it writes, after its answer, after adopting the answer."""
LEASE = timedelta(seconds=0.3)


@dataclass(frozen=True)
class Swinging:
    """A market whose price swings around 100 by 3.5 percent, with a period of two seconds."""

    symbols: tuple[str, ...] = ()

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        return Bars.checked(symbol, as_times([]), open=[], high=[], low=[], close=[], volume=[])

    def quote(self, symbol: str) -> Quote:
        moment = utc_now() - timedelta(milliseconds=20)  # the broker read its clock a moment ago
        return Quote(round(100 + 3.5 * math.sin(moment.timestamp() * 3.0), 2), moment)

    def now(self) -> datetime:
        return utc_now()


def context() -> TradingContext:
    """Return the context of the settings with another market and very short leases."""
    queue.DECISION_LEASE = router.ORDER_LEASE = router.LOOKUP_DELAY = LEASE
    engine.BATCH_SIZE = 3
    made = factory.build_context(settings.TRADING_ACCOUNT, Swinging(), utc_now, factory._broker)
    broker = made.broker
    if isinstance(broker, PaperBroker):
        broker = replace(broker, hours=always_open)
    return replace(made, hours=always_open, broker=broker)


def trade() -> None:
    _go_on(lambda at: (send_due(at), execute_due(at)), rest=0.005)


def follow() -> None:
    """Rest between two runs, because SQLite has one writer at a time and no queue of writers."""
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
    """Return the places where a trader can die; at Alpaca the second one is never reached."""
    broker = AlpacaBroker if settings.BROKER == "alpaca" else PaperBroker
    return {
        "before-submit": (broker, "submit", before),
        "within-submit": (PaperLedger, "write", after),
        "after-submit": (broker, "submit", after),
        "after-adopt": (router, "adopt", after),
    }
