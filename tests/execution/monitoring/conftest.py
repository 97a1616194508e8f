"""Fixtures of the tests of monitoring: an account at Alpaca on loopback."""

from collections.abc import Iterator

import pytest

from execution.decisions import queue
from signals.journal import Journal
from tests.execution.brokers.alpaca.alpaca_server import running
from tests.execution.monitoring.alpaca_account import AlpacaAccount


@pytest.fixture
def account(db: None, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Iterator[AlpacaAccount]:
    """Return an account at Alpaca; the queue of decisions uses its clock, too."""
    with running() as alpaca:
        made = AlpacaAccount.begun(journal, alpaca)
        monkeypatch.setattr(queue, "utc_now", made.trading.clock)
        monkeypatch.setattr(queue, "wake_execute", lambda: None)
        yield made
