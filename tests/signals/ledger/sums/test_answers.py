"""An answer counts exactly what is selected, or says what it counted."""

from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from signals.ledger.sums import from_scan, from_sums
from signals.ledger.sums.answer import Stats, stats, totals
from signals.ledger.sums.figures import Figures
from signals.ledger.sums.query import StatsQuery
from signals.ledger.sums.update import update_sums
from signals.tracker import SignalTracker
from tests.databases import DATABASES
from tests.samples import a_signal, signals
from tests.signals.ledger.flush.helpers import execute
from tests.signals.ledger.sums.expected import assert_equals_a_scan

pytestmark = pytest.mark.django_db(databases=DATABASES)
DAYS = [f"2025-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in (1, 15, 28)]

RANGES = [
    ("2025-01-15T00:00:00Z", None),
    (None, "2025-03-15T23:59:59Z"),
    ("2025-01-01T00:00:00Z", "2025-03-31T23:59:59Z"),
    ("2025-01-02T00:00:00Z", "2025-03-27T23:59:59Z"),
    ("2025-01-15T10:30:00Z", "2025-03-28T10:30:00Z"),
    ("2025-01-15T10:30:01Z", "2025-03-28T10:29:59Z"),
    ("2025-01-15T10:30:00Z", "2025-01-15T10:30:00Z"),
    ("2025-01-15T00:00:00Z", "2025-01-15T23:59:59Z"),
    ("2025-03-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ("9999-12-31T23:59:59Z", None),
    ("9999-12-15T00:00:00Z", None),
]


@pytest.fixture
def summed(tracker: SignalTracker, using: str) -> None:
    """Nine days with one signal of AAPL each, two of MSFT on the last one; all are summed."""
    tracker.log_signals([a_signal(timestamp=f"{day}T10:30:00Z") for day in DAYS])
    tracker.log_signals(signals(2, symbol="MSFT", timestamp=f"{DAYS[-1]}T11:00:00Z"))
    update_sums(using=using)


def _asked(using: str, **asked: Any) -> Stats:  # noqa: ANN401
    return stats(StatsQuery.model_validate(asked), using=using)


def _reads_signals(using: str, **asked: Any) -> bool:  # noqa: ANN401
    """Return True if the answer counts signals that are summed."""
    with CaptureQueriesContext(connections[using]) as queries:
        _asked(using, **asked)
    return any("FROM signals s WHERE TRUE" in query["sql"] for query in queries)


def test_no_signals_are_an_answer(using: str) -> None:
    found = totals(using=using)
    assert (found.total, found.exact) == (Figures(), True)
    assert (found.total.win_rate, found.total.average_profit_loss_pct) == (None, None)
    assert _asked(using, by="symbol").items == ()


@pytest.mark.usefixtures("summed")
def test_every_range_counts_what_a_scan_counts(using: str) -> None:
    for since, until in RANGES:
        asked = {name: text for name, text in (("since", since), ("until", until)) if text}
        for by in ("", "symbol", "day", "day,symbol"):
            assert_equals_a_scan({**asked, "by": by}, using)


@pytest.mark.usefixtures("summed")
def test_the_largest_groups_come_first_and_all_are_counted(using: str) -> None:
    execute(using, "UPDATE signal_sums SET n = 20 WHERE value = 'MSFT' AND grain = 'all'")
    found = _asked(using, by="symbol", limit=1)
    assert [group["symbol"] for group, _ in found.items] == ["MSFT"]
    assert (found.groups, found.total.n) == (2, 29)


@pytest.mark.usefixtures("summed")
def test_the_newest_days_come_first(using: str) -> None:
    found = _asked(using, by="day", limit=2)
    assert [group["day"] for group, _ in found.items] == [DAYS[-1], DAYS[-2]]
    assert (found.groups, found.total.n) == (9, 11)


@pytest.mark.usefixtures("summed")
def test_what_the_sums_have_is_not_counted_from_the_signals(using: str) -> None:
    assert not _reads_signals(using, by="symbol")
    assert not _reads_signals(using, by="symbol,strategy", since="2025-01-15T10:30:00Z")
    assert not _reads_signals(using, by="confidence,outcome", symbol=None, min_confidence=75)
    assert _reads_signals(using, by="action", symbol="AAPL")


@pytest.mark.usefixtures("summed")
def test_a_scan_that_reads_everything_is_exact(using: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_scan, "SCAN_LIMIT", 11)
    found = _asked(using, by="action", origin="python")
    assert (found.exact, found.total.n) == (True, 11)


@pytest.mark.usefixtures("summed")
def test_a_longer_scan_says_from_when_on_it_counted(
    using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_scan, "SCAN_LIMIT", 4)
    found = _asked(using, by="action", origin="python")
    assert (found.exact, found.counted.since) == (False, f"{DAYS[-2]}T10:30:00Z")
    assert found.total.n == 4


@pytest.mark.usefixtures("summed")
def test_too_many_sums_are_not_read(using: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million signals of a million symbols: the newest of them are counted."""
    monkeypatch.setattr(from_sums, "SUMS_LIMIT", 1)
    monkeypatch.setattr(from_scan, "SCAN_LIMIT", 3)
    found = _asked(using, by="symbol")
    assert (found.exact, found.total.n) == (False, 3)
    assert _asked(using).exact


@pytest.mark.usefixtures("summed")
def test_too_long_parts_of_days_are_scanned(using: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_sums, "TAIL_LIMIT", 1)
    assert _reads_signals(using, until="2025-03-28T12:00:00Z")
    assert not _reads_signals(using, until="2025-03-28T23:59:59Z")


@pytest.mark.usefixtures("summed")
def test_what_is_stored_much_later_than_the_sums_is_named(
    tracker: SignalTracker, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_sums, "TAIL_LIMIT", 2)
    tracker.log_signals(signals(5))
    found = totals(using=using)
    assert (found.exact, found.counted.pending, found.total.n) == (False, 3, 13)
    update_sums(using=using)
    assert (totals(using=using).exact, totals(using=using).total.n) == (True, 16)


def test_figures_count_what_ended() -> None:
    found = Figures(n=10, win=3, loss=2, expired=1, open=3, measured=5, profit_loss=1_250_000)
    assert (found.ended, found.outcomes["other"]) == (7, 1)
    assert found.win_rate == 3 / 7
    assert found.average_profit_loss_pct == 2.5
