"""After any sequence of changes the sums, and every answer from them, equal those of a scan."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.ledger.hashing import Hashed, sha256_of
from signals.ledger.outcomes import record_outcome
from signals.ledger.sums import update
from signals.ledger.sums.check import differences
from signals.ledger.sums.update import restart_sums, update_sums
from signals.models import Signal
from signals.tracker import SignalTracker
from signals.transfer.importing import encode_imported
from tests.databases import both_databases
from tests.signals.ledger.flush.helpers import NOW, execute
from tests.signals.ledger.sums.expected import QUERIES, assert_equals_a_scan

pytestmark = both_databases
Fields = dict[str, Any]

TABLES = (
    "journal_cursors",
    "signals",
    "signal_contexts",
    "outcome_changes",
    "dead_letters",
    "signal_sums",
    "signal_sum_cursors",
)
"""In the order in which they can be filled."""
FIELDS = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["AAPL", "MSFT", "BTC-USD"]),
        "strategy": st.sampled_from(["trend", "mine"]),
        "action": st.sampled_from(["BUY", "SELL"]),
        "confidence": st.sampled_from([0.0, 61.5, 75.0, 79.99, 80.0, 95.0, 100.0]),
        "timestamp": st.sampled_from(
            [
                "2025-01-15T10:30:00Z",
                "2025-01-15T23:59:59.500000Z",
                "2025-01-16T00:00:00Z",
                "2025-02-28T17:00:00Z",
                "2025-03-01T00:00:00Z",
                "2025-03-10T09:30:00Z",
            ]
        ),
    }
)
ENDS = st.sampled_from(
    [
        {"outcome": "win", "profit_loss_pct": 1.234565},
        {"outcome": "loss", "profit_loss_pct": -3.1},
        {"outcome": "expired"},
        {"outcome": "stopped out", "profit_loss_pct": 1e300},
        {},
    ]
)
CHANGES = st.sampled_from([("win", 1.1), ("loss", 0.9), ("expired", None), (None, None)])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("log"), FIELDS),
        st.tuples(st.just("log"), FIELDS),
        st.tuples(st.just("import"), FIELDS, ENDS),
        st.tuples(st.just("insert"), FIELDS),
        st.tuples(st.just("import_inserted")),
        st.tuples(st.just("outcome"), st.integers(0, 50), CHANGES),
        st.tuples(st.just("outcome"), st.integers(0, 50), CHANGES),
        st.tuples(st.just("sum"), st.sampled_from([1, 2, 1000])),
        st.tuples(st.just("sum"), st.just(1000)),
        st.tuples(st.just("restart")),
        st.tuples(st.just("rebuild")),
        st.tuples(st.just("backup")),
        st.tuples(st.just("restore")),
    ),
    min_size=4,
    max_size=16,
)


class Ledger:
    """A ledger, and the steps that change it."""

    def __init__(self, journal: Journal, using: str, patch: pytest.MonkeyPatch) -> None:
        self.journal, self.using, self.patch = journal, using, patch
        self.made = 0
        self.has_backup = False
        self.inserted: list[Fields] = []

    def log(self, fields: Fields) -> None:
        self._tracker("test").log_signal(self._priced(fields))

    def import_(self, fields: Fields, end: Fields) -> None:
        self._import(self._with_hash(fields) | end)

    def insert(self, fields: Fields) -> None:
        """Insert a row as an older system does: without context."""
        row = self._with_hash(fields)
        columns = ", ".join(row)
        values = ", ".join(
            f"'{value}'" if isinstance(value, str) else str(value) for value in row.values()
        )
        execute(self.using, f"INSERT INTO signals ({columns}) VALUES ({values})")
        self.inserted.append(row)

    def import_inserted(self) -> None:
        for row in self.inserted:
            self._import(row)
        self.inserted.clear()

    def outcome(self, number: int, change: tuple[str | None, float | None]) -> None:
        rows = list(Signal.objects.using(self.using).order_by("id"))
        if rows:
            row, (outcome, factor) = rows[number % len(rows)], change
            up = factor if row.action == "BUY" or factor is None else 2 - factor
            record_outcome(
                row.signal_id, outcome=outcome, exit_price=up and row.entry_price * up, who="me",
                why="so", now=NOW, journal=self.journal, using=self.using,
            )  # fmt: skip

    def sum(self, size: int) -> None:
        self.patch.setattr(update, "BATCH_SIZE", size)
        update_sums(using=self.using)

    def restart(self) -> None:
        restart_sums(using=self.using)

    def rebuild(self) -> None:
        """Empty the database and fill it from the journal; what has no line is gone."""
        self._empty(TABLES)
        self.inserted.clear()
        self._flusher.flush()

    def backup(self) -> None:
        self.forget_backup()
        for table in TABLES:
            execute(self.using, f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
        self.kept = list(self.inserted)
        self.has_backup = True

    def restore(self) -> None:
        """Put the backup back; the journal brings what came after it."""
        if self.has_backup:
            self._empty(TABLES)
            for table in TABLES:
                execute(self.using, f"INSERT INTO {table} SELECT * FROM kept_{table}")
            self.inserted = list(self.kept)
            self._flusher.flush()

    def forget_backup(self) -> None:
        if self.has_backup:
            for table in TABLES:
                execute(self.using, f"DROP TABLE kept_{table}")
        self.has_backup = False

    def clear(self) -> None:
        self.forget_backup()
        self._empty(TABLES)

    @property
    def _flusher(self) -> Flusher:
        return Flusher(self.journal, using=self.using)

    def _tracker(self, origin: str, **more: Any) -> SignalTracker:  # noqa: ANN401
        return SignalTracker.with_parts(self.journal, self._flusher, origin=origin, **more)

    def _import(self, row: Fields) -> None:
        self._tracker("import", encode=encode_imported).log_signal(row)

    def _empty(self, tables: tuple[str, ...]) -> None:
        for table in reversed(tables):
            execute(self.using, f"DELETE FROM {table}")

    def _priced(self, fields: Fields) -> Fields:
        self.made += 1
        prices = (110.0, 90.0) if fields["action"] == "BUY" else (90.0, 110.0)
        levels = {"entry_price": 100.0, "target_price": prices[0], "stop_price": prices[1]}
        return {**fields, **levels, "signal_id": f"s{self.made}"}

    def _with_hash(self, fields: Fields) -> Fields:
        row = self._priced(fields)
        hashed = Hashed(*(row[name] for name in Hashed._fields))
        return {**row, "asset_type": "stock", "sha256": sha256_of(hashed, row["signal_id"])}


def test_the_sums_equal_a_scan_after_any_sequence(
    journal: Journal, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @settings(max_examples=12, database=None)
    @given(STEPS)
    def run(steps: list[tuple[Any, ...]]) -> None:
        ledger = Ledger(journal, using, monkeypatch)
        ledger.journal = Journal(journal.path.parent / uuid4().hex / "signals.log")
        try:
            for name, *arguments in steps:
                step: Callable[..., None] = getattr(ledger, "import_" if name == "import" else name)
                step(*arguments)
            for asked in QUERIES:
                assert_equals_a_scan(asked, using)
            ledger.sum(1000)
            assert differences(using=using) == []
            for asked in QUERIES[:3]:
                assert_equals_a_scan(asked, using)
        finally:
            ledger.clear()
            ledger.journal.close()

    run()
