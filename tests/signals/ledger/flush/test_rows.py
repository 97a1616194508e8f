"""The cursor moves with the rows, and each signal is stored once."""

import re
from collections.abc import Sequence

import orjson
import pytest
from django.db import transaction

from signals.journal import Journal
from signals.ledger.flush import Flusher, FlushResult
from signals.ledger.store import StoredSignal
from signals.models import Signal, SignalContext
from signals.tracker import SignalConflict, SignalTracker
from tests.databases import both_databases
from tests.samples import a_signal
from tests.signals.ledger.flush.helpers import errors, letters, line_of, position, values

pytestmark = both_databases


def test_the_cursor_moves_with_the_rows(journal: Journal, flusher: Flusher, using: str) -> None:
    journal.append([line_of() for _ in range(5)])
    assert flusher.flush() == FlushResult(stored=5)
    assert position(using)[:2] == journal.end()
    assert [context.byte for context in SignalContext.objects.using(using).order_by("pk")] == [
        line.offset.byte for chunk in journal.chunks() for line in chunk.lines
    ]
    assert flusher.flush() == FlushResult()


def test_nothing_moves_when_the_rows_do_not_commit(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    journal.append([line_of()])
    with transaction.atomic(using=using):
        flusher.flush()
        transaction.set_rollback(True, using=using)
    assert Signal.objects.using(using).count() == 0
    assert flusher.flush() == FlushResult(stored=1)


def test_a_flush_drains_many_batches(journal: Journal, using: str) -> None:
    lines = [line_of() for _ in range(25)]
    journal.append(lines)
    flusher = Flusher(journal, using=using, max_lines=10)
    assert [batch.stored for batch in flusher.batches()] == [10, 10, 5]
    stored = Signal.objects.using(using).order_by("id").values_list("signal_id", flat=True)
    assert list(stored) == [orjson.loads(line)["signal_id"] for line in lines]


@pytest.mark.parametrize(
    "own",
    [
        {"raw_confidence": "high"},
        {"raw_confidence": 81.5},
        {"calibration_version": 3},
        {"raw_confidence": 81.5, "calibration_version": "v3"},
        {"raw_confidence": True, "calibration_version": 3},
        {"raw_confidence": 81.5, "calibration_version": 0},
        {"raw_confidence": 81.5, "calibration_version": 2**63},
        {"raw_confidence": [81.5], "calibration_version": {}},
    ],
)
def test_a_field_of_an_older_sender_that_looks_like_a_calibration_is_kept_as_it_is(
    journal: Journal, flusher: Flusher, using: str, own: dict[str, object]
) -> None:
    """It was an unknown field when its line was written."""
    journal.append([orjson.dumps(orjson.loads(line_of()) | own)])
    assert flusher.flush() == FlushResult(stored=1)
    context = SignalContext.objects.using(using).get()
    assert (context.raw_confidence, context.calibration_version) == (None, None)
    assert context.extra is not None
    assert {name: context.extra[name] for name in own} == own


def test_the_same_signal_is_stored_once(journal: Journal, flusher: Flusher, using: str) -> None:
    one, two = line_of(), line_of()
    journal.append([one, two, one])
    assert flusher.flush() == FlushResult(stored=2, duplicates=1)
    journal.append([b"", two, b""])
    assert flusher.flush() == FlushResult(duplicates=1)
    assert Signal.objects.using(using).count() == 2
    assert letters(using) == []


def test_another_signal_under_a_stored_id_is_a_conflict(
    tracker: SignalTracker, journal: Journal, using: str, caplog: pytest.LogCaptureFixture
) -> None:
    tracker.log_signal(a_signal(signal_id="own"))
    before = values(Signal, using)
    with pytest.raises(SignalConflict, match="own is stored with the hash"):
        tracker.log_signal(a_signal(signal_id="own"))
    assert letters(using) == []

    journal.append([line_of(signal_id="own")])  # of another machine, at the same moment
    assert tracker.flush() == FlushResult(dead=1)
    assert values(Signal, using) == before
    assert [kind for kind, _ in letters(using)] == ["conflict"]
    assert re.search(r"Dead letter \(conflict\) at segment 1, byte \d+, own: ", errors(caplog)[0])
    assert tracker.flush() == FlushResult()


def test_two_signals_under_one_id_in_one_batch_are_a_conflict(
    journal: Journal, flusher: Flusher, using: str
) -> None:
    first, second = line_of(signal_id="own"), line_of(signal_id="own")
    journal.append([first, second, line_of()])
    assert flusher.flush() == FlushResult(stored=2, dead=1)
    assert letters(using) == [("conflict", second)]
    assert Signal.objects.using(using).get(signal_id="own").sha256 == orjson.loads(first)["sha256"]


def test_log_signal_does_not_wait_for_lines_written_after_its_own(
    journal: Journal, using: str
) -> None:
    """Other processes write without a pause: the journal's end moves as fast as the flush."""

    def write_on(stored: Sequence[StoredSignal]) -> None:
        journal.append([line_of()])

    flusher = Flusher(journal, using=using, handlers=[write_on])
    tracker = SignalTracker.with_parts(journal, flusher, origin="t")
    signal_id = tracker.log_signal(a_signal())
    assert Signal.objects.using(using).get().signal_id == signal_id
