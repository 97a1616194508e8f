"""A paper context, on either database."""

from collections.abc import Iterator

import pytest

from execution.decisions import queue
from signals.journal import Journal
from tests.execution.trading_fixtures import Trading, on_database


@pytest.fixture(
    params=["default", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
)
def database(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    """Runs a test on SQLite and again on PostgreSQL; mark it with `DATABASES`."""
    name: str = request.param
    with on_database(name):
        yield name


@pytest.fixture
def trading(db: None, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Trading:
    """An account that trades on paper; its clock is that of the queue, too."""
    made = Trading.begun(journal)
    monkeypatch.setattr(queue, "utc_now", made.clock)
    monkeypatch.setattr(queue, "wake_execute", lambda: None)
    return made
