"""All signals except old ones are queued for Alpine, in the transaction that stores them."""

import json
from pathlib import Path

import pytest

from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.models import Signal
from signals.tracker import SignalTracker
from sync.models import Delivery
from sync.outbox import enqueue
from tests.installation import Installation
from tests.legacy import legacy_database, legacy_rows
from tests.samples import signals


@pytest.mark.django_db(transaction=True)
def test_each_stored_signal_is_queued_once(tracker: SignalTracker) -> None:
    given = signals(3)
    tracker.log_signals(given)
    tracker.log_signals(given)
    queued = Delivery.objects.values_list("pk", "status", "attempts")
    stored = Signal.objects.values_list("pk", flat=True)
    assert sorted(queued) == [(row, "pending", 0) for row in sorted(stored)]


@pytest.mark.django_db(transaction=True)
def test_imported_signals_among_others_are_not_queued(journal: Journal) -> None:
    for origin, given in (("t", signals(2)), ("import", signals(2)), ("t", signals(2))):
        SignalTracker.with_parts(journal, Flusher(journal), origin=origin).accept(given)
    Flusher(journal, handlers=[enqueue]).flush()
    first = min(Signal.objects.values_list("pk", flat=True))
    queued = sorted(Delivery.objects.values_list("pk", flat=True))
    assert queued == [first, first + 1, first + 4, first + 5]


@pytest.mark.django_db(transaction=True)
def test_a_signal_that_is_not_stored_is_not_queued(journal: Journal) -> None:
    def fail(stored: object) -> None:
        raise RuntimeError("after the deliveries were queued")

    flusher = Flusher(journal, handlers=[enqueue, fail])
    tracker = SignalTracker.with_parts(journal, flusher, origin="t")
    tracker.accept(signals(3))
    with pytest.raises(RuntimeError):
        tracker.flush()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("option", "queued"), [([], 0), (["--sync"], 4)])
def test_old_signals_are_queued_only_on_request(
    installation: Installation, tmp_path: Path, option: list[str], queued: int
) -> None:
    legacy_database(tmp_path / "old.db", legacy_rows(4))
    installation.manage("import_signals", str(tmp_path / "old.db"), *option).check_returncode()
    status = installation.manage("sync_signals", "--status", "--json")
    assert json.loads(status.stdout)["pending"] == queued
    assert json.loads(status.stdout)["state"] == "off"


def test_old_signals_can_be_queued_later(installation: Installation, tmp_path: Path) -> None:
    legacy_database(tmp_path / "old.db", legacy_rows(4))
    installation.manage("import_signals", str(tmp_path / "old.db")).check_returncode()
    for queued in (4, 0):
        answered = installation.manage("sync_signals", "--queue-missing", "--json")
        assert json.loads(answered.stdout) == {"queued": queued}
    assert installation.query("SELECT status, count(*) FROM deliveries") == [("pending", 4)]


def test_the_signals_of_a_rebuilt_database_can_be_queued(
    installation: Installation, tmp_path: Path
) -> None:
    installation.manage("log_signal", stdin=json.dumps(signals(1)[0])).check_returncode()
    rebuilt = tmp_path / "rebuilt.db"
    installation.manage("rebuild_signals", "--into", str(rebuilt)).check_returncode()
    on_it = Installation(installation.folder, {"DATABASE_URL": f"sqlite:///{rebuilt}"})
    assert on_it.manage("sync_signals", "--queue-missing").stdout.startswith("1 signals queued")
