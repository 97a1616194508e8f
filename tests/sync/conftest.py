"""Fixtures: Alpine, a service that sends to it without real waits, and signals to send."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from signals.journal import Journal
from signals.ledger.flush import Flusher
from signals.tracker import SignalTracker
from sync.alpine import AlpineSyncService
from sync.outbox import enqueue
from sync.worker import Deliverer
from tests.samples import signals
from tests.sync.alpine_server import Alpine, running

Log = Callable[[int], list[str]]


class Clock:
    """A clock that moves only by `pass_by`; `slept` collects the requested sleeps."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alpine() -> Iterator[Alpine]:
    with running() as alpine:
        yield alpine


@pytest.fixture
def service(alpine: Alpine, clock: Clock) -> Iterator[AlpineSyncService]:
    service = AlpineSyncService(alpine.endpoint, "the key", sleep=clock.sleep, clock=clock)
    yield service
    service.close()


@pytest.fixture
def tracker(journal: Journal) -> SignalTracker:
    """Return a tracker that queues each signal for Alpine."""
    return SignalTracker.with_parts(journal, Flusher(journal, handlers=[enqueue]), origin="t")


@pytest.fixture
def log(tracker: SignalTracker, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Return a function that stores signals; each is queued at the clock's time."""
    monkeypatch.setattr("sync.outbox.utc_now", clock)
    monkeypatch.setattr("sync.outbox.wake_deliver", lambda: None)
    return lambda count: tracker.log_signals(signals(count))


@pytest.fixture
def deliverer(service: AlpineSyncService, clock: Clock) -> Deliverer:
    return Deliverer(service, concurrency=4, max_attempts=4, clock=clock, chance=lambda: 0.5)
