"""Behaviours that callers of SignalTracker rely on."""

import asyncio
import threading
import time
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError, connections

from argo.errors import InvalidInput
from signals import tracker as tracker_module
from signals.journal import Journal
from signals.ledger import lookup
from signals.ledger.conflicts import RecentIds
from signals.ledger.flush import Flusher, FlushResult
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


def test_a_conflict_is_refused_by_every_call_before_it_is_journaled(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    tracker.log_signal(a_signal(signal_id="same"))
    size = journal.end()
    (again,) = tracker.log_each([a_signal(signal_id="same")])
    assert isinstance(again, SignalConflict)
    (refused,) = tracker.accept_each([a_signal(signal_id="same")])
    assert isinstance(refused, SignalConflict)
    for call in (
        lambda signal: tracker.log_signals([signal]),
        lambda signal: tracker.accept([signal]),
        lambda signal: asyncio.run(tracker.log_signal_async(signal)),
    ):
        with pytest.raises(SignalConflict, match="stored with the hash"):
            call(a_signal(signal_id="same"))
    assert journal.end() == size
    assert not DeadLetter.objects.using(using).exists()


def test_an_id_is_taken_before_a_flush_has_stored_it(tracker: SignalTracker, using: str) -> None:
    with connections[using].cursor():
        tracker.accept([a_signal(signal_id="same")])
        with pytest.raises(SignalConflict):
            tracker.accept([a_signal(signal_id="same")])


def test_an_id_is_taken_within_one_batch(tracker: SignalTracker, using: str) -> None:
    first, other = signals(2, signal_id="same")
    with pytest.raises(SignalConflict):
        tracker.accept([first, other])
    taken, again, conflict = tracker.accept_each([first, first, other])
    assert taken == again
    assert isinstance(conflict, SignalConflict)


def is_locked(*_: object) -> None:
    """Do as a file does that is locked for longer than a look-up waits."""
    raise OperationalError("database is locked")


def is_looked_up(*_: object) -> None:
    raise AssertionError("an id made of the content is looked up")


def test_a_database_that_hangs_delays_an_own_id_by_a_tenth_of_a_second(
    tracker: SignalTracker, journal: Journal, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a conflict becomes a dead letter, as before; with an id made of the content nothing is
    looked up."""
    tracker.log_signal(a_signal(signal_id="same"))
    monkeypatch.setattr(connections[using], "read", is_locked, raising=False)
    hangs = threading.Event()
    monkeypatch.setattr(lookup, "stored_hashes", lambda *_: hangs.wait(30) and {})
    monkeypatch.setattr(tracker_module, "recent_ids", lambda _: RecentIds())
    began = time.monotonic()
    for _ in range(3):
        tracker.accept([a_signal(signal_id="same")])
    assert time.monotonic() - began < 15
    monkeypatch.setattr(lookup, "stored_hashes", is_looked_up)
    monkeypatch.setattr(connections[using], "read", is_looked_up, raising=False)
    tracker.accept([a_signal()])
    hangs.set()
    assert Flusher(journal, using=using).flush() == FlushResult(stored=1, dead=3)
