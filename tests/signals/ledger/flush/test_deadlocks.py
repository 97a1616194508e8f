"""Transactions of two machines wait for each other. SQLite has only one writer at a time."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from signals.journal import Journal
from signals.ledger.flush import Flusher, FlushResult
from signals.ledger.store import StoredSignal
from signals.models import Signal
from tests.databases import both_databases
from tests.signals.ledger.flush.helpers import TIMEOUT, execute, in_threads, line_of

pytestmark = [pytest.mark.services("postgresql"), both_databases]
USING = "postgresql"


def test_the_loser_of_a_deadlock_tries_again(tmp_path: Path) -> None:
    """The database ends one of the transactions and lets the other continue."""
    met = threading.Barrier(2)

    def crossing(first: int, second: int) -> Callable[[Sequence[StoredSignal]], None]:
        def lock_both(stored: Sequence[StoredSignal]) -> None:
            execute(USING, f"SELECT pg_advisory_xact_lock({first})")
            with suppress(threading.BrokenBarrierError):
                met.wait(TIMEOUT)
                met.abort()  # only the first try must meet the other
            execute(USING, f"SELECT pg_advisory_xact_lock({second})")

        return lock_both

    def flush(name: str, *order: int) -> FlushResult:
        journal = Journal(tmp_path / f"{name}.log")
        journal.append([line_of()])
        return Flusher(journal, using=USING, handlers=[crossing(*order)]).flush()

    results = in_threads(USING, partial(flush, "one", 1, 2), partial(flush, "other", 2, 1))
    assert results == [FlushResult(stored=1)] * 2
    assert Signal.objects.using(USING).count() == 2
