"""Threads, processes and machines flush at the same time."""

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from functools import partial

import orjson
import pytest
from django.db import transaction

from signals.journal import Journal
from signals.ledger import store
from signals.ledger.flush import Flusher, FlushResult
from signals.ledger.inserts import stored_hashes
from signals.models import Signal, SignalContext
from signals.tracker import SignalTracker
from tests.databases import both_databases
from tests.samples import a_signal
from tests.signals.ledger.flush.helpers import (
    TIMEOUT,
    Handled,
    execute,
    fork,
    in_processes,
    in_threads,
    letters,
    line_of,
)

pytestmark = both_databases


def test_flushing_threads_store_each_signal_once(
    journal: Journal, using: str, handled: Handled
) -> None:
    journal.append([line_of() for _ in range(400)] + [b"garbage"])
    flusher = Flusher(journal, using=using, handlers=[handled], max_lines=20)
    results: list[FlushResult] = in_threads(using, *[flusher.flush] * 4)
    assert sum(results, FlushResult()) == FlushResult(stored=400, dead=1)
    assert handled.each_once()
    assert len(letters(using)) == 1


def test_flushing_processes_store_each_signal_once_while_others_write(
    journal: Journal, using: str, handled: Handled
) -> None:
    """Use two journals, like two machines, with some signals in common."""
    same = [line_of() for _ in range(150)]
    own = [[line_of() for _ in range(100)] for _ in range(2)]
    journals = [journal, Journal(journal.path.with_name("other.log"))]
    written = [fork.Event(), fork.Event()]

    def write(number: int) -> None:
        lines = same + own[number]
        random.Random(number).shuffle(lines)
        for start in range(0, len(lines), 10):
            journals[number].append(lines[start : start + 10])
        written[number].set()

    def flush(number: int) -> None:
        flusher = Flusher(journals[number], using=using, handlers=[handled], max_lines=30)
        while not all(each.is_set() for each in written):
            flusher.flush()
        flusher.flush()

    in_processes(*(partial(act, number) for act in (write, flush, flush) for number in (0, 1)))
    ids = {orjson.loads(line)["signal_id"] for line in same + own[0] + own[1]}
    assert handled.each_once()
    assert {signal_id for _, signal_id in handled.rows()} == ids
    assert SignalContext.objects.using(using).count() == len(ids) == 350
    assert letters(using) == []


@pytest.mark.parametrize("same", [True, False])
def test_a_flush_waits_for_a_signal_that_another_machine_is_storing(
    journal: Journal, using: str, same: bool
) -> None:
    """The lookup does not see it yet; only the insert does."""
    lines = [line_of(signal_id="own"), line_of(signal_id="own")]
    other = Journal(journal.path.with_name("other.log"))
    journal.append([line_of(), lines[0]])
    other.append([line_of(), lines[not same]])
    stored, flushing = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic(using=using):
            Flusher(journal, using=using).flush()
            stored.set()
            assert flushing.wait(TIMEOUT)
            time.sleep(0.2)  # let the other come as far as it can

    def second() -> FlushResult:
        assert stored.wait(TIMEOUT)
        flushing.set()
        return Flusher(other, using=using).flush()

    result = FlushResult(stored=1, duplicates=1) if same else FlushResult(stored=1, dead=1)
    assert set(in_threads(using, first, second)) == {None, result}
    assert letters(using) == ([] if same else [("conflict", lines[1])])
    stored_hash = Signal.objects.using(using).get(signal_id="own").sha256
    assert stored_hash == orjson.loads(lines[0])["sha256"]


def test_a_conflict_that_only_the_insert_meets_is_a_dead_letter_too(
    journal: Journal, using: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other machine commits between the lookup and the insert."""
    lines = [line_of(signal_id="own"), line_of(signal_id="own")]
    journal.append([lines[0]])
    Flusher(journal, using=using).flush()
    other = Journal(journal.path.with_name("other.log"))
    other.append([line_of(), lines[1]])
    looked_up: list[str] = []

    def too_early(alias: str, signal_ids: Sequence[str]) -> dict[str, str]:
        looked_up.extend(signal_ids)
        return stored_hashes(alias, signal_ids) if len(looked_up) > len(lines) else {}

    monkeypatch.setattr(store, "stored_hashes", too_early)
    assert Flusher(other, using=using).flush() == FlushResult(stored=1, dead=1)
    assert letters(using) == [("conflict", lines[1])]


LOCK = {
    "default": "SELECT 1",  # every transaction is IMMEDIATE: it already has the write lock
    "postgresql": "LOCK TABLE journal_cursors IN ACCESS EXCLUSIVE MODE",
}


def test_a_locked_database_delays_the_flush_but_not_the_journal(
    tracker: SignalTracker, using: str
) -> None:
    locked, done, flushed = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(using=using):
            execute(using, LOCK[using])
            locked.set()
            assert done.wait(TIMEOUT)

    def flush() -> FlushResult:
        assert locked.wait(TIMEOUT)
        try:
            return tracker.flush()
        finally:
            flushed.set()

    def log() -> None:
        assert locked.wait(TIMEOUT)
        for _ in range(10):
            asyncio.run(tracker.log_signal_async(a_signal()))
        flushed.wait(1.5)
        assert not flushed.is_set()
        done.set()

    answers = in_threads(using, hold, flush, log)
    tracker.flush()
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    assert Signal.objects.using(using).count() == 10
