"""A trading account at Alpaca on loopback, whose market and clock are moved by the test."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.alpaca.fees import SaleFees
from execution.brokers.paper.broker import PaperBroker
from execution.brokers.protocol import Broker
from signals.journal import Journal
from signals.market.protocol import Quote
from signals.models import Signal
from tests.execution.brokers.alpaca.alpaca_exchange import Exchange, Row
from tests.execution.brokers.alpaca.alpaca_server import Alpaca
from tests.execution.brokers.broker_fixtures import AlpacaOutside
from tests.execution.trading_fixtures import MORNING, SYMBOL, Clock, FlakyBroker, Trading, orders_of
from tests.signals.market.alpaca_server import KEY, SECRET


class ExchangeClock(Clock):
    """The exchange's clock: each order and fill moves it on."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def __call__(self) -> datetime:
        return self.exchange.now

    def pass_by(self, **time: float) -> None:
        self.exchange.now += timedelta(**time)


@dataclass
class AlpacaAccount:
    """Argo trading 100 shares of AAPL for each signal, with a stop at 95 and a target at 110."""

    trading: Trading
    alpaca: Alpaca

    @classmethod
    def begun(cls, journal: Journal, alpaca: Alpaca, **changes: Any) -> "AlpacaAccount":  # noqa: ANN401
        exchange = alpaca.exchange
        exchange.now, exchange.prices[SYMBOL] = MORNING, Decimal(100)
        broker = AlpacaBroker(
            KEY, SECRET, alpaca.url, timeout=5.0, clock=lambda: exchange.now,
            sleep=lambda seconds: None, fees=SaleFees(),
        )  # fmt: skip
        flaky = FlakyBroker(cast(PaperBroker, broker))
        made = Trading.begun(journal)
        clock = ExchangeClock(exchange)
        made.market.clock = clock
        context = replace(made.context, broker=cast(Broker, flaky), clock=clock, **changes)
        return cls(replace(made, clock=clock, broker=flaky, context=context), alpaca)

    @property
    def exchange(self) -> Exchange:
        return self.alpaca.exchange

    @property
    def outside(self) -> AlpacaOutside:
        return AlpacaOutside(self.exchange)

    def wait(self, **time: float) -> None:
        self.exchange.now += timedelta(**time)

    def move(self, price: str) -> None:
        """Let the price be this, and let the monitor look."""
        self.wait(seconds=1)
        self.exchange.move(SYMBOL, price)
        self.quote(float(price))
        self.trading.look()

    def quote(self, price: float) -> None:
        self.trading.market.quotes[SYMBOL] = Quote(price, self.exchange.now)

    def trade(self, **changes: Any) -> Signal:  # noqa: ANN401
        """Store a signal, execute it, and fill its entry at 100."""
        self.quote(100.0)
        signal = self.trading.log(**changes)
        self.trading.decide()
        self.move("100")
        return signal

    def at_exchange(self, signal: Signal, leg: str) -> Row:
        """Return the exchange's row of the signal's latest order of this leg."""
        return self.exchange.order(orders_of(signal)[leg].broker_id)

    def live_stops(self) -> list[Row]:
        """Return the stops that would sell if their price came."""
        done = ("filled", "canceled", "expired", "replaced", "rejected")
        return [
            row
            for row in self.exchange.orders
            if row["type"] == "stop" and row["status"] not in done
        ]
