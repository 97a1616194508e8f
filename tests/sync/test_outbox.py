"""Which signals are queued for Alpine: all but old ones, in the transaction that stores them."""

import json
from pathlib import Path

import pytest

from signals.flush import Flusher
from signals.journal import Journal
from signals.models import Signal
from signals.tracker import SignalTracker
from sync.models import Delivery
from sync.outbox import enqueue
from tests.installation import Installation
from tests.legacy import legacy_database, legacy_rows
from tests.samples import signals


@pytest.mark.django_db(transaction=True)
def test_each_stored_signal_is_owed_to_alpine(journal: Journal) -> None:
    tracker = SignalTracker(journal, Flusher(journal, handlers=[enqueue]), origin="t")
    given = signals(3)
    tracker.log_signals(given)
    tracker.log_signals(given)
    owed = Delivery.objects.values_list("pk", "status", "attempts")
    stored = Signal.objects.values_list("pk", flat=True)
    assert sorted(owed) == [(row, "pending", 0) for row in sorted(stored)]


@pytest.mark.django_db(transaction=True)
def test_what_is_not_stored_is_not_owed(journal: Journal) -> None:
    def fail(stored: object) -> None:
        raise RuntimeError("after the deliveries were queued")

    flusher = Flusher(journal, handlers=[enqueue, fail])
    tracker = SignalTracker(journal, flusher, origin="t")
    tracker.accept(signals(3))
    with pytest.raises(RuntimeError):
        tracker.flush()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("option", "owed"), [([], 0), (["--sync"], 4)])
def test_old_signals_are_sent_only_where_asked_for(
    installation: Installation, tmp_path: Path, option: list[str], owed: int
) -> None:
    legacy_database(tmp_path / "old.db", legacy_rows(4))
    installation.manage("import_signals", str(tmp_path / "old.db"), *option).check_returncode()
    status = installation.manage("sync_signals", "--status", "--json")
    assert json.loads(status.stdout)["pending"] == owed
    assert json.loads(status.stdout)["state"] == "off"
