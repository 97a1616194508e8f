"""The brokers' houses: each a broker, and a market that a test moves."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from execution.brokers.alpaca import AlpacaBroker
from tests.execution.brokers.alpaca_server import Alpaca, running
from tests.execution.brokers.contract import HOUSES, House
from tests.signals.market.alpaca_server import KEY, SECRET


@pytest.fixture
def alpaca() -> Iterator[Alpaca]:
    with running() as alpaca:
        yield alpaca


@pytest.fixture
def broker(alpaca: Alpaca) -> AlpacaBroker:
    """Patient, but not in a test."""
    exchange = alpaca.exchange
    return AlpacaBroker(
        KEY, SECRET, alpaca.url, timeout=5.0, clock=lambda: exchange.now, sleep=lambda seconds: None
    )


@dataclass
class AlpacaHouse:
    """Alpaca on loopback. It takes no brackets of crypto: only capitals are left to misspell."""

    broker: AlpacaBroker
    alpaca: Alpaca
    spelt: str = "msft"

    def move(self, symbol: str, price: str) -> None:
        self.alpaca.exchange.move(symbol, price)


@pytest.fixture
def alpaca_house(alpaca: Alpaca, broker: AlpacaBroker) -> AlpacaHouse:
    return AlpacaHouse(broker, alpaca)


@pytest.fixture(params=HOUSES)
def house(request: pytest.FixtureRequest) -> House:
    """Each broker in turn, its market at 100."""
    found: House = request.getfixturevalue(request.param)
    return found
