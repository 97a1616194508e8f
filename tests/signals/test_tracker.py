"""Behaviours that callers of SignalTracker rely on."""

import asyncio
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.db import connections

from argo.errors import InvalidInput
from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.models import DeadLetter, Signal
from signals.tracker import Logged, NotStoredYet, SignalConflict, SignalTracker
from tests.databases import both_databases
from tests.samples import a_signal, signals

pytestmark = both_databases


def _count(using: str) -> int:
    return Signal.objects.using(using).count()


def test_a_logged_signal_is_a_row(tracker: SignalTracker, using: str) -> None:
    signal_id = tracker.log_signal(a_signal(symbol="msft"))
    assert Signal.objects.using(using).get(signal_id=signal_id).symbol == "MSFT"


def test_the_same_signals_are_stored_once(tracker: SignalTracker, using: str) -> None:
    batch = signals(100)
    assert tracker.log_signals(batch) == tracker.log_signals(batch)
    assert _count(using) == 100


def test_an_asynchronously_logged_signal_is_durable_and_becomes_a_row(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    async def log_all() -> list[str]:
        return await asyncio.gather(*map(tracker.log_signal_async, signals(300)))

    ids = asyncio.run(log_all())
    text = journal.path.read_text()
    assert all(signal_id in text for signal_id in ids)
    assert _count(using) == 0
    assert tracker.flush().stored == 300
    assert set(Signal.objects.using(using).values_list("signal_id", flat=True)) == set(ids)


def test_the_fiftieth_signal_deadlocks_nobody(tracker: SignalTracker, using: str) -> None:
    """Fault 4: the flush ran under a lock that the next signal waited for."""

    async def log_and_flush() -> None:
        for number in range(120):
            await tracker.log_signal_async(a_signal())
            if number % 50 == 49:
                await tracker.flush_async()

    async_to_sync(log_and_flush)()
    tracker.flush()
    assert _count(using) == 120


def test_nothing_of_a_refused_signal_is_written(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    bad = a_signal(confidence=101)
    with pytest.raises(InvalidInput):
        tracker.log_signal(bad)
    with pytest.raises(InvalidInput):
        tracker.log_signals([a_signal(), bad])
    with pytest.raises(InvalidInput):
        asyncio.run(_log_async(tracker, bad))
    assert not journal.path.exists()


async def _log_async(tracker: SignalTracker, signal: dict[str, object]) -> str:
    return await tracker.log_signal_async(signal)


def test_another_tracker_on_the_same_journal_takes_nothing_from_the_first(
    journal: Journal, using: str
) -> None:
    """Fault 6: a second constructor call emptied the pending list."""
    first = SignalTracker.with_parts(journal, Flusher(journal, using=using), origin="a")
    first.accept(signals(3))
    second = SignalTracker.with_parts(journal, Flusher(journal, using=using), origin="b")
    second.accept(signals(2))
    assert first.flush().stored == 5
    assert second.flush().stored == 0


def test_the_same_id_for_another_signal_is_a_conflict(tracker: SignalTracker) -> None:
    tracker.log_signal(a_signal(signal_id="same"))
    with pytest.raises(SignalConflict, match="same"):
        tracker.log_signal(a_signal(signal_id="same"))


def test_log_each_returns_a_result_for_each_signal(
    tracker: SignalTracker, journal: Journal
) -> None:
    known = a_signal()
    tracker.log_signal(known)
    size = journal.path.stat().st_size
    new, again, refused, unread = tracker.log_each(
        [a_signal(), known, a_signal(action="HOLD"), InvalidInput([])]
    )
    assert isinstance(new, Logged)
    assert new.new
    assert isinstance(again, Logged)
    assert not again.new
    assert isinstance(refused, InvalidInput)
    assert isinstance(unread, InvalidInput)
    assert journal.path.stat().st_size < 2 * size + 100  # the stored one is not journaled again


def test_a_signal_that_cannot_be_stored_now_stays_in_the_journal(
    journal: Journal, using: str
) -> None:
    def broken(stored: object) -> None:
        raise RuntimeError("no")

    tracker = SignalTracker.with_parts(
        journal, Flusher(journal, using=using, handlers=[broken]), origin="t"
    )
    with pytest.raises(NotStoredYet, match="safe in the journal"):
        tracker.log_signal(a_signal())
    assert _count(using) == 0
    assert Flusher(journal, using=using).flush().stored == 1


def test_closing_stores_what_is_pending(tracker: SignalTracker, using: str) -> None:
    tracker.accept(signals(3))
    tracker.close()
    assert _count(using) == 3
    assert tracker.log_signal(a_signal())  # it can be used again


def test_a_value_that_the_database_cannot_store_stops_no_other_signal(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    """Validation refuses NUL; a journal line that contains one becomes a dead letter at most."""
    with connections[using].cursor():
        journal.append([b'{"signal_id": "\\u0000"}'])
    tracker.log_signals(signals(2))
    assert _count(using) == 2


def test_a_missing_data_folder_is_made(tmp_path: Path, using: str) -> None:
    journal = Journal(tmp_path / "new" / "folder" / "signals.log")
    tracker = SignalTracker.with_parts(journal, Flusher(journal, using=using), origin="t")
    tracker.log_signal(a_signal())
    assert journal.path.exists()
    journal.close()


def test_a_conflict_among_many_is_a_dead_letter_too(tracker: SignalTracker, using: str) -> None:
    tracker.log_each([a_signal(signal_id="same")])
    (again,) = tracker.log_each([a_signal(signal_id="same")])
    assert isinstance(again, SignalConflict)
    assert DeadLetter.objects.using(using).get().kind == DeadLetter.Kind.CONFLICT
