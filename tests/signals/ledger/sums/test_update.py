"""The sums follow the signals: nothing is skipped, counted twice, or waited for by a flush."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.ledger.outcomes import record_outcome
from signals.ledger.sums import update
from signals.ledger.sums.answer import stats, totals
from signals.ledger.sums.check import differences
from signals.ledger.sums.query import StatsQuery
from signals.ledger.sums.update import Position, restart_sums, summed_up_to, update_sums
from signals.models import Signal, SignalSum
from signals.tasks import sum_signals
from signals.tracker import SignalTracker
from signals.transfer.importing import encode_imported
from tests.databases import DATABASES, both_databases
from tests.samples import a_signal, signals
from tests.signals.ledger.flush.helpers import NOW, TIMEOUT, execute, in_threads, line_of
from tests.signals.ledger.sums.expected import assert_equals_a_scan

pytestmark = pytest.mark.django_db(databases=DATABASES)


def _end(signal_id: str, journal: Journal, using: str, **changes: Any) -> None:  # noqa: ANN401
    given: dict[str, Any] = {"outcome": "win", "exit_price": 158.0, **changes}
    record_outcome(signal_id, who="me", why="so", now=NOW, journal=journal, using=using, **given)


def _tail(using: str) -> Position:
    """Return the last ids that are stored."""
    return update._ends(using)


def test_the_cursor_reaches_the_end_and_then_there_is_nothing_to_sum(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    ids = tracker.log_signals(signals(5))
    _end(ids[0], journal, using)
    assert update_sums(using=using) == 6
    assert summed_up_to(using) == _tail(using)
    assert update_sums(using=using) == 0


def test_an_outcome_counts_at_once_and_after_it_is_summed(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    ids = tracker.log_signals(signals(3))
    update_sums(using=using)
    _end(ids[0], journal, using)
    _end(ids[1], journal, using, outcome="loss", exit_price=146.0)
    _end(ids[1], journal, using, outcome="expired", exit_price=None)
    for _ in range(2):
        found = assert_equals_a_scan({"by": "outcome"}, using)
        assert {group["outcome"]: each.n for group, each in found.items} == {
            "win": 1, "expired": 1, "open": 1,
        }  # fmt: skip
        update_sums(using=using)
        assert differences(using=using) == []


def test_every_batch_leaves_sums_that_fit_the_signals(
    tracker: SignalTracker, journal: Journal, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal may be summed before, between or after its outcome changes."""
    ids = tracker.log_signals(signals(3))
    for price in (158.0, 159.0, 160.0):
        _end(ids[0], journal, using, exit_price=price)
    _end(ids[2], journal, using)
    monkeypatch.setattr(update, "BATCH_SIZE", 1)
    for _ in range(4):
        assert update_sums(using=using, seconds=0)
        assert differences(using=using) == []
        assert_equals_a_scan({"by": "outcome"}, using)
    assert update_sums(using=using) == 0


def test_a_flush_leaves_the_sums_alone(tracker: SignalTracker, using: str) -> None:
    tracker.log_signals(signals(3))
    assert not SignalSum.objects.using(using).exists()
    assert totals(using=using).total.n == 3


@both_databases
@pytest.mark.services("postgresql")
def test_signals_that_commit_after_later_ones_are_not_skipped(tmp_path: Path) -> None:
    """On PostgreSQL a flush that began first can commit last: its ids are the lower ones."""
    using = "postgresql"
    inserted, summed = threading.Event(), threading.Event()

    def slow_flush() -> None:
        journal = Journal(tmp_path / "slow.log")
        journal.append([line_of(signal_id="first")])

        def hold(stored: object) -> None:
            inserted.set()
            assert summed.wait(TIMEOUT)

        Flusher(journal, using=using, handlers=[hold]).flush()

    def sum_meanwhile() -> tuple[int, int]:
        try:
            assert inserted.wait(TIMEOUT)
            journal = Journal(tmp_path / "fast.log")
            journal.append([line_of(signal_id="second")])
            Flusher(journal, using=using).flush()
            count = update_sums(using=using, writers_wait=0.1)
            return count, totals(using=using).total.n
        finally:
            summed.set()

    assert in_threads(using, slow_flush, sum_meanwhile) in ([None, (0, 1)], [(0, 1), None])
    ids = Signal.objects.using(using).order_by("id").values_list("signal_id", flat=True)
    assert list(ids) == ["first", "second"]
    assert update_sums(using=using) == 2
    assert differences(using=using) == []
    assert totals(using=using).total.n == 2


@both_databases
@pytest.mark.services("postgresql")
def test_the_sums_wait_for_a_slow_transaction_without_delaying_others(tmp_path: Path) -> None:
    using = "postgresql"
    writing, flushed = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic(using=using):
            execute(using, "UPDATE signals SET order_id = NULL WHERE id = 0")
            writing.set()
            assert flushed.wait(TIMEOUT)

    def sum_after() -> int:
        assert writing.wait(TIMEOUT)
        return update_sums(using=using)

    def flush() -> None:
        assert writing.wait(TIMEOUT)
        journal = Journal(tmp_path / "own.log")
        journal.append([line_of()])
        Flusher(journal, using=using).flush()
        flushed.set()

    assert None in in_threads(using, slow, sum_after, flush)
    assert flushed.is_set()
    update_sums(using=using)
    assert totals(using=using).total.n == 1


@both_databases
def test_two_processes_that_sum_at_once_count_every_signal_once(
    tracker: SignalTracker, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker.log_signals(signals(200))
    monkeypatch.setattr(update, "BATCH_SIZE", 7)
    counts = in_threads(using, *[partial(update_sums, using=using)] * 3)
    assert all(isinstance(count, int) for count in counts)
    update_sums(using=using)
    assert differences(using=using) == []
    assert summed_up_to(using) == _tail(using)


def test_a_batch_that_fails_leaves_the_sums_as_they_were(
    tracker: SignalTracker, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker.log_signals(signals(3))
    monkeypatch.setattr(update, "_addition", lambda rows: "SELECT no_such_column")
    with pytest.raises(DatabaseError, match="no_such_column"):
        update_sums(using=using)
    monkeypatch.undo()
    assert summed_up_to(using) == Position()
    assert update_sums(using=using) == 3
    assert differences(using=using) == []


def test_summing_ends_after_its_time(
    tracker: SignalTracker, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker.log_signals(signals(5))
    monkeypatch.setattr(update, "BATCH_SIZE", 2)
    assert update_sums(using=using, seconds=0) == 2
    assert totals(using=using).total.n == 5


def test_an_import_of_rows_that_were_summed_before_gives_them_their_origin(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    tracker.log_signal(a_signal())
    (row,) = Signal.objects.using(using).values()
    execute(using, "DELETE FROM signal_contexts")
    update_sums(using=using)
    by_origin = StatsQuery(by="origin")
    assert [group["origin"] for group, _ in stats(by_origin, using=using).items] == ["adopted"]

    imported = {name: value for name, value in row.items() if name != "id" and value is not None}
    SignalTracker.with_parts(
        journal, Flusher(journal, using=using), origin="import", encode=encode_imported
    ).log_signal(imported)
    assert [group["origin"] for group, _ in stats(by_origin, using=using).items] == ["import"]
    update_sums(using=using)
    assert differences(using=using) == []
    assert [group["origin"] for group, _ in stats(by_origin, using=using).items] == ["import"]


def test_sums_that_were_deleted_can_be_made_anew(tracker: SignalTracker, using: str) -> None:
    tracker.log_signals(signals(3))
    update_sums(using=using)
    before = set(SignalSum.objects.using(using).values_list("dimension", "period", "value", "n"))
    restart_sums(using=using)
    assert totals(using=using).total.n == 3
    assert update_sums(using=using) == 3
    after = set(SignalSum.objects.using(using).values_list("dimension", "period", "value", "n"))
    assert after == before


@pytest.mark.parametrize(
    ("grain", "column", "change"),
    [("day", "n", 1), ("month", "measured", 1), ("all", "profit_loss", -5)],
)
def test_a_sum_that_was_altered_is_found(
    tracker: SignalTracker, using: str, grain: str, column: str, change: int
) -> None:
    tracker.log_signals(signals(3))
    update_sums(using=using)
    execute(
        using,
        f"UPDATE signal_sums SET {column} = {column} + {change} "
        f"WHERE dimension = 'symbol' AND grain = '{grain}'",
    )
    (found, *_) = differences(using=using)
    assert found.startswith("the sum of symbol AAPL in ")


def test_slices_find_the_same_as_one_look(
    tracker: SignalTracker, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [f"2025-01-{number:02d}T10:00:00Z" for number in range(10, 20)]
    tracker.log_signals([a_signal(timestamp=day) for day in days for _ in range(3)])
    update_sums(using=using)
    monkeypatch.setattr("signals.ledger.sums.check.SLICE", 2)
    assert differences(using=using) == []
    execute(using, "UPDATE signal_sums SET n = 9 WHERE grain = 'day' AND period = '2025-01-13'")
    assert {row.split(" in ")[1][:10] for row in differences(using=using)} >= {"2025-01-13"}


def test_the_task_sums_what_is_stored() -> None:
    SignalTracker("test").log_signals(signals(3))
    assert sum_signals() == 3
