"""The brokers, each in its house."""

from collections.abc import Iterator

import pytest

from execution.brokers.alpaca.broker import AlpacaBroker
from tests.execution.brokers.alpaca.alpaca_server import Alpaca, running
from tests.execution.brokers.broker_cases import House
from tests.execution.brokers.broker_fixtures import AlpacaHouse, PaperHouse
from tests.signals.market.alpaca_server import KEY, SECRET

HOUSES = ["alpaca_house", pytest.param("paper_house", marks=pytest.mark.django_db)]
"""The fixtures that the contract runs on."""


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


@pytest.fixture
def alpaca_house(alpaca: Alpaca, broker: AlpacaBroker) -> AlpacaHouse:
    return AlpacaHouse(broker, alpaca.exchange)


@pytest.fixture
def paper_house(db: None) -> PaperHouse:
    return PaperHouse()


@pytest.fixture(params=HOUSES)
def house(request: pytest.FixtureRequest) -> House:
    """Each broker in turn."""
    found: House = request.getfixturevalue(request.param)
    return found
