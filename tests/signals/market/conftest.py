"""An Alpaca on loopback, and a market that uses it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from signals.market.alpaca import AlpacaMarket
from tests.signals.market.alpaca_server import KEY, SECRET, Alpaca, running

LONG_AFTER = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def alpaca() -> Iterator[Alpaca]:
    with running() as alpaca:
        yield alpaca


@pytest.fixture
def market(alpaca: Alpaca, monkeypatch: pytest.MonkeyPatch) -> AlpacaMarket:
    monkeypatch.setattr("signals.market.alpaca.RETRY_WAIT", 0)
    return AlpacaMarket(KEY, SECRET, alpaca.url, clock=lambda: LONG_AFTER)
