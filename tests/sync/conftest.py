"""Alpine, a service that talks to it without waiting, and signals to send."""

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
    """Time that passes when it is told to, and when somebody sleeps."""

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
def log(journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Store so many signals; each is queued, by the clock's time."""
    monkeypatch.setattr("sync.outbox.utc_now", clock)
    monkeypatch.setattr("sync.outbox.wake_deliver", lambda: None)
    tracker = SignalTracker.with_parts(journal, Flusher(journal, handlers=[enqueue]), origin="t")
    return lambda count: tracker.log_signals(signals(count))


@pytest.fixture
def deliverer(service: AlpineSyncService, clock: Clock) -> Deliverer:
    return Deliverer(service, concurrency=4, max_attempts=4, clock=clock, chance=lambda: 0.5)
