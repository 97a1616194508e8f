"""A paper trading account whose market and clock are moved by the test."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from execution.accounts.halts import active
from execution.brokers.fill_model import Costs, FillModel
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.paper.ledger import PaperStore
from execution.brokers.protocol import Broker, BrokerError, FillReport, Holding
from execution.context import TradingContext
from execution.decisions.engine import DecisionCounts, execute_due
from execution.decisions.queue import enqueue
from execution.models import Decision, Order, Position
from execution.monitoring.monitor import MonitorCounts, monitor
from execution.prop_firm.rule_set import RuleSet
from execution.risk.model import Limits
from execution.types import Side
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.market.bars import Bars, as_times
from signals.market.hours import ALWAYS_OPEN, TradingHours
from signals.market.protocol import Quote, UnknownSymbol
from signals.models import Signal
from signals.timestamps import utc_text
from signals.tracker import SignalTracker
from tests.samples import a_signal

MORNING = datetime(2025, 1, 15, 15, tzinfo=UTC)
ACCOUNT = "paper"
SYMBOL = "AAPL"
WIDE = Limits(max_positions=None, max_per_symbol=9, orders_a_minute=None)
"""Limits that allow many positions at once."""
DEPOSIT = Decimal(100_000)
FREE = FillModel(Costs(spread=Decimal(0), slippage=Decimal(0)))
ONE_SECOND = timedelta(seconds=1)
TIMED_OUT = BrokerError("no answer within 10 s", permanent=False)
Row = tuple[datetime, float, float, float, float, float]


@dataclass
class Clock:
    """A clock that stands still until the test moves it."""

    now: datetime = MORNING

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Market:
    """A market with these daily bars and quotes; an error instead of a quote is raised."""

    clock: Clock
    quotes: dict[str, Quote | Exception | None] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.quotes)

    def bars(self, symbol: str, upto: datetime, since: datetime | None = None) -> Bars:
        if symbol not in self.quotes:
            raise UnknownSymbol(symbol, self.symbols)
        times, *columns = (
            zip(*self.rows[symbol], strict=True) if self.rows.get(symbol) else [()] * 6
        )
        names = ("open", "high", "low", "close", "volume")
        bars = Bars.checked(symbol, as_times(times), **dict(zip(names, columns, strict=True)))
        return bars.between(since, min(upto, self.clock()))

    def quote(self, symbol: str) -> Quote | None:
        found = self.quotes.get(symbol)
        if isinstance(found, Exception):
            raise found
        return found

    def now(self) -> datetime:
        return self.clock()


class Died(BaseException):
    """Stands for the death of the process: no handler of the code under test catches it."""


@dataclass
class FlakyBroker:
    """A paper broker whose calls fail when the test wants.

    `before` and `after` map the name of a call to the error raised before or after it reaches the
    paper broker, and `instead` to a function called in its place. `calls` are all names called.
    """

    broker: PaperBroker
    before: dict[str, BaseException] = field(default_factory=dict)
    after: dict[str, BaseException] = field(default_factory=dict)
    instead: dict[str, Callable[..., Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        found = getattr(self.broker, name)
        return self._wrapped(name, found) if callable(found) else found

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: object) -> Any:  # noqa: ANN401
            self.calls.append(name)
            if name in self.before:
                raise self.before[name]
            answer = self.instead.get(name, call)(*arguments)
            if name in self.after:
                raise self.after[name]
            return answer

        return wrapped


@dataclass
class Trading:
    """One account that trades on paper without costs, with its market, clock and journal.

    By default a signal buys 100 shares at 100 with the target 110 and the stop 95: a tenth of the
    deposit; the stop would lose 0.5% of the deposit.
    """

    journal: Journal
    clock: Clock
    market: Market
    broker: FlakyBroker
    context: TradingContext

    @classmethod
    def begun(
        cls,
        journal: Journal,
        fill_model: FillModel = FREE,
        deposit: Decimal = DEPOSIT,
        **changes: Any,  # noqa: ANN401
    ) -> "Trading":
        clock = Clock()
        market = Market(clock, {SYMBOL: Quote(100.0, clock())})
        paper = PaperBroker(PaperStore(ACCOUNT, deposit), market, always_open, clock, fill_model)
        context = TradingContext(
            account=ACCOUNT, broker=_as_broker(flaky := FlakyBroker(paper)), market=market,
            hours=always_open, limits=Limits(), journal=journal, clock=clock, day_of=day_of,
            auto_execute=True, starting_balance=deposit,
        )  # fmt: skip
        return cls(journal, clock, market, flaky, replace(context, **changes))

    def changed(self, **changes: Any) -> "Trading":  # noqa: ANN401
        """Return the same account with these changes of its context."""
        return replace(self, context=replace(self.context, **changes))

    def restarted(self) -> "Trading":
        """Return the same account in a new process, which knows only what is stored."""
        paper = self.broker.broker
        flaky = FlakyBroker(replace(paper, store=PaperStore(ACCOUNT, paper.store.deposit)))
        return replace(self, broker=flaky, context=replace(self.context, broker=_as_broker(flaky)))

    def log(self, origin: str = "python", **changes: Any) -> Signal:  # noqa: ANN401
        """Store a signal made now, and queue its decision if its origin is live."""
        levels = {"entry_price": 100.0, "target_price": 110.0, "stop_price": 95.0}
        if changes.get("action") == "SELL":
            levels = {"entry_price": 100.0, "target_price": 90.0, "stop_price": 105.0}
        flusher = Flusher(self.journal, handlers=[enqueue])
        tracker = SignalTracker.with_parts(self.journal, flusher, origin=origin, clock=self.clock)
        made = a_signal(timestamp=utc_text(self.clock()), **(levels | changes))
        if "confidence" not in changes:
            made["confidence"] += 90
        return Signal.objects.get(signal_id=tracker.log_signal(made))

    def decide(self) -> DecisionCounts:
        return execute_due(self.context)

    def look(self) -> MonitorCounts:
        return monitor(self.context)

    def trade(self, price: float = 100.0, **changes: Any) -> Signal:  # noqa: ANN401
        """Store a signal, execute it, and fill its entry at this price."""
        signal = self.log(**changes)
        self.decide()
        self.move(price, signal.symbol)
        return signal

    def wait(self, **time: float) -> None:
        """Let time pass without a new price; the monitor does not look."""
        self.clock.pass_by(**time)
        for symbol, quote in self.market.quotes.items():
            if isinstance(quote, Quote):
                self.market.quotes[symbol] = Quote(quote.price, self.clock())

    def move(self, price: float, symbol: str = SYMBOL) -> MonitorCounts:
        """Let the price be this one second later, and let the monitor look."""
        self.clock.pass_by(seconds=1)
        self.market.quotes[symbol] = Quote(price, self.clock())
        return self.look()

    def day(
        self, open: float, high: float, low: float, close: float, volume: float = 1e6,
        symbol: str = SYMBOL,
    ) -> None:  # fmt: skip
        """Close one more daily bar; the monitor does not look."""
        self.clock.pass_by(days=1)
        row = (self.clock(), open, high, low, close, volume)
        self.market.rows.setdefault(symbol, []).append(row)
        self.market.quotes[symbol] = Quote(close, self.clock())


def _as_broker(broker: FlakyBroker) -> Broker:
    return cast(Broker, broker)


def always_open(symbol: str) -> TradingHours:
    return ALWAYS_OPEN


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def decision_of(signal: Signal) -> Decision:
    return Decision.objects.get(pk=signal.pk)


def codes_of(signal: Signal) -> list[str]:
    """Return the codes of the reasons for which the signal was skipped."""
    return [reason["code"] for reason in decision_of(signal).reasons]


def orders_of(signal: Signal) -> dict[str, Order]:
    """Return the signal's orders by leg; of several closes the last."""
    return {row.leg: row for row in Order.objects.filter(signal=signal).order_by("pk")}


def states_of(signal: Signal) -> dict[str, str]:
    return {leg: str(order.state) for leg, order in orders_of(signal).items()}


def position_of(signal: Signal) -> Position:
    return Position.objects.get(pk=signal.pk)


def as_stored(signal: Signal) -> Signal:
    return Signal.objects.get(pk=signal.pk)


def halt_codes() -> list[str]:
    return [halt.code for halt in active(ACCOUNT)]


def fill_of(
    order: Order,
    quantity: object,
    price: object,
    number: int = 1,
    **changes: Any,  # noqa: ANN401
) -> FillReport:
    """Return a broker's report of one fill of this order."""
    report = FillReport(
        f"fill/{order.client_order_id}/{number}", order.broker_id, order.symbol, Side(order.side),
        Decimal(str(quantity)), Decimal(str(price)), Decimal(0), MORNING + number * ONE_SECOND,
    )  # fmt: skip
    return report._replace(**changes)


def holding(**quantities: int) -> list[Holding]:
    """Return a broker's report of what it holds, by symbol."""
    price = Decimal(100)
    return [Holding(symbol, Decimal(each), price, price) for symbol, each in quantities.items()]


def rule_set(**rules: Any) -> RuleSet:  # noqa: ANN401
    """Return a prop firm's rule set with these rules and no others."""
    return RuleSet(name="firm", source="test", zone="UTC", **rules)


def figures(*values: object) -> tuple[object, ...]:
    """Return the values as they are: decimals may be compared with whole numbers."""
    return values


def quoted(trading: Trading, **prices: float) -> Trading:
    """Quote these symbols now, and return the same account."""
    for symbol, price in prices.items():
        trading.market.quotes[symbol] = Quote(price, trading.clock())
    return trading
