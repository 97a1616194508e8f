"""Decisions on an account with many open positions: the number of positions must hardly count."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count

from execution.brokers.fill_model import FillModel
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.paper.ledger import PaperStore
from execution.context import TradingContext
from execution.decisions.engine import execute_due
from execution.decisions.queue import enqueue
from execution.factory import build_context
from execution.models import Order, Position
from execution.monitoring.monitor import cancel, monitor
from execution.risk.model import Limits
from execution.risk.sizing import Sizing
from execution.types import AT_BROKER, Leg
from signals import config
from signals.clock import Clock, utc_now
from signals.ledger.flush import Flusher
from signals.market.bars import Bars, as_times
from signals.market.hours import ALWAYS_OPEN, TradingHours
from signals.market.protocol import MarketData, Quote
from signals.timestamps import utc_text
from signals.tracker import SignalTracker
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.rounds import medians, seconds
from tests.benchmarks.workspace import Workspace

FEW, MANY = 10, 100
WIDE = Limits(
    max_positions=None, max_per_symbol=10**6, max_position=Decimal(100), orders_a_minute=None
)
AGE = timedelta(milliseconds=50)
numbers = count()


@dataclass(frozen=True)
class Still:
    """A market in which every symbol costs 100 at any time."""

    symbols: tuple[str, ...] = ()

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        return Bars.checked(symbol, as_times([]), open=[], high=[], low=[], close=[], volume=[])

    def quote(self, symbol: str) -> Quote:
        return Quote(100.0, utc_now() - AGE)  # the broker read its clock a moment ago

    def now(self) -> datetime:
        return utc_now()


def run(workspace: Workspace) -> Iterator[Figure]:
    """Measure decisions that end as skipped and as executed, beside few and many positions."""
    few, many = _account(FEW), _account(MANY)
    for what, confidence, target, number in (
        ("skipped", 50.0, 500, workspace.size(1_000, 100)),
        ("executed", 90.0, 50, workspace.size(100, 20)),
    ):
        sides = {
            f"{what}, {size} open": partial(_rate, context, confidence, number)
            for size, context in ((FEW, few), (MANY, many))
        }
        rates = list(medians(workspace.size(5, 3), sides).values())
        text = f"decisions that end as {what}, with {MANY} open positions"
        yield at_least(text, rates[1], target, "/s")
        yield at_most(f"- slower than with {FEW}, times", rates[0] / rates[1], 1.2, "")


def _account(positions: int) -> TradingContext:
    """Return an account of its own with this number of open positions."""
    made = build_context(f"open-{positions}", Still(), utc_now, _broker)
    context = replace(
        made, auto_execute=True, hours=_always_open, limits=WIDE,
        sizing=Sizing(percent=Decimal("0.001")),
    )  # fmt: skip
    _log(positions, 90.0)
    execute_due(context)
    time.sleep(2 * AGE.total_seconds())
    monitor(context)
    held = len(Position.objects.open_on(context.account))
    if held != positions:
        raise RuntimeError(f"{held} positions are open, not {positions}")
    return context


def _broker(account: str, prices: MarketData, clock: Clock) -> PaperBroker:
    store = PaperStore(account, Decimal(10**9))
    return PaperBroker(store, prices, _always_open, clock, FillModel())


def _always_open(symbol: str) -> TradingHours:
    return ALWAYS_OPEN


def _rate(context: TradingContext, confidence: float, number: int, _: int) -> float:
    """Return the decisions a second; the orders are canceled after that, unmeasured."""
    _log(number, confidence)
    rate = number / seconds(partial(execute_due, context))
    for order in Order.objects.may_fill(context.account):
        if order.leg == Leg.ENTRY and order.state in AT_BROKER:
            cancel(context, order, "the round is over")
    return rate


def _log(number: int, confidence: float) -> None:
    """Store signals of as many symbols, and queue their decisions."""
    flusher = Flusher(config.journal(), handlers=[enqueue])
    tracker = SignalTracker.with_parts(config.journal(), flusher, origin="python", clock=utc_now)
    now = utc_text(utc_now())
    tracker.log_signals([_signal(each, confidence, now) for each in range(number)])


def _signal(number: int, confidence: float, now: str) -> dict[str, object]:
    return {
        "symbol": f"S{number}", "action": "BUY", "entry_price": 100.0, "target_price": 110.0,
        "stop_price": 95.0, "confidence": confidence, "strategy": f"benchmark-{next(numbers)}",
        "asset_type": "stock", "timestamp": now,
    }  # fmt: skip
