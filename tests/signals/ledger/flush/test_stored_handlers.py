"""Handlers run in the transaction, with the signals just stored."""

from collections.abc import Sequence
from functools import partial

import orjson
import pytest
from django.db import connections

from signals.journal import Journal
from signals.ledger.flush import Flusher, FlushResult
from signals.ledger.store import StoredSignal
from signals.models import Signal
from signals.tracker import NotStoredYet, SignalTracker
from tests.databases import both_databases
from tests.samples import a_signal
from tests.signals.ledger.flush.helpers import Handled, letters, line_of

pytestmark = both_databases


def test_handlers_get_the_new_signals_in_order_inside_the_transaction(
    journal: Journal, using: str
) -> None:
    calls: list[tuple[str, list[str], bool]] = []

    def handler(name: str, stored: Sequence[StoredSignal]) -> None:
        ids = [signal.signal_id for signal in stored]
        assert Signal.objects.using(using).filter(id__in=[s.id for s in stored]).count() == len(ids)
        calls.append((name, ids, connections[using].in_atomic_block))

    handlers = [partial(handler, "first"), partial(handler, "second")]
    flusher = Flusher(journal, using=using, handlers=handlers)
    lines = [line_of() for _ in range(3)]
    ids = [orjson.loads(line)["signal_id"] for line in lines]
    journal.append([lines[0], b"garbage", lines[1]])
    flusher.flush()
    journal.append(lines)
    flusher.flush()
    journal.append(lines)
    flusher.flush()
    new = [ids[:2], ids[2:]]
    assert calls == [(name, some, True) for some in new for name in ("first", "second")]


def test_a_handler_gets_row_id_origin_and_every_field(journal: Journal, using: str) -> None:
    got: list[StoredSignal] = []
    journal.append([line_of(regime="bull", mine={"a": 1})])
    Flusher(journal, using=using, handlers=[got.extend]).flush()
    row = Signal.objects.using(using).get()
    assert [(signal.id, signal.signal_id, signal.origin) for signal in got] == [
        (row.id, row.signal_id, "python")
    ]
    assert (got[0].fields["regime"], got[0].fields["mine"]) == ("bull", {"a": 1})


def test_a_handler_that_fails_rolls_everything_back_and_nothing_is_lost(
    journal: Journal, using: str, handled: Handled
) -> None:
    def fail(_: Sequence[StoredSignal]) -> None:
        raise ZeroDivisionError

    journal.append([line_of(), b"garbage", line_of()])
    with pytest.raises(ZeroDivisionError):
        Flusher(journal, using=using, handlers=[handled, fail]).flush()
    assert (Signal.objects.using(using).count(), letters(using), handled.rows()) == (0, [], [])
    tracker = SignalTracker.with_parts(
        journal, Flusher(journal, using=using, handlers=[fail]), origin="python"
    )
    with pytest.raises(NotStoredYet, match="safe in the journal"):
        tracker.log_signal(a_signal())

    flusher = Flusher(journal, using=using, handlers=[handled])
    assert flusher.flush() == FlushResult(stored=3, dead=1)
    assert handled.each_once()
