"""Outcomes are recorded once, and the journal rebuilds them."""

import threading
import time
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from argo.errors import Conflict
from signals.journal import START, Journal
from signals.ledger.flush import Flusher, FlushResult
from signals.ledger.outcomes import AlreadyEnded, profit_loss_pct, record_outcome
from signals.models import OutcomeChange, Signal, SignalContext
from signals.tracker import SignalTracker
from tests.databases import both_databases
from tests.samples import a_signal, signals
from tests.signals.ledger.flush.helpers import (
    NOW,
    TIMEOUT,
    execute,
    in_threads,
    letters,
    move_cursor,
    values,
)

pytestmark = both_databases


def record(tracker_journal: Journal, using: str, signal_id: str, **fields: Any) -> Any:  # noqa: ANN401
    defaults = {"outcome": "win", "exit_price": 160.0, "who": "me", "why": "it is so"}
    given: dict[str, Any] = defaults | fields
    return record_outcome(signal_id, now=NOW, journal=tracker_journal, using=using, **given)


def wipe(using: str) -> None:
    """Empty the database, as it is when `rebuild_signals` begins."""
    for table in (
        "outcome_changes",
        "signal_contexts",
        "dead_letters",
        "signals",
        "journal_cursors",
    ):
        execute(using, f"DELETE FROM {table}")


def everything(using: str) -> list[list[dict[str, Any]]]:
    """Return everything that a rebuild must restore.

    Left out are ids that the database assigns, and when a row was stored.
    """
    with_ids = {row.pk: row.signal_id for row in Signal.objects.using(using)}
    contexts = values(SignalContext, using, "journal_id", "stored_at")
    changes = values(OutcomeChange, using, "id", "journal_id")
    for row in contexts + changes:
        row["signal_id"] = with_ids[row["signal_id"]]
    return [values(Signal, using, "id"), contexts, changes]


@pytest.fixture
def history(tracker: SignalTracker, journal: Journal, using: str) -> list[str]:
    """Signals with outcomes, corrected outcomes, and none."""
    batch = [*signals(4), a_signal(votes=[{"a": 0.1}], regime="bull", mine={"b": [None, "ü"]})]
    ids = tracker.log_signals(batch)
    record(journal, using, ids[0])
    record(journal, using, ids[1], outcome="loss", exit_price=1 / 3)
    record(journal, using, ids[1], outcome="expired", exit_price=None)
    record(journal, using, ids[2], outcome="breakeven", exit_price=150.5)
    tracker.flush()
    return ids


@pytest.mark.usefixtures("history")
def test_the_journal_alone_makes_equal_rows_in_an_empty_database(
    flusher: Flusher, using: str
) -> None:
    before = everything(using)
    assert [len(rows) for rows in before] == [5, 5, 4]
    wipe(using)
    assert flusher.flush() == FlushResult(stored=5, changes=4)
    assert everything(using) == before


@pytest.mark.services("postgresql")
@pytest.mark.usefixtures("history")
def test_the_journal_alone_makes_equal_rows_in_the_other_database(
    journal: Journal, using: str
) -> None:
    other = "postgresql" if using == "default" else "default"
    Flusher(journal, using=other).flush()
    assert everything(other) == everything(using)


@pytest.mark.usefixtures("history")
def test_replayed_changes_change_nothing(flusher: Flusher, using: str) -> None:
    before = everything(using)
    move_cursor(using, START)
    assert flusher.flush() == FlushResult(duplicates=5, changes=4)
    assert everything(using) == before


def test_a_journaled_change_that_was_rolled_back_is_applied_by_the_flush(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    signal_id = tracker.log_signal(a_signal())
    with transaction.atomic(using=using):
        record(journal, using, signal_id)
        transaction.set_rollback(True, using=using)
    assert Signal.objects.using(using).get().outcome is None

    assert tracker.flush() == FlushResult(changes=1)
    signal = Signal.objects.using(using).get()
    assert (signal.outcome, signal.exit_price) == ("win", 160.0)
    assert OutcomeChange.objects.using(using).get().why == "it is so"


def test_a_flush_waits_for_a_journaled_change_that_has_not_committed(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    signal_id = tracker.log_signal(a_signal())
    journaled, flushing = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic(using=using):
            record(journal, using, signal_id)
            journaled.set()
            assert flushing.wait(TIMEOUT)
            time.sleep(0.3)  # let the flush come as far as it can

    def flush() -> None:
        assert journaled.wait(TIMEOUT)
        flushing.set()
        tracker.flush()

    assert in_threads(using, change, flush) == [None, None]
    assert letters(using) == []
    assert OutcomeChange.objects.using(using).count() == 1


def test_only_if_open_lets_one_of_many_record_the_outcome(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    """Fault 43: an expiry overwrote a win."""
    signal_id = tracker.log_signal(a_signal())
    exits = [("win", 160.0), ("loss", 140.0), ("expired", None), ("expired", 151.0)]
    acts = [
        partial(record, journal, using, signal_id, outcome=o, exit_price=p, only_if_open=True)
        for o, p in exits
    ]
    answers = in_threads(using, *acts)
    assert [type(answer) for answer in answers].count(AlreadyEnded) == 3
    assert issubclass(AlreadyEnded, Conflict)
    winner = next(answer for answer in answers if isinstance(answer, OutcomeChange))
    assert Signal.objects.using(using).get().outcome == winner.after["outcome"]
    tracker.flush()
    assert (OutcomeChange.objects.using(using).count(), letters(using)) == (1, [])


def test_an_expiry_never_overwrites_a_win(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    signal_id = tracker.log_signal(a_signal())
    record(journal, using, signal_id)
    with pytest.raises(AlreadyEnded):
        record(journal, using, signal_id, outcome="expired", exit_price=None, only_if_open=True)
    assert Signal.objects.using(using).get().outcome == "win"


def test_profit_is_the_seeds_formula_and_stored_unrounded(
    tracker: SignalTracker, journal: Journal, using: str
) -> None:
    cases = [("BUY", 160.0, 950 / 150.5), ("BUY", 1 / 3, -15016.666666666666 / 150.5)]
    cases += [("SELL", 160.0, -950 / 150.5), ("SELL", 1 / 3, 15016.666666666666 / 150.5)]
    for action, price, percent in cases:
        levels = (158.0, 146.0) if action == "BUY" else (146.0, 158.0)
        signal = a_signal(action=action, target_price=levels[0], stop_price=levels[1])
        signal_id = tracker.log_signal(signal)
        outcome = "win" if percent > 0 else "loss"
        record(journal, using, signal_id, outcome=outcome, exit_price=price)
        stored = Signal.objects.using(using).get(signal_id=signal_id).profit_loss_pct
        assert stored == profit_loss_pct(action, 150.5, price) == pytest.approx(percent, rel=1e-14)
    assert profit_loss_pct("BUY", 150.5, None) is None
