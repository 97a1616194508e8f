"""Both databases, and a ledger to log signals in at any time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from signals.config import journal
from signals.ledger.flush import Flusher
from signals.ledger.outcomes import record_outcome
from signals.timestamps import parse_utc
from signals.tracker import SignalTracker
from signals.transfer.importing import encode_imported
from tests.execution.threads import on_database
from tests.legacy import legacy_row
from tests.samples import a_signal


@pytest.fixture(
    params=["default", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))]
)
def database(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    """Run a test on SQLite and again on PostgreSQL; the test must be marked with `DATABASES`."""
    with on_database(request.param):
        yield request.param


@dataclass
class Ledger:
    """A ledger whose clock stands where the test puts it."""

    now: datetime = field(default=datetime(2025, 1, 15, 12, tzinfo=UTC))

    def at(self, text: str) -> "Ledger":
        self.now = parse_utc(text)
        return self

    def log(self, signal_id: str, origin: str = "python", **changes: Any) -> None:  # noqa: ANN401
        self._tracker(origin).log_signal(a_signal(signal_id=signal_id, **changes))

    def bring_in(self, signal_id: str, **changes: Any) -> None:  # noqa: ANN401
        """Import a row of the older system as it is."""
        row = legacy_row(1, signal_id=signal_id, **changes)
        self._tracker("import", encode=encode_imported).log_signal(row)

    def end(self, signal_id: str, outcome: str | None, exit_price: float | None = None) -> None:
        record_outcome(
            signal_id, outcome=outcome, exit_price=exit_price, who="ann", why="seen",
            now=self.now, journal=journal(),
        )  # fmt: skip

    def _tracker(self, origin: str, **how: Any) -> SignalTracker:  # noqa: ANN401
        return SignalTracker.with_parts(
            journal(), Flusher(journal()), origin=origin, clock=lambda: self.now, **how
        )


@pytest.fixture
def ledger(database: str) -> Ledger:
    return Ledger()


def store_by_script(signal_id: str, *, entry_price: str, target_price: str) -> None:
    """Insert a row into the table alone, as a script does; the prices are SQL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO signals (signal_id, symbol, action, entry_price, target_price, "
            "stop_price, confidence, strategy, asset_type, data_source, timestamp, sha256) VALUES "
            f"(%s, 'X', 'BUY', {entry_price}, {target_price}, 1, 2, 's', 't', NULL, 'now', 'none')",
            [signal_id],
        )
