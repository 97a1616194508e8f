"""A paper context whose market and clock the test moves."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django.db import connections

from execution.brokers.fill_model import Costs, FillModel
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.paper.ledger import PaperStore
from execution.brokers.protocol import Broker, FillReport
from execution.context import TradingContext
from execution.decisions.engine import DecisionCounts, execute_due
from execution.decisions.queue import enqueue
from execution.models import Decision, Order, Position
from execution.monitoring.monitor import Look, monitor
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
DEPOSIT = Decimal(100_000)
FREE = FillModel(Costs(spread=Decimal(0), slippage=Decimal(0)))
ONE_DAY, ONE_SECOND = timedelta(days=1), timedelta(seconds=1)
Row = tuple[datetime, float, float, float, float, float]


@dataclass
class Clock:
    """Stands still until it is told to move."""

    now: datetime = MORNING

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Market:
    """Trades at these prices: bars of a day, and quotes, or errors in place of one."""

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
    """The process is dead from here on: nobody can catch that."""


@dataclass
class Wire:
    """A broker at the end of a wire: before or after a call it can fail as the test says.

    `before` and `after` map a call's name to what it raises, `instead` to another answer.
    """

    broker: PaperBroker
    before: dict[str, BaseException] = field(default_factory=dict)
    after: dict[str, BaseException] = field(default_factory=dict)
    instead: dict[str, Callable[..., Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        found = getattr(self.broker, name)
        return self._wired(name, found) if callable(found) else found

    def _wired(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wired(*arguments: object) -> Any:  # noqa: ANN401
            self.calls.append(name)
            if name in self.before:
                raise self.before[name]
            answer = self.instead.get(name, call)(*arguments)
            if name in self.after:
                raise self.after[name]
            return answer

        return wired


@dataclass
class Trading:
    """One account that trades on paper, at no cost, and everything around it.

    A signal buys 100 shares at 100, to be sold at 110 or at 95: a tenth of the deposit, of which
    the stop loses half a percent.
    """

    journal: Journal
    clock: Clock
    market: Market
    broker: Wire
    context: TradingContext

    @classmethod
    def begun(
        cls,
        journal: Journal,
        terms: FillModel = FREE,
        deposit: Decimal = DEPOSIT,
        **changes: Any,  # noqa: ANN401
    ) -> "Trading":
        clock = Clock()
        market = Market(clock, {SYMBOL: Quote(100.0, clock())})
        paper = PaperBroker(PaperStore(ACCOUNT, deposit), market, always_open, clock, terms)
        context = TradingContext(
            account=ACCOUNT, broker=_as_broker(wire := Wire(paper)), market=market,
            hours=always_open, limits=Limits(), journal=journal, clock=clock, day_of=day_of,
            auto_execute=True,
        )  # fmt: skip
        return cls(journal, clock, market, wire, replace(context, **changes))

    def changed(self, **changes: Any) -> "Trading":  # noqa: ANN401
        """The same account at a context with these changes; `terms` are the broker's."""
        return replace(self, context=replace(self.context, **changes))

    def restarted(self) -> "Trading":
        """The same account in a process that knows only what is stored."""
        paper = self.broker.broker
        wire = Wire(replace(paper, shelf=PaperStore(ACCOUNT, paper.shelf.deposit)))
        return replace(self, broker=wire, context=replace(self.context, broker=_as_broker(wire)))

    def log(self, origin: str = "python", **changes: Any) -> Signal:  # noqa: ANN401
        """A signal of now, stored as any other is, with its decision where it gets one."""
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

    def look(self) -> Look:
        return monitor(self.context)

    def trade(self, price: float = 100.0, **changes: Any) -> Signal:  # noqa: ANN401
        """A signal that is executed, and entered at this price."""
        signal = self.log(**changes)
        self.decide()
        self.move(price, signal.symbol)
        return signal

    def wait(self, **time: float) -> None:
        """Time goes by and no price changes; nobody looks."""
        self.clock.pass_by(**time)
        for symbol, quote in self.market.quotes.items():
            if isinstance(quote, Quote):
                self.market.quotes[symbol] = Quote(quote.price, self.clock())

    def move(self, price: float, symbol: str = SYMBOL) -> Look:
        """A second later the price is this, and the monitor looks."""
        self.clock.pass_by(seconds=1)
        self.market.quotes[symbol] = Quote(price, self.clock())
        return self.look()

    def day(
        self, open: float, high: float, low: float, close: float, volume: float = 1e6,
        symbol: str = SYMBOL,
    ) -> None:  # fmt: skip
        """A bar of the coming day has closed; nobody has looked yet."""
        self.clock.pass_by(days=1)
        row = (self.clock(), open, high, low, close, volume)
        self.market.rows.setdefault(symbol, []).append(row)
        self.market.quotes[symbol] = Quote(close, self.clock())


def _as_broker(wire: Wire) -> Broker:
    return cast(Broker, wire)


def always_open(symbol: str) -> TradingHours:
    return ALWAYS_OPEN


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def decision_of(signal: Signal) -> Decision:
    return Decision.objects.get(pk=signal.pk)


def codes_of(signal: Signal) -> list[str]:
    """Why it was skipped."""
    return [reason["code"] for reason in decision_of(signal).reasons]


def orders_of(signal: Signal) -> dict[str, Order]:
    """By their leg; of several closes the last."""
    return {row.leg: row for row in Order.objects.filter(signal=signal).order_by("pk")}


def states_of(signal: Signal) -> dict[str, str]:
    return {leg: str(order.state) for leg, order in orders_of(signal).items()}


def position_of(signal: Signal) -> Position:
    return Position.objects.get(pk=signal.pk)


def as_stored(signal: Signal) -> Signal:
    return Signal.objects.get(pk=signal.pk)


def fill_of(
    order: Order,
    quantity: object,
    price: object,
    number: int = 1,
    **changes: Any,  # noqa: ANN401
) -> FillReport:
    """What a broker would tell of this order."""
    told = FillReport(
        f"told/{order.client_order_id}/{number}", order.broker_id, order.symbol, Side(order.side),
        Decimal(str(quantity)), Decimal(str(price)), Decimal(0), MORNING + number * ONE_SECOND,
    )  # fmt: skip
    return told._replace(**changes)


@contextmanager
def on_database(name: str) -> Iterator[None]:
    """Let this thread take the database of that name for the default one: execution names none."""
    own = connections["default"]
    connections["default"] = connections[name]
    try:
        yield
    finally:
        connections["default"] = own


def in_threads(name: str, acts: Sequence[Callable[[], object]]) -> list[Any]:
    """Run each on a thread of its own, all beginning at once; what they answer, in order."""
    start = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(number: int) -> None:
        with on_database(name):
            try:
                start.wait(30)
                answers[number] = acts[number]()
            except Exception as error:  # an answer too  # noqa: BLE001  # an answer too
                answers[number] = error
            finally:
                connections["default"].close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return answers
