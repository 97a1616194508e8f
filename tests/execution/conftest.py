"""Fixtures for a paper trading account, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from execution.decisions import queue
from signals.journal import Journal
from tests.execution.threads import on_database
from tests.execution.trading_fixtures import Trading


@pytest.fixture(
    params=["default", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
)
def database(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    """Run a test on SQLite and again on PostgreSQL; the test must be marked with `DATABASES`."""
    name: str = request.param
    with on_database(name):
        yield name


@pytest.fixture
def trading(db: None, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Trading:
    """Return an account that trades on paper; the queue of decisions uses its clock, too."""
    made = Trading.begun(journal)
    monkeypatch.setattr(queue, "utc_now", made.clock)
    monkeypatch.setattr(queue, "wake_execute", lambda: None)
    return made
