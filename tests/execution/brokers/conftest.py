"""The brokers that the contract runs on."""

from collections.abc import Iterator

import pytest

from execution.brokers.alpaca.broker import AlpacaBroker
from tests.execution.brokers.alpaca.alpaca_server import Alpaca, running
from tests.execution.brokers.broker_cases import BrokerCase
from tests.execution.brokers.broker_fixtures import AlpacaCase, PaperCase
from tests.signals.market.alpaca_server import KEY, SECRET

CASES = ["alpaca_case", pytest.param("paper_case", marks=pytest.mark.django_db)]
"""The fixtures that the contract runs on."""


@pytest.fixture
def alpaca() -> Iterator[Alpaca]:
    with running() as alpaca:
        yield alpaca


@pytest.fixture
def broker(alpaca: Alpaca) -> AlpacaBroker:
    """Return a broker at the Alpaca of the test, which does not sleep."""
    exchange = alpaca.exchange
    return AlpacaBroker(
        KEY, SECRET, alpaca.url, timeout=5.0, clock=lambda: exchange.now, sleep=lambda seconds: None
    )


@pytest.fixture
def alpaca_case(alpaca: Alpaca, broker: AlpacaBroker) -> AlpacaCase:
    return AlpacaCase(broker, alpaca.exchange)


@pytest.fixture
def paper_case(db: None) -> PaperCase:
    return PaperCase()


@pytest.fixture(params=CASES)
def broker_case(request: pytest.FixtureRequest) -> BrokerCase:
    """Return each broker in turn."""
    found: BrokerCase = request.getfixturevalue(request.param)
    return found
