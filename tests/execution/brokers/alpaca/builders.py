"""Helpers that the tests of Alpaca share."""

from collections.abc import Callable

import pytest

from execution.brokers.alpaca.broker import AlpacaBroker
from execution.brokers.protocol import Bracket, Broker, BrokerError
from tests.execution.brokers.alpaca.alpaca_exchange import MORNING
from tests.execution.brokers.alpaca.alpaca_server import Alpaca
from tests.execution.brokers.broker_cases import SYMBOL, buying
from tests.signals.market.alpaca_server import KEY, SECRET

CALLS: dict[str, Callable[[Broker], object]] = {
    "account": lambda broker: broker.account(),
    "positions": lambda broker: broker.positions(),
    "submit": lambda broker: broker.submit(buying("other")),
    "cancel": lambda broker: broker.cancel("9b6c7c1a-9eb2-4d4a-8a3a-1bf4c1d5cbaa"),
    "find": lambda broker: broker.find("entry-1"),
    "open_orders": lambda broker: broker.open_orders(),
    "fills": lambda broker: broker.fills(MORNING),
}
"""Each call of a broker, with arguments that make it send a request."""


def opened(alpaca: Alpaca, broker: AlpacaBroker, bracket: Bracket | None = None) -> None:
    """Submit a bracket, fill its entry at 100, and forget the requests for it."""
    broker.submit(bracket or buying())
    alpaca.exchange.move(SYMBOL, "100")
    alpaca.requests.clear()


def failing(call: Callable[[Broker], object], broker: Broker) -> BrokerError:
    """Return the error that the call raises; it must quote no key."""
    with pytest.raises(BrokerError) as caught:
        call(broker)
    error = caught.value
    assert KEY not in str(error)
    assert SECRET not in str(error)
    return error
