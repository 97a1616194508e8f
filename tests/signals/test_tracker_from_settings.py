"""SignalTracker() works without arguments, on the settings, as the seed's callers construct it."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from pytest_django import Settings

from argo.celery import app
from signals.config import _flush_wakeup, journal
from signals.ledger.store import StoredSignal
from signals.models import Signal, SignalContext
from signals.tracker import SignalTracker
from tests.samples import a_signal, signals

pytestmark = pytest.mark.django_db(transaction=True)

handled: list[str] = []


def handle(stored: Sequence[StoredSignal]) -> None:
    """A stored handler that the settings name."""
    handled.extend(signal.signal_id for signal in stored)


class Flushes:
    """Notices the flush tasks that are sent; wake-ups of earlier tests may still send others."""

    def __init__(self) -> None:
        self.came = threading.Event()

    def send(self, name: str, **options: Any) -> None:  # noqa: ANN401
        if name == "signals.tasks.flush":
            self.came.set()


@pytest.fixture
def flushes(monkeypatch: pytest.MonkeyPatch) -> Flushes:
    _flush_wakeup().finish(60)  # send what an earlier test left
    flushes = Flushes()
    monkeypatch.setattr(app, "send_task", flushes.send)
    return flushes


def test_it_logs_to_the_journal_of_the_settings_and_stores_the_row(settings: Settings) -> None:
    signal_id = SignalTracker().log_signal(a_signal(symbol="MSFT"))
    assert journal().path == settings.DATA_DIR / "signals.log"
    assert signal_id in journal().path.read_text()
    assert Signal.objects.get(signal_id=signal_id).symbol == "MSFT"


def test_the_origin_is_python_unless_it_is_given() -> None:
    SignalTracker().log_signal(a_signal())
    SignalTracker("cli").log_signal(a_signal())
    SignalTracker.from_settings("api").log_signal(a_signal())
    origins = SignalContext.objects.order_by("pk").values_list("origin", flat=True)
    assert list(origins) == ["python", "cli", "api"]


def test_it_calls_the_stored_handlers_of_the_settings(settings: Settings) -> None:
    settings.SIGNAL_STORED_HANDLERS = (f"{__name__}.handle",)
    handled.clear()
    ids = SignalTracker().log_signals(signals(2))
    assert handled == ids


def test_it_wakes_a_worker_for_what_waits(flushes: Flushes) -> None:
    SignalTracker().accept(signals(3))
    assert flushes.came.wait(10)
    flushes.came.clear()
    asyncio.run(SignalTracker().log_signal_async(a_signal()))
    assert flushes.came.wait(10)
    assert Signal.objects.count() == 0


def test_it_wakes_no_flush_if_the_caller_flushes(flushes: Flushes) -> None:
    trackers = SignalTracker(wakes_worker=False), SignalTracker.from_settings("t", hints=False)
    for tracker in trackers:
        tracker.accept(signals(60))
        assert tracker.flush().stored == 60
    time.sleep(0.3)  # many times the linger
    assert not flushes.came.is_set()


def test_a_second_tracker_takes_nothing_from_the_first() -> None:
    """Fault 6: a second constructor call emptied the list of pending signals."""
    first = SignalTracker()
    first.accept(signals(3))
    second = SignalTracker()
    second.accept(signals(2))
    first.accept(signals(1))
    assert second.flush().stored == 6
    assert first.flush().stored == 0
    assert Signal.objects.count() == 6


def test_closing_one_tracker_leaves_the_other_usable() -> None:
    first, second = SignalTracker(), SignalTracker()
    first.accept(signals(2))
    first.close()
    assert Signal.objects.count() == 2
    second.log_signal(a_signal())
    assert Signal.objects.count() == 3
